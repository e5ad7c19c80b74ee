/* IOS text given as a string, read; its diagnostics as text. For unit tests. */
#ifndef FWC_TESTS_ACL_TEXT_H
#define FWC_TESTS_ACL_TEXT_H

#include "diag/diag.h"
#include "target/cisco/read/acl.h"

struct acl_text {
	struct diags *diags;
	struct acl_config *config;
};

struct acl_text acl_text_read(const char *text);
/* The same, of many bytes. */
struct acl_text acl_text_read_bytes(const char *bytes, size_t length);
/* "10 permit …", one a line, of the only list or of the named one; unread entries as "10 unread". */
const char *acl_text_list(const struct acl_text *read, const char *name);
/* The codes of the bag, in order: "1301 1302". */
const char *acl_text_codes(const struct acl_text *read);
/* The message of the bag's diagnostic with this index. */
const char *acl_text_message(const struct acl_text *read, size_t index);

#endif
