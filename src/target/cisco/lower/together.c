/* A line is two boxes: whole packets and first fragments, and the later fragments that it decides. These
 * carry no ports: an entry that permits some ports permits them all, one that denies some denies none
 * (terms/fragment.h). */
#include "target/cisco/lower/together.h"

#include "analyse/cover.h"
#include "base/pool.h"

#define LINES_MOST 4096 /* each is held against those before it */
#define OTHERS_MOST 512
#define STEPS_MOST 2000 /* model/cover.h */

struct line_boxes {
	struct packet_box whole, later;
	bool has_later;
	bool is_taker; /* decides all packets of its boxes, at all times */
};

struct together {
	void *pool;
	const struct ios_list *list;
	struct packet_universe *universe;
	struct line_boxes *boxes; /* of each line */
	const struct interval_set *hook, *family, *first_fragment, *later_fragment;
};

bool line_is_plain(const struct ios_line *line)
{
	return line->kind == IOS_LINE_ENTRY && line->source->group == NULL && line->destination->group == NULL &&
	       line->extras->services == NULL && !line->is_fragments && line->extras->reflect == NULL;
}

/* --- boxes -------------------------------------------------------------------------------------- */

static const struct interval_set *set_of(void *pool, number128 low, number128 high)
{
	struct interval_set *set = pool_new(pool, struct interval_set);

	interval_set_add(pool, set, low, high);
	interval_set_normalise(set);
	return set;
}

static bool is_prefix(const struct ios_place *place)
{
	return (place->wildcard & (place->wildcard + 1)) == 0;
}

static const struct interval_set *place_set(void *pool, const struct ios_place *place)
{
	return set_of(pool, place->value & ~place->wildcard, place->value | place->wildcard);
}

/* NULL: every port. */
static const struct interval_set *ports_set(void *pool, const struct ios_ports *ports)
{
	struct interval_set *set;

	switch (ports->operator) {
	case IOS_PORTS_ANY:
		return NULL;
	case IOS_PORTS_RANGE:
		return set_of(pool, ports->ports[0], ports->ports[1]);
	case IOS_PORTS_GT:
		return set_of(pool, ports->ports[0] + 1u, UINT16_MAX);
	case IOS_PORTS_LT:
		return set_of(pool, 0, ports->ports[0] - 1u);
	case IOS_PORTS_EQ:
	case IOS_PORTS_NEQ:
		break;
	}
	set = pool_new(pool, struct interval_set);
	if (ports->operator == IOS_PORTS_NEQ) {
		interval_set_add(pool, set, 0, ports->ports[0] - 1u);
		interval_set_add(pool, set, ports->ports[0] + 1u, UINT16_MAX);
		return set;
	}
	for (unsigned index = 0; index < ports->ports_count; index++)
		interval_set_add(pool, set, ports->ports[index], ports->ports[index]);
	interval_set_normalise(set);
	return set;
}

static void set_contents(void *pool, struct packet_box *box, const struct ios_line *line)
{
	box->fields[FIELD_FIRST] = line->icmp_type == IOS_ICMP_ANY ?
		ports_set(pool, line->destination_ports) : set_of(pool, line->icmp_type, line->icmp_type);
	box->fields[FIELD_SECOND] = line->icmp_code == IOS_ICMP_ANY ?
		ports_set(pool, line->source_ports) : set_of(pool, line->icmp_code, line->icmp_code);
}

static void make_boxes(const struct together *together, const struct ios_line *line, struct line_boxes *boxes)
{
	struct packet_box box = { 0 };
	bool looks_inside;

	box.fields[FIELD_HOOK] = together->hook;
	box.fields[FIELD_FAMILY] = together->family;
	box.fields[FIELD_SOURCE] = place_set(together->pool, line->source);
	box.fields[FIELD_DESTINATION] = place_set(together->pool, line->destination);
	if (line->protocol != IOS_PROTOCOL_IP)
		box.fields[FIELD_PROTOCOL] = set_of(together->pool, line->protocol, line->protocol);
	boxes->whole = boxes->later = box;
	boxes->later.fields[FIELD_FRAGMENT] = together->later_fragment;
	boxes->whole.fields[FIELD_FRAGMENT] = together->first_fragment;
	set_contents(together->pool, &boxes->whole, line);
	looks_inside = boxes->whole.fields[FIELD_FIRST] != NULL || boxes->whole.fields[FIELD_SECOND] != NULL ||
		       line->is_established;
	boxes->has_later = line->action == IOS_PERMIT || !looks_inside;
	boxes->is_taker = line->extras->time_range == NULL && !line->is_established;
}

/* --- lines -------------------------------------------------------------------------------------- */

static bool is_known(const struct ios_line *line)
{
	return line_is_plain(line) && is_prefix(line->source) && is_prefix(line->destination);
}

static bool places_meet(const struct ios_place *a, const struct ios_place *b)
{
	return ((a->value ^ b->value) & ~(a->wildcard | b->wildcard)) == 0;
}

static bool lines_meet(const struct ios_line *a, const struct ios_line *b)
{
	return (a->protocol == b->protocol || a->protocol == IOS_PROTOCOL_IP || b->protocol == IOS_PROTOCOL_IP) &&
	       places_meet(a->source, b->source) && places_meet(a->destination, b->destination);
}

/* Are the whole packets of the line, or its later fragments, taken by the others? */
static bool is_taken(const struct together *together, size_t line, const size_t *others, size_t count,
		     bool is_later)
{
	const struct packet_box *boxes[OTHERS_MOST];
	const struct line_boxes *own = &together->boxes[line];

	for (size_t index = 0; index < count; index++) {
		const struct line_boxes *other = &together->boxes[others[index]];

		boxes[index] = !is_later ? &other->whole : other->has_later ? &other->later : NULL;
	}
	return cover_find(together->pool, together->universe, is_later ? &own->later : &own->whole, boxes, count,
			  STEPS_MOST, NULL) == COVER_YES;
}

static bool is_held_together(const struct together *together, size_t begin, size_t line, const size_t *holder)
{
	const struct ios_line *lines = together->list->lines;
	size_t others[OTHERS_MOST], count = 0;

	for (size_t index = begin; index < line; index++) {
		if (holder[index] != HELD_BY_NONE || !together->boxes[index].is_taker ||
		    !lines_meet(&lines[index], &lines[line]))
			continue;
		if (count == OTHERS_MOST)
			return false;
		others[count++] = index;
	}
	return count > 0 && is_taken(together, line, others, count, false) &&
	       (!together->boxes[line].has_later || is_taken(together, line, others, count, true));
}

void find_held_together(void *pool, const struct ios_list *list, size_t begin, size_t *holder)
{
	struct together together = { .pool = pool_child(pool, "together"), .list = list };

	if (list->lines_count - begin <= LINES_MOST) {
		together.universe = packet_universe_new(together.pool);
		packet_universe_finish(together.universe);
		together.hook = set_of(together.pool, HOOK_FORWARD, HOOK_FORWARD);
		together.family = set_of(together.pool, list->family, list->family);
		together.first_fragment = set_of(together.pool, 0, 0);
		together.later_fragment = set_of(together.pool, 1, 1);
		together.boxes = pool_array(together.pool, struct line_boxes, list->lines_count);
		for (size_t index = begin; index < list->lines_count; index++) {
			together.boxes[index] = (struct line_boxes){ 0 };
			if (is_known(&list->lines[index]))
				make_boxes(&together, &list->lines[index], &together.boxes[index]);
		}
		for (size_t index = begin; index < list->lines_count; index++)
			if (holder[index] == HELD_BY_NONE && is_known(&list->lines[index]) &&
			    !list->lines[index].is_pinned && is_held_together(&together, begin, index, holder))
				holder[index] = HELD_TOGETHER;
	}
	talloc_free(together.pool);
}
