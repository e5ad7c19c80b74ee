/* Texts are compared in a folded form: ASCII letters in lower case, Latin letters of UTF-8's
 * two-byte range U+00C0..U+017F as their base letter, everything else as it is. */
#include "services/search.h"

#include <ctype.h>
#include <string.h>

#include "base/pool.h"

/* U+00C0..U+00FF, then a few of U+0100..U+017F by their pairs; '\0': keep the bytes. */
static char latin1_base(unsigned point)
{
	static const char bases[] = "aaaaaa\0ceeeeiiiidnooooo\0ouuuuy\0\0"
				    "aaaaaa\0ceeeeiiiidnooooo\0ouuuuy\0y";

	return point >= 0xC0 && point <= 0xFF ? bases[point - 0xC0] : '\0';
}

/* At most as long as the text; œ and æ become two letters, as long as their bytes. */
static char *fold(void *pool, const char *text)
{
	char *folded = pool_bytes(pool, strlen(text) + 1);
	size_t length = 0;

	for (const unsigned char *byte = (const unsigned char *)text; *byte != '\0'; byte++) {
		unsigned point = 0;

		if ((byte[0] & 0xE0) == 0xC0 && (byte[1] & 0xC0) == 0x80)
			point = (unsigned)(byte[0] & 0x1F) << 6 | (byte[1] & 0x3F);
		if (latin1_base(point) != '\0') {
			folded[length++] = latin1_base(point);
			byte++;
		} else if (point == 0x152 || point == 0x153 || point == 0xC6 || point == 0xE6) {
			folded[length++] = point > 0xFF ? 'o' : 'a';
			folded[length++] = 'e';
			byte++;
		} else {
			folded[length++] = (char)tolower(byte[0]);
		}
	}
	return folded;
}

static bool any_mentions(void *pool, const char **texts, size_t count, const char *folded)
{
	for (size_t index = 0; index < count; index++)
		if (strstr(fold(pool, texts[index]), folded) != NULL)
			return true;
	return false;
}

bool service_mentions(void *pool, const struct service *service, const char *words)
{
	void *scratch = pool_child(pool, "search");
	const char *folded = fold(scratch, words);
	bool is_found = strstr(fold(scratch, service->name), folded) != NULL ||
			strstr(fold(scratch, service->description), folded) != NULL ||
			any_mentions(scratch, service->aliases, service->aliases_count, folded) ||
			any_mentions(scratch, service->tags, service->tags_count, folded) ||
			any_mentions(scratch, service->sources, service->sources_count, folded);

	talloc_free(scratch);
	return is_found;
}
