/* The child enters the namespaces, runs nft twice (it loads the script, then lists what came of it), and
 * writes the kernel's messages into a file in memory that both have. */
#include "cmd/nft_source.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pool.h"
#include "target/nft/read/kernel.h"
#include "target/nft/load/refusal.h"

#define NFT "nft"
#define ERRORS_SHOWN 600u /* bytes of what nft says */
#define LISTING_MOST (64u << 20)

/* What the child ends with. */
enum { DONE, NO_NAMESPACE, NO_PROGRAM, NOT_LOADED, NOT_READ };

struct files {
	int script, messages, listing, errors;
};

/* --- the child -------------------------------------------------------------------------------------- */

/* Keeps one right of the process, over its network, for nft too. */
static bool keep_network_right(void)
{
	if (capng_get_caps_process() != 0)
		return false;
	capng_clear(CAPNG_SELECT_CAPS);
	return capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE, CAP_NET_ADMIN) == 0 &&
	       capng_apply(CAPNG_SELECT_CAPS) == 0 &&
	       prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0) == 0;
}

/* Who may makes a network namespace alone, since in a user namespace the kernel takes no large batch of rules.
 * Others have both; nobody is mapped there: all that it gives are rights over its own network. */
static bool enter_namespaces(void)
{
	return (unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) && keep_network_right();
}

/* Runs nft; its exit status, 127 where there is none. */
static int run_nft(char *const *arguments, int input, int output, int errors)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
		    dup2(errors, STDERR_FILENO) < 0)
			_exit(126);
		(void)execvp(NFT, arguments);
		_exit(errno == ENOENT ? 127 : 126);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 126;
	return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

static void list_ruleset(const struct files *files)
{
	char *list[] = { (char *)NFT, (char *)"-a", (char *)"list", (char *)"ruleset", NULL };

	/* what it lists serves messages alone */
	if (run_nft(list, files->script, files->listing, files->errors) != 0)
		(void)ftruncate(files->listing, 0);
}

static int load_script(void *pool, const struct files *files)
{
	char *load[] = { (char *)NFT, (char *)"-f", (char *)"-", NULL };
	struct text *messages = text_new(pool);
	int status;

	if (!enter_namespaces()) {
		const char *why = strerror(errno);

		(void)file_write(files->errors, why, strlen(why));
		return NO_NAMESPACE;
	}
	status = run_nft(load, files->script, files->errors, files->errors);
	if (status != 0)
		return status == 127 ? NO_PROGRAM : NOT_LOADED;
	(void)ftruncate(files->errors, 0);
	list_ruleset(files);
	if (nft_dump_kernel(pool, messages) != 0 ||
	    file_write(files->messages, messages->bytes, messages->length) != 0)
		return NOT_READ;
	return DONE;
}

/* --- the parent ------------------------------------------------------------------------------------- */

static int file_in_memory(const char *name)
{
	return memfd_create(name, MFD_CLOEXEC);
}

static bool open_files(struct files *files)
{
	files->script = file_in_memory("script");
	files->messages = file_in_memory("messages");
	files->listing = file_in_memory("listing");
	files->errors = file_in_memory("errors");
	return files->script >= 0 && files->messages >= 0 && files->listing >= 0 && files->errors >= 0;
}

static void close_files(const struct files *files)
{
	const int all[] = { files->script, files->messages, files->listing, files->errors };

	for (size_t index = 0; index < sizeof all / sizeof all[0]; index++)
		if (all[index] >= 0)
			(void)close(all[index]);
}

/* The whole file, with a NUL behind it. */
static char *contents(void *pool, int file, size_t *length)
{
	struct stat state;
	char *bytes;

	if (fstat(file, &state) != 0 || lseek(file, 0, SEEK_SET) != 0)
		state.st_size = 0;
	bytes = pool_array(pool, char, (size_t)state.st_size + 1);
	(void)file_read(file, bytes, (size_t)state.st_size, length);
	return bytes;
}

/* What nft said, a note a line. */
static void note_errors(void *pool, struct diags *diags, struct diagnostic *diagnostic, const char *path,
			int file)
{
	static const char stdin_name[] = "/dev/stdin";
	const size_t stdin_length = strlen(stdin_name);
	size_t length;
	char *said = contents(pool, file, &length);

	length = length > ERRORS_SHOWN ? ERRORS_SHOWN : length;
	for (size_t index = 0; index < length; index++)
		said[index] = said[index] == '\t' ? ' ' : said[index]; /* its carets count a column */
	for (char *line = said; line < said + length;) {
		size_t size = strcspn(line, "\n");

		if (line + size > said + length)
			size = (size_t)(said + length - line);
		if (size > stdin_length && strncmp(line, stdin_name, stdin_length) == 0)
			diag_note(diags, diagnostic, SPAN_NONE, "nft: %s%.*s", path, (int)(size - stdin_length),
				  line + stdin_length);
		else if (size > 0)
			diag_note(diags, diagnostic, SPAN_NONE, "nft: %.*s", (int)size, line);
		line += size + 1;
	}
}

static void tell_failure(void *pool, struct diags *diags, const char *path, int end, int errors)
{
	struct diagnostic *told;
	size_t length;

	switch (end) {
	case NO_NAMESPACE:
		told = diag_add(diags, CODE_NFT_NAMESPACE, SPAN_NONE, "no network namespace can be made for "
				"'%s': %s", path, contents(pool, errors, &length));
		diag_note(diags, told, SPAN_NONE, "a namespace of its own keeps the script from the rules of "
			  "this machine: user namespaces have to be allowed (user_namespaces(7))");
		return;
	case NO_PROGRAM:
		diag_add(diags, CODE_NFT_NAMESPACE, SPAN_NONE, "the program 'nft' is missing, which loads '%s'",
			 path);
		return;
	case NOT_LOADED:
		told = diag_add(diags, CODE_NFT_SCRIPT, SPAN_NONE, "nft does not load '%s'", path);
		note_errors(pool, diags, told, path, errors);
		if (strstr(contents(pool, errors, &length), strerror(EMSGSIZE)) != NULL)
			diag_note(diags, told, SPAN_NONE, "the kernel takes so many rules at once from "
				  "'fwc import nft' alone, and from root");
		return;
	}
	diag_add(diags, CODE_NFT_NAMESPACE, SPAN_NONE, "what came of '%s' cannot be read back", path);
}

/* Loopback is called so in a policy, and what else is called so here is not loopback. */
static void know_interfaces(void *pool, struct import_nft_source *source)
{
	struct if_nameindex *all = if_nameindex();
	struct walk_interface *known;
	size_t all_count = 0, count = 0;

	if (all == NULL)
		return;
	while (all[all_count].if_index != 0)
		all_count++;
	known = pool_array(pool, struct walk_interface, all_count + 1);
	known[count++] = (struct walk_interface){ WALK_LOOPBACK_INDEX, WALK_LOOPBACK_NAME };
	for (size_t index = 0; index < all_count; index++)
		if (all[index].if_index != WALK_LOOPBACK_INDEX &&
		    strcmp(all[index].if_name, WALK_LOOPBACK_NAME) != 0)
			known[count++] = (struct walk_interface){ all[index].if_index,
				pool_strdup(pool, all[index].if_name) };
	if_freenameindex(all);
	source->interfaces = known;
	source->interfaces_count = count;
}

static void take_listing(void *pool, struct import_nft_source *source, int file)
{
	size_t length;
	const char *text = contents(pool, file, &length);

	if (length <= LISTING_MOST) {
		source->listing = text;
		source->listing_length = length;
	}
}

static bool take_messages(void *pool, struct diags *diags, const char *path, struct import_nft_source *source,
			  const struct files *files)
{
	struct nft_read *read;
	size_t length;
	const char *bytes = contents(pool, files->messages, &length);

	if (!nft_read_dump(pool, bytes, length, &read)) {
		tell_failure(pool, diags, path, NOT_READ, files->errors);
		return false;
	}
	source->read = read;
	take_listing(pool, source, files->listing);
	return true;
}

static bool read_script(void *pool, struct diags *diags, const char *path, struct import_nft_source *source,
			const struct files *files)
{
	pid_t child;
	int status = 0;

	(void)fflush(NULL);
	child = fork();
	if (child == 0)
		_exit(load_script(pool, files));
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			break;
	status = child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : NOT_READ;
	if (status == DONE)
		return take_messages(pool, diags, path, source, files);
	tell_failure(pool, diags, path, status, files->errors);
	return false;
}

static bool tell_no_files(struct diags *diags)
{
	diag_add(diags, CODE_NFT_NAMESPACE, SPAN_NONE, "no file in memory can be made: %s", strerror(errno));
	return false;
}

bool nft_source_script(void *pool, struct diags *diags, const struct source *script,
		       struct import_nft_source *source)
{
	struct files files;
	bool is_read;

	*source = (struct import_nft_source){ .name = script->name };
	is_read = open_files(&files) && file_write(files.script, script->bytes, script->length) == 0 &&
		  lseek(files.script, 0, SEEK_SET) == 0;
	is_read = is_read ? read_script(pool, diags, script->name, source, &files) : tell_no_files(diags);
	close_files(&files);
	return is_read;
}

bool nft_source_kernel(void *pool, struct diags *diags, struct import_nft_source *source)
{
	struct nft_read *read;
	struct files files;
	int error = nft_read_kernel(pool, NFPROTO_UNSPEC, NULL, &read);

	*source = (struct import_nft_source){ .name = NFT_SOURCE_KERNEL, .read = read };
	if (error != 0) {
		nft_report_error(diags, error, "read the kernel's rules");
		return false;
	}
	if (!open_files(&files))
		return tell_no_files(diags);
	list_ruleset(&files);
	take_listing(pool, source, files.listing);
	close_files(&files);
	know_interfaces(pool, source);
	return true;
}
