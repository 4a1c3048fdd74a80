// Adapter: the one place where Boost.Beast is compiled.
#include <boost/beast/src.hpp>
