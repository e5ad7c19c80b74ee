/* Very large sets are cut: their size and first elements tell enough to a reader. */
#include "resolve/print_sets.h"

#define SHOWN_MOST 32 /* elements of one set */

static void print_part(struct text *out, const struct address_set *set, enum family family,
		       const char **separator)
{
	const struct interval_set *part = address_set_family(set, family);
	if (address_set_is_whole(set, family)) {
		text_addf(out, "%s%s", *separator, family == FAMILY_IPV4 ? "any-ipv4" : "any-ipv6");
		*separator = ", ";
		return;
	}
	for (size_t i = 0; i < part->items_count; i++) {
		text_add(out, *separator);
		*separator = ", ";
		if (i == SHOWN_MOST) {
			text_addf(out, "… %zu more", part->items_count - i);
			return;
		}
		address_interval_format(out, family, &part->items[i]);
	}
}

void address_set_print(struct text *out, const struct address_set *set)
{
	const char *separator = "";
	if (address_set_is_all(set)) {
		text_add(out, "any");
		return;
	}
	print_part(out, set, FAMILY_IPV4, &separator);
	print_part(out, set, FAMILY_IPV6, &separator);
	if (address_set_is_empty(set))
		text_add(out, "nothing");
}

static void print_interfaces(struct text *out, const struct interface_set *set)
{
	if (interface_set_is_all(set)) {
		text_add(out, "*");
		return;
	}
	text_add(out, set->is_complement ? "not {" : "{");
	for (size_t i = 0; i < set->names_count; i++)
		text_addf(out, "%s%s", i == 0 ? "" : ", ", set->names[i]);
	text_add(out, "}");
}

void place_boxes_print(struct text *out, const struct place_boxes *boxes)
{
	for (size_t i = 0; i < boxes->boxes_count; i++) {
		text_add(out, i == 0 ? "" : " + ");
		print_interfaces(out, &boxes->boxes[i].interfaces);
		text_add(out, " x (");
		address_set_print(out, &boxes->boxes[i].addresses);
		text_add(out, ")");
	}
	if (boxes->boxes_count == 0)
		text_add(out, "nothing");
}

void tuple_set_print(struct text *out, const struct tuple_set *set)
{
	for (size_t i = 0; i < set->tuples_count; i++) {
		text_add(out, i == 0 ? "" : ", ");
		tuple_format(out, &set->tuples[i]);
	}
}
