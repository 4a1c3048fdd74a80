// Adapter: zlib.
#include "runtime/http/gzip.h"

#include <algorithm>

#include <zlib.h>

#include "base/check.h"
#include "base/text.h"
#include "runtime/http/limits.h"

namespace gyre::http {
namespace {

constexpr int kGzipWindow = 15 + 16;  // 32 KiB window, gzip wrapper

Bytef* zlib_in(std::string_view bytes) {
    return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib does not write its input
}

}  // namespace

std::string gzip(std::string_view bytes) {
    z_stream stream{};
    const int ready = deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY);
    GYRE_CHECK(ready == Z_OK, "zlib starts");
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = zlib_in(bytes);
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int ended = deflate(&stream, Z_FINISH);
    GYRE_CHECK(ended == Z_STREAM_END, "deflateBound is enough");
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

struct Gunzip::Impl {
    z_stream stream{};
    std::size_t bytes_max = 0;
    std::size_t bytes = 0;
    bool done = false;
    ~Impl() { inflateEnd(&stream); }
    explicit Impl(std::size_t max) : bytes_max(max) {
        const int ready = inflateInit2(&stream, kGzipWindow);
        GYRE_CHECK(ready == Z_OK, "zlib starts");
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
};

Gunzip::Gunzip(std::size_t bytes_max) : impl_(std::make_unique<Impl>(bytes_max)) {}
Gunzip::~Gunzip() = default;
Gunzip::Gunzip(Gunzip&&) noexcept = default;

bool Gunzip::done() const {
    return impl_->done;
}

Result<std::size_t> Gunzip::step(std::string_view in, std::string& out, std::size_t step_max) {
    z_stream& stream = impl_->stream;
    if (impl_->done) {
        return in.empty() ? Result<std::size_t>(std::size_t{0})
                          : invalid_argument("bytes behind the gzip stream");
    }
    const std::size_t before = out.size();
    const std::size_t room = std::min(step_max, impl_->bytes_max - impl_->bytes + 1);
    out.resize(before + room);
    stream.next_in = zlib_in(in);
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(room);
    const int code = inflate(&stream, Z_NO_FLUSH);
    const std::size_t made = room - stream.avail_out;
    out.resize(before + made);
    impl_->bytes += made;
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
        return invalid_argument("the body is not valid gzip");
    }
    if (impl_->bytes > impl_->bytes_max) {
        return resource_exhausted("the body decompresses to more than " + human_bytes(impl_->bytes_max));
    }
    impl_->done = code == Z_STREAM_END;
    return in.size() - stream.avail_in;
}

Result<std::string> gunzip(std::string_view bytes, std::size_t bytes_max) {
    Gunzip stream(bytes_max);
    std::string out;
    while (!stream.done()) {
        const std::size_t before = out.size();
        GYRE_TRY(const std::size_t used, stream.step(bytes, out, kPieceBytes));
        bytes.remove_prefix(used);
        if (used == 0 && out.size() == before) {
            return invalid_argument("the gzip body is cut short");
        }
    }
    if (!bytes.empty()) {
        return invalid_argument("bytes behind the gzip stream");
    }
    return out;
}

}  // namespace gyre::http
