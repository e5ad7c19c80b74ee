/* One source to its tree. The work stands in stream.c and the grammar. */
#include "parse/parse.h"

#include "parse/stream.h"

struct ast_file *parse_source(void *pool, struct diags *diags, uint32_t source)
{
	return stream_parse(pool, diags, source);
}
