/* What the parts of the reader share: the line that is read, the mode that the router would be in,
 * and what has been read so far. Private to this folder. */
#ifndef FWC_TARGET_CISCO_READ_READER_H
#define FWC_TARGET_CISCO_READ_READER_H

#include "base/arena.h"
#include "base/names.h"
#include "diag/diag.h"
#include "target/cisco/read/acl.h"
#include "target/cisco/read/line.h"

/* Below which head the line stands. */
enum acl_mode {
	ACL_MODE_GLOBAL,
	ACL_MODE_LIST,
	ACL_MODE_GROUP,
	ACL_MODE_TIME_RANGE,
	ACL_MODE_INTERFACE,
	ACL_MODE_CRYPTO_MAP,
	ACL_MODE_OTHER, /* a section that binds nothing */
};

struct acl_draft;

struct acl_reader {
	void *pool;
	struct arena *arena;
	struct diags *diags;
	struct acl_config *config;
	/* the text that is read */
	uint32_t source;
	const char *bytes;
	/* the line that is read */
	struct acl_line line;
	bool is_indented;
	/* the mode, and its thing */
	enum acl_mode mode;
	struct acl_draft *draft;
	struct acl_group *group;
	struct acl_time_range *time_range;
	struct acl_interface *interface;
	struct acl_crypto_map *map;
	/* what is there already, by name */
	struct names *drafts_by_name, *groups_by_name, *time_ranges_by_name, *interfaces_by_name,
		*maps_by_name;
	struct acl_draft **drafts;
	size_t drafts_count, drafts_capacity;
};

struct span acl_reader_span(const struct acl_reader *reader, const char *begin, const char *end);
/* The whole line. */
struct span acl_reader_line_span(const struct acl_reader *reader);
/* Names the line as not understood: "WHAT: COMPLAINT", at the word that the line complains about. */
void acl_reader_unread(struct acl_reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
