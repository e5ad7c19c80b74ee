#include "read_packets.h"

#include <linux/netfilter.h>
#include <string.h>

#include "net/protocol.h"
#include "random_ruleset.h"
#include "target/nft/model/kernel_names.h"
#include "target/nft/read/expression.h"
#include "unit.h"

enum read_part { PART_NONE, PART_NETWORK, PART_TRANSPORT, PART_PROTOCOL, PART_IN, PART_OUT };

#define DIFFERENCES_SEEN 4000 /* elements of a set that are compared one by one */

static void add_constant(struct read_constants *constants, const uint8_t *bytes, size_t length)
{
	number128 value = 0;
	if (constants->count == READ_CONSTANTS || length > 16 || length == 0)
		return;
	for (size_t i = 0; i < length; i++)
		value = value << 8 | bytes[i];
	constants->items[constants->count] = value;
	if (length == 16)
		memcpy(constants->names[constants->count], bytes, length);
	constants->lengths[constants->count++] = (uint8_t)length;
}

/* --- what lookups ask ------------------------------------------------------------------------------- */

/* nf_tables' registers as bytes: 1 to 4 have 16, 8 to 23 four of the same. */
static size_t register_place(uint64_t number)
{
	size_t place = number >= 8 && number < 24 ? (size_t)(number - 8) * 4 + 16 : (size_t)number * 16;
	return place < READ_KEY_BYTES ? place : READ_KEY_BYTES;
}

static void load(struct read_byte *bytes, uint64_t number, enum read_part part, uint64_t offset, uint64_t length)
{
	size_t place = register_place(number);
	for (size_t i = 0; i < (length + 3) / 4 * 4 && place + i < READ_KEY_BYTES; i++)
		bytes[place + i] = i >= length ? (struct read_byte){ 0 }
					       : (struct read_byte){ (uint8_t)part, (uint8_t)(offset + i), 0xff };
}

static void load_meta(struct read_byte *bytes, const struct read_expression *meta)
{
	uint64_t to = read_number(meta, NFTA_META_DREG, 0), key = read_number(meta, NFTA_META_KEY, UINT64_MAX);
	if (key == NFT_META_L4PROTO)
		load(bytes, to, PART_PROTOCOL, 0, 1);
	else if (key == NFT_META_IIFNAME || key == NFT_META_OIFNAME)
		load(bytes, to, key == NFT_META_IIFNAME ? PART_IN : PART_OUT, 0, 16);
	else
		load(bytes, to, PART_NONE, 0, 16);
}

static void mask(struct read_byte *bytes, const struct read_expression *bitwise)
{
	const struct read_data *data = read_data(bitwise, NFTA_BITWISE_MASK);
	size_t from = register_place(read_number(bitwise, NFTA_BITWISE_SREG, 0));
	size_t to = register_place(read_number(bitwise, NFTA_BITWISE_DREG, 0));
	for (size_t i = 0; data != NULL && i < data->length && from + i < READ_KEY_BYTES && to + i < READ_KEY_BYTES;
	     i++) {
		bytes[to + i] = bytes[from + i];
		bytes[to + i].mask &= data->bytes[i];
	}
}

static void add_key(struct read_constants *constants, const struct read_table *table, const struct read_byte *bytes,
		    const struct read_expression *lookup)
{
	const char *name = read_string(lookup, NFTA_LOOKUP_SET);
	const struct read_set *set = name == NULL ? NULL : read_set_find(table, name);
	size_t place = register_place(read_number(lookup, NFTA_LOOKUP_SREG, 0));
	size_t at = constants->keys_count < READ_KEYS ? constants->keys_count++ : unit_below(READ_KEYS);
	if (set == NULL || place + set->key_length > READ_KEY_BYTES) {
		constants->keys_count -= at + 1 == constants->keys_count;
		return;
	}
	constants->keys[at] = (struct read_key){ .table = table, .set = set };
	memcpy(constants->keys[at].bytes, bytes + place, set->key_length * sizeof *bytes);
}

#define HEADER_BYTES 40 /* of IPv6 */

/* What rules compare of the header part by part. */
struct header {
	uint8_t bytes[HEADER_BYTES];
	bool has_source, has_destination;
};

static void compare(struct header *header, const struct read_byte *bytes, const struct read_expression *cmp)
{
	const struct read_data *data = read_data(cmp, NFTA_CMP_DATA);
	size_t from = register_place(read_number(cmp, NFTA_CMP_SREG, 0));
	for (size_t i = 0; data != NULL && i < data->length && from + i < READ_KEY_BYTES; i++) {
		const struct read_byte *byte = &bytes[from + i];
		if (byte->part != PART_NETWORK || byte->offset >= HEADER_BYTES)
			continue;
		header->bytes[byte->offset] = data->bytes[i];
		header->has_source = header->has_source || (byte->offset >= 8 && byte->offset < 24);
		header->has_destination = header->has_destination || byte->offset >= 24;
	}
}

static void add_keys(struct read_constants *constants, const struct read_table *table, const struct read_rule *rule)
{
	struct read_byte bytes[READ_KEY_BYTES] = { 0 };
	struct header header = { 0 };
	for (size_t i = 0; i < rule->expressions.items_count; i++) {
		const struct read_expression *at = &rule->expressions.items[i];
		uint64_t base = read_number(at, NFTA_PAYLOAD_BASE, 9);
		if (at->kind == READ_PAYLOAD)
			load(bytes, read_number(at, NFTA_PAYLOAD_DREG, 0),
			     base == NFT_PAYLOAD_NETWORK_HEADER ? PART_NETWORK : PART_TRANSPORT,
			     read_number(at, NFTA_PAYLOAD_OFFSET, 0), read_number(at, NFTA_PAYLOAD_LEN, 0));
		else if (at->kind == READ_META)
			load_meta(bytes, at);
		else if (at->kind == READ_BITWISE)
			mask(bytes, at);
		else if (at->kind == READ_LOOKUP)
			add_key(constants, table, bytes, at);
		else if (at->kind == READ_CMP)
			compare(&header, bytes, at);
	}
	if (header.has_source)
		add_constant(constants, header.bytes + 8, 16);
	if (header.has_destination)
		add_constant(constants, header.bytes + 24, 16);
}

void read_constants_add(struct read_constants *constants, const struct read_table *table)
{
	for (size_t i = 0; i < table->chains_count; i++)
		for (size_t k = 0; k < table->chains[i]->rules_count; k++) {
			const struct read_expressions *list = &table->chains[i]->rules[k].expressions;
			for (size_t n = 0; n < list->items_count; n++)
				for (size_t m = 0; m < list->items[n].attributes_count; m++) {
					const struct read_attribute *at = &list->items[n].attributes[m];
					if (at->type == READ_DATA && !at->data->is_verdict)
						add_constant(constants, at->data->bytes, at->data->length);
				}
		}
	for (size_t i = 0; i < table->sets_count; i++)
		for (size_t k = 0; k < table->sets[i]->elements_count; k++) {
			const struct read_set *set = table->sets[i];
			const uint32_t length = read_element_length(set, &set->elements[k]);
			if (length <= 4 || length == 16)
				add_constant(constants, read_element_key(set, &set->elements[k]), length);
		}
	for (size_t i = 0; i < table->chains_count; i++)
		for (size_t k = 0; k < table->chains[i]->rules_count; k++)
			add_keys(constants, table, &table->chains[i]->rules[k]);
}

/* --- elements --------------------------------------------------------------------------------------- */

static bool elements_equal(const struct read_set *a_set, const struct read_element *a,
			   const struct read_set *b_set, const struct read_element *b)
{
	const struct read_more *a_more = read_element_more(a_set, a), *b_more = read_element_more(b_set, b);
	const uint8_t *a_end = a_more->key_end, *b_end = b_more->key_end;
	const struct read_data *a_value = &a_more->value, *b_value = &b_more->value;
	const uint32_t length = read_element_length(a_set, a);
	return length == read_element_length(b_set, b) && read_element_flags(a) == read_element_flags(b) &&
	       memcmp(read_element_key(a_set, a), read_element_key(b_set, b), length) == 0 &&
	       (a_end == NULL) == (b_end == NULL) && (a_end == NULL || memcmp(a_end, b_end, length) == 0) &&
	       a_value->verdict == b_value->verdict && (a_value->chain == NULL) == (b_value->chain == NULL) &&
	       (a_value->chain == NULL || strcmp(a_value->chain, b_value->chain) == 0);
}

/* Has the set the element of another? */
static bool has_element(const struct read_set *set, const struct read_set *from, size_t place)
{
	const struct read_element *element = &from->elements[place];
	size_t begin = place == 0 ? 0 : place - 1, end = place + 2;
	if (set->elements_count <= DIFFERENCES_SEEN) {
		begin = 0;
		end = set->elements_count;
	}
	for (size_t i = begin; i < end && i < set->elements_count; i++)
		if (elements_equal(set, &set->elements[i], from, element))
			return true;
	return false;
}

static void favour_keys(struct read_constants *constants, size_t key, const struct read_table *other)
{
	const struct read_set *set = constants->keys[key].set, *theirs = read_set_find(other, set->name);
	for (size_t i = 0; i < set->elements_count; i++) {
		if (constants->favourites_count == READ_FAVOURITES)
			return;
		if (read_element_length(set, &set->elements[i]) != 0 &&
		    (theirs == NULL || !has_element(theirs, set, i)))
			constants->favourites[constants->favourites_count++] =
				(struct read_favourite){ key, &set->elements[i] };
	}
}

void read_favour_differences(struct read_constants *constants, const struct read_table *one,
			     const struct read_table *other)
{
	for (size_t i = 0; i < constants->keys_count; i++)
		favour_keys(constants, i, constants->keys[i].table == one ? other : one);
}

static void put_byte(uint8_t *byte, const struct read_byte *from, uint8_t value)
{
	uint8_t rest = unit_below(2) == 0 ? 0 : (uint8_t)unit_random();
	*byte = (uint8_t)((value & from->mask) | (rest & ~from->mask));
}

static void put_address_byte(number128 *address, unsigned place, const struct read_byte *from, uint8_t value)
{
	uint8_t byte;
	put_byte(&byte, from, value);
	*address = (*address & ~((number128)0xff << 8 * place)) | (number128)byte << 8 * place;
}

static void put_network(struct model_packet *packet, const struct read_byte *from, uint8_t value)
{
	unsigned size = packet->family == FAMILY_IPV4 ? 4 : 16, at = from->offset - (size == 4 ? 12u : 8u);
	if (at < size)
		put_address_byte(&packet->source, size - 1 - at, from, value);
	else if (at < 2 * size)
		put_address_byte(&packet->destination, 2 * size - 1 - at, from, value);
}

static void put_transport(struct model_packet *packet, const struct read_byte *from, uint8_t value)
{
	uint16_t *port = from->offset < 2 ? &packet->source_port : &packet->destination_port;
	if (from->offset == 0)
		packet->type = value;
	else if (from->offset == 1)
		packet->code = value;
	if (from->offset < 4 && from->offset % 2 == 0)
		*port = (uint16_t)((*port & 0xff) | value << 8);
	else if (from->offset < 4)
		*port = (uint16_t)((*port & 0xff00) | value);
}

/* IPv6 has an address where IPv4 has the end of its header's first words, and goes on behind the addresses of
 * IPv4. */
static bool is_key_of_ipv6(const struct read_key *key)
{
	for (size_t i = 0; i < key->set->key_length; i++)
		if (key->bytes[i].part == PART_NETWORK && (key->bytes[i].offset < 12 || key->bytes[i].offset >= 20))
			return true;
	return false;
}

static bool has_addresses(const struct read_key *key)
{
	for (size_t i = 0; i < key->set->key_length; i++)
		if (key->bytes[i].part == PART_NETWORK)
			return true;
	return false;
}

/* Each field of an element is that of its beginning, or of its end if it has one. */
static void aim_element(const struct read_key *key, const struct read_element *element, struct model_packet *packet)
{
	bool is_high = false;
	if (has_addresses(key)) {
		packet->family = is_key_of_ipv6(key) ? FAMILY_IPV6 : FAMILY_IPV4;
		packet->source = packet->family == FAMILY_IPV4 ? (uint32_t)packet->source : packet->source;
		packet->destination = packet->family == FAMILY_IPV4 ? (uint32_t)packet->destination
								    : packet->destination;
	}
	const uint8_t *bytes = read_element_key(key->set, element);
	const uint8_t *end = read_element_more(key->set, element)->key_end;
	for (size_t i = 0; i < read_element_length(key->set, element); i++) {
		const struct read_byte *from = &key->bytes[i];
		bool goes_on = i > 0 && key->bytes[i - 1].part == from->part &&
			       key->bytes[i - 1].offset + 1 == from->offset;
		is_high = goes_on ? is_high : unit_below(2) == 0;
		uint8_t value = is_high && end != NULL ? end[i] : bytes[i];
		if (from->part == PART_NETWORK)
			put_network(packet, from, value);
		else if (from->part == PART_TRANSPORT)
			put_transport(packet, from, value);
		else if (from->part == PART_PROTOCOL)
			packet->protocol = value;
		else if (from->part == PART_IN && from->offset == 0 && packet->in != NULL)
			packet->in = (const char *)&bytes[i];
		else if (from->part == PART_OUT && from->offset == 0 && packet->out != NULL)
			packet->out = (const char *)&bytes[i];
	}
}

static void move(struct model_packet *packet)
{
	number128 step = unit_below(2) == 0 ? 1 : (number128)-1;
	step = unit_below(4) == 0 ? (number128)1 << unit_below(packet->family == FAMILY_IPV4 ? 32 : 128) : step;
	switch (unit_below(5)) {
	case 0:
		packet->source += step;
		break;
	case 1:
		packet->destination += step;
		break;
	case 2:
		packet->destination_port = (uint16_t)(packet->destination_port + step);
		break;
	case 3:
		packet->protocol = unit_below(2) == 0 ? PROTOCOL_TCP : PROTOCOL_UDP;
		break;
	default:
		packet->destination_port = (uint16_t)unit_random();
	}
	if (packet->family == FAMILY_IPV4) {
		packet->source = (uint32_t)packet->source;
		packet->destination = (uint32_t)packet->destination;
	}
}

/* A corner of an element, or what is next to one; of no element: false. */
static bool aim_any_element(const struct read_constants *constants, struct model_packet *packet)
{
	if (constants->keys_count == 0)
		return false;
	const struct read_key *key = &constants->keys[unit_below((unsigned)constants->keys_count)];
	const struct read_element *element = NULL;
	if (constants->favourites_count != 0 && unit_below(4) != 0) {
		const struct read_favourite *favourite =
			&constants->favourites[unit_below((unsigned)constants->favourites_count)];
		key = &constants->keys[favourite->key];
		element = favourite->element;
	} else if (key->set->elements_count != 0) {
		element = &key->set->elements[unit_below((unsigned)key->set->elements_count)];
	}
	if (element == NULL || read_element_length(key->set, element) == 0)
		return false;
	aim_element(key, element, packet);
	if (unit_below(2) == 0)
		move(packet);
	return true;
}

/* --- packets ---------------------------------------------------------------------------------------- */

static number128 near(number128 value)
{
	return value + unit_below(3) - 1;
}

/* Puts one of the table's constants where it fits. */
static void aim_constant(const struct read_constants *constants, struct model_packet *packet)
{
	if (constants->count == 0)
		return;
	size_t at = unit_below((unsigned)constants->count);
	number128 value = near(constants->items[at]);
	bool is_source = unit_below(2) == 0;
	switch (constants->lengths[at]) {
	case 1:
		packet->protocol = (uint8_t)constants->items[at];
		packet->type = (uint8_t)value;
		return;
	case 2:
		*(unit_below(6) == 0 ? &packet->source_port : &packet->destination_port) = (uint16_t)value;
		return;
	case 3:
	case 4:
		packet->family = FAMILY_IPV4;
		value = constants->lengths[at] == 3 ? value << 8 | unit_below(256) : value;
		*(is_source ? &packet->source : &packet->destination) = (uint32_t)value;
		break;
	default:
		packet->family = FAMILY_IPV6;
		value <<= 8 * (16 - constants->lengths[at]);
		*(is_source ? &packet->source : &packet->destination) = value;
	}
	number128 *other = is_source ? &packet->destination : &packet->source;
	if (packet->family == FAMILY_IPV4)
		*other = (uint32_t)*other;
}

/* A name that the table compares interfaces with. */
static const char *any_interface(const struct read_constants *constants)
{
	for (unsigned attempt = 0; attempt < 40 && constants->count != 0; attempt++) {
		size_t at = unit_below((unsigned)constants->count);
		uint8_t first = (uint8_t)(constants->items[at] >> 120);
		if (constants->lengths[at] != 16 || first < 'a' || first > 'z')
			continue;
		return constants->names[at];
	}
	return "eth0";
}

struct model_packet read_packet_near(const struct read_constants *constants, const struct ruleset *ruleset)
{
	static const uint32_t routes[] = { 1, 2, 3, 5 };
	struct model_packet packet = random_packet(ruleset, (enum hook)unit_below(HOOK_COUNT));
	bool is_aimed = unit_below(2) == 0 && aim_any_element(constants, &packet);
	for (unsigned times = is_aimed ? 0 : unit_below(4); times > 0; times--)
		aim_constant(constants, &packet);
	if (packet.in != NULL && unit_below(2) == 0)
		packet.in = any_interface(constants);
	if (packet.out != NULL && unit_below(2) == 0)
		packet.out = any_interface(constants);
	if (unit_below(4) == 0)
		packet.tcp_flags = (uint8_t)unit_random();
	packet.route = routes[unit_below(4)];
	if (unit_below(4) == 0) {
		packet.hook = NF_INET_PRE_ROUTING;
		packet.in = packet.in == NULL ? "eth0" : packet.in;
		packet.out = NULL;
	} else if (unit_below(4) == 0) {
		packet.hook = NF_INET_POST_ROUTING;
		packet.out = packet.out == NULL ? "eth0" : packet.out;
	}
	return packet;
}
