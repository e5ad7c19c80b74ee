/* Outcomes: what happens to a packet once a rule's places and services have matched.
 *
 * A tail is the end of every line that a rule becomes: further conditions that belong to the rule
 * as a whole (its hours, its last day, the translation that it admits), then a verdict. An
 * outcome with a counter, a limit, a log line or a helper has a chain of its own, so that all
 * lines of a rule, in all hooks, share one counter and one bucket. */
#ifndef FWC_TARGET_NFT_EMIT_ACTION_H
#define FWC_TARGET_NFT_EMIT_ACTION_H

#include "target/nft/emit/build.h"

struct tail {
	/* alternatives: the tail applies where one of them holds; none: always */
	struct statements *guards;
	size_t guards_count;
	struct statements final; /* the last statements: a verdict, or a translation */
	uint32_t outcome;        /* equal numbers: it does not matter which of the two rules decides */
	bool is_verdict;         /* final is one verdict */
	bool may_return;         /* final is a jump to a chain that need not decide (tail_of_chain) */
	bool is_screen;          /* tail_of_screen */
	bool is_wanted;          /* tail_of_list, tail_of_screen: some leaf or screen goes there */
	unsigned cost;           /* tail_of_list, tail_of_screen: nanoseconds of packets in the chain; else 0 */
	struct goal chain;       /* of guards and final; made on first use */
	const char *comment;
	struct span origin;
};

/* The tail of a policy's rule for packets of these families. */
const struct tail *tail_of_rule(struct lower *lower, const struct rule *rule, unsigned families);
/* A tail without conditions. */
const struct tail *tail_of_verdict(struct lower *lower, struct goal goal, uint32_t outcome,
				   struct span origin);
/* Goes to a chain that decides some packets, all with this outcome, and returns the others. */
const struct tail *tail_of_chain(struct lower *lower, struct goal goal, uint32_t outcome,
				 struct span origin);
/* Goes to the chain of a list of several outcomes, which is made later (tail_set_list): until then the tail
 * must not be written. cost: nanoseconds that packets pay in the list. */
const struct tail *tail_of_list(struct lower *lower, unsigned cost);
/* Goes to the chain of a screen (split/screen.h), which is made later, too, and decides every packet where the
 * screened unit does. `tail`: that unit's, which may have guards. */
const struct tail *tail_of_screen(struct lower *lower, const struct tail *tail, unsigned cost);
void tail_set_list(const struct tail *tail, struct goal goal);
void tail_want(const struct tail *tail);
/* Of either: its chain is made later. */
bool tail_is_list(const struct tail *tail);
bool tail_is_screen(const struct tail *tail);
/* An outcome that equals no other. */
uint32_t outcome_distinct(struct lower *lower);
/* services: their protocols are looked at beside the statement, which has a port; or NULL */
const struct tail *tail_of_statement(struct lower *lower, struct nft_statement statement,
				     const struct tuple_set *services, struct span origin);
/* The rule's hours, days and translation without its verdict, for other verdicts. */
const struct tail *tail_with_verdict(struct lower *lower, const struct rule *rule, unsigned families,
				     struct goal goal, uint32_t outcome);
/* Where to go so that the tail is done; kind: NFT_JUMP, or NFT_GOTO where nothing follows. */
struct goal tail_goal(struct lower *lower, const struct tail *tail, enum nft_verdict_kind kind);
/* Does every packet that reaches the tail get its verdict there? */
bool tail_is_final(const struct tail *tail);

/* Adds the rules that carry an outcome out, the last of which decides. */
void outcome_write(struct lower *lower, struct draft *draft, const struct outcome *outcome,
		   const struct identity *identity, const struct tuple_set *services,
		   struct span origin);

#endif
