/* Terms to entries, in sections.
 *
 * The complement of a few networks (`internet`, `any` less the router) is many prefixes; where the
 * packets of these networks are decided first, it is `any`. A plan is the row of sections that come
 * first: each holds the terms cut to its sources and destinations, in their order, closed by the
 * default that is among the terms; the rest follows, with these addresses free. */
#ifndef FWC_TARGET_CISCO_TERMS_SECTION_H
#define FWC_TARGET_CISCO_TERMS_SECTION_H

#include "target/cisco/model/cover.h"
#include "target/cisco/terms/service_form.h"
#include "target/cisco/terms/term.h"

#define PLAN_SECTIONS_MAX 8

enum cut_side { CUT_TO, CUT_FROM };
#define CUT_SIDES 2

struct plan_section {
	bool is_cut[CUT_SIDES];
	struct interval_set addresses[CUT_SIDES];
};

struct plan {
	struct plan_section sections[PLAN_SECTIONS_MAX];
	size_t sections_count;
};

/* A term's entries in one section: each source to each destination with each form. */
typedef void (*section_entries)(void *context, const struct ios_term *term, const struct ios_cover *sources,
				const struct ios_cover *destinations, const struct service_forms *forms);

struct section_writer {
	void *pool;
	enum family family;
	const struct ios_terms *terms;
	const struct service_forms *forms; /* one a term */
	const struct interval_set *own;    /* the router's addresses: networks have holes there; or NULL */
};

/* The plan with the fewest entries of those tried. */
struct plan plan_choose(const struct section_writer *writer);
/* How many entries it gives, and the term that most of them are of. */
struct plan_size {
	size_t entries, of_longest;
	const struct ios_term *longest;
};
struct plan_size plan_measure(const struct section_writer *writer, const struct plan *plan);
/* Every entry in order. */
void plan_write(const struct section_writer *writer, const struct plan *plan, section_entries entries,
		void *context);

#endif
