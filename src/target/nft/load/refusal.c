/* The kernel's errors in the policy's terms: sequence number to message, offset to element. */
#include "target/nft/load/refusal.h"

#include <errno.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/batch/elements.h"

#define SHOWN_MAX 20

/* The system's words, never in the locale's language. */
static const char *error_words(int error)
{
	const char *words = strerrordesc_np(error);
	return words == NULL ? "unknown error" : words;
}

struct refused {
	struct span span;
	const char *what; /* "this rule" */
};

static struct refused place_of_element(void *pool, const struct nft_message *message, uint32_t offset)
{
	const struct nft_set *set = message->subject;
	struct refused place = { set->origin, pool_format(pool, "an element of set '%s'", set->name) };
	size_t number = message->first_element + nft_element_at(message->header, offset);
	if (offset == 0 || set->intervals != NULL || number >= set->elements_count)
		return place;
	const uint32_t *order = nft_element_order(pool, set);
	place.span = set->elements[order == NULL ? number : order[number]].origin;
	return place;
}

static struct refused place_of(void *pool, const struct nft_message *message, uint32_t offset)
{
	struct refused place = { SPAN_NONE, "the ruleset" };
	switch (message->kind) {
	case NFT_SUBJECT_NONE:
		return place;
	case NFT_SUBJECT_CHAIN:
		place.what = pool_format(pool, "chain '%s'", ((const struct nft_chain *)message->subject)->name);
		return place;
	case NFT_SUBJECT_RULE:
		place.span = ((const struct nft_rule *)message->subject)->origin;
		place.what = place.span.source == UINT32_MAX ? "a rule that every ruleset has" : "this rule";
		return place;
	case NFT_SUBJECT_SET:
		place.span = ((const struct nft_set *)message->subject)->origin;
		place.what = pool_format(pool, "set '%s'", ((const struct nft_set *)message->subject)->name);
		return place;
	case NFT_SUBJECT_ELEMENTS:
		return place_of_element(pool, message, offset);
	case NFT_SUBJECT_OBJECT:
		place.what = pool_format(pool, "object '%s'", (const char *)message->subject);
		return place;
	}
	return place;
}

static struct refused place_of_refusal(void *pool, const struct nft_batch *batch,
				     const struct nft_refusal *refusal)
{
	if (refusal->sequence == 0 || refusal->sequence > batch->messages_count)
		return (struct refused){ SPAN_NONE, "the ruleset" };
	return place_of(pool, &batch->messages[refusal->sequence - 1], refusal->offset);
}

static bool is_same_place(const struct refused *a, const struct refused *b)
{
	return memcmp(&a->span, &b->span, sizeof a->span) == 0 && strcmp(a->what, b->what) == 0;
}

void nft_report_refusals(void *pool, struct diags *diags, const struct nft_batch *batch,
			 const struct nft_answer *answer)
{
	struct refused last = { .what = "" };
	struct diagnostic *diagnostic = NULL;
	size_t kept = answer->refusals_count < NFT_REFUSALS_MAX ? answer->refusals_count : NFT_REFUSALS_MAX;
	size_t shown = 0;
	for (size_t i = 0; i < kept && shown < SHOWN_MAX; i++) {
		const struct nft_refusal *refusal = &answer->refusals[i];
		struct refused place = place_of_refusal(pool, batch, refusal);
		if (i != 0 && is_same_place(&place, &last))
			continue; /* one line of a policy may be many rules */
		last = place;
		shown++;
		diagnostic = diag_add(diags, CODE_KERNEL_REFUSED, place.span, "the kernel refused %s: %s",
				      place.what, error_words(refusal->error));
		if (*refusal->text != '\0')
			diag_note(diags, diagnostic, SPAN_NONE, "the kernel says: %s", refusal->text);
	}
	if (answer->refusals_count > NFT_REFUSALS_MAX && diagnostic != NULL)
		diag_note(diags, diagnostic, SPAN_NONE, "the kernel refused %zu messages in all",
			  answer->refusals_count);
}

void nft_report_error(struct diags *diags, int error, const char *action)
{
	switch (error) {
	case EPERM:
	case EACCES:
		diag_note(diags, diag_add(diags, CODE_KERNEL_PERMISSION, SPAN_NONE,
					  "the kernel lets this process neither read nor change its rules: %s",
					  error_words(error)),
			  SPAN_NONE, "it needs the capability CAP_NET_ADMIN: run it as root");
		return;
	/* nfnetlink without the nf_tables module, no nfnetlink, no netlink (nfnetlink_rcv_msg) */
	case EINVAL:
	case EOPNOTSUPP:
	case EPROTONOSUPPORT:
	case EAFNOSUPPORT:
		diag_add(diags, CODE_KERNEL_NO_NFTABLES, SPAN_NONE, "the kernel has no nf_tables: %s",
			 error_words(error));
		return;
	}
	diag_add(diags, CODE_KERNEL_REFUSED, SPAN_NONE, "cannot %s: %s", action, error_words(error));
}

bool nft_report_owned(struct diags *diags, const char *table)
{
	struct diagnostic *diagnostic =
		diag_add(diags, CODE_KERNEL_PERMISSION, SPAN_NONE,
			 "another program owns table inet '%s': nobody else may change it while that runs", table);
	diag_note(diags, diagnostic, SPAN_NONE,
		  "'nft list table inet %s' names it; end it, or choose another name with '--table'", table);
	return false;
}
