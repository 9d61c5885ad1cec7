"""The process that serves: socket, uvicorn, signals."""

import math
import socket

try:
    import prometheus_client  # noqa: F401
    import starlette  # noqa: F401
    import uvicorn
except ImportError as error:
    raise ImportError(
        "`kerasseg serve` needs starlette, uvicorn and prometheus-client: "
        "pip install 'kerasseg[serve]'."
    ) from error

from kerasseg.serving import app

LOCAL = ("127.0.0.1", "localhost", "::1")
MOST_CONNECTIONS = 1000  # idle ones, too


def run(segmenter, host, port, limits=None, on_start=None):
    """Serve until SIGTERM or SIGINT; see `serving.launch`."""
    limits = limits or app.Limits()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # A socket of our own: uvicorn would end the process where the address is taken.
    with socket.create_server((host, port), family=family, backlog=1024) as listening:
        # asyncio sets it only where a socket names its protocol; without, an answer
        # of two packets takes 40 ms more. Connections inherit it.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = make(segmenter, host, limits)
        shown = f"[{host}]" if ":" in host else host
        if on_start:
            on_start(f"http://{shown}:{listening.getsockname()[1]}")
        server.run(sockets=[listening])


def make(segmenter, host, limits):
    """uvicorn.Server of a model; requests under way have their time to end."""
    hosts = LOCAL if host in LOCAL else ["*"]
    config = uvicorn.Config(
        app.make(segmenter, limits, hosts),
        access_log=False,
        log_level="warning",
        server_header=False,
        lifespan="off",
        timeout_keep_alive=math.ceil(min(limits.timeout_s, 30)),
        timeout_graceful_shutdown=math.ceil(2 * limits.timeout_s),
        limit_concurrency=MOST_CONNECTIONS,
    )
    return uvicorn.Server(config)
