#include "target/cisco/edit/names.h"

#include <string.h>

#include "base/pool.h"
#include "target/cisco/read/line.h"
#include "target/cisco/read/read.h"

/* --- uses ------------------------------------------------------------------------------------------ */

static size_t bindings_count(const struct acl_binding *bindings, size_t count, enum family family,
			     const char *name)
{
	size_t uses = 0;

	for (size_t index = 0; index < count; index++)
		uses += bindings[index].family == family && strcmp(bindings[index].list, name) == 0;
	return uses;
}

static bool is_name(const char *text, const char *name)
{
	return text != NULL && strcmp(text, name) == 0;
}

size_t edit_names_uses(const struct acl_config *router, enum family family, const char *name)
{
	size_t uses = 0;

	for (size_t index = 0; index < router->interfaces_count; index++)
		uses += bindings_count(router->interfaces[index]->bindings,
				       router->interfaces[index]->bindings_count, family, name);
	for (size_t index = 0; index < router->crypto_maps_count; index++) {
		const struct acl_crypto_map *map = router->crypto_maps[index];

		uses += bindings_count(map->bindings, map->bindings_count, family, name);
		uses += family == FAMILY_IPV4 && is_name(map->list, name);
	}
	for (size_t index = 0; family == FAMILY_IPV4 && index < router->nats_count; index++)
		uses += router->nats[index].kind == ACL_NAT_LIST && is_name(router->nats[index].list, name);
	return uses;
}

/* Lines that define a list, are counted above, or only talk. */
static bool names_no_list(struct acl_line *line)
{
	static const char *const words[] = { "access-list", "banner", "deny", "description", "evaluate", "hostname",
					     "permit", "remark", "sequence" };
	static const char *const phrases[][2] = {
		{ "ip", "access-list" },   { "ipv6", "access-list" }, { "ip", "access-group" },
		{ "ipv6", "traffic-filter" }, { "ip", "nat" }, { "match", "address" }, { "set", "ip" },
	};

	for (size_t index = 0; index < sizeof words / sizeof words[0]; index++)
		if (acl_line_is(line, words[index]))
			return true;
	for (size_t index = 0; index < sizeof phrases / sizeof phrases[0]; index++)
		if (acl_line_skip_words(line, phrases[index][0], phrases[index][1]))
			return true;
	return line->words_count == 0 || line->words[0].at[0] == '!' ||
	       (line->words[0].at[0] >= '0' && line->words[0].at[0] <= '9');
}

/* `bandwidth 100` is no list. */
static bool speaks_of_lists(struct acl_word word)
{
	static const char *const parts[] = { "access", "address", "boundary", "community",
					     "filter", "list", "match", "verify" };

	for (size_t index = 0; index < sizeof parts / sizeof parts[0]; index++)
		if (memmem(word.at, word.length, parts[index], strlen(parts[index])) != NULL)
			return true;
	return false;
}

static bool mentions(struct acl_line *line, const char *name)
{
	bool is_named = name[0] < '0' || name[0] > '9', is_about_lists = is_named;

	if (names_no_list(line))
		return false;
	for (size_t index = 0; index < line->words_count; index++) {
		struct acl_word word = line->words[index];

		if (index > 0 && is_about_lists && word.length == strlen(name) &&
		    memcmp(word.at, name, word.length) == 0)
			return true;
		is_about_lists = is_about_lists || speaks_of_lists(word);
	}
	return false;
}

struct span edit_names_mention(void *pool, const struct sources *sources, uint32_t router, const char *name)
{
	const struct source *source = sources->items[router];
	const char *end = source->bytes + source->length;
	struct acl_line line = { .pool = pool };

	for (const char *begin = source->bytes, *stop; begin < end; begin = stop + 1) {
		stop = memchr(begin, '\n', (size_t)(end - begin));
		if (stop == NULL)
			stop = end;
		acl_line_split(&line, begin, stop);
		if (mentions(&line, name))
			return (struct span){ .source = router, .begin = (uint32_t)(line.begin - source->bytes),
					      .end = (uint32_t)(line.end - source->bytes) };
	}
	return SPAN_NONE;
}

/* --- definitions ------------------------------------------------------------------------------------- */

static bool is_same_time(const struct acl_time_range *a, const struct acl_time_range *b)
{
	if (a->periods_count != b->periods_count || b->unread_count > 0)
		return false;
	for (size_t index = 0; index < a->periods_count; index++) {
		const struct acl_period *first = &a->periods[index], *second = &b->periods[index];

		if (first->is_absolute != second->is_absolute || strcmp(first->text, second->text) != 0)
			return false;
	}
	return true;
}

static bool is_same_ports(const struct acl_ports *a, const struct acl_ports *b)
{
	return a->operator == b->operator && a->count == b->count &&
	       (a->count == 0 || memcmp(a->numbers, b->numbers, a->count * sizeof a->numbers[0]) == 0);
}

static bool is_same_item(const struct acl_item *a, const struct acl_item *b)
{
	return a->kind == b->kind && a->range.low == b->range.low && a->range.high == b->range.high &&
	       a->protocol == b->protocol && a->is_tcp_udp == b->is_tcp_udp &&
	       is_same_ports(&a->source_ports, &b->source_ports) &&
	       is_same_ports(&a->destination_ports, &b->destination_ports) && a->icmp_type == b->icmp_type &&
	       a->icmp_code == b->icmp_code && (a->group == NULL) == (b->group == NULL) &&
	       (a->group == NULL || strcmp(a->group, b->group) == 0);
}

static bool is_same_group(const struct acl_group *a, const struct acl_group *b)
{
	if (a->kind != b->kind || a->family != b->family || a->items_count != b->items_count ||
	    b->unread_count > 0)
		return false;
	for (size_t index = 0; index < a->items_count; index++)
		if (!is_same_item(&a->items[index], &b->items[index]))
			return false;
	return true;
}

static bool report(struct diags *diags, const char *what, const char *name, struct span span)
{
	struct diagnostic *error = diag_add(diags, CODE_EDIT_DEFINITION, span,
					    "%s '%s' is another one on the router", what, name);

	diag_note(diags, error, SPAN_NONE, "lists that refer to it would change with it, between two lines: give "
		  "the new one another name in the policy, or change it by hand");
	return false;
}

bool edit_names_define(struct text *out, struct diags *diags, const struct ios_config *config,
		       const struct cisco_settings *settings, const struct acl_config *wanted,
		       const struct acl_config *router)
{
	struct ios_config needed = { 0 };
	bool is_good = true;

	for (size_t index = 0; index < wanted->time_ranges_count; index++) {
		const struct acl_time_range *range = wanted->time_ranges[index];
		const struct acl_time_range *there =
			router == NULL ? NULL : acl_time_range_find(router, range->name);

		if (there != NULL && !is_same_time(range, there))
			is_good = report(diags, "time range", range->name, there->span);
		for (size_t other = 0; there == NULL && other < config->time_ranges_count; other++)
			if (strcmp(config->time_ranges[other].name, range->name) == 0)
				*pool_append(out->pool, &needed, time_ranges) = config->time_ranges[other];
	}
	for (size_t index = 0; index < wanted->groups_count; index++) {
		const struct acl_group *group = wanted->groups[index];
		const struct acl_group *there = router == NULL ? NULL : acl_group_find(router, group->name);

		if (there != NULL && !is_same_group(group, there))
			is_good = report(diags, "object group", group->name, there->span);
		for (size_t other = 0; there == NULL && other < config->groups_count; other++)
			if (strcmp(config->groups[other]->name, group->name) == 0)
				*pool_append(out->pool, &needed, groups) = config->groups[other];
	}
	if (is_good && needed.time_ranges_count + needed.groups_count > 0)
		cisco_text(out, &needed, settings);
	return is_good;
}
