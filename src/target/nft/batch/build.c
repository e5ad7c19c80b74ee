/* Chains, sets and objects for libnftnl. */
#include "target/nft/batch/build.h"

#include <string.h>

#include "base/pool.h"
#include "target/nft/model/key.h"
#include "target/nft/batch/userdata.h"
#include "target/nft/model/kernel_names.h"

#define VERDICT_TYPE 0xffffff00u /* NFT_DATA_VERDICT, as the type of a map's data */

uint32_t nft_verdict_code(enum nft_verdict_kind kind)
{
	switch (kind) {
	case NFT_ACCEPT:
		return NF_ACCEPT;
	case NFT_DROP:
		return NF_DROP;
	case NFT_JUMP:
		return (uint32_t)NFT_KERNEL_JUMP;
	case NFT_GOTO:
		return (uint32_t)NFT_KERNEL_GOTO;
	case NFT_RETURN:
		return (uint32_t)NFT_KERNEL_RETURN;
	}
	return NF_DROP;
}

static const char *joined(struct nft_name *room, const char *name, const char *suffix)
{
	size_t length = strnlen(name, NFT_NAME_ROOM / 2);
	memcpy(room->bytes, name, length);
	size_t more = strnlen(suffix, NFT_NAME_ROOM / 2 - 1);
	memcpy(room->bytes + length, suffix, more);
	room->bytes[length + more] = '\0';
	return room->bytes;
}

const char *nft_name_suffixed(const struct nft_naming *naming, struct nft_name *room, const char *name)
{
	return *naming->suffix == '\0' ? name : joined(room, name, naming->suffix);
}

const char *nft_name_of_object(const struct nft_naming *naming, struct nft_name *room,
			       const char *name)
{
	if (naming->objects == NULL || names_find(naming->objects, name, strlen(name)) == NULL)
		return name;
	return joined(room, name, naming->suffix);
}

static void require(const void *pool, bool is_done)
{
	if (!is_done)
		pool_fail(pool, 0);
}

/* --- chains ------------------------------------------------------------------------------------ */

struct nftnl_chain *nft_build_chain(const void *pool, const struct nft_naming *naming, const char *name,
				    const struct nft_chain *chain)
{
	struct nftnl_chain *built = nftnl_chain_alloc();
	require(pool, built != NULL);
	struct nft_userdata data = nft_userdata_comment(chain->comment);
	bool is_done = nftnl_chain_set_str(built, NFTNL_CHAIN_TABLE, naming->table) == 0 &&
		       nftnl_chain_set_str(built, NFTNL_CHAIN_NAME, name) == 0;
	if (chain->is_base) {
		nftnl_chain_set_u32(built, NFTNL_CHAIN_HOOKNUM, chain->hook);
		nftnl_chain_set_s32(built, NFTNL_CHAIN_PRIO, chain->priority);
		nftnl_chain_set_u32(built, NFTNL_CHAIN_POLICY, NF_ACCEPT);
		is_done = is_done && nftnl_chain_set_str(built, NFTNL_CHAIN_TYPE, chain->type) == 0;
	}
	if (data.length != 0)
		is_done = is_done && nftnl_chain_set_data(built, NFTNL_CHAIN_USERDATA, data.bytes,
							  data.length) == 0;
	require(pool, is_done);
	return built;
}

/* --- sets -------------------------------------------------------------------------------------- */

static uint32_t set_flags(const struct nft_set *set)
{
	uint32_t flags = 0;
	if (nft_set_has_ranges(set))
		flags |= NFT_SET_INTERVAL | (set->fields_count > 1 ? NFT_SET_CONCAT : 0);
	if (set->is_verdict_map)
		flags |= NFT_SET_MAP;
	if (set->is_dynamic)
		flags |= NFT_SET_EVAL;
	if (set->timeout_ms != 0)
		flags |= NFT_SET_TIMEOUT;
	return flags;
}

/* Lengths of the fields, for the kernel to look at each by itself (NFTA_SET_DESC_CONCAT). */
static bool set_concatenation(struct nftnl_set *built, const struct nft_set *set)
{
	uint8_t lengths[NFT_KEY_FIELDS_MAX];
	for (size_t i = 0; i < set->fields_count; i++)
		lengths[i] = (uint8_t)nft_field_row(set->fields[i])->bytes;
	return nftnl_set_set_data(built, NFTNL_SET_DESC_CONCAT, lengths, (uint32_t)set->fields_count) == 0;
}

struct nftnl_set *nft_build_set(const void *pool, const struct nft_naming *naming,
				const struct nft_set *set, uint32_t id)
{
	struct nft_name room;
	struct nftnl_set *built = nftnl_set_alloc();
	require(pool, built != NULL);
	uint32_t flags = set_flags(set);
	bool is_done = nftnl_set_set_str(built, NFTNL_SET_TABLE, naming->table) == 0 &&
		       nftnl_set_set_str(built, NFTNL_SET_NAME,
					 nft_name_suffixed(naming, &room, set->name)) == 0;
	nftnl_set_set_u32(built, NFTNL_SET_FLAGS, flags);
	nftnl_set_set_u32(built, NFTNL_SET_KEY_TYPE, nft_key_type(set));
	nftnl_set_set_u32(built, NFTNL_SET_KEY_LEN, nft_key_length(set));
	nftnl_set_set_u32(built, NFTNL_SET_ID, id);
	if (set->is_verdict_map) {
		nftnl_set_set_u32(built, NFTNL_SET_DATA_TYPE, VERDICT_TYPE);
		nftnl_set_set_u32(built, NFTNL_SET_DATA_LEN, 0);
	}
	if (set->size != 0)
		nftnl_set_set_u32(built, NFTNL_SET_DESC_SIZE, set->size);
	if (set->timeout_ms != 0)
		nftnl_set_set_u64(built, NFTNL_SET_TIMEOUT, set->timeout_ms);
	if ((flags & NFT_SET_CONCAT) != 0)
		is_done = is_done && set_concatenation(built, set);
	struct nft_userdata data = nft_userdata_set(set);
	require(pool, is_done && nftnl_set_set_data(built, NFTNL_SET_USERDATA, data.bytes,
						    data.length) == 0);
	return built;
}

/* --- objects: without comments, see text/text.c ------------------------------------------------------ */

/* The setters of objects give no result: what is missing after them was not copied. */
static void require_string(const void *pool, struct nftnl_obj *object, uint16_t attribute)
{
	require(pool, nftnl_obj_get_str(object, attribute) != NULL);
}

static struct nftnl_obj *build_object(const void *pool, const struct nft_naming *naming,
				      const char *name, uint32_t type)
{
	struct nft_name room;
	struct nftnl_obj *built = nftnl_obj_alloc();
	require(pool, built != NULL);
	nftnl_obj_set_str(built, NFTNL_OBJ_TABLE, naming->table);
	require_string(pool, built, NFTNL_OBJ_TABLE);
	nftnl_obj_set_str(built, NFTNL_OBJ_NAME, nft_name_of_object(naming, &room, name));
	require_string(pool, built, NFTNL_OBJ_NAME);
	nftnl_obj_set_u32(built, NFTNL_OBJ_FAMILY, NFPROTO_INET);
	nftnl_obj_set_u32(built, NFTNL_OBJ_TYPE, type);
	return built;
}

struct nftnl_obj *nft_build_counter(const void *pool, const struct nft_naming *naming,
				    const struct nft_counter *counter)
{
	return build_object(pool, naming, counter->name, NFT_OBJECT_COUNTER);
}

struct nftnl_obj *nft_build_limit(const void *pool, const struct nft_naming *naming,
				  const struct nft_limit *limit)
{
	struct nftnl_obj *built = build_object(pool, naming, limit->name, NFT_OBJECT_LIMIT);
	nftnl_obj_set_u64(built, NFTNL_OBJ_LIMIT_RATE, limit->limit->rate);
	nftnl_obj_set_u64(built, NFTNL_OBJ_LIMIT_UNIT, limit->limit->unit_s);
	nftnl_obj_set_u32(built, NFTNL_OBJ_LIMIT_BURST, limit->limit->burst);
	nftnl_obj_set_u32(built, NFTNL_OBJ_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_obj_set_u32(built, NFTNL_OBJ_LIMIT_FLAGS, 0);
	return built;
}

struct nftnl_obj *nft_build_helper(const void *pool, const struct nft_naming *naming,
				   const struct nft_helper *helper)
{
	struct nftnl_obj *built = build_object(pool, naming, helper->name, NFT_OBJECT_CT_HELPER);
	nftnl_obj_set_str(built, NFTNL_OBJ_CT_HELPER_NAME, helper->type);
	nftnl_obj_set_u16(built, NFTNL_OBJ_CT_HELPER_L3PROTO, NFPROTO_INET);
	nftnl_obj_set_u8(built, NFTNL_OBJ_CT_HELPER_L4PROTO, helper->protocol);
	return built;
}
