/* The nft target's door.
 *
 * nft_lower turns a ruleset into a table; nft_text prints a script that `nft -f` loads, twice with
 * the same result; nft_batch_* build and send the same as one netlink batch. */
#ifndef FWC_TARGET_NFT_NFT_H
#define FWC_TARGET_NFT_NFT_H

#include "optimise/level.h"
#include "target/nft/model/model.h"

#define NFT_TABLE_DEFAULT "fwc"

struct nft_report;
struct nft_socket;

struct nft_settings {
	const char *table;    /* "fwc" */
	bool has_log_group;   /* log to NFLOG group instead of the kernel's log */
	uint16_t log_group;
	enum optimise_level level;
	struct nft_report *report; /* to be filled (report/report.h), or NULL */
};

/* Levels of chains that a table has, the base chain included: one less than the kernel follows
 * (NFT_JUMP_STACK_SIZE), for while a table is replaced base chains only go to the chain that has their rules
 * (load/replace.h). */
#define NFT_LEVELS_MAX 15

/* lower/lower.c: ruleset to table. What the target cannot express is an error in the bag at the policy's
 * line (TARGET_CANNOT, TARGET_LIMIT, STATELESS_*). NULL after an error. */
struct nft_table *nft_lower(void *pool, struct diags *diags, const struct ruleset *ruleset,
			    const struct nft_settings *settings);

/* text/text.c: the script. It makes the table if it is missing, and replaces its content in one
 * transaction; it touches nothing else. */
void nft_text(struct text *out, const struct nft_table *table);

/* netlink.c: bytecode of every rule, as libnftnl prints it (--show=bytecode). */
void nft_bytecode(struct text *out, const struct nft_table *table);

/* load/load.c: loads the table in one atomic batch. true only on the kernel's ACK of the whole batch.
 * On failure nothing has changed in the kernel, and the bag holds the reason: the kernel's
 * refusals at the policy's lines (KERNEL_REFUSED), permission, no nf_tables, buffer. */
bool nft_load(void *pool, struct diags *diags, const struct nft_table *table);

/* load/chains.c: base chains of other tables on the same hooks, as notes (KERNEL_OTHER_CHAINS). */
void nft_note_other_chains(struct nft_socket *socket, struct diags *diags, const struct nft_table *table);

#endif
