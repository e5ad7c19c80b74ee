/* One packet, or one for each interface. What always passes (ruleset.h) is of no use to a new connection from
 * outside. From the firewall itself (by a proxy, a tunnel's end) it is loopback, unless a `forward` takes it. */
#include "operate/lockout.h"

#include <net/if.h>

#include "base/pool.h"

#define TCP 6
#define MINUTES_A_WEEK (7 * 24 * 60)
#define EPOCH_MINUTE (3 * 24 * 60) /* 1970-01-01 was a Thursday */

static struct packet packet_of(const struct remote *remote, const char *interface, time_t now)
{
	return (struct packet){
		.hook = HOOK_INPUT,
		.in = interface,
		.family = remote->client.family,
		.source = remote->client.value,
		.destination = remote->server.value,
		.protocol = TCP,
		.first = remote->server_port,
		.second = remote->client_port,
		.minute = (unsigned)((now / 60 + EPOCH_MINUTE) % MINUTES_A_WEEK),
		.time = now,
	};
}

static bool is_taken(const struct rule_translation *translation, const struct packet *packet)
{
	unsigned family = packet->family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
	bool is_own = packet->hook == HOOK_OUTPUT;
	const struct translation *source = translation->source;
	return translation->kind == TRANSLATION_FORWARD &&
	       (is_own ? translation->applies_to_local : translation->applies_to_routed) &&
	       (translation->families & family) != 0 &&
	       tuples_hold(&translation->services, packet->family, packet->protocol, packet->first,
			   packet->second) &&
	       boxes_hold(&translation->from, packet->in, packet->family, packet->source) &&
	       (!source->has_at || interval_set_contains(address_set_family(&source->at, packet->family),
							 packet->destination));
}

static bool changes(const struct translation *source, const struct packet *packet)
{
	return source->host[packet->family].value != packet->destination ||
	       (source->port != 0 && source->port != packet->first);
}

/* The first that takes it decides, though it may lead to where it goes anyway. */
static const struct rule_translation *translation_of(const struct ruleset *ruleset, const struct packet *packet)
{
	for (size_t i = 0; i < ruleset->translations_count; i++)
		if (is_taken(ruleset->translations[i], packet))
			return changes(ruleset->translations[i]->source, packet) ? ruleset->translations[i] : NULL;
	return NULL;
}

/* Of a packet that a rule lets in without tracking: rules judge it, too. */
static struct packet answer_to(const struct packet *packet)
{
	struct packet answer = *packet;
	answer.hook = HOOK_OUTPUT;
	answer.in = NULL;
	answer.out = packet->in;
	answer.source = packet->destination;
	answer.destination = packet->source;
	answer.first = packet->second;
	answer.second = packet->first;
	return answer;
}

static struct lockout look(const struct ruleset *ruleset, const struct packet *packet)
{
	struct lockout lockout = {
		.interface = packet->in,
		.translation = translation_of(ruleset, packet),
		.decision = ruleset_evaluate(ruleset, packet),
		.packet = *packet,
	};
	lockout.is_out = lockout.translation != NULL || lockout.decision.outcome->verdict != VERDICT_ALLOW;
	if (lockout.is_out || lockout.decision.rule == NULL || !lockout.decision.rule->is_stateless)
		return lockout;
	lockout.is_answer = true;
	lockout.packet = answer_to(packet);
	lockout.decision = ruleset_evaluate(ruleset, &lockout.packet);
	lockout.is_out = lockout.decision.outcome->verdict != VERDICT_ALLOW;
	return lockout;
}

static struct lockout look_everywhere(void *pool, const struct ruleset *ruleset, const struct remote *remote,
				      time_t now)
{
	struct lockout lockout = { 0 };
	struct if_nameindex *interfaces = if_nameindex();
	for (size_t i = 0; interfaces != NULL && interfaces[i].if_index != 0 && !lockout.is_out; i++) {
		struct packet packet = packet_of(remote, pool_strdup(pool, interfaces[i].if_name), now);
		lockout = look(ruleset, &packet);
	}
	if (interfaces != NULL)
		if_freenameindex(interfaces);
	return lockout;
}

/* It comes by loopback. */
static struct lockout look_at_own(const struct ruleset *ruleset, const struct remote *remote, time_t now)
{
	struct lockout lockout = { .packet = packet_of(remote, NULL, now) };
	lockout.packet.hook = HOOK_OUTPUT;
	lockout.packet.out = "lo";
	lockout.translation = translation_of(ruleset, &lockout.packet);
	lockout.is_out = lockout.translation != NULL;
	return lockout;
}

struct lockout lockout_find(void *pool, const struct ruleset *ruleset, const struct remote *remote, time_t now)
{
	if (remote_is_own_address(&remote->client))
		return look_at_own(ruleset, remote, now);
	const char *interface = remote->interface != NULL ? remote->interface
							  : remote_interface_to(pool, &remote->client);
	if (interface == NULL)
		return look_everywhere(pool, ruleset, remote, now);
	struct packet packet = packet_of(remote, interface, now);
	return look(ruleset, &packet);
}
