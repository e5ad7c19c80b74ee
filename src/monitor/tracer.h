/* The path of chosen packets through the rules, as the kernel tells it.
 *
 * A table of its own, owned by the socket (NFT_TABLE_F_OWNER: it goes with the process, however that
 * ends), marks the packets where they enter, before anything else is done with them; the kernel then
 * tells every rule that they meet. Source: linux/netfilter/nf_tables.h (NFT_MSG_TRACE);
 * net/netfilter/nf_tables_trace.c. */
#ifndef FWC_MONITOR_TRACER_H
#define FWC_MONITOR_TRACER_H

#include "diag/diag.h"
#include "monitor/header.h"

/* What the names of such tables begin with. */
#define TRACER_TABLE "fwc-trace-"

/* Which packets; each condition may be missing. */
struct trace_filter {
	bool has_family, has_protocol, has_first, has_second;
	enum family family;
	uint8_t protocol;
	uint16_t first, second;           /* as in struct header */
	bool has_source, has_destination; /* has_family, too */
	struct prefix source, destination;
};

struct tracer {
	int fd; /* to be waited for */
	struct nft_socket *netlink; /* owns the table */
};

struct trace_event {
	uint32_t id;          /* of the packet */
	uint8_t family;       /* NFPROTO_* of the table */
	const char *table, *chain;
	uint64_t handle;      /* of the rule; 0: the chain's end */
	bool is_policy;       /* the base chain's policy decided */
	int32_t verdict;      /* NF_ACCEPT, NF_DROP, NFT_JUMP, …; -1 (NFT_CONTINUE): goes on */
	const char *target;   /* of a jump or goto, or NULL */
	bool has_header;      /* the first event in each base chain brings these */
	struct header header;
	uint32_t in, out;     /* interface indices; 0: none */
};

/* NULL with the reason in the bag; then the kernel is as it was. */
struct tracer *tracer_new(void *pool, struct diags *diags, const struct trace_filter *filter);
/* Hands over what has come by now, in order. 0 or an errno; ENOBUFS: some events were lost, go on. */
int tracer_read(struct tracer *tracer, void (*take)(const struct trace_event *event, void *data), void *data);

#endif
