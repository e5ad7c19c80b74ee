/* A condition in front of one unit that becomes one rule would be cheaper in the rule itself; lists
 * behind a condition are rare and short, and a chain of their own keeps them readable. */
#include "target/nft/lower/chain.h"

#include "target/nft/emit/once.h"
#include "target/nft/split/split.h"

bool draft_is_empty(const struct lower *lower, const struct draft *draft)
{
	return lower->drafts_count == draft->base;
}

void chain_write_if(struct lower *lower, struct draft *draft, struct nft_statement condition,
		    struct entries *list)
{
	if (list->items_count == 0)
		return;
	struct draft inner = draft_begin(lower);
	split_write(lower, &inner, list);
	struct goal goal = chain_once(lower, &inner, "list", NFT_JUMP);
	struct rule_draft rule;
	rule.items_count = 0;
	rule_add(&rule, condition);
	rule_add(&rule, verdict_statement(goal.verdict));
	rule_end(lower, draft, &rule, goal.height);
}

void chain_end_base(struct lower *lower, struct draft *draft, const struct nft_chain *base)
{
	unsigned levels = draft->height + 1;
	struct nft_chain *chain = draft_end(lower, draft, base->name);
	chain->is_base = true;
	chain->type = base->type;
	chain->hook = base->hook;
	chain->priority = base->priority;
	chain->comment = base->comment;
	if (levels > NFT_LEVELS_MAX)
		diag_add(lower->diags, CODE_TARGET_LIMIT, SPAN_NONE,
			 "nft: hook '%s' needs %u levels of chains, %u can be loaded",
			 base->name, levels, NFT_LEVELS_MAX);
}
