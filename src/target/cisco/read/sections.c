/* Sections with lines below a head. Lines on filters, addresses and NAT that are not understood are
 * named; others are skipped. */
#include "target/cisco/read/sections.h"

#include <string.h>

#include "base/pool.h"
#include "target/cisco/read/words.h"

static bool direction_take(struct acl_line *line, enum acl_direction *direction)
{
	if (acl_line_skip(line, "in"))
		*direction = ACL_IN;
	else if (acl_line_skip(line, "out"))
		*direction = ACL_OUT;
	else
		return acl_line_fail(line, "expected 'in' or 'out'");
	return true;
}

/* --- interfaces ----------------------------------------------------------------------------------- */

static struct acl_interface *interface_find_or_new(struct acl_reader *reader, const char *name)
{
	struct acl_interface *interface = names_find(reader->interfaces_by_name, name, strlen(name));

	if (interface != NULL)
		return interface;
	interface = pool_new(reader->pool, struct acl_interface);
	interface->name = name;
	interface->span = acl_reader_line_span(reader);
	names_set(reader->interfaces_by_name, name, strlen(name), interface);
	*pool_append(reader->pool, reader->config, interfaces) = interface;
	return interface;
}

/* "GigabitEthernet 0/0" is "GigabitEthernet0/0"; "Serial0/0.1 point-to-point" has a kind behind it. */
static const char *interface_name_take(struct acl_reader *reader)
{
	struct acl_line *line = &reader->line;
	const char *name = acl_line_name(line, reader->arena, "an interface");
	struct acl_word next = acl_line_peek(line);

	if (name != NULL && next.length > 0 && next.at[0] >= '0' && next.at[0] <= '9') {
		acl_line_take(line);
		name = pool_format(reader->pool, "%s%.*s", name, (int)next.length, next.at);
	}
	return name;
}

void acl_interface_open(struct acl_reader *reader)
{
	const char *name;

	reader->mode = ACL_MODE_OTHER;
	if (acl_line_is(&reader->line, "range")) {
		acl_line_fail(&reader->line, "ranges of interfaces are not taken apart");
		acl_reader_unread(reader, "an interface");
		return;
	}
	name = interface_name_take(reader);
	if (name == NULL) {
		acl_reader_unread(reader, "an interface");
		return;
	}
	reader->interface = interface_find_or_new(reader, name);
	reader->mode = ACL_MODE_INTERFACE;
}

static void binding_remove(struct acl_interface *interface, enum family family, enum acl_direction direction)
{
	size_t kept = 0;

	for (size_t index = 0; index < interface->bindings_count; index++)
		if (interface->bindings[index].family != family ||
		    interface->bindings[index].direction != direction)
			interface->bindings[kept++] = interface->bindings[index];
	interface->bindings_count = kept;
}

/* NAME in|out; the router holds one list a family and direction: the last. */
static bool binding_line(struct acl_reader *reader, enum family family, bool is_no)
{
	struct acl_line *line = &reader->line;
	struct acl_binding binding = { .family = family, .span = acl_reader_line_span(reader) };
	bool has_name = !is_no || line->next + 1 < line->words_count;

	if (has_name) {
		binding.list = acl_line_name(line, reader->arena, "the name of a list");
		if (binding.list == NULL)
			return false;
	}
	if (!direction_take(line, &binding.direction) || !acl_line_ends(line))
		return false;
	binding_remove(reader->interface, family, binding.direction);
	if (!is_no)
		*pool_append(reader->pool, reader->interface, bindings) = binding;
	return true;
}

static void addresses_remove(struct acl_interface *interface, enum family family)
{
	size_t kept = 0;

	for (size_t index = 0; index < interface->addresses_count; index++)
		if (interface->addresses[index].prefix.family != family)
			interface->addresses[kept++] = interface->addresses[index];
	interface->addresses_count = kept;
}

static bool netmask_address_take(struct acl_line *line, struct acl_address *address)
{
	number128 mask;
	int length;

	address->prefix.family = FAMILY_IPV4;
	if (!acl_line_address(line, FAMILY_IPV4, &address->prefix.value) ||
	    !acl_line_address(line, FAMILY_IPV4, &mask))
		return false;
	length = acl_mask_length(mask);
	address->prefix.length = (unsigned)length;
	address->is_secondary = acl_line_skip(line, "secondary");
	return length >= 0 || acl_line_fail(line, "a mask that is no netmask comes before this");
}

static bool has_address(const struct acl_interface *interface, const struct acl_address *address)
{
	for (size_t index = 0; index < interface->addresses_count; index++) {
		const struct prefix *prefix = &interface->addresses[index].prefix;

		if (prefix->family == address->prefix.family && prefix->value == address->prefix.value &&
		    prefix->length == address->prefix.length)
			return true;
	}
	return false;
}

static bool address_line(struct acl_reader *reader, enum family family, bool is_no)
{
	struct acl_line *line = &reader->line;
	struct acl_interface *interface = reader->interface;
	struct acl_address address = { .span = acl_reader_line_span(reader) };

	if (is_no) {
		addresses_remove(interface, family);
		return true;
	}
	/* given by a server, or made of the interface's own number: not known here */
	if (acl_line_is(line, "dhcp") || acl_line_is(line, "negotiated") || acl_line_is(line, "autoconfig"))
		return true;
	if (family == FAMILY_IPV4) {
		if (!netmask_address_take(line, &address))
			return false;
	} else if (acl_line_peek(line).length > 0 &&
		   memchr(acl_line_peek(line).at, '/', acl_line_peek(line).length) == NULL) {
		address.prefix.family = FAMILY_IPV6;
		address.prefix.length = 128;
		if (!acl_line_address(line, FAMILY_IPV6, &address.prefix.value))
			return false;
		(void)acl_line_skip(line, "link-local");
	} else if (!acl_line_prefix(line, FAMILY_IPV6, &address.prefix)) {
		return false;
	} else {
		(void)acl_line_skip(line, "eui-64");
	}
	if (!acl_line_ends(line))
		return false;
	if (!has_address(interface, &address))
		*pool_append(reader->pool, interface, addresses) = address;
	return true;
}

static bool nat_side_line(struct acl_reader *reader, bool is_no, bool *is_known)
{
	struct acl_line *line = &reader->line;
	enum acl_nat_side side;

	if (line->next + 1 < line->words_count) { /* a translation, which is global */
		*is_known = false;
		return true;
	}
	if (acl_line_skip(line, "inside"))
		side = ACL_NAT_INSIDE;
	else if (acl_line_skip(line, "outside"))
		side = ACL_NAT_OUTSIDE;
	else
		return acl_line_fail(line, "expected 'inside' or 'outside'");
	reader->interface->nat = is_no ? ACL_NAT_NONE : side;
	return acl_line_ends(line);
}

static bool crypto_map_line(struct acl_reader *reader, bool is_no, bool *is_known)
{
	const struct acl_line *line = &reader->line;
	const char *name;
	uint32_t sequence;

	if (line->next + 1 < line->words_count &&
	    acl_number_parse(line->words[line->next + 1], UINT16_MAX, &sequence)) {
		*is_known = false; /* an entry of a map, which is global */
		return true;
	}
	if (is_no) {
		reader->interface->crypto_map = NULL;
		return true;
	}
	name = acl_line_name(&reader->line, reader->arena, "the name of a crypto map");
	reader->interface->crypto_map = name;
	return name != NULL;
}

/* The lines that matter; *is_known false for others. */
static bool interface_line_take(struct acl_reader *reader, bool is_no, bool *is_known)
{
	struct acl_line *line = &reader->line;
	struct acl_interface *interface = reader->interface;

	*is_known = true;
	if (acl_line_skip_words(line, "ip", "access-group"))
		return binding_line(reader, FAMILY_IPV4, is_no);
	if (acl_line_skip_words(line, "ipv6", "traffic-filter"))
		return binding_line(reader, FAMILY_IPV6, is_no);
	if (acl_line_skip_words(line, "ip", "address"))
		return address_line(reader, FAMILY_IPV4, is_no);
	if (acl_line_skip_words(line, "ipv6", "address"))
		return address_line(reader, FAMILY_IPV6, is_no);
	if (acl_line_skip_words(line, "ip", "nat"))
		return nat_side_line(reader, is_no, is_known);
	if (acl_line_skip_words(line, "crypto", "map"))
		return crypto_map_line(reader, is_no, is_known);
	if (acl_line_skip_words(line, "ip", "unreachables"))
		interface->has_no_unreachables = is_no;
	else if (acl_line_skip_words(line, "cdp", "enable"))
		interface->has_no_cdp = is_no;
	else if (acl_line_skip(line, "shutdown"))
		interface->is_shutdown = !is_no;
	else if (acl_line_skip(line, "description"))
		interface->description = is_no ? NULL : acl_word_copy(reader->arena, acl_line_rest(line));
	else
		*is_known = false;
	return true;
}

bool acl_interface_line(struct acl_reader *reader)
{
	bool is_no = acl_line_skip(&reader->line, "no"), is_known;

	if (interface_line_take(reader, is_no, &is_known)) {
		if (!is_known)
			reader->line.next = 0;
		return is_known;
	}
	reader->interface->unread_count++;
	acl_reader_unread(reader, "a line of interface '%s'", reader->interface->name);
	return true;
}

/* --- crypto maps ------------------------------------------------------------------------------------- */

static struct acl_crypto_map *map_find_or_new(struct acl_reader *reader, const char *name,
					      uint32_t sequence, bool is_dynamic)
{
	const char *key = pool_format(reader->pool, "%u %u %s", is_dynamic, sequence, name);
	struct acl_crypto_map *map = names_find(reader->maps_by_name, key, strlen(key));

	if (map != NULL)
		return map;
	map = pool_new(reader->pool, struct acl_crypto_map);
	map->name = name;
	map->sequence = sequence;
	map->is_dynamic = is_dynamic;
	map->span = acl_reader_line_span(reader);
	names_set(reader->maps_by_name, key, strlen(key), map);
	*pool_append(reader->pool, reader->config, crypto_maps) = map;
	return map;
}

/* NAME SEQ [ipsec-isakmp …]; "crypto map NAME local-address …" has no entry. */
void acl_crypto_map_open(struct acl_reader *reader, bool is_dynamic)
{
	const char *name = acl_line_name(&reader->line, reader->arena, "the name of a crypto map");
	uint32_t sequence;

	reader->mode = ACL_MODE_OTHER;
	if (name == NULL) {
		acl_reader_unread(reader, "a crypto map");
		return;
	}
	if (!acl_number_parse(acl_line_peek(&reader->line), UINT16_MAX, &sequence))
		return;
	reader->map = map_find_or_new(reader, name, sequence, is_dynamic);
	reader->mode = ACL_MODE_CRYPTO_MAP;
}

static bool map_line_take(struct acl_reader *reader, bool *is_known)
{
	struct acl_line *line = &reader->line;
	struct acl_crypto_map *map = reader->map;
	struct acl_binding binding = { .family = FAMILY_IPV4, .span = acl_reader_line_span(reader) };

	*is_known = true;
	if (acl_line_skip_words(line, "match", "address")) {
		map->list = acl_line_name(line, reader->arena, "the name of a list");
		map->list_span = binding.span;
		return map->list != NULL && acl_line_ends(line);
	}
	if (acl_line_skip_words(line, "set", "peer")) {
		const char *peer = acl_line_name(line, reader->arena, "a peer");

		if (peer != NULL)
			*pool_append(reader->pool, map, peers) = peer;
		(void)acl_line_skip(line, "default");
		return peer != NULL && acl_line_ends(line);
	}
	if (acl_line_skip_words(line, "set", "ip")) {
		if (!acl_line_skip(line, "access-group"))
			return acl_line_fail(line, "expected 'access-group'");
		binding.list = acl_line_name(line, reader->arena, "the name of a list");
		if (binding.list == NULL || !direction_take(line, &binding.direction) || !acl_line_ends(line))
			return false;
		*pool_append(reader->pool, map, bindings) = binding;
		return true;
	}
	*is_known = false;
	return true;
}

bool acl_crypto_map_line(struct acl_reader *reader)
{
	bool is_known;

	if (map_line_take(reader, &is_known))
		return is_known;
	acl_reader_unread(reader, "a line of crypto map '%s'", reader->map->name);
	return true;
}

/* --- time ranges --------------------------------------------------------------------------------------- */

void acl_time_range_open(struct acl_reader *reader)
{
	const char *name = acl_line_name(&reader->line, reader->arena, "the name of a time range");
	struct acl_time_range *range;

	reader->mode = ACL_MODE_OTHER;
	if (name == NULL) {
		acl_reader_unread(reader, "a time range");
		return;
	}
	range = names_find(reader->time_ranges_by_name, name, strlen(name));
	if (range == NULL) {
		range = pool_new(reader->pool, struct acl_time_range);
		range->name = name;
		range->span = acl_reader_line_span(reader);
		names_set(reader->time_ranges_by_name, name, strlen(name), range);
		*pool_append(reader->pool, reader->config, time_ranges) = range;
	}
	reader->time_range = range;
	reader->mode = ACL_MODE_TIME_RANGE;
}

/* 8:00, 17:59; 24:00 is the end of the day */
static bool time_take(struct acl_line *line, uint16_t *minute)
{
	struct acl_word word = acl_line_peek(line);
	const char *colon = word.length > 0 ? memchr(word.at, ':', word.length) : NULL;
	uint32_t hour, minutes;

	if (colon == NULL ||
	    !acl_number_parse((struct acl_word){ word.at, (size_t)(colon - word.at) }, 24, &hour) ||
	    !acl_number_parse((struct acl_word){ colon + 1, word.length - (size_t)(colon + 1 - word.at) },
			      59, &minutes) || hour * 60 + minutes > 24 * 60)
		return acl_line_fail(line, "expected a time of day, as 8:00");
	line->next++;
	*minute = (uint16_t)(hour * 60 + minutes);
	return true;
}

static uint8_t days_take(struct acl_line *line)
{
	const struct acl_named *named;
	uint8_t days = 0;

	while (named = acl_word_find(ACL_WORD_DAY, acl_line_peek(line).at, acl_line_peek(line).length),
	       named != NULL) {
		days |= (uint8_t)(named->number < 7 ? 1u << named->number : named->number == 256 ? 0x7F :
				  named->number == 257 ? 0x1F : 0x60);
		line->next++;
	}
	return days;
}

static bool periodic_take(struct acl_line *line, struct acl_period *period)
{
	const struct acl_named *until;

	period->until_day = -1;
	period->days = days_take(line);
	if (period->days == 0)
		return acl_line_fail(line, "expected days");
	if (!time_take(line, &period->from_minute))
		return false;
	if (!acl_line_skip(line, "to"))
		return acl_line_fail(line, "expected 'to'");
	until = acl_word_find(ACL_WORD_DAY, acl_line_peek(line).at, acl_line_peek(line).length);
	if (until != NULL && until->number < 7) {
		period->until_day = (int8_t)until->number;
		line->next++;
	}
	return time_take(line, &period->to_minute);
}

/* start 8:00 1 January 2026, end …: kept as text, the form checked */
static bool absolute_take(struct acl_line *line, struct acl_period *period)
{
	uint32_t number;
	bool has_one = false;

	period->is_absolute = true;
	while (acl_line_skip(line, "start") || acl_line_skip(line, "end")) {
		struct acl_word month;

		if (!time_take(line, &period->from_minute) || !acl_line_number(line, "a day", 31, &number))
			return false;
		month = acl_line_peek(line);
		if (acl_word_find(ACL_WORD_MONTH, month.at, month.length) == NULL)
			return acl_line_fail(line, "expected a month");
		line->next++;
		if (!acl_line_number(line, "a year", 2099, &number))
			return false;
		has_one = true;
	}
	period->from_minute = 0;
	return has_one || acl_line_fail(line, "expected 'start' or 'end'");
}

void acl_time_range_line(struct acl_reader *reader)
{
	struct acl_line *line = &reader->line;
	struct acl_time_range *range = reader->time_range;
	struct acl_period period = { .span = acl_reader_line_span(reader) };
	bool is_read;

	period.text = acl_word_copy(reader->arena, (struct acl_word){ line->begin,
				    (size_t)(line->end - line->begin) });
	if (acl_line_skip(line, "periodic"))
		is_read = periodic_take(line, &period);
	else if (acl_line_skip(line, "absolute"))
		is_read = absolute_take(line, &period);
	else
		is_read = acl_line_fail(line, "expected 'periodic' or 'absolute'");
	if (is_read && acl_line_ends(line)) {
		*pool_append(reader->pool, range, periods) = period;
		return;
	}
	range->unread_count++;
	acl_reader_unread(reader, "a line of time range '%s'", range->name);
}
