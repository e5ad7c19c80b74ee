/* What the files of this room share. */
#include "resolve/context.h"

void note_nearest(struct resolver *resolver, struct diagnostic *diagnostic,
		  const struct names *names, const struct ast_word *word)
{
	if (resolver->suggestions_made >= SUGGESTIONS_MOST)
		return;
	resolver->suggestions_made++;
	const char *nearest = names_nearest(names, word->text, word->length);
	if (nearest != NULL)
		diag_note(resolver->diags, diagnostic, SPAN_NONE, "did you mean '%s'?", nearest);
}

bool number_resolve(const struct ast_word *word, uint64_t limit, uint64_t *number)
{
	if (word->length == 0 || word->length > 19 || (word->length > 1 && word->text[0] == '0'))
		return false;
	uint64_t value = 0;
	for (size_t i = 0; i < word->length; i++) {
		if (word->text[i] < '0' || word->text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(word->text[i] - '0');
	}
	*number = value;
	return value <= limit;
}
