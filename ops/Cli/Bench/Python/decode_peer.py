#!/usr/bin/env python3
"""torchvision's side of `cluster bench decode`: one process of a data loader.

Holds the encoded bytes of its share of the images. Writes "ready VERSION"; then, for every line with a number of seconds, decodes,
crops, flips and normalises (the training transform of torchvision's reference recipe) for so long, and answers how many
images it made and in what time. Ends at the end of its input.
"""
import argparse
import io
import sys
import time

import torch
import torchvision
from PIL import Image
from torchvision import transforms


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--list", required=True, help="a file with a path a line")
    arguments.add_argument("--part", type=int, required=True)
    arguments.add_argument("--parts", type=int, required=True)
    arguments.add_argument("--side", type=int, required=True)
    given = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.part)
    with open(given.list, encoding="utf-8") as lines:
        paths = lines.read().splitlines()[given.part :: given.parts]
    images = []
    for path in paths:
        with open(path, "rb") as file:
            images.append(file.read())
    transform = transforms.Compose([
        transforms.RandomResizedCrop(given.side),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ])
    print(f"ready {torchvision.__version__}", flush=True)
    following = 0
    for line in sys.stdin:
        seconds, count, begin = float(line), 0, time.perf_counter()
        while time.perf_counter() - begin < seconds:
            transform(Image.open(io.BytesIO(images[following])).convert("RGB"))
            following = (following + 1) % len(images)
            count += 1
        print(f"{count} {time.perf_counter() - begin:.9f}", flush=True)


if __name__ == "__main__":
    main()
