/* Field by field: boxes are sorted by where they begin in the field; those with equal rows go on together to the
 * next field. Where rows cross, the field is cut at all their ends, and each part goes on with the boxes that hold
 * there: copies, of which there may be few. Depth: the number of fields. */
#include "target/nft/walk/boxes.h"

#include <stdlib.h>

#include "base/pool.h"

enum {
	COPIES_A_BOX = 8,
	COPIES_LEAST = 256,
};

struct member {
	struct interval row; /* of the field that is looked at */
	uint32_t box;
};

struct making {
	struct walk_space *space;
	const struct walk_boxes *boxes;
	void *pool; /* until it is made */
	diagram outside;
	size_t copies; /* that may still be made */
	bool is_over;
};

struct members {
	struct member *items;
	size_t count;
};

static diagram make(struct making *making, struct members members, size_t field);

static int compare_members(const void *left, const void *right)
{
	const struct member *a = left, *b = right;
	if (a->row.low != b->row.low)
		return a->row.low < b->row.low ? -1 : 1;
	if (a->row.high != b->row.high)
		return a->row.high < b->row.high ? -1 : 1;
	return (a->box > b->box) - (a->box < b->box);
}

static void sort_members(const struct making *making, struct members members, size_t field)
{
	bool is_sorted = true;
	for (size_t i = 0; i < members.count; i++) {
		members.items[i].row = making->boxes->items[members.items[i].box].rows[field];
		is_sorted = is_sorted && (i == 0 || compare_members(&members.items[i - 1], &members.items[i]) < 0);
	}
	if (!is_sorted)
		qsort(members.items, members.count, sizeof *members.items, compare_members);
}

/* Behind the last field: the first box. */
static diagram first_inside(const struct making *making, struct members members)
{
	uint32_t first = members.items[0].box;
	for (size_t i = 1; i < members.count; i++)
		first = members.items[i].box < first ? members.items[i].box : first;
	return making->boxes->items[first].inside;
}

/* --- rows that cross -------------------------------------------------------------------------------- */

static int compare_ends(const void *left, const void *right)
{
	const number128 *a = left, *b = right;
	return (*a > *b) - (*a < *b);
}

/* Where parts end, ascending; the same end may stand there twice. */
static number128 *ends_of(const struct making *making, struct members members, size_t *count)
{
	number128 *ends = pool_array(making->pool, number128, 2 * members.count);
	*count = 0;
	for (size_t i = 0; i < members.count; i++) {
		ends[(*count)++] = members.items[i].row.high;
		if (members.items[i].row.low > members.items[0].row.low)
			ends[(*count)++] = members.items[i].row.low - 1;
	}
	qsort(ends, *count, sizeof *ends, compare_ends);
	return ends;
}

static struct members holding(struct making *making, struct members members, number128 value)
{
	struct members held = { pool_array(making->pool, struct member, members.count), 0 };
	for (size_t i = 0; i < members.count; i++)
		if (members.items[i].row.low <= value && members.items[i].row.high >= value)
			held.items[held.count++] = members.items[i];
	making->is_over = making->is_over || members.count > making->copies;
	making->copies -= making->is_over ? 0 : members.count;
	return held;
}

/* Between the first's low side and the highest end every value is in one of them. */
static void add_crossing(struct making *making, struct members members, size_t field, size_t base)
{
	struct diagrams *diagrams = making->space->diagrams;
	size_t count;
	number128 *ends = ends_of(making, members, &count);
	for (size_t i = 0; i < count && !making->is_over; i++) {
		if (i != 0 && ends[i] == ends[i - 1])
			continue;
		struct members held = holding(making, members, ends[i]);
		if (!making->is_over)
			diagram_row_add(diagrams, base, ends[i], make(making, held, field + 1));
		talloc_free(held.items);
	}
	talloc_free(ends);
}

/* --- a field ---------------------------------------------------------------------------------------- */

/* The end of those whose rows are one with the first's, or cross it, or each other; the highest of them. */
static size_t end_of_run(struct members members, size_t first, bool *is_crossed, number128 *high)
{
	const struct interval *row = &members.items[first].row;
	size_t end = first + 1;
	*high = row->high;
	*is_crossed = false;
	for (; end < members.count && members.items[end].row.low <= *high; end++) {
		const struct interval *other = &members.items[end].row;
		*is_crossed = *is_crossed || other->low != row->low || other->high != row->high;
		*high = other->high > *high ? other->high : *high;
	}
	return end;
}

static diagram make(struct making *making, struct members members, size_t field)
{
	struct diagrams *diagrams = making->space->diagrams;
	if (field == making->boxes->fields_count)
		return first_inside(making, members);
	sort_members(making, members, field);
	size_t base = diagram_row_begin(diagrams);
	number128 high = DIAGRAM_HIGHEST;
	for (size_t first = 0, end; first < members.count && !making->is_over; first = end) {
		bool is_crossed;
		number128 low = members.items[first].row.low;
		if (low > (first == 0 ? 0 : high + 1))
			diagram_row_add(diagrams, base, low - 1, making->outside);
		end = end_of_run(members, first, &is_crossed, &high);
		const struct members run = { members.items + first, end - first };
		if (is_crossed)
			add_crossing(making, run, field, base);
		else
			diagram_row_add(diagrams, base, high, make(making, run, field + 1));
	}
	if (making->is_over) {
		diagram_row_drop(diagrams, base);
		return making->outside;
	}
	if (high != DIAGRAM_HIGHEST)
		diagram_row_add(diagrams, base, DIAGRAM_HIGHEST, making->outside);
	return diagram_row_end(diagrams, base, making->boxes->ranks[field]);
}

/* --- the whole -------------------------------------------------------------------------------------- */

bool walk_box_row(const struct walk_space *space, uint32_t rank, struct interval *values, number128 highest)
{
	if (values->high >= highest)
		values->high = DIAGRAM_HIGHEST;
	for (size_t i = 0; i < space->parts_count; i++) {
		const struct diagram_part *part = &space->parts[i];
		if (part->field != rank)
			continue;
		if (values->low > part->high || values->high < part->low)
			return false;
		values->low = values->low <= part->low ? 0 : values->low;
		values->high = values->high >= part->high ? DIAGRAM_HIGHEST : values->high;
	}
	return true;
}

bool walk_boxes_meaning(struct walk_space *space, const struct walk_boxes *boxes, diagram outside, diagram *made)
{
	struct making making = {
		.space = space, .boxes = boxes, .pool = pool_child(boxes->pool, "boxes"), .outside = outside,
		.copies = boxes->items_count * COPIES_A_BOX + COPIES_LEAST,
	};
	struct members all = { pool_array(making.pool, struct member, boxes->items_count + 1), boxes->items_count };
	for (size_t i = 0; i < all.count; i++)
		all.items[i].box = (uint32_t)i;
	*made = all.count == 0 ? outside : make(&making, all, 0);
	talloc_free(making.pool);
	return !making.is_over;
}

diagram walk_box_meaning(struct walk_space *space, const struct walk_boxes *boxes, const struct walk_box *box,
			 diagram outside)
{
	diagram at = box->inside;
	for (size_t field = boxes->fields_count; field-- > 0;) {
		const struct interval_set values = { (struct interval *)(uintptr_t)&box->rows[field], 1, 1 };
		at = diagram_choose(space->diagrams, boxes->ranks[field], &values, at, outside);
	}
	return at;
}
