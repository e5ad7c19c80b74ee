/* Groups are numbered in the order of their first use. */
#include "target/cisco/groups.h"

#include "base/pool.h"

struct ios_place ios_place_of(enum family family, const struct prefix *prefix)
{
	unsigned free_bits = family_bits(family) - prefix->length;
	number128 wildcard = free_bits == 128 ? ~(number128)0 : ((number128)1 << free_bits) - 1;

	return (struct ios_place){ .value = prefix->value, .wildcard = wildcard };
}

static const struct ios_group *group_find(const struct ios_config *config, const struct address_set *addresses)
{
	for (size_t index = 0; index < config->groups_count; index++)
		if (!config->groups[index]->is_service &&
		    address_set_equals(config->groups[index]->addresses, addresses))
			return config->groups[index];
	return NULL;
}

struct ios_place group_place(void *pool, struct ios_config *config, const struct ios_cover *cover)
{
	struct address_set *addresses;
	const struct ios_group *known;
	struct ios_group *group;

	if (cover->prefixes_count == 1)
		return ios_place_of(FAMILY_IPV4, cover->prefixes);
	addresses = pool_new(pool, struct address_set);
	for (size_t index = 0; index < cover->prefixes_count; index++)
		address_set_add_prefix(pool, addresses, &cover->prefixes[index]);
	address_set_normalise(addresses);
	known = group_find(config, addresses);
	if (known == NULL) {
		known = group = pool_new(pool, struct ios_group);
		*group = (struct ios_group){
			.name = pool_format(pool, "FWC-NET-%zu", config->groups_count + 1),
			.family = FAMILY_IPV4,
			.addresses = addresses,
		};
		*pool_append(pool, config, groups) = group;
	}
	return (struct ios_place){ .group = known };
}
