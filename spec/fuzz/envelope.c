/*
** An envelope is found in one well-formed JSON object and in nothing else;
** what it says of `data` and of the message lies within the text.
*/
#include <stdlib.h>

#include "core/envelope.h"
#include "core/json.h"
#include "harness.h"

#define MESSAGE_MAX 64

/* At each size that a reader may have room for. */
static void check_message(const struct dsc_envelope *envelope) {
  char message[MESSAGE_MAX];
  size_t before = 0;
  for (size_t size = 1; size <= sizeof message; size++) {
    size_t length = dsc_envelope_message(envelope, message, size);
    REQUIRE(length >= before && length < size);
    REQUIRE(message[length] == '\0');
    REQUIRE(fuzz_is_utf8(message, length));
    for (size_t i = 0; i < length; i++)
      REQUIRE((unsigned char)message[i] >= ' ' && message[i] != 0x7F);
    before = length;
  }
}

static bool is_object(const char *text, size_t length) {
  struct dsc_json json;
  dsc_json_init(&json, text, length);
  return dsc_json_skip(&json) == DSC_JSON_OBJECT &&
         dsc_json_next(&json) == DSC_JSON_END;
}

static void check_data(const struct dsc_envelope *envelope, const char *text,
                       size_t length) {
  struct dsc_json json;
  REQUIRE(envelope->data >= text);
  REQUIRE(envelope->data + envelope->data_length <= text + length);
  dsc_json_init(&json, envelope->data, envelope->data_length);
  enum dsc_json_token first = dsc_json_skip(&json);
  REQUIRE(first != DSC_JSON_ERROR && first != DSC_JSON_NULL);
  REQUIRE(dsc_json_next(&json) == DSC_JSON_END);
}

/* It is the same where its data was read before. */
static void check_known(const struct dsc_envelope *envelope, const char *text,
                        size_t size) {
  const struct dsc_known known = {envelope->data, envelope->data_length};
  struct dsc_envelope again;
  REQUIRE(dsc_envelope_read(text, size, known, &again));
  REQUIRE(again.has_code == envelope->has_code &&
          again.code == envelope->code && again.msg == envelope->msg &&
          again.msg_length == envelope->msg_length &&
          again.status == envelope->status && again.data == envelope->data &&
          again.data_length == envelope->data_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const struct dsc_known nothing = {NULL, 0};
  struct dsc_envelope envelope;
  char *text = fuzz_copy(data, size);
  bool read = dsc_envelope_read(text, size, nothing, &envelope);
  REQUIRE(read == is_object(text, size));
  if (read) {
    check_message(&envelope);
    if (envelope.data != NULL) {
      check_data(&envelope, text, size);
      check_known(&envelope, text, size);
    }
  }
  free(text);
  return 0;
}
