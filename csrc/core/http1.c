#include "core/http1.h"

#include <string.h>
#include <strings.h>

/* --- bytes --------------------------------------------------------------- */

/* What a byte may be a part of: tokens as names (RFC 9110, 5.6.2), the lines
** of a head, targets of requests, hosts. */
enum { TOKEN = 1, TEXT = 2, TARGET = 4, HOST = 8 };

#define T (TEXT | TARGET)
#define TT (TOKEN | TEXT | TARGET)
#define TH (TOKEN | TEXT | TARGET | HOST)
#define H (TEXT | TARGET | HOST)
#define EACH_4(kind) kind, kind, kind, kind
#define EACH_16(kind) EACH_4(kind), EACH_4(kind), EACH_4(kind), EACH_4(kind)

static const uint8_t kinds[256] = {
    0,  0,  0,  0,  0,  0,  0,  0,  0,  TEXT, 0,  0,  0,  0,  0,  0,
    EACH_16(0),
    /*  !  "  #     $   %   &   '   (  )  *   +   ,  -   .   / */
    TEXT, TT, T, TOKEN | TEXT, TT, TT, TT, TT, T, T, TT, TT, T, TH, TH, T,
    /* 0 to 9                                   :  ;  <  =  >  ? */
    TH, TH, TH, TH, TH, TH, TH, TH, TH, TH, H, T, T, T, T, T,
    /* @, A to O */
    T, TH, TH, TH, TH, TH, TH, TH, TH, TH, TH, TH, TH, TH, TH, TH,
    /* P to Z                                       [  \  ]  ^   _ */
    TH, TH, TH, TH, TH, TH, TH, TH, TH, TH, TH, H, T, H, TT, TH,
    /* `, a to o */
    TT, TH, TH, TH, TH, TH, TH, TH, TH, TH, TH, TH, TH, TH, TH, TH,
    /* p to z                                       {  |   }  ~ */
    TH, TH, TH, TH, TH, TH, TH, TH, TH, TH, TH, T, TT, T, TT, 0,
    EACH_16(T), EACH_16(T), EACH_16(T), EACH_16(T),
    EACH_16(T), EACH_16(T), EACH_16(T), EACH_16(T)};

static bool is_all(const char *text, size_t length, int kind) {
  size_t i = 0;
  while (i < length && (kinds[(unsigned char)text[i]] & kind) != 0)
    i++;
  return i == length;
}

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* May all of it stand in a line? Eight bytes at a time: an alarm, which may be
** a false one, is settled byte by byte. */
static bool is_text(const char *text, size_t length) {
  for (; length >= 8; text += 8, length -= 8) {
    uint64_t word;
    memcpy(&word, text, sizeof word);
    uint64_t alarm = ((word - EACH_BYTE(' ')) & ~word) |
                     ((word ^ EACH_BYTE(0x7F)) - EACH_BYTE(1));
    if ((alarm & EACH_BYTE(0x80)) != 0 && !is_all(text, 8, TEXT))
      return false;
  }
  return is_all(text, length, TEXT);
}

static bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }

static bool equals(const char *text, size_t length, const char *word) {
  return strlen(word) == length && strncasecmp(text, word, length) == 0;
}

/* --- requests ------------------------------------------------------------ */

/* Lines that say where the request ends and what the connection is for. */
static const char *const own_names[] = {
    "connection", "content-length", "expect",  "host",
    "te",         "trailer",        "upgrade", "transfer-encoding"};

static enum dsc_kind add(struct dsc_buf *out, const struct dsc_text *parts,
                         size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!dsc_buf_add(out, parts[i].data, parts[i].length))
      return DSC_MEMORY;
  }
  return DSC_OK;
}

static bool is_method(const struct dsc_text *method) {
  size_t i = 0;
  while (i < method->length && method->data[i] >= 'A' &&
         method->data[i] <= 'Z')
    i++;
  return i > 0 && i == method->length;
}

enum dsc_kind dsc_http1_begin(struct dsc_buf *out,
                              const struct dsc_text *method,
                              const struct dsc_text *target,
                              const struct dsc_text *host) {
  const struct dsc_text parts[] = {
      *method, {" ", 1},
      *target, {" HTTP/1.1\r\nHost: ", 17},
      *host,   {"\r\n", 2}};
  if (!is_method(method) || target->length == 0 || target->data[0] != '/' ||
      !is_all(target->data, target->length, TARGET) || host->length == 0 ||
      !is_all(host->data, host->length, HOST))
    return DSC_ARGUMENT;
  return add(out, parts, sizeof parts / sizeof parts[0]);
}

enum dsc_kind dsc_http1_line(struct dsc_buf *out,
                             const struct dsc_text *line) {
  const struct dsc_text parts[] = {*line, {"\r\n", 2}};
  const char *colon =
      line->length != 0 ? (const char *)memchr(line->data, ':', line->length)
                        : NULL;
  if (colon == NULL || colon == line->data ||
      !is_all(line->data, (size_t)(colon - line->data), TOKEN) ||
      !is_text(line->data, line->length))
    return DSC_ARGUMENT;
  for (size_t i = 0; i < sizeof own_names / sizeof own_names[0]; i++) {
    if (equals(line->data, (size_t)(colon - line->data), own_names[i]))
      return DSC_ARGUMENT;
  }
  return add(out, parts, sizeof parts / sizeof parts[0]);
}

enum dsc_kind dsc_http1_end(struct dsc_buf *out, int64_t body_length) {
  char digits[DSC_DIGITS_MAX];
  char *const end = digits + sizeof digits;
  char *const from = dsc_digits(end, (uint64_t)body_length);
  const struct dsc_text parts[] = {{"Content-Length: ", 16},
                                   {from, (size_t)(end - from)},
                                   {"\r\n", 2},
                                   {"\r\n", 2}};
  const size_t count = sizeof parts / sizeof parts[0];
  const size_t skipped = body_length < 0 ? count - 1 : 0;
  return add(out, parts + skipped, count - skipped);
}

/* --- answers: lines ------------------------------------------------------ */

enum { STATUS, FIELDS, BODY, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILERS,
       UNTIL_CLOSE, DONE, FAILED };

static enum dsc_http1_event fail_as(struct dsc_http1 *http1,
                                    enum dsc_kind kind, const char *reason) {
  http1->state = FAILED;
  http1->kind = kind;
  http1->reason = reason;
  return DSC_HTTP1_FAILED;
}

static enum dsc_http1_event refuse(struct dsc_http1 *http1,
                                   const char *reason) {
  return fail_as(http1, DSC_PROTOCOL, reason);
}

static const char end_of_line[] = {'\r', '\n'};
static const char no_http[] = "the answer is not HTTP/1.1";
static const char too_large[] = "the head of the answer is too large";

/* Keeps what is left of the block as the beginning of a line. */
static enum dsc_http1_event keep_rest(struct dsc_http1 *http1) {
  const size_t length = (size_t)(http1->end - http1->at);
  if (length > http1->line.size_max - http1->line.length)
    return refuse(http1, too_large);
  if (!dsc_buf_add(&http1->line, http1->at, length))
    return fail_as(http1, DSC_MEMORY, "no memory for the answer");
  http1->at = http1->end;
  return DSC_HTTP1_MORE;
}

/*
** Puts the next line, without its end, into http1->text: a part of the block,
** or of the kept line where it came in pieces. What is not DSC_HTTP1_DONE is
** to be returned. `extra` bytes of it are not taken from what heads may have.
*/
static enum dsc_http1_event take_line(struct dsc_http1 *http1,
                                      size_t extra) {
  const char *from = http1->at;
  if (http1->line_used)
    http1->line.length = 0;
  http1->line_used = false;
  http1->line.size_max = http1->head_left + extra;
  const char *feed =
      from != http1->end
          ? (const char *)memchr(from, '\n', (size_t)(http1->end - from))
          : NULL;
  if (feed == NULL)
    return keep_rest(http1);
  size_t length = (size_t)(feed - from) + 1;
  if (http1->line.length != 0) {
    const char *end = http1->end;
    http1->end = feed + 1;
    if (keep_rest(http1) == DSC_HTTP1_FAILED)
      return DSC_HTTP1_FAILED;
    http1->end = end;
    http1->line_used = true;
    from = http1->line.data;
    length = http1->line.length;
  }
  http1->at = feed + 1;
  if (length < 2 || from[length - 2] != '\r')
    return refuse(http1, "a line of the answer ends in a line feed alone");
  http1->text.data = from;
  http1->text.length = length - 2;
  if (!is_text(from, length - 2))
    return refuse(http1, "a line of the answer holds a control character");
  return DSC_HTTP1_DONE;
}

/* Takes so many bytes from what heads may have. */
static bool pay(struct dsc_http1 *http1, size_t length) {
  const bool enough = length <= http1->head_left;
  http1->head_left -= enough ? length : 0;
  return enough;
}

/* --- answers: the head --------------------------------------------------- */

static bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

/* "HTTP/1.1 200 OK"; some servers leave out the blank before no reason. */
static enum dsc_http1_event read_status(struct dsc_http1 *http1) {
  static const char version[] = "HTTP/1.";
  const size_t fixed = sizeof "HTTP/1.1 200" - 1;
  const char *at = http1->text.data;
  const size_t length = http1->text.length;
  if (length < fixed || memcmp(at, version, sizeof version - 1) != 0 ||
      (at[7] != '0' && at[7] != '1') || at[8] != ' ')
    return refuse(http1, no_http);
  if (!is_digit(at[9]) || !is_digit(at[10]) || !is_digit(at[11]) ||
      at[9] < '1' || at[9] > '5' || (length > fixed && at[fixed] != ' '))
    return refuse(http1, "the status of the answer is none");
  http1->status =
      (at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0');
  http1->old = at[7] == '0';
  http1->state = FIELDS;
  http1->fields = 0;
  http1->closes = http1->keeps = http1->chunked = http1->has_length = false;
  http1->length = 0;
  return DSC_HTTP1_DONE;
}

/* Is it no answer to a question from the first bytes on? */
static bool is_other(const struct dsc_http1 *http1) {
  static const char version[] = "HTTP/1.";
  const struct dsc_buf *line = &http1->line;
  const size_t length =
      line->length < sizeof version - 1 ? line->length : sizeof version - 1;
  return length != 0 && memcmp(line->data, version, length) != 0;
}

static enum dsc_http1_event read_length(struct dsc_http1 *http1) {
  if (http1->has_length)
    return refuse(http1, "the answer has two lengths");
  uint64_t length = 0;
  for (size_t i = 0; i < http1->text.length; i++) {
    const char byte = http1->text.data[i];
    if (!is_digit(byte) || length > (INT64_MAX - 9) / 10)
      return refuse(http1, "the length of the answer is none");
    length = length * 10 + (uint64_t)(byte - '0');
  }
  if (http1->text.length == 0)
    return refuse(http1, "the length of the answer is none");
  http1->has_length = true;
  http1->length = length;
  return DSC_HTTP1_FIELD;
}

static enum dsc_http1_event read_encoding(struct dsc_http1 *http1) {
  if (http1->chunked ||
      !equals(http1->text.data, http1->text.length, "chunked"))
    return refuse(http1, "the answer has a transfer encoding that nobody "
                         "asked for");
  http1->chunked = true;
  return DSC_HTTP1_FIELD;
}

/* A list of words, with commas and blanks between them. */
static enum dsc_http1_event read_connection(struct dsc_http1 *http1) {
  const char *at = http1->text.data;
  const char *const end = at + http1->text.length;
  while (at < end) {
    const char *from = at;
    while (at < end && *at != ',' && !is_blank(*at))
      at++;
    if (equals(from, (size_t)(at - from), "close"))
      http1->closes = true;
    else if (equals(from, (size_t)(at - from), "keep-alive"))
      http1->keeps = true;
    at += at < end;
  }
  return DSC_HTTP1_FIELD;
}

static const struct {
  const char *name;
  enum dsc_http1_event (*read)(struct dsc_http1 *http1);
} framing[] = {{"content-length", read_length},
               {"transfer-encoding", read_encoding},
               {"connection", read_connection}};

/* Splits the line; what is wrong with it, or NULL. */
static const char *split(struct dsc_http1 *http1) {
  const char *from = http1->text.data;
  const char *const end = from + http1->text.length;
  const char *colon = (const char *)memchr(from, ':', http1->text.length);
  if (is_blank(*from))
    return "a line of the answer's head goes on in the next one";
  if (colon == NULL)
    return "a line of the answer's head has no colon";
  http1->name.data = from;
  http1->name.length = (size_t)(colon - from);
  if (http1->name.length == 0 || http1->name.length > DSC_HTTP1_NAME_MAX ||
      !is_all(from, http1->name.length, TOKEN))
    return "a name in the answer's head is none";
  const char *value = colon + 1;
  while (value < end && is_blank(*value))
    value++;
  const char *last = end;
  while (last > value && is_blank(last[-1]))
    last--;
  http1->text.data = value;
  http1->text.length = (size_t)(last - value);
  return NULL;
}

static enum dsc_http1_event read_field(struct dsc_http1 *http1) {
  const char *wrong = split(http1);
  if (wrong != NULL)
    return refuse(http1, wrong);
  if (http1->fields++ == DSC_HTTP1_FIELDS_MAX)
    return refuse(http1, "the head of the answer has too many fields");
  if (http1->state == TRAILERS)
    return DSC_HTTP1_DONE;
  for (size_t i = 0; i < sizeof framing / sizeof framing[0]; i++) {
    if (equals(http1->name.data, http1->name.length, framing[i].name) &&
        framing[i].read(http1) == DSC_HTTP1_FAILED)
      return DSC_HTTP1_FAILED;
  }
  return http1->status < 200 ? DSC_HTTP1_DONE : DSC_HTTP1_FIELD;
}

static void finish(struct dsc_http1 *http1) {
  http1->state = DONE;
  http1->reusable = !http1->closes && (!http1->old || http1->keeps);
}

/* How the body ends, by RFC 9112, 6.3. */
static enum dsc_http1_event choose_body(struct dsc_http1 *http1) {
  if (http1->bodiless || http1->status == 204 || http1->status == 304) {
    finish(http1);
    /* where it has one all the same, it comes next */
    if (http1->status == 204 && http1->length != 0)
      http1->reusable = false;
  } else if (http1->chunked) {
    http1->state = CHUNK_SIZE;
  } else if (http1->has_length) {
    http1->state = BODY;
  } else {
    http1->state = UNTIL_CLOSE;
  }
  return DSC_HTTP1_HEAD;
}

static enum dsc_http1_event end_head(struct dsc_http1 *http1) {
  const bool interim = http1->status < 200;
  if (http1->chunked && http1->has_length)
    return refuse(http1, "the answer has a length, and is chunked, too");
  if (http1->chunked && http1->old)
    return refuse(http1, "an answer of HTTP/1.0 can't be chunked");
  if (http1->chunked && (interim || http1->status == 204))
    return refuse(http1, "an answer without a body is chunked");
  if (interim && (http1->length != 0 || http1->status == 101))
    return refuse(http1, "an interim answer is more than that");
  if (!interim)
    return choose_body(http1);
  http1->state = STATUS;
  return DSC_HTTP1_DONE;
}

/* A line of a head, or of the trailers. */
static enum dsc_http1_event read_head(struct dsc_http1 *http1) {
  enum dsc_http1_event event = take_line(http1, 0);
  if (event == DSC_HTTP1_MORE && http1->state == STATUS && is_other(http1))
    return refuse(http1, no_http);
  if (event != DSC_HTTP1_DONE)
    return event;
  if (!pay(http1, http1->text.length + sizeof end_of_line))
    return refuse(http1, too_large);
  if (http1->state == STATUS)
    return read_status(http1);
  if (http1->text.length != 0)
    return read_field(http1);
  if (http1->state == FIELDS)
    return end_head(http1);
  finish(http1);
  return DSC_HTTP1_DONE;
}

/* --- answers: the body --------------------------------------------------- */

static const char body_too_large[] = "the body of the answer is too large";

/* So many bytes of the block, at most, are of the body. */
static enum dsc_http1_event give(struct dsc_http1 *http1, uint64_t length) {
  const size_t there = (size_t)(http1->end - http1->at);
  if (there == 0)
    return DSC_HTTP1_MORE;
  http1->text.data = http1->at;
  http1->text.length = length < there ? (size_t)length : there;
  http1->at += http1->text.length;
  http1->body_bytes += http1->text.length;
  return DSC_HTTP1_BODY;
}

/* Is there room for so much more? It is refused before it comes. */
static bool fits(const struct dsc_http1 *http1, uint64_t length) {
  return length <= http1->body_bytes_max - http1->body_bytes;
}

static enum dsc_http1_event read_body(struct dsc_http1 *http1) {
  if (!fits(http1, http1->length))
    return refuse(http1, body_too_large);
  if (http1->length == 0) {
    if (http1->state == CHUNK)
      http1->state = CHUNK_END;
    else
      finish(http1);
    return DSC_HTTP1_DONE;
  }
  const enum dsc_http1_event event = give(http1, http1->length);
  if (event == DSC_HTTP1_BODY)
    http1->length -= http1->text.length;
  return event;
}

static enum dsc_http1_event read_until_close(struct dsc_http1 *http1) {
  if (!fits(http1, (uint64_t)(http1->end - http1->at)))
    return refuse(http1, body_too_large);
  return give(http1, UINT64_MAX);
}

static int hex_digit(char byte) {
  if (is_digit(byte))
    return byte - '0';
  const char lower = (char)(byte | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Sixteen digits are more than any length, and the first of them small. */
#define CHUNK_DIGITS_MAX 15

/* "1a", "1a;name=value": what is said of a chunk means nothing to us. */
static enum dsc_http1_event read_chunk_size(struct dsc_http1 *http1) {
  const enum dsc_http1_event event =
      take_line(http1, CHUNK_DIGITS_MAX + sizeof end_of_line);
  if (event != DSC_HTTP1_DONE)
    return event;
  const char *at = http1->text.data;
  const char *const end = at + http1->text.length;
  uint64_t length = 0;
  while (at < end && at - http1->text.data < CHUNK_DIGITS_MAX &&
         hex_digit(*at) >= 0)
    length = length * 16 + (uint64_t)hex_digit(*at++);
  const char *const rest = at;
  while (at < end && is_blank(*at))
    at++;
  if (rest == http1->text.data || (rest < end && (at == end || *at != ';')))
    return refuse(http1, "the size of a chunk is none");
  if (!pay(http1, (size_t)(end - rest)))
    return refuse(http1, too_large);
  http1->length = length;
  http1->state = length > 0 ? CHUNK : TRAILERS;
  http1->fields = 0;
  return DSC_HTTP1_DONE;
}

static enum dsc_http1_event end_chunk(struct dsc_http1 *http1) {
  for (; http1->at < http1->end; http1->at++) {
    if (*http1->at != end_of_line[http1->ended])
      return refuse(http1, "a chunk is longer than its size");
    if (++http1->ended == sizeof end_of_line) {
      http1->at++;
      http1->ended = 0;
      http1->state = CHUNK_SIZE;
      return DSC_HTTP1_DONE;
    }
  }
  return DSC_HTTP1_MORE;
}

/* --- answers: the whole -------------------------------------------------- */

void dsc_http1_init(struct dsc_http1 *http1, const struct dsc_env *env,
                    bool head_only, uint64_t body_bytes_max) {
  memset(http1, 0, sizeof *http1);
  http1->bodiless = head_only;
  http1->body_bytes_max = body_bytes_max;
  http1->head_left = DSC_HTTP1_HEAD_BYTES_MAX;
  dsc_buf_init(&http1->line, env, http1->head_left);
}

void dsc_http1_free(struct dsc_http1 *http1) { dsc_buf_free(&http1->line); }

void dsc_http1_feed(struct dsc_http1 *http1, const char *data,
                    size_t length) {
  http1->at = data;
  http1->end = data + length;
}

static enum dsc_http1_event step(struct dsc_http1 *http1) {
  switch (http1->state) {
  case STATUS:
  case FIELDS:
  case TRAILERS:
    return read_head(http1);
  case BODY:
  case CHUNK:
    return read_body(http1);
  case CHUNK_SIZE:
    return read_chunk_size(http1);
  case CHUNK_END:
    return end_chunk(http1);
  default:
    return read_until_close(http1);
  }
}

enum dsc_http1_event dsc_http1_next(struct dsc_http1 *http1) {
  enum dsc_http1_event event = DSC_HTTP1_DONE;
  while (event == DSC_HTTP1_DONE && http1->state < DONE)
    event = step(http1);
  if (event != DSC_HTTP1_DONE)
    return event;
  if (http1->state == FAILED)
    return DSC_HTTP1_FAILED;
  if (http1->at != http1->end)
    http1->reusable = false;
  return DSC_HTTP1_DONE;
}

enum dsc_http1_event dsc_http1_closed(struct dsc_http1 *http1) {
  if (http1->state == UNTIL_CLOSE)
    http1->state = DONE;
  http1->reusable = false;
  if (http1->state < DONE)
    fail_as(http1, DSC_NETWORK, "the connection ended within the answer");
  return http1->state == DONE ? DSC_HTTP1_DONE : DSC_HTTP1_FAILED;
}
