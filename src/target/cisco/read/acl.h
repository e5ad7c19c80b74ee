/* A router's configuration as it was read: lists, groups, time ranges, and what binds them.
 *
 * The reader's own model. It shares nothing with the model that the writer prints (model/model.h), so that
 * reading back what was written is a proof. Grammar and meaning: Cisco IOS and IOS-XE command
 * references (`access-list (IP extended)`, `ipv6 access-list`, `object-group`, `ip nat inside source`,
 * `crypto map`). Numbers in host order. Made by read.h; all memory belongs to its pool; const
 * once made. Every thing knows the line where it was read. */
#ifndef FWC_TARGET_CISCO_READ_ACL_H
#define FWC_TARGET_CISCO_READ_ACL_H

#include "diag/source.h"
#include "net/address.h"
#include "net/protocol.h"

enum acl_action { ACL_PERMIT, ACL_DENY };

/* --- entries -------------------------------------------------------------------------------- */

/* Addresses whose bits outside the wildcard equal those of value; value has no bit inside it.
 * any: the wildcard has every bit of the family. Or a network group, by its name. */
struct acl_place {
	number128 value, wildcard;
	const char *group; /* or NULL */
};

enum acl_operator { ACL_PORTS_ANY, ACL_PORTS_EQ, ACL_PORTS_NEQ, ACL_PORTS_GT, ACL_PORTS_LT,
		    ACL_PORTS_RANGE };

/* EQ and NEQ: one port or more; RANGE: low and high; GT and LT: one; as written. */
struct acl_ports {
	enum acl_operator operator;
	uint16_t count;
	const uint16_t *numbers;
};

/* TCP flags: those of the mask are looked at. All of them as in value, or one of them.
 * mask 0: no condition. established is ACK or RST, and stands in here too. */
struct acl_flags {
	uint8_t mask, value;
	bool is_all;
};

enum { ACL_FIN = 0x01, ACL_SYN = 0x02, ACL_RST = 0x04, ACL_PSH = 0x08, ACL_ACK = 0x10, ACL_URG = 0x20 };

/* Conditions on fields that no box of sets.h has. */
enum acl_condition {
	ACL_DSCP = 1 << 0,
	ACL_PRECEDENCE = 1 << 1,
	ACL_TOS = 1 << 2,
	ACL_OPTION = 1 << 3,
	ACL_TTL = 1 << 4,
	ACL_IGMP_TYPE = 1 << 5,
	ACL_IPV6_HEADER = 1 << 6, /* flow-label, routing, hbh, …: headers of IPv6 */
};

enum acl_log { ACL_LOG_NONE, ACL_LOG, ACL_LOG_INPUT };

#define ACL_PROTOCOL_IP 256u /* `ip`, `ipv6`: every protocol */
#define ACL_ICMP_ANY 256u

struct acl_remark {
	const char *text; /* as it stands, without its line end; may hold any byte but NUL */
	struct span span;
	struct acl_remark *next;
};

enum acl_entry_kind {
	ACL_ENTRY_MATCH,
	ACL_ENTRY_EVALUATE, /* what the reflexive list `evaluate` holds at that time is permitted */
	ACL_ENTRY_UNREAD,   /* a line that was not understood: what the list does from here is unknown */
};

struct acl_entry {
	enum acl_entry_kind kind : 8;
	enum acl_action action : 8;
	enum acl_log log : 8;
	bool has_written_sequence; /* else counted from the entry before */
	uint32_t sequence;
	struct span span;          /* the line, without the blanks round it */
	uint16_t protocol;         /* 0..255, or ACL_PROTOCOL_IP; 58 for `icmp` of an IPv6 list */
	bool is_established;       /* was written so */
	bool is_fragments;         /* later fragments only */
	const char *services;      /* a service or protocol group in the protocol's place, or NULL */
	struct acl_place source, destination; /* standard lists: destination is any */
	struct acl_ports source_ports, destination_ports;
	uint16_t icmp_type, icmp_code; /* 0..255, or ACL_ICMP_ANY */
	unsigned conditions;       /* of enum acl_condition */
	uint32_t reflect_timeout_s; /* 0: none written */
	struct acl_flags flags;
	const char *condition_words; /* as IOS writes them: "dscp ef ttl eq 255"; NULL without */
	const char *time_range;    /* or NULL */
	const char *cookie;        /* or NULL */
	const char *reflect;       /* or NULL */
	const char *evaluate;      /* of ACL_ENTRY_EVALUATE */
	uint64_t matches;          /* the counter that `show` prints */
	struct acl_remark *remarks; /* that stand before it, in order */
};

/* --- lists ------------------------------------------------------------------------------------ */

enum acl_kind { ACL_STANDARD, ACL_EXTENDED, ACL_REFLEXIVE };

struct acl_list {
	const char *name; /* a number's digits for numbered ones */
	enum family family;
	enum acl_kind kind;
	struct span span; /* of the line where it begins */
	/* in order of their numbers, each number once */
	struct acl_entry **entries;
	size_t entries_count, entries_capacity;
	struct acl_remark *remarks; /* after the last entry */
	size_t unread_count;        /* entries of kind UNREAD */
	bool is_foreign;            /* a head of it is none of IOS: what it holds is unread */
};

/* --- object groups ------------------------------------------------------------------------------ */

enum acl_group_kind {
	ACL_GROUP_NETWORK,
	ACL_GROUP_SERVICE,
	ACL_GROUP_PROTOCOL,
	ACL_GROUP_FOREIGN, /* of a kind that IOS does not have; always unread */
};

enum acl_item_kind { ACL_ITEM_RANGE, ACL_ITEM_SERVICE, ACL_ITEM_GROUP };

struct acl_item {
	enum acl_item_kind kind;
	struct span span;
	/* RANGE: addresses of the group's family, both ends included */
	struct interval range;
	/* SERVICE: is_tcp_udp stands for both; protocols of a protocol group have no more */
	uint16_t protocol;
	bool is_tcp_udp;
	struct acl_ports source_ports, destination_ports;
	uint16_t icmp_type, icmp_code;
	/* GROUP */
	const char *group;
};

struct acl_group {
	const char *name;
	enum acl_group_kind kind;
	enum family family; /* of addresses and ICMP types */
	struct span span;
	struct acl_item *items;
	size_t items_count, items_capacity;
	size_t unread_count; /* lines that were not understood: the group is unknown */
};

/* --- time ranges ---------------------------------------------------------------------------------- */

struct acl_period {
	bool is_absolute;
	struct span span;
	const char *text; /* the line: "periodic weekdays 8:00 to 17:59" */
	/* periodic: days Monday to Sunday as bits 0..6, on which it begins; minutes of the day. The end
	 * is the last minute of it, on the day until_day (0..6) for a span over days, else -1: the same day */
	uint8_t days;
	int8_t until_day;
	uint16_t from_minute, to_minute;
};

struct acl_time_range {
	const char *name;
	struct span span;
	struct acl_period *periods;
	size_t periods_count, periods_capacity;
	size_t unread_count;
};

/* --- what binds lists --------------------------------------------------------------------------- */

enum acl_direction { ACL_IN, ACL_OUT };

/* `ip access-group`, `ipv6 traffic-filter`, `set ip access-group`. The list may be missing. */
struct acl_binding {
	const char *list;
	enum family family;
	enum acl_direction direction;
	struct span span;
};

struct acl_address {
	struct prefix prefix; /* with its host bits */
	bool is_secondary;
	struct span span;
};

enum acl_nat_side { ACL_NAT_NONE, ACL_NAT_INSIDE, ACL_NAT_OUTSIDE };

struct acl_interface {
	const char *name; /* as written: GigabitEthernet0/0/1.10 */
	struct span span;
	const char *description; /* or NULL */
	bool is_shutdown;
	bool has_no_unreachables; /* no ip unreachables: what is denied is not answered */
	bool has_no_cdp;
	enum acl_nat_side nat;
	const char *crypto_map;   /* or NULL */
	struct acl_address *addresses;
	size_t addresses_count, addresses_capacity;
	struct acl_binding *bindings; /* at most one a family and direction */
	size_t bindings_count, bindings_capacity;
	size_t unread_count;      /* lines on filters, addresses or NAT that were not understood */
};

/* One entry of a crypto map. */
struct acl_crypto_map {
	const char *name;
	uint32_t sequence;
	bool is_dynamic;      /* crypto dynamic-map */
	struct span span;
	const char *list;     /* match address, or NULL */
	struct span list_span;
	const char **peers;   /* as written */
	size_t peers_count, peers_capacity;
	struct acl_binding *bindings; /* set ip access-group: of the clear text */
	size_t bindings_count, bindings_capacity;
};

enum acl_nat_kind { ACL_NAT_LIST, ACL_NAT_ROUTE_MAP, ACL_NAT_STATIC, ACL_NAT_UNREAD };

/* One `ip nat inside source …` (or outside, or inside destination). */
struct acl_nat {
	enum acl_nat_kind kind;
	struct span span;
	bool is_outside;          /* ip nat outside source */
	bool is_destination;      /* ip nat inside destination */
	const char *list;         /* LIST: its name; ROUTE_MAP: the map's */
	const char *interface;    /* translated to its address, or NULL */
	const char *pool;         /* or NULL */
	bool is_overload;
	/* STATIC */
	uint16_t protocol;        /* ACL_PROTOCOL_IP: whole addresses */
	struct address local, global; /* global: not for interface */
	uint16_t local_port, global_port;
	unsigned prefix_length;   /* of `network`; 32: one address */
};

struct acl_nat_pool {
	const char *name;
	struct span span;
	struct interval range;
};

/* --- all of it ------------------------------------------------------------------------------------ */

struct acl_config {
	const char *hostname; /* or NULL */
	bool is_running;      /* began as a whole running configuration does */
	bool is_truncated;    /* and is known to be cut short: an error in the bag */
	/* each in order of appearance */
	struct acl_list **lists;
	size_t lists_count, lists_capacity;
	struct acl_group **groups;
	size_t groups_count, groups_capacity;
	struct acl_time_range **time_ranges;
	size_t time_ranges_count, time_ranges_capacity;
	struct acl_interface **interfaces;
	size_t interfaces_count, interfaces_capacity;
	struct acl_crypto_map **crypto_maps;
	size_t crypto_maps_count, crypto_maps_capacity;
	struct acl_nat *nats;
	size_t nats_count, nats_capacity;
	struct acl_nat_pool *pools;
	size_t pools_count, pools_capacity;
	size_t unread_count; /* lines that were named as not understood */
};

#endif
