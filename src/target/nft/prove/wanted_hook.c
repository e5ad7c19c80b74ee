/* "These always pass: loopback, unless a `forward` sends it elsewhere; on input and output neighbour discovery
 * (ICMPv6 133-136 with hop limit 255) and multicast listener messages (130-132 and 143 from fe80::/10); and related
 * ICMP errors. Where something is rejected, the reset that answers it passes on output. Established and related
 * packets pass by themselves, related ones made by a helper only for the helpers that the policy uses. `invalid` is
 * dropped and counted." (language reference, "State") */
#include <linux/netfilter.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "target/nft/prove/wanted.h"

#define HOP_LIMIT_NEAR 255
#define RESET_FLAG 4u

static diagram pass_where(struct wanted *wanted, diagram predicate)
{
	return wanted_guard(wanted, predicate, wanted_leaf(wanted, (struct wanted_leaf){ .kind = WANTED_PASS }));
}

static diagram protocol(struct wanted *wanted, unsigned number)
{
	return wanted_range(wanted, WALK_PROTOCOL, number, number);
}

static diagram state(struct wanted *wanted, enum walk_state which)
{
	return wanted_range(wanted, WALK_STATE, which, which);
}

/* What was translated is sent elsewhere, though output is asked with the interface that it had before. */
static diagram loopback(struct wanted *wanted, enum hook hook)
{
	number128 name = walk_number_of_name("lo");
	if (hook == HOOK_FORWARD)
		return diagram_leaf(0);
	diagram holds = wanted_range(wanted, hook == HOOK_INPUT ? WALK_IN : WALK_OUT, name, name);
	if (hook == HOOK_OUTPUT)
		holds = wanted_and(wanted, holds, wanted_not(wanted, wanted_translated(wanted)));
	return pass_where(wanted, holds);
}

static diagram tracked(struct wanted *wanted)
{
	diagram invalid = wanted_leaf(wanted, (struct wanted_leaf){ .kind = WANTED_INVALID });
	diagram passes = wanted_or(wanted, protocol(wanted, PROTOCOL_ICMP), protocol(wanted, PROTOCOL_ICMP6));
	for (size_t i = 0; i < wanted->ruleset->helpers_count; i++) {
		number128 name = walk_number_of_name(wanted->ruleset->helpers[i]);
		passes = wanted_or(wanted, passes, wanted_range(wanted, WALK_HELPER, name, name));
	}
	diagram related = wanted_and(wanted, state(wanted, WALK_RELATED), passes);
	passes = wanted_or(wanted, state(wanted, WALK_ESTABLISHED), related);
	return wanted_first(wanted, wanted_guard(wanted, state(wanted, WALK_INVALID), invalid),
			    pass_where(wanted, passes));
}

static diagram resets(struct wanted *wanted, enum hook hook)
{
	diagram flags = diagram_leaf(0);
	if (hook != HOOK_OUTPUT || !wanted->rejects)
		return diagram_leaf(0);
	for (unsigned byte = 0; byte <= UINT8_MAX; byte++)
		if ((byte & RESET_FLAG) != 0)
			flags = wanted_or(wanted, flags, wanted_range(wanted, WALK_TCP_FLAGS, byte, byte));
	diagram reset = wanted_and(wanted, protocol(wanted, PROTOCOL_TCP), flags);
	return pass_where(wanted, wanted_and(wanted, reset, state(wanted, WALK_RELATED)));
}

/* ICMPv6 types from low to high. */
static diagram types(struct wanted *wanted, unsigned low, unsigned high)
{
	diagram made = wanted_and(wanted, wanted_families(wanted, FAMILIES_IPV6), protocol(wanted, PROTOCOL_ICMP6));
	return wanted_and(wanted, made, wanted_range(wanted, WALK_FIRST, low, high));
}

static diagram neighbours(struct wanted *wanted, enum hook hook)
{
	const struct prefix link_local = { FAMILY_IPV6, (number128)0xfe80 << 112, 10 };
	struct interval near = prefix_interval(&link_local);
	if (hook == HOOK_FORWARD)
		return diagram_leaf(0);
	diagram discovery = wanted_and(wanted, types(wanted, 133, 136),
				       wanted_range(wanted, WALK_HOP_LIMIT, HOP_LIMIT_NEAR, HOP_LIMIT_NEAR));
	diagram listeners = wanted_or(wanted, types(wanted, 130, 132), types(wanted, 143, 143));
	listeners = wanted_and(wanted, listeners, wanted_range(wanted, WALK_SOURCE, near.low, near.high));
	return pass_where(wanted, wanted_or(wanted, discovery, listeners));
}

diagram wanted_hook(struct wanted *wanted, enum hook hook)
{
	static const unsigned numbers[HOOK_COUNT] = {
		[HOOK_INPUT] = NF_INET_LOCAL_IN,
		[HOOK_FORWARD] = NF_INET_FORWARD,
		[HOOK_OUTPUT] = NF_INET_LOCAL_OUT,
	};
	diagram parts[] = {
		wanted_frame(wanted, numbers[hook]), loopback(wanted, hook), tracked(wanted),
		resets(wanted, hook), neighbours(wanted, hook), wanted_rules(wanted, hook),
	};
	return wanted_first_of(wanted, parts, sizeof parts / sizeof parts[0]);
}
