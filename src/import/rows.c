/* First the list in first packets, with LOG spread over it (struct line); then each line as boxes; then
 * boxes with the same places as one row. */
#include "import/rows.h"

#include <ctype.h>
#include <string.h>

#include "base/pool.h"
#include "import/words.h"
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
		if (entry->action != IMPORT_LOG && entry->action != IMPORT_OTHER &&
		    entry->match.limit == NULL && import_is_pruned(making->space, index))
			undecided = import_subtract(making->space, undecided, set);
	}
	add_policy(making, &logs, list, undecided);
}

/* --- the end of the list ------------------------------------------------------------------------- */

static bool is_plain(const struct line *line)
{
	return line->log == NULL && line->entry->match.limit == NULL && !line->entry->counts &&
	       line->entry->action != IMPORT_OTHER;
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
	if (import_is_told(making->settings->diags, making->is_skipping ? CODE_IPTABLES_SKIPPED :
			   CODE_IPTABLES_UNSAYABLE, span))
		return;
	if (making->is_skipping)
		diag_add(making->settings->diags, CODE_IPTABLES_SKIPPED, span,
			 "a rule that allows is left out: it speaks of %s", what);
	else
		diag_add(making->settings->diags, CODE_IPTABLES_UNSAYABLE, span,
			 "no rule can say what this says: it speaks of %s", what);
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
	if (line->entry->counts)
		text_add(out, " count");
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

/* A limit counts for its line, however often chains lead there, and for all lines that name one table of buckets:
 * two rows would let through twice as much. */
static void check_shared_limit(struct making *making, const struct line *line)
{
	struct names *limited = making->settings->limited;
	const struct import_limit *limit = line->entry->match.limit;
	const struct save_rule *rule = line->entry->rule;
	const char *key = (const char *)&rule;
	size_t length = sizeof rule;

	if (limit == NULL)
		return;
	if (limit->table != NULL) {
		key = pool_format(making->space->pool, "table %s", limit->table);
		length = strlen(key);
	}
	if (names_set(limited, key, length, limited) != NULL)
		diag_add(making->settings->diags, CODE_IPTABLES_UNSAYABLE, limit->span,
			 "no rule can say what this says: it speaks of one limit for what takes several rules");
}

static void add_row(struct making *making, const struct line *line, const struct import_box *box,
		    const struct tuple_set *tuples)
{
	const struct import_rows_settings *settings = making->settings;
	void *pool = making->space->pool;
	struct text *services = text_new(pool), *source = text_new(pool), *destination = text_new(pool);
	struct import_row row = {
		.from = making->hook == IMPORT_OUTPUT ? NULL :
			import_zones_of(settings, box->fields[IMPORT_IN]),
		.to = making->hook == IMPORT_INPUT ? NULL :
		      import_zones_of(settings, box->fields[IMPORT_OUT]),
		.verdict = verdict_of(line->entry->action),
		.options = options_of(making, line),
		.has_limit = line->entry->match.limit != NULL,
		.limit = settings->shares_limits && line->entry->match.limit != NULL ? line->entry->rule : NULL,
	};

	import_add_services(settings, services, tuples, &row.names_family);
	import_add_addresses(settings, source, "from", box->fields[IMPORT_SOURCE],
		      making->hook == IMPORT_OUTPUT && row.to != NULL, &row.names_family);
	import_add_addresses(settings, destination, "to", box->fields[IMPORT_DESTINATION], false,
			     &row.names_family);
	row.services = services->bytes;
	row.source = source->bytes;
	row.destination = destination->bytes;
	check_shared_limit(making, line);
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

static const char *name_unknown(const struct making *making, const struct import_box *box)
{
	const char *what = import_unknown_of(making->space, box->unknowns)->what;

	return what == NULL ? "what rules of this language do not ask for" :
	       pool_format(making->space->pool, "what rules of this language do not ask for (%s)", what);
}

/* A type of ICMPv6 in an IPv4 packet, or of ICMP in an IPv6 one, is a condition that some filters ask and no rule
 * can say. Where it allows it is left out, since no host understands such packets; *is_done: nothing is left. */
static const char *cut_foreign_icmp(struct making *making, const struct line *line, struct import_box *box,
				    bool *is_done)
{
	const number128 number = making->space->family == FAMILY_IPV4 ? PROTOCOL_ICMP6 : PROTOCOL_ICMP;
	const struct interval_set foreign = { &(struct interval){ number, number }, 1, 1 };
	struct interval_set *kept;

	if ((box->fields[IMPORT_FIRST] == NULL && box->fields[IMPORT_SECOND] == NULL) ||
	    box->fields[IMPORT_PROTOCOL] == NULL || !interval_set_contains(box->fields[IMPORT_PROTOCOL], number))
		return NULL;
	if (line->entry->action != IMPORT_ACCEPT)
		return "types of ICMP in packets of the other family";
	making->settings->losses->foreign_icmp++;
	kept = pool_new(making->space->pool, struct interval_set);
	*kept = interval_set_subtract(making->space->pool, box->fields[IMPORT_PROTOCOL], &foreign);
	box->fields[IMPORT_PROTOCOL] = kept;
	*is_done = kept->items_count == 0;
	return NULL;
}

/* What of a box no rule can say; NULL: nothing. */
static const char *unsayable(struct making *making, struct import_box *box, struct tuple_set *tuples)
{
	const char *what = NULL;

	*tuples = (struct tuple_set){ 0 };
	if (box->has_unknown)
		return name_unknown(making, box);
	if (!widen(making, box, &what) || !import_box_tuples(making->settings, box, tuples, &what))
		return what;
	return import_has_port_zero(tuples) ? "port 0 alone, which no service has" : NULL;
}

/* The line makes no difference but for a log line, or is an error. */
static void refuse(struct making *making, size_t index, const struct import_box *box, const char *what)
{
	const struct line *line = &making->lines[index];
	const struct import_entry *log = NULL;

	if (line->log == NULL && line->entry->match.limit == NULL && !line->entry->counts &&
	    later_lines_do(making, index, line->set, line->entry->action, &log)) {
		if (log != NULL)
			note_loss(&making->settings->losses->log, &making->settings->losses->logs,
				  span_of(line));
		return;
	}
	complain(making, box->has_unknown ? import_unknown_of(making->space, box->unknowns)->span :
		 span_of(line), what);
	leave_out(making, line);
}

/* One service list of both, where that is no longer than two. */
static bool join_tuples(struct making *making, struct tuple_set *tuples, const struct tuple_set *more)
{
	const struct import_rows_settings *settings = making->settings;
	struct tuple_set sum = { 0 };

	for (size_t index = 0; index < tuples->tuples_count; index++)
		tuple_set_add(making->space->pool, &sum, tuples->tuples[index]);
	for (size_t index = 0; index < more->tuples_count; index++)
		tuple_set_add(making->space->pool, &sum, more->tuples[index]);
	if (import_length_of(settings, &sum) > import_length_of(settings, tuples) +
					       import_length_of(settings, more))
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
		what = boxes->items[index].has_unknown ? NULL :
		       cut_foreign_icmp(making, line, &boxes->items[index], &is_done[index]);
		if (is_done[index])
			continue;
		if (what == NULL)
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
	if (line->entry->meets_established && !making->settings->ignores_always_passing) {
		complain(making, line->entry->match.limit->span,
			 "a limit that counts packets of known connections, too");
		return false;
	}
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

	if (import_space_is_over(making->space))
		return; /* told by the caller */
	making->is_skipping = making->settings->skips_unknown && line->entry->action == IMPORT_ACCEPT;
	if (line->entry->action == IMPORT_OTHER) {
		complain(making, line->entry->match.target->span, line->entry->answer != NULL ?
			 line->entry->answer : "a target that this language lacks");
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
