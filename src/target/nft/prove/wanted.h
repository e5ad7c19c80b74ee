/* What a policy wants of packets, in the space that a table's walk uses.
 *
 * Made from the ruleset and the language reference alone: what always passes is said here a second
 * time, in the reference's words, and shares nothing with what writes tables. A wanted leaf is a
 * number of this list; packets that no hook can see have WANTED_IMPOSSIBLE. */
#ifndef FWC_TARGET_NFT_PROVE_WANTED_H
#define FWC_TARGET_NFT_PROVE_WANTED_H

#include "base/interned.h"
#include "rules/ruleset.h"
#include "target/nft/walk/space.h"

enum wanted_kind {
	WANTED_NOTHING,    /* leaf 0: no rule so far */
	WANTED_IMPOSSIBLE,
	WANTED_PASS,       /* always */
	WANTED_INVALID,    /* dropped and counted */
	WANTED_RULE,       /* outcome */
	WANTED_TRANSLATION,
	WANTED_UNTRACKED,
	WANTED_TRACKED,
};

struct wanted_leaf {
	enum wanted_kind kind;
	enum family family; /* TRANSLATION; RULE with a limit per source */
	bool is_reset;      /* RULE that rejects: with a tcp reset */
	/* RULE: NULL where it does not matter whose it is */
	const struct identity *identity;
	const struct outcome *outcome;
	const struct translation *translation;
};

/* What the rules of a hook want in a piece of the space. */
struct wanted_made {
	bool is_made;
	uint32_t piece;
	diagram meaning;
};

struct wanted {
	void *pool;
	void *scratch;
	const struct ruleset *ruleset;
	struct walk_space *space;
	struct arena *arena;
	struct interned *interned;
	const struct wanted_leaf **leaves;
	size_t leaves_count, leaves_capacity;
	struct interned *predicates; /* of sets that rules share, by address */
	struct interned *services;   /* the same, by what they hold */
	bool rejects;                /* some rule or default does */
	uint32_t piece;              /* of the space, counted from 1; 0: before it is cut */
	const uint32_t *rules[HOOK_COUNT]; /* those that the piece can meet, ascending */
	size_t rules_count[HOOK_COUNT];
	bool has_likes;
	enum hook likes[HOOK_COUNT]; /* the first hook with the same rules */
	struct wanted_made rules_made[HOOK_COUNT];
};

struct wanted *wanted_new(void *pool, struct walk_space *space, const struct ruleset *ruleset);
/* The space is at another piece, of which the caller says next, in wanted->rules, which rules it can meet: what
 * was made for the one before is made again. */
void wanted_forget(struct wanted *wanted);
const struct wanted_leaf *wanted_leaf_at(const struct wanted *wanted, diagram leaf);
diagram wanted_leaf(struct wanted *wanted, struct wanted_leaf leaf);

/* Predicates (leaves 0 and 1). */
diagram wanted_services(struct wanted *wanted, const struct tuple_set *services);
/* side: WALK_SOURCE with WALK_IN, or WALK_DESTINATION with WALK_OUT */
diagram wanted_boxes(struct wanted *wanted, const struct place_boxes *boxes, enum walk_field side,
		     enum walk_field interface);
diagram wanted_addresses(struct wanted *wanted, const struct address_set *addresses, enum walk_field field);
diagram wanted_families(struct wanted *wanted, unsigned families);
diagram wanted_range(struct wanted *wanted, enum walk_field field, number128 low, number128 high);
diagram wanted_and(struct wanted *wanted, diagram a, diagram b);
diagram wanted_or(struct wanted *wanted, diagram a, diagram b);
diagram wanted_not(struct wanted *wanted, diagram predicate);
/* The rule's hours, its last day and the translation that it admits. */
diagram wanted_conditions(struct wanted *wanted, const struct match *match);

/* Predicate: the destination was translated. A packet without a connection has no translation. */
diagram wanted_translated(struct wanted *wanted);

/* Functions: inside where the predicate holds, elsewhere nothing; the first that is not nothing. */
diagram wanted_guard(struct wanted *wanted, diagram predicate, diagram inside);
diagram wanted_first(struct wanted *wanted, diagram first, diagram then);
diagram wanted_first_of(struct wanted *wanted, const diagram *items, size_t count);

/* Packets that the kernel shows to the hook (NF_INET_*); IMPOSSIBLE elsewhere, nothing inside. */
diagram wanted_frame(struct wanted *wanted, unsigned hook);

/* What the rules of input, forward or output want, and their default. */
diagram wanted_rules(struct wanted *wanted, enum hook hook);
/* What input, forward or output do with every packet. */
diagram wanted_hook(struct wanted *wanted, enum hook hook);
/* What the nat chains of a hook (NF_INET_*) do with the first packet of a connection; nothing: it is
 * not translated. */
diagram wanted_translations(struct wanted *wanted, unsigned hook);
/* Which packets the hook (NF_INET_*) keeps from being tracked. */
diagram wanted_tracking(struct wanted *wanted, unsigned hook);

#endif
