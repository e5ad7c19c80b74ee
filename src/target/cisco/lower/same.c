/* Entries are found by what decides packets, names aside, which are compared. */
#include "target/cisco/lower/same.h"

#include <string.h>

#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"

#define SAME_SHOWN 20 /* rules told of; more are counted */

struct same_key {
	number128 values[4];
	const void *pointers[3];
	struct ios_ports ports[2];
	unsigned words[6];
};

/* Entries of one key: a chain, last first. */
struct same_link {
	size_t line;
	struct same_link *next;
};

struct gone {
	const struct identity *identity;
	struct span origin, first;
};

struct same {
	void *pool;
	struct arena *arena;
	struct interned *links;
	struct ios_list *list;
	struct gone *gone;
	size_t gone_count, gone_capacity;
};

static void set_ports(struct ios_ports *into, const struct ios_ports *from)
{
	into->operator = from->operator;
	into->ports_count = from->ports_count;
	memcpy(into->ports, from->ports, from->ports_count * sizeof *from->ports);
}

static void set_key(struct same_key *key, const struct ios_line *line)
{
	memset(key, 0, sizeof *key); /* padding counts */
	memcpy(key->values, (number128[]){ line->source->value & ~line->source->wildcard, line->source->wildcard,
					   line->destination->value & ~line->destination->wildcard,
					   line->destination->wildcard }, sizeof key->values);
	memcpy(key->pointers, (const void *[]){ line->source->group, line->destination->group,
						line->extras->services }, sizeof key->pointers);
	memcpy(key->words, (unsigned[]){ line->action, line->protocol, line->icmp_type, line->icmp_code,
					 line->is_established, line->is_fragments }, sizeof key->words);
	set_ports(&key->ports[0], line->source_ports);
	set_ports(&key->ports[1], line->destination_ports);
}

static bool is_same_name(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The first of the list that the line repeats, or the line itself. */
static size_t first_of(struct same *same, size_t number)
{
	const struct ios_line *lines = same->list->lines, *line = &lines[number];
	struct same_link **slot, *link;
	struct same_key key;

	set_key(&key, line);
	slot = (struct same_link **)interned_slot(same->links, &key, sizeof key);
	for (link = *slot; link != NULL; link = link->next)
		if (is_same_name(lines[link->line].extras->time_range, line->extras->time_range) &&
		    is_same_name(lines[link->line].extras->reflect, line->extras->reflect))
			return link->line;
	link = arena_new_item(same->arena, struct same_link);
	*link = (struct same_link){ number, *slot };
	*slot = link;
	return number;
}

static void tell(struct diags *diags, const struct ios_list *list, const struct gone *gone)
{
	struct diagnostic *note = diag_add(diags, CODE_CISCO_COVERED, gone->origin,
					   "this needs no entry of its own in list '%s'", list->name);

	diag_note(diags, note, gone->first, "the router takes its entries for those of this one, logged or not");
}

/* Rules of which nothing is left. */
static void tell_rules(struct same *same, struct diags *diags)
{
	struct interned *kept = interned_new(same->pool, same->arena);
	size_t told = 0;

	for (size_t number = 0; number < same->list->lines_count; number++)
		*interned_slot(kept, &same->list->lines[number].identity, sizeof(void *)) = same;
	for (size_t index = 0; index < same->gone_count; index++) {
		void **slot = interned_slot(kept, &same->gone[index].identity, sizeof(void *));

		if (*slot == NULL && same->gone[index].origin.source != UINT32_MAX && told++ < SAME_SHOWN)
			tell(diags, same->list, &same->gone[index]);
		*slot = same;
	}
	if (told > SAME_SHOWN)
		diag_add(diags, CODE_CISCO_COVERED, SPAN_NONE,
			 "%zu more rules need no entry of their own in list '%s'", told - SAME_SHOWN,
			 same->list->name);
}

static bool has_pinned(const struct ios_list *list)
{
	for (size_t number = 0; number < list->lines_count; number++)
		if (list->lines[number].is_pinned || list->lines[number].has_log)
			return true;
	return false;
}

void same_remove(void *pool, struct diags *diags, struct ios_list *list)
{
	struct same same = { .pool = pool_child(pool, "same entries"), .list = list };
	size_t kept = 0;

	/* of others none is left */
	if (has_pinned(list)) {
		same.arena = arena_new(same.pool);
		same.links = interned_new(same.pool, same.arena);
		for (size_t number = 0; number < list->lines_count; number++) {
			struct ios_line line = list->lines[number];

			list->lines[kept] = line;
			if (line.kind != IOS_LINE_ENTRY) {
				kept++;
				continue;
			}
			size_t first = first_of(&same, kept);

			if (first == kept)
				kept++;
			else
				*pool_append(same.pool, &same, gone) =
					(struct gone){ line.identity, line.origin, list->lines[first].origin };
		}
		list->lines_count = kept;
		tell_rules(&same, diags);
	}
	talloc_free(same.pool);
}
