/*
** Counters as Lua sees them: recorded, as rows for people, as text for
** Prometheus.
*/
#include "lua/metrics.h"

#include <math.h>
#include <string.h>

#include "core/buf.h"
#include "core/exposition.h"

#define TEXT "dsclient.metrics_text"

/* 4,000 operations with 20 series each fill a seventh of it. */
#define TEXT_MAX ((size_t)64 << 20)

#define US 1e6
#define US_PER_MS 1e3

/* --- recording ----------------------------------------------------------- */

/* core.record(client, operation, kind, seconds): a call of the user's own that
** ended so: "ok", "stale", a kind of ours, or "error" for any other failure. */
static int core_record(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  const char *name = luaL_checkstring(L, 3);
  lua_Number us = luaL_checknumber(L, 4) * US;
  int end = dsc_end_of(name);
  luaL_argcheck(L, end < DSC_ENDS && end != DSC_END_CACHED, 3,
                "no such end");
  luaL_argcheck(L, us >= 0 && us <= (lua_Number)DSC_COUNT_MAX, 4,
                "a duration expected");
  if (client->core.config.metrics_on) {
    uint32_t operation = ldsc_checkoperation(L, client, 2);
    dsc_metrics_call(&client->core.metrics,
                     client->core.operations[operation].operation.metric, end,
                     (int64_t)floor(us + 0.5));
  }
  return 0;
}

/* core.reset_metrics(client) */
static int core_reset_metrics(lua_State *L) {
  dsc_metrics_reset(&ldsc_checkclient(L, 1)->core.metrics);
  return 0;
}

/* --- rows ---------------------------------------------------------------- */

void ldsc_setcounts(lua_State *L, const char *name, const uint64_t *counts,
                    int count) {
  lua_newtable(L);
  for (int end = DSC_OK; end < count; end++)
    if (counts[end] > 0)
      ldsc_setinteger(L, dsc_end_name(end), counts[end]);
  lua_setfield(L, -2, name);
}

void ldsc_setfates(lua_State *L, uint64_t (*ahead)[DSC_FATES]) {
#define SET(name, kind, fate) \
  ldsc_setinteger(L, name, (int64_t)ahead[kind][fate]);
  LDSC_FATES(SET)
#undef SET
}

bool ldsc_nextrow(const struct dsc_metrics *metrics, uint32_t *place,
                  struct ldsc_row *row) {
  while (*place < metrics->count) {
    const struct dsc_metric *item =
        &metrics->items[metrics->sorted[(*place)++]];
    if (!dsc_counters_used(item->counters))
      continue;
    row->length = item->name_length;
    memcpy(row->name, item->name, item->name_length);
    memcpy(&row->counters, item->counters, sizeof row->counters);
    return true;
  }
  return false;
}

static void set_ms(lua_State *L, const char *name, uint64_t us) {
  lua_pushnumber(L, (lua_Number)us / US_PER_MS);
  lua_setfield(L, -2, name);
}

static void set_durations(lua_State *L,
                          const struct dsc_histogram *durations) {
  static const struct {
    const char *name;
    double part;
  } quantiles[] = {{"p50_ms", 0.5},
                   {"p90_ms", 0.9},
                   {"p99_ms", 0.99},
                   {"p999_ms", 0.999}};
  ldsc_setinteger(L, "timed", durations->count);
  set_ms(L, "total_ms", durations->total_us);
  set_ms(L, "min_ms", durations->min_us);
  set_ms(L, "max_ms", durations->max_us);
  for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
    set_ms(L, quantiles[i].name,
           dsc_histogram_quantile_us(durations, quantiles[i].part));
}

/* Into the table on top. */
static void set_counters(lua_State *L, struct dsc_counters *counters) {
  ldsc_setinteger(L, "calls", dsc_counters_calls(counters));
  ldsc_setinteger(L, "errors", dsc_counters_errors(counters));
  ldsc_setinteger(L, "fresh", counters->calls[DSC_END_CACHED]);
  ldsc_setinteger(L, "stale", counters->calls[DSC_END_STALE]);
  ldsc_setinteger(L, "missed", counters->missed);
  ldsc_setinteger(L, "attempts", dsc_counters_attempts(counters));
  ldsc_setinteger(L, "retries", dsc_counters_retries(counters));
  ldsc_setinteger(L, "bytes_in", counters->bytes_in);
  ldsc_setinteger(L, "bytes_out", counters->bytes_out);
  ldsc_setfates(L, counters->ahead);
  ldsc_setcounts(L, "outcomes", counters->calls, DSC_ENDS);
  ldsc_setcounts(L, "attempt_results", counters->attempts, DSC_KINDS);
  ldsc_setcounts(L, "retry_reasons", counters->retries, DSC_KINDS);
  set_durations(L, &counters->durations);
}

/*
** core.metrics(client | sum) -> rows sorted by name {name, calls, …}, and one
** without a name of all together
*/
static int core_metrics(lua_State *L) {
  const struct dsc_metrics *metrics = ldsc_checkmetrics(L, 1);
  struct dsc_counters total;
  struct ldsc_row row;
  int rows = 0;
  memset(&total, 0, sizeof total);
  lua_newtable(L);
  for (uint32_t place = 0; ldsc_nextrow(metrics, &place, &row);) {
    dsc_counters_merge(&total, &row.counters);
    lua_createtable(L, 0, 27);
    lua_pushlstring(L, row.name, row.length);
    lua_setfield(L, -2, "name");
    set_counters(L, &row.counters);
    lua_rawseti(L, -2, ++rows);
  }
  lua_createtable(L, 0, 26);
  set_counters(L, &total);
  return 2;
}

/* --- text for Prometheus ------------------------------------------------- */

/* Owns the memory, as a userdata: an error leaves nothing behind. */
struct text {
  struct dsc_env env; /* memory only */
  struct dsc_buf buf;
};

static int text_gc(lua_State *L) {
  dsc_buf_free(&((struct text *)lua_touserdata(L, 1))->buf);
  return 0;
}

static struct text *push_text(lua_State *L) {
  struct text *text = (struct text *)lua_newuserdata(L, sizeof *text);
  memset(text, 0, sizeof *text);
  text->env.alloc = lua_getallocf(L, &text->env.ud);
  dsc_buf_init(&text->buf, &text->env, TEXT_MAX);
  luaL_getmetatable(L, TEXT);
  lua_setmetatable(L, -2);
  return text;
}

/* What is told in the table at arg: a value that is no number, or below 0, is
** not known. */
static void read_gauges(lua_State *L, int arg, struct dsc_gauges *gauges) {
  for (int i = 0; i < DSC_GAUGES; i++) {
    lua_getfield(L, arg, dsc_gauge_name((enum dsc_gauge)i));
    lua_Number value = -1;
    if (lua_type(L, -1) == LUA_TNUMBER)
      value = lua_tonumber(L, -1);
    if (value >= 0 && value <= (lua_Number)DSC_COUNT_MAX)
      gauges->values[i] = (int64_t)value;
    lua_pop(L, 1);
  }
}

/* How its cache stands, which no table has to tell. */
static void add_cache(const struct dsc_client *client,
                      struct dsc_gauges *gauges) {
  struct dsc_cache_stats stats;
  if (client->cache == NULL)
    return;
  dsc_cache_get_stats(client->cache, &stats);
  gauges->values[DSC_GAUGE_CACHE_BYTES] = (int64_t)stats.bytes;
  gauges->values[DSC_GAUGE_CACHE_ENTRIES] = stats.size;
}

/*
** core.metrics_text(client | sum, "prometheus" | "openmetrics", gauges,
** version, lua) -> text; or nil, message where it gets too large. gauges: a
** table, see enum dsc_gauge.
*/
static int core_metrics_text(lua_State *L) {
  static const char *const formats[] = {"prometheus", "openmetrics", NULL};
  const struct dsc_metrics *metrics = ldsc_checkmetrics(L, 1);
  enum dsc_format format =
      (enum dsc_format)luaL_checkoption(L, 2, NULL, formats);
  luaL_checktype(L, 3, LUA_TTABLE);
  struct dsc_build build;
  build.version = luaL_checkstring(L, 4);
  build.lua = luaL_checkstring(L, 5);
  struct dsc_gauges gauges;
  dsc_gauges_init(&gauges);
  read_gauges(L, 3, &gauges);
  struct text *text = push_text(L);
  if (!ldsc_issum(L, 1))
    add_cache(&ldsc_checkclient(L, 1)->core, &gauges);
  bool whole =
      dsc_exposition_write(&text->buf, format, metrics, &gauges, &build);
  if (whole) {
    lua_pushlstring(L, text->buf.data, text->buf.length);
  } else if (text->buf.starved) {
    dsc_buf_free(&text->buf);
    return luaL_error(L, "not enough memory");
  } else {
    lua_pushnil(L);
    lua_pushliteral(L, "the text gets too large");
  }
  dsc_buf_free(&text->buf);
  return whole ? 1 : 2;
}

/* ------------------------------------------------------------------------- */

static const luaL_Reg functions[] = {
    {"record", core_record},
    {"metrics", core_metrics},
    {"reset_metrics", core_reset_metrics},
    {"metrics_text", core_metrics_text},
    {NULL, NULL},
};

void ldsc_open_metrics(lua_State *L) {
  ldsc_newowner(L, TEXT, text_gc);
  ldsc_setfuncs(L, functions);
}
