#include "target/nft/walk/walk.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/read/expression.h"
#include "target/nft/walk/comers.h"
#include "target/nft/walk/lookup.h"
#include "target/nft/walk/path.h"
#include "target/nft/walk/rule.h"

#define LEVELS_MAX 16 /* NFT_JUMP_STACK_SIZE: the kernel takes no more */

enum { NOT_BEGUN, OPEN, DONE };

static const struct walk_interface loopback = { WALK_LOOPBACK_INDEX, WALK_LOOPBACK_NAME };

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
	walk->families = walk_families_of(table->family);
	walk->chains = names_new(walk, false);
	walk->arena = arena_new(walk);
	walk->indices = interned_new(walk, walk->arena);
	walk->decided = interned_new(walk, walk->arena);
	walk->protocols_asked = interned_new(walk, walk->arena);
	walk->by_verdict = interned_new(walk, walk->arena);
	walk->interfaces = &loopback;
	walk->interfaces_count = 1;
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

/* How its rules begin, once for all pieces and all that come to them. */
static void begin_chain(struct walk *walk, struct walk_chain *at)
{
	const uint8_t families = walk->families;
	if (!walk->knows_comers)
		walk_comers_find(walk);
	walk->knows_comers = true;
	at->comers |= families;
	walk->families = at->comers;
	at->starts = arena_array(walk->arena, struct walk_start, at->chain->rules_count);
	at->reach = walk_start_nothing;
	walk->chain = at->chain;
	for (size_t i = 0; i < at->chain->rules_count; i++) {
		walk->rule = i;
		walk_rule_start(walk, &at->chain->rules[i], &at->starts[i]);
		walk_start_widen(walk, &at->starts[i], &at->reach);
	}
	walk->families = families;
}

static void begin_if_needed(struct walk *walk, struct walk_chain *at)
{
	if (at->starts == NULL || (walk->families & ~at->comers) != 0)
		begin_chain(walk, at);
}

const struct walk_piece *walk_chain_reach(struct walk *walk, const struct read_data *verdict)
{
	struct walk_chain *at = walk_chain_of(walk, verdict);
	const struct read_chain *from = walk->chain;
	size_t rule = walk->rule, expression = walk->expression;
	if (at->chain == NULL || at->chain->is_base)
		return NULL;
	begin_if_needed(walk, at);
	walk->chain = from;
	walk->rule = rule;
	walk->expression = expression;
	return &at->reach;
}

static bool reaches_piece(const struct walk *walk, const struct walk_chain *at)
{
	for (size_t cut = 0; cut < WALK_CUTS; cut++) {
		const struct interval *row = &walk->space->piece.rows[cut], *reach = &at->reach.rows[cut];
		if (reach->low > row->high || reach->high < row->low)
			return false;
	}
	return true;
}

static diagram rules_meaning(struct walk *walk, struct walk_chain *at)
{
	const struct read_chain *chain = at->chain;
	const uint8_t families = walk->families;
	bool is_part = walk->space->is_part;
	size_t count = 0;
	if (is_part)
		begin_if_needed(walk, at);
	if (is_part && !reaches_piece(walk, at))
		return diagram_leaf(0);
	const bool outer_may_return = walk->may_return;
	walk->may_return = false;
	diagram *meanings = pool_array(walk->scratch, diagram, chain->rules_count);
	for (size_t i = 0; i < chain->rules_count && walk->families != FAMILIES_NONE; i++) {
		const struct walk_start *start = is_part ? &at->starts[i] : NULL;
		if (start == NULL || walk_start_meets(walk, start)) {
			walk->chain = chain; /* the rule before may have gone elsewhere */
			walk->rule = i;
			walk->rules_done++;
			meanings[count++] = walk_rule(walk, &chain->rules[i], start);
		}
		walk->families &= (uint8_t)~walk_families_taken(&chain->rules[i]);
	}
	walk->families = families;
	diagram meaning = walk_sequence_of(walk, meanings, count);
	talloc_free(meanings);
	if (walk->may_return)
		meaning = walk_turn(walk, meaning, WALK_RETURN, WALK_FALL);
	walk->may_return = outer_may_return;
	return meaning;
}

diagram walk_one_rule(struct walk *walk, const struct read_chain *chain, size_t rule)
{
	walk->chain = chain;
	walk->rule = rule;
	return walk_rule(walk, &chain->rules[rule], NULL);
}

struct walk_chain *walk_chain_called(struct walk *walk, const char *name)
{
	struct walk_chain *known = names_find(walk->chains, name, strlen(name));
	if (known != NULL)
		return known;
	known = pool_new(walk, struct walk_chain);
	known->chain = read_chain_find(walk->table, name);
	names_set(walk->chains, name, strlen(name), known);
	return known;
}

struct walk_chain *walk_chain_of(struct walk *walk, const struct read_data *verdict)
{
	void **slot = interned_slot(walk->by_verdict, &verdict, sizeof verdict);
	if (*slot == NULL)
		*slot = walk_chain_called(walk, verdict->chain);
	return *slot;
}

/* Worked out for the packets that come to it, as rows and families tell; where others have come to it in one piece,
 * for all that may, in this one and in the next. */
static void work_out(struct walk *walk, struct walk_chain *at, const struct walk_piece *rows, uint8_t families)
{
	const uint8_t outer_families = walk->families;
	const struct read_chain *from = walk->chain;
	const struct walk_piece outer = walk->space->piece;
	size_t rule = walk->rule, expression = walk->expression;
	at->is_shared = at->is_shared || at->state == DONE;
	at->rows = at->is_shared ? walk->space->taken : *rows;
	at->families = at->is_shared ? at->comers | families : families;
	walk->families = at->families;
	if (walk->space->is_part)
		walk_space_narrow(walk->space, &at->rows);
	*pool_append(walk->pool, walk, made) = at;
	at->state = OPEN;
	walk->depth++;
	at->meaning = rules_meaning(walk, at);
	walk->depth--;
	at->state = DONE;
	if (walk->space->is_part)
		walk_space_narrow(walk->space, &outer);
	walk->families = outer_families;
	walk->chain = from;
	walk->rule = rule;
	walk->expression = expression;
}

bool walk_is_last_rule(const struct walk *walk)
{
	return walk->rule + 1 == walk->chain->rules_count;
}

static diagram chain_meaning(struct walk *walk, const struct read_data *verdict, const struct walk_piece *rows,
			     uint8_t families)
{
	struct walk_chain *at = walk_chain_of(walk, verdict);
	if (at->state == DONE && (families & ~at->families) == 0 &&
	    (!walk->space->is_part || walk_piece_includes(&at->rows, rows)))
		return at->meaning;
	if (at->chain == NULL || at->chain->is_base)
		return unsure(walk, "a verdict goes to a chain that is not there:", verdict->chain);
	if (at->state == OPEN || walk->depth == LEVELS_MAX)
		return unsure(walk, "chains go in a circle or too deep:", verdict->chain);
	work_out(walk, at, rows, families);
	return at->meaning;
}

/* What comes back leaves this chain too: at its last rule it does so anyway. */
static diagram goto_meaning(struct walk *walk, const struct read_data *verdict, const struct walk_piece *rows,
			    uint8_t families)
{
	const bool is_last = walk_is_last_rule(walk);
	diagram meaning = chain_meaning(walk, verdict, rows, families);
	if (is_last)
		return meaning;
	walk->may_return = true;
	return walk_turn(walk, meaning, WALK_FALL, WALK_RETURN);
}

diagram walk_verdict_meaning(struct walk *walk, const struct read_data *verdict, const struct walk_piece *rows,
			     uint8_t families)
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
		walk->may_return = true;
		return walk_leaf_of(walk->leaves, WALK_RETURN, NULL, walk->leaves->none);
	case NFT_CONTINUE:
	case NFT_BREAK:
		return diagram_leaf(0);
	case NFT_JUMP:
		return chain_meaning(walk, verdict, rows, families);
	case NFT_GOTO:
		return goto_meaning(walk, verdict, rows, families);
	}
	return unsure(walk, "an unknown verdict in", walk_place(walk));
}

/* --- pieces of the space ---------------------------------------------------------------------------- */

size_t walk_rules_done(const struct walk *walk)
{
	return walk->rules_done;
}

void walk_forget(struct walk *walk)
{
	for (size_t i = 0; i < walk->made_count; i++)
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
	diagram meaning = rules_meaning(walk, walk_chain_called(walk, chain->name));
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
	diagram meaning = count != 0 ? base_meaning(walk, chains[count - 1])
				     : walk_leaf_of(walk->leaves, WALK_ACCEPT, NULL, walk->leaves->none);
	for (size_t i = count != 0 ? count - 1 : 0; i > 0; i--) {
		diagram before = walk_turn(walk, base_meaning(walk, chains[i - 1]), WALK_ACCEPT, WALK_FALL);
		meaning = walk_sequence(walk, before, meaning);
	}
	talloc_free(chains);
	return diagrams_are_over(walk->space->diagrams) ? DIAGRAM_OVER : of_families(walk, meaning);
}
