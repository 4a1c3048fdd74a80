#include "serving/routing.h"

#include <algorithm>

#include "base/text.h"

namespace gyre::serving {

bool RoutedEndpoint::ready() const {
    return !answering.empty() && std::all_of(answering.begin(), answering.end(), [&](std::size_t i) {
        return static_cast<bool>(variants[i].model);
    });
}

const model::Signature* RoutedEndpoint::signature() const {
    for (const RoutedVariant& variant : variants) {
        if (variant.model) {
            return &variant.model.predictor().signature();
        }
    }
    return nullptr;
}

const RoutedVariant& RoutedEndpoint::choose(std::string_view key) const {
    if (answering.size() == 1) {
        return variants[answering.front()];
    }
    return variants[answering[assign(cumulative, spec.name, key)]];
}

const RoutedVariant* RoutedEndpoint::pinned(std::int64_t version) const {
    const Variant* champion = spec.champion();
    for (const RoutedVariant& variant : variants) {
        if (champion != nullptr && variant.spec.model == champion->model && variant.spec.version == version) {
            return &variant;
        }
    }
    return nullptr;
}

const RoutedEndpoint* RoutingTable::peek(std::string_view name) const {
    const auto found = endpoints.find(name);
    return found == endpoints.end() ? nullptr : found->second.get();
}

Error RoutingTable::unknown(std::string_view name) const {
    std::vector<std::string_view> known;
    known.reserve(endpoints.size());
    for (const auto& [key, endpoint] : endpoints) {
        known.push_back(key);
    }
    std::sort(known.begin(), known.end());
    return not_found("no endpoint named '" + std::string(name.substr(0, kModelNameBytesMax)) + "'" +
                     suggestion(name, known) + "; gyre deploy makes one");
}

Result<std::shared_ptr<const RoutedEndpoint>> RoutingTable::find(std::string_view name) const {
    const auto found = endpoints.find(name);
    if (found == endpoints.end()) {
        return unknown(name);
    }
    return found->second;
}

}  // namespace gyre::serving
