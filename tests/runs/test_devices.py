"""Choosing devices; what needs a GPU is tested on a pretended one."""

import json
import types

import pytest
import tensorflow as tf

from kerasseg import training
from kerasseg.runs import devices


@pytest.fixture
def no_gpu_driver(monkeypatch):
    monkeypatch.setattr(devices.shutil, "which", lambda name: None)


def pretend(monkeypatch, **details):
    """Let TensorFlow see one GPU of these details."""
    config = tf.config.experimental
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu"])
    monkeypatch.setattr(config, "set_memory_growth", lambda gpu, grows: None)
    monkeypatch.setattr(config, "get_device_details", lambda gpu: details)


@pytest.mark.parametrize(
    "flags, precision",
    [
        ("fpu avx2", "float32"),
        ("fpu avx512f avx512_bf16", "mixed_bfloat16"),
        ("amx_bf16 amx_tile", "mixed_bfloat16"),
    ],
)
def test_a_cpu_with_bfloat16_instructions_uses_them(monkeypatch, flags, precision):
    monkeypatch.setattr(devices.machine, "cpu_flags", lambda: set(flags.split()))
    assert devices.prepare().precision == precision


@pytest.mark.parametrize(
    "capability, precision",
    [((9, 0), "mixed_bfloat16"), ((7, 5), "mixed_float16"), ((6, 1), "float32")],
)
def test_a_gpu_computes_in_what_it_is_made_for(monkeypatch, capability, precision):
    pretend(monkeypatch, device_name="Some GPU", compute_capability=capability)
    found = devices.prepare()
    assert found.precision == precision
    assert found.text == f"Some GPU, {precision}"


def test_a_precision_that_is_asked_for_is_taken():
    assert devices.prepare("float32").precision == "float32"


def test_one_device_trains_without_a_strategy():
    found = devices.prepare()
    assert found.strategy.num_replicas_in_sync == 1 and found.writes


def test_a_gpu_that_tensorflow_does_not_see_is_reported(monkeypatch):
    monkeypatch.setattr(devices.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    assert "TensorFlow does not see it: pip install" in devices.prepare().text


def test_a_machine_without_gpu_is_just_a_cpu(no_gpu_driver):
    assert devices.prepare("float32").text == "CPU, float32"


def test_an_unknown_distribution_lists_the_choices():
    with pytest.raises(ValueError, match=r"must be in .*'multiworker'"):
        devices.prepare(distribute="multi")


WITHOUT = '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": -1}}'


@pytest.mark.parametrize(
    "config", [None, "{", "{}", "3", '{"task": {"type": "x"}}', WITHOUT]
)
def test_workers_without_their_configuration_are_told_how(monkeypatch, config):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if config:
        monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(ValueError, match="TF_CONFIG, as in"):
        devices.prepare(distribute="multiworker")


@pytest.mark.parametrize(
    "cluster, task, writes",
    [
        ({"worker": ["a", "b"]}, ("worker", 0), True),
        ({"worker": ["a", "b"]}, ("worker", 1), False),
        ({"chief": ["a"], "worker": ["b"]}, ("chief", 0), True),
        ({"chief": ["a"], "worker": ["b"]}, ("worker", 0), False),
    ],
)
def test_only_the_first_worker_writes(monkeypatch, cluster, task, writes):
    kind, index = task
    task = {"type": kind, "index": index}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    strategy = types.SimpleNamespace(cluster_resolver=resolver)
    assert training.is_first_worker(strategy) == writes
