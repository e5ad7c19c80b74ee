/* Whether the ends of tunnels fit together.
 *
 * Both ends are made from the same lines, so that they mirror each other; what is left to go wrong is
 * what the lines say. Messages name both ends in the tunnel's order: they are the same from each. */
#include "target/cisco/device/tunnel.h"

#include <string.h>

#include "base/pool.h"
#include "target/cisco/model/form.h"

#define NAME_LONGEST 40 /* names of lists are this and a prefix and a suffix: IOS takes 64 */

/* `way` out of it, or NULL: the message says it. */
static bool report(struct device_lowering *lowering, enum code code, struct span span, const char *way,
		   const char *format, ...) __attribute__((format(printf, 5, 6)));

static bool report(struct device_lowering *lowering, enum code code, struct span span, const char *way,
		   const char *format, ...)
{
	struct text *message = text_new(lowering->pool);
	va_list arguments;
	va_start(arguments, format);
	text_addv(message, format, arguments);
	va_end(arguments);
	struct diagnostic *error = diag_add(lowering->diags, code, span, "%s", message->bytes);
	if (way != NULL)
		diag_note(lowering->diags, error, SPAN_NONE, "%s", way);
	return false;
}

/* --- one tunnel -------------------------------------------------------------------------------- */

static bool is_own(const struct device *device, const struct address *address)
{
	for (size_t i = 0; i < device->interfaces_count; i++)
		for (size_t j = 0; j < device->interfaces[i].addresses_count; j++) {
			const struct prefix *own = &device->interfaces[i].addresses[j];
			if (own->family == address->family && own->value == address->value)
				return true;
		}
	return false;
}

static bool check_addresses(struct device_lowering *lowering, const struct tunnel_side *side)
{
	const struct tunnel_end *far = &side->tunnel->ends[1 - side->end];
	if (side->here.family != side->there.family)
		return report(lowering, CODE_TUNNEL_CLASH, far->span,
			      "both ends need an address of one family, IPv4 for a crypto map",
			      "the ends of tunnel '%s' have addresses of different families",
			      side->tunnel->name);
	if (side->here.family != FAMILY_IPV4)
		return report(lowering, CODE_TARGET_CANNOT, far->span,
			      "name a peer by its IPv4 address",
			      "IOS's crypto maps join IPv4 addresses, and %s is none",
			      form_address(lowering->pool, &side->there));
	if (is_own(lowering->device, &side->there))
		return report(lowering, CODE_TUNNEL_CLASH, far->span,
			      "name the other machine's address",
			      "the peer %s is an address of device '%s' itself",
			      form_address(lowering->pool, &side->there), lowering->device->name);
	return true;
}

/* A network of the device that stands on the other's side of `carry`; NULL: none. */
static const char *misplaced(struct device_lowering *lowering, const struct device *device,
			     const struct address_set *other_side)
{
	for (size_t i = 0; device != NULL && i < device->interfaces_count; i++)
		for (size_t j = 0; j < device->interfaces[i].addresses_count; j++) {
			struct prefix network = prefix_network(&device->interfaces[i].addresses[j]);
			struct interval interval = prefix_interval(&network);
			const struct interval_set set = { &interval, 1, 1 };
			struct text *text = text_new(lowering->pool);
			if (!interval_set_overlaps(address_set_family(other_side, network.family), &set))
				continue;
			prefix_format(text, &network);
			return text->bytes;
		}
	return NULL;
}

static bool check_carry(struct device_lowering *lowering, const struct tunnel *tunnel,
			const struct tunnel_carry *carry)
{
	if ((address_set_families(&carry->left) | address_set_families(&carry->right)) != FAMILIES_IPV4)
		return report(lowering, CODE_TARGET_CANNOT, carry->span,
			      "carry IPv4 networks, and leave the others to a tunnel interface made by hand",
			      "IOS's crypto maps carry IPv4 alone");
	for (size_t end = 0; end < 2; end++) {
		const struct device *device = tunnel->ends[end].device;
		const struct address_set *other = end == 0 ? &carry->right : &carry->left;
		const char *network = misplaced(lowering, device, other);
		if (network != NULL)
			return report(lowering, CODE_TUNNEL_CLASH, carry->span,
				      "left of '<->' stands what is behind the end that 'between' names first",
				      "%s is a network of '%s', and stands on the other side",
				      network, device->name);
	}
	return true;
}

bool tunnel_side_check(struct device_lowering *lowering, const struct tunnel_side *side)
{
	const struct tunnel *tunnel = side->tunnel;
	bool is_good = check_addresses(lowering, side);
	for (size_t i = 0; i < tunnel->carries_count; i++)
		is_good = check_carry(lowering, tunnel, &tunnel->carries[i]) && is_good;
	if (strlen(side->name) > NAME_LONGEST)
		is_good = report(lowering, CODE_DEVICE_NAME, tunnel->span, "give it a shorter name",
				 "the tunnel's name has more than the %d characters that IOS has room for",
				 NAME_LONGEST);
	return is_good;
}

/* --- two tunnels --------------------------------------------------------------------------------- */

static bool is_same_key(const struct tunnel *a, const struct tunnel *b)
{
	if (a->key_env != NULL && b->key_env != NULL)
		return strcmp(a->key_env, b->key_env) == 0;
	return a->key_file != NULL && b->key_file != NULL && strcmp(a->key_file, b->key_file) == 0;
}

/* Carried by a and by b: the line of b, or NULL. */
static const struct tunnel_carry *shared_carry(const struct tunnel_side *a, const struct tunnel_side *b)
{
	for (size_t i = 0; i < b->tunnel->carries_count; i++)
		for (size_t j = 0; j < a->tunnel->carries_count; j++)
			if (address_set_overlaps(carry_near(a, j), carry_near(b, i)) &&
			    address_set_overlaps(carry_far(a, j), carry_far(b, i)))
				return &b->tunnel->carries[i];
	return NULL;
}

/* a stands before b in the file. */
static bool check_pair(struct device_lowering *lowering, const struct tunnel_side *a,
		       const struct tunnel_side *b)
{
	const struct tunnel_carry *shared = shared_carry(a, b);
	if (shared != NULL)
		return report(lowering, CODE_TUNNEL_CLASH, shared->span,
			      "a packet goes through one tunnel: take what is carried twice out of one of them",
			      "tunnel '%s' carries a part of this on device '%s', too", a->tunnel->name,
			      lowering->device->name);
	if (a->there.value == b->there.value && !is_same_key(a->tunnel, b->tunnel))
		return report(lowering, CODE_TUNNEL_CLASH, b->tunnel->key_span,
			      "write the same 'key' line into both, or put their 'carry' lines into one tunnel",
			      "tunnel '%s' has another key for the same peer %s", a->tunnel->name,
			      form_address(lowering->pool, &b->there));
	if (a->there.value == b->there.value && !ike_words_are_same(&a->ike, &b->ike))
		return report(lowering, CODE_TUNNEL_CLASH, b->tunnel->span,
			      "write the same 'ike' block into both, or put their 'carry' lines into one tunnel",
			      "tunnel '%s' has another 'ike' block for the same peer %s", a->tunnel->name,
			      form_address(lowering->pool, &b->there));
	if (strcasecmp(a->name, b->name) == 0)
		return report(lowering, CODE_DEVICE_NAME, b->tunnel->span, "rename one of them",
			      "IOS cannot tell the names of the tunnels '%s' and '%s' apart",
			      a->tunnel->name, b->tunnel->name);
	return true;
}

bool tunnel_sides_check(const struct tunnel_sides *sides)
{
	bool is_good = true;
	for (size_t b = 1; b < sides->items_count; b++)
		for (size_t a = 0; a < b; a++)
			is_good = check_pair(sides->lowering, &sides->items[a], &sides->items[b]) &&
				  is_good;
	return is_good;
}
