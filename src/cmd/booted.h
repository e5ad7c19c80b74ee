/* What `fwc boot` has loaded, as the kernel says it: the comment of a chain that nothing enters, put behind the
 * messages of a batch that has none of its own (what `apply` keeps has; cmd/enforce.h). */
#ifndef FWC_CMD_BOOTED_H
#define FWC_CMD_BOOTED_H

#include "cmd/enforce.h"
#include "target/nft/load/batch_file.h"

#define BOOTED_CHAIN ENFORCE_MARK "boot"

enum booted_what { BOOTED_POLICY, BOOTED_RESCUE, BOOTED_BUILT_IN };

struct booted {
	enum booted_what what;
	const char *sha256; /* of the file, as in its header; NULL: built in */
	const char *path;   /* of the file; NULL: built in, or too long for a comment */
};

/* "policy", "rescue", "built-in" */
const char *booted_word(enum booted_what what);

/* Reads the file, if nobody but root and the caller may have written it. NULL, or the reason why not. */
const char *booted_read_file(void *pool, const char *path, struct nft_batch_file *file);
/* Puts the chain behind its messages, if there is none. */
void booted_add_mark(void *pool, struct nft_batch_file *file, enum booted_what what, const char *path);
/* The built-in table with the chain in it; NULL with the reason in the session's bag. */
struct nft_table *booted_bare(struct session *session);
/* What the comment of the chain says. false: something else. */
bool booted_parse(void *pool, const char *comment, struct booted *booted);
/* What the kernel holds where nobody has changed what was booted. directory: of the state, where a batch may be
 * that has no path. false: the file is not there any more, or another. */
bool booted_expect(struct session *session, const struct booted *booted, const char *directory,
		   struct kept_hash_result *expected);

#endif
