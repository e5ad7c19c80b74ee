/* Tables made by hand, for what no policy may need today: every field, operator and statement of
 * the model. */
#ifndef FWC_TESTS_KERNEL_MODELS_H
#define FWC_TESTS_KERNEL_MODELS_H

#include "target/nft/nft.h"

/* A table by name; "rules:100000", "elements:1000000", "random:7" take a number. NULL: no such name. */
struct nft_table *model_make(void *pool, struct sources *sources, const char *name);
/* Begins the numbers that unit_random draws from. */
void unit_random_seed(uint64_t seed);
/* A random ruleset, and what fwc makes of it. */
struct ruleset *random_policy(void *pool, unsigned long seed);
struct nft_table *random_table(void *pool, struct sources *sources, unsigned long seed);
struct nft_table *model_of_places(void *pool);
/* The names without a number, one after the other; NULL behind the last. */
const char *model_name(size_t index);

#endif
