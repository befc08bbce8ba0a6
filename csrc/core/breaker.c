#include "core/breaker.h"

#include <string.h>

#define SECOND_US INT64_C(1000000)

/* It opens where half of at least so many calls failed. */
#define CALLS_MIN 20
#define FAILURES_PART 2

/* It stays open for one second, then twice as long with each failed probe. */
#define OPEN_FIRST_US SECOND_US

/* A probe that hangs since before the server came back must not keep others
** out: with DSC_BREAKER_OPEN_MAX_US it is asked within ten seconds of that. */
#define LEASE_MAX_US (2 * SECOND_US)

static void enter(struct dsc_breaker *breaker, enum dsc_breaker_state state,
                  int64_t now_us) {
  breaker->state = state;
  breaker->since_us = now_us;
}

static void close_it(struct dsc_breaker *breaker, int64_t now_us) {
  memset(breaker->buckets, 0, sizeof breaker->buckets);
  breaker->second = now_us / SECOND_US;
  breaker->open_us = OPEN_FIRST_US;
  enter(breaker, DSC_STATE_CLOSED, now_us);
}

void dsc_breaker_init(struct dsc_breaker *breaker, int64_t now_us) {
  breaker->until_us = 0;
  breaker->permit = breaker->opened = 0;
  close_it(breaker, now_us);
}

static void open_it(struct dsc_breaker *breaker, int64_t now_us) {
  enter(breaker, DSC_STATE_OPEN, now_us);
  breaker->until_us = now_us + breaker->open_us;
  breaker->open_us *= 2;
  if (breaker->open_us > DSC_BREAKER_OPEN_MAX_US)
    breaker->open_us = DSC_BREAKER_OPEN_MAX_US;
  breaker->opened = ++breaker->permit;
}

bool dsc_breaker_would_allow(const struct dsc_breaker *breaker,
                             int64_t now_us) {
  return breaker->state == DSC_STATE_CLOSED || now_us >= breaker->until_us;
}

uint32_t dsc_breaker_permit(struct dsc_breaker *breaker, int64_t now_us,
                            int64_t lease_until_us) {
  if (breaker->state == DSC_STATE_OPEN)
    enter(breaker, DSC_STATE_HALF_OPEN, now_us);
  if (breaker->state == DSC_STATE_HALF_OPEN) {
    breaker->until_us = lease_until_us < now_us + LEASE_MAX_US
                            ? lease_until_us
                            : now_us + LEASE_MAX_US;
    breaker->permit++;
  }
  return breaker->permit;
}

/* Is the bucket of a second among the last ten at this time? */
static bool is_recent(const struct dsc_breaker *breaker, int64_t index,
                      int64_t second) {
  int64_t age = (breaker->second - index) % DSC_BREAKER_BUCKETS;
  if (age < 0)
    age += DSC_BREAKER_BUCKETS;
  return breaker->second - age > second - DSC_BREAKER_BUCKETS;
}

void dsc_breaker_counts(const struct dsc_breaker *breaker, int64_t now_us,
                        uint64_t *calls, uint64_t *failures) {
  *calls = *failures = 0;
  for (int64_t i = 0; i < DSC_BREAKER_BUCKETS; i++) {
    if (!is_recent(breaker, i, now_us / SECOND_US))
      continue;
    *calls += breaker->buckets[i].calls;
    *failures += breaker->buckets[i].failures;
  }
}

/* Empties the buckets of the seconds that passed since the last look. */
static void turn(struct dsc_breaker *breaker, int64_t now_us) {
  int64_t second = now_us / SECOND_US;
  for (int64_t i = 0; i < DSC_BREAKER_BUCKETS; i++)
    if (!is_recent(breaker, i, second))
      breaker->buckets[i].calls = breaker->buckets[i].failures = 0;
  breaker->second = second;
}

static bool count(struct dsc_breaker *breaker, int64_t now_us, bool failed) {
  uint64_t calls, failures;
  turn(breaker, now_us);
  int64_t index = breaker->second % DSC_BREAKER_BUCKETS;
  breaker->buckets[index].calls++;
  breaker->buckets[index].failures += failed;
  if (!failed)
    return false;
  dsc_breaker_counts(breaker, now_us, &calls, &failures);
  if (calls < CALLS_MIN || failures * FAILURES_PART < calls)
    return false;
  open_it(breaker, now_us);
  return true;
}

static bool probed(struct dsc_breaker *breaker, int64_t now_us,
                   enum dsc_health health) {
  if (health == DSC_HEALTH_UNKNOWN) {
    breaker->until_us = now_us; /* the next one may try */
    return false;
  }
  if (health == DSC_HEALTH_GOOD)
    close_it(breaker, now_us);
  else
    open_it(breaker, now_us);
  return true;
}

bool dsc_breaker_report(struct dsc_breaker *breaker, int64_t now_us,
                        uint32_t permit, enum dsc_health health) {
  bool overdue = permit != breaker->permit;
  if (overdue && breaker->state == DSC_STATE_HALF_OPEN &&
      permit > breaker->opened && health == DSC_HEALTH_GOOD) {
    close_it(breaker, now_us); /* slow, but an answer of now */
    return true;
  }
  if (breaker->state == DSC_STATE_OPEN || overdue)
    return false;
  if (breaker->state == DSC_STATE_HALF_OPEN)
    return probed(breaker, now_us, health);
  if (health != DSC_HEALTH_GOOD && health != DSC_HEALTH_BAD)
    return false;
  return count(breaker, now_us, health == DSC_HEALTH_BAD);
}

enum dsc_breaker_state dsc_breaker_at(const struct dsc_breaker *breaker,
                                      int64_t now_us) {
  if (breaker->state == DSC_STATE_OPEN && now_us >= breaker->until_us)
    return DSC_STATE_HALF_OPEN;
  return breaker->state;
}

const char *dsc_breaker_name(enum dsc_breaker_state state) {
  static const char *const names[] = {"closed", "open", "half-open"};
  return names[state];
}
