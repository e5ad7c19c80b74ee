/* Many small things that live as long as the pool. */
#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/pool.h"

#define ALIGNMENT _Alignof(max_align_t)
#define WORD _Alignof(void *)
#define FIRST_BLOCK ((size_t)4 << 10)
#define BLOCK ((size_t)256 << 10)
#define BLOCKS_MANY 32 /* then they are larger */
#define LARGE_BLOCK ((size_t)4 << 20)

struct arena *arena_new(void *pool)
{
	struct arena *arena = pool_new(pool, struct arena);
	arena->pool = arena;
	arena->free = pool_bytes(arena->pool, FIRST_BLOCK);
	arena->free_size = FIRST_BLOCK;
	return arena;
}

/* Not zeroed: of a block that is never filled the rest costs no memory. */
static void take_block(struct arena *arena)
{
	size_t size = arena->blocks_count++ < BLOCKS_MANY ? BLOCK : LARGE_BLOCK;
	arena->free = pool_room(arena->pool, NULL, &arena->free_size, size, 1);
	pool_expect_more(arena->free, size);
}

void *arena_bytes(struct arena *arena, size_t size)
{
	if (size > BLOCK / 8)
		return pool_bytes(arena->pool, size);
	size_t whole = (size + WORD - 1) / WORD * WORD;
	size_t skipped = whole % ALIGNMENT == 0 ? (uintptr_t)arena->free % ALIGNMENT : 0;
	if (whole + skipped > arena->free_size) {
		take_block(arena);
		skipped = 0;
	}
	void *bytes = memset(arena->free + skipped, 0, whole);
	arena->free += whole + skipped;
	arena->free_size -= whole + skipped;
	return bytes;
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
	void *copy = arena_bytes(arena, size);
	if (size != 0)
		memcpy(copy, bytes, size);
	return copy;
}
