"""Tape is a graph recorded once, and replayed on the numbers of whole batches without Python building it again.

An error function is an average over examples, and every example has the same graph. So one example's graph is recorded,
as a Wengert list, and the tape takes the batch.
"""

from __future__ import annotations

import os
import reprlib
from collections.abc import Mapping, Set
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple, cast, overload
from zlib import crc32

from autograd import files, structures
from autograd.displays import Table, in_notebooks
from autograd.engines import Value
from autograd.operands import described, number_in
from autograd.operation import are_places
from autograd.packages import numpy
from autograd.recording import end_stale_blocks
from autograd.tape import executors
from autograd.tape.branches import RecordingError, guarded
from autograd.tape.layers import folded_listing, layers
from autograd.tape.record import write_down
from autograd.tape.second_order import SecondDerivatives
from autograd.tape.wengert import WengertList, damaged, listing
from autograd.vectors import add_to, take
from autograd.wording import counted, misfit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, Literal

    import onnx
    from numpy.typing import ArrayLike, NDArray

    from autograd.tape.executors import Program

    Array = NDArray[numpy.float64]

EXAMPLES_AT_ONCE = 1024  # in a Jacobian, where every example needs room for its own gradient


class Direct(NamedTuple):
    """A program's own methods, for what needs no conversion: native/direct.h says what each is given and returns."""

    value_and_grad: Callable[..., Any]
    forward: Callable[..., Any]
    backward: Callable[..., Any]


class Tape:
    """The graph of one example, replayed and differentiated for n of them at a time.

    Arguments:
        outputs: a Value, such as an example's loss, or a sequence of Values.
        inputs: the leaves that are different for each example, in the order of a batch's columns. Every other leaf of
            the graph is a parameter, in the order of their creation: `tape.parameters`.
        executor: the name of what replays the graph, one of `autograd.tape.executors.EXECUTORS`. By default it is the
            first that can be used here: where the native engine runs, the compiled one. "xla" compiles the tape with
            JAX, for processors, GPUs and TPUs, once for each size of batch: pip install jax. How
            quick that is on GPUs and TPUs is unmeasured.
            "c" writes the list out as C and has the system's compiler make machine code of it, which is quicker for
            programs of scalars, once there is a compiler; see `compile`.
        threads: how many may be used; by default as many as there are processors. The numbers do not depend on it.
        fast_math: lets the compiled executors compute with vectors of their own `exp`, `log`, `log1p`, `tanh`, `erf`,
            `sin` and `cos`, each within 2 units in the last place. So the numbers are those of the other executors
            but for rounding. The native executor computes all rows with them that are made of these functions, such
            as `sigmoid`, but for what depends on no input. Its numbers are the same on all processors and in every
            batch; one example alone may take twice the time. "c" computes batches with them; it also has powers as
            products, and products and sums that are fused, so that numbers may differ between processors.

    With "xla" a batch may be JAX's array, float64 or float32. It stays on its device and is computed as it is, and what
    is returned are JAX's arrays, too, but for Jacobians; the parameters may be such an array as well. In float32 the
    conventions at kinks and infinite numbers are not promised. XLA takes numbers below 2.2e-308 for 0; on devices other
    than processors it rearranges quotients and exponentials, so that one of very large numbers may be 0 or inf there.

    Numbers follow IEEE 754: where an operation on Values raises, a tape has inf or nan, in that example alone.
    Several threads may replay one tape at once, but `backward()` belongs to the `forward()` before, whoever called it.

    An operation that has been recorded twice with the same operands becomes one instruction, and what is computed from
    parameters alone is computed once for all examples. Nothing else is simplified or reordered. The compiled executor's
    outputs and gradients of one example are those of `backward()` to the bit, except for several outputs, where
    instructions have become one, and where one of a parameter's uses is in what is computed from parameters alone.

    Raises TypeError if an output or input is not a Value, an input was computed, or a Value of the graph was computed
    by no operation of the table, or has a `_backward` of its own; ValueError if an input is there twice, there is no
    output, or the executor cannot be used here.

    >>> w, b, x = Value(2.0), Value(1.0), Value(0.0)
    >>> tape = Tape((w * x + b) ** 2, inputs=[x])
    >>> tape.forward([[0.0], [1.0], [2.0]])
    array([ 1.,  9., 25.])
    >>> tape.backward()
    >>> w.grad, b.grad
    (8.666666666666666, 6.0)
    """

    inputs: tuple[Value, ...]
    parameters: tuple[Value, ...]
    fast_math: bool

    def __init__(
        self,
        outputs: Value | Sequence[Value],
        inputs: Sequence[Value] = (),
        *,
        executor: str | None = None,
        threads: int | None = None,
        fast_math: bool = False,
    ) -> None:
        self._is_single = isinstance(outputs, Value)
        listed = values("outputs", [outputs] if self._is_single else outputs, "a Value, or a sequence of Values")
        leaves = tuple(values("inputs", inputs))
        check_leaves(inputs=leaves)
        if not listed:
            raise ValueError("Tape: expected at least one output, got none")
        self._wengert, parameters = write_down(listed, leaves)
        check_lookups(self._wengert, parameters)
        self.__dict__.update(inputs=leaves, parameters=tuple(parameters))
        self.__dict__.update(fast_math=executors.checked_fast_math(fast_math))
        self.executor = executors.checked(executor, self._wengert, self.fast_math)
        self.threads = checked_threads(threads)
        # Of the last forward(): the batch, its fingerprint, and the parameters' numbers, or their bytes.
        self._replayed: tuple[Array, object, Array | bytes] | None = None

    @classmethod
    def record(cls, function: Callable[..., Any], inputs: Sequence[Any], **options: Any) -> Tape:
        """The tape of function(*inputs), run once, with Values in the place of the numbers.

        Arguments:
            function: returns a Value, or a sequence of them. It may use other Values, which become parameters.
            inputs: an example: for each of the function's arguments a number, or a structure of numbers, as for `grad`.
                All numbers in their order, or the leaves that stand for them, are the tape's inputs.
            options: as the constructor has them.

        A comparison, or bool() or float(), of a Value that depends on an input raises RecordingError: a recorded branch
        would be silently wrong for the next example. So do item(), detach() and copies, and `==` with a number; with a
        Value that asks whether both are the same object. `maximum`, `minimum`, `relu` and `abs` choose within the
        graph. A branch on a parameter, reading `.data` or `.grad`, and `no_grad()` are not noticed: what they give
        stays as it was in the recording. Nor is a set or a dict, in which a Value is itself and no number: `x in {3.0}`
        is False.

        Raises RecordingError if the function returns something else than Values, and within `no_grad()`, where nothing
        is recorded; TypeError if an input is no number; and what the function raises.

        >>> w = Value(3.0)
        >>> tape = Tape.record(lambda x, t: (w * x[0] + x[1] - t) ** 2, ([0.0, 0.0], 0.0))
        >>> tape.forward([[1.0, 2.0, 4.0], [0.0, 0.0, 2.0]])
        array([1., 4.])
        """
        if not callable(function):
            raise TypeError(f"Tape.record: expected a function, got {described(function)}")
        given = arguments_of(function, inputs)
        try:
            arguments, leaves = replaced(given)
        except TypeError as error:
            expected = "expected a number, or a structure of numbers, for each argument"
            raise TypeError(f"Tape.record: inputs: {error}; {expected}") from None
        except (structures.EndlessError, OverflowError) as error:
            raise type(error)(f"Tape.record: inputs: {error}") from None
        end_stale_blocks()
        if not (Value(0.0) * 1.0).parents:
            raise RecordingError("Tape.record: within no_grad() nothing is recorded; call it outside")
        with guarded(leaves):
            outputs = function(*arguments)
        if not isinstance(outputs, Value):
            outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
            for output in outputs:
                if not isinstance(output, Value):
                    advice = (
                        "put those of all its lists into one, as [y for row in rows for y in row]"
                        if isinstance(output, (list, tuple))
                        else "is it written with the functions of autograd?"
                    )
                    raise RecordingError(
                        f"Tape.record: expected a function that returns Values, got {described(output)}; {advice}"
                    )
        return cls(outputs, leaves, **options)

    def forward(self, batch: ArrayLike | None = None, *, parameters: ArrayLike | None = None) -> Array:
        """The outputs for each example, with the parameters as they are now.

        Arguments:
            batch: (n, inputs) numbers, in the order of `inputs`; with a single input also (n,). Numbers of other types
                are converted to float64. Without inputs, nothing: that is one example.
            parameters: (parameters,) numbers to take the place of the parameters' data.

        Returns (n,) float64 if the tape was made from one Value, (n, outputs) if from a sequence.

        The batch must not change before `backward()`, which raises if it has; of a batch that had to be converted, it
        has a copy of its own. The compiled executor keeps what it has
        computed of a small batch for it; a large one is computed again, so that nothing is kept for each example.

        Raises TypeError for anything but real numbers, and ValueError for another shape; then there is nothing to
        differentiate, as before the first `forward()`.
        """
        self.__dict__["_replayed"] = None  # an error or interrupt leaves nothing to differentiate
        directly = self._directly
        if directly is not None and (found := directly.forward(batch, parameters)) is not None:
            outputs, self.__dict__["_replayed"] = found
            return outputs  # type: ignore[no-any-return]
        numbers, vector = self._batch(batch), self._parameter_vector(parameters)
        before = fingerprint(numbers)
        if isinstance(vector, numpy.ndarray):  # an executor's own does not change
            vector = vector.copy() if parameters is not None else vector
            vector.flags.writeable = False
        outputs, _, _ = self._replay(self._fixed(numbers, before), vector)
        self._replayed = numbers, before, vector
        return self._shaped(outputs)

    def backward(self, gradient: ArrayLike | None = None, *, inputs: bool = False) -> Array | None:
        """Adds to each parameter's `grad` the derivative of the mean output over the batch of the last `forward()`.

        grad_p += Σ_{example e, output k} gradient_{ek} d output_{ek} / d p

        Arguments:
            gradient: the derivative of a result with respect to the outputs, a number or an array that fits their
                shape; by default 1/n, so that the result is the sum of the outputs' means.
            inputs: return the derivative of the result with respect to the inputs, (n, inputs), too.

        An output whose gradient is 0 in all examples is left out. Where only some examples have 0, that is a factor,
        and nan times an infinite derivative. The parameters are taken as they were at `forward()`.
        Raises RuntimeError without a `forward()` before (one that failed, or that another thread has just begun, leaves
        none), and if the batch has been changed since; ValueError for a gradient that does not fit, and for a mean of
        no examples.
        """
        replayed, directly = self._replayed, self._directly
        if replayed is None:
            raise RuntimeError("Tape.backward: expected forward(batch) before, whose outputs are to be differentiated")
        if directly is not None and self._are_plain:
            found = directly.backward(replayed, gradient, inputs)
            if found is not NotImplemented:
                return found  # type: ignore[no-any-return]
        batch, before, vector = replayed
        if fingerprint(batch) != before or not self._is_batch(batch):
            raise RuntimeError("Tape.backward: the batch has been changed since forward(); give forward() a copy")
        # Another executor than that of forward() may have had its own arrays.
        fixed = self._real_array("batch", self._fixed(batch, before))
        parameters = self._real_array("parameters", numpy.frombuffer(vector) if isinstance(vector, bytes) else vector)
        _, derivatives, input_gradients = self._replay(fixed, parameters, self._seeds(gradient, len(batch)), inputs)
        add_to(self.parameters, True, numpy.asarray(derivatives, float), self._are_plain)
        return input_gradients

    @overload
    def value_and_grad(
        self,
        batch: ArrayLike | None = None,
        *,
        parameters: ArrayLike | None = None,
        gradient: ArrayLike | None = None,
        inputs: Literal[False] = False,
    ) -> tuple[Array, Array]: ...
    @overload
    def value_and_grad(
        self,
        batch: ArrayLike | None = None,
        *,
        parameters: ArrayLike | None = None,
        gradient: ArrayLike | None = None,
        inputs: Literal[True],
    ) -> tuple[Array, Array, Array]: ...
    def value_and_grad(
        self,
        batch: ArrayLike | None = None,
        *,
        parameters: ArrayLike | None = None,
        gradient: ArrayLike | None = None,
        inputs: bool = False,
    ) -> tuple[Array, ...]:
        """The outputs, and the gradient with respect to the parameters, in one replay. No Value is touched.

        Arguments:
            batch: as for `forward`.
            parameters: (parameters,) numbers to take the place of the parameters' data.
            gradient: as for `backward`; by default 1/n.
            inputs: return the derivative with respect to the inputs, (n, inputs), too.

        Returns the outputs, as `forward` does, and (parameters,) float64: Σ_{ek} gradient_{ek} d output_{ek} / d p.
        With inputs, it returns three arrays.

        >>> w, x = Value(2.0), Value(0.0)
        >>> Tape(w * x, inputs=[x]).value_and_grad([[1.0], [4.0]], parameters=[10.0])
        (array([10., 40.]), array([2.5]))
        """
        directly = self._directly
        if directly is not None and (found := directly.value_and_grad(batch, parameters, gradient, inputs)) is not None:
            return found  # type: ignore[no-any-return]
        numbers = self._batch(batch)
        vector = self._parameter_vector(parameters)
        seeds = self._seeds(gradient, len(numbers))
        outputs, derivatives, input_gradients = self._replay(numbers, vector, seeds, inputs)
        if input_gradients is not None:
            return self._shaped(outputs), derivatives, input_gradients
        return self._shaped(outputs), derivatives

    def jacobian(
        self,
        batch: ArrayLike | None = None,
        *,
        wrt: Literal["parameters", "inputs"] = "parameters",
        parameters: ArrayLike | None = None,
    ) -> Array:
        """The derivative of every output of every example, with respect to every parameter or to every input.

        Returns (n, k) float64 if the tape was made from one Value, where a row is an example's gradient;
        (n, outputs, k) if from a sequence. k is the number of parameters, or of inputs. Arguments and errors are those
        of `value_and_grad`; ValueError for another `wrt`.

        >>> w, b, x = Value(2.0), Value(1.0), Value(0.0)
        >>> Tape(w * x + b, inputs=[x]).jacobian([[3.0], [5.0]])
        array([[3., 1.],
               [5., 1.]])
        """
        check_wrt("jacobian", wrt)
        numbers = real_array("batch", self._batch(batch))
        vector = real_array("parameters", self._parameter_vector(parameters))
        outputs = len(self._wengert.outputs)
        width = len(self.inputs) if wrt == "inputs" else len(vector)
        jacobian = numpy.empty((len(numbers), outputs, width))
        for first in range(0, len(numbers), EXAMPLES_AT_ONCE):
            block = slice(first, first + EXAMPLES_AT_ONCE)
            for k, seeds in enumerate(numpy.eye(outputs)):
                if wrt == "inputs":
                    _, _, jacobian[block, k] = self._replay(numbers[block], vector, seeds, for_inputs=True)
                else:
                    jacobian[block, k] = self._gradients_of_examples(numbers[block], vector, seeds)
        return jacobian[:, 0] if self._is_single else jacobian

    def hessian(
        self,
        batch: ArrayLike | None = None,
        *,
        wrt: Literal["parameters", "inputs"] = "parameters",
        parameters: ArrayLike | None = None,
        gradient: ArrayLike | None = None,
        sparse: bool = False,
    ) -> Any:  # Any: with sparse a pair, of which a type checker need not know
        """The second derivatives of the result that `value_and_grad` differentiates: Σ_{ek} gradient_{ek} output_{ek}.

        H_ij = d² result / d p_i d p_j, by the parameters; or by the inputs, of which each example has its own Hessian.

        Arguments:
            wrt: differentiate by the "parameters", or by the "inputs".
            batch, parameters, gradient: as for `value_and_grad`; gradient is by default 1/n, so that the result is the
                mean of the outputs. With gradient=1.0 an example's Hessian by the inputs is what it is alone.
            sparse: return only the entries that may be other than 0, and where they stand.

        Returns (p, p) float64, symmetric to the bit, or by the inputs (n, inputs, inputs). With sparse, it returns
        (entries, (rows, columns)), as scipy.sparse.coo_array takes them: (k,) numbers, or by the inputs (n, k), and
        (k,) integers, row by row.

        The table's rules write the list that computes H v, the Hessian times a vector: see `hvp`. They do so at the
        first call, in some hundredths of a second for a thousand instructions. Which entries may be other than 0, the
        graph tells, whatever the numbers; so the columns are coloured, and one v finds all columns of a colour (Curtis,
        Powell, Reid, 1974; Coleman, Moré, 1984; Gebremedhin, Manne, Pothen, 2005). At a kink, second derivatives are
        those of the branch that the table takes. Where an entry is infinite, others of its row may be nan.

        Errors are those of `value_and_grad`; ValueError for another `wrt`, and RecordingError for an operation, defined
        at run time, whose rule cannot be written as a list.

        >>> x, y = Value(2.0), Value(5.0)
        >>> Tape(x**3 * y).hessian()
        array([[60., 12.],
               [12.,  0.]])
        """
        numbers, vector, seeds = self._to_differentiate("hessian", batch, wrt, parameters, gradient)
        derivatives, weights = self._second_derivatives.of_result(wrt, seeds, len(numbers))
        entries = derivatives.hessian(numbers, vector, weights, self.threads)
        return (entries, derivatives.entries) if sparse else derivatives.dense(entries)

    def hvp(
        self,
        batch: ArrayLike | None = None,
        vector: ArrayLike | None = None,
        *,
        wrt: Literal["parameters", "inputs"] = "parameters",
        parameters: ArrayLike | None = None,
        gradient: ArrayLike | None = None,
    ) -> Array:
        """The Hessian times a vector, H v, without the Hessian: by replays of lists that the table's rules write.

        Arguments:
            vector: v, (p,) numbers, or by the inputs (n, inputs), for each example its own.
            batch, wrt, parameters, gradient: as for `hessian`.

        Returns H v, in the shape of v. A number 0 in v times an infinite derivative is nan, as 0 times inf is. Errors
        are those of `hessian`; ValueError for a vector of another shape.

        Source: B. A. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6, 1994.

        >>> x, y = Value(2.0), Value(5.0)
        >>> Tape(x**3 * y).hvp(vector=[1.0, 0.0])
        array([60., 12.])
        """
        numbers, leaves, seeds = self._to_differentiate("hvp", batch, wrt, parameters, gradient)
        expected = numbers.shape if wrt == "inputs" else leaves.shape
        if vector is None:
            raise TypeError(f"Tape.hvp: vector: expected the shape {expected}, got none")
        direction = real_array("vector", vector)
        if direction.shape != expected:
            raise ValueError(f"Tape.hvp: vector: expected the shape {expected}, got {direction.shape}")
        derivatives, weights = self._second_derivatives.of_result(wrt, seeds, len(numbers))
        return derivatives.product(numbers, leaves, weights, direction, self.threads)

    def check(self, batch: ArrayLike | None = None) -> None:
        """Raises what `forward` would raise for this batch, without a replay: TypeError or ValueError.

        An input that is the index of a lookup, by `autograd.take`, must be one in every example.

        >>> x, y, i = Value(2.0), Value(5.0), Value(0.0)
        >>> from autograd import take
        >>> Tape(take([x, y], i), inputs=[i]).check([0, 1, 2])
        Traceback (most recent call last):
        ValueError: Tape: batch: example 2: input 0 is the index of a lookup: expected a whole number from 0 to 1, got 2
        """
        self._batch(batch)

    def listing(self, *, folded: bool = False) -> str:
        """The Wengert list as text, a line for each variable; labels name the inputs and parameters.

        Arguments:
            folded: write one line for all inputs, for all parameters, and for each group of instructions that are
                alike and need nothing of each other; with the first instruction, and how many more there are.

        >>> w, x = Value(2.0, label="w"), Value(0.0, label="x")
        >>> print(Tape((w * x).tanh() ** 2, inputs=[x]).listing())
        v0   input x
        v1   parameter w
        v2 = v1 * v0
        v3 = tanh(v2)
        v4 = v3 ** 2
        output v4
        """
        if folded:
            return folded_listing(self._wengert)
        return listing(self._wengert, [value.label for value in (*self.inputs, *self.parameters)])

    def layers(self) -> str:
        """The layers that have been found in the graph, in words, and what else there is that depends on inputs.

        Neurons with the same inputs are a layer, whether they are written with `dot`, with `*` and `+` or with `sum` of
        products, one after the other or column by column, their biases first, last or between. (A single `w * x + b`
        is none, unless there is another one of that x; nor are differences, quotients, and a `dot` whose bias is one
        of its inputs: a skip connection is `x[i] + dot(w, x)`.) The compiled executor computes a layer as the product
        of a matrix with the batch, and also dots of which a few weights depend on inputs, which are no layer here.

        >>> from autograd import dot
        >>> w, x = [[Value(0.5), Value(-1.0)], [Value(2.0), Value(0.0)]], [Value(0.0), Value(0.0)]
        >>> hidden = [dot(row, x).tanh() for row in w]
        >>> Tape(dot([1.0, -1.0], hidden) ** 2, inputs=x).layers()
        '2 neurons of 2 inputs, tanh; 1 neuron of 2 inputs, power'
        """
        return layers(self._wengert)

    def to_onnx(self, *, dtype: str = "float64", names: Iterable[tuple[str, Value]] = ()) -> onnx.ModelProto:
        """The sweep forward as an ONNX model, with the parameters as they are now, for other programs to show and run.

        Arguments:
            dtype: "float64" or "float32", of all numbers.
            names: of the parameters, pairs such as `model.named_parameters()` has them; by default, their labels.

        The model has one input, `inputs`, (batch, inputs), and one output, `outputs`, (batch, outputs); the batch may
        have any length. It has one operator for each group of instructions. A layer (see `layers`) is a `Gemm`, at
        several places of a convolution a `MatMul`; its weights are an initializer, (neurons, inputs) or the transpose,
        with the name that theirs have in common. A number that depends on parameters alone is written as it is now.

        The model is of IR version 8 and operator set 18. A row of the table that ONNX does not have is a function in
        the model, written from the row's rule: of the domain `scalar_autograd`, with the row's name. A program that
        knows no functions may be given `onnx.inliner.inline_local_functions(model)`.

        In float64 ONNX Runtime's outputs are those of `forward()` but for rounding: each row's to 1e-12, nan and inf
        included, a sum's relative to its largest term, since it adds in an order of its own. Operators that it has in
        float32 alone, such as `Erf`, and those that lose digits there, such as `Sigmoid`, are not used; their rows are
        written from others. What is lost: in float32 all but seven digits, and what is beyond its range, which becomes
        the largest or smallest number there; and the check of indices that are looked up: ONNX cuts off their
        fractions, so 1.5 is row 1 there, and takes negative ones from the end.

        Raises ImportError without the package onnx: pip install onnx; TypeError if the rule of an
        operation that was defined at run time cannot be written in ONNX, and for names that are no such pairs;
        ValueError for another dtype, and for names of which none is that of a parameter or an input of the tape.

        >>> w, x = Value(2.0, label="w"), Value(0.0)
        >>> model = Tape((w * x).tanh(), inputs=[x]).to_onnx()
        >>> [node.op_type for node in model.graph.node], [number.name for number in model.graph.initializer]
        (['Mul', 'Tanh'], ['w'])
        """
        from autograd.tape.exports import labelled, to_onnx

        if dtype not in ("float64", "float32"):
            raise ValueError(f"Tape.to_onnx: dtype: expected 'float64' or 'float32', got {dtype!r}")
        labels = labelled((*self.inputs, *self.parameters), names)
        return to_onnx(self._wengert, self._parameter_vector(None), labels, dtype)

    def save_onnx(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Writes `to_onnx(**options)` to a file, whole or not at all. Raises OSError, and what `to_onnx` does."""
        files.write(path, self.to_onnx(**options).SerializeToString(), "the model")

    def c_source(
        self, name: str = "network", *, parameters: str = "constants", dtype: str = "float64", gradient: bool = False
    ) -> str:
        """The tape of one example as a file in C99 that needs only the C library: for small computers, for instance.

        Arguments:
            name: of the function `void name(const double *x, double *outputs)`.
            parameters: "constants", as they are now, which stay in the memory of programs; or "argument": then the
                function is called with them, `name(x, p, outputs)`.
            dtype: "float64" or "float32" of all numbers, which are C's `double` and `float`.
            gradient: write a second function, `name_gradient(x, seeds, outputs, gx)`, for the derivatives by the
                inputs; with the parameters as an argument `name_gradient(x, p, seeds, outputs, gx, gp)`, for those by
                them, too.

        The inputs and parameters stand in the order of `tape.inputs` and `tape.parameters`; a comment at the beginning
        of the file says so, with their labels. Nothing is allocated. In double precision the numbers are those of
        `backward()` to the bit, as far as the computer's C library is the same and the compiler leaves its functions
        alone (gcc -fno-builtin -ffp-contract=off); in single precision they are those but for rounding.

        An index of a lookup that is none gives nan, and no error. No compiler is needed to write the file.

        Raises TypeError if the rule of an operation that was defined at run time cannot be written in C, and ValueError
        for another dtype, other parameters, or a name that is none in C or has a meaning there, such as `round`.

        >>> w, x = Value(2.0, label="w"), Value(0.0, label="x")
        >>> text = Tape(w * x + 1.0, inputs=[x]).c_source("line")
        >>> print(text[text.index("static void") :])
        static void forward_0(const double *x)
        {
            double v2 = p[0] * x[0];
            double v3 = v2 + 1.0;
            f[1] = v3;
        }
        <BLANKLINE>
        void line(const double *x, double *outputs)
        {
            forward_0(x);
            outputs[0] = f[1];
        }
        <BLANKLINE>
        """
        from autograd.tape.c_source import c_source, check_name

        check_name(name)
        for argument, given, choices in (
            ("parameters", parameters, ("constants", "argument")),
            ("dtype", dtype, ("float64", "float32")),
        ):
            if given not in choices:
                expected = " or ".join(map(repr, choices))
                raise ValueError(f"Tape.c_source: {argument}: expected {expected}, got {given!r}")
        labels = [value.label for value in (*self.inputs, *self.parameters)]
        numbers = [parameter.data for parameter in self.parameters] if parameters == "constants" else None
        return c_source(self._wengert, numbers, labels, name, dtype == "float32", bool(gradient))

    def compile(self) -> None:
        """Makes the tape ready for batches now, and not in the first replay: "c" runs the compiler.

        The compiler is that of the environment variable CC; if it is not set, `cc`, `gcc` or `clang`. What it has made
        is kept in the user's folder of caches, so that it need not run again for this list, in other processes either.
        A folder to which others may write, that is full, or from which nothing may be run, gives way to one that ends
        with the process. It takes a second or two for each thousand instructions that are not alike.

        Raises RuntimeError, with what the compiler has said, if it fails. Other executors have nothing to compile.
        """
        compile_program = getattr(self._program, "compile", None)
        if compile_program is not None:
            compile_program()

    def alike(self, other: Tape) -> bool:
        """Whether both have the same instructions with the same constants, whatever Values they were made from."""
        if not isinstance(other, Tape):
            raise TypeError(f"Tape.alike: expected a Tape, got {described(other)}")
        return self._is_single == other._is_single and self._wengert.alike(other._wengert)

    def __len__(self) -> int:
        """How many instructions there are."""
        return len(self._wengert)

    def __repr__(self) -> str:
        counts = {
            "instruction": len(self),
            "input": len(self.inputs),
            "parameter": len(self.parameters),
            "output": len(self._wengert.outputs),
        }
        shown = [counted(count, name) for name, count in counts.items()]
        return f"<Tape of {', '.join(shown)}, by {self.executor}: .forward(batch), .backward(), .listing()>"

    def _table(self) -> Table:
        """What notebooks show: how much of what was recorded, the layers that were found, and what replays it."""
        counts = {
            "inputs": len(self.inputs),
            "parameters": len(self.parameters),
            "outputs": len(self._wengert.outputs),
            "instructions": len(self),
        }
        rows = [[what, f"{count:,}"] for what, count in counts.items()]
        rows += [["layers", self.layers()], ["executor", self.executor], ["threads", f"up to {self.threads:,}"]]
        return Table("Tape, a recorded graph", ["part", "in this tape"], rows)

    _repr_html_ = in_notebooks(_table)

    def __setattr__(self, name: str, attribute: Any) -> None:
        if name in ("inputs", "outputs", "parameters"):
            raise AttributeError(
                f"Tape: {name} cannot be assigned: the instructions were recorded with others; make a Tape"
            )
        if name == "fast_math":
            executors.checked(self.executor, self._wengert, executors.checked_fast_math(attribute))
            self._forget_programs()
        if name == "threads":
            attribute = checked_threads(attribute)
            self.__dict__.pop("_directly", None)
        if name == "executor":
            attribute = executors.checked(attribute, self._wengert, self.fast_math)
            self._forget_programs()
        object.__setattr__(self, name, attribute)

    def __getstate__(self) -> dict[str, Any]:
        """The list and the leaves, without a batch. An executor that is the default here gives way to that of there."""
        left_out = {"_program", "_directly", "_program_of_leaves", "_second_derivatives", "_are_plain", "_replayed"}
        if self.executor == executors.checked(None, self._wengert, self.fast_math):
            left_out.add("executor")
        return {name: part for name, part in self.__dict__.items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Whatever it is given: a file may be damaged, or made by others. Raises ValueError or TypeError."""
        wengert = state.get("_wengert") if isinstance(state, dict) else None
        if not isinstance(wengert, WengertList):
            raise TypeError(f"Tape: expected the state of a tape, got {described(state)}")
        leaves = {name: tuple(values(name, state.get(name))) for name in ("inputs", "parameters")}
        for name, count in (("inputs", wengert.inputs), ("parameters", wengert.parameters)):
            if len(leaves[name]) != count:
                raise damaged(f"it is of {counted(count, name[:-1])}, and the tape has {len(leaves[name]):,}")
        check_leaves(**leaves)
        wengert.dependences  # noqa: B018  to find them is to check what the list's arrays hold
        check_lookups(wengert, leaves["parameters"])
        fast_math = executors.checked_fast_math(state.get("fast_math", False))
        is_single, executor = state.get("_is_single"), state.get("executor", "")
        executor = executors.checked(None, wengert, fast_math) if executor == "" else executor
        if not isinstance(is_single, bool) or (len(wengert.outputs) != 1 if is_single else len(wengert.outputs) == 0):
            raise damaged(f"it is of {counted(len(wengert.outputs), 'output')}, which are single: {is_single!r}")
        if not isinstance(executor, str):
            raise TypeError(f"Tape: executor: expected a name, got {described(executor)}")
        threads = checked_threads(state.get("threads"))
        own = {
            "_is_single": is_single,
            "_wengert": wengert,
            "fast_math": fast_math,
            "executor": executor,
            "threads": threads,
            "_replayed": None,
        }
        self.__dict__.update(leaves | own)

    @cached_property
    def _program(self) -> Program:
        return executors.program(self.executor, self._wengert, self.fast_math)

    @cached_property
    def _directly(self) -> Direct | None:
        """The program's own methods, if it has them."""
        if not hasattr(self._program, "value_and_grad"):
            return None
        bound = self.parameters, self._is_single, self.threads
        return Direct(*(partial(getattr(self._program, name), *bound) for name in Direct._fields))

    @cached_property
    def _program_of_leaves(self) -> Program:
        """With the parameters as inputs."""
        return executors.program(self.executor, self._wengert.with_parameters_as_inputs(), self.fast_math)

    def _forget_programs(self) -> None:
        for program in ("_program", "_directly", "_program_of_leaves", "_second_derivatives"):
            self.__dict__.pop(program, None)

    @cached_property
    def _second_derivatives(self) -> SecondDerivatives:
        return SecondDerivatives(self._wengert, partial(executors.program, self.executor, fast_math=self.fast_math))

    @cached_property
    def _are_plain(self) -> bool:
        """Whether no parameter is of a subclass."""
        return all(type(parameter) is Value for parameter in self.parameters)

    def _replay(
        self, batch: Array, parameters: Array, seeds: Array | None = None, for_inputs: bool = False
    ) -> tuple[Array, Array, Array | None]:
        if not isinstance(batch, numpy.ndarray):
            return self._program.replay_own(batch, parameters, seeds, for_inputs)
        outputs = numpy.empty((len(batch), len(self._wengert.outputs)))
        gradient = numpy.empty(len(self.parameters))
        input_gradients = numpy.empty(batch.shape) if for_inputs else None
        self._program.replay(len(batch), batch, parameters, outputs, seeds, gradient, input_gradients, self.threads)
        return outputs, gradient, input_gradients

    def _gradients_of_examples(self, batch: Array, parameters: Array, seeds: Array) -> Array:
        """With respect to the parameters. In a list that has them as inputs, they are an example's input gradients."""
        leaves = numpy.ascontiguousarray(
            numpy.hstack([batch, numpy.broadcast_to(parameters, (len(batch), len(parameters)))])
        )
        outputs, gradients, none = numpy.empty((len(batch), len(seeds))), numpy.empty_like(leaves), numpy.empty(0)
        self._program_of_leaves.replay(len(batch), leaves, none, outputs, seeds, none, gradients, self.threads)
        return gradients[:, batch.shape[1] :]

    def _to_differentiate(
        self, name: str, batch: ArrayLike | None, wrt: str, parameters: ArrayLike | None, gradient: ArrayLike | None
    ) -> tuple[Array, Array, Array]:
        """The batch, the parameters' numbers and the seeds, on this machine's processor."""
        check_wrt(name, wrt)
        numbers = real_array("batch", self._batch(batch))
        vector = real_array("parameters", self._parameter_vector(parameters))
        return numbers, vector, self._seeds(gradient, len(numbers))

    def _fixed(self, batch: Array, before: object) -> Array:
        """The batch as it was; where nobody can change it, an executor may know it again, and what it has computed."""
        return numpy.frombuffer(before).reshape(-1, len(self.inputs)) if isinstance(before, bytes) and before else batch

    def _is_batch(self, batch: Array) -> bool:
        """Whether an array still has its shape and type, which can be assigned."""
        plain = isinstance(batch, numpy.ndarray)
        return not plain or (batch.shape[1:] == (len(self.inputs),) and batch.dtype == numpy.float64)

    def _batch(self, batch: ArrayLike | None) -> Array:
        width = len(self.inputs)
        if batch is None and width == 0:
            return numpy.empty((1, 0))
        if batch is None:
            raise TypeError(
                f"Tape: batch: expected the shape (n, {width}), an example in each row, got none: the tape has "
                f"{counted(width, 'input')}"
            )
        numbers = self._real_array("batch", batch)
        if numbers.ndim == 1 and width == 1:
            numbers = numbers[:, numpy.newaxis]
        if numbers.ndim != 2 or numbers.shape[1] != width:
            raise ValueError(
                f"Tape: batch: expected the shape (n, {width}), an example in each row, got {numbers.shape}"
            )
        self._check_indices(numbers)
        return numbers

    def _check_indices(self, batch: Array) -> None:
        """Raises ValueError, naming the example, unless all inputs that are indices of lookups are some."""
        inputs, lengths = self._wengert.lookups
        if not len(inputs):
            return
        indices = batch[:, inputs] if isinstance(batch, numpy.ndarray) else self._program.columns_own(batch, inputs)
        are_indices = are_places(indices, lengths)
        if not are_indices.all():
            example, k = numpy.argwhere(~are_indices)[0].tolist()
            label = self.inputs[inputs[k]].label
            given = repr(float(indices[example, k])).removesuffix(".0")
            name = f"input {inputs[k]}" + f", {label!r}," * bool(label)
            raise ValueError(
                f"Tape: batch: example {example}: {name} is the index of a lookup: "
                f"expected a whole number from 0 to {lengths[k] - 1}, got {given}"
            )

    def _parameter_vector(self, parameters: ArrayLike | None) -> Array:
        if parameters is None:
            vector = numpy.empty(len(self.parameters))
            take(self.parameters, False, vector)
            return vector
        vector = self._real_array("parameters", parameters)
        if vector.shape != (len(self.parameters),):
            raise ValueError(f"Tape: parameters: expected the shape ({len(self.parameters)},), got {vector.shape}")
        return vector

    def _real_array(self, what: str, numbers: ArrayLike | None) -> Array:
        """As real_array() has it; the executor's own stay as they are."""
        if type(numbers) is not numpy.ndarray and executors.owned(self.executor, numbers):
            return cast("Array", numbers)
        return real_array(what, numbers)

    def _seeds(self, gradient: ArrayLike | None, n: int) -> Array:
        outputs = len(self._wengert.outputs)
        if gradient is None:
            if n == 0:
                raise ValueError("Tape: an empty batch has no mean; pass gradient= to differentiate a sum")
            return numpy.full(outputs, 1 / n)
        if type(gradient) is float:  # as mostly, and quickly
            return numpy.full(outputs, gradient)
        seeds = real_array("gradient", gradient)
        if seeds.ndim == 0:
            return numpy.full(outputs, float(seeds))
        if seeds.shape == (outputs,) and not self._is_single:
            return seeds
        shape = (n,) if self._is_single else (n, outputs)
        try:
            return numpy.ascontiguousarray(numpy.broadcast_to(seeds, shape)).reshape(n, outputs)
        except ValueError:
            raise ValueError(f"Tape: gradient: expected what fits the shape {shape}, got {seeds.shape}") from None

    def _shaped(self, outputs: Array) -> Array:
        return outputs.ravel() if self._is_single else outputs


def replayed(wengert: WengertList, variables: Sequence[int], batch: Array, parameters: Array) -> Array:
    """The numbers of some variables of a list, whichever they are, for each example: (examples, variables)."""
    chosen = replace(wengert, outputs=numpy.array(variables, numpy.int32))
    numbers, none = numpy.empty((len(batch), len(variables))), numpy.empty(0)
    program = executors.program(executors.checked(None, chosen), chosen)
    program.replay(len(batch), batch, parameters, numbers, None, none, None, 1)
    return numbers


def fingerprint(batch: Array) -> object:
    """What tells whether the batch has changed: its bytes, or if there are many, a checksum of them.

    An executor's own arrays do not change.
    """
    if not isinstance(batch, numpy.ndarray):
        return None
    return batch.tobytes() if batch.nbytes <= 1 << 22 else crc32(batch.view(numpy.uint8).data)


def values(what: str, given: Any, expected: str = "a sequence of Values") -> list[Value]:
    """What is given, as a list. Raises TypeError if it is no sequence of Values."""
    if isinstance(given, (Set, Mapping)):
        raise TypeError(f"Tape: {what}: expected {expected}, got {described(given)}, which has no order")
    try:
        listed = list(given)
    except TypeError:
        raise TypeError(f"Tape: {what}: expected {expected}, got {described(given)}") from None
    for value in listed:
        if not issubclass(type(value), Value):  # a proxy's __class__ is no Value for the engine
            raise TypeError(f"Tape: {what}: expected Values, got {described(value)}")
    return listed


def arguments_of(function: Callable[..., Any], inputs: object) -> list[Any]:
    """The inputs of a recording. Raises TypeError unless they are a sequence, one for each argument of the function."""
    try:
        given = None if isinstance(inputs, (str, bytes, dict, set)) else [*inputs]  # type: ignore[misc]
    except TypeError:
        given = None
    if given is None:
        advice = "" if isinstance(inputs, (str, bytes)) else f"; for one argument, [{reprlib.repr(inputs)}]"
        raise TypeError(
            "Tape.record: inputs: expected a sequence with a number, or a structure of numbers, for each argument, got "
            f"{described(inputs)}{advice}"
        )
    if expected := misfit(function, len(given)):
        shown = reprlib.repr(inputs)
        raise TypeError(f"Tape.record: inputs: {expected}: {shown}; for one argument, a list of one, [{shown}]")
    return given


def check_wrt(name: str, wrt: str) -> None:
    if wrt not in ("parameters", "inputs"):
        raise ValueError(f"Tape.{name}: wrt: expected 'parameters' or 'inputs', got {wrt!r}")


def check_leaves(**leaves: Sequence[Value]) -> None:
    """Raises TypeError if one of the inputs or parameters was computed, ValueError if one is there twice."""
    places: dict[int, str] = {}  # by identity: Values of a subclass may be equal
    for name, listed in leaves.items():
        for i, value in enumerate(listed):
            place = f"{name[:-1]} {i}"
            if value.parents:
                raise TypeError(f"Tape: {name}: expected leaves, got {value!r}, which was computed, as {place}")
            before = places.setdefault(id(value), place)
            if before is not place:
                raise ValueError(f"Tape: {name}: expected each Value once, got {value!r} as {before} and as {place}")


def check_lookups(wengert: WengertList, parameters: Sequence[Value]) -> None:
    """Raises TypeError unless all indices of lookups are inputs, which can be checked before a replay."""
    for index in wengert.lookups[0].tolist():
        if index >= wengert.inputs:
            is_leaf = index < wengert.first_result
            given = f"{parameters[index - wengert.inputs]!r}, a parameter" if is_leaf else "a Value that was computed"
            raise TypeError(
                f"Tape: take: index: expected an input of the tape, or a number, got {given}; name the index among the "
                "inputs, or give take its number"
            )


def checked_threads(threads: int | None) -> int:
    """How many threads may be used. Raises ValueError for anything but a positive int."""
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not isinstance(threads, int) or isinstance(threads, bool) or threads < 1:
        raise ValueError(f"Tape: threads: expected a positive int, got {threads!r}")
    return min(threads, 1024)  # more than an executor starts, and surely an int in C


def real_array(what: str, numbers: ArrayLike | None) -> Array:
    """The numbers as float64, in one piece. Integers, booleans and other floats are converted, and nothing else.

    What is beyond the range of float64 becomes inf, but for Python's integers: they raise OverflowError, as in a Value.
    """
    if type(numbers) is numpy.ndarray and numbers.dtype == numpy.float64:
        flags = numbers.flags
        if flags.c_contiguous and flags.aligned:  # read-only or not
            return numbers  # as it is, which is quick
    if has_masked(numbers):
        given = "masked array" if isinstance(numbers, numpy.ma.MaskedArray) else type(numbers).__name__
        raise TypeError(f"Tape: {what}: expected real numbers, got a {given}, of which some are masked; fill them")
    try:
        array = numpy.asarray(numbers)
    except ValueError:
        raise ValueError(f"Tape: {what}: expected rows of the same length, got {described(numbers)}") from None
    if array.size == 0 and not isinstance(numbers, numpy.ndarray):
        array = array.astype(float)
    if array.dtype.kind == "O":  # of integers beyond 64 bits, or of other libraries' scalars
        elements = [number_in(element) for element in array.flat]
        if all(isinstance(number, (int, float, numpy.integer, numpy.floating)) for number in elements):
            try:
                array = numpy.array([*map(float, elements)]).reshape(array.shape)
            except OverflowError:
                raise OverflowError(f"Tape: {what}: an integer is beyond the largest float, 1.8e308") from None
    if array.dtype.kind not in "fiub":
        has_values = array.dtype.kind == "O" and any(isinstance(element, Value) for element in array.flat)
        advice = "; give the Values' data" if has_values else ""
        given = described(numbers)
        raise TypeError(f"Tape: {what}: expected real numbers, got {given} of the type {array.dtype}{advice}")
    with numpy.errstate(over="ignore", invalid="ignore"):
        return numpy.require(array, numpy.float64, ["C_CONTIGUOUS", "ALIGNED"])


def has_masked(numbers: object) -> bool:
    """Whether an array's mask hides some of the numbers, also in lists. NumPy makes a nan of it, or takes it."""
    if isinstance(numbers, (list, tuple)):
        kinds = {*map(type, numbers)}  # which is quick, and tells of most lists that nothing is masked
        return not all(issubclass(kind, (int, float, numpy.generic)) for kind in kinds) and any(
            map(has_masked, numbers)
        )
    if isinstance(numbers, numpy.ndarray) and numbers.dtype == object and any(map(has_masked, numbers.flat)):
        return True
    return bool(numpy.ma.is_masked(numbers))


def replaced(inputs: Sequence[Any]) -> tuple[list[Any], list[Value]]:
    """The inputs with a leaf in the place of each number, and these leaves."""
    scalars, form = structures.flatten(list(inputs), structures.scalar)
    leaves = [scalar if isinstance(scalar, Value) else Value(scalar) for scalar in scalars]
    return structures.unflatten(form, leaves), leaves
