/* What becomes of a packet: the leaves of the walk's diagrams.
 *
 * A leaf is a verdict and what was done on the way (logged, counted, …), in no order; what was logged or counted
 * by name again stands there twice, all else once. FALL: the chain has more rules to ask; RETURN: the chain
 * is left. */
#ifndef FWC_TARGET_NFT_WALK_LEAF_H
#define FWC_TARGET_NFT_WALK_LEAF_H

#include "base/interned.h"
#include "target/nft/walk/space.h"

enum walk_verdict {
	WALK_FALL,
	WALK_RETURN,
	WALK_ACCEPT,
	WALK_DROP,
	WALK_REJECT,    /* reject */
	WALK_TRANSLATE, /* translation */
	WALK_JUMP,      /* where a walk stops at chains: text is the chain's name */
	WALK_GOTO,
	WALK_OTHER,     /* text says what: queued, sent elsewhere, … */
	WALK_UNSURE,    /* text says why it cannot be told */
};

#define WALK_VERDICTS (WALK_UNSURE + 1)

enum walk_effect_kind {
	WALK_LOG,     /* text: the prefix */
	WALK_COUNT,   /* text: the object, "" without one */
	WALK_ASSIGN,  /* a connection helper; text: its type */
	WALK_NOTRACK,
	WALK_CHANGE,  /* the packet or what hangs on it; text: what */
	WALK_BY,      /* who gave the verdict, where a walk tells; text: "chain input, rule 3" */
};

/* What stands before the prefix of a log line that goes to a group of NFLOG. */
#define WALK_LOG_GROUP "group %u: "

struct walk_effect {
	enum walk_effect_kind kind;
	const char *text;
};

/* Of one list of effects there is one: compare pointers. */
struct walk_effects {
	const struct walk_effect *items;
	size_t items_count;
};

struct walk_reject {
	uint32_t type, code; /* NFT_REJECT_*, and what it means there */
};

enum walk_translation_kind { WALK_SNAT, WALK_DNAT, WALK_MASQUERADE, WALK_REDIRECT };

struct walk_translation {
	uint32_t kind;
	uint32_t family; /* enum family; masquerade and redirect: 0 */
	bool has_address, has_port;
	uint16_t port_low, port_high;
	uint32_t flags; /* NF_NAT_RANGE_* without what the rest implies */
	number128 low, high;
};

struct walk_leaf {
	enum walk_verdict verdict;
	uint32_t number; /* its own */
	struct walk_reject reject;
	const struct walk_translation *translation; /* of one translation there is one */
	const char *text;
	const struct walk_effects *effects; /* never NULL */
};

/* The same leaf with other verdicts. */
struct walk_turns {
	uint32_t to[WALK_VERDICTS]; /* 1 + its number; 0: not asked yet */
};

struct walk_leaves {
	void *pool;
	struct arena *arena;
	struct interned *interned, *effects, *translations, *strings;
	const struct walk_effects *none;
	const struct walk_leaf **items;
	size_t items_count, items_capacity;
	struct walk_turns *turns; /* by a leaf's number */
	size_t turns_count, turns_capacity;
};

struct walk_leaves *walk_leaves_new(void *pool);
/* The one leaf like this; number is not looked at. Leaf 0 is FALL without effects. */
diagram walk_leaf(struct walk_leaves *leaves, struct walk_leaf leaf);
diagram walk_leaf_of(struct walk_leaves *leaves, enum walk_verdict verdict, const char *text,
		     const struct walk_effects *effects);
const struct walk_leaf *walk_leaf_at(const struct walk_leaves *leaves, diagram leaf);
/* The same with another verdict, or with these effects before its own. */
diagram walk_leaf_turned(struct walk_leaves *leaves, const struct walk_leaf *leaf, enum walk_verdict verdict);
diagram walk_leaf_after(struct walk_leaves *leaves, const struct walk_effects *before,
			const struct walk_leaf *leaf);

const struct walk_effects *walk_effects_with(struct walk_leaves *leaves, const struct walk_effects *list,
					     enum walk_effect_kind kind, const char *text);
const struct walk_translation *walk_translation_of(struct walk_leaves *leaves,
						   const struct walk_translation *translation);
/* How many effects of a kind, and the text of the first. */
size_t walk_effects_count(const struct walk_effects *list, enum walk_effect_kind kind, const char **text);

/* "dropped", "rejected (tcp reset), logged": for messages. */
void walk_leaf_print(struct text *out, const struct walk_leaf *leaf);

#endif
