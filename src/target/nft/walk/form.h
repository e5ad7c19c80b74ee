/* What the keys of an exact set ask, where that is simple: of each of some variables one interval.
 *
 * Which bytes of a key are compared with which bytes of a packet is the same for all elements. It is worked out
 * once; an element then costs a look at its bytes. Where it is not simple (a byte that was never written, a mask
 * with holes, names, states) elements are looked at one by one (walk_equations_of). */
#ifndef FWC_TARGET_NFT_WALK_FORM_H
#define FWC_TARGET_NFT_WALK_FORM_H

#include "target/nft/walk/value.h"

#define WALK_FORM_FIELDS 8
#define WALK_FORM_BYTES 64

struct walk_form_field {
	uint16_t variable;
	bool is_protocol; /* else a field of the space */
	unsigned down;    /* from the variable's place in a number (add_byte in value.c) to its values */
	number128 inside; /* the bits that no byte compares: the lowest ones */
};

struct walk_form {
	struct walk_form_field fields[WALK_FORM_FIELDS];
	size_t fields_count; /* 0: it is not simple */
	unsigned length;     /* of the key */
	struct {
		uint8_t mask, xor;
		uint8_t field; /* WALK_FORM_FIELDS: constant, which is xor */
		uint8_t shift; /* in bytes */
	} bytes[WALK_FORM_BYTES];
};

/* Of the key at this place of the registers. */
struct walk_form walk_form_of(const struct walk_variables *variables, const struct walk_registers *registers,
			      int place, unsigned length);
/* One interval a field; false: no packet has this key. */
bool walk_form_values(const struct walk_form *form, const uint8_t *key, struct interval values[WALK_FORM_FIELDS]);

#endif
