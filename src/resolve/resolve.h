/* Names to things: the program's tree to a policy.
 *
 * All mistakes go into the bag; a policy is given in any case and must not be used when
 * the bag has errors. */
#ifndef FWC_RESOLVE_RESOLVE_H
#define FWC_RESOLVE_RESOLVE_H

#include "parse/parse.h"
#include "resolve/policy.h"

struct resolve_settings {
	const struct file_reader *reader; /* for address lists: file "…" */
	time_t today;                     /* UTC, any second of the day that `until` is judged by */
	bool allows_expired_deny;
	/* The device that the policy is seen from: zones have its interfaces, tunnels lead away from it.
	 * NULL: from this host or, if the policy has devices, from nowhere in particular: zones are
	 * then their networks alone, and mistakes that only a device can have are not looked for. */
	const char *device;
	/* a file of one `assert`, in the terms of the policy, that becomes its question; or NULL */
	const struct ast_file *question;
	/* Zones are their networks alone, whatever their `interface` lines say: for a list that stands
	 * nowhere in particular. A zone without networks is an error where a rule names it. */
	bool is_by_address;
};

struct policy *resolve_policy(void *pool, struct diags *diags, const struct program *program,
			      const struct resolve_settings *settings);
/* One line a thing, for --show=policy: zones, places, rules with their resolved sets. */
void policy_print(struct text *out, const struct policy *policy);

#endif
