/* Lines to the parts that know them.
 *
 * A router tries a line in the mode that it is in, then as a global command. So does this reader;
 * what it needs for that is which first words a mode claims. Indentation helps where it is there: a line
 * that is not indented, after lines that were, ends the section. */
#include "target/cisco/read/read.h"

#include <string.h>
#include <strings.h>

#include "base/pool.h"
#include "target/cisco/read/groups.h"
#include "target/cisco/read/lists.h"
#include "target/cisco/read/nat.h"
#include "target/cisco/read/sections.h"

struct text_state {
	struct acl_reader *reader;
	bool has_indented;    /* the section has a line that is indented */
	bool has_end;         /* of a running configuration */
	bool has_first;       /* a line that says something was seen */
	bool is_entry;        /* the line belongs to a list, a group or a time range */
	struct span running;  /* what says that this is a whole running configuration */
	struct acl_word until; /* the text of a banner or a macro goes on until this; length 0: none */
	struct span until_span;
};

/* --- numbers of lists ------------------------------------------------------------------------- */

static bool number_kind(uint32_t number, enum acl_kind *kind)
{
	if ((number >= 1 && number <= 99) || (number >= 1300 && number <= 1999))
		*kind = ACL_STANDARD;
	else if ((number >= 100 && number <= 199) || (number >= 2000 && number <= 2699))
		*kind = ACL_EXTENDED;
	else
		return false;
	return true;
}

/* --- heads of lists ------------------------------------------------------------------------------ */

/* What is no head of IOS: the lines below are kept as unread entries. */
static void foreign_open(struct acl_reader *reader, enum family family, const char *name,
			 const char *complaint)
{
	const struct acl_list_head head = { .name = name, .family = family, .kind = ACL_EXTENDED,
					    .is_foreign = true };

	acl_line_fail(&reader->line, "%s", complaint);
	acl_reader_unread(reader, "the head of list '%s'", name);
	acl_lists_open(reader, &head);
	acl_lists_unread(reader);
}

static void ip_resequence(struct acl_reader *reader)
{
	struct acl_line *line = &reader->line;
	const char *name = acl_line_name(line, reader->arena, "the name of a list");
	uint32_t start = 10, step = 10;
	bool is_read = name != NULL;

	reader->mode = ACL_MODE_OTHER;
	if (is_read && !acl_line_is_done(line))
		is_read = acl_line_number(line, "the first number", INT32_MAX, &start) &&
			  acl_line_number(line, "the step", INT32_MAX, &step);
	is_read = is_read && acl_line_ends(line);
	if (is_read && (start == 0 || step == 0))
		is_read = acl_line_fail(line, "numbers begin at 1");
	if (!is_read || !acl_lists_resequence(reader, name, start, step))
		acl_reader_unread(reader, "a 'resequence'");
}

/* Whether a number names a list of this kind; names that are no numbers name any. */
static bool name_fits(const char *name, enum acl_kind kind)
{
	const struct acl_word word = { name, strlen(name) };
	enum acl_kind numbered;
	uint32_t number;

	if (!acl_number_parse(word, UINT32_MAX, &number))
		return name[0] < '0' || name[0] > '9';
	return number_kind(number, &numbered) && numbered == kind;
}

static void ip_list(struct acl_reader *reader)
{
	static const char *const settings[] = { "helper", "log-update", "logging", "match-local-traffic",
						"persistent" };
	struct acl_line *line = &reader->line;
	struct acl_list_head head = { .family = FAMILY_IPV4, .kind = ACL_EXTENDED };

	for (size_t index = 0; index < sizeof settings / sizeof settings[0]; index++)
		if (acl_line_is(line, settings[index]))
			return;
	if (acl_line_skip(line, "resequence")) {
		ip_resequence(reader);
		return;
	}
	if (acl_line_skip(line, "standard"))
		head.kind = ACL_STANDARD;
	else if (!acl_line_skip(line, "extended")) {
		acl_line_fail(line, "IOS has 'ip access-list standard' and 'extended'");
		head.name = acl_line_name(line, reader->arena, "'standard' or 'extended'");
		foreign_open(reader, FAMILY_IPV4, head.name == NULL ? "" : head.name, "expected a name");
		return;
	}
	head.name = acl_line_name(line, reader->arena, "the name of a list");
	if (head.name == NULL || !acl_line_ends(line))
		foreign_open(reader, FAMILY_IPV4, head.name == NULL ? "" : head.name, "expected a name");
	else if (!name_fits(head.name, head.kind))
		foreign_open(reader, FAMILY_IPV4, head.name, "this number is not of such a list");
	else
		acl_lists_open(reader, &head);
}

static void ipv6_list(struct acl_reader *reader)
{
	struct acl_line *line = &reader->line;
	struct acl_list_head head = { .family = FAMILY_IPV6, .kind = ACL_EXTENDED };

	if (acl_line_is(line, "log-update"))
		return;
	head.name = acl_line_name(line, reader->arena, "the name of a list");
	if (head.name == NULL || !acl_line_ends(line))
		foreign_open(reader, FAMILY_IPV6, head.name == NULL ? "" : head.name,
			     "expected one name");
	else
		acl_lists_open(reader, &head);
}

/* access-list 100 permit … */
static void numbered_list(struct acl_reader *reader)
{
	static const char *const settings[] = { "compiled", "dynamic-extended", "logging", "rate-limit" };
	struct acl_line *line = &reader->line;
	struct acl_list_head head = { .family = FAMILY_IPV4 };
	uint32_t number;

	for (size_t index = 0; index < sizeof settings / sizeof settings[0]; index++)
		if (acl_line_is(line, settings[index]))
			return;
	if (!acl_number_parse(acl_line_peek(line), UINT32_MAX, &number) ||
	    !number_kind(number, &head.kind)) {
		acl_line_fail(line, "IOS has numbers 1-199 and 1300-2699 here, for IP lists");
		head.name = acl_line_name(line, reader->arena, "a number");
		foreign_open(reader, FAMILY_IPV4, head.name == NULL ? "" : head.name, "expected a number");
		return;
	}
	head.name = pool_format(reader->pool, "%u", number);
	line->next++;
	acl_lists_open(reader, &head);
	acl_lists_line(reader);
	reader->mode = ACL_MODE_GLOBAL;
}

/* "Extended IP access list NAME", and what may stand behind the name */
static void shown_list(struct acl_reader *reader, enum family family, enum acl_kind kind)
{
	struct acl_line *line = &reader->line;
	struct acl_list_head head = { .family = family, .kind = kind, .is_shown = true };

	head.name = acl_line_name(line, reader->arena, "the name of a list");
	if (head.name == NULL) {
		foreign_open(reader, family, "", "expected a name");
		return;
	}
	while (acl_line_peek(line).length > 0 && acl_line_peek(line).at[0] == '(')
		line->next++;
	if (!acl_line_ends(line))
		foreign_open(reader, family, head.name, "expected one name");
	else
		acl_lists_open(reader, &head);
}

static bool shown_head(struct acl_reader *reader)
{
	static const struct {
		const char *kind, *family_word;
		enum family family;
		enum acl_kind list;
	} heads[] = {
		{ "Extended", "IP", FAMILY_IPV4, ACL_EXTENDED },
		{ "Standard", "IP", FAMILY_IPV4, ACL_STANDARD },
		{ "Reflexive", "IP", FAMILY_IPV4, ACL_REFLEXIVE },
		{ "Reflexive", "IPv6", FAMILY_IPV6, ACL_REFLEXIVE },
	};
	struct acl_line *line = &reader->line;

	if (line->words_count > 3 && acl_word_is(line->words[0], "IPv6") &&
	    acl_word_is(line->words[1], "access") && acl_word_is(line->words[2], "list")) {
		line->next = 3;
		shown_list(reader, FAMILY_IPV6, ACL_EXTENDED);
		return true;
	}
	if (line->words_count < 5 || !acl_word_is(line->words[2], "access") ||
	    !acl_word_is(line->words[3], "list"))
		return false;
	for (size_t index = 0; index < sizeof heads / sizeof heads[0]; index++)
		if (acl_word_is(line->words[0], heads[index].kind) &&
		    acl_word_is(line->words[1], heads[index].family_word)) {
			line->next = 4;
			shown_list(reader, heads[index].family, heads[index].list);
			return true;
		}
	return false;
}

/* --- taking away ------------------------------------------------------------------------------------ */

static void no_list(struct acl_reader *reader, enum family family)
{
	struct acl_line *line = &reader->line;
	const char *name;

	if (family == FAMILY_IPV4 && !acl_line_skip(line, "standard"))
		(void)acl_line_skip(line, "extended");
	name = acl_line_name(line, reader->arena, "the name of a list");
	if (name == NULL || !acl_line_ends(line))
		acl_reader_unread(reader, "a 'no' of a list");
	else
		acl_lists_remove(reader, family, name);
}

/* Older trains take the whole list away, newer ones the entry. */
static void no_numbered(struct acl_reader *reader)
{
	struct acl_line *line = &reader->line;
	const char *name = acl_line_name(line, reader->arena, "a number");
	struct acl_list_head head = { .name = name, .family = FAMILY_IPV4, .is_foreign = true };
	uint32_t number;

	if (name == NULL || acl_line_is_done(line)) {
		if (name != NULL)
			acl_lists_remove(reader, FAMILY_IPV4, name);
		return;
	}
	if (!acl_number_parse((struct acl_word){ name, strlen(name) }, UINT32_MAX, &number) ||
	    !number_kind(number, &head.kind))
		return;
	acl_line_fail(line, "older trains take the whole list away, newer ones one entry");
	acl_reader_unread(reader, "a 'no' of list '%s'", name);
	acl_lists_open(reader, &head);
	acl_lists_unread(reader);
	reader->mode = ACL_MODE_OTHER;
}

/* false: not about anything that is read. */
static bool no_head(struct acl_reader *reader)
{
	struct acl_line *line = &reader->line;

	if (acl_line_skip_words(line, "ip", "access-list"))
		no_list(reader, FAMILY_IPV4);
	else if (acl_line_skip_words(line, "ipv6", "access-list"))
		no_list(reader, FAMILY_IPV6);
	else if (acl_line_skip(line, "access-list"))
		no_numbered(reader);
	else if (acl_line_skip(line, "object-group"))
		acl_groups_remove(reader);
	else if (acl_line_skip_words(line, "ip", "nat"))
		acl_nat_remove(reader);
	else if (acl_line_is(line, "time-range") || acl_line_skip_words(line, "crypto", "map")) {
		acl_line_fail(line, "what it takes away is not looked for");
		acl_reader_unread(reader, "a 'no'");
	} else {
		return false;
	}
	reader->mode = ACL_MODE_OTHER;
	return true;
}

/* --- heads ------------------------------------------------------------------------------------------------ */

static void banner_open(struct text_state *state)
{
	struct acl_line *line = &state->reader->line;
	struct acl_word rest, again;

	if (line->words_count < 3)
		return;
	line->next = 2;
	rest = acl_line_rest(line);
	state->until = (struct acl_word){ rest.at, rest.length > 1 && rest.at[0] == '^' ? 2 : 1 };
	again = (struct acl_word){ rest.at + state->until.length, rest.length - state->until.length };
	if (memmem(again.at, again.length, state->until.at, state->until.length) != NULL)
		state->until.length = 0;
	state->until_span = acl_reader_line_span(state->reader);
}

static void macro_open(struct text_state *state)
{
	state->until = (struct acl_word){ "@", 1 };
	state->until_span = acl_reader_line_span(state->reader);
}

static void hostname_set(struct acl_reader *reader)
{
	const char *name = acl_line_name(&reader->line, reader->arena, "a name");

	if (name != NULL)
		reader->config->hostname = name;
	reader->mode = ACL_MODE_OTHER;
}

/* Two words and a function, or one. */
static bool section_head(struct acl_reader *reader)
{
	struct acl_line *line = &reader->line;

	if (acl_line_skip_words(line, "ip", "access-list"))
		ip_list(reader);
	else if (acl_line_skip(line, "access-list"))
		numbered_list(reader);
	else if (acl_line_skip_words(line, "ipv6", "access-list"))
		ipv6_list(reader);
	else if (acl_line_skip(line, "interface"))
		acl_interface_open(reader);
	else if (acl_line_skip(line, "object-group"))
		acl_groups_open(reader);
	else if (acl_line_skip(line, "time-range"))
		acl_time_range_open(reader);
	else if (acl_line_skip_words(line, "crypto", "map"))
		acl_crypto_map_open(reader, false);
	else if (acl_line_skip_words(line, "crypto", "dynamic-map"))
		acl_crypto_map_open(reader, true);
	else
		return shown_head(reader);
	return true;
}

/* A global command that is looked at; false for others. */
static bool global_line(struct text_state *state)
{
	struct acl_reader *reader = state->reader;
	struct acl_line *line = &reader->line;
	enum acl_mode before = reader->mode;

	line->next = 0;
	reader->mode = ACL_MODE_OTHER;
	if (section_head(reader)) {
		state->has_indented = false;
		return true;
	}
	if (acl_line_skip_words(line, "ip", "nat"))
		acl_nat_line(reader);
	else if (acl_line_skip(line, "hostname"))
		hostname_set(reader);
	else if (acl_line_is(line, "banner"))
		banner_open(state);
	else if (acl_line_skip_words(line, "macro", "name"))
		macro_open(state);
	else if (acl_line_is(line, "exit") || acl_line_is(line, "end"))
		state->has_end = state->has_end || acl_line_is(line, "end");
	else if (!acl_line_skip(line, "no") || !no_head(reader)) {
		reader->mode = before;
		line->next = 0;
		return false;
	}
	return true;
}

/* --- lines below a head ----------------------------------------------------------------------------------- */

static bool is_one_of(struct acl_word word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (acl_word_is(word, *words))
			return true;
	return false;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Words with which lines of a section begin, indented or not. */
static bool section_claims(const struct acl_reader *reader)
{
	static const char *const list_words[] = { "permit", "deny", "remark", "evaluate", "sequence",
						  "dynamic", "default", NULL };
	static const char *const group_words[] = {
		"host", "range", "any", "description", "group-object", "network-object",
		"service-object", "port-object", "protocol-object", "icmp", "tcp", "udp", "tcp-udp",
		"eq", "gt", "lt", "neq", "ahp", "eigrp", "esp", "gre", "igmp", "ipinip", "nos", "ospf",
		"pcp", "pim", "sctp", NULL };
	static const char *const time_words[] = { "periodic", "absolute", NULL };
	const struct acl_word word = reader->line.words[0];

	switch (reader->mode) {
	case ACL_MODE_LIST:
		return is_digit(word.at[0]) || is_one_of(word, list_words) || acl_word_is(word, "no");
	case ACL_MODE_GROUP:
		return is_digit(word.at[0]) || memchr(word.at, ':', word.length) != NULL ||
		       is_one_of(word, group_words);
	case ACL_MODE_TIME_RANGE:
		return is_one_of(word, time_words);
	case ACL_MODE_INTERFACE:
	case ACL_MODE_CRYPTO_MAP:
	case ACL_MODE_GLOBAL:
	case ACL_MODE_OTHER:
		return false;
	}
	return false;
}

/* Whether the mode is one whose lines must all be understood. */
static bool is_strict(enum acl_mode mode)
{
	return mode == ACL_MODE_LIST || mode == ACL_MODE_GROUP || mode == ACL_MODE_TIME_RANGE;
}

static void strict_line(struct text_state *state)
{
	struct acl_reader *reader = state->reader;

	reader->line.next = 0;
	state->is_entry = true;
	if (reader->mode == ACL_MODE_LIST)
		acl_lists_line(reader);
	else if (reader->mode == ACL_MODE_GROUP)
		acl_groups_line(reader);
	else
		acl_time_range_line(reader);
}

/* Global commands that are often met right below a section whose lines are not indented. Of any
 * other word there it cannot be told whether it was meant for the section. */
static bool is_global_word(struct acl_word word)
{
	static const char *const words[] = {
		"aaa", "alias", "arp", "boot", "call", "cdp", "class-map", "clock", "configure",
		"control-plane", "crypto", "do", "dot1x", "enable", "errdisable", "event", "flow",
		"hardware", "ip", "ipv6", "key", "license", "line", "lldp", "logging", "mac", "mls",
		"monitor", "multilink", "no", "ntp", "parameter-map", "platform", "policy-map", "port-channel",
		"prefix-list", "privilege", "radius", "redundancy", "route-map", "router", "scheduler", "security",
		"service", "snmp-server", "spanning-tree", "standby", "tacacs-server", "track",
		"username", "version", "vlan", "vrf", "vtp", "wr", "write", "zone", "zone-pair", NULL };

	/* a prompt: Router#, Router(config)#, Router> */
	return is_one_of(word, words) || memchr(word.at, '#', word.length) != NULL ||
	       memchr(word.at, '>', word.length) != NULL;
}

/* `no ip access-list …` in a list, but not `no permit …` or `no 10`. */
static bool is_global_no(const struct acl_reader *reader)
{
	static const char *const words[] = { "permit", "deny", "remark", "evaluate", "sequence", NULL };
	const struct acl_line *line = &reader->line;

	if (!acl_word_is(line->words[0], "no"))
		return false;
	return line->words_count < 2 ||
	       (!is_one_of(line->words[1], words) && !is_digit(line->words[1].at[0]));
}

/* Filters outside an interface: something that binds them was missed. */
static bool stray_binding(struct acl_reader *reader)
{
	struct acl_line *line = &reader->line;

	line->next = acl_line_is(line, "no");
	if (!acl_line_skip_words(line, "ip", "access-group") &&
	    !acl_line_skip_words(line, "ipv6", "traffic-filter")) {
		line->next = 0;
		return false;
	}
	acl_line_fail(line, "it stands below no interface");
	acl_reader_unread(reader, "a binding");
	return true;
}

static void other_line(struct text_state *state)
{
	struct acl_reader *reader = state->reader;
	bool ends = !reader->is_indented && state->has_indented;

	if (is_strict(reader->mode) && !ends && (reader->is_indented ||
	    !is_global_word(reader->line.words[0]))) {
		strict_line(state);
		return;
	}
	if (stray_binding(reader))
		return;
	if (ends || is_strict(reader->mode))
		reader->mode = ACL_MODE_OTHER;
}

static void section_line(struct text_state *state)
{
	struct acl_reader *reader = state->reader;

	state->has_indented = state->has_indented || reader->is_indented;
	if (section_claims(reader) && !is_global_no(reader)) {
		strict_line(state);
		return;
	}
	if (reader->mode == ACL_MODE_INTERFACE && acl_interface_line(reader))
		return;
	if (reader->mode == ACL_MODE_CRYPTO_MAP && acl_crypto_map_line(reader))
		return;
	state->is_entry = acl_word_is(reader->line.words[0], "access-list");
	if (!global_line(state))
		other_line(state);
}

/* --- a whole text ------------------------------------------------------------------------------------------ */

static bool begins_with(const char *begin, const char *end, const char *start)
{
	size_t length = strlen(start);

	return (size_t)(end - begin) >= length && strncasecmp(begin, start, length) == 0;
}

/* A pager waited for a key when the text was taken. */
static bool is_pager(const char *begin, const char *end)
{
	while (begin < end && (*begin == ' ' || *begin == '\b' || *begin == '\r'))
		begin++;
	return begins_with(begin, end, "--More--") || begins_with(begin, end, "<--- More --->");
}

static void truncated(struct acl_reader *reader, struct span span, const char *message)
{
	struct diagnostic *diagnostic = diag_add(reader->diags, CODE_FOREIGN_TRUNCATED, span, "%s", message);

	diag_note(reader->diags, diagnostic, SPAN_NONE, "take the whole text again, with 'terminal length 0'");
	reader->config->is_truncated = true;
}

static void running_begins(struct text_state *state)
{
	const struct acl_line *line = &state->reader->line;
	bool is_version = !state->has_first && line->words_count > 1 &&
			  acl_word_is(line->words[0], "version") && is_digit(line->words[1].at[0]);

	if (is_version || begins_with(line->begin, line->end, "Building configuration...") ||
	    begins_with(line->begin, line->end, "Current configuration :")) {
		state->running = acl_reader_line_span(state->reader);
		state->reader->config->is_running = true;
		state->has_end = false;
	}
	state->has_first = true;
}

static void read_line(struct text_state *state, const char *begin, const char *end)
{
	struct acl_reader *reader = state->reader;

	state->is_entry = false;
	if (state->until.length > 0) {
		if (memmem(begin, (size_t)(end - begin), state->until.at, state->until.length) != NULL)
			state->until.length = 0;
		return;
	}
	if (is_pager(begin, end)) {
		truncated(reader, acl_reader_span(reader, begin, end), "a pager stopped the text here");
		return;
	}
	acl_line_split(&reader->line, begin, end);
	if (reader->line.words_count == 0 || reader->line.words[0].at[0] == '!')
		return;
	reader->is_indented = reader->line.begin > begin;
	if (state->running.source == UINT32_MAX)
		running_begins(state);
	section_line(state);
}

static void text_ends(struct text_state *state, bool has_line_end, size_t unread_before)
{
	struct acl_reader *reader = state->reader;

	if (state->until.length > 0)
		truncated(reader, state->until_span, "this text goes on to the end of the file");
	else if (state->running.source != UINT32_MAX && !state->has_end)
		truncated(reader, state->running,
			  "a whole running configuration begins here, and has no 'end'");
	else if (!has_line_end && state->is_entry && reader->config->unread_count > unread_before)
		truncated(reader, acl_reader_line_span(reader), "the text stops in the middle of this line");
	else if (!has_line_end && state->is_entry)
		diag_add(reader->diags, CODE_FOREIGN_LAST_LINE, acl_reader_line_span(reader),
			 "the last line has no line end, and may be cut short");
}

static void read_text(struct acl_reader *reader, uint32_t source)
{
	const struct source *text = reader->diags->sources->items[source];
	const char *at = text->bytes, *end = text->bytes + text->length;
	struct text_state state = { .reader = reader, .running = SPAN_NONE };
	size_t unread_before = 0;

	reader->source = source;
	reader->bytes = text->bytes;
	reader->mode = ACL_MODE_GLOBAL;
	if (begins_with(at, end, "\xEF\xBB\xBF"))
		at += 3;
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		unread_before = reader->config->unread_count;
		read_line(&state, at, stop == NULL ? end : stop);
		at = stop == NULL ? end : stop + 1;
	}
	text_ends(&state, text->length == 0 || end[-1] == '\n', unread_before);
}

struct acl_config *acl_read_all(void *pool, struct diags *diags, const uint32_t *sources, size_t count)
{
	struct acl_reader reader = {
		.pool = pool,
		.arena = arena_new(pool),
		.diags = diags,
		.config = pool_new(pool, struct acl_config),
		.line.pool = pool,
		.drafts_by_name = names_new(pool, false),
		.groups_by_name = names_new(pool, false),
		.time_ranges_by_name = names_new(pool, false),
		.interfaces_by_name = names_new(pool, true),
		.maps_by_name = names_new(pool, false),
	};

	for (size_t index = 0; index < count; index++)
		read_text(&reader, sources[index]);
	acl_lists_finish(&reader);
	return reader.config;
}

struct acl_config *acl_read(void *pool, struct diags *diags, uint32_t source)
{
	return acl_read_all(pool, diags, &source, 1);
}

/* --- finding -------------------------------------------------------------------------------------------------- */

const struct acl_list *acl_list_find(const struct acl_config *config, enum family family, const char *name)
{
	for (size_t index = 0; index < config->lists_count; index++)
		if (config->lists[index]->family == family && strcmp(config->lists[index]->name, name) == 0)
			return config->lists[index];
	return NULL;
}

const struct acl_group *acl_group_find(const struct acl_config *config, const char *name)
{
	for (size_t index = 0; index < config->groups_count; index++)
		if (strcmp(config->groups[index]->name, name) == 0)
			return config->groups[index];
	return NULL;
}

const struct acl_time_range *acl_time_range_find(const struct acl_config *config, const char *name)
{
	for (size_t index = 0; index < config->time_ranges_count; index++)
		if (strcmp(config->time_ranges[index]->name, name) == 0)
			return config->time_ranges[index];
	return NULL;
}

const struct acl_interface *acl_interface_find(const struct acl_config *config, const char *name)
{
	for (size_t index = 0; index < config->interfaces_count; index++)
		if (strcasecmp(config->interfaces[index]->name, name) == 0)
			return config->interfaces[index];
	return NULL;
}
