/* Checking a policy's bytes: UTF-8 (RFC 3629) without NUL. */
#ifndef FWC_PARSE_UTF8_H
#define FWC_PARSE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "diag/diag.h"

/* The text begins with a byte-order mark (three bytes). */
bool utf8_has_mark(const char *bytes, size_t length);
/* Bytes of the well-formed character at the start of text; 0: there is none. */
size_t utf8_character(const unsigned char *text, size_t length);
/* Copies the source's bytes. Runs of NUL and of bad UTF-8 are reported once each and become
 * 0xFF in the copy, the byte-order mark becomes blanks. */
void utf8_copy(struct diags *diags, uint32_t source, char *copy);

#endif
