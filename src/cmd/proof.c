#include "cmd/proof.h"

#include <linux/netfilter.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>

static void add_difference(struct session *session, const struct proof *proof, const char *subject)
{
	struct diags *diags = session->diags;
	struct diagnostic *diagnostic = diag_add(diags, CODE_PROOF_DIFFERS, proof->origin,
						 "%s does not do what the policy says, in %s", subject,
						 proof->where);

	diag_note(diags, diagnostic, SPAN_NONE, "this packet shows it: %s", proof->packet);
	diag_note(diags, diagnostic, SPAN_NONE, "by the policy it is %s", proof->wanted);
	diag_note(diags, diagnostic, SPAN_NONE, "by the table it is %s", proof->found);
	if (proof->shared != NULL)
		diag_note(diags, diagnostic, SPAN_NONE, "%s serves another rule, too", proof->shared);
}

bool proof_report(struct session *session, const struct proof *proof, const char *subject)
{
	switch (proof->result) {
	case PROOF_EQUAL:
		return true;
	case PROOF_DIFFERS:
		add_difference(session, proof, subject);
		return false;
	case PROOF_UNDECIDED:
		diag_add(session->diags, CODE_PROOF_UNDECIDED, SPAN_NONE,
			 "it is not proved that %s equals the policy: %s", subject, proof->reason);
		return false;
	case PROOF_UNREADABLE:
		diag_add(session->diags, CODE_PROOF_UNREADABLE, SPAN_NONE, "%s makes no sense: %s", subject,
			 proof->reason);
		return false;
	}
	return false;
}

struct proof_limits proof_limits_of(const struct session *session)
{
	return (struct proof_limits){
		.has_log_group = session->options.nft.has_log_group,
		.log_group = session->options.nft.log_group,
	};
}

bool proof_make(struct session *session, struct proof *proof, char sha256[REREAD_HASH_LENGTH + 1])
{
	const struct proof_limits limits = proof_limits_of(session);
	void *pool = pool_child(session->pool, "proof");
	struct reread reread = nft_reread(pool, session->table);
	bool is_equal;

	memcpy(sha256, reread.sha256, sizeof reread.sha256);
	*proof = nft_prove(pool, session->ruleset, reread.read,
			   nft_read_table(reread.read, NFPROTO_INET, session->table->name), &limits);
	is_equal = proof_report(session, proof, "the table that was made");
	talloc_free(pool); /* of what the proof points to, the bag has copies */
	return is_equal;
}

void proof_tell(const struct session *session, const struct proof *proof, const char *sha256)
{
	if (!session->options.has_json)
		fprintf(stderr, "proved: this table equals the policy, %zu hooks, %zu rules, sha256 %s\n",
			proof->hooks, proof->rules, sha256);
}

void proof_hash(const struct text *text, char sha256[REREAD_HASH_LENGTH + 1])
{
	SHA2_CTX hash;

	SHA256Init(&hash);
	SHA256Update(&hash, (const uint8_t *)text->bytes, text->length);
	SHA256End(&hash, sha256);
}
