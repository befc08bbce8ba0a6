/*
** An answer is read the same however it is cut, and never behind a block's
** end; what is accepted as a line of a request is one.
**
** Input: the first byte says whether it answers a HEAD and how many bytes are
** a block at most, the second how large a body may be; the rest is the answer.
*/
#include <stdlib.h>
#include <string.h>

#include "core/http1.h"
#include "harness.h"

/* What came of an answer. */
struct outcome {
  enum dsc_http1_event event;
  enum dsc_kind kind;
  int32_t status;
  bool reusable;
  size_t fields, body_length, used;
  uint32_t fields_hash, body_hash;
};

static uint32_t mix(uint32_t hash, const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    hash = (hash ^ (unsigned char)text[i]) * 16777619u; /* FNV-1a */
  return hash;
}

static void note_field(struct outcome *outcome,
                       const struct dsc_http1 *http1) {
  REQUIRE(http1->name.length > 0 && http1->name.length <= DSC_HTTP1_NAME_MAX);
  REQUIRE(memchr(http1->name.data, ':', http1->name.length) == NULL);
  REQUIRE(http1->text.length == 0 ||
          memchr(http1->text.data, '\r', http1->text.length) == NULL);
  outcome->fields++;
  outcome->fields_hash =
      mix(outcome->fields_hash, http1->name.data, http1->name.length);
  outcome->fields_hash =
      mix(outcome->fields_hash, http1->text.data, http1->text.length);
}

/* Reads a block to its end; the last event. */
static enum dsc_http1_event read_block(struct dsc_http1 *http1,
                                       struct outcome *outcome) {
  for (;;) {
    enum dsc_http1_event event = dsc_http1_next(http1);
    if (event == DSC_HTTP1_FIELD) {
      note_field(outcome, http1);
    } else if (event == DSC_HTTP1_HEAD) {
      REQUIRE(http1->status >= 200 && http1->status <= 599);
    } else if (event == DSC_HTTP1_BODY) {
      REQUIRE(http1->text.length > 0);
      outcome->body_length += http1->text.length;
      outcome->body_hash =
          mix(outcome->body_hash, http1->text.data, http1->text.length);
    } else {
      return event;
    }
  }
}

static struct outcome read_answer(const uint8_t *data, size_t size,
                                  size_t block_max, bool head_only,
                                  uint64_t body_max) {
  struct dsc_http1 http1;
  struct outcome outcome;
  memset(&outcome, 0, sizeof outcome);
  dsc_http1_init(&http1, &fuzz_memory, head_only, body_max);
  while (outcome.used < size && outcome.event == DSC_HTTP1_MORE) {
    size_t left = size - outcome.used;
    size_t length = left < block_max ? left : block_max;
    char *block = fuzz_copy(data + outcome.used, length);
    dsc_http1_feed(&http1, block, length);
    outcome.event = read_block(&http1, &outcome);
    REQUIRE(outcome.event != DSC_HTTP1_MORE || http1.at == http1.end);
    outcome.used += (size_t)(http1.at - block);
    free(block);
  }
  if (outcome.event == DSC_HTTP1_MORE)
    outcome.event = dsc_http1_closed(&http1);
  outcome.kind = http1.kind;
  outcome.status = http1.status;
  /* of what is left only a part was seen where the blocks are small */
  outcome.reusable = http1.reusable && outcome.used == size;
  REQUIRE(outcome.event == DSC_HTTP1_DONE ||
          outcome.event == DSC_HTTP1_FAILED);
  REQUIRE((outcome.event == DSC_HTTP1_FAILED) == (http1.reason != NULL));
  REQUIRE(outcome.body_length <= body_max);
  dsc_http1_free(&http1);
  return outcome;
}

static void compare(const struct outcome *a, const struct outcome *b) {
  REQUIRE(a->event == b->event);
  REQUIRE(a->kind == b->kind);
  if (a->event != DSC_HTTP1_DONE)
    return;
  REQUIRE(a->status == b->status && a->reusable == b->reusable);
  REQUIRE(a->used == b->used);
  REQUIRE(a->fields == b->fields && a->fields_hash == b->fields_hash);
  REQUIRE(a->body_length == b->body_length && a->body_hash == b->body_hash);
}

/* Is it one line, with its end? */
static void check_line(const uint8_t *data, size_t size) {
  char *text = fuzz_copy(data, size);
  const struct dsc_text line = {text, size};
  struct dsc_buf out;
  dsc_buf_init(&out, &fuzz_memory, SIZE_MAX / 2);
  if (dsc_http1_line(&out, &line) == DSC_OK) {
    REQUIRE(out.length == size + 2);
    REQUIRE(memchr(out.data, '\r', out.length) == out.data + size);
    REQUIRE(memchr(out.data, '\n', out.length) == out.data + size + 1);
    REQUIRE(memchr(out.data, '\0', out.length) == NULL);
  } else {
    REQUIRE(out.length == 0);
  }
  dsc_buf_free(&out);
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, data + size};
  size_t block_max = fuzz_below(&input, 256);
  bool head_only = block_max >= 128;
  uint64_t body_max = fuzz_below(&input, 256);
  size_t length = (size_t)(input.end - input.at);
  struct outcome whole =
      read_answer(input.at, length, SIZE_MAX, head_only, body_max);
  struct outcome cut = read_answer(input.at, length, block_max % 128 + 1,
                                   head_only, body_max);
  compare(&whole, &cut);
  check_line(input.at, length);
  REQUIRE(fuzz_memory_free());
  return 0;
}
