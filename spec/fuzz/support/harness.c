#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_broken(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
  abort();
}

char *fuzz_copy(const void *data, size_t length) {
  char *copy = (char *)malloc(length != 0 ? length : 1);
  REQUIRE(copy != NULL);
  if (length != 0)
    memcpy(copy, data, length);
  return copy;
}

/* Ends at the first NUL of the data, too, as a C string does. */
char *fuzz_text(const void *data, size_t length) {
  const char *nul = length != 0 ? (const char *)memchr(data, 0, length) : NULL;
  if (nul != NULL)
    length = (size_t)(nul - (const char *)data);
  char *copy = (char *)malloc(length + 1);
  REQUIRE(copy != NULL);
  if (length != 0)
    memcpy(copy, data, length);
  copy[length] = '\0';
  return copy;
}

uint32_t fuzz_below(struct fuzz_input *input, uint32_t bound) {
  uint32_t value = 0;
  for (int i = 0; i < (bound > 256 ? 2 : 1) && input->at < input->end; i++)
    value = value << 8 | *input->at++;
  return value % bound;
}

char *fuzz_line(struct fuzz_input *input) {
  size_t left = (size_t)(input->end - input->at);
  const uint8_t *from = input->at;
  const uint8_t *newline =
      left != 0 ? (const uint8_t *)memchr(from, '\n', left) : NULL;
  const uint8_t *end = newline != NULL ? newline : input->end;
  input->at = newline != NULL ? newline + 1 : input->end;
  return fuzz_text(from, (size_t)(end - from));
}

/* The length of the sequence at `at`, by the arithmetic of RFC 3629, 3. */
static size_t utf8_length(const unsigned char *at, size_t left) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t length = at[0] < 0x80 ? 1 : 2;
  uint32_t point = at[0];
  if (at[0] >= 0x80) {
    while (length <= 4 && (at[0] << length & 0x80) != 0)
      length++;
    point = at[0] & (0x7Fu >> length);
  }
  if (length > 4 || length > left || (at[0] & 0xC0) == 0x80)
    return 0;
  for (size_t i = 1; i < length; i++) {
    if ((at[i] & 0xC0) != 0x80)
      return 0;
    point = point << 6 | (at[i] & 0x3F);
  }
  bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  return point < least[length] || point > 0x10FFFF || surrogate ? 0 : length;
}

bool fuzz_is_utf8(const char *text, size_t length) {
  while (length > 0) {
    size_t sequence = utf8_length((const unsigned char *)text, length);
    if (sequence == 0)
      return false;
    text += sequence;
    length -= sequence;
  }
  return true;
}

static long blocks;
static size_t bytes;

static void *allocate(void *ud, void *ptr, size_t old_size, size_t size) {
  (void)ud;
  bytes += size - (ptr != NULL ? old_size : 0);
  if (size == 0) {
    blocks -= ptr != NULL;
    free(ptr);
    return NULL;
  }
  blocks += ptr == NULL;
  void *moved = realloc(ptr, size);
  REQUIRE(moved != NULL);
  return moved;
}

const struct dsc_env fuzz_memory = {allocate, NULL, NULL, NULL};

bool fuzz_memory_free(void) { return blocks == 0 && bytes == 0; }

static void *world_allocate(void *ud, void *ptr, size_t old_size,
                            size_t size) {
  struct fuzz_world *world = (struct fuzz_world *)ud;
  if (size != 0 && world->fails_in != 0 && --world->fails_in == 0)
    return NULL;
  return allocate(NULL, ptr, old_size, size);
}

static int64_t world_now_us(void *ud) {
  return ((struct fuzz_world *)ud)->now_us;
}

static uint64_t world_random(void *ud) { /* xorshift64 (Marsaglia 2003) */
  struct fuzz_world *world = (struct fuzz_world *)ud;
  world->random ^= world->random << 13;
  world->random ^= world->random >> 7;
  world->random ^= world->random << 17;
  return world->random;
}

void fuzz_world_init(struct fuzz_world *world) {
  struct dsc_env env = {world_allocate, world_now_us, world_random, world};
  world->env = env;
  world->now_us = 0;
  world->random = UINT64_C(0x9E3779B97F4A7C15);
  world->fails_in = 0;
}
