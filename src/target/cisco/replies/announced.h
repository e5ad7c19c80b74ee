/* What was told of answers (excess.h), for the proof, which compares the lists with it. All copies lie in the pool
 * that is given. */
#ifndef FWC_TARGET_CISCO_REPLIES_ANNOUNCED_H
#define FWC_TARGET_CISCO_REPLIES_ANNOUNCED_H

#include "target/cisco/model/model.h"

/* Adds a box to the list's `answers`. */
void announced_add(void *pool, struct ios_list *list, const struct packet_box *box);

/* The configuration's lists without their lines: name, family and answers. Once its text is written, this alone is
 * asked for, and the configuration itself need not live as long. */
struct ios_config *announced_copy(void *pool, const struct ios_config *config);

#endif
