/* By one digit after the other, the least first; a digit that all numbers share costs one look at them. */
#include "base/radix.h"

#include <stdbool.h>

#include "base/pool.h"

enum {
	DIGIT_BITS = 11,
	DIGITS = 1 << DIGIT_BITS,
};

static size_t digit_of(uint64_t number, unsigned shift)
{
	return (size_t)(number >> shift) & (DIGITS - 1);
}

/* Where the numbers of each digit begin; false: all have the same. */
static bool find_places(const uint64_t *numbers, size_t count, unsigned shift, uint32_t places[DIGITS])
{
	memset(places, 0, DIGITS * sizeof *places);
	for (size_t i = 0; i < count; i++)
		places[digit_of(numbers[i], shift)]++;
	if (places[digit_of(numbers[0], shift)] == count)
		return false;
	uint32_t place = 0;
	for (size_t digit = 0; digit < DIGITS; digit++) {
		uint32_t own = places[digit];
		places[digit] = place;
		place += own;
	}
	return true;
}

uint32_t *radix_order(void *pool, const uint64_t *numbers, size_t count)
{
	uint32_t *order = pool_array(pool, uint32_t, count), *next = pool_array(pool, uint32_t, count);
	uint32_t places[DIGITS];
	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i;
	for (unsigned shift = 0; shift < 64 && count > 1; shift += DIGIT_BITS) {
		if (!find_places(numbers, count, shift, places))
			continue;
		for (size_t i = 0; i < count; i++)
			next[places[digit_of(numbers[order[i]], shift)]++] = order[i];
		uint32_t *free = order;
		order = next;
		next = free;
	}
	talloc_free(next);
	return order;
}
