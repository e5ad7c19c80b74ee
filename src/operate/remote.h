/* The remote session that this process runs in, if it runs in one.
 *
 * SSH_CONNECTION of the process or of any ancestor says it (sudo takes it away from the process alone);
 * else the socket of an sshd among the ancestors. A session whose connection ends in another network
 * namespace is none here. What cannot be excluded is said: a terminal that some program made, a session
 * that others keep open (tmux, screen), a process whose ancestors cannot be looked at. */
#ifndef FWC_OPERATE_REMOTE_H
#define FWC_OPERATE_REMOTE_H

#include "net/address.h"

enum remote_kind {
	REMOTE_NONE,    /* the console, or a service: nobody can be locked out */
	REMOTE_SSH,
	REMOTE_UNKNOWN, /* it may be remote */
};

struct remote {
	enum remote_kind kind;
	const char *why;          /* UNKNOWN: what cannot be excluded */
	/* SSH */
	const char *connection;   /* "CLIENT PORT SERVER PORT" */
	struct address client, server;
	uint16_t client_port, server_port;
	const char *interface;    /* of a link-local client, or NULL */
};

struct remote remote_find(void *pool);
/* Is it an address of this network namespace? */
bool remote_is_own_address(const struct address *address);
/* The interface by which packets to the address leave, or NULL. */
const char *remote_interface_to(void *pool, const struct address *address);
/* "CLIENT PORT SERVER PORT"; false: it is none. */
bool remote_parse(void *pool, const char *connection, struct remote *remote);

#endif
