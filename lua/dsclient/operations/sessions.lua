--- Sessions of people: LoginController. This client itself uses a token.

return {
  login = {
    summary = "a session of a user by his password; its id is in the value",
    method = "POST",
    path = "/login",
    replay = "once",
    result = "object",
    params = {
      { "name", "string", "userName", required = true },
      { "password", "string", "userPassword", required = true },
    },
    traps = { "from 3.3 on each log-in ends the user's earlier session" },
  },
  logout = {
    summary = "ends the sessions of the token's user",
    method = "POST",
    path = "/signOut",
    replay = "once",
    result = "none",
    params = {},
    traps = { "from 3.2.1 on all of them, also those of other machines" },
  },
}
