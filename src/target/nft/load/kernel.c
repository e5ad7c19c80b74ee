/* Reading a table. The generation is read first: a change in between makes the batch stale that
 * is built on what was read. */
#include "target/nft/load/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <libnftnl/chain.h>
#include <libnftnl/object.h>
#include <libnftnl/set.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/model/kernel_names.h"

#define REQUEST_BYTES 512
#define ATTEMPTS_MAX 100 /* of a list that changes while it is read */

static struct nlmsghdr *request(char *bytes, uint16_t type, uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(bytes, type, NFPROTO_INET, flags, 0);
}

static const uint8_t *copy_bytes(void *pool, const void *bytes, uint32_t length)
{
	return length == 0 ? NULL : (const uint8_t *)pool_strndup(pool, bytes, length);
}

/* --- chains ---------------------------------------------------------------------------------------- */

static void keep_base(struct nft_kernel *kernel, struct nft_kernel_chain *kept,
		      const struct nftnl_chain *chain)
{
	kept->is_base = nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM);
	if (!kept->is_base)
		return;
	kept->hook = nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM);
	kept->priority = nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO);
	kept->policy = nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY);
	kept->type = pool_strdup(kernel->pool, nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE));
}

static void keep_chain(struct nft_kernel *kernel, const struct nftnl_chain *chain)
{
	uint32_t length = 0;
	struct nft_kernel_chain *kept = pool_append(kernel->pool, kernel, chains);
	kept->name = pool_strdup(kernel->pool, nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME));
	keep_base(kernel, kept, chain);
	const void *userdata = nftnl_chain_get_data(chain, NFTNL_CHAIN_USERDATA, &length);
	kept->userdata_length = userdata == NULL ? 0 : length;
	kept->userdata = copy_bytes(kernel->pool, userdata, kept->userdata_length);
}

static void read_chain(const struct nlmsghdr *header, void *data)
{
	struct nft_kernel *kernel = data;
	struct nftnl_chain *chain = nftnl_chain_alloc();
	if (chain == NULL)
		pool_fail(kernel->pool, 0);
	if (nftnl_chain_nlmsg_parse(header, chain) == 0 &&
	    strcmp(nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE), kernel->table) == 0)
		keep_chain(kernel, chain);
	nftnl_chain_free(chain);
}

/* --- sets -------------------------------------------------------------------------------------------- */

static void read_set(const struct nlmsghdr *header, void *data)
{
	struct nft_kernel *kernel = data;
	struct nftnl_set *set = nftnl_set_alloc();
	if (set == NULL)
		pool_fail(kernel->pool, 0);
	if (nftnl_set_nlmsg_parse(header, set) == 0) {
		uint32_t flags = nftnl_set_is_set(set, NFTNL_SET_FLAGS)
			? nftnl_set_get_u32(set, NFTNL_SET_FLAGS) : 0;
		if ((flags & NFT_SET_ANONYMOUS) == 0)
			*pool_append(kernel->pool, kernel, sets) = (struct nft_kernel_set){
				pool_strdup(kernel->pool, nftnl_set_get_str(set, NFTNL_SET_NAME)), flags,
			};
	}
	nftnl_set_free(set);
}

/* --- objects ------------------------------------------------------------------------------------------ */

static void take_object(void *pool, struct nftnl_obj *object, struct nft_kernel_object *kept)
{
	kept->name = pool_strdup(pool, nftnl_obj_get_str(object, NFTNL_OBJ_NAME));
	kept->type = nftnl_obj_get_u32(object, NFTNL_OBJ_TYPE);
	if (kept->type == NFT_OBJECT_LIMIT) {
		kept->rate = nftnl_obj_get_u64(object, NFTNL_OBJ_LIMIT_RATE);
		kept->unit_s = nftnl_obj_get_u64(object, NFTNL_OBJ_LIMIT_UNIT);
		kept->burst = nftnl_obj_get_u32(object, NFTNL_OBJ_LIMIT_BURST);
	}
	if (kept->type == NFT_OBJECT_CT_HELPER) {
		kept->helper = pool_strdup(pool, nftnl_obj_get_str(object, NFTNL_OBJ_CT_HELPER_NAME));
		kept->protocol = nftnl_obj_get_u8(object, NFTNL_OBJ_CT_HELPER_L4PROTO);
	}
}

bool nft_kernel_object_parse(void *pool, const struct nlmsghdr *message, struct nft_kernel_object *object)
{
	struct nftnl_obj *parsed = nftnl_obj_alloc();
	if (parsed == NULL)
		pool_fail(pool, 0);
	bool is_good = nftnl_obj_nlmsg_parse(message, parsed) == 0 && nftnl_obj_is_set(parsed, NFTNL_OBJ_NAME);
	if (is_good)
		take_object(pool, parsed, object);
	nftnl_obj_free(parsed);
	return is_good;
}

bool nft_kernel_object_equals(const struct nft_kernel_object *a, const struct nft_kernel_object *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == NFT_OBJECT_LIMIT)
		return a->rate == b->rate && a->unit_s == b->unit_s && a->burst == b->burst;
	if (a->type == NFT_OBJECT_CT_HELPER)
		return a->protocol == b->protocol && strcmp(a->helper, b->helper) == 0;
	return a->type == NFT_OBJECT_COUNTER;
}

static void read_object(const struct nlmsghdr *header, void *data)
{
	struct nft_kernel *kernel = data;
	struct nftnl_obj *object = nftnl_obj_alloc();
	if (object == NULL)
		pool_fail(kernel->pool, 0);
	/* an older kernel lists the objects of all tables */
	if (nftnl_obj_nlmsg_parse(header, object) == 0 &&
	    strcmp(nftnl_obj_get_str(object, NFTNL_OBJ_TABLE), kernel->table) == 0)
		take_object(kernel->pool, object, pool_append(kernel->pool, kernel, objects));
	nftnl_obj_free(object);
}

/* --- the table ------------------------------------------------------------------------------------------ */

static int read_flags(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == NFTA_TABLE_FLAGS &&
	    mnl_attr_get_payload_len(attribute) == sizeof(uint32_t))
		*(uint32_t *)data = ntohl(mnl_attr_get_u32(attribute));
	return MNL_CB_OK;
}

static void read_table(const struct nlmsghdr *header, void *data)
{
	struct nft_kernel *kernel = data;
	uint32_t flags = 0;
	mnl_attr_parse(header, sizeof(struct nfgenmsg), read_flags, &flags);
	kernel->is_dormant = (flags & NFT_TABLE_F_DORMANT) != 0;
	kernel->is_owned = (flags & NFT_TABLE_F_OWNER) != 0;
}

static int find_table(struct nft_kernel *kernel, struct nft_socket *netlink)
{
	char bytes[REQUEST_BYTES];
	struct nlmsghdr *header = request(bytes, NFT_MSG_GETTABLE, 0);
	mnl_attr_put_strz(header, NFTA_TABLE_NAME, kernel->table);
	int error = nft_request(netlink, header, read_table, kernel);
	kernel->has_table = error == 0;
	return error == ENOENT ? 0 : error;
}

/* attribute: of the table's name, by which the kernel chooses; 0: it has none. */
static int list(struct nft_kernel *kernel, struct nft_socket *netlink, uint16_t type, uint16_t attribute,
		nft_reader reader)
{
	char bytes[REQUEST_BYTES];
	struct nlmsghdr *header = request(bytes, type, NLM_F_DUMP);
	if (attribute != 0)
		mnl_attr_put_strz(header, attribute, kernel->table);
	return nft_request(netlink, header, reader, kernel);
}

static int read_content(struct nft_kernel *kernel, struct nft_socket *netlink)
{
	int error = list(kernel, netlink, NFT_MSG_GETCHAIN, 0, read_chain);
	if (error == 0)
		error = list(kernel, netlink, NFT_MSG_GETSET, NFTA_SET_TABLE, read_set);
	if (error == 0)
		error = list(kernel, netlink, NFT_MSG_GETOBJ, NFTA_OBJ_TABLE, read_object);
	return error;
}

struct object_key {
	char bytes[NFT_NAME_MAXLEN + 1];
	size_t length;
};

/* The type as one byte, then the name. */
static struct object_key object_key(uint32_t type, const char *name)
{
	struct object_key key = { .length = 1 + strnlen(name, NFT_NAME_MAXLEN) };
	key.bytes[0] = (char)('0' + type);
	memcpy(key.bytes + 1, name, key.length - 1);
	return key;
}

static void name_content(struct nft_kernel *kernel)
{
	for (size_t i = 0; i < kernel->chains_count; i++)
		names_set(kernel->chain_names, kernel->chains[i].name, strlen(kernel->chains[i].name),
			  &kernel->chains[i]);
	for (size_t i = 0; i < kernel->sets_count; i++)
		names_set(kernel->set_names, kernel->sets[i].name, strlen(kernel->sets[i].name),
			  &kernel->sets[i]);
	for (size_t i = 0; i < kernel->objects_count; i++) {
		struct object_key key = object_key(kernel->objects[i].type, kernel->objects[i].name);
		names_set(kernel->object_names, key.bytes, key.length, &kernel->objects[i]);
	}
}

const struct nft_kernel_chain *nft_kernel_chain_find(const struct nft_kernel *kernel, const char *name)
{
	return names_find(kernel->chain_names, name, strlen(name));
}

const struct nft_kernel_set *nft_kernel_set_find(const struct nft_kernel *kernel, const char *name)
{
	return names_find(kernel->set_names, name, strlen(name));
}

const struct nft_kernel_object *nft_kernel_object_find(const struct nft_kernel *kernel, uint32_t type,
						       const char *name)
{
	struct object_key key = object_key(type, name);
	return names_find(kernel->object_names, key.bytes, key.length);
}

static int read_once(struct nft_kernel *kernel, struct nft_socket *netlink)
{
	kernel->chains_count = kernel->sets_count = kernel->objects_count = 0;
	int error = nft_generation(netlink, &kernel->generation);
	if (error == 0)
		error = find_table(kernel, netlink);
	if (error == 0 && kernel->has_table)
		error = read_content(kernel, netlink);
	return error;
}

struct nft_kernel *nft_kernel_nothing(void *pool, const char *table)
{
	struct nft_kernel *kernel = pool_new(pool, struct nft_kernel);
	kernel->pool = kernel;
	kernel->table = table;
	kernel->chain_names = names_new(kernel, false);
	kernel->set_names = names_new(kernel, false);
	kernel->object_names = names_new(kernel, false);
	return kernel;
}

int nft_kernel_read(void *pool, struct nft_socket *netlink, const char *table, struct nft_kernel **read)
{
	struct nft_kernel *kernel = nft_kernel_nothing(pool, table);
	*read = kernel;
	/* interrupted, or the table went while it was read: once more */
	int error = EINTR;
	for (int attempt = 0; attempt < ATTEMPTS_MAX && (error == EINTR || error == ENOENT); attempt++)
		error = read_once(kernel, netlink);
	if (error == 0)
		name_content(kernel);
	return error;
}
