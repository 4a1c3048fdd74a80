#pragma once
// RouteTable: all routes of a server, and the application behind the transport. Filled before the server
// starts, then read by many threads.
//
//   table.typed<CreateRun, RunView>(
//       {.method = Method::post, .path = "/api/gyre/v1/runs", .id = "create_run", .summary = "Start a run.",
//        .access = Access::write, .pool = PoolName::sql, .success = 201, .tag = "tracking"},
//       [&tracking](Context& context, CreateRun in) { return tracking.create_run(context.principal,
//       std::move(in)); });
//
// Metrics: gyre_http_requests_total{route,code}, gyre_http_request_seconds{route}, gyre_http_in_flight,
// gyre_http_handler_exceptions_total{route}. The label `route` is the route's id, or "none".
#include <array>
#include <atomic>
#include <deque>

#include "api/route.h"
#include "base/clock.h"
#include "runtime/http/router.h"

namespace gyre::api {

/// The pools that routes name; inline_io has none. Borrowed.
using Pools = std::array<runtime::ThreadPool*, kPoolNames>;

class RouteTable final : public http::Application {
 public:
    RouteTable(Metrics& metrics, const Clock& clock, Pools pools, AccessGuard guard);
    ~RouteTable() override;

    /// JSON in (body, query and path parameters merged into In), JSON out.
    template <Described In, class Out, class Fn>
    void typed(const RouteDoc& doc, Fn fn);
    /// Body span in (context.request.body), buffer out (context.response). Also for answers that are streamed
    /// (response.source, response.events).
    void raw(const RouteDoc& doc, RawHandler handler);
    /// The same for a protocol with its own reading of JSON: In is what it reads, for the documents.
    template <Described In>
    void raw_json(const RouteDoc& doc, RawHandler handler);
    /// A request body that is taken in pieces and never held as a whole.
    void stream(const RouteDoc& doc, SinkHandler handler);
    /// Unknown paths under `prefix` are answered in this dialect.
    void dialect_under(std::string_view prefix, const ErrorDialect& dialect);

    /// What is wrong with the declarations (duplicates, unbound parameters, bad ids). Call once at start.
    [[nodiscard]] Result<void> check() const;
    [[nodiscard]] const std::deque<Route>& routes() const { return routes_; }

    // http::Application
    http::Plan plan(http::Request& request, http::Response& response) override;
    void run(http::Request& request, http::Response& response) override;
    std::unique_ptr<http::BodySink> open_sink(http::Request& request, http::Response& response) override;
    void refuse(http::Request& request, bool planned, int status, const Error& error,
                http::Response& response) override;
    void done(const http::Request& request, int status) override;

 private:
    struct Stats;
    static constexpr std::uint32_t kNoRoute = 0xFFFFFFFF;

    void add(const RouteDoc& doc, Route route);
    void add_typed(const RouteDoc& doc, Route route, std::vector<InputField> fields, JsonHandler handler);
    void begin(http::Request& request, http::Response& response) const;
    void set_common_headers(const http::Request& request, http::Response& response) const;
    bool find_route(http::Request& request, http::Response& response);
    [[nodiscard]] const ErrorDialect& dialect_of(const http::Request& request) const;
    void fail(const http::Request& request, const Error& error, http::Response& response) const;
    Stats& stats_of(std::uint32_t route) const;

    Metrics& metrics_;
    const Clock& clock_;
    Pools pools_;
    AccessGuard guard_;
    http::Router router_;
    std::deque<Route> routes_;
    std::vector<std::pair<std::string, const ErrorDialect*>> prefixes_;
    std::vector<std::string> problems_;
    std::deque<Stats> stats_;  // one a route, and the last for "none"
    Counter started_;
    Counter ended_;
};

template <Described In, class Out, class Fn>
void RouteTable::typed(const RouteDoc& doc, Fn fn) {
    Route route;
    route.input = schema_of<In>();
    if constexpr (std::is_same_v<Out, Json>) {
        route.output = Json::object();
    } else {
        route.output = schema_of<Out>();
    }
    JsonHandler handler = [fn = std::move(fn)](Context& context, const Json& json) -> Result<Json> {
        GYRE_TRY(In in, from_json<In>(json));
        GYRE_TRY(Out out, fn(context, std::move(in)));
        if constexpr (std::is_same_v<Out, Json>) {
            return out;
        } else {
            return to_json(out);
        }
    };
    add_typed(doc, std::move(route), route_detail::input_fields<In>(), std::move(handler));
}

template <Described In>
void RouteTable::raw_json(const RouteDoc& doc, RawHandler handler) {
    Route route;
    route.input = schema_of<In>();
    route.output = Json::object();
    route.typed = true;
    route.run = std::move(handler);
    add(doc, std::move(route));
}

}  // namespace gyre::api
