/* Giving up what is not needed: see rights.h. */
#include "cmd/rights.h"

#include <cap-ng.h>
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/sanitized.h"
#include "cmd/command.h"

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof *(array))

#define KEPT_MOST 7
#define LIST_END (-1)

static const int kept[][KEPT_MOST] = {
	[RIGHTS_FILES] = { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_CHOWN, LIST_END },
	[RIGHTS_IMPORT] = { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_CHOWN, CAP_NET_ADMIN,
			    CAP_SYS_ADMIN, LIST_END },
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

/* Names that libseccomp does not know on a machine's architecture are none there. */
static const int ended[] = {
	SCMP_SYS(acct), SCMP_SYS(add_key), SCMP_SYS(bpf), SCMP_SYS(chroot), SCMP_SYS(clock_adjtime),
	SCMP_SYS(clock_settime), SCMP_SYS(delete_module), SCMP_SYS(finit_module), SCMP_SYS(fsconfig),
	SCMP_SYS(fsmount), SCMP_SYS(fsopen), SCMP_SYS(init_module), SCMP_SYS(io_uring_setup), SCMP_SYS(ioperm),
	SCMP_SYS(iopl), SCMP_SYS(kexec_file_load), SCMP_SYS(kexec_load), SCMP_SYS(keyctl), SCMP_SYS(mount),
	SCMP_SYS(move_mount), SCMP_SYS(open_by_handle_at), SCMP_SYS(open_tree), SCMP_SYS(perf_event_open),
	SCMP_SYS(personality), SCMP_SYS(pivot_root), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(quotactl), SCMP_SYS(reboot), SCMP_SYS(request_key), SCMP_SYS(setdomainname),
	SCMP_SYS(sethostname), SCMP_SYS(setns), SCMP_SYS(settimeofday), SCMP_SYS(swapoff), SCMP_SYS(swapon),
	SCMP_SYS(umount2), SCMP_SYS(unshare), SCMP_SYS(userfaultfd),
#ifndef BASE_IS_SANITIZED /* its search for leaks traces the process */
	SCMP_SYS(ptrace),
#endif
};

static const int programs[] = { SCMP_SYS(execve), SCMP_SYS(execveat) };

static int end_calls(scmp_filter_ctx filter, const int *calls, size_t count)
{
	int result = 0;

	for (size_t index = 0; index < count && result == 0; index++)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[index], 0);
	return result;
}

/* Families above and below the two that stay; the kernel compares the argument as 64 bits. */
static int end_sockets(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp others[] = {
		SCMP_A0(SCMP_CMP_LT, AF_UNIX),
		SCMP_A0(SCMP_CMP_GT, AF_NETLINK),
	};
	int result = 0;

	for (size_t index = 0; index < ARRAY_LENGTH(others) && result == 0; index++)
		result = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
						&others[index]);
	for (int family = AF_UNIX + 1; family < AF_NETLINK && result == 0; family++)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
					  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family));
	return result;
}

/* Loads and frees the filter; `result` is what adding to it gave. */
static bool load_filter(scmp_filter_ctx filter, int result)
{
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	/* ENOSYS, EINVAL, ECANCELED: this kernel has no filters */
	if (result == 0 || result == -ENOSYS || result == -EINVAL || result == -ECANCELED)
		return true;
	errno = -result;
	return false;
}

bool rights_confine(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int result;

	if (filter == NULL)
		return false;
	result = end_calls(filter, ended, ARRAY_LENGTH(ended));
	return load_filter(filter, result != 0 ? result : end_sockets(filter));
}

bool rights_end_programs(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	return filter != NULL && load_filter(filter, end_calls(filter, programs, ARRAY_LENGTH(programs)));
}

void rights_want_no_program(void)
{
	if (rights_end_programs())
		return;
	fprintf(stderr, "fwc: error: cannot give up starting programs: %s\n", strerror(errno));
	exit(EXIT_WORLD);
}
