"""Checksums that a hub states, from a server on this machine that lies about them."""

import subprocess
import sys
import threading

import pytest

from kerasseg import files
from kerasseg.weights import downloads, hub
from tests.weights.test_downloads import DATA, SHA256, Handler, Server

PAGE = "/org/net/resolve/0123abc/file.npz"


class HubHandler(Handler):
    """States what the test wants, and redirects to the server that has the file."""

    def do_HEAD(self):
        self.server.asked.append(self.path)
        if self.server.mode == "busy" and len(self.server.asked) < 3:
            return self.send_error(503)
        if self.server.mode == "missing":
            return self.send_error(404)
        if self.path.startswith("/old"):  # a repository of another name
            self.send_response(307)
            self.send_header("Location", self.path.replace("/old", "/org"))
            return self.end_headers()
        self.send_response(302 if self.server.elsewhere else 200)
        for header, value in self.server.stated.items():
            self.send_header(header, value)
        if self.server.elsewhere:
            self.send_header("Location", f"{self.server.elsewhere}/there/file.npz")
        self.end_headers()

    def do_GET(self):
        if self.path.endswith(".sha256"):
            note = self.server.note
            self.send_response(200 if note else 404)
            self.end_headers()
            return self.wfile.write(note)
        if self.server.elsewhere:
            self.send_response(302)
            self.send_header("Location", f"{self.server.elsewhere}/there/file.npz")
            return self.end_headers()
        super().do_GET()


@pytest.fixture
def servers(tmp_path, monkeypatch):
    """The hub, and the server behind it, which states another sum."""
    monkeypatch.setenv("KERASSEG_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KERASSEG_MIRROR", raising=False)
    monkeypatch.setattr(downloads, "PAUSE_S", 0)
    with Server(HubHandler) as hub, Server(HubHandler) as behind:
        hub.stated = {"X-Linked-Etag": f'"{SHA256}"', "X-Linked-Size": len(DATA)}
        behind.stated = {"X-Linked-Etag": f'"{"0" * 64}"'}
        hub.elsewhere, behind.elsewhere = behind.url, None
        hub.note = behind.note = b""
        for server in (hub, behind):
            threading.Thread(
                target=server.serve_forever, args=(0.01,), daemon=True
            ).start()
        yield hub, behind
        for server in (hub, behind):
            server.shutdown()


def fetch(server, page=PAGE):
    return hub.fetch(server.url + page, folder="net", progress=lambda *_: None)


def folder():
    return files.cache_folder() / "net"


@pytest.mark.parametrize("etag", ['"{}"', "{}", 'W/"{}"'])
def test_a_file_is_checked_by_the_sum_that_its_first_server_states(servers, etag):
    servers[0].stated["X-Linked-Etag"] = etag.format(SHA256)
    path = fetch(servers[0])
    assert path == folder() / "file.npz" and path.read_bytes() == DATA
    note = (folder() / "file.npz.sha256").read_text()
    assert note.splitlines() == [f"# {servers[0].url}{PAGE}", f"{SHA256}  file.npz"]


def test_the_note_is_what_sha256sum_reads(servers):
    fetch(servers[0])
    command = ["sha256sum", "--check", "--strict", "file.npz.sha256"]
    subprocess.run(command, cwd=folder(), check=True, stdout=subprocess.DEVNULL)


def test_a_second_use_is_checked_without_a_network(servers):
    path = fetch(servers[0])
    asked = len(servers[0].asked)
    assert fetch(servers[0]) == path and len(servers[0].asked) == asked
    path.write_bytes(DATA[:-1] + b"?")
    with pytest.raises(downloads.DownloadError, match=r"Delete .*file\.npz"):
        fetch(servers[0])
    path.unlink()
    assert fetch(servers[0]).read_bytes() == DATA


def test_another_file_or_size_than_stated_is_refused(servers):
    servers[1].mode = "another"
    with pytest.raises(downloads.DownloadError, match="SHA-256 that begins"):
        fetch(servers[0])
    servers[0].stated["X-Linked-Size"] = len(DATA) - 1
    with pytest.raises(downloads.DownloadError, match="file is of 299999"):
        fetch(servers[0])
    assert not (folder() / "file.npz").exists()


@pytest.mark.parametrize(
    "stated, message",
    [
        ({}, "states none"),
        ({"X-Linked-Etag": '"36f3d3e9"'}, "must state a SHA-256 .*36f3d3e9"),
        ({"X-Linked-Etag": f'"{"g" * 64}"'}, "must state a SHA-256"),
        ({"X-Linked-Etag": f'"{SHA256}"', "X-Linked-Size": "much"}, "'much'"),
    ],
)
def test_without_a_sum_nothing_is_loaded_and_the_way_is_said(servers, stated, message):
    servers[0].stated = stated
    with pytest.raises(downloads.DownloadError, match=message) as caught:
        fetch(servers[0])
    said = str(caught.value)
    assert servers[0].url + PAGE in said and str(folder()) in said
    assert "file.npz.sha256" in said and "/org/net/blob/0123abc/file.npz" in said
    assert list(folder().iterdir()) == [] and not servers[1].asked


def test_a_repository_that_moved_is_followed_and_a_busy_hub_asked_again(servers):
    servers[0].mode = "busy"
    assert fetch(servers[0], PAGE.replace("/org", "/old")).read_bytes() == DATA
    servers[0].mode = "missing"
    with pytest.raises(downloads.DownloadError, match="answers 404"):
        fetch(servers[0], "/org/net/resolve/0123abc/other.npz")


def test_what_was_put_there_by_hand_needs_its_sum_beside_it(servers):
    folder().mkdir(parents=True)
    (folder() / "file.npz").write_bytes(DATA)
    servers[0].mode = "missing"  # as good as no network
    with pytest.raises(downloads.DownloadError, match=r"beside it file\.npz\.sha256"):
        fetch(servers[0])
    note = folder() / "file.npz.sha256"
    note.write_text("the sum")
    with pytest.raises(downloads.DownloadError, match="must begin with a SHA-256"):
        fetch(servers[0])
    note.write_text(SHA256.upper() + "\n")
    assert fetch(servers[0]).read_bytes() == DATA


def test_a_file_of_another_revision_is_not_taken_for_this(servers):
    fetch(servers[0])
    servers[0].stated["X-Linked-Etag"] = f'"{"1" * 64}"'
    with pytest.raises(downloads.DownloadError, match="begins with 1111"):
        fetch(servers[0], PAGE.replace("0123abc", "4567def"))


def test_a_broken_connection_goes_on(servers):
    servers[1].breaks = 2
    assert fetch(servers[0]).read_bytes() == DATA
    assert servers[1].asked == [None, "bytes=100000-", "bytes=200000-"]


def test_two_processes_get_the_file_at_once(servers):
    program = (
        "import sys; from kerasseg.weights import hub;"
        f"hub.fetch({servers[0].url + PAGE!r}, folder='net', progress=lambda *_: None)"
    )
    both = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(2)]
    assert [one.wait() for one in both] == [0, 0]
    assert (folder() / "file.npz").read_bytes() == DATA
    names = {path.name for path in folder().iterdir()}
    assert names == {"file.npz", "file.npz.sha256"}


def test_a_mirror_states_the_sum_in_a_file_beside_it(servers, monkeypatch):
    mirror, url = servers[1], "https://nowhere.invalid" + PAGE
    monkeypatch.setenv("KERASSEG_MIRROR", f"{mirror.url}/there/")
    mirror.stated = {}
    for note in ("", f"# https://nowhere.invalid/another\n{SHA256}"):
        mirror.note = note.encode()
        with pytest.raises(downloads.DownloadError, match=r"nor in a file \.sha256"):
            hub.fetch(url, mirrored="net/file.npz")
    mirror.note = f"# {url}\n{SHA256}  file.npz\n".encode()
    assert hub.fetch(url, mirrored="net/file.npz").read_bytes() == DATA
