"""The networks of `cluster bench peers` in PyTorch: the same layers in the same order as in Models/Architectures."""
import torch
from torch import nn
from torch.nn import functional as F


class SmallCnn(nn.Module):
    """SmallCnn.cs: six 3x3 convolutions, a max-pool in front of the BatchNorm of every second one, global max-pool."""

    WIDTHS = (32, 64, 64, 128, 128, 128)

    def __init__(self, classes=10):
        super().__init__()
        inputs, self.convolutions, self.norms = 3, nn.ModuleList(), nn.ModuleList()
        for width in self.WIDTHS:
            self.convolutions.append(nn.Conv2d(inputs, width, 3, padding=1, bias=False))
            self.norms.append(nn.BatchNorm2d(width))
            inputs = width
        self.classifier = nn.Linear(inputs, classes, bias=False)

    def forward(self, x):
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms)):
            x = convolution(x)
            if i % 2 == 1:
                x = F.max_pool2d(x, 2)
            x = F.relu(norm(x), inplace=True)
        return self.classifier(F.adaptive_max_pool2d(x, 1).flatten(1))


class BasicBlock(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.shortcut = nn.Identity() if stride == 1 and inputs == width else nn.Sequential(
            nn.Conv2d(inputs, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True)))
        y += self.shortcut(x)
        return F.relu(y, inplace=True)


class ResNet18(nn.Module):
    """ResNet.cs with the CIFAR stem: a 3x3 convolution of stride 1 and no max-pool in front of the four stages."""

    def __init__(self, classes=10):
        super().__init__()
        self.stem, self.norm, inputs, blocks = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), 64, []
        for width, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
            blocks += [BasicBlock(inputs, width, stride), BasicBlock(width, width, 1)]
            inputs = width
        self.stages, self.classifier = nn.Sequential(*blocks), nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.stages(F.relu(self.norm(self.stem(x)), inplace=True))
        return self.classifier(x.mean((2, 3)))


BY_NAME = {"small-cnn": SmallCnn, "resnet18": ResNet18}


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def images(number: int, channels_last: bool):
    """Pixels like normalised ones, and labels; the same for every caller."""
    source = torch.Generator().manual_seed(1)
    pixels = torch.randn(number, 3, 32, 32, generator=source)
    if channels_last:
        pixels = pixels.contiguous(memory_format=torch.channels_last)
    return pixels, torch.randint(0, 10, (number,), generator=source)
