/* What shadow.h asks, by the second engine: each rule against the few that overlap it, with cover.h alone.
 * Needs little memory; slower where rules overlap many others. */
#ifndef FWC_ANALYSE_SHADOW_COVER_H
#define FWC_ANALYSE_SHADOW_COVER_H

#include "analyse/overlap.h"
#include "analyse/shadow.h"

enum rule_fate { RULE_KEPT, RULE_DEAD, RULE_GOES, RULE_GOES_AS_DEFAULT };

/* first_box: of each number, and one more. Fills fates; gives how many rules (kept, then) could not be
 * judged within the budget of steps. */
size_t shadow_cover_fates(void *pool, const struct shadow_question *question,
			  const struct overlap_index *index, const size_t *first_box, size_t rules_count,
			  enum rule_fate *fates);
/* Appends the earlier boxes that overlap the rule, but those behind a box that includes all of it. */
void shadow_cover_earlier(void *pool, const struct shadow_question *question,
			  const struct overlap_index *index, const size_t *first_box, size_t number,
			  struct overlap_list *list);

/* A packet that the rule decides; without one within the budget one that it matches. */
void shadow_cover_decided(void *pool, const struct shadow_question *question,
			  const struct overlap_index *index, const size_t *first_box, size_t number,
			  struct packet_point *point);

#endif
