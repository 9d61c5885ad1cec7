"""Runs the PyTorch references: `python -m tests.parity.reference FOLDER [CASE...]`.

Writes CASE.npz with the state dict and the logits of each case. With FOLDER
"fixtures", writes tests/files/parity.npz instead: a few logits under seeded weights.
Needs the environment of scripts/parity.sh.
"""

import pathlib
import sys

import numpy as np
import torch

from tests.parity import seeded
from tests.parity.cases import CASES, FIXTURES

MEAN = np.array([123.675, 116.28, 103.53], "float32")
STD = np.array([58.395, 57.12, 57.375], "float32")
FIXTURE_FILE = pathlib.Path(__file__).parents[1] / "files/parity.npz"


def build(kind, name, options):
    """Model of a reference implementation, three classes."""
    if kind == "smp":
        import segmentation_models_pytorch as smp

        model = getattr(smp, name)(encoder_weights=None, classes=3, **options)
        return mend(model) if name == "MAnet" else model
    if kind == "timm":
        import timm

        return branches(timm.create_model(name, **options))
    if kind == "classifier":
        return features(getattr(torchvision().models, name)(), options)
    segmentation = torchvision().models.segmentation
    if name == "lraspp_mobilenet_v3_large":
        # Its dense form dilates otherwise than ours: compare the strided one.
        backbone = torchvision().models.mobilenet_v3_large(dilated=False)
        return segmentation.lraspp._lraspp_mobilenetv3(backbone, 3)
    return getattr(segmentation, name)(
        weights=None, weights_backbone=None, num_classes=3, **options
    )


def mend(model):
    """Let MA-Net's attention give positions back, which it takes for channels."""
    block = model.decoder.center

    def forward(x):
        flat = [layer(x).flatten(2) for layer in (block.top_conv, block.bottom_conv)]
        scores = block.center_conv(x).flatten(2).transpose(1, 2) @ flat[0]
        weights = scores.flatten(1).softmax(1).view_as(scores)
        return block.out_conv(x + (weights @ flat[1].mT).mT.reshape(x.shape))

    block.forward = forward
    return model


def branches(model):
    """Let an HRNet give the features of its four branches."""

    def forward(x):
        x = model.act1(model.bn1(model.conv1(x)))
        x = model.act2(model.bn2(model.conv2(x)))
        return dict(zip(("c2", "c3", "c4", "c5"), model.stages(x)))

    model.forward = forward
    return model


def features(model, levels):
    """Let a classifier give the features behind some of its children, by our names."""
    if hasattr(model, "features"):
        steps = dict(model.features.named_children())
    else:
        ends = ("avgpool", "fc")
        steps = {k: v for k, v in model.named_children() if k not in ends}
    norm = model.classifier[0] if hasattr(model, "classifier") else None

    def forward(x):
        taps = {}
        for name, step in steps.items():
            x = step(x)
            if name in levels:
                taps[levels[name]] = x
        if isinstance(norm, torch.nn.LayerNorm):  # ConvNeXt's, in front of its scores
            taps["c5"] = norm(taps["c5"])
        return taps

    model.forward = forward
    return model


def torchvision():
    """The package, whose compiled operators do not exist for the CPU build."""
    import torchvision

    return torchvision


def declare_operators():
    """Name the operators that torchvision describes when it is imported."""
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


def set_weights(model):
    """Seeded weights; returns their shapes by name."""
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    arrays = seeded.weights(shapes)
    model.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})
    return shapes


def calibrate(model, x):
    """Let batch statistics fit the images: otherwise errors look falsely small."""
    model.eval()
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = None  # the average of one batch is that batch
            module.reset_running_stats()
            module.train()
    with torch.no_grad():
        model(x)
    model.eval()
    for name, value in model.named_buffers():
        if name.endswith("running_var"):
            # A channel that hardly varies over two images would magnify rounding.
            value.clamp_(min=0.1 * value.mean())


def run(model, x):
    """Logits or features [N, H, W, K] by our names of outputs."""
    with torch.no_grad():
        y = model(x)
    y = {"logits": y} if torch.is_tensor(y) else y
    ours = {"out": "logits"}
    return {
        ours.get(name, name): v.permute(0, 2, 3, 1).numpy() for name, v in y.items()
    }


def inputs(size):
    images = (seeded.images(*size) - MEAN) / STD
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()


def write_case(case, folder):
    _, _, reference, size = CASES[case]
    model = build(*reference)
    set_weights(model)
    calibrate(model, inputs(size))
    state = {f"w/{k}": v.numpy() for k, v in model.state_dict().items()}
    np.savez(folder / f"{case}.npz", **state, **run(model, inputs(size)))


def write_fixtures():
    arrays = {}
    for case in FIXTURES:
        _, _, reference, size = CASES[case]
        model = build(*reference).eval()
        shapes = set_weights(model)
        names = [
            f"{name} {' '.join(map(str, s))}".strip() for name, s in shapes.items()
        ]
        arrays[f"{case}/shapes"] = np.array("\n".join(names))
        logits = run(model, inputs(size))["logits"]
        arrays[f"{case}/logits"] = logits[:1, ::16, ::16]
    np.savez_compressed(FIXTURE_FILE, **arrays)


def main(folder, *cases):
    library = declare_operators()  # kept: they vanish with it
    torch.set_num_threads(1)
    if folder == "fixtures":
        write_fixtures()
    for case in cases or (CASES if folder != "fixtures" else ()):
        write_case(case, pathlib.Path(folder))
    del library


if __name__ == "__main__":
    main(*sys.argv[1:])
