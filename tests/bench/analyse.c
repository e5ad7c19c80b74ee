/* Times the engine over lists of like shape to ClassBench's: building a list's meaning in each order of
 * the fields, which rules never match or could go, and proving two lists equal. Nothing here passes or
 * fails: seconds of CPU time of single runs, for comparing within one run. "-": past the budget.
 *
 *     analyse [RULES...]        default: 1000 10000 (50000: some minutes) */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "analyse/list_compare.h"
#include "analyse/shadow.h"
#include "base/pool.h"
#include "classbench.h"

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_seconds(double begin, bool is_known)
{
	if (is_known)
		printf(" %8.3f", seconds() - begin);
	else
		printf(" %8s", "-");
}

/* Outcomes instead of numbers. */
static struct packet_rule *with_outcomes(void *pool, const struct classbench *list)
{
	struct packet_rule *rules = pool_array(pool, struct packet_rule, list->count);

	for (size_t index = 0; index < list->count; index++) {
		rules[index] = list->rules[index];
		rules[index].number = list->outcomes[index];
	}
	return rules;
}

/* Neighbours of one outcome change places: the same meaning, built otherwise. */
static void swap_neighbours(struct packet_rule *rules, size_t count)
{
	for (size_t index = 1; index < count; index += 2)
		if (rules[index].number == rules[index - 1].number) {
			struct packet_rule kept = rules[index];

			rules[index] = rules[index - 1];
			rules[index - 1] = kept;
		}
}

static void time_builds(void *pool, const struct packet_universe *universe, struct packet_rule *rules,
			size_t count)
{
	for (enum packet_order order = 0; order < PACKET_ORDERS; order++) {
		struct packet_space *space = packet_space_new(pool, universe, order, 0);
		double begin = seconds();

		print_seconds(begin, packet_map_first_match(space, rules, count, 0) != PACKET_MAP_OVER);
		talloc_free(space);
	}
}

static void time_equal(void *pool, const struct packet_universe *universe, struct packet_rule *rules,
		       size_t count)
{
	struct packet_rule *others = pool_array(pool, struct packet_rule, count);
	const struct packet_list one = { rules, count, 0 }, other = { others, count, 0 };
	struct packet_point point;
	double begin;

	for (size_t index = 0; index < count; index++)
		others[index] = rules[index];
	swap_neighbours(others, count);
	begin = seconds();
	print_seconds(begin, packet_lists_compare(pool, universe, &one, &other, 0, &point) == LISTS_EQUAL);
}

/* "*": by covers, not by diagrams. */
static void time_findings(void *pool, const struct packet_universe *universe,
			  const struct classbench *list, bool has_blame, enum shadow_engine engine)
{
	const struct shadow_question question = {
		.universe = universe, .rules = list->rules, .count = list->count,
		.outcomes = list->outcomes, .has_blame = has_blame, .engine = engine,
	};
	double begin = seconds();
	struct shadow_answer *answer = shadow_find(pool, &question);
	size_t removable = 0;

	printf(" %8.3f%s", seconds() - begin, answer->engine == SHADOW_COVERS ? "*" : " ");
	if (!has_blame)
		return;
	for (size_t index = 0; index < answer->findings_count; index++)
		removable += answer->findings[index].kind == RULE_REMOVABLE ||
			     answer->findings[index].kind == RULE_AS_DEFAULT;
	printf(" %6zu %9zu %9zu %6.1f", answer->findings_count - removable, removable,
	       answer->undecided_count, (double)answer->bytes / 1e6);
}

static void time_list(enum classbench_kind kind, enum family family, size_t count)
{
	void *pool = pool_session_new();
	struct classbench_wish wish = { .kind = kind, .family = family, .count = count, .seed = 1 };
	struct classbench list = classbench_list(pool, &wish);
	struct packet_universe *universe = packet_universe_new(pool);
	struct packet_rule *rules = with_outcomes(pool, &list);

	packet_universe_finish(universe);
	printf("%-4s IPv%c %6zu", classbench_name(kind), family == FAMILY_IPV4 ? '4' : '6', count);
	time_builds(pool, universe, rules, count);
	time_equal(pool, universe, rules, count);
	time_findings(pool, universe, &list, false, SHADOW_DIAGRAMS);
	time_findings(pool, universe, &list, false, SHADOW_ANY);
	time_findings(pool, universe, &list, true, SHADOW_ANY);
	printf("\n");
	fflush(stdout);
	talloc_free(pool);
}

int main(int count, char **words)
{
	static char *usual[] = { "", "1000", "10000" };

	if (count < 2) {
		words = usual;
		count = 3;
	}
	printf("list        rules    safe    ports   target    equal   diagrams  findings    +blame   dead"
	       " removable undecided     MB\n");
	for (int index = 1; index < count; index++)
		for (enum classbench_kind kind = 0; kind < CLASSBENCH_KINDS; kind++)
			for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++)
				time_list(kind, family, strtoul(words[index], NULL, 10));
	return 0;
}
