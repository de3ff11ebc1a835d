#!/usr/bin/env bash
# Sigmoid, Elu and Softplus lose the small numbers of their left tails, in ONNX Runtime 1.32.0 (and 1.31.1).
#
# Seen on CPython 3.11, x86-64, the CPU provider:
#
#     Sigmoid  float64 at -30    9.348e-14, is 9.358e-14     at -37    0, is 8.533e-17
#     Sigmoid  float32 at -17.9  2.980e-08, is 1.683e-08     at -18.1  0, is 1.378e-08
#     Elu      float32 at -1e-8  0, is -1e-08
#     Softplus float64 at -30    9.348e-14, is 9.358e-14     at -40    0, is 4.248e-18
#
# float32 has numbers down to 1e-45, float64 down to 5e-324. The loss -log(sigmoid(x)) is infinite from there on; a
# graph that computes 1 / (1 + Exp(-x)) by ONNX's other operators has all digits. In float64 there are no kernels at all
# for Acos, Acosh, Asin, Asinh, Atan, Atanh, Cosh, Erf, Sinh and Tan.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
"$folder/bin/python" -W ignore - <<'END'
import math

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

onnxruntime.set_default_logger_severity(4)
TYPES = {"float64": TensorProto.DOUBLE, "float32": TensorProto.FLOAT}


def at(operator, numbers, dtype):
    kind = TYPES[dtype]
    x, y = (helper.make_tensor_value_info(name, kind, ["n"]) for name in "xy")
    graph = helper.make_graph([helper.make_node(operator, ["x"], ["y"])], "graph", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": np.array(numbers, dtype)})[0].astype(float)


def compare(operator, dtype, numbers, function):
    found, true = at(operator, numbers, dtype), [function(float(np.dtype(dtype).type(x))) for x in numbers]
    for x, mine, its in zip(numbers, found, true):
        print(f"{operator:<9}{dtype} at {x:<7g} {mine:.3e}, is {its:.3e}")
    return found, np.array(true)


print("onnxruntime", onnxruntime.__version__)
found, true = compare("Sigmoid", "float64", [-30.0, -37.0], lambda x: 1 / (1 + math.exp(-x)))
assert abs(found[0] / true[0] - 1) > 5e-4 and found[1] == 0
found, true = compare("Sigmoid", "float32", [-17.9, -18.1], lambda x: 1 / (1 + math.exp(-x)))
assert found[0] > 1.5 * true[0] and found[1] == 0
found, _ = compare("Elu", "float32", [-1e-8], math.expm1)
assert found[0] == 0
found, true = compare("Softplus", "float64", [-30.0, -40.0], lambda x: math.log1p(math.exp(x)))
assert abs(found[0] / true[0] - 1) > 5e-4 and found[1] == 0

without = []
for operator in "Acos Acosh Asin Asinh Atan Atanh Cos Cosh Erf Exp Log Sin Sinh Sqrt Tan Tanh".split():
    try:
        at(operator, [0.5], "float64")
    except Exception as error:
        assert "NOT_IMPLEMENTED" in str(error), error
        without.append(operator)
print("no float64:", *without)
assert without == "Acos Acosh Asin Asinh Atan Atanh Cosh Erf Sinh Tan".split()
END
