/* See question.h. Words are cut at blanks; what a place or a service means is for the policy to say. */
#include "cmd/question.h"

#include <string.h>

#include "base/pool.h"
#include "net/address.h"
#include "net/protocol.h"
#include "parse/parse.h"

struct word {
	const char *text;
	size_t begin; /* in the line */
};

struct words {
	struct word *items;
	size_t items_count, items_capacity;
	size_t at;     /* the next one */
};

struct asker {
	void *pool;
	struct diags *diags;
	uint32_t source;
	size_t length;
	struct words words;
	struct text *text; /* the assertion */
};

static void cut(struct asker *asker, const char *line)
{
	for (size_t at = 0; line[at] != '\0';) {
		size_t length = strcspn(line + at, " \t");

		if (length > 0)
			*pool_append(asker->pool, &asker->words, items) = (struct word){
				pool_strndup(asker->pool, line + at, length), at };
		at += length;
		at += strspn(line + at, " \t");
	}
}

static const struct word *next(struct asker *asker)
{
	struct words *words = &asker->words;

	return words->at < words->items_count ? &words->items[words->at++] : NULL;
}

/* NULL word: the line's end. */
static struct diagnostic *complain(struct asker *asker, const struct word *word, const char *message)
{
	size_t begin = word != NULL ? word->begin : asker->length;
	size_t end = word != NULL ? begin + strlen(word->text) : begin;
	struct diagnostic *error =
		diag_add(asker->diags, CODE_PACKET_FORM,
			 (struct span){ asker->source, (uint32_t)begin, (uint32_t)end }, "%s",
			 message);

	diag_note(asker->diags, error, SPAN_NONE,
		  "for example: 'tcp 192.168.0.5:40000 -> 192.168.0.10:88', 'https lan -> wan in "
		  "eth1', 'icmp echo-request self -> 10.0.0.1'");
	return error;
}

/* --- one side ---------------------------------------------------------------------------------------- */

struct side_words {
	const struct word *word;
	const char *place;
	const char *port; /* or NULL */
};

/* "[fd00::1]:53", "10.0.0.1:53", "lan:53", "fd00::1", "lan". */
static bool read_side(struct asker *asker, struct side_words *side, const char *missing)
{
	const struct word *word = next(asker);
	const char *text = word != NULL ? word->text : "";
	const char *close = strchr(text, ']'), *colon = strrchr(text, ':');
	struct address address;

	side->word = word;
	if (word == NULL || strcmp(text, "->") == 0)
		return complain(asker, word, missing), false;
	if (text[0] == '[') {
		if (close == NULL || (close[1] != '\0' && (close[1] != ':' || close[2] == '\0')))
			return complain(asker, word, "'[' is closed by ']:PORT'"), false;
		side->place = pool_strndup(asker->pool, text + 1, (size_t)(close - text - 1));
		side->port = close[1] == ':' ? close + 2 : NULL;
	} else if (colon == NULL || address_parse(text, strlen(text), &address)) {
		side->place = text;
	} else {
		side->place = pool_strndup(asker->pool, text, (size_t)(colon - text));
		side->port = colon + 1;
	}
	if (side->place[0] == '\0' || (side->port != NULL && side->port[0] == '\0'))
		return complain(asker, word, "an address, and a port behind ':'"), false;
	return true;
}

/* --- the service -------------------------------------------------------------------------------------- */

static bool is_icmp(uint8_t protocol)
{
	return protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
}

/* What stands before FROM: a protocol's name, with a type if it is ICMP's; or a service. */
struct kind {
	const struct word *word;
	const struct word *type; /* or NULL */
	bool is_protocol;
	uint8_t protocol;
};

static bool read_kind(struct asker *asker, struct kind *kind)
{
	kind->word = next(asker);
	if (kind->word == NULL)
		return complain(asker, NULL, "a packet is asked for"), false;
	kind->is_protocol = protocol_find(kind->word->text, strlen(kind->word->text), &kind->protocol);
	if (kind->is_protocol && is_icmp(kind->protocol) &&
	    asker->words.at + 1 < asker->words.items_count &&
	    strcmp(asker->words.items[asker->words.at + 1].text, "->") != 0)
		kind->type = next(asker);
	return true;
}

static void add_service(struct asker *asker, const struct kind *kind, const struct side_words *from,
			const struct side_words *to)
{
	struct text *out = asker->text;

	if (!kind->is_protocol)
		text_add(out, kind->word->text);
	else if (is_icmp(kind->protocol))
		text_addf(out, "%s/%s", kind->type != NULL ? kind->type->text : "any",
			  kind->protocol == PROTOCOL_ICMP ? "icmp" : "icmp6");
	else if (protocol_has_ports(kind->protocol))
		text_addf(out, "%s/%s", to->port != NULL ? to->port : "any", kind->word->text);
	else
		text_addf(out, "%u/ip", kind->protocol);
	if (from->port != NULL)
		text_addf(out, " sport %s", from->port);
}

static bool check_ports(struct asker *asker, const struct kind *kind, const struct side_words *from,
			const struct side_words *to)
{
	const struct side_words *side = to->port != NULL ? to : from->port != NULL ? from : NULL;

	if (side == NULL)
		return true;
	if (!kind->is_protocol && to->port == NULL)
		return true; /* a service and a source port: the policy's language says it alike */
	if (!kind->is_protocol)
		return complain(asker, side->word, "a service has its own ports: name a protocol, "
				"or leave out the port"), false;
	if (!protocol_has_ports(kind->protocol))
		return complain(asker, side->word, "this protocol has no ports"), false;
	return true;
}

/* --- what follows ---------------------------------------------------------------------------------------- */

static const struct {
	const char *word;
	enum question_state state;
} states[] = {
	{ "new", QUESTION_NEW },
	{ "established", QUESTION_ESTABLISHED },
	{ "related", QUESTION_RELATED },
	{ "invalid", QUESTION_INVALID },
	{ "untracked", QUESTION_UNTRACKED },
};

static bool read_state(struct asker *asker, struct question *question, const struct word *value)
{
	for (size_t index = 0; index < sizeof states / sizeof states[0]; index++) {
		if (strcmp(value->text, states[index].word) != 0)
			continue;
		question->state = states[index].state;
		return true;
	}
	return complain(asker, value, "a state is new, established, related, invalid or untracked"),
	       false;
}

static bool read_detail(struct asker *asker, struct question *question, const struct word *name)
{
	const struct word *value = next(asker);

	if (value == NULL)
		return complain(asker, NULL, "'in', 'out' and 'state' want a word"), false;
	if (strcmp(name->text, "state") == 0)
		return read_state(asker, question, value);
	if (strcmp(name->text, "in") == 0 && question->in == NULL)
		question->in = value->text;
	else if (strcmp(name->text, "out") == 0 && question->out == NULL)
		question->out = value->text;
	else
		return complain(asker, name, "after the places stand 'in NAME', 'out NAME', "
				"'state WORD', once each"), false;
	return true;
}

static bool read_details(struct asker *asker, struct question *question)
{
	const struct word *word;

	while ((word = next(asker)) != NULL)
		if (!read_detail(asker, question, word))
			return false;
	return true;
}

static bool read_places(struct asker *asker, struct side_words *from, struct side_words *to)
{
	const struct word *arrow;

	if (!read_side(asker, from, "where the packet comes from is missing"))
		return false;
	arrow = next(asker);
	if (arrow == NULL || strcmp(arrow->text, "->") != 0)
		return complain(asker, arrow, "'->' stands between the places"), false;
	return read_side(asker, to, "where the packet goes is missing");
}

static struct ast_file *parse_assertion(struct asker *asker)
{
	uint32_t source = sources_add(asker->diags->sources, "<packet>", asker->text->bytes,
				      asker->text->length, false);
	size_t errors = asker->diags->error_count;
	struct ast_file *file = parse_source(asker->pool, asker->diags, source);

	if (asker->diags->error_count != errors)
		return NULL;
	if (file->statements == NULL || file->statements->next != NULL)
		return complain(asker, NULL, "one packet at a time"), NULL;
	return file;
}

struct question *question_parse(void *pool, struct diags *diags, const char *words)
{
	struct question *question = pool_new(pool, struct question);
	struct asker asker = { .pool = pool, .diags = diags, .length = strlen(words) };
	struct side_words from = { 0 }, to = { 0 };
	struct kind kind = { 0 };

	question->words = words;
	asker.source = sources_add(diags->sources, "<packet>", words, asker.length, false);
	asker.text = text_new(pool);
	cut(&asker, words);
	if (!read_kind(&asker, &kind) || !read_places(&asker, &from, &to) ||
	    !check_ports(&asker, &kind, &from, &to) || !read_details(&asker, question))
		return NULL;
	text_add(asker.text, "assert allow ");
	add_service(&asker, &kind, &from, &to);
	text_addf(asker.text, " from %s to %s;", from.place, to.place);
	question->file = parse_assertion(&asker);
	return question->file != NULL ? question : NULL;
}
