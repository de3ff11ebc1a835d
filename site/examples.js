// Programs to begin with; each ends with the Value that is shown.

export const EXAMPLES = {
  "A neuron": `from autograd import Value, tanh

w, x, b = Value(0.5), Value(2.0), Value(-0.25)
n = w * x + b
y = tanh(n)
`,
  "The same number twice": `from autograd import Value

a, b = Value(2.0), Value(-3.0)
c = a * b + a**2
`,
  "Softmax and cross-entropy": `from autograd import Value, logsumexp

z = [Value(1.0, label="z0"), Value(2.0, label="z1"), Value(-1.0, label="z2")]
loss = logsumexp(z) - z[1]
`,
  "A second derivative": `from autograd import Value, grad, sin

f = lambda x: sin(x) / x
print("f''(2) =", grad(grad(f))(2.0))
x = Value(2.0)
y = f(x)
`,
  "A loss of a small network": `import random
from autograd import Value
from nn import MLP

random.seed(1)
model = MLP(2, [2, 1])
error = model([1.0, -1.0]) - 1.0
loss = error**2
`,
  "Gradient descent, by hand": `from autograd import Value

x = Value(3.0)
for step in range(20):
    loss = (x - 1.0) ** 2
    x.grad = 0.0
    loss.backward()
    x.data -= 0.2 * x.grad
    print(step, x.data, loss.data)
loss = (x - 1.0) ** 2
`,
};
