#include <stdio.h>
#include <time.h>

#include "lua/module.h"

static void *env_alloc(void *ud, void *ptr, size_t old_size, size_t size) {
  struct ldsc_env *env = (struct ldsc_env *)ud;
  return env->alloc(env->alloc_ud, ptr, old_size, size);
}

int64_t ldsc_now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t env_now_us(void *ud) {
  const struct ldsc_env *env = (const struct ldsc_env *)ud;
  return env->virtual_us >= 0 ? env->virtual_us : ldsc_now_us();
}

/* xorshift128+ (Vigna 2014): fast, and good enough for jitter. */
static uint64_t env_random(void *ud) {
  struct ldsc_env *env = (struct ldsc_env *)ud;
  uint64_t a = env->random[0];
  const uint64_t b = env->random[1];
  env->random[0] = b;
  a ^= a << 23;
  env->random[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
  return env->random[1] + b;
}

void ldsc_env_init_random(struct ldsc_env *env) {
  FILE *file = fopen("/dev/urandom", "rb");
  if (file == NULL ||
      fread(env->random, sizeof env->random, 1, file) != 1) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    env->random[0] = (uint64_t)now.tv_nsec * UINT64_C(0x9E3779B97F4A7C15);
    env->random[1] = (uint64_t)now.tv_sec ^ (uint64_t)(uintptr_t)env;
  }
  if (file != NULL)
    fclose(file);
  env->random[0] |= 1; /* all zero would stay so */
}

void ldsc_env_seed(struct ldsc_env *env, uint64_t number) {
  env->random[0] = number | 1;
  env->random[1] = number * UINT64_C(0x9E3779B97F4A7C15);
}

void ldsc_env_init(lua_State *L, struct ldsc_env *env) {
  env->env.alloc = env_alloc;
  env->env.now_us = env_now_us;
  env->env.random = env_random;
  env->env.ud = env;
  env->alloc = lua_getallocf(L, &env->alloc_ud);
  env->virtual_us = -1;
  ldsc_env_init_random(env);
}
