#include "target/nft/prove/packet.h"

#include <linux/netfilter.h>
#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "net/week.h"
#include "target/nft/walk/value.h"

#define SECONDS_A_MINUTE 60
#define NANOSECONDS ((number128)1000000000)
#define PORT_OF_A_CLIENT 49152
#define PORT_OF_A_SERVER 443
#define TCP_SYN 2

/* One value for each field: of the way to the difference where it was asked, else an ordinary one. */
struct values {
	number128 of[WALK_FIELDS];
	bool is_asked[WALK_FIELDS];
};

/* --- choosing --------------------------------------------------------------------------------------- */

static bool holds(const struct diagram_step *step, number128 value)
{
	return value >= step->low && value <= step->high;
}

/* The lowest name with a letter behind it: between two names of the policy there is mostly such a one. */
static number128 longer_name(const struct diagram_step *step)
{
	static const uint8_t letters[] = { '0', '-', '!' }; /* "eth0-" stands between "eth0" and "eth0.7" */
	unsigned shift = 120;
	while (shift > 8 && (uint8_t)(step->low >> shift) != 0)
		shift -= 8;
	for (size_t i = 0; i < sizeof letters && shift > 8; i++) {
		number128 name = (step->low >> shift | letters[i]) << shift;
		if (holds(step, name))
			return name;
	}
	return step->low;
}

static number128 choose_name(const struct diagram_step *step)
{
	static const char *const ordinary[] = { "eth0", "eth1", "lan0", "wan0", "lo" };
	for (size_t i = 0; i < sizeof ordinary / sizeof ordinary[0]; i++)
		if (holds(step, walk_number_of_name(ordinary[i])))
			return walk_number_of_name(ordinary[i]);
	return longer_name(step);
}

number128 prove_packet_ordinary(enum walk_field field)
{
	static const number128 ordinary[WALK_FIELDS] = {
		[WALK_STATE] = WALK_NEW, [WALK_PROTOCOL] = PROTOCOL_TCP, [WALK_FIRST] = PORT_OF_A_SERVER,
		[WALK_SECOND] = PORT_OF_A_CLIENT, [WALK_SOURCE] = 0xc0000201u, [WALK_DESTINATION] = 0xc6336401u,
		[WALK_HOP_LIMIT] = 64, [WALK_TCP_FLAGS] = TCP_SYN,
	};
	return field == WALK_IN || field == WALK_OUT ? walk_number_of_name("eth0") : ordinary[field];
}

/* The same for packets of IPv6: addresses for documents (RFC 3849). */
static number128 ordinary_ipv6(enum walk_field field)
{
	const number128 documents = (number128)0x20010db8 << 96;
	return field == WALK_SOURCE ? documents | 1 : field == WALK_DESTINATION ? documents | 2 : 0;
}

static number128 ordinary_of(const struct values *values, enum walk_field field)
{
	bool is_address = field == WALK_SOURCE || field == WALK_DESTINATION;
	if (is_address && values->of[WALK_FAMILY] == FAMILY_IPV6)
		return ordinary_ipv6(field);
	return field == WALK_HELPER ? 0 : prove_packet_ordinary(field);
}

static number128 choose_value(const struct values *values, enum walk_field field, const struct diagram_step *step)
{
	if (step->low == step->high)
		return step->low;
	if (field == WALK_IN || field == WALK_OUT || field == WALK_HELPER)
		return choose_name(step);
	bool is_icmp = values->of[WALK_PROTOCOL] == PROTOCOL_ICMP || values->of[WALK_PROTOCOL] == PROTOCOL_ICMP6;
	bool is_port = field == WALK_FIRST || field == WALK_SECOND;
	number128 ordinary = is_port && is_icmp ? 0 : ordinary_of(values, field); /* types and codes have 8 bits */
	return holds(step, ordinary) ? ordinary : step->low;
}

/* The way asks the family before anything that depends on it. */
static struct values choose_values(const struct prove_difference *difference)
{
	struct values values = { 0 };
	for (size_t i = 0; i < difference->way->steps_count; i++) {
		const struct diagram_step *step = &difference->way->steps[i];
		enum walk_field field = walk_field_of_rank(difference->space, step->field);
		if (field == WALK_FIELDS)
			continue;
		values.of[field] = choose_value(&values, field, step);
		values.is_asked[field] = true;
	}
	for (unsigned field = 0; field < WALK_FIELDS; field++)
		if (!values.is_asked[field] && field != WALK_IN && field != WALK_OUT)
			values.of[field] = ordinary_of(&values, (enum walk_field)field);
	return values;
}

/* --- printing --------------------------------------------------------------------------------------- */

static void print_name(struct text *out, const char *word, number128 number)
{
	const char *name = walk_name_of_number(out->pool, number);
	if (number == 0)
		return;
	text_addf(out, " %s ", word);
	for (; *name != '\0'; name++) /* a name between two others can have any bytes */
		text_add_char(out, *name > ' ' && *name <= '~' ? *name : '?');
}

static void print_address(struct text *out, enum family family, number128 value)
{
	const struct address address = { family, value };
	address_format(out, &address);
}

static void print_ends(struct text *out, const struct values *values)
{
	enum family family = values->of[WALK_FAMILY] == FAMILY_IPV6 ? FAMILY_IPV6 : FAMILY_IPV4;
	unsigned protocol = (unsigned)values->of[WALK_PROTOCOL];
	bool has_ports = protocol_has_ports(protocol);
	text_add_char(out, ' ');
	print_address(out, family, values->of[WALK_SOURCE]);
	if (has_ports)
		text_addf(out, " port %u", (unsigned)values->of[WALK_SECOND]);
	text_add(out, " to ");
	print_address(out, family, values->of[WALK_DESTINATION]);
	if (has_ports)
		text_addf(out, " port %u", (unsigned)values->of[WALK_FIRST]);
	else if (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6)
		text_addf(out, " type %u code %u", (unsigned)values->of[WALK_FIRST] & UINT8_MAX,
			  (unsigned)(values->is_asked[WALK_SECOND] ? values->of[WALK_SECOND] & UINT8_MAX : 0));
}

static void print_protocol(struct text *out, unsigned protocol)
{
	const char *name = protocol_name((uint8_t)protocol);
	if (name != NULL)
		text_add(out, name);
	else
		text_addf(out, "protocol %u", protocol);
}

/* Fields beside the five-tuple, where the difference depends on them. */
static void print_rest(struct text *out, const struct prove_difference *difference, const struct values *values)
{
	static const enum walk_field numbers[] = { WALK_TCP_FLAGS, WALK_HOP_LIMIT, WALK_TRANSLATED,
						   WALK_ORIGINAL_PORT, WALK_ROUTE };
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (values->is_asked[numbers[i]])
			text_addf(out, ", %s %llu", walk_field_name(numbers[i]),
				  (unsigned long long)values->of[numbers[i]]);
	if (values->is_asked[WALK_WEEK]) {
		text_add(out, ", on ");
		week_format(out, (unsigned)values->of[WALK_WEEK]);
		text_add(out, " UTC");
	}
	if (values->is_asked[WALK_ORIGINAL_DESTINATION]) {
		text_add(out, ", before translation to ");
		print_address(out, values->of[WALK_FAMILY] == FAMILY_IPV6 ? FAMILY_IPV6 : FAMILY_IPV4,
			      values->of[WALK_ORIGINAL_DESTINATION]);
	}
	if (values->is_asked[WALK_HELPER] && values->of[WALK_HELPER] != 0)
		print_name(out, "of helper", values->of[WALK_HELPER]);
	for (size_t i = 0; i < difference->way->steps_count; i++) {
		const struct diagram_step *step = &difference->way->steps[i];
		const struct walk_unknown *unknown = walk_unknown_of_rank(difference->space, step->field);
		if (unknown != NULL)
			text_addf(out, ", where %s is %llu", unknown->name, (unsigned long long)step->low);
	}
}

static const char *packet_text(void *pool, const struct prove_difference *difference, const struct values *values)
{
	static const char *const states[WALK_STATES] = {
		[WALK_INVALID] = "invalid", [WALK_ESTABLISHED] = "established", [WALK_RELATED] = "related",
		[WALK_NEW] = "new", [WALK_UNTRACKED] = "untracked",
	};
	struct text *out = text_new(pool);
	print_protocol(out, (unsigned)values->of[WALK_PROTOCOL]);
	print_ends(out, values);
	print_name(out, "in by", values->of[WALK_IN]);
	print_name(out, "out by", values->of[WALK_OUT]);
	if (values->is_asked[WALK_STATE])
		text_addf(out, ", %s", states[values->of[WALK_STATE]]);
	print_rest(out, difference, values);
	return out->bytes;
}

/* --- what each side says ---------------------------------------------------------------------------- */

static void print_outcome(struct text *out, const struct wanted_leaf *wanted)
{
	static const char *const words[] = {
		[VERDICT_ALLOW] = "accepted", [VERDICT_DENY] = "dropped",
		[VERDICT_REJECT] = "rejected as administratively prohibited",
	};
	const struct outcome *outcome = wanted->outcome;
	text_add(out, wanted->is_reset ? "rejected with a tcp reset" : words[outcome->verdict]);
	if (outcome->limit != NULL)
		text_addf(out, " up to %llu packets in %u s%s, else dropped",
			  (unsigned long long)outcome->limit->rate,
			  outcome->limit->unit_s, outcome->limit->is_per_source ? " per source" : "");
	if (outcome->has_log)
		text_add(out, ", logged");
	if (outcome->has_count)
		text_add(out, ", counted");
	if (outcome->helper != NULL)
		text_addf(out, ", followed by helper '%s'", outcome->helper);
}

static void print_translation(struct text *out, const struct wanted_leaf *wanted)
{
	const struct translation *source = wanted->translation;
	if (source->kind == TRANSLATION_MASQUERADE) {
		text_add(out, "masqueraded");
		return;
	}
	bool is_forward = source->kind == TRANSLATION_FORWARD;
	text_addf(out, "translated, its %s becomes ", is_forward ? "destination" : "source");
	address_format(out, is_forward ? &source->host[wanted->family] : &source->as[wanted->family]);
	if (is_forward && source->port != 0)
		text_addf(out, " port %u", source->port);
}

const char *prove_wanted_text(void *pool, const struct wanted_leaf *wanted)
{
	struct text *out = text_new(pool);
	switch (wanted->kind) {
	case WANTED_NOTHING:
		text_add(out, "left as it is");
		break;
	case WANTED_IMPOSSIBLE:
		text_add(out, "never seen here");
		break;
	case WANTED_PASS:
		text_add(out, "accepted, as always");
		break;
	case WANTED_INVALID:
		text_add(out, "dropped and counted");
		break;
	case WANTED_RULE:
		print_outcome(out, wanted);
		break;
	case WANTED_TRANSLATION:
		print_translation(out, wanted);
		break;
	case WANTED_UNTRACKED:
		text_add(out, "not tracked");
		break;
	case WANTED_TRACKED:
		text_add(out, "tracked");
		break;
	}
	return out->bytes;
}

#define LIMITS_TOLD 4 /* of one packet */

/* With room in a limit first, then beyond it. */
static void print_found(struct text *out, const struct prove_difference *difference, diagram at, unsigned level)
{
	const struct diagrams *diagrams = difference->space->diagrams;
	if (diagram_is_leaf(at)) {
		walk_leaf_print(out, walk_leaf_at(difference->leaves, at));
		return;
	}
	if (level == LIMITS_TOLD) {
		text_add(out, "subject to more limits");
		return;
	}
	const struct walk_unknown *field =
		walk_unknown_of_rank(difference->space, diagram_field(diagrams, at));
	struct diagram_edges edges = diagram_edges(diagrams, at);
	diagram under = edges.children[edges.count - 1], over = edges.children[0];
	text_addf(out, "within %s ", field == NULL ? "a limit" : field->name);
	print_found(out, difference, under, level + 1);
	text_add(out, ", beyond it ");
	print_found(out, difference, over, level + 1);
}

const char *prove_found_text(void *pool, const struct prove_difference *difference)
{
	struct text *out = text_new(pool);
	print_found(out, difference, difference->way->b, 0);
	return out->bytes;
}

/* --- the packet ------------------------------------------------------------------------------------- */

static const char *name_or_none(void *pool, number128 number)
{
	return number == 0 ? NULL : walk_name_of_number(pool, number);
}

static enum hook hook_of(unsigned number)
{
	return number == NF_INET_LOCAL_IN ? HOOK_INPUT : number == NF_INET_FORWARD ? HOOK_FORWARD : HOOK_OUTPUT;
}

/* Types and codes are bytes; a code that nobody asked for is 0, as it is printed. */
static uint16_t number_of(const struct values *values, enum walk_field field)
{
	unsigned protocol = (unsigned)values->of[WALK_PROTOCOL];
	if (protocol != PROTOCOL_ICMP && protocol != PROTOCOL_ICMP6)
		return (uint16_t)values->of[field];
	return values->is_asked[field] || field == WALK_FIRST ? (uint8_t)values->of[field] : 0;
}

/* The next whole second: a span that begins just after one does not hold it. */
static number128 whole_second(number128 nanoseconds)
{
	return (nanoseconds + NANOSECONDS - 1) / NANOSECONDS;
}

static struct packet packet_of(void *pool, const struct prove_difference *difference, const struct values *values)
{
	return (struct packet){
		.hook = hook_of(difference->place->hook),
		.in = name_or_none(pool, values->of[WALK_IN]),
		.out = name_or_none(pool, values->of[WALK_OUT]),
		.family = values->of[WALK_FAMILY] == FAMILY_IPV6 ? FAMILY_IPV6 : FAMILY_IPV4,
		.source = values->of[WALK_SOURCE],
		.destination = values->of[WALK_DESTINATION],
		.protocol = (uint8_t)values->of[WALK_PROTOCOL],
		.first = number_of(values, WALK_FIRST),
		.second = number_of(values, WALK_SECOND),
		.minute = (unsigned)(values->of[WALK_WEEK] / SECONDS_A_MINUTE),
		.time = (time_t)whole_second(values->of[WALK_TIME]),
		.is_translated = values->of[WALK_TRANSLATED] != 0,
		.original_destination = values->of[WALK_ORIGINAL_DESTINATION],
		.original_first = (uint16_t)values->of[WALK_ORIGINAL_PORT],
	};
}

/* What a packet cannot say: what the walk has no field for, and a time between two seconds. */
static bool has_unknowns(const struct prove_difference *difference, const struct values *values)
{
	for (size_t i = 0; i < difference->way->steps_count; i++) {
		const struct diagram_step *step = &difference->way->steps[i];
		enum walk_field field = walk_field_of_rank(difference->space, step->field);
		if (field == WALK_FIELDS ||
		    (field == WALK_TIME && whole_second(values->of[WALK_TIME]) * NANOSECONDS > step->high))
			return true;
	}
	return false;
}

static struct proof_packet witness_of(void *pool, const struct prove_difference *difference,
				      const struct values *values)
{
	const struct prove_place *place = difference->place;
	return (struct proof_packet){
		.type = place->type, .hook = place->hook, .low = place->low, .high = place->high,
		.packet = packet_of(pool, difference, values),
		.state = walk_state_bits[values->of[WALK_STATE]],
		.tcp_flags = (uint8_t)values->of[WALK_TCP_FLAGS],
		.hop_limit = (uint8_t)values->of[WALK_HOP_LIMIT],
		.helper = name_or_none(pool, values->of[WALK_HELPER]),
		.route = (uint32_t)values->of[WALK_ROUTE],
		.second = (uint32_t)values->of[WALK_WEEK],
		.has_unknowns = has_unknowns(difference, values),
	};
}

/* The rule of the policy that decides about the packet, as the plain evaluator finds it. */
static struct span origin_of(const struct prove_difference *difference, const struct packet *packet)
{
	const struct policy *policy = difference->ruleset->policy;
	if (difference->wanted->kind == WANTED_TRANSLATION)
		return difference->wanted->translation->span;
	if (!difference->place->is_judging || difference->wanted->kind != WANTED_RULE)
		return SPAN_NONE;
	struct decision decision = ruleset_evaluate(difference->ruleset, packet);
	if (decision.rule != NULL)
		return decision.rule->origin;
	bool is_written = policy != NULL && policy->defaults[packet->hook].is_written;
	return is_written ? policy->defaults[packet->hook].span : SPAN_NONE;
}

void prove_packet_tell(void *pool, struct proof *proof, const struct prove_difference *difference)
{
	struct values values = choose_values(difference);
	proof->packet = packet_text(pool, difference, &values);
	proof->wanted = prove_wanted_text(pool, difference->wanted);
	proof->found = prove_found_text(pool, difference);
	proof->witness = witness_of(pool, difference, &values);
	proof->origin = origin_of(difference, &proof->witness.packet);
}
