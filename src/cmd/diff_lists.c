/* Two configurations are compared by the names of lists and by what is bound where: a binding that is new or
 * gone is told with what it stops, a list that changed with what it permits and denies since. */
#include "cmd/diff_lists.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "analyse/describe.h"
#include "base/names.h"
#include "base/pool.h"
#include "cmd/command.h"
#include "cmd/diff_json.h"
#include "cmd/output.h"
#include "diag/json.h"
#include "diag/visible.h"
#include "net/protocol.h"
#include "target/cisco/prove/compare.h"
#include "target/cisco/read/read.h"

#define PREFIX "cisco:"
#define LINES_MOST 8
#define BOXES_MOST 64 /* of a region, where flags are looked for */

/* One argument. */
struct list_argument {
	const char *argument;
	const char *file, *name;         /* of the list, or NULL */
	const struct acl_config *config; /* NULL: a policy */
	struct session *session;         /* of the policy */
};

struct list_differ {
	void *pool;
	struct session *session;
	struct text *out;
	struct diff_json *json;
	struct list_argument old, new;
	const struct policy *policy; /* for names */
	size_t changes_count;
	bool is_good;
};

bool diff_lists_is_meant(const char *argument)
{
	return strncmp(argument, PREFIX, strlen(PREFIX)) == 0;
}

/* What is compared, for whoever reads JSON: a list, and where it is bound. */
struct compared {
	enum family family;
	const char *list;
	const char *interface;     /* NULL: the lists themselves */
	enum acl_direction direction;
};

/* --- one change --------------------------------------------------------------------------------------- */

static const char *family_word(enum family family)
{
	return family == FAMILY_IPV6 ? "IPv6" : "IPv4";
}

static void add_line(struct list_differ *differ, struct span span)
{
	const struct sources *sources = differ->session->sources;
	const char *text = sources->items[span.source]->bytes + span.begin;
	size_t length = span.end - span.begin;
	const char *end = memchr(text, '\n', length);

	text_addf(differ->out, "%s: ", span_place(differ->pool, differ->session->sources, span));
	visible_add(differ->out, text, end != NULL ? (size_t)(end - text) : length);
	text_add_char(differ->out, '\n');
}

/* In JSON the words of policies. */
static void add_decision_json(struct list_differ *differ, json_t *object, const char *key,
			      const struct acl_decision *decision)
{
	const struct span none = SPAN_NONE;
	const struct diff_side side = {
		.verdict = decision->is_permitted ? "allow" : "deny",
		.origin = decision->span.source != UINT32_MAX ? decision->span : none,
	};

	diff_json_side(differ->json, object, key, &side);
}

static void add_decision(struct list_differ *differ, const char *word, const struct acl_side *side,
			 const struct acl_decision *decision)
{
	text_addf(differ->out, "    %s %s, ", word, decision->is_permitted ? "permitted" : "denied");
	if (decision->span.source != UINT32_MAX)
		add_line(differ, decision->span);
	else if (side->policy != NULL)
		text_add(differ->out, "the default of every policy, or what always passes\n");
	else
		text_add(differ->out, side->list == NULL ? "no list is there\n" : "the list's end\n");
}

static void add_example(struct list_differ *differ, const struct acl_comparison *comparison, packet_set packets,
			json_t *object)
{
	struct text *example = text_new(differ->pool);
	struct packet_point point;
	struct packet packet;
	unsigned flags;

	if (!packet_set_example(comparison->space, packets, &point))
		return;
	packet = packet_of_point(comparison->universe, &point);
	packet.in = packet.out = NULL;
	flags = (unsigned)point.fields[FIELD_FLAGS];
	packet_format(example, &packet);
	if (packet.protocol == PROTOCOL_TCP && (flags & (ACL_ACK | ACL_RST)) != 0)
		text_add(example, (flags & ACL_ACK) != 0 ? " with ACK" : " with RST");
	text_addf(differ->out, "    for example %s\n", example->bytes);
	diff_json_text(differ->json, object, "packet", example->bytes);
}

/* Regions are told without flags. */
static bool has_flags(struct list_differ *differ, const struct acl_comparison *comparison, packet_set region)
{
	struct packet_box *boxes = pool_array(differ->pool, struct packet_box, BOXES_MOST);
	bool is_whole;
	size_t count = packet_set_boxes(differ->pool, comparison->space, region, boxes, BOXES_MOST, &is_whole);

	for (size_t index = 0; index < count; index++)
		if (boxes[index].fields[FIELD_FLAGS] != NULL)
			return true;
	return false;
}

static void add_compared(struct list_differ *differ, json_t *object, const struct compared *compared)
{
	diff_json_text(differ->json, object, "family", compared->family == FAMILY_IPV6 ? "ipv6" : "ipv4");
	diff_json_text(differ->json, object, "list", compared->list);
	diff_json_text(differ->json, object, "interface", compared->interface);
	diff_json_text(differ->json, object, "direction", compared->interface == NULL ? NULL :
		       compared->direction == ACL_IN ? "in" : "out");
}

static void add_change(struct list_differ *differ, const struct acl_comparison *comparison,
		       const struct acl_change *change, const struct acl_side *before, const struct acl_side *after,
		       const struct compared *compared)
{
	struct describer *describer = describer_new(differ->pool, comparison->universe, differ->policy);
	struct text *region = text_new(differ->pool);
	bool is_of_flags = has_flags(differ, comparison, change->region);
	json_t *object;

	describe_set(describer, region, comparison->space, HOOK_FORWARD, change->region, LINES_MOST, "    ");
	object = diff_json_change(differ->json, change->is_permitted ? "allowed" : "denied", NULL, region->bytes);
	add_compared(differ, object, compared);
	json_set(differ->pool, object, "is_part", json_boolean(is_of_flags));
	text_addf(differ->out, "  newly %s:\n%s", change->is_permitted ? "permitted" : "denied", region->bytes);
	if (is_of_flags)
		text_add(differ->out, "    of tcp not every packet: its flags count\n");
	add_example(differ, comparison, change->packets, object);
	add_decision(differ, "before:", before, &change->before);
	add_decision(differ, "now:   ", after, &change->after);
	add_decision_json(differ, object, "before", &change->before);
	add_decision_json(differ, object, "now", &change->after);
}

/* head: told before the first change; of a binding even without one. */
static void add_comparison(struct list_differ *differ, const struct acl_side *before, const struct acl_side *after,
			   const char *head, const struct compared *compared)
{
	void *pool = pool_child(differ->pool, "lists");
	const struct acl_comparison *comparison =
		acl_compare(pool, differ->session->diags, compared->family, before, after);
	bool is_binding = compared->interface != NULL;

	if (comparison == NULL) {
		differ->is_good = false;
		return;
	}
	if (comparison->is_over) {
		diag_add(differ->session->diags, CODE_ANALYSIS_BUDGET, SPAN_NONE,
			 "the lists are too large to be compared as a whole");
		differ->is_good = false;
		return;
	}
	if (comparison->changes_count > 0 || is_binding) {
		text_add(differ->out, head);
		differ->changes_count++;
	}
	if (comparison->changes_count == 0 && is_binding)
		text_add(differ->out, "  which stops nothing, and lets nothing through\n");
	for (size_t index = 0; index < comparison->changes_count; index++)
		add_change(differ, comparison, &comparison->changes[index], before, after, compared);
	talloc_free(pool);
}

/* --- whole configurations ------------------------------------------------------------------------------- */

static void compare_lists(struct list_differ *differ, const struct acl_list *before, const struct acl_list *after)
{
	const struct acl_side old = { .config = differ->old.config, .list = before };
	const struct acl_side new = { .config = differ->new.config, .list = after };
	const struct compared compared = { .family = after->family, .list = after->name };

	if (acl_lists_are_same(differ->session->sources, before, after))
		return;
	add_comparison(differ, &old, &new,
		       pool_format(differ->pool, "%s list '%s' (%s, %s)\n", family_word(after->family), after->name,
				   span_place(differ->pool, differ->session->sources, before->span),
				   span_place(differ->pool, differ->session->sources, after->span)), &compared);
}

static void add_lone_list(struct list_differ *differ, const struct acl_list *list, bool is_new)
{
	text_addf(differ->out, "%s list '%s' is %s (%s)\n", family_word(list->family), list->name,
		  is_new ? "new" : "gone", span_place(differ->pool, differ->session->sources, list->span));
	diff_json_lone(differ->json, list->family == FAMILY_IPV6 ? "ipv6 list" : "ipv4 list", list->name, is_new);
	differ->changes_count++;
}

static void compare_all_lists(struct list_differ *differ)
{
	const struct acl_config *old = differ->old.config, *new = differ->new.config;

	for (size_t index = 0; index < new->lists_count; index++) {
		const struct acl_list *list = new->lists[index];
		const struct acl_list *before = acl_list_find(old, list->family, list->name);

		if (list->kind == ACL_REFLEXIVE)
			continue;
		if (before != NULL)
			compare_lists(differ, before, list);
		else
			add_lone_list(differ, list, true);
	}
	for (size_t index = 0; index < old->lists_count; index++) {
		const struct acl_list *list = old->lists[index];

		if (list->kind != ACL_REFLEXIVE && acl_list_find(new, list->family, list->name) == NULL)
			add_lone_list(differ, list, false);
	}
}

static const struct acl_binding *binding_find(const struct acl_interface *interface,
					      const struct acl_binding *wanted)
{
	for (size_t index = 0; interface != NULL && index < interface->bindings_count; index++)
		if (interface->bindings[index].family == wanted->family &&
		    interface->bindings[index].direction == wanted->direction)
			return &interface->bindings[index];
	return NULL;
}

static struct acl_side side_of(const struct acl_config *config, const struct acl_binding *binding)
{
	return (struct acl_side){
		.config = config,
		.list = binding == NULL ? NULL : acl_list_find(config, binding->family, binding->list),
	};
}

static void add_binding_line(struct list_differ *differ, json_t *object, const char *key,
			     const struct acl_binding *binding)
{
	const char *line;

	if (binding == NULL)
		return;
	line = pool_format(differ->pool, "%s list '%s' %s", family_word(binding->family), binding->list,
			   binding->direction == ACL_IN ? "in" : "out");
	diff_json_line(differ->json, object, key, line, strlen(line));
}

/* before or after: NULL where nothing is bound. */
static void add_binding(struct list_differ *differ, const char *interface, const struct acl_binding *before,
			const struct acl_binding *after)
{
	const struct acl_binding *known = after != NULL ? after : before;
	const struct acl_side old = side_of(differ->old.config, before), new = side_of(differ->new.config, after);
	const struct compared compared = {
		.family = known->family, .list = known->list,
		.interface = interface, .direction = known->direction,
	};
	json_t *settings = diff_json_settings(differ->json, "interface", interface);
	struct text *head = text_new(differ->pool);

	add_binding_line(differ, settings, "before", before);
	add_binding_line(differ, settings, "now", after);
	text_addf(head, "interface '%s', %s %s: list '%s' ", interface, family_word(known->family),
		  known->direction == ACL_IN ? "in" : "out", known->list);
	if (before != NULL && after != NULL)
		text_addf(head, "in the place of '%s'", before->list);
	else
		text_add(head, after != NULL ? "is newly bound" : "is bound no more");
	text_addf(head, " (%s)\n", span_place(differ->pool, differ->session->sources, known->span));
	add_comparison(differ, &old, &new, head->bytes, &compared);
}

static void compare_bindings(struct list_differ *differ)
{
	const struct acl_config *old = differ->old.config, *new = differ->new.config;

	for (size_t index = 0; index < new->interfaces_count; index++) {
		const struct acl_interface *interface = new->interfaces[index];
		const struct acl_interface *twin = acl_interface_find(old, interface->name);

		for (size_t at = 0; at < interface->bindings_count; at++) {
			const struct acl_binding *binding = &interface->bindings[at];
			const struct acl_binding *before = binding_find(twin, binding);

			if (before == NULL || strcmp(before->list, binding->list) != 0)
				add_binding(differ, interface->name, before, binding);
		}
	}
	for (size_t index = 0; index < old->interfaces_count; index++) {
		const struct acl_interface *interface = old->interfaces[index];
		const struct acl_interface *twin = acl_interface_find(new, interface->name);

		for (size_t at = 0; at < interface->bindings_count; at++)
			if (binding_find(twin, &interface->bindings[at]) == NULL)
				add_binding(differ, interface->name, &interface->bindings[at], NULL);
	}
}

/* --- single lists and policies -------------------------------------------------------------------------- */

static const struct acl_list *named_list(struct list_differ *differ, const struct list_argument *side)
{
	for (enum family family = FAMILY_IPV4; family <= FAMILY_IPV6; family++) {
		const struct acl_list *list = acl_list_find(side->config, family, side->name);

		if (list != NULL)
			return list;
	}
	diag_add(differ->session->diags, CODE_FOREIGN_LIST, SPAN_NONE, "'%s' has no list '%s'", side->file,
		 side->name);
	differ->is_good = false;
	return NULL;
}

/* Where the configuration binds the list, of a policy for devices. */
static const char *bound_interface(struct list_differ *differ, const struct list_argument *lists)
{
	for (size_t index = 0; index < lists->config->interfaces_count; index++) {
		const struct acl_interface *interface = lists->config->interfaces[index];

		for (size_t at = 0; at < interface->bindings_count; at++)
			if (interface->bindings[at].direction == ACL_IN &&
			    strcmp(interface->bindings[at].list, lists->name) == 0)
				return interface->name;
	}
	diag_add(differ->session->diags, CODE_EDIT_UNKNOWN, SPAN_NONE,
		 "'%s' binds list '%s' inbound to no interface, and so it is not known what of the policy it is",
		 lists->file, lists->name);
	differ->is_good = false;
	return NULL;
}

static bool set_place(struct list_differ *differ, const struct list_argument *side,
		      const struct list_argument *lists, struct wanted_place *place)
{
	const struct session *session = side->session;

	if (session->views_count != 1) {
		diag_add(differ->session->diags, CODE_EDIT_UNKNOWN, SPAN_NONE,
			 "the policy has %zu devices, and a list is one router's: say '--device NAME'",
			 session->views_count);
		return differ->is_good = false;
	}
	place->ruleset = session->views[0].ruleset;
	place->device = session->views[0].device;
	differ->policy = session->views[0].policy;
	if (place->device != NULL)
		place->interface = bound_interface(differ, lists);
	return differ->is_good;
}

static struct acl_side lone_side(struct list_differ *differ, const struct list_argument *side,
				 const struct list_argument *other, struct wanted_place *place)
{
	if (side->config != NULL)
		return (struct acl_side){ .config = side->config, .list = named_list(differ, side) };
	(void)set_place(differ, side, other, place);
	return (struct acl_side){ .policy = place };
}

static void compare_lone(struct list_differ *differ)
{
	struct wanted_place place = { 0 };
	struct acl_side old = lone_side(differ, &differ->old, &differ->new, &place);
	struct acl_side new = lone_side(differ, &differ->new, &differ->old, &place);
	struct compared compared;

	if (!differ->is_good)
		return;
	if (old.list != NULL && new.list != NULL && old.list->family != new.list->family) {
		diag_add(differ->session->diags, CODE_FOREIGN_LIST, new.list->span,
			 "list '%s' is of %s, and list '%s' of %s", new.list->name, family_word(new.list->family),
			 old.list->name, family_word(old.list->family));
		differ->is_good = false;
		return;
	}
	place.family = old.list != NULL ? old.list->family : new.list->family;
	compared = (struct compared){
		.family = place.family, .list = new.list != NULL ? new.list->name : old.list->name,
	};
	add_comparison(differ, &old, &new,
		       pool_format(differ->pool, "%s against %s\n", differ->new.argument, differ->old.argument),
		       &compared);
}

/* --- the arguments -------------------------------------------------------------------------------------- */

static bool read_config(struct list_differ *differ, struct list_argument *side)
{
	struct session *session = differ->session;
	const char *list = strrchr(side->argument, '#'), *bytes;
	const char *file = side->argument + strlen(PREFIX);
	uint32_t source;
	size_t length;
	int error;

	side->name = list == NULL ? NULL : list + 1;
	side->file = list == NULL ? file : pool_format(differ->pool, "%.*s", (int)(list - file), file);
	error = session->reader.read(session->reader.context, session->pool, side->file, &bytes, &length);
	if (error != 0) {
		diag_add(session->diags, CODE_FILE_UNREADABLE, SPAN_NONE, "cannot read '%s': %s", side->file,
			 strerror(error));
		return false;
	}
	source = sources_add(session->sources, side->file, bytes, length, false);
	side->config = acl_read(differ->pool, session->diags, source);
	return !diags_has_errors(session->diags);
}

static bool read_side(struct list_differ *differ, struct list_argument *side)
{
	if (diff_lists_is_meant(side->argument))
		return read_config(differ, side);
	side->session = session_other(differ->session, side->argument);
	if (side->session == NULL)
		return false;
	if (session_expand(side->session))
		return true;
	diags_take_errors(differ->session->diags, side->session->diags);
	return false;
}

static bool fits(struct list_differ *differ)
{
	bool is_whole_old = differ->old.config != NULL && differ->old.name == NULL;
	bool is_whole_new = differ->new.config != NULL && differ->new.name == NULL;

	if (is_whole_old == is_whole_new)
		return true;
	diag_add(differ->session->diags, CODE_FOREIGN_LIST, SPAN_NONE,
		 "say which list of '%s' is meant: cisco:FILE#LIST",
		 is_whole_old ? differ->old.file : differ->new.file);
	return false;
}

static const struct policy *no_names(void *pool)
{
	struct policy *policy = pool_new(pool, struct policy);

	policy->places = names_new(pool, false);
	return policy;
}

int diff_lists(struct pool_trap *root, struct session_options *options, const char *old, const char *new)
{
	struct list_differ differ = { .old.argument = old, .new.argument = new, .is_good = true };
	int status;

	options->path = new;
	options->is_for_router = true;
	differ.session = session_new(root, options);
	differ.pool = differ.session->pool;
	differ.out = text_new(differ.pool);
	differ.json = diff_json_new(differ.pool, differ.session->sources);
	differ.policy = no_names(differ.pool);
	if (read_side(&differ, &differ.old) && read_side(&differ, &differ.new) && fits(&differ)) {
		if (differ.old.config == NULL || differ.new.config == NULL || differ.new.name != NULL) {
			compare_lone(&differ);
		} else {
			compare_all_lists(&differ);
			compare_bindings(&differ);
		}
	}
	status = session_finish(differ.session);
	if (status != EXIT_DONE || !differ.is_good)
		return status == EXIT_WORLD ? status : EXIT_USAGE;
	if (options->has_json) {
		differ.out->length = 0;
		json_finish(differ.pool, differ.out, diff_json_take(differ.json));
	}
	if (!output_stdout(differ.out))
		return EXIT_WORLD;
	return differ.changes_count > 0 ? EXIT_POLICY : EXIT_DONE;
}
