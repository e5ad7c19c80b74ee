/* Whether two lists do the same with every packet: verdicts, and which entries log. */
#ifndef FWC_TARGET_CISCO_MINIMISE_PROOF_H
#define FWC_TARGET_CISCO_MINIMISE_PROOF_H

#include "diag/diag.h"
#include "target/cisco/read/acl.h"

enum minimise_proof {
	MINIMISE_EQUAL,
	MINIMISE_DIFFERS,
	MINIMISE_UNDECIDED, /* the budget of memory is used up */
};

/* Lists whose meaning is known. What depends on the time, on fields of the header or on earlier packets may hold
 * or not, the same for the same words. packet: one of which they think differently, for messages. */
enum minimise_proof minimise_prove(void *pool, struct diags *diags, const struct acl_config *before_config,
				   const struct acl_list *before, const struct acl_config *after_config,
				   const struct acl_list *after, const char **packet);

#endif
