"""Downloads, from a server on this machine that breaks off, lies and redirects."""

import hashlib
import http.server
import os
import re
import subprocess
import sys
import threading

import numpy as np
import pytest

from kerasseg import files
from kerasseg.weights import downloads

DATA = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(DATA).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves DATA in ways that the test chooses; remembers the ranges asked for."""

    def __init__(self, handler=None):
        super().__init__(("127.0.0.1", 0), handler or Handler)
        self.mode, self.asked, self.breaks = "whole", [], 0
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        mode, asked = self.server.mode, self.headers.get("Range")
        self.server.asked.append(asked)
        if mode == "missing":
            return self.send_error(404)
        if mode == "busy" and len(self.server.asked) < 3:
            return self.send_error(503)
        if isinstance(mode, tuple) and not self.path.startswith("/there"):
            self.send_response(302)
            self.send_header("Location", mode[1])
            return self.end_headers()
        begin = int(re.search(r"\d+", asked)[0]) if asked else 0
        data = DATA[::-1] if mode == "another" else DATA
        if mode == "no ranges":
            begin = 0
        if begin >= len(data):
            return self.send_error(416)
        length = len(data) - begin
        self.send_response(206 if begin else 200)
        if begin:
            start = 7 if mode == "wrong part" else begin
            self.send_header("Content-Range", f"bytes {start}-{len(data)}/{len(data)}")
        if mode == "too long":
            self.send_header("Content-Length", length + 1000)
        elif mode == "too short":
            self.send_header("Content-Length", length - 1000)
        elif mode != "no length":
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.server.breaks:
            self.server.breaks -= 1
            length = min(length, 100_000)
        self.wfile.write(data[begin : begin + length])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASSEG_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KERASSEG_MIRROR", raising=False)
    monkeypatch.setattr(downloads, "PAUSE_S", 0)
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def fetch(server, name="file.npz", **options):
    options = {"sha256": SHA256, "progress": lambda *_: None, **options}
    return downloads.fetch(f"{server.url}/{name}", **options)


def is_alone(path):
    return [other.name for other in path.parent.iterdir()] == [path.name]


def test_a_file_is_downloaded_once(server):
    seen = []
    path = fetch(server, folder="mine", progress=lambda *x: seen.append(x))
    assert path == files.cache_folder() / "mine" / "file.npz"
    assert path.read_bytes() == DATA and is_alone(path)
    assert seen[-1] == (len(DATA), len(DATA))
    assert fetch(server, folder="mine") == path and len(server.asked) == 1


@pytest.mark.parametrize("mode", ["whole", "no ranges", "wrong part", "no length"])
def test_a_broken_connection_goes_on(server, mode):
    server.mode, server.breaks = mode, 2
    if mode == "no length":  # the end of the connection is the end of the file
        server.breaks = 0
    if mode == "wrong part":
        with pytest.raises(downloads.DownloadError, match="another part"):
            fetch(server)
        return
    assert fetch(server).read_bytes() == DATA
    if mode == "whole":
        assert server.asked == [None, "bytes=100000-", "bytes=200000-"]


def test_what_a_killed_process_left_is_gone_on_with(server):
    folder = files.cache_folder()
    folder.mkdir()
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    (folder / f".file.npz.part-{done.pid}").write_bytes(DATA[:1234])
    path = fetch(server)
    assert path.read_bytes() == DATA and is_alone(path)
    assert server.asked == ["bytes=1234-"]


def test_what_does_not_fit_together_is_read_anew(server):
    folder = files.cache_folder()
    folder.mkdir()
    (folder / f".file.npz.part-{os.getpid()}").write_bytes(b"old" * 1000)
    path = fetch(server)
    assert path.read_bytes() == DATA and is_alone(path)
    assert server.asked == ["bytes=3000-", None]


def test_two_threads_and_a_running_process_do_not_disturb_each_other(server):
    folder = files.cache_folder()
    folder.mkdir()
    running = folder / f".file.npz.part-{os.getppid()}"
    running.write_bytes(b"theirs")
    assert fetch(server).read_bytes() == DATA
    assert running.read_bytes() == b"theirs"


@pytest.mark.parametrize(
    "mode, message",
    [
        ("another", "SHA-256 that begins"),
        ("too short", "SHA-256 that begins"),
        ("missing", "404"),
    ],
)
def test_a_wrong_answer_leaves_no_file(server, mode, message):
    server.mode = mode
    with pytest.raises(downloads.DownloadError, match=message) as caught:
        fetch(server)
    assert server.url in str(caught.value) and "KERASSEG_MIRROR" in str(caught.value)
    assert str(files.cache_folder()) in str(caught.value)
    assert not (files.cache_folder() / "file.npz").exists()


def test_another_size_than_promised_is_not_even_read(server):
    with pytest.raises(downloads.DownloadError, match="of 299999"):
        fetch(server, size=len(DATA) - 1)
    server.mode = "no length"
    with pytest.raises(downloads.DownloadError, match="more than 299999"):
        fetch(server, size=len(DATA) - 1)


def test_a_server_that_announces_more_than_it_has_is_not_waited_for(server):
    server.mode = "too long"
    assert fetch(server).read_bytes() == DATA


def test_a_busy_server_is_asked_again(server):
    server.mode = "busy"
    assert fetch(server).read_bytes() == DATA and len(server.asked) == 3


def test_redirects_are_followed_to_http_only(server, tmp_path):
    server.mode = "redirect", f"{server.url}/there"
    assert fetch(server).read_bytes() == DATA
    (tmp_path / "secret").write_bytes(DATA)
    for other in (f"file://{tmp_path}/secret", f"ftp://127.0.0.1{tmp_path}/secret"):
        server.mode = "redirect", other
        with pytest.raises(downloads.DownloadError):
            fetch(server, name="other.npz")
    for url in (f"file://{tmp_path}/secret", "ftp://127.0.0.1/secret"):
        with pytest.raises(downloads.DownloadError, match="must begin with https"):
            downloads.fetch(url)


def test_a_mirror_is_asked_instead(server, monkeypatch):
    monkeypatch.setenv("KERASSEG_MIRROR", f"{server.url}/there/")
    path = downloads.fetch("https://nowhere.invalid/a/b.npz", sha256=SHA256[:8])
    assert path.read_bytes() == DATA
    with pytest.raises(downloads.DownloadError, match=r"/there/mine/c\.npz"):
        downloads.fetch(
            "https://nowhere.invalid/c.npz", mirrored="mine/c.npz", sha256="0"
        )


def test_offline_says_where_to_put_the_file(server, monkeypatch):
    url = "http://127.0.0.1:9/resnet50-0676ba61.pth"  # nobody listens there
    with pytest.raises(downloads.DownloadError) as caught:
        downloads.fetch(url)
    assert url in str(caught.value) and str(files.cache_folder()) in str(caught.value)


def test_a_file_put_there_by_hand_is_checked(server):
    folder = files.cache_folder()
    folder.mkdir()
    (folder / f"file-{SHA256[:8]}.pth").write_bytes(DATA)
    name = f"file-{SHA256[:8]}.pth"
    assert fetch(server, name, sha256=None).name == name and not server.asked
    (folder / name).write_bytes(DATA[:-1])
    with pytest.raises(downloads.DownloadError, match="Delete"):
        fetch(server, name, sha256=None)


def test_the_cache_is_where_the_platform_keeps_its_own(monkeypatch, tmp_path):
    monkeypatch.delenv("KERASSEG_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert files.cache_folder() == tmp_path / "kerasseg"


@pytest.mark.parametrize("page", [b"\n<!DOCTYPE html>", b"version https://git-lfs.x"])
def test_a_page_is_not_kept_as_weights(server, monkeypatch, page):
    def answer(url, part, size, progress):
        part.write_bytes(page)

    monkeypatch.setattr(downloads, "_download", answer)
    with pytest.raises(downloads.DownloadError, match="is a page, not the weights"):
        downloads.fetch(f"{server.url}/pytorch_model.bin")
    path = files.cache_folder() / "pytorch_model.bin"
    assert list(path.parent.iterdir()) == []
    path.write_bytes(page)
    with pytest.raises(downloads.DownloadError, match="Delete"):
        downloads.fetch(f"{server.url}/pytorch_model.bin")


def test_a_mirror_and_a_cache_that_are_none_are_said(tmp_path, server, monkeypatch):
    monkeypatch.setenv("KERASSEG_MIRROR", "mirror.local")
    with pytest.raises(downloads.DownloadError, match="KERASSEG_MIRROR"):
        fetch(server)
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("KERASSEG_HOME", str(tmp_path / "file"))
    with pytest.raises(downloads.DownloadError, match="Set KERASSEG_HOME"):
        fetch(server)
