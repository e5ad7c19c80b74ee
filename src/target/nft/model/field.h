/* What the two writers know of a field: one row each.
 *
 * Sources: nft 1.0.6 (src/datatype.c for type numbers and byte orders, src/payload.c, src/meta.c,
 * src/ct.c for what depends on which protocol), linux/netfilter/nf_tables.h for keys. */
#ifndef FWC_TARGET_NFT_MODEL_FIELD_H
#define FWC_TARGET_NFT_MODEL_FIELD_H

#include "target/nft/model/model.h"

enum nft_loader { NFT_LOAD_META, NFT_LOAD_PAYLOAD, NFT_LOAD_CT, NFT_LOAD_FIB };

/* How the kernel holds the value in a register. */
enum nft_byte_order { NFT_HOST_ENDIAN, NFT_BIG_ENDIAN, NFT_BYTES };

enum nft_value_kind {
	NFT_VALUE_NUMBER,
	NFT_VALUE_NAME, /* NUL-padded, in quotes */
	NFT_VALUE_IPV4,
	NFT_VALUE_IPV6,
	NFT_VALUE_SYMBOL, /* a number with a name for some values */
	NFT_VALUE_BITS,   /* a mask with a name for each bit */
};

struct nft_symbol {
	uint32_t value;
	const char *name;
};

struct nft_field_row {
	const char *text; /* in a rule: "ip saddr"; of ports: "sport", after the protocol or "th" */
	enum nft_loader loader;
	uint32_t key;     /* META, CT: key; PAYLOAD: base; FIB: flags */
	uint32_t offset;  /* PAYLOAD: bytes from the base */
	uint32_t bytes;
	enum nft_byte_order order;
	enum nft_value_kind kind;
	const struct nft_symbol *symbols; /* ends with name NULL; or NULL */
	const char *type;     /* of a set's key: "ipv4_addr"; NULL: cannot be a key */
	uint8_t type_number;  /* enum datatypes of nft */
	uint8_t type_order;   /* set userdata: 0 none, 1 host, 2 big endian */
	uint8_t family;       /* NFPROTO_* that nft checks before; 0: none */
	uint8_t protocol;     /* IP protocol that nft checks before; 0: none */
	bool is_original;     /* CT: of the original direction */
	bool is_port;         /* the text stands after a protocol's name */
};

const struct nft_field_row *nft_field_row(enum nft_field field);
/* The name of a value that has one, or NULL. */
const char *nft_symbol_name(const struct nft_symbol *symbols, number128 value);
/* The protocol's word in "tcp dport", or "th" where none is fixed. */
const char *nft_port_protocol(uint8_t protocol);

/* The operator with degenerate forms folded: a range of one value, a prefix of full length. */
enum nft_operator nft_operator_of(const struct nft_statement *match);

/* How many leading bits of the field a match with a prefix loads, of which those behind the prefix are masked.
 * IPv4 where the rule may say its mask: 8, 16 or 32 bits, since these the kernel loads, masks and compares
 * without a call (15 ns for a /24 that fails, with three bytes 21). Else as nft does: whole bytes alone, else
 * all. */
unsigned nft_prefix_load(const struct nft_statement *match);

/* What one load brings of an address whose leading bits alone are compared or looked up. */
struct nft_part {
	uint32_t offset;  /* bytes from the address's first */
	uint32_t bytes;
	unsigned leading; /* of its bits those that count; all others are masked */
};

#define NFT_PARTS_MAX 4

/* The loads by which an address or prefix of a known family is compared by its place, in the order in which they
 * are; of a range of IPv6 that of the bits that its ends share and that tell most, where there are enough, behind
 * which the range itself is compared: how many; 0: it is not compared so. 8, 16 or 32 bits each, as for keys
 * (below): one that fails costs 3.7 ns, an IPv6 address loaded whole 28.5, four that hold 19.0; a range that fails
 * 57 to 92, since comparisons by size are calls. The last bits first, then those that tell networks from each
 * other: most addresses of one policy share the first ones, and many hosts have the same end. nft 1.0.6 leaves such
 * comparisons apart: it joins no two of at most 32 bits into more. */
size_t nft_match_parts(const struct nft_statement *match, struct nft_part parts[NFT_PARTS_MAX]);
/* The loads of the leading bits that the set's key holds of the address, in their order: how many; 0: it holds the
 * whole field. At most 32 bits at once, of 8, 16 or 32: these the kernel loads and masks without a call
 * (nft_payload_fast_ops, nft_bitwise_fast_ops: linux 5.17). Of IPv4 always 32, as the fastest hash wants. Beside
 * other fields than addresses one load of whole bytes of IPv6, at most 8 of them: nft 1.0.6 knows what at most four
 * parts of a key are (concat_expr_build_udata). */
size_t nft_parts(const struct nft_set *set, size_t field, struct nft_part parts[NFT_PARTS_MAX]);
/* Is a key of these fields' leading bits better loaded in parts than as masked addresses? Pays for IPv6, where nft
 * can say it. */
bool nft_pays_in_parts(const enum nft_field *fields, const uint8_t *leading, size_t count);
/* The number that a part of the address has, its bits that count. */
uint64_t nft_part_value(enum nft_field field, const struct nft_part *part, number128 address);
/* The mask of an address's leading bits. */
number128 nft_mask(enum nft_field field, unsigned leading);

/* What an element is of a field; of the only field. high: left aside where each field has one value. */
void nft_element_set(const struct nft_set *set, struct nft_element *element, size_t field, number128 low,
		     number128 high);
void nft_element_set_name(const struct nft_set *set, struct nft_element *element, const char *name);
/* Has the set any range? is_interval may be wrong the safe way only. */
bool nft_set_has_ranges(const struct nft_set *set);
/* The highest value of a field. */
number128 nft_field_highest(enum nft_field field);

#endif
