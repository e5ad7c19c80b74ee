/* fwc explain FW0301: the page of a code. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/pool.h"
#include "cmd/command.h"
#include "cmd/output.h"

static const char *const severity_words[] = { "error", "warning", "note" };

/* "FW0301", "fw301" to 301; 0 if it is no code. */
static unsigned code_number(const char *word)
{
	size_t digits;

	if (strncasecmp(word, "FW", 2) != 0)
		return 0;
	digits = strspn(word + 2, "0123456789");
	if (digits == 0 || digits > 4 || word[2 + digits] != '\0')
		return 0;
	return (unsigned)strtoul(word + 2, NULL, 10);
}

int command_explain(struct pool_trap *root, int argc, char **argv)
{
	const struct code_info *info;
	struct text *out = text_new(root);

	if (argc != 2)
		return command_misused("explain", "one code at a time");
	info = code_find(code_number(argv[1]));
	if (info == NULL)
		return command_misused("explain", "no code '%s'", argv[1]);
	text_addf(out, "FW%04u (%s): %s\n\n%s\n", (unsigned)info->code,
		  severity_words[info->severity], info->title, info->page);
	return output_stdout(out) ? EXIT_DONE : EXIT_WORLD;
}
