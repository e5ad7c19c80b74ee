/* What a table was made with, as far as its expressions show it. */
#include <linux/netfilter/nf_tables.h>

#include "target/nft/prove/prove.h"
#include "target/nft/read/expression.h"

static const struct read_expression *first_log(const struct read_table *table)
{
	for (size_t i = 0; i < table->chains_count; i++)
		for (size_t j = 0; j < table->chains[i]->rules_count; j++) {
			const struct read_expressions *list = &table->chains[i]->rules[j].expressions;
			for (size_t k = 0; k < list->items_count; k++)
				if (list->items[k].kind == READ_LOG)
					return &list->items[k];
		}
	return NULL;
}

void proof_find_log_group(const struct read_table *table, struct proof_limits *limits)
{
	const struct read_expression *log = first_log(table);
	if (log == NULL)
		return;
	limits->has_log_group = read_has(log, NFTA_LOG_GROUP);
	limits->log_group = (uint16_t)read_number(log, NFTA_LOG_GROUP, 0);
}
