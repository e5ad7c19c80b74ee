/* Reading IOS text: every form of an entry, what makes lists, what is named. */
#include <string.h>

#include "acl_text.h"
#include "base/pool.h"
#include "target/cisco/read/format.h"
#include "target/cisco/read/read.h"
#include "target/cisco/read/words.h"
#include "unit.h"

Suite *acl_suite(void);

/* --- words ---------------------------------------------------------------------------------- */

START_TEST(words_are_sorted_and_found)
{
	const struct acl_named *row, *before = NULL;

	for (size_t index = 0; (row = acl_word_at(index)) != NULL; before = row, index++) {
		ck_assert_ptr_eq(acl_word_find(row->table, row->word, strlen(row->word)), row);
		if (before != NULL && before->table == row->table)
			ck_assert_msg(strcmp(before->word, row->word) < 0, "%s", row->word);
		else if (before != NULL)
			ck_assert_int_lt(before->table, row->table);
	}
	ck_assert_ptr_nonnull(acl_word_find(ACL_WORD_TCP, "WWW", 3));
	ck_assert_ptr_null(acl_word_find(ACL_WORD_TCP, "ww", 2));
	ck_assert_ptr_null(acl_word_find(ACL_WORD_TCP, "www\0x", 5));
	ck_assert_ptr_null(acl_word_find(ACL_WORD_UDP, "www", 3));
}
END_TEST

/* --- entries -------------------------------------------------------------------------------- */

struct form {
	const char *head, *written, *read; /* read NULL: not understood */
};

static void check_form(const struct form *form)
{
	const char *text = pool_format(unit_pool(), "%s\n %s\n", form->head, form->written);
	const struct acl_text read = acl_text_read(text);
	const char *again, *found;

	ck_assert_uint_eq(read.config->lists_count, 1);
	ck_assert_uint_eq(read.config->lists[0]->entries_count, 1);
	if (form->read == NULL) {
		ck_assert_msg(read.config->lists[0]->unread_count == 1, "%s: was read as %s",
			      form->written, acl_text_list(&read, NULL));
		ck_assert_str_eq(acl_text_codes(&read), "1301");
		return;
	}
	ck_assert_msg(read.diags->items_count == 0, "%s: %s", form->written,
		      read.diags->items_count > 0 ? acl_text_message(&read, 0) : "");
	found = acl_text_list(&read, NULL);
	ck_assert_str_eq(found, pool_format(unit_pool(), "%s%s\n", strstr(form->head, "ipv6") == form->head ?
					    "sequence 10 " : "10 ", form->read));
	/* what is printed reads back as the same entry */
	again = pool_format(unit_pool(), "%s\n %s", strncmp(form->head, "Ext", 3) == 0 ?
			    "ip access-list extended X" : form->head, found);
	ck_assert_str_eq(acl_text_list(&(struct acl_text[]){ acl_text_read(again) }[0], NULL), found);
}

#define EXT "ip access-list extended X"
#define STD "ip access-list standard X"
#define SIX "ipv6 access-list X"
#define SHOWN "Extended IP access list X"

static const struct form forms[] = {
	/* places */
	{ EXT, "permit ip any any", "permit ip any any" },
	{ EXT, "PERMIT IP ANY ANY", "permit ip any any" },
	{ EXT, "deny   ip any any", "deny ip any any" },
	{ EXT, "permit ip host 10.0.0.1 any", "permit ip host 10.0.0.1 any" },
	{ EXT, "permit ip 10.0.0.1 0.0.0.0 any", "permit ip host 10.0.0.1 any" },
	{ EXT, "permit ip 0.0.0.0 255.255.255.255 any", "permit ip any any" },
	{ EXT, "permit ip 10.1.2.3 0.0.0.255 any", "permit ip 10.1.2.0 0.0.0.255 any" },
	{ EXT, "permit ip 10.1.2.3 0.255.0.255 any", "permit ip 10.0.2.0 0.255.0.255 any" },
	{ EXT, "permit ip object-group A object-group B", "permit ip object-group A object-group B" },
	{ EXT, "permit ip 10.0.0.1 any", NULL },
	{ EXT, "permit ip 10.0.0.0/8 any", NULL },
	{ EXT, "permit ip host any any", NULL },
	{ EXT, "permit ip host 10.0.0.1", NULL },
	{ EXT, "permit ip host 2001:db8::1 any", NULL },
	{ EXT, "permit ip host 10.0.0.256 any", NULL },
	{ EXT, "permit ip any", NULL },
	{ EXT, "permit ip any any any", NULL },
	{ EXT, "permit", NULL },
	{ EXT, "allow ip any any", NULL },
	{ EXT, "dynamic D timeout 5 permit ip any any", NULL },
	/* protocols */
	{ EXT, "permit ahp any any", "permit 51 any any" },
	{ EXT, "permit ospf any any", "permit 89 any any" },
	{ EXT, "permit 47 any any", "permit 47 any any" },
	{ EXT, "permit 6 any any eq 80", "permit tcp any any eq 80" },
	{ EXT, "permit 0 any any", NULL },
	{ EXT, "permit 256 any any", NULL },
	{ EXT, "permit vrrp any any", NULL },
	{ EXT, "permit object-group S any any", "permit object-group S any any" },
	{ EXT, "permit object-group S any any eq 80", NULL },
	{ EXT, "permit SERVICES any any", NULL },
	{ SHOWN, "10 permit SERVICES any any", "permit object-group SERVICES any any" },
	/* ports */
	{ EXT, "permit tcp any any eq www", "permit tcp any any eq 80" },
	{ EXT, "permit tcp any eq www any", "permit tcp any eq 80 any" },
	{ EXT, "permit tcp any gt 1023 any lt 1024", "permit tcp any gt 1023 any lt 1024" },
	{ EXT, "permit udp any any neq ntp", "permit udp any any neq 123" },
	{ EXT, "permit udp any range 1 2 any range 3 4", "permit udp any range 1 2 any range 3 4" },
	{ EXT, "permit tcp any any eq 1 2 3 4 5 6 7 8 9 10", "permit tcp any any eq 1 2 3 4 5 6 7 8 9 10" },
	{ EXT, "permit tcp any any eq 1 2 3 4 5 6 7 8 9 10 11", NULL },
	{ EXT, "permit tcp any any eq www domain log", "permit tcp any any eq 80 53 log" },
	{ EXT, "permit tcp any any eq", NULL },
	{ EXT, "permit tcp any any eq 65536", NULL },
	{ EXT, "permit tcp any any eq ssh", NULL },
	{ EXT, "permit tcp any any eq ntp", NULL },
	{ EXT, "permit udp any any eq www", NULL },
	{ EXT, "permit tcp any any range 5", NULL },
	{ EXT, "permit tcp any any range 9 5", NULL },
	{ EXT, "permit ip any any eq 80", NULL },
	{ EXT, "permit 47 any any eq 80", NULL },
	{ EXT, "permit sctp any any eq 80", "permit sctp any any eq 80" },
	{ EXT, "permit tcp any any eq -1", NULL },
	/* ICMP, IGMP */
	{ EXT, "permit icmp any any echo", "permit icmp any any 8" },
	{ EXT, "permit icmp any any 8", "permit icmp any any 8" },
	{ EXT, "permit icmp any any 3 4", "permit icmp any any 3 4" },
	{ EXT, "permit icmp any any packet-too-big", "permit icmp any any 3 4" },
	{ EXT, "permit icmp any any administratively-prohibited", "permit icmp any any 3 13" },
	{ EXT, "permit icmp any any ttl-exceeded log", "permit icmp any any 11 0 log" },
	{ EXT, "permit icmp any any nd-na", NULL },
	{ EXT, "permit icmp any any 256", NULL },
	{ EXT, "permit tcp any any echo", NULL },
	{ EXT, "permit igmp any any host-report", "permit igmp any any host-report" },
	/* flags, fragments */
	{ EXT, "permit tcp any any established", "permit tcp any any established" },
	{ EXT, "permit tcp any any established psh", "permit tcp any any established psh" },
	{ EXT, "permit tcp any any ack rst", "permit tcp any any ack rst" },
	{ EXT, "permit tcp any any match-any +ack +rst", "permit tcp any any ack rst" },
	{ EXT, "permit tcp any any match-all +ack -fin", "permit tcp any any match-all +ack -fin" },
	{ EXT, "permit tcp any any match-any -ack", "permit tcp any any match-any -ack" },
	{ EXT, "permit tcp any any match-all", NULL },
	{ EXT, "permit tcp any any match-all ack", NULL },
	{ EXT, "permit tcp any any match-all +ack -ack", NULL },
	{ EXT, "permit tcp any any match-all -ack syn", NULL },
	{ EXT, "permit udp any any established", NULL },
	{ EXT, "permit ip any any fragments", "permit ip any any fragments" },
	{ EXT, "permit tcp any any fragments", "permit tcp any any fragments" },
	{ EXT, "permit tcp any any eq 80 fragments", NULL },
	{ EXT, "permit tcp any any established fragments", NULL },
	{ EXT, "permit icmp any any echo fragments", NULL },
	/* conditions */
	{ EXT, "permit ip any any dscp ef", "permit ip any any dscp ef" },
	{ EXT, "permit ip any any tos normal precedence 5", "permit ip any any tos normal precedence 5" },
	{ EXT, "permit ip any any option any-options", "permit ip any any option any-options" },
	{ EXT, "permit tcp any any eq 80 ttl range 1 5", "permit tcp any any eq 80 ttl range 1 5" },
	{ EXT, "permit ip any any ttl eq 255", "permit ip any any ttl eq 255" },
	{ EXT, "permit ip any any ttl 255", NULL },
	{ EXT, "permit ip any any dscp 64", NULL },
	{ EXT, "permit ip any any dscp ef dscp af11", NULL },
	{ EXT, "permit ip any any tracked", NULL },
	{ EXT, "permit ip any any time-range T", "permit ip any any time-range T" },
	{ EXT, "permit ip any any time-range", NULL },
	/* logging */
	{ EXT, "deny ip any any log", "deny ip any any log" },
	{ EXT, "deny ip any any log-input COOKIE", "deny ip any any log-input COOKIE" },
	{ EXT, "deny ip any any log COOKIE", "deny ip any any log COOKIE" },
	{ EXT, "deny ip any any log time-range T", "deny ip any any time-range T log" },
	{ EXT, "permit tcp any any log established", NULL },
	{ EXT, "permit ip any any log COOKIE established", NULL },
	{ EXT, "permit ip any any log A B", NULL },
	{ EXT, "permit ip any any log 7 interval 600", NULL },
	/* reflexive */
	{ EXT, "permit tcp any any reflect R", "permit tcp any any reflect R" },
	{ EXT, "permit tcp any any reflect R timeout 300", "permit tcp any any reflect R timeout 300" },
	{ EXT, "deny tcp any any reflect R", NULL },
	{ EXT, "evaluate R", "evaluate R" },
	{ EXT, "evaluate", NULL },
	{ EXT, "evaluate R log", NULL },
	/* what show adds, and only show */
	{ SHOWN, "10 permit ip any any (123 matches)", "permit ip any any" },
	{ SHOWN, "10 permit ip any any log (1 match)", "permit ip any any log" },
	{ SHOWN, "10 permit ip any any time-range T (active)", "permit ip any any time-range T" },
	{ SHOWN, "10 permit tcp any any established log (tag = X)", "permit tcp any any established log X" },
	{ SHOWN, "10 permit ip any any (some matches)", NULL },
	{ SHOWN, "10 permit ip any any (12", NULL },
	{ EXT, "10 permit ip any any (123 matches)", NULL },
	/* standard lists */
	{ STD, "permit 10.0.0.1", "permit host 10.0.0.1" },
	{ STD, "permit host 10.0.0.1", "permit host 10.0.0.1" },
	{ STD, "permit 10.0.0.0 0.0.0.255", "permit 10.0.0.0 0.0.0.255" },
	{ STD, "deny any log", "deny any log" },
	{ STD, "permit 10.0.0.0, wildcard bits 0.0.0.255", NULL },
	{ STD, "permit ip any any", NULL },
	{ STD, "permit tcp any any", NULL },
	{ STD, "permit any established", NULL },
	{ STD, "evaluate R", NULL },
	/* IPv6 */
	{ SIX, "permit ipv6 any any", "permit ipv6 any any" },
	{ SIX, "permit tcp 2001:db8::1/32 host 2001:db8::1 eq www",
	  "permit tcp 2001:db8::/32 host 2001:db8::1 eq 80" },
	{ SIX, "permit ipv6 ::/0 any", "permit ipv6 any any" },
	{ SIX, "permit icmp any any echo-request", "permit icmp any any 128" },
	{ SIX, "permit icmp any any nd-ns", "permit icmp any any 135" },
	{ SIX, "permit icmp any any router-advertisement", "permit icmp any any 134" },
	{ SIX, "permit ipv6 any any log sequence 10", "permit ipv6 any any log" },
	{ SIX, "sequence 10 permit ipv6 any any", "permit ipv6 any any" },
	{ SIX, "10 permit ipv6 any any", "permit ipv6 any any" },
	{ SIX, "sequence 10 permit ipv6 any any sequence 10", NULL },
	{ SIX, "permit ipv6 any any sequence 0", NULL },
	{ SIX, "permit ipv6 any any flow-label 5 routing", "permit ipv6 any any flow-label 5 routing" },
	{ SIX, "permit tcp any any established", "permit tcp any any established" },
	{ SIX, "permit udp any any reflect R", "permit udp any any reflect R" },
	{ SIX, "permit ip any any", NULL },
	{ SIX, "permit ipv6 10.0.0.0/8 any", NULL },
	{ SIX, "permit ipv6 2001:db8::1 any", NULL },
	{ SIX, "permit ipv6 any any ttl eq 5", NULL },
};

START_TEST(entries_have_these_forms)
{
	check_form(&forms[_i]);
}
END_TEST

START_TEST(fields_are_those_of_the_words)
{
	const struct acl_text read = acl_text_read(
		EXT "\n 15 permit tcp 10.0.0.0 0.0.0.255 gt 1023 host 192.0.2.1 eq www 443"
		" established log-input tag\n");
	const struct acl_entry *entry = read.config->lists[0]->entries[0];

	ck_assert_uint_eq(entry->sequence, 15);
	ck_assert(entry->has_written_sequence);
	ck_assert_int_eq(entry->action, ACL_PERMIT);
	ck_assert_uint_eq(entry->protocol, PROTOCOL_TCP);
	ck_assert(entry->source.value == 0x0a000000 && entry->source.wildcard == 0xff);
	ck_assert(entry->destination.value == 0xc0000201 && entry->destination.wildcard == 0);
	ck_assert_int_eq(entry->source_ports.operator, ACL_PORTS_GT);
	ck_assert_uint_eq(entry->source_ports.numbers[0], 1023);
	ck_assert_uint_eq(entry->destination_ports.count, 2);
	ck_assert_uint_eq(entry->destination_ports.numbers[1], 443);
	ck_assert_uint_eq(entry->flags.mask, ACL_ACK | ACL_RST);
	ck_assert_uint_eq(entry->flags.value, ACL_ACK | ACL_RST);
	ck_assert(entry->is_established && !entry->flags.is_all);
	ck_assert_int_eq(entry->log, ACL_LOG_INPUT);
	ck_assert_str_eq(entry->cookie, "tag");
	ck_assert_uint_eq(entry->span.begin, strlen(EXT) + 2);
}
END_TEST

Suite *acl_suite(void)
{
	Suite *suite = suite_create("acl");
	TCase *tests = unit_case(suite, "entries");

	tcase_add_test(tests, words_are_sorted_and_found);
	tcase_add_loop_test(tests, entries_have_these_forms, 0, sizeof forms / sizeof forms[0]);
	tcase_add_test(tests, fields_are_those_of_the_words);
	return suite;
}
