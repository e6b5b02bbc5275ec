#!/usr/bin/env python3
"""PyTorch's side of `cluster bench peers`: P processes on this machine train one network, together or each for itself.

    ddp_peer.py --model resnet18 --parameters 11173962 --mode ddp --processes 2 --images 64 --warmup 3 --steps 10

--mode ddp: torch.nn.parallel.DistributedDataParallel over gloo, one step of all processes at a time. --mode alone: the same
training loop in every process without any exchange, at the same time. Float32 from memory, cross-entropy, momentum SGD, no
evaluation, nothing printed in the loop. The last line of output is one JSON object: images_per_second of all processes.
"""
import argparse
import json
import os
import sys
import tempfile
import time

os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # else gloo looks up the host's name, which a container may not have

import torch  # noqa: E402
import torch.distributed as distributed  # noqa: E402
import torch.multiprocessing as multiprocessing  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import networks  # noqa: E402

BATCHES_IN_MEMORY = 32
WRONG_PARAMETERS = 3


def train(rank, options, rendezvous, barrier, finished, results):
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    network = networks.BY_NAME[options.model]().train()
    if options.channels_last:
        network = network.to(memory_format=torch.channels_last)
    together = options.mode == "ddp"
    if together:
        distributed.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=options.processes)
        network = torch.nn.parallel.DistributedDataParallel(
            network, gradient_as_bucket_view=True, broadcast_buffers=bool(options.broadcast_buffers))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    pixels, labels = networks.images(BATCHES_IN_MEMORY * options.images, options.channels_last)

    def step(number):
        batch = slice(number % BATCHES_IN_MEMORY * options.images, (number % BATCHES_IN_MEMORY + 1) * options.images)
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(network(pixels[batch]), labels[batch]).backward()
        optimizer.step()

    for number in range(options.warmup):
        step(number)
    barrier.wait()
    begin = time.perf_counter()
    for number in range(options.steps):
        step(options.warmup + number)
    seconds = time.perf_counter() - begin
    with finished.get_lock():
        finished.value += 1
    # Whoever computes alone goes on until the last one is done: nobody is measured on a machine of his own.
    while not together and finished.value < options.processes:
        step(0)
    results.put((rank, seconds))
    barrier.wait()
    if together:
        distributed.destroy_process_group()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--model", choices=sorted(networks.BY_NAME), required=True)
    arguments.add_argument("--mode", choices=["ddp", "alone"], required=True)
    arguments.add_argument("--parameters", type=int, required=True, help="what the other side counts; another number here is an error")
    arguments.add_argument("--processes", type=int, default=2)
    arguments.add_argument("--images", type=int, default=64, help="per process and step")
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--warmup", type=int, default=3, help="steps before the first that is measured")
    arguments.add_argument("--steps", type=int, default=10)
    arguments.add_argument("--channels-last", type=int, default=1)
    arguments.add_argument("--broadcast-buffers", type=int, default=1)
    options = arguments.parse_args()

    parameters = networks.count(networks.BY_NAME[options.model]())
    if parameters != options.parameters:
        print(f"{options.model} has {parameters} parameters in PyTorch and {options.parameters} on the other side: not the same network", file=sys.stderr)
        return WRONG_PARAMETERS
    context = multiprocessing.get_context("fork")  # torch has started no thread yet
    barrier, finished, results = context.Barrier(options.processes), context.Value("i", 0), context.SimpleQueue()
    with tempfile.TemporaryDirectory() as room:
        shared = (options, os.path.join(room, "rendezvous"), barrier, finished, results)
        multiprocessing.start_processes(train, args=shared, nprocs=options.processes, start_method="fork")
        seconds = [results.get()[1] for _ in range(options.processes)]
    images = options.images * options.steps
    # Together a step ends when it ends for all; alone each has its own pace.
    rate = images * options.processes / max(seconds) if options.mode == "ddp" else sum(images / own for own in seconds)
    print(json.dumps({"images_per_second": rate, "parameters": parameters, "torch": torch.__version__}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
