/* What the lowering chose for a ruleset, why, and what packets are expected to pay: `--report`. */
#ifndef FWC_TARGET_NFT_REPORT_REPORT_H
#define FWC_TARGET_NFT_REPORT_REPORT_H

#include "base/text.h"
#include "target/nft/model/model.h"

/* A way to write a list. Costs are nanoseconds a packet by the model of optimise/costs.h: half of the
 * packets taken to match a rule, the others to differ from one in a single field. */
struct nft_candidate {
	const char *words; /* "a hash of the leading 28 bits of ip saddr, 10 elements" */
	unsigned cost;
	unsigned price; /* no time: of the lines that it adds to the table, where the level weighs them */
	bool is_chosen;
};

/* A step in the writing of a hook's list: what it takes off the list, or all that is left. */
struct nft_choice {
	const char *list; /* "input"; "rules": what hooks share */
	size_t lines;     /* of the list: a rule is one for each family, kind of service and pair of places */
	struct nft_candidate *candidates;
	size_t candidates_count, candidates_capacity;
};

struct nft_report {
	void *pool;
	struct nft_choice *choices;
	size_t choices_count, choices_capacity;
};

struct nft_report *nft_report_new(void *pool);

/* What first packets are expected to pay from the base chain to the verdict. */
struct nft_expectation {
	enum hook hook;
	enum family family;
	size_t hits, misses;        /* packets that were followed */
	unsigned hit_ns, miss_ns;   /* their means: those that a rule decides, those that the default does */
};

/* One a hook and family, by following packets that are made of so many rules of each hook. */
void nft_expect(void *pool, const struct nft_table *table, const struct ruleset *ruleset, size_t rules_most,
		struct nft_expectation expectations[HOOK_COUNT * 2]);

/* Both, for people and as JSON. */
void nft_report_text(struct text *out, const struct nft_report *report, const struct nft_table *table,
		     const struct ruleset *ruleset);
void nft_report_json(struct text *out, const struct nft_report *report, const struct nft_table *table,
		     const struct ruleset *ruleset);

#endif
