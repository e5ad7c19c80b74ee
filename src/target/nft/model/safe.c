/* Text of unknown origin for nft. Replacing is one character for one character, so that cutting
 * to the limit never splits anything. */
#include "target/nft/model/safe.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define INTERFACE_MAX 15 /* IFNAMSIZ 16 with its NUL */
#define NAME_MAX_BYTES 200 /* NFT_NAME_MAXLEN 256, less what a staged load adds */

static const char *const words[] = {
#define X(word) word,
#include "target/nft/model/words.def"
#undef X
};

static bool is_printable(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f;
}

/* The second and later bytes of a UTF-8 character. */
static bool is_continuation(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

static char replaced(unsigned char byte)
{
	if (!is_printable(byte) || byte == '$')
		return '?';
	if (byte == '"')
		return '\'';
	return byte == '\\' ? '/' : (char)byte;
}

/* Those that are printed as they are: nearly all. */
static const bool is_safe[UCHAR_MAX + 1] = {
	[' ' ... '!'] = true, ['#'] = true, ['%' ... '['] = true, [']' ... '~'] = true,
};

struct nft_safe nft_safe(const char *text)
{
	struct nft_safe safe;
	safe.length = 0;
	for (; text != NULL && safe.length < NFT_SAFE_MAX && is_safe[(unsigned char)*text]; text++)
		safe.bytes[safe.length++] = *text;
	for (bool is_inside = false; text != NULL && *text != '\0' && safe.length < NFT_SAFE_MAX; text++) {
		unsigned char byte = (unsigned char)*text;
		if (!is_inside || !is_continuation(byte))
			safe.bytes[safe.length++] = replaced(byte);
		is_inside = byte >= 0x80;
	}
	safe.bytes[safe.length] = '\0';
	return safe;
}

bool nft_is_safe_interface(const char *name)
{
	size_t length = 0;
	for (; name[length] != '\0'; length++) {
		unsigned char byte = (unsigned char)name[length];
		if (!is_printable(byte) || strchr("\"\\*", byte) != NULL)
			return false;
	}
	return length > 0 && length <= INTERFACE_MAX;
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

bool nft_is_safe_name(const char *name)
{
	if (!is_letter(name[0]))
		return false;
	size_t length = 1;
	for (; name[length] != '\0'; length++) {
		char byte = name[length];
		if (!is_letter(byte) && !(byte >= '0' && byte <= '9') && byte != '.' && byte != '-')
			return false;
	}
	return length <= NAME_MAX_BYTES;
}

static int compare_word(const void *key, const void *word)
{
	return strcmp(key, *(const char *const *)word);
}

bool nft_is_word(const char *name)
{
	return bsearch(name, words, sizeof words / sizeof words[0], sizeof words[0], compare_word) != NULL;
}
