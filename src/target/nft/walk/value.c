#include "target/nft/walk/value.h"

#include <assert.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "base/pool.h"

#define WORD_BYTES 4
#define FIRST_DATA_WORD 4 /* before it stands the verdict */
#define FREE_BITS_MAX 12  /* of a mask with holes: 4096 intervals */

#define ETHERTYPE_IPV4 0x0800u
#define ETHERTYPE_IPV6 0x86ddu

struct variable_row {
	uint16_t number;
	enum walk_variable_kind kind;
	enum walk_field field;
	uint8_t bytes;
	bool is_host_order;
	const char *name;
};

static const struct variable_row rows[] = {
	{ WALK_UNWRITTEN, WALK_VARIABLE_FIELD, WALK_FIELDS, 0, false, "nothing" },
	{ WALK_CONSTANT, WALK_VARIABLE_FIELD, WALK_FIELDS, 0, false, "constant" },
	{ WALK_NFPROTO, WALK_VARIABLE_FAMILY, WALK_FAMILY, 1, false, "meta nfproto" },
	{ WALK_ETHERTYPE, WALK_VARIABLE_FAMILY, WALK_FAMILY, 2, false, "meta protocol" },
	{ WALK_L4PROTO, WALK_VARIABLE_PROTOCOL, WALK_PROTOCOL, 1, false, "meta l4proto" },
	{ WALK_CT_STATE, WALK_VARIABLE_STATE, WALK_STATE, 4, true, "ct state" },
	{ WALK_CT_STATUS, WALK_VARIABLE_STATUS, WALK_TRANSLATED, 4, true, "ct status" },
	{ WALK_IIFNAME, WALK_VARIABLE_FIELD, WALK_IN, 16, false, "meta iifname" },
	{ WALK_OIFNAME, WALK_VARIABLE_FIELD, WALK_OUT, 16, false, "meta oifname" },
	{ WALK_IIF, WALK_VARIABLE_INDEX, WALK_IN, 4, true, "meta iif" },
	{ WALK_OIF, WALK_VARIABLE_INDEX, WALK_OUT, 4, true, "meta oif" },
	{ WALK_IP_SADDR, WALK_VARIABLE_FIELD, WALK_SOURCE, 4, false, "ip saddr" },
	{ WALK_IP_DADDR, WALK_VARIABLE_FIELD, WALK_DESTINATION, 4, false, "ip daddr" },
	{ WALK_IP6_SADDR, WALK_VARIABLE_FIELD, WALK_SOURCE, 16, false, "ip6 saddr" },
	{ WALK_IP6_DADDR, WALK_VARIABLE_FIELD, WALK_DESTINATION, 16, false, "ip6 daddr" },
	{ WALK_SPORT, WALK_VARIABLE_FIELD, WALK_SECOND, 2, false, "th sport" },
	{ WALK_DPORT, WALK_VARIABLE_FIELD, WALK_FIRST, 2, false, "th dport" },
	{ WALK_TYPE, WALK_VARIABLE_FIELD, WALK_FIRST, 1, false, "icmp type" },
	{ WALK_CODE, WALK_VARIABLE_FIELD, WALK_SECOND, 1, false, "icmp code" },
	{ WALK_FLAGS, WALK_VARIABLE_FIELD, WALK_TCP_FLAGS, 1, false, "tcp flags" },
	{ WALK_TTL, WALK_VARIABLE_FIELD, WALK_HOP_LIMIT, 1, false, "hop limit" },
	{ WALK_CT_DST_IP, WALK_VARIABLE_FIELD, WALK_ORIGINAL_DESTINATION, 4, false, "ct original ip daddr" },
	{ WALK_CT_DST_IP6, WALK_VARIABLE_FIELD, WALK_ORIGINAL_DESTINATION, 16, false, "ct original ip6 daddr" },
	{ WALK_CT_PROTO_DST, WALK_VARIABLE_FIELD, WALK_ORIGINAL_PORT, 2, false, "ct original proto-dst" },
	{ WALK_CT_HELPER, WALK_VARIABLE_FIELD, WALK_HELPER, 16, false, "ct helper" },
	{ WALK_FIB_TYPE, WALK_VARIABLE_FIELD, WALK_ROUTE, 4, true, "fib daddr type" },
	{ WALK_DAY, WALK_VARIABLE_DAY, WALK_WEEK, 1, false, "meta day" },
	{ WALK_HOUR, WALK_VARIABLE_HOUR, WALK_WEEK, 4, true, "meta hour" },
	{ WALK_CLOCK, WALK_VARIABLE_FIELD, WALK_TIME, 8, true, "meta time" },
};
static_assert(sizeof rows / sizeof rows[0] == WALK_VARIABLES, "a row for each variable");

number128 walk_variable_limit(const struct walk_variable *variable)
{
	return variable->bytes == 16 ? DIAGRAM_HIGHEST : ((number128)1 << (8 * variable->bytes)) - 1;
}

struct walk_variables *walk_variables_new(struct walk_space *space)
{
	struct walk_variables *variables = pool_new(space->pool, struct walk_variables);
	variables->space = space;
	variables->by_name = names_new(variables, false);
	for (size_t i = 0; i < WALK_VARIABLES; i++) {
		struct walk_variable variable = {
			.kind = rows[i].kind, .name = rows[i].name, .bytes = rows[i].bytes,
			.is_host_order = rows[i].is_host_order,
		};
		if (rows[i].field != WALK_FIELDS)
			variable.rank = walk_rank(space, rows[i].field);
		variable.highest = walk_variable_limit(&variable);
		if (i == WALK_NFPROTO) {
			variable.values[0] = NFPROTO_IPV4;
			variable.values[1] = NFPROTO_IPV6;
		} else if (i == WALK_ETHERTYPE) {
			variable.values[0] = ETHERTYPE_IPV4;
			variable.values[1] = ETHERTYPE_IPV6;
		}
		*pool_append(variables, variables, items) = variable;
	}
	return variables;
}

uint16_t walk_variable_unknown(struct walk_variables *variables, const char *name, unsigned bytes,
			       bool is_host_order)
{
	size_t length = strlen(name);
	uintptr_t known = (uintptr_t)names_find(variables->by_name, name, length);
	if (known != 0)
		return (uint16_t)known;
	if (variables->items_count == UINT16_MAX)
		return WALK_UNWRITTEN;
	known = variables->items_count;
	struct walk_variable variable = {
		.kind = WALK_VARIABLE_FIELD,
		.name = pool_strdup(variables, name),
		.rank = walk_unknown(variables->space, name, bytes * 8),
		.bytes = (uint8_t)bytes,
		.is_host_order = is_host_order,
	};
	variable.highest = walk_variable_limit(&variable);
	*pool_append(variables, variables, items) = variable;
	names_set(variables->by_name, name, length, (void *)known);
	return (uint16_t)known;
}

/* --- registers -------------------------------------------------------------------------------------- */

int walk_register_place(uint64_t number, unsigned length)
{
	uint64_t word;
	if (number >= NFT_REG_1 && number <= NFT_REG_4)
		word = number * (NFT_REG_SIZE / NFT_REG32_SIZE);
	else if (number >= NFT_REG32_00 && number <= NFT_REG32_15)
		word = number - NFT_REG32_00 + FIRST_DATA_WORD;
	else
		return -1;
	return word * WORD_BYTES + length > WALK_REGISTER_BYTES ? -1 : (int)(word * WORD_BYTES);
}

static const struct walk_byte zero_byte = { WALK_CONSTANT, 0, 0, 0 };

/* What is left of the last word is cleared. */
static void clear_rest(struct walk_registers *registers, int place, unsigned length)
{
	for (unsigned i = length; i % WORD_BYTES != 0; i++)
		registers->bytes[(unsigned)place + i] = zero_byte;
}

void walk_register_bytes(struct walk_registers *registers, int place, const struct walk_byte *bytes,
			 unsigned length)
{
	memmove(registers->bytes + place, bytes, length * sizeof *bytes);
	clear_rest(registers, place, length);
}

static bool is_little_endian(void)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
}

void walk_register_load(struct walk_registers *registers, int place, const struct walk_variables *variables,
			uint16_t number)
{
	const struct walk_variable *variable = &variables->items[number];
	bool is_turned = variable->is_host_order && is_little_endian();
	for (unsigned i = 0; i < variable->bytes; i++)
		registers->bytes[(unsigned)place + i] = (struct walk_byte){
			number, (uint8_t)(is_turned ? variable->bytes - 1u - i : i), 0xff, 0,
		};
	clear_rest(registers, place, variable->bytes);
}

void walk_register_constant(struct walk_registers *registers, int place, const uint8_t *bytes, unsigned length)
{
	for (unsigned i = 0; i < length; i++)
		registers->bytes[(unsigned)place + i] = (struct walk_byte){ WALK_CONSTANT, 0, 0, bytes[i] };
	clear_rest(registers, place, length);
}

void walk_register_mask(struct walk_registers *registers, int from, int to, unsigned length,
			const uint8_t *mask, const uint8_t *xor)
{
	struct walk_byte made[WALK_REGISTER_BYTES];
	for (unsigned i = 0; i < length; i++) {
		struct walk_byte byte = registers->bytes[(unsigned)from + i];
		byte.xor = (uint8_t)((byte.xor & mask[i]) ^ xor[i]);
		byte.mask &= mask[i];
		if (byte.mask == 0 && byte.variable != WALK_UNWRITTEN)
			byte = (struct walk_byte){ WALK_CONSTANT, 0, 0, byte.xor };
		made[i] = byte;
	}
	walk_register_bytes(registers, to, made, length);
}

void walk_register_turn(struct walk_registers *registers, int from, int to, unsigned length, unsigned size)
{
	struct walk_byte made[WALK_REGISTER_BYTES];
	unsigned whole = length / size * size; /* the kernel turns whole units only */
	for (unsigned i = 0; i < whole; i++) {
		unsigned unit = i / size * size, at = i - unit;
		made[i] = registers->bytes[(unsigned)from + unit + (is_little_endian() ? size - 1 - at : at)];
	}
	memcpy(registers->bytes + to, made, whole * sizeof *made);
}

/* --- equations -------------------------------------------------------------------------------------- */

static struct walk_equation *equation_of(struct walk_equations *equations, uint16_t variable)
{
	for (size_t i = 0; i < equations->items_count; i++)
		if (equations->items[i].variable == variable)
			return &equations->items[i];
	if (equations->items_count == WALK_EQUATIONS_MAX) {
		equations->is_unclear = true;
		return NULL;
	}
	struct walk_equation *added = &equations->items[equations->items_count++];
	*added = (struct walk_equation){ variable, 0, 0 };
	return added;
}

/* Bytes of the variable that stand behind the one with this index are less significant. The shift
 * counts from the variable's highest byte; the caller brings the number down to its length. */
static void add_byte(struct walk_equations *equations, const struct walk_byte *byte, uint8_t value)
{
	uint8_t wanted = value ^ byte->xor;
	if ((wanted & ~byte->mask) != 0) {
		equations->is_impossible = true;
		return;
	}
	struct walk_equation *equation = equation_of(equations, byte->variable);
	if (equation == NULL)
		return;
	unsigned shift = 8u * (15u - byte->index);
	number128 mask = (number128)byte->mask << shift, bits = (number128)wanted << shift;
	if (((equation->wanted ^ bits) & equation->mask & mask) != 0)
		equations->is_impossible = true;
	equation->mask |= mask;
	equation->wanted |= bits;
}

struct walk_equations walk_equations_of(const struct walk_registers *registers, int place,
					const uint8_t *bytes, unsigned length)
{
	struct walk_equations equations;
	equations.items_count = 0;
	equations.is_impossible = equations.is_unclear = false;
	for (unsigned i = 0; i < length; i++) {
		const struct walk_byte *byte = &registers->bytes[(unsigned)place + i];
		if (byte->variable == WALK_UNWRITTEN)
			equations.is_unclear = true;
		else if (byte->variable == WALK_CONSTANT)
			equations.is_impossible = equations.is_impossible || byte->xor != bytes[i];
		else
			add_byte(&equations, byte, bytes[i]);
	}
	return equations;
}

uint16_t walk_ordered_variable(const struct walk_registers *registers, int place, unsigned length)
{
	uint16_t variable = registers->bytes[place].variable;
	if (variable == WALK_UNWRITTEN || variable == WALK_CONSTANT || length == 0 || length > 16)
		return WALK_UNWRITTEN;
	for (unsigned i = 0; i < length; i++) {
		const struct walk_byte *byte = &registers->bytes[(unsigned)place + i];
		if (byte->variable != variable || byte->index != i || byte->mask != 0xff || byte->xor != 0)
			return WALK_UNWRITTEN;
	}
	return variable;
}

bool walk_constant_bytes(const struct walk_registers *registers, int place, unsigned length, uint8_t *bytes)
{
	for (unsigned i = 0; i < length; i++) {
		const struct walk_byte *byte = &registers->bytes[(unsigned)place + i];
		if (byte->variable != WALK_CONSTANT)
			return false;
		bytes[i] = byte->xor;
	}
	return true;
}

number128 walk_number_of_bytes(const uint8_t *bytes, unsigned length)
{
	number128 number = 0;
	for (unsigned i = 0; i < length; i++)
		number = number << 8 | bytes[i];
	return number;
}

/* --- values ----------------------------------------------------------------------------------------- */

static unsigned lowest_bit(number128 value)
{
	uint64_t low = (uint64_t)value;
	return low != 0 ? (unsigned)__builtin_ctzll(low) : 64u + (unsigned)__builtin_ctzll((uint64_t)(value >> 64));
}

const uint32_t walk_state_bits[WALK_STATES] = {
	[WALK_INVALID] = 1, [WALK_ESTABLISHED] = 2, [WALK_RELATED] = 4, [WALK_NEW] = 8, [WALK_UNTRACKED] = 64,
};

/* Of all numbers only these five can be: a mask costs nothing. */
static void state_equation_values(void *pool, number128 mask, number128 wanted, struct interval_set *values)
{
	for (unsigned state = 0; state < WALK_STATES; state++)
		if ((walk_state_bits[state] & mask) == wanted)
			interval_set_add(pool, values, walk_state_bits[state], walk_state_bits[state]);
	interval_set_normalise(values);
}

bool walk_equation_values(void *pool, const struct walk_variable *variable, const struct walk_equation *equation,
			  struct interval_set *values)
{
	number128 limit = walk_variable_limit(variable);
	unsigned down = 8u * (16u - variable->bytes);
	number128 mask = equation->mask >> down, wanted = equation->wanted >> down;
	*values = (struct interval_set){ 0 };
	if (mask == 0) {
		interval_set_add(pool, values, 0, limit);
		return true;
	}
	if (variable->kind == WALK_VARIABLE_STATE) {
		state_equation_values(pool, mask, wanted, values);
		return true;
	}
	unsigned tail = lowest_bit(mask); /* bits below the mask: one interval of them */
	number128 tail_bits = ((number128)1 << tail) - 1;
	number128 free = ~mask & limit & ~tail_bits;
	unsigned free_count = (unsigned)(__builtin_popcountll((uint64_t)free) +
					 __builtin_popcountll((uint64_t)(free >> 64)));
	if (free_count > FREE_BITS_MAX)
		return false;
	number128 chosen = 0;
	do { /* all subsets of the free bits, ascending */
		interval_set_add(pool, values, wanted | chosen, wanted | chosen | tail_bits);
		chosen = (chosen - free) & free;
	} while (chosen != 0);
	interval_set_normalise(values);
	return true;
}
