/*
** What clients of several processes have in common, as bytes in a store that
** each of them writes to: entries of the cache, and the limits. They are of
** one machine: its clock and its order of bytes are the same for all.
**
** What is read is not trusted. It carries a hash, of entries with their keys,
** and whatever it says has to be possible: an error in the store costs what
** was in it, never more.
*/
#ifndef DSC_SHARED_H
#define DSC_SHARED_H

#include "core/client.h"

/* --- names --------------------------------------------------------------- */

/* Whose the bytes are: `common` says which servers they are of, `own` what
** else parts the results of two clients. To be given before the identity. */
void dsc_shared_scope(struct dsc_client *client, const char *common,
                      size_t common_length, const char *own,
                      size_t own_length);
void dsc_shared_identify(struct dsc_client *client, const char *token,
                         size_t length);

/* The same for each client of the scope; with `own`, of the identity, too. */
uint64_t dsc_shared_name(const struct dsc_client *client, bool own,
                         const char *key, size_t length);

/* --- entries of the cache ------------------------------------------------ */

/* What stands before the text of an entry. */
#define DSC_SEAL_BYTES 48

struct dsc_sealed {
  uint64_t stamp; /* the one of the entries that are not too old */
  struct dsc_lifetime lifetime;
  const char *text;
  size_t length;
};

enum dsc_seal {
  DSC_SEAL_BROKEN, /* nobody has written that */
  DSC_SEAL_OLD,    /* its time is over, or its stamp another */
  DSC_SEAL_GOOD
};

/* Writes the seal of a text that stands behind it already, to last from now
** on for the lifetime. */
void dsc_seal(const struct dsc_client *client, const char *key,
              size_t key_length, const struct dsc_sealed *sealed, char *bytes);

/* Reads an entry of the key; one that is good has the wanted stamp, and its
** age is in the lifetime. */
enum dsc_seal dsc_unseal(const struct dsc_client *client, const char *key,
                         size_t key_length, const char *bytes, size_t length,
                         uint64_t stamp, struct dsc_sealed *sealed);

/* --- limits -------------------------------------------------------------- */

/* As many servers as a client can have. */
#define DSC_SERVERS_MAX 64
#define DSC_BREAKER_BYTES 140
#define DSC_LIMITS_BYTES(servers) (80 + (servers) * 124)
#define DSC_LIMITS_BYTES_MAX DSC_LIMITS_BYTES(DSC_SERVERS_MAX)

/* Pace, budget and the breakers of the servers; how many bytes. */
size_t dsc_limits_write(struct dsc_client *client,
                        char bytes[DSC_LIMITS_BYTES_MAX]);
/* False, and nothing changes, where they can't be. */
bool dsc_limits_read(struct dsc_client *client, const char *bytes,
                     size_t length);

/* The same of the breaker of one operation. */
size_t dsc_breaker_write(struct dsc_client *client, uint32_t operation,
                         char bytes[DSC_BREAKER_BYTES]);
bool dsc_breaker_read(struct dsc_client *client, uint32_t operation,
                      const char *bytes, size_t length);

#endif
