/* Names are looked up by the hash of what they stand for. Boxes that differ in one field alone are joined
 * before they are written. */
#include "analyse/describe.h"

#include <string.h>
#include <time.h>

#include "analyse/zone_names.h"
#include "base/names.h"
#include "base/pool.h"
#include "base/row.h"
#include "net/protocol.h"
#include "resolve/places.h"

#define SHOWN_MOST 6
#define BOXES_MOST 256

struct describer {
	void *pool;
	void *scratch; /* of what is being described */
	const struct packet_universe *universe;
	const struct policy *policy;
	struct zone_names *zones;
	struct names *addresses; /* (family, hash) -> struct named_set: the first of its hash */
	struct names *services;  /* (protocol, family, first, second) -> name */
	bool is_to_self; /* of what is being described: only packets to the firewall are meant */
	struct several *several; /* services of more than one tuple */
	size_t several_count, several_capacity;
};

struct several {
	const char *name;
	const struct tuple_set *tuples;
};

struct named_set {
	const char *name;
	const struct interval_set *set;
	bool has_both; /* the name stands for addresses of both families */
};

struct set_key {
	uint64_t hash;
	uint64_t family;
};

/* --- names ------------------------------------------------------------------------------------------- */

static void add_name(struct describer *describer, const char *name, enum family family,
		     const struct interval_set *set, bool has_both)
{
	struct set_key key = { interval_set_hash(set), family };
	struct named_set *named;

	if (set->items_count == 0 ||
	    names_find(describer->addresses, (const char *)&key, sizeof key) != NULL)
		return;
	named = pool_new(describer->pool, struct named_set);
	*named = (struct named_set){ name, set, has_both };
	names_set(describer->addresses, (const char *)&key, sizeof key, named);
}

static void add_both(struct describer *describer, const char *name, const struct address_set *set)
{
	bool has_both = set->v4.items_count > 0 && set->v6.items_count > 0;

	add_name(describer, name, FAMILY_IPV4, &set->v4, has_both);
	add_name(describer, name, FAMILY_IPV6, &set->v6, has_both);
}

/* A name of another policy may stand for something else in this one. */
static bool is_own_name(const struct describer *describer, const struct policy *policy, const char *name)
{
	return policy == describer->policy ||
	       names_find(describer->policy->places, name, strlen(name)) == NULL;
}

/* Zones first, then what else has addresses of its own. */
static void add_places(struct describer *describer, const struct policy *policy)
{
	for (size_t index = 0; index < policy->zones_count; index++)
		if (is_own_name(describer, policy, policy->zones[index]->name))
			zone_names_add(describer->zones, policy->zones[index]);
	for (size_t index = 0; index < names_count(policy->places); index++) {
		const struct place_definition *place = names_value(policy->places, index);

		if (place->state == PLACE_STATE_RESOLVED && place->addresses != NULL &&
		    is_own_name(describer, policy, place->name))
			add_both(describer, place->name, place->addresses);
	}
}

/* A tuple as a key: its fields one by one, for the bytes between them are nobody's. */
struct tuple_key {
	uint16_t fields[6];
};

static struct tuple_key tuple_key(const struct service_tuple *tuple)
{
	return (struct tuple_key){ { tuple->protocol, tuple->families, tuple->first.low, tuple->first.high,
				     tuple->second.low, tuple->second.high } };
}

static void add_service(struct describer *describer, const struct service *service)
{
	struct tuple_key key;

	if (service->own.tuples_count != 1) {
		for (size_t index = 0; index < describer->several_count; index++)
			if (strcmp(describer->several[index].name, service->name) == 0)
				return;
		*pool_append(describer->pool, describer, several) =
			(struct several){ service->name, &service->own };
		return;
	}
	key = tuple_key(service->own.tuples);
	if (names_find(describer->services, (const char *)&key, sizeof key) == NULL)
		names_set(describer->services, (const char *)&key, sizeof key, (void *)service->name);
}

/* Services that the rules name. */
static void add_services(struct describer *describer, const struct policy *policy)
{
	for (size_t rule = 0; rule < policy->rules_count; rule++)
		for (size_t word = 0; word < policy->rules[rule]->words_count; word++)
			if (policy->rules[rule]->words[word].service != NULL)
				add_service(describer, policy->rules[rule]->words[word].service);
}

struct describer *describer_new(void *pool, const struct packet_universe *universe,
				const struct policy *policy)
{
	struct describer *describer = pool_new(pool, struct describer);

	*describer = (struct describer){ .universe = universe, .policy = policy };
	describer->pool = describer->scratch = describer;
	describer->zones = zone_names_new(describer, universe);
	describer->addresses = names_new(describer, false);
	describer->services = names_new(describer, false);
	describer_add(describer, policy);
	return describer;
}

void describer_add(struct describer *describer, const struct policy *policy)
{
	add_places(describer, policy);
	add_services(describer, policy);
}

/* --- services ---------------------------------------------------------------------------------------- */

static struct port_range range_of(const struct interval *interval)
{
	return (struct port_range){ (uint16_t)interval->low, (uint16_t)interval->high };
}

/* The tuples of a box, and which of them have a name already. */
struct box_tuples {
	struct service_tuple *items;
	const char **names; /* of each: "" behind the first of a service of several */
	size_t items_count, items_capacity;
};

static size_t tuple_find(const struct box_tuples *tuples, const struct service_tuple *wanted)
{
	const struct tuple_key key = tuple_key(wanted);

	for (size_t index = 0; index < tuples->items_count; index++) {
		struct tuple_key own = tuple_key(&tuples->items[index]);

		if (tuples->names[index] == NULL && memcmp(&own, &key, sizeof own) == 0)
			return index;
	}
	return SIZE_MAX;
}

/* Where the box has all of the service, that is one word. */
static void name_several(struct box_tuples *tuples, const struct several *service)
{
	size_t first = SIZE_MAX;

	for (size_t index = 0; index < service->tuples->tuples_count; index++) {
		size_t at = tuple_find(tuples, &service->tuples->tuples[index]);

		if (at == SIZE_MAX)
			return;
		first = at < first ? at : first;
	}
	for (size_t index = 0; index < service->tuples->tuples_count; index++)
		tuples->names[tuple_find(tuples, &service->tuples->tuples[index])] = "";
	if (first != SIZE_MAX)
		tuples->names[first] = service->name;
}

/* Of more tuples names of several are not looked for: a row shows few of them. */
#define NAMED_MOST 64

static void add_tuples(struct describer *describer, struct row *row, struct box_tuples *tuples)
{
	tuples->names = pool_array(describer->scratch, const char *, tuples->items_count + 1);
	for (size_t index = 0; index < describer->several_count && tuples->items_count <= NAMED_MOST; index++)
		name_several(tuples, &describer->several[index]);
	for (size_t index = 0; index < tuples->items_count; index++) {
		struct tuple_key key = tuple_key(&tuples->items[index]);
		/* the database has no family in the services of most protocols */
		const char *name = tuples->names[index] != NULL ? tuples->names[index] :
				   names_find(describer->services, (const char *)&key, sizeof key);

		if ((name != NULL && name[0] == '\0') || !row_next(row))
			continue;
		if (name != NULL)
			text_add(row->out, name);
		else
			tuple_format(row->out, &tuples->items[index]);
	}
}

static uint8_t families_of(unsigned protocol)
{
	return protocol == PROTOCOL_ICMP ? FAMILIES_IPV4 :
	       protocol == PROTOCOL_ICMP6 ? FAMILIES_IPV6 : FAMILIES_BOTH;
}

static void add_protocol(struct describer *describer, struct box_tuples *tuples, const struct packet_box *box,
			 unsigned protocol)
{
	bool is_icmp = protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
	struct interval whole = { 0, is_icmp ? UINT8_MAX : UINT16_MAX };
	struct interval_set all = { &whole, 1, 1 };
	bool has_parts = is_icmp || protocol_has_ports(protocol);
	const struct interval_set *firsts =
		box->fields[FIELD_FIRST] != NULL && has_parts ? box->fields[FIELD_FIRST] : &all;
	const struct interval_set *seconds =
		box->fields[FIELD_SECOND] != NULL && has_parts ? box->fields[FIELD_SECOND] : &all;

	for (size_t first = 0; first < firsts->items_count; first++)
		for (size_t second = 0; second < seconds->items_count; second++)
			*pool_append(describer->scratch, tuples, items) = (struct service_tuple){
				.protocol = (uint16_t)protocol,
				.families = families_of(protocol),
				.first = range_of(&firsts->items[first]),
				.second = range_of(&seconds->items[second]),
			};
}

static bool is_few(const struct interval *protocols)
{
	return protocols->high - protocols->low < 8;
}

/* What is named one by one. false: there is more, which is not. */
static bool collect_tuples(struct describer *describer, const struct packet_box *box, struct box_tuples *tuples)
{
	const struct interval_set *protocols = box->fields[FIELD_PROTOCOL];
	bool is_all = protocols != NULL;

	for (size_t index = 0; protocols != NULL && index < protocols->items_count; index++) {
		const struct interval *item = &protocols->items[index];

		is_all = is_all && is_few(item);
		for (unsigned protocol = (unsigned)item->low; is_few(item) && protocol <= item->high; protocol++)
			add_protocol(describer, tuples, box, protocol);
	}
	return is_all;
}

#define LEFT_OUT_MOST 3

/* "any except any/tcp": all of all protocols but few. */
static bool add_all_but(struct describer *describer, struct text *out, const struct packet_box *box)
{
	struct interval every = { 0, UINT8_MAX };
	struct interval_set all = { &every, 1, 1 };
	struct interval_set rest = interval_set_subtract(describer->scratch, &all, box->fields[FIELD_PROTOCOL]);
	struct packet_box left_out = { .fields = { [FIELD_PROTOCOL] = &rest } };
	struct box_tuples tuples = { 0 };
	struct row row = { .out = out, .most = SHOWN_MOST };

	if (box->fields[FIELD_FIRST] != NULL || box->fields[FIELD_SECOND] != NULL ||
	    !collect_tuples(describer, &left_out, &tuples) || tuples.items_count > LEFT_OUT_MOST)
		return false;
	text_add(out, "any except ");
	add_tuples(describer, &row, &tuples);
	row_end(&row);
	return true;
}

/* Most protocols at once are "any" with exceptions; few are named one by one. */
static void add_services_of(struct describer *describer, struct text *out, const struct packet_box *box,
			    struct box_tuples *tuples)
{
	const struct interval_set *protocols = box->fields[FIELD_PROTOCOL];
	struct row row = { .out = out, .most = SHOWN_MOST };

	if (protocols == NULL) {
		text_add(out, "any service");
		return;
	}
	if (add_all_but(describer, out, box))
		return;
	add_tuples(describer, &row, tuples);
	for (size_t index = 0; index < protocols->items_count; index++)
		if (!is_few(&protocols->items[index]) && row_next(&row))
			text_addf(out, "protocols %u to %u", (unsigned)protocols->items[index].low,
				  (unsigned)protocols->items[index].high);
	row_end(&row);
}

/* --- places ------------------------------------------------------------------------------------------ */

static const struct named_set *named_of(const struct describer *describer, enum family family,
					const struct interval_set *set)
{
	struct set_key key = { interval_set_hash(set), family };
	const struct named_set *named =
		names_find(describer->addresses, (const char *)&key, sizeof key);

	return named != NULL && interval_set_equals(named->set, set) ? named : NULL;
}

static bool box_family(const struct packet_box *box, enum family *family)
{
	const struct interval_set *set = box->fields[FIELD_FAMILY];

	if (set == NULL || set->items_count != 1 || set->items[0].low != set->items[0].high)
		return false;
	*family = (enum family)set->items[0].low;
	return true;
}

static bool is_whole(enum family family, const struct interval_set *set)
{
	return set->items_count == 1 && set->items[0].low == 0 &&
	       set->items[0].high == family_highest(family);
}

static struct interval_set all_but(void *pool, enum family family, const struct interval_set *set)
{
	struct interval whole = { 0, family_highest(family) };
	const struct interval_set all = { &whole, 1, 1 };

	return interval_set_subtract(pool, &all, set);
}

/* Is what is left out the smaller part? */
static bool is_most(const struct interval_set *rest, enum family family)
{
	number128 sum = 0;

	for (size_t index = 0; index < rest->items_count; index++)
		sum += rest->items[index].high - rest->items[index].low;
	return sum < family_highest(family) / 2;
}

/* What is said of one side of a box. Exactly one of the three where it is not any. */
struct side_words {
	const char *name; /* of a zone or of what has addresses */
	bool is_zone;     /* of these interfaces, too */
	bool has_both;    /* the name stands for addresses of both families */
	bool is_except;   /* of the smaller part, which is the list */
	const struct interval_set *list;
	enum family family;
};

/* Only a zone without interfaces can be left out of all of them. */
static void name_most(const struct describer *describer, const struct zone_side *side,
		      struct side_words *words)
{
	struct interval_set *rest = pool_new(describer->scratch, struct interval_set);
	struct zone_side but = { side->hook, side->field, side->family, rest, NULL };
	const struct named_set *named;
	bool has_both;

	*rest = all_but(describer->scratch, words->family, words->list);
	if (rest->items_count == 0 || !is_most(rest, words->family) ||
	    rest->items_count > words->list->items_count)
		return;
	named = named_of(describer, words->family, rest);
	words->is_except = true;
	words->list = rest;
	words->name = named != NULL ? named->name : zone_names_find(describer->zones, &but, &has_both);
}

static struct side_words side_words(const struct describer *describer, enum hook hook,
				    const struct packet_box *box, enum packet_field field)
{
	struct zone_side side = {
		.hook = hook, .field = field, .addresses = box->fields[field],
		.interfaces = box->fields[field == FIELD_SOURCE ? FIELD_IN : FIELD_OUT],
	};
	struct side_words words = { 0 };
	const struct named_set *named;

	if (side.addresses == NULL || !box_family(box, &side.family) || is_whole(side.family, side.addresses))
		return words;
	words.family = side.family;
	words.list = side.addresses;
	words.name = zone_names_find(describer->zones, &side, &words.has_both);
	words.is_zone = words.name != NULL;
	named = words.is_zone ? NULL : named_of(describer, side.family, side.addresses);
	if (named != NULL) {
		words.name = named->name;
		words.has_both = named->has_both;
	}
	if (words.name == NULL)
		name_most(describer, &side, &words);
	return words;
}

/* except: "any except ", where most of all are meant. */
static void add_addresses(struct text *out, const char *except, const struct side_words *words)
{
	struct row row = { .out = out, .most = SHOWN_MOST };

	if (words->list == NULL)
		text_add(out, "any");
	if (words->is_except)
		text_add(out, except);
	if (words->name != NULL)
		text_add(out, words->name);
	for (size_t index = 0; words->name == NULL && words->list != NULL && index < words->list->items_count;
	     index++)
		if (row_next(&row))
			address_interval_format(out, words->family, &words->list->items[index]);
	row_end(&row);
}

static void add_interfaces(struct describer *describer, struct text *out, const struct packet_box *box,
			   enum packet_field field)
{
	const struct interval_set *set = box->fields[field];
	size_t others = describer->universe->interfaces_count + 1;
	struct row row = { .out = out, .most = SHOWN_MOST };

	if (set == NULL ||
	    (set->items_count == 1 && set->items[0].low <= 1 && set->items[0].high >= others))
		return;
	text_add(out, " on ");
	for (size_t index = 0; index < set->items_count; index++)
		for (number128 number = set->items[index].low; number <= set->items[index].high; number++)
			if (number > 0 && row_next(&row))
				text_add(out, number == others ? "others" :
					 packet_universe_interface(describer->universe, (size_t)number));
	row_end(&row);
}

static void add_side(struct describer *describer, struct text *out, enum hook hook,
		     const struct packet_box *box, enum packet_field field)
{
	struct side_words words = side_words(describer, hook, box, field);
	bool is_source = field == FIELD_SOURCE;
	bool is_self = is_source ? hook == HOOK_OUTPUT : hook == HOOK_INPUT || describer->is_to_self;

	add_addresses(out, is_self ? "self except " : "any except ", &words);
	if (!words.is_zone)
		add_interfaces(describer, out, box, is_source ? FIELD_IN : FIELD_OUT);
}

#define DAY_MINUTES (24 * 60)

/* The end is exclusive, as in a schedule. */
static void add_minutes(struct text *out, const struct interval_set *set)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	struct row row = { .out = out, .most = SHOWN_MOST };

	text_add(out, ", ");
	for (size_t index = 0; index < set->items_count; index++) {
		unsigned low = (unsigned)set->items[index].low, end = (unsigned)set->items[index].high + 1;

		if (!row_next(&row))
			continue;
		text_addf(out, "%s %02u:%02u-", days[low / DAY_MINUTES], low % DAY_MINUTES / 60, low % 60);
		if ((end - 1) / DAY_MINUTES != low / DAY_MINUTES)
			text_addf(out, "%s ", days[(end - 1) / DAY_MINUTES]);
		text_addf(out, "%02u:%02u", ((end - 1) % DAY_MINUTES + 1) / 60, end % 60);
	}
	row_end(&row);
	text_add(out, " UTC");
}

/* Do the words leave the family open? "Any except" some addresses holds all of the other family. */
static bool is_open_side(const struct side_words *words)
{
	return words->list == NULL || words->is_except || (words->name != NULL && words->has_both);
}

/* A box of one family whose words do not say which. */
static bool hides_family(const struct describer *describer, enum hook hook, const struct packet_box *box,
			 enum family *family)
{
	struct side_words source = side_words(describer, hook, box, FIELD_SOURCE);
	struct side_words destination = side_words(describer, hook, box, FIELD_DESTINATION);

	return box_family(box, family) && is_open_side(&source) && is_open_side(&destination);
}

static void add_second(struct text *out, time_t second)
{
	struct tm parts;

	gmtime_r(&second, &parts);
	text_addf(out, "%04d-%02d-%02d %02d:%02d", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
		  parts.tm_hour, parts.tm_min);
}

/* Between the ends of rules. */
static void add_eras(struct text *out, const struct packet_universe *universe, const struct interval_set *set)
{
	struct row row = { .out = out, .most = SHOWN_MOST };

	text_add(out, ", ");
	for (size_t index = 0; index < set->items_count; index++) {
		size_t low = (size_t)set->items[index].low, high = (size_t)set->items[index].high;

		if (!row_next(&row))
			continue;
		if (low > 0) {
			text_add(out, "from ");
			add_second(out, universe->ends[low - 1]);
		}
		if (high < universe->ends_count) {
			text_add(out, low > 0 ? " until " : "until ");
			add_second(out, universe->ends[high]);
		}
	}
	row_end(&row);
	text_add(out, " UTC");
}

static void add_rest(const struct describer *describer, struct text *out, const struct packet_box *box)
{
	if (box->fields[FIELD_TRANSLATED] != NULL)
		text_add(out, box->fields[FIELD_TRANSLATED]->items[0].low != 0 ?
			 ", translated by a 'forward'" : ", not translated");
	if (box->fields[FIELD_MINUTE] != NULL)
		add_minutes(out, box->fields[FIELD_MINUTE]);
	if (box->fields[FIELD_ERA] != NULL)
		add_eras(out, describer->universe, box->fields[FIELD_ERA]);
}

/* All but the services. */
static void add_places_of(struct describer *describer, struct text *out, enum hook hook,
			  const struct packet_box *box)
{
	text_add(out, " from ");
	if (hook == HOOK_OUTPUT && box->fields[FIELD_SOURCE] == NULL)
		text_add(out, "self");
	else
		add_side(describer, out, hook, box, FIELD_SOURCE);
	text_add(out, " to ");
	if ((hook == HOOK_INPUT || describer->is_to_self) && box->fields[FIELD_DESTINATION] == NULL)
		text_add(out, "self");
	else
		add_side(describer, out, hook, box, FIELD_DESTINATION);
	add_rest(describer, out, box);
}

/* --- sets -------------------------------------------------------------------------------------------- */

static bool sets_equal(const struct interval_set *a, const struct interval_set *b)
{
	return a == b || (a != NULL && b != NULL && interval_set_equals(a, b));
}

/* The one field in which two boxes differ; PACKET_FIELDS: none, or more than one. */
static size_t differing_field(const struct packet_box *a, const struct packet_box *b)
{
	size_t found = PACKET_FIELDS;

	for (size_t field = 0; field < PACKET_FIELDS; field++) {
		if (sets_equal(a->fields[field], b->fields[field]))
			continue;
		if (found != PACKET_FIELDS)
			return PACKET_FIELDS;
		found = field;
	}
	return found;
}

static bool join(void *pool, struct packet_box *box, const struct packet_box *other)
{
	size_t field = differing_field(box, other);
	struct interval_set *sum;

	if (field == PACKET_FIELDS)
		return false;
	if (box->fields[field] == NULL || other->fields[field] == NULL) {
		box->fields[field] = NULL;
		return true;
	}
	sum = pool_new(pool, struct interval_set);
	*sum = interval_set_union(pool, box->fields[field], other->fields[field]);
	box->fields[field] = sum;
	return true;
}

static size_t join_all(void *pool, struct packet_box *boxes, size_t count)
{
	for (size_t a = 0; a < count; a++)
		for (size_t b = a + 1; b < count; b++)
			if (join(pool, &boxes[a], &boxes[b])) {
				boxes[b] = boxes[--count];
				b = a; /* the grown box may join others */
			}
	return count;
}

struct line {
	const char *text;
	enum family family;
	bool hides_family, is_told;
	/* before it has a text */
	const struct packet_box *box;
	const char *places;
	struct box_tuples tuples;
	bool is_named_whole; /* the tuples are all of its services */
};

static struct line line_of(struct describer *describer, enum hook hook, const struct packet_box *box)
{
	struct text *places = text_new(describer->scratch);
	struct line line = { .box = box };

	add_places_of(describer, places, hook, box);
	line.places = places->bytes;
	line.is_named_whole = collect_tuples(describer, box, &line.tuples);
	line.hides_family = hides_family(describer, hook, box, &line.family);
	return line;
}

/* Lines of the same places become one. */
static size_t join_services(struct describer *describer, struct line *lines, size_t count)
{
	size_t kept = 0;

	for (size_t index = 0; index < count; index++) {
		struct line *line = &lines[index];
		size_t same = 0;

		while (same < kept && (!line->is_named_whole || !lines[same].is_named_whole ||
				       lines[same].hides_family != line->hides_family ||
				       lines[same].family != line->family ||
				       strcmp(lines[same].places, line->places) != 0))
			same++;
		if (same == kept) {
			lines[kept++] = *line;
			continue;
		}
		for (size_t tuple = 0; tuple < line->tuples.items_count; tuple++)
			*pool_append(describer->scratch, &lines[same].tuples, items) = line->tuples.items[tuple];
	}
	return kept;
}

static void write_line(struct describer *describer, struct line *line)
{
	struct text *text = text_new(describer->scratch);

	add_services_of(describer, text, line->box, &line->tuples);
	text_add(text, line->places);
	line->text = text->bytes;
}

/* Finds the other family's line of the same words: both are told at once. */
static bool tell_twin(struct line *lines, size_t count, size_t index)
{
	for (size_t other = index + 1; other < count; other++) {
		if (lines[other].is_told || !lines[other].hides_family ||
		    lines[other].family == lines[index].family ||
		    strcmp(lines[other].text, lines[index].text) != 0)
			continue;
		lines[other].is_told = true;
		return true;
	}
	return false;
}

static void add_line(struct text *out, struct line *lines, size_t count, size_t index, const char *lead)
{
	struct line *line = &lines[index];

	text_addf(out, "%s%s", lead, line->text);
	if (line->hides_family && !tell_twin(lines, count, index))
		text_add(out, line->family == FAMILY_IPV4 ? " (IPv4)" : " (IPv6)");
	text_add_char(out, '\n');
}

/* The lines of a set; gives how many they are. */
static size_t lines_of(struct describer *describer, const struct packet_space *space, enum hook hook,
		       packet_set set, struct line **lines, bool *is_whole)
{
	struct packet_box *boxes = pool_array(describer->scratch, struct packet_box, BOXES_MOST);
	size_t count = packet_set_boxes(describer->scratch, space, set, boxes, BOXES_MOST, is_whole);

	count = join_all(describer->scratch, boxes, count);
	*lines = pool_array(describer->scratch, struct line, count + 1);
	for (size_t index = 0; index < count; index++)
		(*lines)[index] = line_of(describer, hook, &boxes[index]);
	count = join_services(describer, *lines, count);
	for (size_t index = 0; index < count; index++)
		write_line(describer, &(*lines)[index]);
	return count;
}

void describe_set(struct describer *describer, struct text *out, const struct packet_space *space,
		  enum hook hook, packet_set set, size_t most, const char *lead)
{
	struct line *lines;
	bool is_whole;
	size_t count, told = 0, left_out = 0;

	describer->scratch = pool_child(describer->pool, "description");
	count = lines_of(describer, space, hook, set, &lines, &is_whole);
	for (size_t index = 0; index < count; index++) {
		if (lines[index].is_told)
			continue;
		if (told++ < most)
			add_line(out, lines, count, index, lead);
		else
			left_out++;
	}
	if (left_out > 0 || !is_whole)
		text_addf(out, "%sand more\n", lead);
	talloc_free(describer->scratch);
	describer->scratch = describer->pool;
}

void describe_set_to_self(struct describer *describer, struct text *out, const struct packet_space *space,
			  enum hook hook, packet_set set, size_t most, const char *lead)
{
	describer->is_to_self = true;
	describe_set(describer, out, space, hook, set, most, lead);
	describer->is_to_self = false;
}
