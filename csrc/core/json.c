#include "core/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE, FIRST_VALUE, KEY, FIRST_KEY, AFTER_VALUE, FAILED };

/* An integer that is larger is no longer exact in a double. */
#define EXACT_MAX 9007199254740992.0

/* --- text -------------------------------------------------------------- */

static bool continues(unsigned char byte) { return (byte & 0xC0) == 0x80; }

size_t dsc_utf8_length(const char *at, const char *end) {
  const unsigned char *byte = (const unsigned char *)at;
  size_t left = (size_t)(end - at);
  if (left >= 1 && byte[0] < 0x80)
    return 1;
  if (left >= 2 && byte[0] >= 0xC2 && byte[0] <= 0xDF && continues(byte[1]))
    return 2;
  if (left >= 3 && (byte[0] & 0xF0) == 0xE0 && continues(byte[1]) &&
      continues(byte[2]) && (byte[0] != 0xE0 || byte[1] >= 0xA0) &&
      (byte[0] != 0xED || byte[1] < 0xA0))
    return 3;
  if (left >= 4 && byte[0] >= 0xF0 && byte[0] <= 0xF4 &&
      continues(byte[1]) && continues(byte[2]) && continues(byte[3]) &&
      (byte[0] != 0xF0 || byte[1] >= 0x90) &&
      (byte[0] != 0xF4 || byte[1] < 0x90))
    return 4;
  return 0;
}

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* Eight bytes, the first one lowest. */
static uint64_t word_at(const char *at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

static bool is_plain(char c) {
  return (unsigned char)c >= ' ' && c != '"' && c != '\\' &&
         (unsigned char)c < 0x80;
}

/*
** The first byte that needs a look: a quote, a backslash, a control character
** or a part of a longer UTF-8 sequence. Eight bytes at a time: a borrow can
** only raise a false alarm above a true one, and the lowest counts.
*/
static const char *plain_text_end(const char *at, const char *end) {
  while (end - at >= 8) {
    uint64_t word = word_at(at);
    uint64_t alarm = word | (word - EACH_BYTE(' ')) |
                     ((word ^ EACH_BYTE('"')) - EACH_BYTE(1)) |
                     ((word ^ EACH_BYTE('\\')) - EACH_BYTE(1));
    alarm &= EACH_BYTE(0x80);
    if (alarm != 0)
      return at + __builtin_ctzll(alarm) / 8;
    at += 8;
  }
  while (at < end && is_plain(*at))
    at++;
  return at;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/* The four digits after `\u`, or -1. */
static int32_t code_unit(const char *at, const char *end) {
  if (end - at < 4)
    return -1;
  int32_t unit = 0;
  for (int i = 0; i < 4; i++) {
    int digit = hex_digit(at[i]);
    if (digit < 0)
      return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

static bool is_high_surrogate(int32_t unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(int32_t unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* The byte that follows a backslash, and the one that both stand for. */
static const char escapes[][2] = {{'"', '"'},  {'\\', '\\'}, {'/', '/'},
                                  {'b', '\b'}, {'f', '\f'},  {'n', '\n'},
                                  {'r', '\r'}, {'t', '\t'}};
#define ESCAPES (sizeof escapes / sizeof escapes[0])

static size_t escape_index(char c) {
  size_t i = 0;
  while (i < ESCAPES && escapes[i][0] != c)
    i++;
  return i;
}

/* The length of the escape at `at`, or 0; a surrogate pair is one escape. */
static size_t escape_length(const char *at, const char *end) {
  if (end - at < 2)
    return 0;
  if (at[1] != 'u')
    return escape_index(at[1]) < ESCAPES ? 2 : 0;
  int32_t unit = code_unit(at + 2, end);
  if (unit < 0 || is_low_surrogate(unit))
    return 0;
  if (!is_high_surrogate(unit))
    return 6;
  if (end - at < 12 || at[6] != '\\' || at[7] != 'u')
    return 0;
  return is_low_surrogate(code_unit(at + 8, end)) ? 12 : 0;
}

static char *put_utf8(char *out, uint32_t point) {
  if (point < 0x80) {
    *out++ = (char)point;
    return out;
  }
  int shift = point < 0x800 ? 6 : point < 0x10000 ? 12 : 18;
  static const unsigned char lead[] = {0xC0, 0xE0, 0xF0};
  *out++ = (char)(lead[shift / 6 - 1] | (point >> shift));
  while (shift > 0) {
    shift -= 6;
    *out++ = (char)(0x80 | ((point >> shift) & 0x3F));
  }
  return out;
}

size_t dsc_json_unescape(char *out, const char *text, size_t length) {
  const char *end = text + length;
  char *to = out;
  while (text < end) {
    const char *escape = (const char *)memchr(text, '\\', (size_t)(end - text));
    size_t plain = (size_t)((escape != NULL ? escape : end) - text);
    memcpy(to, text, plain);
    to += plain;
    text += plain;
    if (escape == NULL)
      break;
    if (text[1] != 'u') {
      *to++ = escapes[escape_index(text[1])][1];
      text += 2;
      continue;
    }
    uint32_t point = (uint32_t)code_unit(text + 2, end);
    text += 6;
    if (is_high_surrogate((int32_t)point)) {
      uint32_t low = (uint32_t)code_unit(text + 2, end);
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
      text += 6;
    }
    to = put_utf8(to, point);
  }
  return (size_t)(to - out);
}

/* --- numbers ----------------------------------------------------------- */

bool dsc_json_integer(const char *text, size_t length, int64_t *value) {
  bool negative = length > 0 && text[0] == '-';
  uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
  uint64_t sum = 0;
  for (size_t i = negative ? 1 : 0; i < length; i++) {
    uint64_t digit = (uint64_t)(text[i] - '0');
    if (sum > (limit - digit) / 10)
      return false;
    sum = sum * 10 + digit;
  }
  *value = (int64_t)(negative ? 0 - sum : sum);
  return true;
}

/* With these and a non-zero one after them, any double is rounded right. */
#define DIGITS_MAX 770
/* Exponents beyond are as good as infinite; no sum of them overflows. */
#define EXPONENT_MAX 1000000000

/* A number as digits × 10^exponent, without the decimal point. */
struct decimal {
  char digits[DIGITS_MAX + 1 + sizeof "-e-1000000000"];
  size_t count;
  int64_t exponent;
};

static void add_digit(struct decimal *decimal, char digit, bool fraction) {
  if (decimal->count < DIGITS_MAX) {
    if (decimal->count > 0 || digit != '0')
      decimal->digits[decimal->count++] = digit;
    if (fraction)
      decimal->exponent--;
    return;
  }
  if (digit != '0')
    decimal->digits[DIGITS_MAX] = '1';
  if (!fraction)
    decimal->exponent++;
}

static int64_t read_exponent(const char *at, const char *end) {
  bool negative = *at == '-';
  int64_t exponent = 0;
  if (*at == '-' || *at == '+')
    at++;
  for (; at < end && exponent < EXPONENT_MAX; at++)
    exponent = exponent * 10 + (*at - '0');
  return negative ? -exponent : exponent;
}

static void read_decimal(struct decimal *decimal, const char *at,
                         const char *end) {
  bool fraction = false;
  decimal->count = 0;
  decimal->exponent = 0;
  decimal->digits[DIGITS_MAX] = '0';
  for (; at < end && *at != 'e' && *at != 'E'; at++) {
    if (*at == '.')
      fraction = true;
    else
      add_digit(decimal, *at, fraction);
  }
  if (at < end)
    decimal->exponent += read_exponent(at + 1, end);
  if (decimal->count == DIGITS_MAX) {
    decimal->count++;
    decimal->exponent--;
  }
}

/*
** strtod gets no decimal point: which byte it takes for one depends on the
** locale of the process.
*/
double dsc_json_number(const char *text, size_t length) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,
                                  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
                                  1e18, 1e19, 1e20, 1e21, 1e22};
  const int64_t power_max = sizeof powers / sizeof powers[0] - 1;
  bool negative = length > 0 && text[0] == '-';
  struct decimal decimal;
  read_decimal(&decimal, text + (negative ? 1 : 0), text + length);
  int64_t exponent = decimal.exponent;
  double value = 0;
  if (decimal.count <= 15 && exponent >= -power_max &&
      exponent <= power_max) {
    /* both are exact, so one operation rounds right (Clinger 1990) */
    int64_t digits = 0;
    dsc_json_integer(decimal.digits, decimal.count, &digits);
    value = exponent < 0 ? (double)digits / powers[-exponent]
                         : (double)digits * powers[exponent];
  } else if (decimal.count > 0) {
    if (exponent > EXPONENT_MAX)
      exponent = EXPONENT_MAX;
    if (exponent < -EXPONENT_MAX)
      exponent = -EXPONENT_MAX;
    snprintf(decimal.digits + decimal.count,
             sizeof decimal.digits - decimal.count, "e%d", (int)exponent);
    value = strtod(decimal.digits, NULL);
  }
  return negative ? -value : value;
}

/* --- reading ----------------------------------------------------------- */

void dsc_json_init(struct dsc_json *json, const char *text, size_t length) {
  memset(json, 0, sizeof *json);
  json->at = text;
  json->end = text + length;
  json->expected = VALUE;
}

static enum dsc_json_token fail(struct dsc_json *json, const char *reason) {
  json->expected = FAILED;
  json->reason = reason;
  return DSC_JSON_ERROR;
}

/* The byte after white space; NUL, which no token begins with, at the end. */
static char look_further(struct dsc_json *json) {
  const char *at = json->at;
  while (at < json->end &&
         (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
    at++;
  json->at = at;
  return at < json->end ? *at : '\0';
}

static inline char look(struct dsc_json *json) {
  if (json->at < json->end && (unsigned char)*json->at > ' ')
    return *json->at; /* servers send no blanks */
  return look_further(json);
}

static bool in_object(const struct dsc_json *json) {
  uint32_t level = json->depth - 1;
  return (json->objects[level / 64] >> (level % 64) & 1) != 0;
}

static enum dsc_json_token open(struct dsc_json *json, bool object) {
  if (json->depth == DSC_JSON_DEPTH_MAX)
    return fail(json, "nested too deep");
  uint64_t bit = UINT64_C(1) << (json->depth % 64);
  uint64_t *bits = &json->objects[json->depth / 64];
  *bits = object ? *bits | bit : *bits & ~bit;
  json->depth++;
  json->at++;
  json->expected = object ? FIRST_KEY : FIRST_VALUE;
  return object ? DSC_JSON_OBJECT : DSC_JSON_ARRAY;
}

static enum dsc_json_token close(struct dsc_json *json) {
  bool object = in_object(json);
  json->depth--;
  json->at++;
  json->expected = AFTER_VALUE;
  return object ? DSC_JSON_OBJECT_END : DSC_JSON_ARRAY_END;
}

/* From the opening quote to behind the closing one. */
static bool read_string(struct dsc_json *json) {
  const char *end = json->end;
  const char *at = json->at + 1;
  json->text = at;
  json->escaped = false;
  for (;;) {
    at = plain_text_end(at, end);
    json->at = at;
    if (at == end) {
      fail(json, "string without an end");
      return false;
    }
    if (*at == '"')
      break;
    size_t length;
    if (*at == '\\') {
      length = escape_length(at, end);
      json->escaped = true;
    } else {
      length = (unsigned char)*at < ' ' ? 0 : dsc_utf8_length(at, end);
    }
    if (length == 0) {
      fail(json, *at == '\\'                ? "invalid escape"
                 : (unsigned char)*at < ' ' ? "control character in a string"
                                            : "invalid UTF-8");
      return false;
    }
    at += length;
  }
  json->length = (size_t)(at - json->text);
  json->at = at + 1;
  return true;
}

static enum dsc_json_token read_key(struct dsc_json *json, char c) {
  if (c != '"')
    return fail(json, "expected a key");
  if (!read_string(json))
    return DSC_JSON_ERROR;
  if (look(json) != ':')
    return fail(json, "expected ':'");
  json->at++;
  json->expected = VALUE;
  return DSC_JSON_KEY;
}

static bool is_digit(const char *at, const char *end) {
  return at < end && *at >= '0' && *at <= '9';
}

static const char *digits_end(const char *at, const char *end) {
  while (is_digit(at, end))
    at++;
  return at;
}

static enum dsc_json_token read_number(struct dsc_json *json) {
  enum dsc_json_token token = DSC_JSON_INTEGER;
  const char *end = json->end;
  const char *at = json->at;
  json->text = at;
  json->escaped = false;
  if (*at == '-')
    at++;
  bool whole = is_digit(at, end);
  at = whole && *at == '0' ? at + 1 : digits_end(at, end);
  if (whole && at < end && *at == '.') {
    token = DSC_JSON_NUMBER;
    whole = is_digit(++at, end);
    at = digits_end(at, end);
  }
  if (whole && at < end && (*at == 'e' || *at == 'E')) {
    token = DSC_JSON_NUMBER;
    at++;
    if (at < end && (*at == '+' || *at == '-'))
      at++;
    whole = is_digit(at, end);
    at = digits_end(at, end);
  }
  json->at = at;
  if (!whole)
    return fail(json, "expected a digit");
  json->length = (size_t)(at - json->text);
  json->expected = AFTER_VALUE;
  return token;
}

static enum dsc_json_token read_word(struct dsc_json *json, const char *word,
                                     size_t length,
                                     enum dsc_json_token token) {
  if ((size_t)(json->end - json->at) < length ||
      memcmp(json->at, word, length) != 0)
    return fail(json, "expected a value");
  json->at += length;
  json->expected = AFTER_VALUE;
  return token;
}

static enum dsc_json_token read_value(struct dsc_json *json, char c) {
  switch (c) {
  case '"':
    if (!read_string(json))
      return DSC_JSON_ERROR;
    json->expected = AFTER_VALUE;
    return DSC_JSON_STRING;
  case '{':
    return open(json, true);
  case '[':
    return open(json, false);
  case 't':
    return read_word(json, "true", 4, DSC_JSON_TRUE);
  case 'f':
    return read_word(json, "false", 5, DSC_JSON_FALSE);
  case 'n':
    return read_word(json, "null", 4, DSC_JSON_NULL);
  default:
    if (c == '-' || (c >= '0' && c <= '9'))
      return read_number(json);
    return fail(json, json->at < json->end ? "expected a value"
                                           : "unexpected end");
  }
}

static enum dsc_json_token next(struct dsc_json *json) {
  if (json->expected == FAILED)
    return DSC_JSON_ERROR;
  char c = look(json);
  if (json->expected == AFTER_VALUE) {
    if (json->depth == 0)
      return json->at == json->end
                 ? DSC_JSON_END
                 : fail(json, "text behind the value");
    bool object = in_object(json);
    if (c == (object ? '}' : ']'))
      return close(json);
    if (c != ',')
      return fail(json, object ? "expected ',' or '}'" : "expected ',' or ']'");
    json->at++;
    json->expected = object ? KEY : VALUE;
    c = look(json);
  } else if ((json->expected == FIRST_KEY && c == '}') ||
             (json->expected == FIRST_VALUE && c == ']')) {
    return close(json);
  }
  if (json->expected == KEY || json->expected == FIRST_KEY)
    return read_key(json, c);
  return read_value(json, c);
}

enum dsc_json_token dsc_json_next(struct dsc_json *json) { return next(json); }

/* Each answer is read over before it is decoded: all that reads tokens becomes
** part of this one function, and works on a copy that nobody else sees. */
__attribute__((flatten))
enum dsc_json_token dsc_json_skip(struct dsc_json *json) {
  struct dsc_json reader = *json;
  look(&reader);
  const char *from = reader.at;
  enum dsc_json_token first = next(&reader);
  enum dsc_json_token token = first;
  while (reader.depth > json->depth && token != DSC_JSON_ERROR)
    token = next(&reader);
  *json = reader;
  if (token == DSC_JSON_ERROR)
    return DSC_JSON_ERROR;
  json->text = from;
  json->length = (size_t)(json->at - from);
  return first;
}

bool dsc_json_pass(struct dsc_json *json, const char *value, size_t length) {
  look(json);
  if (json->expected != VALUE || json->at != value)
    return false;
  json->text = value;
  json->length = length;
  json->at += length;
  json->expected = AFTER_VALUE;
  return true;
}

/* --- writing ----------------------------------------------------------- */

static bool add_escape(struct dsc_buf *buf, char c) {
  for (size_t i = 0; i < ESCAPES; i++)
    if (escapes[i][1] == c)
      return dsc_buf_add_byte(buf, '\\') &&
             dsc_buf_add_byte(buf, escapes[i][0]);
  char text[sizeof "\\u0000"];
  snprintf(text, sizeof text, "\\u%04x", (unsigned)(unsigned char)c);
  return dsc_buf_add(buf, text, sizeof text - 1);
}

enum dsc_json_written dsc_json_add_string(struct dsc_buf *buf,
                                          const char *text, size_t length) {
  const char *end = text + length;
  if (!dsc_buf_reserve(buf, length + 2))
    return DSC_JSON_FULL;
  dsc_buf_add_byte(buf, '"');
  while (text < end) {
    const char *from = text;
    size_t sequence;
    text = plain_text_end(text, end);
    while (text < end && (unsigned char)*text >= 0x80 &&
           (sequence = dsc_utf8_length(text, end)) != 0)
      text += sequence;
    if (!dsc_buf_add(buf, from, (size_t)(text - from)))
      return DSC_JSON_FULL;
    if (text == end || text != from)
      continue; /* whatever stops us here is looked at next time */
    if ((unsigned char)*text >= 0x80)
      return DSC_JSON_NO_UTF8;
    if (!add_escape(buf, *text++))
      return DSC_JSON_FULL;
  }
  return dsc_buf_add_byte(buf, '"') ? DSC_JSON_WRITTEN : DSC_JSON_FULL;
}

enum dsc_json_written dsc_json_add_integer(struct dsc_buf *buf,
                                           int64_t value) {
  char text[1 + DSC_DIGITS_MAX]; /* the sign is the first */
  char *at = dsc_digits(text + sizeof text, value < 0 ? 0 - (uint64_t)value
                                                      : (uint64_t)value);
  if (value < 0)
    *--at = '-';
  return dsc_buf_add(buf, at, (size_t)(text + sizeof text - at))
             ? DSC_JSON_WRITTEN
             : DSC_JSON_FULL;
}

/* What the locale writes as decimal point becomes one byte, '.'. */
static size_t mend_point(char *text, size_t length) {
  size_t from = strspn(text, "-+0123456789e");
  if (from == length)
    return length;
  size_t behind = from + strcspn(text + from, "-+0123456789e");
  text[from] = '.';
  memmove(text + from + 1, text + behind, length - behind + 1);
  return length - (behind - from) + 1;
}

enum dsc_json_written dsc_json_add_number(struct dsc_buf *buf, double value) {
  char text[48]; /* 17 digits, signs, exponent, a point of several bytes */
  if (!isfinite(value))
    return DSC_JSON_NO_NUMBER;
  bool integral = floor(value) == value;
  if (integral && fabs(value) <= EXACT_MAX && !(value == 0 && signbit(value)))
    return dsc_json_add_integer(buf, (int64_t)value);
  size_t length = 0;
  for (int digits = 15; digits <= 17; digits++) {
    int written = snprintf(text, sizeof text, "%.*g", digits, value);
    length = mend_point(text, (size_t)written);
    if (dsc_json_number(text, length) == value)
      break;
  }
  if (!dsc_buf_add(buf, text, length))
    return DSC_JSON_FULL;
  if (strpbrk(text, ".e") == NULL && !dsc_buf_add(buf, ".0", 2))
    return DSC_JSON_FULL;
  return DSC_JSON_WRITTEN;
}
