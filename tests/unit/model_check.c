/* A walk over a table that looks for what the kernel, nft's text or libnftnl would not take.
 * Chains stand before those that go to them, so one pass from the front gives every depth. */
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/pool.h"
#include "model_eval.h"

#define LEVELS_MAX 15 /* of the kernel's 16 a load beside an older table takes one */
#define SETS_MAX 2000
#define COMMENT_MAX 127
#define NAME_MAX_LENGTH 127
#define INTERFACE_MAX 15

struct check {
	void *pool;
	const struct nft_table *table;
	struct names *chains; /* name -> struct known_chain */
	struct names *sets, *objects;
	const char *problem;
};

struct known_chain {
	unsigned levels;
};

static void fail(struct check *check, const char *what, const char *name)
{
	if (check->problem == NULL)
		check->problem = pool_format(check->pool, "%s: %s", name, what);
}

static bool is_good_name(const char *name)
{
	if (name[0] == '\0' || strlen(name) > NAME_MAX_LENGTH || (name[0] >= '0' && name[0] <= '9'))
		return false;
	for (const char *at = name; *at != '\0'; at++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-",
			   *at) == NULL)
			return false;
	return true;
}

static void check_new_name(struct check *check, struct names *names, const char *name, void *value)
{
	if (!is_good_name(name))
		fail(check, "not a name for nft", name);
	if (names_set(names, name, strlen(name), value) != NULL)
		fail(check, "made twice", name);
}

static void check_comment(struct check *check, const char *comment, const char *where)
{
	if (comment != NULL && strlen(comment) > COMMENT_MAX)
		fail(check, "its comment is too long", where);
}

/* --- sets --------------------------------------------------------------------------------- */

static const struct nft_set *compared_set; /* qsort has no context; the tests have one thread */

static bool is_name(enum nft_field field)
{
	return field == NFT_FIELD_IIFNAME || field == NFT_FIELD_OIFNAME;
}

static int compare_elements(const void *left, const void *right)
{
	const size_t count = compared_set->fields_count;
	for (size_t i = 0; i < count; i++) {
		const struct nft_value a = nft_element_low(compared_set, left, i);
		const struct nft_value b = nft_element_low(compared_set, right, i);
		int order = 0;
		if (is_name(compared_set->fields[i]))
			order = strcmp(a.name, b.name);
		else if (a.number != b.number)
			order = a.number < b.number ? -1 : 1;
		if (order != 0)
			return order;
	}
	return 0;
}

static bool elements_meet(const struct nft_set *set, const struct nft_element *a, const struct nft_element *b)
{
	for (size_t i = 0; i < set->fields_count; i++) {
		const struct nft_value a_low = nft_element_low(set, a, i), a_high = nft_element_high(set, a, i);
		const struct nft_value b_low = nft_element_low(set, b, i), b_high = nft_element_high(set, b, i);
		if (is_name(set->fields[i])) {
			if (strcmp(a_high.name, b_low.name) != 0)
				return false;
		} else if (a_high.number < b_low.number || b_high.number < a_low.number) {
			return false;
		}
	}
	return true;
}

/* Can an element behind this one in the order begin inside it? */
static bool may_reach(const struct nft_set *set, const struct nft_element *a, const struct nft_element *b)
{
	if (is_name(set->fields[0]))
		return elements_meet(set, a, b);
	return nft_element_low(set, b, 0).number <= nft_element_high(set, a, 0).number;
}

static void check_disjoint(struct check *check, const struct nft_set *set)
{
	if (set->elements_count < 2)
		return;
	size_t size = set->elements_count * sizeof *set->elements;
	struct nft_element *sorted = pool_bytes(check->pool, size);
	memcpy(sorted, set->elements, size);
	compared_set = set;
	qsort(sorted, set->elements_count, sizeof *sorted, compare_elements);
	for (size_t i = 0; i < set->elements_count; i++)
		for (size_t k = i + 1; k < set->elements_count && may_reach(set, &sorted[i], &sorted[k]); k++)
			if (elements_meet(set, &sorted[i], &sorted[k]))
				fail(check, "two elements overlap", set->name);
	talloc_free(sorted);
}

static void check_element(struct check *check, const struct nft_set *set,
			  const struct nft_element *element)
{
	bool is_range = false;
	for (size_t i = 0; i < set->fields_count; i++) {
		const struct nft_value low = nft_element_low(set, element, i);
		const struct nft_value high = nft_element_high(set, element, i);
		if (is_name(set->fields[i])) {
			if (strlen(low.name) > INTERFACE_MAX)
				fail(check, "a name is too long", set->name);
			continue;
		}
		if (low.number > high.number)
			fail(check, "a range is backwards", set->name);
		is_range = is_range || low.number != high.number;
	}
	if (is_range && !set->is_interval)
		fail(check, "a range in an exact set", set->name);
	check_comment(check, element->comment, set->name);
	if (!set->is_verdict_map)
		return;
	bool goes = element->verdict == NFT_JUMP || element->verdict == NFT_GOTO;
	if (goes != (element->chain != NULL))
		fail(check, "a verdict with or without a chain", set->name);
}

static void check_set(struct check *check, const struct nft_set *set)
{
	check_new_name(check, check->sets, set->name, (void *)(uintptr_t)set);
	if (set->fields_count == 0 || set->fields_count > NFT_KEY_FIELDS_MAX)
		fail(check, "bad number of fields", set->name);
	if (set->is_dynamic && (set->size == 0 || set->timeout_ms == 0 || set->is_interval))
		fail(check, "a dynamic set without bounds", set->name);
	if (!set->is_dynamic && set->intervals == NULL && set->elements_count == 0)
		fail(check, "an empty set", set->name);
	size_t count = set->intervals != NULL ? set->intervals->items_count : set->elements_count;
	if (!set->is_interval && !set->is_dynamic && set->size != count)
		fail(check, "an exact set without its size", set->name);
	for (size_t i = 0; i < set->elements_count; i++)
		check_element(check, set, &set->elements[i]);
	check_disjoint(check, set);
}

/* --- chains ------------------------------------------------------------------------------- */

static void reach(struct check *check, const struct nft_verdict *verdict, const char *from,
		  unsigned *levels)
{
	if (verdict->kind != NFT_JUMP && verdict->kind != NFT_GOTO)
		return;
	const struct known_chain *to = names_find(check->chains, verdict->chain,
						  strlen(verdict->chain));
	if (to == NULL)
		fail(check, "goes to a chain that does not stand before it", from);
	else if (to->levels > *levels)
		*levels = to->levels;
}

static void check_statement(struct check *check, const struct nft_statement *statement,
			    const char *chain, unsigned *levels)
{
	if (statement->kind == NFT_VERDICT)
		reach(check, &statement->verdict, chain, levels);
	if (statement->kind == NFT_VMAP)
		for (size_t i = 0; i < statement->set->elements_count; i++) {
			const struct nft_verdict verdict = nft_element_verdict(&statement->set->elements[i]);
			reach(check, &verdict, chain, levels);
		}
	bool has_set = statement->kind == NFT_VMAP || statement->kind == NFT_CONCAT_MATCH ||
		       statement->kind == NFT_SOURCE_LIMIT;
	if (has_set && names_find(check->sets, statement->set->name,
				  strlen(statement->set->name)) != statement->set)
		fail(check, "uses a set that the table does not have", chain);
	bool has_object = statement->kind == NFT_COUNTER || statement->kind == NFT_LIMIT ||
			  statement->kind == NFT_HELPER;
	if (has_object && names_find(check->objects, statement->name,
				     strlen(statement->name)) == NULL)
		fail(check, "uses an object that the table does not have", chain);
	if (statement->kind == NFT_LOG && strlen(statement->log_prefix) > COMMENT_MAX)
		fail(check, "a log prefix is too long", chain);
}

static void check_chain(struct check *check, const struct nft_chain *chain)
{
	struct known_chain *known = pool_new(check->pool, struct known_chain);
	unsigned levels = 0;
	for (size_t i = 0; i < chain->rules_count; i++) {
		check_comment(check, chain->rules[i].comment, chain->name);
		if (chain->rules[i].statements_count == 0)
			fail(check, "an empty rule", chain->name);
		for (size_t k = 0; k < chain->rules[i].statements_count; k++)
			check_statement(check, &chain->rules[i].statements[k], chain->name, &levels);
	}
	known->levels = levels + 1;
	if (chain->is_base && known->levels > LEVELS_MAX)
		fail(check, "too many levels of chains", chain->name);
	check_new_name(check, check->chains, chain->name, known);
}

static void check_objects(struct check *check)
{
	const struct nft_table *table = check->table;
	for (size_t i = 0; i < table->counters_count; i++)
		check_new_name(check, check->objects, table->counters[i].name, check);
	for (size_t i = 0; i < table->limits_count; i++)
		check_new_name(check, check->objects, table->limits[i].name, check);
	for (size_t i = 0; i < table->helpers_count; i++)
		check_new_name(check, check->objects, table->helpers[i].name, check);
}

const char *model_check(void *pool, const struct nft_table *table)
{
	struct check check = {
		.pool = pool,
		.table = table,
		.chains = names_new(pool, false),
		.sets = names_new(pool, false),
		.objects = names_new(pool, false),
	};
	size_t own_sets = 0; /* those with a source limit are one rule's each */
	for (size_t i = 0; i < table->sets_count; i++)
		own_sets += !table->sets[i]->is_dynamic;
	if (own_sets > SETS_MAX)
		fail(&check, pool_format(pool, "%zu sets are too many", own_sets), table->name);
	for (size_t i = 0; i < table->sets_count; i++)
		check_set(&check, table->sets[i]);
	check_objects(&check);
	for (size_t i = 0; i < table->chains_count; i++)
		check_chain(&check, table->chains[i]);
	return check.problem;
}
