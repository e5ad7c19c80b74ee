/* Two readings as text (read.h), line by line: things of a chain or a set stand behind its line, two blanks in
 * front. A line that both have is kept, as often as both have it. */
#include "operate/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

#define COMMENT " comment \""

/* A line of a text, in which it stays: a million of them cost no copy. */
struct line {
	const char *owner;    /* the chain's or set's kind and name */
	const char *bytes;
	uint32_t length, plain; /* with its comment, and without */
	enum { LINE_RULE, LINE_ELEMENT, LINE_OTHER } kind;
	bool is_kept;         /* the other side has it, too */
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
	struct line item = { .owner = owner, .bytes = line, .length = (uint32_t)length, .kind = LINE_OTHER };
	if (line[0] == ' ')
		item.kind = strncmp(owner, "chain ", 6) == 0 ? LINE_RULE : LINE_ELEMENT;
	item.plain = (uint32_t)length_without_comment(line, length);
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

/* The comment, or NULL. */
static const char *words_of(void *pool, const struct line *line)
{
	return line->plain == line->length ? NULL
		: pool_strndup(pool, line->bytes + line->plain + sizeof COMMENT - 1,
			       line->length - line->plain - sizeof COMMENT);
}

static void add_to_side(void *pool, struct plan_side *side, const struct line *line)
{
	const char *kept = words_of(pool, line), *words = kept != NULL ? kept : "";
	size_t number = (size_t)(uintptr_t)names_find(side->by_words, words, strlen(words));
	if (number == 0) {
		*pool_append(pool, side, places) = (struct plan_place){ .words = kept };
		number = side->places_count;
		names_set(side->by_words, words, strlen(words), (void *)(uintptr_t)number);
	}
	count(&side->places[number - 1], line);
}

/* By owner, then by what stands in the line. */
static int order_of(const struct line *a, const struct line *b)
{
	int order = a->owner == b->owner ? 0 : strcmp(a->owner, b->owner);
	size_t shorter = a->plain < b->plain ? a->plain : b->plain;
	if (order == 0)
		order = memcmp(a->bytes, b->bytes, shorter);
	return order != 0 ? order : (a->plain > b->plain) - (a->plain < b->plain);
}

/* Of equal ones, the first first. */
static int compare_lines(const void *a, const void *b)
{
	const struct line *one = *(struct line *const *)a, *other = *(struct line *const *)b;
	int order = order_of(one, other);
	return order != 0 ? order : (one > other) - (one < other);
}

static struct line **sort(void *pool, struct lines *lines)
{
	struct line **sorted = pool_array(pool, struct line *, lines->items_count + 1);
	for (size_t i = 0; i < lines->items_count; i++)
		sorted[i] = &lines->items[i];
	qsort(sorted, lines->items_count, sizeof *sorted, compare_lines);
	return sorted;
}

/* What both have, as often as both have it. */
static void pair(void *pool, struct lines *old, struct lines *new)
{
	struct line **before = sort(pool, old), **after = sort(pool, new);
	size_t i = 0, j = 0;
	while (i < old->items_count && j < new->items_count) {
		int order = order_of(before[i], after[j]);
		if (order == 0)
			before[i]->is_kept = after[j]->is_kept = true;
		i += order <= 0;
		j += order >= 0;
	}
}

/* kept: gets what both have, or NULL. */
static void take_side(void *pool, const struct lines *lines, struct plan_side *side, struct plan_place *kept)
{
	side->by_words = names_new(pool, false);
	for (size_t i = 0; i < lines->items_count; i++) {
		if (!lines->items[i].is_kept)
			add_to_side(pool, side, &lines->items[i]);
		else if (kept != NULL)
			count(kept, &lines->items[i]);
	}
}

struct plan *plan_make(void *pool, const struct read_table *before, const struct read_table *after,
		       const char *mark)
{
	struct plan *plan = pool_new(pool, struct plan);
	void *scratch = pool_child(pool, "lines");
	struct lines old = read_lines(scratch, before, mark), new = read_lines(scratch, after, mark);
	pair(scratch, &old, &new);
	take_side(plan, &new, &plan->added, &plan->kept);
	take_side(plan, &old, &plan->removed, NULL);
	plan->has_changes = plan->added.places_count != 0 || plan->removed.places_count != 0 ||
			    (before == NULL) != (after == NULL);
	talloc_free(scratch);
	return plan;
}
