/* What the passes share: a list of rules, and which of them may be touched. */
#ifndef FWC_OPTIMISE_PASS_H
#define FWC_OPTIMISE_PASS_H

#include "optimise/optimise.h"

/* The rules of one hook, in order. */
struct pass_list {
	struct rule **rules;
	size_t rules_count;
};

/* A pass over the rules of a hook: changes the list, whose array is its own and has room for no more. */
#define PASS(name, is_wanted, what)                                                               \
	void pass_##name(void *pool, struct pass_list *list, const struct optimise_settings *settings);
#include "optimise/passes.def"
#undef PASS

/* A verdict alone: nobody can tell which of two such rules decided. */
bool pass_is_plain(const struct rule *rule);
/* Besides, it holds at every time and for packets as they are. */
bool pass_is_unconditional(const struct rule *rule);
/* Can one packet match both? `true` may be wrong, `false` is certain. */
bool pass_may_meet(const struct rule *a, const struct rule *b);

#endif
