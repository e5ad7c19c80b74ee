/* Small changes of a table that was read back: each could be a mistake of what writes tables. */
#ifndef FWC_TESTS_KERNEL_MUTANTS_H
#define FWC_TESTS_KERNEL_MUTANTS_H

#include "rules/ruleset.h"
#include "target/nft/model/model.h"
#include "target/nft/read/read.h"

/* Changes one thing; what it was goes into the text. The same numbers give the same change. false: this
 * table has nothing of the kind that was drawn. */
bool mutate(struct nft_read *read, const struct read_table *table, struct text *what);

/* Prints how many of count mutants the proof catches, and what the small machine of read_eval.h says of
 * the others. 0, or 1 where the two disagree. piece_weight, unless 0: the proof in pieces (proof_limits) has to
 * come to the same, too. */
int mutants_run(void *pool, const struct ruleset *ruleset, const struct nft_table *table, unsigned long count,
		unsigned long seed, size_t piece_weight);

#endif
