/* The matches of one rule of iptables as a set of packets.
 *
 * Facts: iptables(8), iptables-extensions(8). A match that this language has no word for becomes an
 * unknown of the space, which may hold or not, and is remembered with its place. A limit is no set:
 * it stands beside it. A match counts wherever it stands, behind the target, too. */
#ifndef FWC_IMPORT_MATCH_H
#define FWC_IMPORT_MATCH_H

#include "import/save.h"
#include "import/space.h"

struct import_limit {
	const char *count; /* "6" */
	const char *unit;  /* "minute" */
	const char *burst;
	bool is_per_source;
	const char *table; /* of buckets, which all rules that name it share; NULL: the rule's own */
	struct span span;
};

struct import_match {
	import_set set;
	const struct import_limit *limit; /* or NULL */
	const char *comment; /* or NULL */
	const struct save_word *target;   /* NULL: the rule does nothing but count */
	bool is_goto;
	struct save_word *options;        /* of the target */
	size_t options_count, options_capacity;
};

/* Packets of a hook that lack one of them have no interface: its name is "". */
enum { IMPORT_LACKS_IN = 1, IMPORT_LACKS_OUT = 2 };

/* lacks: IMPORT_LACKS_*. false after an error in the bag. */
bool import_match_read(struct import_space *space, struct diags *diags, const struct save_rule *rule,
		       unsigned lacks, struct import_match *match);

#endif
