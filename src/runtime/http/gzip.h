#pragma once
// gzip in and out, bounded. Not thread-safe per object.
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gyre::http {

/// Compresses at the fast level. For answers.
std::string gzip(std::string_view bytes);

/// Decompresses in pieces, with a bound on what comes out (a small body may decompress to a huge one).
class Gunzip {
 public:
    explicit Gunzip(std::size_t bytes_max);
    ~Gunzip();
    Gunzip(Gunzip&&) noexcept;

    /// Appends at most `step_max` decompressed bytes to `out`; gives how many bytes of `in` were used.
    /// Errors: invalid_argument (not gzip), resource_exhausted (more than bytes_max in all).
    Result<std::size_t> step(std::string_view in, std::string& out, std::size_t step_max);
    /// True when the stream ended as it should.
    [[nodiscard]] bool done() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The whole of a body.
Result<std::string> gunzip(std::string_view bytes, std::size_t bytes_max);

}  // namespace gyre::http
