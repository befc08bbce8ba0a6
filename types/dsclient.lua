---@meta dsclient
-- Written by docs/generate.lua from lua/dsclient/operations/ and
-- docs/templates/dsclient.lua.in: change those, then run `make docs`.
--
-- A value is nil where there is an error, and the error where there is a value:
-- who looks at the first need not look at the second, too, so it is no `?`.

-- --- arguments -----------------------------------------------------------

---What is given by its name, though that may look like a code.
---@class dsclient.named
---@field name string

---@class dsclient.file
---@field path? string where it is read from
---@field name? string its name, where it is not that of the path
---@field content? string in place of a path

---@alias dsclient.arg.project string|integer|dsclient.named
---@alias dsclient.arg.workflow string|integer|dsclient.named
---@alias dsclient.arg.environment string|integer|dsclient.named
---@alias dsclient.arg.cluster string|integer|dsclient.named
---@alias dsclient.arg.task string|integer|dsclient.named
---@alias dsclient.arg.user_id string|integer|dsclient.named
---@alias dsclient.arg.tenant_id string|integer|dsclient.named
---@alias dsclient.arg.queue_id string|integer|dsclient.named
---@alias dsclient.arg.alert_group_id string|integer|dsclient.named
---@alias dsclient.arg.datasource_id string|integer|dsclient.named
---@alias dsclient.arg.worker_group_id string|integer|dsclient.named
---@alias dsclient.arg.tenant string
---@alias dsclient.arg.worker_group string
---@alias dsclient.arg.code string|integer
---@alias dsclient.arg.id integer|string
---@alias dsclient.arg.workflows string|integer|dsclient.named|(string|integer|dsclient.named)[]
---@alias dsclient.arg.tasks string|integer|dsclient.named|(string|integer|dsclient.named)[]
---@alias dsclient.arg.codes string|integer|(string|integer)[]
---@alias dsclient.arg.ids string|integer|(string|integer)[]
---@alias dsclient.arg.strings string|string[]
---@alias dsclient.arg.string string
---@alias dsclient.arg.integer integer
---@alias dsclient.arg.number number
---@alias dsclient.arg.boolean boolean
---@alias dsclient.arg.enum string
---@alias dsclient.arg.date string|number
---@alias dsclient.arg.json string|table
---@alias dsclient.arg.file dsclient.file

---How one call is made.
---@class dsclient.call_options
---@field timeout_s? number of the whole call with its pages, repeats and waits
---@field attempt_timeout_s? number of one request
---@field max_retries? integer 0 repeats nothing
---@field cache? boolean false: neither look into the cache nor keep the result
---@field refresh? boolean true: ask the server, and keep what it says
---@field ttl_s? number how long the result is kept
---@field stale_if_error_s? number how long after its time an old value stands in for an error
---@field stale_while_revalidate_s? number how long it is given while it is fetched anew
---@field refresh_ahead? boolean true: fetched anew in the background where it is asked for near the end of its time
---@field borrow? boolean true: the table that all borrowers share; it is not to be changed
---@field raw? boolean true: what the server sent, with its own keys
---@field sink? integer|file*|{write: fun(self: any, piece: string): any}|fun(piece: string): any of a file: takes it
---@field partial? boolean of several projects: the rows of those that did not fail, and meta.errors
---@field progress? dsclient.progress of several projects, and of each and pages

---True: a line on stderr, where that is a terminal. Or a function that is told.
---@class dsclient.many_options
---@field concurrency? integer how many at once
---@field timeout_s? number of all together
---@field progress? dsclient.progress

---@class dsclient.task
---@field join fun(self: dsclient.task): ... waits; what its function returned
---@field cancel fun(self: dsclient.task) ends what it waits for, now and from now on

---@alias dsclient.progress boolean|fun(done: integer, total?: integer, rate: number, eta_s?: number)

---Codes, names or globs; "*" for all that the token's user may see.
---@alias dsclient.several_projects string|integer|dsclient.named|(string|integer|dsclient.named)[]

-- --- results -------------------------------------------------------------

---What the server sent, with the keys of the newest line; codes are strings.
---@alias dsclient.object table<string, any>

---A workflow instance, that is a run; the server sends more.
---@class dsclient.instance
---@field id integer
---@field name string
---@field state string "SUCCESS", "FAILURE", "RUNNING_EXECUTION", …
---@field finished boolean
---@field failed boolean
---@field running boolean
---@field workflowDefinitionCode string
---@field workflowDefinitionVersion integer
---@field runTimes integer grows with each recovery
---@field startTime string as the server prints it
---@field endTime? string
---@field started_at? number seconds since 1970
---@field ended_at? number
---@field [string] any

---A task instance; the server sends more.
---@class dsclient.task_instance
---@field id integer
---@field name string
---@field state string
---@field finished boolean
---@field failed boolean
---@field running boolean
---@field taskCode string
---@field taskType string
---@field workflowInstanceId integer
---@field startTime? string
---@field endTime? string
---@field started_at? number seconds since 1970
---@field ended_at? number
---@field [string] any

---@class dsclient.started
---@field instance_ids? integer[] from 3.3 on
---@field trigger_code? string on 3.2

---How a value came to be.
---@class dsclient.meta
---@field cached? boolean
---@field stale? boolean it is past its time
---@field age_s? number
---@field attempts? integer
---@field error? dsclient.error why an old value is given
---@field total? integer of a page: the rows of all pages
---@field projects? integer how many were asked, where it were several
---@field errors? dsclient.error[] of the projects that failed, with the option partial

---@alias dsclient.kind
---| "connect" the server was not reached; nothing was sent
---| "tls"
---| "dns"
---| "network" the connection broke after the request was sent
---| "timeout" no answer in time
---| "deadline" the call's whole time is over
---| "protocol" not HTTP, or larger than the limit, or a list that won't hold still
---| "auth" the token is missing, wrong or expired
---| "throttled" 429
---| "server" 500, 502, 503, 504
---| "http" another status
---| "not_api" an answer, but not of this API
---| "api" the server refused: see code and message
---| "outcome_unknown" it was sent, it may have happened: read before you act
---| "busy" another execute of this run is under way
---| "limit" a list is longer than rows_max, or a queue is full
---| "argument" a value is malformed; argument names it
---| "not_found" no such name; near lists those like it
---| "ambiguous" more than one has this name
---| "unsupported" not on the server's line
---| "closed"
---| "cancelled"
---| "memory"
---| "phase"
---| "breaker_open"

---An error; tostring gives one readable line.
---@class dsclient.error
---@field kind dsclient.kind
---@field message string
---@field operation? string
---@field status? integer of HTTP
---@field code? integer of the server's refusal
---@field argument? string
---@field near? string[]
---@field total? integer
---@field project_code? string of several projects: the one that failed
---@field project_name? string
---@field failed_ids? (string|integer)[] of several runs, acted on one by one: those that were refused
---@field retry_after_s? number
---@field attempts? table[] kind, status, code, duration and wait of each attempt

-- --- the client ----------------------------------------------------------

---@class dsclient.options
---@field api_url? string of the server: http://host:port/path
---@field api_urls? string[] of several servers, in place of api_url
---@field token? string|fun(): string? an access token, or a function that gives one
---@field token_file? string where the token is, read again when it is refused
---@field server_version? string such as "3.1.1": the line is not asked for
---@field server_timezone? string of the times in answers: "Asia/Shanghai", "+08:00", "UTC"
---@field user_timezone? string of the token's user, in which the server reads times
---@field headers? table<string, string> sent with each request
---@field user_agent? string of the header (default dsclient)
---@field proxy? string|false a proxy's URL, or false for none; not in nginx
---@field tls? dsclient.tls
---@field timeout_s? number of a whole call: 30, lists 300 (0.001 to 86400)
---@field attempt_timeout_s? number of one request: 10, lists 25 (0.001 to 86400)
---@field connect_timeout_s? number for connecting (default 5; 0.001 to 3600)
---@field idle_timeout_s? number the longest silence within an answer (default 10; 0.001 to 3600)
---@field max_retries? integer after failures that may be repeated (default 3; 0 to 100)
---@field backoff_s? number the first wait before a repeat (default 0.5; 0 to 3600)
---@field backoff_max_s? number the longest wait (default 20; 0 to 3600)
---@field jitter? "auto"|"full"|"equal"|"none" of the waits (default auto)
---@field retry_statuses? integer[] that are worth a repeat (default 429 500 502 503 504)
---@field trust_503? boolean a 503 with Retry-After did nothing (default false)
---@field enable_breaker? boolean circuit breakers (default true)
---@field rate_limit? dsclient.rate_limit
---@field operations? table<string, dsclient.operation_options> what single operations have otherwise
---@field enable_cache? boolean of reads (default true)
---@field cache_entries_max? integer before the cache evicts (default 1000; 1 to 10000000)
---@field cache_bytes_max? integer before the cache evicts (default 67108864; 1024 to 1099511627776)
---@field cache_ttl_s? table<string, number> how long results are kept, by operation
---@field stale_if_error_s? number how long after its time an old value stands in for an error (default 600; 0 to 2147483648)
---@field stale_while_revalidate_s? number how long it is given while it is fetched anew (default 0; 0 to 2147483648)
---@field refresh_ahead? boolean what is asked for near the end of its time is fetched anew in the background (default false)
---@field shared? dsclient.shared what is shared with other processes (docs/sharing.md)
---@field identity? string whose the cached entries are, whatever the token
---@field pool_connections? integer that may rest in a worker of nginx; without effect elsewhere (default 10; 1 to 1000)
---@field pool_maxsize? integer requests under way at once (default 20; 1 to 1000)
---@field queue_max? integer calls that wait for a connection (default 1000; 0 to 1000000)
---@field body_bytes_max? integer of an answer (default 67108864; 1024 to 2147483648)
---@field page_size? integer rows a request (default 200; 1 to 500)
---@field rows_max? integer of a list; more are an error (default 10000; 1 to 10000000)
---@field enable_metrics? boolean counters (default true)
---@field log? fun(level: string, message: string, fields: table)
---@field transport? table how bytes travel, in place of libcurl or cosockets
---@field runtime? table how waiting is done, in place of the tasks of plain Lua or light threads
---@field shared? table stores that processes share: see lua/dsclient/shared.lua

---@class dsclient.tls
---@field ca_file? string of the authorities that are trusted; not in nginx
---@field cert? string of the client
---@field key? string of the client
---@field verify? boolean the server's certificate (default true)

---@class dsclient.store as ngx.shared.DICT
---@field get fun(self: table, name: string): string|number|nil
---@field set fun(self: table, name: string, value: string|number, seconds: number): boolean?, string?, boolean?
---@field add fun(self: table, name: string, value: string|number, seconds: number): boolean?, string?, boolean?
---@field incr fun(self: table, name: string, number: number, first: number): number?, string?
---@field delete fun(self: table, name: string)

---@class dsclient.shared
---@field entries dsclient.store of the cache
---@field state? dsclient.store of all else
---@field later? fun(seconds: number, fn: function): boolean?
---@field owner? fun(): string
---@field lives? fun(owner: string): boolean

---@class dsclient.rate_limit
---@field per_s? number requests a second (0.001 to 1000000)
---@field burst? integer how many of them at once (default 1; 1 to 1000000)

---@class dsclient.operation_options
---@field timeout_s? number of a whole call (0.001 to 86400)
---@field attempt_timeout_s? number of one request (0.001 to 86400)
---@field max_retries? integer after failures that may be repeated (0 to 100)
---@field backoff_s? number the first wait before a repeat (0 to 3600)
---@field backoff_max_s? number the longest wait (0 to 3600)
---@field jitter? "auto"|"full"|"equal"|"none" of the waits
---@field retry_statuses? integer[] that are worth a repeat
---@field trust_503? boolean a 503 with Retry-After did nothing
---@field stale_if_error_s? number how long after its time an old value stands in for an error (0 to 2147483648)
---@field stale_while_revalidate_s? number how long it is given while it is fetched anew (0 to 2147483648)
---@field refresh_ahead? boolean what is asked for near the end of its time is fetched anew in the background

---A circuit breaker, counted over the last 10 s.
---@class dsclient.breaker
---@field state "closed"|"open"|"half-open"
---@field since_s number
---@field calls integer
---@field failures integer
---@field url? string

---How a client stands; tostring gives one line.
---@class dsclient.status
---@field servers dsclient.breaker[]
---@field operations table<string, dsclient.breaker> those that are not closed
---@field in_flight integer requests
---@field in_flight_max integer
---@field waiting integer calls that wait for a connection
---@field waiting_max integer
---@field open? integer connections
---@field rate_per_s? number
---@field hold_s? number no request goes out for so long
---@field slowed_since_s? number how long ago the last 429 came
---@field budget integer of retries
---@field budget_max integer
---@field flights integer fetches that others may join

---What became of results that were fetched ahead: used, or wasted, since nobody asked for them.
---@class dsclient.fates
---@field prefetch_issued integer
---@field prefetch_used integer
---@field prefetch_wasted integer
---@field refresh_issued integer
---@field refresh_used integer
---@field refresh_wasted integer

---@class dsclient.cache_stats : dsclient.fates
---@field size integer
---@field bytes integer
---@field hits integer
---@field misses integer
---@field hit_rate string "96.67%"
---@field hit_ratio number
---@field stale_hits integer
---@field shared integer
---@field evictions integer
---@field expired integer
---@field second? table<string, integer> of the level that processes share: hits, misses, waits, inherited, broken, refused, driven_out, unlocked

---What both reports of the counters have; durations in ms.
---@class dsclient.counted : dsclient.fates
---@field error_rate string "2.25%"
---@field error_ratio number
---@field avg_duration_ms number
---@field min_duration_ms number
---@field max_duration_ms number
---@field p50_duration_ms number
---@field p90_duration_ms number
---@field p99_duration_ms number
---@field p999_duration_ms number
---@field outcomes table<string, integer>
---@field attempt_results table<string, integer>
---@field retry_reasons table<string, integer>
---@field bytes_in integer
---@field bytes_out integer

---@class dsclient.metrics : dsclient.counted
---@field call_count integer
---@field error_count integer
---@field cached_count integer
---@field fresh_count integer
---@field stale_count integer
---@field miss_count integer
---@field attempts integer
---@field retries integer

---@class dsclient.summary : dsclient.counted
---@field total_api_calls integer
---@field total_errors integer
---@field total_cached integer
---@field total_fresh integer
---@field total_stale integer
---@field total_misses integer
---@field total_attempts integer
---@field total_retries integer
---@field slowest_api? string
---@field slowest_duration_ms? number
---@field most_frequent_api? string
---@field most_frequent_count? integer

---@class dsclient.snapshot

---@class dsclient.connection
---@field user string
---@field user_id integer
---@field time_zone? string
---@field dialect "process"|"workflow"
---@field version? string

---@class dsclient.cached_options
---@field ttl_s? number 3600
---@field ttl_nil_s? number of a plain nil
---@field key_prefix? string
---@field key? fun(...): string|number
---@field borrow? boolean results are shared, not copied

---@class dsclient.client
---@field api_url string
---@field access_tokens dsclient.access_tokens
---@field alert_groups dsclient.alert_groups
---@field alert_instances dsclient.alert_instances
---@field analysis dsclient.analysis
---@field audit dsclient.audit
---@field cloud dsclient.cloud
---@field clusters dsclient.clusters
---@field data_quality dsclient.data_quality
---@field datasources dsclient.datasources
---@field environments dsclient.environments
---@field favourites dsclient.favourites
---@field instances dsclient.instances
---@field lineages dsclient.lineages
---@field namespaces dsclient.namespaces
---@field plugins dsclient.plugins
---@field project_parameters dsclient.project_parameters
---@field project_preferences dsclient.project_preferences
---@field project_worker_groups dsclient.project_worker_groups
---@field projects dsclient.projects
---@field queues dsclient.queues
---@field relations dsclient.relations
---@field resources dsclient.resources
---@field schedules dsclient.schedules
---@field server dsclient.server
---@field sessions dsclient.sessions
---@field statistics dsclient.statistics
---@field task_groups dsclient.task_groups
---@field task_instances dsclient.task_instances
---@field task_types dsclient.task_types
---@field tasks dsclient.tasks
---@field tenants dsclient.tenants
---@field udfs dsclient.udfs
---@field users dsclient.users
---@field worker_groups dsclient.worker_groups
---@field workflows dsclient.workflows
local client = {}

---Performs an operation by its name.
---@param name string such as "instances.list"
---@param args? table<string, any>
---@param opts? dsclient.call_options
---@return any value
---@return dsclient.error err
---@return dsclient.meta meta
function client:call(name, args, opts) end

---How long a result of an operation is kept, in seconds; 0: it is not.
---@param name string
---@param opts? dsclient.call_options
---@return number seconds
function client:ttl_of(name, opts) end

---What `client:request` sends.
---@class dsclient.request
---@field method? "GET"|"POST"|"PUT"|"DELETE"
---@field path string behind the API's base
---@field query? table<string, string|number|boolean>
---@field form? table<string, string|number|boolean>
---@field json? table|string
---@field class? "read"|"once" may it be repeated? A GET may, unless told

---The pages of any list that comes in pages.
---@param name string
---@param args? table
---@param opts? dsclient.call_options
---@return {next: fun(): table[]?, dsclient.error} pages
function client:pages(name, args, opts) end

---One page of any list that comes in pages.
---@param name string
---@param number integer from 1 on
---@param args? table
---@param opts? dsclient.call_options
---@return table[]? rows
---@return dsclient.error err
---@return {total: integer} meta
function client:page(name, number, args, opts) end

---Iterates over the rows of any list that comes in pages; throws the error of a page.
---@param name string
---@param args? table
---@param opts? dsclient.call_options
---@return fun(): table? row
function client:each(name, args, opts) end

---Performs a request that no operation stands for.
---@param request dsclient.request
---@param opts? dsclient.call_options
---@return any data
---@return dsclient.error err
---@return dsclient.meta meta
function client:request(request, opts) end

---A call that will be made: name, arguments, options.
---@class dsclient.prefetched
---@field [1] string
---@field [2]? table
---@field [3]? dsclient.call_options

---Fetches into the cache what will be asked for: in the background where tasks run, else at once.
---@param list dsclient.prefetched[]
---@return true? begun
---@return dsclient.error err
function client:prefetch(list) end

---Calls functions side by side; false is the value of one that failed.
---@param fns table<any, fun(): any, any>
---@param opts? dsclient.many_options
---@return table<any, any> values
---@return table<any, any>? errs by key; nil where none failed
function client:gather(fns, opts) end

---Calls a function for each item of a list, 8 at once; false is the value of one that failed.
---@param list any[]
---@param fn fun(item: any, index: integer): any, any
---@param opts? dsclient.many_options
---@return any[] values
---@return table<integer, any>? errs by index; nil where none failed
function client:map(list, fn, opts) end

---Waits as the client's runtime does: other tasks go on meanwhile.
---@param seconds number
---@return true? done
---@return dsclient.error err
function client:sleep(seconds) end

---The descriptor that can be read when a step has something to do, for a loop of one's own.
---@return integer? descriptor
function client:pollfd() end

---The same, as LuaSocket's select asks for it.
---@return integer? descriptor
function client:getfd() end

---What is to be waited for on the descriptor.
---@return "r" events
function client:events() end

---In how many seconds a step has something to do though nothing came.
---@return number? seconds nil: never
function client:timeout() end

---Lets the tasks go on that can; waits for nothing. Throws the Lua error of one.
---@return integer tasks how many are left
function client:step() end

---What can be called and has a text in its name.
---@param part? string
---@return {name: string, summary: string}[]
function client:operations(part) end

---Prints what there is to know of an operation or a resource.
---@param name? string such as "instances.execute" or "instances"; nil for the resources
---@param out? fun(text: string) where it goes: io.write without it
---@return true? done
---@return dsclient.error err
function client:help(name, out) end

---@class dsclient.health_options
---@field heartbeat_max_s? number how far a heartbeat may be behind the newest one: 60
---@field usage_max? number of memory, disk and connections: 0.95
---@field queue_max? integer commands that may wait: 100

---@class dsclient.health
---@field ok boolean
---@field problems string[]
---@field untold table<string, any> the reason of each part that could not be read
---@field masters? table[]
---@field workers? table[]
---@field databases? table[]
---@field queue? table

---Masters, workers, database and waiting commands in one table.
---@param opts? dsclient.health_options
---@return dsclient.health? health
---@return dsclient.error err
function client:cluster_health(opts) end

---@param opts? dsclient.call_options
---@return dsclient.object[]? projects
---@return dsclient.error err
---@return dsclient.meta meta
function client:get_projects(opts) end

---@param project dsclient.arg.project
---@param opts? dsclient.call_options
---@return dsclient.object[]? definitions
---@return dsclient.error err
---@return dsclient.meta meta
function client:get_process_definitions(project, opts) end

---@param project dsclient.arg.project
---@param filter? table<string, any>
---@param opts? dsclient.call_options
---@return dsclient.instance[]? runs
---@return dsclient.error err
---@return dsclient.meta meta
function client:get_workflow_instances(project, filter, opts) end

---@param project dsclient.arg.project
---@param filter? table<string, any>
---@param opts? dsclient.call_options
---@return dsclient.instance[]? runs
---@return dsclient.error err
---@return dsclient.meta meta
function client:get_failed_workflow_instances(project, filter, opts) end

---@param project dsclient.arg.project
---@param filter? table<string, any>
---@param opts? dsclient.call_options
---@return dsclient.task_instance[]? tasks
---@return dsclient.error err
---@return dsclient.meta meta
function client:get_task_instances(project, filter, opts) end

---Runs the failed tasks of a run again; `true` means accepted, not recovered.
---@param project dsclient.arg.project
---@param instance_id dsclient.arg.id
---@param opts? dsclient.call_options
---@return true? accepted
---@return dsclient.error err
---@return dsclient.meta meta
function client:execute_failure_recovery(project, instance_id, opts) end

---Asks the server, never the cache, who we are, and which line it is.
---@param opts? dsclient.call_options
---@return dsclient.connection? connection
---@return dsclient.error err
function client:check_connection(opts) end

---A function that remembers the results of fn.
---@generic F: function
---@param fn F
---@param opts? dsclient.cached_options
---@return F
function client:cached(fn, opts) end

---A function whose calls are counted and timed under the name.
---@generic F: function
---@param fn F
---@param name string
---@return F
function client:monitored(fn, name) end

---@return dsclient.status? status
---@return dsclient.error err
function client:status() end

---@return dsclient.cache_stats? stats
---@return dsclient.error err
function client:get_cache_stats() end

---Empties the cache.
---@return integer? entries
---@return dsclient.error err
function client:clear_cache() end

---Drops what has expired.
---@return integer? entries
---@return dsclient.error err
function client:clean_expired() end

---@return table<string, dsclient.metrics>? metrics by operation
---@return dsclient.error err
function client:get_all_metrics() end

---@return dsclient.summary? summary
---@return dsclient.error err
function client:get_metrics_summary() end

---@return true? done
---@return dsclient.error err
function client:reset_metrics() end

---@param form? "prometheus"|"openmetrics"
---@return string? text
---@return dsclient.error err
function client:metrics_text(form) end

---@return dsclient.snapshot? snapshot for merge_metrics
---@return dsclient.error err
function client:metrics_snapshot() end

---@return string? json
---@return dsclient.error err
function client:metrics_json() end

---Writes the JSON to a file: whole or not at all.
---@param path string
---@return true? done
---@return dsclient.error err
function client:export_metrics(path) end

---@param out? file*|{write: fun(self: any, text: string)}|fun(text: string)
---@param opts? {lang?: "en"|"zh"}
---@return true? done
---@return dsclient.error err
function client:print_stats(out, opts) end

---Ends the connections and gives back all memory; may be called again.
function client:close() end

-- --- the module ----------------------------------------------------------

---@class dsclient
---@field _VERSION string
---@field null userdata JSON null
local dsclient = {}

---Marks a table as a JSON array, so that an empty one is `[]`.
---@generic T: table
---@param list T
---@return T
function dsclient.array(list) end

---Makes a client; does no I/O. Wrong options throw.
---@param opts dsclient.options
---@return dsclient.client
function dsclient.new(opts) end

---As new, with DS_API_URL and DS_TOKEN of the environment.
---@param opts? dsclient.options
---@return dsclient.client? client
---@return dsclient.error err
function dsclient.from_env(opts) end

---Runs fn(…), which may begin tasks; those that are left when it returns are ended.
---@param fn fun(...)
---@param ... any
---@return any ... what fn returns
function dsclient.run(fn, ...) end

---Begins fn(…) as a task of the innermost run around.
---@param fn fun(...)
---@param ... any
---@return dsclient.task task
function dsclient.spawn(fn, ...) end

---Waits until a task is over.
---@param task dsclient.task
---@return any ... what its function returned
function dsclient.join(task) end

---Waits while other tasks run; blocks where there are none.
---@param seconds number
---@return true? done
---@return dsclient.error err
function dsclient.sleep(seconds) end

---Begins fn(…) as a task for a loop of one's own, which lets it go on by client:step().
---@param fn fun(...)
---@param ... any
function dsclient.start(fn, ...) end

---Loads the operations of all resources, or of some: before workers are forked.
---@param resources? string[]
function dsclient.preload(resources) end

---@param ... dsclient.snapshot
---@return dsclient.snapshot? sum
---@return dsclient.error err
function dsclient.merge_metrics(...) end

---@param snapshot dsclient.snapshot
---@return table<string, dsclient.metrics>? metrics by operation
---@return dsclient.error err
function dsclient.get_all_metrics(snapshot) end

---@param snapshot dsclient.snapshot
---@return dsclient.summary? summary
---@return dsclient.error err
function dsclient.get_metrics_summary(snapshot) end

---@param snapshot dsclient.snapshot
---@param form? "prometheus"|"openmetrics"
---@return string? text
---@return dsclient.error err
function dsclient.metrics_text(snapshot, form) end

-- --- the resources -------------------------------------------------------

---Who sends an access token is its user.
---@class dsclient.access_tokens
local access_tokens = {}

---@class dsclient.access_tokens.create.args
---@field user_id dsclient.arg.user_id
---@field expires dsclient.arg.date
---@field token? dsclient.arg.string made by the server where it is not given

---A new token; each call adds one (once)
---@param args dsclient.access_tokens.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function access_tokens:create(args, opts) end

---@class dsclient.access_tokens.delete.args
---@field access_token_id dsclient.arg.id

---Removes a token (repeatable)
---@param args dsclient.access_tokens.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function access_tokens:delete(args, opts) end

---@class dsclient.access_tokens.generate.args
---@field user_id dsclient.arg.user_id
---@field expires dsclient.arg.date

---A token that is stored nowhere, for `create` (read)
---@param args dsclient.access_tokens.generate.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function access_tokens:generate(args, opts) end

---@class dsclient.access_tokens.list.args
---@field search? dsclient.arg.string
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The tokens that the token's user may see, all pages (read)
---@param args? dsclient.access_tokens.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function access_tokens:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args? dsclient.access_tokens.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function access_tokens:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args? dsclient.access_tokens.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function access_tokens:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args? dsclient.access_tokens.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function access_tokens:each(args, opts) end

---@class dsclient.access_tokens.of_user.args
---@field user_id dsclient.arg.user_id

---The tokens of a user (read, from 2.0.2 on)
---@param args dsclient.access_tokens.of_user.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function access_tokens:of_user(args, opts) end

---@class dsclient.access_tokens.update.args
---@field access_token_id dsclient.arg.id
---@field user_id dsclient.arg.user_id
---@field expires dsclient.arg.date
---@field token? dsclient.arg.string made by the server where it is not given

---Changes the user, the end and the text of a token (repeatable)
---@param args dsclient.access_tokens.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function access_tokens:update(args, opts) end

---An alert group names the alert instances that a workflow's alerts go to.
---@class dsclient.alert_groups
local alert_groups = {}

---@class dsclient.alert_groups.all.args

---The alert groups, in one answer (read)
---@param args? dsclient.alert_groups.all.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function alert_groups:all(args, opts) end

---@class dsclient.alert_groups.create.args
---@field name dsclient.arg.string
---@field description? dsclient.arg.string
---@field alert_instance_ids dsclient.arg.ids

---A new alert group; a name that is taken is refused (once)
---@param args dsclient.alert_groups.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function alert_groups:create(args, opts) end

---@class dsclient.alert_groups.delete.args
---@field alert_group dsclient.arg.alert_group_id

---Removes an alert group (once)
---@param args dsclient.alert_groups.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function alert_groups:delete(args, opts) end

---@class dsclient.alert_groups.get.args
---@field alert_group dsclient.arg.alert_group_id

---One alert group (read)
---@param args dsclient.alert_groups.get.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function alert_groups:get(args, opts) end

---@class dsclient.alert_groups.list.args
---@field search? dsclient.arg.string
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The alert groups, all pages (read)
---@param args? dsclient.alert_groups.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function alert_groups:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args? dsclient.alert_groups.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function alert_groups:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args? dsclient.alert_groups.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function alert_groups:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args? dsclient.alert_groups.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function alert_groups:each(args, opts) end

---@class dsclient.alert_groups.normal.args

---The alert groups without the server's own (read, from 3.2.1 to 3.2.2)
---@param args? dsclient.alert_groups.normal.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function alert_groups:normal(args, opts) end

---@class dsclient.alert_groups.update.args
---@field alert_group dsclient.arg.alert_group_id
---@field name dsclient.arg.string
---@field description? dsclient.arg.string
---@field alert_instance_ids dsclient.arg.ids

---Changes all fields of an alert group (repeatable)
---@param args dsclient.alert_groups.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function alert_groups:update(args, opts) end

---@class dsclient.alert_groups.verify_name.args
---@field name dsclient.arg.string

---Is this name free? An error where it is not (read)
---@param args dsclient.alert_groups.verify_name.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function alert_groups:verify_name(args, opts) end

---An alert instance is an alert plugin with its settings: mail, HTTP, script …
---@class dsclient.alert_instances
local alert_instances = {}

---@class dsclient.alert_instances.all.args

---The alert instances, in one answer (read)
---@param args? dsclient.alert_instances.all.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function alert_instances:all(args, opts) end

---@class dsclient.alert_instances.create.args
---@field plugin_id dsclient.arg.id as `plugins` lists them
---@field name dsclient.arg.string
---@field settings dsclient.arg.json the plugin's own parameters
---@field type? dsclient.arg.enum|"NORMAL"|"GLOBAL" default `NORMAL`; from 3.2.1 to 3.2.2
---@field warning_type? dsclient.arg.enum|"NONE"|"SUCCESS"|"FAILURE"|"ALL"|"GLOBAL" default `ALL`; from 3.2.1 to 3.2.2

---A new alert instance; a name that is taken is refused (once)
---@param args dsclient.alert_instances.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function alert_instances:create(args, opts) end

---@class dsclient.alert_instances.delete.args
---@field alert_instance_id dsclient.arg.id

---Removes an alert instance that no group has (repeatable)
---@param args dsclient.alert_instances.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function alert_instances:delete(args, opts) end

---@class dsclient.alert_instances.get.args
---@field alert_instance_id dsclient.arg.id

---One alert instance (read)
---@param args dsclient.alert_instances.get.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function alert_instances:get(args, opts) end

---@class dsclient.alert_instances.list.args
---@field search? dsclient.arg.string
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The alert instances, all pages (read)
---@param args? dsclient.alert_instances.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function alert_instances:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args? dsclient.alert_instances.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function alert_instances:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args? dsclient.alert_instances.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function alert_instances:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args? dsclient.alert_instances.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function alert_instances:each(args, opts) end

---@class dsclient.alert_instances.test_send.args
---@field plugin_id dsclient.arg.id as `plugins` lists them
---@field settings dsclient.arg.json the plugin's own parameters

---Sends an alert, a real one, with these settings (once, from 3.2.1 on)
---@param args dsclient.alert_instances.test_send.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function alert_instances:test_send(args, opts) end

---@class dsclient.alert_instances.update.args
---@field alert_instance_id dsclient.arg.id
---@field name dsclient.arg.string
---@field settings dsclient.arg.json the plugin's own parameters
---@field warning_type? dsclient.arg.enum|"NONE"|"SUCCESS"|"FAILURE"|"ALL"|"GLOBAL" default `ALL`; from 3.2.1 to 3.2.2

---Changes the name and the settings of an alert instance (repeatable)
---@param args dsclient.alert_instances.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function alert_instances:update(args, opts) end

---@class dsclient.alert_instances.verify_name.args
---@field name dsclient.arg.string

---Is this name free? An error where it is not (read)
---@param args dsclient.alert_instances.verify_name.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function alert_instances:verify_name(args, opts) end

---Counts of states, commands and definitions, as the start page shows them.
---@class dsclient.analysis
local analysis = {}

---@class dsclient.analysis.command_state_count.args

---How many commands of each type wait, and how many failed (read)
---@param args? dsclient.analysis.command_state_count.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function analysis:command_state_count(args, opts) end

---@class dsclient.analysis.commands.args
---@field project? dsclient.arg.project all that the user may see where it is left out
---@field projects? dsclient.several_projects in place of project: several at a time
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The commands that no master has taken yet, all pages (read, from 3.2.2 on)
---@param args? dsclient.analysis.commands.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function analysis:commands(args, opts) end

---@class dsclient.analysis.define_user_count.args
---@field project? dsclient.arg.project all that the user may see where it is left out
---@field projects? dsclient.several_projects in place of project: several at a time

---How many workflows each user has (read)
---@param args? dsclient.analysis.define_user_count.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function analysis:define_user_count(args, opts) end

---@class dsclient.analysis.error_commands.args
---@field project? dsclient.arg.project all that the user may see where it is left out
---@field projects? dsclient.several_projects in place of project: several at a time
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The commands that failed, all pages (read, from 3.2.2 on)
---@param args? dsclient.analysis.error_commands.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function analysis:error_commands(args, opts) end

---@class dsclient.analysis.queue_count.args

---Always `{taskQueue = 0, taskKill = 0}` (read)
---@param args? dsclient.analysis.queue_count.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function analysis:queue_count(args, opts) end

---@class dsclient.analysis.task_state_count.args
---@field project? dsclient.arg.project all that the user may see where it is left out
---@field start_date? dsclient.arg.date
---@field end_date? dsclient.arg.date
---@field projects? dsclient.several_projects in place of project: several at a time

---How many task instances are in each state (read)
---@param args? dsclient.analysis.task_state_count.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function analysis:task_state_count(args, opts) end

---@class dsclient.analysis.workflow_state_count.args
---@field project? dsclient.arg.project all that the user may see where it is left out
---@field start_date? dsclient.arg.date
---@field end_date? dsclient.arg.date
---@field projects? dsclient.several_projects in place of project: several at a time

---How many runs are in each state (read)
---@param args? dsclient.analysis.workflow_state_count.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function analysis:workflow_state_count(args, opts) end

---The audit log: who did what to which thing.
---@class dsclient.audit
local audit = {}

---@class dsclient.audit.list.args
---@field resource_type? dsclient.arg.enum up to 3.2.1
---@field operation_type? dsclient.arg.enum up to 3.2.1
---@field model_types? dsclient.arg.strings from 3.2.2 on
---@field operation_types? dsclient.arg.strings from 3.2.2 on
---@field model_name? dsclient.arg.string from 3.2.2 on
---@field user_name? dsclient.arg.string
---@field start_date? dsclient.arg.date
---@field end_date? dsclient.arg.date
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The changes, newest first, all pages (read, from 3.0 on)
---@param args? dsclient.audit.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function audit:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args? dsclient.audit.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function audit:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args? dsclient.audit.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function audit:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args? dsclient.audit.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function audit:each(args, opts) end

---@class dsclient.audit.model_types.args

---The kinds of things that are audited, as a tree (read, from 3.2.2 on)
---@param args? dsclient.audit.model_types.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function audit:model_types(args, opts) end

---@class dsclient.audit.operation_types.args

---The kinds of changes that are audited (read, from 3.2.2 on)
---@param args? dsclient.audit.operation_types.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function audit:operation_types(args, opts) end

---What an account at a cloud has (Azure Data Factory), for the task type that runs it.
---@class dsclient.cloud
local cloud = {}

---@class dsclient.cloud.azure_factories.args

---The data factories of Azure (read, from 3.2 on)
---@param args? dsclient.cloud.azure_factories.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function cloud:azure_factories(args, opts) end

---@class dsclient.cloud.azure_pipelines.args
---@field factory dsclient.arg.string
---@field resource_group dsclient.arg.string

---The pipelines of a data factory (read, from 3.2 on)
---@param args dsclient.cloud.azure_pipelines.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function cloud:azure_pipelines(args, opts) end

---@class dsclient.cloud.azure_resource_groups.args

---The resource groups of Azure (read, from 3.2 on)
---@param args? dsclient.cloud.azure_resource_groups.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function cloud:azure_resource_groups(args, opts) end

---The Kubernetes clusters that the server knows.
---@class dsclient.clusters
local clusters = {}

---@class dsclient.clusters.all.args

---The clusters, in one answer (read, from 3.1 on)
---@param args? dsclient.clusters.all.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function clusters:all(args, opts) end

---@class dsclient.clusters.create.args
---@field name dsclient.arg.string
---@field config dsclient.arg.json {k8s = …, yarn = …}
---@field description? dsclient.arg.string

---A new cluster; its code is the value (once, from 3.1 on)
---@param args dsclient.clusters.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function clusters:create(args, opts) end

---@class dsclient.clusters.delete.args
---@field cluster dsclient.arg.cluster

---Removes a cluster that no namespace uses (repeatable, from 3.1 on)
---@param args dsclient.clusters.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function clusters:delete(args, opts) end

---@class dsclient.clusters.get.args
---@field cluster dsclient.arg.cluster

---One cluster (read, from 3.1 on)
---@param args dsclient.clusters.get.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function clusters:get(args, opts) end

---@class dsclient.clusters.list.args
---@field search? dsclient.arg.string
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The clusters, all pages (read, from 3.1 on)
---@param args? dsclient.clusters.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function clusters:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args? dsclient.clusters.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function clusters:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args? dsclient.clusters.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function clusters:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args? dsclient.clusters.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function clusters:each(args, opts) end

---@class dsclient.clusters.update.args
---@field cluster dsclient.arg.cluster
---@field name dsclient.arg.string
---@field config dsclient.arg.json {k8s = …, yarn = …}
---@field description? dsclient.arg.string

---Changes all fields of a cluster (repeatable, from 3.1 on)
---@param args dsclient.clusters.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function clusters:update(args, opts) end

---@class dsclient.clusters.verify_name.args
---@field name dsclient.arg.string

---Is this name free? An error where it is not (read, from 3.1 on)
---@param args dsclient.clusters.verify_name.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function clusters:verify_name(args, opts) end

---The rules of data quality checks, and their results.
---@class dsclient.data_quality
local data_quality = {}

---@class dsclient.data_quality.all_rules.args

---The rules, in one answer (read, from 3.0 to 3.2)
---@param args? dsclient.data_quality.all_rules.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function data_quality:all_rules(args, opts) end

---@class dsclient.data_quality.datasource_options.args
---@field type_id dsclient.arg.integer at least 0; the number of a DbType

---The data sources of a type that a rule may use (read, from 3.0 to 3.2)
---@param args dsclient.data_quality.datasource_options.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function data_quality:datasource_options(args, opts) end

---@class dsclient.data_quality.results.args
---@field search? dsclient.arg.string
---@field rule_type? dsclient.arg.integer at least 0
---@field state? dsclient.arg.integer at least 0
---@field start_date? dsclient.arg.date
---@field end_date? dsclient.arg.date
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The results of checks, all pages (read, from 3.0 to 3.2)
---@param args? dsclient.data_quality.results.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function data_quality:results(args, opts) end

---@class dsclient.data_quality.rule_form.args
---@field rule_id dsclient.arg.id

---The form of a rule, as the UI shows it (JSON text) (read, from 3.0 to 3.2)
---@param args dsclient.data_quality.rule_form.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function data_quality:rule_form(args, opts) end

---@class dsclient.data_quality.rules.args
---@field search? dsclient.arg.string
---@field rule_type? dsclient.arg.integer at least 0
---@field start_date? dsclient.arg.date
---@field end_date? dsclient.arg.date
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The rules, all pages (read, from 3.0 to 3.2)
---@param args? dsclient.data_quality.rules.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function data_quality:rules(args, opts) end

---Connections to databases, and the databases, tables and columns there.
---@class dsclient.datasources
local datasources = {}

---@class dsclient.datasources.authorized.args
---@field user_id dsclient.arg.user_id

---The data sources that a user may use (read)
---@param args dsclient.datasources.authorized.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function datasources:authorized(args, opts) end

---@class dsclient.datasources.columns.args
---@field datasource_id dsclient.arg.datasource_id
---@field table dsclient.arg.string
---@field database? dsclient.arg.string from 3.2 on

---The columns of a table (read, from 3.0 on)
---@param args dsclient.datasources.columns.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function datasources:columns(args, opts) end

---@class dsclient.datasources.connect.args
---@field definition dsclient.arg.json {type, name, note, host, port, database, userName, password, other, …}

---Does a connection with these settings work? Nothing is stored (read)
---@param args dsclient.datasources.connect.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function datasources:connect(args, opts) end

---@class dsclient.datasources.create.args
---@field definition dsclient.arg.json {type, name, note, host, port, database, userName, password, other, …}

---A new data source; a name that is taken is refused (once)
---@param args dsclient.datasources.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function datasources:create(args, opts) end

---@class dsclient.datasources.databases.args
---@field datasource_id dsclient.arg.datasource_id

---The databases that a data source reaches (read, from 3.2 on)
---@param args dsclient.datasources.databases.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function datasources:databases(args, opts) end

---@class dsclient.datasources.delete.args
---@field datasource_id dsclient.arg.datasource_id

---Removes a data source (repeatable)
---@param args dsclient.datasources.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function datasources:delete(args, opts) end

---@class dsclient.datasources.get.args
---@field datasource_id dsclient.arg.datasource_id

---One data source, without its password (read)
---@param args dsclient.datasources.get.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function datasources:get(args, opts) end

---@class dsclient.datasources.kerberos.args

---Is Kerberos on? (read)
---@param args? dsclient.datasources.kerberos.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function datasources:kerberos(args, opts) end

---@class dsclient.datasources.list.args
---@field search? dsclient.arg.string
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The data sources, all pages (read)
---@param args? dsclient.datasources.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function datasources:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args? dsclient.datasources.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function datasources:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args? dsclient.datasources.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function datasources:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args? dsclient.datasources.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function datasources:each(args, opts) end

---@class dsclient.datasources.of_type.args
---@field type dsclient.arg.enum|"MYSQL"|"POSTGRESQL"|"HIVE"|"SPARK"|"CLICKHOUSE"|"ORACLE"

---The data sources of a type, in one answer (read)
---@param args dsclient.datasources.of_type.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function datasources:of_type(args, opts) end

---@class dsclient.datasources.tables.args
---@field datasource_id dsclient.arg.datasource_id
---@field database? dsclient.arg.string from 3.2 on

---The tables of a database (read, from 3.0 on)
---@param args dsclient.datasources.tables.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function datasources:tables(args, opts) end

---@class dsclient.datasources.test.args
---@field datasource_id dsclient.arg.datasource_id

---Does the connection of a data source work? (read)
---@param args dsclient.datasources.test.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function datasources:test(args, opts) end

---@class dsclient.datasources.unauthorized.args
---@field user_id dsclient.arg.user_id

---The data sources that a user may not use (read)
---@param args dsclient.datasources.unauthorized.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function datasources:unauthorized(args, opts) end

---@class dsclient.datasources.update.args
---@field datasource_id dsclient.arg.datasource_id
---@field definition dsclient.arg.json {type, name, note, host, port, database, userName, password, other, …}

---Changes all fields of a data source (repeatable)
---@param args dsclient.datasources.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function datasources:update(args, opts) end

---@class dsclient.datasources.verify_name.args
---@field name dsclient.arg.string

---Is this name free? An error where it is not (read)
---@param args dsclient.datasources.verify_name.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function datasources:verify_name(args, opts) end

---Named sets of variables that tasks run with.
---@class dsclient.environments
local environments = {}

---@class dsclient.environments.all.args

---The environments, in one answer (read)
---@param args? dsclient.environments.all.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function environments:all(args, opts) end

---@class dsclient.environments.create.args
---@field name dsclient.arg.string
---@field config dsclient.arg.string lines of export NAME=value
---@field description? dsclient.arg.string
---@field worker_groups? dsclient.arg.json an array of names

---A new environment; its code is the value (once)
---@param args dsclient.environments.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function environments:create(args, opts) end

---@class dsclient.environments.delete.args
---@field environment dsclient.arg.environment

---Removes an environment that no task uses (repeatable)
---@param args dsclient.environments.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function environments:delete(args, opts) end

---@class dsclient.environments.get.args
---@field environment dsclient.arg.environment

---One environment (read)
---@param args dsclient.environments.get.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function environments:get(args, opts) end

---@class dsclient.environments.list.args
---@field search? dsclient.arg.string
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The environments, all pages (read)
---@param args? dsclient.environments.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function environments:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args? dsclient.environments.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function environments:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args? dsclient.environments.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function environments:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args? dsclient.environments.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function environments:each(args, opts) end

---@class dsclient.environments.update.args
---@field environment dsclient.arg.environment
---@field name dsclient.arg.string
---@field config dsclient.arg.string lines of export NAME=value
---@field description? dsclient.arg.string
---@field worker_groups? dsclient.arg.json an array of names

---Changes all fields of an environment (repeatable)
---@param args dsclient.environments.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function environments:update(args, opts) end

---@class dsclient.environments.verify_name.args
---@field name dsclient.arg.string

---Is this name free? An error where it is not (read)
---@param args dsclient.environments.verify_name.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function environments:verify_name(args, opts) end

---The task types that the token's user has marked as favourites.
---@class dsclient.favourites
local favourites = {}

---@class dsclient.favourites.add.args
---@field task_type dsclient.arg.string SHELL, SQL, …

---Marks a task type (repeatable, from 3.1 on)
---@param args dsclient.favourites.add.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function favourites:add(args, opts) end

---@class dsclient.favourites.list.args

---The task types, and which of them are marked (read, from 3.1 on)
---@param args? dsclient.favourites.list.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function favourites:list(args, opts) end

---@class dsclient.favourites.remove.args
---@field task_type dsclient.arg.string SHELL, SQL, …

---Takes the mark from a task type (repeatable, from 3.1 on)
---@param args dsclient.favourites.remove.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function favourites:remove(args, opts) end

---Workflow instances, that is runs: list and read them, and act on them.
---@class dsclient.instances
local instances = {}

---@class dsclient.instances.batch_delete.args
---@field project dsclient.arg.project
---@field instance_ids dsclient.arg.ids

---Removes several finished runs (once)
---@param args dsclient.instances.batch_delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:batch_delete(args, opts) end

---@class dsclient.instances.batch_execute.args
---@field project dsclient.arg.project
---@field instance_ids dsclient.arg.ids
---@field execute_type dsclient.arg.enum|"START_FAILURE_TASK_PROCESS"|"REPEAT_RUNNING"|"RECOVER_SUSPENDED_PROCESS"|"STOP"|"PAUSE"

---Acts on several runs (once, from 3.1 on)
---@param args dsclient.instances.batch_execute.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:batch_execute(args, opts) end

---@class dsclient.instances.delete.args
---@field project dsclient.arg.project
---@field instance_id dsclient.arg.id

---Removes a finished run with its task instances (repeatable)
---@param args dsclient.instances.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:delete(args, opts) end

---@class dsclient.instances.delete_by_id.args
---@field instance_id dsclient.arg.id

---Removes a finished run, whatever project it is in (repeatable, from 3.2 on)
---@param args dsclient.instances.delete_by_id.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:delete_by_id(args, opts) end

---@class dsclient.instances.dynamic_sub_workflows.args
---@field project dsclient.arg.project
---@field task_instance_id dsclient.arg.id

---The runs that a DYNAMIC task began (read, from 3.2 on)
---@param args dsclient.instances.dynamic_sub_workflows.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:dynamic_sub_workflows(args, opts) end

---@class dsclient.instances.execute.args
---@field project dsclient.arg.project
---@field instance_id dsclient.arg.id
---@field execute_type dsclient.arg.enum|"START_FAILURE_TASK_PROCESS"|"REPEAT_RUNNING"|"RECOVER_SUSPENDED_PROCESS"|"STOP"|"PAUSE"

---Acts on a run: `START_FAILURE_TASK_PROCESS`, `REPEAT_RUNNING`, `RECOVER_SUSPENDED_PROCESS`, STOP, PAUSE (once)
---@param args dsclient.instances.execute.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:execute(args, opts) end

---@class dsclient.instances.execute_by_id.args
---@field instance_id dsclient.arg.id
---@field execute_type dsclient.arg.enum|"START_FAILURE_TASK_PROCESS"|"REPEAT_RUNNING"|"RECOVER_SUSPENDED_PROCESS"|"STOP"|"PAUSE"

---Acts on a run, whatever project it is in (once, from 3.2 on)
---@param args dsclient.instances.execute_by_id.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:execute_by_id(args, opts) end

---@class dsclient.instances.execute_task.args
---@field project dsclient.arg.project
---@field instance_id dsclient.arg.id
---@field task dsclient.arg.code
---@field task_depend_type dsclient.arg.enum|"TASK_ONLY"|"TASK_PRE"|"TASK_POST"

---Runs one task of a finished run again, alone or with those before or after it (once, from 3.2 on)
---@param args dsclient.instances.execute_task.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:execute_task(args, opts) end

---@class dsclient.instances.get.args
---@field project dsclient.arg.project
---@field instance_id dsclient.arg.id

---One run, with the definition that it runs (`dagData`): large (read)
---@param args dsclient.instances.get.args
---@param opts? dsclient.call_options
---@return dsclient.instance? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:get(args, opts) end

---@class dsclient.instances.get_by_id.args
---@field instance_id dsclient.arg.id

---One run, whatever project it is in (read, from 3.2 on)
---@param args dsclient.instances.get_by_id.args
---@param opts? dsclient.call_options
---@return dsclient.instance? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:get_by_id(args, opts) end

---@class dsclient.instances.list.args
---@field project? dsclient.arg.project
---@field workflow? dsclient.arg.workflow
---@field search? dsclient.arg.string a part of the run's name
---@field executor? dsclient.arg.string the whole name of a user
---@field state? dsclient.arg.enum|"SUBMITTED_SUCCESS"|"RUNNING_EXECUTION"|"READY_PAUSE"|"PAUSE"|"READY_STOP"|"STOP"|"FAILURE"|"SUCCESS"|"NEED_FAULT_TOLERANCE"|"KILL"|"WAITING_THREAD"|"WAITING_DEPEND"|"DELAY_EXECUTION"|"FORCED_SUCCESS"|"SERIAL_WAIT"|"READY_BLOCK"|"BLOCK"|"WAIT_TO_RUN"|"FAILOVER"
---@field host? dsclient.arg.string a part of it
---@field start_date? dsclient.arg.date
---@field end_date? dsclient.arg.date
---@field projects? dsclient.several_projects in place of project: several at a time
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The runs of a project that fit the filter, newest first, all pages (read)
---@param args dsclient.instances.list.args
---@param opts? dsclient.call_options
---@return dsclient.instance[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args dsclient.instances.list.args
---@param opts? dsclient.call_options
---@return dsclient.instance[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function instances:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args dsclient.instances.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.instance[]?, dsclient.error?}
function instances:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args dsclient.instances.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.instance?
function instances:each(args, opts) end

---@class dsclient.instances.parent_workflow.args
---@field project dsclient.arg.project
---@field instance_id dsclient.arg.id

---The run that the run of a sub-workflow belongs to (read)
---@param args dsclient.instances.parent_workflow.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:parent_workflow(args, opts) end

---@class dsclient.instances.query_executing_workflow.args
---@field project dsclient.arg.project
---@field instance_id dsclient.arg.id

---A run as its master has it in memory (read, from 3.0 to 3.2)
---@param args dsclient.instances.query_executing_workflow.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:query_executing_workflow(args, opts) end

---@class dsclient.instances.search.args
---@field project_name dsclient.arg.string
---@field workflow_name dsclient.arg.string
---@field host? dsclient.arg.string
---@field start_time? dsclient.arg.date
---@field end_time? dsclient.arg.date
---@field state? dsclient.arg.integer its number: 6 is FAILURE
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The runs of a workflow, by the names of project and workflow, all pages (read, from 3.2 on)
---@param args dsclient.instances.search.args
---@param opts? dsclient.call_options
---@return dsclient.instance[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:search(args, opts) end

---@class dsclient.instances.sub_workflow.args
---@field project dsclient.arg.project
---@field task_instance_id dsclient.arg.id

---The run that a sub-workflow task began (read)
---@param args dsclient.instances.sub_workflow.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:sub_workflow(args, opts) end

---@class dsclient.instances.tasks.args
---@field project dsclient.arg.project
---@field instance_id dsclient.arg.id

---The state of a run (`workflowInstanceState`) and its valid tasks (`taskList`) (read)
---@param args dsclient.instances.tasks.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:tasks(args, opts) end

---@class dsclient.instances.top_n.args
---@field project? dsclient.arg.project
---@field size dsclient.arg.integer at least 1
---@field start_time dsclient.arg.date
---@field end_time dsclient.arg.date
---@field projects? dsclient.several_projects in place of project: several at a time

---The longest successful runs of a time (read)
---@param args dsclient.instances.top_n.args
---@param opts? dsclient.call_options
---@return dsclient.instance[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:top_n(args, opts) end

---@class dsclient.instances.trigger.args
---@field project dsclient.arg.project
---@field trigger_code dsclient.arg.code

---The runs that came of a start, by the code that the start gave (read, from 3.2 on)
---@param args dsclient.instances.trigger.args
---@param opts? dsclient.call_options
---@return dsclient.instance[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:trigger(args, opts) end

---@class dsclient.instances.update.args
---@field project dsclient.arg.project
---@field instance_id dsclient.arg.id
---@field tasks dsclient.arg.json
---@field relations dsclient.arg.json
---@field sync_define dsclient.arg.boolean edit the workflow, too
---@field schedule_time? dsclient.arg.string
---@field global_params? dsclient.arg.json
---@field locations? dsclient.arg.json
---@field timeout? dsclient.arg.integer at least 0
---@field tenant? dsclient.arg.tenant default `"default"`; up to 3.1

---Edits what a finished run will do when it is repeated (once)
---@param args dsclient.instances.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:update(args, opts) end

---@class dsclient.instances.view_gantt.args
---@field project dsclient.arg.project
---@field instance_id dsclient.arg.id

---When each task of a run began and ended (read)
---@param args dsclient.instances.view_gantt.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:view_gantt(args, opts) end

---@class dsclient.instances.view_variables.args
---@field project dsclient.arg.project
---@field instance_id dsclient.arg.id

---The global and local parameters of a run (read)
---@param args dsclient.instances.view_variables.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function instances:view_variables(args, opts) end

---Which workflows and tasks depend on which.
---@class dsclient.lineages
local lineages = {}

---@class dsclient.lineages.dependent_tasks.args
---@field project? dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field task? dsclient.arg.task
---@field projects? dsclient.several_projects in place of project: several at a time

---The tasks that depend on a workflow, or on one of its tasks (read, from 3.2.2 on)
---@param args dsclient.lineages.dependent_tasks.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function lineages:dependent_tasks(args, opts) end

---@class dsclient.lineages.get.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow

---The graph around one workflow (read)
---@param args dsclient.lineages.get.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function lineages:get(args, opts) end

---@class dsclient.lineages.get_by_name.args
---@field project? dsclient.arg.project
---@field name? dsclient.arg.string
---@field projects? dsclient.several_projects in place of project: several at a time

---The workflows whose name has a text in it, with their schedules (read)
---@param args dsclient.lineages.get_by_name.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function lineages:get_by_name(args, opts) end

---@class dsclient.lineages.list.args
---@field project dsclient.arg.project

---The graph of all workflows of a project (read)
---@param args dsclient.lineages.list.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function lineages:list(args, opts) end

---@class dsclient.lineages.verify_delete.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field task dsclient.arg.task

---May a task be deleted, or do others depend on it? Refused where they do (read, from 3.0.2 on)
---@param args dsclient.lineages.verify_delete.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function lineages:verify_delete(args, opts) end

---Kubernetes namespaces that tasks may run in.
---@class dsclient.namespaces
local namespaces = {}

---@class dsclient.namespaces.authorized.args
---@field user_id dsclient.arg.user_id

---The namespaces that a user may use (read, from 3.0 on)
---@param args dsclient.namespaces.authorized.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function namespaces:authorized(args, opts) end

---@class dsclient.namespaces.available.args

---The namespaces that the token's user may use (read, from 3.0 on)
---@param args? dsclient.namespaces.available.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function namespaces:available(args, opts) end

---@class dsclient.namespaces.create.args
---@field namespace dsclient.arg.string
---@field cluster? dsclient.arg.cluster from 3.1 on
---@field k8s? dsclient.arg.string up to 3.0; the name of the cluster
---@field limits_cpu? dsclient.arg.number at least 0; up to 3.2.0
---@field limits_memory? dsclient.arg.integer at least 0; up to 3.2.0

---A new namespace; it is made in the cluster, too (once, from 3.0 on)
---@param args dsclient.namespaces.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function namespaces:create(args, opts) end

---@class dsclient.namespaces.delete.args
---@field namespace_id dsclient.arg.id

---Removes a namespace; the one in the cluster stays (repeatable, from 3.0 on)
---@param args dsclient.namespaces.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function namespaces:delete(args, opts) end

---@class dsclient.namespaces.list.args
---@field search? dsclient.arg.string
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The namespaces, all pages (read, from 3.0 on)
---@param args? dsclient.namespaces.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function namespaces:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args? dsclient.namespaces.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function namespaces:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args? dsclient.namespaces.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function namespaces:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args? dsclient.namespaces.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function namespaces:each(args, opts) end

---@class dsclient.namespaces.unauthorized.args
---@field user_id dsclient.arg.user_id

---The namespaces that a user may not use (read, from 3.0 on)
---@param args dsclient.namespaces.unauthorized.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function namespaces:unauthorized(args, opts) end

---@class dsclient.namespaces.update.args
---@field namespace_id dsclient.arg.id
---@field user_name? dsclient.arg.string
---@field tag? dsclient.arg.string
---@field limits_cpu? dsclient.arg.number at least 0; up to 3.2.0
---@field limits_memory? dsclient.arg.integer at least 0; up to 3.2.0

---Changes the limits of a namespace (repeatable, from 3.0 to 3.2.0)
---@param args dsclient.namespaces.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function namespaces:update(args, opts) end

---@class dsclient.namespaces.verify.args
---@field namespace dsclient.arg.string
---@field cluster? dsclient.arg.cluster from 3.1 on
---@field k8s? dsclient.arg.string up to 3.0; the name of the cluster

---Is this name free in the cluster? An error where it is not (read, from 3.0 on)
---@param args dsclient.namespaces.verify.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function namespaces:verify(args, opts) end

---The plugins of the server, with the parameters of their forms.
---@class dsclient.plugins
local plugins = {}

---@class dsclient.plugins.get.args
---@field plugin_id dsclient.arg.id

---One plugin, with the parameters that it takes (read)
---@param args dsclient.plugins.get.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function plugins:get(args, opts) end

---@class dsclient.plugins.list.args
---@field type dsclient.arg.enum|"ALERT"|"REGISTER"|"TASK"

---The plugins of a kind (read)
---@param args dsclient.plugins.list.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function plugins:list(args, opts) end

---Values that all workflows of a project may use.
---@class dsclient.project_parameters
local project_parameters = {}

---@class dsclient.project_parameters.batch_delete.args
---@field project dsclient.arg.project
---@field codes dsclient.arg.codes

---Removes several parameters (once, from 3.2 on)
---@param args dsclient.project_parameters.batch_delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function project_parameters:batch_delete(args, opts) end

---@class dsclient.project_parameters.create.args
---@field project dsclient.arg.project
---@field name dsclient.arg.string
---@field value dsclient.arg.string
---@field data_type? dsclient.arg.enum|"VARCHAR"|"INTEGER"|"LONG"|"FLOAT"|"DOUBLE"|"DATE"|"TIME"|"TIMESTAMP"|"BOOLEAN"|"LIST"|"FILE" from 3.3 on

---A new parameter; a name that is taken is refused with 10218 (once, from 3.2 on)
---@param args dsclient.project_parameters.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function project_parameters:create(args, opts) end

---@class dsclient.project_parameters.delete.args
---@field project dsclient.arg.project
---@field code dsclient.arg.code

---Removes a parameter (repeatable, from 3.2 on)
---@param args dsclient.project_parameters.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function project_parameters:delete(args, opts) end

---@class dsclient.project_parameters.get.args
---@field project dsclient.arg.project
---@field code dsclient.arg.code

---One parameter of a project (read, from 3.2 on)
---@param args dsclient.project_parameters.get.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function project_parameters:get(args, opts) end

---@class dsclient.project_parameters.list.args
---@field project? dsclient.arg.project
---@field search? dsclient.arg.string
---@field data_type? dsclient.arg.enum|"VARCHAR"|"INTEGER"|"LONG"|"FLOAT"|"DOUBLE"|"DATE"|"TIME"|"TIMESTAMP"|"BOOLEAN"|"LIST"|"FILE" from 3.3 on
---@field projects? dsclient.several_projects in place of project: several at a time
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The parameters of a project, all pages (read, from 3.2 on)
---@param args dsclient.project_parameters.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function project_parameters:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args dsclient.project_parameters.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function project_parameters:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args dsclient.project_parameters.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function project_parameters:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args dsclient.project_parameters.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function project_parameters:each(args, opts) end

---@class dsclient.project_parameters.update.args
---@field project dsclient.arg.project
---@field code dsclient.arg.code
---@field name dsclient.arg.string
---@field value dsclient.arg.string
---@field data_type? dsclient.arg.enum|"VARCHAR"|"INTEGER"|"LONG"|"FLOAT"|"DOUBLE"|"DATE"|"TIME"|"TIMESTAMP"|"BOOLEAN"|"LIST"|"FILE" default `VARCHAR`; from 3.3 on

---Another name, value and type for a parameter (repeatable, from 3.2 on)
---@param args dsclient.project_parameters.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function project_parameters:update(args, opts) end

---What new tasks of a project are filled in with.
---@class dsclient.project_preferences
local project_preferences = {}

---@class dsclient.project_preferences.enable.args
---@field project dsclient.arg.project
---@field state dsclient.arg.integer 0 to 1; 1 is on

---Makes the preferences of a project count, or not (repeatable, from 3.2 on)
---@param args dsclient.project_preferences.enable.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function project_preferences:enable(args, opts) end

---@class dsclient.project_preferences.get.args
---@field project dsclient.arg.project

---The preferences of a project; true where none were ever set (read, from 3.2 on)
---@param args dsclient.project_preferences.get.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function project_preferences:get(args, opts) end

---@class dsclient.project_preferences.update.args
---@field project dsclient.arg.project
---@field preferences dsclient.arg.json

---Sets the preferences of a project, and makes them count where there were none (repeatable, from 3.2 on)
---@param args dsclient.project_preferences.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function project_preferences:update(args, opts) end

---The worker groups that a project may use.
---@class dsclient.project_worker_groups
local project_worker_groups = {}

---@class dsclient.project_worker_groups.assign.args
---@field project dsclient.arg.project
---@field worker_groups dsclient.arg.strings

---Sets the worker groups that a project may use (repeatable, from 3.2.2 on)
---@param args dsclient.project_worker_groups.assign.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function project_worker_groups:assign(args, opts) end

---@class dsclient.project_worker_groups.list.args
---@field project? dsclient.arg.project
---@field projects? dsclient.several_projects in place of project: several at a time

---The worker groups that a project may use, those that it uses included (read, from 3.2.2 on)
---@param args dsclient.project_worker_groups.list.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function project_worker_groups:list(args, opts) end

---What workflows, their runs and the rights of users are in.
---@class dsclient.projects
local projects = {}

---@class dsclient.projects.all.args

---The projects of the token's user, of an admin all, in one answer (read)
---@param args? dsclient.projects.all.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function projects:all(args, opts) end

---@class dsclient.projects.authorized.args
---@field user_id dsclient.arg.user_id

---The projects that a user was given (read)
---@param args dsclient.projects.authorized.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function projects:authorized(args, opts) end

---@class dsclient.projects.authorized_users.args
---@field project? dsclient.arg.project
---@field projects? dsclient.several_projects in place of project: several at a time

---The users that were given a project (read, from 2.0.2 on)
---@param args? dsclient.projects.authorized_users.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function projects:authorized_users(args, opts) end

---@class dsclient.projects.create.args
---@field name dsclient.arg.string
---@field description? dsclient.arg.string default `""`

---A new project; a name that is taken is refused with 10019 (once)
---@param args dsclient.projects.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function projects:create(args, opts) end

---@class dsclient.projects.created_and_authed.args

---The projects that the token's user made or was given (read)
---@param args? dsclient.projects.created_and_authed.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function projects:created_and_authed(args, opts) end

---@class dsclient.projects.delete.args
---@field project dsclient.arg.project

---Removes a project without workflows (repeatable)
---@param args dsclient.projects.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function projects:delete(args, opts) end

---@class dsclient.projects.get.args
---@field project dsclient.arg.project

---One project (read)
---@param args dsclient.projects.get.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function projects:get(args, opts) end

---@class dsclient.projects.list.args
---@field search? dsclient.arg.string a part of name or description
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The projects that the token's user may see, all pages (read)
---@param args? dsclient.projects.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function projects:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args? dsclient.projects.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function projects:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args? dsclient.projects.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function projects:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args? dsclient.projects.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function projects:each(args, opts) end

---@class dsclient.projects.list_dependent.args

---All projects, for dependent tasks to name (read, from 3.1 on)
---@param args? dsclient.projects.list_dependent.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function projects:list_dependent(args, opts) end

---@class dsclient.projects.unauthorized.args
---@field user_id dsclient.arg.user_id

---The projects that a user was not given (read)
---@param args dsclient.projects.unauthorized.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function projects:unauthorized(args, opts) end

---@class dsclient.projects.update.args
---@field project dsclient.arg.project
---@field name dsclient.arg.string
---@field description? dsclient.arg.string empty where it is left out
---@field user_name? dsclient.arg.string up to 3.2.0; the owner

---Renames a project and describes it anew (repeatable)
---@param args dsclient.projects.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function projects:update(args, opts) end

---@class dsclient.projects.with_level.args
---@field user_id dsclient.arg.user_id

---The projects with what a user may do in each, in one answer (read, from 3.2 on)
---@param args dsclient.projects.with_level.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function projects:with_level(args, opts) end

---@class dsclient.projects.with_level_list.args
---@field user_id dsclient.arg.user_id
---@field search? dsclient.arg.string a part of name or description
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The projects with what a user may do in each, all pages (read, from 3.2 on)
---@param args dsclient.projects.with_level_list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function projects:with_level_list(args, opts) end

---The YARN queues that tenants submit to.
---@class dsclient.queues
local queues = {}

---@class dsclient.queues.all.args

---The queues, in one answer (read)
---@param args? dsclient.queues.all.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function queues:all(args, opts) end

---@class dsclient.queues.create.args
---@field queue dsclient.arg.string as the resource manager calls it
---@field name dsclient.arg.string

---A new queue; both names have to be free (once)
---@param args dsclient.queues.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function queues:create(args, opts) end

---@class dsclient.queues.delete.args
---@field queue_id dsclient.arg.queue_id

---Removes a queue that no tenant and no user has (repeatable, from 3.2 on)
---@param args dsclient.queues.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function queues:delete(args, opts) end

---@class dsclient.queues.list.args
---@field search? dsclient.arg.string
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The queues, all pages (read)
---@param args? dsclient.queues.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function queues:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args? dsclient.queues.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function queues:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args? dsclient.queues.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function queues:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args? dsclient.queues.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function queues:each(args, opts) end

---@class dsclient.queues.update.args
---@field queue_id dsclient.arg.queue_id
---@field queue dsclient.arg.string as the resource manager calls it
---@field name dsclient.arg.string

---Changes the names of a queue (once)
---@param args dsclient.queues.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function queues:update(args, opts) end

---@class dsclient.queues.verify.args
---@field queue dsclient.arg.string as the resource manager calls it
---@field name dsclient.arg.string

---Are these names free? An error where one is not (read)
---@param args dsclient.queues.verify.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function queues:verify(args, opts) end

---The edges between the tasks of a workflow.
---@class dsclient.relations
local relations = {}

---@class dsclient.relations.create.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field pre_task dsclient.arg.task
---@field post_task dsclient.arg.task

---An edge between two tasks of a workflow (once, from 2.0.1 on)
---@param args dsclient.relations.create.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function relations:create(args, opts) end

---@class dsclient.relations.create_pair.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field pre_task dsclient.arg.task
---@field post_task dsclient.arg.task

---An edge between two tasks of a workflow; answers the edge (once, from 3.2 on)
---@param args dsclient.relations.create_pair.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function relations:create_pair(args, opts) end

---@class dsclient.relations.delete.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field task dsclient.arg.task

---Takes a task out of a workflow (once, from 2.0.1 on)
---@param args dsclient.relations.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function relations:delete(args, opts) end

---@class dsclient.relations.delete_downstream.args
---@field project dsclient.arg.project
---@field task dsclient.arg.code
---@field post_tasks dsclient.arg.codes

---Removes the edges from a task to some tasks (once, from 2.0.1 on)
---@param args dsclient.relations.delete_downstream.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function relations:delete_downstream(args, opts) end

---@class dsclient.relations.delete_edge.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field pre_task dsclient.arg.task
---@field post_task dsclient.arg.task

---Removes the edge between two tasks of a workflow (once, from 2.0.1 on)
---@param args dsclient.relations.delete_edge.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function relations:delete_edge(args, opts) end

---@class dsclient.relations.delete_pair.args
---@field pair dsclient.arg.codes {upstream, downstream}

---Removes the edges between two tasks, whatever workflow they are in (once, from 3.2 on)
---@param args dsclient.relations.delete_pair.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function relations:delete_pair(args, opts) end

---@class dsclient.relations.delete_upstream.args
---@field project dsclient.arg.project
---@field task dsclient.arg.code
---@field pre_tasks dsclient.arg.codes

---Removes the edges from some tasks to a task (once, from 2.0.1 on)
---@param args dsclient.relations.delete_upstream.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function relations:delete_upstream(args, opts) end

---@class dsclient.relations.downstream.args
---@field project dsclient.arg.project
---@field task dsclient.arg.code

---The tasks right after a task (read, from 2.0.1 on)
---@param args dsclient.relations.downstream.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function relations:downstream(args, opts) end

---@class dsclient.relations.move.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field target_workflow dsclient.arg.workflow
---@field task dsclient.arg.task

---Moves a task from a workflow to another (once, from 2.0.1 to 2.0.3)
---@param args dsclient.relations.move.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function relations:move(args, opts) end

---@class dsclient.relations.update_upstreams.args
---@field task dsclient.arg.code
---@field workflow dsclient.arg.code
---@field upstreams dsclient.arg.json a list of codes of tasks

---Sets which tasks come right before a task (once, from 3.2 on)
---@param args dsclient.relations.update_upstreams.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function relations:update_upstreams(args, opts) end

---@class dsclient.relations.upstream.args
---@field project dsclient.arg.project
---@field task dsclient.arg.code

---The tasks right before a task (read, from 2.0.1 on)
---@param args dsclient.relations.upstream.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function relations:upstream(args, opts) end

---The files of the resource centre, which tasks use.
---@class dsclient.resources
local resources = {}

---@class dsclient.resources.authorized_files.args
---@field user_id dsclient.arg.user_id

---The files that a user may use (read, up to 3.2.0)
---@param args dsclient.resources.authorized_files.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:authorized_files(args, opts) end

---@class dsclient.resources.authorized_tree.args
---@field user_id dsclient.arg.user_id

---The files that a user may use, as a tree (read, up to 3.2.0)
---@param args dsclient.resources.authorized_tree.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:authorized_tree(args, opts) end

---@class dsclient.resources.base_folder.args
---@field type dsclient.arg.enum|"FILE"|"UDF"|"ALL"

---The folder under which all files of a type are (read, from 3.2 on)
---@param args dsclient.resources.base_folder.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:base_folder(args, opts) end

---@class dsclient.resources.by_file_name.args
---@field name? dsclient.arg.string
---@field tenant? dsclient.arg.string
---@field type dsclient.arg.enum|"FILE"|"UDF"|"ALL"

---The file of this name (read, from 3.2 to 3.2.2)
---@param args dsclient.resources.by_file_name.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:by_file_name(args, opts) end

---@class dsclient.resources.by_full_name.args
---@field type dsclient.arg.enum|"FILE"|"UDF"|"ALL"
---@field full_name dsclient.arg.string the whole path, as `list` gives it
---@field tenant dsclient.arg.string

---The file of this full name (read, from 3.2 to 3.2.1)
---@param args dsclient.resources.by_full_name.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:by_full_name(args, opts) end

---@class dsclient.resources.create.args
---@field type dsclient.arg.enum|"FILE"|"UDF"|"ALL"
---@field name dsclient.arg.string without its suffix
---@field suffix dsclient.arg.string sh, py, sql, …
---@field content dsclient.arg.string
---@field folder dsclient.arg.string
---@field parent_id? dsclient.arg.integer default `-1`; up to 3.1; -1 for the top
---@field description? dsclient.arg.string up to 3.1

---A new file with this content; a name that is taken is refused (once)
---@param args dsclient.resources.create.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:create(args, opts) end

---@class dsclient.resources.create_folder.args
---@field type dsclient.arg.enum|"FILE"|"UDF"|"ALL"
---@field name dsclient.arg.string
---@field folder dsclient.arg.string
---@field parent_id? dsclient.arg.integer default `-1`; up to 3.2; -1 for the top
---@field description? dsclient.arg.string up to 3.1

---A new folder; a name that is taken is refused (once)
---@param args dsclient.resources.create_folder.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:create_folder(args, opts) end

---@class dsclient.resources.delete.args
---@field full_name dsclient.arg.string the whole path, as `list` gives it
---@field tenant? dsclient.arg.string default `"default"`; 3.2 only

---Removes a file or a folder with all that is in it (repeatable, from 3.2 on)
---@param args dsclient.resources.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:delete(args, opts) end

---@class dsclient.resources.delete_by_id.args
---@field resource_id dsclient.arg.id

---Removes a file or a folder with all that is in it (repeatable, up to 3.1)
---@param args dsclient.resources.delete_by_id.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:delete_by_id(args, opts) end

---@class dsclient.resources.delete_transferred.args
---@field days dsclient.arg.integer at least 0

---Removes the data that tasks passed to each other, older than this (repeatable, from 3.2 to 3.2.2)
---@param args dsclient.resources.delete_transferred.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:delete_transferred(args, opts) end

---@class dsclient.resources.download.args
---@field full_name dsclient.arg.string the whole path, as `list` gives it

---A file, as it is (read, from 3.2 on)
---@param args dsclient.resources.download.args
---@param opts? dsclient.call_options
---@return string|{bytes: integer}? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:download(args, opts) end

---@class dsclient.resources.download_by_id.args
---@field resource_id dsclient.arg.id

---A file, as it is (read, up to 3.1)
---@param args dsclient.resources.download_by_id.args
---@param opts? dsclient.call_options
---@return string|{bytes: integer}? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:download_by_id(args, opts) end

---@class dsclient.resources.get_by_id.args
---@field resource_id dsclient.arg.id
---@field full_name? dsclient.arg.string
---@field type dsclient.arg.enum|"FILE"|"UDF"|"ALL"

---A file by its id; or the folder of a full name (read, up to 3.1)
---@param args dsclient.resources.get_by_id.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:get_by_id(args, opts) end

---@class dsclient.resources.list.args
---@field directory_id? dsclient.arg.integer default `-1`; up to 3.1; -1 for the top
---@field full_name? dsclient.arg.string from 3.2 on; of the folder; "" for the top
---@field tenant? dsclient.arg.string default `"default"`; 3.2 only
---@field type dsclient.arg.enum|"FILE"|"UDF"|"ALL"
---@field search? dsclient.arg.string default `""`
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The files and folders in a folder, all pages (read)
---@param args dsclient.resources.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args dsclient.resources.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function resources:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args dsclient.resources.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function resources:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args dsclient.resources.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function resources:each(args, opts) end

---@class dsclient.resources.of_type.args
---@field type dsclient.arg.enum|"FILE"|"UDF"|"ALL"

---The files of a type that tasks may use, as a tree (read)
---@param args dsclient.resources.of_type.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:of_type(args, opts) end

---@class dsclient.resources.query_by_id.args
---@field resource_id dsclient.arg.id

---A file by its id (read, from 3.0 to 3.1)
---@param args dsclient.resources.query_by_id.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:query_by_id(args, opts) end

---@class dsclient.resources.replace.args
---@field full_name dsclient.arg.string the whole path, as `list` gives it
---@field tenant? dsclient.arg.string default `"default"`; 3.2 only
---@field name dsclient.arg.string
---@field type? dsclient.arg.enum default `FILE`; 3.2 only
---@field file? dsclient.arg.file

---A new name, and where it is given new content, of a file (once, from 3.2 on)
---@param args dsclient.resources.replace.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:replace(args, opts) end

---@class dsclient.resources.replace_by_id.args
---@field resource_id dsclient.arg.id
---@field type dsclient.arg.enum|"FILE"|"UDF"|"ALL"
---@field name dsclient.arg.string
---@field description? dsclient.arg.string
---@field file? dsclient.arg.file

---A new name, and where it is given new content, of a file (once, up to 3.1)
---@param args dsclient.resources.replace_by_id.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:replace_by_id(args, opts) end

---@class dsclient.resources.tree.args
---@field type dsclient.arg.enum|"FILE"|"UDF"|"ALL"
---@field full_name? dsclient.arg.string default `""`; 3.2 only; "" for the top

---All files and folders of a type, as a tree (read)
---@param args dsclient.resources.tree.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:tree(args, opts) end

---@class dsclient.resources.update_content.args
---@field full_name dsclient.arg.string the whole path, as `list` gives it
---@field tenant? dsclient.arg.string default `"default"`; 3.2 only
---@field content dsclient.arg.string

---The new content of a file (repeatable, from 3.2 on)
---@param args dsclient.resources.update_content.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:update_content(args, opts) end

---@class dsclient.resources.update_content_by_id.args
---@field resource_id dsclient.arg.id
---@field content dsclient.arg.string

---The new content of a file (repeatable, up to 3.1)
---@param args dsclient.resources.update_content_by_id.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:update_content_by_id(args, opts) end

---@class dsclient.resources.upload.args
---@field type dsclient.arg.enum|"FILE"|"UDF"|"ALL"
---@field name dsclient.arg.string
---@field file dsclient.arg.file
---@field folder dsclient.arg.string
---@field parent_id? dsclient.arg.integer default `-1`; up to 3.1; -1 for the top
---@field description? dsclient.arg.string up to 3.1

---A new file; a name that is taken is refused (once)
---@param args dsclient.resources.upload.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:upload(args, opts) end

---@class dsclient.resources.verify_name.args
---@field full_name dsclient.arg.string the whole path, as `list` gives it
---@field type dsclient.arg.enum|"FILE"|"UDF"|"ALL"

---Is this full name free? An error where it is not (read, up to 3.2.2)
---@param args dsclient.resources.verify_name.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:verify_name(args, opts) end

---@class dsclient.resources.view.args
---@field full_name dsclient.arg.string the whole path, as `list` gives it
---@field tenant? dsclient.arg.string default `"default"`; 3.2 only
---@field skip? dsclient.arg.integer default `0`; at least 0
---@field lines? dsclient.arg.integer default `1000`; at least 1

---Lines of a file (read, from 3.2 on)
---@param args dsclient.resources.view.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:view(args, opts) end

---@class dsclient.resources.view_by_id.args
---@field resource_id dsclient.arg.id
---@field skip? dsclient.arg.integer default `0`; at least 0
---@field lines? dsclient.arg.integer default `1000`; at least 1

---Lines of a file (read, up to 3.1)
---@param args dsclient.resources.view_by_id.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function resources:view_by_id(args, opts) end

---When a workflow starts by itself.
---@class dsclient.schedules
local schedules = {}

---@class dsclient.schedules.all.args
---@field project? dsclient.arg.project
---@field projects? dsclient.several_projects in place of project: several at a time

---The schedules of a project, in one answer (read)
---@param args dsclient.schedules.all.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function schedules:all(args, opts) end

---@class dsclient.schedules.create.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field schedule dsclient.arg.json {startTime, endTime, crontab, timezoneId}; the times are local to timezoneId
---@field warning_type? dsclient.arg.enum|"NONE"|"SUCCESS"|"FAILURE"|"ALL"
---@field warning_group_id? dsclient.arg.alert_group_id
---@field failure_strategy? dsclient.arg.enum|"CONTINUE"|"END"
---@field worker_group? dsclient.arg.worker_group
---@field tenant? dsclient.arg.tenant from 3.2 on
---@field environment? dsclient.arg.environment
---@field priority? dsclient.arg.enum|"HIGHEST"|"HIGH"|"MEDIUM"|"LOW"|"LOWEST"

---A schedule, offline, for a workflow that is online (once)
---@param args dsclient.schedules.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function schedules:create(args, opts) end

---@class dsclient.schedules.create_by_workflow.args
---@field workflow dsclient.arg.code
---@field crontab dsclient.arg.string
---@field start_time dsclient.arg.date
---@field end_time dsclient.arg.date
---@field timezone dsclient.arg.string
---@field failure_strategy? dsclient.arg.enum|"CONTINUE"|"END"
---@field release_state? dsclient.arg.enum|"ONLINE"|"OFFLINE"
---@field warning_type? dsclient.arg.enum|"NONE"|"SUCCESS"|"FAILURE"|"ALL"
---@field warning_group_id? dsclient.arg.alert_group_id
---@field priority? dsclient.arg.enum|"HIGHEST"|"HIGH"|"MEDIUM"|"LOW"|"LOWEST"
---@field worker_group? dsclient.arg.worker_group
---@field environment dsclient.arg.environment
---@field tenant? dsclient.arg.tenant from 3.2 on

---A schedule for a workflow that is online, whatever project it is in (once, from 3.2 on)
---@param args dsclient.schedules.create_by_workflow.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function schedules:create_by_workflow(args, opts) end

---@class dsclient.schedules.delete.args
---@field project dsclient.arg.project
---@field schedule_id dsclient.arg.id

---Removes a schedule that is offline; one that is online is refused with 50023 (repeatable)
---@param args dsclient.schedules.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function schedules:delete(args, opts) end

---@class dsclient.schedules.delete_by_id.args
---@field schedule_id dsclient.arg.id

---Removes a schedule that is offline, whatever project it is in (repeatable, from 3.2 on)
---@param args dsclient.schedules.delete_by_id.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function schedules:delete_by_id(args, opts) end

---@class dsclient.schedules.get_by_id.args
---@field schedule_id dsclient.arg.id

---One schedule (read, from 3.2 on)
---@param args dsclient.schedules.get_by_id.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function schedules:get_by_id(args, opts) end

---@class dsclient.schedules.list.args
---@field project? dsclient.arg.project
---@field workflow? dsclient.arg.workflow default `0`
---@field search? dsclient.arg.string
---@field projects? dsclient.several_projects in place of project: several at a time
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The schedules of a project, all pages (read)
---@param args dsclient.schedules.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function schedules:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args dsclient.schedules.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function schedules:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args dsclient.schedules.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function schedules:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args dsclient.schedules.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function schedules:each(args, opts) end

---@class dsclient.schedules.offline.args
---@field project dsclient.arg.project
---@field schedule_id dsclient.arg.id

---Keeps a schedule from starting runs (repeatable)
---@param args dsclient.schedules.offline.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function schedules:offline(args, opts) end

---@class dsclient.schedules.online.args
---@field project dsclient.arg.project
---@field schedule_id dsclient.arg.id

---Lets a schedule start runs (repeatable)
---@param args dsclient.schedules.online.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function schedules:online(args, opts) end

---@class dsclient.schedules.preview.args
---@field project dsclient.arg.project
---@field schedule dsclient.arg.json {startTime, endTime, crontab, timezoneId}; the times are local to timezoneId

---The next five times of a schedule, as texts in its zone (read)
---@param args dsclient.schedules.preview.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function schedules:preview(args, opts) end

---@class dsclient.schedules.search.args
---@field project_name? dsclient.arg.string
---@field workflow_name? dsclient.arg.string
---@field release_state? dsclient.arg.enum|"ONLINE"|"OFFLINE"
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The schedules of all projects that fit the filter, all pages (read, from 3.2 on)
---@param args? dsclient.schedules.search.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function schedules:search(args, opts) end

---@class dsclient.schedules.update.args
---@field project dsclient.arg.project
---@field schedule_id dsclient.arg.id
---@field schedule dsclient.arg.json {startTime, endTime, crontab, timezoneId}; the times are local to timezoneId
---@field warning_type? dsclient.arg.enum|"NONE"|"SUCCESS"|"FAILURE"|"ALL"
---@field warning_group_id dsclient.arg.alert_group_id 0 for none
---@field failure_strategy? dsclient.arg.enum|"CONTINUE"|"END"
---@field worker_group? dsclient.arg.worker_group
---@field tenant? dsclient.arg.tenant from 3.2 on
---@field environment? dsclient.arg.environment
---@field priority? dsclient.arg.enum|"HIGHEST"|"HIGH"|"MEDIUM"|"LOW"|"LOWEST"

---Replaces a schedule that is offline (repeatable)
---@param args dsclient.schedules.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function schedules:update(args, opts) end

---@class dsclient.schedules.update_by_id.args
---@field schedule_id dsclient.arg.id
---@field crontab dsclient.arg.string
---@field start_time dsclient.arg.date
---@field end_time dsclient.arg.date
---@field timezone dsclient.arg.string
---@field failure_strategy? dsclient.arg.enum|"CONTINUE"|"END"
---@field release_state? dsclient.arg.enum|"ONLINE"|"OFFLINE"
---@field warning_type? dsclient.arg.enum|"NONE"|"SUCCESS"|"FAILURE"|"ALL"
---@field warning_group_id? dsclient.arg.alert_group_id
---@field priority? dsclient.arg.enum|"HIGHEST"|"HIGH"|"MEDIUM"|"LOW"|"LOWEST"
---@field worker_group? dsclient.arg.worker_group
---@field environment? dsclient.arg.environment

---Replaces a schedule that is offline, whatever project it is in (repeatable, from 3.2 on)
---@param args dsclient.schedules.update_by_id.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function schedules:update_by_id(args, opts) end

---@class dsclient.schedules.update_by_workflow.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field schedule dsclient.arg.json {startTime, endTime, crontab, timezoneId}; the times are local to timezoneId
---@field warning_type? dsclient.arg.enum|"NONE"|"SUCCESS"|"FAILURE"|"ALL"
---@field warning_group_id dsclient.arg.alert_group_id 0 for none
---@field failure_strategy? dsclient.arg.enum|"CONTINUE"|"END"
---@field worker_group? dsclient.arg.worker_group
---@field tenant? dsclient.arg.tenant from 3.2 on
---@field environment? dsclient.arg.environment
---@field priority? dsclient.arg.enum|"HIGHEST"|"HIGH"|"MEDIUM"|"LOW"|"LOWEST"

---Replaces the schedule of a workflow, which is offline (repeatable, from 2.0.1 on)
---@param args dsclient.schedules.update_by_workflow.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function schedules:update_by_workflow(args, opts) end

---The server itself: its version, machines and database.
---@class dsclient.server
local server = {}

---@class dsclient.server.databases.args

---The database of the server: its state and its connections (read)
---@param args? dsclient.server.databases.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function server:databases(args, opts) end

---@class dsclient.server.masters.args

---The masters, with their last heartbeats (read, up to 3.2.1)
---@param args? dsclient.server.masters.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function server:masters(args, opts) end

---@class dsclient.server.nodes.args
---@field kind dsclient.arg.enum|"MASTER"|"WORKER"|"ALERT_SERVER"

---The machines of a kind, with their last heartbeats (read, from 3.2.2 on)
---@param args dsclient.server.nodes.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function server:nodes(args, opts) end

---@class dsclient.server.product_info.args

---The server's version as it says it (read, from 3.3 on)
---@param args? dsclient.server.product_info.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function server:product_info(args, opts) end

---@class dsclient.server.workers.args

---The workers, with their last heartbeats (read, up to 3.2.1)
---@param args? dsclient.server.workers.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function server:workers(args, opts) end

---Logging in with a name and a password, and out; a token needs neither.
---@class dsclient.sessions
local sessions = {}

---@class dsclient.sessions.login.args
---@field name dsclient.arg.string
---@field password dsclient.arg.string

---A session of a user by his password; its id is in the value (once)
---@param args dsclient.sessions.login.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function sessions:login(args, opts) end

---@class dsclient.sessions.logout.args

---Ends the sessions of the token's user (once)
---@param args? dsclient.sessions.logout.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function sessions:logout(args, opts) end

---Counts of states and definitions, from the second version of the API.
---@class dsclient.statistics
local statistics = {}

---@class dsclient.statistics.task_states_count.args
---@field project? dsclient.arg.project
---@field project_name? dsclient.arg.string
---@field workflow? dsclient.arg.workflow
---@field workflow_name? dsclient.arg.string
---@field task? dsclient.arg.task
---@field task_name? dsclient.arg.string
---@field start_time? dsclient.arg.string yyyy-MM-dd HH:mm:ss in the server's zone
---@field end_time? dsclient.arg.string yyyy-MM-dd HH:mm:ss in the server's zone
---@field projects? dsclient.several_projects in place of project: several at a time

---How many task instances are in each state (read, from 3.2 on)
---@param args? dsclient.statistics.task_states_count.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function statistics:task_states_count(args, opts) end

---@class dsclient.statistics.task_states_count_by_code.args
---@field task dsclient.arg.code

---How many instances of a task are in each state (read, from 3.2 on)
---@param args dsclient.statistics.task_states_count_by_code.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function statistics:task_states_count_by_code(args, opts) end

---@class dsclient.statistics.workflow_count.args

---How many workflows there are (read, from 3.2 to 3.2.0)
---@param args? dsclient.statistics.workflow_count.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function statistics:workflow_count(args, opts) end

---@class dsclient.statistics.workflow_states_count.args
---@field project? dsclient.arg.project
---@field project_name? dsclient.arg.string
---@field workflow? dsclient.arg.workflow
---@field workflow_name? dsclient.arg.string
---@field task? dsclient.arg.task
---@field task_name? dsclient.arg.string
---@field start_time? dsclient.arg.string yyyy-MM-dd HH:mm:ss in the server's zone
---@field end_time? dsclient.arg.string yyyy-MM-dd HH:mm:ss in the server's zone
---@field projects? dsclient.several_projects in place of project: several at a time

---How many runs are in each state (read, from 3.2 on)
---@param args? dsclient.statistics.workflow_states_count.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function statistics:workflow_states_count(args, opts) end

---@class dsclient.statistics.workflow_states_count_by_code.args
---@field workflow dsclient.arg.code

---How many runs of a workflow are in each state (read, from 3.2 on)
---@param args dsclient.statistics.workflow_states_count_by_code.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function statistics:workflow_states_count_by_code(args, opts) end

---@class dsclient.statistics.workflow_users_count.args
---@field project? dsclient.arg.project
---@field project_name? dsclient.arg.string
---@field projects? dsclient.several_projects in place of project: several at a time

---How many workflows each user has (read, from 3.2 on)
---@param args? dsclient.statistics.workflow_users_count.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function statistics:workflow_users_count(args, opts) end

---@class dsclient.statistics.workflow_users_count_by_id.args
---@field user_id dsclient.arg.user_id

---How many workflows a user has (read, from 3.2 on)
---@param args dsclient.statistics.workflow_users_count_by_id.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function statistics:workflow_users_count_by_id(args, opts) end

---@class dsclient.statistics.workflow_users_count_by_state.args
---@field user_id dsclient.arg.user_id
---@field release_state dsclient.arg.integer 0 to 1; 1 is ONLINE

---How many workflows a user has online, or offline (read, from 3.2 on)
---@param args dsclient.statistics.workflow_users_count_by_state.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function statistics:workflow_users_count_by_state(args, opts) end

---How many tasks may run at once, and the queues of those that wait.
---@class dsclient.task_groups
local task_groups = {}

---@class dsclient.task_groups.close.args
---@field task_group_id dsclient.arg.id

---Closes a task group: it limits nothing any more (once, from 3.0 on)
---@param args dsclient.task_groups.close.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_groups:close(args, opts) end

---@class dsclient.task_groups.create.args
---@field name dsclient.arg.string
---@field project? dsclient.arg.project
---@field description? dsclient.arg.string default `""`
---@field size dsclient.arg.integer at least 1; so many tasks at once

---A new task group; a name that is taken is refused (once, from 3.0 on)
---@param args dsclient.task_groups.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_groups:create(args, opts) end

---@class dsclient.task_groups.force_start.args
---@field queue_id dsclient.arg.id a row of `queue`

---Starts a waiting task although its group is full (once, from 3.0 on)
---@param args dsclient.task_groups.force_start.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_groups:force_start(args, opts) end

---@class dsclient.task_groups.list.args
---@field name? dsclient.arg.string
---@field status? dsclient.arg.integer at least 0; 0 closed, 1 open
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The task groups, all pages (read, from 3.0 on)
---@param args? dsclient.task_groups.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_groups:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args? dsclient.task_groups.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function task_groups:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args? dsclient.task_groups.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function task_groups:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args? dsclient.task_groups.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function task_groups:each(args, opts) end

---@class dsclient.task_groups.of_project.args
---@field project? dsclient.arg.project
---@field projects? dsclient.several_projects in place of project: several at a time
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The task groups of a project, all pages (read, from 3.0 on)
---@param args? dsclient.task_groups.of_project.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_groups:of_project(args, opts) end

---@class dsclient.task_groups.of_status.args
---@field status? dsclient.arg.integer at least 0; 0 closed, 1 open
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The task groups that are open, or closed, all pages (read, from 3.0 on)
---@param args? dsclient.task_groups.of_status.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_groups:of_status(args, opts) end

---@class dsclient.task_groups.open.args
---@field task_group_id dsclient.arg.id

---Opens a task group (once, from 3.0 on)
---@param args dsclient.task_groups.open.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_groups:open(args, opts) end

---@class dsclient.task_groups.queue.args
---@field task_group_id? dsclient.arg.id
---@field task_instance_name? dsclient.arg.string
---@field instance_name? dsclient.arg.string
---@field status? dsclient.arg.integer
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The tasks that have or want a place in a group, all pages (read, from 3.0 on)
---@param args? dsclient.task_groups.queue.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_groups:queue(args, opts) end

---@class dsclient.task_groups.set_priority.args
---@field queue_id dsclient.arg.id a row of `queue`
---@field priority dsclient.arg.integer

---The priority of a waiting task (repeatable, from 3.0 on)
---@param args dsclient.task_groups.set_priority.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_groups:set_priority(args, opts) end

---@class dsclient.task_groups.update.args
---@field task_group_id dsclient.arg.id
---@field name dsclient.arg.string
---@field description? dsclient.arg.string default `""`
---@field size dsclient.arg.integer at least 1; so many tasks at once

---Changes all fields of a task group (repeatable, from 3.0 on)
---@param args dsclient.task_groups.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_groups:update(args, opts) end

---A task in a run: its state and its log.
---@class dsclient.task_instances
local task_instances = {}

---@class dsclient.task_instances.download_log.args
---@field task_instance_id dsclient.arg.id

---A task's log as a file (read)
---@param args dsclient.task_instances.download_log.args
---@param opts? dsclient.call_options
---@return string|{bytes: integer}? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_instances:download_log(args, opts) end

---@class dsclient.task_instances.download_log_of_project.args
---@field project dsclient.arg.project
---@field task_instance_id dsclient.arg.id

---A task's log as a file, by the project, too (read, from 2.0.2 on)
---@param args dsclient.task_instances.download_log_of_project.args
---@param opts? dsclient.call_options
---@return string|{bytes: integer}? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_instances:download_log_of_project(args, opts) end

---@class dsclient.task_instances.force_success.args
---@field project dsclient.arg.project
---@field task_instance_id dsclient.arg.id

---Makes a failed task count as successful, and its run, too, if nothing else failed (once)
---@param args dsclient.task_instances.force_success.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_instances:force_success(args, opts) end

---@class dsclient.task_instances.get.args
---@field project dsclient.arg.project
---@field task_instance_id dsclient.arg.id

---One task instance (read, from 3.2 on)
---@param args dsclient.task_instances.get.args
---@param opts? dsclient.call_options
---@return dsclient.task_instance? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_instances:get(args, opts) end

---@class dsclient.task_instances.list.args
---@field project? dsclient.arg.project
---@field instance_id? dsclient.arg.id
---@field instance_name? dsclient.arg.string
---@field workflow_name? dsclient.arg.string from 3.1 on; looked at for STREAM only
---@field search? dsclient.arg.string a part of the task's name
---@field task_name? dsclient.arg.string the whole name
---@field task? dsclient.arg.code from 3.2 on
---@field executor? dsclient.arg.string
---@field state? dsclient.arg.enum|"SUBMITTED_SUCCESS"|"RUNNING_EXECUTION"|"PAUSE"|"STOP"|"FAILURE"|"SUCCESS"|"NEED_FAULT_TOLERANCE"|"KILL"|"DELAY_EXECUTION"|"FORCED_SUCCESS"|"DISPATCH"
---@field host? dsclient.arg.string
---@field start_date? dsclient.arg.date
---@field end_date? dsclient.arg.date
---@field task_execute_type? dsclient.arg.enum|"BATCH"|"STREAM" from 3.1 on
---@field projects? dsclient.several_projects in place of project: several at a time
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The task instances of a project that fit the filter, all pages (read)
---@param args dsclient.task_instances.list.args
---@param opts? dsclient.call_options
---@return dsclient.task_instance[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_instances:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args dsclient.task_instances.list.args
---@param opts? dsclient.call_options
---@return dsclient.task_instance[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function task_instances:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args dsclient.task_instances.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.task_instance[]?, dsclient.error?}
function task_instances:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args dsclient.task_instances.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.task_instance?
function task_instances:each(args, opts) end

---@class dsclient.task_instances.log_part.args
---@field task_instance_id dsclient.arg.id
---@field skip? dsclient.arg.integer default `0`; at least 0
---@field limit? dsclient.arg.integer default `1000`; at least 0

---A part of a task's log, `{lineNum, message}`; the next is at skip + `lineNum`, an empty one ends it (read)
---@param args dsclient.task_instances.log_part.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_instances:log_part(args, opts) end

---@class dsclient.task_instances.log_part_of_project.args
---@field project dsclient.arg.project
---@field task_instance_id dsclient.arg.id
---@field skip? dsclient.arg.integer default `0`; at least 0
---@field limit? dsclient.arg.integer default `1000`; at least 0

---A part of a task's log as one text (read, from 2.0.2 on)
---@param args dsclient.task_instances.log_part_of_project.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_instances:log_part_of_project(args, opts) end

---@class dsclient.task_instances.remove_cache.args
---@field project dsclient.arg.project
---@field task_instance_id dsclient.arg.id

---Forgets the cached result of a task instance (repeatable, 3.2 only)
---@param args dsclient.task_instances.remove_cache.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_instances:remove_cache(args, opts) end

---@class dsclient.task_instances.savepoint.args
---@field project dsclient.arg.project
---@field task_instance_id dsclient.arg.id

---Asks a stream task for a savepoint (once, from 3.1 on)
---@param args dsclient.task_instances.savepoint.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_instances:savepoint(args, opts) end

---@class dsclient.task_instances.stop.args
---@field project dsclient.arg.project
---@field task_instance_id dsclient.arg.id

---Asks a stream task to stop (repeatable, from 3.1 on)
---@param args dsclient.task_instances.stop.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_instances:stop(args, opts) end

---The task types that the server offers, by category.
---@class dsclient.task_types
local task_types = {}

---@class dsclient.task_types.categories.args

---The categories of task types (read, from 3.2 on)
---@param args? dsclient.task_types.categories.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_types:categories(args, opts) end

---@class dsclient.task_types.list.args
---@field category dsclient.arg.string as `categories` names them

---The task types of a category (read, from 3.2 on)
---@param args dsclient.task_types.list.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function task_types:list(args, opts) end

---Task definitions: the tasks of workflows.
---@class dsclient.tasks
local tasks = {}

---@class dsclient.tasks.add_to_workflow.args
---@field project? dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field name dsclient.arg.string
---@field description? dsclient.arg.string
---@field task_type dsclient.arg.string
---@field task_params dsclient.arg.string JSON text
---@field flag? dsclient.arg.enum|"YES"|"NO"
---@field priority? dsclient.arg.enum|"HIGHEST"|"HIGH"|"MEDIUM"|"LOW"|"LOWEST"
---@field worker_group? dsclient.arg.worker_group
---@field environment? dsclient.arg.environment
---@field fail_retry_times? dsclient.arg.integer at least 0
---@field fail_retry_interval? dsclient.arg.integer at least 0; in minutes
---@field timeout? dsclient.arg.integer at least 0; in minutes
---@field timeout_flag? dsclient.arg.enum|"CLOSE"|"OPEN"
---@field timeout_notify_strategy? dsclient.arg.enum|"WARN"|"FAILED"|"WARNFAILED"
---@field resource_ids? dsclient.arg.string
---@field task_group_id? dsclient.arg.integer
---@field task_group_priority? dsclient.arg.integer
---@field cpu_quota? dsclient.arg.integer at least -1; in percent of a core, -1 is all
---@field memory_max? dsclient.arg.integer at least -1; in MB, -1 is all
---@field upstreams? dsclient.arg.codes

---A new task in a workflow, from its properties (once, 3.2 only)
---@param args dsclient.tasks.add_to_workflow.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:add_to_workflow(args, opts) end

---@class dsclient.tasks.create.args
---@field project dsclient.arg.project
---@field tasks dsclient.arg.json

---New tasks, in no workflow yet (once, up to 3.2)
---@param args dsclient.tasks.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:create(args, opts) end

---@class dsclient.tasks.delete.args
---@field project dsclient.arg.project
---@field task dsclient.arg.code

---Removes a task that is in no workflow (once, up to 3.2)
---@param args dsclient.tasks.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:delete(args, opts) end

---@class dsclient.tasks.delete_by_code.args
---@field task dsclient.arg.code

---Removes a task, whatever project it is in (once, 3.2 only)
---@param args dsclient.tasks.delete_by_code.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:delete_by_code(args, opts) end

---@class dsclient.tasks.delete_version.args
---@field project dsclient.arg.project
---@field task dsclient.arg.code
---@field version dsclient.arg.integer

---Removes a version of a task that is not the one that runs (once)
---@param args dsclient.tasks.delete_version.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:delete_version(args, opts) end

---@class dsclient.tasks.generate_codes.args
---@field project dsclient.arg.project
---@field count? dsclient.arg.integer default `1`; 1 to 100

---Fresh codes for the tasks of a new workflow, 1 to 100 (read)
---@param args dsclient.tasks.generate_codes.args
---@param opts? dsclient.call_options
---@return string[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:generate_codes(args, opts) end

---@class dsclient.tasks.get.args
---@field project dsclient.arg.project
---@field task dsclient.arg.code

---One task (read)
---@param args dsclient.tasks.get.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:get(args, opts) end

---@class dsclient.tasks.get_by_code.args
---@field task dsclient.arg.code

---One task, whatever project it is in (read, from 3.2 on)
---@param args dsclient.tasks.get_by_code.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:get_by_code(args, opts) end

---@class dsclient.tasks.list.args
---@field project? dsclient.arg.project
---@field search? dsclient.arg.string up to 2.0
---@field user_id? dsclient.arg.user_id up to 2.0
---@field task_name? dsclient.arg.string from 3.0 on
---@field workflow_name? dsclient.arg.string from 3.0 to 3.1
---@field task_type? dsclient.arg.string
---@field task_execute_type? dsclient.arg.enum|"BATCH"|"STREAM" from 3.1 on
---@field projects? dsclient.several_projects in place of project: several at a time
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The tasks of a project, all pages (read, up to 3.2)
---@param args dsclient.tasks.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args dsclient.tasks.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args dsclient.tasks.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function tasks:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args dsclient.tasks.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function tasks:each(args, opts) end

---@class dsclient.tasks.release.args
---@field project dsclient.arg.project
---@field task dsclient.arg.code
---@field state dsclient.arg.enum|"ONLINE"|"OFFLINE"

---Takes a task ONLINE or OFFLINE (repeatable, from 2.0.1 on)
---@param args dsclient.tasks.release.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:release(args, opts) end

---@class dsclient.tasks.save_single.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field definition dsclient.arg.json
---@field upstreams? dsclient.arg.tasks

---A new task in a workflow, after some of its tasks (once, from 3.0 to 3.2)
---@param args dsclient.tasks.save_single.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:save_single(args, opts) end

---@class dsclient.tasks.search.args
---@field project_name? dsclient.arg.string
---@field name? dsclient.arg.string
---@field task_type? dsclient.arg.string
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The tasks of all projects that fit the filter, all pages (read, from 3.2 on)
---@param args? dsclient.tasks.search.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:search(args, opts) end

---@class dsclient.tasks.start.args
---@field project dsclient.arg.project
---@field task dsclient.arg.code
---@field version dsclient.arg.integer
---@field warning_group_id? dsclient.arg.alert_group_id
---@field worker_group? dsclient.arg.worker_group
---@field tenant? dsclient.arg.tenant from 3.2 on
---@field environment? dsclient.arg.environment
---@field start_params? dsclient.arg.json
---@field dry_run? dsclient.arg.integer 0 to 1

---Starts a stream task, outside of any workflow (once, from 3.1 on)
---@param args dsclient.tasks.start.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:start(args, opts) end

---@class dsclient.tasks.switch_version.args
---@field project dsclient.arg.project
---@field task dsclient.arg.code
---@field version dsclient.arg.integer

---Makes another version of a task the one that runs (repeatable)
---@param args dsclient.tasks.switch_version.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:switch_version(args, opts) end

---@class dsclient.tasks.update.args
---@field project dsclient.arg.project
---@field task dsclient.arg.code
---@field definition dsclient.arg.json

---Replaces a task; a new version (once, up to 3.2)
---@param args dsclient.tasks.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:update(args, opts) end

---@class dsclient.tasks.update_by_code.args
---@field task dsclient.arg.code
---@field workflow dsclient.arg.workflow
---@field name? dsclient.arg.string
---@field description? dsclient.arg.string
---@field task_type? dsclient.arg.string
---@field task_params? dsclient.arg.string JSON text
---@field flag? dsclient.arg.enum|"YES"|"NO"
---@field priority? dsclient.arg.enum|"HIGHEST"|"HIGH"|"MEDIUM"|"LOW"|"LOWEST"
---@field worker_group? dsclient.arg.worker_group
---@field environment? dsclient.arg.environment
---@field fail_retry_times? dsclient.arg.integer at least 0
---@field fail_retry_interval? dsclient.arg.integer at least 0; in minutes
---@field timeout? dsclient.arg.integer at least 0; in minutes
---@field timeout_flag? dsclient.arg.enum|"CLOSE"|"OPEN"
---@field timeout_notify_strategy? dsclient.arg.enum|"WARN"|"FAILED"|"WARNFAILED"
---@field resource_ids? dsclient.arg.string
---@field task_group_id? dsclient.arg.integer
---@field task_group_priority? dsclient.arg.integer
---@field cpu_quota? dsclient.arg.integer at least -1; in percent of a core, -1 is all
---@field memory_max? dsclient.arg.integer at least -1; in MB, -1 is all
---@field upstreams? dsclient.arg.codes

---Changes the given properties of a task, whatever project it is in (once, 3.2 only)
---@param args dsclient.tasks.update_by_code.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:update_by_code(args, opts) end

---@class dsclient.tasks.update_with_upstream.args
---@field project dsclient.arg.project
---@field task dsclient.arg.code
---@field definition dsclient.arg.json
---@field upstreams? dsclient.arg.codes

---Replaces a task and which tasks come before it; a new version (once, from 3.0 on)
---@param args dsclient.tasks.update_with_upstream.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:update_with_upstream(args, opts) end

---@class dsclient.tasks.versions.args
---@field project dsclient.arg.project
---@field task dsclient.arg.code
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The versions of a task, all pages (read)
---@param args dsclient.tasks.versions.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function tasks:versions(args, opts) end

---The users of the operating system that tasks run as.
---@class dsclient.tenants
local tenants = {}

---@class dsclient.tenants.all.args

---The tenants, in one answer (read)
---@param args? dsclient.tenants.all.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function tenants:all(args, opts) end

---@class dsclient.tenants.create.args
---@field tenant dsclient.arg.string
---@field queue_id? dsclient.arg.queue_id default `1`
---@field description? dsclient.arg.string default `""`

---A new tenant; a name that is taken is refused with 10009 (once)
---@param args dsclient.tenants.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function tenants:create(args, opts) end

---@class dsclient.tenants.delete.args
---@field tenant_id dsclient.arg.tenant_id

---Removes a tenant that nothing uses (repeatable)
---@param args dsclient.tenants.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function tenants:delete(args, opts) end

---@class dsclient.tenants.list.args
---@field search? dsclient.arg.string
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The tenants, all pages (read)
---@param args? dsclient.tenants.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function tenants:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args? dsclient.tenants.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function tenants:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args? dsclient.tenants.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function tenants:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args? dsclient.tenants.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function tenants:each(args, opts) end

---@class dsclient.tenants.update.args
---@field tenant_id dsclient.arg.tenant_id
---@field tenant dsclient.arg.string
---@field queue_id dsclient.arg.queue_id
---@field description? dsclient.arg.string

---Changes all fields of a tenant (repeatable)
---@param args dsclient.tenants.update.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function tenants:update(args, opts) end

---@class dsclient.tenants.verify_name.args
---@field tenant dsclient.arg.string

---Is this name free? An error of code 10009 where it is not (read)
---@param args dsclient.tenants.verify_name.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function tenants:verify_name(args, opts) end

---Functions for Hive and Spark whose code is in the resource centre.
---@class dsclient.udfs
local udfs = {}

---@class dsclient.udfs.all.args
---@field type dsclient.arg.enum|"HIVE"|"SPARK"

---The UDF functions of a type, in one answer (read, up to 3.2.2)
---@param args dsclient.udfs.all.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function udfs:all(args, opts) end

---@class dsclient.udfs.authorized.args
---@field user_id dsclient.arg.user_id

---The UDF functions that a user may use (read, up to 3.2.1)
---@param args dsclient.udfs.authorized.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function udfs:authorized(args, opts) end

---@class dsclient.udfs.create.args
---@field type dsclient.arg.enum|"HIVE"|"SPARK"
---@field name dsclient.arg.string
---@field class dsclient.arg.string
---@field full_name dsclient.arg.string of its file
---@field arguments? dsclient.arg.string
---@field database? dsclient.arg.string
---@field description? dsclient.arg.string

---A new UDF function; a name that is taken is refused (once, from 3.2 to 3.2.2)
---@param args dsclient.udfs.create.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function udfs:create(args, opts) end

---@class dsclient.udfs.create_by_id.args
---@field resource_id dsclient.arg.id
---@field type dsclient.arg.enum|"HIVE"|"SPARK"
---@field name dsclient.arg.string
---@field class dsclient.arg.string
---@field arguments? dsclient.arg.string
---@field database? dsclient.arg.string
---@field description? dsclient.arg.string

---A new UDF function in a file; a name that is taken is refused (once, up to 3.1)
---@param args dsclient.udfs.create_by_id.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function udfs:create_by_id(args, opts) end

---@class dsclient.udfs.delete.args
---@field udf_id dsclient.arg.id

---Removes a UDF function (repeatable, up to 3.2.2)
---@param args dsclient.udfs.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function udfs:delete(args, opts) end

---@class dsclient.udfs.get.args
---@field udf_id dsclient.arg.id

---One UDF function (read, up to 3.2.2)
---@param args dsclient.udfs.get.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function udfs:get(args, opts) end

---@class dsclient.udfs.list.args
---@field search? dsclient.arg.string
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The UDF functions, all pages (read, up to 3.2.2)
---@param args? dsclient.udfs.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function udfs:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args? dsclient.udfs.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function udfs:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args? dsclient.udfs.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function udfs:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args? dsclient.udfs.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function udfs:each(args, opts) end

---@class dsclient.udfs.unauthorized.args
---@field user_id dsclient.arg.user_id

---The UDF functions that a user may not use (read, up to 3.2.1)
---@param args dsclient.udfs.unauthorized.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function udfs:unauthorized(args, opts) end

---@class dsclient.udfs.update.args
---@field udf_id dsclient.arg.id
---@field type dsclient.arg.enum|"HIVE"|"SPARK"
---@field name dsclient.arg.string
---@field class dsclient.arg.string
---@field arguments? dsclient.arg.string
---@field database? dsclient.arg.string
---@field description? dsclient.arg.string
---@field full_name dsclient.arg.string of its file

---Changes all fields of a UDF function (repeatable, from 3.2 to 3.2.2)
---@param args dsclient.udfs.update.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function udfs:update(args, opts) end

---@class dsclient.udfs.update_by_id.args
---@field resource_id dsclient.arg.id
---@field udf_id dsclient.arg.id
---@field type dsclient.arg.enum|"HIVE"|"SPARK"
---@field name dsclient.arg.string
---@field class dsclient.arg.string
---@field arguments? dsclient.arg.string
---@field database? dsclient.arg.string
---@field description? dsclient.arg.string

---Changes all fields of a UDF function in a file (repeatable, up to 3.1)
---@param args dsclient.udfs.update_by_id.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function udfs:update_by_id(args, opts) end

---@class dsclient.udfs.verify_name.args
---@field name dsclient.arg.string

---Is this name free? An error where it is not (read, up to 3.2.2)
---@param args dsclient.udfs.verify_name.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function udfs:verify_name(args, opts) end

---Users, and what they may see and use.
---@class dsclient.users
local users = {}

---@class dsclient.users.activate.args
---@field name dsclient.arg.string

---Enables a user that registered (once)
---@param args dsclient.users.activate.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:activate(args, opts) end

---@class dsclient.users.all.args

---The enabled users, in one answer (read)
---@param args? dsclient.users.all.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:all(args, opts) end

---@class dsclient.users.batch_activate.args
---@field names dsclient.arg.strings

---Enables users that registered; tells for which it worked (repeatable)
---@param args dsclient.users.batch_activate.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:batch_activate(args, opts) end

---@class dsclient.users.create.args
---@field name dsclient.arg.string
---@field password dsclient.arg.string
---@field tenant_id dsclient.arg.tenant_id
---@field email dsclient.arg.string
---@field queue? dsclient.arg.string default `""`; a YARN queue in place of the tenant's
---@field phone? dsclient.arg.string
---@field state? dsclient.arg.integer 0 to 1; 0 disabled, 1 enabled

---A new user; a name that is taken is refused (once)
---@param args dsclient.users.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:create(args, opts) end

---@class dsclient.users.current.args

---The user of the token, with his `timeZone` (read)
---@param args? dsclient.users.current.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:current(args, opts) end

---@class dsclient.users.delete.args
---@field user_id dsclient.arg.user_id

---Removes a user without projects (repeatable)
---@param args dsclient.users.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:delete(args, opts) end

---@class dsclient.users.general.args

---The users that are no admins (read)
---@param args? dsclient.users.general.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:general(args, opts) end

---@class dsclient.users.grant_datasources.args
---@field user_id dsclient.arg.user_id
---@field datasource_ids dsclient.arg.ids

---The data sources that a user may use; replaces the whole list (repeatable)
---@param args dsclient.users.grant_datasources.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:grant_datasources(args, opts) end

---@class dsclient.users.grant_files.args
---@field user_id dsclient.arg.user_id
---@field resource_ids dsclient.arg.ids

---The files that a user may use; replaces the whole list (repeatable, up to 3.2.0)
---@param args dsclient.users.grant_files.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:grant_files(args, opts) end

---@class dsclient.users.grant_namespaces.args
---@field user_id dsclient.arg.user_id
---@field namespace_ids dsclient.arg.ids

---The namespaces that a user may use; replaces the whole list (repeatable, from 3.0 on)
---@param args dsclient.users.grant_namespaces.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:grant_namespaces(args, opts) end

---@class dsclient.users.grant_project.args
---@field user_id dsclient.arg.user_id
---@field project dsclient.arg.project

---One project more that a user may change (repeatable, from 2.0.2 on)
---@param args dsclient.users.grant_project.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:grant_project(args, opts) end

---@class dsclient.users.grant_projects.args
---@field user_id dsclient.arg.user_id
---@field project_ids dsclient.arg.ids

---The projects that a user may change; replaces the whole list (repeatable)
---@param args dsclient.users.grant_projects.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:grant_projects(args, opts) end

---@class dsclient.users.grant_projects_to_read.args
---@field user_id dsclient.arg.user_id
---@field project_ids dsclient.arg.ids

---The projects that a user may only read; replaces the whole list (repeatable, from 3.2 on)
---@param args dsclient.users.grant_projects_to_read.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:grant_projects_to_read(args, opts) end

---@class dsclient.users.grant_udfs.args
---@field user_id dsclient.arg.user_id
---@field udf_ids dsclient.arg.ids

---The UDF functions that a user may use; replaces the whole list (repeatable, up to 3.2.2)
---@param args dsclient.users.grant_udfs.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:grant_udfs(args, opts) end

---@class dsclient.users.list.args
---@field search? dsclient.arg.string
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The users, all pages (read)
---@param args? dsclient.users.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args? dsclient.users.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function users:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args? dsclient.users.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function users:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args? dsclient.users.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function users:each(args, opts) end

---@class dsclient.users.of_alert_group.args
---@field alert_group dsclient.arg.alert_group_id

---The users of an alert group (read)
---@param args dsclient.users.of_alert_group.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:of_alert_group(args, opts) end

---@class dsclient.users.outside_alert_group.args
---@field alert_group dsclient.arg.alert_group_id

---The users that are in no alert group, or not in this one (read)
---@param args dsclient.users.outside_alert_group.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:outside_alert_group(args, opts) end

---@class dsclient.users.register.args
---@field name dsclient.arg.string
---@field password dsclient.arg.string
---@field repeat_password dsclient.arg.string
---@field email dsclient.arg.string

---A new user that an admin has to activate (once)
---@param args dsclient.users.register.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:register(args, opts) end

---@class dsclient.users.revoke_project.args
---@field user_id dsclient.arg.user_id
---@field project dsclient.arg.project

---Takes one project from a user (repeatable, from 2.0.2 on)
---@param args dsclient.users.revoke_project.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:revoke_project(args, opts) end

---@class dsclient.users.revoke_projects.args
---@field user_id dsclient.arg.user_id
---@field project_ids dsclient.arg.ids

---Takes projects from a user (repeatable, from 3.2 on)
---@param args dsclient.users.revoke_projects.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:revoke_projects(args, opts) end

---@class dsclient.users.update.args
---@field user_id dsclient.arg.user_id
---@field name dsclient.arg.string
---@field password dsclient.arg.string
---@field tenant_id dsclient.arg.tenant_id
---@field email dsclient.arg.string
---@field queue? dsclient.arg.string default `""`; a YARN queue in place of the tenant's
---@field phone? dsclient.arg.string
---@field state? dsclient.arg.integer 0 to 1; 0 disabled, 1 enabled
---@field time_zone? dsclient.arg.string from 3.0 on

---Changes all fields of a user (repeatable)
---@param args dsclient.users.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:update(args, opts) end

---@class dsclient.users.verify_name.args
---@field name dsclient.arg.string

---Is this user name free? An error of code 10003 where it is not (read)
---@param args dsclient.users.verify_name.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function users:verify_name(args, opts) end

---The workers that a task may go to.
---@class dsclient.worker_groups
local worker_groups = {}

---@class dsclient.worker_groups.addresses.args

---The addresses of the workers that are alive (read)
---@param args? dsclient.worker_groups.addresses.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function worker_groups:addresses(args, opts) end

---@class dsclient.worker_groups.all.args

---The names of the worker groups (read)
---@param args? dsclient.worker_groups.all.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function worker_groups:all(args, opts) end

---@class dsclient.worker_groups.create.args
---@field name dsclient.arg.string
---@field addresses dsclient.arg.strings host:port of each worker
---@field description? dsclient.arg.string from 3.1 on

---A new worker group; a name that is taken is refused (once)
---@param args dsclient.worker_groups.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function worker_groups:create(args, opts) end

---@class dsclient.worker_groups.delete.args
---@field worker_group_id dsclient.arg.worker_group_id

---Removes a worker group that nothing uses (repeatable)
---@param args dsclient.worker_groups.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function worker_groups:delete(args, opts) end

---@class dsclient.worker_groups.list.args
---@field search? dsclient.arg.string
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The worker groups with their workers, all pages (read)
---@param args? dsclient.worker_groups.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function worker_groups:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args? dsclient.worker_groups.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function worker_groups:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args? dsclient.worker_groups.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function worker_groups:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args? dsclient.worker_groups.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function worker_groups:each(args, opts) end

---@class dsclient.worker_groups.update.args
---@field worker_group_id dsclient.arg.worker_group_id
---@field name dsclient.arg.string
---@field addresses dsclient.arg.strings host:port of each worker
---@field description? dsclient.arg.string from 3.1 on

---Changes all fields of a worker group (once)
---@param args dsclient.worker_groups.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function worker_groups:update(args, opts) end

---Workflow definitions: write, release and start them.
---@class dsclient.workflows
local workflows = {}

---@class dsclient.workflows.all.args
---@field project? dsclient.arg.project
---@field projects? dsclient.several_projects in place of project: several at a time

---All workflows of a project with their tasks and relations, in one answer (read)
---@param args dsclient.workflows.all.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:all(args, opts) end

---@class dsclient.workflows.batch_copy.args
---@field project dsclient.arg.project
---@field workflows dsclient.arg.workflows
---@field target_project dsclient.arg.project

---Copies workflows into a project (once)
---@param args dsclient.workflows.batch_copy.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:batch_copy(args, opts) end

---@class dsclient.workflows.batch_delete.args
---@field project dsclient.arg.project
---@field workflows dsclient.arg.workflows

---Removes several workflows that are offline (once)
---@param args dsclient.workflows.batch_delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:batch_delete(args, opts) end

---@class dsclient.workflows.batch_export.args
---@field project dsclient.arg.project
---@field workflows dsclient.arg.workflows

---Workflows as a file of JSON, for `import_file` (read, up to 3.4.0)
---@param args dsclient.workflows.batch_export.args
---@param opts? dsclient.call_options
---@return string|{bytes: integer}? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:batch_export(args, opts) end

---@class dsclient.workflows.batch_move.args
---@field project dsclient.arg.project
---@field workflows dsclient.arg.workflows
---@field target_project dsclient.arg.project

---Moves workflows into another project (once)
---@param args dsclient.workflows.batch_move.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:batch_move(args, opts) end

---@class dsclient.workflows.batch_query_tasks.args
---@field project dsclient.arg.project
---@field workflows dsclient.arg.workflows

---The tasks of several workflows, by the codes of the workflows (read)
---@param args dsclient.workflows.batch_query_tasks.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:batch_query_tasks(args, opts) end

---@class dsclient.workflows.batch_start.args
---@field project dsclient.arg.project
---@field workflows dsclient.arg.workflows
---@field start_nodes? dsclient.arg.codes where they begin, by task_depend_type
---@field task_depend_type? dsclient.arg.enum|"TASK_ONLY"|"TASK_PRE"|"TASK_POST" default `TASK_POST`
---@field schedule_time? dsclient.arg.json default `""`; of a COMPLEMENT_DATA: {complementStartDate, complementEndDate} or {complementScheduleDateList}; up to 3.0 text: start,end
---@field failure_strategy? dsclient.arg.enum|"CONTINUE"|"END" default `CONTINUE`
---@field warning_type? dsclient.arg.enum|"NONE"|"SUCCESS"|"FAILURE"|"ALL" default `NONE`
---@field warning_group_id? dsclient.arg.alert_group_id default `0`
---@field exec_type? dsclient.arg.enum|"START_PROCESS"|"COMPLEMENT_DATA" default `START_PROCESS`
---@field run_mode? dsclient.arg.enum|"RUN_MODE_SERIAL"|"RUN_MODE_PARALLEL"
---@field priority? dsclient.arg.enum|"HIGHEST"|"HIGH"|"MEDIUM"|"LOW"|"LOWEST"
---@field worker_group? dsclient.arg.worker_group
---@field environment? dsclient.arg.environment
---@field tenant? dsclient.arg.tenant from 3.2 on
---@field start_params? dsclient.arg.json names and values; from 3.3 on also a list of {prop, …}
---@field expected_parallelism_number? dsclient.arg.integer at least 1; of a RUN_MODE_PARALLEL
---@field dry_run? dsclient.arg.integer 0 to 1
---@field timeout? dsclient.arg.integer at least 0; up to 3.2; in minutes
---@field complement_dependent_mode? dsclient.arg.enum|"OFF_MODE"|"ALL_DEPENDENT" from 3.0 on
---@field all_level_dependent? dsclient.arg.boolean from 3.2 on
---@field execution_order? dsclient.arg.enum|"DESC_ORDER"|"ASC_ORDER" from 3.2 on
---@field test_flag? dsclient.arg.integer 0 to 1; from 3.2 to 3.3

---Starts a run of each of several workflows (once, from 2.0.3 on)
---@param args dsclient.workflows.batch_start.args
---@param opts? dsclient.call_options
---@return dsclient.started? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:batch_start(args, opts) end

---@class dsclient.workflows.create.args
---@field project dsclient.arg.project
---@field name dsclient.arg.string
---@field tasks dsclient.arg.json
---@field relations dsclient.arg.json
---@field locations? dsclient.arg.json default `"[]"`
---@field global_params? dsclient.arg.json default `"[]"`
---@field description? dsclient.arg.string default `""`
---@field timeout? dsclient.arg.integer default `0`; at least 0; in minutes, 0 is none
---@field tenant? dsclient.arg.tenant default `"default"`
---@field execution_type? dsclient.arg.enum|"PARALLEL"|"SERIAL_WAIT"|"SERIAL_DISCARD"|"SERIAL_PRIORITY" default `PARALLEL`

---A new workflow, offline; a name that is taken is refused with 10168 (once)
---@param args dsclient.workflows.create.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:create(args, opts) end

---@class dsclient.workflows.create_empty.args
---@field project dsclient.arg.project
---@field name dsclient.arg.string
---@field description? dsclient.arg.string
---@field global_params? dsclient.arg.json
---@field timeout? dsclient.arg.integer at least 0; in minutes, 0 is none
---@field schedule? dsclient.arg.json {startTime, endTime, crontab, timezoneId}
---@field tenant? dsclient.arg.tenant default `"default"`; up to 3.1
---@field execution_type? dsclient.arg.enum|"PARALLEL"|"SERIAL_WAIT"|"SERIAL_DISCARD"|"SERIAL_PRIORITY" from 3.0 on

---A new workflow without tasks (once, from 2.0.1 to 3.2.0)
---@param args dsclient.workflows.create_empty.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:create_empty(args, opts) end

---@class dsclient.workflows.create_without_tasks.args
---@field project dsclient.arg.project
---@field name dsclient.arg.string
---@field description? dsclient.arg.string
---@field release_state? dsclient.arg.enum|"ONLINE"|"OFFLINE"
---@field global_params? dsclient.arg.string JSON text
---@field warning_group_id? dsclient.arg.alert_group_id
---@field timeout? dsclient.arg.integer at least 0; in minutes, 0 is none
---@field execution_type? dsclient.arg.enum|"PARALLEL"|"SERIAL_WAIT"|"SERIAL_DISCARD"|"SERIAL_PRIORITY" from 3.0 on

---A new workflow without tasks, for tasks and relations that come one by one (once, from 3.2 on)
---@param args dsclient.workflows.create_without_tasks.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:create_without_tasks(args, opts) end

---@class dsclient.workflows.delete.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow

---Removes a workflow that is offline (repeatable)
---@param args dsclient.workflows.delete.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:delete(args, opts) end

---@class dsclient.workflows.delete_by_code.args
---@field workflow dsclient.arg.code

---Removes a workflow that is offline, whatever project it is in (repeatable, from 3.2 on)
---@param args dsclient.workflows.delete_by_code.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:delete_by_code(args, opts) end

---@class dsclient.workflows.delete_version.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field version dsclient.arg.integer

---Removes a version of a workflow that is not the one that runs (once)
---@param args dsclient.workflows.delete_version.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:delete_version(args, opts) end

---@class dsclient.workflows.full_list.args
---@field project? dsclient.arg.project
---@field projects? dsclient.several_projects in place of project: several at a time

---The same as all, by another path (read)
---@param args dsclient.workflows.full_list.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:full_list(args, opts) end

---@class dsclient.workflows.get.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow

---One workflow with its tasks and relations (read)
---@param args dsclient.workflows.get.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:get(args, opts) end

---@class dsclient.workflows.get_by_code.args
---@field workflow dsclient.arg.code

---One workflow without its tasks, whatever project it is in (read, from 3.2 on)
---@param args dsclient.workflows.get_by_code.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:get_by_code(args, opts) end

---@class dsclient.workflows.get_by_name.args
---@field project dsclient.arg.project
---@field name dsclient.arg.string

---One workflow with its tasks and relations, by its name (read)
---@param args dsclient.workflows.get_by_name.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:get_by_name(args, opts) end

---@class dsclient.workflows.import_file.args
---@field project dsclient.arg.project
---@field file dsclient.arg.file

---Makes workflows of a file that `batch_export` gave (once, up to 3.4.0)
---@param args dsclient.workflows.import_file.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:import_file(args, opts) end

---@class dsclient.workflows.list.args
---@field project? dsclient.arg.project
---@field search? dsclient.arg.string
---@field user_id? dsclient.arg.user_id
---@field projects? dsclient.several_projects in place of project: several at a time
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The workflows of a project, without their tasks, all pages (read)
---@param args dsclient.workflows.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:list(args, opts) end

---One page of the list, from 1 on; meta.total is how many rows there are.
---@param number integer
---@param args dsclient.workflows.list.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? rows
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:page(number, args, opts) end

---The pages of the list, one at each next().
---@param args dsclient.workflows.list.args
---@param opts? dsclient.call_options
---@return {next: fun(): dsclient.object[]?, dsclient.error?}
function workflows:pages(args, opts) end

---Iterates over the rows; throws the error of a page that failed.
---@param args dsclient.workflows.list.args
---@param opts? dsclient.call_options
---@return fun(): dsclient.object?
function workflows:each(args, opts) end

---@class dsclient.workflows.names.args
---@field project? dsclient.arg.project
---@field projects? dsclient.several_projects in place of project: several at a time

---Code, name and version of each workflow of a project, in one answer (read, from 3.0 on)
---@param args dsclient.workflows.names.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:names(args, opts) end

---@class dsclient.workflows.release.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field state dsclient.arg.enum|"ONLINE"|"OFFLINE"

---Takes a workflow ONLINE or OFFLINE (its schedule goes offline, too) (repeatable)
---@param args dsclient.workflows.release.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:release(args, opts) end

---@class dsclient.workflows.release_workflow.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field state dsclient.arg.enum|"ONLINE"|"OFFLINE"

---Takes a workflow ONLINE or OFFLINE together with its schedule (repeatable, from 2.0.1 to 3.2.0)
---@param args dsclient.workflows.release_workflow.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:release_workflow(args, opts) end

---@class dsclient.workflows.search.args
---@field project_name? dsclient.arg.string
---@field workflow_name? dsclient.arg.string
---@field release_state? dsclient.arg.enum|"ONLINE"|"OFFLINE"
---@field schedule_release_state? dsclient.arg.enum|"ONLINE"|"OFFLINE"
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The workflows of all projects that fit the filter, all pages (read, from 3.2 on)
---@param args? dsclient.workflows.search.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:search(args, opts) end

---@class dsclient.workflows.simple_list.args
---@field project? dsclient.arg.project
---@field projects? dsclient.several_projects in place of project: several at a time

---Id, code and name of each workflow of a project, in one answer (read)
---@param args dsclient.workflows.simple_list.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:simple_list(args, opts) end

---@class dsclient.workflows.start.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field start_nodes? dsclient.arg.tasks where it begins, by task_depend_type
---@field task_depend_type? dsclient.arg.enum|"TASK_ONLY"|"TASK_PRE"|"TASK_POST"
---@field version? dsclient.arg.integer 3.2 only; of the workflow
---@field schedule_time? dsclient.arg.json default `""`; of a COMPLEMENT_DATA: {complementStartDate, complementEndDate} or {complementScheduleDateList}; up to 3.0 text: start,end
---@field failure_strategy? dsclient.arg.enum|"CONTINUE"|"END" default `CONTINUE`
---@field warning_type? dsclient.arg.enum|"NONE"|"SUCCESS"|"FAILURE"|"ALL" default `NONE`
---@field warning_group_id? dsclient.arg.alert_group_id default `0`
---@field exec_type? dsclient.arg.enum|"START_PROCESS"|"COMPLEMENT_DATA" default `START_PROCESS`
---@field run_mode? dsclient.arg.enum|"RUN_MODE_SERIAL"|"RUN_MODE_PARALLEL"
---@field priority? dsclient.arg.enum|"HIGHEST"|"HIGH"|"MEDIUM"|"LOW"|"LOWEST"
---@field worker_group? dsclient.arg.worker_group
---@field environment? dsclient.arg.environment
---@field tenant? dsclient.arg.tenant from 3.2 on
---@field start_params? dsclient.arg.json names and values; from 3.3 on also a list of {prop, …}
---@field expected_parallelism_number? dsclient.arg.integer at least 1; of a RUN_MODE_PARALLEL
---@field dry_run? dsclient.arg.integer 0 to 1
---@field timeout? dsclient.arg.integer at least 0; up to 3.2; in minutes
---@field complement_dependent_mode? dsclient.arg.enum|"OFF_MODE"|"ALL_DEPENDENT" from 3.0 on
---@field all_level_dependent? dsclient.arg.boolean from 3.2 on
---@field execution_order? dsclient.arg.enum|"DESC_ORDER"|"ASC_ORDER" from 3.2 on
---@field test_flag? dsclient.arg.integer 0 to 1; from 3.2 to 3.3

---Starts a run; no server knows an idempotency key, so it is never repeated (once)
---@param args dsclient.workflows.start.args
---@param opts? dsclient.call_options
---@return dsclient.started? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:start(args, opts) end

---@class dsclient.workflows.start_check.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow

---May a workflow be started? Refused where a sub-workflow is offline (read, up to 3.2)
---@param args dsclient.workflows.start_check.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:start_check(args, opts) end

---@class dsclient.workflows.switch_version.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field version dsclient.arg.integer

---Makes another version of a workflow the one that runs (repeatable)
---@param args dsclient.workflows.switch_version.args
---@param opts? dsclient.call_options
---@return true? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:switch_version(args, opts) end

---@class dsclient.workflows.task_list.args
---@field project? dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field projects? dsclient.several_projects in place of project: several at a time

---Code, name and version of each task of a workflow (read, from 3.0 on)
---@param args dsclient.workflows.task_list.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:task_list(args, opts) end

---@class dsclient.workflows.tasks.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow

---The tasks of a workflow (read)
---@param args dsclient.workflows.tasks.args
---@param opts? dsclient.call_options
---@return any[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:tasks(args, opts) end

---@class dsclient.workflows.update.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field name dsclient.arg.string
---@field tasks dsclient.arg.json
---@field relations dsclient.arg.json
---@field locations? dsclient.arg.json
---@field global_params? dsclient.arg.json
---@field description? dsclient.arg.string
---@field timeout? dsclient.arg.integer at least 0; in minutes, 0 is none
---@field tenant? dsclient.arg.tenant default `"default"`; up to 3.1
---@field execution_type? dsclient.arg.enum|"PARALLEL"|"SERIAL_WAIT"|"SERIAL_DISCARD"|"SERIAL_PRIORITY" from 3.0 on
---@field release_state? dsclient.arg.enum|"ONLINE"|"OFFLINE"

---Replaces a workflow that is offline; a new version, if anything is changed (repeatable)
---@param args dsclient.workflows.update.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:update(args, opts) end

---@class dsclient.workflows.update_basic_info.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field name dsclient.arg.string
---@field description? dsclient.arg.string
---@field global_params? dsclient.arg.json
---@field timeout? dsclient.arg.integer at least 0; in minutes, 0 is none
---@field schedule? dsclient.arg.json {startTime, endTime, crontab, timezoneId}
---@field tenant? dsclient.arg.tenant default `"default"`; up to 3.1
---@field execution_type? dsclient.arg.enum|"PARALLEL"|"SERIAL_WAIT"|"SERIAL_DISCARD"|"SERIAL_PRIORITY" from 3.0 on
---@field release_state? dsclient.arg.enum|"ONLINE"|"OFFLINE"

---Changes all of a workflow but its tasks and relations (once, from 2.0.1 to 3.2.0)
---@param args dsclient.workflows.update_basic_info.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:update_basic_info(args, opts) end

---@class dsclient.workflows.update_by_code.args
---@field workflow dsclient.arg.code
---@field name? dsclient.arg.string
---@field description? dsclient.arg.string
---@field release_state? dsclient.arg.enum|"ONLINE"|"OFFLINE"
---@field global_params? dsclient.arg.string JSON text
---@field warning_group_id? dsclient.arg.alert_group_id
---@field timeout? dsclient.arg.integer at least 0; in minutes, 0 is none
---@field execution_type? dsclient.arg.enum|"PARALLEL"|"SERIAL_WAIT"|"SERIAL_DISCARD"|"SERIAL_PRIORITY" from 3.0 on
---@field locations? dsclient.arg.string JSON text

---Changes the given properties of a workflow, whatever project it is in (once, from 3.2 on)
---@param args dsclient.workflows.update_by_code.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:update_by_code(args, opts) end

---@class dsclient.workflows.verify_name.args
---@field project dsclient.arg.project
---@field name dsclient.arg.string
---@field workflow? dsclient.arg.workflow from 3.0.1 on; the one that may have it

---Is a name free? A name that is taken is refused with 10168 (read)
---@param args dsclient.workflows.verify_name.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:verify_name(args, opts) end

---@class dsclient.workflows.versions.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field page_size? integer rows a request
---@field rows_max? integer more rows are an error
---@field limit? integer so many rows are enough

---The versions of a workflow, all pages (read)
---@param args dsclient.workflows.versions.args
---@param opts? dsclient.call_options
---@return dsclient.object[]? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:versions(args, opts) end

---@class dsclient.workflows.view_tree.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field limit? dsclient.arg.integer default `10`; at least 1; how many runs

---The tasks of a workflow as a tree, with its latest runs (read)
---@param args dsclient.workflows.view_tree.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:view_tree(args, opts) end

---@class dsclient.workflows.view_variables.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow

---The global and local parameters of a workflow (read, from 3.1.1 on)
---@param args dsclient.workflows.view_variables.args
---@param opts? dsclient.call_options
---@return dsclient.object? value
---@return dsclient.error err
---@return dsclient.meta meta
function workflows:view_variables(args, opts) end

---@class dsclient.instances.act.args
---@field project dsclient.arg.project
---@field instance_id? dsclient.arg.id
---@field instance_ids? dsclient.arg.ids in place of instance_id: several at once

---Runs the failed tasks of a run again. `true` means accepted: its state tells the rest.
---@param args dsclient.instances.act.args
---@param opts? dsclient.call_options
---@return true? accepted
---@return dsclient.error err
---@return dsclient.meta meta
function instances:recover(args, opts) end

---Runs all of a run again. `true` means accepted: its state tells the rest.
---@param args dsclient.instances.act.args
---@param opts? dsclient.call_options
---@return true? accepted
---@return dsclient.error err
---@return dsclient.meta meta
function instances:rerun(args, opts) end

---Lets running tasks end, and starts no other. `true` means accepted: its state tells the rest.
---@param args dsclient.instances.act.args
---@param opts? dsclient.call_options
---@return true? accepted
---@return dsclient.error err
---@return dsclient.meta meta
function instances:pause(args, opts) end

---Kills the running tasks. `true` means accepted: its state tells the rest.
---@param args dsclient.instances.act.args
---@param opts? dsclient.call_options
---@return true? accepted
---@return dsclient.error err
---@return dsclient.meta meta
function instances:stop(args, opts) end

---Goes on with a run that was paused or stopped. `true` means accepted: its state tells the rest.
---@param args dsclient.instances.act.args
---@param opts? dsclient.call_options
---@return true? accepted
---@return dsclient.error err
---@return dsclient.meta meta
function instances:resume(args, opts) end

---@class dsclient.diagnose_options
---@field timeout_s? number after which no more is looked at: 600
---@field log_lines? integer of each log: 30
---@field depth_max? integer levels of sub-workflows: 10
---@field tasks_max? integer 100

---A failed task, and why.
---@class dsclient.failed_task
---@field path? string[] the names that lead to it
---@field instance_id? integer of the run it is in
---@field task_instance_id integer
---@field name string
---@field type string
---@field state string
---@field host? string
---@field retries? integer
---@field started_at? number
---@field ended_at? number
---@field exit_code? integer
---@field log_tail? string[]
---@field log_error? dsclient.error
---@field cause? string "out of memory", "worker lost", …
---@field cause_line? string

---@class dsclient.diagnosis
---@field instance_id integer
---@field name string
---@field state string
---@field failed_tasks dsclient.failed_task[]
---@field truncated? boolean
---@field problems string[] what could not be looked at

---Why a run failed.
---@param args dsclient.instances.act.args
---@param opts? dsclient.diagnose_options
---@return dsclient.diagnosis? diagnosis
---@return dsclient.error err
function instances:diagnose(args, opts) end

---@class dsclient.log_options
---@field timeout_s? number of all together: 300
---@field bytes_max? integer more is an error of kind "limit": body_bytes_max

---The whole log of a task as one text.
---@param task_instance_id integer|string
---@param opts? dsclient.log_options
---@return string? text
---@return dsclient.error err
function task_instances:log(task_instance_id, opts) end

---The last lines of a log, found without reading all of it.
---@param task_instance_id integer|string
---@param count integer
---@param opts? dsclient.log_options
---@return string[]? lines
---@return dsclient.error err
function task_instances:tail(task_instance_id, count, opts) end

---@class dsclient.follow_options
---@field project dsclient.arg.project
---@field instance_id? integer of the run: the task is found faster
---@field interval_s? number between two looks: 2
---@field timeout_s? number 86400
---@field skip? integer so many lines are known: 0

---Iterates over the lines of a log until the task has ended; throws the error that
---ends it otherwise.
---@param task_instance_id integer|string
---@param opts dsclient.follow_options
---@return fun(): string? line
function task_instances:follow(task_instance_id, opts) end

---@class dsclient.download_options
---@field timeout_s? number
---@field attempt_timeout_s? number

---The log as a file, whole or not at all, of any size.
---@param task_instance_id integer|string
---@param target string|fun(piece: string): any a path, or what takes the pieces
---@param opts? dsclient.download_options
---@return {bytes: integer}? done
---@return dsclient.error err
function task_instances:download(task_instance_id, target, opts) end

---How something is watched; times in seconds.
---@class dsclient.watch_options
---@field timeout_s? number of all together
---@field poll_s? number the first interval
---@field poll_max_s? number the longest one

---Starts a run and tells its id on every line. The error has started where the start
---was accepted, and instance_ids where more than one may be it.
---@param args dsclient.workflows.start.args
---@param opts? dsclient.watch_options
---@return {instance_ids: integer[]}? started
---@return dsclient.error err
function workflows:run(args, opts) end

---@class dsclient.run_result
---@field instance_id integer
---@field state string
---@field ok boolean
---@field started_at? number
---@field ended_at? number
---@field duration_s? number
---@field failed_tasks? dsclient.failed_task[]
---@field failed_tasks_error? dsclient.error
---@field runs? dsclient.run_result[] where one start made several

---Starts a run and waits for its end.
---@param args dsclient.workflows.start.args
---@param opts? dsclient.watch_options
---@return dsclient.run_result? result
---@return dsclient.error err its instance_ids once the run is known
function workflows:run_and_wait(args, opts) end

---@class dsclient.backfill.args
---@field project dsclient.arg.project
---@field workflow dsclient.arg.workflow
---@field from? string "yyyy-MM-dd", with " HH:mm:ss" or without
---@field to? string
---@field step? "hour"|"day"|"week"|"month"|number
---@field dates? string[] in place of from, to and step
---@field start? table<string, any> further arguments of start

---@class dsclient.backfill.options : dsclient.watch_options
---@field concurrency? integer of runs under way: 1
---@field plan? boolean only tell what is there
---@field rerun_failed? boolean
---@field stop_on_failure? boolean
---@field shift_s? number so much later than given do answers show a date
---@field progress? dsclient.progress of the dates

---@class dsclient.backfill.date
---@field date string
---@field status "done"|"running"|"failed"|"absent"
---@field instance_id? integer
---@field state? string

---@class dsclient.backfill.report
---@field complete boolean
---@field started integer
---@field dates dsclient.backfill.date[]
---@field holes dsclient.backfill.date[]

---Runs a workflow for each date that it was not run for, in order.
---@param args dsclient.backfill.args
---@param opts? dsclient.backfill.options
---@return dsclient.backfill.report? report
---@return dsclient.error err
function workflows:backfill(args, opts) end

---Definitions as JSON text, in the form of the server's own export.
---@param args {project: dsclient.arg.project, workflows?: dsclient.arg.workflow[]}
---@param opts? {path?: string}
---@return string? text
---@return dsclient.error err
function workflows:export_definitions(args, opts) end

---@class dsclient.import_report
---@field created string[]
---@field updated string[]
---@field unchanged string[]
---@field skipped string[]
---@field failed {name: string, err: dsclient.error}[]
---@field unresolved string[] references to what is not here

---Creates the workflows of an export that the project has not.
---@param args {project: dsclient.arg.project, text?: string, path?: string}
---@param opts? {update?: boolean}
---@return dsclient.import_report? report
---@return dsclient.error err
function workflows:import_definitions(args, opts) end

return dsclient
