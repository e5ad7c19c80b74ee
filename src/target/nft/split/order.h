/* A set of numbers below a fixed bound that gives its members in order: the units that are open
 * at a place of a sweep. Adding, removing and finding the next cost a few words each. */
#ifndef FWC_TARGET_NFT_SPLIT_ORDER_H
#define FWC_TARGET_NFT_SPLIT_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORDER_LEVELS 6 /* 64^6 members are more than 32 bits can count */
#define ORDER_END UINT32_MAX

struct order {
	uint64_t *levels[ORDER_LEVELS]; /* level n: a bit for each word of level n-1 that is not 0 */
	unsigned levels_count;
	uint32_t bound;
	size_t count;
};

struct order order_new(void *pool, uint32_t bound);
void order_add(struct order *order, uint32_t member);
void order_remove(struct order *order, uint32_t member);
void order_clear(struct order *order);
/* The first member that is not below `from`, or ORDER_END. */
uint32_t order_next(const struct order *order, uint32_t from);

#endif
