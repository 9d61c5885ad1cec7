"""The server on a socket: answers, limits, hostile clients, draining."""

import contextlib
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import cv2
import numpy as np
import pytest

from kerasseg import images

pytest.importorskip("starlette")
pytest.importorskip("prometheus_client")
pytest.importorskip("uvicorn")
from kerasseg.serving import app, server

TIMEOUT_S = 0.5


class Bright:
    """Segmenter that finds bright pixels; black images take long, 13 is bad luck."""

    no_cut_out = None

    def __init__(self):
        self.batches = []

    def about(self):
        return {"model": "bright"}

    def read(self, data):
        return images.read_image(data, max_pixels=10_000)

    def most_together(self, image):
        return 8

    def segment(self, several):
        self.batches.append(len(several))
        if any((image == 13).all() for image in several):
            raise RuntimeError("secret of the machine")
        if any((image == 0).all() for image in several):
            time.sleep(4 * TIMEOUT_S)
        return [image[..., 0] > 127 for image in several]

    def opacities(self, several):
        return [np.full(image.shape[:2], 0.5) for image in several]

    def answer(self, image, found, kind):
        return json.dumps({"kind": kind, "bright": int(found.sum())}).encode()


@contextlib.contextmanager
def serving_at(segmenter, **limits):
    """The port of a server in a thread."""
    limits = app.Limits(timeout_s=TIMEOUT_S, max_bytes=50_000, **limits)
    running = server.make(segmenter, "127.0.0.1", limits)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not running.started:
                time.sleep(0.01)
            yield listening.getsockname()[1]
        finally:
            running.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def port():
    with serving_at(Bright()) as found:
        yield found


def png(value=200, size=(8, 10)):
    return cv2.imencode(".png", np.full([*size, 3], value, "uint8"))[1].tobytes()


def ask(port, body=b"", method="POST", path="/predict", raw=False, **headers):
    """(status, content) of one request; content is parsed where it is JSON.

    With `raw`: (status, bytes, headers).
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {key.replace("_", "-"): value for key, value in headers.items()}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if raw:
        return answer.status, content, {k.lower(): v for k, v in answer.getheaders()}
    content = content.decode()
    is_json = answer.getheader("content-type") == "application/json"
    return answer.status, json.loads(content) if is_json else content


def send(port, text):
    """All that the server says to bytes that need not be HTTP."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(text)
        parts = []
        while part := connection.recv(1 << 16):
            parts.append(part)
    return b"".join(parts)


def test_a_picture_is_answered_as_asked(port):
    assert ask(port, png()) == (200, {"kind": "json", "bright": 80})
    status, text = ask(port, png(), Accept="image/png")
    assert status == 200 and json.loads(text)["kind"] == "mask"
    status, text = ask(port, png(), path="/predict?answer=overlay")
    assert json.loads(text)["kind"] == "overlay"
    status, text = ask(port, png(), path="/predict?answer=cutout")
    assert json.loads(text) == {"kind": "cutout", "bright": 40}  # half of 80, soft


@pytest.mark.parametrize(
    "status, words, request_",
    [
        (400, "not empty", {}),
        (400, "image file", {"body": b"hello"}),
        (400, "complete PNG", {"body": png()[:-20]}),
        (400, "at most 10000 pixels", {"body": png(size=(200, 60))}),
        (400, "json, mask, overlay", {"body": png(), "path": "/predict?answer=x"}),
        (413, "at most 50000 bytes", {"body": b"x" * 50_001}),
        (413, "at most 50000 bytes", {"body": iter([b"x" * 30_000] * 2)}),
        (415, "--data-binary", {"body": b"{}", "Content_Type": "application/json"}),
        (405, "GET is not for", {"method": "GET"}),
        (404, "/metadata", {"path": "/../etc/passwd"}),
    ],
)
def test_bad_requests_are_answered_with_words(port, status, words, request_):
    found, content = ask(port, **request_)
    assert found == status and words in content["error"]
    assert ask(port, png())[0] == 200  # nothing was harmed


def test_other_hosts_are_refused_to_foreign_web_pages(port):
    for foreign in ("evil.example", "localhost.evil.example:80", "[::1", "::1", ""):
        status, content = ask(port, png(), Host=foreign)
        assert status == 400 and repr(foreign) in content["error"]
    for own in ("localhost:80", "LocalHost", "127.0.0.1", "[::1]:8000"):
        assert ask(port, png(), Host=own)[0] == 200


def test_what_is_no_http_is_refused(port):
    assert send(port, b"\x16\x03\x01 hello\r\n\r\n").startswith(b"HTTP/1.1 400")
    long = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000
    with contextlib.suppress(ConnectionError):  # it need not listen to the end
        assert send(port, long).startswith(b"HTTP/1.1 400")
    less = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n"
    assert send(port, less).startswith(b"HTTP/1.1 400")


def test_a_file_that_does_not_arrive_is_given_up(port):
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n"
    begin = time.monotonic()
    answer = send(port, head + b"slow")
    assert answer.startswith(b"HTTP/1.1 408") and b"Received: 4 bytes" in answer
    assert TIMEOUT_S <= time.monotonic() - begin < 10 * TIMEOUT_S


def test_clients_that_leave_in_the_middle_are_counted():
    with serving_at(Bright()) as port:
        head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(head + b"half")
        end = time.monotonic() + 10
        while 'status="499"} 1.0' not in ask(port, method="GET", path="/metrics")[1]:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_an_error_of_the_model_is_no_end_and_tells_no_secret(port, caplog):
    status, content = ask(port, png(13))
    assert status == 500 and "secret" not in content["error"]
    assert "secret of the machine" in caplog.text  # for who runs the server
    assert ask(port, png())[0] == 200


def test_waiting_requests_go_together_and_those_above_the_limit_are_told():
    bright = Bright()
    with serving_at(bright, max_requests=3) as port:
        found = []
        slow = threading.Thread(target=lambda: found.append(ask(port, png(0))))
        slow.start()
        time.sleep(0.2 * TIMEOUT_S)
        others = [
            threading.Thread(target=lambda: found.append(ask(port, png())))
            for _ in range(6)
        ]
        for thread in others:
            thread.start()
        for thread in (slow, *others):
            thread.join()
        # The slow one holds the model for longer than all may wait.
        assert [status for status, _ in found] == [503] * 7
        reasons = " ".join(content["error"] for _, content in found)
        assert reasons.count("under way") == 4 and reasons.count("no answer") == 3
        time.sleep(5 * TIMEOUT_S)
        assert ask(port, png())[0] == 200
        assert bright.batches == [1, 1]  # those that gave up cost the model nothing
        figures = ask(port, method="GET", path="/metrics")[1]
        assert 'kerasseg_requests_total{status="503"} 7.0' in figures
        assert 'kerasseg_seconds_count{stage="segment"} 1.0' in figures


def test_requests_that_come_together_go_through_the_model_together():
    bright = Bright()
    with serving_at(bright) as port:
        threads = [threading.Thread(target=ask, args=(port, png())) for _ in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(bright.batches) == 24 and max(bright.batches) <= 8


@pytest.mark.slow
def test_the_command_serves_weights_and_drains_at_sigterm(tmp_path):
    command = [sys.executable, "-m", "kerasseg", "serve", "shapes", "--port", "0"]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    child = subprocess.Popen(command, cwd=tmp_path, **options)
    try:
        port = int(re.search(r":(\d+)/predict", child.stdout.readline())[1])
        assert ask(port, method="GET", path="/health")[1]["status"] == "ready"
        about = ask(port, method="GET", path="/metadata")[1]
        assert about["classes"][1]["name"] == "disc" and about["timeout_s"] == 30
        found = []
        image = png(90, (512, 512))
        threads = [
            threading.Thread(target=lambda: found.append(ask(port, image)[0]))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        while not ask(port, method="GET", path="/health")[1]["waiting"]:
            time.sleep(0.01)
        child.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join()
        assert found == [200] * 4
        assert child.wait(timeout=30) == -signal.SIGTERM
        assert not child.stderr.read()
    finally:
        child.kill()
        child.communicate()


def test_an_address_that_is_taken_is_an_error_in_words(port):
    with pytest.raises(OSError, match=r"[Aa]ddress already in use"):
        server.run(Bright(), "127.0.0.1", port)
