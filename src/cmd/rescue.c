/* The rescue batch: see rescue.h. */
#include "cmd/rescue.h"

#include "cmd/proof.h"
#include "rules/rescue.h"
#include "target/nft/load/batch_file.h"

const struct text *rescue_make(struct session *session)
{
	struct text *out = text_new(session->pool);
	struct session rescue = *session;
	char sha256[REREAD_HASH_LENGTH + 1];
	struct proof proof;

	rescue.ruleset = ruleset_rescue(session->pool, session->ruleset);
	rescue.table = nft_lower(pool_child(session->pool, "rescue"), session->diags, rescue.ruleset,
				 &session->options.nft);
	if (rescue.table == NULL || diags_has_errors(session->diags))
		return NULL;
	if (!session->options.skips_proof)
		(void)proof_make(&rescue, &proof, sha256);
	nft_batch_file_write(out, rescue.table);
	return diags_has_errors(session->diags) ? NULL : out;
}
