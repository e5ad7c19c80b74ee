/* nft_do_chain for one packet. Registers are bytes; what was never written is remembered, as the kernel
 * refuses rules that read it. */
#include "read_eval.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* model.h has verdicts of the kernel's names */
#include "target/nft/model/kernel_names.h"

#include "net/protocol.h"
#include "target/nft/read/expression.h"

#define REGISTERS 80
#define STACK 16
#define HEADER 64

enum step { NEXT, BREAK, STOP };

struct frame {
	const struct read_chain *chain;
	size_t next;
};

struct machine {
	const struct read_table *table;
	const struct model_packet *packet;
	struct read_result result;
	uint8_t registers[REGISTERS];
	bool is_written[REGISTERS];
	uint8_t network[HEADER], transport[HEADER];
	struct frame stack[STACK];
	size_t depth;
	struct frame at;
	bool is_done;
};

static enum step trouble(struct machine *machine, const char *what)
{
	machine->result.problem = what;
	machine->is_done = true;
	return STOP;
}

static void note(struct machine *machine, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(struct machine *machine, const char *format, ...)
{
	size_t used = strlen(machine->result.notes);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(machine->result.notes + used, sizeof machine->result.notes - used, format, arguments);
	va_end(arguments);
}

/* --- the packet as bytes ---------------------------------------------------------------------------- */

static void put_address(uint8_t *bytes, enum family family, number128 value)
{
	unsigned count = family == FAMILY_IPV4 ? 4 : 16;
	for (unsigned i = 0; i < count; i++)
		bytes[i] = (uint8_t)(value >> (8 * (count - 1 - i)));
}

static void put_headers(struct machine *machine)
{
	const struct model_packet *packet = machine->packet;
	if (packet->family == FAMILY_IPV4) {
		machine->network[0] = 0x45;
		machine->network[8] = packet->hop_limit;
		machine->network[9] = packet->protocol;
		put_address(machine->network + 12, FAMILY_IPV4, packet->source);
		put_address(machine->network + 16, FAMILY_IPV4, packet->destination);
	} else {
		machine->network[0] = 0x60;
		machine->network[6] = packet->protocol;
		machine->network[7] = packet->hop_limit;
		put_address(machine->network + 8, FAMILY_IPV6, packet->source);
		put_address(machine->network + 24, FAMILY_IPV6, packet->destination);
	}
	if (packet->protocol == PROTOCOL_ICMP || packet->protocol == PROTOCOL_ICMP6) {
		machine->transport[0] = packet->type;
		machine->transport[1] = packet->code;
		return;
	}
	machine->transport[0] = (uint8_t)(packet->source_port >> 8);
	machine->transport[1] = (uint8_t)packet->source_port;
	machine->transport[2] = (uint8_t)(packet->destination_port >> 8);
	machine->transport[3] = (uint8_t)packet->destination_port;
	if (packet->protocol == PROTOCOL_TCP)
		machine->transport[13] = packet->tcp_flags;
}

/* --- registers -------------------------------------------------------------------------------------- */

static int place_of(uint64_t number, size_t length)
{
	size_t place;
	if (number >= 1 && number <= 4)
		place = number * 16;
	else if (number >= 8 && number <= 23)
		place = (number - 8) * 4 + 16;
	else
		return -1;
	return place + length > REGISTERS ? -1 : (int)place;
}

static enum step store(struct machine *machine, uint64_t number, const void *bytes, size_t length)
{
	size_t padded = (length + 3) / 4 * 4;
	int place = place_of(number, padded);
	if (place < 0)
		return trouble(machine, "a register that is not there");
	memset(machine->registers + place, 0, padded);
	memcpy(machine->registers + place, bytes, length);
	memset(machine->is_written + place, 1, padded);
	return NEXT;
}

static const uint8_t *fetch(struct machine *machine, uint64_t number, size_t length)
{
	int place = place_of(number, length);
	for (size_t i = 0; place >= 0 && i < length; i++)
		if (!machine->is_written[(size_t)place + i])
			place = -1;
	if (place < 0) {
		trouble(machine, "a register that holds nothing");
		return NULL;
	}
	return machine->registers + place;
}

static enum step store_number(struct machine *machine, uint64_t number, uint64_t value, size_t length)
{
	uint8_t one = (uint8_t)value;
	uint16_t two = (uint16_t)value;
	uint32_t four = (uint32_t)value;
	return store(machine, number,
		     length == 1 ? (const void *)&one : length == 2 ? (const void *)&two
				 : length == 4 ? (const void *)&four : (const void *)&value, length);
}

static enum step store_name(struct machine *machine, uint64_t number, const char *name)
{
	char bytes[16] = { 0 };
	if (name != NULL)
		memcpy(bytes, name, strnlen(name, sizeof bytes));
	return store(machine, number, bytes, sizeof bytes);
}

static uint64_t index_of(const char *name, uint64_t other)
{
	if (name == NULL)
		return 0;
	return strcmp(name, "lo") == 0 ? 1 : other;
}

/* --- loads ------------------------------------------------------------------------------------------ */

static enum step load_meta(struct machine *machine, const struct read_expression *meta)
{
	const struct model_packet *packet = machine->packet;
	uint64_t to = read_number(meta, NFTA_META_DREG, 0);
	switch (read_number(meta, NFTA_META_KEY, UINT64_MAX)) {
	case NFT_META_IIF:
		return store_number(machine, to, index_of(packet->in, 7), 4);
	case NFT_META_OIF:
		return store_number(machine, to, index_of(packet->out, 8), 4);
	case NFT_META_IIFNAME:
		return store_name(machine, to, packet->in);
	case NFT_META_OIFNAME:
		return store_name(machine, to, packet->out);
	case NFT_META_NFPROTO:
		return store_number(machine, to, packet->family == FAMILY_IPV4 ? NFPROTO_IPV4 : NFPROTO_IPV6, 1);
	case NFT_META_PROTOCOL:
		return store_number(machine, to, htons(packet->family == FAMILY_IPV4 ? 0x0800 : 0x86dd), 2);
	case NFT_META_L4PROTO:
		return store_number(machine, to, packet->protocol, 1);
	case NFT_META_TIME_NS:
		return store_number(machine, to, packet->time * 1000000000u, 8);
	case NFT_META_TIME_DAY:
		return store_number(machine, to, packet->day, 1);
	case NFT_META_TIME_HOUR:
		return store_number(machine, to, packet->second, 4);
	}
	return trouble(machine, "a key of meta");
}

static enum step load_original(struct machine *machine, uint64_t to, enum family family)
{
	uint8_t bytes[16];
	put_address(bytes, family, machine->packet->original_destination);
	if (machine->packet->family != family)
		return BREAK;
	return store(machine, to, bytes, family == FAMILY_IPV4 ? 4 : 16);
}

static enum step load_ct(struct machine *machine, const struct read_expression *ct)
{
	const struct model_packet *packet = machine->packet;
	uint64_t to = read_number(ct, NFTA_CT_DREG, 0), key = read_number(ct, NFTA_CT_KEY, UINT64_MAX);
	bool is_original = read_number(ct, NFTA_CT_DIRECTION, 1) == 0;
	if (key == NFT_CT_STATE)
		return store_number(machine, to, packet->state, 4);
	if ((packet->state & (NFT_STATE_INVALID | NFT_STATE_UNTRACKED)) != 0)
		return BREAK;
	switch (key) {
	case NFT_CT_STATUS:
		return store_number(machine, to, packet->status, 4);
	case NFT_CT_HELPER:
		return packet->helper == NULL ? BREAK : store_name(machine, to, packet->helper);
	case NFT_CT_DST_IP:
		return is_original ? load_original(machine, to, FAMILY_IPV4) : trouble(machine, "a direction");
	case NFT_CT_DST_IP6:
		return is_original ? load_original(machine, to, FAMILY_IPV6) : trouble(machine, "a direction");
	case NFT_CT_PROTO_DST:
		return is_original ? store_number(machine, to, htons(packet->original_port), 2)
				   : trouble(machine, "a direction");
	}
	return trouble(machine, "a key of ct");
}

static enum step load_payload(struct machine *machine, const struct read_expression *payload)
{
	uint64_t base = read_number(payload, NFTA_PAYLOAD_BASE, 9),
		offset = read_number(payload, NFTA_PAYLOAD_OFFSET, 999);
	uint64_t length = read_number(payload, NFTA_PAYLOAD_LEN, 0);
	const uint8_t *header = base == NFT_PAYLOAD_NETWORK_HEADER ? machine->network : machine->transport;
	if ((base != NFT_PAYLOAD_NETWORK_HEADER && base != NFT_PAYLOAD_TRANSPORT_HEADER) || length == 0 ||
	    offset + length > HEADER)
		return trouble(machine, "a part of the packet");
	return store(machine, read_number(payload, NFTA_PAYLOAD_DREG, 0), header + offset, length);
}

static enum step load_fib(struct machine *machine, const struct read_expression *fib)
{
	if (read_number(fib, NFTA_FIB_RESULT, 0) != NFT_FIB_RESULT_ADDRTYPE ||
	    read_number(fib, NFTA_FIB_FLAGS, 0) != NFTA_FIB_F_DADDR)
		return trouble(machine, "a question to the routing table");
	return store_number(machine, read_number(fib, NFTA_FIB_DREG, 0), machine->packet->route, 4);
}

/* --- registers at work ------------------------------------------------------------------------------ */

static enum step run_bitwise(struct machine *machine, const struct read_expression *bitwise)
{
	size_t length = read_number(bitwise, NFTA_BITWISE_LEN, 0);
	const struct read_data *mask = read_data(bitwise, NFTA_BITWISE_MASK),
		*xor = read_data(bitwise, NFTA_BITWISE_XOR);
	const uint8_t *from = fetch(machine, read_number(bitwise, NFTA_BITWISE_SREG, 0), length);
	uint8_t made[REGISTERS];
	if (from == NULL || mask == NULL || xor == NULL || mask->length < length || xor->length < length)
		return trouble(machine, "a bitwise operation");
	for (size_t i = 0; i < length; i++)
		made[i] = (uint8_t)((from[i] & mask->bytes[i]) ^ xor->bytes[i]);
	return store(machine, read_number(bitwise, NFTA_BITWISE_DREG, 0), made, length);
}

static enum step run_byteorder(struct machine *machine, const struct read_expression *turn)
{
	size_t length = read_number(turn, NFTA_BYTEORDER_LEN, 0), size = read_number(turn, NFTA_BYTEORDER_SIZE, 0);
	const uint8_t *from = fetch(machine, read_number(turn, NFTA_BYTEORDER_SREG, 0), length);
	int to = place_of(read_number(turn, NFTA_BYTEORDER_DREG, 0), length);
	uint8_t made[REGISTERS];
	if (from == NULL || to < 0 || (size != 2 && size != 4 && size != 8))
		return trouble(machine, "byteorder");
	for (size_t i = 0; i + size <= length; i += size) {
		uint64_t eight;
		uint32_t four;
		uint16_t two;
		memcpy(&eight, from + i, size == 8 ? 8 : 0);
		memcpy(&four, from + i, size >= 4 ? 4 : 0);
		memcpy(&two, from + i, 2);
		if (size == 8)
			eight = __builtin_bswap64(eight);
		four = htonl(four);
		two = htons(two);
		memcpy(made + i, size == 8 ? (void *)&eight : size == 4 ? (void *)&four : (void *)&two, size);
	}
	size_t whole = length / size * size;
	memcpy(machine->registers + to, made, whole);
	memset(machine->is_written + to, 1, whole);
	return NEXT;
}

static enum step run_cmp(struct machine *machine, const struct read_expression *cmp)
{
	const struct read_data *data = read_data(cmp, NFTA_CMP_DATA);
	const uint8_t *bytes = data == NULL ? NULL : fetch(machine, read_number(cmp, NFTA_CMP_SREG, 0),
							   data->length);
	if (bytes == NULL)
		return trouble(machine, "a comparison");
	int order = memcmp(bytes, data->bytes, data->length);
	switch (read_number(cmp, NFTA_CMP_OP, 99)) {
	case NFT_CMP_EQ:
		return order == 0 ? NEXT : BREAK;
	case NFT_CMP_NEQ:
		return order != 0 ? NEXT : BREAK;
	case NFT_CMP_LT:
		return order < 0 ? NEXT : BREAK;
	case NFT_CMP_LTE:
		return order <= 0 ? NEXT : BREAK;
	case NFT_CMP_GT:
		return order > 0 ? NEXT : BREAK;
	case NFT_CMP_GTE:
		return order >= 0 ? NEXT : BREAK;
	}
	return trouble(machine, "an operator");
}

static enum step run_range(struct machine *machine, const struct read_expression *range)
{
	const struct read_data *from = read_data(range, NFTA_RANGE_FROM_DATA),
		*to = read_data(range, NFTA_RANGE_TO_DATA);
	if (from == NULL || to == NULL || from->length != to->length)
		return trouble(machine, "a range");
	const uint8_t *bytes = fetch(machine, read_number(range, NFTA_RANGE_SREG, 0), from->length);
	if (bytes == NULL)
		return STOP;
	bool is_in = memcmp(bytes, from->bytes, from->length) >= 0 && memcmp(bytes, to->bytes, to->length) <= 0;
	return is_in == (read_number(range, NFTA_RANGE_OP, 9) == NFT_RANGE_EQ) ? NEXT : BREAK;
}

/* --- verdicts and sets ------------------------------------------------------------------------------ */

static enum step decide(struct machine *machine, enum model_fate fate)
{
	machine->result.fate = fate;
	machine->result.is_decided = true;
	machine->is_done = true;
	return STOP;
}

static enum step leave(struct machine *machine)
{
	if (machine->depth == 0)
		machine->is_done = true;
	else
		machine->at = machine->stack[--machine->depth];
	return STOP;
}

static enum step follow(struct machine *machine, const struct read_data *verdict)
{
	const struct read_chain *chain = NULL;
	switch (verdict->verdict) {
	case NF_ACCEPT:
		return decide(machine, MODEL_ACCEPT);
	case NF_DROP:
		return decide(machine, MODEL_DROP);
	case -1: /* NFT_CONTINUE */
		return NEXT;
	case -2: /* NFT_BREAK */
		return BREAK;
	case -5: /* NFT_RETURN */
		return leave(machine);
	}
	if (verdict->chain != NULL)
		chain = read_chain_find(machine->table, verdict->chain);
	if (chain == NULL || (verdict->verdict == -3 && machine->depth == STACK))
		return trouble(machine, "a chain that is not there");
	if (verdict->verdict == -3)
		machine->stack[machine->depth++] = machine->at;
	machine->at = (struct frame){ chain, 0 };
	return STOP;
}

/* In a row of ends, the last one at or before the key. */
static const struct read_element *find_in_row(const struct read_set *set, const uint8_t *key)
{
	const struct read_element *found = NULL;
	for (size_t i = 0; i < set->elements_count; i++)
		if (memcmp(read_element_key(set, &set->elements[i]), key, set->key_length) <= 0)
			found = &set->elements[i];
	return found == NULL || (read_element_flags(found) & NFT_SET_ELEM_INTERVAL_END) != 0 ? NULL : found;
}

static bool holds_ranges(const struct read_set *set, const struct read_element *element, const uint8_t *key)
{
	const uint8_t *low = read_element_key(set, element), *end = read_element_more(set, element)->key_end;
	const uint8_t *high = end == NULL ? low : end;
	size_t offset = 0;
	for (size_t i = 0; i < set->fields_count; i++) {
		size_t length = set->field_lengths[i];
		if (memcmp(key + offset, low + offset, length) < 0 || memcmp(key + offset, high + offset,
									     length) > 0)
			return false;
		offset += (length + 3) / 4 * 4;
	}
	return true;
}

static const struct read_element *find_element(const struct read_set *set, const uint8_t *key)
{
	if (set->fields_count <= 1 && (set->flags & NFT_SET_INTERVAL) != 0)
		return find_in_row(set, key);
	for (size_t i = 0; i < set->elements_count; i++) {
		const struct read_element *element = &set->elements[i];
		bool holds = set->fields_count > 1 ? holds_ranges(set, element, key)
						   : memcmp(read_element_key(set, element), key,
							    set->key_length) == 0;
		if (holds)
			return element;
	}
	return NULL;
}

static enum step run_lookup(struct machine *machine, const struct read_expression *lookup)
{
	const char *name = read_string(lookup, NFTA_LOOKUP_SET);
	const struct read_set *set = name == NULL ? NULL : read_set_find(machine->table, name);
	if (set == NULL || (set->flags & NFT_SET_EVAL) != 0)
		return trouble(machine, "a set");
	const uint8_t *key = fetch(machine, read_number(lookup, NFTA_LOOKUP_SREG, 0), set->key_length);
	if (key == NULL)
		return STOP;
	const struct read_element *found = find_element(set, key);
	if (read_has(lookup, NFTA_LOOKUP_DREG)) {
		if (read_number(lookup, NFTA_LOOKUP_DREG, 9) != 0)
			return trouble(machine, "a map of values");
		return found == NULL ? BREAK : follow(machine, &read_element_more(set, found)->value);
	}
	bool is_inverted = (read_number(lookup, NFTA_LOOKUP_FLAGS, 0) & NFT_LOOKUP_F_INV) != 0;
	return (found != NULL) != is_inverted ? NEXT : BREAK;
}

/* --- statements ------------------------------------------------------------------------------------- */

/* A packet that is over a limit takes nothing of it: asked again, the limit says the same. */
static void forget_repeated(struct machine *machine, size_t before)
{
	char *notes = machine->result.notes, added[sizeof machine->result.notes];
	memcpy(added, notes + before, strlen(notes + before) + 1);
	notes[before] = '\0';
	if (strstr(notes, added) == NULL)
		memcpy(notes + before, added, strlen(added) + 1);
}

static enum step run_limit(struct machine *machine, const struct read_expression *limit, const char *name)
{
	size_t before = strlen(machine->result.notes);
	note(machine, " limit %s %llu/%llu %llu %llu %llu", name,
	     (unsigned long long)read_number(limit, NFTA_LIMIT_RATE, 0),
	     (unsigned long long)read_number(limit, NFTA_LIMIT_UNIT, 0),
	     (unsigned long long)read_number(limit, NFTA_LIMIT_BURST, 0),
	     (unsigned long long)read_number(limit, NFTA_LIMIT_TYPE, 0),
	     (unsigned long long)read_number(limit, NFTA_LIMIT_FLAGS, 0));
	if (!machine->packet->is_over_limit)
		return NEXT;
	forget_repeated(machine, before);
	return BREAK;
}

static enum step run_objref(struct machine *machine, const struct read_expression *reference)
{
	uint32_t type = (uint32_t)read_number(reference, NFTA_OBJREF_IMM_TYPE, 0);
	const char *name = read_string(reference, NFTA_OBJREF_IMM_NAME);
	const struct read_object *object = name == NULL ? NULL : read_object_find(machine->table, type, name);
	if (object == NULL)
		return trouble(machine, "an object");
	if (type == NFT_OBJECT_COUNTER) {
		note(machine, " counter");
		snprintf(machine->result.counters + strlen(machine->result.counters),
			 sizeof machine->result.counters - strlen(machine->result.counters), " %s", name);
		return NEXT;
	}
	if (type == NFT_OBJECT_LIMIT)
		return run_limit(machine, &object->content, name);
	if (type != NFT_OBJECT_CT_HELPER)
		return trouble(machine, "a kind of object");
	uint64_t family = read_number(&object->content, NFTA_CT_HELPER_L3PROTO, NFPROTO_INET);
	uint64_t mine = machine->packet->family == FAMILY_IPV4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	if (read_number(&object->content, NFTA_CT_HELPER_L4PROTO, 0) == machine->packet->protocol &&
	    (family == NFPROTO_INET || family == mine))
		note(machine, " helper %s", read_string(&object->content, NFTA_CT_HELPER_NAME));
	return NEXT;
}

static enum step run_dynset(struct machine *machine, const struct read_expression *dynset)
{
	const char *name = read_string(dynset, NFTA_DYNSET_SET_NAME);
	const struct read_set *set = name == NULL ? NULL : read_set_find(machine->table, name);
	const struct read_expressions *list = read_nested(dynset, NFTA_DYNSET_EXPR);
	if (set == NULL || list == NULL || list->items_count != 1 || list->items[0].kind != READ_LIMIT)
		return trouble(machine, "a set that packets fill");
	const uint8_t *key = fetch(machine, read_number(dynset, NFTA_DYNSET_SREG_KEY, 0), set->key_length);
	if (key == NULL)
		return STOP;
	note(machine, " key ");
	for (size_t i = 0; i < set->key_length; i++)
		note(machine, "%02x", key[i]);
	return run_limit(machine, &list->items[0], name);
}

static enum step run_reject(struct machine *machine, const struct read_expression *reject)
{
	uint64_t type = read_number(reject, NFTA_REJECT_TYPE, 99),
		code = read_number(reject, NFTA_REJECT_ICMP_CODE, 0);
	if (type == NFT_REJECT_TCP_RST)
		return decide(machine, MODEL_REJECT_RESET);
	if (type == NFT_REJECT_ICMPX_UNREACH && code == NFT_REJECT_ICMPX_ADMIN_PROHIBITED)
		return decide(machine, MODEL_REJECT_ADMIN);
	note(machine, " reject %llu %llu", (unsigned long long)type, (unsigned long long)code);
	return decide(machine, MODEL_REJECT_ADMIN);
}

static void note_bytes(struct machine *machine, const char *word, uint64_t number, size_t length)
{
	const uint8_t *bytes = fetch(machine, number, length);
	note(machine, " %s ", word);
	for (size_t i = 0; bytes != NULL && i < length; i++)
		note(machine, "%02x", bytes[i]);
}

static enum step run_nat(struct machine *machine, const struct read_expression *nat)
{
	uint64_t family = read_number(nat, NFTA_NAT_FAMILY, 0);
	bool is_ipv4 = machine->packet->family == FAMILY_IPV4;
	if (family != (is_ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6))
		return NEXT;
	note(machine, " nat %llu", (unsigned long long)read_number(nat, NFTA_NAT_TYPE, 9));
	note_bytes(machine, "to", read_number(nat, NFTA_NAT_REG_ADDR_MIN, 0), is_ipv4 ? 4 : 16);
	if (read_has(nat, NFTA_NAT_REG_PROTO_MIN))
		note_bytes(machine, "port", read_number(nat, NFTA_NAT_REG_PROTO_MIN, 0), 2);
	return machine->is_done ? STOP : decide(machine, MODEL_ACCEPT);
}

static enum step run_immediate(struct machine *machine, const struct read_expression *immediate)
{
	const struct read_data *data = read_data(immediate, NFTA_IMMEDIATE_DATA);
	uint64_t to = read_number(immediate, NFTA_IMMEDIATE_DREG, 99);
	if (data == NULL || data->is_verdict != (to == 0))
		return trouble(machine, "an immediate");
	return data->is_verdict ? follow(machine, data) : store(machine, to, data->bytes, data->length);
}

static enum step run(struct machine *machine, const struct read_expression *expression)
{
	const char *prefix;
	switch ((int)expression->kind) {
	case READ_META:
		return load_meta(machine, expression);
	case READ_CT:
		return load_ct(machine, expression);
	case READ_PAYLOAD:
		return load_payload(machine, expression);
	case READ_FIB:
		return load_fib(machine, expression);
	case READ_BITWISE:
		return run_bitwise(machine, expression);
	case READ_BYTEORDER:
		return run_byteorder(machine, expression);
	case READ_CMP:
		return run_cmp(machine, expression);
	case READ_RANGE:
		return run_range(machine, expression);
	case READ_LOOKUP:
		return run_lookup(machine, expression);
	case READ_IMMEDIATE:
		return run_immediate(machine, expression);
	case READ_OBJREF:
		return run_objref(machine, expression);
	case READ_DYNSET:
		return run_dynset(machine, expression);
	case READ_REJECT:
		return run_reject(machine, expression);
	case READ_NAT:
		return run_nat(machine, expression);
	case READ_MASQ:
		note(machine, " masquerade");
		return decide(machine, MODEL_ACCEPT);
	case READ_NOTRACK:
		if (strstr(machine->result.notes, " notrack") == NULL) /* twice is once */
			note(machine, " notrack");
		return NEXT;
	case READ_COUNTER:
		return NEXT;
	case READ_LOG:
		prefix = read_string(expression, NFTA_LOG_PREFIX);
		note(machine, " log '%s'", prefix == NULL ? "" : prefix);
		return NEXT;
	}
	return trouble(machine, expression->name);
}

static void run_rule(struct machine *machine, const struct read_rule *rule)
{
	memset(machine->is_written, 0, sizeof machine->is_written);
	for (size_t i = 0; i < rule->expressions.items_count; i++)
		if (run(machine, &rule->expressions.items[i]) != NEXT)
			return;
}

static void run_chain(struct machine *machine, const struct read_chain *base)
{
	machine->at = (struct frame){ base, 0 };
	machine->depth = 0;
	machine->is_done = false;
	machine->result.is_decided = false;
	machine->result.fate = base->policy == NF_ACCEPT ? MODEL_ACCEPT : MODEL_DROP;
	while (!machine->is_done) {
		if (machine->at.next == machine->at.chain->rules_count)
			leave(machine);
		else
			run_rule(machine, &machine->at.chain->rules[machine->at.next++]);
	}
}

struct read_result read_eval(const struct read_table *table, const char *type,
			     int32_t low, int32_t high, const struct model_packet *packet)
{
	struct machine machine = { .table = table, .packet = packet };
	put_headers(&machine);
	for (size_t i = 0; i < table->chains_count; i++) { /* fwc has one of a kind on a hook */
		const struct read_chain *chain = table->chains[i];
		if (chain->is_base && chain->hook == packet->hook && strcmp(chain->type, type) == 0 &&
		    chain->priority >= low && chain->priority <= high && machine.result.problem == NULL &&
		    machine.result.fate == MODEL_ACCEPT)
			run_chain(&machine, chain);
	}
	return machine.result;
}
