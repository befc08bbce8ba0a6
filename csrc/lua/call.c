/*
** The state machine of one call, as Lua drives it. Each step returns what to
** do now:
**
**   "send", deadline, server, fresh   one attempt, until then, at that server
**   "wait", seconds, key              until core.woken gives the key, at most
**                                     so long
**   "sleep", seconds, pacing, server  before a repeat at that server (0: at
**                                     once), or for the pace
**   "token"                           ask the source for another token
**   "weigh" [, nil, nil, value]       call:weigh with what limits are shared
**                                     with other processes
**   "done" [, first, last [, value]]  where `data` stands in the body, and its
**                                     value where it was read already
**   "fail", kind
*/
#include <string.h>

#include "core/call.h"
#include "core/shared.h"
#include "lua/client.h"
#include "lua/json.h"

#define CLASS "dsclient.call"
#define US 1e6

/* Its client may be closed: the machine says so. */
static struct dsc_call *check_call(lua_State *L) {
  return (struct dsc_call *)luaL_checkudata(L, 1, CLASS);
}

static int push_action(lua_State *L, struct dsc_call *call,
                       enum dsc_action action) {
  switch (action) {
  case DSC_DO_SEND:
    lua_pushliteral(L, "send");
    lua_pushnumber(L, (lua_Number)call->attempt_deadline_us / US);
    lua_pushinteger(L, (lua_Integer)call->server + 1);
    lua_pushboolean(L, call->fresh);
    return 4;
  case DSC_DO_WAIT:
    lua_pushliteral(L, "wait");
    lua_pushnumber(L, (lua_Number)call->wait_us / US);
    lua_pushlightuserdata(L, call);
    return 3;
  case DSC_DO_SLEEP:
    lua_pushliteral(L, "sleep");
    lua_pushnumber(L, (lua_Number)call->wait_us / US);
    lua_pushboolean(L, call->pacing);
    lua_pushinteger(L, (lua_Integer)call->server + 1);
    return 4;
  case DSC_DO_TOKEN:
    lua_pushliteral(L, "token");
    return 1;
  case DSC_DO_WEIGH:
    lua_pushliteral(L, "weigh");
    return 1;
  case DSC_DO_DONE:
    lua_pushliteral(L, "done");
    if (!call->has_data)
      return 1;
    lua_pushinteger(L, (lua_Integer)call->data_from + 1);
    lua_pushinteger(L, (lua_Integer)(call->data_from + call->data_length));
    return 3;
  default:
    lua_pushliteral(L, "fail");
    lua_pushstring(L, dsc_kind_name(call->error));
    return 2;
  }
}

static int call_gc(lua_State *L) {
  struct dsc_call *call = check_call(L);
  if (call->client != NULL)
    dsc_call_end(call, DSC_CANCELLED);
  return 0;
}

/* 0 where it is not given; what is shorter than a microsecond is one. */
static int64_t optional_us(lua_State *L, int arg) {
  lua_Number seconds = luaL_optnumber(L, arg, 0);
  int64_t us = (int64_t)(seconds * US);
  return us == 0 && seconds > 0 ? 1 : us;
}

/* Pushes a call of the client, which stands at index 1: the one at the other
** index, which has to be over, or a new one. */
static struct dsc_call *push_call(lua_State *L, struct ldsc_client *client,
                                  int index) {
  if (!lua_isnoneornil(L, index)) {
    struct dsc_call *over =
        (struct dsc_call *)luaL_checkudata(L, index, CLASS);
    luaL_argcheck(L,
                  over->client == &client->core &&
                      (over->ended || client->core.env == NULL),
                  index, "a call of this client that is over expected");
    lua_pushvalue(L, index);
    return over;
  }
  struct dsc_call *call =
      (struct dsc_call *)ldsc_newuserdata(L, sizeof *call);
  call->client = NULL;
  luaL_getmetatable(L, CLASS);
  lua_setmetatable(L, -2);
  ldsc_getvalue(L, 1);
  ldsc_setvalue(L, -2);
  return call;
}

/* core.call(client, operation [, timeout_s [, attempt_timeout_s
** [, max_retries [, call]]]]) -> call, and what to do now. A call that is over,
** and that nobody will ask again, can be given to be used anew. */
static int core_call(lua_State *L) {
  lua_Integer operation = luaL_checkinteger(L, 2);
  struct dsc_wishes wishes;
  wishes.timeout_us = optional_us(L, 3);
  wishes.attempt_timeout_us = optional_us(L, 4);
  wishes.max_retries = (int32_t)luaL_optinteger(L, 5, -1);
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  struct dsc_call *call = push_call(L, client, 6);
  luaL_argcheck(L,
                client->core.env == NULL ||
                    (operation >= 0 &&
                     operation < (lua_Integer)client->core.operations_count),
                2, "no such operation");
  return 1 + push_action(L, call,
                         dsc_call_begin(call, &client->core,
                                        (uint32_t)operation, &wishes));
}

/* core.woken(client) -> the key of a call that got its connection, or
** nothing */
static int core_woken(lua_State *L) {
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  if (client->core.env == NULL)
    return 0;
  struct dsc_call *call = dsc_call_woken(&client->core);
  if (call == NULL)
    return 0;
  lua_pushlightuserdata(L, call);
  return 1;
}

/* call:answered(status, content_type, retry_after, date, body, bytes_in,
** bytes_out [, disposition [, shape]]): where it is done, or is so unless the
** limits say otherwise, the value of `data` is the fourth, if there is a shape
** and the value could be read at once */
static int call_answered(lua_State *L) {
  struct dsc_call *call = check_call(L);
  struct dsc_answer answer;
  answer.status = (int32_t)luaL_checkinteger(L, 2);
  answer.content_type = luaL_optstring(L, 3, "");
  answer.retry_after = luaL_optstring(L, 4, "");
  answer.date = luaL_optstring(L, 5, "");
  answer.body = luaL_checklstring(L, 6, &answer.length);
  answer.disposition = luaL_optstring(L, 9, "");
  uint64_t bytes_in = (uint64_t)luaL_checknumber(L, 7);
  uint64_t bytes_out = (uint64_t)luaL_checknumber(L, 8);
  answer.known.at = NULL;
  if (!lua_isnoneornil(L, 10) && call->operation.form == DSC_ENVELOPED &&
      answer.status >= 200 && answer.status <= 299)
    answer.known = ldsc_pushdata(L, ldsc_checkshape(L, 10), answer.body,
                                 answer.length);
  const int value = lua_gettop(L);
  const enum dsc_action action =
      dsc_call_answered(call, &answer, bytes_in, bytes_out);
  const int count = push_action(L, call, action);
  if ((action != DSC_DO_DONE && action != DSC_DO_WEIGH) || !call->has_data ||
      answer.known.at == NULL ||
      answer.known.at != answer.body + call->data_from)
    return count;
  lua_settop(L, value + 3);
  lua_pushvalue(L, value);
  return 4;
}

/* call:failed(kind, phase, stale, message [, delivered]) */
static int call_failed(lua_State *L) {
  struct dsc_call *call = check_call(L);
  enum dsc_kind kind = dsc_kind_of(luaL_checkstring(L, 2));
  enum dsc_phase phase = dsc_phase_of(luaL_checkstring(L, 3));
  luaL_argcheck(L, kind != DSC_KINDS, 2, "no such kind");
  luaL_argcheck(L, phase != DSC_PHASES, 3, "no such phase");
  return push_action(L, call,
                     dsc_call_failed(call, kind, phase,
                                     lua_toboolean(L, 4) != 0,
                                     lua_toboolean(L, 6) != 0,
                                     luaL_optstring(L, 5, "")));
}

static int call_resumed(lua_State *L) {
  struct dsc_call *call = check_call(L);
  return push_action(L, call, dsc_call_resumed(call));
}

static int call_admitted(lua_State *L) {
  struct dsc_call *call = check_call(L);
  return push_action(L, call, dsc_call_admitted(call));
}

static int call_cancelled(lua_State *L) {
  struct dsc_call *call = check_call(L);
  return push_action(L, call, dsc_call_cancelled(call));
}

static int call_renewed(lua_State *L) {
  struct dsc_call *call = check_call(L);
  return push_action(L, call, dsc_call_renewed(call, lua_toboolean(L, 2) != 0));
}

/* Reads what a store has of the limits, which may be nothing; was it sound? */
static bool take_limits(lua_State *L, struct dsc_call *call) {
  size_t length;
  bool sound = true;
  if (!lua_isnil(L, 2)) {
    const char *limits = lua_tolstring(L, 2, &length);
    sound = limits != NULL && dsc_limits_read(call->client, limits, length);
  }
  if (!lua_isnil(L, 3)) {
    const char *breaker = lua_tolstring(L, 3, &length);
    sound &= breaker != NULL &&
             dsc_breaker_read(call->client, call->number, breaker, length);
  }
  return sound;
}

/*
** call:weigh(limits, breaker) -> sound, limits, breaker, and what to do now.
** Limits are those of the store, or nil, and what they are after the step: the
** pace, the budget and the breakers of the servers; the breaker of the
** operation. Nil where the client is closed.
*/
static int call_weigh(lua_State *L) {
  struct dsc_call *call = check_call(L);
  char limits[DSC_LIMITS_BYTES_MAX], breaker[DSC_BREAKER_BYTES];
  lua_settop(L, 3);
  if (call->client->env == NULL) {
    lua_pushboolean(L, 1);
    lua_pushnil(L);
    lua_pushnil(L);
    return 3 + push_action(L, call, dsc_call_weigh(call));
  }
  lua_pushboolean(L, take_limits(L, call));
  enum dsc_action action = dsc_call_weigh(call);
  size_t length = dsc_limits_write(call->client, limits);
  dsc_breaker_write(call->client, call->number, breaker);
  lua_pushlstring(L, limits, length);
  lua_pushlstring(L, breaker, sizeof breaker);
  return 3 + push_action(L, call, action);
}

static int call_request(lua_State *L) {
  struct dsc_call *call = check_call(L);
  return push_action(L, call, dsc_call_request(call));
}

/* call:finish([end]) -> how many attempts there were: closes the books on a
** success, or on a call that ended otherwise: the kind of its error, or
** "stale"; idempotent. */
static int call_finish(lua_State *L) {
  struct dsc_call *call = check_call(L);
  int end = dsc_end_of(luaL_optstring(L, 2, "ok"));
  luaL_argcheck(L, end != DSC_ENDS, 2, "no such end");
  dsc_call_end(call, end);
  lua_pushinteger(L, call->attempts);
  return 1;
}

static void push_attempt(lua_State *L, const struct dsc_attempt *attempt) {
  lua_createtable(L, 0, 6);
  lua_pushstring(L, dsc_kind_name(attempt->kind));
  lua_setfield(L, -2, "kind");
  if (attempt->status != 0)
    ldsc_setinteger(L, "status", attempt->status);
  if (attempt->has_code)
    ldsc_setinteger(L, "code", attempt->code);
  ldsc_setnumber(L, "duration_s", (lua_Number)attempt->duration_us / US);
  if (attempt->wait_us > 0)
    ldsc_setnumber(L, "wait_s", (lua_Number)attempt->wait_us / US);
  ldsc_setinteger(L, "server", (int64_t)attempt->server + 1);
}

/*
** call:report() -> {attempts = {…}, message, status, code, retry_after_s,
** cause}: what an error tells. `cause` is the kind of the last attempt.
*/
static int call_report(lua_State *L) {
  struct dsc_call *call = check_call(L);
  lua_createtable(L, 0, 6);
  int32_t first = call->attempts > DSC_HISTORY_MAX
                      ? call->attempts - DSC_HISTORY_MAX
                      : 0;
  lua_createtable(L, call->attempts - first, 0);
  for (int32_t i = first; i < call->attempts; i++) {
    push_attempt(L, &call->history[i % DSC_HISTORY_MAX]);
    lua_rawseti(L, -2, i - first + 1);
  }
  lua_setfield(L, -2, "attempts");
  if (call->message[0] != '\0') {
    lua_pushstring(L, call->message);
    lua_setfield(L, -2, "message");
  }
  if (call->attempts == 0)
    return 1;
  lua_pushstring(L, dsc_kind_name(call->last.kind));
  lua_setfield(L, -2, "cause");
  if (call->last.status != 0)
    ldsc_setinteger(L, "status", call->last.status);
  if (call->last.has_code)
    ldsc_setinteger(L, "code", call->last.code);
  if (call->last.retry_after_us >= 0)
    ldsc_setnumber(L, "retry_after_s",
                   (lua_Number)call->last.retry_after_us / US);
  return 1;
}

/* call:attempts() -> how many there were */
static int call_attempts(lua_State *L) {
  lua_pushinteger(L, check_call(L)->attempts);
  return 1;
}

/* ----------------------------------------------------------------------- */

static const luaL_Reg methods[] = {
    {"answered", call_answered}, {"failed", call_failed},
    {"resumed", call_resumed},   {"cancelled", call_cancelled},
    {"renewed", call_renewed},   {"request", call_request},
    {"weigh", call_weigh},       {"admitted", call_admitted},
    {"finish", call_finish},     {"report", call_report},
    {"attempts", call_attempts}, {NULL, NULL},
};

void ldsc_open_call(lua_State *L) {
  ldsc_newclass(L, CLASS, methods, call_gc);
  lua_pop(L, 1);
  lua_pushcfunction(L, core_call);
  lua_setfield(L, -2, "call");
  lua_pushcfunction(L, core_woken);
  lua_setfield(L, -2, "woken");
}
