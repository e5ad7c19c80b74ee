/* Log lines: see log_line.h. */
#include "monitor/log_line.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"

#define PREFIX "fwc:"
#define RFC5424_WORDS 3 /* in front of the program's name: priority and version, time, host */

/* --- the prefix --------------------------------------------------------------------------------------- */

static bool is_id_byte(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte != '\0' && strchr("_.+-", byte) != NULL);
}

/* The word of a verdict at the front, or NULL. */
static const char *verdict_at(const char *text)
{
	static const char *const words[] = { "allow: ", "deny: ", "reject: " };

	for (size_t index = 0; index < sizeof words / sizeof words[0]; index++)
		if (strncmp(text, words[index], strlen(words[index])) == 0)
			return words[index];
	return NULL;
}

/* Gives what stands behind "fwc:ID:VERDICT: ", or NULL. */
static const char *read_marks(void *pool, const char *text, struct log_line *line)
{
	const char *id = text + strlen(PREFIX), *end = id, *verdict;

	if (strncmp(text, PREFIX, strlen(PREFIX)) != 0)
		return NULL;
	while (is_id_byte(*end))
		end++;
	if (end == id || end - id > LOG_ID_MAX || *end != ':')
		return NULL;
	verdict = verdict_at(end + 1);
	if (verdict == NULL)
		return NULL;
	line->id = pool_strndup(pool, id, (size_t)(end - id));
	line->verdict = pool_strndup(pool, verdict, strlen(verdict) - strlen(": "));
	return end + 1 + strlen(verdict);
}

bool log_prefix_read(void *pool, const char *prefix, struct log_line *line)
{
	const char *words;

	*line = (struct log_line){ .before = "" };
	words = read_marks(pool, prefix, line);
	if (words == NULL)
		return false;
	line->words = pool_strdup(pool, words);
	return true;
}

/* --- the packet ----------------------------------------------------------------------------------------- */

/* The value of " NAME=VALUE", or NULL; the text ends where a packet inside this one begins. */
static char *value_of(void *pool, const char *text, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = text; (at = strstr(at, name)) != NULL; at += length)
		if ((at == text || at[-1] == ' ') && at[length] == '=') {
			const char *value = at + length + 1;

			return pool_strndup(pool, value, strcspn(value, " \n"));
		}
	return NULL;
}

static bool read_number(void *pool, const char *text, const char *name, unsigned long most, uint16_t *number)
{
	char *value = value_of(pool, text, name), *end;
	unsigned long read;

	if (value == NULL || value[0] < '0' || value[0] > '9')
		return false;
	read = strtoul(value, &end, 10);
	if (*end != '\0' || read > most)
		return false;
	*number = (uint16_t)read;
	return true;
}

static bool read_address(void *pool, const char *text, const char *name, struct address *address)
{
	char *value = value_of(pool, text, name);

	return value != NULL && address_parse(value, strlen(value), address);
}

/* "TCP", "ICMPv6", "47" */
static bool read_protocol(void *pool, const char *text, uint8_t *protocol)
{
	char *value = value_of(pool, text, "PROTO");
	uint16_t number;

	if (value == NULL)
		return false;
	if (read_number(pool, text, "PROTO", UINT8_MAX, &number)) {
		*protocol = (uint8_t)number;
		return true;
	}
	if (strcmp(value, "ICMPv6") == 0) {
		*protocol = PROTOCOL_ICMP6;
		return true;
	}
	for (char *at = value; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	return protocol_find(value, strlen(value), protocol);
}

static bool read_header(void *pool, const char *text, struct header *header)
{
	struct address source, destination;

	*header = (struct header){ 0 };
	if (!read_address(pool, text, "SRC", &source) || !read_address(pool, text, "DST", &destination) ||
	    source.family != destination.family || !read_protocol(pool, text, &header->protocol))
		return false;
	header->family = source.family;
	header->source = source.value;
	header->destination = destination.value;
	header->has_parts = (read_number(pool, text, "DPT", UINT16_MAX, &header->first) &&
			     read_number(pool, text, "SPT", UINT16_MAX, &header->second)) ||
			    (read_number(pool, text, "TYPE", UINT8_MAX, &header->first) &&
			     read_number(pool, text, "CODE", UINT8_MAX, &header->second));
	return true;
}

static const char *interface_of(void *pool, const char *text, const char *name)
{
	char *value = value_of(pool, text, name);

	return value == NULL || value[0] == '\0' ? NULL : value;
}

/* What the kernel says begins with the last "IN=… OUT=": a rule's words may hold such a thing. */
static char *find_packet(char *words)
{
	char *found = NULL;

	for (char *at = words; (at = strstr(at, "IN=")) != NULL; at++)
		if (strncmp(at + strcspn(at, " "), " OUT=", strlen(" OUT=")) == 0)
			found = at;
	return found;
}

bool log_line_read(void *pool, const char *text, size_t length, struct log_line *line)
{
	char *copy = pool_strndup(pool, text, length), *mark, *packet, *inner;
	const char *words;

	*line = (struct log_line){ .before = "" };
	mark = strstr(copy, PREFIX);
	while (mark != NULL && (words = read_marks(pool, mark, line)) == NULL)
		mark = strstr(mark + 1, PREFIX);
	if (mark == NULL)
		return false;
	line->before = pool_strndup(pool, copy, (size_t)(mark - copy));
	packet = find_packet(copy + (words - copy));
	line->words = pool_strndup(pool, words, packet != NULL ? (size_t)(packet - words) : strlen(words));
	if (packet == NULL)
		return true;
	inner = strchr(packet, '[');
	if (inner != NULL)
		*inner = '\0';
	line->in = interface_of(pool, packet, "IN");
	line->out = interface_of(pool, packet, "OUT");
	line->has_header = read_header(pool, packet, &line->header);
	return true;
}

/* --- the head ------------------------------------------------------------------------------------------- */

/* The length without " [   12.345678] " or "[Sat Nov 21 10:00:01 2026] " at the end. */
static size_t length_before_time(const char *head, size_t length)
{
	size_t at = length;

	if (length < 3 || strncmp(head + length - 2, "] ", 2) != 0)
		return length;
	for (at = length - 2; at > 0 && head[at - 1] != '['; at--)
		if (!isalnum((unsigned char)head[at - 1]) && strchr(" :.,+-", head[at - 1]) == NULL)
			return length;
	return at == 0 ? length : at - 1;
}

static bool ends_with(const char *head, size_t length, const char *end)
{
	size_t end_length = strlen(end);

	return length >= end_length && strncmp(head + length - end_length, end, end_length) == 0 &&
	       (length == end_length || head[length - end_length - 1] == ' ');
}

/* "<4>", "kern  :warn  : ", "2026-11-21T10:00:01,123456+00:00 " of dmesg */
static bool is_of_dmesg(const char *head, size_t length)
{
	size_t word = strcspn(head, " ");

	if (length == 0)
		return true;
	if (head[0] == '<')
		return strspn(head + 1, "0123456789") == length - 2 && head[length - 1] == '>';
	if (strncmp(head, "kern ", 5) == 0)
		return strspn(head, "kernabcdefghijklmnopqrstuvwxyz :") >= length && head[length - 2] == ':';
	return isdigit((unsigned char)head[0]) && word == length - 1 && strspn(head, "0123456789-T:,.+Z") == word;
}

static size_t words_in(const char *head, size_t length)
{
	size_t count = 0;

	for (size_t at = 0; at < length; at++)
		count += head[at] == ' ';
	return count;
}

bool log_head_is_of_kernel(const char *head)
{
	size_t length = length_before_time(head, strlen(head));
	const char *tag = strstr(head, ": ");

	if (is_of_dmesg(head, length))
		return true;
	if (ends_with(head, length, "kernel - - - ") && (tag == NULL || (size_t)(tag - head) >= length))
		return words_in(head, length - strlen("kernel - - - ")) <= RFC5424_WORDS;
	return ends_with(head, length, "kernel: ") && tag == head + length - strlen(": ");
}
