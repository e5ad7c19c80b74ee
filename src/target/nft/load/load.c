/* Loading: read what is there, build a batch that replaces it, send it, compare-and-swap on the
 * kernel's generation. A foreign change in between makes the batch stale: all is read again.
 *
 * A table with maps or interval sets is replaced in steps (replace.h): what its base chains refer to is made in one
 * transaction, the base chains are switched over in the next, and what they referred to before is
 * taken away when no packet is left in it.
 *
 * A batch must fit the socket's send buffer, which only the host's root may raise without limit.
 * Where it does not fit, new chains and sets are filled beside those in use, in several
 * transactions that no packet sees; one small transaction then switches the base chains over, and
 * the old ones are taken away. Until the switch nothing has changed for packets, and a failure
 * takes away what was prepared. */
#include "target/nft/load/load.h"

#include <errno.h>
#include <string.h>

#include "base/pool.h"
#include "target/nft/load/refusal.h"
#include "target/nft/load/replace.h"

#define ATTEMPTS_MAX 20
/* Below this a socket cannot hold one rule and what is round it. */
#define ROOM_MIN 4096
/* What a socket is raised to for steps; pieces are cut to what it gives. */
#define ROOM_WANTED (64u << 20)

enum outcome_of_load { LOAD_DONE, LOAD_FAILED, LOAD_STALE, LOAD_TOO_LARGE };
/* Without emptying maps first, then with: see replace.h. */
#define WAYS 2

struct load {
	void *pool; /* of one attempt */
	struct diags *diags;
	const struct nft_table *table;
	const struct nft_load_limits *limits;
	struct nft_socket *socket;
	struct nft_kernel *kernel;
	uint32_t expected_in; /* a generation in which the table was as expected */
	bool has_sent;        /* this attempt has put things of its own into the table */
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

static bool has_busy(const struct nft_answer *answer)
{
	for (size_t i = 0; i < answer->refusals_count && i < NFT_REFUSALS_MAX; i++)
		if (answer->refusals[i].error == EBUSY)
			return true;
	return false;
}

static enum outcome_of_load load_direct(struct load *load)
{
	enum outcome_of_load outcome = LOAD_TOO_LARGE;
	for (int way = 0; way < WAYS; way++) {
		struct nft_batch *batch = nft_replace_direct(load->pool, load->table, load->kernel,
							     way != 0);
		if (batch->bytes > room_for(load, batch->bytes)) {
			talloc_free(batch);
			return LOAD_TOO_LARGE;
		}
		int error = nft_send(load->socket, batch, 0, batch->messages_count,
				     load->kernel->generation, &load->answer);
		bool has_another_way = way + 1 < WAYS && error != 0 && has_busy(&load->answer);
		if (!has_another_way)
			outcome = outcome_of(load, batch, error);
		talloc_free(batch);
		if (!has_another_way)
			break;
	}
	return outcome;
}

/* A table that is dormant filters nothing, and its base chains can be neither taken away nor made while it is
 * woken (nf_tables_updtable): it is made anew as a whole, with its counters. */
static enum outcome_of_load load_by_force(struct load *load)
{
	struct nft_batch *batch = nft_replace_by_force(load->pool, load->table, load->table->name);
	size_t room = room_for(load, batch->bytes);
	enum outcome_of_load outcome;
	if (batch->bytes > room) {
		outcome = too_large(load, batch->bytes, room);
	} else {
		int error = nft_send(load->socket, batch, 0, batch->messages_count, load->kernel->generation,
				     &load->answer);
		outcome = outcome_of(load, batch, error);
	}
	talloc_free(batch);
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

/* Takes away what hangs on no hook, whatever generation it is. */
static bool send_cleanup(const struct load *load, struct nft_batch *batch, size_t room)
{
	struct nft_answer answer;
	for (size_t first = 0, end; first < batch->messages_count; first = end) {
		end = slice_end(batch, first, batch->messages_count, room);
		if (nft_send(load->socket, batch, first, end, 0, &answer) != 0)
			return false;
	}
	return true;
}

/* Takes away what the switch left behind, or what was prepared for a switch that was not. Where this
 * fails, it hangs on no hook, and the next load takes it away. */
static void take_rest_away(struct load *load, bool is_switched, size_t room)
{
	bool is_done = false;
	if (is_switched)
		nft_wait_for_packets();
	for (int way = 0; way < WAYS && !is_done; way++) {
		struct nft_kernel *now;
		if (nft_kernel_read(load->pool, load->socket, load->table->name, &now) != 0)
			return;
		struct nft_batch *batch =
			is_switched ? nft_replace_clean_up(load->pool, load->table, now, load->kernel, way != 0)
				    : nft_replace_undo(load->pool, now, load->kernel, way != 0);
		is_done = send_cleanup(load, batch, room);
	}
}

/* Each commit of ours moves the kernel one generation on; zero is left out (nf_tables_commit). */
static uint32_t next_generation(uint32_t generation)
{
	return generation + 1 == 0 ? 1 : generation + 1;
}

static bool has_base(const struct nft_table *table, const char *name)
{
	for (size_t i = 0; i < table->chains_count; i++)
		if (table->chains[i]->is_base && strcmp(table->chains[i]->name, name) == 0)
			return true;
	return false;
}

/* Has nobody taken a thing from the table since it was read, or put a base chain in? What stands in
 * the old chains and sets does not matter: they all go. */
static bool is_as_expected(const struct load *load, const struct nft_kernel *now)
{
	const struct nft_kernel *before = load->kernel;
	if (before->has_table && !now->has_table)
		return false;
	for (size_t i = 0; i < before->chains_count; i++)
		if (nft_kernel_chain_find(now, before->chains[i].name) == NULL)
			return false;
	for (size_t i = 0; i < before->sets_count; i++)
		if (nft_kernel_set_find(now, before->sets[i].name) == NULL)
			return false;
	for (size_t i = 0; i < now->chains_count; i++)
		if (now->chains[i].is_base && !has_base(load->table, now->chains[i].name) &&
		    nft_kernel_chain_find(before, now->chains[i].name) == NULL)
			return false;
	return true;
}

/* Somebody has changed the kernel's rules: is it this table? */
static enum outcome_of_load compare_with_expected(struct load *load)
{
	char before[REREAD_HASH_LENGTH + 1], after[REREAD_HASH_LENGTH + 1];
	struct nft_kept *now;
	int error = nft_kept_read(load->pool, load->socket, load->table->name, &now);
	if (error != 0) {
		nft_report_error(load->diags, error, "read the kernel's rules");
		return LOAD_FAILED;
	}
	nft_kept_hash(load->limits->expected, before);
	nft_kept_hash(now, after);
	if (strcmp(before, after) == 0) {
		load->expected_in = now->generation;
		return now->generation == load->kernel->generation ? LOAD_DONE : LOAD_STALE;
	}
	struct diagnostic *diagnostic =
		diag_add(load->diags, CODE_TABLE_CHANGED, SPAN_NONE,
			 "somebody else changed table inet '%s' after it was read", load->table->name);
	diag_note(load->diags, diagnostic, SPAN_NONE,
		  "nothing was loaded; look at it ('nft list table inet %s'), and run it again", load->table->name);
	return LOAD_FAILED;
}

/* After a foreign change, the generation in which the transaction may be sent again. Once things of this load
 * are in the table it is no longer what was expected, and is asked for what the load needs. */
static enum outcome_of_load find_generation(struct load *load, uint32_t *generation)
{
	if (load->limits->expected != NULL && !load->has_sent) {
		enum outcome_of_load compared = compare_with_expected(load);
		*generation = load->expected_in;
		return compared == LOAD_FAILED ? LOAD_FAILED : LOAD_DONE;
	}
	struct nft_kernel *now;
	if (nft_kernel_read(load->pool, load->socket, load->table->name, &now) != 0)
		return LOAD_STALE;
	bool goes_on = is_as_expected(load, now);
	*generation = now->generation;
	talloc_free(now);
	return goes_on ? LOAD_DONE : LOAD_STALE;
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
		enum outcome_of_load found = find_generation(load, generation);
		if (found == LOAD_FAILED)
			return LOAD_FAILED;
		if (found == LOAD_STALE)
			break;
	}
	load->has_sent |= error == 0;
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
static size_t largest_piece(const struct nft_staged *staged)
{
	size_t count = staged->batch->messages_count;
	size_t largest = nft_batch_bytes(staged->batch, staged->switch_begin, count);
	for (size_t i = 0; i < count; i++) {
		size_t bytes = nft_batch_bytes(staged->batch, i, i + 1);
		if (bytes > largest)
			largest = bytes;
	}
	return largest;
}

/* Prepares, switches and cleans up. LOAD_TOO_LARGE: nothing has changed. */
static enum outcome_of_load load_steps(struct load *load, const struct nft_staged *staged, size_t room)
{
	if (largest_piece(staged) > room)
		return LOAD_TOO_LARGE;
	uint32_t generation = load->kernel->generation;
	enum outcome_of_load outcome = send_prepared(load, staged->batch, staged->switch_begin, room,
						     &generation);
	if (outcome == LOAD_DONE)
		outcome = send_slice(load, staged->batch, staged->switch_begin,
				     staged->batch->messages_count, &generation);
	if (load->has_sent) /* else what is there anew is somebody else's */
		take_rest_away(load, outcome == LOAD_DONE, room);
	return outcome;
}

static enum outcome_of_load load_staged(struct load *load)
{
	size_t room = room_for(load, ROOM_WANTED);
	if (room < ROOM_MIN)
		return too_large(load, ROOM_MIN, room);
	struct nft_staged staged = nft_replace_staged(load->pool, load->table, load->kernel, room / 2);
	enum outcome_of_load outcome = load_steps(load, &staged, room);
	if (outcome == LOAD_TOO_LARGE)
		outcome = too_large(load, largest_piece(&staged), room);
	talloc_free(staged.batch);
	return outcome;
}

/* --- in steps ------------------------------------------------------------------------------------------ */

/* Under the final names, which are free. */
static enum outcome_of_load load_prepared(struct load *load)
{
	size_t room = room_for(load, ROOM_WANTED);
	struct nft_staged steps = nft_replace_prepared(load->pool, load->table, load->kernel, room / 2);
	enum outcome_of_load outcome = load_steps(load, &steps, room);
	talloc_free(steps.batch);
	return outcome;
}

/* Where the final names are in use, the policy is put in force under others first, and then again
 * under its own. Once it is in force the load is done, whatever becomes of the names. */
static enum outcome_of_load load_in_steps(struct load *load, bool *is_staged)
{
	bool is_clear = nft_replace_is_clear(load->pool, load->table, load->kernel);
	enum outcome_of_load outcome = is_clear ? load_prepared(load) : LOAD_TOO_LARGE;
	*is_staged = outcome == LOAD_TOO_LARGE;
	if (!*is_staged)
		return outcome;
	outcome = load_staged(load);
	if (outcome != LOAD_DONE || is_clear)
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
	*is_staged = false;
	load->has_sent = false;
	enum outcome_of_load outcome = LOAD_TOO_LARGE;
	if (load->limits->expected != NULL && load->kernel->generation != load->expected_in) {
		enum outcome_of_load compared = compare_with_expected(load);
		if (compared != LOAD_DONE)
			return compared;
	}
	if (load->kernel->is_owned) {
		nft_report_owned(load->diags, load->table->name);
		return LOAD_FAILED;
	}
	if (load->kernel->is_dormant)
		return load_by_force(load);
	if (!nft_replace_wants_steps(load->table, load->kernel))
		outcome = load_direct(load);
	return outcome == LOAD_TOO_LARGE ? load_in_steps(load, is_staged) : outcome;
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
		.socket = limits->socket != NULL ? limits->socket : nft_socket_new(pool),
		.expected_in = limits->expected == NULL ? 0 : limits->expected->generation,
	};
	if (load.socket == NULL) {
		nft_report_error(diags, errno, "open a netlink socket");
		return false;
	}
	bool is_loaded = load_with_socket(pool, &load, &staged);
	if (is_staged != NULL)
		*is_staged = staged;
	if (load.socket != limits->socket)
		talloc_free(load.socket);
	return is_loaded;
}

bool nft_load(void *pool, struct diags *diags, const struct nft_table *table)
{
	return nft_load_within(pool, diags, table, &(struct nft_load_limits){ 0 }, NULL);
}

bool nft_load_mark(void *pool, struct nft_socket *netlink, const struct nft_table *table,
		   const struct nft_chain *chain, const char *prefix, uint32_t generation)
{
	void *scratch = pool_child(pool, "mark");
	struct nft_answer answer;
	struct nft_kernel *kernel;
	bool is_done = nft_kernel_read(scratch, netlink, table->name, &kernel) == 0 &&
		       kernel->generation == generation && !kernel->is_dormant && !kernel->is_owned;
	if (is_done) {
		struct nft_batch *batch = nft_replace_mark(scratch, table, chain, prefix, kernel);
		is_done = nft_send(netlink, batch, 0, batch->messages_count, generation, &answer) == 0;
	}
	talloc_free(scratch);
	return is_done;
}
