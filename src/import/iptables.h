/* iptables-save and ip6tables-save, made a policy of the same meaning.
 *
 * One source a family; the head of iptables-save tells which, else addresses do. The policy speaks of
 * first packets; that answers, loopback, neighbour discovery and multicast listener messages pass, and
 * that packets of no known connection do not, is the language's own. Counters are not kept. */
#ifndef FWC_IMPORT_IPTABLES_H
#define FWC_IMPORT_IPTABLES_H

#include "diag/diag.h"
#include "import/save.h"
#include "services/database.h"

struct import_iptables_settings {
	bool skips_unknown;         /* rows.h */
	bool ignores_always_passing; /* what always passes here may have been denied there */
};

/* What was read, for the proof. */
struct import_iptables_files {
	const struct save_file *items[2]; /* by enum family; NULL: none */
	bool translates_destinations; /* some rule does */
	bool lacks_foreign_icmp;      /* some was let through, and is not in the policy */
	bool has_other_logs;          /* log lines differ, of which a warning tells */
};

/* Appends the policy. Mistakes are in the bag; then the text is of no use, but that *is_usable tells of
 * one in which rules that allowed became comments. The database must have been resolved whole. */
void import_iptables(struct text *out, struct diags *diags, const uint32_t *sources, size_t sources_count,
		     const struct service_database *database,
		     const struct import_iptables_settings *settings, struct import_iptables_files *files,
		     bool *is_usable);

#endif
