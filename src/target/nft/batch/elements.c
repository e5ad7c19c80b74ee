/* Elements are written into the message at once, without an object each: there may be a million.
 * Source of the layout: nf_tables.h, enum nft_set_elem_attributes; of the ends of intervals: nft
 * 1.0.6, src/segtree.c, set_to_intervals. */
#include "target/nft/batch/elements.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>

#include "base/pool.h"
#include "target/nft/model/kernel_names.h"
#include "target/nft/model/key.h"
#include "target/nft/batch/userdata.h"

/* NFTA_SET_ELEM_LIST_ELEMENTS has a length of 16 bits; one element is below 1 KiB. */
#define ELEMENT_MAX 1024
#define LIST_MAX (65535 - 2 * ELEMENT_MAX)

struct list {
	struct nft_batch *batch;
	const struct nft_naming *naming;
	const struct nft_set *set;
	const struct nft_field_row *row; /* of the only field */
	bool is_interval;
	size_t most; /* bytes of a message after which the next begins */
	struct nlmsghdr *header; /* the open message, or NULL */
	struct nlattr *nest;
	size_t first; /* of the open message */
};

static void list_open(struct list *list, size_t number)
{
	struct nft_name room;
	if (list->header != NULL)
		return;
	list->header = nft_batch_begin(list->batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
	mnl_attr_put_strz(list->header, NFTA_SET_ELEM_LIST_TABLE, list->naming->table);
	mnl_attr_put_strz(list->header, NFTA_SET_ELEM_LIST_SET,
			  nft_name_suffixed(list->naming, &room, list->set->name));
	list->nest = mnl_attr_nest_start(list->header, NFTA_SET_ELEM_LIST_ELEMENTS);
	list->first = number;
}

static void list_close(struct list *list)
{
	if (list->header == NULL)
		return;
	mnl_attr_nest_end(list->header, list->nest);
	struct nft_message *message = nft_batch_end(list->batch, list->header);
	message->kind = NFT_SUBJECT_ELEMENTS;
	message->subject = list->set;
	message->first_element = list->first;
	list->header = NULL;
}

/* A start and its end stay in one message: each can then be sent by itself. */
static void list_close_if_full(struct list *list)
{
	if (list->header != NULL && list->header->nlmsg_len >= list->most)
		list_close(list);
}

/* --- one element ---------------------------------------------------------------------------------- */

static void put_key(struct nlmsghdr *header, uint16_t attribute, const uint8_t *bytes, uint32_t length)
{
	struct nlattr *nest = mnl_attr_nest_start(header, attribute);
	mnl_attr_put(header, NFTA_DATA_VALUE, length, bytes);
	mnl_attr_nest_end(header, nest);
}

static void put_verdict(const struct list *list, const struct nft_verdict *verdict)
{
	struct nft_name room;
	struct nlmsghdr *header = list->header;
	struct nlattr *data = mnl_attr_nest_start(header, NFTA_SET_ELEM_DATA);
	struct nlattr *nest = mnl_attr_nest_start(header, NFTA_DATA_VERDICT);
	mnl_attr_put_u32(header, NFTA_VERDICT_CODE, htonl(nft_verdict_code(verdict->kind)));
	if (verdict->kind == NFT_JUMP || verdict->kind == NFT_GOTO)
		mnl_attr_put_strz(header, NFTA_VERDICT_CHAIN,
				  nft_name_suffixed(list->naming, &room, verdict->chain));
	mnl_attr_nest_end(header, nest);
	mnl_attr_nest_end(header, data);
}

static void put_rest(const struct list *list, const struct nft_verdict *verdict, const char *comment,
		     bool is_open)
{
	if (list->set->is_verdict_map)
		put_verdict(list, verdict);
	if (comment == NULL && !is_open)
		return;
	struct nft_userdata data = nft_userdata_element(comment, is_open);
	if (data.length != 0)
		mnl_attr_put(list->header, NFTA_SET_ELEM_USERDATA, data.length, data.bytes);
}

static void put_end(struct list *list, number128 number)
{
	uint8_t bytes[16];
	nft_key_value(bytes, list->row, &(struct nft_value){ .number = number }, true);
	struct nlattr *nest = mnl_attr_nest_start(list->header, NFTA_LIST_ELEM);
	mnl_attr_put_u32(list->header, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	put_key(list->header, NFTA_SET_ELEM_KEY, bytes, list->row->bytes);
	mnl_attr_nest_end(list->header, nest);
}

/* An element of a set with one field. */
static void put_single(struct list *list, const struct nft_value *low, const struct nft_value *high,
		       const struct nft_verdict *verdict, const char *comment)
{
	uint8_t bytes[16];
	bool is_open = list->is_interval && high->number == nft_field_highest(list->set->fields[0]);
	nft_key_value(bytes, list->row, low, list->is_interval);
	struct nlattr *nest = mnl_attr_nest_start(list->header, NFTA_LIST_ELEM);
	put_key(list->header, NFTA_SET_ELEM_KEY, bytes, list->row->bytes);
	put_rest(list, verdict, comment, is_open);
	mnl_attr_nest_end(list->header, nest);
	if (list->is_interval && !is_open)
		put_end(list, high->number + 1);
}

/* All fields, each padded to whole registers: low sides from place 0 on, or high ones. */
static void concatenate(const struct list *list, const struct nft_element *element, size_t place, uint8_t *bytes)
{
	uint32_t length = 0;
	for (size_t i = 0; i < list->set->fields_count; i++) {
		const struct nft_value value = nft_element_low(list->set, element, place + i);
		length += nft_key_put(bytes + length, list->set, i, &value, list->is_interval);
	}
}

/* An element of a set with several fields, or with a part of one. */
static void put_concatenation(struct list *list, const struct nft_element *element)
{
	uint8_t bytes[NFT_KEY_MAX];
	const struct nft_verdict verdict = nft_element_verdict(element);
	uint32_t length = nft_key_length(list->set);
	struct nlattr *nest = mnl_attr_nest_start(list->header, NFTA_LIST_ELEM);
	concatenate(list, element, 0, bytes);
	put_key(list->header, NFTA_SET_ELEM_KEY, bytes, length);
	if (list->is_interval) {
		concatenate(list, element, nft_element_highs(list->set), bytes);
		put_key(list->header, NFTA_SET_ELEM_KEY_END, bytes, length);
	}
	put_rest(list, &verdict, element->comment, false);
	mnl_attr_nest_end(list->header, nest);
}

/* --- all elements ---------------------------------------------------------------------------------- */

struct numbered {
	number128 low;
	uint32_t number;
};

static int compare_numbered(const void *left, const void *right)
{
	const struct numbered *a = left, *b = right;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

static bool is_sorted(const struct nft_set *set)
{
	for (size_t i = 1; i < set->elements_count; i++)
		if (nft_element_low(set, &set->elements[i - 1], 0).number >
		    nft_element_low(set, &set->elements[i], 0).number)
			return false;
	return true;
}

const uint32_t *nft_element_order(void *pool, const struct nft_set *set)
{
	if (set->intervals != NULL || set->fields_count != 1 || !nft_set_has_ranges(set) || is_sorted(set))
		return NULL;
	struct numbered *numbered = pool_array(pool, struct numbered, set->elements_count);
	uint32_t *order = pool_array(pool, uint32_t, set->elements_count);
	for (size_t i = 0; i < set->elements_count; i++)
		numbered[i] = (struct numbered){ nft_element_low(set, &set->elements[i], 0).number,
						  (uint32_t)i };
	qsort(numbered, set->elements_count, sizeof *numbered, compare_numbered);
	for (size_t i = 0; i < set->elements_count; i++)
		order[i] = numbered[i].number;
	talloc_free(numbered);
	return order;
}

/* Nothing is in the set from zero to the first interval. */
static void add_first_end(struct list *list, number128 lowest)
{
	if (list->is_interval && lowest != 0)
		put_end(list, 0);
}

static void add_intervals(struct list *list)
{
	const struct interval_set *intervals = list->set->intervals;
	for (size_t i = 0; i < intervals->items_count; i++) {
		list_open(list, i);
		if (i == 0)
			add_first_end(list, intervals->items[0].low);
		put_single(list, &(struct nft_value){ .number = intervals->items[i].low },
			   &(struct nft_value){ .number = intervals->items[i].high },
			   &list->set->shared_verdict, NULL);
		list_close_if_full(list);
	}
}

static void add_listed(struct list *list)
{
	const uint32_t *order = nft_element_order(list->batch->pool, list->set);
	for (size_t i = 0; i < list->set->elements_count; i++) {
		const struct nft_element *element = &list->set->elements[order == NULL ? i : order[i]];
		list_open(list, i);
		if (list->set->fields_count > 1 || list->set->leading[0] != 0) {
			put_concatenation(list, element);
		} else {
			const struct nft_value low = nft_element_low(list->set, element, 0);
			const struct nft_value high = nft_element_high(list->set, element, 0);
			const struct nft_verdict verdict = nft_element_verdict(element);
			if (i == 0)
				add_first_end(list, low.number);
			put_single(list, &low, &high, &verdict, element->comment);
		}
		list_close_if_full(list);
	}
}

void nft_add_elements(struct nft_batch *batch, const struct nft_naming *naming,
		      const struct nft_set *set, size_t message_max)
{
	struct list list = {
		.batch = batch,
		.naming = naming,
		.set = set,
		.row = nft_field_row(set->fields[0]),
		.is_interval = nft_set_has_ranges(set),
		.most = message_max != 0 && message_max < LIST_MAX ? message_max : LIST_MAX,
	};
	if (set->intervals != NULL)
		add_intervals(&list);
	else
		add_listed(&list);
	list_close(&list);
}

/* --- reading back ------------------------------------------------------------------------------------ */

struct search {
	const char *limit; /* elements that begin behind it do not count */
	size_t starts;
	bool is_end; /* of the element that is looked at */
};

static int look_at_flags(const struct nlattr *attribute, void *data)
{
	struct search *search = data;
	if (mnl_attr_get_type(attribute) == NFTA_SET_ELEM_FLAGS)
		search->is_end = (ntohl(mnl_attr_get_u32(attribute)) & NFT_SET_ELEM_INTERVAL_END) != 0;
	return MNL_CB_OK;
}

static int look_at_element(const struct nlattr *element, void *data)
{
	struct search *search = data;
	if ((const char *)element > search->limit)
		return MNL_CB_STOP;
	search->is_end = false;
	mnl_attr_parse_nested(element, look_at_flags, search);
	search->starts += !search->is_end;
	return MNL_CB_OK;
}

static int look_at_list(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == NFTA_SET_ELEM_LIST_ELEMENTS)
		mnl_attr_parse_nested(attribute, look_at_element, data);
	return MNL_CB_OK;
}

size_t nft_element_at(const struct nlmsghdr *header, uint32_t offset)
{
	struct search search = { .limit = (const char *)header + offset };
	mnl_attr_parse(header, sizeof(struct nfgenmsg), look_at_list, &search);
	return search.starts == 0 ? 0 : search.starts - 1;
}
