/* A growing piece of text: what every printer writes into.
 * The bytes are always NUL-terminated; length excludes the NUL. No locale. */
#ifndef FWC_BASE_TEXT_H
#define FWC_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes a text piece by piece, in order. */
struct text_sink {
	void (*take)(void *context, const char *bytes, size_t length);
	void *context;
};

struct text {
	void *pool;
	char *bytes;
	size_t length;
	size_t capacity;
	struct text_sink sink; /* without `take` all of the text stays */
};

struct text *text_new(void *pool);
/* Where a writer looks back no further: a text with a sink gives away what it has, if that is a good deal. Whether
 * it did: what stood in `bytes` is gone then. */
bool text_let_go(struct text *text);
/* What is left, to the sink. */
void text_let_all_go(struct text *text);
void text_add(struct text *text, const char *string);
/* Room for so many more bytes, so that a long text is not moved while it grows. */
void text_reserve(struct text *text, size_t more);
void text_add_bytes(struct text *text, const char *bytes, size_t length);
/* All of another text, which is empty then; a copy only where something stands before. */
void text_move(struct text *into, struct text *from);
void text_add_char(struct text *text, char byte);
void text_add_unsigned(struct text *text, uint64_t value);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_addv(struct text *text, const char *format, va_list arguments);

#endif
