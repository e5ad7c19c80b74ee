/* The table of commands, help and version. */
#include "cmd/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/pool.h"
#include "cmd/output.h"
#include "diag/visible.h"

#define FORM_BEGIN "       fwc " /* of a usage's lines: another form */

#define POLICY_OPTIONS                                                                            \
	"      --date YYYY-MM-DD      judge 'until' by this day (default: today, UTC)\n"          \
	"      --allow-expired-deny   leave out expired deny and reject rules with a warning\n"    \
	"      --table NAME           name of the nftables table (default: fwc)\n"                 \
	"      --count                a counter on every rule, for 'fwc hits'\n"                        \
	"      --log-group N          log to NFLOG group N instead of the kernel's log\n"          \
	"      --profile FILE         what 'fwc hits --json' printed: frequent rules first\n"       \
	"      --optimise 0|1|2       a line a rule; readable and fast (default); the fastest\n"   \
	"      --json                 diagnostics as JSON on stderr\n"                            \
	"      --base FILE|REV:FILE   the earlier policy that 'assert unchanged' speaks of\n"      \
	"      --strict               warnings fail: exit 1, and nothing is printed or loaded\n"

#define NO_PROOF_OPTION                                                                           \
	"      --no-proof             do not compare the output with the policy before\n"

#define STATE_OPTION "      --state DIR            where what was applied is kept (default: /var/lib/fwc)\n"
#define CONFIRM_OPTION                                                                            \
	"      --confirm SECONDS      take it back unless 'fwc confirm' comes; 0: in force at once\n"
#define FORCE_OPTION "      --force                even if it locks this session out\n"
#define TABLE_OPTION "      --table NAME           name of the nftables table (default: fwc)\n"
#define JSON_OPTION "      --json                 as JSON\n"

static const struct command commands[] = {
	{ "compile", "turn a policy into a ruleset and print it",
	  "usage: fwc compile FILE|- [options]\n"
	  "      --target NAME          nft, nft-batch, cisco-ios or cisco; if not said, what the policy's\n"
	  "                             devices are; nft-batch: FILE and FILE.rescue for 'fwc boot'\n"
	  "  -o, --output FILE|FOLDER   write there, whole or not at all; a folder: a file a device\n"
	  "      --show WHAT            ast, policy, rules, nft or bytecode: what a stage gave\n"
	  NO_PROOF_OPTION
	  "      --device NAME          this one of the policy's devices alone\n"
	  "      --report               how the table is made and what packets pay, or what lists cost\n"
	  POLICY_OPTIONS
	  "    of target cisco-ios:\n"
	  "      --redact               no keys of tunnels\n"
	  "      --mode WHAT            full, swap or edit: all of it, or the change of a live router\n"
	  "      --from FILE            the router's running configuration\n"
	  "      --port-words           words for ports, where IOS has one\n"
	  "      --minimise WHAT        entries, tcam or none: how the lists are made short\n"
	  "    and without a device:\n"
	  "      --name NAME            the list's name (default: FWC)\n"
	  "      --number N             a numbered list: 100 to 199, 2000 to 2699\n"
	  "      --ipv6                 an IPv6 list, too, where the policy names no IPv6\n"
	  "      --replies WHAT         established, reflexive or none: how answers get in\n"
	  "      --multi-port-eq        up to ten ports behind one eq\n",
	  command_compile },
	{ "apply", "load a policy into the kernel, in one atomic step",
	  "usage: fwc apply FILE|- [options]\n"
	  "      --drop-denied          end connections that the policy denies, once it is sure to stay\n"
	  CONFIRM_OPTION FORCE_OPTION STATE_OPTION NO_PROOF_OPTION POLICY_OPTIONS,
	  command_apply, RIGHTS_APPLY, true },
	{ "plan", "show what applying a policy would change",
	  "usage: fwc plan FILE|- [options]\n"
	  "      --exit-code            exit 10 if there are changes\n"
	  STATE_OPTION POLICY_OPTIONS, command_plan, RIGHTS_KERNEL, true },
	{ "confirm", "keep what was applied with --confirm",
	  "usage: fwc confirm [options]\n"
	  "      --force                from the session that applied it, and whatever the kernel holds\n"
	  STATE_OPTION JSON_OPTION,
	  command_confirm, RIGHTS_KERNEL },
	{ "rollback", "bring an earlier policy back",
	  "usage: fwc rollback [NUMBER] [options]\n"
	  "  NUMBER is of 'fwc history'; without it what was there before the running one\n"
	  CONFIRM_OPTION FORCE_OPTION STATE_OPTION JSON_OPTION, command_rollback, RIGHTS_APPLY },
	{ "status", "show what is in force",
	  "usage: fwc status [options]\n"
	  "      --elements             look at each element of sets with more than 65,536, too\n"
	  TABLE_OPTION STATE_OPTION JSON_OPTION, command_status, RIGHTS_KERNEL },
	{ "history", "show what was applied here",
	  "usage: fwc history [options]\n" STATE_OPTION JSON_OPTION, command_history },
	{ "verify", "compare the kernel's table, or a router's lists, with a policy",
	  "usage: fwc verify FILE|- [options]\n" POLICY_OPTIONS
	  "      --against FILE|FILE#LIST  a router's configuration in the place of the kernel\n"
	  "      --device NAME          the router\n", command_verify, RIGHTS_KERNEL, true },
	{ "boot", "load the batch that was made for it, or fail closed",
	  "usage: fwc boot [FILE] [options]\n"
	  "  FILE is what 'fwc compile --target nft-batch -o FILE' wrote (default:\n"
	  "  /var/lib/fwc/boot.batch); if it cannot be used, FILE.rescue; if neither, built-in rules\n"
	  "  exit status: 0 FILE, 10 FILE.rescue, 11 the built-in rules, 3 nothing was loaded\n"
	  "      --table NAME           table of the built-in rules (default: fwc)\n"
	  "      --json                 diagnostics as JSON on stderr\n",
	  command_boot, RIGHTS_KERNEL },
	{ "stop", "take fwc's table out of the kernel",
	  "usage: fwc stop [options]\n"
	  "      --table NAME           name of the nftables table (default: fwc)\n"
	  "      --json                 diagnostics as JSON on stderr\n",
	  command_stop, RIGHTS_KERNEL },
	{ "log", "what rules logged, by the policy's lines",
	  "usage: fwc log FILE|- [options]\n"
	  "  reads the kernel's log from now on, until it is interrupted\n"
	  "      --past                 from the oldest line that the kernel still has\n"
	  "      --from LOG|-           the lines of this file instead, to its end\n"
	  "      --group N              the packets of NFLOG group N instead\n"
	  "      --json                 a JSON object a line\n"
	  "      --date, --allow-expired-deny, --table: as for 'fwc compile'\n",
	  command_log, RIGHTS_LOG },
	{ "trace", "show packets on their way through the rules",
	  "usage: fwc trace FILE|- PACKET [options]\n"
	  "  PACKET is 'PROTOCOL FROM -> TO': 'tcp 192.168.0.5 -> 10.0.0.1:443', 'icmp any -> fd00::/64',\n"
	  "  'any any -> 10.0.0.1', as it is before any translation; until it is interrupted\n"
	  "      --count N              end after N packets\n"
	  "      --seconds N            end after N seconds\n"
	  "      --table NAME           the policy's table (default: fwc)\n"
	  "      --date, --allow-expired-deny, --json: as for 'fwc compile'\n",
	  command_trace, RIGHTS_KERNEL },
	{ "hits", "show what rules have counted, by the policy's lines",
	  "usage: fwc hits [FILE|-] [options]\n"
	  "  without FILE: of the policy that was applied last\n"
	  "      --unused               only rules that never matched, and since when that is known\n"
	  "      --format WHAT          text, json or prometheus (for the textfile collector)\n"
	  "      --json                 as --format json\n"
	  "      --state DIR            where the state is kept (default: /var/lib/fwc)\n"
	  "      --table NAME           the policy's table (default: fwc)\n"
	  "      --date, --allow-expired-deny: as for 'fwc compile'\n",
	  command_hits, RIGHTS_KERNEL },
	{ "check", "report every mistake of a policy, and what is wrong in it",
	  "usage: fwc check FILE|- [options]\n"
	  "      --conflicts            pairs of rules that want different things, too\n"
	  "      --format FORMAT        the report on stdout: text, json, sarif or junit\n"
	  "      --device NAME          this one of the policy's devices alone\n"
	  POLICY_OPTIONS, command_check },
	{ "diff", "show what changed in meaning between two policies",
	  "usage: fwc diff OLD NEW [options]\n"
	  "  OLD and NEW are files or REVISION:FILE of git; exit 0: the same meaning, 1: another\n"
	  "  or cisco:FILE, a router's configuration, or cisco:FILE#LIST, one list of it\n"
	  "  or kernel: beside a policy, its table in the kernel\n"
	  "  or nft:FILE, nft:kernel:, iptables:FILE, a foreign filter as 'import' reads it\n"
	  "      --git                  as a diff driver of git (see contrib/git)\n"
	  "      --device NAME          of the policies' devices only this one\n"
	  POLICY_OPTIONS, command_diff, RIGHTS_BOTH },
	{ "fmt", "print a policy in its canonical form",
	  "usage: fwc fmt FILE|- [options]\n"
	  "  -w, --write                replace the file\n"
	  "      --check                exit 1 if the file is not in canonical form\n",
	  command_fmt },
	{ "import", "turn a router's access list, iptables-save, or nft, into a policy",
	  "usage: fwc import cisco FILE|- [options]\n"
	  "       fwc import iptables FILE|- [FILE] [options]\n"
	  "       fwc import nft FILE|-|kernel: [options]\n"
	  "      --list NAME            cisco: this list, where the file has several\n"
	  "      --replies-by-state     cisco: leave answers (established, reflect, evaluate) to state\n"
	  "      --table 'FAMILY NAME'  nft: this table alone; may stand several times\n"
	  "      --always-passing       iptables, nft: let pass what always passes in a policy\n"
	  "      --skip-unknown         iptables, nft: leave out what allows and cannot be said\n"
	  "      --json                 diagnostics as JSON on stderr\n",
	  command_import, RIGHTS_IMPORT },
	{ "minimise", "make a router's access lists short",
	  "usage: fwc minimise cisco FILE|FILE#LIST|- [options]\n"
	  "      --minimise WHAT        entries (the default), tcam or none: what to save\n"
	  "      --multi-port-eq        up to ten ports behind one eq, in lists with names\n"
	  "      --report               what the lists cost before and after, in place of their text\n"
	  "  -o, --output FILE          write there, whole or not at all\n"
	  "      --json                 diagnostics as JSON on stderr\n",
	  command_minimise },
	{ "service", "look into the port database",
	  "usage: fwc service show NAME [--json] [--policy FILE]\n"
	  "       fwc service search TEXT [--json] [--policy FILE]\n"
	  "       fwc service port PORTS/PROTOCOL [--json] [--policy FILE]\n"
	  "       fwc service list [--tag NAME] [--status WORD] [--json] [--policy FILE]\n"
	  "       fwc service import FILE [--override]\n"
	  "      --policy FILE          with the definitions of this policy, too\n"
	  "      --override             import: redefine built-in services that differ\n",
	  command_service },
	{ "explain", "show what a code means, or what a policy does with a packet",
	  "usage: fwc explain FWNNNN\n"
	  "       fwc explain FILE|- PACKET [options]\n"
	  "  FILE may be nft:FILE, nft:kernel: or iptables:FILE, a foreign filter as 'import' reads it\n"
	  "  PACKET is 'tcp 192.168.0.5:40000 -> 192.168.0.10:88', 'https lan -> wan in eth1',\n"
	  "  'icmp echo-request self -> 10.0.0.1': a protocol or a service, from, ->, to\n"
	  "      --device NAME          of the policy's devices only this one\n"
	  "      --target nft|cisco-ios what the policy is compiled for, where no device says it\n"
	  "      --name, --number, --ipv6, --replies\n"
	  "                             of a list without a device, as for 'compile'\n"
	  "      --minimise WHAT        entries, tcam or none: of lists made so, as for 'compile'\n"
	  "      --format text|json     (text)\n"
	  STATE_OPTION
	  POLICY_OPTIONS, command_explain, RIGHTS_BOTH },
	{ "help", "show the commands, or one command's options", "usage: fwc help [COMMAND]\n",
	  command_help },
	{ "version", "show the version", "usage: fwc version\n", command_version },
};

const struct command *command_at(size_t index)
{
	return index < sizeof commands / sizeof commands[0] ? &commands[index] : NULL;
}

const struct command *command_find(const char *name)
{
	for (size_t index = 0; command_at(index) != NULL; index++)
		if (strcmp(commands[index].name, name) == 0)
			return &commands[index];
	return NULL;
}

/* The forms of the usage: all the options would bury the mistake. */
static void print_form(const struct command *command)
{
	const char *end = strchr(command->usage, '\n');

	while (strncmp(end + 1, FORM_BEGIN, strlen(FORM_BEGIN)) == 0)
		end = strchr(end + 1, '\n');
	fprintf(stderr, "%.*s\n", (int)(end - command->usage), command->usage);
	if (end[1] != '\0')
		fprintf(stderr, "'fwc help %s' shows the options\n", command->name);
}

/* One line on stderr; whoever runs the program may not have made its arguments. */
static void put_visible(const char *format, va_list arguments)
{
	struct pool_trap *root = pool_session_new();
	struct text *out;
	char *words;

	if (root != NULL && setjmp(root->jump) == 0 && vasprintf(&words, format, arguments) >= 0) {
		out = text_new(root);
		visible_add(out, words, strlen(words));
		free(words);
		fprintf(stderr, "%s\n", out->bytes);
	}
	talloc_free(root);
}

int command_misused(const char *name, const char *format, ...)
{
	va_list arguments;

	if (format != NULL) {
		fprintf(stderr, "fwc %s: ", name);
		va_start(arguments, format);
		put_visible(format, arguments);
		va_end(arguments);
	}
	print_form(command_find(name));
	return EXIT_USAGE;
}

void command_say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put_visible(format, arguments);
	va_end(arguments);
}

/* "; did you mean 'WORD'?" of those that there are; "" where none is near. */
static const char *nearest_of(struct pool_trap *root, const struct names *words, const char *word)
{
	const char *nearest = names_nearest(words, word, strcspn(word, "="));

	return nearest == NULL ? "" : pool_format(root, "; did you mean '%s'?", nearest);
}

int command_unknown(const char *word)
{
	struct pool_trap *root = pool_session_new();

	if (root != NULL && setjmp(root->jump) == 0) {
		struct names *words = names_new(root, true);

		for (size_t index = 0; command_at(index) != NULL; index++)
			names_set(words, commands[index].name, strlen(commands[index].name), words);
		command_say("fwc: no command '%s'%s", word, nearest_of(root, words, word));
		fputs("'fwc help' lists the commands\n", stderr);
	}
	talloc_free(root);
	return EXIT_USAGE;
}

/* As they are written: "--target". */
static const struct names *spellings_of(struct pool_trap *root, const struct option *options)
{
	struct names *words = names_new(root, false);

	for (; options->name != NULL; options++) {
		const char *spelling = pool_format(root, "--%s", options->name);

		names_set(words, spelling, strlen(spelling), words);
	}
	return words;
}

static void say_unknown_option(const char *command, const char *word, const struct option *options)
{
	struct pool_trap *root = pool_session_new();

	if (root != NULL && setjmp(root->jump) == 0)
		command_say("%s: unrecognized option '%s'%s", command, word,
			    nearest_of(root, spellings_of(root, options), word));
	talloc_free(root);
}

static bool is_ambiguous(const char *word, const struct option *options)
{
	size_t length = strcspn(word, "="), count = 0;

	for (; options->name != NULL; options++)
		count += strncmp(options->name, word + 2, length - 2) == 0;
	return count > 1;
}

/* getopt's words, but for what a terminal would obey. */
/* Whether the word is the long option of this value: behind letters that stand together it is an earlier word. */
static bool is_long(const char *word, const struct option *options, int value)
{
	size_t length = strcspn(word, "=");

	if (length < 2 || strncmp(word, "--", 2) != 0)
		return false;
	for (; options->name != NULL; options++)
		if (options->val == value && strncmp(options->name, word + 2, length - 2) == 0)
			return true;
	return false;
}

int command_option(int argc, char **argv, const char *letters, const struct option *options)
{
	int option;
	const char *word;

	opterr = 0;
	option = getopt_long(argc, argv, letters, options, NULL);
	if (option != '?')
		return option;
	word = argv[optind - 1];
	if (optopt == 0 && is_ambiguous(word, options))
		command_say("%s: option '%s' is ambiguous", argv[0], word);
	else if (optopt == 0)
		say_unknown_option(argv[0], word, options);
	else if (is_long(word, options, optopt))
		command_say(strchr(word, '=') != NULL ? "%s: option '%.*s' doesn't allow an argument" :
			    "%s: option '%.*s' requires an argument", argv[0], (int)strcspn(word, "="), word);
	else
		command_say(strchr(letters, optopt) != NULL ? "%s: option requires an argument -- '%c'" :
			    "%s: invalid option -- '%c'", argv[0], optopt);
	return option;
}

static void help_list(struct text *out)
{
	text_add(out, "fwc compiles a firewall policy into rulesets.\n\nusage: fwc COMMAND …\n\n");
	for (size_t index = 0; command_at(index) != NULL; index++)
		text_addf(out, "  %-8s  %s\n", commands[index].name, commands[index].summary);
	text_add(out, "\n'fwc help COMMAND' shows a command's options.\n");
}

int command_help(struct pool_trap *root, int argc, char **argv)
{
	struct text *out = text_new(root);

	if (argc > 2)
		return command_misused("help", "one command at a time");
	if (argc == 2) {
		const struct command *command = command_find(argv[1]);

		if (command == NULL)
			return command_unknown(argv[1]);
		text_addf(out, "%s\n%s", command->summary, command->usage);
	} else {
		help_list(out);
	}
	return output_stdout(out) ? EXIT_DONE : EXIT_WORLD;
}

int command_version(struct pool_trap *root, int argc, char **argv)
{
	struct text *out = text_new(root);

	(void)argv;
	if (argc > 1)
		return command_misused("version", "takes no arguments");
	text_add(out, "fwc " FWC_VERSION "\n");
	return output_stdout(out) ? EXIT_DONE : EXIT_WORLD;
}
