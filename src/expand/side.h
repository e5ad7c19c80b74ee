/* What a rule's `from` or `to` means in one hook: boxes of (interface, addresses).
 *
 *            from: input        forward      output      to: input   forward     output
 *   any            all          all          all             all     all         all
 *   self           -            -            all             all     -           -
 *   zone           zone.input   zone.routed  -               -       zone.routed_to
 *   addresses      the set      the set      the set         the set the set     the set
 *
 * `LIST except LIST` is subtraction within a cell, so that `any except self` comes out as forwarded
 * traffic. In output `to ZONE` counts only where `from` is any or self: hence the two halves of
 * a side. */
#ifndef FWC_EXPAND_SIDE_H
#define FWC_EXPAND_SIDE_H

#include "base/arena.h"
#include "base/interned.h"
#include "resolve/policy.h"

enum side { SIDE_FROM, SIDE_TO };
#define SIDE_COUNT 2

struct side_value {
	struct place_boxes all;
	/* from: the part that any and self gave; to: the part that no zone gave */
	struct place_boxes part;
};

/* The last scope that was evaluated, and its value. */
struct side_memo {
	const struct place_scope *scope;
	struct side_value value;
};

struct side_context {
	void *pool;
	struct arena *arena;
	struct place_boxes everything; /* every interface, every address of both families */
	/* rules of one block follow each other, and share its places */
	struct side_memo rules[SIDE_COUNT][HOOK_COUNT];
	struct side_memo blocks[SIDE_COUNT][HOOK_COUNT];
	struct interned *lists; /* of struct side_value, by what stands in the list */
	uintptr_t *key;         /* of the list at hand */
	size_t key_count, key_capacity;
};

struct side_context side_context_new(void *pool);

/* NULL scope: any. All lists of the scope must match. Values share memory with the policy and with
 * each other; nothing of them is to be changed. A scope is known by its address: it must live as
 * long as the context. */
struct side_value side_evaluate(struct side_context *context, const struct place_scope *scope,
				enum hook hook, enum side side);
/* The same for the places of a block, which are asked for more than once. */
struct side_value side_evaluate_block(struct side_context *context,
				      const struct place_scope *scope, enum hook hook,
				      enum side side);
/* One list alone. */
struct side_value side_evaluate_list(struct side_context *context, const struct place_list *list,
				     enum hook hook, enum side side);
/* Whether the boxes are the same in every hook: only addresses and any. */
bool side_is_hook_free(const struct place_scope *scope);
/* Whether some item is an empty `file … or empty`. */
bool side_has_empty_file(const struct place_scope *scope);

#endif
