#include "target/nft/walk/leaf.h"

#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "base/pool.h"

#define EFFECTS_MAX 64 /* of one packet; the kernel follows at most 16 chains of some rules each */

struct walk_leaves *walk_leaves_new(void *pool)
{
	struct walk_leaves *leaves = pool_new(pool, struct walk_leaves);
	leaves->pool = leaves;
	leaves->arena = arena_new(leaves);
	leaves->interned = interned_new(leaves, leaves->arena);
	leaves->effects = interned_new(leaves, leaves->arena);
	leaves->translations = interned_new(leaves, leaves->arena);
	leaves->strings = interned_new(leaves, leaves->arena);
	leaves->none = arena_new_item(leaves->arena, struct walk_effects);
	walk_leaf_of(leaves, WALK_FALL, NULL, leaves->none);
	return leaves;
}

/* One copy a spelling, so that pointers tell. */
static const char *string_of(struct walk_leaves *leaves, const char *text)
{
	if (text == NULL)
		return NULL;
	void **slot = interned_slot(leaves->strings, text, strlen(text) + 1);
	if (*slot == NULL)
		*slot = arena_copy(leaves->arena, text, strlen(text) + 1);
	return *slot;
}

diagram walk_leaf(struct walk_leaves *leaves, struct walk_leaf leaf)
{
	struct walk_leaf key;
	memset(&key, 0, sizeof key); /* padding too */
	key.verdict = leaf.verdict;
	key.reject = leaf.reject;
	key.translation = leaf.translation;
	key.text = string_of(leaves, leaf.text);
	key.effects = leaf.effects;
	void **slot = interned_slot(leaves->interned, &key, sizeof key);
	if (*slot == NULL) {
		struct walk_leaf *kept = arena_copy(leaves->arena, &key, sizeof key);
		kept->number = (uint32_t)leaves->items_count;
		*pool_append(leaves->pool, leaves, items) = kept;
		*slot = kept;
	}
	return diagram_leaf(((const struct walk_leaf *)*slot)->number);
}

diagram walk_leaf_of(struct walk_leaves *leaves, enum walk_verdict verdict, const char *text,
		     const struct walk_effects *effects)
{
	return walk_leaf(leaves, (struct walk_leaf){ .verdict = verdict, .text = text, .effects = effects });
}

const struct walk_leaf *walk_leaf_at(const struct walk_leaves *leaves, diagram leaf)
{
	return leaves->items[diagram_number(leaf)];
}

diagram walk_leaf_turned(struct walk_leaves *leaves, const struct walk_leaf *leaf, enum walk_verdict verdict)
{
	while (leaves->turns_count <= leaf->number)
		pool_append(leaves->pool, leaves, turns);
	uint32_t *known = &leaves->turns[leaf->number].to[verdict];
	if (*known == 0) {
		struct walk_leaf turned = *leaf;
		turned.verdict = verdict;
		*known = diagram_number(walk_leaf(leaves, turned)) + 1;
	}
	return diagram_leaf(*known - 1);
}

/* --- effects ---------------------------------------------------------------------------------------- */

static const struct walk_effects *effects_of(struct walk_leaves *leaves, const struct walk_effect *items,
					     size_t count)
{
	if (count == 0)
		return leaves->none;
	void **slot = interned_slot(leaves->effects, items, count * sizeof *items);
	if (*slot == NULL) {
		struct walk_effects *list = arena_new_item(leaves->arena, struct walk_effects);
		list->items = arena_copy(leaves->arena, items, count * sizeof *items);
		list->items_count = count;
		*slot = list;
	}
	return *slot;
}

static int compare_effects(const struct walk_effect *a, const struct walk_effect *b)
{
	return a->kind != b->kind ? (int)a->kind - (int)b->kind : strcmp(a->text, b->text);
}

/* A second line of a log, or a second count, is seen by who reads them; a third is no other mistake. Counters
 * without a name are anywhere. */
static bool is_seen_twice(const struct walk_effects *list, size_t at, const struct walk_effect *added)
{
	bool tells = added->kind == WALK_LOG || (added->kind == WALK_COUNT && added->text[0] != '\0');
	return tells && (at + 1 == list->items_count || compare_effects(&list->items[at + 1], added) != 0);
}

const struct walk_effects *walk_effects_with(struct walk_leaves *leaves, const struct walk_effects *list,
					     enum walk_effect_kind kind, const char *text)
{
	struct walk_effect items[EFFECTS_MAX + 1];
	struct walk_effect added;
	size_t at = 0, count = list->items_count;
	memset(items, 0, sizeof items);
	memset(&added, 0, sizeof added);
	added.kind = kind;
	added.text = string_of(leaves, text);
	while (at < count && compare_effects(&list->items[at], &added) < 0)
		at++;
	bool is_known = at < count && compare_effects(&list->items[at], &added) == 0;
	if ((is_known && !is_seen_twice(list, at, &added)) || count == EFFECTS_MAX)
		return list;
	if (count != 0)
		memcpy(items, list->items, count * sizeof *items);
	memmove(items + at + 1, items + at, (count - at) * sizeof *items);
	memcpy(&items[at], &added, sizeof added);
	return effects_of(leaves, items, count + 1);
}

diagram walk_leaf_after(struct walk_leaves *leaves, const struct walk_effects *before,
			const struct walk_leaf *leaf)
{
	struct walk_leaf joined = *leaf;
	for (size_t i = 0; i < before->items_count; i++)
		joined.effects = walk_effects_with(leaves, joined.effects, before->items[i].kind,
						   before->items[i].text);
	return walk_leaf(leaves, joined);
}

size_t walk_effects_count(const struct walk_effects *list, enum walk_effect_kind kind, const char **text)
{
	size_t count = 0;
	for (size_t i = 0; i < list->items_count; i++) {
		if (list->items[i].kind != kind)
			continue;
		if (count++ == 0 && text != NULL)
			*text = list->items[i].text;
	}
	return count;
}

const struct walk_translation *walk_translation_of(struct walk_leaves *leaves,
						   const struct walk_translation *translation)
{
	struct walk_translation key;
	memset(&key, 0, sizeof key);
	key.kind = translation->kind;
	key.family = translation->family;
	key.has_address = translation->has_address;
	key.has_port = translation->has_port;
	key.port_low = translation->port_low;
	key.port_high = translation->port_high;
	key.flags = translation->flags;
	key.low = translation->low;
	key.high = translation->high;
	void **slot = interned_slot(leaves->translations, &key, sizeof key);
	if (*slot == NULL)
		*slot = arena_copy(leaves->arena, &key, sizeof key);
	return *slot;
}

/* --- printing --------------------------------------------------------------------------------------- */

static void print_reject(struct text *out, const struct walk_reject *reject)
{
	if (reject->type == NFT_REJECT_TCP_RST)
		text_add(out, "rejected with a tcp reset");
	else if (reject->type == NFT_REJECT_ICMPX_UNREACH && reject->code == NFT_REJECT_ICMPX_ADMIN_PROHIBITED)
		text_add(out, "rejected as administratively prohibited");
	else
		text_addf(out, "rejected (type %u, code %u)", reject->type, reject->code);
}

static void print_translation(struct text *out, const struct walk_translation *translation)
{
	static const char *const words[] = {
		[WALK_SNAT] = "translated, its source", [WALK_DNAT] = "translated, its destination",
		[WALK_MASQUERADE] = "masqueraded", [WALK_REDIRECT] = "redirected",
	};
	text_add(out, words[translation->kind]);
	if (translation->has_address) {
		struct interval range = { translation->low, translation->high };
		text_add(out, " becomes ");
		address_interval_format(out, (enum family)translation->family, &range);
	}
	if (translation->has_port)
		text_addf(out, " port %u", translation->port_low);
	if (translation->has_port && translation->port_high != translation->port_low)
		text_addf(out, "-%u", translation->port_high);
}

static void print_verdict(struct text *out, const struct walk_leaf *leaf)
{
	switch (leaf->verdict) {
	case WALK_FALL:
	case WALK_RETURN:
		text_add(out, "not decided");
		return;
	case WALK_ACCEPT:
		text_add(out, "accepted");
		return;
	case WALK_DROP:
		text_add(out, "dropped");
		return;
	case WALK_REJECT:
		print_reject(out, &leaf->reject);
		return;
	case WALK_TRANSLATE:
		print_translation(out, leaf->translation);
		return;
	case WALK_JUMP:
	case WALK_GOTO:
		text_addf(out, "sent to chain '%s'", leaf->text);
		return;
	case WALK_OTHER:
		text_add(out, leaf->text);
		return;
	case WALK_UNSURE:
		text_addf(out, "not to be told (%s)", leaf->text);
		return;
	}
}

void walk_leaf_print(struct text *out, const struct walk_leaf *leaf)
{
	static const char *const words[] = {
		[WALK_LOG] = "logged as", [WALK_COUNT] = "counted in", [WALK_ASSIGN] = "followed by helper",
		[WALK_NOTRACK] = "not tracked", [WALK_CHANGE] = "changed:",
		[WALK_BY] = "by",
	};
	static const char *const nameless[] = { [WALK_LOG] = "logged", [WALK_COUNT] = "counted", [WALK_BY] = NULL };
	print_verdict(out, leaf);
	for (size_t i = 0; i < leaf->effects->items_count; i++) {
		const struct walk_effect *effect = &leaf->effects->items[i];
		const bool has_name = effect->text[0] != '\0';
		text_addf(out, ", %s", !has_name && nameless[effect->kind] != NULL ? nameless[effect->kind]
										  : words[effect->kind]);
		if (has_name)
			text_addf(out, " '%s'", effect->text);
	}
}
