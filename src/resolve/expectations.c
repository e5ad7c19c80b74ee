/* What `expect` can name, and matching expectations with findings. */
#include "resolve/expectations.h"

#include <string.h>

/* Sorted by name. */
static const struct finding findings[] = {
	{ "conflicting", CODE_CONFLICTING, FINDING_CONFLICTS },
	{ "duplicate", CODE_DUPLICATE_MEANING, FINDING_NAMES },
	{ "expired", CODE_EXPIRED, FINDING_COMPILER },
	{ "expires-soon", CODE_EXPIRES_SOON, FINDING_COMPILER },
	{ "hold-time", CODE_CDP_HOLDTIME, FINDING_COMPILER },
	{ "insecure", CODE_INSECURE_OUTSIDE, FINDING_RULES },
	{ "no-zone", CODE_NO_ZONE, FINDING_RULES },
	{ "other-family", CODE_PLACE_FAMILY, FINDING_COMPILER },
	{ "outside-block", CODE_BLOCK_OUTSIDE, FINDING_COMPILER },
	{ "partly-shadowed", CODE_PARTLY_SHADOWED, FINDING_RULES },
	{ "redundant", CODE_REDUNDANT, FINDING_RULES },
	{ "removable", CODE_REMOVABLE, FINDING_RULES },
	{ "shadowed", CODE_SHADOWED, FINDING_RULES },
	{ "trap", CODE_SERVICE_TRAP, FINDING_COMPILER },
	{ "unused", CODE_UNUSED, FINDING_NAMES },
	{ "weak", CODE_TUNNEL_WEAK, FINDING_DEVICES },
	{ "wide", CODE_WIDE, FINDING_RULES },
};

size_t finding_count(void)
{
	return sizeof findings / sizeof *findings;
}

const struct finding *finding_at(size_t index)
{
	return &findings[index];
}

const struct finding *finding_find(const char *name)
{
	for (size_t i = 0; i < finding_count(); i++)
		if (strcmp(findings[i].name, name) == 0)
			return &findings[i];
	return NULL;
}

static bool is_within(struct span inner, struct span outer)
{
	return inner.source == outer.source && inner.begin >= outer.begin &&
	       inner.end <= outer.end;
}

static void apply(struct policy *policy, struct expectation *expectation)
{
	const struct finding *finding = finding_find(expectation->finding);
	struct diags *diags = policy->diags;
	if (finding == NULL)
		return;
	for (size_t i = 0; i < diags->items_count; i++) {
		struct diagnostic *diagnostic = diags->items[i];
		if ((unsigned)diagnostic->code != finding->code ||
		    diagnostic->severity != SEVERITY_WARNING ||
		    !is_within(diagnostic->span, expectation->statement))
			continue;
		diag_expect(diags, diagnostic);
		expectation->is_used = true;
	}
}

void expectations_apply(struct policy *policy)
{
	for (size_t i = 0; i < policy->expectations_count; i++)
		apply(policy, &policy->expectations[i]);
}

void expectations_finish(struct policy *policy, unsigned sources)
{
	expectations_apply(policy);
	for (size_t i = 0; i < policy->expectations_count; i++) {
		struct expectation *expectation = &policy->expectations[i];
		const struct finding *finding = finding_find(expectation->finding);
		if (expectation->is_used || finding == NULL || (sources & finding->source) == 0)
			continue;
		expectation->is_used = true; /* told once */
		diag_add(policy->diags, CODE_EXPECT_NOTHING, expectation->span,
			 "the next statement gives no warning '%s'", expectation->finding);
	}
}
