/* Places of the tables' chains are sorted by priority; each is walked for itself, and what it accepts goes on to
 * the next. */
#include "import/nft_prove.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "import/prove.h"
#include "target/nft/walk/path.h"

struct proving {
	struct prover *prover;
	const struct import_nft_source *source;
	const struct import_nft_tables *tables;
	struct walk **walks; /* one a table */
};

/* --- what the tables do --------------------------------------------------------------------------------- */

struct stage {
	size_t table;
	int32_t priority;
};

static int compare_stages(const void *left, const void *right)
{
	const struct stage *a = left, *b = right;

	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return a->table < b->table ? -1 : a->table > b->table;
}

struct stages {
	struct stage *items;
	size_t items_count, items_capacity;
};

static bool has_stage(const struct stages *stages, size_t table, int32_t priority)
{
	for (size_t index = 0; index < stages->items_count; index++)
		if (stages->items[index].table == table && stages->items[index].priority == priority)
			return true;
	return false;
}

static struct stages stages_of(struct proving *run, const struct prove_place *place)
{
	struct stages stages = { 0 };

	for (size_t table = 0; table < run->tables->items_count; table++) {
		const struct read_table *read = run->tables->items[table];

		for (size_t index = 0; index < read->chains_count; index++) {
			const struct read_chain *chain = read->chains[index];

			if (chain->is_base && chain->hook == place->hook && chain->priority >= place->low &&
			    chain->priority <= place->high && strcmp(chain->type, place->type) == 0 &&
			    !has_stage(&stages, table, chain->priority))
				*pool_append(run->prover->pool, &stages, items) =
					(struct stage){ table, chain->priority };
		}
	}
	if (stages.items_count > 1)
		qsort(stages.items, stages.items_count, sizeof *stages.items, compare_stages);
	return stages;
}

static diagram found_at(void *context, const struct prove_place *place)
{
	struct proving *run = context;
	const struct stages stages = stages_of(run, place);
	diagram meaning = walk_leaf_of(run->prover->leaves, WALK_ACCEPT, NULL, run->prover->leaves->none);

	for (size_t index = stages.items_count; index-- > 0;) {
		const struct stage *stage = &stages.items[index];
		struct walk *walk = run->walks[stage->table];
		diagram here = walk_hook(walk, place->type, place->hook, stage->priority, stage->priority);

		if (here == DIAGRAM_OVER)
			return DIAGRAM_OVER;
		meaning = walk_sequence(walk, walk_turn(walk, here, WALK_ACCEPT, WALK_FALL), meaning);
	}
	return meaning;
}

static const char *problem_of(const void *context)
{
	const struct proving *run = context;

	for (size_t index = 0; index < run->tables->items_count; index++)
		if (walk_problem(run->walks[index]) != NULL)
			return walk_problem(run->walks[index]);
	return NULL;
}

static void begin(void *context, struct prover *prover)
{
	struct proving *run = context;

	run->prover = prover;
	run->walks = pool_array(prover->pool, struct walk *, run->tables->items_count + 1);
	for (size_t index = 0; index < run->tables->items_count; index++) {
		run->walks[index] = walk_new(prover->pool, prover->space, prover->leaves,
					     run->tables->items[index]);
		walk_tell_table(run->walks[index]);
		if (run->source->interfaces_count > 0)
			walk_know_interfaces(run->walks[index], run->source->interfaces,
					     run->source->interfaces_count);
	}
}

struct proof import_nft_prove(void *pool, const struct ruleset *ruleset, const struct import_nft_source *source,
			      const struct import_nft_tables *tables)
{
	struct proving run = { .source = source, .tables = tables };
	const struct import_subject subject = {
		.context = &run, .begin = begin, .found_at = found_at, .problem = problem_of,
		.translates_destinations = tables->translates_destinations,
		.lacks_foreign_icmp = tables->lacks_foreign_icmp, .has_other_logs = tables->has_other_logs,
	};

	return import_prove(pool, ruleset, &subject);
}
