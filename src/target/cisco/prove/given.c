/* Entries to rules of packets; time ranges to minutes of the week in UTC, and ends.
 *
 * Cisco IOS, `time-range`: `periodic` by the router's clock, from the first minute to the last; `absolute
 * end`. With both, both must hold. */
#include "target/cisco/prove/given.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/pool.h"
#include "target/cisco/read/read.h"

#define DAY_MINUTES 1440
#define WEEK_DAYS 7
#define WEEK_MINUTES (WEEK_DAYS * DAY_MINUTES)

static bool refuse(const struct given_context *context, struct span span, const char *why)
{
	diag_add(context->diags, CODE_FOREIGN_UNKNOWN, span, "%s", why);
	return false;
}

/* --- periods ---------------------------------------------------------------------------------------- */

/* Minutes [begin, end) of the router's week, as UTC has them. */
static void add_local(const struct given_context *context, struct interval_set *minutes, int begin, int end)
{
	int shift = context->timezone_s / 60;

	for (int at = begin; at < end;) {
		int utc = ((at - shift) % WEEK_MINUTES + WEEK_MINUTES) % WEEK_MINUTES;
		int length = end - at < WEEK_MINUTES - utc ? end - at : WEEK_MINUTES - utc;

		interval_set_add(context->pool, minutes, (number128)utc, (number128)(utc + length - 1));
		at += length;
	}
}

static void add_period(const struct given_context *context, const struct acl_period *period,
		       enum acl_action action, struct interval_set *minutes)
{
	for (int day = 0; day < WEEK_DAYS; day++) {
		int begin = day * DAY_MINUTES + period->from_minute, end;

		if ((period->days & 1u << day) == 0)
			continue;
		end = (period->until_day >= 0 ? period->until_day : day) * DAY_MINUTES + period->to_minute;
		if (end < begin)
			end += WEEK_MINUTES;
		add_local(context, minutes, begin, action == ACL_PERMIT ? end + 1 : end);
	}
}

/* "absolute end 23:59 31 December 2026", and nothing else. */
static bool read_end(const char *text, struct tm *date)
{
	static const char *const months[] = { "January", "February", "March", "April", "May", "June", "July",
					      "August", "September", "October", "November", "December" };
	char month[10];
	int used = 0;

	if (sscanf(text, "absolute end %2d:%2d %2d %9[A-Za-z] %4d%n", &date->tm_hour, &date->tm_min,
		   &date->tm_mday, month, &date->tm_year, &used) != 5 || text[used] != '\0')
		return false;
	for (int index = 0; index < 12; index++)
		if (strcasecmp(month, months[index]) == 0) {
			date->tm_mon = index;
			date->tm_year -= 1900;
			return true;
		}
	return false;
}

/* The first second after: a range that permits is taken to hold in its last minute, one that denies not. */
static time_t end_of(struct tm date, int32_t timezone_s, enum acl_action action)
{
	return timegm(&date) - timezone_s + (action == ACL_PERMIT ? 60 : 0);
}

void given_ends_add(const struct acl_config *config, int32_t timezone_s, struct packet_universe *universe)
{
	for (size_t index = 0; index < config->time_ranges_count; index++) {
		const struct acl_time_range *range = config->time_ranges[index];

		for (size_t at = 0; at < range->periods_count; at++) {
			struct tm date = { 0 };

			if (!range->periods[at].is_absolute || !read_end(range->periods[at].text, &date))
				continue;
			packet_universe_add_end(universe, end_of(date, timezone_s, ACL_PERMIT));
			packet_universe_add_end(universe, end_of(date, timezone_s, ACL_DENY));
		}
	}
}

/* Only ends that the universe knows are told apart. */
static bool find_eras(const struct given_context *context, const struct acl_period *period,
		      enum acl_action action, struct interval_set *eras)
{
	const struct packet_universe *universe = context->universe;
	struct tm date = { 0 };
	time_t end;

	if (!read_end(period->text, &date))
		return refuse(context, period->span, "this period is not one that rules of the policy have");
	end = end_of(date, context->timezone_s, action);
	for (size_t index = 0; index < universe->ends_count; index++)
		if (universe->ends[index] == end) {
			*eras = packet_universe_eras(universe, context->pool, end);
			return true;
		}
	return refuse(context, period->span, "no rule of the policy ends at this time");
}

static bool set_times(const struct given_context *context, const struct acl_entry *entry,
		      struct packet_box *box)
{
	const struct acl_time_range *range = acl_time_range_find(context->config, entry->time_range);
	struct interval_set *minutes = pool_new(context->pool, struct interval_set);
	struct interval_set *eras = pool_new(context->pool, struct interval_set);

	if (range == NULL || range->unread_count > 0 || range->periods_count == 0)
		return refuse(context, entry->span, "the time range of this entry is not known");
	for (size_t index = 0; index < range->periods_count; index++) {
		const struct acl_period *period = &range->periods[index];

		if (!period->is_absolute)
			add_period(context, period, entry->action, minutes);
		else if (!find_eras(context, period, entry->action, eras))
			return false;
	}
	interval_set_normalise(minutes);
	if (minutes->items_count > 0)
		box->fields[FIELD_MINUTE] = minutes;
	if (eras->items_count > 0)
		box->fields[FIELD_ERA] = eras;
	return true;
}

/* --- entries ---------------------------------------------------------------------------------------- */

struct adding {
	const struct given_context *context;
	struct given_list *given;
	bool is_refused;
};

static bool add_box(const struct given_context *context, const struct acl_sets *sets,
		    const struct acl_box *box, struct given_list *given)
{
	struct packet_rule rule = { acl_box_packets(sets, box), box->action == ACL_PERMIT };

	if (box->entry != NULL && box->entry->kind == ACL_ENTRY_EVALUATE)
		return true;
	if (box->entry != NULL && box->entry->conditions != 0)
		return refuse(context, box->entry->span, "this entry looks at fields that no rule looks at");
	if (box->entry != NULL && box->entry->time_range != NULL && !set_times(context, box->entry, &rule.box))
		return false;
	*pool_append(context->pool, &given->rules, items) = rule;
	*pool_append(context->pool, given, entries) = box->entry;
	return true;
}

/* One after the other: both as boxes and as rules a long list would be held twice. */
static void take_box(void *context, const struct acl_sets *sets, const struct acl_box *box)
{
	struct adding *adding = context;

	if (!adding->is_refused)
		adding->is_refused = !add_box(adding->context, sets, box, adding->given);
}

bool given_list_make(const struct given_context *context, enum family family, const struct acl_list *list,
		     struct given_list *given)
{
	struct adding adding = { context, given, false };
	const struct acl_sets_settings settings = {
		.family = family,
		.takes_partial = true,
		.is_without_later = context->is_without_later,
		.take = take_box,
		.context = &adding,
	};
	const struct acl_sets *sets;

	*given = (struct given_list){ 0 };
	sets = acl_sets_make(context->pool, context->diags, context->config, list, &settings);
	return sets != NULL && !adding.is_refused;
}
