#!/usr/bin/env bash
# Everything that a machine with an NVIDIA card is wanted for, in one command, without a network:
#
#   bench/training/run.sh OUT [DATA]
#
# needs the binaries `medley` and `training` beside this script or in target/release, built with
#   cargo build --release --package medley-cli --package medley-bench --features medley-cli/cuda,medley-bench/cuda
# and, for the comparison, a python3 with torch and torchvision. Results go to OUT; DATA is a task database, with which
# the nano is pretrained for as long as MINUTES says (default 8).
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: run.sh OUT [DATA]}
data=${2:-}
mkdir -p "$out"
find_binary() {
    for place in "$here/$1" "$here/../../target/release/$1"; do
        [ -x "$place" ] && echo "$place" && return
    done
    echo "run.sh: no binary $1; build it first (see the head of this script)" >&2
    exit 2
}
medley=$(find_binary medley) || exit 2
training=$(find_binary training) || exit 2

nvidia-smi > "$out/card.txt" 2>&1 || echo "no nvidia-smi" > "$out/card.txt"
echo "== Does the card compute as the processor does?"
"$medley" check-device --device cuda 2>&1 | tee "$out/agreement.txt"

echo "== Speed of training, both engines on the same card"
for precision in f32 bf16; do
    "$training" --device cuda --precision "$precision" --batch 64 --steps 12 --json "$out/training.jsonl" 2>&1 |
        tee -a "$out/training.txt"
done
# Compiling in PyTorch takes minutes: `--way eager compile` where there is time for it.
python3 "$here/pytorch.py" --batch 64 --steps 15 --way eager --json "$out/training.jsonl" 2>&1 |
    tee -a "$out/training.txt"

if [ -n "$data" ]; then
    echo "== Pretraining"
    nvidia-smi --query-gpu=utilization.gpu,memory.used --format=csv -l 5 > "$out/utilization.csv" 2>/dev/null &
    watcher=$!
    timeout --signal=INT "$((60 * ${MINUTES:-8}))" \
        "$medley" pretrain nano-gpu --device cuda --data "$data" --runs "$out/runs" 2>&1 | tee "$out/pretrain.txt"
    kill "$watcher" 2>/dev/null
fi
