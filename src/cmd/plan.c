/* fwc plan: what applying a policy would change, in the kernel and in meaning. Nothing is changed. */
#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "cmd/applied.h"
#include "cmd/command.h"
#include "cmd/diff.h"
#include "cmd/operation.h"
#include "cmd/output.h"
#include "diag/json.h"
#include "diag/visible.h"
#include "operate/plan.h"
#include "target/nft/load/kept_ask.h"
#include "target/nft/model/kernel_names.h"
#include "target/nft/load/refusal.h"

#define NO_TABLE_NAME "<no table>"
/* Without a table every packet passes. */
#define NO_TABLE_POLICY "default input allow; default forward allow; default output allow;"

enum { OPTION_EXIT_CODE = OPTION_OWN + 50 };

struct planning {
	struct session *session;
	const char *state;
	bool has_exit_code;
	struct state_entry *entry; /* what was applied of the table last and not taken back, or NULL */
	const char *entry_text;    /* its policy */
	size_t entry_length;
	const char *batch;         /* what a boot would load: what the kernel is likely to hold; or NULL */
	size_t batch_length;
	bool is_in_kernel;
	bool is_dormant; /* the kernel's table: it filters nothing */
	enum { DRIFT_NONE, DRIFT_CHANGED, DRIFT_UNKNOWN } drift;
	struct plan *plan;
	struct text *meaning;
	struct diff_json *json; /* the same; NULL: what is in force is not known */
	size_t meaning_changes;
};

static const char *const drift_words[] = { "none", "changed", "unknown" };

/* --- the kernel ----------------------------------------------------------------------------------- */

static bool read_state(struct planning *planning)
{
	struct session *session = planning->session;
	struct state *state = state_read(session->pool, session->diags, planning->state);

	if (state == NULL)
		return false;
	for (size_t index = state->entries_count; index-- > 0 && planning->entry == NULL;)
		if (strcmp(state->entries[index].table, session->table->name) == 0 &&
		    state->entries[index].mark != STATE_REVERTED)
			planning->entry = &state->entries[index];
	if (planning->entry == NULL)
		return true;
	planning->batch = state_read_messages(state, &planning->batch_length);
	/* without it there is a plan all the same, but of meaning */
	planning->entry_text = state_read_policy(state, diags_new(session->pool, session->sources),
						 planning->entry, &planning->entry_length);
	return true;
}

static void find_drift(struct planning *planning, const struct nft_kept *kept)
{
	char hash[REREAD_HASH_LENGTH + 1];

	planning->drift = DRIFT_UNKNOWN;
	if (planning->entry == NULL || planning->entry->kernel == NULL)
		return;
	nft_kept_hash(kept, hash);
	planning->drift = strcmp(hash, planning->entry->kernel) == 0 ? DRIFT_NONE : DRIFT_CHANGED;
}

static bool compare_kernel(struct planning *planning)
{
	struct session *session = planning->session;
	const char *name = session->table->name;
	struct nft_socket *socket = nft_socket_new(session->pool);
	struct nft_kept *kept = NULL;
	struct reread reread = nft_reread(session->pool, session->table);
	const struct read_table *now = NULL;
	int error = socket == NULL ? errno : nft_kept_read_like(session->pool, socket, name, planning->batch,
								planning->batch_length, &kept);

	if (error != 0) {
		nft_report_error(session->diags, error, "read the kernel's rules");
		return false;
	}
	planning->is_in_kernel = kept->has_table;
	if (kept->has_table)
		now = nft_read_table(nft_kept_reading(session->pool, kept), NFPROTO_INET, name);
	planning->is_dormant = now != NULL && (now->flags & NFT_TABLE_F_DORMANT) != 0;
	planning->plan = plan_make(session->pool, now, nft_read_table(reread.read, NFPROTO_INET, name),
				   ENFORCE_MARK);
	find_drift(planning, kept);
	return true;
}

/* --- meaning -------------------------------------------------------------------------------------- */

/* What is in force, as a policy: the one that was applied, or none. NULL: that is not known. */
static struct session *policy_in_force(struct planning *planning)
{
	struct session *session = planning->session, *old = session_other(session, "-");
	struct bundle *bundle = NULL;

	if (planning->is_in_kernel && planning->entry_text != NULL) {
		bundle = bundle_parse(session->pool, planning->entry_text, planning->entry_length,
				      &old->options.path);
	} else if (!planning->is_in_kernel) {
		struct text *text = text_new(session->pool);

		text_addf(text, "fwc policy 1\nmain %zu\n%s\nfile %zu %zu\n%s\n%s\n", strlen(NO_TABLE_NAME),
			  NO_TABLE_NAME, strlen(NO_TABLE_NAME), strlen(NO_TABLE_POLICY), NO_TABLE_NAME,
			  NO_TABLE_POLICY);
		bundle = bundle_parse(session->pool, text->bytes, text->length, &old->options.path);
	}
	if (bundle == NULL)
		return NULL;
	old->reader = bundle_reader(bundle);
	old->options.allows_expired_deny = true;
	return old;
}

static void compare_meaning(struct planning *planning)
{
	struct session *old = policy_in_force(planning);

	planning->meaning = text_new(planning->session->pool);
	if (old == NULL)
		return;
	if (!session_expand(old)) {
		diags_take_errors(planning->session->diags, old->diags);
		return;
	}
	planning->json = diff_json_new(planning->session->pool, planning->session->sources);
	planning->meaning_changes = diff_tell(old, planning->session, planning->meaning, planning->json);
}

/* --- telling -------------------------------------------------------------------------------------- */

static void add_count(struct text *out, size_t count, const char *one, const char *many, bool *is_first)
{
	if (count == 0)
		return;
	text_addf(out, "%s%zu %s", *is_first ? "" : ", ", count, count == 1 ? one : many);
	*is_first = false;
}

static void add_counts(struct text *out, const struct plan_place *place)
{
	bool is_first = true;

	add_count(out, place->rules, "rule", "rules", &is_first);
	add_count(out, place->elements, "element", "elements", &is_first);
	add_count(out, place->others, "chain or set", "chains and sets", &is_first);
	text_add(out, is_first ? "nothing\n" : "\n");
}

/* other: what is said of what no line made */
static void add_side(struct text *out, const char *word, const char *other, const struct plan_side *side)
{
	for (size_t index = 0; index < side->places_count; index++) {
		const struct plan_place *place = &side->places[index];
		const char *words = place->words != NULL ? place->words : other;

		text_addf(out, "%s ", word);
		visible_add(out, words, strlen(words));
		text_add(out, ": ");
		add_counts(out, place);
	}
}

static void add_drift(struct text *out, const struct planning *planning)
{
	if (!planning->is_in_kernel)
		text_addf(out, "the kernel has no table inet %s: everything passes now\n",
			  planning->session->table->name);
	else if (planning->entry == NULL)
		text_add(out, "nothing in the state says what the kernel's table was made of: meaning is not "
			 "compared\n");
	else if (planning->entry_text == NULL)
		text_addf(out, "the text of entry %llu, which was applied last, cannot be read: meaning is not "
			  "compared\n", (unsigned long long)planning->entry->number);
	else if (planning->drift == DRIFT_CHANGED)
		text_addf(out, "somebody has changed the kernel's table since entry %llu was applied, with which "
			  "meaning is compared\n", (unsigned long long)planning->entry->number);
}

static bool print_text(struct text *out, const struct planning *planning)
{
	const struct plan *plan = planning->plan;

	add_drift(out, planning);
	if (planning->is_dormant)
		text_add(out, "the kernel's table is dormant and filters nothing now: it would again\n");
	add_side(out, "add", "(what every ruleset has)", &plan->added);
	add_side(out, "remove", "(what no line of a policy made)", &plan->removed);
	text_add(out, "keep: ");
	add_counts(out, &plan->kept);
	text_add(out, planning->meaning->bytes != NULL ? planning->meaning->bytes : "");
	if (!plan->has_changes && !planning->is_dormant && planning->meaning_changes == 0)
		text_add(out, "no changes\n");
	return output_stdout(out);
}

static json_t *json_of_place(void *pool, const struct plan_place *place)
{
	json_t *object = json_object();

	json_set(pool, object, "place", place->words == NULL ? json_null() : json_text(pool, place->words));
	json_set(pool, object, "rules", json_integer((json_int_t)place->rules));
	json_set(pool, object, "elements", json_integer((json_int_t)place->elements));
	json_set(pool, object, "others", json_integer((json_int_t)place->others));
	return object;
}

static json_t *json_of_side(void *pool, const struct plan_side *side)
{
	json_t *array = json_array();

	for (size_t index = 0; index < side->places_count; index++)
		json_add(pool, array, json_of_place(pool, &side->places[index]));
	return array;
}

static bool print_json(struct text *out, const struct planning *planning)
{
	void *pool = out->pool;
	json_t *root = json_object();
	const struct state_entry *entry = planning->entry;

	json_set(pool, root, "table", json_text(pool, planning->session->table->name));
	json_set(pool, root, "in-kernel", json_boolean(planning->is_in_kernel));
	json_set(pool, root, "is_dormant", json_boolean(planning->is_dormant));
	json_set(pool, root, "entry", entry == NULL ? json_null() : json_integer((json_int_t)entry->number));
	json_set(pool, root, "drift", json_text(pool, drift_words[planning->drift]));
	json_set(pool, root, "add", json_of_side(pool, &planning->plan->added));
	json_set(pool, root, "remove", json_of_side(pool, &planning->plan->removed));
	json_set(pool, root, "keep", json_of_place(pool, &planning->plan->kept));
	json_set(pool, root, "changes-in-meaning", json_integer((json_int_t)planning->meaning_changes));
	json_set(pool, root, "meaning", planning->json == NULL ? json_null() : diff_json_take(planning->json));
	return operation_print_json(out, root);
}

/* --- the command ---------------------------------------------------------------------------------- */

static int plan_parse(struct planning *planning, struct session_options *options, int argc, char **argv)
{
	static const struct option long_options[] = {
		SESSION_LONG_OPTIONS,
		{ "state", required_argument, NULL, OPTION_STATE },
		{ "exit-code", no_argument, NULL, OPTION_EXIT_CODE },
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE && (option = command_option(argc, argv, "", long_options)) != -1) {
		if (option == OPTION_STATE)
			planning->state = optarg;
		else if (option == OPTION_EXIT_CODE)
			planning->has_exit_code = true;
		else
			status = session_option(options, "plan", option, optarg);
	}
	return status != EXIT_DONE ? status : session_path(options, "plan", argc, argv);
}

static bool make_plan(struct planning *planning)
{
	struct enforce_proof proof;

	if (!enforce_prepare(planning->session, &proof) || !read_state(planning) || !compare_kernel(planning))
		return false;
	applied_note_omitted(planning->session, planning->state);
	compare_meaning(planning);
	return true;
}

int command_plan(struct pool_trap *root, int argc, char **argv)
{
	struct planning planning = { .state = FOLDER_DEFAULT };
	struct session_options options = session_options_default();
	int status = plan_parse(&planning, &options, argc, argv);
	struct text *out;
	bool is_printed;

	if (status != EXIT_DONE)
		return status;
	planning.session = session_new(root, &options);
	(void)make_plan(&planning);
	status = session_finish(planning.session);
	if (status != EXIT_DONE)
		return status;
	out = text_new(planning.session->pool);
	is_printed = options.has_json ? print_json(out, &planning) : print_text(out, &planning);
	if (!is_printed)
		return EXIT_WORLD;
	return planning.has_exit_code &&
	       (planning.plan->has_changes || planning.is_dormant || planning.meaning_changes > 0)
		? EXIT_CHANGES : EXIT_DONE;
}
