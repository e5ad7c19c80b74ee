/* What a table does to packets: its chains as functions from packets to verdicts.
 *
 * Every chain is worked out once, whoever goes to it; a rule is a condition and what follows, in
 * the kernel's own terms: loads into registers, comparisons of their bytes, lookups. So the cost grows
 * with the elements and rules, not with the ways through them. What cannot be told is never left out:
 * it becomes a condition that may hold or not, or a verdict that equals no other.
 *
 * What the kernel guarantees is relied on: headers are whole where a hook sees them (connection tracking
 * puts fragments together before), and connection tracking is in one of its five states.
 *
 * Source: net/netfilter/nf_tables_core.c (nft_do_chain) and the files of the expressions beside it. */
#ifndef FWC_TARGET_NFT_WALK_WALK_H
#define FWC_TARGET_NFT_WALK_WALK_H

#include "target/nft/read/read.h"
#include "target/nft/walk/leaf.h"

struct walk;

/* The space and the leaves may serve several walks. */
struct walk *walk_new(void *pool, struct walk_space *space, struct walk_leaves *leaves,
		      const struct read_table *table);
/* From here on places say their table: what several tables of one space call alike is not the same. */
void walk_tell_table(struct walk *walk);
/* From here on a verdict that goes to a chain is a leaf (WALK_JUMP, WALK_GOTO): for who reads rule by rule. */
void walk_stop_at_chains(struct walk *walk);
/* What one rule of a chain does; FALL where it does not decide. */
diagram walk_one_rule(struct walk *walk, const struct read_chain *chain, size_t rule);
/* Loopback in every network namespace, whatever it is called there (LOOPBACK_IFINDEX of the kernel's
 * net/flow.h). */
#define WALK_LOOPBACK_INDEX 1
#define WALK_LOOPBACK_NAME "lo"
/* Names of interfaces by their numbers, for comparisons with numbers; else those are unknown but for loopback's.
 * The list lives as long as the walk. */
struct walk_interface {
	uint32_t index;
	const char *name;
};
void walk_know_interfaces(struct walk *walk, const struct walk_interface *interfaces, size_t count);
/* From here on leaves say which chain and rule gave the verdict (WALK_BY): there are more of them. */
void walk_tell_places(struct walk *walk);
/* What the table's base chains of this type do on the hook (NF_INET_*), one after the other by priority
 * from `low` to `high`: each packet's leaf is decided; a chain that accepts hands on to the next.
 * DIAGRAM_OVER: the budget. */
diagram walk_hook(struct walk *walk, const char *type, uint32_t hook, int32_t low, int32_t high);
/* How many rules were worked out so far: the work it was. */
size_t walk_rules_done(const struct walk *walk);
/* The space is at another piece: what was made is worked out again. */
void walk_forget(struct walk *walk);
/* The first thing in the table that makes no sense (a loop, a chain that is not there), or NULL. */
const char *walk_problem(const struct walk *walk);

#endif
