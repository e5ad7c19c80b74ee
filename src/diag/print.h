/* Printers for the bag: text with source line and caret, JSON, SARIF and JUnit. They write
 * into a text; commands bring it to stderr. */
#ifndef FWC_DIAG_PRINT_H
#define FWC_DIAG_PRINT_H

#include <stdbool.h>

#include "base/text.h"
#include "diag/diag.h"

/* file:line:col: error: message [FW0104]
 *   12 | allow kerbros;
 *      |       ^~~~~~~
 *   note: did you mean 'kerberos'?
 * Control characters of the user's text are shown as \xNN. Long lines are cut
 * round the caret (at most 160 characters). Ends with "2 errors, 1 warning". */
void diags_print_text(struct diags *diags, struct text *out, bool use_color);
/* One JSON object: {"diagnostics":[{"code":"FW0301","severity":"error","file":…,
 * "line":…,"column":…,"end_line":…,"end_column":…,"message":…,"notes":[…]}],
 * "errors":N,"warnings":N} */
void diags_print_json(struct diags *diags, struct text *out);
/* A SARIF 2.1.0 log; version is the program's. */
void diags_print_sarif(struct diags *diags, struct text *out, const char *version);
/* JUnit's XML; suite names what was checked. */
void diags_print_junit(struct diags *diags, struct text *out, const char *suite);

#endif
