#include "target/cisco/replies/excess.h"

#include "analyse/packetset.h"
#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"
#include "base/text.h"
#include "net/protocol.h"
#include "target/cisco/replies/announced.h"
#include "target/cisco/terms/refuse.h"
#include "target/cisco/replies/terms.h"

#define BOXES_MAX 4096     /* of one rule */
#define LINE_MAX_BYTES 400 /* diag.h shortens longer messages */
#define TCP_ACK 16u
#define TCP_RST 4u
#define PROTOCOLS 256

enum { DENIED, ADMITTED };

struct excess {
	void *pool;
	struct diags *diags;
	const struct ios_vantage *vantage;
	struct ios_list *list;
	void *list_pool;
	struct packet_universe *universe;
	struct packet_space *space;
	packet_set admitted;
	struct interval_set flags; /* ACK or RST */
};

/* --- boxes -------------------------------------------------------------------------------------- */

static const struct interval_set *one_interval(void *pool, number128 low, number128 high)
{
	struct interval_set *set = pool_new(pool, struct interval_set);

	interval_set_add(pool, set, low, high);
	interval_set_normalise(set);
	return set;
}

static bool is_icmp(uint16_t protocol)
{
	return protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
}

/* The tuple's part of a box; false: of the other family. */
static bool set_services(struct excess *excess, struct packet_box *box, const struct service_tuple *tuple)
{
	uint8_t bit = excess->vantage->family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
	uint16_t highest = is_icmp(tuple->protocol) ? UINT8_MAX : UINT16_MAX;

	if ((tuple->families & bit) == 0)
		return false;
	if (tuple->protocol != PROTOCOL_ANY)
		box->fields[FIELD_PROTOCOL] = one_interval(excess->pool, tuple->protocol, tuple->protocol);
	if (tuple->first.low > 0 || tuple->first.high < highest)
		box->fields[FIELD_FIRST] = one_interval(excess->pool, tuple->first.low, tuple->first.high);
	if (tuple->second.low > 0 || tuple->second.high < highest)
		box->fields[FIELD_SECOND] = one_interval(excess->pool, tuple->second.low, tuple->second.high);
	return true;
}

struct box_rules {
	struct packet_rule *items;
	size_t items_count, items_capacity;
};

static void add_term(struct excess *excess, const struct ios_term *term, struct box_rules *rules)
{
	const struct match *match = term->rule != NULL ? &term->rule->match : NULL;

	for (size_t index = 0; index < term->services->tuples_count; index++) {
		struct packet_rule rule = {
			.number = term->outcome->verdict == VERDICT_ALLOW ? ADMITTED : DENIED,
		};

		rule.box.fields[FIELD_SOURCE] = term->from;
		rule.box.fields[FIELD_DESTINATION] = term->to;
		if (match != NULL)
			rule.box.fields[FIELD_MINUTE] = match->minutes;
		if (match != NULL && match->until != 0) {
			struct interval_set *eras = pool_new(excess->pool, struct interval_set);

			*eras = packet_universe_eras(excess->universe, excess->pool, match->until);
			rule.box.fields[FIELD_ERA] = eras;
		}
		if (set_services(excess, &rule.box, &term->services->tuples[index]))
			*pool_append(excess->pool, rules, items) = rule;
	}
}

/* What the policy lets enter here as first packets. */
static bool find_admitted(struct excess *excess)
{
	struct diags *said = diags_new(excess->pool, excess->diags->sources); /* told by the list's maker */
	struct ios_terms terms = { 0 };
	struct box_rules rules = { 0 };

	if (!terms_collect(excess->pool, said, excess->vantage, &terms))
		return false;
	for (size_t index = 0; index < terms.terms_count; index++)
		add_term(excess, &terms.terms[index], &rules);
	excess->admitted = packet_map_first_match(excess->space, rules.items, rules.items_count, DENIED);
	return true;
}

static packet_set answer_set(struct excess *excess, const struct answer *answer)
{
	struct tuple_set services = answer->is_rest ? answers_rest(excess->pool, excess->vantage->family) :
				    answer->services;
	packet_set sum = packet_set_none();

	for (size_t index = 0; index < services.tuples_count; index++) {
		struct packet_box box = { 0 };

		box.fields[FIELD_SOURCE] = &answer->from;
		box.fields[FIELD_DESTINATION] = &answer->to;
		if (answer->is_established)
			box.fields[FIELD_FLAGS] = &excess->flags;
		if (!set_services(excess, &box, &services.tuples[index]))
			continue;
		announced_add(excess->list_pool, excess->list, &box);
		sum = packet_set_union(excess->space, sum, packet_set_box(excess->space, &box));
	}
	return sum;
}

/* The flows of one rule, from whichever interfaces. */
struct asker {
	struct answers answers;
	struct span origin;
	bool is_of_errors;
};

/* --- lines -------------------------------------------------------------------------------------- */

static void add_range(struct text *out, const struct interval *range)
{
	text_add_unsigned(out, (uint64_t)range->low);
	if (range->low == range->high)
		return;
	text_add_char(out, '-');
	text_add_unsigned(out, (uint64_t)range->high);
}

/* The set, or what it leaves out where that is shorter: "any except 53,443". */
static struct interval_set shorter(void *pool, struct text *out, const struct interval_set *whole,
				   const struct interval_set *set)
{
	struct interval_set rest = interval_set_subtract(pool, whole, set);

	if (rest.items_count == 0 || rest.items_count >= set->items_count)
		return *set;
	text_add(out, "any except ");
	return rest;
}

/* NULL: nothing is said. */
static void add_numbers(void *pool, struct text *out, const char *word, const struct interval_set *set,
			uint16_t highest)
{
	struct interval every = { 0, highest };
	const struct interval_set whole = { &every, 1, 1 };
	struct interval_set shown;

	if (set == NULL)
		return;
	text_add(out, word);
	shown = shorter(pool, out, &whole, set);
	for (size_t index = 0; index < shown.items_count; index++) {
		text_add(out, index == 0 ? "" : ",");
		add_range(out, &shown.items[index]);
	}
}

static void add_addresses(void *pool, struct text *out, enum family family, const char *word,
			  const struct interval_set *set)
{
	struct interval_set shown;

	text_add(out, word);
	if (set == NULL || interval_set_equals(set, ios_whole(family))) {
		text_add(out, "any");
		return;
	}
	shown = shorter(pool, out, ios_whole(family), set);
	for (size_t index = 0; index < shown.items_count; index++) {
		text_add(out, index == 0 ? "" : ",");
		address_interval_format(out, family, &shown.items[index]);
	}
}

static void add_protocol(struct text *out, const struct interval *range)
{
	const char *name = range->low == range->high ? protocol_name((uint8_t)range->low) : NULL;

	if (name != NULL) {
		text_add(out, name);
		return;
	}
	text_add(out, "protocol ");
	add_range(out, range);
}

/* The lines of one note, each once: a box for another time of the week says the same. */
struct lines {
	struct excess *excess;
	struct diagnostic *note; /* NULL: before the first */
	struct interned *seen;
	struct span origin;
	bool is_of_errors;
};

static struct diagnostic *open_note(struct lines *lines)
{
	struct excess *excess = lines->excess;
	const char *list = list_words(excess->pool, excess->vantage->device, excess->list);

	if (lines->is_of_errors)
		return diag_add(excess->diags, CODE_CISCO_REPLIES_EXCESS, lines->origin,
				"%s lets in ICMP errors, whatever connection they speak of", list);
	return diag_add(excess->diags, CODE_CISCO_REPLIES_EXCESS, lines->origin,
			lines->origin.source == UINT32_MAX ?
			"%s lets in what looks like answers to the router, whether it asked or not" :
			"%s lets in what looks like answers to this, whether anybody asked or not", list);
}

static struct text *line_text(const struct excess *excess, const struct packet_box *box,
			      const struct interval *protocols)
{
	enum family family = excess->vantage->family;
	struct text *out = text_new(excess->pool);
	bool has_types = protocols->low == protocols->high && is_icmp((uint16_t)protocols->low);

	text_addf(out, "%s: ", excess->list->name);
	add_protocol(out, protocols);
	if (has_types) {
		add_numbers(excess->pool, out, " type ", box->fields[FIELD_FIRST], UINT8_MAX);
		add_numbers(excess->pool, out, " code ", box->fields[FIELD_SECOND], UINT8_MAX);
	}
	if (box->fields[FIELD_FLAGS] != NULL)
		text_add(out, " with ACK or RST");
	add_addresses(excess->pool, out, family, " from ", box->fields[FIELD_SOURCE]);
	if (!has_types)
		add_numbers(excess->pool, out, " port ", box->fields[FIELD_SECOND], UINT16_MAX);
	add_addresses(excess->pool, out, family, " to ", box->fields[FIELD_DESTINATION]);
	if (!has_types)
		add_numbers(excess->pool, out, " port ", box->fields[FIELD_FIRST], UINT16_MAX);
	return out;
}

/* The field with the most intervals; two at least, for what is split is too long for one of each. */
static enum packet_field longest_field(const struct packet_box *box)
{
	static const enum packet_field fields[] = { FIELD_SOURCE, FIELD_DESTINATION, FIELD_FIRST, FIELD_SECOND };
	enum packet_field longest = FIELD_SOURCE;
	size_t most = 0;

	for (size_t index = 0; index < sizeof fields / sizeof fields[0]; index++) {
		const struct interval_set *set = box->fields[fields[index]];

		if (set == NULL || set->items_count <= most)
			continue;
		most = set->items_count;
		longest = fields[index];
	}
	return longest;
}

/* A box whose line would be too long for a message is told in halves: as deep as its longest set has
 * binary digits, for each of four sets. */
static void add_line(struct lines *lines, const struct packet_box *box, const struct interval *protocols)
{
	struct excess *excess = lines->excess;
	struct text *out = line_text(excess, box, protocols);
	enum packet_field field = longest_field(box);
	const struct interval_set *set = box->fields[field];
	void **slot;

	if (out->length > LINE_MAX_BYTES && set != NULL && set->items_count > 1) {
		size_t half = set->items_count / 2;
		struct interval_set halves[2] = { { set->items, half, 0 },
						  { set->items + half, set->items_count - half, 0 } };
		struct packet_box part = *box;

		for (unsigned index = 0; index < 2; index++) {
			part.fields[field] = &halves[index];
			add_line(lines, &part, protocols);
		}
		return;
	}
	slot = interned_slot(lines->seen, out->bytes, out->length);
	if (*slot != NULL)
		return;
	*slot = lines;
	if (lines->note == NULL)
		lines->note = open_note(lines);
	diag_note(excess->diags, lines->note, SPAN_NONE, "%s", out->bytes);
}

static void tell_set(struct excess *excess, const struct asker *asker, packet_set beyond)
{
	static struct interval every_protocol = { 0, PROTOCOLS - 1 };
	static const struct interval_set every = { &every_protocol, 1, 1 };
	struct packet_box *boxes = pool_array(excess->pool, struct packet_box, BOXES_MAX);
	struct lines lines = {
		.excess = excess,
		.seen = interned_new(excess->pool, arena_new(excess->pool)),
		.origin = asker->origin,
		.is_of_errors = asker->is_of_errors,
	};
	bool is_whole = true;
	size_t count = packet_set_boxes(excess->pool, excess->space, beyond, boxes, BOXES_MAX, &is_whole);

	for (size_t index = 0; index < count; index++) {
		const struct interval_set *protocols = boxes[index].fields[FIELD_PROTOCOL];

		if (protocols == NULL)
			protocols = &every;
		for (size_t range = 0; range < protocols->items_count; range++)
			add_line(&lines, &boxes[index], &protocols->items[range]);
	}
	if (lines.note != NULL && !is_whole)
		diag_note(excess->diags, lines.note, SPAN_NONE, "and more than these");
}

/* --- rules -------------------------------------------------------------------------------------- */

struct askers {
	struct asker **items;
	size_t items_count, items_capacity;
};

static struct askers find_askers(struct excess *excess, const struct reply_flows *flows)
{
	struct arena *arena = arena_new(excess->pool);
	struct interned *known = interned_new(excess->pool, arena);
	struct askers askers = { 0 };

	for (size_t index = 0; index < flows->flows_count; index++) {
		const struct reply_flow *flow = &flows->flows[index];
		struct { uint32_t source, begin, end; } key =
			{ flow->origin.source, flow->origin.begin, flow->origin.end };
		void **slot = interned_slot(known, &key, sizeof key);

		if (excess->vantage->replies == REPLIES_REFLEXIVE && flow->hook != HOOK_OUTPUT)
			continue;
		if (*slot == NULL) {
			struct asker *asker = pool_new(excess->pool, struct asker);

			asker->origin = flow->origin;
			*slot = asker;
			*pool_append(excess->pool, &askers, items) = asker;
		}
		answers_of_flow(excess->pool, excess->vantage->family, flow, &((struct asker *)*slot)->answers);
	}
	return askers;
}

static void tell_asker(struct excess *excess, struct asker *asker)
{
	struct answers *answers = &asker->answers;
	packet_set sum = packet_set_none();

	answers_join(excess->pool, answers);
	for (size_t index = 0; index < answers->items_count; index++)
		sum = packet_set_union(excess->space, sum, answer_set(excess, &answers->items[index]));
	sum = packet_set_subtract(excess->space, sum, excess->admitted);
	if (!packet_space_is_over(excess->space) && !packet_set_is_empty(sum))
		tell_set(excess, asker, sum);
}

static bool tell_rules(struct excess *excess, const struct reply_flows *flows)
{
	struct askers askers = find_askers(excess, flows);
	struct asker errors = { .is_of_errors = true, .origin = SPAN_NONE };

	for (size_t index = 0; index < askers.items_count; index++)
		tell_asker(excess, askers.items[index]);
	answers_of_errors(excess->pool, excess->vantage->family, flows, &errors.answers);
	if (errors.answers.items_count > 0)
		errors.origin = errors.answers.items[0].origin;
	tell_asker(excess, &errors);
	if (!packet_space_is_over(excess->space))
		return true;
	diag_add(excess->diags, CODE_TARGET_LIMIT, SPAN_NONE,
		 "list '%s': the policy is too large to say exactly what its answers let in", excess->list->name);
	return false;
}

/* Bytes of flags that have ACK or RST. */
static struct interval_set answering_flags(void *pool)
{
	struct interval_set set = { 0 };

	for (unsigned flags = 0; flags <= UINT8_MAX; flags++)
		if ((flags & (TCP_ACK | TCP_RST)) != 0)
			interval_set_add(pool, &set, flags, flags);
	interval_set_normalise(&set);
	return set;
}

bool replies_tell_excess(void *pool, struct diags *diags, const struct ios_vantage *vantage,
			 const struct reply_flows *flows, struct ios_list *list)
{
	void *own = pool_child(pool, "excess");
	struct excess excess = {
		.pool = own,
		.diags = diags,
		.vantage = vantage,
		.list = list,
		.list_pool = pool,
		.universe = packet_universe_new(own),
		.flags = answering_flags(own),
	};
	bool is_good;

	packet_universe_add(excess.universe, vantage->ruleset);
	packet_universe_finish(excess.universe);
	excess.space = packet_space_new(own, excess.universe, PACKET_ORDER_SAFE, 0);
	is_good = !find_admitted(&excess) || tell_rules(&excess, flows);
	talloc_free(own);
	return is_good;
}
