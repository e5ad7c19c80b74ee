/* The connection tracking helpers of the kernel. */
#include "services/helper.h"

#include <string.h>

#include "net/protocol.h"

static const struct helper helpers[] = {
	{ .name = "amanda", .has_udp = true },
	{ .name = "ftp", .has_tcp = true },
	{ .name = "irc", .has_tcp = true },
	{ .name = "netbios-ns", .has_udp = true },
	{ .name = "pptp", .has_tcp = true },
	{ .name = "Q.931", .has_tcp = true },
	{ .name = "RAS", .has_udp = true },
	{ .name = "sane", .has_tcp = true },
	{ .name = "sip", .has_tcp = true, .has_udp = true },
	{ .name = "snmp", .has_udp = true },
	{ .name = "tftp", .has_udp = true },
};

const struct helper *helper_find(const char *name, size_t length)
{
	for (size_t i = 0; i < helper_count(); i++)
		if (strlen(helpers[i].name) == length &&
		    strncasecmp(helpers[i].name, name, length) == 0)
			return &helpers[i];
	return NULL;
}

bool helper_takes(const struct helper *helper, unsigned protocol)
{
	return (helper->has_tcp && protocol == PROTOCOL_TCP) ||
	       (helper->has_udp && protocol == PROTOCOL_UDP);
}

size_t helper_count(void)
{
	return sizeof helpers / sizeof *helpers;
}

const struct helper *helper_at(size_t index)
{
	return &helpers[index];
}
