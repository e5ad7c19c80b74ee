/* The bytecode of every rule, in libnftnl's words: no kernel and no rights are needed. */
#include <string.h>

#include "base/pool.h"
#include "target/nft/batch/build.h"
#include "target/nft/nft.h"
#include "target/nft/model/plan.h"

/* One expression is one line of less than this. */
#define LINE_ROOM 512

static void add_rule(struct text *out, char *room, size_t size, const struct nftnl_rule *rule)
{
	if (nftnl_rule_snprintf(room, size, rule, 0 /* NFTNL_OUTPUT_DEFAULT */, 0) <= 0)
		return;
	text_add(out, room);
	if (out->length != 0 && out->bytes[out->length - 1] != '\n')
		text_add_char(out, '\n');
	text_add_char(out, '\n');
}

void nft_bytecode(struct text *out, const struct nft_table *table)
{
	struct nft_naming naming = { .table = table->name, .suffix = "" };
	size_t size = (size_t)LINE_ROOM * (NFT_PLAN_MAX + 2);
	char *room = pool_bytes(out, size);
	for (size_t i = 0; i < table->chains_count; i++) {
		const struct nft_chain *chain = table->chains[i];
		for (size_t k = 0; k < chain->rules_count; k++) {
			struct nftnl_rule *rule = nft_build_rule(out, &naming, chain->name,
								 &chain->rules[k]);
			add_rule(out, room, size, rule);
			nftnl_rule_free(rule);
		}
	}
	talloc_free(room);
}
