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
	bool is_within;     /* the region is only what both match: earlier rules decide some of it, and
			       `packets` are but some of those that get the other outcome */
};

/* A statement of which it is not known whether packets that it decides, before or after, got another
 * outcome: past the work that is allowed. */
struct undecided_change {
	bool is_after;
	size_t statement;   /* that of the default is the count of rules; SIZE_MAX: a translation */
	struct span origin; /* of a default that nobody wrote SPAN_NONE */
};

struct comparison {
	struct packet_universe *universe;
	struct packet_space *space;
	struct meaning before, after;
	struct change *changes; /* by kind, then hook, then the statements */
	size_t changes_count, changes_capacity;
	struct undecided_change *undecided; /* each once; all other changes are known */
	size_t undecided_count, undecided_capacity;
	bool is_over; /* past the budget of memory: the changes are not known */
};

/* work: comparisons of boxes, about a tenth of a microsecond each; 0: 20,000,000. */
struct comparison *rulesets_compare(void *pool, const struct ruleset *before,
				    const struct ruleset *after, size_t work);

#endif
