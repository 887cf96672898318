/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writes an HDF5 file the way other programs do: integers and float32, fixed and variable strings,
 * compounds, a group where a dataset is looked for. The only test file that sees hdf5.h.
 */
#include "h5_foreign.h"

#include <hdf5.h>
#include <stddef.h>

static int numbers(hid_t file, const char *name, hid_t type, hid_t memory, int rank, const hsize_t *dims,
                   const void *data)
{
    const hid_t space = H5Screate_simple(rank, dims, NULL);
    const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const int   bad = set < 0 || (data != NULL && H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0);
    if (set >= 0) H5Dclose(set);
    H5Sclose(space);
    return bad;
}

static int text(hid_t file, const char *key, const char *value, size_t size, H5T_str_t padding)
{
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, size == 0 ? H5T_VARIABLE : size);
    H5Tset_strpad(type, padding);
    const hid_t attr = H5Acreate2(file, key, type, space, H5P_DEFAULT, H5P_DEFAULT);
    const int   bad = attr < 0 || H5Awrite(attr, type, size == 0 ? (const void *)&value : value) < 0;
    if (attr >= 0) H5Aclose(attr);
    H5Sclose(space);
    H5Tclose(type);
    return bad;
}

int nth_test_foreign_file(const char *path)
{
    static const int   ints[6] = { 1, -2, 3, -4, 5, -6 };
    static const float floats[4] = { 0.5f, 1.5f, -2.25f, 8.0f };
    const hsize_t      six[2] = { 3, 2 }, four[1] = { 4 }, deep[6] = { 1, 1, 1, 1, 1, 2 }, none[1] = { 0 };
    const hsize_t      huge[3] = { 1u << 30, 1u << 30, 1u << 30 };
    const long long    widths[3] = { 6, 16, 1 };
    int                bad = 0;
    (void)H5dont_atexit(); /* as nth does: see h5_priv.h */
    const hid_t        file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (file < 0) return 1;
    bad |= numbers(file, "ints", H5T_STD_I16BE, H5T_NATIVE_INT, 2, six, ints);
    bad |= numbers(file, "floats", H5T_IEEE_F32BE, H5T_NATIVE_FLOAT, 1, four, floats);
    bad |= numbers(file, "deep", H5T_IEEE_F64LE, H5T_NATIVE_INT, 6, deep, ints);
    bad |= numbers(file, "none", H5T_IEEE_F64LE, H5T_NATIVE_INT, 1, none, NULL);
    bad |= numbers(file, "huge", H5T_IEEE_F64LE, H5T_NATIVE_INT, 3, huge, NULL);
    const hid_t pair = H5Tcreate(H5T_COMPOUND, 16);
    H5Tinsert(pair, "re", 0, H5T_NATIVE_DOUBLE);
    H5Tinsert(pair, "im", 8, H5T_NATIVE_DOUBLE);
    bad |= numbers(file, "complex", pair, pair, 1, four, NULL);
    H5Tclose(pair);
    H5Gclose(H5Gcreate2(file, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    bad |= H5Lcreate_soft("/nowhere", file, "dangling", H5P_DEFAULT, H5P_DEFAULT) < 0;
    bad |= text(file, "variable", "tanh", 0, H5T_STR_NULLTERM);
    bad |= text(file, "fixed", "tanh", 4, H5T_STR_NULLPAD);
    bad |= text(file, "padded", "tanh   ", 7, H5T_STR_SPACEPAD);
    bad |= text(file, "full", NTH_TEST_FULL_TEXT, 64, H5T_STR_NULLPAD); /* no NUL in the file */
    const hid_t space = H5Screate_simple(1, (hsize_t[]){ 3 }, NULL);
    const hid_t attr = H5Acreate2(file, "widths", H5T_STD_I64BE, space, H5P_DEFAULT, H5P_DEFAULT);
    bad |= H5Awrite(attr, H5T_NATIVE_LLONG, widths) < 0;
    H5Aclose(attr);
    H5Sclose(space);
    return (H5Fclose(file) < 0) | bad;
}
