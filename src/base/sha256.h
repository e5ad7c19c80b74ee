/* SHA-256 (FIPS 180-4), by nettle, which takes the processor's own instructions where it has them: a million
 * prefixes are hashed several times over, as messages, as a file and one by one. */
#ifndef FWC_BASE_SHA256_H
#define FWC_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include <nettle/sha2.h>

#define SHA256_BYTES 32
#define SHA256_DIGITS 64 /* in hexadecimal, without the NUL */

struct sha256 {
	struct sha256_ctx context;
};

void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *bytes, size_t length);
void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_BYTES]);
/* In lower case. */
void sha256_digits(const uint8_t digest[SHA256_BYTES], char digits[SHA256_DIGITS + 1]);
void sha256_end_digits(struct sha256 *hash, char digits[SHA256_DIGITS + 1]);

/* Of bytes that stand side by side. */
void sha256_of(const void *bytes, size_t length, uint8_t digest[SHA256_BYTES]);
void sha256_digits_of(const void *bytes, size_t length, char digits[SHA256_DIGITS + 1]);

#endif
