/* A rule's meaning as a canonical row of bytes, its hash, and its ordinal among equals. */
#include "rules/identity.h"

#include <sha256.h>
#include <string.h>

#include "base/arena.h"
#include "base/names.h"
#include "base/pool.h"

#define DIGITS 12
/* Sets larger than this go in by their own hash: a list of a million prefixes is hashed once. */
#define LARGE_SET 64

struct identity_maker {
	void *pool;
	struct arena *arena;
	struct names *given;  /* ids of the policy */
	struct names *counts; /* hash -> struct count */
	const struct interval *hashed_items; /* the last large set, and its hash */
	uint64_t hash;
};

struct count {
	unsigned value;
};

struct identity_maker *identity_maker_new(void *pool, const struct policy *policy)
{
	struct identity_maker *maker = pool_new(pool, struct identity_maker);

	maker->pool = pool;
	maker->arena = arena_new(pool);
	maker->given = names_new(pool, false);
	maker->counts = names_new(pool, false);
	for (size_t index = 0; index < policy->rules_count; index++) {
		const char *id = policy->rules[index]->options.id;

		if (id != NULL)
			names_set(maker->given, id, strlen(id), maker);
	}
	return maker;
}

/* --- bytes: every number big-endian, every list with its length ---------------------------- */

static void add_number(SHA2_CTX *hash, uint64_t value)
{
	uint8_t bytes[8];

	for (size_t index = 0; index < sizeof bytes; index++)
		bytes[index] = (uint8_t)(value >> (56 - 8 * index));
	SHA256Update(hash, bytes, sizeof bytes);
}

static void add_number128(SHA2_CTX *hash, number128 value)
{
	add_number(hash, (uint64_t)(value >> 64));
	add_number(hash, (uint64_t)value);
}

static void add_set(struct identity_maker *maker, SHA2_CTX *hash, const struct interval_set *set)
{
	add_number(hash, set->items_count);
	if (set->items_count > LARGE_SET) {
		if (maker->hashed_items != set->items)
			maker->hash = interval_set_hash(set);
		maker->hashed_items = set->items;
		add_number(hash, maker->hash);
		return;
	}
	for (size_t index = 0; index < set->items_count; index++) {
		add_number128(hash, set->items[index].low);
		add_number128(hash, set->items[index].high);
	}
}

static void add_boxes(struct identity_maker *maker, SHA2_CTX *hash, const struct place_boxes *boxes)
{
	add_number(hash, boxes->boxes_count);
	for (size_t index = 0; index < boxes->boxes_count; index++) {
		const struct place_box *box = &boxes->boxes[index];

		add_number(hash, box->interfaces.is_complement);
		add_number(hash, box->interfaces.names_count);
		for (size_t name = 0; name < box->interfaces.names_count; name++)
			SHA256Update(hash, (const uint8_t *)box->interfaces.names[name],
				     strlen(box->interfaces.names[name]) + 1);
		add_set(maker, hash, &box->addresses.v4);
		add_set(maker, hash, &box->addresses.v6);
	}
}

static void add_tuples(SHA2_CTX *hash, const struct tuple_set *set)
{
	add_number(hash, set->tuples_count);
	for (size_t index = 0; index < set->tuples_count; index++) {
		const struct service_tuple *tuple = &set->tuples[index];

		add_number(hash, (uint64_t)tuple->protocol << 8 | tuple->families);
		add_number(hash, (uint64_t)tuple->first.low << 48 |
			   (uint64_t)tuple->first.high << 32 |
			   (uint64_t)tuple->second.low << 16 | tuple->second.high);
	}
}

static bool boxes_equal(const struct place_boxes *a, const struct place_boxes *b)
{
	return (a->boxes == b->boxes && a->boxes_count == b->boxes_count) ||
	       place_boxes_equals(a, b);
}

/* Most rules are the same in all their hooks, and share their memory too. */
static bool is_same(const struct match *a, const struct match *b)
{
	return a->families == b->families &&
	       (a->services.tuples == b->services.tuples ||
		tuple_set_equals(&a->services, &b->services)) &&
	       boxes_equal(&a->from, &b->from) && boxes_equal(&a->to, &b->to);
}

static void add_match(struct identity_maker *maker, SHA2_CTX *hash, const struct rule *rule,
		      const struct rule *previous)
{
	const struct match *match = &rule->match;

	add_number(hash, (uint64_t)rule->hook << 8 | match->families);
	if (previous != NULL && is_same(match, &previous->match))
		return; /* fewer bytes than any match of its own: no two meanings meet */
	add_tuples(hash, &match->services);
	add_boxes(maker, hash, &match->from);
	add_boxes(maker, hash, &match->to);
	add_number(hash, match->minutes != NULL);
	if (match->minutes != NULL)
		add_set(maker, hash, match->minutes);
	add_number(hash, match->is_translated);
	add_set(maker, hash, &match->original_to.v4);
	add_set(maker, hash, &match->original_to.v6);
	add_tuples(hash, &match->original_services);
}

static void add_limit(SHA2_CTX *hash, const struct limit *limit)
{
	add_number(hash, limit != NULL);
	if (limit == NULL)
		return;
	add_number(hash, limit->rate);
	add_number(hash, (uint64_t)limit->unit_s << 32 | limit->burst);
	add_number(hash, limit->is_per_source);
}

static void hash_rule(struct identity_maker *maker, const struct policy_rule *rule,
		      struct rule *const *parts, size_t count, char digits[DIGITS + 1])
{
	static const char hexadecimal[] = "0123456789abcdef";
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX hash;

	SHA256Init(&hash);
	add_number(&hash, rule->verdict);
	add_limit(&hash, rule->options.limit);
	for (size_t index = 0; index < count; index++)
		add_match(maker, &hash, parts[index], index > 0 ? parts[index - 1] : NULL);
	SHA256Final(digest, &hash);
	for (size_t index = 0; index < DIGITS; index++)
		digits[index] = hexadecimal[digest[index / 2] >> (index % 2 == 0 ? 4 : 0) & 15];
	digits[DIGITS] = '\0';
}

/* --- names --------------------------------------------------------------------------------- */

static unsigned count_up(struct identity_maker *maker, const char *digits)
{
	struct count *count = names_find(maker->counts, digits, DIGITS);

	if (count == NULL) {
		count = arena_new_item(maker->arena, struct count);
		names_set(maker->counts, digits, DIGITS, count);
	}
	return ++count->value;
}

static const char *unlike_given(struct identity_maker *maker, const char *text)
{
	while (names_find(maker->given, text, strlen(text)) != NULL)
		text = pool_format(maker->pool, "%s-x", text);
	return text;
}

static struct identity *identity_new(struct identity_maker *maker, const char *text)
{
	struct identity *identity = arena_new_item(maker->arena, struct identity);

	identity->text = text;
	return identity;
}

const struct identity *identity_make(struct identity_maker *maker, const struct policy_rule *rule,
				     struct rule *const *parts, size_t count)
{
	struct identity *identity = identity_new(maker, rule->options.id);
	char digits[DIGITS + 1];
	unsigned ordinal;

	identity->rule = rule;
	identity->is_given = rule->options.id != NULL;
	if (identity->is_given)
		return identity;
	hash_rule(maker, rule, parts, count, digits);
	ordinal = count_up(maker, digits);
	identity->text = unlike_given(maker, ordinal == 1 ?
				      arena_copy(maker->arena, digits, sizeof digits) :
				      pool_format(maker->pool, "%s-%u", digits, ordinal));
	return identity;
}

const struct identity *identity_fixed(struct identity_maker *maker, const char *name)
{
	return identity_new(maker, unlike_given(maker, name));
}
