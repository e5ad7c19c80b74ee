/* The order of numbers, found without comparing them. */
#ifndef FWC_BASE_RADIX_H
#define FWC_BASE_RADIX_H

#include <stddef.h>
#include <stdint.h>

/* The numbers' places from the least number to the greatest, equal ones in the order in which they stand. The array
 * lives in the pool. count: below 2^32. */
uint32_t *radix_order(void *pool, const uint64_t *numbers, size_t count);

#endif
