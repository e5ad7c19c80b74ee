/* Rules are made of few values, so that many of them overlap and order matters. */
#include "random_ruleset.h"

#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "unit.h"

static const char *const interface_names[] = { "eth0", "eth1", "eth2", "eth0.7", "wg0", "br-lan",
					       "ppp0", "tun1", "vlan10", "vlan20" };
#define INTERFACES (sizeof interface_names / sizeof *interface_names)
#define STATUS_TRANSLATED 0x20 /* IPS_DST_NAT */

static const char *const helper_names[] = { "ftp", "sip" };

/* --- addresses ---------------------------------------------------------------------------- */

static number128 pool_address(enum family family, unsigned addresses)
{
	number128 base = family == FAMILY_IPV4 ? 0x0a000000u : (number128)0xfd00 << 112;
	if (addresses != 0)
		return base + (number128)unit_below(addresses) * 16;
	static const unsigned offsets[] = { 0, 1, 5, 16, 17, 31, 32, 255, 256, 257, 4096, 65535 };
	return base + offsets[unit_below(sizeof offsets / sizeof *offsets)];
}

static void add_random_interval(void *pool, struct address_set *set, enum family family,
				const struct ruleset_kind *kind)
{
	static const unsigned lengths[] = { 0, 1, 3, 4, 8, 9, 16 };
	number128 low = pool_address(family, kind->addresses);
	if (unit_below(8) == 0) {
		number128 end = low + unit_below(40);
		address_set_add_range(pool, set, family, low, end);
		return;
	}
	if (unit_below(40) == 0) {
		address_set_add_range(pool, set, family, low, family_highest(family));
		return;
	}
	unsigned host = lengths[unit_below(sizeof lengths / sizeof *lengths)];
	struct prefix prefix = { family, low, family_bits(family) - host };
	prefix = prefix_network(&prefix);
	address_set_add_prefix(pool, set, &prefix);
}

/* A network of each family, at times two. */
static struct address_set random_networks(void *pool, const struct ruleset_kind *kind)
{
	struct address_set set = { 0 };
	unsigned count = unit_below(16) == 0 ? 2 : 1;
	for (enum family family = FAMILY_IPV4; family <= (kind->has_ipv6 ? FAMILY_IPV6 : FAMILY_IPV4); family++)
		for (unsigned i = 0; i < count; i++) {
			number128 low = pool_address(family, kind->addresses);
			unsigned host = unit_below(8) == 0 ? unit_below(6) : 4;
			struct prefix prefix = { family, low, family_bits(family) - host };
			prefix = prefix_network(&prefix);
			address_set_add_prefix(pool, &set, &prefix);
		}
	address_set_normalise(&set);
	return set;
}

/* A range of each family, of any order of magnitude. */
static struct address_set random_ranges(void *pool, const struct ruleset_kind *kind)
{
	struct address_set set = { 0 };
	for (enum family family = FAMILY_IPV4; family <= (kind->has_ipv6 ? FAMILY_IPV6 : FAMILY_IPV4); family++) {
		number128 low = pool_address(family, kind->addresses) + unit_below(16);
		address_set_add_range(pool, &set, family, low, low + unit_below(2u << unit_below(20)));
	}
	address_set_normalise(&set);
	return set;
}

static struct address_set random_addresses(void *pool, const struct ruleset_kind *kind)
{
	struct address_set all = address_set_all(pool), set = { 0 };
	if (kind->has_pairs)
		return unit_below(60) == 0 ? all : random_networks(pool, kind);
	if (kind->has_ranges)
		return unit_below(12) == 0 ? all : random_ranges(pool, kind);
	if (!kind->has_addresses || unit_below(3) == 0)
		return all;
	static const unsigned counts[] = { 1, 1, 1, 2, 3, 5, 9 };
	unsigned families = kind->has_ipv6 ? 1 + unit_below(3) : 1;
	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++) {
		unsigned count = counts[unit_below(sizeof counts / sizeof *counts)];
		for (unsigned i = 0; (families >> family & 1) != 0 && i < count; i++)
			add_random_interval(pool, &set, family, kind);
	}
	address_set_normalise(&set);
	return unit_below(6) == 0 ? address_set_subtract(pool, &all, &set) : set;
}

/* --- interfaces and places ---------------------------------------------------------------- */

static struct interface_set random_interfaces(void *pool, const struct ruleset_kind *kind)
{
	struct interface_set set = interface_set_all();
	if (!kind->has_interfaces || unit_below(3) == 0)
		return set;
	unsigned count = unit_below(6) == 0 ? 1 + unit_below(7) : 1;
	struct interface_set named = { 0 };
	for (unsigned i = 0; i < count; i++) {
		struct interface_set one = { 0 };
		one.names = pool_array(pool, const char *, 1);
		one.names[0] = interface_names[unit_below(INTERFACES)];
		one.names_count = 1;
		named = interface_set_union(pool, &named, &one);
	}
	return unit_below(8) == 0 ? interface_set_subtract(pool, &set, &named) : named;
}

/* A box for each interface, with addresses of its own. */
static struct place_boxes all_zones(void *pool, const struct ruleset_kind *kind)
{
	struct place_boxes parts[INTERFACES];
	for (size_t i = 0; i < INTERFACES; i++) {
		struct interface_set one = { pool_array(pool, const char *, 1), 1, false };
		one.names[0] = interface_names[i];
		parts[i] = (struct place_boxes){ 0 };
		*pool_append(pool, &parts[i], boxes) =
			(struct place_box){ one, random_addresses(pool, kind) };
	}
	return place_boxes_union_all(pool, parts, INTERFACES);
}

struct place_boxes random_place(void *pool, const struct ruleset_kind *kind, bool has_interfaces)
{
	struct ruleset_kind here = *kind;
	here.has_interfaces = kind->has_interfaces && has_interfaces;
	struct place_boxes boxes = { 0 };
	if (kind->has_many_zones && has_interfaces && unit_below(4) != 0)
		return all_zones(pool, kind);
	unsigned count = unit_below(8) == 0 ? 2 : 1;
	for (unsigned i = 0; i < count; i++) {
		struct place_boxes one = { 0 };
		*pool_append(pool, &one, boxes) = (struct place_box){
			random_interfaces(pool, &here), random_addresses(pool, kind),
		};
		boxes = place_boxes_union(pool, &boxes, &one);
	}
	return boxes;
}

/* --- services ----------------------------------------------------------------------------- */

static struct service_tuple ports_tuple(unsigned protocol, unsigned low, unsigned high)
{
	return (struct service_tuple){
		(uint16_t)protocol, FAMILIES_BOTH, { (uint16_t)low, (uint16_t)high }, { 0, UINT16_MAX },
	};
}

static struct service_tuple icmp_tuple(void)
{
	bool is_icmp6 = unit_below(2) == 0;
	unsigned type = unit_below(3) == 0 ? 3 : 8;
	struct service_tuple tuple = {
		is_icmp6 ? PROTOCOL_ICMP6 : PROTOCOL_ICMP,
		is_icmp6 ? FAMILIES_IPV6 : FAMILIES_IPV4,
		{ (uint16_t)type, (uint16_t)(type + unit_below(3)) }, { 0, UINT8_MAX },
	};
	if (unit_below(4) == 0)
		tuple.first = (struct port_range){ 0, UINT8_MAX };
	if (unit_below(3) == 0)
		tuple.second = (struct port_range){ 1, (uint16_t)(1 + unit_below(4)) };
	if (unit_below(8) == 0) {
		tuple.families = FAMILIES_BOTH;
		tuple.first = tuple.second = (struct port_range){ 0, UINT8_MAX };
	}
	return tuple;
}

static struct service_tuple random_tuple(const struct ruleset_kind *kind)
{
	unsigned protocol = unit_below(2) == 0 ? PROTOCOL_TCP : PROTOCOL_UDP;
	unsigned port = 20 + unit_below(24);
	if (!kind->has_rich_services || unit_below(2) == 0)
		return ports_tuple(protocol, port, port);
	struct service_tuple tuple = ports_tuple(protocol, port, port + unit_below(12));
	switch (unit_below(6)) {
	case 0:
		return icmp_tuple();
	case 1:
		tuple.second = (struct port_range){ (uint16_t)port, (uint16_t)(port + unit_below(9)) };
		return tuple;
	case 2:
		return ports_tuple(protocol, 25 + unit_below(10), 200 + unit_below(3) * 32000);
	case 3:
		return ports_tuple(unit_below(2) == 0 ? 47 : protocol, 0, UINT16_MAX);
	case 4:
		return ports_tuple(132, port, port);
	default:
		return tuple;
	}
}

struct tuple_set random_services(void *pool, const struct ruleset_kind *kind)
{
	static const unsigned counts[] = { 1, 1, 2, 3, 5, 12 };
	struct tuple_set set = { 0 };
	struct service_tuple any = ports_tuple(PROTOCOL_ANY, 0, UINT16_MAX);
	struct ruleset_kind here = *kind;
	here.has_rich_services = kind->has_rich_services && (!kind->has_pairs || unit_below(24) == 0);
	if (unit_below(kind->has_pairs ? 60 : 10) == 0) {
		tuple_set_add(pool, &set, any);
		return tuple_set_normalise(pool, &set);
	}
	unsigned count = counts[unit_below(sizeof counts / sizeof *counts)];
	for (unsigned i = 0; i < count; i++)
		tuple_set_add(pool, &set, random_tuple(&here));
	set = tuple_set_normalise(pool, &set);
	if (!here.has_rich_services || unit_below(20) != 0)
		return set;
	struct tuple_set whole = { 0 };
	tuple_set_add(pool, &whole, any);
	return tuple_set_subtract(pool, &whole, &set);
}

/* --- rules -------------------------------------------------------------------------------- */

static const struct limit *random_limit(void *pool)
{
	struct limit *limit = pool_new(pool, struct limit);
	*limit = (struct limit){ 1 + unit_below(9), 60, 5, unit_below(2) == 0 };
	return limit;
}

static struct outcome *random_outcome(void *pool, const struct ruleset_kind *kind)
{
	struct outcome *outcome = pool_new(pool, struct outcome);
	unsigned pick = unit_below(kind->is_allow_mostly ? 12 : 4);
	outcome->verdict = pick == 1 ? VERDICT_DENY : pick == 2 ? VERDICT_REJECT : VERDICT_ALLOW;
	if (!kind->has_options || unit_below(2) == 0)
		return outcome;
	outcome->has_log = unit_below(3) == 0;
	outcome->log_prefix = unit_below(2) == 0 ? "user" : NULL;
	outcome->has_count = unit_below(3) == 0;
	if (outcome->verdict == VERDICT_ALLOW && unit_below(3) == 0)
		outcome->limit = random_limit(pool);
	return outcome;
}

static struct identity *numbered_identity(void *pool, unsigned number)
{
	struct identity *identity = pool_new(pool, struct identity);
	identity->text = pool_format(pool, number % 3 == 0 ? "a+%u" : "0%uab", number);
	return identity;
}

static void add_times(void *pool, struct match *match)
{
	if (unit_below(3) == 0)
		match->until = 1000000 + (time_t)unit_below(3);
	if (unit_below(3) != 0)
		return;
	struct interval_set *minutes = pool_new(pool, struct interval_set);
	unsigned first = unit_below(4) * 1440 + 480, days = 1 + unit_below(3);
	for (unsigned day = 0; day < days; day++)
		interval_set_add(pool, minutes, first + day * 1440, first + day * 1440 + 599);
	if (unit_below(2) == 0)
		interval_set_add(pool, minutes, 8000, 10079);
	interval_set_normalise(minutes);
	match->minutes = minutes;
}

static void add_translation(void *pool, struct match *match)
{
	struct match_original *original = pool_new(pool, struct match_original);

	match->is_translated = true;
	match->original = original;
	match->has_original_to = unit_below(2) == 0;
	if (!match->has_original_to)
		return;
	address_set_add_range(pool, &original->to, FAMILY_IPV4, 0x50010002, 0x50010002);
	if (unit_below(2) == 0)
		address_set_add_range(pool, &original->to, FAMILY_IPV4, 0x50010007, 0x50010008);
	if (unit_below(2) == 0)
		tuple_set_add(pool, &original->services,
			      ports_tuple(PROTOCOL_TCP, 2222, 2222 + unit_below(2)));
}

static struct rule *random_rule(void *pool, const struct ruleset_kind *kind, enum hook hook,
				unsigned number)
{
	struct rule *rule = pool_new(pool, struct rule);
	rule->hooks = (uint8_t)(1u << hook);
	rule->match.families = FAMILIES_BOTH;
	if (unit_below(12) == 0)
		rule->match.families = (uint8_t)(1 + unit_below(2));
	rule->match.services = random_services(pool, kind);
	rule->match.from = random_place(pool, kind, hook != HOOK_OUTPUT);
	rule->match.to = random_place(pool, kind, hook != HOOK_INPUT);
	rule->outcome = random_outcome(pool, kind);
	rule->identity = numbered_identity(pool, number);
	rule->origin = SPAN_NONE;
	if (kind->has_options && unit_below(3) == 0)
		add_times(pool, &rule->match);
	if (kind->has_options && unit_below(12) == 0)
		add_translation(pool, &rule->match);
	return rule;
}

/* A second rule of the same policy rule, whose services want a helper. */
static struct rule *helper_rule(void *pool, const struct rule *rule)
{
	struct rule *other = pool_new(pool, struct rule);
	struct outcome *outcome = pool_new(pool, struct outcome);
	*other = *rule;
	*outcome = *rule->outcome;
	outcome->helper = helper_names[unit_below(2)];
	other->outcome = outcome;
	other->match.services = (struct tuple_set){ 0 };
	tuple_set_add(pool, &other->match.services, ports_tuple(PROTOCOL_TCP, 21, 21));
	return other;
}

static void fill_hook(void *pool, struct ruleset *ruleset, const struct ruleset_kind *kind,
		      enum hook hook)
{
	unsigned count = unit_below(kind->rules_most + 1);
	for (unsigned i = 0; i < count; i++) {
		unsigned number = (unsigned)hook * 100000 + i;
		struct rule *rule = random_rule(pool, kind, hook, number);
		ruleset->rules[hook] = pool_grow(pool, ruleset->rules[hook],
						 &ruleset->rules_capacity[hook],
						 ruleset->rules_count[hook] + 2, sizeof(struct rule *));
		bool has_helper = kind->has_options && rule->outcome->verdict == VERDICT_ALLOW &&
				  !rule->match.is_translated && unit_below(10) == 0;
		if (has_helper)
			ruleset->rules[hook][ruleset->rules_count[hook]++] = helper_rule(pool, rule);
		ruleset->rules[hook][ruleset->rules_count[hook]++] = rule;
	}
	struct ruleset_kind plain = *kind;
	struct outcome *outcome = random_outcome(pool, &plain);
	outcome->limit = NULL;
	ruleset->defaults[hook] = outcome;
	struct identity *identity = pool_new(pool, struct identity);
	static const char *const texts[] = { "default-input", "default-forward", "default-output" };
	identity->text = texts[hook];
	ruleset->default_identities[hook] = identity;
}

struct ruleset *random_ruleset(void *pool, const struct ruleset_kind *kind)
{
	struct ruleset *ruleset = pool_new(pool, struct ruleset);
	for (enum hook hook = HOOK_INPUT; hook <= HOOK_OUTPUT; hook++)
		fill_hook(pool, ruleset, kind, hook);
	ruleset->helpers = pool_array(pool, const char *, 2);
	ruleset->helpers[0] = helper_names[0];
	ruleset->helpers_count = 1;
	return ruleset;
}

/* --- packets ------------------------------------------------------------------------------ */

static number128 near_interval(const struct interval_set *set, number128 highest)
{
	if (set->items_count == 0)
		return highest / 3;
	const struct interval *interval = &set->items[unit_below((unsigned)set->items_count)];
	switch (unit_below(6)) {
	case 0:
		return interval->low;
	case 1:
		return interval->high;
	case 2:
		return interval->low == 0 ? 0 : interval->low - 1;
	case 3:
		return interval->high == highest ? highest : interval->high + 1;
	default:
		return interval->low + (interval->high - interval->low) / 3;
	}
}

static void aim_place(const struct place_boxes *boxes, enum family family, const char **interface,
		      number128 *address)
{
	if (boxes->boxes_count == 0)
		return;
	const struct place_box *box = &boxes->boxes[unit_below((unsigned)boxes->boxes_count)];
	const struct interface_set *names = &box->interfaces;
	if (!names->is_complement && names->names_count != 0 && *interface != NULL)
		*interface = names->names[unit_below((unsigned)names->names_count)];
	*address = near_interval(address_set_family(&box->addresses, family), family_highest(family));
}

static void aim_service(const struct tuple_set *services, struct model_packet *packet)
{
	if (services->tuples_count == 0)
		return;
	const struct service_tuple *tuple =
		&services->tuples[unit_below((unsigned)services->tuples_count)];
	if (tuple->protocol == PROTOCOL_ANY)
		return;
	packet->protocol = (uint8_t)tuple->protocol;
	uint16_t first = unit_below(2) == 0 ? tuple->first.low : tuple->first.high;
	uint16_t second = unit_below(2) == 0 ? tuple->second.low : tuple->second.high;
	if (unit_below(5) == 0)
		first = (uint16_t)(first + 1);
	packet->destination_port = first;
	packet->source_port = second;
	packet->type = (uint8_t)first;
	packet->code = (uint8_t)second;
}

static uint32_t random_state(void)
{
	static const uint32_t rare[] = { NFT_STATE_INVALID, NFT_STATE_ESTABLISHED,
					 NFT_STATE_RELATED, NFT_STATE_UNTRACKED };
	return unit_below(8) == 0 ? rare[unit_below(4)] : NFT_STATE_NEW;
}

static void random_time(struct model_packet *packet)
{
	static const uint32_t seconds[] = { 0, 28799, 28800, 28801, 64799, 64800, 79199, 86399 };
	packet->day = unit_below(7);
	packet->second = seconds[unit_below(sizeof seconds / sizeof *seconds)];
	packet->time = 999999 + unit_below(4);
}

/* Most fields at or near the ends of what one of the rules says. */
static void aim_rule(const struct ruleset *ruleset, enum hook hook, struct model_packet *packet)
{
	if (ruleset->rules_count[hook] == 0)
		return;
	const struct rule *rule =
		ruleset->rules[hook][unit_below((unsigned)ruleset->rules_count[hook])];
	if (unit_below(10) != 0)
		aim_place(&rule->match.from, packet->family, &packet->in, &packet->source);
	if (unit_below(10) != 0)
		aim_place(&rule->match.to, packet->family, &packet->out, &packet->destination);
	if (unit_below(10) != 0)
		aim_service(&rule->match.services, packet);
}

/* Now and then what always passes. */
static void make_special(struct model_packet *packet)
{
	if (unit_below(60) == 0 && packet->in != NULL)
		packet->in = "lo";
	if (unit_below(60) == 0 && packet->out != NULL)
		packet->out = "lo";
	if (unit_below(40) != 0)
		return;
	packet->protocol = PROTOCOL_ICMP6;
	packet->type = (uint8_t)(129 + unit_below(16));
	packet->family = FAMILY_IPV6;
	packet->source = (number128)0xfe80 << 112 | unit_below(2);
}

struct model_packet random_packet(const struct ruleset *ruleset, enum hook hook)
{
	static const unsigned numbers[HOOK_COUNT] = { 1, 2, 3 };
	struct model_packet packet = {
		.hook = numbers[hook],
		.in = hook == HOOK_OUTPUT ? NULL : interface_names[unit_below(INTERFACES)],
		.out = hook == HOOK_INPUT ? NULL : interface_names[unit_below(INTERFACES)],
		.family = unit_below(2) == 0 ? FAMILY_IPV4 : FAMILY_IPV6,
		.protocol = unit_below(3) == 0 ? PROTOCOL_UDP : PROTOCOL_TCP,
		.source_port = (uint16_t)unit_random(),
		.destination_port = (uint16_t)(20 + unit_below(24)),
		.hop_limit = unit_below(2) == 0 ? 255 : 64,
		.state = random_state(),
		.status = unit_below(2) == 0 ? STATUS_TRANSLATED : 0,
		.original_destination = 0x50010002 + unit_below(8),
		.original_port = (uint16_t)(2222 + unit_below(3)),
		.is_over_limit = unit_below(3) == 0,
	};
	packet.source = pool_address(packet.family, 0);
	packet.destination = pool_address(packet.family, 0);
	random_time(&packet);
	if (packet.state == NFT_STATE_RELATED && unit_below(2) == 0)
		packet.helper = helper_names[unit_below(2)];
	aim_rule(ruleset, hook, &packet);
	make_special(&packet);
	return packet;
}

/* --- first match -------------------------------------------------------------------------- */

static bool tuple_matches(const struct service_tuple *tuple, const struct model_packet *packet)
{
	unsigned family = packet->family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
	bool is_icmp = packet->protocol == PROTOCOL_ICMP || packet->protocol == PROTOCOL_ICMP6;
	if ((tuple->families & family) == 0)
		return false;
	if (tuple->protocol == PROTOCOL_ANY)
		return true;
	if (tuple->protocol != packet->protocol)
		return false;
	if (!is_icmp && !protocol_has_ports(packet->protocol))
		return true;
	unsigned first = is_icmp ? packet->type : packet->destination_port;
	unsigned second = is_icmp ? packet->code : packet->source_port;
	return first >= tuple->first.low && first <= tuple->first.high &&
	       second >= tuple->second.low && second <= tuple->second.high;
}

bool services_match(const struct tuple_set *services, const struct model_packet *packet)
{
	for (size_t i = 0; i < services->tuples_count; i++)
		if (tuple_matches(&services->tuples[i], packet))
			return true;
	return false;
}

bool place_matches(const struct place_boxes *boxes, const char *interface, enum family family,
		   number128 address)
{
	for (size_t i = 0; i < boxes->boxes_count; i++) {
		const struct place_box *box = &boxes->boxes[i];
		if (interface_set_contains(&box->interfaces, interface == NULL ? "" : interface) &&
		    interval_set_contains(address_set_family(&box->addresses, family), address))
			return true;
	}
	return false;
}

static bool time_matches(const struct match *match, const struct model_packet *packet)
{
	if (match->until != 0 && packet->time >= (uint64_t)match->until)
		return false;
	if (match->minutes == NULL)
		return true;
	unsigned monday = (packet->day + 6) % 7;
	return interval_set_contains(match->minutes, monday * 1440 + packet->second / 60);
}

static bool translation_matches(const struct match *match, const struct model_packet *packet)
{
	if (!match->is_translated)
		return true;
	if ((packet->status & STATUS_TRANSLATED) == 0)
		return false;
	if (match->has_original_to &&
	    !interval_set_contains(address_set_family(&match->original->to, packet->family),
				   packet->original_destination))
		return false;
	if (match->original->services.tuples_count == 0)
		return true;
	struct model_packet before = *packet;
	before.destination_port = packet->original_port;
	return services_match(&match->original->services, &before);
}

static bool rule_matches(const struct rule *rule, const struct model_packet *packet)
{
	const struct match *match = &rule->match;
	unsigned family = packet->family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
	return (match->families & family) != 0 && services_match(&match->services, packet) &&
	       place_matches(&match->from, packet->in, packet->family, packet->source) &&
	       place_matches(&match->to, packet->out, packet->family, packet->destination) &&
	       time_matches(match, packet) && translation_matches(match, packet);
}

static bool is_neighbour(const struct model_packet *packet, enum hook hook)
{
	if (hook == HOOK_FORWARD || packet->family != FAMILY_IPV6 ||
	    packet->protocol != PROTOCOL_ICMP6)
		return false;
	if (packet->type >= 133 && packet->type <= 136)
		return packet->hop_limit == 255;
	bool is_listener = (packet->type >= 130 && packet->type <= 132) || packet->type == 143;
	return is_listener && packet->source >> 118 == 0xfe80 >> 6;
}

static bool always_passes(const struct ruleset *ruleset, const struct model_packet *packet,
			  enum hook hook)
{
	if (hook == HOOK_INPUT && strcmp(packet->in, "lo") == 0)
		return true;
	if (hook == HOOK_OUTPUT && strcmp(packet->out, "lo") == 0 && (packet->status & STATUS_TRANSLATED) == 0)
		return true;
	if (packet->state == NFT_STATE_ESTABLISHED)
		return true;
	if (packet->state == NFT_STATE_INVALID)
		return false;
	if (packet->state == NFT_STATE_RELATED &&
	    (packet->protocol == PROTOCOL_ICMP || packet->protocol == PROTOCOL_ICMP6))
		return true;
	if (packet->state == NFT_STATE_RELATED && packet->helper != NULL)
		for (size_t i = 0; i < ruleset->helpers_count; i++)
			if (strcmp(ruleset->helpers[i], packet->helper) == 0)
				return true;
	return is_neighbour(packet, hook);
}

static enum model_fate fate_of(const struct outcome *outcome, const struct model_packet *packet)
{
	if (outcome->limit != NULL && packet->is_over_limit)
		return MODEL_DROP;
	switch (outcome->verdict) {
	case VERDICT_ALLOW:
		return MODEL_ACCEPT;
	case VERDICT_DENY:
		return MODEL_DROP;
	case VERDICT_REJECT:
		return packet->protocol == PROTOCOL_TCP ? MODEL_REJECT_RESET : MODEL_REJECT_ADMIN;
	}
	return MODEL_DROP;
}

struct expected ruleset_expect(const struct ruleset *ruleset, const struct model_packet *packet,
			       enum hook hook)
{
	if (always_passes(ruleset, packet, hook))
		return (struct expected){ .fate = MODEL_ACCEPT };
	if (packet->state == NFT_STATE_INVALID)
		return (struct expected){ .fate = MODEL_DROP, .is_invalid = true };
	for (size_t i = 0; i < ruleset->rules_count[hook]; i++) {
		const struct rule *rule = ruleset->rules[hook][i];
		if (rule_matches(rule, packet))
			return (struct expected){
				fate_of(rule->outcome, packet), rule, rule->outcome, rule->identity, false,
			};
	}
	const struct outcome *outcome = ruleset->defaults[hook];
	return (struct expected){
		fate_of(outcome, packet), NULL, outcome, ruleset->default_identities[hook], false,
	};
}
