#include <pthread.h>

#include "lua/fork.h"

/* Memory that came here by a fork has a lower one. */
static uint32_t generation = 1;

static void count_fork(void) { generation++; }

/* When the module is loaded, for all Lua states of the process. */
__attribute__((constructor)) static void watch_forks(void) {
  pthread_atfork(NULL, NULL, count_fork);
}

uint32_t ldsc_generation(void) { return generation; }
