/* What all unit tests share: running suites, a session for each test, random numbers. */
#ifndef FWC_TESTS_UNIT_H
#define FWC_TESTS_UNIT_H

#include <check.h>
#include <stdint.h>

/* Runs the suites that the functions make (NULL ends the list), prints Check's summary and
 * the seed; gives the exit status of main. */
int unit_run(Suite *(*const *suites)(void));

/* A test case whose tests each have a session of their own: see unit_pool. */
TCase *unit_case(Suite *suite, const char *name);
/* The session of the running test. */
void *unit_pool(void);

/* A generator that is seeded anew, with the seed of the run, for each test. */
uint64_t unit_random(void);
/* 0 .. limit - 1 */
unsigned unit_below(unsigned limit);

#endif
