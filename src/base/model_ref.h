#pragma once
// ModelRef: how people name a model version. Accepted everywhere:
//   name  name/7  name@alias  name@v2.4.0  models:/name/7  models:/name@alias
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gyre {

struct SemanticVersion {
    std::uint32_t major = 1;
    std::uint32_t minor = 0;
    std::uint32_t patch = 0;
    auto operator<=>(const SemanticVersion&) const = default;
    [[nodiscard]] std::string str() const;  // "2.4.0"
};
Result<SemanticVersion> parse_semantic_version(std::string_view text);

struct ModelRef {
    std::string name;
    // At most one of these is set; none means the latest version.
    std::optional<std::int64_t> version;
    std::optional<std::string> alias;
    std::optional<SemanticVersion> semantic;
    [[nodiscard]] std::string str() const;
};

inline constexpr std::size_t kModelNameBytesMax = 256;

/// A model's or endpoint's name: 1 to 256 bytes, no '/', '@', ':' or control characters.
Result<void> check_model_name(std::string_view name);
Result<ModelRef> parse_model_ref(std::string_view text);

}  // namespace gyre
