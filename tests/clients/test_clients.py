"""Programs of scripts/clients give the mask of prediction, without kerasseg.

Those for Node run where KERASSEG_NODE names a folder in which onnxruntime-node or
onnxruntime-web is installed.
"""

import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from kerasseg import datasets, encoders, export, predict, zoo

CLIENTS = pathlib.Path(__file__).parents[2] / "scripts/clients"
PYTHON = {
    "tensorflow": ("saved_model", ()),
    "onnx": ("onnx", ("onnx", "tf2onnx", "onnxruntime")),
    "openvino": ("openvino", ("openvino",)),
    "litert": ("litert", ("ai_edge_litert",)),
}


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """(model, folder with photo.png and photo.ppm, mask of prediction)."""
    folder, model = tmp_path_factory.mktemp("clients"), zoo.load("shapes")
    image = datasets.shapes(1, size=(75, 98), seed=4)[0]["image"]
    for name in ("photo.png", "photo.ppm"):
        Image.fromarray(image).save(folder / name)
    return model, folder, predict.class_ids(model, image)


@pytest.fixture(scope="module")
def stars():
    """Small StarDist."""
    return zoo.stardist(encoder=encoders.plain(base_filters=4), num_rays=8)


def run(command, folder, code=0):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr
    return done


def assert_is_the_mask(path, expected):
    found = np.asarray(Image.open(path))
    assert found.shape == expected.shape and len(np.unique(expected)) > 2
    assert np.mean(found == expected) > 0.999


def format_of(name):
    """Format that a client reads; skips where it cannot be written or read."""
    format, needed = PYTHON[name]
    if missing := [x for x in needed if importlib.util.find_spec(x) is None]:
        pytest.skip(f"needs {', '.join(missing)}")
    return format


@pytest.mark.slow
@pytest.mark.parametrize("name", PYTHON)
def test_python_clients_say_when_there_is_no_map_of_classes(name, case, stars):
    folder, format = case[1], format_of(name)
    path = export.save(stars, folder / f"{name}_stars", format=format)
    command = [sys.executable, "-I", CLIENTS / f"run_{name}.py", path]
    done = run([*command, folder / "photo.png", folder / "no.png"], folder, code=1)
    last = done.stderr.splitlines()[-1]
    assert f"{path} answers with " in last and "distances" in last


@pytest.mark.slow
@pytest.mark.parametrize("name", PYTHON)
def test_python_clients_give_the_mask(name, case):
    model, folder, expected = case
    format = format_of(name)
    path = export.save(model, folder / name, format=format)
    mask = folder / f"{name}.png"
    client = CLIENTS / f"run_{name}.py"
    # -I: nothing of this folder, nor of the environment, can be imported.
    run([sys.executable, "-I", client, path, folder / "photo.png", mask], folder)
    assert_is_the_mask(mask, expected)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_the_client_in_c_gives_the_mask(case):
    import tensorflow as tf

    model, folder, expected = case
    path = export.saved_model(model, folder / "served", warm_up_sizes=())
    tensors = json.loads((path / "kerasseg.json").read_text())["tensors"]
    tensors = tensors["serving_default"]
    place = tf.sysconfig.get_lib()
    program = folder / "client"
    command = ["gcc", "-Wall", "-Werror", CLIENTS / "run_tensorflow.c", "-o", program]
    command += [f"-I{place}/include", f"-L{place}", f"-Wl,-rpath,{place}"]
    command += ["-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"]
    run(command, folder)
    mask = folder / "c.pgm"
    names = tensors["inputs"]["images"], tensors["outputs"]["class_ids"]
    run([program, path, folder / "photo.ppm", mask, *names], folder)
    assert_is_the_mask(mask, expected)


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["onnxruntime-node", "onnxruntime-web"])
def test_clients_in_node_give_the_mask(runtime, case):
    packages = pathlib.Path(os.environ.get("KERASSEG_NODE", "nowhere"))
    needed = [
        name for name in ("onnx", "tf2onnx") if not importlib.util.find_spec(name)
    ]
    if needed or not (packages / "node_modules" / runtime).is_dir():
        pytest.skip(f"needs onnx, tf2onnx, and {runtime} in KERASSEG_NODE")
    model, folder, expected = case
    path = export.save(model, folder / "node", format="onnx")
    mask = folder / f"{runtime}.pgm"
    client, photo = CLIENTS / "run_onnx.mjs", folder / "photo.ppm"
    run(["node", client, path, photo, mask, runtime], packages)
    assert_is_the_mask(mask, expected)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_client_in_node_says_what_it_needs(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "photo.ppm").write_bytes(b"P6 1 1 255\n\0\0\0")
    command = ["node", str(CLIENTS / "run_onnx.mjs"), "model.onnx"]
    for words, said in (
        ([], "npm install onnxruntime-node"),
        (["photo.jpg", "mask.pgm"], "photo.jpg is no PPM file"),
        (["photo.ppm", "mask.pgm"], "onnxruntime-node is not in this folder"),
        (["no.ppm", "mask.pgm"], "no such file or directory, open 'no.ppm'"),
    ):
        done = subprocess.run(
            [*command, *words], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 1 and said in done.stderr
        assert "    at " not in done.stderr  # no stack


def test_clients_need_nothing_of_kerasseg():
    for path in CLIENTS.iterdir():
        assert "kerasseg import" not in path.read_text()
        assert "import kerasseg" not in path.read_text()
