#include "mutants.h"

#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "../unit/read_eval.h"
#include "../unit/read_packets.h"
#include "../unit/unit.h"
#include "base/pool.h"
#include "models.h"
#include "net/protocol.h"
#include "target/nft/prove/differ.h"
#include "target/nft/model/kernel_names.h"
#include "target/nft/prove/prove.h"
#include "target/nft/read/expression.h"
#include "target/nft/load/reread.h"

#define PACKETS 6000   /* that a mutant and the table must treat alike to count as the same */
#define ELEMENTS_MANY 2000 /* with so many in its sets, half of the packets, and so on */
#define ATTEMPTS 1000
#define PRIORITY_CONNTRACK (-200)

static struct read_chain *any_chain(const struct read_table *table)
{
	for (unsigned attempt = 0; attempt < 50; attempt++) {
		struct read_chain *chain = table->chains[unit_below((unsigned)table->chains_count)];
		if (chain->rules_count != 0)
			return chain;
	}
	return NULL;
}

static struct read_rule *any_rule(const struct read_table *table, const struct read_chain **chain)
{
	struct read_chain *found = any_chain(table);
	*chain = found;
	return found == NULL ? NULL : &found->rules[unit_below((unsigned)found->rules_count)];
}

static struct read_element *any_element(const struct read_table *table, struct read_set **set)
{
	if (table->sets_count == 0)
		return NULL;
	*set = table->sets[unit_below((unsigned)table->sets_count)];
	return (*set)->elements_count == 0 ? NULL : &(*set)->elements[unit_below((unsigned)(*set)->elements_count)];
}

/* An attribute of some expression that is of this type; the model is const to all but mutants. */
static struct read_attribute *any_attribute(const struct read_table *table, enum read_attribute_type type,
					    const struct read_expression **expression, struct text *what)
{
	for (unsigned attempt = 0; attempt < 50; attempt++) {
		const struct read_chain *chain;
		const struct read_rule *rule = any_rule(table, &chain);
		if (rule == NULL || rule->expressions.items_count == 0)
			continue;
		*expression = &rule->expressions.items[unit_below((unsigned)rule->expressions.items_count)];
		if ((*expression)->attributes_count == 0)
			continue;
		const struct read_attribute *found =
			&(*expression)->attributes[unit_below((*expression)->attributes_count)];
		if (found->type != (uint16_t)type || found->number == 0)
			continue;
		text_addf(what, "chain %s, rule %zu, %s attribute %u: ", chain->name,
			  (size_t)(rule - chain->rules) + 1, (*expression)->name, found->number);
		return (struct read_attribute *)(uintptr_t)found;
	}
	return NULL;
}

static void change_bytes(const uint8_t *bytes, uint32_t length, struct text *what)
{
	uint8_t *mine = (uint8_t *)(uintptr_t)bytes;
	uint32_t at = unit_below(3) == 0 ? unit_below(length) : length - 1;
	uint8_t before = mine[at];
	if (unit_below(2) == 0)
		mine[at] = (uint8_t)(mine[at] + (unit_below(2) == 0 ? 1 : -1));
	else
		mine[at] ^= (uint8_t)(1u << unit_below(8));
	text_addf(what, "byte %u from %02x to %02x", at, before, mine[at]);
}

static void change_verdict(const struct read_data *data, const struct read_table *table, struct text *what)
{
	struct read_data *verdict = (struct read_data *)(uintptr_t)data;
	int32_t before = verdict->verdict;
	const char *chain = verdict->chain;
	if (chain != NULL && unit_below(2) == 0) {
		verdict->chain = table->chains[unit_below((unsigned)table->chains_count)]->name;
	} else if (chain != NULL) {
		verdict->verdict = before == -3 ? -4 : -3;
	} else {
		verdict->verdict = before == NF_ACCEPT ? (unit_below(4) == 0 ? -5 : NF_DROP) : NF_ACCEPT;
	}
	text_addf(what, "verdict %d %s to %d %s", before, chain == NULL ? "" : chain, verdict->verdict,
		  verdict->chain == NULL ? "" : verdict->chain);
}

/* --- kinds of changes ------------------------------------------------------------------------------- */

static bool mutate_data(struct nft_read *read, const struct read_table *table, struct text *what)
{
	const struct read_expression *expression;
	const struct read_attribute *found = any_attribute(table, READ_DATA, &expression, what);
	(void)read;
	if (found == NULL)
		return false;
	if (found->data->is_verdict)
		change_verdict(found->data, table, what);
	else
		change_bytes(found->data->bytes, found->data->length, what);
	return true;
}

/* Registers, offsets, keys, operators, flags, rates. */
static bool mutate_number(struct nft_read *read, const struct read_table *table, struct text *what)
{
	const struct read_expression *expression;
	struct read_attribute *found = any_attribute(table, READ_NUMBER, &expression, what);
	(void)read;
	if (found == NULL)
		return false;
	uint64_t before = found->value;
	found->value = unit_below(3) == 0 ? before ^ (1u << unit_below(5))
		       : unit_below(2) == 0 ? before + 1
					    : before - 1;
	text_addf(what, "from %llu to %llu", (unsigned long long)before, (unsigned long long)found->value);
	return true;
}

static bool mutate_string(struct nft_read *read, const struct read_table *table, struct text *what)
{
	const struct read_expression *expression;
	struct read_attribute *found = any_attribute(table, READ_STRING, &expression, what);
	if (found == NULL)
		return false;
	const char *before = found->string;
	if (expression->kind == READ_LOOKUP || expression->kind == READ_DYNSET)
		found->string = table->sets[unit_below((unsigned)table->sets_count)]->name;
	else if (expression->kind == READ_OBJREF)
		found->string = table->objects[unit_below((unsigned)table->objects_count)]->name;
	else
		found->string = pool_format(read, "%sx", before);
	text_addf(what, "from '%s' to '%s'", before, found->string);
	return strcmp(before, found->string) != 0;
}

static bool drop_rule(struct nft_read *read, const struct read_table *table, struct text *what)
{
	struct read_chain *chain = any_chain(table);
	(void)read;
	if (chain == NULL)
		return false;
	size_t at = unit_below((unsigned)chain->rules_count);
	text_addf(what, "chain %s: rule %zu dropped", chain->name, at + 1);
	chain->rules_count--;
	memmove(&chain->rules[at], &chain->rules[at + 1], (chain->rules_count - at) * sizeof *chain->rules);
	return true;
}

static bool swap_rules(struct nft_read *read, const struct read_table *table, struct text *what)
{
	struct read_chain *chain = any_chain(table);
	(void)read;
	if (chain == NULL || chain->rules_count < 2)
		return false;
	size_t at = unit_below((unsigned)chain->rules_count - 1);
	struct read_rule moved = chain->rules[at];
	text_addf(what, "chain %s: rules %zu and %zu swapped", chain->name, at + 1, at + 2);
	chain->rules[at] = chain->rules[at + 1];
	chain->rules[at + 1] = moved;
	return true;
}

static bool drop_expression(struct nft_read *read, const struct read_table *table, struct text *what)
{
	const struct read_chain *chain;
	struct read_rule *rule = any_rule(table, &chain);
	if (rule == NULL || rule->expressions.items_count == 0)
		return false;
	size_t count = rule->expressions.items_count, at = unit_below((unsigned)count);
	struct read_expression *items = arena_copy(read->arena, rule->expressions.items, count * sizeof *items);
	text_addf(what, "chain %s, rule %zu: %s dropped", chain->name, (size_t)(rule - chain->rules) + 1,
		  items[at].name);
	memmove(&items[at], &items[at + 1], (count - at - 1) * sizeof *items);
	rule->expressions = (struct read_expressions){ items, count - 1 };
	return true;
}

static bool drop_element(struct nft_read *read, const struct read_table *table, struct text *what)
{
	struct read_set *set;
	const struct read_element *element = any_element(table, &set);
	(void)read;
	if (element == NULL)
		return false;
	size_t at = (size_t)(element - set->elements);
	text_addf(what, "set %s: element %zu dropped", set->name, at + 1);
	set->elements_count--;
	memmove(&set->elements[at], &set->elements[at + 1], (set->elements_count - at) * sizeof *set->elements);
	return true;
}

/* The kernel refuses a key that is there twice. */
static bool is_there_twice(const struct read_set *set, const struct read_element *element)
{
	for (size_t index = 0; index < set->elements_count; index++) {
		const struct read_element *other = &set->elements[index];

		if (other != element && read_element_flags(other) == read_element_flags(element) &&
		    memcmp(read_element_key(set, other), read_element_key(set, element), set->key_length) == 0)
			return true;
	}
	return false;
}

/* Elements share what is beside their keys. */
static const struct read_data *own_value(struct nft_read *read, struct read_set *set, struct read_element *element)
{
	struct read_more *more = pool_new(read->pool, struct read_more);

	*more = *read_element_more(set, element);
	read_element_give(read->pool, set, element, more);
	return &more->value;
}

static bool mutate_element(struct nft_read *read, const struct read_table *table, struct text *what)
{
	struct read_set *set;
	struct read_element *element = any_element(table, &set);
	if (element == NULL)
		return false;
	text_addf(what, "set %s, element %zu: ", set->name, (size_t)(element - set->elements) + 1);
	const struct read_more *more = read_element_more(set, element);
	if (more->value.is_verdict && unit_below(2) == 0)
		change_verdict(own_value(read, set, element), table, what);
	else if (more->key_end != NULL && unit_below(2) == 0)
		change_bytes(more->key_end, set->key_length, what);
	else
		change_bytes(read_element_key(set, element), set->key_length, what);
	if (is_there_twice(set, element))
		return false;
	nft_read_finish(read);
	return true;
}

/* An interval's end that is a start, or the other way round. */
static bool turn_element(struct nft_read *read, const struct read_table *table, struct text *what)
{
	struct read_set *set;
	struct read_element *element = any_element(table, &set);
	if (element == NULL || set->fields_count > 1 || (set->flags & NFT_SET_INTERVAL) == 0)
		return false;
	text_addf(what, "set %s, element %zu: end turned", set->name, (size_t)(element - set->elements) + 1);
	element->more ^= (uint32_t)NFT_SET_ELEM_INTERVAL_END << READ_MORE_BITS;
	if (is_there_twice(set, element))
		return false;
	nft_read_finish(read);
	return true;
}

/* Bytes of a model, which is const to all but mutants. */
static void swap_bytes(const uint8_t *one, const uint8_t *other, size_t length)
{
	uint8_t *a = (uint8_t *)(uintptr_t)one, *b = (uint8_t *)(uintptr_t)other;
	for (size_t i = 0; i < length; i++) {
		uint8_t moved = a[i];
		a[i] = b[i];
		b[i] = moved;
	}
}

/* An element in another set of its kind, which has one of its own then instead. */
static bool swap_elements(struct nft_read *read, const struct read_table *table, struct text *what)
{
	struct read_set *one, *other;
	struct read_element *here = any_element(table, &one), *there = any_element(table, &other);
	if (here == NULL || there == NULL || one == other || one->key_length != other->key_length ||
	    one->fields_count != other->fields_count || one->data_type != other->data_type ||
	    one->data_length != other->data_length || one->flags != other->flags)
		return false;
	text_addf(what, "set %s, element %zu and set %s, element %zu change places", one->name,
		  (size_t)(here - one->elements) + 1, other->name, (size_t)(there - other->elements) + 1);
	const struct read_more *more = read_element_more(one, here);
	uint32_t turned = (here->more ^ there->more) >> READ_MORE_BITS << READ_MORE_BITS;
	here->more ^= turned;
	there->more ^= turned;
	swap_bytes(read_element_key(one, here), read_element_key(other, there), one->key_length);
	read_element_give(read->pool, one, here, read_element_more(other, there));
	read_element_give(read->pool, other, there, more);
	if (is_there_twice(one, here) || is_there_twice(other, there))
		return false;
	nft_read_finish(read);
	return true;
}

static bool mutate_base(struct nft_read *read, const struct read_table *table, struct text *what)
{
	struct read_chain *chain = table->chains[unit_below((unsigned)table->chains_count)];
	(void)read;
	if (!chain->is_base)
		return false;
	text_addf(what, "base chain %s: ", chain->name);
	if (unit_below(2) == 0) {
		chain->hook = (chain->hook + 1) % NF_INET_NUMHOOKS;
		text_addf(what, "hook %u", chain->hook);
	} else {
		chain->policy = chain->policy == NF_ACCEPT ? NF_DROP : NF_ACCEPT;
		text_addf(what, "policy %u", chain->policy);
	}
	return true;
}

static bool mutate_object(struct nft_read *read, const struct read_table *table, struct text *what)
{
	(void)read;
	if (table->objects_count == 0)
		return false;
	const struct read_object *object = table->objects[unit_below((unsigned)table->objects_count)];
	if (object->type == NFT_OBJECT_COUNTER || object->content.attributes_count == 0)
		return false;
	struct read_attribute *found = (struct read_attribute *)(uintptr_t)
		&object->content.attributes[unit_below(object->content.attributes_count)];
	if (found->type != READ_NUMBER)
		return false;
	found->value++;
	text_addf(what, "object %s: attribute %u to %llu", object->name, found->number,
		  (unsigned long long)found->value);
	return true;
}

bool mutate(struct nft_read *read, const struct read_table *table, struct text *what)
{
	static bool (*const kinds[])(struct nft_read *, const struct read_table *, struct text *) = {
		mutate_data, mutate_data, mutate_number, mutate_number, mutate_string, drop_rule, swap_rules,
		drop_expression, drop_element, mutate_element, mutate_element, mutate_base, mutate_object,
	};
	return kinds[unit_below(sizeof kinds / sizeof kinds[0])](read, table, what);
}

/* The same, mostly of elements. */
static bool mutate_elements(struct nft_read *read, const struct read_table *table, struct text *what)
{
	static bool (*const kinds[])(struct nft_read *, const struct read_table *, struct text *) = {
		drop_element, mutate_element, turn_element, swap_elements, mutate,
	};
	return kinds[unit_below(sizeof kinds / sizeof kinds[0])](read, table, what);
}

/* --- comparing -------------------------------------------------------------------------------------- */

struct stand {
	const char *type;
	int32_t low, high;
};

static const struct stand places[] = {
	{ "filter", INT32_MIN, PRIORITY_CONNTRACK },
	{ "filter", PRIORITY_CONNTRACK + 1, INT32_MAX },
	{ "nat", INT32_MIN, INT32_MAX },
};

/* Which counter a rule has does not matter while it has it alone: a rule that no packet reaches leaves
 * its counter to others. */
static bool results_equal(const struct read_result *a, const struct read_result *b, bool has_names)
{
	if (a->problem != NULL || b->problem != NULL)
		return true; /* the machine cannot say */
	if (has_names && strcmp(a->counters, b->counters) != 0)
		return false;
	return a->fate == b->fate && strcmp(a->notes, b->notes) == 0;
}

struct tables {
	const struct read_table *one, *other;
};

static bool same_at(const struct tables *tables, const struct stand *place, const struct model_packet *packet,
		    bool has_names)
{
	struct read_result a = read_eval(tables->one, place->type, place->low, place->high, packet);
	struct read_result b = read_eval(tables->other, place->type, place->low, place->high,
					 packet);
	return results_equal(&a, &b, has_names);
}

/* The machine looks through sets from end to end. */
static unsigned packets_for(const struct read_table *table)
{
	size_t elements = 0;
	for (size_t i = 0; i < table->sets_count; i++)
		elements += table->sets[i]->elements_count;
	return PACKETS / (unsigned)(1 + elements / ELEMENTS_MANY);
}

static bool same_for_packets(const struct tables *tables, const struct ruleset *ruleset)
{
	unsigned packets = packets_for(tables->one);
	struct read_constants constants = { .count = 0 };
	read_constants_add(&constants, tables->one);
	read_constants_add(&constants, tables->other);
	read_favour_differences(&constants, tables->one, tables->other);
	for (unsigned i = 0; i < packets; i++) {
		struct model_packet packet = read_packet_near(&constants, ruleset);
		for (size_t k = 0; k < sizeof places / sizeof places[0]; k++)
			if (!same_at(tables, &places[k], &packet, false))
				return false;
	}
	return true;
}

static struct model_packet packet_of(const struct proof_packet *witness)
{
	const struct packet *packet = &witness->packet;
	return (struct model_packet){
		.hook = witness->hook, .in = packet->in, .out = packet->out, .family = packet->family,
		.source = packet->source, .destination = packet->destination, .protocol = packet->protocol,
		.source_port = packet->second, .destination_port = packet->first,
		.type = (uint8_t)packet->first, .code = (uint8_t)packet->second,
		.tcp_flags = witness->tcp_flags, .hop_limit = witness->hop_limit, .state = witness->state,
		.status = packet->is_translated ? 0x20 : 0, .original_destination = packet->original_destination,
		.original_port = packet->original_first, .helper = witness->helper, .route = witness->route,
		.day = (witness->second / 86400 + 1) % 7, .second = witness->second % 86400,
		.time = (uint64_t)packet->time,
	};
}

static struct stand stand_of(const struct proof_packet *witness)
{
	return (struct stand){ witness->type, witness->low, witness->high };
}

/* Does the machine see a difference on the proof's packet, within the limits or beyond them? */
static bool is_confirmed(const struct tables *tables, const struct proof_packet *witness)
{
	const struct stand place = stand_of(witness);
	struct model_packet packet = packet_of(witness);
	if (!same_at(tables, &place, &packet, true))
		return true;
	packet.is_over_limit = true;
	return !same_at(tables, &place, &packet, true);
}

/* Does the packet come to what the machine cannot do: a key that it has not, a register that nothing wrote? */
static bool is_beyond_machine(const struct tables *tables, const struct proof_packet *witness)
{
	const struct stand place = stand_of(witness);
	const struct model_packet packet = packet_of(witness);
	return read_eval(tables->other, place.type, place.low, place.high, &packet).problem != NULL;
}

/* --- the run ---------------------------------------------------------------------------------------- */

struct figures {
	unsigned long confirmed;   /* the machine sees the difference too */
	unsigned long unknown;     /* it takes what the machine cannot do, or several packets */
	unsigned long senseless;
	unsigned long unconfirmed; /* the machine sees none: a false alarm */
	unsigned long same, missed;
};

/* Does the difference take more than one packet that the machine can make? What a limit is counted by
 * shows between packets. */
static bool takes_more(const struct proof *proof)
{
	return proof->witness.has_unknowns || proof->shared != NULL ||
	       strstr(proof->found, "not to be told") != NULL || strstr(proof->wanted, "up to") != NULL;
}

static void judge(struct figures *figures, const struct proof *proof, const struct tables *tables,
		  const struct ruleset *ruleset, const char *what)
{
	switch (proof->result) {
	case PROOF_EQUAL:
		if (same_for_packets(tables, ruleset)) {
			figures->same++;
			return;
		}
		figures->missed++;
		printf("MISSED: %s\n", what);
		return;
	case PROOF_DIFFERS:
		if (is_confirmed(tables, &proof->witness)) {
			figures->confirmed++;
			return;
		}
		if (takes_more(proof) || is_beyond_machine(tables, &proof->witness)) {
			figures->unknown++;
			return;
		}
		figures->unconfirmed++;
		printf("not confirmed: %s\n  %s: %s\n  wanted: %s\n  found: %s\n", what, proof->where,
		       proof->packet,
		       proof->wanted, proof->found);
		return;
	case PROOF_UNREADABLE:
	case PROOF_UNDECIDED:
		figures->senseless++;
		return;
	}
}

/* The proof in pieces has to come to the same, by a packet of its own. */
static void judge_pieces(struct figures *figures, const struct proof *whole, const struct proof_subject *subject,
			 const struct tables *tables, const char *what)
{
	struct proof proof = nft_differ(subject->read->pool, subject, NULL);
	bool is_equal = proof.result == PROOF_EQUAL;
	if (is_equal != (whole->result == PROOF_EQUAL)) {
		figures->missed++;
		printf("MISSED in pieces, or as a whole: %s\n", what);
	} else if (proof.result == PROOF_DIFFERS && !is_confirmed(tables, &proof.witness) && !takes_more(&proof) &&
		   !is_beyond_machine(tables, &proof.witness)) {
		figures->unconfirmed++;
		printf("not confirmed in pieces: %s\n  %s: %s\n  wanted: %s\n  found: %s\n", what, proof.where,
		       proof.packet, proof.wanted, proof.found);
	}
}

int mutants_run(void *pool, const struct ruleset *ruleset, const struct nft_table *table, unsigned long count,
		unsigned long seed, size_t piece_weight)
{
	const struct proof_limits as_whole = { .piece_weight = SIZE_MAX };
	const struct proof_limits in_pieces = { .piece_weight = piece_weight };
	struct figures figures = { 0 };
	struct reread first = nft_reread(pool, table);
	struct tables tables;
	tables.one = nft_read_table(first.read, NFPROTO_INET, table->name);
	unit_random_seed(seed);
	for (unsigned long made = 0, attempt = 0; made < count && attempt < count * ATTEMPTS; attempt++) {
		void *scratch = pool_child(pool, "mutant");
		struct text *what = text_new(scratch);
		struct nft_read *read = nft_reread(scratch, table).read;
		tables.other = nft_read_table(read, NFPROTO_INET, table->name);
		if ((piece_weight == 0 ? mutate : mutate_elements)(read, tables.other, what)) {
			struct proof proof = nft_prove(scratch, ruleset, read, tables.other, &as_whole);
			judge(&figures, &proof, &tables, ruleset, what->bytes);
			if (piece_weight != 0)
				judge_pieces(&figures, &proof, &(struct proof_subject){ ruleset, read,
					     tables.other, &in_pieces }, &tables, what->bytes);
			made++;
		}
		talloc_free(scratch);
	}
	printf("%lu mutants: %lu caught with a packet that shows it, %lu caught for what could be, %lu make no "
	       "sense, %lu mean the same, %lu false alarms, %lu missed\n",
	       count, figures.confirmed, figures.unknown, figures.senseless, figures.same, figures.unconfirmed,
	       figures.missed);
	return figures.missed == 0 && figures.unconfirmed == 0 ? 0 : 1;
}
