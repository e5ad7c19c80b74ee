/* A router's configuration as data: what the lowering gives, and the text printer prints.
 *
 * Grammar and limits: Cisco IOS and IOS-XE command references, `access-list (IP extended)`,
 * `ipv6 access-list`, `object-group`. Numbers are in host order; addresses as net/address.h has them.
 * All memory belongs to the pool of the lowering; const once made. */
#ifndef FWC_TARGET_CISCO_MODEL_MODEL_H
#define FWC_TARGET_CISCO_MODEL_MODEL_H

#include "analyse/packetset.h"
#include "rules/ruleset.h"

/* --- lists ---------------------------------------------------------------------------------- */

enum ios_action { IOS_PERMIT, IOS_DENY };

/* Addresses of an entry: value and wildcard (a bit set in the wildcard is not compared), or a group.
 * IPv6 lists have prefixes only: the wildcard is then 2^n - 1. any: every bit set. */
struct ios_place {
	number128 value, wildcard;
	const struct ios_group *group; /* or NULL */
};

enum ios_port_operator { IOS_PORTS_ANY, IOS_PORTS_EQ, IOS_PORTS_RANGE, IOS_PORTS_GT, IOS_PORTS_LT, IOS_PORTS_NEQ };

/* EQ: one to ten ports; RANGE: low and high; GT, LT, NEQ: one, and NEQ neither the first nor the last. Never
 * empty. Only the minimiser makes GT, LT and NEQ. */
struct ios_ports {
	enum ios_port_operator operator : 8;
	uint8_t ports_count;
	uint16_t ports[10];
};

enum ios_line_kind { IOS_LINE_ENTRY, IOS_LINE_REMARK, IOS_LINE_EVALUATE };

#define IOS_PROTOCOL_IP PROTOCOL_ANY
#define IOS_ICMP_ANY 256u

struct ios_part;

/* What few entries have. */
struct ios_extras {
	const struct ios_group *services; /* object-group in the protocol's place, or NULL */
	const char *time_range;      /* or NULL */
	const char *reflect;         /* or NULL */
	const char *cookie;          /* or NULL */
};

/* One line of a list: half a million at 100,000 rules, so what many share is kept once. */
struct ios_line {
	/* of entries, never NULL there */
	const struct ios_place *source, *destination;
	const struct ios_ports *source_ports, *destination_ports; /* tcp, udp, sctp; else any */
	const struct ios_extras *extras;
	uint16_t icmp_type, icmp_code; /* 0..255, IOS_ICMP_ANY; a code only with a type */
	uint16_t protocol;           /* 0..255, or IOS_PROTOCOL_IP */
	enum ios_line_kind kind : 8;
	enum ios_action action : 8;
	bool is_established;
	bool is_fragments;
	bool has_log;
	bool is_pinned;              /* log or count: no pass drops, joins or crosses it, but lower/same.h */
	uint32_t sequence;           /* entries and evaluate; 0: none */
	const char *text;            /* remark: safe text; evaluate: the reflexive list's name */
	/* where it came from: never printed but in remarks and the report */
	const struct identity *identity; /* NULL: what always passes, replies */
	struct span origin;
	/* what else it was made of, in order: statements whose entries were joined with it */
	uint32_t parts_count;
	const struct ios_part *parts;
};

struct ios_part {
	const struct identity *identity;
	struct span origin;
};

struct ios_list {
	const char *name;            /* or the number's digits */
	bool is_numbered;
	enum family family;
	struct span origin;
	struct ios_line *lines;
	size_t lines_count, lines_capacity;
	size_t rules_count;          /* rules of the ruleset that it was made of: the report's "rules in" */
	/* answers that it lets in, as was told; what of them the policy admits anyway is among them */
	struct packet_box *answers;
	size_t answers_count, answers_capacity;
};

/* --- object groups, time ranges ------------------------------------------------------------- */

struct ios_group {
	const char *name;
	bool is_service;
	enum family family;               /* of a network group */
	const struct address_set *addresses;
	const struct tuple_set *services; /* ports and ICMP types, exact */
};

struct ios_time_range {
	const char *name;
	const char **lines; /* "periodic weekdays 8:00 to 17:59", "absolute end …" */
	size_t lines_count, lines_capacity;
};

/* --- what stands round the lists -------------------------------------------------------------- */

enum ios_nat_side { IOS_NAT_NONE, IOS_NAT_INSIDE, IOS_NAT_OUTSIDE };

/* A binding, or any other line below `interface`. */
struct ios_interface {
	const struct device_interface *interface;
	enum ios_nat_side nat;
	const char *in_v4, *out_v4, *in_v6, *out_v6; /* lists bound there, or NULL */
	const char *crypto_map;                      /* or NULL */
	bool is_silent;                              /* no ip unreachables */
	bool has_no_cdp;
};

/* A block of lines that stands as it is: a head, and lines one blank in. Global commands are blocks
 * without lines. The lowering makes them of safe words only. */
struct ios_block {
	const char *head;
	const char **lines;
	size_t lines_count, lines_capacity;
};

/* One device, or one list without a device (device NULL). Printed in the order of the members. */
struct ios_config {
	const struct device *device;
	struct ios_block *globals;   /* before the interfaces: hostname, cdp, crypto, … */
	size_t globals_count, globals_capacity;
	struct ios_time_range *time_ranges;
	size_t time_ranges_count, time_ranges_capacity;
	struct ios_group **groups;
	size_t groups_count, groups_capacity;
	struct ios_list **lists;     /* before what binds them */
	size_t lists_count, lists_capacity;
	struct ios_block *maps;      /* crypto maps: after the lists, before the interfaces */
	size_t maps_count, maps_capacity;
	struct ios_interface *interfaces;
	size_t interfaces_count, interfaces_capacity;
	struct ios_block *routing;   /* NAT statements, routes */
	size_t routing_count, routing_capacity;
	const char **checks;         /* comments at the end: what to run, what it shows */
	size_t checks_count, checks_capacity;
};

#endif
