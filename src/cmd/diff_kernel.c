#include "cmd/diff_kernel.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <string.h>

#include "analyse/describe.h"
#include "base/pool.h"
#include "cmd/command.h"
#include "cmd/diff_json.h"
#include "cmd/output.h"
#include "cmd/proof.h"
#include "diag/json.h"
#include "diag/visible.h"
#include "target/nft/prove/differ.h"
#include "target/nft/read/kernel.h"
#include "target/nft/load/refusal.h"

#define KERNEL "kernel:"
#define LINES_MOST 8 /* of one region */

struct kernel_differ {
	void *pool;
	struct text *out;
	struct diff_json *json;
	struct session *session;
	bool is_old; /* the kernel's side is the first one */
	bool is_missing; /* the kernel has no such table */
	struct proof proof;
	struct differ differ;
	struct describer *describer;
	size_t sure_count;
};

/* --- the table ---------------------------------------------------------------------------------------- */

static bool read_and_compare(struct kernel_differ *differ)
{
	struct session *session = differ->session;
	const struct proof_limits limits = proof_limits_of(session);
	const char *name = session->options.nft.table;
	struct nft_read *read;
	int error = nft_read_kernel(differ->pool, NFPROTO_INET, name, &read);

	differ->is_missing = error == ENOENT;
	if (differ->is_missing)
		read = nft_read_new(differ->pool);
	else if (error != 0) {
		nft_report_error(session->diags, error, "read the kernel's rules");
		return false;
	}
	differ->proof = nft_differ(differ->pool, &(struct proof_subject){
		.ruleset = session->ruleset, .read = read, .limits = &limits,
		.table = proof_table(differ->pool, read, name),
	}, &differ->differ);
	return true;
}

/* --- telling ------------------------------------------------------------------------------------------ */

static enum table_change_kind kind_told(const struct kernel_differ *differ, enum table_change_kind kind)
{
	if (differ->is_old && (kind == TABLE_ALLOWED || kind == TABLE_DENIED))
		return kind == TABLE_ALLOWED ? TABLE_DENIED : TABLE_ALLOWED;
	return kind;
}

static const char *kind_word(const struct kernel_differ *differ, enum table_change_kind kind)
{
	static const char *const words[] = {
		[TABLE_ALLOWED] = "newly allowed",
		[TABLE_DENIED] = "newly denied",
		[TABLE_ANSWERED] = "denied in another way",
		[TABLE_LIMITED] = "limited differently",
		[TABLE_LOGGED] = "logged, counted or followed differently",
		[TABLE_OTHER] = "treated in another way",
	};

	return words[kind_told(differ, kind)];
}

static const char *kind_key(const struct kernel_differ *differ, enum table_change_kind kind)
{
	static const char *const keys[] = {
		[TABLE_ALLOWED] = "allowed", [TABLE_DENIED] = "denied", [TABLE_ANSWERED] = "answered",
		[TABLE_LIMITED] = "limited", [TABLE_LOGGED] = "logged", [TABLE_OTHER] = "other",
	};

	return keys[kind_told(differ, kind)];
}

static void add_states(struct kernel_differ *differ, unsigned states, json_t *object)
{
	static const char *const words[WALK_STATES] = {
		[WALK_NEW] = "new", [WALK_ESTABLISHED] = "established", [WALK_RELATED] = "related",
		[WALK_UNTRACKED] = "untracked", [WALK_INVALID] = "invalid",
	};
	const char *lead = ", ";

	json_set(differ->pool, object, "states", json_array());
	for (unsigned state = 0; state < WALK_STATES; state++)
		if ((states >> state & 1) != 0) {
			text_addf(differ->out, "%s%s", lead, words[state]);
			diff_json_line(differ->json, object, "states", words[state], strlen(words[state]));
			lead = "/";
		}
}

/* "policy.fw:3:1: allow ssh from lan", the first line of it. */
static void add_statement(struct kernel_differ *differ, struct span span)
{
	struct sources *sources = differ->session->sources;

	text_addf(differ->out, ", %s: ", span_place(differ->pool, sources, span));
	visible_add_first_line(differ->out, sources, span);
}

static void add_origin(struct kernel_differ *differ, struct span origin)
{
	if (origin.source != SPAN_NONE.source)
		add_statement(differ, origin);
}

static void set_policy_side(struct kernel_differ *differ, const char *wanted, struct span origin, json_t *object)
{
	diff_json_side(differ->json, object, differ->is_old ? "now" : "before",
		       &(struct diff_side){ .verdict = wanted, .origin = origin });
}

static void add_policy_side(struct kernel_differ *differ, const struct table_change *change, json_t *object)
{
	const struct meaning *meaning = &differ->differ.meaning;
	struct span origin = SPAN_NONE;

	text_addf(differ->out, "    %s %s", differ->is_old ? "now:   " : "before:", change->wanted);
	if (change->statement != TABLE_NO_STATEMENT) {
		origin = meaning_origin(meaning, change->hook, change->statement);
		if (origin.source == SPAN_NONE.source)
			text_add(differ->out, ", the default of every policy");
		add_origin(differ, origin);
	}
	text_add_char(differ->out, '\n');
	set_policy_side(differ, change->wanted, origin, object);
}

/* What decides in the table stands in its words, which name chain and rule. */
static void add_table_side(struct kernel_differ *differ, const char *found, json_t *object)
{
	text_addf(differ->out, "    %s ", differ->is_old ? "before:" : "now:   ");
	visible_add(differ->out, found, strlen(found));
	text_add_char(differ->out, '\n');
	diff_json_side(differ->json, object, differ->is_old ? "before" : "now",
		       &(struct diff_side){ .verdict = found, .origin = SPAN_NONE });
}

static void add_example(struct kernel_differ *differ, const struct table_change *change, json_t *object)
{
	struct packet_point point;
	struct packet packet;
	struct text *text = text_new(differ->pool);

	if (packet_set_example(differ->differ.space, change->packets, &point)) {
		packet = packet_of_point(differ->differ.universe, &point);
		packet_format(text, &packet);
		text_addf(differ->out, "    for example %s\n", text->bytes);
	}
	diff_json_text(differ->json, object, "packet", text->bytes);
}

static void add_sides(struct kernel_differ *differ, const struct table_change *change, json_t *object)
{
	if (differ->is_old)
		add_table_side(differ, change->found, object);
	add_policy_side(differ, change, object);
	if (!differ->is_old)
		add_table_side(differ, change->found, object);
}

static void add_change(struct kernel_differ *differ, const struct table_change *change)
{
	static const char *const hooks[] = { "input", "forward", "output" };
	struct text *region = text_new(differ->pool);
	json_t *object;

	describe_set(differ->describer, region, differ->differ.space, change->hook, change->region, LINES_MOST,
		     "    ");
	object = diff_json_change(differ->json, kind_key(differ, change->kind), NULL, region->bytes);
	diff_json_hook(differ->json, object, hooks[change->hook]);
	text_addf(differ->out, "%s%s (%s", change->is_unsure ? "perhaps " : "", kind_word(differ, change->kind),
		  hooks[change->hook]);
	add_states(differ, change->states, object);
	text_addf(differ->out, "):\n%s", region->bytes);
	if (change->depends != NULL) {
		text_add(differ->out, "    not all of these: it depends on ");
		visible_add(differ->out, change->depends, strlen(change->depends));
		text_add_char(differ->out, '\n');
	}
	json_set(differ->pool, object, "is_perhaps", json_boolean(change->is_unsure));
	diff_json_text(differ->json, object, "depends", change->depends);
	add_example(differ, change, object);
	add_sides(differ, change, object);
	differ->sure_count += !change->is_unsure;
}

/* A place where no rules judge, or packets that no set shows. */
static void add_other(struct kernel_differ *differ, const struct proof *other)
{
	bool is_unsure = other->witness.has_unknowns;
	const char *policy = differ->is_old ? "now:   " : "before:";
	json_t *object = diff_json_change(differ->json, "other", NULL, other->where);

	json_set(differ->pool, object, "is_perhaps", json_boolean(is_unsure));
	diff_json_text(differ->json, object, "packet", other->packet);

	text_addf(differ->out, "%s (%s):\n    for example ", is_unsure ? "perhaps treated differently" :
		  "treated differently", other->where);
	visible_add(differ->out, other->packet, strlen(other->packet));
	text_add_char(differ->out, '\n');
	if (differ->is_old)
		add_table_side(differ, other->found, object);
	text_addf(differ->out, "    %s %s", policy, other->wanted);
	add_origin(differ, other->origin);
	text_add_char(differ->out, '\n');
	set_policy_side(differ, other->wanted, other->origin, object);
	if (!differ->is_old)
		add_table_side(differ, other->found, object);
	differ->sure_count += !is_unsure;
}

static void add_all(struct kernel_differ *differ)
{
	const struct differ *found = &differ->differ;

	differ->describer = describer_new(differ->pool, found->universe, differ->session->policy);
	if (differ->is_missing)
		text_addf(differ->out, "the kernel has no table inet %s\n", differ->session->options.nft.table);
	for (size_t index = 0; index < found->changes_count; index++)
		add_change(differ, &found->changes[index]);
	for (size_t index = 0; index < found->others_count; index++)
		add_other(differ, &found->others[index]);
}

/* --- the command -------------------------------------------------------------------------------------- */

static int undecided(struct kernel_differ *differ, const char *reason)
{
	int status;

	diag_add(differ->session->diags, CODE_PROOF_UNDECIDED, SPAN_NONE,
		 "it is not known whether the kernel's table inet '%s' equals the policy: %s",
		 differ->session->options.nft.table, reason);
	status = session_finish(differ->session);
	return status == EXIT_WORLD ? status : EXIT_USAGE;
}

static void tell_as_json(struct kernel_differ *differ)
{
	if (!differ->session->options.has_json)
		return;
	json_set(differ->pool, differ->json->root, "is_in_kernel", json_boolean(!differ->is_missing));
	differ->out->length = 0;
	json_finish(differ->pool, differ->out, diff_json_take(differ->json));
}

static int tell(struct kernel_differ *differ)
{
	if (differ->proof.result == PROOF_UNDECIDED)
		return undecided(differ, differ->proof.reason);
	if (differ->proof.result == PROOF_UNREADABLE) {
		(void)proof_report(differ->session, &differ->proof,
				   pool_format(differ->pool, "the kernel's table inet '%s'",
					       differ->session->options.nft.table), NULL);
		(void)session_finish(differ->session);
		return EXIT_USAGE;
	}
	if (differ->proof.result == PROOF_EQUAL) {
		tell_as_json(differ);
		return output_stdout(differ->out) ? session_finish(differ->session) : EXIT_WORLD;
	}
	if (differ->differ.is_over)
		return undecided(differ, "they differ in more than can be told");
	add_all(differ);
	tell_as_json(differ);
	if (!output_stdout(differ->out))
		return EXIT_WORLD;
	if (differ->sure_count == 0)
		return undecided(differ, "that depends on what the table asks and nobody can tell");
	return EXIT_POLICY;
}

bool diff_kernel_is_meant(const char *argument)
{
	return strcmp(argument, KERNEL) == 0;
}

int diff_kernel(struct pool_trap *root, struct session_options *options, const char *old, const char *new)
{
	struct kernel_differ differ = { .is_old = diff_kernel_is_meant(old) };
	struct session *base;
	int status;

	if (diff_kernel_is_meant(old) && diff_kernel_is_meant(new))
		return command_misused("diff", "'kernel:' is one side; the other is its policy");
	options->path = differ.is_old ? new : old;
	base = session_new(root, options);
	differ.session = session_other(base, options->path);
	if (differ.session == NULL) {
		status = session_finish(base);
		return status == EXIT_WORLD ? status : EXIT_USAGE;
	}
	differ.pool = pool_child(base->pool, "diff");
	differ.out = text_new(differ.pool);
	differ.json = diff_json_new(differ.pool, base->sources);
	if (session_expand(differ.session) && session_is_for_host(differ.session)) {
		diags_drop(differ.session->diags); /* what the compiler warns of is not what is asked */
		if (read_and_compare(&differ))
			return tell(&differ);
	}
	status = session_finish(differ.session);
	return status == EXIT_WORLD ? status : EXIT_USAGE;
}
