/* How the ends of tunnels agree on keys: IKE version 1 (`crypto isakmp`) and 2 (`crypto ikev2`), Cisco IOS
 * Security Command Reference. Policies and proposals are the router's, for all its peers: those that
 * several tunnels share stand once. */
#include "target/cisco/device/tunnel.h"

#include <string.h>

#include "base/pool.h"
#include "target/cisco/model/form.h"
#include "target/cisco/device/key.h"

struct keying {
	const struct tunnel_sides *sides;
	struct device_lowering *lowering;
	void *pool;
};

static void add_global(struct keying *keying, struct ios_block block)
{
	*pool_append(keying->pool, keying->lowering->config, globals) = block;
}

/* The sides of a version whose words no earlier one has: each gives a policy. */
static bool is_first(const struct tunnel_sides *sides, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (ike_words_are_same(&sides->items[i].ike, &sides->items[index].ike))
			return false;
	return true;
}

static bool is_first_peer(const struct tunnel_sides *sides, size_t index)
{
	const struct tunnel_side *side = &sides->items[index];
	return tunnel_peer_side(sides, side) == side;
}

/* A line with a key that is not shown is a comment: nobody gets a tunnel with a known key by it. */
static const char *comment(const struct keying *keying)
{
	return keying->lowering->settings->redacts ? "! " : "";
}

/* --- version 1 ------------------------------------------------------------------------------------ */

static void add_policy(struct keying *keying, const struct ike_words *words, unsigned number)
{
	struct ios_block policy = form_block(keying->pool, "crypto isakmp policy %u", number);
	form_line(keying->pool, &policy, "encryption %s", words->encryption);
	form_line(keying->pool, &policy, "authentication pre-share");
	form_line(keying->pool, &policy, "hash %s", words->hash);
	form_line(keying->pool, &policy, "group %s", words->group);
	if (words->lifetime_s != 0)
		form_line(keying->pool, &policy, "lifetime %u", words->lifetime_s);
	add_global(keying, policy);
}

static void add_version_1(struct keying *keying)
{
	const struct tunnel_sides *sides = keying->sides;
	unsigned number = 0;
	for (size_t i = 0; i < sides->items_count; i++) {
		const struct ike_words *words = &sides->items[i].ike;
		if (words->has_version_2 || !is_first(sides, i))
			continue;
		if (number == 0)
			add_global(keying, form_block(keying->pool, "crypto isakmp enable"));
		number += 10;
		add_policy(keying, words, number);
	}
	if (number != 0)
		add_global(keying, form_block(keying->pool, "crypto isakmp identity address"));
}

static void add_key(struct keying *keying, const struct tunnel_side *side)
{
	const char *key = key_read(keying->lowering, side->tunnel);
	if (key != NULL)
		add_global(keying, form_block(keying->pool, "%scrypto isakmp key 0 %s address %s",
					      comment(keying), key,
					      form_address(keying->pool, &side->there)));
}

/* --- version 2 ------------------------------------------------------------------------------------ */

const struct tunnel_side *tunnel_peer_side(const struct tunnel_sides *sides,
					    const struct tunnel_side *side)
{
	const struct tunnel_side *first = sides->items;
	while (first->there.value != side->there.value)
		first++;
	return first;
}

const char *tunnel_profile_name(void *pool, const struct tunnel_side *side)
{
	return pool_format(pool, "VPN-%s", side->name);
}

static void add_proposals(struct keying *keying)
{
	const struct tunnel_sides *sides = keying->sides;
	struct ios_block policy = form_block(keying->pool, "crypto ikev2 policy VPN");
	for (size_t i = 0; i < sides->items_count; i++) {
		const struct ike_words *words = &sides->items[i].ike;
		if (!words->has_version_2 || !is_first(sides, i))
			continue;
		const char *name = pool_format(keying->pool, "VPN-%zu", policy.lines_count + 1);
		struct ios_block proposal = form_block(keying->pool, "crypto ikev2 proposal %s", name);
		form_line(keying->pool, &proposal, "encryption %s", words->encryption);
		form_line(keying->pool, &proposal, "integrity %s", words->hash);
		form_line(keying->pool, &proposal, "group %s", words->group);
		add_global(keying, proposal);
		form_line(keying->pool, &policy, "proposal %s", name);
	}
	if (policy.lines_count != 0)
		add_global(keying, policy);
}

static void add_keyring(struct keying *keying, const struct tunnel_side *side)
{
	const char *name = tunnel_profile_name(keying->pool, side);
	const char *key = key_read(keying->lowering, side->tunnel);
	struct ios_block ring = form_block(keying->pool, "crypto ikev2 keyring %s", name);
	if (key == NULL)
		return;
	form_line(keying->pool, &ring, "peer %s", side->name);
	form_line(keying->pool, &ring, " address %s", form_address(keying->pool, &side->there));
	form_line(keying->pool, &ring, " %spre-shared-key 0 %s", comment(keying), key);
	add_global(keying, ring);
}

static void add_profile(struct keying *keying, const struct tunnel_side *side)
{
	const char *name = tunnel_profile_name(keying->pool, side);
	struct ios_block profile = form_block(keying->pool, "crypto ikev2 profile %s", name);
	form_line(keying->pool, &profile, "match identity remote address %s 255.255.255.255",
		  form_address(keying->pool, &side->there));
	form_line(keying->pool, &profile, "identity local address %s",
		  form_address(keying->pool, &side->here));
	form_line(keying->pool, &profile, "authentication remote pre-share");
	form_line(keying->pool, &profile, "authentication local pre-share");
	form_line(keying->pool, &profile, "keyring local %s", name);
	if (side->ike.lifetime_s != 0)
		form_line(keying->pool, &profile, "lifetime %u", side->ike.lifetime_s);
	add_global(keying, profile);
}

/* --- both ------------------------------------------------------------------------------------------- */

void tunnel_keys_lower(const struct tunnel_sides *sides)
{
	struct keying keying = { sides, sides->lowering, sides->lowering->pool };
	add_version_1(&keying);
	add_proposals(&keying);
	for (size_t i = 0; i < sides->items_count; i++) {
		const struct tunnel_side *side = &sides->items[i];
		if (!is_first_peer(sides, i))
			continue;
		if (!side->ike.has_version_2) {
			add_key(&keying, side);
			continue;
		}
		add_keyring(&keying, side);
		add_profile(&keying, side);
	}
}
