/* One compilation, pass by pass: what compile, apply and check share. */
#ifndef FWC_CMD_SESSION_H
#define FWC_CMD_SESSION_H

#include <getopt.h>

#include "base/pool.h"
#include "diag/diag.h"
#include "resolve/resolve.h"
#include "rules/ruleset.h"
#include "target/cisco/cisco.h"
#include "target/nft/nft.h"

/* Options that every command with a policy takes; short ones first. */
struct session;

/* What a path may stand for besides a policy (foreign.h). */
struct session_foreign {
	bool (*is_meant)(const char *path);
	/* Makes the session's reader give the policy that the path stands for. false after an error in the bag. */
	bool (*open)(struct session *session);
};

struct session_options {
	const char *path; /* "-": standard input */
	time_t today;
	bool allows_expired_deny;
	bool has_json;
	bool counts_all; /* a counter on every rule */
	bool is_strict; /* warnings fail */
	const struct session_foreign *foreign; /* NULL: the path is a policy's */
	bool skips_proof; /* compile, apply */
	const char *device; /* the one of the policy's devices that matters; NULL: all of them */
	const char *base;   /* the earlier policy of `assert unchanged`, a file or REV:FILE; or NULL */
	bool has_conflicts; /* of `check`: pairs of rules that want different things */
	const struct report_format *report; /* of `check`; NULL: text or JSON on stderr */
	bool is_for_router; /* zones of a policy without devices are their networks alone */
	struct nft_settings nft;
	bool has_level;      /* nft.level was asked for */
	const char *profile; /* a file of counters (optimise/profile.h), or NULL */
	struct cisco_settings cisco;
};

/* getopt_long values of the shared options; commands number their own from OPTION_OWN on. */
enum { OPTION_DATE = 256, OPTION_ALLOW_EXPIRED_DENY, OPTION_TABLE, OPTION_LOG_GROUP, OPTION_JSON,
       OPTION_STRICT, OPTION_BASE, OPTION_NO_PROOF, OPTION_DEVICE, OPTION_STATE, OPTION_COUNT_ALL,
       OPTION_OPTIMISE, OPTION_PROFILE, OPTION_OWN };

#define SESSION_LONG_OPTIONS                                                                      \
	{ "date", required_argument, NULL, OPTION_DATE },                                         \
	{ "allow-expired-deny", no_argument, NULL, OPTION_ALLOW_EXPIRED_DENY },                   \
	{ "table", required_argument, NULL, OPTION_TABLE },                                       \
	{ "log-group", required_argument, NULL, OPTION_LOG_GROUP },                               \
	{ "json", no_argument, NULL, OPTION_JSON },                                               \
	{ "count", no_argument, NULL, OPTION_COUNT_ALL },                                         \
	{ "optimise", required_argument, NULL, OPTION_OPTIMISE },                                 \
	{ "profile", required_argument, NULL, OPTION_PROFILE },                                   \
	{ "strict", no_argument, NULL, OPTION_STRICT },                                           \
	{ "base", required_argument, NULL, OPTION_BASE }

struct session_options session_options_default(void);
/* One shared option; EXIT_DONE, or EXIT_USAGE after a message. */
int session_option(struct session_options *options, const char *command, int option,
		   const char *argument);
/* Whether a profile and the level go together; EXIT_DONE or EXIT_USAGE. session_path asks it. */
int session_profile_fits(const struct session_options *options, const char *command);
/* The one policy that stands after the options; EXIT_DONE or EXIT_USAGE. */
int session_path(struct session_options *options, const char *command, int argc, char **argv);

/* All options of a command that takes nothing but the shared ones, and its path. */
int session_plain_options(struct session_options *options, const char *command, int argc, char **argv);

/* The policy as one device sees it, and what was made of it. */
struct session_view {
	const struct device *device; /* NULL: this host */
	struct policy *policy;
	struct ruleset *ruleset;
	struct ios_config *ios; /* or NULL */
	void *ios_pool; /* all that is of it alone, or NULL */
	struct text *text; /* of it, after session_write_cisco; or NULL */
};

struct session {
	void *pool;
	struct session_options options;
	struct file_reader reader;
	struct sources *sources;
	struct diags *diags;
	bool has_parsed;
	bool is_foreign; /* the policy was made of a foreign filter */
	/* what each pass gave; NULL before it ran or after mistakes */
	struct program *program;
	struct policy *policy;   /* as the one device, or nobody in particular, sees it */
	struct session_view *views; /* one a device; without devices, one */
	size_t views_count, views_capacity;
	struct ruleset *ruleset; /* of the only view; NULL if there are several */
	const struct ruleset *optimised; /* the same, as the passes made it for nft */
	struct nft_table *table;
	struct session *base; /* of options.base, once it was read */
	unsigned findings; /* FINDING_*: who was asked (resolve/expectations.h) */
	const struct ast_file *question; /* which packets are asked about, or NULL */
	bool drops_trees; /* program_drop_trees, once they are resolved: nobody looks at them again */
	bool drops_lists; /* of `ios`, once its text is written, all but what announced_copy keeps */
	bool is_check; /* names that nobody uses and notes, too, however large the policy is */
	struct service_database *database; /* of `fwc service` */
};

struct session *session_new(struct pool_trap *root, const struct session_options *options);
/* Another policy beside this one: the same sources and options, a bag of its own. The argument is a file,
 * or REVISION:FILE of a git repository (revision.h). NULL: told in the first one's bag. */
struct session *session_other(struct session *session, const char *argument);
/* The passes. Each runs those before it first; false when the bag holds errors. Mistakes that several
 * devices would tell are in the bag once. */
bool session_parse(struct session *session);
/* After session_parse: whether the policy is for devices, not for this host. */
bool session_has_devices(struct session *session);
bool session_resolve(struct session *session);
bool session_expand(struct session *session); /* fills `views` */
/* What nft's table is made of, by the level and the profile; NULL where the profile cannot be read. */
const struct ruleset *session_optimise(struct session *session, const struct ruleset *ruleset);
bool session_lower(struct session *session);
/* false after errors: a policy with devices speaks of those, not of this host. */
bool session_is_for_host(struct session *session);
/* For routers: every device, or a list without one. Fills `ios` of the views. */
bool session_lower_cisco(struct session *session);
/* And its text, of each view. */
bool session_write_cisco(struct session *session);
/* Warnings of the analysis, after session_expand without errors: what rules mean together, in every view.
 * The lowering calls it. */
void session_analyse(struct session *session);
/* Whether --strict refuses what the passes gave: warnings that no `expect` acknowledges. To be asked
 * before anything is written or loaded. */
bool session_is_refused(struct session *session);
/* Prints the bag, in the report's form if there is one; EXIT_DONE, EXIT_POLICY or EXIT_WORLD by the
 * gravest of its codes. */
int session_finish(struct session *session);

#endif
