/* A guard is a list of statements; a rule has one for each box of its week times each of the
 * ports that its packets had before translation. Mostly there is one or none. */
#include "target/nft/emit/guard.h"

#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"

#define DAYS 7
#define DAY_MINUTES 1440u
#define DAY_SECONDS 86400u
#define STATUS_DESTINATION_NAT 0x20 /* IPS_DST_NAT */

/* Days low..high (Sunday 0) at seconds low..high of the day, all included. */
struct week_box {
	unsigned first_day, last_day;
	unsigned first_second, last_second;
};

struct week_boxes {
	struct week_box *items;
	size_t items_count, items_capacity;
};

static int compare_week_boxes(const void *left, const void *right)
{
	const struct week_box *a = left, *b = right;
	if (a->first_second != b->first_second)
		return a->first_second < b->first_second ? -1 : 1;
	if (a->last_second != b->last_second)
		return a->last_second < b->last_second ? -1 : 1;
	return (a->first_day > b->first_day) - (a->first_day < b->first_day);
}

/* One box a day that the interval of minutes touches. */
static void add_days(struct lower *lower, struct week_boxes *boxes, struct interval minutes)
{
	unsigned low = (unsigned)minutes.low, high = (unsigned)minutes.high;
	for (unsigned day = low / DAY_MINUTES; day <= high / DAY_MINUTES && day < DAYS; day++) {
		unsigned start = day * DAY_MINUTES, end = start + DAY_MINUTES - 1;
		unsigned first = low > start ? low - start : 0;
		unsigned last = (high < end ? high : end) - start;
		unsigned nft_day = (day + 1) % DAYS; /* Monday 0 to Sunday 0 */
		*pool_append(lower->scratch, boxes, items) = (struct week_box){
			nft_day, nft_day, first * 60, last * 60 + 59,
		};
	}
}

static struct week_boxes week_boxes_of(struct lower *lower, const struct interval_set *minutes)
{
	struct week_boxes boxes = { 0 };
	for (size_t i = 0; i < minutes->items_count; i++)
		add_days(lower, &boxes, minutes->items[i]);
	if (boxes.items_count == 0)
		return boxes;
	qsort(boxes.items, boxes.items_count, sizeof *boxes.items, compare_week_boxes);
	size_t last = 0;
	for (size_t i = 1; i < boxes.items_count; i++) {
		struct week_box *box = &boxes.items[last], next = boxes.items[i];
		if (box->first_second == next.first_second &&
		    box->last_second == next.last_second && box->last_day + 1 == next.first_day)
			box->last_day = next.last_day;
		else
			boxes.items[++last] = next;
	}
	boxes.items_count = last + 1;
	return boxes;
}

static void add_week_box(struct rule_draft *guard, const struct week_box *box)
{
	if (box->first_day != 0 || box->last_day != DAYS - 1)
		rule_add(guard, match_interval(NFT_FIELD_META_DAY,
					       (struct interval){ box->first_day, box->last_day }));
	if (box->first_second != 0 || box->last_second != DAY_SECONDS - 1)
		rule_add(guard, match_interval(NFT_FIELD_META_HOUR,
					       (struct interval){ box->first_second,
								  box->last_second }));
}

static void add_original_to(struct lower *lower, struct rule_draft *guard, const struct rule *rule,
			    enum family family)
{
	const struct interval_set *to = address_set_family(&rule->match.original->to, family);
	enum nft_field field = family == FAMILY_IPV4 ? NFT_FIELD_CT_ORIGINAL_IP_DADDR
						     : NFT_FIELD_CT_ORIGINAL_IP6_DADDR;
	if (to->items_count == 1)
		rule_add(guard, match_interval(field, to->items[0]));
	else
		rule_add(guard, match_set(field, lower_interval_set(lower, field, to, rule->origin)));
}

/* The protocol is looked at in the same rule: nft's text has no port before translation without it. */
static void add_original_service(struct rule_draft *guard, const struct service_tuple *tuple)
{
	if (!protocol_has_ports(tuple->protocol))
		return;
	rule_add(guard, match_equal(NFT_FIELD_L4PROTO, tuple->protocol));
	rule_add(guard, match_interval(NFT_FIELD_CT_ORIGINAL_PROTO_DST,
				       (struct interval){ tuple->first.low, tuple->first.high }));
}

/* What stands in every guard. */
static void add_common(struct lower *lower, struct rule_draft *guard, const struct rule *rule,
		       unsigned families)
{
	const struct match *match = &rule->match;
	if (match->until != 0) {
		struct nft_statement until = match_equal(NFT_FIELD_META_TIME,
							 (number128)(uint64_t)match->until);
		until.operator = NFT_LESS;
		rule_add(guard, until);
	}
	if (!match->is_translated)
		return;
	rule_add(guard, match_bits(NFT_FIELD_CT_STATUS, STATUS_DESTINATION_NAT));
	if (match->has_original_to)
		add_original_to(lower, guard, rule,
				families == FAMILIES_IPV6 ? FAMILY_IPV6 : FAMILY_IPV4);
}

static struct statements keep(struct lower *lower, const struct rule_draft *guard)
{
	struct statements kept = { .items_count = guard->items_count };
	kept.items = lower_array(lower, struct nft_statement, guard->items_count);
	memcpy(kept.items, guard->items, guard->items_count * sizeof *kept.items);
	return kept;
}

static bool has_guards(const struct match *match)
{
	return match->minutes != NULL || match->until != 0 || match->is_translated;
}

void guards_of_rule(struct lower *lower, const struct rule *rule, unsigned families,
		    struct tail *tail)
{
	const struct match *match = &rule->match;
	if (!has_guards(match))
		return;
	struct week_boxes week = { 0 };
	if (match->minutes != NULL)
		week = week_boxes_of(lower, match->minutes);
	size_t ports = match->is_translated ? match->original->services.tuples_count : 0;
	size_t weeks = match->minutes == NULL ? 1 : week.items_count;
	tail->guards = lower_array(lower, struct statements, weeks * (ports == 0 ? 1 : ports));
	for (size_t i = 0; i < weeks; i++) {
		for (size_t k = 0; k < (ports == 0 ? 1 : ports); k++) {
			struct rule_draft guard;
			guard.items_count = 0;
			add_common(lower, &guard, rule, families);
			if (match->minutes != NULL)
				add_week_box(&guard, &week.items[i]);
			if (ports != 0)
				add_original_service(&guard, &match->original->services.tuples[k]);
			tail->guards[tail->guards_count++] = keep(lower, &guard);
		}
	}
}

static bool has_guard_of(const struct tail *tail, uint16_t protocol)
{
	for (size_t i = 0; i < tail->guards_count; i++)
		if (tail->guards[i].items[0].low.number == protocol)
			return true;
	return false;
}

static bool all_have_ports(const struct tuple_set *services)
{
	for (size_t i = 0; i < services->tuples_count; i++)
		if (!protocol_has_ports(services->tuples[i].protocol))
			return false;
	return true;
}

void guards_of_protocols(struct lower *lower, const struct tuple_set *services, struct tail *tail)
{
	if (!all_have_ports(services))
		return;
	tail->guards = lower_array(lower, struct statements, services->tuples_count);
	for (size_t i = 0; i < services->tuples_count; i++) {
		uint16_t protocol = services->tuples[i].protocol;
		struct rule_draft guard;
		if (has_guard_of(tail, protocol))
			continue;
		guard.items_count = 0;
		rule_add(&guard, match_equal(NFT_FIELD_L4PROTO, protocol));
		tail->guards[tail->guards_count++] = keep(lower, &guard);
	}
}
