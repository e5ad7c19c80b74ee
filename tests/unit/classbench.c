/* Networks hang together: most are cut out of a few larger ones, as in an organisation's plan. A rule
 * that is open at one end names the other, and its port: wider ones would swallow the list. As people
 * write lists, what some sources may do anywhere stands first, what all sources may do last; one rule in
 * 30 stands where chance put it. */
#include "classbench.h"

#include "base/pool.h"
#include "net/protocol.h"

/* Shares in percent; what is left to 100 has the last form. */
struct shape {
	const char *name;
	unsigned source_any, source_host, destination_any, destination_host;
	unsigned any_protocol, udp, other_protocol;
	unsigned port_any, port_exact, source_port_any;
	unsigned allow;
};

static const struct shape shapes[CLASSBENCH_KINDS] = {
	[CLASSBENCH_ACL] = { "acl", 10, 25, 2, 45, 8, 20, 4, 15, 75, 99, 70 },
	[CLASSBENCH_FW] = { "fw", 40, 25, 25, 35, 12, 25, 8, 30, 45, 70, 50 },
	[CLASSBENCH_IPC] = { "ipc", 12, 35, 12, 40, 25, 20, 8, 40, 45, 85, 60 },
};

static const uint16_t common_ports[] = { 20, 21, 22, 23, 25, 53, 80, 88, 110, 123, 135, 139, 143, 161,
					 389, 443, 445, 514, 587, 636, 993, 1433, 1521, 3306, 3389,
					 5060, 5432, 8080, 8443 };
static const struct port_range common_ranges[] = {
	{ 1024, 65535 }, { 0, 1023 }, { 6000, 6063 }, { 137, 139 }, { 49152, 65535 }, { 1024, 5000 },
};
#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

struct maker {
	void *pool;
	const struct classbench_wish *wish;
	const struct shape *shape;
	uint64_t state;
	struct prefix *sites; /* larger networks */
	size_t sites_count;
	const struct interval_set *forward, *family;
};

/* splitmix64 */
static uint64_t random_number(struct maker *maker)
{
	uint64_t value = maker->state += 0x9e3779b97f4a7c15u;

	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
	value = (value ^ value >> 27) * 0x94d049bb133111ebu;
	return value ^ value >> 31;
}

static unsigned below(struct maker *maker, size_t limit)
{
	return (unsigned)(random_number(maker) % limit);
}

static const struct interval_set *one_interval(void *pool, number128 low, number128 high)
{
	struct interval_set *set = pool_new(pool, struct interval_set);

	interval_set_add(pool, set, low, high);
	return set;
}

static number128 random_address(struct maker *maker)
{
	number128 value = (number128)random_number(maker) << 64 | random_number(maker);

	return maker->wish->family == FAMILY_IPV4 ? (uint32_t)value : value;
}

/* The first bits of `from`, the rest by chance. */
static struct prefix cut_out(struct maker *maker, const struct prefix *from, unsigned length)
{
	number128 highest = family_highest(from->family), rest = highest;
	struct prefix prefix = { from->family, 0, length };

	rest = from->length == 0 ? highest : highest >> from->length;
	prefix.value = from->value | (random_address(maker) & rest);
	return prefix_network(&prefix);
}

static void make_sites(struct maker *maker)
{
	const struct prefix world = { maker->wish->family, 0, 0 };
	unsigned scale = maker->wish->family == FAMILY_IPV4 ? 1 : 2;

	maker->sites_count = 8 + maker->wish->count / 20;
	maker->sites = pool_array(maker->pool, struct prefix, maker->sites_count);
	for (size_t index = 0; index < maker->sites_count; index++) {
		const struct prefix *from = index < 8 || below(maker, 3) != 0 ?
						    &world : &maker->sites[below(maker, index)];
		unsigned length = from->length + (from->length == 0 ? 12 + below(maker, 12) : 2) * scale;

		maker->sites[index] = cut_out(maker, from, length < 28 * scale ? length : 28 * scale);
	}
}

static const struct interval_set *with_hole(struct maker *maker, const struct prefix *prefix)
{
	unsigned bits = family_bits(prefix->family);
	unsigned longer = prefix->length + 1 + below(maker, bits - prefix->length);
	struct prefix hole = cut_out(maker, prefix, longer);
	struct interval inner = prefix_interval(&hole), outer = prefix_interval(prefix);
	const struct interval_set *whole = one_interval(maker->pool, outer.low, outer.high);
	const struct interval_set *cut = one_interval(maker->pool, inner.low, inner.high);
	struct interval_set *left = pool_new(maker->pool, struct interval_set);

	*left = interval_set_subtract(maker->pool, whole, cut);
	return left;
}

static const struct interval_set *addresses(struct maker *maker, unsigned any, unsigned host)
{
	const struct prefix *site = &maker->sites[below(maker, maker->sites_count)];
	unsigned bits = family_bits(maker->wish->family), chance = below(maker, 100);
	struct prefix prefix = *site;
	struct interval interval;

	if (chance < any)
		return NULL;
	if (chance < any + host)
		prefix = cut_out(maker, site, bits);
	else if (below(maker, 3) != 0)
		prefix = cut_out(maker, site, site->length + below(maker, bits - site->length));
	if (prefix.length < bits && below(maker, 100) < maker->wish->holes_percent)
		return with_hole(maker, &prefix);
	interval = prefix_interval(&prefix);
	return one_interval(maker->pool, interval.low, interval.high);
}

static const struct interval_set *ports(struct maker *maker, unsigned any, unsigned exact)
{
	unsigned chance = below(maker, 100), low;

	if (chance < any)
		return NULL;
	if (chance < any + exact) {
		low = below(maker, 8) != 0 ? common_ports[below(maker, COUNT_OF(common_ports))] :
					     below(maker, 65536);
		return one_interval(maker->pool, low, low);
	}
	if (below(maker, 4) != 0) {
		const struct port_range *range = &common_ranges[below(maker, COUNT_OF(common_ranges))];

		return one_interval(maker->pool, range->low, range->high);
	}
	low = below(maker, 60000);
	return one_interval(maker->pool, low, low + 1 + below(maker, 2000));
}

static struct packet_box random_box(struct maker *maker)
{
	const struct shape *shape = maker->shape;
	unsigned chance = below(maker, 100), protocol = PROTOCOL_TCP;
	bool is_wide;
	struct packet_box box = { .fields = { [FIELD_HOOK] = maker->forward,
					      [FIELD_FAMILY] = maker->family } };

	box.fields[FIELD_SOURCE] = addresses(maker, shape->source_any, shape->source_host);
	is_wide = box.fields[FIELD_SOURCE] == NULL;
	box.fields[FIELD_DESTINATION] =
		addresses(maker, is_wide ? 0 : shape->destination_any, shape->destination_host);
	is_wide = is_wide || box.fields[FIELD_DESTINATION] == NULL;
	if (chance < shape->any_protocol && !is_wide)
		return box;
	if (chance < shape->any_protocol + shape->other_protocol && !is_wide)
		protocol = below(maker, 2) != 0 ? 50 : 47;
	else if (chance < shape->any_protocol + shape->other_protocol + shape->udp)
		protocol = PROTOCOL_UDP;
	box.fields[FIELD_PROTOCOL] = one_interval(maker->pool, protocol, protocol);
	if (!protocol_has_ports(protocol))
		return box;
	box.fields[FIELD_FIRST] = ports(maker, is_wide ? 0 : shape->port_any, shape->port_exact);
	box.fields[FIELD_SECOND] = ports(maker, shape->source_port_any, 50);
	return box;
}

static unsigned section_of(struct maker *maker, const struct packet_box *box)
{
	if (below(maker, 30) == 0)
		return below(maker, 3);
	return box->fields[FIELD_DESTINATION] == NULL ? 0 : box->fields[FIELD_SOURCE] != NULL ? 1 : 2;
}

static void put_in_sections(struct maker *maker, struct packet_rule *rules, size_t count)
{
	struct packet_rule *sections[3];
	size_t counts[3] = { 0 }, at = 0;

	for (size_t section = 0; section < 3; section++)
		sections[section] = pool_array(maker->pool, struct packet_rule, count);
	for (size_t index = 0; index < count; index++) {
		unsigned section = section_of(maker, &rules[index].box);

		sections[section][counts[section]++] = rules[index];
	}
	for (size_t section = 0; section < 3; section++)
		for (size_t index = 0; index < counts[section]; index++)
			rules[at++] = sections[section][index];
}

const char *classbench_name(enum classbench_kind kind)
{
	return shapes[kind].name;
}

struct classbench classbench_list(void *pool, const struct classbench_wish *wish)
{
	struct maker maker = { .pool = pool, .wish = wish, .shape = &shapes[wish->kind],
			       .state = wish->seed };
	struct classbench list = { .count = wish->count };

	maker.forward = one_interval(pool, HOOK_FORWARD, HOOK_FORWARD);
	maker.family = one_interval(pool, wish->family, wish->family);
	make_sites(&maker);
	list.rules = pool_array(pool, struct packet_rule, wish->count);
	list.outcomes = pool_array(pool, uint32_t, wish->count);
	for (size_t index = 0; index < wish->count; index++)
		list.rules[index].box = random_box(&maker);
	put_in_sections(&maker, list.rules, wish->count);
	for (size_t index = 0; index < wish->count; index++) {
		list.rules[index].number = (uint32_t)index;
		list.outcomes[index] = below(&maker, 100) < maker.shape->allow;
	}
	return list;
}
