#include "target/nft/model/family.h"

#include <linux/netfilter.h>
#include <stddef.h>

#include "net/address.h"

const char *nft_family_word(uint32_t family)
{
	static const char *const words[] = {
		[NFPROTO_INET] = "inet", [NFPROTO_IPV4] = "ip", [NFPROTO_ARP] = "arp",
		[NFPROTO_NETDEV] = "netdev", [NFPROTO_BRIDGE] = "bridge", [NFPROTO_IPV6] = "ip6",
	};

	return family < sizeof words / sizeof words[0] ? words[family] : NULL;
}

unsigned nft_families_of(uint32_t family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return FAMILIES_IPV4;
	case NFPROTO_IPV6:
		return FAMILIES_IPV6;
	case NFPROTO_INET:
		return FAMILIES_BOTH;
	default:
		return FAMILIES_NONE;
	}
}

bool nft_family_is_ip(uint32_t family)
{
	return nft_families_of(family) != FAMILIES_NONE;
}
