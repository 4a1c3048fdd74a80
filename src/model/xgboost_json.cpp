// The JSON side of the XGBoost loader: a reader that packs lists of numbers.
#include <charconv>
#include <limits>

#include "model/source_document.h"

namespace gyre::model {

const SourceValue* SourceValue::find(std::string_view key) const {
    if (const Object* object = as<Object>()) {
        for (const SourceMember& member : *object) {
            if (member.key == key) {
                return &member.value;
            }
        }
    }
    return nullptr;
}

std::string_view SourceValue::kind_name() const {
    constexpr std::string_view kNames[] = {"null", "number", "text", "list of numbers", "list", "object"};
    return kNames[value_.index()];
}

namespace {

class JsonReader {
 public:
    explicit JsonReader(std::string_view text) : text_(text) {}

    Result<SourceValue> document() {
        GYRE_TRY(SourceValue value, read_value(0));
        skip_space();
        if (at_ != text_.size()) {
            return broken("extra text after the document");
        }
        return value;
    }

 private:
    [[nodiscard]] Error broken(std::string_view what) const {
        return invalid_argument("broken JSON at byte " + std::to_string(at_) + ": " + std::string(what));
    }

    void skip_space() {
        while (at_ < text_.size() &&
               (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
            ++at_;
        }
    }

    [[nodiscard]] char peek() {
        skip_space();
        return at_ < text_.size() ? text_[at_] : '\0';
    }

    bool take(char wanted) {
        if (peek() != wanted) {
            return false;
        }
        ++at_;
        return true;
    }

    bool take_word(std::string_view word) {
        if (text_.substr(at_, word.size()) != word) {
            return false;
        }
        at_ += word.size();
        return true;
    }

    Result<SourceValue> read_value(std::size_t depth) {
        if (depth > kSourceDepthMax) {
            return broken("nested too deep");
        }
        GYRE_TRY_VOID(budget_.take_value());
        switch (peek()) {
            case '{':
                return read_object(depth);
            case '[':
                return read_list(depth);
            case '"': {
                GYRE_TRY(std::string text, read_text());
                return SourceValue(std::move(text));
            }
            case 'n':
                return take_word("null") ? Result<SourceValue>(SourceValue()) : broken("expected a value");
            default: {
                GYRE_TRY(const double number, read_number());
                return SourceValue(number);
            }
        }
    }

    Result<SourceValue> read_object(std::size_t depth) {
        ++at_;
        SourceValue::Object members;
        if (take('}')) {
            return SourceValue(std::move(members));
        }
        do {
            if (peek() != '"') {
                return broken("expected a member name");
            }
            GYRE_TRY(std::string key, read_text());
            if (!take(':')) {
                return broken("expected ':'");
            }
            GYRE_TRY(SourceValue value, read_value(depth + 1));
            members.push_back({std::move(key), std::move(value)});
        } while (take(','));
        if (!take('}')) {
            return broken("expected ',' or '}'");
        }
        return SourceValue(std::move(members));
    }

    Result<SourceValue> read_list(std::size_t depth) {
        ++at_;
        const char first = peek();
        if (first == '{' || first == '[' || first == '"' ||
            (first == 'n' && text_.substr(at_, 4) == "null")) {
            return read_mixed_list(depth);
        }
        SourceValue::Numbers numbers;
        if (take(']')) {
            return SourceValue(std::move(numbers));
        }
        do {
            GYRE_TRY_VOID(budget_.take_numbers(1));
            GYRE_TRY(const double number, read_number());
            numbers.push_back(number);
        } while (take(','));
        if (!take(']')) {
            return broken("expected ',' or ']'");
        }
        return SourceValue(std::move(numbers));
    }

    Result<SourceValue> read_mixed_list(std::size_t depth) {
        SourceValue::List items;
        do {
            GYRE_TRY(SourceValue value, read_value(depth + 1));
            items.push_back(std::move(value));
        } while (take(','));
        if (!take(']')) {
            return broken("expected ',' or ']'");
        }
        return SourceValue(std::move(items));
    }

    Result<double> read_number() {
        skip_space();
        const std::pair<std::string_view, double> words[] = {
            {"true", 1.0},
            {"false", 0.0},
            {"NaN", std::numeric_limits<double>::quiet_NaN()},
            {"Infinity", std::numeric_limits<double>::infinity()},
            {"-Infinity", -std::numeric_limits<double>::infinity()}};
        for (const auto& [word, value] : words) {
            if (take_word(word)) {
                return value;
            }
        }
        const std::size_t end = std::min(text_.find_first_not_of("+-.0123456789eE", at_), text_.size());
        const std::string_view token = text_.substr(at_, end - at_);
        GYRE_TRY(const double value, parse_token(token));
        at_ = end;
        return value;
    }

    /// A fraction is read as float32 at once: XGBoost wrote the shortest text of a float32.
    [[nodiscard]] Result<double> parse_token(std::string_view token) const {
        const char* last = token.data() + token.size();
        if (token.find_first_of(".eE") == std::string_view::npos) {
            std::int64_t whole = 0;
            const auto [end, ec] = std::from_chars(token.data(), last, whole);
            if (ec != std::errc() || end != last || token.empty()) {
                return broken("expected a value");
            }
            return static_cast<double>(whole);
        }
        float fraction = 0.0F;
        const auto [end, ec] = std::from_chars(token.data(), last, fraction);
        if (ec == std::errc::result_out_of_range) {
            double wide = 0.0;
            const auto [wide_end, wide_ec] = std::from_chars(token.data(), last, wide);
            if (wide_ec == std::errc() && wide_end == last) {
                return wide;
            }
        }
        if (ec != std::errc() || end != last) {
            return broken("expected a number");
        }
        return static_cast<double>(fraction);
    }

    Result<std::string> read_text() {
        ++at_;
        std::string out;
        while (true) {
            const std::size_t stop = text_.find_first_of("\"\\", at_);
            if (stop == std::string_view::npos) {
                at_ = text_.size();
                return broken("a text without end");
            }
            out.append(text_, at_, stop - at_);
            at_ = stop + 1;
            if (text_[stop] == '"') {
                return out;
            }
            GYRE_TRY_VOID(read_escape(out));
        }
    }

    Result<void> read_escape(std::string& out) {
        if (at_ >= text_.size()) {
            return broken("a text without end");
        }
        const char kind = text_[at_++];
        constexpr std::string_view kFrom = "\"\\/bfnrt";
        constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
        if (const std::size_t i = kFrom.find(kind); i != std::string_view::npos) {
            out.push_back(kTo[i]);
            return {};
        }
        if (kind != 'u') {
            return broken("an unknown escape");
        }
        GYRE_TRY(std::uint32_t code, read_hex4());
        if (code >= 0xD800 && code < 0xDC00) {
            if (!take_word("\\u")) {
                return broken("half of a surrogate pair");
            }
            GYRE_TRY(const std::uint32_t low, read_hex4());
            if (low < 0xDC00 || low > 0xDFFF) {
                return broken("half of a surrogate pair");
            }
            code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
        }
        append_utf8(out, code);
        return {};
    }

    Result<std::uint32_t> read_hex4() {
        const std::string_view digits = text_.substr(at_, 4);
        std::uint32_t code = 0;
        const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
        if (digits.size() != 4 || ec != std::errc() || end != digits.data() + 4) {
            return broken("expected four hex digits");
        }
        at_ += 4;
        return code;
    }

    static void append_utf8(std::string& out, std::uint32_t code) {
        const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
        if (code < 0x80) {
            put(code);
        } else if (code < 0x800) {
            put(0xC0U | (code >> 6U));
            put(0x80U | (code & 0x3FU));
        } else if (code < 0x10000) {
            put(0xE0U | (code >> 12U));
            put(0x80U | ((code >> 6U) & 0x3FU));
            put(0x80U | (code & 0x3FU));
        } else {
            put(0xF0U | (code >> 18U));
            put(0x80U | ((code >> 12U) & 0x3FU));
            put(0x80U | ((code >> 6U) & 0x3FU));
            put(0x80U | (code & 0x3FU));
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    SourceBudget budget_;
};

}  // namespace

Result<SourceValue> read_source_json(std::string_view text) {
    return JsonReader(text).document();
}

}  // namespace gyre::model
