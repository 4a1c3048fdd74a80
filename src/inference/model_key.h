#pragma once
// ModelKey: which model version, from where.
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gyre::inference {

/// registry: a registered version. repository: a folder given by --model-repository.
enum class ModelSource : std::uint8_t { registry, repository };

struct ModelKey {
    ModelSource source = ModelSource::registry;
    std::string name;
    std::int64_t version = 1;
    auto operator<=>(const ModelKey&) const = default;
    /// "flights/1"
    [[nodiscard]] std::string str() const { return name + "/" + std::to_string(version); }
};

inline constexpr std::size_t kModelsMax = 1000;  // desired at one time

}  // namespace gyre::inference
