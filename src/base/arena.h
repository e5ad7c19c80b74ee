/* Many small things that live as long as the pool: cut from large blocks, one after the other,
 * so that 100,000 rules do not cost 100,000 chunks. Nothing is freed or grown. */
#ifndef FWC_BASE_ARENA_H
#define FWC_BASE_ARENA_H

#include <stddef.h>

struct arena {
	void *pool;
	char *free;
	size_t free_size;
	size_t blocks_count;
};

struct arena *arena_new(void *pool);
/* Zeroed, never NULL (see pool.h). Aligned for any type of this size: a size is a multiple of its type's
 * alignment, so what is no multiple of 16 stands at a multiple of 8. What holds a number128 and has a tail
 * behind it asks for a multiple of 16. */
void *arena_bytes(struct arena *arena, size_t size);
void *arena_copy(struct arena *arena, const void *bytes, size_t size);

#define arena_new_item(arena, type) ((type *)arena_bytes((arena), sizeof(type)))
#define arena_array(arena, type, count) ((type *)arena_bytes((arena), (count) * sizeof(type)))

#endif
