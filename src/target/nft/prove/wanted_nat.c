/* Translations: first match in file order, apart from the rules. `forward` translates the destination of
 * packets to the address `at`, or without it to any address of the firewall; the others translate the
 * source of what leaves. (language reference, "Translation of addresses") */
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>

#include "base/pool.h"
#include "target/nft/prove/wanted.h"

static diagram translation_leaf(struct wanted *wanted, const struct rule_translation *translation,
				enum family family)
{
	return wanted_leaf(wanted, (struct wanted_leaf){
		.kind = WANTED_TRANSLATION, .family = family, .translation = translation->source,
	});
}

/* Each family has an address of its own to be translated to. */
static diagram translation_meaning(struct wanted *wanted, const struct rule_translation *translation)
{
	diagram ipv4 = wanted_guard(wanted, wanted_families(wanted, translation->families & FAMILIES_IPV4),
				    translation_leaf(wanted, translation, FAMILY_IPV4));
	diagram ipv6 = wanted_guard(wanted, wanted_families(wanted, translation->families & FAMILIES_IPV6),
				    translation_leaf(wanted, translation, FAMILY_IPV6));
	return wanted_first(wanted, ipv4, ipv6);
}

static diagram destination_meaning(struct wanted *wanted, const struct rule_translation *translation)
{
	diagram holds = wanted_services(wanted, &translation->services);
	holds = wanted_and(wanted, holds, wanted_boxes(wanted, &translation->from, WALK_SOURCE, WALK_IN));
	holds = wanted_and(wanted, holds,
			   translation->source->has_at
			   ? wanted_addresses(wanted, &translation->source->at, WALK_DESTINATION)
			   : wanted_range(wanted, WALK_ROUTE, RTN_LOCAL, RTN_LOCAL));
	return wanted_guard(wanted, holds, translation_meaning(wanted, translation));
}

/* is_own: of the firewall's own packets, which came in at no interface. */
static diagram source_meaning(struct wanted *wanted, const struct rule_translation *translation, bool is_own)
{
	diagram none = wanted_range(wanted, WALK_IN, 0, 0);
	diagram holds = is_own ? none : wanted_not(wanted, none);
	holds = wanted_and(wanted, holds, wanted_boxes(wanted, &translation->from, WALK_SOURCE, WALK_IN));
	holds = wanted_and(wanted, holds, wanted_boxes(wanted, &translation->to, WALK_DESTINATION, WALK_OUT));
	return wanted_guard(wanted, holds, translation_meaning(wanted, translation));
}

diagram wanted_translations(struct wanted *wanted, unsigned hook)
{
	diagram made = wanted_frame(wanted, hook);
	bool is_destination = hook == NF_INET_PRE_ROUTING || hook == NF_INET_LOCAL_OUT;
	for (size_t i = 0; i < wanted->ruleset->translations_count; i++) {
		const struct rule_translation *translation = wanted->ruleset->translations[i];
		bool is_forward = translation->kind == TRANSLATION_FORWARD;
		bool applies = hook == NF_INET_LOCAL_OUT ? translation->applies_to_local
							 : translation->applies_to_routed;
		if (is_destination && is_forward && applies)
			made = wanted_first(wanted, made, destination_meaning(wanted, translation));
		if (hook != NF_INET_POST_ROUTING || is_forward)
			continue;
		if (translation->applies_to_routed)
			made = wanted_first(wanted, made, source_meaning(wanted, translation, 0));
		if (translation->applies_to_local)
			made = wanted_first(wanted, made, source_meaning(wanted, translation, 1));
	}
	return made;
}
