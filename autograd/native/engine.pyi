from collections.abc import Sequence

from autograd.value import Value as Value
from autograd.value import function as function

table_checksum: int

def count_no_grad(change: int, /) -> None: ...
def gather(values: Sequence[Value], is_grad: bool, vector: memoryview, /) -> None: ...
def scatter(values: Sequence[Value], is_grad: bool, vector: memoryview, /) -> None: ...
