#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace gyre::detail {

void check_failed(const char* expression, const char* file, int line, const char* message) {
    static_cast<void>(
        std::fprintf(stderr, "gyre: broken invariant: %s (%s) at %s:%d\n", message, expression, file, line));
    std::abort();
}

}  // namespace gyre::detail
