"""One encoder in ONNX Runtime, run whenever a line is read.

usage: onnx.py MODEL.onnx SIDE THREADS

Prints how many milliseconds the session took to make, then, for each line of the input, those of one run; at the end of the
input the process's peak memory in bytes.
"""

import pathlib
import re
import sys
import time

import numpy
import onnxruntime


def peak():
    """Most bytes in memory so far. (`ru_maxrss` is no less than that of the process that started this one.)"""
    status = pathlib.Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", status).group(1))


model, side, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
image = numpy.random.default_rng(0).random((1, 3, side, side), dtype=numpy.float32)
# What the language and its libraries take is not the engine's.
before = peak()
begin = time.perf_counter()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
print((time.perf_counter() - begin) * 1000, flush=True)
for _ in sys.stdin:
    begin = time.perf_counter()
    session.run(None, {"image": image})
    print((time.perf_counter() - begin) * 1000, flush=True)
print(peak() - before, flush=True)
