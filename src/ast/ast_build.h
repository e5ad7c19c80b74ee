/* Constructors of the tree: what the grammar's actions call, one each.
 *
 * Nodes are cut from an arena below the session's pool and live as long as it, or until program_drop_trees
 * (parse/parse.h); the texts of words live as long as the pool. Constructors
 * never fail but for memory (see base/pool.h). They report what the grammar cannot say:
 * blanks inside a literal, properties of unknown shape, definitions inside blocks. */
#ifndef FWC_AST_AST_BUILD_H
#define FWC_AST_AST_BUILD_H

#include "ast/ast.h"
#include "base/arena.h"
#include "diag/diag.h"

struct ast_builder {
	struct arena *arena; /* of the nodes */
	struct arena *texts; /* of what words say: what was resolved keeps it */
	struct diags *diags;
	struct ast_file *file;
	const char *bytes; /* of the source */
	/* definitions found inside blocks: reported, and kept so that their names are known */
	struct ast_statement *misplaced;
};

/* Lists while they grow: appending is O(1). */
struct ast_words {
	struct ast_word *first, *last;
};
struct ast_service_list {
	struct ast_service *first, *last;
};
struct ast_place_list {
	struct ast_place *first, *last;
};
struct ast_option_list {
	struct ast_option *first, *last;
};
struct ast_property_list {
	struct ast_property *first, *last;
};
struct ast_statement_list {
	struct ast_statement *first, *last;
};
/* the sides of a rule; NULL: not written */
struct ast_sides {
	struct ast_places *from, *to;
};
/* "10/second" */
struct ast_rate {
	struct ast_word *number, *unit;
};

struct ast_builder *ast_builder_new(void *pool, struct diags *diags, uint32_t source);
/* Zeroed bytes for a node. */
void *ast_node(struct ast_builder *builder, size_t size);

/* words */
struct ast_word *ast_word(struct ast_builder *builder, struct span span, enum ast_word_kind kind);
/* Of a token whose form the scanner may have reported. */
struct ast_word *ast_checked_word(struct ast_builder *builder, struct span span,
				  enum ast_word_kind kind, bool is_reported);
/* A name in quotes; may not be empty. */
struct ast_word *ast_quoted_name(struct ast_builder *builder, struct span span, bool is_reported);
struct ast_words ast_words_append(struct ast_words list, struct ast_word *word);
struct ast_words ast_words_append_comma(struct ast_words list, struct ast_word *word);
struct ast_words ast_words_join(struct ast_words left, struct ast_words right);
/* mon, wed 08:00-10:00: a pair for each day */
struct ast_words ast_schedule_group(struct ast_builder *builder, struct ast_words days,
				    struct ast_word *times);

/* services */
struct ast_service *ast_service_name(struct ast_builder *builder, struct ast_word *name);
struct ast_service *ast_service_any(struct ast_builder *builder, struct span span);
struct ast_service *ast_service_literal(struct ast_builder *builder, struct ast_word *ports,
					struct span slash, struct ast_word *protocol);
struct ast_service *ast_service_sport(struct ast_service *service, struct ast_word *ports);
struct ast_service_list ast_services_append(struct ast_service_list list,
					    struct ast_service *service);
struct ast_services ast_services(struct span span, struct ast_service_list items,
				 struct ast_service_list except);

/* places */
struct ast_place *ast_place(struct ast_builder *builder, enum ast_place_kind kind,
			    struct ast_word *word);
struct ast_place *ast_place_file(struct ast_builder *builder, struct span span,
				 struct ast_word *path, bool may_be_empty);
struct ast_place_list ast_places_append(struct ast_place_list list, struct ast_place *place);
struct ast_places *ast_places(struct ast_builder *builder, struct span span,
			      struct ast_place_list items, struct ast_place_list except);

/* options */
struct ast_option *ast_option(struct ast_builder *builder, enum ast_option_kind kind,
			      struct span span, struct ast_word *word);
struct ast_rate ast_rate(struct ast_builder *builder, struct ast_word *number, struct span slash,
			 struct ast_word *unit);
/* burst: NULL if not written */
struct ast_option *ast_limit(struct ast_builder *builder, struct span span, struct ast_rate rate,
			     struct ast_word *burst, bool is_per_source);
struct ast_option_list ast_options_append(struct ast_option_list list, struct ast_option *option);

/* properties */
struct ast_property *ast_property(struct ast_builder *builder, struct span span,
				  struct ast_word *key, struct ast_words words);
struct ast_property *ast_property_block(struct ast_builder *builder, struct span span,
					struct ast_word *key, struct ast_words words,
					struct ast_property_list children);
struct ast_property *ast_property_services(struct ast_builder *builder, struct span span,
					   struct ast_services services);
struct ast_property *ast_property_places(struct ast_builder *builder, struct span span,
					 struct ast_word *key, struct ast_places *left,
					 struct ast_places *right);
/* Extends the property to its ';'. */
struct ast_property *ast_property_end(struct ast_property *property, struct span end);
/* property may be NULL: nothing was written. */
struct ast_property_list ast_properties_append(struct ast_property_list list,
					       struct ast_property *property);

/* statements */
struct ast_statement *ast_policy(struct ast_builder *builder, struct span span,
				 struct ast_word *name, struct ast_word *version);
struct ast_statement *ast_include(struct ast_builder *builder, struct span span,
				  struct ast_word *path);
struct ast_statement *ast_service_list_def(struct ast_builder *builder, struct span span,
					   struct ast_word *name, struct ast_word *description,
					   struct ast_services services);
struct ast_statement *ast_service_block_def(struct ast_builder *builder, struct span span,
					    struct ast_word *name, struct ast_word *description,
					    struct ast_property_list properties);
struct ast_statement *ast_override(struct ast_statement *service, struct span span);
struct ast_statement *ast_extend_tag(struct ast_builder *builder, struct span span,
				     struct ast_word *name);
/* kind: HOST, NETWORK, GROUP */
struct ast_statement *ast_place_def(struct ast_builder *builder, enum ast_kind kind,
				    struct span span, struct ast_word *name,
				    struct ast_places *places);
struct ast_statement *ast_zone(struct ast_builder *builder, struct span span,
			       struct ast_word *name, struct ast_property_list properties);
struct ast_statement *ast_schedule(struct ast_builder *builder, struct span span,
				   struct ast_word *name, struct ast_words spans);
struct ast_statement *ast_timezone(struct ast_builder *builder, struct span span,
				   struct ast_word *offset);
struct ast_statement *ast_rule(struct ast_builder *builder, struct span span,
			       struct span verdict_span, enum ast_verdict verdict,
			       struct ast_services services, struct ast_sides sides,
			       struct ast_option_list options);
struct ast_statement *ast_block(struct ast_builder *builder, struct span span,
				struct ast_sides sides, struct span open,
				struct ast_statement_list body, struct span close);
struct ast_statement *ast_default(struct ast_builder *builder, struct span span,
				  struct ast_word *hook, enum ast_verdict verdict,
				  struct ast_option_list options);
/* kind: MASQUERADE or SNAT; as: NULL for MASQUERADE */
struct ast_statement *ast_source_nat(struct ast_builder *builder, enum ast_kind kind,
				     struct span span, struct ast_sides sides,
				     struct ast_word *as, struct ast_option_list options);
struct ast_statement *ast_forward(struct ast_builder *builder, struct span span,
				  struct ast_services services, struct ast_places *from,
				  struct ast_word *at, struct ast_word *host,
				  struct ast_word *port);
struct ast_statement *ast_forward_options(struct ast_statement *forward, struct span span,
					  struct ast_option_list options);
struct ast_statement *ast_device(struct ast_builder *builder, struct span span,
				 struct ast_word *name, struct ast_property_list properties);
struct ast_statement *ast_tunnel(struct ast_builder *builder, struct span span,
				 struct ast_word *name, struct ast_property_list properties);
/* kind and services of rule's shape; ast_assert_about makes a rule a claim */
struct ast_statement *ast_assert(struct ast_builder *builder, struct span span,
				 enum ast_assert_kind kind, struct span verdict_span,
				 struct ast_services services, struct ast_sides sides,
				 struct ast_option_list options);
struct ast_statement *ast_assert_about(struct ast_statement *rule, struct span span);
struct ast_statement *ast_expect(struct ast_builder *builder, struct span span,
				 struct ast_word *finding, struct ast_word *because);

/* Extends the statement to its ';'. */
struct ast_statement *ast_statement_end(struct ast_statement *statement, struct span end);
/* statement may be NULL: nothing, or a mistake. */
struct ast_statement_list ast_statements_append(struct ast_statement_list list,
						struct ast_statement *statement);
/* A definition of the name at the span could not be read. */
void ast_lose_name(struct ast_builder *builder, struct span span);
/* The file is whole. */
void ast_finish(struct ast_builder *builder, struct ast_statement_list statements);

/* "service", "a rule": what a statement of the kind is called in messages. */
const char *ast_kind_name(enum ast_kind kind);

#endif
