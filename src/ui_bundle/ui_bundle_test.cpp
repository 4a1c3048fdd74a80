#include "ui_bundle/ui_bundle.h"

#include <set>
#include <string>

#include <gtest/gtest.h>
#include <zlib.h>

namespace gyre::ui_bundle {
namespace {

/// Unpacks one gzip member; empty when it is not one, or not complete.
std::string unpack(const UiFile& file) {
    std::string out(file.size + 1, '\0');
    z_stream stream{};
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(file.gzip.data()));
    stream.avail_in = static_cast<uInt>(file.gzip.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) {
        return {};
    }
    const int end = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    out.resize(stream.total_out);
    return end == Z_STREAM_END && stream.avail_in == 0 ? out : std::string{};
}

TEST(UiBundle, every_file_unpacks_to_its_declared_size_and_has_a_content_type) {
    ASSERT_FALSE(ui_files().empty());
    std::set<std::string_view> names;
    for (const UiFile& file : ui_files()) {
        EXPECT_EQ(unpack(file).size(), file.size) << file.name;
        EXPECT_NE(file.content_type.find('/'), std::string_view::npos) << file.name;
        EXPECT_TRUE(names.insert(file.name).second) << file.name;
        EXPECT_EQ(find_ui_file(file.name), &file);
    }
}

TEST(UiBundle, the_root_is_the_index_page_and_it_is_never_cached_for_ever) {
    const UiFile* index = find_ui_file("/");
    ASSERT_NE(index, nullptr);
    EXPECT_EQ(index, find_ui_file(""));
    EXPECT_EQ(index, find_ui_file("/index.html"));
    EXPECT_EQ(index->content_type, "text/html; charset=utf-8");
    EXPECT_FALSE(index->immutable);
    EXPECT_NE(unpack(*index).find("<title>Gyre</title>"), std::string::npos);
}

TEST(UiBundle, the_index_page_names_only_files_that_are_in_the_bundle) {
    const std::string page = unpack(*find_ui_file("/"));
    for (std::size_t at = page.find("\"./assets/"); at != std::string::npos;
         at = page.find("\"./assets/", at + 1)) {
        const std::string name = page.substr(at + 3, page.find('"', at + 1) - at - 3);
        const UiFile* file = find_ui_file(name);
        ASSERT_NE(file, nullptr) << name;
        EXPECT_TRUE(file->immutable) << name;
    }
    // A strict Content-Security-Policy holds: no inline script and no inline style.
    EXPECT_EQ(page.find("<script>"), std::string::npos);
    EXPECT_EQ(page.find("<style"), std::string::npos);
}

TEST(UiBundle, only_exact_names_are_found) {
    for (const char* path :
         {"/nothing.js", "/../index.html", "//index.html", "/INDEX.HTML", "/assets", "/index.html/"}) {
        EXPECT_EQ(find_ui_file(path), nullptr) << path;
    }
}

}  // namespace
}  // namespace gyre::ui_bundle
