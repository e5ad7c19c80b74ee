/* Exact by construction: sections share no packet, each keeps the order of the terms, and what is free
 * was decided before. */
#include "target/cisco/terms/section.h"

#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"

#define CANDIDATES_MAX 6
#define CANDIDATE_PREFIXES 3 /* sets of fewer prefixes are written as they are */

#define VISITS_MAX 20000000 /* of terms, while plans are tried */

/* One way through the terms, with what was worked out for it. */
struct walk {
	const struct section_writer *writer;
	struct arena *arena;
	void *pool;
	struct interned *covers;
	size_t phase; /* number of the section */
	const struct plan_section *section; /* NULL: the rest */
	struct interval_set free[CUT_SIDES];
	/* of the last set on each side that is one prefix */
	struct prefix prefix[CUT_SIDES];
	struct ios_cover cover[CUT_SIDES];
};

struct cover_key {
	const struct interval *items;
	size_t count, phase, side;
};

/* Most sets are one prefix, which nothing has to be worked out for. NULL: this one is more. */
static const struct ios_cover *cover_single(struct walk *walk, const struct interval_set *set, enum cut_side side)
{
	bool is_cut = walk->section != NULL && walk->section->is_cut[side];
	enum family family = walk->writer->family;
	unsigned length;

	if (is_cut || walk->free[side].items_count > 0 || set->items_count != 1 ||
	    !interval_is_prefix(family, &set->items[0], &length))
		return NULL;
	walk->prefix[side] = (struct prefix){ family, set->items[0].low, length };
	walk->cover[side] = (struct ios_cover){ &walk->prefix[side], 1, 1 };
	return &walk->cover[side];
}

/* Good until the side is asked again. */
static const struct ios_cover *cover_find(struct walk *walk, const struct interval_set *set, enum cut_side side)
{
	const struct plan_section *section = walk->section;
	struct cover_key key = { set->items, set->items_count, walk->phase, side };
	const struct ios_cover *single = cover_single(walk, set, side);
	void **slot;

	if (single != NULL)
		return single;
	slot = interned_slot(walk->covers, &key, sizeof key);
	if (*slot == NULL) {
		bool is_cut = section != NULL && section->is_cut[side];
		struct interval_set part = is_cut ?
			interval_set_intersect(walk->pool, set, &section->addresses[side]) : *set;
		struct ios_cover cover = cover_of(walk->pool, walk->writer->family, &part, &walk->free[side]);

		*slot = arena_copy(walk->arena, &cover, sizeof cover);
	}
	return *slot;
}

/* Whether a section before decided every packet of its addresses on this side, as far as this section
 * sees: cut on this side alone, or on the other one as this section is, which then is not cut here. */
static bool is_decided(const struct plan_section *before, const struct plan_section *section, enum cut_side side)
{
	enum cut_side other = 1 - side;

	if (!before->is_cut[side])
		return false;
	if (!before->is_cut[other])
		return true;
	return section != NULL && section->is_cut[other] && !section->is_cut[side] &&
	       interval_set_equals(&before->addresses[other], &section->addresses[other]);
}

static void set_free(struct walk *walk, const struct plan *plan)
{
	for (enum cut_side side = CUT_TO; side <= CUT_FROM; side++) {
		walk->free[side] = (struct interval_set){ 0 };
		for (size_t index = 0; index < walk->phase; index++)
			if (is_decided(&plan->sections[index], walk->section, side))
				walk->free[side] = interval_set_union(walk->pool, &walk->free[side],
								      &plan->sections[index].addresses[side]);
	}
}

/* The entries of one section; entries NULL: only counted. */
static size_t walk_section(struct walk *walk, size_t most, section_entries entries, void *context)
{
	const struct ios_terms *terms = walk->writer->terms;
	size_t sum = 0;

	for (size_t index = 0; index < terms->terms_count && sum < most; index++) {
		const struct ios_cover *sources = cover_find(walk, terms->terms[index].from, CUT_FROM);
		const struct ios_cover *destinations = cover_find(walk, terms->terms[index].to, CUT_TO);

		sum += sources->prefixes_count * destinations->prefixes_count *
		       walk->writer->forms[index].forms_count;
		if (entries != NULL && sources->prefixes_count > 0 && destinations->prefixes_count > 0)
			entries(context, &terms->terms[index], sources, destinations,
				&walk->writer->forms[index]);
	}
	return sum;
}

static size_t walk_plan(const struct section_writer *writer, const struct plan *plan, size_t most,
			section_entries entries, void *context)
{
	void *pool = pool_child(writer->pool, "plan");
	struct arena *arena = arena_new(pool);
	struct walk walk = {
		.writer = writer,
		.pool = pool,
		.arena = arena,
		.covers = interned_new(pool, arena),
	};
	size_t sum = 0;

	for (; walk.phase <= plan->sections_count && sum < most; walk.phase++) {
		walk.section = walk.phase < plan->sections_count ? &plan->sections[walk.phase] : NULL;
		set_free(&walk, plan);
		sum += walk_section(&walk, most - sum, entries, context);
	}
	talloc_free(pool);
	return sum;
}

void plan_write(const struct section_writer *writer, const struct plan *plan, section_entries entries,
		void *context)
{
	(void)walk_plan(writer, plan, SIZE_MAX, entries, context);
}

struct measuring {
	const struct section_writer *writer;
	size_t *entries; /* of each term */
};

static void measure_term(void *context, const struct ios_term *term, const struct ios_cover *sources,
			 const struct ios_cover *destinations, const struct service_forms *forms)
{
	struct measuring *measuring = context;

	measuring->entries[term - measuring->writer->terms->terms] +=
		sources->prefixes_count * destinations->prefixes_count * forms->forms_count;
}

struct plan_size plan_measure(const struct section_writer *writer, const struct plan *plan)
{
	const struct ios_terms *terms = writer->terms;
	struct measuring measuring = { writer, pool_array(writer->pool, size_t, terms->terms_count + 1) };
	struct plan_size size = { .entries = walk_plan(writer, plan, SIZE_MAX, measure_term, &measuring) };

	for (size_t index = 0; index < terms->terms_count; index++)
		if (measuring.entries[index] > size.of_longest) {
			size.of_longest = measuring.entries[index];
			size.longest = &terms->terms[index];
		}
	return size;
}

/* --- candidates ------------------------------------------------------------------------------- */

static size_t prefixes_count(void *pool, enum family family, const struct interval_set *set)
{
	struct interval_set none = { 0 };

	return cover_of(pool, family, set, &none).prefixes_count;
}

static bool is_known(const struct plan *plan, enum cut_side side, const struct interval_set *set)
{
	for (size_t index = 0; index < plan->sections_count; index++)
		if (plan->sections[index].is_cut[side] &&
		    interval_set_equals(&plan->sections[index].addresses[side], set))
			return true;
	return false;
}

/* What is left out of a set, where that is less to write than the set. */
static void add_candidate(const struct section_writer *writer, struct interned *seen, struct plan *candidates,
			  const struct interval_set *set, enum cut_side side)
{
	struct { const struct interval *items; size_t count, side; } key = { set->items, set->items_count, side };
	void **slot = interned_slot(seen, &key, sizeof key);
	struct plan_section section = { 0 };
	struct interval_set *rest = &section.addresses[side];
	size_t written;

	if (*slot != NULL || candidates->sections_count == CANDIDATES_MAX)
		return;
	*slot = candidates;
	written = prefixes_count(writer->pool, writer->family, set);
	*rest = interval_set_subtract(writer->pool, ios_whole(writer->family), set);
	if (written < CANDIDATE_PREFIXES || is_known(candidates, side, rest) ||
	    prefixes_count(writer->pool, writer->family, rest) >= written)
		return;
	section.is_cut[side] = true;
	candidates->sections[candidates->sections_count++] = section;
}

static struct plan find_candidates(const struct section_writer *writer)
{
	struct arena *arena = arena_new(writer->pool);
	struct interned *seen = interned_new(writer->pool, arena);
	struct plan candidates = { 0 };

	if (writer->own != NULL && writer->own->items_count > 0)
		candidates.sections[candidates.sections_count++] = (struct plan_section){
			.is_cut = { [CUT_TO] = true },
			.addresses = { [CUT_TO] = *writer->own },
		};
	for (size_t index = 0; index < writer->terms->terms_count; index++) {
		const struct ios_term *term = &writer->terms->terms[index];

		if (term->from->items_count > 1)
			add_candidate(writer, seen, &candidates, term->from, CUT_FROM);
		if (term->to->items_count > 1)
			add_candidate(writer, seen, &candidates, term->to, CUT_TO);
	}
	return candidates;
}

/* --- search ----------------------------------------------------------------------------------- */

struct search {
	const struct section_writer *writer;
	struct plan best;
	size_t best_count, visits;
	bool is_better; /* than at the begin of the round */
};

static void try_with(struct search *search, const struct plan *base, const struct plan_section *section,
		     size_t place)
{
	struct plan longer = *base;
	size_t count;

	if (search->visits > VISITS_MAX)
		return;
	for (size_t index = longer.sections_count; index > place; index--)
		longer.sections[index] = longer.sections[index - 1];
	longer.sections[place] = *section;
	longer.sections_count++;
	search->visits += search->writer->terms->terms_count * (longer.sections_count + 1);
	count = walk_plan(search->writer, &longer, search->best_count, NULL, NULL);
	if (count >= search->best_count)
		return;
	search->best = longer;
	search->best_count = count;
	search->is_better = true;
}

/* A section of its own at every place, and the corner of one that is there, before it. */
static void try_candidate(struct search *search, const struct plan *base, const struct plan_section *candidate)
{
	enum cut_side side = candidate->is_cut[CUT_TO] ? CUT_TO : CUT_FROM;

	for (size_t place = 0; place <= base->sections_count; place++)
		try_with(search, base, candidate, place);
	for (size_t place = 0; place < base->sections_count; place++) {
		struct plan_section corner = base->sections[place];

		if (corner.is_cut[side])
			continue;
		corner.is_cut[side] = true;
		corner.addresses[side] = candidate->addresses[side];
		try_with(search, base, &corner, place);
	}
}

struct plan plan_choose(const struct section_writer *writer)
{
	struct plan candidates = find_candidates(writer);
	struct search search = { .writer = writer, .is_better = candidates.sections_count > 0 };

	if (search.is_better)
		search.best_count = walk_plan(writer, &search.best, SIZE_MAX, NULL, NULL);
	while (search.is_better && search.best.sections_count < PLAN_SECTIONS_MAX) {
		struct plan base = search.best;

		search.is_better = false;
		for (size_t index = 0; index < candidates.sections_count; index++)
			try_candidate(&search, &base, &candidates.sections[index]);
	}
	return search.best;
}
