/*
** The frame around every answer, {"code", "msg", "data", …}, read without
** building anything: a failure is judged before a value is made of it.
*/
#ifndef DSC_ENVELOPE_H
#define DSC_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dsc_envelope {
  bool has_code; /* `code` is there and is an integer */
  int64_t code;
  /* inside the quotes, escapes and all; NULL where it is no string */
  const char *msg;
  size_t msg_length;
  /* of a document without code: "SUCCESS", or what went wrong; as msg */
  const char *status;
  size_t status_length;
  /* the bytes of the value; NULL where it is null or absent */
  const char *data;
  size_t data_length;
};

/* A value in the text that was read before, and is well-formed and not null. */
struct dsc_known {
  const char *at; /* NULL: there is none */
  size_t length;
};

/* False where the text is not one well-formed JSON object. */
bool dsc_envelope_read(const char *text, size_t length, struct dsc_known known,
                       struct dsc_envelope *out);

/*
** The message for people: without escapes, control characters as spaces, cut
** between characters so that it fits `out` with a NUL at its end. Returns
** its length.
*/
size_t dsc_envelope_message(const struct dsc_envelope *envelope, char *out,
                            size_t size);

#endif
