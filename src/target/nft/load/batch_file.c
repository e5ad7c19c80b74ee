#include "target/nft/load/batch_file.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/pool.h"
#include "base/sha256.h"
#include "target/nft/model/kernel_names.h"
#include "target/nft/load/refusal.h"
#include "target/nft/load/replace.h"
#include "target/nft/load/reread.h"
#include "target/nft/batch/userdata.h"

#define MAGIC "FWCBATCH"
#define VERSION 1
#define ORDER_MARK 0x01020304u
#define TABLE_MOST 40
/* what a table needs no more of: a damaged length allocates nothing large */
#define BYTES_MOST ((uint64_t)1 << 30)

struct header {
	char magic[8];
	uint32_t version, order, messages_count, zero;
	uint64_t length;
	char table[TABLE_MOST];
	uint8_t hash[SHA256_BYTES];
};

#define HASHED_BYTES offsetof(struct header, hash)

_Static_assert(sizeof(struct header) == NFT_BATCH_FILE_HEAD && HASHED_BYTES == 72, "the format, without gaps");

static void hash_of(const struct header *header, const char *bytes, size_t length,
		    uint8_t hash[SHA256_BYTES])
{
	struct sha256 context;

	sha256_begin(&context);
	sha256_add(&context, header, HASHED_BYTES);
	sha256_add(&context, bytes, length);
	sha256_end(&context, hash);
}

/* --- writing ------------------------------------------------------------------------------------------ */

static void add_about_table(struct nft_batch *batch, uint16_t type, uint16_t flags, const char *table)
{
	struct nlmsghdr *header = nft_batch_begin(batch, type, flags);

	mnl_attr_put_strz(header, NFTA_TABLE_NAME, table);
	nft_batch_end(batch, header);
}

/* A table can be taken away only if it is there: so it is made before. */
static struct nft_batch *removal(void *pool, const char *table)
{
	struct nft_batch *batch = nft_batch_new(pool);

	add_about_table(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE, table);
	add_about_table(batch, NFT_MSG_DELTABLE, 0, table);
	return batch;
}

static void add_messages(struct text *out, const struct nft_batch *batch)
{
	for (size_t index = 0; index < batch->messages_count; index++)
		text_add_bytes(out, (const char *)batch->messages[index].header,
			       nft_message_bytes(&batch->messages[index]));
}

/* All messages, the same each time. */
static void each_message(void *pool, const struct nft_table *table, struct nft_sink sink)
{
	struct nft_batch *first = removal(pool, table->name);

	for (size_t index = 0; index < first->messages_count; index++)
		sink.take(sink.context, first->messages[index].header);
	nft_replace_nothing(pool, table, sink);
	talloc_free(first);
}

struct counting {
	uint32_t count;
	uint64_t bytes;
};

static void count_message(void *context, const struct nlmsghdr *message)
{
	struct counting *counting = context;

	counting->count++;
	counting->bytes += NLMSG_ALIGN((size_t)message->nlmsg_len);
}

struct streaming {
	struct sha256 hash;
	struct nft_sink sink;
};

static void stream_message(void *context, const struct nlmsghdr *message)
{
	struct streaming *streaming = context;

	sha256_add(&streaming->hash, message, NLMSG_ALIGN((size_t)message->nlmsg_len));
	streaming->sink.take(streaming->sink.context, message);
}

/* What is hashed begins with how much it is: to make the messages twice takes less than to keep them. */
void nft_batch_file_stream(void *pool, const struct nft_table *table, struct nft_sink sink,
			   char head[NFT_BATCH_FILE_HEAD])
{
	struct counting counting = { 0 };
	struct streaming streaming = { .sink = sink };
	struct header header = {
		.magic = MAGIC, /* without its NUL */
		.version = htole32(VERSION),
		.order = ORDER_MARK,
	};

	each_message(pool, table, (struct nft_sink){ count_message, &counting });
	header.messages_count = htole32(counting.count);
	header.length = htole64(counting.bytes);
	memcpy(header.table, table->name, strlen(table->name));
	sha256_begin(&streaming.hash);
	sha256_add(&streaming.hash, &header, HASHED_BYTES);
	each_message(pool, table, (struct nft_sink){ stream_message, &streaming });
	sha256_end(&streaming.hash, header.hash);
	memcpy(head, &header, sizeof header);
}

static void write_message(void *context, const struct nlmsghdr *message)
{
	text_add_bytes(context, (const char *)message, NLMSG_ALIGN((size_t)message->nlmsg_len));
}

void nft_batch_file_write(struct text *out, const struct nft_table *table)
{
	char head[NFT_BATCH_FILE_HEAD] = { 0 };
	size_t begin = out->length;

	text_add_bytes(out, head, sizeof head);
	nft_batch_file_stream(out->pool, table, (struct nft_sink){ write_message, out }, head);
	memcpy(out->bytes + begin, head, sizeof head);
}

/* --- reading -------------------------------------------------------------------------------------------- */

static const char *check_header(void *pool, const struct header *header, const char *bytes, size_t length)
{
	uint8_t hash[SHA256_BYTES];
	uint64_t wanted = le64toh(header->length);

	if (memcmp(header->magic, MAGIC, sizeof header->magic) != 0)
		return "it is no batch of fwc";
	if (le32toh(header->version) != VERSION)
		return pool_format(pool, "its format is version %u, and this fwc knows version %d",
				   le32toh(header->version), VERSION);
	if (header->order != ORDER_MARK)
		return "it was made on a machine of another byte order";
	if (wanted > BYTES_MOST || wanted != length - sizeof *header)
		return pool_format(pool, "it is not whole: %zu bytes stand behind its header, which speaks of "
				   "%llu", length - sizeof *header, (unsigned long long)wanted);
	hash_of(header, bytes + sizeof *header, length - sizeof *header, hash);
	if (memcmp(hash, header->hash, sizeof hash) != 0)
		return "it was damaged or changed: its checksum differs";
	if (memchr(header->table, '\0', sizeof header->table) == NULL || header->table[0] == '\0')
		return "its table has no name";
	return NULL;
}

/* The first attribute is the table's name, in all of them. */
static bool is_about(const struct nlmsghdr *header, const char *table)
{
	const struct nfgenmsg *general = mnl_nlmsg_get_payload(header);
	const struct nlattr *name;

	if (header->nlmsg_len < sizeof *header + sizeof *general + sizeof *name + strlen(table) + 1 ||
	    general->nfgen_family != NFPROTO_INET)
		return false;
	name = mnl_nlmsg_get_payload_offset(header, sizeof *general);
	return mnl_attr_get_type(name) == NFTA_TABLE_NAME &&
	       mnl_attr_get_payload_len(name) == strlen(table) + 1 &&
	       memcmp(mnl_attr_get_payload(name), table, strlen(table) + 1) == 0;
}

static const char *read_messages(void *pool, char *bytes, size_t length, size_t count,
				 const struct nft_batch_file *file)
{
	size_t at = 0;

	while (at < length) {
		struct nlmsghdr *header = (struct nlmsghdr *)(void *)(bytes + at);
		size_t left = length - at;

		if (left < sizeof *header || header->nlmsg_len < sizeof *header || header->nlmsg_len > left ||
		    NLMSG_ALIGN((size_t)header->nlmsg_len) > left)
			return pool_format(pool, "its message %zu is not whole", file->batch->messages_count + 1);
		if (header->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
		    !nft_batch_makes((uint8_t)(header->nlmsg_type & UINT8_MAX)) || !is_about(header, file->table))
			return pool_format(pool, "its message %zu is about something else than its table",
					   file->batch->messages_count + 1);
		header->nlmsg_seq = (uint32_t)file->batch->messages_count + 1;
		*pool_append(file->batch->pool, file->batch, messages) = (struct nft_message){ .header = header };
		at += NLMSG_ALIGN((size_t)header->nlmsg_len);
	}
	file->batch->bytes = length;
	return file->batch->messages_count == count && count > 0 ? NULL : "its messages are not as many as it says";
}

static const char *digits_of(void *pool, const uint8_t hash[SHA256_BYTES])
{
	char *digits = pool_bytes(pool, SHA256_DIGITS + 1);

	sha256_digits(hash, digits);
	return digits;
}

const char *nft_batch_file_read(void *pool, char *bytes, size_t length, struct nft_batch_file *file)
{
	struct header header;
	const char *reason;

	if (length < sizeof header)
		return pool_format(pool, "it is not whole: %zu bytes, its header alone has %zu", length,
				   sizeof header);
	memcpy(&header, bytes, sizeof header);
	reason = check_header(pool, &header, bytes, length);
	if (reason != NULL)
		return reason;
	*file = (struct nft_batch_file){
		.table = pool_format(pool, "%s", header.table),
		.sha256 = digits_of(pool, header.hash),
		.batch = nft_batch_new(pool),
	};
	return read_messages(pool, bytes + sizeof header, length - sizeof header,
			     le32toh(header.messages_count), file);
}

/* --- chains ------------------------------------------------------------------------------------------------ */

/* The name of the chain that the message makes; NULL: it makes none. */
static const char *made_chain(const struct nlmsghdr *header)
{
	const struct nlattr *attribute = mnl_nlmsg_get_payload_offset(header, sizeof(struct nfgenmsg));
	const char *end = mnl_nlmsg_get_payload_tail(header);

	if ((header->nlmsg_type & UINT8_MAX) != NFT_MSG_NEWCHAIN)
		return NULL;
	for (; mnl_attr_ok(attribute, (int)(end - (const char *)attribute)); attribute = mnl_attr_next(attribute))
		if (mnl_attr_get_type(attribute) == NFTA_CHAIN_NAME)
			return mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0 ? NULL
										     : mnl_attr_get_str(attribute);
	return NULL;
}

static bool makes_chain(const struct nlmsghdr *header, const char *prefix)
{
	const char *name = made_chain(header);

	return name != NULL && strlen(name) > strlen(prefix) && strncmp(name, prefix, strlen(prefix)) == 0;
}

bool nft_batch_file_has_chain(const struct nft_batch_file *file, const char *prefix)
{
	for (size_t index = 0; index < file->batch->messages_count; index++)
		if (makes_chain(file->batch->messages[index].header, prefix))
			return true;
	return false;
}

void nft_batch_file_add_chain(struct nft_batch_file *file, const char *name, const char *comment)
{
	const struct nft_userdata userdata = nft_userdata_comment(comment);
	struct nlmsghdr *header = nft_batch_begin(file->batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

	mnl_attr_put_strz(header, NFTA_CHAIN_TABLE, file->table);
	mnl_attr_put_strz(header, NFTA_CHAIN_NAME, name);
	mnl_attr_put(header, NFTA_CHAIN_USERDATA, userdata.length, userdata.bytes);
	nft_batch_end(file->batch, header);
}

void nft_batch_file_messages(const struct nft_batch_file *file, struct text *out)
{
	add_messages(out, file->batch);
}

/* --- comparing ------------------------------------------------------------------------------------------- */

struct messages {
	const struct nlmsghdr *at;
	int left;
	const char *mark;
};

static bool messages_begin(struct messages *messages, const char *bytes, size_t length, const char *mark)
{
	if (length < sizeof(struct header) || length - sizeof(struct header) > BYTES_MOST)
		return false;
	messages->at = (const struct nlmsghdr *)(const void *)(bytes + sizeof(struct header));
	messages->left = (int)(length - sizeof(struct header));
	messages->mark = mark;
	return true;
}

static bool is_mark(const struct messages *messages)
{
	const char *name = made_chain(messages->at);

	return name != NULL && strcmp(name, messages->mark) == 0;
}

bool nft_batch_file_equals(const char *one, size_t one_length, const char *one_mark,
			   const char *other, size_t other_length, const char *other_mark)
{
	struct messages a, b;
	bool has_marks = false;

	if (!messages_begin(&a, one, one_length, one_mark) || !messages_begin(&b, other, other_length, other_mark))
		return false;
	while (mnl_nlmsg_ok(a.at, a.left) && mnl_nlmsg_ok(b.at, b.left)) {
		bool is_same = a.at->nlmsg_len == b.at->nlmsg_len && memcmp(a.at, b.at, a.at->nlmsg_len) == 0;
		bool are_marks = !is_same && is_mark(&a) && is_mark(&b);

		if (!is_same && !are_marks)
			return false;
		has_marks |= are_marks;
		a.at = mnl_nlmsg_next(a.at, &a.left);
		b.at = mnl_nlmsg_next(b.at, &b.left);
	}
	return has_marks && a.left == 0 && b.left == 0;
}

/* --- the kernel ------------------------------------------------------------------------------------------ */

static bool send_all(void *pool, struct diags *diags, struct nft_batch *batch, const char *what)
{
	struct nft_socket *netlink = nft_socket_new(pool);
	struct nft_answer answer;
	size_t room;
	int error;

	if (netlink == NULL) {
		nft_report_error(diags, errno, "open a netlink socket");
		return false;
	}
	room = nft_send_room(netlink, batch->bytes);
	if (room < batch->bytes) {
		diag_add(diags, CODE_KERNEL_BUFFER, SPAN_NONE, "%s does not fit the socket's buffer: %zu bytes, "
			 "it takes %zu", what, batch->bytes, room);
		talloc_free(netlink);
		return false;
	}
	error = nft_send(netlink, batch, 0, batch->messages_count, 0, &answer);
	talloc_free(netlink);
	if (error == 0)
		return true;
	if (error == EPERM || answer.refusals_count == 0)
		nft_report_error(diags, error, pool_format(pool, "load %s", what));
	else
		diag_add(diags, CODE_KERNEL_REFUSED, SPAN_NONE, "the kernel refused message %u of %s: %s",
			 answer.refusals[0].sequence, what, strerror(answer.refusals[0].error));
	return false;
}

bool nft_batch_file_load(void *pool, struct diags *diags, const struct nft_batch_file *file, const char *what)
{
	return send_all(pool, diags, file->batch, what);
}

bool nft_table_remove(void *pool, struct diags *diags, const char *table, bool *was_there)
{
	struct nft_socket *netlink = nft_socket_new(pool);
	struct nft_kernel *kernel;
	int error;

	if (netlink == NULL) {
		nft_report_error(diags, errno, "open a netlink socket");
		return false;
	}
	error = nft_kernel_read(pool, netlink, table, &kernel);
	talloc_free(netlink);
	if (error != 0) {
		nft_report_error(diags, error, "read the kernel's rules");
		return false;
	}
	*was_there = kernel->has_table;
	if (kernel->is_owned)
		return nft_report_owned(diags, table);
	return !kernel->has_table || send_all(pool, diags, removal(pool, table), "the removal");
}
