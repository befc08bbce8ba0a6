"""The peer for the cache in Python: cachetools. Prints the CPU time in ns of one
hit, or of one set that evicts, their keys made of two arguments.

    python3 bench/python_cache.py hit|set COUNT
"""
import sys
import time

from cachetools import TTLCache

CAPACITY, HITS = 1000, 100

what, count = sys.argv[1], int(sys.argv[2])
cache = TTLCache(maxsize=CAPACITY, ttl=3600)
numbers = range(HITS if what == "hit" else 2 * CAPACITY)
args = [("%015d" % number, "a b") for number in numbers]
value = []


def hit():
    for i in range(count):
        project, search = args[i % len(args)]
        if cache.get(f"workflows.list:{project}:{search}") is None:
            sys.exit("a miss")


def put():
    for i in range(count):
        project, search = args[i % len(args)]
        cache[f"workflows.list:{project}:{search}"] = value


for project, search in args:
    cache[f"workflows.list:{project}:{search}"] = value
started = time.process_time()
(hit if what == "hit" else put)()
print("%.2f" % ((time.process_time() - started) / count * 1e9))
