# Run by cpack on the tree that goes into the Debian package: what Debian's policy wants compressed, or under another name.
file(GLOB staged LIST_DIRECTORIES true "${CPACK_TEMPORARY_INSTALL_DIRECTORY}")
file(GLOB_RECURSE pages "${staged}/usr/share/man/*.1")
set(doc "${staged}/usr/share/doc/nth")
file(RENAME "${doc}/CHANGELOG.md" "${doc}/changelog")
file(REMOVE "${doc}/LICENSE") # its text is in every Debian system
execute_process(COMMAND gzip -9n ${pages} "${doc}/changelog" COMMAND_ERROR_IS_FATAL ANY)
