#include "stats/profile.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace gyre::stats {
namespace {

constexpr std::int64_t kCountMax = std::int64_t{1} << 52;

/// Cuts to kCategoryBytesMax without splitting a UTF-8 sequence.
std::string_view bounded(std::string_view category) {
    if (category.size() <= kCategoryBytesMax) {
        return category;
    }
    std::size_t size = kCategoryBytesMax;
    while (size > 0 && (static_cast<unsigned char>(category[size]) & 0xC0U) == 0x80U) {
        --size;
    }
    return category.substr(0, size);
}

/// Shortest text that reads back as the value; whole numbers without a point.
std::string decimal_text(double value) {
    constexpr double kWholeMax = 9e15;
    if (std::abs(value) < kWholeMax && std::trunc(value) == value) {
        return std::to_string(static_cast<std::int64_t>(value));
    }
    std::string text;
    append_json_number(text, value);
    return text;
}

struct ProfileWire {
    ColumnKind kind = ColumnKind::numeric;
    std::int64_t nulls = 0;
    std::int64_t nans = 0;
    std::int64_t infinities = 0;
    std::int64_t invalid = 0;
    std::optional<Moments> moments;
    std::optional<Json> histogram;
    std::optional<std::map<std::string, std::int64_t>> categories;
    std::int64_t other = 0;
    static constexpr auto fields() {
        return std::tuple{
            Field{"kind", &ProfileWire::kind, "numeric or categorical."},
            Field{"nulls", &ProfileWire::nulls, "Missing values."},
            Field{"nans", &ProfileWire::nans, "NaN values.", optional_field},
            Field{"infinities", &ProfileWire::infinities, "Infinite values.", optional_field},
            Field{"invalid", &ProfileWire::invalid, "Texts that are no number.", optional_field},
            Field{"moments", &ProfileWire::moments, "Of the finite values.", optional_field},
            Field{"histogram", &ProfileWire::histogram, "Bit-prefix histogram.", optional_field},
            Field{"categories", &ProfileWire::categories, "Rows per category.", optional_field},
            Field{"other", &ProfileWire::other, "Rows of categories beyond the bound.", optional_field},
        };
    }
};

bool counts_fit(const ProfileWire& wire) {
    for (const std::int64_t count : {wire.nulls, wire.nans, wire.infinities, wire.invalid, wire.other}) {
        if (count < 0 || count > kCountMax) {
            return false;
        }
    }
    return true;
}

}  // namespace

void Profile::add(double value, std::int64_t weight) {
    if (weight < 1) {
        return;
    }
    if (std::isnan(value)) {
        nans_ += weight;
    } else if (std::isinf(value)) {
        infinities_ += weight;
    } else if (kind_ == ColumnKind::categorical) {
        add_category(decimal_text(value), weight);
    } else {
        moments_.add(value, weight);
        histogram_.add(value, weight);
    }
}

void Profile::add(std::span<const double> values) {
    const bool finite = std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
    if (kind_ == ColumnKind::numeric && finite) {
        moments_.add(values);
        histogram_.add(values);
        return;
    }
    for (const double value : values) {
        add(value);
    }
}

void Profile::add(std::string_view category, std::int64_t weight) {
    if (weight < 1) {
        return;
    }
    if (kind_ == ColumnKind::categorical) {
        add_category(bounded(category), weight);
    } else if (const auto number = parse_number(category)) {
        add(*number, weight);
    } else {
        invalid_ += weight;
    }
}

void Profile::add_category(std::string_view category, std::int64_t weight) {
    const auto at = categories_.find(category);
    if (at != categories_.end()) {
        at->second += weight;
    } else if (categories_.size() < kCategoriesMax) {
        categories_.emplace(category, weight);
    } else {
        other_ += weight;
    }
}

void Profile::add_null(std::int64_t weight) {
    nulls_ += std::max<std::int64_t>(weight, 0);
}

Result<void> Profile::merge(const Profile& other) {
    if (kind_ != other.kind_) {
        return invalid_argument("profiles of different kinds: " + std::string(name_of(kind_)) + " and " +
                                std::string(name_of(other.kind_)));
    }
    nulls_ += other.nulls_;
    nans_ += other.nans_;
    infinities_ += other.infinities_;
    invalid_ += other.invalid_;
    other_ += other.other_;
    moments_.merge(other.moments_);
    histogram_.merge(other.histogram_);
    for (const auto& [category, count] : other.categories_) {
        add_category(category, count);
    }
    return {};
}

std::int64_t Profile::valid() const {
    if (kind_ == ColumnKind::numeric) {
        return moments_.count;
    }
    std::int64_t sum = other_;
    for (const auto& [category, count] : categories_) {
        sum += count;
    }
    return sum;
}

std::int64_t Profile::rows() const {
    return valid() + nulls_ + nans_ + infinities_ + invalid_;
}

double Profile::quantile(double p) const {
    const double wanted = std::clamp(p, 0.0, 1.0) * static_cast<double>(histogram_.total());
    double below = 0.0;
    for (const auto& bucket : histogram_.buckets()) {
        const double count = static_cast<double>(bucket.count);
        if (below + count >= wanted) {
            const double low = std::max(moments_.min, histogram_.low_of(bucket.key));
            const double high = std::min(moments_.max, histogram_.high_of(bucket.key));
            return low + (high - low) * (wanted - below) / count;
        }
        below += count;
    }
    return moments_.max;
}

double Profile::cdf(double x) const {
    if (moments_.count == 0 || x < moments_.min) {
        return 0.0;
    }
    if (x >= moments_.max) {
        return 1.0;
    }
    double below = 0.0;
    for (const auto& bucket : histogram_.buckets()) {
        const double low = std::max(moments_.min, histogram_.low_of(bucket.key));
        const double high = std::min(moments_.max, histogram_.high_of(bucket.key));
        const double count = static_cast<double>(bucket.count);
        if (x < high) {
            below += x > low ? count * (x - low) / (high - low) : 0.0;
            break;
        }
        below += count;
    }
    return below / static_cast<double>(histogram_.total());
}

Json Profile::to_json() const {
    ProfileWire wire{kind_, nulls_, nans_, infinities_, invalid_, {}, {}, {}, other_};
    if (kind_ == ColumnKind::numeric) {
        wire.moments = moments_;
        wire.histogram = histogram_.to_json();
    } else {
        wire.categories.emplace(categories_.begin(), categories_.end());
    }
    return gyre::to_json(wire);
}

Result<Profile> Profile::from_json(const Json& json) {
    GYRE_TRY(ProfileWire wire, gyre::from_json<ProfileWire>(json));
    if (!counts_fit(wire)) {
        return invalid_argument("profile: a count is negative or above 2^52");
    }
    Profile out(wire.kind);
    out.nulls_ = wire.nulls;
    out.nans_ = wire.nans;
    out.infinities_ = wire.infinities;
    out.invalid_ = wire.invalid;
    out.other_ = wire.other;
    if (wire.histogram) {
        GYRE_TRY(out.histogram_, BitHistogram::from_json(*wire.histogram));
    }
    out.moments_ = wire.moments.value_or(Moments{});
    const Moments& m = out.moments_;
    if (m.count != out.histogram_.total() || !std::isfinite(m.mean) || !(m.m2 >= 0.0) || !(m.min <= m.max)) {
        return invalid_argument("profile: moments do not fit the histogram");
    }
    if (wire.categories && wire.categories->size() > kCategoriesMax) {
        return invalid_argument("profile: more than " + std::to_string(kCategoriesMax) + " categories");
    }
    for (const auto& [category, count] : wire.categories.value_or(std::map<std::string, std::int64_t>{})) {
        if (count < 1 || count > kCountMax || category.size() > kCategoryBytesMax) {
            return invalid_argument("profile: category '" + std::string(bounded(category)) +
                                    "' has a bad count or size");
        }
        out.categories_.emplace(category, count);
    }
    return out;
}

}  // namespace gyre::stats
