/* Every condition asked one after the other, as it stands in ruleset.h. */
#include "rules/evaluate.h"

static unsigned family_bit(enum family family)
{
	return family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
}

static bool interface_holds(const struct interface_set *set, const char *interface)
{
	return interface != NULL ? interface_set_contains(set, interface) : set->is_complement;
}

static bool addresses_hold(const struct address_set *set, enum family family, number128 address)
{
	return interval_set_contains(address_set_family(set, family), address);
}

bool boxes_hold(const struct place_boxes *boxes, const char *interface, enum family family,
		number128 address)
{
	for (size_t index = 0; index < boxes->boxes_count; index++) {
		const struct place_box *box = &boxes->boxes[index];

		if (interface_holds(&box->interfaces, interface) &&
		    addresses_hold(&box->addresses, family, address))
			return true;
	}
	return false;
}

static bool range_holds(struct port_range range, uint16_t number)
{
	return range.low <= number && number <= range.high;
}

bool tuples_hold(const struct tuple_set *tuples, enum family family, uint8_t protocol,
		 uint16_t first, uint16_t second)
{
	for (size_t index = 0; index < tuples->tuples_count; index++) {
		const struct service_tuple *tuple = &tuples->tuples[index];

		if ((tuple->families & family_bit(family)) != 0 &&
		    (tuple->protocol == PROTOCOL_ANY || tuple->protocol == protocol) &&
		    range_holds(tuple->first, first) && range_holds(tuple->second, second))
			return true;
	}
	return false;
}

static bool translation_holds(const struct match *match, const struct packet *packet)
{
	if (!match->is_translated)
		return true;
	if (!packet->is_translated)
		return false;
	if (match->has_original_to &&
	    !addresses_hold(&match->original->to, packet->family, packet->original_destination))
		return false;
	return match->original->services.tuples_count == 0 ||
	       tuples_hold(&match->original->services, packet->family, packet->protocol,
			   packet->original_first, packet->second);
}

static bool time_holds(const struct match *match, const struct packet *packet)
{
	return (match->minutes == NULL || interval_set_contains(match->minutes, packet->minute)) &&
	       (match->until == 0 || packet->time < match->until);
}

bool match_holds(const struct match *match, const struct packet *packet)
{
	return (match->families & family_bit(packet->family)) != 0 &&
	       tuples_hold(&match->services, packet->family, packet->protocol, packet->first,
			   packet->second) &&
	       boxes_hold(&match->from, packet->in, packet->family, packet->source) &&
	       boxes_hold(&match->to, packet->out, packet->family, packet->destination) &&
	       translation_holds(match, packet) && time_holds(match, packet);
}

struct decision ruleset_evaluate(const struct ruleset *ruleset, const struct packet *packet)
{
	size_t count = ruleset->rules_count[packet->hook];

	for (size_t index = 0; index < count; index++) {
		const struct rule *rule = ruleset->rules[packet->hook][index];

		if (match_holds(&rule->match, packet))
			return (struct decision){ rule, index, rule->outcome };
	}
	return (struct decision){ NULL, count, ruleset->defaults[packet->hook] };
}
