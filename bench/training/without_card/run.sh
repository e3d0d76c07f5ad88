#!/usr/bin/env bash
# Runs a command of a build with the feature `cuda` on a driver that computes nothing (driver.c), for machines without a card:
#
#   bench/training/without_card/run.sh target/release/medley pretrain nano-gpu --device cuda --data DIR
#
# It shows what panics before the card is rented, which kernels NVRTC refuses, how many there are and how long the host alone
# takes for a step. What is computed is worthless: every float that is read back is 2. NVRTC and the headers come from PyPI,
# once, into target/without-card; needs a C compiler and pip.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
place="$here/../../../target/without-card"
mkdir -p "$place"
place=$(cd "$place" && pwd)
version="13.0.*"
if [ ! -e "$place/nvidia/cu13/include/crt/mma.h" ]; then
    python3 -m pip install --quiet --no-deps --target "$place" "nvidia-cuda-nvrtc==$version" "nvidia-cuda-runtime==$version" "nvidia-cuda-crt==$version"
fi
cc -shared -fPIC -O1 -o "$place/libcuda.so" "$here/driver.c"
export LD_LIBRARY_PATH="$place:$place/nvidia/cu13/lib:${LD_LIBRARY_PATH:-}" CUDA_PATH="$place/nvidia/cu13"
"$@"
