/* A list to the minimiser's entries, each in the place of its number, and back to text. */
#include "target/cisco/minimise/config.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/interned.h"
#include "base/pool.h"
#include "target/cisco/read/format.h"
#include "target/cisco/read/read.h"
#include "target/cisco/read/sets.h"
#include "target/cisco/minimise/cost.h"
#include "target/cisco/minimise/proof.h"
#include "target/cisco/minimise/remarks.h"

#define PREFIXES_MOST 254 /* net/address.h */

struct shortening {
	void *pool; /* of one list */
	struct diags *diags;
	const struct minimise_request *request;
	const struct acl_list *list;
	struct minimise_list *minimised;
	const struct minimise_entry *before; /* as they were */
	const struct acl_sets *sets;         /* of the list; NULL: it is not known */
	struct interned *conditions;
	uint32_t conditions_count;
};

/* --- fields --------------------------------------------------------------------------------------- */

/* false: no port at all. */
static bool ports_of(struct shortening *shortening, const struct acl_ports *ports,
		     const struct minimise_ports **set)
{
	struct port_range *ranges = pool_array(shortening->pool, struct port_range, (size_t)ports->count + 2);
	const uint16_t *numbers = ports->numbers;
	size_t count = 0;

	*set = NULL;
	switch (ports->operator) {
	case ACL_PORTS_ANY:
		return true;
	case ACL_PORTS_EQ:
		for (; count < ports->count; count++)
			ranges[count] = (struct port_range){ numbers[count], numbers[count] };
		break;
	case ACL_PORTS_RANGE:
		ranges[count++] = (struct port_range){ numbers[0], numbers[1] };
		break;
	case ACL_PORTS_GT:
		if (numbers[0] == UINT16_MAX)
			return false;
		ranges[count++] = (struct port_range){ (uint16_t)(numbers[0] + 1), UINT16_MAX };
		break;
	case ACL_PORTS_LT:
		if (numbers[0] == 0)
			return false;
		ranges[count++] = (struct port_range){ 0, (uint16_t)(numbers[0] - 1) };
		break;
	case ACL_PORTS_NEQ:
		if (ports->count != 1 || numbers[0] == 0 || numbers[0] == UINT16_MAX)
			return false;
		ranges[count++] = (struct port_range){ 0, (uint16_t)(numbers[0] - 1) };
		ranges[count++] = (struct port_range){ (uint16_t)(numbers[0] + 1), UINT16_MAX };
		break;
	}
	*set = minimise_ports(shortening->minimised, ranges, count);
	return true;
}

static const struct minimise_ports *one_number(struct shortening *shortening, uint16_t number)
{
	const struct port_range range = { number, number };

	return number == ACL_ICMP_ANY ? NULL : minimise_ports(shortening->minimised, &range, 1);
}

/* Flags, times, and fields of the header, as one. */
static uint32_t condition_of(struct shortening *shortening, const struct acl_entry *entry)
{
	const char *words;
	uintptr_t *slot;

	if (entry->flags.mask == 0 && entry->conditions == 0 && entry->time_range == NULL)
		return 0;
	words = pool_format(shortening->pool, "%u %u %d\n%s\n%s", entry->flags.mask, entry->flags.value,
			    entry->flags.is_all, entry->time_range != NULL ? entry->time_range : "",
			    entry->condition_words != NULL ? entry->condition_words : "");
	slot = (uintptr_t *)interned_slot(shortening->conditions, words, strlen(words));
	if (*slot == 0)
		*slot = ++shortening->conditions_count;
	return (uint32_t)*slot;
}

/* --- entries that the fields do not say ------------------------------------------------------------- */

struct regions {
	struct region *items;
	size_t items_count, items_capacity;
};

struct prefixes {
	struct prefix *items;
	size_t items_count, items_capacity;
};

static struct prefixes prefixes_of(struct shortening *shortening, const struct interval_set *set)
{
	enum family family = shortening->list->family;
	const struct interval whole = { 0, family_highest(family) };
	struct prefixes prefixes = { 0 };
	struct prefix some[PREFIXES_MOST];

	for (size_t index = 0; index < (set == NULL ? 1 : set->items_count); index++) {
		size_t count = interval_to_prefixes(family, set == NULL ? &whole : &set->items[index], some);

		for (size_t at = 0; at < count && prefixes.items_count <= MINIMISE_REGIONS_MOST; at++)
			*pool_append(shortening->pool, &prefixes, items) = some[at];
	}
	return prefixes;
}

static void set_side(struct region *region, enum region_side side, const struct prefix *prefix)
{
	unsigned free_bits = family_bits(prefix->family) - prefix->length;

	region->wildcard[side] = free_bits == 128 ? ~(number128)0 : ((number128)1 << free_bits) - 1;
	region->value[side] = prefix->value & ~region->wildcard[side];
}

/* Each interval of a set in turn: the sets of one box are few. false: behind the last. */
static bool set_range(struct region *region, enum region_range range, const struct interval_set *set, uint16_t most,
		      size_t *number)
{
	size_t count = set == NULL ? 1 : set->items_count, own = *number % count;

	*number /= count;
	region->low[range] = set == NULL ? 0 : (uint16_t)set->items[own].low;
	region->high[range] = set == NULL ? most : (uint16_t)set->items[own].high;
	return *number == 0;
}

static bool set_ranges(struct region *region, const struct acl_box *box, size_t number)
{
	(void)set_range(region, REGION_PROTOCOL, box->protocol, REGION_PROTOCOL_MAX, &number);
	(void)set_range(region, REGION_FIRST, box->first, REGION_PORT_MAX, &number);
	(void)set_range(region, REGION_SECOND, box->second, REGION_PORT_MAX, &number);
	return set_range(region, REGION_LATER, box->fragment, 1, &number);
}

/* false: they are too many. */
static bool add_box(struct shortening *shortening, const struct acl_box *box, struct regions *regions)
{
	struct prefixes from = prefixes_of(shortening, box->source), to = prefixes_of(shortening, box->destination);
	struct region region;

	for (size_t ranges = 0; set_ranges(&region, box, ranges); ranges++)
		for (size_t source = 0; source < from.items_count; source++)
			for (size_t destination = 0; destination < to.items_count; destination++) {
				if (regions->items_count == MINIMISE_REGIONS_MOST)
					return false;
				set_side(&region, REGION_SOURCE, &from.items[source]);
				set_side(&region, REGION_DESTINATION, &to.items[destination]);
				*pool_append(shortening->pool, regions, items) = region;
			}
	return true;
}

/* All of it, from any to any, under a condition that nothing else has. */
static void set_unknown(struct shortening *shortening, struct minimise_entry *entry)
{
	entry->regions = NULL;
	entry->first = entry->second = NULL;
	entry->value[REGION_SOURCE] = entry->value[REGION_DESTINATION] = 0;
	entry->wildcard[REGION_SOURCE] = entry->wildcard[REGION_DESTINATION] =
		family_highest(shortening->list->family);
	entry->protocol = MINIMISE_PROTOCOL_ANY;
	entry->is_later = entry->is_line = false;
	entry->is_kept = true;
	entry->condition = ++shortening->conditions_count;
}

/* From the boxes that the reader makes of it. */
static void set_regions(struct shortening *shortening, const struct acl_entry *read, struct minimise_entry *entry)
{
	const struct acl_sets *sets = shortening->sets;
	struct regions regions = { 0 };
	bool is_known = true;

	for (size_t index = 0; index < sets->boxes_count && is_known; index++)
		if (sets->boxes[index].entry == read)
			is_known = add_box(shortening, &sets->boxes[index], &regions);
	if (!is_known || regions.items_count == 0) {
		set_unknown(shortening, entry);
		return;
	}
	entry->regions = regions.items;
	entry->regions_count = (uint32_t)regions.items_count;
}

/* --- one entry -------------------------------------------------------------------------------------- */

static bool has_groups(const struct acl_entry *entry)
{
	return entry->services != NULL || entry->source.group != NULL || entry->destination.group != NULL;
}

static bool has_ports(const struct acl_entry *entry)
{
	return entry->source_ports.operator != ACL_PORTS_ANY ||
	       entry->destination_ports.operator != ACL_PORTS_ANY || entry->icmp_type != ACL_ICMP_ANY;
}

/* It says `range 0 65535`, and takes no later fragments for that. */
static bool denies_all_ports(const struct acl_entry *read, const struct minimise_entry *entry)
{
	return read->action == ACL_DENY && entry->first == NULL && entry->second == NULL;
}

static void set_fields(struct shortening *shortening, const struct acl_entry *read, struct minimise_entry *entry)
{
	const struct acl_place *places[] = { &read->source, &read->destination };
	bool is_icmp = read->icmp_type != ACL_ICMP_ANY;

	for (enum region_side side = REGION_SOURCE; side <= REGION_DESTINATION; side++) {
		entry->value[side] = places[side]->value & ~places[side]->wildcard;
		entry->wildcard[side] = places[side]->wildcard;
	}
	entry->protocol = read->protocol;
	entry->condition = condition_of(shortening, read);
	entry->is_later = read->is_fragments;
	entry->is_line = !is_icmp && shortening->list->kind == ACL_EXTENDED;
	if (is_icmp) {
		entry->first = one_number(shortening, read->icmp_type);
		entry->second = one_number(shortening, read->icmp_code);
	} else if (!ports_of(shortening, &read->destination_ports, &entry->first) ||
		   !ports_of(shortening, &read->source_ports, &entry->second)) {
		set_regions(shortening, read, entry); /* neq of several, and no port at all */
	}
	if (has_groups(read) || (has_ports(read) && (read->is_fragments || denies_all_ports(read, entry))))
		set_regions(shortening, read, entry);
}

static bool is_all(const struct shortening *shortening, const struct acl_entry *entry)
{
	number128 all = family_highest(shortening->list->family);

	return entry->action == ACL_DENY && entry->source.wildcard == all && entry->destination.wildcard == all &&
	       entry->protocol == ACL_PROTOCOL_IP && !has_groups(entry) && !entry->is_fragments;
}

static void set_entry(struct shortening *shortening, size_t number)
{
	const struct acl_entry *read = shortening->list->entries[number];
	struct minimise_entry *entry = minimise_append(shortening->minimised);

	entry->is_permit = read->action == ACL_PERMIT;
	entry->colour = entry->is_permit ? MINIMISE_PERMIT : MINIMISE_DENY;
	if (read->kind == ACL_ENTRY_EVALUATE || read->log != ACL_LOG_NONE || read->reflect != NULL) {
		entry->colour = MINIMISE_COLOURS + (uint32_t)number;
		entry->is_kept = entry->is_barrier = true;
	}
	if (read->kind == ACL_ENTRY_EVALUATE)
		set_unknown(shortening, entry);
	else
		set_fields(shortening, read, entry);
	/* it says what else nobody sees */
	if (number + 1 == shortening->list->entries_count && is_all(shortening, read))
		entry->is_kept = true;
}

static void add_end(struct shortening *shortening, uint16_t type)
{
	struct minimise_entry *entry = minimise_append(shortening->minimised);

	entry->is_kept = entry->is_end = true;
	entry->wildcard[REGION_SOURCE] = entry->wildcard[REGION_DESTINATION] =
		family_highest(shortening->list->family);
	entry->protocol = type == ACL_ICMP_ANY ? MINIMISE_PROTOCOL_ANY : PROTOCOL_ICMP6;
	entry->first = one_number(shortening, type);
	entry->is_permit = type != ACL_ICMP_ANY;
	entry->colour = entry->is_permit ? MINIMISE_PERMIT : MINIMISE_DENY;
}

/* --- back ------------------------------------------------------------------------------------------- */

static struct acl_ports ports_back(struct shortening *shortening, const struct minimise_ports *ports)
{
	struct acl_ports back = { 0 };
	uint16_t *numbers;
	const struct port_range *first;

	if (ports == NULL)
		return back;
	first = &ports->ranges[0];
	numbers = pool_array(shortening->pool, uint16_t, minimise_ports_prefixes(ports) + 2);
	back.numbers = numbers;
	if (minimise_ports_are_neq(ports)) {
		back.operator = ACL_PORTS_NEQ;
		back.count = 1;
		numbers[0] = (uint16_t)(first->high + 1);
		return back;
	}
	if (ports->count == 1 && first->low < first->high) {
		back.operator = first->high == UINT16_MAX ? ACL_PORTS_GT : first->low == 0 ? ACL_PORTS_LT :
				ACL_PORTS_RANGE;
		back.count = back.operator == ACL_PORTS_RANGE ? 2 : 1;
		numbers[0] = (uint16_t)(first->low - (back.operator == ACL_PORTS_GT));
		numbers[1] = first->high;
		if (back.operator == ACL_PORTS_LT)
			numbers[0] = (uint16_t)(first->high + 1);
		return back;
	}
	back.operator = ACL_PORTS_EQ;
	for (uint32_t at = 0; at < ports->count; at++)
		for (uint32_t port = ports->ranges[at].low; port <= ports->ranges[at].high; port++)
			numbers[back.count++] = (uint16_t)port;
	return back;
}

static bool is_same(const struct minimise_entry *a, const struct minimise_entry *b)
{
	return a->colour == b->colour && a->first == b->first &&
	       memcmp(a->value, b->value, sizeof a->value) == 0 &&
	       memcmp(a->wildcard, b->wildcard, sizeof a->wildcard) == 0;
}

/* NULL: as it stood. */
static const struct acl_entry *entry_back(struct shortening *shortening, size_t number)
{
	const struct minimise_entry *entry = &shortening->minimised->entries[number];
	struct acl_entry *back;

	if (is_same(entry, &shortening->before[number]))
		return NULL;
	back = pool_new(shortening->pool, struct acl_entry);
	*back = *shortening->list->entries[number];
	back->action = entry->is_permit ? ACL_PERMIT : ACL_DENY;
	back->source = (struct acl_place){ entry->value[REGION_SOURCE], entry->wildcard[REGION_SOURCE], NULL };
	back->destination =
		(struct acl_place){ entry->value[REGION_DESTINATION], entry->wildcard[REGION_DESTINATION], NULL };
	if (entry->first != shortening->before[number].first)
		back->destination_ports = ports_back(shortening, entry->first);
	return back;
}

/* --- one list --------------------------------------------------------------------------------------- */

static void leave(struct shortening *shortening, const char *why)
{
	diag_add(shortening->diags, CODE_MINIMISE_LEFT, shortening->list->span, "list '%s' stays as it is: %s",
		 shortening->list->name, why);
}

/* The first complaint of a bag that is not shown. */
static const char *complaint(const struct diags *diags)
{
	for (size_t index = 0; index < diags->items_count; index++)
		if (diags->items[index]->severity == SEVERITY_ERROR)
			return diags->items[index]->message;
	return "its meaning is not known";
}

/* Each entry of a list that a crypto map names is a security association of its own. */
static bool is_of_crypto_map(const struct shortening *shortening)
{
	const struct acl_config *config = shortening->request->config;

	for (size_t index = 0; index < config->crypto_maps_count; index++)
		if (config->crypto_maps[index]->list != NULL &&
		    strcmp(config->crypto_maps[index]->list, shortening->list->name) == 0)
			return true;
	return false;
}

static bool is_understood(struct shortening *shortening)
{
	const struct acl_sets_settings settings = { shortening->list->family, true };
	struct diags *private = diags_new(shortening->pool, shortening->diags->sources);

	if (is_of_crypto_map(shortening)) {
		leave(shortening, "a crypto map names it, and each entry is an association of its own");
		return false;
	}
	if (shortening->list->unread_count > 0) {
		leave(shortening, "a line of it is not understood");
		return false;
	}
	shortening->sets = acl_sets_make(shortening->pool, private, shortening->request->config,
					 shortening->list, &settings);
	if (shortening->sets == NULL)
		leave(shortening, complaint(private));
	return shortening->sets != NULL;
}

static bool has_lists_of_ports(const struct acl_config *config)
{
	for (size_t index = 0; index < config->lists_count; index++)
		for (size_t at = 0; at < config->lists[index]->entries_count; at++)
			if (config->lists[index]->entries[at]->destination_ports.count > 1 &&
			    config->lists[index]->entries[at]->destination_ports.operator == ACL_PORTS_EQ)
				return true;
	return false;
}

static bool is_numbered(const struct acl_list *list)
{
	return list->name[strspn(list->name, "0123456789")] == '\0';
}

/* The list, worked out; what is not understood keeps its entries. */
static void shorten(struct shortening *shortening)
{
	const struct acl_list *list = shortening->list;
	struct arena *arena = arena_new(shortening->pool);
	struct minimise_entry *before;

	shortening->minimised = minimise_list_new(shortening->pool, family_bits(list->family),
						  shortening->request->aim);
	shortening->minimised->has_multi_eq =
		list->family == FAMILY_IPV4 && !is_numbered(list) &&
		(shortening->request->has_multi_eq || has_lists_of_ports(shortening->request->config));
	shortening->conditions = interned_new(shortening->pool, arena);
	for (size_t number = 0; number < list->entries_count; number++)
		set_entry(shortening, number);
	if (list->family == FAMILY_IPV6) {
		add_end(shortening, 136);
		add_end(shortening, 135);
	}
	add_end(shortening, ACL_ICMP_ANY);
	before = pool_array(shortening->pool, struct minimise_entry, list->entries_count);
	memcpy(before, shortening->minimised->entries, list->entries_count * sizeof *before);
	shortening->before = before;
	minimise(shortening->minimised);
	if (shortening->minimised->is_over)
		diag_add(shortening->diags, CODE_CISCO_MINIMISED, list->span,
			 "list '%s' is large: not all of it was tried to be made shorter", list->name);
}

static void write_list(struct shortening *shortening, struct text *out)
{
	const struct acl_list *list = shortening->list;
	struct remarks_writer writer = {
		.pool = shortening->pool, .out = out, .list = list, .sources = shortening->diags->sources,
	};

	remarks_begin(&writer);
	for (size_t number = 0; number < list->entries_count; number++) {
		const struct minimise_entry *entry =
			shortening->minimised != NULL ? &shortening->minimised->entries[number] : NULL;

		if (entry == NULL)
			remarks_write(&writer, number, NULL, NULL);
		else if (!entry->is_gone)
			remarks_write(&writer, number, entry->parts, entry_back(shortening, number));
	}
	remarks_end(&writer);
}

/* Read back behind what was there. */
static const struct acl_config *read_back(struct shortening *shortening, const struct text *text)
{
	struct diags *private = diags_new(shortening->pool, shortening->diags->sources);
	const struct acl_list *list = shortening->list;
	struct text *typed = text_new(shortening->pool);
	uint32_t sources[2] = { shortening->request->source };

	if (list->family == FAMILY_IPV6)
		text_addf(typed, "no ipv6 access-list %s\n", list->name);
	else
		text_addf(typed, "no ip access-list %s %s\n", list->kind == ACL_STANDARD ? "standard" : "extended",
			  list->name);
	text_add_bytes(typed, text->bytes, text->length);
	sources[1] = sources_add(shortening->diags->sources, "<minimised>", typed->bytes, typed->length, false);
	return acl_read_all(shortening->pool, private, sources, 2);
}

/* false: the list stays as it is; *is_wrong: that is a mistake of this program. */
static bool is_proved(struct shortening *shortening, const struct text *text, bool *is_wrong)
{
	const struct acl_config *config = read_back(shortening, text);
	const struct acl_list *list = shortening->list;
	const struct acl_list *after = acl_list_find(config, list->family, list->name);
	const char *packet = NULL;
	enum minimise_proof proof = MINIMISE_DIFFERS;

	if (after != NULL && after->entries_count > 0 && after->unread_count == 0)
		proof = minimise_prove(shortening->pool, diags_new(shortening->pool, shortening->diags->sources),
				       shortening->request->config, list, config, after, &packet);
	if (proof == MINIMISE_UNDECIDED)
		leave(shortening, "the comparison with the shorter one needs more memory than it may have");
	*is_wrong = proof == MINIMISE_DIFFERS;
	if (*is_wrong)
		diag_add(shortening->diags, CODE_MINIMISE_UNPROVEN, list->span,
			 "list '%s' would not mean the same when it is shorter: %s", list->name,
			 packet != NULL ? packet : "it is not understood when it is read back");
	return proof == MINIMISE_EQUAL;
}

static bool is_changed(const struct shortening *shortening)
{
	for (size_t number = 0; number < shortening->list->entries_count; number++)
		if (shortening->minimised->entries[number].is_gone ||
		    !is_same(&shortening->minimised->entries[number], &shortening->before[number]))
			return true;
	return false;
}

static struct list_cost cost_of(struct shortening *shortening, bool is_after)
{
	struct cost_summing summing = { .pool = shortening->pool, .config = shortening->request->config,
					.list = shortening->list, .sources = shortening->diags->sources };

	for (size_t number = 0; number < shortening->list->entries_count; number++) {
		const struct acl_entry *entry = NULL;

		if (is_after && shortening->minimised->entries[number].is_gone)
			continue;
		if (is_after)
			entry = entry_back(shortening, number);
		list_cost_add(&summing, entry != NULL ? entry : shortening->list->entries[number]);
	}
	return list_cost_sum(&summing);
}

static void add_figures(struct text *report, const struct list_cost *cost)
{
	text_addf(report, "%zu entries, %zu in hardware, %zu%s range registers", cost->entries, cost->expanded,
		  cost->registers / 2, cost->registers % 2 != 0 ? ".5" : "");
}

static void report_list(struct shortening *shortening, struct text *report)
{
	struct list_cost cost;

	text_addf(report, "%s: ", shortening->list->name);
	if (shortening->minimised == NULL) {
		text_addf(report, "%zu entries, as it was\n", shortening->list->entries_count);
		return;
	}
	cost = cost_of(shortening, false);
	add_figures(report, &cost);
	cost = cost_of(shortening, true);
	text_add(report, "; now ");
	add_figures(report, &cost);
	text_add_char(report, '\n');
}

static bool minimise_one(struct text *out, struct text *report, struct diags *diags,
			 const struct minimise_request *request, const struct acl_list *list)
{
	struct shortening shortening = {
		.pool = pool_child(out->pool, "shorten"), .diags = diags, .request = request, .list = list,
	};
	struct text *text = text_new(shortening.pool);
	bool is_wrong = false;

	if (list->is_foreign) {
		leave(&shortening, "its head is none of IOS, and it is left out");
		report_list(&shortening, report);
		return true;
	}
	if (list->entries_count > 0 && is_understood(&shortening)) {
		shorten(&shortening);
		write_list(&shortening, text);
		if (is_changed(&shortening) && !is_proved(&shortening, text, &is_wrong)) {
			shortening.minimised = NULL;
			text = text_new(shortening.pool);
			write_list(&shortening, text);
		}
	} else {
		write_list(&shortening, text);
	}
	text_add_bytes(out, text->bytes, text->length);
	report_list(&shortening, report);
	return !is_wrong;
}

bool minimise_config(struct text *out, struct text *report, struct diags *diags,
		     const struct minimise_request *request)
{
	bool is_good = true, has_some = false;

	for (size_t index = 0; index < request->config->lists_count; index++) {
		const struct acl_list *list = request->config->lists[index];

		if (list->kind == ACL_REFLEXIVE ||
		    (request->list != NULL && strcmp(request->list, list->name) != 0))
			continue;
		text_add(out, out->length > 0 && !list->is_foreign ? "!\n" : "");
		has_some = true;
		is_good = minimise_one(out, report, diags, request, list) && is_good;
	}
	if (!has_some)
		diag_add(diags, CODE_FOREIGN_LIST, SPAN_NONE, request->list != NULL ? "there is no list '%s'" :
			 "there is no access list of Cisco IOS in the text", request->list);
	return is_good && has_some;
}
