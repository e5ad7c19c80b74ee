/* Sets of values as words; what is left out in place of what is meant, where that is less. */
#include "import/words.h"

#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"

bool import_is_told(const struct diags *diags, enum code code, struct span span)
{
	for (size_t index = 0; index < diags->items_count; index++)
		if (diags->items[index]->code == code &&
		    diags->items[index]->span.source == span.source &&
		    diags->items[index]->span.begin == span.begin &&
		    diags->items[index]->span.end == span.end)
			return true;
	return false;
}

/* --- places ---------------------------------------------------------------------------------------- */

void import_add_intervals(struct text *out, enum family family, const struct interval_set *set)
{
	for (size_t index = 0; index < set->items_count; index++) {
		text_add(out, index > 0 ? ", " : "");
		address_interval_format(out, family, &set->items[index]);
	}
}

/* The network of these addresses; NULL: none. */
static const char *name_of(const struct import_rows_settings *settings, const struct interval_set *set)
{
	struct import_networks *networks = settings->networks;

	for (size_t index = 0; networks != NULL && index < networks->items_count; index++) {
		struct import_network *network = &networks->items[index];

		if (network->family != settings->space->family ||
		    network->addresses.items_count != set->items_count ||
		    !interval_set_equals(&network->addresses, set))
			continue;
		network->is_used = true;
		return network->name;
	}
	return NULL;
}

static void add_named(const struct import_rows_settings *settings, struct text *out,
		      const struct interval_set *set)
{
	const char *name = name_of(settings, set);

	if (name != NULL)
		text_add(out, name);
	else
		import_add_intervals(out, settings->space->family, set);
}

/* " from 10.0.0.0/8", or what is left out, where that is less. is_open: it has to be, since an address in
 * `from` keeps `to ZONE` from speaking of output. *has_family: it names some. */
void import_add_addresses(const struct import_rows_settings *settings, struct text *out, const char *word,
			  const struct interval_set *set, bool is_open, bool *has_family)
{
	struct import_space *space = settings->space;
	const struct interval_set whole = {
		.items = &(struct interval){ 0, family_highest(space->family) }, .items_count = 1,
	};
	struct interval_set others;

	if (set == NULL || interval_set_equals(set, &whole))
		return;
	others = interval_set_subtract(space->pool, &whole, set);
	text_addf(out, " %s ", word);
	if (is_open || name_of(settings, &others) != NULL ||
	    (others.items_count < set->items_count && name_of(settings, set) == NULL)) {
		text_add(out, "any except ");
		add_named(settings, out, &others);
		return;
	}
	add_named(settings, out, set);
	*has_family = true;
}

/* A zone is called like its interface. */
static void add_zone(const struct import_rows_settings *settings, struct text *out, const char *interface)
{
	if (!spelling_is_plain(interface))
		diag_add(settings->diags, CODE_IPTABLES_UNSAYABLE, SPAN_NONE,
			 "no zone can have the interface '%s'", interface);
	text_add(out, interface);
	names_set(settings->interfaces, interface, strlen(interface), settings->interfaces);
}

/* Interfaces of a set, or those it lacks where it holds ones without a name; NULL: all. */
const char *import_zones_of(const struct import_rows_settings *settings, const struct interval_set *set)
{
	struct import_space *space = settings->space;
	struct text *out = text_new(space->pool);
	const size_t count = names_count(space->interface_numbers);
	const bool is_complement = set == NULL || interval_set_contains(set, count);

	for (size_t number = IMPORT_LOOPBACK + 1; number < count; number++) {
		if (set == NULL || interval_set_contains(set, number) == is_complement)
			continue;
		text_add(out, out->length > 0 ? ", " : is_complement ? "any except " : "");
		add_zone(settings, out, import_interface_name(space, number));
	}
	return out->length > 0 ? out->bytes : NULL;
}

/* --- services -------------------------------------------------------------------------------------- */

static const struct interval_set *or_whole(const struct import_rows_settings *settings,
					   const struct import_box *box,
					   enum import_field field)
{
	struct interval_set *whole;

	if (box->fields[field] != NULL)
		return box->fields[field];
	whole = pool_new(settings->space->pool, struct interval_set);
	interval_set_add(settings->space->pool, whole, 0, import_highest(settings->space, field));
	return whole;
}

static struct port_range range_of(const struct interval *interval, uint16_t highest)
{
	return (struct port_range){ (uint16_t)interval->low,
		(uint16_t)(interval->high > highest ? highest : interval->high) };
}

static void add_tuples(const struct import_rows_settings *settings, const struct import_box *box, uint16_t protocol,
		       struct tuple_set *tuples)
{
	const bool is_icmp = protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
	const bool is_own = protocol == (settings->space->family == FAMILY_IPV4 ? PROTOCOL_ICMP :
					 PROTOCOL_ICMP6);
	const struct interval_set *first = or_whole(settings, box, IMPORT_FIRST);
	const struct interval_set *second = or_whole(settings, box, IMPORT_SECOND);
	const uint16_t highest = is_icmp ? UINT8_MAX : UINT16_MAX;

	for (size_t i = 0; i < first->items_count; i++)
		for (size_t j = 0; j < second->items_count; j++) {
			struct service_tuple tuple = { .protocol = protocol, .families = FAMILIES_BOTH };

			if (first->items[i].low > highest || second->items[j].low > highest)
				continue;
			if (is_own)
				tuple.families = protocol == PROTOCOL_ICMP ? FAMILIES_IPV4 : FAMILIES_IPV6;
			tuple.first = range_of(&first->items[i], highest);
			tuple.second = range_of(&second->items[j], highest);
			tuple_set_add(settings->space->pool, tuples, tuple);
		}
}

/* Ports of protocols that have some; false: others are asked for ports, or port 0 alone. */
bool import_box_tuples(const struct import_rows_settings *settings, const struct import_box *box,
		       struct tuple_set *tuples,
		       const char **what)
{
	const struct interval_set *protocols = box->fields[IMPORT_PROTOCOL];
	const bool has_ports = box->fields[IMPORT_FIRST] != NULL || box->fields[IMPORT_SECOND] != NULL;

	if (protocols == NULL) {
		*what = "ports of every protocol";
		if (!has_ports)
			*tuples = tuple_set_any(settings->space->pool);
		return !has_ports;
	}
	for (size_t index = 0; index < protocols->items_count; index++)
		for (number128 protocol = protocols->items[index].low;
		     protocol <= protocols->items[index].high; protocol++) {
			const bool is_icmp = protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;

			*what = "ports of a protocol that has none";
			if (has_ports && !is_icmp && !protocol_has_ports((unsigned)protocol))
				return false;
			add_tuples(settings, box, (uint16_t)protocol, tuples);
		}
	return true;
}

bool import_has_port_zero(const struct tuple_set *tuples)
{
	for (size_t index = 0; index < tuples->tuples_count; index++)
		if (protocol_has_ports(tuples->tuples[index].protocol) &&
		    (tuples->tuples[index].first.high == 0 || tuples->tuples[index].second.high == 0))
			return true;
	return false;
}

/* What a family has of a set, and others lack. */
static struct tuple_set others_of(const struct import_rows_settings *settings, const struct tuple_set *all,
				  const struct tuple_set *tuples)
{
	void *pool = settings->space->pool;
	const struct tuple_set rest = tuple_set_subtract(pool, all, tuples);
	struct tuple_set others = { 0 };

	for (size_t index = 0; index < rest.tuples_count; index++)
		if ((rest.tuples[index].families & 1u << settings->space->family) != 0)
			tuple_set_add(pool, &others, rest.tuples[index]);
	return others;
}

static bool is_of_one_protocol(const struct tuple_set *tuples)
{
	for (size_t index = 1; index < tuples->tuples_count; index++)
		if (tuples->tuples[index].protocol != tuples->tuples[0].protocol ||
		    tuples->tuples[index].families != tuples->tuples[0].families)
			return false;
	return true;
}

/* Everything, or all of the set's protocol. */
static struct tuple_set whole_of(void *pool, const struct tuple_set *tuples)
{
	struct tuple_set whole = { 0 };
	struct service_tuple tuple = tuples->tuples[0];

	if (!is_of_one_protocol(tuples) || tuple.protocol == PROTOCOL_ANY)
		return tuple_set_any(pool);
	tuple.first = tuple.second = (struct port_range){ 0, UINT16_MAX };
	if (tuple.protocol == PROTOCOL_ICMP || tuple.protocol == PROTOCOL_ICMP6)
		tuple.first.high = tuple.second.high = UINT8_MAX;
	tuple_set_add(pool, &whole, tuple);
	return whole;
}

/* Items of the shorter of both ways to write a set. */
size_t import_length_of(const struct import_rows_settings *settings, const struct tuple_set *set)
{
	const struct tuple_set tuples = tuple_set_normalise(settings->space->pool, set);
	const struct tuple_set whole = whole_of(settings->space->pool, &tuples);
	const struct tuple_set others = others_of(settings, &whole, &tuples);
	const size_t count = spelling_count(&tuples), rest = spelling_count(&others) + 1;

	return rest < count && rest > 1 ? rest : count;
}

/* Services of a family; what is left out, where that is less. *has_family: they are of it alone. */
void import_add_services(const struct import_rows_settings *settings, struct text *out, const struct tuple_set *set,
			 bool *has_family)
{
	const struct spelling *spelling = settings->spelling;
	void *pool = settings->space->pool;
	const struct tuple_set tuples = tuple_set_normalise(pool, set);
	const struct tuple_set whole = whole_of(pool, &tuples);
	const struct tuple_set others = others_of(settings, &whole, &tuples);
	bool is_less = others.tuples_count > 0 && spelling_count(&others) < spelling_count(&tuples) &&
		       !import_has_port_zero(&others);

	*has_family = true;
	for (size_t index = 0; index < tuples.tuples_count; index++)
		*has_family = *has_family && tuples.tuples[index].families != FAMILIES_BOTH;
	if (is_less) {
		spelling_services(spelling, out, &whole);
		text_add(out, " except ");
		*has_family = *has_family && whole.tuples[0].families != FAMILIES_BOTH;
	}
	spelling_services(spelling, out, is_less ? &others : &tuples);
}

/* --- what is told of a whole file -------------------------------------------------------------------- */

void import_tell_losses(struct diags *diags, const struct import_losses *losses)
{
	if (losses->logs > 0)
		diag_add(diags, CODE_IPTABLES_LOG, losses->log, "%zu line%s that log%s: without a limit, "
			 "level or group of their own here, and a packet once", losses->logs,
			 losses->logs > 1 ? "s" : "", losses->logs > 1 ? "" : "s");
	if (losses->answers > 0)
		diag_add(diags, CODE_IPTABLES_ANSWER, losses->answer, "%zu line%s with another answer than "
			 "'reject' gives: a reset to TCP, to the rest that it is administratively prohibited",
			 losses->answers, losses->answers > 1 ? "s" : "");
}

bool import_are_all_skipped(const struct diags *diags, size_t since)
{
	for (size_t index = since; index < diags->items_count; index++)
		if (diags->items[index]->severity == SEVERITY_ERROR &&
		    diags->items[index]->code != CODE_IPTABLES_SKIPPED)
			return false;
	return true;
}
