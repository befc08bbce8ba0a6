/*
** What the files of the JSON codec share: how answers become Lua values
** (shape), and the places both directions agree on.
*/
#ifndef LDSC_JSON_H
#define LDSC_JSON_H

#include <stdbool.h>

#include "core/envelope.h"
#include "core/json.h"
#include "lua/module.h"

/* The metatable of arrays, by name in the registry. */
#define LDSC_ARRAY "dsclient.array"

/* What a key says about its value. */
enum {
  LDSC_CODE = 1,     /* an integer is a code */
  LDSC_CODES = 2,    /* integers in an array are codes */
  LDSC_ROWS = 4,     /* in the root object: a list of rows */
  LDSC_STATE = 8,    /* in a row: the state of it */
  LDSC_RUN_STATE = 16, /* in the root object: the state of a workflow run */
  LDSC_TIME = 32     /* in a row: a time that is given in seconds as well */
};

enum ldsc_rows { LDSC_NO_ROWS, LDSC_PLAIN, LDSC_INSTANCES, LDSC_TASKS };

/* A key that is renamed or means something. */
struct ldsc_key {
  const char *text; /* NULL: an empty slot */
  const char *name; /* what it is called in Lua */
  const char *derived; /* of LDSC_TIME: the key of the seconds */
  uint16_t length, name_length;
  uint8_t flags;
};

/* From this time of its clocks on a zone is that far east of UTC. */
struct ldsc_change {
  int64_t local_s, utc_offset_s;
};

/* Of so many levels of an answer it is kept how large the last containers
** were, up to a size above which growing costs little: those of the next
** answer likely are as large. */
#define LDSC_HINTS 8
#define LDSC_HINT_MAX 128

struct ldsc_hint {
  uint32_t array, object;
};

/* One block of memory: slots, changes, then the texts that slots point to. */
struct ldsc_shape {
  struct ldsc_hint hints[LDSC_HINTS];
  bool raw;
  uint8_t root_flags;
  enum ldsc_rows rows;
  int64_t utc_offset_s; /* before the first change */
  struct ldsc_change *changes;
  size_t change_count;
  uint32_t mask; /* slots - 1 */
  struct ldsc_key keys[1];
};

/* The key's entry, or NULL for a key like any other. */
const struct ldsc_key *ldsc_findkey(const struct ldsc_shape *shape,
                                    const char *text, size_t length);

/* How far the zone of the answers is from UTC when its clocks show a time. */
int64_t ldsc_offset_at(const struct ldsc_shape *shape, int64_t local_s);

/* A state as the server's enum numbers it. */
struct ldsc_state {
  const char *name;
  uint8_t finished, failed, running;
};

/*
** The state that a name, a Java toString() of the enum or a number stands
** for; NULL where it is unknown.
*/
const struct ldsc_state *ldsc_findstate(const char *text, size_t length,
                                        enum ldsc_rows rows);

/* Epoch seconds of "yyyy-MM-dd HH:mm:ss" in UTC; false where it is none. */
bool ldsc_readtime(const char *text, size_t length, int64_t *seconds);

void ldsc_open_shape(lua_State *L);
void ldsc_open_decode(lua_State *L);
void ldsc_open_encode(lua_State *L);

/* shape:decode, a method of the shape's class. */
int ldsc_shape_decode(lua_State *L);

/*
** Pushes the value that the member `data` of an answer stands for, and tells
** where that is: before the answer is judged, so that it is read once. Nothing,
** and at is NULL, where the answer looks like no success, or not like one of
** the servers', or `data` is null or malformed.
*/
struct dsc_known ldsc_pushdata(lua_State *L, struct ldsc_shape *shape,
                               const char *text, size_t length);

/* Throws where the argument is no shape. */
struct ldsc_shape *ldsc_checkshape(lua_State *L, int arg);

#endif
