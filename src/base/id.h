#pragma once
// Identifiers. UUIDv7 (RFC 9562) sorts by time of creation; MLflow's clients expect 32 hex digits.
#include <compare>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"

namespace gyre {

/// A string that is one kind of id, so that a run's id cannot be passed for an experiment's.
template <class Tag>
class Id {
 public:
    Id() = default;
    explicit Id(std::string value) : value_(std::move(value)) {}
    [[nodiscard]] const std::string& str() const { return value_; }
    [[nodiscard]] bool empty() const { return value_.empty(); }
    auto operator<=>(const Id&) const = default;

 private:
    std::string value_;
};

using RunId = Id<struct RunTag>;
using ExperimentId = Id<struct ExperimentTag>;
using ProjectId = Id<struct ProjectTag>;
using RequestId = Id<struct RequestTag>;

/// "01934f5e-7c2a-7d1b-9a3e-0f6c5b2d4e81". Thread-safe; ids made by one process in one millisecond still
/// increase.
std::string make_uuid7(const Clock& clock);
/// The same into `out`, whose memory is used again.
void make_uuid7(const Clock& clock, std::string& out);
/// 32 lower-case hex digits of a random (version 4) UUID.
std::string make_hex_id();
/// True for the canonical 36-character form of any UUID version.
bool is_uuid(std::string_view text);

/// The project that rows belong to until there are several.
inline ProjectId default_project() {
    return ProjectId("default");
}

}  // namespace gyre
