/* The lowering against first match.
 *
 * Random rulesets become tables; random packets run through the table (model_eval) and through the
 * rules one by one (ruleset_expect): the same verdict, the same counter, the same log line. The
 * seed is printed by unit_run. */
#include <string.h>

#include "base/pool.h"
#include "model_eval.h"
#include "net/protocol.h"
#include "random_ruleset.h"
#include "optimise/optimise.h"
#include "rules/count.h"
#include "target/nft/report/follow.h"
#include "target/nft/lower/chain.h"
#include "target/nft/nft.h"
#include "unit.h"

Suite *lower_nat_suite(void);
Suite *lower_raw_suite(void);

static const struct nft_settings plain_settings = { .table = "fwc" };

/* --- comparing ---------------------------------------------------------------------------- */

static bool is_identity_name(const char *name, const char *prefix, const char *identity)
{
	size_t start = strlen(prefix);
	if (strncmp(name, prefix, start) != 0)
		return false;
	for (size_t i = 0; identity[i] != '\0'; i++)
		if (name[start + i] != (identity[i] == '+' ? '_' : identity[i]))
			return false;
	return true;
}

static bool counters_fit(const struct model_result *result, const struct expected *expected)
{
	if (expected->is_invalid)
		return result->counters_count == 1 && strcmp(result->counters[0], "invalid") == 0;
	bool is_counted = expected->outcome != NULL && expected->outcome->has_count;
	if (!is_counted)
		return result->counters_count == 0;
	return result->counters_count == 1 &&
	       is_identity_name(result->counters[0], "c_", identity_text(expected->identity));
}

static bool log_fits(const struct model_result *result, const struct expected *expected)
{
	bool is_over = expected->outcome != NULL && expected->outcome->limit != NULL &&
		       result->fate == MODEL_DROP;
	bool is_logged = expected->outcome != NULL && expected->outcome->has_log && !is_over;
	if (!is_logged)
		return result->log_prefix == NULL;
	return result->log_prefix != NULL &&
	       strstr(result->log_prefix, identity_text(expected->identity)) != NULL;
}

static bool helper_fits(const struct model_result *result, const struct expected *expected)
{
	bool is_wanted = expected->outcome != NULL && expected->outcome->helper != NULL;
	return is_wanted == (result->helper != NULL);
}

static void compare(const struct nft_table *table, const struct ruleset *ruleset,
		    const struct model_packet *packet, enum hook hook)
{
	struct model_result result = model_eval(table, "filter", 0, packet);
	struct expected expected = ruleset_expect(ruleset, packet, hook);
	ck_assert_msg(result.problem == NULL, "%s", result.problem);
	ck_assert_msg(result.is_decided, "a packet fell through to the base policy");
	ck_assert_msg(result.fate == expected.fate, "verdict %d, expected %d (rule %s)",
		      (int)result.fate, (int)expected.fate,
		      expected.identity == NULL ? "always" : identity_text(expected.identity));
	ck_assert_msg(counters_fit(&result, &expected), "another counter");
	ck_assert_msg(log_fits(&result, &expected), "another log line");
	ck_assert_msg(helper_fits(&result, &expected), "another helper");
}

/* A first packet that no rule of fwc's own takes. */
static bool is_asked(const struct model_packet *packet)
{
	bool is_own = packet->protocol == PROTOCOL_ICMP6 && packet->type >= 130 && packet->type <= 143;
	bool is_loopback = (packet->in != NULL && strcmp(packet->in, "lo") == 0) ||
			   (packet->out != NULL && strcmp(packet->out, "lo") == 0);

	return packet->state == NFT_STATE_NEW && packet->helper == NULL && !packet->is_over_limit && !is_own &&
	       !is_loopback;
}

/* What `explain` says of the table: it decides as the rules do. Gives what the packet pays, in nanoseconds. */
static unsigned compare_followed(const struct nft_table *table, const struct ruleset *ruleset,
			     const struct model_packet *from, enum hook hook)
{
	bool is_icmp = from->protocol == PROTOCOL_ICMP || from->protocol == PROTOCOL_ICMP6;
	bool has_ports = protocol_has_ports(from->protocol);
	const struct packet packet = {
		.hook = hook, .in = from->in, .out = from->out, .family = from->family,
		.source = from->source, .destination = from->destination, .protocol = from->protocol,
		.first = is_icmp ? from->type : has_ports ? from->destination_port : 0,
		.second = is_icmp ? from->code : has_ports ? from->source_port : 0,
		.minute = (from->day + 6) % 7 * 1440 + from->second / 60,
		.time = (time_t)from->time,
	};
	struct nft_path path;
	enum verdict verdict;

	if (!is_asked(from))
		return 0;
	path = nft_follow(unit_pool(), table, &packet, NFT_FOLLOW_HOP_LIMIT);
	verdict = ruleset_evaluate(ruleset, &packet).outcome->verdict;
	ck_assert_msg(path.is_decided && path.steps_count > 0, "the walk decides nothing");
	ck_assert_msg(path.is_accepted == (verdict == VERDICT_ALLOW) &&
		      path.is_rejected == (verdict == VERDICT_REJECT), "the walk says %d, the rules %d",
		      path.is_accepted, (int)verdict);
	return path.cost;
}

static struct nft_table *lower(const struct ruleset *ruleset, const struct nft_settings *settings)
{
	void *pool = unit_pool();
	struct diags *diags = diags_new(pool, sources_new(pool));
	struct nft_table *table = nft_lower(pool, diags, ruleset, settings);
	ck_assert_msg(table != NULL, "%s", diags->items_count == 0 ? "no message"
								    : diags->items[0]->message);
	const char *problem = model_check(pool, table);
	ck_assert_msg(problem == NULL, "%s", problem);
	return table;
}

/* Counts for about half of the rules. */
static const struct profile *random_profile(const struct ruleset *ruleset)
{
	struct text *json = text_new(unit_pool());
	struct diags *diags = diags_new(unit_pool(), sources_new(unit_pool()));
	const struct profile *profile;

	text_add(json, "[{\"id\": \"nobody\"}");
	for (size_t hook = 0; hook < HOOK_COUNT; hook++)
		for (size_t i = 0; i < ruleset->rules_count[hook]; i++)
			if (unit_below(2) == 0)
				text_addf(json, ",{\"id\": \"%s\", \"packets\": %u}",
					  identity_text(ruleset->rules[hook][i]->identity), unit_below(1000));
	text_add(json, "]");
	profile = profile_parse(unit_pool(), diags, "hits.json", json->bytes, json->length);
	ck_assert(profile != NULL);
	profile_compare(profile, diags, ruleset);
	ck_assert_uint_eq(diags->warning_count, 1);
	return profile;
}

static const struct ruleset *optimised(const struct ruleset *ruleset, enum optimise_level level)
{
	const struct optimise_settings settings = {
		.level = level,
		.profile = level == OPTIMISE_LINES || unit_below(2) == 0 ? NULL : random_profile(ruleset),
	};
	return optimise_ruleset(unit_pool(), ruleset, &settings);
}

/* Every level of optimisation by turns; what it means is that of the rules each time. */
static void compare_random(const struct ruleset_kind *kind, unsigned rulesets, unsigned packets)
{
	static const enum optimise_level levels[] = { OPTIMISE_LINES, OPTIMISE_READABLE,
						      OPTIMISE_FASTEST };
	for (unsigned i = 0; i < UNIT_ROUNDS(rulesets); i++) {
		struct nft_settings settings = plain_settings;
		settings.level = levels[i % 3];
		struct ruleset *ruleset = random_ruleset(unit_pool(), kind);
		if (kind->has_options && unit_below(8) == 0)
			ruleset_count_all(unit_pool(), ruleset);
		const struct nft_table *table = lower(optimised(ruleset, settings.level), &settings);
		for (unsigned k = 0; k < packets; k++) {
			enum hook hook = (enum hook)unit_below(HOOK_COUNT);
			struct model_packet packet = random_packet(ruleset, hook);
			compare(table, ruleset, &packet, hook);
			compare_followed(table, ruleset, &packet, hook);
		}
	}
}

/* --- random rulesets ---------------------------------------------------------------------- */

START_TEST(services_alone_mean_the_same)
{
	struct ruleset_kind kind = { .rules_most = 30, .has_rich_services = true };
	compare_random(&kind, 150, 60);
}
END_TEST

START_TEST(zones_mean_the_same)
{
	struct ruleset_kind kind = { .rules_most = 30, .has_interfaces = true,
				     .has_rich_services = true };
	compare_random(&kind, 150, 60);
}
END_TEST

START_TEST(addresses_mean_the_same)
{
	struct ruleset_kind kind = { .rules_most = 30, .has_addresses = true, .has_ipv6 = true };
	compare_random(&kind, 150, 60);
}
END_TEST

START_TEST(everything_means_the_same)
{
	struct ruleset_kind kind = { .rules_most = 24, .has_options = true, .has_interfaces = true,
				     .has_addresses = true, .has_ipv6 = true,
				     .has_rich_services = true };
	compare_random(&kind, 240, 60);
}
END_TEST

START_TEST(mostly_allowing_lists_mean_the_same)
{
	struct ruleset_kind kind = { .rules_most = 80, .has_interfaces = true, .has_addresses = true,
				     .has_ipv6 = true, .has_rich_services = true,
				     .is_allow_mostly = true };
	compare_random(&kind, 60, 80);
}
END_TEST

START_TEST(long_lists_mean_the_same)
{
	struct ruleset_kind kind = { .rules_most = 400, .has_options = true, .has_interfaces = true,
				     .has_addresses = true, .has_ipv6 = true,
				     .has_rich_services = true, .addresses = 200 };
	compare_random(&kind, 9, 300);
}
END_TEST

START_TEST(very_long_lists_mean_the_same)
{
	struct ruleset_kind kind = { .rules_most = 5000, .has_addresses = true, .has_ipv6 = true,
				     .has_rich_services = true, .is_allow_mostly = true,
				     .addresses = 4000 };
	compare_random(&kind, 3, 200);
}
END_TEST

/* The map of source, destination, protocol and port, and whether one of the two addresses alone stands behind. */
static void count_flows(const struct nft_table *table, unsigned *flows, unsigned *left)
{
	bool has_flows = false, has_pairs = false;
	for (size_t i = 0; i < table->sets_count; i++) {
		has_flows = has_flows || table->sets[i]->fields_count == 4;
		has_pairs = has_pairs || strstr(table->sets[i]->name, "pairs") != NULL;
	}
	*flows += has_flows;
	*left += has_flows && has_pairs;
}

/* Networks that talk to each other by a few services: order matters within a pair, and against what leaves a side
 * open; wide ranges stay behind the map. */
START_TEST(services_between_networks_mean_the_same)
{
	unsigned flows = 0, left = 0;
	for (unsigned i = 0; i < UNIT_ROUNDS(48); i++) {
		struct ruleset_kind kind = { .rules_most = i % 2 == 0 ? 60 : 400, .has_options = i % 3 == 0,
					     .has_addresses = true, .has_ipv6 = i % 4 < 2, .has_pairs = true,
					     .has_rich_services = i % 8 != 0, .addresses = i % 2 == 0 ? 4 : 12 };
		struct nft_settings settings = plain_settings;
		settings.level = i % 3 == 0 ? OPTIMISE_FASTEST : OPTIMISE_READABLE;
		struct ruleset *ruleset = random_ruleset(unit_pool(), &kind);
		const struct nft_table *table = lower(optimised(ruleset, settings.level), &settings);
		count_flows(table, &flows, &left);
		for (unsigned k = 0; k < 100; k++) {
			enum hook hook = (enum hook)unit_below(HOOK_COUNT);
			struct model_packet packet = random_packet(ruleset, hook);
			compare(table, ruleset, &packet, hook);
			compare_followed(table, ruleset, &packet, hook);
		}
	}
	ck_assert_msg(flows != 0 && left != 0, "%u tables with the map, %u with another behind it", flows, left);
}
END_TEST

/* Hashes of leading bits; of ranges there are none but those of the blocks that they touch. */
static unsigned count_hashes(const struct nft_table *table)
{
	unsigned count = 0;
	for (size_t i = 0; i < table->sets_count; i++) {
		const struct nft_set *set = table->sets[i];
		enum nft_field first = set->fields[0];
		bool is_of_addresses = first == NFT_FIELD_IP_SADDR || first == NFT_FIELD_IP_DADDR ||
				       first == NFT_FIELD_IP6_SADDR || first == NFT_FIELD_IP6_DADDR;
		count += set->is_verdict_map && !set->is_interval && is_of_addresses;
	}
	return count;
}

/* Ranges of all sizes, crowded or far apart: the blocks that they touch are looked up, and what touches too many
 * stands behind, in its order. */
START_TEST(ranges_mean_the_same)
{
	unsigned hashes = 0;
	for (unsigned i = 0; i < UNIT_ROUNDS(12); i++) {
		struct ruleset_kind kind = { .rules_most = i % 4 == 0 ? 3000 : 500, .has_options = i % 3 == 0,
					     .has_addresses = true, .has_ipv6 = i % 4 == 1, .has_ranges = true,
					     .has_rich_services = true, .is_allow_mostly = i % 2 == 0,
					     .addresses = 1u << (10 + 2 * (i % 6)) };
		struct nft_settings settings = plain_settings;
		settings.level = i % 5 == 0 ? OPTIMISE_FASTEST : OPTIMISE_READABLE;
		struct ruleset *ruleset = random_ruleset(unit_pool(), &kind);
		const struct nft_table *table = lower(optimised(ruleset, settings.level), &settings);
		hashes += count_hashes(table);
		for (unsigned k = 0; k < 200; k++) {
			enum hook hook = (enum hook)unit_below(HOOK_COUNT);
			struct model_packet packet = random_packet(ruleset, hook);
			compare(table, ruleset, &packet, hook);
			compare_followed(table, ruleset, &packet, hook);
		}
	}
	ck_assert_uint_ne(hashes, 0);
}
END_TEST

/* Long lists in which many rules leave the source open and many the destination, so that they conflict: what a
 * packet pays does not grow with them. Plain rules would be 60,000 ns. */
START_TEST(long_lists_of_wildcards_stay_flat)
{
	struct ruleset_kind kind = { .rules_most = 5000, .has_addresses = true, .has_rich_services = true,
				     .is_allow_mostly = true, .addresses = 4000 };
	struct ruleset *ruleset = random_ruleset(unit_pool(), &kind);
	const struct nft_table *table = lower(ruleset, &plain_settings);
	unsigned dearest = 0;
	for (unsigned k = 0; k < 200; k++) {
		struct model_packet packet = random_packet(ruleset, HOOK_FORWARD);
		compare(table, ruleset, &packet, HOOK_FORWARD);
		unsigned cost = compare_followed(table, ruleset, &packet, HOOK_FORWARD);
		dearest = cost > dearest ? cost : dearest;
	}
	ck_assert_msg(dearest < 5000, "a packet pays %u ns", dearest);
}
END_TEST

START_TEST(many_zones_on_both_sides_mean_the_same)
{
	struct ruleset_kind kind = { .rules_most = 10, .has_options = true, .has_interfaces = true,
				     .has_many_zones = true, .has_addresses = true,
				     .has_ipv6 = true, .has_rich_services = true, .addresses = 50 };
	compare_random(&kind, 30, 100);
}
END_TEST

/* The kernel follows 16 levels, the base chain's included, and a load takes one; a deeper hook is a mistake, and
 * no table. */
START_TEST(levels_beyond_the_kernels_are_told)
{
	void *pool = unit_pool();
	struct diags *diags = diags_new(pool, sources_new(pool));
	struct lower here = { .pool = pool, .arena = arena_new(pool), .scratch = pool, .diags = diags,
			      .table = pool_new(pool, struct nft_table) };
	for (unsigned height = NFT_LEVELS_MAX - 1; height <= NFT_LEVELS_MAX; height++) {
		struct draft draft = draft_begin(&here);
		draft.height = height;
		chain_end_base(&here, &draft, &(struct nft_chain){ .name = "input" });
		ck_assert_uint_eq(diags->error_count, height == NFT_LEVELS_MAX);
	}
	ck_assert_int_eq(diags->items[0]->code, CODE_TARGET_LIMIT);
}
END_TEST

static Suite *lower_suite(void)
{
	Suite *suite = suite_create("lower");
	TCase *random = unit_case(suite, "random");
	tcase_add_test(random, levels_beyond_the_kernels_are_told);
	tcase_add_test(random, services_alone_mean_the_same);
	tcase_add_test(random, zones_mean_the_same);
	tcase_add_test(random, many_zones_on_both_sides_mean_the_same);
	tcase_add_test(random, addresses_mean_the_same);
	tcase_add_test(random, everything_means_the_same);
	tcase_add_test(random, mostly_allowing_lists_mean_the_same);
	tcase_add_test(random, long_lists_mean_the_same);
	tcase_add_test(random, very_long_lists_mean_the_same);
	tcase_add_test(random, services_between_networks_mean_the_same);
	tcase_add_test(random, ranges_mean_the_same);
	tcase_add_test(random, long_lists_of_wildcards_stay_flat);
	return suite;
}

int main(void)
{
	Suite *(*const suites[])(void) = { lower_suite, lower_nat_suite, lower_raw_suite, NULL };
	return unit_run(suites);
}
