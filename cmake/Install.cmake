# What is installed: the library with its headers, the files by which CMake (find_package(nth)) and
# pkg-config find it, the tool with its manual pages and completions, licence and documentation; and the Debian package.
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

# Manual pages are made from the documents, completions from the table of options, by the tool itself.
set(manpages ${PROJECT_BINARY_DIR}/man)
file(STRINGS ${PROJECT_SOURCE_DIR}/docs/options.md commands REGEX "^## nth ")
list(TRANSFORM commands REPLACE "^## nth (.*)$" "${manpages}/nth-\\1.1")
add_custom_command(OUTPUT ${manpages}/nth.1 ${commands}
  COMMAND ${PROJECT_SOURCE_DIR}/scripts/manpages ${manpages} ${PROJECT_VERSION}
  DEPENDS ${PROJECT_SOURCE_DIR}/scripts/manpages ${PROJECT_SOURCE_DIR}/scripts/man.awk
          ${PROJECT_SOURCE_DIR}/cli/nth.1.md ${PROJECT_SOURCE_DIR}/docs/options.md VERBATIM)
add_custom_target(man ALL DEPENDS ${manpages}/nth.1 ${commands})
install(FILES ${manpages}/nth.1 ${commands} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
if(TARGET nth_cli AND NOT CMAKE_CROSSCOMPILING)
  set(completion ${PROJECT_BINARY_DIR}/completion)
  file(MAKE_DIRECTORY ${completion})
  add_custom_command(OUTPUT ${completion}/nth ${completion}/_nth
    COMMAND $<TARGET_FILE:nth_cli> info --completion bash > ${completion}/nth
    COMMAND $<TARGET_FILE:nth_cli> info --completion zsh > ${completion}/_nth
    DEPENDS nth_cli VERBATIM)
  add_custom_target(completion ALL DEPENDS ${completion}/nth ${completion}/_nth)
  install(FILES ${completion}/nth DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${completion}/_nth DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  if(EXISTS /etc/debian_version) # below /usr Debian's zsh looks here
    install(FILES ${completion}/_nth DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
  endif()
endif()

foreach(file README.md CHANGELOG.md CITATION.cff LICENSE)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${file})
    install(FILES ${PROJECT_SOURCE_DIR}/${file} DESTINATION ${CMAKE_INSTALL_DOCDIR})
  endif()
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/cmake/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}
        FILES_MATCHING PATTERN "*.md" PATTERN "adr" EXCLUDE)

# cpack -G DEB in the build folder: one package with library, headers and tool; what it depends on is asked of
# dpkg-shlibdeps.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME nth)
# Who answers for a package is who builds it: DEBFULLNAME and DEBEMAIL, as for Debian's own tools.
set(packager "The nth contributors <nth@localhost>")
if(DEFINED ENV{DEBEMAIL})
  set(packager "The nth contributors <$ENV{DEBEMAIL}>")
  if(DEFINED ENV{DEBFULLNAME})
    set(packager "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
  endif()
endif()
set(NTH_PACKAGE_CONTACT "${packager}" CACHE STRING "Maintainer field of the Debian package")
set(CPACK_PACKAGE_CONTACT "${NTH_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/DebianFiles.cmake)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "The library libnth and the tool nth compute with finite-width neural networks
under gradient flow: tangent kernels, the neural tangent hierarchy, label-aware
kernels, and the error rates which theory predicts for them.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR})
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
include(CPack)
