/* Which list stands where: one inbound list an interface and family, one for what comes out of each
 * tunnel. */
#include "target/cisco/device/lowering.h"

#include <string.h>

#include "base/pool.h"
#include "target/cisco/model/form.h"

/* --- what reaches the router itself ------------------------------------------------------------- */

static void add_prefix(void *pool, struct address_set *set, enum family family, number128 value,
		       unsigned length)
{
	const struct prefix prefix = { family, value, length };
	address_set_add_prefix(pool, set, &prefix);
}

static void add_own(void *pool, struct address_set *own, const struct prefix *address)
{
	struct interval network = prefix_interval(address);
	address_set_add_range(pool, own, address->family, address->value, address->value);
	/* RFC 3021: a network of two addresses has no broadcast */
	if (address->family == FAMILY_IPV4 && address->length < 31)
		address_set_add_range(pool, own, FAMILY_IPV4, network.high, network.high);
}

/* Its addresses, broadcasts and multicast, link-local addresses. */
static struct address_set own_addresses(const struct device_lowering *lowering)
{
	const struct device *device = lowering->device;
	struct address_set own = { 0 };
	for (size_t i = 0; i < device->interfaces_count; i++)
		for (size_t j = 0; j < device->interfaces[i].addresses_count; j++)
			add_own(lowering->pool, &own, &device->interfaces[i].addresses[j]);
	add_prefix(lowering->pool, &own, FAMILY_IPV4, 0xffffffff, 32);
	add_prefix(lowering->pool, &own, FAMILY_IPV4, 0xe0000000, 4);
	add_prefix(lowering->pool, &own, FAMILY_IPV6, (number128)0xff << 120, 8);
	add_prefix(lowering->pool, &own, FAMILY_IPV6, (number128)0xfe80 << 112, 10);
	address_set_normalise(&own);
	return own;
}

/* --- lists ------------------------------------------------------------------------------------------ */

static struct ios_list *fill(struct device_lowering *lowering, const struct ios_vantage *vantage,
			     const char *name, struct span origin, struct ios_list **outbound)
{
	struct ios_list *list = form_list(lowering->pool, lowering->config, name, vantage->family, origin);
	if (inbound_replies(lowering->pool, lowering->diags, vantage, lowering->config, list, outbound))
		inbound_lower(lowering->pool, lowering->diags, vantage, lowering->config, list);
	return list;
}

static void add_lists(struct device_lowering *lowering, size_t index, enum family family)
{
	struct ios_interface *binding = &lowering->config->interfaces[index];
	const struct device_interface *interface = binding->interface;
	const struct nat_outside *outside = &lowering->outsides[index];
	const struct ios_vantage vantage = {
		.ruleset = lowering->ruleset,
		.device = lowering->device,
		.interface = interface->name,
		.own = own_addresses(lowering),
		.is_outside = binding->nat == IOS_NAT_OUTSIDE,
		.translated = outside->translated,
		.replies = lowering->device->replies,
		.family = family,
		.settings = lowering->settings,
	};
	const char *name = lowering_name(lowering, pool_format(lowering->pool, "%s-IN%s", interface->name,
							       family == FAMILY_IPV6 ? "6" : ""));
	struct ios_list *outbound = NULL;
	struct ios_list *list = fill(lowering, &vantage, name, interface->span, &outbound);
	if (family == FAMILY_IPV4) {
		binding->in_v4 = list->name;
		binding->out_v4 = outbound == NULL ? NULL : outbound->name;
	} else {
		binding->in_v6 = list->name;
		binding->out_v6 = outbound == NULL ? NULL : outbound->name;
	}
}

const char *device_filter_clear(struct device_lowering *lowering, const struct tunnel *tunnel,
				const struct device_interface *interface, const struct address_set *far)
{
	const struct ios_vantage vantage = {
		.ruleset = lowering->ruleset,
		.device = lowering->device,
		.interface = interface->name,
		.own = own_addresses(lowering),
		.far = *far,
		.replies = lowering->device->replies,
		.family = FAMILY_IPV4,
		.settings = lowering->settings,
	};
	const char *name = lowering_name(lowering, pool_format(lowering->pool, "%s-CLEAR", tunnel->name));
	struct ios_list *outbound = NULL;
	struct ios_list *list = fill(lowering, &vantage, name, tunnel->span, &outbound);
	if (outbound != NULL) {
		struct diagnostic *error =
			diag_add(lowering->diags, CODE_TARGET_CANNOT, tunnel->span,
				 "device '%s': a reflexive list cannot look into tunnel '%s': IOS evaluates it on "
				 "interfaces alone", lowering->device->name, tunnel->name);

		diag_note(lowering->diags, error, SPAN_NONE,
			  "with 'replies established;' the device lets answers in that come out of a tunnel");
	}
	return list->name;
}

/* --- what would stay open, or mean nothing ------------------------------------------------------------- */

/* Nothing comes in by it: it is down, has no address, or is a loopback. */
static bool is_idle(const struct device_interface *interface)
{
	return interface->is_shutdown || interface->addresses_count == 0 ||
	       strncasecmp(interface->name, "Loopback", strlen("Loopback")) == 0;
}

static void report_open(struct device_lowering *lowering, const struct device_interface *interface)
{
	struct diagnostic *error =
		diag_add(lowering->diags, CODE_DEVICE_OPEN, interface->span,
			 "interface '%s' of device '%s' is in no zone: everything could enter by it",
			 interface->name, lowering->device->name);
	diag_note(lowering->diags, error, SPAN_NONE, "give it a 'zone', or say 'shutdown'");
}

static uint8_t bit_of(enum family family)
{
	return family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
}

/* Whether a part of the rule speaks of more than the family. */
static bool has_other(const struct ruleset *ruleset, const struct identity *identity, enum family family)
{
	for (enum hook hook = HOOK_INPUT; hook < HOOK_COUNT; hook++)
		for (size_t i = 0; i < ruleset->rules_count[hook]; i++)
			if (ruleset->rules[hook][i]->identity == identity &&
			    (ruleset->rules[hook][i]->match.families & ~bit_of(family)) != 0)
				return true;
	return false;
}

/* Whether a part of the rule stands before the one there: a rule is told once. */
static bool is_later_part(const struct ruleset *ruleset, enum hook at, size_t index)
{
	const struct identity *identity = ruleset->rules[at][index]->identity;

	for (enum hook hook = HOOK_INPUT; hook <= at; hook++)
		for (size_t i = 0; i < (hook == at ? index : ruleset->rules_count[hook]); i++)
			if (ruleset->rules[hook][i]->identity == identity)
				return true;
	return false;
}

static void report_family(struct device_lowering *lowering, const struct rule *rule, enum family family)
{
	const char *name = family == FAMILY_IPV4 ? "IPv4" : "IPv6";
	struct diagnostic *error =
		diag_add(lowering->diags, CODE_DEVICE_FAMILY, rule->origin,
			 "this speaks of %s alone, and device '%s' has no %s address", name,
			 lowering->device->name, name);
	diag_note(lowering->diags, error, SPAN_NONE,
		  "give its interfaces %s addresses, or keep the rule out of this device's policy", name);
}

/* A rule of this family alone would be lost where there is none. */
static void check_families(struct device_lowering *lowering, enum family family)
{
	const struct ruleset *ruleset = lowering->ruleset;
	for (enum hook hook = HOOK_INPUT; hook < HOOK_COUNT; hook++)
		for (size_t i = 0; i < ruleset->rules_count[hook]; i++) {
			const struct rule *rule = ruleset->rules[hook][i];
			if (rule->match.families != bit_of(family) || is_later_part(ruleset, hook, i) ||
			    has_other(ruleset, rule->identity, family))
				continue;
			report_family(lowering, rule, family);
		}
}

/* An interface without any address may get an IPv4 one from elsewhere. */
static bool needs_ipv4(const struct device *device)
{
	for (size_t i = 0; i < device->interfaces_count; i++)
		if (device->interfaces[i].zone != NULL && device->interfaces[i].addresses_count == 0)
			return true;
	return device_has_family(device, FAMILY_IPV4) || !device_has_family(device, FAMILY_IPV6);
}

void device_filter(struct device_lowering *lowering)
{
	const struct device *device = lowering->device;
	bool is_wanted[] = { [FAMILY_IPV4] = needs_ipv4(device),
			     [FAMILY_IPV6] = device_has_family(device, FAMILY_IPV6) };

	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++)
		if (!is_wanted[family])
			check_families(lowering, family);
	for (size_t i = 0; i < device->interfaces_count; i++) {
		const struct device_interface *interface = &device->interfaces[i];
		if (interface->zone == NULL) {
			if (!is_idle(interface))
				report_open(lowering, interface);
			continue;
		}
		for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++)
			if (is_wanted[family])
				add_lists(lowering, i, family);
	}
}
