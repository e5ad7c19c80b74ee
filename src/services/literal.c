/* Literals of services to tuples. */
#include "services/literal.h"

#include <string.h>

#include "base/names.h"
#include "base/pool.h"
#include "net/address.h"
#include "net/protocol.h"

struct literal {
	void *pool;
	struct diags *diags;
	const struct ast_service *ast;
	struct tuple_set *tuples;
};

static const struct port_range whole_ports = { 0, UINT16_MAX };
static const struct port_range whole_types = { 0, UINT8_MAX };

static bool is_text(const char *bytes, size_t length, const char *word)
{
	return length == strlen(word) && strncasecmp(bytes, word, length) == 0;
}

/* --- numbers -------------------------------------------------------------------------------- */

static bool is_number(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] < '0' || bytes[i] > '9')
			return false;
	return length != 0;
}

/* Decimal digits; anything above the limit gives limit + 1. */
static uint32_t number_of(const char *bytes, size_t length, uint32_t limit)
{
	uint32_t value = 0;
	for (size_t i = 0; i < length && value <= limit; i++)
		value = value * 10 + (uint32_t)(bytes[i] - '0');
	return value <= limit ? value : limit + 1;
}

static bool has_leading_zero(const char *bytes, size_t length)
{
	return length > 1 && bytes[0] == '0';
}

static bool number_is_written_well(struct diags *diags, const struct ast_word *word,
				   const char *bytes, size_t length)
{
	if (!is_number(bytes, length)) {
		struct diagnostic *report = diag_add(diags, CODE_BAD_NUMBER, word->span, "'%s' is not a number",
						     word->text);
		const char *colon = strchr(word->text, ':');

		if (colon != NULL)
			diag_note(diags, report, SPAN_NONE, "a range of ports is written '%.*s-%s/tcp'",
				  (int)(colon - word->text), word->text, colon + 1);
		return false;
	}
	if (has_leading_zero(bytes, length)) {
		diag_add(diags, CODE_BAD_NUMBER, word->span,
			 "'%.*s' has a leading zero: numbers are decimal", (int)length, bytes);
		return false;
	}
	return true;
}

static bool port_resolve(struct diags *diags, const struct ast_word *word, const char *bytes,
			 size_t length, uint16_t *port)
{
	if (!number_is_written_well(diags, word, bytes, length))
		return false;
	uint32_t value = number_of(bytes, length, UINT16_MAX);
	*port = (uint16_t)value;
	if (value <= UINT16_MAX)
		return true;
	diag_add(diags, CODE_PORT_RANGE, word->span, "'%.*s' is not a port: they end at 65535",
		 (int)length, bytes);
	return false;
}

bool port_range_resolve(struct diags *diags, const struct ast_word *word, struct port_range *range)
{
	const char *dash = memchr(word->text, '-', word->length);
	size_t first = dash == NULL ? word->length : (size_t)(dash - word->text);
	if (word->is_reported || !port_resolve(diags, word, word->text, first, &range->low))
		return false;
	range->high = range->low;
	if (dash == NULL)
		return true;
	if (!port_resolve(diags, word, dash + 1, word->length - first - 1, &range->high))
		return false;
	if (range->low <= range->high)
		return true;
	struct diagnostic *error = diag_add(diags, CODE_RANGE_BACKWARDS, word->span,
					    "the range '%s' ends before it begins", word->text);
	diag_note(diags, error, SPAN_NONE, "write %u-%u", (unsigned)range->high,
		  (unsigned)range->low);
	return false;
}

/* A number 0..255: protocols, ICMP types and codes. */
static bool byte_resolve(const struct literal *literal, const char *bytes, size_t length,
			 const char *what, uint8_t *byte)
{
	const struct ast_word *word = literal->ast->word;
	if (!number_is_written_well(literal->diags, word, bytes, length))
		return false;
	uint32_t value = number_of(bytes, length, UINT8_MAX);
	*byte = (uint8_t)value;
	if (value <= UINT8_MAX)
		return true;
	diag_add(literal->diags, CODE_BAD_NUMBER, word->span, "'%.*s' is not %s: they end at 255",
		 (int)length, bytes, what);
	return false;
}

/* --- the kinds of protocols ------------------------------------------------------------------ */

static bool is_any(const struct literal *literal)
{
	const struct ast_word *word = literal->ast->word;
	return is_text(word->text, word->length, "any");
}

static bool add_ports(const struct literal *literal, uint8_t protocol)
{
	struct service_tuple tuple = { protocol, FAMILIES_BOTH, whole_ports, whole_ports };
	const struct ast_word *ports = literal->ast->word, *sport = literal->ast->sport;
	if (!is_any(literal)) {
		if (!port_range_resolve(literal->diags, ports, &tuple.first))
			return false;
		if (tuple.first.high == 0) {
			diag_add(literal->diags, CODE_PORT_RANGE, ports->span,
				 "port 0 is reserved: no service has it");
			return false;
		}
	}
	if (sport != NULL && !port_range_resolve(literal->diags, sport, &tuple.second))
		return false;
	tuple_set_add(literal->pool, literal->tuples, tuple);
	return true;
}

static void report_icmp_type(const struct literal *literal, unsigned protocol)
{
	unsigned other = protocol == PROTOCOL_ICMP ? PROTOCOL_ICMP6 : PROTOCOL_ICMP;
	const struct ast_word *word = literal->ast->word;
	struct diagnostic *error =
		diag_add(literal->diags, CODE_UNKNOWN_ICMP_TYPE, word->span, "unknown %s type '%s'",
			 protocol == PROTOCOL_ICMP ? "ICMP" : "ICMPv6", word->text);
	if (icmp_find(other, word->text, word->length) != NULL) {
		diag_note(literal->diags, error, SPAN_NONE, "it is a type of %s: '%s/%s'",
			  other == PROTOCOL_ICMP ? "ICMP" : "ICMPv6", word->text,
			  other == PROTOCOL_ICMP ? "icmp" : "icmp6");
		return;
	}
	struct names *names = names_new(pool_child(literal->pool, "icmp names"), true);
	for (size_t i = 0; i < icmp_name_count(protocol); i++) {
		const char *name = icmp_name_at(protocol, i)->name;
		names_set(names, name, strlen(name), names);
	}
	const char *nearest = names_nearest(names, word->text, word->length);
	if (nearest != NULL)
		diag_note(literal->diags, error, SPAN_NONE, "did you mean '%s'?", nearest);
}

/* "echo-request", "8", "3:4" */
static bool icmp_type_resolve(const struct literal *literal, unsigned protocol,
			      struct service_tuple *tuple)
{
	const struct ast_word *word = literal->ast->word;
	const struct icmp_name *named = icmp_find(protocol, word->text, word->length);
	uint8_t type, code;
	if (named != NULL) {
		tuple->first = (struct port_range){ named->type, named->type };
		if (named->code >= 0)
			tuple->second = (struct port_range){ (uint16_t)named->code,
							     (uint16_t)named->code };
		return true;
	}
	const char *colon = memchr(word->text, ':', word->length);
	size_t length = colon == NULL ? word->length : (size_t)(colon - word->text);
	if (!is_number(word->text, length)) {
		report_icmp_type(literal, protocol);
		return false;
	}
	if (!byte_resolve(literal, word->text, length, "an ICMP type", &type))
		return false;
	tuple->first = (struct port_range){ type, type };
	if (colon == NULL)
		return true;
	if (!byte_resolve(literal, colon + 1, word->length - length - 1, "an ICMP code", &code))
		return false;
	tuple->second = (struct port_range){ code, code };
	return true;
}

static bool add_icmp(const struct literal *literal, uint8_t protocol)
{
	struct service_tuple tuple = {
		.protocol = protocol,
		.families = protocol == PROTOCOL_ICMP ? FAMILIES_IPV4 : FAMILIES_IPV6,
		.first = whole_types,
		.second = whole_types,
	};
	if (!is_any(literal) && !icmp_type_resolve(literal, protocol, &tuple))
		return false;
	tuple_set_add(literal->pool, literal->tuples, tuple);
	return true;
}

/* A protocol by number (47/ip), in both families. */
static void add_protocol(const struct literal *literal, uint16_t protocol)
{
	bool is_icmp = protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
	struct port_range whole = is_icmp ? whole_types : whole_ports;
	tuple_set_add(literal->pool, literal->tuples,
		      (struct service_tuple){ protocol, FAMILIES_BOTH, whole, whole });
}

static bool add_ip(const struct literal *literal)
{
	const struct ast_word *word = literal->ast->word;
	uint8_t protocol;
	if (is_any(literal)) {
		add_protocol(literal, PROTOCOL_ANY);
		return true;
	}
	if (protocol_find(word->text, word->length, &protocol)) {
		struct diagnostic *error = diag_add(literal->diags, CODE_UNKNOWN_PROTOCOL,
						    literal->ast->span,
						    "'ip' follows a protocol's number");
		diag_note(literal->diags, error, SPAN_NONE, "write '%u/ip' or 'any/%s'",
			  (unsigned)protocol, word->text);
		return false;
	}
	if (!byte_resolve(literal, word->text, word->length, "a protocol", &protocol))
		return false;
	add_protocol(literal, protocol);
	return true;
}

static bool add_named(const struct literal *literal, uint8_t protocol, const char *name,
		      size_t length)
{
	if (is_any(literal)) {
		add_protocol(literal, protocol);
		return true;
	}
	struct diagnostic *error =
		diag_add(literal->diags, CODE_UNKNOWN_PROTOCOL, literal->ast->span,
			 "protocol '%.*s' has no ports", (int)length, name);
	diag_note(literal->diags, error, SPAN_NONE, "write 'any/%.*s' or '%u/ip'", (int)length, name,
		  (unsigned)protocol);
	return false;
}

static void report_protocol(const struct literal *literal, const char *name, size_t length)
{
	static const char *const usual[] = { "tcp", "udp", "sctp", "dccp", "udplite",
					     "icmp", "icmp6", "ip", "esp", "gre", "ah" };
	struct names *names = names_new(pool_child(literal->pool, "protocols"), true);
	struct diagnostic *error = diag_add(literal->diags, CODE_UNKNOWN_PROTOCOL,
					    literal->ast->protocol->span, "unknown protocol '%.*s'",
					    (int)length, name);
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
		names_set(names, usual[i], strlen(usual[i]), names);
	const char *nearest = names_nearest(names, name, length);
	if (nearest != NULL)
		diag_note(literal->diags, error, SPAN_NONE, "did you mean '%s'?", nearest);
	else
		diag_note(literal->diags, error, SPAN_NONE,
			  "known are tcp, udp, sctp, dccp, udplite, icmp, icmp6; 'ip' after a "
			  "number, as in '47/ip'; names without ports after any, as in 'any/gre'");
}

/* --- the literal ----------------------------------------------------------------------------- */

static bool sport_is_fitting(const struct literal *literal, const char *name, size_t length,
			     bool has_ports)
{
	if (literal->ast->sport == NULL || has_ports)
		return true;
	diag_add(literal->diags, CODE_SOURCE_PORT_MISUSE, literal->ast->sport->span,
		 "'%.*s' has no ports, and so no source port", (int)length, name);
	return false;
}

/* One protocol of "tcp+udp". */
static bool add_part(const struct literal *literal, const char *name, size_t length)
{
	uint8_t protocol;
	bool is_ip = is_text(name, length, "ip");
	if (!is_ip && !protocol_find(name, length, &protocol)) {
		report_protocol(literal, name, length);
		return false;
	}
	if (!sport_is_fitting(literal, name, length, !is_ip && protocol_has_ports(protocol)))
		return false;
	if (is_ip)
		return add_ip(literal);
	if (protocol_has_ports(protocol))
		return add_ports(literal, protocol);
	if (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6)
		return add_icmp(literal, protocol);
	return add_named(literal, protocol, name, length);
}

bool service_literal_resolve(void *pool, struct diags *diags, const struct ast_service *ast,
			     struct tuple_set *tuples)
{
	const struct literal literal = { pool, diags, ast, tuples };
	if (ast->kind == AST_SERVICE_ANY) {
		add_protocol(&literal, PROTOCOL_ANY);
		return true;
	}
	if (ast->word->is_reported || ast->protocol->is_reported)
		return false;
	const char *name = ast->protocol->text, *end = name + ast->protocol->length;
	for (;;) {
		const char *plus = memchr(name, '+', (size_t)(end - name));
		const char *stop = plus == NULL ? end : plus;
		if (!add_part(&literal, name, (size_t)(stop - name)))
			return false;
		if (plus == NULL)
			return true;
		name = plus + 1;
	}
}
