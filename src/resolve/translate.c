/* Translations of addresses. */
#include "resolve/translate.h"

#include <string.h>

#include "base/pool.h"
#include "net/protocol.h"
#include "resolve/elsewhere.h"
#include "resolve/literal.h"
#include "resolve/options.h"
#include "resolve/places.h"
#include "resolve/rules.h"

static const struct block_scope no_block = { NULL, NULL };

static void append(struct resolver *resolver, struct translation *translation)
{
	translation->number = resolver->policy->translations_count;
	*pool_append(resolver->pool, resolver->policy, translations) = translation;
}

static bool report_family(struct resolver *resolver, struct span span, const char *what)
{
	diag_add(resolver->diags, CODE_NAT_FAMILY, span, "%s", what);
	return false;
}

/* --- source translation ---------------------------------------------------------------------------- */

static bool has_option(const struct ast_option *option, enum ast_option_kind kind)
{
	while (option != NULL && option->kind != kind)
		option = option->next;
	return option != NULL;
}

static bool is_of_host(struct resolver *resolver, const struct address *address)
{
	struct address_set hosts = address_set_hosts(resolver->pool);
	return interval_set_contains(address_set_family(&hosts, address->family), address->value);
}

static bool check_host(struct resolver *resolver, const struct ast_word *word,
		       const struct address *address)
{
	if (is_of_host(resolver, address))
		return true;
	diag_add(resolver->diags, CODE_NAT_ADDRESS, word->span, "'%s' is no address of a host",
		 word->text);
	return false;
}

static bool read_as(struct resolver *resolver, struct translation *translation,
		    const struct ast_word *as)
{
	struct address address;
	if (as->is_reported || !literal_address(resolver, as, &address) ||
	    !check_host(resolver, as, &address))
		return false;
	translation->has_as[address.family] = true;
	translation->as[address.family] = address;
	translation->options.families &= (uint8_t)(1u << address.family);
	return translation->options.families != FAMILIES_NONE ||
	       report_family(resolver, as->span, "the address is of the family that is left out");
}

static void resolve_source(struct resolver *resolver, const struct ast_statement *statement,
			   struct translation *translation)
{
	const struct ast_translation *ast = &statement->translation;
	struct block_scope sides;
	bool is_good = sides_resolve(resolver, ast->from, ast->to, &no_block, &sides);
	translation->from = sides.from;
	translation->to = sides.to;
	is_good = options_resolve(resolver, OWNER_TRANSLATION, ast->options,
				  &translation->options) && is_good;
	if (statement->kind == AST_SNAT)
		is_good = read_as(resolver, translation, ast->as) && is_good;
	else if (!has_option(ast->options, AST_OPTION_IPV6))
		translation->options.families = FAMILIES_IPV4;
	if (is_good && !translation_is_elsewhere(resolver, translation))
		append(resolver, translation);
}

/* --- destination translation ------------------------------------------------------------------------- */

/* One address of the family at most. */
static bool host_of_family(struct resolver *resolver, struct translation *translation,
			   const struct ast_word *word, const struct interval_set *part,
			   enum family family)
{
	if (part->items_count == 0)
		return true;
	if (part->items_count > 1 || part->items[0].low != part->items[0].high) {
		diag_add(resolver->diags, CODE_NAT_HOST, word->span,
			 "'%s' has more than one %s address", word->text,
			 family == FAMILY_IPV4 ? "IPv4" : "IPv6");
		return false;
	}
	translation->has_host[family] = true;
	translation->host[family] = (struct address){ family, part->items[0].low };
	return check_host(resolver, word, &translation->host[family]);
}

static const struct address_set *read_host(struct resolver *resolver,
					   struct translation *translation,
					   const struct ast_word *word)
{
	const struct address_set *host = place_word_addresses(resolver, word, CODE_NAT_HOST);
	if (host == NULL)
		return NULL;
	if (address_set_is_empty(host)) {
		diag_add(resolver->diags, CODE_NAT_HOST, word->span, "'%s' has no address",
			 word->text);
		return NULL;
	}
	bool is_good = host_of_family(resolver, translation, word, &host->v4, FAMILY_IPV4);
	is_good = host_of_family(resolver, translation, word, &host->v6, FAMILY_IPV6) && is_good;
	translation->options.families &= (uint8_t)address_set_families(host);
	return is_good ? host : NULL;
}

/* Whether each interval has addresses of hosts: between the unspecified address and multicast groups there are. */
static bool check_hosts(struct resolver *resolver, const struct ast_word *word, const struct interval_set *set,
			enum family family)
{
	for (size_t i = 0; i < set->items_count; i++) {
		struct address low = { family, set->items[i].low }, high = { family, set->items[i].high };
		bool has_hosts = low.value == 0 && high.value != 0;
		if (!has_hosts && !is_of_host(resolver, &high) && !check_host(resolver, word, &low))
			return false;
	}
	return true;
}

static bool read_at(struct resolver *resolver, struct translation *translation,
		    const struct ast_word *word)
{
	if (word == NULL)
		return true;
	const struct address_set *at = place_word_addresses(resolver, word, CODE_PLACE_KIND);
	if (at == NULL)
		return false;
	translation->has_at = true;
	translation->at = *at;
	translation->options.families &= (uint8_t)address_set_families(at);
	return check_hosts(resolver, word, &at->v4, FAMILY_IPV4) &&
	       check_hosts(resolver, word, &at->v6, FAMILY_IPV6);
}

static bool read_port(struct resolver *resolver, struct translation *translation,
		      const struct ast_word *word)
{
	uint64_t port;
	if (word == NULL || word->is_reported)
		return word == NULL;
	if (number_resolve(word, UINT16_MAX, &port) && port != 0) {
		translation->port = (uint16_t)port;
		return true;
	}
	diag_add(resolver->diags, CODE_PORT_RANGE, word->span, "'%s' is not a port from 1 to 65535",
		 word->text);
	return false;
}

/* `port N` needs one port, of one or more protocols. */
static bool services_have_one_port(struct resolver *resolver, const struct ast_translation *ast,
				   const struct tuple_set *services)
{
	const struct service_tuple *first = services->tuples;
	for (size_t i = 0; i < services->tuples_count; i++) {
		const struct service_tuple *tuple = &services->tuples[i];
		if (!protocol_has_ports(tuple->protocol)) {
			diag_add(resolver->diags, CODE_NAT_PORTLESS, ast->services.span,
				 "a part of the service has no port that 'port' could change");
			return false;
		}
		if (tuple->first.low != tuple->first.high || tuple->first.low != first->first.low) {
			diag_add(resolver->diags, CODE_NAT_PORT, ast->services.span,
				 "'port' needs a service of exactly one port");
			return false;
		}
	}
	return true;
}

/* The rule judges packets after translation: with the new port. */
static void change_ports(struct resolver *resolver, struct policy_rule *rule, uint16_t port)
{
	struct service_use *uses =
		arena_copy(resolver->arena, rule->services, rule->services_count * sizeof *uses);
	for (size_t i = 0; i < rule->services_count; i++)
		uses[i].tuples = tuple_set_to_port(resolver->pool, &uses[i].tuples, port);
	rule->services = uses;
}

static struct tuple_set original_services(struct resolver *resolver, const struct policy_rule *rule)
{
	const struct service_uses uses = { rule->services, rule->services_count,
					   rule->services_count };
	return uses_union(resolver->pool, &uses);
}

static struct policy_rule *forward_rule(struct resolver *resolver,
					const struct ast_statement *statement)
{
	struct policy_rule *rule = arena_new_item(resolver->arena, struct policy_rule);
	rule->verdict = VERDICT_ALLOW;
	rule->span = rule->verdict_span = statement->span;
	rule->verdict_span.end = rule->span.begin + (uint32_t)strlen("forward");
	return rule;
}

/* Everything but the services; each part is read, also after a mistake. NULL: reported. */
static const struct address_set *read_forward(struct resolver *resolver,
					      const struct ast_translation *ast,
					      struct translation *translation)
{
	struct block_scope sides;
	bool is_good = sides_resolve(resolver, ast->from, NULL, &no_block, &sides);
	translation->from = sides.from;
	is_good = options_resolve(resolver, OWNER_TRANSLATION, ast->options,
				  &translation->options) && is_good;
	const struct address_set *host = read_host(resolver, translation, ast->host);
	is_good = read_at(resolver, translation, ast->at) && is_good;
	is_good = read_port(resolver, translation, ast->port) && is_good;
	if (host == NULL || !is_good)
		return NULL;
	if (translation->options.families != FAMILIES_NONE)
		return host;
	report_family(resolver, ast->host->span,
		      "the host and the address that is translated have no family in common");
	return NULL;
}

static void resolve_forward(struct resolver *resolver, const struct ast_statement *statement,
			    struct translation *translation)
{
	const struct ast_translation *ast = &statement->translation;
	struct policy_rule *rule = forward_rule(resolver, statement);
	bool has_services = rule_services(resolver, &ast->services, rule);
	const struct address_set *host = read_forward(resolver, ast, translation);
	if (!has_services || host == NULL)
		return;
	translation->services = original_services(resolver, rule);
	if (translation->port != 0) {
		if (!services_have_one_port(resolver, ast, &translation->services))
			return;
		change_ports(resolver, rule, translation->port);
	}
	if (translation_is_elsewhere(resolver, translation))
		return;
	rule->from = translation->from;
	rule->to = scope_new(resolver, place_list_of(resolver, ast->host, host), NULL);
	rule->options = &translation->options;
	rule->translation = translation;
	append(resolver, translation);
	rule_append(resolver, rule);
}

void translation_resolve(struct resolver *resolver, const struct ast_statement *statement)
{
	struct translation *translation = arena_new_item(resolver->arena, struct translation);
	translation->span = statement->span;
	if (statement->kind == AST_FORWARD) {
		translation->kind = TRANSLATION_FORWARD;
		resolve_forward(resolver, statement, translation);
		return;
	}
	translation->kind = statement->kind == AST_SNAT ? TRANSLATION_SNAT : TRANSLATION_MASQUERADE;
	resolve_source(resolver, statement, translation);
}
