/* What `explain` says of packets: worked out once, printed as text or as JSON. */
#ifndef FWC_CMD_ANSWER_H
#define FWC_CMD_ANSWER_H

#include "analyse/explain.h"
#include "analyse/near.h"
#include "cmd/question.h"
#include "cmd/session.h"
#include "target/cisco/prove/follow.h"
#include "target/nft/report/follow.h"

#define ANSWER_NEAR_MOST 3

/* Where one packet is decided in what was compiled; what is not there is not known. */
struct answer_outputs {
	bool has_table_path, has_lists_path;
	struct nft_path table_path;
	struct cisco_path lists_path;
};

/* Packets of one hook that one statement decides, and what becomes of one of them. */
struct answer_decision {
	enum hook hook;
	struct packet packet;
	bool is_every;                          /* all packets asked about in this hook, or made by the forward */
	bool is_way_known;                      /* of what a forward made: by which interface it leaves */
	bool is_hop_limit_other;                /* neighbour discovery of another hop limit than 255 */
	bool is_timed;                          /* rules of the hook look at the clock */
	const struct rule_translation *forward; /* what made the packet of one that was asked about; or NULL */
	const struct outcome *outcome;
	const struct identity *identity;        /* of the rule, or of the default */
	struct span origin;                     /* the statement; SPAN_NONE: a default that nobody wrote */
	const struct rule_translation *leaves;  /* its source translation, or NULL */
	const struct tunnel *tunnel;            /* that carries it, or NULL */
	struct near_rule near[ANSWER_NEAR_MOST];
	size_t near_count;
	struct answer_outputs outputs;
};

/* Packets of one hook that pass before any rule. */
struct answer_always {
	const struct explain_always *found;
	struct answer_outputs outputs; /* of its packet */
};

/* A policy as this host or one device sees it. */
struct answer {
	const struct device *device;   /* NULL: none */
	const struct nft_table *table; /* of this host, or NULL */
	bool is_compiled;              /* else the target gives nothing for the policy */
	struct answer_decision *decisions;
	size_t decisions_count, decisions_capacity;
	struct answer_always *always;
	size_t always_count, always_capacity;
};

struct answers {
	struct session *session;
	const struct question *question;
	struct answer *items;
	size_t items_count, items_capacity;
};

/* What becomes of packets before any rule, by their state. */
struct answer_before {
	enum verdict verdict;
	const char *why;
};
/* NULL where the rules are asked. */
const struct answer_before *answer_before_rules(const struct question *question);

/* "neighbour discovery" */
const char *answer_always_word(enum explain_always_kind kind);

/* For a view after session_expand. What cannot be said is in the bag of the session. */
void answer_view(struct answers *answers, const struct session_view *view);

void answers_text(struct text *out, const struct answers *answers);
/* answer_json.c: manual, "explain --format json" */
void answers_json(struct text *out, const struct answers *answers);

#endif
