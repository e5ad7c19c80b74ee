/* See hits.h. */
#include "operate/hits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/pool.h"
#include "base/text.h"

#define FILE_NAME "hits"
#define HEAD "fwc hits 1\n"
#define NAME_FORMAT "%255[A-Za-z0-9_./-]"
#define LIFE_UNKNOWN "-"
#define NAME_ROOM 256
/* What was not there for so long is forgotten. */
#define KEPT_S (400L * 86400)

struct hits *hits_new(void *pool)
{
	struct hits *hits = pool_new(pool, struct hits);

	hits->pool = hits;
	hits->names = names_new(hits, false);
	return hits;
}

static struct hit *add(struct hits *hits, const char *name)
{
	struct hit *hit = pool_new(hits->pool, struct hit);

	hit->name = pool_strdup(hits->pool, name);
	*pool_append(hits->pool, hits, items) = hit;
	names_set(hits->names, hit->name, strlen(hit->name), hit);
	return hit;
}

static void read_line(struct hits *hits, const char *line)
{
	char name[NAME_ROOM], life[NAME_ROOM] = LIFE_UNKNOWN;
	uint64_t packets;
	int64_t since, changed;
	struct hit *hit;

	if (sscanf(line, NAME_FORMAT " %" SCNu64 " %" SCNd64 " %" SCNd64 " " NAME_FORMAT, name, &packets, &since,
		   &changed, life) < 4 || names_find(hits->names, name, strlen(name)) != NULL)
		return;
	hit = add(hits, name);
	hit->packets = packets;
	hit->since = (time_t)since;
	hit->changed = (time_t)changed;
	if (strcmp(life, LIFE_UNKNOWN) != 0)
		hit->life = pool_strdup(hits->pool, life);
}

int hits_read(struct hits *hits, const struct folder *folder)
{
	char *bytes;
	size_t length;
	int error = folder_read(folder, hits->pool, FILE_NAME, &bytes, &length);

	if (error != 0)
		return error == ENOENT ? 0 : error;
	bytes = pool_strndup(hits->pool, bytes, length);
	if (strncmp(bytes, HEAD, strlen(HEAD)) != 0)
		return 0;
	for (char *line = bytes + strlen(HEAD), *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		read_line(hits, line);
	}
	return 0;
}

/* One of another life with the same count was brought back with it, behind a trial; but nothing is nothing. */
static bool is_anew(const struct hit *hit, const char *life, uint64_t packets)
{
	bool has_other_life = hit->life != NULL && life != NULL && strcmp(hit->life, life) != 0;

	return packets < hit->packets || (has_other_life && (packets == 0 || packets != hit->packets));
}

const struct hit *hits_note(struct hits *hits, const char *name, const char *life, uint64_t packets, time_t now)
{
	struct hit *hit = names_find(hits->names, name, strlen(name));

	if (hit == NULL) {
		hit = add(hits, name);
		hit->since = now;
	}
	hit->is_seen = true;
	if (is_anew(hit, life, packets))
		hit->since = now;
	if (packets != hit->packets && packets != 0)
		hit->changed = now;
	hit->packets = packets;
	hit->life = life == NULL ? NULL : pool_strdup(hits->pool, life);
	return hit;
}

int hits_write(const struct hits *hits, struct folder *folder, time_t now)
{
	struct text *out = text_new(hits->pool);

	text_add(out, HEAD);
	for (size_t index = 0; index < hits->items_count; index++) {
		const struct hit *hit = hits->items[index];
		time_t last = hit->changed > hit->since ? hit->changed : hit->since;

		if (hit->is_seen || now - last < KEPT_S)
			text_addf(out, "%s %" PRIu64 " %" PRId64 " %" PRId64 " %s\n", hit->name, hit->packets,
				  (int64_t)hit->since, (int64_t)hit->changed,
				  hit->life == NULL ? LIFE_UNKNOWN : hit->life);
	}
	return folder_write(folder, FILE_NAME, out->bytes, out->length);
}
