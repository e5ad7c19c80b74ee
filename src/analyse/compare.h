/* What changed in meaning between two rulesets: which packets get another outcome, as regions, one for each
 * pair of statements that decide them before and after. */
#ifndef FWC_ANALYSE_COMPARE_H
#define FWC_ANALYSE_COMPARE_H

#include "analyse/meaning.h"

enum change_kind {
	CHANGE_ALLOWED,    /* newly allowed */
	CHANGE_DENIED,     /* newly denied or rejected */
	CHANGE_ANSWERED,   /* denied before and after, but answered in another way */
	CHANGE_LIMITED,    /* allowed before and after, another limit, or one that is shared otherwise */
	CHANGE_TRACKED,    /* `stateless` before or after: answers are judged by rules there */
	CHANGE_HELPED,     /* allowed before and after, another conntrack helper */
	CHANGE_LOGGED,     /* another log line or counter */
	CHANGE_TRANSLATED, /* another translation */
	CHANGE_RESCUED,    /* `rescue`: open before or after when a boot fails closed */
};

/* One pair of statements in one hook. For translations the numbers are those of translations in the ruleset;
 * SIZE_MAX: none. */
struct change {
	enum change_kind kind;
	enum hook hook;
	size_t before, after;
	packet_set packets; /* possible ones of the hook; not empty */
	packet_set region;  /* the same, whatever is possible and in whatever hook: fewer boxes */
};

struct comparison {
	struct packet_universe *universe;
	struct packet_space *space;
	struct meaning before, after;
	struct change *changes; /* by kind, then hook, then the statements */
	size_t changes_count, changes_capacity;
	bool is_over; /* past the budget: the changes are not known */
};

struct comparison *rulesets_compare(void *pool, const struct ruleset *before,
				    const struct ruleset *after);

#endif
