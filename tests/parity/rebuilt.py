"""Networks that no package holds, written anew from their papers and file layouts.

Modules have the names of the published files; channels and sizes are those of the
published code, which was read, not run.
"""

import torch
from torch import nn
from torch.nn import functional


def resize(x, like, align_corners=False):
    """Bilinear, to the size of other features or of an image."""
    size = like.shape[2:]
    return functional.interpolate(
        x, size=size, mode="bilinear", align_corners=align_corners
    )


class DoubleConv(nn.Module):
    def __init__(self, channels, filters):
        super().__init__()
        steps = step(channels, filters, 3, nested=False)
        steps += step(filters, filters, 3, nested=False)
        self.double_conv = nn.Sequential(*steps)

    def forward(self, x):
        return self.double_conv(x)


class UNet(nn.Module):
    """The U-Net of milesial's Pytorch-UNet, with transposed convolutions.

    It takes images in 0..1 and pads with zeros what a pooling dropped.
    """

    def __init__(self, classes, width=64):
        super().__init__()
        widths = [width * 2**level for level in range(5)]
        self.inc = DoubleConv(3, width)
        for level in range(1, 5):
            conv = DoubleConv(widths[level - 1], widths[level])
            down, up = nn.Module(), nn.Module()
            down.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), conv)
            fine, coarse = widths[4 - level], widths[5 - level]
            up.up = nn.ConvTranspose2d(coarse, fine, 2, stride=2)
            up.conv = DoubleConv(coarse, fine)
            setattr(self, f"down{level}", down)
            setattr(self, f"up{level}", up)
        self.outc = nn.Module()
        self.outc.conv = nn.Conv2d(width, classes, 1)

    @staticmethod
    def prepare(images):
        return images / 255

    def forward(self, x):
        skips = [x := self.inc(x)]
        for level in range(1, 5):
            x = getattr(self, f"down{level}").maxpool_conv(x)
            skips.append(x)
        skips.pop()
        for level in range(1, 5):
            up, skip = getattr(self, f"up{level}"), skips.pop()
            x = up.up(x)
            rows, columns = (a - b for a, b in zip(skip.shape[2:], x.shape[2:]))
            top, left = rows // 2, columns // 2
            x = functional.pad(x, [left, columns - left, top, rows - top])
            x = up.conv(torch.cat([skip, x], 1))
        return self.outc.conv(x)


class Step(nn.Module):
    """3x3 convolution of a residual U-block, with a bias, normalised and activated."""

    def __init__(self, channels, filters, dilation=1):
        super().__init__()
        options = {"padding": dilation, "dilation": dilation}
        self.conv_s1 = nn.Conv2d(channels, filters, 3, **options)
        self.bn_s1 = nn.BatchNorm2d(filters)

    def forward(self, x):
        return self.bn_s1(self.conv_s1(x)).relu()


class ResidualU(nn.Module):
    """RSU of figure 2 in the paper; a height of 0 dilates instead of pooling."""

    def __init__(self, height, channels, inner, filters):
        super().__init__()
        self.pools = height > 0
        down = [1] * (height - 1) + [2] if height else [1, 2, 4, 8]
        self.depth = len(down)
        self.rebnconvin = Step(channels, filters)
        for index, dilation in enumerate(down, 1):
            step = Step(filters if index == 1 else inner, inner, dilation)
            setattr(self, f"rebnconv{index}", step)
        for index, dilation in enumerate(down[:-1], 1):
            step = Step(2 * inner, filters if index == 1 else inner, dilation)
            setattr(self, f"rebnconv{index}d", step)

    def forward(self, x):
        inputs = self.rebnconvin(x)
        x, skips = inputs, []
        for index in range(1, self.depth + 1):
            if self.pools and 1 < index < self.depth:
                x = functional.max_pool2d(x, 2, ceil_mode=True)
            x = getattr(self, f"rebnconv{index}")(x)
            skips.append(x)
        x = skips.pop()
        for index, skip in reversed([*enumerate(skips, 1)]):
            x = torch.cat([resize(x, skip), skip], 1)
            x = getattr(self, f"rebnconv{index}d")(x)
        return x + inputs


class U2NET(nn.Module):
    """U2-Net, after https://arxiv.org/abs/2005.09007, table 1."""

    HEIGHTS = (7, 6, 5, 4, 0, 0)
    FILTERS = (64, 128, 256, 512, 512, 512)
    INNER = (32, 32, 64, 128, 256, 256)
    UP_FILTERS = (64, 64, 128, 256, 512)
    UP_INNER = (16, 32, 64, 128, 256)

    def __init__(self, classes):
        super().__init__()
        stages = zip(self.HEIGHTS, (3, *self.FILTERS), self.INNER, self.FILTERS)
        for number, options in enumerate(stages, 1):
            setattr(self, f"stage{number}", ResidualU(*options))
        coarser = (*self.UP_FILTERS[1:], self.FILTERS[5])
        joined = [a + b for a, b in zip(coarser, self.FILTERS)]
        stages = zip(self.HEIGHTS, joined, self.UP_INNER, self.UP_FILTERS)
        for number, options in enumerate(stages, 1):
            setattr(self, f"stage{number}d", ResidualU(*options))
        for number, filters in enumerate((*self.UP_FILTERS, self.FILTERS[5]), 1):
            side = nn.Conv2d(filters, classes, 3, padding=1)
            setattr(self, f"side{number}", side)
        self.outconv = nn.Conv2d(6 * classes, classes, 1)

    def forward(self, x):
        skips = []
        for number in range(1, 7):
            if skips:
                x = functional.max_pool2d(x, 2, ceil_mode=True)
            x = getattr(self, f"stage{number}")(x)
            skips.append(x)
        scores = [self.side6(x)]
        for number in range(5, 0, -1):
            skip = skips[number - 1]
            x = torch.cat([resize(x, skip), skip], 1)
            x = getattr(self, f"stage{number}d")(x)
            scores.append(getattr(self, f"side{number}")(x))
        scores = [resize(score, x) for score in reversed(scores)]
        return self.outconv(torch.cat(scores, 1))


def step(channels, filters, size=1, bias=False, nested=True):
    """Layers of a convolution with a normalisation, in a sequence of its own or not."""
    conv = nn.Conv2d(channels, filters, size, padding=size // 2, bias=bias)
    norm = (nn.BatchNorm2d(filters), nn.ReLU())
    return [conv, nn.Sequential(*norm)] if nested else [conv, *norm]


class Context(nn.Module):
    """Pixels that attend to the average features of each class (section 3.2)."""

    def __init__(self, filters, inner):
        super().__init__()
        self.f_pixel = nn.Sequential(*step(filters, inner), *step(inner, inner))
        self.f_object = nn.Sequential(*step(filters, inner), *step(inner, inner))
        self.f_down = nn.Sequential(*step(filters, inner))
        self.f_up = nn.Sequential(*step(inner, filters))

    def forward(self, x, regions):
        query = self.f_pixel(x).flatten(2)  # [N, C, HW]
        key, value = self.f_object(regions).flatten(2), self.f_down(regions).flatten(2)
        weights = torch.einsum("ncp,nck->npk", query, key) / query.shape[1] ** 0.5
        x = torch.einsum("npk,nck->ncp", weights.softmax(-1), value).reshape(
            len(x), -1, *x.shape[2:]
        )
        return self.f_up(x)


class OCR(nn.Module):
    """Object-contextual representations on an HRNet of timm.

    After https://arxiv.org/abs/1909.11065; corners are aligned wherever it resizes, in
    the HRNet too, where timm repeats pixels.
    """

    def __init__(self, classes, width, filters=512, inner=256):
        super().__init__()
        import timm

        net = timm.create_model(f"hrnet_w{width}")
        parts = ("conv1", "bn1", "conv2", "bn2", "layer1")
        parts += tuple(f"transition{i}" for i in (1, 2, 3))
        parts += tuple(f"stage{i}" for i in (2, 3, 4))
        for name in parts:
            setattr(self, name, getattr(net, name))
        joined = 15 * width
        self.aux_head = nn.Sequential(
            *step(joined, joined, bias=True, nested=False),
            nn.Conv2d(joined, classes, 1),
        )
        self.conv3x3_ocr = nn.Sequential(*step(joined, filters, 3, True, nested=False))
        self.ocr_distri_head = nn.Module()
        self.ocr_distri_head.object_context_block = Context(filters, inner)
        fuse = nn.Sequential(*step(2 * filters, filters))
        self.ocr_distri_head.conv_bn_dropout = fuse
        self.cls_head = nn.Conv2d(filters, classes, 1)

    def branches(self, x):
        x = self.bn1(self.conv1(x)).relu()
        x = self.bn2(self.conv2(x)).relu()
        branches = [self.layer1(x)]
        for number in (1, 2, 3):
            steps = getattr(self, f"transition{number}")
            sources = [*branches, branches[-1]][: len(steps)]
            branches = [step(x) for step, x in zip(steps, sources)]
            for module in getattr(self, f"stage{number + 1}"):
                branches = exchange(module, branches)
        return branches

    def forward(self, image):
        first, *others = self.branches(image)
        others = [resize(x, first, align_corners=True) for x in others]
        joined = torch.cat([first, *others], 1)
        x, coarse = self.conv3x3_ocr(joined), self.aux_head(joined)
        weights = coarse.flatten(2).softmax(-1)  # over positions
        regions = torch.einsum("nkp,ncp->nck", weights, x.flatten(2))[..., None]
        context = self.ocr_distri_head.object_context_block(x, regions)
        x = self.ocr_distri_head.conv_bn_dropout(torch.cat([context, x], 1))
        outputs = {"out": self.cls_head(x), "aux": coarse}
        return {k: resize(v, image, align_corners=True) for k, v in outputs.items()}


def exchange(module, branches):
    """A module of HRNet, of any size of the image; timm wants doubled sizes."""
    branches = [branch(x) for branch, x in zip(module.branches, branches)]
    fused = []
    for target, steps in enumerate(module.fuse_layers):
        like, total = branches[target], 0
        for source, (step, x) in enumerate(zip(steps, branches)):
            if source > target:  # without the nearest-neighbour resizing behind them
                x = resize(step[1](step[0](x)), like, align_corners=True)
            elif source < target:
                x = step(x)
            total = total + x
        fused.append(total.relu())
    return fused
