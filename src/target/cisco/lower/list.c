/* The list of what may enter at one place.
 *
 *   terms (terms/term.c) -> terms/complement.c -> sections (terms/section.c) -> entries -> shrink.c
 *   -> remarks and numbers */
#include "target/cisco/terms/inbound.h"

#include <string.h>

#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"
#include "net/protocol.h"
#include "target/cisco/terms/complement.h"
#include "target/cisco/model/form.h"
#include "target/cisco/terms/fragment.h"
#include "target/cisco/terms/groups.h"
#include "target/cisco/minimise/lines.h"
#include "target/cisco/terms/refuse.h"
#include "target/cisco/replies/replies.h"
#include "target/cisco/model/safe.h"
#include "target/cisco/lower/same.h"
#include "target/cisco/terms/section.h"
#include "target/cisco/lower/shrink.h"
#include "target/cisco/lower/time_range.h"

#define SEQUENCE_STEP 10
#define PARTS_SHOWN 6 /* statements of one entry that remarks name */

struct lowering {
	void *pool;
	struct diags *diags;
	const struct ios_vantage *vantage;
	struct ios_config *config;
	struct ios_list *list;
	/* of the last term that gave an entry */
	const struct ios_term *term;
	const struct ios_extras *extras;
	bool has_groups; /* named lists of devices that say so */
	/* of remarks: where they stand, room for one, the name of the last source */
	struct arena *arena;
	struct text *remark;
	const char *name;
	uint32_t named;
};

/* --- entries ---------------------------------------------------------------------------------- */

/* Log lines of IPv4 lists carry a word of the list's writer. */
static const char *cookie_of(struct lowering *lowering, const struct ios_term *term)
{
	const char *cookie;

	if (!term->outcome->has_log || lowering->vantage->family != FAMILY_IPV4)
		return NULL;
	cookie = safe_cookie(lowering->pool, identity_text(term->identity));
	if (cookie != NULL)
		return cookie;
	if (!refuse_is_told(lowering->diags, CODE_CISCO_COOKIE, term->origin))
		diag_add(lowering->diags, CODE_CISCO_COOKIE, term->origin,
			 "IOS cannot write '%s' into its log lines", identity_text(term->identity));
	return NULL;
}

static void prepare_term(struct lowering *lowering, const struct ios_term *term)
{
	if (lowering->term == term)
		return;
	struct ios_extras extras = { .cookie = cookie_of(lowering, term) };

	lowering->term = term;
	if (term->rule != NULL)
		extras.time_range = time_range_of(lowering->pool, lowering->config,
						  lowering->vantage->ruleset->policy, term->rule);
	lowering->extras = extras.cookie == NULL && extras.time_range == NULL ? &form_extras_none :
			   arena_copy(lowering->arena, &extras, sizeof extras);
}

static struct ios_line entry_of(struct lowering *lowering, const struct ios_term *term)
{
	return (struct ios_line){
		.kind = IOS_LINE_ENTRY,
		.action = term->outcome->verdict == VERDICT_ALLOW ? IOS_PERMIT : IOS_DENY,
		.is_established = term->is_established,
		.source_ports = &form_ports_any,
		.destination_ports = &form_ports_any,
		.extras = lowering->extras,
		.has_log = term->outcome->has_log,
		.identity = term->identity,
		.origin = term->origin,
		.is_pinned = term->is_pinned,
	};
}

static void add_form(struct lowering *lowering, const struct ios_line *entry, const struct service_form *form)
{
	struct ios_line *line = pool_append(lowering->pool, lowering->list, lines);

	*line = *entry;
	line->protocol = form->protocol;
	line->source_ports = &form->source_ports;
	line->destination_ports = &form->destination_ports;
	line->icmp_type = form->icmp_type;
	line->icmp_code = form->icmp_code;
}

static void add_forms(struct lowering *lowering, const struct ios_line *entry, const struct service_forms *forms)
{
	for (size_t index = 0; index < forms->forms_count; index++)
		add_form(lowering, entry, &forms->forms[index]);
}

static const struct ios_place *kept_place(struct lowering *lowering, struct ios_place place)
{
	return arena_copy(lowering->arena, &place, sizeof place);
}

static const struct ios_place *places_of(struct lowering *lowering, const struct ios_cover *cover)
{
	struct ios_place *places = arena_array(lowering->arena, struct ios_place, cover->prefixes_count);

	for (size_t index = 0; index < cover->prefixes_count; index++)
		places[index] = ios_place_of(lowering->vantage->family, &cover->prefixes[index]);
	return places;
}

/* One entry for all places and services that groups can hold. */
static void add_grouped(struct lowering *lowering, struct ios_line *entry, const struct ios_cover *sources,
			const struct ios_cover *destinations, const struct service_forms *forms)
{
	enum family family = lowering->vantage->family;
	const struct ios_group *services = group_services(lowering->pool, lowering->config, family, forms);
	struct ios_extras extras = *lowering->extras;

	entry->source = kept_place(lowering, group_place(lowering->pool, lowering->config, family, sources));
	entry->destination = kept_place(lowering,
					group_place(lowering->pool, lowering->config, family, destinations));
	if (services == NULL) {
		add_forms(lowering, entry, forms);
		return;
	}
	for (size_t index = 0; index < forms->forms_count; index++)
		if (!group_takes_form(family, &forms->forms[index]))
			add_form(lowering, entry, &forms->forms[index]);
	extras.services = services;
	entry->extras = arena_copy(lowering->arena, &extras, sizeof extras);
	entry->icmp_type = entry->icmp_code = IOS_ICMP_ANY;
	*pool_append(lowering->pool, lowering->list, lines) = *entry;
}

static void add_entries(void *context, const struct ios_term *term, const struct ios_cover *sources,
			const struct ios_cover *destinations, const struct service_forms *forms)
{
	struct lowering *lowering = context;
	const struct ios_place *from, *to;
	struct ios_line entry;

	prepare_term(lowering, term);
	entry = entry_of(lowering, term);
	if (lowering->has_groups && !term->is_established) { /* some trains drop one of the two */
		add_grouped(lowering, &entry, sources, destinations, forms);
		return;
	}
	from = places_of(lowering, sources);
	to = places_of(lowering, destinations);
	for (size_t source = 0; source < sources->prefixes_count; source++)
		for (size_t destination = 0; destination < destinations->prefixes_count; destination++) {
			entry.source = &from[source];
			entry.destination = &to[destination];
			add_forms(lowering, &entry, forms);
		}
}

static bool has_multi_eq(const struct lowering *lowering)
{
	const struct device *device = lowering->vantage->device;

	return lowering->vantage->family == FAMILY_IPV4 && !lowering->list->is_numbered &&
	       (device != NULL ? device->has_multi_port_eq : lowering->vantage->settings->has_multi_port_eq);
}

/* What is equal is worked out once. Entries refer to the forms as long as the list is there. */
static struct service_forms shared_forms(struct lowering *lowering, void *pool, struct interned *made,
					 const struct tuple_set *services)
{
	struct service_forms **slot = (struct service_forms **)
		interned_slot(made, services->tuples, services->tuples_count * sizeof *services->tuples);

	if (*slot == NULL) {
		*slot = pool_new(pool, struct service_forms);
		**slot = service_forms_of(lowering->pool, services, lowering->vantage->family,
					  has_multi_eq(lowering));
	}
	return **slot;
}

/* The first `answers` terms let in answers, among them of protocol 0, which no host speaks: left out. */
static const struct service_forms *forms_of(struct lowering *lowering, void *pool, const struct ios_terms *terms,
					    size_t answers, bool *is_good)
{
	struct service_forms *forms = pool_array(pool, struct service_forms, terms->terms_count);
	struct interned *made = interned_new(pool, arena_new(pool));

	for (size_t index = 0; index < terms->terms_count; index++) {
		forms[index] = shared_forms(lowering, pool, made, terms->terms[index].services);
		if (forms[index].refused != NULL)
			refuse_ports(lowering->diags, terms->terms[index].origin, forms[index].refused);
		else if (!forms[index].has_zero || index < answers)
			continue;
		*is_good = false; /* protocol 0 stays behind where ports of another term are refused */
	}
	return forms;
}

/* --- what always passes ----------------------------------------------------------------------- */

static void add_always(struct lowering *lowering, const struct prefix *source, const struct prefix *destination,
		       uint16_t type)
{
	*pool_append(lowering->pool, lowering->list, lines) = (struct ios_line){
		.kind = IOS_LINE_ENTRY,
		.action = IOS_PERMIT,
		.protocol = PROTOCOL_ICMP6,
		.source = kept_place(lowering, ios_place_of(FAMILY_IPV6, source)),
		.destination = kept_place(lowering, ios_place_of(FAMILY_IPV6, destination)),
		.source_ports = &form_ports_any,
		.destination_ports = &form_ports_any,
		.extras = &form_extras_none,
		.icmp_type = type,
		.icmp_code = IOS_ICMP_ANY,
		.origin = SPAN_NONE,
		.is_pinned = true,
	};
}

/* Everything that reaches the router itself; all addresses where its own are not known. */
static struct ios_cover near_cover(const struct lowering *lowering)
{
	const struct interval_set *own = &lowering->vantage->own.v6, none = { 0 };

	return cover_of(lowering->pool, FAMILY_IPV6, own->items_count > 0 ? own : ios_whole(FAMILY_IPV6), &none);
}

/* Language reference, "State": 133-136; 130-132 and 143 from fe80::/10, on input. IOS has implicit
 * entries for two of them, from any to any, behind the last line, where an explicit deny cuts them off. */
static void add_neighbours(struct lowering *lowering)
{
	static const uint16_t discovery[] = { 133, 134, 135, 136 }, listeners[] = { 130, 131, 132, 143 };
	const struct prefix any = { .family = FAMILY_IPV6 };
	const struct prefix link = { FAMILY_IPV6, (number128)0xfe80 << 112, 10 };
	struct ios_cover near = near_cover(lowering);

	for (size_t index = 0; index < sizeof discovery / sizeof discovery[0]; index++)
		for (size_t place = 0; place < near.prefixes_count; place++)
			add_always(lowering, &any, &near.prefixes[place], discovery[index]);
	for (size_t index = 0; index < sizeof listeners / sizeof listeners[0]; index++)
		for (size_t place = 0; place < near.prefixes_count; place++)
			add_always(lowering, &link, &near.prefixes[place], listeners[index]);
}

/* The policy lets these pass to the router alone, and neighbour discovery with hop limit 255 alone. */
static void note_neighbours(const struct lowering *lowering)
{
	if (lowering->vantage->own.v6.items_count > 0)
		diag_add(lowering->diags, CODE_CISCO_NEIGHBOURS, SPAN_NONE,
			 "list '%s' lets neighbour discovery pass to the router whatever its hop limit",
			 lowering->list->name);
	else
		diag_add(lowering->diags, CODE_CISCO_NEIGHBOURS, SPAN_NONE,
			 "list '%s' does not know the router's addresses: neighbour discovery and multicast "
			 "listener messages pass to every address, whatever their hop limit",
			 lowering->list->name);
}

/* --- remarks and numbers ---------------------------------------------------------------------- */

/* That nobody wrote, and that denies then. */
static bool is_default(const struct identity *identity)
{
	return strncmp(identity_text(identity), "default-", sizeof "default-" - 1) == 0;
}

/* "policy.fw:12 allow web from lan to wan" */
static const char *remark_of(struct lowering *lowering, const struct ios_part *line)
{
	struct sources *sources = lowering->diags->sources;
	struct text *out = lowering->remark;
	char *safe;

	if (line->identity == NULL)
		return "always passes: neighbour discovery, multicast listeners";
	if (line->origin.source == UINT32_MAX)
		return is_default(line->identity) ? "default deny" : identity_text(line->identity);
	if (lowering->name == NULL || lowering->named != line->origin.source)
		lowering->name = source_display_name(lowering->pool, sources->items[line->origin.source]);
	lowering->named = line->origin.source;
	out->length = 0;
	text_add(out, lowering->name);
	text_add_char(out, ':');
	text_add_unsigned(out, sources_position(sources, line->origin.source, line->origin.begin).line);
	text_add_char(out, ' ');
	if (line->identity->rule != NULL && line->identity->rule->options->because != NULL)
		text_addf(out, "%s: ", line->identity->rule->options->because);
	text_add_bytes(out, sources->items[line->origin.source]->bytes + line->origin.begin,
		       line->origin.end - line->origin.begin);
	safe = arena_bytes(lowering->arena, (out->length < SAFE_REMARK_MAX ? out->length : SAFE_REMARK_MAX) + 1);
	(void)safe_write(safe, out->bytes, out->length, SAFE_REMARK_MAX);
	return safe;
}

static void add_remark(struct lowering *lowering, const struct ios_part *part, const char *text)
{
	*pool_append(lowering->pool, lowering->list, lines) = (struct ios_line){
		.kind = IOS_LINE_REMARK,
		.text = text,
		.identity = part->identity,
		.origin = part->origin,
	};
}

/* One for each statement that the entry was made of. */
static void add_remarks_of(struct lowering *lowering, const struct ios_line *line)
{
	const struct ios_part only = { line->identity, line->origin };
	const struct ios_part *parts = line->parts == NULL ? &only : line->parts;
	size_t count = line->parts == NULL ? 1 : line->parts_count;

	for (size_t index = 0; index < count && index < PARTS_SHOWN; index++)
		add_remark(lowering, &parts[index], remark_of(lowering, &parts[index]));
	if (count > PARTS_SHOWN)
		add_remark(lowering, &only, pool_format(lowering->pool, "and %zu more", count - PARTS_SHOWN));
}

static bool is_of_same(const struct ios_line *a, const struct ios_line *b)
{
	if (a->identity != b->identity || a->parts_count != b->parts_count)
		return false;
	for (size_t index = 0; index < a->parts_count; index++)
		if (a->parts[index].identity != b->parts[index].identity)
			return false;
	return true;
}

static size_t remarks_count(const struct ios_line *lines, size_t index, size_t begin)
{
	const struct ios_line *line = &lines[index];

	if (index > begin && is_of_same(line, line - 1))
		return 0;
	return line->parts == NULL ? 1 : line->parts_count > PARTS_SHOWN ? PARTS_SHOWN + 1 : line->parts_count;
}

/* Before the entries of a rule, from `begin` on: the entries move to the end, and come forward again. */
static void add_remarks(struct lowering *lowering, size_t begin)
{
	struct ios_list *list = lowering->list;
	size_t count = list->lines_count, all = count;
	struct ios_line *entries;
	bool is_first = true;

	for (size_t index = begin; index < count; index++)
		all += remarks_count(list->lines, index, begin);
	list->lines = pool_room(lowering->pool, list->lines, &list->lines_capacity, all, sizeof *list->lines);
	entries = list->lines + all - count;
	memmove(entries + begin, list->lines + begin, (count - begin) * sizeof *entries);
	list->lines_count = begin;
	for (size_t index = begin; index < count; index++) {
		const struct ios_line line = entries[index];

		if (is_first || !is_of_same(&line, &list->lines[list->lines_count - 1]))
			add_remarks_of(lowering, &line);
		is_first = false;
		*pool_append(lowering->pool, list, lines) = line;
	}
}

static void number_lines(struct ios_list *list)
{
	uint32_t sequence = 0;

	for (size_t index = 0; index < list->lines_count; index++)
		if (list->lines[index].kind != IOS_LINE_REMARK && !list->is_numbered)
			list->lines[index].sequence = sequence += SEQUENCE_STEP;
}

static bool has_group(const struct ios_line *line)
{
	return line->kind == IOS_LINE_ENTRY && (line->extras->services != NULL || line->source->group != NULL ||
						line->destination->group != NULL);
}

static size_t grouped_count(const struct ios_list *list)
{
	size_t count = 0;

	for (size_t index = 0; index < list->lines_count; index++)
		count += has_group(&list->lines[index]);
	return count;
}

static bool reaches_router(const struct ios_vantage *vantage, const struct ios_line *line)
{
	const struct interval_set *own = address_set_family(&vantage->own, vantage->family);
	struct interval interval = { line->destination->value,
				     line->destination->value | line->destination->wildcard };
	const struct interval_set to = { .items = &interval, .items_count = 1 };

	return interval_set_overlaps(own, line->destination->group == NULL ? &to :
				     address_set_family(line->destination->group->addresses, vantage->family));
}

/* Cisco, "Object Groups for ACLs", restrictions: on IOS-XE such entries are ignored for packets that are
 * sent to the route processor. */
static void note_groups(struct diags *diags, const struct ios_vantage *vantage, const struct ios_list *list)
{
	struct diagnostic *note;

	if (grouped_count(list) == 0 || refuse_is_told(diags, CODE_CISCO_GROUPS, vantage->device->span))
		return;
	for (size_t index = 0; index < list->lines_count; index++)
		if (has_group(&list->lines[index]) && reaches_router(vantage, &list->lines[index])) {
			note = diag_add(diags, CODE_CISCO_GROUPS, vantage->device->span,
					"some IOS-XE releases do not hold entries with object groups against "
					"packets to the router itself, and list '%s' has some", list->name);
			diag_note(diags, note, SPAN_NONE, "'object-groups no;' makes lists without groups");
			return;
		}
}

/* Room for what most lists need, so that a long one is not moved while it grows. */
static void reserve_lines(struct lowering *lowering, const struct ios_terms *terms,
			  const struct service_forms *forms)
{
	struct ios_list *list = lowering->list;
	size_t wanted = list->lines_count;

	for (size_t index = 0; index < terms->terms_count; index++)
		if (terms->terms[index].from->items_count == 1 && terms->terms[index].to->items_count == 1)
			wanted += forms[index].forms_count;
	list->lines = pool_room(lowering->pool, list->lines, &list->lines_capacity, wanted, sizeof *list->lines);
}

/* false: there would be too many. */
static bool write_entries(struct lowering *lowering, const struct ios_terms *terms,
			  const struct service_forms *forms)
{
	const struct section_writer writer = {
		.pool = lowering->pool,
		.family = lowering->vantage->family,
		.terms = terms,
		.forms = forms,
		.own = address_set_family(&lowering->vantage->own, lowering->vantage->family),
	};
	struct plan plan = plan_choose(&writer);
	struct plan_size size = plan_measure(&writer, &plan);

	if (!lowering->has_groups &&
	    !refuse_length(lowering->diags, lowering->vantage->device, lowering->list, &size))
		return false;
	plan_write(&writer, &plan, add_entries, lowering);
	return true;
}

/* Without groups where they were too many. */
static bool write_list(struct lowering *lowering, const struct ios_terms *terms, const struct service_forms *forms)
{
	size_t lines = lowering->list->lines_count, groups = lowering->config->groups_count;

	reserve_lines(lowering, terms, forms);
	if (!write_entries(lowering, terms, forms))
		return false;
	if (!lowering->has_groups || grouped_count(lowering->list) <= GROUPED_ENTRIES_MAX)
		return true;
	lowering->list->lines_count = lines;
	lowering->config->groups_count = groups;
	lowering->has_groups = false;
	return write_entries(lowering, terms, forms);
}

static void note_clock(struct diags *diags, const struct ios_config *config, const struct policy *policy)
{
	int32_t minutes = policy->timezone_s / 60;
	unsigned size = (unsigned)(minutes < 0 ? -minutes : minutes);

	if (config->time_ranges_count > 0 && !refuse_is_told(diags, CODE_CISCO_CLOCK, SPAN_NONE))
		diag_add(diags, CODE_CISCO_CLOCK, SPAN_NONE,
			 "the time-ranges follow the router's clock, which has to keep UTC%c%02u:%02u, without "
			 "summer time", minutes < 0 ? '-' : '+', size / 60, size % 60);
}

static void make_short(struct lowering *lowering, size_t begin)
{
	const struct cisco_settings *settings = lowering->vantage->settings;
	const struct minimise_settings minimise = {
		.aim = settings->aim,
		.has_multi_eq = has_multi_eq(lowering),
		.keeps_denials = settings->keeps_denials,
	};

	if (settings->aim == MINIMISE_NONE)
		shrink_list(lowering->pool, lowering->diags, lowering->list, begin);
	else
		minimise_lines(lowering->pool, lowering->diags, lowering->list, begin, &minimise);
}

bool inbound_lower(void *pool, struct diags *diags, const struct ios_vantage *vantage,
		   struct ios_config *config, struct ios_list *list)
{
	struct lowering lowering = {
		.pool = pool,
		.diags = diags,
		.vantage = vantage,
		.config = config,
		.list = list,
		.arena = arena_new(pool),
		.remark = text_new(pool),
	};
	struct ios_terms terms = { 0 };
	size_t begin = list->lines_count, entries;
	void *scratch = pool_child(pool, "terms and forms");
	bool is_good = terms_collect(scratch, diags, vantage, &terms);
	size_t own = terms.terms_count, answers;
	const struct service_forms *forms;

	is_good = is_good && replies_prepend(pool, diags, vantage, &terms);
	answers = terms.terms_count - own;
	if (is_good)
		terms_complement(scratch, vantage->family, has_multi_eq(&lowering), &terms, answers);
	forms = forms_of(&lowering, scratch, &terms, answers, &is_good);
	if (!is_good)
		return false;
	note_answers(diags, vantage);
	list->rules_count = terms.rules_count;
	lowering.has_groups = vantage->device != NULL && !list->is_numbered &&
			      (vantage->family == FAMILY_IPV4 ? vantage->device->has_object_groups :
								vantage->device->has_object_groups_v6);
	if (vantage->family == FAMILY_IPV6) {
		add_neighbours(&lowering);
		note_neighbours(&lowering);
	}
	entries = list->lines_count;
	is_good = write_list(&lowering, &terms, forms);
	talloc_free(scratch); /* before the list is at its largest */
	if (!is_good)
		return false;
	make_short(&lowering, entries);
	same_remove(pool, diags, list);
	note_groups(diags, vantage, list);
	note_fragments(pool, diags, vantage->device, list);
	note_clock(diags, config, vantage->ruleset->policy);
	add_remarks(&lowering, begin);
	number_lines(list);
	return true;
}
