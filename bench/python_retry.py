"""The peer for the policy of repeats: what urllib3's Retry does after a failure
that is repeated. Prints the CPU time of one in ns.

    python3 bench/python_retry.py COUNT
"""
import sys
import time

from urllib3.response import HTTPResponse
from urllib3.util.retry import Retry

count = int(sys.argv[1])
retry = Retry(total=3, backoff_factor=0.5, status_forcelist=[429, 500, 502, 503, 504])
response = HTTPResponse(status=503)

started = time.process_time()
for _ in range(count):
    if retry.is_retry("GET", 503):
        retry.increment("GET", "/", response=response).get_backoff_time()
print("%.2f" % ((time.process_time() - started) / count * 1e9))
