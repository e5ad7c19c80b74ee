/* Tables as fwc makes them, of the random rulesets that the unit tests use. */
#include "../unit/random_ruleset.h"
#include "../unit/unit.h"

#include "base/pool.h"
#include "models.h"

static uint64_t random_state;

/* What random_ruleset.c draws from: splitmix64, as in the unit tests. */
uint64_t unit_random(void)
{
	uint64_t mixed = random_state += 0x9e3779b97f4a7c15u;
	mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
	return mixed ^ (mixed >> 31);
}

unsigned unit_below(unsigned limit)
{
	return (unsigned)(unit_random() % limit);
}

void unit_random_seed(uint64_t seed)
{
	random_state = seed;
}

struct ruleset *random_policy(void *pool, unsigned long seed)
{
	static const struct ruleset_kind kinds[] = {
		{ .rules_most = 30, .has_rich_services = true },
		{ .rules_most = 24, .has_options = true, .has_interfaces = true, .has_addresses = true,
		  .has_ipv6 = true, .has_rich_services = true },
		{ .rules_most = 60, .has_interfaces = true, .has_addresses = true, .has_ipv6 = true,
		  .has_rich_services = true, .is_allow_mostly = true },
		{ .rules_most = 200, .has_options = true, .has_interfaces = true, .has_addresses = true,
		  .has_ipv6 = true, .has_rich_services = true, .addresses = 200 },
	};
	random_state = seed;
	return random_ruleset(pool, &kinds[seed % (sizeof kinds / sizeof kinds[0])]);
}

struct nft_table *random_table(void *pool, struct sources *sources, unsigned long seed)
{
	static const struct nft_settings settings = { .table = "fwc" };
	return nft_lower(pool, diags_new(pool, sources), random_policy(pool, seed), &settings);
}
