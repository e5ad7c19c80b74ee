/* A table from bytes to one pointer: open addressing, at most two thirds full. */
#include "base/interned.h"

#include <stdint.h>
#include <string.h>

#include "base/pool.h"

struct entry {
	const void *key;
	size_t length;
	void *value;
};

/* Small, as a third of them and more are free. */
struct place {
	uint32_t hash;
	uint32_t number; /* of the entry, from 1; 0: free */
};

struct interned {
	void *pool;
	struct arena *arena;
	struct place *places;
	size_t places_count; /* a power of two */
	struct entry *entries;
	size_t entries_count, entries_capacity;
};

#define FIRST_CAPACITY 64

struct interned *interned_new(void *pool, struct arena *arena)
{
	struct interned *interned = pool_new(pool, struct interned);
	interned->pool = interned;
	interned->arena = arena;
	interned->places = pool_array(interned->pool, struct place, FIRST_CAPACITY);
	interned->places_count = FIRST_CAPACITY;
	return interned;
}

/* A word at a time, each multiplied and folded; mixed since the low bits choose the place. Nothing outside
 * sees the order that it makes, so that it may differ by the order of bytes. */
static uint64_t mixed(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

static uint32_t hash_of(const void *key, size_t length)
{
	const unsigned char *bytes = key;
	uint64_t hash = 14695981039346656037u ^ length, word = 0;
	for (; length >= sizeof word; length -= sizeof word, bytes += sizeof word) {
		memcpy(&word, bytes, sizeof word);
		hash = mixed(hash, word);
	}
	word = 0;
	for (size_t i = 0; i < length; i++)
		word = word << 8 | bytes[i];
	hash = mixed(hash, word);
	return (uint32_t)(hash ^ hash >> 32);
}

/* Where the key is, or would be. */
static struct place *place_of(const struct interned *interned, const void *key, size_t length, uint32_t hash)
{
	size_t mask = interned->places_count - 1;
	for (size_t at = hash & mask;; at = (at + 1) & mask) {
		struct place *place = &interned->places[at];
		if (place->number == 0)
			return place;
		const struct entry *entry = &interned->entries[place->number - 1];
		if (place->hash == hash && entry->length == length && memcmp(entry->key, key, length) == 0)
			return place;
	}
}

static struct place *free_place(const struct interned *interned, uint32_t hash)
{
	size_t mask = interned->places_count - 1, at = hash & mask;
	while (interned->places[at].number != 0)
		at = (at + 1) & mask;
	return &interned->places[at];
}

static void grow(struct interned *interned)
{
	struct place *before = interned->places;
	size_t count = interned->places_count;
	if (count > UINT32_MAX / 2) /* hashes tell no more apart */
		pool_fail(interned->pool, SIZE_MAX);
	interned->places_count = count * 2;
	interned->places = pool_array(interned->pool, struct place, interned->places_count);
	for (size_t i = 0; i < count; i++)
		if (before[i].number != 0)
			*free_place(interned, before[i].hash) = before[i];
	talloc_free(before);
}

void **interned_keep(struct interned *interned, const void *key, size_t length, const void **kept)
{
	uint32_t hash = hash_of(key, length);
	struct place *place = place_of(interned, key, length, hash);
	if (place->number == 0) {
		if (interned->entries_count >= interned->places_count / 3 * 2) {
			grow(interned);
			place = free_place(interned, hash);
		}
		/* an empty key still needs an address */
		*pool_append(interned->pool, interned, entries) = (struct entry){
			.key = length == 0 ? "" : arena_copy(interned->arena, key, length),
			.length = length,
		};
		*place = (struct place){ hash, (uint32_t)interned->entries_count };
	}
	struct entry *entry = &interned->entries[place->number - 1];
	*kept = entry->key;
	return &entry->value;
}

void **interned_slot(struct interned *interned, const void *key, size_t length)
{
	const void *kept;
	return interned_keep(interned, key, length, &kept);
}

void *interned_find(const struct interned *interned, const void *key, size_t length)
{
	const struct place *place = place_of(interned, key, length, hash_of(key, length));
	return place->number == 0 ? NULL : interned->entries[place->number - 1].value;
}
