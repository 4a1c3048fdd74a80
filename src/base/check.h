#pragma once
// Broken invariants end the process with a sentence. Never used on user input or on the environment.

namespace gyre::detail {
[[noreturn]] void check_failed(const char* expression, const char* file, int line, const char* message);
}  // namespace gyre::detail

// NOLINTBEGIN(cppcoreguidelines-macro-usage): the expression's text and place are wanted.
#define GYRE_CHECK(expression, message)                                             \
    do {                                                                            \
        if (!(expression)) [[unlikely]] {                                           \
            ::gyre::detail::check_failed(#expression, __FILE__, __LINE__, message); \
        }                                                                           \
    } while (false)
#ifdef NDEBUG
#define GYRE_DCHECK(expression, message) static_cast<void>(0)
#else
#define GYRE_DCHECK(expression, message) GYRE_CHECK(expression, message)
#endif
// NOLINTEND
