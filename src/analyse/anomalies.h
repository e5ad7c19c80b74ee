/* Rules that never match, and rules that could go: what is wrong between the rules of a policy.
 *
 * A statement is judged as a whole: it never matches where each of its rules, in every hook, family and
 * for every service, is taken by earlier ones together. Blame is a shortest list in the sense that none
 * of it can be left out. */
#ifndef FWC_ANALYSE_ANOMALIES_H
#define FWC_ANALYSE_ANOMALIES_H

#include "analyse/meaning.h"
#include "analyse/shadow.h"

enum anomaly_kind {
	ANOMALY_SHADOWED,         /* never matches; some of the blame has another verdict, or does not do
				     what the rule does besides (limit, log, count, stateless, helper) */
	ANOMALY_REDUNDANT,        /* never matches; all of the blame does the same */
	ANOMALY_PARTLY_SHADOWED,  /* never matches in one hook, does in others */
	ANOMALY_REMOVABLE,        /* matches; later rules would do the same */
	ANOMALY_AS_DEFAULT,       /* matches; the default alone would do the same */
	ANOMALY_CONFLICTING,      /* overlaps the blame, another verdict, neither contains the other */
};

struct anomaly {
	enum anomaly_kind kind;
	const struct policy_rule *rule;
	enum hook hook;                   /* of the witness */
	const struct policy_rule **blame; /* in the policy's order */
	size_t blame_count, blame_capacity;
	bool is_mixed;                    /* SHADOWED: some of the blame has the same verdict */
	const char *lost;                 /* SHADOWED: all of it has, and this is the difference */
	struct packet witness;            /* one that the rule matches, and does not decide */
};

struct anomalies {
	struct anomaly *items;
	size_t items_count, items_capacity;
	size_t undecided_count; /* statements that no engine could judge within its budget */
};

struct anomaly_settings {
	bool has_conflicts; /* look for them */
	enum shadow_engine engine;
	size_t budget;      /* of packet_space_new */
	size_t work;        /* comparisons of boxes for all questions together; 0: 100,000,000 */
};

/* In the policy's order. What `log`, `count` and `limit` make of a rule is looked at: none that has one of
 * them could go. */
struct anomalies *anomalies_find(void *pool, const struct ruleset *ruleset,
				 const struct anomaly_settings *settings);

#endif
