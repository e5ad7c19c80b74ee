#include "cmd/translated.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/pool.h"
#include "operate/flows.h"
#include "target/nft/load/translated.h"

#define TRIES 3 /* of ending them: the kernel may be short of memory */
#define WAIT_NS 50000000L

void translated_hold(void *pool, struct nft_socket *netlink, const char *table)
{
	(void)nft_translated_hold(pool, netlink, table);
}

void translated_hold_any(void *pool, struct nft_socket *netlink, const char *table)
{
	unsigned families;

	(void)nft_translated_families(pool, netlink, table, false, &families); /* what is known of them */
	if (families != FAMILIES_NONE)
		translated_hold(pool, netlink, table);
}

static const char *families_words(unsigned families)
{
	return families == FAMILIES_IPV4 ? "IPv4" : families == FAMILIES_IPV6 ? "IPv6" : "IPv4 and IPv6";
}

/* What became of them, in one try or several. */
struct result {
	int error;
	unsigned families; /* that nothing translates */
	size_t ended;
	bool has_left; /* some of them at the last try */
};

static void try_to_end(void *pool, struct nft_socket *netlink, const char *table, bool is_known,
		       struct result *result)
{
	struct flows flows = { 0 };
	unsigned families = FAMILIES_NONE;

	result->error = nft_translated_families(pool, netlink, table, is_known, &families);
	result->families = FAMILIES_BOTH & ~families;
	if (result->error == 0 && result->families != FAMILIES_NONE)
		result->error = flows_end_translated(result->families, &flows);
	result->ended += flows.ended;
	result->has_left = flows.left > 0;
}

static struct result end_all(void *pool, struct nft_socket *netlink, const char *table, bool is_known)
{
	const struct timespec wait = { .tv_nsec = WAIT_NS };
	struct result result = { 0 };

	for (int number = 0; number < TRIES; number++) {
		try_to_end(pool, netlink, table, is_known, &result);
		if (result.error == 0)
			break;
		(void)nanosleep(&wait, NULL);
	}
	return result;
}

void translated_end(void *pool, struct diags *diags, struct nft_socket *netlink, const char *table,
		    enum translated_by by)
{
	bool is_held = nft_translated_is_held(pool, netlink, table);
	struct result result = { 0 };
	struct diagnostic *warning;

	if (by != TRANSLATED_BY_TABLE && flows_count() > 0)
		result = end_all(pool, netlink, table, by == TRANSLATED_BY_OTHERS);
	if (result.ended > 0)
		fprintf(stderr, "fwc: ended %zu connection%s that %s translated: nothing translates %s any more\n",
			result.ended, result.ended == 1 ? "" : "s", result.ended == 1 ? "was" : "were",
			families_words(result.families));
	if (result.error == 0 && is_held)
		result.error = nft_translated_let_go(pool, netlink, table);
	if (result.error == 0 || (!is_held && !result.has_left))
		return;
	warning = diag_add(diags, CODE_TRANSLATED_GO_ON, SPAN_NONE,
			   "cannot end connections that were translated: %s", strerror(result.error));
	diag_note(diags, warning, SPAN_NONE, is_held
		  ? "they stay translated until a later 'fwc apply' ends them"
		  : "'conntrack -D --src-nat' and 'conntrack -D --dst-nat' end them");
}

bool translated_restore(struct nft_restore *restore, void *pool, struct diags *diags)
{
	const char *table = restore->kept->table;
	bool translates = nft_kept_translates(restore->kept);
	bool is_back;

	if (!translates)
		translated_hold_any(pool, restore->socket, table);
	is_back = nft_restore_send(restore, pool, diags);
	if (is_back)
		translated_end(pool, diags, restore->socket, table,
			       translates ? TRANSLATED_BY_TABLE : TRANSLATED_BY_OTHERS);
	return is_back;
}
