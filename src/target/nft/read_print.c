/* A reading as text: sorted by name, rules in their order. */
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/read_expression.h"

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

static void print_object(struct text *out, const struct read_object *object)
{
	text_addf(out, "object %u %s ", object->type, object->name);
	read_expression_print(out, &object->content);
	print_comment(out, object->comment);
	text_add_char(out, '\n');
}

static void print_element(struct text *out, const struct read_element *element)
{
	text_add(out, "  ");
	const struct read_more *more = element->more;
	read_data_print(out, &(struct read_data){ .bytes = element->key, .length = element->key_length });
	if (more->key_end != NULL) {
		text_add_char(out, '-');
		read_data_print(out, &(struct read_data){ .bytes = more->key_end, .length = element->key_length });
	}
	if (more->value.is_verdict || more->value.length != 0) {
		text_add(out, " : ");
		read_data_print(out, &more->value);
	}
	if (more->object != NULL)
		text_addf(out, " object %s", more->object);
	if (element->flags != 0)
		text_addf(out, " flags %u", element->flags);
	print_expressions(out, &more->expressions);
	print_comment(out, more->comment);
	text_add_char(out, '\n');
}

/* The length of a verdict is the kernel's own. */
static uint32_t data_length_of(const struct read_set *set)
{
	return set->data_type == NFT_DATA_VERDICT ? 0 : set->data_length;
}

size_t read_set_count(const struct read_set *set)
{
	size_t count = 0;
	for (size_t i = 0; i < set->elements_count; i++)
		count += (set->elements[i].flags & NFT_SET_ELEM_INTERVAL_END) == 0;
	return set->elements_count == 0 ? set->count : count;
}

static void sink_piece(const struct read_printing *printing)
{
	if (printing->sink != NULL)
		printing->sink(printing->out, printing->data);
}

static void print_elements(const struct read_printing *printing, const struct read_set *set)
{
	size_t count = printing->elements_most == 0 ? 0 : read_set_count(set);
	if ((set->flags & NFT_SET_EVAL) != 0)
		return; /* what packets put in is not the ruleset's */
	if (count > printing->elements_most) {
		text_addf(printing->out, " elements %zu\n", count);
		return;
	}
	for (size_t i = 0; i < set->elements_count; i++) {
		print_element(printing->out, &set->elements[i]);
		sink_piece(printing);
	}
}

static void print_set(const struct read_printing *printing, const struct read_set *set)
{
	struct text *out = printing->out;
	text_addf(out, "set %s flags %u key %u:%u data %u:%u size %u timeout %llu fields", set->name, set->flags,
		  set->key_type, set->key_length, set->data_type, data_length_of(set), set->size,
		  (unsigned long long)set->timeout_ms);
	for (size_t i = 0; i < set->fields_count; i++)
		text_addf(out, " %u", set->field_lengths[i]);
	print_expressions(out, &set->expressions);
	print_comment(out, set->comment);
	text_add_char(out, '\n');
	print_elements(printing, set);
}

static void print_chain(struct text *out, const struct read_chain *chain)
{
	text_addf(out, "chain %s", chain->name);
	if (chain->is_base)
		text_addf(out, " type %s hook %u priority %d policy %u", chain->type, chain->hook, chain->priority,
			  chain->policy);
	print_comment(out, chain->comment);
	text_add_char(out, '\n');
	for (size_t i = 0; i < chain->rules_count; i++) {
		text_add_char(out, ' ');
		print_expressions(out, &chain->rules[i].expressions);
		print_comment(out, chain->rules[i].comment);
		text_add_char(out, '\n');
	}
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

void nft_read_print_pieces(const struct read_printing *printing, const struct read_table *table)
{
	struct text *out = printing->out;
	void *pool = pool_child(out->pool, "reading");
	struct read_object **objects = sorted(pool, table->objects, table->objects_count, sizeof *objects,
					      compare_objects);
	struct read_set **sets = sorted(pool, table->sets, table->sets_count, sizeof *sets, compare_sets);
	struct read_chain **chains = sorted(pool, table->chains, table->chains_count, sizeof *chains,
					    compare_chains);
	text_addf(out, "table %u %s flags %u\n", table->family, table->name, table->flags);
	for (size_t i = 0; i < table->objects_count; i++)
		print_object(out, objects[i]);
	for (size_t i = 0; i < table->sets_count; i++)
		print_set(printing, sets[i]);
	for (size_t i = 0; i < table->chains_count; i++) {
		print_chain(out, chains[i]);
		sink_piece(printing);
	}
	sink_piece(printing);
	talloc_free(pool);
}

void nft_read_print(struct text *out, const struct read_table *table)
{
	nft_read_print_pieces(&(struct read_printing){ .out = out }, table);
}
