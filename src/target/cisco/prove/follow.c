/* A packet, list after list, as a router that was given the text would look at it. */
#include "target/cisco/prove/follow.h"

#include <string.h>

#include "base/pool.h"
#include "target/cisco/read/format.h"
#include "target/cisco/read/read.h"
#include "target/cisco/prove/prove.h"
#include "target/cisco/prove/given.h"

/* A list that was taken apart, once for all packets. */
struct followed_list {
	const struct acl_list *list; /* NULL: missing */
	enum family family;
	bool is_read;
	struct given_list given;
};

struct cisco_follower {
	void *pool;
	const struct ruleset *ruleset;
	const struct cisco_settings *settings;
	struct diags *diags; /* the reader's */
	const struct acl_config *config;
	struct packet_universe *universe;
	struct followed_list **lists;
	size_t lists_count, lists_capacity;
};

/* One packet on its way. */
struct following {
	struct cisco_follower *follower;
	struct cisco_path path;
};

struct cisco_follower *cisco_follower_new(void *pool, const struct ruleset *ruleset,
					  const struct cisco_settings *settings, struct sources *sources,
					  uint32_t text)
{
	const struct device *device = ruleset->policy->device;
	struct cisco_follower *follower = pool_new(pool, struct cisco_follower);

	*follower = (struct cisco_follower){
		.pool = pool,
		.ruleset = ruleset,
		.settings = settings,
		.diags = diags_new(pool, sources),
		.universe = packet_universe_new(pool),
	};
	packet_universe_add(follower->universe, ruleset);
	for (size_t index = 0; device != NULL && index < device->interfaces_count; index++)
		packet_universe_add_interface(follower->universe, device->interfaces[index].name);
	follower->config = acl_read(pool, follower->diags, text);
	given_ends_add(follower->config, ruleset->policy->timezone_s, follower->universe);
	packet_universe_finish(follower->universe);
	return diags_has_errors(follower->diags) ? NULL : follower;
}

/* --- one list --------------------------------------------------------------------------------------- */

static const struct followed_list *list_of(struct cisco_follower *follower, const struct acl_list *list,
					   enum family family)
{
	const struct given_context context = {
		.pool = follower->pool,
		.diags = follower->diags,
		.config = follower->config,
		.universe = follower->universe,
		.timezone_s = follower->ruleset->policy->timezone_s,
	};
	struct followed_list *made;

	for (size_t index = 0; index < follower->lists_count; index++)
		if (follower->lists[index]->list == list && follower->lists[index]->family == family)
			return follower->lists[index];
	made = pool_new(follower->pool, struct followed_list);
	*made = (struct followed_list){ .list = list, .family = family };
	made->is_read = given_list_make(&context, family, list, &made->given);
	*pool_append(follower->pool, follower, lists) = made;
	return made;
}

/* false: not known. */
static bool judge(struct following *following, const char *name, const struct packet *packet,
		  struct cisco_step *step)
{
	struct cisco_follower *follower = following->follower;
	const struct acl_list *list = acl_list_find(follower->config, packet->family, name);
	const struct followed_list *followed = list_of(follower, list, packet->family);
	struct packet_point point = point_of_packet(follower->universe, packet);
	struct text *words = text_new(follower->pool);
	size_t index = 0;

	if (!followed->is_read)
		return false;
	step->list = name;
	step->is_missing = list == NULL;
	while (index < followed->given.rules.items_count &&
	       !packet_box_holds(&followed->given.rules.items[index].box, &point))
		index++;
	if (index == followed->given.rules.items_count)
		return true;
	step->is_permitted = followed->given.rules.items[index].number == 1;
	if (followed->given.entries[index] != NULL) {
		acl_entry_format(words, list, followed->given.entries[index]);
		step->sequence = followed->given.entries[index]->sequence;
		step->entry = words->bytes;
	}
	return true;
}

static bool add_step(struct following *following, struct cisco_step step, const char *list,
		     const struct packet *packet)
{
	if (!judge(following, list, packet, &step)) {
		following->path.is_unread = true;
		return false;
	}
	*pool_append(following->follower->pool, &following->path, steps) = step;
	following->path.is_permitted = following->path.is_permitted && step.is_permitted;
	return step.is_permitted;
}

/* --- the way ---------------------------------------------------------------------------------------- */

static const struct acl_binding *binding_of(const struct acl_binding *bindings, size_t count,
					    enum family family, enum acl_direction direction)
{
	for (size_t index = 0; index < count; index++)
		if (bindings[index].family == family && bindings[index].direction == direction)
			return &bindings[index];
	return NULL;
}

/* The entry of the interface's crypto map whose list names the packet; NULL: none. */
static const struct acl_crypto_map *map_of(struct following *following, const struct acl_interface *interface,
					   const struct packet *packet, struct cisco_step *step)
{
	const struct acl_config *config = following->follower->config;

	for (size_t index = 0; interface->crypto_map != NULL && index < config->crypto_maps_count; index++) {
		const struct acl_crypto_map *map = config->crypto_maps[index];

		if (map->list == NULL || strcmp(map->name, interface->crypto_map) != 0)
			continue;
		if (packet->family == FAMILY_IPV4 && judge(following, map->list, packet, step) &&
		    step->is_permitted && !step->is_missing)
			return map;
	}
	return NULL;
}

/* As the other end would have sent it back: the lists of both ends mirror each other. */
static struct packet mirrored(const struct packet *packet)
{
	struct packet back = *packet;

	back.source = packet->destination;
	back.destination = packet->source;
	if (protocol_has_ports(packet->protocol)) {
		back.first = packet->second;
		back.second = packet->first;
	}
	return back;
}

static bool enter(struct following *following, const struct packet *packet)
{
	const struct acl_interface *interface = acl_interface_find(following->follower->config, packet->in);
	struct packet arriving = *packet, back;
	struct cisco_step step = { .kind = CISCO_STEP_IN, .interface = packet->in }, sent = { 0 };
	const struct acl_binding *binding;
	const struct acl_crypto_map *map;

	if (interface == NULL)
		return true;
	if (packet->is_translated) {
		arriving.destination = packet->original_destination;
		arriving.first = packet->original_first;
	}
	binding = binding_of(interface->bindings, interface->bindings_count, packet->family, ACL_IN);
	back = mirrored(packet);
	map = map_of(following, interface, &back, &sent);
	if (map != NULL) {
		step.kind = CISCO_STEP_FROM_TUNNEL;
		binding = binding_of(map->bindings, map->bindings_count, packet->family, ACL_IN);
	}
	return binding == NULL || add_step(following, step, binding->list, &arriving);
}

/* The source after translation. false: the address of the interface is not written in the policy. */
static bool translate(const struct cisco_follower *follower, const struct rule_translation *leaves,
		      struct packet *packet)
{
	const struct device *device = follower->ruleset->policy->device;

	if (leaves->kind != TRANSLATION_MASQUERADE) {
		packet->source = leaves->source->as[packet->family].value;
		return true;
	}
	for (size_t index = 0; index < device->interfaces_count; index++) {
		const struct device_interface *interface = &device->interfaces[index];

		if (strcmp(interface->name, packet->out) != 0)
			continue;
		for (size_t other = 0; other < interface->addresses_count; other++)
			if (interface->addresses[other].family == packet->family) {
				packet->source = interface->addresses[other].value;
				return true;
			}
	}
	return false;
}

static void leave(struct following *following, const struct packet *packet,
		  const struct rule_translation *leaves)
{
	const struct acl_interface *interface = acl_interface_find(following->follower->config, packet->out);
	struct packet leaving = *packet;
	struct cisco_step step = { .kind = CISCO_STEP_TO_TUNNEL, .interface = packet->out };
	const struct acl_binding *binding;

	if (interface == NULL)
		return;
	if (map_of(following, interface, packet, &step) != NULL) {
		*pool_append(following->follower->pool, &following->path, steps) = step;
		return;
	}
	binding = binding_of(interface->bindings, interface->bindings_count, packet->family, ACL_OUT);
	if (binding == NULL)
		return;
	if (leaves != NULL && !translate(following->follower, leaves, &leaving)) {
		following->path.is_unread = true;
		return;
	}
	step = (struct cisco_step){ .kind = CISCO_STEP_OUT, .interface = packet->out };
	(void)add_step(following, step, binding->list, &leaving);
}

struct cisco_path cisco_follow(struct cisco_follower *follower, const struct packet *packet,
			       const struct rule_translation *leaves)
{
	struct following following = { .follower = follower, .path = { .is_permitted = true } };
	const struct cisco_step alone = { .kind = CISCO_STEP_ALONE };

	if (follower->ruleset->policy->device == NULL) {
		const char *name = cisco_list_name(follower->pool, follower->settings, packet->family);

		if (packet->hook != HOOK_OUTPUT && acl_list_find(follower->config, packet->family, name) != NULL)
			(void)add_step(&following, alone, name, packet);
		return following.path;
	}
	if (packet->in != NULL && !enter(&following, packet))
		return following.path;
	if (packet->hook == HOOK_FORWARD && packet->out != NULL)
		leave(&following, packet, leaves);
	return following.path;
}

/* --- words ------------------------------------------------------------------------------------------ */

const char *cisco_step_word(enum cisco_step_kind kind)
{
	static const char *const words[] = {
		[CISCO_STEP_ALONE] = "alone", [CISCO_STEP_IN] = "in", [CISCO_STEP_OUT] = "out",
		[CISCO_STEP_FROM_TUNNEL] = "from-tunnel", [CISCO_STEP_TO_TUNNEL] = "to-tunnel",
	};

	return words[kind];
}

void cisco_step_format(struct text *out, const struct cisco_step *step)
{
	static const char *const words[] = {
		[CISCO_STEP_ALONE] = "", [CISCO_STEP_IN] = "in on ", [CISCO_STEP_OUT] = "out on ",
		[CISCO_STEP_FROM_TUNNEL] = "out of the tunnel on ",
		[CISCO_STEP_TO_TUNNEL] = "into the tunnel on ",
	};

	if (step->interface != NULL)
		text_addf(out, "%s%s: ", words[step->kind], step->interface);
	text_addf(out, "list %s, ", step->list);
	if (step->entry != NULL)
		text_addf(out, "entry %u: %s", step->sequence, step->entry);
	else if (step->is_missing)
		text_add(out, "which is missing: everything passes");
	else
		text_addf(out, "its end: %s", step->is_permitted ? "permit" : "deny");
}
