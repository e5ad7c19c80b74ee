/* JSON of jansson. It allocates with malloc; running out of that ends like running out of the pool. */
#ifndef FWC_DIAG_JSON_H
#define FWC_DIAG_JSON_H

#include <jansson.h>

#include "base/text.h"

/* Takes over the value. */
void json_set(void *pool, json_t *object, const char *key, json_t *value);
void json_add(void *pool, json_t *array, json_t *value);
/* A string of the user's: what is no UTF-8 is shown as \xNN. */
json_t *json_text(void *pool, const char *string);
/* Appends the value, in one line, and frees it. */
void json_finish(void *pool, struct text *out, json_t *root);

#endif
