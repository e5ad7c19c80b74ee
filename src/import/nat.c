/* Chain by chain: entries as in the filter table (unfold.h), each with what no earlier one took, where an
 * earlier one takes packets out of translation; then a box, then a sentence. */
#include "import/nat.h"

#include <ctype.h>
#include <string.h>

#include "base/pool.h"
#include "import/words.h"

#define BOXES_MOST 256u

struct translating {
	const struct import_rows_settings *settings;
	struct import_space *space;
	struct import_translations *translations;
	bool is_source; /* POSTROUTING */
	bool is_own;    /* OUTPUT */
	const struct import_entry *entry;
};

/* ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT or :PORT */
struct destination {
	struct address address;
	bool has_address;
	unsigned port; /* 0: unchanged */
};

static void complain(struct translating *run, struct span span, const char *what)
{
	if (import_is_told(run->settings->diags, CODE_IPTABLES_UNSAYABLE, span))
		return;
	diag_add(run->settings->diags, CODE_IPTABLES_UNSAYABLE, span,
		 "no translation can say what this says: it speaks of %s", what);
}

static bool refuse(struct translating *run, const char *what)
{
	complain(run, run->entry->rule->span, what);
	return false;
}

/* --- targets -------------------------------------------------------------------------------------- */

static bool port_parse(const char *text, unsigned *port)
{
	*port = 0;
	for (; isdigit((unsigned char)*text) && *port <= UINT16_MAX; text++)
		*port = *port * 10 + (unsigned)(*text - '0');
	return *text == '\0' && *port > 0 && *port <= UINT16_MAX;
}

static bool destination_parse(const char *text, struct destination *destination)
{
	const bool has_brackets = text[0] == '[';
	const char *begin = has_brackets ? text + 1 : text, *end;

	*destination = (struct destination){ 0 };
	if (!has_brackets && address_parse(text, strlen(text), &destination->address)) {
		destination->has_address = true;
		return true;
	}
	end = has_brackets ? strchr(begin, ']') : strchr(begin, ':');
	if (end == NULL)
		return false;
	destination->has_address = end > begin;
	if (destination->has_address &&
	    !address_parse(begin, (size_t)(end - begin), &destination->address))
		return false;
	end += has_brackets ? 1 : 0;
	return *end == '\0' ? has_brackets : *end == ':' && port_parse(end + 1, &destination->port);
}

/* The argument of the one option that a target has here; NULL: another, or none. */
static const char *only_option(const struct import_match *match, const char *option)
{
	return match->options_count == 2 && strcmp(match->options[0].text, option) == 0 ?
	       match->options[1].text : NULL;
}

/* --- sides ---------------------------------------------------------------------------------------- */

/* Addresses are what is left out, so that the side stays open to the firewall's own packets where it is
 * (`from any except …`), and stands beside zones (`to wan except …`). */
static void add_side(struct translating *run, struct text *out, const char *word, const char *first,
		     const char *zones, const struct interval_set *addresses)
{
	static const char except[] = "any except ";
	struct import_space *space = run->space;
	struct interval_set whole = { .items = &(struct interval){ 0, family_highest(space->family) },
		.items_count = 1 }, others = { 0 };
	const bool lacks_zones = zones != NULL && strncmp(zones, except, strlen(except)) == 0;
	const bool has_zones = zones != NULL && !lacks_zones;
	const char *comma = " except ";

	if (addresses != NULL)
		others = interval_set_subtract(space->pool, &whole, addresses);
	text_addf(out, " %s %s", word, has_zones ? zones : "any");
	if (first[0] != '\0' && !has_zones) {
		text_addf(out, "%s%s", comma, first);
		comma = ", ";
	}
	if (lacks_zones) {
		text_addf(out, "%s%s", comma, zones + strlen(except));
		comma = ", ";
	}
	if (others.items_count > 0) {
		text_add(out, comma);
		import_add_intervals(out, space->family, &others);
	}
}

static void add_statement(struct translating *run, struct text *out)
{
	const char *comment = run->entry->match.comment;

	if (comment != NULL && comment[0] != '\0') {
		text_add(out, " because \"");
		spelling_safe(out, comment);
		text_add_char(out, '"');
	}
	text_add_char(out, ';');
	*pool_append(run->space->pool, run->translations, statements) = out->bytes;
}

/* --- sources -------------------------------------------------------------------------------------- */

static bool make_source(struct translating *run, const struct import_box *box)
{
	const struct import_match *match = &run->entry->match;
	const bool is_masquerade = strcmp(match->target->text, "MASQUERADE") == 0;
	const char *as = only_option(match, "--to-source");
	struct text *out = text_new(run->space->pool);
	struct address address;

	if (box->fields[IMPORT_PROTOCOL] != NULL || box->fields[IMPORT_FIRST] != NULL ||
	    box->fields[IMPORT_SECOND] != NULL)
		return refuse(run, "services of a source translation");
	if (is_masquerade ? match->options_count > 0 : as == NULL)
		return refuse(run, "how a source translation chooses ports");
	if (!is_masquerade && !address_parse(as, strlen(as), &address))
		return refuse(run, "a source translation to more than one address");
	text_add(out, is_masquerade ? "masquerade" : "snat");
	add_side(run, out, "from", "", import_zones_of(run->settings, box->fields[IMPORT_IN]),
		 box->fields[IMPORT_SOURCE]);
	add_side(run, out, "to", "", import_zones_of(run->settings, box->fields[IMPORT_OUT]),
		 box->fields[IMPORT_DESTINATION]);
	if (is_masquerade)
		text_add(out, run->space->family == FAMILY_IPV4 ? " ipv4" : " ipv6");
	else
		text_addf(out, " as %s", as);
	add_statement(run, out);
	return true;
}

/* --- destinations --------------------------------------------------------------------------------- */

/* Whether the destination is any address of the firewall and nothing else (match.c, LOCAL). */
static bool is_local(const struct translating *run, const struct import_box *box)
{
	struct import_space *space = run->space;
	struct interval_set others = { 0 };
	const struct interval_set *set = box->fields[IMPORT_DESTINATION], *route = box->fields[IMPORT_ROUTE];

	if (space->family == FAMILY_IPV4) {
		interval_set_add(space->pool, &others, 0, 0xdfffffffu);
		interval_set_add(space->pool, &others, 0xf0000000u, UINT32_MAX - 1);
	} else {
		interval_set_add(space->pool, &others, 0, ((number128)0xff << 120) - 1);
	}
	return route->items_count == 1 && route->items[0].high == IMPORT_LOCAL && set != NULL &&
	       interval_set_equals(set, &others);
}

/* " at 80.1.0.2"; nothing: an address of the firewall. */
static bool add_at(struct translating *run, struct text *out, const struct import_box *box)
{
	const struct interval_set *set = box->fields[IMPORT_DESTINATION];
	const struct interval_set *route = box->fields[IMPORT_ROUTE];
	struct interval_set whole = { .items = &(struct interval){ 0, family_highest(run->space->family) },
		.items_count = 1 };
	struct text *definition;
	const char *name;

	if (route != NULL) {
		if (!is_local(run, box))
			return refuse(run, "the firewall's own addresses and others at once");
		return true;
	}
	set = set == NULL ? &whole : set;
	if (set->items_count == 1 && set->items[0].low == set->items[0].high) {
		text_add(out, " at ");
		import_add_intervals(out, run->space->family, set);
		return true;
	}
	name = pool_format(run->space->pool, "sent-to-%zu-ipv%c", run->translations->networks_count + 1,
			   run->space->family == FAMILY_IPV4 ? '4' : '6');
	definition = text_new(run->space->pool);
	text_addf(definition, "network %s = ", name);
	import_add_intervals(definition, run->space->family, set);
	text_add_char(definition, ';');
	*pool_append(run->space->pool, run->translations, networks) = definition->bytes;
	text_addf(out, " at %s", name);
	return true;
}

static bool add_host(struct translating *run, struct text *out, const struct destination *to,
		     const struct tuple_set *tuples)
{
	text_add(out, " to ");
	address_format(out, &to->address);
	if (to->port == 0)
		return true;
	for (size_t index = 0; index < tuples->tuples_count; index++)
		if (tuples->tuples[index].first.low != tuples->tuples[index].first.high ||
		    tuples->tuples[index].first.low != tuples->tuples[0].first.low)
			return refuse(run, "many ports that become one");
	if (tuples->tuples[0].first.low != to->port)
		text_addf(out, " port %u", to->port);
	return true;
}

static bool make_destination(struct translating *run, const struct import_box *box)
{
	const char *to = only_option(&run->entry->match, "--to-destination"), *what = NULL;
	struct tuple_set tuples = { 0 };
	struct destination destination;
	struct text *out = text_new(run->space->pool);
	bool has_family;

	if (to == NULL || !destination_parse(to, &destination) || !destination.has_address)
		return refuse(run, "a destination that is not one address");
	if (!import_box_tuples(run->settings, box, &tuples, &what))
		return refuse(run, what);
	text_add(out, "forward ");
	import_add_services(run->settings, out, &tuples, &has_family);
	if (run->is_own && box->fields[IMPORT_SOURCE] != NULL)
		return refuse(run, "sources of the firewall's own packets");
	if (run->is_own)
		text_add(out, " from self");
	else
		add_side(run, out, "from", "self", import_zones_of(run->settings, box->fields[IMPORT_IN]),
			 box->fields[IMPORT_SOURCE]);
	tuples = tuple_set_normalise(run->space->pool, &tuples);
	if (!add_at(run, out, box) || !add_host(run, out, &destination, &tuples))
		return false;
	run->translations->has_forward = true;
	add_statement(run, out);
	return true;
}

/* --- chains --------------------------------------------------------------------------------------- */

/* Zones never say the loopback interface: it has to be where the others are. */
static bool has_odd_loopback(const struct interval_set *set)
{
	return set != NULL && interval_set_contains(set, IMPORT_LOOPBACK) !=
	       interval_set_contains(set, UINT16_MAX);
}

static bool make_box(struct translating *run, const struct import_box *box)
{
	if (box->has_unknown) {
		complain(run, import_unknown_of(run->space, box->unknowns)->span,
			 "what translations do not ask for");
		return false;
	}
	if (box->fields[IMPORT_HOP_LIMIT] != NULL || (run->is_source && box->fields[IMPORT_ROUTE] != NULL))
		return refuse(run, "what translations do not ask for");
	if (has_odd_loopback(box->fields[IMPORT_IN]) || has_odd_loopback(box->fields[IMPORT_OUT]))
		return refuse(run, "the loopback interface");
	if (!run->is_source && box->fields[IMPORT_OUT] != NULL)
		return refuse(run, "the interface that packets leave by, before their destination is translated");
	return run->is_source ? make_source(run, box) : make_destination(run, box);
}

static bool is_known(const struct translating *run, const char *target)
{
	return run->is_source ? strcmp(target, "MASQUERADE") == 0 || strcmp(target, "SNAT") == 0 :
	       strcmp(target, "DNAT") == 0;
}

static void make_entry(struct translating *run, import_set set)
{
	const struct import_entry *entry = run->entry;
	struct import_boxes boxes = { 0 };

	if (entry->match.limit != NULL || !is_known(run, entry->match.target->text)) {
		complain(run, entry->match.target->span, "a target or a limit that translations lack");
		return;
	}
	if (!import_boxes_of(run->space, set, BOXES_MOST, &boxes)) {
		diag_add(run->settings->diags, CODE_IPTABLES_LARGE, entry->rule->span,
			 "what this says comes to more than %u translations", BOXES_MOST);
		return;
	}
	for (size_t index = 0; index < boxes.items_count; index++)
		if (!make_box(run, &boxes.items[index]))
			return;
}

/* First match, as in the language, but that ACCEPT ends without a translation: later ones lack it. */
static void make_list(struct translating *run, const struct import_list *list)
{
	import_set spared = import_none();

	for (size_t index = 0; index < list->items_count; index++) {
		const struct import_entry *entry = &list->items[index];
		import_set set = import_of_state(run->space, entry->set, IMPORT_NEW);

		run->entry = entry;
		set = import_subtract(run->space, set, spared);
		if (import_is_none(set))
			continue;
		if (entry->action == IMPORT_ACCEPT && entry->match.limit == NULL)
			spared = import_union(run->space, spared, set);
		else
			make_entry(run, set);
	}
}

void import_translations_of_list(const struct import_rows_settings *settings, const struct import_list *list,
				 enum import_nat_chain chain, struct import_translations *translations)
{
	struct translating run = {
		.settings = settings,
		.space = settings->space,
		.translations = translations,
		.is_source = chain == IMPORT_NAT_SOURCE,
		.is_own = chain == IMPORT_NAT_OWN_DESTINATION,
	};

	make_list(&run, list);
	if (!list->is_accepting)
		complain(&run, list->span, "packets that the nat table drops");
}

void import_translations_of(const struct import_rows_settings *settings, const struct save_table *table,
			    struct import_translations *translations)
{
	static const struct {
		const char *name;
		enum import_nat_chain chain;
	} chains[] = {
		{ "PREROUTING", IMPORT_NAT_DESTINATION }, { "OUTPUT", IMPORT_NAT_OWN_DESTINATION },
		{ "POSTROUTING", IMPORT_NAT_SOURCE },
	};

	for (size_t index = 0; index < sizeof chains / sizeof chains[0]; index++) {
		struct import_list list;

		if (import_unfold(settings->space, settings->diags, table, chains[index].name, &list))
			import_translations_of_list(settings, &list, chains[index].chain, translations);
	}
}
