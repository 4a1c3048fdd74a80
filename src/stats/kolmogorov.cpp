// The distribution of the Kolmogorov statistic; see special.h for the sources of each branch.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "stats/special.h"

namespace gyre::stats {
namespace {

constexpr double kPi2 = std::numbers::pi * std::numbers::pi;
constexpr std::int64_t kMatrixRowsMax = 140;      // above: Pelz-Good is exact enough (Simard, L'Ecuyer)
constexpr std::int64_t kSmirnovSumMax = 100'000;  // above: the asymptotic tail

/// Square matrix with a power-of-ten exponent, so that powers do not overflow.
struct Scaled {
    std::vector<double> cells;
    int exponent = 0;
};

void rescale(Scaled& m, std::size_t size) {
    if (m.cells[(size / 2) * size + size / 2] > 1e140) {
        for (double& cell : m.cells) {
            cell *= 1e-140;
        }
        m.exponent += 140;
    }
}

Scaled multiply(const Scaled& a, const Scaled& b, std::size_t size) {
    Scaled out{std::vector<double>(size * size, 0.0), a.exponent + b.exponent};
    for (std::size_t i = 0; i < size; ++i) {
        for (std::size_t k = 0; k < size; ++k) {
            const double left = a.cells[i * size + k];
            for (std::size_t j = 0; left != 0.0 && j < size; ++j) {
                out.cells[i * size + j] += left * b.cells[k * size + j];
            }
        }
    }
    rescale(out, size);
    return out;
}

Scaled durbin_matrix(double h, std::size_t size) {
    Scaled m{std::vector<double>(size * size, 0.0), 0};
    const auto at = [&](std::size_t i, std::size_t j) -> double& { return m.cells[i * size + j]; };
    for (std::size_t i = 0; i < size; ++i) {
        for (std::size_t j = 0; j <= std::min(i + 1, size - 1); ++j) {
            at(i, j) = 1.0;
        }
    }
    for (std::size_t i = 0; i < size; ++i) {
        at(i, 0) -= std::pow(h, static_cast<double>(i + 1));
        at(size - 1, i) -= std::pow(h, static_cast<double>(size - i));
    }
    at(size - 1, 0) += 2.0 * h - 1.0 > 0.0 ? std::pow(2.0 * h - 1.0, static_cast<double>(size)) : 0.0;
    for (std::size_t i = 0; i < size; ++i) {
        double factorial = 1.0;
        for (std::size_t g = 1; g <= i + 1; ++g) {  // column j = i + 1 - g is divided by g!
            factorial *= static_cast<double>(g);
            at(i, i + 1 - g) /= factorial;
        }
    }
    return m;
}

double kolmogorov_cdf_matrix(double d, std::int64_t n) {
    const double scaled = static_cast<double>(n) * d;
    const auto k = static_cast<std::size_t>(scaled) + 1;
    const std::size_t size = 2 * k - 1;
    Scaled base = durbin_matrix(static_cast<double>(k) - scaled, size);
    Scaled power{std::vector<double>(size * size, 0.0), 0};
    for (std::size_t i = 0; i < size; ++i) {
        power.cells[i * size + i] = 1.0;
    }
    for (std::int64_t left = n; left > 0; left /= 2) {
        if (left % 2 == 1) {
            power = multiply(power, base, size);
        }
        base = multiply(base, base, size);
    }
    double value = power.cells[(k - 1) * size + k - 1];
    for (std::int64_t i = 1; i <= n; ++i) {
        value *= static_cast<double>(i) / static_cast<double>(n);
        if (value < 1e-140) {
            value *= 1e140;
            power.exponent -= 140;
        }
    }
    return value * std::pow(10.0, power.exponent);
}

double kolmogorov_cdf_pelz_good(double d, std::int64_t n) {
    const double root_n = std::sqrt(static_cast<double>(n));
    const double z = root_n * d;
    const double z2 = z * z;
    const double z4 = z2 * z2;
    const double z6 = z4 * z2;
    const double root_2pi = std::sqrt(2.0 * std::numbers::pi);
    double k0 = 0.0;
    double k1 = 0.0;
    double k2 = 0.0;
    double k3 = 0.0;
    const int terms = static_cast<int>(std::ceil(16.0 * z / std::numbers::pi));
    for (int k = terms; k >= 1; --k) {
        const double m2 = (2.0 * k - 1.0) * (2.0 * k - 1.0);
        const double power = std::exp(-kPi2 * m2 / (8.0 * z2));
        k0 += power;
        k1 += power * (-z2 + kPi2 / 4.0 * m2);
        k2 += power * (6.0 * z6 + 2.0 * z4 + (2.0 * z4 - 5.0 * z2) * kPi2 / 4.0 * m2 +
                       kPi2 * kPi2 * (1.0 - 2.0 * z2) / 16.0 * m2 * m2);
        k3 += power * (-30.0 * z6 - 90.0 * z6 * z2 + kPi2 * (135.0 * z4 - 96.0 * z6) / 4.0 * m2 +
                       kPi2 * kPi2 * (-60.0 * z2 + 212.0 * z4) / 16.0 * m2 * m2 +
                       kPi2 * kPi2 * kPi2 * (5.0 - 30.0 * z2) / 64.0 * m2 * m2 * m2);
    }
    k0 *= root_2pi / z;
    k1 *= root_2pi / (6.0 * z4);
    k2 *= root_2pi / (72.0 * z6 * z);
    k3 *= root_2pi / (6480.0 * z6 * z4);
    double extra2 = 0.0;
    double extra3 = 0.0;
    for (int k = terms; k >= 1; --k) {
        const double square = static_cast<double>(k) * k;
        const double power = square * std::exp(-kPi2 * square / (2.0 * z2));
        extra2 += power;
        extra3 += power * (3.0 * z2 - kPi2 * square);
    }
    k2 -= extra2 * kPi2 * root_2pi / (36.0 * z2 * z);
    k3 += extra3 * kPi2 * root_2pi / (216.0 * z6);
    return k0 + k1 / root_n + k2 / (root_n * root_n) + k3 / (root_n * root_n * root_n);
}

/// P(D_n^+ > d), the one-sided tail.
double smirnov_sf(double d, std::int64_t n) {
    const double count = static_cast<double>(n);
    if (n > kSmirnovSumMax) {  // Maag, Dicaire (1971)
        const double t = 6.0 * count * d + 1.0;
        return std::exp(-t * t / (18.0 * count));
    }
    double sum = 0.0;
    const double log_gamma_n = std::lgamma(count + 1.0);
    const auto last = static_cast<std::int64_t>(std::floor(count * (1.0 - d)));
    for (std::int64_t j = 0; j <= last; ++j) {
        const double i = static_cast<double>(j);
        const double rest = 1.0 - d - i / count;
        if (rest <= 0.0) {
            continue;
        }
        sum += std::exp(log_gamma_n - std::lgamma(i + 1.0) - std::lgamma(count - i + 1.0) +
                        (i - 1.0) * std::log(d + i / count) + (count - i) * std::log(rest));
    }
    return d * sum;
}

}  // namespace

double kolmogorov_sf(double x) {
    if (x <= 0.0) {
        return 1.0;
    }
    if (x < 1.0) {  // Jacobi's transformation converges faster here
        double sum = 0.0;
        for (int k = 1; k <= 9; k += 2) {
            sum += std::exp(-static_cast<double>(k) * k * kPi2 / (8.0 * x * x));
        }
        return std::clamp(1.0 - std::sqrt(2.0 * std::numbers::pi) / x * sum, 0.0, 1.0);
    }
    double sum = 0.0;
    for (int k = 1; k <= 8; ++k) {
        sum += (k % 2 == 1 ? 1.0 : -1.0) * std::exp(-2.0 * static_cast<double>(k) * k * x * x);
    }
    return std::clamp(2.0 * sum, 0.0, 1.0);
}

double kstwo_sf(double d, std::int64_t n) {
    const double count = static_cast<double>(n);
    if (n <= 0 || d <= 0.5 / count) {
        return 1.0;
    }
    if (d >= 1.0) {
        return 0.0;
    }
    const double square = count * d * d;
    if (square > 370.0) {
        return 0.0;  // below the smallest double
    }
    // Near d = 0 the expansion loses digits; the matrix is small there for any n up to the bound.
    const bool small = n <= kMatrixRowsMax || (n <= kSmirnovSumMax && count * std::pow(d, 1.5) <= 1.4);
    if (d > 0.5 || square > (small ? 4.0 : 2.2)) {
        return std::min(1.0, 2.0 * smirnov_sf(d, n));
    }
    const double cdf = small ? kolmogorov_cdf_matrix(d, n) : kolmogorov_cdf_pelz_good(d, n);
    return std::clamp(1.0 - cdf, 0.0, 1.0);
}

}  // namespace gyre::stats
