/* Boxes as words of the language: zones, addresses, services. */
#ifndef FWC_IMPORT_WORDS_H
#define FWC_IMPORT_WORDS_H

#include "diag/diag.h"
#include "import/space.h"
#include "services/spelling.h"

/* What was left for the log or the answer: one warning for a file. */
struct import_losses {
	struct span log, answer; /* of the first; SPAN_NONE: none */
	size_t logs, answers;
	size_t foreign_icmp; /* types of the other family's ICMP that were let through */
};

/* Addresses that have a name of their own: sets of the filter. */
struct import_network {
	const char *name;
	enum family family;
	struct interval_set addresses;
	bool is_used; /* a row names it */
};

struct import_networks {
	struct import_network *items;
	size_t items_count, items_capacity;
};

struct import_rows_settings {
	struct import_space *space;
	struct diags *diags;
	const struct spelling *spelling;
	bool ignores_always_passing; /* limits may count packets of known connections there */
	bool shares_limits; /* one limit counts packets of both families */
	bool skips_unknown; /* rules that allow on a condition that cannot be said become comments */
	struct import_losses *losses;
	struct import_networks *networks; /* or NULL */
	struct names *interfaces; /* those that rows name are added */
	struct names *limited;    /* lines with a limit that became a row, by their address */
};

void import_tell_losses(struct diags *diags, const struct import_losses *losses);
/* Whether all errors from index `since` on tell of lines that were left out on request. */
bool import_are_all_skipped(const struct diags *diags, size_t since);

/* Whether this error stands there: a chain that several rules jump to makes it once. */
bool import_is_told(const struct diags *diags, enum code code, struct span span);

/* Interfaces of a set as a list of zones, or as what it lacks where it holds ones without a name; the
 * loopback interface is never told. NULL: all. */
const char *import_zones_of(const struct import_rows_settings *settings, const struct interval_set *set);
void import_add_intervals(struct text *out, enum family family, const struct interval_set *set);
/* " from 10.0.0.0/8", the name of a network, or what is left out, where that is less; nothing where the set is
 * whole. is_open: it has to be, since an address in `from` keeps `to ZONE` from speaking of output. *has_family is
 * set: it names addresses of one family. */
void import_add_addresses(const struct import_rows_settings *settings, struct text *out, const char *word,
			  const struct interval_set *set, bool is_open, bool *has_family);

/* Adds the box's services. false: *what is unsayable. */
bool import_box_tuples(const struct import_rows_settings *settings, const struct import_box *box,
		       struct tuple_set *tuples, const char **what);
/* Whether some are of port 0 alone. */
bool import_has_port_zero(const struct tuple_set *tuples);
/* Services of the space's family. *has_family: they are of it alone. */
void import_add_services(const struct import_rows_settings *settings, struct text *out,
			 const struct tuple_set *set, bool *has_family);
/* Items of the shorter of both ways to write a set. */
size_t import_length_of(const struct import_rows_settings *settings, const struct tuple_set *set);

#endif
