/* What was written: the policy's text as a tree, with a span on every node.
 *
 * Nothing is resolved, checked or folded here; `fwc fmt` can print it back (comments
 * stand in the side list of each file). All nodes live in the session's pool and are
 * const once the parser is done. Lists are singly linked in the order of the text.
 * The grammar's actions call the constructors in ast_build.h, one each. */
#ifndef FWC_AST_AST_H
#define FWC_AST_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag/source.h"

/* What the scanner saw; values are judged in resolve (10-5 is a RANGE, 25:00-26:00 a TIMES). */
enum ast_word_kind {
	AST_WORD_NAME,
	AST_WORD_STRING,    /* also a name in quotes */
	AST_WORD_NUMBER,    /* 10 */
	AST_WORD_RANGE,     /* 10-20 */
	AST_WORD_PAIR,      /* 3:4 */
	AST_WORD_TIMES,     /* 08:00-18:00 */
	AST_WORD_DATE,      /* 2026-12-31 */
	AST_WORD_OFFSET,    /* +01:00 */
	AST_WORD_ADDRESS,   /* 10.0.0.1, fd00::1 */
	AST_WORD_PREFIX,    /* 10.0.0.0/24 */
	AST_WORD_ADDRESSES, /* 10.0.0.5-10.0.0.9 */
	AST_WORD_INTERFACE, /* Serial0/0: a name with slashes */
};

/* A word or string with its place; for strings the quotes are in the span, not the text. */
struct ast_word {
	struct span span;
	enum ast_word_kind kind : 8;
	bool is_quoted;
	bool is_reported;   /* its form is wrong and an error says so: say no more of it */
	bool follows_comma; /* in properties: a comma stands before it */
	const char *text; /* NUL-terminated, as written */
	size_t length;
	struct ast_word *next; /* in lists of words */
};

/* --- services ------------------------------------------------------------------- */
enum ast_service_kind {
	AST_SERVICE_NAME,    /* http, "914c/g": word */
	AST_SERVICE_ANY,     /* any */
	AST_SERVICE_LITERAL, /* PORTS/PROTOCOL [sport RANGE] */
};

struct ast_service {
	enum ast_service_kind kind;
	struct span span;
	struct ast_word *word;     /* NAME: the name; LITERAL: PORTS as written ("8443", "1-2", "any",
				      "3:4", "echo-request") */
	struct ast_word *protocol; /* LITERAL: "tcp", "tcp+udp", "icmp", "ip" */
	struct ast_word *sport;    /* LITERAL: source port or range, or NULL */
	struct ast_service *next;
};

/* LIST [except LIST] */
struct ast_services {
	struct span span;
	struct ast_service *items;
	struct ast_service *except; /* or NULL */
};

/* --- places --------------------------------------------------------------------- */
enum ast_place_kind {
	AST_PLACE_NAME,
	AST_PLACE_ANY,
	AST_PLACE_SELF,
	AST_PLACE_INTERNET,
	AST_PLACE_ADDRESS, /* 192.168.0.10, fd00::1 */
	AST_PLACE_PREFIX,
	AST_PLACE_RANGE,   /* 10.0.0.5-10.0.0.9 */
	AST_PLACE_FILE,    /* file "blocklist.txt" [or empty] */
};

struct ast_place {
	enum ast_place_kind kind;
	struct span span;
	struct ast_word *word; /* the name, the literal as written, the file's name */
	bool may_be_empty;     /* FILE: or empty */
	struct ast_place *next;
};

struct ast_places {
	struct span span;
	struct ast_place *items;
	struct ast_place *except; /* or NULL */
};

/* --- options of rules -------------------------------------------------------------- */
enum ast_option_kind {
	AST_OPTION_LOG,       /* word: prefix string or NULL */
	AST_OPTION_COUNT,
	AST_OPTION_LIMIT,     /* word: "10", unit: "second"; burst or NULL; is_per_source */
	AST_OPTION_UNTIL,     /* word: "2026-12-31" */
	AST_OPTION_DURING,    /* word: name */
	AST_OPTION_IPV4,
	AST_OPTION_IPV6,
	AST_OPTION_STATELESS,
	AST_OPTION_BECAUSE,   /* word: string */
	AST_OPTION_OWNER,     /* word: string */
	AST_OPTION_ID,        /* word: name */
	AST_OPTION_RESCUE,
};

struct ast_option {
	enum ast_option_kind kind;
	struct span span;
	struct ast_word *word;
	struct ast_word *unit;
	struct ast_word *burst;
	bool is_per_source;
	struct ast_option *next;
};

/* --- statements ----------------------------------------------------------------------- */
enum ast_verdict { AST_ALLOW, AST_DENY, AST_REJECT };

enum ast_kind {
	AST_POLICY,     /* policy "name" version "v"; */
	AST_INCLUDE,
	AST_SERVICE,
	AST_EXTEND_TAG,
	AST_HOST,
	AST_NETWORK,
	AST_GROUP,
	AST_ZONE,
	AST_SCHEDULE,
	AST_TIMEZONE,
	AST_RULE,
	AST_BLOCK,
	AST_DEFAULT,
	AST_MASQUERADE,
	AST_SNAT,
	AST_FORWARD,
	AST_DEVICE,
	AST_TUNNEL,
	AST_ASSERT,
	AST_EXPECT,
};

struct ast_service_def {
	struct ast_word *name;
	struct ast_word *description; /* or NULL */
	bool is_override;
	bool is_block;                /* written with { } */
	struct ast_services services; /* block: every service line joined, in order */
	struct ast_word *aliases, *tags, *status, *sources, *helper; /* lists or NULL; status, helper one */
	/* block: properties in the order written, for fmt: see ast_property */
	struct ast_property *properties;
};

/* One line of a service, zone, device, interface or tunnel block, as written:
 *   keyword WORDS…;  with nested properties where it has a block of its own.
 * key "" in a service block: a line of services (then services is set).
 *
 * words are every word after the key, in the order written, connecting words ("on", "via",
 * "and", "peer") included, commas not (follows_comma); they have one of the shapes that
 * ast/shape.c lists, checked by the parser. So, with the index of each word:
 *   zone      interface: 0.. names · network: places
 *   device    target 0 name · hostname 0 name · interface 0 name, children
 *             route: default(0) via(1) ADDRESS(2) | PREFIX(0) via(1) ADDRESS(2)
 *             replies 0 · denied 0 · object-groups 0 · multi-port-eq 0 · degrade 0..
 *             cdp: off(0) | off(0) on(1) ZONE(2) | timer(0) N(1) | holdtime(0) N(1)
 *   interface zone 0 · address 0.. (prefixes) · clock-rate 0 · description 0 · shutdown
 *   tunnel    between: DEV(0) on(1) ZONE(2) DEV(3) on(4) ZONE(5)
 *                    | DEV(0) on(1) ZONE(2) and(3) peer(4) ADDRESS(5)
 *             carry: places, places_right · ike, esp: children · key: env|file(0) STRING(1)
 *   ike       version 0 · encryption 0 · hash 0 · group 0 · lifetime 0 [unit 1]
 *   esp       encryption 0 · hash 0 · lifetime 0 [unit 1]
 * A key that must not repeat does not. */
struct ast_property {
	struct span span;
	struct ast_word *key;
	struct ast_word *words;            /* the values in order; see the grammar for each key */
	struct ast_services *services;     /* service block lines */
	struct ast_places *places;         /* zone: network; tunnel carry: left side */
	struct ast_places *places_right;   /* tunnel carry: right side */
	struct ast_property *children;     /* interface { }, ike { }, esp { } */
	bool has_block;
	struct ast_property *next;
};

struct ast_place_def { /* host, network, group */
	struct ast_word *name;
	struct ast_places places;
};

struct ast_zone {
	struct ast_word *name;
	struct ast_property *properties; /* interface (words), network (places) */
};

struct ast_schedule {
	struct ast_word *name;
	/* pairs of words: days ("mon-fri", "sat", "any") and times ("08:00-18:00"), in order;
	 * "mon, wed 08:00-10:00" gives two pairs with the same time */
	struct ast_word *spans;
};

struct ast_rule { /* also assert: verdict rule; assert only */
	enum ast_verdict verdict;
	struct span verdict_span;
	struct ast_services services;
	struct ast_places *from, *to; /* NULL: any */
	struct ast_option *options;
};

struct ast_block {
	struct ast_places *from, *to; /* at least one */
	struct ast_statement *body;
	struct span open, close; /* of the braces */
};

struct ast_default {
	struct ast_word *hook; /* input | forward | output, or NULL: input and forward */
	enum ast_verdict verdict;
	struct ast_option *options; /* log, count, because, owner */
};

struct ast_translation { /* masquerade, snat, forward */
	struct ast_services services;  /* forward */
	struct ast_places *from, *to;
	struct ast_word *as;           /* snat: address literal */
	struct ast_word *at;           /* forward: address literal or host name, or NULL */
	struct ast_word *host;         /* forward: to HOST: name or address literal */
	struct ast_word *port;         /* forward: port N, or NULL */
	struct ast_option *options;
};

enum ast_assert_kind { AST_ASSERT_VERDICT, AST_ASSERT_ONLY, AST_ASSERT_UNCHANGED };

struct ast_assert {
	enum ast_assert_kind kind;
	struct ast_rule rule; /* ONLY: verdict unused; UNCHANGED: services empty */
};

struct ast_expect {
	struct ast_word *finding;
	struct ast_word *because; /* string or NULL */
};

struct ast_device {
	struct ast_word *name;
	struct ast_property *properties;
};

struct ast_tunnel {
	struct ast_word *name;
	struct ast_property *properties;
};

struct ast_policy {
	struct ast_word *name;
	struct ast_word *version; /* or NULL */
};

struct ast_statement {
	enum ast_kind kind;
	struct span span; /* from the first word to the ';' or '}' */
	union {
		struct ast_policy policy;
		struct ast_word *include; /* the file's name */
		struct ast_service_def service;
		struct ast_word *extend_tag;
		struct ast_place_def place; /* HOST, NETWORK, GROUP */
		struct ast_zone zone;
		struct ast_schedule schedule;
		struct ast_word *timezone; /* "+01:00", "utc" */
		struct ast_rule rule;
		struct ast_block block;
		struct ast_default default_verdict;
		struct ast_translation translation;
		struct ast_device device;
		struct ast_tunnel tunnel;
		struct ast_assert assertion;
		struct ast_expect expect;
	};
	struct ast_statement *next;
};

struct ast_comment {
	struct span span; /* from '#' to before the line's end */
	bool is_alone;    /* nothing but blanks before it on its line */
};

/* One file. Statements of included files stand in their own ast_file. */
struct ast_file {
	uint32_t source;
	void *nodes; /* the pool of all of them, but for the texts of words */
	struct ast_statement *statements;
	const struct ast_statement **others; /* those that are no rules, in order: few among many */
	size_t others_count, others_capacity;
	struct ast_comment *comments; /* in order */
	size_t comments_count, comments_capacity;
	bool holds_rules; /* rules, blocks, defaults, translations, assertions */
	/* Names of definitions that could not be read for a mistake in them, which is reported:
	 * that such a name is unknown is no news. */
	struct ast_word *lost_names;
};

#endif
