/*
** SipHash-1-3 (Aumasson, Bernstein 2012): a keyed hash, so that keys which a
** server chose can't be made to collide, and the token's identity in a cache
** key does not tell the token.
*/
#ifndef DSC_HASH_H
#define DSC_HASH_H

#include <stddef.h>
#include <stdint.h>

struct dsc_hash_key {
  uint64_t k[2];
};

uint64_t dsc_hash(const struct dsc_hash_key *key, const void *data,
                  size_t length);

#endif
