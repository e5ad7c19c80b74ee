/* A time of the week in words. */
#ifndef FWC_NET_WEEK_H
#define FWC_NET_WEEK_H

#include "base/text.h"

/* "Monday 12:00", and "Monday 12:00:30" where seconds are left. second: since Monday 00:00, below a week. */
void week_format(struct text *out, unsigned second);

#endif
