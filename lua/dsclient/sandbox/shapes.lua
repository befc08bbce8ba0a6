--- Which keys an answer has on which line, and what stands in those that the
-- sandbox does not care about. Taken from recorded answers of 3.1.1, 3.2.2 and
-- 3.3-dev; a spec compares them. Keys are those of the newest line.

local dialect = require "dsclient.dialect"
local core = require "dsclient.core"

local NULL = core.null

local _M = {}

-- On 3.1 and 3.2, not on 3.3; on 3.2 and 3.3, not on 3.1.
local OLD, NEW = { "3.1", "3.2" }, { "3.2", "3.3" }

local TIMES = { nil, { createTime = NULL, updateTime = NULL } }

-- Entity → groups; each is a list of lines (none: all) and the keys there.
local SHAPES = {
  project = {
    { nil, { id = 0, userId = 1, userName = NULL, code = 0, name = "", description = "", createTime = NULL,
      updateTime = NULL, perm = 0, defCount = 0 } },
    { OLD, { instRunningCount = 0 } },
  },
  tenant = {
    { nil, { id = 0, tenantCode = "", description = "", queueId = 1, queueName = NULL, queue = NULL,
      createTime = NULL, updateTime = NULL } },
  },
  user = {
    { nil, { id = 1, userName = "", userPassword = NULL, email = "", phone = "", userType = "", tenantId = -1,
      state = 1, tenantCode = NULL, queueName = NULL, alertGroup = NULL, queue = NULL, timeZone = "UTC",
      createTime = NULL, updateTime = NULL } },
    -- up to 3.1 the hash of the password is sent
    { { "3.1" }, { userPassword = ("0123456789abcdef"):rep(2) } },
    { NEW, { tenantCode = "default" } },
  },
  definition = {
    { nil, { id = 0, code = 0, name = "", version = 1, releaseState = NULL, projectCode = 0, description = "",
      globalParams = "[]", globalParamList = core.array {}, globalParamMap = {}, createTime = NULL,
      updateTime = NULL, flag = "YES", userId = 1, userName = NULL, projectName = NULL, locations = "[]",
      scheduleReleaseState = NULL, timeout = 0, modifyBy = NULL, warningGroupId = NULL,
      executionType = "PARALLEL" } },
    { { "3.1" }, { tenantId = 1, tenantCode = NULL, warningGroupId = 0 } },
    { NEW, { schedule = NULL } },
  },
  relation = {
    { nil, { id = 0, name = "", workflowDefinitionVersion = 1, projectCode = 0, workflowDefinitionCode = 0,
      preTaskCode = 0, preTaskVersion = 0, postTaskCode = 0, postTaskVersion = 1, conditionType = "NONE",
      conditionParams = {}, createTime = NULL, updateTime = NULL, operator = 1, operateTime = NULL } },
  },
  task_definition = {
    { nil, { id = 0, code = 0, name = "", version = 1, description = "", projectCode = 0, userId = 1,
      taskType = "SHELL", taskParams = {}, taskParamList = core.array {}, taskParamMap = NULL, flag = "YES",
      taskPriority = "MEDIUM", userName = NULL, projectName = NULL, workerGroup = "default",
      environmentCode = -1, failRetryTimes = 0, failRetryInterval = 1, timeoutFlag = "CLOSE",
      timeoutNotifyStrategy = "WARN", timeout = 0, delayTime = 0, resourceIds = NULL, createTime = NULL,
      updateTime = NULL, modifyBy = NULL, taskGroupId = 0, taskGroupPriority = 0, cpuQuota = -1,
      memoryMax = -1, taskExecuteType = "BATCH", operator = 1, operateTime = NULL } },
    { OLD, { dependence = "" } },
    { { "3.1" }, { resourceIds = "" } },
    { { "3.2" }, { isCache = "NO" } },
  },
  instance = {
    { nil, { id = 0, workflowDefinitionCode = 0, workflowDefinitionVersion = 1, state = "", stateHistory = "[]",
      stateDescList = NULL, recovery = "NO", startTime = NULL, endTime = NULL, runTimes = 1, name = "",
      host = "127.0.0.1:5678", workflowDefinition = NULL, commandType = "", commandParam = NULL,
      taskDependType = NULL, maxTryTimes = 0, failureStrategy = NULL, warningType = NULL,
      warningGroupId = NULL, scheduleTime = NULL, commandStartTime = NULL, globalParams = NULL,
      dagData = NULL, executorId = 1, executorName = NULL, tenantCode = NULL, queue = NULL,
      isSubWorkflow = NULL, locations = NULL, historyCmd = NULL, dependenceScheduleTimes = NULL,
      duration = NULL, workflowInstancePriority = NULL, workerGroup = NULL, environmentCode = NULL,
      timeout = 0, varPool = NULL, nextWorkflowInstanceId = 0, dryRun = 0, restartTime = NULL,
      cmdTypeIfComplement = "", complementData = false } },
    { OLD, { blocked = false } },
    { { "3.1" }, { tenantId = 0 } },
    { NEW, { projectCode = 0, testFlag = 0 } },
  },
  task = {
    { nil, { id = 0, name = "", taskType = "SHELL", workflowInstanceId = 0, workflowInstanceName = NULL,
      taskCode = 0, taskDefinitionVersion = 1, processDefinitionName = NULL, taskGroupPriority = 0, state = "",
      firstSubmitTime = NULL, submitTime = NULL, startTime = NULL, endTime = NULL, host = "127.0.0.1:1234",
      executePath = NULL, logPath = NULL, retryTimes = 0, alertFlag = "NO", workflowInstance = NULL,
      taskDefine = NULL, pid = 0, appLink = NULL, flag = "YES", duration = NULL, maxRetryTimes = 0,
      retryInterval = 1, taskInstancePriority = "MEDIUM", workflowInstancePriority = NULL,
      workerGroup = "default", environmentCode = -1, environmentConfig = NULL, executorId = 1, varPool = NULL,
      executorName = NULL, delayTime = 0, taskParams = "{}", dryRun = 0, taskGroupId = 0, cpuQuota = -1,
      memoryMax = -1, taskExecuteType = "BATCH" } },
    { OLD, { processDefine = NULL, dependency = NULL, switchDependency = NULL, dependentResult = NULL,
      subProcess = false, dependTask = false, conditionsTask = false, switchTask = false,
      blockingTask = false, firstRun = false, taskComplete = true, varPool = "[]" } },
    { { "3.1" }, { resources = NULL } },
    { { "3.2" }, { isCache = "NO", cacheKey = NULL, conditionsParameters = NULL, dynamic = false,
      conditionResult = NULL } },
    { NEW, { projectCode = 0, testFlag = 0 } },
    { { "3.3" }, { workflowDefinition = NULL } },
  },
  master = {
    { nil, { id = 4711, host = "127.0.0.1", port = 5678, createTime = NULL, lastHeartbeatTime = NULL } },
    { OLD, { zkDirectory = "/nodes/master/127.0.0.1:5678", resInfo = "{}" } },
    { { "3.3" }, { serverDirectory = "/nodes/master/127.0.0.1:5678", heartBeatInfo = "{}" } },
  },
  queue = { TIMES, { nil, { id = 0, queueName = "", queue = "" } } },
  access_token = { TIMES, { nil, { id = 0, userId = 1, token = "", expireTime = "", userName = NULL } } },
  alert_group = {
    TIMES,
    { nil, { id = 0, groupName = "", alertInstanceIds = NULL, description = "", createUserId = 1 } },
  },
  worker_group = {
    TIMES,
    { nil, { id = NULL, name = "", addrList = "127.0.0.1:1234", description = NULL, systemDefault = false } },
    { OLD, { otherParamsJson = NULL } },
    { { "3.3" }, { source = "UI" } },
  },
  environment = {
    TIMES,
    { nil, { id = 0, code = 0, name = "", config = "", description = "", workerGroups = core.array {}, operator = 1 } },
  },
  cluster = {
    TIMES,
    { nil, { id = 0, code = 0, name = "", config = "", description = "", operator = 1 } },
    { OLD, { processDefinitions = core.array {} } },
    { { "3.3" }, { workflowDefinitions = core.array {} } },
  },
  project_parameter = {
    TIMES,
    { nil, { id = 0, userId = 1, operator = 1, code = 0, projectCode = 0, paramName = "", paramValue = "",
      createUser = NULL, modifyUser = NULL } },
    { { "3.3" }, { paramDataType = "VARCHAR" } },
  },
  task_group = {
    TIMES,
    { nil, { id = 0, name = "", description = "", groupSize = 0, useSize = 0, userId = 1, projectCode = 0,
      status = "YES" } },
    { { "3.1" }, { status = 1 } },
  },
  schedule = {
    TIMES,
    { nil, { id = 0, workflowDefinitionCode = 0, projectName = NULL, definitionDescription = NULL,
      startTime = "", endTime = "", timezoneId = "UTC", crontab = "",
      failureStrategy = "CONTINUE", warningType = "NONE", userId = 1, userName = NULL, releaseState = "OFFLINE",
      warningGroupId = 0, workflowInstancePriority = "MEDIUM", workerGroup = "default", environmentCode = "-1" } },
    { OLD, { processDefinitionName = NULL } },
    { NEW, { tenantCode = "default", environmentName = NULL } },
    { { "3.3" }, { workflowDefinitionName = NULL } },
  },
  database = {
    { nil, { dbType = "H2", state = "YES", maxConnections = 0, maxUsedConnections = 0, threadsConnections = 10,
      threadsRunningConnections = 0, date = NULL } },
  },
}

-- What the newest line's keys are called up to 3.2.
local OLD_NAMES = {}
for old, new in pairs(dialect.RENAMED.process) do
  OLD_NAMES[new] = old
end

local function has(list, line_name)
  for _, one in ipairs(list or { line_name }) do
    if one == line_name then
      return true
    end
  end
  return false
end

local made = {}

local function shape_of(line_name, entity)
  local key = line_name .. entity
  if not made[key] then
    local shape = {}
    for _, group in ipairs(SHAPES[entity]) do
      if has(group[1], line_name) then
        for name, value in pairs(group[2]) do
          shape[name] = value
        end
      end
    end
    made[key] = shape
  end
  return made[key]
end

--- A key as the line calls it.
function _M.name(line_name, key)
  return line_name ~= "3.3" and OLD_NAMES[key] or key
end

--- A row as the line sends it: `live` fills in the keys that are there.
function _M.row(line_name, entity, live)
  local row = {}
  for key, default in pairs(shape_of(line_name, entity)) do
    local value = live[key]
    if value == nil then
      value = default
    end
    row[_M.name(line_name, key)] = value
  end
  return row
end

return _M
