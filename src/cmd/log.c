/* fwc log: what the kernel logged for the policy's rules, in the policy's words. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/names.h"
#include "base/pool.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "diag/json.h"
#include "diag/visible.h"
#include "monitor/log_line.h"
#include "monitor/nflog.h"
#include "monitor/watch.h"
#include "net/protocol.h"

#define KERNEL_LOG "/dev/kmsg"
#define LINE_MAX_BYTES ((size_t)16 << 10) /* of a log; what is longer is cut */
#define TIME_BYTES sizeof "2026-11-21T11:40:00Z"

enum { OPTION_FROM = OPTION_OWN, OPTION_GROUP, OPTION_PAST };

struct log_query {
	struct session_options session;
	const char *from; /* a file of log lines, "-", or NULL: the kernel's log */
	bool has_group, has_past;
	uint16_t group;
};

/* A rule or default, by its identity. */
struct named_rule {
	struct span origin;
};

struct logger {
	struct session *session;
	const struct log_query *query;
	struct names *rules;
	size_t others_count; /* lines that a program wrote */
	bool is_broken; /* the output */
};

/* --- identities ---------------------------------------------------------------------------------- */

static void name_rule(struct logger *logger, const struct identity *identity, struct span origin)
{
	struct named_rule *rule;
	const char *id = identity == NULL ? NULL : identity_text(identity);

	if (id == NULL || names_find(logger->rules, id, strlen(id)) != NULL)
		return;
	rule = pool_new(logger->session->pool, struct named_rule);
	rule->origin = origin;
	names_set(logger->rules, id, strlen(id), rule);
}

static void name_rules(struct logger *logger)
{
	const struct ruleset *ruleset = logger->session->ruleset;

	logger->rules = names_new(logger->session->pool, false);
	for (size_t hook = 0; hook < HOOK_COUNT; hook++) {
		const struct policy_default *fallback = &ruleset->policy->defaults[hook];

		for (size_t index = 0; index < ruleset->rules_count[hook]; index++)
			name_rule(logger, ruleset->rules[hook][index]->identity,
				  ruleset->rules[hook][index]->origin);
		name_rule(logger, ruleset->default_identities[hook],
			  fallback->is_written ? fallback->span : SPAN_NONE);
	}
}

/* --- printing ------------------------------------------------------------------------------------ */

static void add_statement(struct text *out, struct session *session, struct span span)
{
	text_addf(out, "%s: ", span_place(out->pool, session->sources, span));
	visible_add_first_line(out, session->sources, span);
}

static void add_rule(struct text *out, struct logger *logger, const struct log_line *line)
{
	const struct named_rule *rule = names_find(logger->rules, line->id, strlen(line->id));

	if (rule == NULL)
		text_addf(out, "rule %s, which this policy does not have", line->id);
	else if (rule->origin.source == SPAN_NONE.source)
		text_add(out, "the default of every policy");
	else
		add_statement(out, logger->session, rule->origin);
}

static void add_interfaces(struct text *out, const struct log_line *line)
{
	if (line->in != NULL) {
		text_add(out, " in ");
		visible_add(out, line->in, strlen(line->in));
	}
	if (line->out != NULL) {
		text_add(out, " out ");
		visible_add(out, line->out, strlen(line->out));
	}
}

static void print_text(struct text *out, struct logger *logger, const struct log_line *line)
{
	visible_add(out, line->before, strlen(line->before));
	text_addf(out, "%s ", line->verdict);
	if (line->has_header)
		header_format(out, &line->header);
	else
		text_add(out, "a packet");
	add_interfaces(out, line);
	text_add(out, ", ");
	add_rule(out, logger, line);
	text_add_char(out, '\n');
}

static const char *address_text(void *pool, enum family family, number128 value)
{
	struct text *text = text_new(pool);

	address_format(text, &(struct address){ family, value });
	return text->bytes;
}

static void set_header(void *pool, json_t *root, const struct header *header)
{
	const char *name = protocol_name(header->protocol);

	json_set(pool, root, "protocol", name != NULL ? json_text(pool, name) : json_integer(header->protocol));
	json_set(pool, root, "source", json_text(pool, address_text(pool, header->family, header->source)));
	json_set(pool, root, "destination",
		 json_text(pool, address_text(pool, header->family, header->destination)));
	if (header->has_parts && protocol_has_ports(header->protocol)) {
		json_set(pool, root, "source_port", json_integer(header->second));
		json_set(pool, root, "destination_port", json_integer(header->first));
	} else if (header->has_parts) {
		json_set(pool, root, "type", json_integer(header->first));
		json_set(pool, root, "code", json_integer(header->second));
	}
}

static void print_json(struct text *out, struct logger *logger, const struct log_line *line)
{
	const struct named_rule *rule = names_find(logger->rules, line->id, strlen(line->id));
	struct session *session = logger->session;
	json_t *root = json_object();

	json_set(out->pool, root, "before", json_text(out->pool, line->before));
	json_set(out->pool, root, "verdict", json_text(out->pool, line->verdict));
	json_set(out->pool, root, "id", json_text(out->pool, line->id));
	json_set(out->pool, root, "is_known", json_boolean(rule != NULL));
	if (rule != NULL && rule->origin.source != SPAN_NONE.source)
		json_set(out->pool, root, "place",
			 json_text(out->pool, span_place(out->pool, session->sources, rule->origin)));
	json_set(out->pool, root, "words", json_text(out->pool, line->words));
	if (line->in != NULL)
		json_set(out->pool, root, "in", json_text(out->pool, line->in));
	if (line->out != NULL)
		json_set(out->pool, root, "out", json_text(out->pool, line->out));
	if (line->has_header)
		set_header(out->pool, root, &line->header);
	json_finish(out->pool, out, root);
}

static void print_line(struct logger *logger, void *pool, const struct log_line *line)
{
	struct text *out = text_new(pool);

	(logger->query->session.has_json ? print_json : print_text)(out, logger, line);
	logger->is_broken = !output_stdout(out);
}

static const char *time_text(void *pool, time_t seconds)
{
	char *text = pool_bytes(pool, TIME_BYTES + 1);
	struct tm date;

	if (gmtime_r(&seconds, &date) == NULL || strftime(text, TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &date) == 0)
		return "";
	text[TIME_BYTES - 1] = ' ';
	return text;
}

/* --- a file -------------------------------------------------------------------------------------- */

static void take_line(struct logger *logger, const char *bytes, size_t length)
{
	void *pool = pool_child(logger->session->pool, "line");
	struct log_line line;

	if (!logger->is_broken && memchr(bytes, '\0', length) == NULL &&
	    log_line_read(pool, bytes, length, &line)) {
		if (log_head_is_of_kernel(line.before))
			print_line(logger, pool, &line);
		else
			logger->others_count++;
	}
	talloc_free(pool);
}

/* Lines out of pieces of a file. */
struct splitter {
	char *bytes;
	size_t length;
	bool is_cut; /* the rest of a line that is too long goes */
};

static void split(struct logger *logger, struct splitter *splitter, bool is_end)
{
	char *begin = splitter->bytes, *end = splitter->bytes + splitter->length, *newline;

	while ((newline = memchr(begin, '\n', (size_t)(end - begin))) != NULL) {
		if (!splitter->is_cut)
			take_line(logger, begin, (size_t)(newline - begin));
		splitter->is_cut = false;
		begin = newline + 1;
	}
	if (end > begin && (is_end || (begin == splitter->bytes && splitter->length == LINE_MAX_BYTES))) {
		if (!splitter->is_cut)
			take_line(logger, begin, (size_t)(end - begin));
		splitter->is_cut = !is_end;
		begin = end;
	}
	splitter->length = (size_t)(end - begin);
	memmove(splitter->bytes, begin, splitter->length);
}

static int read_file(struct logger *logger, struct watch *watch, int file)
{
	struct splitter splitter = { .bytes = pool_bytes(logger->session->pool, LINE_MAX_BYTES) };

	while (!logger->is_broken && watch_wait(watch, file, -1) != WATCH_STOP) {
		ssize_t got = read(file, splitter.bytes + splitter.length, LINE_MAX_BYTES - splitter.length);

		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return errno;
		splitter.length += (size_t)got;
		split(logger, &splitter, got == 0);
		if (got == 0)
			break;
	}
	return 0;
}

/* --- the kernel's log ---------------------------------------------------------------------------- */

/* Seconds since 1970 of a record that was made so many microseconds after the boot. */
static time_t time_of_record(unsigned long long microseconds)
{
	struct timespec now, since;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)clock_gettime(CLOCK_MONOTONIC, &since);
	return now.tv_sec - since.tv_sec + (time_t)(microseconds / 1000000);
}

/* "PRIORITY,NUMBER,MICROSECONDS,FLAGS;TEXT\n KEY=VALUE…" (Documentation/ABI/testing/dev-kmsg). What a
 * process wrote has another facility than the kernel's, 0. */
static void take_record(struct logger *logger, char *record)
{
	void *pool = pool_child(logger->session->pool, "record");
	unsigned priority;
	unsigned long long number, microseconds;
	char *text = strchr(record, ';');
	struct log_line line;

	if (text != NULL && sscanf(record, "%u,%llu,%llu", &priority, &number, &microseconds) == 3 &&
	    priority >> 3 == 0 && log_line_read(pool, text + 1, strcspn(text + 1, "\n"), &line) &&
	    line.before[0] == '\0') {
		line.before = time_text(pool, time_of_record(microseconds));
		print_line(logger, pool, &line);
	}
	talloc_free(pool);
}

static int read_kernel(struct logger *logger, struct watch *watch, int file)
{
	char *record = pool_bytes(logger->session->pool, LINE_MAX_BYTES + 1);

	if (!logger->query->has_past)
		(void)lseek(file, 0, SEEK_END);
	while (!logger->is_broken && watch_wait(watch, file, -1) != WATCH_STOP) {
		ssize_t got = read(file, record, LINE_MAX_BYTES);

		if (got < 0 && errno != EINTR && errno != EAGAIN && errno != EPIPE)
			return errno;
		if (got <= 0)
			continue; /* EPIPE: records were lost; those that are left go on */
		record[got] = '\0';
		take_record(logger, record);
	}
	return 0;
}

/* --- NFLOG --------------------------------------------------------------------------------------- */

static const char *interface_text(void *pool, uint32_t index)
{
	char name[IF_NAMESIZE];

	if (index == 0)
		return NULL;
	return if_indextoname(index, name) != NULL ? pool_strdup(pool, name) : pool_format(pool, "%u", index);
}

static void take_packet(const struct nflog_packet *packet, void *data)
{
	struct logger *logger = data;
	void *pool = pool_child(logger->session->pool, "packet");
	struct log_line line;

	if (log_prefix_read(pool, packet->prefix, &line)) {
		line.before = time_text(pool, time(NULL));
		line.in = interface_text(pool, packet->in);
		line.out = interface_text(pool, packet->out);
		line.has_header = header_read(packet->bytes, packet->length, &line.header);
		print_line(logger, pool, &line);
	}
	talloc_free(pool);
}

static int read_group(struct logger *logger, struct watch *watch)
{
	struct nflog *nflog = nflog_new(logger->session->pool, logger->query->group);
	int error = 0;

	if (nflog == NULL)
		return errno;
	fprintf(stderr, "fwc: listening to NFLOG group %u\n", logger->query->group);
	while (!logger->is_broken && error == 0 && watch_wait(watch, nflog->fd, -1) != WATCH_STOP) {
		error = nflog_read(nflog, take_packet, logger);
		if (error == ENOBUFS) {
			fprintf(stderr, "fwc: packets came faster than they could be read: some are missing\n");
			error = 0;
		}
	}
	talloc_free(nflog);
	return error;
}

/* --- the command --------------------------------------------------------------------------------- */

static int open_source(const struct log_query *query)
{
	if (query->from == NULL)
		return open(KERNEL_LOG, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return strcmp(query->from, "-") == 0 ? STDIN_FILENO : open(query->from, O_RDONLY | O_CLOEXEC);
}

static int read_source(struct logger *logger, struct watch *watch)
{
	const struct log_query *query = logger->query;
	int file, error;

	if (query->has_group)
		return read_group(logger, watch);
	file = open_source(query);
	if (file < 0)
		return errno;
	error = query->from == NULL ? read_kernel(logger, watch, file) : read_file(logger, watch, file);
	if (logger->others_count > 0)
		fprintf(stderr, "fwc: left out %zu lines with such words that no kernel wrote, by their heads\n",
			logger->others_count);
	if (file != STDIN_FILENO)
		close(file);
	return error;
}

static int tell(struct session *session, const struct log_query *query)
{
	struct logger logger = { .session = session, .query = query };
	struct watch *watch = watch_new(session->pool);
	int error;

	name_rules(&logger);
	error = watch == NULL ? errno : read_source(&logger, watch);
	if (error != 0) {
		struct diagnostic *diagnostic = diag_add(
			session->diags, CODE_LOG_UNREADABLE, SPAN_NONE, "cannot read %s: %s",
			query->has_group ? pool_format(session->pool, "NFLOG group %u", query->group) :
			query->from == NULL ? "the kernel's log" : pool_format(session->pool, "'%s'", query->from),
			strerror(error));

		if (query->has_group && error == EPERM)
			diag_note(session->diags, diagnostic, SPAN_NONE,
				  "run it as root; or another program listens to this group already");
		else if (query->from == NULL && error == EPERM)
			diag_note(session->diags, diagnostic, SPAN_NONE, "run it as root, or hand it lines: "
				  "journalctl -kf | fwc log %s --from -", query->session.path);
	}
	talloc_free(watch);
	return logger.is_broken ? EXIT_WORLD : session_finish(session);
}

static int log_option(struct log_query *query, int option)
{
	char *end;
	unsigned long group;

	switch (option) {
	case OPTION_FROM:
		query->from = optarg;
		return EXIT_DONE;
	case OPTION_PAST:
		query->has_past = true;
		return EXIT_DONE;
	case OPTION_GROUP:
		errno = 0;
		group = strtoul(optarg, &end, 10);
		if (errno != 0 || optarg[0] < '0' || optarg[0] > '9' || *end != '\0' || group > UINT16_MAX)
			return command_misused("log", "'%s' is no NFLOG group: 0 to 65535", optarg);
		query->has_group = true;
		query->group = (uint16_t)group;
		return EXIT_DONE;
	}
	return session_option(&query->session, "log", option, optarg);
}

static int log_parse(struct log_query *query, int argc, char **argv)
{
	static const struct option long_options[] = {
		SESSION_LONG_OPTIONS,
		{ "from", required_argument, NULL, OPTION_FROM },
		{ "group", required_argument, NULL, OPTION_GROUP },
		{ "past", no_argument, NULL, OPTION_PAST },
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE && (option = command_option(argc, argv, "", long_options)) != -1)
		status = log_option(query, option);
	if (status != EXIT_DONE)
		return status;
	if ((query->from != NULL) + query->has_group + query->has_past > 1)
		return command_misused("log", "'--from', '--group' and '--past' are three things to read");
	return session_path(&query->session, "log", argc, argv);
}

int command_log(struct pool_trap *root, int argc, char **argv)
{
	struct log_query query = { .session = session_options_default() };
	int status = log_parse(&query, argc, argv);
	struct session *session;

	if (status != EXIT_DONE)
		return status;
	if (query.from != NULL && strcmp(query.from, "-") == 0 && strcmp(query.session.path, "-") == 0)
		return command_misused("log", "the standard input is the policy or the log, not both");
	session = session_new(root, &query.session);
	if (!session_expand(session) || !session_is_for_host(session) || session_is_refused(session))
		return session_finish(session);
	return tell(session, &query);
}
