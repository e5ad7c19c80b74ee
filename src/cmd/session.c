/* The row of passes, and the options that all of them share. */
#include "cmd/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/assertions.h"
#include "analyse/findings.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/revision.h"
#include "expand/expand.h"
#include "optimise/optimise.h"
#include "parse/parse.h"
#include "resolve/expectations.h"
#include "resolve/unused.h"
#include "rules/count.h"
#include "services/walk.h"
#include "target/cisco/replies/announced.h"
#include "target/nft/model/safe.h"

struct session_options session_options_default(void)
{
	return (struct session_options){
		.today = time(NULL),
		.nft = { .table = NFT_TABLE_DEFAULT },
		.cisco = { .aim = MINIMISE_ENTRIES, .keeps_denials = true },
	};
}

/* "2026-11-21" to the first second of that day, UTC. */
static bool date_parse(const char *text, time_t *seconds)
{
	struct tm date = { 0 }, written;
	const char *end = strptime(text, "%Y-%m-%d", &date);

	if (end == NULL || *end != '\0' || strlen(text) != strlen("YYYY-MM-DD") ||
	    strspn(text, "0123456789-") != strlen(text))
		return false;
	written = date; /* timegm makes a day that exists of one that does not */
	*seconds = timegm(&date);
	return date.tm_mday == written.tm_mday && date.tm_mon == written.tm_mon;
}

static bool group_parse(const char *text, uint16_t *group)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || text[0] < '0' || text[0] > '9' ||
	    value > UINT16_MAX)
		return false;
	*group = (uint16_t)value;
	return true;
}

/* Table names: what nft takes unquoted, short enough for every listing. */
static bool table_is_valid(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_");

	return length > 0 && length <= 32 && name[length] == '\0' &&
	       !(name[0] >= '0' && name[0] <= '9');
}

int session_option(struct session_options *options, const char *command, int option,
		   const char *argument)
{
	switch (option) {
	case OPTION_DATE:
		if (!date_parse(argument, &options->today))
			return command_misused(command, "'%s' is not a date YYYY-MM-DD", argument);
		return EXIT_DONE;
	case OPTION_ALLOW_EXPIRED_DENY:
		options->allows_expired_deny = true;
		return EXIT_DONE;
	case OPTION_TABLE:
		if (!table_is_valid(argument))
			return command_misused(command, "'%s' is not a table's name: letters, digits "
					       "and '_', at most 32, no digit first", argument);
		if (nft_is_word(argument))
			return command_misused(command, "'%s' is a word of nft's own language and cannot "
					       "name a table; try 'fwc_%s'", argument, argument);
		options->nft.table = argument;
		return EXIT_DONE;
	case OPTION_COUNT_ALL:
		options->counts_all = true;
		return EXIT_DONE;
	case OPTION_LOG_GROUP:
		if (!group_parse(argument, &options->nft.log_group))
			return command_misused(command, "'%s' is not a group 0..65535", argument);
		options->nft.has_log_group = true;
		return EXIT_DONE;
	case OPTION_OPTIMISE:
		if (!optimise_level_parse(argument, &options->nft.level))
			return command_misused(command, "'%s' is none of the levels 0, 1, 2", argument);
		options->has_level = true;
		return EXIT_DONE;
	case OPTION_PROFILE:
		options->profile = argument;
		return EXIT_DONE;
	case OPTION_JSON:
		options->has_json = true;
		return EXIT_DONE;
	case OPTION_BASE:
		options->base = argument;
		return EXIT_DONE;
	case OPTION_STRICT:
		options->is_strict = true;
		return EXIT_DONE;
	case OPTION_NO_PROOF:
		options->skips_proof = true;
		return EXIT_DONE;
	case OPTION_DEVICE:
		options->device = argument;
		return EXIT_DONE;
	}
	return command_misused(command, NULL);
}

int session_profile_fits(const struct session_options *options, const char *command)
{
	if (options->profile != NULL && options->nft.level == OPTIMISE_LINES)
		return command_misused(command, "'--optimise 0' keeps the policy's order, '--profile' changes it");
	return EXIT_DONE;
}

int session_path(struct session_options *options, const char *command, int argc, char **argv)
{
	if (optind != argc - 1)
		return command_misused(command, optind == argc ? "a policy is missing ('-' is the "
					"standard input)" : "one policy at a time");
	options->path = argv[optind];
	return session_profile_fits(options, command);
}

int session_plain_options(struct session_options *options, const char *command, int argc, char **argv)
{
	static const struct option long_options[] = {
		SESSION_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE &&
	       (option = command_option(argc, argv, "", long_options)) != -1)
		status = session_option(options, command, option, optarg);
	return status != EXIT_DONE ? status : session_path(options, command, argc, argv);
}

struct session *session_new(struct pool_trap *root, const struct session_options *options)
{
	struct session *session = pool_new(root, struct session);

	session->pool = pool_child(root, "session");
	session->options = *options;
	session->reader = file_reader_disk();
	session->sources = sources_new(session->pool);
	session->diags = diags_new(session->pool, session->sources);
	return session;
}

/* git takes such a path from the top of the repository, unless it begins with './'. */
static void report_missing(struct session *session, const char *revision, const char *path)
{
	struct diagnostic *error = diag_add(session->diags, CODE_FILE_MISSING, SPAN_NONE,
					    "revision '%s' has no file '%s'", revision, path);

	diag_note(session->diags, error, SPAN_NONE, "paths are those from here, as for files");
}

static bool is_foreign(const struct session *session, const char *path)
{
	return session->options.foreign != NULL && session->options.foreign->is_meant(path);
}

struct session *session_other(struct session *session, const char *argument)
{
	struct session *other = pool_new(session->pool, struct session);
	const char *revision;

	other->pool = pool_child(session->pool, "other session");
	other->options = session->options;
	other->options.path = argument;
	other->options.base = NULL;
	other->reader = file_reader_disk();
	other->sources = session->sources;
	other->diags = diags_new(other->pool, other->sources);
	if (is_foreign(other, argument))
		return other;
	if (!revision_split(other->pool, argument, &revision, &other->options.path))
		return other;
	other->reader = revision_reader(revision);
	if (revision_exists(other->pool, revision)) {
		if (!revision_lacks(other->pool, revision, other->options.path))
			return other;
		report_missing(session, revision, other->options.path);
		return NULL;
	}
	diag_add(session->diags, CODE_REVISION, SPAN_NONE,
		 "there is no file '%s', and git knows no revision '%s' here", argument, revision);
	return NULL;
}

bool session_parse(struct session *session)
{
	if (session->has_parsed)
		return !diags_has_errors(session->diags);
	session->has_parsed = true;
	if (is_foreign(session, session->options.path) && !session->options.foreign->open(session))
		return false;
	session->program = parse_program(pool_child(session->pool, "program"), session->diags,
					 &session->reader, session->options.path);
	return !diags_has_errors(session->diags);
}

bool session_has_devices(struct session *session)
{
	struct walk walk;

	if (session->program == NULL)
		return false;
	walk = walk_begin_others(session->pool, session->program);
	for (const struct ast_statement *statement; (statement = walk_next(&walk)) != NULL;)
		if (statement->kind == AST_DEVICE)
			return true;
	return false;
}

/* NULL: seen from no device. */
static struct policy *resolve_for(struct session *session, const char *device)
{
	const struct resolve_settings settings = {
		.reader = &session->reader,
		.today = session->options.today,
		.allows_expired_deny = session->options.allows_expired_deny,
		.device = device,
		.question = session->question,
		.is_by_address = session->options.is_for_router && !session_has_devices(session),
	};

	return resolve_policy(pool_child(session->pool, "policy"), session->diags, session->program,
			      &settings);
}

bool session_resolve(struct session *session)
{
	/* a syntax error does not hide the unknown names behind it */
	(void)session_parse(session);
	if (session->program == NULL)
		return false;
	session->policy = resolve_for(session, session->options.device);
	return !diags_has_errors(session->diags);
}

/* Rules, translations and assertions with a mistake are left out of the policy; the others can be
 * looked at all the same, so that one run shows every mistake. Where text, files or places are wrong,
 * what follows would be guesses. So it is for devices and tunnels as far as places hang on them. */
static bool leaves_places(enum code code, bool is_seen_from_device)
{
	switch (code / 100) {
	case 3:
	case 5:
	case 6:
	case 8:
		return true;
	case 7:
		return code == CODE_DEVICE_TARGET || code == CODE_TUNNEL_KEY || code == CODE_CDP_LIMITS ||
		       (!is_seen_from_device && (code == CODE_DEVICE_ITEM ||
						 code == CODE_DEVICE_INTERFACE ||
						 code == CODE_UNKNOWN_ZONE));
	}
	return false;
}

static bool are_places_right(const struct diags *diags, const struct policy *policy, size_t begin,
			     size_t end)
{
	for (size_t index = begin; index < end; index++)
		if (diags->items[index]->severity == SEVERITY_ERROR &&
		    !leaves_places(diags->items[index]->code, policy->device != NULL))
			return false;
	return !diags->is_full;
}

/* common, since: how many diagnostics came of the whole program, and where this policy's begin. */
static void add_view(struct session *session, struct policy *policy, size_t common, size_t since)
{
	struct session_view view = { .device = policy->device, .policy = policy };
	const struct diags *diags = session->diags;

	if (are_places_right(diags, policy, 0, common) &&
	    are_places_right(diags, policy, since, diags->items_count))
		view.ruleset = expand_policy(pool_child(session->pool, "ruleset"), session->diags,
					     policy);
	if (view.ruleset != NULL && session->options.counts_all)
		ruleset_count_all(pool_child(session->pool, "counting"), view.ruleset);
	*pool_append(session->pool, session, views) = view;
}

/* All devices, one after the other. What the first tells of the policy, the others do not tell again. */
static void add_devices(struct session *session)
{
	size_t common = session->diags->items_count;

	for (size_t index = 0; index < session->policy->devices_count; index++) {
		size_t since = session->diags->items_count;

		add_view(session, resolve_for(session, session->policy->devices[index]->name), common,
			 since);
		diags_fold(session->diags, since);
	}
}

static void add_only_view(struct session *session)
{
	if (session->drops_trees && session->policy->devices_count == 0)
		program_drop_trees(session->program);
	add_view(session, session->policy, session->diags->items_count, 0);
}

bool session_expand(struct session *session)
{
	if (session->views_count > 0)
		return !diags_has_errors(session->diags);
	if (!session_resolve(session) && session->policy == NULL)
		return false;
	if (session->policy->devices_count > 0 && session->options.device == NULL)
		add_devices(session);
	else
		add_only_view(session);
	if (session->views_count == 1)
		session->ruleset = session->views[0].ruleset;
	return !diags_has_errors(session->diags);
}

bool session_is_for_host(struct session *session)
{
	const struct policy *policy = session->policy;
	struct diagnostic *error;

	if (policy->devices_count == 0)
		return true;
	error = diag_add(session->diags, CODE_TARGET_CANNOT, policy->devices[0]->span,
			 "device '%s' is not this host, whose rules the nft target gives",
			 policy->devices[0]->name);
	diag_note(session->diags, error, SPAN_NONE, "'fwc compile' without '--target' gives what the devices are");
	return false;
}

static const struct profile *read_profile(struct session *session, const struct ruleset *ruleset)
{
	const char *path = session->options.profile, *bytes;
	struct profile *profile;
	size_t length;
	int error = session->reader.read(session->reader.context, session->pool, path, &bytes, &length);

	if (error != 0) {
		diag_add(session->diags, CODE_PROFILE_UNREADABLE, SPAN_NONE, "cannot read '%s': %s", path,
			 strerror(error));
		return NULL;
	}
	profile = profile_parse(session->pool, session->diags, path, bytes, length);
	if (profile != NULL)
		profile_compare(profile, session->diags, ruleset);
	return profile;
}

const struct ruleset *session_optimise(struct session *session, const struct ruleset *ruleset)
{
	struct optimise_settings settings = { .level = session->options.nft.level };

	if (session->options.profile != NULL)
		settings.profile = read_profile(session, ruleset);
	if (session->options.profile != NULL && settings.profile == NULL)
		return NULL;
	return optimise_ruleset(pool_child(session->pool, "optimised"), ruleset, &settings);
}

bool session_lower(struct session *session)
{
	if (!session_expand(session) || !session_is_for_host(session))
		return false;
	session->optimised = session_optimise(session, session->ruleset);
	if (session->optimised == NULL)
		return false;
	session->table = nft_lower(pool_child(session->pool, "nft"), session->diags,
				   session->optimised, &session->options.nft);
	if (session->table != NULL && !diags_has_errors(session->diags))
		session_analyse(session);
	return session->table != NULL && !diags_has_errors(session->diags);
}

/* --- routers --------------------------------------------------------------------------------- */

static bool is_router(struct session *session, const struct device *device)
{
	if (device->target == NULL || strcmp(device->target, "cisco-ios") == 0)
		return device->target != NULL;
	struct diagnostic *error = diag_add(session->diags, CODE_TARGET_CANNOT, device->span,
					    "device '%s' has target '%s', which is made for the host that "
					    "fwc runs on", device->name, device->target);
	diag_note(session->diags, error, SPAN_NONE,
		  "keep the rules of a host in a policy without devices");
	return false;
}

static void lower_view(struct session *session, struct session_view *view)
{
	void *pool = view->ios_pool = pool_child(session->pool, "cisco");

	if (view->device == NULL)
		view->ios = cisco_lower(pool, session->diags, view->ruleset, &session->options.cisco);
	else if (is_router(session, view->device))
		view->ios = cisco_lower_device(pool, session->diags, view->ruleset, view->device,
					       &session->options.cisco);
}

bool session_lower_cisco(struct session *session)
{
	struct diags *diags = session->diags;
	size_t begin;

	if (!session_expand(session))
		return false;
	begin = diags->items_count;
	for (size_t index = 0; index < session->views_count; index++) {
		size_t since = diags->items_count;

		lower_view(session, &session->views[index]);
		diags_fold(diags, since);
	}
	if (diags_has_errors(diags))
		diags_drop_notes(diags, begin);
	else
		session_analyse(session);
	cisco_forget_covered(diags);
	if (!diags_has_errors(diags) && session->options.device == NULL)
		session->findings |= FINDING_DEVICES;
	return !diags_has_errors(diags);
}

static void drop_lists(struct session *session, struct session_view *view)
{
	view->ios = announced_copy(session->pool, view->ios);
	talloc_free(view->ios_pool);
	view->ios_pool = NULL;
}

bool session_write_cisco(struct session *session)
{
	if (!session_lower_cisco(session))
		return false;
	for (size_t index = 0; index < session->views_count; index++) {
		struct session_view *view = &session->views[index];

		view->text = text_new(session->pool);
		cisco_text(view->text, view->ios, &session->options.cisco);
		if (session->drops_lists)
			drop_lists(session, view);
	}
	return true;
}

/* The first code of a refusal in codes/operation.def. */
#define OPERATION_REFUSALS 1420

/* The world's failures: the kernel, files that are written, the command line. Files that a policy
 * names are the policy's mistakes. */
static bool is_world_code(enum code code)
{
	return code / 100 == 10 || code / 100 == 12 || (code >= 1400 && code < OPERATION_REFUSALS);
}

/* What could be done, but should not. */
static bool is_refusal_code(enum code code)
{
	return code / 100 == 14 && code >= OPERATION_REFUSALS;
}

/* Larger policies are analysed by `check` alone: a compilation takes no longer for it than it must. */
#define ANALYSED_MOST 2000

static const struct ruleset *base_of(const struct session *session, const struct session_view *view)
{
	const struct session *base = session->base;

	for (size_t index = 0; base != NULL && index < base->views_count; index++) {
		const struct device *device = base->views[index].device;

		if ((device == NULL && view->device == NULL) ||
		    (device != NULL && view->device != NULL &&
		     strcmp(device->name, view->device->name) == 0))
			return base->views[index].ruleset;
	}
	return NULL;
}

/* The earlier policy; its warnings are no news, its mistakes are told. */
static bool read_base(struct session *session)
{
	if (session->options.base == NULL || session->base != NULL)
		return true;
	session->base = session_other(session, session->options.base);
	if (session->base == NULL || session_expand(session->base))
		return session->base != NULL;
	diags_take_errors(session->diags, session->base->diags);
	return false;
}

static void check_assertions(struct session *session)
{
	const struct policy *policy = session->policy;
	enum assertion_reach *reach =
		pool_array(session->pool, enum assertion_reach, policy->assertions_count + 1);

	if (!read_base(session))
		return;
	for (size_t index = 0; index < session->views_count; index++) {
		const struct session_view *view = &session->views[index];
		size_t since = session->diags->items_count;

		/* a mistake in an assertion leaves it out, of one view as of the other */
		if (view->policy->assertions_count == policy->assertions_count)
			assertions_check(session->pool, session->diags, view->ruleset,
					 base_of(session, view), reach);
		diags_fold(session->diags, since);
	}
	assertions_finish(session->diags, policy, reach);
}

void session_analyse(struct session *session)
{
	const struct findings_settings settings = {
		.anomalies = { .has_conflicts = session->options.has_conflicts },
		.has_notes = session->is_check,
		.rules_most = session->is_check ? 0 : ANALYSED_MOST,
	};

	bool are_compared = true;

	check_assertions(session);
	for (size_t index = 0; index < session->views_count; index++) {
		size_t since = session->diags->items_count;

		if (!findings_add(session->pool, session->diags, session->views[index].ruleset, &settings))
			are_compared = false;
		diags_fold(session->diags, since);
	}
	if (are_compared)
		session->findings |= FINDING_RULES;
	if (session->options.has_conflicts)
		session->findings |= FINDING_CONFLICTS;
	if (!session->is_check)
		return;
	unused_report(session->diags, session->policy, session->program);
	session->findings |= FINDING_NAMES;
}

bool session_is_refused(struct session *session)
{
	if (session->policy != NULL)
		expectations_finish(session->policy, session->findings | FINDING_COMPILER);
	return session->options.is_strict && session->diags->warning_count > 0;
}

int session_finish(struct session *session)
{
	struct diags *diags = session->diags;
	bool is_refused = session_is_refused(session);
	int status = EXIT_DONE;

	for (size_t index = 0; index < diags->items_count; index++) {
		if (diags->items[index]->severity != SEVERITY_ERROR)
			continue;
		if (is_world_code(diags->items[index]->code))
			status = EXIT_WORLD;
		else if (is_refusal_code(diags->items[index]->code) && status != EXIT_WORLD)
			status = EXIT_REFUSED;
		else if (status == EXIT_DONE)
			status = EXIT_POLICY;
	}
	if (status == EXIT_DONE && diags->error_count > 0)
		status = EXIT_POLICY;
	if (status == EXIT_DONE && is_refused)
		status = EXIT_POLICY;
	if (session->options.report == NULL)
		output_diags(diags, session->options.has_json);
	else if (!output_report(diags, session->options.report, session->options.path))
		status = EXIT_WORLD;
	return status;
}
