#include "tracking/validate.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "tracking/limits.h"

namespace gyre::tracking {

namespace {

Error invalid_value(std::string_view value, std::string_view where, std::string_view why) {
    std::string message = "Invalid value ";
    append_json_string(message, value.substr(0, 300));
    return invalid_argument(
        message.append(" for parameter '").append(where).append("' supplied: ").append(why));
}

bool is_key_char(char c) {
    const auto u = static_cast<unsigned char>(c);
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || u >= 0x80 ||
           std::string_view("_/-. :").find(c) != std::string_view::npos;
}

/// True when a key, read as a path, is not what it normalises to.
bool is_odd_path(std::string_view key) {
    if (key.starts_with('/') || key.ends_with('/')) {
        return true;
    }
    const auto parts = split(key, '/');
    return std::any_of(parts.begin(), parts.end(),
                       [](std::string_view part) { return part.empty() || part == "." || part == ".."; });
}

Result<void> check_count(std::string_view what, std::size_t got, std::size_t most) {
    if (got <= most) {
        return {};
    }
    const std::string name(what);
    return invalid_argument("A batch logging request can contain at most " + std::to_string(most) + " " +
                            name + ". Got " + std::to_string(got) + " " + name + ". Please split up " + name +
                            " across multiple requests and try again.");
}

Result<void> check_metric(const Metric& metric, const std::string& where) {
    GYRE_TRY_VOID(check_key(metric.key, where + ".name"));
    if (metric.timestamp_ms < 0) {
        return invalid_argument(
            "Invalid value " + std::to_string(metric.timestamp_ms) + " for parameter '" + where +
            ".timestamp' supplied: Timestamp must be a nonnegative long (64-bit integer)");
    }
    return {};
}

Result<void> check_keys(const std::vector<KeyValue>& pairs, const std::string& what) {
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        GYRE_TRY_VOID(check_key(pairs[i].key, what + "[" + std::to_string(i) + "].key"));
    }
    return {};
}

/// Where artifacts may be kept: with us, or where the client itself writes. The server opens none of the
/// latter, and no path of its own machine can be named.
Result<void> check_location_scheme(std::string_view location) {
    static constexpr std::array<std::string_view, 8> kSchemes{
        "mlflow-artifacts:/", "s3://", "gs://", "r2://", "abfss://", "wasbs://", "hdfs://", "dbfs:/"};
    if (location.empty() ||
        std::any_of(kSchemes.begin(), kSchemes.end(),
                    [location](std::string_view scheme) { return location.starts_with(scheme); })) {
        return {};
    }
    return invalid_argument(
        "Invalid artifact_location: '" + std::string(location) +
        "'. Expected one of the schemes mlflow-artifacts, s3, gs, r2, abfss, wasbs, hdfs, dbfs.");
}

Result<void> check_duplicates(const std::vector<KeyValue>& params) {
    std::set<std::string_view> seen;
    std::set<std::string_view> twice;
    for (const KeyValue& param : params) {
        if (!seen.insert(param.key).second) {
            twice.insert(param.key);
        }
    }
    if (twice.empty()) {
        return {};
    }
    std::string list;
    for (const std::string_view key : twice) {
        list += (list.empty() ? "" : ", ") + python_repr(key);
    }
    return invalid_argument("Duplicate parameter keys have been submitted: [" + list +
                            "]. Please ensure the request contains only one param value per param key.");
}

}  // namespace

Result<void> check_key(std::string_view key, std::string_view where) {
    if (key.empty()) {
        return invalid_value(key, where, "Names must not be empty.");
    }
    if (key.size() > kKeyMax) {
        return invalid_value(key, where,
                             "'" + std::string(key.substr(0, 20)) + "...' exceeds the maximum length of " +
                                 std::to_string(kKeyMax) + " characters");
    }
    if (!std::all_of(key.begin(), key.end(), is_key_char)) {
        return invalid_value(
            key, where,
            "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), "
            "spaces ( ), colon(:) and slashes (/).");
    }
    if (is_odd_path(key)) {
        return invalid_value(key, where,
                             "Names may be treated as files in certain cases, and must not resolve to "
                             "other names when treated as such.");
    }
    return {};
}

Result<void> check_experiment_name(std::string_view name) {
    if (name.empty()) {
        return invalid_argument("Invalid experiment name: ''. Experiment name must be a non-empty string.");
    }
    if (name.size() > kExperimentNameMax) {
        return invalid_value(name, "name",
                             "Experiment name exceeds the maximum length of " +
                                 std::to_string(kExperimentNameMax) + " characters");
    }
    return {};
}

Result<void> check_artifact_location(std::string_view location) {
    if (location.size() > kArtifactLocationMax) {
        return invalid_argument(
            "Invalid artifact path length. The length of the artifact path cannot be greater "
            "than " +
            std::to_string(kArtifactLocationMax) + ".");
    }
    const bool control = std::any_of(location.begin(), location.end(),
                                     [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    if (control || location.find_first_of("#;?\\") != std::string_view::npos ||
        location.find("..") != std::string_view::npos || location.starts_with("runs:")) {
        return invalid_argument(
            "Invalid artifact_location: '" + std::string(location) +
            "'. It must not have fragments, parameters, queries, '..' or the scheme 'runs:'.");
    }
    return check_location_scheme(location);
}

Result<void> check_batch(const Batch& batch) {
    GYRE_TRY_VOID(check_count("metrics", batch.metrics.size(), kBatchMetricsMax));
    GYRE_TRY_VOID(check_count("params", batch.params.size(), kBatchParamsMax));
    GYRE_TRY_VOID(check_count("tags", batch.tags.size(), kBatchTagsMax));
    GYRE_TRY_VOID(check_count("metrics, params, and tags",
                              batch.metrics.size() + batch.params.size() + batch.tags.size(),
                              kBatchTotalMax));
    for (std::size_t i = 0; i < batch.metrics.size(); ++i) {
        GYRE_TRY_VOID(check_metric(batch.metrics[i], "metrics[" + std::to_string(i) + "]"));
    }
    GYRE_TRY_VOID(check_keys(batch.params, "params"));
    GYRE_TRY_VOID(check_keys(batch.tags, "tags"));
    return check_duplicates(batch.params);
}

Result<void> check_dataset(const DatasetInput& input) {
    const Dataset& dataset = input.dataset;
    const auto check = [](std::string_view what, const std::string& value, std::size_t most) -> Result<void> {
        if (value.size() > most) {
            return invalid_argument("Dataset " + std::string(what) + " exceeds the maximum length of " +
                                    std::to_string(most));
        }
        return {};
    };
    if (dataset.name.empty() || dataset.digest.empty()) {
        return invalid_argument("Dataset name and digest must not be empty");
    }
    GYRE_TRY_VOID(check("name", dataset.name, kDatasetNameMax));
    GYRE_TRY_VOID(check("digest", dataset.digest, kDatasetDigestMax));
    GYRE_TRY_VOID(check("source", dataset.source, kDatasetSourceMax));
    GYRE_TRY_VOID(check("schema", dataset.schema, kDatasetSchemaMax));
    GYRE_TRY_VOID(check("profile", dataset.profile, kDatasetProfileMax));
    for (const KeyValue& tag : input.tags) {
        GYRE_TRY_VOID(check("tag key", tag.key, 255));
        GYRE_TRY_VOID(check("tag value", tag.value, 500));
    }
    return {};
}

Result<void> check_results_max(std::int64_t results_max, std::int64_t most) {
    if (results_max < 1 || results_max > most) {
        return invalid_argument("Invalid value " + std::to_string(results_max) +
                                " for parameter 'max_results' supplied: It must be at least 1 and at most " +
                                std::to_string(most));
    }
    return {};
}

std::string cut(std::string_view value, std::size_t bytes) {
    if (value.size() <= bytes) {
        return std::string(value);
    }
    while (bytes > 0 && (static_cast<unsigned char>(value[bytes]) & 0xC0U) == 0x80U) {
        --bytes;
    }
    return std::string(value.substr(0, bytes));
}

std::string python_repr(std::string_view text) {
    const char quote =
        text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
    std::string out(1, quote);
    for (const char c : text) {
        if (c == '\n') {
            out += "\\n";
        } else if (c == quote || c == '\\') {
            out.append(1, '\\').append(1, c);
        } else {
            out += c;
        }
    }
    return out + quote;
}

}  // namespace gyre::tracking
