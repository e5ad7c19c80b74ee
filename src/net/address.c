/* IPv4 and IPv6 addresses, prefixes and sets of them.
 *
 * inet_pton reads the text: glibc's is exactly as strict as the header promises (no leading zeros, no
 * zone). What is written is what inet_ntop writes, with which nft prints; that of glibc takes ten
 * times the instructions, since each word goes through sprintf. */
#include "net/address.h"

#include <arpa/inet.h>
#include <string.h>

#define WIDEST_IPV6 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" /* of what words_write writes */

unsigned family_bits(enum family family)
{
	return family == FAMILY_IPV4 ? 32 : 128;
}

number128 family_highest(enum family family)
{
	return family == FAMILY_IPV4 ? (number128)UINT32_MAX : ~(number128)0;
}

/* --- text ----------------------------------------------------------------------- */

static number128 number_of_bytes(const unsigned char *bytes, size_t count)
{
	number128 value = 0;
	for (size_t i = 0; i < count; i++)
		value = (value << 8) | bytes[i];
	return value;
}

bool address_parse(const char *text, size_t length, struct address *address)
{
	char copy[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	if (length == 0 || length >= sizeof copy || memchr(text, '\0', length) != NULL)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	bool is_ipv6 = strchr(copy, ':') != NULL;
	if (inet_pton(is_ipv6 ? AF_INET6 : AF_INET, copy, bytes) != 1)
		return false;
	address->family = is_ipv6 ? FAMILY_IPV6 : FAMILY_IPV4;
	address->value = number_of_bytes(bytes, is_ipv6 ? 16 : 4);
	return true;
}

/* Decimal digits without a leading zero, at most `highest` (three digits are enough). */
static bool prefix_length_parse(const char *text, size_t length, unsigned highest,
				unsigned *result)
{
	if (length == 0 || length > 3 || (length > 1 && text[0] == '0'))
		return false;
	unsigned value = 0;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	*result = value;
	return value <= highest;
}

bool prefix_parse(const char *text, size_t length, struct prefix *prefix)
{
	const char *slash = length == 0 ? NULL : memchr(text, '/', length);
	struct address address;
	unsigned bits;
	if (slash == NULL || !address_parse(text, (size_t)(slash - text), &address) ||
	    !prefix_length_parse(slash + 1, (size_t)(text + length - slash - 1),
				 family_bits(address.family), &bits))
		return false;
	*prefix = (struct prefix){ address.family, address.value, bits };
	return true;
}

static char *quad_write(char *at, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8) {
		unsigned octet = value >> shift & 0xff;
		if (octet >= 100)
			*at++ = (char)('0' + octet / 100);
		if (octet >= 10)
			*at++ = (char)('0' + octet / 10 % 10);
		*at++ = (char)('0' + octet % 10);
		if (shift != 0)
			*at++ = '.';
	}
	return at;
}

static char *word_write(char *at, unsigned word)
{
	int shift = word > 0xfff ? 12 : word > 0xff ? 8 : word > 0xf ? 4 : 0;
	for (; shift >= 0; shift -= 4)
		*at++ = "0123456789abcdef"[word >> shift & 0xf];
	return at;
}

struct words {
	unsigned items[8];
	size_t run_from, run_to; /* of zeros: what "::" stands for; equal: there is none */
};

/* The longest run of two zeros or more, of equal ones the first (RFC 5952, section 4.2). */
static void find_run(struct words *words)
{
	size_t from = 0, longest = 1;
	for (size_t i = 0; i < 8; i++) {
		if (words->items[i] != 0) {
			from = i + 1;
		} else if (i + 1 - from > longest) {
			longest = i + 1 - from;
			words->run_from = from;
			words->run_to = i + 1;
		}
	}
}

/* As inet_ntop does: addresses that hold one of IPv4 end in its quad (RFC 5952, section 5). */
static char *words_write(char *at, number128 value)
{
	struct words words = { .run_from = 0, .run_to = 0 };
	for (size_t i = 0; i < 8; i++)
		words.items[i] = (unsigned)(value >> (112 - 16 * i)) & 0xffff;
	find_run(&words);
	bool has_quad = words.run_from == 0 &&
			(words.run_to == 6 || (words.run_to == 5 && words.items[5] == 0xffff));
	for (size_t i = 0; i < (has_quad ? 6 : 8); i++) {
		bool is_in_run = i >= words.run_from && i < words.run_to;
		if (is_in_run ? i == words.run_from : i != 0)
			*at++ = ':';
		if (!is_in_run)
			at = word_write(at, words.items[i]);
	}
	if (has_quad || words.run_to == 8)
		*at++ = ':';
	return has_quad ? quad_write(at, (uint32_t)value) : at;
}

void address_format(struct text *out, const struct address *address)
{
	char written[sizeof WIDEST_IPV6];
	char *end = address->family == FAMILY_IPV4 ? quad_write(written, (uint32_t)address->value)
						   : words_write(written, address->value);
	text_add_bytes(out, written, (size_t)(end - written));
}

void prefix_format(struct text *out, const struct prefix *prefix)
{
	address_format(out, &(struct address){ prefix->family, prefix->value });
	text_add_char(out, '/');
	text_add_unsigned(out, prefix->length);
}

void address_interval_format(struct text *out, enum family family, const struct interval *interval)
{
	unsigned length;
	address_format(out, &(struct address){ family, interval->low });
	if (interval->low == interval->high)
		return;
	if (interval_is_prefix(family, interval, &length)) {
		text_add_char(out, '/');
		text_add_unsigned(out, length);
		return;
	}
	text_add_char(out, '-');
	address_format(out, &(struct address){ family, interval->high });
}

size_t address_interval_room(enum family family, const struct interval *interval)
{
	size_t address = (family == FAMILY_IPV4 ? sizeof "255.255.255.255" : sizeof WIDEST_IPV6) - 1;
	unsigned length;
	if (interval->low == interval->high)
		return address;
	return interval_is_prefix(family, interval, &length) ? address + sizeof "/128" - 1 : 2 * address + 1;
}

/* --- prefixes ----------------------------------------------------------------------- */

/* The bits of an address behind the first `length` ones. */
static number128 host_mask(enum family family, unsigned length)
{
	/* a shift by the full width is undefined: length 128 has no host bits */
	return length >= family_bits(family) ? 0 : family_highest(family) >> length;
}

bool prefix_has_host_bits(const struct prefix *prefix)
{
	return (prefix->value & host_mask(prefix->family, prefix->length)) != 0;
}

struct prefix prefix_network(const struct prefix *prefix)
{
	struct prefix network = *prefix;
	network.value &= ~host_mask(prefix->family, prefix->length);
	return network;
}

struct interval prefix_interval(const struct prefix *prefix)
{
	number128 mask = host_mask(prefix->family, prefix->length);
	return (struct interval){ prefix->value & ~mask, prefix->value | mask };
}

/* Of 2^n - 1: n. */
static unsigned bits_of(number128 span)
{
	uint64_t high = (uint64_t)(span >> 64), low = (uint64_t)span;
	if (high != 0)
		return 128 - (unsigned)__builtin_clzll(high);
	return low == 0 ? 0 : 64 - (unsigned)__builtin_clzll(low);
}

bool interval_is_prefix(enum family family, const struct interval *interval, unsigned *length)
{
	number128 span = interval->high - interval->low; /* 2^n - 1 in a prefix */
	if ((span & (span + 1)) != 0 || (interval->low & span) != 0)
		return false;
	*length = family_bits(family) - bits_of(span);
	return true;
}

/* The largest prefix that starts at low and does not pass high. */
static struct prefix largest_prefix(enum family family, number128 low, number128 high)
{
	unsigned length = family_bits(family);
	while (length > 0) {
		number128 mask = host_mask(family, length - 1);
		if ((low & mask) != 0 || (low | mask) > high)
			break;
		length--;
	}
	return (struct prefix){ family, low, length };
}

size_t interval_to_prefixes(enum family family, const struct interval *interval,
			    struct prefix *prefixes)
{
	size_t count = 0;
	number128 low = interval->low;
	unsigned length;
	if (interval_is_prefix(family, interval, &length)) { /* most are */
		prefixes[0] = (struct prefix){ family, low, length };
		return 1;
	}
	for (;;) {
		prefixes[count] = largest_prefix(family, low, interval->high);
		number128 end = prefix_interval(&prefixes[count]).high;
		count++;
		if (end >= interval->high)
			return count;
		low = end + 1;
	}
}

/* --- sets --------------------------------------------------------------------------- */

const struct interval_set *address_set_family(const struct address_set *set, enum family family)
{
	return family == FAMILY_IPV4 ? &set->v4 : &set->v6;
}

bool address_set_is_empty(const struct address_set *set)
{
	return address_set_families(set) == FAMILIES_NONE;
}

unsigned address_set_families(const struct address_set *set)
{
	unsigned families = FAMILIES_NONE;
	if (!interval_set_is_empty(&set->v4))
		families |= FAMILIES_IPV4;
	if (!interval_set_is_empty(&set->v6))
		families |= FAMILIES_IPV6;
	return families;
}

bool address_set_is_whole(const struct address_set *set, enum family family)
{
	const struct interval_set *part = address_set_family(set, family);
	return part->items_count == 1 && part->items[0].low == 0 &&
	       part->items[0].high == family_highest(family);
}

bool address_set_is_all(const struct address_set *set)
{
	return address_set_is_whole(set, FAMILY_IPV4) && address_set_is_whole(set, FAMILY_IPV6);
}

bool address_set_equals(const struct address_set *a, const struct address_set *b)
{
	return interval_set_equals(&a->v4, &b->v4) && interval_set_equals(&a->v6, &b->v6);
}

bool address_set_overlaps(const struct address_set *a, const struct address_set *b)
{
	return interval_set_overlaps(&a->v4, &b->v4) || interval_set_overlaps(&a->v6, &b->v6);
}

bool address_set_includes(const struct address_set *outer, const struct address_set *inner)
{
	return interval_set_includes(&outer->v4, &inner->v4) &&
	       interval_set_includes(&outer->v6, &inner->v6);
}

struct address_set address_set_all(void *pool)
{
	struct address_set all = { 0 };
	address_set_add_range(pool, &all, FAMILY_IPV4, 0, family_highest(FAMILY_IPV4));
	address_set_add_range(pool, &all, FAMILY_IPV6, 0, family_highest(FAMILY_IPV6));
	return all;
}

struct address_set address_set_hosts(void *pool)
{
	struct address_set hosts = { 0 };
	address_set_add_range(pool, &hosts, FAMILY_IPV4, 1, 0xdfffffffu);
	address_set_add_range(pool, &hosts, FAMILY_IPV4, 0xf0000000u, UINT32_MAX - 1);
	address_set_add_range(pool, &hosts, FAMILY_IPV6, 1, ((number128)0xff00 << 112) - 1);
	return hosts;
}

struct address_set address_set_union(void *pool, const struct address_set *a,
				     const struct address_set *b)
{
	return (struct address_set){
		.v4 = interval_set_union(pool, &a->v4, &b->v4),
		.v6 = interval_set_union(pool, &a->v6, &b->v6),
	};
}

struct address_set address_set_intersect(void *pool, const struct address_set *a,
					 const struct address_set *b)
{
	return (struct address_set){
		.v4 = interval_set_intersect(pool, &a->v4, &b->v4),
		.v6 = interval_set_intersect(pool, &a->v6, &b->v6),
	};
}

struct address_set address_set_subtract(void *pool, const struct address_set *a,
					const struct address_set *b)
{
	return (struct address_set){
		.v4 = interval_set_subtract(pool, &a->v4, &b->v4),
		.v6 = interval_set_subtract(pool, &a->v6, &b->v6),
	};
}

void address_set_add_prefix(void *pool, struct address_set *set, const struct prefix *prefix)
{
	struct interval interval = prefix_interval(prefix);
	address_set_add_range(pool, set, prefix->family, interval.low, interval.high);
}

void address_set_add_range(void *pool, struct address_set *set, enum family family, number128 low,
			   number128 high)
{
	interval_set_add(pool, family == FAMILY_IPV4 ? &set->v4 : &set->v6, low, high);
}

void address_set_normalise(struct address_set *set)
{
	interval_set_normalise(&set->v4);
	interval_set_normalise(&set->v6);
}
