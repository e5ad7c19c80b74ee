/* Names are gathered with repeats, and sorted once. */
#include "analyse/universe.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

struct packet_universe *packet_universe_new(void *pool)
{
	struct packet_universe *universe = pool_new(pool, struct packet_universe);

	universe->pool = universe;
	return universe;
}

void packet_universe_add_interface(struct packet_universe *universe, const char *name)
{
	*pool_append(universe->pool, universe, interfaces) = name;
}

static void add_boxes(struct packet_universe *universe, const struct place_boxes *boxes)
{
	for (size_t box = 0; box < boxes->boxes_count; box++) {
		const struct interface_set *set = &boxes->boxes[box].interfaces;

		for (size_t index = 0; index < set->names_count; index++)
			packet_universe_add_interface(universe, set->names[index]);
	}
}

static void add_rule(struct packet_universe *universe, const struct match *match,
		     const struct match *last)
{
	if (last == NULL || last->from.boxes != match->from.boxes)
		add_boxes(universe, &match->from);
	if (last == NULL || last->to.boxes != match->to.boxes)
		add_boxes(universe, &match->to);
	if (match->until != 0)
		*pool_append(universe->pool, universe, ends) = match->until;
}

void packet_universe_add(struct packet_universe *universe, const struct ruleset *ruleset)
{
	for (size_t hook = 0; hook < HOOK_COUNT; hook++)
		for (size_t index = 0; index < ruleset->rules_count[hook]; index++)
			add_rule(universe, &ruleset->rules[hook][index]->match,
				 index > 0 ? &ruleset->rules[hook][index - 1]->match : NULL);
	for (size_t index = 0; index < ruleset->translations_count; index++) {
		add_boxes(universe, &ruleset->translations[index]->from);
		add_boxes(universe, &ruleset->translations[index]->to);
	}
}

void packet_universe_add_zones(struct packet_universe *universe, const struct policy *policy)
{
	for (size_t index = 0; index < policy->zones_count; index++) {
		add_boxes(universe, &policy->zones[index]->input);
		add_boxes(universe, &policy->zones[index]->routed);
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_times(const void *a, const void *b)
{
	time_t first = *(const time_t *)a, second = *(const time_t *)b;

	return (first > second) - (first < second);
}

void packet_universe_add_end(struct packet_universe *universe, time_t end)
{
	*pool_append(universe->pool, universe, ends) = end;
}

void packet_universe_finish(struct packet_universe *universe)
{
	size_t kept = 0;

	if (universe->interfaces_count > 0)
		qsort(universe->interfaces, universe->interfaces_count, sizeof(char *), compare_names);
	for (size_t index = 0; index < universe->interfaces_count; index++)
		if (kept == 0 ||
		    strcmp(universe->interfaces[kept - 1], universe->interfaces[index]) != 0)
			universe->interfaces[kept++] = universe->interfaces[index];
	universe->interfaces_count = kept;
	kept = 0;
	if (universe->ends_count > 0)
		qsort(universe->ends, universe->ends_count, sizeof(time_t), compare_times);
	for (size_t index = 0; index < universe->ends_count; index++)
		if (kept == 0 || universe->ends[kept - 1] != universe->ends[index])
			universe->ends[kept++] = universe->ends[index];
	universe->ends_count = kept;
}

static size_t interface_number(const struct packet_universe *universe, const char *name)
{
	const char **found = NULL;

	if (universe->interfaces_count > 0) /* bsearch takes no NULL, an empty list neither */
		found = bsearch(&name, universe->interfaces, universe->interfaces_count, sizeof(char *),
				compare_names);
	return found != NULL ? (size_t)(found - universe->interfaces) + 1 :
			       universe->interfaces_count + 1;
}

struct interval_set packet_universe_interfaces(const struct packet_universe *universe, void *pool,
					       const struct interface_set *set)
{
	struct interval_set named = { 0 }, all = { 0 };

	for (size_t index = 0; index < set->names_count; index++) {
		size_t number = interface_number(universe, set->names[index]);

		interval_set_add(pool, &named, number, number);
	}
	interval_set_normalise(&named);
	if (!set->is_complement)
		return named;
	interval_set_add(pool, &all, 0, universe->interfaces_count + 1);
	return interval_set_subtract(pool, &all, &named);
}

size_t packet_universe_interface_number(const struct packet_universe *universe, const char *name)
{
	return name == NULL ? 0 : interface_number(universe, name);
}

size_t packet_universe_era(const struct packet_universe *universe, time_t time)
{
	size_t era = 0;

	while (era < universe->ends_count && universe->ends[era] <= time)
		era++;
	return era;
}

struct interval_set packet_universe_eras(const struct packet_universe *universe, void *pool,
					 time_t until)
{
	struct interval_set eras = { 0 };
	size_t index = 0;

	while (index < universe->ends_count && universe->ends[index] < until)
		index++;
	interval_set_add(pool, &eras, 0, index);
	return eras;
}

const char *packet_universe_interface(const struct packet_universe *universe, size_t number)
{
	static const char *const free_names[] = { "eth9", "other0", "fwc-other" };

	if (number == 0)
		return NULL;
	if (number <= universe->interfaces_count)
		return universe->interfaces[number - 1];
	for (size_t index = 0; index < sizeof free_names / sizeof free_names[0]; index++)
		if (interface_number(universe, free_names[index]) > universe->interfaces_count)
			return free_names[index];
	return "another interface";
}

time_t packet_universe_time(const struct packet_universe *universe, size_t era)
{
	if (universe->ends_count == 0)
		return 0;
	if (era < universe->ends_count)
		return universe->ends[era] - 1;
	return universe->ends[universe->ends_count - 1];
}
