/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Preprocessing options as text: one table of keys for setting them and for recording them.
 */
#include "alloc_priv.h"
#include "data_priv.h"
#include "fail_priv.h"

#include <string.h>

static const char *const keys[] = { "pixels",    "centre", "project", "project-seed",
                                    "unit-norm", "bias",   NULL };
static const char *const pixel_names[] = { "default", "signed", "unit", "raw", NULL }; /* as the enum */

static nth_status set_flag(bool *flag, const char *key, const char *value)
{
    nth_status st = NTH_OK;
    const bool yes = strcmp(value, "yes") == 0;
    NTH_REQUIRE(yes || strcmp(value, "no") == 0, NTH_E_ARG, "%s=%s; must be yes or no", key, value);
    *flag = yes;
done:
    return st;
}

static nth_status set_pixels(nth_pixels *pixels, const char *value)
{
    nth_status st = NTH_OK;
    int        i = 0;
    while (pixel_names[i] != NULL && strcmp(pixel_names[i], value) != 0) ++i;
    NTH_REQUIRE(pixel_names[i] != NULL, NTH_E_ARG, "pixels=%s; did you mean \"%s\"?", value,
                nth_priv_data_nearest(value, pixel_names));
    *pixels = (nth_pixels)i;
done:
    return st;
}

nth_status nth_data_options_set(nth_data_options *opt, const char *key, const char *value)
{
    nth_status st = NTH_OK;
    uint64_t   number = 0;
    NTH_REQUIRE(opt != NULL && key != NULL && value != NULL, NTH_E_ARG, "no option, key or value");
    const bool is_number = nth_priv_parse_u64(value, &number);
    if (strcmp(key, "pixels") == 0) NTH_TRY(set_pixels(&opt->pixels, value));
    else if (strcmp(key, "centre") == 0) NTH_TRY(set_flag(&opt->centre, key, value));
    else if (strcmp(key, "unit-norm") == 0) NTH_TRY(set_flag(&opt->unit_norm, key, value));
    else if (strcmp(key, "bias") == 0) NTH_TRY(set_flag(&opt->bias, key, value));
    else if (strcmp(key, "project") == 0) {
        NTH_REQUIRE(is_number && number <= PTRDIFF_MAX, NTH_E_ARG,
                    "project=%s; must be the number of dimensions, or 0 for none", value);
        opt->project = (ptrdiff_t)number;
    } else if (strcmp(key, "project-seed") == 0) {
        NTH_REQUIRE(is_number, NTH_E_ARG, "project-seed=%s; must be an integer from 0 to 2^64 - 1", value);
        opt->project_seed = number;
    } else
        NTH_FAIL(NTH_E_ARG, "unknown preprocessing \"%s\"; did you mean \"%s\"?", key,
                 nth_priv_data_nearest(key, keys));
done:
    return st;
}

nth_status nth_data_options_parse(nth_data_options *opt, const char *text)
{
    nth_status st = NTH_OK;
    char      *copy = NULL;
    NTH_REQUIRE(opt != NULL && text != NULL, NTH_E_ARG, "no options or no text");
    if (text[0] == '\0' || strcmp(text, "none") == 0) return NTH_OK;
    NTH_TRY(nth_priv_strdup(&copy, text));
    for (char *pair = copy, *next = NULL; pair != NULL; pair = next) {
        next = strchr(pair, ',');
        if (next != NULL) *next++ = '\0';
        char *equals = strchr(pair, '=');
        NTH_REQUIRE(equals != NULL, NTH_E_ARG, "preprocessing \"%s\" has no value; write %s=...", pair, pair);
        *equals = '\0';
        NTH_TRY(nth_data_options_set(opt, pair, equals + 1));
    }
done:
    nth_priv_free(copy);
    return st;
}

nth_status nth_priv_options_text(char **out, const nth_data_options *opt, bool images)
{
    const nth_pixels pixels = opt->pixels == NTH_PIXELS_DEFAULT ? NTH_PIXELS_SIGNED : opt->pixels;
    char             text[256];
    size_t           used = 0;
    text[0] = '\0';
#define ADD(...) used += (size_t)snprintf(text + used, sizeof text - used, __VA_ARGS__)
    if (images) ADD("pixels=%s,", pixel_names[pixels]);
    if (opt->centre) ADD("centre=yes,");
    if (opt->project > 0)
        ADD("project=%td,project-seed=%llu,", opt->project, (unsigned long long)opt->project_seed);
    if (opt->unit_norm) ADD("unit-norm=yes,");
    if (opt->bias) ADD("bias=yes,");
#undef ADD
    if (used > 0) text[used - 1] = '\0'; /* the last comma */
    return nth_priv_strdup(out, used > 0 ? text : "none");
}
