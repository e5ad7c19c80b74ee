/* What a rule's `from` or `to` means in one hook: boxes of (interface, addresses).
 *
 *            from: input        forward      output      to: input   forward     output
 *   any            all          all          all             all     all         all
 *   self           -            -            all             all     -           -
 *   zone           zone.input   zone.routed  -               -       zone.routed zone.routed
 *   addresses      the set      the set      the set         the set the set     the set
 *
 * `LIST except LIST` is subtraction within a cell, so that `any except self` comes out as forwarded
 * traffic. In output `to ZONE` counts only where `from` is any or self: hence the two halves of
 * a side. */
#ifndef FWC_EXPAND_SIDE_H
#define FWC_EXPAND_SIDE_H

#include "base/arena.h"
#include "resolve/policy.h"

enum side { SIDE_FROM, SIDE_TO };

struct side_value {
	struct place_boxes all;
	/* from: the part that any and self gave; to: the part that no zone gave */
	struct place_boxes part;
};

struct side_context {
	void *pool;
	struct arena *arena;
	struct address_set whole; /* every address of both families */
};

struct side_context side_context_new(void *pool);

/* NULL scope: any. All lists of the scope must match. */
struct side_value side_evaluate(struct side_context *context, const struct place_scope *scope,
				enum hook hook, enum side side);
/* One list alone. */
struct side_value side_evaluate_list(struct side_context *context, const struct place_list *list,
				     enum hook hook, enum side side);
/* Whether the boxes are the same in every hook: only addresses and any. */
bool side_is_hook_free(const struct place_scope *scope);
/* Whether some item is an empty `file … or empty`. */
bool side_has_empty_file(const struct place_scope *scope);

#endif
