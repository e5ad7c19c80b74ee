/* What a reading does to one packet: a small machine that runs its expressions as the kernel does, on
 * bytes of headers and of registers. It knows nothing of sets of packets, and shares no code with what
 * works tables out by diagrams; that is checked against it. */
#ifndef FWC_TESTS_READ_EVAL_H
#define FWC_TESTS_READ_EVAL_H

#include "model_eval.h"
#include "target/nft/read/read.h"

struct read_result {
	enum model_fate fate;
	/* everything else that was done on the way, in its order: "log 'x' counter limit 'z' 5/60 …" */
	char notes[512];
	char counters[512]; /* the names of the counters that are only mentioned there */
	bool is_decided;
	const char *problem; /* what the machine cannot do, or the kernel would not take; NULL: none */
};

/* The base chains of this type on the packet's hook with a priority from low to high. */
struct read_result read_eval(const struct read_table *table, const char *type,
			     int32_t low, int32_t high, const struct model_packet *packet);

#endif
