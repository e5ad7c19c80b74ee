/* The answers as one JSON object. Its keys are stable (manual, "explain"): new ones may be added. */
#include "cmd/answer.h"

#include "base/pool.h"
#include "diag/json.h"
#include "diag/visible.h"
#include "net/week.h"

static const char *const verdict_words[] = { "allow", "deny", "reject" };
static const char *const hook_words[] = { "input", "forward", "output" };
static const char *const state_words[] = { "new", "established", "related", "invalid", "untracked" };

struct json_answers {
	struct session *session;
	void *pool;
};

static void set_text(const struct json_answers *answers, json_t *object, const char *key, const char *words)
{
	json_set(answers->pool, object, key, words == NULL ? json_null() : json_text(answers->pool, words));
}

/* "place" and "statement"; null of what nobody wrote. */
static void set_origin(const struct json_answers *answers, json_t *object, struct span origin)
{
	struct text *statement = text_new(answers->pool);
	bool is_written = origin.source != SPAN_NONE.source;

	if (is_written)
		visible_add_first_line(statement, answers->session->sources, origin);
	set_text(answers, object, "place",
		 is_written ? span_place(answers->pool, answers->session->sources, origin) : NULL);
	set_text(answers, object, "statement", is_written ? statement->bytes : NULL);
}

static json_t *rule_of(const struct json_answers *answers, const struct identity *identity, struct span origin)
{
	json_t *object = json_object();

	set_text(answers, object, "id", identity_text(identity));
	set_origin(answers, object, origin);
	return object;
}

static json_t *forward_of(const struct json_answers *answers, const struct rule_translation *forward)
{
	json_t *object;

	if (forward == NULL)
		return json_null();
	object = json_object();
	set_origin(answers, object, forward->origin);
	return object;
}

static json_t *leaves_of(const struct json_answers *answers, const struct answer_decision *decision)
{
	const struct rule_translation *leaves = decision->leaves;
	struct text *address = text_new(answers->pool);
	bool is_masquerade;
	json_t *object;

	if (leaves == NULL)
		return json_null();
	object = json_object();
	is_masquerade = leaves->kind == TRANSLATION_MASQUERADE;
	if (!is_masquerade)
		address_format(address, &leaves->source->as[decision->packet.family]);
	set_text(answers, object, "kind", is_masquerade ? "masquerade" : "snat");
	set_text(answers, object, "address", is_masquerade ? NULL : address->bytes);
	set_origin(answers, object, leaves->origin);
	return object;
}

static json_t *tunnel_of(const struct json_answers *answers, const struct tunnel *tunnel)
{
	json_t *object;

	if (tunnel == NULL)
		return json_null();
	object = json_object();
	set_text(answers, object, "name", tunnel->name);
	set_origin(answers, object, tunnel->span);
	return object;
}

static json_t *near_of(const struct json_answers *answers, const struct answer_decision *decision)
{
	json_t *array = json_array();

	for (size_t index = 0; index < decision->near_count; index++) {
		const struct near_rule *near = &decision->near[index];
		json_t *object = rule_of(answers, near->rule->identity, near->rule->origin);
		struct text *why = text_new(answers->pool);

		near_format(why, near, &decision->packet);
		set_text(answers, object, "condition", near_condition_word(near->condition));
		set_text(answers, object, "why", why->bytes);
		json_add(answers->pool, array, object);
	}
	return array;
}

/* --- outputs ---------------------------------------------------------------------------------------- */

static json_t *table_output(const struct json_answers *answers, const struct nft_table *table,
			    const struct nft_path *path)
{
	json_t *object = json_object(), *steps = json_array();

	for (size_t index = 0; index < path->steps_count; index++) {
		const struct nft_step *step = &path->steps[index];
		struct text *element = text_new(answers->pool);
		json_t *row = json_object();

		if (step->map != NULL)
			nft_step_element(element, step);
		set_text(answers, row, "chain", step->chain->name);
		json_set(answers->pool, row, "rule", json_integer((json_int_t)step->rule + 1));
		set_text(answers, row, "map", step->map != NULL ? step->map->name : NULL);
		set_text(answers, row, "element", step->map != NULL ? element->bytes : NULL);
		json_add(answers->pool, steps, row);
	}
	set_text(answers, object, "target", "nft");
	set_text(answers, object, "table", table->name);
	json_set(answers->pool, object, "steps", steps);
	return object;
}

static json_t *lists_output(const struct json_answers *answers, const struct cisco_path *path)
{
	json_t *object = json_object(), *steps = json_array();

	for (size_t index = 0; index < path->steps_count; index++) {
		const struct cisco_step *step = &path->steps[index];
		json_t *row = json_object();

		set_text(answers, row, "direction", cisco_step_word(step->kind));
		set_text(answers, row, "interface", step->interface);
		set_text(answers, row, "list", step->list);
		json_set(answers->pool, row, "is_missing", json_boolean(step->is_missing));
		json_set(answers->pool, row, "is_permitted", json_boolean(step->is_permitted));
		json_set(answers->pool, row, "sequence",
			 step->entry != NULL ? json_integer((json_int_t)step->sequence) : json_null());
		set_text(answers, row, "entry", step->entry);
		json_add(answers->pool, steps, row);
	}
	set_text(answers, object, "target", "cisco-ios");
	json_set(answers->pool, object, "is_permitted", json_boolean(path->is_permitted));
	json_set(answers->pool, object, "steps", steps);
	return object;
}

static json_t *outputs_of(const struct json_answers *answers, const struct answer *answer,
			  const struct answer_outputs *outputs)
{
	json_t *array = json_array();

	if (outputs->has_table_path)
		json_add(answers->pool, array, table_output(answers, answer->table, &outputs->table_path));
	if (outputs->has_lists_path)
		json_add(answers->pool, array, lists_output(answers, &outputs->lists_path));
	return array;
}

/* --- all of it -------------------------------------------------------------------------------------- */

static json_t *decision_of(const struct json_answers *answers, const struct answer *answer,
			   const struct answer_decision *decision)
{
	json_t *object = json_object();
	struct text *packet = text_new(answers->pool), *time = text_new(answers->pool);

	week_format(time, decision->packet.minute * 60);
	packet_format(packet, &decision->packet);
	set_text(answers, object, "hook", hook_words[decision->hook]);
	set_text(answers, object, "verdict", verdict_words[decision->outcome->verdict]);
	json_set(answers->pool, object, "is_limited", json_boolean(decision->outcome->limit != NULL));
	json_set(answers->pool, object, "is_logged", json_boolean(decision->outcome->has_log));
	json_set(answers->pool, object, "rule", rule_of(answers, decision->identity, decision->origin));
	set_text(answers, object, "packet", packet->bytes);
	set_text(answers, object, "time", decision->is_timed ? time->bytes : NULL);
	json_set(answers->pool, object, "is_every", json_boolean(decision->is_every));
	json_set(answers->pool, object, "is_hop_limit_other", json_boolean(decision->is_hop_limit_other));
	json_set(answers->pool, object, "forward", forward_of(answers, decision->forward));
	json_set(answers->pool, object, "leaves", leaves_of(answers, decision));
	json_set(answers->pool, object, "tunnel", tunnel_of(answers, decision->tunnel));
	json_set(answers->pool, object, "outputs", outputs_of(answers, answer, &decision->outputs));
	json_set(answers->pool, object, "close", near_of(answers, decision));
	return object;
}

static json_t *always_of(const struct json_answers *answers, const struct answer *answer,
			 const struct answer_always *always)
{
	json_t *object = json_object();
	struct text *packet = text_new(answers->pool);

	packet_format(packet, &always->found->packet);
	set_text(answers, object, "hook", hook_words[always->found->hook]);
	set_text(answers, object, "why", answer_always_word(always->found->kind));
	json_set(answers->pool, object, "hop_limit", always->found->kind == EXPLAIN_DISCOVERY ?
		 json_integer(UINT8_MAX) : json_null());
	set_text(answers, object, "packet", packet->bytes);
	json_set(answers->pool, object, "outputs", outputs_of(answers, answer, &always->outputs));
	return object;
}

static json_t *answer_of(const struct json_answers *answers, const struct answer *answer)
{
	json_t *object = json_object(), *decisions = json_array(), *always = json_array();

	for (size_t index = 0; index < answer->always_count; index++)
		json_add(answers->pool, always, always_of(answers, answer, &answer->always[index]));
	for (size_t index = 0; index < answer->decisions_count; index++)
		json_add(answers->pool, decisions, decision_of(answers, answer, &answer->decisions[index]));
	set_text(answers, object, "device", answer->device != NULL ? answer->device->name : NULL);
	json_set(answers->pool, object, "is_compiled", json_boolean(answer->is_compiled));
	json_set(answers->pool, object, "always_passes", always);
	json_set(answers->pool, object, "decisions", decisions);
	return object;
}

static json_t *before_of(const struct json_answers *answers, const struct answer_before *before)
{
	json_t *object;

	if (before == NULL)
		return json_null();
	object = json_object();
	set_text(answers, object, "verdict", verdict_words[before->verdict]);
	set_text(answers, object, "why", before->why);
	return object;
}

void answers_json(struct text *out, const struct answers *answers)
{
	const struct json_answers json = { answers->session, out->pool };
	json_t *root = json_object(), *array = json_array();

	for (size_t index = 0; index < answers->items_count; index++)
		json_add(json.pool, array, answer_of(&json, &answers->items[index]));
	set_text(&json, root, "question", answers->question->words);
	set_text(&json, root, "state", state_words[answers->question->state]);
	json_set(json.pool, root, "before_rules",
		 before_of(&json, answer_before_rules(answers->question)));
	json_set(json.pool, root, "answers", array);
	json_finish(json.pool, out, root);
}
