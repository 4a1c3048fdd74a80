#include "monitoring/spool.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitoring/limits.h"

namespace gyre::monitoring {

namespace {
constexpr std::size_t kHeaderBytes = 4096;
constexpr std::uint64_t kMagic = 0x314C505345525947ULL;  // "GYRESPL1"
}  // namespace

/// The first page of the file. The two positions lie on cache lines of their own.
struct Spool::Control {
    std::uint64_t magic;
    std::uint64_t id;
    std::uint64_t ring_bytes;
    alignas(64) std::uint64_t committed;
    alignas(64) std::uint64_t released;
};

Spool::Spool(std::string path, char* map, std::size_t map_bytes)
    : path_(std::move(path)),
      map_(map),
      map_bytes_(map_bytes),
      ring_(map + kHeaderBytes),
      ring_bytes_(map_bytes - kHeaderBytes) {
    const auto* control = reinterpret_cast<const Control*>(map_);
    id_ = control->id;
    head_ = control->committed;
}

Spool::~Spool() {
    ::munmap(map_, map_bytes_);
}

Result<std::shared_ptr<Spool>> Spool::create(const std::string& path, std::uint64_t id, std::size_t bytes) {
    const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.valid()) {
        return errno_error("create '" + path + "'", errno);
    }
    const std::size_t map_bytes = bytes + kHeaderBytes;
    // A mapped page without a block behind it would be a SIGBUS when the disk is full.
    if (const int failed = ::posix_fallocate(file.get(), 0, static_cast<off_t>(map_bytes)); failed != 0) {
        ::unlink(path.c_str());
        return errno_error("allocate '" + path + "'", failed);
    }
    void* map = ::mmap(nullptr, map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (map == MAP_FAILED) {  // NOLINT: the system's macro
        const int failed = errno;
        ::unlink(path.c_str());
        return errno_error("map '" + path + "'", failed);
    }
    auto* control = static_cast<Control*>(map);
    control->id = id;
    control->ring_bytes = bytes;
    control->magic = kMagic;
    return std::shared_ptr<Spool>(new Spool(path, static_cast<char*>(map), map_bytes));
}

Result<std::shared_ptr<Spool>> Spool::open_left(const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    struct stat status{};
    if (!file.valid() || ::fstat(file.get(), &status) != 0) {
        return errno_error("open '" + path + "'", errno);
    }
    const auto map_bytes = static_cast<std::size_t>(status.st_size);
    if (map_bytes <= kHeaderBytes) {
        return data_loss("'" + path + "' is no spool: it is too short");
    }
    void* map = ::mmap(nullptr, map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (map == MAP_FAILED) {  // NOLINT: the system's macro
        return errno_error("map '" + path + "'", errno);
    }
    std::shared_ptr<Spool> spool(new Spool(path, static_cast<char*>(map), map_bytes));
    const auto* control = static_cast<const Control*>(map);
    if (control->magic != kMagic || control->ring_bytes != spool->ring_bytes_ ||
        (spool->ring_bytes_ & (spool->ring_bytes_ - 1)) != 0) {
        return data_loss("'" + path + "' is no spool: its header is wrong");
    }
    return spool;
}

bool Spool::push(const PredictionRecord& record, std::size_t bytes) {
    auto* control = reinterpret_cast<Control*>(map_);
    const std::size_t offset = head_ & (ring_bytes_ - 1);
    const std::size_t to_end = ring_bytes_ - offset;
    const std::size_t padding = to_end < bytes ? to_end : 0;
    if (head_ + padding + bytes > free_until_) [[unlikely]] {
        const std::atomic_ref<std::uint64_t> released(control->released);
        free_until_ = released.load(std::memory_order_acquire) + ring_bytes_;
        if (head_ + padding + bytes > free_until_) {
            return false;
        }
    }
    if (padding > 0) [[unlikely]] {
        const auto mark = static_cast<std::uint32_t>(padding) | kPaddingBit;
        std::memcpy(ring_ + offset, &mark, sizeof mark);
    }
    const std::uint64_t place = head_ + padding;
    encode(record, place, {ring_ + (place & (ring_bytes_ - 1)), bytes});
    head_ = place + bytes;
    const std::atomic_ref<std::uint64_t> committed(control->committed);
    committed.store(head_, std::memory_order_release);
    return true;
}

Spool::Run Spool::run(std::uint64_t from, std::uint64_t end, std::optional<std::uint64_t> check) const {
    Run run{.bytes = {}, .from = from, .to = from, .records = 0};
    std::size_t offset = from & (ring_bytes_ - 1);
    std::size_t length = 0;
    RecordDecoder decoder;
    while (run.to < end && offset + length < ring_bytes_) {
        std::uint32_t bytes = 0;
        std::memcpy(&bytes, ring_ + offset + length, sizeof bytes);
        if ((bytes & kPaddingBit) != 0) {
            const std::size_t padding = bytes & ~kPaddingBit;
            if (padding != ring_bytes_ - offset - length) {
                break;  // only in a ring that a crash tore
            }
            run.to += padding;
            if (run.records > 0) {
                break;
            }
            run.from = run.to;
            offset = 0;
            continue;
        }
        const std::string_view rest(ring_ + offset + length, ring_bytes_ - offset - length);
        if (length + bytes > kFrameBytesMax || bytes == 0 || bytes > rest.size() ||
            (check && decoder.decode(rest, run.to) == nullptr)) {
            break;
        }
        length += bytes;
        run.to += bytes;
        ++run.records;
    }
    run.bytes = {ring_ + offset, length};
    return run;
}

std::uint64_t Spool::committed() const {
    const std::atomic_ref<std::uint64_t> committed(reinterpret_cast<Control*>(map_)->committed);
    return committed.load(std::memory_order_acquire);
}

Spool::Run Spool::committed_run(std::uint64_t from, std::uint64_t end) const {
    return run(from, end, std::nullopt);
}

Spool::Run Spool::sound_run(std::uint64_t from) const {
    return run(from, from + ring_bytes_, from);
}

void Spool::release(std::uint64_t position) {
    const std::atomic_ref<std::uint64_t> released(reinterpret_cast<Control*>(map_)->released);
    released.store(position, std::memory_order_release);
}

std::uint64_t Spool::released() const {
    const std::atomic_ref<std::uint64_t> released(reinterpret_cast<Control*>(map_)->released);
    return released.load(std::memory_order_acquire);
}

}  // namespace gyre::monitoring
