#include "target/nft/load/translated.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/table.h>
#include <string.h>

#include "base/names.h"
#include "base/pool.h"
#include "target/nft/load/legacy.h"
#include "target/nft/model/family.h"
#include "target/nft/model/kernel_names.h"

#define REQUEST_BYTES 256
#define ATTEMPTS_MAX 100 /* of a list that changes while it is read */

struct listing {
	void *pool;
	struct names *dormant; /* tables that hang on no hook: their family as a byte, their name */
	unsigned families;
};

static const char *table_key(const struct listing *listing, uint32_t family, const char *name)
{
	return pool_format(listing->pool, "%u %s", (unsigned)family, name);
}

static void read_table(const struct nlmsghdr *header, void *data)
{
	struct listing *listing = data;
	struct nftnl_table *table = nftnl_table_alloc();
	if (table == NULL)
		pool_fail(listing->pool, 0);
	if (nftnl_table_nlmsg_parse(header, table) == 0 &&
	    (nftnl_table_get_u32(table, NFTNL_TABLE_FLAGS) & NFT_TABLE_F_DORMANT) != 0) {
		const char *key = table_key(listing, nftnl_table_get_u32(table, NFTNL_TABLE_FAMILY),
					    nftnl_table_get_str(table, NFTNL_TABLE_NAME));
		names_set(listing->dormant, key, strlen(key), listing);
	}
	nftnl_table_free(table);
}

static bool translates(const struct nftnl_chain *chain)
{
	return nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM) &&
	       strcmp(nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE), "nat") == 0;
}

static void read_chain(const struct nlmsghdr *header, void *data)
{
	struct listing *listing = data;
	struct nftnl_chain *chain = nftnl_chain_alloc();
	if (chain == NULL)
		pool_fail(listing->pool, 0);
	if (nftnl_chain_nlmsg_parse(header, chain) == 0 && translates(chain)) {
		uint32_t family = nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY);
		const char *key = table_key(listing, family, nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE));
		if (names_find(listing->dormant, key, strlen(key)) == NULL)
			listing->families |= nft_families_of(family);
	}
	nftnl_chain_free(chain);
}

static int list(struct nft_socket *netlink, uint16_t type, nft_reader reader, struct listing *listing)
{
	int error = EINTR;
	for (int number = 0; number < ATTEMPTS_MAX && error == EINTR; number++) {
		char bytes[REQUEST_BYTES];
		struct nlmsghdr *header = nftnl_nlmsg_build_hdr(bytes, type, NFPROTO_UNSPEC, NLM_F_DUMP, 0);
		error = nft_request(netlink, header, reader, listing);
	}
	return error;
}

int nft_translated_families(void *pool, struct nft_socket *netlink, unsigned *families)
{
	struct listing listing = { .pool = pool_child(pool, "translated"), .families = nft_legacy_translated() };
	listing.dormant = names_new(listing.pool, false);
	int error = list(netlink, NFT_MSG_GETTABLE, read_table, &listing);
	if (error == 0)
		error = list(netlink, NFT_MSG_GETCHAIN, read_chain, &listing);
	*families = listing.families;
	talloc_free(listing.pool);
	return error;
}
