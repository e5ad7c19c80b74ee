/* Names of services that mean something else than most people expect. */
#include "services/trap.h"

#include <string.h>

static const struct trap {
	const char *name;
	const char *meaning;
	const char *meant;
} traps[] = {
	{ "sftp", "the Simple File Transfer Protocol of 1984, 115/tcp",
	  "the file transfer of SSH runs over 'ssh', 22/tcp" },
};

void trap_warn(struct diags *diags, const struct service *service, struct span use)
{
	if (!service->is_builtin)
		return;
	for (size_t i = 0; i < sizeof traps / sizeof *traps; i++) {
		if (strcmp(traps[i].name, service->name) != 0)
			continue;
		struct diagnostic *warning = diag_add(diags, CODE_SERVICE_TRAP, use, "'%s' is %s",
						      traps[i].name, traps[i].meaning);
		diag_note(diags, warning, SPAN_NONE, "%s", traps[i].meant);
	}
}
