"""Load on `kerasseg serve`: throughput, latency, memory, draining.

Needs pip install 'kerasseg[serve]'. It starts a server of its own on loopback.
Run: python -m benchmarks.serving [NAME] [--clients 1 8 64] [--requests 400]
     [--many 3000]
"""

import argparse
import http.client
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import threading
import time

import cv2
import skimage.data

from benchmarks.record import record, recorded

SIDES = (256, 192)  # two sizes in turn: not all fit into one batch


def start(name):
    """(process, port) of a server."""
    command = [sys.executable, "-m", "kerasseg", "serve", name, "--port", "0"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    line = child.stdout.readline()
    return child, int(re.search(r":(\d+)/", line)[1])


def photos():
    """JPEG files of the same photograph."""
    picture = skimage.data.astronaut()[..., ::-1]
    small = [cv2.resize(picture, (n, n), interpolation=cv2.INTER_AREA) for n in SIDES]
    return [cv2.imencode(".jpg", one)[1].tobytes() for one in small]


def ask(port, files, num, seconds, statuses):
    """One client: `num` requests on one connection, one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    for index in range(num):
        begin = time.perf_counter()
        body = files[index % len(files)]
        connection.request("POST", "/predict?answer=mask", body)
        answer = connection.getresponse()
        answer.read()
        seconds.append(time.perf_counter() - begin)
        statuses.append(answer.status)
    connection.close()


def load(port, clients, requests):
    """Figures of so many clients at once; waits for all."""
    files, seconds, statuses = photos(), [], []
    each = max(1, requests // clients)
    threads = [
        threading.Thread(target=ask, args=(port, files, each, seconds, statuses))
        for _ in range(clients)
    ]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - begin
    cuts = statistics.quantiles(seconds, n=100)
    return {
        "requests": len(statuses),
        "refused": sum(status != 200 for status in statuses),
        "lost": each * clients - len(statuses),
        "images_per_second": len(statuses) / wall,
        "p50_ms": 1e3 * cuts[49],
        "p99_ms": 1e3 * cuts[98],
    }


def memory_mb(pid):
    """Resident memory of a process."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024


def drained(child, port):
    """Statuses of eight requests that are under way when SIGTERM comes."""
    files, seconds, statuses = photos(), [], []
    threads = [
        threading.Thread(target=ask, args=(port, files, 1, seconds, statuses))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.02)
    child.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    return {"statuses": sorted(statuses), "exit": child.wait(timeout=60)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", default="people")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--many", type=int, default=3000, help="for the memory")
    options = parser.parse_args()
    child, port = start(options.name)
    result = {}
    try:
        load(port, 1, 20)
        for clients in options.clients:
            key = f"{clients} clients"
            result[key] = load(port, clients, options.requests)
            print(key, result[key], flush=True)
        memory = [memory_mb(child.pid)]
        for _ in range(4):
            load(port, 8, options.many // 4)
            memory.append(memory_mb(child.pid))
        result["memory_mb"] = {"requests": options.many, "by quarter": memory}
        print(result["memory_mb"])
        result["SIGTERM"] = drained(child, port)
        print(result["SIGTERM"])
    finally:
        child.kill()
    record("serving", {**recorded("serving"), options.name: result}, show=False)


if __name__ == "__main__":
    main()
