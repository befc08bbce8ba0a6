/*
** A JSON text that is read can be written again, token by token, and what was
** written is read as the same: whatever the bytes, nothing is read behind
** them.
*/
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "harness.h"

/* Exactly as large as the token: a byte too many is seen by ASan. */
static void write_text(struct dsc_buf *out, const struct dsc_json *json) {
  char *plain = fuzz_copy(json->text, json->length);
  size_t length = dsc_json_unescape(plain, json->text, json->length);
  REQUIRE(length <= json->length);
  REQUIRE(json->escaped || length == json->length);
  REQUIRE(fuzz_is_utf8(plain, length));
  REQUIRE(dsc_json_add_string(out, plain, length) == DSC_JSON_WRITTEN);
  free(plain);
}

static void write_number(struct dsc_buf *out, const struct dsc_json *json) {
  int64_t integer;
  double number = dsc_json_number(json->text, json->length);
  bool fits = dsc_json_integer(json->text, json->length, &integer);
  REQUIRE(!isnan(number));
  if (fits) {
    REQUIRE((double)integer == number);
    REQUIRE(dsc_json_add_integer(out, integer) == DSC_JSON_WRITTEN);
  } else if (isfinite(number)) {
    REQUIRE(dsc_json_add_number(out, number) == DSC_JSON_WRITTEN);
  } else {
    REQUIRE(dsc_json_add_number(out, number) == DSC_JSON_NO_NUMBER);
    dsc_buf_add_byte(out, '0');
  }
}

static void write_fraction(struct dsc_buf *out, const struct dsc_json *json) {
  double number = dsc_json_number(json->text, json->length);
  size_t from = out->length;
  if (!isfinite(number)) {
    dsc_buf_add_byte(out, '0');
    return;
  }
  REQUIRE(dsc_json_add_number(out, number) == DSC_JSON_WRITTEN);
  REQUIRE(dsc_json_number(out->data + from, out->length - from) == number);
}

static void write_token(struct dsc_buf *out, const struct dsc_json *json,
                        enum dsc_json_token token) {
  static const char *const plain[] = {
      [DSC_JSON_OBJECT] = "{", [DSC_JSON_OBJECT_END] = "}",
      [DSC_JSON_ARRAY] = "[",  [DSC_JSON_ARRAY_END] = "]",
      [DSC_JSON_TRUE] = "true", [DSC_JSON_FALSE] = "false",
      [DSC_JSON_NULL] = "null"};
  if (token == DSC_JSON_KEY || token == DSC_JSON_STRING)
    write_text(out, json);
  else if (token == DSC_JSON_INTEGER)
    write_number(out, json);
  else if (token == DSC_JSON_NUMBER)
    write_fraction(out, json);
  else
    dsc_buf_add(out, plain[token], strlen(plain[token]));
}

/* Writes the text again, token by token; false where it is malformed. */
static bool rewrite(const char *text, size_t length, struct dsc_buf *out) {
  struct dsc_json json;
  enum dsc_json_token token, before = DSC_JSON_OBJECT;
  dsc_json_init(&json, text, length);
  for (;;) {
    token = dsc_json_next(&json);
    REQUIRE(json.at >= text && json.at <= text + length);
    REQUIRE(json.depth <= DSC_JSON_DEPTH_MAX);
    if (token == DSC_JSON_ERROR || token == DSC_JSON_END)
      break;
    bool closes = token == DSC_JSON_OBJECT_END || token == DSC_JSON_ARRAY_END;
    bool first = before == DSC_JSON_OBJECT || before == DSC_JSON_ARRAY;
    if (before == DSC_JSON_KEY)
      dsc_buf_add_byte(out, ':');
    else if (!closes && !first)
      dsc_buf_add_byte(out, ',');
    write_token(out, &json, token);
    before = token;
  }
  REQUIRE(dsc_json_next(&json) == token);
  REQUIRE((token == DSC_JSON_ERROR) == (json.reason != NULL));
  return token == DSC_JSON_END;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct dsc_buf once, twice;
  char *text = fuzz_copy(data, size);
  dsc_buf_init(&once, &fuzz_memory, SIZE_MAX / 2);
  dsc_buf_init(&twice, &fuzz_memory, SIZE_MAX / 2);
  if (rewrite(text, size, &once)) {
    REQUIRE(rewrite(once.data, once.length, &twice));
    REQUIRE(once.length == twice.length);
    REQUIRE(memcmp(once.data, twice.data, once.length) == 0);
  }
  dsc_buf_free(&once);
  dsc_buf_free(&twice);
  REQUIRE(fuzz_memory_free());
  free(text);
  return 0;
}
