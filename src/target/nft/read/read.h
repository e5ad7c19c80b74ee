/* A reading of nf_tables: what netlink messages say that the kernel holds, or is to hold.
 *
 * The messages of a batch before it is sent and those of the kernel's dump become one model, so that
 * what was written can be compared with what was meant, and with what came of it. Nothing here knows
 * what fwc writes: every table, chain, rule, set and object of every family is read, an expression
 * without a row in the table stays with its name and its bytes. Shares no code with the writer.
 *
 * Numbers are in host order; data of registers, set keys and elements are bytes as the kernel
 * compares them. All memory is the pool's. Source: linux/netfilter/nf_tables.h (attributes),
 * net/netfilter/nf_tables_api.c (what a message does), nft 1.0.6 (user data). */
#ifndef FWC_TARGET_NFT_READ_READ_H
#define FWC_TARGET_NFT_READ_READ_H

#include <linux/netlink.h>

#include "base/arena.h"
#include "base/names.h"
#include "base/text.h"

/* Bytes, or a verdict with the chain it goes to. */
struct read_data {
	const uint8_t *bytes;
	uint32_t length; /* 0 and not is_verdict: there is none */
	bool is_verdict;
	int32_t verdict;   /* NF_DROP, NF_ACCEPT, NFT_JUMP, … */
	const char *chain; /* NFT_JUMP, NFT_GOTO; else NULL */
};

enum read_attribute_type {
	READ_NUMBER, /* 8 to 64 bits */
	READ_STRING,
	READ_DATA,
	READ_EXPRESSIONS, /* one or a list */
	READ_BYTES, /* what no row describes */
};

struct read_attribute {
	uint16_t number; /* NFTA_… of the expression */
	uint16_t type;   /* enum read_attribute_type */
	union {
		uint64_t value;
		const char *string;
		const struct read_data *data;
		const struct read_expressions *expressions;
	};
};

/* What kinds an expression can be; UNKNOWN has one attribute of type BYTES. Row X(NAME, name) */
#define READ_KINDS(X)                                                                             \
	X(BITWISE, "bitwise") X(BYTEORDER, "byteorder") X(CMP, "cmp") X(CONNLIMIT, "connlimit")   \
	X(COUNTER, "counter") X(CT, "ct") X(DUP, "dup") X(DYNSET, "dynset") X(EXTHDR, "exthdr")   \
	X(FIB, "fib") X(FLOW_OFFLOAD, "flow_offload") X(FWD, "fwd") X(HASH, "hash")               \
	X(IMMEDIATE, "immediate") X(LAST, "last") X(LIMIT, "limit") X(LOG, "log")                 \
	X(LOOKUP, "lookup") X(MASQ, "masq") X(META, "meta") X(NAT, "nat") X(NOTRACK, "notrack")   \
	X(NUMGEN, "numgen") X(OBJREF, "objref") X(OSF, "osf") X(PAYLOAD, "payload")               \
	X(QUEUE, "queue") X(QUOTA, "quota") X(RANGE, "range") X(REDIR, "redir")                   \
	X(REJECT, "reject") X(RT, "rt") X(SECMARK, "secmark") X(SOCKET, "socket")                 \
	X(SYNPROXY, "synproxy") X(TPROXY, "tproxy") X(TUNNEL, "tunnel") X(XFRM, "xfrm")

enum read_kind {
	READ_UNKNOWN,
#define X(kind, name) READ_##kind,
	READ_KINDS(X)
#undef X
};

struct read_expression {
	enum read_kind kind;
	uint32_t attributes_count;
	const char *name;
	const struct read_attribute *attributes; /* by number */
};

struct read_expressions {
	const struct read_expression *items;
	size_t items_count;
};

struct read_rule {
	struct read_expressions expressions;
	const char *comment; /* or NULL */
	uint64_t handle;     /* of the kernel; 0 in a batch */
};

struct read_chain {
	const char *name;
	bool is_base;
	const char *type;   /* base chains: "filter", "nat", "route" */
	uint32_t hook;
	int32_t priority;
	uint32_t policy;    /* NF_ACCEPT, NF_DROP */
	const char *comment;
	struct read_rule *rules;
	size_t rules_count, rules_capacity;
};

/* What an element of a long list has nothing of. */
struct read_more {
	const uint8_t *key_end;  /* as long as the key, or NULL */
	struct read_data value;  /* maps */
	const char *object;      /* object maps */
	const char *comment;
	uint64_t timeout_ms;
	struct read_expressions expressions;
};

/* There are two of them for each interval of a set: each byte here is 2 MB at a million prefixes. All is private to
 * the functions below. */
struct read_element {
	union {
		uint8_t small[4];
		uint32_t number; /* of the key in the set's */
	};
	uint32_t more; /* its number among the set's; in the bits above READ_MORE_BITS the flags */
};
#define READ_MORE_BITS 30
#define READ_CATCH_ALL UINT32_C(2) /* NFT_SET_ELEM_CATCHALL; who knows the model cannot have nf_tables.h, too */

#define READ_FIELDS_MAX 16 /* NFT_REG32_COUNT */

struct read_set {
	const char *name;
	uint32_t id;    /* in its batch */
	uint32_t flags; /* NFT_SET_* */
	uint32_t key_type, key_length, data_type, data_length;
	uint32_t size;  /* 0: not given */
	uint32_t count; /* of elements, as the kernel says since Linux 6.14, an interval being one; else 0 */
	uint8_t field_lengths[READ_FIELDS_MAX]; /* of a concatenation with ranges */
	size_t fields_count;
	uint64_t timeout_ms;
	const char *comment;
	struct read_expressions expressions;
	struct read_element *elements; /* nft_read_finish sorts them by key */
	size_t elements_count, elements_capacity;
	/* private: of the elements */
	uint8_t *keys;
	size_t keys_count, keys_capacity; /* bytes */
	const struct read_more **mores;   /* the first has nothing */
	size_t mores_count, mores_capacity;
};

/* NFT_SET_ELEM_* */
static inline uint32_t read_element_flags(const struct read_element *element)
{
	return element->more >> READ_MORE_BITS;
}

/* As long as the set says; of a catch-all, which has no key: 0. */
static inline uint32_t read_element_length(const struct read_set *set, const struct read_element *element)
{
	return (read_element_flags(element) & READ_CATCH_ALL) != 0 ? 0 : set->key_length;
}

/* NULL: a catch-all's. */
static inline const uint8_t *read_element_key(const struct read_set *set, const struct read_element *element)
{
	if (read_element_length(set, element) == 0)
		return NULL;
	return set->key_length <= sizeof element->small ? element->small
						       : set->keys + (size_t)element->number * set->key_length;
}

/* Never NULL; elements with one value may have one together. */
static inline const struct read_more *read_element_more(const struct read_set *set,
							 const struct read_element *element)
{
	return set->mores[element->more & ((UINT32_C(1) << READ_MORE_BITS) - 1)];
}

struct read_object {
	const char *name;
	uint32_t type; /* NFT_OBJECT_* */
	/* attributes of the object's own kind, as of an expression of that name */
	struct read_expression content;
	const char *comment;
};

struct read_table {
	uint8_t family; /* NFPROTO_* */
	const char *name;
	uint32_t flags; /* NFT_TABLE_F_* */
	struct read_chain **chains;
	size_t chains_count, chains_capacity;
	struct read_set **sets;
	size_t sets_count, sets_capacity;
	struct read_object **objects;
	size_t objects_count, objects_capacity;
	struct names *chain_names, *set_names, *object_names; /* private: use the finders */
};

struct nft_read {
	void *pool;
	struct arena *arena;
	uint32_t generation; /* of the kernel; 0: of a batch */
	struct read_table **tables;
	size_t tables_count, tables_capacity;
	const char *problem; /* the first thing that could not be understood, or NULL */
};

struct nft_read *nft_read_new(void *pool);
/* Does what the message says: makes or takes away. A message that is not of nf_tables, or malformed,
 * becomes the problem. Bytes are copied. */
void nft_read_message(struct nft_read *read, const struct nlmsghdr *header);
/* Sorts the elements; to be called once behind the last message. */
void nft_read_finish(struct nft_read *read);

/* Each may be NULL. */
const struct read_table *nft_read_table(const struct nft_read *read, uint8_t family, const char *name);
/* Gives one of the set's elements something else beside its key. */
void read_element_give(void *pool, struct read_set *set, struct read_element *element,
		       const struct read_more *more);
/* Takes all of its elements away. */
void read_set_empty(struct read_set *set);
struct read_chain *read_chain_find(const struct read_table *table, const char *name);
struct read_set *read_set_find(const struct read_table *table, const char *name);
/* id: of a set of the same batch, asked where no set has the name. */
struct read_set *read_set_of(const struct read_table *table, const char *name, uint32_t id);
struct read_object *read_object_find(const struct read_table *table, uint32_t type, const char *name);

/* Everything in one order and one form: two readings are equal where the texts are. What counts
 * packets or is the kernel's own (handles, counters, times left) is left out. */
void nft_read_print(struct text *out, const struct read_table *table);
/* Its parts: a line each, that of a set without its elements, that of a chain without its rules. */
void read_table_print(struct text *out, const struct read_table *table);
void read_object_print(struct text *out, const struct read_object *object);
void read_set_print(struct text *out, const struct read_set *set);
void read_element_print(struct text *out, const struct read_set *set, const struct read_element *element);
void read_chain_print(struct text *out, const struct read_chain *chain);
void read_rule_print(struct text *out, const struct read_rule *rule);

#endif
