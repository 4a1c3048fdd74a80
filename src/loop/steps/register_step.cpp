#include "base/file.h"
#include "loop/steps/step_kinds.h"
#include "training/baseline.h"

namespace gyre::loop {
namespace {

struct Params {
    std::string name;
    std::string run_id;
    std::string location;
    std::string package;
    Json evaluation;
    std::string alias;
    static constexpr auto fields() {
        using P = Params;
        return std::tuple{
            Field{"name", &P::name, "Registered model; made when it is new."},
            Field{"run_id", &P::run_id, "Run that trained it."},
            Field{"location", &P::location, "Where the package's files are."},
            Field{"package", &P::package, "The training step's package folder.", optional_field},
            Field{"evaluation", &P::evaluation,
                  "Its evaluation on the newest rows: what monitors compare with.", optional_field},
            Field{"alias", &P::alias, "Alias to set on the new version.", optional_field}};
    }
};

/// The evaluation on the newest rows becomes the package's performance baseline.
Result<void> write_performance(const StepServices& services, const Params& params) {
    if (!params.evaluation.is_object() || params.package.empty()) {
        return {};
    }
    GYRE_TRY(const std::string folder, package_folder(services, params.package));
    GYRE_TRY_VOID(training::set_performance(folder, params.evaluation));
    return services.packages.store(folder, params.location);
}

Result<registry::ModelVersion> version_of_run(const StepServices& services,
                                              const pipelines::StepContext& context, const Params& params) {
    registry::Search search;
    search.filter = "run_id = '" + params.run_id + "'";
    GYRE_TRY(const auto known, services.registry.search_versions(search));
    for (const registry::ModelVersion& version : known.items) {
        if (version.name == params.name) {
            return version;  // an attempt before this one got as far
        }
    }
    auto created = services.registry.create_model(context.principal, params.name, "", {});
    if (!created && created.error().code() != ErrorCode::already_exists) {
        return std::move(created).error();
    }
    registry::NewVersion version;
    version.name = params.name;
    version.source = params.location;
    version.storage_location = params.location;
    version.run_id = params.run_id;
    version.user_id = context.principal.name;
    version.tags = {{"gyre.as_of", format_rfc3339(context.as_of_us)}, {"gyre.pipeline_run", context.run_id}};
    return services.registry.create_version(context.principal, version);
}

Result<Json> register_model(const StepServices& services, const pipelines::StepContext& context,
                            const Params& params) {
    GYRE_TRY_VOID(write_performance(services, params));
    GYRE_TRY(const registry::ModelVersion version, version_of_run(services, context, params));
    if (!params.alias.empty()) {
        GYRE_TRY_VOID(
            services.registry.set_alias(context.principal, params.name, params.alias, version.version));
    }
    return Json::object({{"name", version.name},
                         {"version", version.version},
                         {"model", version.name + "/" + std::to_string(version.version)},
                         {"semantic_version", version.semantic_version.str()}});
}

}  // namespace

pipelines::StepKind register_kind() {
    return described_kind<Params>("register", "Register a trained package as a new version.");
}

Result<void> add_register_step(pipelines::StepKinds& kinds, const StepServices& services) {
    return kinds.add(typed_step<Params>(
        register_kind(), [services](const pipelines::StepContext& context, const Params& params) {
            return register_model(services, context, params);
        }));
}

}  // namespace gyre::loop
