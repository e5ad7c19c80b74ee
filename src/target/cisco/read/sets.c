/* Entries to boxes, and what stands behind the last of them. */
#include "target/cisco/read/sets.h"

#include "base/pool.h"
#include "target/cisco/read/expand.h"

struct making {
	struct acl_expansion expansion;
	const struct acl_list *list;
	struct acl_sets *sets;
	const struct acl_sets_settings *settings;
	/* values of the fragment field */
	const struct interval_set *first_fragment, *later_fragment;
};

static void box_add(struct making *making, const struct acl_box *box)
{
	if (making->settings->take != NULL)
		making->settings->take(making->settings->context, making->sets, box);
	else
		*pool_append(making->expansion.pool, making->sets, boxes) = *box;
}

/* --- what cannot be said --------------------------------------------------------------------- */

static void unknown(struct making *making, const struct acl_entry *entry, const char *why)
{
	diag_add(making->expansion.diags, CODE_FOREIGN_UNKNOWN, entry->span,
		 "what list '%s' permits is not known: this entry %s", making->list->name, why);
}

/* Why the entry is more than a box; NULL if it is none. */
static const char *partial_reason(const struct acl_entry *entry)
{
	if (entry->kind == ACL_ENTRY_EVALUATE)
		return "depends on earlier packets";
	if (entry->time_range != NULL)
		return "depends on the time";
	if (entry->conditions != 0)
		return "looks at fields of the header that are not compared here";
	return NULL;
}

/* --- boxes of an entry -------------------------------------------------------------------------- */

/* A permit that looks into the fourth layer sees none in later fragments, and takes them as well. */
static void fragments_add(struct making *making, struct acl_box box, bool is_fragments)
{
	const bool has_layer_4 = box.first != NULL || box.second != NULL || box.flags != NULL;

	if (making->settings->is_without_later) {
		if (!is_fragments)
			box_add(making, &box);
		return;
	}
	if (is_fragments) {
		box.fragment = making->later_fragment;
		box_add(making, &box);
		return;
	}
	if (has_layer_4)
		box.fragment = making->first_fragment;
	box_add(making, &box);
	if (!has_layer_4 || box.action != ACL_PERMIT)
		return;
	box.first = box.second = box.flags = NULL;
	box.fragment = making->later_fragment;
	box_add(making, &box);
}

static void services_add(struct making *making, const struct acl_entry *entry, struct acl_box box,
			 const struct acl_services *services)
{
	for (size_t index = 0; index < services->items_count; index++) {
		box.protocol = services->items[index].protocol;
		box.first = services->items[index].first;
		box.second = services->items[index].second;
		fragments_add(making, box, entry->is_fragments);
	}
}

/* Ports that no packet has leave the fragments of a permit. */
static void own_service_add(struct making *making, const struct acl_entry *entry, struct acl_box box)
{
	struct acl_expansion *expansion = &making->expansion;
	bool has_ports;

	if (entry->protocol != ACL_PROTOCOL_IP)
		box.protocol = acl_expand_one(expansion, entry->protocol, entry->protocol);
	has_ports = acl_expand_ports(expansion, &entry->destination_ports, &box.first);
	has_ports = acl_expand_ports(expansion, &entry->source_ports, &box.second) && has_ports;
	if (entry->icmp_type != ACL_ICMP_ANY)
		box.first = acl_expand_one(expansion, entry->icmp_type, entry->icmp_type);
	if (entry->icmp_code != ACL_ICMP_ANY)
		box.second = acl_expand_one(expansion, entry->icmp_code, entry->icmp_code);
	box.flags = acl_expand_flags(expansion, &entry->flags);
	if (has_ports) {
		fragments_add(making, box, entry->is_fragments);
	} else if (entry->action == ACL_PERMIT) {
		box.first = box.second = box.flags = NULL;
		fragments_add(making, box, true);
	}
}

static bool entry_add(struct making *making, const struct acl_entry *entry)
{
	struct acl_expansion *expansion = &making->expansion;
	const enum family family = making->sets->family;
	const char *reason = partial_reason(entry);
	const struct acl_services *services;
	struct acl_box box = { .action = entry->action, .entry = entry, .is_partial = reason != NULL };

	if (entry->kind == ACL_ENTRY_UNREAD || (reason != NULL && !making->settings->takes_partial)) {
		unknown(making, entry, reason == NULL ? "was not understood" : reason);
		return false;
	}
	if (entry->kind == ACL_ENTRY_EVALUATE) {
		box_add(making, &box);
		return true;
	}
	if (!acl_expand_place(expansion, family, &entry->source, entry->span, &box.source) ||
	    !acl_expand_place(expansion, family, &entry->destination, entry->span, &box.destination))
		return false;
	if (entry->services == NULL) {
		own_service_add(making, entry, box);
		return true;
	}
	if (!acl_expand_services(expansion, family, entry->services, entry->span, &services))
		return false;
	services_add(making, entry, box, services);
	return true;
}

/* --- the end of a list ---------------------------------------------------------------------------- */

static void neighbours_add(struct making *making, unsigned type)
{
	const struct acl_box box = {
		.protocol = acl_expand_one(&making->expansion, PROTOCOL_ICMP6, PROTOCOL_ICMP6),
		.first = acl_expand_one(&making->expansion, type, type),
		.action = ACL_PERMIT,
	};

	fragments_add(making, box, false);
}

static void end_add(struct making *making)
{
	enum { NEIGHBOUR_SOLICITATION = 135, NEIGHBOUR_ADVERTISEMENT = 136 };

	if (making->sets->family == FAMILY_IPV6) {
		neighbours_add(making, NEIGHBOUR_ADVERTISEMENT);
		neighbours_add(making, NEIGHBOUR_SOLICITATION);
	}
	box_add(making, &(struct acl_box){ .action = ACL_DENY });
}

/* Trains differ on a list that has remarks alone. */
static bool is_doubtful(struct making *making)
{
	const struct acl_list *list = making->list;

	if (list->entries_count > 0 || list->remarks == NULL)
		return false;
	diag_add(making->expansion.diags, CODE_FOREIGN_UNKNOWN, list->span,
		 "what list '%s' permits is not known: it has remarks and no entry", list->name);
	return true;
}

const struct acl_sets *acl_sets_make(void *pool, struct diags *diags, const struct acl_config *config,
				     const struct acl_list *list,
				     const struct acl_sets_settings *settings)
{
	struct making making = {
		.expansion = acl_expansion_new(pool, diags, config),
		.list = list,
		.sets = pool_new(pool, struct acl_sets),
		.settings = settings,
	};
	bool is_known = true;

	making.sets->family = settings->family;
	making.sets->family_set = acl_expand_one(&making.expansion, settings->family, settings->family);
	making.first_fragment = acl_expand_one(&making.expansion, 0, 0);
	making.later_fragment = acl_expand_one(&making.expansion, 1, 1);
	if (list != NULL && is_doubtful(&making))
		return NULL;
	if (list == NULL || list->entries_count == 0) {
		box_add(&making, &(struct acl_box){ .action = ACL_PERMIT });
		return making.sets;
	}
	for (size_t index = 0; index < list->entries_count; index++)
		is_known = entry_add(&making, list->entries[index]) && is_known;
	end_add(&making);
	return is_known ? making.sets : NULL;
}

bool acl_place_addresses(void *pool, struct diags *diags, const struct acl_config *config,
			 enum family family, const struct acl_place *place, struct span span,
			 struct interval_set *addresses)
{
	struct acl_expansion expansion = acl_expansion_new(pool, diags, config);
	const struct interval_set *set;

	if (!acl_expand_place(&expansion, family, place, span, &set))
		return false;
	*addresses = set != NULL ? *set : *acl_expand_one(&expansion, 0, family_highest(family));
	return true;
}

struct packet_box acl_box_packets(const struct acl_sets *sets, const struct acl_box *box)
{
	return (struct packet_box){ .fields = {
		[FIELD_FAMILY] = sets->family_set,
		[FIELD_PROTOCOL] = box->protocol,
		[FIELD_SOURCE] = box->source,
		[FIELD_DESTINATION] = box->destination,
		[FIELD_FIRST] = box->first,
		[FIELD_SECOND] = box->second,
		[FIELD_FLAGS] = box->flags,
		[FIELD_FRAGMENT] = box->fragment,
	} };
}
