#pragma once
// Judging a table by a Suite, in one SQL statement over it.
#include "table/session.h"
#include "validation/suite.h"

namespace gyre::validation {

/// `table` is a source of the session. An expectation that cannot be judged (no such column, a bound of the
/// wrong kind) fails with a message; the call fails only for a suite that is malformed or a table that is not
/// there.
Result<SuiteResult> validate(table::Session& session, const std::string& table, const Suite& suite);

}  // namespace gyre::validation
