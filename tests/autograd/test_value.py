"""Value: the contract of the engine."""

from autograd import Value


def test_the_expression_of_the_class_docstring():
    a, b = Value(2.0), Value(-3.0)
    c = a * b + a**2
    c.backward()
    assert (c.data, a.grad, b.grad) == (-2.0, 1.0, 2.0)
