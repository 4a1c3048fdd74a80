#pragma once
// For tests: a folder that removes itself, a migrated database in it, and files that fail on purpose.
#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX
#include <string>
#include <sys/stat.h>

#include "storage/file_system.h"
#include "storage/sql/database.h"

namespace gyre::storage {

class TempFolder {
 public:
    TempFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "gyre-XXXXXX").string();
        GYRE_CHECK(::mkdtemp(pattern.data()) != nullptr, "a temporary folder for a test");
        path_ = pattern;
    }
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    [[nodiscard]] std::string path() const { return path_; }
    [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
    std::string path_;
};

/// A database with every migration, gone with the object.
class TestDatabase {
 public:
    explicit TestDatabase(const DatabaseOptions& options = {}) {
        auto opened = Database::open(folder_.file("meta.db"), migrations(), options);
        GYRE_CHECK(opened.has_value(), "a database for a test");
        database_ = *std::move(opened);
    }
    Database& operator*() { return *database_; }
    Database* operator->() { return database_.get(); }

 private:
    TempFolder folder_;
    std::unique_ptr<Database> database_;
};

/// Real files that remember what was never synced. power_cut() takes it away: the unsynced end of a file
/// becomes garbage of an arbitrary length, and entries (created, renamed) of unsynced folders are undone.
/// After bytes_left(n), writes beyond n more bytes write what fits and answer "no space"; after
/// entries_left(n), so do files and folders beyond n more.
class FaultyFileSystem final : public PosixFileSystem {
 public:
    void bytes_left(std::int64_t bytes) { bytes_left_ = bytes; }
    void entries_left(std::int64_t entries) { entries_left_ = entries; }
    void fail_syncs(bool on) { fail_syncs_ = on; }
    [[nodiscard]] int syncs() const { return syncs_; }

    Result<Fd> open_file(const Fd& folder, const std::string& name, OpenMode mode) override {
        if (mode == OpenMode::create_new && !take_entry()) {
            return errno_error("open '" + name + "'", ENOSPC);
        }
        auto file = PosixFileSystem::open_file(folder, name, mode);
        if (file && mode == OpenMode::create_new) {
            const std::scoped_lock lock(mutex_);
            files_[path_of(*file)] = {0};
            entries_[path_of(folder)].push_back({name, ""});
        }
        return file;
    }
    Result<void> write(const Fd& file, std::string_view bytes) override {
        const std::int64_t left = bytes_left_;
        if (static_cast<std::int64_t>(bytes.size()) > left) {
            static_cast<void>(PosixFileSystem::write(file, bytes.substr(0, static_cast<std::size_t>(left))));
            return errno_error("write", ENOSPC);
        }
        bytes_left_ -= static_cast<std::int64_t>(bytes.size());
        return PosixFileSystem::write(file, bytes);
    }
    Result<void> truncate(const Fd& file, std::uint64_t size) override {
        const std::scoped_lock lock(mutex_);
        auto known = files_.find(path_of(file));
        if (known != files_.end() && size < known->second.synced) {
            known->second.synced = size;
        }
        return PosixFileSystem::truncate(file, size);
    }
    Result<void> sync_file(const Fd& file) override {
        ++syncs_;
        if (fail_syncs_) {
            return errno_error("sync", EIO);
        }
        struct stat status{};
        ::fstat(file.get(), &status);
        auto done = PosixFileSystem::sync_file(file);
        const std::scoped_lock lock(mutex_);
        files_[path_of(file)] = {static_cast<std::uint64_t>(status.st_size)};
        return done;
    }
    Result<void> sync_folder(const Fd& folder) override {
        if (fail_syncs_) {
            return errno_error("sync", EIO);
        }
        const std::scoped_lock lock(mutex_);
        for (const Entry& entry : entries_[path_of(folder)]) {
            std::filesystem::remove(entry.replaced);
        }
        entries_.erase(path_of(folder));
        return {};
    }
    Result<void> rename(const Fd& from_folder, const std::string& from, const Fd& to_folder,
                        const std::string& to) override {
        const std::string old_path = path_of(from_folder) + "/" + from;
        const std::string new_path = path_of(to_folder) + "/" + to;
        const std::scoped_lock lock(mutex_);
        std::string replaced;
        if (std::filesystem::is_regular_file(new_path)) {
            replaced = new_path + ".before" + std::to_string(++serial_);  // what an undone rename brings back
            std::filesystem::create_hard_link(new_path, replaced);
        }
        entries_[path_of(to_folder)].push_back({to, replaced});
        if (auto known = files_.extract(old_path)) {
            known.key() = new_path;
            files_.erase(new_path);
            files_.insert(std::move(known));
        }
        return PosixFileSystem::rename(from_folder, from, to_folder, to);
    }
    Result<void> make_folder(const Fd& folder, const std::string& name) override {
        if (!take_entry()) {
            return errno_error("create folder '" + name + "'", ENOSPC);
        }
        auto made = PosixFileSystem::make_folder(folder, name);
        if (made) {
            const std::scoped_lock lock(mutex_);
            entries_[path_of(folder)].push_back({name, ""});
        }
        return made;
    }

    /// Call with every store closed. `tail` decides how much of an unsynced end "reached" the disk, as
    /// garbage.
    void power_cut(std::uint64_t tail) {
        const std::scoped_lock lock(mutex_);
        for (const auto& [path, file] : files_) {
            cut_file(path, file.synced, tail);
        }
        for (const auto& [folder, entries] : entries_) {
            for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
                std::filesystem::remove_all(folder + "/" + entry->name);
                if (!entry->replaced.empty()) {
                    std::filesystem::rename(entry->replaced, folder + "/" + entry->name);
                }
            }
        }
        files_.clear();
        entries_.clear();
    }

 private:
    struct File {
        std::uint64_t synced = 0;
    };
    struct Entry {
        std::string name;
        std::string replaced;
    };
    bool take_entry() {
        if (entries_left_ <= 0) {
            return false;
        }
        --entries_left_;
        return true;
    }
    static std::string path_of(const Fd& fd) {
        return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd.get())).string();
    }
    static void cut_file(const std::string& path, std::uint64_t synced, std::uint64_t tail) {
        std::error_code missing;
        const std::uint64_t size = std::filesystem::file_size(path, missing);
        if (missing || size <= synced) {
            return;
        }
        const std::uint64_t keep = synced + tail % (size - synced + 1);
        std::filesystem::resize_file(path, synced);
        std::filesystem::resize_file(path, keep);  // zeros where the data should be
    }

    std::mutex mutex_;  // guards the next three
    int serial_ = 0;
    std::map<std::string, File> files_;                  // by path
    std::map<std::string, std::vector<Entry>> entries_;  // by folder: what was not synced
    std::atomic<std::int64_t> bytes_left_{INT64_MAX};
    std::atomic<std::int64_t> entries_left_{INT64_MAX};
    std::atomic<bool> fail_syncs_{false};
    std::atomic<int> syncs_{0};
};

}  // namespace gyre::storage
