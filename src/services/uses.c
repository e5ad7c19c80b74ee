/* Tuples by the connection tracking helper that they want. */
#include "services/uses.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "net/address.h"
#include "net/protocol.h"

static bool is_same_helper(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static struct service_use *use_of(void *pool, struct service_uses *uses, const char *helper)
{
	for (size_t i = 0; i < uses->uses_count; i++)
		if (is_same_helper(uses->uses[i].helper, helper))
			return &uses->uses[i];
	struct service_use *use = pool_append(pool, uses, uses);
	use->helper = helper;
	return use;
}

/* Field by field into zeroed memory: equal normal sets are equal bytes, padding included. */
static void add_tuple(void *pool, struct tuple_set *set, const struct service_tuple *tuple)
{
	struct service_tuple *added = pool_append(pool, set, tuples);
	added->protocol = tuple->protocol;
	added->families = tuple->families;
	added->first = tuple->first;
	added->second = tuple->second;
}

void uses_add(void *pool, struct service_uses *uses, const char *helper,
	      const struct tuple_set *tuples)
{
	struct service_use *use = use_of(pool, uses, helper);
	for (size_t i = 0; i < tuples->tuples_count; i++)
		add_tuple(pool, &use->tuples, &tuples->tuples[i]);
}

/* --- the common case in place ------------------------------------------------------------------
 *
 * Rules name a few services of whole source ports. Their normal form is the sorted list with
 * neighbours joined; the general sweep of tuple_set_normalise gives the same, but costs more than
 * everything else that is done for a rule. */

static bool is_simple(const struct service_tuple *tuple)
{
	if (tuple->protocol == PROTOCOL_ICMP)
		return tuple->families == FAMILIES_IPV4 && tuple->second.high == UINT8_MAX &&
		       tuple->second.low == 0;
	if (tuple->protocol == PROTOCOL_ICMP6)
		return tuple->families == FAMILIES_IPV6 && tuple->second.high == UINT8_MAX &&
		       tuple->second.low == 0;
	return tuple->protocol < PROTOCOL_ANY && tuple->families == FAMILIES_BOTH &&
	       tuple->second.low == 0 && tuple->second.high == UINT16_MAX;
}

static bool is_before(const struct service_tuple *a, const struct service_tuple *b)
{
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol;
	return a->first.low < b->first.low;
}

/* The lists are short: sorting by insertion. */
static void insert_sorted(struct service_tuple *tuples, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct service_tuple moved = tuples[i];
		size_t place = i;
		for (; place > 0 && is_before(&moved, &tuples[place - 1]); place--)
			tuples[place] = tuples[place - 1];
		tuples[place] = moved;
	}
}

#define SIMPLE_MOST 64

static size_t join_sorted(struct service_tuple *tuples, size_t count)
{
	size_t last = 0;
	for (size_t i = 1; i < count; i++) {
		struct service_tuple *current = &tuples[last];
		const struct service_tuple *next = &tuples[i];
		if (current->protocol != next->protocol ||
		    next->first.low > (uint32_t)current->first.high + 1)
			tuples[++last] = *next;
		else if (next->first.high > current->first.high)
			current->first.high = next->first.high;
	}
	return count == 0 ? 0 : last + 1;
}

bool tuples_join_simple(struct service_tuple *tuples, size_t *count)
{
	if (*count > SIMPLE_MOST)
		return false;
	for (size_t i = 0; i < *count; i++)
		if (!is_simple(&tuples[i]))
			return false;
	insert_sorted(tuples, *count);
	*count = join_sorted(tuples, *count);
	return true;
}

static struct tuple_set normalised(void *pool, const struct tuple_set *set)
{
	struct tuple_set simple = *set;
	return tuples_join_simple(simple.tuples, &simple.tuples_count)
		       ? simple
		       : tuple_set_normalise(pool, set);
}

/* --- finishing -------------------------------------------------------------------------------- */

static void drop_empty(struct service_uses *uses)
{
	size_t kept = 0;
	for (size_t i = 0; i < uses->uses_count; i++)
		if (uses->uses[i].tuples.tuples_count != 0)
			uses->uses[kept++] = uses->uses[i];
	uses->uses_count = kept;
}

static void move_plain_last(struct service_uses *uses)
{
	for (size_t i = 0; i + 1 < uses->uses_count; i++)
		if (uses->uses[i].helper == NULL) {
			struct service_use plain = uses->uses[i];
			uses->uses[i] = uses->uses[i + 1];
			uses->uses[i + 1] = plain;
		}
}

void uses_finish(void *pool, struct service_uses *uses)
{
	move_plain_last(uses);
	for (size_t i = 0; i < uses->uses_count; i++) {
		struct tuple_set *tuples = &uses->uses[i].tuples;
		*tuples = normalised(pool, tuples);
		for (size_t j = 0; j < i; j++)
			*tuples = tuple_set_subtract(pool, tuples, &uses->uses[j].tuples);
	}
	drop_empty(uses);
}

void uses_subtract(void *pool, struct service_uses *uses, const struct tuple_set *tuples)
{
	for (size_t i = 0; i < uses->uses_count; i++)
		uses->uses[i].tuples = tuple_set_subtract(pool, &uses->uses[i].tuples, tuples);
	drop_empty(uses);
}

struct tuple_set uses_union(void *pool, const struct service_uses *uses)
{
	struct tuple_set all = { 0 };
	if (uses->uses_count == 1)
		return uses->uses[0].tuples;
	for (size_t i = 0; i < uses->uses_count; i++)
		for (size_t j = 0; j < uses->uses[i].tuples.tuples_count; j++)
			add_tuple(pool, &all, &uses->uses[i].tuples.tuples[j]);
	return normalised(pool, &all);
}
