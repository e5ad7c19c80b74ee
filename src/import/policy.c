/* Rows of the two families that say the same in the same words become one. Rows of one family keep
 * their order, and those of different families never meet, so that any way to shuffle them is right:
 * the longest common row of rows stands once. */
#include "import/policy.h"

#include <string.h>

#include "base/pool.h"

#define MERGED_MOST 4000000u

struct shown {
	struct import_row row;
	unsigned families; /* FAMILIES_* */
};

struct shown_rows {
	struct shown *items;
	size_t items_count, items_capacity;
};

/* --- both families --------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_row(const struct import_row *a, const struct import_row *b)
{
	if (a->left_out != NULL || b->left_out != NULL || a->names_family || b->names_family ||
	    (a->has_limit && (a->limit == NULL || a->limit != b->limit)))
		return false;
	return same_text(a->from, b->from) && same_text(a->to, b->to) && same_text(a->verdict, b->verdict) &&
	       same_text(a->services, b->services) && same_text(a->source, b->source) &&
	       same_text(a->destination, b->destination) && same_text(a->options, b->options);
}

static void show(void *pool, struct shown_rows *shown, const struct import_row *row, unsigned families)
{
	*pool_append(pool, shown, items) = (struct shown){ *row, families };
}

/* lengths[i][j]: of the longest common row of rows from i and j on. */
static uint32_t *common_lengths(void *pool, const struct import_rows *a, const struct import_rows *b)
{
	const size_t width = b->items_count + 1;
	uint32_t *lengths = pool_array(pool, uint32_t, (a->items_count + 1) * width);

	for (size_t i = a->items_count; i-- > 0;)
		for (size_t j = b->items_count; j-- > 0;) {
			uint32_t below = lengths[(i + 1) * width + j], beside = lengths[i * width + j + 1];

			lengths[i * width + j] = same_row(&a->items[i], &b->items[j]) ?
				lengths[(i + 1) * width + j + 1] + 1 : below > beside ? below : beside;
		}
	return lengths;
}

static struct shown_rows merge(void *pool, const struct import_rows *a, const struct import_rows *b)
{
	const size_t width = b->items_count + 1;
	const uint32_t *lengths = a->items_count * width <= MERGED_MOST ? common_lengths(pool, a, b) : NULL;
	struct shown_rows shown = { 0 };
	size_t i = 0, j = 0;

	while (i < a->items_count || j < b->items_count) {
		bool is_common = i < a->items_count && j < b->items_count && lengths != NULL &&
				 same_row(&a->items[i], &b->items[j]);

		if (is_common) {
			show(pool, &shown, &a->items[i++], FAMILIES_BOTH);
			j++;
		} else if (j == b->items_count ||
			   (i < a->items_count && (lengths == NULL || lengths[(i + 1) * width + j] >=
						   lengths[i * width + j + 1]))) {
			show(pool, &shown, &a->items[i++], FAMILIES_IPV4);
		} else {
			show(pool, &shown, &b->items[j++], FAMILIES_IPV6);
		}
	}
	return shown;
}

/* --- what is left ------------------------------------------------------------------------------------ */

static const char *verdict_of(enum import_action action)
{
	return action == IMPORT_ACCEPT ? "allow" : action == IMPORT_REJECT ? "reject" : "deny";
}

static void show_rest(void *pool, struct shown_rows *shown, enum import_action rest, unsigned families)
{
	const struct import_row row = {
		.verdict = verdict_of(rest), .services = "any", .source = "", .destination = "", .options = "",
	};

	show(pool, shown, &row, families);
}

/* A default is of both families: what one alone does is a row. Before a `forward`, which admits what it
 * translated, a row has to decide about everything. */
static enum import_action rest_of(void *pool, const struct import_policy *policy, enum import_hook hook,
				  struct shown_rows *shown)
{
	const enum import_action rest[] = { policy->rows[0][hook].rest, policy->rows[1][hook].rest };

	if (policy->has_family[FAMILY_IPV4] && policy->has_family[FAMILY_IPV6] && rest[0] == rest[1]) {
		if (policy->translations.has_forward)
			show_rest(pool, shown, rest[0], FAMILIES_BOTH);
		return rest[0];
	}
	for (unsigned family = 0; family < 2; family++)
		if (policy->has_family[family] && rest[family] != IMPORT_DROP)
			show_rest(pool, shown, rest[family], 1u << family);
	if (policy->translations.has_forward)
		show_rest(pool, shown, IMPORT_DROP, FAMILIES_BOTH);
	return IMPORT_DROP;
}

/* --- text -------------------------------------------------------------------------------------------- */

static void indent(struct text *out, unsigned depth)
{
	for (unsigned level = 0; level < depth; level++)
		text_add(out, "    ");
}

static bool same_block(const struct shown *a, const struct shown *b)
{
	return b->row.left_out == NULL && same_text(a->row.from, b->row.from) &&
	       same_text(a->row.to, b->row.to);
}

static void add_sides(struct text *out, const char *from, const char *to)
{
	if (from != NULL)
		text_addf(out, " from %s", from);
	if (to != NULL)
		text_addf(out, " to %s", to);
}

static void write_row(struct text *out, const struct shown *shown, bool has_sides, unsigned depth)
{
	const struct import_row *row = &shown->row;

	indent(out, depth);
	if (row->left_out != NULL) {
		text_addf(out, "# left out, and narrower for it: %s\n", row->left_out);
		return;
	}
	text_addf(out, "%s %s", row->verdict, row->services);
	if (has_sides) {
		text_add(out, row->source);
		add_sides(out, row->from, NULL);
		text_add(out, row->destination);
		add_sides(out, NULL, row->to);
	} else {
		text_addf(out, "%s%s", row->source, row->destination);
	}
	if (shown->families != FAMILIES_BOTH && !row->names_family)
		text_add(out, shown->families == FAMILIES_IPV4 ? " ipv4" : " ipv6");
	text_addf(out, "%s;\n", row->options);
}

/* A side is written once: zones beside the row's own addresses need a block. */
static bool fits_one_sentence(const struct import_row *row)
{
	return (row->from == NULL || row->source[0] == '\0') &&
	       (row->to == NULL || row->destination[0] == '\0');
}

static size_t write_group(struct text *out, const struct shown_rows *shown, size_t begin)
{
	const struct shown *first = &shown->items[begin];
	size_t end = begin + 1;

	if (first->row.left_out != NULL || (first->row.from == NULL && first->row.to == NULL)) {
		write_row(out, first, false, 1);
		return end;
	}
	while (end < shown->items_count && same_block(first, &shown->items[end]))
		end++;
	if (end == begin + 1 && fits_one_sentence(&first->row)) {
		write_row(out, first, true, 1);
		return end;
	}
	text_add(out, "   ");
	add_sides(out, first->row.from, first->row.to);
	text_add(out, " {\n");
	for (size_t index = begin; index < end; index++)
		write_row(out, &shown->items[index], false, 2);
	text_add(out, "    }\n");
	return end;
}

static void write_hook(struct text *out, const struct import_policy *policy, enum import_hook hook)
{
	static const char *const blocks[IMPORT_HOOKS] = {
		"to self", "from any except self to any except self", "from self",
	};
	static const char *const names[IMPORT_HOOKS] = { "input", "forward", "output" };
	struct shown_rows shown = merge(out->pool, &policy->rows[FAMILY_IPV4][hook],
					&policy->rows[FAMILY_IPV6][hook]);
	const enum import_action rest = rest_of(out->pool, policy, hook, &shown);

	text_add_char(out, '\n');
	if (shown.items_count > 0) {
		text_addf(out, "%s {\n", blocks[hook]);
		for (size_t index = 0; index < shown.items_count;)
			index = write_group(out, &shown, index);
		text_add(out, "}\n");
	}
	text_addf(out, "default %s %s;\n", names[hook], verdict_of(rest));
}

static void write_head(struct text *out, const struct import_policy *policy)
{
	const char *word = "# Made by fwc import of ";

	if (policy->origin != NULL) {
		text_add(out, word);
		spelling_safe(out, policy->origin);
	}
	for (unsigned family = 0; family < 2 && policy->origin == NULL; family++) {
		if (!policy->has_family[family])
			continue;
		text_add(out, word);
		spelling_safe(out, policy->files[family]);
		text_addf(out, " (IPv%c)", family == FAMILY_IPV4 ? '4' : '6');
		word = " and ";
	}
	text_add(out, ".\n#\n"
		 "# Rules judge the first packet of each connection. Answers to what is allowed, loopback, and\n"
		 "# neighbour discovery and multicast listener messages of the firewall pass by themselves.\n");
	if (policy->drops_invalid)
		text_add(out, "# Packets of no known connection (INVALID) passed in places; here they are "
			 "dropped.\n");
	if (policy->lacks_foreign_icmp)
		text_add(out, "# Types of ICMPv6 in IPv4 packets, or of ICMP in IPv6 ones, passed in places;\n"
			 "# here they do not.\n");
	for (unsigned family = 0; family < 2; family++)
		if (!policy->has_family[family])
			text_addf(out, "# Nothing was said of IPv%c: it is denied.\n",
				  family == FAMILY_IPV4 ? '4' : '6');
}

static void write_networks(struct text *out, const struct import_networks *networks)
{
	const char *lead = "\n";

	for (size_t index = 0; index < networks->items_count; index++) {
		const struct import_network *network = &networks->items[index];

		if (!network->is_used)
			continue;
		text_addf(out, "%snetwork %s = ", lead, network->name);
		import_add_intervals(out, network->family, &network->addresses);
		text_add(out, ";\n");
		lead = "";
	}
}

static void write_translations(struct text *out, const struct import_translations *translations)
{
	if (translations->statements_count == 0)
		return;
	text_add(out, "\n# The rules above decide about translated packets, too.\n");
	for (size_t index = 0; index < translations->networks_count; index++)
		text_addf(out, "%s\n", translations->networks[index]);
	for (size_t index = 0; index < translations->statements_count; index++)
		text_addf(out, "%s\n", translations->statements[index]);
}

static bool has_limits(const struct import_rows *rows)
{
	for (size_t index = 0; index < rows->items_count; index++)
		if (rows->items[index].limit != NULL)
			return true;
	return false;
}

const void *import_policy_split_limit(void *pool, const struct import_policy *policy)
{
	struct names *seen = names_new(pool, false);

	for (enum import_hook hook = 0; hook < IMPORT_HOOKS; hook++) {
		const struct import_rows *ipv4 = &policy->rows[FAMILY_IPV4][hook];
		const struct import_rows *ipv6 = &policy->rows[FAMILY_IPV6][hook];
		struct shown_rows shown;

		if (!has_limits(ipv4) || !has_limits(ipv6))
			continue;
		shown = merge(pool, ipv4, ipv6);
		for (size_t index = 0; index < shown.items_count; index++) {
			const void *limit = shown.items[index].row.limit;

			if (limit != NULL &&
			    names_set(seen, (const char *)&limit, sizeof limit, seen) != NULL)
				return limit;
		}
	}
	return NULL;
}

void import_policy_write(struct text *out, const struct import_policy *policy)
{
	write_head(out, policy);
	if (names_count(policy->interfaces) > 0)
		text_add_char(out, '\n');
	for (size_t index = 0; index < names_count(policy->interfaces); index++) {
		const char *interface = names_key(policy->interfaces, index);

		text_addf(out, "zone %s { interface %s; }\n", interface, interface);
	}
	write_networks(out, &policy->networks);
	for (enum import_hook hook = 0; hook < IMPORT_HOOKS; hook++)
		write_hook(out, policy, hook);
	write_translations(out, &policy->translations);
}
