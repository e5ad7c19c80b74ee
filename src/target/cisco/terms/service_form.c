/* tcp, udp and sctp have ports in IOS; ICMP types are single numbers, with one code or every one. */
#include "target/cisco/terms/service_form.h"

#include "base/pool.h"
#include "net/protocol.h"

#define PORTS_AN_EQ 10 /* IOS: up to ten ports behind one eq */
#define ICMP_HIGHEST 255

static bool is_whole(struct port_range range, uint16_t highest)
{
	return range.low == 0 && range.high >= highest;
}

static struct ios_ports ports_of(struct port_range range)
{
	struct ios_ports ports = { .operator = IOS_PORTS_ANY };

	if (is_whole(range, UINT16_MAX))
		return ports;
	ports.ports[0] = range.low;
	ports.ports_count = 1;
	ports.operator = IOS_PORTS_EQ;
	if (range.low != range.high) {
		ports.operator = IOS_PORTS_RANGE;
		ports.ports[1] = range.high;
		ports.ports_count = 2;
	}
	return ports;
}

static bool ios_has_ports(uint16_t protocol)
{
	return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_SCTP;
}

static bool is_icmp(const struct service_tuple *tuple, enum family family)
{
	return tuple->protocol == (family == FAMILY_IPV4 ? PROTOCOL_ICMP : PROTOCOL_ICMP6);
}

static struct service_form form_of(const struct service_tuple *tuple)
{
	return (struct service_form){
		.protocol = tuple->protocol,
		.icmp_type = IOS_ICMP_ANY,
		.icmp_code = IOS_ICMP_ANY,
	};
}

static void add_icmp(void *pool, struct service_forms *forms, const struct service_tuple *tuple)
{
	struct service_form form = form_of(tuple);
	bool has_codes = !is_whole(tuple->second, ICMP_HIGHEST);

	if (is_whole(tuple->first, ICMP_HIGHEST) && !has_codes) {
		*pool_append(pool, forms, forms) = form;
		return;
	}
	for (unsigned type = tuple->first.low; type <= tuple->first.high && type <= ICMP_HIGHEST; type++) {
		form.icmp_type = (uint16_t)type;
		if (!has_codes) {
			*pool_append(pool, forms, forms) = form;
			continue;
		}
		for (unsigned code = tuple->second.low; code <= tuple->second.high; code++) {
			form.icmp_code = (uint16_t)code;
			*pool_append(pool, forms, forms) = form;
		}
	}
}

static bool ports_equal(const struct ios_ports *a, const struct ios_ports *b)
{
	if (a->operator != b->operator || a->ports_count != b->ports_count)
		return false;
	for (unsigned index = 0; index < a->ports_count; index++)
		if (a->ports[index] != b->ports[index])
			return false;
	return true;
}

/* Another port behind the eq of a form that differs in nothing else. */
static bool joins_eq(struct service_forms *forms, const struct service_form *form)
{
	if (form->destination_ports.operator != IOS_PORTS_EQ)
		return false;
	for (size_t index = forms->forms_count; index-- > 0;) {
		struct service_form *other = &forms->forms[index];

		if (other->protocol != form->protocol)
			return false;
		if (other->destination_ports.operator != IOS_PORTS_EQ ||
		    other->destination_ports.ports_count == PORTS_AN_EQ ||
		    !ports_equal(&other->source_ports, &form->source_ports))
			continue;
		other->destination_ports.ports[other->destination_ports.ports_count++] =
			form->destination_ports.ports[0];
		return true;
	}
	return false;
}

static void add_ports(void *pool, struct service_forms *forms, const struct service_tuple *tuple,
		      bool has_multi_eq)
{
	struct service_form form = form_of(tuple);

	form.destination_ports = ports_of(tuple->first);
	form.source_ports = ports_of(tuple->second);
	if (!has_multi_eq || !joins_eq(forms, &form))
		*pool_append(pool, forms, forms) = form;
}

static void add_tuple(void *pool, struct service_forms *forms, const struct service_tuple *tuple,
		      enum family family, bool has_multi_eq)
{
	bool has_ports = !is_whole(tuple->first, UINT16_MAX) || !is_whole(tuple->second, UINT16_MAX);

	if (is_icmp(tuple, family))
		add_icmp(pool, forms, tuple);
	else if (ios_has_ports(tuple->protocol))
		add_ports(pool, forms, tuple, has_multi_eq);
	else if (protocol_has_ports(tuple->protocol) && has_ports)
		forms->refused = tuple;
	else if (tuple->protocol == 0)
		forms->has_zero = true;
	else
		*pool_append(pool, forms, forms) = form_of(tuple);
}

struct service_forms service_forms_of(void *pool, const struct tuple_set *services, enum family family,
				      bool has_multi_eq)
{
	unsigned bit = family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
	struct service_forms forms = { 0 };

	for (size_t index = 0; index < services->tuples_count; index++)
		if ((services->tuples[index].families & bit) != 0)
			add_tuple(pool, &forms, &services->tuples[index], family, has_multi_eq);
	return forms;
}
