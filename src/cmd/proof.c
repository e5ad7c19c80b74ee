#include "cmd/proof.h"

#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

static void add_difference(struct session *session, const struct proof *proof, const char *subject,
			   const char *missing)
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
	if (missing != NULL)
		diag_note(diags, diagnostic, SPAN_NONE, "it is what the policy gives %s: use the same options here",
			  missing);
}

bool proof_report(struct session *session, const struct proof *proof, const char *subject, const char *missing)
{
	switch (proof->result) {
	case PROOF_EQUAL:
		return true;
	case PROOF_DIFFERS:
		add_difference(session, proof, subject, missing);
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

const struct read_table *proof_table(void *pool, const struct nft_read *read, const char *name)
{
	const struct read_table *table = nft_read_table(read, NFPROTO_INET, name);
	struct read_table *none;

	if (table != NULL)
		return table;
	none = pool_new(pool, struct read_table);
	none->family = NFPROTO_INET;
	none->name = name;
	none->chain_names = none->set_names = none->object_names = names_new(none, false);
	return none;
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
	is_equal = proof_report(session, proof, "the table that was made", NULL);
	talloc_free(pool); /* of what the proof points to, the bag has copies */
	return is_equal;
}

void proof_tell(const struct session *session, const struct proof *proof, const char *sha256)
{
	if (!session->options.has_json)
		fprintf(stderr, "proved: this table equals the policy, %zu hooks, %zu rules, sha256 %s\n",
			proof->hooks, proof->rules, sha256);
}

/* --- lists of routers ------------------------------------------------------------------------------- */

static void add_list_difference(struct session *session, const struct cisco_proof *proof)
{
	struct diags *diags = session->diags;
	struct diagnostic *diagnostic = diag_add(diags, CODE_PROOF_DIFFERS, proof->origin,
						 "%s does not do what the policy says", proof->where);

	if (proof->packet != NULL)
		diag_note(diags, diagnostic, SPAN_NONE, "this packet shows it: %s", proof->packet);
	diag_note(diags, diagnostic, SPAN_NONE, "by the policy it is %s", proof->wanted);
	diag_note(diags, diagnostic, proof->entry, "by the text it is %s", proof->found);
}

static bool report_lists(struct session *session, const struct cisco_proof *proof)
{
	switch (proof->result) {
	case CISCO_PROOF_EQUAL:
		return true;
	case CISCO_PROOF_DIFFERS:
		add_list_difference(session, proof);
		return false;
	case CISCO_PROOF_UNDECIDED:
		diag_add(session->diags, CODE_PROOF_UNDECIDED, SPAN_NONE,
			 "it is not proved that the lists equal the policy: %s", proof->reason);
		return false;
	case CISCO_PROOF_UNREADABLE:
		diag_add(session->diags, CODE_PROOF_UNREADABLE, proof->place,
			 "the text of the lists makes no sense: %s", proof->reason);
		return false;
	}
	return false;
}

static bool prove_texts(struct session *session, const struct session_view *view, const uint32_t *texts,
			size_t count, bool has_others, struct cisco_proof *total)
{
	void *pool = pool_child(session->pool, "proof");
	const struct cisco_proof_subject subject = {
		.ruleset = view->ruleset,
		.announced = view->ios,
		.settings = &session->options.cisco,
		.sources = session->sources,
		.texts = texts,
		.texts_count = count,
		.has_others = has_others,
	};
	struct cisco_proof proof = cisco_prove(pool, &subject);
	bool is_equal = report_lists(session, &proof);

	total->lists += proof.lists;
	total->entries += proof.entries;
	total->unasked = proof.unasked;
	talloc_free(pool); /* of what the proof points to, the bag has copies */
	return is_equal;
}

bool proof_make_lists(struct session *session, struct cisco_proof *proof)
{
	bool is_equal = true;

	*proof = (struct cisco_proof){ 0 };
	for (size_t index = 0; index < session->views_count; index++) {
		const struct session_view *view = &session->views[index];
		uint32_t source = sources_add(session->sources, view->device == NULL ? "<output>" :
					      pool_format(session->pool, "<output %s>", view->device->name),
					      view->text->bytes, view->text->length, false);

		is_equal = prove_texts(session, view, &source, 1, false, proof) && is_equal;
	}
	return is_equal;
}

bool proof_make_change(struct session *session, uint32_t router, const struct text *commands,
		       struct cisco_proof *proof)
{
	const uint32_t source = sources_add(session->sources, "<output>", commands->bytes, commands->length,
					    false);
	const uint32_t texts[] = { router, source };

	*proof = (struct cisco_proof){ 0 };
	if (router == UINT32_MAX)
		return prove_texts(session, &session->views[0], &source, 1, false, proof);
	return prove_texts(session, &session->views[0], texts, 2, true, proof);
}

bool proof_make_against(struct session *session, uint32_t text, struct cisco_proof *proof)
{
	bool is_equal;

	*proof = (struct cisco_proof){ 0 };
	is_equal = prove_texts(session, &session->views[0], &text, 1, false, proof);
	if (is_equal && proof->unasked.source != SPAN_NONE.source)
		diag_add(session->diags, CODE_PROOF_UNASKED, proof->unasked,
			 "this translation was not compared with the policy");
	return is_equal;
}

static bool has_answers(const struct session *session)
{
	for (size_t index = 0; index < session->views_count; index++)
		for (size_t list = 0; list < session->views[index].ios->lists_count; list++)
			if (session->views[index].ios->lists[list]->answers_count > 0)
				return true;
	return false;
}

void proof_tell_lists(const struct session *session, const struct cisco_proof *proof, const char *sha256)
{
	if (!session->options.has_json)
		fprintf(stderr, "proved: these lists equal the policy%s, %zu lists, %zu entries, sha256 %s\n",
			has_answers(session) ? " and the answers that were told" : "", proof->lists,
			proof->entries, sha256);
}
