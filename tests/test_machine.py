"""The processor's instruction sets and oneDNN."""

import os
import subprocess
import sys
import types

import pytest

from kerasseg import machine


@pytest.mark.parametrize(
    ("flags", "module", "after"),
    [
        ({"avx2"}, "json", "1"),
        ({"avx2"}, "tensorflow", None),  # too late
        ({"avx2", "avx512f"}, "json", None),  # TensorFlow's own default
    ],
)
def test_programs_ask_for_onednn_where_and_while_it_helps(
    monkeypatch, flags, module, after
):
    monkeypatch.setattr(machine, "cpu_flags", lambda: flags)
    monkeypatch.setattr(machine, "sys", types.SimpleNamespace(modules={module: None}))
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "")  # remembered, and then put back
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    assert machine.use_onednn() == (after == "1")
    assert os.environ.get("TF_ENABLE_ONEDNN_OPTS") == after
    assert not machine.use_onednn()  # nothing more to do


@pytest.mark.parametrize(
    ("flags", "value", "told"),
    [
        ({"avx2"}, None, 1),
        ({"avx2"}, "0", 0),  # chosen
        ({"avx2", "avx512f"}, None, 0),
    ],
)
def test_a_training_is_told_once_what_it_loses(monkeypatch, caplog, flags, value, told):
    monkeypatch.setattr(machine, "cpu_flags", lambda: flags)
    monkeypatch.setattr(machine, "_has_gpu", lambda: False)
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", value or "")
    if value is None:
        monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    machine.advise_onednn.cache_clear()
    for _ in range(2):
        machine.advise_onednn()
    assert caplog.text.count("TF_ENABLE_ONEDNN_OPTS=1 before") == told
    machine.advise_onednn.cache_clear()


NOTEBOOK = """
import importlib, os, sys
from kerasseg import machine  # no notebook yet
machine.cpu_flags = lambda: {"avx2"}
sys.modules["ipykernel"] = sys
if "tensorflow" in sys.argv:
    import tensorflow
importlib.reload(sys.modules["kerasseg"])
print(os.environ.get("TF_ENABLE_ONEDNN_OPTS"))
"""


@pytest.mark.parametrize(
    ("before", "variables", "after", "told"),
    [
        ("", {}, "1", "oneDNN is on"),
        ("", {"TF_ENABLE_ONEDNN_OPTS": "0"}, "0", ""),  # undone by one variable
        ("", {"KERAS_BACKEND": "jax"}, "None", ""),  # it is TensorFlow's
        ("tensorflow", {}, "None", "leaves oneDNN off"),  # loaded before: too late
    ],
)
def test_a_notebook_gets_onednn_by_importing_kerasseg(before, variables, after, told):
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    for name in ("TF_ENABLE_ONEDNN_OPTS", "KERAS_BACKEND"):
        environment.pop(name, None)
    environment |= variables
    found = subprocess.run(
        [sys.executable, "-c", NOTEBOOK, before],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == after
    lines = [x for x in found.stderr.splitlines() if "oneDNN is" in x or "leaves" in x]
    assert len(lines) == bool(told)
    assert all(told in line for line in lines)


def test_a_program_of_others_keeps_its_settings():
    code = "import os, kerasseg; print(os.environ.get('TF_ENABLE_ONEDNN_OPTS'))"
    environment = {k: v for k, v in os.environ.items() if "ONEDNN" not in k}
    found = subprocess.check_output([sys.executable, "-c", code], env=environment)
    assert found.decode().strip() == "None"


def test_the_peak_of_one_piece_of_code_is_measured():
    before = machine.reset_peak_memory()
    block = bytearray(64 * 2**20)
    block[:: 2**12] = b"x" * len(block[:: 2**12])  # every page is touched
    del block
    assert 50 < machine.peak_memory_mb() - before < 200
    assert machine.reset_peak_memory() - before < 50


def test_free_memory_is_what_the_machine_or_a_container_leaves(monkeypatch):
    free = machine.free_memory_mb()
    assert 0 < free < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20

    def missing(path, **_):
        raise FileNotFoundError(path)

    monkeypatch.setattr(machine, "open", missing, raising=False)
    limits = {"memory.max": "1073741824\n", "memory.current": "536870912\n"}
    read = types.SimpleNamespace(
        Path=lambda folder, name: types.SimpleNamespace(
            read_text=lambda: limits.get(name, "")
        )
    )
    monkeypatch.setattr(machine, "pathlib", read)
    assert machine.free_memory_mb() == 512
    limits["memory.max"] = "max\n"
    assert machine.free_memory_mb() == float("inf")
