/*
** What the functions of the cache share.
*/
#ifndef LDSC_CACHE_H
#define LDSC_CACHE_H

#include <stdbool.h>

#include "lua/client.h"

/* An entry's key begins with the identity whose it is; objects that the user
** keeps are of none: they stay when the token changes. */
#define LDSC_IDENTITY_SIZE sizeof(uint64_t)
#define LDSC_NO_IDENTITY 0

/* A longer key is not worth its place in the cache. */
#define LDSC_KEY_MAX 2048

struct ldsc_cachekey {
  char bytes[LDSC_IDENTITY_SIZE + LDSC_KEY_MAX];
  size_t length;
};

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

#endif
