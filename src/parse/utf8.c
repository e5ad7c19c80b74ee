/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past U+10FFFF. */
#include "parse/utf8.h"

#include <string.h>

bool utf8_has_mark(const char *bytes, size_t length)
{
	return length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0;
}

/* RFC 3629 section 4: the second byte's range depends on the first. */
static bool second_is_good(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0: return second >= 0xa0 && second <= 0xbf;
	case 0xed: return second >= 0x80 && second <= 0x9f;
	case 0xf0: return second >= 0x90 && second <= 0xbf;
	case 0xf4: return second >= 0x80 && second <= 0x8f;
	default: return second >= 0x80 && second <= 0xbf;
	}
}

size_t utf8_character(const unsigned char *text, size_t length)
{
	unsigned char first = text[0];
	if (first < 0x80)
		return 1;
	size_t size = first >= 0xc2 && first <= 0xdf ? 2
		: first >= 0xe0 && first <= 0xef ? 3
		: first >= 0xf0 && first <= 0xf4 ? 4 : 0;
	if (size == 0 || size > length || !second_is_good(first, text[1]))
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

static bool is_bad(const unsigned char *text, size_t length)
{
	return text[0] == '\0' || utf8_character(text, length) == 0;
}

static size_t bad_run(const unsigned char *text, size_t length)
{
	size_t run = 1;
	bool is_nul = text[0] == '\0';
	while (run < length && is_bad(text + run, length - run) && (text[run] == '\0') == is_nul)
		run++;
	return run;
}

/* is_first: of the file, which tells the way out. */
static void report_run(struct diags *diags, struct span span, unsigned char first, bool is_first)
{
	uint32_t length = span.end - span.begin;
	if (first == '\0') {
		diag_add(diags, CODE_BAD_BYTE, span, "a policy holds no NUL bytes (here: %u)",
			 (unsigned)length);
		return;
	}
	struct diagnostic *error = diag_add(diags, CODE_BAD_UTF8, span, "not UTF-8: %s 0x%02x",
					    length == 1 ? "byte" : "bytes from", (unsigned)first);
	if (is_first)
		diag_note(diags, error, SPAN_NONE,
			  "a file of Latin letters is converted by 'iconv -f latin1 -t utf-8 OLD > NEW'");
}

/* Half of it is NUL: one mistake. */
static bool is_utf16(const unsigned char *bytes, size_t length)
{
	size_t nuls = 0, looked = length < 1024 ? length : 1024;
	for (size_t at = 0; at < looked; at++)
		nuls += bytes[at] == '\0';
	return length >= 4 && length % 2 == 0 && nuls * 3 > looked && nuls * 3 < looked * 2;
}

void utf8_copy(struct diags *diags, uint32_t source, char *copy)
{
	const struct source *text = diags->sources->items[source];
	const unsigned char *bytes = (const unsigned char *)text->bytes;
	memcpy(copy, bytes, text->length);
	size_t at = 0;
	bool is_first = true;
	if (is_utf16(bytes, text->length)) {
		struct diagnostic *error = diag_add(diags, CODE_BAD_UTF8, (struct span){ source, 0, 2 },
						    "the file is not UTF-8, but UTF-16 as it seems");
		diag_note(diags, error, SPAN_NONE, "'iconv -f utf-16 -t utf-8 OLD > NEW' converts it");
		memset(copy, 0xff, text->length);
		return;
	}
	if (utf8_has_mark(text->bytes, text->length)) {
		memset(copy, ' ', 3);
		at = 3;
	}
	while (at < text->length) {
		if (bytes[at] != '\0' && bytes[at] < 0x80) {
			at++;
			continue;
		}
		size_t size = bytes[at] == '\0' ? 0 : utf8_character(bytes + at, text->length - at);
		if (size == 0) {
			size = bad_run(bytes + at, text->length - at);
			struct span span = { source, (uint32_t)at, (uint32_t)(at + size) };
			report_run(diags, span, bytes[at], is_first);
			is_first = is_first && bytes[at] == '\0';
			memset(copy + at, 0xff, size);
		}
		at += size;
	}
}
