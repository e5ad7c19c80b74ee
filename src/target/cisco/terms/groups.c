/* Groups are numbered in the order of their first use. */
#include "target/cisco/terms/groups.h"

#include "base/pool.h"
#include "net/protocol.h"

struct ios_place ios_place_of(enum family family, const struct prefix *prefix)
{
	unsigned free_bits = family_bits(family) - prefix->length;
	number128 wildcard = free_bits == 128 ? ~(number128)0 : ((number128)1 << free_bits) - 1;

	return (struct ios_place){ .value = prefix->value, .wildcard = wildcard };
}

static bool is_same(const struct ios_group *a, const struct ios_group *b)
{
	if (a->is_service != b->is_service || a->family != b->family)
		return false;
	return a->is_service ? tuple_set_equals(a->services, b->services) :
			       address_set_equals(a->addresses, b->addresses);
}

/* The one that is there, or this as a new one. */
static const struct ios_group *group_add(void *pool, struct ios_config *config,
					 const struct ios_group *wanted)
{
	struct ios_group *group;

	for (size_t index = 0; index < config->groups_count; index++)
		if (is_same(config->groups[index], wanted))
			return config->groups[index];
	group = pool_new(pool, struct ios_group);
	*group = *wanted;
	group->name = pool_format(pool, "FWC-%s-%zu", wanted->is_service ? "SVC" : "NET",
				  config->groups_count + 1);
	*pool_append(pool, config, groups) = group;
	return group;
}

struct ios_place group_place(void *pool, struct ios_config *config, enum family family,
			     const struct ios_cover *cover)
{
	struct address_set *addresses;

	if (cover->prefixes_count == 1)
		return ios_place_of(family, cover->prefixes);
	addresses = pool_new(pool, struct address_set);
	for (size_t index = 0; index < cover->prefixes_count; index++)
		address_set_add_prefix(pool, addresses, &cover->prefixes[index]);
	address_set_normalise(addresses);
	return (struct ios_place){
		.group = group_add(pool, config, &(struct ios_group){ .family = family, .addresses = addresses }),
	};
}

/* --- services --------------------------------------------------------------------------------- */

bool group_takes_form(enum family family, const struct service_form *form)
{
	if (form->protocol == PROTOCOL_SCTP)
		return form->source_ports.operator == IOS_PORTS_ANY &&
		       form->destination_ports.operator == IOS_PORTS_ANY;
	if (form->icmp_type == IOS_ICMP_ANY)
		return form->protocol != IOS_PROTOCOL_IP;
	return family == FAMILY_IPV4 && form->icmp_code == IOS_ICMP_ANY;
}

static struct port_range port_range_at(const struct ios_ports *ports, unsigned place)
{
	if (ports->operator == IOS_PORTS_ANY)
		return (struct port_range){ 0, UINT16_MAX };
	if (ports->operator == IOS_PORTS_RANGE)
		return (struct port_range){ ports->ports[0], ports->ports[1] };
	return (struct port_range){ ports->ports[place], ports->ports[place] };
}

/* Forms have eq, of several ports perhaps, and range (service_form.c). */
static void add_form(void *pool, struct tuple_set *services, const struct service_form *form)
{
	const struct ios_ports *ports = &form->destination_ports;
	unsigned count = ports->operator == IOS_PORTS_EQ ? ports->ports_count : 1;
	struct service_tuple tuple = {
		.protocol = form->protocol,
		.families = FAMILIES_BOTH,
		.second = port_range_at(&form->source_ports, 0),
	};

	for (unsigned place = 0; place < count; place++) {
		tuple.first = port_range_at(ports, place);
		if (form->protocol == PROTOCOL_ICMP || form->protocol == PROTOCOL_ICMP6) {
			tuple.first.high = tuple.second.high = UINT8_MAX;
			tuple.families = form->protocol == PROTOCOL_ICMP ? FAMILIES_IPV4 : FAMILIES_IPV6;
		}
		if (form->icmp_type != IOS_ICMP_ANY)
			tuple.first = (struct port_range){ form->icmp_type, form->icmp_type };
		tuple_set_add(pool, services, tuple);
	}
}

const struct ios_group *group_services(void *pool, struct ios_config *config, enum family family,
				       const struct service_forms *forms)
{
	struct tuple_set *services = pool_new(pool, struct tuple_set);
	size_t count = 0;

	for (size_t index = 0; index < forms->forms_count; index++)
		if (group_takes_form(family, &forms->forms[index])) {
			add_form(pool, services, &forms->forms[index]);
			count++;
		}
	if (count < 2)
		return NULL;
	*services = tuple_set_normalise(pool, services);
	return group_add(pool, config, &(struct ios_group){
		.is_service = true, .family = family, .services = services });
}
