/* What is read back of a table, and what the proof says of it:
 *     proof_tool reading TABLE   the messages that would be sent, read back
 *     proof_tool dump NAME       table inet NAME of this network namespace's kernel
 *     proof_tool load TABLE      loads it, and dumps it
 *     proof_tool prove POLICY [WEIGHT]
 *                                what is made of the policy against the policy; POLICY is policy:FILE
 *                                or random:SEED
 *     proof_tool mutants POLICY COUNT SEED [WEIGHT]
 *                                small changes of what is made: are they caught? In pieces, too
 * TABLE is policy:FILE, random:SEED or a model of models.c; policy0:, policy2: make it at that level of
 * --optimise, and random likewise. */
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/pool.h"
#include "diag/print.h"
#include "expand/expand.h"
#include "models.h"
#include "mutants.h"
#include "resolve/resolve.h"
#include "target/nft/prove/prove.h"
#include "target/nft/read/kernel.h"
#include "target/nft/load/reread.h"

#define TODAY ((time_t)1795262400) /* 2026-11-21 12:00 UTC */

static int complain(struct diags *diags)
{
	struct text *out = text_new(diags->pool);
	diags_print_text(diags, out, false);
	fputs(out->bytes, stderr);
	return EXIT_FAILURE;
}

static const struct ruleset *ruleset_of(void *pool, struct diags *diags, const char *path)
{
	struct file_reader reader = file_reader_disk();
	struct resolve_settings settings = { .reader = &reader, .today = TODAY };
	struct program *program = parse_program(pool, diags, &reader, path);
	if (diags_has_errors(diags))
		return NULL;
	struct policy *policy = resolve_policy(pool, diags, program, &settings);
	return diags_has_errors(diags) ? NULL : expand_policy(pool, diags, policy);
}

/* The level that stands before the colon; NULL: what is wanted is none that is lowered. What is behind the colon
 * goes into `rest`. */
static const struct nft_settings *settings_of(const char *name, const char **rest)
{
	static const struct nft_settings settings[] = {
		{ .table = "fwc" },
		{ .table = "fwc", .level = OPTIMISE_LINES },
		{ .table = "fwc", .level = OPTIMISE_FASTEST },
	};
	const char *colon = strchr(name, ':');
	if (colon == NULL)
		return NULL;
	*rest = colon + 1;
	return &settings[colon[-1] == '0' ? 1 : colon[-1] == '2' ? 2 : 0];
}

static struct nft_table *table_of(void *pool, struct diags *diags, const char *name)
{
	const char *rest = NULL;
	const struct nft_settings *settings = settings_of(name, &rest);
	if (settings == NULL || strncmp(name, "policy", 6) != 0)
		return model_make(pool, diags->sources, name);
	const struct ruleset *ruleset = ruleset_of(pool, diags, rest);
	return ruleset == NULL ? NULL : nft_lower(pool, diags, ruleset, settings);
}

static int print_reading(void *pool, const struct nft_read *read)
{
	struct text *out = text_new(pool);
	for (size_t i = 0; i < read->tables_count; i++)
		nft_read_print(out, read->tables[i]);
	fwrite(out->bytes, 1, out->length, stdout);
	if (read->problem != NULL)
		fprintf(stderr, "not understood: %s\n", read->problem);
	return read->problem == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int dump(void *pool, const char *name)
{
	struct nft_read *read;
	int error = nft_read_kernel(pool, strcmp(name, "*") == 0 ? NFPROTO_UNSPEC : NFPROTO_INET,
				    strcmp(name, "*") == 0 ? NULL : name, &read);
	if (error != 0) {
		fprintf(stderr, "cannot read the kernel's tables: %s\n", strerror(error));
		return EXIT_FAILURE;
	}
	return print_reading(pool, read);
}

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int tell(const struct proof *proof)
{
	switch (proof->result) {
	case PROOF_EQUAL:
		printf("equal: %zu hooks, %zu rules, %zu translations, %zu intervals\n", proof->hooks, proof->rules,
		       proof->translations, proof->intervals);
		return EXIT_SUCCESS;
	case PROOF_DIFFERS:
		printf("differs: %s: %s: wanted: %s; found: %s\n", proof->where, proof->packet, proof->wanted,
		       proof->found);
		return EXIT_FAILURE;
	case PROOF_UNDECIDED:
	case PROOF_UNREADABLE:
		printf("undecided: %s\n", proof->reason);
		return EXIT_FAILURE;
	}
	return EXIT_FAILURE;
}

static const struct ruleset *policy_of(void *pool, struct diags *diags, const char *name, const char *rest)
{
	return strncmp(name, "policy", 6) == 0 ? ruleset_of(pool, diags, rest)
					       : random_policy(pool, strtoul(rest, NULL, 10));
}

static int mutants(void *pool, struct diags *diags, const char *name, char **numbers)
{
	const char *rest = NULL;
	const struct nft_settings *settings = settings_of(name, &rest);
	const struct ruleset *ruleset = settings == NULL ? NULL : policy_of(pool, diags, name, rest);
	const struct nft_table *table = ruleset == NULL ? NULL : nft_lower(pool, diags, ruleset, settings);
	if (table == NULL)
		return complain(diags);
	return mutants_run(pool, ruleset, table, strtoul(numbers[0], NULL, 10), strtoul(numbers[1], NULL, 10),
			   numbers[2] == NULL ? 0 : strtoul(numbers[2], NULL, 10));
}

static int prove(void *pool, struct diags *diags, const char *name, const char *piece_weight)
{
	const char *rest = NULL;
	const struct nft_settings *settings = settings_of(name, &rest);
	const struct proof_limits limits = {
		.piece_weight = piece_weight == NULL ? 0 : strtoul(piece_weight, NULL, 10),
	};
	double start = seconds();
	const struct ruleset *ruleset = settings == NULL ? NULL : policy_of(pool, diags, name, rest);
	const struct nft_table *table = ruleset == NULL ? NULL : nft_lower(pool, diags, ruleset, settings);
	if (table == NULL)
		return complain(diags);
	double made = seconds();
	struct reread reread = nft_reread(pool, table);
	double read = seconds();
	struct proof proof = nft_prove(pool, ruleset, reread.read,
				       nft_read_table(reread.read, NFPROTO_INET, "fwc"), &limits);
	fprintf(stderr, "compiled %.4f s, read back %.4f s, proved %.4f s\n", made - start, read - made,
		seconds() - read);
	return tell(&proof);
}

static int act(void *pool, const char *action, const char *name, char **numbers)
{
	struct diags *diags = diags_new(pool, sources_new(pool));
	if (strcmp(action, "dump") == 0)
		return dump(pool, name);
	if (strcmp(action, "mutants") == 0)
		return numbers == NULL || numbers[1] == NULL ? 2 : mutants(pool, diags, name, numbers);
	if (strcmp(action, "prove") == 0)
		return prove(pool, diags, name, numbers == NULL ? NULL : numbers[0]);
	const struct nft_table *table = table_of(pool, diags, name);
	if (table == NULL)
		return complain(diags);
	if (strcmp(action, "reading") == 0)
		return print_reading(pool, nft_reread(pool, table).read);
	if (strcmp(action, "load") == 0)
		return nft_load(pool, diags, table) ? dump(pool, table->name) : complain(diags);
	return 2;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	struct pool_trap *session = pool_session_new();
	if (session == NULL || setjmp(session->jump) != 0) {
		fputs("out of memory\n", stderr);
		return 3;
	}
	int status = act(session, argv[1], argv[2], argc >= 4 ? argv + 3 : NULL);
	talloc_free(session);
	return status;
}
