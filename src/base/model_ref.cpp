#include "base/model_ref.h"

#include <algorithm>

#include "base/text.h"

namespace gyre {

std::string SemanticVersion::str() const {
    return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

Result<SemanticVersion> parse_semantic_version(std::string_view text) {
    const auto parts = split(text, '.');
    SemanticVersion version;
    std::uint32_t* const numbers[] = {&version.major, &version.minor, &version.patch};
    bool good = parts.size() == 3;
    for (std::size_t i = 0; good && i < 3; ++i) {
        const auto number = parse_integer(parts[i]);
        good = number && *number >= 0 && *number <= UINT32_MAX;
        *numbers[i] = good ? static_cast<std::uint32_t>(*number) : 0;
    }
    if (!good) {
        return invalid_argument("expected a semantic version such as 2.4.0, got '" + std::string(text) + "'");
    }
    return version;
}

std::string ModelRef::str() const {
    if (version) {
        return name + "/" + std::to_string(*version);
    }
    if (alias) {
        return name + "@" + *alias;
    }
    return semantic ? name + "@v" + semantic->str() : name;
}

Result<void> check_model_name(std::string_view name) {
    const bool good =
        !name.empty() && name.size() <= kModelNameBytesMax && name != "." && name != ".." &&
        std::none_of(name.begin(), name.end(), [](char c) {
            return c == '/' || c == '@' || c == ':' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
        });
    if (!good) {
        return invalid_argument(
            "expected a model name of 1 to 256 bytes without '/', '@', ':' or control characters, got '" +
            std::string(name.substr(0, 80)) + "'");
    }
    return {};
}

Result<ModelRef> parse_model_ref(std::string_view text) {
    constexpr std::string_view kScheme = "models:/";
    std::string_view rest = text.starts_with(kScheme) ? text.substr(kScheme.size()) : text;
    const std::size_t mark = rest.find_first_of("/@");
    ModelRef ref{std::string(rest.substr(0, mark)), {}, {}, {}};
    GYRE_TRY_VOID(check_model_name(ref.name));
    if (mark == std::string_view::npos) {
        return ref;
    }
    const std::string_view tail = rest.substr(mark + 1);
    if (rest[mark] == '/') {
        if (tail == "latest") {
            return ref;
        }
        const auto version = parse_integer(tail);
        if (!version || *version <= 0) {
            return invalid_argument("expected a version number after '" + ref.name + "/', got '" +
                                    std::string(tail) + "'");
        }
        ref.version = version;
        return ref;
    }
    if (tail.size() > 1 && tail[0] == 'v' && tail.find('.') != std::string_view::npos) {
        GYRE_TRY(ref.semantic, parse_semantic_version(tail.substr(1)));
        return ref;
    }
    if (tail.empty()) {
        return invalid_argument("expected an alias after '" + ref.name + "@'");
    }
    ref.alias = std::string(tail);
    return ref;
}

}  // namespace gyre
