/* Units to plain rules, one after the other. */
#ifndef FWC_TARGET_NFT_EMIT_EMIT_H
#define FWC_TARGET_NFT_EMIT_EMIT_H

#include "target/nft/emit/unit.h"

/* Adds the rules of one unit; a packet that is not decided goes on behind them. */
void emit_entry(struct lower *lower, struct draft *draft, struct entry entry);

/* Where nothing but services is asked before a plain verdict: the chain that all such units share. false: it
 * is not so. */
bool emit_service_goal(struct lower *lower, struct entry entry, struct goal *goal);

/* What the rules of a unit cost a packet that passes by, in nanoseconds. */
unsigned emit_cost(const struct lower *lower, struct entry entry);

/* Lines of its rules, and of chains that no other unit shares. */
unsigned emit_lines(const struct lower *lower, struct entry entry);

/* What they cost a packet that they match. */
unsigned emit_match_cost(const struct lower *lower, struct entry entry);

/* Fields that the entries of a list ask for, on average; in hundredths. */
unsigned emit_fields_asked(const struct lower *lower, const struct entry *list, size_t count);

/* The statements of one tuple: protocol, then ports or type and code. */
void emit_tuple(struct rule_draft *rule, const struct service_tuple *tuple);

#endif
