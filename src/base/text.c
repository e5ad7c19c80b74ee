/* A growing piece of text: what every printer writes into. */
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

#define FIRST_ROOM 64
#define GOOD_DEAL ((size_t)1 << 16)

static void grow(struct text *text, size_t more)
{
	size_t wanted;
	if (__builtin_add_overflow(text->length, more, &wanted) ||
	    __builtin_add_overflow(wanted, 1, &wanted))
		pool_fail(text->pool, SIZE_MAX);
	text->bytes = pool_room(text->pool, text->bytes, &text->capacity, wanted, 1);
}

/* Makes room for more bytes and the NUL; gives where they go. */
static inline char *room_for(struct text *text, size_t more)
{
	if (more >= text->capacity - text->length) /* there is always a NUL */
		grow(text, more);
	return text->bytes + text->length;
}

struct text *text_new(void *pool)
{
	struct text *text = pool_new(pool, struct text);
	text->pool = text;
	text->bytes = pool_bytes(text, FIRST_ROOM);
	text->capacity = FIRST_ROOM;
	return text;
}

void text_reserve(struct text *text, size_t more)
{
	(void)room_for(text, more);
}

void text_add_bytes(struct text *text, const char *bytes, size_t length)
{
	char *end = room_for(text, length);
	if (length != 0)
		memcpy(end, bytes, length);
	end[length] = '\0';
	text->length += length;
}

void text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void text_move(struct text *into, struct text *from)
{
	if (into->length > 0) {
		text_add_bytes(into, from->bytes, from->length);
	} else {
		talloc_free(into->bytes);
		into->bytes = talloc_steal(into, from->bytes);
		into->length = from->length;
		into->capacity = from->capacity;
		from->bytes = pool_bytes(from, FIRST_ROOM);
		from->capacity = FIRST_ROOM;
	}
	from->length = 0;
	from->bytes[0] = '\0';
}

void text_let_all_go(struct text *text)
{
	text->sink.take(text->sink.context, text->bytes, text->length);
	text->length = 0;
	text->bytes[0] = '\0';
}

bool text_let_go(struct text *text)
{
	if (text->sink.take == NULL || text->length < GOOD_DEAL)
		return false;
	text_let_all_go(text);
	return true;
}

void text_add_char(struct text *text, char byte)
{
	char *end = room_for(text, 1);
	end[0] = byte;
	end[1] = '\0';
	text->length++;
}

void text_add_unsigned(struct text *text, uint64_t value)
{
	char digits[20]; /* as many as 2^64 - 1 has */
	size_t first = sizeof digits;
	do {
		digits[--first] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	text_add_bytes(text, digits + first, sizeof digits - first);
}

void text_addf(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	text_addv(text, format, arguments);
	va_end(arguments);
}

void text_addv(struct text *text, const char *format, va_list arguments)
{
	va_list again;
	va_copy(again, arguments);
	char *end = room_for(text, 0);
	int length = vsnprintf(end, text->capacity - text->length, format, arguments);
	if (length < 0)
		abort(); /* a format of ours is wrong */
	if ((size_t)length >= text->capacity - text->length) {
		end = room_for(text, (size_t)length);
		vsnprintf(end, (size_t)length + 1, format, again);
	}
	text->length += (size_t)length;
	va_end(again);
}
