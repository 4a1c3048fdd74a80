// The UBJSON side of the XGBoost loader. Numbers are big-endian; every count is checked against what is left
// of the file before memory is taken for it.
#include <bit>
#include <optional>

#include "model/source_document.h"

namespace gyre::model {
namespace {

/// Bytes of a number of UBJSON type `marker`; 0 for what is no number.
std::size_t number_bytes(char marker) {
    switch (marker) {
        case 'i':
        case 'U':
            return 1;
        case 'I':
            return 2;
        case 'l':
        case 'd':
            return 4;
        case 'L':
        case 'D':
            return 8;
        default:
            return 0;
    }
}

class UbjReader {
 public:
    explicit UbjReader(std::string_view bytes) : bytes_(bytes) {}

    Result<SourceValue> document() {
        GYRE_TRY(const char marker, read_marker());
        GYRE_TRY(SourceValue value, read_value(marker, 0));
        while (at_ < bytes_.size() && (bytes_[at_] == 'N' || bytes_[at_] == '\n' || bytes_[at_] == '\0')) {
            ++at_;
        }
        if (at_ != bytes_.size()) {
            return broken("extra bytes after the document");
        }
        return value;
    }

 private:
    [[nodiscard]] Error broken(std::string_view what) const {
        return invalid_argument("broken UBJSON at byte " + std::to_string(at_) + ": " + std::string(what));
    }
    [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }

    /// The next marker; no-ops are skipped.
    Result<char> read_marker() {
        while (at_ < bytes_.size() && bytes_[at_] == 'N') {
            ++at_;
        }
        if (at_ >= bytes_.size()) {
            return broken("the file ends too early");
        }
        return bytes_[at_++];
    }

    [[nodiscard]] std::uint64_t big_endian(std::size_t size) {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < size; ++i) {
            value = (value << 8U) | static_cast<unsigned char>(bytes_[at_ + i]);
        }
        at_ += size;
        return value;
    }

    /// A number of a type that number_bytes knows; the bytes must be there.
    double number(char marker) {
        switch (marker) {
            case 'i':
                return static_cast<double>(static_cast<std::int8_t>(big_endian(1)));
            case 'U':
                return static_cast<double>(big_endian(1));
            case 'I':
                return static_cast<double>(static_cast<std::int16_t>(big_endian(2)));
            case 'l':
                return static_cast<double>(static_cast<std::int32_t>(big_endian(4)));
            case 'd':
                return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(big_endian(4))));
            case 'D':
                return std::bit_cast<double>(big_endian(8));
            default:
                return static_cast<double>(static_cast<std::int64_t>(big_endian(8)));
        }
    }

    Result<std::size_t> read_length() {
        GYRE_TRY(const char marker, read_marker());
        const std::size_t size = number_bytes(marker);
        if (size == 0 || marker == 'd' || marker == 'D') {
            return broken("expected a length");
        }
        if (size > left()) {
            return broken("the file ends too early");
        }
        const double length = number(marker);
        if (length < 0.0 || length > static_cast<double>(bytes_.size())) {
            return broken("a length that the file cannot hold");
        }
        return static_cast<std::size_t>(length);
    }

    Result<std::string> read_text() {
        GYRE_TRY(const std::size_t length, read_length());
        if (length > left()) {
            return broken("the file ends too early");
        }
        std::string out(bytes_.substr(at_, length));
        at_ += length;
        return out;
    }

    Result<SourceValue> read_value(char marker, std::size_t depth) {
        if (depth > kSourceDepthMax) {
            return broken("nested too deep");
        }
        GYRE_TRY_VOID(budget_.take_value());
        switch (marker) {
            case '{':
                return read_object(depth);
            case '[':
                return read_list(depth);
            case 'S':
            case 'H': {
                GYRE_TRY(std::string text, read_text());
                return SourceValue(std::move(text));
            }
            case 'C':
                if (left() == 0) {
                    return broken("the file ends too early");
                }
                return SourceValue(std::string(1, bytes_[at_++]));
            case 'Z':
                return SourceValue();
            case 'T':
            case 'F':
                return SourceValue(marker == 'T' ? 1.0 : 0.0);
            default:
                return read_number(marker);
        }
    }

    Result<SourceValue> read_number(char marker) {
        const std::size_t size = number_bytes(marker);
        if (size == 0) {
            return broken("an unknown type marker");
        }
        if (size > left()) {
            return broken("the file ends too early");
        }
        return SourceValue(number(marker));
    }

    /// After '#', or nothing when the container ends with a closing marker.
    Result<std::optional<std::size_t>> read_count() {
        if (left() == 0 || bytes_[at_] != '#') {
            return std::optional<std::size_t>();
        }
        ++at_;
        GYRE_TRY(const std::size_t count, read_length());
        return std::optional<std::size_t>(count);
    }

    Result<SourceValue> read_object(std::size_t depth) {
        GYRE_TRY(const std::optional<std::size_t> count, read_count());
        SourceValue::Object members;
        while (!count || members.size() < *count) {
            if (!count) {
                GYRE_TRY(const char next, read_marker());
                if (next == '}') {
                    break;
                }
                --at_;
            }
            GYRE_TRY(std::string key, read_text());
            GYRE_TRY(const char marker, read_marker());
            GYRE_TRY(SourceValue value, read_value(marker, depth + 1));
            members.push_back({std::move(key), std::move(value)});
        }
        return SourceValue(std::move(members));
    }

    Result<SourceValue> read_list(std::size_t depth) {
        if (left() > 0 && bytes_[at_] == '$') {
            ++at_;
            return read_packed_list();
        }
        GYRE_TRY(const std::optional<std::size_t> count, read_count());
        SourceValue::List items;
        SourceValue::Numbers numbers;
        for (std::size_t i = 0; !count || i < *count; ++i) {
            GYRE_TRY(const char marker, read_marker());
            if (!count && marker == ']') {
                break;
            }
            const bool scalar = number_bytes(marker) != 0 || marker == 'T' || marker == 'F';
            if (scalar ? !items.empty() : !numbers.empty()) {
                return broken("a list of numbers and other values");
            }
            GYRE_TRY_VOID(scalar ? budget_.take_numbers(1) : Result<void>());
            GYRE_TRY(SourceValue value, read_value(marker, depth + 1));
            if (scalar) {
                numbers.push_back(*value.as<double>());
            } else {
                items.push_back(std::move(value));
            }
        }
        return items.empty() ? SourceValue(std::move(numbers)) : SourceValue(std::move(items));
    }

    Result<SourceValue> read_packed_list() {
        if (left() < 2) {
            return broken("the file ends too early");
        }
        const char type = bytes_[at_++];
        const std::size_t size = number_bytes(type);
        if (size == 0) {
            return broken("a packed list of something other than numbers");
        }
        if (bytes_[at_++] != '#') {
            return broken("expected the length of a packed list");
        }
        GYRE_TRY(const std::size_t count, read_length());
        if (count > left() / size) {
            return broken("a packed list is longer than the file");
        }
        GYRE_TRY_VOID(budget_.take_numbers(count));
        SourceValue::Numbers numbers(count);
        for (double& value : numbers) {
            value = number(type);
        }
        return SourceValue(std::move(numbers));
    }

    std::string_view bytes_;
    std::size_t at_ = 0;
    SourceBudget budget_;
};

}  // namespace

Result<SourceValue> read_source_ubj(std::string_view bytes) {
    return UbjReader(bytes).document();
}

}  // namespace gyre::model
