/* What the steps of the minimiser share: the work of one list. Private to this folder. */
#ifndef FWC_TARGET_CISCO_MINIMISE_STEPS_H
#define FWC_TARGET_CISCO_MINIMISE_STEPS_H

#include "target/cisco/minimise/meeting.h"

#define MEETING_MOST 1024 /* entries that meet one region; more are not looked at */

struct minimise_groups;

struct minimising {
	void *pool; /* of the work */
	struct minimise_list *list;
	struct meeting *meeting; /* NULL until it is needed */
	size_t steps;            /* that are left */
	uint32_t *run;           /* of each entry: one number for neighbours of one colour */
	uint32_t *barrier;       /* how many barriers stand before it */
	struct minimise_groups *groups[3]; /* by field, as of when nothing had changed; or NULL */
	bool is_changed;         /* since the groups were made */
	uint32_t version;        /* counts changes, from 1 on */
	uint32_t joined[3];      /* by field: the version that joining found nothing in */
	/* whom dropping has to ask: those that meet what was joined or grown since; or all */
	bool *is_settled;        /* of each entry */
	struct region *touched;  /* addresses alone count */
	size_t touched_count, touched_capacity;
	/* of one question */
	uint32_t *places;
	struct region *regions;
};

/* Whether packets of the region that reach the places between `after` and `before` get this colour there from
 * every entry but `except`, or reach none of those that give another one. */
struct minimise_question {
	const struct region *region;
	uint32_t colour;
	uint32_t after, before; /* neither is looked at */
	uint32_t except;
	uint32_t condition;     /* is true; 0: none */
};

bool minimising_gives(struct minimising *work, const struct minimise_question *question);
/* Numbers `run` and `barrier`. */
void minimising_number(struct minimising *work);
/* The trees, made anew where too much changed. */
void minimising_meet(struct minimising *work);

/* An entry becomes another one, of its own and the others' parts. */
void minimising_replace(struct minimising *work, uint32_t place, const struct minimise_entry *with);
/* Goes: its parts are the other's, or nobody's. */
void minimising_remove(struct minimising *work, uint32_t place, uint32_t holder);
const struct minimise_parts *minimising_parts(struct minimising *work, const struct minimise_parts *a,
					      const struct minimise_parts *b);
const struct minimise_parts *minimising_own_parts(struct minimising *work, uint32_t place);

/* Each: whether something became shorter. */
bool minimise_join(struct minimising *work);  /* join.c: neighbours */
bool minimise_grow(struct minimising *work);  /* grow.c: over what lies between */
/* The last step: adds entries. */
void minimise_gaps(struct minimising *work);  /* gaps.c: over what is denied for all */

/* --- costs -------------------------------------------------------------------------------------------- */

struct minimise_cost {
	size_t entries, expanded, registers; /* registers: in halves */
};

struct minimise_cost minimise_range_cost(struct port_range range);
struct minimise_cost minimise_ports_cost(const struct minimise_ports *ports);
/* Below 0: a is the better one. */
int minimise_cost_compare(enum minimise_aim aim, const struct minimise_cost *a, const struct minimise_cost *b);

#endif
