/* Which chain, rule and map element of a table decide one packet: for people who look at the kernel's
 * listing. A walk over the model as the kernel walks its rules; what is proved, prove/prove.h proves. */
#ifndef FWC_TARGET_NFT_REPORT_FOLLOW_H
#define FWC_TARGET_NFT_REPORT_FOLLOW_H

#include "rules/evaluate.h"
#include "target/nft/model/model.h"

/* One rule that sent the packet on or decided it. */
struct nft_step {
	const struct nft_chain *chain;
	size_t rule;                       /* of the chain, from 0 */
	const struct nft_set *map;         /* the verdict was looked up there; or NULL */
	const struct nft_element *element; /* of the map */
};

struct nft_path {
	struct nft_step *steps;
	size_t steps_count, steps_capacity;
	bool is_decided;   /* by the last step */
	bool is_accepted;
	bool is_rejected;
	unsigned cost;                     /* by the model of optimise/costs.h, in nanoseconds */
};

/* Of packets that have passed routers, as most have. */
#define NFT_FOLLOW_HOP_LIMIT 64
/* The first packet of a connection, through the filter chains of its hook; limits are not used up. What it
 * takes to be: sent to the host itself, broadcast or multicast by its hook and address. */
struct nft_path nft_follow(void *pool, const struct nft_table *table, const struct packet *packet,
			   uint8_t hop_limit);
/* "input, rule 4 -> services_1, map services_1_map: tcp . 443": chains, and what decides. */
void nft_path_format(struct text *out, const struct nft_path *path);
/* "tcp . 443": of a step with a map. */
void nft_step_element(struct text *out, const struct nft_step *step);

#endif
