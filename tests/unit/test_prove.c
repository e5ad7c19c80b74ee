/* What a table does, by diagrams, against a machine that runs it for one packet at a time; and the
 * proof's own limits. */
#include <linux/netfilter.h>
#include <string.h>

#include "../kernel/models.h"
#include "base/pool.h"
#include "expand/expand.h"
#include "policy_text.h"
#include "random_ruleset.h"
#include "read_eval.h"
#include "read_packets.h"
#include "target/nft/model/kernel_names.h"
#include "target/nft/prove/prove.h"
#include "target/nft/read/expression.h"
#include "target/nft/load/replace.h"
#include "target/nft/load/reread.h"
#include "target/nft/walk/walk.h"
#include "target/nft/walk/value.h"
#include "unit.h"

#define PACKETS 3000
#define RULESETS 12

static const struct nft_settings settings = { .table = "fwc" };

/* models.c has this one from the programs of tests/kernel. */
struct nft_table *random_table(void *pool, struct sources *sources, unsigned long seed)
{
	(void)pool;
	(void)sources;
	(void)seed;
	return NULL;
}

/* --- a diagram for one packet ----------------------------------------------------------------------- */

static number128 name_number(const char *name)
{
	char padded[17] = { 0 };
	if (name != NULL)
		memcpy(padded, name, strnlen(name, 16));
	return walk_number_of_name(padded);
}

static number128 state_of(const struct model_packet *packet)
{
	for (unsigned state = 0; state < WALK_STATES; state++)
		if (walk_state_bits[state] == packet->state)
			return state;
	return WALK_NEW;
}

static bool has_type(const struct model_packet *packet)
{
	return packet->protocol == 1 || packet->protocol == 58;
}

static number128 value_of(enum walk_field field, const struct model_packet *packet)
{
	switch (field) {
	case WALK_STATE:
		return state_of(packet);
	case WALK_FAMILY:
		return packet->family;
	case WALK_IN:
		return name_number(packet->in);
	case WALK_OUT:
		return name_number(packet->out);
	case WALK_PROTOCOL:
		return packet->protocol;
	case WALK_FIRST:
		return has_type(packet) ? packet->type : packet->destination_port;
	case WALK_DESTINATION:
		return packet->destination;
	case WALK_SOURCE:
		return packet->source;
	case WALK_SECOND:
		return has_type(packet) ? packet->code : packet->source_port;
	case WALK_TCP_FLAGS:
		return packet->tcp_flags;
	case WALK_HOP_LIMIT:
		return packet->hop_limit;
	case WALK_TRANSLATED:
		return (packet->status & 0x20) != 0;
	case WALK_ORIGINAL_DESTINATION:
		return packet->original_destination;
	case WALK_ORIGINAL_PORT:
		return packet->original_port;
	case WALK_HELPER:
		return name_number(packet->helper);
	case WALK_ROUTE:
		return packet->route;
	case WALK_WEEK:
		return (packet->day + 6) % 7 * 86400 + packet->second;
	case WALK_TIME:
		return (number128)packet->time * 1000000000u;
	case WALK_FIELDS:
		break;
	}
	return 0;
}

/* NULL: the packet's fate depends on what packets here have not. */
static const struct walk_leaf *leaf_of(const struct walk_space *space, const struct walk_leaves *leaves,
				       diagram at, const struct model_packet *packet)
{
	while (!diagram_is_leaf(at)) {
		uint32_t rank = diagram_field(space->diagrams, at);
		enum walk_field field = walk_field_of_rank(space, rank);
		struct diagram_edges edges = diagram_edges(space->diagrams, at);
		number128 value = field != WALK_FIELDS ? value_of(field, packet) : !packet->is_over_limit;
		if (field == WALK_FIELDS && rank < walk_first_limit())
			return NULL;
		size_t edge = 0;
		while (edges.highs[edge] < value)
			edge++;
		at = edges.children[edge];
	}
	return walk_leaf_at(leaves, at);
}

static enum model_fate fate_of(const struct walk_leaf *leaf)
{
	switch (leaf->verdict) {
	case WALK_DROP:
		return MODEL_DROP;
	case WALK_REJECT:
		return leaf->reject.type == 1 ? MODEL_REJECT_RESET : MODEL_REJECT_ADMIN;
	case WALK_FALL:
	case WALK_RETURN:
	case WALK_ACCEPT:
	case WALK_TRANSLATE:
	case WALK_JUMP:
	case WALK_GOTO:
	case WALK_OTHER:
	case WALK_UNSURE:
		break;
	}
	return MODEL_ACCEPT;
}

struct walked {
	struct walk_space *space;
	struct walk_leaves *leaves;
	const struct nft_read *read;
	const struct read_table *table;
	diagram filter[NF_INET_NUMHOOKS], nat[NF_INET_NUMHOOKS];
};

static struct walked walk_table(const struct nft_table *table, unsigned order)
{
	struct walked walked = { .read = nft_reread(unit_pool(), table).read };
	walked.table = nft_read_table(walked.read, NFPROTO_INET, table->name);
	ck_assert_ptr_null(walked.read->problem);
	walked.space = walk_space_new(unit_pool(), 1000000, order);
	walked.leaves = walk_leaves_new(unit_pool());
	struct walk *walk = walk_new(unit_pool(), walked.space, walked.leaves, walked.table);
	for (unsigned hook = 0; hook < NF_INET_NUMHOOKS; hook++) {
		walked.filter[hook] = walk_hook(walk, "filter", hook, INT32_MIN, INT32_MAX);
		walked.nat[hook] = walk_hook(walk, "nat", hook, INT32_MIN, INT32_MAX);
	}
	ck_assert_ptr_null(walk_problem(walk));
	ck_assert(!diagrams_are_over(walked.space->diagrams));
	return walked;
}

/* 1 where both could say; fails the test where they say different things. */
static unsigned compare_at(const struct walked *walked, const char *type, diagram meaning,
			   const struct model_packet *packet)
{
	struct read_result run = read_eval(walked->table, type, INT32_MIN, INT32_MAX, packet);
	const struct walk_leaf *leaf = leaf_of(walked->space, walked->leaves, meaning, packet);
	if (run.problem != NULL || leaf == NULL || leaf->verdict == WALK_UNSURE)
		return 0;
	bool is_translated = strstr(run.notes, " nat ") != NULL || strstr(run.notes, " masq") != NULL;
	bool is_logged = strstr(run.notes, " log ") != NULL, is_untracked = strstr(run.notes, " notrack") != NULL;
	struct text *told = text_new(unit_pool());
	walk_leaf_print(told, leaf);
	ck_assert_msg(fate_of(leaf) == run.fate && is_translated == (leaf->verdict == WALK_TRANSLATE) &&
		      is_logged == (walk_effects_count(leaf->effects, WALK_LOG, NULL) != 0) &&
		      is_untracked == (walk_effects_count(leaf->effects, WALK_NOTRACK, NULL) != 0),
		      "hook %u, protocol %u port %u: the walk says %s, the machine %d%s", packet->hook,
		      packet->protocol, packet->destination_port, told->bytes, (int)run.fate, run.notes);
	talloc_free(told);
	return 1;
}

static void compare_table(const struct nft_table *table, const struct ruleset *ruleset, unsigned order)
{
	struct read_constants *constants = pool_new(unit_pool(), struct read_constants);
	struct walked walked = walk_table(table, order);
	unsigned said = 0;
	read_constants_add(constants, walked.table);
	for (unsigned i = 0; i < PACKETS; i++) {
		struct model_packet packet = read_packet_near(constants, ruleset);
		said += compare_at(&walked, "filter", walked.filter[packet.hook], &packet);
		said += compare_at(&walked, "nat", walked.nat[packet.hook], &packet);
	}
	ck_assert_uint_gt(said, PACKETS);
}

static struct ruleset *any_ruleset(void)
{
	static const struct ruleset_kind kind = {
		.rules_most = 20, .has_options = true, .has_interfaces = true, .has_addresses = true,
		.has_ipv6 = true, .has_rich_services = true,
	};
	return random_ruleset(unit_pool(), &kind);
}

START_TEST(walks_do_what_the_machine_does)
{
	for (size_t i = 0; model_name(i) != NULL; i++)
		for (unsigned order = 0; order < WALK_ORDERS; order++)
			compare_table(model_make(unit_pool(), sources_new(unit_pool()), model_name(i)),
				      any_ruleset(),
				      order);
}
END_TEST

START_TEST(walks_of_random_tables)
{
	for (unsigned i = 0; i < RULESETS; i++) {
		struct ruleset *ruleset = any_ruleset();
		struct diags *diags = diags_new(unit_pool(), sources_new(unit_pool()));
		const struct nft_table *table = nft_lower(unit_pool(), diags, ruleset, &settings);
		compare_table(table, ruleset, i % WALK_ORDERS);
	}
}
END_TEST

/* --- the proof -------------------------------------------------------------------------------------- */

static struct proof prove(const struct ruleset *ruleset, size_t intervals_max)
{
	struct diags *diags = diags_new(unit_pool(), sources_new(unit_pool()));
	const struct proof_limits limits = { .intervals_max = intervals_max };
	const struct nft_table *table = nft_lower(unit_pool(), diags, ruleset, &settings);
	struct reread reread = nft_reread(unit_pool(), table);
	return nft_prove(unit_pool(), ruleset, reread.read, nft_read_table(reread.read, NFPROTO_INET, "fwc"),
			 &limits);
}

START_TEST(the_budget_ends_a_proof)
{
	struct ruleset *ruleset = any_ruleset();
	struct proof proof = prove(ruleset, 0);
	ck_assert_int_eq(proof.result, PROOF_EQUAL);
	ck_assert_uint_eq(proof.hooks, HOOK_COUNT);
	size_t needed = proof.intervals;
	for (size_t most = 1; most < needed / 2; most *= 4) {
		proof = prove(ruleset, most);
		ck_assert_msg(proof.result == PROOF_UNDECIDED || proof.intervals <= most, "%zu of %zu", most,
			      needed);
	}
	proof = prove(ruleset, 10);
	ck_assert_int_eq(proof.result, PROOF_UNDECIDED);
	ck_assert_ptr_nonnull(strstr(proof.reason, "10 intervals"));
}
END_TEST

START_TEST(another_policy_is_not_proved)
{
	unsigned different = 0;
	for (unsigned i = 0; i < RULESETS; i++) {
		struct ruleset *one = any_ruleset(), *other = any_ruleset();
		struct diags *diags = diags_new(unit_pool(), sources_new(unit_pool()));
		const struct proof_limits limits = { .intervals_max = 0 };
		struct reread reread = nft_reread(unit_pool(), nft_lower(unit_pool(), diags, one, &settings));
		struct proof proof = nft_prove(unit_pool(), other, reread.read,
					       nft_read_table(reread.read, NFPROTO_INET, "fwc"), &limits);
		ck_assert(proof.result == PROOF_EQUAL || proof.result == PROOF_DIFFERS);
		if (proof.result != PROOF_DIFFERS)
			continue;
		different++;
		ck_assert_ptr_nonnull(proof.packet);
		ck_assert_ptr_nonnull(proof.wanted);
		ck_assert_ptr_nonnull(proof.found);
	}
	ck_assert_uint_gt(different, RULESETS / 2);
}
END_TEST

/* --- pieces ----------------------------------------------------------------------------------------- */

static struct proof prove_against(const struct ruleset *ruleset, const struct reread *reread, size_t piece_weight)
{
	const struct proof_limits limits = { .piece_weight = piece_weight };
	return nft_prove(unit_pool(), ruleset, reread->read,
			 nft_read_table(reread->read, NFPROTO_INET, "fwc"), &limits);
}

/* However small the pieces are. */
START_TEST(pieces_come_to_the_same)
{
	static const size_t weights[] = { 1, 20, 80 };
	for (unsigned i = 0; i < RULESETS; i++) {
		struct ruleset *one = any_ruleset(), *other = any_ruleset();
		struct diags *diags = diags_new(unit_pool(), sources_new(unit_pool()));
		struct reread reread = nft_reread(unit_pool(), nft_lower(unit_pool(), diags, one, &settings));
		for (size_t k = 0; k < sizeof weights / sizeof weights[0]; k++) {
			ck_assert_int_eq(prove_against(one, &reread, weights[k]).result, PROOF_EQUAL);
			ck_assert_int_eq(prove_against(other, &reread, weights[k]).result,
					 prove_against(other, &reread, 0).result);
		}
	}
}
END_TEST

#define DIAGRAMS 200

/* Drawn from a number, so that it can be drawn again. */
static unsigned draw(uint64_t *state, unsigned below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*state >> 33) % below;
}

/* A function of two fields. */
static diagram draw_diagram(struct diagrams *diagrams, uint64_t *state)
{
	diagram at = diagram_leaf(draw(state, 3));
	for (uint32_t field = 2; field-- > 0;) {
		struct interval_set values = { 0 };
		for (unsigned i = 1 + draw(state, 4); i > 0; i--) {
			number128 low = draw(state, 50);
			interval_set_add(unit_pool(), &values, low, low + draw(state, 9));
		}
		interval_set_normalise(&values);
		at = diagram_choose(diagrams, field, &values, at, diagram_leaf(draw(state, 3)));
	}
	return at;
}

static void draw_diagrams(struct diagrams *diagrams, uint64_t *state, diagram *made)
{
	for (unsigned i = 0; i < DIAGRAMS; i++)
		made[i] = draw_diagram(diagrams, state);
}

START_TEST(released_diagrams_are_made_again)
{
	struct diagrams *diagrams = diagrams_new(unit_pool(), 100000);
	diagram kept[DIAGRAMS], later[2][DIAGRAMS], again[DIAGRAMS];
	const uint64_t first = unit_random();
	uint64_t state = first;
	draw_diagrams(diagrams, &state, kept);
	const struct diagrams_mark mark = diagrams_mark(diagrams);
	for (unsigned times = 0; times < 2; times++) {
		state = first;
		draw_diagrams(diagrams, &state, again); /* those before the mark are found */
		ck_assert_mem_eq(again, kept, sizeof kept);
		ck_assert_uint_eq(diagrams_mark(diagrams).nodes_count, mark.nodes_count);
		draw_diagrams(diagrams, &state, later[times]);
		for (unsigned i = 0; i < 20 - 10 * times; i++) /* the tables grow */
			draw_diagrams(diagrams, &state, again);
		ck_assert_uint_gt(diagrams_mark(diagrams).nodes_count, mark.nodes_count);
		diagrams_release(diagrams, mark);
	}
	ck_assert_mem_eq(later[0], later[1], sizeof later[0]);
}
END_TEST

/* 1 or 0 as the function of one field says. */
static bool holds_at(const struct walk_space *space, diagram at, number128 value)
{
	size_t edge = 0;
	if (diagram_is_leaf(at))
		return diagram_number(at) != 0;
	struct diagram_edges edges = diagram_edges(space->diagrams, at);
	while (edges.highs[edge] < value)
		edge++;
	return diagram_number(edges.children[edge]) != 0;
}

static struct interval_set any_values(void)
{
	struct interval_set values = { 0 };
	for (unsigned k = 1 + unit_below(5); k > 0; k--) {
		number128 low = unit_below(70);
		interval_set_add(unit_pool(), &values, low, unit_below(6) == 0 ? UINT32_MAX : low + unit_below(9));
	}
	interval_set_normalise(&values);
	return values;
}

/* What reaches the highest value holds beyond it. */
static void check_part(struct walk_space *space, const struct interval_set *values)
{
	const struct interval *row = &space->piece.rows[WALK_CUT_SOURCE];
	diagram made = walk_choose(space, walk_rank(space, WALK_SOURCE), values, UINT32_MAX, diagram_leaf(1),
				   diagram_leaf(0));
	bool is_open = values->items[values->items_count - 1].high == UINT32_MAX;
	for (number128 value = row->low; value <= row->high && value < row->low + 80; value++)
		ck_assert_int_eq(holds_at(space, made, value),
				 value > UINT32_MAX ? is_open : interval_set_contains(values, value));
}

START_TEST(parts_are_right_within)
{
	for (unsigned i = 0; i < DIAGRAMS; i++) {
		struct walk_space *space = walk_space_new(unit_pool(), 10000, 0);
		const number128 lows[] = { 0, 1 + unit_below(30), 31 + unit_below(30), (number128)1 << 32, 0 };
		const struct interval_set values = any_values();
		for (size_t k = 0; k + 1 < sizeof lows / sizeof lows[0]; k++) {
			struct walk_piece piece = walk_piece_whole;
			piece.rows[WALK_CUT_SOURCE] = (struct interval){ lows[k], lows[k + 1] - 1 };
			walk_space_take(space, &piece);
			check_part(space, &values);
		}
	}
}
END_TEST

/* --- damage ----------------------------------------------------------------------------------------- */

#define DAMAGED 150
#define HEADERS 20 /* of netlink and nfnetlink: they stay */

static struct nft_batch *batch_of(const struct nft_table *table)
{
	struct nft_kernel *kernel = pool_new(unit_pool(), struct nft_kernel);
	kernel->pool = kernel;
	kernel->table = table->name;
	kernel->chain_names = kernel->set_names = kernel->object_names = names_new(kernel, false);
	return nft_replace_direct(unit_pool(), table, kernel, false);
}

/* Reads the messages, some of them with a few other bytes. */
static const struct nft_read *read_damaged(const struct nft_batch *batch)
{
	struct nft_read *read = nft_read_new(unit_pool());
	for (size_t i = 0; i < batch->messages_count; i++) {
		const struct nlmsghdr *header = batch->messages[i].header;
		uint8_t *copy = pool_bytes(unit_pool(), header->nlmsg_len);
		memcpy(copy, header, header->nlmsg_len);
		for (unsigned flips = unit_below(30) == 0 ? 1 + unit_below(4) : 0; flips > 0; flips--)
			copy[HEADERS + unit_below(header->nlmsg_len - HEADERS)] = (uint8_t)unit_random();
		nft_read_message(read, (const struct nlmsghdr *)(void *)copy);
	}
	nft_read_finish(read);
	return read;
}

START_TEST(damaged_messages_do_no_harm)
{
	struct ruleset *ruleset = any_ruleset();
	struct diags *diags = diags_new(unit_pool(), sources_new(unit_pool()));
	const struct proof_limits limits = { .intervals_max = 200000 };
	const struct nft_batch *batch = batch_of(nft_lower(unit_pool(), diags, ruleset, &settings));
	unsigned refused = 0;
	for (unsigned i = 0; i < DAMAGED; i++) {
		const struct nft_read *read = read_damaged(batch);
		const struct read_table *table = nft_read_table(read, NFPROTO_INET, "fwc");
		if (table == NULL) {
			refused++;
			continue;
		}
		nft_read_print(text_new(unit_pool()), table);
		refused += nft_prove(unit_pool(), ruleset, read, table, &limits).result != PROOF_EQUAL;
	}
	ck_assert_uint_gt(refused, DAMAGED / 2);
}
END_TEST

/* --- headers of the other family -------------------------------------------------------------------- */

#define FAMILY_CHECK 2 /* expressions: a load and a comparison */
#define PAIRED_NETWORKS 24 /* so many are looked up, not compared */

/* Rules that load words of an IPv6 address, by their place alone, without the check of the family that
 * stands before them: what stands there in IPv4 packets leads to the same chains. length: bytes of the first
 * load. How many rules. */
static unsigned drop_family_checks(const struct read_table *table, unsigned length)
{
	unsigned dropped = 0;
	for (size_t i = 0; i < table->chains_count; i++)
		for (size_t k = 0; k < table->chains[i]->rules_count; k++) {
			struct read_expressions *list = &table->chains[i]->rules[k].expressions;
			const struct read_expression *first = list->items;
			bool is_of_parts = list->items_count > FAMILY_CHECK && first[0].kind == READ_META &&
					   first[1].kind == READ_CMP && first[2].kind == READ_PAYLOAD &&
					   first[list->items_count - 1].kind == READ_LOOKUP &&
					   read_number(&first[2], NFTA_PAYLOAD_LEN, 0) == length &&
					   read_number(&first[2], NFTA_PAYLOAD_OFFSET, 0) == 8;
			if (!is_of_parts)
				continue;
			list->items += FAMILY_CHECK;
			list->items_count -= FAMILY_CHECK;
			dropped++;
		}
	return dropped;
}

static void drop_families_of(const char *services, unsigned length)
{
	struct text *text = text_new(unit_pool());
	for (unsigned i = 0; i < PAIRED_NETWORKS; i++)
		text_addf(text, "allow %s from 2a06:db8:1:%x::/64 to 2a06:db8:2:%x::/64;\n", services, i, i * 3);
	struct diags *diags = diags_new(unit_pool(), sources_new(unit_pool()));
	const struct ruleset *ruleset = expand_policy(unit_pool(), diags, good_policy(text->bytes));
	struct reread reread = nft_reread(unit_pool(), nft_lower(unit_pool(), diags, ruleset, &settings));
	ck_assert_int_eq(prove_against(ruleset, &reread, 0).result, PROOF_EQUAL);
	ck_assert_uint_eq(drop_family_checks(nft_read_table(reread.read, NFPROTO_INET, "fwc"), length), 3);
	ck_assert_int_eq(prove_against(ruleset, &reread, 0).result, PROOF_DIFFERS);
}

/* 2a06 at this place in an IPv4 header: 42 hops left, TCP. */
START_TEST(parts_of_headers_need_their_family)
{
	drop_families_of("any/tcp", 4);
	drop_families_of("http, https, ssh", 8);
}
END_TEST

/* --- addresses in parts ------------------------------------------------------------------------------ */

static const struct nft_settings fastest = { .table = "fwc", .level = OPTIMISE_FASTEST };

#define MUTANTS_LEAST 100

/* One that loads or compares at most 32 bits of an IPv6 address, or masks them. */
static bool is_of_part(const struct read_expressions *list, size_t at)
{
	while (at > 0 && list->items[at].kind != READ_PAYLOAD)
		at--;
	const struct read_expression *load = &list->items[at];
	return load->kind == READ_PAYLOAD && read_number(load, NFTA_PAYLOAD_LEN, 0) <= 4 &&
	       read_number(load, NFTA_PAYLOAD_BASE, 0) == NFT_PAYLOAD_NETWORK_HEADER &&
	       read_number(load, NFTA_PAYLOAD_OFFSET, 0) >= 8;
}

struct trial {
	const struct ruleset *ruleset;
	const struct reread *reread;
	unsigned mutants;
};

static void is_caught(struct trial *trial, const char *what, size_t bit)
{
	trial->mutants++;
	ck_assert_msg(prove_against(trial->ruleset, trial->reread, 0).result == PROOF_DIFFERS,
		      "expression %s, change %zu: not seen", what, bit);
}

static void change_data(struct trial *trial, const struct read_expression *expression, uint16_t attribute)
{
	const struct read_data *data = read_data(expression, attribute);
	uint8_t *bytes = (uint8_t *)(uintptr_t)data->bytes; /* const to all but mutants */
	for (size_t bit = 0; bit < 8 * (size_t)data->length; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		is_caught(trial, expression->name, bit);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void change_place(struct trial *trial, const struct read_expression *load)
{
	struct read_attribute *found = (struct read_attribute *)(uintptr_t)
		read_attribute_find(load, NFTA_PAYLOAD_OFFSET);
	static const int steps[] = { -16, -4, -1, 1, 4, 16 };
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		uint64_t before = found->value;
		found->value = before + (uint64_t)steps[i];
		is_caught(trial, "payload", i);
		found->value = before;
	}
}

/* Leaves out a part: its load, what masks it, its comparison. */
static void drop_part(struct trial *trial, struct read_expressions *list, size_t at)
{
	const struct read_expressions before = *list;
	size_t count = list->items[at + 1].kind == READ_BITWISE ? 3 : 2;
	struct read_expression *left = pool_array(unit_pool(), struct read_expression, before.items_count);
	memcpy(left, before.items, at * sizeof *left);
	memcpy(left + at, before.items + at + count, (before.items_count - at - count) * sizeof *left);
	list->items = left;
	list->items_count -= count;
	is_caught(trial, "part", at);
	*list = before;
}

static void change_part(struct trial *trial, struct read_expressions *list, size_t at)
{
	const struct read_expression *expression = &list->items[at];
	if (!is_of_part(list, at))
		return;
	if (expression->kind == READ_CMP)
		change_data(trial, expression, NFTA_CMP_DATA);
	if (expression->kind == READ_BITWISE)
		change_data(trial, expression, NFTA_BITWISE_MASK);
	if (expression->kind != READ_PAYLOAD)
		return;
	change_place(trial, expression);
	drop_part(trial, list, at);
}

/* The table of the policy, at the settings, is proved; with its expressions changed it is not: how many changes. */
static unsigned try_changes(const char *policy, const struct nft_settings *made_with,
			    void (*change)(struct trial *trial, struct read_expressions *list, size_t at))
{
	struct diags *diags = diags_new(unit_pool(), sources_new(unit_pool()));
	const struct ruleset *ruleset = expand_policy(unit_pool(), diags, good_policy(policy));
	struct reread reread = nft_reread(unit_pool(), nft_lower(unit_pool(), diags, ruleset, made_with));
	const struct read_table *table = nft_read_table(reread.read, NFPROTO_INET, "fwc");
	struct trial trial = { .ruleset = ruleset, .reread = &reread };
	ck_assert_int_eq(prove_against(ruleset, &reread, 0).result, PROOF_EQUAL);
	for (size_t i = 0; i < table->chains_count; i++)
		for (size_t k = 0; k < table->chains[i]->rules_count; k++) {
			struct read_expressions *list = &table->chains[i]->rules[k].expressions;
			for (size_t at = 0; at < list->items_count; at++)
				change(&trial, list, at);
		}
	ck_assert_int_eq(prove_against(ruleset, &reread, 0).result, PROOF_EQUAL);
	return trial.mutants;
}

/* Words make up an address or a prefix; with any bit of them changed, another word loaded in their place, or one
 * left out, they do not. */
START_TEST(words_are_an_address_together)
{
	static const char policy[] = "default deny;\ndefault output deny;\n"
		"allow 8001/tcp from 2a06:db8:7:7:80:5:6:7;\nallow 8002/tcp from 2a06:db8:7:7::/64;\n"
		"allow 8003/tcp from 2a06:db8:7:7:80::/73 to 2a06:db8:4::/46;\n";
	ck_assert_uint_gt(try_changes(policy, &fastest, change_part), MUTANTS_LEAST);
}
END_TEST

/* --- what is done twice ------------------------------------------------------------------------------- */

/* A rule that logs or counts again what it logged or counted. */
static void do_twice(struct trial *trial, struct read_expressions *list, size_t at)
{
	const struct read_expressions before = *list;
	if (before.items[at].kind != READ_LOG && before.items[at].kind != READ_OBJREF)
		return;
	struct read_expression *more = pool_array(unit_pool(), struct read_expression, before.items_count + 1);
	memcpy(more, before.items, (at + 1) * sizeof *more);
	memcpy(more + at + 1, before.items + at, (before.items_count - at) * sizeof *more);
	list->items = more;
	list->items_count++;
	is_caught(trial, before.items[at].name, at);
	*list = before;
}

START_TEST(a_second_log_or_count_is_seen)
{
	/* ssh, http, and what is invalid */
	ck_assert_uint_ge(try_changes("allow ssh log;\nallow http count;\n", &settings, do_twice), 3);
}
END_TEST

/* --- boxes that overlap ----------------------------------------------------------------------------- */

#define BOXES 60u

/* Ranges that no one field tells apart: they are looked up as boxes. */
static const char *ranges_of_text(void)
{
	struct text *text = text_new(unit_pool());
	for (unsigned i = 0; i < BOXES; i++) {
		unsigned a = i * 37 % BOXES, b = i * 23 % BOXES, port = 1000 + i * 11 % BOXES * 500;
		text_addf(text, "%s %u-%u/tcp from 10.%u.3.7-10.%u.200.9 to 172.16.%u.5-172.16.%u.77;\n",
			  i % 6 == 0 ? "deny" : "allow", port, port + 4900, a, a + 1, b, b + 1);
	}
	return text->bytes;
}

/* Adds the box of one element with the verdict of another, which differs; true if there are such. */
static bool cross(struct read_set *set)
{
	for (size_t i = 0; i < set->elements_count; i++)
		for (size_t k = 0; k < set->elements_count; k++) {
			const struct read_element *box = &set->elements[i], *other = &set->elements[k];
			const struct read_data *value = &read_element_more(set, other)->value;
			if (read_element_more(set, box)->value.verdict == value->verdict)
				continue;
			struct read_more *more = pool_new(unit_pool(), struct read_more);
			*more = *read_element_more(set, box);
			more->value = *value;
			struct read_element *added = pool_append(unit_pool(), set, elements);
			*added = set->elements[i];
			read_element_give(unit_pool(), set, added, more);
			return true;
		}
	return false;
}

START_TEST(boxes_that_overlap_prove_nothing)
{
	struct diags *diags = diags_new(unit_pool(), sources_new(unit_pool()));
	const struct ruleset *ruleset = expand_policy(unit_pool(), diags, good_policy(ranges_of_text()));
	struct reread reread = nft_reread(unit_pool(), nft_lower(unit_pool(), diags, ruleset, &settings));
	ck_assert_int_eq(prove_against(ruleset, &reread, 0).result, PROOF_EQUAL);
	const struct read_table *table = nft_read_table(reread.read, NFPROTO_INET, "fwc");
	unsigned crossed = 0;
	for (size_t i = 0; i < table->sets_count; i++) {
		struct read_set *set = table->sets[i];
		size_t count = set->elements_count;
		if (set->fields_count < 3 || set->data_type != NFT_DATA_VERDICT || !cross(set))
			continue;
		crossed++;
		ck_assert_int_ne(prove_against(ruleset, &reread, 0).result, PROOF_EQUAL);
		set->elements_count = count;
		ck_assert_int_eq(prove_against(ruleset, &reread, 0).result, PROOF_EQUAL);
	}
	ck_assert_uint_gt(crossed, 0);
}
END_TEST

/* --- elements of other protocols -------------------------------------------------------------------- */

#define PORTS 40u
#define TCP 6

/* The element with another protocol, of which the packets have ports, a type, or nothing that is known there. */
static void change_protocol(struct trial *trial, uint8_t *protocol)
{
	static const uint8_t others[] = { 1, 17, 47, 58 };
	for (size_t i = 0; i < sizeof others; i++) {
		*protocol = others[i];
		is_caught(trial, "element", i);
	}
	*protocol = TCP;
}

START_TEST(elements_hold_for_their_protocol_alone)
{
	struct text *text = text_new(unit_pool());
	for (unsigned i = 0; i < PORTS; i++)
		text_addf(text, "%s %u/tcp;\n", i % 3 == 0 ? "reject" : "allow", 1000 + 7 * i);
	struct diags *diags = diags_new(unit_pool(), sources_new(unit_pool()));
	const struct ruleset *ruleset = expand_policy(unit_pool(), diags, good_policy(text->bytes));
	struct reread reread = nft_reread(unit_pool(), nft_lower(unit_pool(), diags, ruleset, &settings));
	struct trial trial = { .ruleset = ruleset, .reread = &reread };
	const struct read_table *table = nft_read_table(reread.read, NFPROTO_INET, "fwc");
	ck_assert_int_eq(prove_against(ruleset, &reread, 0).result, PROOF_EQUAL);
	for (size_t i = 0; i < table->sets_count; i++)
		for (size_t k = 0; k < table->sets[i]->elements_count; k++) {
			const struct read_set *set = table->sets[i];
			uint8_t *key = (uint8_t *)(uintptr_t)read_element_key(set, &set->elements[k]);
			if (set->data_type == NFT_DATA_VERDICT && key[0] == TCP)
				change_protocol(&trial, key);
		}
	ck_assert_int_eq(prove_against(ruleset, &reread, 0).result, PROOF_EQUAL);
	ck_assert_uint_gt(trial.mutants, PORTS);
}
END_TEST

static Suite *prove_suite(void)
{
	Suite *suite = suite_create("prove");
	TCase *walks = unit_case(suite, "walks"), *proofs = unit_case(suite, "proofs");
	tcase_add_test(walks, walks_do_what_the_machine_does);
	tcase_add_test(walks, walks_of_random_tables);
	tcase_add_test(proofs, the_budget_ends_a_proof);
	tcase_add_test(proofs, another_policy_is_not_proved);
	tcase_add_test(proofs, pieces_come_to_the_same);
	tcase_add_test(proofs, released_diagrams_are_made_again);
	tcase_add_test(proofs, parts_are_right_within);
	tcase_add_test(proofs, parts_of_headers_need_their_family);
	tcase_add_test(proofs, words_are_an_address_together);
	tcase_add_test(proofs, a_second_log_or_count_is_seen);
	tcase_add_test(proofs, boxes_that_overlap_prove_nothing);
	tcase_add_test(proofs, elements_hold_for_their_protocol_alone);
	tcase_add_test(proofs, damaged_messages_do_no_harm);
	return suite;
}

int main(void)
{
	static Suite *(*const suites[])(void) = { prove_suite, NULL };
	return unit_run(suites);
}
