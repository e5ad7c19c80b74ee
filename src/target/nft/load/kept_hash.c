/* The table, its objects, sets and chains are read as always (read/read.h); rules and elements into an
 * arena that is thrown away behind them. */
#include "target/nft/load/kept_hash.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/sha256.h"
#include "target/nft/batch/batch.h"
#include "target/nft/model/kernel_names.h"
#include "target/nft/read/expression.h"

/* Bytes of rules and elements behind which their arena is thrown away: what was read is a few times as long. */
#define BYTES_AT_ONCE ((size_t)256 << 10)
#define LANES 4

struct digest {
	uint8_t bytes[SHA256_BYTES];
};

/* Of a set's elements. */
struct sum {
	uint64_t lanes[LANES];
	size_t count; /* an interval is one */
};

_Static_assert(LANES * sizeof(uint64_t) == SHA256_BYTES, "a sum is as long as a hash");

struct kept_hash {
	void *pool;
	const char *table;
	size_t elements_most;
	struct nft_read *read; /* no rules and elements but those of the message at hand */
	struct arena *arena, *passing; /* what stays, and what is thrown away */
	size_t passed; /* bytes of messages that stand in it */
	struct text *text;
	struct names *sums; /* set -> struct sum */
	struct digest *digests; /* of what came and has gone */
	size_t digests_count, digests_capacity;
	char *chain; /* whose rules come, or NULL */
	struct sha256 rules;
};

struct kept_hash *kept_hash_new(void *pool, const char *table, bool is_dump, size_t elements_most)
{
	struct kept_hash *hash = pool_new(pool, struct kept_hash);
	hash->pool = hash;
	hash->table = table;
	hash->elements_most = elements_most;
	hash->read = nft_read_new(hash);
	hash->read->generation = is_dump;
	hash->arena = hash->read->arena;
	hash->passing = arena_new(hash);
	hash->text = text_new(hash);
	hash->sums = names_new(hash, false);
	return hash;
}

static struct digest digest_of(const void *bytes, size_t length)
{
	struct digest digest;
	sha256_of(bytes, length, digest.bytes);
	return digest;
}

/* The text is hashed, and empty again. */
static struct digest take_text(struct kept_hash *hash)
{
	struct digest digest = digest_of(hash->text->bytes, hash->text->length);
	hash->text->length = 0;
	return digest;
}

static void add_digest(struct kept_hash *hash, struct digest digest)
{
	*pool_append(hash->pool, hash, digests) = digest;
}

/* --- rules and elements ----------------------------------------------------------------------------- */

static void end_rules(struct kept_hash *hash)
{
	struct digest digest;
	if (hash->chain == NULL)
		return;
	sha256_end(&hash->rules, digest.bytes);
	add_digest(hash, digest);
	talloc_free(hash->chain);
	hash->chain = NULL;
}

static void begin_rules(struct kept_hash *hash, const char *chain)
{
	end_rules(hash);
	hash->chain = pool_strdup(hash->pool, chain);
	sha256_begin(&hash->rules);
	sha256_add(&hash->rules, chain, strlen(chain) + 1);
}

static void take_rules(struct kept_hash *hash, struct read_chain *chain)
{
	if (hash->chain == NULL || strcmp(hash->chain, chain->name) != 0)
		begin_rules(hash, chain->name);
	for (size_t i = 0; i < chain->rules_count; i++)
		read_rule_print(hash->text, &chain->rules[i]);
	sha256_add(&hash->rules, hash->text->bytes, hash->text->length);
	hash->text->length = 0;
	chain->rules_count = 0;
}

static struct sum *sum_of(struct kept_hash *hash, const struct read_set *set)
{
	struct sum *sum = names_find(hash->sums, set->name, strlen(set->name));
	if (sum == NULL) {
		sum = pool_new(hash->pool, struct sum);
		names_set(hash->sums, set->name, strlen(set->name), sum);
	}
	return sum;
}

static void take_elements(struct kept_hash *hash, struct read_set *set)
{
	struct sum *sum = sum_of(hash, set);
	bool is_dynamic = (set->flags & NFT_SET_EVAL) != 0; /* what packets put in is not the ruleset's */
	for (size_t i = 0; i < set->elements_count && !is_dynamic; i++) {
		uint64_t lanes[LANES];
		read_element_print(hash->text, set, &set->elements[i]);
		struct digest digest = take_text(hash);
		memcpy(lanes, digest.bytes, sizeof lanes);
		for (size_t k = 0; k < LANES; k++)
			sum->lanes[k] += lanes[k];
		sum->count += (read_element_flags(&set->elements[i]) & NFT_SET_ELEM_INTERVAL_END) == 0;
	}
	read_set_empty(set);
}

/* --- messages --------------------------------------------------------------------------------------- */

static const char *name_in(const struct nlmsghdr *message, uint16_t wanted)
{
	const struct nlattr *attribute;
	read_each(attribute, message)
		if (mnl_attr_get_type(attribute) == wanted)
			return mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0 ? NULL
										     : mnl_attr_get_str(attribute);
	return NULL;
}

static void take_passing(struct kept_hash *hash, const struct nlmsghdr *message, bool is_rule)
{
	const struct read_table *table = nft_read_table(hash->read, NFPROTO_INET, hash->table);
	const char *name = name_in(message, is_rule ? NFTA_RULE_CHAIN : NFTA_SET_ELEM_LIST_SET);
	struct read_chain *chain = table == NULL || name == NULL || !is_rule ? NULL : read_chain_find(table, name);
	struct read_set *set = table == NULL || name == NULL || is_rule ? NULL : read_set_find(table, name);
	if (chain != NULL)
		take_rules(hash, chain);
	else if (set != NULL)
		take_elements(hash, set);
	else
		add_digest(hash, digest_of(message, message->nlmsg_len));
	hash->passed += message->nlmsg_len;
	if (hash->passed >= BYTES_AT_ONCE) {
		talloc_free(hash->passing);
		hash->passing = arena_new(hash);
		hash->passed = 0;
	}
}

/* All that came before is about a table that is gone. */
static void begin_anew(struct kept_hash *hash)
{
	end_rules(hash);
	hash->digests_count = 0;
	talloc_free(hash->sums);
	hash->sums = names_new(hash, false);
}

/* What is not understood, or undoes a part of what came before, counts byte by byte. */
static bool is_odd(const struct kept_hash *hash, uint8_t kind)
{
	return !nft_batch_makes(kind) || hash->read->problem != NULL;
}

void kept_hash_message(struct kept_hash *hash, const struct nlmsghdr *message)
{
	uint8_t kind = (uint8_t)(message->nlmsg_type & 0xff);
	bool is_rule = kind == NFT_MSG_NEWRULE, is_passing = is_rule || kind == NFT_MSG_NEWSETELEM;
	hash->read->arena = is_passing ? hash->passing : hash->arena;
	nft_read_message(hash->read, message);
	if (is_passing)
		take_passing(hash, message, is_rule);
	if (kind == NFT_MSG_DELTABLE)
		begin_anew(hash);
	if (is_odd(hash, kind))
		add_digest(hash, digest_of(message, message->nlmsg_len));
}

/* --- the end ---------------------------------------------------------------------------------------- */

static int compare_digests(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct digest));
}

/* counts_large: of large sets. Gives whether there is one. */
static bool add_sets(struct kept_hash *hash, const struct read_table *table, bool counts_large)
{
	bool has_large = false;
	for (size_t i = 0; i < table->sets_count; i++) {
		const struct read_set *set = table->sets[i];
		const struct sum *sum = sum_of(hash, set);
		size_t count = sum->count == 0 ? set->count : sum->count;
		bool is_large = (set->flags & NFT_SET_EVAL) == 0 && hash->elements_most != 0 &&
				count > hash->elements_most;
		has_large |= is_large;
		read_set_print(hash->text, set);
		if (is_large && counts_large)
			text_addf(hash->text, " elements %zu\n", count);
		else
			text_add_bytes(hash->text, (const char *)sum->lanes, sizeof sum->lanes);
		add_digest(hash, take_text(hash));
	}
	return has_large;
}

static void add_parts(struct kept_hash *hash, const struct read_table *table)
{
	read_table_print(hash->text, table);
	add_digest(hash, take_text(hash));
	for (size_t i = 0; i < table->objects_count; i++) {
		read_object_print(hash->text, table->objects[i]);
		add_digest(hash, take_text(hash));
	}
	for (size_t i = 0; i < table->chains_count; i++) {
		read_chain_print(hash->text, table->chains[i]);
		add_digest(hash, take_text(hash));
	}
}

static void put_hash(struct kept_hash *hash, char sha256[REREAD_HASH_LENGTH + 1])
{
	if (hash->digests_count > 1)
		qsort(hash->digests, hash->digests_count, sizeof *hash->digests, compare_digests);
	sha256_digits_of(hash->digests, hash->digests_count * sizeof *hash->digests, sha256);
}

/* Sorted, the hashes of the sets are anywhere among the others: those come first into a copy. */
struct kept_hash_result kept_hash_finish(struct kept_hash *hash)
{
	const struct read_table *table = nft_read_table(hash->read, NFPROTO_INET, hash->table);
	struct kept_hash_result result = { .is_glance_whole = true };
	end_rules(hash);
	if (table != NULL)
		add_parts(hash, table);
	size_t parts = hash->digests_count;
	struct digest *kept = pool_array(hash->pool, struct digest, parts + 1);
	if (parts != 0)
		memcpy(kept, hash->digests, parts * sizeof *kept);
	if (table != NULL)
		result.is_glance_whole = !add_sets(hash, table, false);
	put_hash(hash, result.whole);
	memcpy(result.glance, result.whole, sizeof result.glance);
	if (result.is_glance_whole)
		return result;
	hash->digests_count = parts;
	memcpy(hash->digests, kept, parts * sizeof *kept);
	(void)add_sets(hash, table, true);
	put_hash(hash, result.glance);
	return result;
}
