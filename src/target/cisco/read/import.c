/* Entries to rules, one for one, in order. */
#include "target/cisco/read/import.h"

#include <ctype.h>
#include <string.h>

#include "base/pool.h"
#include "services/spelling.h"
#include "target/cisco/read/expand.h"
#include "target/cisco/read/format.h"

struct import {
	struct text *out;
	void *pool;
	struct diags *diags;
	const struct acl_list *list;
	const struct acl_import_settings *settings;
	struct acl_expansion expansion;
	struct spelling *spelling;
	struct names *groups;   /* network groups that were defined already */
};

/* --- safe text --------------------------------------------------------------------------------- */

static void add_string(struct text *out, const char *text)
{
	text_add_char(out, '"');
	spelling_safe(out, text);
	text_add_char(out, '"');
}

static void add_name(struct text *out, const char *name)
{
	if (spelling_is_plain(name))
		text_add(out, name);
	else
		add_string(out, name);
}

/* --- services ------------------------------------------------------------------------------------ */

static bool is_icmp_of(unsigned protocol, enum family family)
{
	return protocol == (family == FAMILY_IPV4 ? PROTOCOL_ICMP : PROTOCOL_ICMP6);
}

/* The product of a protocol's values, as pairs. */
static void tuples_add(struct import *import, const struct acl_service *service, struct tuple_set *set)
{
	const enum family family = import->list->family;
	const unsigned protocol = service->protocol == NULL ? PROTOCOL_ANY :
				  (unsigned)service->protocol->items[0].low;
	const uint16_t highest = protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6 ? UINT8_MAX :
				 UINT16_MAX;
	const struct interval_set whole = { .items = &(struct interval){ 0, highest }, .items_count = 1 };
	const struct interval_set *first = service->first == NULL ? &whole : service->first;
	const struct interval_set *second = service->second == NULL ? &whole : service->second;
	struct service_tuple tuple = { .protocol = (uint16_t)protocol, .families = FAMILIES_BOTH };

	if (is_icmp_of(protocol, family))
		tuple.families = family == FAMILY_IPV4 ? FAMILIES_IPV4 : FAMILIES_IPV6;
	for (size_t i = 0; i < first->items_count; i++)
		for (size_t j = 0; j < second->items_count; j++) {
			tuple.first = (struct port_range){ (uint16_t)first->items[i].low,
							   (uint16_t)first->items[i].high };
			tuple.second = (struct port_range){ (uint16_t)second->items[j].low,
							    (uint16_t)second->items[j].high };
			tuple_set_add(import->pool, set, tuple);
		}
}

/* Empty: ports that no packet has. */
static bool entry_tuples(struct import *import, const struct acl_entry *entry, struct tuple_set *tuples)
{
	struct acl_expansion *expansion = &import->expansion;
	const struct acl_services *services;
	struct acl_service own = { 0 };
	struct tuple_set set = { 0 };
	bool has_ports;

	if (entry->services != NULL) {
		if (!acl_expand_services(expansion, import->list->family, entry->services, entry->span,
					 &services))
			return false;
		for (size_t index = 0; index < services->items_count; index++)
			tuples_add(import, &services->items[index], &set);
	} else {
		if (entry->protocol != ACL_PROTOCOL_IP)
			own.protocol = acl_expand_one(expansion, entry->protocol, entry->protocol);
		has_ports = acl_expand_ports(expansion, &entry->destination_ports, &own.first);
		has_ports = acl_expand_ports(expansion, &entry->source_ports, &own.second) && has_ports;
		if (entry->icmp_type != ACL_ICMP_ANY)
			own.first = acl_expand_one(expansion, entry->icmp_type, entry->icmp_type);
		if (entry->icmp_code != ACL_ICMP_ANY)
			own.second = acl_expand_one(expansion, entry->icmp_code, entry->icmp_code);
		if (has_ports)
			tuples_add(import, &own, &set);
	}
	*tuples = tuple_set_normalise(import->pool, &set);
	return true;
}

/* --- places -------------------------------------------------------------------------------------- */

static void add_addresses(struct text *out, enum family family, const struct interval_set *set)
{
	for (size_t index = 0; index < set->items_count; index++) {
		text_add(out, index > 0 ? ", " : "");
		address_interval_format(out, family, &set->items[index]);
	}
}

static void add_place(struct import *import, const char *word, const struct acl_place *place,
		      const struct interval_set *set)
{
	if (set == NULL)
		return;
	text_addf(import->out, " %s ", word);
	if (place->group != NULL)
		add_name(import->out, place->group);
	else
		add_addresses(import->out, import->list->family, set);
}

/* The groups that the entries name, before the first rule. */
static bool define_group(struct import *import, const struct acl_place *place, struct span span)
{
	const struct interval_set *set;

	if (place->group == NULL || names_find(import->groups, place->group, strlen(place->group)) != NULL)
		return true;
	if (!acl_expand_place(&import->expansion, import->list->family, place, span, &set))
		return false;
	names_set(import->groups, place->group, strlen(place->group), import);
	text_add(import->out, "group ");
	add_name(import->out, place->group);
	text_add(import->out, " = ");
	add_addresses(import->out, import->list->family, set);
	text_add(import->out, ";\n");
	return true;
}

static bool define_groups(struct import *import)
{
	bool is_known = true;

	for (size_t index = 0; index < import->list->entries_count; index++) {
		const struct acl_entry *entry = import->list->entries[index];

		is_known = define_group(import, &entry->source, entry->span) && is_known;
		is_known = define_group(import, &entry->destination, entry->span) && is_known;
	}
	if (names_count(import->groups) > 0)
		text_add_char(import->out, '\n');
	return is_known;
}

/* --- what cannot be said ------------------------------------------------------------------------- */

static bool is_by_state(const struct acl_entry *entry)
{
	return entry->kind == ACL_ENTRY_EVALUATE || (entry->is_established && entry->action == ACL_PERMIT &&
						     entry->flags.mask == (ACL_ACK | ACL_RST));
}

static const char *refusal(const struct acl_entry *entry)
{
	if (entry->kind == ACL_ENTRY_EVALUATE)
		return "packets that answer earlier ones, which state does in a policy";
	if (entry->conditions != 0)
		return "fields of the header that no rule looks at";
	if (entry->time_range != NULL)
		return "a time range of the router's clock";
	if (entry->is_fragments)
		return "later fragments alone";
	if (entry->is_established)
		return "packets by their TCP flags, which state does in a policy";
	if (entry->flags.mask != 0)
		return "packets by their TCP flags";
	return entry->reflect != NULL ? "answers to come, which state does in a policy" : NULL;
}

/* Whether the entry becomes a rule; *is_left_out: state does what it did. */
static bool can_say(struct import *import, const struct acl_entry *entry, bool *is_left_out)
{
	const bool has_state = import->settings->has_replies_by_state;
	struct diagnostic *diagnostic;
	const char *what = refusal(entry);

	*is_left_out = has_state && is_by_state(entry) && entry->conditions == 0 &&
		       entry->time_range == NULL && !entry->is_fragments;
	if (entry->kind == ACL_ENTRY_UNREAD) {
		diag_add(import->diags, CODE_FOREIGN_UNKNOWN, entry->span,
			 "what list '%s' permits is not known: this entry was not understood",
			 import->list->name);
		return false;
	}
	if (what == NULL || *is_left_out ||
	    (has_state && entry->reflect != NULL && entry->conditions == 0 && entry->time_range == NULL &&
	     entry->flags.mask == 0))
		return true;
	diagnostic = diag_add(import->diags, CODE_FOREIGN_UNSAYABLE, entry->span,
			      "no rule can say what this entry says: it speaks of %s", what);
	if (!has_state && (is_by_state(entry) || entry->reflect != NULL))
		diag_note(import->diags, diagnostic, SPAN_NONE, "with --replies-by-state the policy leaves "
			  "answers to the state of connections");
	return false;
}

/* --- rules --------------------------------------------------------------------------------------- */

static void add_log(struct import *import, const struct acl_entry *entry)
{
	if (entry->log == ACL_LOG_NONE)
		return;
	text_add(import->out, " log");
	if (entry->cookie == NULL || strlen(entry->cookie) > 64)
		return;
	for (const char *byte = entry->cookie; *byte != '\0'; byte++)
		if (!isgraph((unsigned char)*byte) || strchr("\"\\$", *byte) != NULL)
			return;
	text_addf(import->out, " \"%s\"", entry->cookie);
}

static void add_because(struct import *import, const struct acl_remark *remark)
{
	const char *word = " because \"";

	for (; remark != NULL; remark = remark->next) {
		if (remark->text[0] == '\0')
			continue;
		text_add(import->out, word);
		spelling_safe(import->out, remark->text);
		word = "; ";
	}
	if (strcmp(word, "; ") == 0)
		text_add_char(import->out, '"');
}

static void add_left_out(struct import *import, const struct acl_entry *entry, const char *why)
{
	struct text *words = text_new(import->pool);

	for (const struct acl_remark *remark = entry->remarks; remark != NULL; remark = remark->next) {
		text_add(import->out, "# ");
		spelling_safe(import->out, remark->text);
		text_add_char(import->out, '\n');
	}
	acl_entry_format_numbered(words, import->list, entry);
	text_addf(import->out, "# left out, %s: ", why);
	spelling_safe(import->out, words->bytes);
	text_add_char(import->out, '\n');
}

/* The last entry, where it denies everything, is the default. */
static bool is_default(const struct acl_list *list, size_t index)
{
	const struct acl_entry *entry = list->entries[index];
	const number128 any = family_highest(list->family);

	return index + 1 == list->entries_count && entry->kind == ACL_ENTRY_MATCH &&
	       entry->action == ACL_DENY && entry->protocol == ACL_PROTOCOL_IP && entry->services == NULL &&
	       entry->source.group == NULL && entry->destination.group == NULL &&
	       entry->source.wildcard == any && entry->destination.wildcard == any &&
	       entry->remarks == NULL && refusal(entry) == NULL;
}

/* No service has port 0 to itself. */
static bool has_port_zero(const struct tuple_set *tuples)
{
	for (size_t index = 0; index < tuples->tuples_count; index++)
		if (protocol_has_ports(tuples->tuples[index].protocol) &&
		    tuples->tuples[index].first.high == 0)
			return true;
	return false;
}

static bool add_rule(struct import *import, const struct acl_entry *entry)
{
	const enum family family = import->list->family;
	const struct interval_set *source, *destination;
	struct tuple_set tuples;

	if (!entry_tuples(import, entry, &tuples) ||
	    !acl_expand_place(&import->expansion, family, &entry->source, entry->span, &source) ||
	    !acl_expand_place(&import->expansion, family, &entry->destination, entry->span, &destination))
		return false;
	if (tuples.tuples_count == 0) {
		add_left_out(import, entry, "no packet has such a port");
		return true;
	}
	if (has_port_zero(&tuples)) {
		diag_add(import->diags, CODE_FOREIGN_UNSAYABLE, entry->span,
			 "no rule can say what this entry says: it speaks of port 0 alone, which no "
			 "service has");
		return false;
	}
	text_add(import->out, entry->action == ACL_PERMIT ? "allow " : "deny ");
	spelling_services(import->spelling, import->out, &tuples);
	add_place(import, "from", &entry->source, source);
	add_place(import, "to", &entry->destination, destination);
	if (source == NULL && destination == NULL &&
	    (tuples.tuples_count > 1 || tuples.tuples[0].families == FAMILIES_BOTH))
		text_add(import->out, family == FAMILY_IPV4 ? " ipv4" : " ipv6");
	add_log(import, entry);
	add_because(import, entry->remarks);
	text_add(import->out, ";\n");
	return true;
}

static bool add_entry(struct import *import, const struct acl_entry *entry)
{
	bool is_left_out;

	if (!can_say(import, entry, &is_left_out))
		return false;
	if (!is_left_out)
		return add_rule(import, entry);
	add_left_out(import, entry, "answers pass by themselves");
	return true;
}

/* --- head and end --------------------------------------------------------------------------------- */

static void add_head(struct import *import)
{
	const struct acl_list *list = import->list;
	const bool is_ipv4 = list->family == FAMILY_IPV4;
	struct text *out = import->out, *head = text_new(import->pool);

	acl_list_format_head(head, list);
	text_add(out, "# Made by fwc import of '");
	spelling_safe(out, head->bytes);
	text_add(out, "' in ");
	spelling_safe(out, import->settings->file);
	text_addf(out,
		  ".\n#\n"
		  "# A router's list judges every packet of one direction of one interface. These rules judge\n"
		  "# the first packet of each connection that reaches or crosses the firewall, wherever it comes\n"
		  "# from; answers to what is allowed pass by themselves, whatever the list said of them.\n"
		  "# The list let later fragments pass by address alone; here they share their packet's fate.\n"
		  "# The list spoke of IPv%c; of IPv%c the default below denies everything.\n"
		  "# A router answers what it denies; 'deny' is silent here, and 'reject' answers.\n",
		  is_ipv4 ? '4' : '6', is_ipv4 ? '6' : '4');
	if (!is_ipv4)
		text_add(out, "# Neighbour discovery and multicast listener messages of the firewall itself always "
			 "pass here.\n");
	text_add(out, "\npolicy ");
	add_string(out, list->name);
	text_add(out, ";\n\n");
}

/* What every list ends in; an explicit last denial has cut neighbour discovery off. */
static void add_end(struct import *import)
{
	const struct acl_list *list = import->list;
	const struct acl_entry *last = list->entries_count > 0 ?
				       list->entries[list->entries_count - 1] : NULL;
	const bool has_default = last != NULL && is_default(list, list->entries_count - 1);

	for (const struct acl_remark *remark = list->remarks; remark != NULL; remark = remark->next) {
		text_add(import->out, "# ");
		spelling_safe(import->out, remark->text);
		text_add_char(import->out, '\n');
	}
	if (last == NULL)
		text_addf(import->out, "# a router takes a list without an entry for one that permits all\n"
			  "allow any ipv%c;\n", list->family == FAMILY_IPV4 ? '4' : '6');
	else if (!has_default && list->family == FAMILY_IPV6)
		text_add(import->out, "# what every IPv6 list ends in\nallow 136/icmp6, 135/icmp6;\n");
	text_add(import->out, "default deny");
	if (has_default)
		add_log(import, last);
	text_add(import->out, ";\n");
}

bool acl_import(struct text *out, struct diags *diags, const struct acl_config *config,
		const struct acl_list *list, const struct service_database *database,
		const struct acl_import_settings *settings)
{
	struct import import = {
		.out = out,
		.pool = out->pool,
		.diags = diags,
		.list = list,
		.settings = settings,
		.expansion = acl_expansion_new(out->pool, diags, config),
		.groups = names_new(out->pool, false),
	};
	bool is_said;

	if (list->entries_count == 0 && list->remarks != NULL) {
		diag_add(diags, CODE_FOREIGN_UNKNOWN, list->span, "what list '%s' permits is not known: "
			 "it has remarks and no entry", list->name);
		return false;
	}
	import.spelling = spelling_new(import.pool, database);
	add_head(&import);
	is_said = define_groups(&import);
	for (size_t index = 0; index < list->entries_count; index++)
		if (!is_default(list, index))
			is_said = add_entry(&import, list->entries[index]) && is_said;
	add_end(&import);
	return is_said;
}

/* --- which list ------------------------------------------------------------------------------------ */

static void note_lists(struct diags *diags, struct diagnostic *diagnostic, const struct acl_config *config)
{
	enum { SHOWN_MOST = 20 };

	for (size_t index = 0; index < config->lists_count && index < SHOWN_MOST; index++)
		diag_note(diags, diagnostic, config->lists[index]->span, "list '%s', %zu entries",
			  config->lists[index]->name, config->lists[index]->entries_count);
	if (config->lists_count > SHOWN_MOST)
		diag_note(diags, diagnostic, SPAN_NONE, "and %zu more", config->lists_count - SHOWN_MOST);
}

static size_t lists_named(const struct acl_config *config, const char *name, const struct acl_list **found)
{
	size_t count = 0;

	for (size_t index = 0; index < config->lists_count; index++)
		if (name == NULL || strcmp(config->lists[index]->name, name) == 0) {
			*found = config->lists[index];
			count++;
		}
	return count;
}

const struct acl_list *acl_import_choose(struct diags *diags, const struct acl_config *config,
					 const char *name)
{
	const struct acl_list *found = NULL;
	struct diagnostic *diagnostic;
	size_t count = lists_named(config, name, &found);

	if (count == 1)
		return found;
	if (name == NULL)
		diagnostic = diag_add(diags, CODE_FOREIGN_LIST, SPAN_NONE, count == 0 ?
				      "there is no access list of Cisco IOS in the text" :
				      "there is more than one list in the text: name one with --list");
	else
		diagnostic = diag_add(diags, CODE_FOREIGN_LIST, SPAN_NONE, count == 0 ?
				      "there is no list '%s' in the text" :
				      "there is a list '%s' for IPv4 and one for IPv6", name);
	note_lists(diags, diagnostic, config);
	return NULL;
}
