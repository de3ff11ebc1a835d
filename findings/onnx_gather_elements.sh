#!/usr/bin/env bash
# ONNX's reference evaluator refuses valid GatherElements, in onnx 1.23.2 on NumPy 2.4.6.
#
# Seen on CPython 3.11, where ONNX Runtime 1.32.0 and the axis counted from the front give the right elements:
#
#     axis -1 of (2, 3), index (2, 1)         ValueError: Except for dimension -1, all dimensions of index and self
#                                             should be the same size.
#     axis  2 of (1, 1, 64), index (1, 1, 1)  ValueError: Need at least 0 and at most 64 array objects.
#
# The shapes are compared by index.shape[:axis] + index.shape[axis + 1:], which for -1 is all but the last, and then
# all. The elements are picked by numpy.choose, which takes as many arrays as a NumPy function has arguments, less one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
"$folder/bin/python" -W ignore - <<'END'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator


def gathered(x, index, axis):
    """What ONNX Runtime makes of it, and the reference."""
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.DOUBLE, x.shape),
        helper.make_tensor_value_info("index", TensorProto.INT64, index.shape),
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.DOUBLE, index.shape)]
    node = helper.make_node("GatherElements", ["x", "index"], ["y"], axis=axis)
    graph = helper.make_graph([node], "graph", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    given = {"x": x, "index": index}
    try:
        reference = ReferenceEvaluator(model).run(None, given)[0].tolist()
    except ValueError as error:
        reference = f"ValueError: {error}"
    print(f"axis {axis:2} of {x.shape}, index {index.shape}: {session.run(None, given)[0].tolist()}, {reference}")
    return session.run(None, given)[0].tolist(), reference


print("onnx", onnx.__version__, "numpy", np.__version__)
x, index = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([[2], [0]])
assert gathered(x, index, 1) == ([[3.0], [4.0]], [[3.0], [4.0]])
right, refusal = gathered(x, index, -1)
assert right == [[3.0], [4.0]] and "Except for dimension -1" in refusal
for length in (63, 64):
    right, reference = gathered(np.arange(float(length)).reshape(1, 1, -1), np.array([[[7]]]), 2)
    assert right == [[[7.0]]]
    assert reference == right if length == 63 else "at most 64 array objects" in reference
END
