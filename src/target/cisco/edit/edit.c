/* The new lists are the compiler's own text, read back by the reader that reads the router's. */
#include "target/cisco/edit/edit.h"

#include <string.h>

#include "base/pool.h"
#include "target/cisco/read/read.h"
#include "target/cisco/edit/list.h"
#include "target/cisco/edit/names.h"

/* Where a list filters. interface NULL: nowhere that is known. */
struct edit_place {
	const char *interface;
	enum acl_direction direction;
	const struct acl_list *wanted;
	const char *old_name;       /* NULL: not known */
	const struct acl_list *old; /* NULL: the router has none of that name */
	bool is_swapped;            /* bound to another list by now */
};

struct editor {
	void *pool;
	struct text *out;
	struct diags *diags;
	const struct ios_config *config;
	const struct cisco_change *change;
	const struct acl_config *wanted;
	const struct acl_config *router; /* NULL: none was given */
	struct edit_place *places;
	size_t places_count, places_capacity;
	bool is_good;
};

static void report(struct editor *editor, enum code code, struct span span, const char *message,
		   const char *way_out)
{
	struct diagnostic *error = diag_add(editor->diags, code, span, "%s", message);

	diag_note(editor->diags, error, SPAN_NONE, "%s", way_out);
	editor->is_good = false;
}

/* --- where lists stand -------------------------------------------------------------------------- */

static const struct acl_binding *binding_find(const struct acl_interface *interface, enum family family,
					      enum acl_direction direction)
{
	for (size_t index = 0; interface != NULL && index < interface->bindings_count; index++)
		if (interface->bindings[index].family == family &&
		    interface->bindings[index].direction == direction)
			return &interface->bindings[index];
	return NULL;
}

static const char *direction_word(enum acl_direction direction)
{
	return direction == ACL_IN ? "in" : "out";
}

static void find_old(struct editor *editor, struct edit_place *place, const char *name)
{
	place->old_name = name;
	if (editor->router != NULL && name != NULL)
		place->old = acl_list_find(editor->router, place->wanted->family, name);
}

static void add_bound(struct editor *editor, const struct acl_interface *interface,
		      const struct acl_binding *binding)
{
	struct edit_place place = {
		.interface = interface->name,
		.direction = binding->direction,
		.wanted = acl_list_find(editor->wanted, binding->family, binding->list),
	};
	const struct acl_interface *there;
	const struct acl_binding *bound;

	if (place.wanted == NULL)
		return;
	if (editor->router == NULL) {
		find_old(editor, &place, binding->list);
		*pool_append(editor->pool, editor, places) = place;
		return;
	}
	there = acl_interface_find(editor->router, interface->name);
	bound = binding_find(there, binding->family, binding->direction);
	if (bound != NULL) {
		place.interface = there->name;
		find_old(editor, &place, bound->list);
		*pool_append(editor->pool, editor, places) = place;
		return;
	}
	report(editor, CODE_EDIT_UNKNOWN, there != NULL ? there->span : SPAN_NONE,
	       pool_format(editor->pool, "the router's configuration binds no %s list '%s' to interface '%s'",
			   binding->family == FAMILY_IPV6 ? "IPv6" : "IPv4", direction_word(binding->direction),
			   interface->name),
	       "bring the whole configuration there first: 'fwc compile' without '--mode'");
}

/* Something filters there that the policy does not know. */
static void check_strangers(struct editor *editor)
{
	for (size_t index = 0; editor->router != NULL && index < editor->wanted->interfaces_count; index++) {
		const struct acl_interface *interface = editor->wanted->interfaces[index];
		const struct acl_interface *there = acl_interface_find(editor->router, interface->name);

		for (size_t other = 0; there != NULL && other < there->bindings_count; other++) {
			const struct acl_binding *bound = &there->bindings[other];

			if (binding_find(interface, bound->family, bound->direction) == NULL)
				report(editor, CODE_EDIT_UNKNOWN, bound->span,
				       pool_format(editor->pool, "list '%s' filters interface '%s' (%s), and the "
						   "policy has none there", bound->list, there->name,
						   direction_word(bound->direction)),
				       "take the binding away on the router first, or add to the policy what it "
				       "is for");
		}
	}
}

static bool is_placed(const struct editor *editor, const struct acl_list *list)
{
	for (size_t index = 0; index < editor->places_count; index++)
		if (editor->places[index].wanted == list)
			return true;
	return false;
}

/* The name itself, or one that an earlier swap made of it. */
static bool is_name_of(struct editor *editor, const char *name, const char *wanted)
{
	const char *base = edit_swap_base(editor->pool, wanted);
	size_t length = strlen(base);

	if (strcmp(name, wanted) == 0)
		return true;
	return strncmp(name, base, length) == 0 && strlen(name) >= length + EDIT_HASH_DIGITS &&
	       strspn(name + length, "0123456789abcdef") == EDIT_HASH_DIGITS &&
	       strspn(name + length + EDIT_HASH_DIGITS, "-0123456789") ==
		       strlen(name + length + EDIT_HASH_DIGITS);
}

/* Not bound by the policy: wherever the router binds a list of that name. */
static void add_by_name(struct editor *editor, const struct acl_list *list)
{
	struct edit_place place = { .wanted = list };
	bool is_bound = false;

	for (size_t index = 0; editor->router != NULL && index < editor->router->interfaces_count; index++) {
		const struct acl_interface *interface = editor->router->interfaces[index];

		for (size_t other = 0; other < interface->bindings_count; other++) {
			const struct acl_binding *bound = &interface->bindings[other];

			if (bound->family != list->family || !is_name_of(editor, bound->list, list->name))
				continue;
			find_old(editor, &place, bound->list);
			place.interface = interface->name;
			place.direction = bound->direction;
			*pool_append(editor->pool, editor, places) = place;
			is_bound = true;
		}
	}
	if (is_bound)
		return;
	find_old(editor, &place, list->name);
	*pool_append(editor->pool, editor, places) = place;
}

static void find_places(struct editor *editor)
{
	for (size_t index = 0; index < editor->wanted->interfaces_count; index++) {
		const struct acl_interface *interface = editor->wanted->interfaces[index];

		for (size_t other = 0; other < interface->bindings_count; other++)
			add_bound(editor, interface, &interface->bindings[other]);
	}
	for (size_t index = 0; index < editor->wanted->lists_count; index++)
		if (!is_placed(editor, editor->wanted->lists[index]))
			add_by_name(editor, editor->wanted->lists[index]);
	check_strangers(editor);
}

/* --- what is known --------------------------------------------------------------------------------- */

static void check_place(struct editor *editor, const struct edit_place *place)
{
	if (place->old != NULL && place->old->unread_count > 0)
		report(editor, CODE_EDIT_UNREAD, place->old->span,
		       pool_format(editor->pool, "list '%s' has lines that are not understood", place->old->name),
		       "what it does is not known, so that no change of it can be: see the warnings above");
}

static bool has_old_name(const struct edit_place *place, const struct edit_place *other)
{
	return place->old_name != NULL && other->old_name != NULL &&
	       place->wanted->family == other->wanted->family && strcmp(place->old_name, other->old_name) == 0;
}

/* Lines of the router that use the list, beside places that were bound to another by now. */
static size_t uses_left(const struct editor *editor, const struct edit_place *place)
{
	size_t uses = edit_names_uses(editor->router, place->wanted->family, place->old_name);

	for (size_t index = 0; index < editor->places_count; index++)
		uses -= editor->places[index].is_swapped && has_old_name(&editor->places[index], place);
	return uses;
}

/* --- commands ---------------------------------------------------------------------------------------- */

static const char *new_name(struct editor *editor, const struct edit_place *place)
{
	const struct acl_list *wanted = place->wanted;
	const char *name = pool_format(editor->pool, "%s%s", edit_swap_base(editor->pool, wanted->name),
				       edit_hash(editor->pool, wanted));
	const char *tried = name;

	for (unsigned number = 2; editor->router != NULL &&
	     acl_list_find(editor->router, wanted->family, tried) != NULL; number++)
		tried = pool_format(editor->pool, "%s-%u", name, number);
	return tried;
}

static void bind(struct text *out, const struct edit_place *place, const char *name)
{
	text_addf(out, "interface %s\n %s %s %s\n", place->interface,
		  place->wanted->family == FAMILY_IPV6 ? "ipv6 traffic-filter" : "ip access-group", name,
		  direction_word(place->direction));
}

/* What else the router does with the old list: without it `access-class` and the like would let in everything. */
static struct span other_use(const struct editor *editor, const struct edit_place *place)
{
	if (editor->router == NULL || place->old_name == NULL)
		return SPAN_NONE;
	return edit_names_mention(editor->pool, editor->diags->sources, editor->change->router, place->old_name);
}

static void remove_old(struct editor *editor, const struct edit_place *place)
{
	struct span use = other_use(editor, place);

	if (editor->router != NULL && place->old == NULL)
		return;
	if (editor->router != NULL && uses_left(editor, place) > 0) {
		text_addf(editor->out, "! list %s stays: it is in use elsewhere\n", place->old_name);
		return;
	}
	if (use.source == UINT32_MAX) {
		text_addf(editor->out, "no %s %s\n", place->wanted->family == FAMILY_IPV6 ? "ipv6 access-list" :
			  "ip access-list extended", place->old_name);
		return;
	}
	report(editor, CODE_EDIT_KEPT, use,
	       pool_format(editor->pool, "list '%s' cannot be swapped: this line names it, too", place->old_name),
	       "give this line a list of its own on the router first");
}

/* Last of all, each once: until then another interface may be bound to it, and one without its list lets in
 * everything. */
static void remove_swapped(struct editor *editor)
{
	for (size_t index = 0; index < editor->places_count; index++) {
		const struct edit_place *place = &editor->places[index];
		bool is_first = true;

		for (size_t other = 0; other < index; other++)
			is_first = is_first && !(editor->places[other].is_swapped &&
						 has_old_name(&editor->places[other], place));
		if (place->is_swapped && is_first)
			remove_old(editor, place);
	}
}

/* Made beside the old ones, bound with one line a place. */
static void swap(struct editor *editor, const struct edit_place *place)
{
	const char *name = new_name(editor, place);

	if (place->interface == NULL) {
		report(editor, CODE_EDIT_UNKNOWN, SPAN_NONE,
		       pool_format(editor->pool, "it is not known where list '%s' is bound", place->wanted->name),
		       "give the running configuration with '--from FILE': it has to bind the list to an "
		       "interface");
		return;
	}
	edit_write_list(editor->out, place->wanted, name);
	for (size_t index = 0; index < editor->places_count; index++)
		if (editor->places[index].wanted == place->wanted) {
			bind(editor->out, &editor->places[index], name);
			editor->places[index].is_swapped = true;
		}
}

static void swap_instead(struct editor *editor, const struct edit_place *place, const char *reason)
{
	diag_add(editor->diags, CODE_EDIT_SWAPPED, SPAN_NONE, "list '%s' is swapped, not edited: %s",
		 place->old_name, reason);
	text_addf(editor->out, "! list %s is swapped: %s\n", place->old_name, reason);
	swap(editor, place);
}

static bool is_first_of_list(const struct editor *editor, size_t at)
{
	for (size_t index = 0; index < at; index++)
		if (editor->places[index].wanted == editor->places[at].wanted)
			return false;
	return true;
}

/* Whether the list is at every place of the policy's what the router has there. */
static bool is_settled(const struct editor *editor, const struct edit_place *place)
{
	for (size_t index = 0; index < editor->places_count; index++) {
		const struct edit_place *other = &editor->places[index];

		if (other->wanted == place->wanted &&
		    (other->old == NULL || !edit_is_same(editor->pool, other->old, other->wanted)))
			return false;
	}
	return true;
}

/* Another list of the policy takes the place of the same old one, this one of several, or somebody else uses
 * it. */
static bool is_shared(const struct editor *editor, const struct edit_place *place)
{
	size_t own = 0;

	for (size_t index = 0; index < editor->places_count; index++) {
		const struct edit_place *other = &editor->places[index];

		if ((other->wanted == place->wanted) != has_old_name(other, place))
			return true;
		own += other->wanted == place->wanted;
	}
	return place->interface != NULL &&
	       (edit_names_uses(editor->router, place->wanted->family, place->old_name) != own ||
		other_use(editor, place).source != UINT32_MAX);
}

static void change_place(struct editor *editor, const struct edit_place *place)
{
	const char *reason;

	if (is_settled(editor, place))
		return;
	if (editor->router != NULL && place->old == NULL && place->interface == NULL) {
		text_addf(editor->out, "! list %s is new: nothing binds it\n", place->wanted->name);
		edit_write_list(editor->out, place->wanted, place->wanted->name);
		return;
	}
	/* translations and crypto maps have no line that could be rebound at once */
	bool is_bound = place->interface != NULL || place->old == NULL || editor->config->device == NULL;

	if (editor->change->mode == CISCO_SWAP && is_bound)
		swap(editor, place);
	else if (place->old == NULL)
		swap_instead(editor, place, "the router has none of that name");
	else if (place->old->kind != place->wanted->kind)
		swap_instead(editor, place, "it is a list of another kind");
	else if (is_shared(editor, place))
		swap_instead(editor, place, "it filters at other places, too");
	else if (!edit_list(editor->pool, editor->out, place->old, place->wanted, &reason))
		swap_instead(editor, place, reason);
}

/* --- the proof ------------------------------------------------------------------------------------------ */

static const struct acl_list *list_after(const struct acl_config *after, const struct edit_place *place)
{
	const struct acl_interface *interface;
	const struct acl_binding *bound;

	if (place->interface == NULL)
		return acl_list_find(after, place->wanted->family, place->wanted->name);
	interface = acl_interface_find(after, place->interface);
	bound = binding_find(interface, place->wanted->family, place->direction);
	return bound == NULL ? NULL : acl_list_find(after, place->wanted->family, bound->list);
}

/* The router's configuration with the commands typed behind it holds the new lists. */
static void prove(struct editor *editor, size_t begin)
{
	struct sources *sources = editor->diags->sources;
	uint32_t both[] = { editor->change->router, 0 };
	const struct acl_config *after;

	if (editor->router == NULL || editor->out->length == begin)
		return;
	both[1] = sources_add(sources, "<commands>", pool_strdup(editor->pool, editor->out->bytes + begin),
			      editor->out->length - begin, false);
	after = acl_read_all(editor->pool, diags_new(editor->pool, sources), both, 2);
	for (size_t index = 0; index < editor->places_count; index++) {
		const struct acl_list *list = list_after(after, &editor->places[index]);

		if (list == NULL || !edit_is_same(editor->pool, list, editor->places[index].wanted))
			report(editor, CODE_EDIT_UNPROVEN, SPAN_NONE,
			       pool_format(editor->pool, "the commands do not make list '%s'",
					   editor->places[index].wanted->name),
			       "nothing is printed; '--mode swap' changes the list in another way");
	}
}

/* --- all of it -------------------------------------------------------------------------------------------- */

static const struct acl_config *read_own(struct editor *editor, const struct cisco_settings *settings)
{
	struct sources *sources = editor->diags->sources;
	struct text *text = text_new(editor->pool);
	uint32_t source;

	cisco_text(text, editor->config, settings);
	source = sources_add(sources, "<lists>", text->bytes, text->length, false);
	return acl_read(editor->pool, diags_new(editor->pool, sources), source);
}

bool cisco_edit(struct text *out, struct diags *diags, const struct ios_config *config,
		const struct cisco_settings *settings, const struct cisco_change *change)
{
	struct editor editor = {
		.pool = out->pool,
		.out = out,
		.diags = diags,
		.config = config,
		.change = change,
		.is_good = true,
	};
	size_t begin = out->length;

	if (change->router != UINT32_MAX)
		editor.router = acl_read(editor.pool, diags, change->router);
	if (diags_has_errors(diags))
		return false;
	editor.wanted = read_own(&editor, settings);
	find_places(&editor);
	for (size_t index = 0; index < editor.places_count; index++)
		check_place(&editor, &editor.places[index]);
	if (editor.is_good)
		editor.is_good = edit_names_define(out, diags, config, settings, editor.wanted, editor.router);
	for (size_t index = 0; index < editor.places_count && editor.is_good; index++)
		if (is_first_of_list(&editor, index))
			change_place(&editor, &editor.places[index]);
	if (editor.is_good)
		remove_swapped(&editor);
	if (editor.is_good)
		prove(&editor, begin);
	return editor.is_good;
}
