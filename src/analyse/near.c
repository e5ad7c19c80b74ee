/* Conditions one by one, as the evaluator asks them. */
#include "analyse/near.h"

#include <stdlib.h>

#include "base/row.h"
#include "net/protocol.h"

static bool has_protocol(const struct tuple_set *tuples, uint8_t protocol)
{
	for (size_t index = 0; index < tuples->tuples_count; index++)
		if (tuples->tuples[index].protocol == PROTOCOL_ANY ||
		    tuples->tuples[index].protocol == protocol)
			return true;
	return false;
}

static bool has_address(const struct place_boxes *boxes, enum family family, number128 address)
{
	for (size_t index = 0; index < boxes->boxes_count; index++)
		if (interval_set_contains(
			    address_set_family(&boxes->boxes[index].addresses, family), address))
			return true;
	return false;
}

/* What fails so far, and the last of it. */
struct failures {
	size_t count;
	enum near_condition condition;
};

static void fail(struct failures *failures, enum near_condition condition)
{
	failures->count++;
	failures->condition = condition;
}

static void judge_places(struct failures *failures, const struct match *match,
			 const struct packet *packet)
{
	if (!boxes_hold(&match->from, packet->in, packet->family, packet->source))
		fail(failures, has_address(&match->from, packet->family, packet->source) ?
			       NEAR_IN : NEAR_SOURCE);
	if (!boxes_hold(&match->to, packet->out, packet->family, packet->destination))
		fail(failures, has_address(&match->to, packet->family, packet->destination) ?
			       NEAR_OUT : NEAR_DESTINATION);
}

/* From where the rule's `forward` listens. */
static bool is_translated_so(const struct match *match, const struct packet *packet)
{
	return packet->is_translated &&
	       (!match->has_original_to ||
		interval_set_contains(address_set_family(&match->original->to, packet->family),
				      packet->original_destination)) &&
	       (match->original->services.tuples_count == 0 ||
		tuples_hold(&match->original->services, packet->family, packet->protocol, packet->original_first,
			    packet->second));
}

static void judge_rest(struct failures *failures, const struct match *match,
		       const struct packet *packet)
{
	if (match->is_translated && !is_translated_so(match, packet))
		fail(failures, NEAR_TRANSLATED);
	if (match->minutes != NULL && !interval_set_contains(match->minutes, packet->minute))
		fail(failures, NEAR_TIME);
	if (match->until != 0 && packet->time >= match->until)
		fail(failures, NEAR_ENDED);
}

/* Rules of the other family say nothing of this packet. */
static bool is_near(const struct match *match, const struct packet *packet,
		    enum near_condition *condition)
{
	unsigned family = packet->family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
	struct failures failures = { 0 };

	if ((match->families & family) == 0)
		return false;
	if (!tuples_hold(&match->services, packet->family, packet->protocol, packet->first,
			 packet->second))
		fail(&failures, has_protocol(&match->services, packet->protocol) ? NEAR_PORT :
				NEAR_PROTOCOL);
	judge_places(&failures, match, packet);
	judge_rest(&failures, match, packet);
	*condition = failures.condition;
	return failures.count == 1;
}

static bool is_known(const struct near_rule *near, size_t count, const struct rule *rule)
{
	for (size_t index = 0; index < count; index++)
		if (near[index].rule->origin.source == rule->origin.source &&
		    near[index].rule->origin.begin == rule->origin.begin)
			return true;
	return false;
}

/* From the last rule to the first, those of the other verdict or the others. */
static size_t gather(const struct ruleset *ruleset, const struct packet *packet, size_t before,
		     enum verdict verdict, bool wants_other, struct near_rule *near, size_t count,
		     size_t most)
{
	for (size_t index = before; index-- > 0 && count < most;) {
		const struct rule *rule = ruleset->rules[packet->hook][index];
		enum near_condition condition;
		bool is_other = (rule->outcome->verdict == VERDICT_ALLOW) !=
				(verdict == VERDICT_ALLOW);

		if (is_other == wants_other && is_near(&rule->match, packet, &condition) &&
		    !is_known(near, count, rule))
			near[count++] = (struct near_rule){ rule, condition };
	}
	return count;
}

static size_t number_of(const struct rule *rule)
{
	return rule->identity->rule != NULL ? rule->identity->rule->number : 0;
}

static int order_of_policy(const void *a, const void *b)
{
	size_t first = number_of(((const struct near_rule *)a)->rule);
	size_t second = number_of(((const struct near_rule *)b)->rule);

	return (first > second) - (first < second);
}

size_t near_rules(const struct ruleset *ruleset, const struct packet *packet, size_t before,
		  enum verdict verdict, struct near_rule *near, size_t most)
{
	size_t count = gather(ruleset, packet, before, verdict, true, near, 0, most);

	count = gather(ruleset, packet, before, verdict, false, near, count, most);
	qsort(near, count, sizeof *near, order_of_policy);
	return count;
}

/* --- words ------------------------------------------------------------------------------------------- */

#define SHOWN_MOST 3

/* protocol -1: all of them */
static void add_services(struct text *out, const struct tuple_set *tuples, int protocol)
{
	struct row row = { .out = out, .most = SHOWN_MOST };

	for (size_t index = 0; index < tuples->tuples_count; index++) {
		const struct service_tuple *tuple = &tuples->tuples[index];

		if ((protocol < 0 || tuple->protocol == protocol) && row_next(&row))
			tuple_format(out, tuple);
	}
	row_end(&row);
}

/* By whatever interface. */
static void add_addresses(struct text *out, const struct place_boxes *boxes, enum family family)
{
	struct row row = { .out = out, .most = SHOWN_MOST };
	struct interval_set sum = { 0 };

	for (size_t box = 0; box < boxes->boxes_count; box++)
		sum = interval_set_union(out->pool, &sum, address_set_family(&boxes->boxes[box].addresses, family));
	for (size_t index = 0; index < sum.items_count; index++)
		if (row_next(&row))
			address_interval_format(out, family, &sum.items[index]);
	row_end(&row);
}

/* Those by which the address is one of the rule's: another address may come by others. */
static void add_interfaces(struct text *out, const struct place_boxes *boxes, enum family family,
			   number128 address)
{
	struct row row = { .out = out, .most = SHOWN_MOST };
	struct interface_set sum = { 0 };

	for (size_t box = 0; box < boxes->boxes_count; box++)
		if (interval_set_contains(address_set_family(&boxes->boxes[box].addresses, family), address))
			sum = interface_set_union(out->pool, &sum, &boxes->boxes[box].interfaces);
	text_add(out, sum.is_complement ? "any but " : "");
	for (size_t index = 0; index < sum.names_count; index++)
		if (row_next(&row))
			text_add(out, sum.names[index]);
	row_end(&row);
}

static void add_interface(struct text *out, const char *interface, const char *words)
{
	text_addf(out, "%s %s, not by ", words, interface != NULL ? interface : "no interface");
}

void near_format(struct text *out, const struct near_rule *near, const struct packet *packet)
{
	const struct match *match = &near->rule->match;

	switch (near->condition) {
	case NEAR_PROTOCOL:
		text_add(out, "the service is not ");
		add_services(out, &match->services, -1);
		break;
	case NEAR_PORT:
		text_addf(out, "the %s is not that of ",
			  protocol_has_ports(packet->protocol) ? "port" : "type");
		add_services(out, &match->services, packet->protocol);
		break;
	case NEAR_IN:
		add_interface(out, packet->in, "it comes in by");
		add_interfaces(out, &match->from, packet->family, packet->source);
		break;
	case NEAR_SOURCE:
		text_add(out, "the source is not in ");
		add_addresses(out, &match->from, packet->family);
		break;
	case NEAR_OUT:
		add_interface(out, packet->out, "it leaves by");
		add_interfaces(out, &match->to, packet->family, packet->destination);
		break;
	case NEAR_DESTINATION:
		text_add(out, "the destination is not in ");
		add_addresses(out, &match->to, packet->family);
		break;
	case NEAR_TRANSLATED:
		text_add(out, "it is for packets that its 'forward' translated");
		break;
	case NEAR_TIME:
		text_add(out, "it is outside the rule's schedule");
		break;
	case NEAR_ENDED:
		text_add(out, "the rule has ended");
		break;
	}
}

const char *near_condition_word(enum near_condition condition)
{
	static const char *const words[] = {
		[NEAR_PROTOCOL] = "protocol", [NEAR_PORT] = "port", [NEAR_IN] = "in-interface",
		[NEAR_SOURCE] = "source", [NEAR_OUT] = "out-interface", [NEAR_DESTINATION] = "destination",
		[NEAR_TRANSLATED] = "translated", [NEAR_TIME] = "time", [NEAR_ENDED] = "ended",
	};

	return words[condition];
}
