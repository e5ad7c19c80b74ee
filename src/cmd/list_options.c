/* Words of the command line to the settings of a list. */
#include "cmd/list_options.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "target/cisco/model/safe.h"

static bool number_parse(const char *text, uint32_t *number)
{
	size_t length = strspn(text, "0123456789");

	if (length == 0 || length > 4 || text[length] != '\0')
		return false;
	*number = (uint32_t)strtoul(text, NULL, 10);
	return (*number >= 100 && *number <= 199) || (*number >= 2000 && *number <= 2699);
}

static bool replies_parse(const char *text, enum replies *replies)
{
	static const struct {
		const char *word;
		enum replies replies;
	} words[] = {
		{ "established", REPLIES_ESTABLISHED },
		{ "none", REPLIES_NONE },
		{ "reflexive", REPLIES_REFLEXIVE },
	};

	for (size_t index = 0; index < sizeof words / sizeof words[0]; index++)
		if (strcmp(words[index].word, text) == 0) {
			*replies = words[index].replies;
			return true;
		}
	return false;
}

bool list_option_is(int option)
{
	return option >= OPTION_LIST_NAME && option <= OPTION_LIST_MULTI_PORT_EQ;
}

const char *list_option_word(int option)
{
	static const char *const words[] = { "--name", "--number", "--ipv6", "--replies",
					     "--multi-port-eq" };

	return words[option - OPTION_LIST_NAME];
}

int list_option(struct cisco_settings *settings, const char *command, int option, const char *argument)
{
	switch (option) {
	case OPTION_LIST_NAME:
		settings->name = argument;
		if (!safe_is_name(argument) || strlen(argument) + strlen("-IPV6") > SAFE_NAME_MAX)
			return command_misused(command, "'%s' is not a list's name: letters, digits, '-' and "
					       "'_', a letter first, at most 59", argument);
		return EXIT_DONE;
	case OPTION_LIST_NUMBER:
		if (!number_parse(argument, &settings->number))
			return command_misused(command, "'%s' is not the number of an extended list: 100 to "
					       "199, 2000 to 2699", argument);
		return EXIT_DONE;
	case OPTION_LIST_IPV6:
		settings->has_ipv6 = true;
		return EXIT_DONE;
	case OPTION_LIST_MULTI_PORT_EQ:
		settings->has_multi_port_eq = true;
		return EXIT_DONE;
	case OPTION_LIST_REPLIES:
		if (!replies_parse(argument, &settings->replies))
			return command_misused(command, "'%s' is none of established, reflexive, none",
					       argument);
		return EXIT_DONE;
	}
	return EXIT_DONE;
}

int list_options_fit(const struct cisco_settings *settings, const char *command)
{
	if (settings->replies == REPLIES_REFLEXIVE && settings->number != 0)
		return command_misused(command, "reflexive lists have names: '--number' and "
				       "'--replies reflexive' do not fit together");
	if (settings->name != NULL && settings->number != 0)
		return command_misused(command, "a list has a name or a number");
	return EXIT_DONE;
}
