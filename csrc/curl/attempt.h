/*
** One attempt: an easy handle with the request it sends and the answer it
** collects. The handle outlives the attempt; a pool uses it again, so its
** constant options are set once.
*/
#ifndef CCURL_ATTEMPT_H
#define CCURL_ATTEMPT_H

#include <curl/curl.h>

#include "core/buf.h"
#include "core/error.h"
#include "curl/events.h"

/* Lines of a request's head; a client of one API sends under ten. */
#define CCURL_LINES_MAX 64
/* Bytes of a request, body included: the API takes small forms only. */
#define CCURL_REQUEST_BYTES_MAX ((size_t)64 << 20)
/* Bytes of an answer's head, as in the reader of the byte-stream transports. */
#define CCURL_HEAD_BYTES_MAX ((size_t)64 << 10)

/* Of a file: as much is kept until it is taken, and then as much at once. */
#define CCURL_PIECE_BYTES ((size_t)64 << 10)
#define CCURL_PIECE_BYTES_MAX (CCURL_PIECE_BYTES + CURL_MAX_WRITE_SIZE)

/*
** Where the body of a file goes, that is of a 2xx answer with exactly one
** Content-Disposition, an attachment. All other bodies are kept.
*/
enum ccurl_sink {
  CCURL_KEEP,   /* nowhere: it is kept, too */
  CCURL_PIECES, /* to the caller, who takes piece by piece */
  CCURL_FD      /* to a file descriptor, as it comes */
};

struct ccurl_options {
  const char *user_agent; /* NULL: no such header */
  const char *proxy;      /* NULL: as the environment says; "": none */
  const char *ca_file;
  const char *cert;
  const char *key;
  bool verify;
  long pool_maxsize;
  long idle_max_s;
};

struct ccurl_request {
  const char *method;
  const char *url;
  const char *body; /* NULL: none */
  size_t body_length;
  size_t body_bytes_max; /* of the answer */
  double deadline_s;     /* on the clock of ccurl_now_s */
  double connect_timeout_s;
  double idle_timeout_s; /* within the answer; 0: none */
  bool fresh;            /* never on a connection that was used before */
  bool timed;            /* its times are of interest */
  enum ccurl_sink sink;
  int sink_fd;
};

struct ccurl_attempt {
  struct ccurl_pool *pool;
  struct ccurl_events *events; /* of the pool */
  struct ccurl_transfer *owner; /* whom the pool tells of an early end */
  struct ccurl_attempt *next;
  struct ccurl_attempt *previous;
  CURL *easy;
  struct curl_slist lines[CCURL_LINES_MAX];
  size_t line_count;
  struct dsc_buf request; /* the lines, each ended by NUL; the body */
  struct dsc_buf head;
  struct dsc_buf body;
  size_t body_bytes_max;
  size_t head_bytes; /* of all heads, interim answers included */
  double deadline_s;
  bool connect_is_first; /* its time-out comes before the deadline */
  double idle_timeout_s;
  bool moved;            /* bytes of the answer came, and nobody knows when */
  double moved_at_s;     /* when they did, or were found to have come */
  enum ccurl_sink sink;
  int sink_fd;
  int dispositions; /* lines of the head that say what to do with the body */
  bool attachment;  /* the last of them says: keep it as a file */
  bool sinking;     /* the body goes to the sink */
  bool paused;      /* until the piece that is kept is taken */
  bool plain;       /* of the handle: it asks for no compression */
  bool timed;
  uint64_t delivered; /* bytes that the sink has got */
  enum dsc_phase phase;
  enum dsc_kind kind;  /* DSC_OK until something went wrong */
  const char *text;    /* one line for people about that; no query strings */
  uint64_t id;         /* of its transfer, for who waits for many */
  bool told;           /* that it can be read, to him */
  bool running;        /* in the hands of libcurl */
  bool detached;       /* no longer in the pool's list */
  bool reused;
  char error_text[CURL_ERROR_SIZE];
};

double ccurl_now_s(void);

/* The compressions that this libcurl can undo; NULL: none. */
const char *ccurl_encodings(void);
/* Makes the handle that all others are copies of. */
CURLcode ccurl_model(CURL **model, const struct ccurl_options *options);

/* The struct is zeroed; false when there is no memory. */
bool ccurl_attempt_init(struct ccurl_attempt *attempt, CURL *model,
                        struct ccurl_events *events);
void ccurl_attempt_free(struct ccurl_attempt *attempt);

/* Forgets the last attempt, before the first line of the next. */
void ccurl_attempt_reset(struct ccurl_attempt *attempt);
/* DSC_OK, DSC_LIMIT, DSC_MEMORY, or DSC_ARGUMENT for CR, LF or NUL. */
enum dsc_kind ccurl_attempt_line(struct ccurl_attempt *attempt,
                                 const char *line, size_t length);
/* After the lines; DSC_OK, DSC_TIMEOUT, DSC_LIMIT or DSC_MEMORY. */
enum dsc_kind ccurl_attempt_prepare(struct ccurl_attempt *attempt,
                                    const struct ccurl_request *request);

/* Ends it with DSC_TIMEOUT if it is over one of its times; says if it is. */
bool ccurl_attempt_expired(struct ccurl_attempt *attempt, double now_s);
/* The next time at which ccurl_attempt_expired may say so, as of now. */
double ccurl_attempt_expires_s(struct ccurl_attempt *attempt, double now_s);

/* Is it over, or does a piece of a file wait to be taken? */
bool ccurl_attempt_readable(const struct ccurl_attempt *attempt);
/* The system can't watch a socket of this handle. */
void ccurl_attempt_unwatched(CURL *easy);
/* Is this handle one of ours, and nothing of its request sent yet? */
bool ccurl_attempt_unsent(CURL *easy);
/* libcurl is done with it: sets kind and text, and may move the phase on. */
void ccurl_attempt_end(struct ccurl_attempt *attempt, CURLcode code);
/*
** Takes what has come of a file into room of CCURL_PIECE_BYTES_MAX, and lets
** libcurl go on; how much it was. The code is of libcurl, where it can't.
*/
size_t ccurl_attempt_take(struct ccurl_attempt *attempt, char *room,
                          CURLcode *code);
/* A connection of the pool was dead, or died before one byte of the answer
** came. */
bool ccurl_attempt_stale(const struct ccurl_attempt *attempt);

#endif
