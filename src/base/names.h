/* Interned names and name tables (uthash inside, never its iteration order).
 *
 * An interned name is unique per (table, spelling): compare by pointer or by its
 * number. Numbers count from 0 in order of first appearance. */
#ifndef FWC_BASE_NAMES_H
#define FWC_BASE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A map from a spelling to one pointer. Keys are bytes, copied. */
struct names;

/* folds_case: ASCII letters compare equal in both cases (service names). */
struct names *names_new(void *pool, bool folds_case);
/* The value stored under the key, or NULL. */
void *names_find(const struct names *names, const char *key, size_t length);
/* Stores; gives the value that stood there before, or NULL. */
void *names_set(struct names *names, const char *key, size_t length, void *value);
size_t names_count(const struct names *names);
/* Key and value number index, in order of insertion. */
const char *names_key(const struct names *names, size_t index);
void *names_value(const struct names *names, size_t index);
/* The nearest key by edit distance (at most a third of its length, ties by
 * insertion order), or NULL: for "did you mean". */
const char *names_nearest(const struct names *names, const char *key, size_t length);

#endif
