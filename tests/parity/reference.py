"""Runs the PyTorch references: `python -m tests.parity.reference FOLDER [CASE...]`.

Writes CASE.npz with the state dict and the logits of each case. With FOLDER
"fixtures", writes tests/files/parity.npz instead: a few logits under seeded weights.
Needs the environment of scripts/parity.sh.
"""

import pathlib
import sys

import numpy as np
import torch

from tests.parity import hugging_face, rebuilt, seeded
from tests.parity.cases import CASES, DETECTORS, FIXTURES

MEAN = np.array([123.675, 116.28, 103.53], "float32")
STD = np.array([58.395, 57.12, 57.375], "float32")
FIXTURE_FILE = pathlib.Path(__file__).parents[1] / "files/parity.npz"


def build(kind, name, options):
    """Model of a reference implementation, three classes."""
    if kind == "smp":
        import segmentation_models_pytorch as smp

        return getattr(smp, name)(encoder_weights=None, classes=3, **options)
    if kind == "timm":
        import timm

        net = timm.create_model(name)
        return features(net, options) if options else branches(net)
    if kind == "transformers":
        return hugging_face.build(name, **options)
    if kind == "mmseg":
        from tests.parity import open_mmlab

        return open_mmlab.Segmenter(name, **options)
    if kind == "rebuilt":
        return getattr(rebuilt, name)(3, **options)
    if kind == "classifier":
        return features(getattr(torchvision().models, name)(), options)
    return getattr(torchvision().models.segmentation, name)(
        weights=None, weights_backbone=None, num_classes=3, **options
    )


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
        ends = ("avgpool", "global_pool", "fc")
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


def detector(name, options):
    """Detector of torchvision, three classes and the background.

    Its weights for COCO go with normalisations whose epsilon is 0.
    """
    import torchvision.ops as vision
    from torchvision.models import detection

    vision.boxes.nms = suppress
    vision.poolers.roi_align = align
    options = {"weights": None, "weights_backbone": None, "num_classes": 4, **options}
    model = getattr(detection, name.removesuffix("_coco"))(**options)
    for module in model.backbone.modules():
        if hasattr(module, "running_var") and name.endswith("_coco"):
            module.eps = 0.0
    return model


def suppress(boxes, scores, iou_threshold):
    """Greedy suppression, by the definition; the compiled operator does not exist."""
    order, kept = torch.argsort(scores, descending=True, stable=True), []
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        low = torch.maximum(boxes[best, :2], boxes[order, :2])
        high = torch.minimum(boxes[best, 2:], boxes[order, 2:])
        shared = (high - low).clamp(min=0).prod(dim=1)
        order = order[shared / (area[best] + area[order] - shared) <= iou_threshold]
    return torch.stack(kept) if kept else torch.zeros(0, dtype=torch.int64)


def align(x, rois, output_size, spatial_scale, sampling_ratio, aligned=False):
    """torchvision's compiled rule, as two products with the weights of each axis.

    Its own version in Python takes points beyond the border for those of the border.
    """
    rois = rois[:, 1:] * spatial_scale - 0.5 * aligned  # of the only image
    rows, columns = (
        weights_along(rois[:, [axis, axis + 2]], bins, sampling_ratio, length, aligned)
        for axis, bins, length in zip((1, 0), output_size, x.shape[2:])
    )
    return torch.einsum("kph,chw,kqw->kcpq", rows, x[0], columns)


def weights_along(ends, bins, ratio, length, aligned):
    """Share of each of `length` pixels in each bin between the ends: [K, bins, length].

    Points are `ratio` in a bin; those beyond one pixel outside count as 0.
    """
    start, size = ends[:, :1], ends[:, 1:] - ends[:, :1]
    size = size if aligned else size.clamp(min=1)
    at = start + (torch.arange(bins * ratio) + 0.5) * size / (bins * ratio)
    inside = ((at >= -1) & (at <= length)).float()[..., None]
    at = at.clamp(0, length - 1)[..., None]
    shares = (1 - (at - torch.arange(length)).abs()).clamp(min=0) * inside
    return shares.reshape(len(ends), bins, ratio, length).mean(dim=2)


def detect(case, folder):
    """Write CASE.npz of a detector: what it finds on two images."""
    theirs, size = DETECTORS[case].theirs, DETECTORS[case].size
    model = detector(*theirs[1:])
    set_weights(model)
    images = [torch.from_numpy(x / 255).permute(2, 0, 1) for x in seeded.images(*size)]
    hooks = [
        module.register_forward_pre_hook(take_statistics)
        for module in model.modules()
        if hasattr(module, "running_var")
    ]
    last, first = model.roi_heads.box_predictor, model.rpn.head
    scores = (last.cls_score, last.bbox_pred, first.cls_logits, first.bbox_pred)
    hooks += [layer.register_forward_hook(spread) for layer in scores]
    model.eval()
    with torch.no_grad():
        model(images[:1])
        for hook in hooks:
            hook.remove()
        found = [model([image])[0] for image in images]
        state = stages(model, images[0])
    state |= {f"w/{k}": v.numpy() for k, v in model.state_dict().items()}
    for index, one in enumerate(found):
        state |= {f"{index}/{name}": value.numpy() for name, value in one.items()}
    np.savez(folder / f"{case}.npz", **state)


def stages(model, image):
    """Outputs of each stage of a detector for the next, [N, H, W, C] or rows."""
    shown, _ = model.transform([image])
    pyramid = model.backbone(shown.tensors)
    rpn = model.rpn.head(list(pyramid.values()))
    rois, _ = model.rpn(shown, pyramid)
    pooled = model.roi_heads.box_roi_pool(pyramid, rois, shown.image_sizes)
    logits, deltas = model.roi_heads.box_predictor(model.roi_heads.box_head(pooled))
    kept = {"rois": rois[0], "logits": logits, "deltas": deltas}
    maps = {f"p{i}": x for i, x in enumerate(pyramid.values(), 2)}
    for name, levels in zip(("objectness", "rpn_deltas"), rpn):
        maps |= {f"{name}{i}": x for i, x in enumerate(levels, 2)}
    kept |= {name: x.permute(0, 2, 3, 1) for name, x in maps.items()}
    kept["pooled"] = pooled.permute(0, 2, 3, 1)
    return {f"s/{name}": x.numpy() for name, x in kept.items()}


def take_statistics(module, inputs):
    """Let a normalisation fit the first features that it sees, frozen ones too."""
    (x,) = inputs
    module.running_mean.copy_(x.mean(dim=(0, 2, 3)))
    variance = x.var(dim=(0, 2, 3), unbiased=False)
    module.running_var.copy_(variance.clamp(min=0.1 * variance.mean()))


def spread(module, inputs, outputs):
    """Give scores and deltas a deviation of 1, so that neither saturates."""
    scale = outputs.std()
    module.weight.div_(scale)
    module.bias.div_(scale)
    return outputs / scale


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


def inputs(size, model):
    images = seeded.images(*size)
    # As ImageNet wants them, unless the network has a rule of its own.
    prepare = getattr(model, "prepare", lambda x: (x - MEAN) / STD)
    images = prepare(images)
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()


def write_case(case, folder):
    theirs, size = CASES[case].theirs, CASES[case].size
    model = build(*theirs)
    set_weights(model)
    calibrate(model, inputs(size, model))
    named = model.published(model) if hasattr(model, "published") else None
    named = named or model.state_dict()
    state = {f"w/{k}": v.numpy() for k, v in named.items()}
    np.savez(folder / f"{case}.npz", **state, **run(model, inputs(size, model)))


def write_fixtures():
    arrays = {}
    for case in FIXTURES:
        theirs, size = CASES[case].theirs, CASES[case].size
        model = build(*theirs).eval()
        shapes = set_weights(model)
        names = [
            f"{name} {' '.join(map(str, s))}".strip() for name, s in shapes.items()
        ]
        arrays[f"{case}/shapes"] = np.array("\n".join(names))
        logits = run(model, inputs(size, model))["logits"]
        arrays[f"{case}/logits"] = logits[:1, ::16, ::16]
    np.savez_compressed(FIXTURE_FILE, **arrays)


def main(folder, *cases):
    library = declare_operators()  # kept: they vanish with it
    torch.set_num_threads(1)
    if folder == "fixtures":
        write_fixtures()
    for case in cases or ([*CASES, *DETECTORS] if folder != "fixtures" else ()):
        write = detect if case in DETECTORS else write_case
        write(case, pathlib.Path(folder))
    del library


if __name__ == "__main__":
    main(*sys.argv[1:])
