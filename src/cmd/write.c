/* Products into files. */
#include "cmd/write.h"

#include <string.h>
#include <sys/stat.h>

static bool is_same_file(const char *a, const char *b)
{
	struct stat first, second;

	return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

static bool is_input(const struct session *session, const char *path)
{
	for (size_t index = 0; index < session->sources->items_count; index++)
		if (!session->sources->items[index]->is_builtin &&
		    is_same_file(session->sources->items[index]->name, path))
			return true;
	return is_same_file(session->options.path, path);
}

/* The product never takes the place of what it was made from. */
static bool may_write(struct session *session, const char *path)
{
	if (!is_input(session, path))
		return true;
	diag_add(session->diags, CODE_OUTPUT_FAILED, SPAN_NONE,
		 "'%s' belongs to the policy: the output would take its place", path);
	return false;
}

/* Configurations with keys of tunnels in them. */
static bool is_secret(const struct session *session)
{
	return session->views_count > 0 && session->views[0].ios != NULL &&
	       session->policy->tunnels_count > 0 && !session->options.cisco.redacts;
}

void write_file(struct session *session, struct output_item item)
{
	item.is_secret = is_secret(session);
	if (write_is_folder(item.path))
		diag_add(session->diags, CODE_OUTPUT_FAILED, SPAN_NONE,
			 "'%s' is a folder, and this is one file: name that", item.path);
	else if (may_write(session, item.path))
		(void)output_file(session->diags, &item);
}

void write_batches(struct session *session, const struct text *batch, const struct text *rescue,
		   const char *path)
{
	const char *rescue_path = pool_format(session->pool, "%s.rescue", path);
	struct output_item items[] = {
		{ .path = path, .text = batch, .is_secret = true },
		{ .path = rescue_path, .text = rescue, .is_secret = true },
	};

	if (may_write(session, path) && may_write(session, rescue_path))
		(void)output_files(session->diags, items, sizeof items / sizeof items[0]);
}

/* --- a file a device -------------------------------------------------------------------------- */

bool write_is_folder(const char *path)
{
	struct stat status;
	size_t length = strlen(path);

	return (length > 0 && path[length - 1] == '/') ||
	       (stat(path, &status) == 0 && S_ISDIR(status.st_mode));
}

/* A device's name as that of a file: nothing that leads elsewhere. */
static bool is_file_name(const char *name)
{
	return name[0] != '.' && name[0] != '\0' &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_.+-")] == '\0';
}

static struct output_item file_of(struct session *session, const struct session_view *view,
				  const char *folder)
{
	struct text *out = text_new(session->pool);

	text_add_bytes(out, view->text->bytes, view->text->length);
	if (session->options.skips_proof)
		text_add(out, "! Not proved to equal the policy: made with --no-proof.\n");
	return (struct output_item){
		.path = pool_format(session->pool, "%s%s%s.ios", folder,
				    folder[strlen(folder) - 1] == '/' ? "" : "/", view->device->name),
		.text = out,
		.is_secret = is_secret(session),
	};
}

void write_folder(struct session *session, const char *folder)
{
	struct output_item *items = pool_array(session->pool, struct output_item, session->views_count);

	for (size_t index = 0; index < session->views_count; index++) {
		const struct session_view *view = &session->views[index];

		if (view->device == NULL || view->ios == NULL) {
			diag_add(session->diags, CODE_OUTPUT_FAILED, SPAN_NONE,
				 "'%s' is a folder, for the configurations of devices", folder);
			return;
		}
		if (!is_file_name(view->device->name)) {
			diag_add(session->diags, CODE_OUTPUT_FAILED, view->device->span,
				 "the device's name '%s' cannot be that of a file", view->device->name);
			return;
		}
		items[index] = file_of(session, view, folder);
		if (!may_write(session, items[index].path))
			return;
	}
	(void)output_files(session->diags, items, session->views_count);
}
