/* Memory of one compilation: talloc with one way to run out of it.
 *
 * The root of a session is a talloc pool: the first part of all chunks is cut from
 * one block, which saves most calls of malloc in an ordinary run. Larger runs
 * spill into malloc by themselves. talloc refuses single chunks of 256 MiB and
 * more; they count as out of memory. */
#include "base/pool.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/sanitized.h"

/* Under ASan every chunk gets a malloc of its own, so that overruns are seen. */
#ifdef BASE_IS_SANITIZED
#define SESSION_POOL_SIZE 0
#else
#define SESSION_POOL_SIZE ((size_t)1 << 20)
#endif

/* A first array: this many items, but no more than so many bytes if they are large */
#define FIRST_CAPACITY 8
#define FIRST_BYTES 128
/* Chunks of so many bytes are asked for in pages of this size */
#define LARGE_CHUNK ((size_t)4 << 20)
#define LARGE_PAGE ((size_t)2 << 20)
/* talloc's MAX_TALLOC_SIZE, minus its header */
#define LARGEST_CHUNK (((size_t)1 << 28) - 4096)

static const char session_name[] = "fwc session";

static void *talloc_root(const void *pool)
{
	void *root = NULL;
	for (void *above = (void *)(uintptr_t)pool; above != NULL; above = talloc_parent(above))
		root = above;
	return root;
}

/* A jmp_buf that setjmp has filled is never all zero. */
static bool trap_is_armed(const struct pool_trap *trap)
{
	static const jmp_buf unset;
	return memcmp(&trap->jump, &unset, sizeof unset) != 0;
}

_Noreturn void pool_fail(const void *pool, size_t wanted)
{
	void *root = talloc_root(pool);
	if (root == NULL || talloc_check_name(root, session_name) == NULL)
		abort();
	struct pool_trap *trap = root;
	if (!trap_is_armed(trap))
		abort();
	trap->wanted = wanted;
	longjmp(trap->jump, 1);
}

struct pool_trap *pool_session_new(void)
{
	struct pool_trap *trap = SESSION_POOL_SIZE == 0
		? talloc_zero(NULL, struct pool_trap)
		: talloc_pooled_object(NULL, struct pool_trap, 64, SESSION_POOL_SIZE);
	if (trap == NULL)
		return NULL;
	memset(trap, 0, sizeof *trap);
	talloc_set_name_const(trap, session_name);
	return trap;
}

static void *checked(const void *pool, void *chunk, size_t wanted)
{
	if (chunk == NULL)
		pool_fail(pool, wanted);
	return chunk;
}

/* A page fault for each 4 KB is a seventh of a large compilation: the kernel has larger pages for who asks. Where
 * it has none, nothing is lost. The first of them may begin in front of the chunk, which is advice all the same. */
static void ask_for_large_pages(uintptr_t begin, uintptr_t end)
{
	begin = begin / LARGE_PAGE * LARGE_PAGE;
	(void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
}

static void *in_large_pages(void *chunk, size_t size)
{
	if (size >= LARGE_CHUNK)
		ask_for_large_pages((uintptr_t)chunk, (uintptr_t)chunk + size);
	return chunk;
}

void pool_expect_more(const void *chunk, size_t size)
{
	uintptr_t end = (uintptr_t)chunk + size, heap_end = (uintptr_t)sbrk(0);
	if (size >= LARGE_CHUNK && heap_end > end && heap_end - end <= HEAP_STEP)
		ask_for_large_pages(end, heap_end);
}

void *pool_child(void *parent, const char *name)
{
	return checked(parent, talloc_named_const(parent, 0, name), 0);
}

void *pool_bytes(void *pool, size_t size)
{
	void *bytes = in_large_pages(checked(pool, talloc_size(pool, size), size), size);
	return memset(bytes, 0, size);
}

static size_t product(const void *pool, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes))
		pool_fail(pool, SIZE_MAX);
	return bytes;
}

void *pool_array_bytes(void *pool, size_t count, size_t size)
{
	return pool_bytes(pool, product(pool, count, size));
}

/* Doubling, but not past the largest chunk while the wanted size still fits in it. */
static size_t grown_capacity(size_t capacity, size_t wanted, size_t item_size)
{
	size_t most = item_size == 0 ? SIZE_MAX : LARGEST_CHUNK / item_size;
	size_t doubled = capacity > most / 2 ? most : capacity * 2;
	if (doubled < FIRST_CAPACITY && doubled * item_size < FIRST_BYTES)
		doubled = item_size * FIRST_CAPACITY <= FIRST_BYTES ? FIRST_CAPACITY : FIRST_BYTES / item_size;
	return doubled > wanted ? doubled : wanted;
}

void *pool_room(void *pool, void *array, size_t *capacity, size_t wanted, size_t item_size)
{
	size_t before = array == NULL ? 0 : *capacity;
	if (array != NULL && wanted <= before)
		return array;
	size_t after = grown_capacity(before, wanted, item_size);
	size_t size = product(pool, after, item_size);
	*capacity = after;
	return in_large_pages(checked(pool, talloc_realloc_size(pool, array, size), size), size);
}

void *pool_grow(void *pool, void *array, size_t *capacity, size_t wanted, size_t item_size)
{
	size_t before = array == NULL ? 0 : *capacity;
	char *grown = pool_room(pool, array, capacity, wanted, item_size);
	if (*capacity > before)
		memset(grown + before * item_size, 0, (*capacity - before) * item_size);
	return grown;
}

char *pool_strndup(void *pool, const char *bytes, size_t length)
{
	if (length == SIZE_MAX)
		pool_fail(pool, SIZE_MAX);
	char *copy = checked(pool, talloc_size(pool, length + 1), length + 1);
	if (length != 0)
		memcpy(copy, bytes, length);
	copy[length] = '\0';
	return copy;
}

char *pool_strdup(void *pool, const char *string)
{
	return pool_strndup(pool, string, strlen(string));
}

char *pool_format(void *pool, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *string = talloc_vasprintf(pool, format, arguments);
	va_end(arguments);
	return checked(pool, string, 0);
}
