/* The options of rules, defaults, translations and assertions.
 *
 * One row a kind of option: what it is called, who takes it, and how it is read. */
#include "resolve/options.h"

#include <string.h>

#include "base/pool.h"

/* Bytes of a log prefix that a policy may say: the kernel takes 127, fwc adds an id of up to 64,
 * a verdict and punctuation. */
#define LOG_PREFIX_LONGEST 40
#define ID_LONGEST 64
#define BURST_USUAL 5
#define LIMIT_DAYS_MOST 1000u
#define SECONDS_A_DAY 86400
#define SOON_DAYS 30

struct option_reading {
	struct resolver *resolver;
	struct policy_options *result;
};

/* --- strings -------------------------------------------------------------------------------------- */

static bool text_is_said(struct option_reading *reading, const struct ast_word *word)
{
	if (word->is_reported)
		return false;
	if (word->length != 0)
		return true;
	diag_add(reading->resolver->diags, CODE_BAD_STRING, word->span, "the string is empty");
	return false;
}

static bool read_because(struct option_reading *reading, const struct ast_option *option)
{
	reading->result->because = option->word->text;
	return text_is_said(reading, option->word);
}

static bool read_owner(struct option_reading *reading, const struct ast_option *option)
{
	reading->result->owner = option->word->text;
	return text_is_said(reading, option->word);
}

/* --- log ------------------------------------------------------------------------------------------- */

static bool prefix_is_printable(const struct ast_word *word)
{
	for (size_t i = 0; i < word->length; i++)
		if (word->text[i] < ' ' || word->text[i] > '~' ||
		    strchr("\"\\$", word->text[i]) != NULL)
			return false;
	return true;
}

static bool read_log(struct option_reading *reading, const struct ast_option *option)
{
	const struct ast_word *prefix = option->word;
	struct diags *diags = reading->resolver->diags;
	reading->result->has_log = true;
	reading->result->log_span = option->span;
	if (prefix == NULL || prefix->length == 0)
		return true;
	reading->result->log_prefix = prefix->text;
	if (prefix->is_reported)
		return false;
	if (!prefix_is_printable(prefix)) {
		diag_add(diags, CODE_LOG_PREFIX, prefix->span,
			 "a log prefix is printable ASCII without '\"', '\\' and '$'");
		return false;
	}
	if (prefix->length <= LOG_PREFIX_LONGEST)
		return true;
	diag_add(diags, CODE_LOG_PREFIX, prefix->span,
		 "the log prefix has %zu characters: %d fit beside what fwc adds", prefix->length,
		 LOG_PREFIX_LONGEST);
	return false;
}

static bool read_count(struct option_reading *reading, const struct ast_option *option)
{
	(void)option;
	reading->result->has_count = true;
	return true;
}

/* --- limit ------------------------------------------------------------------------------------------ */

static const struct unit {
	const char *name;
	uint32_t seconds;
} units[] = {
	{ "second", 1 },
	{ "minute", 60 },
	{ "hour", 3600 },
	{ "day", SECONDS_A_DAY },
};

static bool unit_resolve(struct option_reading *reading, const struct ast_word *word,
			 uint32_t *seconds)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strcmp(word->text, units[i].name) == 0) {
			*seconds = units[i].seconds;
			return true;
		}
	struct diagnostic *error = diag_add(reading->resolver->diags, CODE_BAD_RATE, word->span,
					    "unknown unit '%s'", word->text);
	diag_note(reading->resolver->diags, error, SPAN_NONE,
		  "it is one of: second, minute, hour, day");
	return false;
}

static bool positive_resolve(struct option_reading *reading, const struct ast_word *word,
			     const char *what, uint64_t *number)
{
	if (word->is_reported)
		return false;
	if (number_resolve(word, UINT32_MAX, number) && *number != 0)
		return true;
	diag_add(reading->resolver->diags, CODE_BAD_RATE, word->span,
		 "'%s' is not %s: it is a number from 1 to 4294967295", word->text, what);
	return false;
}

/* What was let pass has to be remembered until the burst is full again, of each source: no kernel keeps that for
 * ever, and what it forgets earlier would be full too early. nft reads at most eight digits of seconds. */
static bool limit_is_kept(struct option_reading *reading, const struct ast_option *option,
			  const struct limit *limit)
{
	uint64_t days = limit->burst * (uint64_t)limit->unit_s / limit->rate / SECONDS_A_DAY;
	struct diagnostic *error;

	if (days <= LIMIT_DAYS_MOST)
		return true;
	error = diag_add(reading->resolver->diags, CODE_LIMIT_TOO_SLOW, option->span,
			 "a burst of %u would take %llu days to fill again, and %u are the most", limit->burst,
			 (unsigned long long)days, LIMIT_DAYS_MOST);
	diag_note(reading->resolver->diags, error, SPAN_NONE, "say a smaller burst, or a larger rate");
	return false;
}

static bool read_limit(struct option_reading *reading, const struct ast_option *option)
{
	struct limit *limit = arena_new_item(reading->resolver->arena, struct limit);
	uint64_t burst = BURST_USUAL;
	reading->result->limit = limit;
	reading->result->limit_span = option->span;
	bool is_good = positive_resolve(reading, option->word, "a rate", &limit->rate);
	is_good = unit_resolve(reading, option->unit, &limit->unit_s) && is_good;
	if (option->burst != NULL)
		is_good = positive_resolve(reading, option->burst, "a burst", &burst) && is_good;
	limit->burst = (uint32_t)burst;
	limit->is_per_source = option->is_per_source;
	return is_good && limit_is_kept(reading, option, limit);
}

/* --- time ---------------------------------------------------------------------------------------------- */

static unsigned digits_of(const char *text, size_t count)
{
	unsigned value = 0;
	for (size_t i = 0; i < count; i++)
		value = value * 10 + (unsigned)(text[i] - '0');
	return value;
}

static bool has_date_form(const struct ast_word *word)
{
	static const char form[] = "0000-00-00";
	if (word->length != sizeof form - 1)
		return false;
	for (size_t i = 0; i < word->length; i++)
		if (form[i] == '-' ? word->text[i] != '-' : word->text[i] < '0' || word->text[i] > '9')
			return false;
	return true;
}

/* The first second of the day, UTC. */
static bool date_resolve(struct resolver *resolver, const struct ast_word *word, time_t *start)
{
	struct tm date = { 0 }, again;
	if (word->is_reported)
		return false;
	if (has_date_form(word)) {
		date.tm_year = (int)digits_of(word->text, 4) - 1900;
		date.tm_mon = (int)digits_of(word->text + 5, 2) - 1;
		date.tm_mday = (int)digits_of(word->text + 8, 2);
		again = date;
		*start = timegm(&again);
		if (again.tm_mon == date.tm_mon && again.tm_mday == date.tm_mday &&
		    date.tm_year >= 70)
			return true;
	}
	diag_add(resolver->diags, CODE_BAD_DATE, word->span, "'%s' is not a day of the calendar",
		 word->text);
	return false;
}

static bool read_until(struct option_reading *reading, const struct ast_option *option)
{
	time_t start;
	if (!date_resolve(reading->resolver, option->word, &start))
		return false;
	reading->result->until = start + SECONDS_A_DAY;
	return true;
}

static bool read_during(struct option_reading *reading, const struct ast_option *option)
{
	struct resolver *resolver = reading->resolver;
	const struct ast_word *name = option->word;
	struct schedule *schedule = names_find(resolver->schedules, name->text, name->length);
	reading->result->during = schedule;
	if (schedule != NULL) {
		schedule->is_used = true;
		return true;
	}
	if (name->is_reported)
		return false;
	struct diagnostic *error = diag_add(resolver->diags, CODE_UNKNOWN_SCHEDULE, name->span,
					    "unknown schedule '%s'", name->text);
	note_nearest(resolver, error, resolver->schedules, name);
	return false;
}

/* --- families and the rest -------------------------------------------------------------------------------- */

static bool read_family(struct option_reading *reading, const struct ast_option *option)
{
	uint8_t family = option->kind == AST_OPTION_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
	if (reading->result->families == FAMILIES_BOTH) {
		reading->result->families = family;
		return true;
	}
	struct diagnostic *error = diag_add(reading->resolver->diags, CODE_BAD_OPTION, option->span,
					    "'ipv4' and 'ipv6' exclude each other");
	diag_note(reading->resolver->diags, error, SPAN_NONE,
		  "a rule without them is for both families");
	return false;
}

static bool read_stateless(struct option_reading *reading, const struct ast_option *option)
{
	reading->result->is_stateless = true;
	reading->result->stateless_span = option->span;
	return true;
}

static bool read_rescue(struct option_reading *reading, const struct ast_option *option)
{
	(void)option;
	reading->result->is_rescue = true;
	return true;
}

/* --- id ------------------------------------------------------------------------------------------------------ */

static bool id_is_plain(const struct ast_word *word)
{
	for (size_t i = 0; i < word->length; i++) {
		char byte = word->text[i];
		bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
		if (!is_letter && !(byte >= '0' && byte <= '9') && strchr("_.+-", byte) == NULL)
			return false;
	}
	return word->length != 0;
}

/* What fwc calls the defaults of the hooks. */
static bool id_is_taken(const struct ast_word *word)
{
	return strcmp(word->text, "default-input") == 0 ||
	       strcmp(word->text, "default-forward") == 0 ||
	       strcmp(word->text, "default-output") == 0;
}

static bool id_is_acceptable(struct resolver *resolver, const struct ast_word *word)
{
	if (word->is_reported)
		return false;
	if (!id_is_plain(word))
		diag_add(resolver->diags, CODE_BAD_ID, word->span,
			 "an id is made of letters, digits, '_', '.', '+' and '-'");
	else if (word->length > ID_LONGEST)
		diag_add(resolver->diags, CODE_TOO_LONG, word->span,
			 "the id has %zu characters: %d are allowed", word->length, ID_LONGEST);
	else if (id_is_taken(word))
		diag_add(resolver->diags, CODE_BAD_ID, word->span,
			 "'%s' is the name of a hook's default", word->text);
	else
		return true;
	return false;
}

static bool read_id(struct option_reading *reading, const struct ast_option *option)
{
	struct resolver *resolver = reading->resolver;
	const struct ast_word *word = option->word;
	if (!id_is_acceptable(resolver, word))
		return false;
	reading->result->id = word->text;
	reading->result->id_span = word->span;
	const struct ast_word *before = names_find(resolver->ids, word->text, word->length);
	if (before == NULL) {
		names_set(resolver->ids, word->text, word->length, (void *)(uintptr_t)word);
		return true;
	}
	struct diagnostic *error = diag_add(resolver->diags, CODE_DUPLICATE_ID, word->span,
					    "the id '%s' is taken", word->text);
	diag_note(resolver->diags, error, before->span, "it stands here");
	return false;
}

/* --- the table ---------------------- */

enum {
	BY_ALLOW = 1 << OWNER_ALLOW,
	BY_RULES = 1 << OWNER_ALLOW | 1 << OWNER_DENY | 1 << OWNER_REJECT,
	BY_DEFAULT = 1 << OWNER_DEFAULT,
	BY_TRANSLATION = 1 << OWNER_TRANSLATION,
	BY_ASSERTION = 1 << OWNER_ASSERTION,
};

static const struct option_kind {
	const char *name;
	unsigned owners;
	bool (*read)(struct option_reading *reading, const struct ast_option *option);
} kinds[] = {
	[AST_OPTION_LOG] = { "log", BY_RULES | BY_DEFAULT, read_log },
	[AST_OPTION_COUNT] = { "count", BY_RULES | BY_DEFAULT, read_count },
	[AST_OPTION_LIMIT] = { "limit", BY_ALLOW, read_limit },
	[AST_OPTION_UNTIL] = { "until", BY_RULES, read_until },
	[AST_OPTION_DURING] = { "during", BY_RULES, read_during },
	[AST_OPTION_IPV4] = { "ipv4", BY_RULES | BY_TRANSLATION | BY_ASSERTION, read_family },
	[AST_OPTION_IPV6] = { "ipv6", BY_RULES | BY_TRANSLATION | BY_ASSERTION, read_family },
	[AST_OPTION_STATELESS] = { "stateless", BY_RULES, read_stateless },
	[AST_OPTION_BECAUSE] = { "because", BY_RULES | BY_DEFAULT | BY_TRANSLATION, read_because },
	[AST_OPTION_OWNER] = { "owner", BY_RULES | BY_DEFAULT | BY_TRANSLATION, read_owner },
	[AST_OPTION_ID] = { "id", BY_RULES | BY_TRANSLATION, read_id },
	[AST_OPTION_RESCUE] = { "rescue", BY_RULES, read_rescue },
};

#define KINDS (sizeof kinds / sizeof *kinds)

static const char *const owner_names[] = {
	[OWNER_ALLOW] = "'allow'",	 [OWNER_DENY] = "'deny'",
	[OWNER_REJECT] = "'reject'",	 [OWNER_DEFAULT] = "a default",
	[OWNER_TRANSLATION] = "a translation", [OWNER_ASSERTION] = "an assertion",
};

static bool report_owner(struct resolver *resolver, enum option_owner owner,
			 const struct ast_option *option)
{
	bool is_limit = option->kind == AST_OPTION_LIMIT &&
			(owner == OWNER_DENY || owner == OWNER_REJECT);
	struct diagnostic *error =
		diag_add(resolver->diags, is_limit ? CODE_LIMIT_ON_DENY : CODE_BAD_OPTION,
			 option->span, "%s cannot have '%s'", owner_names[owner],
			 kinds[option->kind].name);
	if (is_limit)
		diag_note(resolver->diags, error, SPAN_NONE,
			  "what exceeds the limit of an 'allow' is denied: put it there");
	return false;
}

static bool report_twice(struct resolver *resolver, const struct ast_option *option,
			 const struct ast_option *first)
{
	struct diagnostic *error = diag_add(resolver->diags, CODE_DUPLICATE_OPTION, option->span,
					    "'%s' stands twice", kinds[option->kind].name);
	diag_note(resolver->diags, error, first->span, "here for the first time");
	return false;
}

const struct policy_options options_none = {
	.families = FAMILIES_BOTH,
	.id_span = SPAN_NONE,
	.limit_span = SPAN_NONE,
	.stateless_span = SPAN_NONE,
	.log_span = SPAN_NONE,
};

bool options_resolve(struct resolver *resolver, enum option_owner owner,
		     const struct ast_option *option, struct policy_options *result)
{
	struct option_reading reading = { resolver, result };
	const struct ast_option *seen[KINDS] = { 0 };
	bool is_good = true;
	*result = options_none;
	for (; option != NULL; option = option->next) {
		const struct ast_option **first = &seen[option->kind];
		if ((kinds[option->kind].owners & 1u << owner) == 0)
			is_good = report_owner(resolver, owner, option);
		else if (*first != NULL)
			is_good = report_twice(resolver, option, *first);
		else
			is_good = kinds[option->kind].read(&reading, option) && is_good;
		if (*first == NULL)
			*first = option;
	}
	return is_good;
}

static const struct ast_word *until_word(const struct ast_option *option)
{
	while (option != NULL && option->kind != AST_OPTION_UNTIL)
		option = option->next;
	return option == NULL ? NULL : option->word;
}

bool options_expired(struct resolver *resolver, enum option_owner owner,
		     const struct ast_option *options, const struct policy_options *result)
{
	const struct ast_word *word = until_word(options);
	if (result->until == 0 || word == NULL)
		return false;
	time_t last_day = result->until - SECONDS_A_DAY;
	if (last_day >= resolver->today) {
		long days = (long)((last_day - resolver->today) / SECONDS_A_DAY);
		if (days <= SOON_DAYS)
			diag_add(resolver->diags, CODE_EXPIRES_SOON, word->span,
				 days == 0 ? "the rule ends today" : "the rule ends in %ld day%s", days,
				 days == 1 ? "" : "s");
		return false;
	}
	bool is_error = owner != OWNER_ALLOW && !resolver->settings->allows_expired_deny;
	struct diagnostic *finding =
		diag_add(resolver->diags, is_error ? CODE_EXPIRED_DENY : CODE_EXPIRED, word->span,
			 "the rule ended on %s", word->text);
	if (is_error)
		diag_note(resolver->diags, finding, SPAN_NONE,
			  "what it closed would open: remove the rule or extend it");
	return true;
}
