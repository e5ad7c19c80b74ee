/* fwc fmt: one file in its canonical form. Includes are left alone. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "ast/print.h"
#include "cmd/command.h"
#include "cmd/output.h"
#include "cmd/session.h"

struct fmt_options {
	const char *path;
	bool writes;
	bool only_checks;
};

static int fmt_parse(struct fmt_options *options, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "write", no_argument, NULL, 'w' },
		{ "check", no_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = command_option(argc, argv, "w", long_options)) != -1) {
		if (option == 'w')
			options->writes = true;
		else if (option == 'c')
			options->only_checks = true;
		else
			return command_misused("fmt", NULL);
	}
	if (optind != argc - 1)
		return command_misused("fmt", "one file at a time");
	options->path = argv[optind];
	if (options->writes && (options->only_checks || strcmp(options->path, "-") == 0))
		return command_misused("fmt", "--write wants a file, and no --check");
	return EXIT_DONE;
}

/* The file's own tree, without its includes; NULL with the reason in the bag. */
static struct ast_file *fmt_read(struct session *session, const char *path, const char **bytes,
				 size_t *length)
{
	const char *name = strcmp(path, "-") == 0 ? "<stdin>" : path;
	int error = session->reader.read(session->reader.context, session->pool, path, bytes, length);

	if (error != 0) {
		diag_add(session->diags, error == ENOENT ? CODE_FILE_MISSING :
			 error == EISDIR ? CODE_FILE_IS_DIRECTORY : CODE_FILE_UNREADABLE,
			 SPAN_NONE, "cannot read '%s': %s", path, strerror(error));
		return NULL;
	}
	return parse_source(session->pool, session->diags,
			    sources_add(session->sources, name, *bytes, *length, false));
}

static int fmt_complain(const char *path)
{
	if (strcmp(path, "-") == 0)
		command_say("fwc: the standard input is not in the canonical form");
	else
		command_say("fwc: '%s' is not in the canonical form: 'fwc fmt -w' puts it there", path);
	return EXIT_POLICY;
}

static int fmt_emit(struct session *session, const struct fmt_options *options,
		    const struct text *out, bool is_canonical)
{
	int status = EXIT_DONE;

	if (options->writes && !is_canonical)
		(void)output_file(session->diags, &(struct output_item){ .path = options->path, .text = out });
	status = session_finish(session);
	if (status != EXIT_DONE)
		return status;
	if (options->only_checks && !is_canonical)
		return fmt_complain(options->path);
	if (!options->writes && !options->only_checks && !output_stdout(out))
		return EXIT_WORLD;
	return EXIT_DONE;
}

int command_fmt(struct pool_trap *root, int argc, char **argv)
{
	struct session_options shared = session_options_default();
	struct fmt_options options = { 0 };
	int status = fmt_parse(&options, argc, argv);
	struct session *session;
	struct ast_file *file;
	const char *bytes;
	size_t length;
	struct text *out;

	if (status != EXIT_DONE)
		return status;
	session = session_new(root, &shared);
	file = fmt_read(session, options.path, &bytes, &length);
	if (file == NULL || diags_has_errors(session->diags))
		return session_finish(session);
	out = text_new(session->pool);
	ast_print_canonical(out, session->sources, file);
	return fmt_emit(session, &options, out,
			out->length == length && memcmp(out->bytes, bytes, length) == 0);
}
