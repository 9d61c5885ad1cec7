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
