/* Open addressing with linear probing, at most half full; slots are never freed one by one. */
#include "target/nft/emit/memo.h"

#include "base/pool.h"

uint64_t memo_mix_string(uint64_t hash, const char *string)
{
	for (; *string != '\0'; string++)
		hash = memo_mix(hash, (unsigned char)*string);
	return memo_mix(hash, 256);
}

uint32_t memo_find(const struct memo *memo, uint64_t hash, memo_equals equals, const void *wanted)
{
	if (memo->slots_count == 0)
		return MEMO_NONE;
	size_t mask = memo->slots_count - 1;
	for (size_t at = hash & mask; memo->slots[at].value != 0; at = (at + 1) & mask) {
		const struct memo_slot *slot = &memo->slots[at];
		if (slot->hash == hash && equals(wanted, slot->value - 1))
			return slot->value - 1;
	}
	return MEMO_NONE;
}

static void put(struct memo *memo, struct memo_slot slot)
{
	size_t mask = memo->slots_count - 1;
	size_t at = slot.hash & mask;
	while (memo->slots[at].value != 0)
		at = (at + 1) & mask;
	memo->slots[at] = slot;
}

static void grow(void *pool, struct memo *memo)
{
	struct memo old = *memo;
	memo->slots_count = old.slots_count == 0 ? 64 : old.slots_count * 2;
	memo->slots = pool_array(pool, struct memo_slot, memo->slots_count);
	for (size_t i = 0; i < old.slots_count; i++)
		if (old.slots[i].value != 0)
			put(memo, old.slots[i]);
	talloc_free(old.slots);
}

void memo_add(void *pool, struct memo *memo, uint64_t hash, uint32_t number)
{
	if (memo->used * 2 >= memo->slots_count)
		grow(pool, memo);
	put(memo, (struct memo_slot){ hash, number + 1 });
	memo->used++;
}
