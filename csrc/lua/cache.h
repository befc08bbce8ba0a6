/*
** What the functions of the cache share.
*/
#ifndef LDSC_CACHE_H
#define LDSC_CACHE_H

#include <stdbool.h>

#include "lua/client.h"

static inline void ldsc_beginkey(struct ldsc_cachekey *key,
                                 uint64_t identity) {
  memcpy(key->bytes, &identity, LDSC_IDENTITY_SIZE);
  key->length = LDSC_IDENTITY_SIZE;
}

/* False where the key would be longer than what is kept. */
static inline bool ldsc_addtokey(struct ldsc_cachekey *key, const char *text,
                                 size_t length) {
  if (length > sizeof key->bytes - key->length)
    return false;
  memcpy(key->bytes + key->length, text, length);
  key->length += length;
  return true;
}

/* Is it sure that the entry, as it was described, is there yet? */
bool ldsc_entrylives(const struct ldsc_client *client,
                     const struct dsc_entry *entry);

/*
** Pushes the entry's value, and anything below it: the shared object, or a
** fresh copy of it. False, and anything on the stack, where the entry went
** meanwhile. `at` is the stack index of the client.
*/
bool ldsc_pushentry(lua_State *L, int at, struct ldsc_client *client,
                    const struct dsc_entry *entry, bool borrow);

/* An entry of a shared store. */
struct ldsc_offer {
  const char *bytes; /* as dsc_seal made them */
  size_t length;
  uint64_t stamp; /* the one that it must have */
  bool borrow;
  bool list;      /* nothing but a table will do */
  int64_t age_max_us;
  int64_t age_us; /* when it was adopted */
};

enum ldsc_verdict { LDSC_BROKEN, LDSC_OLD, LDSC_STALE, LDSC_FRESH };

/* Keeps the entry in the cache, and pushes its value, with anything below it:
** or pushes anything, where it is broken or old. */
enum ldsc_verdict ldsc_adopt(lua_State *L, int at, struct ldsc_client *client,
                             const struct ldsc_cachekey *key,
                             struct ldsc_offer *offer);

#endif
