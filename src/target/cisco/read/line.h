/* One line of a configuration as words, and a place in it.
 *
 * A function that takes words gives false when the next ones are not what it wants, and says why in
 * `problem` (the first complaint stays), with the word that it is about. Words point into the text.
 * Keywords are compared whatever their case, and whole: IOS shows them so. */
#ifndef FWC_TARGET_CISCO_READ_LINE_H
#define FWC_TARGET_CISCO_READ_LINE_H

#include "base/arena.h"
#include "net/address.h"

struct acl_word {
	const char *at;
	size_t length;
};

struct acl_line {
	void *pool;            /* for words and complaints */
	const char *begin, *end; /* without the blanks round it */
	struct acl_word *words;
	size_t words_count, words_capacity;
	size_t next;           /* the word that is taken next */
	const char *problem;   /* or NULL */
	struct acl_word problem_word; /* of length 0 at the end of the line */
};

/* Splits at blanks; the words of the line before are forgotten, their room is used again. */
void acl_line_split(struct acl_line *line, const char *begin, const char *end);
/* Complains about the next word; false. */
bool acl_line_fail(struct acl_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool acl_line_is_done(const struct acl_line *line);
/* The next word without taking it; of length 0 at the end. */
struct acl_word acl_line_peek(const struct acl_line *line);
struct acl_word acl_line_take(struct acl_line *line);
bool acl_word_is(struct acl_word word, const char *keyword);
/* Whether the next word is this one; the second takes it then. */
bool acl_line_is(const struct acl_line *line, const char *keyword);
bool acl_line_skip(struct acl_line *line, const char *keyword);
/* Takes the words of a phrase ("ip access-list"), or none. */
bool acl_line_skip_words(struct acl_line *line, const char *first, const char *second);
/* From the next word to the end of the line; takes all of it. */
struct acl_word acl_line_rest(struct acl_line *line);

/* Decimal digits only, up to the highest. false: nothing was taken, nothing complained. */
bool acl_number_parse(struct acl_word word, uint32_t highest, uint32_t *value);
/* Takes a number, or complains: "expected WHAT". */
bool acl_line_number(struct acl_line *line, const char *what, uint32_t highest, uint32_t *value);
/* Takes an address, or a prefix, of the family, or complains. */
bool acl_line_address(struct acl_line *line, enum family family, number128 *value);
bool acl_line_prefix(struct acl_line *line, enum family family, struct prefix *prefix);
/* A netmask's length: 255.255.255.0 is 24; -1 if it is no netmask. */
int acl_mask_length(number128 mask);
/* Takes any word as a name, copied to the arena; NULL after a complaint at the end of the line. */
const char *acl_line_name(struct acl_line *line, struct arena *arena, const char *what);
/* The bytes of a word as a string. */
const char *acl_word_copy(struct arena *arena, struct acl_word word);
/* Nothing is left; else complains. */
bool acl_line_ends(struct acl_line *line);

#endif
