"""small-cnn in PyTorch and the safetensors format in numpy, independent of the code under test.
load FILE INPUTS LOGITS: reads the weights; write FILE INPUTS LOGITS: draws weights and writes them, bn1's counter left out.
Both then turn INPUTS (raw float32, [N, 3, 32, 32]) into LOGITS (raw float32, [N, 10]). Exit code 77: no PyTorch here."""
import json, struct, sys
try:
    import numpy as np, torch
except ImportError as missing:
    print(missing)
    sys.exit(77)
from torch.nn import functional as F

TYPES = {"F32": "<f4", "I64": "<i8"}


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    header.pop("__metadata__", None)
    return {n: torch.from_numpy(np.frombuffer(data[slice(*t["data_offsets"])], TYPES[t["dtype"]]).reshape(t["shape"]).copy()) for n, t in header.items()}


def write(path, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in tensors.items():
        raw = tensor.numpy().tobytes()
        header[name] = {"dtype": "I64" if tensor.dtype == torch.int64 else "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


class SmallCnn(torch.nn.Module):
    def __init__(self):
        super().__init__()
        inputs = 3
        for i, width in enumerate([32, 64, 64, 128, 128, 128], 1):
            setattr(self, f"conv{i}", torch.nn.Conv2d(inputs, width, 3, padding=1, bias=False))
            setattr(self, f"bn{i}", torch.nn.BatchNorm2d(width))
            inputs = width
        self.fc = torch.nn.Linear(inputs, 10, bias=False)

    def forward(self, x):
        for i in range(1, 7):
            x = getattr(self, f"conv{i}")(x)
            if i % 2 == 0:
                x = F.max_pool2d(x, 2)
            x = F.relu(getattr(self, f"bn{i}")(x))
        return self.fc(F.adaptive_max_pool2d(x, 1).flatten(1))


verb, weights, inputs, logits = sys.argv[1:]
torch.manual_seed(3)
torch.set_num_threads(1)
model = SmallCnn()
if verb == "load":
    model.load_state_dict(read(weights), strict=True)
else:
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith("num_batches_tracked"):
                value.fill_(391)
            elif "bn" in name:
                value.copy_(torch.rand_like(value) + 0.5 if "var" in name or "weight" in name else torch.randn_like(value) * 0.2)
    write(weights, {name: value for name, value in model.state_dict().items() if name != "bn1.num_batches_tracked"})
x = torch.from_numpy(np.fromfile(inputs, "<f4").reshape(-1, 3, 32, 32))
with torch.no_grad():
    model.eval()(x).numpy().astype("<f4").tofile(logits)
