/* The nftables table that a ruleset becomes: a plain tree that two writers share.
 *
 * text/text.c prints it in nft's language, netlink.c as a batch of libnftnl objects; both must give
 * the same kernel state. It knows only what fwc emits. Values are numbers in host order;
 * writers bring them to the key's byte order. Everything lives in the pool; order of chains,
 * sets and elements is the order of printing. Source of the facts: nft(8) 1.0.6,
 * linux/netfilter/nf_tables.h.
 *
 * What nft's language asks of a table, so that its text loads and means what it says:
 * - in a rule all matches stand before all actions: nft moves a port's match across a counter;
 * - a rule that translates a port, or matches CT_ORIGINAL_PROTO_DST, has its L4PROTO check itself;
 * - at most one NFT_NOT_EQUAL among source and destination port (ICMP type and code) of a rule: nft
 *   1.0.6 joins two into "not both";
 * - META_*, IP6_HOPLIMIT and CT_HELPER cannot be the key of a set; IIF is 0 there;
 * - names are no words of nft's grammar (a letter and `_` before them will do), and those of
 *   interfaces and helpers are nft_is_safe_interface (safe.h);
 * - base chains of one name keep their comment for ever: while one stays in the kernel, its
 *   comment cannot change without a moment in which two chains stand in the hook. */
#ifndef FWC_TARGET_NFT_MODEL_MODEL_H
#define FWC_TARGET_NFT_MODEL_MODEL_H

#include "net/address.h"
#include "rules/ruleset.h"

/* What a match can look at, or a set be keyed by. Row X(name, bits) */
#define NFT_FIELDS(X)                                                                             \
	X(IIFNAME, 128)                                                                           \
	X(OIFNAME, 128)                                                                           \
	X(IIF, 32)     /* index of the in interface; 0: the firewall's own packet (text: "iif 0") */ \
	X(OIF, 32)     /* likewise of the out interface */                                         \
	X(NFPROTO, 8)  /* NFPROTO_IPV4 2, NFPROTO_IPV6 10 */                                      \
	X(L4PROTO, 8)                                                                             \
	X(IP_SADDR, 32)                                                                           \
	X(IP_DADDR, 32)                                                                           \
	X(IP6_SADDR, 128)                                                                         \
	X(IP6_DADDR, 128)                                                                         \
	X(TH_SPORT, 16) /* the rule, map or chain has fixed the protocol; in rules: see protocol */ \
	X(TH_DPORT, 16)                                                                           \
	X(TCP_FLAGS, 8) /* TCP_FLAG_*: fin 1, syn 2, rst 4, psh 8, ack 16, urg 32 */            \
	X(ICMP_TYPE, 8)                                                                           \
	X(ICMP_CODE, 8)                                                                           \
	X(ICMPV6_TYPE, 8)                                                                         \
	X(ICMPV6_CODE, 8)                                                                         \
	X(IP6_HOPLIMIT, 8)                                                                        \
	X(CT_STATE, 32)  /* bit mask: NFT_STATE_* */                                              \
	X(CT_STATUS, 32) /* bit mask: IPS_DST_NAT 0x20 */                                         \
	X(CT_HELPER, 128)                                                                         \
	X(CT_ORIGINAL_IP_DADDR, 32)                                                               \
	X(CT_ORIGINAL_IP6_DADDR, 128)                                                             \
	X(CT_ORIGINAL_PROTO_DST, 16)                                                              \
	X(FIB_DADDR_TYPE, 32) /* RTN_LOCAL 2, RTN_BROADCAST 3, RTN_MULTICAST 5 */                 \
	X(META_DAY, 8)        /* Sunday 0 … Saturday 6, UTC */                                    \
	X(META_HOUR, 32)      /* seconds of the day, UTC */                                       \
	X(META_TIME, 64)      /* nanoseconds of the epoch; the model holds seconds */

/* Of IIF and OIF: loopback, whatever it is called, in every network namespace (LOOPBACK_IFINDEX of the kernel's
 * net/flow.h). */
#define NFT_LOOPBACK_INDEX 1

enum nft_field {
#define X(name, bits) NFT_FIELD_##name,
	NFT_FIELDS(X)
#undef X
} __attribute__((packed));

/* a value: a number, or the name of an interface or a helper; the field says which */
struct nft_value {
	union {
		number128 number;
		const char *name;
	};
};

enum nft_operator {
	NFT_EQUAL,
	NFT_NOT_EQUAL,
	NFT_RANGE,       /* low..high, both included */
	NFT_NOT_RANGE,
	NFT_PREFIX,      /* address in low/length: length in `length` */
	NFT_LESS,
	NFT_ANY_BIT,     /* (field & low) != 0: ct state, ct status */
	NFT_IN_SET,      /* set */
	NFT_NOT_IN_SET,
} __attribute__((packed));

enum nft_statement_kind {
	NFT_MATCH,
	NFT_VMAP,       /* verdict by a map over `fields` */
	NFT_CONCAT_MATCH, /* concatenation of `fields` in `set` */
	NFT_VERDICT,
	NFT_REJECT,
	NFT_COUNTER,    /* by name */
	NFT_LIMIT,      /* by name: matches while under the limit */
	NFT_SOURCE_LIMIT, /* update @set { saddr [& /64] limit rate … }: matches while under the limit */
	NFT_LOG,
	NFT_NOTRACK,
	NFT_HELPER,     /* ct helper set "object" */
	NFT_MASQUERADE,
	NFT_SNAT,
	NFT_DNAT,
} __attribute__((packed));

enum nft_verdict_kind { NFT_ACCEPT, NFT_DROP, NFT_JUMP, NFT_GOTO, NFT_RETURN };

struct nft_verdict {
	enum nft_verdict_kind kind;
	const char *chain; /* JUMP, GOTO */
};

enum nft_reject_kind { NFT_REJECT_TCP_RESET, NFT_REJECT_ICMPX_ADMIN };

struct nft_set;

#define NFT_KEY_FIELDS_MAX 4

/* What a kind does not use is not set: half a million statements stand in a large table, each in one line of the
 * cache. */
struct nft_statement {
	enum nft_statement_kind kind;
	/* MATCH: one field; VMAP, CONCAT_MATCH: fields_count of them */
	enum nft_field field;
	enum nft_operator operator;
	uint8_t fields_count;
	/* MATCH on TH_SPORT/TH_DPORT: the protocol that was matched just before in the same rule
	 * (text: "tcp dport 80" stands for both); 0: matched by an earlier dispatch (text: "th dport") */
	uint8_t protocol;
	/* MATCH of an address, VMAP of addresses in parts: only packets of the field's family come here, so that
	 * nobody asks for it. The text has the field by its place, of which nft knows no family: "@nh,96,32" */
	bool is_of_family;
	/* MATCH PREFIX of an IPv4 address: see nft_prefix_load. The text may say the mask in place of
	 * the prefix, which people would rather read */
	bool is_masked;
	uint8_t length;            /* MATCH PREFIX */
	union {
		/* VMAP, CONCAT_MATCH, of each address: the leading bits that are looked up, where the set's key
		 * holds no others as where it holds zeros behind them; 0: all */
		uint8_t leading[NFT_KEY_FIELDS_MAX];
		uint16_t port;     /* DNAT: 0: unchanged */
	};
	enum family family;        /* SOURCE_LIMIT, SNAT, DNAT, MASQUERADE */
	const enum nft_field *fields;
	const struct nft_set *set; /* MATCH IN_SET, VMAP, CONCAT_MATCH, SOURCE_LIMIT */
	union {
		struct {           /* MATCH */
			struct nft_value low, high;
		};
		struct nft_verdict verdict; /* VERDICT */
		struct address address;     /* SNAT, DNAT */
		struct {
			const char *name;          /* COUNTER, LIMIT, HELPER: the object */
			const struct limit *limit; /* SOURCE_LIMIT */
			const char *log_prefix;    /* LOG: whole, safe, at most 127 bytes */
			bool has_log_group;
			uint16_t log_group;
			enum nft_reject_kind reject;
		};
	};
};

/* Parts of a table that the kernel held, in its own words: load/kept.h. */
struct nlmsghdr;
struct nft_kept_chain;
struct nft_kept_set;
struct nft_kept_table;

struct nft_rule {
	struct nft_statement *statements;
	size_t statements_count, statements_capacity;
	const char *comment; /* safe text of at most 127 bytes, or NULL */
	struct span origin;  /* for the kernel's refusals; SPAN_NONE: fwc's own */
	const struct nlmsghdr *kept; /* in place of the statements, or NULL */
};

struct nft_chain {
	const char *name;
	bool is_base;
	const char *type;    /* "filter", "nat" */
	unsigned hook;       /* NF_INET_PRE_ROUTING 0, LOCAL_IN 1, FORWARD 2, LOCAL_OUT 3, POST_ROUTING 4 */
	int32_t priority;    /* base chains always have policy accept: see language reference */
	const char *comment;
	struct nft_rule *rules;
	size_t rules_count, rules_capacity;
	const struct nft_kept_chain *kept; /* or NULL */
};

/* What one value a field can be an element of: of more fields only a set with intervals has two. */
#define NFT_RANGE_FIELDS_MAX 2

/* A large table has some hundred thousand of them. */
struct nft_element {
	/* private, nft_element_low and nft_element_high: the low sides of all fields, then the high sides where the
	 * set has both */
	union {
		uint32_t small[NFT_KEY_FIELDS_MAX];
		struct nft_value *wide;
	};
	const char *chain;             /* maps: of the verdict */
	const char *comment;           /* or NULL */
	struct span origin;
	enum nft_verdict_kind verdict; /* maps */
};

/* Compact form for large plain sets: one interval_set, no comments, no verdicts. */
struct nft_set {
	const char *name;
	const enum nft_field *fields;
	size_t fields_count; /* at most NFT_KEY_FIELDS_MAX */
	/* of each address: the leading bits that the key holds, alone (nft_parts); 0: the whole address. Elements
	 * have zeros behind them. For exact sets of elements. */
	uint8_t leading[NFT_KEY_FIELDS_MAX];
	bool is_verdict_map;
	bool is_interval;    /* some element is a range */
	bool is_dynamic;     /* filled from packets */
	unsigned range_cost; /* of a map of boxes (split/layers.h): nanoseconds that a lookup costs */
	uint32_t size;       /* 0: not given. exact maps and sets get their count */
	uint64_t timeout_ms; /* dynamic */
	const char *comment;
	const struct interval_set *intervals; /* compact form, one field; else NULL */
	struct nft_element *elements;
	size_t elements_count, elements_capacity;
	bool has_small_keys; /* private: elements hold their numbers themselves */
	/* a map whose elements all share one verdict may use intervals + this */
	struct nft_verdict shared_verdict;
	struct span origin;
	struct nft_kept_set *kept; /* in place of all but name and is_interval, or NULL */
};

/* Where the high sides begin; 0: each field has one value. */
static inline size_t nft_element_highs(const struct nft_set *set)
{
	return set->fields_count <= NFT_RANGE_FIELDS_MAX || set->is_interval ? set->fields_count : 0;
}

/* The closed interval that one of the set's elements has of a field; low == high where the set is exact. */
static inline struct nft_value nft_element_low(const struct nft_set *set, const struct nft_element *element,
					       size_t field)
{
	return set->has_small_keys ? (struct nft_value){ .number = element->small[field] } : element->wide[field];
}

static inline struct nft_value nft_element_high(const struct nft_set *set, const struct nft_element *element,
						size_t field)
{
	return nft_element_low(set, element, nft_element_highs(set) + field);
}

static inline struct nft_verdict nft_element_verdict(const struct nft_element *element)
{
	return (struct nft_verdict){ element->verdict, element->chain };
}

/* Comments of counters and limits are for readers of the model: the kernel gets none (text/text.c). */
struct nft_counter { const char *name; const char *comment; };
struct nft_limit { const char *name; const struct limit *limit; const char *comment; };
struct nft_helper { const char *name; const char *type; uint8_t protocol; };

struct nft_table {
	const char *name; /* family inet */
	struct nft_counter *counters;
	size_t counters_count, counters_capacity;
	struct nft_limit *limits;
	size_t limits_count, limits_capacity;
	struct nft_helper *helpers;
	size_t helpers_count, helpers_capacity;
	struct nft_set **sets;
	size_t sets_count, sets_capacity;
	/* in an order in which every chain stands before those that jump to it */
	struct nft_chain **chains;
	size_t chains_count, chains_capacity;
	struct sources *sources;
	const struct nft_kept_table *kept; /* or NULL */
};

enum { NFT_STATE_INVALID = 1, NFT_STATE_ESTABLISHED = 2, NFT_STATE_RELATED = 4, NFT_STATE_NEW = 8,
       NFT_STATE_UNTRACKED = 64 };

#endif
