"""The peer for the metrics: Prometheus' own library for Python. Prints the CPU
time in ns of one call that is recorded, or of one series that is written.

    python3 bench/python_metrics.py record|text COUNT
"""
import os
import sys
import time

# dsclient has no such samples either
os.environ["PROMETHEUS_DISABLE_CREATED_SERIES"] = "true"

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest  # noqa: E402

OPERATIONS = 100
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

what, count = sys.argv[1], int(sys.argv[2])
registry = CollectorRegistry()


def counter(name, *labels):
    return Counter(name, name, labels, registry=registry)


calls = counter("dsclient_calls", "operation", "outcome")
durations = Histogram("dsclient_call_duration_seconds", "d", ["operation"], registry=registry, buckets=BOUNDS)
attempts = counter("dsclient_attempts", "operation", "result")
look_ups = counter("dsclient_cache_requests", "operation", "result")
received = counter("dsclient_received_bytes", "operation")
sent = counter("dsclient_sent_bytes", "operation")


# The same series as bench/core.c has.
for number in range(OPERATIONS):
    operation = "instances.list %03d" % number
    for outcome in ("ok", "network", "cached"):
        calls.labels(operation, outcome).inc()
    durations.labels(operation).observe(0.03)
    for result in ("ok", "network"):
        attempts.labels(operation, result).inc()
    for result in ("hit", "miss"):
        look_ups.labels(operation, result).inc()
    received.labels(operation).inc(1400)
    sent.labels(operation).inc(200)


def record():
    """A call and its attempt, with the labels bound beforehand."""
    ok = calls.labels("instances.list 000", "ok")
    attempt = attempts.labels("instances.list 000", "ok")
    children = received.labels("instances.list 000"), sent.labels("instances.list 000")
    duration = durations.labels("instances.list 000")
    for i in range(count):
        attempt.inc()
        children[0].inc(1400)
        children[1].inc(200)
        ok.inc()
        duration.observe(0.03 + (i & 1023) * 1e-6)
    return count


def text():
    lines = generate_latest(registry).splitlines()
    series = sum(1 for line in lines if not line.startswith(b"#"))
    rounds = (count + series - 1) // series
    for _ in range(rounds - 1):
        generate_latest(registry)
    return rounds * series


run = {"record": record, "text": text}[what]
started = time.process_time()
done = run()
print("%.2f" % ((time.process_time() - started) / done * 1e9))
