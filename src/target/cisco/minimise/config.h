/* Lists of an existing configuration, made short.
 *
 * The lists come out as they were written: names, numbers, sequence numbers, words for ports, remarks. An
 * entry that several were joined into stands in the place of the first, behind the remarks of all of them.
 * Entries that log, `reflect` and `evaluate` stay as they are, and nothing is joined across them; a last
 * `deny ip any any` stays, too. A list that is not understood whole stays as it is, with a note. What is given
 * out was read back and compared with what was there: verdicts of all packets, later fragments too, whatever
 * the time, flags and fields of the header, and what logs. */
#ifndef FWC_TARGET_CISCO_MINIMISE_CONFIG_H
#define FWC_TARGET_CISCO_MINIMISE_CONFIG_H

#include "diag/diag.h"
#include "target/cisco/read/acl.h"
#include "target/cisco/minimise/minimise.h"

struct minimise_request {
	const struct acl_config *config;
	uint32_t source;         /* that it was read from */
	const char *list;        /* only the lists of this name; NULL: all */
	enum minimise_aim aim;
	bool has_multi_eq;       /* else where the configuration has such entries itself */
};

/* Appends the lists to `out`, and a line a list to `report`. false with an error in the bag, and then neither
 * is to be used. */
bool minimise_config(struct text *out, struct text *report, struct diags *diags,
		     const struct minimise_request *request);

#endif
