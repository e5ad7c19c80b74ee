/* Packets are made of rules that stand evenly in the list: the first address, interface and service that
 * each names; and of those, near ones that no rule takes, which differ in one field. The evaluator says
 * who decides, the walk over the table what it costs. */
#include "target/nft/report/report.h"

#include "base/pool.h"
#include "net/protocol.h"
#include "target/nft/report/follow.h"

enum {
	LOOKS_MOST = 1 << 18, /* at rules: the evaluator is linear in them */
	UNLIKELY_PORT = 9,
};

struct sample {
	void *pool;
	const struct nft_table *table;
	const struct ruleset *ruleset;
	struct nft_expectation *expectation;
	size_t rules_most;
	uint64_t hit_ns, miss_ns;
};

static bool first_address(const struct place_boxes *boxes, enum family family, const struct place_box **box,
			  number128 *address)
{
	for (size_t i = 0; i < boxes->boxes_count; i++) {
		const struct interval_set *set = address_set_family(&boxes->boxes[i].addresses, family);
		if (set->items_count == 0)
			continue;
		*box = &boxes->boxes[i];
		*address = set->items[0].low;
		return true;
	}
	return false;
}

/* The first name of the set; one that it does not hold cannot be of it. */
static const char *first_interface(void *pool, const struct interface_set *set)
{
	const char *name = "eth0";
	if (!set->is_complement)
		return set->names_count == 0 ? name : set->names[0];
	for (unsigned number = 0; !interface_set_contains(set, name); number++)
		name = pool_format(pool, "if%u", number);
	return name;
}

static const struct service_tuple *first_tuple(const struct tuple_set *services, enum family family)
{
	unsigned wanted = family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
	for (size_t i = 0; i < services->tuples_count; i++)
		if ((services->tuples[i].families & wanted) != 0)
			return &services->tuples[i];
	return NULL;
}

/* A packet that the rule matches; false: none of this family. */
static bool packet_of_rule(const struct sample *sample, const struct rule *rule, struct packet *packet)
{
	const struct nft_expectation *expectation = sample->expectation;
	const struct match *match = &rule->match;
	const struct service_tuple *tuple = first_tuple(&match->services, expectation->family);
	const struct place_box *from, *to;
	*packet = (struct packet){ .hook = expectation->hook, .family = expectation->family };
	if (tuple == NULL || match->is_translated ||
	    !first_address(&match->from, expectation->family, &from, &packet->source) ||
	    !first_address(&match->to, expectation->family, &to, &packet->destination))
		return false;
	packet->in = expectation->hook == HOOK_OUTPUT ? NULL : first_interface(sample->pool, &from->interfaces);
	packet->out = expectation->hook == HOOK_INPUT ? NULL : first_interface(sample->pool, &to->interfaces);
	packet->protocol = tuple->protocol == PROTOCOL_ANY ? PROTOCOL_TCP : (uint8_t)tuple->protocol;
	packet->first = tuple->first.low;
	packet->second = tuple->second.low;
	packet->minute = match->minutes == NULL || match->minutes->items_count == 0 ? 0
		: (unsigned)match->minutes->items[0].low;
	return true;
}

static void follow(struct sample *sample, const struct packet *packet, bool is_hit)
{
	struct nft_expectation *expectation = sample->expectation;
	struct nft_path path;
	if ((ruleset_evaluate(sample->ruleset, packet).rule != NULL) != is_hit)
		return;
	path = nft_follow(sample->pool, sample->table, packet, NFT_FOLLOW_HOP_LIMIT);
	if (is_hit) {
		expectation->hits++;
		sample->hit_ns += path.cost;
	} else {
		expectation->misses++;
		sample->miss_ns += path.cost;
	}
}

/* One field of it is another: source, destination, port. */
static void follow_near(struct sample *sample, const struct packet *packet)
{
	number128 far = packet->family == FAMILY_IPV4 ? (number128)0xc0000201 /* 192.0.2.1 */
						      : (number128)0x20010db8 << 96 | 1;
	struct packet near = *packet;
	near.source = far;
	follow(sample, &near, false);
	near = *packet;
	near.destination = far;
	follow(sample, &near, false);
	near = *packet;
	near.first = UNLIKELY_PORT;
	follow(sample, &near, false);
}

static void expect(struct sample *sample)
{
	struct nft_expectation *expectation = sample->expectation;
	struct rule *const *rules = sample->ruleset->rules[expectation->hook];
	size_t count = sample->ruleset->rules_count[expectation->hook];
	size_t most = count < sample->rules_most ? count : sample->rules_most;
	struct packet packet;
	while (most > 4 && most * count > LOOKS_MOST)
		most /= 2;
	for (size_t i = 0; i < most; i++) {
		if (!packet_of_rule(sample, rules[i * count / most], &packet))
			continue;
		follow(sample, &packet, true);
		follow_near(sample, &packet);
	}
	expectation->hit_ns = expectation->hits == 0 ? 0 : (unsigned)(sample->hit_ns / expectation->hits);
	expectation->miss_ns = expectation->misses == 0 ? 0 : (unsigned)(sample->miss_ns / expectation->misses);
}

void nft_expect(void *pool, const struct nft_table *table, const struct ruleset *ruleset, size_t rules_most,
		struct nft_expectation expectations[HOOK_COUNT * 2])
{
	for (size_t i = 0; i < HOOK_COUNT * 2; i++) {
		struct sample sample = {
			.pool = pool, .table = table, .ruleset = ruleset, .expectation = &expectations[i],
			.rules_most = rules_most,
		};
		expectations[i] = (struct nft_expectation){
			.hook = (enum hook)(i / 2), .family = i % 2 == 0 ? FAMILY_IPV4 : FAMILY_IPV6,
		};
		expect(&sample);
	}
}
