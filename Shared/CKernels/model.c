// Memory, packing and dispatch; nothing here is hot.
#include "model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t padded(size_t count) { return (count + ERM_LANES - 1) / ERM_LANES * ERM_LANES; }

// Hands out `floats` of the block, or only counts them while the block is not there yet.
static float *take(float *base, size_t *used, size_t floats) {
    float *at = base ? base + *used : NULL;
    *used += padded(floats);
    return at;
}

static size_t lay_out(erm_model *model, float *base, int32_t training) {
    size_t used = 0;
    size_t rows = model->rows;
    model->parameters = take(base, &used, model->size);
    model->first = training ? take(base, &used, model->size) : NULL;
    model->second = training ? take(base, &used, model->size) : NULL;
    model->input = take(base, &used, rows * model->layers[0].input_stride);
    for (int32_t i = 0; i < model->count; i++) {
        erm_layer *layer = &model->layers[i];
        size_t cells = rows * layer->stride;
        layer->weights = base ? model->parameters + layer->offset : NULL;
        layer->output = take(base, &used, cells);
        layer->delta = training ? take(base, &used, cells) : NULL;
        layer->keep = training && layer->drop ? take(base, &used, cells) : NULL;
        layer->transposed = training && i > 0 ? take(base, &used, (size_t)layer->units * layer->input_stride) : NULL;
    }
    model->target = training ? take(base, &used, rows * model->layers[model->count - 1].stride) : NULL;
    model->weight = training ? take(base, &used, rows) : NULL;
    return used;
}

erm_model *erm_model_create(const erm_dense *layers, int32_t count, int32_t rows, int32_t training) {
    erm_model *model = calloc(1, sizeof *model);
    if (!model) return NULL;
    model->layers = calloc((size_t)count, sizeof *model->layers);
    model->count = count;
    model->rows = rows;
    model->judged = -1;
    if (!model->layers) {
        erm_model_destroy(model);
        return NULL;
    }
    for (int32_t i = 0; i < count; i++) {
        erm_layer *layer = &model->layers[i];
        layer->inputs = layers[i].inputs;
        layer->units = layers[i].units;
        layer->activation = layers[i].activation;
        layer->drop = layers[i].drop;
        layer->keep_scale = layers[i].keep_scale;
        layer->stride = (int32_t)padded((size_t)layer->units);
        layer->input_stride = (int32_t)padded((size_t)layer->inputs);
        layer->offset = model->size;
        model->size += (size_t)(layer->inputs + 1) * layer->stride;
    }
    size_t bytes = lay_out(model, NULL, training) * sizeof(float);
    if (posix_memalign(&model->block, 64, bytes) != 0) {
        model->block = NULL;
        erm_model_destroy(model);
        return NULL;
    }
    memset(model->block, 0, bytes);
    lay_out(model, model->block, training);
    if (training) {
        size_t cells = (size_t)rows * model->layers[count - 1].stride;
        for (size_t i = 0; i < cells; i++) model->target[i] = NAN;
    }
    return model;
}

void erm_model_destroy(erm_model *model) {
    if (!model) return;
    free(model->block);
    free(model->losses);
    free(model->layers);
    free(model);
}

// Copies between packed rows and canonical order, one direction or the other.
static void copy(const erm_model *model, float *packed, float *canonical, int unpack) {
    for (int32_t i = 0; i < model->count; i++) {
        const erm_layer *layer = &model->layers[i];
        for (int32_t row = 0; row <= layer->inputs; row++) {
            float *at = packed + layer->offset + (size_t)row * layer->stride;
            memcpy(unpack ? canonical : at, unpack ? at : canonical, (size_t)layer->units * sizeof(float));
            canonical += layer->units;
        }
    }
}

void erm_model_load(erm_model *model, const float *parameters) {
    copy(model, model->parameters, (float *)parameters, 0);
    for (int32_t i = 0; i < model->count; i++) {
        const erm_layer *layer = &model->layers[i];
        if (!layer->transposed) continue;
        for (int32_t k = 0; k < layer->inputs; k++)
            for (int32_t u = 0; u < layer->units; u++)
                layer->transposed[(size_t)u * layer->input_stride + k] = layer->weights[(size_t)k * layer->stride + u];
    }
}

void erm_model_store(const erm_model *model, float *parameters) { copy(model, model->parameters, parameters, 1); }

void erm_model_load_moments(erm_model *model, const float *first, const float *second) {
    copy(model, model->first, (float *)first, 0);
    copy(model, model->second, (float *)second, 0);
}

void erm_model_store_moments(const erm_model *model, float *first, float *second) {
    copy(model, model->first, first, 1);
    copy(model, model->second, second, 1);
}

int32_t erm_model_set_losses(erm_model *model, const erm_loss *losses, int32_t judged_output) {
    model->judged = judged_output;
    free(model->losses);
    model->losses = NULL;
    if (!losses) return 1;
    size_t count = (size_t)model->layers[model->count - 1].units;
    model->losses = malloc(count * sizeof *losses);
    if (!model->losses) return 0;
    memcpy(model->losses, losses, count * sizeof *losses);
    return 1;
}

int32_t erm_level_best(void) {
#if defined(__x86_64__)
    // The builtins also ask whether the operating system saves the wide registers.
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return ERM_BASELINE;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq")) return ERM_AVX2;
    return ERM_AVX512;
#else
    return ERM_BASELINE;
#endif
}

static const erm_kernels *kernels(int32_t level) {
#if defined(__x86_64__)
    int32_t best = erm_level_best();
    if (level > best) level = best;
    if (level == ERM_AVX512) return &erm_kernels_avx512;
    if (level == ERM_AVX2) return &erm_kernels_avx2;
#endif
    (void)level;
    return &erm_kernels_baseline;
}

// Numbers below 1e-38 count as zero while a kernel runs: Adam's moments of a unit that never fires fade into them, and some
// processors are a hundred times slower there.
#if defined(__x86_64__)
typedef unsigned int float_mode;
static float_mode flush_denormals(void) {
    float_mode mode = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(mode | 0x8040);
    return mode;
}
static void restore(float_mode mode) { __builtin_ia32_ldmxcsr(mode); }
#elif defined(__aarch64__)
typedef uint64_t float_mode;
static float_mode flush_denormals(void) {
    float_mode mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    __asm__ volatile("msr fpcr, %0" ::"r"(mode | (1ull << 24)));
    return mode;
}
static void restore(float_mode mode) { __asm__ volatile("msr fpcr, %0" ::"r"(mode)); }
#else
typedef int float_mode;
static float_mode flush_denormals(void) { return 0; }
static void restore(float_mode mode) { (void)mode; }
#endif

void erm_predict(erm_model *model, int32_t level, const float *inputs, size_t rows, float *outputs) {
    const erm_kernels *chosen = kernels(level);
    float_mode mode = flush_denormals();
    chosen->predict(model, inputs, rows, outputs);
    restore(mode);
}

void erm_train(
    erm_model *model, int32_t level, const erm_samples *samples, const uint32_t *order, size_t from, size_t to,
    int32_t batch, erm_adam *adam, erm_totals *totals) {
    const erm_kernels *chosen = kernels(level);
    float_mode mode = flush_denormals();
    chosen->train(model, samples, order, from, to, batch, adam, totals);
    restore(mode);
}

void erm_evaluate(
    erm_model *model, int32_t level, const erm_samples *samples, size_t from, size_t to, erm_totals *totals) {
    const erm_kernels *chosen = kernels(level);
    float_mode mode = flush_denormals();
    chosen->evaluate(model, samples, from, to, totals);
    restore(mode);
}

double erm_peak(int32_t level, size_t iterations) { return kernels(level)->peak(iterations); }
