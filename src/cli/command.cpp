#include "cli/command.h"

#include <cstdio>

namespace gyre::cli {

int report(const Error& error, const Globals& globals) {
    if (globals.json) {
        const Json document = Json::object({{"code", name_of(error.code())}, {"message", error.message()}});
        std::fprintf(stderr, "%s\n", document.dump().c_str());
    } else {
        std::fprintf(stderr, "gyre: %s\n", error.message().c_str());
    }
    return info_of(error.code()).exit_code;
}

void print_json(const Json& document) {
    std::printf("%s\n", document.pretty().c_str());
}

}  // namespace gyre::cli
