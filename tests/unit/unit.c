/* What all unit tests share. The state below is the test programs' own: libfwc has none. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/pool.h"

/* Seconds: long enough for a slow, busy machine under the sanitizers; a test that takes them hangs. */
enum { HANGS_AFTER = 600 };

static uint64_t seed;
static uint64_t random_state;
static struct pool_trap *session;

static void begin_test(void)
{
	session = pool_session_new();
	ck_assert_ptr_nonnull(session);
	unit_begin_round(0);
}

static void end_test(void)
{
	talloc_free(session);
	session = NULL;
}

TCase *unit_case(Suite *suite, const char *name)
{
	TCase *test_case = tcase_create(name);
	tcase_add_checked_fixture(test_case, begin_test, end_test);
	tcase_set_timeout(test_case, HANGS_AFTER);
	suite_add_tcase(suite, test_case);
	return test_case;
}

void *unit_pool(void)
{
	return session;
}

/* seeds that are beside each other begin rounds that are not */
void unit_begin_round(int round)
{
	random_state = seed ^ ((uint64_t)round << 32);
}

/* splitmix64 */
uint64_t unit_random(void)
{
	uint64_t mixed = random_state += 0x9e3779b97f4a7c15u;
	mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
	return mixed ^ (mixed >> 31);
}

unsigned unit_below(unsigned limit)
{
	return (unsigned)(unit_random() % limit);
}

int unit_run(Suite *(*const *suites)(void))
{
	const char *wanted = getenv("FWC_TEST_SEED");
	seed = wanted != NULL ? strtoull(wanted, NULL, 10) : (uint64_t)time(NULL);
	printf("FWC_TEST_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	SRunner *runner = srunner_create(NULL);
	for (; *suites != NULL; suites++)
		srunner_add_suite(runner, (*suites)());
	srunner_run_all(runner, CK_NORMAL);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
