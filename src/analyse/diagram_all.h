/* Many diagrams put together at once.
 *
 * Two by two, n diagrams that share few packets are rows of which each is copied log n times. Here all that ask
 * one field are walked side by side: each of their pieces is looked at once. */
#ifndef FWC_ANALYSE_DIAGRAM_ALL_H
#define FWC_ANALYSE_DIAGRAM_ALL_H

#include "analyse/diagram.h"

/* An operation that may be done in any grouping, of which leaf 0 on either side changes nothing. */
struct diagram_joining {
	const struct diagram_operation *operation;
	/* Does whatever comes behind this leaf make no difference? */
	bool (*is_last)(void *context, diagram leaf);
};

/* The first with the second, that with the third, and so on; of none leaf 0. The pool is for the meantime. */
diagram diagram_all(void *pool, struct diagrams *diagrams, const struct diagram_joining *joining,
		    const diagram *items, size_t count);

#endif
