"""Dockerfile and compose file for TensorFlow Serving, as text: without docker."""

import http.server
import pathlib
import re
import shlex
import subprocess
import threading

import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "scripts/tf_serving"
# Of `tensorflow_model_server --help`.
FLAGS = {"monitoring_config_file", "rest_api_timeout_in_ms"}


@pytest.fixture
def instructions():
    """(name, arguments) of the Dockerfile, continued lines joined."""
    text = (FOLDER / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [x for x in text.splitlines() if x and not x.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


@pytest.fixture
def service():
    """The only service of the compose file."""
    yaml = pytest.importorskip("yaml")
    content = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    (found,) = content["services"].values()
    return found


def test_the_image_holds_a_model_and_runs_as_nobody(instructions):
    names = [name for name, _ in instructions]
    assert names[:2] == ["ARG", "FROM"] and names[-1] == "CMD"
    arguments = dict(instructions)
    assert arguments["FROM"] == "tensorflow/serving:${TF_SERVING}"
    assert arguments["USER"].split(":")[0] not in ("", "0", "root")
    copied = [shlex.split(rest) for name, rest in instructions if name == "COPY"]
    assert ["exported/${MODEL}", "/models/${MODEL}"] in copied
    assert ["monitoring.config", "/models/monitoring.config"] in copied
    assert (FOLDER / "monitoring.config").is_file()
    flags = re.findall(r'"--(\w+)=([^"]*)"', arguments["CMD"])
    assert {name for name, _ in flags} == FLAGS
    assert dict(flags)["monitoring_config_file"] == "/models/monitoring.config"


def test_the_service_is_for_this_machine_and_may_do_little(service):
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert service["build"] == {"context": ".", "args": {"MODEL": "mine"}}


@pytest.mark.parametrize("state, code", [("AVAILABLE", 0), ("LOADING", 1)])
def test_the_health_check_tells_a_model_that_is_available(service, state, code):
    kind, *command = service["healthcheck"]["test"]
    assert kind == "CMD" and command[:2] == ["bash", "-c"]

    class Status(http.server.BaseHTTPRequestHandler):
        """As TF Serving's /v1/models/NAME."""

        def do_GET(self):
            found = self.path == "/v1/models/mine"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(f'{{"state": "{state}"}}'.encode() * found)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Status) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        words = command[2].replace("localhost/8501", f"127.0.0.1/{server.server_port}")
        assert subprocess.run(["bash", "-c", words]).returncode == code
        thread.join()
