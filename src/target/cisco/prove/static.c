/* Lines of the text -> is there a `forward` for each? Ports of the policy -> is there a line for each? */
#include "target/cisco/prove/static.h"

#include <strings.h>

#include "base/pool.h"
#include "net/protocol.h"

/* A port of a public address, and where it is sent. */
struct forwarded {
	uint8_t protocol;
	uint16_t port;
	number128 address;
};

struct comparing {
	void *pool;
	const struct ruleset *ruleset;
	const struct device *device;
	const struct acl_config *config;
	struct static_difference difference;
};

static bool is_meant(const struct rule_translation *translation)
{
	return translation->kind == TRANSLATION_FORWARD && translation->applies_to_routed &&
	       (translation->families & FAMILIES_IPV4) != 0 && translation->source->has_host[FAMILY_IPV4];
}

/* --- interfaces ---------------------------------------------------------------------------------------- */

static const struct prefix *first_address(const struct device_interface *interface)
{
	for (size_t index = 0; index < interface->addresses_count; index++)
		if (interface->addresses[index].family == FAMILY_IPV4)
			return &interface->addresses[index];
	return NULL;
}

static const struct device_interface *interface_named(const struct device *device, const char *name)
{
	for (size_t index = 0; index < device->interfaces_count; index++)
		if (strcasecmp(device->interfaces[index].name, name) == 0)
			return &device->interfaces[index];
	return NULL;
}

/* Whether packets of the zone that comes in there are translated: of a zone that `from` names. */
static bool is_outside(const struct rule_translation *translation, const struct device_interface *interface)
{
	for (const struct place_scope *scope = translation->source->from; scope != NULL; scope = scope->outer)
		for (size_t index = 0; index < scope->list->items_count; index++)
			if (scope->list->items[index].kind == PLACE_ZONE &&
			    scope->list->items[index].zone == interface->zone)
				return true;
	return false;
}

/* Without `at`: an address of an interface where its packets come in. */
static bool listens_on(const struct comparing *comparing, const struct rule_translation *translation,
		       number128 address)
{
	if (translation->source->has_at)
		return interval_set_contains(&translation->source->at.v4, address);
	for (size_t index = 0; index < comparing->device->interfaces_count; index++) {
		const struct device_interface *interface = &comparing->device->interfaces[index];

		for (size_t at = 0; is_outside(translation, interface) && at < interface->addresses_count; at++)
			if (interface->addresses[at].family == FAMILY_IPV4 &&
			    interface->addresses[at].value == address)
				return true;
	}
	return false;
}

/* --- one line ------------------------------------------------------------------------------------------ */

static bool is_static(const struct acl_nat *nat)
{
	return nat->kind == ACL_NAT_STATIC && !nat->is_outside && !nat->is_destination;
}

/* false: an interface that the device does not have. */
static bool public_address(const struct comparing *comparing, const struct acl_nat *nat, number128 *address)
{
	const struct device_interface *interface;
	const struct prefix *first;

	*address = nat->global.value;
	if (nat->interface == NULL)
		return true;
	interface = interface_named(comparing->device, nat->interface);
	first = interface == NULL ? NULL : first_address(interface);
	if (first != NULL)
		*address = first->value;
	return first != NULL;
}

static bool has_port(const struct tuple_set *services, uint8_t protocol, uint16_t port)
{
	for (size_t index = 0; index < services->tuples_count; index++)
		if (services->tuples[index].protocol == protocol && services->tuples[index].first.low <= port &&
		    port <= services->tuples[index].first.high)
			return true;
	return false;
}

static uint16_t host_port(const struct rule_translation *translation, uint16_t port)
{
	return translation->source->port != 0 ? translation->source->port : port;
}

/* Whether the line does what the statement says for one port. */
static bool does(const struct rule_translation *translation, const struct acl_nat *nat)
{
	return nat->local.value == translation->source->host[FAMILY_IPV4].value &&
	       nat->local_port == host_port(translation, nat->global_port);
}

static bool is_for(const struct comparing *comparing, const struct rule_translation *translation,
		   const struct forwarded *forwarded)
{
	return is_meant(translation) && has_port(&translation->services, forwarded->protocol, forwarded->port) &&
	       listens_on(comparing, translation, forwarded->address);
}

static void differ(struct comparing *comparing, const struct forwarded *forwarded, const char *wanted,
		   const char *found)
{
	struct text *where = text_new(comparing->pool);

	text_addf(where, "port %u/%s of ", (unsigned)forwarded->port,
		  forwarded->protocol == PROTOCOL_TCP ? "tcp" : "udp");
	address_format(where, &(struct address){ .family = FAMILY_IPV4, .value = forwarded->address });
	comparing->difference = (struct static_difference){
		.where = where->bytes, .wanted = wanted, .found = found, .origin = SPAN_NONE, .entry = SPAN_NONE,
	};
}

static const char *destination(const struct comparing *comparing, const struct address *host, uint16_t port)
{
	struct text *words = text_new(comparing->pool);

	text_add(words, "forwarded to ");
	address_format(words, host);
	text_addf(words, " port %u", (unsigned)port);
	return words->bytes;
}

/* The first statement that is for the port decides. */
static const struct rule_translation *statement_for(const struct comparing *comparing,
						    const struct forwarded *forwarded)
{
	for (size_t index = 0; index < comparing->ruleset->translations_count; index++)
		if (is_for(comparing, comparing->ruleset->translations[index], forwarded))
			return comparing->ruleset->translations[index];
	return NULL;
}

static bool compare_line(struct comparing *comparing, const struct acl_nat *nat)
{
	struct forwarded forwarded = { .protocol = (uint8_t)nat->protocol, .port = nat->global_port };
	const struct rule_translation *statement;

	if (!is_static(nat) || nat->protocol > UINT8_MAX || !public_address(comparing, nat, &forwarded.address))
		return true;
	statement = statement_for(comparing, &forwarded);
	if (statement != NULL && does(statement, nat))
		return true;
	differ(comparing, &forwarded, statement == NULL ? "not forwarded" :
	       destination(comparing, &statement->source->host[FAMILY_IPV4], host_port(statement, forwarded.port)),
	       destination(comparing, &nat->local, nat->local_port));
	comparing->difference.entry = nat->span;
	comparing->difference.origin = statement == NULL ? SPAN_NONE : statement->origin;
	return false;
}

/* --- one port ------------------------------------------------------------------------------------------ */

/* The line that gives the address to a host with all of its ports, or NULL. */
static const struct acl_nat *whole_line(const struct comparing *comparing, number128 address)
{
	for (size_t index = 0; index < comparing->config->nats_count; index++) {
		const struct acl_nat *nat = &comparing->config->nats[index];
		number128 global;

		if (is_static(nat) && nat->protocol == ACL_PROTOCOL_IP && public_address(comparing, nat, &global) &&
		    address >= global && address - global < (number128)1 << (32 - nat->prefix_length))
			return nat;
	}
	return NULL;
}

static bool has_line(const struct comparing *comparing, const struct forwarded *forwarded)
{
	for (size_t index = 0; index < comparing->config->nats_count; index++) {
		const struct acl_nat *nat = &comparing->config->nats[index];
		number128 address;

		if (is_static(nat) && nat->protocol == forwarded->protocol && nat->global_port == forwarded->port &&
		    public_address(comparing, nat, &address) && address == forwarded->address)
			return true;
	}
	return false;
}


static struct address host_of(const struct comparing *comparing, const struct acl_nat *whole, number128 address)
{
	struct address host = whole->local;
	number128 global;

	if (public_address(comparing, whole, &global))
		host.value += address - global;
	return host;
}

static bool compare_port(struct comparing *comparing, const struct rule_translation *translation,
			 const struct forwarded *forwarded)
{
	const struct address *host = &translation->source->host[FAMILY_IPV4];
	const uint16_t port = host_port(translation, forwarded->port);
	const struct acl_nat *whole;
	struct address sent;

	if (has_line(comparing, forwarded))
		return true;
	whole = whole_line(comparing, forwarded->address);
	if (whole != NULL)
		sent = host_of(comparing, whole, forwarded->address);
	if (whole != NULL && sent.value == host->value && port == forwarded->port)
		return true;
	differ(comparing, forwarded, destination(comparing, host, port),
	       whole == NULL ? "forwarded nowhere" : destination(comparing, &sent, forwarded->port));
	comparing->difference.entry = whole == NULL ? SPAN_NONE : whole->span;
	comparing->difference.origin = translation->origin;
	return false;
}

/* A router has at most 256 of one statement (device/nat_forward.c). */
static bool compare_ports(struct comparing *comparing, const struct rule_translation *translation,
			  number128 address)
{
	for (size_t index = 0; index < translation->services.tuples_count; index++) {
		const struct service_tuple *tuple = &translation->services.tuples[index];

		for (unsigned port = tuple->first.low; port <= tuple->first.high; port++)
			if (!compare_port(comparing, translation, &(struct forwarded){
				(uint8_t)tuple->protocol, (uint16_t)port, address }))
				return false;
	}
	return true;
}

static bool compare_interface(struct comparing *comparing, const struct rule_translation *translation,
			      const struct device_interface *interface)
{
	for (size_t at = 0; is_outside(translation, interface) && at < interface->addresses_count; at++)
		if (interface->addresses[at].family == FAMILY_IPV4 &&
		    !compare_ports(comparing, translation, interface->addresses[at].value))
			return false;
	return true;
}

static bool compare_statement(struct comparing *comparing, const struct rule_translation *translation)
{
	const struct interval_set *at = &translation->source->at.v4;

	for (size_t index = 0; translation->source->has_at && index < at->items_count; index++)
		for (number128 address = at->items[index].low; address <= at->items[index].high; address++)
			if (!compare_ports(comparing, translation, address))
				return false;
	for (size_t index = 0; !translation->source->has_at && index < comparing->device->interfaces_count; index++)
		if (!compare_interface(comparing, translation, &comparing->device->interfaces[index]))
			return false;
	return true;
}

/* --- all of them --------------------------------------------------------------------------------------- */

static bool has_unread(const struct acl_config *config)
{
	for (size_t index = 0; index < config->nats_count; index++)
		if (config->nats[index].kind == ACL_NAT_UNREAD)
			return true;
	return false;
}

struct static_difference static_compare(void *pool, const struct ruleset *ruleset, const struct acl_config *config)
{
	struct comparing comparing = {
		.pool = pool, .ruleset = ruleset, .device = ruleset->policy->device, .config = config,
		.difference = { .origin = SPAN_NONE, .entry = SPAN_NONE },
	};
	bool is_equal = true, has_any = false;

	for (size_t index = 0; index < ruleset->translations_count; index++)
		has_any = has_any || is_meant(ruleset->translations[index]);
	for (size_t index = 0; has_any && is_equal && index < config->nats_count; index++)
		is_equal = compare_line(&comparing, &config->nats[index]);
	for (size_t index = 0; is_equal && !has_unread(config) && index < ruleset->translations_count; index++)
		if (is_meant(ruleset->translations[index]))
			is_equal = compare_statement(&comparing, ruleset->translations[index]);
	return comparing.difference;
}
