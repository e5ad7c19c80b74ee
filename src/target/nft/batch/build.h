/* libnftnl objects of the model's parts. The caller frees them; a library that has no memory
 * ends in pool_fail. */
#ifndef FWC_TARGET_NFT_BATCH_BUILD_H
#define FWC_TARGET_NFT_BATCH_BUILD_H

#include <libnftnl/chain.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>

#include "base/names.h"
#include "target/nft/model/model.h"

/* Longest name with its NUL (NFT_NAME_MAXLEN), and room for a suffix that is too much. */
#define NFT_NAME_ROOM 512

/* What the kernel's objects are called. A staged load fills new objects beside those in use, and
 * gives its own names a suffix. */
struct nft_naming {
	const char *table;
	const char *suffix;          /* of chains that are no base chains, and of sets; "": none */
	const struct names *objects; /* limits and helpers that get the suffix, or NULL */
};

struct nft_name {
	char bytes[NFT_NAME_ROOM];
};

/* The kernel's number of a verdict, as the 32 bits that it is sent in. */
uint32_t nft_verdict_code(enum nft_verdict_kind kind);

const char *nft_name_suffixed(const struct nft_naming *naming, struct nft_name *room, const char *name);
const char *nft_name_of_object(const struct nft_naming *naming, struct nft_name *room,
			       const char *name);

struct nftnl_rule *nft_build_rule(const void *pool, const struct nft_naming *naming, const char *chain,
				  const struct nft_rule *rule);
/* name: the final one */
struct nftnl_chain *nft_build_chain(const void *pool, const struct nft_naming *naming, const char *name,
				    const struct nft_chain *chain);
struct nftnl_set *nft_build_set(const void *pool, const struct nft_naming *naming,
				const struct nft_set *set, uint32_t id);
struct nftnl_obj *nft_build_counter(const void *pool, const struct nft_naming *naming,
				    const struct nft_counter *counter);
struct nftnl_obj *nft_build_limit(const void *pool, const struct nft_naming *naming,
				  const struct nft_limit *limit);
struct nftnl_obj *nft_build_helper(const void *pool, const struct nft_naming *naming,
				   const struct nft_helper *helper);

#endif
