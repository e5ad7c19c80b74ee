/* Who decides packets of a policy, by each engine; tests/engines/corners_test.py drives it.
 *     engine_tool FILE [DEVICE] corners   packets below, at and above each end of each rule's boxes
 *     engine_tool FILE [DEVICE]           reads packets, and answers each in a line: the number of the
 *                                         statement and the verdict, or "apart" and what each engine says,
 *                                         or "impossible" and the packet
 * A packet is a line: HOOK IN OUT FROM TO PROTOCOL FIRST SECOND ORIGINAL ORIGINAL-FIRST; "-": none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyse/cover.h"
#include "analyse/meaning.h"
#include "base/pool.h"
#include "diag/print.h"
#include "expand/expand.h"
#include "resolve/resolve.h"

#define TODAY ((time_t)1795262400) /* 2026-11-21 12:00 UTC */
#define WORDS 10
#define STEPS 1000000

static const char *const hook_words[] = { "input", "forward", "output" };
static const char *const verdict_words[] = { "allow", "deny", "reject" };

struct engines {
	void *pool;
	const struct ruleset *ruleset;
	struct packet_universe *universe;
	struct meaning meaning;
	struct packet_space *spaces[PACKET_ORDERS];
	packet_map maps[PACKET_ORDERS];
	packet_set possible;
	struct packet_rules boxes[HOOK_COUNT];
	const struct packet_box **box_list[HOOK_COUNT];
};

static const struct ruleset *ruleset_of(void *pool, struct diags *diags, const char *path, const char *device)
{
	struct file_reader reader = file_reader_disk();
	struct resolve_settings settings = { .reader = &reader, .today = TODAY, .device = device };
	struct program *program = parse_program(pool, diags, &reader, path);
	struct policy *policy = diags_has_errors(diags) ? NULL : resolve_policy(pool, diags, program, &settings);

	return diags_has_errors(diags) ? NULL : expand_policy(pool, diags, policy);
}

static void make_boxes(struct engines *engines, enum hook hook)
{
	struct packet_rules *boxes = &engines->boxes[hook];

	meaning_boxes(&engines->meaning, engines->pool, engines->universe, hook, boxes);
	engines->box_list[hook] = pool_array(engines->pool, const struct packet_box *, boxes->items_count + 1);
	for (size_t index = 0; index < boxes->items_count; index++)
		engines->box_list[hook][index] = &boxes->items[index].box;
}

static void make(struct engines *engines)
{
	engines->universe = packet_universe_new(engines->pool);
	packet_universe_add(engines->universe, engines->ruleset);
	packet_universe_add_zones(engines->universe, engines->ruleset->policy);
	packet_universe_finish(engines->universe);
	engines->meaning = meaning_of(engines->pool, engines->ruleset);
	for (enum packet_order order = 0; order < PACKET_ORDERS; order++) {
		engines->spaces[order] = packet_space_new(engines->pool, engines->universe, order, 0);
		engines->maps[order] = meaning_map(&engines->meaning, engines->pool, engines->spaces[order]);
	}
	engines->possible = packet_set_possible(engines->spaces[0]);
	for (enum hook hook = 0; hook < HOOK_COUNT; hook++)
		make_boxes(engines, hook);
}

/* --- answers ------------------------------------------------------------------------------------------ */

/* By the second engine: the first so many boxes of the hook take the packet, as a box of its own. */
static bool is_taken(const struct engines *engines, void *pool, const struct packet_point *point, enum hook hook,
		     size_t count)
{
	struct interval items[PACKET_FIELDS];
	struct interval_set sets[PACKET_FIELDS];
	struct packet_box box;

	for (size_t field = 0; field < PACKET_FIELDS; field++) {
		items[field] = (struct interval){ point->fields[field], point->fields[field] };
		sets[field] = (struct interval_set){ &items[field], 1, 1 };
		box.fields[field] = &sets[field];
	}
	return cover_find(pool, engines->universe, &box, engines->box_list[hook], count, STEPS, NULL) == COVER_YES;
}

/* What is taken by some boxes is taken by more. */
static uint32_t number_by_cover(const struct engines *engines, const struct packet_point *point, enum hook hook)
{
	void *pool = pool_child(engines->pool, "cover");
	size_t low = 0, high = engines->boxes[hook].items_count;
	uint32_t number = engines->meaning.statements;

	if (is_taken(engines, pool, point, hook, high)) {
		while (high - low > 1) {
			size_t middle = low + (high - low) / 2;

			if (is_taken(engines, pool, point, hook, middle))
				high = middle;
			else
				low = middle;
		}
		number = engines->boxes[hook].items[high - 1].number;
	}
	talloc_free(pool);
	return number;
}

static void answer(const struct engines *engines, const struct packet *packet, const char *line)
{
	struct packet_point point = point_of_packet(engines->universe, packet);
	struct decision decision = ruleset_evaluate(engines->ruleset, packet);
	uint32_t number = decision.rule != NULL ? (uint32_t)decision.rule->identity->rule->number :
						  engines->meaning.statements;
	uint32_t by_cover = number_by_cover(engines, &point, packet->hook);
	bool is_alike = by_cover == number;

	if (packet_map_at(engines->spaces[0], engines->possible, &point) == 0) {
		printf("impossible: %s\n", line);
		return;
	}
	for (size_t order = 0; order < PACKET_ORDERS; order++)
		is_alike &= packet_map_at(engines->spaces[order], engines->maps[order], &point) == number;
	if (is_alike) {
		printf("%u %s\n", (unsigned)number, verdict_words[decision.outcome->verdict]);
		return;
	}
	printf("apart: evaluator %u, boxes %u, diagrams", (unsigned)number, (unsigned)by_cover);
	for (size_t order = 0; order < PACKET_ORDERS; order++)
		printf(" %u", (unsigned)packet_map_at(engines->spaces[order], engines->maps[order], &point));
	putchar('\n');
}

/* --- packets as lines --------------------------------------------------------------------------------- */

static const char *none_or(const char *word)
{
	return strcmp(word, "-") == 0 ? NULL : word;
}

static bool read_packet(char *line, struct packet *packet)
{
	char *words[WORDS], *rest = NULL;
	struct address source, destination, original = { .family = FAMILY_IPV4 };
	size_t count = 0;

	*packet = (struct packet){ .hook = HOOK_COUNT, .time = TODAY };
	for (char *word = strtok_r(line, " \n", &rest); word != NULL && count < WORDS;
	     word = strtok_r(NULL, " \n", &rest))
		words[count++] = word;
	if (count != WORDS || !address_parse(words[3], strlen(words[3]), &source) ||
	    !address_parse(words[4], strlen(words[4]), &destination))
		return false;
	for (enum hook hook = 0; hook < HOOK_COUNT; hook++)
		if (strcmp(words[0], hook_words[hook]) == 0)
			packet->hook = hook;
	packet->in = none_or(words[1]);
	packet->out = none_or(words[2]);
	packet->family = source.family;
	packet->source = source.value;
	packet->destination = destination.value;
	packet->protocol = (uint8_t)strtoul(words[5], NULL, 10);
	packet->first = (uint16_t)strtoul(words[6], NULL, 10);
	packet->second = (uint16_t)strtoul(words[7], NULL, 10);
	packet->is_translated = none_or(words[8]) != NULL;
	if (packet->is_translated && !address_parse(words[8], strlen(words[8]), &original))
		return false;
	packet->original_destination = original.value;
	packet->original_first = (uint16_t)strtoul(words[9], NULL, 10);
	return packet->hook != HOOK_COUNT;
}

static int answer_all(struct engines *engines)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, stdin) > 0) {
		const char *copy = pool_strdup(engines->pool, line);
		struct packet packet;

		if (!read_packet(line, &packet)) {
			fprintf(stderr, "no packet: %s\n", copy);
			free(line);
			return EXIT_FAILURE;
		}
		answer(engines, &packet, pool_format(engines->pool, "%.*s", (int)strcspn(copy, "\n"), copy));
	}
	free(line);
	return EXIT_SUCCESS;
}

static void print_address(void *pool, enum family family, number128 value)
{
	struct text *text = text_new(pool);

	address_format(text, &(struct address){ .family = family, .value = value });
	printf(" %s", text->bytes);
}

static void print_packet(const struct engines *engines, const struct packet *packet)
{
	void *pool = pool_child(engines->pool, "packet");

	printf("%s %s %s", hook_words[packet->hook], packet->in == NULL ? "-" : packet->in,
	       packet->out == NULL ? "-" : packet->out);
	print_address(pool, packet->family, packet->source);
	print_address(pool, packet->family, packet->destination);
	printf(" %u %u %u", packet->protocol, packet->first, packet->second);
	if (packet->is_translated)
		print_address(pool, packet->family, packet->original_destination);
	else
		printf(" -");
	printf(" %u\n", packet->is_translated ? packet->original_first : 0);
	talloc_free(pool);
}

/* --- corners ------------------------------------------------------------------------------------------ */

static void corner(const struct engines *engines, const struct packet_point *point)
{
	struct packet packet;

	if (packet_map_at(engines->spaces[0], engines->possible, point) == 0)
		return;
	packet = packet_of_point(engines->universe, point);
	print_packet(engines, &packet);
}

static void corners_of_field(const struct engines *engines, struct packet_point point,
			     const struct packet_box *box, enum packet_field field)
{
	const struct interval_set *set = box->fields[field];
	number128 highest = packet_field_highest(engines->universe, field);

	for (size_t index = 0; set != NULL && index < set->items_count; index++) {
		number128 low = set->items[index].low, high = set->items[index].high;
		const number128 values[] = { low - (low > 0), low, high, high < highest ? high + 1 : high };

		for (size_t at = 0; at < sizeof values / sizeof values[0]; at++) {
			point.fields[field] = values[at];
			corner(engines, &point);
		}
	}
}

/* From the packet that has the lowest values of the box, and the one that has the highest. */
static void corners_of_box(const struct engines *engines, enum hook hook, const struct packet_box *box)
{
	for (int side = 0; side < 2; side++) {
		struct interval only = { hook, hook };
		struct interval_set hooks = { &only, 1, 1 };
		struct packet_box placed = *box;
		struct packet_point point;

		placed.fields[FIELD_HOOK] = &hooks;
		if (cover_find(engines->pool, engines->universe, &placed, NULL, 0, STEPS, &point) != COVER_NO)
			return; /* no packet can be like that */
		for (size_t field = 0; field < PACKET_FIELDS; field++)
			if (box->fields[field] != NULL)
				point.fields[field] = side == 0 ? box->fields[field]->items[0].low :
					box->fields[field]->items[box->fields[field]->items_count - 1].high;
		for (enum packet_field field = FIELD_PROTOCOL; field < PACKET_FIELDS; field++)
			corners_of_field(engines, point, box, field);
	}
}

static void print_corners(const struct engines *engines)
{
	for (enum hook hook = 0; hook < HOOK_COUNT; hook++)
		for (size_t index = 0; index < engines->boxes[hook].items_count; index++)
			corners_of_box(engines, hook, engines->box_list[hook][index]);
}

int main(int argc, char **argv)
{
	struct pool_trap *root = pool_session_new();
	struct engines engines = { .pool = root };
	struct diags *diags = diags_new(root, sources_new(root));
	bool is_for_corners = argc > 2 && strcmp(argv[argc - 1], "corners") == 0;
	int status = EXIT_SUCCESS;

	if (argc < 2 || setjmp(root->jump) != 0)
		return EXIT_FAILURE;
	engines.ruleset = ruleset_of(root, diags, argv[1], argc - is_for_corners > 2 ? argv[2] : NULL);
	if (engines.ruleset == NULL) {
		struct text *out = text_new(root);

		diags_print_text(diags, out, false);
		fputs(out->bytes, stderr);
		return EXIT_FAILURE;
	}
	make(&engines);
	if (is_for_corners)
		print_corners(&engines);
	else
		status = answer_all(&engines);
	talloc_free(root);
	return status;
}
