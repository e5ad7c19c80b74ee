#include "target/nft/load/legacy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pool.h"
#include "base/text.h"

#define NAMES_MOST 1024 /* bytes: there are five tables */

static const struct legacy {
	const char *path, *program;
	unsigned families;
} lists[] = {
	{ "/proc/net/ip_tables_names", "iptables-legacy", FAMILIES_IPV4 },
	{ "/proc/net/ip6_tables_names", "ip6tables-legacy", FAMILIES_IPV6 },
};

/* A line each; "" and an errno where the process may not know. */
static int read_names(const struct legacy *legacy, char names[NAMES_MOST])
{
	size_t length = 0;
	int fd = open(legacy->path, O_RDONLY | O_CLOEXEC);
	int error = fd >= 0 ? file_read(fd, names, NAMES_MOST - 1, &length) : errno == ENOENT ? 0 : errno;
	names[error == 0 ? length : 0] = '\0';
	if (fd >= 0)
		close(fd);
	return error;
}

/* names: a line each, which is taken apart; the kernel names last what was made first. */
static void add_names(struct text *out, char *names, const char *program)
{
	size_t count = 0;
	char *end;
	while ((end = strrchr(names, '\n')) != NULL) {
		*end = '\0';
		char *line = strrchr(names, '\n');
		const char *name = line == NULL ? names : line + 1;
		if (*name == '\0')
			continue;
		if (count++ == 0)
			text_addf(out, "%s%s (", out->length == 0 ? "" : " and ", program);
		text_addf(out, "%s%s", count == 1 ? "" : ", ", name);
	}
	text_add(out, count == 0 ? "" : ")");
}

const char *nft_legacy_tables(void *pool)
{
	struct text *out = text_new(pool);
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		char names[NAMES_MOST];
		(void)read_names(&lists[i], names);
		add_names(out, names, lists[i].program);
	}
	return out->length == 0 ? NULL : out->bytes;
}

int nft_legacy_translated(unsigned *families)
{
	int error = 0;
	*families = FAMILIES_NONE;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0] && error == 0; i++) {
		char names[NAMES_MOST + 1] = "\n"; /* each name stands between two ends of lines */
		error = read_names(&lists[i], names + 1);
		if (strstr(names, "\nnat\n") != NULL)
			*families |= lists[i].families;
	}
	return error;
}
