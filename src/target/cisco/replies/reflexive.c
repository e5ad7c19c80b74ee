#include "target/cisco/replies/reflexive.h"

#include <string.h>

#include "base/pool.h"
#include "target/cisco/model/form.h"
#include "target/cisco/terms/groups.h"
#include "target/cisco/terms/refuse.h"
#include "target/cisco/terms/section.h"

#define SEQUENCE_STEP 10

struct reflecting {
	void *pool;
	struct diags *diags;
	const struct ios_vantage *vantage;
	const char *name;
	struct ios_list *list;
	const struct ios_term *rest; /* what is let out unseen */
	const struct ios_extras *extras; /* of the others */
};

static bool is_same_ports(const struct ios_ports *a, const struct ios_ports *b)
{
	return a->operator == b->operator && a->ports_count == b->ports_count &&
	       memcmp(a->ports, b->ports, a->ports_count * sizeof *a->ports) == 0;
}

static bool is_same_line(const struct ios_line *a, const struct ios_line *b)
{
	return a->protocol == b->protocol && a->source->value == b->source->value &&
	       a->source->wildcard == b->source->wildcard && a->destination->value == b->destination->value &&
	       a->destination->wildcard == b->destination->wildcard && a->icmp_type == b->icmp_type &&
	       a->icmp_code == b->icmp_code && a->extras == b->extras &&
	       is_same_ports(a->source_ports, b->source_ports) &&
	       is_same_ports(a->destination_ports, b->destination_ports);
}

static void *copied(void *pool, const void *bytes, size_t size)
{
	return memcpy(pool_bytes(pool, size), bytes, size);
}

/* IOS ignores a line that it has: none stands twice. */
static void add_entry(void *context, const struct ios_term *term, const struct prefix *source,
		      const struct prefix *destination, const struct service_form *form)
{
	struct reflecting *reflecting = context;
	struct ios_list *list = reflecting->list;
	enum family family = reflecting->vantage->family;
	struct ios_place from = ios_place_of(family, source), to = ios_place_of(family, destination);
	struct ios_line line = {
		.kind = IOS_LINE_ENTRY,
		.sequence = (uint32_t)(list->lines_count + 1) * SEQUENCE_STEP,
		.action = IOS_PERMIT,
		.protocol = form->protocol,
		.source = &from,
		.destination = &to,
		.source_ports = &form->source_ports,
		.destination_ports = &form->destination_ports,
		.extras = term == reflecting->rest ? &form_extras_none : reflecting->extras,
		.icmp_type = form->icmp_type,
		.icmp_code = form->icmp_code,
		.origin = SPAN_NONE,
		.is_pinned = true,
	};

	for (size_t index = 0; index < list->lines_count; index++)
		if (is_same_line(&list->lines[index], &line))
			return;
	line.source = copied(reflecting->pool, &from, sizeof from);
	line.destination = copied(reflecting->pool, &to, sizeof to);
	*pool_append(reflecting->pool, list, lines) = line;
}

static struct ios_terms terms_of(void *pool, const struct ios_vantage *vantage, const struct reply_flows *flows)
{
	static const struct outcome permission = { .verdict = VERDICT_ALLOW };
	static struct service_tuple any = { PROTOCOL_ANY, FAMILIES_BOTH, { 0, UINT16_MAX }, { 0, UINT16_MAX } };
	static const struct tuple_set every = { &any, 1, 1 };
	struct ios_terms terms = { 0 };

	for (size_t index = 0; index < flows->flows_count; index++) {
		const struct reply_flow *flow = &flows->flows[index];

		if (flow->hook == HOOK_FORWARD)
			*pool_append(pool, &terms, terms) = (struct ios_term){
				.outcome = &permission,
				.origin = flow->origin,
				.from = copied(pool, &flow->source, sizeof flow->source),
				.to = copied(pool, &flow->destination, sizeof flow->destination),
				.services = &flow->services,
			};
	}
	if (terms.terms_count > 0)
		*pool_append(pool, &terms, terms) = (struct ios_term){
			.outcome = &permission,
			.origin = SPAN_NONE,
			.from = ios_whole(vantage->family),
			.to = ios_whole(vantage->family),
			.services = &every,
		};
	return terms;
}

static void add_entries(void *context, const struct ios_term *term, const struct ios_cover *sources,
			const struct ios_cover *destinations, const struct service_forms *forms)
{
	for (size_t source = 0; source < sources->prefixes_count; source++)
		for (size_t destination = 0; destination < destinations->prefixes_count; destination++)
			for (size_t form = 0; form < forms->forms_count; form++)
				add_entry(context, term, &sources->prefixes[source],
					  &destinations->prefixes[destination], &forms->forms[form]);
}

static bool write_list(struct reflecting *reflecting, const struct ios_terms *terms)
{
	void *pool = reflecting->pool;
	enum family family = reflecting->vantage->family;
	struct service_forms *forms = pool_array(pool, struct service_forms, terms->terms_count);
	const struct section_writer writer = { pool, family, terms, forms, NULL };

	for (size_t index = 0; index < terms->terms_count; index++) {
		forms[index] = service_forms_of(pool, terms->terms[index].services, family, false);
		if (forms[index].refused != NULL) {
			refuse_ports(reflecting->diags, terms->terms[index].origin, forms[index].refused);
			return false;
		}
	}
	struct plan plan = plan_choose(&writer);
	struct plan_size size = plan_measure(&writer, &plan);

	if (!refuse_length(reflecting->diags, reflecting->vantage->device, reflecting->list, &size))
		return false;
	reflecting->rest = &terms->terms[terms->terms_count - 1];
	plan_write(&writer, &plan, add_entries, reflecting);
	return true;
}

/* "SITE1-Serial0-0-IN" to "SITE1-Serial0-0-OUT", "-IN6" to "-OUT6". */
static const char *name_beside(void *pool, const char *name, const char *word)
{
	size_t length = strlen(name);

	if (length > 4 && strcmp(name + length - 4, "-IN6") == 0)
		return pool_format(pool, "%.*s-%s6", (int)(length - 4), name, word);
	if (length > 3 && strcmp(name + length - 3, "-IN") == 0)
		return pool_format(pool, "%.*s-%s", (int)(length - 3), name, word);
	return pool_format(pool, "%s-%s", name, word);
}

bool replies_reflect(void *pool, struct diags *diags, const struct ios_vantage *vantage,
		     const struct reply_flows *flows, struct ios_config *config, struct ios_list *list,
		     struct ios_list **outbound)
{
	struct ios_terms terms = terms_of(pool, vantage, flows);
	struct reflecting reflecting = {
		.pool = pool,
		.diags = diags,
		.vantage = vantage,
		.name = name_beside(pool, list->name, "ASKED"),
		.list = pool_new(pool, struct ios_list),
	};
	const struct ios_extras extras = { .reflect = reflecting.name };

	if (terms.terms_count == 0)
		return true;
	reflecting.extras = copied(pool, &extras, sizeof extras);
	reflecting.list->name = name_beside(pool, list->name, "OUT");
	reflecting.list->family = vantage->family;
	reflecting.list->origin = list->origin;
	if (!write_list(&reflecting, &terms))
		return false;
	*pool_append(pool, config, lists) = reflecting.list;
	*pool_append(pool, list, lines) = (struct ios_line){
		.kind = IOS_LINE_EVALUATE,
		.text = reflecting.name,
		.origin = SPAN_NONE,
		.is_pinned = true,
	};
	*outbound = reflecting.list;
	return true;
}
