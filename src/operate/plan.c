/* Two readings as text (read.h), line by line: things of a chain or a set stand behind its line, two blanks in
 * front. A line that both have is kept, as often as both have it. */
#include "operate/plan.h"

#include <string.h>

#include "base/pool.h"

#define COMMENT " comment \""

struct line {
	const char *key;   /* the chain's or set's kind and name, and the line without its comment */
	const char *words; /* the comment, or NULL */
	enum { LINE_RULE, LINE_ELEMENT, LINE_OTHER } kind;
};

struct lines {
	struct line *items;
	size_t items_count, items_capacity;
};

/* --- reading ---------------------------------------------------------------------------------------- */

/* Where the comment begins that ends the line; its end where there is none. */
static size_t length_without_comment(const char *line, size_t length)
{
	size_t at = length;
	if (length == 0 || line[length - 1] != '"')
		return length;
	while (at-- > 0)
		if (strncmp(line + at, COMMENT, sizeof COMMENT - 1) == 0)
			return at;
	return length;
}

/* "chain NAME", "set NAME" */
static const char *owner_of(void *pool, const char *line)
{
	size_t kind = strcspn(line, " \n");
	size_t name = line[kind] == ' ' ? strcspn(line + kind + 1, " \n") : 0;
	return pool_strndup(pool, line, kind + 1 + name);
}

static bool is_left_out(const char *owner, const char *mark)
{
	static const char chain[] = "chain ";
	return strncmp(owner, "table ", 6) == 0 ||
	       (strncmp(owner, chain, sizeof chain - 1) == 0 &&
		strncmp(owner + sizeof chain - 1, mark, strlen(mark)) == 0);
}

static void add_line(void *pool, struct lines *lines, const char *owner, const char *line, size_t length)
{
	size_t plain = length_without_comment(line, length);
	struct line item = { .kind = LINE_OTHER };
	if (line[0] == ' ')
		item.kind = strncmp(owner, "chain ", 6) == 0 ? LINE_RULE : LINE_ELEMENT;
	item.key = pool_format(pool, "%s\n%.*s", owner, (int)plain, line);
	if (plain < length)
		item.words = pool_strndup(pool, line + plain + sizeof COMMENT - 1,
					  length - plain - sizeof COMMENT);
	*pool_append(pool, lines, items) = item;
}

static struct lines read_lines(void *pool, const struct read_table *table, const char *mark)
{
	struct lines lines = { 0 };
	struct text *text = text_new(pool);
	const char *owner = "";
	if (table != NULL)
		nft_read_print(text, table);
	for (const char *at = text->bytes, *end; at != NULL && *at != '\0'; at = end + 1) {
		end = strchrnul(at, '\n');
		if (*at != ' ')
			owner = owner_of(pool, at);
		if (!is_left_out(owner, mark))
			add_line(pool, &lines, owner, at, (size_t)(end - at));
		if (*end == '\0')
			break;
	}
	return lines;
}

/* --- comparing -------------------------------------------------------------------------------------- */

static void count(struct plan_place *place, const struct line *line)
{
	place->rules += line->kind == LINE_RULE;
	place->elements += line->kind == LINE_ELEMENT;
	place->others += line->kind == LINE_OTHER;
}

static void add_to_side(void *pool, struct plan_side *side, const struct line *line)
{
	const char *words = line->words != NULL ? line->words : "";
	size_t number = (size_t)(uintptr_t)names_find(side->by_words, words, strlen(words));
	if (number == 0) {
		*pool_append(pool, side, places) = (struct plan_place){ .words = line->words };
		number = side->places_count;
		names_set(side->by_words, words, strlen(words), (void *)(uintptr_t)number);
	}
	count(&side->places[number - 1], line);
}

static struct names *count_keys(void *pool, const struct lines *lines)
{
	struct names *counts = names_new(pool, false);
	for (size_t i = 0; i < lines->items_count; i++) {
		const char *key = lines->items[i].key;
		size_t before = (size_t)(uintptr_t)names_find(counts, key, strlen(key));
		names_set(counts, key, strlen(key), (void *)(uintptr_t)(before + 1));
	}
	return counts;
}

/* Is there one left of this line? It is taken. */
static bool take(struct names *counts, const char *key)
{
	size_t left = (size_t)(uintptr_t)names_find(counts, key, strlen(key));
	if (left == 0)
		return false;
	names_set(counts, key, strlen(key), (void *)(uintptr_t)(left - 1));
	return true;
}

/* kept: gets what both have, or NULL. */
static void compare(void *pool, const struct lines *lines, const struct lines *others, struct plan_side *side,
		    struct plan_place *kept)
{
	struct names *counts = count_keys(pool, others);
	side->by_words = names_new(pool, false);
	for (size_t i = 0; i < lines->items_count; i++) {
		const struct line *line = &lines->items[i];
		if (!take(counts, line->key))
			add_to_side(pool, side, line);
		else if (kept != NULL)
			count(kept, line);
	}
}

struct plan *plan_make(void *pool, const struct read_table *before, const struct read_table *after,
		       const char *mark)
{
	struct plan *plan = pool_new(pool, struct plan);
	struct lines old = read_lines(plan, before, mark), new = read_lines(plan, after, mark);
	compare(plan, &new, &old, &plan->added, &plan->kept);
	compare(plan, &old, &new, &plan->removed, NULL);
	plan->has_changes = plan->added.places_count != 0 || plan->removed.places_count != 0 ||
			    (before == NULL) != (after == NULL);
	return plan;
}
