/* Sets of pairs are looked up by their text. */
#include "services/spelling.h"

#include <ctype.h>
#include <string.h>

#include "base/pool.h"
#include "diag/visible.h"

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

void spelling_services(const struct spelling *spelling, struct text *out, const struct tuple_set *set)
{
	if (add_known(spelling, out, set))
		return;
	for (size_t index = 0; index < set->tuples_count; index++) {
		const struct tuple_set one = { .tuples = &set->tuples[index], .tuples_count = 1 };

		text_add(out, index > 0 ? ", " : "");
		if (!add_known(spelling, out, &one))
			tuple_format(out, one.tuples);
	}
}
