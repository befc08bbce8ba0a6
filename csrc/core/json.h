/*
** JSON (RFC 8259), strict: what a lenient reader would guess at is refused.
** The reader pulls tokens out of bytes that stay where they are; it neither
** allocates nor recurses. The writer appends to a dsc_buf.
*/
#ifndef DSC_JSON_H
#define DSC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"

/* Containers inside each other; real answers reach about ten. */
#define DSC_JSON_DEPTH_MAX 100

enum dsc_json_token {
  DSC_JSON_ERROR,
  DSC_JSON_END, /* one whole value was read, and nothing follows it */
  DSC_JSON_OBJECT,
  DSC_JSON_OBJECT_END,
  DSC_JSON_ARRAY,
  DSC_JSON_ARRAY_END,
  DSC_JSON_KEY,
  DSC_JSON_STRING,
  DSC_JSON_INTEGER, /* a number without fraction and exponent */
  DSC_JSON_NUMBER,
  DSC_JSON_TRUE,
  DSC_JSON_FALSE,
  DSC_JSON_NULL
};

struct dsc_json {
  /* of a key or string, inside the quotes; of a number, its digits */
  const char *text;
  size_t length;
  bool escaped;       /* text has escapes: see dsc_json_unescape */
  const char *reason; /* of an error; it was found at `at` */
  const char *at, *end;
  uint32_t depth;
  uint8_t expected;
  /* one bit a level: is it an object? */
  uint64_t objects[(DSC_JSON_DEPTH_MAX + 64) / 64];
};

void dsc_json_init(struct dsc_json *json, const char *text, size_t length);

/* The next token. END and ERROR come again and again. */
enum dsc_json_token dsc_json_next(struct dsc_json *json);

/*
** Reads over the value that comes next, all of it; text and length are then
** its bytes. Returns its first token, ERROR where the value is malformed.
*/
enum dsc_json_token dsc_json_skip(struct dsc_json *json);

/*
** The same where the value that comes next is the one that stands there, has
** this length and is known to be well-formed; false, and nothing is read, where
** another one comes.
*/
bool dsc_json_pass(struct dsc_json *json, const char *value, size_t length);

/*
** The text of a string token without its escapes, into room for `length`
** bytes. Returns how many it wrote, never more than `length`.
*/
size_t dsc_json_unescape(char *out, const char *text, size_t length);

/* The value of an INTEGER; false when it does not fit. */
bool dsc_json_integer(const char *text, size_t length, int64_t *value);

/* The double nearest to an INTEGER or NUMBER; may be infinite. */
double dsc_json_number(const char *text, size_t length);

/* Why nothing was written; nothing half-written counts. */
enum dsc_json_written {
  DSC_JSON_WRITTEN,
  DSC_JSON_FULL,     /* the buffer's maximum, or no memory */
  DSC_JSON_NO_UTF8,  /* the string is not UTF-8 */
  DSC_JSON_NO_NUMBER /* NaN and the infinities have no form */
};

enum dsc_json_written dsc_json_add_string(struct dsc_buf *buf,
                                          const char *text, size_t length);
enum dsc_json_written dsc_json_add_integer(struct dsc_buf *buf,
                                           int64_t value);
/*
** The shortest digits that read back as the same double. Integral values
** below 2^53 are written as integers, larger ones never look like one.
*/
enum dsc_json_written dsc_json_add_number(struct dsc_buf *buf, double value);

/*
** The length of the UTF-8 sequence at `at`, 0 where there is none: overlong
** forms, surrogates and what lies above U+10FFFF are none (RFC 3629).
*/
size_t dsc_utf8_length(const char *at, const char *end);

#endif
