#pragma once
// What several endpoints share: messages in and out. Empty lists and absent values are left out, as proto
// does.
#include <string>
#include <string_view>
#include <vector>

#include "api/mlflow/wire.h"
#include "registry/registry.h"
#include "tracking/tracking.h"

namespace gyre::api::mlflow {

struct Pair : Lenient {
    std::string key;
    std::string value = {};
    static constexpr auto fields() {
        return std::tuple{Field{"key", &Pair::key, "Name."},
                          Field{"value", &Pair::value, "Text.", optional_field}};
    }
};
std::vector<tracking::KeyValue> key_values(std::vector<Pair> pairs);

struct RunName : Lenient {
    std::string run_id;
    static constexpr auto fields() { return std::tuple{Field{"run_id", &RunName::run_id, "The run."}}; }
};

/// An experiment's id: a whole number as text.
Result<std::int64_t> experiment_id_of(std::string_view text);
Result<std::vector<std::int64_t>> experiment_ids_of(const std::vector<std::string>& texts);
/// An answer without content.
inline Result<Json> empty_answer(const Result<void>& outcome) {
    return outcome ? Result<Json>(Json::object()) : Result<Json>(outcome.error());
}

Json wire_of(const tracking::KeyValue& pair);
Json wire_of(const tracking::Metric& metric);
Json wire_of(const tracking::Experiment& experiment);
Json wire_of(const tracking::RunInfo& info);
Json wire_of(const tracking::Run& run);
Json wire_of(const tracking::LoggedModel& model);
Json wire_of(const registry::Tag& tag);
Json wire_of(const registry::Alias& alias);
Json wire_of(const registry::ModelVersion& version);
Json wire_of(const registry::RegisteredModel& model);

/// Sets `name` to the items' messages; leaves it out when there are none.
template <class T>
void set_list(Json& out, std::string_view name, const std::vector<T>& items) {
    if (items.empty()) {
        return;
    }
    Json list = Json::array();
    for (const T& item : items) {
        list.push_back(wire_of(item));
    }
    out.set(name, std::move(list));
}

template <class T>
Json page_of(std::string_view name, const std::vector<T>& items, const std::string& next_page_token) {
    Json out = Json::object();
    set_list(out, name, items);
    if (!next_page_token.empty()) {
        out.set("next_page_token", next_page_token);
    }
    return out;
}

}  // namespace gyre::api::mlflow
