/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The border to oneDNN (onednn_priv.h): its C API, version 2. Layouts of maps are oneDNN's choice and stay
 * as they are from layer to layer; weights and gradients are reordered from and to the caller's plain
 * arrays, which is small beside the products.
 */
#include "onednn_priv.h"
#include "alloc_priv.h"
#include "fail_priv.h"
#include "par_priv.h"

#if NTH_HAVE_ONEDNN

#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>

enum { MOST = 32, HANDLES = 12 * MOST }; /* layers; primitives and memories of them */

typedef struct conv {
    dnnl_dims_t        weights, bias; /* extents */
    ptrdiff_t          W, b;          /* in theta */
    dnnl_memory_desc_t y_md, W_md, W_back_md, dW_md;
    dnnl_primitive_t   forward, back_data, back_weights, order_W, order_W_back, order_dW;
    dnnl_memory_t      y, dy, W_user, b_user, W_fwd, W_back, dW, dW_user, db_user;
    size_t             size; /* bytes of y */
} conv;

struct nth_convs {
    int              convs, threads;
    conv             layer[MOST];
    dnnl_engine_t    engine;
    dnnl_stream_t    stream;
    dnnl_memory_desc_t x_md;
    dnnl_memory_t    user_in, x, user_out, user_dout; /* images: plain, as the first layer takes them; the last map, plain */
    dnnl_primitive_t order_in, order_out, order_dout;
    float           *backward[2]; /* gradients in maps, of every other layer */
    /* What is to be freed. */
    dnnl_primitive_t primitive[HANDLES];
    dnnl_memory_t    memory[HANDLES];
    void            *block[HANDLES];
    int              primitives, memories, blocks;
};

const char *nth_priv_onednn_version(void)
{
    static _Thread_local char text[32];
    const dnnl_version_t     *v = dnnl_version();
    snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    return text;
}

nth_status nth_priv_onednn_check(void) { return NTH_OK; }

/* A call of oneDNN failed: its code becomes ours. */
#define DNN_TRY(call)                                                                                                                  \
    do {                                                                                                                               \
        const dnnl_status_t code_ = (call);                                                                                            \
        NTH_REQUIRE(code_ == dnnl_success, code_ == dnnl_out_of_memory ? NTH_E_NOMEM : NTH_E_NUMERIC, "oneDNN: status %d", (int)code_); \
    } while (0)

/* ---- What is kept -------------------------------------------------------------------------------- */

/* A memory in `md`: on storage of its own, on `at`, or, with neither, told where at each use. */
static nth_status memory(nth_convs *n, dnnl_memory_t *out, const dnnl_memory_desc_t *md, bool own, void *at)
{
    nth_status st = NTH_OK;
    if (own) {
        NTH_TRY(nth_priv_alloc(&at, (ptrdiff_t)dnnl_memory_desc_get_size(md), 1, "maps and weights of convolutions"));
        n->block[n->blocks++] = at;
    }
    DNN_TRY(dnnl_memory_create(&n->memory[n->memories], md, n->engine, at == NULL ? DNNL_MEMORY_NONE : at));
    *out = n->memory[n->memories++];
done:
    return st;
}

static nth_status primitive(nth_convs *n, dnnl_primitive_t *out, const_dnnl_primitive_desc_t pd)
{
    nth_status st = NTH_OK;
    DNN_TRY(dnnl_primitive_create(&n->primitive[n->primitives], pd));
    *out = n->primitive[n->primitives++];
done:
    return st;
}

static nth_status reorder(nth_convs *n, dnnl_primitive_t *out, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to)
{
    nth_status            st = NTH_OK;
    dnnl_primitive_desc_t pd = NULL;
    DNN_TRY(dnnl_reorder_primitive_desc_create(&pd, from, n->engine, to, n->engine, NULL));
    NTH_TRY(primitive(n, out, pd));
done:
    if (pd != NULL) dnnl_primitive_desc_destroy(pd);
    return st;
}

static nth_status plain(dnnl_memory_desc_t *md, int rank, const dnnl_dims_t extents)
{
    nth_status st = NTH_OK;
    DNN_TRY(dnnl_memory_desc_init_by_tag(md, rank, extents, dnnl_f32, rank == 4 ? dnnl_abcd : dnnl_a));
done:
    return st;
}

static nth_status any(dnnl_memory_desc_t *md, int rank, const dnnl_dims_t extents)
{
    nth_status st = NTH_OK;
    DNN_TRY(dnnl_memory_desc_init_by_tag(md, rank, extents, dnnl_f32, dnnl_format_tag_any));
done:
    return st;
}

/* ---- One layer ----------------------------------------------------------------------------------- */

static nth_status forward_plan(nth_convs *n, conv *l, dnnl_primitive_desc_t *pd, const dnnl_memory_desc_t *x, const dnnl_memory_desc_t *y,
                               const dnnl_dims_t stride, bool relu)
{
    static const dnnl_dims_t padding = { 1, 1 };
    nth_status               st = NTH_OK;
    dnnl_primitive_attr_t    attr = NULL;
    dnnl_post_ops_t          after = NULL;
    dnnl_convolution_desc_t  desc;
    dnnl_memory_desc_t       W, b;
    NTH_TRY(any(&W, 4, l->weights));
    NTH_TRY(plain(&b, 1, l->bias));
    DNN_TRY(dnnl_primitive_attr_create(&attr));
    DNN_TRY(dnnl_post_ops_create(&after));
    if (relu) DNN_TRY(dnnl_post_ops_append_eltwise(after, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f));
    DNN_TRY(dnnl_primitive_attr_set_post_ops(attr, after));
    DNN_TRY(dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training, dnnl_convolution_direct, x, &W, &b, y, stride, padding, padding));
    DNN_TRY(dnnl_primitive_desc_create(pd, &desc, attr, n->engine, NULL));
    NTH_TRY(primitive(n, &l->forward, *pd));
done:
    if (after != NULL) dnnl_post_ops_destroy(after);
    if (attr != NULL) dnnl_primitive_attr_destroy(attr);
    return st;
}

static nth_status backward_plan(nth_convs *n, conv *l, const_dnnl_primitive_desc_t hint, const dnnl_memory_desc_t *x, const dnnl_dims_t stride,
                                bool to_data)
{
    static const dnnl_dims_t padding = { 1, 1 };
    nth_status               st = NTH_OK;
    dnnl_primitive_desc_t    pd[2] = { NULL, NULL };
    dnnl_convolution_desc_t  desc;
    dnnl_memory_desc_t       W, b;
    NTH_TRY(any(&W, 4, l->weights));
    NTH_TRY(plain(&b, 1, l->bias));
    DNN_TRY(dnnl_convolution_backward_weights_desc_init(&desc, dnnl_convolution_direct, x, &W, &b, &l->y_md, stride, padding, padding));
    DNN_TRY(dnnl_primitive_desc_create(&pd[0], &desc, NULL, n->engine, hint));
    l->dW_md = *dnnl_primitive_desc_query_md(pd[0], dnnl_query_diff_weights_md, 0);
    NTH_TRY(primitive(n, &l->back_weights, pd[0]));
    if (to_data) {
        DNN_TRY(dnnl_convolution_backward_data_desc_init(&desc, dnnl_convolution_direct, x, &W, &l->y_md, stride, padding, padding));
        DNN_TRY(dnnl_primitive_desc_create(&pd[1], &desc, NULL, n->engine, hint));
        l->W_back_md = *dnnl_primitive_desc_query_md(pd[1], dnnl_query_weights_md, 0);
        NTH_TRY(primitive(n, &l->back_data, pd[1]));
    }
done:
    for (int i = 0; i < 2; ++i)
        if (pd[i] != NULL) dnnl_primitive_desc_destroy(pd[i]);
    return st;
}

static nth_status weights(nth_convs *n, conv *l, bool to_data)
{
    nth_status         st = NTH_OK;
    dnnl_memory_desc_t W, b;
    NTH_TRY(plain(&W, 4, l->weights));
    NTH_TRY(plain(&b, 1, l->bias));
    NTH_TRY(memory(n, &l->W_user, &W, false, NULL));
    NTH_TRY(memory(n, &l->dW_user, &W, false, NULL));
    NTH_TRY(memory(n, &l->b_user, &b, false, NULL));
    NTH_TRY(memory(n, &l->db_user, &b, false, NULL));
    NTH_TRY(memory(n, &l->W_fwd, &l->W_md, true, NULL));
    NTH_TRY(memory(n, &l->dW, &l->dW_md, true, NULL));
    NTH_TRY(reorder(n, &l->order_W, &W, &l->W_md));
    NTH_TRY(reorder(n, &l->order_dW, &l->dW_md, &W));
    if (to_data) {
        NTH_TRY(memory(n, &l->W_back, &l->W_back_md, true, NULL));
        NTH_TRY(reorder(n, &l->order_W_back, &W, &l->W_back_md));
    }
done:
    return st;
}

/* Layer i, on maps of in x h x w; its result is in the layout that suits it, given that of its input. */
static nth_status layer(nth_convs *n, int i, const nth_convs_shape *s, ptrdiff_t in, ptrdiff_t h, ptrdiff_t w)
{
    nth_status            st = NTH_OK;
    conv                 *l = &n->layer[i];
    dnnl_primitive_desc_t pd = NULL;
    dnnl_memory_desc_t    x, y;
    const ptrdiff_t       out = s->filters[i], step = s->strides[i];
    const dnnl_dims_t     stride = { step, step }, from = { s->batch, in, h, w };
    const dnnl_dims_t     to = { s->batch, out, (h - 1) / step + 1, (w - 1) / step + 1 };
    l->weights[0] = out, l->weights[1] = in, l->weights[2] = l->weights[3] = 3, l->bias[0] = out;
    if (i > 0) x = n->layer[i - 1].y_md;
    else NTH_TRY(any(&x, 4, from));
    NTH_TRY(any(&y, 4, to));
    NTH_TRY(forward_plan(n, l, &pd, &x, &y, stride, i + 1 < s->convs));
    if (i == 0) n->x_md = *dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0);
    l->y_md = *dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
    l->W_md = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    l->size = dnnl_memory_desc_get_size(&l->y_md);
    NTH_TRY(memory(n, &l->y, &l->y_md, true, NULL));
    NTH_TRY(backward_plan(n, l, pd, i == 0 ? &n->x_md : &x, stride, i > 0));
    NTH_TRY(weights(n, l, i > 0));
done:
    if (pd != NULL) dnnl_primitive_desc_destroy(pd);
    return st;
}

/* ---- The chain ----------------------------------------------------------------------------------- */

static nth_status ends(nth_convs *n, const nth_convs_shape *s, ptrdiff_t h, ptrdiff_t w)
{
    nth_status         st = NTH_OK;
    const conv        *last = &n->layer[n->convs - 1];
    dnnl_memory_desc_t in, out;
    size_t             most[2] = { 0, 0 };
    NTH_TRY(plain(&in, 4, (const dnnl_dims_t){ s->batch, s->channels, s->height, s->width }));
    NTH_TRY(plain(&out, 4, (const dnnl_dims_t){ s->batch, s->filters[n->convs - 1], h, w }));
    NTH_TRY(memory(n, &n->user_in, &in, false, NULL));
    NTH_TRY(memory(n, &n->x, &n->x_md, true, NULL));
    NTH_TRY(reorder(n, &n->order_in, &in, &n->x_md));
    NTH_TRY(memory(n, &n->user_out, &out, false, NULL));
    NTH_TRY(memory(n, &n->user_dout, &out, false, NULL));
    NTH_TRY(reorder(n, &n->order_out, &last->y_md, &out));
    NTH_TRY(reorder(n, &n->order_dout, &out, &last->y_md));
    for (int i = 0; i < n->convs; ++i)
        if (n->layer[i].size > most[i % 2]) most[i % 2] = n->layer[i].size;
    for (int k = 0; k < 2; ++k) NTH_TRY(nth_priv_alloc(&n->backward[k], (ptrdiff_t)most[k], 1, "gradients in maps"));
    for (int i = 0; i < n->convs; ++i) NTH_TRY(memory(n, &n->layer[i].dy, &n->layer[i].y_md, false, n->backward[i % 2]));
done:
    return st;
}

nth_status nth_priv_convs_create(nth_convs **convs, const nth_convs_shape *s)
{
    nth_status st = NTH_OK;
    nth_convs *n = NULL;
    ptrdiff_t  in = s->channels, h = s->height, w = s->width, at = 0;
    *convs = NULL;
    NTH_REQUIRE(s->convs >= 1 && s->convs <= MOST, NTH_E_ARG, "%d convolutions; 1 to %d are expected", s->convs, MOST);
    NTH_TRY(nth_priv_alloc(&n, 1, sizeof *n, "convolutions"));
    n->convs = s->convs, n->threads = nth_priv_threads();
    DNN_TRY(dnnl_engine_create(&n->engine, dnnl_cpu, 0));
    DNN_TRY(dnnl_stream_create(&n->stream, n->engine, dnnl_stream_default_flags));
    for (int i = 0; i < s->convs; ++i) {
        NTH_TRY(layer(n, i, s, in, h, w));
        n->layer[i].W = at, n->layer[i].b = at + 9 * in * s->filters[i];
        in = s->filters[i], at = n->layer[i].b + in;
        h = (h - 1) / s->strides[i] + 1, w = (w - 1) / s->strides[i] + 1;
    }
    NTH_TRY(ends(n, s, h, w));
    *convs = n, n = NULL;
done:
    nth_priv_convs_destroy(&n);
    return st;
}

void nth_priv_convs_destroy(nth_convs **convs)
{
    nth_convs *n = *convs;
    if (n == NULL) return;
    for (int i = 0; i < n->primitives; ++i) dnnl_primitive_destroy(n->primitive[i]);
    for (int i = 0; i < n->memories; ++i) dnnl_memory_destroy(n->memory[i]);
    if (n->stream != NULL) dnnl_stream_destroy(n->stream);
    if (n->engine != NULL) dnnl_engine_destroy(n->engine);
    for (int i = 0; i < n->blocks; ++i) nth_priv_free(n->block[i]);
    for (int k = 0; k < 2; ++k) nth_priv_free(n->backward[k]);
    nth_priv_free(n);
    *convs = NULL;
}

/* ---- Passes -------------------------------------------------------------------------------------- */

static nth_status point(dnnl_memory_t m, const float *at)
{
    nth_status st = NTH_OK;
    DNN_TRY(dnnl_memory_set_data_handle(m, (void *)(uintptr_t)at)); /* what oneDNN reads is not const to it */
done:
    return st;
}

static nth_status execute(nth_convs *n, dnnl_primitive_t p, int count, const dnnl_exec_arg_t *arg)
{
    nth_status st = NTH_OK;
    DNN_TRY(dnnl_primitive_execute(p, n->stream, count, arg));
done:
    return st;
}

static nth_status move(nth_convs *n, dnnl_primitive_t p, dnnl_memory_t from, dnnl_memory_t to)
{
    return execute(n, p, 2, (const dnnl_exec_arg_t[]){ { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } });
}

nth_status nth_priv_convs_forward(nth_convs *n, float *out, const float *theta, const float *images)
{
    nth_status    st = NTH_OK;
    const int     before = nth_priv_threads();
    dnnl_memory_t x = n->x;
    nth_priv_set_threads(n->threads); /* what is planned for one number does not run on another */
    NTH_TRY(point(n->user_in, images));
    NTH_TRY(move(n, n->order_in, n->user_in, n->x));
    for (conv *l = n->layer; l < n->layer + n->convs; x = l->y, ++l) {
        NTH_TRY(point(l->W_user, theta + l->W));
        NTH_TRY(point(l->b_user, theta + l->b));
        NTH_TRY(move(n, l->order_W, l->W_user, l->W_fwd));
        if (l > n->layer) NTH_TRY(move(n, l->order_W_back, l->W_user, l->W_back));
        NTH_TRY(execute(n, l->forward, 4, (const dnnl_exec_arg_t[]){ { DNNL_ARG_SRC, x }, { DNNL_ARG_WEIGHTS, l->W_fwd },
                                                                   { DNNL_ARG_BIAS, l->b_user }, { DNNL_ARG_DST, l->y } }));
    }
    NTH_TRY(point(n->user_out, out));
    NTH_TRY(move(n, n->order_out, x, n->user_out));
    DNN_TRY(dnnl_stream_wait(n->stream));
done:
    nth_priv_set_threads(before);
    return st;
}

/* Through relu, whose derivative at 0 is 0. */
static nth_status through_relu(const conv *l)
{
    nth_status      st = NTH_OK;
    void           *y, *dy;
    const ptrdiff_t count = (ptrdiff_t)(l->size / sizeof(float));
    DNN_TRY(dnnl_memory_get_data_handle(l->y, &y));
    DNN_TRY(dnnl_memory_get_data_handle(l->dy, &dy));
    const float *value = y;
    float       *gradient = dy;
#pragma omp parallel for schedule(static)
    for (ptrdiff_t i = 0; i < count; ++i) gradient[i] = value[i] > 0.0f ? gradient[i] : 0.0f;
done:
    return st;
}

nth_status nth_priv_convs_backward(nth_convs *n, float *gradient, const float *out_gradient)
{
    nth_status st = NTH_OK;
    const int  before = nth_priv_threads();
    nth_priv_set_threads(n->threads);
    NTH_TRY(point(n->user_dout, out_gradient));
    NTH_TRY(move(n, n->order_dout, n->user_dout, n->layer[n->convs - 1].dy));
    for (int i = n->convs - 1; i >= 0; --i) {
        const conv *l = &n->layer[i];
        NTH_TRY(point(l->dW_user, gradient + l->W));
        NTH_TRY(point(l->db_user, gradient + l->b));
        NTH_TRY(execute(n, l->back_weights, 4,
                        (const dnnl_exec_arg_t[]){ { DNNL_ARG_SRC, i == 0 ? n->x : l[-1].y }, { DNNL_ARG_DIFF_DST, l->dy },
                                                   { DNNL_ARG_DIFF_WEIGHTS, l->dW }, { DNNL_ARG_DIFF_BIAS, l->db_user } }));
        NTH_TRY(move(n, l->order_dW, l->dW, l->dW_user));
        if (i == 0) break;
        NTH_TRY(execute(n, l->back_data, 3, (const dnnl_exec_arg_t[]){ { DNNL_ARG_DIFF_DST, l->dy }, { DNNL_ARG_WEIGHTS, l->W_back },
                                                                     { DNNL_ARG_DIFF_SRC, l[-1].dy } }));
        NTH_TRY(through_relu(&l[-1]));
    }
    DNN_TRY(dnnl_stream_wait(n->stream));
done:
    nth_priv_set_threads(before);
    return st;
}

#else

const char *nth_priv_onednn_version(void) { return "not built in"; }

nth_status nth_priv_onednn_check(void)
{
    return nth_raise(NTH_E_ARG, __FILE__, __LINE__, __func__,
                     "this build has no oneDNN, through which convolutional networks are trained; install the package libdnnl-dev and build again");
}

nth_status nth_priv_convs_create(nth_convs **convs, const nth_convs_shape *shape)
{
    (void)shape;
    *convs = NULL;
    return nth_priv_onednn_check();
}

void nth_priv_convs_destroy(nth_convs **convs) { *convs = NULL; }

nth_status nth_priv_convs_forward(nth_convs *convs, float *out, const float *theta, const float *images)
{
    (void)convs, (void)out, (void)theta, (void)images;
    return nth_priv_onednn_check();
}

nth_status nth_priv_convs_backward(nth_convs *convs, float *gradient, const float *out_gradient)
{
    (void)convs, (void)gradient, (void)out_gradient;
    return nth_priv_onednn_check();
}

#endif
