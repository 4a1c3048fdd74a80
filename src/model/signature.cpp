#include "model/signature.h"

namespace gyre::model {

std::size_t Signature::index_of(std::string_view name) const {
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].name == name) {
            return i;
        }
    }
    return columns.size();
}

}  // namespace gyre::model
