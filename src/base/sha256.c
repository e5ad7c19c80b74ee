#include "base/sha256.h"

void sha256_begin(struct sha256 *hash)
{
	sha256_init(&hash->context);
}

void sha256_add(struct sha256 *hash, const void *bytes, size_t length)
{
	sha256_update(&hash->context, length, bytes);
}

void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_BYTES])
{
	sha256_digest(&hash->context, SHA256_BYTES, digest);
}

void sha256_digits(const uint8_t digest[SHA256_BYTES], char digits[SHA256_DIGITS + 1])
{
	static const char hexadecimal[] = "0123456789abcdef";
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		digits[2 * i] = hexadecimal[digest[i] >> 4];
		digits[2 * i + 1] = hexadecimal[digest[i] & 15];
	}
	digits[SHA256_DIGITS] = '\0';
}

void sha256_end_digits(struct sha256 *hash, char digits[SHA256_DIGITS + 1])
{
	uint8_t digest[SHA256_BYTES];
	sha256_end(hash, digest);
	sha256_digits(digest, digits);
}

void sha256_of(const void *bytes, size_t length, uint8_t digest[SHA256_BYTES])
{
	struct sha256 hash;
	sha256_begin(&hash);
	sha256_add(&hash, bytes, length);
	sha256_end(&hash, digest);
}

void sha256_digits_of(const void *bytes, size_t length, char digits[SHA256_DIGITS + 1])
{
	struct sha256 hash;
	sha256_begin(&hash);
	sha256_add(&hash, bytes, length);
	sha256_end_digits(&hash, digits);
}
