/* The resolved policy: every name turned into the thing it stands for.
 *
 * Read-only once resolve_policy gave it. Targets and expand read it; nothing below
 * knows the syntax tree. Order of rules and translations is the file's order, with includes
 * standing where they were included. */
#ifndef FWC_RESOLVE_POLICY_H
#define FWC_RESOLVE_POLICY_H

#include <stdbool.h>
#include <time.h>

#include "diag/diag.h"
#include "net/address.h"
#include "net/placebox.h"
#include "net/tuple.h"
#include "services/database.h"

/* --- places ---------------------------------------------------------------------------- */

struct zone {
	const char *name;
	struct span span;
	struct interface_set interfaces; /* whole if it has no interface line */
	bool has_interfaces;
	bool has_networks;
	struct address_set networks; /* whole if it has no network line; `internet` folded in */
	/* The zone after carving (networks-only zones out of interface zones, inner out of outer),
	 * disjoint boxes. `input`: as the source of packets to the firewall, with 0.0.0.0 and
	 * fe80::/10 of the zone's interfaces; `routed`: as any other source; `routed_to`: as the
	 * destination, which on a device is known by its address alone. */
	struct place_boxes input;
	struct place_boxes routed;
	struct place_boxes routed_to;
	bool is_used;
};

enum place_kind {
	PLACE_ANY,
	PLACE_SELF,
	PLACE_ZONE,
	PLACE_ADDRESSES, /* host, network, group of such, literal, file, internet, tunnel */
	PLACE_GROUP,     /* a group that holds a zone, self or any: its list */
};

/* Two for most rules, as their lists: small. */
struct place {
	enum place_kind kind : 8;
	bool is_empty_file;      /* `file … or empty` and empty: matches nothing */
	struct span span;        /* where it was written in the rule or list */
	const char *name;        /* the user's word, for messages: "lan", "10.0.0.0/8" */
	union {                  /* by kind */
		const struct zone *zone;
		/* shared between uses of one definition: compare pointers first */
		const struct address_set *addresses;
		const struct place_list *group;
	};
	struct place_box *box;   /* of a literal: its addresses at every interface; else NULL */
};

struct place_list {
	struct span span;
	uint32_t items_count;
	struct place *items;
	struct place *excepts;
	size_t excepts_count;
};

/* A rule's side: its own list and those of the blocks round it, all of which must match. */
struct place_scope {
	const struct place_list *list;
	const struct place_scope *outer; /* or NULL */
};

/* --- rules ---------------------------------------------------------------------------- */

enum verdict { VERDICT_ALLOW, VERDICT_DENY, VERDICT_REJECT };
enum hook { HOOK_INPUT, HOOK_FORWARD, HOOK_OUTPUT };
#define HOOK_COUNT 3

struct limit {
	uint64_t rate;       /* packets per unit */
	uint32_t unit_s;     /* 1, 60, 3600, 86400 */
	uint32_t burst;      /* packets; 5 if the policy does not say */
	bool is_per_source;  /* an IPv4 address, an IPv6 /64 */
};

struct schedule {
	const char *name;
	struct span span;
	/* minutes of the week, Monday 00:00 UTC = 0 … 10079, the policy's time zone taken out */
	struct interval_set minutes;
	bool is_used;
};

struct policy_options {
	bool has_log;
	const char *log_prefix; /* the user's, checked printable; or NULL */
	bool has_count;
	const struct limit *limit; /* or NULL */
	time_t until;              /* UTC, first second after the last day; 0: none */
	const struct schedule *during;
	uint8_t families;          /* FAMILIES_BOTH, or what ipv4/ipv6 left */
	bool is_stateless;
	bool is_rescue;
	const char *because, *owner, *id; /* or NULL */
	struct span id_span, limit_span, stateless_span, log_span;
};

/* Rules without options share one. */
struct policy_rule {
	enum verdict verdict : 8;
	bool is_expired;          /* kept for analysis, makes no rule */
	struct span span;         /* the statement */
	struct span verdict_span; /* its first word */
	uint32_t number;          /* its place in the policy, from 0 */
	/* by conntrack helper: disjoint, normalised (services/uses.h) */
	struct service_use *services;
	const struct service_word *words;      /* of the service list, shared by equal lists; */
	const struct span *words_spans;        /* where each is written here */
	uint32_t services_count, words_count;
	const struct place_scope *from, *to;   /* NULL: any */
	const struct policy_options *options;
	const struct translation *translation; /* the rule that a `forward` makes; else NULL */
	const struct tunnel *tunnel;           /* the rule that a tunnel makes for its own packets */
};

enum translation_kind { TRANSLATION_MASQUERADE, TRANSLATION_SNAT, TRANSLATION_FORWARD };

struct translation {
	enum translation_kind kind;
	struct span span;
	const struct place_scope *from, *to; /* to: masquerade, snat; NULL: any */
	struct tuple_set services;           /* forward; the original ports */
	bool has_at;
	struct address_set at;               /* forward: the addresses it listens on (host's, a family each) */
	bool has_as[2];
	struct address as[2];                /* snat, by family */
	bool has_host[2];
	struct address host[2];              /* forward: new destination, by family */
	uint16_t port;                       /* forward: new port, 0: the same */
	struct policy_options options;
	size_t number;
};

struct policy_default {
	enum verdict verdict;
	bool is_written; /* a statement set it */
	struct span span;
	struct policy_options options; /* log, count, because, owner */
};

/* --- assertions, devices, tunnels -------------------------------------------------------- */

enum assertion_kind { ASSERTION_VERDICT, ASSERTION_ONLY, ASSERTION_UNCHANGED };

struct assertion {
	enum assertion_kind kind;
	enum verdict verdict;
	struct span span;
	struct tuple_set services;
	const struct place_scope *from, *to;
	uint8_t families;
};

struct expectation {
	const char *finding;
	struct span span;
	struct span statement; /* of the next statement, which it speaks of */
	const char *because;
	bool is_used; /* a finding met it */
};

enum replies { REPLIES_UNSAID, REPLIES_ESTABLISHED, REPLIES_REFLEXIVE, REPLIES_NONE };

struct device_interface {
	const char *name;
	struct span span;
	const struct zone *zone; /* or NULL */
	struct prefix *addresses; /* with host bits */
	size_t addresses_count, addresses_capacity;
	uint32_t clock_rate; /* bits/s, 0: not said */
	const char *description;
	bool is_shutdown;
};

struct device_route {
	struct span span;
	bool is_default;
	struct prefix prefix;
	struct address via;
};

struct device_cdp_off {
	const struct zone *zone; /* NULL: everywhere */
	struct span span;
};

struct device {
	const char *name;
	struct span span;
	const char *target; /* "cisco-ios" */
	const char *hostname;
	struct device_interface *interfaces;
	size_t interfaces_count, interfaces_capacity;
	struct device_route *routes;
	size_t routes_count, routes_capacity;
	enum replies replies;
	struct device_cdp_off *cdp_off;
	size_t cdp_off_count, cdp_off_capacity;
	uint32_t cdp_timer_s, cdp_holdtime_s; /* 0: not said */
	struct span cdp_span;
	bool is_denied_silent;
	bool has_object_groups, has_object_groups_v6, has_multi_port_eq, degrades_limit;
};

struct tunnel_end {
	const struct device *device; /* NULL: a peer by address */
	const struct zone *zone;     /* of a device */
	struct address peer;
	struct span span;
};

struct tunnel_setting { /* ike and esp: as written, in order */
	const char *key;
	const char *value;
	const char *unit; /* "kilobytes", or NULL */
	struct span span;
};

struct tunnel_carry {
	struct address_set left, right; /* left is the first end's */
	struct span span;
};

struct tunnel {
	const char *name;
	struct span span;
	struct tunnel_end ends[2];
	struct tunnel_carry *carries;
	size_t carries_count, carries_capacity;
	struct tunnel_setting *ike;
	size_t ike_count, ike_capacity;
	struct tunnel_setting *esp;
	size_t esp_count, esp_capacity;
	const char *key_env;  /* one of both */
	const char *key_file; /* a path as it opens from here */
	struct span key_span;
};

/* The interface of a device's end: the one in its zone that has an address. NULL: a peer, or reported. */
const struct device_interface *tunnel_interface(const struct tunnel_end *end);
/* The address that the other end knows it by. false: reported. */
bool tunnel_end_address(const struct tunnel_end *end, struct address *address);

struct policy {
	const char *name, *version; /* or NULL */
	const char *file;           /* the main file's name */
	struct diags *diags;
	struct sources *sources;
	const struct service_database *services;

	struct zone **zones;
	size_t zones_count, zones_capacity;
	struct policy_rule **rules;
	size_t rules_count, rules_capacity;
	struct translation **translations;
	size_t translations_count, translations_capacity;
	struct policy_default defaults[HOOK_COUNT];
	struct assertion *assertions;
	size_t assertions_count, assertions_capacity;
	const struct assertion *question; /* which packets are asked about, or NULL */
	struct expectation *expectations;
	size_t expectations_count, expectations_capacity;
	struct device **devices;
	size_t devices_count, devices_capacity;
	struct tunnel **tunnels;
	size_t tunnels_count, tunnels_capacity;
	const char **helpers; /* conntrack helpers that allow rules want, sorted, unique */
	size_t helpers_count, helpers_capacity;
	int32_t timezone_s; /* seconds east of UTC */
	const struct device *device; /* that it was resolved for, or NULL */
	const struct names *schedules; /* name -> struct schedule */
	struct names *places; /* name -> struct place_definition (private to resolve), for analysis */
};

#endif
