#include "cmd/translated.h"

#include <stdio.h>
#include <string.h>

#include "operate/flows.h"
#include "target/nft/load/translated.h"

unsigned translated_now(void *pool, struct nft_socket *netlink)
{
	unsigned families;

	return nft_translated_families(pool, netlink, &families) == 0 ? families : FAMILIES_BOTH;
}

static const char *families_words(unsigned families)
{
	return families == FAMILIES_IPV4 ? "IPv4" : families == FAMILIES_IPV6 ? "IPv6" : "IPv4 and IPv6";
}

void translated_end(void *pool, struct diags *diags, struct nft_socket *netlink, unsigned before)
{
	struct flows flows = { 0 };
	unsigned now = FAMILIES_NONE;
	int error = 0;

	if (before != FAMILIES_NONE)
		error = nft_translated_families(pool, netlink, &now);
	if (error == 0 && (before & ~now) != FAMILIES_NONE)
		error = flows_end_translated(before & ~now, &flows);
	if (flows.ended > 0)
		fprintf(stderr, "fwc: ended %zu connections that were translated: nothing translates %s any more\n",
			flows.ended, families_words(before & ~now));
	if (error != 0)
		diag_add(diags, CODE_TRANSLATED_GO_ON, SPAN_NONE,
			 "cannot end connections that were translated: %s", strerror(error));
}
