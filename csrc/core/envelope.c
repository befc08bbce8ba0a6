#include "core/envelope.h"

#include <string.h>

#include "core/json.h"

/* A key that is longer even when escaped throughout is none of ours. */
#define KEY_MAX (sizeof "status" * sizeof "\\u0000")

static bool is_key(const struct dsc_json *json, const char *name) {
  char plain[KEY_MAX];
  const char *text = json->text;
  size_t length = json->length;
  if (length > sizeof plain)
    return false;
  if (json->escaped) {
    length = dsc_json_unescape(plain, text, length);
    text = plain;
  }
  return length == strlen(name) && memcmp(text, name, length) == 0;
}

static bool read_code(struct dsc_json *json, struct dsc_envelope *out) {
  enum dsc_json_token token = dsc_json_skip(json);
  out->has_code = token == DSC_JSON_INTEGER &&
                  dsc_json_integer(json->text, json->length, &out->code);
  return token != DSC_JSON_ERROR;
}

static bool read_text(struct dsc_json *json, const char **text,
                      size_t *length) {
  enum dsc_json_token token = dsc_json_skip(json);
  bool string = token == DSC_JSON_STRING;
  *text = string ? json->text + 1 : NULL;
  *length = string ? json->length - 2 : 0;
  return token != DSC_JSON_ERROR;
}

static bool read_data(struct dsc_json *json, struct dsc_known known,
                      struct dsc_envelope *out) {
  if (known.at != NULL && dsc_json_pass(json, known.at, known.length)) {
    out->data = known.at;
    out->data_length = known.length;
    return true;
  }
  enum dsc_json_token token = dsc_json_skip(json);
  bool value = token != DSC_JSON_NULL;
  out->data = value ? json->text : NULL;
  out->data_length = value ? json->length : 0;
  return token != DSC_JSON_ERROR;
}

bool dsc_envelope_read(const char *text, size_t length, struct dsc_known known,
                       struct dsc_envelope *out) {
  struct dsc_json json;
  memset(out, 0, sizeof *out);
  dsc_json_init(&json, text, length);
  if (dsc_json_next(&json) != DSC_JSON_OBJECT)
    return false;
  while (dsc_json_next(&json) == DSC_JSON_KEY) {
    bool read;
    if (is_key(&json, "code"))
      read = read_code(&json, out);
    else if (is_key(&json, "msg"))
      read = read_text(&json, &out->msg, &out->msg_length);
    else if (is_key(&json, "status"))
      read = read_text(&json, &out->status, &out->status_length);
    else if (is_key(&json, "data"))
      read = read_data(&json, known, out);
    else
      read = dsc_json_skip(&json) != DSC_JSON_ERROR;
    if (!read)
      return false;
  }
  /* a malformed key ends the loop as the closing brace does */
  return dsc_json_next(&json) == DSC_JSON_END;
}

/* The length of the character at `at`: an escape or a UTF-8 sequence. */
static size_t character_length(const char *at, const char *end) {
  if (*at != '\\')
    return dsc_utf8_length(at, end);
  if (at[1] != 'u')
    return 2;
  bool pair = (at[2] == 'd' || at[2] == 'D') && strchr("89abAB", at[3]) != NULL;
  return pair ? 12 : 6;
}

/* Terminals obey the C0 controls, DEL, and the C1 controls (U+0080–009F). */
static bool is_control(const char *text, size_t length) {
  unsigned char byte = (unsigned char)text[0];
  if (length == 2)
    return byte == 0xC2 && (unsigned char)text[1] < 0xA0;
  return length == 1 && (byte < ' ' || byte == 0x7F);
}

size_t dsc_envelope_message(const struct dsc_envelope *envelope, char *out,
                            size_t size) {
  size_t written = 0;
  const char *at = envelope->msg;
  const char *end = at != NULL ? at + envelope->msg_length : NULL;
  while (at != end) {
    char plain[sizeof "\\ud800\\udc00"];
    size_t raw = character_length(at, end);
    size_t length = dsc_json_unescape(plain, at, raw);
    if (is_control(plain, length)) {
      plain[0] = ' ';
      length = 1;
    }
    if (written + length >= size)
      break;
    memcpy(out + written, plain, length);
    written += length;
    at += raw;
  }
  out[written] = '\0';
  return written;
}
