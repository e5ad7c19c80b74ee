/* What every part of the lowering writes with: memory, names, chains, sets and objects.
 *
 * A chain is written as a draft; drafts nest like calls: a chain that is begun while another is
 * open must be ended before the other gets its next rule. Chains reach the table when they are
 * ended, so that every chain stands before those that jump to it. */
#ifndef FWC_TARGET_NFT_EMIT_BUILD_H
#define FWC_TARGET_NFT_EMIT_BUILD_H

#include "base/arena.h"
#include "base/names.h"
#include "target/nft/emit/memo.h"
#include "target/nft/nft.h"

/* A place to go to, and how many levels of chains it needs (0: none, it is a verdict). */
struct goal {
	struct nft_verdict verdict;
	unsigned height;
};

struct unit;
struct service_group;
struct action;

struct lower {
	void *pool;    /* of the table */
	struct arena *arena; /* in it */
	void *scratch; /* freed when the table is complete */
	struct arena *passing; /* in it */
	struct diags *diags;
	const struct ruleset *ruleset;
	const struct nft_settings *settings;
	const struct optimise_limits *limits; /* of its level */
	struct nft_table *table;

	struct nft_rule *drafts; /* the rules of all open drafts, one behind the other */
	size_t drafts_count, drafts_capacity;

	struct unit *units;
	size_t units_count, units_capacity;
	size_t units_narrowed; /* of them: parts of others, or others with a screen */
	struct service_group *groups;
	size_t groups_count, groups_capacity;
	struct action *actions;
	size_t actions_count, actions_capacity;

	struct memo group_memo, action_memo, set_memo, chain_memo, name_memo, rule_memo;
	struct memo service_chain_memo, side_memo, narrow_memo, once_chain_memo, once_map_memo;
	/* what the numbers of the memos stand for */
	struct leaf_chain *leaf_chains;
	size_t leaf_chains_count, leaf_chains_capacity;
	struct shared_rule *shared_rules;
	size_t shared_rules_count, shared_rules_capacity;
	struct service_chain *service_chains;
	size_t service_chains_count, service_chains_capacity;
	struct once *onces;
	size_t onces_count, onces_capacity;
	struct side_chain *side_chains;
	size_t side_chains_count, side_chains_capacity;
	const char **names;
	size_t names_count, names_capacity;

	struct nft_statement *finals[2]; /* accept and drop, as the end of rules; NULL: not made yet */
	struct {
		uint32_t source; /* which one it is of, where there is a name */
		const char *name; /* as places show it; or NULL */
		size_t length;
	} place;

	struct text *comment; /* under construction */

	bool has_places; /* what is written may compare addresses by their places, where the family is known */
	bool may_check; /* the list that is being cut may get checkpoints (split/rest.h) */
	bool has_plain_leaves; /* the list that is being cut is too deep for its leaves to be cut again */
	size_t copies_made; /* units in the leaves of all cuts */
	size_t sets_kept, copies_kept; /* back for what is written later */
	uint64_t growth;   /* lines of the list that is being written for each of the policy, in hundredths */
	size_t sets_most;  /* in the table, but for sets_given */
	size_t sets_given; /* of the table's: what outcomes need, which is no choice */
	uint32_t distinct_outcomes; /* numbers from the top, for ends that equal no other */
	struct goal refuse; /* the chain that rejects, made on first use */
	struct nft_choice *choice; /* of the list that is being written, where it is reported; or NULL */
	const char *prefix; /* of generated names: the list that is being lowered */
	struct name_counter *counters;
	size_t counters_count, counters_capacity;
};

struct name_counter {
	uint64_t hash; /* of the name without its number */
	size_t number;
};

struct wanted_name {
	const struct lower *lower;
	const char *text;
};

/* A list of statements that rules may share. */
struct statements {
	struct nft_statement *items;
	size_t items_count;
	unsigned height; /* of the chains that it goes to */
};

/* Statements that are made once for many chains: one service, then a plain verdict. */
struct shared_rule {
	struct service_tuple tuple;
	struct statements statements;
};

struct draft {
	size_t base;
	unsigned height;
};

/* Zeroed memory that lives as long as the table; small pieces cost no header. */
void *lower_take(struct lower *lower, size_t size);
#define lower_new(lower, type) ((type *)lower_take((lower), sizeof(type)))
#define lower_array(lower, type, count) ((type *)lower_take((lower), (count) * sizeof(type)))
const char *lower_copy_string(struct lower *lower, const char *string);

/* "PREFIX_KIND_N", N from 1, or "PREFIX_N" without a kind. */
const char *lower_name(struct lower *lower, const char *kind);
/* The same in so many bytes at least. */
char *lower_name_in(struct lower *lower, const char *kind, size_t room);
/* "PREFIX" + identity with what nft does not take in a name replaced; unique. */
const char *lower_identity_name(struct lower *lower, const char *prefix, const char *identity);
#define LOWER_COMMENT_MAX 127 /* bytes: of a longer comment nft lists nothing */
/* "policy.fw:12" for comments; NULL for SPAN_NONE. */
const char *lower_place(struct lower *lower, struct span span);

/* Room for so many elements of a set, of which it is known how many fields it has and whether it is one of
 * intervals. */
void lower_elements(struct lower *lower, struct nft_set *set, size_t count);
/* The next of them; to be filled. */
struct nft_element *lower_element(struct nft_set *set);

struct draft draft_begin(struct lower *lower);
/* Adds a rule; the statements are copied. */
struct nft_rule *draft_rule(struct lower *lower, struct draft *draft,
			    const struct statements *statements);
/* Adds a rule that uses these statements themselves. */
struct nft_rule *draft_shared_rule(struct lower *lower, struct draft *draft,
				   const struct statements *statements);
/* Ends the draft as a chain of the table. */
struct nft_chain *draft_end(struct lower *lower, struct draft *draft, const char *name);
struct goal goal_of_chain(const struct draft *draft, const struct nft_chain *chain,
			  enum nft_verdict_kind kind);

/* Adds a set with one field or several (copied). name: NULL for a map that gets one in map_once (once.h). */
struct nft_set *lower_set(struct lower *lower, const char *name, const enum nft_field *fields,
			  size_t fields_count);
/* The sets of the table that were a choice. */
size_t lower_sets_chosen(const struct lower *lower);
bool lower_may_add_set(const struct lower *lower);
bool lower_may_add_sets(const struct lower *lower, size_t count);
/* The same for sets that one rule looks at: they leave room for the maps that dispatch. */
bool lower_may_add_leaf_set(const struct lower *lower);
/* The set of exactly these values, shared by all who ask for them. */
const struct nft_set *lower_interval_set(struct lower *lower, enum nft_field field,
					 const struct interval_set *intervals, struct span origin);

/* Statement makers. */
struct nft_statement match_equal(enum nft_field field, number128 value);
struct nft_statement match_interval(enum nft_field field, struct interval interval);
struct nft_statement match_name(enum nft_field field, enum nft_operator operator, const char *name);
struct nft_statement match_set(enum nft_field field, const struct nft_set *set);
struct nft_statement match_bits(enum nft_field field, uint32_t bits);
struct nft_statement verdict_statement(struct nft_verdict verdict);
struct nft_statement object_statement(enum nft_statement_kind kind, const char *name);

/* A list of statements under construction, on the stack of a function. */
#define RULE_STATEMENTS_MAX 48
struct rule_draft {
	struct nft_statement items[RULE_STATEMENTS_MAX];
	size_t items_count;
};
void rule_add(struct rule_draft *rule, struct nft_statement statement);
/* Adds the rule to the chain; height is that of what the rule goes to. */
struct nft_rule *rule_end(struct lower *lower, struct draft *draft, const struct rule_draft *rule,
			  unsigned height);

#endif
