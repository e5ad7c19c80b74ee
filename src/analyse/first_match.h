/* The map of a first-match list, made a field at a time instead of a rule at a time.
 *
 * The values where rules begin and end cut a field into pieces; a piece is the map of those rules that take it,
 * by the fields behind. Lists whose rules mostly lie apart, as those of policies do, give few and short pieces,
 * and no diagram that is not part of the result. Where they would be many, the list is halved, and the maps of
 * the halves are merged. Recursion: fields, and logarithms of the count. */
#ifndef FWC_ANALYSE_FIRST_MATCH_H
#define FWC_ANALYSE_FIRST_MATCH_H

#include "analyse/packetset.h"

/* What packetset.c knows of boxes and merging. */
struct first_match_maker {
	struct packet_space *space;
	/* The highest value that the field can have in this box: sets that reach it end with all numbers. */
	number128 (*highest)(const struct packet_universe *universe, const struct packet_box *box,
			     enum packet_field field);
	/* Where the box's field has its values, inside. */
	packet_map (*choose)(struct packet_space *space, const struct packet_box *box, enum packet_field field,
			     packet_map inside, packet_map outside);
	/* Each number of the first but `undecided` as it is; there the second. */
	packet_map (*merge)(struct packet_space *space, packet_map first, packet_map second);
	uint32_t undecided;
};

packet_map first_match_make(const struct first_match_maker *maker, const struct packet_rule *rules,
			    size_t count, uint32_t otherwise);

#endif
