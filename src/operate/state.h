/* What was applied here: the last policies, from which the running one, an earlier one and the way
 * back come.
 *
 * In the folder (folder.h): `state` is the list, a line with its SHA-256 and then JSON; `policy-HASH`
 * is a policy's whole text (bundle.h) under its SHA-256; `before-N` what the kernel held before entry N
 * was loaded, as long as that is not confirmed (target/nft/load/kept.h); `next-N.batch` and `next-N.rescue` what
 * a boot loads once entry N is confirmed. Files that the list names are
 * written before it and taken away after it, so that the list, old or new, is always good. */
#ifndef FWC_OPERATE_STATE_H
#define FWC_OPERATE_STATE_H

#include <time.h>

#include "base/text.h"
#include "optimise/level.h"
#include "operate/folder.h"

#define STATE_KEPT 20
#define STATE_HASH_LENGTH 64 /* SHA-256 in hexadecimal digits */

enum state_mark {
	STATE_LOADING,   /* about to be loaded, or loaded by a process that died then */
	STATE_WAITING,   /* loaded; goes unless it is confirmed */
	STATE_CONFIRMED,
	STATE_REVERTED,  /* not confirmed in time, or taken back */
};

struct state_entry {
	uint64_t number;         /* from 1; never given twice */
	enum state_mark mark;
	const char *hash;        /* of the policy's whole text */
	const char *policy, *version; /* what it calls itself, or NULL */
	const char *file;        /* that was applied, as named */
	const char *user;        /* who did it */
	const char *client;      /* the remote session that did it ("ADDRESS PORT ADDRESS PORT"), or NULL */
	const char *table;
	const char *kernel;      /* SHA-256 of what the kernel held of the table then, or NULL: not known */
	const char *glance;      /* of a glance at it (target/nft/load/kept.h), or NULL: not known */
	const char *place;       /* where (place.h) the kernel's rules were in this generation then, or NULL */
	uint32_t generation;
	const char *before;      /* SHA-256 of the file before-N, or NULL: it is gone, or not needed */
	time_t applied, deadline; /* UTC; deadline 0: needs no confirmation */
	uint64_t rules;
	bool allows_expired_deny, counts_all, has_log_group; /* options of that time */
	uint16_t log_group;
	enum optimise_level level;
	bool ends_denied;        /* connections that it denies are still to be ended (flows.h) */
	const char *profile;     /* the file, kept with the policy, by which rules were ordered; or NULL */
};

struct state {
	void *pool;
	struct folder *folder;
	int lock;                /* -1: none is held */
	uint64_t next;           /* the next entry's number */
	struct state_entry *entries; /* the oldest first, at most STATE_KEPT once written */
	size_t entries_count, entries_capacity;
};

/* For reading; an empty state where the folder is not there. NULL after an error in the bag. */
struct state *state_read(void *pool, struct diags *diags, const char *path);
/* For changing: makes the folder, and holds its lock until the pool goes. NULL after an error in the bag,
 * STATE_BUSY where somebody else holds the lock for long. */
struct state *state_open(void *pool, struct diags *diags, const char *path);
/* The lock alone: 0 or an errno, EWOULDBLOCK after wait_ms. */
int state_lock(struct state *state, unsigned wait_ms);
void state_unlock(struct state *state);
/* In a child that has closed all but the folder: the lock, and what was prepared, stay its parent's. */
void state_leave(struct state *state);
/* Reads the list again. false after an error in the bag. */
bool state_refresh(struct state *state, struct diags *diags);
/* Writes what was added, then the list, without the oldest of more than STATE_KEPT, first of those that were taken
 * back, and takes away files that it does not name. false with STATE_FAILED in the bag: the old list stands. */
bool state_write(struct state *state, struct diags *diags);
/* The same, but that it may be lost in a power cut (the old list is there again) until the next is written: for
 * what is about the kernel's rules, which are then lost, too. */
bool state_note(struct state *state, struct diags *diags);
/* The same as state_write for an entry that is now confirmed: a boot loads it from now on (state_take_boot). */
bool state_confirm(struct state *state, struct diags *diags, uint64_t number);
/* Takes away files that the list does not name. */
void state_tidy(const struct state *state);
/* Drops what was added and not written. */
void state_forget(struct state *state);

/* Adds an entry with the next number and hash, and its file. Neither has its place on disk before state_write.
 * NULL after an error in the bag. The address holds until the next is added. */
struct state_entry *state_add(struct state *state, struct diags *diags, const struct text *bundle);
/* Keeps what the kernel held before the entry. false after an error in the bag. */
bool state_keep_before(struct state *state, struct diags *diags, struct state_entry *entry,
		       const char *bytes, size_t length);
/* Keeps what a boot is to load once the entry is confirmed: the batch, of which the writer (folder.h) has all but
 * the head, and its rescue batch (target/nft/load/batch_file.h). false after an error in the bag. */
struct state_boot {
	struct folder_writer *batch;
	const char *head;
	size_t head_length;
	const struct text *rescue;
};
bool state_keep_boot(struct state *state, struct diags *diags, const struct state_entry *entry,
		     const struct state_boot *boot);
/* Puts both where `fwc boot` looks, `boot.batch` and `boot.batch.rescue`, when the entry stands in the list as
 * confirmed. What could not be done then, state_open does; a failure is a warning in the bag, for the rules are
 * in force. */
void state_take_boot(struct state *state, struct diags *diags, const struct state_entry *entry);
/* NULL where it is not there or damaged, after an error in the bag. */
const char *state_read_before(struct state *state, struct diags *diags, const struct state_entry *entry,
			      size_t *length);
/* What a boot would load; NULL where it is not there or cannot be read. */
char *state_read_boot(struct state *state, size_t *length);
/* Its messages alone. */
const char *state_read_messages(struct state *state, size_t *length);
const char *state_read_policy(struct state *state, struct diags *diags, const struct state_entry *entry,
			      size_t *length);

/* Each may be NULL. */
struct state_entry *state_find(const struct state *state, uint64_t number);
/* The newest that was confirmed or waits: what should be in force. */
struct state_entry *state_current(const struct state *state);
/* The one that waits for its confirmation (or was being loaded when its process died). */
struct state_entry *state_waiting(const struct state *state);

const char *state_mark_word(enum state_mark mark);
void state_hash(const char *bytes, size_t length, char hash[STATE_HASH_LENGTH + 1]);

#endif
