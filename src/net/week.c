/* Days of 86,400 seconds: schedules know no leap seconds. */
#include "net/week.h"

#define MINUTE_SECONDS 60
#define HOUR_SECONDS (60 * MINUTE_SECONDS)
#define DAY_SECONDS (24 * HOUR_SECONDS)

void week_format(struct text *out, unsigned second)
{
	static const char *const days[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
					    "Sunday" };
	const unsigned of_day = second % DAY_SECONDS;

	text_addf(out, "%s %02u:%02u", days[second / DAY_SECONDS % 7], of_day / HOUR_SECONDS,
		  of_day % HOUR_SECONDS / MINUTE_SECONDS);
	if (of_day % MINUTE_SECONDS != 0)
		text_addf(out, ":%02u", of_day % MINUTE_SECONDS);
}
