/* What a log line says that a rule of fwc made: "… fwc:ID:VERDICT: words IN=eth1 OUT= SRC=… DST=… …".
 *
 * Source: net/netfilter/nf_log_syslog.c (the kernel's form); the prefix is the language reference's
 * (`log`). */
#ifndef FWC_MONITOR_LOG_LINE_H
#define FWC_MONITOR_LOG_LINE_H

#include "monitor/header.h"

#define LOG_ID_MAX 64

struct log_line {
	const char *before;  /* what stands before the prefix: the time and name that a log daemon put there */
	const char *id, *verdict;
	const char *words;   /* the rule's own */
	const char *in, *out; /* interfaces; NULL: none */
	bool has_header;
	struct header header;
};

/* The prefix alone ("fwc:ID:VERDICT: words"), as a packet of NFLOG brings it. false: it is not fwc's. */
bool log_prefix_read(void *pool, const char *prefix, struct log_line *line);
/* A whole line of text. false: no line of fwc's. Strings are copied. */
bool log_line_read(void *pool, const char *text, size_t length, struct log_line *line);

/* Whether a line's head is the kernel's: nothing, or its time and name as syslog daemons, journalctl and dmesg
 * write them ("Nov 21 10:00:01 host kernel: [   12.345678] "). What programs log has another name in front,
 * and may hold anything that somebody far away has sent. */
bool log_head_is_of_kernel(const char *head);

#endif
