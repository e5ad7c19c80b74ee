/* Places where packets enter -> the list that the text binds there -> two functions on packets. */
#include "target/cisco/prove/prove.h"

#include <string.h>
#include <strings.h>

#include "base/names.h"
#include "base/pool.h"
#include "base/text.h"
#include "net/protocol.h"
#include "net/week.h"
#include "target/cisco/read/read.h"
#include "target/cisco/prove/given.h"
#include "target/cisco/prove/static.h"
#include "target/cisco/prove/translated.h"
#include "target/cisco/prove/wanted.h"

/* bytes of the lists' text; an entry has about 80 */
#define TEXT_MOST ((size_t)8 << 20)

#define LIST_NAME "FWC" /* manual, "compile --name" */
#define TCP_SYN 2u

struct proving {
	void *pool;
	const struct cisco_proof_subject *subject;
	const struct device *device; /* or NULL */
	struct diags *diags;         /* the reader's */
	const struct acl_config *config;
	struct packet_universe *universe;
	struct packet_space *space;  /* one for all lists: what they share is worked out once */
	packet_set scopes[2];        /* scope_of, by family, once it was asked */
	bool has_scope[2];
	bool has_times;              /* rules look at the clock */
	struct cisco_proof proof;
};

/* One list at one place. */
struct proving_place {
	struct wanted_place wanted;
	const char *where;
	const char *name;            /* of the list */
	const char *announced;       /* its name where answers were announced; NULL: no answers */
};

static bool is_open(const struct proving *proving)
{
	return proving->proof.result == CISCO_PROOF_EQUAL;
}

/* --- what was found --------------------------------------------------------------------------------- */

static bool fail(struct proving *proving, const char *where, const char *wanted, const char *found)
{
	proving->proof.result = CISCO_PROOF_DIFFERS;
	proving->proof.where = where;
	proving->proof.wanted = wanted;
	proving->proof.found = found;
	return false;
}

/* The reader's first words. */
static bool unreadable(struct proving *proving, enum cisco_proof_result result)
{
	const struct diags *diags = proving->diags;

	proving->proof.result = result;
	proving->proof.reason = "the text was not understood";
	for (size_t index = 0; index < diags->items_count; index++)
		if (diags->items[index]->severity == SEVERITY_ERROR) {
			proving->proof.reason = diags->items[index]->message;
			proving->proof.place = diags->items[index]->span;
			break;
		}
	return false;
}

static const char *packet_words(struct proving *proving, const struct packet_point *point)
{
	struct packet packet = packet_of_point(proving->universe, point);
	struct text *out = text_new(proving->pool);
	unsigned flags = (unsigned)point->fields[FIELD_FLAGS];

	packet.in = packet.out = NULL;
	packet_format(out, &packet);
	if (packet.protocol == PROTOCOL_TCP && (flags & 0x14) != 0)
		text_add(out, (flags & 0x10) != 0 ? " with ACK" : " with RST");
	if (proving->has_times) {
		text_add(out, " on ");
		week_format(out, packet.minute * 60);
		text_add(out, " UTC");
	}
	return out->bytes;
}

/* The rule that decides: a map of all of them, in a space of its own. */
static struct span origin_of(struct proving *proving, void *pool, const struct proving_place *place,
			     const struct packet_point *point)
{
	struct packet_space *space = packet_space_new(pool, proving->universe, PACKET_ORDER_SAFE, 0);
	packet_map wanted = wanted_map(pool, space, &place->wanted);

	return packet_space_is_over(space) ? SPAN_NONE :
	       wanted_origin(&place->wanted, packet_map_at(space, wanted, point));
}

static void describe(struct proving *proving, void *pool, const struct proving_place *place,
		     const struct given_list *given, const struct packet_point *point, bool is_wanted)
{
	const struct acl_entry *entry = NULL;
	bool is_permitted = false;
	size_t index = 0;

	while (index < given->rules.items_count && !packet_box_holds(&given->rules.items[index].box, point))
		index++;
	if (index < given->rules.items_count) {
		entry = given->entries[index];
		is_permitted = given->rules.items[index].number == 1;
	}
	(void)fail(proving, place->where, is_wanted ? "allowed" : "denied",
		   is_permitted ? "permitted" : "denied");
	proving->proof.packet = packet_words(proving, point);
	proving->proof.origin = origin_of(proving, pool, place, point);
	proving->proof.entry = entry != NULL ? entry->span : SPAN_NONE;
}

/* --- one list --------------------------------------------------------------------------------------- */

/* Packets that can be, whole or first fragments, of the family. */
static packet_set scope_of(struct proving *proving, enum family family)
{
	struct packet_space *space = proving->space;
	bool is_asked[PACKET_FIELDS] = { 0 };
	packet_set scope;

	if (proving->has_scope[family])
		return proving->scopes[family];
	is_asked[FIELD_HOOK] = is_asked[FIELD_FAMILY] = is_asked[FIELD_PROTOCOL] = true;
	is_asked[FIELD_SOURCE] = is_asked[FIELD_DESTINATION] = is_asked[FIELD_FLAGS] = true;
	is_asked[FIELD_FIRST] = is_asked[FIELD_SECOND] = true;
	scope = packet_set_possible_of(space, is_asked);
	scope = packet_set_intersect(space, scope, packet_set_value(space, FIELD_HOOK, HOOK_FORWARD));
	scope = packet_set_intersect(space, scope, packet_set_value(space, FIELD_FAMILY, family));
	scope = packet_set_intersect(space, scope, packet_set_value(space, FIELD_FRAGMENT, 0));
	proving->has_scope[family] = true;
	return proving->scopes[family] = scope;
}

static packet_set with_answers(struct proving *proving, const struct proving_place *place, packet_set set)
{
	struct packet_space *space = proving->space;
	const struct ios_config *announced = proving->subject->announced;

	for (size_t index = 0; place->announced != NULL && index < announced->lists_count; index++) {
		const struct ios_list *list = announced->lists[index];

		if (list->family != place->wanted.family || strcmp(list->name, place->announced) != 0)
			continue;
		for (size_t box = 0; box < list->answers_count; box++)
			set = packet_set_union(space, set, packet_set_box(space, &list->answers[box]));
	}
	return set;
}

static struct given_context given_context_of(const struct proving *proving, void *pool)
{
	return (struct given_context){
		.pool = pool,
		.diags = proving->diags,
		.config = proving->config,
		.universe = proving->universe,
		.timezone_s = proving->subject->ruleset->policy->timezone_s,
	};
}

static bool given_make(struct proving *proving, void *pool, const struct proving_place *place,
		       struct given_list *given)
{
	struct given_context context = given_context_of(proving, pool);
	context.is_without_later = true; /* no packet of scope_of is one */

	return given_list_make(&context, place->wanted.family,
			       acl_list_find(proving->config, place->wanted.family, place->name), given);
}

/* Answers of protocol 0, which no entry can speak of alone, are told with the others and may be denied. */
static bool compare(struct proving *proving, void *pool, struct proving_place *place, packet_map found)
{
	struct packet_space *space = proving->space;
	packet_set first = wanted_set(pool, space, &place->wanted);
	packet_set allowed = with_answers(proving, place, first);
	packet_set unwritten = packet_set_intersect(space, packet_set_subtract(space, allowed, first),
						    packet_set_value(space, FIELD_PROTOCOL, 0));
	packet_set difference = packet_set_subtract(space, packet_map_difference(space, found, allowed), unwritten);
	struct packet_point point;
	struct given_list given;

	difference = packet_set_intersect(space, difference, scope_of(proving, place->wanted.family));
	if (packet_space_is_over(space)) {
		proving->proof.result = CISCO_PROOF_UNDECIDED;
		proving->proof.reason = "the comparison needs more memory than it may have";
		return false;
	}
	if (!packet_set_example(space, difference, &point))
		return true;
	if (given_make(proving, pool, place, &given))
		describe(proving, pool, place, &given, &point, packet_map_at(space, first, &point) != 0);
	return false;
}

/* What the list does. Its rules of packets are many bytes, and only its map is kept beside those of the policy.
 * false: not understood. */
static bool found_map(struct proving *proving, const struct proving_place *place, packet_map *found)
{
	void *pool = pool_child(proving->pool, "given");
	struct given_list given;
	bool is_read = given_make(proving, pool, place, &given);

	if (is_read)
		*found = packet_map_first_match(proving->space, given.rules.items, given.rules.items_count, 0);
	talloc_free(pool);
	return is_read;
}

/* A list that the text binds and does not have permits everything. */
static bool prove_place(struct proving *proving, struct proving_place *place)
{
	void *pool = pool_child(proving->pool, "list");
	const struct acl_list *list = acl_list_find(proving->config, place->wanted.family, place->name);
	packet_map found;
	bool is_equal = found_map(proving, place, &found);

	if (!is_equal)
		(void)unreadable(proving, CISCO_PROOF_UNREADABLE);
	else
		is_equal = compare(proving, pool, place, found);
	proving->proof.lists++;
	proving->proof.entries += list != NULL ? list->entries_count : 0;
	talloc_free(pool);
	return is_equal;
}

/* --- a list without a device ------------------------------------------------------------------------ */

/* Whether rules of what is forwarded speak of the family; of IPv6: alone. */
static bool needs_family(const struct ruleset *ruleset, enum family family)
{
	size_t count = ruleset->rules_count[HOOK_FORWARD];

	for (size_t index = 0; index < count; index++) {
		unsigned families = ruleset->rules[HOOK_FORWARD][index]->match.families;

		if (family == FAMILY_IPV4 ? (families & FAMILIES_IPV4) != 0 : families == FAMILIES_IPV6)
			return true;
	}
	return count == 0 && family == FAMILY_IPV4;
}

/* A number is no name, and has this before it. */
static bool is_swapped_name(const char *name, const char *base)
{
	size_t length = strlen(base);

	if (base[0] >= '0' && base[0] <= '9') {
		if (strncmp(name, LIST_NAME "-", sizeof LIST_NAME) != 0)
			return false;
		name += sizeof LIST_NAME;
	}
	return strncmp(name, base, length) == 0 && name[length] == '-' &&
	       strspn(name + length + 1, "0123456789abcdef-") == strlen(name + length + 1);
}

/* The list of this name, or what it was swapped for. */
static const char *lone_name(struct proving *proving, enum family family, const char *base)
{
	const struct acl_config *config = proving->config;
	const struct acl_list *swapped = NULL;

	if (acl_list_find(config, family, base) != NULL)
		return base;
	for (size_t index = 0; index < config->lists_count; index++)
		if (config->lists[index]->family == family &&
		    is_swapped_name(config->lists[index]->name, base))
			swapped = config->lists[index];
	return swapped != NULL ? swapped->name : NULL;
}

static bool prove_named(struct proving *proving, enum family family, const char *name, const char *base)
{
	struct proving_place place = {
		.wanted = { .ruleset = proving->subject->ruleset, .family = family },
		.where = pool_format(proving->pool, "list '%s'", name),
		.name = name,
		.announced = base,
	};

	return prove_place(proving, &place);
}

/* Wherever the text binds it, under its name or what it was swapped for: false, an error or nowhere. */
static bool prove_bound(struct proving *proving, enum family family, const char *base)
{
	struct names *proved = names_new(proving->pool, false);
	bool is_bound = false;

	for (size_t index = 0; index < proving->config->interfaces_count; index++) {
		const struct acl_interface *interface = proving->config->interfaces[index];

		for (size_t other = 0; other < interface->bindings_count && is_open(proving); other++) {
			const struct acl_binding *bound = &interface->bindings[other];

			if (bound->family != family ||
			    (strcmp(bound->list, base) != 0 && !is_swapped_name(bound->list, base)) ||
			    names_find(proved, bound->list, strlen(bound->list)) != NULL)
				continue;
			(void)names_set(proved, bound->list, strlen(bound->list), proved);
			is_bound = prove_named(proving, family, bound->list, base);
		}
	}
	return is_bound;
}

const char *cisco_list_name(void *pool, const struct cisco_settings *settings, enum family family)
{
	const char *base = settings->name != NULL ? settings->name : LIST_NAME;

	if (settings->number != 0)
		return pool_format(pool, "%u", settings->number);
	return family == FAMILY_IPV6 ? pool_format(pool, "%s-IPV6", base) : base;
}

static bool prove_lone(struct proving *proving, enum family family)
{
	const char *base = cisco_list_name(proving->pool, proving->subject->settings, family), *name;

	if (prove_bound(proving, family, base) || !is_open(proving))
		return is_open(proving);
	name = lone_name(proving, family, base);
	if (name == NULL)
		return !needs_family(proving->subject->ruleset, family) ||
		       fail(proving, pool_format(proving->pool, "list '%s'", base), "a list", "missing");
	return prove_named(proving, family, name, base);
}

/* --- a device --------------------------------------------------------------------------------------- */

static const struct acl_binding *binding_find(const struct acl_binding *bindings, size_t count,
					      enum family family, enum acl_direction direction)
{
	for (size_t index = 0; index < count; index++)
		if (bindings[index].family == family && bindings[index].direction == direction)
			return &bindings[index];
	return NULL;
}

/* Whether anything that comes out of this list was stopped by it: outbound lists are there for what they
 * remember. */
static bool prove_outbound(struct proving *proving, const struct acl_binding *binding, const char *where)
{
	void *pool = pool_child(proving->pool, "outbound");
	const struct given_context context = given_context_of(proving, pool);
	const struct acl_list *list = acl_list_find(proving->config, binding->family, binding->list);
	struct packet_space *space = proving->space;
	struct packet_point point;
	struct given_list given;
	packet_set stopped;

	if (!given_list_make(&context, binding->family, list, &given))
		return unreadable(proving, CISCO_PROOF_UNREADABLE);
	stopped = packet_map_first_match(space, given.rules.items, given.rules.items_count, 0);
	stopped = packet_set_subtract(space, scope_of(proving, binding->family), stopped);
	if (packet_set_example(space, stopped, &point)) {
		(void)fail(proving, where, "let out", "stopped on its way out");
		proving->proof.packet = packet_words(proving, &point);
		proving->proof.entry = binding->span;
	}
	proving->proof.lists++;
	proving->proof.entries += list != NULL ? list->entries_count : 0;
	talloc_free(pool);
	return is_open(proving);
}

/* The name under which answers were announced: its own, or that from before a swap. */
static const char *announced_name(const struct proving *proving, enum family family, const char *name)
{
	const struct ios_config *announced = proving->subject->announced;
	const char *found = NULL;

	for (size_t index = 0; index < announced->lists_count; index++) {
		const struct ios_list *list = announced->lists[index];

		if (list->family != family)
			continue;
		if (strcmp(list->name, name) == 0)
			return list->name;
		if (is_swapped_name(name, list->name))
			found = list->name;
	}
	return found;
}

static bool is_reflected(const struct acl_list *list, const char *name)
{
	for (size_t index = 0; list != NULL && index < list->entries_count; index++)
		if (list->entries[index]->reflect != NULL && strcmp(list->entries[index]->reflect, name) == 0)
			return true;
	return false;
}

/* What the inbound list evaluates, the outbound one of the same interface has to remember. */
static bool prove_reflections(struct proving *proving, const struct acl_binding *in,
			      const struct acl_binding *out, const char *where)
{
	const struct acl_list *list = acl_list_find(proving->config, in->family, in->list);
	const struct acl_list *outbound =
		out != NULL ? acl_list_find(proving->config, out->family, out->list) : NULL;

	for (size_t index = 0; list != NULL && index < list->entries_count; index++) {
		const struct acl_entry *entry = list->entries[index];

		if (entry->kind != ACL_ENTRY_EVALUATE || is_reflected(outbound, entry->evaluate))
			continue;
		proving->proof.entry = entry->span;
		return fail(proving, where, "open to answers", "not: no outbound list there reflects to this");
	}
	return true;
}

static bool prove_interface(struct proving *proving, const struct device_interface *interface,
			    enum family family)
{
	const struct acl_interface *read = acl_interface_find(proving->config, interface->name);
	const struct acl_binding *in = NULL, *out = NULL;
	struct proving_place place = { .wanted = {
		.ruleset = proving->subject->ruleset,
		.device = proving->device,
		.interface = interface->name,
		.family = family,
	} };

	if (read != NULL) {
		in = binding_find(read->bindings, read->bindings_count, family, ACL_IN);
		out = binding_find(read->bindings, read->bindings_count, family, ACL_OUT);
	}
	place.where = pool_format(proving->pool, "%s of interface '%s'",
				  family == FAMILY_IPV6 ? "IPv6" : "IPv4", interface->name);
	if (in == NULL)
		return fail(proving, place.where, "filtered inbound", "not filtered: no list is bound there");
	place.name = in->list;
	place.announced = announced_name(proving, family, in->list);
	return prove_place(proving, &place) && prove_reflections(proving, in, out, place.where) &&
	       (out == NULL || prove_outbound(proving, out, place.where));
}

/* A zone's interfaces are filtered; nothing else is bound anywhere. */
static bool prove_strangers(struct proving *proving)
{
	for (size_t index = 0; index < proving->config->interfaces_count; index++) {
		const struct acl_interface *read = proving->config->interfaces[index];
		bool is_known = proving->subject->has_others;

		for (size_t other = 0; other < proving->device->interfaces_count; other++)
			if (strcasecmp(proving->device->interfaces[other].name, read->name) == 0)
				is_known = proving->device->interfaces[other].zone != NULL;
		if (!is_known && read->bindings_count > 0) {
			proving->proof.entry = read->bindings[0].span;
			return fail(proving, pool_format(proving->pool, "interface '%s'", read->name),
				    "not filtered", "filtered by a list");
		}
	}
	return true;
}

/* --- tunnels ---------------------------------------------------------------------------------------- */

struct proving_tunnel {
	const struct tunnel *tunnel;
	unsigned end; /* of this device */
	const struct device_interface *interface;
	const char *peer;
	struct address_set far;
};

static const struct address_set *carried(const struct tunnel_carry *carry, unsigned end)
{
	return end == 0 ? &carry->left : &carry->right;
}

static packet_set carried_set(struct packet_space *space, const struct proving_tunnel *tunnel)
{
	static const struct interval v4 = { FAMILY_IPV4, FAMILY_IPV4 };
	static const struct interval_set families = { (struct interval *)&v4, 1, 1 };
	packet_set sum = packet_set_none();

	for (size_t index = 0; index < tunnel->tunnel->carries_count; index++) {
		const struct tunnel_carry *carry = &tunnel->tunnel->carries[index];
		const struct packet_box box = { .fields = {
			[FIELD_FAMILY] = &families,
			[FIELD_SOURCE] = &carried(carry, tunnel->end)->v4,
			[FIELD_DESTINATION] = &carried(carry, 1 - tunnel->end)->v4,
		} };

		sum = packet_set_union(space, sum, packet_set_box(space, &box));
	}
	return sum;
}

/* Whether the list permits what the tunnel carries and nothing else. */
static bool prove_carried(struct proving *proving, const struct proving_tunnel *tunnel, const char *name,
			  const char *where)
{
	void *pool = pool_child(proving->pool, "carried");
	const struct given_context context = { pool, proving->diags, proving->config, proving->universe, 0 };
	const struct acl_list *list = acl_list_find(proving->config, FAMILY_IPV4, name);
	struct packet_space *space = proving->space;
	struct packet_point point;
	struct given_list given;
	packet_set permitted, difference;

	if (!given_list_make(&context, FAMILY_IPV4, list, &given))
		return unreadable(proving, CISCO_PROOF_UNREADABLE);
	permitted = packet_map_first_match(space, given.rules.items, given.rules.items_count, 0);
	difference = packet_map_difference(space, permitted, carried_set(space, tunnel));
	difference = packet_set_intersect(space, difference, scope_of(proving, FAMILY_IPV4));
	if (packet_set_example(space, difference, &point)) {
		bool is_permitted = packet_map_at(space, permitted, &point) != 0;

		(void)fail(proving, where, is_permitted ? "not carried" : "carried",
			   is_permitted ? "permitted by the list" : "denied by the list");
		proving->proof.packet = packet_words(proving, &point);
		proving->proof.origin = tunnel->tunnel->span;
	}
	proving->proof.lists++;
	proving->proof.entries += list != NULL ? list->entries_count : 0;
	talloc_free(pool);
	return is_open(proving);
}

static bool prove_map(struct proving *proving, const struct proving_tunnel *tunnel,
		      const struct acl_crypto_map *map)
{
	const struct acl_binding *clear = binding_find(map->bindings, map->bindings_count, FAMILY_IPV4, ACL_IN);
	const char *where = pool_format(proving->pool, "crypto list '%s'", map->list != NULL ? map->list : "");
	struct proving_place place = { .wanted = {
		.ruleset = proving->subject->ruleset,
		.device = proving->device,
		.interface = tunnel->interface->name,
		.far = &tunnel->far,
		.family = FAMILY_IPV4,
	} };

	if (map->list == NULL || !prove_carried(proving, tunnel, map->list, where))
		return map->list != NULL ? false : fail(proving, where, "carried", "no list says what is");
	place.where = pool_format(proving->pool, "what comes out of tunnel '%s'", tunnel->tunnel->name);
	if (clear == NULL)
		return fail(proving, place.where, "filtered", "not filtered: no list is bound there");
	place.name = clear->list;
	place.announced = announced_name(proving, FAMILY_IPV4, clear->list);
	return prove_place(proving, &place);
}

static bool prove_tunnel(struct proving *proving, const struct proving_tunnel *tunnel)
{
	const struct acl_config *config = proving->config;
	const struct acl_interface *read = acl_interface_find(config, tunnel->interface->name);

	for (size_t index = 0; read != NULL && read->crypto_map != NULL && index < config->crypto_maps_count;
	     index++) {
		const struct acl_crypto_map *map = config->crypto_maps[index];

		if (strcmp(map->name, read->crypto_map) == 0 && map->peers_count == 1 &&
		    strcmp(map->peers[0], tunnel->peer) == 0)
			return prove_map(proving, tunnel, map);
	}
	return fail(proving, pool_format(proving->pool, "tunnel '%s'", tunnel->tunnel->name), "carried",
		    "not: no crypto map names this peer");
}

static struct proving_tunnel end_of(struct proving *proving, const struct tunnel *tunnel, unsigned end)
{
	struct proving_tunnel result = {
		.tunnel = tunnel,
		.end = end,
		.interface = tunnel_interface(&tunnel->ends[end]),
	};

	for (size_t index = 0; index < tunnel->carries_count; index++)
		result.far = address_set_union(proving->pool, &result.far,
					       carried(&tunnel->carries[index], 1 - end));
	return result;
}

static bool prove_end(struct proving *proving, struct proving_tunnel *proved)
{
	struct text *peer = text_new(proving->pool);
	struct address address;

	if (proved->interface == NULL || !tunnel_end_address(&proved->tunnel->ends[1 - proved->end], &address))
		return true;
	address_format(peer, &address);
	proved->peer = peer->bytes;
	return prove_tunnel(proving, proved);
}

static bool is_end(const struct proving *proving, const struct tunnel *tunnel, unsigned end)
{
	return tunnel->ends[end].device != NULL &&
	       strcmp(tunnel->ends[end].device->name, proving->device->name) == 0;
}

/* Gives what they carry, for translations come before encryption. */
static packet_set prove_tunnels(struct proving *proving)
{
	const struct policy *policy = proving->subject->ruleset->policy;
	packet_set sum = packet_set_none();

	for (size_t index = 0; index < policy->tunnels_count; index++)
		for (unsigned end = 0; end < 2 && is_open(proving); end++) {
			struct proving_tunnel tunnel;

			if (!is_end(proving, policy->tunnels[index], end))
				continue;
			tunnel = end_of(proving, policy->tunnels[index], end);
			sum = packet_set_union(proving->space, sum, carried_set(proving->space, &tunnel));
			(void)prove_end(proving, &tunnel);
		}
	return sum;
}

/* What tunnels carry is not translated, and says so where it is. */
static struct span carried_origin(struct proving *proving, const struct packet_point *point)
{
	const struct policy *policy = proving->subject->ruleset->policy;

	for (size_t index = 0; index < policy->tunnels_count; index++)
		for (unsigned end = 0; end < 2; end++) {
			struct proving_tunnel tunnel;

			if (!is_end(proving, policy->tunnels[index], end))
				continue;
			tunnel = end_of(proving, policy->tunnels[index], end);
			if (packet_map_at(proving->space, carried_set(proving->space, &tunnel), point) != 0)
				return tunnel.tunnel->span;
		}
	return SPAN_NONE;
}

static void prove_translations(struct proving *proving, packet_set all_carried)
{
	const struct translated_subject subject = {
		.pool = proving->pool,
		.space = proving->space,
		.universe = proving->universe,
		.diags = proving->diags,
		.config = proving->config,
		.ruleset = proving->subject->ruleset,
		.carried = all_carried,
		.scope = scope_of(proving, FAMILY_IPV4),
	};
	const struct translated_difference difference = translated_compare(&subject);
	struct span origin = SPAN_NONE;

	proving->proof.lists += difference.lists;
	proving->proof.entries += difference.entries;
	proving->proof.unasked = difference.unasked;
	if (difference.is_unreadable)
		(void)unreadable(proving, CISCO_PROOF_UNREADABLE);
	if (difference.is_unreadable || difference.where == NULL)
		return;
	(void)fail(proving, difference.where, difference.wanted, difference.found);
	proving->proof.entry = difference.entry;
	if (difference.has_point) {
		proving->proof.packet = packet_words(proving, &difference.point);
		origin = carried_origin(proving, &difference.point);
	}
	proving->proof.origin = origin.source != SPAN_NONE.source ? origin : difference.origin;
}

static void prove_ports(struct proving *proving)
{
	const struct static_difference difference =
		static_compare(proving->pool, proving->subject->ruleset, proving->config);

	if (difference.where == NULL)
		return;
	(void)fail(proving, difference.where, difference.wanted, difference.found);
	proving->proof.origin = difference.origin;
	proving->proof.entry = difference.entry;
}

/* --- all of it -------------------------------------------------------------------------------------- */

static void prove_device(struct proving *proving)
{
	const struct device *device = proving->device;
	packet_set all_carried = packet_set_none();
	bool has_ipv6 = false, has_ipv4 = false;

	for (size_t index = 0; index < device->interfaces_count; index++) {
		const struct device_interface *interface = &device->interfaces[index];

		/* without any, it may get one of IPv4 */
		has_ipv4 = has_ipv4 || (interface->zone != NULL && interface->addresses_count == 0);
		for (size_t other = 0; other < interface->addresses_count; other++)
			if (interface->addresses[other].family == FAMILY_IPV6)
				has_ipv6 = true;
			else
				has_ipv4 = true;
	}
	for (size_t index = 0; index < device->interfaces_count && is_open(proving); index++) {
		if (device->interfaces[index].zone == NULL)
			continue;
		if (has_ipv4 || !has_ipv6)
			(void)prove_interface(proving, &device->interfaces[index], FAMILY_IPV4);
		if (has_ipv6 && is_open(proving))
			(void)prove_interface(proving, &device->interfaces[index], FAMILY_IPV6);
	}
	if (is_open(proving))
		(void)prove_strangers(proving);
	if (is_open(proving))
		all_carried = prove_tunnels(proving);
	if (is_open(proving))
		prove_translations(proving, all_carried);
	if (is_open(proving))
		prove_ports(proving);
}

static bool has_times(const struct ruleset *ruleset)
{
	for (enum hook hook = HOOK_INPUT; hook < HOOK_OUTPUT; hook++)
		for (size_t index = 0; index < ruleset->rules_count[hook]; index++)
			if (ruleset->rules[hook][index]->match.minutes != NULL)
				return true;
	return false;
}

/* So long a text is past the space's memory: that is said before the memory is used up. */
static bool is_too_long(const struct cisco_proof_subject *subject)
{
	size_t bytes = 0;

	for (size_t index = 0; index < subject->texts_count; index++)
		bytes += subject->sources->items[subject->texts[index]]->length;
	return bytes > TEXT_MOST;
}

struct cisco_proof cisco_prove(void *pool, const struct cisco_proof_subject *subject)
{
	struct proving proving = {
		.pool = pool,
		.subject = subject,
		.device = subject->ruleset->policy->device,
		.diags = diags_new(pool, subject->sources),
		.universe = packet_universe_new(pool),
		.proof = { .origin = SPAN_NONE, .entry = SPAN_NONE, .place = SPAN_NONE,
			   .unasked = SPAN_NONE },
	};

	if (is_too_long(subject)) {
		proving.proof.result = CISCO_PROOF_UNDECIDED;
		proving.proof.reason = "the lists are longer than what fits the memory of a comparison, about "
				       "100,000 entries";
		return proving.proof;
	}
	packet_universe_add(proving.universe, subject->ruleset);
	for (size_t index = 0; proving.device != NULL && index < proving.device->interfaces_count; index++)
		packet_universe_add_interface(proving.universe, proving.device->interfaces[index].name);
	proving.config = acl_read_all(pool, proving.diags, subject->texts, subject->texts_count);
	if (diags_has_errors(proving.diags)) {
		(void)unreadable(&proving, CISCO_PROOF_UNREADABLE);
		return proving.proof;
	}
	given_ends_add(proving.config, subject->ruleset->policy->timezone_s, proving.universe);
	packet_universe_finish(proving.universe);
	proving.space = packet_space_new(pool, proving.universe, PACKET_ORDER_SAFE, 0);
	proving.has_times = has_times(subject->ruleset);
	if (proving.device != NULL) {
		prove_device(&proving);
		return proving.proof;
	}
	if (prove_lone(&proving, FAMILY_IPV4))
		(void)prove_lone(&proving, FAMILY_IPV6);
	return proving.proof;
}
