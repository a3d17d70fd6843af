"""Checks an exported network with the onnx and onnxruntime packages of PyPI.

usage: check_onnx.py MODEL INPUTS EXPECTED
MODEL is the .onnx file; INPUTS and EXPECTED hold raw little-endian float32, row-major. Prints one line,
`max_difference=… ir_version=… opset=…`, where the difference is absolute below 1 and relative above.
"""
import sys

import numpy
import onnx
import onnxruntime

model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
(source,), (sink,) = session.get_inputs(), session.get_outputs()
inputs = numpy.fromfile(sys.argv[2], dtype="<f4").reshape(-1, source.shape[1])
expected = numpy.fromfile(sys.argv[3], dtype="<f4").reshape(len(inputs), -1)
found = session.run([sink.name], {source.name: inputs})[0]
assert found.shape == expected.shape, (found.shape, expected.shape)
difference = numpy.max(numpy.abs(found - expected) / numpy.maximum(1, numpy.abs(expected)))
print(f"max_difference={difference:.3g} ir_version={model.ir_version} opset={model.opset_import[0].version}")
