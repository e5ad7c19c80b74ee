/* fwc trace: chosen packets on their way through the rules, by the policy's lines. */
#include <errno.h>
#include <getopt.h>
#include <linux/netfilter.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/names.h"
#include "base/pool.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "diag/visible.h"
#include "monitor/tracer.h"
#include "monitor/watch.h"
#include "net/protocol.h"
#include "rules/evaluate.h"
#include "target/nft/model/family.h"
#include "target/nft/read/kernel.h"
#include "target/nft/load/refusal.h"

#define MINUTES_A_DAY (24 * 60)
/* Packets on their way at one time; an older one is forgotten. */
#define PATHS_MOST 4096

enum { OPTION_COUNT = OPTION_OWN, OPTION_SECONDS };

struct trace_query {
	struct session_options session;
	const char *packet;
	unsigned long count, seconds; /* 0: no end */
};

/* One packet, from its first event on. */
struct path {
	uint32_t id;
	unsigned long number;
	struct header first, header; /* as it came in; as the chain in hand sees it */
	uint32_t in, out;
	bool is_in_own;  /* the events are those of the policy's table */
	bool is_decided; /* there, by what the last event said */
	enum hook hook;
	bool has_passed[HOOK_COUNT]; /* hooks of the policy's table */
	const char *comment; /* of the last rule there that had one */
};

struct follower {
	struct session *session;
	const struct trace_query *query;
	const struct read_table *table; /* the policy's, as the kernel holds it; or NULL */
	struct path *paths;
	unsigned long begun;
	bool is_broken; /* the output */
};

/* --- which packets ------------------------------------------------------------------------------------- */

struct asking {
	struct session *session;
	struct trace_filter *filter;
	const char *packet;
};

static bool complain(const struct asking *asking, const char *word, const char *message)
{
	struct diagnostic *error = diag_add(asking->session->diags, CODE_TRACE_PACKET, SPAN_NONE,
					    "'%s' %s", word, message);

	diag_note(asking->session->diags, error, SPAN_NONE,
		  "a packet is written 'tcp 192.168.0.5 -> 10.0.0.1:443', 'icmp any -> fd00::/64', 'any any -> "
		  "10.0.0.1'");
	return false;
}

static bool port_read(const char *text, uint16_t *port)
{
	char *end;
	unsigned long value;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	*port = (uint16_t)value;
	return errno == 0 && *end == '\0' && value <= UINT16_MAX;
}

/* "10.0.0.1:443", "[fd00::1]:443": cuts the port off. The text is changed. */
static const char *cut_port(char **text)
{
	char *colon = strrchr(*text, ':');
	size_t length = strlen(*text);

	if ((*text)[0] == '[' && length > 1) {
		char *bracket = strchr(*text, ']');

		if (bracket == NULL || (bracket[1] != '\0' && bracket[1] != ':'))
			return NULL;
		*bracket = '\0';
		++*text;
		return bracket[1] == ':' ? bracket + 2 : NULL;
	}
	if (colon == NULL || strchr(*text, ':') != colon)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

static bool prefix_read(const char *text, struct prefix *prefix)
{
	struct address address;

	if (address_parse(text, strlen(text), &address)) {
		*prefix = (struct prefix){ address.family, address.value, family_bits(address.family) };
		return true;
	}
	return prefix_parse(text, strlen(text), prefix) && !prefix_has_host_bits(prefix);
}

static bool read_end(const struct asking *asking, char *word, bool is_source)
{
	struct trace_filter *filter = asking->filter;
	const char *whole = pool_strdup(asking->session->pool, word), *port = cut_port(&word);
	struct prefix *prefix = is_source ? &filter->source : &filter->destination;

	if (port != NULL) {
		if (!port_read(port, is_source ? &filter->second : &filter->first))
			return complain(asking, whole, "has no port from 0 to 65535 behind its ':'");
		if (!filter->has_protocol || !protocol_has_ports(filter->protocol))
			return complain(asking, whole, "has a port, which only tcp, udp, sctp, dccp and udplite "
					"have");
		*(is_source ? &filter->has_second : &filter->has_first) = true;
	}
	if (strcmp(word, "any") == 0)
		return true;
	if (!prefix_read(word, prefix))
		return complain(asking, whole, "is no address, prefix or 'any'");
	if (filter->has_family && filter->family != prefix->family)
		return complain(asking, whole, "is of another family than the rest");
	*(is_source ? &filter->has_source : &filter->has_destination) = true;
	filter->has_family = true;
	filter->family = prefix->family;
	return true;
}

static bool read_protocol(const struct asking *asking, const char *word)
{
	struct trace_filter *filter = asking->filter;

	if (strcmp(word, "any") == 0)
		return true;
	filter->has_protocol = protocol_find(word, strlen(word), &filter->protocol);
	if (!filter->has_protocol)
		return complain(asking, word, "is no protocol");
	if (filter->protocol == PROTOCOL_ICMP || filter->protocol == PROTOCOL_ICMP6) {
		filter->has_family = true;
		filter->family = filter->protocol == PROTOCOL_ICMP ? FAMILY_IPV4 : FAMILY_IPV6;
	}
	return true;
}

/* PROTOCOL FROM -> TO */
static bool filter_read(const struct asking *asking)
{
	char *words[5] = { NULL }, *rest = pool_strdup(asking->session->pool, asking->packet), *saved;
	size_t count = 0;

	for (char *word = strtok_r(rest, " \t", &saved); word != NULL && count < 5;
	     word = strtok_r(NULL, " \t", &saved))
		words[count++] = word;
	if (count != 4 || strcmp(words[2], "->") != 0)
		return complain(asking, asking->packet, "is not of the form PROTOCOL FROM -> TO");
	return read_protocol(asking, words[0]) && read_end(asking, words[1], true) &&
	       read_end(asking, words[3], false);
}

/* --- what the policy says --------------------------------------------------------------------------------- */

static const char *interface_text(void *pool, uint32_t index)
{
	char name[IF_NAMESIZE];

	if (index == 0)
		return NULL;
	return if_indextoname(index, name) != NULL ? pool_strdup(pool, name) : pool_format(pool, "%u", index);
}

/* Monday 00:00 UTC is minute 0; the first of January 1970 was a Thursday. */
static unsigned minute_of(time_t seconds)
{
	return (unsigned)((seconds / 60 + 3 * MINUTES_A_DAY) % (7 * MINUTES_A_DAY));
}

static struct decision decide(void *pool, const struct follower *follower, const struct path *path)
{
	time_t now = time(NULL);
	bool is_translated = path->first.destination != path->header.destination ||
			     (path->header.has_parts && path->first.first != path->header.first);
	const struct packet packet = {
		.hook = path->hook,
		.in = path->hook == HOOK_OUTPUT ? NULL : interface_text(pool, path->in),
		.out = path->hook == HOOK_INPUT ? NULL : interface_text(pool, path->out),
		.family = path->header.family,
		.source = path->header.source,
		.destination = path->header.destination,
		.protocol = path->header.protocol,
		.first = path->header.first,
		.second = path->header.second,
		.minute = minute_of(now),
		.time = now,
		.is_translated = is_translated,
		.original_destination = path->first.destination,
		.original_first = path->first.first,
	};

	return ruleset_evaluate(follower->session->ruleset, &packet);
}

static void add_statement(struct text *out, struct session *session, struct span span)
{
	text_addf(out, "%s: ", span_place(out->pool, session->sources, span));
	visible_add_first_line(out, session->sources, span);
}

static void add_policy(struct text *out, const struct follower *follower, const struct path *path)
{
	static const char *const words[] = { "allow", "deny", "reject" };
	struct decision decision = decide(out->pool, follower, path);
	const struct ruleset *ruleset = follower->session->ruleset;
	const struct policy_default *fallback = &ruleset->policy->defaults[path->hook];

	text_addf(out, "   policy: %s, ", words[decision.outcome->verdict]);
	if (decision.rule != NULL)
		add_statement(out, follower->session, decision.rule->origin);
	else if (fallback->is_written)
		add_statement(out, follower->session, fallback->span);
	else
		text_add(out, "the default of every policy");
	text_add_char(out, '\n');
}

/* What passes, or is dropped, before any rule of the policy is asked. */
static bool is_own_word(const char *comment)
{
	static const char *const words[] = { "established", "invalid", "loopback", "multicast listeners",
					     "neighbour discovery", "related" };

	for (size_t index = 0; comment != NULL && index < sizeof words / sizeof words[0]; index++)
		if (strcmp(comment, words[index]) == 0)
			return true;
	return false;
}

/* --- one event --------------------------------------------------------------------------------------------- */

static bool is_own(const struct follower *follower, const struct trace_event *event)
{
	return event->family == NFPROTO_INET &&
	       strcmp(event->table, follower->session->options.nft.table) == 0;
}

/* The hook whose base chain of the policy's table the event begins, or HOOK_COUNT. */
static size_t hook_begun(const struct follower *follower, const struct trace_event *event)
{
	static const char *const chains[] = {
		[HOOK_INPUT] = "input", [HOOK_FORWARD] = "forward", [HOOK_OUTPUT] = "output",
	};

	if (event->has_header && is_own(follower, event))
		for (size_t hook = 0; hook < HOOK_COUNT; hook++)
			if (strcmp(event->chain, chains[hook]) == 0)
				return hook;
	return HOOK_COUNT;
}

/* NULL: a packet beyond those that were asked for. The kernel gives numbers again: a packet does not pass
 * one hook twice. */
static struct path *path_of(struct follower *follower, const struct trace_event *event)
{
	struct path *path = &follower->paths[event->id % PATHS_MOST];
	size_t hook = hook_begun(follower, event);

	if (path->number != 0 && path->id == event->id && (hook == HOOK_COUNT || !path->has_passed[hook]))
		return path;
	if (follower->query->count > 0 && follower->begun == follower->query->count)
		return NULL;
	*path = (struct path){
		.id = event->id, .number = ++follower->begun, .first = event->header,
		.header = event->header, .in = event->in, .out = event->out,
	};
	return path;
}

static const struct read_rule *rule_of(const struct follower *follower, const struct trace_event *event)
{
	const struct read_chain *chain =
		follower->table == NULL ? NULL : read_chain_find(follower->table, event->chain);

	for (size_t index = 0; chain != NULL && event->handle != 0 && index < chain->rules_count; index++)
		if (chain->rules[index].handle == event->handle)
			return &chain->rules[index];
	return NULL;
}

static void begin_hook(struct path *path, size_t hook)
{
	path->is_in_own = hook < HOOK_COUNT;
	if (!path->is_in_own)
		return;
	path->hook = (enum hook)hook;
	path->has_passed[hook] = true;
	path->is_decided = false;
	path->comment = NULL;
}

static const char *verdict_text(void *pool, const struct trace_event *event)
{
	switch (event->verdict) {
	case NF_ACCEPT:
		return "accept";
	case NF_DROP:
		return "drop";
	case -1:
		return "go on";
	case -3:
		return pool_format(pool, "jump to %s", event->target != NULL ? event->target : "a chain");
	case -4:
		return pool_format(pool, "goto %s", event->target != NULL ? event->target : "a chain");
	case -5:
		return "return";
	default:
		return pool_format(pool, "verdict %d", event->verdict);
	}
}

static void add_head(struct text *out, const struct path *path)
{
	const char *in = interface_text(out->pool, path->in), *output = interface_text(out->pool, path->out);

	text_addf(out, "%lu: ", path->number);
	header_format(out, &path->header);
	if (in != NULL)
		text_addf(out, " in %s", in);
	if (output != NULL)
		text_addf(out, " out %s", output);
	text_add_char(out, '\n');
}

/* rule: of the policy's table, or NULL */
static void add_step(struct text *out, const struct path *path, const struct trace_event *event,
		     const struct read_rule *rule)
{
	const char *family = nft_family_word(event->family);

	text_addf(out, "%lu:   %s ", path->number, family == NULL ? "another family's" : family);
	visible_add(out, event->table, strlen(event->table));
	text_add_char(out, ' ');
	visible_add(out, event->chain, strlen(event->chain));
	text_addf(out, ": %s%s", event->is_policy ? "policy " : "", verdict_text(out->pool, event));
	if (rule != NULL && rule->comment != NULL) {
		text_add(out, " (");
		visible_add(out, rule->comment, strlen(rule->comment));
		text_add_char(out, ')');
	}
	text_add_char(out, '\n');
}

static bool is_verdict(const struct trace_event *event)
{
	return event->verdict == NF_ACCEPT || event->verdict == NF_DROP;
}

static void add_event(struct text *out, struct follower *follower, struct path *path,
		      const struct trace_event *event)
{
	bool is_of_policy = is_own(follower, event);
	const struct read_rule *rule = is_of_policy ? rule_of(follower, event) : NULL;

	if (event->has_header) {
		path->header = event->header;
		path->in = event->in;
		path->out = event->out;
		begin_hook(path, hook_begun(follower, event));
		add_head(out, path);
	}
	add_step(out, path, event, rule);
	if (rule != NULL && rule->comment != NULL)
		path->comment = rule->comment;
	if (!is_of_policy || !path->is_in_own || path->is_decided || !is_verdict(event))
		return;
	path->is_decided = true;
	text_addf(out, "%lu:", path->number);
	if (is_own_word(path->comment))
		text_addf(out, "   before any rule of the policy: %s\n", path->comment);
	else
		add_policy(out, follower, path);
}

static void take_event(const struct trace_event *event, void *data)
{
	struct follower *follower = data;
	void *pool = pool_child(follower->session->pool, "event");
	struct text *out = text_new(pool);
	struct path *path = NULL;

	if (strncmp(event->table, TRACER_TABLE, strlen(TRACER_TABLE)) != 0 && !follower->is_broken)
		path = path_of(follower, event);
	if (path != NULL) {
		add_event(out, follower, path, event);
		follower->is_broken = !output_stdout(out);
	}
	talloc_free(pool);
}

/* --- the command --------------------------------------------------------------------------------------------- */

static bool is_over(const struct follower *follower)
{
	return follower->is_broken ||
	       (follower->query->count > 0 && follower->begun > follower->query->count);
}

/* Of a clock that nobody sets. */
static time_t seconds_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Milliseconds that are left; -1: no end. */
static int time_left(const struct trace_query *query, time_t begin)
{
	time_t passed = seconds_now() - begin;

	if (query->seconds == 0)
		return -1;
	return passed >= (time_t)query->seconds ? 0 : (int)((time_t)query->seconds - passed) * 1000;
}

/* After the last packet's number its own events may still come. */
static void follow(struct follower *follower, struct tracer *tracer, struct watch *watch)
{
	time_t begin = seconds_now();

	while (!is_over(follower)) {
		int left = time_left(follower->query, begin), error;
		bool is_full = follower->query->count > 0 && follower->begun == follower->query->count;
		enum watch_event event = watch_wait(watch, tracer->fd, is_full ? 300 : left);

		if (event == WATCH_STOP || (event == WATCH_TIMEOUT && (is_full || left >= 0)))
			break;
		error = tracer_read(tracer, take_event, follower);
		if (error == ENOBUFS)
			fprintf(stderr, "fwc: packets came faster than they could be read: some are missing\n");
		else if (error != 0) {
			nft_report_error(follower->session->diags, error, "read the trace");
			break;
		}
	}
}

static int trace(struct session *session, const struct trace_query *query)
{
	struct follower follower = { .session = session, .query = query };
	struct trace_filter filter = { .has_family = false };
	struct asking asking = { session, &filter, query->packet };
	struct nft_read *read;
	struct watch *watch;
	struct tracer *tracer;
	int error;

	if (!filter_read(&asking))
		return session_finish(session);
	error = nft_read_kernel(pool_child(session->pool, "kernel"), NFPROTO_INET,
				session->options.nft.table, &read);
	if (error == 0)
		follower.table = nft_read_table(read, NFPROTO_INET, session->options.nft.table);
	else if (error != ENOENT)
		nft_report_error(session->diags, error, "read the kernel's rules");
	else
		fprintf(stderr, "fwc: the kernel has no table inet %s\n", session->options.nft.table);
	watch = watch_new(session->pool);
	tracer = diags_has_errors(session->diags) || watch == NULL ? NULL :
		 tracer_new(session->pool, session->diags, &filter);
	if (tracer != NULL) {
		follower.paths = pool_array(session->pool, struct path, PATHS_MOST);
		command_say("fwc: tracing %s, until it is interrupted", query->packet);
		follow(&follower, tracer, watch);
		talloc_free(tracer);
	}
	talloc_free(watch);
	return follower.is_broken ? EXIT_WORLD : session_finish(session);
}

static int number_option(const char *name, unsigned long *number)
{
	char *end;

	errno = 0;
	*number = strtoul(optarg, &end, 10);
	if (errno != 0 || optarg[0] < '0' || optarg[0] > '9' || *end != '\0' || *number == 0 || *number > 1000000)
		return command_misused("trace", "'%s' is no number from 1 to 1000000 for %s", optarg, name);
	return EXIT_DONE;
}

static int trace_option(struct trace_query *query, int option)
{
	if (option == OPTION_COUNT)
		return number_option("'--count'", &query->count);
	if (option == OPTION_SECONDS)
		return number_option("'--seconds'", &query->seconds);
	return session_option(&query->session, "trace", option, optarg);
}

static int trace_parse(struct trace_query *query, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "count", required_argument, NULL, OPTION_COUNT }, /* of packets: before the shared one */
		{ "seconds", required_argument, NULL, OPTION_SECONDS },
		SESSION_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	int option, status = EXIT_DONE;

	while (status == EXIT_DONE && (option = command_option(argc, argv, "", long_options)) != -1)
		status = trace_option(query, option);
	if (status != EXIT_DONE)
		return status;
	if (optind + 2 != argc)
		return command_misused("trace", "a policy and a packet are needed");
	query->packet = argv[argc - 1];
	return session_path(&query->session, "trace", argc - 1, argv);
}

int command_trace(struct pool_trap *root, int argc, char **argv)
{
	struct trace_query query = { .session = session_options_default() };
	int status = trace_parse(&query, argc, argv);
	struct session *session;

	if (status != EXIT_DONE)
		return status;
	session = session_new(root, &query.session);
	if (!session_expand(session) || !session_is_for_host(session) || session_is_refused(session))
		return session_finish(session);
	return trace(session, &query);
}
