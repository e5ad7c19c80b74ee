/* Two diagrams a hook, compared leaf by leaf. */
#include "target/nft/prove/prove.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/prove/differ.h"
#include "target/nft/prove/fit.h"
#include "target/nft/prove/packet.h"
#include "target/nft/prove/pieces.h"
#include "target/nft/walk/walk.h"

#define INTERVALS_MAX 8000000
/* Another order of the fields helps where few rules make much; many overrun in all of them alike. Rules of each
 * hook are counted. */
#define REORDERED_RULES_MAX 50000
#define RETRIED_RULES_MANY 10000
#define INTERVALS_OF_RETRY 2000000
/* Of so many rules a few are looked at first: are all of them likely past the budget, it is seen early. */
#define RULES_MANY 60000
#define SAMPLE_RULES 4000 /* a hook */
#define SAMPLE_TOLERANCE 2
/* Intervals of all pieces; when so many are made it shows whether it will be enough. */
#define INTERVALS_OF_PIECES 200000000
#define INTERVALS_TELLING 5000000
/* Rules of a hook that are proved in pieces at once. */
#define RULES_PIECES 300
/* Rules of a hook for which the whole is tried before the pieces, with so much of what those are expected to take:
 * broad rules are in every piece, and a table that was cut much is read again for each. */
#define RULES_TRIED_WHOLE 2000
#define TRY_SHARE (1.0 / 16)
/* The share of sides of rules with interfaces above which those divide the rules. */
#define NAMED_DIVIDE 0.75
/* What each piece makes again, in intervals: hooks with what always passes; what it meets of the table. */
#define PIECE_INTERVALS 5000.0
#define TABLE_INTERVALS 5.0
/* What all pieces may take at most, by the estimate. */
#define ESTIMATE_MOST 250e6
#define ELEMENTS_MIN 8
#define RULE_WEIGHT 16 /* proof_limits.piece_weight */
#define PRIORITY_CONNTRACK (-200) /* NF_IP_PRI_CONNTRACK */

static number128 ordinary_value(void *context, uint32_t rank)
{
	const struct prover *prover = context;
	enum walk_field field = walk_field_of_rank(prover->space, rank);
	return field == WALK_FIELDS ? 0 : prove_packet_ordinary(field);
}

/* A way that does not ask a field that is cut shows a difference in the piece alone. */
static void hold_to_part(struct prover *prover, struct diagram_way *way)
{
	for (size_t i = 0; i < prover->space->parts_count; i++) {
		const struct diagram_part *part = &prover->space->parts[i];
		bool is_asked = false;
		for (size_t k = 0; k < way->steps_count; k++)
			is_asked = is_asked || way->steps[k].field == part->field;
		if (!is_asked)
			*pool_append(prover->pool, way, steps) =
				(struct diagram_step){ part->field, part->low, part->high };
	}
}

static void tell_difference(struct prover *prover, const struct prove_place *place, struct diagram_way *way)
{
	struct proof *proof = prover->proof;
	const struct wanted_leaf *wanted = wanted_leaf_at(prover->wanted, way->a);
	proof->result = PROOF_DIFFERS;
	proof->where = place->name;
	hold_to_part(prover, way);
	prove_packet_tell(prover->pool, proof, &(struct prove_difference){
		.ruleset = prover->ruleset, .space = prover->space, .leaves = prover->leaves, .place = place,
		.way = way, .wanted = wanted,
	});
}

/* Compares one place of the table; false where the proof ends. */
static bool compare(struct prover *prover, const struct prove_place *place, diagram wanted, diagram found)
{
	const struct diagram_difference difference = {
		.context = prover, .is_equal = prove_fits, .from_field = walk_first_limit(),
		.prefer = ordinary_value, .parts = prover->space->parts, .parts_count = prover->space->parts_count,
	};
	struct diagram_way way = { 0 };
	if (walk_problem(prover->walk) != NULL) {
		prover->proof->result = PROOF_UNREADABLE;
		prover->proof->reason = walk_problem(prover->walk);
		return false;
	}
	if (diagram_equals(prover->pool, prover->space->diagrams, &difference, wanted, found, &way))
		return true;
	if (way.a == DIAGRAM_OVER || diagrams_are_over(prover->space->diagrams))
		prover->proof->result = PROOF_UNDECIDED;
	else
		tell_difference(prover, place, &way);
	if (prover->proof->result != PROOF_DIFFERS || prover->differ == NULL)
		return false;
	differ_place(prover, place, wanted, found);
	return !diagrams_are_over(prover->space->diagrams);
}

static diagram found_at(struct prover *prover, const struct prove_place *place)
{
	return walk_hook(prover->walk, place->type, place->hook, place->low, place->high);
}

static enum hook hook_of(unsigned number)
{
	return number == NF_INET_LOCAL_IN ? HOOK_INPUT : number == NF_INET_FORWARD ? HOOK_FORWARD : HOOK_OUTPUT;
}

static bool is_judging(unsigned hook)
{
	return hook == NF_INET_LOCAL_IN || hook == NF_INET_FORWARD || hook == NF_INET_LOCAL_OUT;
}

static const char *const hook_names[NF_INET_NUMHOOKS] = {
	[NF_INET_PRE_ROUTING] = "prerouting", [NF_INET_LOCAL_IN] = "input", [NF_INET_FORWARD] = "forward",
	[NF_INET_LOCAL_OUT] = "output", [NF_INET_POST_ROUTING] = "postrouting",
};

static struct prove_place place_of(struct prover *prover, unsigned hook, const char *type, const char *what)
{
	return (struct prove_place){
		.name = pool_format(prover->pool, "hook %s%s", hook_names[hook], what),
		.hook = hook, .type = type, .low = PRIORITY_CONNTRACK + 1, .high = INT32_MAX,
	};
}

/* Before tracking, translation, rerouting, and filtering where no rules judge: on one hook. */
static bool compare_beside(struct prover *prover, unsigned hook)
{
	struct wanted *wanted = prover->wanted;
	struct prove_place raw = place_of(prover, hook, "filter", ", before tracking");
	const struct prove_place other = place_of(prover, hook, "filter", "");
	const struct prove_place nat = place_of(prover, hook, "nat", ", translation");
	const struct prove_place route = place_of(prover, hook, "route", ", rerouting");
	diagram frame = wanted_frame(wanted, hook);
	raw.low = INT32_MIN;
	raw.high = PRIORITY_CONNTRACK;
	return compare(prover, &raw, wanted_tracking(wanted, hook), found_at(prover, &raw)) &&
	       (is_judging(hook) || compare(prover, &other, frame, found_at(prover, &other))) &&
	       compare(prover, &nat, wanted_translations(wanted, hook), found_at(prover, &nat)) &&
	       compare(prover, &route, frame, found_at(prover, &route));
}

static bool compare_judging(struct prover *prover, unsigned hook)
{
	struct prove_place judging = place_of(prover, hook, "filter", "");
	judging.is_judging = true;
	return compare(prover, &judging, wanted_hook(prover->wanted, hook_of(hook)), found_at(prover, &judging));
}

static bool is_ordinary(const struct read_chain *chain)
{
	return !chain->is_base ||
	       (chain->hook < NF_INET_NUMHOOKS &&
		(strcmp(chain->type, "filter") == 0 || strcmp(chain->type, "nat") == 0 ||
		 strcmp(chain->type, "route") == 0));
}

static const char *strange_chain(const struct read_table *table)
{
	for (size_t i = 0; i < table->chains_count; i++)
		if (!is_ordinary(table->chains[i]))
			return table->chains[i]->name;
	return NULL;
}

static bool compare_all_judging(struct prover *prover)
{
	for (unsigned hook = 0; hook < NF_INET_NUMHOOKS; hook++)
		if (is_judging(hook) && !compare_judging(prover, hook))
			return false;
	return true;
}

static bool compare_all_beside(struct prover *prover)
{
	for (unsigned hook = 0; hook < NF_INET_NUMHOOKS; hook++)
		if (!compare_beside(prover, hook))
			return false;
	return true;
}

static bool give_up(struct prover *prover)
{
	prover->proof->result = PROOF_UNDECIDED;
	return false;
}

/* --- many rules at once ----------------------------------------------------------------------------- */

/* Every so-manieth rule; the step. */
static size_t take_sample(struct prover *prover)
{
	size_t most = 0;
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++)
		most = prover->ruleset->rules_count[hook] > most ? prover->ruleset->rules_count[hook] : most;
	size_t step = most / SAMPLE_RULES + 1;
	uint32_t *rules = pool_array(prover->pool, uint32_t, most / step + 1);
	for (size_t i = 0; i < most / step + 1; i++)
		rules[i] = (uint32_t)(i * step);
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++) {
		prover->wanted->rules[hook] = rules;
		prover->wanted->rules_count[hook] = prover->ruleset->rules_count[hook] / step;
	}
	return step;
}

/* What some of the rules take tells what all of them take at least, unless they are much alike. */
static bool are_likely_too_many(struct prover *prover, size_t intervals_max)
{
	struct diagrams *diagrams = prover->space->diagrams;
	const struct diagrams_mark mark = diagrams_mark(diagrams);
	size_t step = take_sample(prover);
	wanted_forget(prover->wanted); /* a piece of its own */
	for (unsigned hook = 0; hook < HOOK_COUNT && !diagrams_are_over(diagrams); hook++)
		(void)wanted_hook(prover->wanted, (enum hook)hook);
	bool are_too_many = diagrams_are_over(diagrams) ||
			    diagrams_edges(diagrams) * step / SAMPLE_TOLERANCE > intervals_max;
	diagrams_release(diagrams, mark);
	wanted_forget(prover->wanted);
	memset(prover->wanted->rules, 0, sizeof prover->wanted->rules);
	return are_too_many;
}

static bool compare_whole(struct prover *prover, size_t intervals_max)
{
	if (prover->proof->rules > RULES_MANY && are_likely_too_many(prover, intervals_max))
		return give_up(prover);
	return compare_all_beside(prover) && compare_all_judging(prover);
}

/* --- piece by piece --------------------------------------------------------------------------------- */

struct proof_cutting {
	struct prove_sizes sizes;
	struct prove_pieces pieces;
	size_t elements_min; /* walk/space.h */
};

static void take_piece(struct prover *prover, const struct prove_piece *piece)
{
	walk_space_take(prover->space, &piece->where);
	walk_forget(prover->walk);
	wanted_forget(prover->wanted);
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++) {
		prover->wanted->rules[hook] = piece->rules[hook];
		prover->wanted->rules_count[hook] = piece->rules_count[hook];
	}
}

/* Would the other pieces, if they were like those that are done, take too much? */
static bool is_hopeless(size_t edges, double done, double all)
{
	return edges > INTERVALS_TELLING &&
	       (double)edges / done * all > SAMPLE_TOLERANCE * (double)INTERVALS_OF_PIECES;
}

/* What the pieces ask, each on its own; before, for all of them, what is beside the rules. */
static bool compare_pieces(struct prover *prover, const struct proof_cutting *cutting)
{
	struct diagrams *diagrams = prover->space->diagrams;
	const struct prove_pieces *pieces = &cutting->pieces;
	double done = 0;
	prover->space->elements_min = cutting->elements_min;
	if (!compare_all_beside(prover))
		return false;
	walk_forget(prover->walk);
	struct diagrams_mark mark = diagrams_mark(diagrams);
	size_t kept = diagrams_edges(diagrams);
	for (size_t i = 0; i < pieces->items_count && !diagrams_are_over(diagrams); i++) {
		take_piece(prover, &pieces->items[i]);
		if (!compare_all_judging(prover))
			return false;
		done += pieces->items[i].edges;
		if (diagrams_are_over(diagrams) ||
		    is_hopeless(diagrams_edges(diagrams) - kept, done, pieces->edges))
			return give_up(prover);
		diagrams_release(diagrams, mark);
	}
	return true;
}

/* --- the whole -------------------------------------------------------------------------------------- */

static void prove_in_order(struct prover *prover, const struct proof_cutting *cutting, size_t intervals_max,
			   unsigned order)
{
	prover->space = walk_space_new(prover->pool, intervals_max, order);
	prover->leaves = walk_leaves_new(prover->pool);
	prover->walk = walk_new(prover->pool, prover->space, prover->leaves, prover->table);
	prover->wanted = wanted_new(prover->pool, prover->space, prover->ruleset);
	prover->owners = names_new(prover->pool, false);
	prover->proof->result = PROOF_EQUAL;
	if (prover->differ != NULL) {
		differ_begin(prover->differ, prover->pool);
		walk_tell_places(prover->walk);
	}
	if (cutting != NULL)
		(void)compare_pieces(prover, cutting);
	else
		(void)compare_whole(prover, intervals_max);
	if (diagrams_are_over(prover->space->diagrams))
		prover->proof->result = PROOF_UNDECIDED;
	else if (prover->differ != NULL && prover->proof->result == PROOF_DIFFERS)
		differ_finish(prover);
	prover->proof->intervals = diagrams_edges(prover->space->diagrams);
}

static void count_hooks(const struct read_table *table, struct proof *proof)
{
	for (unsigned hook = 0; hook < NF_INET_NUMHOOKS; hook++) {
		bool has_chain = false;
		for (size_t i = 0; i < table->chains_count; i++)
			has_chain = has_chain || (table->chains[i]->is_base && table->chains[i]->hook == hook);
		proof->hooks += has_chain;
	}
}

static struct proof unreadable(const char *reason)
{
	return (struct proof){ .result = PROOF_UNREADABLE, .reason = reason };
}

/* One try; false: it comes to nothing. */
struct attempt {
	const struct proof_cutting *cutting; /* NULL: as a whole */
	size_t intervals_max;
	unsigned order;
};

static bool attempt(void *pool, const struct proof_subject *subject, struct differ *differ,
		    const struct attempt *attempt, struct proof *proof)
{
	struct prover prover = { .pool = pool_child(pool, "prove"), .ruleset = subject->ruleset,
				 .table = subject->table, .limits = subject->limits, .proof = proof,
				 .differ = differ };
	prove_in_order(&prover, attempt->cutting, attempt->intervals_max, attempt->order);
	if (proof->result != PROOF_UNDECIDED)
		return true;
	talloc_free(prover.pool);
	return false;
}

static size_t items_of(const struct read_table *table)
{
	size_t count = 0;
	for (size_t i = 0; i < table->chains_count; i++)
		count += table->chains[i]->rules_count;
	for (size_t i = 0; i < table->sets_count; i++)
		count += table->sets[i]->elements_count;
	return count;
}

/* How the policy is cut, and what that will take; of a policy that is proved as a whole no pieces. */
static struct proof_cutting cutting_of(void *pool, const struct proof_subject *subject, size_t rules_whole)
{
	size_t weight = subject->limits->piece_weight;
	struct proof_cutting cutting = {
		.sizes = { .fixed = PIECE_INTERVALS, .table = TABLE_INTERVALS * (double)items_of(subject->table),
			   .rules_whole = weight != 0 ? weight / RULE_WEIGHT : rules_whole,
			   .weight_max = (double)weight },
		.elements_min = weight != 0 ? 1 : ELEMENTS_MIN,
	};
	cutting.pieces = prove_pieces_new(pool, subject->ruleset, &cutting.sizes, ESTIMATE_MOST);
	return cutting;
}

static bool names_interfaces(const struct place_boxes *boxes)
{
	for (size_t i = 0; i < boxes->boxes_count; i++)
		if (!interface_set_is_all(&boxes->boxes[i].interfaces))
			return true;
	return false;
}

/* Of the fields, to begin with. Where nearly every rule names its interfaces, those divide the rules and are asked
 * first; else the rules of all addresses stand for each of them again, and they are asked last. */
static unsigned first_order(const struct ruleset *ruleset)
{
	size_t named = 0, sides = 0;
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++) {
		for (size_t i = 0; i < ruleset->rules_count[hook]; i++) {
			const struct match *match = &ruleset->rules[hook][i]->match;
			sides += hook == HOOK_FORWARD ? 2 : 1;
			named += hook != HOOK_OUTPUT && names_interfaces(&match->from);
			named += hook != HOOK_INPUT && names_interfaces(&match->to);
		}
	}
	return named == 0 || (double)named > NAMED_DIVIDE * (double)sides ? WALK_ORDER_PLAIN
									    : WALK_ORDER_INTERFACES;
}

/* As a whole first, then what few rules make too large at once in pieces; in other orders of fields. */
static bool attempt_whole(void *pool, const struct proof_subject *subject, struct differ *differ, size_t most,
			  struct proof *proof)
{
	const unsigned first = first_order(subject->ruleset);
	size_t retry = proof->rules > RETRIED_RULES_MANY && most > INTERVALS_OF_RETRY ? INTERVALS_OF_RETRY : most;
	unsigned orders = proof->rules <= REORDERED_RULES_MAX ? WALK_ORDERS : 0;
	if (attempt(pool, subject, differ, &(struct attempt){ NULL, most, first }, proof))
		return true;
	if (differ == NULL && subject->limits->intervals_max == 0) {
		const struct proof_cutting cutting = cutting_of(pool, subject, 1);
		if (cutting.pieces.items_count > 1 && !cutting.pieces.is_too_much &&
		    attempt(pool, subject, NULL, &(struct attempt){ &cutting, most, first }, proof))
			return true;
	}
	for (unsigned order = 0; order < orders; order++)
		if (order != first &&
		    attempt(pool, subject, differ, &(struct attempt){ NULL, retry, order }, proof))
			return true;
	return false;
}

static size_t longest_of(const struct place_boxes *boxes)
{
	size_t longest = 0;
	for (size_t i = 0; i < boxes->boxes_count; i++) {
		const struct address_set *addresses = &boxes->boxes[i].addresses;
		longest = addresses->v4.items_count > longest ? addresses->v4.items_count : longest;
		longest = addresses->v6.items_count > longest ? addresses->v6.items_count : longest;
	}
	return longest;
}

/* Intervals of the longest list of addresses: a diagram of all of it has both ends of each. */
static size_t longest_list(const struct ruleset *ruleset)
{
	size_t longest = 0;
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++) {
		for (size_t i = 0; i < ruleset->rules_count[hook]; i++) {
			const struct match *match = &ruleset->rules[hook][i]->match;
			size_t from = longest_of(&match->from), to = longest_of(&match->to);
			longest = from > longest ? from : longest;
			longest = to > longest ? to : longest;
		}
	}
	return longest;
}

/* Cheap where it comes to nothing. */
static bool try_whole(void *pool, const struct proof_subject *subject, const struct proof_cutting *cutting,
		      size_t most, struct proof *proof)
{
	double share = cutting->pieces.edges * TRY_SHARE;
	if (subject->limits->intervals_max != 0 || subject->limits->piece_weight != 0)
		return false;
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++)
		if (subject->ruleset->rules_count[hook] > RULES_TRIED_WHOLE)
			return false;
	if (2.0 * (double)longest_list(subject->ruleset) > share)
		return false;
	return attempt(pool, subject, NULL, &(struct attempt){
		NULL, share < (double)most ? (size_t)share : most, first_order(subject->ruleset) }, proof);
}

static void attempt_all(void *pool, const struct proof_subject *subject, struct differ *differ, struct proof *proof)
{
	const struct proof_limits *limits = subject->limits;
	size_t most = limits->intervals_max == 0 ? INTERVALS_MAX : limits->intervals_max;
	struct proof_cutting cutting = { 0 };
	if (differ == NULL) /* what differs is told as a whole */
		cutting = cutting_of(pool, subject, RULES_PIECES);
	if (cutting.pieces.items_count <= 1 && !cutting.pieces.is_too_much) {
		if (attempt_whole(pool, subject, differ, most, proof))
			return;
	} else if (try_whole(pool, subject, &cutting, most, proof) ||
		   (!cutting.pieces.is_too_much &&
		    attempt(pool, subject, NULL,
			    &(struct attempt){ &cutting, most, first_order(subject->ruleset) }, proof))) {
		return;
	}
	proof->result = PROOF_UNDECIDED;
	if (cutting.pieces.items_count > 1 && limits->intervals_max == 0)
		most = INTERVALS_OF_PIECES;
	proof->reason = pool_format(pool, "it takes more than %zu intervals", most);
}

struct proof nft_differ(void *pool, const struct proof_subject *subject, struct differ *differ)
{
	const struct ruleset *ruleset = subject->ruleset;
	const struct read_table *table = subject->table;
	struct proof proof = { .origin = SPAN_NONE, .translations = ruleset->translations_count };
	if (subject->read->problem != NULL)
		return unreadable(subject->read->problem);
	if ((table->flags & NFT_TABLE_F_DORMANT) != 0)
		return unreadable("the table is dormant");
	if (strange_chain(table) != NULL)
		return unreadable(pool_format(pool, "chain '%s' hangs on an unknown hook", strange_chain(table)));
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++)
		proof.rules += ruleset->rules_count[hook];
	count_hooks(table, &proof);
	attempt_all(pool, subject, differ, &proof);
	return proof;
}

struct proof nft_prove(void *pool, const struct ruleset *ruleset, const struct nft_read *read,
		       const struct read_table *table, const struct proof_limits *limits)
{
	return nft_differ(pool, &(struct proof_subject){ ruleset, read, table, limits }, NULL);
}
