/* Packets near what a table compares with: there a small mistake shows. */
#ifndef FWC_TESTS_READ_PACKETS_H
#define FWC_TESTS_READ_PACKETS_H

#include "model_eval.h"
#include "rules/ruleset.h"
#include "target/nft/read.h"

#define READ_CONSTANTS 4096

struct read_constants {
	number128 items[READ_CONSTANTS];
	char names[READ_CONSTANTS][17]; /* those of 16 bytes as names */
	uint8_t lengths[READ_CONSTANTS];
	size_t count;
};

/* Adds what the table's rules and sets compare with. */
void read_constants_add(struct read_constants *constants, const struct read_table *table);
/* A packet for some hook; points into the constants. */
struct model_packet read_packet_near(const struct read_constants *constants, const struct ruleset *ruleset);

#endif
