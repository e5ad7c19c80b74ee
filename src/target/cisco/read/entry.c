/* Entries of standard, extended and IPv6 lists.
 *
 * An entry is understood whole or not at all: a word that is left over is a complaint. */
#include "target/cisco/read/entry.h"

#include <string.h>

#include "target/cisco/read/options.h"
#include "target/cisco/read/ports.h"

struct acl_entry *acl_entry_new(struct arena *arena, enum family family)
{
	struct acl_entry *entry = arena_new_item(arena, struct acl_entry);

	entry->protocol = ACL_PROTOCOL_IP;
	entry->source.wildcard = entry->destination.wildcard = family_highest(family);
	entry->icmp_type = entry->icmp_code = ACL_ICMP_ANY;
	return entry;
}

/* --- places ------------------------------------------------------------------------------- */

static void place_set(struct acl_place *place, number128 value, number128 wildcard)
{
	place->value = value & ~wildcard;
	place->wildcard = wildcard;
}

/* A prefix of an IPv6 list. */
static bool prefix_take(struct acl_line *line, struct acl_place *place)
{
	struct prefix prefix;
	struct interval interval;

	if (!acl_line_prefix(line, FAMILY_IPV6, &prefix))
		return false;
	interval = prefix_interval(&prefix);
	place_set(place, interval.low, interval.high - interval.low);
	return true;
}

/* The address of a standard list's entry may stand alone: a host. `show` writes "A, wildcard bits W". */
static bool standard_place_take(struct acl_line *line, bool is_shown, struct acl_place *place)
{
	struct acl_word word = acl_line_peek(line);
	struct address address;
	number128 wildcard = 0;
	bool has_comma = is_shown && word.length > 1 && word.at[word.length - 1] == ',';

	if (!address_parse(word.at, word.length - has_comma, &address) || address.family != FAMILY_IPV4)
		return acl_line_fail(line, "expected 'any', 'host', 'object-group' or an IPv4 address");
	line->next++;
	if (has_comma) {
		if (!acl_line_skip_words(line, "wildcard", "bits"))
			return acl_line_fail(line, "expected 'wildcard bits'");
		if (!acl_line_address(line, FAMILY_IPV4, &wildcard))
			return false;
	} else {
		word = acl_line_peek(line);
		if (word.length > 0 && word.at[0] >= '0' && word.at[0] <= '9' &&
		    !acl_line_address(line, FAMILY_IPV4, &wildcard))
			return false;
	}
	place_set(place, address.value, wildcard);
	return true;
}

static bool wildcard_place_take(struct acl_line *line, struct acl_place *place)
{
	struct acl_word word = acl_line_peek(line);
	struct address address;
	number128 wildcard;

	if (!address_parse(word.at, word.length, &address) || address.family != FAMILY_IPV4)
		return acl_line_fail(line, "expected 'any', 'host', 'object-group' or an IPv4 address");
	line->next++;
	if (!acl_line_address(line, FAMILY_IPV4, &wildcard))
		return false;
	place_set(place, address.value, wildcard);
	return true;
}

static bool place_take(struct acl_line *line, struct arena *arena, const struct acl_dialect *dialect,
		       struct acl_place *place)
{
	number128 value;

	if (acl_line_skip(line, "any"))
		return true;
	if (acl_line_skip(line, "host")) {
		if (!acl_line_address(line, dialect->family, &value))
			return false;
		place_set(place, value, 0);
		return true;
	}
	if (acl_line_skip(line, "object-group")) {
		place->group = acl_line_name(line, arena, "the name of an object group");
		return place->group != NULL;
	}
	if (dialect->family == FAMILY_IPV6)
		return prefix_take(line, place);
	if (dialect->kind == ACL_STANDARD)
		return standard_place_take(line, dialect->is_shown, place);
	return wildcard_place_take(line, place);
}

/* --- the parts of an entry ---------------------------------------------------------------- */

/* The protocol, or a group of services. Newer trains show such a group by its bare name. */
static bool protocol_take(struct acl_line *line, struct arena *arena, const struct acl_dialect *dialect,
			  struct acl_entry *entry)
{
	uint32_t number;

	if (acl_line_skip(line, "object-group")) {
		entry->services = acl_line_name(line, arena, "the name of an object group");
		return entry->services != NULL;
	}
	if (acl_protocol_take(line, dialect->family, &entry->protocol))
		return true;
	if (dialect->is_shown && dialect->family == FAMILY_IPV4 &&
	    !acl_number_parse(acl_line_peek(line), UINT32_MAX, &number)) {
		entry->services = acl_line_name(line, arena, "a protocol");
		return entry->services != NULL;
	}
	return acl_line_fail(line, "expected a protocol, a number 1 to 255 or a word that IOS has for it");
}

static bool ports_take(struct acl_line *line, struct arena *arena, const struct acl_entry *entry,
		       struct acl_ports *ports)
{
	return entry->services != NULL || !acl_protocol_takes_ports(entry->protocol) ||
	       acl_ports_take(line, arena, entry->protocol, ports);
}

static bool extended_read(struct acl_line *line, struct arena *arena, const struct acl_dialect *dialect,
			  struct acl_entry *entry)
{
	if (!protocol_take(line, arena, dialect, entry) ||
	    !place_take(line, arena, dialect, &entry->source) ||
	    !ports_take(line, arena, entry, &entry->source_ports) ||
	    !place_take(line, arena, dialect, &entry->destination) ||
	    !ports_take(line, arena, entry, &entry->destination_ports))
		return false;
	if (entry->services == NULL &&
	    entry->protocol == (dialect->family == FAMILY_IPV4 ? PROTOCOL_ICMP : PROTOCOL_ICMP6))
		acl_icmp_take(line, dialect->family, &entry->icmp_type, &entry->icmp_code);
	return acl_options_take(line, arena, dialect, entry);
}

static bool sequence_take(struct acl_line *line, const struct acl_dialect *dialect, struct acl_entry *entry)
{
	uint32_t number;

	if (acl_number_parse(acl_line_peek(line), UINT32_MAX, &number))
		line->next++;
	else if (dialect->family != FAMILY_IPV6 || !acl_line_skip(line, "sequence"))
		return true;
	else if (!acl_line_number(line, "a sequence number", UINT32_MAX, &number))
		return false;
	if (number == 0) {
		line->next--;
		return acl_line_fail(line, "sequence numbers begin at 1");
	}
	entry->sequence = number;
	entry->has_written_sequence = true;
	return true;
}

bool acl_entry_read(struct acl_line *line, struct arena *arena, const struct acl_dialect *dialect,
		    struct acl_entry *entry)
{
	if (!sequence_take(line, dialect, entry))
		return false;
	if (dialect->kind == ACL_EXTENDED && acl_line_skip(line, "evaluate")) {
		entry->kind = ACL_ENTRY_EVALUATE;
		entry->evaluate = acl_line_name(line, arena, "the name of a reflexive list");
		return entry->evaluate != NULL && acl_evaluate_tail_take(line, dialect, entry);
	}
	if (acl_line_skip(line, "permit"))
		entry->action = ACL_PERMIT;
	else if (acl_line_skip(line, "deny"))
		entry->action = ACL_DENY;
	else
		return acl_line_fail(line, "expected 'permit', 'deny'%s", dialect->kind == ACL_EXTENDED ?
				     ", 'evaluate' or 'remark'" : " or 'remark'");
	if (dialect->kind == ACL_STANDARD)
		return place_take(line, arena, dialect, &entry->source) &&
		       acl_options_take(line, arena, dialect, entry);
	return extended_read(line, arena, dialect, entry);
}
