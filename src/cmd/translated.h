/* Ending the connections whose translation went away with a table.
 *
 * What the kernel translated is to its rules as established as anything. Where nothing translates any more, its
 * packets keep the addresses that they came with (load/translated.h), and an established connection to another host
 * is then one to the firewall itself, which no rule has admitted. */
#ifndef FWC_CMD_TRANSLATED_H
#define FWC_CMD_TRANSLATED_H

#include "diag/diag.h"
#include "target/nft/batch/transaction.h"

/* FAMILIES_*: whose packets are translated now; all, where the kernel does not say. */
unsigned translated_now(void *pool, struct nft_socket *socket);
/* Once a table went or another took its place: ends them in those of the families before, of which nothing is
 * translated now, and says on stderr how many. That it cannot is a warning in the bag. */
void translated_end(void *pool, struct diags *diags, struct nft_socket *socket, unsigned before);

#endif
