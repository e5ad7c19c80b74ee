/* What iptables-save and ip6tables-save print, as tables, chains and rules of words.
 *
 * `*table`, `:CHAIN POLICY [packets:bytes]`, `[packets:bytes] -A CHAIN words…`, `COMMIT`; empty lines
 * and lines that begin with `#` say nothing. Words stand in double quotes where they hold blanks, with
 * `\` before `"` and `\` (iptables/xshared.c, xtables_save_string). Nothing is judged here: words of a
 * rule are what its matches and target understand of them (match.h). */
#ifndef FWC_IMPORT_SAVE_H
#define FWC_IMPORT_SAVE_H

#include "base/names.h"
#include "diag/diag.h"

struct save_word {
	const char *text;
	struct span span;
	bool is_quoted;
};

struct save_rule {
	struct save_word *words; /* behind the chain's name */
	size_t words_count, words_capacity;
	struct span span; /* the line */
};

enum save_policy { SAVE_POLICY_NONE, SAVE_POLICY_ACCEPT, SAVE_POLICY_DROP };

struct save_chain {
	const char *name;
	struct span span;
	enum save_policy policy; /* NONE: of the user */
	struct save_rule *rules;
	size_t rules_count, rules_capacity;
};

struct save_table {
	const char *name;
	struct span span;
	struct names *chains; /* struct save_chain */
};

struct save_file {
	struct names *tables; /* struct save_table */
};

/* NULL after an error in the bag. */
struct save_file *save_read(void *pool, struct diags *diags, uint32_t source);
const struct save_table *save_table_find(const struct save_file *file, const char *name);
const struct save_chain *save_chain_find(const struct save_table *table, const char *name);

#endif
