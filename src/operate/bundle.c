/* Policies as one text. */
#include "operate/bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/pool.h"

#define HEAD "fwc policy 1\n"

struct bundle_file {
	const char *name;
	const char *bytes;
	size_t length;
	int error; /* errno of reading it */
	void *pool; /* of the bytes alone, while it is recorded */
};

struct bundle_name {
	const char *path, *identity;
};

struct bundle {
	void *pool;
	struct file_reader inner; /* while it is recorded */
	struct bundle_file *files;
	size_t files_count, files_capacity;
	struct bundle_name *identities;
	size_t identities_count, identities_capacity;
	struct names *by_name, *by_path; /* number + 1 in the arrays, as a pointer */
};

struct bundle *bundle_new(void *pool)
{
	struct bundle *bundle = pool_new(pool, struct bundle);
	bundle->pool = bundle;
	bundle->by_name = names_new(bundle, false);
	bundle->by_path = names_new(bundle, false);
	return bundle;
}

static const struct bundle_file *find_file(const struct bundle *bundle, const char *name)
{
	size_t number = (size_t)(uintptr_t)names_find(bundle->by_name, name, strlen(name));
	return number == 0 ? NULL : &bundle->files[number - 1];
}

static const char *find_identity(const struct bundle *bundle, const char *path)
{
	size_t number = (size_t)(uintptr_t)names_find(bundle->by_path, path, strlen(path));
	return number == 0 ? NULL : bundle->identities[number - 1].identity;
}

static void add_file(struct bundle *bundle, const struct bundle_file *file)
{
	if (find_file(bundle, file->name) != NULL)
		return;
	*pool_append(bundle->pool, bundle, files) = *file;
	names_set(bundle->by_name, file->name, strlen(file->name),
		  (void *)(uintptr_t)bundle->files_count);
}

static void add_identity(struct bundle *bundle, const char *path, const char *identity)
{
	if (find_identity(bundle, path) != NULL)
		return;
	*pool_append(bundle->pool, bundle, identities) = (struct bundle_name){ path, identity };
	names_set(bundle->by_path, path, strlen(path), (void *)(uintptr_t)bundle->identities_count);
}

/* --- readers ---------------------------------------------------------------------------------------- */

static int give(const struct bundle_file *file, const char **bytes, size_t *length)
{
	if (file->error != 0)
		return file->error;
	*bytes = file->bytes;
	*length = file->length;
	return 0;
}

/* A file is read once: what is kept is what the policy was made of, even if it changes meanwhile. */
static int read_recording(void *context, void *pool, const char *path, const char **bytes, size_t *length)
{
	struct bundle *bundle = context;
	const struct bundle_file *known = find_file(bundle, path);
	(void)pool;
	if (known != NULL)
		return give(known, bytes, length);
	struct bundle_file file = { .name = pool_strdup(bundle->pool, path), .bytes = "",
				    .pool = pool_child(bundle->pool, "file") };
	file.error = bundle->inner.read(bundle->inner.context, file.pool, path, &file.bytes, &file.length);
	add_file(bundle, &file);
	return give(&file, bytes, length);
}

static const char *identify_recording(void *context, void *pool, const char *path)
{
	struct bundle *bundle = context;
	const char *identity = bundle->inner.identify == NULL ? NULL :
			       bundle->inner.identify(bundle->inner.context, pool, path);
	if (identity != NULL && strcmp(identity, path) != 0)
		add_identity(bundle, pool_strdup(bundle->pool, path), pool_strdup(bundle->pool, identity));
	return identity;
}

struct file_reader bundle_recorder(struct bundle *bundle, const struct file_reader *inner)
{
	bundle->inner = *inner;
	return (struct file_reader){ read_recording, identify_recording, bundle };
}

static int read_kept(void *context, void *pool, const char *path, const char **bytes, size_t *length)
{
	const struct bundle_file *file = find_file(context, path);
	(void)pool;
	return file == NULL ? ENOENT : give(file, bytes, length);
}

static const char *identify_kept(void *context, void *pool, const char *path)
{
	(void)pool;
	return find_identity(context, path);
}

struct file_reader bundle_reader(struct bundle *bundle)
{
	return (struct file_reader){ read_kept, identify_kept, bundle };
}

/* --- text ------------------------------------------------------------------------------------------- */

void bundle_print(const struct bundle *bundle, const char *main_path, struct text *out)
{
	text_add(out, HEAD);
	text_addf(out, "main %zu\n%s\n", strlen(main_path), main_path);
	for (size_t i = 0; i < bundle->files_count; i++) {
		const struct bundle_file *file = &bundle->files[i];
		if (file->error != 0) {
			text_addf(out, "gone %zu %d\n%s\n", strlen(file->name), file->error, file->name);
			continue;
		}
		text_addf(out, "file %zu %zu\n%s\n", strlen(file->name), file->length, file->name);
		text_add_bytes(out, file->bytes, file->length);
		text_add_char(out, '\n');
	}
	for (size_t i = 0; i < bundle->identities_count; i++) {
		const struct bundle_name *name = &bundle->identities[i];
		text_addf(out, "name %zu %zu\n%s\n%s\n", strlen(name->path), strlen(name->identity), name->path,
			  name->identity);
	}
}

static bool is_source(const struct sources *sources, const char *bytes)
{
	for (size_t i = 0; i < sources->items_count; i++)
		if (sources->items[i]->bytes == bytes)
			return true;
	return false;
}

void bundle_drop_forgotten(struct bundle *bundle, const struct sources *sources)
{
	for (size_t i = 0; i < bundle->files_count; i++) {
		struct bundle_file *file = &bundle->files[i];
		if (file->pool == NULL || is_source(sources, file->bytes))
			continue;
		talloc_free(file->pool);
		file->pool = NULL;
		file->bytes = "";
		file->length = 0;
	}
}

struct scan {
	void *pool;
	const char *at, *end;
	bool is_bad;
};

static bool take_word(struct scan *scan, const char *word)
{
	size_t length = strlen(word);
	if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0)
		return false;
	scan->at += length;
	return true;
}

/* A number and the byte behind it. */
static size_t take_number(struct scan *scan, char last)
{
	size_t value = 0, digits = 0;
	for (; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; digits++)
		value = value * 10 + (size_t)(*scan->at++ - '0');
	scan->is_bad |= digits == 0 || digits > 18 || scan->at == scan->end || *scan->at++ != last;
	return value;
}

static const char *take_bytes(struct scan *scan, size_t length)
{
	if (scan->is_bad || (size_t)(scan->end - scan->at) <= length || scan->at[length] != '\n') {
		scan->is_bad = true;
		return "";
	}
	const char *bytes = scan->at;
	scan->at += length + 1;
	return bytes;
}

static const char *take_string(struct scan *scan, size_t length)
{
	return pool_strndup(scan->pool, take_bytes(scan, length), scan->is_bad ? 0 : length);
}

static void parse_file(struct scan *scan, struct bundle *bundle)
{
	size_t name_length = take_number(scan, ' '), length = take_number(scan, '\n');
	struct bundle_file file = { .name = take_string(scan, name_length), .length = length };
	const char *bytes = take_bytes(scan, length);
	/* readers end what they read with a NUL */
	file.bytes = scan->is_bad ? "" : pool_strndup(scan->pool, bytes, length);
	add_file(bundle, &file);
}

static void parse_gone(struct scan *scan, struct bundle *bundle)
{
	size_t name_length = take_number(scan, ' ');
	struct bundle_file file = { .bytes = "", .error = (int)take_number(scan, '\n') };
	file.name = take_string(scan, name_length);
	add_file(bundle, &file);
}

static void parse_name(struct scan *scan, struct bundle *bundle)
{
	size_t path_length = take_number(scan, ' '), length = take_number(scan, '\n');
	const char *path = take_string(scan, path_length);
	add_identity(bundle, path, take_string(scan, length));
}

struct bundle *bundle_parse(void *pool, const char *bytes, size_t length, const char **main_path)
{
	struct bundle *bundle = bundle_new(pool);
	struct scan scan = { .pool = bundle->pool, .at = bytes, .end = bytes + length };
	scan.is_bad = !take_word(&scan, HEAD) || !take_word(&scan, "main ");
	size_t main_length = scan.is_bad ? 0 : take_number(&scan, '\n');
	*main_path = take_string(&scan, main_length);
	while (!scan.is_bad && scan.at < scan.end) {
		if (take_word(&scan, "file "))
			parse_file(&scan, bundle);
		else if (take_word(&scan, "gone "))
			parse_gone(&scan, bundle);
		else if (take_word(&scan, "name "))
			parse_name(&scan, bundle);
		else
			scan.is_bad = true;
	}
	return scan.is_bad ? NULL : bundle;
}
