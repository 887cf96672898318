# Instrumentation of our own targets: sanitizers (NTH_SANITIZE) and line coverage (NTH_COVERAGE).
# An uninstrumented OpenMP runtime makes the thread sanitizer report every join as a race; the tsan
# preset takes clang, whose runtime tells it of joins through libarcher (CONTRIBUTING.md).
option(NTH_COVERAGE "Count executed lines (gcov)" OFF)
add_library(nth_sanitize INTERFACE)
if(NTH_SANITIZE)
  target_compile_options(nth_sanitize INTERFACE -fsanitize=${NTH_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
                         $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>) # its false alarms on instrumented code
  target_link_options(nth_sanitize INTERFACE -fsanitize=${NTH_SANITIZE})
endif()
if(NTH_SANITIZE MATCHES thread AND NTH_OPENMP)
  if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
    message(FATAL_ERROR "The thread sanitizer does not understand this compiler's OpenMP runtime: "
                        "take clang with libomp and libarcher, as the preset tsan does, or -DNTH_OPENMP=OFF")
  endif()
  find_library(NTH_ARCHER archer HINTS /usr/lib/llvm-14/lib REQUIRED)
  get_filename_component(archer_dir ${NTH_ARCHER} DIRECTORY)
  target_link_options(nth_sanitize INTERFACE LINKER:--no-as-needed ${NTH_ARCHER} LINKER:--as-needed
                      LINKER:-rpath,${archer_dir})
endif()
if(NTH_COVERAGE)
  target_compile_options(nth_sanitize INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(nth_sanitize INTERFACE --coverage)
endif()
