/* The diagrams of both sides become one of pairs; what stands below is limits alone, and counts as one leaf.
 * Each pair's packets go field by field into the engine's space. */
#include "target/nft/prove/differ.h"

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"

#define SECONDS_A_MINUTE 60
#define NANOSECONDS ((number128)1000000000)
#define FLAGS_MASK 63u /* of TCP, that rules can speak of */

/* What one leaf of the policy and one end of the table come to; not where they fit. */
struct pair {
	uint32_t wanted; /* a leaf's number */
	diagram found;   /* a leaf, or a node of limits */
};

/* A place where rules judge. */
struct differ_place {
	const struct prove_place *place;
	struct proof told; /* one packet */
	diagram pairs;     /* 0: nothing differs; else 1 + the index of a pair */
	struct pair *items;
	size_t items_count, items_capacity;
};

/* --- pairs ------------------------------------------------------------------------------------------- */

struct pairing {
	struct prover *prover;
	struct differ_place *place;
	struct interned *known; /* 1 + what stands in the diagram */
	diagram *ends;
	size_t ends_count, ends_capacity;
	struct interned *end_numbers; /* 1 + the index of an end */
};

static uint32_t end_number(struct pairing *pairing, diagram end)
{
	void **slot = interned_slot(pairing->end_numbers, &end, sizeof end);
	if (*slot == NULL) {
		*pool_append(pairing->prover->pool, pairing, ends) = end;
		*slot = (void *)(uintptr_t)pairing->ends_count;
	}
	return (uint32_t)(uintptr_t)*slot - 1;
}

static uint32_t end_leaves(void *context, uint32_t end, uint32_t zero)
{
	(void)zero;
	return end_number(context, diagram_leaf(end));
}

static bool end_early(void *context, diagram at, diagram zero, diagram *result)
{
	struct pairing *pairing = context;
	(void)zero;
	if (!diagram_is_leaf(at) && diagram_field(pairing->prover->space->diagrams, at) < walk_first_limit())
		return false;
	*result = diagram_leaf(end_number(pairing, at));
	return true;
}

static uint32_t pair_leaves(void *context, uint32_t wanted, uint32_t end)
{
	struct pairing *pairing = context;
	struct {
		uint32_t wanted, end;
	} key = { wanted, end };
	void **slot = interned_slot(pairing->known, &key, sizeof key);
	if (*slot != NULL)
		return (uint32_t)(uintptr_t)*slot - 1;
	uint32_t number = 0;
	if (!prove_fits(pairing->prover, diagram_leaf(wanted), pairing->ends[end])) {
		struct pair pair = { wanted, pairing->ends[end] };
		*pool_append(pairing->prover->pool, pairing->place, items) = pair;
		number = (uint32_t)pairing->place->items_count;
	}
	*slot = (void *)(uintptr_t)(number + 1);
	return number;
}

static bool pair_early(void *context, diagram wanted, diagram end, diagram *result)
{
	if (!diagram_is_leaf(wanted) || !diagram_is_leaf(end))
		return false;
	*result = diagram_leaf(pair_leaves(context, diagram_number(wanted), diagram_number(end)));
	return true;
}

static diagram pairs_of(struct prover *prover, struct differ_place *place, diagram wanted, diagram found)
{
	struct diagrams *diagrams = prover->space->diagrams;
	struct arena *arena = arena_new(prover->pool);
	struct pairing pairing = { .prover = prover, .place = place, .known = interned_new(prover->pool, arena),
				   .end_numbers = interned_new(prover->pool, arena) };
	const struct diagram_operation collapse = { .number = diagrams_operation(diagrams), .context = &pairing,
						    .leaves = end_leaves, .early = end_early };
	const struct diagram_operation pair = { .number = diagrams_operation(diagrams), .context = &pairing,
						.leaves = pair_leaves, .early = pair_early };
	diagram ends = diagram_apply(diagrams, &collapse, found, diagram_leaf(0));
	return ends == DIAGRAM_OVER ? DIAGRAM_OVER : diagram_apply(diagrams, &pair, wanted, ends);
}

static uint32_t select_leaves(void *context, uint32_t number, uint32_t one)
{
	(void)context;
	return number == one;
}

static bool select_early(void *context, diagram at, diagram one, diagram *result)
{
	(void)context;
	*result = diagram_leaf(at == one);
	return diagram_is_leaf(at);
}

void differ_begin(struct differ *differ, void *pool)
{
	*differ = (struct differ){ .pool = pool };
}

void differ_place(struct prover *prover, const struct prove_place *place, diagram wanted, diagram found)
{
	struct differ *differ = prover->differ;
	if (!place->is_judging) {
		*pool_append(differ->pool, differ, others) = *prover->proof;
		return;
	}
	struct differ_place *item = pool_append(differ->pool, differ, places);
	struct prove_place *kept = pool_new(differ->pool, struct prove_place);
	*kept = *place;
	*item = (struct differ_place){ .place = kept, .told = *prover->proof };
	item->pairs = pairs_of(prover, item, wanted, found);
}

/* --- from one space into the other ------------------------------------------------------------------- */

struct conversion {
	void *pool; /* of this conversion */
	struct differ *differ;
	const struct walk_space *from;
	struct interned *known; /* 1 + the set of a node */
	enum hook hook;
	unsigned state;
	bool is_sure; /* what nobody can tell counts where it makes no difference */
	struct names *depends;
	struct text *depends_text;
};

static packet_set convert(struct conversion *conversion, diagram at);

static void depend(struct conversion *conversion, const char *name)
{
	if (names_find(conversion->depends, name, strlen(name)) != NULL)
		return;
	names_set(conversion->depends, name, strlen(name), conversion->depends);
	text_addf(conversion->depends_text, "%s%s", conversion->depends_text->length > 0 ? ", " : "", name);
}

static number128 low_of(const struct diagram_edges *edges, size_t index)
{
	return index == 0 ? 0 : edges->highs[index - 1] + 1;
}

/* A field that sets of packets do not have: some value, or every value of it. */
static packet_set quantify(struct conversion *conversion, diagram at, bool is_for_all)
{
	struct packet_space *space = conversion->differ->space;
	struct diagram_edges edges = diagram_edges(conversion->from->diagrams, at);
	packet_set set = is_for_all ? packet_set_all() : packet_set_none();
	for (size_t i = 0; i < edges.count; i++) {
		packet_set child = convert(conversion, edges.children[i]);
		set = is_for_all ? packet_set_intersect(space, set, child) : packet_set_union(space, set, child);
	}
	return set;
}

/* A field that has this one value. */
static packet_set of_value(struct conversion *conversion, diagram at, number128 value)
{
	struct diagram_edges edges = diagram_edges(conversion->from->diagrams, at);
	size_t index = 0;
	while (edges.highs[index] < value)
		index++;
	return convert(conversion, edges.children[index]);
}

static enum packet_field packet_field_of(enum walk_field field)
{
	static const enum packet_field fields[WALK_FIELDS] = {
		[WALK_FAMILY] = FIELD_FAMILY, [WALK_IN] = FIELD_IN, [WALK_OUT] = FIELD_OUT,
		[WALK_PROTOCOL] = FIELD_PROTOCOL, [WALK_FIRST] = FIELD_FIRST,
		[WALK_DESTINATION] = FIELD_DESTINATION, [WALK_SOURCE] = FIELD_SOURCE,
		[WALK_SECOND] = FIELD_SECOND, [WALK_TCP_FLAGS] = FIELD_FLAGS,
		[WALK_TRANSLATED] = FIELD_TRANSLATED, [WALK_ORIGINAL_DESTINATION] = FIELD_ORIGINAL,
		[WALK_ORIGINAL_PORT] = FIELD_ORIGINAL_FIRST, [WALK_WEEK] = FIELD_MINUTE, [WALK_TIME] = FIELD_ERA,
	};
	return fields[field]; /* FIELD_HOOK: none */
}

static bool is_interface(enum walk_field field)
{
	return field == WALK_IN || field == WALK_OUT;
}

static bool is_absent(enum hook hook, enum walk_field field)
{
	return (hook == HOOK_INPUT && field == WALK_OUT) || (hook == HOOK_OUTPUT && field == WALK_IN);
}

/* Names that the universe has are numbers; a range of names holds others, too. Packets of the hook have such
 * an interface, and so "none" goes with the others: sets are simpler. */
static void add_names(struct conversion *conversion, struct interval_set *values, number128 low, number128 high)
{
	const struct packet_universe *universe = conversion->differ->universe;
	for (size_t i = 0; i < universe->interfaces_count; i++) {
		number128 name = walk_number_of_name(universe->interfaces[i]);
		if (name >= low && name <= high)
			interval_set_add(conversion->pool, values, i + 1, i + 1);
	}
	if (high == low)
		return;
	interval_set_add(conversion->pool, values, 0, 0);
	interval_set_add(conversion->pool, values, universe->interfaces_count + 1,
			 universe->interfaces_count + 1);
}

static number128 era_of(const struct packet_universe *universe, number128 nanoseconds)
{
	number128 seconds = nanoseconds / NANOSECONDS;
	return packet_universe_era(universe, seconds > INT64_MAX ? (time_t)INT64_MAX : (time_t)seconds);
}

static void add_flags(struct conversion *conversion, struct interval_set *values, number128 low, number128 high)
{
	for (number128 value = low; value <= high && value <= UINT8_MAX; value++)
		interval_set_add(conversion->pool, values, value & FLAGS_MASK, value & FLAGS_MASK);
}

static void add_values(struct conversion *conversion, enum walk_field field, struct interval_set *values,
		       number128 low, number128 high)
{
	const struct packet_universe *universe = conversion->differ->universe;
	number128 highest = packet_field_highest(universe, packet_field_of(field));
	if (is_interface(field))
		add_names(conversion, values, low, high);
	else if (field == WALK_TCP_FLAGS)
		add_flags(conversion, values, low, high);
	else if (field == WALK_TIME)
		interval_set_add(conversion->pool, values, era_of(universe, low), era_of(universe, high));
	else {
		number128 unit = field == WALK_WEEK ? SECONDS_A_MINUTE : 1;
		low /= unit;
		high /= unit;
		if (low <= highest)
			interval_set_add(conversion->pool, values, low, high < highest ? high : highest);
	}
}

static bool is_end(const struct packet_universe *universe, number128 nanoseconds)
{
	for (size_t i = 0; i < universe->ends_count; i++)
		if ((number128)universe->ends[i] * NANOSECONDS == nanoseconds)
			return true;
	return false;
}

/* Does the engine tell the two sides of this edge apart? */
static bool is_border(const struct packet_universe *universe, enum walk_field field, number128 high)
{
	if (field == WALK_WEEK)
		return (high + 1) % SECONDS_A_MINUTE == 0;
	if (field == WALK_TIME)
		return is_end(universe, high + 1);
	return true;
}

/* Two ranges of names that lead elsewhere: a prefix of names. */
static bool has_ranges(const struct diagram_edges *edges)
{
	diagram first = DIAGRAM_OVER;
	for (size_t i = 0; i < edges->count; i++) {
		if (low_of(edges, i) == edges->highs[i])
			continue;
		if (first != DIAGRAM_OVER && edges->children[i] != first)
			return true;
		first = edges->children[i];
	}
	return false;
}

/* The bits of the header's byte that rules cannot speak of (ECE, CWR) matter. */
static bool has_more_flags(const struct diagram_edges *edges)
{
	diagram low[FLAGS_MASK + 1];
	size_t edge = 0;
	for (unsigned value = 0; value <= UINT8_MAX; value++) {
		while (edges->highs[edge] < value)
			edge++;
		if (value <= FLAGS_MASK)
			low[value] = edges->children[edge];
		else if (low[value & FLAGS_MASK] != edges->children[edge])
			return true;
	}
	return false;
}

static bool is_blurred(struct conversion *conversion, enum walk_field field, const struct diagram_edges *edges)
{
	if (is_interface(field))
		return has_ranges(edges);
	if (field == WALK_TCP_FLAGS)
		return has_more_flags(edges);
	for (size_t i = 0; i + 1 < edges->count; i++)
		if (!is_border(conversion->differ->universe, field, edges->highs[i]))
			return true;
	return false;
}

/* The children that are one set have all their values together. */
struct branch {
	packet_set set;
	struct interval_set values;
};

static struct branch *branch_of(struct conversion *conversion, struct interned *known, packet_set set)
{
	void **slot = interned_slot(known, &set, sizeof set);
	if (*slot == NULL) {
		struct branch *branch = pool_new(conversion->pool, struct branch);
		branch->set = set;
		*slot = branch;
	}
	return *slot;
}

static packet_set of_field(struct conversion *conversion, enum walk_field field, diagram at)
{
	struct packet_space *space = conversion->differ->space;
	struct diagram_edges edges = diagram_edges(conversion->from->diagrams, at);
	struct interned *known = interned_new(conversion->pool, arena_new(conversion->pool));
	struct branch **branches = pool_array(conversion->pool, struct branch *, edges.count);
	size_t count = 0;
	packet_set set = packet_set_none();
	if (is_blurred(conversion, field, &edges))
		depend(conversion, walk_field_name(field));
	for (size_t i = 0; i < edges.count; i++) {
		packet_set child = convert(conversion, edges.children[i]);
		if (packet_set_is_empty(child))
			continue;
		struct branch *branch = branch_of(conversion, known, child);
		if (branch->values.items_count == 0)
			branches[count++] = branch;
		add_values(conversion, field, &branch->values, low_of(&edges, i), edges.highs[i]);
		if (branch->values.items_count == 0)
			count--; /* beyond all values */
	}
	for (size_t i = 0; i < count; i++) {
		struct packet_box box = { 0 };
		interval_set_normalise(&branches[i]->values);
		box.fields[packet_field_of(field)] = &branches[i]->values;
		set = packet_set_union(space, set, packet_set_intersect(space, packet_set_box(space, &box),
									branches[i]->set));
	}
	return set;
}

static packet_set convert_node(struct conversion *conversion, diagram at)
{
	uint32_t rank = diagram_field(conversion->from->diagrams, at);
	enum walk_field field = walk_field_of_rank(conversion->from, rank);
	const struct walk_unknown *unknown = walk_unknown_of_rank(conversion->from, rank);
	if (field == WALK_STATE)
		return of_value(conversion, at, conversion->state);
	if (is_absent(conversion->hook, field))
		return of_value(conversion, at, 0);
	if (field != WALK_FIELDS && packet_field_of(field) != FIELD_HOOK)
		return of_field(conversion, field, at);
	depend(conversion, field != WALK_FIELDS ? walk_field_name(field) : unknown->name);
	return quantify(conversion, at, conversion->is_sure && unknown != NULL && unknown->is_unclear);
}

/* As deep as there are fields. */
static packet_set convert(struct conversion *conversion, diagram at)
{
	if (diagram_is_leaf(at))
		return diagram_number(at) != 0 ? packet_set_all() : packet_set_none();
	void **slot = interned_slot(conversion->known, &at, sizeof at);
	if (*slot != NULL)
		return (packet_set)((uintptr_t)*slot - 1);
	packet_set set = convert_node(conversion, at);
	slot = interned_slot(conversion->known, &at, sizeof at);
	*slot = (void *)((uintptr_t)set + 1);
	return set;
}

/* --- changes ----------------------------------------------------------------------------------------- */

/* What one pair comes to, of whatever state. */
struct telling {
	struct prover *prover;
	struct differ *differ;
	const struct differ_place *place;
	const struct pair *pair;
	diagram packets;     /* of the pair */
	packet_map deciding; /* statements of the hook */
	packet_set possible; /* in the hook, whole: connection tracking has put fragments together */
	packet_set untranslated;
	struct table_change change; /* what all have alike */
	size_t first;        /* of the pair's changes */
};

static enum verdict wanted_verdict(const struct wanted_leaf *wanted)
{
	if (wanted->kind == WANTED_RULE)
		return wanted->outcome->verdict;
	return wanted->kind == WANTED_INVALID ? VERDICT_DENY : VERDICT_ALLOW;
}

/* Within its limits. */
static const struct walk_leaf *found_leaf(const struct prover *prover, diagram found)
{
	while (!diagram_is_leaf(found)) {
		struct diagram_edges edges = diagram_edges(prover->space->diagrams, found);
		found = edges.children[edges.count - 1];
	}
	return walk_leaf_at(prover->leaves, found);
}

static enum table_change_kind kind_of(struct prover *prover, const struct wanted_leaf *wanted, diagram at)
{
	enum verdict verdict = wanted_verdict(wanted);
	const struct walk_leaf *found = found_leaf(prover, at);
	if (found->verdict != WALK_ACCEPT && found->verdict != WALK_DROP && found->verdict != WALK_REJECT)
		return TABLE_OTHER;
	if ((verdict == VERDICT_ALLOW) != (found->verdict == WALK_ACCEPT))
		return verdict == VERDICT_ALLOW ? TABLE_DENIED : TABLE_ALLOWED;
	if (verdict != VERDICT_ALLOW && (verdict == VERDICT_REJECT) != (found->verdict == WALK_REJECT))
		return TABLE_ANSWERED;
	return prove_limit_fits(prover, wanted, at) ? TABLE_LOGGED : TABLE_LIMITED;
}

static packet_set set_of(struct telling *telling, unsigned state, bool is_sure, const char **depends)
{
	void *pool = pool_child(telling->prover->pool, "conversion");
	struct conversion conversion = {
		.pool = pool, .differ = telling->differ, .from = telling->prover->space,
		.known = interned_new(pool, arena_new(pool)), .state = state, .is_sure = is_sure,
		.hook = telling->change.hook,
		.depends = names_new(pool, false), .depends_text = text_new(pool),
	};
	packet_set set = convert(&conversion, telling->packets);
	*depends = conversion.depends_text->length == 0 ? NULL :
		   pool_strdup(telling->differ->pool, conversion.depends_text->bytes);
	talloc_free(pool);
	return set;
}

/* Packets without a connection have no translation. */
static packet_set possible_in(const struct telling *telling, unsigned states)
{
	bool has_connection = (states & (1u << WALK_UNTRACKED | 1u << WALK_INVALID)) == 0;
	return has_connection ? telling->possible :
	       packet_set_intersect(telling->differ->space, telling->possible, telling->untranslated);
}

/* The same packets in another state are told together. */
static void add_change(struct telling *telling, struct table_change change)
{
	struct differ *differ = telling->differ;
	struct packet_space *space = differ->space;
	change.packets = packet_set_intersect(space, change.region, possible_in(telling, change.states));
	if (packet_set_is_empty(change.packets) || packet_space_is_over(space))
		return;
	for (size_t i = telling->first; i < differ->changes_count; i++) {
		struct table_change *other = &differ->changes[i];
		if (other->statement == change.statement && other->is_unsure == change.is_unsure &&
		    packet_set_includes(space, other->packets, change.packets)) {
			other->states |= change.states;
			return;
		}
	}
	*pool_append(differ->pool, differ, changes) = change;
}

/* One change a statement that decides. */
static void add_region(struct telling *telling, struct table_change change, packet_set region)
{
	struct packet_space *space = telling->differ->space;
	const struct wanted_leaf *wanted = wanted_leaf_at(telling->prover->wanted,
							  diagram_leaf(telling->pair->wanted));
	uint32_t count = telling->differ->meaning.statements + 2;
	change.region = region;
	change.statement = TABLE_NO_STATEMENT;
	if (packet_set_is_empty(region) || packet_space_is_over(space))
		return;
	if (wanted->kind != WANTED_RULE) {
		add_change(telling, change);
		return;
	}
	bool *seen = pool_array(telling->prover->pool, bool, count);
	packet_map cut = packet_map_choose(space, region, telling->deciding, packet_map_constant(count - 1));
	if (cut == PACKET_MAP_OVER)
		return;
	packet_map_numbers(space, cut, seen, count);
	for (uint32_t number = 0; number + 1 < count; number++) {
		if (!seen[number])
			continue;
		change.statement = number;
		change.region = packet_map_where(space, cut, number);
		add_change(telling, change);
	}
}

static void add_state(struct telling *telling, unsigned state)
{
	struct packet_space *space = telling->differ->space;
	struct table_change change = telling->change;
	bool is_unclear = found_leaf(telling->prover, telling->pair->found)->verdict == WALK_UNSURE;
	const char *ignored;
	packet_set some = set_of(telling, state, false, &change.depends);
	packet_set sure = is_unclear ? packet_set_none() : set_of(telling, state, true, &ignored);
	change.states = 1u << state;
	change.is_unsure = false;
	add_region(telling, change, sure);
	change.is_unsure = true;
	add_region(telling, change, packet_set_subtract(space, some, sure));
}

static void add_pair(struct telling *telling, size_t index)
{
	struct prover *prover = telling->prover;
	struct diagrams *diagrams = prover->space->diagrams;
	const struct diagram_operation select = { .number = diagrams_operation(diagrams),
						  .leaves = select_leaves, .early = select_early };
	const struct wanted_leaf *wanted;
	telling->pair = &telling->place->items[index];
	telling->packets = diagram_apply(diagrams, &select, telling->place->pairs,
					 diagram_leaf((uint32_t)index + 1));
	if (telling->packets == DIAGRAM_OVER)
		return;
	wanted = wanted_leaf_at(prover->wanted, diagram_leaf(telling->pair->wanted));
	telling->change.kind = kind_of(prover, wanted, telling->pair->found);
	telling->change.wanted = prove_wanted_text(telling->differ->pool, wanted);
	const struct diagram_way end = { .b = telling->pair->found };
	telling->change.found = prove_found_text(telling->differ->pool, &(struct prove_difference){
		.space = prover->space, .leaves = prover->leaves, .way = &end,
	});
	telling->first = telling->differ->changes_count;
	for (unsigned state = 0; state < WALK_STATES; state++)
		add_state(telling, state);
}

static int compare_changes(const void *a, const void *b)
{
	const struct table_change *left = a, *right = b;
	if (left->is_unsure != right->is_unsure)
		return left->is_unsure ? 1 : -1;
	if (left->kind != right->kind)
		return (int)left->kind - (int)right->kind;
	return (left->statement > right->statement) - (left->statement < right->statement);
}

static enum hook hook_of(unsigned number)
{
	return number == NF_INET_LOCAL_IN ? HOOK_INPUT : number == NF_INET_FORWARD ? HOOK_FORWARD : HOOK_OUTPUT;
}

/* What no set of packets shows is still a difference: its one packet is told. */
static void finish_place(struct prover *prover, const struct differ_place *place)
{
	struct differ *differ = prover->differ;
	struct packet_rules boxes = { 0 };
	enum hook hook = hook_of(place->place->hook);
	size_t first = differ->changes_count;
	packet_set whole = packet_set_value(differ->space, FIELD_FRAGMENT, 0);
	meaning_boxes(&differ->meaning, differ->pool, differ->universe, hook, &boxes);
	struct telling telling = {
		.prover = prover, .differ = differ, .place = place, .change.hook = hook,
		.deciding = packet_map_first_match(differ->space, boxes.items, boxes.items_count,
						   differ->meaning.statements),
		.possible = packet_set_intersect(differ->space, packet_set_value(differ->space, FIELD_HOOK, hook),
						 packet_set_intersect(differ->space, whole,
								      packet_set_possible(differ->space))),
		.untranslated = packet_set_value(differ->space, FIELD_TRANSLATED, 0),
	};
	for (size_t i = 0; i < place->items_count; i++) {
		size_t before = differ->changes_count;
		add_pair(&telling, i);
		if (differ->changes_count > before)
			qsort(differ->changes + before, differ->changes_count - before, sizeof *differ->changes,
			      compare_changes);
	}
	if (differ->changes_count == first)
		*pool_append(differ->pool, differ, others) = place->told;
	else
		qsort(differ->changes + first, differ->changes_count - first, sizeof *differ->changes,
		      compare_changes);
}

/* --- all ---------------------------------------------------------------------------------------------- */

/* The names that the table alone has: where a diagram asks for one. */
static void gather_names(struct prover *prover, struct interned *seen, diagram at)
{
	struct differ *differ = prover->differ;
	const struct walk_space *space = prover->space;
	if (diagram_is_leaf(at))
		return;
	void **slot = interned_slot(seen, &at, sizeof at);
	if (*slot != NULL)
		return;
	*slot = differ;
	struct diagram_edges edges = diagram_edges(space->diagrams, at);
	bool is_name = is_interface(walk_field_of_rank(space, diagram_field(space->diagrams, at)));
	for (size_t i = 0; i < edges.count; i++) {
		if (is_name && edges.highs[i] != 0 && low_of(&edges, i) == edges.highs[i])
			packet_universe_add_interface(differ->universe,
						      walk_name_of_number(differ->pool, edges.highs[i]));
		gather_names(prover, seen, edges.children[i]);
	}
}

void differ_finish(struct prover *prover)
{
	struct differ *differ = prover->differ;
	struct interned *seen = interned_new(differ->pool, arena_new(differ->pool));
	differ->universe = packet_universe_new(differ->pool);
	packet_universe_add(differ->universe, prover->ruleset);
	for (size_t i = 0; i < differ->places_count; i++)
		gather_names(prover, seen, differ->places[i].pairs);
	packet_universe_finish(differ->universe);
	differ->space = packet_space_new(differ->pool, differ->universe, PACKET_ORDER_SAFE, 0);
	differ->meaning = meaning_of(differ->pool, prover->ruleset);
	for (size_t i = 0; i < differ->places_count; i++)
		finish_place(prover, &differ->places[i]);
	differ->is_over = packet_space_is_over(differ->space) || diagrams_are_over(prover->space->diagrams);
}
