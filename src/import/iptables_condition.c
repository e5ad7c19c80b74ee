/* One row an option: what it asks and of which field. Malformed arguments are not known; the first reading has told
 * of them. */
#include "import/iptables_condition.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "target/nft/walk/rule.h"

#define ICMP_HIGHEST UINT8_MAX
#define NUMBER_DIGITS 5
#define BURST_UNSAID 5
#define RATE_UNSAID "3/hour"

struct limiting {
	bool is_meant; /* the module stands there: 3/hour without an option */
	const char *rate, *burst, *name, *mode;
	unsigned source_bits; /* of a source that share one */
	bool is_hashed;
};

struct asking {
	const struct iptables_reading *reading;
	const struct save_rule *rule;
	struct iptables_condition condition;
	struct limiting limiting;
	const struct save_word *option;
	bool is_known; /* of the option at hand */
};

/* --- predicates -------------------------------------------------------------------------------------- */

static diagram values_of(const struct asking *run, enum walk_field field, const struct interval_set *values,
			 number128 highest)
{
	struct walk_space *space = run->reading->walk->space;

	return walk_choose(space, walk_rank(space, field), values, highest, WALK_PREDICATE_TRUE,
			   WALK_PREDICATE_FALSE);
}

static diagram span_of(const struct asking *run, enum walk_field field, number128 low, number128 high,
		       number128 highest)
{
	struct interval item = { low, high };

	return values_of(run, field, &(struct interval_set){ &item, 1, 1 }, highest);
}

static diagram inverse(const struct asking *run, diagram predicate)
{
	return walk_minus(run->reading->walk, WALK_PREDICATE_TRUE, predicate);
}

static void meet(struct asking *run, diagram predicate)
{
	run->condition.holds = walk_and(run->reading->walk, run->condition.holds, predicate);
}

/* A condition of its own, called after what stands there. */
static diagram unknown(struct asking *run)
{
	struct walk_space *space = run->reading->walk->space;
	const char *name = pool_format(run->reading->pool, "'%s' of %s, byte %u", run->option->text,
				       span_place(run->reading->pool, run->reading->sources, run->rule->span),
				       (unsigned)(run->option->span.begin - run->rule->span.begin));
	const uint32_t rank = walk_unknown(space, name, 1);

	walk_unknown_is_unclear(space, rank);
	return walk_choose_one(space, rank, 1, 1, WALK_PREDICATE_TRUE, WALK_PREDICATE_FALSE);
}

static diagram fail(struct asking *run)
{
	run->is_known = false;
	return WALK_PREDICATE_TRUE;
}

/* --- words -------------------------------------------------------------------------------------------- */

static bool number_of(const char *text, size_t length, unsigned most, unsigned *number)
{
	char *end;

	if (length == 0 || length > NUMBER_DIGITS || strspn(text, "0123456789") < length)
		return false;
	*number = (unsigned)strtoul(text, &end, 10);
	return *number <= most;
}

/* The parts of a list at commas, one after the other. */
static const char *next_part(const char **list, size_t *length)
{
	const char *part = *list;

	if (part == NULL)
		return NULL;
	*length = strcspn(part, ",");
	*list = part[*length] == ',' ? part + *length + 1 : NULL;
	return part;
}

/* --- what options ask --------------------------------------------------------------------------------- */

static diagram ask_protocol(struct asking *run, const char *argument, enum walk_field field)
{
	unsigned number;
	uint8_t known;

	if (strcmp(argument, "all") == 0 || strcmp(argument, "0") == 0)
		return WALK_PREDICATE_TRUE;
	if (strcmp(argument, "icmpv6") == 0 || strcmp(argument, "ipv6-icmp") == 0)
		number = PROTOCOL_ICMP6;
	else if (protocol_find(argument, strlen(argument), &known))
		number = known;
	else if (!number_of(argument, strlen(argument), UINT8_MAX, &number))
		return fail(run);
	return span_of(run, field, number, number, UINT8_MAX);
}

static diagram ask_ports(struct asking *run, const char *argument, enum walk_field field)
{
	struct interval_set ports = { 0 };
	size_t length;

	for (const char *list = argument, *part; (part = next_part(&list, &length)) != NULL;) {
		const char *colon = memchr(part, ':', length);
		const size_t before = colon == NULL ? length : (size_t)(colon - part);
		const size_t behind = colon == NULL ? 0 : length - before - 1;
		unsigned low = 0, high = UINT16_MAX;

		if (before > 0 && !number_of(part, before, UINT16_MAX, &low))
			return fail(run);
		if (behind > 0 && !number_of(colon + 1, behind, UINT16_MAX, &high))
			return fail(run);
		if (colon == NULL)
			high = low;
		if (length == 0 || low > high)
			return fail(run);
		interval_set_add(run->reading->pool, &ports, low, high);
	}
	interval_set_normalise(&ports);
	return values_of(run, field, &ports, UINT16_MAX);
}

static diagram ask_either_port(struct asking *run, const char *argument, enum walk_field field)
{
	return walk_or(run->reading->walk, ask_ports(run, argument, field), ask_ports(run, argument, WALK_SECOND));
}

static diagram type_of(const struct asking *run, unsigned type, int code)
{
	const diagram kind = span_of(run, WALK_FIRST, type, type, ICMP_HIGHEST);

	if (code < 0)
		return kind;
	return walk_and(run->reading->walk, kind,
			span_of(run, WALK_SECOND, (unsigned)code, (unsigned)code, ICMP_HIGHEST));
}

static diagram ask_type(struct asking *run, const char *argument, enum walk_field field)
{
	const unsigned protocol = run->reading->family == FAMILY_IPV4 ? PROTOCOL_ICMP : PROTOCOL_ICMP6;
	const struct icmp_name *name = icmp_find(protocol, argument, strlen(argument));
	const size_t length = strcspn(argument, "/");
	unsigned type, code = 0;

	(void)field;
	if (strcmp(argument, "any") == 0 || (protocol == PROTOCOL_ICMP && strcmp(argument, "255") == 0))
		return WALK_PREDICATE_TRUE;
	if (name != NULL)
		return type_of(run, name->type, name->code);
	if (!number_of(argument, length, UINT8_MAX, &type))
		return fail(run);
	if (argument[length] == '\0')
		return type_of(run, type, -1);
	if (!number_of(argument + length + 1, strlen(argument + length + 1), UINT8_MAX, &code))
		return fail(run);
	return type_of(run, type, (int)code);
}

/* The bits of "24" or "255.255.255.0"; false: zeros lie between the ones. */
static bool prefix_bits(const struct asking *run, const char *text, unsigned *bits)
{
	const enum family family = run->reading->family;
	struct address mask;
	number128 hosts;

	if (number_of(text, strlen(text), family_bits(family), bits))
		return true;
	if (!address_parse(text, strlen(text), &mask) || mask.family != family)
		return false;
	hosts = family_highest(family) & ~mask.value;
	for (*bits = family_bits(family); hosts != 0 && (hosts & 1) != 0; hosts >>= 1)
		(*bits)--;
	return hosts == 0;
}

static bool network_of(const struct asking *run, const char *part, size_t length, struct interval *network)
{
	const char *text = pool_strndup(run->reading->pool, part, length), *slash = strchr(text, '/');
	const size_t host = slash == NULL ? length : (size_t)(slash - text);
	const number128 top = family_highest(run->reading->family);
	unsigned bits = family_bits(run->reading->family);
	struct address address;
	number128 rest;

	if (!address_parse(text, host, &address) || address.family != run->reading->family ||
	    (slash != NULL && !prefix_bits(run, slash + 1, &bits)))
		return false;
	rest = bits == family_bits(run->reading->family) ? 0 : top >> bits;
	*network = (struct interval){ address.value & ~rest, address.value | rest };
	return true;
}

static diagram ask_addresses(struct asking *run, const char *argument, enum walk_field field)
{
	struct interval_set set = { 0 };
	size_t length;

	for (const char *list = argument, *part; (part = next_part(&list, &length)) != NULL;) {
		struct interval network;

		if (!network_of(run, part, length, &network))
			return fail(run);
		interval_set_add(run->reading->pool, &set, network.low, network.high);
	}
	interval_set_normalise(&set);
	return values_of(run, field, &set, family_highest(run->reading->family));
}

static diagram ask_range(struct asking *run, const char *argument, enum walk_field field)
{
	const char *dash = strchr(argument, '-');
	struct address low, high;

	if (!address_parse(argument, dash == NULL ? strlen(argument) : (size_t)(dash - argument), &low))
		return fail(run);
	high = low;
	if (dash != NULL && !address_parse(dash + 1, strlen(dash + 1), &high))
		return fail(run);
	if (low.family != run->reading->family || high.family != low.family || high.value < low.value)
		return fail(run);
	return span_of(run, field, low.value, high.value, family_highest(low.family));
}

/* "eth+" is every name that begins so; a packet without an interface has the name "". */
static diagram ask_interface(struct asking *run, const char *argument, enum walk_field field)
{
	const size_t length = strlen(argument);
	const unsigned open = length == 0 || length > 16 ? 0 : 8 * (unsigned)(16 - (length - 1));
	number128 number;

	if (length == 0 || argument[length - 1] != '+') {
		number = walk_number_of_name(argument);
		return span_of(run, field, number, number, DIAGRAM_HIGHEST);
	}
	if (length == 1)
		return WALK_PREDICATE_TRUE;
	if (length > 16)
		return fail(run);
	number = walk_number_of_name(pool_strndup(run->reading->pool, argument, length - 1));
	return span_of(run, field, number, number | (((number128)1 << open) - 1), DIAGRAM_HIGHEST);
}

struct word_row {
	const char *word;
	unsigned value;
};

static bool word_value(const struct word_row *rows, size_t count, const char *word, size_t length,
		       unsigned *value)
{
	for (size_t index = 0; index < count; index++)
		if (strlen(rows[index].word) == length && memcmp(rows[index].word, word, length) == 0) {
			*value = rows[index].value;
			return true;
		}
	return false;
}

static diagram ask_state(struct asking *run, const char *argument, enum walk_field field)
{
	static const struct word_row states[] = {
		{ "NEW", WALK_NEW }, { "ESTABLISHED", WALK_ESTABLISHED }, { "RELATED", WALK_RELATED },
		{ "UNTRACKED", WALK_UNTRACKED }, { "INVALID", WALK_INVALID },
	};
	struct interval_set set = { 0 };
	size_t length;
	unsigned state;

	for (const char *list = argument, *part; (part = next_part(&list, &length)) != NULL;) {
		if (!word_value(states, sizeof states / sizeof states[0], part, length, &state))
			return fail(run);
		interval_set_add(run->reading->pool, &set, state, state);
	}
	interval_set_normalise(&set);
	return values_of(run, field, &set, walk_highest(field));
}

static diagram ask_route(struct asking *run, const char *argument, enum walk_field field)
{
	static const struct word_row routes[] = {
		{ "LOCAL", RTN_LOCAL }, { "UNICAST", RTN_UNICAST }, { "BROADCAST", RTN_BROADCAST },
		{ "MULTICAST", RTN_MULTICAST },
	};
	unsigned route;

	if (!word_value(routes, sizeof routes / sizeof routes[0], argument, strlen(argument), &route))
		return fail(run);
	return span_of(run, field, route, route, walk_highest(field));
}

static diagram ask_hop_limit(struct asking *run, const char *argument, enum walk_field field)
{
	unsigned limit;

	if (!number_of(argument, strlen(argument), UINT8_MAX, &limit))
		return fail(run);
	return span_of(run, field, limit, limit, UINT8_MAX);
}

static diagram ask_nothing(struct asking *run, const char *argument, enum walk_field field)
{
	(void)run, (void)argument, (void)field;
	return WALK_PREDICATE_TRUE;
}

/* Modules that only bring options, each of which asks for itself. */
static diagram ask_module(struct asking *run, const char *argument, enum walk_field field)
{
	static const char *const silent[] = {
		"addrtype", "comment", "conntrack", "dccp", "hashlimit", "hl", "icmp", "icmp6", "icmpv6", "iprange",
		"limit", "multiport", "sctp", "state", "tcp", "udp", "udplite",
	};

	(void)field;
	for (size_t index = 0; index < sizeof silent / sizeof silent[0]; index++)
		if (strcmp(silent[index], argument) == 0) {
			run->limiting.is_meant |= strcmp(argument, "limit") == 0;
			return WALK_PREDICATE_TRUE;
		}
	return fail(run);
}

/* --- limits ------------------------------------------------------------------------------------------- */

static diagram ask_rate(struct asking *run, const char *argument, enum walk_field field)
{
	(void)field;
	if (run->limiting.rate != NULL)
		return fail(run);
	run->limiting.rate = argument;
	return WALK_PREDICATE_TRUE;
}

static diagram ask_hashed_rate(struct asking *run, const char *argument, enum walk_field field)
{
	run->limiting.is_hashed = true;
	return ask_rate(run, argument, field);
}

static diagram ask_burst(struct asking *run, const char *argument, enum walk_field field)
{
	(void)field;
	run->limiting.burst = argument;
	return WALK_PREDICATE_TRUE;
}

static diagram ask_limit_name(struct asking *run, const char *argument, enum walk_field field)
{
	(void)field;
	run->limiting.name = argument;
	return WALK_PREDICATE_TRUE;
}

static diagram ask_limit_mode(struct asking *run, const char *argument, enum walk_field field)
{
	(void)field;
	run->limiting.mode = argument;
	return WALK_PREDICATE_TRUE;
}

static diagram ask_limit_mask(struct asking *run, const char *argument, enum walk_field field)
{
	(void)field;
	return number_of(argument, strlen(argument), family_bits(run->reading->family),
			 &run->limiting.source_bits) ? WALK_PREDICATE_TRUE : fail(run);
}

static bool rate_of(const char *text, struct walk_limit *limit)
{
	static const struct word_row units[] = {
		{ "second", 1 }, { "minute", 60 }, { "hour", 3600 }, { "day", 86400 },
	};
	const size_t digits = strspn(text, "0123456789");
	const char *unit = text[digits] == '/' ? text + digits + 1 : "second";
	unsigned rate;

	if (!number_of(text, digits, UINT16_MAX, &rate) || (text[digits] != '/' && text[digits] != '\0'))
		return false;
	limit->rate = rate;
	for (size_t index = 0; index < sizeof units / sizeof units[0] && limit->unit_s == 0; index++)
		if (unit[0] != '\0' && strncmp(units[index].word, unit, strlen(unit)) == 0)
			limit->unit_s = units[index].value;
	return limit->unit_s != 0;
}

/* Hashed limits of one name share their buckets, whichever rule asks; all others are a rule's own. */
static const char *limit_name(const struct asking *run)
{
	void *pool = run->reading->pool;

	if (run->limiting.is_hashed && run->limiting.name != NULL)
		return pool_format(pool, "the hashlimit '%s' of IPv%c", run->limiting.name,
				   run->reading->family == FAMILY_IPV4 ? '4' : '6');
	return pool_format(pool, "the limit of %s", span_place(pool, run->reading->sources, run->rule->span));
}

static void meet_limit(struct asking *run)
{
	struct walk_space *space = run->reading->walk->space;
	const struct limiting *limiting = &run->limiting;
	struct walk_limit *limit = pool_new(run->reading->pool, struct walk_limit);
	const char *burst = limiting->burst, *rate = limiting->rate;
	unsigned number = BURST_UNSAID;

	if (rate == NULL && !limiting->is_meant)
		return;
	if (rate == NULL)
		rate = RATE_UNSAID;
	*limit = (struct walk_limit){ .type = NFT_LIMIT_PKTS, .is_per_key = limiting->is_hashed,
				      .name = limit_name(run) };
	if (!rate_of(rate, limit) || (limiting->is_meant && limiting->is_hashed) ||
	    (burst != NULL && !number_of(burst, strlen(burst), UINT16_MAX, &number))) {
		run->option = run->rule->words;
		meet(run, unknown(run));
		return;
	}
	limit->burst = number;
	if (limiting->mode != NULL && strcmp(limiting->mode, "srcip") == 0) {
		limit->key_family = (uint8_t)(1u << run->reading->family);
		limit->key_bits = limiting->source_bits;
	}
	meet(run, walk_choose_one(space, walk_limit(space, limit->name, limit), 1, 1, WALK_PREDICATE_TRUE,
				  WALK_PREDICATE_FALSE));
}

/* --- options ------------------------------------------------------------------------------------------ */

struct option_row {
	const char *option;
	diagram (*ask)(struct asking *run, const char *argument, enum walk_field field);
	enum walk_field field;
};

static const struct option_row option_rows[] = {
	{ "--comment", ask_nothing, WALK_FIELDS },
	{ "--ctstate", ask_state, WALK_STATE },
	{ "--destination", ask_addresses, WALK_DESTINATION },
	{ "--destination-port", ask_ports, WALK_FIRST },
	{ "--destination-ports", ask_ports, WALK_FIRST },
	{ "--dport", ask_ports, WALK_FIRST },
	{ "--dports", ask_ports, WALK_FIRST },
	{ "--dst", ask_addresses, WALK_DESTINATION },
	{ "--dst-range", ask_range, WALK_DESTINATION },
	{ "--dst-type", ask_route, WALK_ROUTE },
	{ "--hashlimit", ask_hashed_rate, WALK_FIELDS },
	{ "--hashlimit-burst", ask_burst, WALK_FIELDS },
	{ "--hashlimit-htable-expire", ask_nothing, WALK_FIELDS },
	{ "--hashlimit-htable-gcinterval", ask_nothing, WALK_FIELDS },
	{ "--hashlimit-htable-max", ask_nothing, WALK_FIELDS },
	{ "--hashlimit-htable-size", ask_nothing, WALK_FIELDS },
	{ "--hashlimit-mode", ask_limit_mode, WALK_FIELDS },
	{ "--hashlimit-name", ask_limit_name, WALK_FIELDS },
	{ "--hashlimit-srcmask", ask_limit_mask, WALK_FIELDS },
	{ "--hashlimit-upto", ask_hashed_rate, WALK_FIELDS },
	{ "--hl-eq", ask_hop_limit, WALK_HOP_LIMIT },
	{ "--icmp-type", ask_type, WALK_FIRST },
	{ "--icmpv6-type", ask_type, WALK_FIRST },
	{ "--in-interface", ask_interface, WALK_IN },
	{ "--limit", ask_rate, WALK_FIELDS },
	{ "--limit-burst", ask_burst, WALK_FIELDS },
	{ "--match", ask_module, WALK_FIELDS },
	{ "--out-interface", ask_interface, WALK_OUT },
	{ "--ports", ask_either_port, WALK_FIRST },
	{ "--proto", ask_protocol, WALK_PROTOCOL },
	{ "--protocol", ask_protocol, WALK_PROTOCOL },
	{ "--source", ask_addresses, WALK_SOURCE },
	{ "--source-port", ask_ports, WALK_SECOND },
	{ "--source-ports", ask_ports, WALK_SECOND },
	{ "--sport", ask_ports, WALK_SECOND },
	{ "--sports", ask_ports, WALK_SECOND },
	{ "--src", ask_addresses, WALK_SOURCE },
	{ "--src-range", ask_range, WALK_SOURCE },
	{ "--state", ask_state, WALK_STATE },
	{ "-d", ask_addresses, WALK_DESTINATION },
	{ "-i", ask_interface, WALK_IN },
	{ "-m", ask_module, WALK_FIELDS },
	{ "-o", ask_interface, WALK_OUT },
	{ "-p", ask_protocol, WALK_PROTOCOL },
	{ "-s", ask_addresses, WALK_SOURCE },
};

static int compare_row(const void *key, const void *row)
{
	return strcmp(key, ((const struct option_row *)row)->option);
}

static bool is_option(const struct save_word *word)
{
	return !word->is_quoted && (word->text[0] == '-' || strcmp(word->text, "!") == 0);
}

static size_t end_of_arguments(const struct save_rule *rule, size_t at)
{
	while (at < rule->words_count && !is_option(&rule->words[at]))
		at++;
	return at;
}

/* Options that these targets have; those of all other targets are never asked for here. */
static bool is_of_target(const struct asking *run, const char *option)
{
	static const struct {
		const char *target, *prefix;
	} rows[] = {
		{ "REJECT", "--reject-with" }, { "LOG", "--log-" }, { "NFLOG", "--nflog-" }, { "DNAT", "--" },
		{ "SNAT", "--" }, { "MASQUERADE", "--" },
	};

	for (size_t index = 0; run->condition.target != NULL && index < sizeof rows / sizeof rows[0]; index++)
		if (strcmp(run->condition.target->text, rows[index].target) == 0 &&
		    strncmp(option, rows[index].prefix, strlen(rows[index].prefix)) == 0)
			return true;
	return false;
}

/* The number of the word behind the option and its arguments. */
static size_t read_option(struct asking *run, size_t at, bool is_negated)
{
	const struct save_rule *rule = run->rule;
	const char *text = rule->words[at].text;
	const struct option_row *row = bsearch(text, option_rows, sizeof option_rows / sizeof option_rows[0],
					       sizeof option_rows[0], compare_row);
	size_t end = end_of_arguments(rule, at + 1);
	diagram predicate = WALK_PREDICATE_TRUE;

	run->option = &rule->words[at];
	if (row == NULL && !is_negated && is_of_target(run, text)) {
		for (; at < end; at++)
			*pool_append(run->reading->pool, &run->condition, options) = rule->words[at];
		return end;
	}
	if (strcmp(text, "-c") == 0 && end == at + 3)
		return end; /* counters */
	run->is_known = row != NULL && !run->option->is_quoted && at + 1 < rule->words_count;
	if (run->is_known) {
		predicate = row->ask(run, rule->words[at + 1].text, row->field);
		end = at + 2;
	}
	if (!run->is_known)
		predicate = unknown(run);
	meet(run, is_negated ? inverse(run, predicate) : predicate);
	return end;
}

/* Long options may be cut short, as long as one letter is there. */
static bool is_called(const char *text, const char *letter, const char *word)
{
	return strcmp(text, letter) == 0 || (strlen(text) > 2 && strncmp(word, text, strlen(text)) == 0);
}

static bool is_jump(const char *text)
{
	return is_called(text, "-j", "--jump");
}

static bool is_goto(const char *text)
{
	return is_called(text, "-g", "--goto");
}

struct iptables_condition iptables_condition_read(const struct iptables_reading *reading,
						  const struct save_rule *rule)
{
	struct asking run = {
		.reading = reading, .rule = rule, .condition = { .holds = WALK_PREDICATE_TRUE },
		.limiting = { .source_bits = family_bits(reading->family) },
	};

	for (size_t at = 0; at < rule->words_count;) {
		const struct save_word *word = &rule->words[at];
		const bool is_negated = strcmp(word->text, "!") == 0 && !word->is_quoted &&
					at + 1 < rule->words_count;

		if ((is_jump(word->text) || is_goto(word->text)) && at + 1 < rule->words_count) {
			run.condition.target = &rule->words[at + 1];
			run.condition.is_goto = is_goto(word->text);
			at += 2;
			continue;
		}
		at = read_option(&run, at + (is_negated ? 1 : 0), is_negated);
	}
	meet_limit(&run);
	return run.condition;
}

const char *iptables_condition_option(const struct iptables_condition *condition, const char *option)
{
	for (size_t index = 0; index + 1 < condition->options_count; index++)
		if (strcmp(condition->options[index].text, option) == 0)
			return condition->options[index + 1].text;
	return NULL;
}
