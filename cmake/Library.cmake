# What users link and install.
set_target_properties(nth PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0 LINKER_LANGUAGE C
                      C_VISIBILITY_PRESET hidden)
target_include_directories(nth PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(nth PRIVATE nth_openmp $<BUILD_INTERFACE:nth_sanitize> m)
