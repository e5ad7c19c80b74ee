/* Addresses, names and blocks in IOS's forms.
 *
 * Cisco IOS Configuration Fundamentals: netmasks for interfaces and routes, wildcard masks for lists;
 * names hold no blanks and begin with a letter. All results belong to the pool. */
#ifndef FWC_TARGET_CISCO_MODEL_FORM_H
#define FWC_TARGET_CISCO_MODEL_FORM_H

#include "target/cisco/model/model.h"

/* "80.1.0.2", "fd00::1" */
const char *form_address(void *pool, const struct address *address);
/* IPv4: "255.255.255.252" */
const char *form_mask(void *pool, unsigned length);

/* Of entries without any. */
extern const struct ios_ports form_ports_any;
extern const struct ios_extras form_extras_none;

struct ios_place form_place_any(enum family family);
struct ios_place form_place(const struct prefix *prefix);

/* Entries "permit|deny ip SOURCE DESTINATION" for every pair of prefixes; whole sets become any. */
void form_entries(void *pool, struct ios_list *list, enum ios_action action,
		  const struct interval_set *source, const struct interval_set *destination);
/* How many such entries. */
size_t form_prefix_count(enum family family, const struct interval_set *set);
/* A list that the configuration prints; lines are added by the caller. */
struct ios_list *form_list(void *pool, struct ios_config *config, const char *name, enum family family,
			   struct span origin);

struct ios_block form_block(void *pool, const char *format, ...) __attribute__((format(printf, 2, 3)));
void form_line(void *pool, struct ios_block *block, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A word that stands in a line as it is: printable ASCII without blanks and '?'. */
bool form_is_word(const char *text);

#endif
