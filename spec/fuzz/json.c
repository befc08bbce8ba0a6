/*
** Throws bytes at the JSON reader and writer and at the envelope, and checks
** what must hold for any bytes. With -DDSC_LIBFUZZER and clang's
** -fsanitize=fuzzer the bytes are libFuzzer's; otherwise
**   json SEED [ROUNDS]   mutates texts, the same ones for the same seed
**   json -               takes one text from standard input
*/
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/envelope.h"
#include "core/json.h"

#define REQUIRE(condition)                                                  \
  do {                                                                      \
    if (!(condition)) {                                                     \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);       \
      abort();                                                              \
    }                                                                       \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *allocate(void *ud, void *ptr, size_t old_size, size_t size) {
  (void)ud;
  (void)old_size;
  if (size != 0)
    return realloc(ptr, size);
  free(ptr);
  return NULL;
}

static const struct dsc_env env = {allocate, NULL, NULL, NULL};

static bool is_utf8(const char *text, size_t length) {
  const char *end = text + length;
  while (text < end) {
    size_t sequence = dsc_utf8_length(text, end);
    if (sequence == 0)
      return false;
    text += sequence;
  }
  return true;
}

/* Exactly as large as the token: a byte too many is seen by ASan. */
static void write_text(struct dsc_buf *out, const struct dsc_json *json) {
  char *plain = (char *)malloc(json->length != 0 ? json->length : 1);
  REQUIRE(plain != NULL);
  size_t length = dsc_json_unescape(plain, json->text, json->length);
  REQUIRE(length <= json->length);
  REQUIRE(json->escaped || length == json->length);
  REQUIRE(is_utf8(plain, length));
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

static void check_message(const struct dsc_envelope *envelope) {
  char message[64];
  for (size_t size = 1; size <= sizeof message; size++) {
    size_t length = dsc_envelope_message(envelope, message, size);
    REQUIRE(length < size);
    REQUIRE(message[length] == '\0');
    REQUIRE(is_utf8(message, length));
    for (size_t i = 0; i < length; i++)
      REQUIRE((unsigned char)message[i] >= ' ' && message[i] != 0x7F);
  }
}

static void check_envelope(const char *text, size_t length, bool valid) {
  struct dsc_envelope envelope;
  struct dsc_json json;
  dsc_json_init(&json, text, length);
  bool object = valid && dsc_json_next(&json) == DSC_JSON_OBJECT;
  REQUIRE(dsc_envelope_read(text, length, &envelope) == object);
  if (!object)
    return;
  check_message(&envelope);
  if (envelope.data != NULL) {
    REQUIRE(envelope.data >= text);
    REQUIRE(envelope.data + envelope.data_length <= text + length);
    dsc_json_init(&json, envelope.data, envelope.data_length);
    REQUIRE(dsc_json_skip(&json) != DSC_JSON_ERROR);
    REQUIRE(dsc_json_next(&json) == DSC_JSON_END);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct dsc_buf once, twice;
  /* a copy that ends where the text ends: reading on is seen by ASan */
  char *text = (char *)malloc(size != 0 ? size : 1);
  REQUIRE(text != NULL);
  if (size != 0)
    memcpy(text, data, size);
  dsc_buf_init(&once, &env, SIZE_MAX / 2);
  dsc_buf_init(&twice, &env, SIZE_MAX / 2);
  bool valid = rewrite(text, size, &once);
  if (valid) {
    REQUIRE(rewrite(once.data, once.length, &twice));
    REQUIRE(once.length == twice.length);
    REQUIRE(memcmp(once.data, twice.data, once.length) == 0);
  }
  check_envelope(text, size, valid);
  dsc_buf_free(&once);
  dsc_buf_free(&twice);
  free(text);
  return 0;
}

#ifndef DSC_LIBFUZZER

#define TEXT_MAX 4096

static const char *const texts[] = {
    "{\"code\":0,\"msg\":\"success\",\"data\":{\"totalList\":[{\"id\":7,"
    "\"projectCode\":183125606400064,\"state\":\"FAILURE\"},{}],"
    "\"total\":1.5e3}}",
    "[null,true,false,-0,0.1,1e300,1E-300,9223372036854775807,"
    "123456789012345678901234567890]",
    "{\"msg\":\"a\\u0000b\\n\\u00e9\\ud83d\\ude00\\\"\xC3\xA9\xE2\x82\xAC"
    "\xF0\x9F\x98\x80\",\"c\\u006fde\":-1,\"d\\u0061ta\":[[[[]]]]}",
};
static const char pieces[][8] = {
    "{",   "}",      "[",      "]",    "\"",   ",",   ":",   "\\",
    "\\u", "\\ud83d", "\\udc00", "null", "true", "0",   "-",   ".5",
    "e9",  "e-999",   "\xC3",    "\xA9", "\xED", "\xF4", "\x1F", "999999"};

static uint64_t random_state;

static size_t random_below(size_t bound) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (size_t)(random_state % bound);
}

/* Replaces some bytes at a random place with a piece. */
static size_t mutate(char *text, size_t length) {
  const char *piece = pieces[random_below(sizeof pieces / sizeof pieces[0])];
  size_t size = strlen(piece);
  size_t at = random_below(length + 1);
  size_t cut = random_below(4);
  if (cut > length - at)
    cut = length - at;
  if (length - cut + size > TEXT_MAX)
    return length;
  memmove(text + at + size, text + at + cut, length - at - cut);
  memcpy(text + at, piece, size);
  return length - cut + size;
}

static void run(uint64_t seed, unsigned long rounds) {
  char text[TEXT_MAX];
  random_state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
  for (unsigned long i = 0; i < rounds; i++) {
    const char *from = texts[random_below(sizeof texts / sizeof texts[0])];
    size_t length = strlen(from);
    memcpy(text, from, length);
    for (size_t n = random_below(6); n > 0; n--)
      length = mutate(text, length);
    LLVMFuzzerTestOneInput((const uint8_t *)text, length);
  }
}

int main(int argc, char **argv) {
  static uint8_t text[1 << 20];
  if (argc == 2 && strcmp(argv[1], "-") == 0) {
    LLVMFuzzerTestOneInput(text, fread(text, 1, sizeof text, stdin));
    return 0;
  }
  if (argc < 2) {
    fprintf(stderr, "usage: %s SEED [ROUNDS] | -\n", argv[0]);
    return 2;
  }
  run(strtoull(argv[1], NULL, 10),
      argc > 2 ? strtoul(argv[2], NULL, 10) : 100000);
  return 0;
}

#endif
