/* libFuzzer target: any bytes through everything that `fwc check` runs, and both nft writers where
 * the policy holds; both engines of the analysis must find the same. No file is read: includes and
 * lists are missing. */
#include <errno.h>
#include <string.h>

#include "analyse/anomalies.h"
#include "base/pool.h"
#include "diag/print.h"
#include "expand/expand.h"
#include "resolve/resolve.h"
#include "target/nft/nft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

/* The main file is the input; nothing else exists. */
static int read_input(void *context, void *pool, const char *path, const char **bytes,
		      size_t *length)
{
	const struct input *input = context;
	char *copy;

	if (strcmp(path, "fuzz.fw") != 0)
		return ENOENT;
	copy = pool_bytes(pool, input->size + 1);
	memcpy(copy, input->data, input->size);
	*bytes = copy;
	*length = input->size;
	return 0;
}

static void write_table(void *pool, struct diags *diags, const struct ruleset *ruleset)
{
	const struct nft_settings settings = { .table = "fwc" };
	const struct nft_table *table = nft_lower(pool, diags, ruleset, &settings);
	struct text *out = text_new(pool);

	if (table == NULL)
		return;
	nft_text(out, table);
	nft_bytecode(out, table);
}

/* So many rules are compared with each other by both engines. */
#define COMPARED_MOST 60
#define BUDGET 200000

/* Both engines find as much, where both can answer. */
static void compare_engines(void *pool, const struct ruleset *ruleset)
{
	struct anomaly_settings settings = { .engine = SHADOW_COVERS, .budget = BUDGET };
	const struct anomalies *covers, *diagrams;

	if (ruleset->policy->rules_count > COMPARED_MOST)
		return;
	covers = anomalies_find(pool, ruleset, &settings);
	settings.engine = SHADOW_DIAGRAMS;
	diagrams = anomalies_find(pool, ruleset, &settings);
	if (covers->undecided_count == 0 && diagrams->undecided_count == 0 &&
	    covers->items_count != diagrams->items_count)
		__builtin_trap();
}

static void check(void *pool, struct input *input)
{
	const struct file_reader reader = { .read = read_input, .context = input };
	const struct resolve_settings settings = { .reader = &reader, .today = 1795219200 };
	struct sources *sources = sources_new(pool);
	struct diags *diags = diags_new(pool, sources);
	const struct program *program = parse_program(pool, diags, &reader, "fuzz.fw");
	const struct policy *policy;
	const struct ruleset *ruleset;

	if (program == NULL)
		return;
	policy = resolve_policy(pool, diags, program, &settings);
	if (!diags_has_errors(diags)) {
		ruleset = expand_policy(pool, diags, policy);
		if (!diags_has_errors(diags) && policy->devices_count == 0) {
			compare_engines(pool, ruleset);
			write_table(pool, diags, ruleset);
		}
	}
	diags_sort(diags);
	diags_print_text(diags, text_new(pool), false);
	diags_print_json(diags, text_new(pool));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool_trap *root = pool_session_new();
	struct input input = { data, size };

	check(root, &input);
	talloc_free(root);
	return 0;
}
