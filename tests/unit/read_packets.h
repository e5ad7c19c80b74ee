/* Packets near what a table compares with, and in the elements of its sets: there a small mistake shows. */
#ifndef FWC_TESTS_READ_PACKETS_H
#define FWC_TESTS_READ_PACKETS_H

#include "model_eval.h"
#include "rules/ruleset.h"
#include "target/nft/read/read.h"

#define READ_CONSTANTS 4096
#define READ_KEYS 64
#define READ_KEY_BYTES 80
#define READ_FAVOURITES 16

/* Where a byte of a register comes from. */
struct read_byte {
	uint8_t part;   /* enum read_part of read_packets.c; 0: of nothing that packets are given */
	uint8_t offset; /* in it */
	uint8_t mask;   /* bits that are kept */
};

/* What a lookup asks of a packet. */
struct read_key {
	const struct read_table *table;
	const struct read_set *set;
	struct read_byte bytes[READ_KEY_BYTES];
};

struct read_favourite {
	size_t key; /* of keys */
	const struct read_element *element;
};

struct read_constants {
	number128 items[READ_CONSTANTS];
	char names[READ_CONSTANTS][17]; /* those of 16 bytes as names */
	uint8_t lengths[READ_CONSTANTS];
	size_t count;
	struct read_key keys[READ_KEYS];
	size_t keys_count;
	struct read_favourite favourites[READ_FAVOURITES];
	size_t favourites_count;
};

/* Adds what the table's rules and sets compare with, and what its lookups ask. */
void read_constants_add(struct read_constants *constants, const struct read_table *table);
/* Elements that only one of two tables has are aimed at most: both have been added. */
void read_favour_differences(struct read_constants *constants, const struct read_table *one,
			     const struct read_table *other);
/* A packet for some hook; points into the constants and the tables. */
struct model_packet read_packet_near(const struct read_constants *constants, const struct ruleset *ruleset);

#endif
