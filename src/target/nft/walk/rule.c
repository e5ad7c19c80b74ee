/* What was done to a packet before a condition fails stays done: effects are put down as a meaning of
 * their own before the way gets narrower. */
#include "target/nft/walk/rule.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "target/nft/read/expression.h"
#include "target/nft/walk/load.h"
#include "target/nft/walk/lookup.h"

#define IPV4_BYTES 4
#define IPV6_BYTES 16
#define PORT_BYTES 2

static void add_meaning(struct walk *walk, struct walk_paths *paths, diagram meaning)
{
	*pool_append(walk->scratch, paths, meanings) = meaning;
}

static void add_effect(struct walk *walk, struct walk_path *path, enum walk_effect_kind kind, const char *text)
{
	path->effects = walk_effects_with(walk->leaves, path->effects, kind, text);
}

/* Puts down what was done so far. */
static void settle(struct walk *walk, struct walk_paths *paths, size_t at)
{
	struct walk_path *path = &paths->items[at];
	if (path->effects == walk->leaves->none)
		return;
	diagram leaf = walk_leaf_of(walk->leaves, WALK_FALL, NULL, path->effects);
	add_meaning(walk, paths, walk_path_guard(walk, path, leaf));
	path->effects = walk->leaves->none;
}

static void end_with(struct walk *walk, struct walk_paths *paths, size_t at, struct walk_leaf leaf)
{
	struct walk_path *path = &paths->items[at];
	leaf.effects = walk_effects_here(walk, path->effects);
	add_meaning(walk, paths, walk_path_guard(walk, path, walk_leaf(walk->leaves, leaf)));
	path->is_dead = true;
}

static void end_other(struct walk *walk, struct walk_paths *paths, size_t at, const char *text)
{
	end_with(walk, paths, at, (struct walk_leaf){ .verdict = WALK_OTHER, .text = text });
}

static void kill_unless(struct walk_path *path, bool is_possible)
{
	path->is_dead = path->is_dead || !is_possible;
}

/* --- comparisons ------------------------------------------------------------------------------------ */

/* The way where all equations hold. */
static void hold_equations(struct walk *walk, struct walk_path *path, const struct walk_equations *equations)
{
	for (size_t i = 0; i < equations->items_count && !path->is_dead; i++)
		kill_unless(path, walk_path_equation(walk, path, &equations->items[i]));
}

/* The way where one of them does not. */
static void break_equations(struct walk *walk, struct walk_path *path, const struct walk_equations *equations)
{
	struct interval_set values, rest;
	if (equations->items_count == 1) {
		const struct walk_equation *only = &equations->items[0];
		const struct walk_variable *variable = &walk->variables->items[only->variable];
		struct interval whole = { 0, walk_variable_limit(variable) };
		const struct interval_set all = { &whole, 1, 1 };
		if (variable->kind != WALK_VARIABLE_STATUS &&
		    walk_equation_values(walk->scratch, variable, only, &values)) {
			rest = interval_set_subtract(walk->scratch, &all, &values);
			kill_unless(path, walk_path_values(walk, path, only->variable, &rest));
			return;
		}
	}
	struct walk_path holds;
	walk_path_begin(walk, &holds);
	hold_equations(walk, &holds, equations);
	if (holds.is_dead)
		return;
	diagram fails = walk_minus(walk, WALK_PREDICATE_TRUE, walk_path_meaning(walk, &holds));
	kill_unless(path, walk_path_predicate(walk, path, fails));
}

/* Bytes behind the end of a name: the kernel fills names of interfaces up with zeros. */
static bool is_no_name(const struct walk_equations *equations)
{
	const struct walk_equation *only = &equations->items[0];
	bool has_ended = false;

	if (equations->items_count != 1 || only->mask != DIAGRAM_HIGHEST ||
	    (only->variable != WALK_IIFNAME && only->variable != WALK_OIFNAME))
		return false;
	for (unsigned bits = 8 * IPV6_BYTES; bits != 0; bits -= 8) {
		uint8_t byte = (uint8_t)(only->wanted >> (bits - 8));

		if (has_ended && byte != 0)
			return true;
		has_ended = has_ended || byte == 0;
	}
	return false;
}

static void compare_equal(struct walk *walk, struct walk_paths *paths, size_t at, int place,
			  const struct read_data *data, bool is_equal)
{
	struct walk_path *path = &paths->items[at];
	struct walk_equations equations = walk_equations_of(&path->registers, place, data->bytes, data->length);
	if (equations.is_unclear)
		walk_unsure(walk, paths, at, "a comparison of what was never loaded");
	else if (equations.is_impossible || is_no_name(&equations))
		kill_unless(path, !is_equal);
	else if (is_equal)
		hold_equations(walk, path, &equations);
	else if (equations.items_count == 0)
		path->is_dead = true; /* constants that are equal */
	else
		break_equations(walk, path, &equations);
}

/* Between two numbers of the register's leading bytes, both included, or outside. */
static void compare_range(struct walk *walk, struct walk_paths *paths, size_t at, int place, unsigned length,
			  struct interval wanted, bool is_inside)
{
	struct walk_path *path = &paths->items[at];
	uint16_t variable = walk_ordered_variable(&path->registers, place, length);
	uint8_t bytes[WALK_REGISTER_BYTES];
	if (length <= IPV6_BYTES && walk_constant_bytes(&path->registers, place, length, bytes)) {
		number128 number = walk_number_of_bytes(bytes, length);
		kill_unless(path, (number >= wanted.low && number <= wanted.high) == is_inside);
		return;
	}
	if (variable == WALK_UNWRITTEN) {
		kill_unless(path, walk_path_unclear(walk, path, "a comparison by size"));
		return;
	}
	unsigned more = 8u * (walk->variables->items[variable].bytes - length);
	struct interval whole = { 0, walk_variable_limit(&walk->variables->items[variable]) };
	wanted.low <<= more;
	wanted.high = wanted.high << more | (((number128)1 << more) - 1);
	const struct interval_set inside = { &wanted, 1, 1 }, all = { &whole, 1, 1 };
	if (is_inside) {
		struct interval_set kept = interval_set_intersect(walk->scratch, &all, &inside);
		kill_unless(path, walk_path_values(walk, path, variable, &kept));
	} else {
		struct interval_set rest = interval_set_subtract(walk->scratch, &all, &inside);
		kill_unless(path, walk_path_values(walk, path, variable, &rest));
	}
}

static number128 highest_of(unsigned length)
{
	return length >= IPV6_BYTES ? DIAGRAM_HIGHEST : ((number128)1 << (8 * length)) - 1;
}

static void compare_size(struct walk *walk, struct walk_paths *paths, size_t at, int place,
			 const struct read_data *data, uint64_t operator)
{
	if (data->length > IPV6_BYTES) {
		kill_unless(&paths->items[at], walk_path_unclear(walk, &paths->items[at], "a comparison by size"));
		return;
	}
	number128 number = walk_number_of_bytes(data->bytes, data->length), highest = highest_of(data->length);
	bool is_below = operator == NFT_CMP_LT || operator == NFT_CMP_LTE;
	bool is_included = operator == NFT_CMP_LTE || operator == NFT_CMP_GTE;
	struct interval wanted = { is_below ? 0 : number, is_below ? number : highest };
	if (!is_included && number == (is_below ? 0 : highest)) {
		paths->items[at].is_dead = true;
		return;
	}
	if (!is_included)
		*(is_below ? &wanted.high : &wanted.low) += is_below ? (number128)-1 : 1;
	compare_range(walk, paths, at, place, data->length, wanted, 1);
}

static void step_cmp(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *cmp)
{
	const struct read_data *data = read_data(cmp, NFTA_CMP_DATA);
	uint64_t operator = read_number(cmp, NFTA_CMP_OP, UINT64_MAX);
	int place = data == NULL ? -1 : walk_register_place(read_number(cmp, NFTA_CMP_SREG, 0), data->length);
	settle(walk, paths, at);
	if (place < 0 || data->is_verdict || operator > NFT_CMP_GTE)
		walk_unsure(walk, paths, at, "a malformed comparison");
	else if (operator == NFT_CMP_EQ || operator == NFT_CMP_NEQ)
		compare_equal(walk, paths, at, place, data, operator == NFT_CMP_EQ);
	else
		compare_size(walk, paths, at, place, data, operator);
}

static void step_range(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *range)
{
	const struct read_data *from = read_data(range, NFTA_RANGE_FROM_DATA);
	const struct read_data *to = read_data(range, NFTA_RANGE_TO_DATA);
	uint64_t operator = read_number(range, NFTA_RANGE_OP, UINT64_MAX);
	settle(walk, paths, at);
	bool is_good = from != NULL && to != NULL && from->length == to->length && from->length <= IPV6_BYTES &&
		       operator <= NFT_RANGE_NEQ;
	int place = is_good ? walk_register_place(read_number(range, NFTA_RANGE_SREG, 0), from->length) : -1;
	if (place < 0) {
		walk_unsure(walk, paths, at, "a malformed range");
		return;
	}
	struct interval wanted = { walk_number_of_bytes(from->bytes, from->length),
				   walk_number_of_bytes(to->bytes, to->length) };
	if (wanted.low > wanted.high)
		kill_unless(&paths->items[at], operator == NFT_RANGE_NEQ);
	else
		compare_range(walk, paths, at, place, from->length, wanted, operator == NFT_RANGE_EQ);
}

/* --- registers -------------------------------------------------------------------------------------- */

static void step_bitwise(struct walk *walk, struct walk_paths *paths, size_t at,
			 const struct read_expression *bitwise)
{
	const struct read_data *mask = read_data(bitwise, NFTA_BITWISE_MASK);
	const struct read_data *xor = read_data(bitwise, NFTA_BITWISE_XOR);
	unsigned length = (unsigned)read_number(bitwise, NFTA_BITWISE_LEN, WALK_REGISTER_BYTES + 1);
	int from = walk_register_place(read_number(bitwise, NFTA_BITWISE_SREG, 0), length);
	int to = walk_register_place(read_number(bitwise, NFTA_BITWISE_DREG, 0), length);
	bool is_plain = read_number(bitwise, NFTA_BITWISE_OP, NFT_BITWISE_BOOL) == NFT_BITWISE_BOOL;
	if (from < 0 || to < 0 || !is_plain || mask == NULL || xor == NULL || mask->length < length ||
	    xor->length < length)
		walk_unsure(walk, paths, at, "a bitwise operation without a model");
	else
		walk_register_mask(&paths->items[at].registers, from, to, length, mask->bytes, xor->bytes);
}

static void step_byteorder(struct walk *walk, struct walk_paths *paths, size_t at,
			   const struct read_expression *turn)
{
	unsigned length = (unsigned)read_number(turn, NFTA_BYTEORDER_LEN, WALK_REGISTER_BYTES + 1);
	unsigned size = (unsigned)read_number(turn, NFTA_BYTEORDER_SIZE, 0);
	int from = walk_register_place(read_number(turn, NFTA_BYTEORDER_SREG, 0), length);
	int to = walk_register_place(read_number(turn, NFTA_BYTEORDER_DREG, 0), length);
	if (from < 0 || to < 0 || (size != 2 && size != 4 && size != 8))
		walk_unsure(walk, paths, at, "a malformed byteorder");
	else
		walk_register_turn(&paths->items[at].registers, from, to, length, size);
}

static void step_immediate(struct walk *walk, struct walk_paths *paths, size_t at,
			   const struct read_expression *immediate)
{
	const struct read_data *data = read_data(immediate, NFTA_IMMEDIATE_DATA);
	uint64_t number = read_number(immediate, NFTA_IMMEDIATE_DREG, UINT64_MAX);
	struct walk_path *path = &paths->items[at];
	if (data != NULL && data->is_verdict && number == NFT_REG_VERDICT) {
		if (data->verdict == NFT_CONTINUE)
			return;
		diagram before = walk_leaf_of(walk->leaves, WALK_FALL, NULL, path->effects);
		const struct walk_piece rows = walk_path_rows(walk, path);
		diagram after = walk_verdict_meaning(walk, data, &rows, path->families);
		diagram meaning = walk_sequence(walk, before, after);
		add_meaning(walk, paths, walk_path_guard(walk, &paths->items[at], meaning));
		paths->items[at].is_dead = true;
		return;
	}
	int place = data == NULL || data->is_verdict ? -1 : walk_register_place(number, data->length);
	if (place < 0)
		walk_unsure(walk, paths, at, "an immediate into no register");
	else
		walk_register_constant(&path->registers, place, data->bytes, data->length);
}

/* --- limits and counters ---------------------------------------------------------------------------- */

static struct walk_limit *limit_of(struct walk *walk, const struct read_expression *content, const char *name)
{
	struct walk_limit *limit = pool_new(walk->space, struct walk_limit);
	limit->rate = read_number(content, NFTA_LIMIT_RATE, 0);
	limit->unit_s = read_number(content, NFTA_LIMIT_UNIT, 0);
	limit->burst = (uint32_t)read_number(content, NFTA_LIMIT_BURST, 0);
	limit->type = (uint32_t)read_number(content, NFTA_LIMIT_TYPE, NFT_LIMIT_PKTS);
	limit->flags = (uint32_t)read_number(content, NFTA_LIMIT_FLAGS, 0);
	limit->name = pool_strdup(walk->space, name);
	return limit;
}

static void hold_limit(struct walk *walk, struct walk_path *path, const struct walk_limit *limit,
		       bool is_inverted)
{
	uint32_t rank = walk_limit(walk->space, limit->name, limit);
	bool is_turned = ((limit->flags & NFT_LIMIT_F_INV) != 0) != is_inverted;
	diagram under = is_turned ? WALK_PREDICATE_FALSE : WALK_PREDICATE_TRUE;
	diagram over = is_turned ? WALK_PREDICATE_TRUE : WALK_PREDICATE_FALSE;
	kill_unless(path, walk_path_predicate(walk, path, walk_choose_one(walk->space, rank, 1, 1, under, over)));
}

static void step_limit(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *limit)
{
	const char *name = pool_format(walk->scratch, "the limit of %s, expression %zu", walk_place(walk),
				       walk->expression + 1);
	settle(walk, paths, at);
	hold_limit(walk, &paths->items[at], limit_of(walk, limit, name), 0);
}

static void step_counter(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *none)
{
	(void)none;
	add_effect(walk, &paths->items[at], WALK_COUNT, "");
}

static void assign_helper(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_object *object)
{
	const char *type = read_string(&object->content, NFTA_CT_HELPER_NAME);
	uint8_t protocol = (uint8_t)read_number(&object->content, NFTA_CT_HELPER_L4PROTO, 0);
	uint64_t family = read_number(&object->content, NFTA_CT_HELPER_L3PROTO, NFPROTO_INET);
	struct walk_path here = paths->items[at];
	struct walk_protocols protocols = walk_protocols_of(&protocol, 1);
	bool is_possible = walk_path_protocols(&here, &protocols);
	if (family == NFPROTO_IPV4 || family == NFPROTO_IPV6)
		is_possible = is_possible && walk_path_families(&here, family == NFPROTO_IPV4 ? FAMILIES_IPV4
										      : FAMILIES_IPV6);
	settle(walk, paths, at);
	if (!is_possible)
		return;
	const struct walk_effects *effects =
		walk_effects_with(walk->leaves, walk->leaves->none, WALK_ASSIGN, type == NULL ? "?" : type);
	add_meaning(walk, paths, walk_path_guard(walk, &here,
						 walk_leaf_of(walk->leaves, WALK_FALL, NULL, effects)));
}

static void step_objref(struct walk *walk, struct walk_paths *paths, size_t at,
			const struct read_expression *reference)
{
	uint32_t type = (uint32_t)read_number(reference, NFTA_OBJREF_IMM_TYPE, 0);
	const char *name = read_string(reference, NFTA_OBJREF_IMM_NAME);
	const struct read_object *object = name == NULL ? NULL : read_object_find(walk->table, type, name);
	struct walk_path *path = &paths->items[at];
	if (object == NULL) {
		walk_unsure(walk, paths, at, "an object that is not there, or of a map");
	} else if (type == NFT_OBJECT_COUNTER) {
		add_effect(walk, path, WALK_COUNT, name);
	} else if (type == NFT_OBJECT_LIMIT) {
		settle(walk, paths, at);
		const char *limit = pool_format(walk->scratch, "%slimit '%s'", walk->prefix, name);
		struct walk_limit *made = limit_of(walk, &object->content, limit);
		made->is_object = true;
		hold_limit(walk, &paths->items[at], made, 0);
	} else if (type == NFT_OBJECT_CT_HELPER) {
		assign_helper(walk, paths, at, object);
	} else if (type == NFT_OBJECT_SECMARK) {
		add_effect(walk, path, WALK_CHANGE, "secmark");
	} else {
		settle(walk, paths, at);
		const char *what = pool_format(walk->scratch, "object '%s'", name);
		kill_unless(&paths->items[at], walk_path_unclear(walk, &paths->items[at], what));
	}
}

/* A condition that depends on what went before: a quota, a number of connections. */
static void step_unclear(struct walk *walk, struct walk_paths *paths, size_t at,
			 const struct read_expression *expression)
{
	settle(walk, paths, at);
	kill_unless(&paths->items[at], walk_path_unclear(walk, &paths->items[at], expression->name));
}

/* --- sets that packets fill ------------------------------------------------------------------------- */

/* Is the key the source address, or its first bits? */
static void describe_key(const struct walk_path *path, int place, unsigned length, struct walk_limit *limit)
{
	uint16_t variable = path->registers.bytes[place].variable;
	unsigned bits = 0;
	if ((variable != WALK_IP_SADDR || length != IPV4_BYTES) &&
	    (variable != WALK_IP6_SADDR || length != IPV6_BYTES))
		return;
	for (unsigned i = 0; i < length; i++) {
		const struct walk_byte *byte = &path->registers.bytes[(unsigned)place + i];
		bool is_whole =
			byte->variable == variable && byte->index == i && byte->mask == 0xff && byte->xor == 0;
		if (is_whole && bits == 8 * i)
			bits += 8;
		else if (byte->variable != WALK_CONSTANT || byte->xor != 0)
			return;
	}
	limit->key_bits = bits;
	limit->key_family = variable == WALK_IP_SADDR ? FAMILIES_IPV4 : FAMILIES_IPV6;
}

static const struct read_expression *limit_in(const struct read_expression *dynset)
{
	const struct read_expressions *list = read_nested(dynset, NFTA_DYNSET_EXPR);
	if (list == NULL)
		list = read_nested(dynset, NFTA_DYNSET_EXPRESSIONS);
	return list != NULL && list->items_count == 1 && list->items[0].kind == READ_LIMIT ? &list->items[0] : NULL;
}

static void step_dynset(struct walk *walk, struct walk_paths *paths, size_t at,
			const struct read_expression *dynset)
{
	const char *name = read_string(dynset, NFTA_DYNSET_SET_NAME);
	const struct read_set *set = name == NULL ? NULL :
		read_set_of(walk->table, name, (uint32_t)read_number(dynset, NFTA_DYNSET_SET_ID, 0));
	const struct read_expression *content = limit_in(dynset);
	bool is_inverted = (read_number(dynset, NFTA_DYNSET_FLAGS, 0) & NFT_DYNSET_F_INV) != 0;
	int place = set == NULL ? -1
				: walk_register_place(read_number(dynset, NFTA_DYNSET_SREG_KEY, 0),
						      set->key_length);
	settle(walk, paths, at);
	if (place < 0) {
		walk_unsure(walk, paths, at, "packets are put into a set that is not there");
		return;
	}
	bool is_update = read_number(dynset, NFTA_DYNSET_OP, UINT64_MAX) == NFT_DYNSET_OP_UPDATE;
	if (content == NULL || !is_update) {
		const char *what = pool_format(walk->scratch, "set '%s' takes the packet", name);
		kill_unless(&paths->items[at], walk_path_unclear(walk, &paths->items[at], what));
		return;
	}
	const char *called = pool_format(walk->scratch, "%slimit in set '%s'", walk->prefix, name);
	struct walk_limit *limit = limit_of(walk, content, called);
	uint64_t timeout = read_number(dynset, NFTA_DYNSET_TIMEOUT, 0);
	limit->is_per_key = true;
	limit->size = set->size;
	limit->timeout_ms = timeout != 0 ? timeout : set->timeout_ms;
	describe_key(&paths->items[at], place, set->key_length, limit);
	hold_limit(walk, &paths->items[at], limit, is_inverted);
}

/* --- what is done with packets ---------------------------------------------------------------------- */

static void step_log(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *log)
{
	const char *prefix = read_string(log, NFTA_LOG_PREFIX);
	const char *text = prefix == NULL ? "" : prefix;
	if (read_has(log, NFTA_LOG_GROUP))
		text = pool_format(walk->scratch, WALK_LOG_GROUP "%s",
				   (unsigned)read_number(log, NFTA_LOG_GROUP, 0), text);
	add_effect(walk, &paths->items[at], WALK_LOG, text);
}

static void step_reject(struct walk *walk, struct walk_paths *paths, size_t at,
			const struct read_expression *reject)
{
	struct walk_leaf leaf = { .verdict = WALK_REJECT };
	leaf.reject.type = (uint32_t)read_number(reject, NFTA_REJECT_TYPE, UINT32_MAX);
	if (leaf.reject.type != NFT_REJECT_TCP_RST)
		leaf.reject.code = (uint32_t)read_number(reject, NFTA_REJECT_ICMP_CODE, 0);
	end_with(walk, paths, at, leaf);
}

static void step_notrack(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *none)
{
	(void)none;
	add_effect(walk, &paths->items[at], WALK_NOTRACK, "");
}

/* Bytes of a register that must be known. */
static bool constant_at(const struct walk_path *path, const struct read_expression *expression, uint16_t attribute,
			unsigned length, number128 *number)
{
	uint8_t bytes[IPV6_BYTES];
	int place = walk_register_place(read_number(expression, attribute, 0), length);
	if (place < 0 || !walk_constant_bytes(&path->registers, place, length, bytes))
		return false;
	*number = walk_number_of_bytes(bytes, length);
	return true;
}

/* low and high where the registers are named; the second is the first where it is not. */
static bool constants_at(const struct walk_path *path, const struct read_expression *expression, uint16_t low_at,
			 uint16_t high_at, unsigned length, struct interval *found)
{
	if (!constant_at(path, expression, low_at, length, &found->low))
		return false;
	found->high = found->low;
	return !read_has(expression, high_at) || constant_at(path, expression, high_at, length, &found->high);
}

/* NF_NAT_RANGE_MAP_IPS and PROTO_SPECIFIED follow from the registers. */
#define NAT_FLAGS_IMPLIED 3u

static void end_translation(struct walk *walk, struct walk_paths *paths, size_t at,
			    const struct walk_translation *translation)
{
	end_with(walk, paths, at, (struct walk_leaf){
		.verdict = WALK_TRANSLATE,
		.translation = walk_translation_of(walk->leaves, translation),
	});
}

static bool read_ports(const struct walk_path *path, const struct read_expression *expression, uint16_t low_at,
		       uint16_t high_at, struct walk_translation *translation)
{
	struct interval ports;
	translation->has_port = read_has(expression, low_at);
	if (!translation->has_port)
		return true;
	if (!constants_at(path, expression, low_at, high_at, PORT_BYTES, &ports))
		return false;
	translation->port_low = (uint16_t)ports.low;
	translation->port_high = (uint16_t)ports.high;
	return true;
}

/* A packet of the other family passes by. */
static void step_nat(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *nat)
{
	uint64_t family = read_number(nat, NFTA_NAT_FAMILY, 0), type = read_number(nat, NFTA_NAT_TYPE, 0);
	bool is_ipv6 = family == NFPROTO_IPV6;
	struct walk_translation translation = {
		.kind = type == NFT_NAT_DNAT ? WALK_DNAT : WALK_SNAT,
		.family = is_ipv6 ? FAMILY_IPV6 : FAMILY_IPV4,
		.has_address = read_has(nat, NFTA_NAT_REG_ADDR_MIN),
		.flags = (uint32_t)read_number(nat, NFTA_NAT_FLAGS, 0) & ~NAT_FLAGS_IMPLIED,
	};
	if (family != NFPROTO_IPV4 && !is_ipv6) {
		walk_unsure(walk, paths, at, "a translation of no family");
		return;
	}
	if (type != NFT_NAT_SNAT && type != NFT_NAT_DNAT) {
		walk_unsure(walk, paths, at, "a translation of no kind");
		return;
	}
	if (paths->items[at].families == FAMILIES_BOTH) { /* the others go on */
		struct walk_path *fork = walk_fork(walk, paths, at);
		if (fork == NULL)
			return;
		walk_path_families(fork, is_ipv6 ? FAMILIES_IPV4 : FAMILIES_IPV6);
		walk_path_families(&paths->items[at], is_ipv6 ? FAMILIES_IPV6 : FAMILIES_IPV4);
	}
	struct walk_path *path = &paths->items[at];
	struct interval addresses = { 0, 0 };
	if (path->families != (is_ipv6 ? FAMILIES_IPV6 : FAMILIES_IPV4))
		return;
	bool is_known = !translation.has_address ||
			constants_at(path, nat, NFTA_NAT_REG_ADDR_MIN, NFTA_NAT_REG_ADDR_MAX,
				     is_ipv6 ? IPV6_BYTES : IPV4_BYTES, &addresses);
	translation.low = addresses.low;
	translation.high = addresses.high;
	if (!is_known || !read_ports(path, nat, NFTA_NAT_REG_PROTO_MIN, NFTA_NAT_REG_PROTO_MAX, &translation))
		walk_unsure(walk, paths, at, "a translation to what is not constant");
	else
		end_translation(walk, paths, at, &translation);
}

static void step_masq(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *masq)
{
	struct walk_translation translation = {
		.kind = WALK_MASQUERADE,
		.flags = (uint32_t)read_number(masq, NFTA_MASQ_FLAGS, 0) & ~NAT_FLAGS_IMPLIED,
	};
	if (read_ports(&paths->items[at], masq, NFTA_MASQ_REG_PROTO_MIN, NFTA_MASQ_REG_PROTO_MAX, &translation))
		end_translation(walk, paths, at, &translation);
	else
		walk_unsure(walk, paths, at, "a translation to what is not constant");
}

static void step_redir(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *redir)
{
	struct walk_translation translation = {
		.kind = WALK_REDIRECT,
		.flags = (uint32_t)read_number(redir, NFTA_REDIR_FLAGS, 0) & ~NAT_FLAGS_IMPLIED,
	};
	if (read_ports(&paths->items[at], redir, NFTA_REDIR_REG_PROTO_MIN, NFTA_REDIR_REG_PROTO_MAX, &translation))
		end_translation(walk, paths, at, &translation);
	else
		walk_unsure(walk, paths, at, "a redirection to what is not constant");
}

static void step_queue(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *queue)
{
	(void)queue;
	end_other(walk, paths, at, "queued to a program");
}

static void step_fwd(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *fwd)
{
	(void)fwd;
	end_other(walk, paths, at, "sent out elsewhere");
}

static void step_synproxy(struct walk *walk, struct walk_paths *paths, size_t at,
			  const struct read_expression *proxy)
{
	(void)proxy;
	end_other(walk, paths, at, "answered by a syn proxy");
}

static void step_change(struct walk *walk, struct walk_paths *paths, size_t at,
			const struct read_expression *expression)
{
	add_effect(walk, &paths->items[at], WALK_CHANGE, expression->name);
}

static void step_nothing(struct walk *walk, struct walk_paths *paths, size_t at,
			 const struct read_expression *expression)
{
	(void)walk;
	(void)paths;
	(void)at;
	(void)expression;
}

/* These read, or write where they have a source register. */
static void step_load(struct walk *walk, struct walk_paths *paths, size_t at, const struct read_expression *load)
{
	bool writes = (load->kind == READ_META && read_has(load, NFTA_META_SREG)) ||
		      (load->kind == READ_CT && read_has(load, NFTA_CT_SREG));
	bool rewrites = (load->kind == READ_PAYLOAD && read_has(load, NFTA_PAYLOAD_SREG)) ||
			(load->kind == READ_EXTHDR && !read_has(load, NFTA_EXTHDR_DREG));
	if (rewrites) {
		walk_unsure(walk, paths, at, "the packet is rewritten");
		return;
	}
	if (writes) {
		step_change(walk, paths, at, load);
		return;
	}
	settle(walk, paths, at);
	walk_load(walk, paths, at, load);
}

static void step_lookup(struct walk *walk, struct walk_paths *paths, size_t at,
			const struct read_expression *lookup)
{
	settle(walk, paths, at);
	walk_lookup(walk, paths, at, lookup);
}

static void step_unknown(struct walk *walk, struct walk_paths *paths, size_t at,
			 const struct read_expression *expression)
{
	walk_unsure(walk, paths, at, pool_format(walk->scratch, "'%s' is not understood", expression->name));
}

/* --- rules ------------------------------------------------------------------------------------------ */

typedef void (*stepper)(struct walk *walk, struct walk_paths *paths, size_t at,
			const struct read_expression *expression);

static const stepper steppers[] = {
	[READ_UNKNOWN] = step_unknown,
	[READ_BITWISE] = step_bitwise,
	[READ_BYTEORDER] = step_byteorder,
	[READ_CMP] = step_cmp,
	[READ_CONNLIMIT] = step_unclear,
	[READ_COUNTER] = step_counter,
	[READ_CT] = step_load,
	[READ_DUP] = step_change,
	[READ_DYNSET] = step_dynset,
	[READ_EXTHDR] = step_load,
	[READ_FIB] = step_load,
	[READ_FLOW_OFFLOAD] = step_change,
	[READ_FWD] = step_fwd,
	[READ_HASH] = step_load,
	[READ_IMMEDIATE] = step_immediate,
	[READ_LAST] = step_nothing,
	[READ_LIMIT] = step_limit,
	[READ_LOG] = step_log,
	[READ_LOOKUP] = step_lookup,
	[READ_MASQ] = step_masq,
	[READ_META] = step_load,
	[READ_NAT] = step_nat,
	[READ_NOTRACK] = step_notrack,
	[READ_NUMGEN] = step_load,
	[READ_OBJREF] = step_objref,
	[READ_OSF] = step_load,
	[READ_PAYLOAD] = step_load,
	[READ_QUEUE] = step_queue,
	[READ_QUOTA] = step_unclear,
	[READ_RANGE] = step_range,
	[READ_REDIR] = step_redir,
	[READ_REJECT] = step_reject,
	[READ_RT] = step_load,
	[READ_SECMARK] = step_change,
	[READ_SOCKET] = step_load,
	[READ_SYNPROXY] = step_synproxy,
	[READ_TPROXY] = step_unknown,
	[READ_TUNNEL] = step_load,
	[READ_XFRM] = step_load,
};

static void drop_dead(struct walk_paths *paths)
{
	size_t kept = 0;
	for (size_t i = 0; i < paths->items_count; i++) {
		if (paths->items[i].is_dead)
			continue;
		if (kept != i)
			paths->items[kept] = paths->items[i];
		kept++;
	}
	paths->items_count = kept;
}

static void take_step(struct walk *walk, const struct read_rule *rule, size_t number, struct walk_paths *paths)
{
	const struct read_expression *expression = &rule->expressions.items[number];
	size_t count = paths->items_count; /* forks have taken this step already */
	walk->expression = number;
	for (size_t at = 0; at < count; at++)
		steppers[expression->kind](walk, paths, at, expression);
	drop_dead(paths);
}

/* Loads and comparisons: no effect, and nothing that depends on the piece of the space. */
static bool is_beginning(enum read_kind kind)
{
	return kind == READ_META || kind == READ_CT || kind == READ_PAYLOAD || kind == READ_CMP ||
	       kind == READ_RANGE || kind == READ_BITWISE || kind == READ_BYTEORDER;
}

static bool is_plain(const struct walk_paths *paths)
{
	for (size_t i = 0; i < paths->items_count; i++)
		if (paths->items[i].others != WALK_PREDICATE_TRUE || paths->items[i].effects->items_count != 0)
			return false;
	return paths->meanings_count == 0;
}

/* A verdict asks no register. */
static bool asks_registers(const struct read_rule *rule, size_t done)
{
	const struct read_expressions *list = &rule->expressions;
	bool is_last = done + 1 == list->items_count;
	return done < list->items_count && !(is_last && list->items[done].kind == READ_IMMEDIATE);
}

static void begin(struct walk *walk, const struct read_rule *rule, struct walk_paths *paths, size_t *done)
{
	walk_path_begin(walk, pool_append(walk->scratch, paths, items));
	for (*done = 0; *done < rule->expressions.items_count && paths->items_count != 0 && is_plain(paths) &&
	     is_beginning(rule->expressions.items[*done].kind); ++*done)
		take_step(walk, rule, *done, paths);
}

void walk_rule_start(struct walk *walk, const struct read_rule *rule, struct walk_start *start)
{
	const struct walk_piece piece = walk->space->piece;
	struct walk_paths paths = { 0 }, none = { 0 };
	void *outer = walk->scratch;
	walk->scratch = pool_child(outer, "start");
	walk_space_narrow(walk->space, &walk_piece_whole);
	begin(walk, rule, &paths, &start->expressions_done);
	if (!is_plain(&paths)) {
		start->expressions_done = 0;
		walk_path_begin(walk, pool_append(walk->scratch, &none, items));
		paths = none;
	}
	walk_start_keep(walk, start, &paths, asks_registers(rule, start->expressions_done));
	start->is_made = true;
	walk_space_narrow(walk->space, &piece);
	talloc_free(walk->scratch);
	walk->scratch = outer;
}

static diagram rule_meaning(struct walk *walk, const struct read_rule *rule, const struct walk_start *start)
{
	struct walk_paths paths = { 0 };
	if (start != NULL)
		walk_start_resume(walk, start, &paths);
	else
		walk_path_begin(walk, pool_append(walk->scratch, &paths, items));
	for (size_t i = start != NULL ? start->expressions_done : 0;
	     i < rule->expressions.items_count && paths.items_count != 0; i++)
		take_step(walk, rule, i, &paths);
	for (size_t at = 0; at < paths.items_count; at++)
		settle(walk, &paths, at);
	return walk_sequence_of(walk, paths.meanings, paths.meanings_count);
}

/* What a rule takes on the way goes with it; rules of the chains that it goes to nest. */
diagram walk_rule(struct walk *walk, const struct read_rule *rule, const struct walk_start *start)
{
	void *outer = walk->scratch;
	walk->scratch = pool_child(outer, "rule");
	diagram meaning = rule_meaning(walk, rule, start);
	talloc_free(walk->scratch);
	walk->scratch = outer;
	return meaning;
}
