/* What all unit tests share: running suites, a session for each test, random numbers. */
#ifndef FWC_TESTS_UNIT_H
#define FWC_TESTS_UNIT_H

#include <check.h>
#include <stdint.h>

#include "base/sanitized.h"

/* Runs the suites that the functions make (NULL ends the list), prints Check's summary and
 * the seed; gives the exit status of main. */
int unit_run(Suite *(*const *suites)(void));

/* A test case whose tests each have a session of their own: see unit_pool. */
TCase *unit_case(Suite *suite, const char *name);
/* The session of the running test. */
void *unit_pool(void);

/* A generator that is seeded anew for each test and each round of a loop test: with the seed of the run, and
 * the round's number. */
uint64_t unit_random(void);
void unit_begin_round(int round);
/* 0 .. limit - 1 */
unsigned unit_below(unsigned limit);

/* Rounds of a law that asks random questions: a quarter of them under the sanitizers, which look at memory, not at
 * meaning; the plain build makes all. */
#ifdef BASE_IS_SANITIZED
#define UNIT_ROUNDS(plain) (((plain) + 3) / 4)
#else
#define UNIT_ROUNDS(plain) (plain)
#endif
#define unit_add_law(test_case, test, rounds) tcase_add_loop_test(test_case, test, 0, UNIT_ROUNDS(rounds))

/* Check's, for a test that begins its round first: each round of a law asks about something else. */
#undef START_TEST
#define START_TEST(name)                                                                     \
	static void name##_body(int _i CK_ATTRIBUTE_UNUSED);                                     \
	static void name##_fn(int _i)                                                            \
	{                                                                                        \
		unit_begin_round(_i);                                                            \
		name##_body(_i);                                                                 \
	}                                                                                        \
	static const TTest name##_ttest = { "" #name, name##_fn, __FILE__, __LINE__ };           \
	static const TTest *name = &name##_ttest;                                                \
	static void name##_body(int _i CK_ATTRIBUTE_UNUSED)

#endif
