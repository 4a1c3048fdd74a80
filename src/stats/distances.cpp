#include "stats/distances.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gyre::stats {
namespace {

double sum_of(std::span<const double> counts) {
    return std::accumulate(counts.begin(), counts.end(), 0.0);
}

/// Sum over bins of term(p_i, q_i); 0 when a side is empty.
template <class Term>
double sum_over_shares(std::span<const double> reference, std::span<const double> current, Term term) {
    const double n = sum_of(reference);
    const double m = sum_of(current);
    if (n <= 0.0 || m <= 0.0) {
        return 0.0;
    }
    double sum = 0.0;
    for (std::size_t i = 0; i < std::min(reference.size(), current.size()); ++i) {
        sum += term(reference[i] / n, current[i] / m);
    }
    return sum;
}

std::vector<double> sorted_finite(std::span<const double> values) {
    std::vector<double> out;
    std::copy_if(values.begin(), values.end(), std::back_inserter(out),
                 [](double v) { return std::isfinite(v); });
    std::sort(out.begin(), out.end());
    return out;
}

/// One bucket of the union of two histograms, with both sides' counts and cumulative shares before it.
struct Step {
    double low = 0.0;
    double high = 0.0;
    double reference = 0.0;
    double current = 0.0;
};

std::vector<Step> steps_of(const Profile& reference, const Profile& current) {
    const BitHistogram a = reference.histogram().coarsened(current.histogram().shift());
    const BitHistogram b = current.histogram().coarsened(a.shift());
    std::vector<Step> steps;
    if (a.total() == 0 || b.total() == 0) {
        return steps;
    }
    auto i = a.buckets().begin();
    auto j = b.buckets().begin();
    while (i != a.buckets().end() || j != b.buckets().end()) {
        const bool has_a = i != a.buckets().end() && (j == b.buckets().end() || i->key <= j->key);
        const bool has_b = j != b.buckets().end() && (i == a.buckets().end() || j->key <= i->key);
        const std::uint32_t key = has_a ? i->key : j->key;
        const double share_a =
            has_a ? static_cast<double>((i++)->count) / static_cast<double>(a.total()) : 0.0;
        const double share_b =
            has_b ? static_cast<double>((j++)->count) / static_cast<double>(b.total()) : 0.0;
        steps.push_back({a.low_of(key), a.high_of(key), share_a, share_b});
    }
    return steps;
}

}  // namespace

double psi(std::span<const double> reference, std::span<const double> current, double epsilon) {
    const double bins = static_cast<double>(std::min(reference.size(), current.size()));
    const double n = sum_of(reference);
    const double m = sum_of(current);
    if (n <= 0.0 || m <= 0.0) {
        return 0.0;
    }
    double sum = 0.0;
    for (std::size_t i = 0; i < std::min(reference.size(), current.size()); ++i) {
        const double p = (reference[i] + epsilon) / (n + bins * epsilon);
        const double q = (current[i] + epsilon) / (m + bins * epsilon);
        sum += p > 0.0 && q > 0.0 ? (q - p) * std::log(q / p) : 0.0;
    }
    return sum;
}

double jensen_shannon(std::span<const double> reference, std::span<const double> current) {
    const double divergence = sum_over_shares(reference, current, [](double p, double q) {
        const double middle = 0.5 * (p + q);
        return (p > 0.0 ? 0.5 * p * std::log2(p / middle) : 0.0) +
               (q > 0.0 ? 0.5 * q * std::log2(q / middle) : 0.0);
    });
    return std::sqrt(std::clamp(divergence, 0.0, 1.0));
}

double hellinger(std::span<const double> reference, std::span<const double> current) {
    const double squares = sum_over_shares(reference, current, [](double p, double q) {
        const double gap = std::sqrt(p) - std::sqrt(q);
        return 0.5 * gap * gap;  // as 1 - sum sqrt(pq), without cancellation
    });
    return std::sqrt(std::clamp(squares, 0.0, 1.0));
}

double total_variation(std::span<const double> reference, std::span<const double> current) {
    return sum_over_shares(reference, current, [](double p, double q) { return 0.5 * std::abs(p - q); });
}

double l_infinity(std::span<const double> reference, std::span<const double> current) {
    double largest = 0.0;
    sum_over_shares(reference, current, [&](double p, double q) {
        largest = std::max(largest, std::abs(p - q));
        return 0.0;
    });
    return largest;
}

std::vector<double> equal_width_edges(std::span<const double> values, std::size_t bins) {
    double low = 0.0;
    double high = 0.0;
    std::size_t seen = 0;
    for (const double value : values) {
        if (std::isfinite(value)) {
            low = seen == 0 ? value : std::min(low, value);
            high = seen == 0 ? value : std::max(high, value);
            ++seen;
        }
    }
    if (low == high) {
        low -= 0.5;
        high += 0.5;
    }
    std::vector<double> edges(bins + 1);
    const double step = (high - low) / static_cast<double>(bins);
    for (std::size_t i = 0; i < bins; ++i) {
        edges[i] = static_cast<double>(i) * step + low;
    }
    edges[bins] = high;
    return edges;
}

std::vector<double> histogram_counts(std::span<const double> values, std::span<const double> edges,
                                     Outside outside) {
    std::vector<double> counts(edges.size() < 2 ? 0 : edges.size() - 1, 0.0);
    for (const double value : values) {
        if (!std::isfinite(value) || counts.empty()) {
            continue;
        }
        if (value < edges.front() || value > edges.back()) {
            if (outside == Outside::clamp) {
                ++(value < edges.front() ? counts.front() : counts.back());
            }
            continue;
        }
        const auto above = std::upper_bound(edges.begin(), edges.end(), value) - edges.begin();
        ++counts[std::min(static_cast<std::size_t>(above) - 1, counts.size() - 1)];
    }
    return counts;
}

Result<ClassicPsi> psi_classic(std::span<const double> reference, std::span<const double> current,
                               std::size_t bins) {
    const auto is_finite = [](double v) { return std::isfinite(v); };
    const auto n = std::count_if(reference.begin(), reference.end(), is_finite);
    const auto m = std::count_if(current.begin(), current.end(), is_finite);
    if (n == 0 || m == 0 || bins == 0 || bins > kHistogramBucketsMax) {
        return invalid_argument("psi: expected a finite value on both sides and 1 to 4096 bins");
    }
    ClassicPsi out;
    out.edges = equal_width_edges(reference, bins);
    out.reference = histogram_counts(reference, out.edges, Outside::drop);
    out.current = histogram_counts(current, out.edges, Outside::drop);
    for (std::size_t i = 0; i < bins; ++i) {
        const double p = (out.reference[i] + kPsiEpsilon) / static_cast<double>(n);
        const double q = (out.current[i] + kPsiEpsilon) / static_cast<double>(m);
        out.value += (q - p) * std::log(q / p);
    }
    return out;
}

double wasserstein1(std::span<const double> reference, std::span<const double> current) {
    const std::vector<double> a = sorted_finite(reference);
    const std::vector<double> b = sorted_finite(current);
    if (a.empty() || b.empty()) {
        return 0.0;
    }
    std::size_t i = 0;
    std::size_t j = 0;
    double last = std::min(a[0], b[0]);
    double sum = 0.0;
    while (i < a.size() || j < b.size()) {
        const bool from_a = j == b.size() || (i < a.size() && a[i] <= b[j]);
        const double point = from_a ? a[i] : b[j];
        const double gap = static_cast<double>(i) / static_cast<double>(a.size()) -
                           static_cast<double>(j) / static_cast<double>(b.size());
        sum += std::abs(gap) * (point - last);
        last = point;
        ++(from_a ? i : j);
    }
    return sum;
}

KsBounds ks_bounds(const Profile& reference, const Profile& current) {
    KsBounds bounds;
    double f = 0.0;
    double g = 0.0;
    for (const Step& step : steps_of(reference, current)) {
        // Inside the bucket the two may rise in any order.
        if (step.reference > 0.0 && step.current > 0.0) {
            bounds.high =
                std::max({bounds.high, std::abs(f + step.reference - g), std::abs(f - g - step.current)});
        }
        f += step.reference;
        g += step.current;
        bounds.low = std::max(bounds.low, std::abs(f - g));
    }
    bounds.low = std::min(bounds.low, 1.0);
    bounds.high = std::clamp(bounds.high, bounds.low, 1.0);
    return bounds;
}

double wasserstein1(const Profile& reference, const Profile& current) {
    double sum = 0.0;
    double gap = 0.0;
    double last = 0.0;
    for (const Step& step : steps_of(reference, current)) {
        const double low = std::max(step.low, std::min(reference.moments().min, current.moments().min));
        const double high = std::min(step.high, std::max(reference.moments().max, current.moments().max));
        const double middle = 0.5 * low + 0.5 * high;
        sum += gap == 0.0 ? 0.0 : std::abs(gap) * (middle - last);
        gap += step.reference - step.current;
        last = middle;
    }
    return sum;
}

double psi_quantile_bins(const Profile& reference, const Profile& current, std::size_t bins) {
    // Whole buckets are gathered until a bin holds its share of the reference, so counts are exact.
    std::vector<double> p(1, 0.0);
    std::vector<double> q(1, 0.0);
    const double wanted = 1.0 / static_cast<double>(std::max<std::size_t>(bins, 1));
    for (const Step& step : steps_of(reference, current)) {
        if (p.back() + 0.5 * step.reference >= wanted && p.size() < bins) {
            p.push_back(0.0);
            q.push_back(0.0);
        }
        p.back() += step.reference;
        q.back() += step.current;
    }
    const double n = static_cast<double>(reference.histogram().total());
    const double m = static_cast<double>(current.histogram().total());
    for (std::size_t i = 0; i < p.size(); ++i) {
        p[i] *= n;
        q[i] *= m;
    }
    return psi(p, q);
}

AlignedCounts align_categories(const Profile& reference, const Profile& current) {
    AlignedCounts out;
    auto i = reference.categories().begin();
    auto j = current.categories().begin();
    while (i != reference.categories().end() || j != current.categories().end()) {
        const bool has_a =
            i != reference.categories().end() && (j == current.categories().end() || i->first <= j->first);
        const bool has_b =
            j != current.categories().end() && (i == reference.categories().end() || j->first <= i->first);
        out.categories.push_back(has_a ? i->first : j->first);
        out.reference.push_back(has_a ? static_cast<double>((i++)->second) : 0.0);
        out.current.push_back(has_b ? static_cast<double>((j++)->second) : 0.0);
    }
    out.categories.emplace_back("OTHER");
    out.reference.push_back(static_cast<double>(reference.other()));
    out.current.push_back(static_cast<double>(current.other()));
    return out;
}

}  // namespace gyre::stats
