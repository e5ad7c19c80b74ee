/* The proof of an import: a table made of one policy equals that policy, and no other. Every second policy here
 * differs from the first in one thing that an import must not get wrong. */
#include <linux/netfilter.h>

#include "base/pool.h"
#include "expand/expand.h"
#include "import/nft_prove.h"
#include "policy_text.h"
#include "target/nft/nft.h"
#include "target/nft/load/reread.h"
#include "unit.h"

#define ZONES "zone lan { interface eth1; } zone wan { interface eth0; } "

static const struct nft_settings settings = { .table = "fwc" };

static struct ruleset *ruleset_of(const char *text)
{
	struct diags *diags;
	struct policy *policy = policy_of(&diags, pool_format(unit_pool(), ZONES "%s", text));

	ck_assert_msg(!diags_has_errors(diags), "%s", text);
	return expand_policy(unit_pool(), diags, policy);
}

/* Whether the proof says of the table of one policy that it does what the other says. */
static struct proof prove(const char *table, const char *policy)
{
	struct diags *diags = diags_new(unit_pool(), sources_new(unit_pool()));
	struct reread reread = nft_reread(unit_pool(), nft_lower(unit_pool(), diags, ruleset_of(table), &settings));
	const struct read_table *read = nft_read_table(reread.read, NFPROTO_INET, "fwc");
	const struct import_nft_source source = { .name = "test", .read = reread.read };
	const struct import_nft_tables tables = {
		.items = &read, .items_count = 1, .translates_destinations = true,
	};

	return import_nft_prove(unit_pool(), ruleset_of(policy), &source, &tables);
}

static const struct {
	const char *one, *other;
} pairs[] = {
	{ "allow ssh from lan to wan;", "allow 23/tcp from lan to wan;" },
	{ "allow 22-30/tcp to self;", "allow 22-31/tcp to self;" },
	{ "allow ssh from lan;", "allow ssh from wan;" },
	{ "allow ssh from 10.0.0.0/24 to self;", "allow ssh from 10.0.0.0/25 to self;" },
	{ "allow ssh to self;", "deny ssh to self;" },
	{ "allow ssh to self ipv4;", "allow ssh to self;" },
	{ "deny ssh from 10.0.0.1 to self; allow ssh to self;",
	  "allow ssh to self; deny ssh from 10.0.0.1 to self;" },
	{ "default input deny;", "default input reject;" },
	{ "default output allow;", "default output deny;" },
	{ "allow 8/icmp to self;", "allow 0/icmp to self;" },
	{ "allow 128/icmp6 from lan to wan;", "allow 129/icmp6 from lan to wan;" },
	{ "allow 133/icmp6 from lan to wan;", "deny 133/icmp6 from lan to wan;" },
	{ "allow ssh to self limit 5/minute;", "allow ssh to self limit 6/minute;" },
	{ "allow ssh to self limit 5/minute;", "allow ssh to self;" },
	{ "allow ssh to self limit 5/minute burst 9;", "allow ssh to self limit 5/minute;" },
	{ "allow ssh, smtp to self limit 5/minute;",
	  "allow ssh to self limit 5/minute; allow smtp to self limit 5/minute;" },
	{ "allow ssh to self log;", "allow ssh to self;" },
	{ "masquerade from lan to wan;", "" },
	{ "masquerade from lan to wan;", "masquerade from 10.0.0.0/8 to wan;" },
	{ "snat from lan to wan as 80.1.0.3;", "snat from lan to wan as 80.1.0.4;" },
	{ "forward http from wan at 80.1.0.2 to 10.0.0.5;", "forward http from wan at 80.1.0.2 to 10.0.0.6;" },
	{ "forward http from wan at 80.1.0.2 to 10.0.0.5;", "forward http from wan at 80.1.0.3 to 10.0.0.5;" },
	{ "forward http from wan at 80.1.0.2 to 10.0.0.5;",
	  "forward http from wan at 80.1.0.2 to 10.0.0.5 port 8080;" },
};

START_TEST(a_policy_equals_its_table)
{
	struct proof proof = prove(pairs[_i].one, pairs[_i].one);

	ck_assert_msg(proof.result == PROOF_EQUAL, "%s: %s, %s: %s, %s", pairs[_i].one, proof.where, proof.packet,
		      proof.wanted, proof.found);
	proof = prove(pairs[_i].other, pairs[_i].other);
	ck_assert_msg(proof.result == PROOF_EQUAL, "%s", pairs[_i].other);
}
END_TEST

START_TEST(a_policy_equals_no_other_table)
{
	struct proof proof = prove(pairs[_i].one, pairs[_i].other);

	ck_assert_msg(proof.result == PROOF_DIFFERS, "%s", pairs[_i].one);
	ck_assert_ptr_nonnull(proof.packet);
	proof = prove(pairs[_i].other, pairs[_i].one);
	ck_assert_msg(proof.result == PROOF_DIFFERS, "%s", pairs[_i].other);
}
END_TEST

/* Counters, ids and comments are not of the meaning that is proved. */
START_TEST(what_is_not_looked_at_makes_no_difference)
{
	ck_assert_int_eq(prove("allow ssh to self count;", "allow ssh to self because \"x\";").result, PROOF_EQUAL);
}
END_TEST

static Suite *import_proof_suite(void)
{
	Suite *suite = suite_create("import proof");
	TCase *tests = unit_case(suite, "proof");
	const int count = sizeof pairs / sizeof pairs[0];

	tcase_add_loop_test(tests, a_policy_equals_its_table, 0, count);
	tcase_add_loop_test(tests, a_policy_equals_no_other_table, 0, count);
	tcase_add_test(tests, what_is_not_looked_at_makes_no_difference);
	return suite;
}

int main(void)
{
	return unit_run((Suite *(*const[])(void)){ import_proof_suite, NULL });
}
