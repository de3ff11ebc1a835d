"""Backpropagation on one page: a number that remembers how it was computed, and a network that learns XOR.

It imports nothing of the project. Eight operations know their own derivatives; `backward()` has the chain rule.
"""

import math
import random


class Value:
    """A number, the Values it was computed from, and its derivative with respect to each of them."""

    made = 0  # how many there have been

    def __init__(self, data, parents=(), local_derivatives=()):
        Value.made += 1
        self.number = Value.made  # greater than its parents', which were made before
        self.data = data
        self.parents = parents
        self.local_derivatives = local_derivatives
        self.grad = 0.0  # the derivative of a result with respect to this Value, after the result's backward()

    def __add__(self, other):
        other = as_value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __sub__(self, other):
        other = as_value(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0))

    def __mul__(self, other):
        other = as_value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __truediv__(self, other):
        other = as_value(other)
        result = self.data / other.data
        return Value(result, (self, other), (1.0 / other.data, -result / other.data))

    def __pow__(self, exponent):  # a plain number
        return Value(self.data**exponent, (self,), (exponent * self.data ** (exponent - 1),))

    def exp(self):
        result = math.exp(self.data)
        return Value(result, (self,), (result,))

    def log(self):
        return Value(math.log(self.data), (self,), (1.0 / self.data,))

    def relu(self):
        return Value(max(self.data, 0.0), (self,), (1.0 if self.data > 0 else 0.0,))

    def backward(self):
        """The chain rule, from this result back to all that it was computed from."""
        nodes, path = set(), [self]
        while path:
            node = path.pop()
            if node not in nodes:
                nodes.add(node)
                path += node.parents
        for node in nodes:
            if node.parents:  # leaves keep what other results have sent them
                node.grad = 0.0
        self.grad += 1.0
        for node in sorted(nodes, key=lambda node: -node.number):  # each before its parents: its own grad is complete
            for parent, local_derivative in zip(node.parents, node.local_derivatives):
                parent.grad += local_derivative * node.grad


def as_value(number):
    return number if isinstance(number, Value) else Value(number)


def neuron(weights, inputs):
    """The logistic function of bias + w1 x1 + w2 x2 + ...; the bias is the last of the weights."""
    net_input = weights[-1]
    for weight, x in zip(weights, inputs):
        net_input = net_input + weight * x
    return Value(1.0) / (Value(1.0) + (Value(0.0) - net_input).exp())


if __name__ == "__main__":
    random.seed(1)
    *hidden, output = [[Value(random.uniform(-1, 1)) for _ in range(n)] for n in (3, 3, 3, 4)]  # weights and biases
    parameters = [weight for weights in (*hidden, output) for weight in weights]
    examples = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]

    for step in range(2001):
        loss = Value(0.0)
        for inputs, target in examples:
            y = neuron(output, [neuron(weights, inputs) for weights in hidden])
            loss = loss + (y - target) ** 2
        loss.backward()
        for parameter in parameters:
            parameter.data -= 1.0 * parameter.grad
            parameter.grad = 0.0
        if step % 500 == 0:
            print(f"step {step:4}: the sum of the squared errors is {loss.data:.4f}")
    for (a, b), _ in examples:
        print(f"{a} xor {b} = {neuron(output, [neuron(weights, (a, b)) for weights in hidden]).data:.2f}")
