// A network packed for vectors: shared by the level-independent part (model.c) and the kernels (body/).
#ifndef ERM_MODEL_H
#define ERM_MODEL_H

#include "include/CKernels.h"

// Rows of matrices are padded to this many floats (64 bytes: one AVX-512 vector, one cache line). Pads stay zero.
#define ERM_LANES 16

typedef struct {
    int32_t inputs, units, activation;
    int32_t stride;        // units rounded up to ERM_LANES
    int32_t input_stride;  // inputs rounded up to ERM_LANES
    uint32_t drop;
    float keep_scale;
    size_t offset;       // into parameters and moments: `inputs` rows of `stride`, then the bias row
    float *weights;      // parameters + offset
    float *transposed;   // [units][input_stride]; null where no gradient flows on (first layer) or when only predicting
    float *output;       // [rows][stride], after activation and dropout
    float *delta;        // [rows][stride], gradient of the loss by the sums before the activation
    float *keep;         // [rows][stride], 0 or keep_scale; null without dropout
} erm_layer;

struct erm_model {
    int32_t count, rows;
    erm_layer *layers;
    float *parameters, *first, *second;  // packed, `size` floats each
    size_t size;
    float *input;   // [rows][input_stride of the first layer]
    float *target;  // [rows][stride of the last layer]; NaN in pads, so that they count as unknown
    float *weight;  // [rows]
    erm_loss *losses;  // null: all squared
    int32_t judged;
    void *block;
};

typedef struct {
    void (*predict)(erm_model *, const float *, size_t, float *);
    void (*train)(
        erm_model *, const erm_samples *, const uint32_t *, size_t, size_t, int32_t, erm_adam *, erm_totals *);
    void (*evaluate)(erm_model *, const erm_samples *, size_t, size_t, erm_totals *);
    double (*peak)(size_t);
} erm_kernels;

extern const erm_kernels erm_kernels_baseline;
#if defined(__x86_64__)
extern const erm_kernels erm_kernels_avx2;
extern const erm_kernels erm_kernels_avx512;
#endif

#endif
