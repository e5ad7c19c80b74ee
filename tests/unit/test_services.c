/* The port database: literals, definitions, overrides, tags, helpers, and the built-in profiles
 * with the index that the build made of them. */
#include <string.h>

#include "base/pool.h"
#include "net/address.h"
#include "net/protocol.h"
#include "policy_text.h"
#include "services/builtin.h"
#include "services/definition.h"
#include "unit.h"

static struct service_database *database_of(struct diags **diags, const char *text)
{
	const struct text_file files[] = { { "services.fw", text }, { NULL, NULL } };
	struct program *program = program_of(diags, files);
	return service_database_new(unit_pool(), *diags, program);
}

static const char *uses_text(const struct service_uses *uses)
{
	struct text *text = text_new(unit_pool());
	for (size_t i = 0; i < uses->uses_count; i++) {
		const struct service_use *use = &uses->uses[i];
		text_add(text, i == 0 ? "" : "; ");
		if (use->helper != NULL)
			text_addf(text, "%s: ", use->helper);
		for (size_t j = 0; j < use->tuples.tuples_count; j++) {
			text_add(text, j == 0 ? "" : " ");
			tuple_format(text, &use->tuples.tuples[j]);
		}
	}
	return text->bytes;
}

static const char *service_text(struct service_database *database, const char *name)
{
	bool is_known;
	const struct service *service = service_find(database, name, strlen(name), &is_known);
	if (service == NULL)
		return is_known ? "(broken)" : "(unknown)";
	return uses_text(&service->uses);
}

/* --- literals ------------------------------------------------------------------------------ */

START_TEST(literals_become_tuples)
{
	static const struct {
		const char *literal, *tuples;
	} cases[] = {
		{ "8443/tcp", "8443/tcp" },
		{ "27000-27050/udp", "27000-27050/udp" },
		{ "53/tcp+udp", "53/tcp 53/udp" },
		{ "any/tcp", "any/tcp" },
		{ "0-1023/tcp", "0-1023/tcp" },
		{ "67/udp sport 68", "67/udp sport 68" },
		{ "67/udp sport 60-68", "67/udp sport 60-68" },
		{ "echo-request/icmp", "8/icmp" },
		{ "8/icmp", "8/icmp" },
		{ "3:4/icmp", "3:4/icmp" },
		{ "any/icmp", "any/icmp" },
		{ "128/icmp6", "128/icmp6" },
		{ "47/ip", "47/ip" },
		{ "any/gre", "47/ip" },
		{ "any/ip", "any" },
		{ "any", "any" },
		{ "80/TCP", "80/tcp" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct diags *diags;
		const char *text = pool_format(unit_pool(), "service xx = %s;", cases[i].literal);
		struct service_database *database = database_of(&diags, text);
		assert_codes(diags, text, "");
		ck_assert_str_eq(service_text(database, "xx"), cases[i].tuples);
	}
}
END_TEST

START_TEST(bad_literals_are_told)
{
	static const struct {
		const char *literal, *codes;
	} cases[] = {
		{ "70000/tcp", "PORT_RANGE" },
		{ "0/tcp", "PORT_RANGE" },
		{ "080/tcp", "BAD_NUMBER" },
		{ "9-8/udp", "RANGE_BACKWARDS" },
		{ "80/quic", "UNKNOWN_PROTOCOL" },
		{ "80/gre", "UNKNOWN_PROTOCOL" },
		{ "gre/ip", "UNKNOWN_PROTOCOL" },
		{ "256/ip", "BAD_NUMBER" },
		{ "300/icmp", "BAD_NUMBER" },
		{ "3:256/icmp", "BAD_NUMBER" },
		{ "no-such/icmp", "UNKNOWN_ICMP_TYPE" },
		{ "8/icmp sport 7", "SOURCE_PORT_MISUSE" },
		{ "47/ip sport 7", "SOURCE_PORT_MISUSE" },
		{ "53/tcp+icpm", "UNKNOWN_PROTOCOL" },
		{ "no-such-service-at-all", "UNKNOWN_SERVICE" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct diags *diags;
		const char *text = pool_format(unit_pool(), "service xx = %s;", cases[i].literal);
		struct service_database *database = database_of(&diags, text);
		assert_codes(diags, text, cases[i].codes);
		ck_assert_str_eq(service_text(database, "xx"), "(broken)");
	}
}
END_TEST

/* --- definitions ----------------------------------------------------------------------------- */

START_TEST(services_nest_and_except)
{
	struct diags *diags;
	struct service_database *database =
		database_of(&diags, "service xa = 1/tcp, 5-9/tcp; service xb = xa, 2/udp except 6/tcp;"
				    "service XC { xb; 3/tcp; alias xd; tag xt; } service xe { 4/udp; tag xt; }");
	assert_codes(diags, "", "");
	ck_assert_str_eq(service_text(database, "xb"), "1/tcp 5/tcp 7-9/tcp 2/udp");
	ck_assert_str_eq(service_text(database, "xc"), "1/tcp 3/tcp 5/tcp 7-9/tcp 2/udp");
	ck_assert_str_eq(service_text(database, "Xd"), service_text(database, "XC"));
	ck_assert_str_eq(service_text(database, "xt"), "1/tcp 3/tcp 5/tcp 7-9/tcp 2/udp 4/udp");
}
END_TEST

START_TEST(helpers_win_over_plain_ports)
{
	struct diags *diags;
	struct service_database *database =
		database_of(&diags, "service xa { 21/tcp; 2121/tcp; helper ftp; }"
				    "service xb = 20-25/tcp, xa; service xc = 69/udp, xb except 21/tcp;"
				    "service xd { xa; 69/udp; helper TFTP; }");
	assert_codes(diags, "", "");
	ck_assert_str_eq(service_text(database, "xb"), "ftp: 21/tcp 2121/tcp; 20/tcp 22-25/tcp");
	ck_assert_str_eq(service_text(database, "xc"), "ftp: 2121/tcp; 20/tcp 22-25/tcp 69/udp");
	ck_assert_str_eq(service_text(database, "xd"), "ftp: 21/tcp 2121/tcp; tftp: 69/udp");
}
END_TEST

static const struct {
	const char *text, *codes;
} bad_definitions[] = {
	{ "service xa = 1/tcp; service XA = 2/tcp;", "DUPLICATE_SERVICE" },
	{ "service xa = 1/tcp; service xb { 2/tcp; alias xa; }", "SERVICE_CLASH" },
	{ "service xb { 2/tcp; alias xa; } service xa = 1/tcp;", "SERVICE_CLASH" },
	{ "service xb { 2/tcp; tag xa; } service xa = 1/tcp;", "SERVICE_CLASH" },
	{ "service xa = xb; service xb = xc, 1/tcp; service xc = xa;", "SERVICE_CYCLE" },
	{ "service xa = xa;", "SERVICE_CYCLE" },
	{ "service xa { xt; tag xt; }", "SERVICE_CYCLE" },
	{ "service xa = 1/tcp except 1-2/tcp;", "SERVICE_EMPTY" },
	{ "service xa = 1/tcp except any;", "SERVICE_EMPTY" },
	{ "service xa { alias xb; }", "SERVICE_EMPTY" },
	{ "service xa { 1/tcp; status old; }", "BAD_STATUS" },
	{ "service xa { 1/tcp; helper none; }", "UNKNOWN_HELPER" },
	{ "service xa { 1/udp; helper ftp; }", "UNKNOWN_HELPER" },
	{ "service xb = 1/tcp; service xa { xb; helper ftp; }", "UNKNOWN_HELPER" },
	{ "override service xa = 1/tcp;", "OVERRIDE_NOTHING" },
	{ "service xa { 1/tcp; alias xb; } override service xb = 2/tcp;", "OVERRIDE_NOTHING" },
	{ "extend tag xt;", "UNKNOWN_TAG" },
	{ "service xt = 1/tcp; extend tag xt;", "UNKNOWN_TAG" },
};

START_TEST(bad_definitions_are_told)
{
	for (size_t i = 0; i < sizeof bad_definitions / sizeof *bad_definitions; i++) {
		struct diags *diags;
		database_of(&diags, bad_definitions[i].text);
		assert_codes(diags, bad_definitions[i].text, bad_definitions[i].codes);
	}
}
END_TEST

START_TEST(a_cycle_is_told_link_by_link)
{
	struct diags *diags;
	database_of(&diags, "service xa = xb; service xb = xc, 1/tcp; service xc = xa;");
	const struct diagnostic_note *note = diags->items[0]->notes;
	ck_assert_str_eq(note->message, "service 'xa' holds 'xb'");
	ck_assert_uint_eq(note->span.begin, 13);
	note = note->next;
	ck_assert_str_eq(note->message, "service 'xb' holds 'xc'");
	note = note->next;
	ck_assert_str_eq(note->message, "service 'xc' holds 'xa'");
	ck_assert_ptr_null(note->next);
}
END_TEST

START_TEST(chains_deeper_than_allowed_are_told)
{
	struct text *text = text_new(unit_pool());
	struct diags *diags;
	for (unsigned i = 0; i < 5000; i++)
		text_addf(text, "service deep-%u = deep-%u;\n", i, i + 1);
	text_add(text, "service deep-5000 = 1/tcp;");
	database_of(&diags, text->bytes);
	ck_assert_uint_gt(diags->error_count, 0);
	for (size_t i = 0; i < diags->items_count; i++)
		ck_assert_int_eq(diags->items[i]->code, CODE_TOO_DEEP);
}
END_TEST

/* --- overrides and tags ------------------------------------------------------------------------- */

START_TEST(groups_and_tags_follow_an_override)
{
	struct diags *diags;
	struct service_database *database = database_of(
		&diags,
		"service xa \"old\" { 1/tcp; alias xn; tag xt; helper ftp; status insecure; }"
		"service xg = xa, 9/tcp;"
		"override service XA { 2/tcp; alias xm; }");
	bool is_known;
	assert_codes(diags, "", "");
	ck_assert_str_eq(service_text(database, "xg"), "2/tcp 9/tcp");
	ck_assert_str_eq(service_text(database, "xt"), "2/tcp");
	ck_assert_str_eq(service_text(database, "xn"), "2/tcp");
	ck_assert_str_eq(service_text(database, "xm"), "2/tcp");
	const struct service *service = service_find(database, "xa", 2, &is_known);
	ck_assert_str_eq(service->description, "old");
	ck_assert_int_eq(service->status, SERVICE_INSECURE);
	ck_assert_ptr_null(service->helper);
}
END_TEST

START_TEST(an_override_may_leave_a_tag)
{
	struct diags *diags;
	struct service_database *database = database_of(
		&diags, "service xa { 1/tcp; tag xt; } service xb { 3/tcp; tag xt; }"
			"override service xa { 2/tcp; tag xu; } override service xb { 4/tcp; tag xt; }");
	assert_codes(diags, "", "");
	ck_assert_str_eq(service_text(database, "xt"), "4/tcp");
	ck_assert_str_eq(service_text(database, "xu"), "2/tcp");
}
END_TEST

START_TEST(a_tag_belongs_to_its_first_file)
{
	const struct text_file closed[] = {
		{ "main.fw", "include \"a.fw\"; service xb { 2/tcp; tag xt; }" },
		{ "a.fw", "service xa { 1/tcp; tag xt; } service xc { 3/tcp; tag xt; }" },
		{ NULL, NULL },
	};
	const struct text_file open[] = {
		{ "main.fw", "include \"a.fw\"; service xb { 2/tcp; tag XT; } extend tag xt;" },
		{ "a.fw", "service xa { 1/tcp; tag xt; } service xc { 3/tcp; tag xt; }" },
		{ NULL, NULL },
	};
	struct diags *diags;
	struct program *program = program_of(&diags, closed);
	service_database_new(unit_pool(), diags, program);
	assert_codes(diags, "closed", "TAG_CLOSED");
	program = program_of(&diags, open);
	struct service_database *database = service_database_new(unit_pool(), diags, program);
	assert_codes(diags, "open", "");
	ck_assert_str_eq(service_text(database, "xt"), "1-3/tcp");
}
END_TEST

/* --- lists ------------------------------------------------------------------------------------------ */

static struct tuple_set random_simple(void)
{
	static const uint16_t protocols[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP,
					      PROTOCOL_ICMP6, PROTOCOL_SCTP };
	struct tuple_set set = { 0 };
	for (unsigned i = unit_below(8); i > 0; i--) {
		uint16_t protocol = protocols[unit_below(5)], low = (uint16_t)unit_below(20);
		bool is_icmp = protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
		struct service_tuple tuple = {
			.protocol = protocol,
			.families = (uint8_t)(protocol == PROTOCOL_ICMP	   ? FAMILIES_IPV4
					      : protocol == PROTOCOL_ICMP6 ? FAMILIES_IPV6
									   : FAMILIES_BOTH),
			.first = { low, (uint16_t)(low + unit_below(6)) },
			.second = { 0, is_icmp ? UINT8_MAX : UINT16_MAX },
		};
		tuple_set_add(unit_pool(), &set, tuple);
	}
	return set;
}

START_TEST(the_short_way_gives_what_the_long_way_gives)
{
	for (unsigned round = 0; round < 3000; round++) {
		struct tuple_set set = random_simple();
		struct tuple_set wanted = tuple_set_normalise(unit_pool(), &set);
		ck_assert(tuples_join_simple(set.tuples, &set.tuples_count));
		ck_assert(tuple_set_equals(&set, &wanted));
	}
}
END_TEST

START_TEST(equal_lists_are_shared_and_exact)
{
	struct policy *policy =
		good_policy("service xa = 1/tcp, 5/udp; service xb { 21/tcp; helper ftp; }"
			    "service xc = 2/tcp; allow xa, xc; allow xa, xc; allow xa, xb, 3/tcp;"
			    "allow xa; allow any except xa;");
	struct service_uses uses[5];
	for (size_t i = 0; i < 5; i++)
		uses[i] = (struct service_uses){ policy->rules[i]->services,
						 policy->rules[i]->services_count, 0 };
	ck_assert_ptr_eq(uses[0].uses, uses[1].uses);
	ck_assert_str_eq(uses_text(&uses[0]), "1-2/tcp 5/udp");
	ck_assert_str_eq(uses_text(&uses[2]), "ftp: 21/tcp; 1/tcp 3/tcp 5/udp");
	ck_assert_str_eq(uses_text(&uses[3]), "1/tcp 5/udp");
	ck_assert_uint_gt(uses[4].uses[0].tuples.tuples_count, 250);
	ck_assert_uint_eq(policy->helpers_count, 1);
	ck_assert_str_eq(policy->helpers[0], "ftp");
}
END_TEST

/* --- the built-in database --------------------------------------------------------------------------- */

static void assert_key(const char *name, enum builtin_kind kind, uint32_t index)
{
	const struct builtin_key *key = builtin_find(name, strlen(name));
	ck_assert_msg(key != NULL, "'%s' is not in the index", name);
	ck_assert_msg(key->kind == kind, "'%s' is of another kind", name);
	if (kind != BUILTIN_TAG)
		ck_assert_uint_eq(key->index, index);
}

static bool tag_holds(const char *tag, uint32_t definition)
{
	const struct builtin_key *key = builtin_find(tag, strlen(tag));
	const struct builtin_tag *found = &builtin_data.tags[key->index];
	for (uint32_t i = 0; i < found->members_count; i++)
		if (found->members[i] == definition)
			return true;
	return false;
}

START_TEST(the_index_agrees_with_the_parser)
{
	struct diags *diags = diags_new(unit_pool(), sources_new(unit_pool()));
	struct service_database *database = service_database_new(unit_pool(), diags, NULL);
	size_t names = 0, members = 0, members_indexed = 0;
	for (uint32_t i = 0; i < builtin_data.definitions_count; i++) {
		const struct service *service = &definition_builtin(database, i)->service;
		assert_key(service->name, BUILTIN_NAME, i);
		for (size_t j = 0; j < service->aliases_count; j++)
			assert_key(service->aliases[j], BUILTIN_ALIAS, i);
		for (size_t j = 0; j < service->tags_count; j++) {
			assert_key(service->tags[j], BUILTIN_TAG, 0);
			ck_assert(tag_holds(service->tags[j], i));
		}
		names += 1 + service->aliases_count;
		members += service->tags_count;
	}
	for (size_t i = 0; i < builtin_data.tags_count; i++)
		members_indexed += builtin_data.tags[i].members_count;
	ck_assert_uint_eq(names + builtin_data.tags_count, builtin_data.keys_count);
	ck_assert_uint_eq(members, members_indexed);
}
END_TEST

START_TEST(every_profile_parses_whole_and_in_slices_alike)
{
	struct diags *diags = diags_new(unit_pool(), sources_new(unit_pool()));
	size_t statements = 0;
	for (size_t i = 0; i < builtin_data.files_count; i++) {
		const struct builtin_file *file = &builtin_data.files[i];
		uint32_t source = sources_add(diags->sources, file->name, file->bytes, file->length, true);
		const struct ast_file *tree = parse_source(unit_pool(), diags, source);
		for (const struct ast_statement *statement = tree->statements; statement != NULL;
		     statement = statement->next)
			statements++;
	}
	assert_codes(diags, "profiles", "");
	ck_assert_uint_eq(statements, builtin_data.definitions_count);
}
END_TEST

START_TEST(every_built_in_service_resolves)
{
	struct diags *diags = diags_new(unit_pool(), sources_new(unit_pool()));
	struct service_database *database = service_database_new(unit_pool(), diags, NULL);
	service_database_resolve_all(database);
	assert_codes(diags, "profiles", "");
	ck_assert_uint_eq(database->items_count,
			  builtin_data.definitions_count + builtin_data.tags_count);
	for (size_t i = 0; i < database->items_count; i++) {
		const struct service *service = database->items[i];
		ck_assert_msg(service->own.tuples_count != 0, "%s holds nothing", service->name);
		if (!service->is_tag) /* its span is that of its name in the profile */
			ck_assert_int_eq(strncmp(diags->sources->items[service->span.source]->bytes +
							 service->span.begin +
							 (service->span.end - service->span.begin >
							  strlen(service->name)),
						 service->name, strlen(service->name)), 0);
	}
}
END_TEST

START_TEST(built_in_services_can_be_used_and_overridden)
{
	struct diags *diags;
	if (builtin_find("kerberos", 8) == NULL || builtin_find("p2p", 3) == NULL)
		return; /* a build without profiles */
	ck_assert_ptr_eq(builtin_find("kerberos\0 and more", 17), NULL);
	struct service_database *database =
		database_of(&diags, "override service Kerberos = 8888/tcp;");
	assert_codes(diags, "", "");
	ck_assert_str_eq(service_text(database, "kerberos"), "8888/tcp");
	ck_assert_str_eq(service_text(database, "krb5"), "8888/tcp");
	database_of(&diags, "service kerberos = 8888/tcp;");
	assert_codes(diags, "", "DUPLICATE_SERVICE");
	database_of(&diags, "service xa { 1/tcp; tag p2p; }");
	assert_codes(diags, "", "TAG_CLOSED");
	database_of(&diags, "extend tag p2p; service xa { 1/tcp; tag p2p; }");
	assert_codes(diags, "", "");
	database_of(&diags, "service xa = kerbros;");
	assert_codes(diags, "", "UNKNOWN_SERVICE");
	ck_assert_str_eq(diags->items[0]->notes->message, "did you mean 'kerberos'?");
}
END_TEST

START_TEST(sftp_is_a_trap)
{
	struct diags *diags;
	if (builtin_find("sftp", 4) == NULL)
		return; /* a build without profiles */
	policy_of(&diags, "allow SFTP; service xa = sftp;");
	assert_codes(diags, "", "SERVICE_TRAP SERVICE_TRAP");
	policy_of(&diags, "override service sftp = 1/tcp; allow sftp;");
	assert_codes(diags, "", "");
	policy_of(&diags, "expect trap; allow sftp;");
	ck_assert_uint_eq(diags->warning_count, 0);
}
END_TEST

static Suite *services_suite(void)
{
	Suite *suite = suite_create("services");
	TCase *literals = unit_case(suite, "literals");
	tcase_add_test(literals, literals_become_tuples);
	tcase_add_test(literals, bad_literals_are_told);
	TCase *definitions = unit_case(suite, "definitions");
	tcase_add_test(definitions, services_nest_and_except);
	tcase_add_test(definitions, helpers_win_over_plain_ports);
	tcase_add_test(definitions, bad_definitions_are_told);
	tcase_add_test(definitions, a_cycle_is_told_link_by_link);
	tcase_add_test(definitions, chains_deeper_than_allowed_are_told);
	tcase_add_test(definitions, groups_and_tags_follow_an_override);
	tcase_add_test(definitions, an_override_may_leave_a_tag);
	tcase_add_test(definitions, a_tag_belongs_to_its_first_file);
	TCase *lists = unit_case(suite, "lists");
	tcase_add_test(lists, the_short_way_gives_what_the_long_way_gives);
	tcase_add_test(lists, equal_lists_are_shared_and_exact);
	TCase *builtin = unit_case(suite, "built-in");
	tcase_add_test(builtin, the_index_agrees_with_the_parser);
	tcase_add_test(builtin, every_profile_parses_whole_and_in_slices_alike);
	tcase_add_test(builtin, every_built_in_service_resolves);
	tcase_add_test(builtin, built_in_services_can_be_used_and_overridden);
	tcase_add_test(builtin, sftp_is_a_trap);
	return suite;
}

int main(void)
{
	Suite *(*const suites[])(void) = { services_suite, NULL };
	return unit_run(suites);
}
