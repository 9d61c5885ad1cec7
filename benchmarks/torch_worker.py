"""Worker process of versus_torch.py and engines.py, in the environment of PyTorch.

Arguments: "eager" or "compile", "float32" or "bfloat16", a name in torch_models, images
of a batch, their side. For each line on stdin, "training" (of a network whose output
are scores of classes) or "inference", it runs one batch and prints CPU and wall
seconds.
"""

import sys
import time

import torch
from torch import nn
from torch_models import MODELS

CLASSES = 2  # of random labels


def main():
    mode, precision, name, *sizes = sys.argv[1:]
    batch, size = map(int, sizes)
    torch.manual_seed(0)
    model = MODELS[name]().to(memory_format=torch.channels_last)
    run = torch.compile(model) if mode == "compile" else model
    images = torch.randint(0, 256, (batch, 3, size, size)) / 255.0
    images = images.to(memory_format=torch.channels_last)
    labels = torch.randint(0, CLASSES, (batch, size, size))
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
            run(images)

    kinds = {"training": training, "inference": inference}
    print(sum(p.numel() for p in model.parameters()), flush=True)
    for line in sys.stdin:
        cpu, wall = time.process_time(), time.perf_counter()
        kinds[line.strip()]()
        print(time.process_time() - cpu, time.perf_counter() - wall, flush=True)


if __name__ == "__main__":
    main()
