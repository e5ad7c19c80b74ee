/* Text of unknown origin for IOS. */
#include "target/cisco/model/safe.h"

#include <string.h>
#include <strings.h>

#include "base/pool.h"
#include "base/text.h"

/* What may follow `log`; IOS takes any part of them for the keyword. */
static const char *const keywords[] = { "established", "fragments", "log-input", "reflect", "time-range" };

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_plain(char byte)
{
	return is_letter(byte) || (byte >= '0' && byte <= '9');
}

static bool is_word(char byte)
{
	return is_plain(byte) || byte == '-' || byte == '_';
}

static bool is_blank(unsigned char byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* As it is. */
static bool is_safe(unsigned char byte)
{
	return byte > 0x20 && byte < 0x7f && byte != '?' && byte != '"';
}

static char replaced(unsigned char byte)
{
	if (byte == '"')
		return '\'';
	return is_safe(byte) ? (char)byte : '.';
}

size_t safe_write(char *safe, const char *bytes, size_t length, size_t most)
{
	size_t count = 0;
	bool is_pending = false;

	for (size_t index = 0; index < length && count < most; index++) {
		unsigned char byte = (unsigned char)bytes[index];

		if (is_safe(byte) && !is_pending) {
			safe[count++] = (char)byte;
			continue;
		}
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
	safe[count] = '\0';
	return count;
}

const char *safe_text(void *pool, const char *bytes, size_t length, size_t most)
{
	char *safe = pool_bytes(pool, (length < most ? length : most) + 1);

	(void)safe_write(safe, bytes, length, most);
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

static void add_cookie_byte(struct text *out, char byte)
{
	static const char others[] = "-d_u.pZZ"; /* each with the letter that stands for it */
	const char *other = strchr("-_.Z", byte);

	if (other == NULL && is_plain(byte))
		text_add_char(out, byte);
	else if (other == NULL)
		text_addf(out, "Zx%02x", (unsigned char)byte);
	else
		text_addf(out, "Z%c", strchr(others, byte)[1]);
}

const char *safe_cookie(void *pool, const char *id)
{
	struct text *out = text_new(pool);

	for (const char *byte = id; *byte != '\0'; byte++)
		add_cookie_byte(out, *byte);
	if (out->length == 0 || out->length > SAFE_COOKIE_MAX || strncasecmp(out->bytes, "0x", 2) == 0)
		return NULL;
	for (size_t index = 0; index < sizeof keywords / sizeof keywords[0]; index++)
		if (strcasestr(keywords[index], out->bytes) != NULL)
			return NULL;
	return out->bytes;
}
