/* Registers, byte by byte: where each byte came from and what was done to it.
 *
 * A variable is a quantity of the packet as the kernel puts it into registers: so many bytes, in
 * network or host order. A byte of a register is (byte of a variable AND mask) XOR xor, or constant, or
 * was never written. What a comparison or a lookup then says of variables follows from the bytes,
 * whatever expressions brought them there: the wrong register, a shifted load or a mask that lacks a
 * bit make another condition.
 *
 * Source: net/netfilter/nf_tables_api.c (nft_parse_register), include/net/netfilter/nf_tables.h
 * (nft_reg_store8 and its like clear the rest of a 32-bit register). */
#ifndef FWC_TARGET_NFT_WALK_VALUE_H
#define FWC_TARGET_NFT_WALK_VALUE_H

#include "target/nft/walk/space.h"

enum walk_variable_kind {
	WALK_VARIABLE_FIELD,  /* a field's own number; unknowns too */
	WALK_VARIABLE_FAMILY, /* one value a family */
	WALK_VARIABLE_PROTOCOL,
	WALK_VARIABLE_STATE,  /* one bit a state */
	WALK_VARIABLE_STATUS, /* a bit a condition */
	WALK_VARIABLE_INDEX,  /* number of an interface; 0: none */
	WALK_VARIABLE_DAY,    /* Sunday 0 to Saturday 6 */
	WALK_VARIABLE_HOUR,   /* second of the day */
};

struct walk_variable {
	enum walk_variable_kind kind;
	const char *name;
	uint32_t rank;   /* of its field */
	uint8_t bytes;   /* 1 to 16 */
	bool is_host_order;
	number128 highest;
	uint32_t values[2]; /* FAMILY: of IPv4 and IPv6 */
};

/* Variables that loads name; unknown ones follow. */
enum {
	WALK_UNWRITTEN,
	WALK_CONSTANT,
	WALK_NFPROTO, WALK_ETHERTYPE, WALK_L4PROTO, WALK_CT_STATE, WALK_CT_STATUS,
	WALK_IIFNAME, WALK_OIFNAME, WALK_IIF, WALK_OIF,
	WALK_IP_SADDR, WALK_IP_DADDR, WALK_IP6_SADDR, WALK_IP6_DADDR,
	WALK_SPORT, WALK_DPORT, WALK_TYPE, WALK_CODE, WALK_FLAGS, WALK_TTL,
	WALK_CT_DST_IP, WALK_CT_DST_IP6, WALK_CT_PROTO_DST, WALK_CT_HELPER,
	WALK_FIB_TYPE, WALK_DAY, WALK_HOUR, WALK_CLOCK,
	WALK_VARIABLES,
};

struct walk_byte {
	uint16_t variable;
	uint8_t index; /* 0: the variable's most significant byte */
	uint8_t mask, xor;
};

#define WALK_WORDS 20 /* the verdict's four, then 16 (NFT_REG32_COUNT) */
#define WALK_REGISTER_BYTES (WALK_WORDS * 4)

struct walk_registers {
	struct walk_byte bytes[WALK_REGISTER_BYTES];
};

struct walk_variables {
	struct walk_space *space;
	struct walk_variable *items;
	size_t items_count, items_capacity;
	struct names *by_name;
};

struct walk_variables *walk_variables_new(struct walk_space *space);
/* The unknown variable of this name, new or known. bytes: 1 to 16. */
uint16_t walk_variable_unknown(struct walk_variables *variables, const char *name, unsigned bytes,
			       bool is_host_order);

/* The first byte of a register by its number in a message; -1 where there is no such register, or
 * length bytes do not fit behind it. NFT_REG_VERDICT is none for data. */
int walk_register_place(uint64_t number, unsigned length);

/* Writes a whole variable, or bytes of it; the rest of the last 32 bits becomes zero. */
void walk_register_load(struct walk_registers *registers, int place, const struct walk_variables *variables,
			uint16_t variable);
void walk_register_bytes(struct walk_registers *registers, int place, const struct walk_byte *bytes,
			 unsigned length);
void walk_register_constant(struct walk_registers *registers, int place, const uint8_t *bytes, unsigned length);
void walk_register_mask(struct walk_registers *registers, int from, int to, unsigned length,
			const uint8_t *mask, const uint8_t *xor);
/* Turns the bytes of each whole unit of size bytes, as byteorder does on this machine. */
void walk_register_turn(struct walk_registers *registers, int from, int to, unsigned length, unsigned size);

/* What a condition asks of one variable: (value AND mask) == wanted. */
struct walk_equation {
	uint16_t variable;
	number128 mask, wanted;
};

#define WALK_EQUATIONS_MAX 16

struct walk_equations {
	struct walk_equation items[WALK_EQUATIONS_MAX];
	size_t items_count;
	bool is_impossible;
	bool is_unclear; /* a byte was never written, or there are too many variables */
};

/* When length bytes of the register equal these. */
struct walk_equations walk_equations_of(const struct walk_registers *registers, int place,
					const uint8_t *bytes, unsigned length);

/* The register's length bytes as the leading bytes of one variable in their order: its number, or
 * WALK_UNWRITTEN where they are not. */
uint16_t walk_ordered_variable(const struct walk_registers *registers, int place, unsigned length);
/* Are they all constant? Then their values. */
bool walk_constant_bytes(const struct walk_registers *registers, int place, unsigned length, uint8_t *bytes);

/* The bit of each state in the kernel's number (NF_CT_STATE_*_BIT). */
extern const uint32_t walk_state_bits[WALK_STATES];

/* The values of a variable for which the equation holds; false where they are too many intervals. */
bool walk_equation_values(void *pool, const struct walk_variable *variable, const struct walk_equation *equation,
			  struct interval_set *values);
/* The highest number that the variable's bytes hold. */
number128 walk_variable_limit(const struct walk_variable *variable);
/* Bytes in network order to a number. */
number128 walk_number_of_bytes(const uint8_t *bytes, unsigned length);

#endif
