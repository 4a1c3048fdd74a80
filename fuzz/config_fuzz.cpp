// YAML and JSON documents from anybody never crash, and what is read can be written and read again.
#include <cstdlib>

#include "base/config.h"
#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (auto json = gyre::parse_json(text)) {
        auto again = gyre::parse_json(json->dump());
        if (!again || again->dump() != json->dump()) {
            std::abort();
        }
    }
    static_cast<void>(gyre::parse_yaml(text));
    return 0;
}
