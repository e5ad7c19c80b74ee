/* Names are compared by their place: every chain and every map has one. */
#include "target/nft/emit/once.h"

#include <assert.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/model/field.h"

#define SHARED "shared"
#define NUMBER_ROOM 12 /* two underscores, and what 32 bits count */

/* A chain or a map. */
struct once {
	const struct nft_chain *chain;
	const struct nft_set *map;
	const char *kind, *prefix; /* that it was named by */
	char *name;
	bool is_of_several;        /* lists, of different prefixes */
};

static bool text_equals(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool span_equals(struct span a, struct span b)
{
	return a.source == b.source && a.begin == b.begin && a.end == b.end;
}

/* --- rules ---------------------------------------------------------------------------------- */

/* Is it of a kind that may be shared? */
static bool is_plain(const struct nft_statement *statement)
{
	return statement->kind == NFT_MATCH || statement->kind == NFT_VMAP ||
	       statement->kind == NFT_CONCAT_MATCH || statement->kind == NFT_VERDICT;
}

static bool has_name(enum nft_field field)
{
	return nft_field_row(field)->kind == NFT_VALUE_NAME;
}

static bool value_equals(enum nft_field field, struct nft_value a, struct nft_value b)
{
	return has_name(field) ? text_equals(a.name, b.name) : a.number == b.number;
}

static bool match_equals(const struct nft_statement *a, const struct nft_statement *b)
{
	if (a->field != b->field || a->operator != b->operator || a->protocol != b->protocol ||
	    a->is_of_family != b->is_of_family || a->is_masked != b->is_masked || a->length != b->length)
		return false;
	if (a->operator == NFT_IN_SET || a->operator == NFT_NOT_IN_SET)
		return a->set == b->set;
	return value_equals(a->field, a->low, b->low) &&
	       (has_name(a->field) || a->high.number == b->high.number);
}

static bool lookup_equals(const struct nft_statement *a, const struct nft_statement *b)
{
	return a->set == b->set && a->operator == b->operator && a->protocol == b->protocol &&
	       a->is_of_family == b->is_of_family && a->fields_count == b->fields_count &&
	       memcmp(a->fields, b->fields, a->fields_count * sizeof *a->fields) == 0 &&
	       memcmp(a->leading, b->leading, sizeof a->leading) == 0;
}

/* Of plain ones. */
static bool statement_equals(const struct nft_statement *a, const struct nft_statement *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == NFT_VERDICT)
		return a->verdict.kind == b->verdict.kind && a->verdict.chain == b->verdict.chain;
	return a->kind == NFT_MATCH ? match_equals(a, b) : lookup_equals(a, b);
}

static bool rule_equals(const struct nft_rule *a, const struct nft_rule *b)
{
	if (a->statements_count != b->statements_count || !span_equals(a->origin, b->origin) ||
	    !text_equals(a->comment, b->comment))
		return false;
	if (a->statements == b->statements)
		return true;
	for (size_t i = 0; i < a->statements_count; i++)
		if (!statement_equals(&a->statements[i], &b->statements[i]))
			return false;
	return true;
}

static uint64_t mix_statement(uint64_t hash, const struct nft_statement *statement)
{
	hash = memo_mix(hash, (uint64_t)statement->kind << 16 | (uint64_t)statement->field << 8 |
			(uint64_t)statement->operator);
	if (statement->kind == NFT_VERDICT)
		return memo_mix(hash, (uint64_t)statement->verdict.kind ^ (uintptr_t)statement->verdict.chain);
	if (statement->kind != NFT_MATCH || statement->set != NULL)
		return memo_mix(hash, (uintptr_t)statement->set);
	if (has_name(statement->field))
		return memo_mix_string(hash, statement->low.name);
	hash = memo_mix(hash, (uint64_t)statement->low.number ^ (uint64_t)statement->high.number << 1);
	return memo_mix(hash, (uint64_t)(statement->low.number >> 64));
}

struct wanted_rules {
	const struct lower *lower;
	const struct nft_rule *rules;
	size_t count;
};

static bool chain_equals(const void *wanted, uint32_t number)
{
	const struct wanted_rules *want = wanted;
	const struct nft_chain *chain = want->lower->onces[number].chain;
	if (chain->rules_count != want->count)
		return false;
	for (size_t i = 0; i < want->count; i++)
		if (!rule_equals(&chain->rules[i], &want->rules[i]))
			return false;
	return true;
}

/* false: some statement is not plain. */
static bool hash_rules(const struct wanted_rules *wanted, uint64_t *hash)
{
	*hash = memo_mix(0, wanted->count);
	for (size_t i = 0; i < wanted->count; i++) {
		const struct nft_rule *rule = &wanted->rules[i];
		*hash = memo_mix(*hash, rule->origin.begin);
		for (size_t k = 0; k < rule->statements_count; k++) {
			if (!is_plain(&rule->statements[k]))
				return false;
			*hash = mix_statement(*hash, &rule->statements[k]);
		}
	}
	return true;
}

/* --- elements ------------------------------------------------------------------------------- */

static bool key_equals(const struct nft_set *set, const struct nft_element *a, const struct nft_element *b)
{
	for (size_t i = 0; i < set->fields_count; i++) {
		enum nft_field field = set->fields[i];
		if (!value_equals(field, nft_element_low(set, a, i), nft_element_low(set, b, i)) ||
		    !value_equals(field, nft_element_high(set, a, i), nft_element_high(set, b, i)))
			return false;
	}
	return true;
}

static bool element_equals(const struct nft_set *set, const struct nft_element *a, const struct nft_element *b)
{
	return a->verdict == b->verdict && a->chain == b->chain && key_equals(set, a, b) &&
	       span_equals(a->origin, b->origin) && text_equals(a->comment, b->comment);
}

struct wanted_map {
	const struct lower *lower;
	const struct nft_set *map;
};

static bool map_equals(const void *wanted, uint32_t number)
{
	const struct wanted_map *want = wanted;
	const struct nft_set *a = want->lower->onces[number].map, *b = want->map;
	if (a->elements_count != b->elements_count || a->fields_count != b->fields_count ||
	    memcmp(a->fields, b->fields, a->fields_count * sizeof *a->fields) != 0 ||
	    memcmp(a->leading, b->leading, sizeof a->leading) != 0 || a->is_interval != b->is_interval ||
	    !text_equals(a->comment, b->comment))
		return false;
	for (size_t i = 0; i < a->elements_count; i++)
		if (!element_equals(a, &a->elements[i], &b->elements[i]))
			return false;
	return true;
}

/* The ends tell nearly all maps apart. */
static uint64_t hash_map(const struct nft_set *map)
{
	const struct nft_element *first = &map->elements[0], *last = &map->elements[map->elements_count - 1];
	uint64_t hash = memo_mix(map->elements_count, map->fields[0]);
	hash = memo_mix(hash, (uint64_t)first->origin.begin << 32 | last->origin.begin);
	hash = memo_mix(hash, (uintptr_t)first->chain ^ first->verdict);
	return memo_mix(hash, (uintptr_t)last->chain ^ last->verdict);
}

/* --- names ---------------------------------------------------------------------------------- */

/* Adds what is new, with room for the name that it will have if others share it. */
static struct once *add_once(struct lower *lower, struct memo *memo, uint64_t hash, const char *kind)
{
	struct once *once = pool_append(lower->scratch, lower, onces);
	*once = (struct once){
		.kind = kind, .prefix = lower->prefix,
		.name = lower_name_in(lower, kind, sizeof SHARED + strlen(kind) + NUMBER_ROOM),
	};
	memo_add(lower->scratch, memo, hash, (uint32_t)lower->onces_count - 1);
	return once;
}

static const struct once *use_again(struct lower *lower, uint32_t number)
{
	struct once *once = &lower->onces[number];
	if (strcmp(once->prefix, lower->prefix) != 0)
		once->is_of_several = true;
	return once;
}

struct goal chain_once(struct lower *lower, struct draft *draft, const char *kind, enum nft_verdict_kind verdict)
{
	struct wanted_rules wanted = { lower, lower->drafts + draft->base, lower->drafts_count - draft->base };
	uint64_t hash;
	if (!lower->limits->has_structure || !hash_rules(&wanted, &hash))
		return goal_of_chain(draft, draft_end(lower, draft, lower_name(lower, kind)), verdict);
	uint32_t number = memo_find(&lower->once_chain_memo, hash, chain_equals, &wanted);
	if (number != MEMO_NONE) {
		lower->drafts_count = draft->base;
		return goal_of_chain(draft, use_again(lower, number)->chain, verdict);
	}
	struct once *once = add_once(lower, &lower->once_chain_memo, hash, kind);
	once->chain = draft_end(lower, draft, once->name);
	return goal_of_chain(draft, once->chain, verdict);
}

const struct nft_set *map_once(struct lower *lower, struct nft_set *map, const char *kind)
{
	struct wanted_map wanted = { lower, map };
	uint64_t hash = hash_map(map);
	uint32_t number = memo_find(&lower->once_map_memo, hash, map_equals, &wanted);
	assert(lower->table->sets[lower->table->sets_count - 1] == map);
	if (number != MEMO_NONE) {
		lower->table->sets_count--;
		return use_again(lower, number)->map;
	}
	struct once *once = add_once(lower, &lower->once_map_memo, hash, kind);
	map->name = once->name;
	return once->map = map;
}

void once_name(struct lower *lower)
{
	lower->prefix = SHARED;
	for (size_t i = 0; i < lower->onces_count; i++) {
		const struct once *once = &lower->onces[i];
		if (!once->is_of_several)
			continue;
		const char *name = lower_name(lower, once->kind);
		memcpy(once->name, name, strlen(name) + 1);
	}
}
