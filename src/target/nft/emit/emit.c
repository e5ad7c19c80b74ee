/* A unit is a product: names x names x intervals x intervals x tuples. Each factor is a list of
 * alternatives, of which nft can compare one in a rule; long lists become a named set. What is
 * left is either multiplied out (a few rules) or put one behind the other: a rule with one
 * factor's alternative jumps to a chain with the next factor's. A chain of services that ends in
 * a plain verdict is shared by all rules that have these services and this verdict.
 *
 * Only conditions that are not yet answered on the way to the entry are written. */
#include "target/nft/emit/emit.h"

#include <assert.h>
#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "optimise/costs.h"
#include "target/nft/emit/once.h"
#include "target/nft/model/field.h"

/* The factors of a unit, outermost first. */
enum factor { FACTOR_IN, FACTOR_OUT, FACTOR_SOURCE, FACTOR_DESTINATION, FACTOR_SERVICE };
#define FACTORS 5

enum {
	NAMES_INLINE = 4,    /* more: a set */
	INTERVALS_INLINE = 3,
	TUPLES_INLINE = 6,
	ASKED_SAMPLE = 256,  /* entries that long lists are judged by */
	LONG_LIST = 64,      /* a set even where there are too many sets */
	PRODUCT_MAX = 6,     /* rules that a unit is multiplied out to */
	CHAINED_MIN = 3,     /* alternatives that are worth a jump */
	CHAIN_LINES = 3,     /* its first, its last and the empty one */
};

static const uint32_t factor_needs[FACTORS] = {
	NEED_IN, NEED_OUT, NEED_SOURCE, NEED_DESTINATION, NEED_SERVICE,
};

struct product {
	const struct unit *unit;
	struct span origin;
	uint32_t needs;
	bool is_of_family;         /* only packets of the unit's family come, and its addresses may say so */
	bool is_set[FACTORS];      /* the whole factor in one lookup */
	size_t counts[FACTORS];    /* alternatives; 1 where nothing is asked */
	bool is_chained[FACTORS];  /* moved into the chain that `end` jumps to */
	struct statements end;     /* the last statements of each rule */
	bool is_end_shared;        /* end is a plain verdict, or a jump that many units have */
};

/* --- factors ------------------------------------------------------------------------------ */

static const struct interval_set *factor_intervals(const struct unit *unit, enum factor factor)
{
	return factor == FACTOR_SOURCE ? unit->source : unit->destination;
}

static const struct interface_set *factor_names(const struct unit *unit, enum factor factor)
{
	return factor == FACTOR_IN ? unit->in : unit->out;
}

static size_t group_alternatives(const struct service_group *group)
{
	return group->kind == SERVICE_PROTOCOL ? group->protocols.items_count
					       : group->tuples_count;
}

static bool group_fits_set(const struct service_group *group)
{
	return group->kind == SERVICE_NARROW || group->kind == SERVICE_WIDE ||
	       group->kind == SERVICE_PROTOCOL;
}

static size_t factor_alternatives(const struct lower *lower, const struct unit *unit,
				  enum factor factor)
{
	switch (factor) {
	case FACTOR_IN:
	case FACTOR_OUT:
		return factor_names(unit, factor)->names_count;
	case FACTOR_SOURCE:
	case FACTOR_DESTINATION:
		return factor_intervals(unit, factor)->items_count;
	case FACTOR_SERVICE:
		return group_alternatives(&lower->groups[unit->group]);
	}
	return 1;
}

static size_t inline_most(const struct lower *lower, enum factor factor)
{
	if (lower->settings->level == OPTIMISE_LINES)
		return 1;
	switch (factor) {
	case FACTOR_IN:
	case FACTOR_OUT:
		return NAMES_INLINE;
	case FACTOR_SOURCE:
	case FACTOR_DESTINATION:
		return INTERVALS_INLINE;
	case FACTOR_SERVICE:
		return TUPLES_INLINE;
	}
	return 1;
}

static bool factor_is_complement(const struct unit *unit, enum factor factor)
{
	return (factor == FACTOR_IN || factor == FACTOR_OUT) &&
	       factor_names(unit, factor)->is_complement;
}

static bool wants_set(const struct lower *lower, const struct unit *unit, enum factor factor,
		      size_t alternatives)
{
	if (alternatives <= inline_most(lower, factor))
		return false;
	if (factor == FACTOR_SERVICE && !group_fits_set(&lower->groups[unit->group]))
		return false;
	if (lower->settings->level == OPTIMISE_LINES && lower_may_add_set(lower))
		return true;
	return lower_may_add_leaf_set(lower) || alternatives > LONG_LIST ||
	       factor_is_complement(unit, factor);
}

static void measure(const struct lower *lower, struct product *product)
{
	for (enum factor factor = FACTOR_IN; factor <= FACTOR_SERVICE; factor++) {
		product->counts[factor] = 1;
		if ((product->needs & factor_needs[factor]) == 0)
			continue;
		size_t count = factor_alternatives(lower, product->unit, factor);
		product->is_set[factor] = wants_set(lower, product->unit, factor, count);
		if (!product->is_set[factor] && !factor_is_complement(product->unit, factor))
			product->counts[factor] = count;
	}
}

/* --- statements of one alternative -------------------------------------------------------- */

/* The set of these names; found again by its content. */
static const struct nft_set *name_set(struct lower *lower, enum nft_field field,
				      const struct interface_set *names)
{
	struct nft_table *table = lower->table;
	for (size_t i = 0; i < table->sets_count; i++) {
		const struct nft_set *set = table->sets[i];
		bool is_equal = set->fields[0] == field && !set->is_verdict_map &&
				set->elements_count == names->names_count;
		for (size_t k = 0; is_equal && k < names->names_count; k++)
			is_equal = strcmp(nft_element_low(set, &set->elements[k], 0).name, names->names[k]) == 0;
		if (is_equal)
			return set;
	}
	struct nft_set *set = lower_set(lower, lower_name(lower, "interfaces"), &field, 1);
	lower_elements(lower, set, names->names_count);
	set->size = (uint32_t)names->names_count;
	for (size_t i = 0; i < names->names_count; i++) {
		struct nft_element *element = lower_element(set);
		nft_element_set_name(set, element, names->names[i]);
		element->origin = SPAN_NONE;
	}
	return set;
}

static void add_names(struct lower *lower, struct rule_draft *rule, const struct product *product,
		      enum factor factor, size_t index)
{
	enum nft_field field = factor == FACTOR_IN ? NFT_FIELD_IIFNAME : NFT_FIELD_OIFNAME;
	const struct interface_set *names = factor_names(product->unit, factor);
	if (product->is_set[factor]) {
		struct nft_statement match = match_set(field, name_set(lower, field, names));
		if (names->is_complement)
			match.operator = NFT_NOT_IN_SET;
		rule_add(rule, match);
	} else if (!names->is_complement) {
		rule_add(rule, match_name(field, NFT_EQUAL, names->names[index]));
	} else {
		for (size_t i = 0; i < names->names_count; i++)
			rule_add(rule, match_name(field, NFT_NOT_EQUAL, names->names[i]));
	}
}

static enum nft_field address_field(const struct unit *unit, enum factor factor)
{
	if (unit->family == FAMILIES_IPV4)
		return factor == FACTOR_SOURCE ? NFT_FIELD_IP_SADDR : NFT_FIELD_IP_DADDR;
	return factor == FACTOR_SOURCE ? NFT_FIELD_IP6_SADDR : NFT_FIELD_IP6_DADDR;
}

static void add_interval(const struct lower *lower, struct rule_draft *rule, enum nft_field field,
			 struct interval interval, bool is_of_family)
{
	struct nft_statement match = match_interval(field, interval);
	match.is_of_family = is_of_family;
	match.is_masked = lower->settings->level != OPTIMISE_LINES;
	rule_add(rule, match);
}

static void add_addresses(struct lower *lower, struct rule_draft *rule,
			  const struct product *product, enum factor factor, size_t index)
{
	enum nft_field field = address_field(product->unit, factor);
	const struct interval_set *intervals = factor_intervals(product->unit, factor);
	if (product->is_set[factor])
		rule_add(rule, match_set(field, lower_interval_set(lower, field, intervals,
								   product->origin)));
	else
		add_interval(lower, rule, field, intervals->items[index], product->is_of_family);
}

static void add_range(struct rule_draft *rule, enum nft_field field, struct port_range range,
		      uint16_t highest, uint8_t protocol)
{
	if (range.low == 0 && range.high >= highest)
		return;
	struct nft_statement match = match_interval(field, (struct interval){ range.low, range.high });
	match.protocol = protocol;
	rule_add(rule, match);
}

void emit_tuple(struct rule_draft *rule, const struct service_tuple *tuple)
{
	uint8_t protocol = (uint8_t)tuple->protocol;
	rule_add(rule, match_equal(NFT_FIELD_L4PROTO, protocol));
	if (protocol == PROTOCOL_ICMP) {
		add_range(rule, NFT_FIELD_ICMP_TYPE, tuple->first, UINT8_MAX, 0);
		add_range(rule, NFT_FIELD_ICMP_CODE, tuple->second, UINT8_MAX, 0);
	} else if (protocol == PROTOCOL_ICMP6) {
		add_range(rule, NFT_FIELD_ICMPV6_TYPE, tuple->first, UINT8_MAX, 0);
		add_range(rule, NFT_FIELD_ICMPV6_CODE, tuple->second, UINT8_MAX, 0);
	} else {
		add_range(rule, NFT_FIELD_TH_SPORT, tuple->second, UINT16_MAX, protocol);
		add_range(rule, NFT_FIELD_TH_DPORT, tuple->first, UINT16_MAX, protocol);
	}
}

static void add_port_element(struct nft_set *set, bool is_narrow, uint16_t protocol, uint16_t low, uint16_t high)
{
	size_t port = is_narrow ? 1 : 0;
	struct nft_element *element = lower_element(set);
	nft_element_set(set, element, 1 - port, protocol, protocol);
	nft_element_set(set, element, port, low, high);
	element->origin = SPAN_NONE;
}

static size_t count_ports(const struct service_group *group)
{
	size_t count = 0;
	for (size_t i = 0; i < group->tuples_count; i++)
		count += (size_t)(group->tuples[i].first.high - group->tuples[i].first.low) + 1;
	return count;
}

/* Narrow ranges port by port, so that the set is a hash; wide ones as ranges. */
static void fill_port_set(struct lower *lower, struct nft_set *set,
			  const struct service_group *group)
{
	bool is_narrow = group->kind == SERVICE_NARROW;
	size_t count = is_narrow ? count_ports(group) : group->tuples_count;
	set->is_interval = !is_narrow;
	lower_elements(lower, set, count);
	set->size = is_narrow ? (uint32_t)count : 0;
	for (size_t i = 0; i < group->tuples_count; i++) {
		const struct service_tuple *tuple = &group->tuples[i];
		uint32_t step = is_narrow ? 1 : (uint32_t)(tuple->first.high - tuple->first.low) + 1;
		for (uint32_t port = tuple->first.low; port <= tuple->first.high; port += step)
			add_port_element(set, is_narrow, tuple->protocol, (uint16_t)port,
					 (uint16_t)(port + step - 1));
	}
}

/* Of ranges the port stands first: the kernel follows every element that the first field leaves, and the
 * protocol leaves half of them. */
static const enum nft_field *port_set_fields(const struct service_group *group)
{
	static const enum nft_field exact[] = { NFT_FIELD_L4PROTO, NFT_FIELD_TH_DPORT };
	static const enum nft_field ranges[] = { NFT_FIELD_TH_DPORT, NFT_FIELD_L4PROTO };
	return group->kind == SERVICE_NARROW ? exact : ranges;
}

static const struct nft_set *port_set(struct lower *lower, uint32_t number)
{
	if (lower->groups[number].set != NULL)
		return lower->groups[number].set;
	const char *prefix = lower->prefix;
	lower->prefix = "services";
	struct nft_set *set = lower_set(lower, lower_name(lower, ""),
					port_set_fields(&lower->groups[number]), 2);
	lower->prefix = prefix;
	fill_port_set(lower, set, &lower->groups[number]);
	lower->groups[number].set = set;
	return set;
}

static void add_port_set(struct lower *lower, struct rule_draft *rule, uint32_t number)
{
	rule_add(rule, (struct nft_statement){
		.kind = NFT_CONCAT_MATCH, .fields = port_set_fields(&lower->groups[number]), .fields_count = 2,
		.operator = NFT_IN_SET, .set = port_set(lower, number),
	});
}

static void add_service(struct lower *lower, struct rule_draft *rule,
			const struct product *product, size_t index)
{
	const struct service_group *group = &lower->groups[product->unit->group];
	if (group->kind == SERVICE_PROTOCOL && product->is_set[FACTOR_SERVICE])
		rule_add(rule, match_set(NFT_FIELD_L4PROTO,
					 lower_interval_set(lower, NFT_FIELD_L4PROTO,
							    &group->protocols, SPAN_NONE)));
	else if (group->kind == SERVICE_PROTOCOL)
		rule_add(rule, match_interval(NFT_FIELD_L4PROTO, group->protocols.items[index]));
	else if (product->is_set[FACTOR_SERVICE])
		add_port_set(lower, rule, product->unit->group);
	else
		emit_tuple(rule, &group->tuples[index]);
}

static void add_factor(struct lower *lower, struct rule_draft *rule, const struct product *product,
		       enum factor factor, size_t index)
{
	switch (factor) {
	case FACTOR_IN:
	case FACTOR_OUT:
		add_names(lower, rule, product, factor, index);
		return;
	case FACTOR_SOURCE:
	case FACTOR_DESTINATION:
		add_addresses(lower, rule, product, factor, index);
		return;
	case FACTOR_SERVICE:
		add_service(lower, rule, product, index);
		return;
	}
}

static void add_family(struct rule_draft *rule, const struct product *product)
{
	if ((product->needs & NEED_FAMILY) == 0 || (product->needs & NEED_ADDRESSES) != 0)
		return;
	bool is_ipv4 = product->unit->family == FAMILIES_IPV4;
	rule_add(rule, match_equal(NFT_FIELD_NFPROTO, is_ipv4 ? 2 : 10)); /* NFPROTO_IPV4, _IPV6 */
}

/* --- the product -------------------------------------------------------------------------- */

static bool is_written(const struct product *product, enum factor factor)
{
	return (product->needs & factor_needs[factor]) != 0 && !product->is_chained[factor];
}

static size_t rules_of(const struct product *product)
{
	size_t rules = 1;
	for (enum factor factor = FACTOR_IN; factor <= FACTOR_SERVICE; factor++)
		if (is_written(product, factor) && rules < SIZE_MAX / 65536)
			rules *= product->counts[factor];
	return rules;
}

static void add_end(struct rule_draft *rule, const struct statements *end)
{
	for (size_t i = 0; i < end->items_count; i++)
		rule_add(rule, end->items[i]);
}

/* What a comment tells of the factor's alternative; NULL: nothing. */
static const struct interval *told_addresses(const struct product *product, enum factor factor, size_t index)
{
	if (!is_written(product, factor) || product->is_set[factor])
		return NULL;
	return &factor_intervals(product->unit, factor)->items[index];
}

static enum family told_family(const struct product *product)
{
	return product->unit->family == FAMILIES_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6;
}

static void tell_addresses(struct text *out, const struct product *product, enum factor factor, size_t index,
			   const char *word)
{
	const struct interval *addresses = told_addresses(product, factor, index);
	if (addresses == NULL)
		return;
	text_add(out, out->length == 0 ? "" : " ");
	text_add(out, word);
	text_add_char(out, ' ');
	address_interval_format(out, told_family(product), addresses);
}

/* Does the text fit a comment? */
static bool tell_rule(struct text *out, const struct product *product, const size_t *at)
{
	out->length = 0;
	if (product->unit->tail->comment != NULL)
		text_add(out, product->unit->tail->comment);
	tell_addresses(out, product, FACTOR_SOURCE, at[FACTOR_SOURCE], "from");
	tell_addresses(out, product, FACTOR_DESTINATION, at[FACTOR_DESTINATION], "to");
	return out->length <= LOWER_COMMENT_MAX;
}

/* Is that sure without writing it? */
static bool surely_fits(const struct product *product, const size_t *at)
{
	const char *comment = product->unit->tail->comment;
	size_t most = comment == NULL ? 0 : strlen(comment);
	for (enum factor factor = FACTOR_SOURCE; factor <= FACTOR_DESTINATION; factor++) {
		const struct interval *addresses = told_addresses(product, factor, at[factor]);
		if (addresses != NULL)
			most += sizeof " from " - 1 + address_interval_room(told_family(product), addresses);
	}
	return most <= LOWER_COMMENT_MAX;
}

/* Who reads the rule is told the addresses that nft lists by their places. false: that is too long. */
static bool comment_of(struct lower *lower, const struct product *product, const size_t *at, const char **comment)
{
	*comment = product->unit->tail->comment;
	if (!product->is_of_family || lower->settings->level == OPTIMISE_FASTEST)
		return true;
	bool fits = tell_rule(lower->comment, product, at);
	if (fits && lower->comment->length != 0)
		*comment = lower_copy_string(lower, lower->comment->bytes);
	return fits;
}

/* Rule number `index` of the product: the innermost factor counts fastest. */
static void write_rule(struct lower *lower, struct draft *draft, const struct product *whole,
		       size_t index)
{
	struct product copy = *whole, *product = &copy;
	size_t at[FACTORS] = { 0 };
	for (int factor = FACTOR_SERVICE; factor >= FACTOR_IN; factor--) {
		if (!is_written(product, (enum factor)factor))
			continue;
		at[factor] = index % product->counts[factor];
		index /= product->counts[factor];
	}
	const char *comment;
	product->is_of_family = comment_of(lower, product, at, &comment) && product->is_of_family;
	struct rule_draft rule;
	rule.items_count = 0;
	for (enum factor factor = FACTOR_IN; factor <= FACTOR_SERVICE; factor++) {
		if (factor == FACTOR_SOURCE)
			add_family(&rule, product);
		if (is_written(product, factor))
			add_factor(lower, &rule, product, factor, at[factor]);
	}
	add_end(&rule, &product->end);
	struct nft_rule *written = rule_end(lower, draft, &rule, product->end.height);
	written->comment = comment;
	written->origin = product->origin;
}

/* --- chains of one factor ----------------------------------------------------------------- */

struct wanted_rule {
	const struct lower *lower;
	const struct service_tuple *tuple;
	const struct nft_verdict *verdict;
};

struct wanted_chain {
	const struct lower *lower;
	uint32_t group;
	const struct nft_verdict *verdict;
};

struct service_chain {
	uint32_t group;
	struct nft_verdict verdict;
	struct goal goal;
};

static bool verdict_equals(const struct nft_verdict *a, const struct nft_verdict *b)
{
	return a->kind == b->kind && (a->chain == b->chain ||
				      (a->chain != NULL && b->chain != NULL &&
				       strcmp(a->chain, b->chain) == 0));
}

static uint64_t verdict_hash(const struct nft_verdict *verdict)
{
	uint64_t hash = memo_mix(0, (uint64_t)verdict->kind);
	return verdict->chain == NULL ? hash : memo_mix_string(hash, verdict->chain);
}

static bool shared_rule_equals(const void *wanted, uint32_t number)
{
	const struct wanted_rule *want = wanted;
	const struct shared_rule *rule = &want->lower->shared_rules[number];
	return rule->tuple.protocol == want->tuple->protocol &&
	       rule->tuple.first.low == want->tuple->first.low &&
	       rule->tuple.first.high == want->tuple->first.high &&
	       rule->tuple.second.low == want->tuple->second.low &&
	       rule->tuple.second.high == want->tuple->second.high &&
	       verdict_equals(&rule->statements.items[rule->statements.items_count - 1].verdict,
			      want->verdict);
}

/* The statements "tuple, plain verdict", which many chains share. */
static struct statements shared_rule(struct lower *lower, const struct service_tuple *tuple,
				     const struct statements *end)
{
	struct wanted_rule wanted = { lower, tuple, &end->items[0].verdict };
	uint64_t hash = memo_mix(verdict_hash(wanted.verdict),
				 (uint64_t)tuple->protocol << 32 |
				 (uint64_t)tuple->first.low << 16 | tuple->first.high);
	hash = memo_mix(hash, (uint64_t)tuple->second.low << 16 | tuple->second.high);
	uint32_t number = memo_find(&lower->rule_memo, hash, shared_rule_equals, &wanted);
	if (number != MEMO_NONE)
		return lower->shared_rules[number].statements;
	struct rule_draft rule;
	rule.items_count = 0;
	emit_tuple(&rule, tuple);
	add_end(&rule, end);
	struct statements kept = { .items_count = rule.items_count, .height = end->height };
	kept.items = lower_array(lower, struct nft_statement, rule.items_count);
	memcpy(kept.items, rule.items, rule.items_count * sizeof *kept.items);
	memo_add(lower->scratch, &lower->rule_memo, hash, (uint32_t)lower->shared_rules_count);
	*pool_append(lower->scratch, lower, shared_rules) = (struct shared_rule){ *tuple, kept };
	return kept;
}

static bool service_chain_equals(const void *wanted, uint32_t number)
{
	const struct wanted_chain *want = wanted;
	const struct service_chain *chain = &want->lower->service_chains[number];
	return chain->group == want->group && verdict_equals(&chain->verdict, want->verdict);
}

static struct goal write_service_chain(struct lower *lower, const struct service_group *group,
				       const struct statements *end)
{
	struct draft draft = draft_begin(lower);
	for (size_t i = 0; i < group->tuples_count; i++) {
		struct statements rule = shared_rule(lower, &group->tuples[i], end);
		draft_shared_rule(lower, &draft, &rule);
	}
	const char *prefix = lower->prefix;
	lower->prefix = "services";
	struct goal goal = chain_once(lower, &draft, "", NFT_JUMP);
	lower->prefix = prefix;
	return goal;
}

/* The chain "one of the group's services: plain verdict", one for all who want it. */
static struct goal service_chain(struct lower *lower, uint32_t group, const struct statements *end)
{
	struct wanted_chain wanted = { lower, group, &end->items[0].verdict };
	uint64_t hash = memo_mix(verdict_hash(wanted.verdict), group);
	uint32_t number = memo_find(&lower->service_chain_memo, hash, service_chain_equals, &wanted);
	if (number != MEMO_NONE)
		return lower->service_chains[number].goal;
	struct goal goal = write_service_chain(lower, &lower->groups[group], end);
	memo_add(lower->scratch, &lower->service_chain_memo, hash,
		 (uint32_t)lower->service_chains_count);
	*pool_append(lower->scratch, lower, service_chains) =
		(struct service_chain){ group, end->items[0].verdict, goal };
	return goal;
}

/* A chain with one rule for each alternative of the factor. */
static struct goal factor_chain(struct lower *lower, const struct product *product,
				enum factor factor)
{
	struct product inner = *product;
	inner.needs = factor_needs[factor];
	struct draft draft = draft_begin(lower);
	for (size_t i = 0; i < inner.counts[factor]; i++)
		write_rule(lower, &draft, &inner, i);
	return chain_once(lower, &draft, "if", NFT_JUMP);
}

static void set_end_to_jump(struct lower *lower, struct product *product, struct goal goal)
{
	product->end = (struct statements){
		.items = lower_new(lower, struct nft_statement), .items_count = 1,
		.height = goal.height,
	};
	product->end.items[0] = verdict_statement(goal.verdict);
	product->is_end_shared = false;
}

static void chain_factor(struct lower *lower, struct product *product, enum factor factor)
{
	const struct service_group *group = &lower->groups[product->unit->group];
	bool is_shared = factor == FACTOR_SERVICE && product->is_end_shared &&
			 group->kind != SERVICE_PROTOCOL;
	struct goal goal = is_shared ? service_chain(lower, product->unit->group, &product->end)
				     : factor_chain(lower, product, factor);
	set_end_to_jump(lower, product, goal);
	product->is_chained[factor] = true;
}

/* Is another condition written before this factor's? */
static bool has_outer(const struct product *product, enum factor factor)
{
	for (enum factor outer = FACTOR_IN; outer < factor; outer++)
		if (is_written(product, outer))
			return true;
	return false;
}

static void chain_factors(struct lower *lower, struct product *product)
{
	for (int at = FACTOR_SERVICE; at > FACTOR_IN; at--) {
		enum factor factor = (enum factor)at;
		if (!is_written(product, factor) || product->counts[factor] < 2 ||
		    !has_outer(product, factor))
			continue;
		bool is_shared = factor == FACTOR_SERVICE && product->is_end_shared;
		if (lower->settings->level == OPTIMISE_LINES && rules_of(product) <= PRODUCT_MAX)
			continue;
		if (is_shared || product->counts[factor] >= CHAINED_MIN ||
		    rules_of(product) > PRODUCT_MAX)
			chain_factor(lower, product, factor);
	}
}

static void set_end(struct lower *lower, struct product *product)
{
	const struct tail *tail = product->unit->tail;
	if (tail->guards_count > 1 || tail->may_return) {
		set_end_to_jump(lower, product, tail_goal(lower, tail, NFT_JUMP));
		product->is_end_shared = tail->may_return;
		return;
	}
	product->end = tail->final;
	product->is_end_shared = tail->guards_count == 0 && tail->is_verdict;
	if (tail->guards_count == 0)
		return;
	const struct statements *guard = &tail->guards[0];
	size_t count = guard->items_count + tail->final.items_count;
	product->end.items = lower_array(lower, struct nft_statement, count);
	product->end.items_count = count;
	memcpy(product->end.items, guard->items, guard->items_count * sizeof *guard->items);
	memcpy(product->end.items + guard->items_count, tail->final.items,
	       tail->final.items_count * sizeof *guard->items);
}

static bool is_of_family(const struct lower *lower, const struct unit *unit, struct entry entry)
{
	return lower->has_places && (unit->needs & entry.done & NEED_FAMILY) != 0;
}

void emit_entry(struct lower *lower, struct draft *draft, struct entry entry)
{
	/* units may move while chains are made: work on a copy */
	const struct unit unit = lower->units[entry.unit];
	struct product product = {
		.unit = &unit,
		.origin = unit.tail->origin,
		.needs = unit.needs & ~entry.done,
		.is_of_family = is_of_family(lower, &unit, entry),
	};
	set_end(lower, &product);
	measure(lower, &product);
	chain_factors(lower, &product);
	size_t rules = rules_of(&product);
	for (size_t i = 0; i < rules; i++)
		write_rule(lower, draft, &product, i);
}

bool emit_service_goal(struct lower *lower, struct entry entry, struct goal *goal)
{
	const struct unit unit = lower->units[entry.unit];
	struct product product = { .unit = &unit, .origin = unit.tail->origin };
	if (entry_needs(lower, entry) != NEED_SERVICE || lower->groups[unit.group].kind == SERVICE_PROTOCOL)
		return false;
	set_end(lower, &product);
	if (!product.is_end_shared)
		return false;
	*goal = service_chain(lower, unit.group, &product.end);
	return true;
}

/* --- cost --------------------------------------------------------------------------------- */

/* By the first of the addresses, since units of networks and of ranges are told apart by any. */
static enum cost_addresses addresses_kind(const struct product *product, enum factor factor)
{
	enum family family = product->unit->family == FAMILIES_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6;
	const struct interval_set *intervals = factor_intervals(product->unit, factor);
	struct nft_part parts[NFT_PARTS_MAX];
	unsigned length;
	if (intervals->items_count == 0 || interval_is_prefix(family, &intervals->items[0], &length))
		return intervals->items_count != 0 && intervals->items[0].low == intervals->items[0].high ?
			       COST_OF_ADDRESS : COST_OF_PREFIX;
	struct nft_statement match = match_interval(address_field(product->unit, factor), intervals->items[0]);
	match.is_of_family = product->is_of_family;
	return nft_match_parts(&match, parts) == 0 ? COST_OF_RANGE : COST_OF_ENDS;
}

static unsigned address_cost(const struct product *product, enum factor factor)
{
	enum cost_addresses kind = addresses_kind(product, factor);
	bool is_ipv6 = product->unit->family == FAMILIES_IPV6;
	return product->is_of_family ? cost_compare_place(is_ipv6, kind) : cost_compare(is_ipv6, kind);
}

static unsigned factor_cost(const struct product *product, enum factor factor)
{
	switch (factor) {
	case FACTOR_IN:
	case FACTOR_OUT:
		return COST_COMPARE_NAME;
	case FACTOR_SOURCE:
	case FACTOR_DESTINATION:
		return address_cost(product, factor);
	case FACTOR_SERVICE:
		return COST_PORTS;
	}
	return COST_COMPARE;
}

static unsigned set_cost(const struct lower *lower, const struct unit *unit, enum factor factor)
{
	size_t count = factor_alternatives(lower, unit, factor);
	switch (factor) {
	case FACTOR_IN:
	case FACTOR_OUT:
		return cost_lookup(LOOKUP_NAME, count);
	case FACTOR_SOURCE:
	case FACTOR_DESTINATION:
		return cost_lookup(unit->family == FAMILIES_IPV4 ? LOOKUP_INTERVAL : LOOKUP_INTERVAL6, count);
	case FACTOR_SERVICE:
		return cost_lookup(lower->groups[unit->group].kind == SERVICE_NARROW ? LOOKUP_EXACT
										      : LOOKUP_CONCATENATED,
				   count);
	}
	return COST_COMPARE;
}

/* As emit_entry will write it, nearly: whether its addresses are compared by their places is told by its first
 * rule, since the comments of the others are about as long. */
static struct product product_of(const struct lower *lower, struct entry entry)
{
	static const size_t first[FACTORS] = { 0 };
	struct product product = {
		.unit = &lower->units[entry.unit],
		.needs = entry_needs(lower, entry),
		.is_of_family = is_of_family(lower, &lower->units[entry.unit], entry),
	};
	measure(lower, &product);
	if (product.is_of_family && lower->settings->level != OPTIMISE_FASTEST)
		product.is_of_family = surely_fits(&product, first) || tell_rule(lower->comment, &product, first);
	return product;
}

unsigned emit_match_cost(const struct lower *lower, struct entry entry)
{
	const struct product product = product_of(lower, entry);
	unsigned cost = 0;
	for (enum factor factor = FACTOR_IN; factor <= FACTOR_SERVICE; factor++) {
		unsigned alternatives = (unsigned)product.counts[factor];
		if ((product.needs & factor_needs[factor]) == 0)
			continue;
		bool is_chained = alternatives > 1 && cost != 0;
		if (product.is_set[factor])
			cost += set_cost(lower, product.unit, factor);
		else
			cost += factor_cost(&product, factor) * (alternatives + 1) / 2 +
				(is_chained ? COST_JUMP : 0);
	}
	return cost;
}

/* How many packets of 256 are taken to have what the factor asks: a host has few interfaces, and many
 * addresses to talk to. */
static unsigned factor_odds(const struct unit *unit, enum factor factor)
{
	if (factor_is_complement(unit, factor))
		return 192;
	return factor == FACTOR_IN || factor == FACTOR_OUT ? 85 : 32;
}

/* Is the factor a chain of its own behind the others? As chain_factors decides, nearly. */
static bool is_apart(const struct product *product, enum factor factor, unsigned rules)
{
	size_t count = product->counts[factor];
	return has_outer(product, factor) && count > 1 &&
	       (factor == FACTOR_SERVICE || count >= CHAINED_MIN || rules * count > PRODUCT_MAX);
}

unsigned emit_cost(const struct lower *lower, struct entry entry)
{
	const struct product product = product_of(lower, entry);
	unsigned rules = 1, reach = 256, cost = 0;
	for (enum factor factor = FACTOR_IN; factor <= FACTOR_SERVICE; factor++)
		if ((product.needs & factor_needs[factor]) != 0 && !is_apart(&product, factor, rules))
			rules *= (unsigned)product.counts[factor];
	for (enum factor factor = FACTOR_IN; factor <= FACTOR_SERVICE; factor++) {
		if ((product.needs & factor_needs[factor]) == 0)
			continue;
		unsigned own = product.is_set[factor] ? set_cost(lower, product.unit, factor)
						      : factor_cost(&product, factor);
		unsigned times = is_apart(&product, factor, rules) ? (unsigned)product.counts[factor] : rules;
		cost += own * times * reach / 256;
		reach = reach * factor_odds(product.unit, factor) / 256;
	}
	return cost == 0 ? COST_JUMP + product.unit->tail->cost : cost;
}

unsigned emit_lines(const struct lower *lower, struct entry entry)
{
	struct product product = { .unit = &lower->units[entry.unit], .needs = entry_needs(lower, entry) };
	measure(lower, &product);
	size_t rules = 1, apart = 0;
	for (enum factor factor = FACTOR_IN; factor <= FACTOR_SERVICE; factor++) {
		if ((product.needs & factor_needs[factor]) == 0)
			continue;
		if (!is_apart(&product, factor, (unsigned)rules))
			rules *= product.counts[factor];
		else if (factor != FACTOR_SERVICE || !product.unit->tail->is_verdict)
			apart += product.counts[factor] + CHAIN_LINES;
	}
	return (unsigned)(rules + apart);
}

unsigned emit_fields_asked(const struct lower *lower, const struct entry *list, size_t count)
{
	size_t step = count > ASKED_SAMPLE ? count / ASKED_SAMPLE : 1;
	uint64_t fields = 0, seen = 0;
	for (size_t i = 0; i < count; i += step, seen++) {
		uint32_t needs = entry_needs(lower, list[i]) & ~(uint32_t)NEED_FAMILY;
		fields += (unsigned)__builtin_popcount(needs);
	}
	return (unsigned)(seen == 0 || fields == 0 ? 100 : fields * 100 / seen);
}
