/* The kernel's errors in the policy's terms. */
#ifndef FWC_TARGET_NFT_LOAD_REFUSAL_H
#define FWC_TARGET_NFT_LOAD_REFUSAL_H

#include "target/nft/batch/transaction.h"

/* Adds one diagnostic for each place that was refused. */
void nft_report_refusals(void *pool, struct diags *diags, const struct nft_batch *batch,
			 const struct nft_answer *answer);
/* One for an error without a place: rights, a kernel without nf_tables, anything else. action: what
 * failed, "open a netlink socket". */
void nft_report_error(struct diags *diags, int error, const char *action);

/* The table belongs to a running program (NFT_TABLE_F_OWNER). Gives false. */
bool nft_report_owned(struct diags *diags, const char *table);

#endif
