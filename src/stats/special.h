#pragma once
// Special functions. Pure, thread-safe, no allocation. Arguments outside a function's domain are clamped to
// its edge, so that no NaN leaves this file unless one came in.

#include <cstdint>

namespace gyre::stats {

/// P(Z <= z) of the standard normal; normal_sf(z) = P(Z > z) without cancellation.
double normal_cdf(double z);
double normal_sf(double z);
/// The z with normal_cdf(z) = p, p clamped to [1e-300, 1 - 1e-16].
double normal_quantile(double p);

/// P(X > x) of chi-square with `df` degrees of freedom; 1 when df <= 0.
double chi2_sf(double x, double df);
/// The x with P(X <= x) = p of Beta(a, b); a, b > 0.
double beta_quantile(double p, double a, double b);
/// P(|T| > |t|) of Student's t with `df` degrees of freedom (real, > 0).
double student_t_two_sided(double t, double df);
/// The t with P(T <= t) = p of Student's t.
double student_t_quantile(double p, double df);

/// P(K > x) of the limiting Kolmogorov distribution, 2 sum (-1)^(k-1) exp(-2 k^2 x^2).
double kolmogorov_sf(double x);
/// P(D_n > d) of the two-sided one-sample Kolmogorov statistic with n observations, as SciPy's `kstwo.sf`:
/// Marsaglia, Tsang, Wang (2003) matrix for n <= 140, Pelz and Good (1976) above, twice the one-sided
/// Smirnov tail where the two sides are disjoint to double precision (Simard, L'Ecuyer 2011).
double kstwo_sf(double d, std::int64_t n);

}  // namespace gyre::stats
