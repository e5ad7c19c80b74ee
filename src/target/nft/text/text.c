/* The script for `nft -f`.
 *
 * Needs a complete table; gives text that is the same for the same table. The table is made if
 * it is missing, deleted and made anew in the one transaction that nft makes of a file: kernel
 * 6.1 has no message for "delete if it is there". Base chains accept by policy and drop by their
 * last rule, so that the moment in which an old and a new chain stand in one hook leaks nothing.
 * The layout is that of `nft list`. A large table's text is hundreds of megabytes: it lets go of what it
 * has wherever it looks back no further. */
#include "target/nft/nft.h"

#include <linux/netfilter.h>

#include "target/nft/text/rule.h"
#include "target/nft/text/value.h"

#define VALUES_A_LINE 4

static void text_line_comment(struct text *out, const char *comment)
{
	if (comment == NULL || *comment == '\0')
		return;
	text_add(out, "\t\tcomment ");
	nft_text_quoted(out, comment);
	text_add_char(out, '\n');
}

static void text_open(struct text *out, const char *kind, const char *name)
{
	(void)text_let_go(out);
	text_add_char(out, '\t');
	text_add(out, kind);
	text_add_char(out, ' ');
	text_add(out, name);
	text_add(out, " {\n");
}

static void text_close(struct text *out)
{
	text_add(out, "\t}\n\n");
}

/* Counters and limits stay in the kernel when a policy is loaded again, and their comments could not
 * follow its lines: they have none, neither here nor in batch/build.c. */

/* --- objects ---------------------------------------------------------------------------------- */

static void text_counters(struct text *out, const struct nft_table *table)
{
	for (size_t i = 0; i < table->counters_count; i++) {
		text_open(out, "counter", table->counters[i].name);
		text_close(out);
	}
}

static void text_limits(struct text *out, const struct nft_table *table)
{
	for (size_t i = 0; i < table->limits_count; i++) {
		const struct nft_limit *limit = &table->limits[i];
		text_open(out, "limit", limit->name);
		text_add(out, "\t\trate ");
		nft_text_rate(out, limit->limit);
		text_add(out, " burst ");
		text_add_unsigned(out, limit->limit->burst);
		text_add(out, " packets\n");
		text_close(out);
	}
}

static void text_helpers(struct text *out, const struct nft_table *table)
{
	for (size_t i = 0; i < table->helpers_count; i++) {
		const struct nft_helper *helper = &table->helpers[i];
		text_open(out, "ct helper", helper->name);
		text_add(out, "\t\ttype ");
		nft_text_quoted(out, helper->type);
		text_add(out, " protocol ");
		text_add(out, nft_port_protocol(helper->protocol));
		text_add(out, "\n\t\tl3proto inet\n");
		text_close(out);
	}
}

/* --- sets -------------------------------------------------------------------------------------- */

static void text_element_key(struct text *out, const struct nft_set *set,
			     const struct nft_element *element)
{
	for (size_t i = 0; i < set->fields_count; i++) {
		const struct nft_value low = nft_element_low(set, element, i);
		const struct nft_value high = nft_element_high(set, element, i);
		if (i != 0)
			text_add(out, " . ");
		if (set->leading[i] != 0)
			nft_text_parts(out, set, i, low.number);
		else
			nft_text_interval(out, set->fields[i], &low, &high);
	}
}

static void text_element_verdict(struct text *out, const struct nft_verdict *verdict)
{
	text_add(out, " : ");
	nft_text_verdict(out, verdict);
}

/* What stands behind the key: that of the element before is taken as it is where it is the same. */
struct element_end {
	const struct nft_element *element; /* NULL: none yet */
	size_t begin, length;              /* in the text */
};

static bool has_end_of(const struct nft_element *element, const struct nft_element *other)
{
	return other != NULL && element->comment == other->comment &&
	       element->verdict == other->verdict && element->chain == other->chain;
}

static void text_element_end(struct text *out, const struct nft_set *set, const struct nft_element *element,
			     struct element_end *last)
{
	if (has_end_of(element, last->element)) {
		text_reserve(out, last->length);
		text_add_bytes(out, out->bytes + last->begin, last->length);
		return;
	}
	*last = (struct element_end){ .element = element, .begin = out->length };
	const struct nft_verdict verdict = nft_element_verdict(element);
	nft_text_comment(out, element->comment);
	if (set->is_verdict_map)
		text_element_verdict(out, &verdict);
	last->length = out->length - last->begin;
}

/* One element a line: each may have a comment. */
static void text_listed_elements(struct text *out, const struct nft_set *set)
{
	struct element_end last = { .element = NULL };
	for (size_t i = 0; i < set->elements_count; i++) {
		const struct nft_element *element = &set->elements[i];
		if (text_let_go(out))
			last.element = NULL;
		text_add(out, i == 0 ? "\t\telements = { " : ",\n\t\t\t     ");
		text_element_key(out, set, element);
		text_element_end(out, set, element, &last);
	}
}

/* Several intervals a line. */
static void text_plain_elements(struct text *out, const struct nft_set *set)
{
	for (size_t i = 0; i < set->intervals->items_count; i++) {
		const struct interval *interval = &set->intervals->items[i];
		(void)text_let_go(out);
		if (i == 0)
			text_add(out, "\t\telements = { ");
		else
			text_add(out, i % VALUES_A_LINE == 0 ? ",\n\t\t\t     " : ", ");
		nft_text_interval(out, set->fields[0], &(struct nft_value){ .number = interval->low },
				  &(struct nft_value){ .number = interval->high });
		if (set->is_verdict_map)
			text_element_verdict(out, &set->shared_verdict);
	}
}

static size_t element_count(const struct nft_set *set)
{
	return set->intervals != NULL ? set->intervals->items_count : set->elements_count;
}

static void text_elements(struct text *out, const struct nft_set *set)
{
	if (element_count(set) == 0)
		return;
	if (set->intervals != NULL)
		text_plain_elements(out, set);
	else
		text_listed_elements(out, set);
	text_add(out, " }\n");
}

static void text_timeout(struct text *out, uint64_t timeout_ms)
{
	text_add(out, "\t\ttimeout ");
	if (timeout_ms % 1000 == 0) {
		text_add_unsigned(out, timeout_ms / 1000);
		text_add(out, "s\n");
	} else {
		text_add_unsigned(out, timeout_ms);
		text_add(out, "ms\n");
	}
}

static void text_set_flags(struct text *out, const struct nft_set *set)
{
	if (set->is_dynamic)
		text_add(out, set->timeout_ms != 0 ? "\t\tflags dynamic,timeout\n" : "\t\tflags dynamic\n");
	else if (nft_set_has_ranges(set))
		text_add(out, "\t\tflags interval\n");
}

static void text_set(struct text *out, const struct nft_set *set)
{
	text_open(out, set->is_verdict_map ? "map" : "set", set->name);
	text_add(out, "\t\t");
	nft_text_key_type(out, set);
	text_add(out, set->is_verdict_map ? " : verdict\n" : "\n");
	if (set->size != 0) {
		text_add(out, "\t\tsize ");
		text_add_unsigned(out, set->size);
		text_add_char(out, '\n');
	}
	text_set_flags(out, set);
	if (set->timeout_ms != 0)
		text_timeout(out, set->timeout_ms);
	text_line_comment(out, set->comment);
	text_elements(out, set);
	text_close(out);
}

/* --- chains ------------------------------------------------------------------------------------ */

static const char *hook_name(unsigned hook)
{
	static const char *const names[] = {
		[NF_INET_PRE_ROUTING] = "prerouting", [NF_INET_LOCAL_IN] = "input",
		[NF_INET_FORWARD] = "forward",	      [NF_INET_LOCAL_OUT] = "output",
		[NF_INET_POST_ROUTING] = "postrouting",
	};
	return names[hook];
}

static void text_base(struct text *out, const struct nft_chain *chain)
{
	text_add(out, "\t\ttype ");
	text_add(out, chain->type);
	text_add(out, " hook ");
	text_add(out, hook_name(chain->hook));
	text_add(out, chain->priority < 0 ? " priority -" : " priority ");
	text_add_unsigned(out, (uint64_t)(chain->priority < 0 ? -(int64_t)chain->priority
							       : chain->priority));
	text_add(out, "; policy accept;\n");
}

static void text_chain(struct text *out, const struct nft_chain *chain)
{
	text_open(out, "chain", chain->name);
	text_line_comment(out, chain->comment);
	if (chain->is_base)
		text_base(out, chain);
	for (size_t i = 0; i < chain->rules_count; i++) {
		(void)text_let_go(out);
		text_add(out, "\t\t");
		nft_text_rule(out, &chain->rules[i]);
		text_add_char(out, '\n');
	}
	text_close(out);
}

/* Base chains come first: they stay where they are when the kernel's table is replaced by
 * messages, so that a listing has one order. nft makes all chains before any rule. */
static void text_chains(struct text *out, const struct nft_table *table, bool is_base)
{
	for (size_t i = 0; i < table->chains_count; i++)
		if (table->chains[i]->is_base == is_base)
			text_chain(out, table->chains[i]);
}

/* The script replaces the table: a table of this name that somebody changed by hand is gone. */
static void text_head(struct text *out, const char *table)
{
	text_add(out, "#!/usr/sbin/nft -f\n"
		      "# Made by fwc: change the policy, not this file.\n"
		      "# Replaces table inet ");
	text_add(out, table);
	text_add(out, " in one transaction and touches no other table.\n"
		      "table inet ");
	text_add(out, table);
	text_add(out, "\ndelete table inet ");
	text_add(out, table);
	text_add(out, "\ntable inet ");
	text_add(out, table);
	text_add(out, " {\n");
}

void nft_text(struct text *out, const struct nft_table *table)
{
	text_head(out, table->name);
	text_counters(out, table);
	text_limits(out, table);
	text_helpers(out, table);
	for (size_t i = 0; i < table->sets_count; i++)
		text_set(out, table->sets[i]);
	text_chains(out, table, true);
	text_chains(out, table, false);
	if (out->length >= 2 && out->bytes[out->length - 2] == '\n') /* no empty line before the brace */
		out->bytes[--out->length] = '\0';
	text_add(out, "}\n");
}
