/* A table as the kernel holds it, in the kernel's own messages: so that it can come back as it was,
 * whoever made it.
 *
 * What the kernel lists are the messages that make it (NFT_MSG_NEW*), with words of its own in them
 * (handles, positions, counts of uses) that kept_write.h leaves out. Elements that packets put into
 * dynamic sets are not kept: they come again with the packets.
 *
 * In a file the messages stand behind a head that names the form, the byte order and the table. */
#ifndef FWC_TARGET_NFT_LOAD_KEPT_H
#define FWC_TARGET_NFT_LOAD_KEPT_H

#include "target/nft/load/kept_hash.h"
#include "target/nft/load/kernel.h"

struct nft_kept {
	void *pool;
	const char *table;       /* family inet */
	bool has_table;
	uint32_t generation;     /* in which it was read; 0: it comes from a file */
	size_t elements_most;    /* of sets with more, as the kernel counts, there are none here; 0: it is whole */
	char *bytes;             /* the head and the messages */
	size_t bytes_count, bytes_capacity;
	/* private to nft_kept_look */
	bool is_only_hashed;
	struct kept_hash *hash;
};

/* What stands in the model beside parts that are kept. The messages are those of the nft_kept. */
struct nft_kept_chain {
	const struct nlmsghdr *message;
	bool is_anonymous; /* in braces behind a rule's jump: its rules stand before that rule */
	uint32_t id;       /* anonymous ones: in a batch, from 1 */
	uint32_t policy;   /* base chains */
	const uint8_t *userdata;
	uint32_t userdata_length;
};

struct nft_kept_set {
	const struct nlmsghdr *message;
	bool is_anonymous;
	uint32_t id;             /* in a batch, from 1 */
	const struct nlmsghdr **elements;
	size_t elements_count, elements_capacity;
};

struct nft_kept_object {
	struct nft_kernel_object object;
	const struct nlmsghdr *message;
};

struct nft_kept_table {
	const struct nlmsghdr *message;
	struct nft_kept_object *objects;
	size_t objects_count, objects_capacity;
	struct names *sets;   /* name -> struct nft_set */
	struct names *chains; /* name -> struct nft_chain */
};

/* Reads the table of family inet, whole and in one generation. 0 or an errno. */
int nft_kept_read(void *pool, struct nft_socket *socket, const char *table, struct nft_kept **kept);
/* The same without the elements of sets that have more than elements_most (where the kernel says how many, since
 * Linux 6.14): it walks over all that it gave before for each 32 KiB of a list, so that a list takes a time
 * quadratic in its length. For looking at; it cannot be brought back. */
#define NFT_KEPT_GLANCED 65536 /* elements_most of all glances that are compared */
int nft_kept_glance(void *pool, struct nft_socket *socket, const char *table, size_t elements_most,
		    struct nft_kept **kept);
/* Puts the elements that a glance left out into it: those that these messages of a batch give its sets. */
void nft_kept_fill(struct nft_kept *kept, const char *messages, size_t length);
/* The messages of the sets whose elements a glance left out: each has its name, and flags as they should be. */
void nft_kept_each_left_out(const struct nft_kept *kept, nft_reader reader, void *data);
/* Whether a glance has left nothing out. */
bool nft_kept_is_whole(const struct nft_kept *kept);
/* Whether it has a base chain that translates. */
bool nft_kept_translates(const struct nft_kept *kept);
/* What a file holds; the bytes are copied. NULL: it is cut short, of another form, or of a machine of
 * another byte order. */
struct nft_kept *nft_kept_parse(void *pool, const char *bytes, size_t length);
/* The table as a model that nft_load brings back: its parts have `kept`. NULL: there is none, or the
 * messages make no sense. It refers to the kept, which outlives it. */
struct nft_table *nft_kept_table(void *pool, const struct nft_kept *kept);
/* What it says, read. */
struct nft_read *nft_kept_reading(void *pool, const struct nft_kept *kept);
/* SHA-256 of all that the table is, without what packets change, handles and the like. Equal where
 * nobody changed the table. */
void nft_kept_hash(const struct nft_kept *kept, char sha256[REREAD_HASH_LENGTH + 1]);
/* The hash of a glance at the table, of which nothing is kept in memory. 0 or an errno. */
struct nft_kept_look {
	char glance[REREAD_HASH_LENGTH + 1];
	uint32_t generation;
};
int nft_kept_look(void *pool, struct nft_socket *socket, const char *table, size_t elements_most,
		  struct nft_kept_look *look);
/* What nft_kept_hash will give of a table, and of a glance at it, that these messages of a batch have made. */
struct kept_hash_result nft_kept_expect(void *pool, const char *messages, size_t length, const char *table,
					size_t elements_most);

#endif
