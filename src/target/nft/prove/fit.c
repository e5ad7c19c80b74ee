/* Limits and counters have names of the writer's in the table. What they are called does not matter;
 * that each rule has its own does: the first leaf of a rule says which is its, every later one must
 * agree, and no other rule may have it. */
#include "target/nft/prove/fit.h"

#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/walk/rule.h"

#define LOG_TEXT_MAX 127
#define MILLISECONDS 1000
#define SOURCE_BITS_IPV4 32
#define SOURCE_BITS_IPV6 64

/* --- what is one rule's own ------------------------------------------------------------------------- */

/* Whether `what` belongs to the rule, and the rule has no other of this kind. */
static bool is_own(struct prover *prover, const char *kind, const char *what, const struct identity *identity,
		   unsigned family)
{
	char *of_what = pool_format(prover->pool, "%s of %s", kind, what);
	char *of_rule = pool_format(prover->pool, "%s %u for %p", kind, family, (const void *)identity);
	char *rule = pool_format(prover->pool, "%p", (const void *)identity);
	const char *owner = names_find(prover->owners, of_what, strlen(of_what));
	const char *owned = names_find(prover->owners, of_rule, strlen(of_rule));
	if (owner == NULL)
		names_set(prover->owners, of_what, strlen(of_what), rule);
	if (owned == NULL)
		names_set(prover->owners, of_rule, strlen(of_rule), pool_strdup(prover->pool, what));
	bool is_alone = (owner == NULL || strcmp(owner, rule) == 0) && (owned == NULL || strcmp(owned, what) == 0);
	if (!is_alone)
		prover->proof->shared = pool_format(prover->pool, "%s '%s'", kind, what);
	return is_alone;
}

/* --- leaves ----------------------------------------------------------------------------------------- */

static bool has_effect(const struct walk_leaf *leaf, enum walk_effect_kind kind)
{
	return walk_effects_count(leaf->effects, kind, NULL) != 0;
}

/* Nothing but a counter was done. */
static bool is_quiet(const struct walk_leaf *leaf)
{
	return !has_effect(leaf, WALK_LOG) && !has_effect(leaf, WALK_ASSIGN) && !has_effect(leaf, WALK_NOTRACK) &&
	       !has_effect(leaf, WALK_CHANGE);
}

static const char *const verdict_words[] = {
	[VERDICT_ALLOW] = "allow", [VERDICT_DENY] = "deny", [VERDICT_REJECT] = "reject",
};

/* "fwc:ID:VERDICT: prefix", cut where the kernel would (language reference, "log"). */
static bool is_log_of(struct prover *prover, const struct wanted_leaf *wanted, const char *text)
{
	const char *prefix = wanted->outcome->log_prefix;
	const struct proof_limits *limits = prover->limits;
	const char *group = limits->has_log_group
		? pool_format(prover->pool, WALK_LOG_GROUP, (unsigned)limits->log_group) : "";
	size_t length = strlen(group);
	const char *whole = pool_format(prover->pool, "fwc:%s:%s: %s", identity_text(wanted->identity),
					verdict_words[wanted->outcome->verdict], prefix == NULL ? "" : prefix);
	return strncmp(text, group, length) == 0 && strncmp(text + length, whole, LOG_TEXT_MAX) == 0;
}

static bool effects_fit(struct prover *prover, const struct wanted_leaf *wanted, const struct walk_leaf *leaf)
{
	const char *log = "", *counter = "", *helper = "";
	const struct outcome *outcome = wanted->outcome;
	size_t logs = walk_effects_count(leaf->effects, WALK_LOG, &log);
	size_t counters = walk_effects_count(leaf->effects, WALK_COUNT, &counter);
	size_t helpers = walk_effects_count(leaf->effects, WALK_ASSIGN, &helper);
	if (has_effect(leaf, WALK_NOTRACK) || has_effect(leaf, WALK_CHANGE))
		return false;
	if (logs != (outcome->has_log ? 1 : 0) || (logs != 0 && !is_log_of(prover, wanted, log)))
		return false;
	if (helpers != (outcome->helper != NULL ? 1 : 0) || (helpers != 0 && strcmp(helper, outcome->helper) != 0))
		return false;
	if (!outcome->has_count)
		return counters == 0;
	return counters == 1 && counter[0] != '\0' && is_own(prover, "counter", counter, wanted->identity, 0);
}

/* The one counter of all invalid packets. */
static bool invalid_fits(struct prover *prover, const struct walk_leaf *leaf)
{
	static const struct identity invalid;
	const char *counter = "";
	return leaf->verdict == WALK_DROP && is_quiet(leaf) &&
	       walk_effects_count(leaf->effects, WALK_COUNT, &counter) == 1 && counter[0] != '\0' &&
	       is_own(prover, "counter", counter, &invalid, 0);
}

bool prove_verdict_fits(const struct wanted_leaf *wanted, const struct walk_leaf *leaf)
{
	static const enum walk_verdict verdicts[] = {
		[VERDICT_ALLOW] = WALK_ACCEPT, [VERDICT_DENY] = WALK_DROP, [VERDICT_REJECT] = WALK_REJECT,
	};
	return leaf->verdict == verdicts[wanted->outcome->verdict];
}

static bool answer_fits(const struct wanted_leaf *wanted, const struct walk_leaf *leaf)
{
	if (leaf->verdict != WALK_REJECT)
		return true;
	return wanted->is_reset ? leaf->reject.type == NFT_REJECT_TCP_RST
				: leaf->reject.type == NFT_REJECT_ICMPX_UNREACH &&
				  leaf->reject.code == NFT_REJECT_ICMPX_ADMIN_PROHIBITED;
}

static bool verdict_fits(const struct wanted_leaf *wanted, const struct walk_leaf *leaf)
{
	return prove_verdict_fits(wanted, leaf) && answer_fits(wanted, leaf);
}

static bool translation_fits(const struct wanted_leaf *wanted, const struct walk_leaf *leaf)
{
	const struct translation *source = wanted->translation;
	const struct walk_translation *found = leaf->translation;
	enum family family = wanted->family;
	if (leaf->verdict != WALK_TRANSLATE || !is_quiet(leaf) || found->flags != 0)
		return false;
	if (source->kind == TRANSLATION_MASQUERADE)
		return found->kind == WALK_MASQUERADE && !found->has_port;
	bool is_forward = source->kind == TRANSLATION_FORWARD;
	number128 address = is_forward ? source->host[family].value : source->as[family].value;
	uint16_t port = is_forward ? source->port : 0;
	return found->kind == (is_forward ? WALK_DNAT : WALK_SNAT) && found->has_address &&
	       found->family == family && found->low == address && found->high == address &&
	       found->has_port == (port != 0) && found->port_low == port && found->port_high == port;
}

/* --- limits ----------------------------------------------------------------------------------------- */

/* A bucket that is forgotten before it is full again would fill it for nothing. */
static bool is_kept_long_enough(const struct walk_limit *found)
{
	uint64_t full =
		(uint64_t)found->burst * found->unit_s * MILLISECONDS / (found->rate == 0 ? 1 : found->rate);
	return found->size != 0 && found->timeout_ms >= full;
}

static bool limit_fits(struct prover *prover, const struct wanted_leaf *wanted, const struct walk_limit *found)
{
	const struct limit *limit = wanted->outcome->limit;
	unsigned family = limit->is_per_source ? 1u + (unsigned)wanted->family : 0;
	bool is_ipv4 = wanted->family == FAMILY_IPV4;
	if (found->rate != limit->rate || found->unit_s != limit->unit_s || found->burst != limit->burst ||
	    found->type != NFT_LIMIT_PKTS || found->flags != 0 || found->is_per_key != limit->is_per_source)
		return false;
	if (limit->is_per_source &&
	    (found->key_family != (is_ipv4 ? FAMILIES_IPV4 : FAMILIES_IPV6) ||
	     found->key_bits != (is_ipv4 ? SOURCE_BITS_IPV4 : SOURCE_BITS_IPV6) || !is_kept_long_enough(found)))
		return false;
	return is_own(prover, "limit", found->name, wanted->identity, family);
}

/* Denied by this rule, and noted as its own or not at all. */
static bool exceeds_fits(struct prover *prover, const struct wanted_leaf *wanted, const struct walk_leaf *leaf)
{
	const char *log = NULL, *counter = NULL;
	const struct outcome *outcome = wanted->outcome;
	if (leaf->verdict != WALK_DROP || has_effect(leaf, WALK_NOTRACK) || has_effect(leaf, WALK_CHANGE))
		return false;
	if (walk_effects_count(leaf->effects, WALK_LOG, &log) != 0 &&
	    (!outcome->has_log || !is_log_of(prover, wanted, log)))
		return false;
	return walk_effects_count(leaf->effects, WALK_COUNT, &counter) == 0 ||
	       (outcome->has_count && is_own(prover, "counter", counter, wanted->identity, 0));
}

/* A limit, and what is done beyond it and within. */
struct limited {
	const struct walk_limit *limit; /* NULL: it is something else */
	const struct walk_leaf *over, *under;
};

static struct limited limited_at(const struct prover *prover, diagram at)
{
	const struct walk_unknown *field = walk_unknown_of_rank(prover->space,
								diagram_field(prover->space->diagrams, at));
	struct diagram_edges edges = diagram_edges(prover->space->diagrams, at);
	if (field == NULL || field->about == NULL || edges.count != 2 || edges.highs[0] != 0 ||
	    !diagram_is_leaf(edges.children[0]) || !diagram_is_leaf(edges.children[1]))
		return (struct limited){ NULL };
	return (struct limited){
		field->about, walk_leaf_at(prover->leaves, edges.children[0]),
		walk_leaf_at(prover->leaves, edges.children[1]),
	};
}

/* Within the limit the rule's verdict; beyond it the packet is denied, however it is noted. */
static bool limited_fits(struct prover *prover, const struct wanted_leaf *wanted, diagram at)
{
	struct limited found = limited_at(prover, at);
	return found.limit != NULL && limit_fits(prover, wanted, found.limit) &&
	       verdict_fits(wanted, found.under) && effects_fit(prover, wanted, found.under) &&
	       exceeds_fits(prover, wanted, found.over);
}

bool prove_limit_fits(struct prover *prover, const struct wanted_leaf *wanted, diagram found)
{
	bool has_limit = wanted->kind == WANTED_RULE && wanted->outcome->limit != NULL;
	if (diagram_is_leaf(found) || !has_limit)
		return diagram_is_leaf(found) && !has_limit;
	struct limited limited = limited_at(prover, found);
	return limited.limit != NULL && limit_fits(prover, wanted, limited.limit) &&
	       limited.over->verdict == WALK_DROP;
}

/* --- comparing -------------------------------------------------------------------------------------- */

static bool leaf_fits(struct prover *prover, const struct wanted_leaf *wanted, const struct walk_leaf *leaf)
{
	switch (wanted->kind) {
	case WANTED_IMPOSSIBLE:
		return true;
	case WANTED_NOTHING:
	case WANTED_TRACKED:
		return leaf->verdict == WALK_ACCEPT && is_quiet(leaf);
	case WANTED_PASS:
		return leaf->verdict == WALK_ACCEPT && is_quiet(leaf);
	case WANTED_INVALID:
		return invalid_fits(prover, leaf);
	case WANTED_RULE:
		return wanted->outcome->limit == NULL && verdict_fits(wanted, leaf) &&
		       effects_fit(prover, wanted, leaf);
	case WANTED_TRANSLATION:
		return translation_fits(wanted, leaf);
	case WANTED_UNTRACKED:
		return leaf->verdict == WALK_ACCEPT && has_effect(leaf, WALK_NOTRACK) &&
		       !has_effect(leaf, WALK_CHANGE);
	}
	return false;
}

/* All that stands below a node of limits. */
static bool below_fits(struct prover *prover, const struct wanted_leaf *wanted, diagram at)
{
	if (diagram_is_leaf(at))
		return leaf_fits(prover, wanted, walk_leaf_at(prover->leaves, at));
	if (wanted->kind == WANTED_RULE && wanted->outcome->limit != NULL)
		return limited_fits(prover, wanted, at);
	struct diagram_edges edges = diagram_edges(prover->space->diagrams, at);
	for (size_t i = 0; i < edges.count; i++)
		if (!below_fits(prover, wanted, edges.children[i]))
			return false;
	return true;
}

bool prove_fits(void *context, diagram wanted, diagram found)
{
	struct prover *prover = context;
	return below_fits(prover, wanted_leaf_at(prover->wanted, wanted), found);
}
