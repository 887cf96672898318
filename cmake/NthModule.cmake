# One target per folder; its link line is the arrow of the house (README.md, map).
#   nth_module(ntk SOURCES kernel.c DEPENDS nn [EXTERNAL PkgConfig::X])
function(nth_module name)
  cmake_parse_arguments(PARSE_ARGV 1 M "" "" "SOURCES;DEPENDS;EXTERNAL")
  list(TRANSFORM M_DEPENDS PREPEND nth_)
  add_library(nth_${name} STATIC ${M_SOURCES})
  target_include_directories(nth_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(nth_${name} PUBLIC ${M_DEPENDS}
                        PRIVATE nth_warnings nth_sanitize nth_openmp ${M_EXTERNAL})
  target_compile_definitions(nth_${name} PRIVATE _POSIX_C_SOURCE=200809L)
  set_target_properties(nth_${name} PROPERTIES C_STANDARD 17 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
                        C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
  target_sources(nth PRIVATE $<TARGET_OBJECTS:nth_${name}>)
  target_link_libraries(nth PRIVATE ${M_EXTERNAL})
endfunction()
