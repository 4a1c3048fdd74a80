#pragma once
// Endpoint: a name that clients call, and the model versions ("variants") behind it. Plain values.
#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/model_ref.h"
#include "serving/limits.h"

namespace gyre::serving {

/// champion: answers; candidate: answers its share, or none while evidence is gathered;
/// shadow: is scored after the answer and never answers.
enum class Role : std::uint8_t { champion, candidate, shadow };
constexpr auto enum_names(Role) {
    return std::array{EnumName<Role>{Role::champion, "champion"},
                      EnumName<Role>{Role::candidate, "candidate"}, EnumName<Role>{Role::shadow, "shadow"}};
}

enum class Task : std::uint8_t { classification, regression };
constexpr auto enum_names(Task) {
    return std::array{EnumName<Task>{Task::classification, "classification"},
                      EnumName<Task>{Task::regression, "regression"}};
}

/// event: requests carry the time that they speak of. arrival: the server's clock counts. Mixing is refused.
enum class TimeMode : std::uint8_t { event, arrival };
constexpr auto enum_names(TimeMode) {
    return std::array{EnumName<TimeMode>{TimeMode::event, "event"},
                      EnumName<TimeMode>{TimeMode::arrival, "arrival"}};
}

/// Where the endpoint's definition lives: the database, or a folder given by --model-repository (read-only).
enum class Source : std::uint8_t { registry, repository };
constexpr auto enum_names(Source) {
    return std::array{EnumName<Source>{Source::registry, "registry"},
                      EnumName<Source>{Source::repository, "repository"}};
}

struct Variant {
    std::string name;   // unique in the endpoint; "champion", "candidate", "left-alone"
    std::string model;  // registered name
    std::int64_t version = 1;
    Role role = Role::champion;
    double weight = 0.0;  // share of requests that it answers; shadows have none
    static constexpr auto fields() {
        return std::tuple{
            Field{"name", &Variant::name, "Name of the variant, unique in the endpoint."},
            Field{"model", &Variant::model, "Registered model."},
            Field{"version", &Variant::version, "Its version."},
            Field{"role", &Variant::role, "champion, candidate or shadow."},
            Field{"weight", &Variant::weight, "Share of requests that it answers.", optional_field}};
    }
    [[nodiscard]] std::string ref() const { return model + "/" + std::to_string(version); }
    bool operator==(const Variant&) const = default;
};

struct EndpointSpec {
    std::string name;
    Task task = Task::classification;
    TimeMode time = TimeMode::arrival;
    Source source = Source::registry;
    std::string sticky_by = "request_id";  // or a column's name: equal values go to the same variant
    std::int64_t future_skew_max_s = kFutureSkewMaxDefaultS;
    bool own_clock = false;  // a replay: its clock is moved by its owner, not by the machine's
    std::vector<Variant> variants;
    static constexpr auto fields() {
        return std::tuple{
            Field{"name", &EndpointSpec::name, "Name that clients call."},
            Field{"task", &EndpointSpec::task, "What is predicted.", optional_field},
            Field{"time", &EndpointSpec::time, "Which time counts.", optional_field},
            Field{"source", &EndpointSpec::source, "Where the definition lives.", optional_field},
            Field{"sticky_by", &EndpointSpec::sticky_by, "What sticks to a variant.", optional_field},
            Field{"future_skew_max_s", &EndpointSpec::future_skew_max_s, "How far event times may be ahead.",
                  optional_field},
            Field{"own_clock", &EndpointSpec::own_clock, "A replay whose clock its owner moves.",
                  optional_field},
            Field{"variants", &EndpointSpec::variants, "Model versions behind the name."}};
    }
    [[nodiscard]] const Variant* champion() const;
    [[nodiscard]] const Variant* candidate() const;
    [[nodiscard]] const Variant* find(std::string_view variant) const;
    bool operator==(const EndpointSpec&) const = default;
};

/// One champion, unique names, weights in [0, 1] that sum to 1 over champion and candidate, bounds kept.
Result<void> check(const EndpointSpec& spec);

/// The index into `cumulative` (rising, the last is 1) that `key` falls on. Raising a share moves only keys
/// to the variant that grows, as long as the order stays: assignment is a pure function of endpoint, key and
/// shares.
std::size_t assign(std::span<const double> cumulative, std::string_view endpoint, std::string_view key);

}  // namespace gyre::serving
