/* A step of gradient descent on a batch, as one writes it by hand in C: in plain loops, a block of examples at a time.

   Compiled for one network, with -DWIDTHS=2,16,16,1 and -DLEARNING_RATE=0.01, and -DCROSS_ENTROPY for softmax cross-entropy
   instead of hinge loss. With -fopenmp threads share the blocks. What makes it fast: the compiler knows the widths and
   unrolls the loops over them; sums stay in a small array of their own, and so in registers; and no inner loop is a sum,
   which the compiler may not vectorise, as long as a layer has more than one output. */
#include <math.h>
#include <string.h>

static const int WIDTH[] = {WIDTHS};
enum { LAYERS = sizeof WIDTH / sizeof *WIDTH - 1, MOST = 256, BLOCK = 64 };
#define SPECIALISED static inline __attribute__((always_inline))

/* y = b + x W, and its relu in hidden layers, for n examples. */
SPECIALISED void layer(int n, int inputs, int outputs, const double *w, const double *x, double *restrict y, int is_hidden)
{
    const double *b = w + inputs * outputs;
    for (int e = 0; e < n; e++, x += inputs, y += outputs) {
        double sum[MOST];
        for (int j = 0; j < outputs; j++) sum[j] = b[j];
        for (int i = 0; i < inputs; i++)
            for (int j = 0; j < outputs; j++) sum[j] += x[i] * w[i * outputs + j];
        for (int j = 0; j < outputs; j++) y[j] = is_hidden && !(sum[j] > 0.0) ? 0.0 : sum[j];
    }
}

/* dW += x' dy, db += dy */
SPECIALISED void weights_backward(int n, int inputs, int outputs, const double *x, const double *dy, double *restrict dw)
{
    for (int i = 0; i < inputs; i++) {
        double sum[MOST];
        for (int j = 0; j < outputs; j++) sum[j] = dw[i * outputs + j];
        for (int e = 0; e < n; e++)
            for (int j = 0; j < outputs; j++) sum[j] += x[e * inputs + i] * dy[e * outputs + j];
        for (int j = 0; j < outputs; j++) dw[i * outputs + j] = sum[j];
    }
    double *db = dw + inputs * outputs;
    for (int e = 0; e < n; e++)
        for (int j = 0; j < outputs; j++) db[j] += dy[e * outputs + j];
}

/* dx = dy W', behind the relu that x comes from. */
SPECIALISED void inputs_backward(int n, int inputs, int outputs, const double *w, const double *x, const double *dy,
                                 double *restrict dx)
{
    double transposed[inputs * outputs];
    for (int i = 0; i < inputs; i++)
        for (int j = 0; j < outputs; j++) transposed[j * inputs + i] = w[i * outputs + j];
    for (int e = 0; e < n; e++, x += inputs, dx += inputs, dy += outputs) {
        double sum[MOST] = {0.0};
        for (int j = 0; j < outputs; j++)
            for (int i = 0; i < inputs; i++) sum[i] += transposed[j * inputs + i] * dy[j];
        for (int i = 0; i < inputs; i++) dx[i] = x[i] > 0.0 ? sum[i] : 0.0;
    }
}

/* The loss of an example, and its derivative by the outputs, times `scale`. */
SPECIALISED double loss_of(int outputs, const double *y, double target, double scale, double *dy)
{
#ifdef CROSS_ENTROPY
    double most = y[0], sum = 0.0;
    for (int j = 1; j < outputs; j++) most = y[j] > most ? y[j] : most;
    for (int j = 0; j < outputs; j++) sum += dy[j] = exp(y[j] - most);
    for (int j = 0; j < outputs; j++) dy[j] = scale * (dy[j] / sum - (j == (int)target));
    return log(sum) + most - y[(int)target];
#else
    (void)outputs;
    double margin = 1.0 - target * y[0];
    dy[0] = margin > 0.0 ? -scale * target : 0.0;
    return margin > 0.0 ? margin : 0.0;
#endif
}

/* The sum of the losses of n examples; `scale` times its gradient is added to `gradient`. */
SPECIALISED double block(int n, const double *parameters, const double *inputs, const double *targets, double scale,
                         double *gradient)
{
    double values[LAYERS + 1][MOST * BLOCK], adjoints[LAYERS + 1][MOST * BLOCK], loss = 0.0;
    const double *w[LAYERS], *x[LAYERS + 1] = {inputs};
    double *dw[LAYERS];
    int start = 0;
#pragma GCC unroll 8
    for (int l = 0; l < LAYERS; l++) {
        w[l] = parameters + start;
        dw[l] = gradient + start;
        start += (WIDTH[l] + 1) * WIDTH[l + 1];
        layer(n, WIDTH[l], WIDTH[l + 1], w[l], x[l], values[l + 1], l + 1 < LAYERS);
        x[l + 1] = values[l + 1];
    }
    for (int e = 0, outputs = WIDTH[LAYERS]; e < n; e++)
        loss += loss_of(outputs, x[LAYERS] + e * outputs, targets[e], scale, adjoints[LAYERS] + e * outputs);
#pragma GCC unroll 8
    for (int l = LAYERS - 1; l >= 0; l--) {
        weights_backward(n, WIDTH[l], WIDTH[l + 1], x[l], adjoints[l + 1], dw[l]);
        if (l > 0) inputs_backward(n, WIDTH[l], WIDTH[l + 1], w[l], x[l], adjoints[l + 1], adjoints[l]);
    }
    return loss;
}

/* The mean loss of the batch; its gradient is written to `gradient`. There are `count` parameters: of each layer the
   weights, a row for each input, and then the biases. */
double differentiate(const double *parameters, const double *inputs, const double *targets, double *gradient, long examples,
                     long count)
{
    double loss = 0.0, scale = 1.0 / (double)examples;
    memset(gradient, 0, (size_t)count * sizeof *gradient);
#ifdef _OPENMP
#pragma omp parallel for schedule(static) reduction(+ : loss, gradient[:count])
#endif
    for (long e = 0; e < examples; e += BLOCK) {
        int n = examples - e < BLOCK ? (int)(examples - e) : BLOCK;
        loss += block(n, parameters, inputs + e * WIDTH[0], targets + e, scale, gradient);
    }
    return loss * scale;
}

/* A step along the gradient of the mean loss, which is returned. `gradient` is room for it. */
double train(double *parameters, const double *inputs, const double *targets, double *gradient, long examples, long count)
{
    double loss = differentiate(parameters, inputs, targets, gradient, examples, count);
    for (long k = 0; k < count; k++) parameters[k] -= LEARNING_RATE * gradient[k];
    return loss;
}
