/* Policies made of foreign filters on the way: nft:FILE, nft:kernel:, iptables:FILE in place of a policy.
 *
 * The filter is imported (import/), what came of it is the text that the session parses, under the name that
 * was given. So what a policy can be asked, a foreign filter can. */
#ifndef FWC_CMD_FOREIGN_H
#define FWC_CMD_FOREIGN_H

#include "cmd/session.h"
#include "import/nft.h"

/* The database of services, whole, for imports. */
void foreign_open_database(struct session *session);
/* Reads a ruleset of nft (NULL: of the kernel), gives up the right to make namespaces, and appends the policy,
 * which was proved to equal it unless errors tell what was left out. false: it is of no use. */
bool foreign_nft(struct session *session, const struct source *script,
		 const struct import_nft_settings *settings, struct text *out, bool tells_proof);

/* The same of texts of iptables-save; no right is given up. */
bool foreign_iptables(struct session *session, const uint32_t *sources, size_t sources_count,
		      const struct import_iptables_settings *settings, struct text *out, bool tells_proof);

/* The paths above, where no file is called so. */
extern const struct session_foreign foreign_policies;

#endif
