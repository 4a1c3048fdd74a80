#include "loop/rollout_moves.h"

#include "base/clock.h"
#include "base/model_ref.h"
#include "events/events.h"

namespace gyre::loop {
namespace {

void place_candidate(serving::EndpointSpec& spec, const Rollout& rollout) {
    std::erase_if(spec.variants,
                  [](const serving::Variant& v) { return v.role == serving::Role::candidate; });
    serving::Variant* champion = nullptr;
    for (serving::Variant& variant : spec.variants) {
        champion = variant.role == serving::Role::champion ? &variant : champion;
    }
    const auto ref = parse_model_ref(rollout.candidate);
    if (champion == nullptr || !ref || !ref->version) {
        return;
    }
    if (rollout.state == RolloutState::promoted) {
        champion->model = ref->name;
        champion->version = *ref->version;
        champion->weight = 1.0;
        return;
    }
    champion->weight = 1.0;
    if (!is_over(rollout.state)) {
        champion->weight = 1.0 - rollout.exposure;
        spec.variants.push_back(
            {"candidate", ref->name, *ref->version, serving::Role::candidate, rollout.exposure});
    }
}

}  // namespace

Result<void> place(storage::Transaction& tx, const Rollout& rollout, std::string_view what,
                   const Principal& principal) {
    GYRE_TRY(serving::StoredEndpoint stored, serving::get_endpoint(tx, principal.project, rollout.endpoint));
    place_candidate(stored.spec, rollout);
    const serving::Change change{principal, "rollout " + rollout.id + ": " + std::string(what),
                                 rollout.as_of_us};
    GYRE_TRY_VOID(serving::update_endpoint(tx, stored.spec, change));
    return {};
}

Result<void> append_event(storage::Transaction& tx, std::string_view type, const Rollout& rollout,
                          const Principal& principal, std::int64_t as_of_us) {
    Json data = Json::object({{"rollout", rollout.id},
                              {"champion", rollout.champion},
                              {"candidate", rollout.candidate},
                              {"policy", gyre::name_of(rollout.policy)},
                              {"state", gyre::name_of(rollout.state)},
                              {"exposure", rollout.exposure},
                              {"reason", rollout.reason},
                              {"cause", rollout.cause},
                              {"exposed_predictions", rollout.exposed_predictions},
                              {"evidence", rollout.evidence}});
    if (rollout.pending) {
        data.set("effective_at", format_rfc3339(rollout.pending->effective_us));
        data.set("action", gyre::name_of(rollout.pending->action));
    }
    const events::NewEvent event{std::string(type), "endpoint/" + rollout.endpoint, principal, as_of_us,
                                 std::move(data)};
    GYRE_TRY(const events::Event appended, events::append(tx, event));
    static_cast<void>(appended);
    return {};
}

}  // namespace gyre::loop
