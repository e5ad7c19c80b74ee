/* Private to src/resolve: the options of rules, defaults, translations and assertions. */
#ifndef FWC_RESOLVE_OPTIONS_H
#define FWC_RESOLVE_OPTIONS_H

#include "resolve/context.h"

/* What carries the options; which options each takes stands in a table of options.c. */
enum option_owner {
	OWNER_ALLOW,
	OWNER_DENY,
	OWNER_REJECT,
	OWNER_DEFAULT,
	OWNER_TRANSLATION,
	OWNER_ASSERTION,
};

/* What options_resolve makes of none. */
extern const struct policy_options options_none;
/* Fills the options. false: a mistake was reported; what was good is filled in. */
bool options_resolve(struct resolver *resolver, enum option_owner owner,
		     const struct ast_option *options, struct policy_options *result);
/* Judges `until` against today: reports, and gives whether the rule is past its day. */
bool options_expired(struct resolver *resolver, enum option_owner owner,
		     const struct ast_option *options, const struct policy_options *result);

#endif
