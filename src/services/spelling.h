/* Services as a policy that is made from something else writes them: by name where there is one.
 *
 * A name is the shortest one of a protocol in the database whose pairs are exactly those wanted and
 * which brings no helper, since that would let in more; names of products are not used. Else literals. */
#ifndef FWC_SERVICES_SPELLING_H
#define FWC_SERVICES_SPELLING_H

#include "services/database.h"

struct spelling;

/* The database must have been resolved whole. */
struct spelling *spelling_new(void *pool, const struct service_database *database);
/* Appends a list of services; the set is normalised and not empty. Types and codes of ICMP have no ranges in
 * the language: each stands alone. */
void spelling_services(const struct spelling *spelling, struct text *out, const struct tuple_set *set);
/* How many items that list has. */
size_t spelling_count(const struct tuple_set *set);
/* Whether a place or service may be called so without quotes. */
bool spelling_is_plain(const char *name);
/* One line without quotes and without anything that misleads a terminal: for strings and comments. */
void spelling_safe(struct text *out, const char *text);

#endif
