/*
** What the fuzz targets share. A target is LLVMFuzzerTestOneInput: it gets any
** bytes, and aborts where something does not hold that must hold for all.
** clang's libFuzzer looks for such bytes, replay.c runs those of the corpus.
*/
#ifndef DSC_FUZZ_HARNESS_H
#define DSC_FUZZ_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env.h"

#define REQUIRE(condition)                                                  \
  do {                                                                      \
    if (!(condition))                                                       \
      fuzz_broken(__FILE__, __LINE__, #condition);                          \
  } while (0)
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void fuzz_broken(const char *file, int line, const char *what);

/*
** A copy in memory that ends where the text ends, so that reading on is seen
** by ASan; fuzz_text adds a NUL. To be freed.
*/
char *fuzz_copy(const void *data, size_t length);
char *fuzz_text(const void *data, size_t length);

/* What is left of an input. */
struct fuzz_input {
  const uint8_t *at, *end;
};

/* A number below bound, which is 65536 at most, from the next byte or two; 0
** behind the last. */
uint32_t fuzz_below(struct fuzz_input *input, uint32_t bound);

/* The next line without its end, as a text to be freed; "" behind the last. */
char *fuzz_line(struct fuzz_input *input);

/* By a reader of its own, not the core's. */
bool fuzz_is_utf8(const char *text, size_t length);

/*
** Memory that is counted: a target ends with no block and no byte of it. It
** has neither clock nor chance.
*/
extern const struct dsc_env fuzz_memory;
bool fuzz_memory_free(void);

/* The same with a clock that moves when told, the same random numbers each
** time, and allocations that fail. */
struct fuzz_world {
  struct dsc_env env;
  int64_t now_us;
  uint64_t random;
  uint32_t fails_in; /* so many allocations on, one fails; 0: none does */
};

void fuzz_world_init(struct fuzz_world *world);

#endif
