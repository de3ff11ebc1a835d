from collections.abc import Callable, Sequence
from typing import Any

from autograd.operation import Operation
from autograd.recording import Block as Block
from autograd.value import Value as Value
from autograd.value import function as function

operations: tuple[Operation, ...]
table_checksum: int

class Program:
    """What the interface of executors calls a program."""

    def __init__(self, parts: tuple[Any, ...], instruction_set: str | None, fast_math: bool = False, /) -> None: ...
    @property
    def instruction_set(self) -> str: ...
    def replay(
        self,
        examples: int,
        batch: Any,
        parameters: Any,
        outputs: Any,
        seeds: Any,
        gradient: Any,
        input_gradients: Any,
        threads: int,
        /,
    ) -> None: ...
    def forward(
        self, leaves: tuple[Value, ...], is_single: bool, threads: int, batch: Any, parameters: Any, /
    ) -> Any: ...
    def backward(
        self,
        leaves: tuple[Value, ...],
        is_single: bool,
        threads: int,
        replayed: Any,
        gradient: Any,
        for_inputs: bool,
        /,
    ) -> Any: ...
    def value_and_grad(
        self,
        leaves: tuple[Value, ...],
        is_single: bool,
        threads: int,
        batch: Any,
        parameters: Any,
        gradient: Any,
        for_inputs: bool,
        /,
    ) -> Any: ...

def add(values: Sequence[Value], is_grad: bool, vector: Any, /) -> None: ...
def dependences(
    inputs: int,
    parameters: int,
    constants: Any,  # Any: what offers numbers as a buffer, here and below
    rows: Any,
    lengths: Any,
    operands: Any,
    outputs: Any,
    /,
) -> bytes: ...
def first_stranger(values: Sequence[object], /) -> int: ...
def given(
    data: float,
    operands: tuple[Any, ...],
    local_derivatives: tuple[float, ...],
    operation: Operation,
    symbol: str,
    /,
) -> Value: ...
def gather(values: Sequence[Value], is_grad: bool, vector: Any, /) -> None: ...
def groups(
    inputs: int,
    parameters: int,
    constants: Any,
    rows: Any,
    lengths: Any,
    operands: Any,
    outputs: Any,
    /,
) -> bytes: ...
def guard(check: Callable[[Value, str], None] | None, /) -> None: ...
def is_as_computed(node: Value, /) -> bool: ...
def push_forward(order: list[Value], variables: list[Value], /) -> None: ...
def record(outputs: list[Value], inputs: list[Value], are_checked: bool, /) -> tuple[Any, ...] | None: ...
def scatter(values: Sequence[Value], is_grad: bool, vector: Any, /, *exception: object) -> None: ...
def unusual_nodes(order: list[Value], /) -> list[Value]: ...
