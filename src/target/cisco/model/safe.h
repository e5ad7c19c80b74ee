/* User's text made fit for IOS. A `?` asks the router's command line for help, a control character
 * ends or edits the line, and nothing but ASCII is shown as it was. */
#ifndef FWC_TARGET_CISCO_MODEL_SAFE_H
#define FWC_TARGET_CISCO_MODEL_SAFE_H

#include <stdbool.h>
#include <stddef.h>

#define SAFE_REMARK_MAX 100 /* IOS: characters of a remark */
#define SAFE_COOKIE_MAX 64  /* IOS, "ACL Syslog Correlation" */
#define SAFE_NAME_MAX 64

/* Runs of blanks become one, what cannot stay a `.`; at most `most` characters. */
const char *safe_text(void *pool, const char *bytes, size_t length, size_t most);
/* The same, to where one byte more than `most` has room: how many bytes, without the NUL behind them. */
size_t safe_write(char *safe, const char *bytes, size_t length, size_t most);
/* Letters, digits, - and _; anything else becomes -. */
const char *safe_name(void *pool, const char *name);
/* Letters, digits, - and _, a letter first, at most SAFE_NAME_MAX: the name of a list. */
bool safe_is_name(const char *name);
/* The word behind `log` for a rule's id, or NULL: too long, a part of a keyword, or as the numbers that IOS makes
 * itself (0x…). Vendor documents promise letters and digits alone, so that these stay as they are, and Z begins
 * what stands for others: `-` Zd, `_` Zu, `.` Zp, `Z` ZZ, any other byte Zx and its hexadecimal number. No two
 * ids have the same word. */
const char *safe_cookie(void *pool, const char *id);

#endif
