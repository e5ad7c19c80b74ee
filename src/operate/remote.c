/* Ancestors, sockets and terminals. Source: proc(5); sshd(8), SSH_CONNECTION; linux/rtnetlink.h. */
#include "operate/remote.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pool.h"
#include "base/text.h"
#include "operate/who.h"

#define ANCESTORS_MOST 1000
#define FIRST_READ 4096
#define VARIABLE "SSH_CONNECTION="
#define TCP_ESTABLISHED_STATE 1
#define TTY_MAJOR 4 /* linux/major.h: consoles and serial lines */
#define CONSOLE_MAJOR 5

/* --- addresses -------------------------------------------------------------------------------------- */

static struct address address_of(const struct sockaddr *socket_address)
{
	struct address address = { .family = FAMILY_IPV4 };
	if (socket_address->sa_family == AF_INET) {
		address.value = ntohl(((const struct sockaddr_in *)(const void *)socket_address)->sin_addr.s_addr);
		return address;
	}
	const uint8_t *bytes = ((const struct sockaddr_in6 *)(const void *)socket_address)->sin6_addr.s6_addr;
	address.family = FAMILY_IPV6;
	for (size_t i = 0; i < 16; i++)
		address.value = address.value << 8 | bytes[i];
	return address;
}

static bool is_loopback(const struct address *address)
{
	return address->family == FAMILY_IPV4 ? address->value >> 24 == 127 : address->value == 1;
}

bool remote_is_own_address(const struct address *address)
{
	struct ifaddrs *list, *item;
	bool is_own = is_loopback(address);
	if (is_own || getifaddrs(&list) != 0)
		return is_own;
	for (item = list; item != NULL && !is_own; item = item->ifa_next) {
		if (item->ifa_addr == NULL ||
		    (item->ifa_addr->sa_family != AF_INET && item->ifa_addr->sa_family != AF_INET6))
			continue;
		struct address own = address_of(item->ifa_addr);
		is_own = own.family == address->family && own.value == address->value;
	}
	freeifaddrs(list);
	return is_own;
}

static int take_route(const struct nlmsghdr *header, void *data)
{
	const struct nlattr *attribute = mnl_nlmsg_get_payload_offset(header, sizeof(struct rtmsg));
	const char *end = mnl_nlmsg_get_payload_tail(header);
	for (; mnl_attr_ok(attribute, (int)(end - (const char *)attribute)); attribute = mnl_attr_next(attribute))
		if (mnl_attr_get_type(attribute) == RTA_OIF && mnl_attr_get_payload_len(attribute) == 4)
			*(unsigned *)data = mnl_attr_get_u32(attribute);
	return MNL_CB_STOP;
}

static void put_address(struct nlmsghdr *header, const struct address *address)
{
	uint8_t bytes[16];
	size_t length = address->family == FAMILY_IPV4 ? 4 : 16;
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(address->value >> (8 * (length - 1 - i)));
	mnl_attr_put(header, RTA_DST, length, bytes);
}

static unsigned ask_route(struct mnl_socket *netlink, const struct address *address)
{
	char bytes[512] __attribute__((aligned(NLMSG_ALIGNTO)));
	char answer[8192];
	unsigned interface = 0;
	struct nlmsghdr *header = mnl_nlmsg_put_header(bytes);
	header->nlmsg_type = RTM_GETROUTE;
	header->nlmsg_flags = NLM_F_REQUEST;
	header->nlmsg_seq = 1;
	struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof *route);
	route->rtm_family = address->family == FAMILY_IPV4 ? AF_INET : AF_INET6;
	route->rtm_dst_len = (unsigned char)family_bits(address->family);
	put_address(header, address);
	if (mnl_socket_sendto(netlink, header, header->nlmsg_len) < 0)
		return 0;
	ssize_t length = mnl_socket_recvfrom(netlink, answer, sizeof answer);
	if (length > 0)
		(void)mnl_cb_run(answer, (size_t)length, 1, mnl_socket_get_portid(netlink), take_route,
				 &interface);
	return interface;
}

const char *remote_interface_to(void *pool, const struct address *address)
{
	char name[IF_NAMESIZE];
	struct mnl_socket *netlink = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (netlink == NULL)
		return NULL;
	unsigned index = mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) < 0 ? 0 : ask_route(netlink, address);
	mnl_socket_close(netlink);
	return index == 0 || if_indextoname(index, name) == NULL ? NULL : pool_strdup(pool, name);
}

/* --- SSH_CONNECTION --------------------------------------------------------------------------------- */

/* What a socket of both families calls IPv4 is IPv4. */
static bool unmap(struct address *address)
{
	if (address->family == FAMILY_IPV6 && address->value >> 32 == 0xffff)
		*address = (struct address){ FAMILY_IPV4, address->value & 0xffffffffu };
	return true;
}

/* An address with the zone that a link-local one has. */
static bool parse_address(void *pool, const char *word, size_t length, struct address *address,
			  const char **zone)
{
	const char *percent = memchr(word, '%', length);
	if (percent == NULL)
		return address_parse(word, length, address) && unmap(address);
	if (zone != NULL)
		*zone = pool_strndup(pool, percent + 1, length - (size_t)(percent + 1 - word));
	return address_parse(word, (size_t)(percent - word), address);
}

static bool parse_port(const char *word, size_t length, uint16_t *port)
{
	unsigned value = 0;
	if (length == 0 || length > 5)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (word[i] < '0' || word[i] > '9')
			return false;
		value = value * 10 + (unsigned)(word[i] - '0');
	}
	*port = (uint16_t)value;
	return value <= UINT16_MAX;
}

bool remote_parse(void *pool, const char *connection, struct remote *remote)
{
	const char *words[4];
	size_t lengths[4], count = 0;
	for (const char *at = connection; *at != '\0' && count < 4; count++) {
		words[count] = at;
		lengths[count] = strcspn(at, " ");
		at += lengths[count];
		at += strspn(at, " ");
	}
	remote->kind = REMOTE_SSH;
	remote->connection = pool_strdup(pool, connection);
	remote->interface = NULL;
	return count == 4 && parse_address(pool, words[0], lengths[0], &remote->client, &remote->interface) &&
	       parse_port(words[1], lengths[1], &remote->client_port) &&
	       parse_address(pool, words[2], lengths[2], &remote->server, NULL) &&
	       parse_port(words[3], lengths[3], &remote->server_port);
}

/* --- processes -------------------------------------------------------------------------------------- */

/* Files of /proc say no size. NULL with errno. */
static char *read_process(void *pool, pid_t pid, const char *name, size_t *length)
{
	char *path = pool_format(pool, "/proc/%d/%s", (int)pid, name);
	char *bytes = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	int error = file_read_end(pool, fd, FIRST_READ, SIZE_MAX, &bytes, length);
	(void)close(fd);
	errno = error;
	return bytes;
}

struct process {
	pid_t pid, parent;
	int terminal; /* device number, 0: none */
	char name[64];
};

/* "PID (NAME) STATE PPID PGRP SESSION TTY …"; a name may hold anything. */
static bool read_facts(void *pool, pid_t pid, struct process *process)
{
	size_t length;
	char state;
	int parent, group, session;
	const char *text = read_process(pool, pid, "stat", &length);
	const char *begin = text == NULL ? NULL : strchr(text, '(');
	const char *end = text == NULL ? NULL : strrchr(text, ')');
	if (begin == NULL || end == NULL || end < begin ||
	    sscanf(end + 1, " %c %d %d %d %d", &state, &parent, &group, &session, &process->terminal) != 5)
		return false;
	size_t name_length = (size_t)(end - begin - 1);
	if (name_length >= sizeof process->name)
		name_length = sizeof process->name - 1;
	memcpy(process->name, begin + 1, name_length);
	process->name[name_length] = '\0';
	process->pid = pid;
	process->parent = (pid_t)parent;
	return true;
}

static const char *connection_of(const char *environment, size_t length)
{
	for (size_t at = 0; at < length; at += strlen(environment + at) + 1)
		if (strncmp(environment + at, VARIABLE, sizeof VARIABLE - 1) == 0)
			return environment + at + sizeof VARIABLE - 1;
	return NULL;
}

/* Programs that keep a session for whoever comes, or that bring one in, by how their names begin. */
static const char *const keepers[] = { "SCREEN", "cockpit", "in.rlogind", "in.rshd", "in.telnetd",
				       "mosh-server", "screen", "telnetd", "tmux", "ttyd", "x11vnc", "xrdp" };

static bool begins_with(const char *name, const char *begin)
{
	return strncmp(name, begin, strlen(begin)) == 0;
}

static bool is_keeper(const char *name)
{
	for (size_t i = 0; i < sizeof keepers / sizeof keepers[0]; i++)
		if (begins_with(name, keepers[i]))
			return true;
	return false;
}

static bool is_ssh_daemon(const char *name)
{
	return begins_with(name, "sshd") || begins_with(name, "dropbear");
}

/* --- an sshd's socket ------------------------------------------------------------------------------- */

/* Does the process hold the socket? */
static bool has_socket(void *pool, pid_t pid, unsigned long inode)
{
	const char *wanted = pool_format(pool, "socket:[%lu]", inode);
	DIR *folder = opendir(pool_format(pool, "/proc/%d/fd", (int)pid));
	bool is_found = false;
	if (folder == NULL)
		return false;
	for (const struct dirent *item; !is_found && (item = readdir(folder)) != NULL;) {
		char target[64];
		ssize_t length = readlinkat(dirfd(folder), item->d_name, target, sizeof target - 1);
		is_found = length > 0 && strncmp(target, wanted, (size_t)length) == 0 &&
			   wanted[length] == '\0';
	}
	closedir(folder);
	return is_found;
}

/* Hexadecimal words of the machine's byte order, as the kernel prints them. An IPv4 address may stand
 * inside an IPv6 one. */
static bool parse_kernel_address(const char *text, size_t length, struct address *address)
{
	*address = (struct address){ .family = length == 8 ? FAMILY_IPV4 : FAMILY_IPV6 };
	if (length != 8 && length != 32)
		return false;
	for (size_t word = 0; word < length / 8; word++) {
		char digits[9] = "";
		memcpy(digits, text + word * 8, 8);
		address->value = address->value << 32 | ntohl((uint32_t)strtoul(digits, NULL, 16));
	}
	return unmap(address);
}

/* A line of /proc/PID/net/tcp: "N: LOCAL:PORT REMOTE:PORT STATE … inode …". */
static bool parse_connection(void *pool, pid_t pid, const char *line, struct remote *remote)
{
	char local[40], far[40];
	unsigned local_port, far_port, state;
	unsigned long inode;
	if (sscanf(line, " %*u: %39[0-9A-Fa-f]:%x %39[0-9A-Fa-f]:%x %x %*s %*s %*s %*u %*u %lu", local, &local_port,
		   far, &far_port, &state, &inode) != 6 ||
	    state != TCP_ESTABLISHED_STATE || !has_socket(pool, pid, inode) ||
	    !parse_kernel_address(local, strlen(local), &remote->server) ||
	    !parse_kernel_address(far, strlen(far), &remote->client))
		return false;
	remote->server_port = (uint16_t)local_port;
	remote->client_port = (uint16_t)far_port;
	return true;
}

static void describe(void *pool, struct remote *remote)
{
	struct text *words = text_new(pool);
	address_format(words, &remote->client);
	text_addf(words, " %u ", remote->client_port);
	address_format(words, &remote->server);
	text_addf(words, " %u", remote->server_port);
	remote->kind = REMOTE_SSH;
	remote->connection = words->bytes;
}

static bool find_socket(void *pool, pid_t pid, struct remote *remote)
{
	static const char *const lists[] = { "net/tcp", "net/tcp6" };
	for (size_t i = 0; i < 2; i++) {
		size_t length;
		char *text = read_process(pool, pid, lists[i], &length), *rest = NULL;
		for (char *line = text == NULL ? NULL : strtok_r(text, "\n", &rest); line != NULL;
		     line = strtok_r(NULL, "\n", &rest))
			if (parse_connection(pool, pid, line, remote)) {
				describe(pool, remote);
				return true;
			}
	}
	return false;
}

/* --- all together ----------------------------------------------------------------------------------- */

struct search {
	void *pool;
	struct remote found;
	const char *doubt; /* what cannot be excluded, or NULL */
};

/* Whether the process says who is connected. */
static bool look_at(struct search *search, const struct process *process)
{
	size_t length;
	const char *environment = read_process(search->pool, process->pid, "environ", &length);
	const char *connection = environment == NULL ? NULL : connection_of(environment, length);
	if (connection != NULL && remote_parse(search->pool, connection, &search->found))
		return true;
	if (connection != NULL && connection[0] != '\0' && search->doubt == NULL)
		search->doubt = "its SSH_CONNECTION says nothing that can be read";
	if (is_ssh_daemon(process->name)) {
		if (find_socket(search->pool, process->pid, &search->found))
			return true;
		search->doubt = "it comes from an sshd whose connection cannot be seen";
	} else if (is_keeper(process->name)) {
		search->doubt = pool_format(search->pool, "it runs in '%s', which lets others in", process->name);
	} else if (environment == NULL && search->doubt == NULL) {
		search->doubt = "the processes that started it cannot be looked at";
	}
	return false;
}

/* A terminal of the machine itself excludes a remote one; the others are made by programs. Without any it
 * is a service, or what a login has left behind. */
static const char *doubt_of_terminal(const struct process *process)
{
	unsigned kind = major((dev_t)process->terminal);
	if (process->terminal == 0)
		return who_has_login() ? "it comes of a login that cannot be seen any more" : NULL;
	if (kind == TTY_MAJOR || kind == CONSOLE_MAJOR)
		return NULL;
	return "its terminal was made by a program, and may be somebody's from outside";
}

static struct remote unknown(const char *why)
{
	return (struct remote){ .kind = REMOTE_UNKNOWN, .why = why };
}

static bool is_same_place(pid_t pid)
{
	struct stat here, there;
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
	return stat("/proc/self/ns/net", &here) != 0 || stat(path, &there) != 0 ||
	       (here.st_dev == there.st_dev && here.st_ino == there.st_ino);
}

/* The session's connection ends at an address that is none here. Did it begin in another namespace, or has the
 * address gone since? The outermost process of the session says it, for who enters a namespace does so later. */
static struct remote judge_elsewhere(struct search *search, struct process process)
{
	pid_t outermost = process.pid;
	const char *connection = search->found.connection;
	for (unsigned count = 0; count < ANCESTORS_MOST && process.parent != 0; count++) {
		if (!read_facts(search->pool, process.parent, &process))
			break;
		if (look_at(search, &process) && strcmp(search->found.connection, connection) == 0)
			outermost = process.pid;
	}
	if (!is_same_place(outermost))
		return (struct remote){ .kind = REMOTE_NONE };
	return unknown("its SSH_CONNECTION ends at an address that this machine does not have, or not any more");
}

struct remote remote_find(void *pool)
{
	struct search search = { .pool = pool };
	struct process process = { 0 }, self = { 0 };
	if (!read_facts(pool, getpid(), &self))
		return unknown("the processes that started it cannot be looked at");
	process = self;
	for (unsigned count = 0; count < ANCESTORS_MOST; count++) {
		if (look_at(&search, &process)) {
			if (remote_is_own_address(&search.found.server))
				return search.found;
			return judge_elsewhere(&search, process);
		}
		if (process.parent == 0)
			break;
		if (!read_facts(pool, process.parent, &process))
			return unknown(search.doubt != NULL ? search.doubt
							    : "the processes that started it cannot be looked at");
	}
	const char *doubt = doubt_of_terminal(&self);
	if (search.doubt != NULL || doubt != NULL)
		return unknown(search.doubt != NULL ? search.doubt : doubt);
	return (struct remote){ .kind = REMOTE_NONE };
}
