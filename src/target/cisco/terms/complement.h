/* Terms of nearly every protocol, such as `deny any except ssh`.
 *
 * IOS has one word for all protocols, `ip`, reads the number 0 as that word, and takes one entry for
 * each protocol else: 255 of them, and none that is protocol 0 alone. Where what a term leaves out is
 * decided first, as the terms behind it decide it, the term itself is `ip`:
 *
 *     permit tcp any any eq 22      as a rule behind it has it
 *     deny ip any any
 *
 * Every packet keeps its verdict, log and counter: the terms together hold every packet, so that those
 * brought forward decide all that the term leaves out. */
#ifndef FWC_TARGET_CISCO_TERMS_COMPLEMENT_H
#define FWC_TARGET_CISCO_TERMS_COMPLEMENT_H

#include "base/arena.h"
#include "target/cisco/terms/term.h"

/* The terms from `begin` on, where it takes fewer entries, or protocol 0 needs it. */
void terms_complement(void *pool, enum family family, bool has_multi_eq, struct ios_terms *terms, size_t begin);
/* The terms from `begin` on cut to the addresses and services of `whole`, in their order, up to the first
 * that holds all of these. What is made stays in the arena. */
struct ios_terms terms_cut_to(void *pool, struct arena *arena, const struct ios_terms *terms, size_t begin,
			      const struct ios_term *whole);

#endif
