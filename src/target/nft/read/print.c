/* A reading as text: sorted by name, rules in their order. */
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/read/expression.h"

static void print_comment(struct text *out, const char *comment)
{
	if (comment != NULL)
		text_addf(out, " comment \"%s\"", comment);
}

static void print_expressions(struct text *out, const struct read_expressions *list)
{
	for (size_t i = 0; i < list->items_count; i++) {
		text_add_char(out, ' ');
		read_expression_print(out, &list->items[i]);
	}
}

void read_object_print(struct text *out, const struct read_object *object)
{
	text_addf(out, "object %u %s ", object->type, object->name);
	read_expression_print(out, &object->content);
	print_comment(out, object->comment);
	text_add_char(out, '\n');
}

void read_element_print(struct text *out, const struct read_set *set, const struct read_element *element)
{
	text_add(out, "  ");
	const struct read_more *more = read_element_more(set, element);
	const uint32_t length = read_element_length(set, element), flags = read_element_flags(element);
	read_data_print(out, &(struct read_data){ .bytes = read_element_key(set, element), .length = length });
	if (more->key_end != NULL) {
		text_add_char(out, '-');
		read_data_print(out, &(struct read_data){ .bytes = more->key_end, .length = length });
	}
	if (more->value.is_verdict || more->value.length != 0) {
		text_add(out, " : ");
		read_data_print(out, &more->value);
	}
	if (more->object != NULL)
		text_addf(out, " object %s", more->object);
	if (flags != 0) {
		text_add(out, " flags ");
		text_add_unsigned(out, flags);
	}
	print_expressions(out, &more->expressions);
	print_comment(out, more->comment);
	text_add_char(out, '\n');
}

/* The length of a verdict is the kernel's own. */
static uint32_t data_length_of(const struct read_set *set)
{
	return set->data_type == NFT_DATA_VERDICT ? 0 : set->data_length;
}

static void print_elements(struct text *out, const struct read_set *set)
{
	if ((set->flags & NFT_SET_EVAL) != 0)
		return; /* what packets put in is not the ruleset's */
	for (size_t i = 0; i < set->elements_count; i++)
		read_element_print(out, set, &set->elements[i]);
}

void read_set_print(struct text *out, const struct read_set *set)
{
	text_addf(out, "set %s flags %u key %u:%u data %u:%u size %u timeout %llu fields", set->name, set->flags,
		  set->key_type, set->key_length, set->data_type, data_length_of(set), set->size,
		  (unsigned long long)set->timeout_ms);
	for (size_t i = 0; i < set->fields_count; i++)
		text_addf(out, " %u", set->field_lengths[i]);
	print_expressions(out, &set->expressions);
	print_comment(out, set->comment);
	text_add_char(out, '\n');
}

void read_rule_print(struct text *out, const struct read_rule *rule)
{
	text_add_char(out, ' ');
	print_expressions(out, &rule->expressions);
	print_comment(out, rule->comment);
	text_add_char(out, '\n');
}

void read_chain_print(struct text *out, const struct read_chain *chain)
{
	text_addf(out, "chain %s", chain->name);
	if (chain->is_base)
		text_addf(out, " type %s hook %u priority %d policy %u", chain->type, chain->hook, chain->priority,
			  chain->policy);
	print_comment(out, chain->comment);
	text_add_char(out, '\n');
}

static int compare_chains(const void *left, const void *right)
{
	return strcmp((*(struct read_chain *const *)left)->name, (*(struct read_chain *const *)right)->name);
}

static int compare_sets(const void *left, const void *right)
{
	return strcmp((*(struct read_set *const *)left)->name, (*(struct read_set *const *)right)->name);
}

static int compare_objects(const void *left, const void *right)
{
	const struct read_object *a = *(struct read_object *const *)left, *b = *(struct read_object *const *)right;
	int order = strcmp(a->name, b->name);
	return order != 0 ? order : (a->type > b->type) - (a->type < b->type);
}

/* The pointers, sorted; the table keeps its own order. */
static void *sorted(void *pool, const void *items, size_t count, size_t size,
		    int (*compare)(const void *, const void *))
{
	void *copy = pool_array_bytes(pool, count, size);
	if (count == 0)
		return copy;
	memcpy(copy, items, count * size);
	qsort(copy, count, size, compare);
	return copy;
}

void read_table_print(struct text *out, const struct read_table *table)
{
	text_addf(out, "table %u %s flags %u\n", table->family, table->name, table->flags);
}

void nft_read_print(struct text *out, const struct read_table *table)
{
	void *pool = pool_child(out->pool, "reading");
	struct read_object **objects = sorted(pool, table->objects, table->objects_count, sizeof *objects,
					      compare_objects);
	struct read_set **sets = sorted(pool, table->sets, table->sets_count, sizeof *sets, compare_sets);
	struct read_chain **chains = sorted(pool, table->chains, table->chains_count, sizeof *chains,
					    compare_chains);
	read_table_print(out, table);
	for (size_t i = 0; i < table->objects_count; i++)
		read_object_print(out, objects[i]);
	for (size_t i = 0; i < table->sets_count; i++) {
		read_set_print(out, sets[i]);
		print_elements(out, sets[i]);
	}
	for (size_t i = 0; i < table->chains_count; i++) {
		read_chain_print(out, chains[i]);
		for (size_t k = 0; k < chains[i]->rules_count; k++)
			read_rule_print(out, &chains[i]->rules[k]);
	}
	talloc_free(pool);
}
