/* Private to the router target: the algorithms of `ike` and `esp` blocks in IOS's words.
 *
 * encryption.def, hash.def and group.def hold the facts. Settings that IOS does not have are errors at
 * their line; weak ones are warnings there. */
#ifndef FWC_TARGET_CISCO_DEVICE_ALGORITHMS_H
#define FWC_TARGET_CISCO_DEVICE_ALGORITHMS_H

#include "target/cisco/device/lowering.h"

/* A `crypto isakmp policy` or `crypto ikev2 proposal`. Words are literals. */
struct ike_words {
	bool has_version_2;
	const char *encryption, *hash, *group;
	uint32_t lifetime_s; /* 0: not said */
};

/* A transform set, and when its keys are made anew. */
struct esp_words {
	const char *encryption, *hash;
	uint32_t lifetime; /* 0: not said */
	bool is_kilobytes; /* else seconds */
};

/* false: reported. */
bool ike_words_of(struct device_lowering *lowering, const struct tunnel *tunnel, struct ike_words *words);
bool esp_words_of(struct device_lowering *lowering, const struct tunnel *tunnel, struct esp_words *words);

bool ike_words_are_same(const struct ike_words *a, const struct ike_words *b);

#endif
