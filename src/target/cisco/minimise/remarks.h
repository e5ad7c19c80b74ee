/* A list that was read, written again as it stood: its head, its remarks, its entries' own words. */
#ifndef FWC_TARGET_CISCO_MINIMISE_REMARKS_H
#define FWC_TARGET_CISCO_MINIMISE_REMARKS_H

#include "base/text.h"
#include "diag/diag.h"
#include "target/cisco/read/acl.h"
#include "target/cisco/minimise/minimise.h"

struct remarks_writer {
	void *pool;
	struct text *out;
	const struct acl_list *list;
	const struct sources *sources;
	/* the writer's own */
	bool is_typed;    /* access-list NAME …, a line an entry */
	uint32_t *blocks; /* of each entry: the one whose remarks stand before it, and one; 0: none */
	const struct minimise_parts *last;
	size_t last_number;
};

void remarks_begin(struct remarks_writer *writer);
/* The entry with this number, behind the remarks that stood before it and its parts. parts NULL: its own alone.
 * entry NULL: as it stood. */
void remarks_write(struct remarks_writer *writer, size_t number, const struct minimise_parts *parts,
		   const struct acl_entry *entry);
void remarks_end(struct remarks_writer *writer);

#endif
