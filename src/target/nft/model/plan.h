/* What a rule is made of, statement by statement, in the order in which nft 1.0.6 would send it.
 *
 * nft adds matches that a rule's text only implies: `ip saddr` in an inet table checks the family
 * before, unless the rule has checked it; `tcp dport` the protocol; `reject with tcp reset` the
 * protocol, in front of everything. It also joins source and destination port (ICMP type and
 * code) into one load, wherever they stand. Both writers go through the plan, so that both give
 * the same bytecode: text/text.c leaves out what the text implies, netlink sends all of it.
 * Matches stand before actions in a rule: nft moves a port's match across a counter.
 *
 * Addresses by their places are compared part by part, of source and destination first the most telling. */
#ifndef FWC_TARGET_NFT_MODEL_PLAN_H
#define FWC_TARGET_NFT_MODEL_PLAN_H

#include "target/nft/model/field.h"

/* Most statements of one rule in the model. */
#define NFT_RULE_STATEMENTS_MAX 48
/* Each may need a family and a protocol before it, or is compared in parts. */
#define NFT_PLAN_MAX (4 * NFT_RULE_STATEMENTS_MAX + 1)

struct nft_step {
	const struct nft_statement *statement;
	struct nft_part part; /* that this step compares, of several; no bytes: the whole statement */
	bool is_implied; /* the text of what follows says it already */
	bool is_joined;  /* the next step's match is loaded together with this one */
};

struct nft_plan {
	struct nft_step steps[NFT_PLAN_MAX];
	size_t steps_count;
};

void nft_plan_rule(struct nft_plan *plan, const struct nft_rule *rule);

#endif
