/* fwc hits: what the rules have counted, by the policy's lines. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/names.h"
#include "base/pool.h"
#include "cmd/command.h"
#include "cmd/operation.h"
#include "cmd/output.h"
#include "diag/json.h"
#include "diag/visible.h"
#include "monitor/counters.h"
#include "operate/bundle.h"
#include "operate/hits.h"
#include "operate/place.h"
#include "target/nft/load/refusal.h"

enum { OPTION_UNUSED = OPTION_OWN, OPTION_FORMAT };

enum hits_format { HITS_TEXT, HITS_JSON, HITS_PROMETHEUS };

struct hits_query {
	struct session_options session;
	const char *state;
	bool is_unused, has_table;
	enum hits_format format;
};

/* A rule of the policy, or a default: one counter. */
struct counted_rule {
	const char *id;
	const char *verdict;
	struct span origin;        /* SPAN_NONE: a default that the policy does not write */
	const char *hook;          /* of a default; NULL: a rule */
	const struct counter *now; /* NULL: the kernel does not count it */
	const struct hit *hit;
};

struct listing {
	struct session *session;
	const struct hits_query *query;
	struct counted_rule *rules; /* in the order of the policy, then the defaults */
	size_t rules_count, rules_capacity;
	struct names *seen;
};

/* --- rules ----------------------------------------------------------------------------------------------- */

static void add_rule(struct listing *listing, const struct identity *identity, const struct outcome *outcome,
		     struct span origin, const char *hook)
{
	static const char *const words[] = { "allow", "deny", "reject" };

	const char *id = identity == NULL ? NULL : identity_text(identity);

	if (id == NULL || names_find(listing->seen, id, strlen(id)) != NULL)
		return;
	names_set(listing->seen, id, strlen(id), listing);
	*pool_append(listing->session->pool, listing, rules) = (struct counted_rule){
		.id = id,
		.verdict = words[outcome->verdict],
		.origin = origin,
		.hook = hook,
	};
}

/* A statement that stands in several hooks stands where it comes first. */
static int compare_rules(const void *a, const void *b)
{
	const struct counted_rule *one = a, *other = b;

	if (one->origin.source != other->origin.source)
		return one->origin.source < other->origin.source ? -1 : 1;
	if (one->origin.begin != other->origin.begin)
		return one->origin.begin < other->origin.begin ? -1 : 1;
	return strcmp(one->id, other->id);
}

static void list_rules(struct listing *listing)
{
	static const char *const hooks[] = {
		[HOOK_INPUT] = "input", [HOOK_FORWARD] = "forward", [HOOK_OUTPUT] = "output",
	};
	const struct ruleset *ruleset = listing->session->ruleset;

	listing->seen = names_new(listing->session->pool, false);
	for (size_t hook = 0; hook < HOOK_COUNT; hook++)
		for (size_t index = 0; index < ruleset->rules_count[hook]; index++) {
			const struct rule *rule = ruleset->rules[hook][index];

			add_rule(listing, rule->identity, rule->outcome, rule->origin, NULL);
		}
	for (size_t hook = 0; hook < HOOK_COUNT; hook++) {
		const struct policy_default *fallback = &ruleset->policy->defaults[hook];

		add_rule(listing, ruleset->default_identities[hook], ruleset->defaults[hook],
			 fallback->is_written ? fallback->span : SPAN_NONE, hooks[hook]);
	}
	if (listing->rules_count > 0)
		qsort(listing->rules, listing->rules_count, sizeof *listing->rules, compare_rules);
}

/* "c_" and the identity, as the table has it: '+' is the one byte of an identity that a name in the kernel
 * cannot have. */
static const char *counter_name(void *pool, const char *id)
{
	char *name = pool_format(pool, "c_%s", id);

	for (char *at = name; *at != '\0'; at++)
		if (*at == '+')
			*at = '_';
	return name;
}

/* Two identities that share a name are not told apart: of neither anything is said. */
static void find_counters(struct listing *listing, const struct counters *counters)
{
	void *pool = listing->session->pool;
	struct names *names = names_new(pool, false);

	for (size_t index = 0; index < listing->rules_count; index++) {
		struct counted_rule *rule = &listing->rules[index], *other;
		const char *name = counter_name(pool, rule->id);

		other = names_find(names, name, strlen(name));
		if (other != NULL) {
			diag_add(listing->session->diags, CODE_HITS_AMBIGUOUS, rule->origin,
				 "the counters of ids '%s' and '%s' cannot be told apart", other->id, rule->id);
			other->now = NULL;
			continue;
		}
		names_set(names, name, strlen(name), rule);
		rule->now = counters_find(counters, name);
	}
}

/* --- printing ---------------------------------------------------------------------------------------------- */

static void add_statement(struct text *out, struct session *session, const struct counted_rule *rule)
{
	struct span span = rule->origin;

	if (span.source == SPAN_NONE.source) {
		text_add(out, "the default of every policy");
	} else {
		text_addf(out, "%s: ", span_place(out->pool, session->sources, span));
		visible_add_first_line(out, session->sources, span);
	}
	if (rule->hook != NULL)
		text_addf(out, " (%s)", rule->hook);
}

static const char *time_text(void *pool, time_t when)
{
	struct text *text = text_new(pool);

	operation_time(text, when);
	return text->bytes;
}

static void print_text_row(struct text *out, const struct listing *listing, const struct counted_rule *rule)
{
	if (rule->now == NULL)
		text_addf(out, "%12s  %14s  %-20s  ", "-", "-", "not counted");
	else
		text_addf(out, "%12" PRIu64 "  %14" PRIu64 "  %-20s  ", rule->now->packets, rule->now->bytes,
			  rule->hit->changed == 0 ? "never" : time_text(out->pool, rule->hit->changed));
	add_statement(out, listing->session, rule);
	text_add_char(out, '\n');
}

static void print_unused_row(struct text *out, const struct listing *listing, const struct counted_rule *rule)
{
	text_addf(out, "since %s  ", time_text(out->pool, rule->hit->since));
	add_statement(out, listing->session, rule);
	text_add_char(out, '\n');
}

static bool is_shown(const struct listing *listing, const struct counted_rule *rule)
{
	if (listing->query->is_unused)
		return rule->now != NULL && rule->now->packets == 0;
	return rule->now != NULL || listing->query->format != HITS_PROMETHEUS;
}

static void print_text(struct text *out, const struct listing *listing)
{
	if (!listing->query->is_unused)
		text_addf(out, "%12s  %14s  %-20s  %s\n", "packets", "bytes", "last seen to change", "rule");
	for (size_t index = 0; index < listing->rules_count; index++)
		if (is_shown(listing, &listing->rules[index]))
			(listing->query->is_unused ? print_unused_row : print_text_row)(out, listing,
											&listing->rules[index]);
}

static void print_json(struct text *out, const struct listing *listing)
{
	void *pool = out->pool;
	json_t *root = json_array();

	for (size_t index = 0; index < listing->rules_count; index++) {
		const struct counted_rule *rule = &listing->rules[index];
		json_t *row = json_object();

		if (!is_shown(listing, rule)) {
			json_decref(row);
			continue;
		}
		json_set(pool, row, "id", json_text(pool, rule->id));
		json_set(pool, row, "verdict", json_text(pool, rule->verdict));
		json_set(pool, row, "place", rule->origin.source == SPAN_NONE.source ? json_null() :
			 json_text(pool, span_place(pool, listing->session->sources, rule->origin)));
		json_set(pool, row, "is_counted", json_boolean(rule->now != NULL));
		if (rule->now != NULL) {
			json_set(pool, row, "packets", json_integer((json_int_t)rule->now->packets));
			json_set(pool, row, "bytes", json_integer((json_int_t)rule->now->bytes));
			json_set(pool, row, "since", json_text(pool, time_text(pool, rule->hit->since)));
			json_set(pool, row, "changed", rule->hit->changed == 0 ? json_null() :
				 json_text(pool, time_text(pool, rule->hit->changed)));
		}
		json_add(pool, root, row);
	}
	json_finish(pool, out, root);
}

/* A label's value (Prometheus text format 0.0.4): backslash, quote and line end are escaped. */
static void add_label(struct text *out, const char *value)
{
	struct text *visible = text_new(out->pool);

	visible_add(visible, value, strlen(value));
	for (const char *at = visible->bytes; *at != '\0'; at++) {
		if (*at == '\\' || *at == '"')
			text_add_char(out, '\\');
		text_add_char(out, *at);
	}
}

static void add_metric(struct text *out, const struct listing *listing, const char *name, const char *help,
		       bool is_bytes)
{
	text_addf(out, "# HELP %s %s\n# TYPE %s counter\n", name, help, name);
	for (size_t index = 0; index < listing->rules_count; index++) {
		const struct counted_rule *rule = &listing->rules[index];

		if (!is_shown(listing, rule))
			continue;
		text_addf(out, "%s{table=\"%s\",id=\"%s\",verdict=\"%s\",place=\"", name,
			  listing->session->options.nft.table, rule->id, rule->verdict);
		add_label(out, span_place(out->pool, listing->session->sources, rule->origin));
		text_addf(out, "\"} %" PRIu64 "\n", is_bytes ? rule->now->bytes : rule->now->packets);
	}
}

static void print_prometheus(struct text *out, const struct listing *listing)
{
	add_metric(out, listing, "fwc_rule_packets_total", "Packets that a rule decided.", false);
	add_metric(out, listing, "fwc_rule_bytes_total", "Bytes of the packets that a rule decided.", true);
}

/* --- the command --------------------------------------------------------------------------------------------- */

/* Tables share the state's folder, and may share identities. */
static const char *hit_name(const struct session *session, const char *counter)
{
	const char *table = session->options.nft.table;

	return strcmp(table, NFT_TABLE_DEFAULT) == 0 ? counter
		: pool_format(session->pool, "%s/%s", table, counter);
}

/* Of this boot, this network namespace, this table and this counter: NULL where the kernel does not say. */
static const char *life_of(void *pool, const char *place, const struct counters *counters,
			   const struct counter *counter)
{
	const char *blank = place == NULL ? NULL : strchr(place, ' ');

	return blank == NULL ? NULL
		: pool_format(pool, "%.*s/%s/%" PRIu64 "/%" PRIu64, (int)(blank - place), place, blank + 1,
			      counters->table_handle, counter->handle);
}

/* false after an error in the bag. */
static bool read_counters(struct session *session, struct counters *counters, const char **place)
{
	struct nft_socket *netlink = nft_socket_new(session->pool);
	int error = netlink == NULL ? errno
		: counters_read(session->pool, netlink, session->options.nft.table, counters);

	if (error != 0)
		nft_report_error(session->diags, error, "read the kernel's counters");
	else
		*place = place_of(session->pool, netlink->fd);
	talloc_free(netlink);
	return error == 0;
}

/* What is counted, and what was seen the last time. false after an error in the bag. */
static bool look(struct listing *listing)
{
	struct session *session = listing->session;
	struct hits *hits = hits_new(session->pool);
	struct folder *folder = folder_open(session->pool, session->diags, listing->query->state, true);
	struct counters counters = { .items = NULL };
	const char *place = NULL;
	time_t now = time(NULL);
	int error;

	if (folder == NULL || !read_counters(session, &counters, &place))
		return false;
	find_counters(listing, &counters);
	error = hits_read(hits, folder);
	for (size_t index = 0; index < listing->rules_count && error == 0; index++) {
		struct counted_rule *rule = &listing->rules[index];

		if (rule->now != NULL)
			rule->hit = hits_note(hits, hit_name(session, rule->now->name),
					      life_of(session->pool, place, &counters, rule->now),
					      rule->now->packets, now);
	}
	if (error == 0)
		error = hits_write(hits, folder, now);
	if (error != 0)
		diag_add(session->diags, CODE_STATE_FAILED, SPAN_NONE, "cannot keep what was counted in '%s': %s",
			 listing->query->state, strerror(error));
	return error == 0;
}

static void note_nothing(struct listing *listing)
{
	for (size_t index = 0; index < listing->rules_count; index++)
		if (listing->rules[index].now != NULL)
			return;
	diag_note(listing->session->diags,
		  diag_add(listing->session->diags, CODE_HITS_NOTHING, SPAN_NONE,
			   "the kernel counts none of these rules: write 'count' behind a rule, or load the policy "
			   "with 'fwc apply --count'"),
		  SPAN_NONE, "'fwc status' says whether the policy is in force");
}

static int list(struct session *session, const struct hits_query *query)
{
	struct listing listing = { .session = session, .query = query };
	struct text *out = text_new(session->pool);
	int status;

	list_rules(&listing);
	if (look(&listing))
		note_nothing(&listing);
	status = session_finish(session);
	if (status != EXIT_DONE)
		return status;
	if (query->format == HITS_JSON)
		print_json(out, &listing);
	else if (query->format == HITS_PROMETHEUS)
		print_prometheus(out, &listing);
	else
		print_text(out, &listing);
	return output_stdout(out) ? EXIT_DONE : EXIT_WORLD;
}

/* The newest entry that should be in force; table NULL: of any. */
static const struct state_entry *entry_of(const struct state *state, const char *table)
{
	for (size_t index = state->entries_count; index-- > 0;) {
		const struct state_entry *entry = &state->entries[index];

		if ((entry->mark == STATE_CONFIRMED || entry->mark == STATE_WAITING) &&
		    (table == NULL || strcmp(entry->table, table) == 0))
			return entry;
	}
	return NULL;
}

/* The policy that was applied last. false after an error in the bag. */
static bool read_applied(struct session *session, const struct hits_query *query)
{
	const char *path = query->state, *table = query->has_table ? session->options.nft.table : NULL;
	struct state *state = state_read(session->pool, session->diags, path);
	const struct state_entry *entry = state == NULL ? NULL : entry_of(state, table);
	struct bundle *bundle;
	const char *bytes;
	size_t length;

	if (state == NULL)
		return false;
	if (entry == NULL) {
		diag_add(session->diags, CODE_STATE_FAILED, SPAN_NONE,
			 "'%s' knows of no policy that was applied%s%s: name the policy's file", path,
			 table == NULL ? "" : " as table ", table == NULL ? "" : table);
		return false;
	}
	bytes = state_read_policy(state, session->diags, entry, &length);
	if (bytes == NULL)
		return false;
	bundle = bundle_parse(session->pool, bytes, length, &session->options.path);
	if (bundle == NULL) {
		diag_add(session->diags, CODE_STATE_FAILED, SPAN_NONE, "the policy that was applied cannot be read "
			 "any more: name its file");
		return false;
	}
	session->reader = bundle_reader(bundle);
	session->options.nft.table = entry->table;
	session->options.allows_expired_deny = entry->allows_expired_deny;
	return true;
}

static int format_option(struct hits_query *query)
{
	static const char *const words[] = {
		[HITS_TEXT] = "text", [HITS_JSON] = "json", [HITS_PROMETHEUS] = "prometheus",
	};

	for (size_t index = 0; index < sizeof words / sizeof words[0]; index++)
		if (strcmp(optarg, words[index]) == 0) {
			query->format = (enum hits_format)index;
			return EXIT_DONE;
		}
	return command_misused("hits", "'%s' is none of text, json, prometheus", optarg);
}

static int hits_option(struct hits_query *query, int option)
{
	switch (option) {
	case OPTION_UNUSED:
		query->is_unused = true;
		return EXIT_DONE;
	case OPTION_FORMAT:
		return format_option(query);
	case OPTION_STATE:
		query->state = optarg;
		return EXIT_DONE;
	case OPTION_TABLE:
		query->has_table = true;
		break;
	}
	return session_option(&query->session, "hits", option, optarg);
}

static int hits_parse(struct hits_query *query, int argc, char **argv)
{
	static const struct option long_options[] = {
		SESSION_LONG_OPTIONS,
		{ "unused", no_argument, NULL, OPTION_UNUSED },
		{ "format", required_argument, NULL, OPTION_FORMAT },
		{ "state", required_argument, NULL, OPTION_STATE },
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE && (option = command_option(argc, argv, "", long_options)) != -1)
		status = hits_option(query, option);
	if (status == EXIT_DONE && query->session.has_json)
		query->format = HITS_JSON;
	if (status != EXIT_DONE || optind == argc)
		return status;
	return session_path(&query->session, "hits", argc, argv);
}

int command_hits(struct pool_trap *root, int argc, char **argv)
{
	struct hits_query query = { .session = session_options_default(), .state = FOLDER_DEFAULT };
	int status = hits_parse(&query, argc, argv);
	struct session *session;

	if (status != EXIT_DONE)
		return status;
	session = session_new(root, &query.session);
	if (query.session.path == NULL && !read_applied(session, &query))
		return session_finish(session);
	if (!session_expand(session) || !session_is_for_host(session) || session_is_refused(session))
		return session_finish(session);
	return list(session, &query);
}
