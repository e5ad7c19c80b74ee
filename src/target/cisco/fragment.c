/* Each (protocol, source, destination) once, in the order of the list. */
#include "target/cisco/fragment.h"

#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"
#include "net/protocol.h"

#define SHOWN_MAX 8

struct fragment_key {
	number128 values[2], wildcards[2];
	const struct ios_group *groups[2];
	size_t protocol, padding;
};

static struct fragment_key key_of(const struct ios_line *line)
{
	return (struct fragment_key){
		.values = { line->source.value, line->destination.value },
		.wildcards = { line->source.wildcard, line->destination.wildcard },
		.groups = { line->source.group, line->destination.group },
		.protocol = line->protocol,
	};
}

static bool looks_inside(const struct ios_line *line)
{
	return line->source_ports.operator != IOS_PORTS_ANY || line->destination_ports.operator != IOS_PORTS_ANY ||
	       line->icmp_type != IOS_ICMP_ANY;
}

static void add_place(struct text *out, enum family family, const struct ios_place *place)
{
	struct interval interval = { place->value, place->value | place->wildcard };

	if (place->group != NULL)
		text_addf(out, "group %s", place->group->name);
	else if (interval.low == 0 && interval.high == family_highest(family))
		text_add(out, "any");
	else
		address_interval_format(out, family, &interval);
}

static const char *fragment_words(void *pool, enum family family, const struct ios_line *line)
{
	struct text *out = text_new(pool);
	const char *name = protocol_name((uint8_t)line->protocol);

	text_addf(out, "later fragments of %s from ", name != NULL ? name : "this protocol");
	add_place(out, family, &line->source);
	text_add(out, " to ");
	add_place(out, family, &line->destination);
	return out->bytes;
}

void note_fragments(void *pool, struct diags *diags, const struct ios_list *list)
{
	struct arena *arena = arena_new(pool);
	struct interned *seen = interned_new(pool, arena);
	struct diagnostic *note = NULL;
	size_t count = 0;

	for (size_t index = 0; index < list->lines_count; index++) {
		const struct ios_line *line = &list->lines[index];

		/* what always passes is never fragmented (RFC 6980) */
		if (line->kind != IOS_LINE_ENTRY || line->action != IOS_PERMIT || !looks_inside(line) ||
		    line->identity == NULL)
			continue;
		struct fragment_key key = key_of(line);
		void **slot = interned_slot(seen, &key, sizeof key);

		if (*slot != NULL)
			continue;
		*slot = arena;
		if (note == NULL)
			note = diag_add(diags, CODE_CISCO_FRAGMENTS, SPAN_NONE,
					"list '%s' lets pass, whatever their ports or type:", list->name);
		if (count++ < SHOWN_MAX)
			diag_note(diags, note, line->origin, "%s", fragment_words(pool, list->family, line));
	}
	if (count > SHOWN_MAX)
		diag_note(diags, note, SPAN_NONE, "and those of %zu more entries", count - SHOWN_MAX);
}
