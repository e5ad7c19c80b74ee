/* Which boxes two first-match lists have in common, in one order.
 *
 * Boxes have a number each, an id: equal for equal boxes whose numbers do the same, in all lists that one
 * pairing has seen. */
#ifndef FWC_ANALYSE_LIST_ALIGN_H
#define FWC_ANALYSE_LIST_ALIGN_H

#include "analyse/packetset.h"

struct list_pairing;

struct list_pairing *list_pairing_new(void *pool);

/* key: what its number does, NULL: like no other. */
uint32_t list_pairing_id(struct list_pairing *pairing, const struct packet_box *box, const char *key);

#define LIST_NO_TWIN SIZE_MAX

/* Of each id its twin's place in the other list. Twins have equal ids, and stand in one order in both lists:
 * in linear time but for a logarithm, not always as many as there could be. */
void list_align(void *pool, const uint32_t *const ids[2], const size_t counts[2], size_t *const twins[2]);

#endif
