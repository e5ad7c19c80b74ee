/* Dependencies and joins of a rule. The context is what nft keeps while it evaluates a rule: the
 * family and the protocol that single-valued comparisons have fixed. */
#include "target/nft/model/plan.h"

#include <assert.h>
#include <linux/netfilter.h>

#include "net/protocol.h"

#define MATCH_VALUE(of_field, value)                                                              \
	{ .kind = NFT_MATCH, .field = of_field, .operator = NFT_EQUAL, .low.number = value,       \
	  .high.number = value }

static const struct nft_statement checks[] = {
	MATCH_VALUE(NFT_FIELD_NFPROTO, NFPROTO_IPV4),
	MATCH_VALUE(NFT_FIELD_NFPROTO, NFPROTO_IPV6),
	MATCH_VALUE(NFT_FIELD_L4PROTO, IPPROTO_TCP),
	MATCH_VALUE(NFT_FIELD_L4PROTO, IPPROTO_UDP),
	MATCH_VALUE(NFT_FIELD_L4PROTO, IPPROTO_ICMP),
	MATCH_VALUE(NFT_FIELD_L4PROTO, IPPROTO_ICMPV6),
	MATCH_VALUE(NFT_FIELD_L4PROTO, IPPROTO_SCTP),
	MATCH_VALUE(NFT_FIELD_L4PROTO, IPPROTO_DCCP),
	MATCH_VALUE(NFT_FIELD_L4PROTO, IPPROTO_UDPLITE),
};

struct context {
	uint8_t family, protocol; /* 0: not known */
};

/* The checks that a statement needs before it, in nft's order. */
struct needs {
	const struct nft_statement *checks[2 * NFT_KEY_FIELDS_MAX];
	size_t count;
};

static const struct nft_statement *check_find(enum nft_field field, uint8_t value)
{
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
		if (checks[i].field == field && checks[i].low.number == value)
			return &checks[i];
	return NULL;
}

/* Is it a comparison with one value that fixes the family or the protocol? */
static bool is_check(const struct nft_statement *statement)
{
	return statement->kind == NFT_MATCH &&
	       (statement->field == NFT_FIELD_NFPROTO || statement->field == NFT_FIELD_L4PROTO) &&
	       nft_operator_of(statement) == NFT_EQUAL;
}

static void context_learn(struct context *context, const struct nft_statement *statement)
{
	if (!is_check(statement))
		return;
	if (statement->field == NFT_FIELD_NFPROTO)
		context->family = (uint8_t)statement->low.number;
	else
		context->protocol = (uint8_t)statement->low.number;
}

static void need(struct needs *needs, struct context *context, enum nft_field field, uint8_t value)
{
	const struct nft_statement *check = check_find(field, value);
	if (check == NULL)
		return;
	needs->checks[needs->count++] = check;
	context_learn(context, check);
}

static void need_for_field(struct needs *needs, struct context *context, enum nft_field field,
			   const struct nft_statement *statement)
{
	const struct nft_field_row *row = nft_field_row(field);
	uint8_t protocol = row->is_port ? statement->protocol : row->protocol;
	/* a header that the protocol places is not looked for below it: payload.c,
	 * payload_gen_dependency */
	if (protocol != 0 && context->protocol == protocol)
		return;
	if (row->family != 0 && context->family != row->family && !statement->is_of_family)
		need(needs, context, NFT_FIELD_NFPROTO, row->family);
	if (protocol != 0)
		need(needs, context, NFT_FIELD_L4PROTO, protocol);
}

/* Parts of a header by their places name no family: the text says the check itself, where there is one. */
static bool is_text_silent(const struct nft_statement *statement)
{
	return (statement->kind == NFT_VMAP || statement->kind == NFT_CONCAT_MATCH) &&
	       statement->set->leading[0] != 0;
}

static struct needs needs_of(const struct nft_statement *statement, struct context context)
{
	struct needs needs = { .count = 0 };
	if (statement->kind == NFT_MATCH)
		need_for_field(&needs, &context, statement->field, statement);
	if (statement->kind == NFT_VMAP || statement->kind == NFT_CONCAT_MATCH)
		for (size_t i = 0; i < statement->fields_count; i++)
			need_for_field(&needs, &context, statement->fields[i], statement);
	if (statement->kind == NFT_SOURCE_LIMIT)
		need_for_field(&needs, &context,
			       statement->family == FAMILY_IPV4 ? NFT_FIELD_IP_SADDR : NFT_FIELD_IP6_SADDR,
			       statement);
	return needs;
}

static void add_step(struct nft_plan *plan, const struct nft_statement *statement, bool is_implied)
{
	assert(plan->steps_count < NFT_PLAN_MAX);
	plan->steps[plan->steps_count++] = (struct nft_step){ .statement = statement, .is_implied = is_implied };
}

/* --- joins ---------------------------------------------------------------------------------- */

/* The other half of what nft loads in one: destination port after source port, code after type. */
static bool is_first_half(enum nft_field field, enum nft_field *second)
{
	switch ((int)field) {
	case NFT_FIELD_TH_SPORT:
		*second = NFT_FIELD_TH_DPORT;
		return true;
	case NFT_FIELD_ICMP_TYPE:
		*second = NFT_FIELD_ICMP_CODE;
		return true;
	case NFT_FIELD_ICMPV6_TYPE:
		*second = NFT_FIELD_ICMPV6_CODE;
		return true;
	}
	return false;
}

static bool is_equality(const struct nft_statement *statement, enum nft_field field)
{
	return statement->kind == NFT_MATCH && statement->field == field &&
	       nft_operator_of(statement) == NFT_EQUAL;
}

static size_t find_equality(const struct nft_statement *const *order, size_t count, enum nft_field field)
{
	for (size_t i = 0; i < count; i++)
		if (is_equality(order[i], field))
			return i;
	return count;
}

/* Moves the item at from to the place to, the others keep their order. */
static void move(const struct nft_statement **order, size_t from, size_t to)
{
	const struct nft_statement *moved = order[from];
	for (; from < to; from++)
		order[from] = order[from + 1];
	for (; from > to; from--)
		order[from] = order[from - 1];
	order[to] = moved;
}

/* Brings the halves together, where the first one stands: there nft puts them. */
static void bring_together(const struct nft_statement **order, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enum nft_field second_field;
		if (order[i]->kind != NFT_MATCH || !is_first_half(order[i]->field, &second_field) ||
		    nft_operator_of(order[i]) != NFT_EQUAL)
			continue;
		size_t second = find_equality(order, count, second_field);
		if (second == count || second == i + 1)
			continue;
		move(order, second, second < i ? i : i + 1);
		return;
	}
}

static void mark_joins(struct nft_plan *plan)
{
	for (size_t i = 0; i + 1 < plan->steps_count; i++) {
		const struct nft_statement *first = plan->steps[i].statement;
		enum nft_field second;
		plan->steps[i].is_joined = first->kind == NFT_MATCH &&
					   nft_operator_of(first) == NFT_EQUAL &&
					   is_first_half(first->field, &second) &&
					   is_equality(plan->steps[i + 1].statement, second);
	}
}

/* --- dependencies ---------------------------------------------------------------------------- */

static bool is_same_check(const struct nft_statement *a, const struct nft_statement *b)
{
	return a->field == b->field && a->low.number == b->low.number;
}

/* Marks the checks right before the last step that its text implies. contexts[i] is what was
 * known before step i. */
static void mark_implied(struct nft_plan *plan, const struct context *contexts)
{
	size_t last = plan->steps_count - 1;
	if (is_text_silent(plan->steps[last].statement))
		return;
	for (size_t back = last < 2 ? last : 2; back > 0; back--) {
		const struct nft_step *steps = &plan->steps[last - back];
		struct needs needs = needs_of(steps[back].statement, contexts[last - back]);
		bool is_same = needs.count == back;
		for (size_t i = 0; is_same && i < back; i++)
			is_same = is_check(steps[i].statement) &&
				  is_same_check(steps[i].statement, needs.checks[i]);
		if (!is_same)
			continue;
		for (size_t i = 0; i < back; i++)
			plan->steps[last - back + i].is_implied = true;
		return;
	}
}

static bool resets_tcp(const struct nft_statement *statement)
{
	return statement->kind == NFT_REJECT && statement->reject == NFT_REJECT_TCP_RESET;
}

/* Does the rule reset connections without having checked that there are any? */
static bool lacks_tcp(const struct nft_statement *const *order, size_t count)
{
	struct context context = { 0 };
	size_t end = 0;
	while (end < count && !resets_tcp(order[end]))
		end++;
	if (end == count) /* nearly all */
		return false;
	for (size_t i = 0; i < count; i++) {
		if (resets_tcp(order[i]))
			return context.protocol != IPPROTO_TCP;
		struct needs needs = needs_of(order[i], context);
		for (size_t k = 0; k < needs.count; k++)
			context_learn(&context, needs.checks[k]);
		context_learn(&context, order[i]);
	}
	return false;
}

static void add_with_needs(struct nft_plan *plan, struct context *contexts, struct context *context,
			   const struct nft_statement *statement)
{
	struct needs needs = needs_of(statement, *context);
	for (size_t i = 0; i < needs.count; i++) {
		contexts[plan->steps_count] = *context;
		add_step(plan, needs.checks[i], !is_text_silent(statement));
		context_learn(context, needs.checks[i]);
	}
	contexts[plan->steps_count] = *context;
	add_step(plan, statement, false);
	context_learn(context, statement);
	if (needs.count == 0)
		mark_implied(plan, contexts);
}

/* An address that is compared part by part; of such no family is asked. */
struct in_parts {
	const struct nft_statement *statement;
	struct nft_part parts[NFT_PARTS_MAX];
	size_t count;
};

static void add_whole(struct nft_plan *plan, struct context *contexts, const struct context *context,
		      const struct nft_statement *statement)
{
	contexts[plan->steps_count] = *context;
	add_step(plan, statement, false);
}

static void add_parts(struct nft_plan *plan, struct context *contexts, const struct context *context,
		      const struct in_parts *address, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		add_whole(plan, contexts, context, address->statement);
		plan->steps[plan->steps_count - 1].part = address->parts[i];
	}
}

/* One, or two that follow each other, if they are compared so: how many. */
static size_t add_in_parts(struct nft_plan *plan, struct context *contexts, const struct context *context,
			   const struct nft_statement *const *order, size_t count)
{
	struct in_parts addresses[2];
	size_t taken = 0;
	for (; taken < 2 && taken < count; taken++) {
		addresses[taken].statement = order[taken];
		addresses[taken].count = nft_match_parts(order[taken], addresses[taken].parts);
		if (addresses[taken].count == 0)
			break;
	}
	for (size_t i = 0; i < taken; i++)
		add_parts(plan, contexts, context, &addresses[i], 0, 1);
	for (size_t i = 0; i < taken; i++) {
		add_parts(plan, contexts, context, &addresses[i], 1, addresses[i].count);
		if (nft_operator_of(order[i]) == NFT_RANGE)
			add_whole(plan, contexts, context, order[i]);
	}
	return taken;
}

void nft_plan_rule(struct nft_plan *plan, const struct nft_rule *rule)
{
	const struct nft_statement *order[NFT_RULE_STATEMENTS_MAX];
	struct context contexts[NFT_PLAN_MAX];
	struct context context = { 0 };
	assert(rule->statements_count <= NFT_RULE_STATEMENTS_MAX);
	for (size_t i = 0; i < rule->statements_count; i++)
		order[i] = &rule->statements[i];
	bring_together(order, rule->statements_count);
	plan->steps_count = 0;
	if (lacks_tcp(order, rule->statements_count)) {
		contexts[0] = context;
		add_step(plan, check_find(NFT_FIELD_L4PROTO, IPPROTO_TCP), true);
		context_learn(&context, plan->steps[0].statement);
	}
	for (size_t i = 0; i < rule->statements_count;) {
		size_t taken = add_in_parts(plan, contexts, &context, order + i, rule->statements_count - i);
		if (taken == 0)
			add_with_needs(plan, contexts, &context, order[i++]);
		i += taken;
	}
	mark_joins(plan);
}
