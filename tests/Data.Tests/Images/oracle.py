#!/usr/bin/python3
"""torchvision's answer to what ImageReader does. A job a line on standard input, words separated by tabs:

    eval PATH SIDE SHORT            Resize(SHORT) and CenterCrop(SIDE)
    crop PATH SIDE X Y W H FLIP     resized_crop of that box, and hflip where FLIP is 1
    jitter PATH PART FACTOR         the whole picture with one part of ColorJitter (0 to 3)

The pixels of all answers, one after the other, rows of RGB, go to the file named by the first argument.
Ends with 77 where torchvision or Pillow is missing.
"""
import sys

try:
    from PIL import Image, ImageOps
    from torchvision import transforms
    from torchvision.transforms import functional
except ImportError as missing:
    print(missing)
    sys.exit(77)


def answer(kind, path, *words):
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    if kind == "eval":
        side, short = map(int, words)
        return transforms.CenterCrop(side)(transforms.Resize(short)(image))
    if kind == "jitter":
        part, factor = int(words[0]), float(words[1])
        adjust = [functional.adjust_brightness, functional.adjust_contrast, functional.adjust_saturation, functional.adjust_hue]
        return adjust[part](image, factor)
    side, x, y, w, h, flip = map(int, words)
    cut = functional.resized_crop(image, y, x, h, w, [side, side])
    return functional.hflip(cut) if flip else cut


with open(sys.argv[1], "wb") as output:
    for line in sys.stdin:
        output.write(answer(*line.rstrip("\n").split("\t")).tobytes())
