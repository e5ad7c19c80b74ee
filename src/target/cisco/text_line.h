/* One line of a list, and of a service group, as IOS writes it. */
#ifndef FWC_TARGET_CISCO_TEXT_LINE_H
#define FWC_TARGET_CISCO_TEXT_LINE_H

#include "target/cisco/model.h"

/* Without the blank before it and the line end. */
void text_add_line(struct text *out, enum family family, const struct ios_line *line, bool has_port_words);
/* A line a tuple, one blank in. */
void text_add_group_services(struct text *out, enum family family, const struct tuple_set *services);

#endif
