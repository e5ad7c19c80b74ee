#include "target/nft/model/family.h"

#include <linux/netfilter.h>
#include <stddef.h>

const char *nft_family_word(uint32_t family)
{
	static const char *const words[] = {
		[NFPROTO_INET] = "inet", [NFPROTO_IPV4] = "ip", [NFPROTO_ARP] = "arp",
		[NFPROTO_NETDEV] = "netdev", [NFPROTO_BRIDGE] = "bridge", [NFPROTO_IPV6] = "ip6",
	};

	return family < sizeof words / sizeof words[0] ? words[family] : NULL;
}

bool nft_family_is_ip(uint32_t family)
{
	return family == NFPROTO_IPV4 || family == NFPROTO_IPV6 || family == NFPROTO_INET;
}
