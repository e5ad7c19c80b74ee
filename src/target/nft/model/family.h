/* Families of netfilter as nft writes them (nft(8), "ADDRESS FAMILIES"; linux/netfilter.h). */
#ifndef FWC_TARGET_NFT_MODEL_FAMILY_H
#define FWC_TARGET_NFT_MODEL_FAMILY_H

#include <stdbool.h>
#include <stdint.h>

/* NFPROTO_INET -> "inet"; NULL: nft has no word for it. */
const char *nft_family_word(uint32_t family);
/* FAMILIES_* (net/address.h): whose packets pass tables of this one; of others none. */
unsigned nft_families_of(uint32_t family);
/* Tables of IPv4, of IPv6 and of both. */
bool nft_family_is_ip(uint32_t family);

#endif
