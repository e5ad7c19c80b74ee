/* The recursion is as deep as chains jump, which is bounded; so is the work. */
#include "import/unfold.h"

#include <string.h>

#include "base/pool.h"

#define DEPTH_MOST 64
#define VISITS_MOST 1000000u
#define PRUNED_MOST 1000u
#define PRUNED_EDGES_MOST 1000000u /* a quarter of the space's */

struct unfolding {
	struct import_space *space;
	struct diags *diags;
	const struct save_table *table;
	struct import_list *list;
	import_set undecided;
	unsigned lacks;        /* IMPORT_LACKS_* */
	struct names *matches; /* of a rule, by its address: read once, so that unknowns are the same */
	size_t visits;
	unsigned depth;
	bool has_failed;
};

static void fail(struct unfolding *run, struct span span, const char *what)
{
	if (!run->has_failed)
		diag_add(run->diags, CODE_IPTABLES_LARGE, span, "%s", what);
	run->has_failed = true;
}

static const struct import_match *match_of(struct unfolding *run, const struct save_rule *rule)
{
	struct import_match *match = names_find(run->matches, (const char *)&rule, sizeof rule);

	if (match != NULL)
		return match;
	match = pool_new(run->space->pool, struct import_match);
	if (!import_match_read(run->space, run->diags, rule, run->lacks, match))
		match->set = import_none();
	names_set(run->matches, (const char *)&rule, sizeof rule, match);
	return match;
}

static const char *option_of(const struct import_match *match, const char *option)
{
	for (size_t index = 0; index + 1 < match->options_count; index++)
		if (strcmp(match->options[index].text, option) == 0)
			return match->options[index + 1].text;
	return NULL;
}

static enum import_action action_of(const char *target)
{
	static const struct {
		const char *name;
		enum import_action action;
	} actions[] = {
		{ "ACCEPT", IMPORT_ACCEPT }, { "DROP", IMPORT_DROP }, { "LOG", IMPORT_LOG },
		{ "NFLOG", IMPORT_LOG }, { "REJECT", IMPORT_REJECT },
	};

	for (size_t index = 0; index < sizeof actions / sizeof actions[0]; index++)
		if (strcmp(actions[index].name, target) == 0)
			return actions[index].action;
	return IMPORT_OTHER;
}

/* Packets that the entry surely decides are no later one's. */
static void add_entry(struct unfolding *run, const struct save_rule *rule, const struct import_match *match,
		      import_set set)
{
	struct import_entry entry = { .set = set, .rule = rule, .match = *match };

	entry.action = action_of(match->target->text);
	entry.meets_established = !import_is_none(import_of_state(run->space, import_intersect(
		run->space, set, run->undecided), IMPORT_ESTABLISHED));
	entry.answer = option_of(match, "--reject-with");
	entry.prefix = option_of(match, strcmp(match->target->text, "NFLOG") == 0 ? "--nflog-prefix" :
				 "--log-prefix");
	if (entry.action != IMPORT_LOG && entry.action != IMPORT_OTHER && match->limit == NULL &&
	    import_is_pruned(run->space, run->list->items_count))
		run->undecided = import_subtract(run->space, run->undecided, set);
	*pool_append(run->space->pool, run->list, items) = entry;
}

static void walk(struct unfolding *run, const struct save_chain *chain, import_set alive);

/* What of the packets at a rule goes on in its chain. */
static import_set step(struct unfolding *run, const struct save_rule *rule, import_set alive)
{
	const struct import_match *match = match_of(run, rule);
	import_set set = import_intersect(run->space, match->set, alive);
	const struct save_chain *chain;
	bool is_return;

	if (match->target == NULL ||
	    import_is_none(import_intersect(run->space, set, run->undecided)))
		return alive;
	chain = save_chain_find(run->table, match->target->text);
	is_return = strcmp(match->target->text, "RETURN") == 0;
	if ((chain != NULL || is_return) && match->limit != NULL)
		set = import_intersect(run->space, set, import_unknown(run->space, match->limit->span, NULL));
	if (chain != NULL)
		walk(run, chain, set);
	else if (!is_return)
		add_entry(run, rule, match, set);
	return is_return || match->is_goto ? import_subtract(run->space, alive, set) : alive;
}

static void walk(struct unfolding *run, const struct save_chain *chain, import_set alive)
{
	if (run->depth == DEPTH_MOST) {
		fail(run, chain->span, "chains jump to each other in a circle, or more than 64 deep");
		return;
	}
	run->depth++;
	for (size_t index = 0; index < chain->rules_count && !run->has_failed; index++) {
		if (import_is_none(alive))
			break;
		if (++run->visits > VISITS_MOST)
			fail(run, chain->span, "chains that jump to each other make more than a million rules");
		alive = step(run, &chain->rules[index], alive);
		if (import_space_is_over(run->space))
			fail(run, chain->rules[index].span, "up to here the rules need more memory than is "
			     "given to them");
	}
	run->depth--;
}

bool import_is_pruned(const struct import_space *space, size_t entries)
{
	return entries < PRUNED_MOST && diagrams_edges(space->diagrams) < PRUNED_EDGES_MOST;
}

static unsigned lacks_of(const char *chain)
{
	static const struct {
		const char *chain;
		unsigned lacks;
	} rows[] = {
		{ "INPUT", IMPORT_LACKS_OUT }, { "OUTPUT", IMPORT_LACKS_IN }, { "PREROUTING", IMPORT_LACKS_OUT },
	};

	for (size_t index = 0; index < sizeof rows / sizeof rows[0]; index++)
		if (strcmp(rows[index].chain, chain) == 0)
			return rows[index].lacks;
	return 0;
}

bool import_unfold(struct import_space *space, struct diags *diags, const struct save_table *table,
		   const char *name, struct import_list *list)
{
	const struct save_chain *chain = save_chain_find(table, name);
	const size_t errors = diags->error_count;
	struct unfolding run = {
		.space = space,
		.diags = diags,
		.table = table,
		.list = list,
		.undecided = import_all(),
		.lacks = lacks_of(name),
		.matches = names_new(space->pool, false),
	};

	*list = (struct import_list){ .is_accepting = true, .span = table->span };
	if (chain == NULL)
		return true;
	list->is_accepting = chain->policy == SAVE_POLICY_ACCEPT;
	list->span = chain->span;
	walk(&run, chain, import_all());
	return diags->error_count == errors;
}
