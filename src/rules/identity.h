/* Identities: what a rule is called by counters, hits and log lines.
 *
 * The policy's `id`, or the first 12 hexadecimal digits of SHA-256 (FIPS 180-4) over the rule's
 * meaning: verdict, limit, and in each hook families, services, boxes, schedule. Lines, names and
 * comments play no part, so that an edit elsewhere does not rename a rule. Of rules that mean the
 * same the second in file order gets "-2", the third "-3", and so on. */
#ifndef FWC_RULES_IDENTITY_H
#define FWC_RULES_IDENTITY_H

#include "rules/ruleset.h"

/* Knows the policy's own ids, which hashes never take. */
struct identity_maker *identity_maker_new(void *pool, const struct policy *policy);
/* The identity of the rule that became these rules of the IR (at least one). Ordinals count in the
 * order of the calls. They are kept, and looked at when identity_text is asked. */
const struct identity *identity_make(struct identity_maker *maker, const struct policy_rule *rule,
				     struct rule *const *parts, size_t count);
/* The same for a translation: its kind, new addresses and port, and what its parts match. */
const struct identity *identity_make_translation(struct identity_maker *maker,
						 const struct translation *translation,
						 struct rule_translation *const *parts,
						 size_t count);
/* A fixed name ("default-input"), made different from every id of the policy. */
const struct identity *identity_fixed(struct identity_maker *maker, const char *text);

#endif
