#include "cmd/enforce_options.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "analyse/meaning.h"
#include "cmd/command.h"
#include "operate/lockout.h"

/* --- options -------------------------------------------------------------------------------------- */

bool enforce_is_option(int option)
{
	return option == OPTION_STATE || option == OPTION_CONFIRM || option == OPTION_FORCE;
}

/* A day is enough to look at anything. */
#define CONFIRM_MOST_S 86400

static bool seconds_parse(const char *text, unsigned *seconds)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || text[0] < '0' || text[0] > '9' || value > CONFIRM_MOST_S)
		return false;
	*seconds = (unsigned)value;
	return true;
}

int enforce_option(struct enforce_options *options, const char *command, int option, const char *argument)
{
	if (option == OPTION_STATE)
		options->state = argument;
	else if (option == OPTION_FORCE)
		options->is_forced = true;
	else if (!seconds_parse(argument, &options->confirm_s))
		return command_misused(command, "'%s' is not a number of seconds, 0 to %d", argument,
				       CONFIRM_MOST_S);
	else
		options->has_confirm = true;
	return EXIT_DONE;
}

/* --- who asks for it ------------------------------------------------------------------------------ */

static bool wants_confirmation(struct session *session, const char *why)
{
	struct diagnostic *error = diag_add(session->diags, CODE_CONFIRM_WANTED, SPAN_NONE,
					    "this session may be cut off by the new rules: %s", why);

	diag_note(session->diags, error, SPAN_NONE,
		  "'--confirm 60' brings the earlier ruleset back unless 'fwc confirm' comes; "
		  "'--confirm 0' does without");
	return false;
}

static bool locks_out(struct session *session, const struct lockout *lockout, const struct remote *remote)
{
	const struct rule *rule = lockout->decision.rule;
	const struct policy_default *otherwise = &session->policy->defaults[lockout->packet.hook];
	struct span span = lockout->translation != NULL ? lockout->translation->origin
			   : rule != NULL ? rule->origin : otherwise->span;
	struct text *packet = text_new(session->pool);
	struct diagnostic *error;

	packet_format(packet, &lockout->packet);
	error = diag_add(session->diags, CODE_LOCKOUT, span,
			 "this would lock you out: a new connection of your session (%s) would %s",
			 remote->connection,
			 lockout->translation != NULL ? "be sent elsewhere" :
			 lockout->is_answer ? "get no answers, which are not tracked ('stateless')" :
			 "not be let in");
	diag_note(session->diags, error, SPAN_NONE, "%s: %s", packet->bytes,
		  lockout->translation != NULL ? "this 'forward' takes it"
		  : rule != NULL ? "this rule decides" : "no rule allows it, and the default decides");
	diag_note(session->diags, error, SPAN_NONE, "nothing was loaded; '--force' loads it all the same");
	return false;
}

bool enforce_is_safe(struct session *session, const struct enforce_options *options, const struct remote *remote)
{
	struct lockout lockout;

	if (remote->kind == REMOTE_NONE)
		return true;
	if (!options->has_confirm && remote->kind == REMOTE_UNKNOWN)
		return wants_confirmation(session, remote->why);
	if (!options->has_confirm)
		return wants_confirmation(session, pool_format(session->pool, "it comes over SSH (%s)",
							       remote->connection));
	if (remote->kind == REMOTE_UNKNOWN || options->is_forced)
		return true;
	lockout = lockout_find(session->pool, session->ruleset, remote, time(NULL));
	return !lockout.is_out || locks_out(session, &lockout, remote);
}
