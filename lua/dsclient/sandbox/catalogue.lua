--- The server's API as data: 298 operations of 3.4.1, then 56 that only older
-- versions have. From the controllers of the server's tags 2.0.9 to 3.2.2 and
-- what is known of 3.4.1; kept by hand. The sandbox answers by it, and a spec
-- holds the client's own table of operations against it.
--
-- A row is
--     METHOD path versions status kind result !error
-- and indented lines of parameters; `# Name` begins a controller.
--   path      P is /projects/{projectCode}; NOUN is `process` up to 3.2 and
--             `workflow` from 3.3 on, also in names of parameters
--   versions  first and last that have it: 3.1+, 2.0.1-3.2.0; 3.2 as last is all
--             of 3.2
--   status    of HTTP, on success
--   kind      R reads, W writes and may be repeated, X writes and may not, W! is
--             a GET that writes
--   result    the type of `data`: Page<Row>, [Row] a list, dict[…], a scalar,
--             bytes (a file), null; a|b is either
--   error     the code of this endpoint where no other fits, as for parameters
-- A parameter is name:type, with ? where it may be left out, =default, and
-- @versions where not all have it. `old/new` is renamed in 3.3. json{…} is a
-- body, a JSON object with these members (… also others), json[…] a list. With
-- json! the request must say that it sends JSON, else the server has no such
-- endpoint; alone it says so without a body.

local _M = {}

local TEXT = [==[
# Login
DELETE /cookies 3.2+ 200 W null
POST /login 2.0+ 200 W dict[str,str] !10043
  userName:string userPassword:string
GET /login/oauth2/code/{providerId} 3.4.1+ 302 X null
GET /login/sso 3.2+ 200 R str|null !10211
GET /oauth2-provider 3.2+ 200 R [OAuth2ConfigurationOAuth2ClientProperties]
GET /oauth2/authorization/{providerId} 3.4.1+ 302 R null
GET /oidc-providers 3.4.1+ 200 R [dict[str,str]]|null
GET /redirect/login/oauth2 3.2+ 200 X null
  code:string provider:string
POST /signOut 2.0+ 200 X null !10123
# AccessToken
GET /access-tokens 2.0+ 200 R Page<AccessToken> !70012
  pageNo:int searchVal:string? pageSize:int
POST /access-tokens 2.0+ 201 X AccessToken !70010
  userId:int expireTime:string token:string?
POST /access-tokens/generate 2.0+ 201 R str !70011
  userId:int expireTime:string
GET /access-tokens/user/{userId} 2.0.2+ 200 R [AccessToken] !70016
PUT /access-tokens/{id} 2.0+ 200 W AccessToken !70013
  userId:int expireTime:string token:string?
DELETE /access-tokens/{id} 2.0+ 200 W bool !70014
# AccessTokenV2
POST /v2/access-tokens 3.1+ 201 X AccessToken !70010
  json!{userId expireTime token}
# Project
GET /projects 2.0+ 200 R Page<Project> !10049
  searchVal:string? pageSize:int pageNo:int
POST /projects 2.0+ 201 W Project !10048
  projectName:string description:string?
GET /projects/authed-project 2.0+ 200 R [Project] !10052
  userId:int
GET /projects/authed-user 2.0.2+ 200 R [User] !10183
  projectCode:long
GET /projects/created-and-authed 2.0+ 200 R [Project] !10162
GET /projects/list 2.0+ 200 R [Project] !10049
GET /projects/list-dependent 3.1+ 200 R [Project] !10049
GET /projects/project-with-authorized-level 3.2+ 200 R [Project] !10052
  userId:int
GET /projects/project-with-authorized-level-list-paging 3.2+ 200 R Page<Project> !10049
  userId:int searchVal:string? pageSize:int pageNo:int
GET /projects/unauth-project 2.0+ 200 R [Project] !10051
  userId:int
GET /projects/{code} 2.0+ 200 R Project !10047
PUT /projects/{code} 2.0+ 200 W Project !10046
  projectName:string description:string? userName:string@-3.2.0
DELETE /projects/{code} 2.0+ 200 W null !10050
# ProjectV2
GET /v2/projects 3.1+ 200 R Page<Project> !10049
  json!
  searchVal:string? pageNo:int?=1 pageSize:int?=10
POST /v2/projects 3.1+ 201 W Project !10048
  json!{projectName description}
GET /v2/projects/authed-project 3.1+ 200 R [Project] !10052
  userId:int
GET /v2/projects/authed-user 3.1+ 200 R [User] !10183
  projectCode:long
GET /v2/projects/created-and-authed 3.1+ 200 R [Project] !10162
GET /v2/projects/list 3.1+ 200 R [Project] !10049
GET /v2/projects/list-dependent 3.1+ 200 R [Project] !10049
GET /v2/projects/unauth-project 3.1+ 200 R [Project] !10051
  userId:int
GET /v2/projects/{code} 3.1+ 200 R Project !10047
PUT /v2/projects/{code} 3.1+ 200 W Project !10046
  json!{projectName description}
DELETE /v2/projects/{code} 3.1+ 200 W bool !10050
# ProjectParameter
GET P/project-parameter 3.2+ 200 R Page<ProjectParameter> !10217
  searchVal:string? projectParameterDataType:string?@3.3+ pageNo:int pageSize:int
POST P/project-parameter 3.2+ 201 W ProjectParameter !10214
  projectParameterName:string projectParameterValue:string projectParameterDataType:string?=VARCHAR@3.3+
POST P/project-parameter/batch-delete 3.2+ 200 W null !10216
  codes:string
POST P/project-parameter/delete 3.2+ 200 W null !10216
  code:long
GET P/project-parameter/{code} 3.2+ 200 R ProjectParameter !10217
PUT P/project-parameter/{code} 3.2+ 200 W ProjectParameter !10215
  projectParameterName:string projectParameterValue:string projectParameterDataType:string@3.3+
# ProjectPreference
GET P/project-preference 3.2+ 200 R ProjectPreference !10302
POST P/project-preference 3.2+ 200 W null !10303
  state:int
PUT P/project-preference 3.2+ 201 W ProjectPreference !10301
  projectPreferences:string
# ProjectWorkerGroup
GET P/worker-group 3.2.2+ 200 R [ProjectWorkerGroup]
POST P/worker-group 3.2.2+ 201 W null !1402002
  workerGroups:String[]
# WorkflowDefinition
GET P/NOUN-definition 2.0+ 200 R Page<WorkflowDefinition> !10122
  searchVal:string? otherParamsJson:string?@3.1+ userId:int?=0 pageNo:int pageSize:int
POST P/NOUN-definition 2.0+ 201 W WorkflowDefinition|null !10105
  name:string description:string? globalParams:string?=[] locations:string? timeout:int?=0 taskRelationJson:string
  taskDefinitionJson:string otherParamsJson:string?@3.1+ executionType:WorkflowExecutionTypeEnum?=PARALLEL@3.0+
  tenantCode:string@-3.1
GET P/NOUN-definition/all 2.0+ 200 R [DagData] !10110
POST P/NOUN-definition/batch-copy 2.0+ 200 X WorkflowDefinition !10159
  codes:string targetProjectCode:long
POST P/NOUN-definition/batch-delete 2.0+ 200 W null !50026
  codes:string
POST P/NOUN-definition/batch-move 2.0+ 200 X WorkflowDefinition !10160
  codes:string targetProjectCode:long
GET P/NOUN-definition/batch-query-tasks 2.0+ 200 R dict[int,[TaskDefinition]] !10112
  codes:string
GET P/NOUN-definition/list 2.0+ 200 R [DagData] !10110
GET P/NOUN-definition/query-by-name 2.0+ 200 R DagData !10109
  name:string
GET P/NOUN-definition/query-task-definition-list 3.0+ 200 R [DependentSimplifyDefinition] !10112
  NOUNDefinitionCode:long
GET P/NOUN-definition/query-NOUN-definition-list 3.0+ 200 R [DependentSimplifyDefinition] !10112
GET P/NOUN-definition/simple-list 2.0+ 200 R [WorkflowDefinitionSimpleItem] !10110
GET P/NOUN-definition/verify-name 2.0+ 200 R null !10106
  name:string code/workflowDefinitionCode:long?=0@3.0.1+
GET P/NOUN-definition/{code} 2.0+ 200 R DagData !10109
PUT P/NOUN-definition/{code} 2.0+ 200 W WorkflowDefinition|null !10107
  name:string description:string? globalParams:string?=[] locations:string? timeout:int?=0 taskRelationJson:string
  taskDefinitionJson:string executionType:WorkflowExecutionTypeEnum?=PARALLEL@3.0+ releaseState:ReleaseState?=OFFLINE
  tenantCode:string@-3.1 otherParamsJson:string?@3.1-3.2.0
DELETE P/NOUN-definition/{code} 2.0+ 200 W null !50022
POST P/NOUN-definition/{code}/release 2.0+ 200 W bool !10108
  releaseState:ReleaseState
GET P/NOUN-definition/{code}/tasks 2.0+ 200 R [TaskDefinition] !10112
GET P/NOUN-definition/{code}/versions 2.0+ 200 R Page<WorkflowDefinitionLog> !10154
  pageNo:int pageSize:int
GET P/NOUN-definition/{code}/versions/{version} 2.0+ 200 W! null !10151
DELETE P/NOUN-definition/{code}/versions/{version} 2.0+ 200 W null !10156
GET P/NOUN-definition/{code}/view-tree 2.0+ 200 R TreeViewDto !10111
  limit:int
GET P/NOUN-definition/{code}/view-variables 3.1.1+ 200 R WorkflowDefinitionVariablesView !1300100
# WorkflowV2
POST /v2/workflows 3.2+ 201 W WorkflowDefinition !10105
  json!{name description projectCode releaseState globalParams warningGroupId timeout executionType}
POST /v2/workflows/query 3.2+ 200 R Page<WorkflowDefinition> !10110
  json!{projectName workflowName releaseState scheduleReleaseState pageNo pageSize}
GET /v2/workflows/{code} 3.2+ 200 R WorkflowDefinition !10110
PUT /v2/workflows/{code} 3.2+ 200 W WorkflowDefinition !10107
  json{name description releaseState globalParams warningGroupId timeout executionType location}
DELETE /v2/workflows/{code} 3.2+ 200 W null !50022
# WorkflowInstance
GET P/NOUN-instances 2.0+ 200 R Page<WorkflowInstance> !10113
  processDefineCode/workflowDefinitionCode:long?=0 searchVal:string? executorName:string?
  stateType:WorkflowExecutionStatus? host:string? startDate:string? endDate:string? otherParamsJson:string?@3.1+
  pageNo:int pageSize:int
POST P/NOUN-instances/batch-delete 2.0+ 200 W null !10117
  NOUNInstanceIds:string
GET P/NOUN-instances/query-dynamic-sub-workflows 3.2+ 200 R [DynamicSubWorkflowDto] !10118
  taskId:int
GET P/NOUN-instances/query-parent-by-sub 2.0+ 200 R WorkflowInstanceParentInstanceView !10119
  subId:int
GET P/NOUN-instances/query-sub-by-parent 2.0+ 200 R WorkflowInstanceSubWorkflowInstanceView !10118
  taskId:int
GET P/NOUN-instances/top-n 2.0+ 200 R [WorkflowInstance] !10116
  size:int startTime:string endTime:string
GET P/NOUN-instances/trigger 3.2+ 200 R [WorkflowInstance] !10113
  triggerCode:long
GET P/NOUN-instances/{id} 2.0+ 200 R WorkflowInstance !10116
PUT P/NOUN-instances/{id} 2.0+ 200 W WorkflowDefinition !10115
  taskRelationJson:string taskDefinitionJson:string scheduleTime:string? syncDefine:bool globalParams:string?=[]
  locations:string? timeout:int?=0 tenantCode:string@-3.1
DELETE P/NOUN-instances/{id} 2.0+ 200 W null !10117
GET P/NOUN-instances/{id}/tasks 2.0+ 200 R WorkflowInstanceTaskListView !10114
GET P/NOUN-instances/{id}/view-gantt 2.0+ 200 R GanttDto !10121
GET P/NOUN-instances/{id}/view-variables 2.0+ 200 R WorkflowInstanceVariablesView !10120
# WorkflowInstanceV2
GET /v2/workflow-instances 3.2+ 200 R Page<WorkflowInstance> !10113
  json!{projectName workflowName host startTime endTime state pageNo pageSize}
GET /v2/workflow-instances/{workflowInstanceId} 3.2+ 200 R WorkflowInstance !10116
DELETE /v2/workflow-instances/{workflowInstanceId} 3.2+ 200 W null !50022
POST /v2/workflow-instances/{workflowInstanceId}/execute/{executeType} 3.2+ 200 X null !50015
# Executor
POST P/executors/batch-execute 3.1+ 200 X null !50058
  NOUNInstanceIds:string executeType:ExecuteType
POST P/executors/batch-start-NOUN-instance 2.0.3+ 200 X [int] !50014
  NOUNDefinitionCodes:string scheduleTime:string?@-2.0 scheduleTime:string@3.0+ failureStrategy:FailureStrategy
  startNodeList:string? taskDependType:TaskDependType? execType:CommandType? warningType:WarningType
  warningGroupId:int? runMode:RunMode? NOUNInstancePriority:Priority? workerGroup:string?=default
  tenantCode:string?=default@3.2+ environmentCode:long?=-1 startParams:string? expectedParallelismNumber:int?
  dryRun:int?=0 complementDependentMode:ComplementDependentMode?@3.0+ allLevelDependent:bool?=false@3.2+
  executionOrder:ExecutionOrder?@3.2+ timeout:int?@-3.2 testFlag:int?=0@3.2-3.3
POST P/executors/execute 2.0+ 200 X null !50015
  NOUNInstanceId:int executeType:ExecuteType
POST P/executors/execute-task 3.2+ 200 X null !50015
  NOUNInstanceId:int startNodeList:string taskDependType:TaskDependType
POST P/executors/start-NOUN-instance 2.0+ 200 X [int]|int|null !50014
  NOUNDefinitionCode:long scheduleTime:string?@-2.0 scheduleTime:string@3.0+ failureStrategy:FailureStrategy
  startNodeList:string? taskDependType:TaskDependType?=TASK_POST execType:CommandType?=START_PROCESS
  warningType:WarningType warningGroupId:int? runMode:RunMode? NOUNInstancePriority:Priority?
  workerGroup:string?=default tenantCode:string?=default@3.2+ environmentCode:long?=-1 startParams:string?
  expectedParallelismNumber:int? dryRun:int?=0 complementDependentMode:ComplementDependentMode?@3.0+
  allLevelDependent:bool?=false@3.2+ executionOrder:ExecutionOrder?@3.2+ timeout:int?@-3.2 testFlag:int?=0@3.2-3.3
  version:int?@3.2-3.2
POST P/executors/task-instance/{code}/start 3.1+ 200 X bool !50059
  version:int warningGroupId:int?=0 workerGroup:string?=default tenantCode:string?=default@3.2+
  environmentCode:long?=-1 startParams:string? dryRun:int?=0
# TaskInstance
GET P/task-instances 2.0+ 200 R Page<TaskInstance> !10082
  NOUNInstanceId:int?=0 NOUNInstanceName:string? NOUNDefinitionName:string?@3.1+ searchVal:string? taskName:string?
  taskCode:long?@3.2+ executorName:string? stateType:TaskExecutionStatus? host:string? startDate:string?
  endDate:string? taskExecuteType:TaskExecuteType?=BATCH@3.1+ pageNo:int pageSize:int
POST P/task-instances/{id}/force-success 2.0+ 200 W null !10165
POST P/task-instances/{id}/savepoint 3.1+ 200 X null !10196
POST P/task-instances/{id}/stop 3.1+ 200 W null !10197
# TaskInstanceV2
GET /v2/projects/{projectCode}/task-instances 3.2+ 200 R Page<TaskInstance> !10082
  json!
  NOUNInstanceId:int? NOUNInstanceName:string? NOUNDefinitionName:string? searchVal:string? taskName:string?
  taskCode:long? executorName:string? stateType:string? host:string? startTime:string? endTime:string?
  taskExecuteType:string? pageNo:int?=1 pageSize:int?=10
POST /v2/projects/{projectCode}/task-instances/{taskInstanceId} 3.2+ 200 R TaskInstance !10205
  json!
POST /v2/projects/{projectCode}/task-instances/{id}/force-success 3.2+ 200 W null !10165
  json!
POST /v2/projects/{projectCode}/task-instances/{id}/savepoint 3.2+ 200 X null !10196
POST /v2/projects/{projectCode}/task-instances/{id}/stop 3.2+ 200 W null !10197
# Logger
GET /log/detail 2.0+ 200 R ResponseTaskLog !10103
  taskInstanceId:int skipLineNum:int limit:int
GET /log/download-log 2.0+ 200 R bytes !10104
  taskInstanceId:int
GET /log/{projectCode}/detail 2.0.2+ 200 R str !10103
  taskInstanceId:int skipLineNum:int limit:int
GET /log/{projectCode}/download-log 2.0.2+ 200 R bytes !10104
  taskInstanceId:int
# TaskDefinition
GET P/task-definition/gen-task-codes 2.0+ 200 R [int] !10049
  genNum:int
GET P/task-definition/{code} 2.0+ 200 R TaskDefinitionVO !50043
POST P/task-definition/{code}/release 2.0.1+ 200 W null !50046
  releaseState:ReleaseState?=OFFLINE
GET P/task-definition/{code}/versions 2.0+ 200 R Page<TaskDefinitionLog> !50039
  pageNo:int pageSize:int
GET P/task-definition/{code}/versions/{version} 2.0+ 200 W! null !50040
DELETE P/task-definition/{code}/versions/{version} 2.0+ 200 W null !50041
PUT P/task-definition/{code}/with-upstream 3.0+ 200 W int !50038
  taskDefinitionJsonObj:string upstreamCodes:string?
# TaskDefinitionV2
POST /v2/tasks/query 3.2+ 200 R Page<TaskDefinition> !10110
  json!{projectName name taskType pageNo pageSize}
GET /v2/tasks/{code} 3.2+ 200 R TaskDefinition !50043
# WorkflowTaskRelation
POST P/NOUN-task-relation 2.0.1+ 201 W null !50032
  NOUNDefinitionCode:long preTaskCode:long postTaskCode:long
DELETE P/NOUN-task-relation/{taskCode} 2.0.1+ 200 W WorkflowDefinition !50048
  NOUNDefinitionCode:long
GET P/NOUN-task-relation/{taskCode}/downstream 2.0.1+ 200 R [TaskDefinitionLog] !50049
DELETE P/NOUN-task-relation/{taskCode}/downstream 2.0.1+ 200 W WorkflowDefinition !50048
  postTaskCodes:string
GET P/NOUN-task-relation/{taskCode}/upstream 2.0.1+ 200 R [TaskDefinitionLog] !50049
DELETE P/NOUN-task-relation/{taskCode}/upstream 2.0.1+ 200 W WorkflowDefinition !50048
  preTaskCodes:string
DELETE P/NOUN-task-relation/{workflowDefinitionCode}/{preTaskCode}/{postTaskCode} 2.0.1+ 200 W WorkflowDefinition !50055
# WorkflowTaskRelationV2
POST /v2/relations 3.2+ 201 W WorkflowTaskRelation !50032
  json!{projectCode workflowCode preTaskCode postTaskCode}
PUT /v2/relations/{code} 3.2+ 200 W [WorkflowTaskRelation] !50065
  json{workflowCode upstreams}
DELETE /v2/relations/{code-pair} 3.2+ 200 W null !50048
# Scheduler
GET P/schedules 2.0+ 200 R Page<ScheduleVO> !10080
  NOUNDefinitionCode:long@-3.1 NOUNDefinitionCode:long?=0@3.2+ searchVal:string? pageNo:int pageSize:int
POST P/schedules 2.0+ 201 W ScheduleInsertResult !10076
  NOUNDefinitionCode:long schedule:string warningType:WarningType?=NONE warningGroupId:int?=1
  failureStrategy:FailureStrategy?=CONTINUE workerGroup:string?=default tenantCode:string?=default@3.2+
  environmentCode:long?=-1 NOUNInstancePriority:Priority?=MEDIUM
POST P/schedules/list 2.0+ 200 R [ScheduleVO] !10081
POST P/schedules/preview 2.0+ 201 R [str] !10139
  schedule:string
PUT P/schedules/update/{code} 2.0.1+ 200 W Schedule !10077
  schedule:string warningType:WarningType?=NONE warningGroupId:int? failureStrategy:FailureStrategy?=END
  workerGroup:string?=default tenantCode:string?=default@3.2+ environmentCode:long?=-1 NOUNInstancePriority:Priority?
PUT P/schedules/{id} 2.0+ 200 W Schedule !10077
  schedule:string warningType:WarningType?=NONE warningGroupId:int?=1 failureStrategy:FailureStrategy?=END
  workerGroup:string?=default tenantCode:string?=default@3.2+ environmentCode:long?=-1
  NOUNInstancePriority:Priority?=MEDIUM
DELETE P/schedules/{id} 2.0+ 200 W null !50024
POST P/schedules/{id}/offline 2.0+ 200 W bool !10079
POST P/schedules/{id}/online 2.0+ 200 W bool !10078
# ScheduleV2
POST /v2/schedules 3.2+ 201 W Schedule !10076
  json!{NOUNDefinitionCode crontab startTime endTime timezoneId failureStrategy releaseState warningType warningGroupId
  NOUNInstancePriority workerGroup tenantCode environmentCode}
POST /v2/schedules/filter 3.2+ 200 R Page<Schedule> !10080
  json!{projectName NOUNDefinitionName releaseState pageNo pageSize}
GET /v2/schedules/{id} 3.2+ 200 R Schedule !10081
PUT /v2/schedules/{id} 3.2+ 200 W Schedule !10077
  json{crontab startTime endTime timezoneId failureStrategy releaseState warningType warningGroupId
  NOUNInstancePriority workerGroup environmentCode}
DELETE /v2/schedules/{id} 3.2+ 200 W null !50024
# WorkflowLineage
GET P/lineages/list 2.0+ 200 R WorkFlowLineage
GET P/lineages/query-by-name 2.0+ 200 R [WorkFlowRelationDetail] !10161
  workFlowName/workflowDefinitionName:string?
GET P/lineages/query-dependent-tasks 3.2.2+ 200 R [DependentLineageTask] !10161
  workFlowCode:long taskCode:long?
POST P/lineages/tasks/verify-delete 3.0.2+ 200 R null !10195
  NOUNDefinitionCode:long taskCode:long
GET P/lineages/{workFlowCode} 2.0+ 200 R WorkFlowLineage !10161
# DataAnalysis
GET /projects/analysis/command-state-count 2.0+ 200 R [CommandStateCount] !80001
GET /projects/analysis/define-user-count 2.0+ 200 R WorkflowDefinitionCountVO !50013
  projectCode:long?
GET /projects/analysis/listCommand 3.2.2+ 200 R Page<Command> !10029
  projectCode:long? pageNo:int pageSize:int
GET /projects/analysis/listErrorCommand 3.2.2+ 200 R Page<ErrorCommand> !10029
  projectCode:long? pageNo:int pageSize:int
GET /projects/analysis/queue-count 2.0+ 200 R null !90001
GET /projects/analysis/task-state-count 2.0+ 200 R TaskInstanceCountVO !50011
  startDate:string? endDate:string? projectCode:long?
GET /projects/analysis/NOUN-state-count 2.0+ 200 R WorkflowInstanceCountVO !50012
  startDate:string? endDate:string? projectCode:long?
# StatisticsV2
GET /v2/statistics/tasks/states/count 3.2+ 200 R TaskCountDto !10141
  json{isAll projectName projectCode workflowName workflowCode taskName taskCode startTime endTime}
GET /v2/statistics/tasks/{taskCode}/states/count 3.2+ 200 R TaskCountDto !10142
GET /v2/statistics/workflows/states/count 3.2+ 200 R TaskCountDto !10139
  json{isAll projectName projectCode workflowName workflowCode taskName taskCode startTime endTime}
GET /v2/statistics/workflows/users/count 3.2+ 200 R DefineUserDto !50013
  json{isAll projectName projectCode workflowName workflowCode taskName taskCode startTime endTime}
GET /v2/statistics/workflows/users/{userId}/count 3.2+ 200 R DefineUserDto !50013
GET /v2/statistics/workflows/users/{userId}/{releaseState}/count 3.2+ 200 R DefineUserDto !50013
GET /v2/statistics/{workflowCode}/states/count 3.2+ 200 R TaskCountDto !10140
# Monitor
GET /monitor/databases 2.0+ 200 R [DatabaseMetrics] !70001
GET /monitor/{nodeType} 3.2.2+ 200 R [Server] !10045
# AuditLog
GET /projects/audit/audit-log-list 3.0+ 200 R Page<AuditDto> !10057
  pageNo:int pageSize:int modelTypes:string?@3.2.2+ operationTypes:string?@3.2.2+ startDate:string? endDate:string?
  userName:string? modelName:string?@3.2.2+ resourceType:AuditResourceType?@-3.2.1
  operationType:AuditOperationType?@-3.2.1
GET /projects/audit/audit-log-model-type 3.2.2+ 200 R [AuditModelTypeDto] !10057
GET /projects/audit/audit-log-operation-type 3.2.2+ 200 R [AuditOperationTypeDto] !10057
# Users
POST /users/activate 2.0+ 200 W User !10092
  userName:string
GET /users/authed-user 2.0+ 200 R [User] !10102
  alertgroupId:int
POST /users/batch/activate 2.0+ 200 W UsersBatchActivateResult !10092
  json[userName]
POST /users/create 2.0+ 201 W User|null !10090
  userName:string userPassword:string tenantId:int queue:string?="" email:string phone:string? state:int?
POST /users/delete 2.0+ 200 W null !10093
  id:int
GET /users/get-user-info 2.0+ 200 R User !10098
POST /users/grant-datasource 2.0+ 200 W null !10097
  userId:int datasourceIds:string
POST /users/grant-namespace 3.0+ 200 W null !1300011
  userId:int namespaceIds:string
POST /users/grant-project 2.0+ 200 W null !10094
  userId:int projectIds:string
POST /users/grant-project-by-code 2.0.2+ 200 W null !10094
  userId:int projectCode:long
POST /users/grant-project-with-read-perm 3.2+ 200 W null !10094
  userId:int projectIds:string
GET /users/list 2.0+ 200 R [User] !10099
GET /users/list-all 2.0+ 200 R [User] !10099
GET /users/list-paging 2.0+ 200 R Page<User> !10091
  pageNo:int pageSize:int searchVal:string?
POST /users/register 2.0+ 200 X User|null !10090
  userName:string userPassword:string repeatPassword:string email:string
POST /users/revoke-project 2.0.2+ 200 W null !10182
  userId:int projectCode:long
POST /users/revoke-project-by-id 3.2+ 200 W null !10182
  userId:int projectIds:string
GET /users/unauth-user 2.0+ 200 R [User] !10101
  alertgroupId:int
POST /users/update 2.0+ 200 W User !10092
  id:int userName:string userPassword:string queue:string?="" email:string tenantId:int phone:string? state:int?
  timeZone:string?@3.0+
GET /users/verify-user-name 2.0+ 200 R null !10100
  userName:string
# Tenant
GET /tenants 2.0+ 200 R Page<Tenant> !10085
  searchVal:string? pageNo:int pageSize:int
POST /tenants 2.0+ 201 W Tenant !10084
  tenantCode:string queueId:int description:string?
GET /tenants/list 2.0+ 200 R [Tenant] !10086
GET /tenants/verify-code 2.0+ 200 R bool !10089
  tenantCode:string
PUT /tenants/{id} 2.0+ 200 W bool !10087
  tenantCode:string queueId:int description:string?
DELETE /tenants/{id} 2.0+ 200 W bool !10088
# Queue
GET /queues 2.0+ 200 R Page<Queue> !10053
  pageNo:int searchVal:string? pageSize:int
POST /queues 2.0+ 201 W Queue !10127
  queue:string queueName:string
GET /queues/list 2.0+ 200 R [Queue] !10053
POST /queues/verify 2.0+ 200 R bool !10133
  queue:string queueName:string
PUT /queues/{id} 2.0+ 201 W Queue !10131
  queue:string queueName:string
DELETE /queues/{id} 3.2+ 200 W bool !10307
# QueueV2
GET /v2/queues 3.2+ 200 R Page<Queue> !10053
  searchVal:string? pageNo:int?=1 pageSize:int?=10
POST /v2/queues 3.2+ 201 W Queue !10127
  json!{queue queueName}
GET /v2/queues/list 3.2+ 200 R [Queue] !10053
POST /v2/queues/verify 3.2+ 200 R bool !10133
  json!{queue queueName}
PUT /v2/queues/{id} 3.2+ 201 W Queue !10131
  json!{queue queueName}
# WorkerGroup
GET /worker-groups 2.0+ 200 R Page<WorkerGroupPageDetail> !10146
  pageNo:int pageSize:int searchVal:string?
POST /worker-groups 2.0+ 200 W WorkerGroup !10136
  id:int?=0 name:string addrList:string description:string?=""@3.1+ otherParamsJson:string?=@3.1-3.2
GET /worker-groups/all 2.0+ 200 R [str] !10146
GET /worker-groups/worker-address-list 2.0+ 200 R [str] !10178
DELETE /worker-groups/{id} 2.0+ 200 W null !10147
# Environment
POST /environment/create 2.0+ 201 W int !120001
  name:string config:string description:string? workerGroups:string?
POST /environment/delete 2.0+ 200 W null !120006
  environmentCode:long
GET /environment/list-paging 2.0+ 200 R Page<EnvironmentDto> !1200010
  searchVal:string? pageSize:int pageNo:int
GET /environment/query-by-code 2.0+ 200 R EnvironmentDto !1200009
  environmentCode:long
GET /environment/query-environment-list 2.0+ 200 R [EnvironmentDto] !1200010
POST /environment/update 2.0+ 200 W Environment !120005
  code:long name:string config:string description:string? workerGroups:string?
POST /environment/verify-environment 2.0+ 200 R null !1200011
  environmentName:string
# Cluster
POST /cluster/create 3.1+ 201 W int !120020
  name:string config:string description:string?
POST /cluster/delete 3.1+ 200 W bool !120025
  clusterCode:long
GET /cluster/list-paging 3.1+ 200 R Page<ClusterDto> !1200029
  searchVal:string? pageSize:int pageNo:int
GET /cluster/query-by-code 3.1+ 200 R ClusterDto !1200028
  clusterCode:long
GET /cluster/query-cluster-list 3.1+ 200 R [ClusterDto] !1200029
POST /cluster/update 3.1+ 200 W Cluster !120024
  code:long name:string config:string description:string?
POST /cluster/verify-cluster 3.1+ 200 R bool !1200030
  clusterName:string
# K8sNamespace
GET /k8s-namespace 3.0+ 200 R Page<K8sNamespace> !1300001
  searchVal:string? pageSize:int pageNo:int
POST /k8s-namespace 3.0+ 201 W K8sNamespace !1300003
  namespace:string clusterCode:long@3.1+ k8s:string@-3.0 limitsCpu:double?@-3.2.0 limitsMemory:int?@-3.2.0
GET /k8s-namespace/authed-namespace 3.0+ 200 R [K8sNamespace] !1300013
  userId:int
GET /k8s-namespace/available-list 3.0+ 200 R [K8sNamespace] !1300018
POST /k8s-namespace/delete 3.0+ 200 W null !1300008
  id:int
GET /k8s-namespace/unauth-namespace 3.0+ 200 R [K8sNamespace] !1300012
  userId:int
POST /k8s-namespace/verify 3.0+ 200 R null !1300007
  namespace:string clusterCode:long@3.1+ k8s:string@-3.0
# DataSource
GET /datasources 2.0+ 200 R Page<DataSource> !10035
  searchVal:string? pageNo:int pageSize:int
POST /datasources 2.0+ 201 W DataSource !10033
  json{name note type host port database userName password other ...}
GET /datasources/authed-datasource 2.0+ 200 R [DataSource] !10041
  userId:int
POST /datasources/connect 2.0+ 200 R bool !10036
  json{name note type host port database userName password other ...}
GET /datasources/databases 3.2+ 200 R [ParamsOptions] !1200035
  datasourceId:int
GET /datasources/kerberos-startup-state 2.0+ 200 R bool !100001
GET /datasources/list 2.0+ 200 R [DataSource] !10035
  type:DbType
GET /datasources/tableColumns 3.0+ 200 R [ParamsOptions] !1200019
  datasourceId:int tableName:string database:string@3.2+
GET /datasources/tables 3.0+ 200 R [ParamsOptions] !1200018
  datasourceId:int database:string@3.2+
GET /datasources/unauth-datasource 2.0+ 200 R [DataSource] !10040
  userId:int
GET /datasources/verify-name 2.0+ 200 R bool !10039
  name:string
GET /datasources/{id} 2.0+ 200 R BaseDataSourceParamDTO !10035
PUT /datasources/{id} 2.0+ 200 W DataSource !10034
  json{name note type host port database userName password other ...}
DELETE /datasources/{id} 2.0+ 200 W bool !10038
GET /datasources/{id}/connect-test 2.0+ 200 R bool !10037
# Resources
GET /resources 2.0+ 200 R Page<ResourceItemVO> !10057
  fullName:string@3.2+ type:ResourceType searchVal:string? pageNo:int pageSize:int id:int@-3.1
  tenantCode:string@3.2-3.2
POST /resources 2.0+ 200 W null !10054
  type:ResourceType name:string file:file currentDir:string description:string?@-3.1 pid:int@-3.1
PUT /resources 3.2+ 200 W null !10055
  fullName:string name:string file:file? tenantCode:string?@-3.2 type:ResourceType@-3.2
DELETE /resources 3.2+ 200 W null !10058
  fullName:string tenantCode:string?@-3.2
GET /resources/base-dir 3.2+ 200 R str !20004
  type:ResourceType
POST /resources/directory 2.0+ 200 W null !10054
  type:ResourceType name:string currentDir:string description:string?@-3.1 pid:int@-3.2
GET /resources/download 3.2+ 200 R bytes !10064
  fullName:string
GET /resources/list 2.0+ 200 R ResourceComponent !10056
  type:ResourceType fullName:string@3.2-3.2
POST /resources/online-create 2.0+ 200 W null !10061
  type:ResourceType fileName:string suffix:string content:string currentDir:string description:string?@-3.1
  pid:int@-3.1
GET /resources/query-by-type 2.0+ 200 R ResourceComponent !10056
  type:ResourceType programType:ProgramType?@-3.2
PUT /resources/update-content 3.2+ 200 W null !10063
  fullName:string content:string tenantCode:string@-3.2
GET /resources/view 3.2+ 200 R FetchFileContentResponse !10060
  fullName:string skipLineNum:int limit:int tenantCode:string@-3.2
# AlertGroup
GET /alert-groups 2.0+ 200 R Page<AlertGroup> !10029
  searchVal:string? pageNo:int pageSize:int
POST /alert-groups 2.0+ 201 W AlertGroup !10027
  groupName:string description:string? alertInstanceIds:string
GET /alert-groups/list 2.0+ 200 R [AlertGroup] !10028
POST /alert-groups/query 2.0+ 200 R AlertGroup !10180
  id:int
GET /alert-groups/verify-name 2.0+ 200 R null
  groupName:string
PUT /alert-groups/{id} 2.0+ 200 W AlertGroup !10030
  groupName:string description:string? alertInstanceIds:string
DELETE /alert-groups/{id} 2.0+ 200 W bool !10031
# AlertPluginInstance
GET /alert-plugin-instances 2.0+ 200 R Page<AlertPluginInstanceVO> !110011
  searchVal:string? pageNo:int pageSize:int
POST /alert-plugin-instances 2.0+ 201 W AlertPluginInstance !110008
  pluginDefineId:int instanceName:string pluginInstanceParams:string instanceType:AlertPluginInstanceType@3.2.1-3.2
  warningType:WarningType@3.2.1-3.2
GET /alert-plugin-instances/list 2.0+ 200 R [AlertPluginInstanceVO]|null !110009
POST /alert-plugin-instances/test-send 3.2.1+ 200 X bool !110016
  pluginDefineId:int pluginInstanceParams:string
GET /alert-plugin-instances/verify-name 2.0+ 200 R null
  alertInstanceName:string
GET /alert-plugin-instances/{id} 2.0+ 200 R AlertPluginInstance !110007
PUT /alert-plugin-instances/{id} 2.0+ 200 W AlertPluginInstance !110005
  instanceName:string pluginInstanceParams:string warningType:WarningType@3.2.1-3.2
DELETE /alert-plugin-instances/{id} 2.0+ 200 W bool !110006
# UiPlugin
GET /ui-plugins/query-by-type 2.0+ 201 R [PluginDefine] !110003
  pluginType:PluginType
GET /ui-plugins/query-product-info 3.3+ 200 R ProductInfoDto !10304
GET /ui-plugins/{id} 2.0+ 201 R PluginDefine !110003
# TaskGroup
POST /task-group/close-task-group 3.0+ 201 W null !130011
  id:int?
POST /task-group/create 3.0+ 201 W TaskGroup !130008
  name:string projectCode:long?=0 description:string groupSize:int
POST /task-group/forceStart 3.0+ 201 X null !130012
  queueId:int
GET /task-group/list-paging 3.0+ 200 R Page<TaskGroup> !130010
  name:string? status:int? pageNo:int pageSize:int
POST /task-group/modifyPriority 3.0+ 201 W null !130012
  queueId:int priority:int
GET /task-group/query-list-by-group-id 3.0+ 200 R Page<TaskGroupQueue> !130013
  groupId:int?=-1 taskInstanceName:string? NOUNInstanceName:string? status:int? pageNo:int pageSize:int
GET /task-group/query-list-by-projectCode 3.0+ 200 R Page<TaskGroup> !130010
  pageNo:int projectCode:long? pageSize:int
GET /task-group/query-list-by-status 3.0+ 200 R Page<TaskGroup> !130010
  pageNo:int status:int? pageSize:int
POST /task-group/start-task-group 3.0+ 201 W null !130012
  id:int?
POST /task-group/update 3.0+ 201 W TaskGroup !130009
  id:int name:string description:string groupSize:int
# Cloud
GET /cloud/azure/datafactory/factories 3.2+ 200 R [str] !10208
GET /cloud/azure/datafactory/pipelines 3.2+ 200 R [str] !10210
  factoryName:string resourceGroupName:string
GET /cloud/azure/datafactory/resourceGroups 3.2+ 200 R [str] !10209
# DynamicTaskType
GET /dynamic/taskCategories 3.2+ 200 R [str] !10200
GET /dynamic/{taskCategory}/taskTypes 3.2+ 200 R [DynamicTaskInfo] !10200
# FavTask
GET /favourite/taskTypes 3.1+ 200 R [FavTaskDto] !10200
POST /favourite/{taskType} 3.1+ 200 W bool !10200
DELETE /favourite/{taskType} 3.1+ 200 W bool !10200
# Legacy
GET /alert-groups/normal-list 3.2.1-3.2 200 R [AlertGroup] !10028
GET /data-quality/getDatasourceOptionsById 3.0-3.2 200 R [ParamsOptions] !1200017
  datasourceId:int
GET /data-quality/getRuleFormCreateJson 3.0-3.2 200 R str !1200012
  ruleId:int
GET /data-quality/result/page 3.0-3.2 200 R Page<DqExecuteResult> !1200016
  searchVal:string? ruleType:int? state:int? startDate:string? endDate:string? pageNo:int pageSize:int
GET /data-quality/rule/page 3.0-3.2 200 R Page<DqRule> !1200013
  searchVal:string? ruleType:int? startDate:string? endDate:string? pageNo:int pageSize:int
GET /data-quality/ruleList 3.0-3.2 200 R [DqRule] !1200014
ANY /error 3.0-3.4.0 200 W null
PUT /k8s-namespace/{id} 3.0-3.2.0 201 W null !1300004
  userName:string? tag:string? limitsCpu:double? limitsMemory:int?
GET /monitor/masters 2.0-3.2.1 200 R [Server] !10045
GET /monitor/workers 2.0-3.2.1 200 R [Server] !10044
GET P/executors/query-executing-workflow 3.0-3.2 200 R WorkflowExecuteDto !10192
  id:int
POST P/executors/start-check 2.0-3.2 200 R null !50016
  processDefinitionCode:long
POST P/process-definition/batch-export 2.0-3.2 200 R bytes
  codes:string
POST P/process-definition/empty 2.0.1-3.2.0 200 W WorkflowDefinition !10105
  name:string description:string? globalParams:string?=[] timeout:int?=0 scheduleJson:string?
  executionType:ProcessExecutionTypeEnum?=PARALLEL@3.0+ tenantCode:string@-3.1
POST P/process-definition/import 2.0-3.2 200 X null !50029
  file:file
PUT P/process-definition/{code}/basic-info 2.0.1-3.2.0 200 W WorkflowDefinition !10107
  name:string description:string? globalParams:string?=[] timeout:int?=0 scheduleJson:string?
  otherParamsJson:string?@3.1+ executionType:ProcessExecutionTypeEnum?=PARALLEL@3.0+
  releaseState:ReleaseState?=OFFLINE tenantCode:string@-3.1
POST P/process-definition/{code}/release-workflow 2.0.1-3.2.0 200 W null !10108
  releaseState:ReleaseState?=OFFLINE
POST P/process-task-relation/move 2.0.1-2.0.3 200 W null
  processDefinitionCode:long targetProcessDefinitionCode:long taskCode:long
GET P/task-definition 2.0-3.2 200 R Page<TaskDefinition> !50044
  searchTaskName:string?@3.0+ taskType:string? taskExecuteType:TaskExecuteType?=BATCH@3.1+ pageNo:int pageSize:int
  searchVal:string?@-2.0 userId:int?=0@-2.0 searchWorkflowName:string?@3.0-3.1
POST P/task-definition 2.0-3.2 201 W dict[str,int] !50037
  taskDefinitionJson:string
POST P/task-definition/save-single 3.0-3.2 201 W TaskDefinition !50037
  processDefinitionCode:long taskDefinitionJsonObj:string upstreamCodes:string?
DELETE P/task-definition/{code} 2.0-3.2 200 W null !50042
PUT P/task-definition/{code} 2.0-3.2 200 W int !50038
  taskDefinitionJsonObj:string
DELETE P/task-instances/{id}/remove-cache 3.2-3.2 200 W null !20019
POST P/workflow-definition/batch-export 3.3-3.4.0 200 R bytes
  codes:string
POST P/workflow-definition/import 3.3-3.4.0 200 X null !50029
  file:file
GET /resources/authed-file 2.0-3.2.0 201 R [Resource] !10072
  userId:int
GET /resources/authed-resource-tree 2.0-3.2.0 201 R [ResourceComponent] !10073
  userId:int
GET /resources/authed-udf-func 2.0-3.2.1 201 R [UdfFunc] !10075
  userId:int
DELETE /resources/data-transfer 3.2-3.2 200 W null !10058
  days:int
GET /resources/query-file-name 3.2-3.2 200 R ResourceItemVO !20004
  fileName:string? tenantCode:string? type:ResourceType
GET /resources/query-full-name 3.2-3.2.1 200 R ResourceItemVO !20004
  type:ResourceType fullName:string tenantCode:string
GET /resources/udf-func 2.0-3.2 200 R Page<UdfFunc> !10068
  pageNo:int searchVal:string? pageSize:int
POST /resources/udf-func 3.2-3.2 201 W UdfFunc !10065
  type:UdfType funcName:string className:string fullName:string argTypes:string? database:string? description:string?
GET /resources/udf-func/list 2.0-3.2 200 R [UdfFunc] !10069
  type:UdfType
GET /resources/udf-func/verify-name 2.0-3.2 200 R null !10070
  name:string
DELETE /resources/udf-func/{id} 2.0-3.2 200 W null !10071
PUT /resources/udf-func/{id} 3.2-3.2 200 W UdfFunc !10067
  type:UdfType funcName:string className:string argTypes:string? database:string? description:string? fullName:string
GET /resources/unauth-udf-func 2.0-3.2.1 201 R [UdfFunc] !10074
  userId:int
GET /resources/verify-name 2.0-3.2 200 R null !10059
  fullName:string type:ResourceType
DELETE /resources/{id} 2.0-3.1 200 W null !10058
GET /resources/{id} 2.0-3.1 200 R Resource !20004
  fullName:string? type:ResourceType
PUT /resources/{id} 2.0-3.1 200 W Resource !10055
  type:ResourceType name:string description:string? file:file?
GET /resources/{id}/download 2.0-3.1 200 R bytes !10064
GET /resources/{id}/query 3.0-3.1 200 R Resource !20004
GET /resources/{id}/udf-func 2.0-3.2 200 R UdfFunc !10066
POST /resources/{resourceId}/udf-func 2.0-3.1 201 W UdfFunc !10065
  type:UdfType funcName:string className:string argTypes:string? database:string? description:string?
PUT /resources/{resourceId}/udf-func/{id} 2.0-3.1 200 W UdfFunc !10067
  type:UdfType funcName:string className:string argTypes:string? database:string? description:string?
PUT /resources/{id}/update-content 2.0-3.1 200 W null !10063
  content:string
GET /resources/{id}/view 2.0-3.1 200 R FetchFileContentResponse !10060
  skipLineNum:int limit:int
POST /users/grant-file 2.0-3.2.0 200 W null !10095
  userId:int resourceIds:string
POST /users/grant-udf-func 2.0-3.2 200 W null !10096
  userId:int udfIds:string
GET /v2/statistics/workflows/count 3.2-3.2.0 200 R TaskCountDto !10138
POST /v2/tasks 3.2-3.2 201 W TaskDefinition !50037
  json!{workflowCode name description projectCode taskType taskParams flag taskPriority workerGroup environmentCode
  failRetryTimes failRetryInterval timeout timeoutFlag timeoutNotifyStrategy resourceIds taskGroupId taskGroupPriority
  cpuQuota memoryMax upstreamTasksCodes}
DELETE /v2/tasks/{code} 3.2-3.2 200 W null !50024
PUT /v2/tasks/{code} 3.2-3.2 200 W TaskDefinition !50038
  json{workflowCode name description taskType taskParams flag taskPriority workerGroup environmentCode failRetryTimes
  failRetryInterval timeout timeoutFlag timeoutNotifyStrategy resourceIds taskGroupId taskGroupPriority cpuQuota
  memoryMax upstreamTasksCodes}
]==]

--- A version as one number, to compare: "3.2.1" → 30201; a missing last part is
-- 0, or 99 at the end of a range.
local function number_of(version, last_part)
  local major, minor, patch = version:match "^(%d+)%.(%d+)%.?(%d*)"
  return major * 10000 + minor * 100 + (patch ~= "" and tonumber(patch) or last_part)
end

--- Has a server of this version what has this range?
-- @tparam table range {since, upto}, each a version or nil
function _M.has(range, version)
  local number = number_of(version, 0)
  return (not range.since or number >= number_of(range.since, 0))
    and (not range.upto or number <= number_of(range.upto, 99))
end

--- "3.1+", "-3.2", "3.0-3.2.0" into `since` and `upto`; all versions begin
-- with 2.0.
local function read_range(text, range)
  local since, upto = text:match "^([%d.]*)[+-]([%d.]*)$"
  range.since = since ~= "" and since ~= "2.0" and since or nil
  range.upto = upto ~= "" and upto or nil
  return range
end

local function in_both(text)
  local old, new = text:match "^(.+)/(.+)$"
  if not old then
    old, new = text:gsub("NOUN", "process"), text:gsub("NOUN", "workflow")
  end
  return old, new
end

local function read_param(text)
  local name, kind, optional, default, range = text:match "^([%w_/]+):([%w%[%]]+)(%??)=?([^@]*)@?(.*)$"
  local param = { type = kind, optional = optional == "?", default = default ~= "" and default or nil }
  param.old, param.name = in_both(name)
  return range ~= "" and read_range(range, param) or param
end

local function read_body(row, body)
  local open, members = body:match "([{%[])(.*)[}%]]$"
  row.body = open == "{" and "json" or "list"
  for word in members:gmatch "%S+" do
    if word == "..." then
      row.body_open = true
    else
      local param = { type = "json", optional = true }
      param.old, param.name = in_both(word)
      row.params[#row.params + 1] = param
    end
  end
end

local function read_params(row, text)
  local strict, rest = text:match "^json(!?)(.*)$"
  row.json = strict == "!" or nil
  if rest and rest:find "^[{%[]" then
    return read_body(row, rest)
  end
  for word in (rest or text):gmatch "%S+" do
    row.params[#row.params + 1] = read_param(word)
  end
end

local function read_head(line, controller)
  local method, path, range, status, kind, result, code =
    line:match "^(%u+) (%S+) (%S+) (%d+) (%S+) (%S+) ?!?(%d*)$"
  path = path:gsub("^P/", "/projects/{projectCode}/")
  local row = {
    controller = controller,
    method = method,
    path = path:gsub("NOUN", "workflow"),
    old = path:gsub("NOUN", "process"),
    status = tonumber(status),
    kind = kind,
    result = result,
    error = tonumber(code),
    params = {},
  }
  return read_range(range, row)
end

--- Reads the text above.
-- @treturn table array of {controller, method, path, old (path up to 3.2),
--   since, upto, status, kind, result, error, body ("json", "list" or nil),
--   body_open, json (must it say so?), params = {{name, old, type, optional,
--   default, since, upto}}}
function _M.rows()
  local rows, controller, params = {}, nil, nil
  for line in (TEXT .. "#\n"):gmatch "([^\n]+)\n" do
    local more = line:match "^  (.*)"
    if more then
      params = params .. " " .. more
    else
      if params then
        read_params(rows[#rows], params:sub(2))
      end
      params = nil
      if line:sub(1, 1) == "#" then
        controller = line:sub(3)
      else
        rows[#rows + 1], params = read_head(line, controller), ""
      end
    end
  end
  return rows
end

return _M
