--- Users: UsersController.

return {
  current = {
    summary = "the user of the token, with his timeZone",
    method = "GET",
    path = "/users/get-user-info",
    replay = "read",
    result = "object",
    params = {},
  },
}
