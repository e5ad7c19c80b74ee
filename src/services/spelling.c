/* Sets of pairs are looked up by their text. */
#include "services/spelling.h"

#include <ctype.h>
#include <string.h>

#include "base/pool.h"
#include "diag/visible.h"
#include "net/protocol.h"

struct spelling {
	void *pool;
	struct names *by_pairs; /* struct service */
};

void spelling_safe(struct text *out, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		struct glyph glyph = glyph_at(text, length);

		if (glyph.is_escaped || glyph.is_malformed)
			text_add_char(out, ' ');
		else if (*text == '"')
			text_add_char(out, '\'');
		else
			text_add_bytes(out, text, glyph.bytes);
		text += glyph.bytes;
		length -= glyph.bytes;
	}
}

bool spelling_is_plain(const char *name)
{
	static const char *const reserved[] = { "any", "except", "from", "internet", "self", "to" };
	bool has_letter = false;

	for (size_t index = 0; index < sizeof reserved / sizeof reserved[0]; index++)
		if (strcmp(name, reserved[index]) == 0)
			return false;
	for (const char *byte = name; *byte != '\0'; byte++) {
		bool is_letter = isalpha((unsigned char)*byte);

		if (!is_letter && !isdigit((unsigned char)*byte) && *byte != '_' &&
		    (byte == name || strchr(".+-", *byte) == NULL))
			return false;
		has_letter = has_letter || is_letter;
	}
	return has_letter;
}

static const char *pairs_text(void *pool, const struct tuple_set *set)
{
	struct text *text = text_new(pool);

	for (size_t index = 0; index < set->tuples_count; index++) {
		text_add(text, index > 0 ? ", " : "");
		tuple_format(text, &set->tuples[index]);
	}
	return text->bytes;
}

/* Names of protocols, not of products that happen to listen there: 8080/tcp is no one's. */
static bool is_well_known(const struct service *service)
{
	for (size_t index = 0; index < service->sources_count; index++)
		if (strncmp(service->sources[index], "vendor:", strlen("vendor:")) != 0 &&
		    strncmp(service->sources[index], "role:", strlen("role:")) != 0)
			return true;
	return false;
}

static bool is_usable(const struct service *service)
{
	return !service->is_tag && service->helper == NULL && service->parts_count == 0 &&
	       service->own.tuples_count > 0 && spelling_is_plain(service->name) && is_well_known(service);
}

struct spelling *spelling_new(void *pool, const struct service_database *database)
{
	struct spelling *spelling = pool_new(pool, struct spelling);

	*spelling = (struct spelling){ .pool = spelling, .by_pairs = names_new(spelling, false) };
	for (size_t index = 0; index < database->items_count; index++) {
		struct service *service = database->items[index], *known;
		const char *pairs;

		if (!is_usable(service))
			continue;
		pairs = pairs_text(spelling, &service->own);
		known = names_find(spelling->by_pairs, pairs, strlen(pairs));
		if (known == NULL || strlen(service->name) < strlen(known->name))
			names_set(spelling->by_pairs, pairs, strlen(pairs), service);
	}
	return spelling;
}

static bool add_known(const struct spelling *spelling, struct text *out, const struct tuple_set *set)
{
	const char *pairs = pairs_text(spelling->pool, set);
	const struct service *service = names_find(spelling->by_pairs, pairs, strlen(pairs));

	if (service != NULL)
		text_add(out, service->name);
	return service != NULL;
}

static bool is_icmp(const struct service_tuple *tuple)
{
	return (tuple->protocol == PROTOCOL_ICMP || tuple->protocol == PROTOCOL_ICMP6) &&
	       (tuple->first.low != 0 || tuple->first.high < UINT8_MAX || tuple->second.low != 0 ||
		tuple->second.high < UINT8_MAX);
}

static bool has_all_codes(const struct service_tuple *tuple)
{
	return tuple->second.low == 0 && tuple->second.high >= UINT8_MAX;
}

size_t spelling_count(const struct tuple_set *set)
{
	size_t count = 0;

	for (size_t index = 0; index < set->tuples_count; index++) {
		const struct service_tuple *tuple = &set->tuples[index];
		size_t types = tuple->first.high - tuple->first.low + 1u;
		size_t codes = has_all_codes(tuple) ? 1 : tuple->second.high - tuple->second.low + 1u;

		count += is_icmp(tuple) ? types * codes : 1;
	}
	return count;
}

/* Numbers of one type, and of one code or all. */
static void split_icmp(void *pool, const struct service_tuple *tuple, struct tuple_set *set)
{
	for (unsigned type = tuple->first.low; type <= tuple->first.high; type++)
		for (unsigned code = tuple->second.low; code <= tuple->second.high; code++) {
			struct service_tuple one = *tuple;

			one.first = (struct port_range){ (uint16_t)type, (uint16_t)type };
			if (!has_all_codes(tuple))
				one.second = (struct port_range){ (uint16_t)code, (uint16_t)code };
			tuple_set_add(pool, set, one);
			if (has_all_codes(tuple))
				break;
		}
}

void spelling_services(const struct spelling *spelling, struct text *out, const struct tuple_set *set)
{
	struct tuple_set items = { 0 };

	if (add_known(spelling, out, set))
		return;
	for (size_t index = 0; index < set->tuples_count; index++)
		if (is_icmp(&set->tuples[index]))
			split_icmp(spelling->pool, &set->tuples[index], &items);
		else
			tuple_set_add(spelling->pool, &items, set->tuples[index]);
	for (size_t index = 0; index < items.tuples_count; index++) {
		const struct tuple_set one = { .tuples = &items.tuples[index], .tuples_count = 1 };

		text_add(out, index > 0 ? ", " : "");
		if (!add_known(spelling, out, &one))
			tuple_format(out, one.tuples);
	}
}
