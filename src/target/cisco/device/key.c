/* Keys of tunnels. */
#include "target/cisco/device/key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "target/cisco/model/form.h"

/* The key, a line end, and one more by which a file that is too long is seen. */
#define FILE_MOST (KEY_LONGEST + 3)

static void report(struct device_lowering *lowering, const struct tunnel *tunnel, const char *where,
		   const char *what)
{
	struct diagnostic *error =
		diag_add(lowering->diags, CODE_TUNNEL_SECRET, tunnel->key_span, "%s %s", where, what);
	diag_note(lowering->diags, error, SPAN_NONE,
		  "'fwc compile --redact' makes a configuration without keys, to be looked at");
}

/* What makes the key unfit for a line of IOS, or NULL. */
static const char *mistake_of(const char *key)
{
	if (*key == '\0')
		return "is empty";
	if (strpbrk(key, "\r\n") != NULL)
		return "holds more than one line";
	if (strlen(key) > KEY_LONGEST)
		return "is longer than the 127 characters that IOS takes";
	if (!form_is_word(key))
		return "holds a blank, a '?' or something else than printable ASCII, which IOS cannot take";
	return NULL;
}

static const char *read_environment(struct device_lowering *lowering, const struct tunnel *tunnel,
				    const char *where)
{
	const char *key = getenv(tunnel->key_env);
	if (key == NULL)
		report(lowering, tunnel, where, "is not set where fwc runs: it is to hold the key");
	return key;
}

/* One line end at the end is the editor's. */
static void cut_line_end(char *bytes, size_t length)
{
	if (length > 0 && bytes[length - 1] == '\n')
		bytes[--length] = '\0';
	if (length > 0 && bytes[length - 1] == '\r')
		bytes[--length] = '\0';
}

static const char *read_file(struct device_lowering *lowering, const struct tunnel *tunnel,
			     const char *where)
{
	char *bytes = pool_bytes(lowering->pool, FILE_MOST + 1);
	FILE *file = fopen(tunnel->key_file, "re");
	size_t length = file == NULL ? 0 : fread(bytes, 1, FILE_MOST, file);
	int error = file == NULL || ferror(file) ? errno : 0;
	if (file != NULL)
		fclose(file);
	if (error != 0) {
		report(lowering, tunnel, where,
		       pool_format(lowering->pool, "cannot be read: %s", strerror(error)));
		return NULL;
	}
	if (memchr(bytes, '\0', length) != NULL) {
		report(lowering, tunnel, where, "holds a NUL, which no key has");
		return NULL;
	}
	cut_line_end(bytes, length);
	return bytes;
}

const char *key_read(struct device_lowering *lowering, const struct tunnel *tunnel)
{
	bool is_file = tunnel->key_file != NULL;
	const char *where = pool_format(lowering->pool, is_file ? "the key file '%s'" :
					"the environment variable '%s'",
					is_file ? tunnel->key_file : tunnel->key_env);
	if (lowering->settings->redacts)
		return KEY_REDACTED;
	const char *key = is_file ? read_file(lowering, tunnel, where) :
			  read_environment(lowering, tunnel, where);
	const char *mistake = key == NULL ? NULL : mistake_of(key);
	if (mistake != NULL)
		report(lowering, tunnel, where, mistake);
	return mistake == NULL ? key : NULL;
}
