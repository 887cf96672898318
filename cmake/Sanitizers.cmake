# Instrumentation of our own targets: sanitizers (NTH_SANITIZE) and line coverage (NTH_COVERAGE).
# An uninstrumented OpenMP runtime makes the thread sanitizer report every join as a race; the tsan
# preset takes clang, whose runtime tells it of joins through libarcher (CONTRIBUTING.md).
option(NTH_COVERAGE "Count executed lines (gcov)" OFF)
add_library(nth_sanitize INTERFACE)
if(NTH_SANITIZE)
  target_compile_options(nth_sanitize INTERFACE -fsanitize=${NTH_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(nth_sanitize INTERFACE -fsanitize=${NTH_SANITIZE})
endif()
if(NTH_COVERAGE)
  target_compile_options(nth_sanitize INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(nth_sanitize INTERFACE --coverage)
endif()
