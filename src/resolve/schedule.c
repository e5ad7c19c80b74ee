/* Schedules and the time zone. */
#include "resolve/schedule.h"

#include <string.h>

#include "base/pool.h"
#include "services/walk.h"

#define MINUTES_A_DAY 1440
#define DAYS 7
#define MINUTES_A_WEEK (DAYS * MINUTES_A_DAY)
#define OFFSET_MOST (14 * 60)

static const char *const day_names[DAYS] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

/* --- days ------------------------------------------------------------------------------------ */

static bool day_find(const char *text, size_t length, unsigned *day)
{
	for (unsigned i = 0; i < DAYS; i++)
		if (length == strlen(day_names[i]) && memcmp(text, day_names[i], length) == 0) {
			*day = i;
			return true;
		}
	return false;
}

struct days {
	unsigned first, count; /* count days from first on, round the week */
};

static bool days_resolve(struct resolver *resolver, const struct ast_word *word, struct days *days)
{
	const char *dash = memchr(word->text, '-', word->length);
	size_t length = dash == NULL ? word->length : (size_t)(dash - word->text);
	unsigned last;
	if (word->is_reported)
		return false;
	if (strcmp(word->text, "any") == 0 || strcmp(word->text, "daily") == 0) {
		*days = (struct days){ 0, DAYS };
		return true;
	}
	if (day_find(word->text, length, &days->first)) {
		last = days->first;
		if (dash == NULL || day_find(dash + 1, word->length - length - 1, &last)) {
			days->count = (last + DAYS - days->first) % DAYS + 1;
			return true;
		}
	}
	struct diagnostic *error = diag_add(resolver->diags, CODE_BAD_TIME, word->span,
					    "'%s' is not a day or a range of days", word->text);
	diag_note(resolver->diags, error, SPAN_NONE,
		  "days are mon, tue, wed, thu, fri, sat, sun, or 'any'");
	return false;
}

/* --- times -------------------------------------------------------------------------------------- */

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* HH:MM, five bytes; 24:00 only where it may stand. */
static bool clock_read(const char *text, bool may_be_24, unsigned *minutes)
{
	if (!is_digit(text[0]) || !is_digit(text[1]) || text[2] != ':' || !is_digit(text[3]) ||
	    !is_digit(text[4]))
		return false;
	unsigned hour = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
	unsigned minute = (unsigned)(text[3] - '0') * 10 + (unsigned)(text[4] - '0');
	*minutes = hour * 60 + minute;
	return minute < 60 && (hour < 24 || (may_be_24 && *minutes == MINUTES_A_DAY));
}

#define TIMES_LENGTH 11 /* HH:MM-HH:MM */

static bool times_resolve(struct resolver *resolver, const struct ast_word *word, unsigned *begin,
			  unsigned *end)
{
	if (word->is_reported)
		return false;
	if (word->length != TIMES_LENGTH || word->text[5] != '-' ||
	    !clock_read(word->text, false, begin) || !clock_read(word->text + 6, true, end)) {
		diag_add(resolver->diags, CODE_BAD_TIME, word->span,
			 "'%s' is not a span of time such as 08:00-18:00", word->text);
		return false;
	}
	if (*begin != *end)
		return true;
	struct diagnostic *error = diag_add(resolver->diags, CODE_SCHEDULE_EMPTY, word->span,
					    "'%s' holds no minute: its end is exclusive", word->text);
	diag_note(resolver->diags, error, SPAN_NONE, "the whole day is 00:00-24:00");
	return false;
}

/* --- schedules ------------------------------------------------------------------------------------ */

/* Minutes of the week as the policy writes them, to UTC. */
static void add_minutes(struct resolver *resolver, struct interval_set *minutes, unsigned begin,
			unsigned length)
{
	int offset = resolver->policy->timezone_s / 60;
	unsigned first = (unsigned)((int)begin + MINUTES_A_WEEK - offset) % MINUTES_A_WEEK;
	unsigned last = first + length - 1;
	if (last < MINUTES_A_WEEK) {
		interval_set_add(resolver->pool, minutes, first, last);
		return;
	}
	interval_set_add(resolver->pool, minutes, first, MINUTES_A_WEEK - 1);
	interval_set_add(resolver->pool, minutes, 0, last - MINUTES_A_WEEK);
}

static void add_span(struct resolver *resolver, struct schedule *schedule,
		     const struct ast_word *day_word, const struct ast_word *time_word)
{
	struct days days = { 0 };
	unsigned begin, end;
	bool has_days = days_resolve(resolver, day_word, &days);
	if (!times_resolve(resolver, time_word, &begin, &end) || !has_days)
		return;
	unsigned length = end > begin ? end - begin : end + MINUTES_A_DAY - begin;
	for (unsigned i = 0; i < days.count; i++)
		add_minutes(resolver, &schedule->minutes,
			    (days.first + i) % DAYS * MINUTES_A_DAY + begin, length);
}

static void resolve_schedule(struct resolver *resolver, const struct ast_schedule *ast)
{
	const struct ast_word *name = ast->name;
	const struct schedule *before = names_find(resolver->schedules, name->text, name->length);
	if (before != NULL) {
		struct diagnostic *error = diag_add(resolver->diags, CODE_DUPLICATE_SCHEDULE,
						    name->span, "'%s' is a schedule already",
						    name->text);
		diag_note(resolver->diags, error, before->span, "'%s' is defined here",
			  before->name);
		return;
	}
	struct schedule *schedule = pool_new(resolver->pool, struct schedule);
	schedule->name = name->text;
	schedule->span = name->span;
	for (const struct ast_word *day = ast->spans; day != NULL && day->next != NULL;
	     day = day->next->next)
		add_span(resolver, schedule, day, day->next);
	interval_set_normalise(&schedule->minutes);
	names_set(resolver->schedules, name->text, name->length, schedule);
}

/* --- the time zone ------------------------------------------------------------------------------------ */

static bool offset_resolve(const struct ast_word *word, int32_t *seconds)
{
	unsigned minutes;
	if (strcasecmp(word->text, "utc") == 0) {
		*seconds = 0;
		return true;
	}
	if (word->length != 6 || (word->text[0] != '+' && word->text[0] != '-') ||
	    !clock_read(word->text + 1, false, &minutes) || minutes > OFFSET_MOST)
		return false;
	*seconds = (int32_t)minutes * (word->text[0] == '-' ? -60 : 60);
	return true;
}

static void resolve_timezone(struct resolver *resolver, const struct ast_word *word,
			     const struct ast_word **first)
{
	if (*first != NULL) {
		struct diagnostic *error = diag_add(resolver->diags, CODE_DUPLICATE_TIMEZONE,
						    word->span, "the time zone is set twice");
		diag_note(resolver->diags, error, (*first)->span, "here for the first time");
		return;
	}
	*first = word;
	if (word->is_reported || offset_resolve(word, &resolver->policy->timezone_s))
		return;
	diag_add(resolver->diags, CODE_BAD_TIME, word->span,
		 "'%s' is not an offset such as +01:00, at most 14 hours", word->text);
}

void schedules_resolve(struct resolver *resolver)
{
	const struct ast_word *first = NULL;
	struct walk walk = walk_begin_others(resolver->pool, resolver->program);
	for (const struct ast_statement *statement; (statement = walk_next(&walk)) != NULL;)
		if (statement->kind == AST_TIMEZONE)
			resolve_timezone(resolver, statement->timezone, &first);
	walk = walk_begin_others(resolver->pool, resolver->program);
	for (const struct ast_statement *statement; (statement = walk_next(&walk)) != NULL;)
		if (statement->kind == AST_SCHEDULE)
			resolve_schedule(resolver, &statement->schedule);
}
