/* The connection tracking helpers of the kernel.
 * Source: net/netfilter/nf_conntrack_*.c, the names given to nf_ct_helper_init and in struct
 * nf_conntrack_helper; a ct helper object of another name or protocol does not load. */
#ifndef FWC_SERVICES_HELPER_H
#define FWC_SERVICES_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct helper {
	const char *name; /* the kernel's spelling: "ftp", "Q.931" */
	bool has_tcp, has_udp;
};

/* NULL if the kernel has none of this name; case is ignored. */
const struct helper *helper_find(const char *name, size_t length);
bool helper_takes(const struct helper *helper, unsigned protocol);
size_t helper_count(void);
const struct helper *helper_at(size_t index);

#endif
