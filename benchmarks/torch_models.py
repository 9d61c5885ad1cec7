"""Networks of engines.py in PyTorch, for the environment that torch_worker.py runs in.

Those but the first need segmentation_models_pytorch and timm. Detectors end where their
outputs are decoded, which ours do, too.
"""

import itertools

import torch
from torch import nn

FILTERS = 16
LITE = "tu-tf_efficientnet_lite0"


def double(inputs, outputs):
    """Two 3x3 convolutions, each with batch normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    """The network of `zoo.unet(classes, base_filters=16)`, on images already scaled."""

    def __init__(self, classes):
        super().__init__()
        widths = [FILTERS * 2**level for level in range(5)]
        self.down = nn.ModuleList(
            double(a, b) for a, b in zip([3, *widths[:-1]], widths)
        )
        pairs = list(zip(widths[:0:-1], widths[-2::-1]))
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2) for a, b in pairs)
        self.join = nn.ModuleList(double(2 * b, b) for _, b in pairs)
        self.head = nn.Conv2d(FILTERS, classes, 1)

    def forward(self, x):
        skips = []
        for level, block in enumerate(self.down):
            x = block(nn.functional.max_pool2d(x, 2) if level else x)
            skips.append(x)
        for up, join, skip in zip(self.up, self.join, skips[-2::-1]):
            x = join(torch.cat([skip, up(x)], 1))
        return self.head(x)


class StarDist(nn.Module):
    """U-Net with the two heads of `zoo.stardist`."""

    def __init__(self):
        super().__init__()
        unet = _smp().Unet(LITE, encoder_weights=None)
        self.encoder, self.decoder = unet.encoder, unet.decoder
        self.features = nn.Conv2d(16, 128, 3, padding=1)
        self.heads = nn.ModuleList(nn.Conv2d(128, n, 1) for n in (1, 32))

    def forward(self, x):
        x = self.features(self.decoder(self.encoder(x))).relu()
        return [head(x) for head in self.heads]


class Yolact(nn.Module):
    """Pyramid, prediction head and protonet of `zoo.yolact` for one class."""

    def __init__(self, filters=256):
        super().__init__()
        self.encoder = _smp().encoders.get_encoder(LITE, weights=None)
        channels = self.encoder.out_channels[3:]
        self.lateral = nn.ModuleList(nn.Conv2d(n, filters, 1) for n in channels)
        self.smooth = _convs([filters] * 4, 3)
        self.coarser = _convs([filters] * 3, 3, stride=2)
        self.head = nn.Conv2d(filters, filters, 3, padding=1)
        self.outputs = nn.ModuleList(
            nn.Conv2d(filters, 3 * n, 3, padding=1) for n in (2, 4, 32)
        )
        self.protonet = _convs([filters] * 5, 3)
        self.prototypes = nn.Conv2d(filters, 32, 1)

    def forward(self, x):
        taps = [side(x) for side, x in zip(self.lateral, self.encoder(x)[3:])]
        for level in (1, 0):
            taps[level] = taps[level] + _enlarge(taps[level + 1])
        levels = [conv(x).relu() for conv, x in zip(self.smooth, taps)]
        for conv in self.coarser:
            levels.append(conv(levels[-1]))
        found = [
            output(x).flatten(2)
            for x in (self.head(level).relu() for level in levels)
            for output in self.outputs
        ]
        x = levels[0]
        for step, conv in enumerate(self.protonet):
            x = conv(_enlarge(x) if step == 3 else x).relu()
        return [*found, self.prototypes(x).relu()]


def _convs(channels, size, stride=1):
    pairs = itertools.pairwise(channels)
    return nn.ModuleList(nn.Conv2d(a, b, size, stride, size // 2) for a, b in pairs)


def _enlarge(x):
    return nn.functional.interpolate(x, scale_factor=2, mode="bilinear")


def _smp():
    # Its wheel for processors lacks operators that torchvision asks for.
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor a, Tensor b, float c) -> Tensor")
    import segmentation_models_pytorch

    return segmentation_models_pytorch


# name, as in engines.py -> function that builds the network
MODELS = {
    "unet_base16": lambda: UNet(3),
    "unet_resnet34": lambda: _smp().Unet("resnet34", encoder_weights=None, classes=21),
    "deeplab_v3_plus_lite0": lambda: _smp().DeepLabV3Plus(
        LITE, encoder_weights=None, classes=21
    ),
    "stardist_lite0": StarDist,
    "yolact_lite0": Yolact,
}
