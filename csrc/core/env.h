/*
** The seam between the policy and the world: memory, time and chance come in
** here and nowhere else, so that a test can starve, rewind and replay it.
*/
#ifndef DSC_ENV_H
#define DSC_ENV_H

#include <stddef.h>
#include <stdint.h>

struct dsc_env {
  /* As lua_Alloc: frees when size is 0, returns NULL when it can't. */
  void *(*alloc)(void *ud, void *ptr, size_t old_size, size_t size);
  /* A clock that never goes back, in microseconds. */
  int64_t (*now_us)(void *ud);
  /* 64 random bits; not for secrets. */
  uint64_t (*random)(void *ud);
  void *ud;
};

void *dsc_alloc(const struct dsc_env *env, size_t size);
void *dsc_realloc(const struct dsc_env *env, void *ptr, size_t old_size,
                  size_t size);
void dsc_free(const struct dsc_env *env, void *ptr, size_t size);
int64_t dsc_now_us(const struct dsc_env *env);

/* A number in [0, 1). */
double dsc_random(const struct dsc_env *env);

#endif
