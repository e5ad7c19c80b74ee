/* Ending the connections whose translation goes away with a table: see load/translated.h. */
#ifndef FWC_CMD_TRANSLATED_H
#define FWC_CMD_TRANSLATED_H

#include "diag/diag.h"
#include "target/nft/load/restore.h"

/* Before a table of this name goes, or one that translates nothing takes its place: what was translated stays so
 * until translated_end. Where the kernel cannot do that, nobody translates anything there. */
void translated_hold(void *pool, struct nft_socket *socket, const char *table);
/* The same where anything is translated now. */
void translated_hold_any(void *pool, struct nft_socket *socket, const char *table);

enum translated_by { TRANSLATED_BY_TABLE, TRANSLATED_BY_OTHERS, TRANSLATED_BY_UNKNOWN };
/* Afterwards, and after every change: ends the connections that are translated, in each family of which nothing is
 * any more, and says on stderr how many they were. by: whether the table that is in force translates, if that is
 * known. What cannot be ended stays held, with a warning in the bag (TRANSLATED_GO_ON), until the next time. */
void translated_end(void *pool, struct diags *diags, struct nft_socket *socket, const char *table,
		    enum translated_by by);

/* nft_restore_send with all of that. */
bool translated_restore(struct nft_restore *restore, void *pool, struct diags *diags);

#endif
