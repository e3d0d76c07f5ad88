"""Answers of an ONNX graph by ONNX Runtime: reads the float32 input from a file, prints each output's shape and writes its values.

usage: answers.py MODEL.onnx INPUT.f32 BATCH HEIGHT WIDTH OUT-FOLDER
"""

import json
import pathlib
import sys

import numpy
import onnxruntime

model, source, batch, height, width, out = sys.argv[1:]
image = numpy.fromfile(source, dtype="<f4").reshape(int(batch), 3, int(height), int(width))
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
names = [output.name for output in session.get_outputs()]
shapes = {}
for name, values in zip(names, session.run(names, {"image": image})):
    shapes[name] = list(values.shape)
    values.astype("<f4").tofile(pathlib.Path(out) / f"{name}.f32")
print(json.dumps(shapes))
