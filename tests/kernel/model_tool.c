/* Prints or loads a table that was made by hand:
 *     model_tool names
 *     model_tool text|bytecode|load|notes MODEL [longest batch in bytes]
 * Diagnostics go to stderr; `load` says "staged" where it took several transactions, and its
 * status is 0 only after the kernel's acknowledgement. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/pool.h"
#include "diag/print.h"
#include "models.h"
#include "target/nft/load/load.h"

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* With FWC_FIGURES set: how long the action took, and the peak of memory. */
static void print_figures(const char *action, double start)
{
	struct rusage usage;
	if (getenv("FWC_FIGURES") == NULL)
		return;
	getrusage(RUSAGE_SELF, &usage);
	fprintf(stderr, "%s: %.3f s, peak %ld MB\n", action, seconds() - start, usage.ru_maxrss / 1024);
}

static int print_diagnostics(void *pool, struct diags *diags)
{
	struct text *out = text_new(pool);
	if (diags->items_count != 0) {
		diags_print_text(diags, out, false);
		fputs(out->bytes, stderr);
	}
	return diags_has_errors(diags) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int load(void *pool, struct diags *diags, const struct nft_table *table, const char *longest)
{
	struct nft_load_limits limits = { .send_max = longest == NULL ? 0 : strtoul(longest, NULL, 10) };
	bool is_staged = false;
	bool is_loaded = nft_load_within(pool, diags, table, &limits, &is_staged);
	if (is_staged)
		puts("staged");
	return print_diagnostics(pool, diags) | (is_loaded ? EXIT_SUCCESS : EXIT_FAILURE);
}

static int act(void *pool, const char *action, const char *name, const char *longest)
{
	struct sources *sources = sources_new(pool);
	struct diags *diags = diags_new(pool, sources);
	const struct nft_table *table = model_make(pool, sources, name);
	struct text *out = text_new(pool);
	int status = EXIT_SUCCESS;
	if (table == NULL)
		return 2;
	double start = seconds();
	if (strcmp(action, "text") == 0) {
		nft_text(out, table);
	} else if (strcmp(action, "bytecode") == 0) {
		nft_bytecode(out, table);
	} else if (strcmp(action, "load") == 0) {
		status = load(pool, diags, table, longest);
	} else if (strcmp(action, "notes") == 0) {
		nft_note_other_chains(nft_socket_new(pool), diags, table);
		status = print_diagnostics(pool, diags);
	} else {
		return 2;
	}
	print_figures(action, start);
	fwrite(out->bytes, 1, out->length, stdout);
	return status;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "names") == 0) {
		for (size_t i = 0; model_name(i) != NULL; i++)
			puts(model_name(i));
		return EXIT_SUCCESS;
	}
	if (argc < 3)
		return 2;
	struct pool_trap *session = pool_session_new();
	if (session == NULL || setjmp(session->jump) != 0) {
		fputs("out of memory\n", stderr);
		return 3;
	}
	int status = act(session, argv[1], argv[2], argc > 3 ? argv[3] : NULL);
	talloc_free(session);
	return status;
}
