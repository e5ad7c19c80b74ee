/* Four first-match lists, made of units as the rules are: destination translation of what comes in
 * (prerouting) and of the firewall's own packets (output), source translation of routed packets
 * and of the firewall's own (both postrouting; packets of its own have no in-interface there).
 *
 * `forward` without `at` means the firewall's own addresses: the routing table knows which.
 * Translations are statements of one family, so every unit of them is of one family. */
#include "target/nft/lower/nat.h"

#include "base/pool.h"
#include "target/nft/lower/chain.h"
#include "target/nft/lower/sides.h"
#include "target/nft/split/split.h"

#define ROUTE_LOCAL 2 /* RTN_LOCAL */

enum { PRIORITY_DESTINATION = -100, PRIORITY_SOURCE = 100 };

static struct nft_statement destination_statement(const struct translation *source,
						  enum family family)
{
	return (struct nft_statement){
		.kind = NFT_DNAT, .family = family, .address = source->host[family],
		.port = source->port,
	};
}

static struct nft_statement source_statement(const struct translation *source, enum family family)
{
	if (source->kind == TRANSLATION_MASQUERADE)
		return (struct nft_statement){ .kind = NFT_MASQUERADE, .family = family };
	return (struct nft_statement){
		.kind = NFT_SNAT, .family = family, .address = source->as[family],
	};
}

static bool has_target(const struct translation *source, enum family family)
{
	switch (source->kind) {
	case TRANSLATION_MASQUERADE:
		return true;
	case TRANSLATION_SNAT:
		return source->has_as[family];
	case TRANSLATION_FORWARD:
		return source->has_host[family];
	}
	return false;
}

/* The end of a translation's units: none for both families at once. */
static const struct tail *translation_tail(struct lower *lower, const void *context,
					   unsigned families)
{
	const struct rule_translation *translation = context;
	enum family family = families == FAMILIES_IPV6 ? FAMILY_IPV6 : FAMILY_IPV4;
	if (families == FAMILIES_BOTH || !has_target(translation->source, family))
		return NULL;
	bool is_forward = translation->kind == TRANSLATION_FORWARD;
	bool has_port = is_forward && translation->source->port != 0;
	return tail_of_statement(lower, is_forward
					? destination_statement(translation->source, family)
					: source_statement(translation->source, family),
				 has_port ? &translation->services : NULL, translation->origin);
}

/* The boxes of any interface: all that packets without one can be in. */
static struct place_boxes boxes_without_interface(struct lower *lower,
						  const struct place_boxes *boxes)
{
	struct place_boxes kept = { 0 };
	for (size_t i = 0; i < boxes->boxes_count; i++)
		if (boxes->boxes[i].interfaces.is_complement)
			*pool_append(lower->scratch, &kept, boxes) = (struct place_box){
				interface_set_all(), boxes->boxes[i].addresses,
			};
	return kept;
}

/* --- destinations ------------------------------------------------------------------------- */

/* The destination before translation: as a box, without an out-interface. */
static const struct place_boxes *listening_boxes(struct lower *lower,
						 const struct rule_translation *translation)
{
	struct place_boxes *boxes = pool_new(lower->scratch, struct place_boxes);
	if (!translation->source->has_at) {
		*boxes = place_boxes_all(lower->scratch);
		return boxes;
	}
	*pool_append(lower->scratch, boxes, boxes) = (struct place_box){
		interface_set_all(), translation->source->at,
	};
	return boxes;
}

static void add_forward(struct lower *lower, struct entries *list,
			const struct rule_translation *translation, const struct place_boxes *from)
{
	struct unit_match match = {
		.families = translation->families,
		.services = &translation->services,
		.from = from,
		.to = listening_boxes(lower, translation),
		.origin = translation->origin,
	};
	sides_add(lower, list, &match, translation_tail, translation);
}

/* Splits the list into runs that ask, or do not ask, for the firewall's own addresses: the question
 * is asked once a run. */
static void write_forwards(struct lower *lower, struct draft *draft, bool is_local)
{
	const struct ruleset *ruleset = lower->ruleset;
	size_t i = 0;
	while (i < ruleset->translations_count) {
		struct entries run = { 0 };
		const struct rule_translation *first = NULL;
		for (; i < ruleset->translations_count; i++) {
			const struct rule_translation *translation = ruleset->translations[i];
			bool applies = is_local ? translation->applies_to_local
						: translation->applies_to_routed;
			if (translation->kind != TRANSLATION_FORWARD || !applies)
				continue;
			if (first == NULL)
				first = translation;
			else if (first->source->has_at != translation->source->has_at)
				break;
			struct place_boxes *from = pool_new(lower->scratch, struct place_boxes);
			*from = is_local ? boxes_without_interface(lower, &translation->from)
					 : translation->from;
			add_forward(lower, &run, translation, from);
		}
		if (first == NULL || run.items_count == 0)
			continue;
		if (first->source->has_at)
			split_write(lower, draft, &run);
		else
			chain_write_if(lower, draft, match_equal(NFT_FIELD_FIB_DADDR_TYPE, ROUTE_LOCAL),
				       &run);
	}
}

/* --- sources ------------------------------------------------------------------------------ */

static void add_source(struct lower *lower, struct entries *list,
		       const struct rule_translation *translation, const struct place_boxes *from)
{
	struct unit_match match = {
		.families = translation->families,
		.services = &translation->services,
		.from = from,
		.to = &translation->to,
		.origin = translation->origin,
	};
	sides_add(lower, list, &match, translation_tail, translation);
}

static struct entries source_list(struct lower *lower, bool is_local)
{
	struct entries list = { 0 };
	for (size_t i = 0; i < lower->ruleset->translations_count; i++) {
		const struct rule_translation *translation = lower->ruleset->translations[i];
		bool applies = is_local ? translation->applies_to_local
					: translation->applies_to_routed;
		if (translation->kind == TRANSLATION_FORWARD || !applies)
			continue;
		struct place_boxes *from = pool_new(lower->scratch, struct place_boxes);
		*from = is_local ? boxes_without_interface(lower, &translation->from)
				 : translation->from;
		add_source(lower, &list, translation, from);
	}
	return list;
}

/* Does the translation speak of the firewall's own packets exactly as of routed ones? */
static bool tells_none_apart(const struct rule_translation *translation)
{
	if (!translation->applies_to_local || !translation->applies_to_routed)
		return false;
	for (size_t i = 0; i < translation->from.boxes_count; i++)
		if (!interface_set_is_all(&translation->from.boxes[i].interfaces))
			return false;
	return true;
}

static bool names_in_interfaces(const struct rule_translation *translation)
{
	if (translation->applies_to_local)
		return false;
	for (size_t i = 0; i < translation->from.boxes_count; i++)
		if (translation->from.boxes[i].interfaces.is_complement)
			return false;
	return true;
}

/* Must the question for an in-interface stand before the lists? */
static bool needs_in_interface(const struct ruleset *ruleset)
{
	bool all_apart = true, none_apart = true;
	for (size_t i = 0; i < ruleset->translations_count; i++) {
		const struct rule_translation *translation = ruleset->translations[i];
		if (translation->kind == TRANSLATION_FORWARD)
			continue;
		all_apart = all_apart && names_in_interfaces(translation);
		none_apart = none_apart && tells_none_apart(translation);
	}
	return !all_apart && !none_apart;
}

/* Packets of the firewall itself have no in-interface; the others have one. */
static void write_sources(struct lower *lower, struct draft *draft)
{
	struct nft_statement own = match_equal(NFT_FIELD_IIF, 0), routed = own;
	routed.operator = NFT_NOT_EQUAL;
	lower->prefix = "snat";
	struct entries list = source_list(lower, false);
	if (!needs_in_interface(lower->ruleset)) {
		split_write(lower, draft, &list);
		return;
	}
	chain_write_if(lower, draft, routed, &list);
	lower->prefix = "snat_own";
	list = source_list(lower, true);
	chain_write_if(lower, draft, own, &list);
}

/* --- chains ------------------------------------------------------------------------------- */

static void end_nat_chain(struct lower *lower, struct draft *draft, const char *name, unsigned hook,
			  int32_t priority)
{
	if (draft_is_empty(lower, draft))
		return;
	chain_end_base(lower, draft, &(struct nft_chain){
		.name = name, .type = "nat", .hook = hook, .priority = priority,
	});
}

void nat_write(struct lower *lower)
{
	lower->prefix = "dnat";
	struct draft draft = draft_begin(lower);
	write_forwards(lower, &draft, false);
	end_nat_chain(lower, &draft, "prerouting_nat", NF_INET_PRE_ROUTING, PRIORITY_DESTINATION);
	lower->prefix = "dnat_own";
	draft = draft_begin(lower);
	write_forwards(lower, &draft, true);
	end_nat_chain(lower, &draft, "output_nat", NF_INET_LOCAL_OUT, PRIORITY_DESTINATION);
	draft = draft_begin(lower);
	write_sources(lower, &draft);
	end_nat_chain(lower, &draft, "postrouting_nat", NF_INET_POST_ROUTING, PRIORITY_SOURCE);
}
