/* Proof of an import: the policy that was made, against the texts of iptables-save.
 *
 * A walk of its own: each chain is worked out once as a function from packets to verdicts, whoever jumps to it,
 * rule by rule as iptables_condition.h reads them; prove.h compares the tables' base chains, one behind the other
 * as the kernel asks them, with the policy. All tables are walked, those too that an import reads nothing of. Of a
 * family without a text everything is to be denied and nothing translated.
 *
 * Source: net/ipv4/netfilter/ip_tables.c (ipt_do_table), netfilter_ipv4.h (priorities of tables). */
#ifndef FWC_IMPORT_IPTABLES_PROVE_H
#define FWC_IMPORT_IPTABLES_PROVE_H

#include "import/iptables.h"
#include "target/nft/prove/prove.h"

/* hooks, rules, translations, intervals; where, packet, wanted, found, origin; reason: as prove.h has them. */
struct proof import_iptables_prove(void *pool, const struct ruleset *ruleset, struct sources *sources,
				   const struct import_iptables_files *files);

#endif
