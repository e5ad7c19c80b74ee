/* The recursion is as deep as chains jump, which the kernel bounds; so is the work. */
#include "import/nft_unfold.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_log.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#include "base/pool.h"
#include "import/words.h"
#include "target/nft/read/expression.h"
#include "target/nft/walk/rule.h"

#define DEPTH_MOST 64
#define VISITS_MOST 1000000u
#define LOG_LEVEL_DEFAULT 4u /* NFT_LOGLEVEL_WARNING */

struct unfolding {
	const struct nft_unfolder *with;
	struct import_space *space;
	enum nft_place place;
	struct import_list *list;
	import_set undecided;
	size_t visits;
	unsigned depth;
	bool has_failed;
};

static void fail(struct unfolding *run, struct span span, const char *what)
{
	if (!run->has_failed)
		diag_add(run->with->diags, CODE_IPTABLES_LARGE, span, "%s", what);
	run->has_failed = true;
}

static void refuse(const struct nft_unfolder *with, struct span span, const char *what)
{
	if (!import_is_told(with->diags, CODE_IPTABLES_UNSAYABLE, span))
		diag_add(with->diags, CODE_IPTABLES_UNSAYABLE, span,
			 "no rule can say what this says: it speaks of %s", what);
}

/* --- words ---------------------------------------------------------------------------------------------- */

struct words {
	void *pool;
	struct span span;
	struct save_word *items;
	size_t items_count, items_capacity;
};

static void add_word(struct words *words, const char *text)
{
	*pool_append(words->pool, words, items) = (struct save_word){ .text = text, .span = words->span };
}

static void set_target(struct import_match *match, const struct words *words)
{
	match->target = &words->items[0];
	match->options = words->items + 1;
	match->options_count = words->items_count - 1;
}

static void add_end_of_range(struct text *out, enum family family, const struct walk_translation *found)
{
	const struct interval range = { found->low, found->high };
	const bool has_brackets = found->has_port && family == FAMILY_IPV6;

	text_add(out, has_brackets ? "[" : "");
	if (found->has_address)
		address_interval_format(out, family, &range);
	text_add(out, has_brackets ? "]" : "");
	if (found->has_port)
		text_addf(out, ":%u", found->port_low);
	if (found->has_port && found->port_high != found->port_low)
		text_addf(out, "-%u", found->port_high);
}

static void add_translation(struct words *words, const struct walk_translation *found)
{
	static const char *const targets[] = {
		[WALK_SNAT] = "SNAT", [WALK_DNAT] = "DNAT", [WALK_MASQUERADE] = "MASQUERADE",
		[WALK_REDIRECT] = "REDIRECT",
	};
	struct text *to = text_new(words->pool);

	add_word(words, targets[found->kind]);
	if (found->has_address || found->has_port) {
		add_end_of_range(to, (enum family)found->family, found);
		add_word(words, found->kind == WALK_DNAT ? "--to-destination" : "--to-source");
		add_word(words, to->bytes);
	}
	if (found->flags != 0)
		add_word(words, "--flags");
}

/* Of the space's family: how the language answers has the words that rows.c knows. */
static const char *answer_of(const struct unfolding *run, const struct walk_reject *reject)
{
	const bool is_ipv4 = run->space->family == FAMILY_IPV4;

	if (reject->type == NFT_REJECT_TCP_RST)
		return "tcp-reset";
	if (reject->type == NFT_REJECT_ICMPX_UNREACH && reject->code == NFT_REJECT_ICMPX_ADMIN_PROHIBITED)
		return is_ipv4 ? "icmp-admin-prohibited" : "icmp6-adm-prohibited";
	return "another";
}

static bool has_odd_log(const struct read_rule *rule)
{
	for (size_t index = 0; index < rule->expressions.items_count; index++) {
		const struct read_expression *item = &rule->expressions.items[index];

		if (item->kind == READ_LOG &&
		    (read_number(item, NFTA_LOG_LEVEL, LOG_LEVEL_DEFAULT) != LOG_LEVEL_DEFAULT ||
		     read_number(item, NFTA_LOG_FLAGS, 0) != 0 || read_has(item, NFTA_LOG_GROUP)))
			return true;
	}
	return false;
}

/* --- entries -------------------------------------------------------------------------------------------- */

static struct import_entry entry_of(struct unfolding *run, const struct nft_rule *rule, import_set set,
				    const struct words *words)
{
	struct import_entry entry = { .set = set, .rule = &rule->saved };

	set_target(&entry.match, words);
	entry.match.comment = rule->read->comment;
	entry.meets_established = !import_is_none(import_of_state(run->space, import_intersect(
		run->space, set, run->undecided), IMPORT_ESTABLISHED));
	return entry;
}

static void append(struct unfolding *run, const struct import_entry *entry)
{
	const bool decides = entry->action != IMPORT_LOG && entry->action != IMPORT_OTHER &&
			     entry->match.limit == NULL;

	if (decides && import_is_pruned(run->space, run->list->items_count))
		run->undecided = import_subtract(run->space, run->undecided, entry->set);
	*pool_append(run->space->pool, run->list, items) = *entry;
}

static struct words *words_of(const struct unfolding *run, const struct nft_rule *rule)
{
	struct words *words = pool_new(run->space->pool, struct words);

	words->pool = run->space->pool;
	words->span = rule->saved.span;
	return words;
}

/* Log lines, and what rules of the language do not do. */
static void add_effects(struct unfolding *run, const struct nft_rule *rule, import_set set,
			const struct walk_effects *effects, const struct import_limit *limit)
{
	for (size_t index = 0; index < effects->items_count; index++) {
		const struct walk_effect *effect = &effects->items[index];
		struct words *words = words_of(run, rule);
		struct import_entry entry;
		const char *colon;

		switch (effect->kind) {
		case WALK_COUNT:
		case WALK_BY:
			continue;
		case WALK_ASSIGN:
		case WALK_NOTRACK:
		case WALK_CHANGE:
			refuse(run->with, rule->saved.span, effect->kind == WALK_ASSIGN ?
			       "a helper for connections" : effect->kind == WALK_NOTRACK ?
			       "packets that are not tracked" :
			       pool_format(run->space->pool, "a change of packets or connections (%s)",
					   effect->text));
			continue;
		case WALK_LOG:
			break;
		}
		add_word(words, has_odd_log(rule->read) ? "NFLOG" : "LOG");
		entry = entry_of(run, rule, set, words);
		entry.action = IMPORT_LOG;
		entry.match.limit = limit;
		entry.prefix = effect->text;
		colon = strstr(effect->text, ": ");
		if (strncmp(effect->text, "group ", strlen("group ")) == 0 && colon != NULL &&
		    has_odd_log(rule->read))
			entry.prefix = colon + strlen(": ");
		append(run, &entry);
	}
}

static void add_other(struct unfolding *run, const struct nft_rule *rule, import_set set, const char *what)
{
	struct words *words = words_of(run, rule);
	struct import_entry entry;

	add_word(words, what);
	entry = entry_of(run, rule, set, words);
	entry.action = IMPORT_OTHER;
	entry.answer = what;
	append(run, &entry);
}

static void add_decision(struct unfolding *run, const struct nft_rule *rule, import_set set,
			 const struct walk_leaf *leaf, const struct import_limit *limit)
{
	struct words *words = words_of(run, rule);
	struct import_entry entry;

	if (leaf->verdict == WALK_TRANSLATE)
		add_translation(words, leaf->translation);
	else
		add_word(words, leaf->verdict == WALK_ACCEPT ? "ACCEPT" : leaf->verdict == WALK_DROP ? "DROP" :
			 "REJECT");
	entry = entry_of(run, rule, set, words);
	entry.match.limit = limit;
	entry.counts = walk_effects_count(leaf->effects, WALK_COUNT, NULL) > 0;
	entry.action = leaf->verdict == WALK_TRANSLATE ? IMPORT_OTHER : leaf->verdict == WALK_ACCEPT ?
		       IMPORT_ACCEPT : leaf->verdict == WALK_DROP ? IMPORT_DROP : IMPORT_REJECT;
	if (leaf->verdict == WALK_REJECT)
		entry.answer = answer_of(run, &leaf->reject);
	append(run, &entry);
}

/* --- limits --------------------------------------------------------------------------------------------- */

/* NULL: a form that the language lacks. */
static const struct import_limit *limit_of(const struct unfolding *run, const struct nft_rule *rule,
					   const struct walk_limit *found)
{
	static const struct {
		uint64_t seconds;
		const char *unit;
	} units[] = { { 1, "second" }, { 60, "minute" }, { 3600, "hour" }, { 86400, "day" } };
	struct import_limit *limit = pool_new(run->space->pool, struct import_limit);

	if (found->type != NFT_LIMIT_PKTS || (found->flags & ~(uint32_t)NFT_LIMIT_F_INV) != 0 ||
	    found->is_per_key || found->is_object || found->rate == 0 || found->rate > UINT16_MAX ||
	    found->burst == 0 ||
	    found->burst > UINT16_MAX)
		return NULL;
	for (size_t index = 0; index < sizeof units / sizeof units[0]; index++)
		if (units[index].seconds == found->unit_s)
			limit->unit = units[index].unit;
	limit->count = pool_format(run->space->pool, "%u", (unsigned)found->rate);
	limit->burst = pool_format(run->space->pool, "%u", found->burst);
	limit->span = rule->saved.span;
	return limit->unit == NULL ? NULL : limit;
}

static bool does_nothing(const struct walk_leaf *leaf)
{
	return leaf->verdict == WALK_FALL && walk_effects_count(leaf->effects, WALK_LOG, NULL) == 0 &&
	       walk_effects_count(leaf->effects, WALK_CHANGE, NULL) == 0 &&
	       walk_effects_count(leaf->effects, WALK_ASSIGN, NULL) == 0 &&
	       walk_effects_count(leaf->effects, WALK_NOTRACK, NULL) == 0;
}

static import_set go_to(struct unfolding *run, const struct nft_chain *chain, const struct nft_rule *rule,
			import_set set, const struct walk_leaf *leaf);

static import_set add_limited(struct unfolding *run, const struct nft_chain *chain, const struct nft_rule *rule,
			      import_set set, diagram end)
{
	const struct walk_unknown *field = walk_unknown_of_rank(run->with->from, diagram_field(
		run->with->from->diagrams, end));
	const struct diagram_edges edges = diagram_edges(run->with->from->diagrams, end);
	const struct walk_leaf *over, *under;
	const struct import_limit *limit;

	if (edges.count != 2 || !diagram_is_leaf(edges.children[0]) || !diagram_is_leaf(edges.children[1])) {
		add_other(run, rule, set, "several limits at once");
		return import_none();
	}
	over = walk_leaf_at(run->with->leaves, edges.children[0]);
	under = walk_leaf_at(run->with->leaves, edges.children[1]);
	limit = field == NULL || field->about == NULL ? NULL : limit_of(run, rule, field->about);
	if (limit == NULL || !does_nothing(over)) {
		add_other(run, rule, set, limit == NULL ? "a limit of a form that this language lacks" :
			  "what exceeds a limit");
		return import_none();
	}
	add_effects(run, rule, set, under->effects, limit);
	if (under->verdict == WALK_ACCEPT || under->verdict == WALK_DROP || under->verdict == WALK_REJECT)
		add_decision(run, rule, set, under, limit);
	else if (under->verdict != WALK_FALL)
		return go_to(run, chain, rule, import_intersect(run->space, set, import_unknown(
			run->space, rule->saved.span, "a limit of more than one verdict")), under);
	return import_none();
}

/* --- chains --------------------------------------------------------------------------------------------- */

static void unfold(struct unfolding *run, const struct nft_chain *chain, import_set alive);

/* A leaf that does not just decide; what of the packets leaves the chain. */
static import_set go_to(struct unfolding *run, const struct nft_chain *chain, const struct nft_rule *rule,
			import_set set, const struct walk_leaf *leaf)
{
	const struct nft_chain *to = leaf->text == NULL ? NULL : names_find(chain->siblings, leaf->text,
									    strlen(leaf->text));

	switch (leaf->verdict) {
	case WALK_FALL:
		return import_none();
	case WALK_RETURN:
		return set;
	case WALK_JUMP:
	case WALK_GOTO:
		if (to == NULL)
			fail(run, rule->saved.span, "a chain that is not there");
		else
			unfold(run, to, set);
		return leaf->verdict == WALK_GOTO ? set : import_none();
	case WALK_ACCEPT:
	case WALK_DROP:
	case WALK_REJECT:
	case WALK_TRANSLATE:
		add_decision(run, rule, set, leaf, NULL);
		return import_none();
	case WALK_OTHER:
		add_other(run, rule, set, pool_format(run->space->pool, "packets that are %s", leaf->text));
		return import_none();
	case WALK_UNSURE:
		refuse(run->with, rule->saved.span, leaf->text);
		return import_none();
	}
	return import_none();
}

static const import_set *sets_of(struct unfolding *run, struct nft_rule *rule)
{
	const import_set **known = &rule->known[run->space->family][run->place];
	import_set *sets;

	if (*known != NULL)
		return *known;
	sets = pool_array(run->space->pool, import_set, rule->ends.items_count + 1);
	for (size_t index = 0; index < rule->ends.items_count; index++)
		sets[index] = nft_set_of_end(run->with->sets, rule->function, rule->ends.items[index],
					     run->place, rule->saved.span);
	*known = sets;
	return sets;
}

/* What of the packets at a rule goes on in its chain. */
static import_set step(struct unfolding *run, const struct nft_chain *chain, struct nft_rule *rule,
		       import_set alive)
{
	const import_set *sets = sets_of(run, rule);
	import_set left = import_none();

	for (size_t index = 0; index < rule->ends.items_count && !run->has_failed; index++) {
		const diagram end = rule->ends.items[index];
		const import_set set = import_intersect(run->space, sets[index], alive);
		const struct walk_leaf *leaf;

		if (end == diagram_leaf(0) ||
		    import_is_none(import_intersect(run->space, set, run->undecided)))
			continue;
		if (!diagram_is_leaf(end)) {
			left = import_union(run->space, left, add_limited(run, chain, rule, set, end));
			continue;
		}
		leaf = walk_leaf_at(run->with->leaves, end);
		add_effects(run, rule, set, leaf->effects, NULL);
		left = import_union(run->space, left, go_to(run, chain, rule, set, leaf));
	}
	return import_subtract(run->space, alive, left);
}

static void unfold(struct unfolding *run, const struct nft_chain *chain, import_set alive)
{
	if (run->depth == DEPTH_MOST) {
		fail(run, chain->span, "chains jump to each other in a circle, or more than 64 deep");
		return;
	}
	run->depth++;
	for (size_t index = 0; index < chain->read->rules_count && !run->has_failed; index++) {
		if (import_is_none(alive))
			break;
		if (++run->visits > VISITS_MOST)
			fail(run, chain->span, "chains that jump to each other make more than a million rules");
		alive = step(run, chain, &chain->rules[index], alive);
		if (import_space_is_over(run->space))
			fail(run, chain->rules[index].saved.span, "up to here the rules need more memory than is "
			     "given to them");
	}
	run->depth--;
}

bool nft_unfold(const struct nft_unfolder *unfolder, const struct nft_chain *chain, enum nft_place place,
		struct import_list *list)
{
	const size_t errors = unfolder->diags->error_count;
	struct unfolding run = {
		.with = unfolder, .space = unfolder->sets->space, .place = place, .list = list,
		.undecided = import_all(),
	};

	*list = (struct import_list){ .is_accepting = chain->read->policy == NF_ACCEPT, .span = chain->span };
	unfold(&run, chain, import_all());
	return unfolder->diags->error_count == errors;
}

/* --- one chain behind the other ------------------------------------------------------------------------- */

/* Whether the list does anything but accept. */
static bool matters(const struct import_list *list)
{
	for (size_t index = 0; index < list->items_count; index++)
		if (list->items[index].action != IMPORT_ACCEPT)
			return true;
	return !list->is_accepting;
}

/* What the list denies by its end. */
static struct import_entry denial_of(const struct nft_unfolder *unfolder, const struct import_list *list,
				     import_set set)
{
	struct save_rule *rule = pool_new(unfolder->pool, struct save_rule);
	struct save_word *word = pool_new(unfolder->pool, struct save_word);

	rule->span = word->span = list->span;
	word->text = "DROP";
	return (struct import_entry){ .set = set, .action = IMPORT_DROP, .rule = rule, .match.target = word,
				      .meets_established = true };
}

/* The denials of a list that others follow. */
static void append_denials(const struct nft_unfolder *unfolder, const struct import_list *list,
			   struct import_list *row)
{
	struct import_space *space = unfolder->sets->space;
	import_set open = import_all();

	for (size_t index = 0; index < list->items_count; index++) {
		struct import_entry entry = list->items[index];

		if (entry.match.limit != NULL && entry.action != IMPORT_LOG) {
			refuse(unfolder, entry.rule->span, "a limit in a chain that others follow on its hook");
			continue;
		}
		if (entry.action == IMPORT_ACCEPT) {
			open = import_subtract(space, open, entry.set);
			continue;
		}
		entry.set = import_intersect(space, entry.set, open);
		if (!import_is_none(entry.set))
			*pool_append(space->pool, row, items) = entry;
	}
	if (!list->is_accepting && !import_is_none(open))
		*pool_append(space->pool, row, items) = denial_of(unfolder, list, open);
}

bool nft_unfold_in_row(const struct nft_unfolder *unfolder, const struct import_list *lists, size_t count,
		       struct import_list *list)
{
	const size_t errors = unfolder->diags->error_count;
	size_t last = count;

	for (size_t index = 0; index < count; index++)
		last = matters(&lists[index]) ? index : last;
	if (last == count)
		return true;
	for (size_t index = 0; index < last; index++)
		if (matters(&lists[index]))
			append_denials(unfolder, &lists[index], list);
	for (size_t index = 0; index < lists[last].items_count; index++)
		*pool_append(unfolder->sets->space->pool, list, items) = lists[last].items[index];
	list->is_accepting = lists[last].is_accepting;
	list->span = lists[last].span;
	return unfolder->diags->error_count == errors;
}
