"""Exports write tapes in the formats of other programs: ONNX, as a graph of layers (onnx) and its operators."""

from autograd.tape.exports.onnx import labelled, to_onnx

__all__ = ["labelled", "to_onnx"]
