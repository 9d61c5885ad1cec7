"""Figures about a server in Prometheus' form."""

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counters of one server; every server has its own.

    Args:
        waiting: function without arguments: how many requests wait for the model.
    """

    def __init__(self, waiting):
        registry = self._registry = CollectorRegistry()
        self._requests = Counter(
            "kerasseg_requests",
            "Pictures sent (/predict, infer) by status of the answer",
            ["status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "kerasseg_seconds",
            "Time of answered requests by stage",
            ["stage"],
            buckets=SECONDS,
            registry=registry,
        )
        self._batches = Histogram(
            "kerasseg_batch_size",
            "Images that went through the model together",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=registry,
        )
        gauge = Gauge("kerasseg_waiting", "Requests in the queue", registry=registry)
        gauge.set_function(waiting)

    def count_answer(self, status, seconds):
        """Count a request: its status, and a dict of seconds by stage."""
        self._requests.labels(status).inc()
        for stage, value in seconds.items():
            self._seconds.labels(stage).observe(value)

    def count_batch(self, size):
        """Count one pass of the model."""
        self._batches.observe(size)

    def text(self):
        """(bytes, media type) for Prometheus."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
