/* What `expect` can name, and matching expectations with findings. */
#include "resolve/expectations.h"

#include <string.h>

/* Sorted by name. */
static const struct finding findings[] = {
	{ "conflicting", 0 },
	{ "expired", CODE_EXPIRED },
	{ "expires-soon", CODE_EXPIRES_SOON },
	{ "hold-time", CODE_CDP_HOLDTIME },
	{ "no-zone", 0 },
	{ "outside-block", CODE_BLOCK_OUTSIDE },
	{ "partly-shadowed", 0 },
	{ "redundant", 0 },
	{ "shadowed", 0 },
	{ "trap", CODE_SERVICE_TRAP },
	{ "unused", 0 },
	{ "weak", CODE_TUNNEL_WEAK, .is_late = true },
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
	if (finding == NULL || finding->code == 0)
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

void expectations_finish(struct policy *policy, bool has_lowered)
{
	expectations_apply(policy);
	for (size_t i = 0; i < policy->expectations_count; i++) {
		struct expectation *expectation = &policy->expectations[i];
		const struct finding *finding = finding_find(expectation->finding);
		if (expectation->is_used || finding == NULL || finding->code == 0 ||
		    (finding->is_late && !has_lowered))
			continue;
		expectation->is_used = true; /* told once */
		diag_add(policy->diags, CODE_EXPECT_NOTHING, expectation->span,
			 "the next statement gives no warning '%s'", expectation->finding);
	}
}
