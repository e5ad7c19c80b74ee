/* Blocks are taken by the instructions of the SHA extensions of x86 (Intel SDM, SHA256RNDS2, SHA256MSG1,
 * SHA256MSG2), else by libmd; always by libmd in a build by clang, which cannot ask for them in every version. */
#include "base/sha256.h"

#include <endian.h>
#include <sha2.h>
#include <stdbool.h>
#include <string.h>

#define BLOCK 64u

_Static_assert(SHA256_BYTES == SHA256_DIGEST_LENGTH && BLOCK == SHA256_BLOCK_LENGTH, "libmd means the same");

/* --- blocks ----------------------------------------------------------------------------------------- */

#if defined(__x86_64__) && !defined(__clang__)
#include <immintrin.h>

#define WITH_INSTRUCTIONS __attribute__((target("sha,ssse3,sse4.1")))
#define STEPS 16 /* of four rounds */

static bool has_instructions(void)
{
	return __builtin_cpu_supports("sha") && __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("sse4.1");
}

/* FIPS 180-4, 4.2.2 */
static const uint32_t constants[BLOCK] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* The halves of the state as the instructions want them: A B E F, and C D G H. */
struct halves {
	__m128i abef, cdgh;
};

/* words: of the message, the sixteen that are next. */
WITH_INSTRUCTIONS static inline struct halves rounds(struct halves halves, __m128i words[4])
{
#pragma GCC unroll 16
	for (unsigned step = 0; step < STEPS; step++) {
		__m128i now = words[step % 4], *next = &words[(step + 1) % 4], *before = &words[(step + 3) % 4];
		const __m128i *added = (const __m128i *)(const void *)&constants[4 * step];
		__m128i sum = _mm_add_epi32(now, _mm_loadu_si128(added));

		halves.cdgh = _mm_sha256rnds2_epu32(halves.cdgh, halves.abef, sum);
		if (step >= 3 && step < STEPS - 1)
			*next = _mm_sha256msg2_epu32(_mm_add_epi32(*next, _mm_alignr_epi8(now, *before, 4)), now);
		halves.abef = _mm_sha256rnds2_epu32(halves.abef, halves.cdgh, _mm_shuffle_epi32(sum, 0x0e));
		if (step >= 1 && step < STEPS - 3)
			*before = _mm_sha256msg1_epu32(*before, now);
	}
	return halves;
}

WITH_INSTRUCTIONS static void take_fast(uint32_t state[8], const uint8_t *bytes, size_t blocks)
{
	const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i *first = (__m128i *)(void *)state, *second = first + 1;
	__m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(first), 0xb1);
	__m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(second), 0x1b);
	struct halves halves = { _mm_alignr_epi8(badc, hgfe, 8), _mm_blend_epi16(hgfe, badc, 0xf0) };

	for (; blocks > 0; blocks--, bytes += BLOCK) {
		const __m128i *block = (const __m128i *)(const void *)bytes;
		__m128i words[4];

		for (unsigned i = 0; i < 4; i++)
			words[i] = _mm_shuffle_epi8(_mm_loadu_si128(&block[i]), order);
		struct halves after = rounds(halves, words);
		halves.abef = _mm_add_epi32(halves.abef, after.abef);
		halves.cdgh = _mm_add_epi32(halves.cdgh, after.cdgh);
	}
	__m128i feba = _mm_shuffle_epi32(halves.abef, 0x1b), dchg = _mm_shuffle_epi32(halves.cdgh, 0xb1);
	_mm_storeu_si128(first, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128(second, _mm_alignr_epi8(dchg, feba, 8));
}
#else
static bool has_instructions(void)
{
	return false;
}

static void take_fast(uint32_t state[8], const uint8_t *bytes, size_t blocks)
{
	(void)state, (void)bytes, (void)blocks;
}
#endif

static void take_blocks(struct sha256 *hash, const uint8_t *bytes, size_t blocks)
{
	if (has_instructions()) {
		take_fast(hash->state, bytes, blocks);
		return;
	}
	for (; blocks > 0; blocks--, bytes += BLOCK)
		SHA256Transform(hash->state, bytes);
}

/* --- bytes ------------------------------------------------------------------------------------------ */

void sha256_begin(struct sha256 *hash)
{
	/* FIPS 180-4, 5.3.3 */
	static const uint32_t initial[] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	memcpy(hash->state, initial, sizeof initial);
	hash->length = 0;
}

void sha256_add(struct sha256 *hash, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	size_t held = hash->length % BLOCK;
	if (length == 0)
		return;
	hash->length += length;
	if (held != 0) {
		size_t part = length < BLOCK - held ? length : BLOCK - held;
		memcpy(hash->rest + held, at, part);
		if (held + part < BLOCK)
			return;
		take_blocks(hash, hash->rest, 1);
		at += part;
		length -= part;
	}
	take_blocks(hash, at, length / BLOCK);
	memcpy(hash->rest, at + length / BLOCK * BLOCK, length % BLOCK);
}

/* FIPS 180-4, 5.1.1: a bit, zeros, and the number of bits. */
void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_BYTES])
{
	uint64_t bits = htobe64(hash->length * 8);
	size_t held = hash->length % BLOCK;
	hash->rest[held++] = 0x80;
	if (held > BLOCK - sizeof bits) {
		memset(hash->rest + held, 0, BLOCK - held);
		take_blocks(hash, hash->rest, 1);
		held = 0;
	}
	memset(hash->rest + held, 0, BLOCK - sizeof bits - held);
	memcpy(hash->rest + BLOCK - sizeof bits, &bits, sizeof bits);
	take_blocks(hash, hash->rest, 1);
	for (size_t i = 0; i < 8; i++) {
		uint32_t word = htobe32(hash->state[i]);
		memcpy(digest + 4 * i, &word, sizeof word);
	}
}

void sha256_end_digits(struct sha256 *hash, char digits[SHA256_DIGITS + 1])
{
	static const char hexadecimal[] = "0123456789abcdef";
	uint8_t digest[SHA256_BYTES];
	sha256_end(hash, digest);
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		digits[2 * i] = hexadecimal[digest[i] >> 4];
		digits[2 * i + 1] = hexadecimal[digest[i] & 15];
	}
	digits[SHA256_DIGITS] = '\0';
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
