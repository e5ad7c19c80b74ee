/* The grammar of the policy language: LALR(1), pure, pushed token by token (src/parse).
 *
 * Only `from to except any self internet` are reserved. Every other keyword is a name
 * wherever a name is wanted; the first word of a statement or property is its keyword.
 * An action calls one constructor (src/ast/ast_build.h); meaning is checked later.
 * Mistakes: src/parse/stream.c steers the recovery, so that a mistake costs its own
 * statement and no other. */
%require "3.8"
%language "c"
%define api.pure full
%define api.push-pull push
%define api.prefix {fwc_}
%define api.token.prefix {TOKEN_}
%define api.location.type {struct span}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%param {struct parse_stream *stream}

%code requires {
#include "ast/ast_build.h"

struct parse_stream;

/* No growing: blocks nest PARSE_DEPTH deep, each at most seven symbols. */
#define YYINITDEPTH 1000
#define YYMAXDEPTH 1000
}

%code provides {
/* May the token come next, where the parser stands? */
bool grammar_expects(const fwc_pstate *state, int token);
}

%code {
#include "parse/stream.h"

#define YYLLOC_DEFAULT(current, rhs, count)                                                       \
	((current) = (count) > 0                                                                  \
		 ? span_join(YYRHSLOC(rhs, 1), YYRHSLOC(rhs, count))                              \
		 : (struct span){ YYRHSLOC(rhs, 0).source, YYRHSLOC(rhs, 0).end,                  \
				  YYRHSLOC(rhs, 0).end })

#define B stream_builder(stream)

/* empty lists */
#define NO_WORDS ((struct ast_words){ NULL, NULL })
#define NO_SERVICES ((struct ast_services){ .items = NULL })
#define NO_SERVICE_LIST ((struct ast_service_list){ NULL, NULL })
#define NO_PLACE_LIST ((struct ast_place_list){ NULL, NULL })
#define NO_OPTIONS ((struct ast_option_list){ NULL, NULL })
#define NO_PROPERTIES ((struct ast_property_list){ NULL, NULL })
#define NO_STATEMENTS ((struct ast_statement_list){ NULL, NULL })
#define NO_SIDES ((struct ast_sides){ NULL, NULL })

static void fwc_error(const struct span *span, struct parse_stream *stream, const char *message);
}

%union {
	bool is_reported;
	enum ast_verdict verdict;
	struct ast_word *word;
	struct ast_words words;
	struct ast_service *service;
	struct ast_service_list service_list;
	struct ast_services services;
	struct ast_place *place;
	struct ast_place_list place_list;
	struct ast_places *places;
	struct ast_sides sides;
	struct ast_rate rate;
	struct ast_option *option;
	struct ast_option_list options;
	struct ast_property *property;
	struct ast_property_list properties;
	struct ast_statement *statement;
	struct ast_statement_list statements;
}

/* Names in messages: keywords as themselves, kinds of word in src/parse/syntax.c */
%token END 0 "end of file"
%token FROM "from" TO "to" EXCEPT "except" ANY "any" SELF "self" INTERNET "internet"
%token ALLOW "allow" ASSERT "assert" DEFAULT "default" DENY "deny" DEVICE "device"
       EXPECT "expect" EXTEND "extend" FORWARD "forward" GROUP "group" HOST "host"
       INCLUDE "include" MASQUERADE "masquerade" NETWORK "network" OVERRIDE "override"
       POLICY "policy" REJECT "reject" SCHEDULE "schedule" SERVICE "service" SNAT "snat"
       TIMEZONE "timezone" TUNNEL "tunnel" ZONE "zone"
%token ALIAS "alias" HELPER "helper" SOURCE "source" STATUS "status" TAG "tag"
       INTERFACE "interface" CARRY "carry"
%token AS "as" AT "at" BURST "burst" EMPTY "empty" FILE "file" INPUT "input" ONLY "only"
       OR "or" OUTPUT "output" PER "per" PORT "port" SPORT "sport" UNCHANGED "unchanged"
       VERSION "version"
%token BECAUSE "because" COUNT "count" DURING "during" ID "id" IPV4 "ipv4" IPV6 "ipv6"
       LIMIT "limit" LOG "log" OWNER "owner" RESCUE "rescue" STATELESS "stateless"
       UNTIL "until"
%token NAME "NAME" NUMBER "NUMBER" RANGE "RANGE" PAIR "PAIR" TIMES "TIMES" DATE "DATE"
       OFFSET "OFFSET" SLASHED "SLASHED"
%token <is_reported> ADDRESS "ADDRESS" PREFIX "PREFIX" ADDRESSES "ADDRESSES" STRING "STRING"
%token BOTH_WAYS "<->"
%token BAD "BAD"

%type <verdict> verdict
%type <word> word name string description version value key hook_name
%type <word> times offset date number address at port prefix_string because because_option
%type <word> ports protocol source_ports prefix address_range day path interface_name
%type <words> words values interfaces days strings names schedule schedule_group
%type <service> service plain_service literal first_service
%type <service_list> service_list service_line except_services
%type <services> services
%type <place> place
%type <place_list> place_list except_places
%type <places> places from to
%type <sides> sides some_sides
%type <rate> rate
%type <option> option
%type <options> options
%type <property> service_property service_property_text zone_property zone_property_text
%type <property> property property_text property_block
%type <property> last_service_property last_zone_property last_property
%type <properties> service_body service_properties zone_properties properties
%type <statement> statement simple compound last service_def service_block rule block
%type <statement> forward_head assertion
%type <statements> statements

%%

file
	: statements last		{ ast_finish(B, ast_statements_append($1, $2)); }
	;

statements
	: %empty			{ $$ = NO_STATEMENTS; }
	| statements statement		{ $$ = ast_statements_append($1, $2); }
	;

/* The ';' may be missing before '}' and at the end of the file. */
last
	: %empty			{ $$ = NULL; }
	| simple
	;

statement
	: simple ';'			{ $$ = ast_statement_end($1, @2); yyerrok; }
	| compound			{ $$ = $1; yyerrok; }
	| ';'				{ $$ = NULL; yyerrok; }
	| error				{ $$ = NULL; }
	;

compound
	: service_block
	| OVERRIDE service_block	{ $$ = ast_override($2, @$); }
	| ZONE name '{' zone_properties last_zone_property '}'
		{ $$ = ast_zone(B, @$, $2, ast_properties_append($4, $5)); }
	| DEVICE name '{' properties last_property '}'
		{ $$ = ast_device(B, @$, $2, ast_properties_append($4, $5)); }
	| TUNNEL name '{' properties last_property '}'
		{ $$ = ast_tunnel(B, @$, $2, ast_properties_append($4, $5)); }
	| block
	;

simple
	: POLICY name version		{ $$ = ast_policy(B, @$, $2, $3); }
	| INCLUDE string		{ $$ = ast_include(B, @$, $2); }
	| service_def
	| OVERRIDE service_def		{ $$ = ast_override($2, @$); }
	| EXTEND TAG name		{ $$ = ast_extend_tag(B, @$, $3); }
	| HOST name '=' places		{ $$ = ast_place_def(B, AST_HOST, @$, $2, $4); }
	| NETWORK name '=' places	{ $$ = ast_place_def(B, AST_NETWORK, @$, $2, $4); }
	| GROUP name '=' places		{ $$ = ast_place_def(B, AST_GROUP, @$, $2, $4); }
	| SCHEDULE name '=' schedule	{ $$ = ast_schedule(B, @$, $2, $4); }
	| TIMEZONE offset		{ $$ = ast_timezone(B, @$, $2); }
	| rule
	| DEFAULT hook_name verdict options
		{ $$ = ast_default(B, @$, $2, $3, $4); }
	| MASQUERADE FROM places TO places options
		{ $$ = ast_source_nat(B, AST_MASQUERADE, @$, (struct ast_sides){ $3, $5 }, NULL, $6); }
	| SNAT FROM places TO places AS address options
		{ $$ = ast_source_nat(B, AST_SNAT, @$, (struct ast_sides){ $3, $5 }, $7, $8); }
	| forward_head options		{ $$ = ast_forward_options($1, @$, $2); }
	| ASSERT assertion		{ $$ = ast_assert_about($2, @$); }
	| ASSERT ONLY services sides options
		{ $$ = ast_assert(B, @$, AST_ASSERT_ONLY, @2, $3, $4, $5); }
	| ASSERT UNCHANGED sides options
		{ $$ = ast_assert(B, @$, AST_ASSERT_UNCHANGED, @2, NO_SERVICES, $3, $4); }
	| EXPECT name because		{ $$ = ast_expect(B, @$, $2, $3); }
	;

assertion
	: rule
	;

version
	: %empty			{ $$ = NULL; }
	| VERSION string		{ $$ = $2; }
	;

offset
	: OFFSET			{ $$ = ast_word(B, @1, AST_WORD_OFFSET); }
	| name
	;

hook_name
	: %empty			{ $$ = NULL; }
	| INPUT				{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	| FORWARD			{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	| OUTPUT			{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	;

because
	: %empty			{ $$ = NULL; }
	| BECAUSE string		{ $$ = $2; }
	;

/* --- rules and blocks --------------------------------------------------------------- */

verdict
	: ALLOW				{ $$ = AST_ALLOW; }
	| DENY				{ $$ = AST_DENY; }
	| REJECT			{ $$ = AST_REJECT; }
	;

rule
	: verdict services sides options
		{ $$ = ast_rule(B, @$, @1, $1, $2, $3, $4); }
	;

sides
	: %empty			{ $$ = NO_SIDES; }
	| some_sides
	;

some_sides
	: from				{ $$ = (struct ast_sides){ $1, NULL }; }
	| to				{ $$ = (struct ast_sides){ NULL, $1 }; }
	| from to			{ $$ = (struct ast_sides){ $1, $2 }; }
	;

from
	: FROM places			{ $$ = $2; }
	;

to
	: TO places			{ $$ = $2; }
	;

/* A header with a mistake still has a body to check. */
block
	: some_sides '{' statements last '}'
		{ $$ = ast_block(B, @$, $1, @2, ast_statements_append($3, $4), @5); }
	| broken_header statements last '}'
		{ $$ = ast_block(B, @$, NO_SIDES, @1, ast_statements_append($2, $3), @4); }
	| broken_line			{ $$ = NULL; }
	;

/* The recovery keeps a state with 'error' on top until it meets '{' or ';': so both stand
 * in the same rules as 'error'. */
broken_header
	: FROM error '{'
	| TO error '{'
	| from error '{'
	| from TO error '{'
	;

broken_line
	: FROM error ';'
	| TO error ';'
	| from error ';'
	| from TO error ';'
	;

forward_head
	: FORWARD services from at TO name port
		{ $$ = ast_forward(B, @$, $2, $3, $4, $6, $7); }
	| FORWARD services from at TO address port
		{ $$ = ast_forward(B, @$, $2, $3, $4, $6, $7); }
	;

at
	: %empty			{ $$ = NULL; }
	| AT name			{ $$ = $2; }
	| AT address			{ $$ = $2; }
	;

port
	: %empty			{ $$ = NULL; }
	| PORT number			{ $$ = $2; }
	;

/* --- options --------------------------------------------------------------------------- */

options
	: %empty			{ $$ = NO_OPTIONS; }
	| options option		{ $$ = ast_options_append($1, $2); }
	;

option
	: LOG prefix_string		{ $$ = ast_option(B, AST_OPTION_LOG, @$, $2); }
	| COUNT				{ $$ = ast_option(B, AST_OPTION_COUNT, @$, NULL); }
	| LIMIT rate			{ $$ = ast_limit(B, @$, $2, NULL, false); }
	| LIMIT rate BURST number	{ $$ = ast_limit(B, @$, $2, $4, false); }
	| LIMIT rate PER SOURCE		{ $$ = ast_limit(B, @$, $2, NULL, true); }
	| LIMIT rate BURST number PER SOURCE
		{ $$ = ast_limit(B, @$, $2, $4, true); }
	| LIMIT rate PER SOURCE BURST number
		{ $$ = ast_limit(B, @$, $2, $6, true); }
	| UNTIL date			{ $$ = ast_option(B, AST_OPTION_UNTIL, @$, $2); }
	| DURING name			{ $$ = ast_option(B, AST_OPTION_DURING, @$, $2); }
	| IPV4				{ $$ = ast_option(B, AST_OPTION_IPV4, @$, NULL); }
	| IPV6				{ $$ = ast_option(B, AST_OPTION_IPV6, @$, NULL); }
	| STATELESS			{ $$ = ast_option(B, AST_OPTION_STATELESS, @$, NULL); }
	| because_option		{ $$ = ast_option(B, AST_OPTION_BECAUSE, @$, $1); }
	| OWNER string			{ $$ = ast_option(B, AST_OPTION_OWNER, @$, $2); }
	| ID name			{ $$ = ast_option(B, AST_OPTION_ID, @$, $2); }
	| RESCUE			{ $$ = ast_option(B, AST_OPTION_RESCUE, @$, NULL); }
	;

because_option
	: BECAUSE string		{ $$ = $2; }
	;

prefix_string
	: %empty			{ $$ = NULL; }
	| string
	;

rate
	: number '/' name		{ $$ = ast_rate(B, $1, @2, $3); }
	;

date
	: DATE				{ $$ = ast_word(B, @1, AST_WORD_DATE); }
	;

number
	: NUMBER			{ $$ = ast_word(B, @1, AST_WORD_NUMBER); }
	;

/* --- services ---------------------------------------------------------------------------- */

services
	: service_list			{ $$ = ast_services(@$, $1, NO_SERVICE_LIST); }
	| service_list except_services	{ $$ = ast_services(@$, $1, $2); }
	;

except_services
	: EXCEPT service_list		{ $$ = $2; }
	;

service_list
	: service			{ $$ = ast_services_append(NO_SERVICE_LIST, $1); }
	| service_list ',' service	{ $$ = ast_services_append($1, $3); }
	;

service
	: name				{ $$ = ast_service_name(B, $1); }
	| name '/' protocol		{ $$ = ast_service_literal(B, $1, @2, $3); }
	| name '/' protocol SPORT source_ports
		{ $$ = ast_service_sport(ast_service_literal(B, $1, @2, $3), $5); }
	| plain_service
	;

/* What is a service whatever stands before it. */
plain_service
	: ANY				{ $$ = ast_service_any(B, @1); }
	| literal
	| literal SPORT source_ports	{ $$ = ast_service_sport($1, $3); }
	;

literal
	: ports '/' protocol		{ $$ = ast_service_literal(B, $1, @2, $3); }
	;

ports
	: ANY				{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	| number
	| RANGE				{ $$ = ast_word(B, @1, AST_WORD_RANGE); }
	| PAIR				{ $$ = ast_word(B, @1, AST_WORD_PAIR); }
	;

source_ports
	: number
	| RANGE				{ $$ = ast_word(B, @1, AST_WORD_RANGE); }
	;

protocol
	: name
	;

service_def
	: SERVICE name description '=' services
		{ $$ = ast_service_list_def(B, @$, $2, $3, $5); }
	;

service_block
	: SERVICE name description service_body
		{ $$ = ast_service_block_def(B, @$, $2, $3, $4); }
	;

description
	: %empty			{ $$ = NULL; }
	| string
	;

service_body
	: '{' service_properties last_service_property '}'
		{ $$ = ast_properties_append($2, $3); }
	;

service_properties
	: %empty			{ $$ = NO_PROPERTIES; }
	| service_properties service_property
		{ $$ = ast_properties_append($1, $2); }
	;

last_service_property
	: %empty			{ $$ = NULL; }
	| service_property_text
	;

service_property
	: service_property_text ';'	{ $$ = ast_property_end($1, @2); yyerrok; }
	| ';'				{ $$ = NULL; yyerrok; }
	| error				{ $$ = NULL; }
	;

service_property_text
	: service_line
		{ $$ = ast_property_services(B, @$, ast_services(@$, $1, NO_SERVICE_LIST)); }
	| ALIAS names			{ $$ = ast_property(B, @$, ast_word(B, @1, AST_WORD_NAME), $2); }
	| TAG names			{ $$ = ast_property(B, @$, ast_word(B, @1, AST_WORD_NAME), $2); }
	| STATUS name
		{ $$ = ast_property(B, @$, ast_word(B, @1, AST_WORD_NAME), (struct ast_words){ $2, $2 }); }
	| SOURCE strings		{ $$ = ast_property(B, @$, ast_word(B, @1, AST_WORD_NAME), $2); }
	| HELPER name
		{ $$ = ast_property(B, @$, ast_word(B, @1, AST_WORD_NAME), (struct ast_words){ $2, $2 }); }
	;

service_line
	: first_service			{ $$ = ast_services_append(NO_SERVICE_LIST, $1); }
	| service_line ',' service	{ $$ = ast_services_append($1, $3); }
	;

/* `tag`, `alias` and the like begin a property: services of that name go in quotes. */
first_service
	: word				{ $$ = ast_service_name(B, $1); }
	| word '/' protocol		{ $$ = ast_service_literal(B, $1, @2, $3); }
	| word '/' protocol SPORT source_ports
		{ $$ = ast_service_sport(ast_service_literal(B, $1, @2, $3), $5); }
	| plain_service
	;

names
	: name				{ $$ = ast_words_append(NO_WORDS, $1); }
	| names ',' name		{ $$ = ast_words_append_comma($1, $3); }
	;

strings
	: string			{ $$ = ast_words_append(NO_WORDS, $1); }
	| strings ',' string		{ $$ = ast_words_append_comma($1, $3); }
	;

/* --- places ------------------------------------------------------------------------------- */

places
	: place_list			{ $$ = ast_places(B, @$, $1, NO_PLACE_LIST); }
	| place_list except_places	{ $$ = ast_places(B, @$, $1, $2); }
	;

except_places
	: EXCEPT place_list		{ $$ = $2; }
	;

place_list
	: place				{ $$ = ast_places_append(NO_PLACE_LIST, $1); }
	| place_list ',' place		{ $$ = ast_places_append($1, $3); }
	;

place
	: name				{ $$ = ast_place(B, AST_PLACE_NAME, $1); }
	| ANY				{ $$ = ast_place(B, AST_PLACE_ANY, ast_word(B, @1, AST_WORD_NAME)); }
	| SELF				{ $$ = ast_place(B, AST_PLACE_SELF, ast_word(B, @1, AST_WORD_NAME)); }
	| INTERNET			{ $$ = ast_place(B, AST_PLACE_INTERNET, ast_word(B, @1, AST_WORD_NAME)); }
	| address			{ $$ = ast_place(B, AST_PLACE_ADDRESS, $1); }
	| prefix			{ $$ = ast_place(B, AST_PLACE_PREFIX, $1); }
	| address_range			{ $$ = ast_place(B, AST_PLACE_RANGE, $1); }
	| FILE path			{ $$ = ast_place_file(B, @$, $2, false); }
	| FILE path OR EMPTY		{ $$ = ast_place_file(B, @$, $2, true); }
	;

prefix
	: PREFIX			{ $$ = ast_checked_word(B, @1, AST_WORD_PREFIX, $1); }
	;

address_range
	: ADDRESSES			{ $$ = ast_checked_word(B, @1, AST_WORD_ADDRESSES, $1); }
	;

path
	: string
	;

address
	: ADDRESS			{ $$ = ast_checked_word(B, @1, AST_WORD_ADDRESS, $1); }
	;

zone_properties
	: %empty			{ $$ = NO_PROPERTIES; }
	| zone_properties zone_property	{ $$ = ast_properties_append($1, $2); }
	;

last_zone_property
	: %empty			{ $$ = NULL; }
	| zone_property_text
	;

zone_property
	: zone_property_text ';'	{ $$ = ast_property_end($1, @2); yyerrok; }
	| ';'				{ $$ = NULL; yyerrok; }
	| error				{ $$ = NULL; }
	;

zone_property_text
	: INTERFACE interfaces		{ $$ = ast_property(B, @$, ast_word(B, @1, AST_WORD_NAME), $2); }
	| NETWORK places
		{ $$ = ast_property_places(B, @$, ast_word(B, @1, AST_WORD_NAME), $2, NULL); }
	;

interfaces
	: interface_name		{ $$ = ast_words_append(NO_WORDS, $1); }
	| interfaces ',' interface_name	{ $$ = ast_words_append_comma($1, $3); }
	;

interface_name
	: name
	| SLASHED			{ $$ = ast_word(B, @1, AST_WORD_INTERFACE); }
	;

/* --- schedules ------------------------------------------------------------------------------ */

schedule
	: schedule_group
	| schedule ',' schedule_group	{ $$ = ast_words_join($1, $3); }
	;

schedule_group
	: days times			{ $$ = ast_schedule_group(B, $1, $2); }
	;

days
	: day				{ $$ = ast_words_append(NO_WORDS, $1); }
	| days ',' day			{ $$ = ast_words_append($1, $3); }
	;

day
	: name
	| ANY				{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	;

times
	: TIMES				{ $$ = ast_word(B, @1, AST_WORD_TIMES); }
	;

/* --- properties of devices and tunnels: their shapes stand in src/ast/shape.c ---------------- */

properties
	: %empty			{ $$ = NO_PROPERTIES; }
	| properties property		{ $$ = ast_properties_append($1, $2); }
	;

last_property
	: %empty			{ $$ = NULL; }
	| property_text
	;

property
	: property_text ';'		{ $$ = ast_property_end($1, @2); yyerrok; }
	| property_block		{ $$ = $1; yyerrok; }
	| ';'				{ $$ = NULL; yyerrok; }
	| error				{ $$ = NULL; }
	;

property_text
	: key words			{ $$ = ast_property(B, @$, $1, $2); }
	| CARRY places BOTH_WAYS places
		{ $$ = ast_property_places(B, @$, ast_word(B, @1, AST_WORD_NAME), $2, $4); }
	;

property_block
	: key words '{' properties last_property '}'
		{ $$ = ast_property_block(B, @$, $1, $2, ast_properties_append($4, $5)); }
	;

key
	: word
	| ALIAS				{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	| HELPER			{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	| SOURCE			{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	| STATUS			{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	| TAG				{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	;

words
	: %empty			{ $$ = NO_WORDS; }
	| values
	;

values
	: value				{ $$ = ast_words_append(NO_WORDS, $1); }
	| values value			{ $$ = ast_words_append($1, $2); }
	| values ',' value		{ $$ = ast_words_append_comma($1, $3); }
	;

value
	: name
	| number
	| RANGE				{ $$ = ast_word(B, @1, AST_WORD_RANGE); }
	| PAIR				{ $$ = ast_word(B, @1, AST_WORD_PAIR); }
	| times
	| date
	| OFFSET			{ $$ = ast_word(B, @1, AST_WORD_OFFSET); }
	| address
	| prefix
	| address_range
	| SLASHED			{ $$ = ast_word(B, @1, AST_WORD_INTERFACE); }
	| ANY				{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	| SELF				{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	| INTERNET			{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	;

/* --- names ---------------------------------------------------------------------------------- */

string
	: STRING			{ $$ = ast_checked_word(B, @1, AST_WORD_STRING, $1); }
	;

name
	: word
	| ALIAS				{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	| CARRY				{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	| HELPER			{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	| SOURCE			{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	| STATUS			{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	| TAG				{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	;

/* A name that begins no property. */
word
	: NAME				{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	| STRING			{ $$ = ast_quoted_name(B, @1, $1); }
	| keyword			{ $$ = ast_word(B, @1, AST_WORD_NAME); }
	;

keyword
	: ALLOW | AS | ASSERT | AT | BECAUSE | BURST | COUNT | DEFAULT | DENY | DEVICE | DURING
	| EMPTY | EXPECT | EXTEND | FILE | FORWARD | GROUP | HOST | ID | INCLUDE | INPUT
	| INTERFACE | IPV4 | IPV6 | LIMIT | LOG | MASQUERADE | NETWORK | ONLY | OR | OUTPUT
	| OVERRIDE | OWNER | PER | POLICY | PORT | REJECT | RESCUE | SCHEDULE | SERVICE | SNAT
	| SPORT | STATELESS | TIMEZONE | TUNNEL | UNCHANGED | UNTIL | VERSION | ZONE
	;

%%

/* Of two kinds only: memory, and what yyreport_syntax_error has reported. */
static void fwc_error(const struct span *span, struct parse_stream *stream, const char *message)
{
	(void)message;
	stream_out_of_depth(stream, *span);
}

static int yyreport_syntax_error(const yypcontext_t *context, struct parse_stream *stream)
{
	yysymbol_kind_t kinds[YYNTOKENS];
	const char *names[YYNTOKENS];
	int count = 0;
	if (stream_wants_message(stream))
		count = yypcontext_expected_tokens(context, kinds, YYNTOKENS);
	for (int i = 0; i < count; i++)
		names[i] = yysymbol_name(kinds[i]);
	stream_syntax_error(stream, *yypcontext_location(context), names, (size_t)count);
	return 0;
}

bool grammar_expects(const fwc_pstate *state, int token)
{
	yysymbol_kind_t kinds[YYNTOKENS];
	int count = yypstate_expected_tokens((fwc_pstate *)(uintptr_t)state, kinds, YYNTOKENS);
	for (int i = 0; i < count; i++)
		if (kinds[i] == YYTRANSLATE(token))
			return true;
	return false;
}
