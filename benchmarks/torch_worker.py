"""Worker process of versus_torch.py, run in the environment of PyTorch.

Arguments: "eager" or "compile", and "float32" or "bfloat16". For each line on stdin,
"training" or "inference", it runs one batch and prints CPU and wall seconds.
"""

import sys
import time

import torch
from torch import nn

BATCH, SIZE, CLASSES, FILTERS = 8, 256, 2, 16


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
    """The network of `zoo.unet(2, base_filters=16)`, on images already scaled."""

    def __init__(self):
        super().__init__()
        widths = [FILTERS * 2**level for level in range(5)]
        self.down = nn.ModuleList(
            double(a, b) for a, b in zip([3, *widths[:-1]], widths)
        )
        pairs = list(zip(widths[:0:-1], widths[-2::-1]))
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2) for a, b in pairs)
        self.join = nn.ModuleList(double(2 * b, b) for _, b in pairs)
        self.head = nn.Conv2d(FILTERS, CLASSES, 1)

    def forward(self, x):
        skips = []
        for level, block in enumerate(self.down):
            x = block(nn.functional.max_pool2d(x, 2) if level else x)
            skips.append(x)
        for up, join, skip in zip(self.up, self.join, skips[-2::-1]):
            x = join(torch.cat([skip, up(x)], 1))
        return self.head(x)


def main():
    mode, precision = sys.argv[1:]
    torch.manual_seed(0)
    model = UNet().to(memory_format=torch.channels_last)
    run = torch.compile(model) if mode == "compile" else model
    images = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE)) / 255.0
    images = images.to(memory_format=torch.channels_last)
    labels = torch.randint(0, CLASSES, (BATCH, SIZE, SIZE))
    optimizer = torch.optim.Adam(model.parameters(), 1e-4)
    mixed = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")

    def training():
        model.train()
        with mixed:
            loss = nn.functional.cross_entropy(run(images).float(), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    def inference():
        model.eval()
        with torch.inference_mode(), mixed:
            return run(images)[0, 0, 0, 0].item()

    kinds = {"training": training, "inference": inference}
    print(sum(p.numel() for p in model.parameters()), flush=True)
    for line in sys.stdin:
        cpu, wall = time.process_time(), time.perf_counter()
        kinds[line.strip()]()
        print(time.process_time() - cpu, time.perf_counter() - wall, flush=True)


if __name__ == "__main__":
    main()
