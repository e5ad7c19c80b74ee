/* Who translates addresses in this network namespace.
 *
 * With the last base chain of type nat of a family the kernel takes its own hooks away (nf_nat_unregister_fn), and
 * translates nothing of it any more: no new connection, and none that it translated before. Their packets go on
 * with the addresses that they came with, and conntrack says that they are established. So a table that translates
 * nothing comes in place of one that does in three steps: another table holds the hooks by an empty chain; the
 * rules change; the connections are ended, and that table goes. Whoever is killed in between leaves the hooks. */
#ifndef FWC_TARGET_NFT_LOAD_TRANSLATED_H
#define FWC_TARGET_NFT_LOAD_TRANSLATED_H

#include "net/address.h"
#include "target/nft/batch/transaction.h"

/* FAMILIES_*: of which there is a base chain of type nat, whoever has made it, or the table "nat" of
 * iptables-legacy. What holds hooks, for whichever table, is not looked at, nor is this table of family inet if it
 * is_known to translate nothing. 0 or an errno: then there may be more. */
int nft_translated_families(void *pool, struct nft_socket *socket, const char *table, bool is_known,
			    unsigned *families);

/* Holds the hooks of both families for the table; does it already?; lets them go. 0 or an errno. */
int nft_translated_hold(void *pool, struct nft_socket *socket, const char *table);
bool nft_translated_is_held(void *pool, struct nft_socket *socket, const char *table);
int nft_translated_let_go(void *pool, struct nft_socket *socket, const char *table);

#endif
