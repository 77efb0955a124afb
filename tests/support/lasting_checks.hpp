#pragma once

/// CAF's checks of two values bind references to both before they compare them: what a temporary points to is gone
/// by then (`CAF_CHECK_EQUAL(find(x)->size, 3u)`). Here both expressions are arguments of one call, so that their
/// temporaries live until the comparison has been made and printed. Included before every test's own text.

#include <caf/test/unit_test.hpp>

#undef CAF_SUITE // each test names its own
#undef CAF_CHECK_FUNC
#undef CAF_REQUIRE_FUNC

#define CAF_CHECK_FUNC(func, x_expr, y_expr)                                                                          \
  do {                                                                                                                \
    static_cast<void>([](auto&& x_value, auto&& y_value) {                                                            \
      func comparator;                                                                                                \
      return ::caf::test::detail::check(::caf::test::engine::current_test(), __FILE__, __LINE__,                      \
                                        CAF_FUNC_EXPR(func, x_expr, y_expr), false, comparator(x_value, y_value),     \
                                        x_value, y_value);                                                            \
    }(x_expr, y_expr));                                                                                               \
    ::caf::test::engine::last_check_file(__FILE__);                                                                   \
    ::caf::test::engine::last_check_line(__LINE__);                                                                   \
  } while (false)

#define CAF_REQUIRE_FUNC(func, x_expr, y_expr)                                                                        \
  do {                                                                                                                \
    const bool check_outcome = [](auto&& x_value, auto&& y_value) {                                                            \
      func comparator;                                                                                                \
      return ::caf::test::detail::check(::caf::test::engine::current_test(), __FILE__, __LINE__,                      \
                                        CAF_FUNC_EXPR(func, x_expr, y_expr), false, comparator(x_value, y_value),     \
                                        x_value, y_value);                                                            \
    }(x_expr, y_expr);                                                                                                \
    if (!check_outcome) ::caf::test::detail::requirement_failed(CAF_FUNC_EXPR(func, x_expr, y_expr));                          \
    ::caf::test::engine::last_check_file(__FILE__);                                                                   \
    ::caf::test::engine::last_check_line(__LINE__);                                                                   \
  } while (false)
