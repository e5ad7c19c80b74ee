/* Rules name real hosts: a rule holds a packet that will be translated if it holds the host and the new
 * port; in the list its term names the public address and the port from before. */
#include "target/cisco/terms/nat.h"

#include <string.h>

#include "base/pool.h"

/* One `forward`, in the list's family. */
struct listening {
	const struct translation *source;
	struct interval_set from, at;
	number128 host;
};

static struct interval_set boxes_set(void *pool, const struct place_boxes *boxes, enum family family,
				     const char *interface)
{
	struct interval_set sum = { 0 };

	for (size_t index = 0; index < boxes->boxes_count; index++)
		if (interface == NULL || interface_set_contains(&boxes->boxes[index].interfaces, interface))
			sum = interval_set_union(pool, &sum,
						 address_set_family(&boxes->boxes[index].addresses, family));
	return sum;
}

/* Without `at`: the addresses of the interface where the packets come in. */
static struct interval_set interface_addresses(void *pool, const struct ios_vantage *vantage)
{
	struct interval_set set = { 0 };
	const struct device *device = vantage->device;

	for (size_t index = 0; index < device->interfaces_count; index++) {
		const struct device_interface *interface = &device->interfaces[index];

		if (strcmp(interface->name, vantage->interface) != 0)
			continue;
		for (size_t other = 0; other < interface->addresses_count; other++)
			if (interface->addresses[other].family == vantage->family)
				interval_set_add(pool, &set, interface->addresses[other].value,
						 interface->addresses[other].value);
	}
	interval_set_normalise(&set);
	return set;
}

static bool listening_of(void *pool, const struct ios_vantage *vantage, const struct rule_translation *half,
			 struct listening *listening)
{
	const struct translation *source = half->source;
	enum family family = vantage->family;

	if (half->kind != TRANSLATION_FORWARD || !half->applies_to_routed || !source->has_host[family])
		return false;
	*listening = (struct listening){
		.source = source,
		.from = boxes_set(pool, &half->from, family, vantage->interface),
		.at = source->has_at ? *address_set_family(&source->at, family) :
		      interface_addresses(pool, vantage),
		.host = source->host[family].value,
	};
	return listening->from.items_count > 0 && listening->at.items_count > 0;
}

/* The services that are translated, as they were before; the rule's are of afterwards. */
static struct tuple_set services_before(void *pool, const struct listening *listening,
					const struct rule *rule)
{
	const struct tuple_set *original = &listening->source->services;
	struct port_range port = { listening->source->port, listening->source->port };
	struct tuple_set after = { 0 }, met;

	for (size_t index = 0; index < original->tuples_count; index++) {
		struct service_tuple tuple = original->tuples[index];

		if (listening->source->port != 0)
			tuple.first = port;
		tuple_set_add(pool, &after, tuple);
	}
	after = tuple_set_normalise(pool, &after);
	met = tuple_set_intersect(pool, &after, &rule->match.services);
	if (listening->source->port != 0)
		for (size_t index = 0; index < met.tuples_count; index++)
			met.tuples[index].first = original->tuples[0].first;
	if (rule->match.is_translated && rule->match.original->services.tuples_count > 0)
		met = tuple_set_intersect(pool, &met, &rule->match.original->services);
	return met;
}

static void *copied(void *pool, const void *bytes, size_t size)
{
	return memcpy(pool_bytes(pool, size), bytes, size);
}

static void add_rule(void *pool, const struct ios_vantage *vantage, const struct listening *listening,
		     const struct rule *rule, struct ios_terms *terms)
{
	struct interval_set from = boxes_set(pool, &rule->match.from, vantage->family, vantage->interface);
	struct interval_set to = boxes_set(pool, &rule->match.to, vantage->family, NULL);
	struct interval_set at = listening->at;
	struct tuple_set services;

	from = interval_set_intersect(pool, &from, &listening->from);
	if (rule->match.has_original_to)
		at = interval_set_intersect(pool, &at, address_set_family(&rule->match.original->to,
									  vantage->family));
	if (from.items_count == 0 || at.items_count == 0 || !interval_set_contains(&to, listening->host))
		return;
	services = services_before(pool, listening, rule);
	if (services.tuples_count == 0)
		return;
	*pool_append(pool, terms, terms) = (struct ios_term){
		.rule = rule,
		.outcome = rule->outcome,
		.identity = rule->identity,
		.origin = rule->origin,
		.from = copied(pool, &from, sizeof from),
		.to = copied(pool, &at, sizeof at),
		.services = copied(pool, &services, sizeof services),
		.is_pinned = rule->outcome->has_log || rule->outcome->has_count,
	};
}

static void add_default(void *pool, const struct ruleset *ruleset, const struct listening *listening,
			struct ios_terms *terms)
{
	const struct outcome *outcome = ruleset->defaults[HOOK_FORWARD];
	const struct policy_default *source = &ruleset->policy->defaults[HOOK_FORWARD];

	*pool_append(pool, terms, terms) = (struct ios_term){
		.outcome = outcome,
		.identity = ruleset->default_identities[HOOK_FORWARD],
		.origin = source->is_written ? source->span : SPAN_NONE,
		.from = copied(pool, &listening->from, sizeof listening->from),
		.to = copied(pool, &listening->at, sizeof listening->at),
		.services = &listening->source->services,
		.is_pinned = outcome->has_log || outcome->has_count,
	};
}

void terms_translated(void *pool, const struct ios_vantage *vantage, struct ios_terms *terms)
{
	const struct ruleset *ruleset = vantage->ruleset;

	for (size_t index = 0; index < ruleset->translations_count; index++) {
		struct listening listening;

		if (!listening_of(pool, vantage, ruleset->translations[index], &listening))
			continue;
		for (size_t rule = 0; rule < ruleset->rules_count[HOOK_FORWARD]; rule++)
			add_rule(pool, vantage, &listening, ruleset->rules[HOOK_FORWARD][rule], terms);
		add_default(pool, ruleset, &listening, terms);
	}
}
