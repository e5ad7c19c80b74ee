/* fwc diff: what changed in meaning between two policies. Exit 0: nothing; 1: something; 2: one of them has
 * mistakes, as diff(1) has it. */
#include "cmd/diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/compare.h"
#include "analyse/describe.h"
#include "base/names.h"
#include "base/pool.h"
#include "cmd/command.h"
#include "cmd/diff_kernel.h"
#include "cmd/diff_lists.h"
#include "cmd/foreign.h"
#include "cmd/output.h"
#include "cmd/revision.h"
#include "cmd/session.h"
#include "diag/json.h"
#include "diag/visible.h"
#include "resolve/print_devices.h"

#define LINES_MOST 8  /* of one region */
#define PLACES_MOST 20
#define RESCUE_WORD " rescue"

static const char *const kind_words[] = {
	[CHANGE_ALLOWED] = "newly allowed",
	[CHANGE_DENIED] = "newly denied",
	[CHANGE_ANSWERED] = "denied in another way",
	[CHANGE_LIMITED] = "limited differently",
	[CHANGE_TRACKED] = "tracked differently (stateless: answers are judged by rules, too)",
	[CHANGE_HELPED] = "another helper for connections that belong to these",
	[CHANGE_LOGGED] = "logged or counted differently",
	[CHANGE_TRANSLATED] = "translated differently",
	[CHANGE_RESCUED] = "differently open when a boot fails (rescue)",
};

static const char *const kind_keys[] = {
	[CHANGE_ALLOWED] = "allowed",
	[CHANGE_DENIED] = "denied",
	[CHANGE_ANSWERED] = "answered",
	[CHANGE_LIMITED] = "limited",
	[CHANGE_TRACKED] = "tracked",
	[CHANGE_HELPED] = "helped",
	[CHANGE_LOGGED] = "logged",
	[CHANGE_TRANSLATED] = "translated",
	[CHANGE_RESCUED] = "rescued",
};

static const char *const hook_words[] = { "input", "forward", "output" };
static const char *const verdict_words[] = { "allow", "deny", "reject" };

struct differ {
	void *pool;
	struct text *out;
	struct diff_json *json;
	struct session *old, *new;
	const struct session_view *before, *after;
	struct comparison *comparison;
	struct describer *describer;
	bool *told_before, *told_after; /* statements that decide changed packets */
	size_t changes_count;           /* of all views */
};

/* --- one change -------------------------------------------------------------------------------------- */

static void add_statement(struct differ *differ, struct span span)
{
	text_addf(differ->out, "%s: ", span_place(differ->pool, differ->new->sources, span));
	visible_add_first_line(differ->out, differ->new->sources, span);
	text_add_char(differ->out, '\n');
}

static void mark(bool *told, const struct meaning *meaning, size_t number)
{
	if (number < meaning->statements)
		told[number] = true;
}

/* The rule that a `forward` makes is told with it. */
static void mark_forward(bool *told, const struct ruleset *ruleset, size_t number)
{
	const struct policy *policy = ruleset->policy;

	for (size_t index = 0; number != SIZE_MAX && index < policy->rules_count; index++)
		if (policy->rules[index]->translation == ruleset->translations[number]->source)
			told[index] = true;
}

static struct diff_side translation_side(const struct ruleset *ruleset, size_t number)
{
	if (number == SIZE_MAX)
		return (struct diff_side){ .origin = SPAN_NONE, .missing = "not translated" };
	return (struct diff_side){ .origin = ruleset->translations[number]->origin };
}

static struct diff_side rescue_side(const struct policy *policy, size_t number)
{
	if (number >= policy->rules_count)
		return (struct diff_side){ .origin = SPAN_NONE, .missing = "closed then" };
	return (struct diff_side){ .origin = policy->rules[number]->span };
}

static struct diff_side side_of(const struct differ *differ, const struct change *change, bool is_after)
{
	const struct session_view *view = is_after ? differ->after : differ->before;
	const struct meaning *meaning = is_after ? &differ->comparison->after : &differ->comparison->before;
	size_t number = is_after ? change->after : change->before;
	bool *told = is_after ? differ->told_after : differ->told_before;

	if (change->kind == CHANGE_TRANSLATED) {
		mark_forward(told, view->ruleset, number);
		return translation_side(view->ruleset, number);
	}
	mark(told, meaning, number);
	if (change->kind == CHANGE_RESCUED)
		return rescue_side(view->policy, number);
	return (struct diff_side){
		.verdict = verdict_words[meaning_outcome(meaning, change->hook, (uint32_t)number)->verdict],
		.origin = meaning_origin(meaning, change->hook, (uint32_t)number),
		.missing = "the default of every policy",
	};
}

static void add_side(struct differ *differ, const char *word, const struct diff_side *side)
{
	text_addf(differ->out, "    %s %s%s", word, side->verdict == NULL ? "" : side->verdict,
		  side->verdict == NULL ? "" : ", ");
	if (side->origin.source == SPAN_NONE.source)
		text_addf(differ->out, "%s\n", side->missing);
	else
		add_statement(differ, side->origin);
}

static void add_sides(struct differ *differ, const struct change *change, json_t *object)
{
	struct diff_side before = side_of(differ, change, false), now = side_of(differ, change, true);

	add_side(differ, "before:", &before);
	add_side(differ, "now:   ", &now);
	diff_json_side(differ->json, object, "before", &before);
	diff_json_side(differ->json, object, "now", &now);
}

static bool is_forward(const struct ruleset *ruleset, size_t number)
{
	return number != SIZE_MAX && ruleset->translations[number]->kind == TRANSLATION_FORWARD;
}

/* A `forward` that says no address is for those of the firewall itself. */
static bool is_of_own_addresses(const struct ruleset *ruleset, const struct change *change, size_t number)
{
	return change->kind == CHANGE_TRANSLATED && is_forward(ruleset, number) &&
	       !ruleset->translations[number]->source->has_at;
}

/* Destinations are translated before anybody knows the way out. */
static bool is_before_routing(const struct differ *differ, const struct change *change)
{
	return change->kind == CHANGE_TRANSLATED && change->hook != HOOK_OUTPUT &&
	       (is_forward(differ->before->ruleset, change->before) ||
		is_forward(differ->after->ruleset, change->after));
}

static void add_example(struct differ *differ, const struct change *change, json_t *object)
{
	struct packet_point point;
	struct packet packet;
	struct text *text = text_new(differ->pool);

	if (packet_set_example(differ->comparison->space, change->packets, &point)) {
		packet = packet_of_point(differ->comparison->universe, &point);
		if (is_before_routing(differ, change))
			packet.out = NULL;
		packet_format(text, &packet);
		text_addf(differ->out, "    for example %s\n", text->bytes);
	}
	diff_json_text(differ->json, object, "packet", text->bytes);
}

static bool is_between_defaults(const struct differ *differ, const struct change *change)
{
	return change->kind != CHANGE_TRANSLATED && change->kind != CHANGE_RESCUED &&
	       change->before == differ->comparison->before.statements &&
	       change->after == differ->comparison->after.statements;
}

static const char *description(struct differ *differ, const struct change *change)
{
	struct text *text = text_new(differ->pool);

	if (is_between_defaults(differ, change))
		return "    what no rule decides, before and now\n";
	if (is_of_own_addresses(differ->before->ruleset, change, change->before) ||
	    is_of_own_addresses(differ->after->ruleset, change, change->after))
		describe_set_to_self(differ->describer, text, differ->comparison->space, change->hook,
				     change->region, LINES_MOST, "    ");
	else
		describe_set(differ->describer, text, differ->comparison->space, change->hook, change->region,
			     LINES_MOST, "    ");
	return text->bytes;
}

/* Of one number hooks may have defaults of their own. */
static bool is_same_outcome(const struct meaning *meaning, size_t number, enum hook a, enum hook b)
{
	struct span origin = meaning_origin(meaning, a, (uint32_t)number);
	struct span other = meaning_origin(meaning, b, (uint32_t)number);

	return origin.source == other.source && origin.begin == other.begin &&
	       meaning_outcome(meaning, a, (uint32_t)number)->verdict ==
		       meaning_outcome(meaning, b, (uint32_t)number)->verdict;
}

static bool is_same_change(const struct differ *differ, const struct change *a, const struct change *b)
{
	return a->kind == b->kind && a->before == b->before && a->after == b->after &&
	       (a->kind == CHANGE_TRANSLATED || a->kind == CHANGE_RESCUED ||
		(is_same_outcome(&differ->comparison->before, a->before, a->hook, b->hook) &&
		 is_same_outcome(&differ->comparison->after, a->after, a->hook, b->hook)));
}

static const char *device_name(const struct differ *differ)
{
	return differ->after->device == NULL ? NULL : differ->after->device->name;
}

/* Hooks in which the same statements decide the same packets are told together. */
static size_t add_change(struct differ *differ, size_t index)
{
	const struct comparison *comparison = differ->comparison;
	const struct change *change = &comparison->changes[index];
	const char *words = description(differ, change);
	json_t *object = diff_json_change(differ->json, kind_keys[change->kind], device_name(differ), words);
	size_t end = index + 1;

	text_addf(differ->out, "%s (%s", kind_words[change->kind], hook_words[change->hook]);
	diff_json_hook(differ->json, object, hook_words[change->hook]);
	for (; end < comparison->changes_count && is_same_change(differ, change, &comparison->changes[end]) &&
	       change->is_within == comparison->changes[end].is_within &&
	       strcmp(description(differ, &comparison->changes[end]), words) == 0; end++) {
		text_addf(differ->out, ", %s", hook_words[comparison->changes[end].hook]);
		diff_json_hook(differ->json, object, hook_words[comparison->changes[end].hook]);
	}
	text_addf(differ->out, "):\n%s", words);
	if (change->is_within)
		text_add(differ->out, "    in part: earlier rules decide some of it\n");
	json_set(differ->pool, object, "is_part", json_boolean(change->is_within));
	add_example(differ, change, object);
	add_sides(differ, change, object);
	differ->changes_count++;
	return end;
}

/* --- text alone -------------------------------------------------------------------------------------- */

/* A statement's words, with one blank between them. */
static const char *plain_text(void *pool, const struct sources *sources, struct span span)
{
	const char *bytes = sources->items[span.source]->bytes;
	struct text *text = text_new(pool);
	bool is_blank = false;

	for (uint32_t at = span.begin; at < span.end; at++) {
		bool is_space = strchr(" \t\r\n", bytes[at]) != NULL;

		if (!is_space && is_blank)
			text_add_char(text, ' ');
		if (!is_space)
			text_add_char(text, bytes[at]);
		is_blank = is_space;
	}
	return text->bytes;
}

/* `rescue` alone makes no other text: what comes of it is told as such. */
static const char *text_of(struct differ *differ, struct span span)
{
	const char *text = plain_text(differ->pool, differ->new->sources, span);
	const char *word = strstr(text, RESCUE_WORD);
	struct text *rest;

	if (word == NULL)
		return text;
	rest = text_new(differ->pool);
	text_add_bytes(rest, text, (size_t)(word - text));
	text_add(rest, word + strlen(RESCUE_WORD));
	return rest->bytes;
}

static struct names *texts_of(struct differ *differ, const struct policy *policy)
{
	struct names *texts = names_new(differ->pool, false);

	for (size_t index = 0; index < policy->rules_count; index++) {
		const char *text = text_of(differ, policy->rules[index]->span);

		names_set(texts, text, strlen(text), policy->rules[index]);
	}
	return texts;
}

/* Rules that only one side has in these words, and that decide no packet that changed. */
static void add_text_changes(struct differ *differ, const struct policy *policy,
			     const struct policy *other, const bool *told, const char *words)
{
	struct names *texts = texts_of(differ, other);
	size_t count = 0;

	for (size_t index = 0; index < policy->rules_count; index++) {
		struct span span = policy->rules[index]->span;
		const char *text = text_of(differ, span);

		if (told[index] || names_find(texts, text, strlen(text)) != NULL)
			continue;
		diff_json_rewritten(differ->json, policy == differ->before->policy ? "before" : "now", span);
		if (count == 0)
			text_addf(differ->out, "%s", words);
		if (count < PLACES_MOST)
			text_addf(differ->out, "%s %s", count > 0 ? "," : "",
				  span_place(differ->pool, differ->new->sources, span));
		count++;
	}
	if (count > PLACES_MOST)
		text_addf(differ->out, " and %zu more", count - PLACES_MOST);
	if (count > 0)
		text_add_char(differ->out, '\n');
}

/* --- settings of devices and tunnels ----------------------------------------------------------------- */

static void add_missing_lines(struct differ *differ, const struct text *text, const struct text *other,
			      const char *key, json_t *object)
{
	struct names *lines = names_new(differ->pool, false);

	for (const char *line = other->bytes; *line != '\0'; line = strchr(line, '\n') + 1)
		names_set(lines, line, strcspn(line, "\n"), lines);
	for (const char *line = text->bytes; *line != '\0'; line = strchr(line, '\n') + 1)
		if (names_find(lines, line, strcspn(line, "\n")) == NULL) {
			text_addf(differ->out, "  %s:%*s %.*s\n", key, (int)(sizeof "before" - 1 - strlen(key)), "",
				  (int)strcspn(line, "\n"), line);
			diff_json_line(differ->json, object, key, line, strcspn(line, "\n"));
		}
}

/* What rules do not say: how routes, replies, cdp, encryption are set. Of definitions as they were resolved. */
static void add_settings(struct differ *differ, const char *kind, const char *name, const struct text *old,
			 const struct text *new)
{
	json_t *object;

	if (old->length == new->length && memcmp(old->bytes, new->bytes, old->length) == 0)
		return;
	text_addf(differ->out, "settings of %s %s:\n", kind, name);
	object = diff_json_settings(differ->json, kind, name);
	add_missing_lines(differ, old, new, "before", object);
	add_missing_lines(differ, new, old, "now", object);
	differ->changes_count++;
}

static void add_device_settings(struct differ *differ)
{
	struct text *old = text_new(differ->pool), *new = text_new(differ->pool);

	if (differ->after->device == NULL)
		return;
	print_device(old, differ->before->device);
	print_device(new, differ->after->device);
	add_settings(differ, "device", differ->after->device->name, old, new);
}

static const struct tunnel *tunnel_named(const struct policy *policy, const char *name)
{
	for (size_t index = 0; index < policy->tunnels_count; index++)
		if (strcmp(policy->tunnels[index]->name, name) == 0)
			return policy->tunnels[index];
	return NULL;
}

static void add_tunnels(struct differ *differ, const struct policy *policy, const struct policy *other,
			bool is_old)
{
	for (size_t index = 0; index < policy->tunnels_count; index++) {
		const struct tunnel *tunnel = policy->tunnels[index];
		const struct tunnel *twin = tunnel_named(other, tunnel->name);
		struct text *before = text_new(differ->pool), *now = text_new(differ->pool);

		if (twin == NULL) {
			text_addf(differ->out, "tunnel %s is %s\n", tunnel->name, is_old ? "gone" : "new");
			diff_json_lone(differ->json, "tunnel", tunnel->name, !is_old);
			differ->changes_count++;
		} else if (!is_old) {
			print_tunnel(before, twin);
			print_tunnel(now, tunnel);
			add_settings(differ, "tunnel", tunnel->name, before, now);
		}
	}
}

/* --- past the budget --------------------------------------------------------------------------------- */

/* Of those nothing is told but that. */
static void mark_undecided(struct differ *differ)
{
	for (size_t at = 0; at < differ->comparison->undecided_count; at++) {
		const struct undecided_change *undecided = &differ->comparison->undecided[at];

		if (undecided->statement == SIZE_MAX)
			continue;
		if (undecided->is_after)
			mark(differ->told_after, &differ->comparison->after, undecided->statement);
		else
			mark(differ->told_before, &differ->comparison->before, undecided->statement);
	}
}

static void add_undecided(struct differ *differ)
{
	const struct comparison *comparison = differ->comparison;
	struct text *places = text_new(differ->pool);

	if (comparison->undecided_count == 0)
		return;
	for (size_t at = 0; at < comparison->undecided_count && at < PLACES_MOST; at++) {
		const struct undecided_change *undecided = &comparison->undecided[at];

		text_addf(places, "%s%s", at > 0 ? ", " : "",
			  undecided->origin.source == SPAN_NONE.source ? "the default of every policy" :
			  span_place(differ->pool, differ->new->sources, undecided->origin));
	}
	if (comparison->undecided_count > PLACES_MOST)
		text_addf(places, " and %zu more", comparison->undecided_count - PLACES_MOST);
	diag_add(differ->new->diags, CODE_ANALYSIS_BUDGET, SPAN_NONE,
		 "too many rules overlap: whether all that %zu of them decide is decided otherwise now could "
		 "not be found, neither in diagrams nor box by box; what is told of others is complete: %s",
		 comparison->undecided_count, places->bytes);
}

/* --- views ------------------------------------------------------------------------------------------- */

static void add_view(struct differ *differ)
{
	const struct policy *old = differ->before->policy, *new = differ->after->policy;
	bool is_same;

	differ->comparison = rulesets_compare(differ->pool, differ->before->ruleset,
					      differ->after->ruleset, 0);
	differ->describer = describer_new(differ->pool, differ->comparison->universe, new);
	describer_add(differ->describer, old);
	differ->told_before = pool_array(differ->pool, bool, old->rules_count + 1);
	differ->told_after = pool_array(differ->pool, bool, new->rules_count + 1);
	if (differ->comparison->is_over) {
		diag_add(differ->new->diags, CODE_ANALYSIS_BUDGET, SPAN_NONE,
			 "the policies are too large to be compared as a whole");
		return;
	}
	is_same = differ->comparison->changes_count == 0 && differ->comparison->undecided_count == 0;
	add_device_settings(differ);
	for (size_t index = 0; index < differ->comparison->changes_count;)
		index = add_change(differ, index);
	mark_undecided(differ);
	add_text_changes(differ, old, new, differ->told_before,
			 is_same ? "gone or written differently, without a change in meaning:" :
				   "gone or written differently, what they decided is decided so now:");
	add_text_changes(differ, new, old, differ->told_after,
			 is_same ? "new or written differently, without a change in meaning:" :
				   "new or written differently, what they decide was decided so before:");
	add_undecided(differ);
}

static const struct session_view *view_of(const struct session *session, const struct device *device)
{
	for (size_t index = 0; index < session->views_count; index++) {
		const struct device *other = session->views[index].device;

		if ((device == NULL && other == NULL) ||
		    (device != NULL && other != NULL && strcmp(device->name, other->name) == 0))
			return &session->views[index];
	}
	return NULL;
}

static void add_lone_device(struct differ *differ, const struct device *device, bool is_new)
{
	text_addf(differ->out, device != NULL ? "device %s is %s\n" : "%s is %s\n",
		  device != NULL ? device->name : "the policy of this host", is_new ? "new" : "gone");
	diff_json_lone(differ->json, device != NULL ? "device" : "policy", device != NULL ? device->name : NULL,
		       is_new);
	differ->changes_count++;
}

static void add_views(struct differ *differ)
{
	for (size_t index = 0; index < differ->new->views_count; index++) {
		differ->after = &differ->new->views[index];
		differ->before = view_of(differ->old, differ->after->device);
		if (differ->before == NULL) {
			add_lone_device(differ, differ->after->device, true);
			continue;
		}
		if (differ->after->device != NULL && differ->new->views_count > 1)
			text_addf(differ->out, "device %s\n", differ->after->device->name);
		add_view(differ);
	}
	for (size_t index = 0; index < differ->old->views_count; index++)
		if (view_of(differ->new, differ->old->views[index].device) == NULL)
			add_lone_device(differ, differ->old->views[index].device, false);
	if (differ->old->views_count == 0 || differ->new->views_count == 0)
		return;
	add_tunnels(differ, differ->old->views[0].policy, differ->new->views[0].policy, true);
	add_tunnels(differ, differ->new->views[0].policy, differ->old->views[0].policy, false);
}

/* --- the command ------------------------------------------------------------------------------------- */

/* Two versions of a file have one name. */
static void say_old(struct session *old)
{
	struct diags *diags = old->diags;

	for (size_t index = 0; index < diags->items_count; index++)
		if (diags->items[index]->severity == SEVERITY_ERROR)
			diag_note(diags, diags->items[index], SPAN_NONE, "this is the old version");
}

static bool expand_both(struct session *old, struct session *new)
{
	bool is_old_good = session_expand(old), is_new_good = session_expand(new);

	if (!is_old_good && strcmp(old->options.path, new->options.path) == 0)
		say_old(old);
	if (!is_old_good)
		diags_take_errors(new->diags, old->diags);
	return is_old_good && is_new_good;
}

/* What the compiler warns of is not what is asked; a mistake is. */
static int finish_quietly(struct session *session)
{
	if (!diags_has_errors(session->diags))
		diags_drop(session->diags);
	return session_finish(session);
}

size_t diff_tell(struct session *old, struct session *new, struct text *out, struct diff_json *json)
{
	struct differ differ = { .pool = new->pool, .out = out, .json = json, .old = old, .new = new };

	add_views(&differ);
	return differ.changes_count;
}

static int compare(struct session *old, struct session *new, struct text *out, bool *is_changed)
{
	struct diff_json *json = diff_json_new(new->pool, new->sources);
	int status;

	if (!expand_both(old, new))
		return session_finish(new);
	*is_changed = diff_tell(old, new, out, json) > 0;
	status = finish_quietly(new);
	if (!new->options.has_json || status != EXIT_DONE)
		return status;
	out->length = 0;
	json_finish(out->pool, out, diff_json_take(json));
	return status;
}

/* The second policy's session is made beside the first one's. */
static int diff_policies(struct pool_trap *root, struct session_options *options, const char *old,
			 const char *new)
{
	struct session *base, *old_session, *new_session;
	struct text *out;
	bool is_changed = false;
	int status;

	options->path = new;
	options->foreign = &foreign_policies;
	base = session_new(root, options);
	old_session = session_other(base, old);
	new_session = session_other(base, new);
	if (old_session == NULL || new_session == NULL) {
		status = session_finish(base);
		return status == EXIT_POLICY ? EXIT_USAGE : status;
	}
	out = text_new(base->pool);
	status = compare(old_session, new_session, out, &is_changed);
	if (status != EXIT_DONE)
		return status == EXIT_POLICY ? EXIT_USAGE : status;
	if (!output_stdout(out))
		return EXIT_WORLD;
	return is_changed ? EXIT_POLICY : EXIT_DONE;
}

/* --- for git ----------------------------------------------------------------------------------------- */

/* PATH OLD-FILE OLD-HEX OLD-MODE NEW-FILE NEW-HEX NEW-MODE, and for a rename the new path and words; PATH alone
 * while it is not merged (gitattributes(5), "Defining an external diff driver"; git(1), GIT_EXTERNAL_DIFF). */
enum { GIT_PATH, GIT_OLD_FILE, GIT_OLD_HEX, GIT_OLD_MODE, GIT_NEW_FILE, GIT_NEW_HEX, GIT_NEW_MODE,
       GIT_ARGUMENTS, GIT_NEW_PATH = GIT_ARGUMENTS, GIT_RENAME_ARGUMENTS = GIT_NEW_PATH + 2 };

/* One side: its file stands in a temporary place, what it includes in the revision that has it. */
static struct session *git_side(struct session *base, const struct revision_side *side, const char *file)
{
	struct session *session = session_other(base, file);

	if (session == NULL || side->revision == NULL)
		return session;
	session->options.path = side->path;
	session->reader = revision_reader(side->revision);
	return session;
}

static bool is_file(const char *mode)
{
	return strncmp(mode, "100", 3) == 0;
}

static bool holds_rules(const struct session *session)
{
	return session->policy != NULL &&
	       (session->policy->rules_count > 0 || session->policy->translations_count > 0);
}

static void compare_for_git(struct session *base, struct text *out, char **arguments, const char *new_path)
{
	struct revision_side before = { .path = arguments[GIT_PATH], .hex = arguments[GIT_OLD_HEX] };
	struct revision_side after = { .path = new_path, .hex = arguments[GIT_NEW_HEX] };
	struct session *old, *new;
	bool is_changed = false;

	revisions_find(base->pool, &before, &after);
	old = git_side(base, &before, arguments[GIT_OLD_FILE]);
	new = git_side(base, &after, arguments[GIT_NEW_FILE]);
	if (old == NULL || new == NULL)
		(void)session_finish(base);
	else if (compare(old, new, out, &is_changed) == EXIT_DONE && !is_changed)
		text_add(out, holds_rules(new) || holds_rules(old) ? "no change in meaning\n" :
			 "definitions alone: compare the policies that include them, as in\n"
			 "    fwc diff REVISION:POLICY POLICY\n");
}

/* What there is to say where there are not two files to compare; or NULL. */
static const char *lone_words(char **arguments, int count)
{
	if (count < GIT_ARGUMENTS)
		return " is not merged";
	if (strcmp(arguments[GIT_OLD_FILE], "/dev/null") == 0)
		return " is new";
	if (strcmp(arguments[GIT_NEW_FILE], "/dev/null") == 0)
		return " is gone";
	if (!is_file(arguments[GIT_OLD_MODE]) || !is_file(arguments[GIT_NEW_MODE]))
		return " is or was a link, which is not compared";
	return NULL;
}

/* git ends when its driver fails: whatever happens is said, and the exit status is 0. */
static int diff_for_git(struct pool_trap *root, struct session_options *options, char **arguments, int count)
{
	const char *path = arguments[GIT_PATH], *words = lone_words(arguments, count);
	const char *new_path = count >= GIT_RENAME_ARGUMENTS ? arguments[GIT_NEW_PATH] : path;
	struct session *base;
	struct text *out;

	options->path = path;
	options->has_json = false; /* it stands between other files' differences */
	base = session_new(root, options);
	out = text_new(base->pool);
	text_add(out, "policy ");
	visible_add(out, path, strlen(path));
	if (strcmp(path, new_path) != 0) {
		text_add(out, ", now ");
		visible_add(out, new_path, strlen(new_path));
	}
	text_addf(out, "%s\n", words == NULL ? "" : words);
	if (words == NULL)
		compare_for_git(base, out, arguments, new_path);
	(void)output_stdout(out);
	return EXIT_DONE;
}

enum { OPTION_GIT = OPTION_OWN };

static int diff_parse(struct session_options *options, bool *is_for_git, int argc, char **argv)
{
	static const struct option long_options[] = {
		SESSION_LONG_OPTIONS,
		{ "device", required_argument, NULL, OPTION_DEVICE },
		{ "git", no_argument, NULL, OPTION_GIT },
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	/* what git gives behind --git may look like options */
	while (status == EXIT_DONE && !*is_for_git &&
	       (option = command_option(argc, argv, "", long_options)) != -1) {
		if (option == OPTION_GIT)
			*is_for_git = true;
		else
			status = session_option(options, "diff", option, optarg);
	}
	return status;
}

int command_diff(struct pool_trap *root, int argc, char **argv)
{
	struct session_options options = session_options_default();
	bool is_for_git = false;
	int status = diff_parse(&options, &is_for_git, argc, argv);

	if (status != EXIT_DONE)
		return status;
	if (is_for_git && (argc - optind >= GIT_ARGUMENTS || argc - optind == 1))
		return diff_for_git(root, &options, argv + optind, argc - optind);
	if (is_for_git)
		return command_misused("diff", "--git is for git, which gives seven arguments, or one");
	if (argc - optind != 2)
		return command_misused("diff", "two policies: the old one and the new one");
	if (strcmp(argv[optind], "-") == 0 && strcmp(argv[optind + 1], "-") == 0)
		return command_misused("diff", "'-' is the standard input, which holds one of them");
	if (diff_lists_is_meant(argv[optind]) || diff_lists_is_meant(argv[optind + 1]))
		return diff_lists(root, &options, argv[optind], argv[optind + 1]);
	if (diff_kernel_is_meant(argv[optind]) || diff_kernel_is_meant(argv[optind + 1]))
		return diff_kernel(root, &options, argv[optind], argv[optind + 1]);
	return diff_policies(root, &options, argv[optind], argv[optind + 1]);
}
