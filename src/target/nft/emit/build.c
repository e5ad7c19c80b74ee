/* Names are made unique by counting; what comes from an identity keeps its text as far as nft's grammar
 * takes it ([A-Za-z0-9_.-]). */
#include "target/nft/emit/build.h"

#include <assert.h>
#include <string.h>

#include "base/pool.h"
#include "base/text.h"
#include "target/nft/model/field.h"

#define NAME_MAX_BYTES 100

/* --- memory and names --------------------------------------------------------------------- */

void *lower_take(struct lower *lower, size_t size)
{
	return arena_bytes(lower->arena, size);
}

static const char *copy_bytes(struct lower *lower, const char *bytes, size_t length)
{
	char *copy = lower_take(lower, length + 1);
	memcpy(copy, bytes, length);
	return copy;
}

const char *lower_copy_string(struct lower *lower, const char *string)
{
	return copy_bytes(lower, string, strlen(string));
}

static size_t format_number(char *end, size_t number)
{
	size_t length = 0;
	do {
		end[-1 - (ptrdiff_t)length++] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	return length;
}

/* Generated names are counted for each list and kind. */
static size_t *name_counter(struct lower *lower, const char *kind)
{
	uint64_t hash = memo_mix_string(memo_mix_string(0, lower->prefix), kind);
	struct name_counter *counters = lower->counters;
	for (size_t i = 0; i < lower->counters_count; i++)
		if (counters[i].hash == hash)
			return &counters[i].number;
	*pool_append(lower->scratch, lower, counters) = (struct name_counter){ .hash = hash };
	return &lower->counters[lower->counters_count - 1].number;
}

char *lower_name_in(struct lower *lower, const char *kind, size_t room)
{
	char digits[24];
	size_t *number = name_counter(lower, kind);
	size_t count = format_number(digits + sizeof digits, ++*number);
	size_t prefix = strlen(lower->prefix), middle = strlen(kind);
	size_t least = prefix + middle + count + 3;
	char *name = lower_take(lower, room < least ? least : room);
	memcpy(name, lower->prefix, prefix);
	size_t at = prefix;
	name[at++] = '_';
	if (middle != 0) {
		memcpy(name + at, kind, middle);
		at += middle;
		name[at++] = '_';
	}
	memcpy(name + at, digits + sizeof digits - count, count);
	return name;
}

const char *lower_name(struct lower *lower, const char *kind)
{
	return lower_name_in(lower, kind, 0);
}

static bool is_name_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '_' || byte == '.' || byte == '-';
}

static bool name_equals(const void *wanted, uint32_t number)
{
	const struct wanted_name *name = wanted;
	return strcmp(name->lower->names[number], name->text) == 0;
}

/* Takes the name unless it is taken. */
static bool claim_name(struct lower *lower, const char *name)
{
	uint64_t hash = memo_mix_string(0, name);
	struct wanted_name wanted = { lower, name };
	if (memo_find(&lower->name_memo, hash, name_equals, &wanted) != MEMO_NONE)
		return false;
	memo_add(lower->scratch, &lower->name_memo, hash, (uint32_t)lower->names_count);
	*pool_append(lower->scratch, lower, names) = name;
	return true;
}

const char *lower_identity_name(struct lower *lower, const char *prefix, const char *identity)
{
	size_t length = strnlen(identity, NAME_MAX_BYTES), start = strlen(prefix);
	char *name = lower_take(lower, start + length + 24);
	memcpy(name, prefix, start);
	for (size_t i = 0; i < length; i++)
		name[start + i] = is_name_byte(identity[i]) ? identity[i] : '_';
	for (size_t copy = 2; !claim_name(lower, name); copy++) {
		char digits[24];
		size_t count = format_number(digits + sizeof digits, copy);
		name[start + length] = '.';
		memcpy(name + start + length + 1, digits + sizeof digits - count, count);
		name[start + length + 1 + count] = '\0';
	}
	return name;
}

/* The length cut so that no UTF-8 character is split. */
static size_t cut_length(const char *text, size_t most)
{
	size_t length = strlen(text);
	if (length <= most)
		return length;
	while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80)
		most--;
	return most;
}

/* Most places are of one file. */
static void take_source(struct lower *lower, struct sources *sources, uint32_t source)
{
	if (lower->place.name != NULL && lower->place.source == source)
		return;
	struct text *name = text_new(lower->scratch);
	span_add_name(name, sources, source);
	lower->place.source = source;
	lower->place.name = name->bytes;
	lower->place.length = name->length;
}

const char *lower_place(struct lower *lower, struct span span)
{
	if (span.source == UINT32_MAX || lower->ruleset->policy == NULL)
		return NULL;
	struct sources *sources = lower->ruleset->policy->sources;
	take_source(lower, sources, span.source);
	char digits[24];
	const struct position position = sources_position(sources, span.source, span.begin);
	size_t count = format_number(digits + sizeof digits, position.line), length = lower->place.length;
	char *place = lower_take(lower, length + count + 2);
	memcpy(place, lower->place.name, length);
	place[length] = ':';
	memcpy(place + length + 1, digits + sizeof digits - count, count);
	place[length + 1 + count] = '\0';
	place[cut_length(place, LOWER_COMMENT_MAX)] = '\0';
	return place;
}

/* --- chains ------------------------------------------------------------------------------- */

struct draft draft_begin(struct lower *lower)
{
	return (struct draft){ .base = lower->drafts_count };
}

struct nft_rule *draft_shared_rule(struct lower *lower, struct draft *draft,
				   const struct statements *statements)
{
	if (statements->height > draft->height)
		draft->height = statements->height;
	struct nft_rule *rule = pool_append(lower->scratch, lower, drafts);
	*rule = (struct nft_rule){
		.statements = statements->items,
		.statements_count = statements->items_count,
		.statements_capacity = statements->items_count,
		.origin = SPAN_NONE,
	};
	return rule;
}

struct nft_rule *draft_rule(struct lower *lower, struct draft *draft,
			    const struct statements *statements)
{
	struct statements copy = *statements;
	copy.items = lower_array(lower, struct nft_statement, statements->items_count);
	memcpy(copy.items, statements->items, statements->items_count * sizeof *copy.items);
	return draft_shared_rule(lower, draft, &copy);
}

struct nft_chain *draft_end(struct lower *lower, struct draft *draft, const char *name)
{
	assert(lower->drafts_count >= draft->base);
	size_t count = lower->drafts_count - draft->base;
	struct nft_chain *chain = lower_new(lower, struct nft_chain);
	*chain = (struct nft_chain){
		.name = name,
		.rules = lower_array(lower, struct nft_rule, count),
		.rules_count = count,
		.rules_capacity = count,
	};
	if (count != 0)
		memcpy(chain->rules, lower->drafts + draft->base, count * sizeof *chain->rules);
	lower->drafts_count = draft->base;
	*pool_append(lower->pool, lower->table, chains) = chain;
	return chain;
}

struct goal goal_of_chain(const struct draft *draft, const struct nft_chain *chain,
			  enum nft_verdict_kind kind)
{
	return (struct goal){ { kind, chain->name }, draft->height + 1 };
}

/* --- sets --------------------------------------------------------------------------------- */

size_t lower_sets_chosen(const struct lower *lower)
{
	return lower->table->sets_count - lower->sets_given;
}

bool lower_may_add_set(const struct lower *lower)
{
	return lower_sets_chosen(lower) + lower->sets_kept < lower->sets_most;
}

bool lower_may_add_sets(const struct lower *lower, size_t count)
{
	return lower->table->sets_count + lower->sets_kept + count <= lower->limits->sets_most;
}

bool lower_may_add_leaf_set(const struct lower *lower)
{
	return lower_sets_chosen(lower) < lower->sets_most / 2;
}

struct nft_set *lower_set(struct lower *lower, const char *name, const enum nft_field *fields,
			  size_t fields_count)
{
	enum nft_field *copy = lower_array(lower, enum nft_field, fields_count);
	memcpy(copy, fields, fields_count * sizeof *fields);
	struct nft_set *set = lower_new(lower, struct nft_set);
	*set = (struct nft_set){
		.name = name, .fields = copy, .fields_count = fields_count, .origin = SPAN_NONE,
	};
	*pool_append(lower->pool, lower->table, sets) = set;
	return set;
}

/* --- elements --------------------------------------------------------------------------------- */

/* Can an element hold all of its key as numbers of 32 bits? */
static bool is_small(const struct nft_set *set)
{
	for (size_t i = 0; i < set->fields_count; i++) {
		const struct nft_field_row *row = nft_field_row(set->fields[i]);
		if (row->kind == NFT_VALUE_NAME || row->bytes > sizeof(uint32_t))
			return false;
	}
	return nft_element_highs(set) + set->fields_count <= NFT_KEY_FIELDS_MAX;
}

void lower_elements(struct lower *lower, struct nft_set *set, size_t count)
{
	size_t sides = nft_element_highs(set) + set->fields_count;
	set->elements = lower_array(lower, struct nft_element, count);
	set->elements_capacity = count;
	set->has_small_keys = is_small(set);
	if (set->has_small_keys)
		return;
	struct nft_value *values = lower_array(lower, struct nft_value, count * sides);
	for (size_t i = 0; i < count; i++)
		set->elements[i].wide = values + i * sides;
}

struct nft_element *lower_element(struct nft_set *set)
{
	assert(set->elements_count < set->elements_capacity);
	return &set->elements[set->elements_count++];
}

/* --- shared sets ------------------------------------------------------------------------------ */

/* What a set's values are; fields of one kind may look into one set. */
enum set_kind { SET_IPV4, SET_IPV6, SET_PROTOCOLS };

static enum set_kind set_kind(enum nft_field field)
{
	if (field == NFT_FIELD_L4PROTO)
		return SET_PROTOCOLS;
	bool is_ipv4 = field == NFT_FIELD_IP_SADDR || field == NFT_FIELD_IP_DADDR ||
		       field == NFT_FIELD_CT_ORIGINAL_IP_DADDR;
	return is_ipv4 ? SET_IPV4 : SET_IPV6;
}

struct wanted_set {
	const struct lower *lower;
	enum set_kind kind;
	const struct interval_set *intervals;
};

static bool set_equals(const void *wanted, uint32_t number)
{
	const struct wanted_set *want = wanted;
	const struct nft_set *set = want->lower->table->sets[number];
	return set->intervals != NULL && set_kind(set->fields[0]) == want->kind &&
	       (set->intervals->items == want->intervals->items ||
		interval_set_equals(set->intervals, want->intervals));
}

/* All of one address each: the kernel then takes a hash table. */
static bool is_exact(const struct interval_set *intervals)
{
	for (size_t i = 0; i < intervals->items_count; i++)
		if (intervals->items[i].low != intervals->items[i].high)
			return false;
	return true;
}

const struct nft_set *lower_interval_set(struct lower *lower, enum nft_field field,
					 const struct interval_set *intervals, struct span origin)
{
	static const char *const kind_names[] = { "v4", "v6", "protocols" };
	enum set_kind kind = set_kind(field);
	struct wanted_set wanted = { lower, kind, intervals };
	uint64_t hash = memo_mix(interval_set_hash(intervals), (uint64_t)kind);
	uint32_t number = memo_find(&lower->set_memo, hash, set_equals, &wanted);
	if (number != MEMO_NONE)
		return lower->table->sets[number];
	memo_add(lower->scratch, &lower->set_memo, hash, (uint32_t)lower->table->sets_count);
	const char *prefix = lower->prefix;
	lower->prefix = "addresses";
	struct nft_set *set = lower_set(lower, lower_name(lower, kind_names[kind]), &field, 1);
	lower->prefix = prefix;
	struct interval_set *kept = lower_new(lower, struct interval_set);
	*kept = *intervals; /* the items are shared, the head may be in memory that moves */
	set->intervals = kept;
	set->is_interval = !is_exact(intervals);
	set->size = set->is_interval ? 0 : (uint32_t)intervals->items_count;
	set->origin = origin;
	return set;
}

/* --- statements --------------------------------------------------------------------------- */

struct nft_statement match_equal(enum nft_field field, number128 value)
{
	return (struct nft_statement){
		.kind = NFT_MATCH, .field = field, .operator = NFT_EQUAL, .low.number = value,
	};
}

static bool address_family(enum nft_field field, enum family *family)
{
	bool is_ipv4 = field == NFT_FIELD_IP_SADDR || field == NFT_FIELD_IP_DADDR;
	*family = is_ipv4 ? FAMILY_IPV4 : FAMILY_IPV6;
	return is_ipv4 || field == NFT_FIELD_IP6_SADDR || field == NFT_FIELD_IP6_DADDR;
}

struct nft_statement match_interval(enum nft_field field, struct interval interval)
{
	enum family family;
	struct nft_statement statement = match_equal(field, interval.low);
	if (interval.low == interval.high)
		return statement;
	unsigned length;
	statement.operator = NFT_RANGE;
	statement.high.number = interval.high;
	if (address_family(field, &family) && interval_is_prefix(family, &interval, &length)) {
		statement.operator = NFT_PREFIX;
		statement.length = (uint8_t)length;
	}
	return statement;
}

struct nft_statement match_name(enum nft_field field, enum nft_operator operator, const char *name)
{
	return (struct nft_statement){
		.kind = NFT_MATCH, .field = field, .operator = operator, .low.name = name,
	};
}

struct nft_statement match_set(enum nft_field field, const struct nft_set *set)
{
	return (struct nft_statement){
		.kind = NFT_MATCH, .field = field, .operator = NFT_IN_SET, .set = set,
	};
}

struct nft_statement match_bits(enum nft_field field, uint32_t bits)
{
	struct nft_statement statement = match_equal(field, bits);
	statement.operator = NFT_ANY_BIT;
	return statement;
}

struct nft_statement verdict_statement(struct nft_verdict verdict)
{
	return (struct nft_statement){ .kind = NFT_VERDICT, .verdict = verdict };
}

struct nft_statement object_statement(enum nft_statement_kind kind, const char *name)
{
	return (struct nft_statement){ .kind = kind, .name = name };
}

void rule_add(struct rule_draft *rule, struct nft_statement statement)
{
	assert(rule->items_count < RULE_STATEMENTS_MAX);
	rule->items[rule->items_count++] = statement;
}

struct nft_rule *rule_end(struct lower *lower, struct draft *draft, const struct rule_draft *rule,
			  unsigned height)
{
	return draft_rule(lower, draft, &(struct statements){
		.items = (struct nft_statement *)(uintptr_t)rule->items,
		.items_count = rule->items_count,
		.height = height,
	});
}
