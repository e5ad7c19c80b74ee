/* Rules of a first-match list that never match, and rules that could go: exact, for any list of boxes.
 *
 * Several boxes next to each other with one number are one rule. What could go is found from the last
 * rule to the first, each in the list without those already found: all of them together may be left
 * out, and no packet that can be changes its outcome.
 *
 * Rules whose effect is more than their outcome (a log line, a counter) must have an outcome of their
 * own; then they are never found removable, and only where they never match. */
#ifndef FWC_ANALYSE_SHADOW_H
#define FWC_ANALYSE_SHADOW_H

#include "analyse/packetset.h"

enum rule_finding_kind {
	RULE_IMPOSSIBLE, /* no packet can be like that (packet_set_possible) */
	RULE_REDUNDANT,  /* never matches: the blamed take all of it, with the same outcome */
	RULE_SHADOWED,   /* never matches: the blamed take all of it, all with other outcomes */
	RULE_MIXED,      /* never matches: some of the blamed have its outcome, others not */
	RULE_REMOVABLE,  /* matches; without it later rules (and perhaps the default) do the same */
	RULE_AS_DEFAULT, /* matches; without it the default alone does the same */
};

struct rule_finding {
	uint32_t number;              /* of the rule */
	enum rule_finding_kind kind;
	/* of those that never match: numbers of earlier rules that together take it, ascending; each takes some
	 * of it. If all have one outcome none of them can be left out, else they are all that take some
	 * (blame_is_least: else those that overlap it, and perhaps not all of them) */
	uint32_t *blame;
	size_t blame_count, blame_capacity;
	bool blame_is_least;
	struct packet_point witness;  /* a packet of the rule, that it decides only if removable; none
					 if impossible */
};

/* Covers are faster, and need little memory; diagrams never meet a rule that overlaps too many. */
enum shadow_engine {
	SHADOW_ANY,      /* covers, and diagrams where those leave something undecided */
	SHADOW_COVERS,   /* cover.h alone */
	SHADOW_DIAGRAMS, /* diagrams; past their budget covers */
};

struct shadow_question {
	const struct packet_universe *universe;
	/* numbers ascend from 0; each has a box; each box names one hook and one family */
	const struct packet_rule *rules;
	size_t count;                    /* of boxes */
	const uint32_t *outcomes;        /* of numbers: below SHADOW_OUTCOMES */
	const bool *stays;               /* numbers that are not asked whether they could go; NULL: none */
	uint32_t otherwise;              /* outcome of the default */
	bool has_blame;                  /* else kinds of dead rules are not told apart: RULE_SHADOWED,
					    and there are no blame and no witnesses */
	bool is_dead_only;               /* all outcomes differ: none could go, nor is that asked */
	enum shadow_engine engine;
	size_t budget;                   /* packet_space_new, for each order; 0: as there, or, with
					    SHADOW_ANY, 2,000,000 */
	size_t *work;                    /* comparisons of boxes that are left, for this and other
					    questions; NULL: any number */
};

#define SHADOW_OUTCOMES (PACKET_NUMBER_MAX - 8)

struct shadow_answer {
	struct rule_finding *findings; /* by number */
	size_t findings_count, findings_capacity;
	enum shadow_engine engine; /* whose answer it is; never ANY */
	size_t undecided_count;    /* rules that neither engine could judge within its budget: they count
				      as kept */
	size_t bytes;              /* of the diagrams, if there were any */
};

/* Never NULL. */
struct shadow_answer *shadow_find(void *pool, const struct shadow_question *question);

#endif
