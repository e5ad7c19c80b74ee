/* First the list in first packets, with LOG spread over it (struct line); then each line as boxes; then
 * boxes with the same places as one row. */
#include "import/rows.h"

#include <ctype.h>
#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"

#define BOXES_MOST 4096u
#define PREFIX_MOST 40u

struct line {
	import_set set;
	const struct import_entry *entry;
	const struct import_entry *log; /* or NULL */
};

struct making {
	const struct import_rows_settings *settings;
	struct import_space *space;
	enum import_hook hook;
	import_set judged;
	struct line *lines;
	size_t lines_count, lines_capacity;
	struct import_rows rows;
	bool is_skipping; /* the line at hand may be left out */
};

static import_set meet(const struct making *making, import_set a, import_set b)
{
	return import_intersect(making->space, a, b);
}

static bool is_judged(const struct making *making, import_set set)
{
	return !import_is_none(meet(making, set, making->judged));
}

/* --- the list ------------------------------------------------------------------------------------ */

struct pending_log {
	const struct import_entry *entry;
	import_set whole; /* what it logs; what was decided before stands before */
	import_set set;   /* of that, what nothing decided yet */
};

struct pending_logs {
	struct pending_log *items;
	size_t items_count, items_capacity;
};

static void note_loss(struct span *first, size_t *count, struct span span)
{
	if ((*count)++ == 0)
		*first = span;
}

static void note_log(struct making *making, const struct import_entry *entry, bool is_second)
{
	const struct import_match *match = &entry->match;
	struct import_losses *losses = making->settings->losses;
	const bool has_prefix_alone = match->options_count == 0 ||
		(match->options_count == 2 && entry->prefix != NULL);

	if (is_second || match->limit != NULL || !has_prefix_alone ||
	    strcmp(match->target->text, "LOG") != 0)
		note_loss(&losses->log, &losses->logs, entry->rule->span);
}

static void add_line(struct making *making, import_set set, const struct import_entry *entry,
		     const struct import_entry *log)
{
	if (is_judged(making, set))
		*pool_append(making->space->pool, making, lines) = (struct line){ set, entry, log };
}

static void add_decided(struct making *making, struct pending_logs *logs, const struct import_entry *entry,
			import_set set)
{
	import_set rest = set;

	for (size_t index = 0; index < logs->items_count; index++) {
		struct pending_log *log = &logs->items[index];
		import_set logged = meet(making, rest, log->whole);

		if (!is_judged(making, meet(making, rest, log->set)))
			continue;
		add_line(making, logged, entry, log->entry);
		rest = import_subtract(making->space, rest, logged);
		log->set = import_subtract(making->space, log->set, set);
	}
	if (is_judged(making, rest))
		add_line(making, set, entry, NULL);
}

static void add_log(struct making *making, struct pending_logs *logs, const struct import_entry *entry,
		    import_set set, import_set undecided)
{
	bool is_second = false;

	undecided = meet(making, set, undecided);

	for (size_t index = 0; index < logs->items_count; index++)
		is_second = is_second || is_judged(making, meet(making, logs->items[index].set, undecided));
	note_log(making, entry, is_second);
	*pool_append(making->space->pool, logs, items) = (struct pending_log){ entry, set, undecided };
}

/* The rest of the list, where a LOG waits for it. */
static void add_policy(struct making *making, struct pending_logs *logs, const struct import_list *list,
		       import_set undecided)
{
	struct import_entry *entry = pool_new(making->space->pool, struct import_entry);

	*entry = (struct import_entry){ .action = list->is_accepting ? IMPORT_ACCEPT : IMPORT_DROP };
	for (size_t index = 0; index < logs->items_count; index++) {
		const struct pending_log *log = &logs->items[index];

		if (!is_judged(making, meet(making, undecided, log->set)))
			continue;
		add_line(making, log->whole, entry, log->entry);
		undecided = import_subtract(making->space, undecided, log->whole);
	}
}

static void make_lines(struct making *making, const struct import_list *list)
{
	struct pending_logs logs = { 0 };
	import_set undecided = making->judged;

	for (size_t index = 0; index < list->items_count; index++) {
		const struct import_entry *entry = &list->items[index];
		import_set set = import_first(making->space, entry->set);

		if (import_is_none(meet(making, set, undecided)))
			continue;
		if (entry->action == IMPORT_LOG)
			add_log(making, &logs, entry, set, undecided);
		else
			add_decided(making, &logs, entry, set);
		if (entry->action != IMPORT_LOG && entry->action != IMPORT_OTHER && entry->match.limit == NULL)
			undecided = import_subtract(making->space, undecided, set);
	}
	add_policy(making, &logs, list, undecided);
}

/* --- the end of the list ------------------------------------------------------------------------- */

static bool is_plain(const struct line *line)
{
	return line->log == NULL && line->entry->match.limit == NULL && line->entry->action != IMPORT_OTHER;
}

/* A line for all packets is what happens to the rest; lines that say the same before it say nothing. */
static void cut_end(struct making *making, const struct import_list *list)
{
	making->rows.rest = list->is_accepting ? IMPORT_ACCEPT : IMPORT_DROP;
	for (size_t index = 0; index < making->lines_count; index++) {
		const struct line *line = &making->lines[index];

		if (is_plain(line) && import_is_none(import_subtract(making->space, making->judged,
								     line->set))) {
			making->rows.rest = line->entry->action;
			if (line->entry->action == IMPORT_REJECT)
				note_loss(&making->settings->losses->answer,
					  &making->settings->losses->answers, line->entry->rule->span);
			making->lines_count = index;
		}
	}
	while (making->lines_count > 0 && is_plain(&making->lines[making->lines_count - 1]) &&
	       making->lines[making->lines_count - 1].entry->action == making->rows.rest)
		making->lines_count--;
}

/* Whether later lines do to all packets of the set what this action does. *log: of the first of them that
 * also logs, if it is NULL. */
static bool later_lines_do(const struct making *making, size_t index, import_set set,
			   enum import_action action, const struct import_entry **log)
{
	set = meet(making, set, making->judged);
	for (index++; index < making->lines_count && !import_is_none(set); index++) {
		const struct line *line = &making->lines[index];

		if (import_is_none(meet(making, line->set, set)))
			continue;
		if (line->entry->action != action)
			return false;
		if (line->log != NULL && *log == NULL)
			*log = line->log;
		if (line->entry->match.limit == NULL)
			set = import_subtract(making->space, set, line->set);
	}
	return import_is_none(set) || making->rows.rest == action;
}

/* --- words ----------------------------------------------------------------------------------------- */

static void complain(struct making *making, struct span span, const char *what)
{
	if (making->is_skipping)
		diag_add(making->settings->diags, CODE_IPTABLES_SKIPPED, span,
			 "a rule that allows is left out: it speaks of %s", what);
	else
		diag_add(making->settings->diags, CODE_IPTABLES_UNSAYABLE, span,
			 "no rule can say what this says: it speaks of %s", what);
}

static void add_intervals(struct text *out, enum family family, const struct interval_set *set)
{
	for (size_t index = 0; index < set->items_count; index++) {
		text_add(out, index > 0 ? ", " : "");
		address_interval_format(out, family, &set->items[index]);
	}
}

/* " from 10.0.0.0/8", or what is left out, where that is less. is_open: it has to be, since an address in
 * `from` keeps `to ZONE` from speaking of output. *has_family: it names some. */
static void add_addresses(struct making *making, struct text *out, const char *word,
			  const struct interval_set *set, bool is_open, bool *has_family)
{
	struct import_space *space = making->space;
	const struct interval_set whole = {
		.items = &(struct interval){ 0, family_highest(space->family) }, .items_count = 1,
	};
	struct interval_set others;

	if (set == NULL || interval_set_equals(set, &whole))
		return;
	others = interval_set_subtract(space->pool, &whole, set);
	text_addf(out, " %s ", word);
	if (is_open || others.items_count < set->items_count) {
		text_add(out, "any except ");
		add_intervals(out, space->family, &others);
		return;
	}
	add_intervals(out, space->family, set);
	*has_family = true;
}

const char *import_zone_name(void *pool, const char *interface)
{
	return spelling_is_plain(interface) ? interface : pool_format(pool, "if-%s", interface);
}

static void add_zone(struct making *making, struct text *out, const char *interface)
{
	const char *name = import_zone_name(making->space->pool, interface);

	if (!spelling_is_plain(name))
		diag_add(making->settings->diags, CODE_IPTABLES_UNSAYABLE, SPAN_NONE,
			 "no zone can have the interface '%s'", interface);
	text_add(out, name);
	names_set(making->settings->interfaces, interface, strlen(interface), making->settings->interfaces);
}

/* Interfaces of a set, or those it lacks where it holds ones without a name; NULL: all. */
static const char *zones_of(struct making *making, const struct interval_set *set)
{
	struct import_space *space = making->space;
	struct text *out = text_new(space->pool);
	const size_t count = names_count(space->interface_numbers);
	const bool is_complement = set == NULL || interval_set_contains(set, count);

	for (size_t number = IMPORT_LOOPBACK + 1; number < count; number++) {
		if (set == NULL || interval_set_contains(set, number) == is_complement)
			continue;
		text_add(out, out->length > 0 ? ", " : is_complement ? "any except " : "");
		add_zone(making, out, import_interface_name(space, number));
	}
	return out->length > 0 ? out->bytes : NULL;
}

/* --- options --------------------------------------------------------------------------------------- */

/* What a prefix can be made of; blanks and colons at its ends are fwc's own. */
static void add_log_option(struct text *out, const char *prefix)
{
	size_t begin = out->length, shown = 0;

	text_add(out, " log");
	if (prefix == NULL)
		return;
	begin = out->length;
	text_add(out, " \"");
	for (; *prefix != '\0' && shown < PREFIX_MOST; prefix++)
		if ((isgraph((unsigned char)*prefix) || (*prefix == ' ' && shown > 0)) &&
		    strchr("\"\\$", *prefix) == NULL) {
			text_add_char(out, *prefix);
			shown++;
		}
	while (shown > 0 && strchr(" :", out->bytes[out->length - 1]) != NULL) {
		out->bytes[--out->length] = '\0';
		shown--;
	}
	if (shown == 0) {
		out->length = begin;
		out->bytes[begin] = '\0';
		return;
	}
	text_add_char(out, '"');
}

static void add_limit(struct text *out, const struct import_limit *limit)
{
	text_addf(out, " limit %s/%s", limit->count, limit->unit);
	if (strcmp(limit->burst, "5") != 0)
		text_addf(out, " burst %s", limit->burst);
	if (limit->is_per_source)
		text_add(out, " per source");
}

static const char *options_of(struct making *making, const struct line *line)
{
	struct text *out = text_new(making->space->pool);

	if (line->log != NULL)
		add_log_option(out, line->log->prefix);
	if (line->entry->match.limit != NULL)
		add_limit(out, line->entry->match.limit);
	if (line->entry->match.comment != NULL && line->entry->match.comment[0] != '\0') {
		text_add(out, " because \"");
		spelling_safe(out, line->entry->match.comment);
		text_add_char(out, '"');
	}
	return out->bytes;
}

static const char *verdict_of(enum import_action action)
{
	return action == IMPORT_ACCEPT ? "allow" : action == IMPORT_REJECT ? "reject" : "deny";
}

/* --- boxes ------------------------------------------------------------------------------------------ */

/* Fields that no rule asks: they may be left out where that adds no packet that rules judge. */
static bool widen(struct making *making, struct import_box *box, const char **what)
{
	static const struct {
		enum import_field field;
		const char *what;
	} unsayable[] = {
		{ IMPORT_ROUTE, "whether an address is the firewall's own or a broadcast" },
		{ IMPORT_HOP_LIMIT, "the hop limit" },
	};
	const import_set before = import_set_of_box(making->space, box);

	for (size_t index = 0; index < sizeof unsayable / sizeof unsayable[0]; index++) {
		if (box->fields[unsayable[index].field] == NULL)
			continue;
		box->fields[unsayable[index].field] = NULL;
		*what = unsayable[index].what;
	}
	return *what == NULL || !is_judged(making, import_subtract(making->space,
								   import_set_of_box(making->space, box),
								   before));
}

static const struct interval_set *or_whole(struct making *making, const struct import_box *box,
					   enum import_field field)
{
	struct interval_set *whole;

	if (box->fields[field] != NULL)
		return box->fields[field];
	whole = pool_new(making->space->pool, struct interval_set);
	interval_set_add(making->space->pool, whole, 0, import_highest(making->space, field));
	return whole;
}

static struct port_range range_of(const struct interval *interval, uint16_t highest)
{
	return (struct port_range){ (uint16_t)interval->low,
		(uint16_t)(interval->high > highest ? highest : interval->high) };
}

static void add_tuples(struct making *making, const struct import_box *box, uint16_t protocol,
		       struct tuple_set *tuples)
{
	const bool is_icmp = protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;
	const bool is_own = protocol == (making->space->family == FAMILY_IPV4 ? PROTOCOL_ICMP :
					 PROTOCOL_ICMP6);
	const struct interval_set *first = or_whole(making, box, IMPORT_FIRST);
	const struct interval_set *second = or_whole(making, box, IMPORT_SECOND);
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
			tuple_set_add(making->space->pool, tuples, tuple);
		}
}

/* Ports of protocols that have some; false: others are asked for ports, or port 0 alone. */
static bool box_tuples(struct making *making, const struct import_box *box, struct tuple_set *tuples,
		       const char **what)
{
	const struct interval_set *protocols = box->fields[IMPORT_PROTOCOL];
	const bool has_ports = box->fields[IMPORT_FIRST] != NULL || box->fields[IMPORT_SECOND] != NULL;

	if (protocols == NULL) {
		*what = "ports of every protocol";
		if (!has_ports)
			*tuples = tuple_set_any(making->space->pool);
		return !has_ports;
	}
	for (size_t index = 0; index < protocols->items_count; index++)
		for (number128 protocol = protocols->items[index].low;
		     protocol <= protocols->items[index].high; protocol++) {
			const bool is_icmp = protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6;

			*what = "ports of a protocol that has none";
			if (has_ports && !is_icmp && !protocol_has_ports((unsigned)protocol))
				return false;
			add_tuples(making, box, (uint16_t)protocol, tuples);
		}
	return true;
}

static bool has_port_zero(const struct tuple_set *tuples)
{
	for (size_t index = 0; index < tuples->tuples_count; index++)
		if (protocol_has_ports(tuples->tuples[index].protocol) &&
		    (tuples->tuples[index].first.high == 0 || tuples->tuples[index].second.high == 0))
			return true;
	return false;
}

/* What a family has of a set, and others lack. */
static struct tuple_set others_of(struct making *making, const struct tuple_set *all,
				  const struct tuple_set *tuples)
{
	void *pool = making->space->pool;
	const struct tuple_set rest = tuple_set_subtract(pool, all, tuples);
	struct tuple_set others = { 0 };

	for (size_t index = 0; index < rest.tuples_count; index++)
		if ((rest.tuples[index].families & 1u << making->space->family) != 0)
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
static size_t length_of(struct making *making, const struct tuple_set *set)
{
	const struct tuple_set tuples = tuple_set_normalise(making->space->pool, set);
	const struct tuple_set whole = whole_of(making->space->pool, &tuples);
	const struct tuple_set others = others_of(making, &whole, &tuples);
	const size_t count = spelling_count(&tuples), rest = spelling_count(&others) + 1;

	return rest < count && rest > 1 ? rest : count;
}

/* Services of a family; what is left out, where that is less. *has_family: they are of it alone. */
static void add_services(struct making *making, struct text *out, const struct tuple_set *set,
			 bool *has_family)
{
	const struct spelling *spelling = making->settings->spelling;
	void *pool = making->space->pool;
	const struct tuple_set tuples = tuple_set_normalise(pool, set);
	const struct tuple_set whole = whole_of(pool, &tuples);
	const struct tuple_set others = others_of(making, &whole, &tuples);
	bool is_less = others.tuples_count > 0 && spelling_count(&others) < spelling_count(&tuples) &&
		       !has_port_zero(&others);

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

static bool same(const struct interval_set *a, const struct interval_set *b)
{
	return a == b || (a != NULL && b != NULL && interval_set_equals(a, b));
}

static bool same_places(const struct import_box *a, const struct import_box *b)
{
	return same(a->fields[IMPORT_IN], b->fields[IMPORT_IN]) &&
	       same(a->fields[IMPORT_OUT], b->fields[IMPORT_OUT]) &&
	       same(a->fields[IMPORT_SOURCE], b->fields[IMPORT_SOURCE]) &&
	       same(a->fields[IMPORT_DESTINATION], b->fields[IMPORT_DESTINATION]);
}

static void add_row(struct making *making, const struct line *line, const struct import_box *box,
		    const struct tuple_set *tuples)
{
	void *pool = making->space->pool;
	struct text *services = text_new(pool), *source = text_new(pool), *destination = text_new(pool);
	struct import_row row = {
		.from = making->hook == IMPORT_OUTPUT ? NULL : zones_of(making, box->fields[IMPORT_IN]),
		.to = making->hook == IMPORT_INPUT ? NULL : zones_of(making, box->fields[IMPORT_OUT]),
		.verdict = verdict_of(line->entry->action),
		.options = options_of(making, line),
	};

	add_services(making, services, tuples, &row.names_family);
	add_addresses(making, source, "from", box->fields[IMPORT_SOURCE],
		      making->hook == IMPORT_OUTPUT && row.to != NULL, &row.names_family);
	add_addresses(making, destination, "to", box->fields[IMPORT_DESTINATION], false, &row.names_family);
	row.services = services->bytes;
	row.source = source->bytes;
	row.destination = destination->bytes;
	*pool_append(making->space->pool, &making->rows, items) = row;
}

/* --- lines ------------------------------------------------------------------------------------------ */

static const char *text_of(const struct making *making, struct span span)
{
	const struct source *source = making->settings->diags->sources->items[span.source];
	struct text *out = text_new(making->space->pool);

	spelling_safe(out, pool_strndup(making->space->pool, source->bytes + span.begin,
					span.end - span.begin));
	return out->bytes;
}

static struct span span_of(const struct line *line)
{
	return line->entry->rule != NULL ? line->entry->rule->span : line->log->rule->span;
}

/* Without the rule its packets meet the later ones: for a rule that allows that is never wider. */
static void leave_out(struct making *making, const struct line *line)
{
	if (making->is_skipping)
		*pool_append(making->space->pool, &making->rows, items) =
			(struct import_row){ .left_out = text_of(making, span_of(line)) };
}

/* What of a box no rule can say; NULL: nothing. */
static const char *unsayable(struct making *making, struct import_box *box, struct tuple_set *tuples)
{
	const char *what = NULL;

	*tuples = (struct tuple_set){ 0 };
	if (box->has_unknown)
		return "what rules of this language do not ask for";
	if (!widen(making, box, &what) || !box_tuples(making, box, tuples, &what))
		return what;
	return has_port_zero(tuples) ? "port 0 alone, which no service has" : NULL;
}

/* The line makes no difference but for a log line, or is an error. */
static void refuse(struct making *making, size_t index, const struct import_box *box, const char *what)
{
	const struct line *line = &making->lines[index];
	const struct import_entry *log = NULL;

	if (line->log == NULL && line->entry->match.limit == NULL &&
	    later_lines_do(making, index, line->set, line->entry->action, &log)) {
		if (log != NULL)
			note_loss(&making->settings->losses->log, &making->settings->losses->logs,
				  span_of(line));
		return;
	}
	complain(making, box->has_unknown ? import_unknown_span(making->space, box->unknowns) :
		 span_of(line), what);
	leave_out(making, line);
}

/* One service list of both, where that is no longer than two. */
static bool join_tuples(struct making *making, struct tuple_set *tuples, const struct tuple_set *more)
{
	struct tuple_set sum = { 0 };

	for (size_t index = 0; index < tuples->tuples_count; index++)
		tuple_set_add(making->space->pool, &sum, tuples->tuples[index]);
	for (size_t index = 0; index < more->tuples_count; index++)
		tuple_set_add(making->space->pool, &sum, more->tuples[index]);
	if (length_of(making, &sum) > length_of(making, tuples) + length_of(making, more))
		return false;
	*tuples = sum;
	return true;
}

/* Boxes with the same places become one row. */
static void add_boxes(struct making *making, size_t line_index, struct import_boxes *boxes)
{
	const struct line *line = &making->lines[line_index];
	bool *is_done = pool_array(making->space->pool, bool, boxes->items_count + 1);
	struct tuple_set *tuples = pool_array(making->space->pool, struct tuple_set, boxes->items_count + 1);
	const char *what;

	for (size_t index = 0; index < boxes->items_count; index++) {
		is_done[index] = !is_judged(making, import_set_of_box(making->space, &boxes->items[index]));
		if (is_done[index])
			continue;
		what = unsayable(making, &boxes->items[index], &tuples[index]);
		if (what != NULL) {
			refuse(making, line_index, &boxes->items[index], what);
			return;
		}
	}
	for (size_t index = 0; index < boxes->items_count; index++) {
		for (size_t later = index + 1; !is_done[index] && later < boxes->items_count; later++)
			if (!is_done[later] && same_places(&boxes->items[index], &boxes->items[later]))
				is_done[later] = join_tuples(making, &tuples[index], &tuples[later]);
		if (!is_done[index])
			add_row(making, line, &boxes->items[index], &tuples[index]);
	}
}

static void note_answer(struct making *making, const struct line *line, const struct import_boxes *boxes)
{
	const char *answer = line->entry->answer;
	bool is_tcp = true, is_other = true;

	if (line->entry->action != IMPORT_REJECT)
		return;
	for (size_t index = 0; index < boxes->items_count; index++) {
		const struct interval_set *set = boxes->items[index].fields[IMPORT_PROTOCOL];

		is_tcp = is_tcp && set != NULL && set->items_count == 1 &&
			 set->items[0].low == PROTOCOL_TCP && set->items[0].high == PROTOCOL_TCP;
		is_other = is_other && set != NULL && !interval_set_contains(set, PROTOCOL_TCP);
	}
	if (answer != NULL && ((is_tcp && strcmp(answer, "tcp-reset") == 0) ||
			       (is_other && (strcmp(answer, "icmp-admin-prohibited") == 0 ||
					     strcmp(answer, "icmp6-adm-prohibited") == 0))))
		return;
	note_loss(&making->settings->losses->answer, &making->settings->losses->answers,
		  line->entry->rule->span);
}

/* Limits deny what exceeds them, and let nothing fall through. */
static bool limit_is_sayable(struct making *making, size_t index)
{
	const struct line *line = &making->lines[index];
	const struct import_entry *log = NULL;

	if (line->entry->match.limit == NULL)
		return true;
	if (line->entry->action == IMPORT_ACCEPT &&
	    later_lines_do(making, index, line->set, IMPORT_DROP, &log)) {
		if (log != NULL)
			note_loss(&making->settings->losses->log, &making->settings->losses->logs,
				  line->entry->rule->span);
		return true;
	}
	complain(making, line->entry->match.limit->span, line->entry->action == IMPORT_ACCEPT ?
		 "packets that exceed a limit and that later rules do not simply drop" :
		 "a limit on what is denied");
	return false;
}

static void make_row(struct making *making, size_t index)
{
	const struct line *line = &making->lines[index];
	struct import_boxes boxes = { 0 };

	making->is_skipping = making->settings->skips_unknown && line->entry->action == IMPORT_ACCEPT;
	if (line->entry->action == IMPORT_OTHER) {
		complain(making, line->entry->match.target->span, "a target that this language lacks");
		return;
	}
	if (!import_boxes_of(making->space, line->set, BOXES_MOST, &boxes)) {
		diag_add(making->settings->diags, CODE_IPTABLES_LARGE, span_of(line),
			 "what this says comes to more than %u rules, after what RETURN takes out",
			 BOXES_MOST);
		return;
	}
	if (!limit_is_sayable(making, index)) {
		leave_out(making, line);
		return;
	}
	note_answer(making, line, &boxes);
	add_boxes(making, index, &boxes);
}

struct import_rows import_rows_of(const struct import_rows_settings *settings, enum import_hook hook,
				  const struct import_list *list)
{
	struct making making = {
		.settings = settings,
		.space = settings->space,
		.hook = hook,
		.judged = import_judged(settings->space, hook),
	};

	make_lines(&making, list);
	cut_end(&making, list);
	for (size_t index = 0; index < making.lines_count; index++)
		make_row(&making, index);
	return making.rows;
}
