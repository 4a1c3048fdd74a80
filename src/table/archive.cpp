// Adapter: libarchive, zip only. Everything that a hostile file can say is checked against ArchiveBounds.
#include "table/archive.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <unistd.h>
#include <vector>

#include <archive.h>
#include <archive_entry.h>

#include "base/file.h"
#include "base/text.h"

namespace gyre::table {
namespace {

constexpr std::size_t kNamesShown = 5;
constexpr std::size_t kReadBlockBytes = 1U << 18U;

struct ArchiveCloser {
    void operator()(::archive* handle) const { ::archive_read_free(handle); }
};
using ArchiveHandle = std::unique_ptr<::archive, ArchiveCloser>;

std::string reason_of(::archive* handle) {
    const char* text = ::archive_error_string(handle);
    return text == nullptr ? "unknown reason" : text;
}

Result<ArchiveHandle> open_zip(const std::string& path) {
    std::error_code missing;
    if (!std::filesystem::exists(path, missing)) {
        return not_found("file '" + path + "' does not exist");
    }
    ArchiveHandle handle(::archive_read_new());
    ::archive_read_support_format_zip(handle.get());
    if (::archive_read_open_filename(handle.get(), path.c_str(), kReadBlockBytes) != ARCHIVE_OK) {
        return invalid_argument("file '" + path + "' is no zip archive: " + reason_of(handle.get()));
    }
    return handle;
}

/// Moves to the next regular file. Null at the end.
Result<::archive_entry*> next_file(::archive* handle, const std::string& path) {
    for (;;) {
        ::archive_entry* entry = nullptr;
        const int status = ::archive_read_next_header(handle, &entry);
        if (status == ARCHIVE_EOF) {
            return static_cast<::archive_entry*>(nullptr);
        }
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN) {
            return invalid_argument("file '" + path + "' is no readable zip archive: " + reason_of(handle));
        }
        if (::archive_entry_filetype(entry) == AE_IFREG) {
            return entry;
        }
    }
}

std::string name_of_entry(::archive_entry* entry) {
    const char* name = ::archive_entry_pathname(entry);
    return name == nullptr ? std::string() : std::string(name);
}

Result<std::string> choose_member(const MemberRequest& request, const ArchiveBounds& bounds) {
    GYRE_TRY(const ArchiveHandle handle, open_zip(request.archive));
    std::vector<std::string> names;
    for (;;) {
        GYRE_TRY(::archive_entry * entry, next_file(handle.get(), request.archive));
        if (entry == nullptr) {
            break;
        }
        if (names.size() >= bounds.members_max) {
            return resource_exhausted("archive '" + request.archive + "' has more than " +
                                      std::to_string(bounds.members_max) + " members");
        }
        names.push_back(name_of_entry(entry));
        if (names.back() == request.member && !request.member.empty()) {
            return names.back();
        }
    }
    if (!request.member.empty()) {
        const std::vector<std::string_view> known(names.begin(), names.end());
        return not_found("archive '" + request.archive + "' has no member '" + request.member + "'" +
                         suggestion(request.member, known));
    }
    if (names.size() != 1) {
        std::string shown;
        for (std::size_t i = 0; i < names.size() && i < kNamesShown; ++i) {
            shown += (i == 0 ? " (" : ", ") + names[i];
        }
        shown += names.size() > kNamesShown ? ", ...)" : names.empty() ? "" : ")";
        return invalid_argument("archive '" + request.archive + "' has " + std::to_string(names.size()) +
                                " files" + shown + "; name one, as ARCHIVE.zip!FILE");
    }
    return names.front();
}

Result<void> write_all(int fd, const void* data, std::size_t size, const std::string& path) {
    const char* at = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t put = ::write(fd, at, size);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return errno_error("write '" + path + "'", errno);
        }
        at += put;
        size -= static_cast<std::size_t>(put);
    }
    return {};
}

Result<void> check_growth(const MemberRequest& request, const ArchiveBounds& bounds, std::uint64_t expanded,
                          std::uint64_t packed) {
    if (expanded > bounds.expanded_bytes_max) {
        return resource_exhausted("archive '" + request.archive + "' expands to more than " +
                                  human_bytes(bounds.expanded_bytes_max));
    }
    if (expanded > bounds.free_bytes && expanded / bounds.ratio_max > packed) {
        return resource_exhausted("archive '" + request.archive + "' expands by more than a factor of " +
                                  std::to_string(bounds.ratio_max) + "; unpack it yourself if you trust it");
    }
    return {};
}

Result<void> copy_data(::archive* handle, const MemberRequest& request, const ArchiveBounds& bounds) {
    const Fd out(::open(request.destination.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!out.valid()) {
        return errno_error("write '" + request.destination + "'", errno);
    }
    std::error_code unreadable;
    const std::uint64_t packed = std::filesystem::file_size(request.archive, unreadable);
    std::vector<char> block(kReadBlockBytes);
    std::uint64_t expanded = 0;
    for (;;) {
        const la_ssize_t got = ::archive_read_data(handle, block.data(), block.size());
        if (got == 0) {
            return {};
        }
        if (got < 0) {
            return Error(ErrorCode::data_loss,
                         "archive '" + request.archive + "' is broken: " + reason_of(handle));
        }
        expanded += static_cast<std::uint64_t>(got);
        GYRE_TRY_VOID(check_growth(request, bounds, expanded, packed));
        GYRE_TRY_VOID(write_all(out.get(), block.data(), static_cast<std::size_t>(got), request.destination));
    }
}

}  // namespace

Result<std::string> unpack_member(const MemberRequest& request, const ArchiveBounds& bounds) {
    GYRE_TRY(const std::string member, choose_member(request, bounds));
    GYRE_TRY(const ArchiveHandle handle, open_zip(request.archive));
    for (;;) {
        GYRE_TRY(::archive_entry * entry, next_file(handle.get(), request.archive));
        if (entry == nullptr) {
            return Error(ErrorCode::data_loss, "archive '" + request.archive + "' changed while it was read");
        }
        if (name_of_entry(entry) == member) {
            GYRE_TRY_VOID(copy_data(handle.get(), request, bounds));
            return member;
        }
    }
}

}  // namespace gyre::table
