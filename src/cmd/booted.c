/* The comment, and the way back from it to what was loaded. */
#include "cmd/booted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pool.h"
#include "rules/rescue.h"
#include "target/nft/model/safe.h"

static const char *const words[] = { "policy", "rescue", "built-in" };

const char *booted_word(enum booted_what what)
{
	return words[what];
}

/* --- the file ----------------------------------------------------------------------------------------- */

/* NULL, or the reason why not. */
static const char *check_owner(void *pool, const struct stat *facts)
{
	if (!S_ISREG(facts->st_mode))
		return "it is no regular file";
	if (facts->st_uid != 0 && facts->st_uid != geteuid())
		return pool_format(pool, "it belongs to user %u, not to root", (unsigned)facts->st_uid);
	if ((facts->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "others may write it";
	if (facts->st_size > INT32_MAX)
		return "it is too large";
	return NULL;
}

/* The bytes of the file; NULL with *reason. */
static char *read_whole(void *pool, int file, size_t *length, const char **reason)
{
	struct stat facts;
	char *bytes;
	int error;

	if (fstat(file, &facts) != 0) {
		*reason = strerror(errno);
		return NULL;
	}
	*reason = check_owner(pool, &facts);
	if (*reason != NULL)
		return NULL;
	bytes = pool_bytes(pool, (size_t)facts.st_size + 1);
	error = file_read(file, bytes, (size_t)facts.st_size, length);
	if (error != 0)
		*reason = strerror(error);
	return error == 0 ? bytes : NULL;
}

const char *booted_read_file(void *pool, const char *path, struct nft_batch_file *batch)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	const char *reason = NULL;
	char *bytes;
	size_t length = 0;

	if (file < 0)
		return errno == ELOOP ? "it is a symbolic link" : strerror(errno);
	bytes = read_whole(pool, file, &length, &reason);
	close(file);
	return bytes == NULL ? reason : nft_batch_file_read(pool, bytes, length, batch);
}

/* --- the comment -------------------------------------------------------------------------------------- */

/* The path from the root on, or NULL. */
static const char *whole_path(void *pool, const char *path)
{
	char *resolved = path == NULL || path[0] == '/' ? NULL : realpath(path, NULL);
	const char *whole = resolved == NULL ? path : pool_strdup(pool, resolved);

	free(resolved);
	return whole != NULL && whole[0] == '/' ? whole : NULL;
}

/* A path that does not fit is left out: half of one would be another. */
static const char *comment_of(void *pool, enum booted_what what, const char *sha256, const char *path)
{
	const char *text = pool_format(pool, "booted %s sha256 %s", words[what], sha256);
	const char *absolute = whole_path(pool, path);
	const char *whole = absolute == NULL ? text : pool_format(pool, "%s %s", text, absolute);

	return strcmp(nft_safe(whole).bytes, whole) == 0 ? whole : text;
}

void booted_add_mark(void *pool, struct nft_batch_file *file, enum booted_what what, const char *path)
{
	if (!nft_batch_file_has_chain(file, ENFORCE_MARK))
		nft_batch_file_add_chain(file, BOOTED_CHAIN, comment_of(pool, what, file->sha256, path));
}

struct nft_table *booted_bare(struct session *session)
{
	const struct nft_settings settings = { .table = session->options.nft.table };
	void *pool = pool_child(session->pool, "built in");
	struct nft_table *table = nft_lower(pool, session->diags, ruleset_bare(pool), &settings);
	struct nft_chain *chain;

	if (table == NULL)
		return NULL;
	chain = pool_new(table, struct nft_chain);
	chain->name = BOOTED_CHAIN;
	chain->comment = "booted built-in";
	*pool_append(table, table, chains) = chain;
	return table;
}

bool booted_parse(void *pool, const char *comment, struct booted *booted)
{
	const char *rest;
	size_t length;

	if (strcmp(comment, "booted built-in") == 0) {
		*booted = (struct booted){ .what = BOOTED_BUILT_IN };
		return true;
	}
	for (unsigned what = BOOTED_POLICY; what <= BOOTED_RESCUE; what++) {
		rest = pool_format(pool, "booted %s sha256 ", words[what]);
		length = strlen(rest);
		if (strncmp(comment, rest, length) != 0)
			continue;
		rest = comment + length;
		if (strspn(rest, "0123456789abcdef") != REREAD_HASH_LENGTH)
			return false;
		*booted = (struct booted){ .what = (enum booted_what)what,
					   .sha256 = pool_strndup(pool, rest, REREAD_HASH_LENGTH) };
		if (rest[REREAD_HASH_LENGTH] == ' ' && rest[REREAD_HASH_LENGTH + 1] == '/')
			booted->path = pool_strdup(pool, rest + REREAD_HASH_LENGTH + 1);
		return true;
	}
	return false;
}

/* --- what it made ------------------------------------------------------------------------------------- */

static struct kept_hash_result expect_of(void *pool, const struct text *messages, const char *table)
{
	return nft_kept_expect(pool, messages->bytes, messages->length, table, NFT_KEPT_GLANCED);
}

static bool expect_bare(struct session *session, struct kept_hash_result *expected)
{
	const struct nft_table *table = booted_bare(session);
	struct text *batch = text_new(session->pool);
	struct text *messages = text_new(session->pool);

	if (table == NULL)
		return false;
	nft_batch_file_write(batch, table);
	text_add_bytes(messages, batch->bytes + NFT_BATCH_FILE_HEAD, batch->length - NFT_BATCH_FILE_HEAD);
	*expected = expect_of(session->pool, messages, table->name);
	return true;
}

static bool expect_file(struct session *session, const struct booted *booted, const char *path,
			struct kept_hash_result *expected)
{
	void *pool = pool_child(session->pool, "booted");
	struct text *messages = text_new(pool);
	struct nft_batch_file file;
	bool is_it = booted_read_file(pool, path, &file) == NULL && strcmp(file.sha256, booted->sha256) == 0;

	if (is_it) {
		/* as it was put then */
		booted_add_mark(pool, &file, booted->what, booted->path);
		nft_batch_file_messages(&file, messages);
		*expected = expect_of(session->pool, messages, file.table);
	}
	talloc_free(pool);
	return is_it;
}

bool booted_expect(struct session *session, const struct booted *booted, const char *directory,
		   struct kept_hash_result *expected)
{
	const char *kept = pool_format(session->pool, "%s/boot.batch%s", directory,
				       booted->what == BOOTED_RESCUE ? ".rescue" : "");

	if (booted->what == BOOTED_BUILT_IN)
		return expect_bare(session, expected);
	return (booted->path != NULL && expect_file(session, booted, booted->path, expected)) ||
	       expect_file(session, booted, kept, expected);
}
