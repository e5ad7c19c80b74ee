/* The canonical form: it prints to itself, means the same tree, loses no comment.
 * Policies are drawn from a grammar of their own here, with blanks and comments thrown in
 * between any two tokens; and every file of profiles/ is tried. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "ast/print.h"
#include "base/pool.h"
#include "base/text.h"
#include "parse/parse.h"
#include "unit.h"

Suite *fmt_suite(void);

struct formatted {
	struct sources *sources;
	struct diags *diags;
	struct ast_file *file;
	const char *canonical, *tree;
};

static struct formatted format(const char *text)
{
	struct formatted result = { .sources = sources_new(unit_pool()) };
	result.diags = diags_new(unit_pool(), result.sources);
	uint32_t source = sources_add(result.sources, "p.fw", text, strlen(text), 0);
	result.file = parse_source(unit_pool(), result.diags, source);
	ck_assert_msg(!diags_has_errors(result.diags), "%s\nin\n%s", result.diags->items[0]->message,
		      text);
	struct text *canonical = text_new(unit_pool());
	ast_print_canonical(canonical, result.sources, result.file);
	struct text *tree = text_new(unit_pool());
	ast_print_tree(tree, NULL, result.file);
	result.canonical = canonical->bytes;
	result.tree = tree->bytes;
	return result;
}

static int compare_strings(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* All comments, sorted: moving is allowed, losing and changing is not. */
static const char *comments_of(const struct formatted *result)
{
	size_t count = result->file->comments_count;
	const char **all = pool_array(unit_pool(), const char *, count + 1);
	const char *bytes = result->sources->items[0]->bytes;
	for (size_t i = 0; i < count; i++) {
		struct span span = result->file->comments[i].span;
		all[i] = pool_strndup(unit_pool(), bytes + span.begin, span.end - span.begin);
	}
	qsort(all, count, sizeof *all, compare_strings);
	struct text *joined = text_new(unit_pool());
	for (size_t i = 0; i < count; i++)
		text_addf(joined, "%s\n", all[i]);
	return joined->bytes;
}

static void check_laws(const char *text)
{
	struct formatted first = format(text);
	struct formatted second = format(first.canonical);
	ck_assert_msg(strcmp(first.canonical, second.canonical) == 0,
		      "not a fixed point:\n%s\n--- once\n%s\n--- twice\n%s", text, first.canonical,
		      second.canonical);
	ck_assert_msg(strcmp(first.tree, second.tree) == 0, "another tree:\n%s\n---\n%s", text,
		      first.canonical);
	ck_assert_str_eq(comments_of(&first), comments_of(&second));
	ck_assert_ptr_null(strstr(first.canonical, "\n\n\n"));
	ck_assert_ptr_null(strstr(first.canonical, " \n"));
}

/* --- written cases ------------------------------------------------------------------------ */

static const struct {
	const char *text, *canonical;
} cases[] = {
	{ "", "" },
	{ "\n\n;;\n", "" },
	{ "# alone", "# alone\n" },
	{ "\n\n# a  \r\n\n\n\n# b\n\n", "# a\n\n# b\n" },
	{ "allow   http ,dns from lan", "allow http, dns from lan;\n" },
	{ "allow a; deny b\n;", "allow a;\ndeny b;\n" },
	{ "allow a;\n\n\n\ndeny b", "allow a;\n\ndeny b;\n" },
	{ "allow a; # x\n# y\ndeny b # z", "allow a; # x\n# y\ndeny b; # z\n" },
	{ "allow # x\n a # y\n ;", "# x\n# y\nallow a;\n" },
	{ "allow b;\n\nallow # x\n a;", "allow b;\n\n# x\nallow a;\n" },
	{ "from lan{ # x\n\nallow a;# y\n\n# z\n} # w",
	  "from lan { # x\n    allow a; # y\n\n    # z\n} # w\n" },
	{ "from lan # x\nto wan # y\n{ }", "# x\n# y\nfrom lan to wan {\n}\n" },
	{ "zone z # x\n { interface a,b # y\n, c;network n } # z",
	  "# x\nzone z {\n    # y\n    interface a, b, c;\n    network n;\n} # z\n" },
	{ "service s \"d\" { tag a,b; 1/tcp,2/udp sport 3;alias c }",
	  "service s \"d\" {\n    tag a, b;\n    1/tcp, 2/udp sport 3;\n    alias c;\n}\n" },
	{ "override service \"a/b\"=any", "override service \"a/b\" = any;\n" },
	{ "schedule w=mon,tue 8:00-9:00", "schedule w = mon 8:00-9:00, tue 8:00-9:00;\n" },
	{ "forward 1/tcp from w at 10.0.0.1 to h port 2 log \"x\"",
	  "forward 1/tcp from w at 10.0.0.1 to h port 2 log \"x\";\n" },
	{ "default output deny;assert unchanged to x;expect y because \"z\"",
	  "default output deny;\nassert unchanged to x;\nexpect y because \"z\";\n" },
	{ "device D{interface Serial0/0{zone a;shutdown}route default via 1.2.3.4}",
	  "device D {\n    interface Serial0/0 {\n        zone a;\n        shutdown;\n    }\n"
	  "    route default via 1.2.3.4;\n}\n" },
	{ "group g = aaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbb, cccccccccccccccccccc, dddddddddddd, "
	  "eeeeeeeeee except ffffffffff",
	  "group g = aaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbb, cccccccccccccccccccc, dddddddddddd, "
	  "eeeeeeeeee\n    except ffffffffff;\n" },
};

START_TEST(written_cases_come_out_as_they_should)
{
	ck_assert_str_eq(format(cases[_i].text).canonical, cases[_i].canonical);
	check_laws(cases[_i].text);
}
END_TEST

START_TEST(the_profiles_obey_the_laws)
{
	glob_t found;
	if (glob(FWC_TEST_PROFILES "/*.fw", 0, NULL, &found) != 0)
		return;
	struct file_reader disk = file_reader_disk();
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *bytes;
		size_t length;
		ck_assert_int_eq(disk.read(disk.context, unit_pool(), found.gl_pathv[i], &bytes,
					   &length), 0);
		check_laws(bytes);
	}
	globfree(&found);
}
END_TEST

/* --- drawn policies ------------------------------------------------------------------------- */

/* Between two tokens: at least a blank, sometimes line ends and comments. */
static void add_blank(struct text *text)
{
	switch (unit_below(24)) {
	case 0: text_add(text, "\n"); break;
	case 1: text_add(text, "\n\n\n  "); break;
	case 2: text_addf(text, " # c%u;{}\"\n", unit_below(100)); break;
	case 3: text_addf(text, "\n# alone %u\n\n", unit_below(100)); break;
	case 4: text_add(text, "\t\r\n"); break;
	default: text_add(text, " ");
	}
}

static void add(struct text *text, const char *token)
{
	text_add(text, token);
	add_blank(text);
}

static void add_one(struct text *text, const char *const *choices, unsigned count)
{
	add(text, choices[unit_below(count)]);
}

#define ADD_ONE(text, table) add_one((text), (table), sizeof table / sizeof table[0])

static void add_name(struct text *text)
{
	static const char *const names[] = {
		"lan", "wan", "http", "a.b-c", "z39.50", "\"x y\"", "\"#;{\"", "log", "host", "3com",
		"zone", "sport", "service", "at", "per", "a-name-that-is-long-enough-to-break-lines",
		"\"\xc3\xa9\xe2\x82\xac\"", "deny",
	};
	ADD_ONE(text, names);
}

static void add_service(struct text *text)
{
	static const char *const services[] = {
		"http", "dns", "8443/tcp", "1-2/udp", "53/tcp+udp", "any", "any/icmp", "3:4/icmp",
		"echo-request/icmp", "47/ip", "67/udp sport 68", "\"914c/g\"", "limit",
	};
	ADD_ONE(text, services);
}

static void add_place(struct text *text)
{
	static const char *const places[] = {
		"lan", "any", "self", "internet", "10.0.0.1", "fd00::1", "10.0.0.0/8", "::/0",
		"10.0.0.5-10.0.0.9", "fd00::1-fd00::2", "\"b c\"", "file", "file \"l\"",
		"file \"l\" or empty", "to-lan",
	};
	ADD_ONE(text, places);
}

typedef void add_item(struct text *text);

static void add_list(struct text *text, add_item *item)
{
	item(text);
	while (unit_below(3) == 0) {
		add(text, ",");
		item(text);
	}
}

static void add_set(struct text *text, add_item *item)
{
	add_list(text, item);
	if (unit_below(6) == 0) {
		add(text, "except");
		add_list(text, item);
	}
}

static void add_sides(struct text *text, unsigned needed)
{
	unsigned sides = needed | unit_below(4);
	if (sides & 1) {
		add(text, "from");
		add_set(text, add_place);
	}
	if (sides & 2) {
		add(text, "to");
		add_set(text, add_place);
	}
}

static void add_options(struct text *text)
{
	static const char *const options[] = {
		"log", "log \"p\"", "count", "limit 10/second", "limit 1/minute burst 3",
		"limit 2/hour per source", "limit 3/day burst 4 per source", "until 2026-12-31",
		"during work", "ipv4", "ipv6", "stateless", "because \"text # no comment\"",
		"owner \"o\"", "id abc", "rescue",
	};
	while (unit_below(3) == 0)
		ADD_ONE(text, options);
}

static void add_verdict(struct text *text)
{
	static const char *const verdicts[] = { "allow", "deny", "reject" };
	ADD_ONE(text, verdicts);
}

static void add_rule(struct text *text)
{
	add_verdict(text);
	add_set(text, add_service);
	add_sides(text, 0);
	add_options(text);
}

static void add_end(struct text *text)
{
	add(text, ";");
	while (unit_below(8) == 0)
		add(text, ";");
}

static void add_statement(struct text *text, unsigned depth);

static void add_body(struct text *text, unsigned depth)
{
	add(text, "{");
	for (unsigned i = unit_below(4); i > 0; i--)
		add_statement(text, depth);
	if (unit_below(3) == 0)
		add_rule(text); /* without ';' */
	add(text, "}");
}

static void add_block(struct text *text, unsigned depth)
{
	add_sides(text, 1 + unit_below(3));
	add_body(text, depth - 1);
}

static void add_definition(struct text *text)
{
	static const char *const fixed[] = {
		"policy \"p\" version \"1\" ;", "include \"x.fw\" ;", "extend tag p2p ;",
		"schedule w = mon-fri 08:00-18:00 , sat , sun 09:00-10:00 ;", "timezone +01:00 ;",
		"timezone utc ;", "zone z { interface eth0 , Serial0/0 ; network lan except dmz }",
		"service s \"d\" { 1/tcp ; alias a , b ; tag t ; source \"x\" , \"y\" ; helper h }",
		"device d { target t ; interface e0 { zone a ; address 10.0.0.1/8 } cdp off on a ; }",
		"tunnel t { between a on b , c on d ; carry a , b <-> c except d ; ike { version 1 } }",
	};
	ADD_ONE(text, fixed);
}

static void add_named(struct text *text)
{
	static const char *const kinds[] = { "host", "network", "group" };
	ADD_ONE(text, kinds);
	add_name(text);
	add(text, "=");
	add_set(text, add_place);
	add_end(text);
}

static void add_service_def(struct text *text)
{
	if (unit_below(2) == 0)
		add(text, "override");
	add(text, "service");
	add_name(text);
	add(text, "=");
	add_set(text, add_service);
	add_end(text);
}

static void add_translation(struct text *text)
{
	static const char *const heads[] = {
		"masquerade from lan to wan", "snat from a , b to c as 80.1.0.3",
		"forward https from wan to web", "forward 1/tcp from wan at 80.1.0.2 to web port 22",
	};
	ADD_ONE(text, heads);
	add_options(text);
	add_end(text);
}

static void add_claim(struct text *text)
{
	static const char *const heads[] = { "assert only", "assert allow", "assert deny" };
	ADD_ONE(text, heads);
	add_set(text, add_service);
	add_sides(text, 0);
	add_end(text);
	add(text, "expect shadowed because \"r\" ;");
}

/* depth: blocks that may still be opened */
static void add_statement(struct text *text, unsigned depth)
{
	switch (unit_below(depth > 0 ? 4 : 3)) {
	case 0:
		add_claim(text);
		break;
	case 3:
		add_block(text, depth);
		break;
	default:
		add_rule(text);
		add_end(text);
	}
}

static const char *drawn_policy(void)
{
	static add_item *const kinds[] = { add_definition, add_named, add_service_def,
					   add_translation };
	struct text *text = text_new(unit_pool());
	if (unit_below(4) == 0)
		text_add(text, "\xef\xbb\xbf");
	add_blank(text);
	for (unsigned i = unit_below(8); i > 0; i--) {
		if (unit_below(2) == 0)
			kinds[unit_below(sizeof kinds / sizeof kinds[0])](text);
		else
			add_statement(text, 3);
	}
	if (unit_below(2) == 0)
		add_rule(text);
	return text->bytes;
}

START_TEST(drawn_policies_obey_the_laws)
{
	for (unsigned i = 0; i < 3000; i++)
		check_laws(drawn_policy());
}
END_TEST

/* --- shuffled tokens: most are no policies; none may crash ------------------------------------ */

static const char *shuffled_policy(void)
{
	static const char *const tokens[] = {
		"allow", "deny", "from", "to", "any", "self", "except", "lan", "http", ",", ";", "{",
		"}", "=", "/", "<->", "80", "8443/tcp", "10.0.0.1", "10.0.0.0/8", "\"s\"", "log",
		"host", "service", "zone", "device", "interface", "network", "default", "limit",
		"1/second", "08:00-09:00", "tag", "carry", "tunnel", "assert", "snat", "as", "\n",
		"# c\n", "\"", "@", "file", "or", "empty", "1.2", "until", "2026-01-01", "forward",
	};
	struct text *text = text_new(unit_pool());
	for (unsigned i = unit_below(30); i > 0; i--) {
		text_add(text, tokens[unit_below(sizeof tokens / sizeof tokens[0])]);
		if (unit_below(8) != 0)
			text_add_char(text, ' ');
	}
	return text->bytes;
}

START_TEST(shuffled_tokens_obey_the_laws_or_are_errors)
{
	for (unsigned i = 0; i < 30000; i++) {
		const char *text = shuffled_policy();
		struct sources *sources = sources_new(unit_pool());
		struct diags *diags = diags_new(unit_pool(), sources);
		sources_add(sources, "p.fw", text, strlen(text), 0);
		struct ast_file *file = parse_source(unit_pool(), diags, 0);
		struct text *out = text_new(unit_pool());
		ast_print_tree(out, sources, file);
		ast_print_canonical(out, sources, file);
		if (!diags_has_errors(diags))
			check_laws(text);
	}
}
END_TEST

Suite *fmt_suite(void)
{
	Suite *suite = suite_create("fmt");
	TCase *laws = unit_case(suite, "laws");
	tcase_add_loop_test(laws, written_cases_come_out_as_they_should, 0,
			    (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(laws, the_profiles_obey_the_laws);
	tcase_add_test(laws, drawn_policies_obey_the_laws);
	tcase_add_test(laws, shuffled_tokens_obey_the_laws_or_are_errors);
	return suite;
}
