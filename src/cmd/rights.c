/* Giving up what is not needed: see rights.h. */
#include "cmd/rights.h"

#include <cap-ng.h>
#include <errno.h>
#include <stddef.h>
#include <sys/prctl.h>

#define KEPT_MOST 6
#define LIST_END (-1)

static const int kept[][KEPT_MOST] = {
	[RIGHTS_FILES] = { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_CHOWN, LIST_END },
	[RIGHTS_BOTH] = { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_CHOWN, CAP_NET_ADMIN, LIST_END },
	[RIGHTS_KERNEL] = { CAP_NET_ADMIN, CAP_DAC_READ_SEARCH, LIST_END },
	[RIGHTS_APPLY] = { CAP_NET_ADMIN, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, LIST_END },
	[RIGHTS_LOG] = { CAP_NET_ADMIN, CAP_DAC_READ_SEARCH, CAP_SYSLOG, LIST_END },
};

bool rights_keep(enum rights rights)
{
	unsigned add[KEPT_MOST];
	size_t count = 0;
	capng_select_t where = CAPNG_SELECT_CAPS;

	if (capng_get_caps_process() != 0)
		return false;
	/* the bounding set is for those who may set it */
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		where = CAPNG_SELECT_BOTH;
	for (const int *capability = kept[rights]; *capability != LIST_END; capability++)
		if (capng_have_capability(CAPNG_PERMITTED, (unsigned)*capability))
			add[count++] = (unsigned)*capability;
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t index = 0; index < count; index++)
		if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
				 add[index]) != 0)
			return false;
	return capng_apply(where) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}
