/* Naming lines that were not understood. */
#include "target/cisco/read/reader.h"

struct span acl_reader_span(const struct acl_reader *reader, const char *begin, const char *end)
{
	return (struct span){
		.source = reader->source,
		.begin = (uint32_t)(begin - reader->bytes),
		.end = (uint32_t)(end - reader->bytes),
	};
}

struct span acl_reader_line_span(const struct acl_reader *reader)
{
	return acl_reader_span(reader, reader->line.begin, reader->line.end);
}

void acl_reader_unread(struct acl_reader *reader, const char *format, ...)
{
	const struct acl_line *line = &reader->line;
	const char *at = line->problem_word.at;
	bool has_word = line->problem != NULL && line->problem_word.length > 0;
	struct text *what;
	va_list arguments;

	reader->config->unread_count++;
	what = text_new(reader->pool);
	va_start(arguments, format);
	text_addv(what, format, arguments);
	va_end(arguments);
	diag_add(reader->diags, CODE_FOREIGN_LINE,
		 has_word ? acl_reader_span(reader, at, at + line->problem_word.length) :
		 acl_reader_line_span(reader), "%s is not understood: %s%s", what->bytes,
		 line->problem == NULL ? "it is no line of IOS" : line->problem,
		 line->problem != NULL && !has_word ? " at the end of the line" : "");
}
