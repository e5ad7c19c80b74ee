/* Prints what the reader of IOS text understood, one JSON object a line, in the order of the lists:
 *     acl_tool read FILE…     entries, unread lines, groups, bindings, translations
 *     acl_tool text FILE…     the lists again, as canonical text, without unread lines
 *     acl_tool time FILE      seconds and memory of one reading
 *     acl_tool ask FILE       verdicts of the file's first list, for packets on stdin, one a line:
 *                             PROTOCOL SOURCE SECOND DESTINATION FIRST FLAGS FRAGMENT
 * Diagnostics go to stderr; the status is 1 where one is an error. The tests beside it drive it. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/pool.h"
#include "diag/print.h"
#include "target/cisco/read/format.h"
#include "target/cisco/read/read.h"
#include "target/cisco/read/sets.h"

static char *file_read(void *pool, const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	char *bytes = NULL;
	size_t capacity = 0, got;

	if (file == NULL) {
		perror(path);
		exit(2);
	}
	*length = 0;
	do {
		bytes = pool_grow(pool, bytes, &capacity, *length + 65536, 1);
		got = fread(bytes + *length, 1, capacity - *length - 1, file);
		*length += got;
	} while (got > 0);
	fclose(file);
	bytes[*length] = '\0';
	return bytes;
}

static void print(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT | JSON_SORT_KEYS);
	putchar('\n');
	json_decref(object);
}

static json_t *place_json(void *pool, enum family family, const struct acl_place *place)
{
	struct text *value = text_new(pool), *wildcard = text_new(pool);

	if (place->group != NULL)
		return json_pack("{ss}", "group", place->group);
	address_format(value, &(struct address){ family, place->value });
	address_format(wildcard, &(struct address){ family, place->wildcard });
	return json_pack("{ss,ss}", "value", value->bytes, "wildcard", wildcard->bytes);
}

static json_t *ports_json(const struct acl_ports *ports)
{
	static const char *const words[] = { "", "eq", "neq", "gt", "lt", "range" };
	json_t *numbers = json_array();

	for (size_t index = 0; index < ports->count; index++)
		json_array_append_new(numbers, json_integer(ports->numbers[index]));
	return json_pack("{ss,so}", "operator", words[ports->operator], "numbers", numbers);
}

static json_t *remarks_json(const struct acl_remark *remark)
{
	json_t *list = json_array();

	for (; remark != NULL; remark = remark->next)
		json_array_append_new(list, json_string(remark->text));
	return list;
}

static void print_entry(void *pool, struct sources *sources, const struct acl_list *list,
			const struct acl_entry *entry)
{
	static const char *const kinds[] = { "match", "evaluate", "unread" };
	static const char *const logs[] = { "", "log", "log-input" };
	const struct acl_flags *flags = &entry->flags;
	struct text *text = text_new(pool);
	json_t *object;

	acl_entry_format(text, list, entry);
	object = json_pack("{ss,ss,si,si,ss,ss,si}", "list", list->name, "kind", kinds[entry->kind],
			   "sequence", (int)entry->sequence,
			   "line", (int)sources_position(sources, entry->span.source, entry->span.begin).line,
			   "text", text->bytes, "action", entry->action == ACL_PERMIT ? "permit" : "deny",
			   "protocol", (int)entry->protocol);
	json_object_set_new(object, "services", entry->services == NULL ? json_null() :
			    json_string(entry->services));
	json_object_set_new(object, "source", place_json(pool, list->family, &entry->source));
	json_object_set_new(object, "destination", place_json(pool, list->family, &entry->destination));
	json_object_set_new(object, "source_ports", ports_json(&entry->source_ports));
	json_object_set_new(object, "destination_ports", ports_json(&entry->destination_ports));
	json_object_set_new(object, "icmp", json_pack("[ii]", (int)entry->icmp_type, (int)entry->icmp_code));
	json_object_set_new(object, "flags", json_pack("[iib]", (int)flags->mask, (int)flags->value,
						       (int)flags->is_all));
	json_object_set_new(object, "established", json_boolean(entry->is_established));
	json_object_set_new(object, "fragments", json_boolean(entry->is_fragments));
	json_object_set_new(object, "conditions", json_string(entry->condition_words == NULL ? "" :
							      entry->condition_words));
	json_object_set_new(object, "time_range", json_string(entry->time_range == NULL ? "" :
							      entry->time_range));
	json_object_set_new(object, "log", json_string(logs[entry->log]));
	json_object_set_new(object, "cookie", json_string(entry->cookie == NULL ? "" : entry->cookie));
	json_object_set_new(object, "matches", json_integer((json_int_t)entry->matches));
	json_object_set_new(object, "remarks", remarks_json(entry->remarks));
	print(object);
}

static void print_lists(void *pool, struct sources *sources, const struct acl_config *config)
{
	static const char *const kinds[] = { "standard", "extended", "reflexive" };

	for (size_t index = 0; index < config->lists_count; index++) {
		const struct acl_list *list = config->lists[index];

		print(json_pack("{ss,ss,si,ss,so}", "kind", "list", "list", list->name, "family",
				list->family == FAMILY_IPV4 ? 4 : 6, "type", kinds[list->kind], "remarks",
				remarks_json(list->remarks)));
		for (size_t entry = 0; entry < list->entries_count; entry++)
			print_entry(pool, sources, list, list->entries[entry]);
	}
}

static void print_bindings(const struct acl_config *config)
{
	for (size_t index = 0; index < config->interfaces_count; index++) {
		const struct acl_interface *interface = config->interfaces[index];

		for (size_t at = 0; at < interface->bindings_count; at++)
			print(json_pack("{ss,ss,ss,si,ss}", "kind", "binding", "interface", interface->name,
					"list", interface->bindings[at].list, "family",
					interface->bindings[at].family == FAMILY_IPV4 ? 4 : 6, "direction",
					interface->bindings[at].direction == ACL_IN ? "in" : "out"));
	}
	for (size_t index = 0; index < config->groups_count; index++)
		print(json_pack("{ss,ss,si,si}", "kind", "group", "name", config->groups[index]->name,
				"items", (int)config->groups[index]->items_count, "unread",
				(int)config->groups[index]->unread_count));
}

static void print_text(void *pool, const struct acl_config *config)
{
	for (size_t index = 0; index < config->lists_count; index++) {
		const struct acl_list *list = config->lists[index];
		struct text *out = text_new(pool);

		if (list->entries_count > 0 && list->unread_count == list->entries_count)
			continue;
		acl_list_format_head(out, list);
		for (size_t entry = 0; entry < list->entries_count; entry++) {
			if (list->entries[entry]->kind == ACL_ENTRY_UNREAD)
				continue;
			text_add(out, "\n ");
			acl_entry_format_numbered(out, list, list->entries[entry]);
		}
		puts(out->bytes);
	}
}

static enum acl_action verdict_of(const struct acl_sets *sets, const struct packet_point *point)
{
	for (size_t index = 0; index < sets->boxes_count; index++) {
		const struct packet_box box = acl_box_packets(sets, &sets->boxes[index]);

		if (packet_box_holds(&box, point))
			return sets->boxes[index].action;
	}
	abort(); /* the last box holds every packet */
}

static void ask(void *pool, struct diags *diags, const struct acl_config *config)
{
	const struct acl_list *list = config->lists_count > 0 ? config->lists[0] : NULL;
	const struct acl_sets_settings settings = { .family = list == NULL ? FAMILY_IPV4 : list->family };
	const struct acl_sets *sets = acl_sets_make(pool, diags, config, list, &settings);
	char source[64], destination[64];
	unsigned protocol, second, first, flags, fragment;
	struct address address;

	while (sets != NULL && scanf("%u %63s %u %63s %u %u %u", &protocol, source, &second, destination,
				     &first, &flags, &fragment) == 7) {
		struct packet_point point = { .fields = {
			[FIELD_FAMILY] = settings.family, [FIELD_PROTOCOL] = protocol, [FIELD_FIRST] = first,
			[FIELD_SECOND] = second, [FIELD_FLAGS] = flags, [FIELD_FRAGMENT] = fragment,
		} };

		if (address_parse(source, strlen(source), &address))
			point.fields[FIELD_SOURCE] = address.value;
		if (address_parse(destination, strlen(destination), &address))
			point.fields[FIELD_DESTINATION] = address.value;
		puts(verdict_of(sets, &point) == ACL_PERMIT ? "permit" : "deny");
	}
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct pool_trap *root = pool_session_new();
	struct sources *sources = sources_new(root);
	struct diags *diags = diags_new(root, sources);
	uint32_t *numbers = pool_array(root, uint32_t, (size_t)argc);
	const struct acl_config *config;
	struct text *talk = text_new(root);
	double start;
	int status;

	if (argc < 3)
		return 2;
	for (int index = 2; index < argc; index++) {
		size_t length;
		char *bytes = file_read(root, argv[index], &length);

		numbers[index - 2] = sources_add(sources, argv[index], bytes, length, false);
	}
	start = seconds();
	config = acl_read_all(root, diags, numbers, (size_t)argc - 2);
	if (strcmp(argv[1], "time") == 0) {
		struct rusage usage;
		double taken = seconds() - start;
		size_t entries = 0;

		for (size_t index = 0; index < config->lists_count; index++)
			entries += config->lists[index]->entries_count;
		getrusage(RUSAGE_SELF, &usage);
		printf("%.4f %ld %zu\n", taken, usage.ru_maxrss, entries);
	} else if (strcmp(argv[1], "ask") == 0) {
		ask(root, diags, config);
	} else if (strcmp(argv[1], "text") == 0) {
		print_text(root, config);
	} else {
		print_lists(root, sources, config);
		print_bindings(config);
	}
	status = diags_has_errors(diags);
	diags_sort(diags);
	if (diags->items_count > 0)
		diags_print_text(diags, talk, false);
	fputs(talk->bytes, stderr);
	talloc_free(root);
	return status;
}
