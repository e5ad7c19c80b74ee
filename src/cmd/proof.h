/* The proof of what a command is about to give out, and of what the kernel holds. */
#ifndef FWC_CMD_PROOF_H
#define FWC_CMD_PROOF_H

#include "cmd/session.h"
#include "target/cisco/prove/prove.h"
#include "target/nft/prove/prove.h"
#include "target/nft/load/reread.h"

/* Reads the messages of the session's table back and compares them with its ruleset. A difference, or
 * a table that makes no sense, is an error in the bag; what cannot be decided is a warning. true: the
 * two are equal, and proof_tell may say so. */
bool proof_make(struct session *session, struct proof *proof, char sha256[REREAD_HASH_LENGTH + 1]);
/* What the proof of a table found, as diagnostics. subject: "the table that was made"; missing: "with '--count'",
 * the options by which it is equal all the same, or NULL. true: equal. */
bool proof_report(struct session *session, const struct proof *proof, const char *subject, const char *missing);
/* The table inet of this name in a reading of the kernel. One that is not there does nothing: that is a
 * difference like any other. */
const struct read_table *proof_table(void *pool, const struct nft_read *read, const char *name);
/* How the session's table is to be compared. */
struct proof_limits proof_limits_of(const struct session *session);
/* "proved: this table equals the policy, …" on stderr, unless diagnostics are JSON. */
void proof_tell(const struct session *session, const struct proof *proof, const char *sha256);
/* The texts of all views (session_write_cisco), read back and compared with their rulesets. true: they are
 * equal, up to answers that were told. */
bool proof_make_lists(struct session *session, struct cisco_proof *proof);
/* What commands make of a router's lists (router: the source of its configuration, or UINT32_MAX). */
bool proof_make_change(struct session *session, uint32_t router, const struct text *commands,
		       struct cisco_proof *proof);
/* A text that somebody else wrote, for the only view. */
bool proof_make_against(struct session *session, uint32_t text, struct cisco_proof *proof);
/* "proved: these lists equal the policy, …" on stderr, unless diagnostics are JSON. */
void proof_tell_lists(const struct session *session, const struct cisco_proof *proof, const char *sha256);

#endif
