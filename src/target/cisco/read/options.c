/* A table of options: the word, the lists that have it, the function that takes what follows. */
#include "target/cisco/read/options.h"

#include <assert.h>
#include <string.h>

#include "target/cisco/read/ports.h"
#include "target/cisco/read/words.h"

struct input {
	struct acl_line *line;
	struct arena *arena;
	const struct acl_dialect *dialect;
	struct acl_entry *entry;
};

struct option {
	const char *word;
	unsigned lists;     /* of the masks below */
	unsigned condition; /* of enum acl_condition: the words are kept; 0: the function keeps them */
	bool (*take)(struct input *input);
};

enum { STANDARD = 1, EXTENDED4 = 2, EXTENDED6 = 4, EXTENDED = 6, EVERY = 7 };

/* --- flags of TCP --------------------------------------------------------------------------- */

static bool needs_tcp(struct input *input)
{
	if (input->entry->services == NULL && input->entry->protocol == PROTOCOL_TCP)
		return true;
	input->line->next--;
	return acl_line_fail(input->line, "only tcp entries look at flags");
}

/* One flag or more of the old kind; any of them set is enough, as with established. */
static bool flags_add(struct input *input, uint8_t bits)
{
	struct acl_flags *flags = &input->entry->flags;

	if (!needs_tcp(input))
		return false;
	if (flags->is_all || flags->mask != flags->value) {
		input->line->next--;
		return acl_line_fail(input->line, "match-any and match-all do not go with other flags");
	}
	flags->mask |= bits;
	flags->value |= bits;
	return true;
}

static bool take_established(struct input *input)
{
	input->entry->is_established = true;
	return flags_add(input, ACL_ACK | ACL_RST);
}

static bool take_flag(struct input *input)
{
	const struct acl_word word = input->line->words[input->line->next - 1];

	return flags_add(input, (uint8_t)acl_word_find(ACL_WORD_FLAG, word.at, word.length)->number);
}

static bool signed_flag_take(struct acl_line *line, struct acl_flags *flags)
{
	struct acl_word word = acl_line_peek(line);
	const struct acl_named *named = NULL;

	if (word.length > 1 && (word.at[0] == '+' || word.at[0] == '-'))
		named = acl_word_find(ACL_WORD_FLAG, word.at + 1, word.length - 1);
	if (named == NULL)
		return false;
	if ((flags->mask & named->number) != 0)
		return acl_line_fail(line, "this flag stands twice");
	flags->mask |= (uint8_t)named->number;
	if (word.at[0] == '+')
		flags->value |= (uint8_t)named->number;
	line->next++;
	return true;
}

static bool take_signed_flags(struct input *input)
{
	struct acl_line *line = input->line;
	struct acl_flags *flags = &input->entry->flags;

	if (!needs_tcp(input))
		return false;
	if (flags->mask != 0)
		return acl_line_fail(line, "match-any and match-all do not go with other flags");
	flags->is_all = acl_word_is(line->words[line->next - 1], "match-all");
	while (signed_flag_take(line, flags))
		;
	if (line->problem != NULL)
		return false;
	return flags->mask != 0 || acl_line_fail(line, "expected flags: +ack, -fin, …");
}

/* --- conditions that are kept as words ------------------------------------------------------ */

static bool named_take(struct acl_line *line, enum acl_table table, uint32_t highest)
{
	struct acl_word word = acl_line_peek(line);
	uint32_t number;

	if (acl_word_find(table, word.at, word.length) == NULL &&
	    !acl_number_parse(word, highest, &number))
		return acl_line_fail(line, "expected a number up to %u or a word that IOS has for it", highest);
	line->next++;
	return true;
}

static bool take_dscp(struct input *input) { return named_take(input->line, ACL_WORD_DSCP, 63); }
static bool take_tos(struct input *input) { return named_take(input->line, ACL_WORD_TOS, 15); }

static bool take_precedence(struct input *input)
{
	return named_take(input->line, ACL_WORD_PRECEDENCE, 7);
}

static bool take_ip_option(struct input *input)
{
	return named_take(input->line, ACL_WORD_OPTION, UINT8_MAX);
}

static bool take_ttl(struct input *input)
{
	static const char *const operators[] = { "eq", "gt", "lt", "neq" };
	struct acl_line *line = input->line;
	uint32_t low, high;

	if (acl_line_skip(line, "range"))
		return acl_line_number(line, "a TTL", UINT8_MAX, &low) &&
		       acl_line_number(line, "a TTL", UINT8_MAX, &high);
	for (size_t index = 0; index < sizeof operators / sizeof operators[0]; index++)
		if (acl_line_skip(line, operators[index]))
			return acl_line_number(line, "a TTL", UINT8_MAX, &low);
	return acl_line_fail(line, "expected 'eq', 'gt', 'lt', 'neq' or 'range'");
}

static bool take_flow_label(struct input *input)
{
	uint32_t number;

	return acl_line_number(input->line, "a flow label", 0xFFFFF, &number);
}

static bool take_header_type(struct input *input)
{
	uint32_t number;

	return acl_line_number(input->line, "a type", UINT8_MAX, &number);
}

static bool take_nothing(struct input *input)
{
	(void)input;
	return true;
}

/* --- the others ------------------------------------------------------------------------------ */

static bool take_fragments(struct input *input)
{
	input->entry->is_fragments = true;
	return true;
}

static bool take_time_range(struct input *input)
{
	input->entry->time_range = acl_line_name(input->line, input->arena, "the name of a time range");
	return input->entry->time_range != NULL;
}

static bool take_reflect(struct input *input)
{
	struct acl_entry *entry = input->entry;

	if (entry->action != ACL_PERMIT)
		return acl_line_fail(input->line, "only permit entries reflect");
	entry->reflect = acl_line_name(input->line, input->arena, "the name of a reflexive list");
	if (entry->reflect == NULL)
		return false;
	return !acl_line_skip(input->line, "timeout") ||
	       acl_line_number(input->line, "seconds", INT32_MAX, &entry->reflect_timeout_s);
}

static bool take_sequence(struct input *input)
{
	struct acl_entry *entry = input->entry;

	if (entry->has_written_sequence)
		return acl_line_fail(input->line, "the entry has a number already");
	entry->has_written_sequence = true;
	if (!acl_line_number(input->line, "a sequence number", UINT32_MAX, &entry->sequence))
		return false;
	return entry->sequence != 0 || acl_line_fail(input->line, "sequence numbers begin at 1");
}

static bool take_log(struct input *input);

/* Sorted by word, for the eye. */
static const struct option options[] = {
	{ "ack", EXTENDED, 0, take_flag },
	{ "auth", EXTENDED6, ACL_IPV6_HEADER, take_nothing },
	{ "dest-option", EXTENDED6, ACL_IPV6_HEADER, take_nothing },
	{ "dest-option-type", EXTENDED6, ACL_IPV6_HEADER, take_header_type },
	{ "dscp", EXTENDED, ACL_DSCP, take_dscp },
	{ "established", EXTENDED, 0, take_established },
	{ "fin", EXTENDED, 0, take_flag },
	{ "flow-label", EXTENDED6, ACL_IPV6_HEADER, take_flow_label },
	{ "fragments", EXTENDED, 0, take_fragments },
	{ "hbh", EXTENDED6, ACL_IPV6_HEADER, take_nothing },
	{ "log", EVERY, 0, take_log },
	{ "log-input", EXTENDED, 0, take_log },
	{ "match-all", EXTENDED4, 0, take_signed_flags },
	{ "match-any", EXTENDED4, 0, take_signed_flags },
	{ "mobility", EXTENDED6, ACL_IPV6_HEADER, take_nothing },
	{ "mobility-type", EXTENDED6, ACL_IPV6_HEADER, take_header_type },
	{ "option", EXTENDED4, ACL_OPTION, take_ip_option },
	{ "precedence", EXTENDED4, ACL_PRECEDENCE, take_precedence },
	{ "psh", EXTENDED, 0, take_flag },
	{ "reflect", EXTENDED, 0, take_reflect },
	{ "routing", EXTENDED6, ACL_IPV6_HEADER, take_nothing },
	{ "routing-type", EXTENDED6, ACL_IPV6_HEADER, take_header_type },
	{ "rst", EXTENDED, 0, take_flag },
	{ "sequence", EXTENDED6, 0, take_sequence },
	{ "syn", EXTENDED, 0, take_flag },
	{ "time-range", EXTENDED, 0, take_time_range },
	{ "tos", EXTENDED4, ACL_TOS, take_tos },
	{ "ttl", EXTENDED4, ACL_TTL, take_ttl },
	{ "undetermined-transport", EXTENDED6, ACL_IPV6_HEADER, take_nothing },
	{ "urg", EXTENDED, 0, take_flag },
};

enum { OPTIONS_COUNT = sizeof options / sizeof options[0] };
static_assert(OPTIONS_COUNT <= 32, "a mask holds the options that were seen");

static const struct option *option_find(const struct acl_dialect *dialect, struct acl_word word)
{
	unsigned lists = dialect->kind == ACL_STANDARD ? STANDARD :
			 dialect->family == FAMILY_IPV4 ? EXTENDED4 : EXTENDED6;

	for (size_t index = 0; index < OPTIONS_COUNT; index++)
		if ((options[index].lists & lists) != 0 && acl_word_is(word, options[index].word))
			return &options[index];
	return NULL;
}

/* What may follow `log` in a list for IPv4; IOS takes any other word there for the cookie. */
static bool may_follow_log(const struct option *option)
{
	return option->take == take_time_range || option->take == take_fragments ||
	       option->take == take_reflect;
}

/* A word that is no option is the cookie: a tag of the syslog line. Of a word that could be either nothing is
 * guessed: `log established` is a tag to some trains, and a condition to the eye. */
static bool take_log(struct input *input)
{
	struct acl_line *line = input->line;
	struct acl_entry *entry = input->entry;
	struct acl_word word;

	if (entry->log != ACL_LOG_NONE)
		return acl_line_fail(line, "log and log-input stand together");
	entry->log = acl_word_is(line->words[line->next - 1], "log") ? ACL_LOG : ACL_LOG_INPUT;
	word = acl_line_peek(line);
	if (word.length == 0 || word.at[0] == '(' || option_find(input->dialect, word) != NULL)
		return true; /* options_take looks at what may follow */
	entry->cookie = acl_line_name(line, input->arena, "a cookie");
	return entry->cookie != NULL;
}

/* --- what `show` adds ----------------------------------------------------------------------- */

/* "(12 matches)", "(tag = X)", "(time left 280)", "(active)", "(inactive)". */
static bool shown_take(struct input *input)
{
	struct acl_line *line = input->line;
	struct acl_word word = acl_line_take(line);
	uint32_t number;
	uint64_t matches = 0;

	if (acl_word_is(word, "(active)") || acl_word_is(word, "(inactive)"))
		return true;
	if (acl_word_is(word, "(time"))
		return acl_line_skip(line, "left") && acl_line_take(line).length > 1;
	if (acl_word_is(word, "(tag")) {
		if (!acl_line_skip(line, "="))
			return false;
		word = acl_line_take(line);
		if (word.length < 2 || word.at[word.length - 1] != ')' || input->entry->cookie != NULL)
			return false;
		word.length--;
		input->entry->cookie = acl_word_copy(input->arena, word);
		return true;
	}
	for (size_t index = 1; index < word.length; index++) {
		const struct acl_word digit = { word.at + index, 1 };

		if (!acl_number_parse(digit, 9, &number) || matches > UINT64_MAX / 10 - 1)
			return false;
		matches = matches * 10 + number;
	}
	input->entry->matches = matches;
	return word.length > 1 && (acl_line_skip(line, "matches)") || acl_line_skip(line, "match)"));
}

static bool shown_all_take(struct input *input)
{
	while (!acl_line_is_done(input->line)) {
		size_t begin = input->line->next;

		if (acl_line_peek(input->line).at[0] != '(' || !shown_take(input)) {
			input->line->next = begin;
			return acl_line_fail(input->line, "nothing is expected here");
		}
	}
	return true;
}

/* --- all -------------------------------------------------------------------------------------- */

static const char *words_join(struct arena *arena, const char *words, const struct acl_line *line,
			      size_t begin)
{
	size_t length = words == NULL ? 0 : strlen(words) + 1;
	char *joined;

	for (size_t index = begin; index < line->next; index++)
		length += line->words[index].length + 1;
	joined = arena_bytes(arena, length);
	length = 0;
	if (words != NULL) {
		length = strlen(words);
		memcpy(joined, words, length);
		joined[length++] = ' ';
	}
	for (size_t index = begin; index < line->next; index++) {
		memcpy(joined + length, line->words[index].at, line->words[index].length);
		length += line->words[index].length;
		joined[length++] = index + 1 < line->next ? ' ' : '\0';
	}
	return joined;
}

static bool option_take(struct input *input, const struct option *option, unsigned *seen)
{
	unsigned bit = 1u << (option - options);
	size_t begin = input->line->next;

	if ((*seen & bit) != 0)
		return acl_line_fail(input->line, "this stands twice");
	if (input->entry->log != ACL_LOG_NONE && (option->lists & EXTENDED4) != 0 &&
	    input->dialect->family == FAMILY_IPV4 && !may_follow_log(option))
		return acl_line_fail(input->line, "after 'log' this would be its cookie");
	*seen |= bit;
	input->line->next++;
	if (!option->take(input))
		return false;
	if (option->condition != 0) {
		input->entry->conditions |= option->condition;
		input->entry->condition_words =
			words_join(input->arena, input->entry->condition_words, input->line, begin);
	}
	return true;
}

/* IGMP types stand where ICMP types do. */
static bool igmp_take(struct input *input)
{
	struct acl_line *line = input->line;
	struct acl_word word = acl_line_peek(line);
	size_t begin = line->next;
	uint32_t number;

	if (input->entry->services != NULL || input->entry->protocol != 2 ||
	    (acl_word_find(ACL_WORD_IGMP, word.at, word.length) == NULL &&
	     !acl_number_parse(word, 15, &number)))
		return true;
	line->next++;
	input->entry->conditions |= ACL_IGMP_TYPE;
	input->entry->condition_words = words_join(input->arena, NULL, line, begin);
	return true;
}

/* Later fragments have no ports, types or flags to look at. */
static bool fragments_are_alone(struct acl_line *line, const struct acl_entry *entry)
{
	if (!entry->is_fragments ||
	    (entry->source_ports.operator == ACL_PORTS_ANY && entry->flags.mask == 0 &&
	     entry->destination_ports.operator == ACL_PORTS_ANY && entry->icmp_type == ACL_ICMP_ANY &&
	     entry->services == NULL && (entry->conditions & ACL_IGMP_TYPE) == 0))
		return true;
	return acl_line_fail(line, "'fragments' does not go with ports, types, flags or services");
}

bool acl_options_take(struct acl_line *line, struct arena *arena, const struct acl_dialect *dialect,
		      struct acl_entry *entry)
{
	struct input input = { line, arena, dialect, entry };
	const struct option *option;
	unsigned seen = 0;

	if (!igmp_take(&input))
		return false;
	while (!acl_line_is_done(line)) {
		if (dialect->is_shown && acl_line_peek(line).at[0] == '(') {
			if (!shown_take(&input))
				return acl_line_fail(line, "this counter or state is not known");
			continue;
		}
		option = option_find(dialect, acl_line_peek(line));
		if (option == NULL)
			return acl_line_fail(line, "this option is not known here");
		if (!option_take(&input, option, &seen))
			return false;
	}
	return fragments_are_alone(line, entry);
}

bool acl_evaluate_tail_take(struct acl_line *line, const struct acl_dialect *dialect,
			    struct acl_entry *entry)
{
	struct input input = { line, NULL, dialect, entry };

	if (dialect->family == FAMILY_IPV6 && acl_line_skip(line, "sequence") && !take_sequence(&input))
		return false;
	return dialect->is_shown ? shown_all_take(&input) : acl_line_ends(line);
}
