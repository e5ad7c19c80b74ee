/* Algorithms in IOS's words. */
#include "target/cisco/device/algorithms.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct algorithm {
	const char *word;
	const char *ike1, *ike2, *esp; /* NULL: it has none there */
	const char *weakness;          /* or NULL */
};

static const struct algorithm encryptions[] = {
#define X(word, ike1, ike2, esp, weakness) { word, ike1, ike2, esp, weakness },
#include "target/cisco/device/encryption.def"
};

static const struct algorithm hashes[] = {
#include "target/cisco/device/hash.def"
};

static const struct algorithm groups[] = {
#include "target/cisco/device/group.def"
#undef X
};

/* One kind of setting. */
struct kind {
	const char *key;
	const struct algorithm *rows;
	size_t count;
};

#define KIND(key, rows) { key, rows, sizeof rows / sizeof *rows }
static const struct kind encryption_kind = KIND("encryption", encryptions);
static const struct kind hash_kind = KIND("hash", hashes);
static const struct kind group_kind = KIND("group", groups);

/* The settings of one block. */
struct block {
	struct device_lowering *lowering;
	const struct tunnel *tunnel;
	const char *name;
	const struct tunnel_setting *settings;
	size_t count;
};

/* --- lookups ----------------------------------------------------------------------------------- */

static const struct tunnel_setting *setting_find(const struct block *block, const char *key)
{
	for (size_t i = 0; i < block->count; i++)
		if (strcmp(block->settings[i].key, key) == 0)
			return &block->settings[i];
	return NULL;
}

static const struct algorithm *row_find(const struct kind *kind, const char *word)
{
	for (size_t i = 0; i < kind->count; i++)
		if (strcmp(kind->rows[i].word, word) == 0)
			return &kind->rows[i];
	return NULL;
}

static void report_unknown(const struct block *block, const struct kind *kind,
			   const struct tunnel_setting *setting)
{
	struct diags *diags = block->lowering->diags;
	struct diagnostic *error = diag_add(diags, CODE_TUNNEL_ITEM, setting->span,
					    "IOS has no %s '%s'", kind->key, setting->value);
	struct text *words = text_new(block->lowering->pool);
	for (size_t i = 0; i < kind->count; i++)
		text_addf(words, "%s%s", i == 0 ? "" : ", ", kind->rows[i].word);
	diag_note(diags, error, SPAN_NONE, "it has: %s", words->bytes);
}

/* NULL: missing or unknown, which the policy's reader or this told. */
static const struct algorithm *algorithm_of(const struct block *block, const struct kind *kind)
{
	const struct tunnel_setting *setting = setting_find(block, kind->key);
	if (setting == NULL)
		return NULL;
	const struct algorithm *row = row_find(kind, setting->value);
	if (row == NULL)
		report_unknown(block, kind, setting);
	else if (row->weakness != NULL)
		diag_add(block->lowering->diags, CODE_TUNNEL_WEAK, setting->span,
			 "'%s %s' of %s is weak: %s", kind->key, setting->value, block->name,
			 row->weakness);
	return row;
}

/* --- lifetimes ------------------------------------------------------------------------------------ */

/* What IOS takes, in seconds or kilobytes. */
struct bounds {
	const char *unit;
	uint32_t low, high;
};

static bool read_lifetime(const struct block *block, const struct tunnel_setting *setting,
			  const struct bounds *bounds, uint32_t *lifetime)
{
	char *end;
	unsigned long long value = strtoull(setting->value, &end, 10);
	if (*end == '\0' && strlen(setting->value) <= 10 && value >= bounds->low &&
	    value <= bounds->high) {
		*lifetime = (uint32_t)value;
		return true;
	}
	diag_add(block->lowering->diags, CODE_TUNNEL_ITEM, setting->span,
		 "a lifetime of %s is %u to %u %s", block->name, bounds->low, bounds->high,
		 bounds->unit);
	return false;
}

static bool report_unit(const struct block *block, const struct tunnel_setting *setting,
			const char *units)
{
	diag_add(block->lowering->diags, CODE_TUNNEL_ITEM, setting->span,
		 "a lifetime of %s is in %s, not in '%s'", block->name, units, setting->unit);
	return false;
}

static bool is_unit(const struct tunnel_setting *setting, const char *unit)
{
	return setting->unit != NULL && strcmp(setting->unit, unit) == 0;
}

static bool read_ike_lifetime(const struct block *block, struct ike_words *words)
{
	static const struct bounds seconds = { "seconds", 60, 86400 };
	const struct tunnel_setting *setting = setting_find(block, "lifetime");
	if (setting == NULL)
		return true;
	if (setting->unit != NULL && !is_unit(setting, "seconds"))
		return report_unit(block, setting, "seconds");
	return read_lifetime(block, setting, &seconds, &words->lifetime_s);
}

static bool read_esp_lifetime(const struct block *block, struct esp_words *words)
{
	static const struct bounds seconds = { "seconds", 120, 86400 };
	static const struct bounds kilobytes = { "kilobytes", 2560, 536870912 };
	const struct tunnel_setting *setting = setting_find(block, "lifetime");
	if (setting == NULL)
		return true;
	words->is_kilobytes = is_unit(setting, "kilobytes");
	if (setting->unit != NULL && !words->is_kilobytes && !is_unit(setting, "seconds"))
		return report_unit(block, setting, "'seconds' or 'kilobytes'");
	return read_lifetime(block, setting, words->is_kilobytes ? &kilobytes : &seconds,
			     &words->lifetime);
}

/* --- blocks ---------------------------------------------------------------------------------------- */

static bool read_version(const struct block *block, struct ike_words *words)
{
	const struct tunnel_setting *setting = setting_find(block, "version");
	if (setting == NULL)
		return false;
	words->has_version_2 = strcmp(setting->value, "2") == 0;
	if (words->has_version_2 || strcmp(setting->value, "1") == 0)
		return true;
	diag_add(block->lowering->diags, CODE_TUNNEL_ITEM, setting->span,
		 "there is no version %s of IKE: 1 or 2", setting->value);
	return false;
}

bool ike_words_of(struct device_lowering *lowering, const struct tunnel *tunnel, struct ike_words *words)
{
	const struct block block = { lowering, tunnel, "ike", tunnel->ike, tunnel->ike_count };
	const struct algorithm *encryption = algorithm_of(&block, &encryption_kind);
	const struct algorithm *hash = algorithm_of(&block, &hash_kind);
	const struct algorithm *group = algorithm_of(&block, &group_kind);
	bool has_version = read_version(&block, words);
	if (!read_ike_lifetime(&block, words) || !has_version || encryption == NULL ||
	    hash == NULL || group == NULL)
		return false;
	words->encryption = words->has_version_2 ? encryption->ike2 : encryption->ike1;
	words->hash = words->has_version_2 ? hash->ike2 : hash->ike1;
	words->group = group->word;
	return true;
}

bool esp_words_of(struct device_lowering *lowering, const struct tunnel *tunnel, struct esp_words *words)
{
	const struct block block = { lowering, tunnel, "esp", tunnel->esp, tunnel->esp_count };
	const struct algorithm *encryption = algorithm_of(&block, &encryption_kind);
	const struct algorithm *hash = algorithm_of(&block, &hash_kind);
	if (!read_esp_lifetime(&block, words) || encryption == NULL || hash == NULL)
		return false;
	words->encryption = encryption->esp;
	words->hash = hash->esp;
	return true;
}

bool ike_words_are_same(const struct ike_words *a, const struct ike_words *b)
{
	return a->has_version_2 == b->has_version_2 && a->lifetime_s == b->lifetime_s &&
	       strcmp(a->encryption, b->encryption) == 0 && strcmp(a->hash, b->hash) == 0 &&
	       strcmp(a->group, b->group) == 0;
}
