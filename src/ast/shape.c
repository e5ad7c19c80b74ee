/* Property shapes: see shape.h.
 *
 * A shape is a line of terms. UPPER CASE terms stand for a kind of word, others for
 * themselves, ',' for an optional comma before the next word, '...' for more words of
 * the last kind, each after a comma. One row a shape; rows of one key stand together. */
#include "ast/shape.h"

#include <assert.h>
#include <string.h>

#include "base/names.h"
#include "base/text.h"

enum shape_content { CONTENT_WORDS, CONTENT_PLACES, CONTENT_BLOCK };

struct shape {
	const char *key;
	const char *terms;
	bool repeats;
	enum shape_content content;
	enum shape_block children; /* of CONTENT_BLOCK */
	const char *way_out;       /* noted where such a line is malformed or stands twice; or NULL */
};

static const struct shape device_shapes[] = {
	{ "cdp", "off", .repeats = true },
	{ "cdp", "off on NAME", .repeats = true },
	{ "cdp", "timer NUMBER", .repeats = true },
	{ "cdp", "holdtime NUMBER", .repeats = true },
	{ "degrade", "NAME ...", .repeats = true },
	{ "denied", "answered" },
	{ "denied", "silent" },
	{ "hostname", "TEXT" },
	{ "interface", "INTERFACE", .repeats = true, .content = CONTENT_BLOCK,
	  .children = SHAPE_INTERFACE },
	{ "multi-port-eq", "yes" },
	{ "multi-port-eq", "no" },
	{ "object-groups", "yes" },
	{ "object-groups", "ios-xe" },
	{ "object-groups", "no" },
	{ "replies", "established" },
	{ "replies", "reflexive" },
	{ "replies", "none" },
	{ "route", "default via ADDRESS", .repeats = true },
	{ "route", "PREFIX via ADDRESS", .repeats = true },
	{ "target", "NAME" },
};

static const struct shape interface_shapes[] = {
	{ "address", "PREFIX ...", .repeats = true },
	{ "clock-rate", "NUMBER" },
	{ "description", "STRING" },
	{ "shutdown", "" },
	{ "zone", "NAME",
	  .way_out = "an interface is in one zone; rules may name several: 'from lan, dmz'" },
};

static const struct shape tunnel_shapes[] = {
	{ "between", "NAME on NAME , NAME on NAME" },
	{ "between", "NAME on NAME and peer ADDRESS" },
	{ "carry", "PLACES <-> PLACES", .repeats = true, .content = CONTENT_PLACES },
	{ "esp", "", .content = CONTENT_BLOCK, .children = SHAPE_ESP },
	{ "ike", "", .content = CONTENT_BLOCK, .children = SHAPE_IKE },
	{ "key", "env STRING" },
	{ "key", "file STRING" },
};

static const struct shape ike_shapes[] = {
	{ "encryption", "NAME" },
	{ "group", "NUMBER" },
	{ "hash", "NAME" },
	{ "lifetime", "NUMBER" },
	{ "lifetime", "NUMBER NAME" },
	{ "version", "NUMBER" },
};

static const struct shape esp_shapes[] = {
	{ "encryption", "NAME" },
	{ "hash", "NAME" },
	{ "lifetime", "NUMBER" },
	{ "lifetime", "NUMBER NAME" },
};

static const struct {
	const char *name;
	enum code code;
	const struct shape *shapes;
	size_t count;
} blocks[] = {
#define BLOCK(name, code, table) { name, code, table, sizeof table / sizeof table[0] }
	[SHAPE_DEVICE] = BLOCK("device", CODE_DEVICE_ITEM, device_shapes),
	[SHAPE_INTERFACE] = BLOCK("interface", CODE_DEVICE_ITEM, interface_shapes),
	[SHAPE_TUNNEL] = BLOCK("tunnel", CODE_TUNNEL_ITEM, tunnel_shapes),
	[SHAPE_IKE] = BLOCK("ike", CODE_TUNNEL_ITEM, ike_shapes),
	[SHAPE_ESP] = BLOCK("esp", CODE_TUNNEL_ITEM, esp_shapes),
#undef BLOCK
};

#define SHAPES_MOST 32
static_assert(sizeof device_shapes / sizeof device_shapes[0] <= SHAPES_MOST, "rows fit");

/* --- words against terms ---------------------------------------------------------- */

static bool is_term(const char *term, size_t length, const char *name)
{
	return strlen(name) == length && memcmp(term, name, length) == 0;
}

static bool word_matches(const struct ast_word *word, const char *term, size_t length)
{
	bool is_name = word->kind == AST_WORD_NAME || word->kind == AST_WORD_STRING;
	if (is_term(term, length, "NAME") || is_term(term, length, "TEXT"))
		return is_name;
	if (is_term(term, length, "INTERFACE"))
		return is_name || word->kind == AST_WORD_INTERFACE;
	if (is_term(term, length, "NUMBER"))
		return word->kind == AST_WORD_NUMBER;
	if (is_term(term, length, "STRING"))
		return word->kind == AST_WORD_STRING;
	if (is_term(term, length, "ADDRESS"))
		return word->kind == AST_WORD_ADDRESS;
	if (is_term(term, length, "PREFIX"))
		return word->kind == AST_WORD_PREFIX;
	return word->kind == AST_WORD_NAME && word->length == length &&
	       memcmp(word->text, term, length) == 0;
}

static bool words_match(const struct ast_word *word, const char *terms)
{
	const char *last = terms;
	size_t last_length = 0;
	bool may_have_comma = false;
	while (*terms != '\0') {
		size_t length = strcspn(terms, " ");
		if (is_term(terms, length, "...")) {
			for (; word != NULL; word = word->next)
				if (!word->follows_comma || !word_matches(word, last, last_length))
					return false;
			return true;
		}
		if (is_term(terms, length, ",")) {
			may_have_comma = true;
		} else {
			if (word == NULL || (word->follows_comma && !may_have_comma) ||
			    !word_matches(word, terms, length))
				return false;
			may_have_comma = false;
			last = terms;
			last_length = length;
			word = word->next;
		}
		terms += length + strspn(terms + length, " ");
	}
	return word == NULL;
}

/* --- reports ---------------------------------------------------------------------- */

static void report_unknown(struct diags *diags, enum shape_block block,
			   const struct ast_property *property)
{
	struct diagnostic *unknown = diag_add(
		diags, blocks[block].code, property->key->span,
		"there is no '%s' in %s blocks", property->key->text, blocks[block].name);
	struct names *keys = names_new(diags->pool, true);
	for (size_t i = 0; i < blocks[block].count; i++) {
		const char *key = blocks[block].shapes[i].key;
		names_set(keys, key, strlen(key), (void *)(uintptr_t)key);
	}
	const char *nearest = names_nearest(keys, property->key->text, property->key->length);
	if (nearest != NULL)
		diag_note(diags, unknown, SPAN_NONE, "did you mean '%s'?", nearest);
}

/* "'cdp off', 'cdp off on NAME' or 'cdp timer NUMBER'" */
static const char *shapes_text(struct diags *diags, const struct shape *shape, size_t count)
{
	struct text *text = text_new(diags->pool);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			text_add(text, i + 1 == count ? " or " : ", ");
		text_addf(text, "'%s%s%s%s'", shape[i].key, shape[i].terms[0] != '\0' ? " " : "",
			  shape[i].terms, shape[i].content == CONTENT_BLOCK ? " { }" : "");
	}
	return text->bytes;
}

static enum shape_content content_of(const struct ast_property *property)
{
	if (property->places != NULL)
		return CONTENT_PLACES;
	return property->has_block ? CONTENT_BLOCK : CONTENT_WORDS;
}

/* The rows of the key stand together: the first, and how many. */
static const struct shape *shapes_find(enum shape_block block, const struct ast_word *key,
				       size_t *count)
{
	const struct shape *shapes = blocks[block].shapes;
	const struct shape *end = shapes + blocks[block].count;
	*count = 0;
	while (shapes < end && (key->is_quoted || strcmp(shapes->key, key->text) != 0))
		shapes++;
	while (shapes + *count < end && strcmp(shapes[*count].key, key->text) == 0)
		(*count)++;
	return shapes;
}

static bool fits(const struct shape *shape, const struct ast_property *property)
{
	if (shape->content != content_of(property))
		return false;
	return shape->content == CONTENT_PLACES || words_match(property->words, shape->terms);
}

static void note_way_out(struct diags *diags, const struct shape *shape, struct diagnostic *error)
{
	if (shape->way_out != NULL)
		diag_note(diags, error, SPAN_NONE, "%s", shape->way_out);
}

static void check_one(struct diags *diags, enum shape_block block,
		      const struct ast_property *property, const struct ast_property **seen)
{
	size_t count;
	const struct shape *shape = shapes_find(block, property->key, &count);
	if (count == 0) {
		report_unknown(diags, block, property);
		return;
	}
	size_t fitting = 0;
	while (fitting < count && !fits(&shape[fitting], property))
		fitting++;
	if (fitting == count)
		note_way_out(diags, shape,
			     diag_add(diags, blocks[block].code, property->span, "expected %s",
				      shapes_text(diags, shape, count)));
	const struct ast_property **before = &seen[shape - blocks[block].shapes];
	if (*before != NULL && !shape->repeats) {
		struct diagnostic *twice = diag_add(diags, blocks[block].code, property->span,
						    "'%s' is said twice", property->key->text);
		diag_note(diags, twice, (*before)->span, "it is said here before");
		note_way_out(diags, shape, twice);
	}
	*before = property;
}

static void check_level(struct diags *diags, enum shape_block block,
			const struct ast_property *properties)
{
	const struct ast_property *seen[SHAPES_MOST] = { NULL };
	for (; properties != NULL; properties = properties->next)
		check_one(diags, block, properties, seen);
}

/* Blocks inside these blocks hold none themselves: two levels, no recursion. */
void shape_check(struct diags *diags, enum shape_block block, const struct ast_property *properties)
{
	check_level(diags, block, properties);
	for (; properties != NULL; properties = properties->next) {
		size_t count;
		const struct shape *shape = shapes_find(block, properties->key, &count);
		if (count > 0 && shape->content == CONTENT_BLOCK && properties->has_block)
			check_level(diags, shape->children, properties->children);
	}
}
