#pragma once
// Migrations: numbered, forward-only SQL files of migrations/sqlite/, embedded when the tree is built.
#include <cstdint>
#include <span>
#include <string_view>

namespace gyre::storage {

/// "0007_add_run_tags.sql" is {7, "add_run_tags", <its text>}. Numbers rise from 1 without gaps.
struct Migration {
    std::int64_t number;
    std::string_view name;
    std::string_view sql;
};

/// Every migration of this binary, in order.
std::span<const Migration> migrations();

}  // namespace gyre::storage
