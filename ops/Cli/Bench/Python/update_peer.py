#!/usr/bin/env python3
"""PyTorch's side of `cluster bench update`: momentum-SGD on one flat tensor, one thread.

Writes "ready VERSION" once everything is allocated; then, for every line that it reads, runs each operation once and answers
their seconds: in-place operations, torch.optim.SGD. Ends at the end of its input.
"""
import argparse
import sys
import time

import torch

DECAY, MOMENTUM, RATE, SAMPLES = 5e-4, 0.9, 1e-3, 512
TENSOR = 589_824  # floats of the largest convolution of a ResNet-18's third stage; the optimizer walks over many tensors


def in_place(gradient, weights, momentum):
    gradient.div_(SAMPLES)
    gradient.add_(weights, alpha=DECAY)
    momentum.mul_(MOMENTUM).add_(gradient)
    weights.add_(momentum, alpha=-RATE)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--parameters", type=int, required=True)
    count = arguments.parse_args().parameters
    torch.set_num_threads(1)
    torch.manual_seed(1)
    source, weights, momentum = torch.rand(count) - 0.5, torch.rand(count) - 0.5, torch.zeros(count)
    gradient = torch.empty_like(source)
    parameters = [torch.nn.Parameter(part.clone()) for part in weights.split(TENSOR)]
    optimizer = torch.optim.SGD(parameters, lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)
    print(f"ready {torch.__version__}", flush=True)
    for _ in sys.stdin:
        gradient.copy_(source)
        for parameter, part in zip(parameters, source.split(TENSOR)):
            parameter.grad = part
        begin = time.perf_counter()
        in_place(gradient, weights, momentum)
        middle = time.perf_counter()
        optimizer.step()
        print(f"{middle - begin:.9f} {time.perf_counter() - middle:.9f}", flush=True)


if __name__ == "__main__":
    main()
