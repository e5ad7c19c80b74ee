/* Whose packets are translated in this network namespace. */
#ifndef FWC_TARGET_NFT_LOAD_TRANSLATED_H
#define FWC_TARGET_NFT_LOAD_TRANSLATED_H

#include "net/address.h"
#include "target/nft/batch/transaction.h"

/* FAMILIES_*: of which there is a base chain of type nat, whoever has made it, or the table "nat" of
 * iptables-legacy. With the last of them the kernel takes its own hooks away (nf_nat_unregister_fn), and translates
 * nothing of that family any more: no new connection, and none that it translated before. 0 or an errno; then
 * nothing is known. It lists the chains of all tables. */
int nft_translated_families(void *pool, struct nft_socket *socket, unsigned *families);

#endif
