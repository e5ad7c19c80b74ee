/* Each list as a map from packets to what becomes of them, in one space: equal maps are one number.
 *
 * What may hold or not makes a choice: "if the words hold this, else that". Choices are numbers, too, the same for
 * the same; rows of choices for one outcome stand in the order of their words. */
#include "target/cisco/minimise/proof.h"

#include <string.h>

#include "analyse/meaning.h"
#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"
#include "target/cisco/read/format.h"
#include "target/cisco/read/sets.h"

enum { OUTCOME_DENY, OUTCOME_PERMIT, OUTCOME_NONE, OUTCOMES };

struct choice {
	uint32_t words; /* number of the condition; 0: an outcome, no choice */
	uint32_t then, otherwise;
};

struct proving {
	void *pool;
	struct arena *arena;
	struct diags *diags;
	struct packet_universe *universe;
	struct packet_space *space;
	struct interned *numbers;    /* of choices, and of entries that log by their text */
	struct interned *conditions;
	size_t conditions_count;
	struct choice *choices;      /* by number */
	size_t choices_count, choices_capacity;
	/* of the step that is done */
	uint32_t words, outcome;
};

static uint32_t number_of(struct proving *proving, const void *key, size_t length, struct choice choice)
{
	uintptr_t *slot = (uintptr_t *)interned_slot(proving->numbers, key, length);

	if (*slot == 0) {
		*slot = proving->choices_count;
		*pool_append(proving->pool, proving, choices) = choice;
	}
	return (uint32_t)*slot;
}

static uint32_t choose(struct proving *proving, uint32_t words, uint32_t then, uint32_t otherwise)
{
	struct choice choice = { words, then, otherwise };
	const struct choice *inner = &proving->choices[otherwise];

	if (then == otherwise)
		return then;
	if (inner->words == words)
		return choose(proving, words, then, inner->otherwise);
	if (inner->words != 0 && inner->words < words && inner->then == then) {
		uint32_t first = inner->words, last = inner->otherwise;

		return choose(proving, first, then, choose(proving, words, then, last));
	}
	return number_of(proving, &choice, sizeof choice, choice);
}

/* Entries that log, or remember, are told apart by all that they say. */
static uint32_t outcome_of(struct proving *proving, const struct acl_list *list, const struct acl_box *box)
{
	struct text *text;

	if (box->entry == NULL || (box->entry->log == ACL_LOG_NONE && box->entry->reflect == NULL))
		return box->action == ACL_PERMIT ? OUTCOME_PERMIT : OUTCOME_DENY;
	text = text_new(proving->pool);
	acl_entry_format(text, list, box->entry);
	return number_of(proving, text->bytes, text->length + 1, (struct choice){ 0 });
}

static uint32_t condition_of(struct proving *proving, const struct acl_entry *entry)
{
	const char *words = pool_format(proving->pool, "%s\n%s\n%s", entry->evaluate != NULL ? entry->evaluate : "",
					entry->time_range != NULL ? entry->time_range : "",
					entry->condition_words != NULL ? entry->condition_words : "");
	uintptr_t *slot = (uintptr_t *)interned_slot(proving->conditions, words, strlen(words));

	if (*slot == 0)
		*slot = ++proving->conditions_count;
	return (uint32_t)*slot;
}

static uint32_t first_of(void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a == OUTCOME_NONE ? b : a;
}

static uint32_t perhaps(void *context, uint32_t number)
{
	struct proving *proving = context;

	return choose(proving, proving->words, proving->outcome, number);
}

/* Entries that hold their packets for certain, [begin, end), before what is behind them. */
static packet_map add_certain(struct proving *proving, const struct acl_list *list, const struct acl_sets *sets,
			      size_t begin, size_t end, packet_map behind)
{
	struct packet_rule *rules = pool_array(proving->pool, struct packet_rule, end - begin);

	for (size_t index = begin; index < end; index++)
		rules[index - begin] = (struct packet_rule){
			acl_box_packets(sets, &sets->boxes[index]), outcome_of(proving, list, &sets->boxes[index])
		};
	return packet_map_combine(proving->space,
				  packet_map_first_match(proving->space, rules, end - begin, OUTCOME_NONE), behind,
				  first_of, proving);
}

static packet_map map_of(struct proving *proving, const struct acl_list *list, const struct acl_sets *sets)
{
	packet_map map = packet_map_constant(OUTCOME_DENY);
	size_t end = sets->boxes_count;

	while (end > 0) {
		const struct acl_box *box = &sets->boxes[end - 1];
		size_t begin = end;

		while (begin > 0 && !sets->boxes[begin - 1].is_partial)
			begin--;
		if (begin < end) {
			map = add_certain(proving, list, sets, begin, end, map);
			end = begin;
			continue;
		}
		const struct packet_box packets = acl_box_packets(sets, box);

		proving->words = condition_of(proving, box->entry);
		proving->outcome = outcome_of(proving, list, box);
		map = packet_map_choose(proving->space, packet_set_box(proving->space, &packets),
					packet_map_renumber(proving->space, map, perhaps, proving), map);
		end--;
	}
	return map;
}

/* Packets that can be: later fragments have no ports. */
static packet_set possible(struct proving *proving, enum family family)
{
	static const enum packet_field asked[] = { FIELD_HOOK, FIELD_FAMILY, FIELD_PROTOCOL, FIELD_SOURCE,
						   FIELD_DESTINATION, FIELD_FIRST, FIELD_SECOND, FIELD_FLAGS };
	struct packet_space *space = proving->space;
	bool is_asked[PACKET_FIELDS] = { 0 };
	packet_set whole, all;

	for (size_t index = 0; index < sizeof asked / sizeof asked[0]; index++)
		is_asked[asked[index]] = true;
	whole = packet_set_intersect(space, packet_set_possible_of(space, is_asked),
				     packet_set_value(space, FIELD_FRAGMENT, 0));
	all = packet_set_union(space, whole, packet_set_value(space, FIELD_FRAGMENT, 1));
	all = packet_set_intersect(space, all, packet_set_value(space, FIELD_HOOK, HOOK_FORWARD));
	return packet_set_intersect(space, all, packet_set_value(space, FIELD_FAMILY, family));
}

static const char *packet_words(struct proving *proving, const struct packet_point *point)
{
	struct packet packet = packet_of_point(proving->universe, point);
	struct text *out = text_new(proving->pool);

	packet.in = packet.out = NULL;
	packet_format(out, &packet);
	if (point->fields[FIELD_FRAGMENT] == 1)
		text_add(out, ", a later fragment");
	return out->bytes;
}

static struct proving proving_new(void *pool, struct diags *diags)
{
	struct proving proving = { .pool = pool, .diags = diags, .arena = arena_new(pool) };

	proving.universe = packet_universe_new(pool);
	packet_universe_finish(proving.universe);
	proving.space = packet_space_new(pool, proving.universe, PACKET_ORDER_SAFE, 0);
	proving.numbers = interned_new(pool, proving.arena);
	proving.conditions = interned_new(pool, proving.arena);
	while (proving.choices_count < OUTCOMES)
		*pool_append(pool, &proving, choices) = (struct choice){ 0 };
	return proving;
}

enum minimise_proof minimise_prove(void *pool, struct diags *diags, const struct acl_config *before_config,
				   const struct acl_list *before, const struct acl_config *after_config,
				   const struct acl_list *after, const char **packet)
{
	const struct acl_sets_settings settings = { before->family, true };
	const struct acl_sets *old = acl_sets_make(pool, diags, before_config, before, &settings);
	const struct acl_sets *new = acl_sets_make(pool, diags, after_config, after, &settings);
	struct proving proving = proving_new(pool, diags);
	packet_map first, second;
	packet_set difference;
	struct packet_point point;

	*packet = NULL;
	if (old == NULL || new == NULL)
		return MINIMISE_UNDECIDED;
	first = map_of(&proving, before, old);
	second = map_of(&proving, after, new);
	difference = packet_set_intersect(proving.space, packet_map_difference(proving.space, first, second),
					  possible(&proving, before->family));
	if (packet_space_is_over(proving.space))
		return MINIMISE_UNDECIDED;
	if (!packet_set_example(proving.space, difference, &point))
		return MINIMISE_EQUAL;
	*packet = packet_words(&proving, &point);
	return MINIMISE_DIFFERS;
}
