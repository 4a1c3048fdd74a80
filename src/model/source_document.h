#pragma once
// SourceDocument: a model file as a tree of values, read from JSON or UBJSON. Lists of numbers are packed as
// doubles, so that the memory is a small multiple of the file. Internal to the loaders.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/limits.h"

namespace gyre::model {

struct SourceMember;

class SourceValue {
 public:
    using Numbers = std::vector<double>;  // also booleans; an empty list is Numbers
    using List = std::vector<SourceValue>;
    using Object = std::vector<SourceMember>;

    SourceValue() = default;
    template <class T>
    explicit SourceValue(T value) : value_(std::move(value)) {}

    template <class T>
    [[nodiscard]] const T* as() const {
        return std::get_if<T>(&value_);
    }
    /// The member `key`, or nullptr.
    [[nodiscard]] const SourceValue* find(std::string_view key) const;
    [[nodiscard]] std::string_view kind_name() const;

 private:
    std::variant<std::monostate, double, std::string, Numbers, List, Object> value_;
};

struct SourceMember {
    std::string key;
    SourceValue value;
};

/// Counts what a reader makes against the bounds of limits.h.
class SourceBudget {
 public:
    Result<void> take_value() { return take(values_, "values"); }
    Result<void> take_numbers(std::size_t n) {
        return n > numbers_ ? too_large("numbers") : spend(numbers_, n);
    }

 private:
    static Error too_large(std::string_view what) {
        return resource_exhausted("the model file holds too many " + std::string(what));
    }
    static Result<void> spend(std::size_t& from, std::size_t n) {
        from -= n;
        return {};
    }
    static Result<void> take(std::size_t& from, std::string_view what) {
        return from == 0 ? too_large(what) : spend(from, 1);
    }
    std::size_t values_ = kSourceValuesMax;
    std::size_t numbers_ = kSourceNumbersMax;
};

/// JSON as XGBoost writes it: RFC 8259 plus NaN, Infinity and -Infinity. Errors name the offset.
Result<SourceValue> read_source_json(std::string_view text);
/// UBJSON (draft 12) with the numeric optimised lists that XGBoost writes. Errors name the offset.
Result<SourceValue> read_source_ubj(std::string_view bytes);

}  // namespace gyre::model
