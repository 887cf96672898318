# What is installed: the library with its headers, the files by which CMake (find_package(nth)) and
# pkg-config find it, the tool, licence and documentation.
include(CMakePackageConfigHelpers)
option(NTH_INSTALL "Install nth" ${PROJECT_IS_TOP_LEVEL})
if(NOT NTH_INSTALL)
  return()
endif()

install(TARGETS nth EXPORT nthTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET nth_static)
  install(TARGETS nth_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
if(TARGET nth_cli)
  file(RELATIVE_PATH to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(nth_cli PROPERTIES INSTALL_RPATH "$ORIGIN/${to_lib}")
  install(TARGETS nth_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/nth DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*.def")

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/nth)
configure_package_config_file(cmake/nthConfig.cmake.in ${PROJECT_BINARY_DIR}/nthConfig.cmake
                              INSTALL_DESTINATION ${config_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/nthConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT nthTargets NAMESPACE nth:: DESTINATION ${config_dir})
install(FILES ${PROJECT_BINARY_DIR}/nthConfig.cmake ${PROJECT_BINARY_DIR}/nthConfigVersion.cmake
        DESTINATION ${config_dir})

# nth.pc finds its prefix from its own place, so that a staged or moved tree works.
file(RELATIVE_PATH NTH_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" NTH_PC_PREFIX "${NTH_PC_PREFIX}")
set(NTH_PC_OPENMP "")
if(OpenMP_C_FOUND)
  set(NTH_PC_OPENMP "${OpenMP_C_FLAGS}")
endif()
set(NTH_PC_ONEDNN "")
if(NTH_HAVE_ONEDNN)
  set(NTH_PC_ONEDNN "-ldnnl")
endif()
configure_file(cmake/nth.pc.in ${PROJECT_BINARY_DIR}/nth.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/nth.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

foreach(file README.md CHANGELOG.md CITATION.cff LICENSE)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${file})
    install(FILES ${PROJECT_SOURCE_DIR}/${file} DESTINATION ${CMAKE_INSTALL_DOCDIR})
  endif()
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}
        FILES_MATCHING PATTERN "*.md" PATTERN "adr" EXCLUDE)
