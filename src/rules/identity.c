/* A rule's meaning as a canonical row of bytes, its hash, and its ordinal among equals.
 *
 * The row is made in one buffer and hashed at once. Every number in it ends by itself, every list
 * begins with its length, so that two meanings never give one row. */
#include "rules/identity.h"

#include <string.h>

#include "base/arena.h"
#include "base/interned.h"
#include "base/names.h"
#include "base/pool.h"
#include "base/sha256.h"

#define DIGITS 12
/* Sets larger than this go in by their own hash: a list of a million prefixes is hashed once. */
#define LARGE_SET 64
/* 128 bits, seven a byte. */
#define NUMBER_BYTES 19

struct identity_maker {
	void *pool;
	struct arena *arena;
	struct names *given;     /* ids of the policy */
	struct interned *counts; /* hash -> struct count */
	struct interned *hashes; /* a large set's items -> its hash */
	uint8_t *bytes;          /* of the rule at hand */
	size_t bytes_count, bytes_capacity;
	struct unnamed *first, **end; /* in the order of ordinals */
};

/* An identity that nobody asked for yet. */
struct unnamed {
	struct identity identity;
	struct unnamed *next;
	bool is_translation;
	uint32_t parts_count;
	const void *parts[]; /* struct rule, or struct rule_translation */
};

struct count {
	unsigned value;
};

static void give(struct identity_maker *maker, const char *id)
{
	if (id != NULL)
		names_set(maker->given, id, strlen(id), maker);
}

struct identity_maker *identity_maker_new(void *pool, const struct policy *policy)
{
	struct identity_maker *maker = pool_new(pool, struct identity_maker);

	maker->pool = pool;
	maker->arena = arena_new(pool);
	maker->given = names_new(pool, false);
	maker->counts = interned_new(pool, maker->arena);
	maker->hashes = interned_new(pool, maker->arena);
	maker->end = &maker->first;
	for (size_t index = 0; index < policy->rules_count; index++)
		give(maker, policy->rules[index]->options->id);
	for (size_t index = 0; index < policy->translations_count; index++)
		give(maker, policy->translations[index]->options.id);
	return maker;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static void reserve(struct identity_maker *maker, size_t more)
{
	if (maker->bytes_capacity - maker->bytes_count < more)
		maker->bytes = pool_grow(maker->pool, maker->bytes, &maker->bytes_capacity,
					 maker->bytes_count + more, sizeof *maker->bytes);
}

/* Seven bits a byte, the lowest first; the last byte has its highest bit clear. */
static void add_number(struct identity_maker *maker, number128 value)
{
	reserve(maker, NUMBER_BYTES);
	for (; value > 0x7f; value >>= 7)
		maker->bytes[maker->bytes_count++] = (uint8_t)(value | 0x80);
	maker->bytes[maker->bytes_count++] = (uint8_t)value;
}

static void add_string(struct identity_maker *maker, const char *string)
{
	size_t length = strlen(string);

	add_number(maker, length);
	reserve(maker, length);
	memcpy(maker->bytes + maker->bytes_count, string, length);
	maker->bytes_count += length;
}

static uint64_t large_set_hash(struct identity_maker *maker, const struct interval_set *set)
{
	const void *key[] = { set->items, (const void *)(uintptr_t)set->items_count };
	void **slot = interned_slot(maker->hashes, key, sizeof key);
	uint64_t hash;

	if (*slot == NULL) {
		hash = interval_set_hash(set);
		*slot = arena_copy(maker->arena, &hash, sizeof hash);
	}
	return *(const uint64_t *)*slot;
}

static void add_set(struct identity_maker *maker, const struct interval_set *set)
{
	add_number(maker, set->items_count);
	if (set->items_count > LARGE_SET) {
		add_number(maker, large_set_hash(maker, set));
		return;
	}
	for (size_t index = 0; index < set->items_count; index++) {
		add_number(maker, set->items[index].low);
		add_number(maker, set->items[index].high - set->items[index].low);
	}
}

static void add_addresses(struct identity_maker *maker, const struct address_set *set)
{
	add_set(maker, &set->v4);
	add_set(maker, &set->v6);
}

static void add_boxes(struct identity_maker *maker, const struct place_boxes *boxes)
{
	add_number(maker, boxes->boxes_count);
	for (size_t index = 0; index < boxes->boxes_count; index++) {
		const struct interface_set *interfaces = &boxes->boxes[index].interfaces;

		add_number(maker, interfaces->is_complement);
		add_number(maker, interfaces->names_count);
		for (size_t name = 0; name < interfaces->names_count; name++)
			add_string(maker, interfaces->names[name]);
		add_addresses(maker, &boxes->boxes[index].addresses);
	}
}

static void add_range(struct identity_maker *maker, struct port_range range)
{
	add_number(maker, range.low);
	add_number(maker, (number128)(range.high - range.low));
}

static void add_tuples(struct identity_maker *maker, const struct tuple_set *set)
{
	add_number(maker, set->tuples_count);
	for (size_t index = 0; index < set->tuples_count; index++) {
		const struct service_tuple *tuple = &set->tuples[index];

		add_number(maker, tuple->protocol);
		add_number(maker, tuple->families);
		add_range(maker, tuple->first);
		add_range(maker, tuple->second);
	}
}

/* --- meanings --------------------------------------------------------------------------------- */

/* Large sets by their hashes, which are worked out once. */
static bool sets_equal(struct identity_maker *maker, const struct interval_set *a,
		       const struct interval_set *b)
{
	if (a->items_count != b->items_count)
		return false;
	if (a->items == b->items)
		return true;
	return a->items_count > LARGE_SET ? large_set_hash(maker, a) == large_set_hash(maker, b) :
	       interval_set_equals(a, b);
}

/* Of boxes in their normal form, as expand makes them. */
static bool boxes_equal(struct identity_maker *maker, const struct place_boxes *a,
			const struct place_boxes *b)
{
	if (a->boxes_count != b->boxes_count)
		return false;
	if (a->boxes == b->boxes)
		return true;
	for (size_t index = 0; index < a->boxes_count; index++) {
		const struct place_box *left = &a->boxes[index], *right = &b->boxes[index];

		if (!interface_set_equals(&left->interfaces, &right->interfaces) ||
		    !sets_equal(maker, &left->addresses.v4, &right->addresses.v4) ||
		    !sets_equal(maker, &left->addresses.v6, &right->addresses.v6))
			return false;
	}
	return true;
}

/* Most rules are the same in all their hooks, and share their memory too. */
static bool is_same(struct identity_maker *maker, const struct match *a, const struct match *b)
{
	return a->families == b->families &&
	       (a->services.tuples == b->services.tuples ||
		tuple_set_equals(&a->services, &b->services)) &&
	       boxes_equal(maker, &a->from, &b->from) && boxes_equal(maker, &a->to, &b->to);
}

static void add_match(struct identity_maker *maker, const struct match *match)
{
	add_number(maker, match->families);
	add_tuples(maker, &match->services);
	add_boxes(maker, &match->from);
	add_boxes(maker, &match->to);
}

/* What all parts of a rule have in common. */
static void add_conditions(struct identity_maker *maker, const struct match *match)
{
	static const struct match_original none;
	const struct match_original *original = match->is_translated ? match->original : &none;

	add_number(maker, match->minutes != NULL);
	if (match->minutes != NULL)
		add_set(maker, match->minutes);
	add_number(maker, match->is_translated);
	add_number(maker, match->has_original_to);
	add_addresses(maker, &original->to);
	add_tuples(maker, &original->services);
}

static void add_limit(struct identity_maker *maker, const struct limit *limit)
{
	add_number(maker, limit != NULL);
	if (limit == NULL)
		return;
	add_number(maker, limit->rate);
	add_number(maker, limit->unit_s);
	add_number(maker, limit->burst);
	add_number(maker, limit->is_per_source);
}

/* before: the part ahead of it, or NULL. */
static void add_part(struct identity_maker *maker, enum hook hook, const struct rule *part,
		     const struct rule *before)
{
	bool is_repeated = before == part ||
			   (before != NULL && is_same(maker, &part->match, &before->match));

	if (before == NULL)
		add_conditions(maker, &part->match);
	add_number(maker, hook);
	add_number(maker, is_repeated);
	if (!is_repeated)
		add_match(maker, &part->match);
}

static void add_rule(struct identity_maker *maker, const struct policy_rule *rule,
		     const void *const *parts, size_t count)
{
	const struct rule *before = NULL;

	add_number(maker, rule->verdict);
	add_limit(maker, rule->options->limit);
	for (enum hook hook = HOOK_INPUT; hook < HOOK_COUNT; hook++) {
		for (size_t index = 0; index < count; index++) {
			const struct rule *part = parts[index];

			if ((part->hooks & 1u << hook) == 0)
				continue;
			add_part(maker, hook, part, before);
			before = part;
		}
	}
}

static void add_new_address(struct identity_maker *maker, bool has, const struct address *address)
{
	add_number(maker, has);
	if (has)
		add_number(maker, address->value);
}

static void add_half(struct identity_maker *maker, const struct rule_translation *half)
{
	add_number(maker, half->applies_to_routed);
	add_number(maker, half->applies_to_local);
	add_number(maker, half->families);
	add_tuples(maker, &half->services);
	add_boxes(maker, &half->from);
	add_boxes(maker, &half->to);
}

static void add_translation(struct identity_maker *maker, const struct translation *translation,
			    const void *const *parts, size_t count)
{
	add_string(maker, "translation");
	add_number(maker, translation->kind);
	add_number(maker, translation->port);
	add_number(maker, translation->has_at);
	add_addresses(maker, &translation->at);
	for (size_t family = 0; family < 2; family++) {
		add_new_address(maker, translation->has_as[family], &translation->as[family]);
		add_new_address(maker, translation->has_host[family], &translation->host[family]);
	}
	for (size_t index = 0; index < count; index++)
		add_half(maker, parts[index]);
}

/* --- names ------------------------------------------------------------------------------------ */

static void hash_bytes(struct identity_maker *maker, char digits[DIGITS + 1])
{
	static const char hexadecimal[] = "0123456789abcdef";
	uint8_t digest[SHA256_BYTES];

	sha256_of(maker->bytes, maker->bytes_count, digest);
	for (size_t index = 0; index < DIGITS; index++)
		digits[index] = hexadecimal[digest[index / 2] >> (index % 2 == 0 ? 4 : 0) & 15];
	digits[DIGITS] = '\0';
}

static unsigned count_up(struct identity_maker *maker, const char *digits)
{
	void **slot = interned_slot(maker->counts, digits, DIGITS);
	struct count *count = *slot;

	if (count == NULL)
		*slot = count = arena_new_item(maker->arena, struct count);
	return ++count->value;
}

static const char *unlike_given(struct identity_maker *maker, const char *text)
{
	while (names_find(maker->given, text, strlen(text)) != NULL)
		text = pool_format(maker->pool, "%s-x", text);
	return text;
}

static const char *text_of_bytes(struct identity_maker *maker)
{
	char digits[DIGITS + 1];
	unsigned ordinal;

	hash_bytes(maker, digits);
	ordinal = count_up(maker, digits);
	return unlike_given(maker, ordinal == 1 ?
			    arena_copy(maker->arena, digits, sizeof digits) :
			    pool_format(maker->pool, "%s-%u", digits, ordinal));
}

static void name_one(struct identity_maker *maker, struct unnamed *unnamed)
{
	maker->bytes_count = 0;
	if (unnamed->is_translation) {
		const struct rule_translation *half = unnamed->parts[0];

		add_translation(maker, half->source, unnamed->parts, unnamed->parts_count);
	} else {
		add_rule(maker, unnamed->identity.rule, unnamed->parts, unnamed->parts_count);
	}
	unnamed->identity.text = text_of_bytes(maker);
}

const char *identity_text(const struct identity *identity)
{
	struct identity_maker *maker = identity->maker;

	if (identity->text != NULL)
		return identity->text;
	for (struct unnamed *unnamed = maker->first; unnamed != NULL; unnamed = unnamed->next)
		name_one(maker, unnamed);
	maker->first = NULL;
	maker->end = &maker->first;
	return identity->text;
}

static struct identity *identity_new(struct identity_maker *maker, const char *text)
{
	struct identity *identity = arena_new_item(maker->arena, struct identity);

	identity->text = text;
	return identity;
}

static struct identity *given_new(struct identity_maker *maker, const char *id)
{
	struct identity *identity = identity_new(maker, id);

	identity->is_given = true;
	return identity;
}

static struct unnamed *unnamed_new(struct identity_maker *maker, const void *parts, size_t count)
{
	size_t size = count * sizeof(void *);
	struct unnamed *unnamed = arena_bytes(maker->arena, sizeof *unnamed + size);

	unnamed->identity.maker = maker;
	unnamed->parts_count = (uint32_t)count;
	memcpy(unnamed->parts, parts, size);
	*maker->end = unnamed;
	maker->end = &unnamed->next;
	return unnamed;
}

const struct identity *identity_make(struct identity_maker *maker, const struct policy_rule *rule,
				     struct rule *const *parts, size_t count)
{
	const char *id = rule->options->id;
	struct identity *identity = id != NULL ? given_new(maker, id) :
				    &unnamed_new(maker, parts, count)->identity;

	identity->rule = rule;
	return identity;
}

const struct identity *identity_make_translation(struct identity_maker *maker,
						 const struct translation *translation,
						 struct rule_translation *const *parts,
						 size_t count)
{
	struct unnamed *unnamed;

	if (translation->options.id != NULL)
		return given_new(maker, translation->options.id);
	unnamed = unnamed_new(maker, parts, count);
	unnamed->is_translation = true;
	return &unnamed->identity;
}

const struct identity *identity_fixed(struct identity_maker *maker, const char *text)
{
	return identity_new(maker, unlike_given(maker, text));
}
