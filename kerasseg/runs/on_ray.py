"""Shards of many images on the processes of Ray, on one machine or on many."""

import contextlib
import json
import logging
import os
import signal
import socket

from kerasseg import machine
from kerasseg.runs.workers import Worker

WAIT_S = 10
OBJECT_STORE = 100 * 2**20  # bytes; what travels are the numbers of shards
# The flags on which results depend must be those of this process everywhere. Ray gives
# GPUs and threads to each worker itself.
FLAGS = sorted({*machine.FLAGS} - {"CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS"})


def completed(numbers, place, *, address=None, workers=None, gpus=0.0):
    """Iterate over the summaries of shards as workers complete them.

    A worker that dies is started again by Ray, and takes up its shard.

    Args:
        numbers: of the shards.
        place: arguments of `Worker`; paths are those of all machines.
        address: "HOST:6379" of the head of a cluster, or "auto" for the one that this
            machine belongs to; None for `RAY_ADDRESS`, or else processes of this
            machine, which end with this one.
        workers: number of processes; None for one for each core, or for the GPUs.
        gpus: GPUs for each of them, also a part of one.

    Raises:
        ImportError: without Ray.
        RuntimeError: if a worker cannot load the model or write the output.
        ValueError: if there is no such cluster, or it has too few GPUs.
    """
    ray = _ray()
    with _connected(ray, address, workers):
        cores, workers = _shares(ray.cluster_resources(), workers, gpus)
        rows = [{"shard": number} for number in numbers]
        # A block for each shard: all workers are busy to the end.
        shards = ray.data.from_items(rows, override_num_blocks=len(rows))
        flags = {name: os.environ[name] for name in FLAGS if name in os.environ}
        flags = {"TF_NUM_INTRAOP_THREADS": str(max(1, int(cores))), **flags}
        done = shards.map_batches(
            _Actor,
            fn_constructor_args=[place, flags],
            batch_size=1,
            num_cpus=cores,
            num_gpus=gpus,
            compute=ray.data.ActorPoolStrategy(
                size=min(workers, len(rows)), max_tasks_in_flight_per_actor=1
            ),
        )
        for row in done.iter_rows():
            summary = json.loads(row["summary"])
            if "error" in summary:
                raise RuntimeError(summary["error"])
            yield summary


class _Actor:
    """`Worker` as Ray Data calls it; the flags come before TensorFlow does.

    What ends the run is an answer, too: Ray would print pages around an exception.
    """

    def __init__(self, place, flags):
        os.environ.update(flags)
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        # Several may share a GPU, all of which the first would take.
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        self.place, self.worker = place, None

    def __call__(self, batch):
        return {"summary": [json.dumps(self._answer(int(n))) for n in batch["shard"]]}

    def _answer(self, number):
        try:
            self.worker = self.worker or Worker(**self.place)
            return self.worker(number)
        except Exception as error:
            return {"error": str(error) or type(error).__name__}


def _shares(resources, workers, gpus):
    """Cores of each worker, a part of one if need be, and the number of workers."""
    cores, there = resources.get("CPU", 1.0), resources.get("GPU", 0.0)
    if workers is None:
        workers = int(there // gpus if gpus else cores) or 1
    if gpus * workers > there:
        raise ValueError(
            f"Ray must have {gpus * workers:g} GPUs, {gpus:g} for each of the workers "
            f"({workers}). Received: {there:g}. Give fewer --workers, or "
            "--gpus-per-worker 0."
        )
    return (cores // workers if workers <= cores else cores / workers), workers


@contextlib.contextmanager
def _connected(ray, address, workers):
    """A connection to a cluster, or one of this machine alone, without a dashboard."""
    given = {"log_to_driver": False, "logging_level": logging.ERROR}
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    if address == "local":
        given |= {"include_dashboard": False, "object_store_memory": OBJECT_STORE}
    try:
        _check_address(address)
        ray.init(address, **given)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"There is no cluster of Ray at {address}. Start one: ray start --head, "
            f"and ray start --address HOST:6379 on the others. Where it asks for a "
            f"token, set RAY_AUTH_MODE=token. {error}"
        ) from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    try:
        with _stoppable():
            yield
    finally:
        ray.shutdown()


@contextlib.contextmanager
def _stoppable():
    """SIGTERM as an exception meanwhile: Ray's own handler ends in an abort."""
    try:
        before = signal.signal(signal.SIGTERM, _stop)
    except ValueError:  # not the main thread
        before = None
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _stop(number, frame):
    """End as by Ctrl-C, so that Ray's processes end, too."""
    stop = KeyboardInterrupt()
    stop.signal = number
    raise stop


def _check_address(address):
    """Raise an OSError if nobody listens there: Ray itself waits for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=WAIT_S).close()


def _ray():
    # Read on import: nothing is sent to anybody.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ImportError(
            "`--on ray` needs Ray. Install it: pip install 'kerasseg[ray]'."
        ) from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray
