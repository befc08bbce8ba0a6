/*
** The state machine of one call, as Lua drives it. Each step returns what to
** do now:
**
**   "send", deadline, server, fresh   one attempt, until then, at that server
**   "sleep", seconds
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
  case DSC_DO_SLEEP:
    lua_pushliteral(L, "sleep");
    lua_pushnumber(L, (lua_Number)call->wait_us / US);
    return 2;
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

/* core.call(client, operation [, timeout_s [, attempt_timeout_s]])
** -> call, and what to do now */
static int core_call(lua_State *L) {
  lua_Integer operation = luaL_checkinteger(L, 2);
  int64_t timeout_us = (int64_t)(luaL_optnumber(L, 3, 0) * US);
  int64_t attempt_us = (int64_t)(luaL_optnumber(L, 4, 0) * US);
  struct dsc_call *call =
      (struct dsc_call *)ldsc_newuserdata(L, sizeof *call);
  struct ldsc_client *client = ldsc_checkclient(L, 1);
  luaL_argcheck(L,
                client->core.env == NULL ||
                    (operation >= 0 &&
                     operation < (lua_Integer)client->core.operations_count),
                2, "no such operation");
  ldsc_getvalue(L, 1);
  ldsc_setvalue(L, -2);
  luaL_getmetatable(L, CLASS);
  lua_setmetatable(L, -2);
  return 1 + push_action(L, call,
                         dsc_call_begin(call, &client->core,
                                        (uint32_t)operation, timeout_us,
                                        attempt_us));
}

/* call:answered(status, content_type, retry_after, date, body, bytes_in,
** bytes_out) */
static int call_answered(lua_State *L) {
  struct dsc_call *call = check_call(L);
  struct dsc_answer answer;
  answer.status = (int32_t)luaL_checkinteger(L, 2);
  answer.content_type = luaL_optstring(L, 3, "");
  answer.retry_after = luaL_optstring(L, 4, "");
  answer.date = luaL_optstring(L, 5, "");
  answer.body = luaL_checklstring(L, 6, &answer.length);
  uint64_t bytes_in = (uint64_t)luaL_checknumber(L, 7);
  uint64_t bytes_out = (uint64_t)luaL_checknumber(L, 8);
  return push_action(L, call,
                     dsc_call_answered(call, &answer, bytes_in, bytes_out));
}

/* call:failed(kind, phase, stale, message) */
static int call_failed(lua_State *L) {
  struct dsc_call *call = check_call(L);
  enum dsc_kind kind = dsc_kind_of(luaL_checkstring(L, 2));
  enum dsc_phase phase = dsc_phase_of(luaL_checkstring(L, 3));
  luaL_argcheck(L, kind != DSC_KINDS, 2, "no such kind");
  luaL_argcheck(L, phase != DSC_PHASES, 3, "no such phase");
  return push_action(L, call,
                     dsc_call_failed(call, kind, phase,
                                     lua_toboolean(L, 4) != 0,
                                     luaL_optstring(L, 5, "")));
}

static int call_resumed(lua_State *L) {
  struct dsc_call *call = check_call(L);
  return push_action(L, call, dsc_call_resumed(call));
}

static int call_renewed(lua_State *L) {
  struct dsc_call *call = check_call(L);
  return push_action(L, call, dsc_call_renewed(call, lua_toboolean(L, 2) != 0));
}

static int call_request(lua_State *L) {
  struct dsc_call *call = check_call(L);
  return push_action(L, call, dsc_call_request(call));
}

/* call:finish(failed): closes the books; idempotent. */
static int call_finish(lua_State *L) {
  struct dsc_call *call = check_call(L);
  dsc_call_end(call, lua_toboolean(L, 2) != 0);
  return 0;
}

static void set_number(lua_State *L, const char *name, lua_Number value) {
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, int64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

static void push_attempt(lua_State *L, const struct dsc_attempt *attempt) {
  lua_createtable(L, 0, 6);
  lua_pushstring(L, dsc_kind_name(attempt->kind));
  lua_setfield(L, -2, "kind");
  if (attempt->status != 0)
    set_integer(L, "status", attempt->status);
  if (attempt->has_code)
    set_integer(L, "code", attempt->code);
  set_number(L, "duration_s", (lua_Number)attempt->duration_us / US);
  if (attempt->wait_us > 0)
    set_number(L, "wait_s", (lua_Number)attempt->wait_us / US);
  set_integer(L, "server", (int64_t)attempt->server + 1);
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
    set_integer(L, "status", call->last.status);
  if (call->last.has_code)
    set_integer(L, "code", call->last.code);
  if (call->last.retry_after_us >= 0)
    set_number(L, "retry_after_s",
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
    {"resumed", call_resumed},   {"renewed", call_renewed},
    {"request", call_request},   {"finish", call_finish},
    {"report", call_report},     {"attempts", call_attempts},
    {NULL, NULL},
};

void ldsc_open_call(lua_State *L) {
  luaL_newmetatable(L, CLASS);
  ldsc_setfuncs(L, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushcfunction(L, core_call);
  lua_setfield(L, -2, "call");
}
