"""Unit costs of `kerasseg predict --on`: CPU seconds and bytes per image, memory.

Costs are those of one core and a photograph of 1 MP, stage by stage. For the memory, a
list names three small files again and again.
Run: python -m benchmarks.many_images people vessels nuclei [--images 6]
     python -m benchmarks.many_images --on ray --list 20000 [--workers 2]
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import cv2
import numpy as np
import skimage.data

from benchmarks.record import record, recorded
from kerasseg import images
from kerasseg.predict import shards
from kerasseg.runs.workers import Worker
from kerasseg.weights import catalog

SIDE = 1000
SMALL = 32


def photo(path, side):
    """A JPEG of a photograph with this side, of quality 90 as cameras write it."""
    picture = cv2.resize(skimage.data.astronaut()[..., ::-1], (side, side))
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, 90])


def costs(name, num, place):
    """CPU seconds of the stages, and bytes read and written, per image."""
    source, out = place / "photo.jpg", place / name
    photo(source, SIDE)
    entry = catalog.entry(name)
    shards.plan([source] * num, out, {}, workers=num)
    worker = Worker(entry, None, out)
    task, options = worker.task, worker.options
    image = images.read_image(source)
    task.predict(worker.model, image, options)  # traces
    stages = {"read": [], "predict": [], "all": []}
    for number in range(num):  # one image in each shard
        begin = time.process_time()
        image = images.read_image(source)
        stages["read"].append(time.process_time() - begin)
        begin = time.process_time()
        task.predict(worker.model, image, options)
        stages["predict"].append(time.process_time() - begin)
        begin = time.process_time()
        worker(number)
        stages["all"].append(time.process_time() - begin)
    found = {f"{key}_cpu_s": float(np.median(x)) for key, x in stages.items()}
    written = bytes_of(out, "masks/*/*.png") / num
    return {**found, "file_bytes": source.stat().st_size, "mask_bytes": written}


def bytes_of(out, pattern):
    return sum(path.stat().st_size for path in out.glob(pattern))


def resident_mb(pattern=None, pid=None):
    """Memory of the processes whose command begins so, or of one, that is their own."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes().decode(errors="replace")
            if (pid and path.name == str(pid)) or (
                pattern and command.startswith(pattern)
            ):
                text = (path / "status").read_text()
                kb = {k: v for k, _, v in (x.partition(":") for x in text.splitlines())}
                found.append(int(kb["VmRSS"].split()[0]) // 1024)
        except (OSError, KeyError):  # it has ended
            continue
    return found


def memory(on, num, workers, place):
    """Seconds, and memory of the driver and the workers by quarter of a list."""
    for index in range(3):
        photo(place / f"{index}.jpg", SMALL)
    lines = "".join(f"{index % 3}.jpg\n" for index in range(num))
    (place / "list.txt").write_text(lines)
    command = [sys.executable, "-m", "kerasseg", "predict", place / "list.txt"]
    command += ["--weights", "shapes", "--out", place / "out", "--on", on]
    if on == "ray":
        command += ["--workers", str(workers)]
    begin, told, rows = time.monotonic(), 0, []
    child = subprocess.Popen([*map(str, command)])
    while child.poll() is None:
        time.sleep(1)
        done = len([*(place / "out/work").glob("*.done")])
        lists = len([*(place / "out/work").glob("*.json")])
        if lists and done * 8 // lists > told:
            told = done * 8 // lists
            row = {"done": done, "of": lists, "s": time.monotonic() - begin}
            row["driver_mb"] = resident_mb(pid=child.pid)
            row["workers_mb"] = resident_mb("ray::MapWorker")
            rows.append(row)
            print(row, flush=True)
    tables = bytes_of(place / "out", "*/*.parquet") / num
    seconds = time.monotonic() - begin
    return {"seconds": seconds, "by eighth": rows, "table_bytes_per_image": tables}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--images", type=int, default=6)
    parser.add_argument("--on", default="ray")
    parser.add_argument("--list", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    result = recorded("many_images")
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        for name in options.names:
            result[name] = costs(name, options.images, place)
            print(name, result[name], flush=True)
        if options.list:
            where = f"list of {options.list} on {options.on}"
            given = options.on, options.list, options.workers, place
            result[where] = memory(*given)
    record("many_images", result, show=False)


if __name__ == "__main__":
    main()
