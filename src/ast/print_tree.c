/* The tree as it is, one node a line: for --show=ast and for tests. */
#include <inttypes.h>

#include "ast/print.h"

struct dump {
	struct text *out;
	struct sources *sources; /* NULL: no places */
	unsigned depth;
};

/* --- lines ------------------------------------------------------------------------------ */

static void begin(struct dump *dump, const char *what)
{
	for (unsigned i = 0; i < dump->depth; i++)
		text_add(dump->out, "  ");
	text_add(dump->out, what);
}

static void end(struct dump *dump, struct span span)
{
	if (dump->sources != NULL) {
		struct position at = sources_position(dump->sources, span.source, span.begin);
		text_addf(dump->out, "  %" PRIu32 ":%" PRIu32, at.line, at.column);
	}
	text_add_char(dump->out, '\n');
}

static void add_word(struct dump *dump, const struct ast_word *word)
{
	text_addf(dump->out, word->is_quoted ? " \"%s\"" : " %s", word->text);
}

static void line(struct dump *dump, const char *what, struct span span)
{
	begin(dump, what);
	end(dump, span);
}

/* nothing for NULL */
static void word_line(struct dump *dump, const char *what, const struct ast_word *word)
{
	if (word == NULL)
		return;
	begin(dump, what);
	add_word(dump, word);
	end(dump, word->span);
}

static void word_lines(struct dump *dump, const char *what, const struct ast_word *words)
{
	for (; words != NULL; words = words->next)
		word_line(dump, what, words);
}

/* --- services, places, options ------------------------------------------------------------- */

static void dump_service(struct dump *dump, const char *what, const struct ast_service *service)
{
	begin(dump, what);
	if (service->kind == AST_SERVICE_ANY)
		text_add(dump->out, " any");
	else
		add_word(dump, service->word);
	if (service->protocol != NULL) {
		text_add(dump->out, " /");
		add_word(dump, service->protocol);
	}
	if (service->sport != NULL) {
		text_add(dump->out, " sport");
		add_word(dump, service->sport);
	}
	end(dump, service->span);
}

static void dump_services(struct dump *dump, const struct ast_services *services)
{
	for (const struct ast_service *item = services->items; item != NULL; item = item->next)
		dump_service(dump, item->kind == AST_SERVICE_NAME ? "service" : "literal", item);
	for (const struct ast_service *item = services->except; item != NULL; item = item->next)
		dump_service(dump, item->kind == AST_SERVICE_NAME ? "except-service"
								  : "except-literal", item);
}

static const char *place_kind(enum ast_place_kind kind)
{
	switch (kind) {
	case AST_PLACE_NAME: return "name";
	case AST_PLACE_ANY:
	case AST_PLACE_SELF:
	case AST_PLACE_INTERNET: return "builtin";
	case AST_PLACE_ADDRESS: return "address";
	case AST_PLACE_PREFIX: return "prefix";
	case AST_PLACE_RANGE: return "range";
	case AST_PLACE_FILE: return "file";
	}
	return "";
}

static void dump_place_list(struct dump *dump, const char *what, const struct ast_place *list)
{
	for (; list != NULL; list = list->next) {
		begin(dump, what);
		text_add_char(dump->out, ' ');
		text_add(dump->out, place_kind(list->kind));
		add_word(dump, list->word);
		if (list->may_be_empty)
			text_add(dump->out, " or empty");
		end(dump, list->span);
	}
}

static void dump_places(struct dump *dump, const char *what, const struct ast_places *places)
{
	if (places == NULL)
		return;
	dump_place_list(dump, what, places->items);
	dump->depth++;
	dump_place_list(dump, "except", places->except);
	dump->depth--;
}

static const char *const option_names[] = {
	[AST_OPTION_LOG] = "log",           [AST_OPTION_COUNT] = "count",
	[AST_OPTION_LIMIT] = "limit",       [AST_OPTION_UNTIL] = "until",
	[AST_OPTION_DURING] = "during",     [AST_OPTION_IPV4] = "ipv4",
	[AST_OPTION_IPV6] = "ipv6",         [AST_OPTION_STATELESS] = "stateless",
	[AST_OPTION_BECAUSE] = "because",   [AST_OPTION_OWNER] = "owner",
	[AST_OPTION_ID] = "id",             [AST_OPTION_RESCUE] = "rescue",
};

static void dump_options(struct dump *dump, const struct ast_option *options)
{
	for (; options != NULL; options = options->next) {
		begin(dump, "option ");
		text_add(dump->out, option_names[options->kind]);
		if (options->word != NULL)
			add_word(dump, options->word);
		if (options->unit != NULL)
			add_word(dump, options->unit);
		if (options->burst != NULL) {
			text_add(dump->out, " burst");
			add_word(dump, options->burst);
		}
		if (options->is_per_source)
			text_add(dump->out, " per source");
		end(dump, options->span);
	}
}

static void dump_properties(struct dump *dump, const struct ast_property *properties)
{
	for (; properties != NULL; properties = properties->next) {
		begin(dump, "property ");
		text_add(dump->out, properties->key->text);
		for (const struct ast_word *word = properties->words; word != NULL; word = word->next)
			add_word(dump, word);
		end(dump, properties->span);
		dump->depth++;
		if (properties->services != NULL)
			dump_services(dump, properties->services);
		dump_places(dump, "place", properties->places);
		dump_places(dump, "right", properties->places_right);
		dump_properties(dump, properties->children);
		dump->depth--;
	}
}

/* --- statements ------------------------------------------------------------------------------- */

static void dump_statements(struct dump *dump, const struct ast_statement *statements);

static const char *const verdict_names[] = {
	[AST_ALLOW] = "allow", [AST_DENY] = "deny", [AST_REJECT] = "reject"
};

static void dump_rule(struct dump *dump, const struct ast_rule *rule)
{
	dump_services(dump, &rule->services);
	dump_places(dump, "from", rule->from);
	dump_places(dump, "to", rule->to);
	dump_options(dump, rule->options);
}

static void dump_assert(struct dump *dump, const struct ast_assert *assertion)
{
	static const char *const names[] = {
		[AST_ASSERT_VERDICT] = "verdict", [AST_ASSERT_ONLY] = "only",
		[AST_ASSERT_UNCHANGED] = "unchanged",
	};
	line(dump, assertion->kind == AST_ASSERT_VERDICT ? verdict_names[assertion->rule.verdict]
							  : names[assertion->kind],
	     assertion->rule.verdict_span);
	dump_rule(dump, &assertion->rule);
}

static void dump_service_def(struct dump *dump, const struct ast_service_def *def)
{
	word_line(dump, def->is_override ? "override" : "name", def->name);
	word_line(dump, "description", def->description);
	if (def->is_block)
		dump_properties(dump, def->properties);
	else
		dump_services(dump, &def->services);
}

static void dump_translation(struct dump *dump, const struct ast_translation *translation)
{
	dump_services(dump, &translation->services);
	dump_places(dump, "from", translation->from);
	dump_places(dump, "to", translation->to);
	word_line(dump, "as", translation->as);
	word_line(dump, "at", translation->at);
	word_line(dump, "host", translation->host);
	word_line(dump, "port", translation->port);
	dump_options(dump, translation->options);
}

static void dump_content(struct dump *dump, const struct ast_statement *statement)
{
	switch (statement->kind) {
	case AST_POLICY:
		word_line(dump, "name", statement->policy.name);
		word_line(dump, "version", statement->policy.version);
		break;
	case AST_INCLUDE:
		word_line(dump, "path", statement->include);
		break;
	case AST_SERVICE:
		dump_service_def(dump, &statement->service);
		break;
	case AST_EXTEND_TAG:
		word_line(dump, "tag", statement->extend_tag);
		break;
	case AST_HOST:
	case AST_NETWORK:
	case AST_GROUP:
		word_line(dump, "name", statement->place.name);
		dump_places(dump, "place", &statement->place.places);
		break;
	case AST_ZONE:
		word_line(dump, "name", statement->zone.name);
		dump_properties(dump, statement->zone.properties);
		break;
	case AST_SCHEDULE:
		word_line(dump, "name", statement->schedule.name);
		word_lines(dump, "span", statement->schedule.spans);
		break;
	case AST_TIMEZONE:
		word_line(dump, "offset", statement->timezone);
		break;
	case AST_RULE:
		line(dump, verdict_names[statement->rule.verdict], statement->rule.verdict_span);
		dump_rule(dump, &statement->rule);
		break;
	case AST_BLOCK:
		dump_places(dump, "from", statement->block.from);
		dump_places(dump, "to", statement->block.to);
		dump_statements(dump, statement->block.body);
		break;
	case AST_DEFAULT:
		word_line(dump, "hook", statement->default_verdict.hook);
		line(dump, verdict_names[statement->default_verdict.verdict], statement->span);
		dump_options(dump, statement->default_verdict.options);
		break;
	case AST_MASQUERADE:
	case AST_SNAT:
	case AST_FORWARD:
		dump_translation(dump, &statement->translation);
		break;
	case AST_DEVICE:
		word_line(dump, "name", statement->device.name);
		dump_properties(dump, statement->device.properties);
		break;
	case AST_TUNNEL:
		word_line(dump, "name", statement->tunnel.name);
		dump_properties(dump, statement->tunnel.properties);
		break;
	case AST_ASSERT:
		dump_assert(dump, &statement->assertion);
		break;
	case AST_EXPECT:
		word_line(dump, "finding", statement->expect.finding);
		word_line(dump, "because", statement->expect.because);
		break;
	}
}

static const char *const kind_names[] = {
	[AST_POLICY] = "policy",         [AST_INCLUDE] = "include",
	[AST_SERVICE] = "service",       [AST_EXTEND_TAG] = "extend-tag",
	[AST_HOST] = "host",             [AST_NETWORK] = "network",
	[AST_GROUP] = "group",           [AST_ZONE] = "zone",
	[AST_SCHEDULE] = "schedule",     [AST_TIMEZONE] = "timezone",
	[AST_RULE] = "rule",             [AST_BLOCK] = "block",
	[AST_DEFAULT] = "default",       [AST_MASQUERADE] = "masquerade",
	[AST_SNAT] = "snat",             [AST_FORWARD] = "forward",
	[AST_DEVICE] = "device",         [AST_TUNNEL] = "tunnel",
	[AST_ASSERT] = "assert",         [AST_EXPECT] = "expect",
};

static void dump_statements(struct dump *dump, const struct ast_statement *statements)
{
	for (; statements != NULL; statements = statements->next) {
		line(dump, kind_names[statements->kind], statements->span);
		dump->depth++;
		dump_content(dump, statements);
		dump->depth--;
	}
}

void ast_print_tree(struct text *out, struct sources *sources, const struct ast_file *file)
{
	struct dump dump = { .out = out, .sources = sources };
	dump_statements(&dump, file->statements);
}
