#include "curl/attempt.h"

#include <curl/mprintf.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "core/header.h"

/* libcurl takes its times as int milliseconds; this is eleven days. */
#define TIMEOUT_MS_MAX 1e9
/* A larger buffer is not kept for the next attempt. */
#define KEPT_BYTES_MAX ((size_t)1 << 20)

double ccurl_now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static const char head_too_large[] = "the head of the answer is too large";

static void fail(struct ccurl_attempt *attempt, enum dsc_kind kind,
                 const char *text) {
  attempt->kind = kind;
  attempt->text = text;
}

/*
** What libcurl calls. Returning a number other than the one expected aborts
** the transfer; nothing here may call Lua.
*/

/* Called just before the request is written to a connection. */
static int on_send(void *ud, char *remote_ip, char *local_ip, int remote_port,
                   int local_port) {
  struct ccurl_attempt *attempt = (struct ccurl_attempt *)ud;
  (void)remote_ip, (void)local_ip, (void)remote_port;
  if (attempt->phase != DSC_UNSENT) {
    /* libcurl repeats by itself, POST included: a repeat is ours to decide */
    fail(attempt, DSC_NETWORK,
         "the reused connection was closed before an answer came");
    return CURL_PREREQFUNC_ABORT;
  }
  long connections = 0;
  curl_easy_getinfo(attempt->easy, CURLINFO_NUM_CONNECTS, &connections);
  attempt->reused = connections == 0;
  if (attempt->reused &&
      ccurl_sockets_unread(attempt->events->sockets, local_port)) {
    /* what lies there would be taken for the answer to this request */
    fail(attempt, DSC_NETWORK,
         "the reused connection was closed, or held what nobody asked for");
    return CURL_PREREQFUNC_ABORT;
  }
  attempt->phase = DSC_SENT;
  return CURL_PREREQFUNC_OK;
}

static curl_socket_t on_socket(void *ud, curlsocktype purpose,
                               struct curl_sockaddr *address) {
  struct ccurl_attempt *attempt = (struct ccurl_attempt *)ud;
  (void)purpose;
  const curl_socket_t fd = ccurl_sockets_open(attempt->events->sockets,
                                              address);
  if (fd == CURL_SOCKET_BAD && errno == ENOMEM)
    fail(attempt, DSC_MEMORY, "no memory for a connection");
  return fd;
}

/* NULL where the handle is libcurl's own, which closes what is at rest. */
static struct ccurl_attempt *attempt_of(CURL *easy) {
  struct ccurl_attempt *attempt = NULL;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&attempt);
  return attempt;
}

void ccurl_attempt_unwatched(CURL *easy) {
  struct ccurl_attempt *attempt = attempt_of(easy);
  if (attempt != NULL)
    fail(attempt, DSC_MEMORY, "no memory to watch a connection");
}

bool ccurl_attempt_unsent(CURL *easy) {
  const struct ccurl_attempt *attempt = attempt_of(easy);
  return attempt != NULL && attempt->phase == DSC_UNSENT;
}

static void answer_moved(struct ccurl_attempt *attempt) {
  attempt->phase = DSC_PARTIAL;
  attempt->moved = true;
}

static size_t keep(struct ccurl_attempt *attempt, struct dsc_buf *buf,
                   const char *data, size_t length) {
  if (dsc_buf_add(buf, data, length))
    return length;
  fail(attempt, DSC_MEMORY, "no memory for the answer");
  return 0;
}

/* Has any of the body come? */
static bool has_body(const struct ccurl_attempt *attempt) {
  return attempt->body.length > 0 || attempt->delivered > 0;
}

static void read_disposition(struct ccurl_attempt *attempt, const char *line,
                             size_t length) {
  static const char name[] = "content-disposition:";
  const size_t name_length = sizeof name - 1;
  if (length < name_length || strncasecmp(line, name, name_length) != 0)
    return;
  const char *value = line + name_length;
  const char *end = line + length;
  while (value < end && (*value == ' ' || *value == '\t'))
    value++;
  while (end > value && (end[-1] == '\r' || end[-1] == '\n'))
    end--;
  attempt->dispositions++;
  attempt->attachment =
      dsc_header_is(value, (size_t)(end - value), "attachment");
}

static size_t on_head(char *data, size_t size, size_t count, void *ud) {
  struct ccurl_attempt *attempt = (struct ccurl_attempt *)ud;
  const size_t length = size * count;
  answer_moved(attempt);
  attempt->head_bytes += length;
  if (attempt->head_bytes > CCURL_HEAD_BYTES_MAX) {
    fail(attempt, DSC_PROTOCOL, head_too_large);
    return 0;
  }
  if (length > 5 && memcmp(data, "HTTP/", 5) == 0)
    attempt->head.length = 0; /* the one before was an interim answer */
  else if (has_body(attempt))
    return length; /* a trailer */
  if (attempt->head.length == 0)
    attempt->dispositions = 0;
  read_disposition(attempt, data, length);
  return keep(attempt, &attempt->head, data, length);
}

static void choose_sink(struct ccurl_attempt *attempt) {
  long status = 0;
  curl_easy_getinfo(attempt->easy, CURLINFO_RESPONSE_CODE, &status);
  attempt->sinking = attempt->sink != CCURL_KEEP && status >= 200 &&
                     status <= 299 && attempt->dispositions == 1 &&
                     attempt->attachment;
  if (attempt->sinking)
    attempt->body.size_max = CCURL_PIECE_BYTES_MAX;
}

/* Waits for a descriptor that takes nothing for now, as long as there is time
** at all; everything else of this thread waits with it. */
static bool is_writable(struct ccurl_attempt *attempt) {
  struct pollfd look = {attempt->sink_fd, POLLOUT, 0};
  const double left_s = attempt->deadline_s - ccurl_now_s();
  if (left_s > 0 && poll(&look, 1, (int)ceil(fmin(left_s * 1e3,
                                                  TIMEOUT_MS_MAX))) != 0)
    return true;
  fail(attempt, DSC_TIMEOUT, "the deadline passed while a file was written");
  return false;
}

static size_t write_out(struct ccurl_attempt *attempt, const char *data,
                        size_t length) {
  size_t left = length;
  while (left > 0) {
    const ssize_t written = write(attempt->sink_fd, data, left);
    if (written >= 0) {
      data += written;
      left -= (size_t)written;
      attempt->delivered += (uint64_t)written;
    } else if (errno == EAGAIN) {
      if (!is_writable(attempt))
        return 0;
    } else if (errno != EINTR) {
      fail(attempt, DSC_ARGUMENT, strerror(errno));
      return 0;
    }
  }
  return length;
}

static size_t on_body(char *data, size_t size, size_t count, void *ud) {
  struct ccurl_attempt *attempt = (struct ccurl_attempt *)ud;
  const size_t length = size * count;
  answer_moved(attempt);
  if (!has_body(attempt))
    choose_sink(attempt);
  if (attempt->sinking) {
    if (attempt->sink == CCURL_FD)
      return write_out(attempt, data, length);
    attempt->paused = attempt->body.length >= CCURL_PIECE_BYTES;
    return attempt->paused ? CURL_WRITEFUNC_PAUSE
                           : keep(attempt, &attempt->body, data, length);
  }
  if (length > attempt->body_bytes_max - attempt->body.length) {
    fail(attempt, DSC_PROTOCOL, "the body of the answer is too large");
    return 0;
  }
  return keep(attempt, &attempt->body, data, length);
}

bool ccurl_attempt_readable(const struct ccurl_attempt *attempt) {
  return !attempt->running || attempt->paused;
}

size_t ccurl_attempt_take(struct ccurl_attempt *attempt, char *room,
                          CURLcode *code) {
  const size_t length = attempt->sinking ? attempt->body.length : 0;
  *code = CURLE_OK;
  if (length > 0)
    memcpy(room, attempt->body.data, length);
  attempt->delivered += length;
  attempt->told = false;
  if (attempt->sinking)
    attempt->body.length = 0;
  if (attempt->paused) {
    attempt->paused = false;
    answer_moved(attempt); /* the silence was ours */
    *code = curl_easy_pause(attempt->easy, CURLPAUSE_CONT);
  }
  return length;
}

/*
** The handle and its request.
*/

bool ccurl_attempt_init(struct ccurl_attempt *attempt, CURL *model,
                        struct ccurl_events *events) {
  const struct dsc_env *env = events->sockets->env;
  attempt->events = events;
  dsc_buf_init(&attempt->request, env, CCURL_REQUEST_BYTES_MAX);
  dsc_buf_init(&attempt->head, env, CCURL_HEAD_BYTES_MAX);
  dsc_buf_init(&attempt->body, env, 0);
  CURL *easy = attempt->easy = curl_easy_duphandle(model);
  if (easy == NULL)
    return false;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)attempt);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, attempt->error_text);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, (void *)attempt);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, (void *)attempt);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION,
                   ccurl_events_close_socket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, (void *)events);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, (void *)attempt);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, (void *)attempt);
  return true;
}

void ccurl_attempt_free(struct ccurl_attempt *attempt) {
  curl_easy_cleanup(attempt->easy);
  attempt->easy = NULL;
  dsc_buf_free(&attempt->request);
  dsc_buf_free(&attempt->head);
  dsc_buf_free(&attempt->body);
}

static void empty(struct dsc_buf *buf) {
  if (buf->size > KEPT_BYTES_MAX)
    dsc_buf_free(buf);
  buf->length = 0;
}

void ccurl_attempt_reset(struct ccurl_attempt *attempt) {
  empty(&attempt->request);
  empty(&attempt->head);
  empty(&attempt->body);
  attempt->line_count = 0;
  attempt->head_bytes = 0;
  attempt->dispositions = 0;
  attempt->attachment = false;
  attempt->sinking = false;
  attempt->paused = false;
  attempt->delivered = 0;
  attempt->phase = DSC_UNSENT;
  attempt->kind = DSC_OK;
  attempt->text = NULL;
  attempt->told = false;
  attempt->running = false;
  attempt->detached = false;
  attempt->reused = false;
  attempt->error_text[0] = '\0';
}

static enum dsc_kind add_bytes(struct dsc_buf *buf, const char *data,
                               size_t length) {
  if (length > buf->size_max - buf->length)
    return DSC_LIMIT;
  return dsc_buf_add(buf, data, length) ? DSC_OK : DSC_MEMORY;
}

enum dsc_kind ccurl_attempt_line(struct ccurl_attempt *attempt,
                                 const char *line, size_t length) {
  if (memchr(line, '\0', length) != NULL || strpbrk(line, "\r\n") != NULL)
    return DSC_ARGUMENT;
  if (attempt->line_count == CCURL_LINES_MAX)
    return DSC_LIMIT;
  attempt->line_count++;
  return add_bytes(&attempt->request, line, length + 1);
}

/* The buffer does not move any more: the list can point into it. */
static struct curl_slist *link_lines(struct ccurl_attempt *attempt) {
  char *line = attempt->request.data;
  for (size_t i = 0; i < attempt->line_count; i++) {
    attempt->lines[i].data = line;
    attempt->lines[i].next =
        i + 1 < attempt->line_count ? &attempt->lines[i + 1] : NULL;
    line += strlen(line) + 1;
  }
  return attempt->line_count > 0 ? attempt->lines : NULL;
}

static bool has_no_body(const char *method) {
  return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
         strcmp(method, "DELETE") == 0;
}

static void set_method(CURL *easy, const struct ccurl_request *request,
                       const char *body) {
  const char *method = request->method;
  const char *implied = "GET";
  if (request->body != NULL || !has_no_body(method)) {
    implied = "POST";
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)request->body_length);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
  } else if (strcmp(method, "HEAD") == 0) {
    implied = "HEAD";
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
                   strcmp(method, implied) == 0 ? NULL : method);
}

/* A decoder makes of one read as much as it likes, and libcurl has to keep all
** of it while a transfer is paused. */
static CURLcode set_encodings(struct ccurl_attempt *attempt, bool plain) {
  if (plain == attempt->plain)
    return CURLE_OK;
  CURLcode code = curl_easy_setopt(attempt->easy, CURLOPT_ACCEPT_ENCODING,
                                   plain ? NULL : ccurl_encodings());
  if (code == CURLE_OK)
    attempt->plain = plain;
  return code;
}

/* libcurl must not end before our own clock does: rounded up, and one more,
** as it counts in whole milliseconds and ended a call of 400 ms after 399.4. */
static long to_ms(double seconds) {
  return (long)fmin(fmax(ceil(seconds * 1e3), 0) + 1, TIMEOUT_MS_MAX);
}

/* Puts the body behind the lines. libcurl would ask for leave to send a large
** one. */
static enum dsc_kind add_body(struct ccurl_attempt *attempt,
                              const struct ccurl_request *request) {
  static const char no_expect[] = "Expect:";
  enum dsc_kind kind =
      ccurl_attempt_line(attempt, no_expect, sizeof no_expect - 1);
  if (kind == DSC_OK)
    kind = add_bytes(&attempt->request, request->body, request->body_length);
  return kind;
}

enum dsc_kind ccurl_attempt_prepare(struct ccurl_attempt *attempt,
                                    const struct ccurl_request *request) {
  CURL *easy = attempt->easy;
  const char *body = "";
  if (request->body != NULL) {
    enum dsc_kind kind = add_body(attempt, request);
    if (kind != DSC_OK)
      return kind;
    body = attempt->request.data + attempt->request.length -
           request->body_length;
  }
  attempt->body_bytes_max = request->body_bytes_max;
  attempt->body.size_max = request->body_bytes_max;
  attempt->sink = request->sink;
  attempt->sink_fd = request->sink_fd;
  attempt->deadline_s = request->deadline_s;
  attempt->idle_timeout_s = request->idle_timeout_s;
  attempt->timed = request->timed;
  const double left_s = request->deadline_s - ccurl_now_s();
  if (left_s <= 0)
    return DSC_TIMEOUT;
  attempt->connect_is_first = request->connect_timeout_s < left_s;
  set_method(easy, request, body);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, link_lines(attempt));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, to_ms(left_s));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   to_ms(fmin(request->connect_timeout_s, left_s)));
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
  if (set_encodings(attempt, request->sink != CCURL_KEEP) != CURLE_OK ||
      curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK)
    return DSC_MEMORY;
  return DSC_OK;
}

/*
** Its times.
*/

/* A server may think as long as the deadline allows; once it has begun to
** answer, it has no reason to be silent for long, unless we don't listen. */
double ccurl_attempt_expires_s(struct ccurl_attempt *attempt, double now_s) {
  if (attempt->idle_timeout_s <= 0 || attempt->phase != DSC_PARTIAL ||
      attempt->paused)
    return attempt->deadline_s;
  if (attempt->moved)
    attempt->moved_at_s = now_s;
  attempt->moved = false;
  return fmin(attempt->deadline_s,
              attempt->moved_at_s + attempt->idle_timeout_s);
}

bool ccurl_attempt_expired(struct ccurl_attempt *attempt, double now_s) {
  if (now_s >= attempt->deadline_s)
    fail(attempt, DSC_TIMEOUT, "the deadline passed");
  else if (now_s >= ccurl_attempt_expires_s(attempt, now_s))
    fail(attempt, DSC_TIMEOUT, "the server was silent for too long");
  return attempt->kind != DSC_OK;
}

/*
** What came of it.
*/

static const struct {
  CURLcode code;
  enum dsc_kind kind;
} kinds[] = {
    {CURLE_OK, DSC_OK},
    {CURLE_COULDNT_RESOLVE_HOST, DSC_DNS},
    {CURLE_COULDNT_RESOLVE_PROXY, DSC_DNS},
    {CURLE_COULDNT_CONNECT, DSC_CONNECT},
    {CURLE_PROXY, DSC_CONNECT},
    {CURLE_INTERFACE_FAILED, DSC_CONNECT},
    {CURLE_SSL_CONNECT_ERROR, DSC_TLS},
    {CURLE_SSL_ENGINE_NOTFOUND, DSC_TLS},
    {CURLE_SSL_CERTPROBLEM, DSC_TLS},
    {CURLE_SSL_CIPHER, DSC_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, DSC_TLS},
    {CURLE_SSL_CACERT_BADFILE, DSC_TLS},
    {CURLE_SSL_CRL_BADFILE, DSC_TLS},
    {CURLE_SSL_ISSUER_ERROR, DSC_TLS},
    {CURLE_SSL_INVALIDCERTSTATUS, DSC_TLS},
    {CURLE_SSL_CLIENTCERT, DSC_TLS},
    {CURLE_OPERATION_TIMEDOUT, DSC_TIMEOUT},
    {CURLE_OUT_OF_MEMORY, DSC_MEMORY},
    {CURLE_UNSUPPORTED_PROTOCOL, DSC_PROTOCOL}, /* an answer without a head */
    {CURLE_WEIRD_SERVER_REPLY, DSC_PROTOCOL},
    {CURLE_BAD_CONTENT_ENCODING, DSC_PROTOCOL},
    {CURLE_WRITE_ERROR, DSC_PROTOCOL}, /* of the decoder; not one of ours */
    {CURLE_FILESIZE_EXCEEDED, DSC_PROTOCOL},
    {CURLE_URL_MALFORMAT, DSC_ARGUMENT},
    {CURLE_LOGIN_DENIED, DSC_ARGUMENT}, /* user-info in the URL */
};

static enum dsc_kind kind_of_code(CURLcode code) {
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    if (kinds[i].code == code)
      return kinds[i].kind;
  }
  return DSC_NETWORK;
}

/* The connect time-out passed, not the deadline: a fault of the server. */
static enum dsc_kind kind_of_connect_timeout(struct ccurl_attempt *attempt) {
  curl_off_t resolved_us = 0;
  curl_easy_getinfo(attempt->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved_us);
  return resolved_us == 0 ? DSC_DNS : DSC_CONNECT;
}

/* libcurl before 8.6 calls it a lack of memory, too, when a line of the head
** is longer than it takes (100 KiB). Is there memory for such a line? */
static bool head_was_too_large(const struct ccurl_attempt *attempt) {
  long sent = 0;
  curl_easy_getinfo(attempt->easy, CURLINFO_REQUEST_SIZE, &sent);
  if (sent == 0 || has_body(attempt))
    return false;
  char *line = curl_maprintf("%*s", 100 * 1024, "");
  curl_free(line);
  return line != NULL;
}

static enum dsc_kind judge(struct ccurl_attempt *attempt, CURLcode code) {
  enum dsc_kind kind = kind_of_code(code);
  if (kind == DSC_MEMORY && head_was_too_large(attempt))
    return DSC_PROTOCOL;
  if (attempt->phase == DSC_UNSENT) {
    if (kind == DSC_NETWORK)
      return DSC_CONNECT;
    if (kind == DSC_PROTOCOL)
      return DSC_ARGUMENT; /* neither http nor https */
    if (kind == DSC_TIMEOUT && attempt->connect_is_first)
      return kind_of_connect_timeout(attempt);
    return kind;
  }
  /* a bad chunk has the same code as a reset */
  if (code == CURLE_RECV_ERROR &&
      strstr(attempt->error_text, "chunked-encoding") != NULL)
    return DSC_PROTOCOL;
  return kind;
}

/* One line, no control bytes, and no query string: it may hold secrets. */
static void clean(char *text) {
  char *to = text;
  bool query = false;
  for (const char *from = text; *from != '\0'; from++) {
    const unsigned char byte = (unsigned char)*from;
    const bool space = byte <= ' ' || byte == 0x7F;
    query = !space && (query || byte == '?');
    if (!query)
      *to++ = space ? ' ' : (char)byte;
  }
  while (to > text && to[-1] == ' ')
    to--;
  *to = '\0';
}

void ccurl_attempt_end(struct ccurl_attempt *attempt, CURLcode code) {
  if (code == CURLE_OK && attempt->paused) /* 8.3.0 drops what it holds */
    fail(attempt, DSC_NETWORK, "libcurl ended a transfer that was paused");
  if (code == CURLE_OK || attempt->kind != DSC_OK)
    return;
  clean(attempt->error_text);
  const enum dsc_kind kind = judge(attempt, code);
  if (code == CURLE_OUT_OF_MEMORY && kind == DSC_PROTOCOL)
    fail(attempt, kind, head_too_large);
  else
    fail(attempt, kind,
         attempt->error_text[0] != '\0' ? attempt->error_text
                                        : curl_easy_strerror(code));
  /* bytes came, though none that libcurl could pass on as a head */
  if (attempt->kind == DSC_PROTOCOL && attempt->phase == DSC_SENT)
    attempt->phase = DSC_PARTIAL;
}

bool ccurl_attempt_stale(const struct ccurl_attempt *attempt) {
  return attempt->reused && attempt->phase != DSC_PARTIAL &&
         attempt->kind == DSC_NETWORK;
}
