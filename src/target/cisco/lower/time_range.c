/* Periodic lines: a span within one day is written once for all days that have it; one that runs over
 * midnight once for each day. */
#include "target/cisco/lower/time_range.h"

#include <string.h>

#include "base/pool.h"
#include "target/cisco/model/safe.h"

#define DAY_MINUTES 1440u
#define WEEK_MINUTES 10080u
#define WEEK_DAYS 7u
#define NAME_SHOWN 24 /* of a schedule's: IOS takes 32 characters, and more names may follow */

static const char *const days[] = { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
				    "sunday" };
static const char *const months[] = { "January", "February", "March", "April", "May", "June", "July", "August",
				      "September", "October", "November", "December" };

/* Minutes of the local week; end exclusive, up to a week past its begin. */
struct local_span {
	unsigned begin, end;
};

struct local_week {
	struct local_span *spans;
	size_t spans_count, spans_capacity;
};

static struct interval_set shifted(void *pool, const struct interval_set *minutes, int32_t timezone_s)
{
	unsigned shift = (unsigned)((int32_t)WEEK_MINUTES + timezone_s / 60) % WEEK_MINUTES;
	struct interval_set local = { 0 };

	for (size_t index = 0; index < minutes->items_count; index++) {
		number128 low = minutes->items[index].low + shift, high = minutes->items[index].high + shift;

		if (low >= WEEK_MINUTES) {
			interval_set_add(pool, &local, low - WEEK_MINUTES, high - WEEK_MINUTES);
		} else if (high >= WEEK_MINUTES) {
			interval_set_add(pool, &local, low, WEEK_MINUTES - 1);
			interval_set_add(pool, &local, 0, high - WEEK_MINUTES);
		} else {
			interval_set_add(pool, &local, low, high);
		}
	}
	interval_set_normalise(&local);
	return local;
}

/* A span over the week's end is one. */
static struct local_week week_of(void *pool, const struct interval_set *minutes, int32_t timezone_s)
{
	struct interval_set local = shifted(pool, minutes, timezone_s);
	size_t count = local.items_count;
	bool wraps = count > 1 && local.items[0].low == 0 && local.items[count - 1].high == WEEK_MINUTES - 1;
	struct local_week week = { 0 };

	for (size_t index = wraps ? 1 : 0; index < count; index++) {
		struct local_span span = { (unsigned)local.items[index].low,
					   (unsigned)local.items[index].high + 1 };

		if (wraps && index == count - 1)
			span.end += (unsigned)local.items[0].high + 1;
		*pool_append(pool, &week, spans) = span;
	}
	return week;
}

static void add_line(void *pool, struct ios_time_range *range, const char *line)
{
	*pool_append(pool, range, lines) = line;
}

static void add_clock(struct text *out, unsigned minute)
{
	text_addf(out, "%u:%02u", minute % DAY_MINUTES / 60, minute % 60);
}

static bool is_within_day(const struct local_span *span)
{
	return span->begin / DAY_MINUTES == (span->end - 1) / DAY_MINUTES;
}

static bool is_same_time(const struct local_span *a, const struct local_span *b)
{
	return is_within_day(a) && is_within_day(b) && a->begin % DAY_MINUTES == b->begin % DAY_MINUTES &&
	       a->end - a->begin == b->end - b->begin;
}

static const char *days_word(void *pool, unsigned mask)
{
	struct text *out = text_new(pool);

	if (mask == 0x7f)
		return "daily";
	if (mask == 0x1f)
		return "weekdays";
	if (mask == 0x60)
		return "weekend";
	for (unsigned day = 0; day < WEEK_DAYS; day++)
		if ((mask & 1u << day) != 0)
			text_addf(out, "%s%s", out->length > 0 ? " " : "", days[day]);
	return out->bytes;
}

/* last: the minute that is written behind `to`. */
static const char *line_of(void *pool, const struct local_week *week, size_t index, bool is_denied)
{
	const struct local_span *span = &week->spans[index];
	unsigned last = span->end - (is_denied ? 0 : 1), mask = 0;
	struct text *out = text_new(pool);

	text_add(out, "periodic ");
	if (last / DAY_MINUTES != span->begin / DAY_MINUTES) {
		text_addf(out, "%s ", days[span->begin / DAY_MINUTES]);
		add_clock(out, span->begin);
		text_addf(out, " to %s ", days[last / DAY_MINUTES % WEEK_DAYS]);
		add_clock(out, last);
		return out->bytes;
	}
	for (size_t other = 0; other < week->spans_count; other++)
		if (is_same_time(span, &week->spans[other])) {
			if (other < index)
				return NULL; /* written with that one */
			mask |= 1u << week->spans[other].begin / DAY_MINUTES;
		}
	text_addf(out, "%s ", days_word(pool, mask));
	add_clock(out, span->begin);
	text_add(out, " to ");
	add_clock(out, last);
	return out->bytes;
}

static void add_periodic(void *pool, struct ios_time_range *range, const struct policy *policy,
			 const struct interval_set *minutes, bool is_denied)
{
	struct local_week week = week_of(pool, minutes, policy->timezone_s);

	for (size_t index = 0; index < week.spans_count; index++) {
		const char *line = line_of(pool, &week, index, is_denied);

		/* a permit of one minute has no end of its own; a whole week needs no line */
		if (line != NULL)
			add_line(pool, range, line);
	}
}

static void add_absolute(void *pool, struct ios_time_range *range, const struct policy *policy, time_t until,
			 bool is_denied)
{
	time_t last = until + policy->timezone_s - (is_denied ? 0 : 60);
	struct tm date;

	if (gmtime_r(&last, &date) != NULL)
		add_line(pool, range, pool_format(pool, "absolute end %d:%02d %d %s %d", date.tm_hour, date.tm_min,
						  date.tm_mday, months[date.tm_mon], date.tm_year + 1900));
}

static bool has_same_lines(const struct ios_time_range *a, const struct ios_time_range *b)
{
	if (a->lines_count != b->lines_count)
		return false;
	for (size_t index = 0; index < a->lines_count; index++)
		if (strcmp(a->lines[index], b->lines[index]) != 0)
			return false;
	return true;
}

static const char *base_name(void *pool, const struct rule *rule)
{
	const struct schedule *during = rule->identity->rule->options->during;

	if (during == NULL)
		return "FWC-UNTIL";
	return pool_format(pool, "FWC-%.*s", NAME_SHOWN, safe_name(pool, during->name));
}

/* The first of NAME, NAME-2, … that nothing else has. */
static const char *free_name(void *pool, const struct ios_config *config, const char *base)
{
	const char *name = base;

	for (unsigned number = 2;; number++) {
		bool is_taken = false;

		for (size_t index = 0; index < config->time_ranges_count; index++)
			is_taken = is_taken || strcmp(config->time_ranges[index].name, name) == 0;
		if (!is_taken)
			return name;
		name = pool_format(pool, "%s-%u", base, number);
	}
}

const char *time_range_of(void *pool, struct ios_config *config, const struct policy *policy,
			  const struct rule *rule)
{
	bool is_denied = rule->outcome->verdict != VERDICT_ALLOW;
	struct ios_time_range range = { 0 };

	if (rule->match.until != 0)
		add_absolute(pool, &range, policy, rule->match.until, is_denied);
	if (rule->match.minutes != NULL &&
	    !(rule->match.minutes->items_count == 1 && rule->match.minutes->items[0].low == 0 &&
	      rule->match.minutes->items[0].high == WEEK_MINUTES - 1))
		add_periodic(pool, &range, policy, rule->match.minutes, is_denied);
	if (range.lines_count == 0)
		return NULL;
	for (size_t index = 0; index < config->time_ranges_count; index++)
		if (has_same_lines(&config->time_ranges[index], &range))
			return config->time_ranges[index].name;
	range.name = free_name(pool, config, base_name(pool, rule));
	*pool_append(pool, config, time_ranges) = range;
	return range.name;
}
