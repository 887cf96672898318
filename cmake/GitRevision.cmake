# Writes OUT (nth_revision.h) with the revision of SOURCE, only when it changes, so that an
# unchanged tree rebuilds nothing. Run at each build: cmake -DSOURCE=. -DOUT=... -P GitRevision.cmake
# Outside a checkout of its own (a tarball, a copy inside another repository): "unknown".
set(revision unknown)
set(dirty 0)
find_program(git git)
if(git)
  execute_process(COMMAND ${git} -C ${SOURCE} rev-parse --show-toplevel
                  OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  file(REAL_PATH "${SOURCE}" here)
  if(top STREQUAL here)
    execute_process(COMMAND ${git} -C ${SOURCE} rev-parse HEAD RESULT_VARIABLE failed
                    OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    execute_process(COMMAND ${git} --no-optional-locks -C ${SOURCE} status --porcelain --untracked-files=no
                    OUTPUT_VARIABLE changes ERROR_QUIET)
    if(failed EQUAL 0)
      set(revision ${head})
      if(NOT changes STREQUAL "")
        set(dirty 1)
      endif()
    endif()
  endif()
endif()
set(text "#define NTH_GIT_REVISION \"${revision}\"\n#define NTH_GIT_DIRTY ${dirty}\n")
set(old "")
if(EXISTS "${OUT}")
  file(READ "${OUT}" old)
endif()
if(NOT text STREQUAL old)
  file(WRITE "${OUT}" "${text}")
endif()
