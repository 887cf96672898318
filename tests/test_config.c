/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Options: the table is sound, command lines and files give the values they say, and every mistake
 * is answered with one message that helps.
 */
#include "nth_test.h"
#include "config_priv.h"
#include "nth/config.h"
#include "nth/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_ARGS = 16 };

/* The command line "--a b --c" as words. */
static nth_status read_line(nth_config **cfg, nth_command command, const char *words)
{
    static char       copy[512];
    const char       *argv[MAX_ARGS];
    int               argc = 0;
    nth_status        st = nth_config_create(cfg, command);
    if (st != NTH_OK) return st;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *w = strtok(copy, " "); w != NULL && argc < MAX_ARGS; w = strtok(NULL, " ")) argv[argc++] = w;
    st = nth_config_arguments(*cfg, argc, argv);
    if (st != NTH_OK) nth_config_destroy(cfg);
    return st;
}

static nth_status read_text(nth_config **cfg, nth_command command, const char *text)
{
    nth_status st = nth_config_create(cfg, command);
    if (st == NTH_OK) st = nth_config_text(*cfg, "run.json", text, strlen(text));
    if (st != NTH_OK) nth_config_destroy(cfg);
    return st;
}

static void table_is_sound(void)
{
    for (int c = 0; c < NTH_COMMAND_COUNT; ++c)
        for (const nth_key *k = nth_priv_keys; k < nth_priv_keys + NTH_KEY_COUNT; ++k)
            for (const nth_key *l = nth_priv_keys; l < k; ++l) {
                const bool both = nth_priv_key_used(k, (nth_command)c) && nth_priv_key_used(l, (nth_command)c);
                if (both && strcmp(k->option, l->option) == 0) NTH_CHECK(!"an option twice in one command");
            }
    for (const nth_key *k = nth_priv_keys; k < nth_priv_keys + NTH_KEY_COUNT; ++k) {
        const bool words = k->type == NTH_KEY_WORD || k->type == NTH_KEY_WORDS;
        NTH_CHECK(words == (k->words != NULL) && k->meaning[0] != '\0' && k->used != 0);
        NTH_CHECK((k->needed & ~k->used) == 0);
        NTH_CHECK(k->type == NTH_KEY_FLAG || k->unit[0] != '\0');
    }
    for (int c = 0; c < NTH_COMMAND_COUNT; ++c) {
        nth_command back;
        nth_config *cfg = NULL;
        NTH_CHECK_OK(nth_command_parse(&back, nth_command_name((nth_command)c)));
        NTH_CHECK((int)back == c);
        NTH_CHECK_OK(nth_config_create(&cfg, (nth_command)c)); /* the defaults are legal */
        nth_config_destroy(&cfg);
    }
}

static void defaults_hold(void)
{
    nth_config *cfg = NULL;
    if (!NTH_CHECK_OK(read_line(&cfg, NTH_COMMAND_kernel, "--out K.h5"))) return;
    NTH_CHECK(strcmp(cfg->out, "K.h5") == 0 && strcmp(cfg->activation, "tanh") == 0 && cfg->net == NULL);
    NTH_CHECK(cfg->sigma_w == 1.0 && cfg->sigma_b == 0.0 && cfg->depth == 2 && cfg->seed == 1 && !cfg->json);
    NTH_CHECK(nth_config_given(cfg, "out") && !nth_config_given(cfg, "depth") && !nth_config_given(cfg, "nonsense"));
    nth_config_destroy(&cfg);
    nth_config_destroy(&cfg);
    nth_config_destroy(NULL);
}

static void lines_are_read(void)
{
    nth_config *cfg = NULL;
    if (!NTH_CHECK_OK(read_line(&cfg, NTH_COMMAND_hierarchy,
                                "--net=N.h5 --out H.h5 --direction V.h5:/u --khat --times 0.5,1e0,inf "
                                "--order 4 --direction V,2.h5:/v --seed 18446744073709551615 --threads=3 --quiet")))
        return;
    NTH_CHECK(strcmp(cfg->net, "N.h5") == 0 && cfg->khat && !cfg->dense && cfg->quiet && cfg->order == 4);
    NTH_CHECK(cfg->direction.n == 2 && strcmp(cfg->direction.v[0], "V.h5:/u") == 0 &&
              strcmp(cfg->direction.v[1], "V,2.h5:/v") == 0);
    NTH_CHECK(cfg->times.n == 3 && cfg->times.v[0] == 0.5 && cfg->times.v[1] == 1.0 && isinf(cfg->times.v[2]));
    NTH_CHECK(cfg->seed == UINT64_MAX && cfg->threads == 3);
    nth_config_destroy(&cfg);
    if (!NTH_CHECK_OK(read_line(&cfg, NTH_COMMAND_verify, "--activation tanh,erf --widths 16,32 theorem-2.1 --depth 2"))) return;
    NTH_CHECK(cfg->activations.n == 2 && strcmp(cfg->activations.v[1], "erf") == 0);
    NTH_CHECK(cfg->sweep_widths.n == 2 && cfg->sweep_widths.v[1] == 32 && cfg->layer_widths.n == 0);
    NTH_CHECK(nth_config_given(cfg, "check") && cfg->depths.n == 1 && cfg->depths.v[0] == 2);
    nth_config_destroy(&cfg);
    NTH_CHECK_OK(read_line(&cfg, NTH_COMMAND_info, "-- --odd-name"));
    NTH_CHECK(cfg != NULL && strcmp(cfg->file, "--odd-name") == 0);
    nth_config_destroy(&cfg);
    NTH_CHECK_OK(read_line(&cfg, NTH_COMMAND_train, "-h")); /* nothing is needed then */
    NTH_CHECK(cfg != NULL && cfg->help);
    nth_config_destroy(&cfg);
}

static void mistakes_on_the_line_are_named(void)
{
    static const struct {
        nth_command command;
        const char *line, *message;
    } cases[] = {
        { NTH_COMMAND_net, "--sigam-w 2", "unknown option --sigam-w; did you mean --sigma-w?" },
        { NTH_COMMAND_net, "--zzzzz", "unknown option --zzzzz; nth net --help lists the options" },
        { NTH_COMMAND_net, "--order 3", "option --order is not one of nth net (but of nth hierarchy)" },
        { NTH_COMMAND_net, "-x", "unknown option -x; options begin with --" },
        { NTH_COMMAND_net, "file.h5", "unexpected argument \"file.h5\"" },
        { NTH_COMMAND_net, "--out n.h5", "--widths WIDTH is missing: input dimension" },
        { NTH_COMMAND_net, "--widths 6,16,1", "--out FILE is missing: result file" },
        { NTH_COMMAND_data, "--out d.h5", "SPEC is missing: the data set" },
        { NTH_COMMAND_info, "a.h5 b.h5", "--file is given twice" },
        { NTH_COMMAND_net, "--widths 6,x,1 --out n.h5", "--widths: \"x\" is not a whole number" },
        { NTH_COMMAND_net, "--widths 6,,1 --out n.h5", "--widths: a value is missing" },
        { NTH_COMMAND_net, "--widths 6,0,1 --out n.h5", "--widths: 0 is not in the range 1 to 1000000000" },
        { NTH_COMMAND_net, "--activation tnah", "--activation: \"tnah\" is none of tanh, erf, softplus, gelu, sin, relu, "
                                                "linear, quadratic; did you mean \"tanh\"?" },
        { NTH_COMMAND_net, "--init=both", "--init: \"both\" is none of gaussian, antisymmetric" },
        { NTH_COMMAND_net, "--sigma-w 0", "--sigma-w: 0 is not above 0 and at most 1000" },
        { NTH_COMMAND_net, "--sigma-w nan", "--sigma-w: nan is not above 0" },
        { NTH_COMMAND_net, "--sigma-w 1x", "--sigma-w: \"1x\" is not a number" },
        { NTH_COMMAND_net, "--sigma-w", "--sigma-w: a value is missing" },
        { NTH_COMMAND_net, "--sigma-w --json", "--sigma-w: a value is missing" },
        { NTH_COMMAND_net, "--sigma-w=", "--sigma-w: a value is missing" },
        { NTH_COMMAND_net, "--seed -1", "--seed: \"-1\" is not a whole number of 0 or more" },
        { NTH_COMMAND_net, "--seed 18446744073709551616", "--seed: 18446744073709551616 is not below 2^64" },
        { NTH_COMMAND_net, "--json=maybe", "--json: \"maybe\" is neither true nor false" },
        { NTH_COMMAND_net, "--seed 1 --seed 2", "--seed is given twice" },
        { NTH_COMMAND_hierarchy, "--order 7", "--order: 7 is not in the range 2 to 6" },
        { NTH_COMMAND_hierarchy, "--order 99999999999999999999", "is not in the range 2 to 6" },
        { NTH_COMMAND_hierarchy, "--times -1", "--times: -1 is not at least 0" },
        { NTH_COMMAND_hierarchy, "--times 1,nan", "--times: nan is not at least 0" },
    };
    nth_config *cfg = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        NTH_CHECK_STATUS(read_line(&cfg, cases[i].command, cases[i].line), NTH_E_ARG);
        NTH_CHECK_MESSAGE(cases[i].message);
    }
    nth_command command;
    NTH_CHECK_STATUS(nth_command_parse(&command, "hierachy"), NTH_E_ARG);
    NTH_CHECK_MESSAGE("unknown command \"hierachy\"; did you mean \"hierarchy\"?");
    NTH_CHECK_STATUS(nth_command_parse(&command, "quux"), NTH_E_ARG);
    NTH_CHECK_MESSAGE("nth --help lists the commands");
}

static void files_are_read(void)
{
    nth_config *cfg = NULL;
    if (!NTH_CHECK_OK(read_text(&cfg, NTH_COMMAND_hierarchy,
                                "{\"command\": \"hierarchy\", \"net\": \"a,b.h5\", \"times\": [0.5, \"inf\", 2],\n"
                                " \"direction\": [\"V.h5:/u\", \"W.h5:/v\"], \"khat\": true, \"seed\": "
                                "\"18446744073709551615\", \"centre\": true}")))
        return;
    NTH_CHECK(strcmp(cfg->net, "a,b.h5") == 0 && cfg->khat && cfg->seed == UINT64_MAX);
    NTH_CHECK(cfg->times.n == 3 && isinf(cfg->times.v[1]) && cfg->times.v[2] == 2.0);
    NTH_CHECK(cfg->direction.n == 2 && strcmp(cfg->centre, "yes") == 0);
    NTH_CHECK_OK(nth_config_text(cfg, "more.json", "{\"times\": \"1,2\", \"direction\": \"X.h5:/x\"}", 40));
    NTH_CHECK(cfg->times.n == 2 && cfg->direction.n == 1); /* replaced, not added */
    nth_config_destroy(&cfg);
    NTH_CHECK_OK(read_text(&cfg, NTH_COMMAND_verify, "{\"widths\": 64, \"activation\": [\"tanh\", \"sin\"]}"));
    NTH_CHECK(cfg != NULL && cfg->sweep_widths.n == 1 && cfg->activations.n == 2);
    nth_config_destroy(&cfg);
}

static void mistakes_in_files_are_placed(void)
{
    static const struct {
        const char *text;
        nth_status  status;
        const char *message;
    } cases[] = {
        { "{\n  \"seed\": 1,\n  \"sigam-w\": 2}", NTH_E_ARG,
          "run.json:3:3: unknown key \"sigam-w\"; did you mean \"sigma-w\"?" },
        { "{\"sigma_w\": 2}", NTH_E_ARG, "run.json:1:2: unknown key \"sigma_w\"; did you mean \"sigma-w\"?" },
        { "{\"order\": 2}", NTH_E_ARG, "run.json:1:2: key \"order\" is not one of nth net (but of nth hierarchy)" },
        { "{\"xyzzy\": 2}", NTH_E_ARG, "unknown key \"xyzzy\"; nth net --help lists the options" },
        { "{\"command\": \"train\"}", NTH_E_ARG, "run.json:1:2: this is for nth train, not for nth net" },
        { "{\"sigma-w\": \"x\"}", NTH_E_ARG, "run.json:1:2: \"sigma-w\": \"x\" is not a number" },
        { "{\"sigma-w\": [1]}", NTH_E_ARG, "run.json:1:2: \"sigma-w\": one value is expected, not an array" },
        { "{\"widths\": []}", NTH_E_ARG, "\"widths\": a value is missing" },
        { "{\"sigma-b\": true}", NTH_E_ARG, "\"sigma-b\": \"true\" is not a number" },
        { "{\"widths\": [6, 2.5, 1]}", NTH_E_ARG, "\"2.5\" is not a whole number" },
        { "{\"help\": true}", NTH_E_ARG, "\"help\" belongs on the command line" },
        { "{\"config\": \"x.json\"}", NTH_E_ARG, "\"config\" belongs on the command line" },
        { "{\"si\\u0067am-w\": 2}", NTH_E_ARG, "run.json: unknown key \"sigam-w\"" },
        { "{\"seed\": 1,}", NTH_E_FORMAT, "run.json:1:" },
    };
    nth_config *cfg = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        NTH_CHECK_STATUS(read_text(&cfg, NTH_COMMAND_net, cases[i].text), cases[i].status);
        NTH_CHECK_MESSAGE(cases[i].message);
    }
}

static void the_line_wins_over_the_file(void)
{
    char        name[] = "nth_test_config_XXXXXX", line[128];
    nth_config *cfg = NULL;
    const int   fd = mkstemp(name);
    FILE       *f = fdopen(fd, "w");
    fputs("{\"seed\": 5, \"sigma-w\": 2, \"widths\": [6, 16, 1], \"json\": true}", f);
    fclose(f);
    snprintf(line, sizeof line, "--seed 7 --out n.h5 --config %s", name);
    if (NTH_CHECK_OK(read_line(&cfg, NTH_COMMAND_net, line)))
        NTH_CHECK(cfg->seed == 7 && cfg->sigma_w == 2.0 && cfg->layer_widths.n == 3 && cfg->json);
    nth_config_destroy(&cfg);
    (void)remove(name);
    NTH_CHECK_STATUS(read_line(&cfg, NTH_COMMAND_net, line), NTH_E_IO);
    NTH_CHECK_MESSAGE(name);
}

static void presets_yield_to_the_user(void)
{
    nth_config *cfg = NULL;
    if (!NTH_CHECK_OK(read_line(&cfg, NTH_COMMAND_verify, "--seeds 3"))) return;
    NTH_CHECK_OK(nth_config_suggest(cfg, "seeds", "20"));
    NTH_CHECK_OK(nth_config_suggest(cfg, "widths", "16,32,64"));
    NTH_CHECK_OK(nth_config_suggest(cfg, "widths", "8,16"));
    NTH_CHECK(cfg->seeds == 3 && cfg->sweep_widths.n == 2 && !nth_config_given(cfg, "widths"));
    NTH_CHECK_STATUS(nth_config_suggest(cfg, "widths", "8,-1"), NTH_E_ARG);
    NTH_CHECK(cfg->sweep_widths.n == 2 && cfg->sweep_widths.v[1] == 16); /* stays */
    NTH_CHECK_OK(nth_config_set(cfg, "depth", "3"));
    NTH_CHECK(nth_config_given(cfg, "depth"));
    NTH_CHECK_STATUS(nth_config_set(cfg, "deptj", "3"), NTH_E_ARG);
    nth_config_destroy(&cfg);
}

/* What is recorded in a result file, read back, is the same configuration. */
static void the_record_reads_back(void)
{
    nth_config *cfg = NULL, *again = NULL;
    char       *text = NULL, *text2 = NULL;
    if (!NTH_CHECK_OK(read_line(&cfg, NTH_COMMAND_hierarchy,
                                "--net N.h5 --out H.h5 --times 0.1,inf --direction V:/u --seed 9223372036854775808 "
                                "--khat --threads 2 --json --project 3")))
        return;
    NTH_CHECK_OK(nth_config_json(&text, cfg));
    NTH_CHECK(text != NULL &&
              strcmp(text, "{\"command\": \"hierarchy\", \"activation\": \"tanh\", \"init\": \"gaussian\", \"sigma-w\": 1, \"sigma-b\": 0, "
                           "\"input-scale\": \"fan_in\", \"net\": \"N.h5\", \"data\": "
                           "\"synthetic:sphere?n=8&d=6&test=4&seed=1\", \"project\": 3, \"depth\": 2, \"rse\": 0.01, \"order\": 3, \"direction\": "
                           "[\"V:/u\"], \"khat\": true, \"times\": [0.1, \"inf\"], \"route\": \"curve\", \"seed\": "
                           "\"9223372036854775808\", \"given\": [\"net\", \"project\", \"direction\", \"khat\", \"times\", \"seed\"]}") == 0);
    NTH_CHECK_OK(read_text(&again, NTH_COMMAND_hierarchy, text));
    NTH_CHECK_OK(nth_config_json(&text2, again));
    NTH_CHECK(text2 != NULL && strcmp(text, text2) == 0);
    nth_json_text_free(text);
    nth_json_text_free(text2);
    nth_config_destroy(&cfg);
    nth_config_destroy(&again);
}

/* What a record says of defaults: not given unless listed; a changed value counts, suggestions do not replace. */
static void a_record_is_resolved_not_typed(void)
{
    nth_config *cfg = NULL;
    char       *text = NULL;
    if (!NTH_CHECK_OK(read_line(&cfg, NTH_COMMAND_kernel, "--kind ntk --depth 2 --out K.h5"))) return;
    NTH_CHECK_OK(nth_config_suggest(cfg, "sigma-b", "0.5"));
    NTH_CHECK_OK(nth_config_json(&text, cfg));
    nth_config_destroy(&cfg);
    if (!NTH_CHECK_OK(read_text(&cfg, NTH_COMMAND_kernel, text))) return;
    NTH_CHECK(nth_config_given(cfg, "kind") && nth_config_given(cfg, "depth"));
    NTH_CHECK(!nth_config_given(cfg, "tolerance") && !nth_config_given(cfg, "mode") && !nth_config_given(cfg, "activation"));
    NTH_CHECK_OK(nth_config_suggest(cfg, "sigma-b", "0.25"));
    NTH_CHECK_OK(nth_config_suggest(cfg, "sigma-w", "3"));
    NTH_CHECK(cfg->sigma_b == 0.5 && cfg->sigma_w == 1.0 && nth_config_given(cfg, "sigma-b"));
    nth_config_destroy(&cfg);
    nth_json_text_free(text);
    if (!NTH_CHECK_OK(read_text(&cfg, NTH_COMMAND_kernel, "{\"given\": [\"draws\"], \"draws\": 20000000, \"tolerance\": 1e-12, \"rse\": 0.05}"))) return;
    NTH_CHECK(nth_config_given(cfg, "draws") && !nth_config_given(cfg, "tolerance") && nth_config_given(cfg, "rse"));
    nth_config_destroy(&cfg);
    NTH_CHECK_STATUS(read_text(&cfg, NTH_COMMAND_kernel, "{\"given\": [\"drows\"]}"), NTH_E_ARG);
    NTH_CHECK(strstr(nth_last_error().message, "unknown key \"drows\"; did you mean \"draws\"?") != NULL);
    NTH_CHECK_STATUS(read_text(&cfg, NTH_COMMAND_kernel, "{\"given\": \"draws\"}"), NTH_E_ARG);
}

/* Every option of a command is in its help, and no line is longer than a terminal. */
static void help_is_complete(void)
{
    char *text = NULL, option[64];
    for (int c = 0; c < NTH_COMMAND_COUNT; ++c) {
        if (!NTH_CHECK_OK(nth_config_help(&text, (nth_command)c))) return;
        for (const nth_key *k = nth_priv_keys; k < nth_priv_keys + NTH_KEY_COUNT; ++k) {
            const char *positional = nth_priv_command_positional((nth_command)c);
            if (!nth_priv_key_used(k, (nth_command)c)) continue;
            if (positional != NULL && strcmp(positional, k->option) == 0) snprintf(option, sizeof option, "  %s ", k->unit);
            else snprintf(option, sizeof option, "  --%s", k->option);
            NTH_CHECK(strstr(text, option) != NULL);
        }
        for (const char *l = text; *l != '\0'; l += strcspn(l, "\n") + 1) NTH_CHECK(strcspn(l, "\n") <= 100);
        nth_json_text_free(text);
    }
}

/* NTH_OPTIONS_MD: the committed docs/options.md. */
static void committed_options_are_current(void)
{
    static char committed[1 << 16];
    char       *text = NULL;
    FILE       *f = fopen(NTH_OPTIONS_MD, "r");
    if (!NTH_CHECK(f != NULL)) return;
    committed[fread(committed, 1, sizeof committed - 1, f)] = '\0';
    fclose(f);
    NTH_CHECK_OK(nth_config_markdown(&text));
    if (!NTH_CHECK(text != NULL && strcmp(text, committed) == 0))
        printf("    docs/options.md is not what the table says: nth info --options-md > docs/options.md\n");
    nth_json_text_free(text);
}

static nth_status everything(void)
{
    nth_config *cfg = NULL;
    char       *text = NULL;
    nth_status  st = read_line(&cfg, NTH_COMMAND_hierarchy, "--net N --out H --times 1,2 --direction a --direction b");
    if (st == NTH_OK) st = nth_config_text(cfg, "run.json", "{\"times\": [1, 3], \"khat\": true, \"order\": 3, \"given\": []}", 56);
    if (st == NTH_OK) st = nth_config_json(&text, cfg);
    nth_json_text_free(text);
    text = NULL;
    if (st == NTH_OK) st = nth_config_help(&text, NTH_COMMAND_net);
    nth_json_text_free(text);
    nth_config_destroy(&cfg);
    return st;
}

static void survives_lack_of_memory(void) { nth_test_every_allocation_fails(everything); }

int main(void)
{
    return nth_test_main("config", (nth_test_case[]){
                                       { "table_is_sound", table_is_sound },
                                       { "defaults_hold", defaults_hold },
                                       { "lines_are_read", lines_are_read },
                                       { "mistakes_on_the_line_are_named", mistakes_on_the_line_are_named },
                                       { "files_are_read", files_are_read },
                                       { "mistakes_in_files_are_placed", mistakes_in_files_are_placed },
                                       { "the_line_wins_over_the_file", the_line_wins_over_the_file },
                                       { "presets_yield_to_the_user", presets_yield_to_the_user },
                                       { "the_record_reads_back", the_record_reads_back },
                                       { "a_record_is_resolved_not_typed", a_record_is_resolved_not_typed },
                                       { "help_is_complete", help_is_complete },
                                       { "committed_options_are_current", committed_options_are_current },
                                       { "survives_lack_of_memory", survives_lack_of_memory },
                                       { 0 } });
}
