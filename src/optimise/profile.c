#include "optimise/profile.h"

#include <jansson.h>
#include <string.h>

#include "base/names.h"
#include "base/pool.h"

struct profile_row {
	const char *id;
	uint64_t packets;
};

struct profile {
	const char *file;
	struct profile_row *rows;
	size_t rows_count, rows_capacity;
	struct names *by_id;
};

static bool add_row(struct profile *profile, json_t *object)
{
	json_t *id = json_object_get(object, "id"), *packets = json_object_get(object, "packets");

	if (!json_is_string(id) || (packets != NULL && !json_is_integer(packets)))
		return false;
	*pool_append(profile, profile, rows) = (struct profile_row){
		.id = pool_strdup(profile, json_string_value(id)),
		.packets = json_integer_value(packets) < 0 ? 0 : (uint64_t)json_integer_value(packets),
	};
	return true;
}

/* NULL, or what is wrong. */
static const char *add_rows(struct profile *profile, const char *bytes, size_t length)
{
	json_error_t error;
	json_t *root = json_loadb(bytes, length, 0, &error);
	const char *problem = NULL;

	if (root == NULL)
		return pool_format(profile, "line %d: %s", error.line, error.text);
	if (!json_is_array(root))
		problem = "it is no list";
	for (size_t i = 0; i < json_array_size(root) && problem == NULL; i++)
		if (!add_row(profile, json_array_get(root, i)))
			problem = pool_format(profile, "item %zu has no id, or packets that are no number", i + 1);
	json_decref(root);
	return problem;
}

struct profile *profile_parse(void *pool, struct diags *diags, const char *name, const char *bytes,
			      size_t length)
{
	struct profile *profile = pool_new(pool, struct profile);
	const char *problem;

	profile->file = name;
	profile->by_id = names_new(profile, false);
	problem = add_rows(profile, bytes, length);
	if (problem != NULL) {
		struct diagnostic *error = diag_add(diags, CODE_PROFILE_UNREADABLE, SPAN_NONE,
						    "'%s' is not what 'fwc hits --json' prints: %s", name, problem);

		diag_note(diags, error, SPAN_NONE, "'fwc hits --json > %s' makes one of the running counters",
			  name);
		return NULL;
	}
	for (size_t i = 0; i < profile->rows_count; i++)
		names_set(profile->by_id, profile->rows[i].id, strlen(profile->rows[i].id), &profile->rows[i]);
	return profile;
}

uint64_t profile_packets(const struct profile *profile, const char *id)
{
	const struct profile_row *row = names_find(profile->by_id, id, strlen(id));

	return row == NULL ? 0 : row->packets;
}

static void add_known(struct names *known, const struct identity *identity)
{
	if (identity != NULL)
		names_set(known, identity_text(identity), strlen(identity_text(identity)), known);
}

void profile_compare(const struct profile *profile, struct diags *diags, const struct ruleset *ruleset)
{
	struct names *known = names_new((void *)(uintptr_t)profile, false);
	const char *first = NULL;
	size_t unknown = 0;

	for (size_t hook = 0; hook < HOOK_COUNT; hook++) {
		for (size_t i = 0; i < ruleset->rules_count[hook]; i++)
			add_known(known, ruleset->rules[hook][i]->identity);
		add_known(known, ruleset->default_identities[hook]);
	}
	for (size_t i = 0; i < profile->rows_count; i++) {
		const char *id = profile->rows[i].id;

		if (names_find(known, id, strlen(id)) != NULL)
			continue;
		first = first == NULL ? id : first;
		unknown++;
	}
	if (unknown == 0)
		return;
	diag_add(diags, CODE_PROFILE_UNKNOWN, SPAN_NONE,
		 "'%s' counts %zu rule%s that this policy does not have, '%s' first", profile->file, unknown,
		 unknown == 1 ? "" : "s", first);
}
