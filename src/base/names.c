/* Name tables: a uthash for finding, an array for the order.
 *
 * uthash gets its hash, comparison and memory from the macros below; they use the
 * variable `names` of the function in which they are expanded. Folding happens
 * while hashing and comparing, so that no folded copy of a key is needed. */
#include "base/names.h"

#include <string.h>

#include "base/pool.h"

#define HASH_FUNCTION(key, length, hash) ((hash) = key_hash(names, (key), (length)))
#define HASH_KEYCMP(a, b, length) keys_differ(names, (a), (b), (length))
#define uthash_malloc(size) pool_bytes(names->pool, (size))
#define uthash_free(chunk, size) talloc_free(chunk)
#include <uthash.h>

/* Longer words get no suggestion: nobody mistypes those, and the rows below stay small. */
#define NEAREST_LONGEST 255

struct name {
	const char *key; /* NUL-terminated, as first stored */
	size_t length;
	void *value;
	UT_hash_handle hh;
};

struct names {
	void *pool;
	bool folds_case;
	struct name *head; /* uthash */
	struct name **items;
	size_t items_count, items_capacity;
};

static unsigned char folded(unsigned char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + ('a' - 'A')) : byte;
}

/* FNV-1a; only buckets depend on it, never an output. */
static unsigned key_hash(const struct names *names, const void *key, size_t length)
{
	const unsigned char *bytes = key;
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = names->folds_case ? folded(bytes[i]) : bytes[i];
		hash = (uint32_t)((uint64_t)(hash ^ byte) * 16777619u);
	}
	return hash;
}

static int keys_differ(const struct names *names, const void *a, const void *b, size_t length)
{
	if (!names->folds_case)
		return length != 0 && memcmp(a, b, length) != 0;
	const unsigned char *left = a, *right = b;
	for (size_t i = 0; i < length; i++)
		if (folded(left[i]) != folded(right[i]))
			return 1;
	return 0;
}

struct names *names_new(void *pool, bool folds_case)
{
	struct names *names = pool_new(pool, struct names);
	names->pool = names;
	names->folds_case = folds_case;
	return names;
}

static struct name *find(const struct names *names, const char *key, size_t length)
{
	struct name *found = NULL;
	HASH_FIND(hh, names->head, key, length, found);
	return found;
}

void *names_find(const struct names *names, const char *key, size_t length)
{
	const struct name *found = find(names, key, length);
	return found == NULL ? NULL : found->value;
}

static void add(struct names *names, struct name *added)
{
	*pool_append(names->pool, names, items) = added;
	HASH_ADD_KEYPTR(hh, names->head, added->key, added->length, added);
}

void *names_set(struct names *names, const char *key, size_t length, void *value)
{
	struct name *found = find(names, key, length);
	if (found != NULL) {
		void *before = found->value;
		found->value = value;
		return before;
	}
	struct name *added = pool_new(names->pool, struct name);
	added->key = pool_strndup(names->pool, key, length);
	added->length = length;
	added->value = value;
	add(names, added);
	return NULL;
}

size_t names_count(const struct names *names)
{
	return names->items_count;
}

const char *names_key(const struct names *names, size_t index)
{
	return names->items[index]->key;
}

void *names_value(const struct names *names, size_t index)
{
	return names->items[index]->value;
}

/* --- suggestions -------------------------------------------------------------------- */

struct spelling {
	const unsigned char *bytes;
	size_t length;
};

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static bool same_letter(unsigned char a, unsigned char b)
{
	return folded(a) == folded(b);
}

/* One cell of the table: the distance of the first row letters of a to the first column of b. */
static unsigned cell(unsigned rows[3][NEAREST_LONGEST + 1], struct spelling a, struct spelling b,
		     size_t row, size_t column)
{
	const unsigned *above = rows[(row + 2) % 3], *current = rows[row % 3];
	unsigned char left = a.bytes[row - 1], right = b.bytes[column - 1];
	unsigned changed = above[column - 1] + (same_letter(left, right) ? 0 : 1);
	unsigned best = least(changed, least(above[column], current[column - 1]) + 1);
	bool is_swapped = row > 1 && column > 1 && same_letter(left, b.bytes[column - 2]) &&
			  same_letter(a.bytes[row - 2], right);
	/* the row two above is the one that (row + 1) % 3 still holds */
	return is_swapped ? least(best, rows[(row + 1) % 3][column - 2] + 1) : best;
}

/* Damerau's distance (changes, gaps, swapped neighbours; letters of another case are equal),
 * or bound + 1 as soon as it is certain to be above the bound. */
static unsigned distance(struct spelling a, struct spelling b, unsigned bound)
{
	unsigned rows[3][NEAREST_LONGEST + 1];
	size_t gap = a.length > b.length ? a.length - b.length : b.length - a.length;
	if (gap > bound)
		return bound + 1;
	for (size_t column = 0; column <= b.length; column++)
		rows[0][column] = (unsigned)column;
	unsigned least_before = 0;
	for (size_t row = 1; row <= a.length; row++) {
		unsigned *current = rows[row % 3];
		unsigned least_here = current[0] = (unsigned)row;
		for (size_t column = 1; column <= b.length; column++) {
			current[column] = cell(rows, a, b, row, column);
			least_here = least(least_here, current[column]);
		}
		/* a swap reaches back two rows: both must be past the bound */
		if (least_here > bound && least_before > bound)
			return bound + 1;
		least_before = least_here;
	}
	return rows[a.length % 3][b.length];
}

const char *names_nearest(const struct names *names, const char *key, size_t length)
{
	if (length > NEAREST_LONGEST)
		return NULL;
	const struct spelling wanted = { (const unsigned char *)key, length };
	unsigned bound = (unsigned)(length / 3);
	const char *best = NULL;
	for (size_t i = 0; i < names->items_count; i++) {
		const struct name *name = names->items[i];
		if (name->length > NEAREST_LONGEST)
			continue;
		struct spelling other = { (const unsigned char *)name->key, name->length };
		unsigned found = distance(wanted, other, bound);
		if (found > bound)
			continue;
		best = name->key;
		if (found == 0)
			return best;
		bound = found - 1; /* from here on only what is nearer */
	}
	return best;
}
