/* Names that no service has: the nearest one, or how other firewalls' words are written here. */
#include "services/unknown.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SUGGESTIONS_MOST 200 /* each costs a walk over all names */

static struct names *all_names(struct service_database *database)
{
	struct service_store *store = database->store;
	if (store->suggestions != NULL)
		return store->suggestions;
	store->suggestions = names_new(store->pool, true);
	for (size_t i = 0; i < names_count(database->by_name); i++) {
		const char *name = names_key(database->by_name, i);
		names_set(store->suggestions, name, strlen(name), store);
	}
	for (size_t i = 0; i < builtin_data.keys_count; i++) {
		const char *name = builtin_data.keys[i].folded;
		names_set(store->suggestions, name, strlen(name), store);
	}
	return store->suggestions;
}

const char *service_nearest(const struct service_database *database, const char *name, size_t length)
{
	struct service_store *store = database->store;
	if (store->suggestions_made >= SUGGESTIONS_MOST)
		return NULL;
	store->suggestions_made++;
	/* the table of names is filled, the database stays as it is */
	return names_nearest(all_names((struct service_database *)database), name, length);
}

void service_suggest(struct service_database *database, struct diagnostic *diagnostic,
		     const struct ast_word *word)
{
	const char *nearest = service_nearest(database, word->text, word->length);
	if (nearest != NULL)
		diag_note(database->store->diags, diagnostic, SPAN_NONE, "did you mean '%s'?",
			  nearest);
}

/* Words that stand behind services and places. */
static bool is_option(const char *word)
{
	static const char *const options[] = { "because", "count", "during", "id", "ipv4", "ipv6", "limit",
					       "log", "owner", "rescue", "stateless", "until" };
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		if (strcmp(options[i], word) == 0)
			return true;
	return false;
}

/* Words of other firewalls' languages, and what is written here: the nearest service ('aol' for 'all')
 * would be a trap. Sorted. */
static const struct habit {
	const char *word, *way_out;
} habits[] = {
	{ "all", "every service is written 'any'" },
	{ "established", "answers pass by themselves: a rule speaks of first packets" },
	{ "icmp", "every type is written 'any/icmp', and 'any/icmp6' for IPv6" },
	{ "icmpv6", "every type is written 'any/icmp6'" },
	{ "ip", "every service is written 'any', or 'any' with the option 'ipv4'" },
	{ "port", "a port is written with its protocol: '443/tcp'" },
	{ "ports", "a port is written with its protocol: '443/tcp'" },
	{ "related", "answers pass by themselves: a rule speaks of first packets" },
	{ "tcp", "ports come first: '443/tcp'; every port is 'any/tcp'" },
	{ "udp", "ports come first: '53/udp'; every port is 'any/udp'" },
};

static int habit_order(const void *key, const void *habit)
{
	return strcasecmp(key, ((const struct habit *)habit)->word);
}

void unknown_service(struct service_database *database, const struct ast_word *word)
{
	struct diagnostic *error = diag_add(database->store->diags, CODE_UNKNOWN_SERVICE,
					    word->span, "unknown service '%s'", word->text);
	const struct habit *habit = bsearch(word->text, habits, sizeof habits / sizeof habits[0],
					    sizeof habits[0], habit_order);
	if (habit != NULL)
		diag_note(database->store->diags, error, SPAN_NONE, "%s", habit->way_out);
	else if (is_option(word->text))
		diag_note(database->store->diags, error, SPAN_NONE,
			  "an option stands behind a service: 'any %s' is every service", word->text);
	else
		service_suggest(database, error, word);
}
