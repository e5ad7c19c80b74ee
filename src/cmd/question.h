/* The packets that a command asks about, in a line: "tcp 192.168.0.5:40000 -> 192.168.0.10:88",
 * "https lan -> wan in eth1", "icmp echo-request self -> 2001:db8::1 state established".
 *
 *     PROTOCOL|SERVICE [TYPE[:CODE]] FROM[:PORT] -> TO[:PORT] [in NAME] [out NAME] [state WORD]
 *
 * FROM and TO are anything that a rule's `from` and `to` take in one word; an IPv6 address with a port
 * stands in brackets. It becomes an assertion of the policy's language, so that names are looked up as
 * in rules. */
#ifndef FWC_CMD_QUESTION_H
#define FWC_CMD_QUESTION_H

#include <stdbool.h>

#include "ast/ast.h"
#include "diag/diag.h"

enum question_state { QUESTION_NEW, QUESTION_ESTABLISHED, QUESTION_RELATED, QUESTION_INVALID,
		      QUESTION_UNTRACKED };

struct question {
	const char *words;        /* as asked */
	struct ast_file *file;    /* one assertion; for resolve_settings.question */
	const char *in, *out;     /* interface names, or NULL: not said */
	enum question_state state;
};

/* NULL after an error in the bag, at its place in the words (source <packet>). */
struct question *question_parse(void *pool, struct diags *diags, const char *words);

#endif
