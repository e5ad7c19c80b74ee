/* Making text of unknown origin fit for a terminal or for JSON.
 *
 * Well-formed UTF-8 is the table 3-7 of the Unicode standard: no overlong forms, no
 * surrogates, nothing above U+10FFFF. */
#include "diag/visible.h"

#include <string.h>

#include <stdint.h>

/* Bytes of a well-formed character by its first byte and the allowed range of the second. */
struct utf8_form {
	unsigned char first_low, first_high, second_low, second_high;
	size_t length;
};

static const struct utf8_form utf8_forms[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static bool is_form(const struct utf8_form *form, const unsigned char *bytes, size_t length)
{
	if (length < form->length || bytes[0] < form->first_low || bytes[0] > form->first_high ||
	    bytes[1] < form->second_low || bytes[1] > form->second_high)
		return false;
	for (size_t i = 2; i < form->length; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return false;
	return true;
}

/* Length of the well-formed character at the front, 0 if there is none. */
static size_t character_length(const unsigned char *bytes, size_t length)
{
	if (bytes[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof utf8_forms / sizeof *utf8_forms; i++)
		if (is_form(&utf8_forms[i], bytes, length))
			return utf8_forms[i].length;
	return 0;
}

static uint32_t code_point(const unsigned char *bytes, size_t length)
{
	static const unsigned char first_masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t point = bytes[0] & first_masks[length];
	for (size_t i = 1; i < length; i++)
		point = (point << 6) | (bytes[i] & 0x3f);
	return point;
}

/* Controls of C0 and C1, line and paragraph separators, and the marks that make a
 * terminal show text in another order than the compiler reads it. */
static bool is_hidden(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0x061c ||
	       (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

struct glyph glyph_at(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t size = character_length(bytes, length);
	if (size == 0)
		return (struct glyph){ .bytes = 1, .width = 4, .is_escaped = true,
				       .is_malformed = true };
	if (is_hidden(code_point(bytes, size)))
		return (struct glyph){ .bytes = size, .width = 4 * size, .is_escaped = true };
	return (struct glyph){ .bytes = size, .width = 1 };
}

static void add_escaped(struct text *out, const char *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		const char escape[] = { '\\', 'x', digits[byte >> 4], digits[byte & 15] };
		text_add_bytes(out, escape, sizeof escape);
	}
}

void glyph_add(struct text *out, const char *bytes, struct glyph glyph)
{
	if (glyph.is_escaped)
		add_escaped(out, bytes, glyph.bytes);
	else
		text_add_bytes(out, bytes, glyph.bytes);
}

void visible_add(struct text *out, const char *bytes, size_t length)
{
	for (size_t at = 0; at < length;) {
		struct glyph glyph = glyph_at(bytes + at, length - at);
		glyph_add(out, bytes + at, glyph);
		at += glyph.bytes;
	}
}

void visible_add_utf8(struct text *out, const char *bytes, size_t length)
{
	for (size_t at = 0; at < length;) {
		struct glyph glyph = glyph_at(bytes + at, length - at);
		if (glyph.is_malformed)
			add_escaped(out, bytes + at, 1);
		else
			text_add_bytes(out, bytes + at, glyph.bytes);
		at += glyph.bytes;
	}
}

void visible_add_first_line(struct text *out, const struct sources *sources, struct span span)
{
	const char *text = sources->items[span.source]->bytes + span.begin;
	size_t length = span.end - span.begin;
	const char *end = memchr(text, '\n', length);
	visible_add(out, text, end != NULL ? (size_t)(end - text) : length);
}
