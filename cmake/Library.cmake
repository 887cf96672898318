# What users link: libnth.so, and libnth.a of the same objects. Installing is in Install.cmake.
set_target_properties(nth PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0 LINKER_LANGUAGE C
                      C_VISIBILITY_PRESET hidden)
target_include_directories(nth PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(nth PRIVATE nth_openmp $<BUILD_INTERFACE:nth_sanitize> m)

option(NTH_STATIC "Build and install libnth.a, too" ${PROJECT_IS_TOP_LEVEL})
if(NTH_STATIC)
  get_target_property(nth_objects nth SOURCES)
  add_library(nth_static STATIC ${nth_objects})
  set_target_properties(nth_static PROPERTIES OUTPUT_NAME nth LINKER_LANGUAGE C)
endif()
