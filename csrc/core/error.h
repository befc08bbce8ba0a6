/*
** The closed set of error kinds. A kind is what a program decides on; texts
** are for people.
*/
#ifndef DSC_ERROR_H
#define DSC_ERROR_H

enum dsc_kind {
  DSC_OK,
  /* the way there and back */
  DSC_CONNECT,
  DSC_TLS,
  DSC_DNS,
  DSC_NETWORK,
  DSC_TIMEOUT,
  DSC_PROTOCOL,
  /* what the server said */
  DSC_AUTH,
  DSC_THROTTLED,
  DSC_SERVER,
  DSC_HTTP,
  DSC_NOT_API,
  DSC_API,
  DSC_OUTCOME_UNKNOWN,
  /* what we decided */
  DSC_DEADLINE,
  DSC_CANCELLED,
  DSC_BREAKER_OPEN,
  DSC_BUSY,
  DSC_LIMIT,
  DSC_CLOSED,
  DSC_PHASE,
  DSC_MEMORY,
  DSC_UNSUPPORTED,
  /* what the caller gave */
  DSC_ARGUMENT,
  DSC_NOT_FOUND,
  DSC_AMBIGUOUS,
  DSC_KINDS
};

/* How far a request got: decides whether the server may have acted. */
enum dsc_phase { DSC_UNSENT, DSC_SENT, DSC_PARTIAL, DSC_PHASES };

/* The name that users see, as in err.kind == "outcome_unknown". */
const char *dsc_kind_name(enum dsc_kind kind);
/* DSC_KINDS for a name that is none. */
enum dsc_kind dsc_kind_of(const char *name);
/* DSC_PHASES for a name that is none. */
enum dsc_phase dsc_phase_of(const char *name);

#endif
