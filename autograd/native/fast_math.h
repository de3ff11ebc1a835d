/* Mathematics that a compiler turns into vectors: exp, log, log1p, tanh, erf, sin and cos, each
   within 2 units in the last place.

   A function is without branches and calls, and so is a loop over lanes with it. There is one text for all instruction sets:
   standard C, in which the bits of a number are read and made by memcpy. Where multiplications and additions may be fused, the
   functions are as exact or more so. Sine and cosine of large numbers are the C library's.

   The polynomials were fitted to the functions in 60 digits, at Chebyshev's points. What is beyond the range is inf or 0, nan
   goes through, and subnormal numbers, operands as well as results, are as exact as others. */
#ifndef AUTOGRAD_FAST_MATH_H
#define AUTOGRAD_FAST_MATH_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef FAST_INLINE
#define FAST_INLINE static inline
#endif

FAST_INLINE uint64_t fast_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

FAST_INLINE double fast_number(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* c_0 + c_1 x + c_2 x² + ..., up to 16 terms, four at a time, so that few of them wait for each other (G. Estrin, 1960). */
#define FAST_POLYNOMIAL(coefficients, x) \
    fast_polynomial(coefficients, (int)(sizeof coefficients / sizeof *coefficients), x)

FAST_INLINE double fast_four(const double *c, const int count, double x, double square)
{
    double low = count > 1 ? c[0] + c[1] * x : c[0];
    if (count <= 2) return low;
    return low + (count > 3 ? c[2] + c[3] * x : c[2]) * square;
}

FAST_INLINE double fast_polynomial(const double *c, const int count, double x)
{
    double square = x * x, fourth = square * square, sum = fast_four(c, count, x, square);
    if (count > 8) {
        double high = fast_four(c + 8, count - 8, x, square);
        if (count > 12) high += fast_four(c + 12, count - 12, x, square) * fourth;
        return sum + (fast_four(c + 4, 4, x, square) + high * fourth) * fourth;
    }
    return count > 4 ? sum + fast_four(c + 4, count - 4, x, square) * fourth : sum;
}

/* Added to a number of up to 51 bits, it leaves the nearest integer, which then stands in the lowest bits. */
#define FAST_ROUND 0x1.8p52

/* 2^n, for an integer that is n + FAST_ROUND. */
FAST_INLINE double fast_power_of_two(double rounded) { return fast_number((fast_bits(rounded) + 1023) << 52); }

FAST_INLINE double fast_magnitude(double x) { return fast_number(fast_bits(x) & INT64_MAX); }

/* The first with the sign of the second, which it must not have itself. */
FAST_INLINE double fast_signed(double x, double sign)
{
    return fast_number(fast_bits(x) | (fast_bits(sign) & ~(uint64_t)INT64_MAX));
}

/* ---- exp: x = k ln 2 + r, exp(x) = 2^k (1 + r + r² q(r)); the power of two in two factors, of which neither overflows */

static const double FAST_EXP[] = {
    0.5000000000000001, 0.16666666666666669, 0.04166666666662413, 0.008333333333330062, 0.0013888888917213717,
    0.00019841269863053618, 2.4801521295954376e-05, 2.7557268459997064e-06, 2.7620088445409746e-07,
    2.510038549551032e-08,
};

FAST_INLINE double fast_exp(double x)
{
    x = x > 710.0 ? 710.0 : x;
    x = x < -746.0 ? -746.0 : x;
    double whole = x * 1.4426950408889634 + FAST_ROUND, k = whole - FAST_ROUND;
    double r = (x - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33;
    double half = 0.5 * k + FAST_ROUND, rest = (k - (half - FAST_ROUND)) + FAST_ROUND;
    double y = 1.0 + (r + r * r * FAST_POLYNOMIAL(FAST_EXP, r));
    return y * fast_power_of_two(half) * fast_power_of_two(rest);
}

/* ---- log: x = 2^k (1 + f) with 1 + f between the roots of 1/2 and 2, and log(1 + f) = 2 atanh(s) with s = f / (2 + f) */

static const double FAST_LOG[] = {
    0.666666666666667, 0.3999999999989889, 0.28571428626253836, 0.22222211089379496, 0.1818289243253687,
    0.15331611722055008, 0.14617807153417325,
};

FAST_INLINE double fast_log(double x)
{
    const uint64_t root_of_half = 0x3fe6a09e667f3bcd;
    double is_small = x < 0x1p-1022 ? 1.0 : 0.0;
    uint64_t bits = fast_bits(x < 0x1p-1022 ? x * 0x1p54 : x);
    uint64_t exponent = (bits - root_of_half + ((uint64_t)1023 << 52)) >> 52; /* 1023 + k */
    double k = fast_number(exponent | 0x4330000000000000) - (0x1p52 + 1023.0) - 54.0 * is_small;
    double f = fast_number(bits - ((exponent - 1023) << 52)) - 1.0;
    double s = f / (2.0 + f), z = s * s, half = 0.5 * f * f;
    double rest = s * (half + z * FAST_POLYNOMIAL(FAST_LOG, z)) + k * 0x1.a39ef35793c76p-33;
    double y = k * 0x1.62e42feep-1 - ((half - rest) - f);
    y = x < INFINITY ? y : x;
    y = x == 0.0 ? -INFINITY : y;
    return x < 0.0 ? NAN : y;
}

/* ---- log1p: log(1 + x), and what rounding 1 + x loses times the derivative there */

FAST_INLINE double fast_log1p(double x)
{
    double u = 1.0 + x, lost = x < 1.0 ? x - (u - 1.0) : 1.0 - (u - x);
    double y = fast_log(u) + (u > 0.0 && u < INFINITY ? lost / u : 0.0);
    return x == 0.0 ? x : y;
}

/* ---- sin and cos: x = n π/2 + r + rest; π/2 in three parts, of which n times the first two is exact */

/* Not 0 for an angle of more than 2^20, which is the C library's, and for nan. */
FAST_INLINE int64_t fast_beyond(double x)
{
    const int64_t most = 0x4130000000000000;
    return (int64_t)(fast_bits(x) & INT64_MAX) > most ? -1 : 0;
}

static const double FAST_SIN[] = {
    -0.16666666666666666, 0.008333333333330925, -0.00019841269836722418, 2.755731608381636e-06,
    -2.5051127944014188e-08, 1.5917848524808262e-10,
};

static const double FAST_COS[] = {
    0.041666666666666664, -0.0013888888888887382, 2.480158729874307e-05, -2.7557317260008837e-07,
    2.0876143827993133e-09, -1.1382456778061306e-11,
};

/* The sine of x + `turns` quarters of a turn. */
FAST_INLINE double fast_sine(double x, uint64_t turns)
{
    double whole = x * 0.6366197723675814 + FAST_ROUND, n = whole - FAST_ROUND;
    double first = x - n * 0x1.921fb544p+0, second = n * 0x1.0b4611a6p-34;
    double high = first - second, low = ((first - high) - second) - n * 0x1.3198a2e037073p-69;
    double r = high + low, rest = (high - r) + low, z = r * r, half = 0.5 * z;
    double sine = r + (r * (z * FAST_POLYNOMIAL(FAST_SIN, z)) + rest * (1.0 - half));
    double one = 1.0 - half;
    double cosine = one + (((1.0 - one) - half) + (z * z * FAST_POLYNOMIAL(FAST_COS, z) - r * rest));
    uint64_t quarter = fast_bits(whole) + turns;
    double y = quarter & 1 ? cosine : sine;
    return fast_number(fast_bits(y) ^ (quarter & 2) << 62);
}

FAST_INLINE double fast_sin(double x) { return x == 0.0 ? x : fast_sine(x, 0); }

FAST_INLINE double fast_cos(double x) { return fast_sine(x, 1); }

/* ---- tanh: x + x z P(z) / Q(z) with z = x², or 1 - 2 / (exp(2 x) + 1): one quotient for both */

static const double FAST_TANH_P[] = {
    -0.3333333333333333, -0.02049989983360444, -0.00019922678855114945,
};

static const double FAST_TANH_Q[] = {
    1.0, 0.461499699500811, 0.023292798261291752, 0.0002065859452632101,
};

FAST_INLINE double fast_tanh(double x)
{
    double size = fast_magnitude(x);
    size = size > 22.0 ? 22.0 : size;
    double z = size * size;
    double above = size < 0.6 ? size * (z * FAST_POLYNOMIAL(FAST_TANH_P, z)) : -2.0;
    double below = size < 0.6 ? FAST_POLYNOMIAL(FAST_TANH_Q, z) : fast_exp(2.0 * size) + 1.0;
    return fast_signed((size < 0.6 ? size : 1.0) + above / below, x);
}

/* ---- erf: x + x p(x²) up to 1, and then 1 - exp(-x²) q(t) with t = (x - 3) / (x + 3) */

static const double FAST_ERF[] = {
    0.12837916709551256, -0.37612638903183543, 0.11283791670945006, -0.02686617064323777, 0.0052239776071164225,
    -0.0008548325975389692, 0.00012055294904839707, -1.492473690741966e-05, 1.6447424703317362e-06,
    -1.6208483801871705e-07, 1.3720064546777686e-08, -7.795898827002142e-10,
};

static const double FAST_ERFCX[] = {
    0.17900115118134968, -0.3262335600458359, 0.24560380167254733, -0.15011593615538413, 0.07166585227326536,
    -0.024392313242344657, 0.004270418313234521, 0.0007133638428812609, -0.0005807282486535757, 7.684065009830452e-05,
    0.00010326786699888162, 1.530153973953426e-05,
};

FAST_INLINE double fast_erf(double x)
{
    double size = fast_magnitude(x);
    size = size > 6.0 ? 6.0 : size;
    double z = size * size, t = (size - 3.0) / (size + 3.0);
    double near = size + size * FAST_POLYNOMIAL(FAST_ERF, z);
    double far = 1.0 - fast_exp(-z) * FAST_POLYNOMIAL(FAST_ERFCX, t);
    return fast_signed(size < 1.0 ? near : far, x);
}

/* ---- Over lanes */

#define FAST_LANES(name)                                                                                               \
    FAST_INLINE void fast_##name##_lanes(ptrdiff_t lanes, const double *x, double *restrict result)                     \
    {                                                                                                                  \
        for (ptrdiff_t l = 0; l < lanes; l++) result[l] = fast_##name(x[l]);                                            \
    }

#define FAST_ANGLES(name)                                                                                              \
    FAST_INLINE void fast_##name##_lanes(ptrdiff_t lanes, const double *x, double *restrict result)                    \
    {                                                                                                                  \
        int64_t farthest = 0;                                                                                          \
        for (ptrdiff_t l = 0; l < lanes; l++) {                                                                        \
            result[l] = fast_##name(x[l]);                                                                             \
            farthest |= fast_beyond(x[l]);                                                                             \
        }                                                                                                              \
        for (ptrdiff_t l = 0; farthest && l < lanes; l++)                                                              \
            if (fast_beyond(x[l])) result[l] = name(x[l]);                                                             \
    }

FAST_LANES(exp)
FAST_LANES(log)
FAST_LANES(log1p)
FAST_LANES(tanh)
FAST_LANES(erf)
FAST_ANGLES(sin)
FAST_ANGLES(cos)

#endif
