/* Words of 64 bits; above them words that say which words below hold something. */
#include "target/nft/split/order.h"

#include "base/pool.h"

struct order order_new(void *pool, uint32_t bound)
{
	struct order order = { .bound = bound };
	size_t words = ((size_t)bound + 63) / 64;
	do {
		words = words == 0 ? 1 : words;
		order.levels[order.levels_count++] = pool_array(pool, uint64_t, words);
		if (words == 1)
			return order;
		words = (words + 63) / 64;
	} while (order.levels_count < ORDER_LEVELS);
	return order;
}

static uint64_t bit(uint32_t member)
{
	return (uint64_t)1 << (member & 63);
}

void order_add(struct order *order, uint32_t member)
{
	if ((order->levels[0][member >> 6] & bit(member)) != 0)
		return;
	order->count++;
	for (unsigned level = 0; level < order->levels_count; level++, member >>= 6)
		order->levels[level][member >> 6] |= bit(member);
}

void order_remove(struct order *order, uint32_t member)
{
	if ((order->levels[0][member >> 6] & bit(member)) == 0)
		return;
	order->count--;
	for (unsigned level = 0; level < order->levels_count; level++, member >>= 6) {
		order->levels[level][member >> 6] &= ~bit(member);
		if (order->levels[level][member >> 6] != 0)
			return;
	}
}

void order_clear(struct order *order)
{
	uint32_t member = order_next(order, 0);
	for (; member != ORDER_END; member = order_next(order, member + 1))
		order_remove(order, member);
}

/* Down from a word of this level to its first member. */
static uint32_t first_below(const struct order *order, unsigned level, uint32_t word)
{
	for (;; level--) {
		word = word << 6 | (uint32_t)__builtin_ctzll(order->levels[level][word]);
		if (level == 0)
			return word;
	}
}

uint32_t order_next(const struct order *order, uint32_t from)
{
	if (order->count == 0 || from >= order->bound)
		return ORDER_END;
	uint32_t words = (order->bound + 63) >> 6;
	for (unsigned level = 0; level < order->levels_count; level++) {
		uint32_t word = from >> 6;
		if (word >= words)
			return ORDER_END;
		uint64_t rest = order->levels[level][word] & (~(uint64_t)0 << (from & 63));
		if (rest != 0) {
			uint32_t found = word << 6 | (uint32_t)__builtin_ctzll(rest);
			return level == 0 ? found : first_below(order, level - 1, found);
		}
		from = word + 1;
		words = (words + 63) >> 6;
	}
	return ORDER_END;
}
