#pragma once
// References in a step's parameters: ${{params.x}}, ${{steps.train.outputs.package}}, ${{trigger.as_of}},
// ${{run.id}}. A text that is one reference takes the value with its type; inside a longer text a scalar's
// text is put in. What was put in is never read again. Pure functions, time linear in the text.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "pipelines/limits.h"

namespace gyre::pipelines {

/// Dotted paths of the references in `value`, at every depth. Errors: invalid_argument for "${{" without
/// "}}", an empty or ill-formed path, or over kReferencesMax in one text.
Result<std::vector<std::string>> references_in(const Json& value);

/// `value` with its references filled in from `scope`, an object {params, steps, trigger, run}.
/// Errors: invalid_argument for a path that leads nowhere, an array or object inside a longer text, a text
/// over kTextBytesMax.
Result<Json> fill_in(const Json& value, const Json& scope);

/// The value at a dotted path ("steps.train.outputs.package"); nullptr when it leads nowhere.
const Json* find_path(const Json& scope, std::string_view path);

}  // namespace gyre::pipelines
