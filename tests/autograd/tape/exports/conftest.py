from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session", params=["onnxruntime", "onnx.reference"])
def run(request):
    """A function that checks a model, and gives what ONNX Runtime, or ONNX's own evaluator, computes with it."""
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip(request.param)

    def run(model, batch):
        onnx.checker.check_model(model, full_check=True)
        [inputs], [outputs] = model.graph.input, model.graph.output
        dtype = onnx.helper.tensor_dtype_to_np_dtype(inputs.type.tensor_type.elem_type)
        assert (inputs.name, inputs.type.tensor_type.shape.dim[0].dim_param) == ("inputs", "batch")
        given = {"inputs": np.asarray(batch, dtype)}
        if request.param == "onnxruntime":
            session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
            [result] = session.run([outputs.name], given)
        else:
            with np.errstate(all="ignore"):
                [result] = runtime.ReferenceEvaluator(model).run([outputs.name], given)
        assert result.dtype == dtype
        return result

    return run
