#include "base/row.h"

bool row_next(struct row *row)
{
	if (row->shown == row->most) {
		row->left_out++;
		return false;
	}
	text_add(row->out, row->shown++ > 0 ? ", " : "");
	return true;
}

void row_end(const struct row *row)
{
	if (row->left_out > 0)
		text_addf(row->out, " and %zu more", row->left_out);
}
