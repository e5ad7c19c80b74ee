/* Names of users. */
#include "operate/who.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/pool.h"

#define NAME_MOST 64

static const char *name_of(void *pool, uid_t user)
{
	const struct passwd *entry = getpwuid(user);
	return entry != NULL ? pool_strdup(pool, entry->pw_name) : pool_format(pool, "%u", (unsigned)user);
}

/* 4294967295: the process comes of no login. */
static bool read_login(uid_t *user)
{
	char text[16];
	int fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t length = read(fd, text, sizeof text - 1);
	close(fd);
	if (length <= 0)
		return false;
	text[length] = '\0';
	unsigned long value = strtoul(text, NULL, 10);
	*user = (uid_t)value;
	return value < UINT32_MAX;
}

bool who_has_login(void)
{
	uid_t user;
	return read_login(&user);
}

static const char *printable(void *pool, const char *name)
{
	char *copy = pool_strndup(pool, name, strnlen(name, NAME_MOST));
	for (char *at = copy; *at != '\0'; at++)
		if (*at <= ' ' || *at > '~')
			*at = '?';
	return copy;
}

const char *who_runs(void *pool)
{
	uid_t user;
	const char *sudo = getenv("SUDO_USER");
	if (read_login(&user))
		return printable(pool, name_of(pool, user));
	if (sudo != NULL && sudo[0] != '\0')
		return printable(pool, sudo);
	return printable(pool, name_of(pool, getuid()));
}
