/* One line of a list, and of a service group, as IOS writes it. */
#ifndef FWC_TARGET_CISCO_TEXT_LINE_H
#define FWC_TARGET_CISCO_TEXT_LINE_H

#include "target/cisco/model/model.h"

/* Lines of one list, one after the other. */
struct text_lines {
	struct text *out;
	enum family family;
	bool has_port_words;
	/* the last entry, and where its protocol and places stand: the next one of its rule mostly has the same */
	const struct ios_line *last;
	size_t begin, length;
};

/* Without the blank before it and the line end. */
void text_add_line(struct text_lines *lines, const struct ios_line *line);
/* A line a tuple, one blank in. */
void text_add_group_services(struct text *out, enum family family, const struct tuple_set *services);

#endif
