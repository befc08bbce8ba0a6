/*
** Growable bytes with a mandatory maximum. An append that would pass the
** maximum, or finds no memory, changes nothing and returns false.
*/
#ifndef DSC_BUF_H
#define DSC_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env.h"

struct dsc_buf {
  const struct dsc_env *env;
  char *data;
  size_t length;
  size_t size;
  size_t size_max;
  bool starved; /* an append found no memory, not its maximum */
};

void dsc_buf_init(struct dsc_buf *buf, const struct dsc_env *env,
                  size_t size_max);
void dsc_buf_free(struct dsc_buf *buf);

/* Room for `extra` more bytes; data + length is where they go. */
bool dsc_buf_reserve(struct dsc_buf *buf, size_t extra);
bool dsc_buf_add(struct dsc_buf *buf, const void *data, size_t length);
bool dsc_buf_add_byte(struct dsc_buf *buf, char byte);

/* The digits of a 64-bit number, at most. */
#define DSC_DIGITS_MAX 20
/* Writes the decimal digits of a number so that they end before `end`; where
** they begin. */
char *dsc_digits(char *end, uint64_t number);

#endif
