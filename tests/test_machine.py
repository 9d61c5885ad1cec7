"""The processor's instruction sets and oneDNN."""

import os
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
    machine.use_onednn()
    assert os.environ.get("TF_ENABLE_ONEDNN_OPTS") == after


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
