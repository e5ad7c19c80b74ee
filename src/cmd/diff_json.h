/* What changed in meaning, as JSON: one form for `diff` and `plan`. docs/fwc.1.scd has the keys. */
#ifndef FWC_CMD_DIFF_JSON_H
#define FWC_CMD_DIFF_JSON_H

#include <jansson.h>

#include "diag/diag.h"

struct diff_json {
	void *pool;
	struct sources *sources;
	json_t *root;
};

/* The statement that decides on one side. */
struct diff_side {
	const char *verdict; /* NULL: its words say it */
	struct span origin;  /* SPAN_NONE: nobody wrote it */
	const char *missing; /* what is said where there is none, or NULL */
};

/* Its objects go with it. */
struct diff_json *diff_json_new(void *pool, struct sources *sources);
/* The object of a new change, which the root owns; region: its lines. device NULL: this host. */
json_t *diff_json_change(struct diff_json *json, const char *kind, const char *device, const char *region);
void diff_json_hook(struct diff_json *json, json_t *change, const char *hook);
/* key: "before" or "now" */
void diff_json_side(struct diff_json *json, json_t *change, const char *key, const struct diff_side *side);
void diff_json_text(struct diff_json *json, json_t *object, const char *key, const char *text);
/* A device or tunnel that one side alone has; name NULL: the policy of this host. */
void diff_json_lone(struct diff_json *json, const char *kind, const char *name, bool is_new);
/* Settings of a device or tunnel; each line of one side that the other lacks is added to the object. */
json_t *diff_json_settings(struct diff_json *json, const char *kind, const char *name);
/* Without the blanks in front. */
void diff_json_line(struct diff_json *json, json_t *object, const char *key, const char *line, size_t length);
/* A rule of other words that decides as before. */
void diff_json_rewritten(struct diff_json *json, const char *key, struct span span);
/* Gives the root away. */
json_t *diff_json_take(struct diff_json *json);

#endif
