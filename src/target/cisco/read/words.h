/* Words of IOS for numbers: ports, protocols, ICMP types, flags and the like (words.def). */
#ifndef FWC_TARGET_CISCO_READ_WORDS_H
#define FWC_TARGET_CISCO_READ_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* In the order of words.def. */
enum acl_table {
	ACL_WORD_TCP,
	ACL_WORD_UDP,
	ACL_WORD_PROTOCOL,   /* of IPv4 lists; ip is 256 */
	ACL_WORD_PROTOCOL6,  /* of IPv6 lists; ipv6 is 256, icmp 58 */
	ACL_WORD_ICMP,
	ACL_WORD_ICMP6,
	ACL_WORD_IGMP,
	ACL_WORD_DSCP,
	ACL_WORD_PRECEDENCE,
	ACL_WORD_TOS,
	ACL_WORD_OPTION,     /* any-options is 256 */
	ACL_WORD_FLAG,       /* the bit of a TCP flag */
	ACL_WORD_DAY,        /* Monday 0; daily 256, weekdays 257, weekend 258 */
	ACL_WORD_MONTH,      /* 1..12 */
};

struct acl_named {
	enum acl_table table;
	const char *word;
	uint16_t number;
	int16_t code; /* of ICMP, or -1 */
};

/* The row of a word, whatever its case; NULL if the table has none. */
const struct acl_named *acl_word_find(enum acl_table table, const char *word, size_t length);
/* The first row of a table with this number and code, or NULL. */
const struct acl_named *acl_word_of(enum acl_table table, unsigned number, int code);
/* All rows, for tests. */
const struct acl_named *acl_word_at(size_t index);

#endif
