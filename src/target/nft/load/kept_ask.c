/* Asking for elements. The kernel finds one in the logarithm of their number, and answers each in a message of
 * its own (net/netfilter/nf_tables_api.c, nf_tables_getsetelem): so a million of them take as long as a million
 * questions, and not, as a list does, the square of it.
 *
 * What is asked for are different elements, the kernel has each as it was asked for, and it counts as many: so it
 * has these, and no others. */
#include "target/nft/load/kept_ask.h"

#include <arpa/inet.h>
#include <libnftnl/common.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/names.h"
#include "base/pool.h"
#include "target/nft/model/kernel_names.h"

#define ASKED_AT_ONCE 128 /* their answers fit what a socket holds where nobody may raise it */
#define ELEMENT_MOST 512 /* bytes: two keys of 64, a comment of 256, their heads */
#define REQUEST_ROOM (ASKED_AT_ONCE * (ELEMENT_MOST + 64) + 1024)
#define SET_COUNT 20 /* NFTA_SET_COUNT of Linux 6.14 */
#define KEY_MOST 64 /* NFT_DATA_VALUE_MAXLEN */

struct asked_set {
	const char *name;
	uint32_t count;     /* the kernel's */
	bool is_interval;   /* of one field: begins and ends are elements */
	size_t begins;      /* that were asked for */
	const struct nlattr *last;
};

struct asking {
	struct nft_kept *kept;
	struct nft_socket *socket;
	struct names *sets;  /* name -> struct asked_set */
	char *request;       /* REQUEST_ROOM bytes */
	const struct nlattr *elements[ASKED_AT_ONCE];
	size_t elements_count, answered;
	bool differs;
};

/* --- attributes --------------------------------------------------------------------------------------- */

static const struct nlattr *find_in(const void *begin, size_t length, uint16_t wanted)
{
	const struct nlattr *attribute = begin;
	const char *end = (const char *)begin + length;
	for (; mnl_attr_ok(attribute, (int)(end - (const char *)attribute)); attribute = mnl_attr_next(attribute))
		if (mnl_attr_get_type(attribute) == wanted)
			return attribute;
	return NULL;
}

static const struct nlattr *find(const struct nlattr *nest, uint16_t wanted)
{
	return nest == NULL ? NULL : find_in(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), wanted);
}

static const struct nlattr *find_of(const struct nlmsghdr *message, uint16_t wanted)
{
	const char *begin = mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg));
	const char *end = mnl_nlmsg_get_payload_tail(message);
	return find_in(begin, end > begin ? (size_t)(end - begin) : 0, wanted);
}

static bool are_same(const struct nlattr *a, const struct nlattr *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return mnl_attr_get_payload_len(a) == mnl_attr_get_payload_len(b) &&
	       memcmp(mnl_attr_get_payload(a), mnl_attr_get_payload(b), mnl_attr_get_payload_len(a)) == 0;
}

static bool is_same_key(const struct nlattr *a, const struct nlattr *b, uint16_t type)
{
	const struct nlattr *of_a = find(a, type), *of_b = find(b, type);
	return (of_a == NULL) == (of_b == NULL) &&
	       are_same(find(of_a, NFTA_DATA_VALUE), find(of_b, NFTA_DATA_VALUE));
}

static bool is_same_data(const struct nlattr *a, const struct nlattr *b)
{
	const struct nlattr *of_a = find(find(a, NFTA_SET_ELEM_DATA), NFTA_DATA_VERDICT);
	const struct nlattr *of_b = find(find(b, NFTA_SET_ELEM_DATA), NFTA_DATA_VERDICT);
	return is_same_key(a, b, NFTA_SET_ELEM_DATA) && (of_a == NULL) == (of_b == NULL) &&
	       are_same(find(of_a, NFTA_VERDICT_CODE), find(of_b, NFTA_VERDICT_CODE)) &&
	       are_same(find(of_a, NFTA_VERDICT_CHAIN), find(of_b, NFTA_VERDICT_CHAIN));
}

static const struct nlattr *first_in(const struct nlattr *nest)
{
	return mnl_attr_get_payload(nest);
}

static bool is_in(const struct nlattr *attribute, const struct nlattr *nest)
{
	const char *end = (const char *)mnl_attr_get_payload(nest) + mnl_attr_get_payload_len(nest);
	return mnl_attr_ok(attribute, (int)(end - (const char *)attribute));
}

/* Nothing but what a batch of fwc's gives an element. */
static bool is_plain(const struct nlattr *element)
{
	for (const struct nlattr *attribute = first_in(element); is_in(attribute, element);
	     attribute = mnl_attr_next(attribute))
		switch (mnl_attr_get_type(attribute)) {
		case NFTA_SET_ELEM_KEY:
		case NFTA_SET_ELEM_KEY_END:
		case NFTA_SET_ELEM_DATA:
		case NFTA_SET_ELEM_FLAGS:
		case NFTA_SET_ELEM_USERDATA:
		case NFTA_SET_ELEM_PAD:
			break;
		default:
			return false;
		}
	return true;
}

static bool is_same_element(const struct nlattr *a, const struct nlattr *b)
{
	return is_plain(a) && is_plain(b) && is_same_key(a, b, NFTA_SET_ELEM_KEY) &&
	       is_same_key(a, b, NFTA_SET_ELEM_KEY_END) && is_same_data(a, b) &&
	       are_same(find(a, NFTA_SET_ELEM_FLAGS), find(b, NFTA_SET_ELEM_FLAGS)) &&
	       are_same(find(a, NFTA_SET_ELEM_USERDATA), find(b, NFTA_SET_ELEM_USERDATA));
}

static bool is_end(const struct nlattr *element)
{
	const struct nlattr *flags = find(element, NFTA_SET_ELEM_FLAGS);
	return flags != NULL && mnl_attr_get_payload_len(flags) == sizeof(uint32_t) &&
	       (ntohl(mnl_attr_get_u32(flags)) & NFT_SET_ELEM_INTERVAL_END) != 0;
}

static const struct nlattr *key_of(const struct nlattr *element)
{
	const struct nlattr *key = find(find(element, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
	return key != NULL && mnl_attr_get_payload_len(key) <= KEY_MOST ? key : NULL;
}

/* Behind the other: by key; of one key, where an interval ends and the next begins. */
static bool is_behind(const struct nlattr *element, const struct nlattr *last)
{
	const struct nlattr *key = key_of(element), *before = key_of(last);
	if (key == NULL || before == NULL || mnl_attr_get_payload_len(key) != mnl_attr_get_payload_len(before))
		return false;
	int order = memcmp(mnl_attr_get_payload(before), mnl_attr_get_payload(key), mnl_attr_get_payload_len(key));
	return order < 0 || (order == 0 && is_end(last) && !is_end(element));
}

/* Every list of intervals begins with an end at zero, before which there is nothing: the kernel keeps it, and
 * gives it to nobody who asks. */
static bool is_end_at_zero(const struct nlattr *element)
{
	static const uint8_t zeros[KEY_MOST];
	const struct nlattr *key = key_of(element);
	return is_end(element) && key != NULL &&
	       memcmp(mnl_attr_get_payload(key), zeros, mnl_attr_get_payload_len(key)) == 0;
}

/* --- questions ---------------------------------------------------------------------------------------- */

static void read_answer(const struct nlmsghdr *message, void *data)
{
	struct asking *asking = data;
	const struct nlattr *list = find_of(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	const struct nlattr *element = find(list, NFTA_LIST_ELEM);
	if (element == NULL || asking->answered == asking->elements_count ||
	    !is_same_element(asking->elements[asking->answered++], element))
		asking->differs = true;
}

static void put_question(struct nlmsghdr *header, const struct nlattr *element)
{
	static const uint16_t types[] = { NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_KEY_END, NFTA_SET_ELEM_FLAGS };
	struct nlattr *nest = mnl_attr_nest_start(header, NFTA_LIST_ELEM);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		const struct nlattr *attribute = find(element, types[i]);
		if (attribute != NULL)
			mnl_attr_put(header, attribute->nla_type, mnl_attr_get_payload_len(attribute),
				     mnl_attr_get_payload(attribute));
	}
	mnl_attr_nest_end(header, nest);
}

static bool ask_now(struct asking *asking, const char *set)
{
	if (asking->elements_count == 0)
		return true;
	struct nlmsghdr *header = nftnl_nlmsg_build_hdr(asking->request, NFT_MSG_GETSETELEM, NFPROTO_INET, 0, 0);
	mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_TABLE, asking->kept->table);
	mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_SET, set);
	struct nlattr *nest = mnl_attr_nest_start(header, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (size_t i = 0; i < asking->elements_count; i++)
		put_question(header, asking->elements[i]);
	mnl_attr_nest_end(header, nest);
	asking->answered = 0;
	int error = nft_request_many(asking->socket, header, asking->elements_count, read_answer, asking);
	asking->elements_count = 0;
	return error == 0 && !asking->differs;
}

static bool take_element(struct asking *asking, struct asked_set *set, const struct nlattr *element)
{
	bool is_first = set->last == NULL;
	if (mnl_attr_get_payload_len(element) > ELEMENT_MOST || key_of(element) == NULL ||
	    (!is_first && !is_behind(element, set->last)) ||
	    (is_first && set->is_interval && !is_end_at_zero(element)))
		return false;
	set->last = element;
	if (is_first && set->is_interval)
		return true;
	set->begins += is_end(element) ? 0 : 1;
	asking->elements[asking->elements_count++] = element;
	return asking->elements_count < ASKED_AT_ONCE || ask_now(asking, set->name);
}

static bool take_list(struct asking *asking, const struct nlmsghdr *message)
{
	const struct nlattr *name = find_of(message, NFTA_SET_ELEM_LIST_SET);
	const struct nlattr *list = find_of(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	if (name == NULL || mnl_attr_validate(name, MNL_TYPE_NUL_STRING) < 0 || list == NULL)
		return false;
	struct asked_set *set = names_find(asking->sets, mnl_attr_get_str(name), strlen(mnl_attr_get_str(name)));
	if (set == NULL)
		return true;
	for (const struct nlattr *element = first_in(list); is_in(element, list); element = mnl_attr_next(element))
		if (!take_element(asking, set, element))
			return false;
	return ask_now(asking, set->name);
}

/* --- the sets ----------------------------------------------------------------------------------------- */

struct asked_sets {
	void *pool;
	struct asked_set **items;
	size_t items_count, items_capacity;
};

static void take_set(const struct nlmsghdr *message, void *data)
{
	struct asked_sets *sets = data;
	const struct nlattr *flags = find_of(message, NFTA_SET_FLAGS), *count = find_of(message, SET_COUNT);
	/* flags and count are numbers: nft_kept_each_left_out has looked */
	uint32_t bits = flags == NULL ? 0 : ntohl(mnl_attr_get_u32(flags));
	struct asked_set *set = pool_new(sets->pool, struct asked_set);
	set->name = pool_strdup(set, mnl_attr_get_str(find_of(message, NFTA_SET_NAME)));
	set->count = count == NULL ? 0 : ntohl(mnl_attr_get_u32(count));
	set->is_interval = (bits & NFT_SET_INTERVAL) != 0 && (bits & NFT_SET_CONCAT) == 0;
	*pool_append(sets->pool, sets, items) = set;
}

static bool ask_all(struct asking *asking, const char *messages, size_t length)
{
	int left = (int)length;
	for (const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)messages;
	     mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		if ((message->nlmsg_type & 0xff) == NFT_MSG_NEWSETELEM && !take_list(asking, message))
			return false;
	return true;
}

static bool are_all_there(const struct asked_sets *sets)
{
	for (size_t i = 0; i < sets->items_count; i++)
		if (sets->items[i]->begins != sets->items[i]->count)
			return false;
	return true;
}

bool nft_kept_ask(struct nft_kept *kept, struct nft_socket *socket, const char *messages, size_t length)
{
	void *scratch = pool_child(kept->pool, "asking");
	struct asked_sets sets = { .pool = scratch };
	struct asking asking = { .kept = kept, .socket = socket, .sets = names_new(scratch, false),
				 .request = pool_bytes(scratch, REQUEST_ROOM) };
	uint32_t after = 0;
	nft_kept_each_left_out(kept, take_set, &sets);
	for (size_t i = 0; i < sets.items_count; i++)
		names_set(asking.sets, sets.items[i]->name, strlen(sets.items[i]->name), sets.items[i]);
	bool is_whole = ask_all(&asking, messages, length) && are_all_there(&sets) &&
			nft_generation(socket, &after) == 0 && after == kept->generation;
	talloc_free(scratch);
	if (is_whole)
		nft_kept_fill(kept, messages, length);
	return is_whole;
}

int nft_kept_read_like(void *pool, struct nft_socket *socket, const char *table, const char *messages,
		       size_t length, struct nft_kept **kept)
{
	int error = nft_kept_glance(pool, socket, table, NFT_KEPT_GLANCED, kept);
	if (error == 0 && nft_kept_is_whole(*kept))
		(*kept)->elements_most = 0;
	else if (error == 0 && (messages == NULL || !nft_kept_ask(*kept, socket, messages, length))) {
		talloc_free(*kept);
		error = nft_kept_read(pool, socket, table, kept);
	}
	return error;
}
