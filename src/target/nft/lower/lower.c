/* The table of a ruleset.
 *
 * input, forward and output have one form: established; loopback; what is not new; neighbour
 * discovery; the rules; the default. The default is a rule, and the policy of a base chain is
 * accept: replacing a table whose base chain drops leaks nothing, but one that is made anew has its
 * policy before its rules. Nothing but the default rule is at the end, so nothing falls through.
 *
 * Sets are few and large, since loading is quadratic in their number. */
#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "target/nft/emit/once.h"
#include "target/nft/lower/chain.h"
#include "target/nft/lower/nat.h"
#include "target/nft/lower/own_forward.h"
#include "target/nft/lower/raw.h"
#include "target/nft/nft.h"
#include "target/nft/report/report.h"
#include "target/nft/lower/sides.h"
#include "target/nft/split/split.h"

#define COUNTER_INVALID "invalid"
#define CHAIN_TRACKED "conntrack"
#define CHAIN_NEIGHBOURS "neighbours"
#define CHAIN_LOOPBACK "loopback"
#define CHAIN_RULES "rules"
#define SHARED_LEAST 2 /* a single rule is shorter than a jump to it */
#define VARIANTS_RULES_MAX 400 /* of all hooks: longer lists are cut well by the first choice */
#define RULES_A_SET 10 /* so many more of them, and there may be a set more than the level says */
#define SETS_MOST 2000 /* whose loading takes the kernel some 0.4 s */
#define VARIANT_RULES_FOLLOWED 8
/* So few stand in each hook themselves: a jump costs a packet as much as two or three of them. */
#define SHARED_INLINE 12
#define SHARED_INLINE_FASTEST 16
#define TCP_RESET 0x04
#define STATUS_DESTINATION_NAT 0x20 /* IPS_DST_NAT */
#define HOP_LIMIT_LOCAL 255 /* RFC 4861: such packets have passed no router */

struct hook_row {
	const char *name;
	unsigned number;
	bool has_loopback;
	enum nft_field loopback;
	bool has_neighbours;
};

static const struct hook_row hook_rows[HOOK_COUNT] = {
	[HOOK_INPUT] = { "input", NF_INET_LOCAL_IN, true, NFT_FIELD_IIF, true },
	[HOOK_FORWARD] = { "forward", NF_INET_FORWARD, false, NFT_FIELD_IIF, false },
	[HOOK_OUTPUT] = { "output", NF_INET_LOCAL_OUT, true, NFT_FIELD_OIF, true },
};

static const struct nft_verdict accept_verdict = { NFT_ACCEPT, NULL };
static const struct nft_verdict drop_verdict = { NFT_DROP, NULL };

/* A rule of fwc's own: one condition or two, then a verdict. */
static void own_rule(struct lower *lower, struct draft *draft, const struct nft_statement *statements,
		     size_t count, const char *comment)
{
	struct rule_draft rule;
	rule.items_count = 0;
	for (size_t i = 0; i < count; i++)
		rule_add(&rule, statements[i]);
	rule_end(lower, draft, &rule, 1)->comment = comment;
}

static struct nft_statement match_not_equal(enum nft_field field, number128 value)
{
	struct nft_statement statement = match_equal(field, value);
	statement.operator = NFT_NOT_EQUAL;
	return statement;
}

static struct nft_statement jump_to(const char *chain)
{
	return verdict_statement((struct nft_verdict){ NFT_JUMP, chain });
}

/* --- what always passes ------------------------------------------------------------------- */

static void write_invalid(struct lower *lower, struct draft *draft)
{
	*pool_append(lower->pool, lower->table, counters) =
		(struct nft_counter){ COUNTER_INVALID, NULL };
	struct nft_statement statements[] = {
		match_bits(NFT_FIELD_CT_STATE, NFT_STATE_INVALID),
		object_statement(NFT_COUNTER, COUNTER_INVALID),
		verdict_statement(drop_verdict),
	};
	own_rule(lower, draft, statements, 3, "invalid");
}

static void write_related_errors(struct lower *lower, struct draft *draft)
{
	static const uint8_t protocols[] = { PROTOCOL_ICMP, PROTOCOL_ICMP6 };
	for (size_t i = 0; i < sizeof protocols; i++) {
		struct nft_statement statements[] = {
			match_bits(NFT_FIELD_CT_STATE, NFT_STATE_RELATED),
			match_equal(NFT_FIELD_L4PROTO, protocols[i]),
			verdict_statement(accept_verdict),
		};
		own_rule(lower, draft, statements, 3, "related");
	}
}

static void write_related_helpers(struct lower *lower, struct draft *draft)
{
	for (size_t i = 0; i < lower->ruleset->helpers_count; i++) {
		struct nft_statement statements[] = {
			match_name(NFT_FIELD_CT_HELPER, NFT_EQUAL, lower->ruleset->helpers[i]),
			verdict_statement(accept_verdict),
		};
		own_rule(lower, draft, statements, 2, "related");
	}
}

/* What is invalid, related or untracked: one chain for all hooks, so that most packets pay one compare. Other
 * related packets and untracked ones return and are judged as new ones are. */
static void write_tracked_chain(struct lower *lower)
{
	struct draft draft = draft_begin(lower);
	write_invalid(lower, &draft);
	write_related_errors(lower, &draft);
	write_related_helpers(lower, &draft);
	draft_end(lower, &draft, CHAIN_TRACKED);
}

static void write_neighbour_rule(struct lower *lower, struct draft *draft, unsigned low,
				 unsigned high, struct nft_statement condition,
				 const char *comment)
{
	struct nft_statement statements[] = {
		match_interval(NFT_FIELD_ICMPV6_TYPE, (struct interval){ low, high }),
		condition,
		verdict_statement(accept_verdict),
	};
	own_rule(lower, draft, statements, 3, comment);
}

/* Neighbour discovery (RFC 4861) and multicast listeners (RFC 3590, 3810). */
static void write_neighbours_chain(struct lower *lower)
{
	struct interval link_local = prefix_interval(&(struct prefix){
		FAMILY_IPV6, (number128)0xfe80 << 112, 10,
	});
	struct nft_statement is_near = match_equal(NFT_FIELD_IP6_HOPLIMIT, HOP_LIMIT_LOCAL);
	struct nft_statement is_link_local = match_interval(NFT_FIELD_IP6_SADDR, link_local);
	struct draft draft = draft_begin(lower);
	write_neighbour_rule(lower, &draft, 133, 136, is_near, "neighbour discovery");
	write_neighbour_rule(lower, &draft, 130, 132, is_link_local, "multicast listeners");
	write_neighbour_rule(lower, &draft, 143, 143, is_link_local, "multicast listeners");
	draft_end(lower, &draft, CHAIN_NEIGHBOURS);
}

/* Whether some packet is answered with a reset, or would be were it not for an earlier rule: what optimising
 * leaves out changes nothing on output. */
static bool can_reject(const struct ruleset *ruleset)
{
	if (ruleset->has_lost_reject)
		return true;
	for (enum hook hook = HOOK_INPUT; hook < HOOK_COUNT; hook++) {
		if (ruleset->defaults[hook]->verdict == VERDICT_REJECT)
			return true;
		for (size_t i = 0; i < ruleset->rules_count[hook]; i++)
			if (ruleset->rules[hook][i]->outcome->verdict == VERDICT_REJECT)
				return true;
	}
	return false;
}

/* The kernel sends the reset of a rejected connection through output, related to what it answers:
 * where output denies, it would be lost. Nothing else that the firewall sends is a related reset. */
static void write_resets(struct lower *lower, struct draft *draft)
{
	struct nft_statement statements[] = {
		match_bits(NFT_FIELD_CT_STATE, NFT_STATE_RELATED),
		match_bits(NFT_FIELD_TCP_FLAGS, TCP_RESET),
		verdict_statement(accept_verdict),
	};
	own_rule(lower, draft, statements, 3, "reject");
}

/* What is neither new nor established; where rules keep packets out of connection tracking on purpose, these do
 * not pay the jump. */
static struct nft_statement match_tracked(const struct ruleset *ruleset)
{
	return ruleset->has_stateless ? match_bits(NFT_FIELD_CT_STATE, NFT_STATE_INVALID | NFT_STATE_RELATED)
				       : match_not_equal(NFT_FIELD_CT_STATE, NFT_STATE_NEW);
}

/* What was translated leaves by another interface than it says (own_forward.h), and is judged: by this policy, by
 * the one before, whose connections live on, or by another program. */
static void write_loopback_chain(struct lower *lower)
{
	struct nft_statement translated[] = {
		match_bits(NFT_FIELD_CT_STATUS, STATUS_DESTINATION_NAT),
		verdict_statement((struct nft_verdict){ NFT_RETURN, NULL }),
	};
	struct nft_statement others[] = { verdict_statement(accept_verdict) };
	struct draft draft = draft_begin(lower);
	own_rule(lower, &draft, translated, 2, "not loopback");
	own_rule(lower, &draft, others, 1, "loopback");
	draft_end(lower, &draft, CHAIN_LOOPBACK);
}

/* A packet has one state, which is compared as a number: a mask is one expression more, and costs 1.7 ns. What most
 * packets are comes first. Loopback is asked by its number: its name, of 16 bytes, costs 18 ns more (31 for 13). */
static void write_always(struct lower *lower, struct draft *draft, const struct hook_row *row)
{
	struct nft_statement established[] = {
		match_equal(NFT_FIELD_CT_STATE, NFT_STATE_ESTABLISHED),
		verdict_statement(accept_verdict),
	};
	own_rule(lower, draft, established, 2, "established");
	if (row->has_loopback) {
		bool may_leave = row->number == NF_INET_LOCAL_OUT;
		struct nft_statement loopback[] = {
			match_equal(row->loopback, NFT_LOOPBACK_INDEX),
			may_leave ? jump_to(CHAIN_LOOPBACK) : verdict_statement(accept_verdict),
		};
		own_rule(lower, draft, loopback, 2, may_leave ? NULL : "loopback");
	}
	struct nft_statement tracked[] = {
		match_tracked(lower->ruleset),
		jump_to(CHAIN_TRACKED),
	};
	own_rule(lower, draft, tracked, 2, NULL);
	if (row->number == NF_INET_LOCAL_OUT && can_reject(lower->ruleset))
		write_resets(lower, draft);
	if (!row->has_neighbours)
		return;
	struct nft_statement neighbours[] = {
		match_equal(NFT_FIELD_L4PROTO, PROTOCOL_ICMP6),
		jump_to(CHAIN_NEIGHBOURS),
	};
	own_rule(lower, draft, neighbours, 2, NULL);
}

/* --- hooks -------------------------------------------------------------------------------- */

/* One tail for both families, unless it looks at the address before translation. */
static const struct tail *rule_tail(struct lower *lower, const void *context, unsigned families)
{
	const struct rule *rule = context;
	const struct match *match = &rule->match;
	bool is_apart = match->is_translated && match->has_original_to;
	if (!is_apart)
		return families == FAMILIES_BOTH ? tail_of_rule(lower, rule, families) : NULL;
	if (families == FAMILIES_BOTH ||
	    (address_set_families(&match->original->to) & families) == 0)
		return NULL;
	return tail_of_rule(lower, rule, families);
}

static bool matches_nothing(const struct match *match)
{
	return match->minutes != NULL && match->minutes->items_count == 0;
}

static struct entries hook_units(struct lower *lower, enum hook hook)
{
	struct entries list = { 0 };
	const struct ruleset *ruleset = lower->ruleset;
	for (size_t i = 0; i < ruleset->rules_count[hook]; i++) {
		const struct rule *rule = ruleset->rules[hook][i];
		struct unit_match match = {
			.families = rule->match.families,
			.services = &rule->match.services,
			.from = &rule->match.from,
			.to = &rule->match.to,
			.origin = rule->origin,
		};
		if (!matches_nothing(&rule->match))
			sides_add(lower, &list, &match, rule_tail, rule);
	}
	return list;
}

static struct span default_origin(const struct ruleset *ruleset, enum hook hook)
{
	if (ruleset->policy == NULL || !ruleset->policy->defaults[hook].is_written)
		return SPAN_NONE;
	return ruleset->policy->defaults[hook].span;
}

static void write_default(struct lower *lower, struct draft *draft, enum hook hook)
{
	const struct ruleset *ruleset = lower->ruleset;
	static const struct tuple_set no_services = { 0 };
	outcome_write(lower, draft, ruleset->defaults[hook], ruleset->default_identities[hook],
		      &no_services, default_origin(ruleset, hook));
}

/* One rule decides, with nothing but a verdict. */
static bool has_plain_default(const struct ruleset *ruleset, enum hook hook)
{
	const struct outcome *outcome = ruleset->defaults[hook];
	return outcome->verdict != VERDICT_REJECT && !outcome->has_log && !outcome->has_count &&
	       outcome->limit == NULL && outcome->helper == NULL;
}

/* The default decides about packets of the other family than the rules are of: ahead of them, so that no rule asks
 * for it again. */
static void write_other_family(struct lower *lower, struct draft *draft, enum hook hook, unsigned family)
{
	bool is_allowed = lower->ruleset->defaults[hook]->verdict == VERDICT_ALLOW;
	struct nft_statement statements[] = {
		match_equal(NFT_FIELD_NFPROTO, family == FAMILIES_IPV4 ? NFPROTO_IPV6 : NFPROTO_IPV4),
		verdict_statement(is_allowed ? accept_verdict : drop_verdict),
	};
	struct span origin = default_origin(lower->ruleset, hook);
	if (family != FAMILIES_BOTH)
		own_rule(lower, draft, statements, 2, lower_place(lower, origin));
}

static bool boxes_equal(const struct place_boxes *a, const struct place_boxes *b)
{
	return (a->boxes == b->boxes && a->boxes_count == b->boxes_count) ||
	       place_boxes_equals(a, b);
}

static bool rules_equal(const struct rule *a, const struct rule *b)
{
	return a->identity == b->identity && a->outcome == b->outcome &&
	       a->match.families == b->match.families &&
	       tuple_set_equals(&a->match.services, &b->match.services) &&
	       boxes_equal(&a->match.from, &b->match.from) &&
	       boxes_equal(&a->match.to, &b->match.to);
}

static bool lists_equal(const struct ruleset *ruleset, enum hook a, enum hook b)
{
	size_t count = ruleset->rules_count[a];
	if (count != ruleset->rules_count[b])
		return false;
	for (size_t i = 0; i < count; i++)
		if (!rules_equal(ruleset->rules[a][i], ruleset->rules[b][i]))
			return false;
	return true;
}

/* A policy that names no zone has the same rules in several hooks: they share one chain. The first
 * hook with the same list, or HOOK_COUNT where none of the others has it, or the list is short. */
static enum hook hook_shared_with(const struct ruleset *ruleset, enum hook hook)
{
	for (enum hook other = HOOK_INPUT; other < HOOK_COUNT; other++)
		if (other != hook && ruleset->rules_count[hook] >= SHARED_LEAST &&
		    lists_equal(ruleset, hook, other))
			return other < hook ? other : hook;
	return HOOK_COUNT;
}

/* What hooks share, made once: a chain; where that would have few rules, the rules themselves, which
 * saves packets the jump. */
struct shared_list {
	bool is_made;
	unsigned family;       /* that packets are of which come to it: FAMILIES_* */
	struct goal goal;      /* the chain */
	struct nft_rule *rules;
	size_t rules_count;    /* 0: the chain */
	unsigned height;       /* of the rules */
};

static void keep_shared(struct lower *lower, struct draft *draft, struct shared_list *shared)
{
	size_t count = lower->drafts_count - draft->base;
	size_t most = lower->settings->level == OPTIMISE_FASTEST ? SHARED_INLINE_FASTEST : SHARED_INLINE;
	shared->is_made = true;
	if (lower->settings->level == OPTIMISE_LINES || count > most || count == 0) {
		shared->goal = goal_of_chain(draft, draft_end(lower, draft, CHAIN_RULES), NFT_JUMP);
		return;
	}
	shared->rules = lower_array(lower, struct nft_rule, count);
	memcpy(shared->rules, &lower->drafts[draft->base], count * sizeof *shared->rules);
	shared->rules_count = count;
	shared->height = draft->height;
	lower->drafts_count = draft->base;
}

static void make_shared(struct lower *lower, enum hook hook, struct shared_list *shared)
{
	lower->prefix = CHAIN_RULES;
	struct entries list = hook_units(lower, hook);
	bool are_plain = true;
	for (enum hook other = HOOK_INPUT; other < HOOK_COUNT; other++)
		are_plain = are_plain && has_plain_default(lower->ruleset, other);
	shared->family = are_plain ? split_take_family(lower, &list) : FAMILIES_BOTH;
	struct draft draft = draft_begin(lower);
	split_write(lower, &draft, &list);
	keep_shared(lower, &draft, shared);
}

static void write_shared(struct lower *lower, struct draft *draft, const struct shared_list *shared)
{
	struct rule_draft rule;
	for (size_t i = 0; i < shared->rules_count; i++) {
		const struct nft_rule *from = &shared->rules[i];
		const struct statements statements = { from->statements, from->statements_count, shared->height };
		struct nft_rule *to = draft_shared_rule(lower, draft, &statements);
		to->comment = from->comment;
		to->origin = from->origin;
	}
	if (shared->rules_count != 0)
		return;
	rule.items_count = 0;
	rule_add(&rule, verdict_statement(shared->goal.verdict));
	rule_end(lower, draft, &rule, shared->goal.height);
}

static void write_rules(struct lower *lower, struct draft *draft, enum hook hook, struct shared_list *shared)
{
	enum hook first = hook_shared_with(lower->ruleset, hook);
	if (first == HOOK_COUNT) {
		lower->prefix = hook_rows[hook].name;
		struct entries list = hook_units(lower, hook);
		if (has_plain_default(lower->ruleset, hook))
			write_other_family(lower, draft, hook, split_take_family(lower, &list));
		split_write(lower, draft, &list);
		return;
	}
	if (!shared->is_made)
		make_shared(lower, hook, shared);
	write_other_family(lower, draft, hook, shared->family);
	write_shared(lower, draft, shared);
}

static void write_hook(struct lower *lower, enum hook hook, struct shared_list *shared)
{
	const struct hook_row *row = &hook_rows[hook];
	struct draft draft = draft_begin(lower);
	write_always(lower, &draft, row);
	write_rules(lower, &draft, hook, shared);
	lower->has_places = lower->settings->level == OPTIMISE_FASTEST; /* a hook's rules may want them */
	write_default(lower, &draft, hook);
	chain_end_base(lower, &draft, &(struct nft_chain){
		.name = row->name, .type = "filter", .hook = row->number, .priority = 0,
	});
}

/* The kernel keeps what an element says behind its key and verdict: longer elements fill more of the cache
 * (100,000 services, nothing matches, cold: 155 ns a packet, 88 without), and nobody reads thousands of them. */
static void hush_elements(struct nft_table *table, size_t said_most)
{
	for (size_t i = 0; i < table->sets_count; i++) {
		struct nft_set *set = table->sets[i];
		if (!set->is_verdict_map || set->elements_count <= said_most)
			continue;
		for (size_t k = 0; k < set->elements_count; k++)
			set->elements[k].comment = NULL;
	}
}

static size_t rules_total(const struct ruleset *ruleset)
{
	size_t total = 0;
	for (enum hook hook = HOOK_INPUT; hook < HOOK_COUNT; hook++)
		total += ruleset->rules_count[hook];
	return total;
}

/* What loading more sets costs is little beside what loading so many rules does. */
static size_t sets_most(const struct optimise_limits *limits, const struct ruleset *ruleset)
{
	size_t most = limits->sets_most + rules_total(ruleset) / RULES_A_SET;
	return most < SETS_MOST ? most : SETS_MOST;
}

static struct nft_table *lower_within(void *pool, struct diags *diags, const struct ruleset *ruleset,
				      const struct nft_settings *settings,
				      const struct optimise_limits *limits)
{
	size_t errors = diags->error_count;
	struct nft_table *table = pool_new(pool, struct nft_table);
	table->name = settings->table;
	table->sources = ruleset->policy == NULL ? NULL : ruleset->policy->sources;
	struct lower *lower = pool_new(pool, struct lower);
	*lower = (struct lower){
		.pool = pool,
		.arena = arena_new(pool),
		.scratch = pool_child(lower, "lower"),
		.diags = diags,
		.ruleset = ruleset,
		.settings = settings,
		.limits = limits,
		.table = table,
		.growth = 100,
		.sets_most = sets_most(limits, ruleset),
		.has_places = settings->level == OPTIMISE_FASTEST,
		.prefix = "",
	};
	lower->passing = arena_new(lower->scratch);
	lower->comment = text_new(lower->scratch);
	struct shared_list shared = { .is_made = false };
	write_tracked_chain(lower);
	write_neighbours_chain(lower);
	write_loopback_chain(lower);
	own_forwards_check(lower);
	for (enum hook hook = HOOK_INPUT; hook <= HOOK_OUTPUT; hook++)
		write_hook(lower, hook, &shared);
	nat_write(lower);
	raw_write(lower);
	once_name(lower);
	hush_elements(table, limits->lines_said_most);
	talloc_free(lower);
	return diags->error_count == errors ? table : NULL;
}

/* --- the fastest of several ---------------------------------------------------------------- */

/* What packets pay in it, in all; hooks and families count alike. */
static uint64_t table_cost(void *pool, const struct nft_table *table, const struct ruleset *ruleset)
{
	struct nft_expectation expectations[HOOK_COUNT * 2];
	uint64_t cost = 0;
	nft_expect(pool, table, ruleset, VARIANT_RULES_FOLLOWED, expectations);
	for (size_t i = 0; i < HOOK_COUNT * 2; i++)
		cost += expectations[i].hit_ns + expectations[i].miss_ns;
	return cost;
}

/* What is wrong with the ruleset is told when the table is made that is kept. */
static const struct optimise_limits *cheapest_variant(void *pool, struct sources *sources,
						      const struct ruleset *ruleset,
						      const struct nft_settings *settings)
{
	const struct optimise_limits *limits = optimise_limits_of(settings->level), *variant;
	struct nft_settings silent = *settings;
	uint64_t least = UINT64_MAX;
	silent.report = NULL;
	for (size_t i = 0; (variant = optimise_variant(i)) != NULL; i++) {
		void *scratch = pool_child(pool, "variant");
		struct diags *diags = diags_new(scratch, sources);
		struct nft_table *table = lower_within(scratch, diags, ruleset, &silent, variant);
		uint64_t cost = table == NULL ? UINT64_MAX : table_cost(scratch, table, ruleset);
		if (cost < least) {
			least = cost;
			limits = variant;
		}
		talloc_free(scratch);
	}
	return limits;
}

struct nft_table *nft_lower(void *pool, struct diags *diags, const struct ruleset *ruleset,
			    const struct nft_settings *settings)
{
	const struct optimise_limits *limits = optimise_limits_of(settings->level);
	if (settings->level == OPTIMISE_FASTEST && rules_total(ruleset) <= VARIANTS_RULES_MAX)
		limits = cheapest_variant(pool, diags->sources, ruleset, settings);
	return lower_within(pool, diags, ruleset, settings, limits);
}
