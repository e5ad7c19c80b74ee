/* User data as nft writes it: type, length, value; the kernel keeps it unread.
 * Source: libnftnl/udata.h; the lists of types are enum nftnl_udata_*_types there. */
#ifndef FWC_TARGET_NFT_BATCH_USERDATA_H
#define FWC_TARGET_NFT_BATCH_USERDATA_H

#include <stdint.h>

#include "target/nft/model/model.h"

/* What the kernel takes (NFT_USERDATA_MAXLEN): four parts of a header are 198, and a comment. */
#define NFT_USERDATA_MAX 256

struct nft_userdata {
	uint8_t bytes[NFT_USERDATA_MAX];
	uint32_t length; /* 0: none is to be sent */
};

/* The comment of a rule, chain or object: type 0 in all of them. */
struct nft_userdata nft_userdata_comment(const char *comment);
/* What makes a listing print the set's keys as they were written. */
struct nft_userdata nft_userdata_set(const struct nft_set *set);
/* is_open: the last interval of a set, which has no end element. */
struct nft_userdata nft_userdata_element(const char *comment, bool is_open);

#endif
