/* Uses were marked while names were resolved. */
#include "resolve/unused.h"

#include "base/names.h"
#include "base/pool.h"
#include "resolve/places.h"

struct reporter {
	struct diags *diags;
	const struct policy *policy;
	const struct program *program;
	uint32_t main_source;
};

static const char *const kind_words[] = {
	[PLACE_DEFINITION_HOST] = "host",
	[PLACE_DEFINITION_NETWORK] = "network",
	[PLACE_DEFINITION_GROUP] = "group",
	[PLACE_DEFINITION_ZONE] = "zone",
	[PLACE_DEFINITION_TUNNEL] = "tunnel",
};

static bool is_in_main(const struct reporter *reporter, struct span span)
{
	return span.source == reporter->main_source;
}

static void report(struct reporter *reporter, struct span span, const char *kind, const char *name)
{
	struct diagnostic *finding =
		diag_add(reporter->diags, CODE_UNUSED, span, "%s '%s' is not used", kind, name);

	diag_note(reporter->diags, finding, SPAN_NONE, "remove it, or 'expect unused' if it is kept");
}

/* A zone matters without being named: it takes packets from others, and says what `internet` is. A
 * tunnel is configuration. */
static bool is_place_used(const struct place_definition *place)
{
	return place->is_used || place->kind == PLACE_DEFINITION_TUNNEL ||
	       (place->zone != NULL && place->zone->is_used);
}

static void report_places(struct reporter *reporter)
{
	const struct names *places = reporter->policy->places;

	for (size_t index = 0; index < names_count(places); index++) {
		const struct place_definition *place = names_value(places, index);

		if (!is_place_used(place) && is_in_main(reporter, place->span))
			report(reporter, place->span, kind_words[place->kind], place->name);
	}
}

static void report_services(struct reporter *reporter)
{
	for (size_t index = 0; index < service_own_count(reporter->policy->services); index++) {
		const struct service *service = service_own(reporter->policy->services, index);

		if (!service->is_used && is_in_main(reporter, service->span))
			report(reporter, service->span, "service", service->name);
	}
}

static void report_schedules(struct reporter *reporter)
{
	for (size_t index = 0; index < names_count(reporter->policy->schedules); index++) {
		const struct schedule *schedule = names_value(reporter->policy->schedules, index);

		if (!schedule->is_used && is_in_main(reporter, schedule->span))
			report(reporter, schedule->span, "schedule", schedule->name);
	}
}

/* --- the same in other words ---------------------------------------------------------------------------- */

static bool is_comparable(const struct place_definition *place)
{
	return (place->kind == PLACE_DEFINITION_HOST || place->kind == PLACE_DEFINITION_NETWORK) &&
	       place->state == PLACE_STATE_RESOLVED && place->addresses != NULL &&
	       !place->may_be_empty;
}

static uint64_t place_hash(const struct place_definition *place)
{
	return interval_set_hash(&place->addresses->v4) * 31 + interval_set_hash(&place->addresses->v6);
}

/* The first definition of each set of addresses; hosts and networks apart. */
static void report_equal_places(struct reporter *reporter)
{
	const struct names *places = reporter->policy->places;
	void *pool = pool_child(reporter->diags->pool, "equal places");
	struct names *seen = names_new(pool, false);

	for (size_t index = 0; index < names_count(places); index++) {
		struct place_definition *place = names_value(places, index);
		const struct place_definition *first;
		struct { uint64_t hash; uint64_t kind; } key = { 0 };
		struct diagnostic *finding;

		if (!is_comparable(place))
			continue;
		key.hash = place_hash(place);
		key.kind = place->kind;
		first = names_find(seen, (const char *)&key, sizeof key);
		if (first == NULL) {
			names_set(seen, (const char *)&key, sizeof key, place);
			continue;
		}
		if (!address_set_equals(first->addresses, place->addresses) ||
		    !is_in_main(reporter, place->span))
			continue;
		finding = diag_add(reporter->diags, CODE_DUPLICATE_MEANING, place->span,
				   "%s '%s' has the addresses of '%s'", kind_words[place->kind],
				   place->name, first->name);
		diag_note(reporter->diags, finding, first->span, "this one stands first");
	}
	talloc_free(pool);
}

/* --- includes -------------------------------------------------------------------------------------------- */

static bool is_file_used(const struct reporter *reporter, const struct ast_file *file)
{
	const struct names *places = reporter->policy->places;
	bool has_definitions = false;

	if (file->holds_rules)
		return true;
	for (size_t index = 0; index < names_count(places); index++) {
		const struct place_definition *place = names_value(places, index);

		if (place->span.source != file->source)
			continue;
		has_definitions = true;
		if (is_place_used(place))
			return true;
	}
	for (size_t index = 0; index < service_own_count(reporter->policy->services); index++) {
		const struct service *service = service_own(reporter->policy->services, index);

		if (service->span.source != file->source)
			continue;
		has_definitions = true;
		if (service->is_used)
			return true;
	}
	/* what holds nothing of these (schedules, further includes, overrides) is not judged */
	return !has_definitions;
}

static bool is_library_statement(const struct ast_statement *statement)
{
	return statement->kind == AST_HOST || statement->kind == AST_NETWORK ||
	       statement->kind == AST_GROUP || statement->kind == AST_SERVICE;
}

static bool has_only_definitions(const struct ast_file *file)
{
	const struct ast_statement *statement = file->statements;

	while (statement != NULL && is_library_statement(statement))
		statement = statement->next;
	return statement == NULL;
}

static void report_includes(struct reporter *reporter)
{
	for (size_t index = 0; index < reporter->program->files_count; index++) {
		const struct ast_statement *statement =
			reporter->program->files[index].file->statements;

		for (; statement != NULL; statement = statement->next) {
			const struct ast_file *file =
				statement->kind != AST_INCLUDE ? NULL :
				program_include(reporter->program, statement);

			if (file != NULL && has_only_definitions(file) &&
			    !is_file_used(reporter, file))
				report(reporter, statement->span, "included file",
				       statement->include->text);
		}
	}
}

void unused_report(struct diags *diags, const struct policy *policy, const struct program *program)
{
	struct reporter reporter = { diags, policy, program, program->main_file->source };

	report_places(&reporter);
	report_services(&reporter);
	report_schedules(&reporter);
	report_includes(&reporter);
	report_equal_places(&reporter);
}
