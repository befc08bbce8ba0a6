#include "core/env.h"

void *dsc_alloc(const struct dsc_env *env, size_t size) {
  return env->alloc(env->ud, NULL, 0, size);
}

void *dsc_realloc(const struct dsc_env *env, void *ptr, size_t old_size,
                  size_t size) {
  return env->alloc(env->ud, ptr, old_size, size);
}

void dsc_free(const struct dsc_env *env, void *ptr, size_t size) {
  if (ptr != NULL)
    env->alloc(env->ud, ptr, size, 0);
}

int64_t dsc_now_us(const struct dsc_env *env) { return env->now_us(env->ud); }

double dsc_random(const struct dsc_env *env) {
  /* the 53 bits that a double holds */
  return (double)(env->random(env->ud) >> 11) * (1.0 / 9007199254740992.0);
}
