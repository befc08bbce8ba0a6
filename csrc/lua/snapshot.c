/*
** Snapshots of counters, which other processes add up.
*/
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "lua/metrics.h"

#define SUM "dsclient.metrics_sum"

/* The form of a snapshot: one that is read differently has another number. */
#define VERSION 1

/* What snapshots added up to. */
struct sum {
  struct dsc_env env; /* memory only */
  struct dsc_metrics metrics;
};

static int sum_gc(lua_State *L) {
  dsc_metrics_free(&((struct sum *)lua_touserdata(L, 1))->metrics);
  return 0;
}

static struct sum *push_sum(lua_State *L) {
  struct sum *sum = (struct sum *)lua_newuserdata(L, sizeof *sum);
  memset(sum, 0, sizeof *sum);
  sum->env.alloc = lua_getallocf(L, &sum->env.ud);
  dsc_metrics_init(&sum->metrics, &sum->env);
  luaL_getmetatable(L, SUM);
  lua_setmetatable(L, -2);
  return sum;
}

bool ldsc_issum(lua_State *L, int arg) {
  if (lua_touserdata(L, arg) == NULL || !lua_getmetatable(L, arg))
    return false;
  luaL_getmetatable(L, SUM);
  bool ours = lua_rawequal(L, -1, -2) != 0;
  lua_pop(L, 2);
  return ours;
}

const struct dsc_metrics *ldsc_checkmetrics(lua_State *L, int arg) {
  if (ldsc_issum(L, arg))
    return &((const struct sum *)lua_touserdata(L, arg))->metrics;
  return &ldsc_checkclient(L, arg)->core.metrics;
}

/* --- what stands where --------------------------------------------------- */

/*
** One table says what stands where in a snapshot, for writing and reading:
**
**   {version = 1, operations = {{name, calls = {ok = 3}, attempts = {…},
**    retries = {…}, missed, bytes_in, bytes_out, prefetch_issued, …_used,
**    …_wasted, refresh_issued, …, durations = {count, total_us, min_us, max_us,
**    within = {15 counts}, buckets = {index, count, …}}}, …}}
**
** Counts of 0 are left out.
*/
enum form {
  NAME,
  COUNT,
  COUNTS,  /* by the names of kinds, and some more of ends */
  WITHIN,  /* a count a bound */
  BUCKETS, /* index and count of each that is not empty */
  DURATIONS
};

struct field {
  const char *name;
  enum form form;
  size_t offset;
  int count; /* of COUNTS */
};

#define OF(form, name, type, member, count) \
  {name, form, offsetof(struct type, member), count}

#define OF_FATE(name, kind, fate) \
  OF(COUNT, name, ldsc_row, counters.ahead[kind][fate], 0),

static const struct field counter_fields[] = {
    OF(NAME, "name", ldsc_row, name, 0),
    OF(COUNTS, "calls", ldsc_row, counters.calls, DSC_ENDS),
    OF(COUNTS, "attempts", ldsc_row, counters.attempts, DSC_KINDS),
    OF(COUNTS, "retries", ldsc_row, counters.retries, DSC_KINDS),
    OF(COUNT, "missed", ldsc_row, counters.missed, 0),
    OF(COUNT, "bytes_in", ldsc_row, counters.bytes_in, 0),
    OF(COUNT, "bytes_out", ldsc_row, counters.bytes_out, 0),
    LDSC_FATES(OF_FATE)
    OF(DURATIONS, "durations", ldsc_row, counters.durations, 0),
    {NULL, NAME, 0, 0},
};

static const struct field duration_fields[] = {
    OF(COUNT, "count", dsc_histogram, count, 0),
    OF(COUNT, "total_us", dsc_histogram, total_us, 0),
    OF(COUNT, "min_us", dsc_histogram, min_us, 0),
    OF(COUNT, "max_us", dsc_histogram, max_us, 0),
    OF(WITHIN, "within", dsc_histogram, within, 0),
    OF(BUCKETS, "buckets", dsc_histogram, buckets, 0),
    {NULL, NAME, 0, 0},
};

/* --- writing ------------------------------------------------------------- */

static void push_within(lua_State *L, const uint64_t *within) {
  lua_createtable(L, DSC_BOUNDS + 1, 0);
  for (int i = 0; i <= DSC_BOUNDS; i++) {
    lua_pushinteger(L, (lua_Integer)within[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

static void push_buckets(lua_State *L, const uint32_t *buckets) {
  int length = 0;
  lua_newtable(L);
  for (int i = 0; i < DSC_HISTOGRAM_BUCKETS; i++) {
    if (buckets[i] == 0)
      continue;
    lua_pushinteger(L, i);
    lua_rawseti(L, -2, ++length);
    lua_pushinteger(L, (lua_Integer)buckets[i]);
    lua_rawseti(L, -2, ++length);
  }
}

static bool is_any(const uint64_t *counts, int count) {
  for (int i = 0; i < count; i++)
    if (counts[i] > 0)
      return true;
  return false;
}

static void set_fields(lua_State *L, const struct field *field,
                       const void *record);

static void set_field(lua_State *L, const struct field *field,
                      const void *record) {
  const void *at = (const char *)record + field->offset;
  switch (field->form) {
  case COUNT:
    if (*(const uint64_t *)at > 0)
      ldsc_setinteger(L, field->name, *(const uint64_t *)at);
    return;
  case COUNTS:
    if (is_any((const uint64_t *)at, field->count))
      ldsc_setcounts(L, field->name, (const uint64_t *)at, field->count);
    return;
  case NAME:
    lua_pushlstring(L, (const char *)at,
                    ((const struct ldsc_row *)record)->length);
    break;
  case WITHIN:
    push_within(L, (const uint64_t *)at);
    break;
  case BUCKETS:
    push_buckets(L, (const uint32_t *)at);
    break;
  case DURATIONS:
    if (((const struct dsc_histogram *)at)->count == 0)
      return;
    lua_newtable(L);
    set_fields(L, duration_fields, at);
    break;
  }
  lua_setfield(L, -2, field->name);
}

static void set_fields(lua_State *L, const struct field *field,
                       const void *record) {
  for (; field->name != NULL; field++)
    set_field(L, field, record);
}

/* core.snapshot(client | sum) -> table of numbers and strings only */
static int core_snapshot(lua_State *L) {
  const struct dsc_metrics *metrics = ldsc_checkmetrics(L, 1);
  struct ldsc_row row;
  int rows = 0;
  lua_createtable(L, 0, 2);
  ldsc_setinteger(L, "version", VERSION);
  lua_newtable(L);
  for (uint32_t place = 0; ldsc_nextrow(metrics, &place, &row);) {
    lua_createtable(L, 0, 14);
    set_fields(L, counter_fields, &row);
    lua_rawseti(L, -2, ++rows);
  }
  lua_setfield(L, -2, "operations");
  return 1;
}

/* --- reading what comes from outside ------------------------------------- */

struct reader {
  lua_State *L;
  int operation;         /* the one that is being read; 0: none */
  const char *fields[2]; /* where in it, from the outside in; or NULL */
  const char *problem;
};

static bool refuse(struct reader *reader, const char *problem) {
  reader->problem = problem;
  return false;
}

/* All reading is of the value on top of the stack, and leaves it there. */
static bool read_table(struct reader *reader) {
  return lua_istable(reader->L, -1) || refuse(reader, "a table expected");
}

static bool read_count(struct reader *reader, uint64_t most, uint64_t *count) {
  lua_Number number = -1;
  if (lua_type(reader->L, -1) == LUA_TNUMBER)
    number = lua_tonumber(reader->L, -1);
  if (!(number >= 0 && number <= (lua_Number)most) || floor(number) != number)
    return refuse(reader, "a count expected");
  *count = (uint64_t)number;
  return true;
}

/* The key of the member that lua_next has found, NULL where it is no text. */
static const char *key_of(lua_State *L) {
  size_t length;
  if (lua_type(L, -2) != LUA_TSTRING)
    return NULL;
  const char *key = lua_tolstring(L, -2, &length);
  return strlen(key) == length ? key : NULL;
}

static bool read_counts(struct reader *reader, uint64_t *counts, int count) {
  lua_State *L = reader->L;
  if (!read_table(reader))
    return false;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    const char *key = key_of(L);
    int end = key != NULL ? dsc_end_of(key) : DSC_ENDS;
    if (end >= count)
      return refuse(reader, "unknown kind");
    if (!read_count(reader, DSC_COUNT_MAX, &counts[end]))
      return false;
  }
  return true;
}

/* Reads item i of the array on top. */
static bool read_item(struct reader *reader, int i, uint64_t most,
                      uint64_t *count) {
  lua_rawgeti(reader->L, -1, i);
  bool read = read_count(reader, most, count);
  lua_pop(reader->L, 1);
  return read;
}

static bool read_within(struct reader *reader, uint64_t *within) {
  if (!read_table(reader))
    return false;
  for (int i = 0; i <= DSC_BOUNDS; i++)
    if (!read_item(reader, i + 1, DSC_COUNT_MAX, &within[i]))
      return false;
  return true;
}

static bool read_buckets(struct reader *reader, uint32_t *buckets) {
  if (!read_table(reader))
    return false;
  size_t length = ldsc_rawlen(reader->L, -1);
  if (length > 2 * DSC_HISTOGRAM_BUCKETS)
    return refuse(reader, "too many");
  for (int i = 1; i <= (int)length; i += 2) {
    uint64_t index, count;
    if (!read_item(reader, i, DSC_HISTOGRAM_BUCKETS - 1, &index) ||
        !read_item(reader, i + 1, UINT32_MAX, &count))
      return false;
    buckets[index] = (uint32_t)count;
  }
  return true;
}

static bool read_name(struct reader *reader, struct ldsc_row *row) {
  const char *name = NULL;
  if (lua_type(reader->L, -1) == LUA_TSTRING)
    name = lua_tolstring(reader->L, -1, &row->length);
  if (name == NULL || row->length == 0 || row->length > sizeof row->name)
    return refuse(reader, "a name of 1 to 128 bytes expected");
  memcpy(row->name, name, row->length);
  return true;
}

static bool read_fields(struct reader *reader, int depth,
                        const struct field *fields, void *record);

static bool read_field(struct reader *reader, int depth,
                       const struct field *field, void *record) {
  void *at = (char *)record + field->offset;
  switch (field->form) {
  case NAME:
    return read_name(reader, (struct ldsc_row *)record);
  case COUNT:
    return read_count(reader, DSC_COUNT_MAX, (uint64_t *)at);
  case COUNTS:
    return read_counts(reader, (uint64_t *)at, field->count);
  case WITHIN:
    return read_within(reader, (uint64_t *)at);
  case BUCKETS:
    return read_buckets(reader, (uint32_t *)at);
  case DURATIONS:
    break;
  }
  return read_fields(reader, depth + 1, duration_fields, at) &&
         (dsc_histogram_is_sound((const struct dsc_histogram *)at) ||
          refuse(reader, "these don't fit together"));
}

/* Reads the table on top; what it lacks stays 0. */
static bool read_fields(struct reader *reader, int depth,
                        const struct field *fields, void *record) {
  lua_State *L = reader->L;
  if (!read_table(reader))
    return false;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    const char *key = key_of(L);
    const struct field *field = fields;
    while (key != NULL && field->name != NULL && strcmp(field->name, key) != 0)
      field++;
    if (key == NULL || field->name == NULL)
      return refuse(reader, "unknown field");
    reader->fields[depth] = field->name;
    if (!read_field(reader, depth, field, record))
      return false;
    reader->fields[depth] = NULL;
  }
  return true;
}

static void get_member(lua_State *L, const char *name) {
  lua_pushstring(L, name);
  lua_rawget(L, -2);
}

static bool read_operation(struct reader *reader, struct dsc_metrics *into) {
  struct ldsc_row row;
  memset(&row, 0, sizeof row);
  if (!read_fields(reader, 0, counter_fields, &row))
    return false;
  if (row.length == 0)
    return refuse(reader, "it has no name");
  if (!dsc_metrics_merge(into, row.name, row.length, &row.counters))
    luaL_error(reader->L, "not enough memory");
  return true;
}

/* Adds the snapshot on top. */
static bool read_snapshot(struct reader *reader, struct dsc_metrics *into) {
  lua_State *L = reader->L;
  uint64_t version;
  if (!read_table(reader))
    return false;
  get_member(L, "version");
  if (!read_count(reader, DSC_COUNT_MAX, &version) ||
      version != VERSION)
    return refuse(reader, "version 1 expected");
  lua_pop(L, 1);
  get_member(L, "operations");
  if (!read_table(reader))
    return refuse(reader, "a list of operations expected");
  for (int i = 1; ldsc_rawgeti(L, -1, i) != LUA_TNIL; i++) {
    reader->operation = i;
    if (!read_operation(reader, into))
      return false;
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
  return true;
}

static void push_problem(const struct reader *reader, int arg) {
  lua_State *L = reader->L;
  lua_pushfstring(L, "snapshot %d", arg);
  if (reader->operation > 0)
    lua_pushfstring(L, ", operation %d", reader->operation);
  else
    lua_pushliteral(L, "");
  for (int i = 0; i < 2; i++)
    if (reader->fields[i] != NULL)
      lua_pushfstring(L, ", %s", reader->fields[i]);
    else
      lua_pushliteral(L, "");
  lua_pushfstring(L, ": %s", reader->problem);
  lua_concat(L, 5);
}

/* core.sum(snapshot, …) -> sum; or nil, what is wrong with which */
static int core_sum(lua_State *L) {
  int count = lua_gettop(L);
  luaL_checkstack(L, 20, "too many snapshots");
  struct sum *sum = push_sum(L);
  for (int arg = 1; arg <= count; arg++) {
    struct reader reader = {L, 0, {NULL, NULL}, NULL};
    lua_pushvalue(L, arg);
    if (!read_snapshot(&reader, &sum->metrics)) {
      lua_pushnil(L);
      push_problem(&reader, arg);
      return 2;
    }
    lua_pop(L, 1);
  }
  return 1;
}

/* ------------------------------------------------------------------------- */

static const luaL_Reg functions[] = {
    {"snapshot", core_snapshot},
    {"sum", core_sum},
    {NULL, NULL},
};

void ldsc_open_snapshot(lua_State *L) {
  ldsc_newowner(L, SUM, sum_gc);
  ldsc_setfuncs(L, functions);
}
