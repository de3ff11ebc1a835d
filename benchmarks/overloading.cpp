// A training step of an MLP with hinge loss, by libraries that overload C++'s operators: the code of workloads.py's
// by_hand() and hinge(), number by number, on each library's own type. It is compiled with -DLIBRARY=..., once for each,
// and once for doubles, which only compute.
//
// Every step records anew, as scalars.py's do: the computation may be another one each time.

#include <cstddef>
#include <vector>

#define DOUBLES 0
#define ADOLC 1
#define SACADO 2
#define STAN 3
#define CPPAD 4

#if LIBRARY == DOUBLES
using Number = double;
#elif LIBRARY == ADOLC
#include <adolc/adolc.h>
using Number = adouble;
#elif LIBRARY == SACADO
#include <Sacado_trad.hpp>
using Number = Sacado::Rad::ADvar<double>;
#elif LIBRARY == STAN
#include <stan/math/rev/core.hpp>
using Number = stan::math::var;
#elif LIBRARY == CPPAD
#include <cppad/cppad.hpp>
using Number = CppAD::AD<double>;
#endif

using Numbers = std::vector<Number>;

struct Problem {
    const double *inputs, *targets;  // (examples, widths[0]) and (examples,)
    std::vector<long> widths;
    long examples;
    double penalty;
};

static Number relu(const Number &x) { return x > 0.0 ? x : Number(0.0); }

static Number score(const Problem &problem, const Numbers &parameters, Numbers x)
{
    auto parameter = parameters.begin();  // of each neuron the weights, then the bias
    for (std::size_t layer = 1; layer < problem.widths.size(); layer++) {
        Numbers outputs;
        for (long unit = 0; unit < problem.widths[layer]; unit++) {
            Number net_input = *(parameter + x.size());
            for (const Number &input : x) net_input = net_input + *parameter++ * input;
            parameter++;
            outputs.push_back(layer + 1 < problem.widths.size() ? relu(net_input) : net_input);
        }
        x = outputs;
    }
    return x[0];
}

static Number loss(const Problem &problem, const Numbers &parameters)
{
    const long width = problem.widths[0];
    Number margins = 0.0, squares = 0.0;
    for (long example = 0; example < problem.examples; example++) {
        const double *inputs = problem.inputs + example * width;
        margins = margins + relu(1.0 + -problem.targets[example] * score(problem, parameters, {inputs, inputs + width}));
    }
    for (const Number &parameter : parameters) squares = squares + parameter * parameter;
    return margins * (1.0 / double(problem.examples)) + problem.penalty * squares;
}

// The loss at the parameters; its gradient, of doubles 0.
static double differentiate(const Problem &problem, const std::vector<double> &at, std::vector<double> &gradient)
{
#if LIBRARY == DOUBLES
    (void)gradient;
    return loss(problem, at);
#elif LIBRARY == ADOLC
    const short tape = 1;
    double result, seed = 1.0;
    trace_on(tape, 1);  // and keeps what the reverse sweep needs
    Numbers parameters(at.size());
    for (std::size_t i = 0; i < at.size(); i++) parameters[i] <<= at[i];
    loss(problem, parameters) >>= result;
    trace_off();
    fos_reverse(tape, 1, int(at.size()), &seed, gradient.data());
    return result;
#elif LIBRARY == SACADO
    Numbers parameters(at.begin(), at.end());
    Number result = loss(problem, parameters);
    Number::Gradcomp();
    for (std::size_t i = 0; i < at.size(); i++) gradient[i] = parameters[i].adj();
    return result.val();
#elif LIBRARY == STAN
    Numbers parameters(at.begin(), at.end());
    Number result = loss(problem, parameters);
    result.grad();
    for (std::size_t i = 0; i < at.size(); i++) gradient[i] = parameters[i].adj();
    const double value = result.val();
    stan::math::recover_memory();
    return value;
#elif LIBRARY == CPPAD
    Numbers parameters(at.begin(), at.end());
    CppAD::Independent(parameters);
    Numbers result{loss(problem, parameters)};
    CppAD::ADFun<double> function(parameters, result);
    gradient = function.Reverse(1, std::vector<double>{1.0});
    return CppAD::Value(result[0]);
#endif
}

// The loss; the parameters are updated, θ − η g.
extern "C" double train(
    double *parameters, const double *inputs, const double *targets, const long *widths, long layers, long count,
    long examples, double penalty, double learning_rate)
{
    const Problem problem{inputs, targets, {widths, widths + layers}, examples, penalty};
    std::vector<double> gradient(count);
    const double result = differentiate(problem, {parameters, parameters + count}, gradient);
    for (long i = 0; i < count; i++) parameters[i] -= learning_rate * gradient[i];
    return result;
}
