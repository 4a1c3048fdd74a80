#pragma once
// Distances between two distributions. Pure functions.
//
// Over counts: both spans count the same K bins or categories; counts are finite and >= 0, and both sides
// have something (else the distance is 0: there is nothing to compare, callers check n first).
// Over profiles: of the same column kind; values outside the other side's range are never dropped.
#include <span>
#include <vector>

#include "stats/profile.h"

namespace gyre::stats {

/// Population stability index, sum (q - p) ln(q / p), shares smoothed as (count + eps) / (n + K eps).
inline constexpr double kPsiEpsilon = 1e-4;
double psi(std::span<const double> reference, std::span<const double> current, double epsilon = kPsiEpsilon);
/// Jensen-Shannon distance, base 2: square root of the divergence, in [0, 1].
double jensen_shannon(std::span<const double> reference, std::span<const double> current);
/// sqrt(1 - sum sqrt(p q)), in [0, 1].
double hellinger(std::span<const double> reference, std::span<const double> current);
/// Half the sum of |p - q|, in [0, 1].
double total_variation(std::span<const double> reference, std::span<const double> current);
/// Largest |p - q|.
double l_infinity(std::span<const double> reference, std::span<const double> current);

/// PSI by the widely copied rule: 10 bins of equal width over the reference's range, +0.0001 on counts,
/// divided by the number of rows; numpy.histogram's bins, so values outside the range are dropped.
/// Known to react to a single empty bin; kept because people compare with it.
/// Errors: no finite value on a side.
struct ClassicPsi {
    double value = 0.0;
    std::vector<double> edges;  // 11
    std::vector<double> reference;
    std::vector<double> current;
};
inline constexpr std::size_t kClassicPsiBins = 10;
Result<ClassicPsi> psi_classic(std::span<const double> reference, std::span<const double> current,
                               std::size_t bins = kClassicPsiBins);
/// numpy.linspace edges of `bins` bins over the finite values (a constant gets +-0.5).
std::vector<double> equal_width_edges(std::span<const double> values, std::size_t bins);
/// numpy.histogram: bins [e_i, e_i+1), the last one closed; values outside are dropped, or put into the
/// first and last bin.
enum class Outside : std::uint8_t { drop, clamp };
std::vector<double> histogram_counts(std::span<const double> values, std::span<const double> edges,
                                     Outside outside);

/// Integral of |F - G|; both sides need a finite value (else 0). O(n log n).
double wasserstein1(std::span<const double> reference, std::span<const double> current);

/// Lower and upper bound of the KS statistic, from profiles: equal when no bucket that matters is shared.
struct KsBounds {
    double low = 0.0;
    double high = 0.0;
};
KsBounds ks_bounds(const Profile& reference, const Profile& current);
/// Wasserstein-1 from numeric profiles (values at the middle of their bucket: within 1 %), in units of the
/// column.
double wasserstein1(const Profile& reference, const Profile& current);
/// PSI over bins that hold equal shares of the reference, edge bins open to both sides.
double psi_quantile_bins(const Profile& reference, const Profile& current,
                         std::size_t bins = kClassicPsiBins);

/// Counts of two categorical profiles over the union of their categories; OTHER is the last entry.
struct AlignedCounts {
    std::vector<std::string> categories;
    std::vector<double> reference;
    std::vector<double> current;
};
AlignedCounts align_categories(const Profile& reference, const Profile& current);

}  // namespace gyre::stats
