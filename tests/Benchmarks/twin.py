#!/usr/bin/env python3
"""The benchmark's other side: forward and backward of the same network in PyTorch, on request.

Reads a number of iterations a line from standard input, runs as many, answers "wall-seconds cpu-seconds page-faults loss".
Started by Cluster.Benchmarks, which runs its own side in between.
"""
import argparse
import pathlib
import resource
import sys
import time

import torch
from torch.nn import functional as F

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "generators")]
import models  # noqa: E402


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--model", default="resnet18")
    arguments.add_argument("--batch", type=int, default=64)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--channels-last", type=int, default=1)
    chosen = arguments.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.use_deterministic_algorithms(True)
    network = {
        "small-cnn": lambda: models.SmallCnn(),
        "resnet20": lambda: models.CifarResNet20(),
        "resnet18": lambda: models.resnet18(10, cifar_stem=True),
    }[chosen.model]()
    models.fill_state(network)
    network.train()
    images, labels = models.leaf(chosen.batch, 10, (3, 32, 32))
    if chosen.channels_last:
        images = images.contiguous(memory_format=torch.channels_last)
    parameters = list(network.parameters())
    print(f"ready {torch.__version__}", flush=True)
    for line in sys.stdin:
        wall, cpu, faults = time.perf_counter(), time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(int(line)):
            for parameter in parameters:
                parameter.grad = None
            loss = F.cross_entropy(network(images), labels, reduction="sum")
            loss.backward()
            value = loss.item()
        wall, cpu, faults = time.perf_counter() - wall, time.process_time() - cpu, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
        print(f"{wall:.9f} {cpu:.9f} {faults} {value:.6f}", flush=True)


if __name__ == "__main__":
    main()
