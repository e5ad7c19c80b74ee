/* First the way that no packet notices, then the way that always works. */
#include "target/nft/load/restore.h"

#include <errno.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/nft.h"
#include "target/nft/load/refusal.h"
#include "target/nft/load/replace.h"

struct nft_restore *nft_restore_new(void *pool, const struct nft_kept *kept)
{
	struct nft_restore *restore = pool_new(pool, struct nft_restore);
	restore->kept = kept;
	errno = EBADMSG;
	if (kept->has_table && (restore->table = nft_kept_table(restore, kept)) == NULL)
		return NULL;
	restore->force = nft_replace_by_force(restore, restore->table, kept->table);
	restore->socket = nft_socket_new(restore);
	if (restore->socket == NULL)
		return NULL;
	(void)nft_send_room(restore->socket, restore->force->bytes);
	return restore;
}

bool nft_restore_is_possible(struct nft_restore *restore, struct diags *diags)
{
	struct nft_answer answer;
	int error = nft_try(restore->socket, restore->force, &answer);
	if (error == 0)
		return true;
	struct diagnostic *diagnostic =
		diag_add(diags, CODE_RESTORE_REFUSED, SPAN_NONE,
			 "the kernel would not take back what it holds of table inet '%s': %s",
			 restore->kept->table, strerrordesc_np(error));
	diag_note(diags, diagnostic, SPAN_NONE,
		  "nothing was loaded; '--confirm 0' loads without a way back to this table");
	return false;
}

bool nft_restore_send(struct nft_restore *restore, void *pool, struct diags *diags)
{
	struct nft_answer answer;
	if (restore->table != NULL && nft_load(pool_child(pool, "restore"), diags, restore->table))
		return true;
	int error = nft_send(restore->socket, restore->force, 0, restore->force->messages_count, 0, &answer);
	if (error != 0)
		nft_report_error(diags, error, "bring the earlier ruleset back");
	else
		diags_drop(diags);
	return error == 0;
}
