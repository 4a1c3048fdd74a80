#include "serving/endpoint.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/digest.h"

namespace gyre::serving {
namespace {

const Variant* first_with(const EndpointSpec& spec, Role role) {
    const auto found = std::find_if(spec.variants.begin(), spec.variants.end(),
                                    [&](const Variant& v) { return v.role == role; });
    return found == spec.variants.end() ? nullptr : &*found;
}

Result<void> check_variant(const Variant& variant) {
    GYRE_TRY_VOID(check_model_name(variant.model));
    if (variant.name.empty() || variant.name.size() > kModelNameBytesMax) {
        return invalid_argument("a variant needs a name of 1 to 256 bytes");
    }
    if (variant.version < 1) {
        return invalid_argument("variant '" + variant.name + "': expected a version from 1, got " +
                                std::to_string(variant.version));
    }
    if (!(variant.weight >= 0.0 && variant.weight <= 1.0)) {
        return invalid_argument("variant '" + variant.name + "': expected a weight from 0 to 1");
    }
    if (variant.role == Role::shadow && variant.weight != 0.0) {
        return invalid_argument("variant '" + variant.name +
                                "' is a shadow: it never answers, so its weight is 0");
    }
    return {};
}

}  // namespace

const Variant* EndpointSpec::champion() const {
    return first_with(*this, Role::champion);
}
const Variant* EndpointSpec::candidate() const {
    return first_with(*this, Role::candidate);
}

const Variant* EndpointSpec::find(std::string_view variant) const {
    const auto found =
        std::find_if(variants.begin(), variants.end(), [&](const auto& v) { return v.name == variant; });
    return found == variants.end() ? nullptr : &*found;
}

Result<void> check(const EndpointSpec& spec) {
    GYRE_TRY_VOID(check_model_name(spec.name));
    if (spec.variants.size() > kVariantsPerEndpointMax) {
        return resource_exhausted("endpoint '" + spec.name + "': at most " +
                                  std::to_string(kVariantsPerEndpointMax) + " variants, got " +
                                  std::to_string(spec.variants.size()));
    }
    std::set<std::string_view> names;
    double total = 0.0;
    int champions = 0;
    int candidates = 0;
    for (const Variant& variant : spec.variants) {
        GYRE_TRY_VOID(check_variant(variant));
        if (!names.insert(variant.name).second) {
            return invalid_argument("endpoint '" + spec.name + "': two variants are named '" + variant.name +
                                    "'");
        }
        total += variant.weight;
        champions += variant.role == Role::champion ? 1 : 0;
        candidates += variant.role == Role::candidate ? 1 : 0;
    }
    if (champions != 1 || candidates > 1) {
        return invalid_argument("endpoint '" + spec.name +
                                "': expected one champion and at most one candidate, got " +
                                std::to_string(champions) + " and " + std::to_string(candidates));
    }
    if (std::abs(total - 1.0) > 1e-9) {
        return invalid_argument("endpoint '" + spec.name + "': the weights sum to " + Json(total).dump() +
                                ", expected 1");
    }
    return {};
}

std::size_t assign(std::span<const double> cumulative, std::string_view endpoint, std::string_view key) {
    const double at = hash_fraction(key, hash64(endpoint));
    std::size_t index = 0;
    while (index + 1 < cumulative.size() && at >= cumulative[index]) {
        ++index;
    }
    return index;
}

}  // namespace gyre::serving
