/* User's text made fit for nft: one function for both writers, so that they agree.
 *
 * nft's language has no escape for a double quote, expands `$`, and takes a line end into a
 * comment; a listing of such text could not be loaded again. */
#ifndef FWC_TARGET_NFT_MODEL_SAFE_H
#define FWC_TARGET_NFT_MODEL_SAFE_H

#include <stdbool.h>
#include <stddef.h>

/* Longest comment that nft lists (NFTNL_UDATA_COMMENT_MAXLEN 128 with its NUL), and longest
 * log prefix (NF_LOG_PREFIXLEN 128). */
#define NFT_SAFE_MAX 127

struct nft_safe {
	char bytes[NFT_SAFE_MAX + 1]; /* NUL-terminated, printable ASCII without `"`, `\`, `$` */
	size_t length;                /* 0: there is nothing to say */
};

/* text may be NULL. Each character that cannot stay becomes one `?`; `"` becomes `'`, `\` a `/`. */
struct nft_safe nft_safe(const char *text);

/* Can this name of an interface or helper be written in nft's text and mean itself? At most 15
 * bytes of printable ASCII without `"`, `\`, and without `*`, which would be a wildcard. */
bool nft_is_safe_interface(const char *name);
/* Can this be the name of a table, chain, set or object? [A-Za-z_][A-Za-z0-9_.-]*, at most 200. */
bool nft_is_safe_name(const char *name);
/* Is it a word of nft's language, which cannot name a table in a script? (words.def) */
bool nft_is_word(const char *name);

#endif
