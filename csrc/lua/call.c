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
**   "done" [, first, last]            where `data` stands in the body
**   "fail", kind
*/
#include <string.h>

#include "core/call.h"
#include "lua/client.h"

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

/* core.call(client, operation [, timeout_s [, attempt_timeout_s
** [, max_retries]]]) -> call, and what to do now */
static int core_call(lua_State *L) {
  lua_Integer operation = luaL_checkinteger(L, 2);
  struct dsc_wishes wishes;
  wishes.timeout_us = optional_us(L, 3);
  wishes.attempt_timeout_us = optional_us(L, 4);
  wishes.max_retries = (int32_t)luaL_optinteger(L, 5, -1);
  struct dsc_call *call =
      (struct dsc_call *)ldsc_newuserdata(L, sizeof *call);
  call->client = NULL;
  luaL_getmetatable(L, CLASS);
  lua_setmetatable(L, -2);
  ldsc_getvalue(L, 1);
  ldsc_setvalue(L, -2);
  struct ldsc_client *client = ldsc_checkclient(L, 1);
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
** bytes_out [, disposition]) */
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
  return push_action(L, call,
                     dsc_call_answered(call, &answer, bytes_in, bytes_out));
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

static int call_cancelled(lua_State *L) {
  struct dsc_call *call = check_call(L);
  return push_action(L, call, dsc_call_cancelled(call));
}

static int call_renewed(lua_State *L) {
  struct dsc_call *call = check_call(L);
  return push_action(L, call, dsc_call_renewed(call, lua_toboolean(L, 2) != 0));
}

static int call_request(lua_State *L) {
  struct dsc_call *call = check_call(L);
  return push_action(L, call, dsc_call_request(call));
}

/* call:finish([end]): closes the books on a success, or on a call that ended
** otherwise: the kind of its error, or "stale"; idempotent. */
static int call_finish(lua_State *L) {
  struct dsc_call *call = check_call(L);
  int end = dsc_end_of(luaL_optstring(L, 2, "ok"));
  luaL_argcheck(L, end != DSC_ENDS, 2, "no such end");
  dsc_call_end(call, end);
  return 0;
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
