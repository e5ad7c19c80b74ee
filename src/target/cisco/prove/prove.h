/* Proof of the output: lists that were written, read back as packet sets, against what the policy wants.
 *
 * Where packets enter (an interface of a device, a tunnel's clear text, or nowhere in particular), the list
 * that the text binds there has to permit exactly the first packets that the rules let enter, and beyond
 * them exactly what was announced of answers (struct ios_list: excess). Translated is what the policy's
 * translations say (translated.h, static.h). Everything else of the text but lists, groups, time
 * ranges, bindings, crypto maps and NAT is not looked at. Nothing here comes from the writer: the text goes
 * through read/read.h, the policy through the analysis's own boxes.
 *
 * Times: `to 17:59` ends with that minute for permits and before it for denials: the reading of the two
 * that lets more in. Later fragments are those of read/sets.h, and not compared. What `evaluate` holds is
 * what was seen leaving, no first packet: it is taken for nothing. */
#ifndef FWC_TARGET_CISCO_PROVE_PROVE_H
#define FWC_TARGET_CISCO_PROVE_PROVE_H

#include "analyse/packetset.h"
#include "target/cisco/cisco.h"

enum cisco_proof_result {
	CISCO_PROOF_EQUAL,
	CISCO_PROOF_DIFFERS,
	CISCO_PROOF_UNDECIDED,  /* the budget of memory is used up, or time ranges are not those of rules */
	CISCO_PROOF_UNREADABLE, /* the text holds what the reader does not understand */
};

struct cisco_proof {
	enum cisco_proof_result result;
	size_t lists, entries;  /* that were compared */
	/* DIFFERS: for messages */
	const char *where;      /* "list 'FWC'", "interface 'Serial0/0'" */
	const char *packet;     /* NULL: the binding is what differs, as `found` says */
	const char *wanted, *found;
	struct span origin;     /* the rule that decides in the policy, or SPAN_NONE */
	struct span entry;      /* of the text: the entry that decides, or SPAN_NONE */
	struct span unasked;    /* a translation of the text that was not compared, or SPAN_NONE */
	/* UNDECIDED, UNREADABLE */
	const char *reason;
	struct span place;
};

/* What is proved against what: one device, or none (the ruleset's policy knows). */
struct cisco_proof_subject {
	const struct ruleset *ruleset;
	const struct ios_config *announced; /* excess by the names of lists; nothing else is looked at */
	const struct cisco_settings *settings;
	struct sources *sources;
	const uint32_t *texts; /* sources, as if typed one after the other */
	size_t texts_count;
	bool has_others;       /* a router's own text: interfaces that the device does not name have their lists */
};

/* The name that the manual gives a list without a device ("compile --name"). */
const char *cisco_list_name(void *pool, const struct cisco_settings *settings, enum family family);

struct cisco_proof cisco_prove(void *pool, const struct cisco_proof_subject *subject);

#endif
