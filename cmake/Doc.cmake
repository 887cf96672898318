# cmake -DDOXYGEN=.. -DSOURCE=.. -DOUT=.. -P Doc.cmake: runs doxygen on docs/Doxyfile, writing to OUT; fails on a warning.
file(READ ${SOURCE}/docs/Doxyfile doxyfile)
file(MAKE_DIRECTORY ${OUT})
file(WRITE ${OUT}/Doxyfile "${doxyfile}\nOUTPUT_DIRECTORY = ${OUT}\n")
execute_process(COMMAND ${DOXYGEN} ${OUT}/Doxyfile WORKING_DIRECTORY ${SOURCE} RESULT_VARIABLE status ERROR_VARIABLE warnings)
if(NOT status EQUAL 0 OR NOT warnings STREQUAL "")
  message(FATAL_ERROR "${warnings}doxygen: status ${status}, warnings above")
endif()
message(STATUS "API reference: ${OUT}/html/index.html")
