#pragma once
// Who acts. Every Event names its principal; roles and tenants build on it.
#include <string>

#include "base/id.h"

namespace gyre {

struct Principal {
    std::string name;  // "admin", "local", "loop"
    ProjectId project = default_project();
};

/// Requests over loopback without a token act as this.
inline Principal local_principal() {
    return {"local", default_project()};
}
/// What the server does by itself (controllers, schedules, triggers).
inline Principal system_principal() {
    return {"system", default_project()};
}

}  // namespace gyre
