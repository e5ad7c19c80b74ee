/* Sends prepared frames through rulesets in private network namespaces and times them.
 *
 * A frame leaves a packet socket on one end of a veth pair; the other end receives it at once, in the
 * sending thread (the softirq runs where the transmission ends), and routes it through the forward hook.
 * So the thread's own CPU time holds the whole cost of a packet, and nothing of other programs. A round
 * counts only where the namespace has received every packet before its clock stopped.
 *
 * Commands come on stdin, a line each; every one is answered on stdout:
 *   space                      a new namespace            -> space INDEX DESCRIPTOR (of this process)
 *   open SPACE INTERFACE       a socket on its interface  -> open SPACE
 *   frames FILE LENGTH         frames of LENGTH bytes     -> frames INDEX COUNT
 *   send SPACE FRAMES COUNT    send them, not timed       -> sent COUNT
 *   measure ROUNDS MICROSECONDS SPACE:FRAMES …            -> pair SPACE FRAMES PACKETS NS…; then: done
 * `measure` goes round by round through all pairs, each for about MICROSECONDS but no less than one batch, and
 * gives the nanoseconds of CPU a packet of every round. A disturbed round is left out, and so are those after
 * the third of a pair that has had its time. A round is of whole batches: of 64 flows, each is in it equally
 * often. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, MOST_SPACES = 256, MOST_FRAMES = 512, MOST_ROUNDS = 1000, LEAST_ROUNDS = 3 };
static const double MOST_NS = 3e8; /* of CPU that a pair may take beyond its least rounds */

struct space {
	int descriptor;   /* of the namespace */
	int socket;       /* of packets, bound to its sending interface */
	int counters[2];  /* its snmp and snmp6 files */
};

struct frames {
	size_t count;
	struct iovec *vectors;
	struct mmsghdr *messages;
};

struct pair {
	struct space *space;
	const struct frames *frames;
	size_t cursor;    /* the next frame */
	size_t warm;      /* packets before a round */
	size_t packets;   /* a round */
	double *ns;       /* a packet, by round */
	size_t rounds;    /* of NS */
	double spent_ns;
};

struct bench {
	struct space spaces[MOST_SPACES];
	size_t space_count;
	struct frames frames[MOST_FRAMES];
	size_t frames_count;
};

static void fail(const char *what)
{
	fprintf(stderr, "sender: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *allocated(size_t count, size_t size)
{
	void *memory = calloc(count, size);
	if (memory == NULL)
		fail("memory");
	return memory;
}

static double thread_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Number INDEX, from 0, of those after MARK; 0 without the mark. */
static uint64_t number_after(const char *text, const char *mark, unsigned index)
{
	const char *at = strstr(text, mark);
	if (at == NULL)
		return 0;
	char *end = NULL;
	uint64_t value = 0;
	at += strlen(mark);
	for (unsigned number = 0; number <= index; number++, at = end)
		value = strtoull(at, &end, 10);
	return value;
}

/* What the namespace has received so far: snmp's second line counts IPv4 (its 3rd number), snmp6 IPv6. */
static uint64_t received(const struct space *space)
{
	char text[2][8192];
	for (unsigned file = 0; file < 2; file++) {
		const ssize_t length = pread(space->counters[file], text[file], sizeof text[file] - 1, 0);
		text[file][length < 0 ? 0 : length] = '\0';
	}
	const char *numbers = strstr(text[0], "\nIp: ");
	return (numbers != NULL ? number_after(numbers, "Ip: ", 2) : 0)
	     + number_after(text[1], "Ip6InReceives", 0);
}

static void space_new(struct bench *bench)
{
	if (bench->space_count == MOST_SPACES || unshare(CLONE_NEWNET) != 0)
		fail("namespace");
	struct space *space = &bench->spaces[bench->space_count];
	space->descriptor = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	space->counters[0] = open("/proc/thread-self/net/snmp", O_RDONLY | O_CLOEXEC);
	space->counters[1] = open("/proc/thread-self/net/snmp6", O_RDONLY | O_CLOEXEC);
	if (space->descriptor < 0 || space->counters[0] < 0)
		fail("/proc");
	printf("space %zu %d\n", bench->space_count++, space->descriptor);
}

static void space_open(struct space *space, const char *interface)
{
	const int on = 1;
	if (setns(space->descriptor, CLONE_NEWNET) != 0)
		fail("setns");
	const struct sockaddr_ll address = {.sll_family = AF_PACKET,
	                                    .sll_ifindex = (int)if_nametoindex(interface)};
	space->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (space->socket < 0 || bind(space->socket, (const void *)&address, sizeof address) != 0)
		fail(interface);
	setsockopt(space->socket, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
}

/* The messages are kept in one ring of COUNT and a first batch again, so that every batch is one array. */
static void frames_read(struct frames *frames, const char *path, size_t length)
{
	struct stat status;
	const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0 || fstat(descriptor, &status) != 0 || length == 0)
		fail(path);
	const size_t size = (size_t)status.st_size;
	char *bytes = allocated(size, 1);
	if (read(descriptor, bytes, size) != (ssize_t)size)
		fail(path);
	close(descriptor);
	frames->count = size / length;
	frames->vectors = allocated(frames->count + BATCH, sizeof *frames->vectors);
	frames->messages = allocated(frames->count + BATCH, sizeof *frames->messages);
	for (size_t index = 0; index < frames->count + BATCH; index++) {
		frames->vectors[index] = (struct iovec){
			.iov_base = bytes + index % frames->count * length, .iov_len = length};
		frames->messages[index].msg_hdr.msg_iov = &frames->vectors[index];
		frames->messages[index].msg_hdr.msg_iovlen = 1;
	}
}

static void frames_free(struct frames *frames)
{
	free(frames->vectors[0].iov_base);
	free(frames->vectors);
	free(frames->messages);
}

static void send_some(struct pair *pair, size_t count)
{
	while (count > 0) {
		const unsigned batch = count < BATCH ? (unsigned)count : BATCH;
		const int sent = sendmmsg(pair->space->socket, pair->frames->messages + pair->cursor, batch, 0);
		if (sent <= 0)
			fail("send");
		pair->cursor = (pair->cursor + (size_t)sent) % pair->frames->count;
		count -= (size_t)sent;
	}
}

static double ns_of(struct pair *pair, size_t count)
{
	const double start = thread_ns();
	send_some(pair, count);
	return thread_ns() - start;
}

/* How many packets fill the time of a round: doubled until an eighth of it is filled, three times over, for
 * what disturbs one of them would make the rounds too short. */
static void calibrate(struct pair *pair, double round_ns)
{
	double least = round_ns;
	for (unsigned again = 0; again < 3; again++) {
		size_t count = 1;
		double took = ns_of(pair, count);
		while (took < round_ns / 8) {
			count *= 2;
			took = ns_of(pair, count);
		}
		least = took / (double)count < least ? took / (double)count : least;
	}
	const size_t batches = (size_t)(round_ns / least) / BATCH;
	pair->packets = (batches > 0 ? batches : 1) * BATCH;
	pair->warm = least < round_ns / BATCH ? 2 * BATCH : 1;
}

static void round_of(struct pair *pair)
{
	if (pair->rounds >= LEAST_ROUNDS && pair->spent_ns > MOST_NS)
		return;
	send_some(pair, pair->warm);
	const uint64_t before = received(pair->space);
	const double took = ns_of(pair, pair->packets);
	pair->spent_ns += took;
	if (received(pair->space) - before >= pair->packets)
		pair->ns[pair->rounds++] = took / (double)pair->packets;
}

static void print_pair(const struct bench *bench, const struct pair *pair)
{
	printf("pair %td %td %zu", pair->space - bench->spaces, pair->frames - bench->frames, pair->packets);
	for (size_t round = 0; round < pair->rounds; round++)
		printf(" %.1f", pair->ns[round]);
	printf("\n");
}

static struct pair pair_of(struct bench *bench, size_t space, size_t frames)
{
	if (space >= bench->space_count || frames >= bench->frames_count) {
		errno = EINVAL;
		fail("no such space or frames");
	}
	return (struct pair){.space = &bench->spaces[space], .frames = &bench->frames[frames]};
}

static void measure(struct bench *bench, char *words)
{
	char *at = words;
	const size_t rounds = strtoul(at, &at, 10);
	const double round_ns = strtod(at, &at) * 1000;
	struct pair *pairs = allocated(MOST_SPACES * MOST_FRAMES, sizeof *pairs);
	size_t count = 0;
	if (rounds == 0 || rounds > MOST_ROUNDS || round_ns <= 0)
		fail("measure");
	for (char *word = strtok(at, " \n"); word != NULL; word = strtok(NULL, " \n")) {
		const size_t space = strtoul(word, &at, 10);
		pairs[count] = pair_of(bench, space, strtoul(at + 1, NULL, 10));
		pairs[count].ns = allocated(rounds, sizeof(double));
		calibrate(&pairs[count++], round_ns);
	}
	for (size_t round = 0; round < rounds; round++)
		for (size_t index = 0; index < count; index++)
			round_of(&pairs[index]);
	for (size_t index = 0; index < count; index++) {
		print_pair(bench, &pairs[index]);
		free(pairs[index].ns);
	}
	free(pairs);
	printf("done\n");
}

static void command(struct bench *bench, char *line)
{
	char name[4096];
	size_t first = 0, second = 0, count = 0;
	if (strcmp(line, "space\n") == 0) {
		space_new(bench);
	} else if (sscanf(line, "open %zu %4095s", &first, name) == 2 && first < bench->space_count) {
		space_open(&bench->spaces[first], name);
		printf("open %zu\n", first);
	} else if (sscanf(line, "frames %4095s %zu", name, &count) == 2 && bench->frames_count < MOST_FRAMES) {
		frames_read(&bench->frames[bench->frames_count], name, count);
		printf("frames %zu %zu\n", bench->frames_count, bench->frames[bench->frames_count].count);
		bench->frames_count++;
	} else if (sscanf(line, "send %zu %zu %zu", &first, &second, &count) == 3) {
		struct pair pair = pair_of(bench, first, second);
		send_some(&pair, count);
		printf("sent %zu\n", count);
	} else if (strncmp(line, "measure ", 8) == 0) {
		measure(bench, line + 8);
	} else {
		errno = EINVAL;
		fail(line);
	}
	fflush(stdout);
}

/* On one processor, before others where that is allowed: neither changes what a packet costs. */
static void settle(void)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET((size_t)sched_getcpu(), &set);
	sched_setaffinity(0, sizeof set, &set);
	setpriority(PRIO_PROCESS, 0, -10);
}

int main(void)
{
	struct bench *bench = allocated(1, sizeof *bench);
	char *line = NULL;
	size_t size = 0;
	settle();
	while (getline(&line, &size, stdin) > 0)
		command(bench, line);
	free(line);
	for (size_t index = 0; index < bench->frames_count; index++)
		frames_free(&bench->frames[index]);
	free(bench);
	return 0;
}
