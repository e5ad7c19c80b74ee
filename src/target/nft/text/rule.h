/* One rule in nft's language. */
#ifndef FWC_TARGET_NFT_TEXT_RULE_H
#define FWC_TARGET_NFT_TEXT_RULE_H

#include "target/nft/model/model.h"

/* The statements with blanks between, and the comment; no line end. */
void nft_text_rule(struct text *out, const struct nft_rule *rule);
/* "type ipv4_addr . inet_service": the key of a set. */
void nft_text_key_type(struct text *out, const struct nft_set *set);

#endif
