/* Translations and pools, one line each. */
#include "target/cisco/read/nat.h"

#include <string.h>

#include "base/pool.h"
#include "target/cisco/read/ports.h"

static bool range_take(struct acl_line *line, struct interval *range)
{
	return acl_line_address(line, FAMILY_IPV4, &range->low) &&
	       acl_line_address(line, FAMILY_IPV4, &range->high) &&
	       (range->low <= range->high || acl_line_fail(line, "a range that runs backwards comes before this"));
}

static bool pool_take(struct acl_reader *reader, struct acl_nat_pool *pool)
{
	struct acl_line *line = &reader->line;
	number128 mask;
	uint32_t length;

	pool->name = acl_line_name(line, reader->arena, "the name of a pool");
	if (pool->name == NULL || !range_take(line, &pool->range))
		return false;
	if (acl_line_skip(line, "netmask"))
		return acl_line_address(line, FAMILY_IPV4, &mask);
	if (acl_line_skip(line, "prefix-length"))
		return acl_line_number(line, "a prefix length", 32, &length);
	return acl_line_fail(line, "expected 'netmask' or 'prefix-length'");
}

/* --- translations ----------------------------------------------------------------------------------- */

static bool target_take(struct acl_reader *reader, struct acl_nat *nat)
{
	struct acl_line *line = &reader->line;

	if (acl_line_skip(line, "interface"))
		nat->interface = acl_line_name(line, reader->arena, "an interface");
	else if (acl_line_skip(line, "pool"))
		nat->pool = acl_line_name(line, reader->arena, "a pool");
	else
		return acl_line_fail(line, "expected 'interface' or 'pool'");
	return nat->interface != NULL || nat->pool != NULL;
}

static bool static_address_take(struct acl_line *line, struct address *address)
{
	address->family = FAMILY_IPV4;
	return acl_line_address(line, FAMILY_IPV4, &address->value);
}

static bool static_network_take(struct acl_line *line, struct acl_nat *nat)
{
	struct acl_word word;
	number128 mask;
	uint32_t length;
	int mask_length;

	if (!static_address_take(line, &nat->local) || !static_address_take(line, &nat->global))
		return false;
	word = acl_line_peek(line);
	if (word.length > 1 && word.at[0] == '/' &&
	    acl_number_parse((struct acl_word){ word.at + 1, word.length - 1 }, 32, &length)) {
		line->next++;
		nat->prefix_length = length;
		return true;
	}
	if (!acl_line_address(line, FAMILY_IPV4, &mask))
		return false;
	mask_length = acl_mask_length(mask);
	nat->prefix_length = (unsigned)mask_length;
	return mask_length >= 0 || acl_line_fail(line, "a mask that is no netmask comes before this");
}

static bool static_take(struct acl_reader *reader, struct acl_nat *nat)
{
	struct acl_line *line = &reader->line;
	bool has_ports;

	nat->kind = ACL_NAT_STATIC;
	nat->protocol = ACL_PROTOCOL_IP;
	nat->prefix_length = 32;
	if (acl_line_skip(line, "network"))
		return static_network_take(line, nat);
	if (acl_line_skip(line, "tcp"))
		nat->protocol = PROTOCOL_TCP;
	else if (acl_line_skip(line, "udp"))
		nat->protocol = PROTOCOL_UDP;
	has_ports = nat->protocol != ACL_PROTOCOL_IP;
	if (!static_address_take(line, &nat->local) ||
	    (has_ports && !acl_port_take(line, nat->protocol, &nat->local_port)))
		return false;
	if (acl_line_skip(line, "interface")) {
		nat->interface = acl_line_name(line, reader->arena, "an interface");
		if (nat->interface == NULL)
			return false;
	} else if (!static_address_take(line, &nat->global)) {
		return false;
	}
	return !has_ports || acl_port_take(line, nat->protocol, &nat->global_port);
}

static bool translation_take(struct acl_reader *reader, struct acl_nat *nat)
{
	struct acl_line *line = &reader->line;

	if (acl_line_skip(line, "static")) {
		if (!static_take(reader, nat))
			return false;
		/* how it lives on, not what it translates */
		while (acl_line_skip(line, "extendable") || acl_line_skip(line, "no-alias") ||
		       acl_line_skip(line, "no-payload"))
			;
		return true;
	}
	if (acl_line_skip(line, "list"))
		nat->kind = ACL_NAT_LIST;
	else if (acl_line_skip(line, "route-map"))
		nat->kind = ACL_NAT_ROUTE_MAP;
	else
		return acl_line_fail(line, "expected 'list', 'route-map' or 'static'");
	nat->list = acl_line_name(line, reader->arena, "the name of a list");
	if (nat->list == NULL || !target_take(reader, nat))
		return false;
	nat->is_overload = acl_line_skip(line, "overload");
	return true;
}

/* inside source, outside source, inside destination */
static bool side_take(struct acl_line *line, struct acl_nat *nat)
{
	if (acl_line_skip_words(line, "inside", "source"))
		return true;
	nat->is_outside = acl_line_skip_words(line, "outside", "source");
	nat->is_destination = !nat->is_outside && acl_line_skip_words(line, "inside", "destination");
	return nat->is_outside || nat->is_destination;
}

void acl_nat_line(struct acl_reader *reader)
{
	struct acl_line *line = &reader->line;
	struct acl_nat nat = { .span = acl_reader_line_span(reader) };
	struct acl_nat_pool pool = { .span = nat.span };

	if (acl_line_skip(line, "pool")) {
		if (pool_take(reader, &pool) && acl_line_ends(line))
			*pool_append(reader->pool, reader->config, pools) = pool;
		else
			acl_reader_unread(reader, "a pool of addresses");
		return;
	}
	if (acl_line_skip(line, "source")) { /* without sides: another kind of translation */
		nat.kind = ACL_NAT_UNREAD;
		*pool_append(reader->pool, reader->config, nats) = nat;
		return;
	}
	if (!side_take(line, &nat))
		return; /* ip nat translation timeout, ip nat log, … */
	if (!translation_take(reader, &nat) || !acl_line_ends(line)) {
		acl_reader_unread(reader, "a translation");
		nat.kind = ACL_NAT_UNREAD;
	}
	*pool_append(reader->pool, reader->config, nats) = nat;
}

/* --- taking away ---------------------------------------------------------------------------------------- */

static bool has_text(const struct acl_reader *reader, struct span span, struct acl_word text)
{
	const char *bytes = reader->diags->sources->items[span.source]->bytes;

	return span.end - span.begin >= text.length &&
	       memcmp(bytes + span.end - text.length, text.at, text.length) == 0;
}

/* Only the very line takes a translation away; anything else is named. */
void acl_nat_remove(struct acl_reader *reader)
{
	struct acl_config *config = reader->config;
	const struct acl_word text = acl_line_peek(&reader->line);
	const struct acl_word rest = { text.at, (size_t)(reader->line.end - text.at) };

	if (!acl_word_is(text, "inside") && !acl_word_is(text, "outside"))
		return;
	for (size_t index = 0; index < config->nats_count; index++)
		if (has_text(reader, config->nats[index].span, rest)) {
			memmove(config->nats + index, config->nats + index + 1,
				(--config->nats_count - index) * sizeof config->nats[0]);
			return;
		}
	acl_line_fail(&reader->line, "there is no such translation");
	acl_reader_unread(reader, "a 'no ip nat'");
}
