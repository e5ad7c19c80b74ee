/* Units to plain rules, one after the other. */
#ifndef FWC_TARGET_NFT_LOWER_EMIT_H
#define FWC_TARGET_NFT_LOWER_EMIT_H

#include "target/nft/lower_unit.h"

/* Adds the rules of one unit; a packet that is not decided goes on behind them. */
void emit_entry(struct lower *lower, struct draft *draft, struct entry entry);

/* What the rules of a unit cost a packet that passes by, in nanoseconds. */
unsigned emit_cost(const struct lower *lower, struct entry entry);

/* The statements of one tuple: protocol, then ports or type and code. */
void emit_tuple(struct rule_draft *rule, const struct service_tuple *tuple);

#endif
