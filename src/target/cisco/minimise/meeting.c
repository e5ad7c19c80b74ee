/* Prefixes lie inside each other or apart: sorted by where they begin, the longer behind, what lies inside of
 * one follows it, and what is around it are its parents. */
#include "target/cisco/minimise/meeting.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

#define TREES 3
#define TREE_SERVICES 2
#define NOWHERE UINT32_MAX
#define FEW 32 /* candidates: another tree is not asked for less */
#define NEAR_MOST 256

struct span_of {
	number128 low, high;
};

struct node {
	struct span_of span;
	uint32_t parent;
	uint32_t end;   /* the first one behind those inside it */
	uint32_t items; /* where its entries begin; those of the next node end them */
	uint32_t above; /* how many entries it and its parents have */
};

struct tree {
	struct node *nodes; /* one more than there are, for the end of the last */
	size_t nodes_count;
	uint32_t *items;
	uint32_t *node_of; /* of each entry: where it has its place, or NOWHERE */
};

/* Questions come in rows about the same addresses: who meets these, whatever else. In order. */
struct near {
	bool is_known;
	struct region region;
	uint32_t places[NEAR_MOST];
	size_t count;
};

struct meeting {
	const struct minimise_list *list; /* trees are made when the first question needs them */
	struct tree trees[TREES];
	void *pool;
	uint32_t *changes;
	size_t changes_count, changes_capacity;
	bool *is_changed; /* of each entry */
	struct near near;
};

struct keyed {
	number128 low;
	uint32_t entry;
	uint8_t free_bits;
};

/* --- prefixes around things ----------------------------------------------------------------------- */

/* All bits up to the highest one. */
static number128 filled(number128 bits)
{
	for (unsigned shift = 1; shift < 128; shift *= 2)
		bits |= bits >> shift;
	return bits;
}

static struct span_of prefix_around(number128 low, number128 high)
{
	number128 free = filled(low ^ high);

	return (struct span_of){ low & ~free, high | free };
}

static struct span_of span_of_region(const struct region *region, unsigned tree)
{
	if (tree != TREE_SERVICES && wildcard_is_prefix(region->wildcard[tree]))
		return (struct span_of){ region->value[tree], region->value[tree] | region->wildcard[tree] };
	if (tree != TREE_SERVICES)
		return prefix_around(region->value[tree], region->value[tree] | region->wildcard[tree]);
	return prefix_around((number128)region->low[REGION_PROTOCOL] << 16 | region->low[REGION_FIRST],
			     (number128)region->high[REGION_PROTOCOL] << 16 | region->high[REGION_FIRST]);
}

/* Services: of whole packets alone. false: there is none. */
static bool span_of_entry(const struct minimise_entry *entry, unsigned tree, struct span_of *span)
{
	struct region region;
	bool has_some = false;

	if (tree != TREE_SERVICES && entry->regions == NULL && wildcard_is_prefix(entry->wildcard[tree])) {
		*span = (struct span_of){ entry->value[tree], entry->value[tree] | entry->wildcard[tree] };
		return true;
	}
	for (size_t number = 0; minimise_region(entry, number, &region); number++) {
		struct span_of part;

		if (tree == TREE_SERVICES && region.low[REGION_LATER] > 0)
			continue;
		part = span_of_region(&region, tree);
		if (has_some)
			part = prefix_around(part.low < span->low ? part.low : span->low,
					     part.high > span->high ? part.high : span->high);
		*span = part;
		has_some = true;
	}
	return has_some;
}

/* --- trees ---------------------------------------------------------------------------------------- */

#define KEY_BYTES 17 /* the length, then the address from its end on */

static unsigned key_byte(const struct keyed *key, unsigned number)
{
	return number == 0 ? UINT8_MAX - key->free_bits : (unsigned)(key->low >> (number - 1) * 8) & 0xff;
}

/* By one byte, of those that may differ; what is equal keeps its order. */
static void sort_by_byte(const struct keyed *from, struct keyed *to, size_t count, unsigned number,
			 const size_t *sizes)
{
	size_t next[256], sum = 0;

	for (unsigned byte = 0; byte < 256; byte++) {
		next[byte] = sum;
		sum += sizes[byte];
	}
	for (size_t at = 0; at < count; at++)
		to[next[key_byte(&from[at], number)]++] = from[at];
}

/* Every bit by which some keys differ. */
static struct keyed key_differences(const struct keyed *keys, size_t count)
{
	struct keyed bits = { 0 };

	for (size_t at = 1; at < count; at++) {
		bits.low |= keys[at].low ^ keys[0].low;
		bits.free_bits |= keys[at].free_bits ^ keys[0].free_bits;
	}
	return bits;
}

static bool differs_by(const struct keyed *bits, unsigned number)
{
	return number == 0 ? bits->free_bits != 0 : key_byte(bits, number) != 0;
}

static struct keyed *room_for_keys(void *pool, size_t count)
{
	size_t capacity = 0;

	return pool_room(pool, NULL, &capacity, count, sizeof(struct keyed));
}

/* By address, the shorter prefix first. */
static struct keyed *sort_keys(void *pool, struct keyed *keys, size_t count)
{
	struct keyed *other = room_for_keys(pool, count), *swap;
	const struct keyed bits = key_differences(keys, count);

	for (unsigned number = 0; number < KEY_BYTES; number++) {
		size_t sizes[256] = { 0 };

		if (!differs_by(&bits, number))
			continue;
		for (size_t at = 0; at < count; at++)
			sizes[key_byte(&keys[at], number)]++;
		sort_by_byte(keys, other, count, number, sizes);
		swap = keys;
		keys = other;
		other = swap;
	}
	return keys;
}

static bool is_around(const struct span_of *outer, const struct span_of *inner)
{
	return outer->low <= inner->low && inner->high <= outer->high;
}

static void tree_link(struct tree *tree)
{
	for (uint32_t at = 0; at < tree->nodes_count; at++) {
		struct node *node = &tree->nodes[at];
		uint32_t parent = at == 0 ? NOWHERE : at - 1;

		while (parent != NOWHERE && !is_around(&tree->nodes[parent].span, &node->span))
			parent = tree->nodes[parent].parent;
		node->parent = parent;
		node->end = at + 1;
		node->above = tree->nodes[at + 1].items - node->items +
			      (parent != NOWHERE ? tree->nodes[parent].above : 0);
	}
	for (uint32_t at = (uint32_t)tree->nodes_count; at-- > 0;) {
		uint32_t parent = tree->nodes[at].parent;

		if (parent != NOWHERE && tree->nodes[parent].end < tree->nodes[at].end)
			tree->nodes[parent].end = tree->nodes[at].end;
	}
}

static unsigned free_bits(const struct span_of *span)
{
	number128 free = span->low ^ span->high;
	unsigned bits = 0;

	for (; free != 0; free >>= 1)
		bits++;
	return bits;
}

static number128 span_end(number128 low, unsigned bits)
{
	return bits >= 128 ? ~(number128)0 : low + ((number128)1 << bits) - 1;
}

static bool begins_node(const struct keyed *keys, size_t at)
{
	return at == 0 || keys[at - 1].low != keys[at].low || keys[at - 1].free_bits != keys[at].free_bits;
}

static size_t nodes_wanted(const struct keyed *keys, size_t count)
{
	size_t wanted = 1;

	for (size_t at = 0; at < count; at++)
		wanted += begins_node(keys, at);
	return wanted;
}

static void tree_make(void *pool, const struct minimise_list *list, unsigned number, struct tree *tree)
{
	void *scratch = pool_child(pool, "keys");
	struct keyed *keys = room_for_keys(scratch, list->entries_count);
	size_t count = 0;

	tree->node_of = pool_array(pool, uint32_t, list->entries_count);
	for (uint32_t entry = 0; entry < list->entries_count; entry++) {
		struct span_of span;

		tree->node_of[entry] = NOWHERE;
		if (!list->entries[entry].is_gone && span_of_entry(&list->entries[entry], number, &span))
			keys[count++] = (struct keyed){ span.low, entry, (uint8_t)free_bits(&span) };
	}
	keys = sort_keys(scratch, keys, count);
	tree->nodes = pool_array(pool, struct node, nodes_wanted(keys, count));
	tree->items = pool_array(pool, uint32_t, count);
	for (size_t at = 0; at < count; at++) {
		tree->items[at] = keys[at].entry;
		if (begins_node(keys, at))
			tree->nodes[tree->nodes_count++] = (struct node){
				.span = { keys[at].low, span_end(keys[at].low, keys[at].free_bits) },
				.items = (uint32_t)at,
			};
		tree->node_of[keys[at].entry] = (uint32_t)(tree->nodes_count - 1);
	}
	tree->nodes[tree->nodes_count].items = (uint32_t)count;
	tree_link(tree);
	talloc_free(scratch);
}

struct meeting *meeting_new(void *pool, const struct minimise_list *list)
{
	struct meeting *meeting = pool_new(pool, struct meeting);

	meeting->list = list;
	meeting->pool = meeting;
	meeting->is_changed = pool_array(meeting, bool, list->entries_count);
	return meeting;
}

void meeting_change(struct meeting *meeting, uint32_t entry)
{
	meeting->near.is_known = false;
	if (meeting->is_changed[entry])
		return;
	meeting->is_changed[entry] = true;
	*pool_append(meeting->pool, meeting, changes) = entry;
}

size_t meeting_changes(const struct meeting *meeting)
{
	return meeting->changes_count;
}

/* --- asking --------------------------------------------------------------------------------------- */

/* What lies inside a span: nodes [begin, end); and around it, `around` and its parents. */
struct found {
	uint32_t begin, end, around;
	size_t count; /* entries */
};

/* The first node that does not stand before the span. */
static uint32_t first_from(const struct tree *tree, const struct span_of *span)
{
	size_t low = 0, high = tree->nodes_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct span_of *other = &tree->nodes[middle].span;

		if (other->low < span->low || (other->low == span->low && other->high > span->high))
			low = middle + 1;
		else
			high = middle;
	}
	return (uint32_t)low;
}

static uint32_t first_behind(const struct tree *tree, const struct span_of *span, uint32_t begin)
{
	size_t low = begin, high = tree->nodes_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tree->nodes[middle].span.low <= span->high)
			low = middle + 1;
		else
			high = middle;
	}
	return (uint32_t)low;
}

static struct found tree_find(const struct tree *tree, const struct span_of *span, uint32_t node)
{
	struct found found;

	if (node != NOWHERE && tree->nodes[node].span.low == span->low &&
	    tree->nodes[node].span.high == span->high) {
		found = (struct found){ node, tree->nodes[node].end, tree->nodes[node].parent, 0 };
	} else {
		found.begin = first_from(tree, span);
		found.end = first_behind(tree, span, found.begin);
		found.around = found.begin == 0 ? NOWHERE : found.begin - 1;
		while (found.around != NOWHERE && !is_around(&tree->nodes[found.around].span, span))
			found.around = tree->nodes[found.around].parent;
	}
	found.count = tree->nodes[found.end].items - tree->nodes[found.begin].items +
		      (found.around != NOWHERE ? tree->nodes[found.around].above : 0);
	return found;
}

struct asking {
	struct meeting *meeting;
	const struct region *region;
	uint32_t *places;
	size_t count, most;
};

/* Most candidates fail by an address; all regions of an entry have its own, unless they are apart. */
static bool may_meet(const struct minimise_entry *entry, const struct region *region)
{
	for (unsigned side = 0; entry->regions == NULL && side < REGION_SIDES; side++)
		if (((entry->value[side] ^ region->value[side]) &
		     ~(entry->wildcard[side] | region->wildcard[side])) != 0)
			return false;
	return true;
}

static bool range_meets(const struct minimise_ports *ports, const struct region *region, enum region_range range)
{
	return ports == NULL || (ports->ranges[0].low <= region->high[range] &&
				 region->low[range] <= ports->ranges[0].high);
}

/* Two ranges at most, and the addresses meet: what minimise_region says of it (minimise.c), without its regions. */
static bool plain_meets(const struct minimise_entry *entry, const struct region *region)
{
	bool looks_inside = entry->first != NULL || entry->second != NULL;
	bool has_whole = region->low[REGION_LATER] == 0, has_later = region->high[REGION_LATER] > 0;
	bool lets_later = looks_inside && entry->is_permit && has_later;
	bool has_ports;

	if (entry->protocol != MINIMISE_PROTOCOL_ANY && (entry->protocol < region->low[REGION_PROTOCOL] ||
							 region->high[REGION_PROTOCOL] < entry->protocol))
		return false;
	has_ports = range_meets(entry->first, region, REGION_FIRST) &&
		    range_meets(entry->second, region, REGION_SECOND);
	if (entry->is_later)
		return lets_later || (has_later && has_ports);
	return lets_later || (has_ports && (has_whole || !looks_inside));
}

static bool is_plain(const struct minimise_entry *entry)
{
	return entry->regions == NULL && (entry->first == NULL || entry->first->count == 1) &&
	       (entry->second == NULL || entry->second->count == 1);
}

static bool entry_meets(const struct minimise_entry *entry, const struct region *region)
{
	struct region part;

	if (!may_meet(entry, region))
		return false;
	if (is_plain(entry))
		return plain_meets(entry, region);
	for (size_t number = 0; minimise_region(entry, number, &part); number++)
		if (region_meets(&part, region))
			return true;
	return false;
}

static void add_place(struct asking *asking, uint32_t entry)
{
	if (asking->count < asking->most)
		asking->places[asking->count] = entry;
	asking->count++;
}

static void ask(struct asking *asking, uint32_t entry)
{
	const struct minimise_entry *asked = &asking->meeting->list->entries[entry];

	if (asking->count <= asking->most && !asked->is_gone && entry_meets(asked, asking->region))
		add_place(asking, entry);
}

/* One whose addresses meet the region's. */
static void ask_near(struct asking *asking, uint32_t entry)
{
	const struct minimise_entry *asked = &asking->meeting->list->entries[entry];

	if (asking->count > asking->most || asked->is_gone)
		return;
	if (is_plain(asked) ? plain_meets(asked, asking->region) : entry_meets(asked, asking->region))
		add_place(asking, entry);
}

static void ask_nodes(struct asking *asking, const struct tree *tree, uint32_t begin, uint32_t end)
{
	for (uint32_t at = tree->nodes[begin].items; at < tree->nodes[end].items; at++)
		if (!asking->meeting->is_changed[tree->items[at]])
			ask(asking, tree->items[at]);
}

static int compare_places(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* Of all sources, or destinations, the tree of these has everything. */
static bool is_of_all(const struct meeting *meeting, const struct region *region, unsigned tree)
{
	number128 all = meeting->list->bits == 128 ? ~(number128)0 : ((number128)1 << meeting->list->bits) - 1;

	return tree != TREE_SERVICES && region->wildcard[tree] == all;
}

static void sort_places(uint32_t *places, size_t count)
{
	if (count > FEW) {
		qsort(places, count, sizeof *places, compare_places);
		return;
	}
	for (size_t index = 1; index < count; index++) {
		uint32_t place = places[index];
		size_t at = index;

		for (; at > 0 && places[at - 1] > place; at--)
			places[at] = places[at - 1];
		places[at] = place;
	}
}

/* The tree with the fewest candidates, of the first ones; made where it is the first time. */
static const struct tree *best_tree(struct meeting *meeting, const struct region *region, uint32_t like,
				    unsigned trees, struct found *best)
{
	const struct tree *tree = NULL;

	best->count = SIZE_MAX;
	for (unsigned number = 0; number < trees && best->count > FEW; number++) {
		struct span_of span = span_of_region(region, number);
		struct found found;

		if (tree != NULL && is_of_all(meeting, region, number))
			continue;
		if (meeting->trees[number].nodes == NULL)
			tree_make(meeting, meeting->list, number, &meeting->trees[number]);
		found = tree_find(&meeting->trees[number], &span,
				  like == UINT32_MAX ? NOWHERE : meeting->trees[number].node_of[like]);
		if (found.count < best->count) {
			*best = found;
			tree = &meeting->trees[number];
		}
	}
	return tree;
}

static void ask_found(struct asking *asking, const struct tree *tree, const struct found *found)
{
	const struct meeting *meeting = asking->meeting;

	ask_nodes(asking, tree, found->begin, found->end);
	for (uint32_t node = found->around; node != NOWHERE; node = tree->nodes[node].parent)
		ask_nodes(asking, tree, node, node + 1);
	for (size_t at = 0; at < meeting->changes_count; at++)
		ask(asking, meeting->changes[at]);
	if (asking->count <= asking->most)
		sort_places(asking->places, asking->count);
}

static bool is_near(const struct near *near, const struct region *region)
{
	for (unsigned side = 0; side < REGION_SIDES; side++)
		if (near->region.value[side] != region->value[side] ||
		    near->region.wildcard[side] != region->wildcard[side])
			return false;
	return near->is_known;
}

/* false: they are too many. */
static bool find_near(struct meeting *meeting, const struct region *region, uint32_t like)
{
	struct near *near = &meeting->near;
	struct asking asking = { .meeting = meeting, .region = &near->region, .places = near->places,
				 .most = NEAR_MOST };
	struct found best;
	const struct tree *tree;

	if (is_near(near, region))
		return true;
	near->is_known = false;
	tree = best_tree(meeting, region, like, TREE_SERVICES, &best);
	if (best.count + meeting->changes_count > NEAR_MOST)
		return false;
	near->region = region_wide(region);
	ask_found(&asking, tree, &best);
	near->count = asking.count;
	near->is_known = true;
	return true;
}

size_t meeting_find(struct meeting *meeting, const struct region *region, uint32_t like, uint32_t *places,
		    size_t most, size_t *steps)
{
	struct asking asking = { .meeting = meeting, .region = region, .places = places, .most = most };
	bool is_whole = region->high[REGION_LATER] == 0, has_near = find_near(meeting, region, like);
	const struct tree *tree = NULL;
	struct found best;
	size_t looked = meeting->near.count + 1;

	if (!has_near) {
		tree = best_tree(meeting, region, like, is_whole ? TREES : TREE_SERVICES, &best);
		looked = best.count + meeting->changes_count + 1;
	}
	if (looked >= *steps) {
		*steps = 0;
		return most + 1;
	}
	*steps -= looked;
	for (size_t at = 0; has_near && at < meeting->near.count; at++)
		ask_near(&asking, meeting->near.places[at]);
	if (!has_near)
		ask_found(&asking, tree, &best);
	return asking.count;
}
