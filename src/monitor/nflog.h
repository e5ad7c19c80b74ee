/* Packets that rules hand to an NFLOG group.
 *
 * Source: linux/netfilter/nfnetlink_log.h; net/netfilter/nfnetlink_log.c. */
#ifndef FWC_MONITOR_NFLOG_H
#define FWC_MONITOR_NFLOG_H

#include <stddef.h>
#include <stdint.h>

struct nflog {
	int fd; /* to be waited for; closed with the pool, which ends the listening */
	uint16_t group;
};

struct nflog_packet {
	const char *prefix;      /* "" where there is none */
	const uint8_t *bytes;    /* from the IP header on, as far as they were copied */
	size_t length;
	uint32_t in, out;        /* interface indices; 0: none */
};

/* Listens to the group. NULL: errno says why (EBUSY: another program listens to it). */
struct nflog *nflog_new(void *pool, uint16_t group);
/* Hands over what has come by now. 0 or an errno; ENOBUFS: some were lost, go on. */
int nflog_read(struct nflog *nflog, void (*take)(const struct nflog_packet *packet, void *data), void *data);

#endif
