/* Text to tree, files and includes.
 *
 * Parsing never stops at the first mistake: it recovers at ';' and '}'. A tree is given in any
 * case; the bag says whether it can be trusted. Nesting is limited to PARSE_DEPTH (FW: TOO_DEEP). */
#ifndef FWC_PARSE_PARSE_H
#define FWC_PARSE_PARSE_H

#include "ast/ast.h"
#include "diag/diag.h"

#define PARSE_DEPTH 64
/* Bytes of one file; larger ones are refused (EFBIG). A little less than 256 MiB, which is
 * where chunks of the pool end. */
#define PARSE_FILE_LIMIT (((size_t)255 << 20))

/* Where files come from: the disk, or (for later) a git revision. */
struct file_reader {
	/* Reads a whole file into the pool. 0, or an errno; EISDIR for directories. */
	int (*read)(void *context, void *pool, const char *path, const char **bytes, size_t *length);
	/* The one name of a file that has many (links, "."); NULL, or giving NULL: the path
	 * itself, without "." and "..", is the name. */
	const char *(*identify)(void *context, void *pool, const char *path);
	void *context;
};

struct file_reader file_reader_disk(void);

/* One included or main file of a program, in the order of their first reading. */
struct program_file {
	const char *path; /* as opened: relative to the including file's folder */
	struct ast_file *file;
};

struct program {
	struct ast_file *main_file;
	struct program_file *files; /* the main file first */
	size_t files_count, files_capacity;
	/* files by their identity (see file_reader) */
	struct names *by_path;
	/* include statement -> file: the tree to walk at that place; none where it was
	 * read before (it holds no rules then) or could not be read */
	struct names *by_include;
};

/* Parses one text that stands as number source in the bag's sources. */
struct ast_file *parse_source(void *pool, struct diags *diags, uint32_t source);

/* Reads path ("-": standard input, named <stdin>) and all its includes. Include cycles,
 * missing files, second includes of files with rules are reported. NULL only when the main file
 * cannot be read. */
struct program *parse_program(void *pool, struct diags *diags, const struct file_reader *reader,
			      const char *path);
/* Frees the trees, all nodes of them: what was resolved does not look at them again, and refers to texts of words
 * alone. They are a third of a large policy's memory. */
void program_drop_trees(struct program *program);
/* The file that this include statement brings in at this place, or NULL (see above). */
struct ast_file *program_include(const struct program *program, const struct ast_statement *include);

#endif
