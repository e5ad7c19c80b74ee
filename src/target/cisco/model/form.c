/* IOS's forms of addresses, names and blocks. */
#include "target/cisco/model/form.h"

#include <ctype.h>
#include <string.h>

#include "base/pool.h"

/* --- addresses -------------------------------------------------------------------------------- */

const char *form_address(void *pool, const struct address *address)
{
	struct text *text = text_new(pool);
	address_format(text, address);
	return text->bytes;
}

static number128 low_bits(unsigned count)
{
	return count >= 128 ? ~(number128)0 : ((number128)1 << count) - 1;
}

const char *form_mask(void *pool, unsigned length)
{
	const struct address mask = { FAMILY_IPV4,
				      family_highest(FAMILY_IPV4) ^ low_bits(32 - length) };
	return form_address(pool, &mask);
}

struct ios_place form_place_any(enum family family)
{
	return (struct ios_place){ .value = 0, .wildcard = family_highest(family) };
}

struct ios_place form_place(const struct prefix *prefix)
{
	return (struct ios_place){
		.value = prefix->value,
		.wildcard = low_bits(family_bits(prefix->family) - prefix->length),
	};
}

/* --- what most entries share ------------------------------------------------------------------- */

const struct ios_ports form_ports_any = { .operator = IOS_PORTS_ANY };
const struct ios_extras form_extras_none = { 0 };

/* --- lists --------------------------------------------------------------------------------------- */

/* interval_to_prefixes gives at most so many. */
#define PREFIXES_MOST 254

/* The prefixes of a set, in order. */
struct form_places {
	struct ios_place *items;
	size_t items_count, items_capacity;
};

static struct form_places places_of(void *pool, enum family family, const struct interval_set *set)
{
	struct form_places list = { 0 };
	struct prefix prefixes[PREFIXES_MOST];
	for (size_t i = 0; i < set->items_count; i++) {
		size_t count = interval_to_prefixes(family, &set->items[i], prefixes);
		for (size_t j = 0; j < count; j++)
			*pool_append(pool, &list, items) = form_place(&prefixes[j]);
	}
	return list;
}

size_t form_prefix_count(enum family family, const struct interval_set *set)
{
	struct prefix prefixes[PREFIXES_MOST];
	size_t sum = 0;
	for (size_t i = 0; i < set->items_count; i++)
		sum += interval_to_prefixes(family, &set->items[i], prefixes);
	return sum;
}

void form_entries(void *pool, struct ios_list *list, enum ios_action action,
		  const struct interval_set *source, const struct interval_set *destination)
{
	struct form_places from = places_of(pool, list->family, source);
	struct form_places to = places_of(pool, list->family, destination);
	for (size_t i = 0; i < from.items_count; i++)
		for (size_t j = 0; j < to.items_count; j++)
			*pool_append(pool, list, lines) = (struct ios_line){
				.kind = IOS_LINE_ENTRY,
				.action = action,
				.protocol = IOS_PROTOCOL_IP,
				.source = &from.items[i],
				.destination = &to.items[j],
				.source_ports = &form_ports_any,
				.destination_ports = &form_ports_any,
				.extras = &form_extras_none,
				.icmp_type = IOS_ICMP_ANY,
				.icmp_code = IOS_ICMP_ANY,
				.origin = list->origin,
			};
}

struct ios_list *form_list(void *pool, struct ios_config *config, const char *name, enum family family,
			   struct span origin)
{
	struct ios_list *list = pool_new(pool, struct ios_list);
	list->name = name;
	list->is_numbered = isdigit((unsigned char)name[0]);
	list->family = family;
	list->origin = origin;
	*pool_append(pool, config, lists) = list;
	return list;
}

/* --- blocks -------------------------------------------------------------------------------------- */

struct ios_block form_block(void *pool, const char *format, ...)
{
	struct text *head = text_new(pool);
	va_list arguments;
	va_start(arguments, format);
	text_addv(head, format, arguments);
	va_end(arguments);
	return (struct ios_block){ .head = head->bytes };
}

void form_line(void *pool, struct ios_block *block, const char *format, ...)
{
	struct text *line = text_new(pool);
	va_list arguments;
	va_start(arguments, format);
	text_addv(line, format, arguments);
	va_end(arguments);
	*pool_append(pool, block, lines) = line->bytes;
}

/* --- text ----------------------------------------------------------------------------------------- */

static bool is_printable(char byte)
{
	return byte >= 0x20 && byte < 0x7f;
}

bool form_is_word(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (!is_printable(*text) || *text == ' ' || *text == '?')
			return false;
	return true;
}
