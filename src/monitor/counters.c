/* Counters: see counters.h. Only the objects are asked for: a table's rules may be many. */
#include "monitor/counters.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/object.h>
#include <libnftnl/table.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/model/kernel_names.h"

#define ATTEMPTS_MAX 20
#define REQUEST_BYTES 512

struct reading {
	void *pool;
	const char *table;
	struct counters *counters;
};

static void read_object(const struct nlmsghdr *header, void *data)
{
	struct reading *reading = data;
	struct nftnl_obj *object = nftnl_obj_alloc();
	const char *table;

	if (object == NULL)
		pool_fail(reading->pool, 0);
	if (nftnl_obj_nlmsg_parse(header, object) == 0 &&
	    nftnl_obj_get_u32(object, NFTNL_OBJ_TYPE) == NFT_OBJECT_COUNTER) {
		table = nftnl_obj_get_str(object, NFTNL_OBJ_TABLE);
		/* an older kernel lists the objects of all tables */
		if (table != NULL && strcmp(table, reading->table) == 0)
			*pool_append(reading->pool, reading->counters, items) = (struct counter){
				.name = pool_strdup(reading->pool, nftnl_obj_get_str(object, NFTNL_OBJ_NAME)),
				.packets = nftnl_obj_get_u64(object, NFTNL_OBJ_CTR_PKTS),
				.bytes = nftnl_obj_get_u64(object, NFTNL_OBJ_CTR_BYTES),
				.handle = nftnl_obj_get_u64(object, NFTNL_OBJ_HANDLE),
			};
	}
	nftnl_obj_free(object);
}

static void read_table(const struct nlmsghdr *header, void *data)
{
	struct reading *reading = data;
	struct nftnl_table *table = nftnl_table_alloc();

	if (table == NULL)
		pool_fail(reading->pool, 0);
	if (nftnl_table_nlmsg_parse(header, table) == 0)
		reading->counters->table_handle = nftnl_table_get_u64(table, NFTNL_TABLE_HANDLE);
	nftnl_table_free(table);
}

static int ask(struct nft_socket *netlink, struct reading *reading, uint16_t type, uint16_t flags,
	       nft_reader reader)
{
	char bytes[REQUEST_BYTES];
	struct nlmsghdr *header = mnl_nlmsg_put_header(bytes);
	struct nfgenmsg *general;

	header->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	general = mnl_nlmsg_put_extra_header(header, sizeof *general);
	*general = (struct nfgenmsg){ .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };
	mnl_attr_put_strz(header, NFTA_OBJ_TABLE, reading->table);
	return nft_request(netlink, header, reader, reading);
}

static int read_once(struct nft_socket *netlink, struct reading *reading)
{
	int error = ask(netlink, reading, NFT_MSG_GETTABLE, 0, read_table);

	_Static_assert((int)NFTA_OBJ_TABLE == (int)NFTA_TABLE_NAME, "the table is named alike");
	reading->counters->items_count = 0;
	return error == 0 ? ask(netlink, reading, NFT_MSG_GETOBJ, NLM_F_DUMP, read_object) : error;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct counter *)a)->name, ((const struct counter *)b)->name);
}

int counters_read(void *pool, struct nft_socket *netlink, const char *table, struct counters *counters)
{
	struct reading reading = { .pool = pool, .table = table, .counters = counters };
	int error = EINTR;

	for (int attempt = 0; attempt < ATTEMPTS_MAX && error == EINTR; attempt++)
		error = read_once(netlink, &reading);
	if (error == 0 && counters->items_count > 0)
		qsort(counters->items, counters->items_count, sizeof *counters->items, compare);
	return error == ENOENT ? 0 : error;
}

const struct counter *counters_find(const struct counters *counters, const char *name)
{
	const struct counter key = { .name = name };

	return counters->items_count == 0 ? NULL :
	       bsearch(&key, counters->items, counters->items_count, sizeof *counters->items, compare);
}
