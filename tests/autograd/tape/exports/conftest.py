from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def run():
    """A function that checks a model, and gives what ONNX Runtime computes with it."""
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")

    def run(model, batch):
        onnx.checker.check_model(model, full_check=True)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        [inputs], [outputs] = session.get_inputs(), session.get_outputs()
        assert (inputs.name, outputs.name, inputs.shape[0]) == ("inputs", "outputs", "batch")
        dtype = {"tensor(double)": np.float64, "tensor(float)": np.float32}[inputs.type]
        [result] = session.run(None, {"inputs": np.asarray(batch, dtype)})
        assert result.dtype == dtype
        return result

    return run
