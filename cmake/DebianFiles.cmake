# Run by cpack on the tree that goes into the Debian package: what Debian's policy wants compressed, or under another name.
file(GLOB staged LIST_DIRECTORIES true "${CPACK_TEMPORARY_INSTALL_DIRECTORY}")
file(GLOB_RECURSE pages "${staged}/usr/share/man/*.1")
set(doc "${staged}/usr/share/doc/nth")
file(RENAME "${doc}/CHANGELOG.md" "${doc}/changelog")
file(REMOVE "${doc}/LICENSE") # its text is in every Debian system
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE "${doc}/changelog.Debian"
     "nth (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium\n\n"
     "  * Packaged by cpack; changelog.gz tells what changed in nth.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${now}\n")
execute_process(COMMAND gzip -9n ${pages} "${doc}/changelog" "${doc}/changelog.Debian" COMMAND_ERROR_IS_FATAL ANY)
