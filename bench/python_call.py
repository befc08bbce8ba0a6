"""The peers in Python: a requests session with urllib3's Retry, as monitoring
scripts write it, and aiohttp. Prints the CPU time of one call in µs, and how
many there were in a second.

    python3 bench/python_call.py requests|aiohttp URL COUNT [AT_ONCE]
"""
import sys
import time


def timed(run, count):
    """run(n) makes n calls."""
    cpu, began = time.process_time(), time.monotonic()
    run(count)
    cpu, began = time.process_time() - cpu, time.monotonic() - began
    print("%.3f %.1f" % (cpu / count * 1e6, count / began))


def with_requests(url, count, at_once):
    from concurrent.futures import ThreadPoolExecutor

    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util.retry import Retry

    session = requests.Session()
    session.headers["token"] = "x"
    retry = Retry(total=3, backoff_factor=0.5, status_forcelist=[429, 500, 502, 503, 504])
    session.mount("http://", HTTPAdapter(pool_connections=10, pool_maxsize=20, max_retries=retry))

    def call(_):
        answer = session.get(url, timeout=10)
        answer.raise_for_status()
        return answer.json()

    if at_once == 1:
        def run(calls):
            for number in range(calls):
                call(number)
    else:
        threads = ThreadPoolExecutor(at_once)

        def run(calls):
            for _ in threads.map(call, range(calls)):
                pass

    run(2 * at_once)
    timed(run, count)


def with_aiohttp(url, count, at_once):
    import asyncio

    import aiohttp

    async def worker(session, numbers):
        for _ in numbers:
            async with session.get(url) as answer:
                answer.raise_for_status()
                await answer.json()

    async def calls(session, number):
        numbers = iter(range(number))  # shared: each takes the next one
        await asyncio.gather(*(worker(session, numbers) for _ in range(at_once)))

    loop = asyncio.new_event_loop()

    async def session_of():
        return aiohttp.ClientSession(headers={"token": "x"}, connector=aiohttp.TCPConnector(limit=at_once))

    session = loop.run_until_complete(session_of())

    def run(number):
        loop.run_until_complete(calls(session, number))

    run(2 * at_once)
    timed(run, count)
    loop.run_until_complete(session.close())


way = {"requests": with_requests, "aiohttp": with_aiohttp}[sys.argv[1]]
way(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 1)
