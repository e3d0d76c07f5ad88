"""Swin V2 tiny at 256²: forward, backward and AdamW in PyTorch, for comparison with `medley-bench`'s `training`.

The same encoder as torchvision's `swin_v2_t` without its classifier and its stochastic depth; the loss is the mean square of its output. Prints one JSON
row for each way: images a second (median of the timed steps), and the largest memory that PyTorch took from the card.
"""

import argparse
import json
import statistics
import time

import torch
from torchvision.models.swin_transformer import PatchMergingV2, SwinTransformer, SwinTransformerBlockV2

SIDE = 256
WARM_UP = 10


def measure(precision: str, compiled: bool, batch: int, steps: int) -> dict:
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    model = SwinTransformer(
        patch_size=[4, 4],
        embed_dim=96,
        depths=[2, 2, 6, 2],
        num_heads=[3, 6, 12, 24],
        window_size=[8, 8],
        stochastic_depth_prob=0.0,
        block=SwinTransformerBlockV2,
        downsample_layer=PatchMergingV2,
    )
    model = model.cuda().train()
    # The encoder alone, as in Medley: its last norm and its classifier are not applied.
    encoder = torch.nn.Sequential(*model.features)
    step_of = torch.compile(encoder) if compiled else encoder
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=1e-4, weight_decay=0.05)
    images = torch.rand(batch, 3, SIDE, SIDE, device="cuda")
    torch.cuda.reset_peak_memory_stats()
    times = []
    for step in range(WARM_UP + steps):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bf16"):
            output = step_of(images)
        output.float().square().mean().backward()
        optimizer.step()
        torch.cuda.synchronize()
        if step >= WARM_UP:
            times.append(time.perf_counter() - begin)
    return {
        "engine": "pytorch " + torch.__version__,
        "way": "compile" if compiled else "eager",
        "precision": precision,
        "batch": batch,
        "images_per_second": batch / statistics.median(times),
        "low": batch / max(times),
        "high": batch / min(times),
        "peak_mib": torch.cuda.max_memory_allocated() / 2**20,
        "device": torch.cuda.get_device_name(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--json", help="append rows to this file")
    parser.add_argument("--precision", nargs="+", default=["f32", "tf32", "bf16"], choices=["f32", "tf32", "bf16"])
    parser.add_argument("--way", nargs="+", default=["eager", "compile"], choices=["eager", "compile"])
    arguments = parser.parse_args()
    for precision in arguments.precision:
        for compiled in [way == "compile" for way in arguments.way]:
            row = json.dumps(measure(precision, compiled, arguments.batch, arguments.steps))
            print(row, flush=True)
            if arguments.json:
                with open(arguments.json, "a", encoding="utf-8") as file:
                    file.write(row + "\n")


if __name__ == "__main__":
    main()
