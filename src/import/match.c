/* One reader an option; each makes a set of its argument, which `!` turns round. */
#include "import/match.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"

struct matching {
	struct import_space *space;
	struct diags *diags;
	const struct save_rule *rule;
	struct import_match *match;
	struct import_limit limit;
	bool has_limit_module, has_limit, has_hashlimit, has_mode;
	unsigned prefix_of_limit; /* bits of a source that share one */
	unsigned lacks;           /* IMPORT_LACKS_* */
	size_t at;                /* of the next word */
	bool is_negated;
	const struct save_word *option;
	struct span asked; /* the option and its argument */
};

typedef bool (*option_reader)(struct matching *matching, const struct save_word *argument);

static bool complain(struct matching *matching, const struct save_word *word, const char *what)
{
	diag_add(matching->diags, CODE_IPTABLES_LINE, word->span, "'%s' is not %s", word->text, what);
	return false;
}

static bool meet(struct matching *matching, import_set set)
{
	struct import_space *space = matching->space;

	if (matching->is_negated)
		set = import_subtract(space, import_all(), set);
	matching->match->set = import_intersect(space, matching->match->set, set);
	return true;
}

/* --- numbers --------------------------------------------------------------------------------- */

static bool number_parse(const char *text, size_t length, unsigned highest, unsigned *number)
{
	*number = 0;
	if (length == 0 || length > 5)
		return false;
	for (size_t index = 0; index < length; index++) {
		if (!isdigit((unsigned char)text[index]))
			return false;
		*number = *number * 10 + (unsigned)(text[index] - '0');
	}
	return *number <= highest;
}

/* "80", "1024:2000", ":1023", "1024:"; length excludes the comma behind it. */
static bool ports_parse(const char *text, size_t length, struct interval *ports)
{
	const char *colon = memchr(text, ':', length);
	size_t first = colon == NULL ? length : (size_t)(colon - text);
	unsigned low = 0, high = UINT16_MAX;

	if ((colon == NULL || first > 0) && !number_parse(text, first, UINT16_MAX, &low))
		return false;
	if (colon == NULL)
		high = low;
	else if (first + 1 < length &&
		 !number_parse(colon + 1, length - first - 1, UINT16_MAX, &high))
		return false;
	*ports = (struct interval){ low, high };
	return low <= high;
}

/* A list at commas, each part by `parse`. */
static bool list_parse(struct matching *matching, const char *text,
		       bool (*parse)(const char *text, size_t length, struct interval *interval),
		       struct interval_set *set)
{
	while (true) {
		size_t length = strcspn(text, ",");
		struct interval interval;

		if (!parse(text, length, &interval))
			return false;
		interval_set_add(matching->space->pool, set, interval.low, interval.high);
		if (text[length] == '\0')
			break;
		text += length + 1;
	}
	interval_set_normalise(set);
	return true;
}

/* --- protocols, ports, types ------------------------------------------------------------------- */

static bool protocol_of(const char *text, unsigned *protocol)
{
	uint8_t known;

	if (number_parse(text, strlen(text), UINT8_MAX, protocol))
		return true;
	if (strcmp(text, "icmpv6") == 0)
		text = "ipv6-icmp";
	if (strcmp(text, "ipv6-icmp") == 0) {
		*protocol = PROTOCOL_ICMP6;
		return true;
	}
	if (!protocol_find(text, strlen(text), &known))
		return false;
	*protocol = known;
	return true;
}

static bool read_protocol(struct matching *matching, const struct save_word *argument)
{
	unsigned protocol;

	if (strcmp(argument->text, "all") == 0 || strcmp(argument->text, "0") == 0)
		return meet(matching, import_all());
	if (!protocol_of(argument->text, &protocol))
		return complain(matching, argument, "a protocol");
	return meet(matching, import_value(matching->space, IMPORT_PROTOCOL, protocol));
}

static bool read_ports(struct matching *matching, const struct save_word *argument, bool is_source,
		       bool is_destination)
{
	struct import_space *space = matching->space;
	struct interval_set ports = { 0 };
	import_set set = import_none();

	if (!list_parse(matching, argument->text, ports_parse, &ports))
		return complain(matching, argument, "a list of port numbers");
	if (is_source)
		set = import_values(space, IMPORT_SECOND, &ports);
	if (is_destination)
		set = import_union(space, set, import_values(space, IMPORT_FIRST, &ports));
	return meet(matching, set);
}

static bool read_destination_ports(struct matching *matching, const struct save_word *argument)
{
	return read_ports(matching, argument, false, true);
}

static bool read_source_ports(struct matching *matching, const struct save_word *argument)
{
	return read_ports(matching, argument, true, false);
}

static bool read_either_ports(struct matching *matching, const struct save_word *argument)
{
	return read_ports(matching, argument, true, true);
}

/* "8", "3/1", "any", or a name. */
static bool read_type(struct matching *matching, const struct save_word *argument, unsigned protocol)
{
	struct import_space *space = matching->space;
	size_t length = strcspn(argument->text, "/");
	const struct icmp_name *name = icmp_find(protocol, argument->text, strlen(argument->text));
	unsigned type, code;
	import_set set;

	if (strcmp(argument->text, "any") == 0 || (protocol == PROTOCOL_ICMP &&
						   strcmp(argument->text, "255") == 0))
		return meet(matching, import_all());
	if (name != NULL) {
		set = import_value(space, IMPORT_FIRST, name->type);
		if (name->code >= 0)
			set = import_intersect(space, set, import_value(space, IMPORT_SECOND,
									(uint8_t)name->code));
		return meet(matching, set);
	}
	if (!number_parse(argument->text, length, UINT8_MAX, &type))
		return complain(matching, argument, "a type of ICMP");
	set = import_value(space, IMPORT_FIRST, type);
	if (argument->text[length] == '/') {
		if (!number_parse(argument->text + length + 1, strlen(argument->text + length + 1), UINT8_MAX,
				  &code))
			return complain(matching, argument, "a type and code of ICMP");
		set = import_intersect(space, set, import_value(space, IMPORT_SECOND, code));
	}
	return meet(matching, set);
}

static bool read_icmp_type(struct matching *matching, const struct save_word *argument)
{
	return read_type(matching, argument, PROTOCOL_ICMP);
}

static bool read_icmp6_type(struct matching *matching, const struct save_word *argument)
{
	return read_type(matching, argument, PROTOCOL_ICMP6);
}

static bool read_hop_limit(struct matching *matching, const struct save_word *argument)
{
	unsigned limit;

	if (!number_parse(argument->text, strlen(argument->text), UINT8_MAX, &limit))
		return complain(matching, argument, "a hop limit");
	return meet(matching, import_value(matching->space, IMPORT_HOP_LIMIT, limit));
}

/* --- addresses --------------------------------------------------------------------------------- */

/* "255.255.0.0" -> 16; false: bits that do not lie together. */
static bool mask_parse(const char *text, enum family family, unsigned *length)
{
	const number128 top = family_highest(family);
	struct address mask;

	if (!address_parse(text, strlen(text), &mask) || mask.family != family)
		return false;
	for (*length = 0; *length <= family_bits(family); (*length)++)
		if (mask.value == (*length == 0 ? 0 : top - (top >> (*length - 1) >> 1)))
			return true;
	return false;
}

static bool prefix_of(struct matching *matching, const char *text, size_t length, struct prefix *prefix)
{
	const char *slash = memchr(text, '/', length);
	size_t host = slash == NULL ? length : (size_t)(slash - text);
	char *mask;
	struct address address;

	if (!address_parse(text, host, &address) || address.family != matching->space->family)
		return false;
	*prefix = (struct prefix){ address.family, address.value, family_bits(address.family) };
	if (slash == NULL)
		return true;
	mask = pool_strndup(matching->space->pool, slash + 1, length - host - 1);
	return (number_parse(mask, strlen(mask), family_bits(address.family), &prefix->length) ||
		mask_parse(mask, address.family, &prefix->length));
}

static bool read_addresses(struct matching *matching, const struct save_word *argument, uint32_t field)
{
	struct interval_set set = { 0 };
	const char *text = argument->text;

	while (true) {
		size_t length = strcspn(text, ",");
		struct prefix prefix;
		struct interval interval;

		if (!prefix_of(matching, text, length, &prefix))
			return complain(matching, argument, matching->space->family == FAMILY_IPV4 ?
					"an IPv4 address or prefix" : "an IPv6 address or prefix");
		prefix = prefix_network(&prefix);
		interval = prefix_interval(&prefix);
		interval_set_add(matching->space->pool, &set, interval.low, interval.high);
		if (text[length] == '\0')
			break;
		text += length + 1;
	}
	interval_set_normalise(&set);
	return meet(matching, import_values(matching->space, field, &set));
}

static bool read_source(struct matching *matching, const struct save_word *argument)
{
	return read_addresses(matching, argument, IMPORT_SOURCE);
}

static bool read_destination(struct matching *matching, const struct save_word *argument)
{
	return read_addresses(matching, argument, IMPORT_DESTINATION);
}

static bool read_address_range(struct matching *matching, const struct save_word *argument, uint32_t field)
{
	const char *text = argument->text, *dash = strchr(text, '-');
	size_t length = dash == NULL ? strlen(text) : (size_t)(dash - text);
	struct address low, high;

	if (!address_parse(text, length, &low))
		return complain(matching, argument, "a range of addresses");
	high = low;
	if ((dash != NULL && !address_parse(dash + 1, strlen(dash + 1), &high)) ||
	    low.family != matching->space->family || high.family != low.family || low.value > high.value)
		return complain(matching, argument, "a range of addresses");
	return meet(matching, import_range(matching->space, field, low.value, high.value));
}

static bool read_source_range(struct matching *matching, const struct save_word *argument)
{
	return read_address_range(matching, argument, IMPORT_SOURCE);
}

static bool read_destination_range(struct matching *matching, const struct save_word *argument)
{
	return read_address_range(matching, argument, IMPORT_DESTINATION);
}

/* --- interfaces, kinds of addresses, states ---------------------------------------------------- */

static bool unknown(struct matching *matching)
{
	return meet(matching, import_unknown(matching->space, matching->asked, NULL));
}

static bool read_interface(struct matching *matching, const struct save_word *argument, uint32_t field,
			   bool is_lacking)
{
	size_t length = strlen(argument->text);

	if (strcmp(argument->text, "+") == 0)
		return meet(matching, import_all());
	if (is_lacking)
		return meet(matching, import_none());
	if (length > 0 && argument->text[length - 1] == '+')
		return unknown(matching);
	return meet(matching, import_value(matching->space, field,
					   import_interface(matching->space, argument->text)));
}

static bool read_in(struct matching *matching, const struct save_word *argument)
{
	return read_interface(matching, argument, IMPORT_IN, (matching->lacks & IMPORT_LACKS_IN) != 0);
}

static bool read_out(struct matching *matching, const struct save_word *argument)
{
	return read_interface(matching, argument, IMPORT_OUT, (matching->lacks & IMPORT_LACKS_OUT) != 0);
}

/* A destination that is neither multicast nor the broadcast of all networks, and leads there. */
static import_set route(struct import_space *space, enum import_route route, import_set multicast,
			import_set broadcast)
{
	return import_subtract(space, import_subtract(space, import_value(space, IMPORT_ROUTE, route),
						      multicast), broadcast);
}

static bool read_destination_type(struct matching *matching, const struct save_word *argument)
{
	struct import_space *space = matching->space;
	const bool is_ipv4 = space->family == FAMILY_IPV4;
	const import_set broadcast = is_ipv4 ?
		import_value(space, IMPORT_DESTINATION, UINT32_MAX) : import_none();
	const import_set multicast = is_ipv4 ?
		import_range(space, IMPORT_DESTINATION, 0xe0000000u, 0xefffffffu) :
		import_range(space, IMPORT_DESTINATION, (number128)0xff << 120, family_highest(FAMILY_IPV6));

	if (strcmp(argument->text, "MULTICAST") == 0)
		return meet(matching, multicast);
	if (strcmp(argument->text, "BROADCAST") == 0)
		return meet(matching, import_union(space, broadcast,
						   route(space, IMPORT_BROADCAST, multicast, broadcast)));
	if (strcmp(argument->text, "LOCAL") == 0)
		return meet(matching, route(space, IMPORT_LOCAL, multicast, broadcast));
	if (strcmp(argument->text, "UNICAST") == 0)
		return meet(matching, route(space, IMPORT_ELSEWHERE, multicast, broadcast));
	return unknown(matching);
}

static bool state_parse(const char *text, size_t length, struct interval *state)
{
	static const char *const names[] = {
		[IMPORT_NEW] = "NEW", [IMPORT_ESTABLISHED] = "ESTABLISHED", [IMPORT_RELATED] = "RELATED",
		[IMPORT_UNTRACKED] = "UNTRACKED", [IMPORT_INVALID] = "INVALID",
	};

	for (unsigned index = 0; index < sizeof names / sizeof names[0]; index++)
		if (strlen(names[index]) == length && strncmp(names[index], text, length) == 0) {
			*state = (struct interval){ index, index };
			return true;
		}
	return false;
}

/* SNAT and DNAT are no states but marks of translations. */
static bool read_state(struct matching *matching, const struct save_word *argument)
{
	struct interval_set states = { 0 };

	if (!list_parse(matching, argument->text, state_parse, &states))
		return unknown(matching);
	return meet(matching, import_values(matching->space, IMPORT_STATE, &states));
}

/* --- limits ------------------------------------------------------------------------------------ */

static const char *unit_of(const char *text, size_t length)
{
	static const char *const units[] = { "second", "minute", "hour", "day" };

	for (size_t index = 0; index < sizeof units / sizeof units[0]; index++)
		if (length > 0 && strncmp(units[index], text, length) == 0)
			return units[index];
	return NULL;
}

static bool read_rate(struct matching *matching, const struct save_word *argument)
{
	size_t length = strcspn(argument->text, "/");
	unsigned count;

	if (matching->is_negated || matching->has_limit)
		return unknown(matching);
	if (!number_parse(argument->text, length, UINT16_MAX, &count) || count == 0)
		return complain(matching, argument, "a rate");
	matching->limit.count = pool_strndup(matching->space->pool, argument->text, length);
	matching->limit.unit = argument->text[length] == '\0' ? "second" :
		unit_of(argument->text + length + 1, strlen(argument->text + length + 1));
	if (matching->limit.unit == NULL)
		return complain(matching, argument, "a rate");
	matching->limit.span = matching->asked;
	matching->has_limit = true;
	return true;
}

static bool read_limit_rate(struct matching *matching, const struct save_word *argument)
{
	return read_rate(matching, argument);
}

static bool read_hashlimit_rate(struct matching *matching, const struct save_word *argument)
{
	matching->has_hashlimit = true;
	return read_rate(matching, argument);
}

static bool read_limit_burst(struct matching *matching, const struct save_word *argument)
{
	unsigned burst;

	if (!number_parse(argument->text, strlen(argument->text), UINT16_MAX, &burst) || burst == 0)
		return complain(matching, argument, "a burst");
	matching->limit.burst = argument->text;
	return true;
}

static bool read_hashlimit_mode(struct matching *matching, const struct save_word *argument)
{
	matching->has_mode = true;
	if (strcmp(argument->text, "srcip") != 0)
		return unknown(matching);
	matching->limit.is_per_source = true;
	return true;
}

static bool read_hashlimit_mask(struct matching *matching, const struct save_word *argument)
{
	if (!number_parse(argument->text, strlen(argument->text), family_bits(matching->space->family),
			  &matching->prefix_of_limit))
		return complain(matching, argument, "a prefix length");
	return true;
}

static bool read_hashlimit_name(struct matching *matching, const struct save_word *argument)
{
	matching->limit.table = argument->text;
	return true;
}

/* --- the rest ---------------------------------------------------------------------------------- */

static bool read_nothing(struct matching *matching, const struct save_word *argument)
{
	(void)matching, (void)argument;
	return true;
}

/* Modules whose options say all that they ask; any other may ask something without one. */
static bool read_module(struct matching *matching, const struct save_word *argument)
{
	static const char *const modules[] = {
#define M(module) module,
#include "import/match_modules.def"
#undef M
	};

	for (size_t index = 0; index < sizeof modules / sizeof modules[0]; index++)
		if (strcmp(modules[index], argument->text) == 0) {
			matching->has_limit_module = matching->has_limit_module ||
						     strcmp(argument->text, "limit") == 0;
			return true;
		}
	return unknown(matching);
}

static bool read_comment(struct matching *matching, const struct save_word *argument)
{
	matching->match->comment = argument->text;
	return true;
}

static bool read_target(struct matching *matching, const struct save_word *argument, bool is_goto)
{
	if (matching->match->target != NULL)
		return complain(matching, argument, "the one target that a rule can have");
	matching->match->target = argument;
	matching->match->is_goto = is_goto;
	return true;
}

static bool read_jump(struct matching *matching, const struct save_word *argument)
{
	return read_target(matching, argument, false);
}

static bool read_goto(struct matching *matching, const struct save_word *argument)
{
	return read_target(matching, argument, true);
}

/* Whether `!` before such an option says something. */
static bool can_be_negated(option_reader read)
{
	static const option_reader facts[] = {
		read_nothing, read_comment, read_module, read_jump, read_goto, read_limit_burst,
		read_hashlimit_mode, read_hashlimit_mask, read_hashlimit_name,
	};

	for (size_t index = 0; index < sizeof facts / sizeof facts[0]; index++)
		if (facts[index] == read)
			return false;
	return true;
}

struct option_row {
	const char *option;
	option_reader read;
};

static const struct option_row option_rows[] = {
#define O(option, read) { option, read },
#include "import/match_options.def"
#undef O
};

static int compare_row(const void *key, const void *row)
{
	return strcmp(key, ((const struct option_row *)row)->option);
}

/* Whether the target at hand may have the option. Those that no rule can say are refused with whatever options. */
static bool is_of_target(const struct matching *matching, const char *option)
{
	static const struct {
		const char *target, *prefix;
	} rows[] = {
		{ "LOG", "--log-" }, { "NFLOG", "--nflog-" }, { "REJECT", "--reject-with" }, { "DNAT", "--" },
		{ "SNAT", "--" }, { "MASQUERADE", "--" }, { "REDIRECT", "--" },
	};
	const struct save_word *target = matching->match->target;

	for (size_t index = 0; target != NULL && index < sizeof rows / sizeof rows[0]; index++)
		if (strcmp(target->text, rows[index].target) == 0)
			return strncmp(option, rows[index].prefix, strlen(rows[index].prefix)) == 0;
	return false;
}

/* The words up to the next option, or to what turns one round. */
static size_t end_of_arguments(const struct matching *matching)
{
	size_t at = matching->at;

	for (; at < matching->rule->words_count; at++) {
		const struct save_word *word = &matching->rule->words[at];

		if (!word->is_quoted && (word->text[0] == '-' || strcmp(word->text, "!") == 0))
			break;
	}
	return at;
}

/* "--jum", which iptables takes for --jump: to read it as a match would lose the target. */
static bool is_short_for_target(const char *option)
{
	const size_t length = strlen(option);

	return length > 2 && (strncmp("--jump", option, length) == 0 || strncmp("--goto", option, length) == 0);
}

static bool read_unlisted(struct matching *matching)
{
	const size_t end = end_of_arguments(matching);

	if (matching->option->text[0] != '-' || is_short_for_target(matching->option->text))
		return complain(matching, matching->option, "an option of a rule");
	if (strcmp(matching->option->text, "-c") == 0 && end == matching->at + 2) {
		matching->at = end; /* counters */
		return true;
	}
	matching->asked = span_join(matching->option->span, matching->rule->words[end - 1].span);
	if (matching->is_negated || !is_of_target(matching, matching->option->text)) {
		matching->at = end;
		return unknown(matching);
	}
	for (size_t at = matching->at - 1; at < end; at++)
		*pool_append(matching->space->pool, matching->match, options) = matching->rule->words[at];
	matching->at = end;
	return true;
}

static bool read_option(struct matching *matching)
{
	const struct save_word *words = matching->rule->words;
	const size_t count = matching->rule->words_count;
	const struct option_row *row;

	matching->is_negated = false;
	if (strcmp(words[matching->at].text, "!") == 0 && matching->at + 1 < count) {
		matching->is_negated = true;
		matching->at++;
	}
	matching->option = &words[matching->at++];
	row = bsearch(matching->option->text, option_rows, sizeof option_rows / sizeof option_rows[0],
		      sizeof option_rows[0], compare_row);
	if (row == NULL || matching->option->is_quoted)
		return read_unlisted(matching);
	if (matching->at == count) {
		diag_add(matching->diags, CODE_IPTABLES_LINE, matching->option->span,
			 "'%s' lacks its argument", matching->option->text);
		return false;
	}
	matching->asked = span_join(matching->option->span, words[matching->at].span);
	if (matching->is_negated && !can_be_negated(row->read))
		return complain(matching, matching->option, "an option that can be turned round");
	return row->read(matching, &words[matching->at++]);
}

/* An IPv6 source is counted with its /64 in this language. */
static void settle_limit(struct matching *matching)
{
	const unsigned wanted = matching->space->family == FAMILY_IPV4 ? 32 : 64;

	if (!matching->has_limit && !matching->has_limit_module)
		return;
	if (!matching->has_limit) { /* what libxt_limit gives without an option */
		matching->limit.count = "3";
		matching->limit.unit = "hour";
		matching->limit.span = matching->rule->span;
	}
	matching->asked = matching->limit.span;
	if (matching->has_hashlimit &&
	    (!matching->has_mode || matching->prefix_of_limit != wanted || matching->has_limit_module)) {
		unknown(matching);
		return;
	}
	if (matching->limit.burst == NULL)
		matching->limit.burst = "5";
	matching->match->limit = pool_new(matching->space->pool, struct import_limit);
	*(struct import_limit *)matching->match->limit = matching->limit;
}

bool import_match_read(struct import_space *space, struct diags *diags, const struct save_rule *rule,
		       unsigned lacks, struct import_match *match)
{
	struct matching matching = {
		.space = space, .diags = diags, .rule = rule, .match = match, .lacks = lacks,
		.prefix_of_limit = family_bits(space->family),
	};

	*match = (struct import_match){ .set = import_all() };
	while (matching.at < rule->words_count)
		if (!read_option(&matching))
			return false;
	settle_limit(&matching);
	return true;
}
