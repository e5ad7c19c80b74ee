/* Three lists of packets before translation, each judged as a list of rules whose outcomes are what is done. */
#include "analyse/translations.h"

#include "analyse/shadow.h"
#include "base/pool.h"

/* Packets that are asked about apart: those from elsewhere, and the firewall's own (is_local). */
enum world { WORLD_SOURCES, WORLD_TO_SELF, WORLD_ELSEWHERE, WORLDS };

/* What became of a statement in all worlds: [is_local]. */
struct fate {
	bool is_there[2]; /* packets can be like that */
	bool is_alive[2];
	bool is_needed;   /* alive, and nothing later does the same */
	bool is_shadowed; /* where it is dead: not redundant */
	bool has_witness;
};

struct finding_lists {
	void *pool;
	const struct ruleset *ruleset;
	const struct packet_universe *universe;
	struct fate *fates;                      /* by the number of the statement */
	struct translation_finding *findings;    /* the same: blame and witness so far */
};

/* One world's list. */
struct world_list {
	struct packet_rules rules;
	const struct translation **statements; /* by number */
	size_t statements_count, statements_capacity;
	uint32_t *outcomes;
};

static bool is_destination(const struct translation *translation)
{
	return translation->kind == TRANSLATION_FORWARD;
}

struct match translation_match(void *pool, const struct rule_translation *translation)
{
	struct match match = {
		.families = translation->families,
		.services = translation->services,
		.from = translation->from,
		.to = translation->to,
	};

	if (is_destination(translation->source) && translation->source->has_at) {
		match.to = (struct place_boxes){ 0 };
		*pool_append(pool, &match.to, boxes) =
			(struct place_box){ interface_set_all(), translation->source->at };
	}
	return match;
}

/* --- packets after translation ------------------------------------------------------------------------ */

#define PORTS_MOST 256

static bool is_in_hook(const struct rule_translation *half, enum hook hook)
{
	return hook == HOOK_OUTPUT ? half->applies_to_local : half->applies_to_routed;
}

/* The boxes of a `forward`, in all its hooks, as packets are sent. */
static struct packet_rules sent_boxes(void *pool, const struct packet_universe *universe,
				      const struct rule_translation *half)
{
	static const struct interval hooks[] = { { HOOK_INPUT, HOOK_INPUT }, { HOOK_FORWARD, HOOK_FORWARD },
						 { HOOK_OUTPUT, HOOK_OUTPUT } };
	struct packet_rules boxes = { 0 };
	struct match match = translation_match(pool, half);

	for (enum hook hook = 0; hook < HOOK_COUNT; hook++) {
		size_t before = boxes.items_count;
		struct interval_set *only = pool_new(pool, struct interval_set);

		if (!is_in_hook(half, hook))
			continue;
		interval_set_add(pool, only, hooks[hook].low, hooks[hook].high);
		interval_set_normalise(only);
		match_boxes_in(pool, universe, hook, &match, 1, &boxes);
		for (size_t index = before; index < boxes.items_count; index++)
			boxes.items[index].box.fields[FIELD_HOOK] = only;
	}
	return boxes;
}

static const struct interval_set *one_value(void *pool, number128 value)
{
	struct interval_set *set = pool_new(pool, struct interval_set);

	interval_set_add(pool, set, value, value);
	interval_set_normalise(set);
	return set;
}

static size_t count_values(const struct interval_set *set)
{
	number128 count = 0;

	for (size_t index = 0; index < set->items_count; index++)
		count += set->items[index].high - set->items[index].low + 1;
	return count > PORTS_MOST ? PORTS_MOST + 1 : (size_t)count;
}

/* Each port stays itself: a box a port, if they are few. */
static packet_set same_ports(void *pool, struct packet_space *space, struct packet_box box)
{
	const struct interval_set *ports = box.fields[FIELD_FIRST];
	packet_set sum = packet_set_none();

	box.fields[FIELD_ORIGINAL_FIRST] = ports;
	if (ports == NULL || count_values(ports) > PORTS_MOST)
		return packet_set_box(space, &box);
	for (size_t index = 0; index < ports->items_count; index++)
		for (number128 port = ports->items[index].low; port <= ports->items[index].high; port++) {
			box.fields[FIELD_FIRST] = box.fields[FIELD_ORIGINAL_FIRST] = one_value(pool, port);
			sum = packet_set_union(space, sum, packet_set_box(space, &box));
		}
	return sum;
}

/* Packets to its host, and its port if it has one, by these fields. */
static packet_set at_host(void *pool, struct packet_space *space, const struct translation *forward,
			  enum packet_field address, enum packet_field port)
{
	packet_set sum = packet_set_none();

	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++) {
		struct packet_box box = { .fields = { [FIELD_FAMILY] = one_value(pool, family) } };

		if (!forward->has_host[family])
			continue;
		box.fields[address] = one_value(pool, forward->host[family].value);
		box.fields[port] = forward->port != 0 ? one_value(pool, forward->port) : NULL;
		sum = packet_set_union(space, sum, packet_set_box(space, &box));
	}
	return sum;
}

packet_set translation_unchanged(void *pool, struct packet_space *space, const struct translation *forward)
{
	return packet_set_intersect(space, packet_set_value(space, FIELD_TRANSLATED, 0),
				    at_host(pool, space, forward, FIELD_DESTINATION, FIELD_FIRST));
}

packet_set translation_made(void *pool, struct packet_space *space, const struct translation *forward,
			    struct packet_box box)
{
	enum family family = box.fields[FIELD_FAMILY]->items[0].low == FAMILY_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6;
	packet_set made;

	if (!forward->has_host[family])
		return packet_set_none();
	box.fields[FIELD_TRANSLATED] = one_value(pool, 1);
	box.fields[FIELD_ORIGINAL] = box.fields[FIELD_DESTINATION];
	box.fields[FIELD_DESTINATION] = one_value(pool, forward->host[family].value);
	box.fields[FIELD_OUT] = NULL;
	if (forward->port == 0) {
		made = same_ports(pool, space, box);
	} else {
		box.fields[FIELD_ORIGINAL_FIRST] = box.fields[FIELD_FIRST];
		box.fields[FIELD_FIRST] = one_value(pool, forward->port);
		made = packet_set_box(space, &box);
	}
	return packet_set_subtract(space, made,
				   at_host(pool, space, forward, FIELD_ORIGINAL, FIELD_ORIGINAL_FIRST));
}

packet_set translations_made(void *pool, struct packet_space *space, const struct ruleset *ruleset)
{
	packet_set sum = packet_set_none();

	for (size_t index = 0; index < ruleset->translations_count; index++) {
		const struct rule_translation *half = ruleset->translations[index];
		struct packet_rules boxes;

		if (!is_destination(half->source))
			continue;
		boxes = sent_boxes(pool, space->universe, half);
		for (size_t box = 0; box < boxes.items_count; box++)
			sum = packet_set_union(space, sum, translation_made(pool, space, half->source,
									    boxes.items[box].box));
	}
	return sum;
}

packet_set packet_set_to_hosts(void *pool, struct packet_space *space)
{
	const struct address_set hosts = address_set_hosts(pool);
	packet_set sum = packet_set_none();

	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++) {
		struct packet_box box = { .fields = {
			[FIELD_FAMILY] = one_value(pool, family),
			[FIELD_DESTINATION] = address_set_family(&hosts, family),
		} };

		sum = packet_set_union(space, sum, packet_set_box(space, &box));
	}
	return sum;
}

/* What forwards with `at` take, or those without. One that changes nothing lets its packets by, and later ones do
 * not see them. */
static packet_set taken_by(void *pool, struct packet_space *space, const struct ruleset *ruleset, bool has_at)
{
	packet_set taken = packet_set_none(), passed = packet_set_none();

	for (size_t index = 0; index < ruleset->translations_count; index++) {
		const struct rule_translation *half = ruleset->translations[index];
		struct packet_rules boxes;
		packet_set seen, same;

		if (!is_destination(half->source))
			continue;
		boxes = sent_boxes(pool, space->universe, half);
		seen = packet_map_first_match(space, boxes.items, boxes.items_count, 0);
		seen = packet_set_subtract(space, seen, packet_set_union(space, taken, passed));
		same = packet_set_intersect(space, seen, translation_unchanged(pool, space, half->source));
		passed = packet_set_union(space, passed, same);
		if (half->source->has_at == has_at)
			taken = packet_set_union(space, taken, packet_set_subtract(space, seen, same));
	}
	return packet_set_intersect(space, taken, packet_set_value(space, FIELD_TRANSLATED, 0));
}

packet_set translations_taken(void *pool, struct packet_space *space, const struct ruleset *ruleset)
{
	return taken_by(pool, space, ruleset, true);
}

packet_set translations_taken_at_firewall(void *pool, struct packet_space *space, const struct ruleset *ruleset)
{
	packet_set taken = packet_set_intersect(space, taken_by(pool, space, ruleset, false),
						packet_set_to_hosts(pool, space));

	return packet_set_intersect(space, taken, packet_set_value(space, FIELD_HOOK, HOOK_INPUT));
}

/* --- one world --------------------------------------------------------------------------------------- */

static bool is_in(const struct translation *translation, enum world world)
{
	if (!is_destination(translation))
		return world == WORLD_SOURCES;
	return world == WORLD_TO_SELF || (world == WORLD_ELSEWHERE && translation->has_at);
}

static enum hook hook_of(enum world world, bool is_local)
{
	return is_local ? HOOK_OUTPUT : world == WORLD_TO_SELF ? HOOK_INPUT : HOOK_FORWARD;
}

/* A statement has one half in each list at most. */
static void add_half(struct finding_lists *lists, const struct rule_translation *half, enum hook hook,
		     struct world_list *list)
{
	struct match match = translation_match(lists->pool, half);
	size_t before = list->rules.items_count;

	match_boxes_in(lists->pool, lists->universe, hook, &match, (uint32_t)list->statements_count, &list->rules);
	if (list->rules.items_count > before)
		*pool_append(lists->pool, list, statements) = half->source;
}

static bool does_same(const struct translation *a, const struct translation *b)
{
	if (a->kind != b->kind || a->port != b->port)
		return false;
	for (size_t family = 0; family < 2; family++)
		if (a->has_as[family] != b->has_as[family] || a->has_host[family] != b->has_host[family] ||
		    (a->has_as[family] && a->as[family].value != b->as[family].value) ||
		    (a->has_host[family] && a->host[family].value != b->host[family].value))
			return false;
	return true;
}

static void number_outcomes(struct finding_lists *lists, struct world_list *list)
{
	list->outcomes = pool_array(lists->pool, uint32_t, list->statements_count + 1);
	for (size_t index = 0; index < list->statements_count; index++) {
		size_t same = 0;

		while (!does_same(list->statements[same], list->statements[index]))
			same++;
		list->outcomes[index] = (uint32_t)same;
	}
}

static void add_blame(struct finding_lists *lists, struct translation_finding *finding,
		      const struct translation *blamed)
{
	for (size_t index = 0; index < finding->blame_count; index++)
		if (finding->blame[index] == blamed)
			return;
	*pool_append(lists->pool, finding, blame) = blamed;
}

static void take(struct finding_lists *lists, const struct world_list *list, bool is_local,
		 const struct rule_finding *found)
{
	const struct translation *statement = list->statements[found->number];
	struct translation_finding *finding = &lists->findings[statement->number];
	struct fate *fate = &lists->fates[statement->number];

	if (!fate->has_witness)
		finding->witness = packet_of_point(lists->universe, &found->witness);
	fate->has_witness = fate->is_there[is_local] = true;
	if (found->kind == RULE_REMOVABLE || found->kind == RULE_AS_DEFAULT) {
		fate->is_alive[is_local] = true;
		return;
	}
	fate->is_shadowed = fate->is_shadowed || found->kind != RULE_REDUNDANT;
	for (size_t index = 0; index < found->blame_count; index++)
		add_blame(lists, finding, list->statements[found->blame[index]]);
}

/* --- all worlds -------------------------------------------------------------------------------------- */

/* Statements that nothing was found of are needed. */
static void take_rest(struct finding_lists *lists, const struct world_list *list, bool is_local,
		      const bool *is_found)
{
	for (size_t index = 0; index < list->statements_count; index++) {
		struct fate *fate = &lists->fates[list->statements[index]->number];

		if (is_found[index])
			continue;
		fate->is_there[is_local] = fate->is_alive[is_local] = fate->is_needed = true;
	}
}

static void ask(struct finding_lists *lists, enum world world, bool is_local, struct translation_findings *findings)
{
	const struct ruleset *ruleset = lists->ruleset;
	struct world_list list = { 0 };
	const struct shadow_answer *answer;
	bool *is_found;

	for (size_t index = 0; index < ruleset->translations_count; index++) {
		const struct rule_translation *half = ruleset->translations[index];

		if (is_in(half->source, world) && (is_local ? half->applies_to_local : half->applies_to_routed))
			add_half(lists, half, hook_of(world, is_local), &list);
	}
	if (list.statements_count == 0)
		return;
	number_outcomes(lists, &list);
	answer = shadow_find(lists->pool, &(struct shadow_question){
		.universe = lists->universe,
		.rules = list.rules.items,
		.count = list.rules.items_count,
		.outcomes = list.outcomes,
		.otherwise = (uint32_t)list.statements_count,
		.has_blame = true,
	});
	findings->undecided_count += answer->undecided_count;
	is_found = pool_array(lists->pool, bool, list.statements_count);
	for (size_t index = 0; index < answer->findings_count; index++) {
		is_found[answer->findings[index].number] = true;
		if (answer->findings[index].kind != RULE_IMPOSSIBLE)
			take(lists, &list, is_local, &answer->findings[index]);
	}
	take_rest(lists, &list, is_local, is_found);
}

static int by_number(const struct translation *a, const struct translation *b)
{
	return (a->number > b->number) - (a->number < b->number);
}

/* In the policy's order; few stand there. */
static void sort_blame(struct translation_finding *finding)
{
	for (size_t index = 1; index < finding->blame_count; index++)
		for (size_t at = index; at > 0 && by_number(finding->blame[at - 1], finding->blame[at]) > 0; at--) {
			const struct translation *other = finding->blame[at];

			finding->blame[at] = finding->blame[at - 1];
			finding->blame[at - 1] = other;
		}
}

/* One that hides a statement which does something else cannot go: that statement would match. */
static bool hides_another(const struct finding_lists *lists, const struct translation *statement)
{
	const struct policy *policy = lists->ruleset->policy;

	for (size_t index = 0; index < policy->translations_count; index++) {
		const struct translation_finding *finding = &lists->findings[index];

		for (size_t at = 0; at < finding->blame_count; at++)
			if (finding->blame[at] == statement && !does_same(policy->translations[index], statement))
				return true;
	}
	return false;
}

/* false: nothing is to be told. */
static bool kind_of(const struct finding_lists *lists, const struct translation *statement,
		    enum translation_finding_kind *kind)
{
	const struct fate *fate = &lists->fates[statement->number];

	if (!fate->is_there[0] && !fate->is_there[1])
		return false;
	if (!fate->is_alive[0] && !fate->is_alive[1])
		*kind = fate->is_shadowed ? TRANSLATION_SHADOWED : TRANSLATION_REDUNDANT;
	else if (fate->is_there[0] && !fate->is_alive[0])
		*kind = TRANSLATION_PARTLY;
	else if (!fate->is_needed && !is_destination(statement) && !hides_another(lists, statement))
		*kind = TRANSLATION_REMOVABLE;
	else
		return false;
	return true;
}

static void tell(struct finding_lists *lists, const struct translation *statement,
		 struct translation_findings *findings)
{
	struct translation_finding finding = lists->findings[statement->number];

	if (!kind_of(lists, statement, &finding.kind))
		return;
	finding.translation = statement;
	if (is_destination(statement))
		finding.witness.out = NULL; /* nobody knows it yet */
	if (finding.kind == TRANSLATION_REMOVABLE)
		finding.blame_count = 0;
	sort_blame(&finding);
	*pool_append(lists->pool, findings, items) = finding;
}

struct translation_findings *translations_find(void *pool, const struct ruleset *ruleset)
{
	const struct policy *policy = ruleset->policy;
	struct packet_universe *universe = packet_universe_new(pool);
	struct translation_findings *findings = pool_new(pool, struct translation_findings);
	struct finding_lists lists = {
		.pool = pool,
		.ruleset = ruleset,
		.universe = universe,
		.fates = pool_array(pool, struct fate, policy->translations_count + 1),
		.findings = pool_array(pool, struct translation_finding, policy->translations_count + 1),
	};

	packet_universe_add(universe, ruleset);
	packet_universe_finish(universe);
	for (enum world world = 0; world < WORLDS; world++) {
		ask(&lists, world, false, findings);
		ask(&lists, world, true, findings);
	}
	for (size_t index = 0; index < policy->translations_count; index++)
		tell(&lists, policy->translations[index], findings);
	return findings;
}
