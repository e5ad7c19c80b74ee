/* What the kernel holds of one table now: what a new ruleset has to take away or may keep. */
#ifndef FWC_TARGET_NFT_LOAD_KERNEL_H
#define FWC_TARGET_NFT_LOAD_KERNEL_H

#include "base/names.h"
#include "target/nft/batch/transaction.h"

struct nft_kernel_chain {
	const char *name;
	bool is_base;
	const char *type; /* base chains */
	uint32_t hook, policy;
	int32_t priority;
	const uint8_t *userdata;
	uint32_t userdata_length;
};

struct nft_kernel_set {
	const char *name;
	uint32_t flags; /* NFT_SET_* */
};

struct nft_kernel_object {
	const char *name;
	uint32_t type; /* NFT_OBJECT_* */
	/* what limits and helpers are */
	uint64_t rate, unit_s;
	uint32_t burst;
	const char *helper;
	uint8_t protocol;
};

struct nft_kernel {
	void *pool;
	const char *table;
	bool has_table;
	bool is_dormant; /* NFT_TABLE_F_DORMANT: it hangs on no hook */
	bool is_owned;   /* NFT_TABLE_F_OWNER: by a running program, and nobody else may change it */
	uint32_t generation; /* in which all this was read, or an earlier one */
	struct nft_kernel_chain *chains;
	size_t chains_count, chains_capacity;
	struct nft_kernel_set *sets; /* without anonymous ones, which go with their rules */
	size_t sets_count, sets_capacity;
	struct nft_kernel_object *objects;
	size_t objects_count, objects_capacity;
	struct names *chain_names, *set_names, *object_names; /* to the items above */
};

const struct nft_kernel_chain *nft_kernel_chain_find(const struct nft_kernel *kernel, const char *name);
const struct nft_kernel_set *nft_kernel_set_find(const struct nft_kernel *kernel, const char *name);
/* Objects of different types may share a name. */
const struct nft_kernel_object *nft_kernel_object_find(const struct nft_kernel *kernel, uint32_t type,
						       const char *name);

/* What the kernel says of an object. false: it makes no sense. */
bool nft_kernel_object_parse(void *pool, const struct nlmsghdr *message, struct nft_kernel_object *object);
/* Is it the same limit or helper? Counters of one name always are: their values stay. */
bool nft_kernel_object_equals(const struct nft_kernel_object *a, const struct nft_kernel_object *b);

/* A kernel that has nothing of the table. */
struct nft_kernel *nft_kernel_nothing(void *pool, const char *table);
/* Reads the table of family inet. 0 or an errno. */
int nft_kernel_read(void *pool, struct nft_socket *socket, const char *table, struct nft_kernel **kernel);

#endif
