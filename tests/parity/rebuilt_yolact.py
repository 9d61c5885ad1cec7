"""YOLACT, written anew: `python -m tests.parity.rebuilt_yolact FOLDER`.

From its paper and the layout of its files (at 550 x 550); the authors' code was read,
not run. Writes CASE.npz with weights, what each stage gives, and objects.
With FOLDER "fixtures", writes tests/files/yolact.npz instead: a few numbers under
seeded weights.
"""

import pathlib
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from tests.parity import seeded
from tests.parity.cases import YOLACT, YOLACT_SIZE
from tests.parity.reference import (
    declare_operators,
    set_weights,
    spread,
    take_statistics,
    torchvision,
)

# The authors', rounded; red, green, blue.
MEAN, STD = (123.68, 116.78, 103.94), (58.4, 57.12, 57.38)
SIDES = (24, 48, 96, 192, 384)  # of the anchors of a level, at 550 pixels
RATIOS = (1, 0.5, 2)
FIXTURE_FILE = pathlib.Path(__file__).parents[1] / "files/yolact.npz"
FIXTURE_SIZE = (100, 100)


def conv(channels, filters, size=3, stride=1):
    return nn.Conv2d(channels, filters, size, stride, padding=size // 2)


class Backbone(nn.Module):
    """A ResNet of torchvision without its head; stages are a list."""

    def __init__(self, name):
        super().__init__()
        given = getattr(torchvision().models, name)()
        self.conv1, self.bn1 = given.conv1, given.bn1
        self.layers = nn.ModuleList(getattr(given, f"layer{i}") for i in range(1, 5))

    def forward(self, x):
        x, taps = functional.relu(self.bn1(self.conv1(x))), []
        x = functional.max_pool2d(x, 3, 2, padding=1)
        for stage in self.layers:
            x = stage(x)
            taps.append(x)
        return taps[1:]


class Pyramid(nn.Module):
    """Levels 3 to 7; layers are stored from coarse to fine."""

    def __init__(self, channels=(2048, 1024, 512), filters=256):
        super().__init__()
        self.lat_layers = nn.ModuleList(conv(n, filters, 1) for n in channels)
        self.pred_layers = nn.ModuleList(conv(filters, filters) for _ in channels)
        two = (conv(filters, filters, stride=2) for _ in range(2))
        self.downsample_layers = nn.ModuleList(two)

    def forward(self, taps):
        x, levels = None, []
        for lateral, smooth, tap in zip(
            self.lat_layers, self.pred_layers, reversed(taps)
        ):
            side = lateral(tap)
            if x is not None:
                side = side + functional.interpolate(
                    x, side.shape[2:], mode="bilinear", align_corners=False
                )
            x = side
            levels.insert(0, functional.relu(smooth(x)))
        for halve in self.downsample_layers:
            levels.append(halve(levels[-1]))  # not activated
        return levels


class Head(nn.Module):
    """Box, class and mask coefficients of the three anchors of each position."""

    def __init__(self, classes, filters=256, prototypes=32):
        super().__init__()
        self.sizes = (4, classes + 1, prototypes)
        self.upfeature = nn.Sequential(conv(filters, filters), nn.ReLU())
        self.bbox_layer, self.conf_layer, self.mask_layer = (
            conv(filters, len(RATIOS) * size) for size in self.sizes
        )

    def forward(self, x):
        x = self.upfeature(x)
        maps = (self.bbox_layer(x), self.conf_layer(x), self.mask_layer(x))
        rows = [
            y.permute(0, 2, 3, 1).reshape(len(x), -1, size)
            for y, size in zip(maps, self.sizes)
        ]
        return rows[0], rows[1], torch.tanh(rows[2])


class Yolact(nn.Module):
    def __init__(self, name, classes=3, filters=256, prototypes=32):
        super().__init__()
        self.backbone, self.fpn = Backbone(name), Pyramid(filters=filters)
        self.prediction_layers = nn.ModuleList([Head(classes, filters, prototypes)])
        steps = []
        for _ in range(3):
            steps += [conv(filters, filters), nn.ReLU()]
        double = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        steps += [double, nn.ReLU(), conv(filters, filters), nn.ReLU()]
        self.proto_net = nn.Sequential(*steps, conv(filters, prototypes, 1))
        self.semantic_seg_conv = conv(filters, classes, 1)

    def forward(self, x):
        """Levels, rows of boxes, classes and coefficients, prototypes, anchors."""
        levels = self.fpn(self.backbone(x))
        rows = [self.prediction_layers[0](level) for level in levels]
        rows = [torch.cat(parts, 1) for parts in zip(*rows)]
        prototypes = functional.relu(self.proto_net(levels[0])).permute(0, 2, 3, 1)
        sizes = [level.shape[2:] for level in levels]
        return levels, rows, prototypes, anchors(sizes)


def anchors(sizes):
    """Centres and sides [A, 4] as shares of the image; all of them are squares."""
    rows = []
    for (height, width), side in zip(sizes, SIDES):
        y, x = np.indices((height, width)) + 0.5
        centres = np.stack([x / width, y / height], -1).reshape(-1, 1, 2)
        sides = side / 550 * np.sqrt(RATIOS)
        sides = np.broadcast_to(sides[:, None], (len(centres), len(RATIOS), 2))
        centres = np.broadcast_to(centres, sides.shape)
        rows.append(np.concatenate([centres, sides], -1).reshape(-1, 4))
    return torch.from_numpy(np.concatenate(rows).astype("float32"))


def detect(deltas, logits, coefficients, prototypes, priors, size):
    """The 100 best objects of an image: boxes in pixels, scores, classes, masks."""
    centres = priors[:, :2] + deltas[:, :2] * 0.1 * priors[:, 2:]
    sides = priors[:, 2:] * torch.exp(deltas[:, 2:] * 0.2)
    boxes = torch.cat([centres - sides / 2, centres + sides / 2], 1)
    scores = torch.softmax(logits, -1)[:, 1:]
    candidates = scores.max(1).values > 0.05
    boxes, scores = boxes[candidates], scores[candidates].T
    coefficients = coefficients[candidates]
    scores, order = scores.sort(1, descending=True)
    scores, order = scores[:, :200], order[:, :200]
    kept = torch.stack([overlaps(boxes[rows]) <= 0.5 for rows in order])
    classes = torch.arange(len(scores))[:, None].expand_as(scores)[kept]
    order, scores = order[kept], scores[kept]
    scores, best = scores.sort(descending=True)
    best, scores = best[:100], scores[:100]
    boxes, coefficients = boxes[order[best]], coefficients[order[best]]
    masks = torch.sigmoid(prototypes @ coefficients.T).permute(2, 0, 1)
    masks = masks * within(boxes, masks.shape[1:])
    width_height = torch.tensor([size[1], size[0]] * 2)
    boxes = (boxes * width_height).clamp(min=0).minimum(width_height)
    return {"boxes": boxes, "scores": scores, "classes": classes[best], "masks": masks}


def overlaps(boxes):
    """Largest IoU of each box with those before it, suppressed or not."""
    low = torch.maximum(boxes[:, None, :2], boxes[:, :2])
    high = torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    iou = shared / (area[:, None] + area - shared)
    return iou.triu(diagonal=1).max(0).values


def within(boxes, size):
    """Whether whole pixels lie in boxes, or one beside them: [K, h, w]."""
    y, x = torch.arange(size[0])[:, None], torch.arange(size[1])
    x1, y1, x2, y2 = (
        side[:, None, None] for side in (boxes * torch.tensor([*size[::-1]] * 2)).T
    )
    return (x >= x1 - 1) & (x < x2 + 1) & (y >= y1 - 1) & (y < y2 + 1)


def shown(size):
    """The first seeded image as the network takes it."""
    image = (seeded.images(*size)[:1] - np.float32(MEAN)) / np.float32(STD)
    return torch.from_numpy(image).permute(0, 3, 1, 2)


def write_fixture():
    model = Yolact("resnet50").eval()
    shapes = set_weights(model)
    names = [f"{x} {' '.join(map(str, s))}".strip() for x, s in shapes.items()]
    with torch.no_grad():
        _, (deltas, logits, _), prototypes, _ = model(shown(FIXTURE_SIZE))
    np.savez_compressed(
        FIXTURE_FILE,
        shapes=np.array("\n".join(names)),
        deltas=deltas[0, ::20],
        logits=logits[0, ::20],
        prototypes=prototypes[0, ::5, ::5],
    )


def main(folder):
    library = declare_operators()
    torch.set_num_threads(2)
    if folder == "fixtures":
        write_fixture()
    else:
        for case in YOLACT:
            write(case, pathlib.Path(folder))
    del library


def write(case, folder):
    model, image = Yolact(YOLACT[case]), shown(YOLACT_SIZE)
    set_weights(model)
    head = model.prediction_layers[0]
    last = (head.conf_layer, head.bbox_layer, head.mask_layer, model.proto_net[10])
    hooks = [layer.register_forward_hook(spread) for layer in last]
    hooks += [
        module.register_forward_pre_hook(take_statistics)
        for module in model.modules()
        if hasattr(module, "running_var")
    ]
    model.eval()
    with torch.no_grad():
        model(image)
        for hook in hooks:
            hook.remove()
        levels, rows, prototypes, priors = model(image)
        found = detect(*(x[0] for x in rows), prototypes[0], priors, YOLACT_SIZE)
    stages = {f"p{i}": x.permute(0, 2, 3, 1) for i, x in enumerate(levels, 3)}
    stages |= dict(zip(("deltas", "logits", "coefficients"), rows))
    stages |= {"prototypes": prototypes, "priors": priors}
    arrays = {f"w/{k}": v for k, v in model.state_dict().items()}
    arrays |= {f"s/{k}": v for k, v in stages.items()}
    arrays |= {f"0/{k}": v for k, v in found.items()}
    arrays = {name: value.numpy() for name, value in arrays.items()}
    np.savez(folder / f"{case}.npz", **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
