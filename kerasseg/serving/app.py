"""The HTTP interface of a model: a Starlette application."""

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import logging
import os
import time
import urllib.parse

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kerasseg.serving import file_requests, open_inference
from kerasseg.serving.batches import Batches, FullError
from kerasseg.serving.metrics import Metrics

LEFT = 499  # as nginx counts clients that did not wait for the answer
LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Limits:
    """Limits of what one client takes from the others.

    Attributes:
        max_bytes: of a file.
        timeout_s: seconds for a file to arrive, and again for its answer, in which it
            waits for others.
        max_requests: at the same time; further ones are told to come again.
    """

    max_bytes: int = 20_000_000
    timeout_s: float = 30.0
    max_requests: int = 100


class Service:
    """Endpoints of one model.

    Args:
        segmenter: `Segmenter`, or an object with its methods.
        limits: `Limits`.
    """

    def __init__(self, segmenter, limits):
        self._segmenter, self._limits = segmenter, limits
        self._running = 0
        self.metrics = Metrics(lambda: len(self._batches))
        self._batches = Batches(
            self._work,
            most_waiting=limits.max_requests,
            on_batch=self.metrics.count_batch,
        )
        # Reading and writing of files, which must not take the model's time: few at
        # once, so that few decoded images are in memory.
        workers = os.cpu_count() or 1
        self._files = concurrent.futures.ThreadPoolExecutor(workers, "files")

    def _work(self, items):
        """Results for images, pairs with whether they are to be cut out."""
        several, cut_out = [image for image, _ in items], items[0][1]
        model = self._segmenter
        return model.opacities(several) if cut_out else model.segment(several)

    def predict(self, form):
        """Endpoint that answers one picture, and counts it.

        Args:
            form: `file_requests`, or another module of its functions.
        """

        async def endpoint(request):
            seconds, status = {}, 500
            try:
                response = await self._admitted(request, form, seconds)
                status = response.status_code
                # Milliseconds, which browsers show beside the request.
                stages = (f"{k};dur={1e3 * value:.1f}" for k, value in seconds.items())
                response.headers["Server-Timing"] = ", ".join(stages)
                return response
            except HTTPException as error:
                status = error.status_code
                raise
            except ClientDisconnect:
                status = LEFT
                return Response(status_code=400)  # that nobody reads
            except Exception:  # of the model, or ours: the server must live on
                LOG.exception("a request failed")
                words = "The model could not answer; the server's log says why."
                return JSONResponse({"error": words}, 500)
            finally:
                self.metrics.count_answer(status, seconds if status == 200 else {})

        return endpoint

    async def _admitted(self, request, form, seconds):
        if self._running >= self._limits.max_requests:
            raise _busy(f"{self._running} requests are under way")
        self._running += 1
        try:
            begun = form.begin(request, self._segmenter)
            with _stage(seconds, "read"):
                data = await self._body(request)
            return await self._answer(data, form, begun, seconds)
        finally:
            self._running -= 1

    async def _body(self, request):
        """The bytes of a request, as many as are allowed, in time."""
        most, chunks, size = self._limits.max_bytes, [], 0
        if (length := request.headers.get("content-length")) and int(length) > most:
            raise _too_large(most, length)
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                async for chunk in request.stream():
                    size += len(chunk)
                    if size > most:
                        raise _too_large(most, f"{size} or more")
                    chunks.append(chunk)
        except TimeoutError as error:
            words = f"The file must arrive within {self._limits.timeout_s:g} s."
            raise HTTPException(408, f"{words} Received: {size} bytes.") from error
        return b"".join(chunks)

    async def _answer(self, data, form, begun, seconds):
        model, loop = self._segmenter, asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                with _stage(seconds, "decode"):
                    work = _read, model, form, data, begun
                    image, asked = await loop.run_in_executor(self._files, *work)
                del data, work
                with _stage(seconds, "segment"):
                    item = image, asked == "cutout"
                    group = image.shape, image.dtype, item[1]
                    most = model.most_together(image)
                    found = await self._batches(item, group, most)
                with _stage(seconds, "encode"):
                    work = form.pack, model, image, found, asked
                    answer = await loop.run_in_executor(self._files, *work)
        except FullError as error:
            raise _busy("the queue is full") from error
        except TimeoutError as error:
            raise _busy(f"no answer within {self._limits.timeout_s:g} s") from error
        except MemoryError as error:
            raise _busy("the memory does not suffice for this image") from error
        content, headers = answer
        return Response(content, headers=headers)

    async def about(self, request):
        """Description of the model, and the limits."""
        limits = dataclasses.asdict(self._limits)
        return JSONResponse({**self._segmenter.about(), **limits})

    async def healthy(self, request):
        """The process lives, and the model is loaded: it is before any request is."""
        return JSONResponse({"status": "ready", "waiting": len(self._batches)})

    async def described(self, request):
        """The model as the Open Inference Protocol describes it."""
        open_inference.check_name(request, self._segmenter)
        return JSONResponse(open_inference.describe(self._segmenter))

    async def model_ready(self, request):
        """It is before any request is."""
        open_inference.check_name(request, self._segmenter)
        return JSONResponse({"name": self._segmenter.name, "ready": True})

    async def figures(self, request):
        """For Prometheus."""
        content, media_type = self.metrics.text()
        return Response(content, media_type=media_type)


def make(segmenter, limits=None, hosts=("*",)):
    """The application of a model.

    Args:
        segmenter: `Segmenter`, or an object with its methods.
        limits: `Limits`; None for the defaults.
        hosts: names in the Host header that are answered, "*" for any.

    Returns:
        starlette.applications.Starlette.
    """
    service = Service(segmenter, limits or Limits())
    return Starlette(
        routes=[
            Route("/predict", service.predict(file_requests), methods=["POST"]),
            Route("/metadata", service.about),
            Route("/health", service.healthy),
            Route("/metrics", service.figures),
            *_open_inference_routes(service),
        ],
        middleware=[Middleware(_Hosts, hosts=tuple(hosts))],
        exception_handlers={HTTPException: _refusal},
    )


class _Hosts:
    """Refuse other names in the Host header than those of this machine.

    A foreign web page could otherwise reach a server that listens on this machine only,
    through a name of its own that stands for 127.0.0.1. (Starlette's middleware answers
    in plain text, of three words.)
    """

    def __init__(self, app, hosts):
        self._app, self._hosts = app, hosts

    async def __call__(self, scope, receive, send):
        given = Headers(scope=scope).get("host", "")
        try:
            name = urllib.parse.urlsplit(f"//{given}").hostname
        except ValueError:  # brackets that do not close
            name = None
        if "*" in self._hosts or name in self._hosts:
            return await self._app(scope, receive, send)
        words = (
            "The Host header must be a name of this machine, such as localhost, unless "
            f"the server listens at another --host. Received: {given[:100]!r}."
        )
        await JSONResponse({"error": words}, 400)(scope, receive, send)


def _open_inference_routes(service):
    infer = service.predict(open_inference)
    return [
        Route("/v2", open_inference.server),
        Route("/v2/health/live", lambda request: JSONResponse({"live": True})),
        Route("/v2/health/ready", lambda request: JSONResponse({"ready": True})),
        Route("/v2/models/{name}", service.described),
        Route("/v2/models/{name}/ready", service.model_ready),
        Route("/v2/models/{name}/infer", infer, methods=["POST"]),
    ]


def _read(model, form, data, begun):
    """The image of a request and what it asks, or the words of what is wrong."""
    data, asked = form.unpack(data, begun)
    try:
        return model.read(data), asked
    except ValueError as error:  # an `images.ImageError` is one
        raise HTTPException(400, str(error).removeprefix("<bytes>: ")) from error


def _too_large(most, size):
    words = f"A file must have at most {most} bytes. Received: {size}."
    return HTTPException(413, words, headers={"Connection": "close"})


def _busy(reason):
    words = f"Busy: {reason}. Come again, with fewer requests at the same time."
    return HTTPException(503, words, headers={"Retry-After": "1"})


def _refusal(request, error):
    words = error.detail
    if words == "Not Found":  # by Starlette
        words = "There are /predict, /metadata, /health, /metrics and those below /v2."
    if error.status_code == 405:
        form = open_inference if request.url.path.startswith("/v2") else file_requests
        words = f"{request.method} is not for {request.url.path}. {form.HOW}"
    return JSONResponse({"error": words}, error.status_code, headers=error.headers)


@contextlib.contextmanager
def _stage(seconds, name):
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start
