/* What the named counters of a table have counted by now. */
#ifndef FWC_MONITOR_COUNTERS_H
#define FWC_MONITOR_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "target/nft/batch/transaction.h"

struct counter {
	const char *name;
	uint64_t packets, bytes;
	uint64_t handle; /* another one in the same table: it was made anew */
};

struct counters {
	struct counter *items; /* in the order of the names */
	size_t items_count, items_capacity;
	uint64_t table_handle; /* another one in the same network namespace: the table was made anew */
};

/* Of the table of family inet; empty where it is not there. 0 or an errno. */
int counters_read(void *pool, struct nft_socket *socket, const char *table, struct counters *counters);
/* NULL: there is none. */
const struct counter *counters_find(const struct counters *counters, const char *name);

#endif
