/* What people write who come from another firewall: see habits.h. */
#include "parse/habits.h"

#include <string.h>

#define QUOTE_MOST 40
#define ZONE "an interface belongs to a zone: 'zone NAME { interface eth0; }', then "
#define FROM_ZONE ZONE "'from NAME'"
#define TO_ZONE ZONE "'to NAME'"
#define FIRST_PACKETS "answers pass by themselves: a rule speaks of first packets"
#define BLOCK "the rules of a block stand in braces: 'from lan { allow ssh; }'; one rule is 'allow ssh from lan;'"
#define COUNT(table) (sizeof table / sizeof table[0])

/* --- words ------------------------------------------------------------------------------------ */

/* A word of another language where this one has its own; `before`: the word that must stand before it,
 * NULL for any; `expects`: a token that could have stood there. */
static const struct {
	const char *found, *before, *expects, *note;
} habits[] = {
	{ "accept", NULL, "reject", "the verdicts are allow, deny and reject: 'accept' is 'allow'" },
	{ "block", NULL, "reject", "the verdicts are allow, deny and reject: 'block' is 'deny'" },
	{ "drop", NULL, "reject", "the verdicts are allow, deny and reject: 'drop' is 'deny'" },
	{ "pass", NULL, "reject", "the verdicts are allow, deny and reject: 'pass' is 'allow'" },
	{ "permit", NULL, "reject", "the verdicts are allow, deny and reject: 'permit' is 'allow'" },
	{ "and", NULL, "','", "the words of a list are separated by commas: 'ssh, http'" },
	{ "or", NULL, "','", "the words of a list are separated by commas: 'ssh, http'" },
	{ "established", NULL, "','", FIRST_PACKETS },
	{ "related", NULL, "','", FIRST_PACKETS },
	{ "keep", NULL, "limit", FIRST_PACKETS },
	{ "state", NULL, "limit", FIRST_PACKETS },
	{ "allow", NULL, "'{'", BLOCK },
	{ "deny", NULL, "'{'", BLOCK },
	{ "reject", NULL, "'{'", BLOCK },
	{ "incoming", "default", "input", "'incoming' is 'input'" },
	{ "outgoing", "default", "output", "'outgoing' is 'output'" },
	{ "routed", "default", "forward", "'routed' is 'forward'" },
	{ "policy", "default", "input", "the verdict follows: 'default deny;', 'default input deny;'" },
	{ "rate", NULL, "limit", "a limit is written 'limit 10/second'" },
	{ "proto", NULL, "from", "the protocol belongs to the service: 'allow 22/tcp to PLACE'" },
	{ "protocol", NULL, "from", "the protocol belongs to the service: 'allow 22/tcp to PLACE'" },
	{ "saddr", NULL, "from", "where packets come from is 'from PLACE'" },
	{ "src", NULL, "from", "where packets come from is 'from PLACE'" },
	{ "daddr", NULL, "to", "where packets go is 'to PLACE'" },
	{ "dst", NULL, "to", "where packets go is 'to PLACE'" },
	{ "eq", NULL, "','", "the port belongs to the service: 'allow 22/tcp to PLACE'" },
	{ "comment", NULL, "because", "what a rule is for: 'because \"WHY\"'" },
	{ "description", NULL, "because", "what a rule is for: 'because \"WHY\"'" },
	{ "prefix", "log", "STRING", "the words of a log line follow at once: 'log \"WORDS\"'" },
	{ "dport", NULL, "from", "the port belongs to the service: 'allow 22/tcp to PLACE'" },
	{ "port", NULL, "','", "the port belongs to the service: 'allow 22/tcp to PLACE'" },
	{ "sport", NULL, "from", "ports of the sender belong to a service: 'service x = 68/udp sport 67;'" },
	{ "iif", NULL, "from", FROM_ZONE },
	{ "iifname", NULL, "from", FROM_ZONE },
	{ "in", NULL, "from", FROM_ZONE },
	{ "on", NULL, "from", FROM_ZONE },
	{ "out", NULL, "to", TO_ZONE },
	{ "oif", NULL, "to", TO_ZONE },
	{ "oifname", NULL, "to", TO_ZONE },
};

/* First words of statements of other languages. */
static const struct {
	const char *found, *note;
} first_words[] = {
	{ "accept", "a rule begins with allow, deny or reject: 'accept' is 'allow'" },
	{ "block", "a rule begins with allow, deny or reject: 'block' is 'deny'" },
	{ "drop", "a rule begins with allow, deny or reject: 'drop' is 'deny'" },
	{ "pass", "a rule begins with allow, deny or reject: 'pass' is 'allow'" },
	{ "permit", "a rule begins with allow, deny or reject: 'permit' is 'allow'" },
	{ "iptables", "'fwc import iptables FILE' makes a policy of what iptables-save prints" },
	{ "nft", "'fwc import nft FILE' makes a policy of a script of nft" },
	{ "table", "'fwc import nft FILE' makes a policy of a script of nft" },
	{ "access-list", "'fwc import cisco FILE' makes a policy of a router's list" },
	{ "ip", "'fwc import cisco FILE' makes a policy of a router's list" },
};

static bool note_first(struct diags *diags, struct diagnostic *report, const struct syntax_error *error)
{
	const char *note = "a rule begins with allow, deny or reject";

	if (!syntax_wants_statement(error) || !syntax_is_word(error))
		return false;
	for (size_t i = 0; i < COUNT(first_words); i++)
		if (syntax_span_is(error, error->found, first_words[i].found))
			note = first_words[i].note;
	diag_note(diags, report, SPAN_NONE, "%s", note);
	return true;
}

static bool note_word(struct diags *diags, struct diagnostic *report, const struct syntax_error *error)
{
	struct span before = syntax_word_before(error, error->found.begin);

	for (size_t i = 0; i < COUNT(habits); i++)
		if (!error->is_end && syntax_span_is(error, error->found, habits[i].found) &&
		    syntax_expects(error, habits[i].expects) && !syntax_expects(error, "service") &&
		    (habits[i].before == NULL || syntax_span_is(error, before, habits[i].before))) {
			diag_note(diags, report, SPAN_NONE, "%s", habits[i].note);
			return true;
		}
	return false;
}

/* --- shapes ----------------------------------------------------------------------------------- */

static size_t found_length(const struct syntax_error *error)
{
	size_t length = error->found.end - error->found.begin;

	return error->is_end || length > QUOTE_MOST ? 0 : length;
}

/* "192.168.0.0 255.255.255.0" */
static bool note_mask(struct diags *diags, struct diagnostic *report, const struct syntax_error *error)
{
	const char *word = error->bytes + error->found.begin;

	if (found_length(error) < sizeof "255.0.0.0" - 1 || memchr(word, '/', found_length(error)) != NULL ||
	    (memcmp(word, "255.", 4) != 0 && memcmp(word, "0.0.0.", 6) != 0))
		return false;
	diag_note(diags, report, SPAN_NONE, "a network is written with the length of its mask: '192.168.0.0/24'");
	return true;
}

/* "from not lan" */
static bool note_not(struct diags *diags, struct diagnostic *report, const struct syntax_error *error)
{
	struct span before = syntax_word_before(error, error->found.begin);

	if (found_length(error) == 0 || !syntax_span_is(error, before, "not"))
		return false;
	diag_note(diags, report, SPAN_NONE, "all but some is written 'any except %.*s'", (int)found_length(error),
		  error->bytes + error->found.begin);
	return true;
}

/* "allow http https": two words of a list. */
static bool note_comma(struct diags *diags, struct diagnostic *report, const struct syntax_error *error)
{
	struct span before = syntax_word_before(error, error->found.begin);

	if (found_length(error) == 0 || !syntax_is_word(error) || !syntax_expects(error, "','") ||
	    before.begin == before.end || syntax_span_is(error, error->found, "from") ||
	    syntax_span_is(error, error->found, "to"))
		return false;
	diag_note(diags, report, SPAN_NONE, "the words of a list are separated by commas: '%.*s, %.*s'",
		  (int)(before.end - before.begin), error->bytes + before.begin, (int)found_length(error),
		  error->bytes + error->found.begin);
	return true;
}

/* "tcp/80": the order of another world. */
static void note_ports_first(struct diags *diags, struct diagnostic *report,
			     const struct syntax_error *error)
{
	const char *word = error->bytes + error->found.begin;
	size_t length = error->found.end - error->found.begin;
	const char *slash = memchr(word, '/', length);
	if (slash == NULL || slash == word || length > QUOTE_MOST ||
	    !syntax_expects(error, "PAIR") || !syntax_is_word(error))
		return;
	diag_note(diags, report, SPAN_NONE, "the ports come first: '%.*s/%.*s'",
		  (int)(word + length - slash - 1), slash + 1, (int)(slash - word), word);
}

/* "allow 80", "allow 80, 443/tcp": a number alone. */
static void note_protocol(struct diags *diags, struct diagnostic *report, const struct syntax_error *error)
{
	uint32_t end = error->found.begin;
	if (!syntax_expects(error, "'/'") || syntax_expects(error, "';'"))
		return;
	while (end > 0 && (error->bytes[end - 1] == ' ' || error->bytes[end - 1] == '\t'))
		end--;
	uint32_t begin = end;
	while (begin > 0 && error->bytes[begin - 1] >= '0' && error->bytes[begin - 1] <= '9')
		begin--;
	if (begin < end && syntax_span_is(error, syntax_word_before(error, begin), "limit"))
		diag_note(diags, report, SPAN_NONE, "a rate is one word: '%.*s/minute'", (int)(end - begin),
			  error->bytes + begin);
	else if (begin < end && end - begin <= 5)
		diag_note(diags, report, SPAN_NONE, "a port is written with its protocol: '%.*s/tcp'",
			  (int)(end - begin), error->bytes + begin);
}

/* "allow tcp 80", "allow port 80". */
static void note_port(struct diags *diags, struct diagnostic *report, const struct syntax_error *error)
{
	static const char *const words[] = { "port", "tcp", "udp" };
	size_t length = error->found.end - error->found.begin;
	if (error->is_end || error->bytes[error->found.begin] < '0' ||
	    error->bytes[error->found.begin] > '9' || length > QUOTE_MOST)
		return;
	struct span before = syntax_word_before(error, error->found.begin);
	for (size_t i = 0; i < COUNT(words); i++)
		if (syntax_span_is(error, before, words[i]))
			diag_note(diags, report, SPAN_NONE, "a port and its protocol are one word: '%.*s/%s'",
				  (int)length, error->bytes + error->found.begin, i == 0 ? "tcp" : words[i]);
}

/* "to lan from wan", "log from lan". */
static void note_order(struct diags *diags, struct diagnostic *report, const struct syntax_error *error)
{
	if (!error->is_end && syntax_expects(error, "stateless") && syntax_expects(error, "rescue") &&
	    (syntax_span_is(error, error->found, "from") || syntax_span_is(error, error->found, "to")))
		diag_note(diags, report, SPAN_NONE, "the order is: services, 'from' places, 'to' places, "
			  "options; each once");
}

/* "from zone lan". */
static void note_kind(struct diags *diags, struct diagnostic *report, const struct syntax_error *error)
{
	static const char *const kind_words[] = { "group", "host", "network", "zone" };
	if (error->is_end)
		return;
	struct span before = syntax_word_before(error, error->found.begin);
	struct span first = syntax_word_before(error, before.begin);
	if (!syntax_span_is(error, first, "from") && !syntax_span_is(error, first, "to"))
		return;
	for (size_t i = 0; i < COUNT(kind_words); i++)
		if (syntax_span_is(error, before, kind_words[i]))
			diag_note(diags, report, SPAN_NONE, "%s: '%.*s'", syntax_is_word(error) ?
				  "a place is written by its name alone" : "an address stands alone",
				  (int)(error->found.end - error->found.begin), error->bytes + error->found.begin);
}

/* "allow ssh "words"", "allow { ssh, http }". */
static bool note_mark(struct diags *diags, struct diagnostic *report, const struct syntax_error *error)
{
	char mark = error->is_end ? '\0' : error->bytes[error->found.begin];

	if (mark == '"' && syntax_expects(error, "because"))
		diag_note(diags, report, SPAN_NONE, "what a rule is for: 'because \"WHY\"'");
	else if (mark == '{' && syntax_expects(error, "PAIR"))
		diag_note(diags, report, SPAN_NONE, "a list is words and commas: 'ssh, http'");
	else
		return false;
	return true;
}

void habits_note(struct diags *diags, struct diagnostic *report, const struct syntax_error *error)
{
	note_ports_first(diags, report, error);
	note_protocol(diags, report, error);
	note_port(diags, report, error);
	note_order(diags, report, error);
	note_kind(diags, report, error);
	if (report->notes == NULL && !note_first(diags, report, error) && !note_mark(diags, report, error) &&
	    !note_word(diags, report, error) && !note_mask(diags, report, error) && !note_not(diags, report, error))
		(void)note_comma(diags, report, error);
}
