/* Private to src/resolve: lists of addresses in files of their own.
 *
 * One address, prefix or range LOW-HIGH a line; blanks around it and empty lines do not count; '#'
 * starts a comment. Made for lists of a million lines. */
#ifndef FWC_RESOLVE_LIST_FILE_H
#define FWC_RESOLVE_LIST_FILE_H

#include "resolve/context.h"

/* At most so many lines of one list are reported. */
#define LIST_ERRORS_MOST 20

struct list_file {
	struct address_set addresses;
	bool is_good; /* it could be read, and every line is right */
};

/* The path that a word names, relative to the file in which it stands. */
const char *path_beside(const struct resolver *resolver, const struct ast_word *name);
/* The list that `file "NAME"` names, read once, relative to the file in which the word stands. */
const struct list_file *list_file_read(struct resolver *resolver, const struct ast_word *name);

#endif
