#include "target/nft/load/translated.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/table.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/pool.h"
#include "target/nft/load/legacy.h"
#include "target/nft/load/replace.h"
#include "target/nft/model/family.h"
#include "target/nft/model/kernel_names.h"

#define REQUEST_BYTES 256
#define ATTEMPTS_MAX 100 /* of a list that changes while it is read */
#define HOLDS ".translated" /* no name that '--table' takes ends so */
#define PRIORITY -100      /* "dstnat" */

static const char *holder_of(void *pool, const char *table)
{
	return pool_format(pool, "%s" HOLDS, table);
}

static bool is_holder(const char *name)
{
	size_t length = strlen(name), end = strlen(HOLDS);
	return length > end && strcmp(name + length - end, HOLDS) == 0;
}

/* --- who translates ----------------------------------------------------------------------------------- */

struct listing {
	void *pool;
	const char *table;
	bool is_known;
	struct names *asked; /* tables whose chains matter, by family and name */
	unsigned families;
};

static const char *table_key(const struct listing *listing, uint32_t family, const char *name)
{
	return pool_format(listing->pool, "%u %s", (unsigned)family, name);
}

/* A table that is dormant hangs on no hook. */
static bool is_asked(const struct listing *listing, const struct nftnl_table *table)
{
	uint32_t family = nftnl_table_get_u32(table, NFTNL_TABLE_FAMILY);
	const char *name = nftnl_table_get_str(table, NFTNL_TABLE_NAME);
	bool is_own = family == NFPROTO_INET &&
		      (is_holder(name) || (listing->is_known && strcmp(name, listing->table) == 0));
	return nft_family_is_ip(family) && !is_own &&
	       (nftnl_table_get_u32(table, NFTNL_TABLE_FLAGS) & NFT_TABLE_F_DORMANT) == 0;
}

static void read_table(const struct nlmsghdr *header, void *data)
{
	struct listing *listing = data;
	struct nftnl_table *table = nftnl_table_alloc();
	if (table == NULL)
		pool_fail(listing->pool, 0);
	if (nftnl_table_nlmsg_parse(header, table) == 0 && is_asked(listing, table)) {
		const char *key = table_key(listing, nftnl_table_get_u32(table, NFTNL_TABLE_FAMILY),
					    nftnl_table_get_str(table, NFTNL_TABLE_NAME));
		names_set(listing->asked, key, strlen(key), listing);
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
		if (names_find(listing->asked, key, strlen(key)) != NULL)
			listing->families |= nft_families_of(family);
	}
	nftnl_chain_free(chain);
}

static int list(struct nft_socket *netlink, uint16_t type, uint16_t family, nft_reader reader,
		struct listing *listing)
{
	char bytes[REQUEST_BYTES];
	return nft_request(netlink, nftnl_nlmsg_build_hdr(bytes, type, family, NLM_F_DUMP, 0), reader, listing);
}

/* Chains are listed where a table of the family is asked: one of ours may have a hundred thousand of them. */
static int list_all(struct nft_socket *netlink, struct listing *listing)
{
	static const uint16_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_INET };
	bool has_any[NFPROTO_NUMPROTO] = { false };
	int error = list(netlink, NFT_MSG_GETTABLE, NFPROTO_UNSPEC, read_table, listing);
	for (size_t i = 0; i < names_count(listing->asked); i++)
		has_any[strtoul(names_key(listing->asked, i), NULL, 10) % NFPROTO_NUMPROTO] = true;
	for (size_t i = 0; i < sizeof families / sizeof families[0] && error == 0; i++)
		if (has_any[families[i]])
			error = list(netlink, NFT_MSG_GETCHAIN, families[i], read_chain, listing);
	return error;
}

int nft_translated_families(void *pool, struct nft_socket *netlink, const char *table, bool is_known,
			    unsigned *families)
{
	int error = EINTR;
	for (int number = 0; number < ATTEMPTS_MAX && error == EINTR; number++) {
		void *scratch = pool_child(pool, "translated");
		struct listing listing = {
			.pool = scratch, .table = table, .is_known = is_known,
			.asked = names_new(scratch, false),
		};
		unsigned legacy;
		int unknown = nft_legacy_translated(&legacy);
		error = list_all(netlink, &listing);
		if (error == 0)
			error = unknown;
		*families = listing.families | legacy;
		talloc_free(scratch);
	}
	return error;
}

/* --- holding ------------------------------------------------------------------------------------------ */

static int send_all(struct nft_socket *netlink, struct nft_batch *batch)
{
	struct nft_answer answer;
	int error = nft_send(netlink, batch, 0, batch->messages_count, 0, &answer);
	talloc_free(batch);
	return error;
}

int nft_translated_hold(void *pool, struct nft_socket *netlink, const char *table)
{
	struct nft_table *holder = pool_new(pool, struct nft_table);
	struct nft_chain *chain = pool_new(holder, struct nft_chain);
	*chain = (struct nft_chain){ .name = "holds", .is_base = true, .type = "nat", .priority = PRIORITY,
				     .comment = "ends with what was translated" };
	holder->name = holder_of(holder, table);
	*pool_append(holder, holder, chains) = chain;
	int error = send_all(netlink, nft_replace_by_force(holder, holder, holder->name));
	talloc_free(holder);
	return error;
}

static void ignore(const struct nlmsghdr *header, void *data)
{
	(void)header;
	(void)data;
}

bool nft_translated_is_held(void *pool, struct nft_socket *netlink, const char *table)
{
	void *scratch = pool_child(pool, "held");
	char bytes[REQUEST_BYTES];
	struct nlmsghdr *header = nftnl_nlmsg_build_hdr(bytes, NFT_MSG_GETTABLE, NFPROTO_INET, 0, 0);
	mnl_attr_put_strz(header, NFTA_TABLE_NAME, holder_of(scratch, table));
	talloc_free(scratch);
	return nft_request(netlink, header, ignore, NULL) == 0;
}

int nft_translated_let_go(void *pool, struct nft_socket *netlink, const char *table)
{
	void *scratch = pool_child(pool, "let go");
	int error = send_all(netlink, nft_replace_by_force(scratch, NULL, holder_of(scratch, table)));
	talloc_free(scratch);
	return error;
}
