/* Messages become a model. A name that is made again is looked up, not doubled; what is taken away
 * goes from the lists. Messages that only ask are none of a reading. */
#include "target/nft/read/read.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/read/expression.h"

/* nft's user data: type, length, value. Types of comments (nft 1.0.6, enum nftnl_udata_*_types). */
enum { USERDATA_COMMENT = 0, USERDATA_SET_COMMENT = 7 };
/* Messages of newer kernels than the headers (linux 6.3): take away what may not be there. */
enum { DESTROY_TABLE = 26, DESTROY_CHAIN, DESTROY_RULE, DESTROY_SET, DESTROY_ELEMENTS, DESTROY_OBJECT };

struct reader {
	struct nft_read *read;
	struct arena *arena;
	const struct nlmsghdr *header;
	uint8_t family;
};

static bool fail(const struct reader *reader, const char *what, const char *name)
{
	if (reader->read->problem == NULL)
		reader->read->problem = pool_format(reader->read->pool, "%s%s%s", what,
						    name == NULL ? "" : " ", name == NULL ? "" : name);
	return false;
}

struct nft_read *nft_read_new(void *pool)
{
	struct nft_read *read = pool_new(pool, struct nft_read);
	read->pool = read;
	read->arena = arena_new(read);
	return read;
}

/* --- finding ---------------------------------------------------------------------------------------- */

const struct read_table *nft_read_table(const struct nft_read *read, uint8_t family, const char *name)
{
	for (size_t i = 0; i < read->tables_count; i++)
		if (read->tables[i]->family == family && strcmp(read->tables[i]->name, name) == 0)
			return read->tables[i];
	return NULL;
}

struct read_chain *read_chain_find(const struct read_table *table, const char *name)
{
	return names_find(table->chain_names, name, strlen(name));
}

struct read_set *read_set_find(const struct read_table *table, const char *name)
{
	return names_find(table->set_names, name, strlen(name));
}

/* Sets without a name are "__set%d" to all rules of their batch. */
static bool is_pattern(const char *name)
{
	return strchr(name, '%') != NULL;
}

struct read_set *read_set_of(const struct read_table *table, const char *name, uint32_t id)
{
	if (!is_pattern(name))
		return read_set_find(table, name);
	for (size_t i = 0; i < table->sets_count; i++)
		if (id != 0 && table->sets[i]->id == id)
			return table->sets[i];
	return NULL;
}

struct object_key {
	uint32_t type;
	char name[256]; /* NFT_OBJ_MAXNAMELEN */
};

static size_t object_key(struct object_key *key, uint32_t type, const char *name)
{
	size_t length = strnlen(name, sizeof key->name);
	key->type = type;
	memcpy(key->name, name, length);
	return sizeof key->type + length;
}

struct read_object *read_object_find(const struct read_table *table, uint32_t type, const char *name)
{
	struct object_key key;
	size_t length = object_key(&key, type, name);
	return names_find(table->object_names, (const char *)&key, length);
}

/* --- attributes of a message ------------------------------------------------------------------------ */

#define ATTRIBUTES_MAX 32
#define READ_SET_COUNT 20 /* NFTA_SET_COUNT of Linux 6.14 */

struct attributes {
	const struct nlattr *of[ATTRIBUTES_MAX];
};

static struct attributes attributes_of(const struct reader *reader)
{
	struct attributes attributes = { 0 };
	const struct nlattr *attribute;
	read_each(attribute, reader->header) {
		uint16_t type = mnl_attr_get_type(attribute);
		if (type < ATTRIBUTES_MAX)
			attributes.of[type] = attribute;
	}
	return attributes;
}

static struct attributes nested_of(const struct nlattr *nest)
{
	struct attributes attributes = { 0 };
	const struct nlattr *attribute;
	read_each_nested(attribute, nest) {
		uint16_t type = mnl_attr_get_type(attribute);
		if (type < ATTRIBUTES_MAX)
			attributes.of[type] = attribute;
	}
	return attributes;
}

static uint64_t number_of(const struct attributes *attributes, uint16_t number, uint64_t otherwise)
{
	uint64_t value;
	if (attributes->of[number] == NULL || !read_number_parse(attributes->of[number], &value))
		return otherwise;
	return value;
}

static const char *string_of(const struct reader *reader, const struct attributes *attributes, uint16_t number)
{
	const char *string;
	if (attributes->of[number] == NULL ||
	    !read_string_parse(reader->arena, attributes->of[number], &string))
		return NULL;
	return string;
}

/* The comment of nft's user data, or NULL. */
static const char *comment_of(const struct reader *reader, const struct attributes *attributes,
			      uint16_t number, uint8_t type)
{
	const struct nlattr *attribute = attributes->of[number];
	if (attribute == NULL)
		return NULL;
	const uint8_t *bytes = mnl_attr_get_payload(attribute);
	size_t length = mnl_attr_get_payload_len(attribute);
	for (size_t at = 0; at + 2 <= length && at + 2 + bytes[at + 1] <= length; at += 2u + bytes[at + 1]) {
		const char *text = (const char *)bytes + at + 2;
		size_t text_length = strnlen(text, bytes[at + 1]);
		if (bytes[at] == type && text_length < bytes[at + 1])
			return arena_copy(reader->arena, text, text_length + 1);
	}
	return NULL;
}

/* --- tables ----------------------------------------------------------------------------------------- */

static struct read_table *table_of(const struct reader *reader, const struct attributes *attributes)
{
	const char *name = string_of(reader, attributes, NFTA_TABLE_NAME); /* 1 in all messages */
	if (name == NULL)
		return NULL;
	for (size_t i = 0; i < reader->read->tables_count; i++)
		if (reader->read->tables[i]->family == reader->family &&
		    strcmp(reader->read->tables[i]->name, name) == 0)
			return reader->read->tables[i];
	return NULL;
}

static bool new_table(struct reader *reader, const struct attributes *attributes)
{
	struct read_table *table = table_of(reader, attributes);
	const char *name = string_of(reader, attributes, NFTA_TABLE_NAME);
	if (name == NULL)
		return fail(reader, "a table without a name", NULL);
	if (table == NULL) {
		table = pool_new(reader->read->pool, struct read_table);
		table->family = reader->family;
		table->name = name;
		table->chain_names = names_new(table, false);
		table->set_names = names_new(table, false);
		table->object_names = names_new(table, false);
		*pool_append(reader->read->pool, reader->read, tables) = table;
	}
	table->flags = (uint32_t)number_of(attributes, NFTA_TABLE_FLAGS, table->flags);
	return true;
}

static bool delete_table(struct reader *reader, const struct attributes *attributes)
{
	struct nft_read *read = reader->read;
	const struct read_table *table = table_of(reader, attributes);
	for (size_t i = 0; i < read->tables_count && table != NULL; i++) {
		if (read->tables[i] != table)
			continue;
		read->tables_count--;
		memmove(&read->tables[i], &read->tables[i + 1],
			(read->tables_count - i) * sizeof *read->tables);
		break;
	}
	return true;
}

/* --- chains ----------------------------------------------------------------------------------------- */

static bool read_hook(const struct reader *reader, const struct nlattr *nest, struct read_chain *chain)
{
	struct attributes hook = nested_of(nest);
	chain->is_base = true;
	chain->hook = (uint32_t)number_of(&hook, NFTA_HOOK_HOOKNUM, UINT32_MAX);
	chain->priority = (int32_t)(uint32_t)number_of(&hook, NFTA_HOOK_PRIORITY, 0);
	if (hook.of[NFTA_HOOK_HOOKNUM] == NULL || hook.of[NFTA_HOOK_PRIORITY] == NULL)
		return fail(reader, "a base chain without hook and priority:", chain->name);
	return true;
}

static bool new_chain(struct reader *reader, const struct attributes *attributes)
{
	struct read_table *table = table_of(reader, attributes);
	const char *name = string_of(reader, attributes, NFTA_CHAIN_NAME);
	if (table == NULL || name == NULL)
		return fail(reader, "a chain without a table or a name", name);
	struct read_chain *chain = read_chain_find(table, name);
	if (chain != NULL) { /* an update: only the policy can change */
		chain->policy = (uint32_t)number_of(attributes, NFTA_CHAIN_POLICY, chain->policy);
		return true;
	}
	chain = pool_new(table, struct read_chain);
	*pool_append(table, table, chains) = chain;
	names_set(table->chain_names, name, strlen(name), chain);
	chain->name = name;
	chain->comment = comment_of(reader, attributes, NFTA_CHAIN_USERDATA, USERDATA_COMMENT);
	chain->policy = (uint32_t)number_of(attributes, NFTA_CHAIN_POLICY, NF_ACCEPT);
	chain->type = string_of(reader, attributes, NFTA_CHAIN_TYPE);
	if (attributes->of[NFTA_CHAIN_HOOK] == NULL)
		return true;
	if (chain->type == NULL)
		chain->type = "filter"; /* the kernel's own choice */
	return read_hook(reader, attributes->of[NFTA_CHAIN_HOOK], chain);
}

static bool delete_chain(struct reader *reader, const struct attributes *attributes)
{
	struct read_table *table = table_of(reader, attributes);
	const char *name = string_of(reader, attributes, NFTA_CHAIN_NAME);
	if (table == NULL || name == NULL)
		return fail(reader, "a chain is taken away that cannot be found", name);
	const struct read_chain *chain = names_set(table->chain_names, name, strlen(name), NULL);
	for (size_t i = 0; i < table->chains_count && chain != NULL; i++) {
		if (table->chains[i] != chain)
			continue;
		table->chains_count--;
		memmove(&table->chains[i], &table->chains[i + 1],
			(table->chains_count - i) * sizeof *table->chains);
		break;
	}
	return true;
}

/* --- rules ------------------------------------------------------------------------------------------ */

static bool new_rule(struct reader *reader, const struct attributes *attributes)
{
	struct read_table *table = table_of(reader, attributes);
	const char *name = string_of(reader, attributes, NFTA_RULE_CHAIN);
	struct read_chain *chain = table == NULL || name == NULL ? NULL : read_chain_find(table, name);
	if (chain == NULL)
		return fail(reader, "a rule without a chain", name);
	bool is_elsewhere = attributes->of[NFTA_RULE_POSITION_ID] != NULL ||
			    (reader->header->nlmsg_flags & NLM_F_REPLACE) != 0 ||
			    (reader->read->generation == 0 && attributes->of[NFTA_RULE_POSITION] != NULL);
	if (is_elsewhere)
		return fail(reader, "a rule is put between others in chain", name);
	struct read_rule rule = {
		.handle = number_of(attributes, NFTA_RULE_HANDLE, 0),
		.comment = comment_of(reader, attributes, NFTA_RULE_USERDATA, USERDATA_COMMENT),
	};
	if (attributes->of[NFTA_RULE_EXPRESSIONS] != NULL &&
	    !read_expressions_parse(reader->arena, attributes->of[NFTA_RULE_EXPRESSIONS], &rule.expressions))
		return fail(reader, "a rule with a malformed expression in chain", name);
	struct read_rule *place = pool_append(table, chain, rules);
	bool is_appended = reader->read->generation != 0 ||
			   (reader->header->nlmsg_flags & NLM_F_APPEND) != 0;
	if (!is_appended) {
		memmove(chain->rules + 1, chain->rules, (chain->rules_count - 1) * sizeof *chain->rules);
		place = chain->rules;
	}
	*place = rule;
	return true;
}

static bool delete_rules(struct reader *reader, const struct attributes *attributes)
{
	const struct read_table *table = table_of(reader, attributes);
	const char *name = string_of(reader, attributes, NFTA_RULE_CHAIN);
	if (table == NULL)
		return fail(reader, "rules are taken away from a table that is not there", NULL);
	if (attributes->of[NFTA_RULE_HANDLE] != NULL || attributes->of[NFTA_RULE_ID] != NULL)
		return fail(reader, "a single rule is taken away from chain", name);
	for (size_t i = 0; i < table->chains_count; i++)
		if (name == NULL || strcmp(table->chains[i]->name, name) == 0)
			table->chains[i]->rules_count = 0;
	return true;
}

/* --- sets ------------------------------------------------------------------------------------------- */

static bool read_field_lengths(const struct reader *reader, const struct nlattr *nest, struct read_set *set)
{
	const struct nlattr *field;
	read_each_nested(field, nest) {
		struct attributes attributes = nested_of(field);
		uint64_t length = number_of(&attributes, NFTA_SET_FIELD_LEN, 0);
		if (set->fields_count == READ_FIELDS_MAX || length == 0 || length > UINT8_MAX)
			return fail(reader, "a set with malformed fields:", set->name);
		set->field_lengths[set->fields_count++] = (uint8_t)length;
	}
	return true;
}

static bool read_set_expressions(const struct reader *reader, const struct attributes *attributes,
				 uint16_t one, uint16_t list, struct read_expressions *expressions)
{
	if (attributes->of[list] != NULL)
		return read_expressions_parse(reader->arena, attributes->of[list], expressions);
	if (attributes->of[one] == NULL)
		return true;
	struct read_expression *only = arena_new_item(reader->arena, struct read_expression);
	*expressions = (struct read_expressions){ only, 1 };
	return read_expression_parse(reader->arena, attributes->of[one], only);
}

static void read_set_numbers(const struct reader *reader, const struct attributes *attributes,
			     struct read_set *set)
{
	set->id = (uint32_t)number_of(attributes, NFTA_SET_ID, 0);
	set->flags = (uint32_t)number_of(attributes, NFTA_SET_FLAGS, 0);
	set->key_type = (uint32_t)number_of(attributes, NFTA_SET_KEY_TYPE, 0);
	set->key_length = (uint32_t)number_of(attributes, NFTA_SET_KEY_LEN, 0);
	set->data_type = (uint32_t)number_of(attributes, NFTA_SET_DATA_TYPE, 0);
	set->data_length = (uint32_t)number_of(attributes, NFTA_SET_DATA_LEN, 0);
	set->timeout_ms = number_of(attributes, NFTA_SET_TIMEOUT, 0);
	set->count = (uint32_t)number_of(attributes, READ_SET_COUNT, 0);
	set->comment = comment_of(reader, attributes, NFTA_SET_USERDATA, USERDATA_SET_COMMENT);
}

static bool new_set(struct reader *reader, const struct attributes *attributes)
{
	struct read_table *table = table_of(reader, attributes);
	const char *name = string_of(reader, attributes, NFTA_SET_NAME);
	if (table == NULL || name == NULL)
		return fail(reader, "a set without a table or a name", name);
	if (!is_pattern(name) && read_set_find(table, name) != NULL)
		return true;
	struct read_set *set = pool_new(table, struct read_set);
	*pool_append(table, table, sets) = set;
	set->name = name;
	if (!is_pattern(name))
		names_set(table->set_names, name, strlen(name), set);
	read_set_numbers(reader, attributes, set);
	if (!read_set_expressions(reader, attributes, NFTA_SET_EXPR, NFTA_SET_EXPRESSIONS, &set->expressions))
		return fail(reader, "a malformed expression in set", name);
	if (attributes->of[NFTA_SET_DESC] == NULL)
		return true;
	struct attributes description = nested_of(attributes->of[NFTA_SET_DESC]);
	set->size = (uint32_t)number_of(&description, NFTA_SET_DESC_SIZE, 0);
	return description.of[NFTA_SET_DESC_CONCAT] == NULL ||
	       read_field_lengths(reader, description.of[NFTA_SET_DESC_CONCAT], set);
}

static struct read_set *set_of(const struct reader *reader, const struct attributes *attributes,
			       uint16_t name_at, uint16_t id_at)
{
	const struct read_table *table = table_of(reader, attributes);
	const char *name = string_of(reader, attributes, name_at);
	if (table == NULL || name == NULL)
		return NULL;
	return read_set_of(table, name, id_at == 0 ? 0 : (uint32_t)number_of(attributes, id_at, 0));
}

static bool delete_set(struct reader *reader, const struct attributes *attributes)
{
	struct read_table *table = table_of(reader, attributes);
	const struct read_set *set = set_of(reader, attributes, NFTA_SET_NAME, NFTA_SET_ID);
	if (set == NULL)
		return fail(reader, "a set is taken away that cannot be found", NULL);
	names_set(table->set_names, set->name, strlen(set->name), NULL);
	for (size_t i = 0; i < table->sets_count; i++) {
		if (table->sets[i] != set)
			continue;
		table->sets_count--;
		memmove(&table->sets[i], &table->sets[i + 1], (table->sets_count - i) * sizeof *table->sets);
		break;
	}
	return true;
}

/* --- elements --------------------------------------------------------------------------------------- */

_Static_assert(READ_CATCH_ALL == NFT_SET_ELEM_CATCHALL, "the kernel's flag");
#define MORES_MAX (UINT32_C(1) << READ_MORE_BITS)

void read_element_give(void *pool, struct read_set *set, struct read_element *element,
		       const struct read_more *more)
{
	element->more = read_element_flags(element) << READ_MORE_BITS | (uint32_t)set->mores_count;
	*pool_append(pool, set, mores) = more;
}

void read_set_empty(struct read_set *set)
{
	set->elements_count = set->keys_count = set->mores_count = 0;
}

static bool read_key(const struct reader *reader, const struct nlattr *attribute, struct read_set *set,
		     struct read_element *element)
{
	struct read_data key = { 0 };
	if ((read_element_flags(element) & NFT_SET_ELEM_CATCHALL) != 0)
		return attribute == NULL;
	if (attribute == NULL || !read_data_peek(reader->arena, attribute, &key) || key.is_verdict ||
	    key.length != set->key_length)
		return false;
	if (key.length <= sizeof element->small) {
		memcpy(element->small, key.bytes, key.length);
		return true;
	}
	element->number = (uint32_t)(set->keys_count / key.length);
	set->keys = pool_room(reader->read->pool, set->keys, &set->keys_capacity, set->keys_count + key.length, 1);
	memcpy(set->keys + set->keys_count, key.bytes, key.length);
	set->keys_count += key.length;
	return true;
}

/* An attribute beside the key and the flags. */
static bool has_more(const struct attributes *attributes)
{
	for (unsigned i = 0; i < ATTRIBUTES_MAX; i++)
		if (i != NFTA_SET_ELEM_KEY && i != NFTA_SET_ELEM_FLAGS && attributes->of[i] != NULL)
			return true;
	return false;
}

static bool read_more(const struct reader *reader, const struct attributes *attributes, uint32_t key_length,
		      struct read_more *more)
{
	struct read_data end = { 0 };
	more->timeout_ms = number_of(attributes, NFTA_SET_ELEM_TIMEOUT, 0);
	more->object = string_of(reader, attributes, NFTA_SET_ELEM_OBJREF);
	more->comment = comment_of(reader, attributes, NFTA_SET_ELEM_USERDATA, USERDATA_COMMENT);
	if (attributes->of[NFTA_SET_ELEM_KEY_END] != NULL &&
	    !read_data_parse(reader->arena, attributes->of[NFTA_SET_ELEM_KEY_END], &end))
		return false;
	if (attributes->of[NFTA_SET_ELEM_DATA] != NULL &&
	    !read_data_parse(reader->arena, attributes->of[NFTA_SET_ELEM_DATA], &more->value))
		return false;
	more->key_end = end.bytes;
	if (end.bytes != NULL && end.length != key_length)
		return false;
	return read_set_expressions(reader, attributes, NFTA_SET_ELEM_EXPR, NFTA_SET_ELEM_EXPRESSIONS,
				    &more->expressions);
}

#define VALUES_REMEMBERED 8

/* What elements of one message have been read to: a map's are few, and mostly the same. */
struct values {
	const struct nlattr *attributes[VALUES_REMEMBERED]; /* in the message */
	uint32_t more[VALUES_REMEMBERED];
	size_t count; /* of all that were put in; the oldest go */
};

/* Its number among the set's; 0: not known. */
static uint32_t value_find(const struct values *values, const struct nlattr *attribute)
{
	for (size_t i = 0; i < values->count && i < VALUES_REMEMBERED; i++)
		if (values->attributes[i]->nla_len == attribute->nla_len &&
		    memcmp(values->attributes[i], attribute, attribute->nla_len) == 0)
			return values->more[i];
	return 0;
}

static void value_put(struct values *values, const struct nlattr *attribute, uint32_t more)
{
	size_t place = values->count++ % VALUES_REMEMBERED;
	values->attributes[place] = attribute;
	values->more[place] = more;
}

static bool read_element(const struct reader *reader, const struct nlattr *nest, struct read_set *set,
			 struct values *values, struct read_element *element)
{
	struct attributes attributes = nested_of(nest);
	uint64_t flags = number_of(&attributes, NFTA_SET_ELEM_FLAGS, 0);
	if (flags >> (32 - READ_MORE_BITS) != 0 || set->mores_count == MORES_MAX)
		return false;
	element->more = (uint32_t)flags << READ_MORE_BITS;
	if (!read_key(reader, attributes.of[NFTA_SET_ELEM_KEY], set, element))
		return false;
	if (!has_more(&attributes))
		return true;
	const struct nlattr *value = attributes.of[NFTA_SET_ELEM_DATA];
	attributes.of[NFTA_SET_ELEM_DATA] = NULL;
	bool is_value = value != NULL && !has_more(&attributes);
	attributes.of[NFTA_SET_ELEM_DATA] = value;
	uint32_t known = is_value ? value_find(values, value) : 0;
	if (known != 0) {
		element->more |= known;
		return true;
	}
	struct read_more *more = arena_new_item(reader->arena, struct read_more);
	if (is_value)
		value_put(values, value, (uint32_t)set->mores_count);
	read_element_give(reader->read->pool, set, element, more);
	return read_more(reader, &attributes, read_element_length(set, element), more);
}

static bool new_elements(struct reader *reader, const struct attributes *attributes)
{
	static const struct read_more nothing;
	struct read_set *set = set_of(reader, attributes, NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_SET_ID);
	const struct nlattr *nest = attributes->of[NFTA_SET_ELEM_LIST_ELEMENTS], *attribute;
	if (set == NULL)
		return fail(reader, "elements without a set", NULL);
	if (nest == NULL)
		return true;
	struct values values = { .count = 0 };
	if (set->mores_count == 0)
		*pool_append(reader->read->pool, set, mores) = &nothing;
	read_each_nested(attribute, nest) {
		struct read_element element = { 0 };
		if (!read_element(reader, attribute, set, &values, &element))
			return fail(reader, "a malformed element in set", set->name);
		*pool_append(reader->read->pool, set, elements) = element;
	}
	return true;
}

static bool delete_elements(struct reader *reader, const struct attributes *attributes)
{
	struct read_set *set = set_of(reader, attributes, NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_SET_ID);
	if (set == NULL)
		return fail(reader, "elements are taken away from a set that cannot be found", NULL);
	if (attributes->of[NFTA_SET_ELEM_LIST_ELEMENTS] != NULL)
		return fail(reader, "single elements are taken away from set", set->name);
	read_set_empty(set);
	return true;
}

/* --- objects ---------------------------------------------------------------------------------------- */

static bool new_object(struct reader *reader, const struct attributes *attributes)
{
	struct read_table *table = table_of(reader, attributes);
	const char *name = string_of(reader, attributes, NFTA_OBJ_NAME);
	uint32_t type = (uint32_t)number_of(attributes, NFTA_OBJ_TYPE, 0);
	struct object_key key;
	if (table == NULL || name == NULL)
		return fail(reader, "an object without a table or a name", name);
	if (read_object_find(table, type, name) != NULL)
		return true;
	struct read_object *object = pool_new(table, struct read_object);
	*pool_append(table, table, objects) = object;
	names_set(table->object_names, (const char *)&key, object_key(&key, type, name), object);
	object->name = name;
	object->type = type;
	object->comment = comment_of(reader, attributes, NFTA_OBJ_USERDATA, USERDATA_COMMENT);
	object->content.name = "object";
	if (attributes->of[NFTA_OBJ_DATA] != NULL &&
	    !read_object_parse(reader->arena, type, attributes->of[NFTA_OBJ_DATA], &object->content))
		return fail(reader, "a malformed object", name);
	return true;
}

static bool delete_object(struct reader *reader, const struct attributes *attributes)
{
	struct read_table *table = table_of(reader, attributes);
	const char *name = string_of(reader, attributes, NFTA_OBJ_NAME);
	uint32_t type = (uint32_t)number_of(attributes, NFTA_OBJ_TYPE, 0);
	struct object_key key;
	if (table == NULL || name == NULL)
		return fail(reader, "an object is taken away that cannot be found", name);
	const struct read_object *object =
		names_set(table->object_names, (const char *)&key, object_key(&key, type, name), NULL);
	for (size_t i = 0; i < table->objects_count && object != NULL; i++) {
		if (table->objects[i] != object)
			continue;
		table->objects_count--;
		memmove(&table->objects[i], &table->objects[i + 1],
			(table->objects_count - i) * sizeof *table->objects);
		break;
	}
	return true;
}

/* --- messages --------------------------------------------------------------------------------------- */

typedef bool (*message_reader)(struct reader *reader, const struct attributes *attributes);

static const struct {
	uint8_t type;
	message_reader read;
} messages[] = {
	{ NFT_MSG_NEWTABLE, new_table },       { NFT_MSG_DELTABLE, delete_table },
	{ NFT_MSG_NEWCHAIN, new_chain },       { NFT_MSG_DELCHAIN, delete_chain },
	{ NFT_MSG_NEWRULE, new_rule },         { NFT_MSG_DELRULE, delete_rules },
	{ NFT_MSG_NEWSET, new_set },           { NFT_MSG_DELSET, delete_set },
	{ NFT_MSG_NEWSETELEM, new_elements },  { NFT_MSG_DELSETELEM, delete_elements },
	{ NFT_MSG_NEWOBJ, new_object },        { NFT_MSG_DELOBJ, delete_object },
	{ DESTROY_TABLE, delete_table },       { DESTROY_CHAIN, delete_chain },
	{ DESTROY_RULE, delete_rules },        { DESTROY_SET, delete_set },
	{ DESTROY_ELEMENTS, delete_elements }, { DESTROY_OBJECT, delete_object },
};

void nft_read_message(struct nft_read *read, const struct nlmsghdr *header)
{
	struct reader reader = { .read = read, .arena = read->arena, .header = header };
	uint8_t type = (uint8_t)(header->nlmsg_type & 0xff);
	if (header->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
	    header->nlmsg_len < NLMSG_HDRLEN + sizeof(struct nfgenmsg)) {
		fail(&reader, "a message that is not of nf_tables", NULL);
		return;
	}
	const struct nfgenmsg *general = mnl_nlmsg_get_payload(header);
	reader.family = general->nfgen_family;
	struct attributes attributes = attributes_of(&reader);
	for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
		if (messages[i].type == type) {
			messages[i].read(&reader, &attributes);
			return;
		}
	}
	fail(&reader, pool_format(read->pool, "a message of unknown type %u", type), NULL);
}

/* --- the end ---------------------------------------------------------------------------------------- */

/* An interval's end stands before a start at the same key. */
static int compare_elements(const void *left, const void *right, void *context)
{
	const struct read_set *set = context;
	uint32_t length = read_element_length(set, left), other = read_element_length(set, right);
	if (length != other)
		return length < other ? -1 : 1;
	int order = length == 0 ? 0 : memcmp(read_element_key(set, left), read_element_key(set, right), length);
	if (order != 0)
		return order;
	const uint8_t *a_end = read_element_more(set, left)->key_end;
	const uint8_t *b_end = read_element_more(set, right)->key_end;
	order = a_end == NULL || b_end == NULL ? 0 : memcmp(a_end, b_end, length);
	if (order != 0)
		return order;
	return (int)(read_element_flags(right) & NFT_SET_ELEM_INTERVAL_END) -
	       (int)(read_element_flags(left) & NFT_SET_ELEM_INTERVAL_END);
}

/* As the messages of this program and of the kernel mostly are. */
static bool are_sorted(struct read_set *set)
{
	for (size_t i = 1; i < set->elements_count; i++)
		if (compare_elements(&set->elements[i - 1], &set->elements[i], set) > 0)
			return false;
	return true;
}

void nft_read_finish(struct nft_read *read)
{
	for (size_t i = 0; i < read->tables_count; i++) {
		const struct read_table *table = read->tables[i];
		for (size_t k = 0; k < table->sets_count; k++)
			if (!are_sorted(table->sets[k]))
				qsort_r(table->sets[k]->elements, table->sets[k]->elements_count,
					sizeof *table->sets[k]->elements, compare_elements, table->sets[k]);
	}
}
