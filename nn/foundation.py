"""The engine is the foundation of `nn`. Where Python finds another package called autograd, that is said here.

HIPS autograd, which differentiates NumPy code, has the same import name. Whichever is installed later overwrites the
other's `autograd/__init__.py`; and whoever uninstalls one of them takes that file away from both.
"""

from __future__ import annotations

import autograd

if not hasattr(autograd, "Value"):
    raise ImportError(
        "nn computes with the package autograd of the distribution scalar-autograd, but Python finds another one, or "
        f"what is left of one, in {', '.join(autograd.__path__)}. HIPS autograd has the same import name: the two "
        "cannot share an environment. pip uninstall autograd scalar-autograd, and then install scalar-autograd again",
        name="autograd",
    )
