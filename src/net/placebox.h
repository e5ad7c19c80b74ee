/* Interface sets and place boxes: (interfaces x addresses), the unit that places are unions of.
 *
 * Values are immutable once shared; results are allocated in the pool given and may share
 * parts with their operands. */
#ifndef FWC_NET_PLACEBOX_H
#define FWC_NET_PLACEBOX_H

#include "net/address.h"

/* A set of interface names, or the complement of one; sorted by strcmp, unique.
 * {is_complement, no names} is every interface. */
struct interface_set {
	const char **names;
	uint32_t names_count; /* small: each address of a policy stands in a box */
	bool is_complement;
};

struct interface_set interface_set_all(void);
bool interface_set_is_all(const struct interface_set *set);
bool interface_set_is_empty(const struct interface_set *set);
bool interface_set_equals(const struct interface_set *a, const struct interface_set *b);
bool interface_sets_overlap(const struct interface_set *a, const struct interface_set *b);
bool interface_set_includes(const struct interface_set *outer, const struct interface_set *inner);
bool interface_set_contains(const struct interface_set *set, const char *name);
struct interface_set interface_set_intersect(void *pool, const struct interface_set *a,
					     const struct interface_set *b);
struct interface_set interface_set_subtract(void *pool, const struct interface_set *a,
					    const struct interface_set *b);
struct interface_set interface_set_union(void *pool, const struct interface_set *a,
					 const struct interface_set *b);

struct place_box {
	struct interface_set interfaces;
	struct address_set addresses;
};

/* A union of disjoint boxes. */
struct place_boxes {
	struct place_box *boxes;
	size_t boxes_count, boxes_capacity;
};

/* Every result is disjoint, joined where two boxes differ in one field only, and in a fixed order
 * (interfaces, then addresses); no box is empty. */
struct place_boxes place_boxes_all(void *pool);
struct place_boxes place_boxes_intersect(void *pool, const struct place_boxes *a,
					 const struct place_boxes *b);
struct place_boxes place_boxes_subtract(void *pool, const struct place_boxes *a,
					const struct place_boxes *b);
struct place_boxes place_boxes_union(void *pool, const struct place_boxes *a,
				     const struct place_boxes *b);
/* Of many at once: costs the sum, where one after the other would cost the square. */
struct place_boxes place_boxes_union_all(void *pool, const struct place_boxes *parts, size_t count);
bool place_boxes_equals(const struct place_boxes *a, const struct place_boxes *b);

#endif
