/* The chain of an outcome, in this order: count what matched; under the limit log, assign the
 * helper and accept; drop what is over it. What exceeds a limit is denied by that rule: nothing
 * leaves such a chain at its end. A per-source limit lives in one set a family; when it is full,
 * `update` fails, its rule does not match, and the packet is dropped.
 *
 * The week: the policy counts minutes from Monday 00:00 UTC, nft days from Sunday (0) and seconds
 * of the day. A schedule becomes boxes of (run of days) x (seconds). */
#include "target/nft/emit/action.h"

#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "target/nft/emit/guard.h"
#include "target/nft/emit/once.h"

enum { OUTCOME_ACCEPT, OUTCOME_DROP, OUTCOME_REFUSE, OUTCOME_FIRST_FREE };

#define LOG_PREFIX_MAX 127
#define SOURCES_MAX 65535
#define TIMEOUT_MIN_S 60
#define TIMEOUT_MAX_S (1002 * 86400) /* more than the resolver lets a limit take */

struct action {
	const struct identity *identity;
	const struct outcome *outcome;
	struct goal goal;
	/* objects are the identity's: entries with outcome NULL hold their names */
	const char *counter, *limit;
	const struct nft_set *sources[2];
};

/* --- objects of an identity --------------------------------------------------------------- */

struct wanted_action {
	const struct lower *lower;
	const struct identity *identity;
	const struct outcome *outcome;
};

static bool action_equals(const void *wanted, uint32_t number)
{
	const struct wanted_action *want = wanted;
	const struct action *action = &want->lower->actions[number];
	return action->identity == want->identity && action->outcome == want->outcome;
}

/* The entry of (identity, outcome), new where *is_new. Entries may move. */
static struct action *action_entry(struct lower *lower, const struct identity *identity,
				   const struct outcome *outcome, bool *is_new)
{
	struct wanted_action wanted = { lower, identity, outcome };
	uint64_t hash = memo_mix(memo_mix(0, (uintptr_t)identity), (uintptr_t)outcome);
	uint32_t number = memo_find(&lower->action_memo, hash, action_equals, &wanted);
	*is_new = number == MEMO_NONE;
	if (number != MEMO_NONE)
		return &lower->actions[number];
	memo_add(lower->scratch, &lower->action_memo, hash, (uint32_t)lower->actions_count);
	struct action *action = pool_append(lower->scratch, lower, actions);
	*action = (struct action){ .identity = identity, .outcome = outcome };
	return action;
}

static const char *counter_of(struct lower *lower, const struct identity *identity,
			      struct span origin)
{
	bool is_new;
	struct action *objects = action_entry(lower, identity, NULL, &is_new);
	if (objects->counter == NULL) {
		objects->counter = lower_identity_name(lower, "c_", identity_text(identity));
		*pool_append(lower->pool, lower->table, counters) = (struct nft_counter){
			objects->counter, lower_place(lower, origin),
		};
	}
	return objects->counter;
}

static const char *limit_of(struct lower *lower, const struct identity *identity,
			    const struct limit *limit, struct span origin)
{
	bool is_new;
	struct action *objects = action_entry(lower, identity, NULL, &is_new);
	if (objects->limit == NULL) {
		objects->limit = lower_identity_name(lower, "l_", identity_text(identity));
		*pool_append(lower->pool, lower->table, limits) = (struct nft_limit){
			objects->limit, limit, lower_place(lower, origin),
		};
	}
	return objects->limit;
}

/* As long as an idle bucket needs to be full again: forgetting it then changes nothing. */
static uint64_t source_timeout_ms(const struct limit *limit)
{
	uint64_t rate = limit->rate == 0 ? 1 : limit->rate;
	uint64_t refill_s = ((uint64_t)limit->burst + 1) * limit->unit_s / rate + limit->unit_s;
	if (refill_s < TIMEOUT_MIN_S)
		refill_s = TIMEOUT_MIN_S;
	return (refill_s > TIMEOUT_MAX_S ? TIMEOUT_MAX_S : refill_s) * 1000;
}

static const struct nft_set *sources_of(struct lower *lower, const struct identity *identity,
					const struct limit *limit, enum family family,
					struct span origin)
{
	bool is_new;
	struct action *objects = action_entry(lower, identity, NULL, &is_new);
	if (objects->sources[family] != NULL)
		return objects->sources[family];
	bool is_ipv4 = family == FAMILY_IPV4;
	enum nft_field field = is_ipv4 ? NFT_FIELD_IP_SADDR : NFT_FIELD_IP6_SADDR;
	const char *name = lower_identity_name(lower, is_ipv4 ? "s4_" : "s6_", identity_text(identity));
	struct nft_set *set = lower_set(lower, name, &field, 1);
	set->is_dynamic = true;
	set->size = SOURCES_MAX;
	set->timeout_ms = source_timeout_ms(limit);
	set->comment = lower_place(lower, origin);
	set->origin = origin;
	objects->sources[family] = set;
	lower->sets_given++;
	return set;
}

/* --- statements of an outcome ------------------------------------------------------------- */

static const char *verdict_word(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_ALLOW:
		return "allow";
	case VERDICT_DENY:
		return "deny";
	case VERDICT_REJECT:
		return "reject";
	}
	return "";
}

static struct nft_statement log_statement(struct lower *lower, const struct outcome *outcome,
					  const struct identity *identity)
{
	const char *user = outcome->log_prefix == NULL ? "" : outcome->log_prefix;
	char *prefix = pool_format(lower->pool, "fwc:%s:%s: %s", identity_text(identity),
				   verdict_word(outcome->verdict), user);
	if (strlen(prefix) > LOG_PREFIX_MAX)
		prefix[LOG_PREFIX_MAX] = '\0';
	return (struct nft_statement){
		.kind = NFT_LOG,
		.log_prefix = prefix,
		.has_log_group = lower->settings->has_log_group,
		.log_group = lower->settings->log_group,
	};
}

/* The chain that rejects: a reset for TCP, "administratively prohibited" for the rest. */
static struct goal refuse_goal(struct lower *lower)
{
	if (lower->refuse.height != 0)
		return lower->refuse;
	struct draft draft = draft_begin(lower);
	struct rule_draft rule;
	rule.items_count = 0;
	rule_add(&rule, match_equal(NFT_FIELD_L4PROTO, PROTOCOL_TCP));
	rule_add(&rule, (struct nft_statement){ .kind = NFT_REJECT, .reject = NFT_REJECT_TCP_RESET });
	rule_end(lower, &draft, &rule, 0);
	rule.items_count = 0;
	rule_add(&rule, (struct nft_statement){ .kind = NFT_REJECT,
						.reject = NFT_REJECT_ICMPX_ADMIN });
	rule_end(lower, &draft, &rule, 0);
	lower->refuse = goal_of_chain(&draft, draft_end(lower, &draft, "refuse"), NFT_GOTO);
	return lower->refuse;
}

static struct goal verdict_goal(struct lower *lower, enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_ALLOW:
		return (struct goal){ { NFT_ACCEPT, NULL }, 0 };
	case VERDICT_DENY:
		return (struct goal){ { NFT_DROP, NULL }, 0 };
	case VERDICT_REJECT:
		return refuse_goal(lower);
	}
	return (struct goal){ { NFT_DROP, NULL }, 0 };
}

static bool has_protocol(const struct tuple_set *services, unsigned protocol)
{
	for (size_t i = 0; i < services->tuples_count; i++)
		if (services->tuples[i].protocol == protocol)
			return true;
	return false;
}

/* The object of (helper, protocol). */
static const char *helper_object(struct lower *lower, const char *helper, uint8_t protocol)
{
	struct nft_table *table = lower->table;
	for (size_t i = 0; i < table->helpers_count; i++)
		if (table->helpers[i].protocol == protocol &&
		    strcmp(table->helpers[i].type, helper) == 0)
			return table->helpers[i].name;
	const char *text = pool_format(lower->scratch, "%s-%s", helper, protocol_name(protocol));
	const char *name = lower_identity_name(lower, "h_", text);
	*pool_append(lower->pool, table, helpers) = (struct nft_helper){ name, helper, protocol };
	return name;
}

/* One rule a protocol that the helper is wanted for. */
static void helper_write(struct lower *lower, struct draft *draft, const char *helper,
			 const struct tuple_set *services, struct span origin)
{
	static const uint8_t helped[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_DCCP, PROTOCOL_SCTP,
					  PROTOCOL_UDPLITE };
	bool is_written = false;
	for (size_t i = 0; i < sizeof helped; i++) {
		if (!has_protocol(services, helped[i]))
			continue;
		struct rule_draft rule;
		rule.items_count = 0;
		rule_add(&rule, match_equal(NFT_FIELD_L4PROTO, helped[i]));
		rule_add(&rule, object_statement(NFT_HELPER, helper_object(lower, helper, helped[i])));
		rule_end(lower, draft, &rule, 0)->origin = origin;
		is_written = true;
	}
	if (!is_written)
		diag_add(lower->diags, CODE_TARGET_CANNOT, origin,
			 "nft: helper '%s' on a service without tcp or udp ports", helper);
}

/* Where the packet is under the limit: log, verdict. */
static void passing_rule(struct lower *lower, struct draft *draft, struct rule_draft *rule,
			 const struct outcome *outcome, const struct identity *identity,
			 struct span origin)
{
	struct goal goal = verdict_goal(lower, outcome->verdict);
	if (outcome->has_log)
		rule_add(rule, log_statement(lower, outcome, identity));
	rule_add(rule, verdict_statement(goal.verdict));
	struct nft_rule *written = rule_end(lower, draft, rule, goal.height);
	written->comment = lower_place(lower, origin);
	written->origin = origin;
}

static void source_limit_write(struct lower *lower, struct draft *draft,
			       const struct outcome *outcome, const struct identity *identity,
			       struct span origin)
{
	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++) {
		struct rule_draft rule;
		rule.items_count = 0;
		rule_add(&rule, (struct nft_statement){
			.kind = NFT_SOURCE_LIMIT,
			.set = sources_of(lower, identity, outcome->limit, family, origin),
			.limit = outcome->limit,
			.family = family,
		});
		passing_rule(lower, draft, &rule, outcome, identity, origin);
	}
}

static void limit_write(struct lower *lower, struct draft *draft, const struct outcome *outcome,
			const struct identity *identity, struct span origin)
{
	struct rule_draft rule;
	rule.items_count = 0;
	if (outcome->limit->is_per_source) {
		source_limit_write(lower, draft, outcome, identity, origin);
	} else {
		const char *name = limit_of(lower, identity, outcome->limit, origin);
		rule_add(&rule, object_statement(NFT_LIMIT, name));
		passing_rule(lower, draft, &rule, outcome, identity, origin);
	}
	rule.items_count = 0;
	rule_add(&rule, verdict_statement((struct nft_verdict){ NFT_DROP, NULL }));
	struct nft_rule *over = rule_end(lower, draft, &rule, 0);
	over->comment = lower_place(lower, origin);
	over->origin = origin;
}

void outcome_write(struct lower *lower, struct draft *draft, const struct outcome *outcome,
		   const struct identity *identity, const struct tuple_set *services,
		   struct span origin)
{
	if (outcome->verdict == VERDICT_REJECT)
		refuse_goal(lower); /* while no rule of this draft is half written */
	struct rule_draft rule;
	rule.items_count = 0;
	if (outcome->has_count)
		rule_add(&rule, object_statement(NFT_COUNTER, counter_of(lower, identity, origin)));
	bool stands_alone = outcome->limit != NULL || outcome->helper != NULL;
	if (stands_alone && rule.items_count != 0) {
		rule_end(lower, draft, &rule, 0)->origin = origin;
		rule.items_count = 0;
	}
	if (outcome->helper != NULL)
		helper_write(lower, draft, outcome->helper, services, origin);
	if (outcome->limit != NULL)
		limit_write(lower, draft, outcome, identity, origin);
	else
		passing_rule(lower, draft, &rule, outcome, identity, origin);
}

static bool is_plain(const struct outcome *outcome)
{
	return !outcome->has_log && !outcome->has_count && outcome->limit == NULL &&
	       outcome->helper == NULL;
}

static struct goal action_goal(struct lower *lower, const struct rule *rule, uint32_t *outcome)
{
	bool is_new;
	struct action *action = action_entry(lower, rule->identity, rule->outcome, &is_new);
	size_t number = (size_t)(action - lower->actions);
	*outcome = OUTCOME_FIRST_FREE + (uint32_t)number;
	if (!is_new)
		return action->goal;
	struct draft draft = draft_begin(lower);
	outcome_write(lower, &draft, rule->outcome, rule->identity, &rule->match.services,
		      rule->origin);
	const char *name = lower_identity_name(lower, "r_", identity_text(rule->identity));
	struct goal goal = goal_of_chain(&draft, draft_end(lower, &draft, name), NFT_GOTO);
	lower->actions[number].goal = goal; /* entries may have moved */
	return goal;
}

static struct goal rule_goal(struct lower *lower, const struct rule *rule, uint32_t *outcome)
{
	if (!is_plain(rule->outcome))
		return action_goal(lower, rule, outcome);
	*outcome = (uint32_t)rule->outcome->verdict + OUTCOME_ACCEPT;
	return verdict_goal(lower, rule->outcome->verdict);
}

/* --- tails -------------------------------------------------------------------------------- */

/* Most rules end with one of two verdicts: those are shared. */
static struct nft_statement *final_of(struct lower *lower, struct nft_statement last)
{
	bool is_shared = last.kind == NFT_VERDICT &&
			 (last.verdict.kind == NFT_ACCEPT || last.verdict.kind == NFT_DROP);
	struct nft_statement **shared = is_shared ? &lower->finals[last.verdict.kind == NFT_DROP] : NULL;
	if (is_shared && *shared != NULL)
		return *shared;
	struct nft_statement *final = lower_new(lower, struct nft_statement);
	*final = last;
	if (is_shared)
		*shared = final;
	return final;
}

static struct tail *tail_new(struct lower *lower, struct nft_statement last, unsigned height,
			     struct span origin)
{
	struct tail *tail = arena_new_item(lower->passing, struct tail);
	tail->final.items = final_of(lower, last);
	tail->final.items_count = 1;
	tail->final.height = height;
	tail->is_verdict = last.kind == NFT_VERDICT;
	tail->origin = origin;
	tail->comment = lower_place(lower, origin);
	return tail;
}

const struct tail *tail_of_verdict(struct lower *lower, struct goal goal, uint32_t outcome,
				   struct span origin)
{
	struct tail *tail = tail_new(lower, verdict_statement(goal.verdict), goal.height, origin);
	tail->outcome = outcome;
	return tail;
}

const struct tail *tail_of_chain(struct lower *lower, struct goal goal, uint32_t outcome,
				 struct span origin)
{
	struct tail *tail = tail_new(lower, verdict_statement(goal.verdict), goal.height, origin);
	tail->outcome = outcome;
	tail->may_return = true;
	tail->chain = goal;
	return tail;
}

const struct tail *tail_of_list(struct lower *lower, unsigned cost)
{
	const struct nft_verdict nowhere = { NFT_JUMP, NULL };
	struct tail *tail = tail_new(lower, verdict_statement(nowhere), 0, SPAN_NONE);
	tail->outcome = outcome_distinct(lower);
	tail->may_return = true;
	tail->cost = cost;
	return tail;
}

const struct tail *tail_of_screen(struct lower *lower, const struct tail *tail, unsigned cost)
{
	const struct nft_verdict nowhere = { NFT_JUMP, NULL };
	struct tail *screen = tail_new(lower, verdict_statement(nowhere), 0, tail->origin);
	screen->outcome = outcome_distinct(lower);
	screen->is_verdict = false;
	screen->is_screen = true;
	screen->may_return = !tail_is_final(tail);
	screen->cost = cost;
	return screen;
}

void tail_set_list(const struct tail *tail, struct goal goal)
{
	struct tail *list = (struct tail *)(uintptr_t)tail;
	list->final.items[0].verdict = goal.verdict;
	list->final.height = goal.height;
	list->chain = goal;
}

void tail_want(const struct tail *tail)
{
	((struct tail *)(uintptr_t)tail)->is_wanted = true;
}

bool tail_is_list(const struct tail *tail)
{
	return tail->cost != 0;
}

bool tail_is_screen(const struct tail *tail)
{
	return tail->is_screen;
}

uint32_t outcome_distinct(struct lower *lower)
{
	return UINT32_MAX - lower->distinct_outcomes++;
}

const struct tail *tail_of_statement(struct lower *lower, struct nft_statement statement,
				     const struct tuple_set *services, struct span origin)
{
	struct tail *tail = tail_new(lower, statement, 0, origin);
	if (services != NULL)
		guards_of_protocols(lower, services, tail);
	/* translations differ even where they look alike: nothing is gained by knowing better */
	tail->outcome = outcome_distinct(lower);
	return tail;
}

const struct tail *tail_with_verdict(struct lower *lower, const struct rule *rule, unsigned families,
				     struct goal goal, uint32_t outcome)
{
	struct tail *tail = tail_new(lower, verdict_statement(goal.verdict), goal.height,
				     rule->origin);
	tail->outcome = outcome;
	guards_of_rule(lower, rule, families, tail);
	return tail;
}

const struct tail *tail_of_rule(struct lower *lower, const struct rule *rule, unsigned families)
{
	uint32_t outcome;
	struct goal goal = rule_goal(lower, rule, &outcome);
	return tail_with_verdict(lower, rule, families, goal, outcome);
}

bool tail_is_final(const struct tail *tail)
{
	return tail->guards_count == 0 && !tail->may_return;
}

/* Guards and the end as a chain that returns where no guard holds. */
static void tail_chain(struct lower *lower, struct tail *tail)
{
	struct draft draft = draft_begin(lower);
	size_t alternatives = tail->guards_count == 0 ? 1 : tail->guards_count;
	for (size_t i = 0; i < alternatives; i++) {
		struct rule_draft rule;
		rule.items_count = 0;
		for (size_t k = 0; tail->guards_count != 0 && k < tail->guards[i].items_count; k++)
			rule_add(&rule, tail->guards[i].items[k]);
		for (size_t k = 0; k < tail->final.items_count; k++)
			rule_add(&rule, tail->final.items[k]);
		struct nft_rule *written = rule_end(lower, &draft, &rule, tail->final.height);
		written->comment = tail->comment;
		written->origin = tail->origin;
	}
	tail->chain = chain_once(lower, &draft, "when", NFT_JUMP);
}

struct goal tail_goal(struct lower *lower, const struct tail *tail, enum nft_verdict_kind kind)
{
	if (tail_is_final(tail) && tail->is_verdict)
		return (struct goal){ tail->final.items[0].verdict, tail->final.height };
	if (tail->chain.height == 0)
		tail_chain(lower, (struct tail *)(uintptr_t)tail);
	struct goal goal = tail->chain;
	goal.verdict.kind = kind;
	return goal;
}
