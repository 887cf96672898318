/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The tiny data files: contents are formulas of the record's number, so a test knows each value.
 */
#include "data_fixture.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CIFAR_RECORD = 3073, PATH_ROOM = 1024 };

static char folder[256];

void nth_fixture_begin(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/nth-data-XXXXXX", tmp != NULL && tmp[0] != '\0' ? tmp : "/tmp");
    if (mkdtemp(folder) == NULL) perror(folder), exit(1);
}

static void remove_tree(const char *path)
{
    char           inner[2 * PATH_ROOM];
    DIR           *dir = opendir(path);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        remove_tree(inner);
    }
    if (dir != NULL) closedir(dir);
    remove(path);
}

void nth_fixture_end(void) { remove_tree(folder); }

const char *nth_fixture_spec(const char *before, const char *name, const char *after)
{
    static char     text[32][PATH_ROOM];
    static unsigned turn;
    char           *out = text[turn++ % 32];
    snprintf(out, PATH_ROOM, "%s%s/%s%s", before, folder, name, after);
    return out;
}

const char *nth_fixture_path(const char *name) { return nth_fixture_spec("", name, ""); }

void nth_fixture_write(const char *name, const void *bytes, size_t size)
{
    const char *path = nth_fixture_path(name);
    FILE       *f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, size, f) != size || fclose(f) != 0) perror(path), exit(1);
}

void nth_fixture_text(const char *name, const char *text) { nth_fixture_write(name, text, strlen(text)); }

void nth_fixture_cifar(void)
{
    static uint8_t batch[20][CIFAR_RECORD];
    char           name[64];
    mkdir(nth_fixture_path("cifar"), 0700);
    for (int b = 0; b < 6; ++b) {
        for (int r = 0; r < 20; ++r) {
            const int i = b < 5 ? 20 * b + r : r;
            batch[r][0] = (uint8_t)(b < 5 ? i % 10 : (i + 3) % 10);
            for (int j = 0; j < CIFAR_RECORD - 1; ++j) batch[r][1 + j] = (uint8_t)((b < 5 ? 7 * i + j : 11 * i + j) % 256);
        }
        if (b < 5) snprintf(name, sizeof name, "cifar/data_batch_%d.bin", b + 1);
        else snprintf(name, sizeof name, "cifar/test_batch.bin");
        nth_fixture_write(name, batch, sizeof batch);
    }
}

static void write_idx(const char *part, int count)
{
    static uint8_t images[16 + 50 * 6], labels[8 + 50];
    char           name[64];
    memcpy(images, (const uint8_t[16]){ 0, 0, 8, 3, 0, 0, 0, (uint8_t)count, 0, 0, 0, 3, 0, 0, 0, 2 }, 16);
    memcpy(labels, (const uint8_t[8]){ 0, 0, 8, 1, 0, 0, 0, (uint8_t)count }, 8);
    for (int i = 0; i < count; ++i) {
        labels[8 + i] = (uint8_t)(i % 10);
        for (int j = 0; j < 6; ++j) images[16 + 6 * i + j] = (uint8_t)((5 * i + j) % 256);
    }
    snprintf(name, sizeof name, "mnist/%s-images-idx3-ubyte", part);
    nth_fixture_write(name, images, (size_t)(16 + 6 * count));
    snprintf(name, sizeof name, "mnist/%s-labels-idx1-ubyte", part);
    nth_fixture_write(name, labels, (size_t)(8 + count));
}

void nth_fixture_mnist(void)
{
    mkdir(nth_fixture_path("mnist"), 0700);
    write_idx("train", 50);
    write_idx("t10k", 20);
}

void nth_fixture_uci(void)
{
    char   rows[512];
    size_t used = (size_t)snprintf(rows, sizeof rows, "\tf1\tf2\tclase\n");
    mkdir(nth_fixture_path("uci"), 0700);
    mkdir(nth_fixture_path("uci/tiny"), 0700);
    nth_fixture_text("uci/tiny/tiny.txt", "n_entradas= 2\nn_clases= 3\nn_arquivos= 1\nfich1= tiny_R.dat\n"
                                          "n_patrons1= 8\nn_patrons_entrena= 4\nn_patrons_valida= 4\n");
    for (int i = 0; i < 8; ++i)
        used += (size_t)snprintf(rows + used, sizeof rows - used, "%d\t%d.0\t-%d.0\t%d\n", i + 1, i, i, i % 3);
    nth_fixture_text("uci/tiny/tiny_R.dat", rows);
    nth_fixture_text("uci/tiny/conxuntos.dat", "7 0 3 2 \n1 4 5 6\n");
    nth_fixture_text("uci/tiny/conxuntos_kfold.dat", "0 1 2 3 4 5\n6 7\n2 3 4 5 6 7\n0 1\n0 1 4 5 6 7\n2 3\n0 1 2 3 6 7\n4 5\n");
}
