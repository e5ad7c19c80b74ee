/* Each (source, destination) once, with its protocols, in the order of the list. */
#include "target/cisco/fragment.h"

#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"
#include "net/protocol.h"
#include "target/cisco/refuse.h"

#define SHOWN_MAX 500 /* printed are fewer (diag/print.c) */
#define PROTOCOLS 256

/* Sources and destinations, and the protocols of which entries look inside there. */
struct fragments {
	const struct ios_line *line; /* the first */
	bool has[PROTOCOLS];
};

struct fragments_list {
	struct fragments *items;
	size_t items_count, items_capacity;
};

struct fragment_key {
	number128 values[2], wildcards[2];
	const struct ios_group *groups[2];
};

static struct fragment_key key_of(const struct ios_line *line)
{
	return (struct fragment_key){
		.values = { line->source.value, line->destination.value },
		.wildcards = { line->source.wildcard, line->destination.wildcard },
		.groups = { line->source.group, line->destination.group },
	};
}

static bool tuple_looks_inside(const struct service_tuple *tuple)
{
	uint16_t highest = tuple->protocol == PROTOCOL_ICMP || tuple->protocol == PROTOCOL_ICMP6 ?
			   UINT8_MAX : UINT16_MAX;

	return tuple->first.low != 0 || tuple->first.high < highest || tuple->second.low != 0 ||
	       tuple->second.high < highest;
}

static bool looks_inside(const struct ios_line *line)
{
	if (line->services != NULL) {
		for (size_t index = 0; index < line->services->services->tuples_count; index++)
			if (tuple_looks_inside(&line->services->services->tuples[index]))
				return true;
		return false;
	}
	return line->source_ports.operator != IOS_PORTS_ANY || line->destination_ports.operator != IOS_PORTS_ANY ||
	       line->icmp_type != IOS_ICMP_ANY || line->is_established;
}

/* "10.1.0.0/16,10.3.0.1-10.3.0.7" */
static void add_group(struct text *out, enum family family, const struct ios_group *group)
{
	const struct interval_set *set = address_set_family(group->addresses, family);

	for (size_t index = 0; index < set->items_count; index++) {
		text_add(out, index > 0 ? "," : "");
		address_interval_format(out, family, &set->items[index]);
	}
}

static void add_place(struct text *out, enum family family, const struct ios_place *place)
{
	struct interval interval = { place->value, place->value | place->wildcard };

	if (place->group != NULL)
		add_group(out, family, place->group);
	else if (interval.low == 0 && interval.high == family_highest(family))
		text_add(out, "any");
	else
		address_interval_format(out, family, &interval);
}

/* "later fragments of tcp, udp from 10.0.0.0/8 to any (policy.fw:3)" */
static const char *fragment_words(void *pool, struct sources *sources, enum family family,
				  const struct fragments *fragments)
{
	struct text *out = text_new(pool);
	const char *separator = "later fragments of ";

	for (unsigned protocol = 0; protocol < PROTOCOLS; protocol++)
		if (fragments->has[protocol]) {
			text_addf(out, "%s%s", separator, protocol_name((uint8_t)protocol));
			separator = ", ";
		}
	text_add(out, " from ");
	add_place(out, family, &fragments->line->source);
	text_add(out, " to ");
	add_place(out, family, &fragments->line->destination);
	if (fragments->line->origin.source != UINT32_MAX)
		text_addf(out, " (%s)", span_place(pool, sources, fragments->line->origin));
	return out->bytes;
}

static void add_line(void *pool, struct interned *seen, struct fragments_list *list, const struct ios_line *line)
{
	struct fragment_key key = key_of(line);
	void **slot = interned_slot(seen, &key, sizeof key);

	if (*slot == NULL) {
		*pool_append(pool, list, items) = (struct fragments){ .line = line };
		*slot = (void *)(uintptr_t)list->items_count;
	}
	struct fragments *fragments = &list->items[(uintptr_t)*slot - 1];

	if (line->services == NULL) {
		fragments->has[line->protocol] = true;
		return;
	}
	for (size_t index = 0; index < line->services->services->tuples_count; index++)
		if (tuple_looks_inside(&line->services->services->tuples[index]))
			fragments->has[line->services->services->tuples[index].protocol] = true;
}

void note_fragments(void *pool, struct diags *diags, const struct device *device, const struct ios_list *list)
{
	struct interned *seen = interned_new(pool, arena_new(pool));
	struct fragments_list found = { 0 };
	struct diagnostic *note;

	for (size_t index = 0; index < list->lines_count; index++) {
		const struct ios_line *line = &list->lines[index];

		/* what always passes is never fragmented (RFC 6980) */
		if (line->kind == IOS_LINE_ENTRY && line->action == IOS_PERMIT && looks_inside(line) &&
		    line->identity != NULL)
			add_line(pool, seen, &found, line);
	}
	if (found.items_count == 0)
		return;
	note = diag_add(diags, CODE_CISCO_FRAGMENTS, SPAN_NONE, "%s lets pass, whatever their ports or type:",
			list_words(pool, device, list));
	for (size_t index = 0; index < found.items_count && index < SHOWN_MAX; index++)
		diag_note(diags, note, SPAN_NONE, "%s",
			  fragment_words(pool, diags->sources, list->family, &found.items[index]));
	if (found.items_count > SHOWN_MAX)
		diag_note(diags, note, SPAN_NONE, "and those of %zu more places", found.items_count - SHOWN_MAX);
}
