// The web pages inside the binary.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace gyre::ui_bundle {

/// One file of the web UI. All views live as long as the program.
struct UiFile {
    std::string_view name;            ///< path below the root without a leading slash: "index.html"
    std::string_view content_type;    ///< ready for the header
    std::span<const std::byte> gzip;  ///< one complete gzip member: send with `Content-Encoding: gzip`
    std::size_t size;                 ///< bytes after unpacking
    bool immutable;                   ///< the name holds a digest of the content: cache it for ever
};

/// Every file, sorted by name; never empty. Thread-safe.
std::span<const UiFile> ui_files();

/// The file that answers a request for `path` ("/" and "" mean index.html; one leading slash is ignored), or
/// nullptr. Only exact names are found, so no path can reach outside the bundle. Thread-safe, O(log n).
const UiFile* find_ui_file(std::string_view path);

}  // namespace gyre::ui_bundle
