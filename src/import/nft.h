/* A ruleset of nf_tables, made a policy of the same meaning.
 *
 * Every expression is understood by the symbolic walk of target/nft, rule by rule; chains are unfolded here
 * (unfold.h says how), families one after the other, and what both say in the same words stands once. Base
 * chains of one hook stand one behind the other by their priorities. The policy speaks of first packets; that
 * answers, loopback, neighbour discovery and multicast listener messages pass, and that packets of no known
 * connection do not, is the language's own. What has no counterpart is an error at the rule. */
#ifndef FWC_IMPORT_NFT_H
#define FWC_IMPORT_NFT_H

#include "diag/diag.h"
#include "import/iptables.h"
#include "services/database.h"
#include "target/nft/read/read.h"
#include "target/nft/walk/walk.h"

struct import_nft_source {
	const char *name; /* for messages: a path, "kernel:" */
	struct nft_read *read;
	/* Of comparisons with numbers; none: loopback's alone is known. */
	const struct walk_interface *interfaces;
	size_t interfaces_count;
	/* What `nft -a list ruleset` prints, for places in messages; NULL: not known. */
	const char *listing;
	size_t listing_length;
};

struct import_nft_settings {
	struct import_iptables_settings common;
	const char **tables; /* "inet filter"; none: all */
	size_t tables_count;
};

/* What was read, for the proof. */
struct import_nft_tables {
	const struct read_table **items;
	size_t items_count, items_capacity;
	bool translates_destinations; /* some rule does */
	bool lacks_foreign_icmp;      /* some was let through, and is not in the policy */
	bool has_other_logs;          /* log lines differ, of which a warning tells */
};

/* Appends the policy. Mistakes are in the bag; then the text is of no use, but that *is_usable tells of one in
 * which rules that allowed became comments. The database must have been resolved whole. */
void import_nft(struct text *out, struct diags *diags, const struct import_nft_source *source,
		const struct service_database *database, const struct import_nft_settings *settings,
		struct import_nft_tables *tables, bool *is_usable);

#endif
