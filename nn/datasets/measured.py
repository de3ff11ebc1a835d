"""Real measurements that scikit-learn brings along, with no download: handwritten digits, and irises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd import packages
from autograd.packages import numpy
from nn.datasets.dataset import Dataset, Split

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray


def digits() -> Split:
    """1,797 handwritten digits, images of 8×8 pixels: the network sees the ink, and says which digit it is.

    Returns inputs of 64 pixels, row by row, from 0 (paper) to 1 (ink), in steps of 1/16; targets 0 to 9, the digit.
    Of each digit's images every fifth is held out: 1,437 to learn from and 360 held out. The split is by image and not
    by writer, so the held-out digits are in hands that the network has seen.

    Raises ImportError if scikit-learn is missing.
    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository,
    1998, https://doi.org/10.24432/C50P49 (there, the part called testing).

    >>> training, held_out = digits()
    >>> training.inputs.shape, held_out.inputs.shape
    ((1437, 64), (360, 64))
    """
    pixels, targets = scikit_learn().load_digits(return_X_y=True)
    return stratified(pixels / 16.0, targets)


def iris() -> Split:
    """150 iris flowers of three species, 50 of each, by the sizes of their sepals and petals.

    Returns inputs of 4 lengths in cm (sepal length, sepal width, petal length, petal width); targets 0 (setosa),
    1 (versicolor), 2 (virginica). Of each species every fifth flower is held out: 120 to learn from and 30 held out.

    Raises ImportError if scikit-learn is missing.
    Source: R. A. Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7, 1936.

    >>> training, held_out = iris()
    >>> training.inputs[0].tolist()
    [4.9, 3.0, 1.4, 0.2]
    """
    return stratified(*scikit_learn().load_iris(return_X_y=True))


def stratified(inputs: NDArray[numpy.float64], targets: NDArray[numpy.int64]) -> Split:
    """Holds out every fifth example of the examples sorted by class; both parts keep the order that they came in.

    No random numbers: the split is the same everywhere and for ever.
    """
    held_out = numpy.zeros(len(targets), dtype=bool)
    held_out[numpy.argsort(targets, kind="stable")[::5]] = True
    targets = targets.astype(numpy.int64)
    return Split(Dataset(inputs[~held_out], targets[~held_out]), Dataset(inputs[held_out], targets[held_out]))


def scikit_learn() -> ModuleType:
    try:
        from sklearn import datasets
    except ImportError as error:
        raise ImportError(f"digits and iris come with scikit-learn: {packages.install('scikit-learn')}") from error
    return datasets  # type: ignore[no-any-return]
