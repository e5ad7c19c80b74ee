/* The list of what was applied. */
#include "operate/state.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/pool.h"
#include "base/sha256.h"
#include "diag/json.h"
#include "target/nft/load/batch_file.h"

#define LIST "state"
#define LOCK "lock"
#define BOOT "boot.batch"
#define HEAD "fwc state 1 "
#define HEAD_LENGTH (sizeof HEAD - 1 + STATE_HASH_LENGTH + 1) /* with the line end */
#define LOCK_WAIT_MS 10000

_Static_assert(SHA256_DIGITS == STATE_HASH_LENGTH, "the digits of a hash");

static const char *const mark_words[] = { "loading", "waiting", "confirmed", "reverted" };

const char *state_mark_word(enum state_mark mark)
{
	return mark_words[mark];
}

void state_hash(const char *bytes, size_t length, char hash[STATE_HASH_LENGTH + 1])
{
	sha256_digits_of(bytes, length, hash);
}

/* The way out of what the system's words leave open. */
static const char *way_out(int error)
{
	switch (error) {
	case EPERM: /* folder_read */
		return "it has to be a file of the user who runs fwc, which nobody else may write: look at what is "
		       "in it, chown, chmod 600";
	case ELOOP:
		return "it is a symbolic link, which fwc does not write: take it away";
	case EROFS:
	case ENOSPC:
	case EDQUOT:
		return "'--state DIR' keeps it elsewhere, where there is room";
	}
	return NULL;
}

static bool failed(const struct state *state, struct diags *diags, const char *action, const char *name, int error)
{
	struct diagnostic *diagnostic = diag_add(diags, CODE_STATE_FAILED, SPAN_NONE, "cannot %s '%s/%s': %s",
						 action, state->folder->path, name, strerror(error));
	if (way_out(error) != NULL)
		diag_note(diags, diagnostic, SPAN_NONE, "%s", way_out(error));
	return false;
}

static bool damaged_list(const struct state *state, struct diags *diags, const char *reason)
{
	const char *path = state->folder->path;
	struct diagnostic *error = diag_add(diags, CODE_STATE_DAMAGED, SPAN_NONE, "'%s/" LIST "' is damaged: %s",
					    path, reason);
	diag_note(diags, error, SPAN_NONE,
		  "the kernel's rules stay; begin anew: 'mv %s %s.damaged', and apply the policy at once, for a "
		  "boot finds no rules before that", path, path);
	return false;
}

static void damaged_text(const struct state *state, struct diags *diags, const char *name)
{
	struct diagnostic *error = diag_add(diags, CODE_STATE_DAMAGED, SPAN_NONE,
					    "'%s/%s' is damaged: it is not what fwc wrote", state->folder->path,
					    name);
	diag_note(diags, error, SPAN_NONE,
		  "'fwc rollback NUMBER' brings another entry of 'fwc history' back; or apply a policy's own file");
}

/* --- entries as JSON -------------------------------------------------------------------------------- */

static json_t *string_of(void *pool, const char *text)
{
	return text == NULL ? json_null() : json_text(pool, text);
}

static json_t *print_entry(void *pool, const struct state_entry *entry)
{
	return json_pack("{s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:b, s:b, s:b, "
			 "s:i, s:i, s:o, s:o, s:o, s:I, s:b}",
			 "number", (json_int_t)entry->number, "mark", state_mark_word(entry->mark),
			 "hash", entry->hash, "policy", string_of(pool, entry->policy),
			 "version", string_of(pool, entry->version), "file", string_of(pool, entry->file),
			 "user", string_of(pool, entry->user), "client", string_of(pool, entry->client),
			 "table", string_of(pool, entry->table), "kernel", string_of(pool, entry->kernel),
			 "before", string_of(pool, entry->before), "applied", (json_int_t)entry->applied,
			 "deadline", (json_int_t)entry->deadline, "rules", (json_int_t)entry->rules,
			 "expired-deny", entry->allows_expired_deny, "count", entry->counts_all, "has-log-group",
			 entry->has_log_group, "log-group", (int)entry->log_group,
			 "optimise", (int)optimise_level_number(entry->level),
			 "profile", string_of(pool, entry->profile), "glance",
			 string_of(pool, entry->glance), "place", string_of(pool, entry->place), "generation",
			 (json_int_t)entry->generation, "ends-denied", entry->ends_denied);
}

static bool read_mark(const char *word, enum state_mark *mark)
{
	for (size_t i = 0; i < sizeof mark_words / sizeof mark_words[0]; i++)
		if (strcmp(word, mark_words[i]) == 0) {
			*mark = (enum state_mark)i;
			return true;
		}
	return false;
}

static bool is_hash(const char *text)
{
	return text == NULL || (strlen(text) == STATE_HASH_LENGTH &&
				strspn(text, "0123456789abcdef") == STATE_HASH_LENGTH);
}

/* A string, or null where that may be. */
static bool parse_string(void *pool, json_t *item, const char *key, const char **string, bool may_be_null)
{
	json_t *value = json_object_get(item, key);
	*string = NULL;
	if (json_is_string(value))
		*string = pool_strdup(pool, json_string_value(value));
	return *string != NULL || (may_be_null && json_is_null(value));
}

/* One that an earlier fwc did not write. */
static bool parse_added(void *pool, json_t *item, const char *key, const char **string)
{
	return json_object_get(item, key) == NULL || parse_string(pool, item, key, string, true);
}

static bool parse_strings(void *pool, json_t *item, struct state_entry *entry)
{
	const char *mark;
	return parse_string(pool, item, "mark", &mark, false) && read_mark(mark, &entry->mark) &&
	       parse_string(pool, item, "hash", &entry->hash, false) && is_hash(entry->hash) &&
	       parse_string(pool, item, "policy", &entry->policy, true) &&
	       parse_string(pool, item, "version", &entry->version, true) &&
	       parse_string(pool, item, "file", &entry->file, false) &&
	       parse_string(pool, item, "user", &entry->user, false) &&
	       parse_string(pool, item, "client", &entry->client, true) &&
	       parse_string(pool, item, "table", &entry->table, false) &&
	       parse_string(pool, item, "kernel", &entry->kernel, true) && is_hash(entry->kernel) &&
	       parse_added(pool, item, "glance", &entry->glance) && is_hash(entry->glance) &&
	       parse_added(pool, item, "place", &entry->place) &&
	       parse_added(pool, item, "profile", &entry->profile) &&
	       parse_string(pool, item, "before", &entry->before, true) && is_hash(entry->before);
}

static bool parse_entry(void *pool, json_t *item, struct state_entry *entry)
{
	json_int_t number, applied, deadline, rules;
	int allows_expired_deny, counts_all, has_log_group, log_group, level = 1, ends_denied = 0;
	*entry = (struct state_entry){
		.generation = (uint32_t)json_integer_value(json_object_get(item, "generation")),
	};
	if (json_unpack(item, "{s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:i, s?i, s?b}",
			"number", &number, "applied", &applied, "deadline", &deadline,
			"rules", &rules, "expired-deny", &allows_expired_deny,
			"count", &counts_all, "has-log-group", &has_log_group, "log-group", &log_group,
			"optimise", &level, "ends-denied", &ends_denied) != 0 ||
	    number <= 0 || log_group < 0 || log_group > UINT16_MAX ||
	    !optimise_level_of(level, &entry->level))
		return false;
	entry->number = (uint64_t)number;
	entry->applied = (time_t)applied;
	entry->deadline = (time_t)deadline;
	entry->rules = (uint64_t)rules;
	entry->allows_expired_deny = allows_expired_deny != 0;
	entry->counts_all = counts_all != 0;
	entry->has_log_group = has_log_group != 0;
	entry->log_group = (uint16_t)log_group;
	entry->ends_denied = ends_denied != 0;
	return parse_strings(pool, item, entry);
}

/* --- the list on disk ------------------------------------------------------------------------------- */

static bool has_good_head(const char *bytes, size_t length)
{
	char hash[STATE_HASH_LENGTH + 1];
	if (length < HEAD_LENGTH || memcmp(bytes, HEAD, sizeof HEAD - 1) != 0 || bytes[HEAD_LENGTH - 1] != '\n')
		return false;
	state_hash(bytes + HEAD_LENGTH, length - HEAD_LENGTH, hash);
	return memcmp(bytes + sizeof HEAD - 1, hash, STATE_HASH_LENGTH) == 0;
}

static bool parse_root(struct state *state, json_t *root)
{
	json_t *entries, *item;
	json_int_t next;
	size_t index;
	if (json_unpack(root, "{s:I, s:o}", "next", &next, "entries", &entries) != 0 || !json_is_array(entries) ||
	    next <= 0)
		return false;
	state->next = (uint64_t)next;
	json_array_foreach(entries, index, item)
		if (!parse_entry(state->pool, item, pool_append(state->pool, state, entries)))
			return false;
	return true;
}

bool state_refresh(struct state *state, struct diags *diags)
{
	char *bytes;
	size_t length;
	state->entries_count = 0;
	state->next = 1;
	int error = folder_read(state->folder, state->pool, LIST, &bytes, &length);
	if (error == ENOENT)
		return true;
	if (error != 0)
		return failed(state, diags, "read", LIST, error);
	json_t *root = has_good_head(bytes, length)
		? json_loadb(bytes + HEAD_LENGTH, length - HEAD_LENGTH, 0, NULL) : NULL;
	bool is_good = root != NULL && parse_root(state, root);
	json_decref(root);
	if (!is_good && length >= HEAD_LENGTH && memcmp(bytes, HEAD, sizeof "fwc state" - 1) == 0 &&
	    memcmp(bytes, HEAD, sizeof HEAD - 1) != 0)
		return damaged_list(state, diags, "another version of fwc wrote it");
	return is_good || damaged_list(state, diags, "it is not what fwc wrote");
}

static const char *next_name(void *pool, const struct state_entry *entry, const char *what)
{
	return pool_format(pool, "next-%llu.%s", (unsigned long long)entry->number, what);
}

/* A boot's files wait for their place as long as their entry may be confirmed, or is the running one. */
static bool is_next(const struct state *state, const struct state_entry *entry, const char *name)
{
	bool is_wanted = entry->mark == STATE_LOADING || entry->mark == STATE_WAITING ||
			 entry == state_current(state);
	return is_wanted && (strcmp(name, next_name(state->pool, entry, "batch")) == 0 ||
			     strcmp(name, next_name(state->pool, entry, "rescue")) == 0);
}

static bool is_named(const char *name, const void *data)
{
	const struct state *state = data;
	static const char policy[] = "policy-", before[] = "before-", next[] = "next-";
	if (strncmp(name, policy, sizeof policy - 1) != 0 && strncmp(name, before, sizeof before - 1) != 0 &&
	    strncmp(name, next, sizeof next - 1) != 0 &&
	    strncmp(name, FOLDER_NEW, sizeof FOLDER_NEW - 1) != 0)
		return true; /* others have files there, too: the batch that boots */
	for (size_t i = 0; i < state->entries_count; i++) {
		const struct state_entry *entry = &state->entries[i];
		char number[24];
		(void)snprintf(number, sizeof number, "%llu", (unsigned long long)entry->number);
		if (is_next(state, entry, name) ||
		    (strncmp(name, policy, sizeof policy - 1) == 0 &&
		     strcmp(name + sizeof policy - 1, entry->hash) == 0) ||
		    (entry->before != NULL && strncmp(name, before, sizeof before - 1) == 0 &&
		     strcmp(name + sizeof before - 1, number) == 0))
			return true;
	}
	return false;
}

static void print_list(const struct state *state, struct text *out)
{
	char hash[STATE_HASH_LENGTH + 1];
	json_t *entries = json_array();
	for (size_t i = 0; i < state->entries_count; i++)
		json_array_append_new(entries, print_entry(state->pool, &state->entries[i]));
	json_t *root = json_pack("{s:I, s:o}", "next", (json_int_t)state->next, "entries", entries);
	char *json = root == NULL ? NULL : json_dumps(root, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	json_decref(root);
	if (json == NULL)
		pool_fail(state->pool, 0);
	state_hash(json, strlen(json), hash);
	text_addf(out, "%s%s\n%s", HEAD, hash, json);
	free(json);
}

/* The oldest that was taken back, else the oldest: who tries twenty times keeps what he had before. */
static size_t least_wanted(const struct state *state)
{
	for (size_t i = 0; i < state->entries_count; i++)
		if (state->entries[i].mark == STATE_REVERTED)
			return i;
	return 0;
}

/* The list behind what else was prepared, all in their places. */
static int put_list(struct state *state)
{
	struct text *out = text_new(state->pool);
	while (state->entries_count > STATE_KEPT) {
		size_t gone = least_wanted(state);
		state->entries_count--;
		memmove(state->entries + gone, state->entries + gone + 1,
			(state->entries_count - gone) * sizeof *state->entries);
	}
	print_list(state, out);
	int error = folder_prepare(state->folder, LIST, out->bytes, out->length);
	if (error == 0)
		error = folder_put(state->folder);
	talloc_free(out);
	return error;
}

void state_tidy(const struct state *state)
{
	folder_tidy(state->folder, is_named, state);
}

bool state_note(struct state *state, struct diags *diags)
{
	int error = put_list(state);
	return error == 0 || failed(state, diags, "write", LIST, error);
}

bool state_write(struct state *state, struct diags *diags)
{
	int error = put_list(state);
	if (error == 0)
		error = folder_sync(state->folder);
	if (error != 0)
		return failed(state, diags, "write", LIST, error);
	state_tidy(state);
	return true;
}

void state_forget(struct state *state)
{
	folder_forget(state->folder);
}

/* --- opening ---------------------------------------------------------------------------------------- */

int state_lock(struct state *state, unsigned wait_ms)
{
	state->lock = folder_lock(state->folder, LOCK, wait_ms);
	return state->lock < 0 ? errno : 0;
}

void state_unlock(struct state *state)
{
	if (state->lock >= 0)
		folder_unlock(state->lock);
	state->lock = -1;
}

void state_leave(struct state *state)
{
	state->lock = -1;
	folder_leave(state->folder);
}

static int state_close(struct state *state)
{
	state_unlock(state);
	return 0;
}

static struct state *state_new(void *pool)
{
	struct state *state = pool_new(pool, struct state);
	state->pool = state;
	state->lock = -1;
	state->next = 1;
	return state;
}

struct state *state_read(void *pool, struct diags *diags, const char *path)
{
	struct state *state = state_new(pool);
	size_t errors = diags->error_count;
	state->folder = folder_open(state, diags, path, false);
	if (state->folder == NULL)
		return diags->error_count == errors ? state : NULL;
	return state_refresh(state, diags) ? state : NULL;
}

struct state *state_open(void *pool, struct diags *diags, const char *path)
{
	struct state *state = state_new(pool);
	state->folder = folder_open(state, diags, path, true);
	if (state->folder == NULL)
		return NULL;
	int error = state_lock(state, LOCK_WAIT_MS);
	if (error == EWOULDBLOCK) {
		diag_add(diags, CODE_STATE_BUSY, SPAN_NONE,
			 "another fwc has been working on the state in '%s' for %d seconds", path,
			 LOCK_WAIT_MS / 1000);
		return NULL;
	}
	if (error != 0) {
		failed(state, diags, "lock", LOCK, error);
		return NULL;
	}
	talloc_set_destructor(state, state_close);
	if (!state_refresh(state, diags))
		return NULL;
	const struct state_entry *current = state_current(state);
	if (current != NULL && current->mark == STATE_CONFIRMED)
		state_take_boot(state, diags, current);
	return state;
}

/* --- entries ---------------------------------------------------------------------------------------- */

static const char *policy_name(void *pool, const char *hash)
{
	return pool_format(pool, "policy-%s", hash);
}

static const char *before_name(void *pool, const struct state_entry *entry)
{
	return pool_format(pool, "before-%llu", (unsigned long long)entry->number);
}

struct state_entry *state_add(struct state *state, struct diags *diags, const struct text *bundle)
{
	char hash[STATE_HASH_LENGTH + 1];
	state_hash(bundle->bytes, bundle->length, hash);
	const char *name = policy_name(state->pool, hash);
	int error = folder_prepare(state->folder, name, bundle->bytes, bundle->length);
	if (error != 0) {
		failed(state, diags, "write", name, error);
		return NULL;
	}
	struct state_entry *entry = pool_append(state->pool, state, entries);
	*entry = (struct state_entry){ .number = state->next++, .hash = pool_strdup(state->pool, hash) };
	return entry;
}

bool state_keep_before(struct state *state, struct diags *diags, struct state_entry *entry, const char *bytes,
		       size_t length)
{
	char hash[STATE_HASH_LENGTH + 1];
	const char *name = before_name(state->pool, entry);
	int error = folder_prepare(state->folder, name, bytes, length);
	if (error != 0)
		return failed(state, diags, "write", name, error);
	state_hash(bytes, length, hash);
	entry->before = pool_strdup(state->pool, hash);
	return true;
}

bool state_keep_boot(struct state *state, struct diags *diags, const struct state_entry *entry,
		     const struct state_boot *boot)
{
	const char *name = next_name(state->pool, entry, "batch");
	int error = folder_writer_end(boot->batch, name, boot->head, boot->head_length);
	if (error == 0) {
		name = next_name(state->pool, entry, "rescue");
		error = folder_prepare(state->folder, name, boot->rescue->bytes, boot->rescue->length);
	}
	return error == 0 || failed(state, diags, "write", name, error);
}

static void boot_failed(const struct state *state, struct diags *diags, const char *place, int error)
{
	diag_add(diags, CODE_BOOT_STALE, SPAN_NONE,
		 "a boot still loads an earlier policy: cannot write '%s/%s': %s", state->folder->path, place,
		 strerror(error));
}

/* Whether there was one to be put in its place. */
static bool put_boot(struct state *state, struct diags *diags, const struct state_entry *entry)
{
	static const char *const places[] = { BOOT ".rescue", BOOT };
	const char *names[] = { next_name(state->pool, entry, "rescue"),
				next_name(state->pool, entry, "batch") };
	bool has_one = false;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (!folder_has(state->folder, names[i]))
			continue;
		int error = folder_rename(state->folder, names[i], places[i]);
		if (error != 0)
			boot_failed(state, diags, places[i], error);
		has_one = true;
	}
	return has_one;
}

void state_take_boot(struct state *state, struct diags *diags, const struct state_entry *entry)
{
	int error = put_boot(state, diags, entry) ? folder_sync(state->folder) : 0;
	if (error != 0)
		boot_failed(state, diags, BOOT, error);
}

bool state_confirm(struct state *state, struct diags *diags, uint64_t number)
{
	int error = put_list(state);
	if (error != 0)
		return failed(state, diags, "write", LIST, error);
	(void)put_boot(state, diags, state_find(state, number));
	error = folder_sync(state->folder);
	if (error != 0)
		boot_failed(state, diags, BOOT, error);
	state_tidy(state);
	return true;
}

static const char *read_hashed(struct state *state, struct diags *diags, const char *name, const char *hash,
			       size_t *length)
{
	char found[STATE_HASH_LENGTH + 1];
	char *bytes;
	int error = folder_read(state->folder, state->pool, name, &bytes, length);
	if (error != 0) {
		failed(state, diags, "read", name, error);
		return NULL;
	}
	state_hash(bytes, *length, found);
	if (strcmp(found, hash) == 0)
		return bytes;
	damaged_text(state, diags, name);
	return NULL;
}

const char *state_read_before(struct state *state, struct diags *diags, const struct state_entry *entry,
			      size_t *length)
{
	return read_hashed(state, diags, before_name(state->pool, entry), entry->before, length);
}

char *state_read_boot(struct state *state, size_t *length)
{
	char *bytes;
	return folder_read(state->folder, state->pool, BOOT, &bytes, length) == 0 ? bytes : NULL;
}

const char *state_read_messages(struct state *state, size_t *length)
{
	const char *batch = state_read_boot(state, length);
	if (batch == NULL || *length < NFT_BATCH_FILE_HEAD)
		return NULL;
	*length -= NFT_BATCH_FILE_HEAD;
	return batch + NFT_BATCH_FILE_HEAD;
}

const char *state_read_policy(struct state *state, struct diags *diags, const struct state_entry *entry,
			      size_t *length)
{
	return read_hashed(state, diags, policy_name(state->pool, entry->hash), entry->hash, length);
}

struct state_entry *state_find(const struct state *state, uint64_t number)
{
	for (size_t i = 0; i < state->entries_count; i++)
		if (state->entries[i].number == number)
			return &state->entries[i];
	return NULL;
}

struct state_entry *state_current(const struct state *state)
{
	for (size_t i = state->entries_count; i-- > 0;)
		if (state->entries[i].mark == STATE_CONFIRMED || state->entries[i].mark == STATE_WAITING)
			return &state->entries[i];
	return NULL;
}

struct state_entry *state_waiting(const struct state *state)
{
	for (size_t i = state->entries_count; i-- > 0;)
		if (state->entries[i].mark == STATE_WAITING || state->entries[i].mark == STATE_LOADING)
			return &state->entries[i];
	return NULL;
}
