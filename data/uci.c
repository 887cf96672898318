/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * uci:DIR/NAME, a set of the 121-UCI collection (Fernandez-Delgado et al. 2014), as the folder
 * DIR/NAME holds it:
 *
 *   NAME.txt             "key= value" lines: n_entradas (inputs), n_clases, n_patrons1 (rows)
 *   NAME_R.dat           header, then: row number from 1, the inputs, the class from 0
 *   conxuntos.dat        row numbers from 0: one line to train on, one to validate on
 *   conxuntos_kfold.dat  the same for four pairs of lines
 *
 * Without a fold the validation rows of conxuntos.dat are the test rows; fold=1..4 takes that pair.
 */
#include "alloc_priv.h"
#include "data_priv.h"
#include "fail_priv.h"

#include <string.h>

enum { FOLDS = 4, MAX_INPUTS = 100000 };

static const char blank[] = " \t";

nth_status nth_priv_uci_info(nth_uci_info *info, FILE *f, const char *name)
{
    nth_status st = NTH_OK;
    nth_lines  lines = { .f = f, .name = name };
    ptrdiff_t  files = 0;
    nth_shown  shown;
    struct {
        const char *key;
        ptrdiff_t  *out, most;
        bool        seen;
    } keys[] = { { "n_entradas", &info->inputs, MAX_INPUTS, false },
                 { "n_clases", &info->classes, NTH_MAX_CLASSES, false },
                 { "n_patrons1", &info->rows, PTRDIFF_MAX, false },
                 { "n_arquivos", &files, 1, false } };
    for (bool more = true;;) {
        NTH_TRY(nth_priv_lines_next(&lines, &more));
        if (!more) break;
        char *value = strchr(lines.text, '=');
        if (value == NULL) continue;
        *value++ = '\0';
        value += strspn(value, blank);
        value[strcspn(value, blank)] = '\0';
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; ++i) {
            uint64_t number = 0;
            if (strcmp(lines.text, keys[i].key) != 0) continue;
            NTH_REQUIRE(nth_priv_parse_u64(value, &number) && number >= 1 && number <= (uint64_t)keys[i].most,
                        NTH_E_FORMAT, "%s:%ld: %s= %s; must be an integer from 1 to %td", name,
                        lines.number, keys[i].key, nth_priv_shown(&shown, value), keys[i].most);
            *keys[i].out = (ptrdiff_t)number;
            keys[i].seen = true;
        }
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; ++i)
        NTH_REQUIRE(keys[i].seen, NTH_E_FORMAT, "%s: no line \"%s= \"", name, keys[i].key);
    NTH_REQUIRE(info->classes >= 2, NTH_E_FORMAT, "%s: one class only", name);
done:
    nth_priv_lines_fini(&lines);
    return st;
}

/* The next word of the line, NUL-terminated in place; NULL at the end. */
static char *next_word(char **at)
{
    char *word = *at + strspn(*at, blank);
    if (*word == '\0') return NULL;
    char *end = word + strcspn(word, blank);
    *at = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

static ptrdiff_t count_words(const char *text)
{
    ptrdiff_t words = 0;
    for (text += strspn(text, blank); *text != '\0'; text += strspn(text, blank), ++words)
        text += strcspn(text, blank);
    return words;
}

static nth_status read_row(nth_table *t, const nth_lines *lines, const nth_uci_info *info)
{
    nth_status      st = NTH_OK;
    char           *at = lines->text;
    double          number = 0.0;
    nth_shown       shown;
    const ptrdiff_t words = count_words(at);
    NTH_REQUIRE(words == info->inputs + 2, NTH_E_FORMAT,
                "%s:%ld: %td fields; expected row number, %td inputs and the class", lines->name,
                lines->number, words, info->inputs);
    NTH_TRY(nth_priv_table_reserve(t));
    for (ptrdiff_t w = 0; w < words; ++w) {
        char *word = next_word(&at);
        NTH_TRY(nth_priv_number(&number, word, lines, word, w == 0 ? "row number" : w <= t->d ? "input" : "class"));
        NTH_REQUIRE(w > 0 || number == (double)(t->rows + 1), NTH_E_FORMAT,
                    "%s:%ld: row number %s; expected %td", lines->name, lines->number, nth_priv_shown(&shown, word),
                    t->rows + 1);
        if (w > 0 && w <= t->d) t->x[t->rows * t->d + w - 1] = number;
    }
    const bool valid = number >= 0.0 && number < (double)info->classes && number == (double)(ptrdiff_t)number;
    NTH_REQUIRE(valid, NTH_E_FORMAT, "%s:%ld: class %g; expected an integer from 0 to %td", lines->name,
                lines->number, number, info->classes - 1);
    t->target[t->rows++] = number;
done:
    return st;
}

nth_status nth_priv_uci_table(nth_table *t, FILE *f, const char *name, const nth_uci_info *info)
{
    nth_status st = NTH_OK;
    nth_lines  lines = { .f = f, .name = name };
    bool       more = false;
    t->d = info->inputs;
    for (ptrdiff_t c = 0; c < info->classes; ++c) { /* the classes are their numbers, used or not */
        char   label[24];
        double number;
        snprintf(label, sizeof label, "%td", c);
        NTH_TRY(nth_priv_table_class(t, label, &number));
    }
    NTH_TRY(nth_priv_lines_next(&lines, &more));
    NTH_REQUIRE(more, NTH_E_FORMAT, "%s: empty", name);
    for (;;) {
        NTH_TRY(nth_priv_lines_next(&lines, &more));
        if (!more) break;
        if (count_words(lines.text) == 0) continue;
        NTH_REQUIRE(t->rows < info->rows, NTH_E_FORMAT, "%s:%ld: more than the %td rows announced", name,
                    lines.number, info->rows);
        NTH_TRY(read_row(t, &lines, info));
    }
    NTH_REQUIRE(t->rows == info->rows, NTH_E_FORMAT, "%s: %td rows; expected %td (truncated?)", name,
                t->rows, info->rows);
done:
    nth_priv_lines_fini(&lines);
    return st;
}

/* One line of row numbers; `used` marks those which either line of the pair has taken. */
static nth_status read_numbers(ptrdiff_t **rows, ptrdiff_t *n, const nth_lines *lines, uint8_t *used,
                               ptrdiff_t count)
{
    nth_status      st = NTH_OK;
    char           *at = lines->text, *word = NULL;
    nth_shown       shown;
    const ptrdiff_t words = count_words(at);
    NTH_REQUIRE(words > 0 && words <= count, NTH_E_FORMAT, "%s:%ld: %td row numbers for %td rows",
                lines->name, lines->number, words, count);
    NTH_TRY(nth_priv_alloc(rows, words, sizeof **rows, "row numbers"));
    while ((word = next_word(&at)) != NULL) {
        uint64_t number = 0;
        NTH_REQUIRE(nth_priv_parse_u64(word, &number) && number < (uint64_t)count, NTH_E_FORMAT,
                    "%s:%ld:%td: row number \"%s\"; expected 0 to %td", lines->name, lines->number,
                    word - lines->text + 1, nth_priv_shown(&shown, word), count - 1);
        NTH_REQUIRE(!used[number], NTH_E_FORMAT, "%s:%ld:%td: row %td is used twice", lines->name,
                    lines->number, word - lines->text + 1, (ptrdiff_t)number);
        used[number] = 1;
        (*rows)[(*n)++] = (ptrdiff_t)number;
    }
done:
    return st;
}

nth_status nth_priv_uci_split(ptrdiff_t *rows[2], ptrdiff_t n[2], FILE *f, const char *name, int pair,
                              ptrdiff_t count)
{
    nth_status st = NTH_OK;
    nth_lines  lines = { .f = f, .name = name };
    uint8_t   *used = NULL;
    bool       more = false;
    rows[0] = rows[1] = NULL;
    n[0] = n[1] = 0;
    NTH_TRY(nth_priv_alloc(&used, count, 1, "rows used"));
    for (int line = 0; line < 2 * pair + 2; ++line) {
        NTH_TRY(nth_priv_lines_next(&lines, &more));
        NTH_REQUIRE(more, NTH_E_FORMAT, "%s: %d lines; expected %d (truncated?)", name, line, 2 * pair + 2);
        if (line >= 2 * pair) NTH_TRY(read_numbers(&rows[line & 1], &n[line & 1], &lines, used, count));
    }
done:
    nth_priv_free(used);
    nth_priv_lines_fini(&lines);
    return st;
}

static nth_status open_in(FILE **f, char **path, const char *dir, const char *name, const char *ending)
{
    nth_status st = NTH_OK;
    if (*f != NULL) fclose(*f);
    *f = NULL;
    nth_priv_free(*path);
    NTH_TRY(nth_priv_format(path, "%s/%s%s", dir, name, ending));
    NTH_TRY(nth_priv_open(f, *path));
done:
    return st;
}

/* A path without a folder lies in $NTH_DATA_DIR/fd121. */
static nth_status find_folder(char **dir, const char **name, const nth_spec *spec)
{
    nth_status  st = NTH_OK;
    nth_spec    bare = { .scheme = spec->scheme, .path = "" };
    char       *root = NULL;
    const char *slash = strrchr(spec->path, '/');
    *name = slash != NULL ? slash + 1 : spec->path;
    NTH_REQUIRE((*name)[0] != '\0', NTH_E_ARG, "uci:%s: no set named; write uci:DIR/NAME", spec->path);
    if (slash != NULL) return nth_priv_strdup(dir, spec->path);
    NTH_TRY(nth_priv_data_dir(&root, &bare, "fd121"));
    NTH_TRY(nth_priv_format(dir, "%s/%s", root, *name));
done:
    nth_priv_free(root);
    return st;
}

nth_status nth_priv_load_uci(nth_data *data, const nth_spec *spec, const nth_data_options *opt)
{
    nth_status   st = NTH_OK;
    nth_uci_info info = { 0 };
    nth_table    t = { 0 };
    ptrdiff_t    fold = 0, *rows[2] = { NULL, NULL }, n[2] = { 0, 0 };
    char        *dir = NULL, *path = NULL;
    const char  *name = NULL;
    FILE        *f = NULL;
    (void)opt;
    NTH_TRY(nth_priv_spec_count(spec, "fold", 1, FOLDS, &fold));
    NTH_TRY(find_folder(&dir, &name, spec));
    NTH_TRY(open_in(&f, &path, dir, name, ".txt"));
    NTH_TRY(nth_priv_uci_info(&info, f, path));
    NTH_TRY(open_in(&f, &path, dir, name, "_R.dat"));
    NTH_TRY(nth_priv_uci_table(&t, f, path, &info));
    NTH_TRY(open_in(&f, &path, dir, fold > 0 ? "conxuntos_kfold" : "conxuntos", ".dat"));
    NTH_TRY(nth_priv_uci_split(rows, n, f, path, fold > 0 ? (int)fold - 1 : 0, t.rows));
    NTH_TRY(nth_priv_table_to_data(data, &t, rows[0], n[0], rows[1], n[1]));
    NTH_TRY(fold > 0 ? nth_priv_format(&data->source, "uci:%s?fold=%td", dir, fold)
                     : nth_priv_format(&data->source, "uci:%s", dir));
done:
    if (f != NULL) fclose(f);
    nth_priv_free(rows[0]);
    nth_priv_free(rows[1]);
    nth_priv_free(dir);
    nth_priv_free(path);
    nth_priv_table_fini(&t);
    return st;
}
