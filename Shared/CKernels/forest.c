// Trees and linear models for several rows at once, compiled per instruction set and chosen at run time.
#include "CKernels.h"

// A value of each row, at any address.
typedef float rows_of_float __attribute__((ext_vector_type(ERM_ROWS), aligned(4)));
typedef double rows_of_double __attribute__((ext_vector_type(ERM_ROWS), aligned(8)));
typedef int64_t rows_of_long __attribute__((ext_vector_type(ERM_ROWS)));

#define NAME(name) name##_baseline
#include "body/forest.h"
#undef NAME

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,bmi"))), apply_to = function)
#define NAME(name) name##_avx2
#include "body/forest.h"
#undef NAME
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx2,bmi"))), apply_to = function)
#define NAME(name) name##_avx512
#include "body/forest.h"
#undef NAME
#pragma clang attribute pop
#endif

void erm_forest_sums(int32_t level, const erm_forest *forest, const float *block, uint32_t *masks, double *sums) {
#if defined(__x86_64__)
    if (level >= ERM_AVX512) return forest_avx512(forest, block, masks, sums);
    if (level >= ERM_AVX2) return forest_avx2(forest, block, masks, sums);
#endif
    forest_baseline(forest, block, masks, sums);
}

void erm_linear_sums(int32_t level, const erm_linear *linear, const float *block, double *sums) {
#if defined(__x86_64__)
    if (level >= ERM_AVX512) return linear_avx512(linear, block, sums);
    if (level >= ERM_AVX2) return linear_avx2(linear, block, sums);
#endif
    linear_baseline(linear, block, sums);
}
