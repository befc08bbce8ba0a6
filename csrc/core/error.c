#include "core/error.h"

#include <string.h>

static const char *const kinds[DSC_KINDS] = {
    "ok",        "connect",         "tls",      "dns",          "network",
    "timeout",   "protocol",        "auth",     "throttled",    "server",
    "http",      "not_api",         "api",      "outcome_unknown",
    "deadline",  "cancelled",       "breaker_open", "busy",     "limit",
    "closed",    "phase",           "memory",   "unsupported",  "argument",
    "not_found", "ambiguous",
};

static const char *const phases[DSC_PHASES] = {"unsent", "sent", "partial"};

static int find(const char *const *names, int count, const char *name) {
  int i = 0;
  while (i < count && strcmp(names[i], name) != 0)
    i++;
  return i;
}

const char *dsc_kind_name(enum dsc_kind kind) { return kinds[kind]; }

enum dsc_kind dsc_kind_of(const char *name) {
  return (enum dsc_kind)find(kinds, DSC_KINDS, name);
}

enum dsc_phase dsc_phase_of(const char *name) {
  return (enum dsc_phase)find(phases, DSC_PHASES, name);
}
