#include "core/shared.h"

#include <string.h>

#define SECOND_US INT64_C(1000000)

/* The forms of what is written: bytes that are read differently have another
** number. */
#define FORM_ENTRY UINT64_C(0x3145435344) /* "DSCE1" */
#define FORM_LIMITS UINT64_C(0x314c435344)
#define FORM_BREAKER UINT64_C(0x3142435344)

/* --- names --------------------------------------------------------------- */

/* Anybody may know them: what they give is hard to guess by what is hashed. */
static const struct dsc_hash_key known = {
    {UINT64_C(0x243f6a8885a308d3), UINT64_C(0x13198a2e03707344)}};

/* Another key, with which hashes tell something else. */
static struct dsc_hash_key turned(const struct dsc_hash_key *key) {
  struct dsc_hash_key other = {{key->k[1], ~key->k[0]}};
  return other;
}

/* A key of 128 bits for a text. */
static struct dsc_hash_key derived(const struct dsc_hash_key *from,
                                   const char *text, size_t length) {
  struct dsc_hash_key other = turned(from), key;
  key.k[0] = dsc_hash(from, text, length);
  key.k[1] = dsc_hash(&other, text, length);
  return key;
}

void dsc_shared_scope(struct dsc_client *client, const char *common,
                      size_t common_length, const char *own,
                      size_t own_length) {
  client->scope = derived(&known, common, common_length);
  client->results_scope = derived(&client->scope, own, own_length);
}

void dsc_shared_identify(struct dsc_client *client, const char *token,
                         size_t length) {
  client->own_scope = derived(&client->results_scope, token, length);
}

uint64_t dsc_shared_name(const struct dsc_client *client, bool own,
                         const char *key, size_t length) {
  return dsc_hash(own ? &client->own_scope : &client->scope, key, length);
}

/* --- entries of the cache ------------------------------------------------ */

struct head {
  uint64_t check; /* of all behind it, and of the key */
  uint64_t form, stamp;
  int64_t stored_us, fresh_us, stale_us;
};

static uint64_t check_of(const struct dsc_client *client, const char *key,
                         size_t key_length, const char *bytes,
                         size_t length) {
  struct dsc_hash_key other = turned(&client->own_scope);
  struct dsc_hash_key of_key = {
      {dsc_hash(&other, key, key_length), client->own_scope.k[0]}};
  return dsc_hash(&of_key, bytes + sizeof(uint64_t),
                  length - sizeof(uint64_t));
}

void dsc_seal(const struct dsc_client *client, const char *key,
              size_t key_length, const struct dsc_sealed *sealed,
              char *bytes) {
  struct head head;
  head.form = FORM_ENTRY;
  head.stamp = sealed->stamp;
  head.stored_us = dsc_now_us(client->env);
  head.fresh_us = sealed->lifetime.fresh_us;
  head.stale_us = sealed->lifetime.stale_us;
  head.check = 0;
  memcpy(bytes, &head, sizeof head);
  head.check = check_of(client, key, key_length, bytes,
                        sizeof head + sealed->length);
  memcpy(bytes, &head.check, sizeof head.check);
}

/* The longest time that anything lasts: what options allow, and some. */
#define LASTS_MAX_US (INT64_C(4000000000) * SECOND_US)

static bool is_possible(const struct head *head, int64_t now_us) {
  return head->form == FORM_ENTRY && head->stored_us >= 0 &&
         head->stored_us <= now_us && head->fresh_us > 0 &&
         head->fresh_us <= LASTS_MAX_US && head->stale_us >= 0 &&
         head->stale_us <= LASTS_MAX_US;
}

enum dsc_seal dsc_unseal(const struct dsc_client *client, const char *key,
                         size_t key_length, const char *bytes, size_t length,
                         uint64_t stamp, struct dsc_sealed *sealed) {
  struct head head;
  int64_t now_us = dsc_now_us(client->env);
  if (length < sizeof head)
    return DSC_SEAL_BROKEN;
  memcpy(&head, bytes, sizeof head);
  if (!is_possible(&head, now_us) ||
      head.check != check_of(client, key, key_length, bytes, length))
    return DSC_SEAL_BROKEN;
  sealed->stamp = head.stamp;
  sealed->lifetime.fresh_us = head.fresh_us;
  sealed->lifetime.stale_us = head.stale_us;
  sealed->lifetime.age_us = now_us - head.stored_us;
  sealed->text = bytes + sizeof head;
  sealed->length = length - sizeof head;
  return head.stamp == stamp &&
                 sealed->lifetime.age_us < head.fresh_us + head.stale_us
             ? DSC_SEAL_GOOD
             : DSC_SEAL_OLD;
}

/* --- limits -------------------------------------------------------------- */

/* One walk over the fields writes them all, or reads them all. */
struct walk {
  bool writes;
  char *to;         /* where they are written */
  const char *from; /* or read */
  size_t at;
};

static void pass(struct walk *walk, void *field, size_t size) {
  if (walk->writes)
    memcpy(walk->to + walk->at, field, size);
  else
    memcpy(field, walk->from + walk->at, size);
  walk->at += size;
}

#define PASS(walk, field) pass(walk, &(field), sizeof(field))

static void pass_pacer(struct walk *walk, struct dsc_pacer *pacer) {
  PASS(walk, pacer->slowed_per_s);
  PASS(walk, pacer->arrival_us);
  PASS(walk, pacer->hold_us);
  PASS(walk, pacer->refused_us);
  PASS(walk, pacer->window_us);
  PASS(walk, pacer->taken);
  PASS(walk, pacer->taken_before);
  PASS(walk, pacer->pace);
}

static void pass_budget(struct walk *walk, struct dsc_budget *budget) {
  PASS(walk, budget->tokens);
  PASS(walk, budget->refilled_us);
}

static void pass_breaker(struct walk *walk, struct dsc_breaker *breaker) {
  uint32_t state = (uint32_t)breaker->state;
  PASS(walk, state);
  breaker->state = (enum dsc_breaker_state)state;
  PASS(walk, breaker->second);
  PASS(walk, breaker->buckets);
  PASS(walk, breaker->since_us);
  PASS(walk, breaker->open_us);
  PASS(walk, breaker->until_us);
  PASS(walk, breaker->permit);
  PASS(walk, breaker->opened);
}

/* Sets about a walk that writes: behind the hash and the form. */
static struct walk begin(char *bytes, uint64_t form) {
  struct walk walk = {true, bytes, bytes, sizeof(uint64_t)};
  PASS(&walk, form);
  return walk;
}

static uint64_t sum_of(const char *bytes, size_t length) {
  return dsc_hash(&known, bytes + sizeof(uint64_t),
                  length - sizeof(uint64_t));
}

static size_t end(const struct walk *walk) {
  uint64_t sum = sum_of(walk->to, walk->at);
  memcpy(walk->to, &sum, sizeof sum);
  return walk->at;
}

/* Sets about a walk that reads; false where it would be of other bytes. */
static bool begin_reading(struct walk *walk, const char *bytes,
                          size_t length, uint64_t form) {
  struct walk reading = {false, NULL, bytes, 0};
  uint64_t sum, given_form;
  if (length < sizeof sum + sizeof given_form)
    return false;
  PASS(&reading, sum);
  PASS(&reading, given_form);
  *walk = reading;
  return given_form == form && sum == sum_of(bytes, length);
}

static bool is_between(int64_t value, int64_t least, int64_t most) {
  return value >= least && value <= most;
}

/* The longest call, and the interval of the slowest pace. */
#define TURNS_MAX_US (INT64_C(2) * 86400 * SECOND_US)
#define RATE_LEAST 1e-3
#define RATE_MOST 1e9

static bool is_pacer_possible(const struct dsc_pacer *pacer, int64_t now_us) {
  bool slowed = pacer->refused_us >= 0;
  return is_between(pacer->arrival_us, 0,
                    now_us + TURNS_MAX_US + pacer->ahead_us) &&
         is_between(pacer->hold_us, 0, now_us + DSC_HOLD_MAX_US) &&
         is_between(pacer->refused_us, -1, now_us) &&
         is_between(pacer->window_us, 0, now_us) &&
         (!slowed || (pacer->slowed_per_s >= RATE_LEAST &&
                      pacer->slowed_per_s <= RATE_MOST));
}

static bool is_budget_possible(const struct dsc_budget *budget,
                               int64_t now_us) {
  return is_between(budget->tokens, 0, DSC_BUDGET_MAX) &&
         is_between(budget->refilled_us, 0, now_us);
}

static bool is_breaker_possible(const struct dsc_breaker *breaker,
                                int64_t now_us) {
  return is_between((int64_t)breaker->state, DSC_STATE_CLOSED,
                    DSC_STATE_HALF_OPEN) &&
         is_between(breaker->second, 0, now_us / SECOND_US) &&
         is_between(breaker->since_us, 0, now_us) &&
         is_between(breaker->open_us, 1, DSC_BREAKER_OPEN_MAX_US) &&
         is_between(breaker->until_us, 0, now_us + DSC_BREAKER_OPEN_MAX_US);
}

size_t dsc_limits_write(struct dsc_client *client,
                        char bytes[DSC_LIMITS_BYTES_MAX]) {
  struct walk walk = begin(bytes, FORM_LIMITS);
  pass_pacer(&walk, &client->pacer);
  pass_budget(&walk, &client->budget);
  for (uint32_t i = 0; i < client->config.servers; i++)
    pass_breaker(&walk, &client->breakers[i]);
  return end(&walk);
}

bool dsc_limits_read(struct dsc_client *client, const char *bytes,
                     size_t length) {
  struct walk walk, first;
  int64_t now_us = dsc_now_us(client->env);
  struct dsc_pacer pacer = client->pacer;
  struct dsc_budget budget;
  struct dsc_breaker breaker;
  if (length != DSC_LIMITS_BYTES((size_t)client->config.servers) ||
      !begin_reading(&walk, bytes, length, FORM_LIMITS))
    return false;
  pass_pacer(&walk, &pacer);
  pass_budget(&walk, &budget);
  if (!is_pacer_possible(&pacer, now_us) ||
      !is_budget_possible(&budget, now_us))
    return false;
  first = walk;
  for (uint32_t i = 0; i < client->config.servers; i++) {
    pass_breaker(&walk, &breaker);
    if (!is_breaker_possible(&breaker, now_us))
      return false;
  }
  for (uint32_t i = 0; i < client->config.servers; i++)
    pass_breaker(&first, &client->breakers[i]);
  client->pacer = pacer;
  client->budget = budget;
  return true;
}

size_t dsc_breaker_write(struct dsc_client *client, uint32_t operation,
                         char bytes[DSC_BREAKER_BYTES]) {
  struct walk walk = begin(bytes, FORM_BREAKER);
  pass_breaker(&walk, &client->operations[operation].breaker);
  return end(&walk);
}

bool dsc_breaker_read(struct dsc_client *client, uint32_t operation,
                      const char *bytes, size_t length) {
  struct walk walk;
  struct dsc_breaker breaker;
  if (length != DSC_BREAKER_BYTES ||
      !begin_reading(&walk, bytes, length, FORM_BREAKER))
    return false;
  pass_breaker(&walk, &breaker);
  if (!is_breaker_possible(&breaker, dsc_now_us(client->env)))
    return false;
  client->operations[operation].breaker = breaker;
  return true;
}
