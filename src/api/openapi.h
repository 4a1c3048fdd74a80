#pragma once
// What the route table says about itself: OpenAPI 3.1 and a page for people.
#include <string>
#include <string_view>

#include "api/route_table.h"

namespace gyre::api {

/// OpenAPI 3.1; paths and methods in sorted order, so that equal tables give equal text.
Json openapi_document(const RouteTable& table, std::string_view version);
/// One self-contained HTML page without scripts.
std::string docs_page(const RouteTable& table, std::string_view version);

}  // namespace gyre::api
