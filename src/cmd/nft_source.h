/* A foreign ruleset of nf_tables: of the kernel, or of a script.
 *
 * A script is loaded by nft(8) into a network namespace that is made for it and ends with it, in a user
 * namespace of its own: whatever it says, the rules of this machine are out of its reach. What the kernel made
 * of it is read back through netlink.
 *
 * Source: unshare(2), user_namespaces(7), network_namespaces(7). */
#ifndef FWC_CMD_NFT_SOURCE_H
#define FWC_CMD_NFT_SOURCE_H

#include "import/nft.h"

#define NFT_SOURCE_KERNEL "kernel:"

/* The kernel's rules. false after an error in the bag. */
bool nft_source_kernel(void *pool, struct diags *diags, struct import_nft_source *source);
/* What nft makes of a script; name: for messages. */
bool nft_source_script(void *pool, struct diags *diags, const struct source *script,
		       struct import_nft_source *source);

#endif
