/* Between scanner and grammar: see stream.h. */
#include "parse/stream.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "base/pool.h"
#include "parse/habits.h"
#include "parse/lexer.h"
#include "parse/parse.h"
#include "parse/syntax.h"
#include "parser.h"

struct open_brace {
	struct span span;
	bool holds_statements; /* of a from/to block; else of a definition */
};

struct parse_stream {
	void *pool;
	struct diags *diags;
	struct ast_builder *builder;
	struct lexer *lexer;
	fwc_pstate *state;
	bool is_over;      /* the grammar has ended */
	int first;         /* the token that began this statement, 0 between statements */
	bool wants_name;   /* the next word is the name that this statement defines */
	bool has_name;     /* it is: */
	struct span name;
	bool is_past_from; /* this statement has its `from`, or options, which come later */
	struct lexer_token previous; /* the last token that was read and dealt with */
	struct lexer_token pending;  /* read already, to be dealt with next */
	bool has_pending;
	struct open_brace open[PARSE_DEPTH];
	unsigned depth;
	bool is_quiet;     /* the error to come is a consequence: say nothing */
	bool has_failed;   /* the last push met a syntax error */
	int pushed;        /* kind of the token being pushed */
};

struct ast_builder *stream_builder(const struct parse_stream *stream)
{
	return stream->builder;
}

/* --- tokens by their role ------------------------------------------------------------ */

static bool is_verdict(int kind)
{
	return kind == TOKEN_ALLOW || kind == TOKEN_DENY || kind == TOKEN_REJECT;
}

/* The first words of statements. */
static bool begins_statement(int kind)
{
	switch (kind) {
	case TOKEN_POLICY:
	case TOKEN_INCLUDE:
	case TOKEN_OVERRIDE:
	case TOKEN_SERVICE:
	case TOKEN_EXTEND:
	case TOKEN_HOST:
	case TOKEN_NETWORK:
	case TOKEN_GROUP:
	case TOKEN_ZONE:
	case TOKEN_SCHEDULE:
	case TOKEN_TIMEZONE:
	case TOKEN_ALLOW:
	case TOKEN_DENY:
	case TOKEN_REJECT:
	case TOKEN_DEFAULT:
	case TOKEN_MASQUERADE:
	case TOKEN_SNAT:
	case TOKEN_FORWARD:
	case TOKEN_DEVICE:
	case TOKEN_TUNNEL:
	case TOKEN_ASSERT:
	case TOKEN_EXPECT:
	case TOKEN_FROM:
	case TOKEN_TO:
		return true;
	default:
		return false;
	}
}

/* Words that are options, where they are not names. */
static bool is_option(int kind)
{
	switch (kind) {
	case TOKEN_LOG:
	case TOKEN_COUNT:
	case TOKEN_LIMIT:
	case TOKEN_UNTIL:
	case TOKEN_DURING:
	case TOKEN_IPV4:
	case TOKEN_IPV6:
	case TOKEN_STATELESS:
	case TOKEN_BECAUSE:
	case TOKEN_OWNER:
	case TOKEN_ID:
	case TOKEN_RESCUE:
		return true;
	default:
		return false;
	}
}

/* The word behind it is the name of a definition. */
static bool defines_name(int kind)
{
	return kind == TOKEN_SERVICE || kind == TOKEN_HOST || kind == TOKEN_NETWORK ||
	       kind == TOKEN_GROUP || kind == TOKEN_ZONE || kind == TOKEN_SCHEDULE ||
	       kind == TOKEN_DEVICE || kind == TOKEN_TUNNEL;
}

/* `from` may follow in these on a line of its own. */
static bool takes_sides(int kind)
{
	return is_verdict(kind) || kind == TOKEN_ASSERT || kind == TOKEN_MASQUERADE ||
	       kind == TOKEN_SNAT || kind == TOKEN_FORWARD;
}

static bool is_in_definition(const struct parse_stream *stream)
{
	return stream->depth > 0 && !stream->open[stream->depth - 1].holds_statements;
}

/* Between the `from` or `to` of a block and its '{'. */
static bool is_in_header(const struct parse_stream *stream)
{
	return (stream->first == TOKEN_FROM || stream->first == TOKEN_TO) &&
	       !is_in_definition(stream);
}

static bool is_on_new_line(const struct parse_stream *stream, const struct lexer_token *token)
{
	uint32_t begin = stream->previous.span.end;
	if (token->span.begin < begin)
		return false;
	return memchr(stream->builder->bytes + begin, '\n', token->span.begin - begin) != NULL;
}

/* --- pushing ---------------------------------------------------------------------------- */

static void push(struct parse_stream *stream, const struct lexer_token *token)
{
	FWC_STYPE value;
	memset(&value, 0, sizeof value);
	value.is_reported = token->is_reported;
	struct span span = token->span;
	stream->has_failed = false;
	stream->pushed = token->kind;
	if (!stream->is_over && fwc_push_parse(stream->state, token->kind, &value, &span, stream) !=
					YYPUSH_MORE)
		stream->is_over = true;
	if (stream->has_failed && stream->has_name)
		ast_lose_name(stream->builder, stream->name);
	stream->has_name = stream->has_name && !stream->has_failed;
}

static void begin_statement(struct parse_stream *stream, int first)
{
	stream->first = first;
	stream->is_past_from = false;
	stream->wants_name = false;
	stream->has_name = false;
}

/* A ';' that is not written, at the place of the token before which it would stand. */
static void push_semicolon(struct parse_stream *stream, struct span place, bool is_quiet)
{
	struct lexer_token semicolon = { .kind = ';', .span = place };
	bool was_quiet = stream->is_quiet;
	stream->is_quiet = was_quiet || is_quiet;
	push(stream, &semicolon);
	stream->is_quiet = was_quiet;
	begin_statement(stream, 0);
}

static struct span empty_span(struct span span)
{
	return (struct span){ span.source, span.begin, span.begin };
}

static void report_missing_semicolon(struct parse_stream *stream)
{
	struct span last = stream->previous.span;
	struct span place = { last.source, last.end, last.end };
	diag_add(stream->diags, CODE_UNTERMINATED_STATEMENT, place, "missing ';' after %s",
		 syntax_quote(stream->pool, stream->builder->bytes, last));
}

static bool misses_semicolon(const struct parse_stream *stream, const struct lexer_token *token)
{
	int before = stream->previous.kind;
	if (stream->first == 0 || before == ',' || before == '=' || before == '/')
		return false;
	if (!is_verdict(token->kind) && !is_on_new_line(stream, token))
		return false;
	bool is_candidate = begins_statement(token->kind) || is_in_definition(stream);
	if (token->kind == TOKEN_TO ||
	    (token->kind == TOKEN_FROM && takes_sides(stream->first) && !stream->is_past_from))
		is_candidate = false;
	return is_candidate && !grammar_expects(stream->state, token->kind) &&
	       grammar_expects(stream->state, ';');
}

/* --- recovery --------------------------------------------------------------------------- */

static void next_token(struct parse_stream *stream, struct lexer_token *token)
{
	if (stream->has_pending)
		*token = stream->pending;
	else
		lexer_next(stream->lexer, token);
	stream->has_pending = false;
}

static void put_back(struct parse_stream *stream, const struct lexer_token *token)
{
	stream->pending = *token;
	stream->has_pending = true;
}

/* Drops a block whose '{' was just read. */
static void drop_block(struct parse_stream *stream)
{
	struct lexer_token token;
	for (size_t depth = 1; depth > 0; stream->previous = token) {
		next_token(stream, &token);
		if (token.kind == '{')
			depth++;
		else if (token.kind == '}')
			depth--;
		if (token.kind == TOKEN_END) {
			put_back(stream, &token);
			break;
		}
	}
}

/* "allow { ssh } from lan;": what stands behind the block, on its line, belongs to the statement. */
static bool goes_on(struct parse_stream *stream)
{
	struct lexer_token token;
	next_token(stream, &token);
	put_back(stream, &token);
	bool is_side = token.kind == TOKEN_FROM || token.kind == TOKEN_TO;
	return token.kind != TOKEN_END && token.kind != '}' && !is_on_new_line(stream, &token) &&
	       (is_side || !begins_statement(token.kind));
}

/* The same, and ends its statement. */
static void skip_block(struct parse_stream *stream)
{
	drop_block(stream);
	push_semicolon(stream, empty_span(stream->previous.span), true);
}

/* Drops the rest of a statement after its error. Reading stops at a ';', at the '{' of a block
 * whose body can be read, at '}' and the end, and at a new statement on a new line. */
static void skip_statement(struct parse_stream *stream)
{
	struct lexer_token token;
	for (;; stream->previous = token) {
		next_token(stream, &token);
		if (token.kind == ';' || (token.kind == '{' && is_in_header(stream))) {
			put_back(stream, &token);
			return;
		}
		if (token.kind == '{') {
			drop_block(stream);
			if (goes_on(stream)) {
				token = stream->previous;
				continue;
			}
			push_semicolon(stream, empty_span(stream->previous.span), true);
			return;
		}
		bool is_next = begins_statement(token.kind) && is_on_new_line(stream, &token);
		if (token.kind == '}' || token.kind == TOKEN_END || is_next) {
			push_semicolon(stream, empty_span(token.span), true);
			put_back(stream, &token);
			return;
		}
	}
}

/* --- one token ---------------------------------------------------------------------------- */

static void feed_open(struct parse_stream *stream, const struct lexer_token *token)
{
	stream->previous = *token;
	if (stream->depth == PARSE_DEPTH) {
		diag_add(stream->diags, CODE_TOO_DEEP, token->span,
			 "blocks are nested more than %d deep", PARSE_DEPTH);
		skip_block(stream);
		return;
	}
	bool is_header = is_in_header(stream);
	push(stream, token);
	if (stream->has_failed && !is_header) {
		put_back(stream, token);
		skip_statement(stream);
		return;
	}
	stream->open[stream->depth++] = (struct open_brace){ token->span, is_header };
	begin_statement(stream, 0);
}

static void feed_close(struct parse_stream *stream, const struct lexer_token *token)
{
	stream->previous = *token;
	if (stream->depth == 0) {
		diag_add(stream->diags, CODE_SYNTAX, token->span, "this '}' closes nothing");
		if (stream->first != 0)
			push_semicolon(stream, token->span, false);
		return;
	}
	if (is_in_header(stream))
		push_semicolon(stream, token->span, false);
	push(stream, token);
	stream->depth--;
	begin_statement(stream, 0);
}

static void feed_end(struct parse_stream *stream, const struct lexer_token *token)
{
	if (is_in_header(stream))
		push_semicolon(stream, token->span, false);
	if (stream->depth > 0) {
		struct diagnostic *error = diag_add(stream->diags, CODE_SYNTAX, token->span,
						    "missing '}' at the end of the file");
		diag_note(stream->diags, error, stream->open[stream->depth - 1].span,
			  "this '{' is not closed");
	}
	while (stream->depth > 0) {
		struct lexer_token close = { .kind = '}', .span = token->span };
		feed_close(stream, &close);
	}
	push(stream, token);
	stream->is_over = true;
}

/* Keeps what recovery will want to know of the statement. */
static void note_word(struct parse_stream *stream, const struct lexer_token *token)
{
	if (stream->wants_name) {
		stream->has_name = true;
		stream->name = token->span;
	}
	stream->wants_name = !is_in_definition(stream) && defines_name(token->kind) &&
			     (stream->first == token->kind || stream->previous.kind == TOKEN_OVERRIDE) &&
			     !stream->has_name;
	if (token->kind == TOKEN_FROM || is_option(token->kind))
		stream->is_past_from = true;
}

static void feed_word(struct parse_stream *stream, const struct lexer_token *token)
{
	if (misses_semicolon(stream, token)) {
		if (!stream->previous.is_reported)
			report_missing_semicolon(stream);
		push_semicolon(stream, empty_span(token->span), true);
	}
	push(stream, token);
	bool has_failed = stream->has_failed;
	bool is_new = has_failed && begins_statement(token->kind) && is_on_new_line(stream, token);
	if (stream->first == 0 || is_new)
		begin_statement(stream, token->kind);
	if (!has_failed || is_new)
		note_word(stream, token);
	stream->previous = *token;
	if (has_failed && !is_new)
		skip_statement(stream);
}

static void feed(struct parse_stream *stream, const struct lexer_token *token)
{
	switch (token->kind) {
	case '{':
		feed_open(stream, token);
		break;
	case '}':
		feed_close(stream, token);
		break;
	case TOKEN_END:
		feed_end(stream, token);
		break;
	case ';':
		push(stream, token);
		begin_statement(stream, 0);
		stream->previous = *token;
		break;
	default:
		feed_word(stream, token);
	}
}

/* --- mistakes, as the grammar finds them ----------------------------------------------------- */

bool stream_wants_message(const struct parse_stream *stream)
{
	return !stream->is_quiet && !stream->diags->is_full && stream->pushed != TOKEN_BAD;
}

void stream_syntax_error(struct parse_stream *stream, struct span found,
			 const char *const *expected, size_t expected_count)
{
	stream->has_failed = true;
	if (stream->is_quiet || stream->pushed == TOKEN_BAD)
		return; /* the scanner has said what is wrong with the word */
	struct syntax_error error = {
		.bytes = stream->builder->bytes,
		.found = found,
		.is_end = found.begin >= stream->diags->sources->items[found.source]->length,
		.begins_statement = stream->first == 0,
		.expected = expected,
		.expected_count = expected_count,
	};
	struct diagnostic *report = syntax_report(stream->pool, stream->diags, &error);
	if (report != NULL)
		habits_note(stream->diags, report, &error);
}

void stream_out_of_depth(struct parse_stream *stream, struct span span)
{
	diag_add(stream->diags, CODE_TOO_DEEP, span, "this is nested too deeply to be read");
}

/* --- whole sources ------------------------------------------------------------------------------ */

/* The grammar's state is malloc's: freed with the session. */
static int state_free(struct parse_stream *stream)
{
	fwc_pstate_delete(stream->state);
	return 0;
}

struct ast_file *stream_parse(void *pool, struct diags *diags, uint32_t source)
{
	struct parse_stream *stream = pool_new(pool, struct parse_stream);
	stream->pool = pool;
	stream->diags = diags;
	stream->builder = ast_builder_new(pool, diags, source);
	stream->lexer = lexer_new(pool, diags, stream->builder->file);
	stream->state = fwc_pstate_new();
	if (stream->state == NULL)
		pool_fail(pool, sizeof stream->open);
	talloc_set_destructor(stream, state_free);
	while (!stream->is_over) {
		struct lexer_token token;
		next_token(stream, &token);
		feed(stream, &token);
	}
	struct ast_file *file = stream->builder->file;
	lexer_end(stream->lexer);
	talloc_free(stream);
	return file;
}
