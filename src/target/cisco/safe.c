/* Text of unknown origin for IOS. */
#include "target/cisco/safe.h"

#include <string.h>

#include "base/pool.h"

/* What may follow `log`; IOS takes any part of them for the keyword. */
static const char *const keywords[] = { "established", "fragments", "log-input", "reflect", "time-range" };

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_word(char byte)
{
	return is_letter(byte) || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
}

static bool is_blank(unsigned char byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

static char replaced(unsigned char byte)
{
	if (byte == '"')
		return '\'';
	return byte > 0x20 && byte < 0x7f && byte != '?' ? (char)byte : '.';
}

const char *safe_text(void *pool, const char *bytes, size_t length, size_t most)
{
	char *safe = pool_bytes(pool, (length < most ? length : most) + 1);
	size_t count = 0;
	bool is_pending = false;

	for (size_t index = 0; index < length && count < most; index++) {
		unsigned char byte = (unsigned char)bytes[index];

		if (is_blank(byte)) {
			is_pending = count > 0;
			continue;
		}
		if (is_continuation(byte))
			continue;
		if (is_pending && count + 1 == most)
			break;
		if (is_pending)
			safe[count++] = ' ';
		is_pending = false;
		safe[count++] = replaced(byte);
	}
	return safe;
}

const char *safe_name(void *pool, const char *name)
{
	char *safe = pool_strdup(pool, name);

	for (size_t index = 0; safe[index] != '\0'; index++)
		if (!is_word(safe[index]))
			safe[index] = '-';
	return safe;
}

bool safe_is_name(const char *name)
{
	size_t length = 0;

	while (is_word(name[length]))
		length++;
	return is_letter(name[0]) && name[length] == '\0' && length <= SAFE_NAME_MAX;
}

bool safe_is_cookie(const char *cookie)
{
	size_t length = 0;

	while (is_word(cookie[length]) || cookie[length] == '.')
		length++;
	if (length == 0 || cookie[length] != '\0' || length > SAFE_COOKIE_MAX || strncmp(cookie, "0x", 2) == 0)
		return false;
	for (size_t index = 0; index < sizeof keywords / sizeof keywords[0]; index++)
		if (strstr(keywords[index], cookie) != NULL)
			return false;
	return true;
}
