--- Queues of the resource manager (YARN): QueueController.

local HOUR = 3600
local QUEUES = { "queues.list", "queues.all" }
local QUEUE = { "queue_id", "queue_id", path = true }
local NAMES = {
  { "queue", "string", "queue", required = true, help = "as the resource manager calls it" },
  { "name", "string", "queueName", required = true },
}

return {
  list = {
    summary = "the queues, all pages",
    method = "GET",
    path = "/queues",
    replay = "read",
    result = "page",
    params = { { "search", "string", "searchVal" } },
  },
  all = {
    summary = "the queues, in one answer",
    method = "GET",
    path = "/queues/list",
    replay = "read",
    result = "list",
    ttl_s = HOUR,
    params = {},
  },
  create = {
    summary = "a new queue; both names have to be free",
    method = "POST",
    path = "/queues",
    replay = "once",
    result = "object",
    invalidates = QUEUES,
    params = NAMES,
  },
  update = {
    summary = "changes the names of a queue",
    method = "PUT",
    path = "/queues/{queue_id}",
    replay = "once",
    result = "object",
    invalidates = QUEUES,
    params = { QUEUE, NAMES[1], NAMES[2] },
    traps = { "the names it has already are refused: a repetition is an error" },
  },
  delete = {
    summary = "removes a queue that no tenant and no user has",
    method = "DELETE",
    path = "/queues/{queue_id}",
    since = "3.2",
    replay = "repeatable",
    result = "none",
    invalidates = QUEUES,
    params = { QUEUE },
  },
  verify = {
    summary = "are these names free? An error where one is not",
    method = "POST",
    path = "/queues/verify",
    replay = "read",
    result = "object",
    params = NAMES,
  },
}
