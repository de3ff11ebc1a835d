"""The native executor: it hands the Wengert list to the compiled engine, whose part is in native/."""

from __future__ import annotations

from autograd.engines import engine
from autograd.tape.executors.executor import Executor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from autograd.tape.executors.executor import Program
    from autograd.tape.wengert import WengertList


class Native(Executor):
    """Compiled instructions, over blocks of examples, on several threads.

    With fast mathematics, what depends on the inputs is computed with `fast_math.h`, a single example as well, so that
    it has the same numbers in every batch. What depends on parameters alone is computed once, with the C library.
    """

    has_fast_math = True

    def missing(self, wengert: WengertList | None = None) -> str:
        if engine != "native":
            return f"it is part of the native engine, and the {engine} engine is in use"
        names = wengert.defined_at_run_time() if wengert is not None else []
        return f"it has nothing compiled for {', '.join(names)}, defined at run time" if names else ""

    def program(self, wengert: WengertList) -> Program:
        return self.made(wengert, fast_math=False)

    def fast_program(self, wengert: WengertList) -> Program:
        return self.made(wengert, fast_math=True)

    def made(self, wengert: WengertList, fast_math: bool) -> Program:
        from autograd.native import engine as native

        return native.Program(wengert.parts(), None, fast_math)
