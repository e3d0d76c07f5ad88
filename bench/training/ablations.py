"""One lever of pretraining, or another encoder, at a time, at equal length, on validation splits only.

    cargo build --release --package medley-cli
    python3 bench/training/ablations.py OUT [--data ../shared/data] [--cores 0,1] [--only base-1,mixup] [--steps 200]

Every run is configs/left-out.toml with one change. Besides the validation figures of its own 13 tasks, each encoder is
probed on the validation split of blood-cell-type, which none of them saw: whether a lever helps what was trained, and
whether it helps what was not, are two questions. Runs go side by side, one on each core, and on to the next; what is
done stays in OUT, and the same command goes on. The table is printed at the end and written to OUT/table.md.
"""

import argparse
import json
import os
import queue
import re
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TASKS = (ROOT / "configs/left-out.toml").read_text()
TASKS = TASKS[TASKS.index("[[tasks]]") :]
VIEWS = re.sub(r"per_batch = (\d+)\nbalance = true", r"per_batch = \1\nbalance = true\nviews = 2", TASKS)

# What each run changes: keys before the tables, [optimizer], further tables, tasks.
LEVERS = {
    "base-1": {},
    "base-2": {"top": "seed = 2"},
    "no-average": {"optimizer": "average = 0"},
    "augmentation-0": {"top": "augmentation = 0.0"},
    "augmentation-1": {"top": "augmentation = 1.0"},
    "crop": {"tables": "[augment]\ncrop = 0.4"},
    "mixup": {"tables": "[augment]\nmixup = 0.2"},
    "scale-2": {"tables": "[augment]\nscale = 2.0"},
    "blur-cutout": {"tables": "[augment]\nblur = 1.0\ncutout = 0.3"},
    "sizes": {"top": "sizes = [128, 160, 192]"},
    "stochastic-depth": {"top": "stochastic_depth = 0.1"},
    "views": {"tasks": VIEWS},
    "self-supervision": {
        "tables": "[self_supervision]\nweight = 0.3",
        "tasks": VIEWS,
    },
    "unbalanced": {"tasks": TASKS.replace("balance = true\n", "")},
}
# Other shapes of the encoder: stem, widths, depths, blocks.
ENCODERS = {
    "wider": (24, [40, 80, 160, 320], [1, 2, 2, 2], ["residual"] * 4),
    "deeper": (16, [32, 64, 128, 256], [2, 2, 3, 2], ["residual"] * 4),
    "half-inverted": (16, [32, 64, 128, 256], [1, 2, 4, 3], ["residual", "residual", "inverted", "inverted"]),
    "inverted": (16, [24, 48, 112, 224], [2, 3, 5, 3], ["inverted"] * 4),
}
for _name, (_stem, _widths, _depths, _blocks) in ENCODERS.items():
    _shape = f"stem = {_stem}\nwidths = {_widths}\ndepths = {_depths}\nblocks = {json.dumps(_blocks)}"
    LEVERS[_name] = {"tables": f"[nano]\n{_shape}"}
PROBED, FRACTION, SEEDS = "blood-cell-type", 5, 3


def configuration(name, steps):
    lever = LEVERS[name]
    top = lever.get("top", "")
    seed = "" if "seed" in top else "seed = 1"
    return f"""preset = "nano-cpu"
name = "{name}"
{seed}
steps = {steps}
validate_every = {steps}
validate_images = 80
checkpoint_every = {steps}
threads = 1
{top}
[optimizer]
warmup = {steps // 5}
{lever.get("optimizer", "average = 0.99")}
{lever.get("tables", "")}
{lever.get("tasks", TASKS)}"""


def run(name, core, asked):
    """Pretrains and probes; both go on from what is there."""
    config = asked.out / f"{name}.toml"
    config.write_text(configuration(name, asked.steps))
    pretrain = ["pretrain", str(config.name)]
    probe = f"evaluate --protocol few-shot --run runs/{name} --task {PROBED} --split val --mode frozen".split()
    probe += ["--fractions", str(FRACTION), "--seeds", str(SEEDS), "--json", f"{name}.probe.json"]
    with (asked.out / f"{name}.log").open("a") as log:
        for command in (pretrain, probe):
            pinned = ["taskset", "-c", core] if core else []
            subprocess.run(
                [*pinned, str(asked.medley), *command],
                cwd=asked.out,
                env={**os.environ, "MEDLEY_DATA": str(asked.data)},
                stdout=log,
                stderr=subprocess.STDOUT,
                check=True,
            )


def mean(values):
    return sum(values) / len(values)


def line(name, out):
    """The row of a finished run; none if it has not finished."""
    metrics, probe = out / "runs" / name / "metrics.jsonl", out / f"{name}.probe.json"
    if not (metrics.exists() and probe.exists()):
        return None
    rows = [json.loads(text) for text in metrics.read_text().splitlines()]
    rows = [row["validation"] for row in rows if "validation" in row]
    if not rows:
        return None
    of = {}
    for row in rows[-1]:
        if row["metric"] in ("macro-f1", "dice", "map50"):
            of.setdefault(row["metric"], []).append(row["value"])
    every = mean([value for values in of.values() for value in values])
    kinds = [mean(of[metric]) for metric in ("macro-f1", "dice", "map50")]
    probed = [row["value"] for row in json.loads(probe.read_text()) if row["mode"] == "frozen"]
    if len(probed) < SEEDS:
        return None
    return f"| {name} | " + " | ".join(f"{value:.3f}" for value in [every, *kinds, mean(probed)]) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--medley", type=Path, default=ROOT / "target/release/medley")
    parser.add_argument("--cores", default="", help="cores to pin runs to, as 0,1; one run at a time without")
    parser.add_argument("--only", default=",".join(LEVERS))
    parser.add_argument("--steps", type=int, default=200)
    asked = parser.parse_args()
    asked.out, asked.data, asked.medley = asked.out.resolve(), asked.data.resolve(), asked.medley.resolve()
    names = asked.only.split(",")
    if unknown := set(names) - set(LEVERS):
        parser.error(f"unknown runs {', '.join(sorted(unknown))}; there are {', '.join(LEVERS)}")
    if not asked.medley.exists():
        parser.error(f"no program {asked.medley}; build it as the head of this script says")
    asked.out.mkdir(parents=True, exist_ok=True)

    waiting, failed = queue.Queue(), []
    for name in names:
        waiting.put(name)

    def work(core):
        while True:
            try:
                name = waiting.get_nowait()
            except queue.Empty:
                return
            print(f"{name} on core {core or 'any'}", flush=True)
            try:
                run(name, core, asked)
            except subprocess.CalledProcessError:
                failed.append(name)

    workers = [threading.Thread(target=work, args=(core,)) for core in asked.cores.split(",")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    head = f"| run | mean | classification | segmentation | detection | probe, {FRACTION} % |"
    rows = [row for name in LEVERS if (row := line(name, asked.out))]
    table = "\n".join([head, "|---|---:|---:|---:|---:|---:|", *rows])
    (asked.out / "table.md").write_text(table + "\n")
    print(table)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; see their logs in {asked.out}")


if __name__ == "__main__":
    main()
