/*
** The limits of a client as they stand now, and what has changed of them.
*/
#include <string.h>

#include "lua/client.h"

#define US 1e6

static void set_state(lua_State *L, enum dsc_breaker_state state) {
  lua_pushstring(L, dsc_breaker_name(state));
  lua_setfield(L, -2, "state");
}

/* {state, since_s, calls, failures} of a copy: a finaliser may close the
** client while the table is made. */
static void push_breaker(lua_State *L, struct dsc_breaker breaker,
                         int64_t now_us) {
  uint64_t calls, failures;
  dsc_breaker_counts(&breaker, now_us, &calls, &failures);
  lua_createtable(L, 0, 4);
  set_state(L, dsc_breaker_at(&breaker, now_us));
  ldsc_setnumber(L, "since_s", (lua_Number)(now_us - breaker.since_us) / US);
  ldsc_setinteger(L, "calls", calls);
  ldsc_setinteger(L, "failures", failures);
}

static void set_breakers(lua_State *L, const struct dsc_client *client,
                         int64_t now_us) {
  lua_newtable(L);
  for (uint32_t i = 0; i < client->config.servers; i++) {
    push_breaker(L, client->breakers[i], now_us);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_setfield(L, -2, "servers");
}

/* Pushes the name of an operation. */
static void push_name(lua_State *L, const struct dsc_client *client,
                      uint32_t number) {
  char name[DSC_METRIC_NAME_MAX];
  const struct dsc_metric *metric =
      &client->metrics.items[client->operations[number].operation.metric];
  size_t length = metric->name_length;
  memcpy(name, metric->name, length);
  lua_pushlstring(L, name, length);
}

/* Those of operations that are not closed, by name. */
static void set_operations(lua_State *L, const struct dsc_client *client,
                           int64_t now_us) {
  lua_newtable(L);
  for (uint32_t i = 0; i < client->operations_count; i++) {
    struct dsc_breaker breaker = client->operations[i].breaker;
    if (breaker.state == DSC_STATE_CLOSED)
      continue;
    push_name(L, client, i);
    push_breaker(L, breaker, now_us);
    lua_rawset(L, -3);
  }
  lua_setfield(L, -2, "operations");
}

static void set_queue(lua_State *L, struct dsc_queue queue) {
  ldsc_setinteger(L, "in_flight", queue.in_flight);
  ldsc_setinteger(L, "in_flight_max", queue.in_flight_max);
  ldsc_setinteger(L, "waiting", queue.queued.count);
  ldsc_setinteger(L, "waiting_max", queue.queued_max);
}

static void set_pace(lua_State *L, struct dsc_pacer pacer, int64_t now_us) {
  double per_s = dsc_pacer_rate(&pacer, now_us);
  bool slowed = dsc_pacer_slowed(&pacer, now_us);
  if (per_s > 0)
    ldsc_setnumber(L, "rate_per_s", (lua_Number)per_s);
  if (pacer.hold_us > now_us)
    ldsc_setnumber(L, "hold_s", (lua_Number)(pacer.hold_us - now_us) / US);
  if (slowed)
    ldsc_setnumber(L, "slowed_since_s",
                   (lua_Number)(now_us - pacer.refused_us) / US);
}

/*
** core.status(client) -> {servers, operations: breakers; in_flight,
** in_flight_max, waiting, waiting_max, rate_per_s, hold_s, slowed_since_s,
** budget, budget_max}; nothing where it is closed
*/
static int core_status(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct dsc_client *core = &client->core;
  lua_createtable(L, 0, 11);
  if (core->env == NULL)
    return 0;
  int64_t now_us = dsc_now_us(core->env);
  struct dsc_pacer pacer = core->pacer;
  dsc_queue_reclaim(&core->queue, now_us);
  struct dsc_queue queue = core->queue;
  ldsc_setinteger(L, "budget", dsc_budget_left(&core->budget, now_us));
  ldsc_setinteger(L, "budget_max", DSC_BUDGET_MAX);
  set_queue(L, queue);
  set_pace(L, pacer, now_us);
  set_breakers(L, core, now_us);
  set_operations(L, core, now_us);
  return 1;
}

static void push_event(lua_State *L, const struct dsc_client *client,
                       const struct dsc_event *event) {
  static const char *const names[] = {"breaker", "breaker", "pace", "budget"};
  lua_createtable(L, 0, 4);
  lua_pushstring(L, names[event->change]);
  lua_setfield(L, -2, "event");
  switch (event->change) {
  case DSC_CHANGE_SERVER:
    set_state(L, event->state);
    ldsc_setinteger(L, "server", (uint64_t)event->index + 1);
    break;
  case DSC_CHANGE_OPERATION:
    set_state(L, event->state);
    if (event->index < client->operations_count) {
      push_name(L, client, event->index);
      lua_setfield(L, -2, "operation");
    }
    break;
  case DSC_CHANGE_PACE:
    ldsc_setnumber(L, "rate_per_s", (lua_Number)event->per_s);
    ldsc_setnumber(L, "hold_s", (lua_Number)event->hold_us / US);
    break;
  default:
    break;
  }
}

/*
** core.told(client) -> the oldest change that the log was not told of:
** {event = "breaker", state, server | operation}, {event = "pace", rate_per_s,
** hold_s}, {event = "budget"}; or nothing
*/
static int core_told(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct dsc_event event;
  if (client->core.env == NULL || !dsc_client_told(&client->core, &event))
    return 0;
  push_event(L, &client->core, &event);
  return 1;
}

static const luaL_Reg functions[] = {
    {"status", core_status}, {"told", core_told}, {NULL, NULL}};

void ldsc_open_status(lua_State *L) { ldsc_setfuncs(L, functions); }
