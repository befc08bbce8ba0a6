/*
** HTTP/1.1 (RFC 9112) for transports that carry bytes and know no more: the
** head of a request is written, an answer is read block by block, cut
** anywhere. What could be understood in two ways is refused: two parties that
** see the bounds of an answer differently are how answers get mixed up.
*/
#ifndef DSC_HTTP1_H
#define DSC_HTTP1_H

#include "core/buf.h"
#include "core/error.h"

/* Of all heads of an answer (interim ones, trailers and the extensions of
** chunks included); of the fields of one of them; of a field's name. */
#define DSC_HTTP1_HEAD_BYTES_MAX ((size_t)64 << 10)
#define DSC_HTTP1_FIELDS_MAX 100
#define DSC_HTTP1_NAME_MAX 255

/* --- requests ------------------------------------------------------------ */

/* More than what is added to the lines' own bytes by each line, and by the
** first and the last one together. */
#define DSC_HTTP1_LINE_EXTRA 2
#define DSC_HTTP1_EXTRA 64

struct dsc_text {
  const char *data;
  size_t length;
};

/*
** The request line and Host; then a line as "accept: text/plain" each; then
** the end, with the length of the body (below 0: there is none). DSC_ARGUMENT
** for what has no place there, bytes that would end a line early above all,
** and for lines that only the writer may write: those that say how long the
** request is, and what the connection is for. DSC_MEMORY where the buffer is
** full.
*/
enum dsc_kind dsc_http1_begin(struct dsc_buf *out,
                              const struct dsc_text *method,
                              const struct dsc_text *target,
                              const struct dsc_text *host);
enum dsc_kind dsc_http1_line(struct dsc_buf *out, const struct dsc_text *line);
enum dsc_kind dsc_http1_end(struct dsc_buf *out, int64_t body_length);

/* --- answers ------------------------------------------------------------- */

enum dsc_http1_event {
  DSC_HTTP1_MORE,  /* the block is used up; if no more come: ..._closed */
  DSC_HTTP1_FIELD, /* name and text: a field of the head, but not an interim
                      one's; valid until the next call */
  DSC_HTTP1_HEAD,  /* the head is over; the status is known */
  DSC_HTTP1_BODY,  /* text: the next bytes of the body, in the block */
  DSC_HTTP1_DONE,
  DSC_HTTP1_FAILED /* kind and reason, now and from now on */
};

struct dsc_http1 {
  const char *at, *end; /* what is left of the block */
  struct dsc_text name, text;
  int32_t status;
  bool reusable; /* once it is DONE: may the connection serve again? */
  uint64_t body_bytes_max; /* may be changed when the head is over */
  enum dsc_kind kind;
  const char *reason;
  /* the rest is the reader's own */
  struct dsc_buf line; /* the beginning of a line that came in pieces */
  bool line_used;
  uint8_t state;
  uint8_t ended; /* bytes of the end of a chunk that have come */
  bool bodiless; /* it answers a HEAD */
  bool old;      /* HTTP/1.0 */
  bool closes, keeps, chunked, has_length;
  size_t head_left;
  int32_t fields;
  uint64_t length; /* of the body, or of the chunk: what is left of it */
  uint64_t body_bytes;
};

/* The answer to one request; `head_only` where that is a HEAD. */
void dsc_http1_init(struct dsc_http1 *http1, const struct dsc_env *env,
                    bool head_only, uint64_t body_bytes_max);
void dsc_http1_free(struct dsc_http1 *http1);

/* The next block. It must stay until dsc_http1_next says MORE or DONE; bytes
** behind the end of the answer are left, and make it not reusable. */
void dsc_http1_feed(struct dsc_http1 *http1, const char *data, size_t length);
enum dsc_http1_event dsc_http1_next(struct dsc_http1 *http1);

/* The connection has ended after all that was fed: DONE, or FAILED with
** DSC_NETWORK, since it was cut. */
enum dsc_http1_event dsc_http1_closed(struct dsc_http1 *http1);

#endif
