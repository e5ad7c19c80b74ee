/* Words of a line. */
#include "target/cisco/read/line.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "base/pool.h"

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\f' || byte == '\v';
}

void acl_line_split(struct acl_line *line, const char *begin, const char *end)
{
	while (begin < end && is_blank(*begin))
		begin++;
	while (begin < end && is_blank(end[-1]))
		end--;
	line->begin = begin;
	line->end = end;
	line->words_count = line->next = 0;
	line->problem = NULL;
	while (begin < end) {
		const char *stop = begin;

		while (stop < end && !is_blank(*stop))
			stop++;
		*pool_append(line->pool, line, words) =
			(struct acl_word){ begin, (size_t)(stop - begin) };
		while (stop < end && is_blank(*stop))
			stop++;
		begin = stop;
	}
}

bool acl_line_fail(struct acl_line *line, const char *format, ...)
{
	struct text *text;
	va_list arguments;

	if (line->problem != NULL)
		return false;
	text = text_new(line->pool);
	va_start(arguments, format);
	text_addv(text, format, arguments);
	va_end(arguments);
	line->problem = text->bytes;
	line->problem_word = acl_line_peek(line);
	return false;
}

bool acl_line_is_done(const struct acl_line *line)
{
	return line->next == line->words_count;
}

struct acl_word acl_line_peek(const struct acl_line *line)
{
	return line->next < line->words_count ? line->words[line->next] :
	       (struct acl_word){ line->end, 0 };
}

struct acl_word acl_line_take(struct acl_line *line)
{
	struct acl_word word = acl_line_peek(line);

	if (!acl_line_is_done(line))
		line->next++;
	return word;
}

bool acl_word_is(struct acl_word word, const char *keyword)
{
	/* a word of a hostile text may hold a NUL, at which strncasecmp stops */
	return word.length > 0 && strlen(keyword) == word.length &&
	       strncasecmp(word.at, keyword, word.length) == 0;
}

bool acl_line_is(const struct acl_line *line, const char *keyword)
{
	return acl_word_is(acl_line_peek(line), keyword);
}

bool acl_line_skip(struct acl_line *line, const char *keyword)
{
	if (!acl_line_is(line, keyword))
		return false;
	line->next++;
	return true;
}

bool acl_line_skip_words(struct acl_line *line, const char *first, const char *second)
{
	if (!acl_line_is(line, first) || line->next + 1 >= line->words_count ||
	    !acl_word_is(line->words[line->next + 1], second))
		return false;
	line->next += 2;
	return true;
}

struct acl_word acl_line_rest(struct acl_line *line)
{
	struct acl_word rest = acl_line_peek(line);

	rest.length = (size_t)(line->end - rest.at);
	line->next = line->words_count;
	return rest;
}

bool acl_number_parse(struct acl_word word, uint32_t highest, uint32_t *value)
{
	uint64_t number = 0;

	if (word.length == 0 || word.length > 10)
		return false;
	for (size_t index = 0; index < word.length; index++) {
		if (word.at[index] < '0' || word.at[index] > '9')
			return false;
		number = number * 10 + (uint64_t)(word.at[index] - '0');
	}
	if (number > highest)
		return false;
	*value = (uint32_t)number;
	return true;
}

bool acl_line_number(struct acl_line *line, const char *what, uint32_t highest, uint32_t *value)
{
	if (!acl_number_parse(acl_line_peek(line), highest, value))
		return acl_line_fail(line, "expected %s, a number up to %u", what, highest);
	line->next++;
	return true;
}

bool acl_line_address(struct acl_line *line, enum family family, number128 *value)
{
	struct acl_word word = acl_line_peek(line);
	struct address address;

	if (!address_parse(word.at, word.length, &address) || address.family != family)
		return acl_line_fail(line, "expected an IPv%c address", family == FAMILY_IPV4 ? '4' : '6');
	line->next++;
	*value = address.value;
	return true;
}

bool acl_line_prefix(struct acl_line *line, enum family family, struct prefix *prefix)
{
	struct acl_word word = acl_line_peek(line);

	if (memchr(word.at, '/', word.length) == NULL ||
	    !prefix_parse(word.at, word.length, prefix) || prefix->family != family)
		return acl_line_fail(line, "expected an IPv%c prefix", family == FAMILY_IPV4 ? '4' : '6');
	line->next++;
	return true;
}

int acl_mask_length(number128 mask)
{
	uint32_t bits = (uint32_t)mask;
	int length = 0;

	while (length < 32 && (bits & (UINT32_C(1) << (31 - length))) != 0)
		length++;
	return length == 32 || bits << length == 0 ? length : -1;
}

const char *acl_word_copy(struct arena *arena, struct acl_word word)
{
	char *copy = arena_bytes(arena, word.length + 1);

	memcpy(copy, word.at, word.length);
	return copy;
}

const char *acl_line_name(struct acl_line *line, struct arena *arena, const char *what)
{
	struct acl_word word = acl_line_peek(line);

	if (word.length == 0 || memchr(word.at, '\0', word.length) != NULL) {
		acl_line_fail(line, "expected %s", what);
		return NULL;
	}
	line->next++;
	return acl_word_copy(arena, word);
}

bool acl_line_ends(struct acl_line *line)
{
	return acl_line_is_done(line) || acl_line_fail(line, "nothing is expected here");
}
