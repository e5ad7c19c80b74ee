/* A table from bytes to one pointer, for very many small keys (see names.h for names: this one
 * has no order and gives no suggestions). Keys are copied. */
#ifndef FWC_BASE_INTERNED_H
#define FWC_BASE_INTERNED_H

#include "base/arena.h"

struct interned;

/* Keys stand in the arena. */
struct interned *interned_new(void *pool, struct arena *arena);
/* The address of the value under this key; the value is NULL when it was not there before.
 * Valid until the next call. */
void **interned_slot(struct interned *interned, const void *key, size_t length);
/* The same, and where the key stands, as it is aligned in an arena. */
void **interned_keep(struct interned *interned, const void *key, size_t length, const void **kept);
/* The value under this key, NULL when there is none: nothing is kept. */
void *interned_find(const struct interned *interned, const void *key, size_t length);

#endif
