/* Private to the router target: what the files of translations share; see nat.c. */
#ifndef FWC_TARGET_CISCO_DEVICE_NAT_H
#define FWC_TARGET_CISCO_DEVICE_NAT_H

#include "target/cisco/device/lowering.h"

/* A source translation that has its list. */
struct done {
	const struct interval_set *from, *to;
};

struct natting {
	struct device_lowering *lowering;
	void *pool;
	struct done *done;
	size_t done_count, done_capacity;
	unsigned lists;       /* numbered lists made */
	struct names *public; /* "tcp 80.1.0.2 443" -> the translation that has it */
};

/* Interfaces of the device, by index. */
struct interface_choice {
	bool *has;
	size_t count; /* that are chosen */
};

/* way_out may be NULL. */
void nat_report(struct natting *natting, const struct rule_translation *translation, const char *what,
		const char *way_out);
/* The outside of a translation: the interfaces of the zones that its side names; without a zone that of
 * the default route. */
struct interface_choice nat_choose_outside(struct natting *natting, const struct place_scope *scope);
/* Both false: reported. */
bool nat_set_side(struct natting *natting, const struct rule_translation *translation, size_t index,
		  enum ios_nat_side side);
bool nat_set_outside(struct natting *natting, const struct rule_translation *translation,
		     const struct interface_choice *outside);
/* The address of the interface that packets are translated to, or from. NULL: reported. */
const struct prefix *nat_interface_address(struct natting *natting,
					   const struct rule_translation *translation, size_t index);

/* A new numbered list, empty. */
struct ios_list *nat_list(struct natting *natting, const struct rule_translation *translation);
void nat_add_entries(struct natting *natting, struct ios_list *list, enum ios_action action,
		     const struct interval_set *from, const struct interval_set *to);
/* Denies what tunnels carry away from these sources, if there is a list; says whether that is anything. */
bool nat_exempt_tunnels(struct natting *natting, struct ios_list *list, const struct interval_set *from);
/* A line behind the interfaces. */
void nat_add_statement(struct natting *natting, struct ios_block block);

/* nat_forward.c */
void nat_forward(struct natting *natting, const struct rule_translation *translation);

#endif
