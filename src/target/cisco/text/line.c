/* Grammar: model/model.h. */
#include "target/cisco/text/line.h"

#include "net/protocol.h"
#include "target/cisco/model/words.h"

static void add_address(struct text *out, enum family family, number128 value)
{
	const struct address address = { family, value };

	address_format(out, &address);
}

static unsigned prefix_length(enum family family, number128 wildcard)
{
	unsigned length = family_bits(family);

	for (; wildcard != 0; wildcard >>= 1)
		length--;
	return length;
}

static void add_place(struct text *out, enum family family, const struct ios_place *place)
{
	if (place->group != NULL) {
		text_addf(out, " object-group %s", place->group->name);
	} else if (place->wildcard == family_highest(family)) {
		text_add(out, " any");
	} else if (place->wildcard == 0) {
		text_add(out, " host ");
		add_address(out, family, place->value);
	} else if (family == FAMILY_IPV6) {
		const struct prefix prefix = { family, place->value, prefix_length(family, place->wildcard) };

		text_add_char(out, ' ');
		prefix_format(out, &prefix);
	} else {
		text_add_char(out, ' ');
		add_address(out, family, place->value);
		text_add_char(out, ' ');
		add_address(out, family, place->wildcard);
	}
}

static void add_ports(struct text *out, uint16_t protocol, const struct ios_ports *ports, bool has_words)
{
	static const char *const operators[] = {
		[IOS_PORTS_EQ] = " eq",
		[IOS_PORTS_RANGE] = " range",
		[IOS_PORTS_GT] = " gt",
		[IOS_PORTS_LT] = " lt",
		[IOS_PORTS_NEQ] = " neq",
	};

	if (ports->operator == IOS_PORTS_ANY)
		return;
	text_add(out, operators[ports->operator]);
	for (unsigned index = 0; index < ports->ports_count; index++) {
		const char *word = has_words ? ios_port_word(protocol, ports->ports[index]) : NULL;

		text_add_char(out, ' ');
		if (word != NULL)
			text_add(out, word);
		else
			text_add_unsigned(out, ports->ports[index]);
	}
}

static void add_icmp(struct text *out, enum family family, const struct ios_line *line)
{
	const char *word;

	if (line->icmp_type == IOS_ICMP_ANY)
		return;
	word = ios_icmp_word(family, line->icmp_type, line->icmp_code);
	if (word != NULL) {
		text_addf(out, " %s", word);
		return;
	}
	text_addf(out, " %u", line->icmp_type);
	if (line->icmp_code != IOS_ICMP_ANY)
		text_addf(out, " %u", line->icmp_code);
}

static void add_protocol(struct text *out, enum family family, const struct ios_line *line)
{
	const char *word;

	if (line->extras->services != NULL) {
		text_addf(out, " object-group %s", line->extras->services->name);
		return;
	}
	word = ios_protocol_word(family, line->protocol);
	text_add_char(out, ' ');
	if (word != NULL)
		text_add(out, word);
	else
		text_add_unsigned(out, line->protocol);
}

static void add_options(struct text *out, const struct ios_line *line)
{
	if (line->is_established)
		text_add(out, " established");
	if (line->extras->reflect != NULL)
		text_addf(out, " reflect %s", line->extras->reflect);
	if (line->extras->time_range != NULL)
		text_addf(out, " time-range %s", line->extras->time_range);
	if (line->is_fragments)
		text_add(out, " fragments");
	if (line->has_log)
		text_add(out, " log");
	if (line->has_log && line->extras->cookie != NULL)
		text_addf(out, " %s", line->extras->cookie);
}

static bool begins_alike(const struct ios_line *a, const struct ios_line *b)
{
	return a->protocol == b->protocol && a->source == b->source && a->destination == b->destination &&
	       a->source_ports == b->source_ports && a->extras == b->extras;
}

/* From the protocol to the destination. */
static void add_places(struct text_lines *lines, const struct ios_line *line)
{
	struct text *out = lines->out;
	size_t begin = out->length;

	if (lines->last != NULL && begins_alike(lines->last, line)) {
		text_reserve(out, lines->length);
		text_add_bytes(out, out->bytes + lines->begin, lines->length);
	} else {
		add_protocol(out, lines->family, line);
		add_place(out, lines->family, line->source);
		if (line->extras->services == NULL)
			add_ports(out, line->protocol, line->source_ports, lines->has_port_words);
		add_place(out, lines->family, line->destination);
	}
	lines->last = line;
	lines->begin = begin;
	lines->length = out->length - begin;
}

void text_add_line(struct text_lines *lines, const struct ios_line *line)
{
	struct text *out = lines->out;
	enum family family = lines->family;

	if (line->kind == IOS_LINE_REMARK) {
		text_add(out, "remark ");
		text_add(out, line->text);
		return;
	}
	if (line->sequence != 0) {
		text_add(out, family == FAMILY_IPV6 ? "sequence " : "");
		text_add_unsigned(out, line->sequence);
		text_add_char(out, ' ');
	}
	if (line->kind == IOS_LINE_EVALUATE) {
		text_addf(out, "evaluate %s", line->text);
		return;
	}
	text_add(out, line->action == IOS_PERMIT ? "permit" : "deny");
	add_places(lines, line);
	if (line->extras->services == NULL) {
		add_ports(out, line->protocol, line->destination_ports, lines->has_port_words);
		add_icmp(out, family, line);
	}
	add_options(out, line);
}

/* --- service groups --------------------------------------------------------------------------- */

static void add_range(struct text *out, struct port_range range)
{
	if (range.low == range.high)
		text_addf(out, " eq %u", range.low);
	else if (range.low != 0 || range.high != UINT16_MAX)
		text_addf(out, " range %u %u", range.low, range.high);
}

static void add_service(struct text *out, enum family family, const struct service_tuple *tuple)
{
	const char *word = ios_protocol_word(family, tuple->protocol);

	text_add_char(out, ' ');
	if (word != NULL)
		text_add(out, word);
	else
		text_add_unsigned(out, tuple->protocol);
	if (tuple->protocol != PROTOCOL_TCP && tuple->protocol != PROTOCOL_UDP)
		return;
	if (tuple->second.low != 0 || tuple->second.high != UINT16_MAX) {
		text_add(out, " source");
		add_range(out, tuple->second);
	}
	add_range(out, tuple->first);
}

void text_add_group_services(struct text *out, enum family family, const struct tuple_set *services)
{
	for (size_t index = 0; index < services->tuples_count; index++) {
		const struct service_tuple *tuple = &services->tuples[index];
		bool has_types = tuple->protocol == PROTOCOL_ICMP &&
				 (tuple->first.low > 0 || tuple->first.high < UINT8_MAX);

		for (unsigned type = tuple->first.low; has_types && type <= tuple->first.high; type++)
			text_addf(out, " icmp %u\n", type);
		if (has_types)
			continue;
		add_service(out, family, tuple);
		text_add_char(out, '\n');
	}
}
