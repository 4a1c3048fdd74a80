#pragma once
// Profile: what a column's values looked like, in bounded memory, mergeable by addition. Any window, segment
// or baseline is a sum of profiles; nothing is read twice. Plain values; not thread-safe (one per writer,
// merged by a reader).
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stats/moments.h"

namespace gyre::stats {

/// More occupied buckets than this halve the histogram's resolution (again and again if need be).
inline constexpr std::size_t kHistogramBucketsMax = 4096;
/// Distinct categories counted exactly; later ones count as OTHER.
inline constexpr std::size_t kCategoriesMax = 10'000;
/// Longer categories are cut to this many bytes.
inline constexpr std::size_t kCategoryBytesMax = 256;

/// Histogram over the top bits of a double (sign, exponent, 6 mantissa bits: buckets at most 1.6 % wide),
/// sparse. Integers below 128 in magnitude have a bucket of their own. Merging is exact and independent of
/// order: the resolution depends only on the set of values.
class BitHistogram {
 public:
    struct Bucket {
        std::uint32_t key = 0;  // ordered as the values are
        std::int64_t count = 0;
        bool operator==(const Bucket&) const = default;
    };

    /// `value` must be finite; weights below 1 are ignored.
    void add(double value, std::int64_t weight = 1);
    void add(std::span<const double> values);
    void merge(const BitHistogram& other);
    /// The same counts at a resolution coarser by `shift` bits in all; a finer shift changes nothing.
    [[nodiscard]] BitHistogram coarsened(unsigned shift) const;

    [[nodiscard]] std::int64_t total() const { return total_; }
    [[nodiscard]] unsigned shift() const { return shift_; }
    [[nodiscard]] const std::vector<Bucket>& buckets() const { return buckets_; }
    /// Value range of a bucket key at this resolution: [low, high).
    [[nodiscard]] double low_of(std::uint32_t key) const;
    [[nodiscard]] double high_of(std::uint32_t key) const;

    [[nodiscard]] Json to_json() const;
    static Result<BitHistogram> from_json(const Json& json);

    bool operator==(const BitHistogram& other) const {
        return buckets_ == other.buckets_ && total_ == other.total_ && shift_ == other.shift_;
    }

 private:
    /// Where a key was found last, by its low bits: values of a few neighbouring powers of two, as most
    /// columns have, are found again without a search. Only a hint, checked before use; copies begin without.
    class Places {
     public:
        Places() = default;
        Places(const Places&) {}
        Places(Places&&) noexcept = default;
        Places& operator=(const Places&) { return *this; }
        Places& operator=(Places&&) noexcept = default;
        ~Places() = default;

        [[nodiscard]] std::size_t of(std::uint32_t key) const {
            return places_.empty() ? 0 : places_.data()[key % kCount];
        }
        void note(std::uint32_t key, std::size_t place) {
            places_.resize(kCount);
            places_[key % kCount] = static_cast<std::uint16_t>(place);
        }

     private:
        static constexpr std::size_t kCount = 256;
        static_assert(kHistogramBucketsMax < (1U << 16U));
        std::vector<std::uint16_t> places_;
    };

    std::size_t place_of(std::uint32_t key);
    void add_searched(std::uint32_t key, std::int64_t weight);
    void halve();

    std::vector<Bucket> buckets_;  // ascending keys
    std::int64_t total_ = 0;
    unsigned shift_ = 0;
    Places places_;
};

enum class ColumnKind : std::uint8_t { numeric, categorical };
constexpr auto enum_names(ColumnKind) {
    return std::array{EnumName{ColumnKind::numeric, "numeric"},
                      EnumName{ColumnKind::categorical, "categorical"}};
}

/// The profile of one column.
class Profile {
 public:
    explicit Profile(ColumnKind kind = ColumnKind::numeric) : kind_(kind) {}

    /// A number. NaN and infinities are counted apart. In a categorical column it is the category of its
    /// shortest decimal text. Weights below 1 are ignored.
    void add(double value, std::int64_t weight = 1);
    /// Many numbers at once, cheaper than one by one.
    void add(std::span<const double> values);
    /// A text. In a numeric column it is parsed; what is no number is counted as invalid.
    void add(std::string_view category, std::int64_t weight = 1);
    void add_null(std::int64_t weight = 1);
    /// Errors: invalid_argument for different kinds. Exact, except that categories met after a profile was
    /// full count as OTHER.
    Result<void> merge(const Profile& other);

    [[nodiscard]] ColumnKind kind() const { return kind_; }
    [[nodiscard]] std::int64_t rows() const;  // everything seen
    [[nodiscard]] std::int64_t nulls() const { return nulls_; }
    [[nodiscard]] std::int64_t nans() const { return nans_; }
    [[nodiscard]] std::int64_t infinities() const { return infinities_; }
    [[nodiscard]] std::int64_t invalid() const { return invalid_; }
    /// Values that take part in statistics: finite numbers, or all categories.
    [[nodiscard]] std::int64_t valid() const;
    [[nodiscard]] const Moments& moments() const { return moments_; }
    [[nodiscard]] const BitHistogram& histogram() const { return histogram_; }
    [[nodiscard]] const std::map<std::string, std::int64_t, std::less<>>& categories() const {
        return categories_;
    }
    [[nodiscard]] std::int64_t other() const { return other_; }

    /// Numeric columns: the value below which a share p of the values lies, interpolated in its bucket
    /// (relative error of a bucket's width). 0 without values.
    [[nodiscard]] double quantile(double p) const;
    /// Numeric columns: share of values <= x, interpolated.
    [[nodiscard]] double cdf(double x) const;

    /// Compact; from_json(to_json()) is equal. Errors: invalid_argument (shape, order, negative counts).
    [[nodiscard]] Json to_json() const;
    static Result<Profile> from_json(const Json& json);

 private:
    void add_category(std::string_view category, std::int64_t weight);

    ColumnKind kind_;
    std::int64_t nulls_ = 0;
    std::int64_t nans_ = 0;
    std::int64_t infinities_ = 0;
    std::int64_t invalid_ = 0;
    Moments moments_;
    BitHistogram histogram_;
    std::map<std::string, std::int64_t, std::less<>> categories_;
    std::int64_t other_ = 0;
};

}  // namespace gyre::stats
