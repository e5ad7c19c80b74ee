/* The lists that are written, through the minimiser. */
#ifndef FWC_TARGET_CISCO_MINIMISE_LINES_H
#define FWC_TARGET_CISCO_MINIMISE_LINES_H

#include "target/cisco/minimise/minimise.h"
#include "target/cisco/model/model.h"

struct minimise_settings {
	enum minimise_aim aim;
	bool has_multi_eq;    /* of this list */
	bool keeps_denials;   /* what rules deny keeps entries of its own before the default */
};

/* Needs: a list whose entries from `begin` on hold every packet. Keeps: what minimise.h says, and the last
 * entry. Rules that have no entry left are told so; entries of several rules know their parts. */
void minimise_lines(void *pool, struct diags *diags, struct ios_list *list, size_t begin,
		    const struct minimise_settings *settings);

#endif
