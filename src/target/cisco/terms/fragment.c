/* Each (source, destination) once, with its protocols, in the order of the list: those of entries that
 * permit and look inside, and what an entry that permits all of a protocol shares with a denial before it
 * that looks inside, unless one entry between the list's begin and that permit decides all of it for later
 * fragments, too. The latter compares pairs: within a budget, and what was left out is said. */
#include "target/cisco/terms/fragment.h"

#include <string.h>

#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"
#include "net/protocol.h"
#include "target/cisco/terms/refuse.h"

#define SHOWN_MAX 500 /* printed are fewer (diag/print.c) */
#define PROTOCOLS 256
#define WORD_BITS 64
#define COMPARED_MAX 10000000 /* places; below 0.1 s */

struct protocols {
	uint64_t words[PROTOCOLS / WORD_BITS];
};

/* A prefix, or a set (its members stand once in memory: equal sets are one pointer). */
struct area {
	number128 value, wildcard;
	const struct interval_set *set;
};

/* Source and destination: a key, has no padding that is not zero. */
struct ground {
	struct area sides[2];
};

/* Sources and destinations, the protocols of which later fragments pass there, and the first entry's place. */
struct fragments {
	struct ground ground;
	struct protocols protocols;
	struct span origin;
};

/* Where entries decide later fragments, or are passed over. */
struct stretch {
	struct ground ground;
	struct protocols protocols;
};

struct finder {
	void *pool;
	enum family family;
	struct interned *seen, *sets, *known_denials;
	struct fragments *items;     /* what passes */
	size_t items_count, items_capacity;
	struct stretch *denials;     /* that later fragments pass over */
	size_t denials_count, denials_capacity;
	struct stretch *deciders;    /* of later fragments, at any time */
	size_t deciders_count, deciders_capacity;
	bool has_whole;              /* some permit takes all of a protocol: who decides before it matters */
	size_t compared;
};

/* --- protocols ---------------------------------------------------------------------------------- */

static void protocols_add(struct protocols *set, uint16_t protocol)
{
	if (protocol == IOS_PROTOCOL_IP)
		memset(set, 0xff, sizeof *set);
	else
		set->words[protocol / WORD_BITS] |= (uint64_t)1 << protocol % WORD_BITS;
}

static bool protocols_have(const struct protocols *set, unsigned protocol)
{
	return (set->words[protocol / WORD_BITS] >> protocol % WORD_BITS & 1) != 0;
}

static bool protocols_are_none(const struct protocols *set)
{
	return (set->words[0] | set->words[1] | set->words[2] | set->words[3]) == 0;
}

static struct protocols protocols_intersect(const struct protocols *a, const struct protocols *b)
{
	struct protocols both;

	for (size_t index = 0; index < PROTOCOLS / WORD_BITS; index++)
		both.words[index] = a->words[index] & b->words[index];
	return both;
}

static void protocols_join(struct protocols *set, const struct protocols *other)
{
	for (size_t index = 0; index < PROTOCOLS / WORD_BITS; index++)
		set->words[index] |= other->words[index];
}

static void protocols_subtract(struct protocols *set, const struct protocols *other)
{
	for (size_t index = 0; index < PROTOCOLS / WORD_BITS; index++)
		set->words[index] &= ~other->words[index];
}

static bool tuple_looks_inside(const struct service_tuple *tuple)
{
	uint16_t highest = tuple->protocol == PROTOCOL_ICMP || tuple->protocol == PROTOCOL_ICMP6 ?
			   UINT8_MAX : UINT16_MAX;

	return tuple->first.low != 0 || tuple->first.high < highest || tuple->second.low != 0 ||
	       tuple->second.high < highest;
}

static bool line_looks_inside(const struct ios_line *line)
{
	return line->source_ports->operator != IOS_PORTS_ANY ||
	       line->destination_ports->operator != IOS_PORTS_ANY ||
	       line->icmp_type != IOS_ICMP_ANY || line->is_established;
}

/* Of those that the entry speaks of: where it looks inside, and where it takes all. */
static void line_protocols(const struct ios_line *line, struct protocols *inside, struct protocols *whole)
{
	*inside = *whole = (struct protocols){ 0 };
	if (line->extras->services == NULL) {
		protocols_add(line_looks_inside(line) ? inside : whole, line->protocol);
		return;
	}
	for (size_t index = 0; index < line->extras->services->services->tuples_count; index++) {
		const struct service_tuple *tuple = &line->extras->services->services->tuples[index];

		protocols_add(tuple_looks_inside(tuple) ? inside : whole, tuple->protocol);
	}
}

/* --- places ------------------------------------------------------------------------------------- */

/* One pointer for equal sets. */
static const struct interval_set *known_set(struct finder *finder, const struct interval_set *set)
{
	void **slot = interned_slot(finder->sets, set->items, set->items_count * sizeof *set->items);

	if (*slot == NULL) {
		struct interval_set *kept = pool_new(finder->pool, struct interval_set);

		*kept = *set;
		*slot = kept;
	}
	return *slot;
}

static struct area area_of(struct finder *finder, const struct ios_place *place)
{
	struct area area;

	memset(&area, 0, sizeof area); /* a key: padding counts */
	if (place->group != NULL) {
		area.set = known_set(finder, address_set_family(place->group->addresses, finder->family));
		return area;
	}
	area.value = place->value & ~place->wildcard;
	area.wildcard = place->wildcard;
	return area;
}

static void ground_of(struct finder *finder, const struct ios_line *line, struct ground *ground)
{
	ground->sides[0] = area_of(finder, line->source);
	ground->sides[1] = area_of(finder, line->destination);
}

/* The prefix as a set of one interval. */
static struct interval_set area_set(const struct area *area, struct interval *room)
{
	if (area->set != NULL)
		return *area->set;
	*room = (struct interval){ area->value, area->value | area->wildcard };
	return (struct interval_set){ .items = room, .items_count = 1 };
}

/* Prefixes hold each other or share nothing. */
static bool area_includes(const struct area *outer, const struct area *inner)
{
	struct interval rooms[2];

	if (outer->set == NULL && inner->set == NULL)
		return ((inner->value ^ outer->value) & ~outer->wildcard) == 0 &&
		       (inner->wildcard & ~outer->wildcard) == 0;
	struct interval_set sets[] = { area_set(outer, &rooms[0]), area_set(inner, &rooms[1]) };

	return interval_set_includes(&sets[0], &sets[1]);
}

static bool ground_includes(const struct ground *outer, const struct ground *inner)
{
	return area_includes(&outer->sides[0], &inner->sides[0]) &&
	       area_includes(&outer->sides[1], &inner->sides[1]);
}

/* false: they share nothing. */
static bool area_intersect(struct finder *finder, const struct area *a, const struct area *b, struct area *both)
{
	struct interval rooms[2];

	if (a->set == NULL && b->set == NULL) {
		if (((a->value ^ b->value) & ~(a->wildcard | b->wildcard)) != 0)
			return false;
		*both = a->wildcard < b->wildcard ? *a : *b;
		return true;
	}
	struct interval_set sets[] = { area_set(a, &rooms[0]), area_set(b, &rooms[1]) };

	finder->compared += sets[0].items_count + sets[1].items_count;
	if (!interval_set_overlaps(&sets[0], &sets[1]))
		return false;
	sets[0] = interval_set_intersect(finder->pool, &sets[0], &sets[1]);
	memset(both, 0, sizeof *both);
	both->set = known_set(finder, &sets[0]);
	return true;
}

static bool ground_intersect(struct finder *finder, const struct ground *a, const struct ground *b,
			     struct ground *both)
{
	return area_intersect(finder, &a->sides[0], &b->sides[0], &both->sides[0]) &&
	       area_intersect(finder, &a->sides[1], &b->sides[1], &both->sides[1]);
}

/* --- words -------------------------------------------------------------------------------------- */

/* "10.1.0.0/16,10.3.0.1-10.3.0.7", "any" */
static void add_area(struct text *out, enum family family, const struct area *area)
{
	struct interval room;
	struct interval_set set = area_set(area, &room);

	if (set.items_count == 1 && set.items[0].low == 0 && set.items[0].high == family_highest(family)) {
		text_add(out, "any");
		return;
	}
	for (size_t index = 0; index < set.items_count; index++) {
		text_add(out, index > 0 ? "," : "");
		address_interval_format(out, family, &set.items[index]);
	}
}

/* "later fragments of tcp, udp from 10.0.0.0/8 to any (policy.fw:3)" */
static const char *fragment_words(const struct finder *finder, struct sources *sources,
				  const struct fragments *fragments)
{
	struct text *out = text_new(finder->pool);
	const char *separator = "later fragments of ";

	for (unsigned protocol = 0; protocol < PROTOCOLS; protocol++)
		if (protocols_have(&fragments->protocols, protocol)) {
			text_addf(out, "%s%s", separator, protocol_name((uint8_t)protocol));
			separator = ", ";
		}
	text_add(out, " from ");
	add_area(out, finder->family, &fragments->ground.sides[0]);
	text_add(out, " to ");
	add_area(out, finder->family, &fragments->ground.sides[1]);
	if (fragments->origin.source != UINT32_MAX)
		text_addf(out, " (%s)", span_place(finder->pool, sources, fragments->origin));
	return out->bytes;
}

/* --- what passes -------------------------------------------------------------------------------- */

static void add_passing(struct finder *finder, const struct ground *ground, const struct protocols *protocols,
			struct span origin)
{
	struct fragments *last = finder->items_count == 0 ? NULL : &finder->items[finder->items_count - 1];
	void **slot;

	if (last != NULL && memcmp(&last->ground, ground, sizeof *ground) == 0) {
		protocols_join(&last->protocols, protocols);
		return;
	}
	slot = interned_slot(finder->seen, ground, sizeof *ground);
	if (*slot == NULL) {
		*pool_append(finder->pool, finder, items) = (struct fragments){ .ground = *ground,
										.origin = origin };
		*slot = (void *)(uintptr_t)finder->items_count;
	}
	protocols_join(&finder->items[(uintptr_t)*slot - 1].protocols, protocols);
}

/* Entries that later fragments pass over: each place once. */
static void add_denial(struct finder *finder, const struct ground *ground, const struct protocols *protocols)
{
	void **slot = interned_slot(finder->known_denials, ground, sizeof *ground);

	if (*slot == NULL) {
		*pool_append(finder->pool, finder, denials) = (struct stretch){ .ground = *ground };
		*slot = (void *)(uintptr_t)finder->denials_count;
	}
	protocols_join(&finder->denials[(uintptr_t)*slot - 1].protocols, protocols);
}

/* What a permit of whole protocols shares with a denial, but for what an entry before it decides. */
static void add_shared(struct finder *finder, const struct stretch *denial, const struct stretch *permit,
		       struct span origin)
{
	struct protocols protocols = protocols_intersect(&denial->protocols, &permit->protocols);
	struct ground ground;

	if (protocols_are_none(&protocols) ||
	    !ground_intersect(finder, &denial->ground, &permit->ground, &ground))
		return;
	for (size_t index = 0; index < finder->deciders_count && !protocols_are_none(&protocols); index++)
		if (finder->compared++ < COMPARED_MAX && ground_includes(&finder->deciders[index].ground, &ground))
			protocols_subtract(&protocols, &finder->deciders[index].protocols);
	if (!protocols_are_none(&protocols))
		add_passing(finder, &ground, &protocols, origin);
}

static void add_decider(struct finder *finder, const struct ios_line *line, const struct ground *ground,
			const struct protocols *protocols)
{
	struct stretch *last = finder->deciders_count == 0 ? NULL : &finder->deciders[finder->deciders_count - 1];

	if (!finder->has_whole || line->extras->time_range != NULL)
		return;
	if (last != NULL && memcmp(&last->ground, ground, sizeof *ground) == 0)
		protocols_join(&last->protocols, protocols);
	else
		*pool_append(finder->pool, finder, deciders) = (struct stretch){ *ground, *protocols };
}

static void add_line(struct finder *finder, const struct ios_line *line)
{
	struct protocols inside;
	struct stretch whole;

	ground_of(finder, line, &whole.ground);
	line_protocols(line, &inside, &whole.protocols);
	if (!protocols_are_none(&inside)) {
		if (line->action == IOS_PERMIT) {
			add_passing(finder, &whole.ground, &inside, line->origin);
			add_decider(finder, line, &whole.ground, &inside);
		} else {
			add_denial(finder, &whole.ground, &inside);
		}
	}
	if (protocols_are_none(&whole.protocols))
		return;
	for (size_t index = 0; line->action == IOS_PERMIT && index < finder->denials_count &&
			       finder->compared++ < COMPARED_MAX; index++)
		add_shared(finder, &finder->denials[index], &whole, line->origin);
	add_decider(finder, line, &whole.ground, &whole.protocols);
}

static void tell(const struct finder *finder, struct diags *diags, struct diagnostic *note)
{
	for (size_t index = 0; index < finder->items_count && index < SHOWN_MAX; index++)
		diag_note(diags, note, SPAN_NONE, "%s",
			  fragment_words(finder, diags->sources, &finder->items[index]));
	if (finder->items_count > SHOWN_MAX)
		diag_note(diags, note, SPAN_NONE, "and those of %zu more places", finder->items_count - SHOWN_MAX);
	if (finder->compared >= COMPARED_MAX)
		diag_note(diags, note, SPAN_NONE, "and those of more places, where entries permit what denials of "
			  "ports stand before: too many to find them all");
}

static bool has_whole_permit(const struct ios_list *list)
{
	for (size_t index = 0; index < list->lines_count; index++) {
		const struct ios_line *line = &list->lines[index];

		if (line->kind == IOS_LINE_ENTRY && line->action == IOS_PERMIT &&
		    (line->extras->services != NULL || !line_looks_inside(line)))
			return true;
	}
	return false;
}

static void note_in(void *pool, struct diags *diags, const struct device *device, const struct ios_list *list)
{
	struct arena *arena = arena_new(pool);
	struct finder finder = {
		.pool = pool,
		.family = list->family,
		.seen = interned_new(pool, arena),
		.sets = interned_new(pool, arena),
		.known_denials = interned_new(pool, arena),
		.has_whole = has_whole_permit(list),
	};

	for (size_t index = 0; index < list->lines_count; index++)
		/* what always passes is never fragmented (RFC 6980) */
		if (list->lines[index].kind == IOS_LINE_ENTRY && list->lines[index].identity != NULL)
			add_line(&finder, &list->lines[index]);
	if (finder.items_count == 0 && finder.compared < COMPARED_MAX)
		return;
	tell(&finder, diags, diag_add(diags, CODE_CISCO_FRAGMENTS, SPAN_NONE,
				      "%s lets pass, whatever their ports or type:",
				      list_words(pool, device, list)));
}

void note_fragments(void *pool, struct diags *diags, const struct device *device, const struct ios_list *list)
{
	void *space = pool_child(pool, "fragments");

	note_in(space, diags, device, list);
	talloc_free(space); /* the bag has its own copies */
}
