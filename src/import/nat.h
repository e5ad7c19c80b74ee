/* The nat table as translations of the language.
 *
 * The first packet of a connection decides, as in the language. PREROUTING is what `forward` does to packets
 * from elsewhere, OUTPUT what it does to the firewall's own, POSTROUTING what `masquerade` and `snat` do. A
 * `forward` also admits what it translated; so the policy decides about every packet before it, and it
 * never gets to that. What cannot be said is an error at the line. */
#ifndef FWC_IMPORT_NAT_H
#define FWC_IMPORT_NAT_H

#include "import/rows.h"

struct import_translations {
	const char **networks;    /* definitions: destinations that are more than an address */
	size_t networks_count, networks_capacity;
	const char **statements;
	size_t statements_count, statements_capacity;
	bool has_forward;
};

/* What becomes of packets in a list: destinations of those from elsewhere, of the firewall's own; sources. */
enum import_nat_chain { IMPORT_NAT_DESTINATION, IMPORT_NAT_OWN_DESTINATION, IMPORT_NAT_SOURCE };

/* Mistakes are in the bag. */
void import_translations_of_list(const struct import_rows_settings *settings, const struct import_list *list,
				 enum import_nat_chain chain, struct import_translations *translations);
void import_translations_of(const struct import_rows_settings *settings, const struct save_table *table,
			    struct import_translations *translations);

#endif
