#include "target/nft/walk.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/read_expression.h"
#include "target/nft/walk_lookup.h"
#include "target/nft/walk_path.h"
#include "target/nft/walk_rule.h"

#define LEVELS_MAX 16 /* NFT_JUMP_STACK_SIZE: the kernel takes no more */

enum { NOT_BEGUN, OPEN, DONE };

static uint8_t families_of(uint8_t family)
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

struct walk *walk_new(void *pool, struct walk_space *space, struct walk_leaves *leaves,
		      const struct read_table *table)
{
	struct walk *walk = pool_new(pool, struct walk);
	walk->pool = walk;
	walk->scratch = pool_child(walk, "walk");
	walk->space = space;
	walk->variables = walk_variables_new(space);
	walk->leaves = leaves;
	walk->table = table;
	walk->families = families_of(table->family);
	walk->chains = names_new(walk, false);
	walk->arena = arena_new(walk);
	walk->indices = interned_new(walk, walk->arena);
	walk->decided = interned_new(walk, walk->arena);
	walk->prefix = "";
	if (walk->families == FAMILIES_NONE)
		walk->problem = "a table of a family that is not looked into";
	return walk;
}

void walk_tell_places(struct walk *walk)
{
	walk->tells_places = true;
}

void walk_tell_table(struct walk *walk)
{
	static const char *const families[] = {
		[FAMILIES_IPV4] = "ip", [FAMILIES_IPV6] = "ip6", [FAMILIES_BOTH] = "inet",
	};
	walk->prefix = pool_format(walk, "table %s %s, ",
				   walk->families == FAMILIES_NONE ? "?" : families[walk->families],
				   walk->table->name);
}

void walk_stop_at_chains(struct walk *walk)
{
	walk->stops_at_chains = true;
}

void walk_know_interfaces(struct walk *walk, const struct walk_interface *interfaces, size_t count)
{
	walk->interfaces = interfaces;
	walk->interfaces_count = count;
}

const char *walk_problem(const struct walk *walk)
{
	return walk->problem;
}

/* --- chains ----------------------------------------------------------------------------------------- */

static diagram unsure(struct walk *walk, const char *why, const char *name)
{
	const char *text = pool_format(walk->pool, "%s '%s'", why, name);
	if (walk->problem == NULL)
		walk->problem = text;
	return walk_leaf_of(walk->leaves, WALK_UNSURE, text, walk->leaves->none);
}

static diagram rules_meaning(struct walk *walk, const struct read_chain *chain)
{
	walk->rules_done += chain->rules_count;
	diagram *meanings = pool_array(walk->scratch, diagram, chain->rules_count);
	for (size_t i = 0; i < chain->rules_count; i++) {
		walk->chain = chain; /* the rule before may have gone elsewhere */
		walk->rule = i;
		meanings[i] = walk_rule(walk, &chain->rules[i]);
	}
	diagram meaning = walk_sequence_of(walk, meanings, chain->rules_count);
	talloc_free(meanings);
	return walk_turn(walk, meaning, WALK_RETURN, WALK_FALL);
}

diagram walk_one_rule(struct walk *walk, const struct read_chain *chain, size_t rule)
{
	walk->chain = chain;
	walk->rule = rule;
	return walk_rule(walk, &chain->rules[rule]);
}

static struct walk_chain *chain_of(struct walk *walk, const char *name)
{
	struct walk_chain *known = names_find(walk->chains, name, strlen(name));
	if (known != NULL)
		return known;
	known = pool_new(walk, struct walk_chain);
	known->chain = read_chain_find(walk->table, name);
	names_set(walk->chains, name, strlen(name), known);
	return known;
}

static diagram chain_meaning(struct walk *walk, const char *name)
{
	struct walk_chain *at = chain_of(walk, name);
	if (at->state == DONE)
		return at->meaning;
	if (at->chain == NULL || at->chain->is_base)
		return unsure(walk, "a verdict goes to a chain that is not there:", name);
	if (at->state == OPEN || walk->depth == LEVELS_MAX)
		return unsure(walk, "chains go in a circle or too deep:", name);
	const struct read_chain *from = walk->chain;
	size_t rule = walk->rule, expression = walk->expression;
	*pool_append(walk->pool, walk, made) = at;
	at->state = OPEN;
	walk->depth++;
	at->meaning = rules_meaning(walk, at->chain);
	walk->depth--;
	at->state = DONE;
	walk->chain = from;
	walk->rule = rule;
	walk->expression = expression;
	return at->meaning;
}

diagram walk_verdict_meaning(struct walk *walk, const struct read_data *verdict)
{
	const struct walk_effects *here = walk_effects_here(walk, walk->leaves->none);
	if (walk->stops_at_chains && (verdict->verdict == NFT_JUMP || verdict->verdict == NFT_GOTO))
		return walk_leaf_of(walk->leaves, verdict->verdict == NFT_JUMP ? WALK_JUMP : WALK_GOTO,
				    verdict->chain, here);
	switch (verdict->verdict) {
	case NF_ACCEPT:
		return walk_leaf_of(walk->leaves, WALK_ACCEPT, NULL, here);
	case NF_DROP:
		return walk_leaf_of(walk->leaves, WALK_DROP, NULL, here);
	case NFT_RETURN:
		return walk_leaf_of(walk->leaves, WALK_RETURN, NULL, walk->leaves->none);
	case NFT_CONTINUE:
	case NFT_BREAK:
		return diagram_leaf(0);
	case NFT_JUMP:
		return chain_meaning(walk, verdict->chain);
	case NFT_GOTO: /* what comes back leaves this chain too */
		return walk_turn(walk, chain_meaning(walk, verdict->chain), WALK_FALL, WALK_RETURN);
	}
	return unsure(walk, "an unknown verdict in", walk_place(walk));
}

/* --- pieces of the space ---------------------------------------------------------------------------- */

#define SMALL_RULES 64
#define SMALL_ELEMENTS 64

static bool goes_elsewhere(const struct read_data *verdict)
{
	return verdict != NULL && verdict->is_verdict &&
	       (verdict->verdict == NFT_JUMP || verdict->verdict == NFT_GOTO);
}

static bool is_small_lookup(const struct read_table *table, const struct read_expression *expression)
{
	const char *name = read_string(expression, NFTA_LOOKUP_SET);
	const struct read_set *set = name == NULL ? NULL :
		read_set_of(table, name, (uint32_t)read_number(expression, NFTA_LOOKUP_SET_ID, 0));
	if (set == NULL || set->elements_count > SMALL_ELEMENTS)
		return false;
	for (size_t i = 0; i < set->elements_count; i++)
		if (goes_elsewhere(&set->elements[i].more->value))
			return false;
	return true;
}

static bool is_small_rule(const struct read_table *table, const struct read_rule *rule)
{
	for (size_t i = 0; i < rule->expressions.items_count; i++) {
		const struct read_expression *expression = &rule->expressions.items[i];
		if (expression->kind == READ_LOOKUP && !is_small_lookup(table, expression))
			return false;
		if (expression->kind == READ_IMMEDIATE &&
		    goes_elsewhere(read_data(expression, NFTA_IMMEDIATE_DATA)))
			return false;
	}
	return true;
}

static bool is_small(const struct read_table *table, const struct read_chain *chain)
{
	if (chain->is_base || chain->rules_count > SMALL_RULES)
		return false;
	for (size_t i = 0; i < chain->rules_count; i++)
		if (!is_small_rule(table, &chain->rules[i]))
			return false;
	return true;
}

size_t walk_rules_again(const struct read_table *table)
{
	size_t count = 0;
	for (size_t i = 0; i < table->chains_count; i++)
		if (table->chains[i]->is_base || table->chains[i]->rules_count > SMALL_RULES)
			count += table->chains[i]->rules_count;
	return count;
}

void walk_keep_chains(struct walk *walk, size_t edges_max)
{
	const struct read_table *table = walk->table;
	for (size_t i = 0; i < table->chains_count; i++) {
		if (diagrams_edges(walk->space->diagrams) > edges_max)
			break;
		if (!is_small(table, table->chains[i]))
			continue;
		chain_meaning(walk, table->chains[i]->name);
		chain_of(walk, table->chains[i]->name)->is_kept = walk->problem == NULL;
		walk->problem = NULL; /* it comes again, if anything goes there */
	}
	walk_forget(walk);
}

size_t walk_rules_done(const struct walk *walk)
{
	return walk->rules_done;
}

void walk_forget(struct walk *walk)
{
	for (size_t i = 0; i < walk->made_count; i++)
		if (!walk->made[i]->is_kept)
			walk->made[i]->state = NOT_BEGUN;
	walk->made_count = 0;
	walk->piece++;
}

/* --- hooks ------------------------------------------------------------------------------------------ */

static int compare_priorities(const void *left, const void *right)
{
	const struct read_chain *a = *(const struct read_chain *const *)left;
	const struct read_chain *b = *(const struct read_chain *const *)right;
	return (a->priority > b->priority) - (a->priority < b->priority);
}

static diagram base_meaning(struct walk *walk, const struct read_chain *chain)
{
	diagram meaning = rules_meaning(walk, chain);
	walk->chain = chain;
	walk->rule = chain->rules_count;
	diagram policy = walk_leaf_of(walk->leaves, chain->policy == NF_ACCEPT ? WALK_ACCEPT : WALK_DROP, NULL,
				      walk_effects_here(walk, walk->leaves->none));
	return walk_sequence(walk, meaning, policy);
}

/* Only packets of the table's families come here. */
static diagram of_families(struct walk *walk, diagram meaning)
{
	struct walk_path path;
	if (walk->families == FAMILIES_BOTH)
		return meaning;
	walk_path_begin(walk, &path);
	meaning = walk_path_guard(walk, &path, meaning);
	return walk_sequence(walk, meaning, walk_leaf_of(walk->leaves, WALK_ACCEPT, NULL, walk->leaves->none));
}

diagram walk_hook(struct walk *walk, const char *type, uint32_t hook, int32_t low, int32_t high)
{
	const struct read_chain **chains = pool_array(walk->scratch, const struct read_chain *,
						      walk->table->chains_count);
	size_t count = 0;
	for (size_t i = 0; i < walk->table->chains_count; i++) {
		const struct read_chain *chain = walk->table->chains[i];
		if (chain->is_base && chain->hook == hook && strcmp(chain->type, type) == 0 &&
		    chain->priority >= low && chain->priority <= high)
			chains[count++] = chain;
	}
	if (count > 1)
		qsort(chains, count, sizeof *chains, compare_priorities);
	diagram meaning = walk_leaf_of(walk->leaves, WALK_ACCEPT, NULL, walk->leaves->none);
	for (size_t i = count; i > 0; i--) {
		diagram before = walk_turn(walk, base_meaning(walk, chains[i - 1]), WALK_ACCEPT, WALK_FALL);
		meaning = walk_sequence(walk, before, meaning);
	}
	talloc_free(chains);
	return diagrams_are_over(walk->space->diagrams) ? DIAGRAM_OVER : of_families(walk, meaning);
}
