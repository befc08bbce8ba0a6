#include "core/buf.h"

#include <string.h>

#define FIRST_SIZE 256

void dsc_buf_init(struct dsc_buf *buf, const struct dsc_env *env,
                  size_t size_max) {
  buf->env = env;
  buf->data = NULL;
  buf->length = 0;
  buf->size = 0;
  buf->size_max = size_max;
  buf->starved = false;
}

void dsc_buf_free(struct dsc_buf *buf) {
  dsc_free(buf->env, buf->data, buf->size);
  buf->data = NULL;
  buf->length = 0;
  buf->size = 0;
}

bool dsc_buf_reserve(struct dsc_buf *buf, size_t extra) {
  if (extra <= buf->size - buf->length)
    return true;
  if (extra > buf->size_max - buf->length)
    return false;
  size_t size = buf->size != 0 ? buf->size : FIRST_SIZE;
  while (size - buf->length < extra && size <= buf->size_max / 2)
    size *= 2;
  if (size - buf->length < extra || size > buf->size_max)
    size = buf->size_max;
  char *data = (char *)dsc_realloc(buf->env, buf->data, buf->size, size);
  if (data == NULL) {
    buf->starved = true;
    return false;
  }
  buf->data = data;
  buf->size = size;
  return true;
}

bool dsc_buf_add(struct dsc_buf *buf, const void *data, size_t length) {
  if (!dsc_buf_reserve(buf, length))
    return false;
  if (length != 0)
    memcpy(buf->data + buf->length, data, length);
  buf->length += length;
  return true;
}

bool dsc_buf_add_byte(struct dsc_buf *buf, char byte) {
  return dsc_buf_add(buf, &byte, 1);
}

char *dsc_digits(char *end, uint64_t number) {
  do
    *--end = (char)('0' + number % 10);
  while ((number /= 10) != 0);
  return end;
}
