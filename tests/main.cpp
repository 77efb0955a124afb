// The main() of every test program: CAF's own test runner.
#define CAF_SUITE troupe
#include <caf/test/unit_test.hpp>
#include <caf/test/unit_test_impl.hpp>
