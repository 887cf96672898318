/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The folder of a report (report.h). DIR/files.txt lists what a report wrote. A folder that is not empty and has no such
 * list is refused; with it the files listed are removed first, and others are left alone: a name that is taken is an error.
 */
#include "report.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char LIST[] = "files.txt", FIRST_LINE[] = "Files of a report by nth; the next report into this folder replaces them.\n";

enum { MAX_PATH = 4096, MAX_LINE = 512 };

static nth_status path_of(report *r, char *out, const char *name)
{
    const int n = snprintf(out, MAX_PATH, "%s/%s", r->dir, name);
    return n > 0 && n < MAX_PATH ? NTH_OK : cli_fail(r->c, NTH_E_IO, "%s/%s: the name is too long", r->dir, name);
}

/* Removes the files that an earlier report lists, the list last. False if there is no such list. */
static nth_status remove_earlier(report *r, bool *ours)
{
    nth_status st = NTH_OK;
    char       path[MAX_PATH], line[MAX_LINE];
    FILE      *f = NULL;
    CLI_TRY(path_of(r, path, LIST));
    f = fopen(path, "r");
    *ours = f != NULL && fgets(line, sizeof line, f) != NULL && strcmp(line, FIRST_LINE) == 0;
    while (*ours && fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '\0' || line[0] == '.' || strchr(line, '/') != NULL) continue; /* none of ours */
        CLI_TRY(path_of(r, path, line));
        if (unlink(path) != 0 && errno != ENOENT) CLI_TRY(cli_fail(r->c, NTH_E_IO, "%s: cannot be replaced: %s", path, strerror(errno)));
    }
    CLI_TRY(path_of(r, path, LIST));
    if (*ours) (void)unlink(path);
done:
    if (f != NULL) fclose(f);
    return st;
}

static nth_status check_empty(report *r)
{
    DIR           *d = opendir(r->dir);
    struct dirent *e;
    nth_status     st = NTH_OK;
    if (d == NULL) return cli_fail(r->c, NTH_E_IO, "%s: cannot be opened: %s", r->dir, strerror(errno));
    while (st == NTH_OK && (e = readdir(d)) != NULL)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            st = cli_fail(r->c, NTH_E_IO, "%s: holds %s, and no report; a new or empty folder, or that of an earlier report, is expected",
                          r->dir, e->d_name);
    closedir(d);
    return st;
}

nth_status report_folder_open(report *r)
{
    nth_status  st = NTH_OK;
    struct stat s;
    bool        ours = false;
    if (mkdir(r->dir, 0777) != 0) {
        if (errno != EEXIST) return cli_fail(r->c, NTH_E_IO, "%s: cannot be made: %s", r->dir, strerror(errno));
        if (stat(r->dir, &s) != 0 || !S_ISDIR(s.st_mode)) return cli_fail(r->c, NTH_E_IO, "%s: is not a folder", r->dir);
        CLI_TRY(remove_earlier(r, &ours));
        if (!ours) CLI_TRY(check_empty(r));
    }
    CLI_TRY(report_create(r, &r->manifest, LIST));
    fputs(FIRST_LINE, r->manifest);
done:
    return st;
}

void report_folder_close(report *r)
{
    if (r->manifest != NULL) fclose(r->manifest);
    if (r->body != NULL) fclose(r->body);
    free(r->body_text);
    for (ptrdiff_t i = 0; i < r->names; ++i) free(r->name[i]);
    free(r->name);
    r->manifest = r->body = NULL, r->body_text = NULL, r->name = NULL, r->names = 0;
}

nth_status report_note_name(report *r, const char *name)
{
    if (r->names == r->room) {
        const ptrdiff_t room = 2 * r->room + 64;
        char          **more = realloc(r->name, (size_t)room * sizeof *more);
        if (more == NULL) return cli_fail(r->c, NTH_E_NOMEM, "out of memory");
        r->name = more, r->room = room;
    }
    r->name[r->names] = strdup(name);
    if (r->name[r->names] == NULL) return cli_fail(r->c, NTH_E_NOMEM, "out of memory");
    ++r->names;
    if (r->manifest == NULL) return NTH_OK;
    fprintf(r->manifest, "%s\n", name);
    return fflush(r->manifest) == 0 ? NTH_OK : cli_fail(r->c, NTH_E_IO, "%s/%s: %s", r->dir, LIST, strerror(errno));
}

nth_status report_create(report *r, FILE **f, const char *name)
{
    nth_status st = NTH_OK;
    char       path[MAX_PATH];
    CLI_TRY(path_of(r, path, name));
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (fd < 0)
        return cli_fail(r->c, NTH_E_IO, errno == EEXIST ? "%s: is there, and not from a report: %s" : "%s: cannot be written: %s", path,
                        strerror(errno));
    *f = fdopen(fd, "w");
    if (*f == NULL) {
        close(fd);
        return cli_fail(r->c, NTH_E_IO, "%s: cannot be written: %s", path, strerror(errno));
    }
    if (strcmp(name, LIST) != 0) CLI_TRY(report_note_name(r, name));
done:
    return st;
}

nth_status report_close_file(report *r, FILE **f, const char *name)
{
    FILE      *file = *f;
    const bool bad = file == NULL || ferror(file) != 0;
    *f = NULL;
    if (file == NULL) return NTH_OK;
    return fclose(file) == 0 && !bad ? NTH_OK : cli_fail(r->c, NTH_E_IO, "%s/%s: cannot be written: %s", r->dir, name, strerror(errno));
}

/* Some file of the report is NAME with an ending. */
static bool taken(const report *r, const char *name)
{
    const size_t length = strlen(name);
    for (ptrdiff_t i = 0; i < r->names; ++i)
        if (strncmp(r->name[i], name, length) == 0 && r->name[i][length] == '.') return true;
    return false;
}

void report_slug(const report *r, char *out, size_t size, const char *text)
{
    char   base[64];
    size_t used = 0;
    for (; *text != '\0' && used + 1 < sizeof base; ++text) {
        if (isalnum((unsigned char)*text) || *text == '_' || *text == '-') base[used++] = *text;
        else if (used > 0 && base[used - 1] != '-') base[used++] = '-';
    }
    while (used > 0 && base[used - 1] == '-') --used;
    base[used] = '\0';
    if (r->section > 0) snprintf(out, size, "%d-%s", r->section, base);
    else snprintf(out, size, "all-%s", base);
    for (int k = 2; taken(r, out); ++k) {
        if (r->section > 0) snprintf(out, size, "%d-%s-%d", r->section, base, k);
        else snprintf(out, size, "all-%s-%d", base, k);
    }
}
