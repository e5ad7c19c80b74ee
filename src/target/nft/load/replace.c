/* The order of a batch. What is taken away goes first, what refers to it before it: rules, then
 * elements with verdicts, sets, chains, objects. A name that was taken away may be given again in
 * the same batch: the kernel looks names up among what is active in the next generation
 * (nft_chain_lookup, nft_set_lookup, nft_obj_lookup). */
#include "target/nft/load/replace.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/batch/build.h"
#include "target/nft/batch/elements.h"
#include "target/nft/load/kept_write.h"
#include "target/nft/model/kernel_names.h"
#include "target/nft/batch/userdata.h"

struct writer {
	struct nft_batch *batch;
	const struct nft_table *table;
	const struct nft_kernel *kernel;
	struct nft_naming naming;
	size_t message_max;
	uint32_t set_id;
};

/* --- taking away --------------------------------------------------------------------------------- */

/* A message that names the table and perhaps a thing in it. */
static struct nlmsghdr *begin_named(struct nft_batch *batch, uint16_t type, const char *table,
				    uint16_t attribute, const char *name)
{
	struct nlmsghdr *header = nft_batch_begin(batch, type, 0);
	mnl_attr_put_strz(header, NFTA_TABLE_NAME, table); /* 1 in all of nf_tables' messages */
	if (name != NULL)
		mnl_attr_put_strz(header, attribute, name);
	return header;
}

static void add_named(struct nft_batch *batch, uint16_t type, const char *table, uint16_t attribute,
		      const char *name)
{
	nft_batch_end(batch, begin_named(batch, type, table, attribute, name));
}

_Static_assert(NFTA_TABLE_NAME == 1 && NFTA_CHAIN_TABLE == 1 && NFTA_RULE_TABLE == 1 &&
	       NFTA_SET_TABLE == 1 && NFTA_SET_ELEM_LIST_TABLE == 1 && NFTA_OBJ_TABLE == 1,
	       "the table's name is attribute 1 everywhere");

/* name NULL: of all chains */
static void flush_rules(struct nft_batch *batch, const char *table, const char *name)
{
	add_named(batch, NFT_MSG_DELRULE, table, NFTA_RULE_CHAIN, name);
}

static void empty_map(struct nft_batch *batch, const char *table, const struct nft_kernel_set *set)
{
	if ((set->flags & NFT_SET_MAP) != 0)
		add_named(batch, NFT_MSG_DELSETELEM, table, NFTA_SET_ELEM_LIST_SET, set->name);
}

static void delete_set(struct nft_batch *batch, const char *table, const struct nft_kernel_set *set)
{
	add_named(batch, NFT_MSG_DELSET, table, NFTA_SET_NAME, set->name);
}

static void delete_chain(struct nft_batch *batch, const char *table, const char *name)
{
	add_named(batch, NFT_MSG_DELCHAIN, table, NFTA_CHAIN_NAME, name);
}

static void delete_object(struct nft_batch *batch, const char *table,
			  const struct nft_kernel_object *object)
{
	struct nlmsghdr *header = begin_named(batch, NFT_MSG_DELOBJ, table, NFTA_OBJ_NAME, object->name);
	mnl_attr_put_u32(header, NFTA_OBJ_TYPE, htonl(object->type));
	nft_batch_end(batch, header);
}

/* Which of the kernel's things go, by their place in its lists. */
struct going {
	const struct nft_kernel *kernel;
	bool *chains, *sets, *objects;
	bool empties_maps;
};

static struct going going_new(void *pool, const struct nft_kernel *kernel, bool empties_maps)
{
	return (struct going){
		.kernel = kernel,
		.chains = pool_array(pool, bool, kernel->chains_count),
		.sets = pool_array(pool, bool, kernel->sets_count),
		.objects = pool_array(pool, bool, kernel->objects_count),
		.empties_maps = empties_maps,
	};
}

/* Rules have been taken away before. */
static void take_away(struct nft_batch *batch, const struct going *going)
{
	const struct nft_kernel *kernel = going->kernel;
	for (size_t i = 0; going->empties_maps && i < kernel->sets_count; i++)
		if (going->sets[i])
			empty_map(batch, kernel->table, &kernel->sets[i]);
	for (size_t i = 0; i < kernel->sets_count; i++)
		if (going->sets[i])
			delete_set(batch, kernel->table, &kernel->sets[i]);
	for (size_t i = 0; i < kernel->chains_count; i++)
		if (going->chains[i])
			delete_chain(batch, kernel->table, kernel->chains[i].name);
	for (size_t i = 0; i < kernel->objects_count; i++)
		if (going->objects[i])
			delete_object(batch, kernel->table, &kernel->objects[i]);
}

static void flush_going_chains(struct nft_batch *batch, const struct going *going)
{
	for (size_t i = 0; i < going->kernel->chains_count; i++)
		if (going->chains[i])
			flush_rules(batch, going->kernel->table, going->kernel->chains[i].name);
}

/* --- what stays ------------------------------------------------------------------------------------- */

static bool has_userdata(const uint8_t *bytes, uint32_t length, const char *comment)
{
	struct nft_userdata data = nft_userdata_comment(comment);
	return data.length == length && (length == 0 || memcmp(data.bytes, bytes, length) == 0);
}

/* Is the base chain in the kernel already, so that only its rules change? A comment cannot be
 * changed by adding the chain again. */
static bool chain_stays(const struct nft_kernel *kernel, const struct nft_chain *chain)
{
	const struct nft_kernel_chain *old = nft_kernel_chain_find(kernel, chain->name);
	const struct nft_kept_chain *kept = chain->kept;
	if (!chain->is_base || old == NULL || !old->is_base || old->hook != chain->hook ||
	    old->priority != chain->priority || strcmp(old->type, chain->type) != 0)
		return false;
	if (kept != NULL)
		return old->policy == kept->policy && old->userdata_length == kept->userdata_length &&
		       (kept->userdata_length == 0 ||
			memcmp(old->userdata, kept->userdata, kept->userdata_length) == 0);
	return old->policy == NF_ACCEPT &&
	       has_userdata(old->userdata, old->userdata_length, chain->comment);
}

static bool limit_stays(const struct nft_kernel *kernel, const struct nft_limit *limit)
{
	const struct nft_kernel_object *old = nft_kernel_object_find(kernel, NFT_OBJECT_LIMIT, limit->name);
	return old != NULL && old->rate == limit->limit->rate && old->unit_s == limit->limit->unit_s &&
	       old->burst == limit->limit->burst;
}

static bool helper_stays(const struct nft_kernel *kernel, const struct nft_helper *helper)
{
	const struct nft_kernel_object *old = nft_kernel_object_find(kernel, NFT_OBJECT_CT_HELPER,
								     helper->name);
	return old != NULL && old->protocol == helper->protocol && strcmp(old->helper, helper->type) == 0;
}

static bool counter_stays(const struct nft_kernel *kernel, const struct nft_counter *counter)
{
	return nft_kernel_object_find(kernel, NFT_OBJECT_COUNTER, counter->name) != NULL;
}

static bool kept_object_stays(const struct nft_kernel *kernel, const struct nft_kept_object *kept)
{
	const struct nft_kernel_object *old = nft_kernel_object_find(kernel, kept->object.type,
								     kept->object.name);
	return old != NULL && nft_kernel_object_equals(old, &kept->object);
}

static size_t kept_objects(const struct nft_table *table)
{
	return table->kept == NULL ? 0 : table->kept->objects_count;
}

static void keep_object(const struct going *going, uint32_t type, const char *name)
{
	const struct nft_kernel_object *object = nft_kernel_object_find(going->kernel, type, name);
	going->objects[object - going->kernel->objects] = false;
}

/* Objects that the table has in the same form do not go. */
static void keep_objects(struct going *going, const struct nft_table *table)
{
	const struct nft_kernel *kernel = going->kernel;
	for (size_t i = 0; i < table->counters_count; i++)
		if (counter_stays(kernel, &table->counters[i]))
			keep_object(going, NFT_OBJECT_COUNTER, table->counters[i].name);
	for (size_t i = 0; i < table->limits_count; i++)
		if (limit_stays(kernel, &table->limits[i]))
			keep_object(going, NFT_OBJECT_LIMIT, table->limits[i].name);
	for (size_t i = 0; i < table->helpers_count; i++)
		if (helper_stays(kernel, &table->helpers[i]))
			keep_object(going, NFT_OBJECT_CT_HELPER, table->helpers[i].name);
	for (size_t i = 0; i < kept_objects(table); i++)
		if (kept_object_stays(kernel, &table->kept->objects[i]))
			keep_object(going, table->kept->objects[i].object.type,
				    table->kept->objects[i].object.name);
}

/* --- making --------------------------------------------------------------------------------------------- */

/* In the kernel's own words. chain: as in nft_kept_put. */
static struct nft_message *add_kept(const struct writer *writer, uint16_t type, uint16_t flags,
				    const struct nlmsghdr *kept, const char *chain)
{
	struct nlmsghdr *header = nft_batch_begin(writer->batch, type, (uint16_t)(NLM_F_CREATE | flags));
	nft_kept_put(header, &writer->naming, writer->table->kept, kept, chain);
	return nft_batch_end(writer->batch, header);
}

static void add_table(const struct writer *writer)
{
	if (writer->table->kept != NULL) {
		add_kept(writer, NFT_MSG_NEWTABLE, 0, writer->table->kept->message, NULL);
		return;
	}
	struct nlmsghdr *header = nft_batch_begin(writer->batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	mnl_attr_put_strz(header, NFTA_TABLE_NAME, writer->naming.table);
	mnl_attr_put_u32(header, NFTA_TABLE_FLAGS, 0); /* wakes a dormant table */
	nft_batch_end(writer->batch, header);
}

static void add_object(const struct writer *writer, struct nftnl_obj *object, const char *name)
{
	struct nlmsghdr *header = nft_batch_begin(writer->batch, NFT_MSG_NEWOBJ, NLM_F_CREATE);
	nftnl_obj_nlmsg_build_payload(header, object);
	nftnl_obj_free(object);
	struct nft_message *message = nft_batch_end(writer->batch, header);
	message->kind = NFT_SUBJECT_OBJECT;
	message->subject = name;
}

static void add_kept_objects(const struct writer *writer)
{
	for (size_t i = 0; i < kept_objects(writer->table); i++) {
		const struct nft_kept_object *kept = &writer->table->kept->objects[i];
		if (kept_object_stays(writer->kernel, kept))
			continue;
		struct nft_message *message = add_kept(writer, NFT_MSG_NEWOBJ, 0, kept->message, NULL);
		message->kind = NFT_SUBJECT_OBJECT;
		message->subject = kept->object.name;
	}
}

static void add_objects(const struct writer *writer)
{
	void *pool = writer->batch->pool;
	const struct nft_table *table = writer->table;
	add_kept_objects(writer);
	for (size_t i = 0; i < table->counters_count; i++)
		if (!counter_stays(writer->kernel, &table->counters[i]))
			add_object(writer, nft_build_counter(pool, &writer->naming, &table->counters[i]),
				   table->counters[i].name);
	for (size_t i = 0; i < table->limits_count; i++)
		if (!limit_stays(writer->kernel, &table->limits[i]))
			add_object(writer, nft_build_limit(pool, &writer->naming, &table->limits[i]),
				   table->limits[i].name);
	for (size_t i = 0; i < table->helpers_count; i++)
		if (!helper_stays(writer->kernel, &table->helpers[i]))
			add_object(writer, nft_build_helper(pool, &writer->naming, &table->helpers[i]),
				   table->helpers[i].name);
}

static struct nft_message *build_chain(const struct writer *writer, const char *name,
				       const struct nft_chain *chain)
{
	if (chain->kept != NULL)
		return add_kept(writer, NFT_MSG_NEWCHAIN, 0, chain->kept->message, name);
	struct nftnl_chain *built = nft_build_chain(writer->batch->pool, &writer->naming, name, chain);
	struct nlmsghdr *header = nft_batch_begin(writer->batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	nftnl_chain_nlmsg_build_payload(header, built);
	nftnl_chain_free(built);
	return nft_batch_end(writer->batch, header);
}

static void add_chain(const struct writer *writer, const char *name, const struct nft_chain *chain)
{
	struct nft_message *message = build_chain(writer, name, chain);
	message->kind = NFT_SUBJECT_CHAIN;
	message->subject = chain;
}

static void add_kept_set(const struct writer *writer, const struct nft_set *set)
{
	struct nft_message *message = add_kept(writer, NFT_MSG_NEWSET, 0, set->kept->message, NULL);
	message->kind = NFT_SUBJECT_SET;
	message->subject = set;
	for (size_t i = 0; i < set->kept->elements_count; i++) {
		message = add_kept(writer, NFT_MSG_NEWSETELEM, 0, set->kept->elements[i], NULL);
		message->kind = NFT_SUBJECT_SET;
		message->subject = set;
	}
}

static void add_set(struct writer *writer, const struct nft_set *set)
{
	if (set->kept != NULL) {
		add_kept_set(writer, set);
		return;
	}
	struct nftnl_set *built = nft_build_set(writer->batch->pool, &writer->naming, set, ++writer->set_id);
	struct nlmsghdr *header = nft_batch_begin(writer->batch, NFT_MSG_NEWSET, NLM_F_CREATE);
	nftnl_set_nlmsg_build_payload(header, built);
	nftnl_set_free(built);
	struct nft_message *message = nft_batch_end(writer->batch, header);
	message->kind = NFT_SUBJECT_SET;
	message->subject = set;
	nft_add_elements(writer->batch, &writer->naming, set, writer->message_max);
}

static struct nft_message *build_rule(const struct writer *writer, const char *chain,
				      const struct nft_rule *rule)
{
	if (rule->kept != NULL)
		return add_kept(writer, NFT_MSG_NEWRULE, NLM_F_APPEND, rule->kept, chain);
	struct nftnl_rule *built = nft_build_rule(writer->batch->pool, &writer->naming, chain, rule);
	struct nlmsghdr *header = nft_batch_begin(writer->batch, NFT_MSG_NEWRULE,
						  NLM_F_CREATE | NLM_F_APPEND);
	nftnl_rule_nlmsg_build_payload(header, built);
	nftnl_rule_free(built);
	return nft_batch_end(writer->batch, header);
}

static void add_rule(const struct writer *writer, const char *chain, const struct nft_rule *rule)
{
	struct nft_message *message = build_rule(writer, chain, rule);
	message->kind = NFT_SUBJECT_RULE;
	message->subject = rule;
}

static void add_rules(const struct writer *writer, const char *name, const struct nft_chain *chain)
{
	for (size_t i = 0; i < chain->rules_count; i++)
		add_rule(writer, name, &chain->rules[i]);
}

/* --- direct ------------------------------------------------------------------------------------------- */

/* Base chains first, as in the text: there they are anyway where they stay. */
static void add_chains(const struct writer *writer, bool is_base)
{
	const struct nft_table *table = writer->table;
	for (size_t i = 0; i < table->chains_count; i++)
		if (table->chains[i]->is_base == is_base && !chain_stays(writer->kernel, table->chains[i]))
			add_chain(writer, table->chains[i]->name, table->chains[i]);
}

static void make_direct(struct writer *writer)
{
	const struct nft_table *table = writer->table;
	add_objects(writer);
	add_chains(writer, true);
	add_chains(writer, false);
	for (size_t i = 0; i < table->sets_count; i++)
		add_set(writer, table->sets[i]);
	for (size_t i = 0; i < table->chains_count; i++)
		add_rules(writer, table->chains[i]->name, table->chains[i]);
}

/* All that the kernel holds goes, but for what the table has in the same form. */
static struct going going_for_direct(void *pool, const struct nft_table *table,
				     const struct nft_kernel *kernel, bool empties_maps)
{
	struct going going = going_new(pool, kernel, empties_maps);
	memset(going.chains, true, kernel->chains_count);
	memset(going.sets, true, kernel->sets_count);
	memset(going.objects, true, kernel->objects_count);
	for (size_t i = 0; i < table->chains_count; i++)
		if (chain_stays(kernel, table->chains[i]))
			going.chains[nft_kernel_chain_find(kernel, table->chains[i]->name) -
				     kernel->chains] = false;
	keep_objects(&going, table);
	return going;
}

struct nft_batch *nft_replace_direct(void *pool, const struct nft_table *table,
				     const struct nft_kernel *kernel, bool empties_maps)
{
	struct writer writer = {
		.batch = nft_batch_new(pool),
		.table = table,
		.kernel = kernel,
		.naming = { .table = table->name, .suffix = "" },
	};
	add_table(&writer);
	if (kernel->has_table) {
		struct going going = going_for_direct(writer.batch->pool, table, kernel, empties_maps);
		flush_rules(writer.batch, table->name, NULL);
		take_away(writer.batch, &going);
	}
	make_direct(&writer);
	return writer.batch;
}

void nft_replace_nothing(void *pool, const struct nft_table *table, struct nft_sink sink)
{
	void *scratch = pool_child(pool, "messages");
	struct writer writer = {
		.batch = nft_batch_into(scratch, sink),
		.table = table,
		.kernel = nft_kernel_nothing(scratch, table->name),
		.naming = { .table = table->name, .suffix = "" },
	};
	add_table(&writer);
	make_direct(&writer);
	nft_batch_hand_over(writer.batch);
	talloc_free(scratch);
}

struct nft_batch *nft_replace_by_force(void *pool, const struct nft_table *table, const char *name)
{
	struct writer writer = {
		.batch = nft_batch_new(pool),
		.table = table,
		.naming = { .table = name, .suffix = "" },
	};
	struct nlmsghdr *header = nft_batch_begin(writer.batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	mnl_attr_put_strz(header, NFTA_TABLE_NAME, name); /* what is not there cannot be taken away */
	nft_batch_end(writer.batch, header);
	add_named(writer.batch, NFT_MSG_DELTABLE, name, 0, NULL);
	if (table == NULL)
		return writer.batch;
	writer.kernel = nft_kernel_nothing(writer.batch->pool, name);
	add_table(&writer);
	make_direct(&writer);
	return writer.batch;
}

struct nft_batch *nft_replace_mark(void *pool, const struct nft_table *table, const struct nft_chain *chain,
				   const char *prefix, const struct nft_kernel *kernel)
{
	struct writer writer = {
		.batch = nft_batch_new(pool),
		.table = table,
		.kernel = kernel,
		.naming = { .table = table->name, .suffix = "" },
	};
	for (size_t i = 0; i < kernel->chains_count; i++)
		if (strncmp(kernel->chains[i].name, prefix, strlen(prefix)) == 0)
			delete_chain(writer.batch, table->name, kernel->chains[i].name);
	add_chain(&writer, chain->name, chain);
	return writer.batch;
}

/* --- staged ------------------------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *suffix)
{
	size_t length = strlen(name), end = strlen(suffix);
	return length >= end && strcmp(name + length - end, suffix) == 0;
}

static bool is_free_suffix(const struct nft_kernel *kernel, const char *suffix)
{
	for (size_t i = 0; i < kernel->chains_count; i++)
		if (ends_with(kernel->chains[i].name, suffix))
			return false;
	for (size_t i = 0; i < kernel->sets_count; i++)
		if (ends_with(kernel->sets[i].name, suffix))
			return false;
	for (size_t i = 0; i < kernel->objects_count; i++)
		if (ends_with(kernel->objects[i].name, suffix))
			return false;
	return true;
}

/* ".s1", ".s2", …: the first that nothing in the table has. */
static const char *free_suffix(void *pool, const struct nft_kernel *kernel)
{
	for (unsigned number = 1;; number++) {
		char *suffix = pool_format(pool, ".s%u", number);
		if (is_free_suffix(kernel, suffix))
			return suffix;
	}
}

/* Limits and helpers that are in use under the same name, but differ. */
static struct names *renamed_objects(void *pool, const struct nft_table *table,
				     const struct nft_kernel *kernel)
{
	struct names *renamed = names_new(pool, false);
	for (size_t i = 0; i < table->limits_count; i++) {
		const char *name = table->limits[i].name;
		if (nft_kernel_object_find(kernel, NFT_OBJECT_LIMIT, name) != NULL &&
		    !limit_stays(kernel, &table->limits[i]))
			names_set(renamed, name, strlen(name), renamed);
	}
	for (size_t i = 0; i < table->helpers_count; i++) {
		const char *name = table->helpers[i].name;
		if (nft_kernel_object_find(kernel, NFT_OBJECT_CT_HELPER, name) != NULL &&
		    !helper_stays(kernel, &table->helpers[i]))
			names_set(renamed, name, strlen(name), renamed);
	}
	for (size_t i = 0; i < kept_objects(table); i++) {
		const struct nft_kept_object *kept = &table->kept->objects[i];
		if (nft_kernel_object_find(kernel, kept->object.type, kept->object.name) != NULL &&
		    !kept_object_stays(kernel, kept))
			names_set(renamed, kept->object.name, strlen(kept->object.name), renamed);
	}
	return renamed;
}

/* Base chains of new names, without rules: they accept what the others of their hook let pass. Here,
 * so that they stand first in a listing. */
static void add_new_bases(const struct writer *writer)
{
	for (size_t i = 0; i < writer->table->chains_count; i++) {
		const struct nft_chain *chain = writer->table->chains[i];
		if (chain->is_base && nft_kernel_chain_find(writer->kernel, chain->name) == NULL)
			add_chain(writer, chain->name, chain);
	}
}

/* Is there a chain of this name that cannot stay? */
static bool is_made_anew(const struct writer *writer, const struct nft_chain *chain)
{
	return nft_kernel_chain_find(writer->kernel, chain->name) != NULL &&
	       !chain_stays(writer->kernel, chain);
}

/* All chains, those of base chains' rules too, without a hook. */
static void prepare(struct writer *writer)
{
	const struct nft_table *table = writer->table;
	struct nft_name room;
	add_table(writer);
	add_objects(writer);
	add_new_bases(writer);
	for (size_t i = 0; i < table->chains_count; i++) {
		const struct nft_chain *chain = table->chains[i];
		struct nft_chain unhooked = { .name = chain->name, .comment = chain->comment,
					      .kept = chain->is_base ? NULL : chain->kept };
		add_chain(writer, nft_name_suffixed(&writer->naming, &room, unhooked.name), &unhooked);
		writer->batch->messages[writer->batch->messages_count - 1].subject = chain;
	}
	for (size_t i = 0; i < table->sets_count; i++)
		add_set(writer, table->sets[i]);
	for (size_t i = 0; i < table->chains_count; i++)
		add_rules(writer, nft_name_suffixed(&writer->naming, &room, table->chains[i]->name),
			  table->chains[i]);
}

static void switch_chain(const struct writer *writer, const struct nft_chain *chain)
{
	struct nft_statement enter = {
		.kind = NFT_VERDICT,
		.verdict = { NFT_GOTO, chain->name },
	};
	struct nft_rule rule = { .statements = &enter, .statements_count = 1, .origin = SPAN_NONE };
	if (is_made_anew(writer, chain))
		add_chain(writer, chain->name, chain);
	add_rule(writer, chain->name, &rule);
	writer->batch->messages[writer->batch->messages_count - 1].kind = NFT_SUBJECT_NONE;
}

typedef void (*base_filler)(const struct writer *writer, const struct nft_chain *chain);

/* Does the table have the kernel's base chain in the same form? */
static bool base_stays(const struct writer *writer, const struct nft_kernel_chain *old)
{
	for (size_t i = 0; i < writer->table->chains_count; i++)
		if (strcmp(writer->table->chains[i]->name, old->name) == 0)
			return chain_stays(writer->kernel, writer->table->chains[i]);
	return false;
}

static void switch_over(const struct writer *writer, base_filler fill)
{
	const struct nft_kernel *kernel = writer->kernel;
	for (size_t i = 0; i < kernel->chains_count; i++) {
		if (!kernel->chains[i].is_base)
			continue;
		flush_rules(writer->batch, writer->naming.table, kernel->chains[i].name);
		if (!base_stays(writer, &kernel->chains[i]))
			delete_chain(writer->batch, writer->naming.table, kernel->chains[i].name);
	}
	for (size_t i = 0; i < writer->table->chains_count; i++)
		if (writer->table->chains[i]->is_base)
			fill(writer, writer->table->chains[i]);
}

struct nft_staged nft_replace_staged(void *pool, const struct nft_table *table,
				     const struct nft_kernel *kernel, size_t message_max)
{
	struct nft_batch *batch = nft_batch_new(pool);
	struct writer writer = {
		.batch = batch,
		.table = table,
		.kernel = kernel,
		.naming = { table->name, free_suffix(batch->pool, kernel),
			    renamed_objects(batch->pool, table, kernel) },
		.message_max = message_max,
	};
	prepare(&writer);
	size_t switch_begin = batch->messages_count;
	switch_over(&writer, switch_chain);
	return (struct nft_staged){ batch, switch_begin };
}

/* --- in steps ------------------------------------------------------------------------------------------ */

static bool has_interval_set(const struct nft_table *table)
{
	for (size_t i = 0; i < table->sets_count; i++)
		if (table->sets[i]->is_interval || table->sets[i]->intervals != NULL)
			return true;
	return false;
}

static bool has_map(const struct nft_kernel *kernel)
{
	for (size_t i = 0; i < kernel->sets_count; i++)
		if ((kernel->sets[i].flags & (NFT_SET_MAP | NFT_SET_OBJECT)) != 0)
			return true;
	return false;
}

bool nft_replace_wants_steps(const struct nft_table *table, const struct nft_kernel *kernel)
{
	return kernel->has_table && (has_map(kernel) || has_interval_set(table));
}

bool nft_replace_is_clear(void *pool, const struct nft_table *table, const struct nft_kernel *kernel)
{
	for (size_t i = 0; i < table->chains_count; i++)
		if (!table->chains[i]->is_base &&
		    nft_kernel_chain_find(kernel, table->chains[i]->name) != NULL)
			return false;
	for (size_t i = 0; i < table->sets_count; i++)
		if (nft_kernel_set_find(kernel, table->sets[i]->name) != NULL)
			return false;
	return names_count(renamed_objects(pool, table, kernel)) == 0;
}

/* All that base chains' rules refer to. */
static void prepare_parts(struct writer *writer)
{
	const struct nft_table *table = writer->table;
	add_table(writer);
	add_objects(writer);
	add_new_bases(writer);
	add_chains(writer, false);
	for (size_t i = 0; i < table->sets_count; i++)
		add_set(writer, table->sets[i]);
	for (size_t i = 0; i < table->chains_count; i++)
		if (!table->chains[i]->is_base)
			add_rules(writer, table->chains[i]->name, table->chains[i]);
}

static void enter_parts(const struct writer *writer, const struct nft_chain *chain)
{
	if (is_made_anew(writer, chain))
		add_chain(writer, chain->name, chain);
	add_rules(writer, chain->name, chain);
}

struct nft_staged nft_replace_prepared(void *pool, const struct nft_table *table,
				       const struct nft_kernel *kernel, size_t message_max)
{
	struct nft_batch *batch = nft_batch_new(pool);
	struct writer writer = {
		.batch = batch,
		.table = table,
		.kernel = kernel,
		.naming = { .table = table->name, .suffix = "" },
		.message_max = message_max,
	};
	prepare_parts(&writer);
	size_t switch_begin = batch->messages_count;
	switch_over(&writer, enter_parts);
	return (struct nft_staged){ batch, switch_begin };
}

/* --- after a staged load -------------------------------------------------------------------------------- */

/* Of what is there now, what was there before, or what was not. Old base chains are the switch's. */
static struct going going_by_age(void *pool, const struct nft_kernel *now,
				 const struct nft_kernel *before, bool is_old, bool empties_maps)
{
	struct going going = going_new(pool, now, empties_maps);
	for (size_t i = 0; i < now->chains_count; i++)
		going.chains[i] = !(is_old && now->chains[i].is_base) &&
				  (nft_kernel_chain_find(before, now->chains[i].name) != NULL) == is_old;
	for (size_t i = 0; i < now->sets_count; i++)
		going.sets[i] = (nft_kernel_set_find(before, now->sets[i].name) != NULL) == is_old;
	for (size_t i = 0; i < now->objects_count; i++)
		going.objects[i] = (nft_kernel_object_find(before, now->objects[i].type,
							   now->objects[i].name) != NULL) == is_old;
	return going;
}

struct nft_batch *nft_replace_clean_up(void *pool, const struct nft_table *table,
				       const struct nft_kernel *now, const struct nft_kernel *before,
				       bool empties_maps)
{
	struct nft_batch *batch = nft_batch_new(pool);
	struct going going = going_by_age(batch->pool, now, before, true, empties_maps);
	keep_objects(&going, table);
	flush_going_chains(batch, &going);
	take_away(batch, &going);
	return batch;
}

struct nft_batch *nft_replace_undo(void *pool, const struct nft_kernel *now,
				   const struct nft_kernel *before, bool empties_maps)
{
	struct nft_batch *batch = nft_batch_new(pool);
	if (!before->has_table && now->has_table) {
		add_named(batch, NFT_MSG_DELTABLE, now->table, 0, NULL);
		return batch;
	}
	struct going going = going_by_age(batch->pool, now, before, false, empties_maps);
	flush_going_chains(batch, &going);
	take_away(batch, &going);
	return batch;
}
