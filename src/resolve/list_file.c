/* Lists of addresses in files of their own.
 *
 * IPv4 lines, which large lists are made of, are read by hand and kept as 64-bit words (first
 * address, last address), so that they can be sorted by counting; the rest goes through the same
 * functions as addresses in a policy. */
#include "resolve/list_file.h"

#include <errno.h>
#include <string.h>

#include "base/pool.h"

struct list_reader {
	struct resolver *resolver;
	uint32_t source;
	const char *bytes; /* of the whole file */
	uint64_t *v4;      /* low << 32 | high */
	size_t v4_count;
	struct interval_set v6;
	size_t errors;
};

/* --- the common line ------------------------------------------------------------------------- */

/* "a.b.c.d", as strict as address_parse; gives the end, or NULL. */
static const char *read_v4(const char *at, const char *end, uint32_t *address)
{
	*address = 0;
	for (unsigned part = 0; part < 4; part++) {
		unsigned value = 0, digits = 0;
		if (part != 0 && (at == end || *at++ != '.'))
			return NULL;
		for (; at < end && *at >= '0' && *at <= '9' && digits < 4; at++, digits++)
			value = value * 10 + (unsigned)(*at - '0');
		if (digits == 0 || value > 255 || digits > 3 || (digits > 1 && at[-(int)digits] == '0'))
			return NULL;
		*address = *address << 8 | value;
	}
	return at;
}

/* ADDRESS, ADDRESS/LENGTH or ADDRESS-ADDRESS without mistakes; all else takes the long way. */
static bool read_v4_line(struct list_reader *reader, const char *at, const char *end)
{
	uint32_t low, high;
	at = read_v4(at, end, &low);
	if (at == NULL)
		return false;
	high = low;
	if (at != end && *at == '/') {
		unsigned length = 0;
		const char *first = ++at;
		for (; at < end && *at >= '0' && *at <= '9' && at - first < 2; at++)
			length = length * 10 + (unsigned)(*at - '0');
		uint32_t mask = length == 0 ? UINT32_MAX : length > 31 ? 0 : UINT32_MAX >> length;
		if (at == first || length > 32 || (*first == '0' && at - first > 1) ||
		    (low & mask) != 0)
			return false;
		high = low | mask;
	} else if (at != end && *at == '-') {
		at = read_v4(at + 1, end, &high);
		if (at == NULL || high < low)
			return false;
	}
	if (at != end)
		return false;
	reader->v4[reader->v4_count++] = (uint64_t)low << 32 | high;
	return true;
}

/* --- any line -------------------------------------------------------------------------------------- */

static void report_line(struct list_reader *reader, const char *begin, const char *end,
			const char *what)
{
	if (++reader->errors > LIST_ERRORS_MOST)
		return;
	struct span span = { reader->source, (uint32_t)(begin - reader->bytes),
			     (uint32_t)(end - reader->bytes) };
	diag_add(reader->resolver->diags, CODE_LIST_ENTRY, span, "%s", what);
}

static void add_interval(struct list_reader *reader, enum family family, struct interval interval)
{
	if (family == FAMILY_IPV4)
		reader->v4[reader->v4_count++] = (uint64_t)interval.low << 32 |
						 (uint64_t)interval.high;
	else
		interval_set_add(reader->resolver->pool, &reader->v6, interval.low, interval.high);
}

static void read_range(struct list_reader *reader, const char *begin, const char *dash,
		       const char *end)
{
	struct address low, high;
	if (!address_parse(begin, (size_t)(dash - begin), &low) ||
	    !address_parse(dash + 1, (size_t)(end - dash - 1), &high) || low.family != high.family)
		report_line(reader, begin, end, "this is not a range of addresses");
	else if (low.value > high.value)
		report_line(reader, begin, end, "the range ends before it begins");
	else
		add_interval(reader, low.family, (struct interval){ low.value, high.value });
}

static void read_prefix(struct list_reader *reader, const char *begin, const char *end)
{
	struct prefix prefix;
	if (!prefix_parse(begin, (size_t)(end - begin), &prefix)) {
		report_line(reader, begin, end, "this is not a prefix");
		return;
	}
	if (prefix_has_host_bits(&prefix)) {
		struct prefix network = prefix_network(&prefix);
		struct text *text = text_new(reader->resolver->pool);
		text_add(text, "the prefix has bits set behind its length; the network is ");
		prefix_format(text, &network);
		report_line(reader, begin, end, text->bytes);
		return;
	}
	add_interval(reader, prefix.family, prefix_interval(&prefix));
}

/* A line without comment and blanks at its ends, not empty. */
static void read_entry(struct list_reader *reader, const char *begin, const char *end)
{
	struct address address;
	size_t length = (size_t)(end - begin);
	const char *dash = memchr(begin, '-', length);
	if (read_v4_line(reader, begin, end))
		return;
	if (memchr(begin, '/', length) != NULL)
		read_prefix(reader, begin, end);
	else if (dash != NULL)
		read_range(reader, begin, dash, end);
	else if (address_parse(begin, length, &address))
		add_interval(reader, address.family,
			     (struct interval){ address.value, address.value });
	else
		report_line(reader, begin, end, "this is not an address, prefix or range");
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

static void read_line(struct list_reader *reader, const char *begin, const char *end)
{
	while (begin < end && is_blank(*begin))
		begin++;
	if (begin == end || *begin == '#')
		return;
	const char *comment = memchr(begin, '#', (size_t)(end - begin));
	if (comment != NULL)
		end = comment;
	while (end > begin && is_blank(end[-1]))
		end--;
	if (begin < end)
		read_entry(reader, begin, end);
}

static size_t count_lines(const char *bytes, size_t length)
{
	size_t lines = 1;
	for (const char *at = bytes, *end = bytes + length;
	     (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
		lines++;
	return lines;
}

static void read_lines(struct list_reader *reader, size_t length)
{
	const char *end = reader->bytes + length;
	const char *begin = reader->bytes;
	if (length >= 3 && memcmp(begin, "\xef\xbb\xbf", 3) == 0)
		begin += 3;
	reader->v4 = pool_array(reader->resolver->pool, uint64_t,
				count_lines(reader->bytes, length));
	while (begin < end) {
		const char *stop = memchr(begin, '\n', (size_t)(end - begin));
		if (stop == NULL)
			stop = end;
		read_line(reader, begin, stop);
		begin = stop + 1;
	}
}

/* --- sets ----------------------------------------------------------------------------------------------- */

static bool is_sorted(const uint64_t *items, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (items[i] < items[i - 1])
			return false;
	return true;
}

#define DIGIT_BITS 16
#define DIGITS (1u << DIGIT_BITS)

/* Stable, by the 16 bits at shift. */
static void sort_by_digit(uint32_t *counts, const uint64_t *from, uint64_t *to, size_t count,
			  unsigned shift)
{
	memset(counts, 0, DIGITS * sizeof *counts);
	for (size_t i = 0; i < count; i++)
		counts[from[i] >> shift & (DIGITS - 1)]++;
	uint32_t place = 0;
	for (size_t digit = 0; digit < DIGITS; digit++) {
		uint32_t size = counts[digit];
		counts[digit] = place;
		place += size;
	}
	for (size_t i = 0; i < count; i++)
		to[counts[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

/* By the first address only; normalising needs no more. */
static void sort_v4(struct list_reader *reader)
{
	if (is_sorted(reader->v4, reader->v4_count))
		return;
	void *scratch = pool_child(reader->resolver->pool, "list sort");
	uint64_t *other = pool_array(scratch, uint64_t, reader->v4_count);
	uint32_t *counts = pool_array(scratch, uint32_t, DIGITS);
	sort_by_digit(counts, reader->v4, other, reader->v4_count, 32);
	sort_by_digit(counts, other, reader->v4, reader->v4_count, 32 + DIGIT_BITS);
	talloc_free(scratch);
}

static void finish_v4(struct list_reader *reader, struct interval_set *set)
{
	sort_v4(reader);
	if (reader->v4_count != 0) {
		set->items = pool_array(reader->resolver->pool, struct interval, reader->v4_count);
		set->items_capacity = reader->v4_count;
	}
	for (size_t i = 0; i < reader->v4_count; i++) {
		uint32_t low = (uint32_t)(reader->v4[i] >> 32), high = (uint32_t)reader->v4[i];
		struct interval *last = set->items_count == 0 ? NULL
							      : &set->items[set->items_count - 1];
		if (last != NULL && low <= last->high + 1) {
			if (high > last->high)
				last->high = high;
			continue;
		}
		set->items[set->items_count++] = (struct interval){ low, high };
	}
	talloc_free(reader->v4);
}

/* --- files -------------------------------------------------------------------------------------------------- */

static const char *path_of_source(const struct resolver *resolver, uint32_t source)
{
	const struct program *program = resolver->program;
	for (size_t i = 0; i < program->files_count; i++)
		if (program->files[i].file != NULL && program->files[i].file->source == source)
			return program->files[i].path;
	return "";
}

const char *path_beside(const struct resolver *resolver, const struct ast_word *name)
{
	const char *path = path_of_source(resolver, name->span.source);
	const char *slash = strrchr(path, '/');
	if (name->text[0] == '/' || slash == NULL)
		return name->text;
	return pool_format(resolver->pool, "%.*s/%s", (int)(slash - path), path, name->text);
}

static void report_unreadable(struct resolver *resolver, const struct ast_word *name,
			      const char *path, int error)
{
	if (error == ENOENT)
		diag_add(resolver->diags, CODE_FILE_MISSING, name->span, "there is no file '%s'",
			 path);
	else if (error == EISDIR)
		diag_add(resolver->diags, CODE_FILE_IS_DIRECTORY, name->span,
			 "'%s' is a folder, not a list", path);
	else
		diag_add(resolver->diags, CODE_FILE_UNREADABLE, name->span, "cannot read '%s': %s",
			 path, strerror(error));
}

static void read_list(struct resolver *resolver, const struct ast_word *name, const char *path,
		      struct list_file *list)
{
	struct list_reader reader = { .resolver = resolver };
	const struct file_reader *files = resolver->settings->reader;
	size_t length;
	int error = files->read(files->context, resolver->pool, path, &reader.bytes, &length);
	if (error == 0 && length >= UINT32_MAX)
		error = EFBIG;
	if (error != 0) {
		report_unreadable(resolver, name, path, error);
		return;
	}
	reader.source = sources_add(resolver->diags->sources, path, reader.bytes, length, false);
	read_lines(&reader, length);
	finish_v4(&reader, &list->addresses.v4);
	interval_set_normalise(&reader.v6);
	list->addresses.v6 = reader.v6;
	list->is_good = reader.errors == 0;
	if (list->is_good)
		sources_forget(resolver->diags->sources, reader.source);
	if (reader.errors > LIST_ERRORS_MOST)
		diag_add(resolver->diags, CODE_LIST_ENTRY, name->span,
			 "%zu more lines of '%s' are wrong", reader.errors - LIST_ERRORS_MOST, path);
}

const struct list_file *list_file_read(struct resolver *resolver, const struct ast_word *name)
{
	const char *path = path_beside(resolver, name);
	struct list_file *list = names_find(resolver->lists, path, strlen(path));
	if (list == NULL) {
		list = pool_new(resolver->pool, struct list_file);
		names_set(resolver->lists, path, strlen(path), list);
		read_list(resolver, name, path, list);
	}
	return list;
}
