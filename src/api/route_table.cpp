// Adapter: handlers may call libraries that throw; what escapes is caught here, at the request's root.
#include "api/route_table.h"

#include <algorithm>
#include <exception>

#include "base/id.h"
#include "base/log.h"
#include "base/text.h"

namespace gyre::api {
namespace {

constexpr std::size_t kRequestIdBytesMax = 128;
constexpr int kStatusMin = 100;
constexpr int kStatusMax = 599;
constexpr std::string_view kCommonHeaders =
    "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n";
constexpr std::string_view kPagePolicy =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// What may be echoed into a header, a log line and a JSON body as it is.
bool is_request_id(std::string_view text) {
    return !text.empty() && text.size() <= kRequestIdBytesMax &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_' || c == '.' || c == ':' || c == '/';
           });
}

bool is_snake_case(std::string_view text) {
    return !text.empty() && text.front() >= 'a' && text.front() <= 'z' &&
           std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

/// Calls a handler; what it throws becomes an internal error.
template <class T, class Call>
Result<T> guarded(Counter& exceptions, const Call& call) {
    try {
        return call();
    } catch (const std::exception& failure) {
        exceptions.add();
        return internal_error(std::string("unexpected failure: ") + failure.what());
    } catch (...) {
        exceptions.add();
        return internal_error("unexpected failure");
    }
}

}  // namespace

/// Series of one route, resolved on first use: the hot path takes no lock.
struct RouteTable::Stats {
    std::string id;
    Histogram& seconds;
    std::atomic<Counter*> exceptions_series{nullptr};
    std::array<std::atomic<Counter*>, kStatusMax - kStatusMin + 1> codes{};

    Stats(const std::string& label, Metrics& metrics)
        : id(label),
          seconds(metrics.histogram("gyre_http_request_seconds", "From the head to the answer.", {"route"})
                      .with({label})) {}

    /// Made by the route's first request: it is 0 before it is 1, and routes that nobody asks have none.
    Counter& exceptions(Metrics& metrics) {
        Counter* counter = exceptions_series.load(std::memory_order_acquire);
        if (counter == nullptr) {
            counter =
                &metrics.counter("gyre_http_handler_exceptions_total", "Handlers that threw.", {"route"})
                     .with({id});
            exceptions_series.store(counter, std::memory_order_release);
        }
        return *counter;
    }

    void count(Metrics& metrics, int status) {
        const int known = std::clamp(status, kStatusMin, kStatusMax);
        std::atomic<Counter*>& slot = codes[static_cast<std::size_t>(known - kStatusMin)];
        Counter* counter = slot.load(std::memory_order_acquire);
        if (counter == nullptr) {
            counter = &metrics.counter("gyre_http_requests_total", "Requests answered.", {"route", "code"})
                           .with({id, std::to_string(known)});
            slot.store(counter, std::memory_order_release);
        }
        counter->add();
    }
};

RouteTable::RouteTable(Metrics& metrics, const Clock& clock, Pools pools, AccessGuard guard)
    : metrics_(metrics), clock_(clock), pools_(pools), guard_(std::move(guard)) {
    stats_.emplace_back("none", metrics_);
    metrics_.callback_gauge("gyre_http_in_flight", "Requests between head and answer.",
                            [this] { return static_cast<double>(started_.value() - ended_.value()); });
}

RouteTable::~RouteTable() = default;

// --- declaring
// ----------------------------------------------------------------------------------------------

void RouteTable::add(const RouteDoc& doc, Route route) {
    const std::string name(doc.id);
    route.method = doc.method;
    route.path = doc.path;
    route.id = doc.id;
    route.summary = doc.summary;
    route.tag = doc.tag;
    route.access = doc.access;
    route.pool = doc.pool;
    route.body_bytes_max = doc.body_bytes_max;
    route.success = doc.success;
    route.errors = doc.errors;
    if (!is_snake_case(name)) {
        problems_.push_back("route id '" + name + "' is not snake_case");
    }
    if (std::any_of(routes_.begin(), routes_.end(), [&](const Route& other) { return other.id == name; })) {
        problems_.push_back("two routes have the id '" + name + "'");
    }
    if (doc.summary.empty()) {
        problems_.push_back("route '" + name + "' has no summary");
    }
    if (auto params = http::parse_template_params(doc.path)) {
        route.params = *std::move(params);
    }
    const auto added = router_.add(doc.method, doc.path, static_cast<std::uint32_t>(routes_.size()));
    if (!added) {
        problems_.push_back("route '" + name + "': " + added.error().message());
    }
    stats_.emplace_back(name, metrics_);
    routes_.push_back(std::move(route));
}

void RouteTable::raw(const RouteDoc& doc, RawHandler handler) {
    Route route;
    route.run = std::move(handler);
    add(doc, std::move(route));
}

void RouteTable::stream(const RouteDoc& doc, SinkHandler handler) {
    Route route;
    route.open = std::move(handler);
    add(doc, std::move(route));
}

void RouteTable::add_typed(const RouteDoc& doc, Route route, std::vector<InputField> fields,
                           JsonHandler handler) {
    const auto params = http::parse_template_params(doc.path);
    for (const std::string& param : params ? *params : std::vector<std::string>()) {
        const auto same = [&param](const InputField& field) { return field.name == param && !field.list; };
        if (std::none_of(fields.begin(), fields.end(), same)) {
            problems_.push_back("route '" + std::string(doc.id) + "': path parameter '" + param +
                                "' is no field of its input");
        }
    }
    route.typed = true;
    route.run = [fields = std::move(fields), handler = std::move(handler),
                 success = doc.success](Context& context) -> Result<void> {
        GYRE_TRY(const Json input, merge_input(context, fields));
        context.response.status = success;
        GYRE_TRY(const Json output, handler(context, input));
        if (context.response.status != 204) {
            context.response.content_type = "application/json";
            context.response.body = output.dump();
        }
        return {};
    };
    add(doc, std::move(route));
}

void RouteTable::dialect_under(std::string_view prefix, const ErrorDialect& dialect) {
    prefixes_.emplace_back(prefix, &dialect);
}

Result<void> RouteTable::check() const {
    if (problems_.empty()) {
        return {};
    }
    return internal_error("routes: " + join(problems_, "; "));
}

// --- answering
// ----------------------------------------------------------------------------------------------

RouteTable::Stats& RouteTable::stats_of(std::uint32_t route) const {
    const std::size_t index = route == kNoRoute ? 0 : route + std::size_t{1};
    return const_cast<Stats&>(stats_[index]);  // NOLINT: counters
}

void RouteTable::set_common_headers(const http::Request& request, http::Response& response) const {
    response.headers.append(kCommonHeaders);
    response.headers.append("X-Request-Id: ").append(request.request_id).append("\r\n");
}

void RouteTable::begin(http::Request& request, http::Response& response) const {
    request.started_ns = clock_.steady_ns();
    request.route = kNoRoute;
    request.params.clear();
    const std::string_view given = request.header("X-Request-Id");
    if (is_request_id(given)) {
        request.request_id = given;
    } else {
        make_uuid7(clock_, request.request_id);
    }
    set_common_headers(request, response);
}

const ErrorDialect& RouteTable::dialect_of(const http::Request& request) const {
    if (request.route != kNoRoute) {
        return *routes_[request.route].errors;
    }
    for (const auto& [prefix, dialect] : prefixes_) {
        if (request.path.starts_with(prefix)) {
            return *dialect;
        }
    }
    return native_errors();
}

void RouteTable::fail(const http::Request& request, const Error& error, http::Response& response) const {
    const ErrorDialect& dialect = dialect_of(request);
    const int status = dialect.status_of(error);
    if (status >= 500 && error.code() == ErrorCode::internal) {
        const LogRequestScope scope(request.request_id);
        log_error("request_failed", {{"route", stats_of(request.route).id}, {"reason", error.message()}});
    }
    write_error(dialect, error, status, request.request_id, response);
}

/// False when the response is final.
bool RouteTable::find_route(http::Request& request, http::Response& response) {
    const http::Match match = router_.match(request.method, request.path, request.params);
    const auto what = [&request] {
        return std::string(request.method_name.substr(0, 20)) + " " +
               std::string(request.path.substr(0, 200));
    };
    switch (match.kind) {
        case http::MatchKind::found:
            request.route = match.route;
            return true;
        case http::MatchKind::bad_path:
            fail(request,
                 invalid_argument("the path has a part '.' or '..', a broken escape, or too many parts"),
                 response);
            return false;
        case http::MatchKind::method_not_allowed:
            response.add_header("Allow", match.allow);
            if (request.method == http::Method::options) {
                response.status = 204;
            } else {
                write_error(dialect_of(request),
                            invalid_argument(what() + " is not allowed; use " + match.allow), 405,
                            request.request_id, response);
            }
            return false;
        case http::MatchKind::not_found:
            break;
    }
    fail(request, not_found("no route for " + what()), response);
    return false;
}

http::Plan RouteTable::plan(http::Request& request, http::Response& response) {
    started_.add();
    begin(request, response);
    http::Plan plan;
    const bool found = find_route(request, response);
    const Access access = found ? routes_[request.route].access : Access::open;
    auto principal = guard_.admit(request, access);
    if (!principal) {
        fail(request, principal.error(), response);
    }
    plan.answered = !found || !principal;
    if (plan.answered) {
        return plan;
    }
    request.principal = *std::move(principal);
    const Route& route = routes_[request.route];
    plan.body_bytes_max = route.body_bytes_max;
    plan.body = route.open ? http::BodyMode::streamed : http::BodyMode::buffered;
    const bool large = request.facts.content_length > http::kInlineBodyBytesMax ||
                       request.facts.framing == http::Framing::chunked;
    const PoolName pool = route.pool == PoolName::inline_io && large ? PoolName::work : PoolName{route.pool};
    plan.pool = pools_[static_cast<std::size_t>(pool)];
    return plan;
}

void RouteTable::run(http::Request& request, http::Response& response) {
    const Route& route = routes_[request.route];
    Context context{request.principal, request.request_id, request, response, route.params};
    const LogRequestScope scope(request.request_id);
    const Result<void> outcome =
        guarded<void>(stats_of(request.route).exceptions(metrics_), [&] { return route.run(context); });
    if (!outcome) {
        fail(request, outcome.error(), response);
    } else if (response.content_type.starts_with("text/html")) {
        response.add_header("Content-Security-Policy", kPagePolicy);
    }
}

namespace {

/// Stands between the transport and a route's sink: what it throws becomes an error.
class GuardedSink final : public http::BodySink {
 public:
    GuardedSink(std::unique_ptr<http::BodySink> sink, Counter& exceptions,
                std::function<void(const Error&)> on_failure)
        : sink_(std::move(sink)), exceptions_(exceptions), on_failure_(std::move(on_failure)) {}
    Result<void> write(std::string_view piece) override {
        return guarded<void>(exceptions_, [&] { return sink_->write(piece); });
    }
    void finish(http::Response& response) override {
        const auto outcome = guarded<void>(exceptions_, [&]() -> Result<void> {
            sink_->finish(response);
            return {};
        });
        if (!outcome) {
            on_failure_(outcome.error());
        }
    }

 private:
    std::unique_ptr<http::BodySink> sink_;
    Counter& exceptions_;
    std::function<void(const Error&)> on_failure_;
};

}  // namespace

std::unique_ptr<http::BodySink> RouteTable::open_sink(http::Request& request, http::Response& response) {
    const Route& route = routes_[request.route];
    Context context{request.principal, request.request_id, request, response, route.params};
    const LogRequestScope scope(request.request_id);
    response.status = route.success;
    Counter& exceptions = stats_of(request.route).exceptions(metrics_);
    auto sink = guarded<std::unique_ptr<http::BodySink>>(exceptions, [&] { return route.open(context); });
    if (!sink) {
        fail(request, sink.error(), response);
        return nullptr;
    }
    return std::make_unique<GuardedSink>(*std::move(sink), exceptions,
                                         [&](const Error& error) { fail(request, error, response); });
}

void RouteTable::refuse(http::Request& request, bool planned, int status, const Error& error,
                        http::Response& response) {
    if (!planned) {
        request.route = kNoRoute;
        request.path = {};
        request.request_id = make_uuid7(clock_);
        stats_of(kNoRoute).count(metrics_, status);
    }
    set_common_headers(request, response);
    write_error(dialect_of(request), error, status, request.request_id, response);
}

void RouteTable::done(const http::Request& request, int status) {
    ended_.add();
    Stats& stats = stats_of(request.route);
    const std::int64_t ns = clock_.steady_ns() - request.started_ns;
    stats.count(metrics_, status);
    stats.seconds.observe_ns(ns);
    if (log_enabled(LogLevel::debug)) {
        const LogRequestScope scope(request.request_id);
        log_debug("request", {{"route", stats.id}, {"status", status}, {"us", ns / 1000}});
    }
}

}  // namespace gyre::api
