#include "evidence/verdict.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace gyre::evidence {

Verdict combine(std::span<const Finding> findings) {
    const auto has = [&](Verdict verdict) {
        return std::any_of(findings.begin(), findings.end(),
                           [&](const Finding& f) { return f.verdict == verdict; });
    };
    if (has(Verdict::fail)) {
        return Verdict::fail;
    }
    return findings.empty() || has(Verdict::insufficient) ? Verdict::insufficient : Verdict::pass;
}

int exit_code_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::pass:
            return 0;
        case Verdict::fail:
            return kExitGateFailed;
        case Verdict::insufficient:
            break;
    }
    return kExitEvidenceMissing;
}

std::string brief(double value) {
    std::array<char, 32> buffer{};
    const int size = std::snprintf(buffer.data(), buffer.size(), "%.4g", value);
    return {buffer.data(), static_cast<std::size_t>(std::clamp(size, 0, 31))};
}

}  // namespace gyre::evidence
