#include "target/nft/walk/form.h"

#define NUMBER_BYTES 16u

static unsigned lowest_bit(number128 value)
{
	uint64_t low = (uint64_t)value;
	return low != 0 ? (unsigned)__builtin_ctzll(low) : 64u + (unsigned)__builtin_ctzll((uint64_t)(value >> 64));
}

/* The variable's field in the form; WALK_FORM_FIELDS: it cannot be one. */
static uint8_t field_of(struct walk_form *form, const struct walk_variables *variables, uint16_t variable)
{
	const struct walk_variable *what = &variables->items[variable];
	bool is_name = variable == WALK_IIFNAME || variable == WALK_OIFNAME || variable == WALK_CT_HELPER;
	bool is_protocol = what->kind == WALK_VARIABLE_PROTOCOL;
	for (size_t i = 0; i < form->fields_count; i++)
		if (form->fields[i].variable == variable)
			return (uint8_t)i;
	bool is_number = is_protocol || (what->kind == WALK_VARIABLE_FIELD && !is_name);
	if (!is_number || form->fields_count == WALK_FORM_FIELDS)
		return WALK_FORM_FIELDS;
	form->fields[form->fields_count] = (struct walk_form_field){
		.variable = variable, .is_protocol = is_protocol, .down = 8u * (NUMBER_BYTES - what->bytes),
	};
	return (uint8_t)form->fields_count++;
}

/* What all bytes of a field compare: the highest bits of the variable, or it is not simple. */
static bool take_mask(struct walk_form_field *field, const struct walk_variables *variables, number128 mask)
{
	number128 limit = walk_variable_limit(&variables->items[field->variable]);
	mask >>= field->down;
	field->inside = mask == 0 ? limit : ((number128)1 << lowest_bit(mask)) - 1;
	return mask != 0 && (mask | field->inside) == limit && !(field->is_protocol && field->inside != 0);
}

struct walk_form walk_form_of(const struct walk_variables *variables, const struct walk_registers *registers,
			      int place, unsigned length)
{
	static const struct walk_form none = { .fields_count = 0 };
	struct walk_form form = { .length = length };
	number128 masks[WALK_FORM_FIELDS] = { 0 };
	if (length > WALK_FORM_BYTES)
		return none;
	for (unsigned i = 0; i < length; i++) {
		const struct walk_byte *byte = &registers->bytes[(unsigned)place + i];
		form.bytes[i].field = WALK_FORM_FIELDS;
		form.bytes[i].mask = byte->mask;
		form.bytes[i].xor = byte->xor;
		if (byte->variable == WALK_CONSTANT)
			continue;
		uint8_t field = byte->variable == WALK_UNWRITTEN ? WALK_FORM_FIELDS
								 : field_of(&form, variables, byte->variable);
		unsigned shift = NUMBER_BYTES - 1u - byte->index;
		number128 mask = (number128)byte->mask << 8 * shift;
		if (field == WALK_FORM_FIELDS || (masks[field] & ((number128)0xff << 8 * shift)) != 0)
			return none;
		masks[field] |= mask;
		form.bytes[i].field = field;
		form.bytes[i].shift = (uint8_t)shift;
	}
	for (size_t i = 0; i < form.fields_count; i++)
		if (!take_mask(&form.fields[i], variables, masks[i]))
			return none;
	return form;
}

bool walk_form_values(const struct walk_form *form, const uint8_t *key, struct interval values[WALK_FORM_FIELDS])
{
	number128 numbers[WALK_FORM_FIELDS] = { 0 };
	for (unsigned i = 0; i < form->length; i++) {
		uint8_t wanted = key[i] ^ form->bytes[i].xor, field = form->bytes[i].field;
		if (field == WALK_FORM_FIELDS ? wanted != 0 : (wanted & ~form->bytes[i].mask) != 0)
			return false;
		if (field != WALK_FORM_FIELDS)
			numbers[field] |= (number128)wanted << 8 * form->bytes[i].shift;
	}
	for (size_t i = 0; i < form->fields_count; i++) {
		number128 low = numbers[i] >> form->fields[i].down;
		values[i] = (struct interval){ low, low | form->fields[i].inside };
	}
	return true;
}
