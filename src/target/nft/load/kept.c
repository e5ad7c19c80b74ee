/* Keeping a table. */
#include "target/nft/load/kept.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/object.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/model/kernel_names.h"

#define REQUEST_BYTES 512
#define ATTEMPTS_MAX 100
#define BYTE_ORDER_MARK 0x01020304u
/* Rules of more chains than this are asked for chain by chain: see nft_kept_glance, it is the same with rules. */
#define CHAINS_AT_ONCE 8192
#define SET_COUNT 20 /* NFTA_SET_COUNT of Linux 6.14 */
#define NAME_IN_TABLE NFTA_SET_ELEM_LIST_SET
_Static_assert(NFTA_SET_ELEM_LIST_SET == 2 && NFTA_RULE_CHAIN == 2, "what a list is of is attribute 2");
#define TABLE_ROOM 64 /* names of tables have at most 32 characters (--table) */

struct head {
	char form[8];
	uint32_t byte_order;
	uint32_t has_table;
	char table[TABLE_ROOM];
};

static const char form[8] = "fwckept1";

_Static_assert(sizeof(struct head) % NLMSG_ALIGNTO == 0, "messages behind it are aligned");

/* --- messages --------------------------------------------------------------------------------------- */

static uint16_t kind_of(const struct nlmsghdr *message)
{
	return message->nlmsg_type & 0xff; /* NFT_MSG_* */
}

static const struct nlattr *attribute_of(const struct nlmsghdr *message, uint16_t wanted)
{
	const struct nlattr *attribute = mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg));
	const char *end = mnl_nlmsg_get_payload_tail(message);
	for (; mnl_attr_ok(attribute, (int)(end - (const char *)attribute)); attribute = mnl_attr_next(attribute))
		if (mnl_attr_get_type(attribute) == wanted)
			return attribute;
	return NULL;
}

/* The text of an attribute, or NULL. */
static const char *text_of(const struct nlmsghdr *message, uint16_t wanted)
{
	const struct nlattr *attribute = attribute_of(message, wanted);
	if (attribute == NULL || mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0)
		return NULL;
	return mnl_attr_get_str(attribute);
}

/* 0: there are none. */
static uint32_t flags_of(const struct nlmsghdr *message, uint16_t wanted)
{
	const struct nlattr *flags = attribute_of(message, wanted);
	return flags != NULL && mnl_attr_get_payload_len(flags) == sizeof(uint32_t)
		? ntohl(mnl_attr_get_u32(flags)) : 0;
}

static bool is_of_table(const struct nlmsghdr *message, const char *table)
{
	if (message->nlmsg_len < mnl_nlmsg_size(sizeof(struct nfgenmsg)))
		return false;
	const struct nfgenmsg *general = mnl_nlmsg_get_payload(message);
	const char *name = text_of(message, NFTA_TABLE_NAME); /* 1 in all of nf_tables' messages */
	return general->nfgen_family == NFPROTO_INET && name != NULL && strcmp(name, table) == 0;
}

static const struct nlmsghdr *first_message(const struct nft_kept *kept, int *left)
{
	*left = (int)(kept->bytes_count - sizeof(struct head));
	return (const struct nlmsghdr *)(const void *)(kept->bytes + sizeof(struct head));
}

/* --- reading the kernel ----------------------------------------------------------------------------- */

static void add_bytes(struct nft_kept *kept, const void *bytes, size_t length)
{
	size_t whole = NLMSG_ALIGN(length);
	kept->bytes = pool_grow(kept->pool, kept->bytes, &kept->bytes_capacity, kept->bytes_count + whole, 1);
	memset(kept->bytes + kept->bytes_count, 0, whole);
	memcpy(kept->bytes + kept->bytes_count, bytes, length);
	kept->bytes_count += whole;
}

static void begin(struct nft_kept *kept)
{
	struct head head = { .byte_order = BYTE_ORDER_MARK };
	memcpy(head.form, form, sizeof form);
	memcpy(head.table, kept->table, strnlen(kept->table, TABLE_ROOM - 1));
	kept->bytes_count = 0;
	kept->has_table = false;
	add_bytes(kept, &head, sizeof head);
	talloc_free(kept->hash);
	kept->hash = kept->is_only_hashed ? kept_hash_new(kept, kept->table, true, kept->elements_most) : NULL;
}

static void keep_message(const struct nlmsghdr *message, void *data)
{
	struct nft_kept *kept = data;
	bool is_needed = kept->hash == NULL || kind_of(message) == NFT_MSG_NEWCHAIN ||
			 kind_of(message) == NFT_MSG_NEWSET; /* by these the others are asked for */
	if (!is_of_table(message, kept->table))
		return;
	if (kept->hash != NULL)
		kept_hash_message(kept->hash, message);
	if (is_needed)
		add_bytes(kept, message, message->nlmsg_len);
}

/* name: of the set whose elements, or of the chain whose rules are asked for, or NULL. */
static int ask(struct nft_kept *kept, struct nft_socket *netlink, uint16_t type, uint16_t flags, const char *name)
{
	char bytes[REQUEST_BYTES];
	struct nlmsghdr *header = nftnl_nlmsg_build_hdr(bytes, type, NFPROTO_INET, flags, 0);
	if (type != NFT_MSG_GETCHAIN) /* it has no such choice */
		mnl_attr_put_strz(header, NFTA_TABLE_NAME, kept->table);
	if (name != NULL)
		mnl_attr_put_strz(header, NAME_IN_TABLE, name);
	return nft_request(netlink, header, keep_message, kept);
}

static bool is_dynamic(const struct nlmsghdr *message)
{
	return (flags_of(message, NFTA_SET_FLAGS) & NFT_SET_EVAL) != 0;
}

static bool is_left_out(const struct nft_kept *kept, const struct nlmsghdr *message)
{
	return is_dynamic(message) ||
	       (kept->elements_most != 0 && flags_of(message, SET_COUNT) > kept->elements_most);
}

struct name_list {
	const char **names;
	size_t names_count, names_capacity;
};

/* The names of the chains or sets that were kept: the bytes move while more is added behind. */
static struct name_list names_of(const struct nft_kept *kept, void *scratch, uint16_t kind)
{
	struct name_list list = { 0 };
	int left;
	_Static_assert(NFTA_SET_NAME == 2 && NFTA_CHAIN_NAME == 3, "names of what was kept");
	uint16_t attribute = kind == NFT_MSG_NEWSET ? NFTA_SET_NAME : NFTA_CHAIN_NAME;
	for (const struct nlmsghdr *message = first_message(kept, &left); mnl_nlmsg_ok(message, left);
	     message = mnl_nlmsg_next(message, &left)) {
		if (kind_of(message) != kind || text_of(message, attribute) == NULL ||
		    (kind == NFT_MSG_NEWSET && is_left_out(kept, message)))
			continue;
		*pool_append(scratch, &list, names) = pool_strdup(scratch, text_of(message, attribute));
	}
	return list;
}

static int ask_each(struct nft_kept *kept, struct nft_socket *netlink, uint16_t type,
		    const struct name_list *list)
{
	int error = 0;
	for (size_t i = 0; i < list->names_count && error == 0; i++)
		error = ask(kept, netlink, type, NLM_F_DUMP, list->names[i]);
	return error;
}

static int ask_elements(struct nft_kept *kept, struct nft_socket *netlink)
{
	void *scratch = pool_child(kept->pool, "sets");
	struct name_list sets = names_of(kept, scratch, NFT_MSG_NEWSET);
	int error = ask_each(kept, netlink, NFT_MSG_GETSETELEM, &sets);
	talloc_free(scratch);
	return error;
}

static int ask_rules(struct nft_kept *kept, struct nft_socket *netlink)
{
	void *scratch = pool_child(kept->pool, "chains");
	struct name_list chains = names_of(kept, scratch, NFT_MSG_NEWCHAIN);
	int error = chains.names_count <= CHAINS_AT_ONCE ? ask(kept, netlink, NFT_MSG_GETRULE, NLM_F_DUMP, NULL)
							 : ask_each(kept, netlink, NFT_MSG_GETRULE, &chains);
	talloc_free(scratch);
	return error;
}

static int read_content(struct nft_kept *kept, struct nft_socket *netlink)
{
	int error = ask(kept, netlink, NFT_MSG_GETOBJ, NLM_F_DUMP, NULL);
	if (error == 0)
		error = ask(kept, netlink, NFT_MSG_GETCHAIN, NLM_F_DUMP, NULL);
	if (error == 0)
		error = ask(kept, netlink, NFT_MSG_GETSET, NLM_F_DUMP, NULL);
	if (error == 0)
		error = ask_elements(kept, netlink);
	return error == 0 ? ask_rules(kept, netlink) : error;
}

static int read_once(struct nft_kept *kept, struct nft_socket *netlink)
{
	uint32_t after;
	begin(kept);
	int error = nft_generation(netlink, &kept->generation);
	if (error != 0)
		return error;
	error = ask(kept, netlink, NFT_MSG_GETTABLE, 0, NULL);
	kept->has_table = error == 0;
	((struct head *)(void *)kept->bytes)->has_table = kept->has_table;
	error = error == ENOENT ? 0 : error == 0 ? read_content(kept, netlink) : error;
	int asked = nft_generation(netlink, &after);
	if (asked == 0 && after != kept->generation)
		return EINTR;
	return error != 0 ? error : asked;
}

static struct nft_kept *kept_new(void *pool, const char *table, size_t elements_most)
{
	struct nft_kept *kept = pool_new(pool, struct nft_kept);
	kept->pool = kept;
	kept->table = pool_strdup(kept, table);
	kept->elements_most = elements_most;
	return kept;
}

static int read_until_whole(struct nft_kept *kept, struct nft_socket *netlink)
{
	int error = EINTR;
	/* others changed the rules meanwhile: once more */
	for (int attempt = 0; attempt < ATTEMPTS_MAX && (error == EINTR || error == ENOENT); attempt++)
		error = read_once(kept, netlink);
	return error;
}

int nft_kept_glance(void *pool, struct nft_socket *netlink, const char *table, size_t elements_most,
		    struct nft_kept **kept)
{
	*kept = kept_new(pool, table, elements_most);
	return read_until_whole(*kept, netlink);
}

int nft_kept_read(void *pool, struct nft_socket *netlink, const char *table, struct nft_kept **read)
{
	return nft_kept_glance(pool, netlink, table, 0, read);
}

void nft_kept_each_left_out(const struct nft_kept *kept, nft_reader reader, void *data)
{
	int left;
	for (const struct nlmsghdr *message = first_message(kept, &left); mnl_nlmsg_ok(message, left);
	     message = mnl_nlmsg_next(message, &left))
		if (kind_of(message) == NFT_MSG_NEWSET && text_of(message, NFTA_SET_NAME) != NULL &&
		    !is_dynamic(message) && is_left_out(kept, message))
			reader(message, data);
}

static void take_name(const struct nlmsghdr *message, void *data)
{
	const char *name = text_of(message, NFTA_SET_NAME);
	names_set(data, name, strlen(name), data);
}

void nft_kept_fill(struct nft_kept *kept, const char *messages, size_t length)
{
	void *scratch = pool_child(kept->pool, "fill");
	struct names *names = names_new(scratch, false);
	int left = (int)length;
	nft_kept_each_left_out(kept, take_name, names);
	for (const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)messages;
	     mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		const char *name = kind_of(message) == NFT_MSG_NEWSETELEM
			? text_of(message, NFTA_SET_ELEM_LIST_SET) : NULL;
		if (name != NULL && names_find(names, name, strlen(name)) != NULL)
			keep_message(message, kept);
	}
	kept->elements_most = 0;
	talloc_free(scratch);
}

bool nft_kept_is_whole(const struct nft_kept *kept)
{
	int left;
	for (const struct nlmsghdr *message = first_message(kept, &left); mnl_nlmsg_ok(message, left);
	     message = mnl_nlmsg_next(message, &left))
		if (kind_of(message) == NFT_MSG_NEWSET && !is_dynamic(message) && is_left_out(kept, message))
			return false;
	return true;
}

bool nft_kept_translates(const struct nft_kept *kept)
{
	int left;
	for (const struct nlmsghdr *message = first_message(kept, &left); mnl_nlmsg_ok(message, left);
	     message = mnl_nlmsg_next(message, &left)) {
		const char *type = kind_of(message) == NFT_MSG_NEWCHAIN ? text_of(message, NFTA_CHAIN_TYPE) : NULL;
		if (type != NULL && strcmp(type, "nat") == 0)
			return true;
	}
	return false;
}

/* --- files ------------------------------------------------------------------------------------------ */

static bool are_messages_whole(const struct nft_kept *kept)
{
	int left;
	const struct nlmsghdr *message = first_message(kept, &left);
	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		if (!is_of_table(message, kept->table))
			return false;
	return left == 0;
}

struct nft_kept *nft_kept_parse(void *pool, const char *bytes, size_t length)
{
	struct head head;
	if (length < sizeof head)
		return NULL;
	memcpy(&head, bytes, sizeof head);
	if (memcmp(head.form, form, sizeof form) != 0 || head.byte_order != BYTE_ORDER_MARK ||
	    memchr(head.table, '\0', sizeof head.table) == NULL)
		return NULL;
	struct nft_kept *kept = pool_new(pool, struct nft_kept);
	kept->pool = kept;
	kept->table = pool_strdup(kept, head.table);
	kept->has_table = head.has_table != 0;
	add_bytes(kept, bytes, length);
	return kept->bytes_count == length && are_messages_whole(kept) ? kept : NULL;
}

/* --- the model -------------------------------------------------------------------------------------- */

struct making {
	struct nft_table *table;
	struct nft_kept_table *kept;
	struct names *chains;
	bool is_bad;
};

static void take_chain(struct making *making, const struct nlmsghdr *message)
{
	void *pool = making->chains;
	struct nftnl_chain *parsed = nftnl_chain_alloc();
	if (parsed == NULL)
		pool_fail(pool, 0);
	if (nftnl_chain_nlmsg_parse(message, parsed) != 0 || !nftnl_chain_is_set(parsed, NFTNL_CHAIN_NAME)) {
		making->is_bad = true;
		nftnl_chain_free(parsed);
		return;
	}
	struct nft_chain *chain = pool_new(pool, struct nft_chain);
	struct nft_kept_chain *kept = pool_new(pool, struct nft_kept_chain);
	const struct nlattr *userdata = attribute_of(message, NFTA_CHAIN_USERDATA);
	chain->name = pool_strdup(pool, nftnl_chain_get_str(parsed, NFTNL_CHAIN_NAME));
	chain->is_base = nftnl_chain_is_set(parsed, NFTNL_CHAIN_HOOKNUM);
	kept->message = message;
	kept->id = (uint32_t)making->table->chains_count + 1;
	kept->is_anonymous = (flags_of(message, NFTA_CHAIN_FLAGS) & NFT_CHAIN_BINDING) != 0;
	if (userdata != NULL) {
		kept->userdata = mnl_attr_get_payload(userdata);
		kept->userdata_length = mnl_attr_get_payload_len(userdata);
	}
	if (chain->is_base) {
		chain->type = pool_strdup(pool, nftnl_chain_get_str(parsed, NFTNL_CHAIN_TYPE));
		chain->hook = nftnl_chain_get_u32(parsed, NFTNL_CHAIN_HOOKNUM);
		chain->priority = nftnl_chain_get_s32(parsed, NFTNL_CHAIN_PRIO);
		kept->policy = nftnl_chain_get_u32(parsed, NFTNL_CHAIN_POLICY);
	}
	chain->kept = kept;
	names_set(making->chains, chain->name, strlen(chain->name), chain);
	*pool_append(pool, making->table, chains) = chain;
	nftnl_chain_free(parsed);
}

static void take_rule(struct making *making, const struct nlmsghdr *message)
{
	const char *name = text_of(message, NFTA_RULE_CHAIN);
	struct nft_chain *chain = name == NULL ? NULL : names_find(making->chains, name, strlen(name));
	if (chain == NULL) {
		making->is_bad = true;
		return;
	}
	*pool_append(making->chains, chain, rules) = (struct nft_rule){ .origin = SPAN_NONE, .kept = message };
}

static void take_set(struct making *making, const struct nlmsghdr *message)
{
	void *pool = making->chains;
	const char *name = text_of(message, NFTA_SET_NAME);
	if (name == NULL) {
		making->is_bad = true;
		return;
	}
	struct nft_set *set = pool_new(pool, struct nft_set);
	struct nft_kept_set *kept = pool_new(pool, struct nft_kept_set);
	uint32_t flags = flags_of(message, NFTA_SET_FLAGS);
	kept->message = message;
	kept->is_anonymous = (flags & NFT_SET_ANONYMOUS) != 0;
	*set = (struct nft_set){ .name = pool_strdup(pool, name), .is_interval = (flags & NFT_SET_INTERVAL) != 0,
				 .origin = SPAN_NONE, .kept = kept };
	names_set(making->kept->sets, set->name, strlen(set->name), set);
	*pool_append(pool, making->table, sets) = set;
	kept->id = (uint32_t)making->table->sets_count;
}

static void take_elements(struct making *making, const struct nlmsghdr *message)
{
	const char *name = text_of(message, NFTA_SET_ELEM_LIST_SET);
	struct nft_set *set = name == NULL ? NULL : names_find(making->kept->sets, name, strlen(name));
	if (set == NULL) {
		making->is_bad = true;
		return;
	}
	struct nft_kept_set *kept = set->kept;
	*pool_append(making->chains, kept, elements) = message;
}

static void take_object(struct making *making, const struct nlmsghdr *message)
{
	struct nft_kept_object *object = pool_append(making->chains, making->kept, objects);
	object->message = message;
	making->is_bad |= !nft_kernel_object_parse(making->chains, message, &object->object);
}

static void take_message(struct making *making, const struct nlmsghdr *message)
{
	switch (kind_of(message)) {
	case NFT_MSG_NEWTABLE:
		making->kept->message = message;
		break;
	case NFT_MSG_NEWCHAIN:
		take_chain(making, message);
		break;
	case NFT_MSG_NEWRULE:
		take_rule(making, message);
		break;
	case NFT_MSG_NEWSET:
		take_set(making, message);
		break;
	case NFT_MSG_NEWSETELEM:
		take_elements(making, message);
		break;
	case NFT_MSG_NEWOBJ:
		take_object(making, message);
		break;
	default:
		making->is_bad = true;
	}
}

/* The kernel binds an anonymous chain to the rule that enters it, and takes no rules for it from then on: so
 * they come first, and the inner ones, which are made later, before the outer ones. */
static void put_anonymous_first(void *pool, struct nft_table *table)
{
	struct nft_chain **ordered = pool_array(pool, struct nft_chain *, table->chains_count);
	size_t count = 0;
	for (size_t i = table->chains_count; i-- > 0;)
		if (table->chains[i]->kept->is_anonymous)
			ordered[count++] = table->chains[i];
	for (size_t i = 0; i < table->chains_count; i++)
		if (!table->chains[i]->kept->is_anonymous)
			ordered[count++] = table->chains[i];
	table->chains = ordered;
}

struct nft_table *nft_kept_table(void *pool, const struct nft_kept *kept)
{
	struct nft_table *table = pool_new(pool, struct nft_table);
	struct nft_kept_table *parts = pool_new(table, struct nft_kept_table);
	struct making making = { .table = table, .kept = parts, .chains = names_new(table, false) };
	int left;
	table->name = kept->table;
	table->kept = parts;
	parts->sets = names_new(table, false);
	parts->chains = making.chains;
	for (const struct nlmsghdr *message = first_message(kept, &left); mnl_nlmsg_ok(message, left);
	     message = mnl_nlmsg_next(message, &left))
		take_message(&making, message);
	put_anonymous_first(table, table);
	return kept->has_table && !making.is_bad && parts->message != NULL ? table : NULL;
}

/* --- the hash --------------------------------------------------------------------------------------- */

struct nft_read *nft_kept_reading(void *pool, const struct nft_kept *kept)
{
	struct nft_read *read = nft_read_new(pool);
	int left;
	read->generation = 1; /* whichever: they are a kernel's */
	for (const struct nlmsghdr *message = first_message(kept, &left); mnl_nlmsg_ok(message, left);
	     message = mnl_nlmsg_next(message, &left))
		nft_read_message(read, message);
	nft_read_finish(read);
	return read;
}

static void hash_messages(struct kept_hash *hash, const struct nlmsghdr *message, int left)
{
	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		kept_hash_message(hash, message);
}

void nft_kept_hash(const struct nft_kept *kept, char sha256[REREAD_HASH_LENGTH + 1])
{
	struct kept_hash *hash = kept_hash_new(kept->pool, kept->table, true, kept->elements_most);
	int left;
	const struct nlmsghdr *first = first_message(kept, &left);
	hash_messages(hash, first, left);
	memcpy(sha256, kept_hash_finish(hash).glance, REREAD_HASH_LENGTH + 1);
	talloc_free(hash);
}

struct kept_hash_result nft_kept_expect(void *pool, const char *messages, size_t length, const char *table,
					size_t elements_most)
{
	struct kept_hash *hash = kept_hash_new(pool, table, false, elements_most);
	hash_messages(hash, (const struct nlmsghdr *)(const void *)messages, (int)length);
	struct kept_hash_result expected = kept_hash_finish(hash);
	talloc_free(hash);
	return expected;
}

int nft_kept_look(void *pool, struct nft_socket *netlink, const char *table, size_t elements_most,
		  struct nft_kept_look *look)
{
	struct nft_kept *kept = kept_new(pool, table, elements_most);
	kept->is_only_hashed = true;
	int error = read_until_whole(kept, netlink);
	if (error == 0) {
		memcpy(look->glance, kept_hash_finish(kept->hash).glance, sizeof look->glance);
		look->generation = kept->generation;
	}
	talloc_free(kept);
	return error;
}
