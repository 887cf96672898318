/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * HDF5 files from opening to committing, and their provenance. Datasets and attributes are in
 * h5_data.c; no other file sees hdf5.h.
 *
 * Called by: everything that reads or writes a file, through nth/file.h; one thread at a time per
 * file. HDF5's own error printing is off on the calling thread; what it knows of the cause (a full
 * disk, a lock) is taken from its error stack into our one message.
 *
 * Kill safety: the metadata cache of a file under construction never evicts, so that the structure
 * on the disk changes in nth_file_flush alone; after a kill at any other time the file is as it was
 * at the last flush.
 */
#include "nth/file.h"
#include "alloc_priv.h"
#include "build_info_priv.h"
#include "fail_priv.h"
#include "h5_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Keeps the text between quotes after "error message = " of the innermost record that has one. */
static herr_t find_cause(unsigned n, const H5E_error2_t *e, void *ctx)
{
    char       *out = ctx;
    const char *at = e->desc != NULL ? strstr(e->desc, "error message = '") : NULL;
    (void)n;
    if (at != NULL && out[0] == '\0') {
        at += strlen("error message = '");
        snprintf(out, 128, "%.*s", (int)strcspn(at, "'"), at);
    }
    return 0;
}

/* ": No space left on device", or "" where HDF5 does not know. */
const char *nth_priv_h5_cause(void)
{
    static _Thread_local char text[132];
    char                      why[128] = "";
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, find_cause, why);
    snprintf(text, sizeof text, "%s%s", why[0] != '\0' ? ": " : "", why);
    return text;
}

const char *nth_priv_hdf5_version(void)
{
    static _Thread_local char text[32];
    unsigned                  major = 0, minor = 0, release = 0;
    (void)H5get_libversion(&major, &minor, &release);
    snprintf(text, sizeof text, "%u.%u.%u", major, minor, release);
    return text;
}

/* ---- Opening, creating, closing ---------------------------------------------------------------- */

static nth_status file_alloc(nth_file **out, const char *path, bool writable)
{
    nth_status st = NTH_OK;
    nth_file  *f = NULL;
    nth_priv_h5_quiet();
    NTH_REQUIRE(path != NULL && path[0] != '\0', NTH_E_ARG, "no file name");
    NTH_TRY(nth_priv_alloc(&f, 1, sizeof *f, "file"));
    *out = f; /* freed by the caller if what follows fails */
    f->id = -1;
    NTH_TRY(nth_priv_strdup(&f->path, path));
    if (writable) {
        const size_t size = strlen(path) + sizeof ".partial";
        NTH_TRY(nth_priv_alloc(&f->partial, (ptrdiff_t)size, 1, "file name"));
        snprintf(f->partial, size, "%s.partial", path);
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &f->opened);
done:
    return st;
}

static void file_free(nth_file **file)
{
    if (*file == NULL) return;
    if ((*file)->id >= 0) (void)H5Fclose((*file)->id);
    nth_priv_free((*file)->path);
    nth_priv_free((*file)->partial);
    nth_priv_free(*file);
    *file = NULL;
}

/* The file can be opened and read at all: what the system says is clearer than what HDF5 says. */
static nth_status check_readable(const char *path)
{
    nth_status  st = NTH_OK;
    struct stat s;
    const int   fd = open(path, O_RDONLY | O_NONBLOCK); /* a pipe without a writer would block */
    NTH_REQUIRE(fd >= 0, NTH_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
    NTH_REQUIRE(fstat(fd, &s) == 0 && !S_ISDIR(s.st_mode), NTH_E_IO, "%s: is a directory", path);
    NTH_REQUIRE(S_ISREG(s.st_mode), NTH_E_IO, "%s: is not a regular file", path);
done:
    if (fd >= 0) close(fd);
    return st;
}

/* Access properties: closing closes all; for writing, metadata goes to the disk in flushes only. */
static hid_t access_plist(bool writable)
{
    H5AC_cache_config_t mdc = { .version = H5AC__CURR_CACHE_CONFIG_VERSION };
    const hid_t         fapl = H5Pcreate(H5P_FILE_ACCESS);
    if (fapl < 0) return fapl;
    (void)H5Pset_fclose_degree(fapl, H5F_CLOSE_STRONG);
    if (writable && H5Pget_mdc_config(fapl, &mdc) >= 0) {
        mdc.evictions_enabled = 0;
        mdc.incr_mode = H5C_incr__off;
        mdc.flash_incr_mode = H5C_flash_incr__off;
        mdc.decr_mode = H5C_decr__off;
        (void)H5Pset_mdc_config(fapl, &mdc);
    }
    return fapl;
}

static nth_status open_existing(nth_file *f, bool writable)
{
    nth_status  st = NTH_OK;
    const char *path = nth_priv_h5_name(f);
    hid_t       fapl = -1;
    NTH_TRY(check_readable(path));
    NTH_REQUIRE(H5Fis_hdf5(path) > 0, NTH_E_FORMAT, "%s: not an HDF5 file", path);
    fapl = access_plist(writable);
    f->id = H5Fopen(path, writable ? H5F_ACC_RDWR : H5F_ACC_RDONLY, fapl);
    if (f->id < 0 && nth_priv_h5_cause()[0] != '\0') NTH_FAIL(NTH_E_IO, "%s: cannot be opened%s", path, nth_priv_h5_cause());
    NTH_REQUIRE(f->id >= 0, NTH_E_FORMAT, "%s: damaged or truncated HDF5 file", path);
done:
    if (fapl >= 0) H5Pclose(fapl);
    return st;
}

nth_status nth_file_open(nth_file **file, const char *path)
{
    nth_status st = NTH_OK;
    *file = NULL;
    NTH_TRY(file_alloc(file, path, false));
    NTH_TRY(open_existing(*file, false));
done:
    if (st != NTH_OK) file_free(file);
    return st;
}

/* ---- Provenance --------------------------------------------------------------------------------- */

/* Seconds so far, and the most memory this process has held. */
static nth_status write_usage(nth_file *f)
{
    nth_status      st = NTH_OK;
    struct timespec now;
    struct rusage   use;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    const double seconds = f->earlier + (double)(now.tv_sec - f->opened.tv_sec) +
                           1e-9 * (double)(now.tv_nsec - f->opened.tv_nsec);
    NTH_TRY(nth_file_set_double(f, "/", "duration", seconds));
    if (getrusage(RUSAGE_SELF, &use) == 0)
        NTH_TRY(nth_file_set_double(f, "/", "peak_memory", 1024.0 * (double)use.ru_maxrss)); /* kB on Linux */
done:
    return st;
}

static nth_status write_provenance(nth_file *f, const nth_provenance *prov)
{
    nth_status           st = NTH_OK;
    const nth_build_info b = nth_build_info_get();
    const time_t         now = time(NULL);
    struct tm            utc;
    char                 created[32] = "unknown";
    const int64_t        threads = prov->threads, dirty = b.git_dirty;
    const struct {
        const char *key, *value;
    } texts[] = { { "nth_version", b.version },     { "git_revision", b.git_revision },
                  { "blas", b.blas },               { "compiler", b.compiler },
                  { "compiler_flags", b.compiler_flags }, { "build_type", b.build_type },
                  { "gsl", b.gsl },                 { "hdf5", b.hdf5 },
                  { "onednn", b.onednn },
                  { "vector_math", b.vector_math }, { "cpu", b.cpu },
                  { "command_line", prov->command_line ? prov->command_line : "" },
                  { "config", prov->config ? prov->config : "{}" },
                  { "created", created },           { "status", "partial" } };
    if (gmtime_r(&now, &utc) != NULL) strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", &utc);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i)
        NTH_TRY(nth_file_set_string(f, "/", texts[i].key, texts[i].value));
    NTH_TRY(nth_file_set_ints(f, "/", "git_dirty", &dirty, 1));
    NTH_TRY(nth_file_set_ints(f, "/", "threads", &threads, 1));
    NTH_TRY(nth_priv_h5_set_seed(f, prov->seed));
    NTH_TRY(nth_file_set_double(f, "/", "start", (double)now));
    NTH_TRY(write_usage(f));
done:
    return st;
}

/* ---- Results: create, resume, flush, commit ------------------------------------------------------ */

/* The system lets us write there, and no other program does (HDF5 would truncate before it asks). */
static nth_status check_writable(const char *path)
{
    nth_status st = NTH_OK;
    const int  fd = open(path, O_RDWR | O_CREAT, 0666);
    NTH_REQUIRE(fd >= 0, NTH_E_IO, "%s: cannot be written: %s", path, strerror(errno));
    NTH_REQUIRE(flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK, NTH_E_IO,
                "%s: is being written by another program", path);
done:
    if (fd >= 0) close(fd);
    return st;
}

nth_status nth_file_create(nth_file **file, const char *path, const nth_provenance *prov)
{
    nth_status st = NTH_OK;
    hid_t      fapl = -1;
    *file = NULL;
    NTH_TRY(file_alloc(file, path, true));
    NTH_TRY(check_writable((*file)->partial));
    fapl = access_plist(true);
    (*file)->id = H5Fcreate((*file)->partial, H5F_ACC_TRUNC, H5P_DEFAULT, fapl);
    NTH_REQUIRE((*file)->id >= 0, NTH_E_IO, "%s: cannot be written%s", (*file)->partial, nth_priv_h5_cause());
    NTH_TRY(write_provenance(*file, prov));
    NTH_TRY(nth_file_flush(*file));
done:
    if (fapl >= 0) H5Pclose(fapl);
    if (st != NTH_OK && *file != NULL && (*file)->id >= 0) (void)unlink((*file)->partial); /* useless */
    if (st != NTH_OK) file_free(file);
    return st;
}

/* An opened partial file is of this configuration and this version: a file tells of one of each. */
static nth_status check_same_run(nth_file *f, const char *config)
{
    nth_status   st = NTH_OK;
    const size_t size = strlen(config) + 2;
    const char  *version = nth_build_info_get().version;
    char        *found = NULL, text[64] = "";
    NTH_TRY(nth_priv_alloc(&found, (ptrdiff_t)size, 1, "configuration"));
    st = nth_file_get_string(f, "/", "config", found, size);
    if (st == NTH_E_NOMEM) goto done;
    NTH_REQUIRE(st == NTH_OK || st == NTH_E_RANGE, NTH_E_FORMAT,
                "%s: left by an interrupted run, but without its configuration; remove it or choose "
                "another --out", nth_priv_h5_name(f));
    NTH_REQUIRE(st == NTH_OK && strcmp(found, config) == 0, NTH_E_FORMAT,
                "%s: left by an interrupted run with another configuration; remove it or choose "
                "another --out", nth_priv_h5_name(f));
    st = nth_file_get_string(f, "/", "nth_version", text, sizeof text);
    if (st == NTH_E_NOMEM) goto done;
    NTH_REQUIRE(st == NTH_OK && strcmp(text, version) == 0, NTH_E_FORMAT,
                "%s: left by an interrupted run of nth %s, this is %s; remove it or choose another --out",
                nth_priv_h5_name(f), text, version);
done:
    nth_priv_free(found);
    return st;
}

static nth_status count_resumption(nth_file *f)
{
    int64_t   times = 0;
    ptrdiff_t one = 1;
    if (nth_file_get_ints(f, "/", "resumed", &times, &one) != NTH_OK) times = 0;
    ++times;
    return nth_file_set_ints(f, "/", "resumed", &times, 1);
}

nth_status nth_file_resume(nth_file **file, const char *path, const nth_provenance *prov, bool *resumed)
{
    nth_status st = NTH_OK;
    *file = NULL;
    *resumed = false;
    NTH_TRY(file_alloc(file, path, true));
    if (access((*file)->partial, F_OK) != 0) {
        file_free(file);
        return nth_file_create(file, path, prov);
    }
    NTH_TRY(check_writable((*file)->partial));
    st = open_existing(*file, true);
    NTH_REQUIRE(st != NTH_E_FORMAT, NTH_E_FORMAT,
                "%s: left by an interrupted run and damaged; remove it or choose another --out",
                (*file)->partial);
    if (st != NTH_OK) goto done;
    NTH_TRY(check_same_run(*file, prov->config ? prov->config : "{}"));
    if (nth_file_get_double(*file, "/", "duration", &(*file)->earlier) != NTH_OK) (*file)->earlier = 0.0;
    NTH_TRY(count_resumption(*file));
    *resumed = true;
done:
    if (st != NTH_OK) file_free(file);
    return st;
}

/* What the system has of the file goes to the disk; a system that cannot sync is no failure. */
static nth_status sync_path(const char *path)
{
    nth_status st = NTH_OK;
    const int  fd = open(path, O_RDONLY);
    if (fd < 0) return NTH_OK;
    NTH_REQUIRE(fsync(fd) == 0 || errno == EINVAL || errno == EROFS, NTH_E_IO, "%s: cannot be written: %s", path,
                strerror(errno));
done:
    close(fd);
    return st;
}

nth_status nth_file_flush(nth_file *file)
{
    nth_status st = NTH_OK;
    nth_priv_h5_quiet();
    NTH_REQUIRE(file->partial != NULL, NTH_E_ARG, "%s: opened to read only", file->path);
    NTH_TRY(write_usage(file));
    NTH_REQUIRE(H5Fflush(file->id, H5F_SCOPE_GLOBAL) >= 0, NTH_E_IO, "%s: cannot be written%s",
                file->partial, nth_priv_h5_cause());
    NTH_TRY(sync_path(file->partial));
done:
    return st;
}

nth_status nth_file_commit(nth_file **file)
{
    nth_status st = NTH_OK;
    nth_file  *f = *file;
    char      *slash = NULL;
    NTH_REQUIRE(f->partial != NULL, NTH_E_ARG, "%s: opened to read only", f->path);
    NTH_TRY(nth_file_set_string(f, "/", "status", "complete"));
    NTH_TRY(nth_file_flush(f));
    const herr_t closed = H5Fclose(f->id);
    f->id = -1;
    NTH_REQUIRE(closed >= 0, NTH_E_IO, "%s: cannot be written%s", f->partial, nth_priv_h5_cause());
    NTH_TRY(sync_path(f->partial));
    NTH_REQUIRE(rename(f->partial, f->path) == 0, NTH_E_IO, "%s: cannot be renamed to %s: %s",
                f->partial, f->path, strerror(errno));
    slash = strrchr(f->path, '/');
    if (slash != NULL) slash[slash == f->path] = '\0';
    (void)sync_path(slash != NULL ? f->path : "."); /* the directory entry; the data are safe */
done:
    file_free(file);
    return st;
}

void nth_file_close(nth_file **file)
{
    if (file == NULL || *file == NULL) return;
    nth_priv_h5_quiet();
    if ((*file)->partial != NULL) (void)!nth_file_flush(*file);
    file_free(file);
}

