/* What a command may do beyond its user: everything else is given up before it begins.
 *
 * Source: capabilities(7), prctl(2) PR_SET_NO_NEW_PRIVS; libcap-ng; seccomp(2), libseccomp. */
#ifndef FWC_CMD_RIGHTS_H
#define FWC_CMD_RIGHTS_H

#include <stdbool.h>

enum rights {
	RIGHTS_FILES,  /* reads and writes files: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_CHOWN */
	RIGHTS_IMPORT, /* as BOTH; makes network namespaces, in a child: CAP_SYS_ADMIN */
	RIGHTS_BOTH,   /* as FILES; reads the kernel's rules: CAP_NET_ADMIN */
	RIGHTS_KERNEL, /* the kernel's rules: CAP_NET_ADMIN; reads policies: CAP_DAC_READ_SEARCH */
	RIGHTS_APPLY,  /* as KERNEL; asks who is logged in: CAP_SYS_PTRACE (proc(5), /proc/PID/environ) */
	RIGHTS_LOG,    /* as KERNEL; the kernel's log: CAP_SYSLOG */
};

/* Keeps of what the process has only these, takes the rest out of its bounding set where it may, and
 * forbids programs that it starts to gain any. false: errno says why. */
bool rights_keep(enum rights rights);

/* Ends what a command that works with the kernel never needs, for this process and all it begins: system
 * calls that load code into the kernel, enter or make namespaces, mount, trace other processes or handle
 * keys, and sockets but netlink's and local ones. They fail with EPERM from then on. false: errno says why;
 * a kernel without seccomp is not a failure. */
bool rights_confine(void);

/* The same for starting programs. */
bool rights_end_programs(void);

/* For a command that started git, before it does more: ends programs, or the process, with a message and
 * EXIT_WORLD. */
void rights_want_no_program(void);

#endif
