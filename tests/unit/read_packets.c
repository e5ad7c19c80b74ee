#include "read_packets.h"

#include <linux/netfilter.h>
#include <string.h>

#include "random_ruleset.h"
#include "unit.h"

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
			const struct read_element *element = &table->sets[i]->elements[k];
			if (element->key_length == 8) { /* protocol, then port */
				add_constant(constants, element->key, 1);
				add_constant(constants, element->key + 4, 2);
			}
			add_constant(constants, element->key, element->key_length);
		}
}

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
	for (unsigned times = unit_below(4); times > 0; times--)
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
