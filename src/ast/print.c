/* The canonical form of a file: one statement a line, blocks indented, comments kept.
 *
 * The text of a statement depends on its tree alone. Comments and single blank lines
 * between statements follow the source: a comment on lines of its own stays before what
 * follows it, one at the end of a line stays there, one inside a statement moves before
 * it. So the printed text prints to itself. */
#include "ast/print.h"

#include <string.h>

#include "ast/layout.h"

struct printer {
	struct layout layout;
	const char *bytes;
	const struct ast_file *file;
	size_t comment;        /* the next one to print */
	uint32_t printed_end;  /* the source up to here is printed */
	bool is_at_start;      /* of the file or a block: no blank line here */
};

/* --- comments and blank lines --------------------------------------------------------- */

static const struct ast_comment *next_comment(const struct printer *printer, uint32_t limit)
{
	if (printer->comment == printer->file->comments_count)
		return NULL;
	const struct ast_comment *comment = &printer->file->comments[printer->comment];
	return comment->span.begin < limit ? comment : NULL;
}

/* An empty line stands in the source between what was printed last and `begin`. */
static bool has_gap(const struct printer *printer, uint32_t begin)
{
	unsigned lines = 0;
	for (uint32_t at = printer->printed_end; at < begin && lines < 2; at++)
		lines += printer->bytes[at] == '\n';
	return lines == 2 && !printer->is_at_start;
}

static void print_blank(struct printer *printer, bool *gap)
{
	if (*gap)
		layout_blank(&printer->layout);
	*gap = false;
}

static void print_comment(struct printer *printer, const struct ast_comment *comment)
{
	layout_line(&printer->layout, printer->bytes + comment->span.begin,
		    comment->span.end - comment->span.begin);
	printer->comment++;
	printer->is_at_start = false;
	if (comment->span.end > printer->printed_end)
		printer->printed_end = comment->span.end;
}

static void print_comments(struct printer *printer, uint32_t limit)
{
	const struct ast_comment *comment;
	while ((comment = next_comment(printer, limit)) != NULL) {
		bool gap = has_gap(printer, comment->span.begin);
		print_blank(printer, &gap);
		print_comment(printer, comment);
	}
}

/* What stands before the line of an item: `begin` to `end` is what that line holds. */
static void before_item(struct printer *printer, uint32_t begin, uint32_t end)
{
	print_comments(printer, begin);
	bool gap = has_gap(printer, begin);
	const struct ast_comment *comment;
	while ((comment = next_comment(printer, end)) != NULL) {
		print_blank(printer, &gap);
		print_comment(printer, comment);
	}
	print_blank(printer, &gap);
	printer->is_at_start = false;
}

static bool is_trailing(const struct printer *printer, const struct ast_comment *comment,
			uint32_t end)
{
	for (uint32_t at = end; at < comment->span.begin; at++)
		if (strchr(" \t\r;", printer->bytes[at]) == NULL)
			return false;
	return !comment->is_alone;
}

/* The item's line is printed: a comment at the end of its source line goes with it. */
static void after_item(struct printer *printer, uint32_t end)
{
	printer->printed_end = end;
	const struct ast_comment *comment = next_comment(printer, UINT32_MAX);
	if (comment == NULL || !is_trailing(printer, comment, end))
		return;
	layout_trail(&printer->layout, printer->bytes + comment->span.begin,
		     comment->span.end - comment->span.begin);
	printer->comment++;
	printer->printed_end = comment->span.end;
}

/* --- words ------------------------------------------------------------------------------ */

static void add_word(struct printer *printer, const struct ast_word *word)
{
	if (word->is_quoted)
		layout_add(&printer->layout, "\"");
	layout_add(&printer->layout, word->text);
	if (word->is_quoted)
		layout_add(&printer->layout, "\"");
}

static void print_word(struct printer *printer, const struct ast_word *word)
{
	layout_piece(&printer->layout, "");
	add_word(printer, word);
}

/* keyword WORD, if there is a word */
static void print_option_word(struct printer *printer, const char *keyword,
			      const struct ast_word *word)
{
	if (word == NULL)
		return;
	layout_piece(&printer->layout, keyword);
	layout_add(&printer->layout, " ");
	add_word(printer, word);
}

static void print_words(struct printer *printer, const struct ast_word *words)
{
	for (; words != NULL; words = words->next) {
		if (words->follows_comma)
			layout_add(&printer->layout, ",");
		print_word(printer, words);
	}
}

/* --- services and places ------------------------------------------------------------------ */

static void add_service(struct printer *printer, const struct ast_service *service)
{
	switch (service->kind) {
	case AST_SERVICE_NAME:
		add_word(printer, service->word);
		break;
	case AST_SERVICE_ANY:
		layout_add(&printer->layout, "any");
		break;
	case AST_SERVICE_LITERAL:
		add_word(printer, service->word);
		layout_add(&printer->layout, "/");
		add_word(printer, service->protocol);
		break;
	}
	if (service->sport != NULL) {
		layout_add(&printer->layout, " sport ");
		add_word(printer, service->sport);
	}
}

/* keyword, then a list; the keyword stays with the first item. */
static void print_service_list(struct printer *printer, const char *keyword,
			       const struct ast_service *list)
{
	layout_piece(&printer->layout, keyword);
	for (; list != NULL; list = list->next) {
		add_service(printer, list);
		if (list->next != NULL) {
			layout_add(&printer->layout, ",");
			layout_piece(&printer->layout, "");
		}
	}
}

static void print_services(struct printer *printer, const struct ast_services *services)
{
	print_service_list(printer, "", services->items);
	if (services->except != NULL)
		print_service_list(printer, "except ", services->except);
}

static void add_place(struct printer *printer, const struct ast_place *place)
{
	if (place->kind == AST_PLACE_FILE)
		layout_add(&printer->layout, "file ");
	add_word(printer, place->word);
	if (place->may_be_empty)
		layout_add(&printer->layout, " or empty");
}

static void print_place_list(struct printer *printer, const char *keyword,
			     const struct ast_place *list)
{
	layout_piece(&printer->layout, keyword);
	for (; list != NULL; list = list->next) {
		add_place(printer, list);
		if (list->next != NULL) {
			layout_add(&printer->layout, ",");
			layout_piece(&printer->layout, "");
		}
	}
}

/* places may be NULL: not written */
static void print_places(struct printer *printer, const char *keyword,
			 const struct ast_places *places)
{
	if (places == NULL)
		return;
	print_place_list(printer, keyword, places->items);
	if (places->except != NULL)
		print_place_list(printer, "except ", places->except);
}

/* --- options ------------------------------------------------------------------------------- */

static void print_limit(struct printer *printer, const struct ast_option *option)
{
	print_option_word(printer, "limit", option->word);
	layout_add(&printer->layout, "/");
	add_word(printer, option->unit);
	print_option_word(printer, "burst", option->burst);
	if (option->is_per_source)
		layout_piece(&printer->layout, "per source");
}

static const char *option_keyword(enum ast_option_kind kind)
{
	switch (kind) {
	case AST_OPTION_LOG: return "log";
	case AST_OPTION_COUNT: return "count";
	case AST_OPTION_LIMIT: return "limit";
	case AST_OPTION_UNTIL: return "until";
	case AST_OPTION_DURING: return "during";
	case AST_OPTION_IPV4: return "ipv4";
	case AST_OPTION_IPV6: return "ipv6";
	case AST_OPTION_STATELESS: return "stateless";
	case AST_OPTION_BECAUSE: return "because";
	case AST_OPTION_OWNER: return "owner";
	case AST_OPTION_ID: return "id";
	case AST_OPTION_RESCUE: return "rescue";
	}
	return "";
}

static void print_options(struct printer *printer, const struct ast_option *options)
{
	for (; options != NULL; options = options->next) {
		if (options->kind == AST_OPTION_LIMIT)
			print_limit(printer, options);
		else if (options->word != NULL)
			print_option_word(printer, option_keyword(options->kind), options->word);
		else
			layout_piece(&printer->layout, option_keyword(options->kind));
	}
}

/* --- properties ------------------------------------------------------------------------------ */

/* The '{' after a header whose last word ends at `at`: only blanks and comments between. */
static uint32_t find_open(const struct printer *printer, uint32_t at)
{
	while (printer->bytes[at] != '{' && printer->bytes[at] != '\0') {
		if (printer->bytes[at] == '#')
			at += (uint32_t)strcspn(printer->bytes + at, "\n");
		else
			at++;
	}
	return at + 1;
}

static void open_block(struct printer *printer, uint32_t open_end)
{
	layout_piece(&printer->layout, "");
	layout_end(&printer->layout, "{");
	after_item(printer, open_end);
	printer->layout.indent++;
	printer->is_at_start = true;
}

/* end: behind the '}' */
static void close_block(struct printer *printer, uint32_t end)
{
	print_comments(printer, end - 1);
	printer->layout.indent--;
	layout_piece(&printer->layout, "");
	layout_end(&printer->layout, "}");
	after_item(printer, end);
	printer->is_at_start = false;
}

static uint32_t header_end(const struct ast_property *property)
{
	uint32_t end = property->key->span.end;
	for (const struct ast_word *word = property->words; word != NULL; word = word->next)
		end = word->span.end;
	return end;
}

static void print_property_text(struct printer *printer, const struct ast_property *property)
{
	if (property->services != NULL) {
		print_services(printer, property->services);
		return;
	}
	print_word(printer, property->key);
	print_words(printer, property->words);
	print_places(printer, "", property->places);
	print_places(printer, "<-> ", property->places_right);
}

static void print_properties(struct printer *printer, const struct ast_property *properties);

static void print_property(struct printer *printer, const struct ast_property *property)
{
	if (!property->has_block) {
		before_item(printer, property->span.begin, property->span.end);
		print_property_text(printer, property);
		layout_end(&printer->layout, ";");
		after_item(printer, property->span.end);
		return;
	}
	uint32_t open = find_open(printer, header_end(property));
	before_item(printer, property->span.begin, open);
	print_property_text(printer, property);
	open_block(printer, open);
	print_properties(printer, property->children);
	close_block(printer, property->span.end);
}

/* Nested as deep as the parser allows. */
static void print_properties(struct printer *printer, const struct ast_property *properties)
{
	for (; properties != NULL; properties = properties->next)
		print_property(printer, properties);
}

/* --- statements with a block ------------------------------------------------------------------- */

static void print_definition_block(struct printer *printer, const struct ast_statement *statement,
				   const struct ast_word *last,
				   const struct ast_property *properties)
{
	open_block(printer, find_open(printer, last->span.end));
	print_properties(printer, properties);
	close_block(printer, statement->span.end);
}

static void print_service_header(struct printer *printer, const struct ast_service_def *def)
{
	layout_piece(&printer->layout, def->is_override ? "override service " : "service ");
	add_word(printer, def->name);
	if (def->description != NULL)
		print_word(printer, def->description);
}

static const struct ast_word *service_header_last(const struct ast_service_def *def)
{
	return def->description != NULL ? def->description : def->name;
}

/* The word before the '{' of a definition with a block, or NULL. */
static const struct ast_word *last_header_word(const struct ast_statement *statement)
{
	if (statement->kind == AST_SERVICE && statement->service.is_block)
		return service_header_last(&statement->service);
	if (statement->kind == AST_ZONE)
		return statement->zone.name;
	if (statement->kind == AST_DEVICE)
		return statement->device.name;
	if (statement->kind == AST_TUNNEL)
		return statement->tunnel.name;
	return NULL;
}

/* What the first line of the statement holds ends here. */
static uint32_t first_line_end(const struct printer *printer, const struct ast_statement *statement)
{
	if (statement->kind == AST_BLOCK)
		return statement->block.open.end;
	const struct ast_word *last = last_header_word(statement);
	return last != NULL ? find_open(printer, last->span.end) : statement->span.end;
}

/* --- statements ---------------------------------------------------------------------------------- */

static void print_statements(struct printer *printer, const struct ast_statement *statements);

static void print_named(struct printer *printer, const char *keyword, const struct ast_word *name)
{
	layout_piece(&printer->layout, keyword);
	add_word(printer, name);
}

static const char *verdict_word(enum ast_verdict verdict)
{
	switch (verdict) {
	case AST_ALLOW: return "allow";
	case AST_DENY: return "deny";
	case AST_REJECT: return "reject";
	}
	return "";
}

static void print_rule(struct printer *printer, const struct ast_rule *rule)
{
	if (rule->services.items != NULL)
		print_services(printer, &rule->services);
	print_places(printer, "from ", rule->from);
	print_places(printer, "to ", rule->to);
	print_options(printer, rule->options);
}

static void print_assert(struct printer *printer, const struct ast_assert *assertion)
{
	layout_piece(&printer->layout, "assert ");
	switch (assertion->kind) {
	case AST_ASSERT_VERDICT:
		layout_add(&printer->layout, verdict_word(assertion->rule.verdict));
		break;
	case AST_ASSERT_ONLY:
		layout_add(&printer->layout, "only");
		break;
	case AST_ASSERT_UNCHANGED:
		layout_add(&printer->layout, "unchanged");
		break;
	}
	print_rule(printer, &assertion->rule);
}

static void print_default(struct printer *printer, const struct ast_default *statement)
{
	layout_piece(&printer->layout, "default");
	if (statement->hook != NULL)
		print_word(printer, statement->hook);
	layout_piece(&printer->layout, verdict_word(statement->verdict));
	print_options(printer, statement->options);
}

static void print_translation(struct printer *printer, const char *keyword,
			      const struct ast_translation *translation)
{
	layout_piece(&printer->layout, keyword);
	if (translation->services.items != NULL)
		print_services(printer, &translation->services);
	print_places(printer, "from ", translation->from);
	print_option_word(printer, "at", translation->at);
	print_places(printer, "to ", translation->to);
	print_option_word(printer, "to", translation->host);
	print_option_word(printer, "port", translation->port);
	print_option_word(printer, "as", translation->as);
	print_options(printer, translation->options);
}

static void print_schedule(struct printer *printer, const struct ast_schedule *schedule)
{
	print_named(printer, "schedule ", schedule->name);
	layout_add(&printer->layout, " =");
	const struct ast_word *day = schedule->spans;
	while (day != NULL && day->next != NULL) {
		print_word(printer, day);
		layout_add(&printer->layout, " ");
		add_word(printer, day->next);
		day = day->next->next;
		if (day != NULL)
			layout_add(&printer->layout, ",");
	}
}

static void print_place_def(struct printer *printer, const char *keyword,
			    const struct ast_place_def *def)
{
	print_named(printer, keyword, def->name);
	layout_add(&printer->layout, " =");
	print_places(printer, "", &def->places);
}

static void print_service_def(struct printer *printer, const struct ast_statement *statement)
{
	const struct ast_service_def *def = &statement->service;
	print_service_header(printer, def);
	if (def->is_block) {
		print_definition_block(printer, statement, service_header_last(def),
				       def->properties);
		return;
	}
	layout_add(&printer->layout, " =");
	print_services(printer, &def->services);
}

static void print_block(struct printer *printer, const struct ast_statement *statement)
{
	const struct ast_block *block = &statement->block;
	print_places(printer, "from ", block->from);
	print_places(printer, "to ", block->to);
	open_block(printer, block->open.end);
	print_statements(printer, block->body);
	close_block(printer, statement->span.end);
}

static void print_policy(struct printer *printer, const struct ast_policy *policy)
{
	print_named(printer, "policy ", policy->name);
	print_option_word(printer, "version", policy->version);
}

static void print_expect(struct printer *printer, const struct ast_expect *expect)
{
	print_named(printer, "expect ", expect->finding);
	print_option_word(printer, "because", expect->because);
}

static void print_statement_text(struct printer *printer, const struct ast_statement *statement)
{
	switch (statement->kind) {
	case AST_POLICY:
		print_policy(printer, &statement->policy);
		break;
	case AST_INCLUDE:
		print_named(printer, "include ", statement->include);
		break;
	case AST_SERVICE:
		print_service_def(printer, statement);
		break;
	case AST_EXTEND_TAG:
		print_named(printer, "extend tag ", statement->extend_tag);
		break;
	case AST_HOST:
		print_place_def(printer, "host ", &statement->place);
		break;
	case AST_NETWORK:
		print_place_def(printer, "network ", &statement->place);
		break;
	case AST_GROUP:
		print_place_def(printer, "group ", &statement->place);
		break;
	case AST_ZONE:
		print_named(printer, "zone ", statement->zone.name);
		print_definition_block(printer, statement, statement->zone.name,
				       statement->zone.properties);
		break;
	case AST_SCHEDULE:
		print_schedule(printer, &statement->schedule);
		break;
	case AST_TIMEZONE:
		print_named(printer, "timezone ", statement->timezone);
		break;
	case AST_RULE:
		layout_piece(&printer->layout, verdict_word(statement->rule.verdict));
		print_rule(printer, &statement->rule);
		break;
	case AST_BLOCK:
		print_block(printer, statement);
		break;
	case AST_DEFAULT:
		print_default(printer, &statement->default_verdict);
		break;
	case AST_MASQUERADE:
		print_translation(printer, "masquerade", &statement->translation);
		break;
	case AST_SNAT:
		print_translation(printer, "snat", &statement->translation);
		break;
	case AST_FORWARD:
		print_translation(printer, "forward", &statement->translation);
		break;
	case AST_DEVICE:
		print_named(printer, "device ", statement->device.name);
		print_definition_block(printer, statement, statement->device.name,
				       statement->device.properties);
		break;
	case AST_TUNNEL:
		print_named(printer, "tunnel ", statement->tunnel.name);
		print_definition_block(printer, statement, statement->tunnel.name,
				       statement->tunnel.properties);
		break;
	case AST_ASSERT:
		print_assert(printer, &statement->assertion);
		break;
	case AST_EXPECT:
		print_expect(printer, &statement->expect);
		break;
	}
}

/* Blocks nest PARSE_DEPTH deep at most. */
static void print_statements(struct printer *printer, const struct ast_statement *statements)
{
	for (; statements != NULL; statements = statements->next) {
		bool has_block = statements->kind == AST_BLOCK ||
				 last_header_word(statements) != NULL;
		before_item(printer, statements->span.begin, first_line_end(printer, statements));
		print_statement_text(printer, statements);
		if (has_block)
			continue;
		layout_end(&printer->layout, ";");
		after_item(printer, statements->span.end);
	}
}

void ast_print_canonical(struct text *out, struct sources *sources, const struct ast_file *file)
{
	struct printer printer = {
		.layout = layout_new(out),
		.bytes = sources->items[file->source]->bytes,
		.file = file,
		.is_at_start = true,
	};
	print_statements(&printer, file->statements);
	print_comments(&printer, UINT32_MAX);
}
