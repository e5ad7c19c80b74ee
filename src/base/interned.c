/* A table from bytes to one pointer: open addressing, at most two thirds full. */
#include "base/interned.h"

#include <stdint.h>
#include <string.h>

#include "base/pool.h"

struct entry {
	const void *key; /* NULL: free */
	size_t length;
	uint64_t hash;
	void *value;
};

struct interned {
	void *pool;
	struct arena *arena;
	struct entry *entries;
	size_t entries_count, entries_capacity; /* capacity: a power of two */
};

#define FIRST_CAPACITY 64

struct interned *interned_new(void *pool, struct arena *arena)
{
	struct interned *interned = pool_new(pool, struct interned);
	interned->pool = interned;
	interned->arena = arena;
	interned->entries = pool_array(interned->pool, struct entry, FIRST_CAPACITY);
	interned->entries_capacity = FIRST_CAPACITY;
	return interned;
}

/* A word at a time, each multiplied and folded; mixed since the low bits choose the place. Nothing outside
 * sees the order that it makes, so that it may differ by the order of bytes. */
static uint64_t mixed(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

static uint64_t hash_of(const void *key, size_t length)
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
	return hash ^ (hash >> 32);
}

static struct entry *place_of(const struct interned *interned, const void *key, size_t length,
			      uint64_t hash)
{
	size_t mask = interned->entries_capacity - 1;
	for (size_t place = (size_t)hash & mask;; place = (place + 1) & mask) {
		struct entry *entry = &interned->entries[place];
		if (entry->key == NULL || (entry->hash == hash && entry->length == length &&
					   memcmp(entry->key, key, length) == 0))
			return entry;
	}
}

static void grow(struct interned *interned)
{
	struct entry *before = interned->entries;
	size_t capacity = interned->entries_capacity;
	interned->entries_capacity = capacity * 2;
	interned->entries =
		pool_array(interned->pool, struct entry, interned->entries_capacity);
	for (size_t i = 0; i < capacity; i++)
		if (before[i].key != NULL)
			*place_of(interned, before[i].key, before[i].length, before[i].hash) =
				before[i];
	talloc_free(before);
}

void **interned_slot(struct interned *interned, const void *key, size_t length)
{
	uint64_t hash = hash_of(key, length);
	struct entry *entry = place_of(interned, key, length, hash);
	if (entry->key != NULL)
		return &entry->value;
	if (interned->entries_count >= interned->entries_capacity / 3 * 2) {
		grow(interned);
		entry = place_of(interned, key, length, hash);
	}
	interned->entries_count++;
	/* an empty key still needs an address */
	entry->key = length == 0 ? "" : arena_copy(interned->arena, key, length);
	entry->length = length;
	entry->hash = hash;
	return &entry->value;
}

void *interned_find(const struct interned *interned, const void *key, size_t length)
{
	return place_of(interned, key, length, hash_of(key, length))->value;
}
