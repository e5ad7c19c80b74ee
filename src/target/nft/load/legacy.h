/* Rules of iptables-legacy, which are not of nf_tables: the kernel asks them beside its tables, and shows none of
 * them to a program that reads those. */
#ifndef FWC_TARGET_NFT_LOAD_LEGACY_H
#define FWC_TARGET_NFT_LOAD_LEGACY_H

#include "net/address.h"

/* "iptables-legacy (filter, nat) and ip6tables-legacy (filter)": the tables that exist in this network namespace
 * (/proc/net/ip_tables_names, ip6_tables_names), in `pool`. NULL: none, or the process may not know, as without
 * root's rights. */
const char *nft_legacy_tables(void *pool);
/* FAMILIES_*: of which there is a table "nat". 0 or an errno: the process may not know. */
int nft_legacy_translated(unsigned *families);

#endif
