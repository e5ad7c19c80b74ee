/* A rule's statements from left to right; one that does not match ends the rule; a verdict ends the chain's
 * walk; the end of a chain goes back to behind the jump: see follow.h. */
#include "target/nft/report/follow.h"

#include <linux/netfilter.h>
#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "optimise/costs.h"
#include "target/nft/model/field.h"
#include "target/nft/text/value.h"

#define STACK_MAX 16 /* NFT_JUMP_STACK_SIZE */
#define ROUTE_UNICAST 1
#define ROUTE_LOCAL 2
#define STATUS_TRANSLATED 0x20 /* IPS_DST_NAT */
#define TCP_SYN 2
#define MINUTES_A_DAY (24 * 60)
#define DAYS 7

struct frame {
	const struct nft_chain *chain;
	size_t next;
};

struct follower {
	void *pool;
	const struct nft_table *table;
	const struct packet *packet;
	uint8_t hop_limit;
	struct nft_path path;
	struct frame stack[STACK_MAX], at;
	size_t depth;
	bool is_done;
};

/* --- values ----------------------------------------------------------------------------------------- */

static bool address_of(const struct packet *packet, enum family family, number128 address, struct nft_value *value)
{
	value->number = address;
	return packet->family == family;
}

static bool number_of(struct nft_value *value, number128 number)
{
	value->number = number;
	return true;
}

static bool icmp_of(const struct packet *packet, unsigned protocol, uint16_t number, struct nft_value *value)
{
	value->number = number;
	return packet->protocol == protocol;
}

static bool name_of(struct nft_value *value, const char *name)
{
	value->name = name == NULL ? "" : name;
	return true;
}

/* Of others than loopback the ruleset asks no more than whether there is one. */
static number128 index_of(const char *name)
{
	if (name == NULL)
		return 0;
	return strcmp(name, "lo") == 0 ? NFT_LOOPBACK_INDEX : NFT_LOOPBACK_INDEX + 1;
}

static number128 original_address(const struct packet *packet)
{
	return packet->is_translated ? packet->original_destination : packet->destination;
}

/* What a packet has of a field; false where it has none. */
static bool value_of(const struct follower *follower, enum nft_field field, struct nft_value *value)
{
	const struct packet *packet = follower->packet;

	*value = (struct nft_value){ 0 };
	switch (field) {
	case NFT_FIELD_IIFNAME:
		return name_of(value, packet->in);
	case NFT_FIELD_OIFNAME:
		return name_of(value, packet->out);
	case NFT_FIELD_IIF:
		return number_of(value, index_of(packet->in));
	case NFT_FIELD_OIF:
		return number_of(value, index_of(packet->out));
	case NFT_FIELD_NFPROTO:
		return number_of(value, packet->family == FAMILY_IPV4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	case NFT_FIELD_L4PROTO:
		return number_of(value, packet->protocol);
	case NFT_FIELD_IP_SADDR:
		return address_of(packet, FAMILY_IPV4, packet->source, value);
	case NFT_FIELD_IP_DADDR:
		return address_of(packet, FAMILY_IPV4, packet->destination, value);
	case NFT_FIELD_IP6_SADDR:
		return address_of(packet, FAMILY_IPV6, packet->source, value);
	case NFT_FIELD_IP6_DADDR:
		return address_of(packet, FAMILY_IPV6, packet->destination, value);
	case NFT_FIELD_TH_SPORT:
		return number_of(value, packet->second);
	case NFT_FIELD_TH_DPORT:
		return number_of(value, packet->first);
	case NFT_FIELD_TCP_FLAGS:
		return icmp_of(packet, PROTOCOL_TCP, TCP_SYN, value);
	case NFT_FIELD_ICMP_TYPE:
		return icmp_of(packet, PROTOCOL_ICMP, packet->first, value);
	case NFT_FIELD_ICMP_CODE:
		return icmp_of(packet, PROTOCOL_ICMP, packet->second, value);
	case NFT_FIELD_ICMPV6_TYPE:
		return icmp_of(packet, PROTOCOL_ICMP6, packet->first, value);
	case NFT_FIELD_ICMPV6_CODE:
		return icmp_of(packet, PROTOCOL_ICMP6, packet->second, value);
	case NFT_FIELD_IP6_HOPLIMIT:
		return address_of(packet, FAMILY_IPV6, follower->hop_limit, value);
	case NFT_FIELD_CT_STATE:
		return number_of(value, NFT_STATE_NEW);
	case NFT_FIELD_CT_STATUS:
		return number_of(value, packet->is_translated ? STATUS_TRANSLATED : 0);
	case NFT_FIELD_CT_HELPER:
		return false;
	case NFT_FIELD_CT_ORIGINAL_IP_DADDR:
		return address_of(packet, FAMILY_IPV4, original_address(packet), value);
	case NFT_FIELD_CT_ORIGINAL_IP6_DADDR:
		return address_of(packet, FAMILY_IPV6, original_address(packet), value);
	case NFT_FIELD_CT_ORIGINAL_PROTO_DST:
		return number_of(value, packet->is_translated ? packet->original_first : packet->first);
	case NFT_FIELD_FIB_DADDR_TYPE:
		return number_of(value, packet->hook == HOOK_INPUT ? ROUTE_LOCAL : ROUTE_UNICAST);
	case NFT_FIELD_META_DAY: /* of the kernel: Sunday is 0; of the packet's minute: Monday */
		return number_of(value, (packet->minute / MINUTES_A_DAY + 1) % DAYS);
	case NFT_FIELD_META_HOUR:
		return number_of(value, packet->minute % MINUTES_A_DAY * 60);
	case NFT_FIELD_META_TIME:
		return number_of(value, (number128)packet->time);
	}
	return false;
}

/* --- matches ---------------------------------------------------------------------------------------- */

static bool is_name(enum nft_field field)
{
	return nft_field_row(field)->kind == NFT_VALUE_NAME;
}

static bool is_in_element(const struct nft_set *set, const struct nft_element *element,
			  const struct nft_value *values)
{
	for (size_t i = 0; i < set->fields_count; i++) {
		const struct nft_value low = nft_element_low(set, element, i);
		const struct nft_value high = nft_element_high(set, element, i);

		if (is_name(set->fields[i]) ? strcmp(values[i].name, low.name) != 0 :
		    values[i].number < low.number || values[i].number > high.number)
			return false;
	}
	return true;
}

static const struct nft_element *element_of(const struct nft_set *set, const struct nft_value *values)
{
	for (size_t i = 0; i < set->elements_count; i++)
		if (is_in_element(set, &set->elements[i], values))
			return &set->elements[i];
	return NULL;
}

static bool is_in_set(const struct nft_set *set, const struct nft_value *values)
{
	return set->intervals != NULL ? interval_set_contains(set->intervals, values[0].number)
				      : element_of(set, values) != NULL;
}

static bool equals(enum nft_field field, const struct nft_value *a, const struct nft_value *b)
{
	return is_name(field) ? strcmp(a->name, b->name) == 0 : a->number == b->number;
}

static bool is_in_prefix(const struct nft_statement *statement, const struct nft_value *value)
{
	bool is_ipv4 = statement->field == NFT_FIELD_IP_SADDR || statement->field == NFT_FIELD_IP_DADDR;
	unsigned free_bits = (is_ipv4 ? 32u : 128u) - statement->length;

	return free_bits == 128 || value->number >> free_bits == statement->low.number >> free_bits;
}

static bool matches(const struct follower *follower, const struct nft_statement *statement)
{
	struct nft_value value;
	bool is_between;

	if (!value_of(follower, statement->field, &value))
		return false;
	is_between = value.number >= statement->low.number && value.number <= statement->high.number;
	switch (statement->operator) {
	case NFT_EQUAL:
		return equals(statement->field, &value, &statement->low);
	case NFT_NOT_EQUAL:
		return !equals(statement->field, &value, &statement->low);
	case NFT_RANGE:
		return is_between;
	case NFT_NOT_RANGE:
		return !is_between;
	case NFT_PREFIX:
		return is_in_prefix(statement, &value);
	case NFT_LESS:
		return value.number < statement->low.number;
	case NFT_ANY_BIT:
		return (value.number & statement->low.number) != 0;
	case NFT_IN_SET:
		return is_in_set(statement->set, &value);
	case NFT_NOT_IN_SET:
		return !is_in_set(statement->set, &value);
	}
	return false;
}

static bool values_of(const struct follower *follower, const struct nft_statement *statement,
		      struct nft_value *values)
{
	for (size_t i = 0; i < statement->fields_count; i++)
		if (!value_of(follower, statement->fields[i], &values[i]))
			return false;
	for (size_t i = 0; i < statement->fields_count; i++)
		if (statement->leading[i] != 0)
			values[i].number &= nft_mask(statement->fields[i], statement->leading[i]);
	return true;
}

/* --- what it costs ---------------------------------------------------------------------------------- */

static unsigned lookup_cost(const struct nft_set *set)
{
	size_t count = set->intervals != NULL ? set->intervals->items_count : set->elements_count;
	bool is_name = nft_field_row(set->fields[0])->kind == NFT_VALUE_NAME;
	bool is_long = nft_field_row(set->fields[0])->bytes > 4;
	bool is_in_parts = set->leading[0] != 0 && is_long;

	if (set->range_cost != 0)
		return set->range_cost;
	if (set->fields_count > NFT_RANGE_FIELDS_MAX && is_in_parts)
		return cost_lookup(LOOKUP_FLOW_PARTS6, count);
	if (set->fields_count > NFT_RANGE_FIELDS_MAX)
		return cost_lookup(is_long ? LOOKUP_FLOW6 : LOOKUP_FLOW, count);
	if (is_in_parts)
		return cost_lookup(set->fields_count > 1 ? LOOKUP_PAIR_PARTS6 : LOOKUP_PARTS6, count);
	if (set->fields_count > 1 && nft_field_row(set->fields[1])->family != 0)
		return cost_lookup(is_long ? LOOKUP_PAIR6 : LOOKUP_PAIR, count);
	if (set->fields_count > 1)
		return cost_lookup(set->is_interval ? LOOKUP_CONCATENATED : LOOKUP_EXACT, count);
	if (set->is_interval)
		return cost_lookup(is_long ? LOOKUP_INTERVAL6 : LOOKUP_INTERVAL, count);
	return cost_lookup(is_name ? LOOKUP_NAME : is_long ? LOOKUP_MASKED6 : LOOKUP_MASKED, count);
}

static enum cost_addresses addresses_kind(const struct nft_statement *match)
{
	struct nft_part parts[NFT_PARTS_MAX];

	if (nft_operator_of(match) == NFT_EQUAL)
		return COST_OF_ADDRESS;
	if (nft_operator_of(match) == NFT_RANGE)
		return nft_match_parts(match, parts) == 0 ? COST_OF_RANGE : COST_OF_ENDS;
	return COST_OF_PREFIX;
}

static unsigned compare_cost(const struct nft_statement *match, bool is_first)
{
	bool is_address = nft_field_row(match->field)->family != 0;
	bool is_ipv6 = nft_field_row(match->field)->bytes == 16;
	enum cost_addresses kind = addresses_kind(match);

	if (nft_field_row(match->field)->kind == NFT_VALUE_NAME)
		return COST_COMPARE_NAME;
	if (is_first && is_address)
		return match->is_of_family ? cost_compare_place(is_ipv6, kind) : cost_compare(is_ipv6, kind);
	if (is_first)
		return COST_PROTOCOL;
	return COST_COMPARE_MORE + (is_address && kind == COST_OF_RANGE ? COST_RANGE : 0);
}

/* What the statement costs a packet that gets to it. */
static unsigned statement_cost(const struct nft_statement *statement, bool is_first)
{
	switch (statement->kind) {
	case NFT_MATCH:
		return statement->set != NULL ? lookup_cost(statement->set) : compare_cost(statement, is_first);
	case NFT_VMAP:
	case NFT_CONCAT_MATCH:
		return lookup_cost(statement->set) - (statement->is_of_family ? COST_FAMILY : 0);
	case NFT_VERDICT:
		return statement->verdict.kind == NFT_JUMP || statement->verdict.kind == NFT_GOTO ? COST_JUMP : 0;
	case NFT_COUNTER:
		return COST_COUNTER;
	case NFT_LIMIT:
	case NFT_SOURCE_LIMIT:
	case NFT_REJECT:
	case NFT_LOG:
	case NFT_NOTRACK:
	case NFT_HELPER:
	case NFT_MASQUERADE:
	case NFT_SNAT:
	case NFT_DNAT:
		break; /* what they do is no part of finding the rule */
	}
	return 0;
}

/* --- the walk --------------------------------------------------------------------------------------- */

static const struct nft_chain *chain_of(const struct nft_table *table, const char *name)
{
	for (size_t i = 0; i < table->chains_count; i++)
		if (strcmp(table->chains[i]->name, name) == 0)
			return table->chains[i];
	return NULL;
}

static void leave(struct follower *follower)
{
	if (follower->depth == 0)
		follower->is_done = true;
	else
		follower->at = follower->stack[--follower->depth];
}

static void decide(struct follower *follower, bool is_accepted, bool is_rejected)
{
	follower->path.is_decided = follower->is_done = true;
	follower->path.is_accepted = is_accepted;
	follower->path.is_rejected = is_rejected;
}

static void obey(struct follower *follower, const struct nft_verdict *verdict)
{
	const struct nft_chain *chain;

	switch (verdict->kind) {
	case NFT_ACCEPT:
	case NFT_DROP:
		decide(follower, verdict->kind == NFT_ACCEPT, false);
		return;
	case NFT_RETURN:
		leave(follower);
		return;
	case NFT_JUMP:
	case NFT_GOTO:
		break;
	}
	chain = chain_of(follower->table, verdict->chain);
	if (chain == NULL || (verdict->kind == NFT_JUMP && follower->depth == STACK_MAX)) {
		follower->is_done = true;
		return;
	}
	if (verdict->kind == NFT_JUMP)
		follower->stack[follower->depth++] = follower->at;
	follower->at = (struct frame){ chain, 0 };
}

static void note(struct follower *follower, const struct frame *frame, const struct nft_set *map,
		 const struct nft_element *element)
{
	*pool_append(follower->pool, &follower->path, steps) = (struct nft_step){
		frame->chain, frame->next, map, element,
	};
}

/* Whether the rule's next statement is to be looked at. frame: where the rule stands. */
static bool step(struct follower *follower, const struct frame *frame, const struct nft_statement *statement)
{
	struct nft_value values[NFT_KEY_FIELDS_MAX];
	const struct nft_element *element;
	struct nft_verdict verdict;

	switch (statement->kind) {
	case NFT_MATCH:
		return matches(follower, statement);
	case NFT_CONCAT_MATCH:
		return (values_of(follower, statement, values) && is_in_set(statement->set, values)) ==
		       (statement->operator != NFT_NOT_IN_SET);
	case NFT_VMAP:
		element = values_of(follower, statement, values) ? element_of(statement->set, values) : NULL;
		if (element != NULL) {
			note(follower, frame, statement->set, element);
			verdict = nft_element_verdict(element);
			obey(follower, &verdict);
		}
		return false;
	case NFT_VERDICT:
		note(follower, frame, NULL, NULL);
		obey(follower, &statement->verdict);
		return false;
	case NFT_REJECT:
		note(follower, frame, NULL, NULL);
		decide(follower, false, true);
		return false;
	case NFT_SOURCE_LIMIT:
		return statement->family == follower->packet->family;
	case NFT_COUNTER:
	case NFT_LIMIT:
	case NFT_LOG:
	case NFT_NOTRACK:
	case NFT_HELPER:
		return true;
	case NFT_MASQUERADE:
	case NFT_SNAT:
	case NFT_DNAT:
		break;
	}
	return false;
}

static void walk(struct follower *follower)
{
	while (!follower->is_done) {
		const struct frame frame = follower->at;
		const struct nft_rule *rule;

		if (frame.next == frame.chain->rules_count) {
			leave(follower);
			continue;
		}
		rule = &frame.chain->rules[frame.next];
		follower->at.next++;
		for (size_t i = 0; i < rule->statements_count; i++) {
			follower->path.cost += statement_cost(&rule->statements[i], i == 0);
			if (!step(follower, &frame, &rule->statements[i]))
				break;
		}
	}
}

struct nft_path nft_follow(void *pool, const struct nft_table *table, const struct packet *packet,
			   uint8_t hop_limit)
{
	static const unsigned hooks[] = {
		[HOOK_INPUT] = NF_INET_LOCAL_IN, [HOOK_FORWARD] = NF_INET_FORWARD,
		[HOOK_OUTPUT] = NF_INET_LOCAL_OUT,
	};
	struct follower follower = { .pool = pool, .table = table, .packet = packet, .hop_limit = hop_limit,
				     .is_done = true };

	for (size_t i = 0; i < table->chains_count; i++) {
		const struct nft_chain *chain = table->chains[i];

		if (chain->is_base && chain->priority == 0 && chain->hook == hooks[packet->hook] &&
		    strcmp(chain->type, "filter") == 0) {
			follower.at = (struct frame){ chain, 0 };
			follower.is_done = false;
		}
	}
	walk(&follower);
	return follower.path;
}

/* --- printing --------------------------------------------------------------------------------------- */

void nft_step_element(struct text *out, const struct nft_step *step)
{
	for (size_t i = 0; i < step->map->fields_count; i++) {
		const struct nft_value low = nft_element_low(step->map, step->element, i);
		const struct nft_value high = nft_element_high(step->map, step->element, i);

		text_add(out, i == 0 ? "" : " . ");
		nft_text_interval(out, step->map->fields[i], &low, &high);
	}
}

void nft_path_format(struct text *out, const struct nft_path *path)
{
	for (size_t i = 0; i < path->steps_count; i++) {
		const struct nft_step *step = &path->steps[i];

		text_addf(out, "%schain %s, rule %zu", i == 0 ? "" : " -> ", step->chain->name, step->rule + 1);
		if (step->map == NULL)
			continue;
		text_addf(out, ", map %s: ", step->map->name);
		nft_step_element(out, step);
	}
}
