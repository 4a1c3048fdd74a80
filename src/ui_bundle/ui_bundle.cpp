#include "ui_bundle/ui_bundle.h"

#include <algorithm>
#include <array>
#include <vector>

extern "C" const std::byte gyre_ui_blob[];

namespace gyre::ui_bundle {
namespace {

struct Row {
    std::string_view name;
    std::string_view content_type;
    std::size_t offset;
    std::size_t length;
    std::size_t size;
    bool immutable;
};

constexpr Row kRows[] = {
#include "table.inc"
};

std::vector<UiFile> make_files() {
    std::vector<UiFile> files;
    files.reserve(std::size(kRows));
    for (const Row& row : kRows) {
        files.push_back({.name = row.name,
                         .content_type = row.content_type,
                         .gzip = std::span(gyre_ui_blob + row.offset, row.length),
                         .size = row.size,
                         .immutable = row.immutable});
    }
    std::ranges::sort(files, {}, &UiFile::name);
    return files;
}

}  // namespace

std::span<const UiFile> ui_files() {
    static const std::vector<UiFile> files = make_files();
    return files;
}

const UiFile* find_ui_file(std::string_view path) {
    if (path.starts_with('/')) {
        path.remove_prefix(1);
    }
    const std::string_view name = path.empty() ? "index.html" : path;
    const auto files = ui_files();
    const auto found = std::ranges::lower_bound(files, name, {}, &UiFile::name);
    return found != files.end() && found->name == name ? &*found : nullptr;
}

}  // namespace gyre::ui_bundle
