/* Hosts, networks, groups, and lists of places.
 *
 * Resolving goes depth first, at most PLACE_DEPTH deep; the way down is a list of frames, so that a
 * cycle can be told link by link. */
#include "resolve/places.h"

#include <string.h>

#include "base/pool.h"
#include "resolve/devices.h"
#include "resolve/list_file.h"
#include "resolve/literal.h"
#include "resolve/tunnels.h"
#include "resolve/zones.h"
#include "services/walk.h"

/* A definition being resolved, and the word in it that leads further down. */
struct frame {
	struct resolver *resolver;
	struct place_definition *definition; /* NULL: the list of a rule */
	struct span link;
	const struct frame *outer;
	unsigned depth;
};

static bool resolve_below(struct frame *frame, struct place_definition *definition);

/* --- names ------------------------------------------------------------------------------------- */

static struct place_definition *definition_new(struct resolver *resolver,
					       const struct ast_statement *statement)
{
	struct place_definition *definition = pool_new(resolver->pool, struct place_definition);
	const struct ast_word *name = statement->place.name;
	if (statement->kind == AST_ZONE) {
		definition->kind = PLACE_DEFINITION_ZONE;
		definition->zone = pool_new(resolver->pool, struct zone);
		definition->ast_zone = &statement->zone;
		name = statement->zone.name;
	} else if (statement->kind == AST_TUNNEL) {
		definition->kind = PLACE_DEFINITION_TUNNEL;
		definition->tunnel = pool_new(resolver->pool, struct tunnel);
		definition->ast_tunnel = &statement->tunnel;
		name = statement->tunnel.name;
	} else {
		definition->kind = statement->kind == AST_HOST	    ? PLACE_DEFINITION_HOST
				   : statement->kind == AST_NETWORK ? PLACE_DEFINITION_NETWORK
								    : PLACE_DEFINITION_GROUP;
		definition->ast = &statement->place.places;
	}
	definition->name = name->text;
	definition->span = name->span;
	return definition;
}

static const char *const kind_names[] = {
	[PLACE_DEFINITION_HOST] = "host",	[PLACE_DEFINITION_NETWORK] = "network",
	[PLACE_DEFINITION_GROUP] = "group",	[PLACE_DEFINITION_ZONE] = "zone",
	[PLACE_DEFINITION_TUNNEL] = "tunnel",
};

static void collect(struct resolver *resolver, const struct ast_statement *statement)
{
	struct place_definition *definition = definition_new(resolver, statement);
	size_t length = strlen(definition->name);
	struct place_definition *before =
		names_find(resolver->policy->places, definition->name, length);
	if (before == NULL) {
		names_set(resolver->policy->places, definition->name, length, definition);
		return;
	}
	bool are_tunnels = definition->kind == PLACE_DEFINITION_TUNNEL &&
			   before->kind == PLACE_DEFINITION_TUNNEL;
	struct diagnostic *error =
		diag_add(resolver->diags, are_tunnels ? CODE_DUPLICATE_TUNNEL : CODE_DUPLICATE_PLACE,
			 definition->span, "'%s' is a %s already", definition->name,
			 kind_names[before->kind]);
	diag_note(resolver->diags, error, before->span, "'%s' is defined here", before->name);
}

void places_collect(struct resolver *resolver)
{
	struct walk walk = walk_begin_others(resolver->pool, resolver->program);
	for (const struct ast_statement *statement; (statement = walk_next(&walk)) != NULL;)
		switch (statement->kind) {
		case AST_HOST:
		case AST_NETWORK:
		case AST_GROUP:
		case AST_ZONE:
		case AST_TUNNEL:
			collect(resolver, statement);
			break;
		case AST_POLICY:
		case AST_INCLUDE:
		case AST_SERVICE:
		case AST_EXTEND_TAG:
		case AST_SCHEDULE:
		case AST_TIMEZONE:
		case AST_RULE:
		case AST_BLOCK:
		case AST_DEFAULT:
		case AST_MASQUERADE:
		case AST_SNAT:
		case AST_FORWARD:
		case AST_DEVICE:
		case AST_ASSERT:
		case AST_EXPECT:
			break;
		}
}

struct place_definition *place_find(const struct resolver *resolver, const struct ast_word *name)
{
	return names_find(resolver->policy->places, name->text, name->length);
}

/* "self.", "dc1.": the end of a sentence. */
static bool has_known_stem(const struct resolver *resolver, const struct ast_word *name)
{
	size_t length = name->length - 1;
	static const char *const own[] = { "any", "internet", "self" };
	if (name->length < 2 || name->text[length] != '.')
		return false;
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (strlen(own[i]) == length && memcmp(own[i], name->text, length) == 0)
			return true;
	return names_find(resolver->policy->places, name->text, length) != NULL;
}

/* Words of other firewalls' languages. */
static bool note_habit(struct resolver *resolver, struct diagnostic *error, const struct ast_word *name)
{
	static const struct {
		const char *word, *own;
	} habits[] = {
		{ "all", "everywhere is written 'any'" },
		{ "anywhere", "everywhere is written 'any'" },
		{ "firewall", "the firewall is written 'self'" },
		{ "localhost", "the firewall is written 'self'; loopback always passes" },
		{ "me", "the firewall is written 'self'" },
	};
	for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++)
		if (strcmp(habits[i].word, name->text) == 0) {
			diag_note(resolver->diags, error, SPAN_NONE, "%s", habits[i].own);
			return true;
		}
	return false;
}

/* "eth1", "ens18", "br-lan": how the kernel names interfaces. */
static bool is_interface_name(const struct ast_word *name)
{
	static const char *const stems[] = { "bond", "br", "docker", "en", "eth", "ppp", "tun", "tap", "veth",
					     "virbr", "vlan", "wg", "wl" };
	bool has_digit = strpbrk(name->text, "0123456789") != NULL;
	for (size_t i = 0; i < sizeof stems / sizeof stems[0]; i++)
		if (strncmp(name->text, stems[i], strlen(stems[i])) == 0 && name->length < 16 && has_digit)
			return true;
	return false;
}

static void report_unknown(struct resolver *resolver, const struct ast_word *name)
{
	if (name->is_reported)
		return;
	struct diagnostic *error = diag_add(resolver->diags, CODE_UNKNOWN_PLACE, name->span,
					    "unknown place '%s'", name->text);
	if (has_known_stem(resolver, name)) {
		diag_note(resolver->diags, error, SPAN_NONE, "the '.' at the end belongs to the name; did "
			  "you mean '%.*s'?", (int)name->length - 1, name->text);
		return;
	}
	if (note_habit(resolver, error, name))
		return;
	if (is_interface_name(name))
		diag_note(resolver->diags, error, SPAN_NONE, "an interface belongs to a zone: 'zone NAME { "
			  "interface %s; }', then 'from NAME'", name->text);
	else
		note_nearest(resolver, error, resolver->policy->places, name);
	if (error->notes == NULL && strchr(name->text, '.') != NULL)
		diag_note(resolver->diags, error, SPAN_NONE, "no name is looked up in DNS: 'host NAME = ADDRESS;' "
			  "gives one to an address");
}

/* --- cycles ----------------------------------------------------------------------------------------- */

static void report_cycle(const struct frame *last, const struct place_definition *definition)
{
	struct diags *diags = last->resolver->diags;
	const struct frame *links[PLACE_DEPTH + 1];
	size_t count = 0;
	for (const struct frame *frame = last; frame != NULL; frame = frame->outer) {
		links[count++] = frame;
		if (frame->definition == definition)
			break;
	}
	struct diagnostic *error = diag_add(diags, CODE_PLACE_CYCLE, definition->span,
					    "%s '%s' contains itself", kind_names[definition->kind],
					    definition->name);
	for (size_t i = count; i > 0; i--) {
		const struct frame *frame = links[i - 1];
		const struct place_definition *next = i > 1 ? links[i - 2]->definition : definition;
		diag_note(diags, error, frame->link, "'%s' holds '%s'",
			  frame->definition == NULL ? "what it carries" : frame->definition->name,
			  next == NULL ? "this" : next->name);
	}
}

static bool is_too_deep(const struct frame *frame, const struct place_definition *definition)
{
	if (frame->depth < PLACE_DEPTH)
		return false;
	diag_add(frame->resolver->diags, CODE_TOO_DEEP, frame->link,
		 "'%s' is more than %d groups deep in others", definition->name, PLACE_DEPTH);
	return true;
}

/* --- one place ------------------------------------------------------------------------------------------ */

static bool place_of_name(struct frame *frame, const struct ast_place *ast, struct place *place,
			  bool *may_be_empty)
{
	struct place_definition *definition = place_find(frame->resolver, ast->word);
	if (definition == NULL) {
		report_unknown(frame->resolver, ast->word);
		return false;
	}
	frame->link = ast->word->span;
	if (!resolve_below(frame, definition))
		return false;
	definition->is_used = true;
	*may_be_empty = definition->may_be_empty;
	place->is_empty_file = definition->is_empty_file;
	if (definition->zone == NULL && definition->list != NULL) {
		place->kind = PLACE_GROUP;
		place->group = definition->list;
		return true;
	}
	if (definition->zone == NULL) {
		place->addresses = definition->addresses;
		return true;
	}
	place->kind = PLACE_ZONE;
	place->zone = definition->zone;
	definition->zone->is_used = true;
	return device_zone_is_known(frame->resolver, definition->zone, ast->word->span);
}

static bool place_of_file(struct frame *frame, const struct ast_place *ast, struct place *place,
			  bool *may_be_empty)
{
	struct resolver *resolver = frame->resolver;
	if (ast->word->is_reported)
		return false;
	const struct list_file *list = list_file_read(resolver, ast->word);
	if (!list->is_good)
		return false;
	*may_be_empty = ast->may_be_empty;
	place->addresses = &list->addresses;
	if (!address_set_is_empty(&list->addresses))
		return true;
	if (!ast->may_be_empty) {
		struct diagnostic *error = diag_add(resolver->diags, CODE_EMPTY_PLACE, ast->span,
						    "the list '%s' is empty", ast->word->text);
		diag_note(resolver->diags, error, SPAN_NONE,
			  "where that may be, write 'file \"%s\" or empty'", ast->word->text);
		return false;
	}
	place->is_empty_file = true;
	diag_add(resolver->diags, CODE_LIST_EMPTY, ast->span,
		 "the list '%s' is empty at present: it matches nothing", ast->word->text);
	return true;
}

static bool place_of(struct frame *frame, const struct ast_place *ast, struct place *place,
		     bool *may_be_empty)
{
	*place = (struct place){ .kind = PLACE_ADDRESSES, .span = ast->span };
	place->name = ast->word != NULL ? ast->word->text : "";
	switch (ast->kind) {
	case AST_PLACE_NAME:
		return place_of_name(frame, ast, place, may_be_empty);
	case AST_PLACE_ANY:
		place->kind = PLACE_ANY;
		place->name = "any";
		return true;
	case AST_PLACE_SELF:
		place->kind = PLACE_SELF;
		place->name = "self";
		return true;
	case AST_PLACE_INTERNET:
		place->name = "internet";
		place->addresses = internet_addresses(frame->resolver, ast->span);
		return place->addresses != NULL;
	case AST_PLACE_FILE:
		return place_of_file(frame, ast, place, may_be_empty);
	case AST_PLACE_ADDRESS:
	case AST_PLACE_PREFIX:
	case AST_PLACE_RANGE:
		break;
	}
	place->box = literal_box(frame->resolver, ast->word);
	if (place->box == NULL)
		return false;
	place->addresses = &place->box->addresses;
	return true;
}

/* --- lists ---------------------------------------------------------------------------------------------- */

static size_t count_places(const struct ast_place *place)
{
	size_t count = 0;
	for (; place != NULL; place = place->next)
		count++;
	return count;
}

static void report_may_be_empty(struct resolver *resolver, const struct place *place)
{
	const struct place_definition *named =
		names_find(resolver->policy->places, place->name, strlen(place->name));
	const bool is_far = named != NULL && named->kind == PLACE_DEFINITION_TUNNEL;
	struct diagnostic *error =
		is_far ? diag_add(resolver->diags, CODE_EMPTY_PLACE, place->span,
				  "device '%s' is no end of the tunnel '%s', whose networks cannot "
				  "stand behind 'except' there", resolver->device->name, place->name)
		       : diag_add(resolver->diags, CODE_EMPTY_PLACE, place->span,
				  "a list that may be empty cannot stand behind 'except'");
	diag_note(resolver->diags, error, SPAN_NONE,
		  "when it is empty, everything that it excludes would match");
}

struct side {
	struct place *items;
	size_t count;
	bool may_be_empty;
};

/* All places of one side of `except`, also after a mistake. false: one was reported. */
static bool side_of(struct frame *frame, const struct ast_place *ast, bool is_except,
		    struct side *side)
{
	bool is_good = true;
	side->items = arena_array(frame->resolver->arena, struct place, count_places(ast));
	for (; ast != NULL; ast = ast->next) {
		struct place *place = &side->items[side->count];
		bool may_be_empty = false;
		if (!place_of(frame, ast, place, &may_be_empty)) {
			is_good = false;
			continue;
		}
		side->count++;
		side->may_be_empty = side->may_be_empty || may_be_empty;
		if (is_except && may_be_empty) {
			report_may_be_empty(frame->resolver, place);
			is_good = false;
		}
	}
	return is_good;
}

struct resolved_list {
	struct place_list list;
	bool may_be_empty;
};

static bool list_of(struct frame *frame, const struct ast_places *ast, struct resolved_list *result)
{
	struct side items = { 0 }, excepts = { 0 };
	bool is_good = side_of(frame, ast->items, false, &items);
	if (ast->except != NULL)
		is_good = side_of(frame, ast->except, true, &excepts) && is_good;
	result->may_be_empty = items.may_be_empty;
	result->list = (struct place_list){
		.span = ast->span,
		.items = items.items,
		.items_count = (uint32_t)items.count,
		.excepts = excepts.items,
		.excepts_count = excepts.count,
	};
	return is_good;
}

/* The first place that is not addresses alone, or NULL. */
static const struct place *first_other(const struct place *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (items[i].kind != PLACE_ADDRESSES)
			return &items[i];
	return NULL;
}

static const struct place *first_not_addresses(const struct place_list *list)
{
	const struct place *place = first_other(list->items, list->items_count);
	return place != NULL ? place : first_other(list->excepts, list->excepts_count);
}

/* --- folding -------------------------------------------------------------------------------------------- */

static void add_intervals(void *pool, struct interval_set *set, const struct interval_set *more)
{
	for (size_t i = 0; i < more->items_count; i++)
		interval_set_add(pool, set, more->items[i].low, more->items[i].high);
}

static struct address_set union_of(void *pool, const struct place *items, size_t count)
{
	struct address_set sum = { 0 };
	if (count == 1)
		return *items->addresses;
	for (size_t i = 0; i < count; i++) {
		add_intervals(pool, &sum.v4, &items[i].addresses->v4);
		add_intervals(pool, &sum.v6, &items[i].addresses->v6);
	}
	address_set_normalise(&sum);
	return sum;
}

static bool are_all_empty(const struct place_list *list)
{
	for (size_t i = 0; i < list->items_count; i++)
		if (!list->items[i].is_empty_file)
			return false;
	return true;
}

/* The addresses of a list of addresses alone. NULL: nothing is left, reported. */
static const struct address_set *fold(struct resolver *resolver, const struct place_list *list,
				      bool *is_empty_file)
{
	if (list->items_count == 1 && list->excepts_count == 0) {
		*is_empty_file = list->items->is_empty_file;
		return list->items->addresses;
	}
	struct address_set *sum = arena_new_item(resolver->arena, struct address_set);
	*sum = union_of(resolver->pool, list->items, list->items_count);
	if (list->excepts_count != 0) {
		struct address_set taken =
			union_of(resolver->pool, list->excepts, list->excepts_count);
		*sum = address_set_subtract(resolver->pool, sum, &taken);
	}
	*is_empty_file = are_all_empty(list);
	if (!address_set_is_empty(sum) || *is_empty_file)
		return sum;
	diag_add(resolver->diags, CODE_EMPTY_PLACE, list->span, "nothing is left after 'except'");
	return NULL;
}

static void report_kind(struct resolver *resolver, const struct place *place, const char *where)
{
	struct diagnostic *error =
		diag_add(resolver->diags, CODE_PLACE_KIND, place->span, "'%s' is not made of "
			 "addresses alone, and cannot stand in %s", place->name, where);
	if (place->kind == PLACE_ZONE || place->kind == PLACE_GROUP)
		diag_note(resolver->diags, error, SPAN_NONE, "a 'group' can hold it");
}

/* --- definitions ---------------------------------------------------------------------------------------- */

static void report_host(struct resolver *resolver, const struct place_definition *host,
			const struct ast_place *place)
{
	struct diagnostic *error = diag_add(resolver->diags, CODE_HOST_ADDRESSES, place->span,
					    "host '%s' holds more than single addresses", host->name);
	diag_note(resolver->diags, error, SPAN_NONE, "write 'network %s' or 'group %s'", host->name,
		  host->name);
}

static bool is_single(const struct resolver *resolver, const struct ast_place *place)
{
	const struct place_definition *named =
		place->kind == AST_PLACE_NAME ? place_find(resolver, place->word) : NULL;
	if (place->kind == AST_PLACE_NAME) /* unknown names are reported elsewhere */
		return named == NULL || named->kind == PLACE_DEFINITION_HOST;
	return place->kind == AST_PLACE_ADDRESS;
}

/* A prefix with host bits says which network is meant; that message is enough. */
static bool is_host(struct resolver *resolver, const struct place_definition *host)
{
	bool is_good = true;
	for (const struct ast_place *place = host->ast->items; place != NULL; place = place->next) {
		struct prefix prefix;
		bool has_host_bits = place->kind == AST_PLACE_PREFIX &&
				     prefix_parse(place->word->text, place->word->length, &prefix) &&
				     prefix_has_host_bits(&prefix);
		if (is_single(resolver, place) || has_host_bits)
			continue;
		report_host(resolver, host, place);
		is_good = false;
	}
	if (host->ast->except == NULL)
		return is_good;
	report_host(resolver, host, host->ast->except);
	return false;
}

static bool keep_list(struct frame *frame, const struct resolved_list *result)
{
	struct place_definition *definition = frame->definition;
	struct resolver *resolver = frame->resolver;
	const struct place *other = first_not_addresses(&result->list);
	definition->may_be_empty = result->may_be_empty;
	if (other == NULL) {
		definition->addresses = fold(resolver, &result->list, &definition->is_empty_file);
		return definition->addresses != NULL;
	}
	if (definition->kind != PLACE_DEFINITION_GROUP) {
		report_kind(resolver, other, definition->kind == PLACE_DEFINITION_HOST ? "a host"
										    : "a network");
		return false;
	}
	definition->list = arena_copy(resolver->arena, &result->list, sizeof result->list);
	return true;
}

static bool resolve_body(struct frame *frame)
{
	struct place_definition *definition = frame->definition;
	struct resolved_list result = { 0 };
	switch (definition->kind) {
	case PLACE_DEFINITION_ZONE:
		return true;
	case PLACE_DEFINITION_TUNNEL:
		definition->addresses = tunnel_far_networks(frame->resolver, definition);
		return definition->addresses != NULL;
	case PLACE_DEFINITION_HOST: {
		bool is_good = is_host(frame->resolver, definition);
		return list_of(frame, definition->ast, &result) && is_good &&
		       keep_list(frame, &result);
	}
	case PLACE_DEFINITION_NETWORK:
	case PLACE_DEFINITION_GROUP:
		break;
	}
	return list_of(frame, definition->ast, &result) && keep_list(frame, &result);
}

static bool resolve_below(struct frame *outer, struct place_definition *definition)
{
	switch (definition->state) {
	case PLACE_STATE_RESOLVED:
		return true;
	case PLACE_STATE_BROKEN:
		return false;
	case PLACE_STATE_RESOLVING:
		report_cycle(outer, definition);
		return false;
	case PLACE_STATE_NEW:
		break;
	}
	if (is_too_deep(outer, definition))
		return false;
	struct frame frame = { .resolver = outer->resolver, .definition = definition,
			       .outer = outer, .depth = outer->depth + 1 };
	definition->state = PLACE_STATE_RESOLVING;
	bool is_good = resolve_body(&frame);
	definition->state = is_good ? PLACE_STATE_RESOLVED : PLACE_STATE_BROKEN;
	return is_good;
}

bool place_definition_resolve(struct resolver *resolver, struct place_definition *definition,
			      struct span use)
{
	struct frame root = { .resolver = resolver, .link = use };
	return resolve_below(&root, definition);
}

void places_resolve_all(struct resolver *resolver)
{
	const struct names *places = resolver->policy->places;
	for (size_t i = 0; i < names_count(places); i++) {
		struct place_definition *definition = names_value(places, i);
		place_definition_resolve(resolver, definition, definition->span);
	}
}

/* --- lists of rules and others ------------------------------------------------------------------------------ */

const struct place_list *place_list_resolve(struct resolver *resolver, const struct ast_places *ast)
{
	struct frame root = { .resolver = resolver };
	struct resolved_list result = { 0 };
	if (!list_of(&root, ast, &result))
		return NULL;
	bool is_empty_file;
	/* lists with zones are judged where hooks are known */
	if (result.list.excepts_count != 0 && first_not_addresses(&result.list) == NULL &&
	    fold(resolver, &result.list, &is_empty_file) == NULL)
		return NULL;
	return arena_copy(resolver->arena, &result.list, sizeof result.list);
}

const struct address_set *place_addresses_resolve(struct resolver *resolver,
						  const struct ast_places *ast)
{
	struct frame root = { .resolver = resolver };
	struct resolved_list result = { 0 };
	if (!list_of(&root, ast, &result))
		return NULL;
	const struct place *other = first_not_addresses(&result.list);
	bool is_empty_file;
	if (other != NULL) {
		report_kind(resolver, other, "a list of networks");
		return NULL;
	}
	return fold(resolver, &result.list, &is_empty_file);
}

/* The places of a list without `internet`; says whether it was there. */
static struct ast_place *without_internet(struct resolver *resolver, const struct ast_place *place,
					  bool *has_internet)
{
	struct ast_place *first = NULL, **end = &first;
	for (; place != NULL; place = place->next) {
		if (place->kind == AST_PLACE_INTERNET) {
			*has_internet = true;
			continue;
		}
		*end = arena_copy(resolver->arena, place, sizeof *place);
		end = &(*end)->next;
		*end = NULL;
	}
	return first;
}

bool network_line_resolve(struct resolver *resolver, const struct ast_places *ast,
			  struct network_line *line)
{
	struct frame root = { .resolver = resolver };
	struct ast_places others = *ast;
	struct resolved_list result = { 0 };
	line->span = ast->span;
	others.items = without_internet(resolver, ast->items, &line->has_internet);
	if (!list_of(&root, &others, &result))
		return false;
	const struct place_list *list = &result.list;
	const struct place *other = first_not_addresses(list);
	if (other != NULL) {
		report_kind(resolver, other, "the networks of a zone");
		return false;
	}
	line->may_be_empty = result.may_be_empty;
	line->others = union_of(resolver->pool, list->items, list->items_count);
	line->excepts = union_of(resolver->pool, list->excepts, list->excepts_count);
	if (list->excepts_count != 0)
		line->others = address_set_subtract(resolver->pool, &line->others, &line->excepts);
	return true;
}

const struct address_set *place_word_addresses(struct resolver *resolver,
					       const struct ast_word *word, enum code code)
{
	if (word->is_reported)
		return NULL;
	if (word->kind == AST_WORD_ADDRESS) {
		const struct place_box *box = literal_box(resolver, word);
		return box == NULL ? NULL : &box->addresses;
	}
	struct place_definition *definition = place_find(resolver, word);
	if (definition == NULL) {
		report_unknown(resolver, word);
		return NULL;
	}
	if (!place_definition_resolve(resolver, definition, word->span))
		return NULL;
	definition->is_used = true;
	if (definition->addresses == NULL)
		diag_add(resolver->diags, code, word->span, "%s '%s' is not a host",
			 kind_names[definition->kind], word->text);
	return definition->addresses;
}

const struct place_list *place_list_of(struct resolver *resolver, const struct ast_word *word,
				       const struct address_set *addresses)
{
	struct place_list *list = arena_new_item(resolver->arena, struct place_list);
	list->span = word->span;
	list->items = arena_new_item(resolver->arena, struct place);
	list->items_count = 1;
	*list->items = (struct place){
		.kind = PLACE_ADDRESSES,
		.span = word->span,
		.name = word->text,
		.addresses = addresses,
	};
	return list;
}
