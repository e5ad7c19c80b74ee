/* Cutting to families shares memory wherever nothing is cut. */
#include "expand/product.h"

#include "base/pool.h"

unsigned boxes_families(const struct place_boxes *boxes)
{
	unsigned families = FAMILIES_NONE;

	for (size_t index = 0; index < boxes->boxes_count; index++)
		families |= address_set_families(&boxes->boxes[index].addresses);
	return families;
}

struct place_boxes boxes_in_families(struct side_context *context, const struct place_boxes *boxes,
				     unsigned families)
{
	struct place_boxes cut = { 0 };

	if ((boxes_families(boxes) & ~families) == 0)
		return *boxes;
	cut.boxes = arena_array(context->arena, struct place_box, boxes->boxes_count);
	cut.boxes_capacity = boxes->boxes_count;
	for (size_t index = 0; index < boxes->boxes_count; index++) {
		struct place_box box = boxes->boxes[index];

		if ((families & FAMILIES_IPV4) == 0)
			box.addresses.v4 = (struct interval_set){ 0 };
		if ((families & FAMILIES_IPV6) == 0)
			box.addresses.v6 = (struct interval_set){ 0 };
		if (!address_set_is_empty(&box.addresses))
			cut.boxes[cut.boxes_count++] = box;
	}
	return cut;
}

unsigned tuples_families(const struct tuple_set *tuples)
{
	unsigned families = FAMILIES_NONE;

	for (size_t index = 0; index < tuples->tuples_count; index++)
		families |= tuples->tuples[index].families;
	return families;
}

struct tuple_set tuples_in_families(void *pool, const struct tuple_set *tuples, unsigned families)
{
	struct tuple_set cut = { 0 };
	bool is_whole = true;

	for (size_t index = 0; index < tuples->tuples_count; index++)
		is_whole = is_whole && (tuples->tuples[index].families & families) != 0;
	if (is_whole)
		return *tuples;
	for (size_t index = 0; index < tuples->tuples_count; index++)
		if ((tuples->tuples[index].families & families) != 0)
			tuple_set_add(pool, &cut, tuples->tuples[index]);
	return cut;
}
