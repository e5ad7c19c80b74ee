/* The kernel's semantics: a rule's statements from left to right; one that does not match ends the
 * rule; a verdict ends the chain's walk; `return` and the end of a chain go back to behind the
 * jump; goto forgets where it came from. Conditions on a header imply that the packet has it. */
#include "model_eval.h"

#include <string.h>

#include "net/protocol.h"

#define STACK_MAX 16 /* NFT_JUMP_STACK_SIZE */

struct frame {
	const struct nft_chain *chain;
	size_t next;
};

struct machine {
	const struct nft_table *table;
	const struct model_packet *packet;
	struct model_result result;
	struct frame stack[STACK_MAX];
	size_t depth;
	struct frame at;
	unsigned protocol_checked; /* + 1: the rule has compared l4proto with it */
	bool is_done;
};

enum step { STEP_NEXT, STEP_BREAK, STEP_VERDICT };

static void problem(struct machine *machine, const char *text)
{
	machine->result.problem = text;
	machine->is_done = true;
}

static const struct nft_chain *find_chain(const struct nft_table *table, const char *name)
{
	for (size_t i = 0; i < table->chains_count; i++)
		if (table->chains[i]->name == name)
			return table->chains[i];
	for (size_t i = 0; i < table->chains_count; i++)
		if (strcmp(table->chains[i]->name, name) == 0)
			return table->chains[i];
	return NULL;
}

static number128 index_of(const char *name, number128 other)
{
	if (name == NULL)
		return 0;
	return strcmp(name, "lo") == 0 ? 1 : other;
}

/* The packet's value of a field; false where it has none. */
static bool field_value(const struct model_packet *packet, enum nft_field field,
			struct nft_value *value)
{
	bool is_ipv4 = packet->family == FAMILY_IPV4;
	*value = (struct nft_value){ 0 };
	switch (field) {
	case NFT_FIELD_IIFNAME:
		value->name = packet->in == NULL ? "" : packet->in;
		return true;
	case NFT_FIELD_OIFNAME:
		value->name = packet->out == NULL ? "" : packet->out;
		return true;
	case NFT_FIELD_IIF:
		value->number = index_of(packet->in, 7);
		return true;
	case NFT_FIELD_OIF:
		value->number = index_of(packet->out, 8);
		return true;
	case NFT_FIELD_NFPROTO:
		value->number = is_ipv4 ? 2 : 10;
		return true;
	case NFT_FIELD_L4PROTO:
		value->number = packet->protocol;
		return true;
	case NFT_FIELD_IP_SADDR:
		value->number = packet->source;
		return is_ipv4;
	case NFT_FIELD_IP_DADDR:
		value->number = packet->destination;
		return is_ipv4;
	case NFT_FIELD_IP6_SADDR:
		value->number = packet->source;
		return !is_ipv4;
	case NFT_FIELD_IP6_DADDR:
		value->number = packet->destination;
		return !is_ipv4;
	case NFT_FIELD_TH_SPORT:
		value->number = packet->source_port;
		return true;
	case NFT_FIELD_TH_DPORT:
		value->number = packet->destination_port;
		return true;
	case NFT_FIELD_TCP_FLAGS:
		value->number = packet->tcp_flags;
		return packet->protocol == PROTOCOL_TCP;
	case NFT_FIELD_ICMP_TYPE:
		value->number = packet->type;
		return packet->protocol == PROTOCOL_ICMP;
	case NFT_FIELD_ICMP_CODE:
		value->number = packet->code;
		return packet->protocol == PROTOCOL_ICMP;
	case NFT_FIELD_ICMPV6_TYPE:
		value->number = packet->type;
		return packet->protocol == PROTOCOL_ICMP6;
	case NFT_FIELD_ICMPV6_CODE:
		value->number = packet->code;
		return packet->protocol == PROTOCOL_ICMP6;
	case NFT_FIELD_IP6_HOPLIMIT:
		value->number = packet->hop_limit;
		return !is_ipv4;
	case NFT_FIELD_CT_STATE:
		value->number = packet->state;
		return true;
	case NFT_FIELD_CT_STATUS:
		value->number = packet->status;
		return true;
	case NFT_FIELD_CT_HELPER:
		value->name = packet->helper;
		return packet->helper != NULL;
	case NFT_FIELD_CT_ORIGINAL_IP_DADDR:
		value->number = packet->original_destination;
		return is_ipv4;
	case NFT_FIELD_CT_ORIGINAL_IP6_DADDR:
		value->number = packet->original_destination;
		return !is_ipv4;
	case NFT_FIELD_CT_ORIGINAL_PROTO_DST:
		value->number = packet->original_port;
		return true;
	case NFT_FIELD_FIB_DADDR_TYPE:
		value->number = packet->route;
		return true;
	case NFT_FIELD_META_DAY:
		value->number = packet->day;
		return true;
	case NFT_FIELD_META_HOUR:
		value->number = packet->second;
		return true;
	case NFT_FIELD_META_TIME:
		value->number = packet->time;
		return true;
	}
	return false;
}

/* --- sets --------------------------------------------------------------------------------- */

static bool is_name(enum nft_field field)
{
	return field == NFT_FIELD_IIFNAME || field == NFT_FIELD_OIFNAME || field == NFT_FIELD_CT_HELPER;
}

static bool in_element(const struct nft_set *set, const struct nft_element *element,
		       const struct nft_value *values)
{
	for (size_t i = 0; i < set->fields_count; i++) {
		const struct nft_value low = nft_element_low(set, element, i);
		const struct nft_value high = nft_element_high(set, element, i);
		if (is_name(set->fields[i])) {
			if (strcmp(values[i].name, low.name) != 0)
				return false;
		} else if (values[i].number < low.number || values[i].number > high.number) {
			return false;
		}
	}
	return true;
}

/* The element that holds the values; two are a problem. */
static const struct nft_element *find_element(struct machine *machine, const struct nft_set *set,
					      const struct nft_value *values)
{
	const struct nft_element *found = NULL;
	for (size_t i = 0; i < set->elements_count; i++) {
		if (!in_element(set, &set->elements[i], values))
			continue;
		if (found != NULL)
			problem(machine, "two elements of a set hold one value");
		found = &set->elements[i];
	}
	return found;
}

static bool in_set(struct machine *machine, const struct nft_set *set,
		   const struct nft_value *values)
{
	if (set->intervals != NULL)
		return interval_set_contains(set->intervals, values[0].number);
	return find_element(machine, set, values) != NULL;
}

static bool set_values(struct machine *machine, const struct nft_statement *statement,
		       struct nft_value values[NFT_KEY_FIELDS_MAX])
{
	if (statement->set->fields_count != statement->fields_count)
		problem(machine, "a lookup has other fields than its set");
	for (size_t i = 0; i < statement->fields_count; i++)
		if (!field_value(machine->packet, statement->fields[i], &values[i]))
			return false;
	return true;
}

/* --- statements --------------------------------------------------------------------------- */

static bool value_equals(enum nft_field field, const struct nft_value *a, const struct nft_value *b)
{
	return is_name(field) ? a->name != NULL && strcmp(a->name, b->name) == 0 : a->number == b->number;
}

static bool in_range(const struct nft_statement *statement, const struct nft_value *value)
{
	return value->number >= statement->low.number && value->number <= statement->high.number;
}

static bool in_prefix(const struct nft_statement *statement, const struct nft_value *value)
{
	enum nft_field field = statement->field;
	bool is_ipv4 = field == NFT_FIELD_IP_SADDR || field == NFT_FIELD_IP_DADDR;
	unsigned host_bits = (is_ipv4 ? 32u : 128u) - statement->length;
	if (host_bits == 128)
		return true;
	return value->number >> host_bits == statement->low.number >> host_bits;
}

static bool operator_holds(struct machine *machine, const struct nft_statement *statement,
			   const struct nft_value *value)
{
	switch (statement->operator) {
	case NFT_EQUAL:
		return value_equals(statement->field, value, &statement->low);
	case NFT_NOT_EQUAL:
		return !value_equals(statement->field, value, &statement->low);
	case NFT_RANGE:
		return in_range(statement, value);
	case NFT_NOT_RANGE:
		return !in_range(statement, value);
	case NFT_PREFIX:
		return in_prefix(statement, value);
	case NFT_LESS:
		return value->number < statement->low.number;
	case NFT_ANY_BIT:
		return (value->number & statement->low.number) != 0;
	case NFT_IN_SET:
		return in_set(machine, statement->set, value);
	case NFT_NOT_IN_SET:
		return !in_set(machine, statement->set, value);
	}
	return false;
}

static enum step step_match(struct machine *machine, const struct nft_statement *statement)
{
	struct nft_value value;
	bool is_port = statement->field == NFT_FIELD_TH_SPORT ||
		       statement->field == NFT_FIELD_TH_DPORT;
	if (is_port && statement->protocol != 0 &&
	    machine->protocol_checked != statement->protocol + 1u)
		problem(machine, "a port is compared without its protocol");
	if (!field_value(machine->packet, statement->field, &value) ||
	    !operator_holds(machine, statement, &value))
		return STEP_BREAK;
	if (statement->field == NFT_FIELD_L4PROTO && statement->operator == NFT_EQUAL)
		machine->protocol_checked = (unsigned)statement->low.number + 1;
	return STEP_NEXT;
}

static void decide(struct machine *machine, enum model_fate fate, const char *comment)
{
	machine->result.fate = fate;
	machine->result.is_decided = true;
	machine->result.comment = comment;
	machine->is_done = true;
}

static void enter(struct machine *machine, const char *name, bool returns)
{
	const struct nft_chain *chain = find_chain(machine->table, name);
	if (chain == NULL || chain->is_base) {
		problem(machine, "a verdict goes to a chain that is not there");
		return;
	}
	if (returns && machine->depth == STACK_MAX) {
		problem(machine, "more levels of chains than the kernel follows");
		return;
	}
	if (returns)
		machine->stack[machine->depth++] = machine->at;
	machine->at = (struct frame){ chain, 0 };
}

static void leave(struct machine *machine)
{
	if (machine->depth == 0)
		machine->is_done = true;
	else
		machine->at = machine->stack[--machine->depth];
}

static void follow(struct machine *machine, const struct nft_verdict *verdict, const char *comment)
{
	switch (verdict->kind) {
	case NFT_ACCEPT:
		decide(machine, MODEL_ACCEPT, comment);
		return;
	case NFT_DROP:
		decide(machine, MODEL_DROP, comment);
		return;
	case NFT_JUMP:
	case NFT_GOTO:
		enter(machine, verdict->chain, verdict->kind == NFT_JUMP);
		return;
	case NFT_RETURN:
		leave(machine);
		return;
	}
}

/* Leading bits alone; elements with others could never be found. */
static void mask_value(struct machine *machine, const struct nft_statement *statement, size_t field,
		       struct nft_value *value)
{
	enum nft_field of = statement->fields[field];
	unsigned bits = of == NFT_FIELD_IP_SADDR || of == NFT_FIELD_IP_DADDR ? 32 : 128;
	unsigned dropped = bits - statement->leading[field];
	if (statement->leading[field] == 0)
		return;
	if (dropped >= bits || statement->set->is_interval)
		problem(machine, "a mask where there can be none");
	value->number = value->number >> dropped << dropped;
	for (size_t i = 0; i < statement->set->elements_count; i++) {
		number128 low = nft_element_low(statement->set, &statement->set->elements[i], field).number;
		if (low >> dropped << dropped != low)
			problem(machine, "an element that its mask never gives");
	}
}

static enum step step_map(struct machine *machine, const struct nft_statement *statement)
{
	struct nft_value values[NFT_KEY_FIELDS_MAX];
	if (!statement->set->is_verdict_map)
		problem(machine, "a verdict is looked up in a set without verdicts");
	if (!set_values(machine, statement, values))
		return STEP_BREAK;
	for (size_t i = 0; i < statement->fields_count; i++)
		mask_value(machine, statement, i, &values[i]);
	const struct nft_element *element = find_element(machine, statement->set, values);
	if (element == NULL || machine->is_done)
		return STEP_BREAK;
	const struct nft_verdict verdict = nft_element_verdict(element);
	follow(machine, &verdict, element->comment);
	return STEP_VERDICT;
}

static enum step step_concat(struct machine *machine, const struct nft_statement *statement)
{
	struct nft_value values[NFT_KEY_FIELDS_MAX];
	bool is_in = set_values(machine, statement, values) &&
		     in_set(machine, statement->set, values);
	return is_in == (statement->operator != NFT_NOT_IN_SET) ? STEP_NEXT : STEP_BREAK;
}

static enum step step_counter(struct machine *machine, const struct nft_statement *statement)
{
	struct model_result *result = &machine->result;
	if (result->counters_count == MODEL_COUNTERS_MAX)
		problem(machine, "a packet is counted too often");
	else
		result->counters[result->counters_count++] = statement->name;
	return STEP_NEXT;
}

static enum step step_source_limit(struct machine *machine, const struct nft_statement *statement)
{
	if (!statement->set->is_dynamic || statement->set->size == 0)
		problem(machine, "a source limit without a bounded dynamic set");
	bool fits = statement->family == machine->packet->family;
	return fits && !machine->packet->is_over_limit ? STEP_NEXT : STEP_BREAK;
}

static enum step step_translation(struct machine *machine, const struct nft_statement *statement,
				  const char *comment)
{
	struct model_result *result = &machine->result;
	if (statement->family != machine->packet->family)
		problem(machine, "a translation meets a packet of the other family");
	if (statement->kind == NFT_MASQUERADE) {
		result->is_masqueraded = true;
	} else if (statement->kind == NFT_SNAT) {
		result->has_new_source = true;
		result->new_source = statement->address;
	} else {
		result->has_new_destination = true;
		result->new_destination = statement->address;
		result->new_port = statement->port;
	}
	decide(machine, MODEL_ACCEPT, comment);
	return STEP_VERDICT;
}

static enum step step(struct machine *machine, const struct nft_statement *statement,
		      const char *comment)
{
	switch (statement->kind) {
	case NFT_MATCH:
		return step_match(machine, statement);
	case NFT_VMAP:
		return step_map(machine, statement);
	case NFT_CONCAT_MATCH:
		return step_concat(machine, statement);
	case NFT_VERDICT:
		follow(machine, &statement->verdict, comment);
		return STEP_VERDICT;
	case NFT_REJECT:
		decide(machine, statement->reject == NFT_REJECT_TCP_RESET ? MODEL_REJECT_RESET
									  : MODEL_REJECT_ADMIN,
		       comment);
		return STEP_VERDICT;
	case NFT_COUNTER:
		return step_counter(machine, statement);
	case NFT_LIMIT:
		return machine->packet->is_over_limit ? STEP_BREAK : STEP_NEXT;
	case NFT_SOURCE_LIMIT:
		return step_source_limit(machine, statement);
	case NFT_LOG:
		machine->result.log_prefix = statement->log_prefix;
		return STEP_NEXT;
	case NFT_NOTRACK:
		machine->result.is_untracked = true;
		return STEP_NEXT;
	case NFT_HELPER:
		machine->result.helper = statement->name;
		return STEP_NEXT;
	case NFT_MASQUERADE:
	case NFT_SNAT:
	case NFT_DNAT:
		return step_translation(machine, statement, comment);
	}
	return STEP_BREAK;
}

static void run_rule(struct machine *machine, const struct nft_rule *rule)
{
	machine->protocol_checked = 0;
	machine->result.steps++;
	for (size_t i = 0; i < rule->statements_count && !machine->is_done; i++)
		if (step(machine, &rule->statements[i], rule->comment) != STEP_NEXT)
			return;
}

static const struct nft_chain *find_base(const struct nft_table *table, const char *type,
					 int32_t priority, unsigned hook)
{
	for (size_t i = 0; i < table->chains_count; i++) {
		const struct nft_chain *chain = table->chains[i];
		if (chain->is_base && chain->hook == hook && chain->priority == priority &&
		    strcmp(chain->type, type) == 0)
			return chain;
	}
	return NULL;
}

struct model_result model_eval(const struct nft_table *table, const char *type, int32_t priority,
			       const struct model_packet *packet)
{
	struct machine machine = { .table = table, .packet = packet };
	machine.at.chain = find_base(table, type, priority, packet->hook);
	if (machine.at.chain == NULL)
		return machine.result;
	while (!machine.is_done) {
		const struct nft_chain *chain = machine.at.chain;
		if (machine.at.next == chain->rules_count)
			leave(&machine);
		else
			run_rule(&machine, &chain->rules[machine.at.next++]);
	}
	return machine.result;
}
