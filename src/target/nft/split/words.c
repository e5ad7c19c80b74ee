#include "target/nft/split/words.h"

#include "base/pool.h"
#include "base/text.h"
#include "target/nft/report/report.h"

static const char *field_words(enum split_field field)
{
	static const char *const words[SPLIT_FIELDS] = {
		[SPLIT_IN] = "the in interface",
		[SPLIT_OUT] = "the out interface",
		[SPLIT_SERVICE] = "protocol and port",
		[SPLIT_PORTS] = "protocol and range of ports",
		[SPLIT_SOURCE4] = "ip saddr",
		[SPLIT_DESTINATION4] = "ip daddr",
		[SPLIT_SOURCE6] = "ip6 saddr",
		[SPLIT_DESTINATION6] = "ip6 daddr",
		[SPLIT_PAIR4] = "ip saddr",
		[SPLIT_PAIR6] = "ip6 saddr",
		[SPLIT_FLOW4] = "ip saddr",
		[SPLIT_FLOW6] = "ip6 saddr",
	};
	return words[field];
}

/* Pairs may stand behind flows, with the same bits. */
static void add_hash(struct text *out, struct cells *const *cells, size_t cells_count)
{
	enum split_field field = cells[0]->field;
	bool is_flow = field == SPLIT_FLOW4 || field == SPLIT_FLOW6;
	text_addf(out, "a hash of the leading %u", cells[0]->length);
	for (size_t i = 1; i < cells_count && !is_flow; i++)
		text_addf(out, ", then %u", cells[i]->length);
	text_addf(out, " bits of %s", field_words(field));
	if (field >= SPLIT_PAIR4)
		text_addf(out, "%s%u of %s", is_flow ? ", " : " and ", cells[0]->other_length,
			  cells_family(field) == FAMILIES_IPV4 ? "ip daddr" : "ip6 daddr");
	if (is_flow)
		text_add(out, ", protocol and port");
	if (is_flow && cells_count > 1)
		text_add(out, ", then without the latter two");
}

static const char *map_words(enum cost_lookup lookup)
{
	bool has_ranges = lookup == LOOKUP_INTERVAL || lookup == LOOKUP_INTERVAL6 || lookup == LOOKUP_CONCATENATED;
	return has_ranges ? "an interval map of" : "an exact map of";
}

const char *split_words(void *pool, struct cells *const *cells, size_t cells_count, enum cells_form form)
{
	struct text *out = text_new(pool);
	size_t elements = 0;
	for (size_t i = 0; i < cells_count; i++)
		elements += cells_elements(cells[i]);
	switch (form) {
	case CELLS_RULES:
		text_addf(out, "a rule for each value of %s", field_words(cells[0]->field));
		break;
	case CELLS_MAP:
		text_addf(out, "%s %s", map_words(cells_lookup(cells[0])), field_words(cells[0]->field));
		break;
	case CELLS_HASH:
		add_hash(out, cells, cells_count);
		break;
	case CELLS_TREE:
		text_addf(out, "a tree of comparisons of %s", field_words(cells[0]->field));
		break;
	case CELLS_NONE:
		break;
	}
	text_addf(out, ", %zu element%s", elements, elements == 1 ? "" : "s");
	if (cells[0]->rest_count != 0)
		text_addf(out, ", %zu line%s left", cells[0]->rest_count, cells[0]->rest_count == 1 ? "" : "s");
	return out->bytes;
}

void split_candidate(struct lower *lower, const char *words, unsigned cost, unsigned price)
{
	*pool_append(lower->settings->report->pool, lower->choice, candidates) = (struct nft_candidate){
		.words = words, .cost = cost - price, .price = price,
	};
}
