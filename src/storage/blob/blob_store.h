#pragma once
// BlobStore: files below one root folder, for artifacts, model packages and sealed segments.
//
// Paths come from users: relative, '/' between parts, checked by check_blob_path and then resolved by the
// kernel beneath the root without following any symbolic link. A put is a temporary file, fsync, rename,
// fsync of the folder: readers see all of a blob or none of it, and it is on the disk when put returns.
// Thread-safe.
#include <atomic>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "storage/file_system.h"

namespace gyre::storage {

inline constexpr std::size_t kBlobPathBytesMax = 1024;
inline constexpr std::size_t kBlobNameBytesMax = 255;
inline constexpr std::size_t kBlobDepthMax = 32;
inline constexpr std::size_t kBlobListMax = 100'000;            // entries of one folder
inline constexpr std::uint64_t kBlobGetBytesMax = 256U << 20U;  // get(); larger blobs are read in pieces

/// Refuses (invalid_argument): empty, absolute, empty parts, "." and "..", '\\', NUL, control characters,
/// a first part that starts with ".gyre", and anything over the bounds.
Result<void> check_blob_path(std::string_view path);

struct BlobInfo {
    std::string name;  // the last part of the path
    bool is_folder = false;
    std::uint64_t size_bytes = 0;  // 0 for a folder
};

class BlobStore;

/// A blob being written. Nothing is visible before commit(); without it, the bytes are dropped. Not
/// thread-safe.
class BlobWriter {
 public:
    ~BlobWriter();
    BlobWriter(BlobWriter&& other) noexcept;
    BlobWriter& operator=(BlobWriter&&) = delete;

    Result<void> write(std::string_view bytes);
    /// Makes the blob durable and visible, replacing one of the same path.
    Result<void> commit();
    [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }

 private:
    friend class BlobStore;
    BlobWriter(BlobStore& store, std::string path, std::string temporary, Fd file);

    BlobStore* store_;
    std::string path_;
    std::string temporary_;
    Fd file_;
    std::uint64_t size_bytes_ = 0;
};

/// A blob being read; it stays whole even if it is replaced or removed meanwhile. Not thread-safe.
class BlobReader {
 public:
    /// The next bytes of the range, at most out.size(); 0 at its end.
    Result<std::size_t> read(std::span<char> out);
    /// Bytes in the whole blob, and in the range that is read.
    [[nodiscard]] std::uint64_t blob_bytes() const { return blob_bytes_; }
    [[nodiscard]] std::uint64_t range_bytes() const { return range_bytes_; }

 private:
    friend class BlobStore;
    BlobReader(FileSystem& files, Fd file) : files_(&files), file_(std::move(file)) {}

    FileSystem* files_;
    Fd file_;
    std::uint64_t blob_bytes_ = 0;
    std::uint64_t range_bytes_ = 0;
    std::uint64_t offset_ = 0;
    std::uint64_t left_ = 0;
};

struct BlobRange {
    std::uint64_t offset = 0;
    std::optional<std::uint64_t> length = std::nullopt;  // to the end when absent; cut at the end
};

class BlobStore {
 public:
    /// Opens or creates the root; drops what unfinished writers of an earlier process left.
    static Result<std::unique_ptr<BlobStore>> open(const std::string& root,
                                                   FileSystem& files = posix_file_system());

    Result<void> put(std::string_view path, std::string_view bytes);
    Result<BlobWriter> writer(std::string_view path);
    /// Errors: not_found, resource_exhausted above bytes_max.
    Result<std::string> get(std::string_view path, std::uint64_t bytes_max = kBlobGetBytesMax);
    /// Errors: not_found; invalid_argument for a range that starts beyond the end.
    Result<BlobReader> reader(std::string_view path, const BlobRange& range = {});
    Result<BlobInfo> stat(std::string_view path);
    /// Entries directly below a folder ("" is the root), sorted by name. Errors: not_found (also for a file).
    Result<std::vector<BlobInfo>> list(std::string_view folder);
    /// Removes a blob, or a folder with all below it. Errors: not_found.
    Result<void> remove(std::string_view path);
    /// Where the path is on this machine's disk, for our own readers of whole packages. Checked, not opened.
    Result<std::string> local_path(std::string_view path) const;

 private:
    friend class BlobWriter;
    BlobStore(std::string root, Fd folder, Fd incoming, FileSystem& files);
    enum class Missing : std::uint8_t { fail, create };
    Result<Fd> open_parent(std::string_view path, Missing missing);
    Result<Fd> create_folders(std::string_view path);
    Result<void> publish(const std::string& temporary, const std::string& path);
    Result<void> remove_entry(const Fd& parent, const std::string& name, std::size_t depth);

    std::string root_;
    Fd folder_;
    Fd incoming_;  // temporary files
    FileSystem& files_;
    std::atomic<std::uint64_t> serial_{0};
    // Exclusive while folders are made and synced, so that no writer builds on a folder that is not durable
    // yet.
    std::shared_mutex folders_mutex_;
};

}  // namespace gyre::storage
