/* Memory of one compilation.
 *
 * A session owns one talloc root; every room hangs a child pool under it and
 * nothing is freed one by one: the session is freed whole.  All allocation in
 * libfwc goes through this header, so that running out of memory has one place.
 *
 * Out of memory: the session root carries a struct pool_trap. pool_* functions
 * never return NULL: they longjmp to the trap of the root above the pool given
 * (found by walking talloc parents, only on failure); without a trap they abort.
 * Sizes are bytes.  Memory is zeroed.
 */
#ifndef FWC_BASE_POOL_H
#define FWC_BASE_POOL_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <talloc.h>

/* The heap is best grown in such steps: pool_expect_more asks up to its end. */
#define HEAP_STEP ((size_t)64 << 20)

struct pool_trap {
	jmp_buf jump;
	size_t wanted; /* bytes of the request that failed */
};

/* Makes a session root with a trap in it; NULL when even that fails.
 *     struct pool_trap *root = pool_session_new();
 *     if (setjmp(root->jump) != 0) ... out of memory ...
 * Free with talloc_free(root). */
struct pool_trap *pool_session_new(void);

/* What pool_* do when memory runs out; for the few users of malloc behind a library. */
_Noreturn void pool_fail(const void *pool, size_t wanted);

/* A child pool; name is a literal, for talloc reports. */
void *pool_child(void *parent, const char *name);

void *pool_bytes(void *pool, size_t size);
void *pool_array_bytes(void *pool, size_t count, size_t size);
/* Grows *array (talloc chunk or NULL) so that it holds at least wanted items;
 * doubles; returns the new array; *capacity in items is updated. */
void *pool_grow(void *pool, void *array, size_t *capacity, size_t wanted, size_t item_size);
/* The same, but what is new is not zeroed: of a large array the half that is never used costs no memory. */
void *pool_room(void *pool, void *array, size_t *capacity, size_t wanted, size_t item_size);
/* More chunks like this one follow, and are filled: of the heap behind it large pages are asked for, too, since
 * none is given where small ones are. */
void pool_expect_more(const void *chunk, size_t size);
char *pool_strndup(void *pool, const char *bytes, size_t length);
char *pool_strdup(void *pool, const char *string);
char *pool_format(void *pool, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define pool_new(pool, type) ((type *)pool_bytes((pool), sizeof(type)))
#define pool_array(pool, type, count) ((type *)pool_array_bytes((pool), (count), sizeof(type)))

/* Appends one item to a (items, count, capacity) triple of a struct and gives
 * its address:  *pool_append(pool, list, items) = value;  list has fields
 * NAME, NAME_count, NAME_capacity. The item is zeroed, those behind it are not. Items may move: keep
 * indices, not addresses. */
#define pool_append(pool, list, name)                                                             \
	((list)->name == NULL || (list)->name##_count >= (list)->name##_capacity                 \
		 ? (void)((list)->name = pool_room((pool), (list)->name, &(list)->name##_capacity, \
						   (list)->name##_count + 1, sizeof *(list)->name)) \
		 : (void)0,                                                                       \
	 (__typeof__((list)->name))memset((void *)(uintptr_t)&(list)->name[(list)->name##_count++], 0, \
					  sizeof *(list)->name))

#endif
