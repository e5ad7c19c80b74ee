/* Rules to units.
 *
 * A rule whose places are whole stays one unit for both families; any address condition makes it
 * one a family. The services of a rule are sorted into groups by how nft can look at them; groups
 * are shared between rules of equal services. */
#include "target/nft/emit/unit.h"

#include <net/if.h>
#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"

unsigned entries_family(const struct lower *lower, const struct entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct unit *unit = &lower->units[entries[i].unit];
		if ((unit->needs & entries[i].done & NEED_FAMILY) != 0)
			return unit->family;
	}
	return FAMILIES_BOTH;
}

bool entry_is_final(const struct lower *lower, struct entry entry)
{
	return entry_needs(lower, entry) == 0 && tail_is_final(lower->units[entry.unit].tail);
}

/* --- service groups ----------------------------------------------------------------------- */

static bool is_icmp(unsigned protocol)
{
	return protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
}

static bool range_is_whole(struct port_range range, unsigned protocol)
{
	return range.low == 0 && range.high >= (is_icmp(protocol) ? UINT8_MAX : UINT16_MAX);
}

static enum service_kind kind_of(const struct service_tuple *tuple)
{
	if (tuple->protocol == PROTOCOL_ANY)
		return SERVICE_ANY;
	bool is_first_whole = range_is_whole(tuple->first, tuple->protocol);
	bool is_second_whole = range_is_whole(tuple->second, tuple->protocol);
	if (is_first_whole && is_second_whole)
		return SERVICE_PROTOCOL;
	if (is_icmp(tuple->protocol))
		return tuple->protocol == PROTOCOL_ICMP ? SERVICE_ICMP : SERVICE_ICMP6;
	if (!is_second_whole)
		return SERVICE_SOURCE;
	return tuple->first.high - tuple->first.low < SERVICE_NARROW_MAX ? SERVICE_NARROW
									 : SERVICE_WIDE;
}

struct wanted_group {
	const struct lower *lower;
	const struct service_group *group;
};

static bool tuples_equal(const struct service_tuple *a, const struct service_tuple *b)
{
	return a->protocol == b->protocol && a->first.low == b->first.low &&
	       a->first.high == b->first.high && a->second.low == b->second.low &&
	       a->second.high == b->second.high;
}

static bool group_equals(const void *wanted, uint32_t number)
{
	const struct wanted_group *want = wanted;
	const struct service_group *a = want->group, *b = &want->lower->groups[number];
	if (a->kind != b->kind || a->families != b->families || a->tuples_count != b->tuples_count)
		return false;
	for (size_t i = 0; i < a->tuples_count; i++)
		if (!tuples_equal(&a->tuples[i], &b->tuples[i]))
			return false;
	return interval_set_equals(&a->protocols, &b->protocols);
}

static uint64_t group_hash(const struct service_group *group)
{
	uint64_t hash = memo_mix((uint64_t)group->kind, group->families);
	for (size_t i = 0; i < group->tuples_count; i++) {
		const struct service_tuple *tuple = &group->tuples[i];
		hash = memo_mix(hash, tuple->protocol);
		hash = memo_mix(hash, (uint64_t)tuple->first.low << 48 |
				      (uint64_t)tuple->first.high << 32 |
				      (uint64_t)tuple->second.low << 16 | tuple->second.high);
	}
	return memo_mix(hash, interval_set_hash(&group->protocols));
}

/* The number of the group, kept if it is new. Its tuples are copied. */
static uint32_t group_intern(struct lower *lower, const struct service_group *group)
{
	struct wanted_group wanted = { lower, group };
	uint64_t hash = group_hash(group);
	uint32_t number = memo_find(&lower->group_memo, hash, group_equals, &wanted);
	if (number != MEMO_NONE)
		return number;
	number = (uint32_t)lower->groups_count;
	struct service_tuple *copy = lower_array(lower, struct service_tuple, group->tuples_count);
	if (group->tuples_count != 0)
		memcpy(copy, group->tuples, group->tuples_count * sizeof *copy);
	struct service_group *kept = pool_append(lower->scratch, lower, groups);
	*kept = *group;
	kept->tuples = copy;
	kept->number = number;
	memo_add(lower->scratch, &lower->group_memo, hash, number);
	return number;
}

uint32_t group_of_some(struct lower *lower, uint32_t number, const struct service_tuple *tuples, size_t count)
{
	struct service_group part = lower->groups[number];
	part.tuples = tuples;
	part.tuples_count = count;
	part.set = NULL;
	return group_intern(lower, &part);
}

/* A group under construction: the tuples of one kind and one mask of families. */
#define GROUPS_MAX ((SERVICE_ANY + 1) * (FAMILIES_BOTH + 1))

struct group_list {
	uint32_t numbers[GROUPS_MAX];
	size_t count;
};

static bool group_collect(struct lower *lower, const struct tuple_set *services,
			  struct service_group *group)
{
	struct tuple_set tuples = { 0 };
	bool is_found = false;
	for (size_t i = 0; i < services->tuples_count; i++) {
		const struct service_tuple *tuple = &services->tuples[i];
		if (tuple->families != group->families || kind_of(tuple) != group->kind)
			continue;
		is_found = true;
		if (group->kind == SERVICE_PROTOCOL)
			interval_set_add(lower->pool, &group->protocols, tuple->protocol,
					 tuple->protocol);
		else if (group->kind != SERVICE_ANY)
			*pool_append(lower->scratch, &tuples, tuples) = *tuple;
	}
	interval_set_normalise(&group->protocols);
	group->tuples = tuples.tuples;
	group->tuples_count = tuples.tuples_count;
	return is_found;
}

/* Which (kind, families) occur, as bits: most rules have one. */
static uint32_t kinds_of(const struct tuple_set *services)
{
	uint32_t kinds = 0;
	for (size_t i = 0; i < services->tuples_count; i++)
		kinds |= 1u << (unsigned)(kind_of(&services->tuples[i]) * (FAMILIES_BOTH + 1) +
					  services->tuples[i].families);
	return kinds;
}

static struct group_list groups_of(struct lower *lower, const struct tuple_set *services)
{
	struct group_list list;
	list.count = 0;
	uint32_t kinds = kinds_of(services);
	for (unsigned bit = 0; bit < GROUPS_MAX; bit++) {
		if ((kinds >> bit & 1) == 0)
			continue;
		struct service_group group = {
			.kind = (enum service_kind)(bit / (FAMILIES_BOTH + 1)),
			.families = (uint8_t)(bit % (FAMILIES_BOTH + 1)),
		};
		if (group_collect(lower, services, &group))
			list.numbers[list.count++] = group_intern(lower, &group);
		talloc_free((void *)(uintptr_t)group.tuples);
	}
	return list;
}

/* --- units -------------------------------------------------------------------------------- */

static bool check_interfaces(struct lower *lower, const struct interface_set *interfaces,
			     struct span origin)
{
	for (size_t i = 0; i < interfaces->names_count; i++) {
		if (strlen(interfaces->names[i]) < IFNAMSIZ)
			continue;
		diag_add(lower->diags, CODE_TARGET_CANNOT, origin,
			 "nft: interface '%s' is longer than the %d bytes that the kernel takes",
			 interfaces->names[i], IFNAMSIZ - 1);
		return false;
	}
	return true;
}

/* One pair of boxes and one family of a match. */
struct variant {
	const struct place_box *from, *to;
	unsigned families;
	bool has_addresses;
	const struct tail *tail;
};

static uint8_t unit_needs(const struct unit *unit, const struct variant *variant,
			  const struct service_group *group)
{
	unsigned needs = 0;
	needs |= unit->family == FAMILIES_BOTH ? 0 : NEED_FAMILY;
	needs |= interface_set_is_all(&variant->from->interfaces) ? 0 : NEED_IN;
	needs |= interface_set_is_all(&variant->to->interfaces) ? 0 : NEED_OUT;
	needs |= unit->source == NULL ? 0 : NEED_SOURCE;
	needs |= unit->destination == NULL ? 0 : NEED_DESTINATION;
	needs |= group->kind == SERVICE_ANY ? 0 : NEED_SERVICE;
	return (uint8_t)needs;
}

static void add_unit(struct lower *lower, struct entries *list, const struct variant *variant,
		     uint32_t number)
{
	const struct service_group *group = &lower->groups[number];
	unsigned families = variant->families & group->families;
	if (families == FAMILIES_NONE)
		return;
	enum family family = variant->families == FAMILIES_IPV6 ? FAMILY_IPV6 : FAMILY_IPV4;
	const struct address_set *from = &variant->from->addresses, *to = &variant->to->addresses;
	struct unit unit = {
		.tail = variant->tail,
		.in = &variant->from->interfaces,
		.out = &variant->to->interfaces,
		.group = number,
		.family = (uint8_t)families,
	};
	if (variant->has_addresses && !address_set_is_whole(from, family))
		unit.source = address_set_family(from, family);
	if (variant->has_addresses && !address_set_is_whole(to, family))
		unit.destination = address_set_family(to, family);
	unit.needs = unit_needs(&unit, variant, group);
	*pool_append(lower->scratch, list, items) = (struct entry){ (uint32_t)lower->units_count, 0 };
	*pool_append(lower->scratch, lower, units) = unit;
}

static bool variant_is_empty(const struct variant *variant)
{
	unsigned both = address_set_families(&variant->from->addresses) &
			address_set_families(&variant->to->addresses);
	return (both & variant->families) == 0 ||
	       interface_set_is_empty(&variant->from->interfaces) ||
	       interface_set_is_empty(&variant->to->interfaces);
}

/* A whole match of both families is one variant; any other is one a family. */
static size_t variants_of(const struct unit_match *match, const struct place_box *from,
			  const struct place_box *to, bool splits, struct variant variants[2])
{
	if (!splits && match->families == FAMILIES_BOTH && address_set_is_all(&from->addresses) &&
	    address_set_is_all(&to->addresses)) {
		variants[0] = (struct variant){ from, to, FAMILIES_BOTH, false, NULL };
		return 1;
	}
	size_t count = 0;
	for (unsigned families = FAMILIES_IPV4; families <= FAMILIES_IPV6; families++) {
		struct variant variant = { from, to, families, true, NULL };
		if ((match->families & families) != 0 && !variant_is_empty(&variant))
			variants[count++] = variant;
	}
	return count;
}

struct tail_cache {
	const struct tail *of[FAMILIES_BOTH + 1];
};

static void add_boxes(struct lower *lower, struct entries *list, const struct unit_match *match,
		      const struct place_box *from, const struct place_box *to,
		      const struct group_list *groups, const struct tail_cache *tails)
{
	struct variant variants[2];
	bool splits = tails->of[FAMILIES_BOTH] == NULL;
	size_t count = variants_of(match, from, to, splits, variants);
	for (size_t i = 0; i < count; i++) {
		variants[i].tail = splits ? tails->of[variants[i].families]
					  : tails->of[FAMILIES_BOTH];
		for (size_t k = 0; variants[i].tail != NULL && k < groups->count; k++)
			add_unit(lower, list, &variants[i], groups->numbers[k]);
	}
}

static bool check_match(struct lower *lower, const struct unit_match *match)
{
	for (size_t i = 0; i < match->from->boxes_count; i++)
		if (!check_interfaces(lower, &match->from->boxes[i].interfaces, match->origin))
			return false;
	for (size_t i = 0; i < match->to->boxes_count; i++)
		if (!check_interfaces(lower, &match->to->boxes[i].interfaces, match->origin))
			return false;
	return true;
}

void units_add(struct lower *lower, struct entries *list, const struct unit_match *match,
	       tail_maker tail, const void *context)
{
	if (!check_match(lower, match))
		return;
	struct group_list groups = groups_of(lower, match->services);
	struct tail_cache tails = { { NULL } };
	tails.of[FAMILIES_BOTH] = tail(lower, context, FAMILIES_BOTH);
	for (unsigned families = FAMILIES_IPV4; families <= FAMILIES_IPV6; families++)
		if (tails.of[FAMILIES_BOTH] == NULL && (match->families & families) != 0)
			tails.of[families] = tail(lower, context, families);
	for (size_t i = 0; i < match->from->boxes_count; i++)
		for (size_t k = 0; k < match->to->boxes_count; k++)
			add_boxes(lower, list, match, &match->from->boxes[i], &match->to->boxes[k],
				  &groups, &tails);
}
