/* Entries as text. */
#include "target/cisco/read/format.h"

static void add_address(struct text *out, enum family family, number128 value)
{
	address_format(out, &(struct address){ family, value });
}

/* Host bits of an IPv6 prefix, whose wildcard is 2^n - 1. */
static unsigned wildcard_bits(number128 wildcard)
{
	unsigned bits = 0;

	for (; wildcard != 0; wildcard >>= 1)
		bits++;
	return bits;
}

static void add_place(struct text *out, const struct acl_list *list, const struct acl_place *place)
{
	text_add_char(out, ' ');
	if (place->group != NULL) {
		text_addf(out, "object-group %s", place->group);
	} else if (place->wildcard == family_highest(list->family)) {
		text_add(out, "any");
	} else if (place->wildcard == 0) {
		text_add(out, "host ");
		add_address(out, list->family, place->value);
	} else if (list->family == FAMILY_IPV6) {
		add_address(out, FAMILY_IPV6, place->value);
		text_addf(out, "/%u", 128 - wildcard_bits(place->wildcard));
	} else {
		add_address(out, FAMILY_IPV4, place->value);
		text_add_char(out, ' ');
		add_address(out, FAMILY_IPV4, place->wildcard);
	}
}

static void add_ports(struct text *out, const struct acl_ports *ports)
{
	static const char *const words[] = {
		[ACL_PORTS_ANY] = "",
		[ACL_PORTS_EQ] = " eq",
		[ACL_PORTS_NEQ] = " neq",
		[ACL_PORTS_GT] = " gt",
		[ACL_PORTS_LT] = " lt",
		[ACL_PORTS_RANGE] = " range",
	};

	text_add(out, words[ports->operator]);
	for (size_t index = 0; index < ports->count; index++)
		text_addf(out, " %u", ports->numbers[index]);
}

static void add_protocol(struct text *out, const struct acl_list *list, const struct acl_entry *entry)
{
	const char *word = NULL;

	text_add_char(out, ' ');
	if (entry->services != NULL) {
		text_addf(out, "object-group %s", entry->services);
		return;
	}
	switch (entry->protocol) {
	case ACL_PROTOCOL_IP:
		word = list->family == FAMILY_IPV4 ? "ip" : "ipv6";
		break;
	case PROTOCOL_TCP:
		word = "tcp";
		break;
	case PROTOCOL_UDP:
		word = "udp";
		break;
	case PROTOCOL_SCTP:
		word = "sctp";
		break;
	case PROTOCOL_ICMP:
		word = list->family == FAMILY_IPV4 ? "icmp" : NULL;
		break;
	case PROTOCOL_ICMP6:
		word = list->family == FAMILY_IPV6 ? "icmp" : NULL;
		break;
	case 0:
		word = "hbh";
		break;
	case 2:
		word = list->family == FAMILY_IPV4 ? "igmp" : NULL; /* its types follow the word only */
		break;
	}
	if (word != NULL)
		text_add(out, word);
	else
		text_addf(out, "%u", entry->protocol);
}

static void add_flags(struct text *out, const struct acl_entry *entry)
{
	static const struct {
		uint8_t bit;
		const char *word;
	} words[] = {
		{ ACL_ACK, "ack" }, { ACL_FIN, "fin" }, { ACL_PSH, "psh" },
		{ ACL_RST, "rst" }, { ACL_SYN, "syn" }, { ACL_URG, "urg" },
	};
	const struct acl_flags *flags = &entry->flags;
	uint8_t left = entry->is_established ? flags->mask & (uint8_t)~(ACL_ACK | ACL_RST) : flags->mask;
	bool is_signed = flags->is_all || flags->mask != flags->value;

	if (entry->is_established)
		text_add(out, " established");
	else if (is_signed)
		text_add(out, flags->is_all ? " match-all" : " match-any");
	for (size_t index = 0; index < sizeof words / sizeof words[0]; index++) {
		const char *sign = !is_signed ? "" : (flags->value & words[index].bit) != 0 ? "+" : "-";

		if ((left & words[index].bit) != 0)
			text_addf(out, " %s%s", sign, words[index].word);
	}
}

static void add_options(struct text *out, const struct acl_entry *entry)
{
	if (entry->icmp_type != ACL_ICMP_ANY)
		text_addf(out, " %u", entry->icmp_type);
	if (entry->icmp_code != ACL_ICMP_ANY)
		text_addf(out, " %u", entry->icmp_code);
	if (entry->condition_words != NULL)
		text_addf(out, " %s", entry->condition_words);
	add_flags(out, entry);
	if (entry->is_fragments)
		text_add(out, " fragments");
	if (entry->time_range != NULL)
		text_addf(out, " time-range %s", entry->time_range);
	if (entry->reflect != NULL)
		text_addf(out, " reflect %s", entry->reflect);
	if (entry->reflect_timeout_s != 0)
		text_addf(out, " timeout %u", entry->reflect_timeout_s);
	if (entry->log != ACL_LOG_NONE)
		text_add(out, entry->log == ACL_LOG ? " log" : " log-input");
	if (entry->cookie != NULL)
		text_addf(out, " %s", entry->cookie);
}

void acl_entry_format(struct text *out, const struct acl_list *list, const struct acl_entry *entry)
{
	switch (entry->kind) {
	case ACL_ENTRY_UNREAD:
		return;
	case ACL_ENTRY_EVALUATE:
		text_addf(out, "evaluate %s", entry->evaluate);
		return;
	case ACL_ENTRY_MATCH:
		break;
	}
	text_add(out, entry->action == ACL_PERMIT ? "permit" : "deny");
	if (list->kind == ACL_STANDARD) {
		add_place(out, list, &entry->source);
	} else {
		add_protocol(out, list, entry);
		add_place(out, list, &entry->source);
		add_ports(out, &entry->source_ports);
		add_place(out, list, &entry->destination);
		add_ports(out, &entry->destination_ports);
	}
	add_options(out, entry);
}

void acl_entry_format_numbered(struct text *out, const struct acl_list *list, const struct acl_entry *entry)
{
	text_addf(out, "%s%u ", list->family == FAMILY_IPV6 ? "sequence " : "", entry->sequence);
	acl_entry_format(out, list, entry);
}

void acl_list_format_head(struct text *out, const struct acl_list *list)
{
	if (list->family == FAMILY_IPV6)
		text_addf(out, "ipv6 access-list %s", list->name);
	else
		text_addf(out, "ip access-list %s %s", list->kind == ACL_STANDARD ? "standard" : "extended",
			  list->name);
}
