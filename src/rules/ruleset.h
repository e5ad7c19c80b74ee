/* The IR: the policy's meaning as ordered first-match lists, one a hook.
 *
 * Says nothing of targets. Nothing is multiplied out: a match is a product of unions. Several
 * rules here may come from one rule of the policy (hooks, helpers); they share its outcome,
 * identity and origin by pointer. What is the same in several hooks is one rule, which stands in the
 * list of each. Addresses and ports are those after destination translation
 * and before source translation. Sets are shared: compare pointers before contents. */
#ifndef FWC_RULES_RULESET_H
#define FWC_RULES_RULESET_H

#include "resolve/policy.h"

/* What always passes before any rule is judged, in every hook; targets know it by these words:
 * loopback; established; related (ICMP errors; connections made by a helper, only for the helpers
 * listed); invalid is dropped and counted; neighbour discovery and multicast listener messages on
 * input and output (language reference, "State"). */

struct outcome {
	enum verdict verdict;
	bool has_log;
	const char *log_prefix; /* the user's part, or NULL */
	bool has_count;
	const struct limit *limit;
	const char *helper; /* conntrack helper to assign, or NULL */
};

/* A rule's name for counters, hits, log lines and remarks: survives edits of other rules. */
struct identity_maker;
struct identity {
	const char *text;  /* by identity_text alone: NULL until somebody asks */
	bool is_given;     /* by `id` */
	const struct policy_rule *rule; /* NULL for defaults */
	struct identity_maker *maker;   /* that gives the text when asked */
};
/* The policy's id, or 12 hexadecimal digits and "-N" for the Nth (from 2) among equals;
 * [A-Za-z0-9_.+-], at most 64 bytes. The first call names every rule of the policy, so that most
 * rulesets, which name none, do not pay for it; the rules must be as they were made. */
const char *identity_text(const struct identity *identity);

/* What a `forward` admits is known by where its packets went before translation. */
struct match_original {
	struct address_set to;     /* where has_original_to */
	struct tuple_set services; /* empty: unchanged */
};

struct match {
	uint8_t families;          /* FAMILIES_*: families in which it can match */
	bool is_translated;        /* a `forward`: only packets whose destination was translated, ... */
	bool has_original_to;      /* ... from original->to */
	struct tuple_set services; /* union of exact tuples, normalised */
	struct place_boxes from;   /* (in interface, source); output: every interface */
	struct place_boxes to;     /* (out interface, destination); input: every interface */
	const struct interval_set *minutes; /* minutes of the week UTC, or NULL: always */
	time_t until;                       /* first second at which it no longer matches; 0: none */
	const struct match_original *original; /* is_translated; else NULL */
};

/* Which hook it is judged in, the list says that it stands in. */
struct rule {
	struct match match;
	const struct outcome *outcome;
	const struct identity *identity;
	struct span origin;       /* the statement */
	uint8_t hooks;            /* 1 << HOOK_*: in whose lists expand put it */
	bool is_stateless;        /* packets of both directions are judged by rules */
	bool is_rescue;
};

/* A translation, resolved to boxes; first match in order, apart from the rules. */
struct rule_translation {
	enum translation_kind kind;
	const struct translation *source;
	struct span origin;
	uint8_t families;
	struct tuple_set services; /* forward; else any */
	/* packets that come in at an interface or are routed: (in interface, source) and
	 * (out interface, destination). Destination translation sees no out interface. */
	struct place_boxes from;
	struct place_boxes to;
	bool applies_to_routed; /* packets from elsewhere: prerouting / postrouting with an in interface */
	bool applies_to_local;  /* packets of the firewall itself: output / postrouting without one */
	const struct identity *identity;
};

struct ruleset {
	const struct policy *policy;
	struct rule **rules[HOOK_COUNT]; /* first match in order */
	size_t rules_count[HOOK_COUNT], rules_capacity[HOOK_COUNT];
	const struct outcome *defaults[HOOK_COUNT];
	const struct identity *default_identities[HOOK_COUNT]; /* "default-input", … */
	struct rule_translation **translations;
	size_t translations_count, translations_capacity;
	const char **helpers; /* as in policy */
	size_t helpers_count;
	bool has_stateless;
	const struct ruleset *written; /* of an optimised one: what it was made of; else NULL */
	bool has_lost_reject; /* optimising left out a rule that rejects: its resets stay welcome on output */
};

/* --show=rules: one rule a line group, stable. */
void ruleset_print(struct text *out, const struct ruleset *ruleset);

#endif
