/* Expressions of rules, sets and objects: one row a kind says which attributes it has. */
#ifndef FWC_TARGET_NFT_READ_EXPRESSION_H
#define FWC_TARGET_NFT_READ_EXPRESSION_H

#include <libmnl/libmnl.h>

#include "target/nft/read/read.h"

/* libmnl's loops, without its narrowing of a difference of pointers. */
#define read_each_until(attribute, first, end)                                                    \
	for ((attribute) = (first); mnl_attr_ok((attribute), (int)((end) - (const char *)(attribute))); \
	     (attribute) = mnl_attr_next(attribute))
#define read_each_nested(attribute, nest)                                                         \
	read_each_until(attribute, mnl_attr_get_payload(nest),                                    \
			(const char *)mnl_attr_get_payload(nest) + mnl_attr_get_payload_len(nest))
#define read_each(attribute, header)                                                              \
	read_each_until(attribute, mnl_nlmsg_get_payload_offset(header, sizeof(struct nfgenmsg)), \
			(const char *)mnl_nlmsg_get_payload_tail(header))

/* The list in a nest of NFTA_LIST_ELEM. false: malformed. */
bool read_expressions_parse(struct arena *arena, const struct nlattr *nest, struct read_expressions *list);
/* One expression: NFTA_EXPR_NAME and NFTA_EXPR_DATA in the nest. */
bool read_expression_parse(struct arena *arena, const struct nlattr *nest, struct read_expression *expression);
/* What NFTA_OBJ_DATA of this type holds. */
bool read_object_parse(struct arena *arena, uint32_t type, const struct nlattr *nest,
		       struct read_expression *content);
/* NFTA_DATA_VALUE or NFTA_DATA_VERDICT in the nest. */
bool read_data_parse(struct arena *arena, const struct nlattr *nest, struct read_data *data);
/* The same, but bytes stay in the message. */
bool read_data_peek(struct arena *arena, const struct nlattr *nest, struct read_data *data);
/* A number of 1, 2, 4 or 8 bytes in network order. */
bool read_number_parse(const struct nlattr *attribute, uint64_t *value);
/* A NUL-terminated string. */
bool read_string_parse(struct arena *arena, const struct nlattr *attribute, const char **string);

const struct read_attribute *read_attribute_find(const struct read_expression *expression, uint16_t number);
/* The attribute's number, or `otherwise` where there is none. */
uint64_t read_number(const struct read_expression *expression, uint16_t number, uint64_t otherwise);
bool read_has(const struct read_expression *expression, uint16_t number);
/* NULL where there is none. */
const char *read_string(const struct read_expression *expression, uint16_t number);
const struct read_data *read_data(const struct read_expression *expression, uint16_t number);
const struct read_expressions *read_nested(const struct read_expression *expression, uint16_t number);

/* "[ cmp SREG 1 OP 0 DATA 0a000001 ]", without what is volatile or says what is meant anyway. */
void read_expression_print(struct text *out, const struct read_expression *expression);
void read_data_print(struct text *out, const struct read_data *data);

#endif
