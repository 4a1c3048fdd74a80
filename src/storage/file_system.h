#pragma once
// FileSystem: the system calls of `blob` and `log`, so that tests can cut the power and fill the disk.
// Names are one component below an open folder; nothing here follows a symbolic link. Thread-safe.
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace gyre::storage {

enum class OpenMode : std::uint8_t { read, create_new, read_write };

class FileSystem {
 public:
    virtual ~FileSystem() = default;

    /// A regular file of `folder`. create_new: already_exists when present. Others: not_found.
    virtual Result<Fd> open_file(const Fd& folder, const std::string& name, OpenMode mode) = 0;
    /// All of `bytes` at the file's end (the descriptor's position). After an Error, part may be written.
    virtual Result<void> write(const Fd& file, std::string_view bytes) = 0;
    /// Up to out.size() bytes at `offset`; fewer only at the end of the file.
    virtual Result<std::size_t> read_at(const Fd& file, std::uint64_t offset, std::span<char> out) = 0;
    virtual Result<void> truncate(const Fd& file, std::uint64_t size) = 0;
    /// Bytes and size are on the disk on return.
    virtual Result<void> sync_file(const Fd& file) = 0;
    /// Entries of the folder are on the disk on return.
    virtual Result<void> sync_folder(const Fd& folder) = 0;
    virtual Result<void> rename(const Fd& from_folder, const std::string& from, const Fd& to_folder,
                                const std::string& to) = 0;
    virtual Result<void> unlink(const Fd& folder, const std::string& name) = 0;
    virtual Result<void> make_folder(const Fd& folder, const std::string& name) = 0;
    virtual Result<void> remove_folder(const Fd& folder, const std::string& name) = 0;
};

/// The machine's files.
class PosixFileSystem : public FileSystem {
 public:
    Result<Fd> open_file(const Fd& folder, const std::string& name, OpenMode mode) override;
    Result<void> write(const Fd& file, std::string_view bytes) override;
    Result<std::size_t> read_at(const Fd& file, std::uint64_t offset, std::span<char> out) override;
    Result<void> truncate(const Fd& file, std::uint64_t size) override;
    Result<void> sync_file(const Fd& file) override;
    Result<void> sync_folder(const Fd& folder) override;
    Result<void> rename(const Fd& from_folder, const std::string& from, const Fd& to_folder,
                        const std::string& to) override;
    Result<void> unlink(const Fd& folder, const std::string& name) override;
    Result<void> make_folder(const Fd& folder, const std::string& name) override;
    Result<void> remove_folder(const Fd& folder, const std::string& name) override;
};

/// The one shared PosixFileSystem; it has no state.
FileSystem& posix_file_system();

/// Opens a folder of the caller's own (trusted) path.
Result<Fd> open_folder(const std::string& path);
/// Names of a folder's entries but "." and "..", sorted. Errors: resource_exhausted above `entries_max`.
Result<std::vector<std::string>> folder_entries(const Fd& folder, std::size_t entries_max);

}  // namespace gyre::storage
