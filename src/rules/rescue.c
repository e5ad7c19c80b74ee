/* A boot that fails closed: see rescue.h. */
#include "rules/rescue.h"

#include "base/pool.h"
#include "net/protocol.h"

#define DHCP_SERVER 67
#define DHCP_CLIENT 68
#define DHCP6_CLIENT 546
#define DHCP6_SERVER 547

static const struct outcome allowed = { .verdict = VERDICT_ALLOW };
static const struct outcome denied = { .verdict = VERDICT_DENY };
static const struct identity dhcp_identity = { .text = "rescue-dhcp" };
static const struct identity default_identities[HOOK_COUNT] = {
	[HOOK_INPUT] = { .text = "default-input" },
	[HOOK_FORWARD] = { .text = "default-forward" },
	[HOOK_OUTPUT] = { .text = "default-output" },
};

static void append(struct ruleset *ruleset, size_t hook, struct rule *rule)
{
	size_t count = ruleset->rules_count[hook]++;

	ruleset->rules[hook] = pool_grow(ruleset, ruleset->rules[hook], &ruleset->rules_capacity[hook],
					 count + 1, sizeof(struct rule *));
	ruleset->rules[hook][count] = rule;
	ruleset->has_stateless = ruleset->has_stateless || rule->is_stateless;
}

struct ruleset *ruleset_bare(void *pool)
{
	struct ruleset *ruleset = pool_new(pool, struct ruleset);

	for (size_t hook = 0; hook < HOOK_COUNT; hook++) {
		ruleset->defaults[hook] = &denied;
		ruleset->default_identities[hook] = &default_identities[hook];
	}
	return ruleset;
}

/* --- the DHCP client ------------------------------------------------------------------------------------ */

static struct tuple_set udp_between(void *pool, uint8_t families, uint16_t destination, uint16_t source)
{
	struct tuple_set set = { 0 };

	tuple_set_add(pool, &set, (struct service_tuple){
		.protocol = PROTOCOL_UDP,
		.families = families,
		.first = { destination, destination },
		.second = { source, source },
	});
	return tuple_set_normalise(pool, &set);
}

static void add_dhcp(struct ruleset *ruleset, enum hook hook, uint8_t families, uint16_t destination,
		     uint16_t source)
{
	struct rule *rule = pool_new(ruleset, struct rule);

	*rule = (struct rule){
		.hooks = (uint8_t)(1u << hook),
		.match = {
			.families = families,
			.services = udp_between(ruleset, families, destination, source),
			.from = place_boxes_all(ruleset),
			.to = place_boxes_all(ruleset),
		},
		.outcome = &allowed,
		.identity = &dhcp_identity,
		.origin = SPAN_NONE,
		.is_rescue = true,
	};
	append(ruleset, hook, rule);
}

struct ruleset *ruleset_rescue(void *pool, const struct ruleset *ruleset)
{
	struct ruleset *rescue = ruleset_bare(pool);
	struct policy *policy = pool_new(rescue, struct policy);

	*policy = *ruleset->policy; /* for the places of its rules; what it says of defaults is not so here */
	for (size_t hook = 0; hook < HOOK_COUNT; hook++)
		policy->defaults[hook].is_written = false;
	rescue->policy = policy;
	rescue->helpers = ruleset->helpers;
	rescue->helpers_count = ruleset->helpers_count;
	add_dhcp(rescue, HOOK_INPUT, FAMILIES_IPV4, DHCP_CLIENT, DHCP_SERVER);
	add_dhcp(rescue, HOOK_INPUT, FAMILIES_IPV6, DHCP6_CLIENT, DHCP6_SERVER);
	add_dhcp(rescue, HOOK_OUTPUT, FAMILIES_IPV4, DHCP_SERVER, DHCP_CLIENT);
	add_dhcp(rescue, HOOK_OUTPUT, FAMILIES_IPV6, DHCP6_SERVER, DHCP6_CLIENT);
	for (size_t hook = 0; hook < HOOK_COUNT; hook++)
		for (size_t index = 0; index < ruleset->rules_count[hook]; index++)
			if (ruleset->rules[hook][index]->is_rescue)
				append(rescue, hook, ruleset->rules[hook][index]);
	return rescue;
}
