/* Copying messages, attribute by attribute. One table says what becomes of each where it stands; what it
 * does not name is copied. Source: linux/netfilter/nf_tables.h. */
#include "target/nft/load/kept_write.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "target/nft/model/kernel_names.h"

/* Where an attribute stands. */
enum kept_place { PLACE_COPY, PLACE_TABLE, PLACE_CHAIN, PLACE_RULE, PLACE_SET, PLACE_ELEMENTS, PLACE_OBJECT,
	     PLACE_EXPRESSION_LIST, PLACE_EXPRESSION, PLACE_IMMEDIATE, PLACE_LOOKUP, PLACE_DYNSET, PLACE_OBJREF,
	     PLACE_DATA, PLACE_VERDICT, PLACE_ELEMENT_LIST, PLACE_ELEMENT };

enum action {
	ACTION_DROP,
	ACTION_OWN_CHAIN,  /* the name of the chain that is made, or gets the rule; in its place the id of an
			      anonymous one as attribute `detail` */
	ACTION_CHAIN,      /* of a chain that is entered; likewise */
	ACTION_SET,        /* of a set; with the id of an anonymous one as attribute `detail` */
	ACTION_OBJECT,     /* of an object */
	ACTION_NEST,       /* attributes of the place `detail` */
	ACTION_EXPRESSION, /* attributes of the kind of expression that the name before it says */
};

struct row {
	enum kept_place place;
	uint16_t attribute;
	enum action action;
	uint16_t detail;
};

static const struct row rows[] = {
	{ PLACE_TABLE, NFTA_TABLE_USE, ACTION_DROP },
	{ PLACE_TABLE, NFTA_TABLE_HANDLE, ACTION_DROP },
	{ PLACE_TABLE, NFTA_TABLE_OWNER, ACTION_DROP },
	{ PLACE_CHAIN, NFTA_CHAIN_HANDLE, ACTION_DROP },
	{ PLACE_CHAIN, NFTA_CHAIN_NAME, ACTION_OWN_CHAIN, NFTA_CHAIN_ID },
	{ PLACE_CHAIN, NFTA_CHAIN_USE, ACTION_DROP },
	{ PLACE_CHAIN, NFTA_CHAIN_COUNTERS, ACTION_DROP },
	{ PLACE_CHAIN, NFTA_CHAIN_ID, ACTION_DROP },
	{ PLACE_RULE, NFTA_RULE_CHAIN, ACTION_OWN_CHAIN, NFTA_RULE_CHAIN_ID },
	{ PLACE_RULE, NFTA_RULE_HANDLE, ACTION_DROP },
	{ PLACE_RULE, NFTA_RULE_EXPRESSIONS, ACTION_NEST, PLACE_EXPRESSION_LIST },
	{ PLACE_RULE, NFTA_RULE_POSITION, ACTION_DROP },
	{ PLACE_SET, NFTA_SET_NAME, ACTION_SET, NFTA_SET_ID },
	{ PLACE_SET, NFTA_SET_HANDLE, ACTION_DROP },
	{ PLACE_SET, 19, ACTION_DROP }, /* NFTA_SET_TYPE of Linux 6.14: what the kernel chose */
	{ PLACE_SET, 20, ACTION_DROP }, /* NFTA_SET_COUNT of the same */
	{ PLACE_ELEMENTS, NFTA_SET_ELEM_LIST_SET, ACTION_SET, NFTA_SET_ELEM_LIST_SET_ID },
	{ PLACE_ELEMENTS, NFTA_SET_ELEM_LIST_ELEMENTS, ACTION_NEST, PLACE_ELEMENT_LIST },
	{ PLACE_OBJECT, NFTA_OBJ_NAME, ACTION_OBJECT },
	{ PLACE_OBJECT, NFTA_OBJ_USE, ACTION_DROP },
	{ PLACE_OBJECT, NFTA_OBJ_HANDLE, ACTION_DROP },
	{ PLACE_EXPRESSION_LIST, NFTA_LIST_ELEM, ACTION_NEST, PLACE_EXPRESSION },
	{ PLACE_EXPRESSION, NFTA_EXPR_DATA, ACTION_EXPRESSION },
	{ PLACE_IMMEDIATE, NFTA_IMMEDIATE_DATA, ACTION_NEST, PLACE_DATA },
	{ PLACE_LOOKUP, NFTA_LOOKUP_SET, ACTION_SET, NFTA_LOOKUP_SET_ID },
	{ PLACE_DYNSET, NFTA_DYNSET_SET_NAME, ACTION_SET, NFTA_DYNSET_SET_ID },
	{ PLACE_OBJREF, NFTA_OBJREF_IMM_NAME, ACTION_OBJECT },
	{ PLACE_OBJREF, NFTA_OBJREF_SET_NAME, ACTION_SET, NFTA_OBJREF_SET_ID },
	{ PLACE_DATA, NFTA_DATA_VERDICT, ACTION_NEST, PLACE_VERDICT },
	{ PLACE_VERDICT, NFTA_VERDICT_CHAIN, ACTION_CHAIN, NFTA_VERDICT_CHAIN_ID },
	{ PLACE_ELEMENT_LIST, NFTA_LIST_ELEM, ACTION_NEST, PLACE_ELEMENT },
	{ PLACE_ELEMENT, NFTA_SET_ELEM_DATA, ACTION_NEST, PLACE_DATA },
};

static const struct {
	const char *name;
	enum kept_place place;
} expressions[] = {
	{ "dynset", PLACE_DYNSET },
	{ "immediate", PLACE_IMMEDIATE },
	{ "lookup", PLACE_LOOKUP },
	{ "objref", PLACE_OBJREF },
};

struct copying {
	struct nlmsghdr *header;
	const struct nft_naming *naming;
	const struct nft_kept_table *table;
	const char *chain; /* the name of the chain that is made, or gets the rule */
};

static const struct row *row_of(enum kept_place place, uint16_t attribute)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].place == place && rows[i].attribute == attribute)
			return &rows[i];
	return NULL;
}

static enum kept_place place_of_expression(const char *name)
{
	for (size_t i = 0; name != NULL && i < sizeof expressions / sizeof expressions[0]; i++)
		if (strcmp(name, expressions[i].name) == 0)
			return expressions[i].place;
	return PLACE_COPY;
}

/* final: the name to be given, or NULL: that of a chain that is no base chain. */
static void put_chain(const struct copying *copying, const struct nlattr *attribute, uint16_t id,
		      const char *final)
{
	const char *name = mnl_attr_get_str(attribute);
	const struct nft_chain *chain = names_find(copying->table->chains, name, strlen(name));
	struct nft_name room;
	if (chain != NULL && chain->kept->is_anonymous)
		mnl_attr_put_u32(copying->header, id, htonl(chain->kept->id));
	else
		mnl_attr_put_strz(copying->header, mnl_attr_get_type(attribute),
				  final != NULL ? final : nft_name_suffixed(copying->naming, &room, name));
}

static void put_object(const struct copying *copying, const struct nlattr *attribute)
{
	struct nft_name room;
	mnl_attr_put_strz(copying->header, mnl_attr_get_type(attribute),
			  nft_name_of_object(copying->naming, &room, mnl_attr_get_str(attribute)));
}

/* "__set12" asks for the name "__set%d". */
static void put_anonymous(const struct copying *copying, const struct nlattr *attribute,
			  const struct nft_set *set, uint16_t id)
{
	struct nft_name room;
	size_t length = strnlen(set->name, sizeof room.bytes - 3);
	while (length > 0 && isdigit((unsigned char)set->name[length - 1]))
		length--;
	memcpy(room.bytes, set->name, length);
	memcpy(room.bytes + length, "%d", sizeof "%d");
	mnl_attr_put_strz(copying->header, mnl_attr_get_type(attribute), room.bytes);
	mnl_attr_put_u32(copying->header, id, htonl(set->kept->id));
}

static void put_set(const struct copying *copying, const struct nlattr *attribute, uint16_t id)
{
	const char *name = mnl_attr_get_str(attribute);
	const struct nft_set *set = names_find(copying->table->sets, name, strlen(name));
	struct nft_name room;
	if (set != NULL && set->kept->is_anonymous) {
		put_anonymous(copying, attribute, set, id);
		return;
	}
	mnl_attr_put_strz(copying->header, mnl_attr_get_type(attribute),
			  nft_name_suffixed(copying->naming, &room, name));
	if (id == NFTA_SET_ID && set != NULL)
		mnl_attr_put_u32(copying->header, id, htonl(set->kept->id));
}

static void copy(const struct copying *copying, const struct nlattr *first, int left, enum kept_place place);

static void copy_nested(const struct copying *copying, const struct nlattr *attribute, enum kept_place place)
{
	struct nlattr *nest = mnl_attr_nest_start(copying->header, mnl_attr_get_type(attribute));
	copy(copying, mnl_attr_get_payload(attribute), mnl_attr_get_payload_len(attribute), place);
	mnl_attr_nest_end(copying->header, nest);
}

/* expression: the name before it, or NULL. */
static void copy_one(const struct copying *copying, const struct nlattr *attribute, const struct row *row,
		     const char *expression)
{
	switch (row->action) {
	case ACTION_DROP:
		break;
	case ACTION_OWN_CHAIN:
		put_chain(copying, attribute, row->detail, copying->chain);
		break;
	case ACTION_CHAIN:
		put_chain(copying, attribute, row->detail, NULL);
		break;
	case ACTION_SET:
		put_set(copying, attribute, row->detail);
		break;
	case ACTION_OBJECT:
		put_object(copying, attribute);
		break;
	case ACTION_NEST:
		copy_nested(copying, attribute, row->detail);
		break;
	case ACTION_EXPRESSION:
		copy_nested(copying, attribute, place_of_expression(expression));
		break;
	}
}

static bool is_text(const struct nlattr *attribute)
{
	return mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0;
}

/* A name that is none is copied as it is: the kernel refuses it. */
static bool is_copied(const struct nlattr *attribute, const struct row *row)
{
	return row == NULL || ((row->action == ACTION_CHAIN || row->action == ACTION_OWN_CHAIN ||
				row->action == ACTION_SET || row->action == ACTION_OBJECT) &&
			       !is_text(attribute));
}

/* No deeper than the table above. */
static void copy(const struct copying *copying, const struct nlattr *first, int left, enum kept_place place)
{
	const char *expression = NULL;
	for (const struct nlattr *attribute = first; mnl_attr_ok(attribute, left);
	     left -= (int)MNL_ALIGN(attribute->nla_len), attribute = mnl_attr_next(attribute)) {
		const struct row *row = row_of(place, mnl_attr_get_type(attribute));
		if (place == PLACE_EXPRESSION && mnl_attr_get_type(attribute) == NFTA_EXPR_NAME &&
		    is_text(attribute))
			expression = mnl_attr_get_str(attribute);
		if (is_copied(attribute, row))
			mnl_attr_put(copying->header, attribute->nla_type, mnl_attr_get_payload_len(attribute),
				     mnl_attr_get_payload(attribute));
		else
			copy_one(copying, attribute, row, expression);
	}
}

static enum kept_place place_of_message(const struct nlmsghdr *message)
{
	switch (message->nlmsg_type & 0xff) {
	case NFT_MSG_NEWTABLE:
		return PLACE_TABLE;
	case NFT_MSG_NEWCHAIN:
		return PLACE_CHAIN;
	case NFT_MSG_NEWRULE:
		return PLACE_RULE;
	case NFT_MSG_NEWSET:
		return PLACE_SET;
	case NFT_MSG_NEWSETELEM:
		return PLACE_ELEMENTS;
	case NFT_MSG_NEWOBJ:
		return PLACE_OBJECT;
	}
	return PLACE_COPY;
}

void nft_kept_put(struct nlmsghdr *header, const struct nft_naming *naming, const struct nft_kept_table *table,
		  const struct nlmsghdr *kept, const char *chain)
{
	const struct copying copying = { header, naming, table, chain };
	const struct nlattr *first = mnl_nlmsg_get_payload_offset(kept, sizeof(struct nfgenmsg));
	const char *end = mnl_nlmsg_get_payload_tail(kept);
	copy(&copying, first, (int)(end - (const char *)first), place_of_message(kept));
}
