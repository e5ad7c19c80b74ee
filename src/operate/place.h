/* Where and since when a generation of the kernel's rules counts. */
#ifndef FWC_OPERATE_PLACE_H
#define FWC_OPERATE_PLACE_H

/* The boot and the network namespace of a socket, as one word: the number that the kernel gives each boot
 * (random(4), boot_id) and each namespace of it (SO_NETNS_COOKIE, Linux 5.14). Neither comes a second time. NULL:
 * the kernel does not tell. */
const char *place_of(void *pool, int socket);

#endif
