/* `object-group network|service|protocol|v6-network|v6-service NAME` and their lines.
 *
 * A group that is opened again grows. One with a line that is not understood is unknown. */
#include "target/cisco/read/groups.h"

#include <string.h>

#include "base/pool.h"
#include "target/cisco/read/ports.h"

struct group_word {
	const char *word;
	enum acl_group_kind kind;
	enum family family;
};

static const struct group_word group_words[] = {
	{ "network", ACL_GROUP_NETWORK, FAMILY_IPV4 },
	{ "protocol", ACL_GROUP_PROTOCOL, FAMILY_IPV4 },
	{ "service", ACL_GROUP_SERVICE, FAMILY_IPV4 },
	{ "v6-network", ACL_GROUP_NETWORK, FAMILY_IPV6 },
	{ "v6-service", ACL_GROUP_SERVICE, FAMILY_IPV6 },
};

static struct group_word group_word_take(struct acl_line *line)
{
	for (size_t index = 0; index < sizeof group_words / sizeof group_words[0]; index++)
		if (acl_line_skip(line, group_words[index].word))
			return group_words[index];
	acl_line_fail(line, "expected 'network', 'service', 'v6-network' or 'v6-service'");
	while (line->next + 1 < line->words_count)
		line->next++;
	return (struct group_word){ "", ACL_GROUP_FOREIGN, FAMILY_IPV4 };
}

static struct acl_group *group_new(struct acl_reader *reader, const char *name, struct group_word word)
{
	struct acl_group *group = pool_new(reader->pool, struct acl_group);

	*group = (struct acl_group){
		.name = name,
		.kind = word.kind,
		.family = word.family,
		.span = acl_reader_line_span(reader),
	};
	names_set(reader->groups_by_name, name, strlen(name), group);
	*pool_append(reader->pool, reader->config, groups) = group;
	return group;
}

void acl_groups_open(struct acl_reader *reader)
{
	struct acl_line *line = &reader->line;
	const struct group_word word = group_word_take(line);
	const char *name = acl_line_name(line, reader->arena, "the name of a group");
	struct acl_group *group;

	reader->mode = ACL_MODE_OTHER;
	if (name == NULL) {
		acl_reader_unread(reader, "an object group");
		return;
	}
	group = names_find(reader->groups_by_name, name, strlen(name));
	if (group == NULL)
		group = group_new(reader, name, word);
	else if (group->kind != word.kind || group->family != word.family)
		acl_line_fail(line, "a group of this name is there already, of another kind");
	if (line->problem != NULL || !acl_line_ends(line)) {
		group->unread_count++;
		acl_reader_unread(reader, "object group '%s'", name);
	}
	reader->group = group;
	reader->mode = ACL_MODE_GROUP;
}

void acl_groups_remove(struct acl_reader *reader)
{
	struct acl_config *config = reader->config;
	const struct acl_word name = reader->line.words[reader->line.words_count - 1];
	struct acl_group *group = names_find(reader->groups_by_name, name.at, name.length);
	size_t kept = 0;

	if (group == NULL)
		return;
	names_set(reader->groups_by_name, name.at, name.length, NULL);
	for (size_t index = 0; index < config->groups_count; index++)
		if (config->groups[index] != group)
			config->groups[kept++] = config->groups[index];
	config->groups_count = kept;
}

/* --- addresses ---------------------------------------------------------------------------------- */

static bool range_set(struct acl_line *line, struct acl_item *item, number128 low, number128 high)
{
	item->range = (struct interval){ low, high };
	return low <= high || acl_line_fail(line, "a range that runs backwards comes before this");
}

/* A subnet: netmasks here, not wildcards. */
static bool subnet_take(struct acl_line *line, struct acl_item *item)
{
	struct acl_word word;
	number128 value, mask;
	uint32_t length;
	int mask_length;

	if (!acl_line_address(line, FAMILY_IPV4, &value))
		return false;
	word = acl_line_peek(line);
	if (word.length > 1 && word.at[0] == '/' &&
	    acl_number_parse((struct acl_word){ word.at + 1, word.length - 1 }, 32, &length)) {
		mask_length = (int)length;
		line->next++;
	} else {
		if (!acl_line_address(line, FAMILY_IPV4, &mask))
			return false;
		mask_length = acl_mask_length(mask);
	}
	if (mask_length < 0) {
		line->next--;
		return acl_line_fail(line, "expected a netmask (255.255.255.0), not a wildcard");
	}
	item->range = prefix_interval(&(struct prefix){ FAMILY_IPV4, value, (unsigned)mask_length });
	return true;
}

static bool network_line(struct acl_line *line, struct acl_item *item, enum family family)
{
	number128 low, high;
	struct prefix prefix;

	item->kind = ACL_ITEM_RANGE;
	if (acl_line_skip(line, "any"))
		return range_set(line, item, 0, family_highest(family));
	if (acl_line_skip(line, "host"))
		return acl_line_address(line, family, &low) && range_set(line, item, low, low);
	if (acl_line_skip(line, "range"))
		return acl_line_address(line, family, &low) && acl_line_address(line, family, &high) &&
		       range_set(line, item, low, high);
	if (family == FAMILY_IPV4)
		return subnet_take(line, item);
	if (!acl_line_prefix(line, family, &prefix))
		return false;
	item->range = prefix_interval(&prefix);
	return true;
}

/* --- services ------------------------------------------------------------------------------------- */

/* "eq 80", "range 1 5", and "80" for "eq 80". */
static bool service_ports_take(struct acl_line *line, struct arena *arena, unsigned protocol,
			       struct acl_ports *ports)
{
	uint16_t port;

	if (!acl_ports_take(line, arena, protocol, ports))
		return false;
	if (ports->operator != ACL_PORTS_ANY || acl_line_is_done(line) || acl_line_is(line, "source"))
		return true;
	if (!acl_port_take(line, protocol, &port))
		return false;
	*ports = (struct acl_ports){ ACL_PORTS_EQ, 1, arena_copy(arena, &port, sizeof port) };
	return true;
}

static bool service_line(struct acl_line *line, struct arena *arena, struct acl_item *item,
			 enum family family)
{
	item->kind = ACL_ITEM_SERVICE;
	item->icmp_type = item->icmp_code = ACL_ICMP_ANY;
	if (acl_line_skip(line, "tcp-udp")) {
		item->is_tcp_udp = true;
		item->protocol = PROTOCOL_TCP;
	} else if (!acl_protocol_take(line, family, &item->protocol)) {
		return acl_line_fail(line, "expected a protocol, 'tcp-udp' or 'group-object'");
	}
	if (item->protocol == (family == FAMILY_IPV4 ? PROTOCOL_ICMP : PROTOCOL_ICMP6)) {
		acl_icmp_take(line, family, &item->icmp_type, &item->icmp_code);
		return true;
	}
	if (!acl_protocol_takes_ports(item->protocol))
		return true;
	if (acl_line_skip(line, "source") &&
	    !service_ports_take(line, arena, item->protocol, &item->source_ports))
		return false;
	return service_ports_take(line, arena, item->protocol, &item->destination_ports);
}

static bool protocol_line(struct acl_line *line, struct acl_item *item)
{
	item->kind = ACL_ITEM_SERVICE;
	item->icmp_type = item->icmp_code = ACL_ICMP_ANY;
	if (!acl_line_skip(line, "protocol-object"))
		return acl_line_fail(line, "expected 'protocol-object' or 'group-object'");
	return acl_protocol_take(line, FAMILY_IPV4, &item->protocol) ||
	       acl_line_fail(line, "expected a protocol");
}

/* --- lines -------------------------------------------------------------------------------------------- */

static bool item_take(struct acl_reader *reader, struct acl_group *group, struct acl_item *item)
{
	struct acl_line *line = &reader->line;

	if (acl_line_skip(line, "group-object")) {
		item->kind = ACL_ITEM_GROUP;
		item->group = acl_line_name(line, reader->arena, "the name of a group");
		return item->group != NULL;
	}
	switch (group->kind) {
	case ACL_GROUP_NETWORK:
		return network_line(line, item, group->family);
	case ACL_GROUP_SERVICE:
		return service_line(line, reader->arena, item, group->family);
	case ACL_GROUP_PROTOCOL:
		return protocol_line(line, item);
	case ACL_GROUP_FOREIGN:
		return acl_line_fail(line, "IOS has no such groups");
	}
	return false;
}

void acl_groups_line(struct acl_reader *reader)
{
	struct acl_group *group = reader->group;
	struct acl_item item = { .span = acl_reader_line_span(reader) };

	if (acl_line_is(&reader->line, "description"))
		return;
	if (acl_line_is(&reader->line, "no"))
		acl_line_fail(&reader->line, "what it takes away is not looked for");
	else if (item_take(reader, group, &item) && acl_line_ends(&reader->line)) {
		*pool_append(reader->pool, group, items) = item;
		return;
	}
	group->unread_count++;
	acl_reader_unread(reader, "a line of object group '%s'", group->name);
}
