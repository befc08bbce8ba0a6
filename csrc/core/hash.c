#include "core/hash.h"

#include <string.h>

struct state {
  uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, int bits) {
  return (x << bits) | (x >> (64 - bits));
}

static inline void mix(struct state *s) {
  s->v0 += s->v1;
  s->v2 += s->v3;
  s->v1 = rotate(s->v1, 13) ^ s->v0;
  s->v3 = rotate(s->v3, 16) ^ s->v2;
  s->v0 = rotate(s->v0, 32) + s->v3;
  s->v2 += s->v1;
  s->v3 = rotate(s->v3, 21) ^ s->v0;
  s->v1 = rotate(s->v1, 17) ^ s->v2;
  s->v2 = rotate(s->v2, 32);
}

static inline void absorb(struct state *s, uint64_t word) {
  s->v3 ^= word;
  mix(s);
  s->v0 ^= word;
}

uint64_t dsc_hash(const struct dsc_hash_key *key, const void *data,
                  size_t length) {
  const unsigned char *at = (const unsigned char *)data;
  struct state s = {key->k[0] ^ UINT64_C(0x736f6d6570736575),
                    key->k[1] ^ UINT64_C(0x646f72616e646f6d),
                    key->k[0] ^ UINT64_C(0x6c7967656e657261),
                    key->k[1] ^ UINT64_C(0x7465646279746573)};
  size_t left = length;
  uint64_t word;
  for (; left >= sizeof word; left -= sizeof word, at += sizeof word) {
    memcpy(&word, at, sizeof word);
    absorb(&s, word);
  }
  word = (uint64_t)length << 56;
  for (size_t i = 0; i < left; i++)
    word |= (uint64_t)at[i] << (8 * i);
  absorb(&s, word);
  s.v2 ^= 0xff;
  mix(&s);
  mix(&s);
  mix(&s);
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
