/* A hash table from content to a number, for "has this been made already?".
 *
 * The table knows hashes and numbers only; the caller compares contents. It is never
 * walked, so that no output depends on its order. */
#ifndef FWC_TARGET_NFT_EMIT_MEMO_H
#define FWC_TARGET_NFT_EMIT_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memo_slot {
	uint64_t hash;
	uint32_t value; /* number + 1; 0: free */
};

struct memo {
	struct memo_slot *slots;
	size_t slots_count; /* a power of two, or 0 */
	size_t used;
};

#define MEMO_NONE UINT32_MAX

/* Is the thing of this number the one that is looked for? */
typedef bool (*memo_equals)(const void *wanted, uint32_t number);

/* The number stored under the hash whose thing is equal, or MEMO_NONE. */
uint32_t memo_find(const struct memo *memo, uint64_t hash, memo_equals equals, const void *wanted);
void memo_add(void *pool, struct memo *memo, uint64_t hash, uint32_t number);

/* Mixes one more word into a hash: the same on every machine. */
static inline uint64_t memo_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) + 0x9e3779b97f4a7c15u;
	hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
	hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
	return hash ^ (hash >> 31);
}
uint64_t memo_mix_string(uint64_t hash, const char *string);

#endif
