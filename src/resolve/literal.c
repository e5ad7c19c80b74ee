/* Addresses, prefixes and ranges as written to sets. */
#include "resolve/literal.h"

#include <string.h>

#include "base/pool.h"

static bool report_address(struct resolver *resolver, const struct ast_word *word)
{
	if (!word->is_reported)
		diag_add(resolver->diags, CODE_BAD_ADDRESS, word->span, "'%s' is not %s", word->text,
			 word->kind == AST_WORD_PREFIX	    ? "a prefix"
			 : word->kind == AST_WORD_ADDRESSES ? "a range of addresses"
							    : "an address");
	return false;
}

bool literal_address(struct resolver *resolver, const struct ast_word *word,
		     struct address *address)
{
	return address_parse(word->text, word->length, address) || report_address(resolver, word);
}

static bool report_host_bits(struct resolver *resolver, const struct ast_word *word,
			     const struct prefix *prefix)
{
	struct prefix network = prefix_network(prefix);
	struct text *text = text_new(resolver->pool);
	prefix_format(text, &network);
	struct diagnostic *error = diag_add(resolver->diags, CODE_HOST_BITS, word->span,
					    "'%s' has bits set behind its length", word->text);
	diag_note(resolver->diags, error, SPAN_NONE, "the network is %s", text->bytes);
	return false;
}

bool literal_prefix(struct resolver *resolver, const struct ast_word *word, bool may_have_host_bits,
		    struct prefix *prefix)
{
	if (!prefix_parse(word->text, word->length, prefix))
		return report_address(resolver, word);
	if (prefix_has_host_bits(prefix) && !may_have_host_bits)
		return report_host_bits(resolver, word, prefix);
	return true;
}

/* --- ranges ------------------------------------------------------------------------------- */

static bool report_backwards(struct resolver *resolver, const struct ast_word *word,
			     const char *dash)
{
	struct diagnostic *error = diag_add(resolver->diags, CODE_RANGE_BACKWARDS, word->span,
					    "the range '%s' ends before it begins", word->text);
	diag_note(resolver->diags, error, SPAN_NONE, "write %s-%.*s", dash + 1,
		  (int)(dash - word->text), word->text);
	return false;
}

static bool range_resolve(struct resolver *resolver, const struct ast_word *word,
			  enum family *family, struct interval *interval)
{
	const char *dash = memchr(word->text, '-', word->length);
	struct address low, high;
	if (dash == NULL || !address_parse(word->text, (size_t)(dash - word->text), &low) ||
	    !address_parse(dash + 1, (size_t)(word->text + word->length - dash - 1), &high))
		return report_address(resolver, word);
	if (low.family != high.family) {
		diag_add(resolver->diags, CODE_BAD_ADDRESS, word->span,
			 "the ends of '%s' are of different families", word->text);
		return false;
	}
	if (low.value > high.value)
		return report_backwards(resolver, word, dash);
	*family = low.family;
	*interval = (struct interval){ low.value, high.value };
	return true;
}

/* --- sets ------------------------------------------------------------------------------------ */

static bool interval_resolve(struct resolver *resolver, const struct ast_word *word,
			     enum family *family, struct interval *interval)
{
	if (memchr(word->text, '/', word->length) != NULL) {
		struct prefix prefix;
		if (!literal_prefix(resolver, word, false, &prefix))
			return false;
		*family = prefix.family;
		*interval = prefix_interval(&prefix);
		return true;
	}
	if (memchr(word->text, '-', word->length) != NULL)
		return range_resolve(resolver, word, family, interval);
	struct address address;
	if (!literal_address(resolver, word, &address))
		return false;
	*family = address.family;
	*interval = (struct interval){ address.value, address.value };
	return true;
}

struct place_box *literal_box(struct resolver *resolver, const struct ast_word *word)
{
	enum family family;
	struct interval interval;
	if (word->is_reported || !interval_resolve(resolver, word, &family, &interval))
		return NULL;
	struct interned *known = resolver->address_literals[family == FAMILY_IPV6];
	const void *kept;
	void **slot = interned_keep(known, &interval, sizeof interval, &kept);
	if (*slot == NULL) {
		struct place_box *box = arena_new_item(resolver->arena, struct place_box);
		struct interval_set *part = family == FAMILY_IPV4 ? &box->addresses.v4 : &box->addresses.v6;
		box->interfaces = interface_set_all();
		part->items = (struct interval *)(uintptr_t)kept;
		part->items_count = part->items_capacity = 1;
		*slot = box;
	}
	return *slot;
}
