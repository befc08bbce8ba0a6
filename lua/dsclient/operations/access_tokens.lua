--- Access tokens: AccessTokenController.

local TOKENS = { "access_tokens.list", "access_tokens.of_user" }
local TOKEN_ID = { "access_token_id", "id", path = true }
local USER = { "user_id", "user_id", "userId", required = true }
local EXPIRES = { "expires", "date", "expireTime", required = true }
local TOKEN = { "token", "string", "token", help = "made by the server where it is not given" }

return {
  list = {
    summary = "the tokens that the token's user may see, all pages",
    method = "GET",
    path = "/access-tokens",
    replay = "read",
    result = "page",
    params = { { "search", "string", "searchVal" } },
    traps = { "rows hold the tokens themselves: never print them" },
  },
  of_user = {
    summary = "the tokens of a user",
    method = "GET",
    path = "/access-tokens/user/{user_id}",
    since = "2.0.2",
    replay = "read",
    result = "list",
    params = { { "user_id", "user_id", path = true } },
    traps = { "rows hold the tokens themselves: never print them" },
  },
  create = {
    summary = "a new token; each call adds one",
    method = "POST",
    path = "/access-tokens",
    replay = "once",
    result = "object",
    invalidates = TOKENS,
    params = { USER, EXPIRES, TOKEN },
    traps = { "after 3.4.1 general users may only make tokens of their own (30001)" },
  },
  generate = {
    summary = "a token that is stored nowhere, for `create`",
    method = "POST",
    path = "/access-tokens/generate",
    replay = "read",
    result = "object",
    params = { USER, EXPIRES },
  },
  update = {
    summary = "changes the user, the end and the text of a token",
    method = "PUT",
    path = "/access-tokens/{access_token_id}",
    replay = "repeatable",
    result = "object",
    invalidates = TOKENS,
    params = { TOKEN_ID, USER, EXPIRES, TOKEN },
    traps = { "without a token the server makes a new one each time" },
  },
  delete = {
    summary = "removes a token",
    method = "DELETE",
    path = "/access-tokens/{access_token_id}",
    replay = "repeatable",
    result = "none",
    gone = { 70015 },
    invalidates = TOKENS,
    params = { TOKEN_ID },
    traps = { "in 3.4.0 and 3.4.1 general users can't even delete their own" },
  },
}
