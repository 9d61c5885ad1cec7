"""ONNX, OpenVINO and LiteRT files of every architecture: they open and agree.

`export.save` compares them with the model at two sizes, one of them odd, or at the size
of a model that takes no other.
"""

import importlib.util

import pytest

from kerasseg import export, zoo
from tests.contracts import cases, discs, objects

NEEDED = {
    "onnx": ("onnx", "tf2onnx", "onnxruntime"),
    "openvino": ("openvino",),
    "litert": ("ai_edge_litert",),
}


def build(name):
    if name in zoo.names("semantic"):
        return cases.build(name, "tiny")
    return objects.build(name) if name in objects.SMALL else discs.build(name)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of converters
@pytest.mark.parametrize("format", list(NEEDED))
@pytest.mark.parametrize("name", list(zoo.BUILDERS))
def test_files_of_every_architecture_agree_with_the_model(name, format, tmp_path):
    missing = [x for x in NEEDED[format] if importlib.util.find_spec(x) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    model = build(name)
    names = ("a", "b") if name in objects.SMALL else None
    path = export.save(model, tmp_path / "model", format=format, class_names=names)
    assert path.exists()
