/* Syntax errors in the user's terms: see syntax.h.
 *
 * The grammar gives every token that could come next, up to a hundred where a name may
 * stand. Groups of them have a word of their own: "a service", "an option". */
#include "parse/syntax.h"

#include <string.h>

#include "base/names.h"
#include "base/pool.h"
#include "base/text.h"

#define QUOTE_MOST 40
#define EXPECTED_MOST 6

/* Words that are expected as kinds, not as themselves. */
static const struct {
	const char *token;
	const char *phrase;
} kinds[] = {
	{ "ADDRESS", "an address" },
	{ "ADDRESSES", "an address range" },
	{ "DATE", "a date such as 2026-12-31" },
	{ "NAME", "a name" },
	{ "NUMBER", "a number" },
	{ "OFFSET", "an offset such as +01:00" },
	{ "PAIR", "a type and code" },
	{ "PREFIX", "a prefix" },
	{ "RANGE", "a range" },
	{ "SLASHED", "an interface" },
	{ "STRING", "a string in double quotes" },
	{ "TIMES", "times such as 08:00-18:00" },
};

/* A group stands for its members when its signs are all there; the first that fits counts,
 * members are then left out of the list. */
struct group {
	const char *phrase;
	const char *signs[4];
	const char *const *members;
};

static const char *const statement_members[] = {
	"from", "to", "allow", "assert", "default", "deny", "device", "expect", "extend",
	"forward", "group", "host", "include", "masquerade", "network", "override", "policy",
	"reject", "schedule", "service", "snat", "timezone", "tunnel", "zone", NULL
};
static const char *const option_members[] = {
	"because", "count", "during", "id", "ipv4", "ipv6", "limit", "log", "owner", "rescue",
	"stateless", "until", NULL
};
static const char *const service_members[] = { "any", "NUMBER", "RANGE", "PAIR", NULL };
static const char *const place_members[] = { "any", "self", "internet", "ADDRESS", "PREFIX",
					     "ADDRESSES", NULL };
static const char *const value_members[] = { "any", "self", "internet", "ADDRESS", "PREFIX",
					     "ADDRESSES", "NUMBER", "RANGE", "PAIR", "TIMES",
					     "DATE", "OFFSET", "SLASHED", NULL };
static const char *const verdict_members[] = { "allow", "deny", "reject", NULL };
static const char *const no_members[] = { NULL };

/* Where NAME is expected, every keyword and quoted name is: these speak for them. */
static const struct group name_groups[] = {
	{ "a value", { "NAME", "TIMES", "DATE" }, value_members },
	{ "a service", { "NAME", "RANGE", "PAIR" }, service_members },
	{ "a place", { "NAME", "self", "PREFIX" }, place_members },
	{ "a name or an address", { "NAME", "ADDRESS" }, place_members },
	{ "a name", { "NAME" }, no_members },
};
static const struct group other_groups[] = {
	{ "a statement", { "allow", "service", "host" }, statement_members },
	{ "an option", { "stateless", "rescue" }, option_members },
	{ "a verdict (allow, deny or reject)", { "allow", "deny", "reject" }, verdict_members },
};

#define COUNT(table) (sizeof table / sizeof table[0])

/* --- sets of expected tokens ------------------------------------------------------------ */

bool syntax_expects(const struct syntax_error *error, const char *token)
{
	for (size_t i = 0; i < error->expected_count; i++)
		if (strcmp(error->expected[i], token) == 0)
			return true;
	return false;
}

static bool group_fits(const struct group *group, const struct syntax_error *error)
{
	for (size_t i = 0; i < COUNT(group->signs) && group->signs[i] != NULL; i++)
		if (!syntax_expects(error, group->signs[i]))
			return false;
	return true;
}

static bool has_member(const struct group *group, const char *token)
{
	for (const char *const *member = group->members; *member != NULL; member++)
		if (strcmp(*member, token) == 0)
			return true;
	return false;
}

/* Names of keywords are lower case; kinds upper case; punctuation is itself, in '…'. */
static bool is_keyword(const char *token)
{
	return token[0] >= 'a' && token[0] <= 'z';
}

static bool is_reserved(const char *token)
{
	static const char *const reserved[] = { "any", "except", "from", "internet", "self", "to" };
	for (size_t i = 0; i < COUNT(reserved); i++)
		if (strcmp(reserved[i], token) == 0)
			return true;
	return false;
}

/* --- the list of phrases ------------------------------------------------------------------- */

struct phrases {
	void *pool;
	const char *items[EXPECTED_MOST];
	size_t count;
	bool is_cut;
};

static void phrase_add(struct phrases *phrases, const char *phrase)
{
	if (phrases->count == EXPECTED_MOST)
		phrases->is_cut = true;
	else
		phrases->items[phrases->count++] = phrase;
}

static const char *token_phrase(void *pool, const char *token)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].token, token) == 0)
			return kinds[i].phrase;
	if (strcmp(token, "end of file") == 0)
		return "the end of the file";
	struct text *text = text_new(pool);
	if (token[0] == '\'')
		text_add(text, token);
	else
		text_addf(text, "'%s'", token);
	return text->bytes;
}

/* What goes without saying where a ';' may stand. */
static bool is_minor(const char *token)
{
	return strcmp(token, "'}'") == 0 || strcmp(token, "'/'") == 0 ||
	       strcmp(token, "end of file") == 0;
}

static bool is_covered(const struct syntax_error *error, const struct group *names,
		       const struct group *other, const char *token)
{
	if (is_minor(token) && syntax_expects(error, "';'"))
		return true;
	if (names != NULL && (strcmp(token, "NAME") == 0 || strcmp(token, "STRING") == 0 ||
			      (is_keyword(token) && !is_reserved(token)) || has_member(names, token)))
		return true;
	return (other != NULL && has_member(other, token)) || strcmp(token, "';'") == 0;
}

static const struct group *group_find(const struct group *groups, size_t count,
				      const struct syntax_error *error)
{
	for (size_t i = 0; i < count; i++)
		if (group_fits(&groups[i], error))
			return &groups[i];
	return NULL;
}

static void phrases_collect(struct phrases *phrases, const struct syntax_error *error)
{
	const struct group *names = group_find(name_groups, COUNT(name_groups), error);
	const struct group *other = names != NULL
		? NULL : group_find(other_groups, COUNT(other_groups), error);
	if (names != NULL)
		phrase_add(phrases, names->phrase);
	for (size_t i = 0; i < error->expected_count; i++)
		if (!is_covered(error, names, other, error->expected[i]))
			phrase_add(phrases, token_phrase(phrases->pool, error->expected[i]));
	if (other != NULL)
		phrase_add(phrases, other->phrase);
	if (!error->begins_statement && names == NULL && syntax_expects(error, "';'"))
		phrase_add(phrases, "';'");
}

static const char *phrases_text(const struct phrases *phrases)
{
	struct text *text = text_new(phrases->pool);
	for (size_t i = 0; i < phrases->count; i++) {
		bool is_last = i + 1 == phrases->count && !phrases->is_cut;
		if (i > 0)
			text_add(text, is_last ? " or " : ", ");
		text_add(text, phrases->items[i]);
	}
	if (phrases->is_cut)
		text_add(text, " …");
	return text->bytes;
}

/* --- the message ---------------------------------------------------------------------------- */

const char *syntax_quote(void *pool, const char *bytes, struct span span)
{
	size_t length = span.end - span.begin;
	if (length <= QUOTE_MOST)
		return pool_format(pool, "'%.*s'", (int)length, bytes + span.begin);
	size_t cut = QUOTE_MOST;
	while (cut > 0 && ((unsigned char)bytes[span.begin + cut] & 0xc0) == 0x80)
		cut--; /* not inside a character */
	return pool_format(pool, "'%.*s…'", (int)cut, bytes + span.begin);
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

bool syntax_is_word(const struct syntax_error *error)
{
	return !error->is_end && is_letter(error->bytes[error->found.begin]);
}

/* The keyword that was meant, or NULL. */
static const char *nearest_keyword(void *pool, const struct syntax_error *error)
{
	if (!syntax_is_word(error))
		return NULL;
	struct names *keywords = names_new(pool, true);
	for (size_t i = 0; i < error->expected_count; i++) {
		const char *token = error->expected[i];
		if (is_keyword(token) && strchr(token, ' ') == NULL)
			names_set(keywords, token, strlen(token), (void *)(uintptr_t)token);
	}
	return names_nearest(keywords, error->bytes + error->found.begin,
			     error->found.end - error->found.begin);
}

bool syntax_wants_statement(const struct syntax_error *error)
{
	return error->begins_statement && syntax_expects(error, "allow") &&
	       syntax_expects(error, "service") && !syntax_expects(error, "NAME");
}

struct span syntax_word_before(const struct syntax_error *error, uint32_t place)
{
	struct span word = { error->found.source, place, place };
	while (word.end > 0 && (error->bytes[word.end - 1] == ' ' || error->bytes[word.end - 1] == '\t'))
		word.end--;
	word.begin = word.end;
	while (word.begin > 0 && is_letter(error->bytes[word.begin - 1]))
		word.begin--;
	return word;
}

bool syntax_span_is(const struct syntax_error *error, struct span span, const char *word)
{
	size_t length = strlen(word);
	return span.end - span.begin == length && memcmp(error->bytes + span.begin, word, length) == 0;
}

/* "timezone Europe/Paris": a name that ends where its '/' begins. */
static bool report_timezone(struct diags *diags, const struct syntax_error *error)
{
	if (error->is_end || error->bytes[error->found.begin] != '/')
		return false;
	struct span name = syntax_word_before(error, error->found.begin);
	if (!syntax_span_is(error, syntax_word_before(error, name.begin), "timezone"))
		return false;
	struct diagnostic *report = diag_add(diags, CODE_BAD_TIME,
					     (struct span){ name.source, name.begin, error->found.end },
					     "a time zone is an offset such as +01:00, not a name");
	diag_note(diags, report, SPAN_NONE, "a ruleset knows no summer time: write the offset that its "
		  "hours are meant in");
	return true;
}

struct diagnostic *syntax_report(void *pool, struct diags *diags, const struct syntax_error *error)
{
	if (diags->is_full) {
		diag_add(diags, CODE_SYNTAX, error->found, "syntax error");
		return NULL;
	}
	if (report_timezone(diags, error))
		return NULL;
	const char *found = error->is_end ? "the end of the file"
					  : syntax_quote(pool, error->bytes, error->found);
	const char *nearest = nearest_keyword(pool, error);
	struct diagnostic *report;
	if (syntax_wants_statement(error) && nearest != NULL) {
		report = diag_add(diags, CODE_SYNTAX, error->found, "unknown statement %s", found);
	} else {
		struct phrases phrases = { .pool = pool };
		phrases_collect(&phrases, error);
		report = diag_add(diags, CODE_SYNTAX, error->found, "expected %s, found %s",
				  phrases_text(&phrases), found);
	}
	if (nearest != NULL)
		diag_note(diags, report, SPAN_NONE, "did you mean '%s'?", nearest);
	return report;
}
