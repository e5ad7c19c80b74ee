/* Rules that compare addresses by their places, where only packets of their family come. */
#include <linux/netfilter.h>

#include "base/pool.h"
#include "models.h"
#include "target/nft/model/field.h"

struct place_fields {
	enum nft_field source, destination;
	uint8_t family;
	const char *chain;
	number128 address;
};

static const struct place_fields families[] = {
	{ NFT_FIELD_IP_SADDR, NFT_FIELD_IP_DADDR, NFPROTO_IPV4, "places4", 0xaa55cc33 },
	{ NFT_FIELD_IP6_SADDR, NFT_FIELD_IP6_DADDR, NFPROTO_IPV6, "places6",
	  (number128)0xaa5533cc0ff0c33cull << 64 | 0x5aa53cc30f0ff0c3ull },
};
#define FAMILIES (sizeof families / sizeof families[0])

static struct nft_chain *add_chain(void *pool, struct nft_table *table, const char *name)
{
	struct nft_chain *chain = pool_new(pool, struct nft_chain);
	*chain = (struct nft_chain){ .name = name };
	*pool_append(pool, table, chains) = chain;
	return chain;
}

static struct nft_rule *add_rule(void *pool, struct nft_chain *chain)
{
	struct nft_rule *rule = pool_append(pool, chain, rules);
	*rule = (struct nft_rule){ .origin = SPAN_NONE };
	return rule;
}

static struct nft_statement *add(void *pool, struct nft_rule *rule, enum nft_statement_kind kind)
{
	struct nft_statement *statement = pool_append(pool, rule, statements);
	*statement = (struct nft_statement){ .kind = kind };
	return statement;
}

static void add_verdict(void *pool, struct nft_rule *rule, struct nft_verdict verdict)
{
	add(pool, rule, NFT_VERDICT)->verdict = verdict;
}

static void match_address(void *pool, struct nft_rule *rule, enum nft_field field, number128 address,
			  unsigned length)
{
	struct nft_statement *match = add(pool, rule, NFT_MATCH);
	match->field = field;
	match->operator = NFT_PREFIX;
	match->low.number = address & nft_mask(field, length);
	match->length = (uint8_t)length;
	match->is_of_family = true;
}

static void match_number(void *pool, struct nft_rule *rule, enum nft_field field, number128 number)
{
	struct nft_statement *match = add(pool, rule, NFT_MATCH);
	match->field = field;
	match->low.number = match->high.number = number;
	match->protocol = field == NFT_FIELD_TH_DPORT ? IPPROTO_TCP : 0;
}

static void match_range(void *pool, struct nft_rule *rule, enum nft_field field, number128 low, number128 high)
{
	struct nft_statement *match = add(pool, rule, NFT_MATCH);
	match->field = field;
	match->operator = NFT_RANGE;
	match->low.number = low;
	match->high.number = high;
	match->is_of_family = true;
}

/* Networks of all lengths, of one side and of both; a range behind each. */
static void add_rules(void *pool, struct nft_chain *chain, const struct place_fields *fields)
{
	const struct nft_verdict accept = { .kind = NFT_ACCEPT };
	const unsigned bits = 8 * nft_field_row(fields->source)->bytes;
	for (unsigned length = 1; length <= bits; length++) {
		struct nft_rule *rule = add_rule(pool, chain);
		match_address(pool, rule, length % 2 != 0 ? fields->source : fields->destination, fields->address,
			      length);
		add_verdict(pool, rule, accept);
		rule = add_rule(pool, chain);
		match_address(pool, rule, fields->source, fields->address, length);
		match_address(pool, rule, fields->destination, ~fields->address, bits + 1 - length);
		match_number(pool, rule, NFT_FIELD_L4PROTO, IPPROTO_TCP);
		match_number(pool, rule, NFT_FIELD_TH_DPORT, length);
		add_verdict(pool, rule, accept);
		rule = add_rule(pool, chain);
		match_range(pool, rule, fields->destination, fields->address & nft_mask(fields->source, length),
			    fields->address);
		add_verdict(pool, rule, accept);
	}
}

struct nft_table *model_of_places(void *pool)
{
	struct nft_table *table = pool_new(pool, struct nft_table);
	*table = (struct nft_table){ .name = "fwc" };
	for (size_t i = 0; i < FAMILIES; i++)
		add_rules(pool, add_chain(pool, table, families[i].chain), &families[i]);
	struct nft_chain *base = add_chain(pool, table, "input");
	base->is_base = true;
	base->type = "filter";
	base->hook = NF_INET_LOCAL_IN;
	for (size_t i = 0; i < FAMILIES; i++) {
		struct nft_rule *rule = add_rule(pool, base);
		match_number(pool, rule, NFT_FIELD_NFPROTO, families[i].family);
		add_verdict(pool, rule, (struct nft_verdict){ NFT_JUMP, families[i].chain });
	}
	return table;
}
