"""One check of all projects as it is written without any optimisation: a
request, and a connection, for each list. Prints a line of JSON: calls, time_s,
cpu_s, failed (the ids of the failed runs).

    python3 bench/python_check.py URL TOKEN
"""
import json
import sys
import time

import requests

base, token = sys.argv[1:]
calls = 0


def rows(path, **params):
    global calls
    calls += 1
    params.update(pageNo=1, pageSize=100)
    answer = requests.get(base + path, params=params, headers={"token": token}, timeout=10)
    answer.raise_for_status()
    return answer.json()["data"]["totalList"]


started, cpu = time.monotonic(), time.process_time()
failed = []
for project in rows("/projects"):
    path = "/projects/%d/" % project["code"]
    for workflow in rows(path + "process-definition"):
        for run in rows(path + "process-instances", processDefineCode=workflow["code"]):
            if run["state"] == "FAILURE":
                failed.append(run["id"])
print(json.dumps({
    "calls": calls,
    "time_s": time.monotonic() - started,
    "cpu_s": time.process_time() - cpu,
    "failed": failed,
}))
