/* The parser: trees, messages and their places, recovery, hostile input, includes. */
#include <errno.h>
#include <string.h>

#include "ast/print.h"
#include "base/pool.h"
#include "base/text.h"
#include "parse/parse.h"
#include "parse/path.h"
#include "unit.h"

Suite *fmt_suite(void);

struct parsed {
	struct diags *diags;
	struct ast_file *file;
};

static struct parsed parse_bytes(const char *bytes, size_t length)
{
	struct sources *sources = sources_new(unit_pool());
	struct parsed parsed = { .diags = diags_new(unit_pool(), sources) };
	uint32_t source = sources_add(sources, "p.fw", bytes, length, 0);
	parsed.file = parse_source(unit_pool(), parsed.diags, source);
	return parsed;
}

static struct parsed parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

/* "line:column CODE message; note" a line */
static const char *report(struct diags *diags)
{
	struct text *text = text_new(unit_pool());
	diags_sort(diags);
	for (size_t i = 0; i < diags->items_count; i++) {
		const struct diagnostic *item = diags->items[i];
		if (item->span.source < diags->sources->items_count) {
			struct position at = sources_position(diags->sources, item->span.source,
							      item->span.begin);
			text_addf(text, "%u:%u ", at.line, at.column);
		}
		text_addf(text, "%s %s", code_find(item->code)->name, item->message);
		for (const struct diagnostic_note *note = item->notes; note != NULL; note = note->next)
			text_addf(text, "; %s", note->message);
		text_add_char(text, '\n');
	}
	return text->bytes;
}

static void check_messages(const char *text, const char *expected)
{
	ck_assert_str_eq(report(parse(text).diags), expected);
}

static const char *tree(const char *text)
{
	struct parsed parsed = parse(text);
	ck_assert_str_eq(report(parsed.diags), "");
	struct text *out = text_new(unit_pool());
	ast_print_tree(out, NULL, parsed.file);
	return out->bytes;
}

static size_t statement_count(const struct ast_file *file)
{
	size_t count = 0;
	for (const struct ast_statement *at = file->statements; at != NULL; at = at->next)
		count++;
	return count;
}

/* --- trees ------------------------------------------------------------------------------- */

START_TEST(one_line_is_a_policy)
{
	ck_assert_str_eq(tree("allow kerberos, ldap; deny p2p"),
			 "rule\n  allow\n  service kerberos\n  service ldap\n"
			 "rule\n  deny\n  service p2p\n");
}
END_TEST

START_TEST(service_literals_have_all_forms)
{
	ck_assert_str_eq(
		tree("service x = 8443/tcp, 27000-27050/udp, 53/tcp+udp, any/tcp, 8/icmp, 3:4/icmp,\n"
		     "  echo-request/icmp, 47/ip, 67/udp sport 68, any, z39.50, \"914c/g\" except 1/tcp;"),
		"service\n  name x\n  literal 8443 / tcp\n  literal 27000-27050 / udp\n"
		"  literal 53 / tcp+udp\n  literal any / tcp\n  literal 8 / icmp\n"
		"  literal 3:4 / icmp\n  literal echo-request / icmp\n  literal 47 / ip\n"
		"  literal 67 / udp sport 68\n  literal any\n  service z39.50\n"
		"  service \"914c/g\"\n  except-literal 1 / tcp\n");
}
END_TEST

START_TEST(places_have_all_forms)
{
	ck_assert_str_eq(
		tree("group g = any, self, internet, dc1, 10.0.0.1, fd00::1, 10.0.0.0/8, ::/0,\n"
		     "  10.0.0.5-10.0.0.9, fd00::1-fd00::2, \"file\", file, file \"l\" or empty\n"
		     "  except 10.0.0.7;"),
		"group\n  name g\n  place builtin any\n  place builtin self\n"
		"  place builtin internet\n  place name dc1\n  place address 10.0.0.1\n"
		"  place address fd00::1\n  place prefix 10.0.0.0/8\n  place prefix ::/0\n"
		"  place range 10.0.0.5-10.0.0.9\n  place range fd00::1-fd00::2\n"
		"  place name \"file\"\n  place name file\n  place file \"l\" or empty\n"
		"    except address 10.0.0.7\n");
}
END_TEST

START_TEST(options_stand_in_any_order)
{
	ck_assert_str_eq(
		tree("deny any rescue id a owner \"o\" because \"b\" stateless ipv6 ipv4 during d\n"
		     "until 2026-12-31 limit 10/second per source burst 5 count log \"p\" log;"),
		"rule\n  deny\n  literal any\n  option rescue\n  option id a\n"
		"  option owner \"o\"\n  option because \"b\"\n  option stateless\n"
		"  option ipv6\n  option ipv4\n  option during d\n  option until 2026-12-31\n"
		"  option limit 10 second burst 5 per source\n  option count\n"
		"  option log \"p\"\n  option log\n");
}
END_TEST

START_TEST(keywords_are_names_elsewhere)
{
	static const char *const keywords[] = {
		"alias", "allow", "as", "assert", "at", "because", "burst", "carry", "count",
		"default", "deny", "device", "during", "empty", "expect", "extend", "file",
		"forward", "group", "helper", "host", "id", "include", "input", "interface",
		"ipv4", "ipv6", "limit", "log", "masquerade", "network", "only", "or", "output",
		"override", "owner", "per", "policy", "port", "reject", "rescue", "schedule",
		"service", "snat", "source", "sport", "stateless", "status", "tag", "timezone",
		"tunnel", "unchanged", "until", "version", "zone",
	};
	for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
		const char *k = keywords[i];
		tree(pool_format(unit_pool(), "host %s = %s; zone %s { interface %s; network %s }",
				 k, k, k, k, k));
		tree(pool_format(unit_pool(), "allow %s, %s except %s from %s to %s during %s id %s",
				 k, k, k, k, k, k, k));
		tree(pool_format(unit_pool(), "service %s { 1/tcp, %s; alias %s; helper %s; status %s }"
				 "assert deny %s; from %s to %s { allow %s; } policy %s; expect %s",
				 k, k, k, k, k, k, k, k, k, k, k));
		tree(pool_format(unit_pool(), "forward %s from %s at %s to %s port 1; schedule %s = "
				 "%s 08:00-09:00; tunnel %s { between %s on %s, %s on %s }",
				 k, k, k, k, k, k, k, k, k, k, k));
	}
}
END_TEST

START_TEST(semicolons_may_be_missing_at_ends)
{
	ck_assert_uint_eq(statement_count(parse("allow a;;; ; deny b").file), 2);
	tree("from a { allow b } from c { deny d; from e { allow f } } zone z { network n }"
	     "service s { 1/tcp; helper h } device d { target t } tunnel t { carry a <-> b }");
	ck_assert_ptr_null(parse("").file->statements);
	ck_assert_ptr_null(parse(" # nothing\n;").file->statements);
}
END_TEST

START_TEST(byte_order_marks_and_line_ends_are_accepted)
{
	struct parsed parsed = parse("\xef\xbb\xbf# \xc3\xa9 \r\nallow a;\r\n# b");
	ck_assert_str_eq(report(parsed.diags), "");
	ck_assert_uint_eq(statement_count(parsed.file), 1);
	ck_assert_uint_eq(parsed.file->comments_count, 2);
	ck_assert(parsed.file->comments[0].is_alone);
	ck_assert_uint_eq(parsed.file->comments[0].span.begin, 3);
	ck_assert_uint_eq(parsed.file->comments[0].span.end, 7);
}
END_TEST

START_TEST(a_schedule_is_pairs_of_day_and_time)
{
	ck_assert_str_eq(tree("schedule w = mon-fri 08:00-18:00, sat, sun 9:00-12:00, any 00:00-01:00"),
			 "schedule\n  name w\n  span mon-fri\n  span 08:00-18:00\n  span sat\n"
			 "  span 9:00-12:00\n  span sun\n  span 9:00-12:00\n  span any\n"
			 "  span 00:00-01:00\n");
}
END_TEST

START_TEST(definitions_hold_no_rules)
{
	ck_assert(!parse("host a = 10.0.0.1; expect shadowed; service s = 1/tcp").file->holds_rules);
	ck_assert(parse("default deny").file->holds_rules);
	ck_assert(parse("from a { }").file->holds_rules);
	ck_assert(parse("masquerade from a to b").file->holds_rules);
}
END_TEST

START_TEST(spans_reach_to_the_end_of_statements)
{
	const struct ast_statement *first = parse("  allow a ;from b { } zone c { };").file->statements;
	ck_assert_uint_eq(first->span.begin, 2);
	ck_assert_uint_eq(first->span.end, 11);
	ck_assert_uint_eq(first->next->span.begin, 11);
	ck_assert_uint_eq(first->next->span.end, 21);
	ck_assert_uint_eq(first->next->block.open.begin, 18);
	ck_assert_uint_eq(first->next->next->span.end, 32);
}
END_TEST

/* --- messages ----------------------------------------------------------------------------- */

#define OTHER_QUOTES "strings stand in double quotes ('\"'), and nothing else stands in quotes\n"

#define LATIN "; a file of Latin letters is converted by 'iconv -f latin1 -t utf-8 OLD > NEW'"

static const struct {
	const char *text, *messages;
} mistakes[] = {
	{ "alow http;", "1:1 SYNTAX unknown statement 'alow'; did you mean 'allow'?\n" },
	{ "http from lan;", "1:1 SYNTAX expected a statement, found 'http'; a rule begins with allow, "
			    "deny or reject\n" },
	{ "allow from lan;", "1:7 SYNTAX expected a service, found 'from'; the order is: services, 'from' "
			     "places, 'to' places, options; each once\n" },
	{ "allow http, ;", "1:13 SYNTAX expected a service, found ';'\n" },
	{ "allow", "1:6 SYNTAX expected a service, found the end of the file\n" },
	{ "allow http from;", "1:16 SYNTAX expected a place, found ';'\n" },
	{ "allow http fom lan;", "1:12 SYNTAX expected 'from', 'to', 'except', ',', an option or ';', "
				 "found 'fom'; did you mean 'from'?\n" },
	{ "allow http\ndeny ssh", "1:11 UNTERMINATED_STATEMENT missing ';' after 'http'\n" },
	{ "allow http deny ssh", "1:11 UNTERMINATED_STATEMENT missing ';' after 'http'\n" },
	{ "allow a log\nfrom b { allow c }", "1:12 UNTERMINATED_STATEMENT missing ';' after 'log'\n" },
	{ "default deny log\nfrom b { allow c }",
	  "1:17 UNTERMINATED_STATEMENT missing ';' after 'log'\n" },
	{ "host a = 1.2.3.4\nhost b = 1.2.3.5", "1:17 UNTERMINATED_STATEMENT missing ';' after "
						"'1.2.3.4'\n" },
	{ "service s { 1/tcp\n tag t }", "1:18 UNTERMINATED_STATEMENT missing ';' after 'tcp'\n" },
	{ "allow tcp/80;", "1:7 SYNTAX expected a service, found 'tcp/80'; the ports come first: "
			   "'80/tcp'\n" },
	{ "allow 8443 / tcp;", "1:7 SYNTAX no blanks inside: write '8443/tcp'\n" },
	{ "allow a limit 10 / second;", "1:15 SYNTAX no blanks inside: write '10/second'\n" },
	{ "allow 80x:1/tcp;", "1:7 BAD_TOKEN '80x:1' is not a name, a number or an address\n" },
	{ "host a = 10.0.0.300;", "1:10 BAD_ADDRESS '10.0.0.300' is not an address\n" },
	{ "host a = 1.2.3, 010.0.0.1, 1.2.3.4/33, fd00:::1, ::/129, 1.2.3.4-5;",
	  "1:10 BAD_ADDRESS '1.2.3' is not an address\n"
	  "1:17 BAD_ADDRESS '010.0.0.1' is not an address\n"
	  "1:28 BAD_ADDRESS '1.2.3.4/33' is not an address\n"
	  "1:40 BAD_ADDRESS 'fd00:::1' is not an address\n"
	  "1:50 BAD_ADDRESS '::/129' is not an address\n"
	  "1:58 BAD_ADDRESS '1.2.3.4-5' is not an address\n" },
	{ "include \"x;\nallow a", "1:9 UNTERMINATED_STRING the string has no closing '\"'; a string "
				   "ends on the line where it begins\n" },
	{ "policy 'two words'; include “b.fw”; host ‘c–d’ = 10.0.0.1; include „it’s“;",
	  "1:8 BAD_BYTE " OTHER_QUOTES "1:29 BAD_BYTE " OTHER_QUOTES "1:42 BAD_BYTE " OTHER_QUOTES
	  "1:68 BAD_BYTE " OTHER_QUOTES },
	{ "policy 'a; b // c'; include «b; c»; include »b«; include ‹b›; include `b\"c`; "
	  "include ''it's''; deny 8x:1/tcp;",
	  "1:8 BAD_BYTE " OTHER_QUOTES "1:29 BAD_BYTE " OTHER_QUOTES "1:45 BAD_BYTE " OTHER_QUOTES
	  "1:58 BAD_BYTE " OTHER_QUOTES "1:71 BAD_BYTE " OTHER_QUOTES "1:86 BAD_BYTE " OTHER_QUOTES
	  "1:101 BAD_TOKEN '8x:1' is not a name, a number or an address\n" },
	{ "policy 'a\nit's b';\nallow 8x:1/tcp", "1:8 BAD_BYTE " OTHER_QUOTES
						 "3:7 BAD_TOKEN '8x:1' is not a name, a number or an address\n" },
	{ "policy \"a\nb; c\";\ninclude 'b",
	  "1:8 UNTERMINATED_STRING the string has no closing '\"'; a string ends on the line where it begins\n"
	  "3:9 BAD_BYTE ''' cannot stand here: names with other letters go in double quotes\n" },
	{ "policy \"a;\ninclude \"b\"; allow 8x:1/tcp",
	  "1:8 UNTERMINATED_STRING the string has no closing '\"'; a string ends on the line where it begins\n"
	  "2:20 BAD_TOKEN '8x:1' is not a name, a number or an address\n" },
	{ "allow ssh // x\n from a; /* y\n z */ deny 8x:1/tcp; /* x",
	  "1:11 BAD_TOKEN a comment begins with '#', and ends with its line\n"
	  "2:10 BAD_TOKEN a comment begins with '#', and ends with its line\n"
	  "3:12 BAD_TOKEN '8x:1' is not a name, a number or an address\n"
	  "3:22 BAD_TOKEN a comment begins with '#', and ends with its line\n" },
	{ "allow ssh';", "1:10 BAD_BYTE ''' cannot stand here: names with other letters go in double quotes\n" },
	{ "policy \"a\tb\";", "1:10 CONTROL_IN_STRING a control character (byte 0x09) stands in a "
			      "string\n" },
	{ "policy \"a\xc2\x85\";", "1:10 CONTROL_IN_STRING a control character (byte 0xc2) stands in "
				   "a string\n" },
	{ "host \"\" = 10.0.0.1;", "1:6 BAD_STRING a name cannot be empty\n" },
	{ "allow @http; deny \x01;", "1:7 BAD_BYTE '@' cannot stand here: names with other letters go "
				     "in double quotes\n1:19 BAD_BYTE byte 0x01 cannot stand in a policy\n" },
	{ "allow \xff\xfe;", "1:7 BAD_UTF8 not UTF-8: bytes from 0xff" LATIN "\n" },
	{ "# \xc0\xaf\nallow a;", "1:3 BAD_UTF8 not UTF-8: bytes from 0xc0" LATIN "\n" },
	{ "# \xed\xa0\x80\n", "1:3 BAD_UTF8 not UTF-8: bytes from 0xed" LATIN "\n" },
	{ "from lan { host a = 10.0.0.1; default deny }",
	  "1:12 MISPLACED_STATEMENT a host definition cannot stand inside a block; a block holds "
	  "rules, assert, expect and other blocks\n"
	  "1:31 MISPLACED_STATEMENT 'default' cannot stand inside a block; a block holds rules, "
	  "assert, expect and other blocks\n" },
	{ "from lan { allow a;", "1:20 SYNTAX missing '}' at the end of the file; this '{' is not "
				 "closed\n" },
	{ "allow a; } allow b; }", "1:10 SYNTAX this '}' closes nothing\n1:21 SYNTAX this '}' closes "
				   "nothing\n" },
	{ "service s { status a; status b }", "1:23 PROPERTY_TWICE 'status' is said twice; it is said "
					      "here before\n" },
	{ "zone z { iface eth0; network n; }", "1:10 SYNTAX expected 'network' or 'interface', found "
					       "'iface'\n" },
	{ "device d { tagret x; }", "1:12 DEVICE_ITEM there is no 'tagret' in device blocks; did you "
				    "mean 'target'?\n" },
	{ "device d { target a; target b }", "1:22 DEVICE_ITEM 'target' is said twice; it is said here "
					     "before\n" },
	{ "device d { replies often; route default 10.0.0.1; carry a <-> b; target { } }",
	  "1:12 DEVICE_ITEM expected 'replies established', 'replies reflexive' or 'replies none'\n"
	  "1:27 DEVICE_ITEM expected 'route default via ADDRESS' or 'route PREFIX via ADDRESS'\n"
	  "1:51 DEVICE_ITEM there is no 'carry' in device blocks\n"
	  "1:66 DEVICE_ITEM expected 'target NAME'\n" },
	{ "tunnel t { between a on b and peer c; esp { hash; } }",
	  "1:12 TUNNEL_ITEM expected 'between NAME on NAME , NAME on NAME' or 'between NAME on NAME "
	  "and peer ADDRESS'\n1:45 TUNNEL_ITEM expected 'hash NAME'\n" },
	{ "masquerade to wan;", "1:12 SYNTAX expected 'from', found 'to'\n" },
	{ "snat from a to b as c;", "1:21 SYNTAX expected an address, found 'c'\n" },
	{ "schedule w = mon;", "1:17 SYNTAX expected times such as 08:00-18:00 or ',', found ';'\n" },
	{ "timezone 5;", "1:10 SYNTAX expected a name or an offset such as +01:00, found '5'\n" },
};

START_TEST(each_mistake_has_its_message)
{
	check_messages(mistakes[_i].text, mistakes[_i].messages);
}
END_TEST

START_TEST(one_run_shows_every_mistake)
{
	const char *text =
		"allow from x;\n"                       /* 1 */
		"frm lan to wan { allow x y; }\n"       /* 2: its body is dropped with it */
		"from lan to wan wan2 {\n"              /* 3: its body is read */
		"  allow x y;\n"                        /* 4 */
		"  from z { deny }\n"                   /* 5 */
		"}\n"
		"allow ok1;\n"
		"service s { tgg tgh; 1/tcp; tag a b; }\n" /* 8 */
		"from lan to { deny ssh fom x }\n"      /* 9: twice */
		"allow ok2;\n";
	struct parsed parsed = parse(text);
	static const unsigned lines[] = { 1, 2, 3, 4, 5, 8, 8, 9, 9 };
	diags_sort(parsed.diags);
	ck_assert_msg(parsed.diags->items_count == 9, "%s", report(parsed.diags));
	for (size_t i = 0; i < parsed.diags->items_count; i++)
		ck_assert_uint_eq(sources_position(parsed.diags->sources, 0,
						   parsed.diags->items[i]->span.begin).line, lines[i]);
	ck_assert_uint_eq(statement_count(parsed.file), 5); /* two blocks, ok1, s, ok2 */
}
END_TEST

START_TEST(a_mistake_costs_its_own_statement_only)
{
	struct parsed parsed = parse("host a 10.0.0.1;\nhost b = 10.0.0.2\nhost c = 10.0.0.3;\n"
				     "zone z { nope { } }\nhost d = 10.0.0.4");
	ck_assert_uint_eq(parsed.diags->error_count, 3);
	ck_assert_uint_eq(statement_count(parsed.file), 4); /* b, c, z, d */
}
END_TEST

START_TEST(names_of_broken_definitions_are_kept)
{
	struct parsed parsed = parse("host a 10.0.0.1; service b { x y } override service c = ;"
				     "zone d interface; from x { group e } host = 1; network f");
	static const char *const lost[] = { "f", "e", "d", "c", "a" };
	const struct ast_word *name = parsed.file->lost_names;
	for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++, name = name->next) {
		ck_assert_ptr_nonnull(name);
		ck_assert_str_eq(name->text, lost[i]);
	}
	ck_assert_ptr_null(name);
}
END_TEST

/* --- hostile input ------------------------------------------------------------------------- */

static struct parsed parse_repeated(const char *part, size_t times)
{
	size_t length = strlen(part);
	char *text = pool_bytes(unit_pool(), length * times + 1);
	for (size_t i = 0; i < times; i++)
		memcpy(text + i * length, part, length);
	return parse_bytes(text, length * times);
}

static size_t count_code(const struct diags *diags, enum code code)
{
	size_t count = 0;
	for (size_t i = 0; i < diags->items_count; i++)
		count += diags->items[i]->code == code;
	return count;
}

START_TEST(nesting_has_a_limit)
{
	ck_assert_uint_eq(count_code(parse_repeated("from any {", 10000).diags, CODE_TOO_DEEP), 1);
	ck_assert_uint_eq(count_code(parse_repeated("{", 100000).diags, CODE_TOO_DEEP), 0);
	ck_assert(diags_has_errors(parse_repeated("device d { interface e {", 100000).diags));
	struct text *text = text_new(unit_pool());
	for (unsigned i = 0; i < PARSE_DEPTH; i++)
		text_add(text, "from any { ");
	text_add(text, "allow a;");
	for (unsigned i = 0; i < PARSE_DEPTH; i++)
		text_add(text, " }");
	tree(text->bytes);
}
END_TEST

START_TEST(long_texts_take_linear_time)
{
	static const char *const parts[] = {
		"a", "a/", "1:", "1.", "::", "\"", "-", "a-", "/1", "#", "allow a ", "log ",
		"{", "}", "}{", ";", "allow allow x\n", "a, ", "\x80", "\xc3\xa9", "\x01", "@", "12",
		"1-", "from ", "to\n", "host ", "a#\n", "service s { x y }",
	};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		parse_repeated(parts[i], ((size_t)1 << 20) / strlen(parts[i]));
		parse(pool_format(unit_pool(), "allow a, %s", parts[i]));
	}
	struct parsed list = parse_repeated("allow a, b, c, d; ", 60000);
	ck_assert_uint_eq(list.diags->error_count, 0);
	ck_assert_uint_eq(statement_count(list.file), 60000);
}
END_TEST

START_TEST(nul_bytes_are_errors_and_no_ends)
{
	char *zeros = pool_bytes(unit_pool(), (size_t)1 << 20);
	ck_assert_uint_eq(parse_bytes(zeros, (size_t)1 << 20).diags->error_count, 1);
	zeros[0] = '#';
	ck_assert_uint_eq(parse_bytes(zeros, (size_t)1 << 20).diags->error_count, 1);
	zeros[0] = '"';
	ck_assert(diags_has_errors(parse_bytes(zeros, (size_t)1 << 20).diags));
	struct parsed parsed = parse_bytes("allow a;\0deny b;", 16);
	ck_assert_str_eq(report(parsed.diags), "1:9 BAD_BYTE a policy holds no NUL bytes (here: 1)\n");
}
END_TEST

START_TEST(random_bytes_are_errors_only)
{
	size_t length = (size_t)1 << 20;
	char *bytes = pool_bytes(unit_pool(), length + 1);
	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)unit_random();
	ck_assert(diags_has_errors(parse_bytes(bytes, length).diags));
	static const char printable[] = "allowfrmtdeny{};,=/\"#. \n-:0159<>+_";
	for (size_t i = 0; i < length; i++)
		bytes[i] = printable[unit_below(sizeof printable - 1)];
	ck_assert(diags_has_errors(parse_bytes(bytes, length).diags));
}
END_TEST

/* --- includes -------------------------------------------------------------------------------- */

struct memory_file {
	const char *path, *text;
	int error;
};

static int read_memory(void *context, void *pool, const char *path, const char **bytes,
		       size_t *length)
{
	(void)pool;
	for (const struct memory_file *file = context; file->path != NULL; file++) {
		if (strcmp(file->path, path) != 0)
			continue;
		*bytes = file->text;
		*length = file->text != NULL ? strlen(file->text) : 0;
		return file->error;
	}
	return ENOENT;
}

static struct program *program_of(const struct memory_file *files, struct diags **diags)
{
	struct file_reader reader = { .read = read_memory, .context = (void *)(uintptr_t)files };
	*diags = diags_new(unit_pool(), sources_new(unit_pool()));
	return parse_program(unit_pool(), *diags, &reader, files[0].path);
}

START_TEST(includes_are_relative_to_their_file)
{
	const struct memory_file files[] = {
		{ "a/main.fw", "include \"b/c.fw\"; include \"../d.fw\"; allow x", 0 },
		{ "a/b/c.fw", "include \"e.fw\"; include \"../../a/../d.fw\"; host c = 10.0.0.1", 0 },
		{ "a/b/e.fw", "deny y", 0 },
		{ "a/b/../../a/../d.fw", "host d = 10.0.0.2", 0 },
		{ NULL, NULL, 0 },
	};
	struct diags *diags;
	struct program *program = program_of(files, &diags);
	ck_assert_str_eq(report(diags), "");
	ck_assert_uint_eq(program->files_count, 4);
	ck_assert_ptr_eq(program->files[0].file, program->main_file);
	ck_assert_str_eq(program->files[3].path, "a/b/../../a/../d.fw");
	const struct ast_statement *first = program->main_file->statements;
	ck_assert_ptr_eq(program_include(program, first), program->files[1].file);
	ck_assert_ptr_null(program_include(program, first->next)); /* read before, has no rules */
}
END_TEST

START_TEST(cycles_are_told_link_by_link)
{
	const struct memory_file files[] = {
		{ "a.fw", "include \"b.fw\";", 0 },
		{ "b.fw", "include \"c.fw\";", 0 },
		{ "c.fw", "include \"b.fw\";", 0 },
		{ NULL, NULL, 0 },
	};
	struct diags *diags;
	program_of(files, &diags);
	ck_assert_str_eq(report(diags), "1:9 INCLUDE_CYCLE 'b.fw' includes itself; 'c.fw' includes "
					"'b.fw' here; 'b.fw' includes 'c.fw' here\n");
}
END_TEST

START_TEST(rules_are_included_once)
{
	const struct memory_file files[] = {
		{ "a.fw", "include \"b.fw\"; include \"./b.fw\";", 0 },
		{ "b.fw", "include \"c.fw\";", 0 },
		{ "c.fw", "allow x", 0 },
		{ NULL, NULL, 0 },
	};
	struct diags *diags;
	program_of(files, &diags);
	ck_assert_str_eq(report(diags), "1:25 INCLUDE_TWICE 'b.fw' holds rules and is included a second "
					"time; it is included here before\n");
}
END_TEST

START_TEST(files_that_cannot_be_read_are_named)
{
	const struct memory_file files[] = {
		{ "a.fw", "include \"none\"; include \"dir\"; include \"big\"; include \"shut\";"
			  "include \"\"; allow x", 0 },
		{ "dir", NULL, EISDIR },
		{ "big", NULL, EFBIG },
		{ "shut", NULL, EACCES },
		{ NULL, NULL, 0 },
	};
	struct diags *diags;
	ck_assert_ptr_nonnull(program_of(files, &diags));
	ck_assert_str_eq(report(diags),
			 "1:9 FILE_MISSING there is no file 'none'; "
			 "unknown names are not told: this file may define them\n"
			 "1:25 FILE_IS_DIRECTORY 'dir' is a folder, not a file\n"
			 "1:40 FILE_TOO_LARGE 'big' is larger than 255 MiB\n"
			 "1:55 FILE_UNREADABLE cannot read 'shut': Permission denied\n"
			 "1:70 BAD_STRING an include needs a name\n");
	const struct memory_file none[] = { { "main", NULL, ENOENT }, { NULL, NULL, 0 } };
	ck_assert_ptr_null(program_of(none, &diags));
	ck_assert_str_eq(report(diags), "FILE_MISSING there is no file 'main'\n");
}
END_TEST

static int read_endless(void *context, void *pool, const char *path, const char **bytes,
			size_t *length)
{
	(void)context;
	char *text = pool_format(pool, "include \"%sx\";", path);
	*bytes = text;
	*length = strlen(text);
	return 0;
}

START_TEST(chains_of_includes_have_a_limit)
{
	struct file_reader reader = { .read = read_endless };
	struct diags *diags = diags_new(unit_pool(), sources_new(unit_pool()));
	struct program *program = parse_program(unit_pool(), diags, &reader, "x");
	ck_assert_uint_eq(program->files_count, PARSE_DEPTH);
	ck_assert_uint_eq(count_code(diags, CODE_TOO_DEEP), 1);
}
END_TEST

START_TEST(the_disk_gives_whole_files)
{
	struct file_reader disk = file_reader_disk();
	const char *bytes;
	size_t length;
	ck_assert_int_eq(disk.read(disk.context, unit_pool(), "/", &bytes, &length), EISDIR);
	ck_assert_int_eq(disk.read(disk.context, unit_pool(), "/nonexistent", &bytes, &length), ENOENT);
	ck_assert_int_eq(disk.read(disk.context, unit_pool(), "/dev/null", &bytes, &length), 0);
	ck_assert_uint_eq(length, 0);
	ck_assert_int_eq(disk.read(disk.context, unit_pool(), "/proc/self/status", &bytes, &length), 0);
	ck_assert_uint_eq(strlen(bytes), length);
	ck_assert_uint_gt(length, 100);
}
END_TEST

START_TEST(paths_are_joined_and_normalised)
{
	static const char *const pairs[][2] = {
		{ "a/./b//../c", "a/c" }, { "../a", "../a" }, { "a/../../b", "../b" },
		{ "/a/../../b", "/b" }, { "a", "a" }, { "../../a/..", "../.." }, { "/", "/" },
		{ "a/b/c/../../d", "a/d" }, { "./a", "a" },
	};
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		ck_assert_str_eq(path_normalise(unit_pool(), pairs[i][0]), pairs[i][1]);
	ck_assert_str_eq(path_join(unit_pool(), "a/b.fw", "c.fw"), "a/c.fw");
	ck_assert_str_eq(path_join(unit_pool(), "b.fw", "c.fw"), "c.fw");
	ck_assert_str_eq(path_join(unit_pool(), "a/b.fw", "/c.fw"), "/c.fw");
}
END_TEST

static Suite *parse_suite(void)
{
	Suite *suite = suite_create("parse");
	TCase *trees = unit_case(suite, "trees");
	tcase_add_test(trees, one_line_is_a_policy);
	tcase_add_test(trees, service_literals_have_all_forms);
	tcase_add_test(trees, places_have_all_forms);
	tcase_add_test(trees, options_stand_in_any_order);
	tcase_add_test(trees, keywords_are_names_elsewhere);
	tcase_add_test(trees, semicolons_may_be_missing_at_ends);
	tcase_add_test(trees, byte_order_marks_and_line_ends_are_accepted);
	tcase_add_test(trees, a_schedule_is_pairs_of_day_and_time);
	tcase_add_test(trees, definitions_hold_no_rules);
	tcase_add_test(trees, spans_reach_to_the_end_of_statements);
	TCase *messages = unit_case(suite, "messages");
	tcase_add_loop_test(messages, each_mistake_has_its_message, 0,
			    (int)(sizeof mistakes / sizeof mistakes[0]));
	tcase_add_test(messages, one_run_shows_every_mistake);
	tcase_add_test(messages, a_mistake_costs_its_own_statement_only);
	tcase_add_test(messages, names_of_broken_definitions_are_kept);
	TCase *hostile = unit_case(suite, "hostile");
	tcase_add_test(hostile, nesting_has_a_limit);
	tcase_add_test(hostile, long_texts_take_linear_time);
	tcase_add_test(hostile, nul_bytes_are_errors_and_no_ends);
	tcase_add_test(hostile, random_bytes_are_errors_only);
	TCase *includes = unit_case(suite, "includes");
	tcase_add_test(includes, includes_are_relative_to_their_file);
	tcase_add_test(includes, cycles_are_told_link_by_link);
	tcase_add_test(includes, rules_are_included_once);
	tcase_add_test(includes, files_that_cannot_be_read_are_named);
	tcase_add_test(includes, chains_of_includes_have_a_limit);
	tcase_add_test(includes, the_disk_gives_whole_files);
	tcase_add_test(includes, paths_are_joined_and_normalised);
	return suite;
}

int main(void)
{
	Suite *(*const suites[])(void) = { parse_suite, fmt_suite, NULL };
	return unit_run(suites);
}
