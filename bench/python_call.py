"""The peer for the cost of a call: a requests session with urllib3's Retry, as
monitoring scripts write it. Prints the CPU time of one call in µs.

    python3 bench/python_call.py URL COUNT
"""
import sys
import time

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

url, count = sys.argv[1], int(sys.argv[2])
session = requests.Session()
session.headers["token"] = "x"
retry = Retry(total=3, backoff_factor=0.5, status_forcelist=[429, 500, 502, 503, 504])
session.mount("http://", HTTPAdapter(pool_connections=10, pool_maxsize=20, max_retries=retry))


def call():
    return session.get(url, params={"pageNo": 1, "pageSize": 200}, timeout=10).json()


call()
started = time.process_time()
for _ in range(count):
    call()
print("%.2f" % ((time.process_time() - started) / count * 1e6))
