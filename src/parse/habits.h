/* The way out for people who write a policy as another firewall has it: notes to syntax errors. */
#ifndef FWC_PARSE_HABITS_H
#define FWC_PARSE_HABITS_H

#include "diag/diag.h"
#include "parse/syntax.h"

/* Adds to a report what the words that were found are in this language, where they are known. */
void habits_note(struct diags *diags, struct diagnostic *report, const struct syntax_error *error);

#endif
