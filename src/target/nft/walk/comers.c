#include "target/nft/walk/comers.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "base/interned.h"
#include "base/pool.h"
#include "target/nft/read/expression.h"

struct comers {
	struct walk *walk;
	struct interned *to_sets; /* by a set's address: families whose packets are known to look it up */
	/* chains that packets of more families come to than was known */
	struct walk_chain **items;
	size_t items_count, items_capacity;
};

uint8_t walk_families_of(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return FAMILIES_IPV4;
	case NFPROTO_IPV6:
		return FAMILIES_IPV6;
	case NFPROTO_INET:
		return FAMILIES_BOTH;
	}
	return FAMILIES_NONE;
}

/* The families whose packets pass a rule's first two expressions: where they ask for the family. */
static uint8_t families_asked(const struct read_rule *rule)
{
	const struct read_expression *items = rule->expressions.items;
	if (rule->expressions.items_count < 2 || items[0].kind != READ_META || items[1].kind != READ_CMP)
		return FAMILIES_BOTH;
	const struct read_data *value = read_data(&items[1], NFTA_CMP_DATA);
	uint64_t loaded = read_number(&items[0], NFTA_META_DREG, 0);
	bool is_family = read_number(&items[0], NFTA_META_KEY, UINT64_MAX) == NFT_META_NFPROTO &&
			 !read_has(&items[0], NFTA_META_SREG) && loaded != NFT_REG_VERDICT &&
			 read_number(&items[1], NFTA_CMP_SREG, UINT64_MAX) == loaded &&
			 read_number(&items[1], NFTA_CMP_OP, UINT64_MAX) == NFT_CMP_EQ &&
			 value != NULL && !value->is_verdict && value->length == 1;
	return !is_family ? FAMILIES_BOTH
		: value->bytes[0] == NFPROTO_IPV4 ? FAMILIES_IPV4
		: value->bytes[0] == NFPROTO_IPV6 ? FAMILIES_IPV6 : FAMILIES_BOTH;
}

uint8_t walk_families_taken(const struct read_rule *rule)
{
	const uint8_t asked = families_asked(rule);
	if (asked == FAMILIES_BOTH || rule->expressions.items_count != 3 ||
	    rule->expressions.items[2].kind != READ_IMMEDIATE)
		return FAMILIES_NONE;
	const struct read_expression *last = &rule->expressions.items[2];
	const struct read_data *verdict = read_data(last, NFTA_IMMEDIATE_DATA);
	bool is_final = verdict != NULL && verdict->is_verdict &&
			read_number(last, NFTA_IMMEDIATE_DREG, UINT64_MAX) == NFT_REG_VERDICT &&
			(verdict->verdict == NF_ACCEPT || verdict->verdict == NF_DROP ||
			 verdict->verdict == NFT_GOTO);
	return is_final ? asked : FAMILIES_NONE;
}

/* --- along verdicts --------------------------------------------------------------------------------- */

static void come(struct comers *comers, struct walk_chain *chain, uint8_t families)
{
	if (chain->chain == NULL || (families & ~chain->comers) == 0)
		return;
	chain->comers |= families;
	*pool_append(comers->walk->scratch, comers, items) = chain;
}

static void come_by_verdict(struct comers *comers, const struct read_data *data, uint8_t families)
{
	if (data != NULL && data->is_verdict && (data->verdict == NFT_JUMP || data->verdict == NFT_GOTO))
		come(comers, walk_chain_of(comers->walk, data), families);
}

static void come_by_set(struct comers *comers, const struct read_expression *lookup, uint8_t families)
{
	const char *name = read_string(lookup, NFTA_LOOKUP_SET);
	uint32_t id = (uint32_t)read_number(lookup, NFTA_LOOKUP_SET_ID, 0);
	const struct read_set *set = name == NULL ? NULL : read_set_of(comers->walk->table, name, id);
	if (set == NULL)
		return; /* the walk says so */
	void **slot = interned_slot(comers->to_sets, &set, sizeof set);
	uintptr_t known = (uintptr_t)*slot;
	if ((families & ~known) == 0)
		return;
	*slot = (void *)(known | families);
	for (size_t i = 0; i < set->elements_count; i++)
		come_by_verdict(comers, &read_element_more(set, &set->elements[i])->value, families);
}

static void come_by_rule(struct comers *comers, const struct read_rule *rule, uint8_t families)
{
	families &= families_asked(rule);
	for (size_t i = 0; i < rule->expressions.items_count; i++) {
		const struct read_expression *expression = &rule->expressions.items[i];
		if (expression->kind == READ_IMMEDIATE)
			come_by_verdict(comers, read_data(expression, NFTA_IMMEDIATE_DATA), families);
		else if (expression->kind == READ_LOOKUP)
			come_by_set(comers, expression, families);
	}
}

static void come_by_chain(struct comers *comers, const struct walk_chain *chain)
{
	uint8_t families = chain->comers;
	for (size_t i = 0; i < chain->chain->rules_count && families != FAMILIES_NONE; i++) {
		come_by_rule(comers, &chain->chain->rules[i], families);
		families &= (uint8_t)~walk_families_taken(&chain->chain->rules[i]);
	}
}

void walk_comers_find(struct walk *walk)
{
	void *pool = pool_child(walk->scratch, "comers");
	struct comers comers = { .walk = walk, .to_sets = interned_new(pool, arena_new(pool)) };
	for (size_t i = 0; i < walk->table->chains_count; i++)
		if (walk->table->chains[i]->is_base)
			come(&comers, walk_chain_called(walk, walk->table->chains[i]->name),
			     walk_families_of(walk->table->family));
	while (comers.items_count != 0)
		come_by_chain(&comers, comers.items[--comers.items_count]);
	talloc_free(comers.items);
	talloc_free(pool);
}
