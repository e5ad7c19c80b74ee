#include "target/cisco/replies/announced.h"

#include "base/pool.h"

void announced_add(void *pool, struct ios_list *list, const struct packet_box *box)
{
	struct packet_box *kept = pool_append(pool, list, answers);

	for (size_t field = 0; field < PACKET_FIELDS; field++)
		if (box->fields[field] != NULL) {
			struct interval_set *set = pool_new(pool, struct interval_set);

			*set = interval_set_union(pool, &(struct interval_set){ 0 }, box->fields[field]);
			kept->fields[field] = set;
		}
}

struct ios_config *announced_copy(void *pool, const struct ios_config *config)
{
	struct ios_config *copy = pool_new(pool, struct ios_config);

	copy->device = config->device;
	for (size_t index = 0; index < config->lists_count; index++) {
		const struct ios_list *list = config->lists[index];
		struct ios_list *kept = pool_new(pool, struct ios_list);

		kept->name = pool_strdup(pool, list->name);
		kept->family = list->family;
		kept->is_numbered = list->is_numbered;
		kept->origin = list->origin;
		for (size_t box = 0; box < list->answers_count; box++)
			announced_add(pool, kept, &list->answers[box]);
		*pool_append(pool, copy, lists) = kept;
	}
	return copy;
}
