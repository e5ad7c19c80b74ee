/* Interface sets and place boxes.
 *
 * The normal form of a union of boxes: interface sets are disjoint, address sets are all
 * different, no box is empty. It is unique: seen from one interface there is one set of
 * addresses, and interfaces with the same addresses stand in one box. Every operation
 * therefore works interface set by interface set, and joins equal addresses at its end. */
#include "net/placebox.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

/* --- interfaces ------------------------------------------------------------------------ */

struct interface_set interface_set_all(void)
{
	return (struct interface_set){ .is_complement = true };
}

bool interface_set_is_all(const struct interface_set *set)
{
	return set->is_complement && set->names_count == 0;
}

bool interface_set_is_empty(const struct interface_set *set)
{
	return !set->is_complement && set->names_count == 0;
}

/* Plain sets before complements, then name by name. */
static int interface_set_compare(const struct interface_set *a, const struct interface_set *b)
{
	if (a->is_complement != b->is_complement)
		return a->is_complement ? 1 : -1;
	for (size_t i = 0; i < a->names_count && i < b->names_count; i++) {
		int order = strcmp(a->names[i], b->names[i]);
		if (order != 0)
			return order;
	}
	return (a->names_count > b->names_count) - (a->names_count < b->names_count);
}

bool interface_set_equals(const struct interface_set *a, const struct interface_set *b)
{
	return a->names_count == b->names_count && interface_set_compare(a, b) == 0;
}

static bool is_named(const struct interface_set *set, const char *name)
{
	size_t low = 0, high = set->names_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(set->names[middle], name);
		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool interface_set_contains(const struct interface_set *set, const char *name)
{
	return is_named(set, name) != set->is_complement;
}

/* Which names a walk over two sorted lists keeps. */
struct kept_names {
	bool only_a, both, only_b;
};

static struct interface_set merge_names(void *pool, const struct interface_set *a,
					const struct interface_set *b, struct kept_names kept)
{
	struct interface_set merged = { 0 };
	if (a->names_count + b->names_count != 0)
		merged.names = pool_array(pool, const char *, a->names_count + b->names_count);
	for (size_t i = 0, j = 0; i < a->names_count || j < b->names_count;) {
		int order = i == a->names_count   ? 1
			    : j == b->names_count ? -1
						  : strcmp(a->names[i], b->names[j]);
		bool is_kept = order < 0 ? kept.only_a : order > 0 ? kept.only_b : kept.both;
		const char *name = order <= 0 ? a->names[i] : b->names[j];
		i += order <= 0;
		j += order >= 0;
		if (is_kept)
			merged.names[merged.names_count++] = name;
	}
	return merged;
}

static struct interface_set complement(struct interface_set set)
{
	set.is_complement = !set.is_complement;
	return set;
}

struct interface_set interface_set_intersect(void *pool, const struct interface_set *a,
					     const struct interface_set *b)
{
	if (interface_set_is_all(a))
		return *b;
	if (interface_set_is_all(b))
		return *a;
	if (a->is_complement && b->is_complement)
		return complement(merge_names(pool, a, b, (struct kept_names){ true, true, true }));
	if (a->is_complement)
		return merge_names(pool, a, b, (struct kept_names){ .only_b = true });
	if (b->is_complement)
		return merge_names(pool, a, b, (struct kept_names){ .only_a = true });
	return merge_names(pool, a, b, (struct kept_names){ .both = true });
}

struct interface_set interface_set_subtract(void *pool, const struct interface_set *a,
					    const struct interface_set *b)
{
	struct interface_set rest = complement(*b);
	return interface_set_intersect(pool, a, &rest);
}

struct interface_set interface_set_union(void *pool, const struct interface_set *a,
					 const struct interface_set *b)
{
	struct interface_set not_a = complement(*a), not_b = complement(*b);
	return complement(interface_set_intersect(pool, &not_a, &not_b));
}

bool interface_sets_overlap(const struct interface_set *a, const struct interface_set *b)
{
	if (a->is_complement && b->is_complement)
		return true;
	const struct interface_set *plain = a->is_complement ? b : a;
	const struct interface_set *other = a->is_complement ? a : b;
	for (size_t i = 0; i < plain->names_count; i++)
		if (interface_set_contains(other, plain->names[i]))
			return true;
	return false;
}

bool interface_set_includes(const struct interface_set *outer, const struct interface_set *inner)
{
	struct interface_set rest = complement(*outer);
	return !interface_sets_overlap(inner, &rest);
}

/* --- addresses, sharing what need not be copied -------------------------------------------- */

static struct interval_set part_intersect(void *pool, const struct interval_set *a,
					  const struct interval_set *b, enum family family)
{
	const struct interval whole = { 0, family_highest(family) };
	if (a->items == b->items && a->items_count == b->items_count)
		return *a;
	if (b->items_count == 1 && b->items[0].low == whole.low && b->items[0].high == whole.high)
		return *a;
	if (a->items_count == 1 && a->items[0].low == whole.low && a->items[0].high == whole.high)
		return *b;
	return interval_set_intersect(pool, a, b);
}

static struct address_set shared_intersect(void *pool, const struct address_set *a,
					   const struct address_set *b)
{
	return (struct address_set){
		.v4 = part_intersect(pool, &a->v4, &b->v4, FAMILY_IPV4),
		.v6 = part_intersect(pool, &a->v6, &b->v6, FAMILY_IPV6),
	};
}

static struct address_set shared_subtract(void *pool, const struct address_set *a,
					  const struct address_set *b)
{
	return address_set_overlaps(a, b) ? address_set_subtract(pool, a, b) : *a;
}

/* --- boxes ------------------------------------------------------------------------------- */

static void add_box(void *pool, struct place_boxes *boxes, struct interface_set interfaces,
		    struct address_set addresses)
{
	if (interface_set_is_empty(&interfaces) || address_set_is_empty(&addresses))
		return;
	*pool_append(pool, boxes, boxes) = (struct place_box){ interfaces, addresses };
}

static int compare_boxes(const void *left, const void *right)
{
	const struct place_box *a = left, *b = right;
	return interface_set_compare(&a->interfaces, &b->interfaces);
}

static uint64_t address_set_hash(const struct address_set *set)
{
	return interval_set_hash(&set->v4) * 31 + interval_set_hash(&set->v6);
}

/* From disjoint interface sets to the normal form. */
static struct place_boxes joined(void *pool, const struct place_boxes *pieces)
{
	struct place_boxes result = { 0 };
	uint64_t *hashes = pieces->boxes_count == 0 ? NULL :
			   pool_array(pool, uint64_t, pieces->boxes_count);
	for (size_t i = 0; i < pieces->boxes_count; i++) {
		const struct place_box *piece = &pieces->boxes[i];
		uint64_t hash = address_set_hash(&piece->addresses);
		size_t same = 0;
		while (same < result.boxes_count &&
		       (hashes[same] != hash ||
			!address_set_equals(&result.boxes[same].addresses, &piece->addresses)))
			same++;
		if (same == result.boxes_count) {
			hashes[same] = hash;
			add_box(pool, &result, piece->interfaces, piece->addresses);
		} else {
			result.boxes[same].interfaces = interface_set_union(
				pool, &result.boxes[same].interfaces, &piece->interfaces);
		}
	}
	talloc_free(hashes);
	if (result.boxes_count > 1)
		qsort(result.boxes, result.boxes_count, sizeof *result.boxes, compare_boxes);
	return result;
}

/* What is left of the interfaces when those of all boxes are taken away. */
static struct interface_set interfaces_outside(void *pool, struct interface_set interfaces,
					       const struct place_boxes *boxes)
{
	for (size_t i = 0; i < boxes->boxes_count; i++)
		interfaces = interface_set_subtract(pool, &interfaces, &boxes->boxes[i].interfaces);
	return interfaces;
}

/* One more box to boxes with disjoint interfaces; gives such boxes again. */
static struct place_boxes with_box(void *pool, const struct place_boxes *boxes,
				   const struct place_box *added)
{
	struct place_boxes result = { 0 };
	for (size_t i = 0; i < boxes->boxes_count; i++) {
		const struct place_box *box = &boxes->boxes[i];
		if (!interface_sets_overlap(&box->interfaces, &added->interfaces)) {
			add_box(pool, &result, box->interfaces, box->addresses);
			continue;
		}
		add_box(pool, &result,
			interface_set_intersect(pool, &box->interfaces, &added->interfaces),
			address_set_union(pool, &box->addresses, &added->addresses));
		add_box(pool, &result,
			interface_set_subtract(pool, &box->interfaces, &added->interfaces),
			box->addresses);
	}
	add_box(pool, &result, interfaces_outside(pool, added->interfaces, boxes), added->addresses);
	return result;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The names of all boxes that name theirs, sorted; a complement, of which there may be one, goes to
 * *other. false: there are two. */
static bool plain_names(void *pool, const struct place_boxes *boxes, struct interface_set *names,
			const struct interface_set **other)
{
	size_t capacity = 0;
	for (size_t i = 0; i < boxes->boxes_count; i++) {
		const struct interface_set *set = &boxes->boxes[i].interfaces;
		if (set->is_complement && *other != NULL)
			return false;
		if (set->is_complement) {
			*other = set;
			continue;
		}
		names->names = pool_grow(pool, names->names, &capacity,
					 names->names_count + set->names_count, sizeof *names->names);
		for (size_t k = 0; k < set->names_count; k++)
			names->names[names->names_count++] = set->names[k];
	}
	if (names->names_count > 1)
		qsort(names->names, names->names_count, sizeof *names->names, compare_names);
	return true;
}

/* Is no interface in two boxes? */
static bool has_disjoint_interfaces(void *pool, const struct place_boxes *boxes)
{
	if (boxes->boxes_count < 2)
		return true;
	struct interface_set names = { 0 };
	const struct interface_set *other = NULL;
	bool is_disjoint = plain_names(pool, boxes, &names, &other);
	for (size_t i = 1; i < names.names_count && is_disjoint; i++)
		is_disjoint = strcmp(names.names[i - 1], names.names[i]) != 0;
	if (is_disjoint && other != NULL)
		is_disjoint = !interface_sets_overlap(&names, other);
	talloc_free(names.names);
	return is_disjoint;
}

/* Any union of boxes as one with disjoint interfaces. Results of this file are such already. */
static struct place_boxes by_interface(void *pool, const struct place_boxes *boxes)
{
	if (has_disjoint_interfaces(pool, boxes))
		return *boxes;
	struct place_boxes result = { 0 };
	for (size_t i = 0; i < boxes->boxes_count; i++)
		result = with_box(pool, &result, &boxes->boxes[i]);
	return result;
}

struct place_boxes place_boxes_all(void *pool)
{
	struct place_boxes all = { 0 };
	add_box(pool, &all, interface_set_all(), address_set_all(pool));
	return all;
}

struct place_boxes place_boxes_intersect(void *pool, const struct place_boxes *a,
					 const struct place_boxes *b)
{
	struct place_boxes pieces = { 0 };
	struct place_boxes left = by_interface(pool, a), right = by_interface(pool, b);
	for (size_t i = 0; i < left.boxes_count; i++)
		for (size_t j = 0; j < right.boxes_count; j++) {
			const struct place_box *one = &left.boxes[i], *other = &right.boxes[j];
			if (!interface_sets_overlap(&one->interfaces, &other->interfaces))
				continue;
			add_box(pool, &pieces,
				interface_set_intersect(pool, &one->interfaces, &other->interfaces),
				shared_intersect(pool, &one->addresses, &other->addresses));
		}
	return joined(pool, &pieces);
}

struct place_boxes place_boxes_subtract(void *pool, const struct place_boxes *a,
					const struct place_boxes *b)
{
	struct place_boxes pieces = { 0 };
	struct place_boxes left = by_interface(pool, a), right = by_interface(pool, b);
	for (size_t i = 0; i < left.boxes_count; i++) {
		const struct place_box *one = &left.boxes[i];
		for (size_t j = 0; j < right.boxes_count; j++) {
			const struct place_box *other = &right.boxes[j];
			if (!interface_sets_overlap(&one->interfaces, &other->interfaces))
				continue;
			add_box(pool, &pieces,
				interface_set_intersect(pool, &one->interfaces, &other->interfaces),
				shared_subtract(pool, &one->addresses, &other->addresses));
		}
		add_box(pool, &pieces, interfaces_outside(pool, one->interfaces, &right),
			one->addresses);
	}
	return joined(pool, &pieces);
}

struct place_boxes place_boxes_union(void *pool, const struct place_boxes *a,
				     const struct place_boxes *b)
{
	struct place_boxes pieces = by_interface(pool, a);
	for (size_t j = 0; j < b->boxes_count; j++)
		pieces = with_box(pool, &pieces, &b->boxes[j]);
	return joined(pool, &pieces);
}

static struct place_boxes all_boxes(void *pool, const struct place_boxes *parts, size_t count)
{
	struct place_boxes all = { 0 };
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < parts[i].boxes_count; k++)
			*pool_append(pool, &all, boxes) = parts[i].boxes[k];
	return all;
}

/* By halves, so that it goes as deep as the count has digits. */
struct place_boxes place_boxes_union_all(void *pool, const struct place_boxes *parts, size_t count)
{
	if (count == 0)
		return (struct place_boxes){ 0 };
	if (count == 1)
		return parts[0];
	struct place_boxes all = all_boxes(pool, parts, count);
	if (has_disjoint_interfaces(pool, &all))
		return joined(pool, &all);
	talloc_free(all.boxes);
	size_t half = count / 2;
	struct place_boxes left = place_boxes_union_all(pool, parts, half);
	struct place_boxes right = place_boxes_union_all(pool, parts + half, count - half);
	return place_boxes_union(pool, &left, &right);
}

static bool is_same(const struct place_boxes *a, const struct place_boxes *b)
{
	if (a->boxes_count != b->boxes_count)
		return false;
	for (size_t i = 0; i < a->boxes_count; i++)
		if (!interface_set_equals(&a->boxes[i].interfaces, &b->boxes[i].interfaces) ||
		    !address_set_equals(&a->boxes[i].addresses, &b->boxes[i].addresses))
			return false;
	return true;
}

bool place_boxes_equals(const struct place_boxes *a, const struct place_boxes *b)
{
	if (is_same(a, b))
		return true;
	void *scratch = pool_child(NULL, "place_boxes_equals");
	struct place_boxes none = { 0 };
	struct place_boxes left = place_boxes_union(scratch, a, &none);
	struct place_boxes right = place_boxes_union(scratch, b, &none);
	bool is_equal = is_same(&left, &right);
	talloc_free(scratch);
	return is_equal;
}
