/* Loading: read what is there, build a batch that replaces it, send it, compare-and-swap on the
 * kernel's generation. A foreign change in between makes the batch stale: all is read again.
 *
 * A table that looks into interval sets is replaced in steps (replace.h): what its base chains refer
 * to is made in one transaction, the base chains are switched over in the next.
 *
 * A batch must fit the socket's send buffer, which only the host's root may raise without limit.
 * Where it does not fit, new chains and sets are filled beside those in use, in several
 * transactions that no packet sees; one small transaction then switches the base chains over, and
 * the old ones are taken away. Until the switch nothing has changed for packets, and a failure
 * takes away what was prepared. */
#include "target/nft/load.h"

#include <errno.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/refusal.h"
#include "target/nft/replace.h"

#define ATTEMPTS_MAX 20
/* Below this a socket cannot hold one rule and what is round it. */
#define ROOM_MIN 4096
/* What a socket is raised to for steps; pieces are cut to what it gives. */
#define ROOM_WANTED (64u << 20)

enum outcome_of_load { LOAD_DONE, LOAD_FAILED, LOAD_STALE, LOAD_TOO_LARGE };

struct load {
	void *pool; /* of one attempt */
	struct diags *diags;
	const struct nft_table *table;
	const struct nft_load_limits *limits;
	struct nft_socket *socket;
	struct nft_kernel *kernel;
	struct nft_answer answer;
};

static size_t room_for(const struct load *load, size_t wanted)
{
	size_t room = nft_send_room(load->socket, wanted);
	size_t most = load->limits->send_max;
	return most != 0 && most < room ? most : room;
}

static enum outcome_of_load too_large(const struct load *load, size_t wanted, size_t room)
{
	struct diagnostic *diagnostic =
		diag_add(load->diags, CODE_KERNEL_BUFFER, SPAN_NONE,
			 "the batch does not fit the socket's buffer: %zu bytes, it takes %zu", wanted, room);
	diag_note(load->diags, diagnostic, SPAN_NONE,
		  "raise it on the host (sysctl net.core.wmem_max=%zu), or load as root of the host",
		  wanted);
	return LOAD_FAILED;
}

/* What an error of a transaction means for the load. */
static enum outcome_of_load outcome_of(struct load *load, const struct nft_batch *batch, int error)
{
	switch (error) {
	case 0:
		return LOAD_DONE;
	case ERESTART:
		return LOAD_STALE;
	case EMSGSIZE:
	case ENOBUFS:
		if (load->answer.refusals_count == 0)
			return LOAD_TOO_LARGE;
		break;
	}
	if (error == EPERM || load->answer.refusals_count == 0)
		nft_report_error(load->diags, error, "load the ruleset");
	else
		nft_report_refusals(load->pool, load->diags, batch, &load->answer);
	return LOAD_FAILED;
}

/* --- direct ------------------------------------------------------------------------------------------ */

static enum outcome_of_load load_direct(struct load *load)
{
	struct nft_replacement all = nft_replace_direct(load->pool, load->table, load->kernel);
	enum outcome_of_load outcome = LOAD_TOO_LARGE;
	if (all.batch->bytes <= room_for(load, all.batch->bytes)) {
		int error = nft_send(load->socket, all.batch, 0, all.batch->messages_count,
				     load->kernel->generation, &load->answer);
		outcome = outcome_of(load, all.batch, error);
	}
	talloc_free(all.batch);
	return outcome;
}

/* --- staged ------------------------------------------------------------------------------------------- */

/* The end of the longest run of messages from first that fits; first + 1 at least. */
static size_t slice_end(const struct nft_batch *batch, size_t first, size_t end, size_t room)
{
	size_t bytes = 0, at = first;
	for (; at < end; at++) {
		bytes += nft_batch_bytes(batch, at, at + 1);
		if (bytes > room && at != first)
			break;
	}
	return at;
}

/* Sends without a look at what comes back: what stays behind hangs on no hook, and the next load
 * takes it away. */
static void send_cleanup(struct load *load, struct nft_batch *batch, size_t first, size_t room)
{
	struct nft_answer answer;
	for (size_t end; first < batch->messages_count; first = end) {
		end = slice_end(batch, first, batch->messages_count, room);
		if (nft_send(load->socket, batch, first, end, 0, &answer) != 0)
			return;
	}
}

static void undo(struct load *load, size_t room)
{
	struct nft_kernel *now;
	if (nft_kernel_read(load->pool, load->socket, load->table->name, &now) == 0)
		send_cleanup(load, nft_replace_undo(load->pool, now, load->kernel), 0, room);
}

/* Each commit of ours moves the kernel one generation on; zero is left out (nf_tables_commit). */
static uint32_t next_generation(uint32_t generation)
{
	return generation + 1 == 0 ? 1 : generation + 1;
}

/* Has nobody taken a thing from the table since it was read, and put a base chain in? What stands
 * in the old chains and sets does not matter: they all go. */
static bool is_as_expected(const struct load *load, const struct nft_kernel *now)
{
	const struct nft_kernel *before = load->kernel;
	size_t bases = 0;
	if (before->has_table && !now->has_table)
		return false;
	for (size_t i = 0; i < before->chains_count; i++)
		if (nft_kernel_chain_find(now, before->chains[i].name) == NULL)
			return false;
	for (size_t i = 0; i < before->sets_count; i++)
		if (nft_kernel_set_find(now, before->sets[i].name) == NULL)
			return false;
	for (size_t i = 0; i < now->chains_count; i++)
		bases += now->chains[i].is_base;
	for (size_t i = 0; i < before->chains_count; i++)
		bases -= before->chains[i].is_base;
	return bases == 0;
}

/* One transaction of a staged load. A change of other tables in between is no reason to begin anew:
 * on a busy host the many transactions would never get through. */
static enum outcome_of_load send_slice(struct load *load, struct nft_batch *batch, size_t first,
				       size_t end, uint32_t *generation)
{
	int error = ERESTART;
	for (int number = 0; number < ATTEMPTS_MAX; number++) {
		error = nft_send(load->socket, batch, first, end, *generation, &load->answer);
		if (error != ERESTART)
			break;
		struct nft_kernel *now;
		if (nft_kernel_read(load->pool, load->socket, load->table->name, &now) != 0)
			break;
		bool goes_on = is_as_expected(load, now);
		*generation = now->generation;
		talloc_free(now);
		if (!goes_on)
			break;
	}
	*generation = next_generation(*generation);
	return outcome_of(load, batch, error);
}

static enum outcome_of_load send_prepared(struct load *load, struct nft_batch *batch, size_t end,
					  size_t room, uint32_t *generation)
{
	enum outcome_of_load outcome = LOAD_DONE;
	for (size_t first = 0, last; first < end && outcome == LOAD_DONE; first = last) {
		last = slice_end(batch, first, end, room);
		outcome = send_slice(load, batch, first, last, generation);
	}
	return outcome;
}

/* The longest piece that has to go in one transaction. */
static size_t largest_piece(const struct nft_replacement *staged)
{
	size_t largest = nft_batch_bytes(staged->batch, staged->switch_begin, staged->cleanup_begin);
	for (size_t i = 0; i < staged->batch->messages_count; i++) {
		size_t bytes = nft_batch_bytes(staged->batch, i, i + 1);
		if (bytes > largest)
			largest = bytes;
	}
	return largest;
}

/* Prepares, switches and cleans up. LOAD_TOO_LARGE: nothing was sent. */
static enum outcome_of_load load_steps(struct load *load, const struct nft_replacement *steps, size_t room)
{
	if (largest_piece(steps) > room)
		return LOAD_TOO_LARGE;
	uint32_t generation = load->kernel->generation;
	enum outcome_of_load outcome = send_prepared(load, steps->batch, steps->switch_begin, room,
						     &generation);
	if (outcome == LOAD_DONE) {
		int error = nft_send(load->socket, steps->batch, steps->switch_begin, steps->cleanup_begin,
				     generation, &load->answer);
		outcome = outcome_of(load, steps->batch, error);
	}
	if (outcome == LOAD_DONE)
		send_cleanup(load, steps->batch, steps->cleanup_begin, room);
	else
		undo(load, room);
	return outcome;
}

static enum outcome_of_load load_staged(struct load *load)
{
	size_t room = room_for(load, 0);
	if (room < ROOM_MIN)
		return too_large(load, ROOM_MIN, room);
	struct nft_replacement staged = nft_replace_staged(load->pool, load->table, load->kernel, room / 2);
	enum outcome_of_load outcome = load_steps(load, &staged, room);
	return outcome == LOAD_TOO_LARGE ? too_large(load, largest_piece(&staged), room) : outcome;
}

/* --- prepared ----------------------------------------------------------------------------------------- */

static enum outcome_of_load load_prepared(struct load *load)
{
	size_t room = room_for(load, ROOM_WANTED);
	struct nft_replacement steps = nft_replace_prepared(load->pool, load->table, load->kernel, room / 2);
	return load_steps(load, &steps, room);
}

/* Where the final names are in use, the policy is put in force under others first, and then again
 * under its own. Once it is in force the load is done, whatever becomes of the names. */
static enum outcome_of_load load_in_steps(struct load *load, bool *is_staged)
{
	enum outcome_of_load outcome;
	*is_staged = !nft_replace_is_clear(load->pool, load->table, load->kernel);
	if (!*is_staged) {
		outcome = load_prepared(load);
		*is_staged = outcome == LOAD_TOO_LARGE;
		return *is_staged ? load_staged(load) : outcome;
	}
	outcome = load_staged(load);
	if (outcome != LOAD_DONE)
		return outcome;
	size_t errors = load->diags->error_count;
	if (nft_kernel_read(load->pool, load->socket, load->table->name, &load->kernel) == 0 &&
	    nft_replace_is_clear(load->pool, load->table, load->kernel))
		*is_staged = load_prepared(load) != LOAD_DONE;
	return load->diags->error_count == errors ? LOAD_DONE : LOAD_FAILED;
}

/* --- attempts ------------------------------------------------------------------------------------------ */

static enum outcome_of_load attempt(struct load *load, bool *is_staged)
{
	int error = nft_kernel_read(load->pool, load->socket, load->table->name, &load->kernel);
	if (error != 0) {
		nft_report_error(load->diags, error, "read the kernel's rules");
		return LOAD_FAILED;
	}
	if (nft_replace_wants_steps(load->table, load->kernel))
		return load_in_steps(load, is_staged);
	enum outcome_of_load outcome = load_direct(load);
	*is_staged = outcome == LOAD_TOO_LARGE;
	return *is_staged ? load_staged(load) : outcome;
}

static bool load_with_socket(void *pool, struct load *load, bool *is_staged)
{
	enum outcome_of_load outcome = LOAD_STALE;
	for (int number = 0; number < ATTEMPTS_MAX && outcome == LOAD_STALE; number++) {
		load->pool = pool_child(pool, "load attempt");
		outcome = attempt(load, is_staged);
		talloc_free(load->pool);
	}
	if (outcome == LOAD_STALE)
		diag_add(load->diags, CODE_KERNEL_BUSY, SPAN_NONE,
			 "other programs changed the kernel's rules %d times while they were loaded",
			 ATTEMPTS_MAX);
	return outcome == LOAD_DONE;
}

bool nft_load_within(void *pool, struct diags *diags, const struct nft_table *table,
		     const struct nft_load_limits *limits, bool *is_staged)
{
	bool staged = false;
	struct load load = {
		.diags = diags,
		.table = table,
		.limits = limits,
		.socket = nft_socket_new(pool),
	};
	if (load.socket == NULL) {
		nft_report_error(diags, errno, "open a netlink socket");
		return false;
	}
	bool is_loaded = load_with_socket(pool, &load, &staged);
	if (is_staged != NULL)
		*is_staged = staged;
	talloc_free(load.socket);
	return is_loaded;
}

bool nft_load(void *pool, struct diags *diags, const struct nft_table *table)
{
	return nft_load_within(pool, diags, table, &(struct nft_load_limits){ 0 }, NULL);
}
