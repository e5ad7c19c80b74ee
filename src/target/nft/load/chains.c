/* Base chains of other programs: the kernel asks every chain of a hook, so that what passes here
 * may be dropped there. Chains that cannot drop (empty, policy accept; nat) are not named. */
#include <libnftnl/chain.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/model/family.h"
#include "target/nft/model/kernel_names.h"
#include "target/nft/load/legacy.h"
#include "target/nft/nft.h"
#include "target/nft/batch/transaction.h"

#define REQUEST_BYTES 256
#define HOOKS 5 /* NF_INET_NUMHOOKS */

struct listing {
	struct diags *diags;
	const struct nft_table *table;
};

static bool is_own(const struct listing *listing, const struct nftnl_chain *chain)
{
	return nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY) == NFPROTO_INET &&
	       strcmp(nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE), listing->table->name) == 0;
}

/* Does the table filter in this hook? */
static bool has_hook(const struct nft_table *table, uint32_t hook)
{
	for (size_t i = 0; i < table->chains_count; i++)
		if (table->chains[i]->is_base && table->chains[i]->hook == hook &&
		    strcmp(table->chains[i]->type, "filter") == 0)
			return true;
	return false;
}

static bool can_drop(const struct nftnl_chain *chain)
{
	if (strcmp(nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE), "nat") == 0)
		return false;
	return nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY) != NF_ACCEPT ||
	       nftnl_chain_get_u32(chain, NFTNL_CHAIN_USE) != 0;
}

static void note_chain(const struct listing *listing, const struct nftnl_chain *chain)
{
	static const char *const hooks[HOOKS] = { "prerouting", "input", "forward", "output",
						  "postrouting" };
	const uint32_t family = nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY);
	if (!nft_family_is_ip(family) || !nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM) || is_own(listing, chain))
		return;
	uint32_t hook = nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM);
	if (hook >= HOOKS || !has_hook(listing->table, hook) || !can_drop(chain))
		return;
	diag_add(listing->diags, CODE_KERNEL_OTHER_CHAINS, SPAN_NONE,
		 "what passes in hook '%s' may be dropped by table '%s %s', chain '%s' (priority %d, policy %s)",
		 hooks[hook], nft_family_word(family), nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE),
		 nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME),
		 nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO),
		 nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY) == NF_ACCEPT ? "accept" : "drop");
}

static void read_chain(const struct nlmsghdr *header, void *data)
{
	const struct listing *listing = data;
	struct nftnl_chain *chain = nftnl_chain_alloc();
	if (chain == NULL)
		pool_fail(listing->diags, 0);
	if (nftnl_chain_nlmsg_parse(header, chain) == 0)
		note_chain(listing, chain);
	nftnl_chain_free(chain);
}

static void read_table(const struct nlmsghdr *header, void *data)
{
	(void)header;
	++*(size_t *)data;
}

/* A list of the chains takes its time where the table has many of them. */
static bool has_other_tables(struct nft_socket *netlink)
{
	char bytes[REQUEST_BYTES];
	size_t tables = 0;
	struct nlmsghdr *header = nftnl_nlmsg_build_hdr(bytes, NFT_MSG_GETTABLE, NFPROTO_UNSPEC, NLM_F_DUMP,
							0);
	return nft_request(netlink, header, read_table, &tables) != 0 || tables != 1;
}

static void note_chains(struct nft_socket *netlink, struct diags *diags, const struct nft_table *table)
{
	char bytes[REQUEST_BYTES];
	struct nlmsghdr *header = nftnl_nlmsg_build_hdr(bytes, NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, NLM_F_DUMP,
							0);
	struct listing listing = { diags, table };
	(void)nft_request(netlink, header, read_chain, &listing);
}

void nft_note_other_chains(struct nft_socket *netlink, struct diags *diags, const struct nft_table *table)
{
	const char *legacy = nft_legacy_tables(diags);
	if (has_other_tables(netlink))
		note_chains(netlink, diags, table);
	if (legacy != NULL)
		diag_add(diags, CODE_KERNEL_OTHER_CHAINS, SPAN_NONE, "what passes may be dropped by rules of %s",
			 legacy);
}
