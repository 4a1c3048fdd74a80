#include "storage/search/filter.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/text.h"

namespace gyre::storage {

namespace {

struct OpName {
    Op op;
    std::string_view name;
};
constexpr std::array<OpName, 12> kOps{{{Op::eq, "="},
                                       {Op::ne, "!="},
                                       {Op::gt, ">"},
                                       {Op::ge, ">="},
                                       {Op::lt, "<"},
                                       {Op::le, "<="},
                                       {Op::like, "LIKE"},
                                       {Op::ilike, "ILIKE"},
                                       {Op::in, "IN"},
                                       {Op::not_in, "NOT IN"},
                                       {Op::is_null, "IS NULL"},
                                       {Op::is_not_null, "IS NOT NULL"}}};

struct Token {
    enum class Kind : std::uint8_t { word, single_quoted, double_quoted, back_quoted, symbol };
    Kind kind;
    std::string text;  // without quotes
    std::size_t begin;
    std::size_t end;
};

bool is_word_char(char c) {
    const auto u = static_cast<unsigned char>(c);
    return std::isalnum(u) != 0 || c == '_' || c == '-' || c == '+' || c == '/' || c == ':' || u >= 0x80;
}

std::optional<Token::Kind> quote_kind(char c) {
    switch (c) {
        case '\'':
            return Token::Kind::single_quoted;
        case '"':
            return Token::Kind::double_quoted;
        case '`':
            return Token::Kind::back_quoted;
        default:
            return std::nullopt;
    }
}

Error invalid_filter(std::string_view text) {
    return invalid_argument("Invalid filter '" + std::string(text.substr(0, 500)) +
                            "'. Could not be parsed.");
}

/// Reads one token at `at`; a doubled single quote stands for one.
Result<Token> read_token(std::string_view text, std::size_t& at) {
    const std::size_t begin = at;
    const char first = text[at];
    if (const auto kind = quote_kind(first)) {
        std::string inner;
        for (++at; at < text.size(); ++at) {
            const bool doubled =
                first == '\'' && text[at] == first && at + 1 < text.size() && text[at + 1] == first;
            if (text[at] == first && !doubled) {
                ++at;
                return Token{*kind, std::move(inner), begin, at};
            }
            at += doubled ? 1 : 0;
            inner += text[at];
        }
        return invalid_filter(text);
    }
    if (is_word_char(first)) {
        while (at < text.size() && is_word_char(text[at])) {
            ++at;
        }
        return Token{Token::Kind::word, std::string(text.substr(begin, at - begin)), begin, at};
    }
    const std::string_view two = text.substr(at, 2);
    at += two == "!=" || two == ">=" || two == "<=" || two == "<>" ? 2U : 1U;
    return Token{Token::Kind::symbol, std::string(text.substr(begin, at - begin)), begin, at};
}

Result<std::vector<Token>> tokenize(std::string_view text) {
    std::vector<Token> tokens;
    for (std::size_t at = 0; at < text.size();) {
        if (std::isspace(static_cast<unsigned char>(text[at])) != 0) {
            ++at;
            continue;
        }
        GYRE_TRY(Token token, read_token(text, at));
        tokens.push_back(std::move(token));
    }
    return tokens;
}

bool is_keyword(const Token& token, std::string_view keyword) {
    return token.kind == Token::Kind::word && to_lower(token.text) == keyword;
}

class Parser {
 public:
    Parser(std::string_view text, std::span<const Token> tokens) : text_(text), tokens_(tokens) {}

    Result<std::vector<Clause>> clauses() {
        std::vector<Clause> out;
        while (at_ < tokens_.size()) {
            if (out.size() >= kFilterClausesMax) {
                return invalid_argument("a filter has at most " + std::to_string(kFilterClausesMax) +
                                        " clauses");
            }
            const std::size_t begin = at_;
            auto clause = one();
            const bool ended = at_ == tokens_.size() || is_keyword(tokens_[at_], "and");
            if (!clause || !ended) {
                return invalid_clause(begin);
            }
            out.push_back(*std::move(clause));
            at_ += at_ < tokens_.size() ? 1U : 0U;
            if (at_ == tokens_.size() && is_keyword(tokens_.back(), "and")) {
                return invalid_clause(tokens_.size() - 1);
            }
        }
        return out;
    }

    /// [entity "."] key; a key without quotes may hold dots of its own.
    bool name(std::string& entity, std::string& key) {
        if (!part(key)) {
            return false;
        }
        while (peek_symbol(".")) {
            ++at_;
            std::string next;
            if (!part(next)) {
                return false;
            }
            if (entity.empty()) {
                entity = std::move(key);
                key = std::move(next);
            } else {
                key += "." + next;
            }
        }
        return true;
    }

    [[nodiscard]] bool at_end() const { return at_ == tokens_.size(); }
    bool take_keyword(std::string_view keyword) {
        const bool is = !at_end() && is_keyword(tokens_[at_], keyword);
        at_ += is ? 1 : 0;
        return is;
    }

 private:
    [[nodiscard]] bool peek_symbol(std::string_view symbol) const {
        return !at_end() && tokens_[at_].kind == Token::Kind::symbol && tokens_[at_].text == symbol;
    }

    bool part(std::string& out) {
        if (at_end() || tokens_[at_].kind == Token::Kind::symbol ||
            tokens_[at_].kind == Token::Kind::single_quoted) {
            return false;
        }
        out = tokens_[at_++].text;
        return true;
    }

    std::optional<Clause> one() {
        Clause clause;
        if (!name(clause.entity, clause.key)) {
            return std::nullopt;
        }
        if (clause.entity.empty() && clause.key == "Run" && !at_end() && is_keyword(tokens_[at_], "name")) {
            clause.key = "run_name";  // the UI's own spelling
            ++at_;
        }
        const bool good = op(clause.op) &&
                          (clause.op == Op::is_null || clause.op == Op::is_not_null ||
                           (clause.op == Op::in || clause.op == Op::not_in ? list(clause) : literal(clause)));
        return good ? std::optional(std::move(clause)) : std::nullopt;
    }

    bool op(Op& out) {
        if (take_keyword("is")) {
            out = take_keyword("not") ? Op::is_not_null : Op::is_null;
            return take_keyword("null");
        }
        if (take_keyword("not")) {
            out = Op::not_in;
            return take_keyword("in");
        }
        if (at_end() || tokens_[at_].kind == Token::Kind::double_quoted) {
            return false;
        }
        const std::string text = tokens_[at_].text == "<>" ? "!=" : to_lower(tokens_[at_].text);
        for (const OpName& known : kOps) {
            if (to_lower(known.name) == text && tokens_[at_].kind <= Token::Kind::symbol) {
                out = known.op;
                ++at_;
                return true;
            }
        }
        return false;
    }

    bool literal(Clause& clause) {
        if (at_end()) {
            return false;
        }
        const Token& token = tokens_[at_];
        if (token.kind == Token::Kind::symbol) {
            return false;
        }
        clause.value = token.text;
        ++at_;
        if (token.kind != Token::Kind::word) {
            clause.literal = Clause::Literal::text;
            return true;
        }
        while (peek_symbol(".")) {  // a number with a fraction comes as word, ".", word
            clause.value += ".";
            ++at_;
            if (!at_end() && tokens_[at_].kind == Token::Kind::word &&
                tokens_[at_].begin == tokens_[at_ - 1].end) {
                clause.value += tokens_[at_++].text;
            }
        }
        const auto number = parse_number(clause.value);
        clause.literal = number ? Clause::Literal::number : Clause::Literal::bare;
        clause.number = number.value_or(0);
        return true;
    }

    bool list(Clause& clause) {
        if (!peek_symbol("(")) {
            return false;
        }
        do {
            ++at_;
            const bool quoted = !at_end() && (tokens_[at_].kind == Token::Kind::single_quoted ||
                                              tokens_[at_].kind == Token::Kind::double_quoted);
            if (!quoted || clause.list.size() >= kFilterListMax) {
                return false;
            }
            clause.list.push_back(tokens_[at_++].text);
        } while (peek_symbol(","));
        const bool closed = peek_symbol(")");
        at_ += closed ? 1 : 0;
        clause.literal = Clause::Literal::text;
        return closed;
    }

    [[nodiscard]] Error invalid_clause(std::size_t begin) const {
        std::string message = "Invalid clause(s) in filter string: ";
        std::size_t listed = 0;
        for (std::size_t i = begin;
             i < tokens_.size() && listed < 10 && !(i > begin && is_keyword(tokens_[i], "and"));) {
            std::size_t last = i;  // tokens that touch are one word to the reader
            while (last + 1 < tokens_.size() && tokens_[last + 1].begin == tokens_[last].end) {
                ++last;
            }
            const std::string_view word =
                text_.substr(tokens_[i].begin, tokens_[last].end - tokens_[i].begin);
            message.append(listed++ == 0 ? "'" : ", '").append(word.substr(0, 200)).append("'");
            i = last + 1;
        }
        return invalid_argument(message);
    }

    std::string_view text_;
    std::span<const Token> tokens_;
    std::size_t at_ = 0;
};

std::string comparator_error(Op op, std::string_view allowed) {
    return "Invalid comparator '" + std::string(name_of(op)) + "' not one of '" + std::string(allowed) + "'";
}

/// A LIKE pattern as a GLOB pattern, which minds the case.
std::string glob_of(std::string_view like) {
    std::string out;
    for (const char c : like) {
        switch (c) {
            case '%':
                out += '*';
                break;
            case '_':
                out += '?';
                break;
            case '*':
            case '?':
            case '[':
                out.append("[").append(1, c).append("]");
                break;
            default:
                out += c;
        }
    }
    return out;
}

}  // namespace

std::string_view name_of(Op op) {
    return kOps[static_cast<std::size_t>(op)].name;
}

bool is_numeric(Op op) {
    return op <= Op::le;
}

Result<std::vector<Clause>> parse_filter(std::string_view text) {
    if (text.size() > kFilterBytesMax) {
        return invalid_argument("a filter has at most " + std::to_string(kFilterBytesMax) + " bytes");
    }
    GYRE_TRY(const std::vector<Token> tokens, tokenize(text));
    return Parser(text, tokens).clauses();
}

Result<OrderBy> parse_order_by(std::string_view text) {
    const Error bad = invalid_argument("Invalid order_by clause '" + std::string(text.substr(0, 500)) +
                                       "'. Could not be parsed.");
    auto tokens = text.size() > kFilterBytesMax ? Result<std::vector<Token>>(bad) : tokenize(text);
    if (!tokens) {
        return bad;
    }
    OrderBy out;
    Parser parser(text, *tokens);
    if (!parser.name(out.entity, out.key)) {
        return bad;
    }
    if (out.key == "Run" && parser.take_keyword("name")) {
        out.key = "run_name";
    }
    out.ascending = !parser.take_keyword("desc");
    if (out.ascending) {
        static_cast<void>(parser.take_keyword("asc"));
    }
    if (!parser.at_end()) {
        return bad;
    }
    return out;
}

Result<void> check_text_clause(const Clause& clause, std::string_view what, bool lists_allowed) {
    const bool list = clause.op == Op::in || clause.op == Op::not_in;
    const bool text_op =
        clause.op == Op::eq || clause.op == Op::ne || clause.op == Op::like || clause.op == Op::ilike;
    if (!text_op && !(list && lists_allowed)) {
        return invalid_argument(comparator_error(
            clause.op, lists_allowed ? "=, !=, LIKE, ILIKE, IN, NOT IN" : "=, !=, LIKE, ILIKE"));
    }
    if (clause.literal != Clause::Literal::text) {
        return invalid_argument("Expected a quoted string value for " + std::string(what) +
                                " (e.g. 'my-value'). Got value " + clause.value);
    }
    return {};
}

Result<void> check_number_clause(const Clause& clause, std::string_view what) {
    if (!is_numeric(clause.op)) {
        return invalid_argument(comparator_error(clause.op, "=, !=, >, >=, <, <="));
    }
    if (clause.literal != Clause::Literal::number) {
        return invalid_argument(
            "Expected numeric value type for " + std::string(what) + ". Found " +
            (clause.literal == Clause::Literal::text ? "'" + clause.value + "'" : clause.value));
    }
    return {};
}

void SqlCondition::append(const SqlCondition& other) {
    sql_ += other.sql_;
    values_.insert(values_.end(), other.values_.begin(), other.values_.end());
}

void SqlCondition::append_text(std::string_view column, const Clause& clause) {
    sql_ += column;
    if (clause.op == Op::in || clause.op == Op::not_in) {
        sql_.append(" ").append(name_of(clause.op)).append(" (");
        for (std::size_t i = 0; i < clause.list.size(); ++i) {
            sql_ += i == 0 ? "?" : ", ?";
            add(clause.list[i]);
        }
        sql_ += ")";
        return;
    }
    const bool like = clause.op == Op::like;
    sql_.append(like                     ? " GLOB ?"
                : clause.op == Op::ilike ? " LIKE ?"
                                         : " " + std::string(name_of(clause.op)) + " ?");
    add(like ? glob_of(clause.value) : clause.value);
}

void SqlCondition::append_number(std::string_view column, const Clause& clause) {
    sql_.append(column).append(" ").append(name_of(clause.op)).append(" ?");
    add(clause.number);
}

void SqlCondition::bind_to(Statement& statement) const {
    for (const Value& value : values_) {
        std::visit([&](const auto& v) { statement.bind(v); }, value);
    }
}

}  // namespace gyre::storage
