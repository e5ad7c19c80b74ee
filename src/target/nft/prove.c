/* Two diagrams a hook, compared leaf by leaf. */
#include "target/nft/prove.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/differ.h"
#include "target/nft/prove_fit.h"
#include "target/nft/prove_packet.h"
#include "target/nft/prove_pieces.h"
#include "target/nft/walk.h"

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
/* Intervals of all pieces; so many of them show early whether it will be enough. */
#define INTERVALS_OF_PIECES 48000000
#define PIECES_TELLING 4
/* Pieces, and rules that they all together work out again. */
#define PIECES_MOST 4096
#define RULES_AGAIN_MOST 300000
/* Where few rules are too much at once. */
#define PIECES_OF_FEW 12
#define RULE_INTERVALS 17 /* proof_limits.piece_weight */
/* What all pieces share. */
#define KEPT_MAX 1000000
#define PRIORITY_CONNTRACK (-200) /* NF_IP_PRI_CONNTRACK */

static number128 ordinary_value(void *context, uint32_t rank)
{
	const struct prover *prover = context;
	enum walk_field field = walk_field_of_rank(prover->space, rank);
	return field == WALK_FIELDS ? 0 : prove_packet_ordinary(field);
}

/* A way that does not ask the field that is cut shows a difference in the piece alone. */
static void hold_to_part(struct prover *prover, struct diagram_way *way)
{
	const struct diagram_part *part = &prover->space->part;
	for (size_t i = 0; i < way->steps_count; i++)
		if (way->steps[i].field == part->field)
			return;
	if (prover->space->is_part)
		*pool_append(prover->pool, way, steps) =
			(struct diagram_step){ part->field, part->low, part->high };
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
		.prefer = ordinary_value, .part = prover->space->is_part ? &prover->space->part : NULL,
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

/* Before tracking, filtering, translation, rerouting: on one hook. */
static bool compare_hook(struct prover *prover, unsigned hook)
{
	struct wanted *wanted = prover->wanted;
	struct prove_place raw = place_of(prover, hook, "filter", ", before tracking");
	struct prove_place judging = place_of(prover, hook, "filter", "");
	const struct prove_place nat = place_of(prover, hook, "nat", ", translation");
	const struct prove_place route = place_of(prover, hook, "route", ", rerouting");
	diagram frame = wanted_frame(wanted, hook);
	raw.low = INT32_MIN;
	raw.high = PRIORITY_CONNTRACK;
	judging.is_judging = is_judging(hook);
	return compare(prover, &raw, wanted_tracking(wanted, hook), found_at(prover, &raw)) &&
	       compare(prover, &judging, is_judging(hook) ? wanted_hook(wanted, hook_of(hook)) : frame,
		       found_at(prover, &judging)) &&
	       compare(prover, &nat, wanted_translations(wanted, hook), found_at(prover, &nat)) &&
	       compare(prover, &route, frame, found_at(prover, &route));
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

static bool compare_hooks(struct prover *prover)
{
	for (unsigned hook = 0; hook < NF_INET_NUMHOOKS; hook++)
		if (!compare_hook(prover, hook))
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
	return compare_hooks(prover);
}

/* --- piece by piece --------------------------------------------------------------------------------- */

static void take_piece(struct prover *prover, const struct prove_pieces *pieces, size_t piece)
{
	walk_space_take(prover->space, &pieces->cuts, piece);
	walk_forget(prover->walk);
	wanted_forget(prover->wanted);
	for (unsigned hook = 0; hook < HOOK_COUNT; hook++) {
		const uint32_t *first = pieces->first[hook];
		prover->wanted->rules[hook] = pieces->rules[hook] + first[piece];
		prover->wanted->rules_count[hook] = first[piece + 1] - first[piece];
	}
}

/* Would the other pieces, if they were like those that are done, take too much? */
static bool is_hopeless(size_t edges, size_t done, size_t count)
{
	size_t tolerance = done * 4 < count ? SAMPLE_TOLERANCE : 1;
	return done >= PIECES_TELLING && edges / done * count / tolerance > INTERVALS_OF_PIECES;
}

static bool compare_pieces(struct prover *prover, const struct prove_pieces *pieces)
{
	struct diagrams *diagrams = prover->space->diagrams;
	walk_keep_chains(prover->walk, KEPT_MAX / 2);
	wanted_keep_services(prover->wanted, KEPT_MAX);
	struct diagrams_mark mark = diagrams_mark(diagrams);
	size_t kept = diagrams_edges(diagrams), count = pieces->cuts.count;
	for (size_t piece = 0; piece < count && !diagrams_are_over(diagrams); piece++) {
		if (is_hopeless(diagrams_edges(diagrams) - kept, piece, count))
			return give_up(prover);
		take_piece(prover, pieces, piece);
		if (!compare_hooks(prover))
			return false;
		if (!diagrams_are_over(diagrams))
			diagrams_release(diagrams, mark);
	}
	return true;
}

/* --- the whole -------------------------------------------------------------------------------------- */

static void prove_in_order(struct prover *prover, const struct prove_pieces *pieces, size_t intervals_max,
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
	if (pieces != NULL)
		(void)compare_pieces(prover, pieces);
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
	const struct prove_pieces *pieces;
	size_t intervals_max;
	unsigned order;
};

static bool attempt(void *pool, const struct proof_subject *subject, struct differ *differ,
		    const struct attempt *attempt, struct proof *proof)
{
	struct prover prover = { .pool = pool_child(pool, "prove"), .ruleset = subject->ruleset,
				 .table = subject->table, .limits = subject->limits, .proof = proof,
				 .differ = differ };
	prove_in_order(&prover, attempt->pieces, attempt->intervals_max, attempt->order);
	if (proof->result != PROOF_UNDECIDED)
		return true;
	talloc_free(prover.pool);
	return false;
}

static size_t pieces_most(const struct read_table *table)
{
	size_t most = RULES_AGAIN_MOST / (walk_rules_again(table) + 1);
	return most < PIECES_MOST ? most : PIECES_MOST;
}

/* What few rules make too large at once, in some pieces. */
static bool attempt_few(void *pool, const struct proof_subject *subject, size_t intervals_max, struct proof *proof)
{
	size_t most = pieces_most(subject->table);
	const struct prove_pieces *pieces = proof->rules > RETRIED_RULES_MANY ? NULL :
		prove_pieces_new(pool, subject->ruleset, proof->rules * RULE_INTERVALS / PIECES_OF_FEW + 1,
				 most < PIECES_OF_FEW ? most : PIECES_OF_FEW);
	return pieces != NULL && attempt(pool, subject, NULL, &(struct attempt){ pieces, intervals_max, 0 }, proof);
}

static void attempt_all(void *pool, const struct proof_subject *subject, struct differ *differ, struct proof *proof)
{
	const struct proof_limits *limits = subject->limits;
	size_t most = limits->intervals_max == 0 ? INTERVALS_MAX : limits->intervals_max;
	size_t retry = proof->rules > RETRIED_RULES_MANY && most > INTERVALS_OF_RETRY ? INTERVALS_OF_RETRY : most;
	const struct prove_pieces *pieces = differ != NULL ? NULL : /* what differs is told as a whole */
		prove_pieces_new(pool, subject->ruleset, limits->piece_weight, pieces_most(subject->table));
	unsigned orders = proof->rules <= REORDERED_RULES_MAX ? WALK_ORDERS : 1;
	if (attempt(pool, subject, differ, &(struct attempt){ pieces, most, 0 }, proof))
		return;
	if (pieces == NULL && differ == NULL && limits->intervals_max == 0 &&
	    attempt_few(pool, subject, most, proof))
		return;
	for (unsigned order = 1; order < orders; order++)
		if (attempt(pool, subject, differ,
			    &(struct attempt){ pieces, pieces == NULL ? retry : most, order }, proof))
			return;
	if (pieces != NULL && limits->intervals_max == 0)
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
